"""The page of a run: one HTML file that needs nothing else, no network and, unless asked for, no script."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from string import Template

from nanotrial.errors import OutputError
from nanotrial.report import results, sections
from nanotrial.report.charts import Chart, chart_spec, charts, vegalite_version
from nanotrial.report.cohort import cohort
from nanotrial.report.comparisons import statistics
from nanotrial.report.layout import Record
from nanotrial.report.words import escape

# The browser is told to fetch nothing; Vega compiles its expressions, which is why the live page may use eval.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LIVE_POLICY = POLICY + " blob:; script-src 'unsafe-inline' 'unsafe-eval'"
LIVE = """
const specs = JSON.parse(document.getElementById("specs").textContent);
const narrow = window.matchMedia("(max-width: 40rem)").matches ? "narrow" : "wide";
for (const [id, pair] of Object.entries(specs)) {
  const holder = document.querySelector("#" + CSS.escape(id) + " ." + narrow + "-figure");
  const live = document.createElement("div");
  live.className = "live";
  vegaEmbed(live, pair[narrow], {actions: false, renderer: "svg"})
    .then(() => { holder.replaceChildren(live); holder.removeAttribute("role"); })
    .catch((error) => console.warn("static figure kept", error));
}
"""


def write_report(record: Record, path: Path, interactive: bool = False) -> None:
    """Write the page of a run.

    Arguments:
        record: the plain record of a run; ``published`` points in it are drawn on the figures.
        path: the HTML file to write.
        interactive: embed Vega, so that figures show values under the pointer; without it the page has no script.

    Raises:
        OutputError: the disk refuses.
    """
    text = page(record, interactive)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"{path} could not be written: {why}. Choose another place with -o.") from error


def page(record: Record, interactive: bool = False) -> str:
    """Return the page of a run as HTML text.

    Arguments:
        record: the plain record of a run.
        interactive: embed Vega.
    """
    made = charts(record)
    parts = _parts(record, made)
    folder = resources.files("nanotrial.report")
    template = Template((folder / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(record.get("title") or "Untitled run"),
        policy=LIVE_POLICY if interactive else POLICY,
        version=escape(record.get("nanotrial", "")),
        style=(folder / "style.css").read_text(encoding="utf-8").strip(),
        summary=sections.summary(record),
        contents="\n".join(f'<li><a href="#{i}">{heading}</a></li>' for i, heading, _ in parts),
        sections="\n".join(
            f'<section id="{i}" aria-labelledby="{i}-heading">\n<h2 id="{i}-heading">{heading}</h2>\n{body}\n</section>'
            for i, heading, body in parts
        ),
        script=_script(made) if interactive else "",
    )


def _parts(record: Record, made: list[Chart]) -> list[tuple[str, str, str]]:
    """Return id, heading and HTML of each section, in order: assumed values come before every result."""
    return [
        ("run", "What was run", sections.what_was_run(record)),
        ("assumptions", "Assumptions", sections.assumptions(record)),
        ("fitted", "Fitted values", sections.fitted(record)),
        ("budgets", "Budgets", sections.budgets(record)),
        ("cohort", "Cohort", cohort(record)),
        ("figures", "Figures", results.figures(record, made)),
        ("end-points", "End points", results.end_points(record)),
        ("statistics", "Statistics", statistics(record)),
        ("balances", "Balances", results.balances(record)),
        ("parameters", "Other parameters", results.parameters(record)),
        ("mechanisms", "Mechanisms", results.mechanisms(record)),
        ("citations", "Citations", results.citations(record)),
        ("provenance", "Provenance", results.provenance(record)),
    ]


def _script(made: list[Chart]) -> str:
    import vl_convert

    specs = {c.id: {"wide": chart_spec(c), "narrow": chart_spec(c, narrow=True)} for c in made}
    data = json.dumps(specs, separators=(",", ":")).replace("<", "\\u003c")
    bundle = vl_convert.javascript_bundle(LIVE, vl_version=vegalite_version()).replace("</script", "<\\/script")
    return f'<script type="application/json" id="specs">{data}</script>\n<script type="module">{bundle}</script>'
