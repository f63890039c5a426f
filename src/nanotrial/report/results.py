"""The second half of the page: figures, end points, balances, parameters, mechanisms, citations, provenance."""

from __future__ import annotations

import re

from nanotrial.report.charts import Chart, chart_svg
from nanotrial.report.cohort import has_subjects, subject_word
from nanotrial.report.layout import Record
from nanotrial.report.published import reported
from nanotrial.report.sections import failed_first
from nanotrial.report.tables import Column, Row, details, facts, items, table
from nanotrial.report.words import (
    MISSING,
    count,
    escape,
    finite,
    fixed,
    identifier,
    is_fraction,
    measure_axis,
    measure_title,
    number,
    plain,
    pretty,
    shown_measure,
    value_parts,
)

ROUNDING, TOLERATED = 1e-9, 1e-6
FLAGS = {-1: " <small>below the detection limit</small>", 1: " <small>above the highest absorbance</small>"}


def figures(record: Record, made: list[Chart]) -> str:
    """Return the figures."""
    if not made:
        return "<p>No arm reached its end, so there is nothing to draw.</p>"
    return "\n".join(_figure(chart, n) for n, chart in enumerate(made, start=1))


def _figure(chart: Chart, place: int) -> str:
    pictures = "".join(
        f'<div class="{kind}-figure" role="img" aria-label="{escape(chart.description)}">'
        f"{_inline(chart_svg(chart, kind == 'narrow'))}</div>\n"
        for kind in ("wide", "narrow")
    )
    return (
        f'<figure id="{chart.id}">\n<h3>Figure {place}. {escape(chart.title)}</h3>\n{pictures}'
        f"<figcaption>{escape(chart.caption)}</figcaption>\n</figure>"
    )


def _inline(svg: str) -> str:
    """Return SVG for use inside HTML: namespaces go, and the width becomes the most it may have."""
    head, mark, body = svg.partition(">")
    head = re.sub(r'\s(xmlns(:\w+)?|version|height)="[^"]*"', "", head)
    head = re.sub(r'\swidth="([\d.]+)"', r' style="max-width:\1px" aria-hidden="true" focusable="false"', head)
    return head + mark + body


def end_points(record: Record) -> str:
    """Return what was reported beside what was computed, and the last value of every measure in every arm."""
    measures = record["measures"]
    read = [m for m in measures if any((a.get("curves", {}).get(m) or {}).get("reading") for a in record["arms"])]
    columns = [Column("Arm", "nowrap")]
    for name, about in measures.items():
        last = f"{number(about['time_h'][-1])} h" if about.get("time_h") else MISSING
        heading = escape(measure_axis(name, about.get("unit", "1")))
        columns.append(Column(f"{heading} <small>at {last}</small>", "number"))
    columns += [Column(f"{escape(measure_title(m))} <small>as read, one sd</small>", "number") for m in read]
    rows = []
    for arm in failed_first(record):
        curves = arm.get("curves", {})
        cells = [escape(arm["name"])] + [_last(m, curves.get(m) or {}) for m in measures]
        cells += [_last_reading(curves.get(m) or {}) for m in read]
        rows.append(Row(cells, "" if arm.get("status") == "done" else "failed"))
    band = f" In brackets: {_band_meaning(record)}, from 5 to 95 %." if record.get("members") else ""
    last = table(f"<strong>End points.</strong> Each measure at its last time, central run.{band}", columns, rows)
    return "\n".join(filter(None, [reported(record), last]))


def _band_meaning(record: Record) -> str:
    if not has_subjects(record):
        return "what is unknown"
    return f"one reading, with what is unknown, how {escape(subject_word(record, 2))} differ and noise"


def _last(name: str, curve: Record) -> str:
    value = (curve.get("value") or [None])[-1]
    low, high = (curve.get("low") or [None])[-1], (curve.get("high") or [None])[-1]
    if not (finite(low) and finite(high)):
        return shown_measure(name, value)
    scale = 100.0 if is_fraction(name) else 1.0
    band = f"{number(scale * low, keep=True)} to {number(scale * high, keep=True)}"
    return f"{shown_measure(name, value)} <small>({band})</small>"


