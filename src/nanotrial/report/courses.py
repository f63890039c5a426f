"""Courses in a dish: frames as a microscope takes them, and the state of the cell, small panels by measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanotrial.report import words
from nanotrial.report.bands import CUT, Band, band_words, drawn_bands, is_cut, points
from nanotrial.report.drawing import (
    CATEGORIES,
    INK,
    MARKERS,
    NARROW,
    SOFT,
    WIDE,
    Chart,
    Definition,
    Rows,
    identifier,
    legend_columns,
    rounded,
)
from nanotrial.report.groups import MOST_ARMS, Group
from nanotrial.report.layout import Record

# Traces far below one would fill the margin with zeros.
TINY = "datum.value != 0 && abs(datum.value) < 0.001 ? format(datum.value, '.0e') : datum.label"
EARLY = 0.4  # h: how long a microscope takes frames
FEWEST_FRAMES, FEW_TIMES = 5, 16
STEEP = 20.0  # peaks of one arm over those of the middle arm, from which an axis is logarithmic
LEAST_SHARE, LEAST_SPAN = 0.01, 0.1
PLASMA = ("#0d0887", "#46039f", "#7201a8", "#9c179e", "#bd3786", "#d8576b", "#ed7953", "#f0a030")
STYLES = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3], [12, 4], [4, 2, 1, 2, 1, 2], [1, 3])
# The state of the cell is read from potential to vesicles; what is not named here follows in the order of the study.
STATE = (
    "viability", "live_fraction", "apoptotic_fraction", "necrotic_fraction", "cell_death", "mitochondrial_potential",
    "atp", "pore_open", "cytosolic_calcium", "mitochondrial_calcium", "er_calcium",
)  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """One measure over one span of time: its key in the rows, what it shows, and how."""

    key: str
    measure: str
    title: str
    early: bool = False

    @property
    def clock(self) -> tuple[str, float]:
        """Return the unit of the time axis and how many of them an hour has."""
        return ("min", 60.0) if self.early else ("h", 1.0)


def trace_panels(record: Record) -> list[Panel]:
    """Return the panels of measures with frames: the first minutes, and the whole course where it is longer."""
    panels: list[Panel] = []
    for name, about in record["measures"].items():
        if _has_frames(about):
            unit = words.measure_axis(name, about.get("unit", ""))
            early = [t for t in about["time_h"] if t <= EARLY]
            panels.append(Panel(f"t{len(panels)}", name, f"{unit}, first {60 * early[-1]:.0f} min", early=True))
            if len(early) < len(about["time_h"]):
                panels.append(Panel(f"t{len(panels)}", name, f"{unit}, whole course"))
    return panels


def state_panels(record: Record) -> list[Panel]:
    """Return one panel for every other measure with more than one time; death mirrors viability, so one is enough."""
    found = [n for n, about in record["measures"].items() if len(about["time_h"]) > 1 and not _has_frames(about)]
    found = [n for n in found if n != "cell_death" or "viability" not in found]
    order = {name: i for i, name in enumerate(STATE)}
    found.sort(key=lambda n: order.get(n, len(order)))
    return [
        Panel(f"s{i}", n, words.measure_axis(n, record["measures"][n].get("unit", ""))) for i, n in enumerate(found)
    ]


def _has_frames(about: Record) -> bool:
    return len([t for t in about["time_h"] if t <= EARLY]) >= FEWEST_FRAMES


def course_chart(record: Record, group: Group, panels: list[Panel], kind: str) -> Chart | None:
    """Return the figure of a group of arms with one panel per measure, or nothing where no arm has data.

    Arguments:
        record: the plain record of a run.
        group: the arms.
        panels: what to show.
        kind: what the figure shows in words, such as ``State of the cell``.
    """
    rows, drawn = [], []
    for panel in panels:
        own = _rows(record, group, panel)
        if own:
            rows += own
            drawn.append(panel)
    if not drawn:
        return None
    title = kind if group.title == "All arms" else f"{kind}: {group.title[:1].lower()}{group.title[1:]}"
    arms = [a for a in group.arms if any(r["arm"] == a for r in rows)]
    definition = _definition(record, group, drawn, rows)
    return Chart(
        f"figure-{identifier(f'{kind} {group.title}'.lower())}",
        title,
        _caption(record, group, drawn, rows),
        f"{title}. {words.count(len(arms), 'arm')}: {', '.join(arms)}. {_ranges(drawn, rows)}",
        definition,
    )


def _rows(record: Record, group: Group, panel: Panel) -> Rows:
    about = record["measures"][panel.measure]
    arms = {a["name"]: a for a in record["arms"]}
    _, clock = panel.clock
    rows: Rows = []
    for name in group.arms:
        curve = arms[name].get("curves", {}).get(panel.measure) or {}
        place = {"panel": panel.key, "arm": name, "colour": group.colours[name], "style": group.styles.get(name, "")}
        for t, y, band in points(about["time_h"], curve):
            if words.finite(y) and (not panel.early or t <= EARLY):
                row = {"kind": "curve", "t": rounded(clock * t), "y": rounded(y), **place}
                rows.append(row | band if len(group.arms) <= MOST_ARMS else row)
        if any(r["arm"] == name for r in rows):
            rows += _published(record, panel, place)
    return rows


def _published(record: Record, panel: Panel, place: dict[str, str]) -> Rows:
    return [
        {
            "kind": "published",
            "t": rounded(panel.clock[1] * p["time_h"]),
            "y": p["value"],
            "relation": p.get("relation") or "=",
            "label": p.get("label") or p.get("id", ""),
            **place,
        }
        for p in record.get("published") or []
        if p.get("measure") == panel.measure
        and p.get("arm") == place["arm"]
        and words.finite(p.get("value"))
        and words.finite(p.get("time_h"))
        and (not panel.early or p["time_h"] <= EARLY)
    ]


def _definition(record: Record, group: Group, panels: list[Panel], rows: Rows) -> Definition:
    """Return the figure as plain Vega-Lite: Altair would copy every panel many times over."""
    columns = 1 if len(panels) == 1 else 2 if len(panels) in (2, 4) else 3
    width = {1: 620, 2: 365, 3: 225}[columns]
    narrow = {
        "color": legend_columns(list(group.colours.values()), NARROW),
        "strokeDash": legend_columns(list((group.styles or group.colours).values()), NARROW),
    }
    return Definition(
        {
            "concat": [_view(record, group, p, [r for r in rows if r["panel"] == p.key], width) for p in panels],
            "columns": columns,
            "spacing": {"row": 84, "column": 58},
            "bounds": "flush",
            "usermeta": {"narrow_columns": narrow},
        }
    )


def _view(record: Record, group: Group, panel: Panel, rows: Rows, width: int) -> dict[str, Any]:
    """Return one panel: bands, lines, frames and published points."""
    log = _is_steep(rows, panel)
    rows = _above_axis(rows) if log else rows
    share = words.is_fraction(panel.measure)
    unit, _ = panel.clock
    x = {
        "field": "t",
        "type": "quantitative",
        "axis": {"title": f"Time ({unit})", "tickCount": 5},
        "scale": {"nice": False},
    }
    axis = {"title": None, "tickCount": 4} | ({"format": "~%"} if share else {"labelExpr": TINY})
    scale = {"type": "log"} if log else {"domain": _domain(rows, share), "nice": True, "zero": False}
    y = {"field": "y", "type": "quantitative", "axis": axis, "scale": scale}
    tooltip = [
        {"field": "arm", "type": "nominal", "title": "arm"},
        {"field": "t", "type": "quantitative", "title": f"time ({unit})", "format": ".3~g"},
        {"field": "y", "type": "quantitative", "title": panel.title, "format": ".3~%" if share else ".3~g"},
    ]
    common: dict[str, Any] = {"x": x, "y": y, **_colour(group)}
    curve = [{"filter": "datum.kind === 'curve'"}]
    detail = {"field": "arm", "type": "nominal"}
    layers = [_band_layer(common, band) for band in drawn_bands(rows, len(group.arms))]
    line = {"type": "line", "strokeWidth": 1.8, "strokeJoin": "round"}
    layers.append(
        {
            "transform": curve,
            "mark": line,
            "encoding": {**common, "detail": detail, "tooltip": tooltip, **_style(group)},
        }
    )
    if panel.early or len(record["measures"][panel.measure]["time_h"]) <= FEW_TIMES:
        dot = {"type": "point", "size": 14, "filled": True, "opacity": 1}
        layers.append({"transform": curve, "mark": dot, "encoding": {**common, "tooltip": tooltip}})
    if any(r["kind"] == "published" for r in rows):
        layers.append(_published_layer(common))
    text = panel.title + (" (log axis)" if log else "")
    title = {"text": text, "anchor": "start", "frame": "group", "fontSize": 12, "fontWeight": "bold", "color": INK}
    data = {"values": [{k: v for k, v in r.items() if k != "panel"} for r in rows]}
    return {"data": data, "title": title, "width": width, "height": 165, "layer": layers}


def _band_layer(common: dict[str, Any], band: Band) -> dict[str, Any]:
    edge = common["color"] | ({"legend": None} if "field" in common["color"] else {})
    ends = {"y": common["y"] | {"field": band.low}, "y2": {"field": band.high}}
    return {
        "transform": [{"filter": f"isValid(datum.{band.low})"}],
        "mark": {"type": "area", **band.look},
        "encoding": {**common, **ends, "stroke": edge, "detail": {"field": "arm", "type": "nominal"}},
    }


def _published_layer(common: dict[str, Any]) -> dict[str, Any]:
    scale = {"domain": list(MARKERS), "range": list(MARKERS.values())}
    tooltip = [
        {"field": "label", "type": "nominal", "title": "published"},
        {"field": "y", "type": "quantitative", "title": "value"},
        {"field": "arm", "type": "nominal"},
    ]
    return {
        "transform": [{"filter": "datum.kind === 'published'"}],
        "mark": {"type": "point", "size": 90, "filled": True, "opacity": 1, "stroke": INK, "strokeWidth": 1.3},
        "encoding": {
            **common,
            "shape": {"field": "relation", "type": "nominal", "legend": None, "scale": scale},
            "tooltip": tooltip,
        },
    }


def _is_steep(rows: Rows, panel: Panel) -> bool:
    """Say whether one arm rises so far above the others that only a logarithmic axis shows them all."""
    curves = [r for r in rows if r["kind"] == "curve"]
    peaks = sorted(max(float(r["y"]) for r in curves if r["arm"] == arm) for arm in {r["arm"] for r in curves})
    highest = max(float(r[k]) for r in curves for k in ("y", "high") if k in r)
    inner = "mean_low" if any("mean_low" in r for r in curves) else "low"
    positive = all((r.get(k) or 0.0) > 0 for r in rows for k in ("y", inner) if k in r)
    return not words.is_fraction(panel.measure) and positive and highest > STEEP * peaks[(len(peaks) - 1) // 2]


def _above_axis(rows: Rows) -> Rows:
    """Return rows whose outer band ends where a logarithmic axis can still show it."""
    least = min(float(r[k]) for r in rows for k in ("y", "mean_low") if r.get(k) is not None)
    return [r | {"low": max(r["low"], least)} if "low" in r else r for r in rows]


def _domain(rows: Rows, share: bool) -> list[float]:
    """Return the limits of a linear axis: shares from zero, and small differences of large numbers kept small."""
    values = [float(r[k]) for r in rows for k in ("y", "low", "high") if r.get(k) is not None]
    low, high = min(values), max(values)
    low = max(low, 0.0) if is_cut(rows) else low
    if share:
        return [min(low, 0.0), max(high, LEAST_SHARE)]
    if 0 <= low <= 0.5 * high:
        return [0.0, high]
    span = max(high - low, LEAST_SPAN * max(abs(high), abs(low))) or 1.0
    middle = (low + high) / 2
    return [rounded(middle - 0.55 * span) or 0.0, rounded(middle + 0.55 * span) or 0.0]


def _order(group: Group) -> list[str]:
    return list(dict.fromkeys(group.colours[a] for a in group.arms))


def _colours(group: Group) -> list[str]:
    """Return one colour per value: grey and black for what is compared with, dark to light for doses."""
    values = _order(group)
    held = {group.colours[a] for a in group.references} - {group.colours[a] for a in group.own}
    quiet, own = [v for v in values if v in held], [v for v in values if v not in held]
    palette = dict(zip(quiet, (SOFT, INK, *CATEGORIES[::-1]), strict=False))
    steps = PLASMA if group.ordered else CATEGORIES
    count = max(len(own) - 1, 1)
    for i, value in enumerate(own):
        palette[value] = steps[round(i * (len(steps) - 1) / count)] if group.ordered else steps[i % len(steps)]
    return [palette[v] for v in values]


def _colour(group: Group) -> dict[str, Any]:
    values = _order(group)
    if len(values) < 2:
        return {"color": {"value": CATEGORIES[0]}}
    legend = _legend(group.colour_title, values, WIDE // 2 if group.styles else WIDE)
    scale = {"domain": values, "range": _colours(group)}
    return {"color": {"field": "colour", "type": "nominal", "sort": values, "scale": scale, "legend": legend}}


def _style(group: Group) -> dict[str, Any]:
    """Return the line style: what is given where colour tells the culture, otherwise the arm once more."""
    values = list(dict.fromkeys(group.styles[a] for a in group.arms)) if group.styles else _order(group)
    if len(values) < 2:
        return {}
    legend = _legend(group.colour_title, values, WIDE)
    if group.styles:
        legend = _legend("Given", values, WIDE // 2) | {"symbolStrokeColor": INK}
    scale = {"domain": values, "range": [STYLES[i % len(STYLES)] for i in range(len(values))]}
    field = "style" if group.styles else "colour"
    return {"strokeDash": {"field": field, "type": "nominal", "sort": values, "scale": scale, "legend": legend}}


def _legend(title: str, values: list[str], width: int) -> dict[str, Any]:
    return {"title": title, "symbolType": "stroke", "symbolOpacity": 1, "columns": legend_columns(values, width)}


def _caption(record: Record, group: Group, panels: list[Panel], rows: Rows) -> str:
    names = list(dict.fromkeys(p.measure for p in panels))
    meanings = [f"{words.measure_title(n)}: {words.MEANINGS[n]}." for n in names if n in words.MEANINGS]
    parts = ["; ".join(m.rstrip(".") for m in meanings) + "." if meanings else ""]
    colour = "Colour and line style" if not group.styles else "Colour"
    parts.append(f"{colour}: {group.colour_title[:1].lower()}{group.colour_title[1:]}.")
    parts += ["Line style: what is given."] if group.styles else []
    parts += ["Dots: the frames of the microscope."] if any(p.early for p in panels) else []
    bands = band_words(record, rows)
    if bands:
        parts += ["Line: central run.", bands]
        parts += [CUT] if any(is_cut([r for r in rows if r["panel"] == p.key]) for p in panels) else []
    elif record.get("members"):
        parts.append("So many arms are drawn without bands; the end points give them.")
    if any(r["kind"] == "published" for r in rows):
        parts.append("Marks with a dark edge: published values, in the colour of their arm.")
    parts.append("Every panel has its own axis.")
    return " ".join(p for p in parts if p)


def _ranges(panels: list[Panel], rows: Rows) -> str:
    """Return the span of the values of each panel, for those who cannot see the figure."""
    lines = []
    for panel in panels:
        values = [r["y"] for r in rows if r["panel"] == panel.key and r["kind"] == "curve"]
        scale, unit = (100.0, " %") if words.is_fraction(panel.measure) else (1.0, "")
        lines.append(f"{panel.title}: from {scale * min(values):.3g} to {scale * max(values):.3g}{unit}.")
    return " ".join(lines)
