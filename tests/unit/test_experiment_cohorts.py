"""Cohorts played: worlds that arms share, subjects of their own, what viability is held to, what is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dishes import make_dish
from scipy import stats
from tubes import HOUR, agent, make_study
from tubes import given as dose

from nanotrial.errors import SolveError
from nanotrial.evidence import members as evidence_members
from nanotrial.evidence import predict
from nanotrial.evidence.facts import Fact
from nanotrial.evidence.members import PointValues, member_values
from nanotrial.evidence.published import MappedFact, Side
from nanotrial.experiment import (
    Control,
    Player,
    cohort_of_arm,
    compare_arms,
    measure_noise,
    player,
    simulate,
    summarise,
)
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm
from nanotrial.sampling import Draws, Noise, joined_parameters
from nanotrial.study import Study
from nanotrial.study.model import Cohort

# What lanes promise: read-outs within so much of each curve's largest value.
NEAR = 1e-4
UNTREATED, PEROXIDE = {"name": "untreated"}, {"name": "peroxide", "add": [agent("hydrogen_peroxide", "100 umol/L")]}
SPARSE = {"name": "sparse", "subject": {"seeding_density": "2e4 1/cm^2"}}
SEEDING, CATALASE = "cells.seeding_density", "4t1.catalase_rate"


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def dish(*arms, **measure) -> Study:
    shown = measure or {"viability": {"at": ["24 h"]}, "cytosolic_calcium": {"at": ["1 h", "24 h"]}}
    return make_dish(arms=arms or [UNTREATED, PEROXIDE, SPARSE], particles={}, measure=shown)


def tube(*names: str) -> Study:
    """Return a study of quick arms, chosen by name."""
    arms = {
        "buffer": {"name": "buffer"},
        "particles": {"name": "particles", "add": [dose()]},
        "more": {"name": "more", "add": [dose(concentration="2 mmol/L"), agent("catalase", "10 U/mL")]},
    }
    measure = {
        "ph": {"at": ["0.5 h", "2 h"]},
        "oxygen": {"at": "1 h"},
        "hydrogen_peroxide": {"at": "2 h", "assay": "titanium_oxysulfate"},
    }
    return make_study(arms=[arms[n] for n in names or arms], measure=measure)


def by_world(result, arm: str, measure: str) -> np.ndarray:
    """Return members of a measure at its last time, shape (worlds, subjects)."""
    return result.arm(arm).members[measure][:, -1].reshape(result.members, result.subjects)


def same(first, second) -> None:
    """Every number of two arms is the same, bit for bit."""
    assert first.members.keys() == second.members.keys()
    assert (first.status, first.member_reasons) == (second.status, second.member_reasons)
    for name in first.members:
        assert np.array_equal(first.curves[name], second.curves[name], equal_nan=True), name
        assert np.array_equal(first.members[name], second.members[name], equal_nan=True), name
        assert np.array_equal(first.typical[name], second.typical[name], equal_nan=True), name
        assert repr(first.summaries[name]) == repr(second.summaries[name]), name


@pytest.fixture(scope="module")
def cells():
    """Three worlds of two wells."""
    return simulate(dish(), members=3, subjects=2, seed=4)


@pytest.fixture(scope="module")
def tubes():
    """Five worlds of three tubes."""
    return simulate(tube(), members=5, subjects=3, seed=2)


# Worlds and subjects.


def test_arms_share_worlds_and_not_subjects():
    twins = [PEROXIDE, PEROXIDE | {"name": "again", "add": [agent("hydrogen_peroxide", "100.0 umol/L")]}]
    found = simulate(dish(UNTREATED, *twins), members=2, subjects=2)
    one, two = found.arm("peroxide"), found.arm("again")
    for measure in one.members:
        assert np.array_equal(one.typical[measure], two.typical[measure])
        assert not np.any(one.members[measure] == two.members[measure])
        assert not np.any(np.diff(one.typical[measure], axis=0) == 0.0), "worlds differ"


class Asked:
    """A player that notes what it is asked to play."""

    def __init__(self):
        self.changes, self.control = {}, None

    def play_members(self, built, times, changes, members, control):
        self.changes, self.control = changes, control
        return player.MemberTable({"x": np.arange(members * len(times), dtype=float).reshape(members, -1)}, {})


@pytest.fixture(scope="module")
def drawn():
    """Return what members of the arms of a dish change: five worlds of three wells, seeding open or stated."""
    study = dish(UNTREATED, SPARSE)
    built = {a.name: build_arm(study, a) for a in study.arms}
    everything = joined_parameters(b.network.parameters for b in built.values())
    draws = Draws(everything, Overlay(), study.catalogue.load("variability", "dish"), 5, 3)
    found = {}
    for name, one in built.items():
        asked = Asked()
        shown, _ = cohort_of_arm(asked, one, [0.0, 1.0], draws, 3, 0, 5)
        assert shown["x"].shape == (5, 4, 2)
        assert shown["x"].ravel().tolist() == list(range(40)), "world by world, the typical subject first"
        found[name] = ({n: v.reshape(5, 4) for n, v in asked.changes.items()}, asked.control)
    return built, found


def test_what_is_open_is_unknown_and_varies(drawn):
    _, found = drawn
    seeding = found["untreated"][0][SEEDING]
    assert len(set(seeding.ravel())) == 20


def test_what_an_arm_states_is_not_unknown_but_varies_between_subjects(drawn):
    built, found = drawn
    seeding = found["sparse"][0][SEEDING]
    stated = built["sparse"].network.parameters[SEEDING]
    assert stated.provenance is None
    assert seeding[:, 0].tolist() == [stated.value] * 5
    assert len(set(seeding[:, 1:].ravel())) == 15
    assert np.all(np.abs(np.log(seeding[:, 1:] / stated.value)) < 5 * np.log(1.2))


def test_typical_subjects_are_those_of_the_world_in_every_arm(drawn):
    _, found = drawn
    one, two = found["untreated"][0], found["sparse"][0]
    shared = sorted(one.keys() & two.keys() - {SEEDING})
    assert CATALASE in shared
    assert all(np.array_equal(one[n][:, 0], two[n][:, 0]) for n in shared)
    assert not np.any(one[CATALASE][:, 1:] == two[CATALASE][:, 1:])


def test_viability_is_held_to_one_typical_well_for_each_world(drawn):
    _, found = drawn
    for name in ("untreated", "sparse"):
        changes, control = found[name]
        assert control.members == 5
        assert control.of_member.reshape(5, 4).tolist() == [[w] * 4 for w in range(5)]
        for parameter, values in control.changes.items():
            assert np.array_equal(values, changes[parameter][:, 0]), parameter


def test_an_untreated_typical_subject_has_viability_one(cells):
    for name in ("untreated", "sparse"):
        arm = cells.arm(name)
        assert np.all(arm.typical["viability"] == 1.0)
        wells = arm.members["viability"]
        assert np.all(wells != 1.0)
        assert wells == pytest.approx(1.0, abs=0.5)
    assert np.all(cells.arm("peroxide").typical["viability"] < 1.0)


def test_wells_that_got_more_cells_have_more_of_the_signal():
    """Repeats of an untreated well scatter as much as their seeding does, far from confluence."""
    thin = {"seeding_density": "1e3 1/cm^2"}
    found = simulate(dish({"name": "untreated", "subject": thin}, viability={"at": ["1 h"]}), members=4, subjects=6)
    logs = np.log(by_world(found, "untreated", "viability"))
    assert 0.05 < logs.std() < 0.25


def test_subjects_are_beside_the_typical_ones(cells):
    alone = simulate(dish(), members=3, seed=4)
    assert (alone.subjects, alone.comparisons) == (0, ())
    for arm in cells.arms:
        for measure, typical in arm.typical.items():
            assert np.array_equal(alone.arm(arm.name).members[measure], typical), (arm.name, measure)
            assert np.array_equal(alone.arm(arm.name).typical[measure], typical), (arm.name, measure)
            assert np.array_equal(alone.arm(arm.name).curves[measure], arm.curves[measure])


def test_more_subjects_leave_those_before_alone(cells):
    more = simulate(dish(), members=3, subjects=4, seed=4)
    for arm in cells.arms:
        for measure, typical in arm.typical.items():
            assert np.array_equal(more.arm(arm.name).typical[measure], typical)
            assert np.array_equal(by_world(more, arm.name, measure)[:, :2], by_world(cells, arm.name, measure))


def test_numbers_do_not_depend_on_workers(cells):
    apart = simulate(dish(), members=3, subjects=2, seed=4, workers=2)
    for arm in cells.arms:
        same(arm, apart.arm(arm.name))
    assert repr(apart.comparisons) == repr(cells.comparisons)
    assert apart.way == cells.way


def test_numbers_do_not_depend_on_the_order_of_arms(cells):
    turned = simulate(dish(SPARSE, PEROXIDE, UNTREATED), members=3, subjects=2, seed=4)
    assert turned.study.cohort.control == "sparse"
    turned = simulate(replace(turned.study, cohort=cells.study.cohort), members=3, subjects=2, seed=4)
    assert [a.name for a in turned.arms] == ["sparse", "peroxide", "untreated"]
    for arm in cells.arms:
        same(arm, turned.arm(arm.name))
    for one, two in zip(cells.comparisons, turned.comparisons, strict=True):
        assert one.p_of_all == pytest.approx(two.p_of_all, rel=1e-9)
        assert {repr(a) for a in one.arms} == {repr(a) for a in two.arms}


def test_numbers_do_not_depend_on_the_arms_beside(tubes):
    some = simulate(tube("buffer", "more"), members=5, subjects=3, seed=2)
    for arm in some.arms:
        same(arm, tubes.arm(arm.name))
    for one, two in zip(tubes.comparisons, some.comparisons, strict=True):
        whole = {a.arm: repr(a) for a in one.arms}
        assert [repr(a) for a in two.arms] == [whole["buffer"], whole["more"]]


def test_another_seed_gives_other_numbers(tubes):
    other = simulate(tube("buffer"), members=5, subjects=3, seed=3).arm("buffer")
    assert not np.any(other.members["ph"] == tubes.arm("buffer").members["ph"])
    assert np.array_equal(other.curves["ph"], tubes.arm("buffer").curves["ph"])


# Two ways to play members.


def departure(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference over the largest value of each curve, (members, times)."""
    return float(np.max(np.abs(found - expected) / np.max(np.abs(expected), axis=1, keepdims=True)))


