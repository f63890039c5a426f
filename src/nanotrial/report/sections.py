"""The first half of the page: what was run, what was assumed, what was fitted, and what conservation allows."""

from __future__ import annotations

from typing import Any

from nanotrial.report import cohort, culture
from nanotrial.report.layout import Record, choose_layout, in_dish
from nanotrial.report.tables import Column, Row, details, facts, items, table
from nanotrial.report.words import (
    MISSING,
    count,
    escape,
    finite,
    identifier,
    listing,
    number,
    plain,
    pretty,
    quantity,
    units,
    value_parts,
)

MOST_ASSUMED = 60  # in one table


def failed_first(record: Record) -> list[Record]:
    """Return the arms, those that failed before those that are done."""
    return sorted(record["arms"], key=lambda a: a.get("status") == "done")


def summary(record: Record) -> str:
    """Return the facts under the title."""
    arms = record["arms"]
    failed = sum(a.get("status") != "done" for a in arms)
    done = f"{len(arms) - failed} of {len(arms)} done"
    return facts(
        [
            ("Place", escape(plain(record.get("place", ""), capital=True))),
            ("Arms", f'<span style="color:var(--bad)">{done}</span>' if failed else done),
            ("Cohort", cohort.fact(record)),
            ("Fits used", listing([escape(f) for f in record.get("fits", [])]) or "none"),
            *_cells(record),
        ]
    )


def _cells(record: Record) -> list[tuple[str, str]]:
    """Return lines and warnings of a dish; nothing for a tube without warnings."""
    names = list(dict.fromkeys(str(a.get("cells_name") or a["cells"]) for a in record["arms"] if a.get("cells")))
    warned = len(record.get("warnings") or [])
    rows = [("Cells", escape(", ".join(names)))] if names else []
    return rows + ([("Warnings", f'<a href="#run">{count(warned, "warning")}</a>')] if warned else [])


def what_was_run(record: Record) -> str:
    """Return failures, subject, particles, fits and the table of arms."""
    return "\n".join(
        filter(
            None,
            [
                _failures(record),
                culture.warnings(record),
                culture.subject(record) if in_dish(record) else _subject(record),
                _particles(record),
                _described(record),
                _arms(record),
            ],
        )
    )


def _failures(record: Record) -> str:
    failed = [a for a in record["arms"] if a.get("status") != "done"]
    if not failed:
        return ""
    text = "The table of arms begins with them and gives the reasons; figures leave them out."
    return (
        f'<div class="failures"><p>{len(failed)} of {count(len(record["arms"]), "arm")} failed</p>'
        f'<p class="quiet">{text}</p></div>'
    )


def _subject(record: Record) -> str:
    order = choose_layout(record["arms"]).order
    shared = [(trait, order[trait][0]) for trait in ("buffer", "ph", "temperature") if len(order[trait]) == 1]
    names = {"buffer": "fluid", "ph": "starting pH", "temperature": "temperature"}
    same = listing([f"{names[t]} {escape(v)}" for t, v in shared])
    changed = listing([names[t] for t in names if len(order[t]) > 1])
    sentences = [f"Place: {escape(plain(record.get('place', '')))}."]
    if same:
        sentences.append(f"Every arm: {same}." if len(record["arms"]) > 1 else f"Subject: {same}.")
    if changed:
        sentences.append(f"Between arms, {changed} {'differ' if ' and ' in changed else 'differs'}.")
    return f"<p>{' '.join(sentences)}</p>"


def _particles(record: Record) -> str:
    rows = []
    for name, p in record.get("particles", {}).items():
        coats = [f"{escape(plain(c['material']))}, {escape(c['amount'])}" for c in p.get("coating", [])]
        dopants = [f"{escape(plain(k))} {number(100 * v)}&nbsp;%" for k, v in p.get("dopants", {}).items()]
        rows.append(
            Row(
                [
                    escape(name),
                    f"{escape(p['core'])} <small>{_formula(p.get('formula', ''))}</small>",
                    escape(p["diameter"]),
                    number(p.get("geometric_sd")),
                    "; ".join(coats) or "none",
                    ", ".join(dopants) or "none",
                ]
            )
        )
    if not rows:
        return ""
    columns = [
        Column("Particle", "nowrap"),
        Column("Core"),
        Column("Core diameter", "nowrap"),
        Column("Geometric sd", "number"),
        Column("Coat", "middle"),
        Column("Dopants (cations)", "nowrap"),
    ]
    return table("<strong>Particles.</strong> A geometric sd of 1 means particles of one size.", columns, rows)


