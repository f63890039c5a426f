"""Figures of a run: one Altair definition each, for the page, for SVG and for PNG."""

from __future__ import annotations

from typing import Any

from nanotrial.report import words
from nanotrial.report.bands import CUT, Band, band_words, drawn_bands, is_cut, points
from nanotrial.report.dish_charts import dish_charts
from nanotrial.report.drawing import (
    CATEGORIES,
    DASHES,
    INK,
    MARKERS,
    NARROW,
    WIDE,
    Chart,
    Rows,
    chart_png,
    chart_spec,
    chart_svg,
    identifier,
    legend_columns,
    rounded,
    styled,
    vegalite_version,
)
from nanotrial.report.layout import TITLES, Layout, Record, choose_layout, in_dish

__all__ = ["Chart", "chart_png", "chart_spec", "chart_svg", "charts", "vegalite_version"]

FEW_TIMES = 16
# Saturation indices below this stand for an absent ion.
LEAST_INDEX = -50.0


def charts(record: Record) -> list[Chart]:
    """Return the figures of a record; a measure without data has none.

    A tube: shares, concentrations, pH, then readings. A dish: end points, then courses by group of arms, then readings.

    Arguments:
        record: the plain record of a run.
    """
    arms = [a for a in record["arms"] if a.get("status") == "done"]
    layout = choose_layout(arms)
    result = dish_charts(record) if in_dish(record) else _by_measure(record, arms, layout)
    for name, about in record["measures"].items():
        rows = _reading_rows(arms, name, about, layout)
        if rows:
            result.append(_chart(record, name, about, rows, layout, about.get("assay") or "assay"))
    return result


def _by_measure(record: Record, arms: list[Record], layout: Layout) -> list[Chart]:
    result = []
    for name in sorted(record["measures"], key=lambda m: (m == "ph", not words.is_fraction(m))):
        about = record["measures"][name]
        rows = _curve_rows(arms, name, about, layout)
        if rows:
            rows += _published_rows(record, name, layout)
            result.append(_chart(record, name, about, rows, layout))
    return result


def _curve_rows(arms: list[Record], name: str, about: Record, layout: Layout) -> Rows:
    rows: Rows = []
    for arm in arms:
        curve = arm.get("curves", {}).get(name) or {}
        drawn = [v for v in curve.get("value", []) if words.finite(v)]
        # An arm without an ion of a mineral has no index of it to draw.
        if not drawn or (name.endswith("_saturation") and max(drawn) < LEAST_INDEX):
            continue
        place = {"kind": "curve", "arm": arm["name"], **layout.place(arm["name"])}
        for t, y, band in points(about["time_h"], curve):
            rows.append({**place, "t": rounded(t), "y": rounded(y), **band})
    return rows


def _published_rows(record: Record, name: str, layout: Layout) -> Rows:
    """Return one row per published point of a measure whose arm is drawn."""
    return [
        {
            "kind": "published",
            "arm": p["arm"],
            "t": p["time_h"],
            "y": p["value"],
            "relation": p.get("relation") or "=",
            "label": p.get("label") or p.get("id", ""),
            **layout.place(p["arm"]),
        }
        for p in record.get("published") or []
        if p.get("measure") == name
        and p.get("arm") in layout.traits
        and words.finite(p.get("value"))
        and words.finite(p.get("time_h"))
    ]


def _reading_rows(arms: list[Record], name: str, about: Record, layout: Layout) -> Rows:
    rows: Rows = []
    for arm in arms:
        curve = arm.get("curves", {}).get(name) or {}
        reading = curve.get("reading")
        if not reading:
            continue
        sd = curve.get("reading_sd")
        flags = curve.get("flag") or [0] * len(reading)
        for t, y, flag, true in zip(about["time_h"], reading, flags, curve["value"], strict=False):
            place = {"arm": arm["name"], "t": rounded(t), **layout.place(arm["name"])}
            rows.append({"kind": "curve", "y": rounded(true), **place})
            if words.finite(y):
                spread = sd if words.finite(sd) else 0.0
                rows.append(
                    {
                        "kind": "reading",
                        "y": rounded(y),
                        "low": rounded(y - spread),
                        "high": rounded(y + spread),
                        "flag": {-1: "below", 1: "above"}.get(flag, "inside"),
                        **place,
                    }
                )
    return rows if any(r["kind"] == "reading" for r in rows) else []


def _chart(record: Record, name: str, about: Record, rows: Rows, layout: Layout, assay: str = "") -> Chart:
    title = words.measure_title(name) + (f", read by {words.plain(assay)}" if assay else "")
    place = identifier(f"{name}-reading" if assay else name)
    caption = _caption(record, name, rows, layout, bool(assay))
    definition = _definition(name, about, rows, layout)
    return Chart(f"figure-{place}", title, caption, _description(title, rows, name, layout), definition)


