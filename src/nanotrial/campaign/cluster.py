"""Chunks on many processes through Dask: workers of this machine, or those of any scheduler.

Results come back to the one process that writes them, so workers need no shared disk. At most two chunks per worker are
under way, so memory does not grow with the number of members.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanotrial.campaign.store import failure_text
from nanotrial.campaign.worker import identity, strangeness
from nanotrial.errors import InputError, OutputError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

INSTALL = "Install the same versions on every worker and start it again; after editing code, start again here too."
# How long to try a scheduler, and to wait for its first worker (s).
PATIENCE = 8.0
ADDRESS = re.compile(r"(tcp|tls|ws|wss)://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler."""
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[3]) < 65536:
        raise InputError("scheduler", f"`{address}`", "an address such as tcp://host:8786")


@contextlib.contextmanager
def workers_here(workers: int | None, chunks: int) -> Iterator[Client]:
    """Give a client of worker processes on this machine, by default one per core, never more than chunks."""
    import dask
    from dask.system import CPU_COUNT
    from distributed import Client

    count = min(workers or CPU_COUNT, chunks)
    cluster = client = None
    # Every death comes back to us at once: we know better which chunk was guilty.
    with _quiet_logs(), dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        try:
            with _deaf_children():
                cluster = _start(count)
            client = Client(cluster, set_as_default=False)
            yield client
        except BaseException:
            if cluster is not None:
                _kill(cluster)
            raise
        finally:
            for one in (client, cluster):
                if one is not None:
                    one.close(timeout=20)


def _start(count: int) -> LocalCluster:
    """Return worker processes of one thread each, with the port of their scheduler's pages left to chance."""
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit="auto",
            silence_logs=logging.CRITICAL,
        )
    except (RuntimeError, OSError, TimeoutError) as error:
        raise OutputError(
            f"worker processes cannot be started ({failure_text(error)}). Use one worker; or, in a script, "
            'call this under `if __name__ == "__main__":`.'
        ) from error


@contextlib.contextmanager
def scheduler_of(address: str) -> Iterator[Client]:
    """Give a client of a scheduler that has at least one worker.

    Raises:
        OutputError: nobody answers there, or no worker came.
    """
    from distributed import Client

    with _quiet_logs():
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False, name="nanotrial")
        except (OSError, TimeoutError, ValueError) as error:
            raise OutputError(
                f"no Dask scheduler answers at {address} (tried for {PATIENCE:g} s: {_cause(error)}). Start one with "
                "`dask scheduler`, check address and firewall, or leave --scheduler out to use this machine."
            ) from error
        try:
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError:
                raise OutputError(
                    f"the scheduler {address} has no workers (waited {PATIENCE:g} s). Start some with "
                    f"`dask worker {address}`, or leave --scheduler out to use this machine."
                ) from None
            yield client
        finally:
            client.close(timeout=2)


def check_workers(client: Client, expected: dict[str, str]) -> None:
    """Refuse workers that would compute with other code, sheets or packages.

    Raises:
        InputError: naming the first such worker and what differs.
    """
    for address, found in client.run(identity, on_error="return").items():
        if not isinstance(found, dict):
            reason = (str(found).strip() or type(found).__name__).splitlines()[0]
            raise InputError(f"worker {address}", f"no nanotrial that answers ({reason})", "the same as here", INSTALL)
        wrong = strangeness(found, expected)
        if wrong:
            raise InputError(f"worker {address}", wrong, "the same as here", INSTALL)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Dask's own log off the terminal: what a user should know is said by us."""
    known = [n for n in logging.root.manager.loggerDict if n.split(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in known}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes and threads begun in the block not hear Ctrl-C; it is this process that answers it.

    A blocked signal stays blocked in children, also in those that Dask starts later for ones that died.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(cluster: LocalCluster) -> None:
    """End worker processes at once: what they compute is no longer wanted, and a solver does not hear requests."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with contextlib.suppress(OSError):
                os.kill(nanny.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _cause(error: BaseException) -> str:
    """Return the innermost reason in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
