"""Facts of the shared folder: our predictions pass the official checker, and open values agree with ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nanotrial.evidence.facts import load_facts
from nanotrial.evidence.predict import predict_facts
from nanotrial.evidence.published import TWO_SIDED, all_facts
from nanotrial.evidence.score import read_predictions, score_rows
from nanotrial.units import from_si

SHARED = Path(__file__).parents[3] / "shared" / "evidence"
needs_shared = pytest.mark.skipif(not (SHARED / "facts.jsonl").is_file(), reason="no ../shared/evidence/facts.jsonl")


@pytest.fixture(scope="module")
def predicted():
    """Facts and their predictions, few members: cells take a tenth of a second a run."""
    facts = load_facts(SHARED / "facts.jsonl")
    return facts, predict_facts(facts, members=3)


def official(folder: Path, rows: list[dict]) -> dict:
    """Return the first row of the official score; a fault of form fails the test."""
    path = folder / "predictions.jsonl"
    path.write_text("\n".join(json.dumps(r, allow_nan=False) for r in rows) + "\n")
    command = [sys.executable, str(SHARED / "score.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[0].removeprefix("all "))


@needs_shared
def test_predictions_pass_the_official_checker(tmp_path, predicted):
    facts, rows = predicted
    assert [r["id"] for r in rows] == [f.id for f in facts]
    assert len({frozenset(r) for r in rows}) == 1
    assert all(r["reason"] for r in rows if r["status"] == "not_modelled")
    official(tmp_path, rows)
    assert read_predictions(tmp_path / "predictions.jsonl") == rows
    by_id = {f.id: f for f in facts}
    assert all(f.id in by_id for f in all_facts())


@needs_shared
def test_own_scores_are_those_of_the_official_checker(tmp_path, predicted):
    """Both count the same facts; open values are few, so their medians must be equal too."""
    facts, rows = predicted
    theirs, ours = official(tmp_path, rows), score_rows(facts, rows)[0]
    assert ours["not_modelled"] == theirs["not_modelled"]
    assert ours["comparisons"] == theirs["comparisons"]
    assert ours["right_sign"] == theirs["right"] / theirs["comparisons"]
    assert (ours["bounds"], ours["values"]) == (theirs["bounds"], theirs["values"])
    assert ours["in_band"] == pytest.approx(theirs["inside_band"] / theirs["values"])
    assert ours["bounds_held"] == pytest.approx(theirs["bounds_held"] / theirs["bounds"])
    assert ours["points"] == pytest.approx(theirs["median_points_off"], abs=0.051)
    assert ours["fold"] == pytest.approx(theirs["median_fold"], abs=0.0051)
    assert ours["naive_fold"] == pytest.approx(theirs["naive_fold"], abs=0.0051)


@needs_shared
def test_own_baseline_is_that_of_the_official_checker(tmp_path, predicted):
    facts, rows = predicted
    theirs, ours = official(tmp_path, rows), score_rows(facts, rows)[0]
    assert ours["naive_points"] == pytest.approx(theirs["naive_points_off"], abs=0.051)


@needs_shared
def test_open_facts_agree_with_the_facts_file():
    known = {f.id: f for f in load_facts(SHARED / "facts.jsonl")}
    for mapped in all_facts():
        fact = known[mapped.id]
        assert mapped.check == fact.check, mapped.id
        assert mapped.held_out == fact.held_out, mapped.id
        if mapped.check in TWO_SIDED:
            assert set(mapped.sides) == {fact.arm, fact.comparator}, mapped.id
        if mapped.held_out:
            continue
        assert (mapped.kind or mapped.measure) == fact.measure, mapped.id
        if mapped.check in TWO_SIDED:
            straight = (mapped.arm, mapped.comparator) == (fact.arm, fact.comparator)
            assert straight, mapped.id
        if mapped.check == "comparison":
            assert mapped.larger == fact.larger, mapped.id
        else:
            assert mapped.relation == fact.relation, mapped.id
            assert from_si(mapped.value, mapped.unit) == pytest.approx(fact.value, rel=1e-9), mapped.id


@needs_shared
def test_every_finding_on_particles_and_cells_of_a_mapped_source_has_a_place(predicted):
    """Of the families that are mapped, only what needs a place not built yet goes without a study."""
    facts, rows = predicted
    systems = [json.loads(line) for line in (SHARED / "systems.jsonl").read_text(encoding="utf-8").splitlines()]
    family = {s["id"] for s in systems if s.get("family") == "ion_interference"}
    asked = {f.id: f for f in facts if f.asked and f.system in family}
    bare = [r for r in rows if r["id"] in asked and r["status"] != "predicted"]
    assert len(asked) - len(bare) >= 35
    assert all("not built so far" in r["reason"] or "tumour" in asked[r["id"]].arm for r in bare)
