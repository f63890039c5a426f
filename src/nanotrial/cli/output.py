"""What commands show: tables and text to stdout, progress and notes to stderr, JSON where it is asked for."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Row = dict[str, Any]


def console() -> Console:
    """Return a console on stdout; tables are as wide as they are unless a terminal sets the width."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 4000
    return Console(markup=False, highlight=False, emoji=False, width=wide, soft_wrap=False)


def heading(text: str) -> None:
    """Write a heading with an empty line before it."""
    typer.echo(f"\n{text}")


def say(text: str = "") -> None:
    """Write one line of a result to stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """Write one line to stderr."""
    typer.echo(text, err=True)


def write_json(data: object) -> None:
    """Write plain data as JSON to stdout; numbers that are not finite become null."""
    typer.echo(json.dumps(_plain(data), indent=1, ensure_ascii=False))


def _plain(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {str(k): _plain(v) for k, v in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [_plain(v) for v in data]
    if hasattr(data, "tolist"):  # numpy numbers and arrays
        return _plain(data.tolist())
    return data if isinstance(data, str | int | bool | None) else str(data)


def write_table(rows: Sequence[Row], columns: Sequence[str] = ()) -> None:
    """Write rows as a table; ``columns`` picks and orders the keys, by default those of the first row."""
    if not rows:
        typer.echo("  none")
        return
    from rich.table import Table

    names = list(columns) or list(rows[0])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        numbers = all(isinstance(r.get(name), int | float | None) for r in rows)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*[cell(row.get(name)) for name in names])
    screen = console()
    with screen.capture() as text:
        screen.print(table)
    typer.echo("\n".join(line.rstrip() for line in text.get().rstrip("\n").splitlines()))


def cell(value: object) -> str:
    """Return the text of a table cell: numbers with four digits, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "-"
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value) or "-"
    return str(value)


@contextmanager
def progress_bar(total: int, label: str, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Give a function to call with the name of each step when it begins; it shows progress on stderr.

    A terminal gets a bar, a file or pipe one line per step.
    """
    if quiet:
        yield lambda name: None
    elif sys.stderr.isatty():
        with _bar(total, label) as advance:
            yield advance
    else:
        count = iter(range(1, 1_000_000_000))
        yield lambda name: note(f"{label} {next(count)}/{total}: {name}" if total else f"{label}: {name}")


@contextmanager
def _bar(total: int, label: str) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[name]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total or None, name="")
        begun = iter(range(1_000_000_000))
        yield lambda name: bar.update(task, completed=next(begun), name=name)
