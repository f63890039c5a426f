"""Minerals in a dish from end to end: cells, inducers, conservation, stains, events, members in lanes, facts."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from dishes import CATALOGUE, make_dish
from mineral_studies import FILM, body_fluid, near
from tubes import HOUR, Played

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.evidence.facts import load_facts
from nanotrial.evidence.predict import predict_facts
from nanotrial.evidence.published import all_facts
from nanotrial.experiment import Player, player
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm
from nanotrial.sampling import Draws
from nanotrial.study import load_study, read_study
from nanotrial.study.measures import CELL_MEASURES, DISH_MINERALS
from nanotrial.study.minerals import INDUCER_MEASURES, TUBE_MINERALS, phase_measures

CULTURE = {"cells": "hela", "medium": "dmem", "minerals": True}
TIMES = [0.0, 6.0, 24.0]
# What the lanes promise: read-outs within so much of each curve's largest value.
NEAR = 1e-4
MEMBERS, ALONE = 64, 3


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def dose(inducer, concentration="10 umol/L", **more):
    return {"inducer": inducer, "concentration": concentration, **more}


def calcium(concentration="8.2 mmol/L", at="0 h"):
    return {"agent": "calcium_chloride", "concentration": concentration, "at": at}


def play_dish(study, hours=TIMES, work=None):
    built = build_arm(study, study.arms[0])
    return Played(built, (work or Player()).play(built, [h * HOUR for h in hours]))


@pytest.fixture(scope="module")
def played():
    """Return dishes played for a day, by what they are given."""
    given = {
        "bare": [],
        "peg_folate": [dose("peg_folate")],
        "folate_polysaccharide": [dose("folate_polysaccharide")],
        "dspe_peg_alendronate": [dose("dspe_peg_alendronate")],
        "calcium": [calcium(), dose("dspe_peg_alendronate")],
    }
    work = Player()
    return {name: play_dish(make_dish(add, particles={}, **CULTURE), work=work) for name, add in given.items()}


EVERY = ["bare", "peg_folate", "folate_polysaccharide", "dspe_peg_alendronate", "calcium"]


@pytest.mark.parametrize("given", [[], [{"agent": "hydrogen_peroxide", "concentration": "100 umol/L"}]])
def test_cells_are_as_without_minerals_where_nothing_mineralizes(given):
    """At pH 6.6 the medium is below saturation with all that could cover a cell within a day."""
    found = [play_dish(make_dish(given, particles={}, ph=6.6, **CULTURE | {"minerals": m})) for m in (False, True)]
    for name in ("viability", "live_fraction", "cytosolic_calcium", "atp", "respiration", "apoptotic_fraction"):
        assert found[1][name] == pytest.approx(found[0][name], rel=1e-3, abs=1e-9), name
    assert np.max(found[1]["mineral_cover"]) < 1e-3
    shed = [run["exported_calcium"][-1] for run in found]
    assert shed[1] == near(shed[0], 1e-3)
    assert shed[0] > 0.0
    if given:
        assert found[0]["viability"][-1] < 0.9


class Lacking(Catalogue):
    """The catalogue with lines that bear no receptor."""

    def load(self, kind, identifier, where="catalogue"):
        sheet = super().load(kind, identifier, where)
        return dataclasses.replace(sheet, receptors={}) if kind == "cells" else sheet


@pytest.mark.parametrize("inducer", ["folate_polysaccharide", "epha2_calcification_peptide"])
def test_without_its_receptor_an_inducer_binds_nothing(inducer):
    assert CATALOGUE.load("inducers", inducer).receptor
    usual = make_dish([dose(inducer)], particles={}, **CULTURE)
    table = {
        "title": "made by a test",
        "place": "dish",
        "subject": {**CULTURE, "cell_classes": 1},
        "arm": [{"name": "arm", "add": [dose(inducer)]}],
        "measure": {"viability": {"at": "1 h"}},
    }
    lacking = read_study(table, usual.path, Lacking())
    bound, none = (play_dish(study, [0.0, 2.0])["inducer_bound"] for study in (usual, lacking))
    assert bound[-1] > 1e-22
    assert np.max(np.abs(none)) < 1e-6 * bound[-1]


def test_what_gathers_nothing_does_not_mineralize(played):
    bare, covered = played["bare"], played["peg_folate"]
    assert covered["inducer_bound"][-1] > 1e-20
    assert np.max(covered["gathered_calcium"]) == 0.0
    for row in (1, 2):
        assert covered["mineral_calcium"][row] <= bare["mineral_calcium"][row] * (1.0 + 1e-3)
        assert covered["mineral_cover"][row] <= bare["mineral_cover"][row] * (1.0 + 1e-3)


@pytest.mark.parametrize("inducer", ["folate_polysaccharide", "dspe_peg_alendronate"])
def test_what_gathers_calcium_mineralizes_more(played, inducer):
    for measure in ("mineral_calcium", "mineral_cover", "calcified_area"):
        assert played[inducer][measure][-1] > played["bare"][measure][-1], measure
    groups = CATALOGUE.load("inducers", inducer).groups
    most = sum(g.per_molecule.si for g in groups)
    run = played[inducer]
    assert 0.0 < run["gathered_calcium"][-1] < most * run["inducer_bound"][-1]


@pytest.mark.parametrize("name", EVERY)
def test_shares_stay_shares_and_the_membrane_follows_the_cover(played, name):
    run = played[name]
    effects = CATALOGUE.load("mineral_effects", CATALOGUE.ids("mineral_effects")[0])
    for share in ("mineral_cover", "calcified_area", "membrane_fluidity", "protein_binding"):
        assert np.all((run[share] >= 0.0) & (run[share] <= 1.0)), share
    cover = run["mineral_cover"]
    assert run["membrane_fluidity"] == near(1.0 - cover * effects.fluidity_loss.si, 1e-9)
    assert run["protein_binding"] == near(1.0 - cover * effects.binding_loss.si, 1e-9)
    assert np.all(run["mineral_thickness"] >= 0.0)
    assert np.all(run["mineral_calcium"] >= 0.0)
    tissue = CATALOGUE.load("scanners", CATALOGUE.ids("scanners")[0]).soft_tissue.si
    assert run["ct_number"][0] == near(tissue, 1e-12)
    assert run["ct_number"][-1] > tissue


@pytest.mark.parametrize("name", EVERY)
def test_calcium_and_phosphate_are_conserved(played, name):
    """What was given at the start counts; nothing else enters, and cells keep what they shed in the well."""
    network = played[name].built.network
    for kind in ("calcium", "phosphate"):
        whole = network.total_content(kind)
        start = played[name].of(whole, 0)
        for row in (1, 2):
            assert played[name].of(whole, row) == near(start, 1e-7), kind
    assert max(played[name].run.imbalance().values()) < 1e-7


def solid(run, kind, starts=("medium", "vesicles_outside"), places=("", ".on_cells", ".on_matrix")):
    """Return the amount of a component (mol) in all crystals of some fluids, floating or on deposits, by its states."""
    species = run.built.network.species
    names = [f"{fluid}.{p}{place}" for fluid in starts for p in CATALOGUE.ids("phases") for place in places]
    return sum(run[n] * species[n].content.get(kind, 0.0) for n in names if n in species)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", ["calcium", "phosphate"])
def test_a_washed_dish_holds_what_is_on_cells_in_the_matrix_and_in_vesicles(played, name, kind):
    """What floats in the medium is rinsed off: it counts in the amounts of phases alone."""
    run = played[name]
    seeded, medium = run.of(run.built.place.seeded), run.of(run.built.place.medium.volume)
    kept = solid(run, kind, ("medium",), (".on_cells", ".on_matrix")) + solid(run, kind, ("vesicles_outside",))
    assert run[f"mineral_{kind}"] * seeded == pytest.approx(kept, rel=1e-9, abs=1e-25)
    assert kept[-1] > 0.0
    assert abs(solid(run, kind, ("vesicles_outside",))[-1]) > 1e-9 * kept[-1]
    phases = {p: CATALOGUE.load("phases", p) for p in CATALOGUE.ids("phases")}
    shown = sum(run[p] * s.products.get(kind, 0.0) for p, s in phases.items() if p in run.run.observable_names)
    assert shown[-1] * medium == near(solid(run, kind)[-1], 1e-9)


def test_mineral_is_what_the_medium_lost(played):
    """In the dish with much calcium the medium loses what crystals and vesicles hold, to a fiftieth."""
    run = played["calcium"]
    lost = run["medium.calcium"][0] - run["medium.calcium"][-1]
    assert lost > 0.1 * run["medium.calcium"][0]
    assert lost == near(solid(run, "calcium")[-1] + run["vesicles_outside.calcium"][-1], 2e-2)


def test_stains_read_what_they_bind():
    """-ln(1 - share) is the amount of what a stain binds over what a spot holds, by the sheet of each stain."""
    shown = {}
    for stain, bound in (("alizarin_red_s", "mineral_calcium"), ("von_kossa", "mineral_phosphate")):
        measure = {"calcified_area": {"at": "24 h", "assay": stain}}
        study = make_dish([dose("dspe_peg_alendronate")], particles={}, measure=measure, **CULTURE)
        run = play_dish(study)
        sheet = CATALOGUE.load("stains", stain)
        assert sheet.binds == bound.removeprefix("mineral_")
        subject = study.arms[0].subject
        seeded = subject.seeding_density * subject.area
        spots = run[bound][-1] * seeded / (sheet.visible_amount.si * subject.area)
        shown[stain] = run["calcified_area"][-1]
        assert shown[stain] == near(1.0 - math.exp(-spots), 1e-9)
    assert shown["alizarin_red_s"] > 1e-3
    assert abs(shown["von_kossa"] / shown["alizarin_red_s"] - 1.0) > 1e-2


def test_fresh_medium_keeps_what_is_on_cells():
    change = [{"what": "medium", "at": "24 h"}]
    study = make_dish([dose("dspe_peg_alendronate")], change, particles={}, **CULTURE)
    run = play_dish(study, [23.9999, 24.0])
    kept = [n for n in run.built.network.species if ".on_cells" in n or n.startswith("cells.inserted_")]
    assert len(kept) > 8
    for name in kept:
        noise = 1e-9 * run.built.network.species[name].scale
        assert run[name][1] == pytest.approx(run[name][0], rel=1e-3, abs=noise), name
    assert run["medium.hydroxyapatite.on_cells"][1] > 0.0
    assert run["medium.dspe_peg_alendronate"][1] == 0.0
    assert run["medium.dspe_peg_alendronate"][0] > 0.0
    fresh = CATALOGUE.load("media", "dmem").solutes["calcium"].si * study.arms[0].subject.volume
    assert run["medium.calcium"][1] == near(fresh, 1e-12)
    assert run["mineral_cover"][1] == near(run["mineral_cover"][0], 1e-3)


def test_an_inducer_given_later_acts_later():
    early, late = (
        play_dish(make_dish([dose("dspe_peg_alendronate", at=at)], particles={}, **CULTURE), [0.0, 6.0, 12.0])
        for at in ("0 h", "6.01 h")
    )
    assert abs(late["inducer_bound"][1]) < 1e-12 * early["inducer_bound"][1]
    assert 0.0 < late["mineral_cover"][2] < early["mineral_cover"][2]


def test_acid_switches_insertion_on():
    add = [dose("histidine_bisphosphonate_polypeptide")]
    acid, neutral = (
        play_dish(make_dish(add, particles={}, ph=ph, **CULTURE), [0.0, 0.5])["inducer_bound"][1] for ph in (6.5, 7.4)
    )
    assert acid > 2.0 * neutral > 0.0


def few_and_small(built, members):
    """Return draws from all spreads, at a tenth of their distance from the centre."""
    parameters = built.network.parameters
    draws = Draws(parameters, Overlay(), None, members, seed=4).unknown(0, members)
    assert len(draws) > 50
    return {name: parameters[name].value + 0.1 * (v - parameters[name].value) for name, v in draws.items()}


def tube_arm():
    study = body_fluid(surface=FILM)
    names = [*TUBE_MINERALS, *phase_measures(list(build_arm(study, study.arms[0]).tube.phases)), "ph", "charge_error"]
    return study, names


def dish_arm():
    study = make_dish([dose("dspe_peg_alendronate")], particles={}, **CULTURE)
    dish = build_arm(study, study.arms[0]).dish
    return study, [*DISH_MINERALS, *INDUCER_MEASURES, *phase_measures(list(dish.medium.phases)), *CELL_MEASURES, "ph"]


@pytest.mark.parametrize("arm", [tube_arm, dish_arm])
def test_members_in_lanes_are_their_single_runs(arm):
    study, names = arm()
    built, times = build_arm(study, study.arms[0]), [0.0, 6.0 * HOUR, 24.0 * HOUR]
    draws, work = few_and_small(built, MEMBERS), Player()
    assert MEMBERS >= player.FEW_MEMBERS > ALONE
    table = work.play_members(built, times, draws, MEMBERS)
    alone = work.play_members(built, times, {n: v[:ALONE] for n, v in draws.items()}, ALONE)
    assert table.reasons == alone.reasons == {}
    # A phase that hardly forms, a share of hardly anything: below these sizes there is only what tolerances leave.
    least = {"1": 1.0, "mmol/L": 1e-3, "nm": 1e-9}
    compared = [n for n in names if n in alone.values]
    assert len(compared) > 20
    for name in compared:
        expected = alone.values[name]
        floor = least.get(built.network.observables[name].unit, 1e-300)
        size = np.maximum(np.max(np.abs(expected), axis=1, keepdims=True), floor)
        assert np.max(np.abs(table.values[name][:ALONE] - expected) / size) < NEAR, name
    cover = table.values["mineral_cover"][:, -1]
    assert np.all(np.isfinite(cover))
    assert np.std(cover) > 1e-4, "members differ"


HERE = {m.id: m for m in all_facts() if m.study.parent.name == "mineral_inducers"}
SHED = {m.id: m for m in all_facts() if m.study.name == "mineralization.toml"}


def test_facts_of_inducers_are_predicted():
    untreated = "HeLa, untreated"
    facts = [f for f in load_facts() if f.id in HERE and untreated in {s.arm for s in HERE[f.id].places}][:3]
    assert len(facts) == 3
    rows = predict_facts(facts, members=2)
    assert [r["id"] for r in rows] == [f.id for f in facts]
    for row in rows:
        assert row["status"] == "predicted", row["reason"]
        assert row["larger"] in ("arm", "comparator", "equal")
        assert "members agree on the sign" in row["reason"]


def test_facts_of_mineralization_are_predicted():
    facts = [f for f in load_facts() if f.id in SHED]
    assert facts
    rows = predict_facts(facts, members=2)
    assert {r["id"] for r in rows} == set(SHED)
    for row in rows:
        assert row["status"] in ("predicted", "not_modelled")
        assert row["status"] == "predicted" or row["reason"]
    assert any(row["status"] == "predicted" for row in rows)


@pytest.mark.parametrize("mapped", [*HERE.values(), *SHED.values()], ids=[*HERE, *SHED])
def test_studies_show_what_the_facts_ask(mapped):
    study = load_study(mapped.study)
    for side in mapped.places:
        study.arm(side.arm)
        assert side.time in study.measure(side.measure).times
    assert all(arm.subject.minerals for arm in study.arms)
