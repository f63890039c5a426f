"""Errors that name where, what was found, what was expected, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NanotrialError(Exception):
    """Root of all errors that nanotrial raises on purpose; the text is meant for the user."""


class InputError(NanotrialError):
    """A request, file or key is wrong.

    Arguments:
        where: file and key, for instance ``study.toml: arm[2].add[0].concentration``.
        found: what stands there.
        expected: what would be right.
        action: what to do next; may be empty.
    """

    def __init__(self, where: str, found: str, expected: str, action: str = "") -> None:
        """Join the four parts into one message of at most a few lines."""
        self.where, self.found, self.expected, self.action = where, found, expected, action
        text = f"{_shown(where)}: found {_shown(found)}; expected {_shown(expected, 400)}."
        super().__init__(f"{text} {_shown(action, 600)}".rstrip())


def _shown(text: str, most: int = 200) -> str:
    """Return a text fit for one line of a terminal: no control signs, and the middle left out where it is long."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if len(plain) <= most else f"{plain[: most // 2]} ... {plain[-most // 4 :]}"


class UnitError(InputError):
    """A unit is missing, unknown or of the wrong dimension."""


class CatalogueError(InputError):
    """A catalogue sheet or an id in the catalogue is wrong."""


class StudyError(InputError):
    """A study file is wrong."""


class NetworkError(NanotrialError):
    """A network is put together wrongly: dimensions, names or conservation."""


class SolveError(NanotrialError):
    """A run did not reach its end: the text says when, which quantity and which arm."""

    def __init__(self, message: str, time: float | None = None, quantity: str | None = None) -> None:
        """Keep the time (s) and the name of the quantity beside the message."""
        self.time, self.quantity = time, quantity
        super().__init__(message)


class EvidenceError(InputError):
    """A facts file, a mapping of facts to arms, or a predictions file is wrong."""


class OutputError(NanotrialError):
    """A result cannot be written: the folder exists, the disk is full, no permission."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """Return a sentence with the names nearest to a misspelt one.

    Arguments:
        name: what the user wrote.
        known: the valid names.
        most: how many to offer.
    """
    names = sorted(set(known))
    hits = difflib.get_close_matches(name, names, n=most, cutoff=0.5)
    if hits:
        return "Did you mean " + " or ".join(f"`{hit}`" for hit in hits) + "?"
    shown = ", ".join(names[:12]) + (" and more" if len(names) > 12 else "")
    return f"Known: {shown}." if names else "Nothing of this kind is known."
