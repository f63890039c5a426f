"""Body fluids, surfaces and minerals in a study: how it is read, what is noted, what is refused, what a tube shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dishes import make_dish
from mineral_studies import CATALOGUE, FILM, FOLATE, body_fluid, example, near
from tubes import HOUR, given, make_study, play

from nanotrial.errors import CatalogueError, EvidenceError, NanotrialError, StudyError, UnitError
from nanotrial.evidence.published import Side, read_published
from nanotrial.experiment import Player
from nanotrial.places import build_arm
from nanotrial.study.measures import fluid_totals, measure_unit
from nanotrial.study.minerals import needs_minerals, phase_measures, phases_of
from nanotrial.study.model import BodyFluidChoice, TubeSurface

SHEET = CATALOGUE.load("body_fluids", "simulated_body_fluid")
HOURS = [0.0, 6.0, 24.0, 72.0]


def default_of(study, key):
    """Return what a study notes for a key: value, reason and source."""
    (one,) = [d for d in study.defaults if d.key == f"made.toml: {key}"]
    return one.value, one.reason, one.source


def noted(study):
    return {d.key.removeprefix("made.toml: ") for d in study.defaults}


def test_a_body_fluid_is_that_of_its_sheet():
    subject = body_fluid().arms[0].subject
    assert subject.fluid == BodyFluidChoice("simulated_body_fluid")
    assert (subject.ph, subject.temperature) == (SHEET.ph.si, SHEET.temperature.si)
    assert (subject.buffer, subject.background_salt, subject.atmosphere) == ("", 0.0, "closed")
    assert subject.minerals
    assert subject.surface is None
    assert fluid_totals(CATALOGUE, subject) == SHEET.solutes


def test_strength_multiplies_what_is_not_set():
    study = body_fluid(strength=1.5, without=["tris"], solutes={"calcium": "4 mmol/L", "citrate": "10 umol/L"})
    choice = study.arms[0].subject.fluid
    assert (choice.strength, choice.without) == (1.5, ("tris",))
    assert choice.solutes == {"calcium": pytest.approx(4.0), "citrate": pytest.approx(0.01)}
    built = build_arm(study, study.arms[0])
    run = Player().play(built, [0.0])
    volume = study.arms[0].subject.volume
    expected = {n: 1.5 * v.si for n, v in SHEET.solutes.items() if n not in ("tris", "calcium")}
    for name, total in (expected | {"calcium": 4.0, "citrate": 0.01}).items():
        assert run[f"tube.{name}"][0] / volume == near(total, 1e-12), name
    assert "tube.tris" not in built.network.species
    assert run["ph"][0] == pytest.approx(SHEET.ph.si, abs=1e-9)


def test_a_surface_is_read_in_metres():
    surface = body_fluid(surface=FILM).arms[0].subject.surface
    assert surface == TubeSurface(pytest.approx(2e-4), "dspe_peg_alendronate", pytest.approx(0.3))
    assert body_fluid(surface={"area": "1 cm^2"}).arms[0].subject.surface == TubeSurface(pytest.approx(1e-4), "", 0.0)


def test_what_the_fluid_leaves_open_is_noted_with_its_source():
    study = body_fluid()
    assert default_of(study, "subject.ph") == ("7.4", "body_fluids/simulated_body_fluid, measured", SHEET.ph.source)
    assert default_of(study, "subject.temperature")[0] == "36.5 degC"
    assert default_of(study, "subject.atmosphere") == ("closed", "a closed bottle", "")
    assert default_of(study, "subject.minerals") == ("followed", "a body fluid", "")
    assert default_of(study, "subject.strength")[0] == "1"
    said = body_fluid(ph=7.2, temperature="37 degC", atmosphere="air", minerals=True, strength=1.0)
    keys = {f"subject.{k}" for k in ("ph", "temperature", "atmosphere", "minerals", "strength")}
    assert keys.isdisjoint(noted(said))
    assert default_of(said, "subject.carbon_dioxide")[1] == "share above the fluid"
    assert said.arms[0].subject.carbon_dioxide > 0.0


def test_minerals_of_a_buffer_are_followed_where_a_study_says_so():
    study = make_study([given()])
    assert default_of(study, "subject.minerals")[0] == "not followed"
    assert not study.arms[0].subject.minerals
    followed = make_study([given()], minerals=True, measure={"hydroxyapatite": {"at": "1 h"}})
    assert followed.arms[0].subject.minerals
    assert "subject.minerals" not in noted(followed)


@pytest.mark.parametrize(
    ("add", "measure", "value", "reason"),
    [
        ([], "viability", "not followed", "no inducer is given and no measure shows them"),
        ([FOLATE], "viability", "followed", "an inducer is given"),
        ([], "mineral_cover", "followed", "the study measures mineral_cover"),
        ([], "calcified_area", "followed", "the study measures calcified_area"),
        ([], "octacalcium_phosphate", "followed", "the study measures octacalcium_phosphate"),
        ([], "hydroxyapatite_rival_share", "followed", "the study measures hydroxyapatite_rival_share"),
    ],
)
def test_a_dish_follows_minerals_where_it_needs_them(add, measure, value, reason):
    study = make_dish(add, measure={measure: {"at": "1 h"}})
    assert default_of(study, "subject.minerals") == (value, reason, "")
    assert {a.subject.minerals for a in study.arms} == {value == "followed"}


def test_one_inducer_makes_all_arms_follow():
    study = make_dish(arms=[{"name": "bare"}, {"name": "given", "add": [FOLATE]}])
    assert [a.subject.minerals for a in study.arms] == [True, True]


def test_the_usual_stain_is_noted():
    study = make_dish(measure={"calcified_area": {"at": "1 h"}})
    assert default_of(study, "measure.calcified_area.assay")[0] == "alizarin_red_s"
    chosen = make_dish(measure={"calcified_area": {"at": "1 h", "assay": "von_kossa"}})
    assert chosen.measures[0].probe == "von_kossa"
    assert "measure.calcified_area.assay" not in noted(chosen)


def test_every_measure_of_minerals_has_its_unit():
    phases = CATALOGUE.ids("phases")
    for name, unit in phase_measures(phases).items():
        assert needs_minerals(name, phases)
        assert measure_unit(name) == unit, name
    assert not any(needs_minerals(n, phases) for n in ("viability", "calcium", "release", "ph", "apoptotic_fraction"))


def test_phases_are_those_of_the_components():
    every = phases_of(CATALOGUE, {"calcium", "phosphate", "carbonate"})
    assert {"hydroxyapatite", "octacalcium_phosphate", "calcite"} <= set(every)
    assert "calcite" not in phases_of(CATALOGUE, {"calcium", "phosphate"})
    assert phases_of(CATALOGUE, {"phosphate", "sodium"}) == []


TUBE_FAULTS = {
    "unknown fluid": (
        {"solution": "simulated_body_fluidd"},
        CatalogueError,
        "subject.solution",
        "simulated_body_fluid`",
    ),
    "fluid no text": ({"solution": 3}, StudyError, "subject.solution", "a text"),
    "unknown without": ({"without": ["calcum"]}, StudyError, "subject.without", "Did you mean `calcium`"),
    "without no list": ({"without": "calcium"}, StudyError, "subject.without", "a list"),
    "without a list in a list": ({"without": [["calcium"]]}, StudyError, "subject.without", "a component of"),
    "without what is set": (
        {"without": ["calcium"], "solutes": {"calcium": "1 mmol/L"}},
        StudyError,
        "subject.solutes.calcium",
        "set or left out, not both",
    ),
    "unknown solute": ({"solutes": {"calcum": "1 mmol/L"}}, StudyError, "subject.solutes.calcum", "`calcium`"),
    "water as solute": ({"solutes": {"water": "1 mmol/L"}}, StudyError, "subject.solutes.water", "component"),
    "negative amount": ({"solutes": {"calcium": "-1 mmol/L"}}, StudyError, "subject.solutes.calcium", "0 mmol/L to"),
    "amount without unit": ({"solutes": {"calcium": 1}}, UnitError, "subject.solutes.calcium", '"1 mmol/L"'),
    "amount as mass": ({"solutes": {"calcium": "1 mg"}}, UnitError, "subject.solutes.calcium", "`mmol/L`"),
    "no strength": ({"strength": 0}, StudyError, "subject.strength", "0.001 to 10"),
    "buffer beside": ({"buffer": "phosphate"}, StudyError, "subject.buffer", "or a buffer, not both"),
    "concentration beside": ({"concentration": "1 mmol/L"}, StudyError, "subject.concentration", "not both"),
    "gas beside": ({"carbon_dioxide": "5 %"}, StudyError, "subject.carbon_dioxide", "not both"),
    "surface without minerals": (
        {"minerals": False, "surface": {"area": "1 cm^2"}},
        StudyError,
        "subject.surface",
        "`minerals = true`",
    ),
    "cover of nothing": (
        {"surface": {"area": "1 cm^2", "cover": "30 %"}},
        StudyError,
        "subject.surface.cover",
        "`inducer` beside it",
    ),
    "inducer without cover": (
        {"surface": {"area": "1 cm^2", "inducer": "folate"}},
        StudyError,
        "subject.surface.cover",
        "`cover`",
    ),
    "cover above one": ({"surface": {**FILM, "cover": "130 %"}}, StudyError, "subject.surface.cover", "0 to 1"),
    "unknown inducer": ({"surface": {**FILM, "inducer": "foliate"}}, CatalogueError, "surface.inducer", "`folate`"),
    "area without unit": ({"surface": {"area": 2}}, UnitError, "subject.surface.area", '"2 cm^2"'),
    "area of a volume": ({"surface": {"area": "2 mL"}}, UnitError, "subject.surface.area", "`cm^2`"),
    "no area": ({"surface": {}}, StudyError, "subject.surface.area", "`area`"),
    "key of a surface": ({"surface": {"area": "2 cm^2", "aera": 1}}, StudyError, "surface.aera", "`area`"),
    "surface no table": ({"surface": "2 cm^2"}, StudyError, "subject.surface", "a table"),
    "minerals as text": ({"minerals": "yes"}, StudyError, "subject.minerals", "true or false"),
    "minerals as number": ({"minerals": 1}, StudyError, "subject.minerals", "true or false"),
    "misspelt solution": ({"solution": None, "solutoin": "x"}, StudyError, "subject.buffer", "`buffer`"),
    "measure of none": ({"minerals": False}, StudyError, "measure.solid_calcium", "`minerals = true`"),
    "measure of no phase": (
        {"measure": {"hydroxyapatit": {"at": "1 h"}}},
        StudyError,
        "measure.hydroxyapatit",
        "`hydroxyapatite`",
    ),
    "cells in a tube": ({"measure": {"calcified_area": {"at": "1 h"}}}, StudyError, "calcified_area", "a tube shows"),
    "inducer in a tube": ({"arms": [{"name": "a", "add": [FOLATE]}]}, StudyError, "add[1].inducer", "surface = {"),
}


@pytest.mark.parametrize("case", TUBE_FAULTS)
def test_wrong_tubes_are_refused(case):
    words, error, key, told = TUBE_FAULTS[case]
    assert_refused(lambda: body_fluid(**words), error, key, told)


DISH_FAULTS = {
    "unknown inducer": ({"add": [{**FOLATE, "inducer": "folat"}]}, CatalogueError, "add[1].inducer", "`folate`"),
    "inducer and agent": ({"add": [{**FOLATE, "agent": "catalase"}]}, StudyError, "add[1]", "one of `particle`"),
    "inducer and particle": ({"add": [{**FOLATE, "particle": "bare"}]}, StudyError, "add[1]", "one of `particle`"),
    "nothing": ({"add": [{"concentration": "1 mmol/L"}]}, StudyError, "add[1]", "`agent` and `inducer`"),
    "no amount": ({"add": [{"inducer": "folate"}]}, StudyError, "add[1].concentration", "`concentration`"),
    "negative amount": ({"add": [{**FOLATE, "concentration": "-1 umol/L"}]}, StudyError, "concentration", "0 umol/L"),
    "amount per mass": ({"add": [{**FOLATE, "concentration": "1 mg/mL"}]}, UnitError, "concentration", "`umol/L`"),
    "basis": ({"add": [{**FOLATE, "basis": "core"}]}, StudyError, "add[1].basis", "unknown key"),
    "twice": ({"add": [FOLATE, FOLATE]}, StudyError, "(arm).add", "`folate` twice"),
    "taken out": ({"add": [FOLATE], "remove": [{"what": "folate", "at": "2 h"}]}, StudyError, "what", "medium"),
    "minerals as text": ({"minerals": "yes"}, StudyError, "subject.minerals", "true or false"),
    "inducer without minerals": ({"add": [FOLATE], "minerals": False}, StudyError, "(arm).add", "`minerals = true`"),
    "measure without minerals": (
        {"minerals": False, "measure": {"mineral_cover": {"at": "1 h"}}},
        StudyError,
        "measure.mineral_cover",
        "`minerals = true`",
    ),
    "some arms": (
        {"arms": [{"name": "a", "subject": {"minerals": True}}, {"name": "b"}]},
        StudyError,
        "made.toml: arm",
        "one `minerals` for all arms",
    ),
    "unknown stain": (
        {"measure": {"calcified_area": {"at": "1 h", "assay": "von_koss"}}},
        CatalogueError,
        "measure.calcified_area.assay",
        "Did you mean `von_kossa`",
    ),
    "stain of cells": (
        {"measure": {"viability": {"at": "1 h", "assay": "von_kossa"}}},
        StudyError,
        "measure.viability.assay",
        "`von_kossa`, which reads calcified_area",
    ),
    "dye of mineral": (
        {"measure": {"calcified_area": {"at": "1 h", "assay": "cck_8"}}},
        StudyError,
        "measure.calcified_area.assay",
        "which reads viability",
    ),
    "bound without inducer": (
        {"minerals": True, "measure": {"inducer_bound": {"at": "1 h"}}},
        StudyError,
        "measure.inducer_bound",
        "a dish shows",
    ),
    "surface": ({"surface": {"area": "1 cm^2"}}, StudyError, "subject.surface", "`surface` in a dish"),
    "solution": ({"solution": "simulated_body_fluid"}, StudyError, "subject.solution", "`medium`"),
}


@pytest.mark.parametrize("case", DISH_FAULTS)
def test_wrong_dishes_are_refused(case):
    words, error, key, told = DISH_FAULTS[case]
    assert_refused(lambda: make_dish(**words), error, key, told)


def assert_refused(read, error, key, told):
    with pytest.raises(NanotrialError) as caught:
        read()
    message = str(caught.value)
    assert isinstance(caught.value, error), message
    assert message.startswith("made.toml: ")
    place, rest = message.split(": found ", 1)
    assert key in place + ":", message
    assert told in message
    assert "expected" in rest


@pytest.fixture(scope="module")
def four():
    """Return the arms of the four conditions, played for three days."""
    study = example("four_conditions")
    return {arm.name: play(study, HOURS, arm=arm.name) for arm in study.arms}


@pytest.mark.parametrize("arm", ["no calcium", "no phosphate", "no supersaturation"])
def test_without_a_condition_there_is_no_solid(four, arm):
    whole = four["all four"]["solid_calcium"][-1]
    assert whole > 1e-3
    for measure in ("solid_calcium", "solid_phosphate"):
        assert np.max(np.abs(four[arm][measure])) < 1e-9 * whole
    assert np.max(np.abs(four[arm]["mineral_cover"])) < 1e-9


def test_without_supersaturation_ions_are_there_and_saturation_is_not(four):
    assert four["no supersaturation"]["octacalcium_phosphate_saturation"][0] < 0.0
    assert four["all four"]["octacalcium_phosphate_saturation"][0] > 0.0
    assert four["no supersaturation"]["tube.calcium"][0] == four["all four"]["tube.calcium"][0]


def test_without_a_surface_there_is_orders_of_magnitude_less(four):
    for row in (1, 2, 3):
        assert four["no surface"]["solid_calcium"][row] < 1e-2 * four["all four"]["solid_calcium"][row]
    assert four["no surface"]["solid_calcium"][-1] > 0.0


def test_what_forms_is_missing_in_the_fluid(four):
    volume = example("four_conditions").arms[0].subject.volume
    for run in (four["all four"], four["no surface"]):
        for component in ("calcium", "phosphate"):
            left = run[f"tube.{component}"] / volume
            solid = run[f"solid_{component}"]
            assert left + solid == near(np.full(4, left[0]), 1e-9)
    assert np.all(np.diff(four["all four"]["solid_calcium"]) > 0.0)
    assert np.all(np.diff(four["all four"]["ph"]) < 0.0), "phosphate that is taken leaves its protons"


def test_the_fluid_alone_keeps_its_calcium_for_three_days():
    study = example("simulated_body_fluid")
    alone = play(study, HOURS, arm="fluid alone")
    assert 1.0 - alone["tube.calcium"][-1] / alone["tube.calcium"][0] < 0.05
    film = play(study, HOURS, arm="alendronate film")
    assert film["solid_calcium"][-1] > 100.0 * alone["solid_calcium"][-1]


@pytest.mark.parametrize("arm", [a.name for a in example("simulated_body_fluid").arms])
def test_content_is_conserved_along_the_run(arm):
    study = example("simulated_body_fluid")
    played = play(study, np.linspace(0.0, 72.0, 25).tolist(), arm=arm)
    network, start = played.built.network, {}
    for kind in ("calcium", "phosphate", "carbonate", "magnesium"):
        start[kind] = played.of(network.total_content(kind), 0)
        for row in (1, 8, 24):
            assert played.of(network.total_content(kind), row) == near(start[kind], 1e-9), kind
    volume = study.arm(arm).subject.volume
    assert start["calcium"] == near(2.5 * volume * study.arm(arm).subject.fluid.strength, 1e-3)
    assert max(played.run.imbalance().values()) < 1e-9
    shares = [n for n in played.run.observable_names if n.endswith("_share") and not n.endswith("_rival_share")]
    together = np.sum([played[n] for n in shares], axis=0)
    assert np.all((together > -1e-9) & (together < 1.0 + 1e-9))
    assert np.all((played["mineral_cover"] >= 0.0) & (played["mineral_cover"] <= 1.0))


def on_film(run):
    """Return the amount of all crystals on the film (mol) at the last output."""
    names = [n for n in run.built.network.species if n.endswith(".on_surface")]
    assert len(names) > 3
    return sum(run[n][-1] for n in names)


def test_twice_the_area_gives_twice_the_mineral_at_first():
    found = [play(body_fluid(surface={**FILM, "area": f"{a} cm^2"}), [0.0, 2.0]) for a in (1, 2)]
    small, large = (on_film(run) for run in found)
    assert large == near(2.0 * small, 1e-3)
    assert small > 0.0
    assert found[1]["mineral_cover"][1] == near(found[0]["mineral_cover"][1], 1e-3)


def test_an_inducer_that_gathers_nothing_holds_the_bare_film_back():
    """Peg-folate covers half and is never ready: the rest is like a film of half the area."""
    bare = play(body_fluid(surface={"area": "1 cm^2"}), [0.0, 2.0])
    covered = body_fluid(surface={"area": "2 cm^2", "inducer": "peg_folate", "cover": "50 %"})
    half = play(covered, [0.0, 2.0])
    assert on_film(half) == near(on_film(bare), 1e-6)
    assert on_film(bare) > 0.0


def test_release_does_not_change_where_no_mineral_can_form():
    """Acetate holds no phosphate, so following minerals leaves release, pH and peroxide as they are."""
    acid = {"buffer": "acetate", "concentration": "20 mmol/L", "ph": 5.0, "atmosphere": "closed"}
    plain, followed = (play(make_study([given()], minerals=m, **acid), [0.0, 0.5, 4.0]) for m in (False, True))
    for name in ("release", "ph", "tube.hydrogen_peroxide", "tube.calcium"):
        assert followed[name] == pytest.approx(plain[name], rel=1e-7, abs=1e-18), name
    assert plain["release"][-1] > 0.1
    assert "solid_calcium" not in plain.run.observable_names
    assert not any(n.startswith("tube.hydroxyapatite") for n in plain.built.network.species)


def test_following_minerals_takes_phosphate_of_a_buffer():
    plain, followed = (play(make_study([given()], minerals=m, ph=8.0), [0.0, 4.0]) for m in (False, True))
    assert followed["tube.phosphate"][-1] < plain["tube.phosphate"][-1]
    assert followed["solid_calcium"][-1] > 0.0


def test_fresh_medium_keeps_what_is_on_the_film():
    arms = [{"name": "changed", "remove": [{"what": "medium", "at": "24 h"}]}]
    study = body_fluid(arms, surface=FILM)
    played = play(study, [23.999, 24.0], arm="changed")
    assert played["solid_calcium"][1] == near(played["solid_calcium"][0], 1e-3)
    volume = study.arms[0].subject.volume
    assert played["tube.calcium"][1] / volume == near(SHEET.solutes["calcium"].si, 1e-12)


ROWS = """
[[fact]]
id = "a"
study = "study.toml"
measure = "solid_calcium"
at = "72 h"
check = "comparison"
source = "zhang_2019"
sides = { "one" = "x", "other" = { arm = "y", measure = "MEASURE", at = "24 h" } }
"""


def sided(folder: Path, measure: str):
    (folder / "study.toml").touch()
    (folder / "published.toml").write_text(ROWS.replace("MEASURE", measure), encoding="utf-8")
    return read_published(folder / "published.toml")[0][0]


def test_a_side_may_have_a_measure_of_its_own(tmp_path):
    fact = sided(tmp_path, "solid_phosphate")
    assert fact.sides["one"] == Side("x", "solid_calcium", 72 * HOUR)
    assert fact.sides["other"] == Side("y", "solid_phosphate", 24 * HOUR)
    assert fact.places == tuple(fact.sides.values())


def test_sides_of_two_units_cannot_be_compared(tmp_path):
    with pytest.raises(EvidenceError, match=r"fact\[1\].*sides.*measures of two units"):
        sided(tmp_path, "mineral_cover")


def test_sheets_of_body_fluids_are_near_neutral_and_known():
    """Charges of totals that nobody lists are few: pH is set by strong ions, which must not be the solution."""
    for name in CATALOGUE.ids("body_fluids"):
        study = body_fluid(solution=name)
        built = build_arm(study, study.arms[0])
        run = Player().play(built, [0.0])
        sheet, volume = CATALOGUE.load("body_fluids", name), study.arms[0].subject.volume
        assert run["ph"][0] == pytest.approx(sheet.ph.si, abs=1e-6)
        added = abs(run["tube.strong_charge"][0]) / volume
        assert added < 0.2 * sum(v.si for v in sheet.solutes.values()), name