def test_lanes_and_cvodes_agree_on_the_same_members():
    """Seven worlds of six wells and a typical one are 49 members, run one by one; of seven wells 56, side by side."""
    study = dish(UNTREATED, PEROXIDE)
    alone, lanes = (simulate(study, members=7, subjects=n) for n in (6, 7))
    assert alone.way == "49 members per arm, one by one with CVODES (fewer than 50)"
    assert lanes.way == "56 members per arm side by side in compiled code"
    for arm in alone.arms:
        assert arm.members_failed == 0
        for measure, expected in arm.members.items():
            found = lanes.arm(arm.name).members[measure].reshape(7, 7, -1)[:, :6].reshape(42, -1)
            assert not np.array_equal(found, expected)
            assert departure(found, expected) < NEAR, (arm.name, measure)
            assert departure(lanes.arm(arm.name).typical[measure], arm.typical[measure]) < NEAR
        assert np.all(lanes.arm("untreated").typical["viability"] == 1.0)


def test_where_members_are_many_company_changes_no_bit():
    """Sixty typical subjects alone, and with two tubes beside each of them; here and in two processes."""
    study = tube("buffer", "particles")
    with_tubes, apart = (simulate(study, members=60, subjects=2, workers=n) for n in (1, 2))
    alone = simulate(study, members=60)
    for arm in with_tubes.arms:
        same(arm, apart.arm(arm.name))
        for measure, typical in arm.typical.items():
            found = alone.arm(arm.name).members[measure]
            assert np.array_equal(found, typical, equal_nan=True), (arm.name, measure)
            shown = measure != "hydrogen_peroxide" or arm.name == "particles"
            assert np.isfinite(found).all() == shown


