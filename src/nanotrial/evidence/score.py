"""Predictions against facts whose value is known: signs, errors, coverage of the band, and a naive baseline.

Fractions are compared in percentage points, other values by fold error (floor 1e-3). The baseline for a value is the
median of the other known facts of that measure, and for a comparison a coin. Fitted and predicted facts stand apart.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanotrial.errors import EvidenceError
from nanotrial.evidence.facts import Fact

FLOOR = 1e-3
Prediction = Mapping[str, Any]


def read_predictions(path: Path) -> list[dict[str, Any]]:
    """Return the predictions of a JSON-lines file.

    Raises:
        EvidenceError: unreadable, no JSON, or a line without id and status.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(str(path), f"a file that cannot be read ({error})", "a predictions file") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["status"] not in ("predicted", "not_modelled") or not isinstance(row["id"], str):
                raise ValueError("status is neither predicted nor not_modelled")
        except (ValueError, KeyError, TypeError) as error:
            raise EvidenceError(f"{path.name}: line {number}", f"{error}", "an object with id and status") from error
        rows.append(row)
    return rows


def score_rows(facts: Sequence[Fact], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return one row for all facts, then for those predicted and those fitted, then per system that has any.

    Arguments:
        facts: what was reported; held-out facts and those not asked are left out.
        predictions: as ``predict_facts`` gives them.
    """
    known = [f for f in facts if f.asked and not f.held_out]
    by_id = {p["id"]: p for p in predictions}
    baseline = _baseline(known)
    done = [f for f in known if by_id.get(f.id, {}).get("status") == "predicted"]
    groups: list[tuple[str, list[Fact]]] = [("all", known)]
    for mode in ("predicted", "fitted"):
        groups.append((f"mode: {mode}", [f for f in done if by_id[f.id].get("mode") == mode]))
    groups += [(s, [f for f in known if f.system == s]) for s in dict.fromkeys(f.system for f in done)]
    return [{"group": name, **_score(rows, by_id, baseline)} for name, rows in groups if rows or name == "all"]


def _baseline(facts: Sequence[Fact]) -> dict[str, float]:
    """Return for each fact the median of the other values of its measure."""
    values = [f for f in facts if f.check in ("value", "ratio") and f.value is not None]
    result = {}
    for fact in values:
        others = [f.value for f in values if f.measure == fact.measure and f.id != fact.id and f.value is not None]
        if others:
            result[fact.id] = statistics.median(others)
    return result


def _score(facts: Sequence[Fact], by_id: Mapping[str, Prediction], baseline: Mapping[str, float]) -> dict[str, Any]:
    signs: list[bool] = []
    errors: dict[str, list[float]] = {"points": [], "fold": [], "naive_points": [], "naive_fold": []}
    inside: list[bool] = []
    widths: list[float] = []
    bounds: list[bool] = []
    missing = 0
    for fact in facts:
        found = by_id.get(fact.id)
        if not found or found["status"] != "predicted":
            missing += 1
        elif fact.check == "comparison":
            signs.append(found.get("larger") == fact.larger)
        elif fact.value is not None and None not in (found.get("value"), found.get("lo"), found.get("hi")):
            if fact.check == "bound" or fact.relation in ("<", ">"):
                bounds.append(found["lo"] <= fact.value if fact.relation == "<" else found["hi"] >= fact.value)
            else:
                inside.append(found["lo"] <= fact.value <= found["hi"])
                widths.append(_distance(fact.unit, found["hi"], found["lo"]))
                _add_errors(errors, fact, found["value"], baseline.get(fact.id))
    return {
        "facts": len(facts),
        "not_modelled": missing,
        "comparisons": len(signs),
        "right_sign": _share(signs),
        "naive_right_sign": 0.5 if signs else None,
        "bounds": len(bounds),
        "bounds_held": _share(bounds),
        "values": len(inside),
        "in_band": _share(inside),
        "band_width": _median(widths),
        **{name: _middle(name, v) for name, v in errors.items()},
    }


def _distance(unit: str, a: float, b: float) -> float:
    """Return percentage points for fractions, the factor between two numbers otherwise."""
    if unit == "fraction":
        return 100 * abs(a - b)
    return 10 ** abs(math.log10(max(abs(a), FLOOR) / max(abs(b), FLOOR)))


def _add_errors(errors: dict[str, list[float]], fact: Fact, value: float, naive: float | None) -> None:
    kind = "points" if fact.unit == "fraction" else "fold"
    assert fact.value is not None
    errors[kind].append(_distance(fact.unit, value, fact.value))
    if naive is not None:
        errors[f"naive_{kind}"].append(_distance(fact.unit, naive, fact.value))


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _middle(name: str, errors: Sequence[float]) -> float | None:
    """Return the median of errors; factors are averaged by their logarithms where two stand in the middle."""
    if not name.endswith("fold") or not errors:
        return _median(errors)
    return 10 ** statistics.median(math.log10(error) for error in errors)


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
