"""What holds for every tube, whatever the study says; examples are drawn at random and shrunk when one breaks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tubes import make_study

from nanotrial.experiment import Player, simulate
from nanotrial.places import build_arm
from nanotrial.solve.run import Tolerances

RARELY = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SELDOM = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
BUFFERS = {
    "phosphate": (5.5, 8.5),
    "acetate": (3.8, 5.8),
    "hepes": (6.5, 8.5),
    "citrate": (3.0, 6.5),
    "citrate_phosphate": (3.0, 8.0),
    "bicarbonate": (6.5, 9.0),
    "glycine": (5.0, 10.0),
    "water": (5.0, 9.0),
}
METAL = {
    "calcium_peroxide": "calcium",
    "copper_oxide": "copper",
    "calcium_carbonate": "calcium",
    "magnesium_peroxide": "magnesium",
}
HOURS = ["0 h", "0.1 h", "1 h", "6 h", "24 h"]
NOISE = Tolerances().relative * 100
FINE = Tolerances(relative=1e-9, absolute=1e-12)


@st.composite
def particles(draw, materials=tuple(METAL)):
    made = {"core": draw(st.sampled_from(materials)), "diameter": f"{draw(st.floats(2, 500)):.4g} nm"}
    if draw(st.booleans()):
        made |= {"geometric_sd": round(draw(st.floats(1.05, 2.0)), 3), "size_classes": draw(st.integers(3, 7))}
    coat = draw(st.sampled_from(["none", "mass", "thickness"]))
    if coat == "mass":
        made["coating"] = [{"material": "sodium_hyaluronate", "mass_fraction": round(draw(st.floats(0.01, 0.6)), 3)}]
    elif coat == "thickness":
        made["coating"] = [{"material": "sodium_hyaluronate", "thickness": f"{draw(st.floats(0.1, 20)):.3g} nm"}]
    return made


@st.composite
def subjects(draw):
    buffer = draw(st.sampled_from(sorted(BUFFERS)))
    low, high = BUFFERS[buffer]
    made = {
        "buffer": buffer,
        "ph": round(draw(st.floats(low, high)), 2),
        "temperature": f"{draw(st.integers(15, 40))} degC",
        "atmosphere": draw(st.sampled_from(["air", "closed", "nitrogen"])),
        "volume": f"{draw(st.integers(1, 50))} mL",
        "background_salt": f"{draw(st.sampled_from([0, 10, 150]))} mmol/L",
    }
    if buffer != "water":
        made["concentration"] = f"{draw(st.floats(1, 100)):.3g} mmol/L"
    return made


@st.composite
def protocols(draw, at="0 h"):
    add = [{"particle": "p", "concentration": f"{draw(st.floats(0.05, 20)):.3g} mmol/L", "at": at}]
    if draw(st.booleans()):
        name = draw(st.sampled_from(["catalase", "hyaluronidase", "horseradish_peroxidase"]))
        add.append({"agent": name, "concentration": f"{draw(st.floats(0.1, 200)):.3g} U/mL", "at": "0.2 h"})
    if draw(st.booleans()):
        add.append({"agent": "calcium_chloride", "concentration": "1 mmol/L", "at": "2 h"})
    return add


def study_of(particle, subject, add, **more):
    measures = {n: {"at": HOURS} for n in ("release", "core_left", "ph", METAL[particle["core"]])}
    arms = more.pop("arms", [{"name": "arm", "add": add}])
    return make_study(particles={"p": particle}, arms=arms, measure=measures, **{**subject, **more})


def assert_sound(particle, subject, add):
    """Nothing is lost, negative or beyond what was given; the core only shrinks."""
    study = study_of(particle, subject, add)
    arm = simulate(study).arms[0]
    assert arm.status == "done", arm.reason
    assert max(arm.imbalance.values()) < 1e-6
    assert arm.protons["charge_error"] < 1e-3
    release, left, ph = (arm.curves[n] for n in ("release", "core_left", "ph"))
    for share in (release, left):
        assert np.all((share > -NOISE) & (share < 1 + NOISE))
    given_at = float(add[0]["at"].split()[0])
    there = np.array([float(h.split()[0]) >= given_at for h in HOURS])
    assert np.all(np.diff(left[there]) < NOISE)
    assert np.all((ph > 0) & (ph < 14))
    assert np.all(arm.curves[METAL[particle["core"]]] > -NOISE)
    built = build_arm(study, study.arms[0])
    run = Player().play(built, [0.0, 360.0, 86400.0])
    scale = {n: s.scale for n, s in built.network.species.items() if not s.may_be_negative}
    assert min(run.lowest[n] / size for n, size in scale.items()) > -NOISE


@RARELY
@given(particles(), subjects(), protocols())
def test_matter_and_charge_are_kept_and_nothing_falls_below_zero(particle, subject, add):
    assert_sound(particle, subject, add)


@settings(RARELY)
@given(particles(), subjects(), protocols(at="0.5 h"))
def test_particles_given_late_are_as_sound(particle, subject, add):
    assert_sound(particle, subject, add)


@RARELY
@given(particles(), st.sampled_from(["acetate", "phosphate"]), st.floats(0.05, 3))
def test_more_acid_never_releases_less(particle, buffer, load):
    """In a strong buffer that binds none of the metal beyond what acid frees."""
    if buffer == "phosphate" and particle["core"] == "copper_oxide":
        buffer = "acetate"  # copper phosphates dissolve more at higher pH
    steps = (4.0, 4.5, 5.0, 5.5) if buffer == "acetate" else (6.0, 6.5, 7.0, 7.5)
    arms = [
        {
            "name": f"pH {ph}",
            "subject": {"ph": ph},
            "add": [{"particle": "p", "concentration": f"{load:.3g} mmol/L", "at": "0 h"}],
        }
        for ph in steps
    ]
    study = study_of(
        particle, {"buffer": buffer, "concentration": "200 mmol/L", "ph": 5.0, "atmosphere": "closed"}, [], arms=arms
    )
    rows = [a.curves["release"] for a in simulate(study, tolerances=FINE).arms]
    for acid, base in pairwise(rows):
        assert np.all(acid >= base - 1e-6)


@SELDOM
@given(particles(), subjects(), protocols(), st.integers(0, 1000))
def test_same_seed_same_numbers_and_arms_do_not_know_of_each_other(particle, subject, add, seed):
    arms = [
        {"name": "one", "add": add},
        {"name": "two", "subject": {"ph": subject["ph"] + 0.5}, "add": add},
        {"name": "three", "subject": {"temperature": "30 degC"}, "add": add[:1]},
    ]
    study = study_of(particle, subject, add, arms=arms)
    turned = study_of(particle, subject, add, arms=arms[::-1])
    first, again, other = (simulate(s, members=2, seed=seed) for s in (study, study, turned))
    for arm in first.arms:
        for name, rows in arm.members.items():
            for twin in (again.arm(arm.name), other.arm(arm.name)):
                assert rows.tobytes() == twin.members[name].tobytes()
                assert arm.curves[name].tobytes() == twin.curves[name].tobytes()


@SELDOM
@given(particles(), subjects(), protocols())
def test_volume_is_no_matter_at_equal_concentrations(particle, subject, add):
    small, large = (
        simulate(study_of(particle, subject, add, volume=v), tolerances=FINE).arms[0] for v in ("2 mL", "4 mL")
    )
    for name, curve in small.curves.items():
        assert np.allclose(curve, large.curves[name], rtol=1e-5, atol=1e-7), name


@SELDOM
@given(particles(), subjects(), st.floats(0.1, 5))
def test_a_load_in_two_equal_parts_is_one_load(particle, subject, load):
    whole = study_of(particle, subject, [{"particle": "p", "concentration": f"{2 * load} mmol/L"}])
    halves = make_study(
        particles={"p": particle, "q": particle},
        measure={"release": {"at": HOURS}},
        **subject,
        add=[{"particle": name, "concentration": f"{load} mmol/L"} for name in "pq"],
    )
    one, two = (simulate(s, tolerances=FINE).arms[0].curves["release"] for s in (whole, halves))
    assert np.allclose(one, two, rtol=1e-5, atol=1e-6)