def _caption(record: Record, name: str, rows: Rows, layout: Layout, reading: bool) -> str:
    kinds = {r["kind"] for r in rows}
    meaning = words.meaning(name)
    parts = [f"{words.measure_title(name)}: {meaning}.", layout.words()]
    if reading:
        parts.append("Thin line: true value of the central run. Points: what the assay shows of it, with one standard ")
        parts[-1] += "deviation."
        flags = {r.get("flag") for r in rows}
        parts += ["Open circle: below the detection limit."] if "below" in flags else []
        above = "Open triangle: above the highest absorbance, so the true value is larger."
        parts += [above] if "above" in flags else []
    else:
        bands = band_words(record, rows)
        parts += ["Line: central run.", bands] if bands else []
        parts += [CUT] if is_cut(rows) else []
        parts.append(_hidden(rows))
    if "published" in kinds:
        relations = {r["relation"] for r in rows if r["kind"] == "published"}
        parts.append("Marks with a dark edge: published values in the colour of the arm they belong to.")
        parts += ["Diamond: about."] if "~" in relations else []
        parts += ["Triangle pointing down: the paper says less than this."] if "<" in relations else []
        parts += ["Triangle pointing up: the paper says more than this."] if ">" in relations else []
    return " ".join(p for p in parts if p)


def _hidden(rows: Rows) -> str:
    """Return a warning where curves of one panel lie on top of each other (within 1 % of the range)."""
    curves: dict[tuple[str, str], list[float]] = {}
    for r in rows:
        if r["kind"] == "curve" and r["y"] is not None:
            curves.setdefault((r.get("panel", ""), r["arm"]), []).append(r["y"])
    height = max(max(c) for c in curves.values()) - min(min(c) for c in curves.values())
    seen: list[tuple[str, list[float]]] = []
    for (panel, _), values in curves.items():
        near = (
            p == panel
            and len(o) == len(values)
            and max(abs(a - b) for a, b in zip(o, values, strict=True)) <= 0.01 * height
            for p, o in seen
        )
        if not any(near):
            seen.append((panel, values))
    return "Some curves coincide and hide one another." if len(seen) < len(curves) else ""


def _description(title: str, rows: Rows, name: str, layout: Layout) -> str:
    curves = [r for r in rows if r["kind"] == "curve" and r["y"] is not None]
    arms = len({r["arm"] for r in curves})
    times, values = [r["t"] for r in curves], [r["y"] for r in curves]
    scale, unit = (100.0, " %") if words.is_fraction(name) else (1.0, "")
    low, high = scale * min(values), scale * max(values)
    panels = len({r["panel"] for r in curves}) if layout.panel else 1
    return (
        f"{title} against time, {words.count(arms, 'arm')} in {words.count(panels, 'panel')}, "
        f"{min(times):.3g} to {max(times):.3g} h, values from {low:.3g} to {high:.3g}{unit}."
    )


def _definition(name: str, about: Record, rows: Rows, layout: Layout) -> Any:
    """Return the Altair chart: bands, lines, readings and published points in layers, panels where the layout asks."""
    import altair as alt

    panels = [p for p in layout.order.get(layout.panel, []) if any(r.get("panel") == p for r in rows)]
    columns = 1 if len(panels) < 2 else 2 if len(panels) in (2, 4) else 3
    width = 620 if columns == 1 else WIDE // columns - 30 * (columns - 1)
    chart: Any = alt.layer(*_layers(name, about, rows, layout), data=alt.InlineData(values=[])).properties(
        width=width, height=250
    )
    if columns > 1:
        header = alt.Header(title=None, labelFontSize=13, labelFontWeight="bold", labelColor=INK, labelAnchor="start")
        chart = chart.facet(facet=alt.Facet("panel:N", sort=panels, header=header), columns=columns, spacing=24)
    # The data go in last and unchecked: Altair would copy and check thousands of rows at every step.
    narrow = {"color": _columns(layout, layout.colour, NARROW), "strokeDash": _columns(layout, layout.dash, NARROW)}
    chart = styled(chart.properties(usermeta={"narrow_columns": narrow}))
    chart.data = {"values": rows}
    return chart


def _columns(layout: Layout, trait: str, width: int) -> int:
    """Return how many legend entries of a trait fit side by side."""
    return legend_columns(layout.order.get(trait, []), width)


