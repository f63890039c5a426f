"""Three kinds of spread told apart: what is unknown, what differs between subjects, what a reading adds.

    y(world, subject) = mean + u(world) + b(world, subject),   reading = y + e

One-way random effects, by mean squares over k worlds of n_i subjects, N in all:

    var(b) = MS_within,   var(u) = (MS_between - MS_within) / n0,   n0 = (N - sum n_i^2 / N) / (k - 1)

var(e) is the mean of the variance of readings. The estimates are unbiased (searle_1992); a negative var(u) is set to
zero and told. Validity: effects that add; bands of a reading take the members as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.sampling.noise import Noise

    Vector = NDArray[np.float64]

# Halvings of the interval in which a quantile lies: to a part in 2^60 of the span.
HALVINGS = 60
WORDS = {
    "one": "no world has two subjects that succeeded: what is unknown and what differs between subjects look alike",
    "worlds": "fewer than two worlds succeeded: what is unknown does not show",
    "still": "nothing varies",
}


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of one reading, each of the shape of a member's value; NaN where ``reasons`` says why.

    ``variances`` has keys ``unknown``, ``between`` and ``noise`` in squared SI; ``lowered`` marks where a negative
    estimate of ``unknown`` became zero; ``worlds`` and ``subjects`` count what succeeded, ``failed`` what did not.
    """

    unknown: Vector
    between: Vector
    noise: Vector
    variances: dict[str, Vector]
    lowered: NDArray[np.bool_]
    worlds: NDArray[np.int64]
    subjects: NDArray[np.int64]
    failed: NDArray[np.int64]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Bands:
    """Central bands at a level: of the mean over subjects (what is unknown alone), and of one reading (everything)."""

    level: float
    mean_low: Vector
    mean_high: Vector
    reading_low: Vector
    reading_high: Vector


def variance_shares(values: Vector, noise_sd: Vector | float = 0.0) -> VarianceShares:
    """Return which share of the variance of a reading comes from what.

    Arguments:
        values: true values (SI) of shape (worlds, subjects, ...); NaN where a member failed.
        noise_sd: standard deviation of a reading (SI): one number, or an array of the shape of ``values``.

    Raises:
        InputError: fewer than two axes, or a standard deviation of another shape.
    """
    true, noise = _checked(values, noise_sd)
    good = np.isfinite(true)
    squares = _mean_squares(true, good)
    failed = np.sum(~good, axis=(0, 1))
    count = np.maximum(np.sum(good, axis=(0, 1)), 1)
    read = np.where(
        failed == true.shape[0] * true.shape[1], np.nan, np.sum(np.where(good, noise**2, 0), (0, 1)) / count
    )
    between, raw = squares["within"], squares["unknown"]
    lowered = raw < 0
    unknown = np.where(lowered, 0.0, raw)
    # Subjects that cannot be told from worlds still have a spread, of which noise is a share.
    both = np.where(np.isnan(between), squares["all"], unknown + between)
    total = both + read
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {k: np.where(total > 0, v / total, np.nan) for k, v in (("u", unknown), ("b", between), ("n", read))}
    reasons = (
        *([WORDS["worlds"]] if np.any(squares["worlds"] < 2) else []),
        *([WORDS["one"]] if np.any(np.isnan(between) & (squares["worlds"] > 0)) else []),
        *([WORDS["still"]] if np.any(total == 0) else []),
    )
    return VarianceShares(
        shares["u"],
        shares["b"],
        shares["n"],
        {"unknown": unknown, "between": between, "noise": read},
        lowered,
        squares["worlds"].astype(np.int64),
        np.sum(good, axis=(0, 1)),
        failed,
        reasons,
    )


def bands(values: Vector, noise: Noise | None = None, level: float = 0.9, typical: Vector | None = None) -> Bands:
    """Return the central band of the mean over subjects and that of one reading.

    The first is over ``typical`` where it is given; else over the means of worlds, drawn together by the share of
    their spread that a finite number of subjects puts there.

    Arguments:
        values: true values (SI) of shape (worlds, subjects, ...); NaN where a member failed.
        noise: of the reading; None for the true values alone.
        level: share of the members inside, between 0 and 1.
        typical: values without factors of subjects, of shape (worlds, ...).

    Raises:
        InputError: wrong shapes, or a level outside 0 to 1.
    """
    if not 0.0 < level < 1.0:
        raise InputError("level", f"{level}", "a number between 0 and 1")
    true, _ = _checked(values, 0.0)
    means = _drawn_together(true) if typical is None else np.asarray(typical, dtype=np.float64)
    if means.shape != (true.shape[0], *true.shape[2:]):
        raise InputError("typical", f"shape {means.shape}", f"{(true.shape[0], *true.shape[2:])}")
    rows = true.reshape(-1, *true.shape[2:])
    sd = np.zeros_like(rows) if noise is None else noise.sd(rows)
    low, high = 0.5 - level / 2, 0.5 + level / 2
    sharp = np.zeros_like(means)
    return Bands(
        level,
        _quantile(means, sharp, low),
        _quantile(means, sharp, high),
        _quantile(rows, sd, low),
        _quantile(rows, sd, high),
    )


