"""Statistics of cohorts against statsmodels, lifelines, SciPy's own tests, and Dunnett's integral by quadrature.

All compute the same closed forms, so that the tolerances are those of floating point and, for the studentised range
and the non-central distributions, of their integrals.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from nanotrial.statistics.groups import compare_groups, compare_two, compare_with_control, describe, holm
from nanotrial.statistics.power import power_anova, power_two, wilson
from nanotrial.statistics.survival import kaplan_meier, log_rank

approx = pytest.approx
SEEDS = st.integers(0, 2**32)
KINDS = st.sampled_from([("unequal", {}), ("pooled", {"equal_variances": True})])
slowly = settings(deadline=None, max_examples=25)


@pytest.fixture(scope="module")
def statsmodels():
    """The parts of statsmodels that are asked."""
    pytest.importorskip("statsmodels")
    from statsmodels.stats import multicomp, multitest, power, proportion, weightstats

    return {"multicomp": multicomp, "multitest": multitest, "power": power, "share": proportion, "mean": weightstats}


@pytest.fixture(scope="module")
def lifelines():
    pytest.importorskip("lifelines")
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    return KaplanMeierFitter, multivariate_logrank_test


def draw_groups(seed, count):
    """Return groups of unequal size, mean and spread, in units of any magnitude."""
    generator = np.random.default_rng(seed)
    unit = 10.0 ** generator.integers(-9, 9)
    shapes = zip(generator.integers(2, 15, count), generator.normal(3.0, 1.0, count), strict=True)
    return {
        f"g{i}": unit * generator.normal(mean, generator.uniform(0.3, 2.0), n) for i, (n, mean) in enumerate(shapes)
    }


def draw_times(seed, count, most):
    """Return times with many ties, and whether the event was seen."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(5, 40, count)
    rates = generator.uniform(2.0, 9.0, count)
    times = [np.minimum(np.ceil(generator.exponential(r, n)), most) for r, n in zip(rates, sizes, strict=True)]
    return {f"g{i}": (t, generator.random(len(t)) < 0.7) for i, t in enumerate(times)}


@given(SEEDS, KINDS)
@slowly
def test_two_groups_against_statsmodels(statsmodels, seed, kind):
    a, b = draw_groups(seed, 2).values()
    ours = compare_two(a, b, **kind[1])
    t, p, df = statsmodels["mean"].ttest_ind(a, b, usevar=kind[0])
    means = statsmodels["mean"].CompareMeans.from_data(a, b)
    low, high = means.tconfint_diff(usevar=kind[0])
    assert [ours.statistic, ours.p, ours.df] == approx([t, p, df], rel=1e-8)
    assert [ours.low, ours.high] == approx([low, high], rel=1e-8, abs=1e-8 * (high - low))


@given(SEEDS)
@slowly
def test_one_group_against_statsmodels(statsmodels, seed):
    (values,) = draw_groups(seed, 1).values()
    ours, theirs = describe(values), statsmodels["mean"].DescrStatsW(values)
    low, high = theirs.tconfint_mean()
    assert ours.mean == approx(theirs.mean, rel=1e-10)
    assert ours.sem == approx(theirs.std_mean, rel=1e-10)
    assert [ours.low, ours.high] == approx([low, high], rel=1e-9, abs=1e-9 * (high - low))


@given(SEEDS)
@slowly
def test_pairs_against_scipy(seed):
    generator = np.random.default_rng(seed)
    a = generator.normal(size=(2, 9))
    ours, theirs = compare_two(*a, paired=True), stats.ttest_rel(*a)
    interval = theirs.confidence_interval()
    assert [ours.statistic, ours.p, ours.df] == approx([theirs.statistic, theirs.pvalue, theirs.df], rel=1e-9)
    assert [ours.low, ours.high] == approx([interval.low, interval.high], rel=1e-9)


