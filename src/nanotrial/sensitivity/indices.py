"""Sensitivity indices of a function on the unit cube, through SALib.

    mu* = mean |d|,  sigma = sd(d),  d = (f(x + step e_i) - f(x)) / step              (elementary effects, morris_1991)
    S1_i = Var(E(f | x_i)) / Var(f),   ST_i = E(Var(f | all but x_i)) / Var(f)        (saltelli_2010)

Inputs are independent and uniform on (0, 1); what they mean is the function's affair. A run that failed is NaN: the
whole trajectory or Saltelli block it belongs to is dropped and counted, since the estimators need every row.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError, SolveError
from nanotrial.sampling.designs import balance_note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Model = Callable[[Vector], Vector]

# Screening leaves out the outer tails: unbounded spreads have no ends to step to.
SCREENED = (0.025, 0.975)
LEVELS = 4
EDGE = 1e-9
RESAMPLES = 200


@dataclass(frozen=True)
class MorrisIndices:
    """Elementary effects over the central 95 % of every input, in the unit of the function; rows as ``names``."""

    names: tuple[str, ...]
    mu_star: Vector
    mu_star_interval: Vector
    mu: Vector
    sigma: Vector
    runs: int
    failed: int
    dropped: int

    def strongest(self, count: int) -> list[int]:
        """Return the places of the strongest inputs by mu*, strongest first; equals in the order of names."""
        return [int(i) for i in np.argsort(-self.mu_star, kind="stable")[:count]]


@dataclass(frozen=True)
class SobolIndices:
    """First and total order indices with the half-widths of their intervals; NaN where nothing varies.

    ``mean`` and ``variance`` are those of the function over the independent rows of the blocks that were kept.
    """

    names: tuple[str, ...]
    first: Vector
    first_interval: Vector
    total: Vector
    total_interval: Vector
    mean: float
    variance: float
    level: float
    runs: int
    failed: int
    dropped: int
    notes: tuple[str, ...] = ()


def morris_indices(model: Model, names: Sequence[str], trajectories: int = 8, seed: int = 1) -> MorrisIndices:
    """Return elementary effects: trajectories * (inputs + 1) runs.

    Arguments:
        model: values of shape (rows,) from points of shape (rows, inputs) in the unit cube; NaN where a run failed.
        names: of the inputs.
        trajectories: walks through the cube, at least two.
        seed: of the sample and of the intervals.

    Raises:
        InputError: no input or fewer than two trajectories.
        SolveError: fewer than two trajectories in which every run succeeded.
    """
    from SALib.analyze import morris as analysis
    from SALib.sample import morris as sample

    _check(names, trajectories, "trajectories", seed)
    problem = _problem(names, SCREENED)
    points = sample.sample(problem, trajectories, num_levels=LEVELS, seed=seed + 1)
    values, failed = _run(model, points)
    kept, dropped = _whole_blocks(values, len(names) + 1)
    if kept.sum() < 2 * (len(names) + 1):
        raise SolveError(f"screening: {failed} of {len(points)} runs failed, no two trajectories are whole")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = analysis.analyze(problem, points[kept], values[kept], num_levels=LEVELS, seed=seed + 1)
    column = {k: np.asarray(found[k], dtype=np.float64) for k in ("mu_star", "mu_star_conf", "mu", "sigma")}
    return MorrisIndices(
        tuple(names),
        column["mu_star"],
        column["mu_star_conf"],
        column["mu"],
        column["sigma"],
        len(points),
        failed,
        dropped,
    )


def sobol_indices(
    model: Model, names: Sequence[str], base: int = 64, seed: int = 1, level: float = 0.95
) -> SobolIndices:
    """Return first and total order indices: base * (inputs + 2) runs.

    Arguments:
        model: values of shape (rows,) from points of shape (rows, inputs) in the unit cube; NaN where a run failed.
        names: of the inputs.
        base: Saltelli blocks, best a power of two.
        seed: of the sample and of the intervals.
        level: of the intervals.

    Raises:
        InputError: no input, fewer than two blocks, a level outside 0 to 1.
        SolveError: fewer than two blocks in which every run succeeded.
    """
    from SALib.analyze import sobol as analysis

    _check(names, base, "base", seed)
    if not 0.0 < level < 1.0:
        raise InputError("level", f"{level}", "a number between 0 and 1")
    points = saltelli_points(names, base, seed)
    values, failed = _run(model, points)
    kept, dropped = _whole_blocks(values, len(names) + 2)
    good = values[kept]
    if len(good) < 2 * (len(names) + 2):
        raise SolveError(f"indices: {failed} of {len(points)} runs failed, no two blocks are whole")
    notes = [balance_note("sobol", base)] if base & (base - 1) else []
    ends = np.concatenate([good[:: len(names) + 2], good[len(names) + 1 :: len(names) + 2]])
    mean, variance = float(ends.mean()), float(ends.var(ddof=1))
    if float(good.std()) <= 1e-12 * abs(mean):
        empty = np.full(len(names), np.nan)
        notes.append("the measure does not vary: it has no indices")
        columns = dict.fromkeys(("S1", "S1_conf", "ST", "ST_conf"), empty)
    else:
        found = analysis.analyze(
            _problem(names, (0.0, 1.0)),
            good,
            calc_second_order=False,
            num_resamples=RESAMPLES,
            conf_level=level,
            seed=seed + 1,
        )
        columns = {k: np.asarray(found[k], dtype=np.float64) for k in ("S1", "S1_conf", "ST", "ST_conf")}
    return SobolIndices(
        tuple(names),
        columns["S1"],
        columns["S1_conf"],
        columns["ST"],
        columns["ST_conf"],
        mean,
        variance,
        level,
        len(points),
        failed,
        dropped,
        tuple(notes),
    )


def saltelli_points(names: Sequence[str], base: int, seed: int) -> Vector:
    """Return the Saltelli sample of shape (base * (inputs + 2), inputs): blocks of A, A with one column of B, B."""
    from SALib.sample import sobol as sample

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The balance properties of Sobol' points", UserWarning)
        points = sample.sample(_problem(names, (0.0, 1.0)), base, calc_second_order=False, seed=seed + 1)
    return np.clip(np.asarray(points, dtype=np.float64), EDGE, 1.0 - EDGE)


def _check(names: Sequence[str], number: int, what: str, seed: int) -> None:
    if not names:
        raise InputError("inputs", "no input that varies", "at least one parameter with a spread")
    if number < 2:
        raise InputError(what, f"{number}", "a whole number from 2")
    if seed < 0:
        raise InputError("seed", f"{seed}", "a whole number from 0")


def _problem(names: Sequence[str], ends: tuple[float, float]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [list(ends)] * len(names)}


def _run(model: Model, points: Vector) -> tuple[Vector, int]:
    values = np.asarray(model(points), dtype=np.float64)
    if values.shape != (len(points),):
        raise InputError("model", f"values of shape {values.shape}", f"({len(points)},)")
    return values, int(np.sum(~np.isfinite(values)))


def _whole_blocks(values: Vector, rows: int) -> tuple[NDArray[np.bool_], int]:
    """Return which rows belong to blocks without a failed run, and how many blocks are dropped."""
    whole = np.isfinite(values).reshape(-1, rows).all(axis=1)
    return np.repeat(whole, rows), int(np.sum(~whole))
