"""Strict reading of user tables: every key is taken once, every default is noted, leftovers are errors."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nanotrial.errors import StudyError, nearest
from nanotrial.units import display, parse

YEAR = 365.25 * 86400.0


@dataclass(frozen=True)
class Default:
    """A value that a run uses although the study does not say it."""

    key: str
    value: str
    reason: str
    source: str = ""
    warning: bool = False


class TableReader:
    """Takes keys from a parsed TOML table; ``where`` is the file and key shown in messages."""

    def __init__(self, table: object, where: str, defaults: list[Default]) -> None:
        """Refuse anything but a table."""
        if not isinstance(table, dict):
            raise StudyError(where, f"{table!r}", "a table of keys")
        self.table: dict[str, Any] = dict(table)
        self.where, self.defaults = where, defaults
        self.asked: list[str] = []

    def key(self, name: str) -> str:
        """Return the full key for a message."""
        return f"{self.where}.{name}" if not self.where.endswith(": ") else f"{self.where}{name}"

    def has(self, name: str) -> bool:
        """Say whether a key is given; it counts as known from then on."""
        self.asked.append(name)
        return name in self.table

    def take(self, name: str) -> Any:
        """Return a key that must be there."""
        self.asked.append(name)
        if name not in self.table:
            spare = [k for k in self.table if k not in self.asked]
            near = difflib.get_close_matches(name, spare, n=1, cutoff=0.6)
            action = f"Is `{near[0]}` a misspelling of it?" if near else ""
            raise StudyError(self.key(name), "nothing", f"`{name}`", action)
        return self.table[name]

    def text(self, name: str, default: str | None = None, reason: str = "") -> str:
        """Return a text; a default is noted."""
        raw = self._given(name, default, reason)
        if not isinstance(raw, str) or not raw:
            raise StudyError(self.key(name), f"{raw!r}", "a text")
        return raw

    def quantity(
        self,
        name: str,
        unit: str,
        low: float,
        high: float,
        default: float | None = None,
        reason: str = "",
    ) -> float:
        """Return an SI number inside [low, high] (SI); ``unit`` fixes the dimension and the unit of messages."""
        self.asked.append(name)
        if name not in self.table:
            if default is None:
                self.take(name)
            assert default is not None
            self.note(name, display(default, unit, 4), reason)
            return default
        return self.checked(self.table[name], unit, low, high, self.key(name))

    def checked(self, raw: object, unit: str, low: float, high: float, where: str) -> float:
        """Return an SI number inside [low, high] read from a raw value."""
        number = parse(raw, unit, where)
        if not math.isfinite(number) or not low <= number <= high:
            raise StudyError(where, f"{raw!r}", f"{display(low, unit)} to {display(high, unit)}")
        return number

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None, reason: str = "") -> str:
        """Return one of the allowed words; a misspelt one gets the nearest."""
        words = list(allowed)
        raw = self._given(name, default, reason)
        if raw not in words:
            raise StudyError(self.key(name), f"`{raw}`", "one of the allowed words", nearest(str(raw), words))
        return str(raw)

    def tables(self, name: str) -> list[Any]:
        """Return a list of tables; nothing given is an empty list."""
        self.asked.append(name)
        raw = self.table.get(name, [])
        if not isinstance(raw, list):
            raise StudyError(self.key(name), f"{raw!r}", "a list of tables [{ ... }]")
        return raw

    def named(self, name: str) -> dict[str, Any]:
        """Return a table of named tables; nothing given is empty."""
        self.asked.append(name)
        raw = self.table.get(name, {})
        if not isinstance(raw, dict):
            raise StudyError(self.key(name), f"{raw!r}", f"tables such as [{name}.my_name]")
        return raw

    def note(self, name: str, value: str, reason: str, source: str = "", warning: bool = False) -> None:
        """Write a default down once; ``source`` is a key of references.bib, a warning is shown before a run."""
        entry = Default(self.key(name), value, reason, source, warning)
        if entry not in self.defaults:
            self.defaults.append(entry)

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for name in self.table:
            if name not in self.asked:
                raise StudyError(self.key(name), "an unknown key", "a key of this table", nearest(name, self.asked))

    def _given(self, name: str, default: str | None, reason: str) -> Any:
        self.asked.append(name)
        if name in self.table or default is None:
            return self.take(name)
        self.note(name, default, reason)
        return default


def each(rows: list[Any], where: str, read: Callable[[Any, str], Any]) -> list[Any]:
    """Read a list of tables with numbered places (counted from 1, as people count)."""
    return [read(row, f"{where}[{i}]") for i, row in enumerate(rows, 1)]
