"""Groups of subjects described and compared: intervals, t tests, analysis of variance, all pairs, one control.

Values of one group are taken as independent draws from a normal distribution. NaN stands for a failed subject: it is
left out and counted. What the data cannot show is NaN, with the reason in ``note``. Intervals are of 95 %.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from nanotrial.errors import InputError, nearest
from nanotrial.statistics.checks import (
    CONFIDENCE,
    ROUNDING,
    Values,
    common_scale,
    read_group,
    read_groups,
    read_values,
)

Counts = tuple[tuple[int, int], tuple[int, int]]  # values used, failed
NAN = math.nan
NO_SPREAD = "no spread: the values are equal to rounding, so nothing can be tested"


@dataclass(frozen=True)
class Description:
    """One group: subjects, failed ones, and mean (with its interval), spread and median of the others."""

    n: int
    failed: int
    mean: float
    sd: float
    sem: float
    median: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Test:
    """Two groups compared: first minus second, with interval, and Hedges' g; ``n`` counts the values used."""

    __test__ = False  # pytest takes it for a case of its own otherwise

    name: str
    statistic: float
    df: float
    p: float
    difference: float
    low: float
    high: float
    effect_size: float
    note: str = ""
    n: tuple[int, int] = (0, 0)
    failed: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Pair:
    """Two of several groups: mean of the first minus that of the second; p and interval hold for all pairs at once."""

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    note: str = ""


@dataclass(frozen=True)
class Anova:
    """One-way analysis of variance and all pairs; ``n`` and ``failed`` in the order of ``names``."""

    F: float
    df_between: int
    df_within: int
    p: float
    eta_squared: float
    pairs: tuple[Pair, ...]
    note: str = ""
    names: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


