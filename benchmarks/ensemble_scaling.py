"""Time per member and memory of whole campaigns against the number of members: a tube arm and cells with particles.

Each campaign is played as a user's is, in chunks into a folder on two processes, in a process of its own, so that its
peak of resident memory is its own: that of the main process and its workers together, looked at every 50 ms. Pages that
processes share count once in each of them. There is no peer: ratios are to the smallest campaign of the same arm, one
where time is linear and memory flat. Starting workers and making machine code are in the times.

python benchmarks/ensemble_scaling.py [--quick | --long | --huge] [--json]
"""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dish_arm
import tube_arm
from harness import Row, show
from single_run import asked

STUDIES = {"tube": tube_arm.STUDY, "dish": dish_arm.STUDY}
# A hundredth of the cells oscillate and cost seconds each: what takes hours is asked for by name.
QUICK = {"tube": (500, 2000)}
USUAL = {"tube": (1_000, 10_000, 100_000), "dish": (500, 1_000)}
LONG = {"tube": (*USUAL["tube"], 1_000_000), "dish": (*USUAL["dish"], 10_000)}
HUGE = {"dish": (1_000, 10_000, 100_000)}
# Members of a chunk: the same in all campaigns of an arm, so that memory can be flat.
CHUNK = 250
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


def main() -> None:
    """Print time per member and memory."""
    given = asked(__doc__ or "", "long", "huge")
    sizes = QUICK if given.quick else HUGE if given.huge else LONG if given.long else USUAL
    rows = []
    for arm, counts in sizes.items():
        first: tuple[float, float] | None = None
        for members in counts:
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                seconds, peak, failed = alone.submit(play, arm, members, CHUNK).result()
            each = seconds / members * 1e3
            first = first or (each, peak)
            name = f"{arm}, {members} members"
            rows.append(Row(name, each, "ms each", "smallest campaign", first[0]))
            rows.append(Row(f"{name}, peak memory", peak, "MB", "smallest campaign", first[1]))
            rows.append(Row(f"{name}, failed", float(failed), "1"))
    show(rows, f"{WORKERS} processes, {CHUNK} members in a chunk; members are worlds with a typical subject each.")


if __name__ == "__main__":
    main()
