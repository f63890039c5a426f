"""What is told of a cohort: bands and shares of synthetic values, and tests of arms as another program makes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tubes import HOUR

from nanotrial.experiment import compare_arms, noisy_readings, summarise
from nanotrial.sampling import Noise

# Summaries.

MANY = 4000


def table(worlds: int, subjects: int, unknown: float, between: float, seed: int = 3) -> np.ndarray:
    """Return normal values around ten of shape (worlds, 1 + subjects, 1), the typical subject first."""
    generator = np.random.default_rng(seed)
    typical = 10.0 + generator.normal(0, unknown, (worlds, 1)) if unknown else np.full((worlds, 1), 10.0)
    own = generator.normal(0, between, (worlds, subjects)) if between else np.zeros((worlds, subjects))
    return np.concatenate([typical, typical + own], axis=1)[:, :, None]


@pytest.mark.parametrize(("worlds", "subjects"), [(MANY, 3), (1600, 3)])
def test_bands_hold_nine_tenths_of_readings_and_of_means(worlds, subjects):
    """Below and above the number of readings whose noise is worked out exactly."""
    noise = Noise("x", 0.0, 1.5)
    found = summarise(table(worlds, subjects, 1.0, 2.0), noise, 5)
    again = table(200_000, 1, 1.0, 2.0, seed=9)[:, :, 0]
    readings = noise.add(again[:, 1], np.random.default_rng(1))
    for low, high, values in (
        (found.low, found.high, readings),
        (found.mean_low, found.mean_high, again[:, 0]),
    ):
        inside = np.mean((values > low[0]) & (values < high[0]))
        assert inside == pytest.approx(0.9, abs=0.02)
        assert np.mean(values <= low[0]) == pytest.approx(0.05, abs=0.015)
    assert found.median[0] == pytest.approx(10.0, abs=0.1)
    assert found.sd[0] == pytest.approx(np.hypot(2.0, 1.5), rel=0.03)
    whole = 1.0 + 4.0 + 2.25
    shares = [found.unknown[0], found.between[0], found.noise[0]]
    assert shares == pytest.approx([1.0 / whole, 4.0 / whole, 2.25 / whole], abs=0.03)
    assert (found.worlds, found.subjects, found.failed) == (worlds, subjects, 0)


def test_bands_without_subjects_are_those_of_typical_subjects():
    values = np.arange(101.0)[:, None, None]
    found = summarise(values, Noise("x", 0.1, 1.0))
    assert [*found.low, *found.mean_low, *found.high, *found.mean_high] == pytest.approx([5.0, 5.0, 95.0, 95.0])
    assert (found.median.tolist(), found.subjects) == ([50.0], 0)
    assert np.isnan([found.sd, found.unknown, found.between, found.noise]).all()


def test_one_world_shows_what_differs_between_its_subjects():
    found = summarise(table(1, 4000, 1.0, 2.0), Noise("x", 0.0, 0.0))
    assert found.sd[0] == pytest.approx(2.0, rel=0.05)
    assert np.isnan(found.unknown[0])
    assert found.mean_low.tolist() == found.mean_high.tolist() == found.median.tolist()


def test_where_all_failed_nothing_is_made_up():
    found = summarise(np.full((3, 3, 2), np.nan), Noise("x", 0.1, 0.1))
    for name in ("low", "high", "mean_low", "mean_high", "median", "sd", "unknown", "between", "noise"):
        assert np.isnan(getattr(found, name)).all(), name
        assert getattr(found, name).shape == (2,)
    assert (found.worlds, found.subjects, found.failed) == (3, 2, 9)


def test_failed_members_are_left_out_of_bands():
    values = table(30, 2, 1.0, 0.5)
    broken = np.concatenate([values, np.full((5, 3, 1), np.nan)])
    one, two = summarise(values, Noise("x", 0.0, 0.3)), summarise(broken, Noise("x", 0.0, 0.3))
    for name in ("low", "high", "mean_low", "mean_high", "median", "sd", "unknown"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-12), name
    assert (one.failed, two.failed) == (0, 15)


# Comparisons.

NAMES = ["one", "control", "two"]


def compared(values: np.ndarray, noise: Noise, alpha: float = 0.05, seed: int = 6, names=NAMES):
    """Return the comparison and its readings, (worlds, arms, subjects)."""
    found = compare_arms("x", HOUR, names, values, noise, "control", alpha, seed)
    return found, noisy_readings("x", names, values, noise, seed)


def with_holes(generator: np.random.Generator, worlds: int, subjects: int, holes: int) -> np.ndarray:
    """Return values of three arms; each keeps two subjects in every world."""
    values = 1.0 + generator.normal(0, 0.3, (worlds, 3, subjects)) + np.array([0.4, 0.0, 0.1])[None, :, None]
    for _ in range(holes):
        world, arm, subject = generator.integers(worlds), generator.integers(3), generator.integers(2, subjects)
        values[world, arm, subject] = np.nan
    return values


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    worlds=st.integers(1, 9),
    subjects=st.integers(3, 8),
    holes=st.integers(0, 6),
    alpha=st.sampled_from([0.01, 0.05, 0.3]),
)
def test_every_world_is_tested_as_another_program_tests_it(seed, worlds, subjects, holes, alpha):
    values = with_holes(np.random.default_rng(seed), worlds, subjects, holes)
    found, readings = compared(values, Noise("x", 0.05, 0.1), alpha)
    assert [a.arm for a in found.arms] == NAMES
    control = [r[1][np.isfinite(r[1])] for r in readings]
    for i, row in enumerate(found.arms):
        own = [r[i][np.isfinite(r[i])] for r in readings]
        assert row.mean == pytest.approx(np.mean([o.mean() for o in own]), rel=1e-12)
        assert row.sd == pytest.approx(np.sqrt(np.mean([o.var(ddof=1) for o in own])), rel=1e-12)
        assert row.sem == pytest.approx(row.sd / np.sqrt(subjects), rel=1e-12)
        assert (row.n, row.failed) == (subjects, np.isnan(values[:, i]).sum())
        if i == 1:
            assert row.difference == 0.0
            assert np.isnan([row.p, row.power, row.power_low, row.power_high]).all()
            continue
        p = np.array([stats.ttest_ind(o, c, equal_var=False).pvalue for o, c in zip(own, control, strict=True)])
        assert row.p == pytest.approx(np.median(p), rel=1e-9)
        assert row.power == np.mean(p < alpha)
        assert 0.0 <= row.power_low <= row.power <= row.power_high <= 1.0
        low, high = stats.binomtest(int((p < alpha).sum()), worlds).proportion_ci(method="wilson")
        assert (row.power_low, row.power_high) == pytest.approx((low, high), abs=1e-12)
        apart = [o.mean() - c.mean() for o, c in zip(own, control, strict=True)]
        assert row.difference == pytest.approx(np.mean(apart), rel=1e-9, abs=1e-12)
    every = [stats.f_oneway(*[arm[np.isfinite(arm)] for arm in r]).pvalue for r in readings]
    assert found.p_of_all == pytest.approx(np.median(every), rel=1e-9)


def test_a_world_without_a_test_is_left_out():
    values = np.random.default_rng(1).normal(1.0, 0.1, (4, 3, 3))
    values[0, 0] = values[1, 1] = np.nan
    values[2, 2, 1:] = np.nan
    found, readings = compared(values, Noise("x", 0.0, 0.1))
    p = [stats.ttest_ind(readings[w, 0], readings[w, 1], equal_var=False).pvalue for w in (2, 3)]
    assert found.arms[0].p == pytest.approx(np.median(p), rel=1e-9)
    assert found.arms[0].failed == 3
    p = [stats.ttest_ind(readings[w, 2], readings[w, 1], equal_var=False).pvalue for w in (0, 3)]
    assert found.arms[2].p == pytest.approx(np.median(p), rel=1e-9)


def test_readings_of_a_subject_are_its_own():
    """Neither the order of arms, nor those beside, nor more subjects or worlds change what is read of one."""
    values, noise = np.random.default_rng(2).normal(1.0, 0.1, (6, 3, 5)), Noise("x", 0.1, 0.2)
    whole = noisy_readings("x", NAMES, values, noise, 3)
    assert not np.any(whole == values)
    turned = noisy_readings("x", NAMES[::-1], values[:, ::-1], noise, 3)
    assert np.array_equal(turned[:, ::-1], whole)
    assert np.array_equal(noisy_readings("x", NAMES[1:], values[:, 1:], noise, 3), whole[:, 1:])
    assert np.array_equal(noisy_readings("x", NAMES, values[:4, :, :2], noise, 3), whole[:4, :, :2])
    other = [noisy_readings("y", NAMES, values, noise, 3), noisy_readings("x", NAMES, values, noise, 4)]
    assert not any(np.any(o == whole) for o in other)
    z = ((whole - values) / noise.sd(values)).ravel()
    assert len(set(z)) == z.size
    assert stats.kstest(z, "norm").pvalue > 1e-3


def test_arms_alike_are_found_different_at_the_level_alone():
    """Ten subjects, four thousand worlds: false findings are alpha, with and without a spread between worlds."""
    generator = np.random.default_rng(8)
    values = 5.0 + generator.normal(0, 2.0, (MANY, 1, 1)) + generator.normal(0, 0.3, (MANY, 3, 10))
    found, _ = compared(values, Noise("x", 0.0, 0.2), alpha=0.1)
    for row in (found.arms[0], found.arms[2]):
        assert row.power == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / MANY))
        assert row.p == pytest.approx(0.5, abs=0.05)
        assert abs(row.difference) < 4 * np.hypot(0.3, 0.2) * np.sqrt(2 / 10 / MANY)
