"""Figures of cells in a dish: what is alive at the end, against dose and by arm, then courses by group of arms."""

from __future__ import annotations

from typing import Any

from nanotrial.report import words
from nanotrial.report.bands import CUT, READING, UNKNOWN, band_ends, band_words, drawn_bands, is_cut
from nanotrial.report.courses import course_chart, state_panels, trace_panels
from nanotrial.report.drawing import (
    CATEGORIES,
    INK,
    MARKERS,
    NARROW,
    SOFT,
    Chart,
    Rows,
    legend_columns,
    rounded,
    styled,
)
from nanotrial.report.groups import Group, Series, dose_series, group_arms
from nanotrial.report.layout import Record
from nanotrial.report.survival import survival_chart

END_MEASURES = ("viability", "live_fraction", "cell_death")
MOST_PANELS, MOST_CROWDED = 6, 9  # the second where there are many groups
MANY_GROUPS = 3
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
BAR, HELD = "#7fb2d6", "#c3ccd5"
ROW = 38


def dish_charts(record: Record) -> list[Chart]:
    """Return the figures of a dish: dose series, end points by arm, then frames and state for each group of arms.

    Arguments:
        record: the plain record of a run.
    """
    arms = [a for a in record["arms"] if a.get("status") == "done"]
    if not arms:
        return []
    groups, series = group_arms(arms), dose_series(arms)
    measure = next((m for m in END_MEASURES if m in record["measures"]), "")
    found: list[Chart | None] = [survival_chart(record, arms)]
    if measure:
        found += [_dose_chart(record, measure, series), _bar_chart(record, measure, groups, series)]
    traces, state = trace_panels(record), state_panels(record)
    most = MOST_CROWDED if len(groups) > MANY_GROUPS else MOST_PANELS
    parts = [state[i : i + most] for i in range(0, len(state), most)]
    for group in groups:
        found.append(course_chart(record, group, traces, "Under the microscope"))
        found += [course_chart(record, group, part, _kind(i)) for i, part in enumerate(parts)]
    return [c for c in found if c is not None]


def _kind(part: int) -> str:
    return "State of the cells" + (f", part {part + 1}" if part else "")


def end_value(record: Record, arm: str, measure: str) -> dict[str, float]:
    """Return y and, with members, the ends of its bands at the last time of a measure; empty where there is none."""
    arms: dict[str, Record] = {a["name"]: a for a in record["arms"]}
    curve = arms.get(arm, {}).get("curves", {}).get(measure) or {}
    y, *ends = [(curve.get(key) or [None])[-1] for key in ("value", *READING, *UNKNOWN)]
    return {"y": float(rounded(y) or 0.0), **band_ends(ends)} if words.finite(y) else {}


def _published(record: Record, arm: str, measure: str) -> Rows:
    """Return the published values of an arm at the last time of a measure."""
    last = record["measures"][measure]["time_h"][-1]
    return [
        {
            "kind": "published",
            "arm": arm,
            "published": p["value"],
            "relation": p.get("relation") or "=",
            "label": p.get("label") or p.get("id", ""),
        }
        for p in record.get("published") or []
        if p.get("measure") == measure
        and p.get("arm") == arm
        and words.finite(p.get("value"))
        and words.finite(p.get("time_h"))
        and abs(p["time_h"] - last) <= 1e-6 * max(last, 1.0)
    ]