def _formula(text: str) -> str:
    return "".join(f"<sub>{c}</sub>" if c.isdigit() else escape(c) for c in text)


def _described(record: Record) -> str:
    lines = []
    for name, p in record.get("particles", {}).items():
        d = p.get("described") or {}
        if d:
            value, spread = value_parts(str(d.get("zeta_shift", MISSING)))
            shift = value if spread == MISSING else f"{value} ({spread})"
            note = escape(d.get("hydrodynamic_note", ""))
            lines.append(
                f"<strong>{escape(name)}</strong>: the coat shifts the zeta potential by {shift}; "
                f"{note or 'no note on size'}. <small>Source: {escape(d.get('source', MISSING))}.</small>"
            )
    return f"<h3>Described, not computed</h3>\n{items(lines)}" if lines else ""


def _arms(record: Record) -> str:
    if in_dish(record):
        return _dish_arms(record)
    layout = choose_layout(record["arms"])
    varies = [t for t in ("buffer", "surface", "temperature", "given") if len(layout.order[t]) > 1]
    titles = {"buffer": "Fluid", "surface": "Surface", "temperature": "Temperature", "given": "Also given or removed"}
    loaded = any(a.get("particles") for a in record["arms"])
    columns = [Column("Arm", "nowrap"), *([Column("Particle"), Column("Load", "nowrap")] if loaded else [])]
    columns.append(Column("Starting pH", "number"))
    columns += [Column(titles[t], "nowrap" if t == "temperature" else "middle") for t in varies]
    columns.append(Column("Status", "nowrap"))
    rows = []
    for arm in failed_first(record):
        traits, done = layout.traits[arm["name"]], arm.get("status") == "done"
        load = [escape(traits["particle"]), _loads(arm)] if loaded else []
        cells = [escape(arm["name"]), *load, escape(traits["ph"])]
        cells += [pretty(traits[t]) if t == "surface" else escape(traits[t]) for t in varies] + [_status(record, arm)]
        rows.append(Row(cells, "" if done else "failed", beneath="" if done else escape(_reason(arm))))
    return table("<strong>Arms.</strong> Load as given, before anything dissolves.", columns, rows)


def _dish_arms(record: Record) -> str:
    rows = []
    for arm in failed_first(record):
        done = arm.get("status") == "done"
        cells = [*culture.arm_cells(record, arm), _status(record, arm)]
        rows.append(Row(cells, "" if done else "failed", beneath="" if done else escape(_reason(arm))))
    columns = [*culture.arm_columns(record), Column("Status", "nowrap")]
    return table("<strong>Arms.</strong> Load as given, before anything dissolves.", columns, rows)


def _reason(arm: Record) -> str:
    """Return why an arm failed, without its name in front."""
    return str(arm.get("reason") or "no reason given").removeprefix(f"arm `{arm['name']}`: ")


def _loads(arm: Record) -> str:
    given = [a for a in arm.get("additions", []) if a.get("kind") == "particle"]
    return " + ".join(escape(a["amount"]) + (f" at {number(a['at_h'])} h" if a.get("at_h") else "") for a in given) or (
        "none"
    )


def _status(record: Record, arm: Record) -> str:
    if arm.get("status") != "done":
        return escape(arm.get("status") or "failed")
    # The cohort section counts members; here only arms that lost some.
    whole = arm.get("members_done") == arm.get("members_all")
    return ", ".join(filter(None, ["done", "" if whole else cohort.members_done(record, arm)]))