def describe(values: ArrayLike) -> Description:
    """Return mean, spread and median of a group, with the interval of the mean.

    Equation: mean +- t(0.975, n - 1) sd / sqrt(n), sd with n - 1.

    Arguments:
        values: any unit, shape (subjects,); NaN for a failed subject. May be empty.

    Raises:
        InputError: the values are infinite or no row of numbers.

    Validity: normal values, or n large enough for a normal mean.
    """
    from scipy import special

    read = read_values("values", values)
    kept = read[~np.isnan(read)]
    n, failed = len(kept), len(read) - len(kept)
    if not n:
        return Description(0, failed, NAN, NAN, NAN, NAN, NAN, NAN, "no value: every subject failed or none was given")
    scale = common_scale(kept)
    mean, median = scale * float((kept / scale).mean()), scale * float(np.median(kept / scale))
    if n == 1:
        return Description(1, failed, mean, NAN, NAN, median, NAN, NAN, "one value: its spread is not known")
    sd = scale * math.sqrt(_variance(kept / scale))
    sem = sd / math.sqrt(n)
    half = float(special.stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * sem
    note = "" if sd > 0.0 else "all values are equal: the interval has no width"
    return Description(n, failed, mean, sd, sem, median, mean - half, mean + half, note)


def compare_two(a: ArrayLike, b: ArrayLike, paired: bool = False, equal_variances: bool = False) -> Test:
    """Return the t test of two groups: Welch's, or on request Student's or the paired one.

    Equation: t = (mean_a - mean_b) / se, two-sided. Welch: se^2 = s_a^2/n_a + s_b^2/n_b, df by Satterthwaite. Student:
    pooled variance, df = n_a + n_b - 2. Paired: se = sd(a - b)/sqrt(n), df = n - 1.
    Effect size: Hedges' g = J d, d over the pooled sd (paired: over the sd of the differences), J = Gamma(m/2) /
    (sqrt(m/2) Gamma((m-1)/2)), m = n_a + n_b - 2 (paired: n - 1).

    Arguments:
        a: values of the first group, any unit, shape (subjects,); NaN for a failed subject.
        b: values of the second group, same unit; paired: same length and order.
        paired: whether a[i] and b[i] are one subject; a pair with a failed half is left out.
        equal_variances: whether to pool the variances (Student); not together with ``paired``.

    Raises:
        InputError: an empty group, unequal lengths of pairs, infinite values, or two tests asked for at once.

    Source: Welch (1947); Hedges (1981).
    """
    if paired:
        if equal_variances:
            raise InputError("compare_two", "paired and equal_variances", "one of the two", "Leave one out.")
        return _compare_pairs(a, b)
    (first, lost_a), (second, lost_b) = read_group("first group", a), read_group("second group", b)
    name = "Student" if equal_variances else "Welch"
    n = len(first), len(second)
    counts = n, (lost_a, lost_b)
    if min(n) < 2:
        return _untested(name, NAN, f"{n[0]} and {n[1]} values: each group needs two or more", counts)
    scale = common_scale(first, second)
    first, second = first / scale, second / scale
    difference = float(first.mean() - second.mean())
    variances = _variance(first), _variance(second)
    pooled = ((n[0] - 1) * variances[0] + (n[1] - 1) * variances[1]) / (n[0] + n[1] - 2)
    if equal_variances:
        se, df = math.sqrt(pooled * (1 / n[0] + 1 / n[1])), float(n[0] + n[1] - 2)
    else:
        parts = variances[0] / n[0], variances[1] / n[1]
        se = math.sqrt(sum(parts))
        df = se**4 / sum(p**2 / (m - 1) for p, m in zip(parts, n, strict=True)) if se > ROUNDING else NAN
    if se <= ROUNDING:
        return _untested(name, difference * scale, NO_SPREAD, counts)
    g = difference / math.sqrt(pooled) * _small_sample_factor(n[0] + n[1] - 2)
    return _tested(name, difference, se, df, scale, g, counts)


def _compare_pairs(a: ArrayLike, b: ArrayLike) -> Test:
    """Return the paired t test."""
    first, second = read_values("first group", a), read_values("second group", b)
    if len(first) != len(second):
        found = f"{len(first)} and {len(second)} values"
        raise InputError("pairs", found, "as many values in both groups, in one order", "Write NaN for a failed one.")
    if not len(first):
        raise InputError("pairs", "no subjects", "at least one pair")
    failed = int(np.isnan(first).sum()), int(np.isnan(second).sum())
    whole = ~(np.isnan(first) | np.isnan(second))
    first, second = first[whole], second[whole]
    count = len(first)
    counts = (count, count), failed
    if count < 2:
        return _untested("paired", NAN, f"{count} whole pairs: two or more are needed", counts)
    scale = common_scale(first, second)
    differences = first / scale - second / scale
    mean, variance = float(differences.mean()), _variance(differences)
    se = math.sqrt(variance / count)
    if se <= ROUNDING:
        return _untested("paired", mean * scale, NO_SPREAD, counts)
    g = mean / math.sqrt(variance) * _small_sample_factor(count - 1)
    return _tested("paired", mean, se, count - 1.0, scale, g, counts)


def _tested(name: str, difference: float, se: float, df: float, scale: float, g: float, counts: Counts) -> Test:
    """Return the test of a difference with a known standard error, both over ``scale``."""
    from scipy import special

    t = difference / se
    half = float(special.stdtrit(df, 0.5 + CONFIDENCE / 2)) * se
    p = min(1.0, 2.0 * float(special.stdtr(df, -abs(t))))
    low, high = (difference - half) * scale, (difference + half) * scale
    note = "two pairs: Hedges' g is not defined" if math.isnan(g) else ""
    return Test(name, t, df, p, difference * scale, low, high, g, note, *counts)


def _untested(name: str, difference: float, note: str, counts: Counts) -> Test:
    """Return what is left of a test that cannot be done."""
    return Test(name, NAN, NAN, NAN, difference, NAN, NAN, NAN, note, *counts)


def _variance(values: Values) -> float:
    """Return the variance with n - 1; exactly zero for equal values, whose mean may be off by rounding."""
    return float(values.var(ddof=1)) if values.min() < values.max() else 0.0


def _small_sample_factor(df: int) -> float:
    """Return J of Hedges' g; NaN for one degree of freedom, where it is zero and g would say nothing."""
    if df < 2:
        return NAN
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)