def _dose_chart(record: Record, measure: str, series: list[Series]) -> Chart | None:
    rows: Rows = []
    for one in series:
        for dose, arm in one.points:
            value = end_value(record, arm, measure)
            if value:
                place = {"thing": one.label, "unit": one.unit, "dose": dose}
                rows.append({"kind": "dose", "arm": arm, **place, **value})
                rows += [p | place for p in _published(record, arm, measure)]
        bare = end_value(record, one.untreated, measure)
        if bare and not any(r["kind"] == "none" and r["unit"] == one.unit and r["arm"] == one.untreated for r in rows):
            rows.append(
                {"kind": "none", "arm": one.untreated, "unit": one.unit, "y": bare["y"], "text": "nothing given"}
            )
    if not any(r["kind"] == "dose" for r in rows):
        return None
    name = words.measure_title(measure)
    hours = f"{record['measures'][measure]['time_h'][-1]:g} h"
    caption = f"{name} at {hours}: {words.MEANINGS[measure]}. Each thing is given alone; the axis of doses is "
    caption += "logarithmic. Colour and shape of the points: what is given. Dashed grey line: nothing given."
    caption += _told_bands(band_words(record, rows), rows) + _marks(rows)
    told = "; ".join(f"{s.label}: {_told(rows, s)}" for s in series if any(r.get("thing") == s.label for r in rows))
    return Chart(
        "figure-doses",
        f"{name} against dose at {hours}",
        caption,
        f"{name} at {hours} against dose. {told}.",
        _dose_definition(measure, rows),
    )


def _told_bands(text: str, rows: Rows) -> str:
    return f" {text}{f' {CUT}' if is_cut(rows) else ''}" if text else ""


def _told(rows: Rows, series: Series) -> str:
    found = [r for r in rows if r["kind"] == "dose" and r["thing"] == series.label]
    return ", ".join(f"{100 * r['y']:.3g} % at {r['dose']:g} {words.units(series.unit)}" for r in found)


def _marks(rows: Rows) -> str:
    relations = {r["relation"] for r in rows if r["kind"] == "published"}
    text = " Marks with a dark edge: published values." if relations else ""
    text += " Diamond: about." if "~" in relations else ""
    text += " Triangle pointing down: the paper says less than this." if "<" in relations else ""
    return text + (" Triangle pointing up: the paper says more than this." if ">" in relations else "")


def _dose_definition(measure: str, rows: Rows) -> Any:
    import altair as alt

    units_ = list(dict.fromkeys(r["unit"] for r in rows))
    things = list(dict.fromkeys(r["thing"] for r in rows if r["kind"] == "dose"))
    width = 620 if len(units_) == 1 else 365
    views = [_dose_view(measure, rows, unit, i, things, width) for i, unit in enumerate(units_)]
    for r in rows:
        r["view"] = units_.index(r["unit"])
    chart: Any = alt.concat(*views, columns=2, spacing=26, data=alt.InlineData(values=[]))
    columns = legend_columns(things, NARROW)
    chart = styled(chart.properties(usermeta={"narrow_columns": {"color": columns, "shape": columns}}))
    chart.data = {"values": rows}
    return chart


