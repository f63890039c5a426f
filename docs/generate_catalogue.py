"""Write one page for each kind of catalogue sheet, with every value, its spread, grade and source.

Run from anywhere: python docs/generate_catalogue.py. Reads src/nanotrial/catalogue/<kind>/*.toml, writes
docs/catalogue/*.md. Needs the standard library only.
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


def table_row(path: str, value: dict[str, Any]) -> str:
    remarks = "; ".join(str(value[key]) for key in ("conditions", "note") if value.get(key))
    cells = (
        code(path),
        escape(value["value"]),
        escape(value["unit"]),
        escape(describe_spread(value.get("distribution"))),
        escape(value.get("grade", "")),
        code(value.get("source")),
        escape(value.get("locator", "")),
        escape(remarks),
    )
    return "| " + " | ".join(cells) + " |"


def sheet_section(identifier: str, sheet: dict[str, Any]) -> tuple[list[str], int]:
    """Return the lines of one sheet and how many values it holds."""
    rows = [table_row(path, value) for path, value in find_values(sheet)]
    lines = [f"## {escape(identifier)}", ""]
    title = ": ".join(str(sheet[key]) for key in ("name", "description") if sheet.get(key))
    if title:
        lines += [escape(title), ""]
    if rows:
        lines += ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS), *rows, ""]
    else:
        lines += ["No values.", ""]
    return lines, len(rows)


def write_pages() -> int:
    """Write all pages anew and return how many kinds were found."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for page in PAGES.glob("*.md"):
        page.unlink()
    index = ["# Catalogue", "", "Generated from the catalogue's files.", ""]
    index += ["| kind | sheets | values |", "|---|---|---|"]
    kinds = sorted(folder for folder in CATALOGUE.glob("*") if any(folder.glob("*.toml")))
    for folder in kinds:
        sheets = sorted(folder.glob("*.toml"))
        title = folder.name.replace("_", " ")
        page, total = [f"# {title.capitalize()}", ""], 0
        for sheet in sheets:
            lines, count = sheet_section(sheet.stem, tomllib.loads(sheet.read_text(encoding="utf-8")))
            page += lines
            total += count
        (PAGES / f"{folder.name}.md").write_text("\n".join(page), encoding="utf-8")
        index.append(f"| [{title}]({folder.name}.md) | {len(sheets)} | {total} |")
    (PAGES / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")
    return len(kinds)


if __name__ == "__main__":
    print(f"{write_pages()} kinds written to {PAGES.relative_to(ROOT)}")
