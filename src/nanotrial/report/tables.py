"""HTML tables, definition lists and collapsible parts; cells are HTML already, so callers escape what they show."""

from __future__ import annotations

from dataclasses import dataclass

from nanotrial.report.words import escape


@dataclass(frozen=True)
class Column:
    """One column: heading (HTML) and the kind of its cells: number, nowrap, middle, long or nothing."""

    heading: str
    kind: str = ""


@dataclass(frozen=True)
class Row:
    """One row: cells (HTML), a class of the row, classes of single cells by place, and a line beneath (HTML)."""

    cells: list[str]
    kind: str = ""
    marked: frozenset[int] = frozenset()
    beneath: str = ""


def table(caption: str, columns: list[Column], rows: list[Row]) -> str:
    """Return a table in its own scroll box; the first cell of each row is its heading.

    Arguments:
        caption: HTML above the table, which also names the scroll box.
        columns: headings and kinds.
        rows: as many cells each as there are columns.
    """
    head = "".join(f'<th scope="col"{_class(c.kind if c.kind == "number" else "")}>{c.heading}</th>' for c in columns)
    body = "\n".join(_row(columns, row) for row in rows)
    return (
        f'<div class="scroll" tabindex="0">\n<table>\n<caption>{caption}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _row(columns: list[Column], row: Row) -> str:
    cells = []
    for place, (column, cell) in enumerate(zip(columns, row.cells, strict=True)):
        kind = " ".join(filter(None, [column.kind, "binds" if place in row.marked else ""]))
        tag, scope = ("td", "") if place else ("th", ' scope="row"')
        cells.append(f"<{tag}{scope}{_class(kind)}>{cell}</{tag}>")
    line = f"<tr{_class(row.kind)}>{''.join(cells)}</tr>"
    if row.beneath:
        line += f'\n<tr class="reason"><td colspan="{len(columns)}"><div>{row.beneath}</div></td></tr>'
    return line


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def facts(pairs: list[tuple[str, str]], wide: bool = False) -> str:
    """Return a definition list of plain names and HTML values."""
    rows = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" if not wide else f"<dt>{escape(k)}</dt><dd>{v}</dd>"
        for k, v in pairs
    )
    return f'<dl class="facts{" wide" if wide else ""}">{rows}</dl>'


def details(summary: str, body: str, kind: str = "") -> str:
    """Return a collapsible part with a plain summary and an HTML body."""
    return f"<details{_class(kind)}>\n<summary>{escape(summary)}</summary>\n{body}\n</details>"


def items(rows: list[str], kind: str = "plain") -> str:
    """Return a list of HTML items."""
    return f'<ul class="{kind}">' + "".join(f"<li>{row}</li>" for row in rows) + "</ul>"