def _dose_view(measure: str, rows: Rows, unit: str, place: int, things: list[str], width: int) -> Any:
    """Return one panel: a band, points and a line for each thing given, and what happens without it."""
    import altair as alt

    own = [r for r in rows if r["unit"] == unit]
    doses = sorted({r["dose"] for r in own if "dose" in r})
    ticks: Any = doses if len(doses) <= 7 else alt.Undefined
    x = alt.X(
        "dose:Q",
        scale=alt.Scale(type="log", domain=[doses[0] / 1.3, doses[-1] * 1.3], nice=False),
        axis=alt.Axis(title=f"Dose ({words.units(unit)})", format="~g", values=ticks),
    )
    top = _top(own)
    axis = alt.Axis(title=words.measure_title(measure), format="~%", tickCount=5)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top], clamp=True), axis=axis)
    ranged = [CATEGORIES[i % len(CATEGORIES)] for i in range(len(things))]
    legend = alt.Legend(title="Given alone", symbolOpacity=1, columns=legend_columns(things, 620), symbolSize=90)
    colour = alt.Color("thing:N", sort=things, scale=alt.Scale(domain=things, range=ranged), legend=legend)
    shapes = [SHAPES[i % len(SHAPES)] for i in range(len(things))]
    shape = alt.Shape("thing:N", sort=things, scale=alt.Scale(domain=things, range=shapes), legend=legend)
    base: Any = alt.Chart().transform_filter(f"datum.view === {place}")
    dose = base.transform_filter("datum.kind === 'dose'").encode(x=x, y=y, color=colour)
    tooltip = [alt.Tooltip("arm:N"), alt.Tooltip("dose:Q"), alt.Tooltip("y:Q", format=".3~%")]
    none = base.transform_filter("datum.kind === 'none'")
    layers = [none.mark_rule(color=SOFT, strokeDash=[4, 3], strokeWidth=1.4).encode(y=y)]
    edge = alt.Stroke("thing:N", sort=things, scale=alt.Scale(domain=things, range=ranged), legend=None)
    for band in drawn_bands(own, len({r["thing"] for r in own if "thing" in r})):
        area = dose.transform_filter(f"isValid(datum.{band.low})").mark_area(**band.look)
        layers.append(area.encode(y=alt.Y(f"{band.low}:Q"), y2=f"{band.high}:Q", stroke=edge))
    layers.append(dose.mark_line(strokeWidth=2))
    layers.append(dose.mark_point(size=70, filled=True, opacity=1).encode(shape=shape, tooltip=tooltip))
    if any(r["kind"] == "published" for r in own):
        found = base.transform_filter("datum.kind === 'published'").encode(x=x, y=alt.Y("published:Q"), color=colour)
        layers += [_mark(found, relation, {}) for relation in MARKERS]
    return alt.layer(*layers).properties(width=width, height=260)


def _top(rows: Rows) -> float:
    """Return the end of an axis of shares: the whole, unless something is clearly above it."""
    highest = max(r[k] for r in rows for k in ("y", "high", "published") if k in r)
    return float(highest) if highest > 1.02 else 1.0


def _mark(found: Any, relation: str, look: dict[str, Any]) -> Any:
    """Return the published values with one relation, which sets their shape."""
    import altair as alt

    return (
        found.transform_filter(f"datum.relation === '{relation}'")
        .mark_point(
            size=95, filled=True, opacity=1, stroke=INK, strokeWidth=1.6, shape=MARKERS[relation], **look
        )
        .encode(tooltip=[alt.Tooltip("label:N", title="published"), alt.Tooltip("published:Q", title="value")])
    )  # fmt: skip


def _bar_chart(record: Record, measure: str, groups: list[Group], series: list[Series]) -> Chart | None:
    """Return bars of the arms that are in no dose series, each group under its heading with what it is held to."""
    dosed = {arm for s in series for _, arm in s.points}
    rows: Rows = []
    for group in groups:
        if all(a in dosed for a in group.own) or group.ordered:
            continue
        shown = [(a, end_value(record, a, measure)) for a in group.arms]
        if len(groups) > 1:
            rows.append({"kind": "heading", "row": len(rows), "text": group.title})
        for arm, value in shown:
            if value:
                row = sum(r["kind"] != "published" for r in rows)
                held = arm in group.references
                rows.append(
                    {"kind": "bar", "row": row, "arm": arm, "held": held, "text": _bar_text(arm, value), **value}
                )
                rows += [p | {"row": row} for p in _published(record, arm, measure)]
    for row, r in enumerate(r for r in rows if r["kind"] != "published"):
        r["row"] = row
    bars = [r for r in rows if r["kind"] == "bar"]
    if not bars:
        return None
    name, hours = words.measure_title(measure), f"{record['measures'][measure]['time_h'][-1]:g} h"
    caption = f"{name} at {hours}: {words.MEANINGS[measure]}."
    if any(r["held"] for r in bars):
        caption += " Grey bars, first under each heading: the arms to compare with."
    lines = (
        "Thick line across a bar",
        "Thin line and numbers in brackets",
        "Line across a bar and numbers in brackets",
    )
    caption += _told_bands(band_words(record, rows, *lines), rows)
    return Chart(
        "figure-end-points",
        f"{name} by arm at {hours}",
        caption + _marks(rows),
        f"{name} at {hours}. " + "; ".join(r["text"] for r in bars) + ".",
        _bar_definition(measure, rows),
    )