def compare_groups(groups: Mapping[str, ArrayLike]) -> Anova:
    """Return the one-way analysis of variance of several groups, and all pairs after Tukey and Kramer.

    Equation: F = (S_between / (k - 1)) / (S_within / (N - k)), eta^2 = S_between / (S_between + S_within); for a pair
    q = |difference| / sqrt(M/2 (1/n_i + 1/n_j)), M = S_within / (N - k), by the studentised range of k means.

    Arguments:
        groups: name -> values, any one unit, shape (subjects,); NaN for a failed subject.

    Raises:
        InputError: fewer than two groups, an empty group or infinite values.

    Validity: equal variances. A group in which all failed is left out, with a note. Source: Kramer (1956).
    """
    from scipy import special

    kept, failed = read_groups(groups)
    names, n = tuple(kept), tuple(len(v) for v in kept.values())
    scale = common_scale(*kept.values())
    used = {name: v / scale for name, v in kept.items() if len(v)}
    counts = np.array([len(v) for v in used.values()])
    k, df = len(used), int(counts.sum()) - len(used)
    gone = [name for name in names if name not in used]
    note = f"all subjects failed in {', '.join(gone)}" if gone else ""
    if k < 2 or df < 1:
        reason = _joined(note, "too few values: two groups, and one of them with two values, are needed")
        return Anova(NAN, max(k - 1, 0), max(df, 0), NAN, NAN, _bare_pairs(kept, reason), reason, names, n, failed)
    means = np.array([float(v.mean()) for v in used.values()])
    within = sum(_variance(v) * (len(v) - 1) for v in used.values() if len(v) > 1)
    between = float(counts @ (means - counts @ means / counts.sum()) ** 2)
    if math.sqrt(within / df / counts.max()) <= ROUNDING:
        reason = _joined(note, NO_SPREAD)
        return Anova(NAN, k - 1, df, NAN, NAN, _bare_pairs(kept, reason), reason, names, n, failed)
    F = between / (k - 1) / (within / df)
    pairs = _tukey_pairs(kept, scale, within / df, k, df)
    eta_squared = between / (between + within)
    return Anova(F, k - 1, df, float(special.fdtrc(k - 1, df, F)), eta_squared, pairs, note, names, n, failed)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _bare_pairs(kept: Mapping[str, Values], note: str) -> tuple[Pair, ...]:
    """Return all pairs with the differences of their means alone."""
    return tuple(_bare_pair(kept, i, j, note) for i, j in combinations(kept, 2))


def _bare_pair(kept: Mapping[str, Values], first: str, second: str, note: str) -> Pair:
    """Return one pair without a test; NaN where one of its groups is gone."""
    if not (len(kept[first]) and len(kept[second])):
        return Pair(first, second, NAN, NAN, NAN, NAN, note)
    scale = common_scale(kept[first], kept[second])
    difference = scale * float((kept[first] / scale).mean() - (kept[second] / scale).mean())
    return Pair(first, second, difference, NAN, NAN, NAN, note)


def _tukey_pairs(kept: Mapping[str, Values], scale: float, variance: float, k: int, df: int) -> tuple[Pair, ...]:
    """Return all pairs by the studentised range; the variance is that within groups, of values over ``scale``."""
    from scipy import stats

    bare = _bare_pairs(kept, "a group without values")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # far tails: the integral says that it is as good as it gets
        width = float(stats.studentized_range.ppf(CONFIDENCE, k, df))
        found = []
        for pair in bare:
            if math.isnan(pair.difference):
                found.append(pair)
                continue
            se = scale * math.sqrt(variance / 2 * (1 / len(kept[pair.first]) + 1 / len(kept[pair.second])))
            p = float(np.clip(stats.studentized_range.sf(abs(pair.difference) / se, k, df), 0.0, 1.0))
            low, high = pair.difference - width * se, pair.difference + width * se
            found.append(Pair(pair.first, pair.second, pair.difference, low, high, p))
    return tuple(found)