def _last_reading(curve: Record) -> str:
    value = (curve.get("reading") or [None])[-1]
    flag = (curve.get("flag") or [0])[-1]
    sd = f" ± {number(curve['reading_sd'], 2)}" if finite(curve.get("reading_sd")) and finite(value) else ""
    return number(value, keep=True) + sd + FLAGS.get(flag, "")


def balances(record: Record) -> str:
    """Return the largest imbalance of each conserved kind, and where the protons went."""
    worst: dict[str, tuple[float, str]] = {}
    broken = []
    for arm in record["arms"]:
        for kind, value in (arm.get("imbalance") or {}).items():
            if not finite(value):
                broken.append(f"{plain(kind)} in {arm['name']}")
            elif value >= worst.get(kind, (-1.0, ""))[0]:
                worst[kind] = (value, arm["name"])
    if not worst and not broken:
        return "<p>No balance was recorded.</p>"
    rows = [
        Row([escape(plain(k, capital=True)), number(v, 2), escape(arm) if v else "all arms"])
        for k, (v, arm) in worst.items()
    ]
    columns = [Column("Conserved"), Column("Largest relative departure", "number"), Column("In arm")]
    shown = table(
        "<strong>Conservation.</strong> What is found less what was put in, over what was put in; the worst "
        "over all arms and times.",
        columns,
        rows,
    )
    return f"<p>{_reading(worst, broken)}</p>\n{shown}\n{_protons(record)}"


def _reading(worst: dict[str, tuple[float, str]], broken: list[str]) -> str:
    if broken:
        return f"<strong>A balance could not be computed</strong>: {escape(', '.join(broken))}."
    largest = max(v for v, _ in worst.values())
    if largest <= ROUNDING:
        return "Every conserved quantity closes to rounding."
    kind, (value, arm) = max(worst.items(), key=lambda row: row[1][0])
    where = f"{escape(plain(kind))} in {escape(arm)}, {number(value, 2)} of the whole"
    if largest <= TOLERATED:
        return f"Every conserved quantity closes within the solver's tolerance; the largest departure is {where}."
    return f"<strong>A balance does not close</strong>: {where}. Do not trust this run before that is understood."


def _protons(record: Record) -> str:
    arms = [a for a in record["arms"] if a.get("protons")]
    names = list(dict.fromkeys(n for a in arms for n in a["protons"] if n != "charge_error"))
    if not arms or not names:
        return ""
    columns = [Column("Arm", "nowrap")]
    columns += [Column("Free" if n == "free" else escape(plain(n, capital=True)), "number") for n in names]
    columns.append(Column("Charge error", "number"))
    rows = [
        Row(
            [
                escape(a["name"]),
                *(fixed(a["protons"].get(n)) for n in names),
                number(a["protons"].get("charge_error"), 2),
            ]
        )
        for a in arms
    ]
    return table(
        "<strong>Where protons went</strong> (mmol/L, last time less first). Positive: took up protons; negative: gave "
        "them. Free is hydrogen ion less hydroxide. The charge error is the largest departure from neutrality.",
        columns,
        rows,
    )


def parameters(record: Record) -> str:
    """Return all other parameters with their sources, collapsed."""
    known = [p for p in record.get("parameters", []) if p.get("grade") not in ("assumed", "fitted", "study")]
    given = [p for p in record.get("parameters", []) if p.get("grade") == "study"]
    columns = [
        Column("Quantity", "middle"),
        Column("Value", "nowrap"),
        Column("Spread", "middle"),
        Column("Grade"),
        Column("Source", "long"),
        Column("Note", "long"),
    ]
    rows = [
        Row(
            [
                identifier(p["parameter"]),
                *value_parts(str(p["value"])),
                escape(p["grade"]),
                _source(p),
                escape(p.get("note")) or MISSING,
            ]
        )
        for p in known
    ]
    parts = (
        [
            details(
                f"Measured and derived values ({len(rows)})",
                table("<strong>Values with a source.</strong>", columns, rows),
            )
        ]
        if rows
        else []
    )
    if given:
        own = [Row([identifier(p["parameter"]), pretty(p["value"])]) for p in given]
        caption = "<strong>Values that follow from the study.</strong> Where arms differ, that of the first arm."
        parts.append(
            details(
                f"Values set by the study ({len(own)})",
                table(caption, [Column("Quantity"), Column("Value", "nowrap")], own),
            )
        )
    return "\n".join(parts) or "<p>No other parameter was used.</p>"


