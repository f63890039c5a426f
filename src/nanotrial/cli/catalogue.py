"""`nanotrial list` and `nanotrial show`: what the catalogue holds, every value with its source."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.output import Row, heading, say, write_json, write_table

if TYPE_CHECKING:
    from nanotrial.values import Value

SYSTEMS, PUBLISHED = "systems", "published.toml"
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def list_sheets(
    kind: Annotated[str, typer.Argument(help="materials, coatings, buffers, ...; without it the kinds.")] = "",
    as_json: Json = False,
) -> None:
    """List the kinds of the catalogue, or the sheets of one."""
    rows = _sheets(_kind(kind)) if kind else _kinds()
    if as_json:
        write_json(rows)
        return
    write_table(rows)
    if rows:
        say()
        say(f"Next: nanotrial show {_kind(kind).rstrip('s')} {rows[0]['id']}" if kind else "Next: nanotrial list KIND")


def show_sheet(
    kind: Annotated[str, typer.Argument(help="Kind, singular or plural: material, coating, system, ...")],
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id as `nanotrial list KIND` shows it.")],
    as_json: Json = False,
) -> None:
    """Show one sheet. Every value comes with unit, spread, grade, source, locator, conditions and note."""
    plural = _kind(kind)
    if plural == SYSTEMS:
        _show_system(identifier, as_json)
        return
    from nanotrial.catalogue.lookup import Catalogue, table_sources, values_in

    catalogue = Catalogue()
    sheet = catalogue.load(plural, identifier)
    texts = _texts(sheet)
    rows = [_row(key, value) for key, value in values_in(sheet)]
    if as_json:
        write_json({"kind": plural, "id": identifier, **texts, "values": rows})
        return
    say(f"{plural.rstrip('s')} {identifier}")
    for key, text in texts.items():
        say(_wrapped(f"{key}: ", text))
    heading("Values")
    for row in rows:
        _show_value(row)
    _show_sources({str(r["source"]) for r in rows} | table_sources(sheet))
    say(f"\nFile: {catalogue.path(plural, identifier)}")


def _kind(word: str) -> str:
    """Return the plural kind for a word; an unknown one raises with the nearest."""
    from nanotrial.catalogue.schema import KINDS
    from nanotrial.errors import CatalogueError, nearest

    known = [*KINDS, SYSTEMS]
    for name in (word, f"{word}s"):
        if name in known:
            return name
    raise CatalogueError("catalogue", f"the kind `{word}`", "a kind of sheet", nearest(word, known))


def _kinds() -> list[Row]:
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.catalogue.schema import KINDS

    rows: list[Row] = [{"kind": kind, "sheets": len(Catalogue().ids(kind))} for kind in KINDS]
    return [*rows, {"kind": SYSTEMS, "sheets": len(_systems())}]


def _sheets(kind: str) -> list[Row]:
    if kind == SYSTEMS:
        return [
            {"id": name, "study": path.name, "title": _title(path)}
            for name, paths in _systems().items()
            for path in paths
            if path.name != PUBLISHED
        ]
    from nanotrial.catalogue.lookup import Catalogue

    catalogue = Catalogue()
    rows = []
    for identifier in catalogue.ids(kind):
        sheet = catalogue.load(kind, identifier)
        rows.append({"id": identifier, "name": sheet.name, **_extra(sheet)})
    return rows


def _extra(sheet: Any) -> Row:
    """Return the one further column that helps to choose, where a kind has it."""
    return {key: getattr(sheet, key) for key in ("formula", "kind", "measures", "counter_ion") if hasattr(sheet, key)}


def _systems() -> dict[str, list[Path]]:
    """Return system id -> its study files."""
    from nanotrial.catalogue.lookup import ROOT

    folders = sorted(p for p in (ROOT / SYSTEMS).glob("*") if p.is_dir())
    found = {folder.name: sorted(folder.glob("*.toml")) for folder in folders}
    return {name: paths for name, paths in found.items() if paths}


def _title(path: Path) -> str:
    from nanotrial.catalogue.lookup import read_toml

    return str(read_toml(path).get("title", ""))


def _show_system(identifier: str, as_json: bool) -> None:
    from nanotrial.errors import CatalogueError, nearest

    systems = _systems()
    if identifier not in systems:
        raise CatalogueError("catalogue", f"`{identifier}`", "a system of the catalogue", nearest(identifier, systems))
    paths = systems[identifier]
    if as_json:
        files = [{"file": str(p), "title": _title(p), "text": p.read_text(encoding="utf-8")} for p in paths]
        write_json({"kind": SYSTEMS, "id": identifier, "files": files})
        return
    say(f"system {identifier}: {len(paths)} file{'s' if len(paths) > 1 else ''}")
    for path in paths:
        heading(f"# {path}")
        say(path.read_text(encoding="utf-8").rstrip())
    studies = [path for path in paths if path.name != PUBLISHED]
    say(f"\nNext: nanotrial run {studies[0] if studies else 'FILE'}")


def _texts(sheet: Any, prefix: str = "") -> dict[str, str]:
    """Return every field that is no sourced value as text, by key path."""
    import dataclasses

    from nanotrial.values import Value

    found: dict[str, str] = {}
    for entry in dataclasses.fields(sheet):
        raw, key = getattr(sheet, entry.name), f"{prefix}{entry.name}"
        if isinstance(raw, Value) or raw is None or raw in ("", {}, []):
            continue
        if dataclasses.is_dataclass(raw):
            found |= _texts(raw, f"{key}.")
        elif isinstance(raw, dict) and all(isinstance(v, int | float) for v in raw.values()):
            found[key] = ", ".join(f"{v:g} {k}" for k, v in raw.items())
        elif isinstance(raw, list | dict):
            names = raw if isinstance(raw, dict) else [getattr(one, "name", str(one)) for one in raw]
            found[key] = ", ".join(map(str, names))
        else:
            found[key] = str(raw)
    return found


def _row(key: str, value: Value) -> Row:
    spread = value.distribution
    return {
        "key": key,
        "value": value.value,
        "unit": value.unit,
        "text": str(value).rpartition(" [")[0],
        "spread": spread.kind if spread else "",
        "sd": spread.sd if spread else None,
        "geometric_sd": spread.geometric_sd if spread else None,
        "low": spread.low if spread else None,
        "high": spread.high if spread else None,
        "grade": value.grade,
        "source": value.source,
        "locator": value.locator,
        "conditions": value.conditions,
        "note": value.note,
    }


def _show_value(row: Row) -> None:
    shape = f", {row['spread']}" if row["spread"] else ", no spread given"
    say(f"  {row['key']} = {row['text']}   [{row['grade']}{shape}]")
    source = f"{row['source']}: {row['locator']}" if row["locator"] else row["source"]
    for label, text in (("source", source), ("conditions", row["conditions"]), ("note", row["note"])):
        if text:
            say(_wrapped(f"      {label}: ", text))


def _show_sources(keys: set[str]) -> None:
    from nanotrial.catalogue.lookup import references

    known = references()
    heading("Sources")
    for key in sorted(keys & set(known)):
        entry = known[key]
        line = ", ".join(entry[k] for k in ("author", "title", "year") if entry.get(k))
        say(_wrapped(f"  {key}: ", line))


def _wrapped(label: str, text: str) -> str:
    indent = " " * (len(label) - len(label.lstrip()) + 4)
    return textwrap.fill(label + text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