def assumptions(record: Record) -> str:
    """Return the assumed values and the defaults."""
    rows = [p for p in record.get("parameters", []) if p.get("grade") == "assumed"]
    columns = [
        Column("Quantity", "middle"),
        Column("Value", "nowrap"),
        Column("Spread", "middle"),
        Column("Why this value", "long"),
        Column("Source"),
    ]
    text = f"{count(len(rows), 'number')} that no source gives: each is a judgement with a wide spread. "
    text += "Members draw from the spreads."
    if not rows:
        shown = "<p>No value of this run is assumed.</p>"
    elif len(rows) <= MOST_ASSUMED:
        shown = table(f"<strong>Assumed values.</strong> {text}", columns, [_assumed(p) for p in rows])
    else:
        shown = f"<p><strong>Assumed values.</strong> {text} By owner:</p>\n" + _by_owner(rows, columns)
    return f"{shown}\n{_defaults(record)}"


def _by_owner(rows: list[Record], columns: list[Column]) -> str:
    """Return many assumed values as one collapsible table for each line, medium, model or particle."""
    owners: dict[str, list[Record]] = {}
    for p in rows:
        owners.setdefault(str(p["parameter"]).partition(".")[0], []).append(p)
    return "\n".join(
        details(
            f"{plain(owner, capital=True)}: {count(len(found), 'assumed value')}",
            table(f"<strong>{escape(plain(owner, capital=True))}.</strong>", columns, [_assumed(p) for p in found]),
        )
        for owner, found in owners.items()
    )


def _assumed(p: Record) -> Row:
    value, spread = value_parts(str(p.get("value", MISSING)))
    why = "; ".join(escape(p[k]) for k in ("note", "locator") if p.get(k) and p[k] != "engineering judgement")
    source = "judgement" if p.get("source") == "assumed" else escape(p.get("source"))
    why = f"{why}<br><small>{identifier(p['parameter'])}</small>" if why else identifier(p["parameter"])
    return Row([escape(quantity(p["parameter"])), value, spread, why, source])


def _defaults(record: Record) -> str:
    found = record.get("defaults", [])
    if not found:
        return "<p>The study file gives every value itself; no default was used.</p>"
    rows = [Row([identifier(_key(d["key"])), pretty(d["value"]), escape(d["reason"])]) for d in found]
    columns = [Column("Key of the study file", "middle"), Column("Value used", "nowrap"), Column("Reason", "middle")]
    return table("<strong>Defaults used.</strong> Values that the study file does not give.", columns, rows)


def _key(key: str) -> str:
    return key.partition(": ")[2] or key


def fitted(record: Record) -> str:
    """Return the fits, what they were fitted to, and the fitted values."""
    rows = [p for p in record.get("parameters", []) if p.get("grade") == "fitted"]
    names, targets = record.get("fits", []), record.get("fitted_to", [])
    if not rows and not names:
        return "<p>No fitted value was used.</p>"
    text = f"<p>Fits used: {listing([identifier(n) for n in names]) or 'none named'}.</p>"
    if targets:
        text += "<p>Fitted to the facts below. They are not independent tests of this run.</p>" + items(
            [identifier(t) for t in targets]
        )
    if rows:
        columns = [
            Column("Quantity", "middle"),
            Column("Value", "nowrap"),
            Column("Spread", "middle"),
            Column("Source"),
            Column("Note", "long"),
        ]
        body = [
            Row(
                [
                    escape(quantity(p["parameter"])),
                    *value_parts(str(p["value"])),
                    escape(p.get("source")),
                    "; ".join(escape(p[k]) for k in ("locator", "note") if p.get(k)) or MISSING,
                ]
            )
            for p in rows
        ]
        text += table("<strong>Fitted values.</strong>", columns, body)
    return text


def budgets(record: Record) -> str:
    """Return the ceilings that conservation sets: those that bind in words, then all of them by arm."""
    arms = [a for a in record["arms"] if a.get("budgets")]
    if not arms:
        return "<p>No budget was computed.</p>"
    names: dict[str, Record] = {}
    for arm in arms:
        for b in arm["budgets"]:
            names.setdefault(b["name"], b)
    same = _same_budgets(arms)
    columns = [Column("Arm" if len(same) == len(arms) else "Arms", "nowrap" if len(same) == len(arms) else "middle")]
    columns += [
        Column(f"{escape(units(plain(n, capital=True)))}{_unit(b.get('unit'))}", "number") for n, b in names.items()
    ]
    rows = [_budget_row(found, names) for found in same]
    matrix = table(
        "<strong>Budgets by arm.</strong> In brackets: what the number is held against. "
        '<span class="binds">Shaded</span> where the ceiling binds.'
        + ("" if len(same) == len(arms) else " Arms with the same budgets share a row."),
        columns,
        rows,
    )
    first = "<p>Ceilings set by conservation alone; rates play no part.</p>"
    if record.get("place") == "dish":
        first = "<p>Ceilings set by conservation, and by what a cell can hold, clear, burn and pump.</p>"
    return "\n".join([first, _binding(arms), matrix, _meanings(arms)])


