"""`nanotrial run`: play a study and leave a run folder with curves, citations and a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanotrial.cli.check import show_warnings
from nanotrial.cli.guard import DONE, FAILED
from nanotrial.cli.output import note, progress_bar, say
from nanotrial.solve.interrupt import honest_interrupts

if TYPE_CHECKING:
    from nanotrial.experiment import StudyResult
    from nanotrial.study import Study

REPORT = "report.html"
USUAL_MEMBERS = 20


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
        int, typer.Option(min=0, help="Processes that play arms side by side; 0: one per core where it pays.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> int:
    """Run a study. Plays every arm and writes a new run folder; an existing folder is never overwritten."""
    from nanotrial.study import load_study

    loaded = load_study(study)
    show_warnings(loaded)
    _check_place(output if output is not None else _default_folder(study))
    from nanotrial.experiment import simulate

    with honest_interrupts() as check, progress_bar(len(loaded.arms), "arm", quiet) as begin:

        def step(name: str) -> None:
            check()
            begin(name)

        each = subjects or (loaded.cohort.subjects if loaded.cohort else 0)
        result = simulate(
            loaded,
            members=members,
            seed=seed,
            progress=step,
            subjects=each if members else 0,
            workers=workers or _usual_workers(loaded),
        )
    folder = output if output is not None else _default_folder(study)
    write_folder(result, folder)
    return _tell(result, folder)


def _usual_workers(study: Study) -> int:
    """Return how many processes pay: starting one takes about as long as a few tubes."""
    from nanotrial.solve.ensemble import cores

    return min(cores(), len(study.arms)) if study.place != "tube" else 1


def write_folder(result: StudyResult, folder: Path) -> None:
    """Write the whole run folder, report included, or nothing."""
    from nanotrial.cli.files import write_page
    from nanotrial.evidence.published import published_points
    from nanotrial.record import make_record, new_folder, write_run

    record = make_record(result)
    record["published"] = published_points(result.study)
    with new_folder(folder) as work:
        write_run(result, work, record)
        write_page(record, work / REPORT)


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


def _tell(result: StudyResult, folder: Path) -> int:
    """Say where things are and what to do next; return the exit code."""
    code, each = DONE, result.members * (result.subjects + 1)
    for arm in result.arms:
        if arm.status != "done":
            note(f"Failed: {arm.reason}")
            code = FAILED
        if arm.member_reasons:
            note(
                f"Failed: {len(arm.member_reasons)} of {each} members of `{arm.name}`; "
                f"the first: {arm.member_reasons[0]}"
            )
            code = FAILED
    done = len(result.arms) - len(result.failed)
    word = result.study.cohort.word if result.study.cohort else "subjects"
    each = (
        f"{result.members} worlds of {result.subjects} {word} and a typical one" if result.members else "central runs"
    )
    say(f"{done} of {len(result.arms)} arms done, {each}, seed {result.seed}")
    say(f"Folder: {folder}")
    say(f"Report: {folder / REPORT}")
    say("Next:")
    say(f"  open {folder / REPORT} in a browser")
    say(f"  nanotrial cite {folder}      # the sources of every number in BibTeX")
    if result.members < 200:
        say(f"  nanotrial run {result.study.path} --members 200      # smoother bands")
    return code
