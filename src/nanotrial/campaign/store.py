"""The folder of a campaign: its plan, its inputs and its chunks; each file is there whole or not at all.

One process at a time works in a folder; a lock of the operating system says so, and goes with the process that held it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nanotrial.campaign.chunks import DamageError, decode_chunk
from nanotrial.campaign.plan import PLAN, Plan
from nanotrial.errors import NanotrialError, OutputError, SolveError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNKS = "chunks"
LOCK, HOLDER = ".lock", ".lock.holder"
UNFINISHED = ".unfinished-"


class Store:
    """Chunks of one plan in one folder."""

    def __init__(self, folder: Path, plan: Plan, say: Callable[[str], None]) -> None:
        """Keep folder and plan; ``say`` is told what was set aside."""
        self.folder, self.plan, self.say = folder, plan, say

    def path(self, number: int) -> Path:
        """Return the file of a chunk."""
        return self.folder / CHUNKS / f"{number:05d}.parquet"

    def present(self) -> list[int]:
        """Return the numbers of the chunks that have a file, unread."""
        return [number for number in range(self.plan.chunks) if self.path(number).is_file()]

    def read(self, number: int) -> pa.Table:
        """Return a chunk after checking it.

        Raises:
            DamageError: it is not what the plan says.
            OutputError: the disk does not give it.
        """
        try:
            data = self.path(number).read_bytes()
        except OSError as error:
            raise OutputError(f"{self.path(number)} cannot be read: {reason_of(error)}.") from error
        return decode_chunk(self.plan, number, data)

    def finished(self) -> set[int]:
        """Return the numbers of the chunks that are whole; what is damaged is set aside and told."""
        done = set()
        for number in self.present():
            try:
                self.read(number)
                done.add(number)
            except DamageError as damage:
                self.set_aside(number, str(damage))
        return done

    def set_aside(self, number: int, why: str) -> None:
        """Rename the file of a damaged chunk, so that it is computed again and can still be looked at."""
        path, count = self.path(number), 1
        while (aside := path.with_name(f"{path.name}.damaged-{count}")).exists():
            count += 1
        try:
            path.rename(aside)
        except OSError as error:
            raise OutputError(f"{path} is damaged and cannot be renamed: {reason_of(error)}.") from error
        self.say(f"{path} is damaged: {why}. It is kept as {aside.name}, and the chunk is computed again.")

    def write(self, number: int, data: bytes) -> None:
        """Write a chunk, whole or not at all.

        Raises:
            OutputError: the disk refuses; the text says why and how to go on.
        """
        try:
            write_whole(self.path(number), data)
        except OSError as error:
            raise OutputError(
                f"{self.path(number)} could not be written: {reason_of(error)}. Nothing half-written was kept; "
                f"{len(self.present())} of {self.plan.chunks} chunks are. {_remedy(error)} {how_to_resume(self.folder)}"
            ) from error

    def clear_unfinished(self) -> None:
        """Remove what a killed process left half-written; call it while the folder is held."""
        for path in (self.folder / CHUNKS).glob(f"{UNFINISHED}*"):
            with contextlib.suppress(OSError):
                path.unlink()


def create_folder(folder: Path, plan: Plan, inputs: Mapping[str, str]) -> None:
    """Make the folder of a new campaign with plan, inputs and no chunk, whole or not at all.

    Raises:
        OutputError: it exists, or the disk refuses.
    """
    if (folder / PLAN).is_file():
        raise OutputError(f"{folder} holds a run already. {how_to_resume(folder)} Or choose another folder with -o.")
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder} exists already; a run folder is never overwritten. Choose another with -o.")
    work: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        (work / CHUNKS).mkdir()
        for name, text in {PLAN: plan.text(), **inputs}.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(work / name, text.encode())
        work.chmod(0o755)
        work.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {reason_of(error)}. Choose another place with -o.") from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes for the length of the block.

    Raises:
        OutputError: another process holds it, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    note = folder / HOLDER
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        action = f"Wait until it is done, or stop it; then: {resume_command(folder)}"
        raise OutputError(f"{folder} is being worked on by {_holder(note)}. {action}") from None
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be worked in: {reason_of(error)}. Check the path and its rights."
        ) from error
    try:
        with contextlib.suppress(OSError):  # the note helps people; the lock is what counts
            write_whole(note, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink()
        lock.release()


def _holder(note: Path) -> str:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a neighbour that takes its name when all of it is on the disk.

    Raises:
        OSError: as the system says; nothing is left behind.
    """
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    work = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        work.chmod(0o644)
        os.replace(work, path)
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Ask the disk to keep the names in a folder, where the platform can be asked."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some shared disks cannot
            raise
    finally:
        os.close(handle)


def reason_of(error: OSError) -> str:
    """Return why the system refused, in one line."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno == errno.EFBIG:
        return "files of this size are not allowed here"
    return os.strerror(error.errno) if error.errno else str(error).partition("\n")[0]


def _remedy(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "Free some space." if full else "Check the path and its rights."


def resume_command(folder: Path) -> str:
    """Return the command that goes on with a folder."""
    import shlex

    return f"nanotrial resume {shlex.quote(str(folder))}"


def how_to_resume(folder: Path) -> str:
    """Return the sentence that says how to go on."""
    return f"Go on with: {resume_command(folder)}"


def failure_text(error: Exception) -> str:
    """Return what went wrong in one line; errors that were not foreseen are told with their kind."""
    text = (str(error).strip().splitlines() or ["no message"])[0][:500]
    return text if isinstance(error, NanotrialError) else f"{type(error).__name__}: {text}"


def failed_chunk(store: Store, number: int, text: str) -> SolveError:
    """Return the error of a chunk that failed as a whole."""
    kept = f"{len(store.present())} of {store.plan.chunks} chunks are kept."
    end = "" if text.endswith(".") else "."
    return SolveError(f"{store.plan.called(number)} failed: {text}{end} {kept} {how_to_resume(store.folder)}")