def _layers(name: str, about: Record, rows: Rows, layout: Layout) -> list[Any]:
    import altair as alt

    fraction = words.is_fraction(name)
    axis = alt.Axis(
        title=words.measure_axis(name, about.get("unit", "")), tickCount=5, format="~%" if fraction else alt.Undefined
    )
    x = alt.X("t:Q", axis=alt.Axis(title="Time (h)", tickCount=6), scale=alt.Scale(nice=False))
    read = any(r["kind"] == "reading" for r in rows)
    curves = [r for r in rows if r["kind"] == "curve"]
    lowest = 0 if not read and is_cut(curves) else alt.Undefined
    y = alt.Y("y:Q", axis=axis, scale=alt.Scale(zero=name != "ph", domainMin=lowest))
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("t:Q", title="time (h)", format=".3~g"),
        alt.Tooltip("y:Q", title=words.measure_title(name), format=".3~%" if fraction else ".3~g"),
    ]
    base: Any = alt.Chart().encode(x=x, y=y, tooltip=tooltip, **_colour(layout))
    curve = base.transform_filter("datum.kind === 'curve'")
    dash = _dash(layout)
    panels = max(len({r.get("panel") for r in curves}), 1)
    bands = drawn_bands(curves, -(-len({r["arm"] for r in curves}) // panels))
    layers = [_band_layer(curve, band, layout) for band in bands]
    layers.append(
        curve.mark_line(strokeWidth=1 if read else 2, strokeJoin="round", opacity=0.6 if read else 1).encode(
            detail="arm:N", **dash
        )
    )
    if not read and len(about["time_h"]) <= FEW_TIMES:
        layers.append(curve.mark_point(size=22, filled=True, opacity=1))
    if read:
        layers += _reading_layers(base)
    if any(r["kind"] == "published" for r in rows):
        layers.append(_published_layer(base))
    return layers


def _band_layer(curve: Any, band: Band, layout: Layout) -> Any:
    import altair as alt

    edge: dict[str, Any] = {"stroke": alt.value(CATEGORIES[0])}
    if layout.colour:
        edge = {"stroke": alt.Stroke("colour:O", scale=_scale(layout), legend=None)}
    area = curve.transform_filter(f"isValid(datum.{band.low})").mark_area(**band.look)
    ends = {"y": alt.Y(f"{band.low}:Q"), "y2": alt.Y2(f"{band.high}:Q")}
    return area.encode(**ends, **edge, detail="arm:N", tooltip=alt.value(None))


def _reading_layers(base: Any) -> list[Any]:
    import altair as alt

    reading = base.transform_filter("datum.kind === 'reading'")
    shape = alt.Shape(
        "flag:N",
        legend=None,
        scale=alt.Scale(domain=["inside", "below", "above"], range=["circle", "circle", "triangle-up"]),
    )
    return [
        reading.mark_rule(strokeWidth=1.2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        reading.transform_filter("datum.flag === 'inside'")
        .mark_point(size=34, filled=True, opacity=1)
        .encode(shape=shape),
        reading.transform_filter("datum.flag !== 'inside'")
        .mark_point(size=34, fill="white", strokeWidth=1.4)
        .encode(shape=shape),
    ]


def _published_layer(base: Any) -> Any:
    import altair as alt

    shape = alt.Shape("relation:N", legend=None, scale=alt.Scale(domain=list(MARKERS), range=list(MARKERS.values())))
    tooltip = [
        alt.Tooltip("label:N", title="published"),
        alt.Tooltip("relation:N"),
        alt.Tooltip("y:Q", title="value"),
        alt.Tooltip("t:Q", title="time (h)"),
        alt.Tooltip("arm:N"),
    ]
    published = base.transform_filter("datum.kind === 'published'")
    mark = published.mark_point(size=90, filled=True, opacity=1, stroke=INK, strokeWidth=1.3)
    return mark.encode(shape=shape, tooltip=tooltip)


def _colour(layout: Layout) -> dict[str, Any]:
    import altair as alt

    if not layout.colour:
        return {"color": alt.value(CATEGORIES[0])}
    legend = alt.Legend(
        title=TITLES[layout.colour],
        symbolType="stroke",
        symbolOpacity=1,
        columns=_columns(layout, layout.colour, WIDE if not layout.dash else WIDE // 2),
    )
    return {"color": alt.Color("colour:O", sort=layout.order[layout.colour], scale=_scale(layout), legend=legend)}


def _scale(layout: Layout) -> Any:
    """Return the colours of lines and bands: dark to light for what is ordered."""
    import altair as alt

    values = layout.order[layout.colour]
    if layout.ordered_colour:
        return alt.Scale(domain=values, scheme=alt.SchemeParams(name="plasma", extent=[0.0, 0.82], count=len(values)))
    return alt.Scale(domain=values, range=[CATEGORIES[i % len(CATEGORIES)] for i in range(len(values))])


def _dash(layout: Layout) -> dict[str, Any]:
    """Return the dash of a trait; many named arms take dashes too, once the colours are used up."""
    import altair as alt

    if layout.dash:
        values = layout.order[layout.dash]
        scale = alt.Scale(domain=values, range=list(DASHES[: len(values)]))
        legend = alt.Legend(
            title=TITLES[layout.dash],
            symbolType="stroke",
            symbolStrokeColor=INK,
            symbolOpacity=1,
            columns=_columns(layout, layout.dash, WIDE // 2),
        )
        return {"strokeDash": alt.StrokeDash("dash:O", sort=values, scale=scale, legend=legend)}
    values = layout.order.get(layout.colour, [])
    if layout.colour != "arm" or len(values) <= len(CATEGORIES):
        return {}
    dashes = [DASHES[i // len(CATEGORIES) % len(DASHES)] for i in range(len(values))]
    legend = alt.Legend(title=TITLES["arm"], symbolType="stroke", columns=_columns(layout, "arm", WIDE))
    return {
        "strokeDash": alt.StrokeDash(
            "colour:O", sort=values, scale=alt.Scale(domain=values, range=dashes), legend=legend
        )
    }
