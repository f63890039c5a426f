"""A prediction for every fact, from the study that shows it; facts that nothing covers say why.

``lo`` and ``hi`` are the 5th and 95th percentile of what a paper would print, the mean over a cohort of noisy readings,
over worlds drawn from all spreads; ``value`` is their median. Two sides are compared without noise: a comparison says
which is larger in the median of the paired difference of typical subjects, a ratio is taken of them world by world.
``mode`` is ``fitted`` for facts a fit of the study was made to, and for comparisons and ratios of two such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import EvidenceError
from nanotrial.evidence.facts import Fact
from nanotrial.evidence.members import PointValues, member_values
from nanotrial.evidence.published import TWO_SIDED, MappedFact, Side, all_facts
from nanotrial.evidence.rooms import why_no_study
from nanotrial.experiment import usual_workers
from nanotrial.fit.overlay import Overlay
from nanotrial.study import load_study, measure_unit
from nanotrial.units import from_si

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.study import Study

    Played = dict[tuple[Path, str, str, float], tuple[PointValues, Overlay]]

UNITS = {"fraction": "1", "mol/m3": "mol/m^3", "h": "h", "d": "d", "count": "1", "fold": "1"}
SAME = 1e-3
# A ratio to practically nothing says nothing: as a plain number, or as a share of the other side where there is a unit.
NOTHING = 1e-4


def predict_facts(
    facts: Sequence[Fact],
    members: int = 40,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
    without_fits: bool = False,
    workers: int = 1,
) -> list[dict[str, Any]]:
    """Return one prediction per fact, in the order of the facts.

    Arguments:
        facts: what to predict.
        members: draws from the spreads.
        seed: seeds the generator of the draws.
        progress: called with a line when a study begins.
        without_fits: predict from the sheets alone, as if no fit existed.
        workers: processes for studies on cells.
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
        curves.update(_play(study, path, needed, members, seed, usual_workers(study.place, workers, workers)))
    return [_predict(f, mapped.get(f.id), curves) for f in facts]


def _agrees(fact: Fact, mapping: MappedFact) -> bool:
    """Say whether a mapping still fits the fact: the same check, and sides it knows."""
    if fact.check != "none" and fact.check != mapping.check:
        return False
    return mapping.check not in TWO_SIDED or {fact.arm, fact.comparator} == set(mapping.sides)


def _play(study: Study, path: Path, needed: Sequence[MappedFact], members: int, seed: int, workers: int) -> Played:
    """Return (study, arm, measure, time) -> members' values, the central run first, and the fits in force."""
    overlay = Overlay.of_study(study)
    points = [(side.arm, side.measure, side.time) for m in needed for side in m.places]
    # Two sides are compared without noise, so only a value or a bound needs the readings of a cohort. Without minerals
    # the kernel of ensembles plays a whole cohort faster than the typical subjects go one by one.
    slow = any(arm.subject.minerals for arm in study.arms)
    read = {m.arm for m in needed if m.check not in TWO_SIDED} if slow else None
    found = member_values(study, points, members, seed, overlay, workers, read)
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
    if mapping.check in TWO_SIDED:
        return _predict_sides(fact, mapping, curves, row)
    values, overlay = curves[mapping.study, mapping.arm, mapping.measure, mapping.time]
    shown = _unit(fact)
    members = values.reported[~np.isnan(values.reported)]
    if not len(members):
        members = np.array([values.central])
    if np.isnan(members).any():
        row["reason"] = "no run of the study reached the time of the fact"
        return row
    row |= _band(members, shown, fact.unit or shown)
    row["budget"] = values.ceilings or None
    row["mode"] = "fitted" if fact.id in overlay.facts else "predicted"
    row["reason"] = _failed(~np.isnan(values.reported))
    return row


def _failed(good: NDArray[np.bool_]) -> str | None:
    return None if good.all() else f"{int((~good).sum())} of {len(good)} members failed and are left out"


