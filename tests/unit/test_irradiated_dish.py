"""Irradiated cells over days: breaks and foci, phases, late death, organelles, oxidants, members, budgets."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest
from dishes import CATALOGUE, make_dish
from tubes import HOUR, agent, make_study
from typer.testing import CliRunner

from nanotrial.budgets import arm_budgets
from nanotrial.cli.main import app
from nanotrial.errors import StudyError
from nanotrial.evidence.facts import load_facts
from nanotrial.evidence.predict import predict_facts
from nanotrial.experiment import Player, player, simulate
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm
from nanotrial.radiation.particles import particle_dose
from nanotrial.sampling import Draws
from nanotrial.study.model import RADIATION_MEASURES, RADIATION_PRODUCTS

RAY = "40 keV"
PLAY = Player()
REPAIR = CATALOGUE.load("damage_and_repair", "mammalian")
# What the lanes promise: read-outs within so much of each curve's largest value.
NEAR = 1e-4
MEMBERS, ALONE = 64, 3
DAYS = (0.0, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 9.0, 13.0, 25.0, 49.0, 73.0)


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def study_of(dose="", add=(), particle=None, at="1 h", ray=RAY, rate="2 Gy/min", **subject):
    """Return a dish with one arm; without a dose the beam stays off, but radiation is followed."""
    given = [{"beam": ray, "absorbed_dose": dose, "dose_rate": rate, "at": at}] if dose else []
    arms = [{"name": "arm", "add": list(add), "irradiate": given}]
    particles = {"p": {"core": "gold", "diameter": "20 nm"} | (particle or {})}
    measure = {"surviving_fraction": {"at": "2 h"}}
    return make_dish(arms=arms, particles=particles, measure=measure, **{"cells": "hela", **subject})


def load_of(load):
    return [{"particle": "p", "concentration": load, "basis": "mass"}]


@lru_cache(maxsize=64)
def run_of(dose="", load="", core="gold", hours=DAYS, drug="", changes=(), **more):
    add = [*(load_of(load) if load else []), *([agent(*drug.split(":"))] if drug else [])]
    study = study_of(dose, add, {"core": core}, **more)
    return PLAY.play(build_arm(study, study.arms[0]), [h * HOUR for h in hours], dict(changes))


# Without a beam, without particles


def test_nothing_happens_without_a_beam():
    run = run_of("", "0.1 mg/mL")
    for name in ("absorbed_dose", "dose_to_nucleus", "double_strand_breaks", "cells.0.lethal", "cells.0.doomed"):
        assert np.max(np.abs(run[name])) < 1e-12, name
    assert run["sensitization_enhancement_ratio"] == pytest.approx(np.ones(len(DAYS)), abs=1e-9)
    assert run["hydroxyl_radicals"] == pytest.approx(np.zeros(len(DAYS)), abs=1e-15)
    assert np.all(run["surviving_fraction"] > 0.999)
    assert run["gamma_h2ax_foci"] == pytest.approx(np.full(len(DAYS), REPAIR.background_foci.value), rel=1e-6)


def test_cells_live_as_in_a_dish_that_knows_nothing_of_radiation():
    plain = make_dish(add=load_of("0.1 mg/mL"), particles={"p": {"core": "gold", "diameter": "20 nm"}}, cells="hela")
    assert not plain.irradiated
    one = PLAY.play(build_arm(plain, plain.arms[0]), [h * HOUR for h in DAYS])
    other = run_of("", "0.1 mg/mL")
    for name in ("viability", "live_fraction", "cytosolic_calcium", "atp", "respiration", "particles_inside"):
        assert other[name] == pytest.approx(one[name], rel=1e-4, abs=1e-30), name


def test_without_particles_no_dose_is_enhanced():
    run = run_of("4 Gy")
    assert run["sensitization_enhancement_ratio"] == pytest.approx(np.ones(len(DAYS)), abs=1e-5)
    assert run["dose_enhancement"] == pytest.approx(np.ones(len(DAYS)), abs=1e-12)
    assert run["dose_to_nucleus"] == pytest.approx(run["absorbed_dose"], rel=1e-6, abs=1e-9)


def test_particles_that_come_after_the_dose_add_nothing():
    add = [load_of("0.2 mg/mL")[0] | {"at": "3 h"}]
    study = study_of("2 Gy", add)
    run = PLAY.play(build_arm(study, study.arms[0]), [2.9 * HOUR, 24 * HOUR])
    assert run["sensitization_enhancement_ratio"][1] == pytest.approx(1.0, abs=1e-5)
    assert run["cells.0.dose.nucleus"][1] == pytest.approx(2.0, rel=1e-6)
    assert run["dose_enhancement"][1] > 1.0, "what a dose would be worth now"


# Breaks, foci


def test_breaks_are_made_and_repaired():
    run = run_of("2 Gy")
    breaks, foci = run["double_strand_breaks"], run["gamma_h2ax_foci"] - REPAIR.background_foci.value
    line = CATALOGUE.load("radiosensitivity", "hela")
    content = line.dna_content.value * (1 + 0.5 * line.s_share.value + line.g2m_share.value)
    made = 2.0 * REPAIR.breaks_per_dose.value * content
    shown = dict(zip(DAYS, breaks, strict=True))
    assert shown[1.0] == pytest.approx(0.0, abs=1e-9)
    assert 0.6 * made < shown[1.2] < made, "two Gy are given within a minute"
    assert np.all(np.diff(breaks[2:]) < 0)
    assert shown[49.0] < 1e-3 * made
    peak = int(np.argmax(foci))
    assert DAYS[1] < DAYS[peak] < 3.0, "foci need half an hour to appear"
    assert np.all(np.diff(foci[peak:]) < 0)
    assert foci[-1] < 0.01 * foci[peak]
    # No focus without a break, and not more than were broken.
    assert np.max(foci) < made


def test_complex_breaks_are_mended_last():
    run = run_of("2 Gy")
    share = run["cells.0.complex_breaks"][2:9] / run["double_strand_breaks"][2:9]
    assert np.all(np.diff(share) > 0)
    slow = np.log(run["cells.0.complex_breaks"][7] / run["cells.0.complex_breaks"][8]) / (4 * HOUR)
    assert slow == pytest.approx(REPAIR.slow_repair.si, rel=1e-4)


def test_the_tail_of_a_comet_shows_single_strands_first():
    run = run_of("8 Gy")
    tail = run["comet_tail"]
    assert tail[0] == pytest.approx(REPAIR.comet_background.value, rel=1e-9)
    assert tail[2] > 2 * tail[0]
    assert tail[-1] == pytest.approx(tail[0], rel=1e-3)
    quick = np.log(run["cells.0.single_breaks"][3] / run["cells.0.single_breaks"][4]) / (0.5 * HOUR)
    assert quick == pytest.approx(REPAIR.single_strand_repair.si, rel=1e-4)


# Phases and late death


@pytest.mark.parametrize("line", ["hela", "a549", "4t1"])
def test_an_undisturbed_culture_keeps_its_phases(line):
    run = run_of("", cells=line)
    sheet = CATALOGUE.load("radiosensitivity", line)
    shares = {p: getattr(sheet, f"{p}_share").value for p in ("g1", "s", "g2m")}
    for phase, share in shares.items():
        expected = np.full(len(DAYS), share / sum(shares.values()))
        assert run[f"{phase}_fraction"] == pytest.approx(expected, rel=1e-4), phase


@pytest.mark.parametrize(
    ("dose", "drug"), [("2 Gy", ""), ("8 Gy", ""), ("", "mertansine:1 umol/L"), ("4 Gy", "sn_38:1 umol/L")]
)
def test_phases_are_shares_of_one(dose, drug):
    run = run_of(dose, drug=drug)
    phases = np.array([run[f"{p}_fraction"] for p in ("g1", "s", "g2m")])
    assert phases.sum(axis=0) == pytest.approx(np.ones(len(DAYS)), abs=1e-6)
    assert phases.min() > -1e-9
    assert phases.max() < 1.0


def test_a_dose_holds_cells_before_mitosis_for_its_time():
    small, large = (run_of(dose)["g2m_fraction"] for dose in ("2 Gy", "6 Gy"))
    usual = small[0]
    at = {h: i for i, h in enumerate(DAYS)}
    assert small[at[5.0]] > 1.2 * usual
    assert large[at[9.0]] > small[at[9.0]], "a larger dose holds them longer"
    assert small[at[49.0]] == pytest.approx(usual, rel=0.05)


def test_p53_holds_g1_too():
    wild, lost = (run_of("6 Gy", cells=line) for line in ("a549", "hela"))
    assert CATALOGUE.load("radiosensitivity", "a549").p53 == "wild type"
    assert CATALOGUE.load("radiosensitivity", "hela").p53 != "wild type"
    at = DAYS.index(5.0)
    # What leaves G1 fills S: where G1 is shut, S empties.
    assert wild["s_fraction"][at] < 0.75 * wild["s_fraction"][0]
    assert lost["s_fraction"][at] / lost["s_fraction"][0] > wild["s_fraction"][at] / wild["s_fraction"][0]


@pytest.mark.parametrize("drug", ["mertansine", "sn_38"])
def test_drugs_that_arrest_gather_cells_before_mitosis(drug):
    none, some, much = (
        run_of("", drug=f"{drug}:{dose}")["g2m_fraction"] for dose in ("0 umol/L", "5 nmol/L", "1 umol/L")
    )
    at = DAYS.index(25.0)
    assert none[at] == pytest.approx(none[0], rel=1e-4)
    assert 1.1 * none[at] < some[at] < much[at]


def test_doomed_cells_are_some_of_the_living_and_die_late():
    run = run_of("8 Gy")
    doomed, live = run["cells.0.doomed"], run["cells.0.live"]
    assert np.all(doomed <= live * (1 + 1e-6))
    assert np.all(doomed > -1e-6 * live[0])
    at = {h: i for i, h in enumerate(DAYS)}
    assert doomed[at[2.0]] > 0.9 * live[at[2.0]], "8 Gy hit nearly all"
    assert run["viability"][at[2.0]] > 0.95, "and hardly any is dead yet"
    assert run["viability"][at[73.0]] < 0.5
    assert np.all(np.diff(run["viability"][2:]) < 1e-6)
    dead = run["apoptotic_fraction"][at[73.0]], run["necrotic_fraction"][at[73.0]]
    assert dead[0] > 0.05
    assert dead[1] > 0.05


def test_colonies_are_fewer_than_live_cells():
    run = run_of("4 Gy")
    at = DAYS.index(13.0)
    assert run["surviving_fraction"][at] < 0.3 * run["viability"][at]


def test_a_larger_dose_is_worse_in_everything():
    runs = [run_of(dose) for dose in ("1 Gy", "2 Gy", "4 Gy", "8 Gy")]
    for name, sign in (("surviving_fraction", -1), ("viability", -1), ("gamma_h2ax_foci", 1), ("comet_tail", 1),
                       ("ros_fluorescence", 1)):  # fmt: skip
        rows = np.array([run[name][3:8] for run in runs])
        assert np.all(sign * np.diff(rows, axis=0) > 0), name


def test_a_beam_alone_strains_no_organelle():
    """What it does to them is in the curve of survival, which was measured with it."""
    run = run_of("8 Gy")
    for organelle in ("lysosome", "mitochondrion", "reticulum"):
        assert np.max(run[f"{organelle}_damage"]) < 1e-12, organelle


# Gold


def test_more_gold_never_gives_less_dose():
    runs = [run_of("2 Gy", load, at="4 h") for load in ("", "0.01 mg/mL", "0.1 mg/mL", "1 mg/mL")]
    at = DAYS.index(5.0)
    for name in ("dose_to_nucleus", "sensitization_enhancement_ratio", "double_strand_breaks", "lysosome_damage"):
        assert np.all(np.diff([run[name][at] for run in runs]) > 0), name
    assert np.all(np.diff([run["surviving_fraction"][at] for run in runs]) < 0)


def test_gold_does_next_to_nothing_at_six_megavolt():
    at = DAYS.index(5.0)
    soft, hard = (
        run_of("2 Gy", "0.1 mg/mL", ray=ray)["sensitization_enhancement_ratio"][at] - 1 for ray in (RAY, "6 MV")
    )
    assert soft > 0.005
    assert abs(hard) < 0.05 * soft


def test_particles_nearer_to_the_nucleus_add_more_to_it():
    at = DAYS.index(5.0)
    usual, inside = (
        PLAY.play(build_arm(s, s.arms[0]), [h * HOUR for h in DAYS])["dose_to_nucleus"][at]
        for s in (
            study_of("2 Gy", load_of("0.1 mg/mL"), more, at="4 h")
            for more in ({}, {"organelle": {"place": "nucleus", "share": "50 %"}})
        )
    )
    assert inside - 2 > 2 * (usual - 2) > 0


def test_an_organelle_that_holds_the_particles_suffers():
    at = DAYS.index(5.0)
    runs = {}
    for place in ("lysosome", "mitochondrion"):
        study = study_of("20 Gy", load_of("0.5 mg/mL"), {"organelle": {"place": place, "share": "100 %"}}, at="4 h")
        runs[place] = PLAY.play(build_arm(study, study.arms[0]), [h * HOUR for h in DAYS])
    for place, other in (("lysosome", "mitochondrion"), ("mitochondrion", "lysosome")):
        assert runs[place][f"{place}_damage"][at] > runs[other][f"{place}_damage"][at]


# Oxidants


def test_a_dose_makes_peroxide_and_leaves_a_leaking_chain():
    none, some = run_of(""), run_of("8 Gy")
    assert np.all(some["ros_fluorescence"][2:] > none["ros_fluorescence"][2:])
    lasting = some["cells.0.lasting_oxidants"]
    assert lasting[2] == pytest.approx(8 * REPAIR.mitochondrial_oxidant_gain.value, rel=0.05)
    assert np.all(np.diff(lasting[2:]) < 0)
    made = some["hydroxyl_radicals"][2]
    assert made == pytest.approx(CATALOGUE.load("radiolysis", "water_25c").yields["OH"].si * 8000.0, rel=1e-6)


@pytest.mark.parametrize("core", ["fullerenol", "melanin", "molybdenum_disulphide"])
def test_particles_that_scavenge_lower_oxidants(core):
    bare, less = (run_of("8 Gy", load, core, at="4 h") for load in ("", "1 mg/mL"))
    assert less["cells.0.superoxide"][-3] < bare["cells.0.superoxide"][-3]
    assert less["ros_fluorescence"][-1] < bare["ros_fluorescence"][-1]


def test_light_in_lysosomes_strains_them():
    light = {"scintillator": "csi_tl", "acceptor": "ce6", "acceptor_fraction": "10 %", "distance": "1 nm"}
    found = []
    for more in ({}, {"light": light}):
        study = study_of("8 Gy", load_of("0.5 mg/mL"), {"core": "hafnium_oxide", **more}, at="12 h")
        found.append(PLAY.play(build_arm(study, study.arms[0]), [h * HOUR for h in DAYS]))
    at = DAYS.index(25.0)
    assert found[0]["singlet_oxygen"][at] == pytest.approx(0.0, abs=1e-20)
    assert found[1]["singlet_oxygen"][at] > 0.0
    assert found[1]["lysosome_damage"][at] > found[0]["lysosome_damage"][at]
    # What is lost in lysosomes counts among the ways to die, not in the read-out alone.
    assert found[1]["cells.0.damage"][at] > found[0]["cells.0.damage"][at]


def test_nitric_oxide_set_free_by_the_beam_sensitises_hypoxic_cells():
    """It acts as oxygen does, so air leaves it nothing to do."""
    light = {"scintillator": "csi_tl", "acceptor": "s_nitrosothiol", "acceptor_fraction": "20 %", "distance": "1 nm"}
    lethal = {}
    for oxygen in ("0 %", "18.6 %"):
        for freed in (True, False):
            study = study_of(
                "8 Gy", load_of("1 mg/mL"), {"core": "silicon_dioxide", "light": light}, at="12 h", oxygen=oxygen
            )
            changes = {} if freed else {"s_nitrosothiol.product_yield": 0.0}
            run = PLAY.play(build_arm(study, study.arms[0]), [13 * HOUR], changes)
            lethal[oxygen, freed] = run["cells.0.lethal"][0]
    assert lethal["0 %", True] > lethal["0 %", False]
    assert lethal["18.6 %", True] / lethal["18.6 %", False] - 1 < lethal["0 %", True] / lethal["0 %", False] - 1


# Members


def test_members_of_one_seed_are_the_same():
    one, two, other = (simulate(study_of("2 Gy", load_of("0.1 mg/mL")), members=2, seed=s).arms[0] for s in (3, 3, 4))
    assert one.status == "done", one.reason
    name = "surviving_fraction"
    assert one.members[name].tobytes() == two.members[name].tobytes()
    assert not np.allclose(one.members[name], other.members[name])


def few_and_small(built, members):
    """Return draws from all spreads, at a tenth of their distance from the centre."""
    parameters = built.network.parameters
    draws = Draws(parameters, Overlay(), None, members, seed=4).unknown(0, members)
    assert any("radiosensitivity" in n for n in draws)
    return {name: parameters[name].value + 0.1 * (v - parameters[name].value) for name, v in draws.items()}


def test_members_in_lanes_are_their_single_runs():
    study = study_of("4 Gy", load_of("0.1 mg/mL"))
    built, times = build_arm(study, study.arms[0]), [0.0, 1.5 * HOUR, 24 * HOUR]
    draws, work = few_and_small(built, MEMBERS), Player()
    assert MEMBERS >= player.FEW_MEMBERS > ALONE
    table = work.play_members(built, times, draws, MEMBERS)
    alone = work.play_members(built, times, {n: v[:ALONE] for n, v in draws.items()}, ALONE)
    assert table.reasons == alone.reasons == {}
    names = [n for n in (*RADIATION_MEASURES, *RADIATION_PRODUCTS, "viability") if n in alone.values]
    assert len(names) > 15
    least = {"1": 1.0, "umol/L": 1e-3, "Gy": 1e-3}
    for name in names:
        expected = alone.values[name]
        floor = least.get(built.network.observables[name].unit, 1e-300)
        size = np.maximum(np.max(np.abs(expected), axis=1, keepdims=True), floor)
        assert np.max(np.abs(table.values[name][:ALONE] - expected) / size) < NEAR, name
    assert np.std(table.values["surviving_fraction"][:, -1]) > 1e-4, "members differ"


# Budgets


def budgets_of(study):
    built = build_arm(study, study.arms[0])
    rows = arm_budgets(built, PLAY.runner(built))
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row for row in rows}


EVENTS = "ionising events in particles per cell, if all were inside"
ADDED = "dose that particles add to the nucleus, if all were inside"
RATIO = "enhancement ratio that dose explains, if all particles were inside"
MADE = "radicals that the dose makes in a cell"


def test_no_dose_no_budget_of_a_dose():
    found = budgets_of(study_of("", load_of("0.1 mg/mL")))
    assert not {EVENTS, ADDED, RATIO, MADE} & found.keys()
    alone = budgets_of(study_of("2 Gy"))
    assert MADE in alone
    assert not {EVENTS, ADDED, RATIO} & alone.keys()


def test_radicals_are_those_of_the_yields_against_glutathione():
    row = budgets_of(study_of("5 Gy"))[MADE]
    yields = CATALOGUE.load("radiolysis", "water_25c").yields
    assert row.value == pytest.approx(sum(yields[r].value for r in ("OH", "e_aq", "H")) * 5.0, rel=1e-9)
    assert row.against == pytest.approx(CATALOGUE.load("cells", "hela").glutathione.value * 1000, rel=1e-9)
    assert row.value < row.against / 1000, "a few umol/L against several mmol/L"
    # It is told beside every dose, and limits no claim by itself.
    assert not row.binds


@pytest.mark.parametrize("organelle", [{}, {"organelle": {"place": "nucleus", "share": "30 %"}}])
def test_what_runs_reach_stays_below_the_budget(organelle):
    study = study_of("2 Gy", load_of("0.1 mg/mL"), organelle, at="20 h")
    built = build_arm(study, study.arms[0])
    rows = {row.name: row for row in arm_budgets(built, PLAY.runner(built))}
    run = PLAY.play(built, [21 * HOUR])
    assert 0.0 < run["cells.0.dose.nucleus"][0] - 2.0 < rows[ADDED].value
    assert 1.0 < run["sensitization_enhancement_ratio"][0] < rows[RATIO].value


def test_budgets_of_particles_by_hand():
    """Mass over mass of one particle, events of one by the physics; twice the load is twice of all."""
    subject = {"seeding_density": "1e4 1/cm^2", "volume": "200 uL", "area": "0.5 cm^2"}
    one, two = (budgets_of(study_of("2 Gy", load_of(load), **subject)) for load in ("0.1 mg/mL", "0.2 mg/mL"))
    number = 0.1 * 0.2e-3 / 5000 / (19300 * 4 / 3 * np.pi * 10e-9**3 * 1e3)  # g/L * L / cells, in g
    rate = particle_dose("gold", "20 nm", RAY, method="analytic").event_rate
    assert one[EVENTS].value == pytest.approx(number * rate * 2.0, rel=1e-6)
    for name in (EVENTS, ADDED):
        assert two[name].value == pytest.approx(2 * one[name].value, rel=1e-9)
    assert one[ADDED].value < two[ADDED].value
    assert one[ADDED].against == 2.0
    few = budgets_of(study_of("1 Gy", load_of("1e-9 mg/mL")))
    assert few[EVENTS].binds
    assert few[ADDED].binds
    assert few[RATIO].binds
    assert few[RATIO].value == pytest.approx(1.0, abs=1e-3)
    large = budgets_of(study_of("2 Gy", load_of("1 mg/mL")))
    assert not any(large[name].binds for name in (EVENTS, ADDED, RATIO))


def test_rods_are_fewer_than_spheres_of_their_width():
    """As much gold in particles of a larger volume: fewer of them, with more events each."""
    found = {}
    for shape in ("sphere", "rod, length 60 nm"):
        study = study_of("2 Gy", load_of("0.1 mg/mL"), {"shape": shape})
        built = build_arm(study, study.arms[0])
        row = {b.name: b for b in arm_budgets(built, PLAY.runner(built))}[EVENTS]
        found[shape] = row.value / built.network.parameters["p.gain.event_rate"].value, row.value
    (spheres, events), (rods, of_rods) = found.values()
    ratio = study.particles["p"].shape_volume
    assert ratio > 2
    assert spheres / rods == pytest.approx(ratio, rel=1e-9)
    assert of_rods == pytest.approx(events, rel=1e-6), "photons meet the mass, whatever its shape"


def test_budget_of_light_is_all_of_it():
    light = {"scintillator": "csi_tl", "acceptor": "ce6", "acceptor_fraction": "10 %", "distance": "1 nm"}
    study = study_of("8 Gy", load_of("0.5 mg/mL"), {"core": "hafnium_oxide", "light": light}, at="24 h")
    row = budgets_of(study)["singlet oxygen in lysosomes at most"]
    built = build_arm(study, study.arms[0])
    run = PLAY.play(built, [48 * HOUR])
    made = run["cells.0.lysosome.singlet_oxygen"][0]
    lysosomes = CATALOGUE.load("cells", "hela").volume.si * run["cells.0.live"][0]
    lysosomes *= CATALOGUE.load("vesicles", "mammalian_vesicles").lysosome_volume_share.si
    assert 0.0 < made / lysosomes / 1e-3 < row.value
    assert row.against == pytest.approx(REPAIR.oxidant_tolerance.si / 1e-3, rel=1e-9)


def tube_budgets_of(add, particle, irradiate=True, **subject):
    shots = [{"beam": RAY, "absorbed_dose": "5 Gy", "dose_rate": "5 Gy/min", "at": "0 h"}]
    arms = [{"name": "arm", "add": add, "irradiate": shots if irradiate else []}]
    measure = {"hydroxyl_radicals": {"at": "1 h"}}
    study = make_study(arms=arms, particles={"p": {"diameter": "20 nm", **particle}}, measure=measure, **subject)
    return build_arm(study, study.arms[0]), budgets_of(study)


def test_budgets_of_a_tube():
    core = {"core": "silicon_dioxide", "bonds": {"kind": "diselenide", "content": "0.5 mmol/g"}}
    _, rows = tube_budgets_of(load_of("0.1 mg/mL"), core)
    yields = CATALOGUE.load("radiolysis", "water_25c").yields
    radicals = sum(yields[r].value for r in ("OH", "e_aq", "H")) * 5.0
    assert rows["radicals that the dose makes of water"].value == pytest.approx(radicals, rel=1e-9)
    bonds = rows["bonds of p that radicals could cut"]
    assert (bonds.value, bonds.against) == pytest.approx((radicals, 50.0), rel=1e-9)
    assert bonds.binds
    _, few = tube_budgets_of(load_of("1e-4 mg/mL"), core)
    assert few["bonds of p that radicals could cut"].value == pytest.approx(0.05, rel=1e-9)
    assert not few["bonds of p that radicals could cut"].binds
    _, none = tube_budgets_of(load_of("0.1 mg/mL"), core, irradiate=False)
    assert not any("radicals" in name for name in none)


def test_plain_water_has_a_budget_of_radicals_alone():
    _, rows = tube_budgets_of([], {"core": "gold"}, buffer="water")
    assert list(rows) == ["radicals that the dose makes of water"]


def test_budget_of_carriers_is_what_a_run_makes():
    built, rows = tube_budgets_of(load_of("1 mg/mL"), {"core": "titanium_dioxide"})
    law = CATALOGUE.load("materials", "titanium_dioxide").carriers
    assert law.reaction == "water"
    run = PLAY.play(built, [0.0, HOUR])
    of_water = CATALOGUE.load("radiolysis", "water_25c").yields["OH"].si * 5000.0
    free = (run["hydroxyl_radicals"][1] - of_water) / 1e-3
    assert rows["carriers that reach the surface of p"].value == pytest.approx(free, rel=1e-3)


def test_explain_shows_the_budgets_of_a_dose(tmp_path):
    file = tmp_path / "gold.toml"
    file.write_text(
        'title = "t"\nplace = "dish"\n[particle.p]\ncore = "gold"\ndiameter = "20 nm"\n'
        '[subject]\ncells = "hela"\ncell_classes = 1\n[[arm]]\nname = "a"\n'
        'add = [{ particle = "p", concentration = "0.1 mg/mL", basis = "mass" }]\n'
        'irradiate = [{ beam = "40 keV", absorbed_dose = "2 Gy", dose_rate = "1 Gy/min", at = "1 h" }]\n'
        '[measure]\nsurviving_fraction = { at = "2 h" }\n'
    )
    shown = CliRunner().invoke(app, ["explain", str(file), "--json"])
    assert shown.exit_code == 0, shown.output
    names = {row["budget"] for row in json.loads(shown.stdout)["budgets"]}
    assert {EVENTS, ADDED, RATIO, MADE} <= names


def test_a_prediction_tells_what_dose_explains():
    fact = next(f for f in load_facts() if f.id == "gnp-ma/3")
    (row,) = predict_facts([fact], members=0)
    assert row["status"] == "predicted"
    assert row["value"] < 1.1, "what was reported is more than dose gives at this amount"
    assert "enhancement ratio that dose explains" in row["budget"]


def test_a_dye_put_in_later_forgets_what_was_before():
    def lit(loaded):
        more = {"loaded": loaded} if loaded else {}
        study = make_dish(
            measure={"ros_fluorescence": {"at": "10 h", **more}, "comet_tail": {"at": "1 h"}}, cells="hela"
        )
        return float(PLAY.play(build_arm(study, study.arms[0]), [10 * HOUR])["ros_fluorescence"][0])

    whole, late, fresh = lit(""), lit("5 h"), lit("10 h")
    assert whole > late > fresh
    # Cells at rest oxidise evenly: half the time, half the rise.
    assert late - 1.0 == pytest.approx((whole - 1.0) / 2.0, rel=0.05)
    assert fresh == pytest.approx(1.0, abs=1e-6)


def test_only_a_dye_that_keeps_its_light_has_a_time_of_loading():
    with pytest.raises(StudyError, match=r"calcium_fluorescence\.loaded: found a time of loading"):
        make_dish(measure={"calcium_fluorescence": {"at": "2 h", "loaded": "1 h"}})
