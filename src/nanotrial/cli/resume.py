"""`nanotrial resume`: complete a run in chunks that was interrupted; and how such runs show where they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nanotrial.cli.folders import RECORD, finish_chunks
from nanotrial.cli.guard import DONE, FAILED
from nanotrial.cli.output import note, say

Progress = Callable[[int, int], None]


def resume_run(
    folder: Annotated[Path, typer.Argument(help="Folder of a run in chunks.")],
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler, tcp://host:port; by default this machine.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes on this machine; by default one per core.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> int:
    """Complete a run in chunks that was interrupted. What is done stays; the result is as if nothing had happened."""
    from nanotrial.campaign import resume

    with chunk_progress(quiet) as progress:
        campaign = resume(folder, scheduler=scheduler, workers=workers, progress=progress, say=note)
    total = campaign.plan.chunks
    if campaign.computed:
        say(f"{campaign.computed} of {total} chunks were missing and are done now")
    else:
        say(f"Finished already: {total} of {total} chunks are whole")
    gathered = (folder / RECORD).exists() and not campaign.computed
    if campaign.plan.facts.get("kind") == "study" and not gathered:
        return finish_chunks(folder, quiet)
    say(f"Folder: {folder}")
    return tell_failures(folder)


def tell_failures(folder: Path) -> int:
    """Say how many members failed and why; return the exit code."""
    from nanotrial.campaign import counts_by_reason

    counts = counts_by_reason(folder)
    for reason, count in list(counts.items())[:5]:
        note(f"Failed: {count} members: {reason}")
    if len(counts) > 5:
        note(f"Failed: {sum(list(counts.values())[5:])} more for {len(counts) - 5} other reasons")
    return FAILED if counts else DONE


@contextmanager
def chunk_progress(quiet: bool = False) -> Iterator[Progress]:
    """Give a function to call with the numbers of chunks done and of all chunks; it shows progress on stderr.

    A terminal gets a bar with rate and time left, a file or pipe a line per chunk at most every few seconds.
    """
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar() as advance:
            yield advance
    else:
        yield _lines()


class _Pace:
    """Rate and time left, in words, from the first call on."""

    def __init__(self) -> None:
        self.start: tuple[int, float] | None = None

    def words(self, done: int, total: int) -> str:
        now = time.monotonic()
        if self.start is None:
            self.start = (done, now)
        fresh, seconds = done - self.start[0], now - self.start[1]
        if fresh < 1 or seconds <= 0.0:
            return ""
        rate = f"{fresh / seconds:.2g} per s" if fresh > seconds else f"{seconds / fresh:.2g} s each"
        left = (total - done) * seconds / fresh
        shown = f"{left:.0f} s" if left < 120.0 else f"{left / 60.0:.0f} min"
        return f"{rate}, {shown} left" if done < total else rate


def _lines(seconds: float = 5.0) -> Progress:
    """Return progress for files and pipes: first and last line, and between them one every few seconds."""
    pace, told = _Pace(), [-seconds]

    def show(done: int, total: int) -> None:
        words, now = pace.words(done, total), time.monotonic()
        if not words or done == total or now - told[0] >= seconds:
            told[0] = now
            note(f"chunk {done}/{total}" + (f": {words}" if words else ""))

    return show


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("chunk"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, pace = bar.add_task("chunk", total=None, pace=""), _Pace()
        yield lambda done, total: bar.update(task, completed=done, total=total, pace=pace.words(done, total))
