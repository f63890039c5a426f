"""`nanotrial run`: play a study and leave a run folder with curves, citations and a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanotrial.cli.check import show_warnings
from nanotrial.cli.folders import finish_chunks, tell_result, write_folder
from nanotrial.cli.output import note, progress_bar
from nanotrial.cli.resume import chunk_progress
from nanotrial.solve.interrupt import honest_interrupts

if TYPE_CHECKING:
    from nanotrial.study import Study

USUAL_MEMBERS, DESIGN = 20, "latin_hypercube"
# Members of an arm that are held in memory at once; more go in chunks. Large chunks keep lanes full of those few
# members that need many steps; there are eight at least, so that a fault costs little.
MOST_AT_ONCE, USUAL_CHUNK, FEWEST_CHUNKS = 2000, 4000, 8


def run_study(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="New run folder; by default runs/<study name>-<number>.")
    ] = None,
    members: Annotated[
        int,
        typer.Option(min=0, max=10_000_000, help="Worlds: draws of what is unknown; 0 gives the central run alone."),
    ] = USUAL_MEMBERS,
    subjects: Annotated[
        int | None, typer.Option(min=2, max=200, help="Wells or tubes per arm in each world; by default the cohort's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 1,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that play side by side; 0: one per core where it pays.")
    ] = 0,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler, tcp://host:port; work then goes in chunks.")
    ] = None,
    chunk: Annotated[
        int | None, typer.Option(min=1, help="Worlds per chunk; chunks are kept as they are done and can be resumed.")
    ] = None,
    design: Annotated[str, typer.Option(help="How worlds are spread: latin_hypercube, sobol or independent.")] = DESIGN,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> int:
    """Run a study. Plays every arm and writes a new run folder; an existing folder is never overwritten.

    Small runs are kept when they are whole; larger ones go in chunks, and go on with `nanotrial resume` after a fault.
    """
    from nanotrial.study import load_study

    loaded = load_study(study)
    show_warnings(loaded)
    folder = output if output is not None else _default_folder(study)
    _check_place(folder)
    each = subjects or (loaded.cohort.subjects if loaded.cohort else 0)
    if members and (scheduler or chunk or members * (each + 1) > MOST_AT_ONCE):
        return _run_in_chunks(loaded, folder, members, each, seed, design, chunk, scheduler, workers, quiet)
    from nanotrial.experiment import simulate, usual_workers
    from nanotrial.solve.ensemble import cores

    with honest_interrupts() as check, progress_bar(len(loaded.arms), "arm", quiet) as begin:

        def step(name: str) -> None:
            check()
            begin(name)

        result = simulate(
            loaded,
            members=members,
            seed=seed,
            progress=step,
            subjects=each if members else 0,
            design=design,
            workers=workers or usual_workers(loaded.place, len(loaded.arms), cores()),
        )
    write_folder(result, folder)
    return tell_result(result, folder)


def _run_in_chunks(
    study: Study,
    folder: Path,
    members: int,
    subjects: int,
    seed: int,
    design: str,
    chunk: int | None,
    scheduler: str | None,
    workers: int,
    quiet: bool,
) -> int:
    """Play members in chunks, then gather what they show."""
    from nanotrial.campaign import run_campaign
    from nanotrial.campaign.study_work import make_work

    size = chunk or max(1, min(-(-members // FEWEST_CHUNKS), USUAL_CHUNK // (subjects + 1)))
    if not quiet:
        count = members * (subjects + 1)
        note(f"{count} members per arm, side by side in compiled code, in chunks of {size} worlds")
    work = make_work(study, members, subjects, seed, design)
    with chunk_progress(quiet) as progress:
        run_campaign(work, folder, size, scheduler, workers or None, progress, note)
    return finish_chunks(folder, quiet)


def _default_folder(study: Path) -> Path:
    """Return the first free folder runs/<study name>-<number>."""
    parent = Path("runs")
    number = 1
    while (parent / f"{study.stem}-{number}").exists():
        number += 1
    return parent / f"{study.stem}-{number}"


def _check_place(folder: Path) -> None:
    """Refuse, before anything is computed, a folder that exists or that cannot be made."""
    from nanotrial.errors import OutputError

    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder} exists already; a run folder is never overwritten. Choose another with -o.")
    parent = next(p for p in folder.absolute().parents if p.exists())
    if not parent.is_dir():
        raise OutputError(f"{folder} cannot be made: {parent} is a file. Choose another place with -o.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be made: no permission to write in {parent}. Choose another with -o.")
