"""Things that happen at an instant or over a window; a run is cut exactly at their edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nanotrial.errors import NetworkError
from nanotrial.network.terms import Term


@dataclass(frozen=True)
class Event:
    """At ``time`` (s) every named species takes the value of its term, made from the state just before.

    An addition is ``{name: network[name] + amount}``; a medium change or a removal multiplies.
    """

    time: float
    changes: Mapping[str, Term]
    label: str = ""


@dataclass(frozen=True)
class Pulse:
    """From ``start`` to ``end`` (s) a parameter holds another SI value: a beam or a lamp that is on."""

    start: float
    end: float
    parameter: str
    value: float

    def __post_init__(self) -> None:
        """Refuse a window that ends before it starts."""
        if not 0 <= self.start < self.end or not math.isfinite(self.start):
            raise NetworkError(f"pulse of `{self.parameter}`: from {self.start} to {self.end} s is no window")


@dataclass(frozen=True)
class Segment:
    """A stretch of time without edges: events at its start, parameter values on it, outputs in it."""

    start: float
    end: float
    events: tuple[Event, ...]
    changes: Mapping[str, float]
    outputs: tuple[float, ...]

    @property
    def grid(self) -> tuple[float, ...]:
        """Return the times to integrate to: outputs after the start, and the end."""
        inside = tuple(t for t in self.outputs if t > self.start)
        closed = self.end <= self.start or (inside and inside[-1] == self.end)
        return inside if closed else (*inside, self.end)


def cut(
    events: Sequence[Event], pulses: Sequence[Pulse], outputs: Sequence[float], start: float = 0.0
) -> list[Segment]:
    """Return the segments of a run.

    An output at the instant of an event shows the state after the event. Pulses of one parameter must not overlap.

    Arguments:
        events: things that change amounts.
        pulses: windows that change parameters.
        outputs: times (s) to report, rising.
        start: first instant (s).
    """
    if not all(math.isfinite(t) for t in (*outputs, *(e.time for e in events))):
        raise NetworkError("an event or output has a time that is no finite number")
    times = sorted(set(outputs))
    end = max([start, *times, *(e.time for e in events)])
    _check_pulses(pulses)
    if any(e.time < start for e in events) or (times and times[0] < start):
        raise NetworkError(f"an event or output lies before the start at {start} s")
    inside = {start, *(e.time for e in events), *(t for p in pulses for t in (p.start, p.end) if start < t <= end)}
    edges = sorted(inside)
    segments = []
    for left, right in zip(edges, [*edges[1:], end], strict=True):
        last = left == edges[-1]
        shown = tuple(t for t in times if left <= t < right or (last and t == right))
        here = tuple(e for e in events if e.time == left)
        changes = {p.parameter: p.value for p in pulses if p.start <= left < p.end}
        segments.append(Segment(left, right, here, changes, shown))
    return segments


def _check_pulses(pulses: Sequence[Pulse]) -> None:
    ordered = sorted(pulses, key=lambda p: (p.parameter, p.start))
    for first, second in itertools.pairwise(ordered):
        if first.parameter == second.parameter and second.start < first.end:
            raise NetworkError(f"two pulses of `{first.parameter}` overlap at {second.start} s")