def compare_with_control(
    groups: Mapping[str, ArrayLike], control: str, generator: np.random.Generator
) -> tuple[Pair, ...]:
    """Return every other group against one control, after Dunnett (two-sided).

    Equation: t_i = (mean_i - mean_0) / (s sqrt(1/n_i + 1/n_0)), s pooled over all groups; p from the largest |t| of the
    multivariate t distribution with N - k degrees of freedom.

    Arguments:
        groups: name -> values, any one unit, shape (subjects,); NaN for a failed subject. The control is one of them.
        control: name of the control.
        generator: source of the shifts of the quasi-random integral; p is good to about 1e-4, the interval to about
            1 % of its level.

    Raises:
        InputError: no such control, fewer than two groups, an empty group or infinite values.

    Validity: equal variances. Source: Dunnett (1955); SciPy's ``dunnett``.
    """
    kept, _ = read_groups(groups)
    if control not in kept:
        raise InputError("control", f"`{control}`", "the name of one of the groups", nearest(control, kept))
    others = [name for name in kept if name != control]
    used = [name for name in others if len(kept[name])]
    sizes = [len(kept[name]) for name in (control, *used)]
    df = sum(sizes) - len(sizes)
    note = ""
    if not used or not len(kept[control]) or df < 1:
        note = "too few values: the control, one more group, and two values in one of them are needed"
    else:
        scale = common_scale(*kept.values())
        scaled = {name: kept[name] / scale for name in (control, *used)}
        within = sum(_variance(v) * (len(v) - 1) for v in scaled.values() if len(v) > 1)
        note = NO_SPREAD if math.sqrt(within / df / max(sizes)) <= ROUNDING else ""
    tested = {} if note else _dunnett(scaled, control, generator, scale)
    gone = note or "a group without values"
    return tuple(tested.get(name) or _bare_pair(kept, name, control, gone) for name in others)


def _dunnett(
    scaled: Mapping[str, Values], control: str, generator: np.random.Generator, scale: float
) -> dict[str, Pair]:
    """Return the pairs with the control by name of the other group; ``scaled`` is over ``scale``."""
    from scipy import stats

    others = [name for name in scaled if name != control]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Both keywords of SciPy's two ages; the older one is going away.
        try:
            found = stats.dunnett(*(scaled[o] for o in others), control=scaled[control], rng=generator)
        except TypeError:
            found = stats.dunnett(*(scaled[o] for o in others), control=scaled[control], random_state=generator)
        interval = found.confidence_interval(CONFIDENCE)
    note = (
        "the interval is rough: its integral did not converge" if any(w.category is UserWarning for w in caught) else ""
    )
    pairs = {}
    for i, name in enumerate(others):
        difference = scale * float(scaled[name].mean() - scaled[control].mean())
        p = float(np.clip(found.pvalue[i], 0.0, 1.0))
        low, high = scale * float(interval.low[i]), scale * float(interval.high[i])
        pairs[name] = Pair(name, control, difference, low, high, p, note)
    return pairs


def holm(p_values: ArrayLike) -> Values:
    """Return p values adjusted for their number, after Holm; they bound the chance of any false finding.

    Equation: sorted upwards, p'_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).

    Arguments:
        p_values: shares, shape (tests,); NaN for a test that could not be done stays NaN and is not counted in m.

    Raises:
        InputError: a value outside 0 to 1.

    Source: Holm (1979).
    """
    p = read_values("p values", p_values)
    known = ~np.isnan(p)
    if ((p[known] < 0.0) | (p[known] > 1.0)).any():
        raise InputError("p values", "a value outside 0 to 1", "shares from 0 to 1")
    order = np.argsort(p[known], kind="stable")
    raised = p[known][order] * np.arange(known.sum(), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raised))
    result = np.full(len(p), NAN)
    result[known] = adjusted
    return result
