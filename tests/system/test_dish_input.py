"""Wrong studies in a dish: exit code 2 and one message with file, key, found, expected and what to do; and warnings."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nanotrial.catalogue.lookup import ROOT
from nanotrial.cli.main import app

from .commands import files
from .test_wrong_input import assert_one_message

DISH = """
title = "dish"
place = "dish"

[particle.bare]
core = "calcium_peroxide"
diameter = "20 nm"

[subject]
cells = "4t1"
cell_classes = 1

[[arm]]
name = "untreated"

[[arm]]
name = "particles"
add = [{ particle = "bare", concentration = "0.1 mmol/L", basis = "calcium", at = "0 h" }]

[measure]
viability = { at = "2 h", assay = "cck_8" }
"""
CLASSES = "cell_classes = 1"
GIVEN = '{ particle = "bare", concentration = "0.1 mmol/L", basis = "calcium", at = "0 h" }'


def subject(line: str) -> tuple[str, str]:
    """Return a replacement that adds a key to the subject."""
    return CLASSES, f"{CLASSES}\n{line}"


# name: (text to replace, replacement, what the message must hold)
CASES: dict[str, tuple[tuple[str, str], list[str]]] = {
    "medium none": (
        subject('medium = "none"'),
        ["subject.medium", "found cells without medium", "expected a medium of the catalogue", "dmem", "rpmi_1640"],
    ),
    "empty medium": (subject('medium = ""'), ["subject.medium", "found cells without medium", "dmem"]),
    "buffer": (
        subject('buffer = "phosphate"'),
        ["subject.buffer", "`buffer` in a dish: cells without medium", "expected `medium`", 'place = "tube"'],
    ),
    "atmosphere": (subject('atmosphere = "air"'), ["subject.atmosphere", "`atmosphere` in a dish", "`medium`"]),
    "unknown line": (
        ('cells = "4t1"', 'cells = "4t2"'),
        ["subject.cells", "found `4t2`", "expected a cell line of the catalogue", "`4t1`"],
    ),
    "line far from all": (('cells = "4t1"', 'cells = "zzz"'), ["subject.cells", "`zzz`", "Known:", "`", "hela"]),
    "no line": (('cells = "4t1"\n', ""), ["subject.cells", "found nothing", "`cells`"]),
    "line is a number": (('cells = "4t1"', "cells = 4"), ["subject.cells", "found 4", "a text"]),
    "above confluence": (
        subject('seeding_density = "400000 1/cm^2"'),
        ["subject.seeding_density", "4e+05", "at most 3e+05", "confluence", "Seed fewer cells"],
    ),
    "seeding per well": (
        subject('seeding_density = "10000"'),
        ["subject.seeding_density", '"10000" without a unit', "1/cm^2"],
    ),
    "seeding per volume": (
        subject('seeding_density = "10000 1/mL"'),
        ["subject.seeding_density", '"10000 1/mL"', "`1/cm^2`"],
    ),
    "no basis": (
        (GIVEN, GIVEN.replace(' basis = "calcium",', "")),
        [
            "arm[2] (particles).add[1].basis",
            "found a concentration without its basis",
            "`calcium` or `core` or `mass`",
            "Say what the number counts",
        ],
    ),
    "misspelt basis": ((GIVEN, GIVEN.replace('"calcium"', '"calcum"')), ["add[1].basis", "`calcum`", "`calcium`"]),
    "unknown medium": (
        subject('medium = "rpmi"'),
        ["subject.medium", "found `rpmi`", "expected a medium of the catalogue", "`rpmi_1640`"],
    ),
    "medium is a number": (subject("medium = 3"), ["subject.medium", "found `3`", "a medium of the catalogue"]),
    "unknown well": (
        subject('well = "well_9"'),
        ["subject.well", "found `well_9`", "expected a well of the catalogue", "`well_96`"],
    ),
    "oxygen of 120 %": (subject('oxygen = "120 %"'), ["subject.oxygen", "'120 %'", "0 % to 100 %"]),
    "oxygen beyond one": (subject("oxygen = 20"), ["subject.oxygen", "found 20", "0 % to 100 %"]),
    "carbon dioxide of 50 %": (subject('carbon_dioxide = "50 %"'), ["subject.carbon_dioxide", "'50 %'", "30 %"]),
    "negative serum": (subject('serum = "-1 %"'), ["subject.serum", "'-1 %'", "0 % to 100 %"]),
    "boiling": (subject('temperature = "90 degC"'), ["subject.temperature", "'90 degC'", "45"]),
    "pH 2": (subject("ph = 2"), ["subject.ph", "found 2", "5.5 to 8.5"]),
    "two classes": ((CLASSES, "cell_classes = 2"), ["subject.cell_classes", "found 2", "expected 1, 3 or 5"]),
    "many classes": ((CLASSES, "cell_classes = 9"), ["subject.cell_classes", "9", "5"]),
    "negative feedback": (subject("feedback = -1"), ["subject.feedback", "-1", "0 to 10"]),
    "unknown key": (subject('oxigen = "1 %"'), ["subject.oxigen", "unknown key", "`oxygen`"]),
    "probe of another measure": (
        ('assay = "cck_8"', 'assay = "fluo_4"'),
        ["measure.viability.assay", "`fluo_4`, which reads calcium_fluorescence", "an assay of viability"],
    ),
    "colour reaction of another thing": (
        ('assay = "cck_8"', 'assay = "titanium_oxysulfate"'),
        ["measure.viability.assay", "`titanium_oxysulfate`, which reads hydrogen_peroxide", "an assay of viability"],
    ),
    "misspelt probe": (('assay = "cck_8"', 'assay = "cck8"'), ["measure.viability.assay", "`cck8`", "`cck_8`"]),
    "unknown measure": (("viability =", "viabilty ="), ["measure.viabilty", "something a dish shows", "`viability`"]),
    "read out after the duration": (
        ('place = "dish"', 'place = "dish"\nduration = "1 h"'),
        ["measure.viability", "a time of 2 h", "at most 1 h", "`duration`"],
    ),
    "read out after 96 h": (
        ('at = "2 h"', 'at = "100 h"'),
        ["measure.viability", "a time of 100 h", "at most 96 h", "without fresh medium"],
    ),
    "duration beyond 96 h": (
        ('place = "dish"', 'place = "dish"\nduration = "200 h"'),
        ["wrong.toml: duration", "'200 h'", "96 h"],
    ),
    "given after the duration": (
        (GIVEN, GIVEN.replace('"0 h"', '"3 h"').replace("basis", "basis")),
        ["arm", "particles", "an event at 3 h", "at most 2.5 h", "`duration`"],
    ),
    "unknown drug": (
        (GIVEN, '{ agent = "thapsigargine", concentration = "1 umol/L" }'),
        ["add[1].agent", "`thapsigargine`", "`thapsigargin`"],
    ),
    "drug in units": (
        (GIVEN, '{ agent = "thapsigargin", concentration = "1 U/mL" }'),
        ["add[1].concentration", '"1 U/mL"', "`mmol/L`"],
    ),
}


def refused(command: str, text: str, folder: Path, parts: list[str]) -> None:
    study = folder / "wrong.toml"
    study.write_text(text, encoding="utf-8")
    before = files(folder)
    output = ["-o", str(folder / "out")] if command == "run" else []
    result = CliRunner().invoke(app, [command, str(study), *output])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert_one_message(result.stderr, [*parts, "found", "expected"], "wrong.toml")
    assert files(folder) == before


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_wrong_dish(case: str, command: str, tmp_path: Path) -> None:
    (old, new), parts = CASES[case]
    assert DISH.count(old) >= 1
    text = DISH.replace(old, new, 1)
    if case == "given after the duration":
        text = text.replace('place = "dish"', 'place = "dish"\nduration = "2.5 h"')
    refused(command, text, tmp_path, parts)


def test_half_a_class(tmp_path: Path) -> None:
    text = DISH.replace(CLASSES, "cell_classes = 1.5")
    refused("check", text, tmp_path, ["subject.cell_classes", "1.5", "1, 3 or 5"])


def test_drug_in_a_tube(tmp_path: Path) -> None:
    tube = DISH.replace('"dish"\n\n[p', '"tube"\n\n[p').replace('cells = "4t1"', 'buffer = "water"\nph = 7')
    tube = tube.replace(CLASSES, "").replace(", assay", "").replace('viability = { at = "2 h" = "cck_8" }', "")
    tube = tube[: tube.index("[measure]")] + '[measure]\nph = { at = "1 h" }\n'
    given = tube.replace(GIVEN, '{ agent = "thapsigargin", concentration = "1 umol/L" }')
    parts = ["add[1].agent", "`thapsigargin`, which acts on cells", "an enzyme or a salt", 'Use place = "dish".']
    refused("check", given, tmp_path, parts)


@pytest.mark.parametrize(
    ("measure", "parts"),
    [("viability", ["measure.viability", "something a tube shows"]), ("cytosolic_calcium", ["something a tube shows"])],
)
def test_cells_are_no_measure_of_a_tube(measure: str, parts: list[str], tmp_path: Path) -> None:
    tube = DISH.replace('place = "dish"', 'place = "tube"')
    tube = tube.replace('cells = "4t1"', 'buffer = "water"\nph = 7').replace(CLASSES, "")
    tube = tube[: tube.index("[measure]")] + f'[measure]\n{measure} = {{ at = "1 h" }}\n'
    refused("check", tube, tmp_path, parts)


def test_cells_in_a_tube(tmp_path: Path) -> None:
    refused("check", DISH.replace('place = "dish"', 'place = "tube"'), tmp_path, ["subject.buffer", "found nothing"])


def own_agent(folder: Path, name: str, old: str, new: str) -> None:
    agents = folder / "catalogue" / "agents"
    agents.mkdir(parents=True)
    text = (ROOT / "agents" / "thapsigargin.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (agents / f"{name}.toml").write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('target = "serca"', 'target = "sercca"', ["agents/my_drug.toml: target", "found 'sercca'", "`serca`"]),
        ('target = "serca"', 'target = "kinase"', ["agents/my_drug.toml: target", "found 'kinase'", "`uniporter`"]),
        ('target = "serca"', "target = 3", ["agents/my_drug.toml: target", "found 3"]),
        ('kind = "inhibitor"', 'kind = "inhibiter"', ["agents/my_drug.toml: kind", "found 'inhibiter'", "`inhibitor`"]),
        ("half_effect", "half_efect", ["agents/my_drug.toml", "half_efect", "`half_effect`"]),
    ],
)
def test_own_drug_with_a_wrong_sheet(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    own_agent(tmp_path, "my_drug", old, new)
    given = DISH.replace(GIVEN, '{ agent = "my_drug", concentration = "1 umol/L" }')
    study = tmp_path / "wrong.toml"
    study.write_text(given, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 2, result.output
    assert_one_message(result.stderr, [*parts, "found", "expected"])


def without(key: str) -> str:
    """Return the line of the sheet of thapsigargin that holds a key."""
    text = (ROOT / "agents" / "thapsigargin.toml").read_text(encoding="utf-8")
    return next(line for line in text.splitlines(keepends=True) if line.startswith(key))


@pytest.mark.parametrize("key", ["target", "half_effect"])
def test_own_drug_needs_what_its_kind_needs(key: str, tmp_path: Path) -> None:
    own_agent(tmp_path, "my_drug", without(key), "")
    study = tmp_path / "study.toml"
    given = DISH.replace(GIVEN, '{ agent = "my_drug", concentration = "1 umol/L" }')
    study.write_text(given, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 2, result.output
    assert_one_message(result.stderr, ["agents/my_drug.toml", key, "found", "expected"])


WARNINGS = {
    "no serum": (subject('serum = "0 %"'), ["serum", "4T1 needs serum"]),
    "lo2": (('cells = "4t1"', 'cells = "lo2"'), ["LO2", "misidentified", "HeLa"]),
    "cold": (subject('temperature = "25 degC"'), ["temperature", "37 degC"]),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_doubtful_dish_runs_and_warns(case: str, tmp_path: Path) -> None:
    (old, new), parts = WARNINGS[case]
    study = tmp_path / "doubtful.toml"
    study.write_text(DISH.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(app, ["run", str(study), "-q", "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    warned = " ".join(result.stderr.split())
    assert "arning" in warned
    for part in parts:
        assert part in warned, f"{part!r} is not in: {warned}"
    assert (tmp_path / "out" / "record.json").is_file()


def test_sound_dish_warns_of_nothing(tmp_path: Path) -> None:
    study = tmp_path / "sound.toml"
    study.write_text(DISH, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 0, result.output
    assert "arning" not in result.stderr
