"""Run folders: written whole, or completed where chunks were kept; and what is said of them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanotrial.cli.guard import DONE, FAILED
from nanotrial.cli.output import note, progress_bar, say

if TYPE_CHECKING:
    from nanotrial.experiment import StudyResult

REPORT, RECORD = "report.html", "record.json"


def write_folder(result: StudyResult, folder: Path) -> None:
    """Write the whole run folder, report included, or nothing."""
    from nanotrial.record import new_folder

    with new_folder(folder) as work:
        _write_parts(result, work)


def finish_chunks(folder: Path, quiet: bool) -> int:
    """Gather what the chunks of a folder show and write record, curves and report beside them; return the exit code."""
    from nanotrial.campaign.result import campaign_result
    from nanotrial.errors import OutputError

    with progress_bar(0, "gathering", quiet) as begin:
        result = campaign_result(folder, progress=begin)
    work = Path(tempfile.mkdtemp(prefix=".gathering-", dir=folder))
    try:
        _write_parts(result, work)
        # The record comes last: a folder that has one is finished.
        for path in sorted(work.iterdir(), key=lambda p: p.name == RECORD):
            path.replace(folder / path.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: {reason}. Chunks are kept; go on with: nanotrial resume {folder}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tell_result(result, folder)


def _write_parts(result: StudyResult, work: Path) -> None:
    from nanotrial.cli.files import write_page
    from nanotrial.evidence.published import published_points
    from nanotrial.record import make_record, write_run

    record: dict[str, Any] = make_record(result)
    record["published"] = published_points(result.study)
    write_run(result, work, record)
    write_page(record, work / REPORT)


def tell_result(result: StudyResult, folder: Path) -> int:
    """Say where things are and what to do next; return the exit code."""
    code, each = DONE, result.members * (result.subjects + 1)
    for arm in result.arms:
        if arm.status != "done":
            note(f"Failed: {arm.reason}")
            code = FAILED
        if arm.members_failed:
            note(f"Failed: {arm.members_failed} of {each} members of `{arm.name}`; the first: {arm.member_reasons[0]}")
            code = FAILED
    done = len(result.arms) - len(result.failed)
    word = result.study.cohort.word if result.study.cohort else "subjects"
    worlds = f"{result.members} worlds of {result.subjects} {word} and a typical one"
    say(f"{done} of {len(result.arms)} arms done, {worlds if result.members else 'central runs'}, seed {result.seed}")
    if result.way:
        say(f"Members: {result.way}")
    say(f"Folder: {folder}")
    say(f"Report: {folder / REPORT}")
    say("Next:")
    say(f"  open {folder / REPORT} in a browser")
    say(f"  nanotrial cite {folder}      # the sources of every number in BibTeX")
    if result.members < 200:
        say(f"  nanotrial run {result.study.path} --members 200      # smoother bands")
    return code
