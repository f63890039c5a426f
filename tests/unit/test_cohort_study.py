"""The cohort of a study: what it says is taken, what it leaves open is noted, what cannot be is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tubes import PARTICLE
from tubes import given as dose
from typer.testing import CliRunner

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cli.main import app
from nanotrial.errors import NanotrialError, StudyError
from nanotrial.study import Study, read_study
from nanotrial.study.cohort import MOST_SUBJECTS

TREATED = {"name": "treated", "add": [dose()]}
BARE = {"name": "left alone"}
SUBJECTS = {
    "tube": {"buffer": "phosphate", "concentration": "10 mmol/L", "ph": 7.0},
    "dish": {"cells": "4t1", "cell_classes": 1},
}


def read(cohort=None, arms=(TREATED, BARE), place: str = "tube") -> Study:
    """Return a study with this ``[cohort]``."""
    given_ = [{**arm, "add": [one | {"basis": "calcium"} for one in arm.get("add", [])]} for arm in arms]
    table = {
        "title": "made by a test",
        "place": place,
        "particle": {"bare": PARTICLE},
        "subject": SUBJECTS[place],
        "arm": given_,
        "measure": {"ph": {"at": "1 h"}},
    }
    if cohort is not None:
        table["cohort"] = cohort
    return read_study(table, Path("made.toml"), Catalogue())


def noted(study: Study) -> dict[str, tuple[str, str]]:
    """Return value and reason of each default of the cohort by its key."""
    keys = [(d.key.removeprefix("made.toml: "), d) for d in study.defaults]
    return {key: (d.value, d.reason) for key, d in keys if key.startswith("cohort")}


@pytest.mark.parametrize(("place", "word"), [("tube", "tubes"), ("dish", "wells")])
@pytest.mark.parametrize("cohort", [None, {}])
def test_what_is_left_open_is_noted(place, word, cohort):
    study = read(cohort, place=place)
    found = study.cohort
    assert (found.subjects, found.control, found.alpha, found.word) == (3, "left alone", 0.05, word)
    told = noted(study)
    assert sorted(told) == ["cohort.alpha", "cohort.control", "cohort.subjects"]
    assert told["cohort.subjects"][0] == "3"
    assert f"three {word}" in told["cohort.subjects"][1]
    assert told["cohort.control"] == ("left alone", "the first arm to which nothing is given")
    assert told["cohort.alpha"][0] == "0.05"
    assert all(reason for _, reason in told.values())


def test_what_is_said_is_taken_and_not_noted():
    study = read({"subjects": 5, "control": "treated", "alpha": 0.01})
    assert (study.cohort.subjects, study.cohort.control, study.cohort.alpha) == (5, "treated", 0.01)
    assert noted(study) == {}
    assert sorted(noted(read({"control": "treated"}))) == ["cohort.alpha", "cohort.subjects"]


def test_saying_the_usual_is_saying_it():
    assert noted(read({"subjects": 3, "control": "left alone", "alpha": "5 %"})) == {}


def test_where_every_arm_is_treated_the_first_is_the_control():
    study = read(arms=[TREATED, TREATED | {"name": "treated too", "add": [dose(concentration="2 mmol/L")]}])
    assert study.cohort.control == "treated"
    assert noted(study)["cohort.control"] == ("treated", "the first arm: every arm is given something")


def test_the_first_of_several_bare_arms_is_the_control():
    arms = [TREATED, BARE, {"name": "also left alone", "subject": {"ph": 6.0}}]
    assert read(arms=arms).cohort.control == "left alone"
    assert read(arms=[arms[0], arms[2], arms[1]]).cohort.control == "also left alone"


@given(number=st.integers(2, MOST_SUBJECTS), alpha=st.floats(1e-6, 0.5))
def test_numbers_in_range_are_read_as_they_stand(number, alpha):
    cohort = read({"subjects": number, "alpha": alpha}, arms=[BARE]).cohort
    assert (cohort.subjects, cohort.alpha) == (number, alpha)


@pytest.mark.parametrize(
    ("cohort", "key", "text"),
    [
        ({"subjects": 1}, "cohort.subjects", "2 to 200"),
        ({"subjects": 201}, "cohort.subjects", "2 to 200"),
        ({"subjects": 2.5}, "cohort.subjects", "a whole number from 2 to 200"),
        ({"subjects": -3}, "cohort.subjects", "2 to 200"),
        ({"subjects": "three"}, "cohort.subjects", "three"),
        ({"subjects": "3 h"}, "cohort.subjects", "3 h"),
        ({"subjects": [3]}, "cohort.subjects", "[3]"),
        ({"subjects": True}, "cohort.subjects", "True"),
        ({"subjects": float("nan")}, "cohort.subjects", "nan"),
        ({"alpha": 0}, "cohort.alpha", "found 0"),
        ({"alpha": 0.6}, "cohort.alpha", "0.6"),
        ({"alpha": "95 %"}, "cohort.alpha", "95 %"),
        ({"alpha": float("inf")}, "cohort.alpha", "inf"),
        ({"control": "left alon"}, "cohort.control", "Did you mean `left alone`?"),
        ({"control": ""}, "cohort.control", "an arm of the study"),
        ({"control": ["left alone"]}, "cohort.control", "an arm of the study"),
        ({"control": {"name": "left alone"}}, "cohort.control", "an arm of the study"),
        ({"subject": 4}, "cohort.subject", "Did you mean `subjects`?"),
        (4, "cohort", "found 4; expected"),
        ([{"subjects": 4}], "cohort", "expected a table"),
    ],
)
def test_what_cannot_be_is_refused_by_name(cohort, key, text):
    with pytest.raises(NanotrialError) as error:
        read(cohort)
    assert str(error.value).startswith(f"made.toml: {key}: found ")
    assert text in str(error.value)


def test_a_control_of_another_study_is_told_the_arms():
    with pytest.raises(StudyError, match=r"cohort\.control: found `vehicle`; expected an arm of the study"):
        read({"control": "vehicle"})


FILE = """
title = "tiny"
place = "{place}"
{subject}
[[arm]]
name = "cold"
subject = {{ temperature = "30 degC" }}
[[arm]]
name = "warm"
[measure]
ph = {{ at = "1 h" }}
{cohort}
"""
PLACES = {
    "tube": '[subject]\nbuffer = "acetate"\nconcentration = "20 mmol/L"\nph = 5.5',
    "dish": '[subject]\ncells = "4t1"\ncell_classes = 1',
}


@pytest.fixture
def check(tmp_path):
    def run(place: str, cohort: str, *more: str):
        path = tmp_path / "tiny.toml"
        path.write_text(FILE.format(place=place, subject=PLACES[place], cohort=cohort), encoding="utf-8")
        return CliRunner().invoke(app, ["check", str(path), *more])

    return run


@pytest.mark.parametrize(
    ("place", "cohort", "line"),
    [
        ("tube", "", "Cohort: 3 tubes per arm, control `cold`, alpha 0.05"),
        ("dish", "", "Cohort: 3 wells per arm, control `cold`, alpha 0.05"),
        (
            "dish",
            '[cohort]\nsubjects = 6\ncontrol = "warm"\nalpha = 0.01',
            "Cohort: 6 wells per arm, control `warm`, alpha 0.01",
        ),
    ],
)
def test_check_shows_the_cohort_and_its_defaults(check, place, cohort, line):
    done = check(place, cohort)
    assert done.exit_code == 0, done.output
    assert line in done.stdout.splitlines()
    for key in ("cohort.subjects", "cohort.control", "cohort.alpha"):
        assert (f"tiny.toml: {key}" in done.stdout) is (cohort == "")


def test_check_gives_the_cohort_as_json(check):
    done = check("dish", "[cohort]\nsubjects = 4", "--json")
    assert done.exit_code == 0, done.output
    about = json.loads(done.stdout)
    assert about["cohort"] == {"subjects": 4, "word": "wells", "control": "cold", "alpha": 0.05}
    keys = [d["key"] for d in about["defaults"] if "cohort" in d["key"]]
    assert sorted(keys) == ["tiny.toml: cohort.alpha", "tiny.toml: cohort.control"]


def test_a_wrong_cohort_ends_the_command_with_its_message(check):
    done = check("tube", '[cohort]\ncontrol = "wram"')
    assert done.exit_code == 2
    assert "cohort.control: found `wram`; expected an arm of the study. Did you mean `warm`?" in done.stderr
    assert "Traceback" not in done.output
