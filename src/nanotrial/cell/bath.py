"""One cell in a bath so large that the cell does not change it: for exact cases, published models and the loop."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from nanotrial.cell import calcium, drugs, energy, probes, redox
from nanotrial.cell.culture import Cells, Constants, Surroundings
from nanotrial.network.model import Network
from nanotrial.network.terms import constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.cell_schema import CellLine
    from nanotrial.catalogue.schema import Agent

# States are added in this order, mechanisms too: each reads what those before it have named.
INSIDE: tuple[ModuleType, ...] = (drugs, redox, energy, calcium, probes)
ACTING: tuple[ModuleType, ...] = (drugs, calcium, redox, energy, probes)
SETS = {"redox": "redox", "coupling": "coupling", "energetics": "energetics"}


def cell_in_bath(
    line: tuple[str, CellLine],
    sheets: Mapping[str, tuple[str, Any]],
    calcium_outside: float = 1.2,
    peroxide_outside: float = 0.0,
    oxygen: float = 0.2,
    drug_doses: Mapping[str, tuple[Agent, float]] | None = None,
    cut: bool = False,
) -> Cells:
    """Return one cell whose network is ``cells.network``, with every state observed by name.

    Arguments:
        line: id and sheet of the line.
        sheets: ``calcium`` and, where wanted, ``redox``, ``coupling``, ``energetics``: id and sheet of each.
        calcium_outside: free calcium (mol/m^3).
        peroxide_outside: hydrogen peroxide (mol/m^3).
        oxygen: dissolved oxygen (mol/m^3).
        drug_doses: agent id -> sheet and concentration outside (mol/m^3).
        cut: let proteins feel the parameter ``loop.held_peroxide`` in place of the peroxide in the cell.
    """
    network = Network("cell")
    network.compartment("population", constant(1.0, "m^3"))
    live = network.state("cell.live", "population", "1", initial=1.0)
    network.parameter("loop.cut", 1.0 if cut else 0.0, "1")
    network.parameter("loop.held_peroxide", 0.0, "mol/m^3")
    given = dict(drug_doses or {})
    outside = network.parameter("bath.calcium", calcium_outside, "mol/m^3")
    around = Surroundings(
        calcium=outside,
        peroxide=network.parameter("bath.hydrogen_peroxide", peroxide_outside, "mol/m^3"),
        oxygen=network.parameter("bath.oxygen", oxygen, "mol/m^3"),
        resting_calcium=outside,
        air_oxygen=constant(0.2, "mol/m^3"),
        drugs={n: network.parameter(f"bath.{n}", dose, "mol/m^3") for n, (_, dose) in given.items()},
    )
    made = {key: Constants(network, *sheets[key]) for key in SETS if key in sheets}
    cells = Cells(
        network=network,
        key="cell",
        line=Constants(network, *line),
        calcium=Constants(network, *sheets["calcium"]),
        seeded=constant(1.0, "1"),
        size=line[1].volume.si,
        around=around,
        agents={n: sheet for n, (sheet, _) in given.items()},
        feedback=network.parameter("loop.feedback", 1.0, "1"),
        **made,
    )
    assert live is not None
    for mechanism in INSIDE:
        if mechanism.applies(cells):
            mechanism.add_states(cells)
    for mechanism in ACTING:
        if mechanism.applies(cells):
            mechanism.add(cells)
            cells.mechanisms.append(mechanism.ID)
    for name, free in cells.free.items():
        network.observe(name, free, "umol/L")
    network.observe("peroxide", cells.peroxide, "umol/L")
    return cells