@pytest.mark.parametrize("few", [1, 50])
@pytest.mark.parametrize("place", ["tube", "dish"])
def test_a_parameter_that_is_no_number_fails_its_member_alone(few, place, monkeypatch):
    monkeypatch.setattr(player, "FEW_MEMBERS", few)
    study = tube("particles") if place == "tube" else dish(PEROXIDE)
    name = "tube.depth" if place == "tube" else CATALASE
    built, work = build_arm(study, study.arms[0]), Player(threads=1)
    centre = built.network.parameters[name].value
    values = centre * np.array([1.0, np.nan, 1.1])
    whole = work.play_members(built, [HOUR], {name: values}, 3)
    assert whole.reasons.keys() == {1}
    assert whole.reasons[1].endswith(f"the parameter `{name}` is not a number")
    good = work.play_members(built, [HOUR], {name: values[[0, 2]]}, 2)
    assert good.reasons == {}
    for shown, rows in whole.values.items():
        assert np.isnan(rows[1]).all(), shown
        assert np.array_equal(rows[[0, 2]], good.values[shown]), shown


@pytest.mark.parametrize("few", [1, 50])
def test_a_control_that_failed_takes_its_world_along(few, monkeypatch):
    monkeypatch.setattr(player, "FEW_MEMBERS", few)
    study = dish(PEROXIDE)
    built, work = build_arm(study, study.arms[0]), Player(threads=1)
    centre = built.network.parameters[CATALASE].value
    control = Control({CATALASE: centre * np.array([1.0, np.nan])}, 2, np.array([0, 0, 1, 1]))
    values = centre * np.array([1.0, 1.2, 1.0, np.inf])
    found = work.play_members(built, [HOUR], {CATALASE: values}, 4, control)
    told = f"the parameter `{CATALASE}` is not a number"
    assert found.reasons == {2: f"left alone: {told}", 3: told}
    for shown, rows in found.values.items():
        assert np.isfinite(rows[:2]).all(), shown
        assert np.isnan(rows[2:]).all(), shown


