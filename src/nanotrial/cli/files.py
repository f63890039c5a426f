"""Writing single result files: whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

from nanotrial.errors import OutputError


def write_page(record: dict[str, Any], path: Path, interactive: bool = False) -> None:
    """Write the report page; a refusal of the disk comes out as OSError, because the caller knows the final name."""
    from nanotrial.report.page import write_report

    try:
        write_report(record, path, interactive)
    except OutputError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise


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
