"""Minerals in a dish: inducers and bare membranes as surfaces, shed vesicles, and the layer that cells feel.

Crystals form in the medium, on the membranes of all cells (deposit ``cells``), in shed vesicles and, once those open,
in the matrix on the bottom (deposit ``matrix``, where nothing begins but what is there grows on).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nanotrial.cell import inducers, matrix_vesicles, mineral_layer, vesicle_fluid
from nanotrial.cell.culture import Constants, Layer
from nanotrial.medium import crystals
from nanotrial.network.terms import Term, constant, share
from nanotrial.study.minerals import phases_of

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Inducer
    from nanotrial.cell.inducers import Induced
    from nanotrial.cell.vesicle_fluid import Vesicles
    from nanotrial.network.model import Network
    from nanotrial.places.dish_parts import WellMedium

ON_CELLS = "cells"
# The sheet of folic acid, which every medium holds as a vitamin.
FREE_LIGAND = "folate"
# A share of the membrane far below which cover counts as none.
LEAST_COVER = 1e-9


@dataclass(frozen=True, kw_only=True)
class DishMinerals:
    """What a dish with minerals has beside cells and medium."""

    area: Term
    effects: Constants
    layer: Layer
    thickness: Term
    vesicles: Vesicles
    inducers: dict[str, Induced] = field(default_factory=dict)


def add_minerals(
    medium: WellMedium,
    catalogue: Any,
    line: Constants,
    recipe: Constants,
    membrane: Constants,
    given: dict[str, Inducer],
    cells: Term,
    dead: Term,
    seeded: float,
) -> DishMinerals:
    """Add surfaces, crystals, inducers and vesicles to a medium; cells come afterwards and feel the layer.

    Arguments:
        medium: the medium, with its solution.
        catalogue: the sheets.
        line: the line of cells.
        recipe: the sheet of the medium, whose folic acid holds folate receptors.
        membrane: its table of calcium at the membrane, for shed vesicles.
        given: inducers that are added, by id.
        cells: live cells of all classes.
        dead: dead cells, whose membranes stay.
        seeded: cells at the start, which sets the size of states.
    """
    network, name = medium.network, catalogue.ids("mineral_effects")[0]
    effects = Constants(network, name, catalogue.load("mineral_effects", name))
    area = (cells + dead) * line("membrane_area", "m^2")
    bare = effects("membrane_contact_angle", "rad")
    rivals = _rivals(network, catalogue, recipe)
    membranes = inducers.Membranes(line=line, area=area, cells=cells, seeded=seeded, bare_angle=bare, rivals=rivals)
    induced = {}
    for identifier, sheet in given.items():
        inducers.add_states(medium, identifier, sheet, membranes)
        induced[identifier] = inducers.add(medium, identifier, sheet, membranes)
    left = constant(1.0, "1")
    for one in induced.values():
        left = left * (1.0 - one.cover)
    medium.surfaces = [
        *(one.surface for one in induced.values()),
        mineral_layer.membrane_surface(area, left, effects, ON_CELLS),
        vesicle_fluid.matrix_surface(medium.bottom, vesicle_fluid.vesicle_phases(catalogue)),
    ]
    medium.phases = {i: catalogue.load("phases", i) for i in phases_of(catalogue, set(medium.solution.components))}
    crystals.add_states(medium)
    cover = crystals.cover(medium, ON_CELLS)
    thickness = _thickness(medium, area, cover)
    return DishMinerals(
        area=area,
        effects=effects,
        layer=mineral_layer.layer_of(cover, thickness, effects),
        thickness=thickness,
        vesicles=_vesicles(network, medium, catalogue, membrane, seeded * line.sheet.volume.si),
        inducers=induced,
    )


def _rivals(network: Network, catalogue: Any, recipe: Constants) -> dict[str, Term]:
    """Return what else in the medium holds receptors, as concentration over constant: folic acid, by receptor."""
    sheet = catalogue.load("inducers", FREE_LIGAND)
    constant_of = Constants(network, FREE_LIGAND, sheet)("receptor_constant", "mol/m^3")
    return {sheet.receptor: recipe("folic_acid", "mol/m^3") / constant_of}


def _thickness(medium: WellMedium, area: Term, cover: Term) -> Term:
    """Return the mean thickness of the layer where it covers the cells (m)."""
    return share(crystals.solid_volume(medium, ON_CELLS), area * cover, area * LEAST_COVER)


def _vesicles(network: Network, medium: WellMedium, catalogue: Any, membrane: Constants, cells: float) -> Vesicles:
    """Add shed vesicles; a hundredth of the volume of the cells is their usual size."""
    name = catalogue.ids("matrix_vesicles")[0]
    sheet = Constants(network, name, catalogue.load("matrix_vesicles", name))
    return vesicle_fluid.add_states(
        network,
        sheet,
        membrane,
        vesicle_fluid.outside_of(medium),
        catalogue.solutes(),
        catalogue.water(),
        medium.temperature,
        1e-2 * cells,
        vesicle_fluid.vesicle_phases(catalogue),
    )


def add_shedding(parts: DishMinerals) -> None:
    """Add what shed vesicles do, and count the calcium that is shed; after every process of the cells."""
    network = parts.vesicles.network
    shed = matrix_vesicles.shed_calcium(network)
    network.state("medium.shed", "medium", scale=parts.vesicles.size)
    matrix_vesicles.add(parts.vesicles)
    network.process("medium.shed.count", {"medium.shed": 1.0}, shed, "calcium shed so far", matrix_vesicles.ID)
