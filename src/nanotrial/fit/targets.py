"""What a fit has to meet: numbers from named facts and measured curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanotrial.errors import EvidenceError, nearest
from nanotrial.evidence.published import Curve, MappedFact, published_path, read_published

if TYPE_CHECKING:
    from nanotrial.study import Study


@dataclass(frozen=True)
class Target:
    """One number to meet: arm, measure, time (s), value and sd in SI of the measure, relation, and where it is from."""

    id: str
    arm: str
    measure: str
    time: float
    value: float
    sd: float
    relation: str = "="
    source: str = ""


def targets_of(study: Study, names: Sequence[str]) -> list[Target]:
    """Return the targets of facts and curves named by id in the published.toml beside the study."""
    path = published_path(study) or study.path.parent / "published.toml"
    if not path.is_file():
        raise EvidenceError(
            study.path.name,
            "no published facts",
            "a key `published` with a system of the catalogue, or a published.toml beside the study",
        )
    facts, curves = read_published(path)
    known: dict[str, MappedFact | Curve] = {f.id: f for f in facts} | {c.id: c for c in curves}
    result = []
    for name in names:
        if name not in known:
            raise EvidenceError(
                f"{path.name}: {name}", "an unknown fact or curve", "an id of the file", nearest(name, known)
            )
        result += _targets(known[name])
    return result


def _targets(one: MappedFact | Curve) -> list[Target]:
    if isinstance(one, Curve):
        return [
            Target(one.id, one.arm, one.measure, t, v, max(one.relative_sd * v, (h - low) / 2), "=", one.source)
            for t, v, low, h in zip(one.times, one.values, one.low, one.high, strict=True)
            if t > 0
        ]
    if one.value is None or one.check not in ("value", "bound"):
        raise EvidenceError(one.id, f"a {one.check} without an open value", "a fact with a value or a bound")
    if one.sd is None:
        raise EvidenceError(one.id, "no `sd`", "the standard deviation of the reported number, in its unit")
    return [Target(one.id, one.arm, one.measure, one.time, one.value, one.sd, one.relation, one.source)]