def _checked(values: Vector, noise_sd: Vector | float) -> tuple[Vector, Vector]:
    true = np.asarray(values, dtype=np.float64)
    if true.ndim < 2 or not true.shape[0] or not true.shape[1]:
        raise InputError("values", f"shape {true.shape}", "(worlds, subjects, ...)")
    noise = np.asarray(noise_sd, dtype=np.float64)
    if noise.ndim and noise.shape != true.shape:
        raise InputError("noise_sd", f"shape {noise.shape}", f"one number or {true.shape}")
    return true, np.broadcast_to(noise, true.shape)


def _mean_squares(true: Vector, good: NDArray[np.bool_]) -> dict[str, Vector]:
    """Return variance within worlds, of worlds (may be negative), of all members, and how many worlds succeeded."""
    filled = np.where(good, true, 0.0)
    n = np.sum(good, axis=1).astype(np.float64)
    total, k = np.sum(n, axis=0), np.sum(n > 0, axis=0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.sum(filled, axis=1) / n
        whole = np.sum(filled, axis=(0, 1)) / total
        inside = np.sum(np.where(good, true - means[:, None], 0.0) ** 2, axis=(0, 1))
        across = np.sum(np.where(n > 0, n * (means - whole) ** 2, 0.0), axis=0)
        within = np.where(total > k, inside / (total - k), np.nan)
        size = (total - np.sum(n**2, axis=0) / total) / (k - 1)
        unknown = np.where(k > 1, (across / (k - 1) - within) / size, np.nan)
        spread = np.where(total > 1, (inside + across) / (total - 1), np.nan)
    return {"within": within, "unknown": unknown, "all": spread, "worlds": k}


def _drawn_together(true: Vector) -> Vector:
    """Return means of worlds whose spread is that of what is unknown alone."""
    good = np.isfinite(true)
    squares = _mean_squares(true, good)
    n = np.sum(good, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.sum(np.where(good, true, 0.0), axis=1) / n
        unknown = np.maximum(np.nan_to_num(squares["unknown"]), 0.0)
        own = np.nan_to_num(squares["within"]) / n
        shrink = np.where(unknown + own > 0, np.sqrt(unknown / (unknown + own)), 1.0)
        middle = np.nansum(np.where(n > 0, means, 0.0), axis=0) / np.maximum(np.sum(n > 0, axis=0), 1)
    alone = np.isnan(squares["within"])
    return np.asarray(np.where(n > 0, middle + np.where(alone, 1.0, shrink) * (means - middle), np.nan))


def _quantile(centres: Vector, sd: Vector, probability: float) -> Vector:
    """Return the quantile of an even mixture of normals over the first axis; NaN rows are left out."""
    from scipy import special

    good = np.isfinite(centres)
    if not np.any(sd > 0):
        return _plain_quantile(centres, good, probability)
    reach = np.where(good, 9.0 * sd, 0.0)
    low = np.min(np.where(good, centres - reach, np.inf), axis=0)
    high = np.max(np.where(good, centres + reach, -np.inf), axis=0)
    count = np.sum(good, axis=0)
    safe = np.where(good & (sd > 0), sd, 1.0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        with np.errstate(invalid="ignore"):
            smooth = np.where(sd > 0, special.ndtr((middle - centres) / safe), centres <= middle)
            below = np.sum(np.where(good, smooth, 0.0), axis=0) < probability * count
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.where(count > 0, 0.5 * (low + high), np.nan))


def _plain_quantile(rows: Vector, good: NDArray[np.bool_], probability: float) -> Vector:
    flat, known = rows.reshape(len(rows), -1), good.reshape(len(rows), -1)
    found = [np.quantile(c[g], probability) if g.any() else np.nan for c, g in zip(flat.T, known.T, strict=True)]
    return np.asarray(found).reshape(rows.shape[1:])
