"""Facts of the shared folder: our predictions pass the official checker, and open values agree with ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nanotrial.evidence.facts import load_facts
from nanotrial.evidence.predict import predict_facts
from nanotrial.evidence.published import all_facts
from nanotrial.evidence.score import read_predictions, score_rows
from nanotrial.units import from_si

SHARED = Path(__file__).parents[3] / "shared" / "evidence"
needs_shared = pytest.mark.skipif(not (SHARED / "facts.jsonl").is_file(), reason="no ../shared/evidence/facts.jsonl")


def official(folder: Path, rows: list[dict]) -> dict:
    """Return the first row of the official score; a fault of form fails the test."""
    path = folder / "predictions.jsonl"
    path.write_text("\n".join(json.dumps(r, allow_nan=False) for r in rows) + "\n")
    command = [sys.executable, str(SHARED / "score.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[0].removeprefix("all "))


@needs_shared
def test_predictions_pass_the_official_checker(tmp_path):
    facts = load_facts(SHARED / "facts.jsonl")
    rows = predict_facts(facts, members=20)
    assert [r["id"] for r in rows] == [f.id for f in facts]
    assert len({frozenset(r) for r in rows}) == 1
    assert all(r["reason"] for r in rows if r["status"] == "not_modelled")
    official(tmp_path, rows)
    assert read_predictions(tmp_path / "predictions.jsonl") == rows
    by_id = {f.id: f for f in facts}
    assert all(f.id in by_id for f in all_facts())


@needs_shared
def test_own_scores_are_those_of_the_official_checker(tmp_path):
    """Both count the same facts; open values are few, so their medians must be equal too."""
    facts = load_facts(SHARED / "facts.jsonl")
    rows = predict_facts(facts, members=20)
    theirs, ours = official(tmp_path, rows), score_rows(facts, rows)[0]
    assert ours["not_modelled"] == theirs["not_modelled"]
    assert ours["comparisons"] == theirs["comparisons"]
    assert ours["right_sign"] == theirs["right"] / theirs["comparisons"]
    assert (ours["bounds"], ours["values"]) == (theirs["bounds"], theirs["values"])
    assert ours["in_band"] == pytest.approx(theirs["inside_band"] / theirs["values"])
    assert ours["points"] == pytest.approx(theirs["median_points_off"], abs=0.051)


@needs_shared
def test_own_baseline_is_that_of_the_official_checker(tmp_path):
    facts = load_facts(SHARED / "facts.jsonl")
    rows = predict_facts(facts, members=3)
    theirs, ours = official(tmp_path, rows), score_rows(facts, rows)[0]
    assert ours["naive_points"] == pytest.approx(theirs["naive_points_off"], abs=0.051)


@needs_shared
def test_open_facts_agree_with_the_facts_file():
    known = {f.id: f for f in load_facts(SHARED / "facts.jsonl")}
    for mapped in all_facts():
        fact = known[mapped.id]
        assert mapped.check == fact.check, mapped.id
        assert mapped.held_out == fact.held_out, mapped.id
        if mapped.check == "comparison":
            assert set(mapped.sides) == {fact.arm, fact.comparator}, mapped.id
        if mapped.held_out:
            continue
        assert (mapped.kind or mapped.measure) == fact.measure, mapped.id
        if mapped.check == "comparison":
            straight = (mapped.arm, mapped.comparator) == (fact.arm, fact.comparator)
            assert straight, mapped.id
            assert mapped.larger == fact.larger, mapped.id
        else:
            assert mapped.relation == fact.relation, mapped.id
            assert from_si(mapped.value, mapped.unit) == pytest.approx(fact.value, rel=1e-9), mapped.id
