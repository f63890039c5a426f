"""Arms against their control, as the statistics of the experiment would come out: by world, then over worlds.

In every world each arm has its subjects, whose readings carry noise. Welch's test against the control and an analysis
of variance over all arms are made in each world; what is told is the median of p over worlds and the share of worlds in
which p lies below the level: the power of this cohort, with all that is unknown. Not adjusted for the number of arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.statistics.power import assurance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.sampling import Noise

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ArmStatistics:
    """One arm at one time, SI: ``n`` subjects; mean, SD and SEM of readings over worlds; test against the control.

    ``p`` is the median over worlds, ``power`` the share of worlds with p below the level, between ``power_low`` and
    ``power_high`` (Wilson); NaN for the control itself. ``failed`` counts subjects of all worlds.
    """

    arm: str
    n: int
    failed: int
    mean: float
    sd: float
    sem: float
    difference: float
    p: float
    power: float
    power_low: float
    power_high: float


@dataclass(frozen=True)
class Comparison:
    """All arms of a measure at a time (s) against a control; ``p_of_all``: median p of the analysis of variance."""

    measure: str
    time: float
    control: str
    alpha: float
    worlds: int
    p_of_all: float
    arms: tuple[ArmStatistics, ...]


def compare_arms(
    measure: str,
    time: float,
    names: Sequence[str],
    values: Vector,
    noise: Noise,
    control: str,
    alpha: float,
    seed: int,
) -> Comparison:
    """Return the statistics of a measure.

    Arguments:
        measure: its name.
        time: instant (s).
        names: arms.
        values: SI, shape (worlds, arms, subjects); NaN where a member failed.
        noise: of a reading.
        control: one of the arms.
        alpha: level of the tests, between 0 and 1.
        seed: of the run; the noise of readings has a stream of its own under it.
    """
    readings = noisy_readings(measure, names, values, noise, seed)
    worlds, _, subjects = readings.shape
    place = list(names).index(control)
    n = np.sum(np.isfinite(readings), axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nansum(readings, axis=2) / n
        sds = np.sqrt(np.nansum((readings - means[:, :, None]) ** 2, axis=2) / np.where(n > 1, n - 1, np.nan))
    p = _welch(means, sds, n, place)
    power = {a.second if a.first == place else a.first: a for a in assurance(readings, place, alpha)}
    rows = []
    for i, name in enumerate(names):
        sd = _root_mean_square(sds[:, i])
        found = power.get(i)
        rows.append(
            ArmStatistics(
                name,
                subjects,
                int(worlds * subjects - n[:, i].sum()),
                _mean(means[:, i]),
                sd,
                sd / float(np.sqrt(subjects)),
                0.0 if i == place else _mean(means[:, i] - means[:, place]),
                float("nan") if found is None else _median(p[:, i]),
                *((float("nan"),) * 3 if found is None else (found.share, found.low, found.high)),
            )
        )
    return Comparison(measure, time, control, alpha, worlds, _anova(readings, means, n), tuple(rows))


def noisy_readings(measure: str, names: Sequence[str], values: Vector, noise: Noise, seed: int) -> Vector:
    """Return one reading of each subject, SI, of the shape of ``values``.

    Each subject of each arm has a stream of its own under the seed: neither the arms beside it, their order nor more
    subjects or worlds change what is read of it.

    Arguments:
        measure: its name.
        names: arms.
        values: true values, SI, shape (worlds, arms, subjects); NaN where a member failed.
        noise: of a reading.
        seed: of the run.
    """
    readings = np.empty(values.shape)
    for i, name in enumerate(names):
        for k in range(values.shape[2]):
            stream = np.random.default_rng([seed, *f"reading of {measure}: {name}: {k}".encode()])
            readings[:, i, k] = noise.add(values[:, i, k], stream)
    return readings


def _welch(means: Vector, sds: Vector, n: NDArray[np.int64], place: int) -> Vector:
    """Return p of Welch's test of each arm against the control, shape (worlds, arms)."""
    from scipy import special

    with np.errstate(invalid="ignore", divide="ignore"):
        part = sds**2 / n
        both = part + part[:, [place]]
        t = (means - means[:, [place]]) / np.sqrt(both)
        freedom = both**2 / (part**2 / (n - 1) + part[:, [place]] ** 2 / (n[:, [place]] - 1))
        return np.asarray(2.0 * special.stdtr(freedom, -np.abs(t)))


def _anova(readings: Vector, means: Vector, n: NDArray[np.int64]) -> float:
    """Return the median over worlds of p of a one-way analysis of variance; NaN with fewer than two arms."""
    from scipy import special

    some = n > 1
    k, total = some.sum(axis=1), np.where(some, n, 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = np.where(some, means, 0.0)
        whole = (kept * n).sum(axis=1) / total
        across = (np.where(some, n * (means - whole[:, None]) ** 2, 0.0)).sum(axis=1) / (k - 1)
        spread = np.nansum(np.where(some[:, :, None], (readings - means[:, :, None]) ** 2, 0.0), axis=(1, 2))
        p = special.fdtrc(k - 1, total - k, across / (spread / (total - k)))
    return _median(p)


def _mean(values: Vector) -> float:
    good = values[np.isfinite(values)]
    return float(good.mean()) if len(good) else float("nan")


def _median(values: Vector) -> float:
    good = values[np.isfinite(values)]
    return float(np.median(good)) if len(good) else float("nan")


def _root_mean_square(values: Vector) -> float:
    good = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(good**2))) if len(good) else float("nan")
