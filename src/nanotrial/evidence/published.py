"""What was reported for a system, beside its study: ``catalogue/systems/<id>/published.toml``.

A fact says which arm and measure of which study shows it; a curve holds measured points. Facts of two sides (a
comparison, or a ratio of the arm over the comparator) map the words of each side to an arm, and to a measure or a time
of its own where the two differ in it. Values of held-out facts are not there: only the mapping is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanotrial.catalogue.lookup import ROOT, read_toml, references
from nanotrial.errors import EvidenceError, nearest
from nanotrial.study import measure_unit
from nanotrial.units import from_si, parse, to_si

if TYPE_CHECKING:
    from nanotrial.study import Study

CHECKS = ("value", "bound", "comparison", "ratio")
TWO_SIDED = ("comparison", "ratio")
RELATIONS = ("=", "~", "<", ">")
_KEYS = {
    "fact": {
        "id",
        "study",
        "arm",
        "comparator",
        "sides",
        "measure",
        "at",
        "check",
        "relation",
        "value",
        "unit",
        "larger",
        "sd",
        "source",
        "locator",
        "label",
        "note",
        "held_out",
        "kind",
    },
    "curve": {
        "id",
        "study",
        "arm",
        "measure",
        "at",
        "value",
        "low",
        "high",
        "unit",
        "source",
        "locator",
        "label",
        "note",
        "relative_sd",
    },
}


@dataclass(frozen=True)
class Side:
    """One side of a comparison or a ratio: an arm of the study, what is read there, and when (s)."""

    arm: str
    measure: str
    time: float


@dataclass(frozen=True)
class MappedFact:
    """A published finding and where the study shows it; times in s, values in SI of the measure (a ratio is plain)."""

    id: str
    study: Path
    arm: str
    measure: str
    time: float
    check: str
    comparator: str = ""
    relation: str = "="
    value: float | None = None
    unit: str = "1"
    larger: str | None = None
    sd: float | None = None
    source: str = ""
    locator: str = ""
    label: str = ""
    note: str = ""
    kind: str = ""
    sides: dict[str, Side] = field(default_factory=dict)
    held_out: bool = False

    @property
    def places(self) -> tuple[Side, ...]:
        """Return where the study shows the fact: both sides, or the one arm at its time."""
        return tuple(self.sides.values()) if self.check in TWO_SIDED else (Side(self.arm, self.measure, self.time),)


@dataclass(frozen=True)
class Curve:
    """Measured points of one arm: times (s), values and limits in SI of the measure."""

    id: str
    study: Path
    arm: str
    measure: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    relative_sd: float
    unit: str
    source: str
    locator: str
    label: str


def published_files() -> list[Path]:
    """Return the published.toml files of the catalogue."""
    return sorted((ROOT / "systems").glob("*/published.toml"))


@lru_cache(maxsize=64)
def read_published(path: Path) -> tuple[tuple[MappedFact, ...], tuple[Curve, ...]]:
    """Return the facts and curves of one file.

    Raises:
        EvidenceError: unknown or missing key, unknown source, or a study that is not there.
    """
    table = read_toml(path)
    where = f"{path.parent.name}/{path.name}"
    for key in table:
        if key not in _KEYS:
            raise EvidenceError(where, f"the key `{key}`", "[[fact]] or [[curve]]", nearest(key, _KEYS))
    facts = tuple(_fact(row, path, f"{where}: fact[{i}]") for i, row in enumerate(table.get("fact", []), 1))
    curves = tuple(_curve(row, path, f"{where}: curve[{i}]") for i, row in enumerate(table.get("curve", []), 1))
    return facts, curves


def _common(row: dict[str, Any], kind: str, path: Path, where: str) -> Path:
    for key in row:
        if key not in _KEYS[kind]:
            raise EvidenceError(f"{where}.{key}", "an unknown key", f"a key of a {kind}", nearest(key, _KEYS[kind]))
    for key in ("id", "study", "measure", "at", "source"):
        if key not in row:
            raise EvidenceError(f"{where}.{key}", "nothing", f"`{key}`")
    study = path.parent / str(row["study"])
    if not study.is_file():
        raise EvidenceError(f"{where}.study", f"`{row['study']}`", "a study file beside it")
    if row["source"] not in references():
        raise EvidenceError(
            f"{where}.source",
            f"`{row['source']}`",
            "a key of references.bib",
            nearest(str(row["source"]), references()),
        )
    return study


def _fact(row: dict[str, Any], path: Path, where: str) -> MappedFact:
    study = _common(row, "fact", path, where)
    check = row.get("check")
    if check not in CHECKS:
        raise EvidenceError(f"{where}.check", f"{check!r}", " or ".join(CHECKS))
    unit = str(row.get("unit", "1"))
    value, sd = row.get("value"), row.get("sd")
    relation = row.get("relation", "=")
    if relation not in RELATIONS:
        raise EvidenceError(f"{where}.relation", f"{relation!r}", "one of " + " ".join(RELATIONS))
    time = parse(row["at"], "h", f"{where}.at")
    sides = _sides(row, time, where) if check in TWO_SIDED else {}
    if check not in TWO_SIDED and "sides" in row:
        raise EvidenceError(f"{where}.sides", f"sides of a {check}", "sides for a comparison or a ratio alone")
    if check == "ratio" and unit != "1":
        raise EvidenceError(f"{where}.unit", f"`{unit}`", '"1": a ratio has no unit')
    rest = {
        k: row[k]
        for k in ("comparator", "relation", "larger", "source", "locator", "label", "note", "kind", "held_out")
        if k in row
    }
    return MappedFact(
        id=row["id"],
        study=study,
        arm=str(row.get("arm", "")),
        measure=row["measure"],
        time=time,
        check=check,
        sides=sides,
        value=None if value is None else to_si(float(value), unit, where),
        sd=None if sd is None else to_si(float(sd), unit, where),
        unit=unit,
        **rest,
    )


def _sides(row: dict[str, Any], time: float, where: str) -> dict[str, Side]:
    """Return the two sides by their words; a side is the name of an arm, or a table of `arm` and `at`."""
    raw = row.get("sides")
    if not isinstance(raw, dict) or len(raw) != 2:
        expected = 'two, such as { "with X" = "arm one", "before X" = { arm = "arm one", at = "0 h" } }'
        raise EvidenceError(f"{where}.sides", f"{raw!r}", expected)
    for key in ("arm", "comparator"):
        if key not in row and row["check"] == "ratio":
            raise EvidenceError(f"{where}.{key}", "nothing", "which side of the ratio it is")
        if key in row and row[key] not in raw:
            raise EvidenceError(f"{where}.{key}", f"`{row[key]}`", "one of the sides", nearest(str(row[key]), raw))
    found = {words: _side(one, row["measure"], time, f"{where}.sides.{words}") for words, one in raw.items()}
    if len({measure_unit(side.measure) for side in found.values()}) > 1:
        raise EvidenceError(f"{where}.sides", "measures of two units", "measures that can be compared")
    return found


SIDE_KEYS = ("arm", "measure", "at")


def _side(raw: object, measure: str, time: float, where: str) -> Side:
    if isinstance(raw, str):
        return Side(raw, measure, time)
    if not isinstance(raw, dict):
        raise EvidenceError(where, f"{raw!r}", "the name of an arm, or a table of `arm`, `measure` and `at`")
    for key in raw:
        if key not in SIDE_KEYS:
            raise EvidenceError(f"{where}.{key}", "an unknown key", "`arm`, `measure` or `at`", nearest(key, SIDE_KEYS))
    if not isinstance(raw.get("arm"), str):
        raise EvidenceError(f"{where}.arm", f"{raw.get('arm')!r}", "the name of an arm")
    if not isinstance(raw.get("measure", measure), str):
        raise EvidenceError(f"{where}.measure", f"{raw['measure']!r}", "the name of a measure")
    return Side(raw["arm"], raw.get("measure", measure), parse(raw["at"], "h", f"{where}.at") if "at" in raw else time)


def _curve(row: dict[str, Any], path: Path, where: str) -> Curve:
    study = _common(row, "curve", path, where)
    for key in ("arm", "value", "unit", "relative_sd"):
        if key not in row:
            raise EvidenceError(f"{where}.{key}", "nothing", f"`{key}` for a curve")
    unit = str(row["unit"])
    times = tuple(parse(t, "h", f"{where}.at") for t in row["at"])
    values = tuple(to_si(float(v), unit, where) for v in row["value"])
    low = tuple(to_si(float(v), unit, where) for v in row.get("low", row["value"]))
    high = tuple(to_si(float(v), unit, where) for v in row.get("high", row["value"]))
    if not len(times) == len(values) == len(low) == len(high):
        raise EvidenceError(where, "lists of different length", "one value per time")
    return Curve(
        row["id"],
        study,
        row["arm"],
        row["measure"],
        times,
        values,
        low,
        high,
        float(row["relative_sd"]),
        unit,
        row["source"],
        str(row.get("locator", "")),
        str(row.get("label", row["id"])),
    )


def published_path(study: Study) -> Path | None:
    """Return the published.toml of the system a study names, or None."""
    return ROOT / "systems" / study.published / "published.toml" if study.published else None


def all_facts() -> Iterator[MappedFact]:
    """Yield every mapped fact of the catalogue."""
    for path in published_files():
        yield from read_published(path)[0]


def published_points(study: Study) -> list[dict[str, Any]]:
    """Return the published points to draw over the figures of a study, in the units of the record."""
    path = published_path(study)
    if path is None:
        return []
    facts, curves = read_published(path)
    arms, measures = {a.name for a in study.arms}, {m.name for m in study.measures}
    points = []
    for fact in facts:
        shown = fact.value is not None and fact.check in ("value", "bound")
        if shown and fact.arm in arms and fact.measure in measures:
            value = from_si(float(fact.value or 0.0), measure_unit(fact.measure))
            points.append(
                _point(fact.id, fact.arm, fact.measure, fact.time, value, fact.relation, fact.label, fact.source)
            )
    for curve in curves:
        if curve.arm in arms and curve.measure in measures:
            unit = measure_unit(curve.measure)
            points += [
                _point(curve.id, curve.arm, curve.measure, t, from_si(v, unit), "=", curve.label, curve.source)
                for t, v in zip(curve.times, curve.values, strict=True)
            ]
    return points


def _point(
    identifier: str, arm: str, measure: str, time: float, value: float, relation: str, label: str, source: str
) -> dict[str, Any]:
    return {
        "id": identifier,
        "arm": arm,
        "measure": measure,
        "time_h": time / 3600.0,
        "value": value,
        "relation": relation,
        "label": label or identifier,
        "source": source,
    }
