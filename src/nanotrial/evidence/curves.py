"""Measured curves against predictions: how far off, how often inside the band, fitted or predicted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.evidence.members import PointValues, member_values
from nanotrial.evidence.published import Curve, published_files, read_published
from nanotrial.fit.overlay import Overlay
from nanotrial.study import load_study

if TYPE_CHECKING:
    pass


def curve_rows(
    members: int = 200, seed: int = 1, progress: Callable[[str], None] | None = None, without_fits: bool = False
) -> list[dict[str, Any]]:
    """Return one row per measured curve of the catalogue.

    Mean and largest departure are relative to the largest measured value; the band is 5 to 95 % of the members. The
    baseline is the mean of the other curves of that system at the same time (linear between their points).

    Arguments:
        members: draws from the spreads.
        seed: seeds the generator of the draws.
        progress: called with a line when a study begins.
        without_fits: predict from the sheets alone.
    """
    rows = []
    for path in published_files():
        curves = read_published(path)[1]
        for study_path in dict.fromkeys(c.study for c in curves):
            if progress:
                progress(f"predicting the curves of {path.parent.name}")
            study = load_study(study_path)
            overlay = Overlay() if without_fits else Overlay.of_study(study)
            here = [c for c in curves if c.study == study_path]
            points = [(c.arm, c.measure, t) for c in here for t in c.times]
            values = member_values(study, points, members, seed, overlay)
            rows += [_row(c, values, overlay, [o for o in here if o.id != c.id]) for c in here]
    return rows


def _row(
    curve: Curve, values: dict[tuple[str, str, float], PointValues], overlay: Overlay, others: list[Curve]
) -> dict[str, Any]:
    late = [i for i, t in enumerate(curve.times) if t > 0]
    measured = np.array([curve.values[i] for i in late])
    points = [values[curve.arm, curve.measure, curve.times[i]] for i in late]
    sample = np.array([p.reported if len(p.reported) else [p.central] for p in points])
    size = float(measured.max())
    low, high = np.nanquantile(sample, 0.05, axis=1), np.nanquantile(sample, 0.95, axis=1)
    off = np.abs(np.nanmedian(sample, axis=1) - measured) / size
    naive = [np.mean([np.interp(curve.times[i], o.times, o.values) for o in others]) for i in late] if others else []
    return {
        "curve": curve.id,
        "mode": "fitted" if curve.id in overlay.facts else "predicted",
        "points": len(late),
        "mean_off_percent": 100 * float(off.mean()),
        "largest_off_percent": 100 * float(off.max()),
        "in_band": float(np.mean((measured >= low) & (measured <= high))),
        "band_percent": 100 * float(np.median(high - low)) / size,
        "naive_off_percent": 100 * float(np.mean(np.abs(np.array(naive) - measured)) / size) if naive else None,
    }
