"""The figure of clonogenic survival: surviving fraction against dose, a line for all else that arms are given."""

from __future__ import annotations

from typing import Any

from nanotrial.report import words
from nanotrial.report.drawing import CATEGORIES, NARROW, Chart, Rows, legend_columns, rounded, styled
from nanotrial.report.groups import Arms
from nanotrial.report.layout import Record, given_text, total_dose

MEASURE = "surviving_fraction"
FEWEST_DOSES = 2


def survival_chart(record: Record, arms: list[Record]) -> Chart | None:
    """Return the survival curves of a dish, or None where no arm is irradiated in two doses.

    Arguments:
        record: the plain record of a run.
        arms: its arms that are done.
    """
    if MEASURE not in record["measures"]:
        return None
    rows = _rows(arms)
    things = list(dict.fromkeys(r["thing"] for r in rows))
    if not things:
        return None
    hours = f"{record['measures'][MEASURE]['time_h'][-1]:g} h"
    banded = any("low" in r for r in rows)
    caption = f"Surviving fraction against dose at {hours}: {words.MEANINGS[MEASURE]}; logarithmic axis of survival."
    caption += " Bars: 90 % of the members." if banded else ""
    told = "; ".join(f"{t}: {_told(rows, t)}" for t in things)
    chart = _definition(rows, things, banded)
    return Chart("figure-survival", "Clonogenic survival", caption, f"Surviving fraction. {told}.", chart)


def _rows(arms: list[Record]) -> Rows:
    """Return one row per arm, for what is given in at least two doses, nothing counted as one."""
    known = Arms(arms)
    found: dict[str, Rows] = {}
    among = list(dict.fromkeys(known.cultures.values()))
    for arm in arms:
        curve = (arm.get("curves") or {}).get(MEASURE) or {}
        value = (curve.get("value") or [None])[-1]
        if not words.finite(value) or value <= 0:
            continue
        else_given = given_text({**arm, "irradiations": []}) or "nothing else"
        culture = known.label(known.cultures[arm["name"]], among) if len(among) > 1 else ""
        thing = f"{else_given}, {culture}" if culture else else_given
        row = {"arm": arm["name"], "thing": thing, "dose": total_dose(arm), "y": float(rounded(value) or 0.0)}
        ends = [(curve.get(key) or [None])[-1] for key in ("low", "high")]
        if all(words.finite(e) and e > 0 for e in ends):
            row |= {"low": ends[0], "high": ends[1]}
        found.setdefault(thing, []).append(row)
    kept = [r for rows in found.values() if len({x["dose"] for x in rows}) >= FEWEST_DOSES for r in rows]
    return sorted(kept, key=lambda r: (str(r["thing"]), float(r["dose"])))


def _spread(rows: Rows, things: list[str]) -> None:
    """Give whiskers of one dose places beside each other, so that none hides another."""
    step = 0.008 * max(float(r["dose"]) for r in rows)
    for r in rows:
        r["beside"] = r["dose"] + step * (things.index(r["thing"]) - (len(things) - 1) / 2.0)


def _told(rows: Rows, thing: str) -> str:
    return ", ".join(f"{r['y']:.3g} at {r['dose']:g} Gy" for r in rows if r["thing"] == thing)


def _definition(rows: Rows, things: list[str], banded: bool) -> Any:
    import altair as alt

    colours = [CATEGORIES[i % len(CATEGORIES)] for i in range(len(things))]
    columns = legend_columns(things, 620)
    legend = alt.Legend(title="Beside the dose", symbolOpacity=1, columns=columns, symbolSize=90)
    colour = alt.Color("thing:N", sort=things, scale=alt.Scale(domain=things, range=colours), legend=legend)
    lowest = min(r["y"] for r in rows)
    # Whiskers may run off the axis: a curve is read by its points.
    least = max(min(r.get("low", 1.0) for r in rows), lowest / 10.0) if banded else lowest
    _spread(rows, things)
    scale = alt.Scale(type="log", domain=[max(least / 1.5, 1e-6), 1.2], clamp=True, nice=False)
    most = max(float(r["dose"]) for r in rows)
    x = alt.X(
        "dose:Q",
        axis=alt.Axis(title="Absorbed dose (Gy)", format="~g", values=sorted({float(r["dose"]) for r in rows})),
        scale=alt.Scale(domain=[-0.03 * most, 1.03 * most], nice=False),
    )
    y = alt.Y("y:Q", scale=scale, axis=alt.Axis(title="Surviving fraction", format="~g", tickCount=5, grid=False))
    base: Any = alt.Chart().encode(x=x, y=y, color=colour)
    tooltip = [alt.Tooltip("arm:N"), alt.Tooltip("dose:Q"), alt.Tooltip("y:Q", format=".3~g")]
    layers = [base.mark_line(strokeWidth=2), base.mark_point(size=70, filled=True, opacity=1).encode(tooltip=tooltip)]
    if banded:
        whisker = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.3, opacity=0.7)
        layers.insert(0, whisker.encode(x=alt.X("beside:Q"), y=alt.Y("low:Q", scale=scale), y2="high:Q"))
    chart: Any = alt.layer(*layers, data=alt.InlineData(values=[])).properties(width=620, height=300)
    narrow = legend_columns(things, NARROW)
    chart = styled(chart.properties(usermeta={"narrow_columns": {"color": narrow}}))
    chart.data = {"values": rows}
    return chart
