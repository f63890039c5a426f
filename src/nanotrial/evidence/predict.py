"""A prediction for every fact, from the study that shows it; facts that nothing covers say why.

``lo`` and ``hi`` are the 5th and 95th percentile over members drawn from all spreads, ``value`` their median; a
comparison says which side is larger in the median of the paired difference. ``mode`` is ``fitted`` for facts a fit of
the study was made to, and for comparisons of two such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import EvidenceError
from nanotrial.evidence.facts import Fact
from nanotrial.evidence.members import member_values
from nanotrial.evidence.published import MappedFact, all_facts
from nanotrial.fit.overlay import Overlay
from nanotrial.study import load_study
from nanotrial.units import from_si

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.study import Study

    Played = dict[tuple[Path, str, str, float], tuple[NDArray[np.float64], Overlay]]

UNITS = {"fraction": "1", "mol/m3": "mol/m^3", "h": "h", "d": "d", "count": "1", "fold": "1"}
SAME = 1e-3


def predict_facts(
    facts: Sequence[Fact],
    members: int = 200,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
    without_fits: bool = False,
) -> list[dict[str, Any]]:
    """Return one prediction per fact, in the order of the facts.

    Arguments:
        facts: what to predict.
        members: draws from the spreads.
        seed: seeds the generator of the draws.
        progress: called with a line when a study begins.
        without_fits: predict from the sheets alone, as if no fit existed.
    """
    mapped = {m.id: m for m in all_facts()}
    wanted = [f for f in facts if f.id in mapped and _agrees(f, mapped[f.id])]
    curves: Played = {}
    for path in dict.fromkeys(mapped[f.id].study for f in wanted):
        if progress:
            progress(f"predicting {path.parent.name}/{path.name}")
        study = load_study(path)
        if without_fits:
            study = replace(study, fits=())
        needed = [mapped[f.id] for f in wanted if mapped[f.id].study == path]
        curves.update(_play(study, path, needed, members, seed))
    return [_predict(f, mapped.get(f.id), curves) for f in facts]


def _agrees(fact: Fact, mapping: MappedFact) -> bool:
    """Say whether a mapping still fits the fact: the same check, and sides it knows."""
    if fact.check != "none" and fact.check != mapping.check:
        return False
    return mapping.check != "comparison" or {fact.arm, fact.comparator} == set(mapping.sides)


def _play(study: Study, path: Path, needed: Sequence[MappedFact], members: int, seed: int) -> Played:
    """Return (study, arm, measure, time) -> members' values, the central run first, and the fits in force."""
    overlay = Overlay.of_study(study)
    points = [
        (arm, m.measure, m.time) for m in needed for arm in (m.sides.values() if m.check == "comparison" else [m.arm])
    ]
    found = member_values(study, points, members, seed, overlay)
    return {(path, *point): (values, overlay) for point, values in found.items()}


def _predict(fact: Fact, mapping: MappedFact | None, curves: Played) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(("value", "lo", "hi", "unit", "larger", "reason", "budget"))
    row = {"id": fact.id, "status": "not_modelled", "mode": "predicted", **row}
    if mapping is None:
        row["reason"] = _why_not(fact)
        return row
    if not _agrees(fact, mapping):
        row["reason"] = "the mapping of this fact does not know its check or its sides; the catalogue needs a new line"
        return row
    if mapping.check == "comparison":
        return _compare(fact, mapping, curves, row)
    values, overlay = curves[mapping.study, mapping.arm, mapping.measure, mapping.time]
    shown = _unit(fact)
    members = values[1:][~np.isnan(values[1:])]
    if not len(members):
        members = values[:1]
    if np.isnan(members).any():
        row["reason"] = "no run of the study reached the time of the fact"
        return row
    low, middle, high = (from_si(float(v), shown) for v in np.quantile(members, [0.05, 0.5, 0.95]))
    row |= {"status": "predicted", "value": middle, "lo": low, "hi": high, "unit": fact.unit or shown}
    row["mode"] = "fitted" if fact.id in overlay.facts else "predicted"
    failed = int(np.isnan(values[1:]).sum())
    if failed:
        row["reason"] = f"{failed} of {len(values) - 1} members failed and are left out"
    return row


def _unit(fact: Fact) -> str:
    if fact.unit and fact.unit not in UNITS:
        raise EvidenceError(fact.id, f"the unit `{fact.unit}`", "a unit of the facts format: " + ", ".join(UNITS))
    return UNITS.get(fact.unit, "1")


def _compare(fact: Fact, mapping: MappedFact, curves: Played, row: dict[str, Any]) -> dict[str, Any]:
    sides, fitted = [], []
    for text in (fact.arm, fact.comparator):
        values, overlay = curves[mapping.study, mapping.sides[text], mapping.measure, mapping.time]
        sides.append(values[1:] if len(values) > 1 else values)
        fitted.append(fact.id in overlay.facts or _fitted_point(mapping, mapping.sides[text], overlay))
    # A comparison of two numbers that were both fitted is no test.
    row["mode"] = "fitted" if all(fitted) else "predicted"
    good = ~np.isnan(sides[0]) & ~np.isnan(sides[1])
    if not good.any():
        row["reason"] = "no run of both arms reached the time of the fact"
        return row
    difference = sides[0][good] - sides[1][good]
    size = float(np.median(np.maximum(np.abs(sides[0][good]), np.abs(sides[1][good]))))
    middle = float(np.median(difference))
    larger = "equal" if abs(middle) <= SAME * size else ("arm" if middle > 0 else "comparator")
    agree = float(np.mean(np.sign(difference) == np.sign(middle)))
    row |= {
        "status": "predicted",
        "larger": larger,
        "reason": f"{100 * agree:.0f} % of {int(good.sum())} members agree on the sign",
    }
    return row


def _fitted_point(mapping: MappedFact, arm: str, overlay: Overlay) -> bool:
    """Say whether a fit was made to this very arm, measure and time."""
    point = (mapping.study, arm, mapping.measure, mapping.time)
    return any(m.id in overlay.facts and (m.study, m.arm, m.measure, m.time) == point for m in all_facts())


def _why_not(fact: Fact) -> str:
    if fact.role != "outcome" and not fact.held_out:
        return f"a fact of role `{fact.role}` is not an outcome"
    what = f"`{fact.measure}`" if fact.measure else "this measure"
    system = f" of {fact.system}" if fact.system else ""
    return f"no study in the catalogue shows {what}{system} in this arm; the tube is the only place built so far"
