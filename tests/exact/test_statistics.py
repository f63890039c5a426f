"""Statistics of cohorts: textbook data with the answers of R, hand-made cases, limits, and input that is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.errors import InputError
from nanotrial.statistics.groups import compare_groups, compare_two, compare_with_control, describe, holm
from nanotrial.statistics.power import (
    assurance,
    detectable,
    power_anova,
    power_log_rank,
    power_two,
    size_for_anova,
    size_for_log_rank,
    size_for_two,
    wilson,
)
from nanotrial.statistics.survival import kaplan_meier, log_rank

approx = pytest.approx
NAN = math.nan

# Student (1908): extra sleep, h, of ten patients on two drugs. R's `sleep`.
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)
# Dobson (1983): dried weight of plants. R's `PlantGrowth`.
PLANTS = {
    "ctrl": [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
    "trt1": [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
    "trt2": [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26],
}
# Freireich et al. (1963): weeks of remission in leukaemia, on 6-mercaptopurine and on placebo.
DRUG = (
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)
PLACEBO = ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21)

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
samples = st.lists(numbers, min_size=3, max_size=12).filter(lambda v: np.ptp(v) > 0.1)
kinds = st.sampled_from([{}, {"equal_variances": True}])


# Description


def test_description_by_hand():
    d = describe([2, 4, 4, 4, 5, 5, 7, 9])
    assert (d.n, d.failed, d.mean, d.median, d.note) == (8, 0, 5.0, 4.5, "")
    assert d.sd == approx(math.sqrt(32 / 7), rel=1e-14)
    assert d.sem == approx(math.sqrt(32 / 56), rel=1e-14)
    assert d.high - d.mean == approx(2.364624251592785 * math.sqrt(32 / 56), rel=1e-12)
    assert d.mean - d.low == approx(d.high - d.mean, rel=1e-12)


def test_failed_subjects_are_counted_and_left_out():
    assert describe([1.0, NAN, 2.0, 4.0, NAN]) == describe([1.0, 2.0, 4.0]).__class__(
        **{**vars(describe([1.0, 2.0, 4.0])), "failed": 2}
    )
    a, b = [1.0, NAN, 2.0, 4.0], [3.0, 5.0, 9.0, 4.0]
    test = compare_two(a, b)
    assert (test.n, test.failed) == ((3, 4), (1, 0))
    assert test.p == compare_two([1.0, 2.0, 4.0], b).p
    pairs = compare_two(a, b, paired=True)
    assert (pairs.n, pairs.failed) == ((3, 3), (1, 0))
    assert pairs.p == compare_two([1.0, 2.0, 4.0], [3.0, 9.0, 4.0], paired=True).p


@pytest.mark.parametrize(
    ("values", "mean", "sd", "note"),
    [([], NAN, NAN, "no value"), ([NAN], NAN, NAN, "no value"), ([3.0, NAN], 3.0, NAN, "one value")],
)
def test_description_of_too_few(values, mean, sd, note):
    d = describe(values)
    assert [d.mean, d.sd, d.low, d.high] == approx([mean, sd, NAN, NAN], nan_ok=True)
    assert d.note.startswith(note)


def test_description_of_equal_values():
    d = describe([0.1, 0.1, 0.1])
    assert d.sd == d.sem == 0.0
    assert d.low == d.high == approx(0.1, rel=1e-15)
    assert "equal" in d.note


# Two groups


def test_sleep_as_r_has_it():
    pairs = compare_two(*SLEEP, paired=True)
    assert [pairs.statistic, pairs.df, pairs.p] == approx([-4.0621, 9, 0.002833], rel=2e-4)
    assert [pairs.low, pairs.high] == approx([-2.4598858, -0.7001142], rel=1e-6)
    welch = compare_two(*SLEEP)
    assert [welch.statistic, welch.df, welch.p] == approx([-1.8608, 17.776, 0.07939], rel=1e-4)
    assert [welch.low, welch.high] == approx([-3.3654832, 0.2054832], rel=1e-6)
    student = compare_two(*SLEEP, equal_variances=True)
    assert [student.statistic, student.df, student.p] == approx([-1.8608, 18, 0.07919], rel=1e-4)
    assert [t.name for t in (pairs, welch, student)] == ["paired", "Welch", "Student"]
    assert pairs.difference == approx(welch.difference) == approx(-1.58)


def test_effect_size_by_hand():
    """Four values: J(2) = Gamma(1)/Gamma(1/2) = 1/sqrt(pi); three pairs: J(2) again."""
    assert compare_two([0, 2], [4, 6]).effect_size == approx(-4 / math.sqrt(2) / math.sqrt(math.pi), rel=1e-13)
    paired = compare_two([1, 3, 5], [0, 0, 0], paired=True)
    assert paired.effect_size == approx(3 / 2 / math.sqrt(math.pi), rel=1e-13)
    two = compare_two([1, 3], [0, 0], paired=True)
    assert math.isnan(two.effect_size)
    assert "Hedges" in two.note
    assert two.p > 0


@given(samples, samples, kinds)
def test_swapped_groups_change_signs_alone(a, b, kind):
    there, back = compare_two(a, b, **kind), compare_two(b, a, **kind)
    assert [there.statistic, there.difference] == approx([-back.statistic, -back.difference], rel=1e-12)
    assert [there.low, there.effect_size] == approx([-back.high, -back.effect_size], rel=1e-9, abs=1e-9)
    assert [there.p, there.df] == approx([back.p, back.df], rel=1e-9)


@given(samples, samples, st.sampled_from([1e-300, 1e-18, 1e-3, 7.0, 1e200]), kinds)
def test_another_unit_changes_no_test(a, b, factor, kind):
    """Squares of such values would leave the range of floats."""
    one, other = compare_two(a, b, **kind), compare_two(np.array(a) * factor, np.array(b) * factor, **kind)
    got = [other.statistic, other.df, other.p, other.effect_size]
    assert got == approx([one.statistic, one.df, one.p, one.effect_size], rel=1e-6, abs=1e-6)
    assert other.high - other.low == approx(factor * (one.high - one.low), rel=1e-9, abs=0)


@given(samples, st.data())
def test_interval_leaves_zero_out_where_p_is_small(a, data):
    b = data.draw(st.lists(numbers, min_size=len(a), max_size=len(a)).filter(lambda v: np.ptp(np.subtract(a, v)) > 0.1))
    for kind in ({}, {"equal_variances": True}, {"paired": True}):
        test = compare_two(a, b, **kind)
        if abs(test.p - 0.05) > 1e-9:
            assert (test.p < 0.05) == (test.low > 0 or test.high < 0)


@pytest.mark.parametrize("kind", [{}, {"equal_variances": True}, {"paired": True}])
def test_no_spread_is_said(kind):
    for a, b in (([1.0] * 3, [2.0] * 3), ([0.1] * 3, [0.1 + 0.2] * 3), ([0.0, 0.0], [0.0, 0.0])):
        test = compare_two(a, b, **kind)
        assert math.isnan(test.p)
        assert math.isnan(test.statistic)
        assert test.difference == approx(a[0] - b[0])
        assert "no spread" in test.note


def test_constant_shift_of_pairs_has_no_spread():
    """The differences are 0.1 each but for rounding; their t would be about 1e15."""
    a = np.array([0.3, 0.7, 1.9, 2.3])
    assert "no spread" in compare_two(a + 0.1, a, paired=True).note


@pytest.mark.parametrize("kind", [{}, {"equal_variances": True}, {"paired": True}])
def test_one_value_left_is_said(kind):
    test = compare_two([1.0, NAN], [2.0, 3.0], **kind)
    assert math.isnan(test.p)
    assert "two or more" in test.note
    assert test.failed == (1, 0)


# Several groups


def test_plants_as_r_has_them():
    anova = compare_groups(PLANTS)
    assert [anova.F, anova.p] == approx([4.846, 0.01591], rel=1e-4)
    assert (anova.df_between, anova.df_within, anova.note) == (2, 27, "")
    assert anova.eta_squared == approx(3.76634 / (3.76634 + 10.49209), rel=1e-5)
    pairs = {(p.first, p.second): p for p in anova.pairs}
    assert [p.p for p in anova.pairs] == approx([0.3908711, 0.1979960, 0.0120064], rel=1e-5)
    last = pairs["trt1", "trt2"]
    assert [last.difference, last.low, last.high] == approx([-0.865, -1.5562161, -0.1737839], rel=1e-6)


@given(samples, samples)
@settings(max_examples=20, deadline=None)
def test_two_groups_are_students_test(a, b):
    anova, student = compare_groups({"a": a, "b": b}), compare_two(a, b, equal_variances=True)
    assert [anova.F, anova.p] == approx([student.statistic**2, student.p], rel=1e-8, abs=1e-15)
    (pair,) = anova.pairs
    assert pair.p == approx(student.p, abs=1e-8)
    assert [pair.low, pair.high] == approx(
        [student.low, student.high], rel=1e-6, abs=1e-6 * (student.high - student.low)
    )


def test_group_of_failures_is_left_out_by_name():
    anova = compare_groups({**PLANTS, "lost": [NAN, NAN]})
    assert [anova.F, anova.p] == approx([4.846, 0.01591], rel=1e-4)
    assert "lost" in anova.note
    assert anova.failed == (0, 0, 0, 2)
    assert [math.isnan(p.p) for p in anova.pairs] == ["lost" in (p.first, p.second) for p in anova.pairs]
    assert all(p.note for p in anova.pairs if "lost" in (p.first, p.second))


@pytest.mark.parametrize(
    ("groups", "note"),
    [
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, "no spread"),
        ({"a": [0.1] * 3, "b": [0.3] * 3, "c": [0.1] * 3}, "no spread"),
        ({"a": [1.0], "b": [2.0]}, "too few"),
        ({"a": [1.0, 2.0], "b": [NAN]}, "too few"),
        ({"a": [NAN], "b": [NAN]}, "too few"),
    ],
)
def test_groups_that_cannot_be_tested_say_why(groups, note):
    anova = compare_groups(groups)
    assert math.isnan(anova.p)
    assert note in anova.note
    for pair in (*anova.pairs, *compare_with_control(groups, "a", np.random.default_rng(1))):
        assert math.isnan(pair.p)
        assert note in pair.note


def test_one_group_and_control_is_students_test():
    two = {k: PLANTS[k] for k in ("ctrl", "trt2")}
    (pair,) = compare_with_control(two, "ctrl", np.random.default_rng(3))
    student = compare_two(PLANTS["trt2"], PLANTS["ctrl"], equal_variances=True)
    assert (pair.first, pair.second) == ("trt2", "ctrl")
    assert pair.difference == approx(student.difference)
    assert pair.p == approx(student.p, abs=2e-4)
    assert pair.high == approx(student.high, rel=0.01)


def test_control_keeps_its_seed_and_leaves_lost_groups_out():
    first = compare_with_control(PLANTS, "ctrl", np.random.default_rng(3))
    assert first == compare_with_control(PLANTS, "ctrl", np.random.default_rng(3))
    more = compare_with_control({**PLANTS, "lost": [NAN]}, "ctrl", np.random.default_rng(3))
    assert more[:2] == first
    assert math.isnan(more[2].p)
    assert more[2].note
    # Fewer comparisons than all pairs: less is taken off.
    tukey = {p.second: p.p for p in compare_groups(PLANTS).pairs if p.first == "ctrl"}
    assert all(pair.p < tukey[pair.first] for pair in first)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, NAN, 0.01]) == approx([0.5, NAN, 0.02], nan_ok=True)
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).shape == (0,)


# Survival


def test_remission_as_the_textbooks_have_it():
    curve = kaplan_meier(*DRUG)
    at = dict(zip(curve.time, curve.survival, strict=True))
    weeks = (6, 7, 10, 13, 16, 22, 23)
    assert [at[t] for t in weeks] == approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert [curve.at_risk[curve.time == t][0] for t in weeks] == [21, 17, 15, 12, 11, 7, 6]
    assert (curve.median, kaplan_meier(*PLACEBO).median) == (23.0, 8.0)
    assert (curve.n, curve.events.sum(), curve.censored.sum()) == (21, 9, 12)
    test = log_rank({"drug": DRUG, "placebo": PLACEBO})
    assert test.chi_squared == approx(16.79, abs=5e-3)
    assert test.p == approx(4.17e-5, rel=2e-3)
    assert test.observed == (9, 21)
    assert test.expected == approx((19.25, 10.75), abs=5e-3)


def test_interval_by_hand():
    """Four subjects, one event first: S = 3/4, V = 1/12; then two of the three left go together: S = 1/4."""
    curve = kaplan_meier([1.0, 2.0, 2.0, 3.0], [True, True, True, False])
    assert curve.survival == approx([0.75, 0.25, 0.25])
    z = 1.959963984540054
    for i, variance in ((0, 1 / 12), (1, 1 / 12 + 2 / 3)):
        width = z * math.sqrt(variance) / abs(math.log(curve.survival[i]))
        assert curve.low[i] == approx(curve.survival[i] ** math.exp(width), rel=1e-12)
        assert curve.high[i] == approx(curve.survival[i] ** math.exp(-width), rel=1e-12)
    assert (curve.median, curve.at_risk.tolist()) == (2.0, [4, 3, 1])


def test_edges_of_the_curve():
    curve = kaplan_meier([1.0, 2.0, 3.0, NAN], [False, True, True, True])
    assert curve.survival == approx([1.0, 0.5, 0.0])
    assert (curve.low[0], curve.high[0], curve.failed) == (1.0, 1.0, 1)
    assert math.isnan(curve.low[2])
    never = kaplan_meier([1.0, 2.0], [False, False])
    assert math.isnan(never.median)
    assert "not reached" in never.note
    assert kaplan_meier([NAN], [True]).note == "no value: every subject failed"


@given(st.lists(st.integers(0, 30), min_size=2, max_size=40))
def test_without_leavers_survival_is_the_share_that_is_left(times):
    curve = kaplan_meier(times, np.ones(len(times), dtype=bool))
    assert curve.survival == approx([np.mean(np.array(times) > t) for t in curve.time], abs=1e-12)
    if len(times) % 2:
        assert curve.median == np.median(times)


subjects = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=15)


def columns(group):
    return [t for t, _ in group], [s for _, s in group]


@given(st.lists(subjects, min_size=2, max_size=4))
def test_log_rank_asks_for_the_order_of_times_only(groups):
    named = {str(i): columns(g) for i, g in enumerate(groups)}
    test = log_rank(named)
    later = log_rank({k: (np.exp(t), s) for k, (t, s) in reversed(named.items())})
    assert later.chi_squared == approx(test.chi_squared, rel=1e-8, abs=1e-9, nan_ok=True)
    assert later.df == test.df
    if math.isnan(test.p):
        assert test.note
    assert np.nansum(test.expected) == approx(sum(test.observed))


def test_log_rank_of_equal_groups_is_zero():
    test = log_rank({"a": DRUG, "b": DRUG, "c": DRUG})
    assert (test.chi_squared, test.df) == (approx(0.0, abs=1e-12), 2)
    assert test.p == approx(1.0)


def test_log_rank_leaves_out_who_left_before_all_events():
    early = ([0.5, 0.5], [False, False])
    test = log_rank({"drug": DRUG, "early": early, "placebo": PLACEBO})
    assert (test.df, test.chi_squared) == (1, approx(16.79, abs=5e-3))
    assert "early" in test.note
    assert math.isnan(test.expected[1])
    lost = log_rank({"drug": DRUG, "lost": ([NAN], [True]), "placebo": PLACEBO})
    assert (lost.df, lost.failed, lost.n) == (1, (0, 1, 0), (21, 0, 21))


@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        (([1.0, 2.0], [0, 0]), ([3.0], [0]), "no event"),
        (([1.0, 1.0], [1, 1]), ([1.0], [1]), "at one time"),
        (([1.0, 1.0], [0, 0]), ([2.0, 3.0], [1, 1]), "nobody at risk"),
    ],
)
def test_log_rank_says_why_it_tests_nothing(a, b, note):
    test = log_rank({"a": a, "b": b})
    assert math.isnan(test.p)
    assert note in test.note


# Power


def test_power_as_r_has_it():
    assert power_two(1.0, 1.0, 20) == approx(0.8689528, abs=1e-6)  # power.t.test(n = 20, delta = 1, sd = 1)
    assert size_for_two(1.0, 1.0, 0.9) == 23  # power.t.test(power = .90, delta = 1): n = 22.02110
    means = np.array([-1.0, -1.0, 1.0, 1.0]) * math.sqrt(3 / 4)  # variance between groups 1
    assert power_anova(means, math.sqrt(3), 5) == approx(0.3535594, abs=1e-6)  # power.anova.test
    assert size_for_anova(means, math.sqrt(3), 0.8) == 12  # power.anova.test(power = .80): n = 11.92613


def test_power_of_the_log_rank_test_by_hand():
    """Schoenfeld: 4 (1.96 + 0.8416)^2 / ln(2)^2 = 65.35 events; here 2 n events."""
    assert power_log_rank(2.0, 33, 1.0) == approx(0.80, abs=5e-3)
    assert size_for_log_rank(2.0, 1.0, 0.8) == 33
    assert power_log_rank(0.5, 100, 0.3) == approx(power_log_rank(2.0, 100, 0.3), rel=1e-12)


@given(st.floats(0.001, 0.3), st.integers(2, 500))
def test_without_effect_power_is_alpha(alpha, n):
    tiny = 1e-9
    for effect in (0.0, tiny):
        assert power_two(effect, 1.0, n, alpha) == approx(alpha, rel=1e-9)
        assert power_anova([effect, 0.0, 0.0], 1.0, n, alpha) == approx(alpha, rel=1e-9)
    assert power_log_rank(1.0, n, 0.5, alpha) == approx(alpha, rel=1e-9)


@given(st.floats(0.1, 3.0), st.floats(0.001, 0.3))
@settings(deadline=None)
def test_many_subjects_show_everything(effect, alpha):
    n = 100_000
    assert power_two(effect, 1.0, n, alpha) == approx(1.0, abs=1e-9)
    assert power_anova([0.0, effect, 0.0], 1.0, n, alpha) == approx(1.0, abs=1e-9)
    assert power_log_rank(math.exp(effect), n, 0.5, alpha) == approx(1.0, abs=1e-9)
    assert power_two(1e9, 1.0, 2, 0.05) == approx(1.0, abs=1e-9)


@given(st.floats(0.05, 5.0), st.integers(2, 60), st.floats(0.001, 0.3))
def test_two_means_are_students_power(effect, n, alpha):
    assert power_anova([0.0, effect], 1.0, n, alpha) == approx(power_two(-effect, 1.0, n, alpha), rel=1e-10)
    assert power_two(effect, 1.0, n, alpha) < power_two(effect, 1.0, n + 1, alpha) + 1e-12
    assert power_two(effect, 1.0, n, alpha, n_second=n) == power_two(effect, 1.0, n, alpha)
    assert power_two(effect, 1.0, n, alpha, n_second=2 * n) >= power_two(effect, 1.0, n, alpha) - 1e-12


@given(st.floats(0.05, 4.0), st.floats(0.2, 0.99), st.floats(0.001, 0.15))
@settings(deadline=None, max_examples=40)
def test_size_is_the_smallest_that_reaches_the_power(effect, power, alpha):
    cases = (
        (size_for_two(effect, 2.0, power, alpha), lambda n: power_two(effect, 2.0, n, alpha)),
        (size_for_anova([0, 0, effect], 2.0, power, alpha), lambda n: power_anova([0, 0, effect], 2.0, n, alpha)),
        (
            size_for_log_rank(math.exp(effect), 0.7, power, alpha),
            lambda n: power_log_rank(math.exp(effect), n, 0.7, alpha),
        ),
    )
    for n, power_of in cases:
        assert power_of(n) >= power
        assert n == 2 or power_of(n - 1) < power


@given(st.floats(1e-9, 1e9), st.integers(2, 200), st.floats(0.001, 0.15), st.floats(0.2, 0.99))
@settings(deadline=None)
def test_detectable_difference_has_the_power(sd, n, alpha, power):
    assert power_two(detectable(sd, n, alpha, power), sd, n, alpha) == approx(power, rel=1e-9)


# Power over possible worlds


@given(st.integers(0, 2**32), st.sampled_from([{}, {"paired": True}, {"equal_variances": True}]))
@settings(deadline=None, max_examples=25)
def test_worlds_are_compared_as_two_groups_are(seed, kind):
    generator = np.random.default_rng(seed)
    worlds = generator.normal([[0.0], [1.0], [1.0]], 1.0, (20, 3, 5)) * 10.0 ** generator.integers(
        -200, 100, (20, 1, 1)
    )
    worlds[generator.random(worlds.shape) < 0.3] = NAN
    worlds[0], worlds[1] = 0.7, NAN
    for pair in assurance(worlds, alpha=0.2, **kind):
        tests = [compare_two(w[pair.first], w[pair.second], **kind) for w in worlds]
        assert pair.significant == sum(t.p < 0.2 for t in tests)
        assert pair.undefined == sum(math.isnan(t.p) for t in tests)
        assert pair.worlds + pair.undefined == 20
        assert "no test in" in pair.note
        assert pair.failed == np.isnan(worlds[:, [pair.first, pair.second]]).sum()


def test_certain_parameters_give_power_and_no_effect_gives_alpha():
    """Ten thousand worlds: the standard error of a share is 0.005 at most; four of them are allowed."""
    generator = np.random.default_rng(11)
    worlds = generator.normal([[0.0], [0.0], [1.0]], 1.0, (10_000, 3, 20))
    same, one, other = assurance(worlds, equal_variances=True)
    assert (same.first, same.second) == (0, 1)
    for got, wanted in ((same, 0.05), (one, power_two(1.0, 1.0, 20)), (other, power_two(1.0, 1.0, 20))):
        assert got.share == approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / 10_000))
        assert got.low < got.share < got.high


def test_control_of_worlds_is_named():
    worlds = np.random.default_rng(2).normal(size=(50, 3, 4))
    assert [(p.first, p.second) for p in assurance(worlds, control=1)] == [(0, 1), (2, 1)]
    assert assurance(worlds, control=2)[0].share == assurance(worlds)[1].share


def test_worlds_without_any_test():
    (pair,) = assurance(np.ones((3, 2, 4)))
    assert (pair.worlds, pair.undefined) == (0, 3)
    assert math.isnan(pair.share)
    assert "3 of 3" in pair.note


def test_wilson_by_hand():
    z2 = 1.959963984540054**2
    assert wilson(0, 10) == approx((0.0, z2 / (10 + z2)))
    assert wilson(10, 10) == approx((10 / (10 + z2), 1.0))
    assert wilson(5, 10) == approx((0.2366, 0.7634), abs=5e-5)


# Wrong input

GENERATOR = np.random.default_rng(0)
WRONG = {
    "infinite": lambda: describe([1.0, math.inf]),
    "shape": lambda: describe([[1.0, 2.0]]),
    "text": lambda: describe(["much"]),
    "empty": lambda: compare_two([], [1.0, 2.0]),
    "no pairs": lambda: compare_two([], [], paired=True),
    "unequal pairs": lambda: compare_two([1.0, 2.0], [1.0], paired=True),
    "two tests": lambda: compare_two([1.0, 2.0], [1.0, 3.0], paired=True, equal_variances=True),
    "one group": lambda: compare_groups({"a": [1.0, 2.0]}),
    "empty group": lambda: compare_groups({"a": [1.0, 2.0], "b": []}),
    "no control": lambda: compare_with_control(PLANTS, "contrl", GENERATOR),
    "p above one": lambda: holm([0.1, 1.1]),
    "negative time": lambda: kaplan_meier([-1.0, 2.0], [True, True]),
    "unequal flags": lambda: kaplan_meier([1.0, 2.0], [True]),
    "no flags": lambda: kaplan_meier([1.0, 2.0], [0.5, 1.0]),
    "text flags": lambda: kaplan_meier([1.0, 2.0], ["yes", "no"]),
    "no times": lambda: kaplan_meier([], []),
    "infinite time": lambda: kaplan_meier([math.inf], [True]),
    "one curve": lambda: log_rank({"a": DRUG}),
    "times alone": lambda: log_rank({"a": DRUG, "b": [1.0]}),
    "alpha 0": lambda: power_two(1.0, 1.0, 5, 0.0),
    "alpha 1": lambda: power_anova([0, 1], 1.0, 5, 1.0),
    "alpha 5": lambda: power_log_rank(2.0, 5, 0.5, 5.0),
    "alpha NaN": lambda: assurance(np.ones((2, 2, 2)), alpha=NAN),
    "sd 0": lambda: power_two(1.0, 0.0, 5),
    "n 1": lambda: power_two(1.0, 1.0, 1),
    "n 2.5": lambda: power_two(1.0, 1.0, 2.5),
    "effect NaN": lambda: power_two(NAN, 1.0, 5),
    "effect text": lambda: power_two("1 mm", 1.0, 5),
    "one mean": lambda: power_anova([1.0], 1.0, 5),
    "sizes for means": lambda: power_anova([1.0, 2.0, 3.0], 1.0, [5, 6]),
    "hazard 0": lambda: power_log_rank(0.0, 5, 0.5),
    "events above all": lambda: power_log_rank(2.0, 5, 1.5),
    "nothing to show": lambda: size_for_two(0.0, 1.0, 0.8),
    "equal means": lambda: size_for_anova([1.0, 1.0], 1.0, 0.8),
    "ratio 1": lambda: size_for_log_rank(1.0, 0.5, 0.8),
    "too small": lambda: size_for_two(1e-6, 1.0, 0.8),
    "power 1": lambda: size_for_two(1.0, 1.0, 1.0),
    "power below alpha": lambda: detectable(1.0, 5, 0.05, 0.04),
    "worlds of one group": lambda: assurance(np.ones((3, 1, 4))),
    "flat worlds": lambda: assurance(np.ones((3, 4))),
    "infinite world": lambda: assurance(np.full((2, 2, 2), math.inf)),
    "control of worlds": lambda: assurance(np.ones((3, 2, 4)), control=2),
    "more than all": lambda: wilson(3, 2),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_refused_in_words(case):
    with pytest.raises(InputError) as caught:
        WRONG[case]()
    assert caught.value.found
    assert caught.value.expected


def test_misspelt_control_gets_a_hint():
    with pytest.raises(InputError, match="Did you mean `ctrl`"):
        compare_with_control(PLANTS, "contrl", GENERATOR)


def test_the_input_is_left_as_it_was():
    values = np.array([3.0, NAN, 1.0, 2.0])
    before = values.copy()
    describe(values), compare_two(values, values * 2), kaplan_meier(values, [1, 1, 0, 1]), holm(values / 3)
    np.testing.assert_array_equal(values, before)
