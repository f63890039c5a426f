"""What was run in a dish: warnings, the cultures, and the arms with their cells, gas, load and agents."""

from __future__ import annotations

from nanotrial.report.layout import Record, additions, agent_name, beams, share
from nanotrial.report.tables import Column, Row, items, table
from nanotrial.report.words import (
    MISSING,
    count,
    degrees,
    escape,
    finite,
    identifier,
    listing,
    number,
    plain,
    pretty,
    units,
)


def warnings(record: Record) -> str:
    """Return what the study warns of, in a box of its own; an empty text for nothing."""
    found = record.get("warnings") or []
    if not found:
        return ""
    rows = [f"{escape(w['text'])} <small>{identifier(_key(w['key']))}</small>" for w in found]
    return (
        f'<div class="warnings" role="note" aria-label="Warnings"><p>{count(len(found), "warning")}: '
        f"read before the results</p>{items(rows)}</div>"
    )


def _key(key: str) -> str:
    return key.partition(": ")[2] or key


def subject(record: Record) -> str:
    """Return a sentence on the place, and the table of cultures: line, medium, gas, well."""
    cultures: dict[tuple[str, ...], list[str]] = {}
    for arm in record["arms"]:
        cultures.setdefault(tuple(_culture(arm)), []).append(arm["name"])
    names = list(dict.fromkeys(str(a.get("cells_name") or a.get("cells") or MISSING) for a in record["arms"]))
    lines = f"{count(len(names), 'cell line')} in {count(len(cultures), 'culture')}"
    text = f"<p>Place: dish. {escape(lines)}: {escape(listing(names))}, in medium, in an incubator.</p>"
    columns = [
        Column("Cells", "nowrap"), Column("Origin"), Column("Oxygen", "number"), Column("Medium", "nowrap"),
        Column("Serum", "number"), Column("Carbon dioxide", "number"), Column("pH", "number"),
        Column("Temperature", "nowrap"), Column("Well", "middle"), Column("Cells seeded", "nowrap"),
        Column("Volume", "nowrap"), Column("Arms", "number"),
    ]  # fmt: skip
    rows = [Row([*culture, str(len(arms))]) for culture, arms in cultures.items()]
    caption = "<strong>Cultures.</strong> Everything around the cells; the pH is that of the medium before additions."
    return f"{text}\n{table(caption, columns, rows)}"


def _culture(arm: Record) -> list[str]:
    return [
        escape(arm.get("cells_name") or arm.get("cells") or MISSING),
        escape(arm.get("cells_origin") or MISSING),
        _share(arm.get("oxygen")),
        escape(arm.get("medium") or MISSING),
        _share(arm.get("serum")),
        _share(arm.get("carbon_dioxide")),
        f"{arm['ph']:.2f}" if finite(arm.get("ph")) else MISSING,
        escape(degrees(str(arm.get("temperature") or MISSING))),
        escape(arm.get("well") or MISSING),
        pretty(arm.get("seeding_density") or MISSING),
        pretty(arm.get("volume") or MISSING),
    ]


def _share(value: object) -> str:
    return share(value).replace(" ", "&nbsp;") or MISSING


def arm_columns(record: Record) -> list[Column]:
    """Return the columns of the table of arms of a dish, status left out; serum and medium only where they say more."""
    columns = [Column("Arm", "nowrap"), Column("Cells", "nowrap"), Column("Oxygen", "number")]
    columns += [Column("Serum", "number")] if _varies(record, "serum") else []
    columns += [Column("Medium", "nowrap")] if _varies(record, "medium") else []
    return [*columns, Column("Particles and load", "nowrap"), Column("Other agents and beams", "long")]


def arm_cells(record: Record, arm: Record) -> list[str]:
    """Return the cells of one arm in the order of ``arm_columns``."""
    cells = [escape(arm["name"]), escape(arm.get("cells_name") or arm.get("cells") or MISSING)]
    cells.append(_share(arm.get("oxygen")))
    cells += [_share(arm.get("serum"))] if _varies(record, "serum") else []
    cells += [escape(arm.get("medium") or MISSING)] if _varies(record, "medium") else []
    loads = [_given(a, str(a["what"])) for a in additions(arm) if a.get("kind") == "particle"]
    agents = [_given(a, agent_name(a)) for a in additions(arm) if a.get("kind") != "particle"]
    agents += [escape(text) for text in beams(arm)]
    agents += [f"{escape(plain(r['what']))} removed at {number(r['at_h'])} h" for r in arm.get("removals") or []]
    return [*cells, " + ".join(loads) or "none", " + ".join(agents) or "none"]


def _given(addition: Record, name: str) -> str:
    later = f" at {number(addition['at_h'])} h" if addition.get("at_h") else ""
    return f"{escape(name)} {escape(units(str(addition['amount'])))}{later}"


def _varies(record: Record, key: str) -> bool:
    """Say whether a trait differs between arms with the same cells; what follows from the cells is told above."""
    pairs = {(a.get("cells"), str(a.get(key))) for a in record["arms"]}
    return len(pairs) > len({cells for cells, _ in pairs})
