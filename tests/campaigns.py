"""Toy work for campaigns: rows follow from the number of the member alone, so any two ways to play them must agree."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nanotrial.campaign import Column
from nanotrial.campaign.plan import digest_of
from nanotrial.errors import SolveError

TIMES = (0.0, 1.0, 2.5)
COLUMNS = (
    Column("arm", "text"),
    Column("world", "whole"),
    Column("status", "text"),
    Column("reason", "text"),
    Column("level", "number", "mmol/L", TIMES),
    Column("end", "number", "1"),
)


def exact_level(members: np.ndarray, arm: int) -> np.ndarray:
    """Return what an arm shows, (members, times): closed form, different for every member and time."""
    phase = np.sin(members.astype(float) * 12.9898 + arm)[:, None]
    return np.exp(phase * np.array(TIMES)[None, :]) * (1.0 + arm)


@dataclass(frozen=True)
class Toy:
    """Two arms; some members fail, a chunk may take its time, raise, or kill the process that plays it."""

    groups = 1
    members: int = 24
    seconds: float = 0.0
    failing: tuple[int, ...] = ()
    raising: tuple[int, ...] = ()
    deadly: tuple[int, ...] = ()
    deadly_once: str = ""
    seed: int = 1
    times: tuple[float, ...] = TIMES
    inputs: Mapping[str, str] = field(default_factory=dict)

    rows = 2

    @property
    def columns(self) -> tuple[Column, ...]:
        return COLUMNS

    @property
    def facts(self) -> dict[str, Any]:
        return {"kind": "toy", "seed": self.seed, "members": self.members, "failing": list(self.failing)}

    @property
    def digest(self) -> str:
        return digest_of(self.facts)

    def play(self, first: int, last: int) -> dict[str, np.ndarray]:
        time.sleep(self.seconds)
        inside = range(first, last)
        for number in self.raising:
            if number in inside:
                raise SolveError(f"the integrator broke at member {number}")
        for number in self.deadly:
            mark = Path(self.deadly_once) if self.deadly_once else None
            if number in inside and not (mark and mark.exists()):
                if mark:
                    mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        members = np.arange(first, last)
        level = np.concatenate([exact_level(members, arm) for arm in (0, 1)])
        both = np.concatenate([members, members])
        bad = np.isin(both, self.failing)
        level[bad] = np.nan
        reason = [f"calcium diverged at {m / 7:.3f} h" if b else "" for m, b in zip(both, bad, strict=True)]
        return {
            "arm": np.array(["control"] * len(members) + ["treated"] * len(members), dtype=object),
            "world": both,
            "status": np.where(bad, "failed", "done"),
            "reason": np.array(reason, dtype=object),
            "level": level,
            "end": level[:, -1],
        }


def chunk_bytes(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every chunk by file name."""
    return {p.name: p.read_bytes() for p in sorted((folder / "chunks").glob("*.parquet"))}
