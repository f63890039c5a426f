"""One cell in a bath so large that the cell does not change it: for exact cases, published models and the loop."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nanotrial.cell import calcium, drugs, energy, probes, redox
from nanotrial.cell.culture import Cells, Constants, Surroundings
from nanotrial.cell.rest import RestFinder, rest_parameter
from nanotrial.network.model import Network
from nanotrial.network.terms import constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.agent_schema import Agent
    from nanotrial.catalogue.cell_schema import CellLine

# States are added in this order, mechanisms too: each reads what those before it have named.
INSIDE: tuple[ModuleType, ...] = (drugs, redox, energy, calcium, probes)
ACTING: tuple[ModuleType, ...] = (drugs, calcium, redox, energy, probes)
# Oxygen of medium under air at 37 degC (mol/m^3), to which respiration at rest refers.
AIR_OXYGEN = 0.2
SETS = ("redox", "coupling", "energetics")


def cell_in_bath(
    line: tuple[str, CellLine],
    sheets: Mapping[str, tuple[str, Any]],
    calcium_outside: float = 1.2,
    peroxide_outside: float = 0.0,
    oxygen: float = 0.2,
    drug_doses: Mapping[str, tuple[Agent, float]] | None = None,
) -> Cells:
    """Return one cell whose network is ``cells.network``, with every state observed by name.

    With the parameter ``loop.cut`` at 1 proteins feel ``loop.held_peroxide`` in place of the peroxide of the cell; with
    ``loop.cut_energy`` at 1 pumps run on ``loop.held_atp`` (a share of ATP at rest) in place of its ATP.

    Arguments:
        line: id and sheet of the line.
        sheets: ``calcium`` and, where wanted, ``redox``, ``coupling``, ``energetics``: id and sheet of each.
        calcium_outside: free calcium (mol/m^3).
        peroxide_outside: hydrogen peroxide (mol/m^3).
        oxygen: dissolved oxygen (mol/m^3).
        drug_doses: agent id -> sheet and concentration outside (mol/m^3).
    """
    network = Network("cell")
    network.compartment("population", constant(1.0, "m^3"))
    network.state("cell.live", "population", "1", initial=1.0)
    given = dict(drug_doses or {})
    around = _surroundings(network, calcium_outside, peroxide_outside, oxygen, given)
    made = {key: Constants(network, *sheets[key]) if key in sheets else None for key in SETS}
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
        redox=made["redox"],
        coupling=made["coupling"],
        energetics=made["energetics"],
        cut=network.parameter("loop.cut", 0.0, "1"),
        held_peroxide=network.parameter("loop.held_peroxide", 0.0, "mol/m^3"),
        cut_energy=network.parameter("loop.cut_energy", 0.0, "1"),
        held_atp=network.parameter("loop.held_atp", 1.0, "1"),
    )
    if cells.calcium.sheet.membrane is not None:
        _settle(cells)
    _add_mechanisms(cells)
    return cells


def _settle(cells: Cells) -> None:
    """Let the cell rest at the calcium of the bath: its parameter of rest is set from the values of all others."""
    network, name = cells.network, rest_parameter(cells)
    cells.rest = network.parameter(name, cells.line.sheet.resting_calcium.si, "mol/m^3")
    finder = RestFinder([cells])
    found = finder.find({n: p.value for n, p in network.parameters.items()})
    network.parameters[name] = replace(network.parameters[name], value=found[name])


def _surroundings(
    network: Network, calcium: float, peroxide: float, oxygen: float, given: Mapping[str, tuple[Agent, float]]
) -> Surroundings:
    outside = network.parameter("bath.calcium", calcium, "mol/m^3")
    return Surroundings(
        calcium=outside,
        peroxide=network.parameter("bath.hydrogen_peroxide", peroxide, "mol/m^3"),
        oxygen=network.parameter("bath.oxygen", oxygen, "mol/m^3"),
        fresh_calcium=outside,
        air_oxygen=constant(AIR_OXYGEN, "mol/m^3"),
        drugs={n: network.parameter(f"bath.{n}", dose, "mol/m^3") for n, (_, dose) in given.items()},
    )


def _add_mechanisms(cells: Cells) -> None:
    for mechanism in INSIDE:
        if mechanism.applies(cells):
            mechanism.add_states(cells)
    for mechanism in ACTING:
        if mechanism.applies(cells):
            mechanism.add(cells)
            cells.mechanisms.append(mechanism.ID)
    for name, free in cells.free.items():
        cells.network.observe(name, free, "umol/L")
    cells.network.observe("peroxide", cells.peroxide, "umol/L")
