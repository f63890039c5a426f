"""Ceilings on minerals: what the ions at hand could make of apatite, against what a layer over a surface needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanotrial.budgets.line import Budget
from nanotrial.study.minerals import USUAL_STAIN

if TYPE_CHECKING:
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.places import BuiltArm

APATITE = "hydroxyapatite"
LAYER = 100e-9
DAY = 86400.0
FEMTO = 1e-15
AVOGADRO = 6.02214076e23


def tube_minerals(built: BuiltArm, fresh: dict[str, float]) -> list[Budget]:
    """Return what fresh fluid could make of apatite, against what a layer over the surface in the tube needs.

    Arguments:
        built: the arm.
        fresh: amounts at the start (mol), by state.
    """
    subject, fluid = built.tube.subject, built.tube
    if APATITE not in fluid.phases:
        return []
    volume = subject.volume
    most = calcium_for_apatite(fresh["tube.calcium"] / volume, fresh["tube.phosphate"] / volume)
    if subject.surface is None:
        return [Budget("calcium that apatite could take", most, "mmol/L", meaning="until calcium or phosphate is gone")]
    need = layer_need(built.catalogue) * subject.surface.area / volume
    return [_against_layer("calcium that apatite could take", most, need, "mmol/L", "the surface")]


def dish_minerals(built: BuiltArm, fresh: dict[str, float], cells: float) -> list[Budget]:
    """Return per seeded cell what the medium could make of apatite and what groups of inducers hold at most.

    Arguments:
        built: the arm.
        fresh: amounts at the start (mol), by state.
        cells: seeded cells.
    """
    dish = built.dish
    assert dish is not None
    if dish.minerals is None:
        return []
    need = layer_need(built.catalogue) * dish.line.membrane_area.si / FEMTO
    most = calcium_for_apatite(fresh["medium.calcium"], fresh["medium.phosphate"]) / cells / FEMTO
    rows = [_against_layer("calcium of the medium that apatite could take, per cell", most, need, "fmol", "a cell")]
    rows.append(_stain_line(built, cells))
    for name in dish.minerals.inducers:
        sheet = built.catalogue.load("inducers", name)
        groups = sum(g.per_molecule.si for g in sheet.groups)
        molecules = dish.line.membrane_area.si / sheet.area_per_molecule.si / AVOGADRO
        text = f"calcium that groups of {name} hold at most, per cell"
        rows.append(_against_layer(text, groups * molecules / FEMTO, need, "fmol", "a cell"))
    return rows


def _stain_line(built: BuiltArm, cells: float) -> Budget:
    """Return what a cell can shed in vesicles in a day, at their highest rate, against what stains its share."""
    dish = built.dish
    assert dish is not None
    membrane = dish.cells[0].calcium.sheet.membrane
    shed = membrane.exocytosis_rate.si * dish.line.volume.si * DAY / FEMTO
    stain = built.catalogue.load("stains", USUAL_STAIN)
    need = stain.visible_amount.si * dish.subject.area / cells / FEMTO
    meaning = f"{stain.name} shows the share of the bottom of one cell from {need:.3g} fmol on: {shed / need:.2g} of it"
    return Budget("calcium that a cell can shed in a day at most", shed, "fmol", need, meaning, shed < need)


def calcium_for_apatite(calcium: float, phosphate: float) -> float:
    """Return the calcium that apatite could take of what is there: min(Ca, 5/3 P), in the unit of both."""
    return min(calcium, phosphate * 5.0 / 3.0)


def layer_need(catalogue: Catalogue) -> float:
    """Return the calcium in a shut layer of apatite of 100 nm (mol/m^2)."""
    phase = catalogue.load("phases", APATITE)
    return float(LAYER * phase.density.si / phase.molar_mass.si * phase.products["calcium"])


def _against_layer(name: str, value: float, need: float, unit: str, what: str) -> Budget:
    times = value / need if need else math.inf
    meaning = f"a shut layer of apatite of 100 nm over {what} needs {need:.3g} {unit}: {times:.2g} times over"
    return Budget(name, value, unit, need, meaning, value < need)
