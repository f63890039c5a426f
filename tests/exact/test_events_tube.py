"""Additions and removals in a tube: cohorts of their own age, fresh medium, particles taken out, late enzymes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tubes import COATED, HOUR, NEAR, SHUT, TIGHT, agent, given, make_study, of_material, play

from nanotrial.experiment import simulate
from nanotrial.solve.run import Tolerances

# Reaction control with order zero in acid: the rate knows neither pH nor load, so cohorts add up.
FLAT = of_material("calcium_peroxide", acid_rate=(0.0, "mol/m^2/s"), water_rate=(4e-8, "mol/m^2/s"), log_k=(60.0, "1"))
BUFFER = {"buffer": "acetate", "concentration": "200 mmol/L", "ph": 5.0, **SHUT}
TWINS = {
    "bare": {"core": "calcium_peroxide", "diameter": "20 nm"},
    "twin": {"core": "calcium_peroxide", "diameter": "20 nm"},
}
HOURS = [0.25, 0.5, 1.0, 1.5, 2.0]


def tube(add, remove=(), hours=HOURS, **more):
    study = make_study(add, remove, particles=more.pop("particles", TWINS), **{**BUFFER, **more})
    return play(study, hours, FLAT)


def test_two_half_loads_at_once_are_one_load():
    both = tube([given("bare", "0.5 mmol/L"), given("twin", "0.5 mmol/L")])
    one = tube([given("bare", "1 mmol/L")])
    assert 0.2 < one["release"][0] < 0.8
    for name in ("release", "calcium", "ph", "hydrogen_peroxide"):
        assert both[name] == pytest.approx(one[name], rel=NEAR)


def test_later_particles_are_younger():
    """In a strong buffer two additions give the sum of two single runs, the second begun later."""
    run = tube([given("bare", "0.5 mmol/L"), given("bare", "0.3 mmol/L", at="0.5 h")])
    first = tube([given("bare", "0.5 mmol/L")])["calcium"]
    second = tube([given("bare", "0.3 mmol/L")], hours=[h - 0.5 for h in HOURS[1:]])["calcium"]
    assert first[1] > 0.2
    assert run["calcium"] == pytest.approx(first + np.array([0.0, *second]), rel=1e-5)
    assert [c.key for c in run.built.tube.cohorts] == ["particles.0.bare", "particles.1.bare"]


def test_output_at_an_addition_shows_the_state_after_it():
    run = tube([given("bare", "0.5 mmol/L"), given("bare", "0.5 mmol/L", at="0.5 h")])
    assert run["particles.1.bare.added"] == pytest.approx([0.0, 5e-6, 5e-6, 5e-6, 5e-6], rel=1e-12)
    assert run["release"][1] < 0.75 * tube([given("bare")])["release"][1]


def test_particles_given_at_the_last_output_have_released_nothing():
    run = tube([given("bare", at="2 h")])
    assert run["release"] == pytest.approx(np.zeros(5), abs=1e-12)
    assert run["particles.0.bare.core.0"] == pytest.approx([0, 0, 0, 0, 1e-5], rel=1e-12, abs=1e-20)


@pytest.mark.parametrize("fraction", [0.5, 1.0])
def test_fresh_medium_dilutes_what_is_dissolved_and_leaves_the_particles(fraction):
    hours = [0.5, 0.500001, 1.0, 2.0]
    with_change = tube([given("bare")], [{"what": "medium", "fraction": fraction, "at": "0.5 h"}], hours)
    without = tube([given("bare")], (), hours)
    # The output at the instant of the change shows the state after it.
    before, after = without["calcium"][0], with_change["calcium"][0]
    assert after == pytest.approx(before * (1 - fraction), rel=1e-6, abs=1e-9)
    assert with_change["hydrogen_peroxide"][0] == pytest.approx(
        without["hydrogen_peroxide"][0] * (1 - fraction), rel=1e-6, abs=1e-9
    )
    assert with_change["core_left"] == pytest.approx(without["core_left"], rel=1e-5, abs=1e-8)
    assert with_change["acetate"] == pytest.approx(np.full(4, 200.0), rel=1e-12)
    gained = with_change["calcium"][3] - after
    assert gained == pytest.approx(without["calcium"][3] - before, rel=1e-5)


def test_whole_fresh_medium_brings_ph_and_gas_back():
    hours = [0.999, 1.0]
    study = make_study(
        [given("bare", "8 mmol/L")],
        [{"what": "medium", "at": "1 h"}],
        concentration="10 mmol/L",
        ph=6.5,
        temperature="25 degC",
    )
    run = play(study, hours)
    fresh = play(make_study(concentration="10 mmol/L", ph=6.5, temperature="25 degC"), [0.0])
    assert run["ph"][0] > 7.0
    assert run["ph"][1] == pytest.approx(6.5, abs=1e-9)
    assert run["oxygen"][1] == pytest.approx(fresh["oxygen"][0], rel=1e-12)
    assert run["ionic_strength"][1] == pytest.approx(fresh["ionic_strength"][0], rel=1e-9)
    assert max(run.run.imbalance().values()) < 1e-9


@pytest.mark.parametrize("fraction", [0.4, 1.0])
def test_taking_particles_out_stops_their_release(fraction):
    hours = [0.5, 1.0, 2.0]
    less = tube([given("bare")], [{"what": "bare", "fraction": fraction, "at": "0.5 h"}], hours)
    all_in = tube([given("bare")], (), hours)
    gain = all_in["calcium"] - all_in["calcium"][0]
    assert gain[2] > 0.2
    assert less["calcium"] - less["calcium"][0] == pytest.approx((1 - fraction) * gain, rel=1e-5, abs=1e-9)
    assert less["calcium"][0] == pytest.approx(all_in["calcium"][0], rel=1e-7)


def test_taking_one_kind_out_leaves_the_other():
    add = [given("bare", "0.5 mmol/L"), given("twin", "0.5 mmol/L")]
    run = tube(add, [{"what": "twin", "at": "0.5 h"}])
    alone = tube([given("bare", "0.5 mmol/L")])
    assert run["particles.1.twin.core.0"][1:] == pytest.approx(np.zeros(4), abs=1e-15)
    assert run["particles.0.bare.core.0"] == pytest.approx(alone["particles.0.bare.core.0"], rel=1e-5, abs=1e-14)


def test_release_stays_when_particles_are_taken_out():
    run = tube([given("bare")], [{"what": "bare", "at": "0.5 h"}])
    assert run["release"][0] > 0.2
    assert np.all(np.diff(run["release"]) > -1e-9)


@pytest.mark.parametrize(
    ("buffer", "ph"),
    [
        ("phosphate", 7.0),
        ("citrate", 3.0),
    ],
)
def test_taking_coated_particles_out_keeps_the_ph(buffer, ph):
    """A coat leaves with the counter-ions of its charges, and with the protons it holds (half of them at pH 3)."""
    inert = of_material("calcium_peroxide", acid_rate=(0.0, "mol/m^2/s"), water_rate=(0.0, "mol/m^2/s"))
    study = make_study(
        [given("coated", "5 mmol/L")],
        [{"what": "coated", "at": "1 h"}],
        particles={"coated": COATED},
        buffer=buffer,
        concentration="1 mmol/L",
        ph=ph,
        **SHUT,
    )
    run = play(study, [0.5, 1.0], inert)
    # The counter-ions count in the ionic strength, so activities move by 2e-3 of a pH unit.
    assert run["ph"][1] == pytest.approx(run["ph"][0], abs=3e-3)


WAITING = [agent("hydrogen_peroxide", "5 mmol/L", at="0.1 h"), agent("catalase", "100 U/mL", at="1 h")]


@pytest.mark.parametrize("material", ["calcium_peroxide", "calcium_carbonate", "magnesium_peroxide", "copper_oxide"])
@pytest.mark.parametrize(("buffer", "ph"), [("hepes", 7.4), ("acetate", 4.0), ("phosphate", 8.0)])
def test_particles_that_wait_are_not_there(material, buffer, ph):
    """Solver noise in an empty cohort must neither show as a share of nothing nor spoil the equilibria later on."""
    particle = {"core": material, "diameter": "20 nm", "geometric_sd": 1.5, "size_classes": 5}
    study = make_study([given(at="6 h"), *WAITING], particles={"bare": particle}, buffer=buffer, ph=ph)
    run = play(study, [0.0, 0.5, 3.0, 5.9, 7.0], tolerances=Tolerances())
    assert np.max(np.abs(run["release"][:4])) < 1e-6
    assert np.max(np.abs(run["core_left"][:4])) < 1e-6
    assert run["core_left"][4] + run["release"][4] == pytest.approx(1, abs=1e-6)


def test_catalase_given_later_acts_only_later():
    peroxide = agent("hydrogen_peroxide", "2 mmol/L")
    late = tube([peroxide, agent("catalase", "50 U/mL", at="1 h")])
    never = tube([peroxide])
    at_start = tube([peroxide, agent("catalase", "50 U/mL")], hours=[0.5, 1.0])
    assert late["hydrogen_peroxide"][:3] == pytest.approx(never["hydrogen_peroxide"][:3], rel=1e-9)
    # An hour of slow decay before it changes the start by 4e-4, and no more the half hours after.
    assert late["hydrogen_peroxide"][3:] == pytest.approx(at_start["hydrogen_peroxide"], rel=5e-3, abs=1e-6)
    assert late["hydrogen_peroxide"][3] < 0.5 * never["hydrogen_peroxide"][3]


def test_hyaluronidase_given_later_digests_only_later():
    add = [given("coated"), agent("hyaluronidase", "5 U/mL", at="1 h")]
    late = tube(add, particles={"coated": COATED})["coat_left"]
    never = tube(add[:1], particles={"coated": COATED})["coat_left"]
    assert late[:3] == pytest.approx(never[:3], rel=1e-9)
    assert late[3] < 0.9 * never[3]


def test_an_enzyme_is_washed_out_with_the_medium():
    add = [
        agent("hydrogen_peroxide", "2 mmol/L"),
        agent("catalase", "50 U/mL"),
        agent("hydrogen_peroxide", "1 mmol/L", at="1 h"),
    ]
    run = tube(add, [{"what": "medium", "at": "0.5 h"}])
    assert run["tube.catalase"][1:] == pytest.approx(np.zeros(4), abs=1e-18)
    assert run["hydrogen_peroxide"][4] == pytest.approx(1.0, rel=1e-3)


def test_calcium_chloride_is_neutral():
    run = tube([agent("calcium_chloride", "10 mmol/L", at="1 h")], hours=[0.5, 1.0], concentration="1 mmol/L")
    assert np.max(np.abs(run["charge_error"])) < 1e-6
    assert run["calcium"] == pytest.approx([0.0, 10.0], abs=1e-12)
    assert run["ionic_strength"][1] - run["ionic_strength"][0] == pytest.approx(30.0, rel=0.1)


@pytest.mark.parametrize(
    "late",
    [
        agent("catalase", "20 U/mL", at="1 h"),
        agent("hydrogen_peroxide", "1 mmol/L", at="1 h"),
        agent("calcium_chloride", "5 mmol/L", at="1 h"),
        given("coated", at="1 h"),
    ],
    ids=lambda row: row.get("agent", "coated"),
)
def test_what_became_of_the_protons_sums_to_nothing(late):
    study = make_study([given("bare"), late], particles={**TWINS, "coated": COATED}, **SHUT)
    study = replace(study, measures=(replace(study.measures[0], times=(0.0, 2 * HOUR)),))
    shares = simulate(study, tolerances=TIGHT).arms[0].protons
    assert shares.pop("charge_error") < 1e-6
    assert max(abs(v) for v in shares.values()) > 0.1
    assert sum(shares.values()) == pytest.approx(0, abs=1e-5)
