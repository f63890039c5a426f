"""What holds for every irradiated dish and tube: nothing is lost, shares stay shares, more dose is never better."""

from __future__ import annotations

import numpy as np
import pytest
from dishes import CATALOGUE, LINES, make_dish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tubes import HOUR, agent, make_study

from nanotrial.experiment import Player
from nanotrial.places import build_arm

RARELY = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NOISE = 1e-6
BEAMS = ["40 keV", "co60", "rs2000_160", "6 MV"]
CORES = ["gold", "hafnium_oxide", "calcium_peroxide", "fullerenol", "copper_hydroxyphosphate"]
ORGANELLES = ["cytosol", "mitochondrion", "nucleus", "reticulum", "lysosome"]
DRUGS = ["", "mertansine", "misonidazole", "n_acetylcysteine"]
WORK = Player()


@st.composite
def particles_drawn(draw):
    """Draw a particle: core, size, where it goes, whether it shines."""
    one = {"core": draw(st.sampled_from(CORES)), "diameter": f"{draw(st.floats(3, 200)):.3g} nm"}
    if draw(st.booleans()):
        one["organelle"] = {"place": draw(st.sampled_from(ORGANELLES)), "share": f"{draw(st.floats(0, 100)):.3g} %"}
    if draw(st.booleans()):
        light = {"scintillator": draw(st.sampled_from(CATALOGUE.ids("scintillators")))}
        light |= {"acceptor": draw(st.sampled_from(CATALOGUE.ids("photosensitisers")))}
        one["light"] = {**light, "acceptor_fraction": f"{draw(st.floats(0.1, 50)):.3g} %", "distance": "1 nm"}
    return one


@st.composite
def courses(draw):
    """Draw the irradiation of an arm."""
    dose = f"{draw(st.floats(0.1, 20)):.3g} Gy"
    one = {
        "beam": draw(st.sampled_from(BEAMS)),
        "absorbed_dose": dose,
        "dose_rate": f"{draw(st.floats(0.1, 20)):.3g} Gy/min",
    }
    one["at"] = draw(st.sampled_from(["0 h", "2 h", "6 h"]))
    if draw(st.booleans()):
        one |= {"fractions": draw(st.integers(1, 4)), "every": "8 h"}
        if one["fractions"] == 1:
            one.pop("every")
    return [one]


@st.composite
def dishes(draw):
    """Draw an irradiated dish."""
    add = []
    if draw(st.booleans()):
        add.append({"particle": "p", "concentration": f"{draw(st.floats(0.001, 0.5)):.3g} mg/mL", "basis": "mass"})
    drug = draw(st.sampled_from(DRUGS))
    if drug:
        add.append(agent(drug, f"{draw(st.floats(0.01, 100)):.3g} umol/L"))
    if draw(st.booleans()):
        add.append(agent("hydrogen_peroxide", f"{10 ** draw(st.floats(-1, 2)):.3g} umol/L"))
    subject = {"cells": draw(st.sampled_from(LINES)), "oxygen": draw(st.sampled_from(["18.6 %", "1 %", "0 %"]))}
    subject["cell_classes"] = draw(st.sampled_from([1, 1, 3]))
    arms = [{"name": "arm", "add": add, "irradiate": draw(courses())}]
    measure = {"surviving_fraction": {"at": "2 h"}}
    return make_dish(arms=arms, particles={"p": draw(particles_drawn())}, measure=measure, **subject)


def played(study, hours):
    built = build_arm(study, study.arms[0])
    return built, WORK.play(built, [h * HOUR for h in hours])


@RARELY
@given(dishes())
def test_nothing_is_lost_and_shares_stay_shares(study):
    built, run = played(study, [0.0, 1.0, 2.1, 6.5, 12.0, 30.0, 48.0])
    nothing = 1e-9 * built.dish.subject.volume
    for i, kind in enumerate(run.content_names):
        held, put_in = run.contents[:, i], run.expected_contents[:, i]
        assert held == pytest.approx(put_in, rel=1e-9, abs=nothing), kind
    scale = {n: s.scale for n, s in built.network.species.items() if not s.may_be_negative}
    assert min(run.lowest[n] / size for n, size in scale.items()) > -NOISE
    for k in range(built.dish.subject.cell_classes):
        phases = np.array([run[f"cells.{k}.phase.{p}"] for p in ("g1", "s", "g2m")])
        assert phases.sum(axis=0) == pytest.approx(np.ones(7), abs=1e-5)
        assert np.all(run[f"cells.{k}.doomed"] <= run[f"cells.{k}.live"] * (1 + 1e-4) + 1e-4)
        assert np.all(np.diff(run[f"cells.{k}.lethal"]) > -NOISE)
        assert np.all(np.diff(run[f"cells.{k}.clonogenic"]) < NOISE)
    course = study.arms[0].irradiations
    assert run["absorbed_dose"][-1] == pytest.approx(sum(i.absorbed_dose for i in course), rel=1e-6)
    # Over untreated cells, which in want of oxygen may lose a few more than a dose leaves.
    assert np.all((run["surviving_fraction"] > -NOISE) & (run["surviving_fraction"] < 1.02))
    for name in ("comet_tail", "lysosome_damage", "mitochondrion_damage", "reticulum_damage"):
        assert np.all((run[name] > -NOISE) & (run[name] < 1 + NOISE)), name
    # Particles can only add dose; where they take the place of water at high energies they add next to nothing.
    assert np.all(run["dose_to_nucleus"] > run["absorbed_dose"] * (1 - 1e-3) - NOISE)
    assert np.all(run["sensitization_enhancement_ratio"] > 1 - 1e-3)