def _bar_text(arm: str, value: dict[str, float]) -> str:
    text = f"{arm}: {_percent(value['y'])} %"
    return text + (f" ({_percent(value['low'])} to {_percent(value['high'])} %)" if "low" in value else "")


def _percent(value: float) -> str:
    """Return a share in percent, with three digits and at most two decimals."""
    return f"{round(float(f'{100 * value:.3g}'), 2) + 0.0:g}".replace("-", "−")


def _bar_definition(measure: str, rows: Rows) -> Any:
    import altair as alt

    count = sum(r["kind"] != "published" for r in rows)
    top = _top(rows)
    axis = alt.Axis(title=words.measure_title(measure), format="~%", tickCount=5, grid=True, gridColor="#e8ecf0")
    scale = alt.Scale(domain=[0, top], clamp=True)
    y = alt.Y("row:O", sort=list(range(count)), axis=None, scale=alt.Scale(domain=list(range(count)), padding=0))
    base: Any = alt.Chart().encode(y=y)
    bar = base.transform_filter("datum.kind === 'bar'")
    colour = alt.condition("datum.held", alt.value(HELD), alt.value(BAR))
    tooltip = [alt.Tooltip("arm:N"), alt.Tooltip("y:Q", format=".3~%")]
    layers = [
        bar.mark_bar(size=11, stroke=SOFT, strokeWidth=0.6, yOffset=6).encode(
            x=alt.X("y:Q", scale=scale, axis=axis), color=colour, tooltip=tooltip
        ),
        bar.mark_text(align="left", baseline="middle", color=INK, fontSize=12, yOffset=-9).encode(
            x=alt.value(0), text="text:N"
        ),
        base.transform_filter("datum.kind === 'heading'")
        .mark_text(align="left", baseline="middle", fontWeight="bold", fontSize=13, color=INK, yOffset=6)
        .encode(x=alt.value(0), text="text:N"),
    ]
    layers += _bar_bands(bar, rows)
    if any(r["kind"] == "published" for r in rows):
        found = base.transform_filter("datum.kind === 'published'").encode(x=alt.X("published:Q"))
        layers += [_mark(found, relation, {"color": CATEGORIES[1], "yOffset": 6}) for relation in MARKERS]
    chart: Any = alt.layer(*layers, data=alt.InlineData(values=[])).properties(width=620, height=ROW * count)
    chart = styled(chart.properties(usermeta={"narrow_columns": {}, "keep_height": True}))
    chart.data = {"values": rows}
    return chart


def _bar_bands(bar: Any, rows: Rows) -> list[Any]:
    """Return thin lines with ends for one reading, and thick ones on them for what is unknown."""
    import altair as alt

    layers = []
    if any(READING[0] in r for r in rows):
        known = bar.transform_filter("isValid(datum.low)")
        line = known.mark_rule(color=INK, strokeWidth=1.3, yOffset=6, y2Offset=6)
        layers.append(line.encode(x=alt.X("low:Q"), x2="high:Q"))
        ticks = known.mark_tick(color=INK, thickness=1.3, size=9, yOffset=6)
        layers += [ticks.encode(x=alt.X(f"{end}:Q")) for end in READING]
    if any(UNKNOWN[0] in r for r in rows):
        line = bar.transform_filter("isValid(datum.mean_low)").mark_rule(
            color=INK, strokeWidth=4, yOffset=6, y2Offset=6
        )  # fmt: skip
        layers.append(line.encode(x=alt.X("mean_low:Q"), x2="mean_high:Q"))
    return layers
