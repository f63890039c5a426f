"""Writing single result files: whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from nanotrial.errors import OutputError


def write_new(path: Path, text: str, replace: bool = False) -> None:
    """Write a text file through a hidden neighbour, so that an interruption or a full disk leaves nothing behind.

    Arguments:
        path: the file.
        text: its content.
        replace: whether a file that exists may be replaced.

    Raises:
        OutputError: the file exists, or the disk refuses.
    """
    if path.exists() and not replace:
        raise OutputError(f"{path} exists already and is never overwritten. Choose another name.")
    work: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        work = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        work.chmod(0o644)
        work.replace(path)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise OutputError(f"{path} could not be written: {reason}. Nothing was kept.") from error
    finally:
        if work is not None:
            work.unlink(missing_ok=True)
