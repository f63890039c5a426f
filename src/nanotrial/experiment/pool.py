"""Arms in processes of their own: CasADi bears no second thread, and one slow arm holds up no other."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Protocol, TypeVar, cast

from nanotrial.errors import SolveError
from nanotrial.places import BuiltArm

Result = TypeVar("Result", covariant=True)


def usual_workers(place: str, arms: int, most: int) -> int:
    """Return how many processes pay: starting one takes about as long as a few tubes.

    Arguments:
        place: of the study.
        arms: how many are played.
        most: never more, such as the number of cores.
    """
    return 1 if place == "tube" else max(1, min(most, arms))


class BuiltArms(dict[str, BuiltArm]):
    """Arms that are built already; a pickle leaves them behind, since symbols stay in their process."""

    def __reduce__(self) -> tuple[type[BuiltArms], tuple[()]]:
        """Return an empty one."""
        return BuiltArms, ()


class ArmTask(Protocol[Result]):
    """What is done with every arm; it can be pickled, and what an arm gives does not depend on where it is played."""

    def begin(self, threads: int) -> Callable[[str], Result]:
        """Return what plays an arm by name.

        Arguments:
            threads: how many it may use; 0: as many as there are cores.
        """
        ...


def play_arms(task: ArmTask[Result], names: Iterable[str], workers: int, tell: Callable[[str], None]) -> list[Result]:
    """Return what the task gives for each arm, in order.

    Arguments:
        task: what is done.
        names: of the arms.
        workers: processes; 1 plays here, one arm after another.
        tell: called with the name of each arm, when it begins here or has ended in a process.

    Raises:
        SolveError: a process was killed.
    """
    arms = list(names)
    if min(workers, len(arms)) < 2:
        play, results = task.begin(0), []
        for name in arms:
            tell(name)
            results.append(play(name))
        return results
    pool = ProcessPoolExecutor(min(workers, len(arms)), get_context("spawn"), initializer=_enter, initargs=(task,))
    try:
        futures = {pool.submit(_play_here, name): name for name in arms}
        for future in as_completed(futures):
            future.result()
            tell(futures[future])
        return [cast(Result, future.result()) for future in futures]
    except BrokenProcessPool as error:
        raise SolveError("a process that played arms was killed: out of memory? Try with one worker.") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_HERE: list[Callable[[str], object]] = []


def _enter(task: ArmTask[object]) -> None:
    """Begin the task in a process of a pool; Ctrl-C is answered by the process that made the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE[:] = [task.begin(1)]


def _play_here(name: str) -> object:
    return _HERE[0](name)
