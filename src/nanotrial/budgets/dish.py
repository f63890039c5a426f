"""Ceilings in a dish: what reaches a cell against what a cell can buffer, clear, pump out and acidify."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.budgets.line import Budget
from nanotrial.budgets.minerals import dish_minerals
from nanotrial.budgets.radiation import dish_radiation
from nanotrial.particle.dissolution import protons_taken

if TYPE_CHECKING:
    from nanotrial.places import BuiltArm
    from nanotrial.places.dish_parts import Dish
    from nanotrial.solve.run import Runner

FEMTO = 1e-15
RISE = 1e-3  # one micromole per litre
HOUR, DAY = 3600.0, 86400.0


def dish_budgets(built: BuiltArm, runner: Runner) -> list[Budget]:
    """Return the budgets of an arm in a dish, per seeded cell (amounts in fmol), from central values.

    Arguments:
        built: the arm.
        runner: its compiled network, which gives the fresh medium.
    """
    dish = built.dish
    assert dish is not None
    c = runner.compiled
    p = built.prepare(c, c.parameters({n: q.value for n, q in built.network.parameters.items()}))
    fresh = dict(zip(c.species_names, np.asarray(c.initial(p).full()).ravel().tolist(), strict=True))
    cells = dish.subject.seeding_density * dish.subject.area
    volume = dish.subject.volume
    given = _given(built)
    rows = _delivered(dish, given, volume / cells)
    rows += _calcium(dish, given, fresh["medium.calcium"] / volume)
    rows += _peroxide(dish, given, cells)
    rows += _protons(dish, cells)
    return rows + dish_minerals(built, fresh, cells) + dish_radiation(built, cells)


def _given(built: BuiltArm) -> dict[str, float]:
    """Return moles per volume of medium (mol/m^3) that the additions can give of each solute, all dissolved."""
    dish = built.dish
    assert dish is not None
    given: dict[str, float] = {}
    for cohort in dish.medium.cohorts:
        for solute, count in cohort.material.products.items():
            given[solute] = given.get(solute, 0.0) + cohort.addition.amount * count
    for event in built.additions:
        if event.kind == "agent":
            for solute, count in dish.medium.agents[event.name].solutes.items():
                given[solute] = given.get(solute, 0.0) + event.amount * count
    return given


def _delivered(dish: Dish, given: dict[str, float], per_cell: float) -> list[Budget]:
    rows = []
    for solute, amount in given.items():
        text = f"{solute.replace('_', ' ')} given per cell"
        rows.append(Budget(text, amount * per_cell / FEMTO, "fmol", meaning="all of the load, if all dissolves"))
    if "hydrogen_peroxide" in given:
        most = given["hydrogen_peroxide"] / 2 * per_cell / FEMTO
        burnt = dish.line.oxygen_consumption.si * DAY / FEMTO
        text = "against what a cell burns in a day"
        rows.append(Budget("oxygen at most per cell, if all peroxide decays", most, "fmol", burnt, text))
    return rows


def _calcium(dish: Dish, given: dict[str, float], in_medium: float) -> list[Budget]:
    sheet, line = dish.cells[0].calcium.sheet, dish.line
    rest = line.resting_calcium.si
    half, sites = (v.si if v is not None else 1.0 for v in (sheet.cytosol_buffer_constant, sheet.cytosol_buffer))
    bound = sites * ((rest + RISE) / (half + rest + RISE) - rest / (half + rest))
    need = (RISE + bound) * line.volume.si / FEMTO
    rate = line.pmca_rate.si * line.volume.si / FEMTO
    rows = [
        Budget(
            "calcium that raises free calcium of a cell by 1 umol/L",
            need,
            "fmol",
            rate * HOUR,
            f"through the buffers (ratio {bound / RISE:.0f}); against what the membrane pump can clear in an hour",
        )
    ]
    if given.get("calcium"):
        rows.append(
            Budget(
                "calcium added over calcium of the medium",
                given["calcium"],
                "mmol/L",
                in_medium,
                f"the medium holds {in_medium:.3g} mmol/L before anything is added",
                given["calcium"] < in_medium,
            )
        )
    return rows


def _peroxide(dish: Dish, given: dict[str, float], cells: float) -> list[Budget]:
    if not given.get("hydrogen_peroxide"):
        return []
    line, redox, recipe = dish.line, dish.cells[0].redox, dish.recipe
    assert redox is not None
    part = redox.sheet.glutathione
    membrane = line.peroxide_permeability.si * line.membrane_area.si
    reductive = min(redox.sheet.thioredoxin_reductase_rate.si, part.nadph_supply.si) if part is not None else math.inf
    catalase = line.catalase_rate.si * line.volume.si
    removal = 1.0 / (1.0 / membrane + 1.0 / catalase) if catalase > 0 else 0.0
    volume = dish.subject.volume
    serum = recipe.serum_peroxide_decay.si * dish.subject.serum
    rate = removal * cells / volume + serum
    supply = given["hydrogen_peroxide"] / DAY
    steady = supply / rate if rate > 0 else math.inf
    return [
        Budget(
            "hydrogen peroxide if the load is given off evenly over a day",
            steady,
            "mmol/L",
            reductive / (membrane / line.volume.si),
            "against the level outside above which a cell takes up more than NADPH can reduce",
            steady < reductive / (membrane / line.volume.si),
        ),
        Budget(
            "hydrogen peroxide that cells with catalase and serum can clear in a day at 0.1 mmol/L",
            rate * 0.1 * DAY,
            "mmol/L",
            given["hydrogen_peroxide"],
            f"{removal * 1e15:.2g} pL/s per cell through membrane and catalase; against all that is given",
        ),
    ]


def _protons(dish: Dish, cells: float) -> list[Budget]:
    if not dish.medium.cohorts:
        return []
    sheet = dish.cells[0].vesicles
    assert sheet is not None
    volume = dish.line.volume.si * sheet.sheet.lysosome_volume_share.si
    pumped = sheet.sheet.pump_rate.si * volume * DAY / FEMTO
    components, per_cell = dish.medium.solution.components, dish.subject.volume / cells / FEMTO
    loads = [(c.addition.amount * per_cell, protons_taken(c.material, components)) for c in dish.medium.cohorts]
    need, core = sum(amount * taken for amount, taken in loads), sum(amount for amount, _ in loads)
    if need <= 0:  # cores that stay as they are take no protons
        return []
    enough = core * min(pumped / need, 1.0)
    text = f"enough for {enough:.3g} fmol of core; against all of the load per cell"
    return [Budget("protons that the lysosomes of a cell pump in a day", pumped, "fmol", need, text, pumped < need)]
