"""What a campaign computes and all that decides its numbers; two runs of one plan give the same bits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import nanotrial
from nanotrial.errors import InputError, OutputError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
PLAN = "plan.json"
SOURCE = Path(nanotrial.__file__).parent
# Packages that add, multiply or integrate: another version may move the last digits.
NUMERIC = ("casadi", "llvmlite", "numba", "numpy", "scipy")
# Rooms that show, keep or compare results: a change there moves no member.
SHOWING = ("budgets", "campaign", "cli", "evidence", "exchange", "report", "sensitivity", "statistics", "web")
SHOWING_MODULES, COMPUTING_MODULES = ("errors.py", "record.py"), ("study_work.py",)

Kind = Literal["text", "whole", "number"]


@dataclass(frozen=True)
class Column:
    """One column of a campaign: text, whole numbers, or numbers in a unit; with ``times_h`` one number per time."""

    name: str
    kind: Kind
    unit: str = ""
    times_h: tuple[float, ...] = ()


class Work(Protocol):
    """What a campaign plays; it can be pickled, and a range of members gives the same rows wherever it is played.

    ``digest`` stands for everything that decides the rows, ``facts`` says the same in words (plain JSON), and
    ``inputs`` are texts to keep beside the results, by file name. Each member gives ``rows`` rows.
    """

    @property
    def digest(self) -> str:
        """Return what stands for everything that decides the rows."""
        ...

    @property
    def members(self) -> int:
        """Return how many members there are."""
        ...

    @property
    def rows(self) -> int:
        """Return how many rows each member gives."""
        ...

    @property
    def groups(self) -> int:
        """Return how many groups of equal size the rows of a chunk fall into."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in order."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what decides the rows, in words."""
        ...

    @property
    def inputs(self) -> Mapping[str, str]:
        """Return texts to keep beside the results."""
        ...

    def play(self, first: int, last: int) -> Mapping[str, NDArray[Any]]:
        """Return the columns of members first to last (exclusive); a member that failed is NaN with its reason."""
        ...


@dataclass(frozen=True)
class Plan:
    """Members, rows of each, most members of a chunk, columns, what decides the numbers, and versions in use."""

    members: int
    rows: int
    chunk: int
    columns: tuple[Column, ...]
    work: str
    facts: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)
    groups: int = 1

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 over all of it."""
        return digest_of(self.table())

    @property
    def chunks(self) -> int:
        """Return the number of chunks."""
        return -(-self.members // self.chunk)

    def bounds(self, number: int) -> tuple[int, int]:
        """Return first member and the one past the last of a chunk; sizes differ by one at most."""
        return number * self.members // self.chunks, (number + 1) * self.members // self.chunks

    def called(self, number: int) -> str:
        """Return how messages name a chunk."""
        first, last = self.bounds(number)
        return f"chunk {number} (members {first} to {last - 1})"

    def column(self, name: str) -> Column:
        """Return a column by name; a misspelt one raises with the nearest."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError("column", f"`{name}`", "a column of the run", nearest(name, [c.name for c in self.columns]))

    def table(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {
            "format": FORMAT,
            "members": self.members,
            "rows": self.rows,
            "chunk": self.chunk,
            "columns": [asdict(c) for c in self.columns],
            "work": self.work,
            "facts": dict(self.facts),
            "versions": dict(self.versions),
            "groups": self.groups,
        }

    def text(self) -> str:
        """Return the plan as it stands in its file."""
        return json.dumps({"digest": self.digest, **self.table()}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def make_plan(work: Work, chunk: int) -> Plan:
    """Return the plan of a piece of work, with at most ``chunk`` members in each chunk, under the versions in use.

    Raises:
        InputError: no members, or chunks of none.
    """
    for name, number in (("members", work.members), ("chunk", chunk)):
        if number < 1:
            raise InputError(name, str(number), "a whole number from 1")
    facts = json.loads(json.dumps(work.facts))
    columns = tuple(work.columns)
    return Plan(work.members, work.rows, chunk, columns, work.digest, facts, versions_in_use(), work.groups)


def read_plan(folder: Path) -> Plan:
    """Return the plan of a folder.

    Raises:
        OutputError: there is none, or it cannot be read, is of another format or was changed by hand.
    """
    path = folder / PLAN
    made = "Give a folder made by `nanotrial run` with members in chunks."
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = raw.get("format")
        if found == FORMAT:
            columns = tuple(Column(**{**c, "times_h": tuple(c["times_h"])}) for c in raw["columns"])
            plan = Plan(
                raw["members"],
                raw["rows"],
                raw["chunk"],
                columns,
                raw["work"],
                raw["facts"],
                raw["versions"],
                raw["groups"],
            )
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}). {made}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OutputError(f"{path} holds no plan ({error}). {made}") from error
    if found != FORMAT:
        raise OutputError(f"{path} has format {found}, this nanotrial reads {FORMAT}. Run the study again.")
    if raw.get("digest") != plan.digest:
        raise OutputError(f"{path} was changed after the run began: its digest does not fit. Run the study again.")
    return plan


def differences(then: Plan, now: Plan) -> list[str]:
    """Return what differs between two plans, one sentence for each thing that decides numbers."""
    found = []
    before, after = dict(_leaves(then.table())), dict(_leaves(now.table()))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key) and key != "work":
            found.append(f"{key}: {_shown(before.get(key))} then, {_shown(after.get(key))} now")
    if then.work != now.work and not found:
        found.append(f"work: {_shown(then.work)} then, {_shown(now.work)} now")
    return found


def _leaves(table: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(table, dict) and table:
        for key, one in table.items():
            yield from _leaves(one, f"{at}.{key}" if at else str(key))
    else:
        yield at, list(table) if isinstance(table, tuple) else table


def _shown(value: Any) -> str:
    """Return a value short enough for a message; digests are told by their first eight signs."""
    text = "nothing" if value is None else str(value)
    return text[:8] if len(text) == 64 and text.isalnum() else text if len(text) <= 60 else f"{text[:50]} ..."


def digest_of(data: Any) -> str:
    """Return the SHA-256 of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def versions_in_use() -> dict[str, str]:
    """Return the versions that decide numbers: of nanotrial, of its code, and of the packages that compute."""
    found = {"nanotrial": nanotrial.__version__, "code": code_digest()}
    for name in NUMERIC:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return the SHA-256 of the modules that compute members; rooms that only show results are left out."""
    total = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        shows = parts[0] in SHOWING or parts[-1] in SHOWING_MODULES
        if not shows or parts[-1] in COMPUTING_MODULES:
            total.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
