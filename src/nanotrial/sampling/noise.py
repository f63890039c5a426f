"""Noise of measurement: what two readings of the very same thing differ by.

    s(y)^2 = (r y)^2 + a^2

with relative part r and absolute part a: those of the variability sheet of the place, and the photometer of the assay.
Normal and independent between readings. Validity: near the readings for which the parts were stated. Sources: in the
sheets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import CatalogueError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import MeasureNoise, Variability

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """Noise of the readings of a measure: relative part, absolute part (SI), the entry of the sheet, a remark."""

    measure: str
    relative: float
    absolute: float
    entry: str = ""
    note: str = ""

    def sd(self, values: Vector) -> Vector:
        """Return the standard deviation of one reading of each true value (SI, any shape)."""
        return np.asarray(np.hypot(self.relative * np.asarray(values, dtype=np.float64), self.absolute))

    def add(self, values: Vector, generator: np.random.Generator) -> Vector:
        """Return readings of true values (SI, any shape); failed members stay NaN."""
        true = np.asarray(values, dtype=np.float64)
        return np.asarray(true + self.sd(true) * generator.standard_normal(true.shape))


def noise_of(measure: str, variability: Variability | None, assay_sd: float = 0.0) -> Noise:
    """Return the noise of a measure.

    Arguments:
        measure: its name.
        variability: sheet of the place.
        assay_sd: standard deviation of one photometer reading (SI), as ``read_out(...).sd`` gives it; 0 without assay.

    Raises:
        CatalogueError: two entries of the sheet mean the measure.
        InputError: an ``assay_sd`` that is negative or not finite.
    """
    if not (math.isfinite(assay_sd) and assay_sd >= 0):
        raise InputError(f"noise of {measure}", f"a standard deviation of {assay_sd}", "a finite number from 0")
    entries = [] if variability is None else [e for e in variability.noise if _means(e, measure)]
    if len(entries) > 1:
        raise CatalogueError(
            f"variability: {entries[0].name}", f"`{measure}`, which `{entries[1].name}` means too", "one per measure"
        )
    if not entries:
        return Noise(measure, 0.0, assay_sd, note=f"no noise of `{measure}` is known but that of its assay")
    entry = entries[0]
    absolute = entry.absolute.si if entry.absolute is not None else 0.0
    return Noise(measure, entry.relative.si, math.hypot(absolute, assay_sd), entry.name)


def _means(entry: MeasureNoise, measure: str) -> bool:
    return any(fnmatchcase(measure, pattern) for pattern in entry.measures)
