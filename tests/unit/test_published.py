"""Published files: read strictly, and the points they give to figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nanotrial.catalogue.lookup import ROOT
from nanotrial.errors import EvidenceError, NanotrialError
from nanotrial.evidence.published import Side, all_facts, published_points, read_published
from nanotrial.study import load_study


def test_points_for_figures_are_those_of_arms_and_measures_shown():
    study = load_study(ROOT / "systems" / "copper_oxide" / "dissolution.toml")
    points = published_points(study)
    curves = read_published(ROOT / "systems" / "copper_oxide" / "published.toml")[1]
    assert len(points) == sum(len(c.times) for c in curves)
    assert {p["id"] for p in points} == {c.id for c in curves}
    first = next(p for p in points if p["id"] == "copper_oxide/iron_0" and p["time_h"] == 1.5)
    assert first["value"] == pytest.approx(1.629, rel=1e-12)
    assert published_points(replace(study, arms=study.arms[:1])) == [
        p for p in points if p["arm"] == study.arms[0].name
    ]
    assert published_points(replace(study, measures=())) == []
    assert published_points(replace(study, published="")) == []
    release = load_study(ROOT / "systems" / "calcium_peroxide" / "release.toml")
    assert {p["id"] for p in published_points(release)} == {
        f.id
        for f in read_published(release.path.parent / "published.toml")[0]
        if f.check in ("value", "bound") and not f.held_out and f.study == release.path
    }


def test_numbers_of_cells_are_points_and_ratios_are_none():
    study = load_study(ROOT / "systems" / "calcium_peroxide" / "in_vitro.toml")
    facts = read_published(study.path.parent / "published.toml")[0]
    here = [f for f in facts if f.study == study.path]
    open_values = {f.id for f in here if f.check in ("value", "bound") and not f.held_out}
    assert {f.check for f in here} >= {"value", "ratio", "comparison"}
    assert {p["id"] for p in published_points(study)} == open_values
    assert {(p["measure"], p["time_h"]) for p in published_points(study)} == {("viability", 24.0)}


def test_what_a_fact_asks_for_is_in_its_study():
    for fact in all_facts():
        study = load_study(fact.study)
        assert {p.arm for p in fact.places} <= {a.name for a in study.arms}, fact.id
        measure = next((m for m in study.measures if m.name == fact.measure), None)
        assert measure is not None, fact.id
        assert {p.time for p in fact.places} <= set(measure.times), f"{fact.id}: no such time in the study"


@pytest.mark.parametrize(
    ("example", "name"),
    [("calcium_peroxide_release.toml", "release.toml"), ("calcium_peroxide_on_cells.toml", "in_vitro.toml")],
)
def test_examples_are_the_studies_of_the_catalogue(example, name):
    shown = (Path(__file__).parents[2] / "examples" / example).read_text(encoding="utf-8")
    kept = (ROOT / "systems" / "calcium_peroxide" / name).read_text(encoding="utf-8")
    assert shown == kept or shown.split("\n", 1) == [shown.split("\n", 1)[0], kept]


GOOD = {"id": '"a"', "study": '"study.toml"', "arm": '"x"', "measure": '"release"', "at": '"1 h"', "check": '"value"',
        "value": "0.5", "source": '"zhang_2019"'}  # fmt: skip


def published(folder: Path, kind: str = "fact", **changes: str | None) -> Path:
    (folder / "study.toml").touch()
    rows = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    path = folder / "published.toml"
    path.write_text(f"[[{kind}]]\n" + "\n".join(f"{k} = {v}" for k, v in rows.items()))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mesure": '"release"'}, "`measure`"),
        ({"check": '"guess"'}, "value or bound"),
        ({"at": None}, "`at`"),
        ({"study": '"elsewhere.toml"'}, "elsewhere"),
        ({"source": '"zhang_2018"'}, "`zhang_2019`"),
        ({"at": '"1 mm"'}, "1 mm"),
    ],
)
def test_a_published_file_is_read_strictly(tmp_path, changes, message):
    assert read_published(published(tmp_path))[0][0].value == 0.5
    folder = tmp_path / "bad"
    folder.mkdir()
    with pytest.raises(Exception, match=message) as caught:
        read_published(published(folder, **changes))
    assert "fact[1]" in str(caught.value)


def test_an_unknown_kind_of_row_names_the_nearest(tmp_path):
    with pytest.raises(EvidenceError, match="`fact`"):
        read_published(published(tmp_path, kind="facts"))


SIDED = {**GOOD, "arm": '"with"', "comparator": '"before"', "check": '"ratio"', "unit": '"1"', "relation": '"<"',
         "sides": '{ "with" = "x", "before" = { arm = "x", at = "0 h" } }'}  # fmt: skip


def test_a_side_has_the_time_of_the_fact_or_its_own(tmp_path):
    fact = read_published(published(tmp_path, **SIDED))[0][0]
    assert fact.sides == {"with": Side("x", "release", 3600.0), "before": Side("x", "release", 0.0)}
    assert fact.places == (Side("x", "release", 3600.0), Side("x", "release", 0.0))
    assert (fact.check, fact.value, fact.relation) == ("ratio", 0.5, "<")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sides": None}, r"sides: found .?None"),
        ({"sides": '{ "with" = "x" }'}, "two, such as"),
        ({"sides": '{ "with" = "x", "before" = 3 }'}, r"sides.before: found .?3"),
        ({"sides": '{ "with" = "x", "before" = { arm = "x", att = "0 h" } }'}, "`at`"),
        ({"sides": '{ "with" = "x", "before" = { at = "0 h" } }'}, r"sides.before.arm"),
        ({"sides": '{ "with" = "x", "before" = { arm = "x", at = "3 mm" } }'}, "3 mm"),
        ({"arm": '"wit"'}, "`with`"),
        ({"comparator": None}, "which side"),
        ({"check": '"value"'}, "a comparison or a ratio alone"),
        ({"unit": '"h"'}, "a ratio has no unit"),
        ({"relation": '"<<"'}, "relation"),
    ],
)
def test_sides_are_read_strictly(tmp_path, changes, message):
    with pytest.raises(NanotrialError, match=message) as caught:
        read_published(published(tmp_path, **{**SIDED, **changes}))
    assert "fact[1]" in str(caught.value)
