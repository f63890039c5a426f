"""Irradiated dishes and tubes against what can be told by hand: lesions, oxygen, phases, doses, radicals, bonds."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from dishes import CATALOGUE, make_dish
from tubes import HOUR, Played, agent, make_study, play

from nanotrial.cell.dose_response import survival
from nanotrial.cell.irradiation import TARGETS, particles
from nanotrial.cell.linear_quadratic import read_sensitivity
from nanotrial.cell.local_effect import CellGeometry, find_local_effect
from nanotrial.experiment import Player
from nanotrial.places import build_arm
from nanotrial.places.irradiation import dose_ratio, substance_of
from nanotrial.radiation.beams import beam
from nanotrial.radiation.bond_cutting import BONDS, bonds_cut
from nanotrial.radiation.light_transfer import transfer_efficiency
from nanotrial.radiation.particles import particle_dose
from nanotrial.radiation.radicals import rate_between
from nanotrial.solve.run import Tolerances

approx = pytest.approx
RAY = "40 keV"
AVOGADRO = 6.02214076e23
PLAY = Player(Tolerances(relative=1e-8, absolute=1e-11, negative=1e-4, max_steps=400_000))
LINE = CATALOGUE.load("radiosensitivity", "hela")
REPAIR = CATALOGUE.load("damage_and_repair", "mammalian")
CELLS = "hela.radiosensitivity"
# No effect of oxygen, no arrest: what is left is the law of lesions itself.
PLAIN = {"mammalian.oxygen_maximum": 1.0, f"{CELLS}.g2_arrest": 0.0}


def shot(dose="2 Gy", rate="2 Gy/min", at="1 h", ray=RAY, **more):
    return {"beam": ray, "absorbed_dose": dose, "dose_rate": rate, "at": at, **more}


def gold(load="0.2 mg/mL"):
    return {"particle": "gold", "concentration": load, "basis": "mass"}


@lru_cache(maxsize=32)
def built_dish(dose="2 Gy", rate="2 Gy/min", fractions=1, every="6 h", load="", organelle="", **subject):
    """Return a dish of HeLa with one course of dose, and with gold of 20 nm from the start where there is a load."""
    course = {"fractions": fractions, "every": every} if fractions > 1 else {}
    arms = [{"name": "arm", "add": [gold(load)] if load else [], "irradiate": [shot(dose, rate, **course)]}]
    where = {"organelle": {"place": organelle, "share": "50 %"}} if organelle else {}
    particles = {"gold": {"core": "gold", "diameter": "20 nm", **where}}
    measure = {"surviving_fraction": {"at": "2 h"}}
    study = make_dish(arms=arms, particles=particles, measure=measure, **{"cells": "hela", **subject})
    return build_arm(study, study.arms[0])


def play_dish(hours, changes=None, **course):
    built = built_dish(**course)
    return Played(built, PLAY.play(built, [h * HOUR for h in hours], dict(changes or {})))


def pair_factor(hours: float, half: float) -> float:
    """Return the Lea-Catcheside factor of a constant dose rate."""
    x = math.log(2) / half * hours
    return 2 * (x - 1 + math.exp(-x)) / x**2


# Lesions


@pytest.mark.parametrize(
    ("alpha", "beta", "dose"), [(0.3, 0.03, 2.0), (0.05, 0.1, 4.0), (0.8, 0.0, 6.0), (0.0, 0.05, 8.0), (0.2, 0.02, 1.0)]
)
def test_one_dose_is_linear_quadratic(alpha, beta, dose):
    values = {f"{CELLS}.alpha": alpha, f"{CELLS}.beta": beta, f"{CELLS}.threshold_dose": 100.0}
    run = play_dish([0.99, 1.0 + 1 / 60 + 1e-4], PLAIN | values | {"irradiation.0.absorbed_dose": dose})
    expected = alpha * dose + beta * pair_factor(1 / 60, LINE.repair_half_time.value) * dose**2
    assert run["cells.0.lethal"][1] == approx(expected, rel=1e-6)
    assert -math.log(run["surviving_fraction"][1] / run["surviving_fraction"][0]) == approx(expected, rel=1e-4)


@pytest.mark.parametrize(("half", "expected"), [(0.25, None), (1.0, None), (4.0, None), (1e-3, 0.0), (1e4, 1.0)])
def test_protraction_is_that_of_lea_and_catcheside(half, expected):
    """8 Gy over 4 h: all that counts is the time over the half-time of repair."""
    values = {f"{CELLS}.repair_half_time": half * HOUR, f"{CELLS}.threshold_dose": 100.0}
    run = play_dish([0.9, 5.0001], PLAIN | values, dose="8 Gy", rate="2 Gy/h")
    alpha, beta = LINE.alpha.value, LINE.beta.value
    factor = pair_factor(4.0, half)
    assert run["cells.0.lethal"][1] == approx(alpha * 8 + beta * factor * 64, rel=1e-5)
    if expected is not None:
        assert factor == approx(expected, abs=1e-3)


@pytest.mark.parametrize("every", ["1 h", "6 h", "24 h"])
def test_split_doses_are_those_of_the_survival_law(every):
    """The dish and the closed form of schedules are two programs; both know of one half-time of repair."""
    end = 1 + 2 * float(every.split()[0]) + 0.02
    run = play_dish([0.99, end], PLAIN | {f"{CELLS}.threshold_dose": 100.0}, dose="9 Gy", rate="3 Gy/min", fractions=3,
                    every=every)  # fmt: skip
    cells = {"alpha": f"{LINE.alpha.value} 1/Gy", "beta": f"{LINE.beta.value} 1/Gy^2"}
    cells["repair_half_time"] = f"{LINE.repair_half_time.value} h"
    expected = -math.log(survival(cells, "9 Gy", schedule=f"3 x 3 Gy every {every} at 3 Gy/min"))
    assert run["cells.0.lethal"][1] == approx(expected, rel=1e-5)
    assert run["absorbed_dose"][1] == approx(9.0, rel=1e-6)


def test_beyond_the_threshold_the_curve_is_straight():
    values = PLAIN | {f"{CELLS}.threshold_dose": 3.0, f"{CELLS}.repair_half_time": 1e4 * HOUR}
    alpha, beta = LINE.alpha.value, LINE.beta.value
    found = []
    for dose in (3.0, 6.0, 12.0):
        run = play_dish([1.0 + 1 / 60 + 1e-4], values | {"irradiation.0.absorbed_dose": dose})
        found.append(run["cells.0.lethal"][0])
    assert found[0] == approx(alpha * 3 + beta * 9, rel=1e-4)
    slope = alpha + 2 * beta * 3
    assert found[1] - found[0] == approx(3 * slope, rel=1e-4)
    assert found[2] - found[1] == approx(6 * slope, rel=1e-4)


def test_the_dish_of_every_line_has_its_own_curve():
    """At the pressure where alpha and beta were measured, with the dose given within a second."""
    for line in CATALOGUE.ids("radiosensitivity")[::4]:
        sheet, key = CATALOGUE.load("radiosensitivity", line), f"{line}.radiosensitivity"
        built = built_dish(dose="2 Gy", rate="7200 Gy/h", cells=line)
        pressure = Played(built, PLAY.play(built, [HOUR])).of(built.dish.cells[0].beam.oxygen_pressure)
        run = PLAY.play(built, [0.99 * HOUR, 1.001 * HOUR], {f"{key}.oxygen": pressure})
        lost = -math.log(run["surviving_fraction"][1] / run["surviving_fraction"][0])
        assert lost == approx(2 * sheet.alpha.value + 4 * sheet.beta.value, rel=3e-4), line


@pytest.mark.parametrize("oxygen", ["0.2 %", "1 %", "5 %"])
def test_oxygen_at_the_cells_sets_the_dose_that_counts(oxygen):
    built = built_dish(rate="7200 Gy/h", oxygen=oxygen)
    run = Played(built, PLAY.play(built, [HOUR, 1.001 * HOUR], {f"{CELLS}.g2_arrest": 0.0}))
    pressure = run.of(built.dish.cells[0].beam.oxygen_pressure, 0)
    thiol = CATALOGUE.load("cells", "hela").glutathione.si
    top, half = REPAIR.oxygen_maximum.si, REPAIR.oxygen_constant.si * thiol / REPAIR.reference_thiol.si

    def ratio(p):
        return (top * p + half) / (p + half)

    felt = 2.0 * ratio(pressure) / ratio(LINE.oxygen.si)
    assert felt < 1.96
    expected = LINE.alpha.value * felt + LINE.beta.value * felt**2
    assert run["cells.0.lethal"][1] == approx(expected, rel=2e-4)


def test_without_oxygen_a_dose_is_worth_a_third():
    air, none = (play_dish([1.001], dose="6 Gy", rate="7200 Gy/h", oxygen=o)["cells.0.lethal"][0] for o in
                 ("18.6 %", "0 %"))  # fmt: skip
    a, b = LINE.alpha.value, LINE.beta.value

    def dose(lesions):
        return (math.sqrt(a * a + 4 * b * lesions) - a) / (2 * b)

    assert dose(air) / dose(none) == approx(REPAIR.oxygen_maximum.value, rel=0.03)


def test_shares_of_phases_weigh_the_sensitivity():
    """A culture that is held in G2 by a drug before the dose has more of its most sensitive phase."""
    add = [agent("mertansine", "1 umol/L")]
    arms = [{"name": "held", "add": add, "irradiate": [shot(rate="7200 Gy/h", at="20 h")]}]
    study = make_dish(arms=arms, particles={}, measure={"g2m_fraction": {"at": "20 h"}}, cells="hela")
    built = build_arm(study, study.arms[0])
    changes = {"mammalian.oxygen_maximum": 1.0}
    run = PLAY.play(built, [0.0, 20 * HOUR, 20.001 * HOUR], changes)
    weights = {kind: {p: v.value for p, v in getattr(REPAIR, kind).items()} for kind in ("phase_alpha", "phase_beta")}
    usual = {"g1": LINE.g1_share.value, "s": LINE.s_share.value, "g2m": LINE.g2m_share.value}
    now = {p: run[f"{p}_fraction"][1] for p in usual}
    assert now["g2m"] > 1.5 * usual["g2m"]
    over = {k: sum(w[p] * now[p] for p in now) / sum(w[p] * usual[p] for p in now) for k, w in weights.items()}
    expected = LINE.alpha.value * 2 * over["phase_alpha"] + LINE.beta.value * 4 * over["phase_beta"]
    assert run["cells.0.lethal"][2] == approx(expected, rel=1e-3)
    assert over["phase_alpha"] > 1.05


def test_a_sensitiser_counts_as_oxygen():
    dose = 2.0
    values, found = {"irradiation.0.absorbed_dose": dose}, {}
    for given in ("0 mmol/L", "1 mmol/L", "5 mmol/L"):
        arms = [{"name": "arm", "add": [agent("misonidazole", given)], "irradiate": [shot(rate="7200 Gy/h", at="6 h")]}]
        study = make_dish(arms=arms, particles={}, cells="hela", oxygen="0 %")
        built = build_arm(study, study.arms[0])
        run = Played(built, PLAY.play(built, [6 * HOUR, 6.001 * HOUR], values))
        found[given] = run["cells.0.lethal"][1]
        pressure = run.of(built.dish.cells[0].beam.oxygen_pressure, 0)
        inside = run.of(built.dish.cells[0].dose("misonidazole"), 0)
        worth = CATALOGUE.load("sensitisers", "misonidazole").oxygen_equivalence.si * inside
        half = REPAIR.oxygen_constant.si * CATALOGUE.load("cells", "hela").glutathione.si / REPAIR.reference_thiol.si
        ratios = [(3 * p + half) / (p + half) for p in (pressure + worth, LINE.oxygen.si)]
        felt = dose * ratios[0] / ratios[1]
        assert found[given] == approx(LINE.alpha.value * felt + LINE.beta.value * felt**2, rel=1e-3)
    assert found["0 mmol/L"] < found["1 mmol/L"] < found["5 mmol/L"]


# Particles


def numbers_inside(run, row=0):
    """Return particles per cell by place."""
    (cells,) = run.built.dish.cells
    inside = run.of(particles(cells, cells.endosome.cohorts[0]), row) + run.of(
        particles(cells, cells.lysosome.cohorts[0]), row
    )
    return {"membrane": run.of(particles(cells, cells.bound[0]), row), "lysosome": inside}


def test_dose_of_particles_is_that_of_the_local_effect_model():
    """Numbers of particles from the dish, dose around one of them from the model: their product is what the dish adds.

    A tenth of a milligram per millilitre of medium adds h/2 on top, by mass energy absorption.
    """
    built = built_dish(load="0.2 mg/mL", rate="7200 Gy/h")
    run = Played(built, PLAY.play(built, [HOUR, 1.001 * HOUR]))
    numbers = numbers_inside(run)
    assert numbers["lysosome"] > 1.0
    one = particle_dose("gold", "20 nm", RAY, method="analytic")
    geometry = CellGeometry.of_sheets(CATALOGUE.load("cells", "hela"), LINE)
    effect = find_local_effect(one, numbers, geometry, "hela")
    rays = beam(RAY)
    ratio = dose_ratio(substance_of(built.dish.medium.cohorts[0]), rays)
    left = run.of(built.dish.medium.network["particles.0.gold.core.0"]) * 0.196967 / built.dish.subject.volume
    outside = 0.5 * (ratio - 1) * left / 1000.0
    for target in TARGETS:
        added = float(effect.doses.sel(target=target).sum()) + outside
        assert run[f"cells.0.dose.{target}"][1] / run["absorbed_dose"][1] - 1 == approx(added, rel=1e-3), target
    assert run["dose_enhancement"][0] - 1 == approx(effect.added_dose + outside, rel=1e-3)


def test_the_ratio_of_doses_is_that_of_equal_effect():
    run = play_dish([1.001], PLAIN, load="0.2 mg/mL", rate="7200 Gy/h")
    a, b, effect = LINE.alpha.value, LINE.beta.value, run["cells.0.lethal"][0]
    plain = (math.sqrt(a * a + 4 * b * effect) - a) / (2 * b)
    assert run["sensitization_enhancement_ratio"][0] == approx(plain / 2.0, rel=1e-4)
    assert run["sensitization_enhancement_ratio"][0] > 1.0


def test_spikes_are_what_particles_add_beyond_their_mean_dose():
    """Without single large doses the ratio is the mean dose over that of the beam; with them it is a little more."""
    built = built_dish(load="0.2 mg/mL", rate="7200 Gy/h")
    none = {n: 0.0 for n in built.network.parameters if n.endswith(".spikes")}
    assert none
    without, with_them = (PLAY.play(built, [1.001 * HOUR], PLAIN | c) for c in (none, {}))
    mean = without["cells.0.dose.nucleus"][0] / without["absorbed_dose"][0]
    assert without["sensitization_enhancement_ratio"][0] == approx(mean, rel=1e-5)
    assert with_them["sensitization_enhancement_ratio"][0] > without["sensitization_enhancement_ratio"][0]


@pytest.mark.parametrize(("oxygen", "maximum"), [("18.6 %", 1.0), ("0 %", 3.0)])
def test_lesions_of_a_dish_are_those_of_the_local_effect_model(oxygen, maximum):
    """The model adds to alpha and beta what the dish integrates in time; without oxygen both see a smaller dose."""
    built = built_dish(load="2 mg/mL", rate="7200 Gy/h", organelle="nucleus", oxygen=oxygen)
    bounds = {"gold.gain.medium": 0.0, "mammalian.oxygen_maximum": maximum, f"{CELLS}.g2_arrest": 0.0}
    run = Played(built, PLAY.play(built, [HOUR, 1.001 * HOUR], bounds))
    one = particle_dose("gold", "20 nm", RAY, method="analytic")
    geometry = CellGeometry.of_sheets(CATALOGUE.load("cells", "hela"), LINE)
    found = numbers_inside(run)
    half = found["lysosome"] / 2
    effect = find_local_effect(one, found | {"lysosome": half, "nucleus": half}, geometry, "hela")
    # Below the threshold dose of the line, so that dose enters as it is and as its square.
    mean, spikes = effect.added_dose, (effect.added_alpha - LINE.alpha.value * effect.added_dose) / LINE.beta.value
    assert spikes > 0.01
    felt = run["cells.0.reference_linear"][1] / LINE.alpha.value / 2.0
    assert felt == approx(1.0, rel=1e-6) if maximum == 1.0 else felt < 0.4
    dose = 2.0 * felt
    expected = LINE.alpha.value * dose * (1 + mean) + LINE.beta.value * (
        dose**2 * (1 + mean) ** 2 + spikes * 2.0 * felt**2
    )
    assert run["cells.0.lethal"][1] == approx(expected, rel=1e-4)


# Tubes


def irradiate_tube(add=(), particles=None, hours=(0.0, 1.0), changes=None, ray=RAY, dose="5 Gy", **subject):
    own = {"buffer": "water", "ph": 7.0, "temperature": "25 degC", **subject}
    arms = [{"name": "arm", "add": list(add), "irradiate": [shot(dose, "5 Gy/min", "0.1 h", ray)]}]
    study = make_study(arms=arms, particles=particles or {}, measure={"hydroxyl_radicals": {"at": "1 h"}}, **own)
    return play(study, hours, changes=changes)


WATER = CATALOGUE.load("radiolysis", "water_25c")


def solid(core, **more):
    return {"p": {"core": core, "diameter": "20 nm", **more}}


def load_of(concentration="0.5 mg/mL"):
    return [{"particle": "p", "concentration": concentration, "basis": "mass"}]


def absorbed(run, kg_per_volume):
    """Return the energy (J/m^3) that particles absorb, from their mass in the fluid and the ratio of doses."""
    return kg_per_volume * run.built.network.parameters["p.dose_ratio"].value * 5.0


@pytest.mark.parametrize("subject", [{}, {"buffer": "phosphate", "concentration": "10 mmol/L"}])
def test_water_gives_its_yield_of_hydroxyl(subject):
    run = irradiate_tube(**subject)
    assert run["hydroxyl_radicals"][1] == approx(WATER.yields["OH"].si * 1000.0 * 5.0, rel=1e-8)
    assert run["hydroxyl_radicals"][0] == 0.0
    assert run["absorbed_dose"][1] == approx(5.0, rel=1e-9)
    assert run["singlet_oxygen"][1] == 0.0 == run["nitric_oxide"][1]
    assert run["dose_enhancement"][1] == approx(1.0, rel=1e-12)


@pytest.mark.parametrize("peroxide", ["1 mmol/L", "20 mmol/L"])
def test_electrons_split_peroxide_in_competition_with_oxygen(peroxide):
    changes = {"hydrogen_peroxide.decay_rate": 0.0}
    run = irradiate_tube([agent("hydrogen_peroxide", peroxide)], changes=changes, atmosphere="closed")
    volume = run.built.network.parameters["tube.volume"].value
    there = float(np.mean(run["tube.hydrogen_peroxide"])) / volume
    oxygen = float(np.mean(run["tube.oxygen"])) / volume
    rates = {name: rate_between(WATER, "e_aq", name) * c for name, c in
             (("hydrogen_peroxide", there), ("oxygen", oxygen))}  # fmt: skip
    share = rates["hydrogen_peroxide"] / (sum(rates.values()) + 1e4)
    made = run["tube.hydroxyl_split"][1] / volume
    assert made == approx(WATER.yields["e_aq"].si * 5000.0 * share, rel=1e-3)
    left = run["tube.hydrogen_peroxide"][1] - run["tube.hydrogen_peroxide"][0]
    assert left / volume == approx(WATER.yields["hydrogen_peroxide"].si * 5000.0 - made, rel=1e-6)
    assert 0.3 < share < 1.0


@pytest.mark.parametrize("core", ["copper_hydroxyphosphate", "tungsten_oxide"])
def test_carriers_need_the_beam_and_peroxide(core):
    law = CATALOGUE.load("materials", core).carriers
    peroxide = agent("hydrogen_peroxide", "5 mmol/L")
    made = {}
    for name, add, dose in (("both", [peroxide], "5 Gy"), ("beam", [], "5 Gy"), ("peroxide", [peroxide], "0 Gy")):
        run = irradiate_tube([*load_of(), *add], solid(core), dose=dose)
        rate = [n for n in run.built.network.processes if n.endswith((".fenton", ".carriers"))]
        made[name] = run
        assert (rate != []) == (law.reaction == "water" or name != "beam")
    water = WATER.yields["OH"].si * 5000.0
    assert made["peroxide"]["hydroxyl_radicals"] == approx([0.0, 0.0], abs=1e-12 * water)
    free = absorbed(made["both"], 0.5) * law.surface_share.si / (law.energy_per_pair.si * AVOGADRO)
    if law.reaction == "water":
        assert made["beam"]["hydroxyl_radicals"][1] == approx(water + free, rel=1e-4)
        return
    assert made["beam"]["hydroxyl_radicals"][1] == approx(water, rel=1e-8)
    there = 5.0 / (5.0 + law.peroxide_constant.si)
    volume = made["both"].built.network.parameters["tube.volume"].value
    assert made["both"]["tube.hydroxyl_of_fenton"][1] / volume == approx(free * there, rel=5e-3)


def test_light_becomes_its_product():
    """Energy in the core, photons per energy, what the acceptor gets of them, what it makes of one."""
    light = {"scintillator": "csi_tl", "acceptor": "ce6", "acceptor_fraction": "5 %", "distance": "2 nm"}
    run = irradiate_tube(load_of(), solid("hafnium_oxide", light=light))
    source, acceptor = CATALOGUE.load("scintillators", "csi_tl"), CATALOGUE.load("photosensitisers", "ce6")
    moved = transfer_efficiency(source, acceptor, 0.05, 2e-9, 20e-9)
    photons = absorbed(run, 0.5) * source.light_yield.si
    assert run["singlet_oxygen"][1] == approx(photons * moved * acceptor.product_yield.si / AVOGADRO, rel=1e-6)
    assert run["nitric_oxide"][1] == 0.0
    assert 0.0 < moved <= 1.0


def test_a_nitrosothiol_makes_nitric_oxide():
    light = {"scintillator": "csi_tl", "acceptor": "s_nitrosothiol", "acceptor_fraction": "5 %", "distance": "2 nm"}
    run = irradiate_tube(load_of(), solid("silicon_dioxide", light=light))
    assert run["nitric_oxide"][1] > 0.0
    assert run["singlet_oxygen"][1] == 0.0


@pytest.mark.parametrize("kind", ["diselenide", "disulfide", "nitrosothiol"])
def test_without_oxygen_electrons_cut_bonds_too(kind):
    """Hydroxyl cuts its own number; what electrons and hydrogen atoms add is bounded by how many of them there are."""
    bonds = solid("silicon_dioxide", bonds={"kind": kind, "content": "0.5 mmol/g"})
    air, none = (
        irradiate_tube(load_of(), bonds, dose="1 Gy", atmosphere=a)["bonds_cut"][1] * 0.25 for a in ("air", "nitrogen")
    )
    yields = {r: WATER.yields[r].si * 1000.0 for r in ("OH", "e_aq", "H")}
    assert yields["OH"] * 0.9 < air <= none <= sum(yields.values()) * (1 + 1e-6)
    rates = {r: rate_between(WATER, r, BONDS[kind]) for r in ("e_aq", "H")}
    assert (none > 1.2 * air) == (rates["e_aq"] > 0)


@pytest.mark.parametrize("kind", ["diselenide", "disulfide"])
def test_bonds_are_cut_by_radicals_one_each_and_never_more_than_there_are(kind):
    bonds = solid("silicon_dioxide", bonds={"kind": kind, "content": "0.5 mmol/g"})
    there = 0.5 * 0.5  # mol/m^3
    most = sum(WATER.yields[r].si for r in ("OH", "e_aq", "H")) * 1000.0
    shares = []
    for dose in ("1 Gy", "100 Gy", "10000 Gy"):
        run = irradiate_tube(load_of(), bonds, dose=dose, hours=[0.0, 40.0])
        shares.append(run["bonds_cut"][1])
        assert 0.0 <= shares[-1] <= min(1.0, most * float(dose.split()[0]) / there) * (1 + 1e-6)
    assert shares[0] >= WATER.yields["OH"].si * 1000.0 * 0.9 / there
    assert shares[1] == approx(100 * shares[0], rel=0.4)
    assert shares[2] > 0.99


@pytest.mark.parametrize(("core", "load"), [("gold", 0.1), ("gold", 10.0), ("silicon_dioxide", 5.0)])
def test_dose_to_a_suspension_is_that_of_its_masses(core, load):
    run = irradiate_tube(load_of(f"{load} mg/mL"), solid(core))
    ratio = run.built.network.parameters["p.dose_ratio"].value
    share = load / (1000.0 + load)
    assert run["dose_enhancement"][1] == approx(1 + share * (ratio - 1), rel=1e-6)
    assert (ratio > 50) == (core == "gold")


def test_at_six_megavolt_gold_is_hardly_more_than_water():
    """Mass energy absorption without the softened photons of a phantom: the ratio is near one."""
    soft, hard = (irradiate_tube(load_of(), solid("gold"), ray=ray).built.network.parameters["p.dose_ratio"].value
                  for ray in (RAY, "6 MV"))  # fmt: skip
    assert soft > 30 * hard
    assert 0.8 < hard < 2.0


@pytest.mark.parametrize("kind", ["diselenide", "disulfide"])
@pytest.mark.parametrize(
    ("dose", "gas", "oxygen"), [("5 Gy", "air", "20.9 %"), ("50 Gy", "air", "20.9 %"), ("5 Gy", "nitrogen", "0 %")]
)
def test_bonds_cut_in_a_tube_are_those_of_the_chemistry(kind, dose, gas, oxygen):
    """Two programs with the same yields and rates: one integrates competition in time, one over bonds that are left."""
    bonds = solid("silicon_dioxide", bonds={"kind": kind, "content": "0.5 mmol/g"})
    run = irradiate_tube(load_of(), bonds, dose=dose, atmosphere=gas)
    found = bonds_cut(dose, "250 umol/L", kind, oxygen=oxygen)
    # The tube counts impurities of water too: a few per cent at so many bonds.
    assert run["bonds_cut"][1] == approx(found.share, rel=0.08)


def test_sensitivity_of_the_dish_is_that_of_the_survival_law():
    """Alpha and beta as the dish reads them are those of the function for curves."""
    read = read_sensitivity("hela")
    assert (read.alpha, read.beta) == approx((LINE.alpha.si, LINE.beta.si), rel=1e-12)