def _unit(unit: Any) -> str:
    return "" if unit in (None, "", "1") else f" <small>({pretty(unit)})</small>"


def _same_budgets(arms: list[Record]) -> list[list[Record]]:
    """Return the arms of a dish in parts with the same budgets; each arm of a tube stands alone."""
    parts: dict[str, list[Record]] = {}
    for arm in arms:
        told = [(b["name"], number(b.get("value")), number(b.get("against")), b.get("binds")) for b in arm["budgets"]]
        parts.setdefault(repr(told) if arm.get("cells") else arm["name"], []).append(arm)
    return list(parts.values())


def _budget_row(arms: list[Record], names: dict[str, Record]) -> Row:
    own = {b["name"]: b for b in arms[0]["budgets"]}
    cells, marked = ["; ".join(escape(a["name"]) for a in arms)], set()
    for place, name in enumerate(names, start=1):
        b = own.get(name)
        if b is None:
            cells.append(MISSING)
            continue
        unit = "" if b.get("unit") == names[name].get("unit") else f" {pretty(b.get('unit'))}"
        against = f" <small>({number(b['against'])})</small>" if finite(b.get("against")) else ""
        cells.append(number(b.get("value")) + unit + against)
        if b.get("binds"):
            marked.add(place)
    return Row(cells, marked=frozenset(marked))


def _binding(arms: list[Record]) -> str:
    """Return the ceilings that bind: how many arms each holds back, and by how much."""
    groups: dict[str, dict[str, list[str]]] = {}
    for arm in arms:
        for b in arm["budgets"]:
            if b.get("binds"):
                unit = "" if b.get("unit") in (None, "", "1") else f" {pretty(b['unit'])}"
                line = f"{number(b.get('value'))}{unit} against {number(b.get('against'))}{unit}"
                line += f"; {escape(b['meaning'])}" if b.get("meaning") else ""
                groups.setdefault(b["name"], {}).setdefault(line, []).append(escape(arm["name"]))
    if not groups:
        return "<p>No ceiling binds in any arm.</p>"
    lines = []
    for name, found in groups.items():
        bound = sum(len(names) for names in found.values())
        told = {line.partition("; ")[2] for line in found}
        shared = next(iter(told)) if len(found) > 1 and len(told) == 1 else ""
        inner = items(
            [
                f"{'; '.join(names) if len(names) < len(arms) else 'all arms'}: "
                f"{line.partition('; ')[0] if shared else line}"
                for line, names in found.items()
            ],
            "inner",
        )
        lines.append(
            f'<span class="binds">{escape(plain(name, capital=True))}</span> binds in {bound} of '
            f"{count(len(arms), 'arm')}{f': {shared}' if shared else ''}.{inner}"
        )
    return f"<h3>Ceilings that bind</h3>\n{items(lines)}"


def _meanings(arms: list[Record]) -> str:
    """Return the meaning of each budget that has one meaning in all arms and is not explained above."""
    bound = {b["name"] for arm in arms for b in arm["budgets"] if b.get("binds")}
    meanings: dict[str, set[str]] = {}
    for arm in arms:
        for b in arm["budgets"]:
            meanings.setdefault(b["name"], set()).add(b.get("meaning") or "")
    lines = [
        f"{escape(plain(n, capital=True))}: {escape(next(iter(m)))}."
        for n, m in meanings.items()
        if len(m) == 1 and next(iter(m)) and n not in bound
    ]
    return f'<div class="quiet">{items(lines)}</div>' if lines else ""
