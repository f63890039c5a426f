"""Which chunk goes to the workers next, and what is done about chunks whose worker died.

A worker that dies takes the chunks with it that it held, guilty or not. So a chunk that has lost two workers runs alone
the third time: if that worker dies too, the chunk did it.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nanotrial.campaign.cluster import INSTALL, check_workers
from nanotrial.campaign.store import failed_chunk, how_to_resume
from nanotrial.campaign.worker import identity, play_chunk
from nanotrial.errors import InputError, OutputError, SolveError

if TYPE_CHECKING:
    from distributed import Client

    from nanotrial.campaign.plan import Work
    from nanotrial.campaign.store import Store

MOST_DEATHS = 3
PER_WORKER = 2
# How often to look after scheduler and workers, and how long to do without any worker (s).
LOOK, WITHOUT_WORKERS = 0.5, 30.0


def played_on(client: Client, work: Work, store: Store, missing: list[int]) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each missing chunk as a worker gives it."""
    import cloudpickle

    expected = identity()
    check_workers(client, expected)
    payload = cloudpickle.dumps((work, store.plan))
    yield from Rounds(client, store, payload, expected, missing).results()


class Rounds:
    """Chunks waiting, chunks under way, and deaths of workers by chunk."""

    def __init__(
        self, client: Client, store: Store, payload: bytes, expected: dict[str, str], missing: list[int]
    ) -> None:
        """Line up the missing chunks.

        Arguments:
            client: of workers that were checked.
            store: says how to go on, in messages.
            payload: work and plan as bytes.
            expected: what code a worker must have.
            missing: numbers of chunks.
        """
        self.client, self.store, self.payload, self.expected = client, store, payload, expected
        self.waiting, self.suspects = deque(missing), deque[int]()
        self.flying: dict[str, tuple[int, Any]] = {}
        self.alone: int | None = None
        self.deaths, self.tries = Counter[int](), Counter[int]()
        self.arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.threads, self.looked, self.seen = 1, -1e9, time.monotonic()

    def results(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and bytes of each chunk as it is done.

        Raises:
            OutputError: scheduler or all workers lost.
            SolveError: a chunk failed as a whole, or lost three workers.
            InputError: a worker that came later has other code.
        """
        while self.waiting or self.suspects or self.flying:
            self._look()
            self._send()
            try:
                future = self.arrived.get(timeout=LOOK)
            except queue.Empty:
                continue
            number, _ = self.flying.pop(future.key, (None, None))
            if number is None:
                continue
            was_alone, self.alone = self.alone == number, None if self.alone == number else self.alone
            outcome = self._outcome(number, future, was_alone)
            if outcome is not None:
                self._send()  # workers go on while this one is written
                yield number, outcome

    def _send(self) -> None:
        """Send as many chunks as may be under way; a suspect goes alone."""
        if self.alone is not None:
            return
        if self.suspects:
            if not self.flying:
                self.alone = self.suspects.popleft()
                self._submit(self.alone)
            return
        while self.waiting and len(self.flying) < PER_WORKER * max(1, self.threads):
            self._submit(self.waiting.popleft())

    def _submit(self, number: int) -> None:
        self.tries[number] += 1
        key = f"nanotrial-{self.store.plan.digest[:12]}-{id(self):x}-{number}-{self.tries[number]}"
        future = self.client.submit(play_chunk, self.payload, number, self.expected, key=key, pure=False, retries=0)
        self.flying[key] = (number, future)
        future.add_done_callback(self.arrived.put)

    def _outcome(self, number: int, future: Any, was_alone: bool) -> bytes | None:
        """Return the bytes of a chunk, or None where it has to run again."""
        from distributed import KilledWorker

        try:
            found = future.result(timeout=WITHOUT_WORKERS)
        except KilledWorker as death:
            self._bury(number, int(getattr(death, "allowed_failures", 0)) + 1, was_alone)
            return None
        except TimeoutError:
            self.waiting.appendleft(number)  # done, but lost with its worker
            return None
        except Exception as error:  # cancelled, or the connection is gone
            raise self._lost() from error
        finally:
            future.release()
        if "stranger" in found:
            raise InputError("a worker", found["stranger"], "the same as here", INSTALL)
        if "error" in found:
            raise failed_chunk(self.store, number, found["error"])
        data: bytes = found["data"]
        return data

    def _bury(self, number: int, deaths: int, was_alone: bool) -> None:
        """Count the deaths of workers that held a chunk, and line it up again or give up."""
        self.deaths[number] += deaths
        total = self.deaths[number]
        if was_alone and total >= MOST_DEATHS:
            raise SolveError(
                f"{self.store.plan.called(number)} killed {total} workers, the last while it ran alone: too little "
                f"memory, or a crash of the solver. {self._kept()} Run again with smaller chunks. {self._how()}"
            )
        (self.suspects if total >= MOST_DEATHS - 1 else self.waiting).appendleft(number)
        self.store.say(f"A worker died with {self.store.plan.called(number)}; it is run again.")

    def _look(self) -> None:
        """See now and then whether scheduler and workers are still there."""
        now = time.monotonic()
        if now - self.looked < LOOK:
            return
        self.looked = now
        if self.client.status != "running":
            raise self._lost()
        try:
            self.threads = sum(self.client.nthreads().values())
        except (OSError, TimeoutError) as error:
            raise self._lost() from error
        if self.threads:
            self.seen = now
        elif now - self.seen > WITHOUT_WORKERS:
            raise OutputError(f"all workers are gone, for {WITHOUT_WORKERS:g} s now. {self._kept()} {self._how()}")

    def _lost(self) -> OutputError:
        return OutputError(f"the connection to the Dask scheduler was lost. {self._kept()} {self._how()}")

    def _kept(self) -> str:
        return f"{len(self.store.present())} of {self.store.plan.chunks} chunks are kept."

    def _how(self) -> str:
        return how_to_resume(self.store.folder)
