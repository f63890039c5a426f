"""Exit codes: 0 done, 1 some arms or members failed, 2 the request is wrong, 70 a fault of ours, 130 interrupted."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from nanotrial.errors import NanotrialError
from nanotrial.solve.interrupt import honest_interrupts

DONE, FAILED, WRONG, FAULT, INTERRUPTED = 0, 1, 2, 70, 130


def guarded(command: Callable[..., int | None]) -> Callable[..., None]:
    """Wrap a command so that every way out is an exit code and at most one message on stderr.

    Arguments:
        command: returns its exit code, or None for 0.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        raise typer.Exit(code_of(lambda: command(*arguments, **options)))

    return run


def code_of(work: Callable[[], int | None]) -> int:
    """Return the exit code of a piece of work; what it raises becomes a message on stderr."""
    try:
        with honest_interrupts():
            code = work() or DONE
        sys.stdout.flush()
        return code
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt as stop:
        return _tell(str(stop) or "Interrupted; nothing half-written was kept.", INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        return DONE
    except NanotrialError as error:
        return _tell(str(error), WRONG, error)
    except OSError as error:
        _drop_output()
        return _tell(_os_text(error), WRONG, error)
    except Exception as error:
        return _tell(_fault_text(error), FAULT, error)


def _tell(message: str, code: int, error: BaseException | None = None) -> int:
    """Write one message, with the traceback only where NANOTRIAL_DEBUG asks for it."""
    if error is not None and os.environ.get("NANOTRIAL_DEBUG") == "1":
        import traceback

        typer.echo("".join(traceback.format_exception(error)), err=True)
    typer.echo(message if error is None else f"Error: {message}", err=True)
    return code


def _os_text(error: OSError) -> str:
    what = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{what}the disk is full; nothing half-written was kept. Free some space or write elsewhere with -o."
    return f"{what}{error.strerror or error}. Check the path and its permissions."


def _fault_text(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0][:300]
    return (
        f"nanotrial itself failed ({type(error).__name__}: {first}). This is a fault of nanotrial, not of your study.\n"
        "Please open an issue with the command, the study file and the output of the same command under "
        "NANOTRIAL_DEBUG=1."
    )


def _drop_output() -> None:
    """Point stdout at nothing, so that the interpreter does not fail again when it flushes at the end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
