"""A closed vessel of dissolved components: the smallest solution, for exact cases and checks against other programs."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium.constants import PEROXIDE_UNITS
from nanotrial.medium.speciation import add_solution
from nanotrial.network.model import Network
from nanotrial.network.terms import maximum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.medium.surfaces import Surface

VOLUME = 1e-3


def closed_vessel(
    amounts: Mapping[str, float],
    ph: float,
    temperature: float = 298.15,
    background_salt: float = 0.0,
    enzymes: Mapping[str, float] | None = None,
    phases: tuple[str, ...] | Mapping[str, Phase] = (),
    strong_charge: float = 0.0,
    catalogue: Catalogue | None = None,
    surfaces: Sequence[Surface] = (),
) -> Any:
    """Return a one-litre vessel with the attributes that mechanisms read (network, solution, volume, ...).

    Arguments:
        amounts: total concentration of each component (mol/m^3).
        ph: first guess of the pH.
        temperature: K.
        background_salt: indifferent salt (mol/m^3).
        enzymes: activity by agent id (mol/(m^3 s)).
        phases: minerals that may form, by id, or by id with their sheets.
        strong_charge: charge of indifferent ions (mol/m^3).
        catalogue: sheets to read; by default those of the package.
        surfaces: surfaces on which minerals begin.
    """
    catalogue, network = catalogue or Catalogue(), Network("vessel")
    volume = network.parameter("tube.volume", VOLUME, "m^3")
    network.compartment("tube", volume)
    sheets = catalogue.solutes()
    for name, start in amounts.items():
        kind = PEROXIDE_UNITS.get(name, {name: 1.0})
        begin = network.parameter(f"tube.{name}.start", start, "mol/m^3") * volume
        network.state(f"tube.{name}", "tube", scale=VOLUME, initial=begin, content=kind)
    charge = network.parameter("tube.strong_charge.start", strong_charge, "mol/m^3") * volume
    network.state("tube.strong_charge", "tube", scale=VOLUME, initial=charge, may_be_negative=True)
    network.state("tube.inert_ions", "tube", scale=VOLUME, initial=maximum(charge, -charge))
    salt = network.parameter("tube.background_salt", background_salt, "mol/m^3")
    present = {name: sheets[name] for name in amounts}
    solution = add_solution(network, "tube", present, catalogue.water(), temperature, ph, salt)
    given = enzymes or {}
    for name, activity in given.items():
        network.state(f"tube.{name}", "tube", "mol/s", VOLUME * 1e-3, initial=activity * VOLUME)
    network.observe("ph", solution.ph, "1")
    for name in amounts:
        network.observe(name, network.concentration(f"tube.{name}"), "mmol/L")

    def acting(target: str) -> dict[str, Any]:
        return {n: catalogue.load("agents", n) for n in given if catalogue.load("agents", n).acts_on == target}

    return SimpleNamespace(
        network=network,
        name="tube",
        temperature=temperature,
        solution=solution,
        volume=volume,
        scale=VOLUME,
        phases=dict(phases) if isinstance(phases, Mapping) else {p: catalogue.load("phases", p) for p in phases},
        surfaces=list(surfaces),
        enzymes=acting,
    )
