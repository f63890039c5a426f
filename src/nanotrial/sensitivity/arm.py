"""Sensitivity of one measure of one arm at one time: screen all inputs, then share variance among the strongest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import InputError, SolveError, StudyError, nearest
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm
from nanotrial.sampling.designs import probabilities
from nanotrial.sensitivity.indices import (
    MorrisIndices,
    SobolIndices,
    morris_indices,
    saltelli_points,
    sobol_indices,
)
from nanotrial.sensitivity.inputs import Input, changes_of, inputs_of_arm
from nanotrial.units import display

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.places import BuiltArm
    from nanotrial.study import Measure, Study

    Vector = NDArray[np.float64]

METHODS = ("morris", "sobol", "both")
# Runs between two words of progress.
STEP = 32
# Largest difference (s) between a time that is asked for and one of the measure.
SAME_TIME = 1e-3
CENTRE = 0.5


@dataclass
class ArmModel:
    """A measure of an arm at a time as a function on the unit cube of its inputs; NaN where a run failed.

    ``reasons`` keeps the first reason of a failed run of each wording; ``done`` is called with a line of progress.
    """

    player: Player
    built: BuiltArm
    inputs: tuple[Input, ...]
    measure: str
    time: float
    done: Callable[[str], None]
    stage: str = ""
    reasons: tuple[str, ...] = ()

    def __call__(self, points: Vector) -> Vector:
        """Return SI values of the measure, shape (rows,), for points of shape (rows, inputs)."""
        parameters = self.built.network.parameters
        values = np.full(len(points), np.nan)
        for first in range(0, len(points), STEP):
            part = points[first : first + STEP]
            changes = changes_of(self.inputs, part, parameters)
            table = self.player.play_members(self.built, [self.time], changes, len(part))
            values[first : first + STEP] = table.values[self.measure][:, 0]
            self.reasons = tuple(dict.fromkeys([*self.reasons, *table.reasons.values()]))
            self.done(f"{self.stage}: {first + len(part)} of {len(points)} runs")
        return values


@dataclass(frozen=True)
class Sensitivity:
    """What a measure depends on; ``kept`` are the inputs of ``sobol``, ``explained`` their share of all variance.

    ``central`` is the value at the centre of all spreads. Everything in SI.
    """

    inputs: tuple[Input, ...]
    central: float
    morris: MorrisIndices | None
    sobol: SobolIndices | None
    kept: tuple[int, ...]
    explained: float
    variance: float
    runs: int
    failed: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def examine_arm(
    study: Study,
    arm: str,
    measure: str,
    time: float,
    method: str = "both",
    base: int = 64,
    trajectories: int = 8,
    keep: int = 12,
    seed: int = 1,
    overlay: Overlay | None = None,
    progress: Callable[[str], None] | None = None,
) -> Sensitivity:
    """Return which inputs a measure of an arm depends on.

    Sobol indices are those of the ``keep`` strongest inputs by mu*, the others at the centre of their spreads; where no
    more than ``keep`` vary there is nothing to screen.

    Arguments:
        study: the study.
        arm: name of one of its arms.
        measure: name of one of its measures.
        time: one of the times of the measure (s).
        method: one of ``METHODS``; ``sobol`` screens too where it must.
        base: Saltelli blocks.
        trajectories: of the screening.
        keep: inputs that go into the Sobol indices.
        seed: of all samples.
        overlay: fits in force; by default those the study names.
        progress: called with a line now and then.

    Raises:
        StudyError: no such arm, measure or time, or an arm that does not show the measure.
        InputError: an unknown method or a number too small.
        SolveError: the arm does not run at the centre of its spreads, or too many runs failed.
    """
    if method not in METHODS:
        raise InputError("method", f"`{method}`", "morris, sobol or both", nearest(method, METHODS))
    if keep < 1:
        raise InputError("keep", f"{keep}", "a whole number from 1")
    model = _model_of(study, arm, measure, time, overlay, progress or (lambda line: None))
    return screen_and_share(model, method, base, trajectories, keep, seed)


def screen_and_share(model: ArmModel, method: str, base: int, trajectories: int, keep: int, seed: int) -> Sensitivity:
    """Return the screening of a model and the shares of its strongest inputs; arguments as in ``examine_arm``."""
    central = model.player.play(model.built, [model.time])[model.measure][0]
    names = [one.name for one in model.inputs]
    kept = tuple(range(len(names)))
    screening, sobol, variance, rest = None, None, float("nan"), (0, 0)
    if method != "sobol" or len(names) > keep:
        model.stage = "screening"
        screening = morris_indices(model, names, trajectories, seed)
        kept = tuple(screening.strongest(keep))
    if method != "morris":
        model.stage = "indices"
        held = partial(_around_centre, kept=kept, count=len(names))
        sobol = sobol_indices(lambda points: model(held(points)), [names[i] for i in kept], base, seed)
        variance = sobol.variance
        if len(kept) < len(names):
            variance, rest = _whole_variance(model, kept, base, seed)
    done = [one for one in (screening, sobol) if one is not None]
    return Sensitivity(
        model.inputs,
        float(central),
        screening,
        sobol,
        kept,
        sobol.variance / variance if sobol is not None and variance > 0 else float("nan"),
        variance,
        sum(one.runs for one in done) + rest[0],
        sum(one.failed for one in done) + rest[1],
        model.reasons,
        sobol.notes if sobol is not None else (),
    )


def _model_of(
    study: Study, arm: str, measure: str, time: float, overlay: Overlay | None, done: Callable[[str], None]
) -> ArmModel:
    chosen = study.arm(arm)
    asked = _time_of(study, study.measure(measure), time)
    fits = overlay if overlay is not None else Overlay.of_study(study)
    built = build_arm(study, chosen, fits)
    if measure not in built.network.observables:
        known = [m.name for m in study.measures if m.name in built.network.observables]
        raise StudyError(
            f"{study.path.name}: arm `{arm}`",
            f"`{measure}`, which it does not show",
            "a measure that this arm shows",
            nearest(measure, known),
        )
    variability = study.catalogue.load("variability", study.place)
    inputs = inputs_of_arm(built.network.parameters, fits, variability)
    return ArmModel(Player(), built, inputs, measure, asked, done)


def _time_of(study: Study, measure: Measure, time: float) -> float:
    near = min(measure.times, key=lambda t: abs(t - time))
    if abs(near - time) <= SAME_TIME:
        return near
    shown = [display(t, "h", 4) for t in measure.times]
    listed = ", ".join(shown if len(shown) <= 12 else [*shown[:8], "...", *shown[-2:]])
    raise StudyError(
        f"{study.path.name}: measure.{measure.name}", f"no reading at {display(time, 'h', 4)}", f"one of {listed}"
    )


def _around_centre(points: Vector, kept: tuple[int, ...], count: int) -> Vector:
    """Return points of the whole cube: those of the kept inputs, the others at the centre of their spreads."""
    whole = np.full((len(points), count), CENTRE)
    whole[:, list(kept)] = points
    return whole


def _whole_variance(model: ArmModel, kept: tuple[int, ...], base: int, seed: int) -> tuple[float, tuple[int, int]]:
    """Return the variance where everything varies, and (runs, failed); kept inputs are those of the blocks' ends."""
    model.stage = "all inputs"
    count = len(model.inputs)
    points = saltelli_points([model.inputs[i].name for i in kept], base, seed)
    rows = len(kept) + 2
    ends = np.concatenate([points[::rows], points[rows - 1 :: rows]])
    drawn = probabilities("latin_hypercube", [str(i) for i in range(count)], len(ends), 0, len(ends), seed)
    whole = np.column_stack([drawn[str(i)] for i in range(count)])
    whole[:, list(kept)] = ends
    values = model(whole)
    good = values[np.isfinite(values)]
    if len(good) < 2:
        raise SolveError(f"all inputs: {len(values) - len(good)} of {len(values)} runs failed")
    return float(good.var(ddof=1)), (len(values), len(values) - len(good))
