"""What every figure shares: colours, styling, the narrow variant for a telephone, and SVG or PNG through vl-convert."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from nanotrial.report import words

Rows = list[dict[str, Any]]
CATEGORIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")  # Okabe and Ito
INK, SOFT = "#1f2933", "#52606d"
DASHES = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3])
FONT = "Arial, Liberation Sans, sans-serif"
MARKERS = {"=": "circle", "~": "diamond", "<": "triangle-down", ">": "triangle-up"}
WIDE, NARROW = 850, 275
NARROW_HEIGHT = 190


@dataclass(frozen=True)
class Chart:
    """One figure: id, title, caption, a description for those who cannot see it, and its definition.

    The definition is an Altair chart, or plain Vega-Lite with the same ``to_dict``.
    """

    id: str
    title: str
    caption: str
    description: str
    definition: Any


@dataclass(frozen=True)
class Definition:
    """A figure written as plain Vega-Lite, without what every figure shares."""

    spec: dict[str, Any]

    def to_dict(self, validate: bool = True) -> dict[str, Any]:
        """Return the whole specification, as Altair charts do.

        Arguments:
            validate: check it against the schema of Vega-Lite.
        """
        import altair as alt

        shared = styled(alt.Chart(alt.InlineData(values=[])).mark_point()).to_dict(validate=False)
        whole = {"$schema": shared["$schema"], "config": shared["config"], **self.spec}
        if validate:
            alt.Chart.from_dict(whole)
        return whole


def chart_spec(chart: Chart, narrow: bool = False) -> dict[str, Any]:
    """Return the Vega-Lite specification of a figure.

    Arguments:
        chart: the figure.
        narrow: one column of panels, for a telephone.
    """
    spec: dict[str, Any] = copy.deepcopy(chart.definition.to_dict(validate=False))
    legend = spec["config"]["legend"]
    if not narrow:
        legend["layout"] = {"top": {"direction": "horizontal", "anchor": "start", "margin": 36}}
        return spec
    legend["layout"] = {"top": {"direction": "vertical", "anchor": "start"}}
    if "facet" in spec or "concat" in spec:
        spec["columns"] = 1
    for view in spec.get("concat") or [spec.get("spec", spec)]:
        _make_narrow(view, spec["usermeta"])
    return spec


def _make_narrow(view: dict[str, Any], about: dict[str, Any]) -> None:
    """Give one panel the width of a telephone and its legends as many columns as fit there."""
    view["width"] = NARROW
    if not about.get("keep_height"):
        view["height"] = NARROW_HEIGHT
    for layer in view["layer"]:
        for channel, columns in about["narrow_columns"].items():
            if layer["encoding"].get(channel, {}).get("legend"):
                layer["encoding"][channel]["legend"]["columns"] = columns


def chart_svg(chart: Chart, narrow: bool = False) -> str:
    """Return a figure as SVG text; its ids carry the figure's own, so that several can stand on one page.

    Ids are counted anew in every figure: the drawing library counts on from figure to figure of a process.
    """
    import vl_convert

    svg = vl_convert.vegalite_to_svg(chart_spec(chart, narrow), vl_version=vegalite_version())
    mark = f"{chart.id}-{'narrow' if narrow else 'wide'}-"
    order = {name: i for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    return re.sub(r'(\bid="|url\(#|href="#)([^")]+)', lambda m: f"{m[1]}{mark}{order.get(m[2], m[2])}", str(svg))


def chart_png(chart: Chart, scale: float = 2.0, narrow: bool = False) -> bytes:
    """Return a figure as PNG.

    Arguments:
        chart: the figure.
        scale: pixels per point.
        narrow: the variant for a telephone.
    """
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(chart_spec(chart, narrow), vl_version=vegalite_version(), scale=scale))


def vegalite_version() -> str:
    """Return the Vega-Lite version that Altair writes, as vl-convert names it."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.split(".")[:2])


def rounded(value: Any) -> float | None:
    """Return a number with six digits, or nothing where there is none."""
    return float(f"{value:.6g}") if words.finite(value) else None


def identifier(text: str) -> str:
    """Return a text as part of the id of a figure."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


def legend_columns(texts: list[str], width: int) -> int:
    """Return how many legend entries fit side by side."""
    longest = max((len(text) for text in texts), default=1)
    return max(1, int(width / (6.5 * longest + 36)))


def styled(chart: Any) -> Any:
    """Return a chart in the style of the report: quiet axes, legend above, one font."""
    quiet = {"labelColor": "#52606d", "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    return (
        chart.configure(font=FONT, aria=False, background="white", padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            **quiet,
            titleFontWeight="normal",
            gridColor="#e8ecf0",
            domainColor="#9aa5b1",
            tickColor="#9aa5b1",
            tickSize=4,
            labelPadding=4,
            titlePadding=8,
            labelFlush=False,
        )
        .configure_axisX(grid=False)
        .configure_axisY(domain=False, ticks=False)
        .configure_legend(
            **quiet,
            orient="top",
            direction="horizontal",
            titleFontWeight="normal",
            symbolStrokeWidth=2.5,
            symbolSize=260,
            labelLimit=320,
            offset=10,
            columnPadding=14,
        )
    )
