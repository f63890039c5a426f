"""What members of a measure tell: bands of the mean and of one reading, and where the spread comes from."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.sampling import bands, variance_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.sampling import Noise

    Vector = NDArray[np.float64]

LEVEL = 0.9


@dataclass(frozen=True)
class MeasureSummary:
    """Bands from 5 to 95 %, SI, one value per time, and shares of the variance of one reading.

    ``low`` and ``high`` are those of one reading: what is unknown, what differs between subjects, and noise; without
    subjects those of typical subjects. ``mean_low`` and ``mean_high`` are those of the typical subject: what is unknown
    alone. ``sd`` is the spread a laboratory sees between readings of one world.
    """

    low: Vector
    high: Vector
    mean_low: Vector
    mean_high: Vector
    median: Vector
    sd: Vector
    unknown: Vector
    between: Vector
    noise: Vector
    worlds: int
    subjects: int
    failed: int


# Up to so many readings their noise is worked out exactly; of more, each draws its own.
EXACT_NOISE = 5000


def summarise(whole: Vector, noise: Noise, seed: int = 1) -> MeasureSummary:
    """Return the summary of a measure.

    Arguments:
        whole: SI values of shape (worlds, 1 + subjects, times), the typical subject first; NaN where a member failed.
        noise: of a reading.
        seed: of the noise where there are many readings.
    """
    typical, subjects = whole[:, 0], whole[:, 1:]
    failed = int(np.isnan(whole).any(axis=2).sum()) if whole.size else 0
    with np.errstate(invalid="ignore"):
        middle = _median(typical)
    if not subjects.shape[1]:
        alone = bands(typical[:, None], None, LEVEL, typical)
        nothing = np.full(whole.shape[2], np.nan)
        low, high = alone.mean_low, alone.mean_high
        return MeasureSummary(
            low, high, low, high, middle, nothing, nothing, nothing, nothing, len(whole), 0, failed
        )  # fmt: skip
    if subjects.shape[0] * subjects.shape[1] <= EXACT_NOISE:
        found = bands(subjects, noise, LEVEL, typical)
    else:
        stream = np.random.default_rng([seed, zlib.crc32(f"band of {noise.measure}".encode())])
        found = bands(noise.add(subjects, stream), None, LEVEL, typical)
    shares = variance_shares(subjects, noise.sd(subjects))
    sd = np.sqrt(np.nan_to_num(shares.variances["between"]) + shares.variances["noise"])
    return MeasureSummary(
        found.reading_low,
        found.reading_high,
        found.mean_low,
        found.mean_high,
        middle,
        sd,
        shares.unknown,
        shares.between,
        shares.noise,
        len(whole),
        subjects.shape[1],
        failed,
    )


def _median(rows: Vector) -> Vector:
    """Return the median over members that succeeded; NaN where none did."""
    good = rows[~np.isnan(rows).any(axis=1)]
    return np.median(good, axis=0) if len(good) else np.full(rows.shape[1], np.nan)


def joined(parts: Sequence[MeasureSummary]) -> MeasureSummary:
    """Return the summary of all times from those of blocks of times, in order."""
    first = parts[0]
    arrays: dict[str, Any] = {
        f.name: np.concatenate([getattr(p, f.name) for p in parts])
        for f in fields(MeasureSummary)
        if isinstance(getattr(first, f.name), np.ndarray)
    }
    return replace(first, **arrays, failed=max(p.failed for p in parts))
