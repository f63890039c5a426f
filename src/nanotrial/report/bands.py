"""Bands around curves: what is unknown and, with subjects, one reading; how they are drawn and what a caption says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nanotrial.report import words
from nanotrial.report.cohort import subject_word, worlds
from nanotrial.report.drawing import Rows, rounded
from nanotrial.report.layout import Record

READING, UNKNOWN = ("low", "high"), ("mean_low", "mean_high")
CUT = "Where noise takes the band of one reading below the axis, it is cut off."
ROUNDING = 1e-9


@dataclass(frozen=True)
class Band:
    """One band of a figure: its keys in the rows, and how its area looks."""

    low: str
    high: str
    look: dict[str, Any]


def points(times: list[float], curve: Record) -> Iterator[tuple[float, Any, dict[str, float]]]:
    """Yield time, central value and bands of each point of a curve; a band without both ends is left out.

    Arguments:
        times: of the measure (h).
        curve: one curve of the record.
    """
    values = curve.get("value") or []
    columns = [curve.get(key) or [None] * len(values) for key in (*READING, *UNKNOWN)]
    for t, y, *ends in zip(times, values, *columns, strict=False):
        yield t, y, band_ends(ends)


def band_ends(ends: list[Any]) -> dict[str, float]:
    """Return the ends of bands at one point, given in the order of ``READING`` and ``UNKNOWN``, where finite."""
    found: dict[str, float] = {}
    for keys, pair in ((READING, ends[:2]), (UNKNOWN, ends[2:])):
        if all(words.finite(v) for v in pair):
            found |= {k: rounded(v) or 0.0 for k, v in zip(keys, pair, strict=True)}
    return found


def drawn_bands(rows: Rows, arms: int) -> list[Band]:
    """Return the bands of a figure from back to front; the outer one has an edge, so that it shows in print.

    Arguments:
        rows: of the figure.
        arms: how many share a panel: the more, the fainter.
    """
    keys = {k for r in rows for k in r}
    if not keys & {READING[0], UNKNOWN[0]}:
        return []
    faint = max(0.25, min(1.0, 2.0 / max(arms, 1)))
    alone = Band(*READING, {"fillOpacity": 0.18 * faint, "strokeWidth": 0, "clip": True})
    if UNKNOWN[0] not in keys:
        return [alone]
    edge = {"strokeWidth": 0.7, "strokeOpacity": 0.35 + 0.2 * faint, "clip": True}
    return [
        Band(*READING, {"fillOpacity": 0.08 * faint, **edge}),
        Band(*UNKNOWN, {"fillOpacity": 0.24 * faint, "strokeWidth": 0, "clip": True}),
    ]


def is_cut(rows: Rows) -> bool:
    """Say whether only noise reaches below zero, so that an axis begins there and the outer band is cut off."""
    inner = [v for r in rows for v in (r.get("y"), r.get(UNKNOWN[0])) if v is not None]
    outer = [r[READING[0]] for r in rows if UNKNOWN[0] in r and READING[0] in r]
    return bool(outer) and min(outer) < 0 and min(inner) >= -ROUNDING * max(inner)


def band_words(
    record: Record,
    rows: Rows,
    unknown: str = "Darker band",
    reading: str = "Paler band between thin lines",
    alone: str = "Band",
) -> str:
    """Return what bands mean, as sentences of a caption; an empty text where none is drawn.

    Arguments:
        record: of the run.
        rows: of the figure.
        unknown: what shows the band of what is unknown.
        reading: what shows the band of one reading.
        alone: what shows the only band of a run without subjects.
    """
    if not any(READING[0] in r or UNKNOWN[0] in r for r in rows):
        return ""
    if not any(UNKNOWN[0] in r for r in rows):
        return f"{alone}: what is unknown, from 5 to 95 % of {worlds(record)}."
    subjects = int(record.get("subjects") or 0)
    each = f"{subjects} {subject_word(record, subjects)} in each world, which differ, with noise"
    return (
        f"{unknown}: what is unknown (the typical {subject_word(record)} of {worlds(record)}). "
        f"{reading}: one reading ({each}). Both from 5 to 95 %."
    )