@st.composite
def tubes(draw):
    """Draw an irradiated tube with particles that do all they can."""
    one = draw(particles_drawn())
    if draw(st.booleans()):
        one["bonds"] = {
            "kind": draw(st.sampled_from(["diselenide", "disulfide", "nitrosothiol"])),
            "content": "0.5 mmol/g",
        }
    add = [{"particle": "p", "concentration": f"{draw(st.floats(0.001, 5)):.3g} mg/mL", "basis": "mass"}]
    if draw(st.booleans()):
        add.append(agent("hydrogen_peroxide", f"{10 ** draw(st.floats(-3, 1)):.3g} mmol/L"))
    arms = [{"name": "arm", "add": add, "irradiate": draw(courses())}]
    atmosphere = draw(st.sampled_from(["air", "closed", "nitrogen"]))
    return make_study(arms=arms, particles={"p": one}, measure={"bonds_cut": {"at": "1 h"}}, atmosphere=atmosphere)


@RARELY
@given(tubes())
def test_what_a_dose_makes_in_a_tube_is_bounded_by_its_energy(study):
    built, run = played(study, [0.0, 3.0, 10.0, 40.0])
    for i, kind in enumerate(run.content_names):
        held, put_in = run.contents[:, i], run.expected_contents[:, i]
        assert held == pytest.approx(put_in, rel=1e-8, abs=1e-9 * built.tube.scale), kind
    for name in ("hydroxyl_radicals", "singlet_oxygen", "nitric_oxide", "bonds_cut", "absorbed_dose"):
        if name in run.observable_names:
            size = max(1e-12, float(np.max(np.abs(run[name]))))
            assert np.all(np.diff(run[name]) > -1e-6 * size), name
    particle = study.particles["p"]
    assert ("bonds_cut" in run.observable_names) == (particle.bonds is not None)
    if particle.bonds is not None:
        assert np.all(run["bonds_cut"] < 1 + NOISE)
    # No more than one product for each 2 eV that water and particles took up: nothing makes energy.
    energy = run["absorbed_dose"][-1] * 1000.0 * max(run["dose_enhancement"][-1], 1.0) * 1.05
    made = run["singlet_oxygen"][-1] + run["nitric_oxide"][-1]
    assert made < energy / (2.0 * 1.602e-19 * 6.022e23)


@RARELY
@given(st.sampled_from(LINES), st.floats(0.1, 10.0), st.floats(1.05, 3.0), st.sampled_from(["18.6 %", "1 %", "0 %"]))
def test_more_dose_never_leaves_more_colonies(line, dose, factor, oxygen):
    arms = [
        {"name": "arm", "irradiate": [{"beam": "co60", "absorbed_dose": "2 Gy", "dose_rate": "1 Gy/min", "at": "1 h"}]}
    ]
    study = make_dish(arms=arms, particles={}, measure={"surviving_fraction": {"at": "2 h"}}, cells=line, oxygen=oxygen)
    built = build_arm(study, study.arms[0])
    less, more = (
        WORK.play(built, [2 * HOUR, 24 * HOUR], {"irradiation.0.absorbed_dose": d}) for d in (dose, dose * factor)
    )
    assert np.all(more["surviving_fraction"] < less["surviving_fraction"])
    assert np.all(more["double_strand_breaks"] > less["double_strand_breaks"])
    # Dyes may show more: fewer cells leave each more oxygen.
    assert np.all(more["live_fraction"] < less["live_fraction"] + NOISE)
    # Survival at 2 h is that of the curve of the line: a dose is worth no more than where the curve was measured.
    sheet = CATALOGUE.load("radiosensitivity", line)
    felt = -np.log(less["surviving_fraction"][0])
    assert felt <= (sheet.alpha.value * dose + sheet.beta.value * dose**2) * 1.15 + 1e-3
