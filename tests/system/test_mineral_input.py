"""Studies of minerals at the command line: checked, explained, run and reported; wrong ones get one message."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nanotrial.cli.main import app

from .commands import Call, files
from .test_wrong_input import assert_one_message

EXAMPLES = Path(__file__).parents[2] / "examples"
TUBE = """
title = "fluid"
place = "tube"

[subject]
solution = "simulated_body_fluid"
surface  = { area = "2 cm^2", inducer = "dspe_peg_alendronate", cover = "30 %" }

[[arm]]
name = "film"

[measure]
solid_calcium = { at = "2 h" }
"""
DISH = """
title = "inducer"
place = "dish"

[subject]
cells        = "hela"
cell_classes = 1

[[arm]]
name = "untreated"

[[arm]]
name = "given"
add  = [{ inducer = "folate", concentration = "10 umol/L" }]

[measure]
calcified_area = { at = "2 h", assay = "von_kossa" }
"""
GIVEN = '{ inducer = "folate", concentration = "10 umol/L" }'
# name: (study, text to replace, replacement, what the message must hold)
CASES: dict[str, tuple[str, str, str, list[str]]] = {
    "unknown fluid": (TUBE, "_fluid", "_fluids", ["subject.solution", "`simulated_body_fluids`", "a body fluid of"]),
    "nothing to leave out": (
        TUBE,
        "surface ",
        'without  = ["calcum"]\nsurface ',
        ["subject.without", "`calcum`", "Did you mean `calcium`"],
    ),
    "list to leave out": (
        TUBE,
        "surface ",
        'without  = [["calcium"]]\nsurface ',
        ["subject.without", "a component of"],
    ),
    "negative amount": (
        TUBE,
        "surface ",
        'solutes  = { calcium = "-1 mmol/L" }\nsurface ',
        ["subject.solutes.calcium", "'-1 mmol/L'", "0 mmol/L to"],
    ),
    "set and left out": (
        TUBE,
        "surface ",
        'without  = ["calcium"]\nsolutes  = { calcium = "1 mmol/L" }\nsurface ',
        ["subject.solutes.calcium", "`without`", "not both"],
    ),
    "buffer beside": (TUBE, "surface ", 'buffer = "phosphate"\nsurface ', ["subject.buffer", "beside `solution`"]),
    "no minerals": (TUBE, "surface ", "minerals = false\nsurface ", ["subject.surface", "`minerals = true`"]),
    "minerals as text": (TUBE, "surface ", 'minerals = "yes"\nsurface ', ["subject.minerals", "true or false"]),
    "area without unit": (TUBE, '"2 cm^2"', "2", ["subject.surface.area", "2 without a unit", "cm^2"]),
    "unknown inducer": (TUBE, "dspe_peg_alendronate", "dspe_peg_alendronat", ["surface.inducer", "alendronate`"]),
    "inducer in a tube": (TUBE, '"film"\n', f'"film"\nadd = [{GIVEN}]\n', ["add[1].inducer", "in a tube", "surface ="]),
    "measure of cells": (TUBE, "solid_calcium", "calcified_area", ["measure.calcified_area", "a tube shows"]),
    "unknown inducer in a dish": (DISH, '"folate"', '"folat"', ["arm[2] (given).add[1].inducer", "`folate`"]),
    "inducer and agent": (
        DISH,
        GIVEN,
        GIVEN.replace("{", '{ agent = "catalase",'),
        ["add[1]", "`agent` and `inducer`"],
    ),
    "inducer as mass": (DISH, "10 umol/L", "10 mg/mL", ["add[1].concentration", "`umol/L`"]),
    "inducer without minerals": (DISH, "cell_classes", "minerals = false\ncell_classes", ["(given).add", "`folate`"]),
    "stain without minerals": (
        DISH.replace(f"add  = [{GIVEN}]\n", ""),
        "cell_classes",
        "minerals = false\ncell_classes",
        ["measure.calcified_area", "`minerals = true`"],
    ),
    "some arms": (
        DISH,
        'name = "untreated"',
        'name = "untreated"\nsubject = { minerals = false }',
        ["arm", "expected"],
    ),
    "unknown stain": (DISH, "von_kossa", "von_koss", ["measure.calcified_area.assay", "Did you mean `von_kossa`"]),
}


@pytest.mark.parametrize("text", [TUBE, DISH], ids=["tube", "dish"])
def test_studies_as_they_stand_are_right(text: str, tmp_path: Path) -> None:
    study = tmp_path / "right.toml"
    study.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("case", CASES)
def test_wrong_studies_of_minerals(case: str, command: str, tmp_path: Path) -> None:
    text, old, new, parts = CASES[case]
    assert old in text
    study = tmp_path / "wrong.toml"
    study.write_text(text.replace(old, new, 1), encoding="utf-8")
    before = files(tmp_path)
    output = ["-o", str(tmp_path / "out")] if command == "run" else []
    result = CliRunner().invoke(app, [command, str(study), *output])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert_one_message(result.stderr, [*parts, "found", "expected"], "wrong.toml")
    assert files(tmp_path) == before


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "simulated_body_fluid.toml"
    shutil.copy(EXAMPLES / path.name, path)
    return path


def test_the_example_is_checked_with_its_defaults(call: Call, example: Path) -> None:
    done = call("check", example.name)
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    for words in ("simulated_body_fluid", "minerals", "followed", "closed", "36.5 degC", "dspe_peg_alendronate"):
        assert words in told, words
    assert "Traceback" not in done.stderr


def test_the_example_is_explained(call: Call, example: Path) -> None:
    done = call("explain", example.name)
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    for words in ("medium.minerals", "tube.hydroxyapatite.on_surface", "5 calcium, 3 phosphate"):
        assert words in told, words
    assert "Traceback" not in done.stderr


def test_the_example_runs_and_is_reported(call: Call, example: Path) -> None:
    done = call("run", example.name, "-o", "out", "--members", "0")
    assert done.returncode == 0, done.stderr
    record = json.loads((example.parent / "out" / "record.json").read_text(encoding="utf-8"))
    assert [a["status"] for a in record["arms"]] == ["done"] * 5
    last = {a["name"]: a["curves"]["solid_calcium"]["value"][-1] for a in record["arms"]}
    assert last["alendronate film"] > 100 * last["fluid alone"] > 0
    page = example.parent / "out" / "report.html"
    page.unlink()
    shown = call("report", "out")
    assert shown.returncode == 0, shown.stderr
    text = page.read_text(encoding="utf-8")
    for words in ("Simulated body fluid with and without", "alendronate film", "hydroxyapatite", "kokubo_2006"):
        assert words in text, words


def test_a_dish_with_an_inducer_runs(call: Call, tmp_path: Path) -> None:
    (tmp_path / "dish.toml").write_text(DISH, encoding="utf-8")
    done = call("run", "dish.toml", "-o", "out", "--members", "0")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))
    assert [a["status"] for a in record["arms"]] == ["done", "done"]
    assert "Traceback" not in done.stderr
