"""What was reported beside what was computed."""

from __future__ import annotations

from typing import Any

from nanotrial.report.cohort import has_subjects
from nanotrial.report.layout import Record
from nanotrial.report.tables import Column, Row, table
from nanotrial.report.words import (
    MISSING,
    escape,
    finite,
    is_fraction,
    measure_title,
    measure_unit,
    number,
    pretty,
    shown_measure,
)

RELATIONS = {"=": "", "~": "about ", "<": "below ", ">": "above "}


def reported(record: Record) -> str:
    """Return the published points beside the central run at the same time, with its bands where there are members."""
    points = record.get("published") or []
    note = f"<p>{escape(record['published_note'])}</p>" if record.get("published_note") else ""
    if not points:
        return note
    arms = {a["name"]: a for a in record["arms"]}
    banded = any(_at(record, arms.get(p.get("arm", "")), p, "low") is not None for p in points)
    rows = []
    for p in points:
        name, arm = p.get("measure", ""), arms.get(p.get("arm", ""))
        unit = record["measures"].get(name, {}).get("unit", "1")
        value = RELATIONS.get(p.get("relation") or "=", "") + shown_measure(name, p.get("value")) + _suffix(name, unit)
        here = _at(record, arm, p, "value")
        cells = [
            escape(p.get("label") or p.get("id")),
            escape(p.get("arm")),
            escape(measure_title(name)),
            f"{number(p.get('time_h'))} h",
            value,
            shown_measure(name, here) + _suffix(name, unit, here),
        ]
        cells += [_bands(record, arm, p)] if banded else []
        rows.append(Row([*cells, escape(p.get("source"))]))
    columns = [
        Column("Published", "middle"), Column("Arm", "middle"), Column("Measure"), Column("Time", "number"),
        Column("Reported", "number"), Column("Predicted", "number"),
    ]  # fmt: skip
    beneath = "<br><small>one reading</small>" if has_subjects(record) else ""
    columns += [Column(f"What is unknown{beneath}", "number")] if banded else []
    caption = "<strong>Reported against predicted.</strong> Published points, and the central run at the same time."
    caption += " Bands are from 5 to 95 %." if banded else ""
    return note + table(caption, [*columns, Column("Source")], rows)


def _suffix(name: str, unit: str, value: Any = 0.0) -> str:
    shown = "" if is_fraction(name) or not finite(value) else measure_unit(name, unit)
    return f"&nbsp;{pretty(shown)}" if shown else ""


def _bands(record: Record, arm: Record | None, point: Record) -> str:
    """Return the band of what is unknown and, with subjects, that of one reading beneath it."""
    if not has_subjects(record):
        return _band(record, arm, point, "low")
    return f"{_band(record, arm, point, 'mean_low')}<br><small>{_band(record, arm, point, 'low')}</small>"


def _band(record: Record, arm: Record | None, point: Record, key: str) -> str:
    low, high = _at(record, arm, point, key), _at(record, arm, point, key.replace("low", "high"))
    if low is None or high is None:
        return MISSING
    name = point.get("measure", "")
    scale, unit = (100.0, "&nbsp;%") if is_fraction(name) else (1.0, "")
    return f"{number(scale * low)} to {number(scale * high)}{unit}"


def _at(record: Record, arm: Record | None, point: Record, part: str) -> float | None:
    """Return a curve (central, low or high) at the time of a point, straight between its own."""
    measure, time = point.get("measure", ""), point.get("time_h")
    if arm is None or measure not in record["measures"] or not finite(time):
        return None
    values = (arm.get("curves", {}).get(measure) or {}).get(part) or []
    pairs = [(t, v) for t, v in zip(record["measures"][measure]["time_h"], values, strict=False) if finite(v)]
    for (t0, v0), (t1, v1) in zip(pairs, pairs[1:] or pairs, strict=False):
        if t0 <= float(time or 0.0) <= t1:
            return float(v0 + (v1 - v0) * ((float(time or 0.0) - t0) / (t1 - t0) if t1 > t0 else 0.0))
    return None
