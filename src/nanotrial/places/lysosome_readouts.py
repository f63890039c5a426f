"""What minerals in cells show: the amount of each in lysosomes, endosomes included, and that of its largest rival.

Endosomes count because they become lysosomes, with what fell out in them, though each is one fluid here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium import crystals
from nanotrial.network.terms import Term, constant, maximum, total
from nanotrial.study.minerals import IN_LYSOSOMES, IRON, lysosomal_measures

if TYPE_CHECKING:
    from nanotrial.particle.fluid import Fluid
    from nanotrial.places.dish_parts import Dish


def observe_lysosomal_minerals(dish: Dish) -> None:
    """Add the amount of each mineral in the vesicles of all live cells, over the seeded cells, and its rival's."""
    vesicles = [fluid for c in dish.cells for fluid in (c.endosome, c.lysosome) if fluid is not None]
    phases = {
        i: phase
        for fluid in vesicles
        for i, phase in fluid.phases.items()
        if crystals.forms(phase) or phase.relaxation_rate is not None
    }
    amounts = {i: total((_seen(f, i) for f in vesicles if i in f.phases), "mol") / dish.seeded for i in phases}
    for identifier, amount in amounts.items():
        label, rival = phases[identifier].name, _largest([a for i, a in amounts.items() if i != identifier])
        dish.network.observe(
            f"lysosomal_{identifier}", amount, "fmol", f"{label} in endosomes and lysosomes, per seeded cell"
        )
        what = "the most of any other mineral there, per seeded cell"
        dish.network.observe(f"lysosomal_{identifier}_rival", rival, "fmol", what)
    # Arms without iron show the same measures, so that they can be compared.
    solutes = set(IRON).union(IN_LYSOSOMES, *(phase.products for phase in phases.values()))
    for name in lysosomal_measures(dish.catalogue, solutes):
        if name not in dish.network.observables:
            dish.network.observe(name, constant(0.0, "mol"), "fmol", "an ion of it is absent")


def _seen(fluid: Fluid, identifier: str) -> Term:
    """Return the amount of a mineral (mol) without solver noise: what lies below the floor counts as none."""
    return maximum(crystals.phase_amount(fluid, identifier) - fluid.floor, constant(0.0, "mol"))


def _largest(amounts: list[Term]) -> Term:
    """Return the largest amount; nothing where there is none."""
    most = constant(0.0, "mol")
    for amount in amounts:
        most = maximum(most, amount)
    return most