@given(SEEDS, st.integers(2, 5))
@settings(deadline=None, max_examples=8)
def test_several_groups_against_scipy(seed, count):
    groups = draw_groups(seed, count)
    ours, theirs = compare_groups(groups), stats.f_oneway(*groups.values())
    assert [ours.F, ours.p] == approx([theirs.statistic, theirs.pvalue], rel=1e-7)
    tukey = stats.tukey_hsd(*groups.values())
    interval = tukey.confidence_interval()
    index = {name: i for i, name in enumerate(groups)}
    for pair in ours.pairs:
        i, j = index[pair.first], index[pair.second]
        width = interval.high[i, j] - interval.low[i, j]
        assert pair.p == approx(tukey.pvalue[i, j], abs=1e-8)
        assert [pair.low, pair.high] == approx([interval.low[i, j], interval.high[i, j]], abs=1e-6 * width)


@given(SEEDS)
@settings(deadline=None, max_examples=6)
def test_all_pairs_against_statsmodels(statsmodels, seed):
    """statsmodels interpolates the studentised range: four digits."""
    groups = draw_groups(seed, 3)
    labels = np.repeat(list(groups), [len(v) for v in groups.values()])
    theirs = statsmodels["multicomp"].pairwise_tukeyhsd(np.concatenate(list(groups.values())), labels)
    ours = compare_groups(groups).pairs
    assert [-p.difference for p in ours] == approx(list(theirs.meandiffs), rel=1e-8)
    assert [p.p for p in ours] == approx(list(theirs.pvalues), abs=2e-3)


def dunnett_integral(limit, sizes, control, df):
    """Return P(max |t_i| > limit): the statistics share the control's mean z and the pooled spread s."""
    points, weights = np.polynomial.legendre.leggauss(200)
    ends = stats.chi.ppf([1e-12, 1 - 1e-12], df) / math.sqrt(df)
    s, z = ends.mean() + points * (ends[1] - ends[0]) / 2, 9 * points
    share = np.sqrt(sizes / (sizes + control))[:, None, None]
    upper, lower = ((share * z + sign * limit * s[:, None]) / np.sqrt(1 - share**2) for sign in (1, -1))
    inside = np.prod(stats.norm.cdf(upper) - stats.norm.cdf(lower), axis=0)
    density_s = stats.chi.pdf(s * math.sqrt(df), df) * math.sqrt(df) * (ends[1] - ends[0]) / 2
    return 1.0 - float((weights * density_s) @ inside @ (weights * 9 * stats.norm.pdf(z)))


@pytest.mark.parametrize("seed", [1, 2])
def test_control_against_quadrature(seed):
    """The quasi-random integral of SciPy is good to 1e-4, its interval to 1 % of the level."""
    generator = np.random.default_rng(seed)
    sizes = [7, 5, 9, 6]
    groups = {f"g{i}": generator.normal(0.7 * i, 1.0, n) for i, n in enumerate(sizes)}
    df = sum(sizes) - len(sizes)
    pooled = sum(v.var(ddof=1) * (len(v) - 1) for v in groups.values()) / df
    for pair in compare_with_control(groups, "g0", generator):
        se = math.sqrt(pooled * (1 / len(groups[pair.first]) + 1 / sizes[0]))
        others = np.array(sizes[1:], dtype=float)
        assert pair.difference == approx(groups[pair.first].mean() - groups["g0"].mean())
        assert pair.p == approx(dunnett_integral(abs(pair.difference) / se, others, sizes[0], df), abs=3e-4)
        half = (pair.high - pair.low) / 2
        assert dunnett_integral(half / se, others, sizes[0], df) == approx(0.05, abs=1e-3)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
@slowly
def test_holm_against_statsmodels(statsmodels, p):
    assert holm(p) == approx(statsmodels["multitest"].multipletests(p, method="holm")[1], rel=1e-12)


@given(st.integers(1, 500), st.data())
@slowly
def test_wilson_against_statsmodels(statsmodels, n, data):
    hits = data.draw(st.integers(0, n))
    theirs = statsmodels["share"].proportion_confint(hits, n, method="wilson")
    assert wilson(hits, n) == approx(theirs, rel=1e-9, abs=1e-12)


