"""`nanotrial report` and `nanotrial cite`: the page and the sources of a run that exists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanotrial.cli.output import say

Folder = Annotated[Path, typer.Argument(help="Run folder made by `nanotrial run`.")]


def write_again(
    folder: Folder,
    interactive: Annotated[bool, typer.Option("--interactive", help="Curves to zoom; a larger file.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Another file for the page.")] = None,
) -> None:
    """Write the report of a run again. It is made from the record alone."""
    from nanotrial.errors import OutputError
    from nanotrial.record import read_run

    record = read_run(folder)
    target = output if output is not None else folder / ("interactive.html" if interactive else "report.html")
    if output is not None and target.exists():
        raise OutputError(f"{target} exists already and is never overwritten. Choose another name with -o.")
    if not target.parent.is_dir():
        raise OutputError(f"{target.parent} is no folder. Make it first, or choose another place with -o.")
    from nanotrial.cli.files import write_page

    work = target.with_name(f".{target.name}.part")
    try:
        write_page(record, work, interactive)
        work.replace(target)
    except OSError as error:
        raise OutputError(f"{target} could not be written: {error.strerror or error}. Nothing was kept.") from error
    finally:
        work.unlink(missing_ok=True)
    say(f"Report: {target}")


def cite_run(
    folder: Folder,
    text: Annotated[bool, typer.Option("--text", help="Lines to read instead of BibTeX.")] = False,
) -> None:
    """Print the sources that a run used."""
    from nanotrial.record import bibliography, read_run

    record = read_run(folder)
    keys, known = record["citations"], record["bibliography"]
    if not text:
        say(bibliography(keys, known).rstrip())
        return
    for key in keys:
        entry = known.get(key, {})
        parts = [entry[k] for k in ("author", "title", "journal", "howpublished", "year", "doi", "url") if entry.get(k)]
        say(f"{key}: {', '.join(' '.join(p.split()) for p in parts) or 'no longer in references.bib'}")