def _source(p: Record) -> str:
    return escape(p.get("source")) + (f": {escape(p['locator'])}" if p.get("locator") else "")


def mechanisms(record: Record) -> str:
    """Return the mechanisms in use, and in how many arms."""
    arms = [a for a in record["arms"] if a.get("mechanisms")]
    names = list(dict.fromkeys(m for a in arms for m in a["mechanisms"]))
    if not names:
        return "<p>No mechanism was recorded.</p>"
    lines = []
    for name in names:
        users = sum(name in a["mechanisms"] for a in arms)
        lines.append(identifier(name) + ("" if users == len(arms) else f", in {users} of {count(len(arms), 'arm')}"))
    return items(lines)


def citations(record: Record) -> str:
    """Return the sources as text and as BibTeX; a key without an entry stands alone."""
    known, keys = record.get("bibliography", {}), record.get("citations", [])
    if not keys:
        return "<p>No source was used.</p>"
    shown = "".join(f"<li>{_citation(key, known.get(key, {}))}</li>" for key in keys if key != "assumed")
    entries = "\n\n".join(known[k]["raw"] for k in keys if k in known)
    listed = f'<ol class="references">{shown}</ol>' if shown else "<p>All values are judgements.</p>"
    return listed + (details("BibTeX", f"<pre>{escape(entries)}</pre>", "bibtex") if entries else "")


def _citation(key: str, entry: dict[str, str]) -> str:
    if not entry:
        return f"<code>{escape(key)}</code>: not in the list of references."
    journal = f"<em>{escape(entry['journal'])}</em>" if entry.get("journal") else escape(entry.get("publisher", ""))
    volume = f"<strong>{escape(entry['volume'])}</strong>" if entry.get("volume") else ""
    place = " ".join(filter(None, [journal, volume]))
    place = ", ".join(filter(None, [place, escape(entry.get("pages", "")).replace("--", "–")]))
    authors = escape(entry.get("author", "").replace(" and others", " et al.").replace(" and ", "; "))
    year = f" ({escape(entry['year'])})" if entry.get("year") else ""
    sentences = [f"{authors}{year}", escape(entry.get("title", "")), place, escape(entry.get("note", ""))]
    text = " ".join(s if s.endswith(".") else f"{s}." for s in sentences if s)
    doi = escape(entry.get("doi", ""))
    link = f'<a href="https://doi.org/{doi}">doi:{doi}</a>' if doi else escape(entry.get("url", ""))
    return f"{text} {link} <small>[{escape(key)}]</small>"


def provenance(record: Record) -> str:
    """Return versions, seed and the digest of the study."""
    versions = [f"{escape(n)} {escape(v)}" for n, v in (record.get("versions") or {}).items()]
    rows = [
        ("nanotrial", escape(record.get("nanotrial", MISSING))),
        ("Software", ", ".join(versions) or MISSING),
        ("Seed", escape(record.get("seed", MISSING))),
        ("Worlds", escape(record.get("members", MISSING))),
        ("Subjects in each world", escape(record.get("subjects", MISSING))),
        ("Study file", f"<code>{escape(record.get('study_file', MISSING))}</code>"),
        ("SHA-256 of the study", f"<code>{escape(record.get('study_sha256', MISSING))}</code>"),
        ("Record format", escape(record.get("format", MISSING))),
    ]
    return facts(rows, wide=True)
