"""Ceilings in a tube: what the load can give, what it needs, where stoichiometry ends. Rates play no part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nanotrial.budgets.line import Budget
from nanotrial.budgets.minerals import tube_minerals
from nanotrial.budgets.radiation import tube_radiation
from nanotrial.errors import SolveError
from nanotrial.particle.dissolution import protons_taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.places import BuiltArm, Cohort
    from nanotrial.solve.run import Runner


# A buffer counts as spent one unit above blood; beyond it only water gives protons.
SPENT_PH = 8.4


def tube_budgets(built: BuiltArm, runner: Runner) -> list[Budget]:
    """Return the budgets of an arm in a tube.

    Arguments:
        built: the arm.
        runner: its compiled network, which gives pH at any composition.
    """
    cohorts, irradiated = built.tube.cohorts, tube_radiation(built)
    if not cohorts and not built.tube.phases:
        return irradiated
    c = runner.compiled
    values = {name: p.value for name, p in built.network.parameters.items()}
    p = built.prepare(c, c.parameters(values))
    fresh = np.asarray(c.initial(p).full()).ravel()
    minerals = tube_minerals(built, dict(zip(c.species_names, fresh.tolist(), strict=True)))
    if not cohorts:
        return minerals + irradiated
    rows = minerals + _yields(cohorts)
    need = sum(
        cohort.addition.amount * protons_taken(cohort.material, built.tube.solution.components) for cohort in cohorts
    )
    supply = _proton_supply(built, runner, p, SPENT_PH)
    share = supply / need if need else float("inf")
    rows.append(
        Budget(
            "protons needed for all of it",
            need,
            "mmol/L",
            supply,
            f"buffer, salts and water give {supply:.3g} mmol/L up to pH {SPENT_PH:g}, "
            f"enough for {100 * min(share, 1):.3g} % of the load in acid",
            need > supply,
        )
    )
    return rows + _end_points(built, runner, p, fresh) + irradiated


def _yields(cohorts: list[Cohort]) -> list[Budget]:
    rows: list[Budget] = []
    given: dict[str, float] = {}
    for cohort in cohorts:
        for solute, count in cohort.material.products.items():
            given[solute] = given.get(solute, 0.0) + cohort.addition.amount * count
    for solute, amount in given.items():
        rows.append(Budget(f"{solute.replace('_', ' ')} in the load", amount, "mmol/L", meaning="if all dissolves"))
    if "hydrogen_peroxide" in given:
        tops = [(c.addition.amount, c.material.peroxide.acid_yield.si) for c in cohorts if c.material.peroxide]
        best = sum(a * y for a, y in tops)
        rows.append(
            Budget(
                "hydrogen peroxide at best",
                best,
                "mmol/L",
                given["hydrogen_peroxide"],
                "the yield in acid; the rest is oxygen",
            )
        )
        rows.append(
            Budget("oxygen at most", given["hydrogen_peroxide"] / 2, "mmol/L", meaning="if all peroxide decays")
        )
    return rows


def _state_index(built: BuiltArm, name: str) -> int:
    return list(built.network.species).index(name)


def _proton_supply(built: BuiltArm, runner: Runner, p: NDArray[np.float64], ph: float) -> float:
    """Return the strong base (mol/m^3) that would bring the fresh buffer to a pH, by Newton on its start value."""
    c, nominal = runner.compiled, built.tube.subject.ph
    if ph <= nominal:
        return 0.0
    place = c.parameter_index("tube.strong_charge.start")
    try:
        moved = c.titrate(p, place, "tube.ph", ph, built.guesses)
    except SolveError:
        return float("nan")
    return float(moved[place] - p[place])


def _end_points(built: BuiltArm, runner: Runner, p: NDArray[np.float64], fresh: NDArray[np.float64]) -> list[Budget]:
    """Return the pH with all of the load dissolved, and the saturation there."""
    c = runner.compiled
    amounts = fresh.copy()
    volume = built.network.parameters["tube.volume"].value
    for cohort in built.tube.cohorts:
        for solute, count in cohort.material.products.items():
            amounts[_state_index(built, f"tube.{solute}")] += cohort.addition.amount * count * volume
    try:
        z = c.solve_equilibria(amounts, p, built.guesses)
    except SolveError:
        return [Budget("pH if all dissolves", float("nan"), "1", meaning="no equilibrium found")]
    y = np.concatenate([amounts / c.scales, z])
    seen = dict(zip(c.observable_names, np.asarray(c.observe(0.0, y, p).full()).ravel(), strict=True))
    rows = [
        Budget(
            "pH if all dissolves",
            float(seen["ph"]),
            "1",
            built.tube.subject.ph,
            "from stoichiometry, before gas exchange and minerals",
        )
    ]
    for identifier, phase in built.tube.phases.items():
        ratio = float(seen[f"{identifier}.saturation_ratio"])
        rows.append(
            Budget(
                f"{phase.name} saturation if all dissolves",
                ratio,
                "1",
                1.0,
                "ion product over its constant; above 1 it caps the dissolved metal",
                ratio > 1.0,
            )
        )
    return rows
