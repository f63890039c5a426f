"""Facts to predict: from a JSON-lines file of any origin, or those that the catalogue maps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanotrial.errors import EvidenceError
from nanotrial.evidence.published import TWO_SIDED, MappedFact, all_facts


@dataclass(frozen=True)
class Fact:
    """One published finding as a facts file states it; ``value`` is in ``unit``, both may be missing."""

    id: str
    system: str = ""
    measure: str = ""
    check: str = "none"
    arm: str = ""
    comparator: str = ""
    relation: str = "="
    value: float | None = None
    unit: str = ""
    larger: str | None = None
    role: str = "outcome"
    quality: str = "ok"
    held_out: bool = False
    finding: str = ""

    @property
    def asked(self) -> bool:
        """Say whether the fact is an outcome that can be compared."""
        return self.held_out or (self.role == "outcome" and self.check not in ("", "none") and self.quality == "ok")


def load_facts(path: Path | None = None) -> list[Fact]:
    """Return the facts of a JSON-lines file, or those the catalogue maps.

    Arguments:
        path: one JSON object a line with at least ``id``; unknown fields are ignored, because facts files vary.

    Raises:
        EvidenceError: unreadable file, a line that is no JSON object, a line without id.
    """
    if path is None:
        return [_own(fact) for fact in all_facts()]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(
            str(path), f"a file that cannot be read ({error})", "a facts file, one JSON object a line"
        ) from error
    # An id may stand twice in a facts file: each line gets its prediction.
    facts: list[Fact] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        facts.append(_parse(line, f"{path.name}: line {number}"))
    return facts


def _parse(line: str, where: str) -> Fact:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise EvidenceError(where, f"no JSON ({error})", "one JSON object a line") from error
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise EvidenceError(where, "no `id`", 'an object with "id"')
    value = row.get("value_std")
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(key: str) -> str:
        found = row.get(key)
        return found if isinstance(found, str) else ""

    return Fact(
        id=row["id"],
        system=text("system"),
        measure=text("measure"),
        check=text("check") or "none",
        arm=text("arm"),
        comparator=text("comparator"),
        relation=text("relation") or "=",
        value=number,
        unit=text("unit_std"),
        larger=text("larger") or None,
        role=text("role") or "outcome",
        quality=text("quality") or "ok",
        held_out=row.get("held_out") is True,
        finding=text("finding"),
    )


def _own(fact: MappedFact) -> Fact:
    from nanotrial.units import from_si

    value = None if fact.value is None else from_si(fact.value, fact.unit)
    unit = "fraction" if fact.unit == "1" else fact.unit
    if fact.check == "ratio":
        unit = "fold"
    # A held-out comparison has two sides and no answer: which one is called the arm does not matter.
    arm, comparator = (
        (*fact.sides, "", "")[:2] if fact.check in TWO_SIDED and not fact.arm else (fact.arm, fact.comparator)
    )
    return Fact(
        id=fact.id,
        system=fact.study.parent.name,
        measure=fact.kind or fact.measure,
        check=fact.check,
        arm=arm,
        comparator=comparator,
        relation=fact.relation,
        value=value,
        unit=unit,
        larger=fact.larger,
        held_out=fact.held_out,
        finding=fact.locator,
    )