def test_members_that_failed_are_counted_and_left_out(monkeypatch):
    count, real = iter(range(1000)), Player._run

    def run(self, *arguments):
        if next(count) == 3:  # after the central run: the second subject of the first world
            raise SolveError("forced to fail", 1.0, "core")
        return real(self, *arguments)

    monkeypatch.setattr(Player, "_run", run)
    found = simulate(tube("buffer", "particles"), members=4, subjects=2)
    arm = found.arm("buffer")
    assert (arm.members_failed, arm.member_reasons) == (1, ("member 2: forced to fail",))
    assert np.isnan(by_world(found, "buffer", "ph")).tolist() == [[False, True], *[[False, False]] * 3]
    assert arm.summaries["ph"].failed == 1
    row = found.comparisons[0].arms[0]
    assert (row.arm, row.n, row.failed) == ("buffer", 2, 1)
    assert np.isfinite(row.mean)


def test_an_arm_whose_central_run_failed_has_no_members(monkeypatch):
    real = Player._run

    def run(self, runner, built, *arguments):
        if built.name == "particles":
            raise SolveError("forced to fail", 1.0, "core")
        return real(self, runner, built, *arguments)

    monkeypatch.setattr(Player, "_run", run)
    found = simulate(tube(), members=2, subjects=2)
    assert [a.name for a in found.failed] == ["particles"]
    assert found.arm("particles").members == {}
    assert [[a.arm for a in c.arms] for c in found.comparisons] == [["buffer", "more"]] * 2


# What is told of them.


def test_the_summary_of_an_arm_is_that_of_its_members(cells):
    arm = cells.arm("peroxide")
    wells = arm.members["viability"].reshape(3, 2, 1)
    whole = np.concatenate([arm.typical["viability"][:, None], wells], axis=1)
    again = summarise(whole, measure_noise(cells.study, "viability"), 4)
    assert repr(again) == repr(arm.summaries["viability"])


