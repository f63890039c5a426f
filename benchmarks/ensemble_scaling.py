"""Time per member and memory of whole campaigns against the number of members: a tube arm and cells with particles.

Each campaign is played as a user's is, in chunks into a folder on two processes, in a process of its own, so that its
peak of resident memory is its own: that of the main process and its workers together, looked at every 50 ms. Pages that
processes share count once in each of them. There is no peer: memory is beside that of the smallest campaign, and the
time of each member that a larger campaign adds beside the same of the step before; both ratios are one where memory is
flat and time linear. Starting workers is in the times, but not in that of what is added; machine code is on disk, made
by a campaign that is not counted.

python benchmarks/ensemble_scaling.py [--quick | --long | --huge] [--json]
"""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dish_arm
import tube_arm
from harness import Row, show
from single_run import asked

STUDIES = {"tube": tube_arm.STUDY, "dish": dish_arm.STUDY}
# A hundredth of the cells oscillate for a day and cost as much as all others: what takes long is asked for by name.
QUICK = {"tube": (1_000, 10_000, 40_000)}
WARM = {"tube": 500, "dish": 100}
USUAL = {"tube": (1_000, 10_000, 100_000), "dish": (4_000, 8_000)}
LONG = {"dish": (8_000, 100_000)}
HUGE = {"tube": (100_000, 1_000_000)}
# Members of a chunk: the same in all campaigns of an arm, so that memory can be flat.
CHUNK = {"tube": 250, "dish": 2_000}
WORKERS, SEED = 2, 1


class Memory:
    """Watches the resident memory of this process and those below it."""

    def __init__(self) -> None:
        """Begin to watch."""
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        import psutil

        own = psutil.Process()
        while not self._done.wait(0.05):
            whole = 0
            try:
                for one in (own, *own.children(recursive=True)):
                    whole += one.memory_info().rss
            except psutil.Error:
                continue
            self.peak = max(self.peak, whole)

    def end(self) -> float:
        """Return the peak (MB)."""
        self._done.set()
        self._thread.join()
        return self.peak / 2**20


def play(arm: str, members: int, chunk: int) -> tuple[float, float, int]:
    """Return wall seconds, peak megabytes and failed members of one campaign; runs in a process of its own.

    Arguments:
        arm: which study.
        members: worlds, with their typical subject alone.
        chunk: members of a chunk.
    """
    from nanotrial.campaign import counts_by_reason, run_campaign
    from nanotrial.campaign.study_work import make_work
    from nanotrial.study import load_study

    with TemporaryDirectory() as root:
        path = Path(root) / "study.toml"
        path.write_text(STUDIES[arm], encoding="utf-8")
        work = make_work(load_study(path), members, 0, SEED, "latin_hypercube")
        memory, start = Memory(), perf_counter()
        folder = Path(root) / "campaign"
        run_campaign(work, folder, chunk, workers=WORKERS)
        seconds, peak = perf_counter() - start, memory.end()
        return seconds, peak, sum(counts_by_reason(folder).values())


def play_alone(arm: str, members: int, chunk: int) -> tuple[float, float, int]:
    """Return what ``play`` does, from a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(play, arm, members, chunk).result()


def compared(arm: str, done: list[tuple[int, float, float]]) -> list[Row]:
    """Return rows of the last campaign of an arm beside those before it."""
    members, seconds, peak = done[-1]
    name = f"{arm}, {members} members"
    rows = [Row(name, seconds / members * 1e3, "ms each")]
    if len(done) > 1:
        added = [(s - t) / (n - m) * 1e3 for (m, t, _), (n, s, _) in pairwise(done)]
        earlier = ("the step before", added[-2]) if len(added) > 1 else (None, None)
        rows.append(Row(f"{name}, each one added", added[-1], "ms", *earlier))
    rows.append(Row(f"{name}, peak memory", peak, "MB", "smallest campaign", done[0][2]))
    return rows


def main() -> None:
    """Print time per member and memory."""
    given = asked(__doc__ or "", "long", "huge")
    sizes = QUICK if given.quick else HUGE if given.huge else LONG if given.long else USUAL
    rows = []
    for arm, counts in sizes.items():
        play_alone(arm, WARM[arm], WARM[arm] // WORKERS)
        done: list[tuple[int, float, float]] = []
        for members in counts:
            seconds, peak, failed = play_alone(arm, members, CHUNK[arm])
            done.append((members, seconds, peak))
            rows += compared(arm, done)
            rows.append(Row(f"{arm}, {members} members, failed", float(failed), "1"))
    show(rows, f"{WORKERS} processes, chunks of {CHUNK} members; members are worlds with a typical subject each.")


if __name__ == "__main__":
    main()
