"""Play the chunks that are missing, here or on many processes, and keep each as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nanotrial.campaign.chunks import encode_chunk
from nanotrial.campaign.plan import Plan, Work, differences, make_plan, read_plan
from nanotrial.campaign.store import Store, create_folder, failed_chunk, failure_text, held, how_to_resume
from nanotrial.errors import InputError, OutputError
from nanotrial.solve.interrupt import honest_interrupts

if TYPE_CHECKING:
    Progress = Callable[[int, int], None]
    Say = Callable[[str], None]

# Up to so many chunks are played in this process: starting others takes as long as many a chunk.
FEW = 2


@dataclass(frozen=True)
class Campaign:
    """A finished campaign: its folder, its plan, and how many chunks were computed just now."""

    folder: Path
    plan: Plan
    computed: int


def run_campaign(
    work: Work,
    folder: Path,
    chunk: int,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
) -> Campaign:
    """Play all members into a new folder.

    Arguments:
        work: what is played.
        folder: does not exist yet.
        chunk: most members in a chunk; what is lost by a fault is at most the chunks under way.
        scheduler: address of a Dask scheduler, ``tcp://host:port``; none: processes of this machine.
        workers: number of processes of this machine; none: one per core. 1 plays in this process.
        progress: called with the numbers of chunks done and of all chunks, first of all with those done already.
        say: told what a user should know on the way (damaged chunks, dead workers).

    Raises:
        InputError: numbers below one, a malformed address, workers with another nanotrial.
        OutputError: folder, disk, lock or scheduler; the text says how to go on.
        SolveError: a chunk failed as a whole, or killed its workers.
        KeyboardInterrupt: with a text that says how to go on.
    """
    _check_request(scheduler, workers)
    plan = make_plan(work, chunk)
    create_folder(folder, plan, work.inputs)
    with held(folder):
        store = Store(folder, plan, say or _silent)
        return _complete(work, store, list(range(plan.chunks)), scheduler, workers, progress or _uncounted)


def resume(
    folder: Path,
    work: Work | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
) -> Campaign:
    """Play what is missing in a folder; the result is that of a run without a fault, bit for bit.

    Arguments:
        folder: made by ``run_campaign``.
        work: what was being played; none: the study that the folder holds.
        scheduler, workers, progress, say: as of ``run_campaign``.

    Raises:
        OutputError: the folder holds no campaign, or something that decides numbers has changed since.
        InputError, SolveError, KeyboardInterrupt: as of ``run_campaign``.
    """
    _check_request(scheduler, workers)
    plan = read_plan(folder)
    with held(folder):
        store = Store(folder, plan, say or _silent)
        store.clear_unfinished()
        done = store.finished()
        missing = [number for number in range(plan.chunks) if number not in done]
        if not missing:
            return Campaign(folder, plan, 0)
        ready = work if work is not None else _stored_work(folder, plan)
        _refuse_changes(folder, plan, make_plan(ready, plan.chunk))
        return _complete(ready, store, missing, scheduler, workers, progress or _uncounted)


def _stored_work(folder: Path, plan: Plan) -> Work:
    from nanotrial.campaign.study_work import restore_work

    return restore_work(folder, plan)


def _refuse_changes(folder: Path, then: Plan, now: Plan) -> None:
    found = differences(then, now)
    if found:
        rest = f"; and {len(found) - 6} more" if len(found) > 6 else ""
        raise OutputError(
            f"{folder} cannot be completed: what decides its numbers has changed ({'; '.join(found[:6])}{rest}). "
            "Undo the change, or run the study again into another folder."
        )


def _check_request(scheduler: str | None, workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise InputError("workers", str(workers), "a whole number from 1")
    if scheduler is not None:
        from nanotrial.campaign.cluster import check_address

        check_address(scheduler)
        if workers is not None:
            action = "Leave `workers` out: the scheduler has its own."
            raise InputError("workers", f"{workers} beside a scheduler", "one of the two", action)


def _complete(
    work: Work, store: Store, missing: list[int], scheduler: str | None, workers: int | None, progress: Progress
) -> Campaign:
    plan, done = store.plan, store.plan.chunks - len(missing)
    progress(done, plan.chunks)
    try:
        for number, data in _played(work, store, missing, scheduler, workers):
            store.write(number, data)
            done += 1
            progress(done, plan.chunks)
    except OutputError as error:
        if "resume" in str(error):
            raise
        raise OutputError(f"{error} {how_to_resume(store.folder)}") from error
    except KeyboardInterrupt:
        kept = f"{len(store.present())} of {plan.chunks} chunks are kept"
        raise KeyboardInterrupt(f"Interrupted; {kept}. {how_to_resume(store.folder)}") from None
    return Campaign(store.folder, plan, len(missing))


def _played(
    work: Work, store: Store, missing: list[int], scheduler: str | None, workers: int | None
) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each missing chunk as it is done."""
    if scheduler is None and (workers == 1 or (workers is None and len(missing) <= FEW)):
        yield from _played_here(work, store, missing)
        return
    from nanotrial.campaign.cluster import scheduler_of, workers_here
    from nanotrial.campaign.rounds import played_on

    if scheduler is None:
        with workers_here(workers, len(missing)) as client:
            yield from played_on(client, work, store, missing)
    else:
        with scheduler_of(scheduler) as client:
            yield from played_on(client, work, store, missing)


def _played_here(work: Work, store: Store, missing: list[int]) -> Iterator[tuple[int, bytes]]:
    for number in missing:
        try:
            with honest_interrupts():
                data = encode_chunk(store.plan, number, work.play(*store.plan.bounds(number)))
        except Exception as error:
            raise failed_chunk(store, number, failure_text(error)) from error
        yield number, data


def _silent(text: str) -> None:
    """Take a note that nobody asked for."""


def _uncounted(done: int, total: int) -> None:
    """Take progress that nobody asked for."""