def _unit(fact: Fact) -> str:
    if fact.unit and fact.unit not in UNITS:
        raise EvidenceError(fact.id, f"the unit `{fact.unit}`", "a unit of the facts format: " + ", ".join(UNITS))
    return UNITS.get(fact.unit, "1")


def _band(members: NDArray[np.float64], unit: str, said: str) -> dict[str, Any]:
    low, middle, high = (from_si(float(v), unit) for v in np.quantile(members, [0.05, 0.5, 0.95]))
    return {"status": "predicted", "value": middle, "lo": low, "hi": high, "unit": said}


def _predict_sides(fact: Fact, mapping: MappedFact, curves: Played, row: dict[str, Any]) -> dict[str, Any]:
    """Fill the row of a fact of two sides, from the members in which both were reached."""
    values, fitted = [], []
    ceilings: dict[str, str] = {}
    for words in (fact.arm, fact.comparator):
        side = mapping.sides[words]
        found, overlay = curves[mapping.study, side.arm, side.measure, side.time]
        ceilings[words] = found.ceilings
        # Noise on practically nothing would make a sign or a ratio of its own.
        values.append(found.typical if len(found.typical) else np.array([found.central]))
        fitted.append(fact.id in overlay.facts or _fitted_point(mapping, side, overlay))
    row["budget"] = " | ".join(dict.fromkeys(text for text in ceilings.values() if text)) or None
    # Two numbers that were both fitted are no test.
    row["mode"] = "fitted" if all(fitted) else "predicted"
    good = ~np.isnan(values[0]) & ~np.isnan(values[1])
    if not good.any():
        row["reason"] = "no run of both arms reached the time of the fact"
        return row
    if mapping.check == "comparison":
        return row | _compare(values[0][good], values[1][good], measure_unit(mapping.measure))
    row |= _ratio(values[0][good], values[1][good], measure_unit(mapping.measure), fact.unit or "fold")
    return row | {"reason": "; ".join(filter(None, (_failed(good), row["reason"]))) or None}


def _compare(arm: NDArray[np.float64], comparator: NDArray[np.float64], unit: str) -> dict[str, Any]:
    """Return which side is larger: the sign of the median paired difference."""
    difference = arm - comparator
    size = float(np.median(np.maximum(np.abs(arm), np.abs(comparator))))
    middle = float(np.median(difference))
    larger = "equal" if abs(middle) <= SAME * size else ("arm" if middle > 0 else "comparator")
    agree = float(np.mean(np.sign(difference) == np.sign(middle)))
    reason = f"{100 * agree:.0f} % of {len(difference)} members agree on the sign"
    if unit == "1" and size < NOTHING:
        reason += f"; both sides are practically nothing (at most {size:.1g})"
    return {"status": "predicted", "larger": larger, "reason": reason}


def _ratio(arm: NDArray[np.float64], comparator: NDArray[np.float64], unit: str, said: str) -> dict[str, Any]:
    """Return quantiles of the members' ratios, without members that have practically nothing to divide by."""
    least = NOTHING if unit == "1" else NOTHING * float(np.median(np.abs(arm)))
    some = comparator > least
    left_out = f"{int((~some).sum())} of {len(some)} members left out: practically nothing to divide by"
    if not some.any():
        return {"reason": left_out}
    return _band(arm[some] / comparator[some], "1", said) | {"reason": None if some.all() else left_out}


def _fitted_point(mapping: MappedFact, side: Side, overlay: Overlay) -> bool:
    """Say whether a fit was made to this very arm, measure and time."""
    point = (mapping.study, side.arm, side.measure, side.time)
    return any(m.id in overlay.facts and (m.study, m.arm, m.measure, m.time) == point for m in all_facts())


def _why_not(fact: Fact) -> str:
    if fact.role != "outcome" and not fact.held_out:
        return f"a fact of role `{fact.role}` is not an outcome"
    return why_no_study(fact.measure, fact.system)
