"""Oxidation of dissolved iron(II) by oxygen and by hydrogen peroxide.

    oxygen     Fe+2 + 1/4 O2 + H+ -> Fe+3 + 1/2 H2O     k a(Fe+2) a(OH-)^2 [O2] + k_acid [Fe+2] [O2]
    peroxide   2 Fe+2 + H2O2 -> 2 Fe+3 + 2 OH-          (k_0 [Fe+2] + k_1 [FeOH+]) [H2O2]

Protons and hydroxide follow from electroneutrality with the totals and are never written. With oxygen the activated
complex Fe(OH)2 has no charge, so activities carry the effect of salt. The hydroxyl radical of the first step with
peroxide is taken to oxidise a second iron(II): where something else catches it, one iron per peroxide is the limit.
Left out: reduction of iron(III) by peroxide, thiols or superoxide, carbonate complexes, surfaces. Validity: 5 to 45
degC, pH 2 to 9, ionic strength below 0.7 mol/L. Sources: in ``catalogue/iron_oxidation`` (stumm_1961, millero_1987,
millero_1989).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium.constants import MOLAR, arrhenius

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import IronOxidation
    from nanotrial.medium.saturation import Place
    from nanotrial.network.terms import Term

ID = "medium.iron"


def oxidation_sheet() -> IronOxidation:
    """Return the sheet of rate constants."""
    sheet: IronOxidation = Catalogue().load("iron_oxidation", "aqueous")
    return sheet


def applies(tube: Place) -> bool:
    """Say whether both iron(II) and iron(III) are components."""
    return {"iron_2", "iron_3"} <= set(tube.solution.components)


def add(tube: Place) -> None:
    """Add oxidation by every oxidant at hand."""
    network, name = tube.network, tube.name
    iron = {f"{name}.iron_2": -1.0, f"{name}.iron_3": 1.0}
    prefix = "" if name == "tube" else f"{name}."
    # Oxygen and peroxide become water, which is not counted; iron is counted by its valence and only changes it.
    opens = ("peroxide", "iron_2", "iron_3")
    if "oxygen" in tube.solution.components:
        gains = {**iron, f"{name}.oxygen": -0.25}
        line = "Fe+2 + 1/4 O2 + H+ -> Fe+3 + 1/2 H2O"
        network.process(f"{prefix}iron.oxygenation", gains, oxygenation(tube) * tube.volume, line, ID, opens)
    if "hydrogen_peroxide" in tube.solution.components:
        gains = {**{one: 2.0 * count for one, count in iron.items()}, f"{name}.hydrogen_peroxide": -1.0}
        line = "2 Fe+2 + H2O2 -> 2 Fe+3 + 2 OH-"
        network.process(f"{prefix}iron.peroxidation", gains, peroxidation(tube) * tube.volume, line, ID, opens)


def oxygenation(tube: Place) -> Term:
    """Return how fast oxygen oxidises iron(II) (mol of iron per m^3 and second)."""
    solution = tube.solution
    iron, hydroxide = solution.activity("Fe+2") * MOLAR, solution.activity("OH-") * MOLAR
    neutral = _rate(tube, "oxygen_rate", "oxygen_energy", "m^9/mol^3/s") * iron * hydroxide**2
    acid = _rate(tube, "acid_oxygen_rate", "acid_oxygen_energy", "m^3/mol/s") * solution.free("Fe+2")
    return (neutral + acid) * solution.free("O2")


def peroxidation(tube: Place) -> Term:
    """Return how fast hydrogen peroxide is taken by iron(II) (mol of peroxide per m^3 and second)."""
    solution = tube.solution
    bare = _rate(tube, "peroxide_rate", "peroxide_energy", "m^3/mol/s") * solution.free("Fe+2")
    hydrolysed = _rate(tube, "hydroxide_peroxide_rate", "hydroxide_peroxide_energy", "m^3/mol/s")
    return (bare + hydrolysed * solution.free("FeOH+")) * solution.free("H2O2")


def _rate(tube: Place, name: str, energy: str, unit: str) -> Term:
    """Return a rate constant of the sheet at the temperature of the fluid."""
    sheet, network = oxidation_sheet(), tube.network
    at_room = network.parameter(f"iron_oxidation.{name}", getattr(sheet, name), unit)
    return at_room * arrhenius(network, f"iron_oxidation.{energy}", getattr(sheet, energy), tube.temperature)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): in acid, iron x and peroxide p follow dx/dt = -2 k x p, 2 p = D + x."""
    import math

    from nanotrial.medium.vessel import closed_vessel
    from nanotrial.solve.run import simulate_network

    vessel = closed_vessel({"iron_2": 1.0, "iron_3": 0.0, "hydrogen_peroxide": 1.0}, ph=3.0, strong_charge=-3.05)
    add(vessel)
    changes = {"iron_oxidation.hydroxide_peroxide_rate": 0.0}
    found = simulate_network(vessel.network, [10.0], changes=changes)["iron_2"][0]
    left = 0.5 * math.exp(-10.0 * oxidation_sheet().peroxide_rate.si)
    return float(found), left / (1.0 - left), 1e-5
