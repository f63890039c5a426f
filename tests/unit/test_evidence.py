"""Facts in, predictions out, scores by hand; and what the package may say of facts that are held out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nanotrial.catalogue.lookup import ROOT, read_toml
from nanotrial.errors import EvidenceError
from nanotrial.evidence import predict
from nanotrial.evidence.facts import Fact, load_facts
from nanotrial.evidence.members import PointValues
from nanotrial.evidence.predict import predict_facts
from nanotrial.evidence.published import MappedFact, Side, all_facts, published_files
from nanotrial.evidence.rooms import MISSING
from nanotrial.evidence.score import read_predictions, score_rows
from nanotrial.fit.overlay import Overlay
from nanotrial.study import load_study

EVERY = load_facts()
PLACE = {m.id: load_study(m.study).place for m in all_facts()}
# Tubes run in a hundredth of the time of cells: what holds for any fact is tested on them.
OWN = [f for f in EVERY if PLACE[f.id] == "tube"]
KEYS = {"id", "status", "mode", "value", "lo", "hi", "unit", "larger", "reason", "budget"}


@pytest.fixture(scope="module")
def predictions():
    return predict_facts(OWN, members=20)


@pytest.fixture(scope="module")
def on_cells():
    return predict_facts([f for f in EVERY if PLACE[f.id] == "dish"], members=2)


def facts_file(folder: Path, *lines: object) -> Path:
    path = folder / "facts.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_facts_are_read_line_by_line(tmp_path):
    full = {
        "id": "a/1",
        "system": "a",
        "measure": "release_fraction",
        "check": "value",
        "arm": "one",
        "comparator": None,
        "relation": "~",
        "value_std": 0.5,
        "unit_std": "fraction",
        "quality": "ok",
        "role": "outcome",
        "held_out": False,
        "finding": "half",
        "a field of tomorrow": [1, {"x": 2}],
    }
    first, bare, again = load_facts(facts_file(tmp_path, full, "", {"id": "b"}, {**full, "value_std": 1}))
    assert (first.value, first.unit, first.arm, first.comparator, first.relation) == (0.5, "fraction", "one", "", "~")
    assert first.asked
    assert (bare.check, bare.value, bare.role, bare.held_out, bare.asked) == ("none", None, "outcome", False, False)
    assert (again.id, again.value) == ("a/1", 1.0)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, True),
        ({"role": "input"}, False),
        ({"quality": "ambiguous"}, False),
        ({"check": "none"}, False),
        ({"role": "statement", "held_out": True}, True),
    ],
)
def test_only_outcomes_of_good_quality_are_asked(tmp_path, change, asked):
    row = {"id": "a", "check": "value", "role": "outcome", "quality": "ok", **change}
    assert load_facts(facts_file(tmp_path, row))[0].asked is asked


@pytest.mark.parametrize("line", ["{", "[1]", '"text"', "{}", '{"id": 3}', '{"id": null}'])
def test_a_bad_line_is_named(tmp_path, line):
    with pytest.raises(EvidenceError, match=r"facts.jsonl: line 2"):
        load_facts(facts_file(tmp_path, {"id": "good"}, line))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(EvidenceError, match="nowhere"):
        load_facts(tmp_path / "nowhere.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(EvidenceError, match="bytes"):
        load_facts(tmp_path / "bytes.jsonl")


def test_odd_values_are_no_values(tmp_path):
    rows = [{"id": "a", "value_std": v} for v in (True, "3", None, [1])]
    assert [f.value for f in load_facts(facts_file(tmp_path, *rows))] == [None] * 4


def test_every_fact_of_the_catalogue_can_be_predicted(predictions, on_cells):
    assert {p["id"] for p in (*predictions, *on_cells)} == {f.id for f in EVERY}
    assert [p["id"] for p in (*predictions, *on_cells) if p["status"] != "predicted"] == []


def test_facts_of_the_catalogue_are_predicted(predictions, on_cells):
    assert [p["id"] for p in predictions] == [f.id for f in OWN]
    facts = {f.id: f for f in EVERY}
    for row in (*predictions, *on_cells):
        fact = facts[row["id"]]
        assert set(row) == KEYS
        assert row["status"] == "predicted"
        json.dumps(row, allow_nan=False)
        if fact.check == "comparison":
            assert row["larger"] in ("arm", "comparator", "equal")
            assert row["value"] is None
            continue
        assert row["larger"] is None
        assert row["lo"] <= row["value"] <= row["hi"]
        assert row["lo"] < row["hi"] or "left out" in (row["reason"] or "")
        assert row["unit"] == fact.unit == ("fold" if fact.check == "ratio" else "fraction")
        if PLACE[fact.id] == "tube":
            assert 0 <= row["lo"] <= row["hi"] <= 1 + 1e-6
        elif fact.check == "value":  # cells may do better than those left alone
            assert -0.5 < row["lo"] <= row["hi"] < 1.5


def test_facts_that_were_fitted_say_so(predictions):
    modes = {p["id"]: p["mode"] for p in predictions}
    assert modes["bare-cao2/2"] == "fitted"
    assert modes["sh-cao2/15"] == "predicted"
    plain = predict_facts([f for f in OWN if f.id == "bare-cao2/2"], members=0, without_fits=True)
    assert plain[0]["mode"] == "predicted"


def test_predictions_follow_the_seed(predictions):
    again, other = predict_facts(OWN, members=20), predict_facts(OWN, members=20, seed=2)
    assert again == predictions
    assert [r["value"] for r in other] != [r["value"] for r in again]


def test_a_prediction_does_not_know_the_other_facts(predictions):
    one = [f for f in OWN if f.id == "bare-cao2/2"]
    assert predict_facts(one, members=20) == [p for p in predictions if p["id"] == "bare-cao2/2"]


def test_swapped_sides_give_the_swapped_answer(predictions):
    pairs = [f for f in OWN if f.check == "comparison" and f.arm]
    assert pairs
    swapped = [replace(f, arm=f.comparator, comparator=f.arm) for f in pairs]
    turn = {"arm": "comparator", "comparator": "arm", "equal": "equal"}
    straight = {p["id"]: p["larger"] for p in predictions}
    for row in predict_facts(swapped, members=20):
        assert row["larger"] == turn[straight[row["id"]]]


def test_what_no_study_shows_says_why():
    strange = [
        Fact("x/1", "x", "tumour_volume", "value", "arm", value=3.0, unit="mm3"),
        Fact("x/2", role="input", check="value"),
        Fact("x/1", "x", "tumour_volume", "value", "arm"),
    ]
    rows = predict_facts(strange, members=3)
    assert [r["id"] for r in rows] == ["x/1", "x/2", "x/1"]
    for row in rows:
        assert set(row) == KEYS
        assert row["status"] == "not_modelled"
        assert row["value"] is row["lo"] is row["hi"] is row["larger"] is None
    assert "tumour_volume" in rows[0]["reason"]
    assert "an animal with a tumour" in rows[0]["reason"]
    assert "`input`" in rows[1]["reason"]


@pytest.mark.parametrize(
    ("measure", "part"),
    [
        ("localisation_fraction", "nucleus"),
        ("body_weight", "an animal"),
        ("dc_maturation", "an immune system"),
        ("viability", "in this arm"),
        ("", "this measure"),
    ],
)
def test_the_reason_names_what_is_missing(measure, part):
    assert part in predict_facts([Fact("x/1", "x", measure, "value", "arm", value=1.0)])[0]["reason"]


def test_what_is_missing_is_said_once():
    names = [name for group in MISSING.values() for name in group]
    assert len(names) == len(set(names))
    assert not set(names) & {f.measure for f in EVERY}


SIDES = {
    "both": Side("one", "release", 3600.0),
    "alone": Side("two", "release", 3600.0),
    "before": Side("one", "release", 0.0),
}
NOT = float("nan")
ARMS = {
    ("one", 3600.0): [9.0, 0.2, 0.4, 0.6, 0.8, NOT],
    ("two", 3600.0): [9.0, 0.1, 0.1, 0.1, 0.1, 0.1],
    ("one", 0.0): [9.0, 0.0, 0.0, 0.2, 0.2, 0.2],
}


def values_of(row: list[float]) -> PointValues:
    """Return the central run and members, a reported mean being that of the typical subject."""
    return PointValues(row[0], np.array(row[1:]), np.array(row[1:]))


def answer(monkeypatch, check: str, arm: str, comparator: str, measure: str = "cell_death", **fits) -> dict:
    """Return the prediction of a fact of two sides from given members; the first of each row is the central run."""
    study = ROOT / "systems" / "calcium_peroxide" / "release.toml"
    sides = {words: replace(SIDES[words], measure=measure) for words in (arm, comparator)}
    mapped = MappedFact("x/1", study, "", measure, 3600.0, check, sides=sides)
    monkeypatch.setattr(predict, "all_facts", lambda: iter([mapped, *fits.get("others", [])]))
    monkeypatch.setattr(
        predict, "member_values", lambda study, points, *_: {p: values_of(ARMS[p[0], p[2]]) for p in points}
    )
    overlay = replace(Overlay(), facts=frozenset(fits.get("fitted", ())))
    monkeypatch.setattr(Overlay, "of_study", staticmethod(lambda _: overlay))
    return predict_facts([Fact("x/1", "x", measure, check, arm, comparator)], members=5)[0]


def test_a_ratio_is_taken_member_by_member(monkeypatch):
    row = answer(monkeypatch, "ratio", "both", "alone")
    assert (row["status"], row["unit"], row["larger"]) == ("predicted", "fold", None)
    assert row["reason"] == "1 of 5 members failed and are left out"
    assert row["value"] == pytest.approx(5.0)
    assert (row["lo"], row["hi"]) == tuple(pytest.approx(v) for v in np.quantile([2, 4, 6, 8], [0.05, 0.95]))
    assert answer(monkeypatch, "ratio", "alone", "both")["value"] == pytest.approx(
        np.median([1 / 2, 1 / 4, 1 / 6, 1 / 8])
    )


def test_a_ratio_leaves_out_members_with_nothing_below(monkeypatch):
    row = answer(monkeypatch, "ratio", "both", "before")
    assert row["value"] == pytest.approx(3.5)
    assert "; 2 of 4 members left out" in row["reason"]
    monkeypatch.setitem(ARMS, ("one", 0.0), [9.0, 0.0, 9e-5, -0.1, 0.0, 0.3])
    row = answer(monkeypatch, "ratio", "both", "before")
    assert (row["status"], row["value"]) == ("not_modelled", None)
    assert "; 4 of 4 members left out" in row["reason"]
    # Where the measure has a unit, nothing is nothing beside the other side: 9e-5 of some mole per m^3 is much.
    row = answer(monkeypatch, "ratio", "both", "before", measure="hydrogen_peroxide")
    assert "; 3 of 4 members left out" in row["reason"]
    assert row["value"] == pytest.approx(0.4 / 9e-5)


def test_a_comparison_may_be_of_one_arm_at_two_times(monkeypatch):
    row = answer(monkeypatch, "comparison", "both", "before")
    assert (row["larger"], row["value"]) == ("arm", None)
    assert row["reason"] == "100 % of 4 members agree on the sign"
    assert answer(monkeypatch, "comparison", "before", "both")["larger"] == "comparator"
    monkeypatch.setitem(ARMS, ("one", 0.0), ARMS["one", 3600.0])
    assert answer(monkeypatch, "comparison", "both", "before")["larger"] == "equal"


def test_a_side_counts_as_fitted_at_its_own_time_alone(monkeypatch):
    study = ROOT / "systems" / "calcium_peroxide" / "release.toml"
    late = MappedFact("y/late", study, "one", "cell_death", 3600.0, "value")
    early = replace(late, id="y/early", time=0.0)
    for fitted, mode in (({"y/late", "y/early"}, "fitted"), ({"y/late"}, "predicted"), ({"x/1"}, "fitted")):
        row = answer(monkeypatch, "ratio", "both", "before", others=[late, early], fitted=fitted)
        assert row["mode"] == mode


def test_bounds_on_ratios_are_scored_as_bounds():
    below = Fact("r/1", "r", "cell_death_fraction", "ratio", "x", "y", "<", 0.5, "fold")
    above = replace(below, id="r/2", relation=">")
    table = score_rows([below, above], [said(f, value=0.8, lo=0.6, hi=1.0) for f in (below, above)])[0]
    assert (table["bounds"], table["bounds_held"], table["values"], table["comparisons"]) == (2, 0.5, 0, 0)


def test_own_ratios_name_which_side_is_above():
    ratios = [f for f in EVERY if f.check == "ratio"]
    assert ratios
    assert all(f.unit == "fold" and f.arm and f.comparator and f.arm != f.comparator for f in ratios)


def test_a_mapping_that_no_longer_fits_is_not_used():
    one = next(f for f in OWN if f.check == "comparison")
    changed = [replace(one, arm="another side"), replace(one, check="value")]
    for row in predict_facts(changed, members=2):
        assert row["status"] == "not_modelled"
        assert "mapping" in row["reason"]


def test_a_unit_outside_the_format_is_an_error():
    one = next(f for f in OWN if f.check == "value")
    with pytest.raises(EvidenceError, match="furlong"):
        predict_facts([replace(one, unit="furlong")], members=2)


def test_held_out_answers_are_nowhere_in_the_package():
    held = [(path, row) for path in published_files() for row in read_toml(path).get("fact", []) if row.get("held_out")]
    assert held
    for path, row in held:
        assert not {"value", "larger", "sd", "relation"} & set(row), f"{path}: {row['id']}"
    used = {i for path in (ROOT / "fits").glob("*.toml") for i in read_toml(path)["facts"]}
    assert not used & {row["id"] for _, row in held}
    for fact in EVERY:
        assert not fact.held_out or (fact.value is None and fact.larger is None)


A, B, C, D = (
    Fact(f"s/{n}", "s", "release_fraction", "value", value=v, unit="fraction")
    for n, v in (("a", 0.1), ("b", 0.5), ("c", 0.9), ("d", 0.7))
)
E = Fact("t/e", "t", "dose", "value", value=2.0, unit="mol/m3")
F = Fact("t/f", "t", "dose", "value", value=8.0, unit="mol/m3")
G = Fact("t/g", "t", "dose", "comparison", "x", "y", larger="arm")
H = Fact("t/h", "t", "dose", "comparison", "x", "y", larger="comparator")
K = replace(G, id="t/k")
L = Fact("t/l", "t", "limit", "bound", relation="<", value=0.1, unit="fraction")
M = Fact("t/m", "t", "limit", "bound", relation=">", value=0.1, unit="fraction")
N = replace(L, id="t/n")


def said(fact: Fact, mode: str = "predicted", **more) -> dict:
    return {"id": fact.id, "status": "predicted", "mode": mode, **more}


def test_score_by_hand():
    rows = [
        said(A, value=0.3, lo=0.2, hi=0.4),  # 20 points off, outside; the median of 0.5, 0.9 and 0.7 is 60 off
        said(B, "fitted", value=0.55, lo=0.4, hi=0.6),  # 5 off, inside; naive 0.7 is 20 off
        {"id": C.id, "status": "not_modelled"},
        said(D, value=0.7, lo=0.6, hi=0.8),  # met, inside; naive 0.5 is 20 off
        said(E, value=4.0, lo=1.0, hi=10.0),  # twofold off, inside; naive 8 is fourfold off
        said(F, value=2.0, lo=1.0, hi=4.0),  # fourfold off, outside; naive 2 is fourfold off
        said(G, larger="arm"),
        said(H, larger="arm"),
        said(K, larger="arm"),
        said(L, value=0.2, lo=0.15, hi=0.3),  # broken: the whole band is above
        said(M, value=0.05, lo=0.0, hi=0.2),  # holds: the band reaches over
        said(N, value=0.2, lo=0.05, hi=0.3),  # holds: the band reaches below
    ]
    table = {r["group"]: r for r in score_rows([A, B, C, D, E, F, G, H, K, L, M, N], rows)}
    assert list(table) == ["all", "mode: predicted", "mode: fitted", "s", "t"]
    whole = table["all"]
    assert (whole["facts"], whole["not_modelled"]) == (12, 1)
    assert (whole["comparisons"], whole["right_sign"], whole["naive_right_sign"]) == (3, pytest.approx(2 / 3), 0.5)
    assert (whole["bounds"], whole["bounds_held"]) == (3, pytest.approx(2 / 3))
    assert (whole["values"], whole["in_band"]) == (5, pytest.approx(3 / 5))
    assert whole["points"] == pytest.approx(5.0)
    assert whole["naive_points"] == pytest.approx(20.0)
    assert whole["fold"] == pytest.approx(math.sqrt(2 * 4))
    assert whole["naive_fold"] == pytest.approx(4.0)
    assert table["s"]["band_width"] == pytest.approx(20.0)
    assert (table["s"]["facts"], table["s"]["not_modelled"]) == (4, 1)
    assert table["mode: predicted"]["points"] == pytest.approx(10.0)
    assert table["mode: fitted"]["points"] == pytest.approx(5.0)
    assert table["mode: fitted"]["fold"] is None


def test_score_leaves_held_out_and_unasked_facts_out():
    rows = [said(A, value=0.1, lo=0.0, hi=1.0)]
    facts = [A, replace(B, held_out=True), replace(C, role="input"), replace(D, quality="ambiguous")]
    whole = score_rows(facts, rows)[0]
    assert (whole["facts"], whole["values"], whole["points"], whole["naive_points"]) == (1, 1, 0.0, None)


def test_fold_has_a_floor():
    fact = replace(E, value=0.0)
    whole = score_rows([fact], [said(fact, value=0.1, lo=0.0, hi=1.0)])[0]
    assert whole["fold"] == pytest.approx(100.0)
    assert math.isfinite(whole["band_width"])


def test_nothing_known_gives_one_empty_row():
    assert score_rows([], [])[0] | {"group": "all", "facts": 0, "points": None} == score_rows([], [])[0]


@pytest.mark.parametrize(
    "line", ["{", '{"id": "a"}', '{"id": "a", "status": "perhaps"}', '{"id": 1, "status": "predicted"}']
)
def test_bad_predictions_are_named(tmp_path, line):
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a", "status": "predicted"}\n\n' + line)
    with pytest.raises(EvidenceError, match=r"p.jsonl: line 3"):
        read_predictions(path)
