"""Write the catalogue pages: every sheet with its values, fits, and published systems.

Run from anywhere: python docs/generate_catalogue.py. Reads src/nanotrial/catalogue, writes docs/catalogue/*.md. Needs
the standard library only. Folders that hold no sheets have pages of their own shape: ``fits`` and ``systems``;
``second_readings`` are checks of the sheets and get none.
"""

import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "src" / "nanotrial" / "catalogue"
PAGES = ROOT / "docs" / "catalogue"
COLUMNS = ("value of", "value", "unit", "spread", "grade", "source", "locator", "conditions and note")
NO_SHEETS = ("fits", "systems", "second_readings")
# What a sheet says in words, in the order in which it is shown.
WORDS = (
    "organism",
    "tissue",
    "origin",
    "media",
    "serum",
    "kind",
    "target",
    "acts_on",
    "action",
    "measures",
    "binds",
    "receptor",
    "formula",
    "structure",
    "law",
    "solutes",
)


def find_values(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (dotted path, table) for every table that has a value and a unit; list entries go by name or place."""
    if isinstance(node, dict):
        if "value" in node and "unit" in node:
            yield path, node
            return
        for key, child in node.items():
            yield from find_values(child, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for place, child in enumerate(node):
            label = child.get("name", place) if isinstance(child, dict) else place
            yield from find_values(child, f"{path}[{label}]")


def describe_spread(distribution: dict[str, Any] | None) -> str:
    if not distribution:
        return ""
    rest = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in distribution.items() if key != "kind")
    return f"{distribution.get('kind', '')}: {rest}"


def escape(text: Any) -> str:
    """Text that a Markdown table shows as it is."""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]])", r"\\\1", html.escape(flat, quote=False)).replace("|", "&#124;")


def code(text: Any) -> str:
    return f"<code>{escape(text)}</code>" if text else ""


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a Markdown table whose cells are escaped already."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def value_row(path: str, value: dict[str, Any]) -> tuple[str, ...]:
    remarks = "; ".join(str(value[key]) for key in ("conditions", "note") if value.get(key))
    return (
        code(path),
        escape(value["value"]),
        escape(value["unit"]),
        escape(describe_spread(value.get("distribution"))),
        escape(value.get("grade", "")),
        code(value.get("source")),
        escape(value.get("locator", "")),
        escape(remarks),
    )


def said_in_words(sheet: dict[str, Any]) -> str:
    """Return what a sheet says in words, such as the target of an agent; escaped, empty where it says nothing."""
    said = []
    for key in WORDS:
        found = sheet.get(key)
        if key == "solutes" and isinstance(found, dict):
            counts = [f"{count} {name}" for name, count in found.items() if not isinstance(count, dict)]
            found = ", ".join(counts)
        elif isinstance(found, list):
            found = ", ".join(str(one) for one in found)
        if found and isinstance(found, str):
            said.append(f"{key.replace('_', ' ')}: {escape(found)}")
    return "; ".join(said)


def said_of_entries(sheet: dict[str, Any]) -> list[str]:
    """Return one line per entry of a variability sheet: which parameters or measures it means."""
    said = []
    for key, what in (("between", "parameters"), ("noise", "measures")):
        for entry in sheet.get(key) or []:
            if isinstance(entry, dict) and what in entry:
                said.append(f"- {escape(key)}, {escape(entry['name'])}: {', '.join(code(p) for p in entry[what])}")
    return [*said, ""] if said else []


def sheet_section(identifier: str, sheet: dict[str, Any]) -> tuple[list[str], int]:
    """Return the lines of one sheet and how many values it holds."""
    rows = [value_row(path, value) for path, value in find_values(sheet)]
    lines = [f"## {escape(identifier)}", ""]
    title = ": ".join(str(sheet[key]) for key in ("name", "description") if sheet.get(key))
    if title:
        lines += [escape(title), ""]
    words = said_in_words(sheet)
    if words:
        lines += [f"{words[0].upper()}{words[1:]}.", ""]
    if sheet.get("warning"):
        lines += [f"**Warning.** {escape(sheet['warning'])}", ""]
    lines += said_of_entries(sheet)
    lines += table(COLUMNS, rows) if rows else ["No values.", ""]
    return lines, len(rows)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fits_page(files: list[Path]) -> str:
    """Return the page of fits: what each was fitted to, its values, and how the targets are met."""
    lines = [
        "# Fits",
        "",
        "Values fitted to named facts. A study uses them only where its key `fits` names them; the "
        "report marks them. The joint draws stand in the files.",
        "",
    ]
    for path in files:
        fit = read(path)
        facts = ", ".join(code(f) for f in fit["facts"])
        lines += [f"## {escape(path.stem)}", "", f"Fitted to {facts}.", ""]
        lines += table(COLUMNS, [value_row(p["key"], p) for p in fit["parameter"]])
        rows = [
            (
                code(t["target"]),
                escape(t["arm"]),
                escape(t["time_h"]),
                escape(t["relation"]),
                escape(t["reported"]),
                escape(t["fitted"]),
            )
            for t in fit.get("target", [])
        ]
        lines += table(("target", "arm", "time (h)", "relation", "reported", "fitted"), rows)
    return "\n".join(lines)


def systems_page(folders: list[Path]) -> str:
    """Return the page of published systems: studies, facts and curves; a held-out fact has no value here or there."""
    lines = [
        "# Published systems",
        "",
        "Studies that follow a publication, and what it reported. Held-out findings "
        "are predicted like all others; their values are not stored.",
        "",
    ]
    for folder in folders:
        lines += [f"## {escape(folder.name)}", ""]
        for path in sorted(folder.glob("*.toml")):
            if path.name != "published.toml":
                lines += [f"- {code(path.name)}: {escape(read(path).get('title', ''))}"]
        lines += [""]
        published = read(folder / "published.toml") if (folder / "published.toml").is_file() else {}
        rows = [
            (
                code(f["id"]),
                escape(f["measure"]),
                escape(f["at"]),
                escape(f["check"]),
                reported(f),
                code(f["source"]),
                escape(f.get("locator", "")),
            )
            for f in published.get("fact", [])
        ]
        rows += [
            (
                code(c["id"]),
                escape(c["measure"]),
                escape(f"{c['at'][0]} to {c['at'][-1]}"),
                "curve",
                f"{len(c['value'])} points",
                code(c["source"]),
                escape(c.get("locator", "")),
            )
            for c in published.get("curve", [])
        ]
        if rows:
            lines += table(("id", "measure", "at", "check", "reported", "source", "locator"), rows)
    return "\n".join(lines)


def reported(fact: dict[str, Any]) -> str:
    if fact.get("held_out"):
        return "held out"
    if fact["check"] == "comparison":
        return f"larger: {escape(fact.get('larger', ''))}"
    unit = "" if fact.get("unit", "1") == "1" else f" {fact['unit']}"
    return escape(f"{fact.get('relation', '=')} {fact.get('value', '')}{unit}")


def write_pages() -> int:
    """Write all pages anew and return how many kinds of sheets were found."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for page in PAGES.glob("*.md"):
        page.unlink()
    index = ["# Catalogue", "", "Generated from the catalogue's files.", ""]
    index += ["| kind | sheets | values |", "|---|---|---|"]
    found = sorted(folder for folder in CATALOGUE.glob("*") if any(folder.glob("*.toml")))
    kinds = [folder for folder in found if folder.name not in NO_SHEETS]
    for folder in kinds:
        sheets = sorted(folder.glob("*.toml"))
        title = folder.name.replace("_", " ")
        page, total = [f"# {title.capitalize()}", ""], 0
        for sheet in sheets:
            lines, count = sheet_section(sheet.stem, read(sheet))
            page += lines
            total += count
        (PAGES / f"{folder.name}.md").write_text("\n".join(page), encoding="utf-8")
        index.append(f"| [{title}]({folder.name}.md) | {len(sheets)} | {total} |")
    systems = sorted(p for p in (CATALOGUE / "systems").glob("*") if any(p.glob("*.toml")))
    (PAGES / "fits.md").write_text(fits_page(sorted((CATALOGUE / "fits").glob("*.toml"))), encoding="utf-8")
    (PAGES / "systems.md").write_text(systems_page(systems), encoding="utf-8")
    index += ["", "Beside the sheets: [fits](fits.md) and [published systems](systems.md)."]
    (PAGES / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")
    return len(kinds)


if __name__ == "__main__":
    print(f"{write_pages()} kinds written to {PAGES.relative_to(ROOT)}")
