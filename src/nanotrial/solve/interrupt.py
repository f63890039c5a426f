"""Ctrl-C inside CasADi: its solvers make a RuntimeError of it and its argument conversions swallow it.

Either way a run would go on, or look failed, although the user wants it to stop.
"""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def honest_interrupts() -> Iterator[Callable[[], None]]:
    """Raise KeyboardInterrupt out of the block whenever one was raised inside it and then swallowed.

    Gives a function that does so at once, for long blocks. Works in the main thread, where Python delivers signals;
    elsewhere it does nothing. Blocks may be nested.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield lambda: None
        return
    raised: list[KeyboardInterrupt] = []
    stderr = sys.stderr

    def watch(number: int, frame: FrameType | None) -> None:
        try:
            previous(number, frame)
        except KeyboardInterrupt as interrupt:
            raised.append(interrupt)
            sys.stderr = io.StringIO()  # CasADi writes its own line about it
            raise

    def check() -> None:
        if raised:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, watch)
    try:
        yield check
    except Exception:
        if raised:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, previous)
        sys.stderr = stderr
    check()
