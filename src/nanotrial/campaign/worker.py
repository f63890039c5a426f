"""What runs on a worker: who it is, and one chunk."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from nanotrial.campaign.chunks import encode_chunk
from nanotrial.campaign.plan import SOURCE, Plan, Work, versions_in_use
from nanotrial.campaign.store import failure_text


@lru_cache(maxsize=1)
def identity() -> dict[str, str]:
    """Return what must be alike wherever chunks are played: code, sheets, packages, Python."""
    sheets = hashlib.sha256()
    for path in sorted((SOURCE / "catalogue").rglob("*.toml")):
        sheets.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    more = {"sheets": sheets.hexdigest(), "pyarrow": version("pyarrow")}
    return {**versions_in_use(), **more, "python": platform.python_version().rpartition(".")[0]}


def strangeness(found: dict[str, str], expected: dict[str, str]) -> str:
    """Return what of an identity differs, or nothing."""
    keys = [k for k in expected if found.get(k) != expected[k]]
    named = [f"{k} {_short(found.get(k, 'absent'))} ({_short(expected[k])} here)" for k in keys]
    return ", ".join(named)


def _short(text: str) -> str:
    return text[:8] if len(text) == 64 else text


def play_chunk(payload: bytes, number: int, expected: dict[str, str]) -> dict[str, Any]:
    """Return the bytes of a chunk, or in words why there are none; runs on a worker.

    Errors travel as words: what a worker raises need not be known where it arrives.
    """
    wrong = strangeness(identity(), expected)
    if wrong:
        return {"stranger": wrong}
    try:
        work, plan = _unpacked(payload)
        return {"data": encode_chunk(plan, number, work.play(*plan.bounds(number)))}
    except Exception as error:
        return {"error": failure_text(error)}


@lru_cache(maxsize=1)
def _unpacked(payload: bytes) -> tuple[Work, Plan]:
    """Return work and plan; a worker unpacks them once."""
    import cloudpickle

    found: tuple[Work, Plan] = cloudpickle.loads(payload)
    return found