def test_the_study_is_compared_at_the_last_time_of_each_measure(tubes):
    """What the control does not show is not compared."""
    assert [(c.measure, c.time) for c in tubes.comparisons] == [("ph", 2 * HOUR), ("oxygen", HOUR)]
    for found in tubes.comparisons:
        assert (found.control, found.alpha, found.worlds) == ("buffer", 0.05, 5)
        names = [a.arm for a in found.arms]
        assert names == ["buffer", "particles", "more"]
        values = np.stack([by_world(tubes, n, found.measure) for n in names], axis=1)
        noise = measure_noise(tubes.study, found.measure)
        again = compare_arms(found.measure, found.time, names, values, noise, "buffer", 0.05, 2)
        assert repr(again) == repr(found)


def test_noise_of_an_assay_comes_on_top(tubes):
    plain = replace(tubes.study, measures=tuple(replace(m, assay="") for m in tubes.study.measures))
    with_assay, without = (measure_noise(s, "hydrogen_peroxide") for s in (tubes.study, plain))
    assert with_assay.relative == without.relative > 0
    assert with_assay.absolute > without.absolute == 0.0


# Evidence.

POINTS = [("particles", "ph", 1800.0), ("particles", "ph", 2 * HOUR), ("buffer", "ph", 2 * HOUR)]


def points_of(subjects: int, members: int = 6) -> tuple[Study, dict]:
    study = tube("buffer", "particles")
    study = replace(study, cohort=Cohort(subjects, "buffer", 0.05, "tubes"))
    return study, member_values(study, POINTS, members, 1, Overlay())


def test_a_reported_value_is_the_mean_of_readings_of_a_cohort(monkeypatch):
    study, noisy = points_of(4)
    monkeypatch.setattr(evidence_members, "measure_noise", lambda *_: Noise("ph", 0.0, 0.0))
    _, quiet = points_of(4)
    cohort = simulate(study, members=6, subjects=4)
    for arm, measure, time in POINTS:
        place = cohort.study.measures[0].times.index(time)
        members = cohort.arm(arm).members[measure][:, place].reshape(6, 4)
        found = quiet[arm, measure, time]
        assert found.reported == pytest.approx(members.mean(axis=1), rel=1e-6)
        assert found.typical == pytest.approx(cohort.arm(arm).typical[measure][:, place], rel=1e-6)
        assert found.central == pytest.approx(cohort.arm(arm).curves[measure][place], rel=1e-6)
        assert np.array_equal(noisy[arm, measure, time].typical, found.typical), "typical subjects are not read"
        assert not np.any(noisy[arm, measure, time].reported == found.reported)


def test_noise_of_a_reported_mean_falls_with_the_cohort(monkeypatch):
    """A hundred times the noise of an electrode, so that noise is all there is."""
    noise = Noise("ph", 0.0, 2.0)
    monkeypatch.setattr(evidence_members, "measure_noise", lambda *_: noise)
    for subjects in (2, 8):
        apart = np.concatenate([v.reported - v.typical for v in points_of(subjects, 16)[1].values()])
        chi = np.sum(apart**2) * subjects / noise.absolute**2
        assert 1e-3 < stats.chi2.cdf(chi, len(apart)) < 1 - 1e-3


@pytest.mark.parametrize(("check", "expected"), [("comparison", "arm"), ("ratio", 1.9)])
def test_two_sides_are_compared_by_typical_subjects(check, expected):
    """Typical subjects say that the first is larger, printed means the opposite."""
    path = Path("made.toml")
    sides = {"one": Side("a", "viability", HOUR), "two": Side("b", "viability", HOUR)}
    mapped = MappedFact("x/1", path, "", "viability", HOUR, check, sides=sides)
    numbers = {"a": ([0.8, 0.9], [0.2, 0.3]), "b": ([0.4, 0.5], [0.4, 0.6])}
    played = {
        (path, name, "viability", HOUR): (PointValues(1.0, np.array(typical), np.array(reported)), Overlay())
        for name, (typical, reported) in numbers.items()
    }
    row = predict._predict(Fact("x/1", "x", "viability", check, "one", "two"), mapped, played)
    assert row["larger" if check == "comparison" else "value"] == pytest.approx(expected)