@given(SEEDS, st.integers(4, 30))
@slowly
def test_curve_against_lifelines(lifelines, seed, most):
    ((times, seen),) = draw_times(seed, 1, most).values()
    ours = kaplan_meier(times, seen)
    fitter = lifelines[0]().fit(times, seen)
    theirs, interval = fitter.survival_function_.iloc[:, 0], fitter.confidence_interval_
    assert ours.survival == approx(theirs.loc[ours.time].to_numpy(), rel=1e-10, abs=1e-12)
    inner = (ours.survival > 0) & (ours.survival < 1)
    assert ours.low[inner] == approx(interval.iloc[:, 0].loc[ours.time[inner]].to_numpy(), rel=1e-8)
    assert ours.high[inner] == approx(interval.iloc[:, 1].loc[ours.time[inner]].to_numpy(), rel=1e-8)
    table = fitter.event_table.loc[ours.time]
    for name, got in (("at_risk", ours.at_risk), ("observed", ours.events), ("censored", ours.censored)):
        assert got.tolist() == table[name].tolist()
    if not np.isclose(ours.survival, 0.5, rtol=1e-9).any():  # there lifelines' product may miss one half by rounding
        median = fitter.median_survival_time_
        assert ours.median == approx(math.nan if math.isinf(median) else median, nan_ok=True)


@given(SEEDS, st.integers(2, 5))
@slowly
def test_log_rank_against_lifelines(lifelines, seed, count):
    groups = draw_times(seed, count, 12)
    ours = log_rank(groups)
    labels = np.repeat(list(groups), [len(t) for t, _ in groups.values()])
    times, seen = (np.concatenate([g[i] for g in groups.values()]) for i in (0, 1))
    theirs = lifelines[1](times, labels, seen)
    assert [ours.chi_squared, ours.p] == approx([theirs.test_statistic, theirs.p_value], rel=1e-8)
    assert ours.df == count - 1


@given(SEEDS)
@slowly
def test_log_rank_of_two_against_scipy(seed):
    groups = draw_times(seed, 2, 12)
    ours = log_rank(groups)
    theirs = stats.logrank(*(stats.CensoredData.right_censored(t, ~s) for t, s in groups.values()))
    assert [ours.chi_squared, ours.p] == approx([theirs.statistic**2, theirs.pvalue], rel=1e-8)


@given(st.floats(0.05, 2.5), st.integers(3, 300), st.floats(0.001, 0.2), st.sampled_from([0.5, 1.0, 3.0]))
@slowly
def test_power_of_two_against_statsmodels(statsmodels, effect, n, alpha, ratio):
    second = max(2, round(n * ratio))
    theirs = statsmodels["power"].TTestIndPower().power(effect, n, alpha, ratio=second / n)
    if math.isnan(theirs):  # SciPy's non-central t at large centres; its non-central F holds there
        df = n + second - 2
        theirs = stats.ncf.sf(stats.f.isf(alpha, 1, df), 1, df, effect**2 * n * second / (n + second))
    assert power_two(effect, 1.0, n, alpha, n_second=second) == approx(theirs, rel=1e-8)


@given(SEEDS, st.integers(2, 6), st.integers(2, 100), st.floats(0.001, 0.2))
@slowly
def test_power_of_several_against_statsmodels(statsmodels, seed, count, n, alpha):
    means = np.random.default_rng(seed).normal(0.0, 0.5, count)
    theirs = statsmodels["power"].FTestAnovaPower().power(means.std(), n * count, alpha, k_groups=count)
    assert power_anova(means, 1.0, n, alpha) == approx(theirs, rel=1e-7)


@pytest.mark.parametrize("df", [2, 5, 40, 2000])
@pytest.mark.parametrize("centre", [0.3, 2.0, 30.0, 300.0])
def test_power_of_two_against_its_integral(df, centre):
    """Over the pooled spread s; SciPy's non-central t is not a number at some of these."""
    n = df // 2 + 1
    freedom = 2 * n - 2
    limit = stats.t.isf(0.025, freedom)

    def outside(q):
        s = math.sqrt(stats.chi2.ppf(q, freedom) / freedom)
        return stats.norm.sf(limit * s - centre) + stats.norm.cdf(-limit * s - centre)

    wanted = integrate.quad(outside, 0.0, 1.0, epsabs=1e-10, limit=400)[0]
    assert power_two(centre * math.sqrt(2 / n), 1.0, n) == approx(wanted, abs=1e-8)
