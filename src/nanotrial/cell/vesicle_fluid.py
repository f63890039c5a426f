"""The fluid of shed vesicles: its states, its buffer, and what a new vesicle holds.

    strong charge = -2 [Ca] - z_P [P] + sum of bare buffer     at the pH of the sheet

so that a new vesicle has that pH; z_P is the mean charge of phosphate without its complexes with calcium (they hold
about as many protons: the pH is met within 0.15). What vesicles do stands in ``matrix_vesicles``. Sources: in the sheet
``catalogue/matrix_vesicles``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanotrial.cell.culture import Constants
from nanotrial.medium.constants import MOLAR, debye_slope, equilibrium_constant, species_charge
from nanotrial.medium.speciation import Site, add_solution
from nanotrial.medium.surfaces import Surface
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, sqrt, ten_to
from nanotrial.particle.fluid import Fluid

if TYPE_CHECKING:
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.catalogue.schema import Solute, Water

NAME = "vesicles_outside"
DEPOSIT = "matrix"
COMPONENTS = ("calcium", "phosphate")
STEP = 0.8
# Vesicles there from the start, as a share of the usual volume: no volume is ever zero.
TRACE = 1e-5


@dataclass(frozen=True)
class Outside:
    """What bathes the vesicles: free calcium, all dissolved phosphate (mol/m^3), pH, and the states that hold them.

    ``states`` names those of ``calcium``, ``phosphate``, ``strong_charge`` and ``pyrophosphate`` that exist; what has
    none enters and leaves the network.
    """

    name: str
    calcium: Term
    phosphate: Term
    ph: Term
    states: Mapping[str, str] = field(default_factory=dict)

    def given(self, **counts: float) -> dict[str, float]:
        """Return the stoichiometry of what enters (or leaves) the states outside."""
        return {self.states[what]: count for what, count in counts.items() if what in self.states}

    def opens(self, what: str, kind: str) -> tuple[str, ...]:
        """Return the conserved kind that goes through where nothing outside holds it."""
        return () if what in self.states else (kind,)


@dataclass(kw_only=True)
class Vesicles:
    """The vesicles outside the cells: their fluid, the sheets of vesicles and of shedding, and what bathes them."""

    fluid: Fluid
    sheet: Constants
    membrane: Constants
    outside: Outside
    size: float

    @property
    def network(self) -> Network:
        """Return the network that the vesicles are part of."""
        return self.fluid.network

    @property
    def per_volume(self) -> Term:
        """Return the membrane area over the volume of a vesicle (1/m): 6/d."""
        return 6.0 / self.membrane("vesicle_diameter", "m")

    @property
    def number(self) -> Term:
        """Return the number of vesicles."""
        return self.fluid.volume / (self.membrane("vesicle_diameter", "m") ** 3 * (math.pi / 6.0))

    def state(self, what: str) -> Term:
        """Return the term of a state of the vesicles."""
        return self.network[f"{NAME}.{what}"]


def outside_of(medium: Fluid) -> Outside:
    """Return a medium as vesicles meet it; pyrophosphate, where it has none, enters and leaves the network."""
    network, name = medium.network, medium.name
    known = {w: f"{name}.{w}" for w in (*COMPONENTS, "strong_charge", "pyrophosphate")}
    states = {w: n for w, n in known.items() if n in network.species}
    none = constant(0.0, "mol/m^3")
    return Outside(
        name=name,
        calcium=medium.solution.free("Ca+2") if "calcium" in states else none,
        phosphate=network.concentration(states["phosphate"]) if "phosphate" in states else none,
        ph=medium.solution.ph,
        states=states,
    )


def matrix_surface(area: Term, phases: Iterable[str] = ()) -> Surface:
    """Return the surface of a medium that takes the crystals of opened vesicles and on which none begin.

    Arguments:
        area: matrix that crystals can lie on (m^2), which bounds how much of them grows.
        phases: what vesicles can bring; all phases of the medium if none is named.
    """
    return Surface("matrix", DEPOSIT, area, constant(math.pi, "rad"), constant(0.0, "1"), frozenset(phases))


def vesicle_phases(catalogue: Catalogue) -> dict[str, Phase]:
    """Return the phases of a catalogue that vesicles can form: crystals of calcium and phosphate alone."""
    known: dict[str, Phase] = {i: catalogue.load("phases", i) for i in catalogue.ids("phases")}
    return {i: p for i, p in known.items() if p.nucleation is not None and set(p.products) == set(COMPONENTS)}


def add_states(
    network: Network,
    sheet: Constants,
    membrane: Constants,
    outside: Outside,
    solutes: Mapping[str, Solute],
    water: Water,
    temperature: float,
    size: float,
    phases: Mapping[str, Phase],
    start: Term | None = None,
) -> Vesicles:
    """Add the vesicles as a fluid; the calcium that cells shed goes to its state ``vesicles_outside.calcium``.

    Arguments:
        network: the network that holds what is outside already.
        sheet: the sheet of matrix vesicles.
        membrane: the table ``membrane`` of the handling of calcium, with calcium and diameter of vesicles.
        outside: what bathes them.
        solutes: sheets of dissolved components by id; calcium and phosphate are read.
        water: the sheet of water.
        temperature: K.
        size: a usual volume of all vesicles (m^3), which sets errors and the trace at the start.
        phases: minerals that may form.
        start: volume of vesicles at the start (m^3) beside the trace.
    """
    begin = constant(TRACE * size, "m^3") + (constant(0.0, "m^3") if start is None else start)
    volume = network.state(f"{NAME}.volume", outside.name, "m^3", scale=size, initial=begin)
    network.compartment(NAME, volume)
    sites = buffer_sites(sheet, volume)
    _hold(network, fresh_vesicle(sheet, membrane, solutes["phosphate"], temperature), begin, size)
    components = {i: solutes[i] for i in COMPONENTS}
    first, salt = sheet.sheet.ph.si, sheet("ionic_strength", "mol/m^3")
    solution = add_solution(network, NAME, components, water, temperature, first, salt, sites, 150.0)
    network.surround(NAME, ph=solution.ph, temperature=constant(temperature, "K"))
    fluid = Fluid(
        network=network,
        name=NAME,
        temperature=temperature,
        solution=solution,
        volume=volume,
        scale=size,
        cohorts=[],
        phases=dict(phases),
    )
    made = Vesicles(fluid=fluid, sheet=sheet, membrane=membrane, outside=outside, size=size)
    angle = sheet("contact_angle", "rad")
    fluid.surfaces.append(Surface("leaflet", "", made.per_volume * volume, angle, constant(1.0, "1")))
    return made


def _hold(network: Network, fresh: Mapping[str, Term], begin: Term, size: float) -> None:
    """Add the states of what vesicles hold: at the start as much per volume as new ones do."""
    for name, amount in fresh.items():
        tiny = 1e-3 if name == "pyrophosphate" else 1.0
        content = {"calcium": {"calcium": 1.0}, "pyrophosphate": {"phosphate": 2.0}, "strong_charge": {}}
        network.state(
            f"{NAME}.{name}",
            NAME,
            scale=size * tiny,
            initial=amount * begin,
            content=content.get(name, {"phosphate": 1.0}),
            may_be_negative=name == "strong_charge",
        )
    # Indifferent salt makes the ionic strength; ions that balance the charge of others are not counted again.
    network.state(f"{NAME}.inert_ions", NAME, scale=size)


def buffer_sites(sheet: Constants, volume: Term) -> list[Site]:
    """Return weak acids, evenly spaced, that buffer by the capacity per pH between the limits of the sheet."""
    low, high = sheet.sheet.lowest_ph.si, sheet.sheet.highest_ph.si
    amount = sheet("buffer_capacity", "mol/m^3") * STEP * volume
    count = max(2, round((high - low) / STEP) + 1)
    bottom, top = sheet("lowest_ph", "1"), sheet("highest_ph", "1")
    return [Site(f"buffer_{i}", amount, bottom + (top - bottom) * (i / (count - 1))) for i in range(count)]


def fresh_vesicle(
    sheet: Constants, membrane: Constants, phosphate: Solute, temperature: float, left: Term | float = 1.0
) -> dict[str, Term]:
    """Return what a new vesicle holds (mol/m^3); its strong charge gives it the pH of the sheet.

    ``left`` is the share of its phosphate that the medium can give.
    """
    one = constant(1.0, "m^3")
    calcium, ph = membrane("vesicle_calcium", "mol/m^3"), sheet("ph", "1")
    held = sheet("phosphate", "mol/m^3") * left
    charge = -(calcium * 2.0) - held * mean_charge(sheet, phosphate, ph, temperature)
    for site in buffer_sites(sheet, one):
        charge = charge + site.amount / one / (1.0 + ten_to(site.pka - ph))
    return {
        "calcium": calcium,
        "phosphate": held,
        "phosphocholine": sheet("phosphocholine", "mol/m^3") * left,
        "pyrophosphate": sheet("pyrophosphate", "mol/m^3"),
        "strong_charge": charge,
    }


def mean_charge(sheet: Constants, solute: Solute, ph: Term, temperature: float) -> Term:
    """Return the mean charge of a solute at a pH; complexes with calcium, which hold as many protons, are left out."""
    network, root = sheet.network, sqrt(sheet("ionic_strength", "mol/m^3") / MOLAR)
    slope = (root / (1.0 + root) - 0.3 * root * root) * -debye_slope(temperature)
    charges = {solute.name: solute.charge}
    whole, weighted = constant(1.0, "1"), constant(float(solute.charge), "1")
    for sp in solute.species:
        if dict(sp.components) == {solute.name: 1}:
            z = species_charge(sp, charges)
            k = equilibrium_constant(network, f"aqueous.{sp.name}", sp.log_k, sp.enthalpy, temperature)
            weight = k * ten_to(ph * -float(sp.protons)) * ten_to(slope * float(solute.charge**2 - z**2))
            whole, weighted = whole + weight, weighted + weight * float(z)
    return weighted / whole
