"""How surely an experiment shows an effect, how many subjects it takes, and what it can show with those it has.

Tests are two-sided. ``n`` counts subjects per group. Power includes the chance of a finding in the wrong direction, so
that it is alpha where there is no effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from nanotrial.errors import InputError
from nanotrial.statistics.checks import (
    CONFIDENCE,
    ROUNDING,
    Values,
    check_count,
    check_finite,
    check_positive,
    check_share,
    read_values,
)

MOST_SUBJECTS = 10_000_000  # per group; a search that passes it is an error of the input
MOST_TERMS = 20_000  # of the Poisson sum; wider sums are taken in even steps


@dataclass(frozen=True)
class Assurance:
    """Share of worlds in which the test of two groups finds a difference, with its interval.

    ``worlds`` counts those in which it could be done, ``undefined`` the others; ``failed`` counts failed subjects.
    """

    first: int
    second: int
    share: float
    low: float
    high: float
    significant: int
    worlds: int
    undefined: int
    failed: int
    note: str = ""


def power_two(effect: float, sd: float, n: int, alpha: float = 0.05, n_second: int | None = None) -> float:
    """Return the power of Student's t test of two groups.

    Equation: P(|T| > t(1 - alpha/2, df)), T non-central t with df = n_1 + n_2 - 2 and centre (effect/sd) /
    sqrt(1/n_1 + 1/n_2); computed from T^2, which is non-central F.

    Arguments:
        effect: true difference of the means, any unit and sign.
        sd: true standard deviation within groups, same unit.
        n: subjects in the first group.
        alpha: level of the test.
        n_second: subjects in the second group; as many as in the first where left out.

    Raises:
        InputError: sd not above zero, fewer than two subjects in a group, alpha outside (0, 1).

    Validity: normal values of equal variance.
    """
    first = check_count("n", n, 2)
    second = first if n_second is None else check_count("n_second", n_second, 2)
    ratio = check_finite("effect", effect) / check_positive("sd", sd)
    centre = ratio * math.sqrt(first * second / (first + second))
    return _power_of_f(centre, 1, first + second - 2, check_share("alpha", alpha))


def power_anova(means: ArrayLike, sd: float, n: int | Sequence[int], alpha: float = 0.05) -> float:
    """Return the power of the one-way analysis of variance.

    Equation: P(F' > F(1 - alpha; k - 1, N - k)), F' non-central F with lambda = sum n_i (mu_i - mu)^2 / sd^2, mu the
    weighted mean.

    Arguments:
        means: true means of the groups, any unit, shape (groups,).
        sd: true standard deviation within groups, same unit.
        n: subjects per group, one number for all or one each.
        alpha: level of the test.

    Raises:
        InputError: fewer than two means, sd not above zero, fewer than two subjects, alpha outside (0, 1).

    Validity: normal values of equal variance.
    """
    true = read_values("means", means)
    if len(true) < 2 or np.isnan(true).any():
        raise InputError("means", f"{len(true)} means", "two or more finite means")
    each = np.array([check_count("n", m, 2) for m in np.atleast_1d(np.asarray(n, dtype=object))], dtype=float)
    if len(each) == 1:
        each = np.full(len(true), each[0])
    if len(each) != len(true):
        raise InputError("n", f"{len(each)} numbers for {len(true)} means", "one number, or one for each mean")
    apart = (true - each @ true / each.sum()) / check_positive("sd", sd)
    centre = float(np.linalg.norm(np.sqrt(each) * apart))
    return _power_of_f(centre, len(true) - 1, int(each.sum()) - len(true), check_share("alpha", alpha))


def power_log_rank(hazard_ratio: float, n: int, event_fraction: float, alpha: float = 0.05) -> float:
    """Return the power of the log-rank test of two groups of one size.

    Equation: Phi(c - z) + Phi(-c - z), c = |ln hazard_ratio| sqrt(D/4), D = 2 n event_fraction, z = z(1 - alpha/2).

    Arguments:
        hazard_ratio: rate of the event in one group over that in the other; constant in time.
        n: subjects per group.
        event_fraction: share of all subjects in which the event is seen, above 0, at most 1.
        alpha: level of the test.

    Raises:
        InputError: ratio not above zero, fewer than two subjects, a share out of range.

    Validity: large samples, ratio near 1. Source: Schoenfeld (1981).
    """
    from scipy import special

    fraction = check_positive("event_fraction", event_fraction)
    if fraction > 1.0:
        raise InputError("event_fraction", f"{event_fraction}", "a share above 0, at most 1")
    events = 2.0 * check_count("n", n, 2) * fraction
    centre = abs(math.log(check_positive("hazard_ratio", hazard_ratio))) * math.sqrt(events / 4.0)
    z = -float(special.ndtri(check_share("alpha", alpha) / 2.0))
    return float(special.ndtr(centre - z) + special.ndtr(-centre - z))


def size_for_two(effect: float, sd: float, power: float, alpha: float = 0.05) -> int:
    """Return the smallest number of subjects per group with which ``power_two`` reaches a power.

    Arguments:
        effect: true difference of the means, any unit and sign, not zero.
        sd: true standard deviation within groups, same unit.
        power: wanted share, above 0, below 1.
        alpha: level of the test.

    Raises:
        InputError: as ``power_two``; no effect; more than ten million subjects per group.
    """
    return _smallest("effect", effect, lambda n: power_two(effect, sd, n, alpha), power)


def size_for_anova(means: ArrayLike, sd: float, power: float, alpha: float = 0.05) -> int:
    """Return the smallest number of subjects per group with which ``power_anova`` reaches a power.

    Arguments:
        means: true means of the groups, any unit, shape (groups,), not all equal.
        sd: true standard deviation within groups, same unit.
        power: wanted share, above 0, below 1.
        alpha: level of the test.

    Raises:
        InputError: as ``power_anova``; no difference; more than ten million subjects per group.
    """
    return _smallest("means", np.ptp(read_values("means", means)), lambda n: power_anova(means, sd, n, alpha), power)


def size_for_log_rank(hazard_ratio: float, event_fraction: float, power: float, alpha: float = 0.05) -> int:
    """Return the smallest number of subjects per group with which ``power_log_rank`` reaches a power.

    Arguments:
        hazard_ratio: rate of the event in one group over that in the other, not 1.
        event_fraction: share of all subjects in which the event is seen, above 0, at most 1.
        power: wanted share, above 0, below 1.
        alpha: level of the test.

    Raises:
        InputError: as ``power_log_rank``; a ratio of 1; more than ten million subjects per group.
    """
    apart = math.log(check_positive("hazard_ratio", hazard_ratio))
    return _smallest("hazard_ratio", apart, lambda n: power_log_rank(hazard_ratio, n, event_fraction, alpha), power)


def detectable(sd: float, n: int, alpha: float, power: float) -> float:
    """Return the smallest true difference of two means that Student's t test shows with a wanted power.

    Arguments:
        sd: true standard deviation within groups, any unit.
        n: subjects per group.
        alpha: level of the test.
        power: wanted share, above alpha, below 1.

    Returns:
        The difference, in the unit of ``sd``.

    Raises:
        InputError: as ``power_two``, or a power that is not above alpha.
    """
    from scipy.optimize import brentq

    wanted, spread = check_share("power", power), check_positive("sd", sd)
    if wanted <= check_share("alpha", alpha):
        raise InputError("power", f"{power}", f"a power above alpha, {alpha}", "No difference has less.")
    high = 1.0
    while power_two(high, 1.0, n, alpha) < wanted:
        high *= 2.0
    return spread * float(brentq(lambda e: power_two(e, 1.0, n, alpha) - wanted, 0.0, high, xtol=1e-13, rtol=1e-13))


def assurance(
    values: ArrayLike,
    control: int | None = None,
    alpha: float = 0.05,
    paired: bool = False,
    equal_variances: bool = False,
) -> tuple[Assurance, ...]:
    """Return for each pair of groups the share of possible worlds in which their t test finds a difference.

    This is power where the parameters are not certain: each world is one draw of them, with subjects of its own.

    Arguments:
        values: any unit, shape (worlds, groups, subjects); NaN for a failed subject.
        control: index of a group to compare each other one with; all pairs where left out.
        alpha: level of each test, not adjusted; divide it by the number of pairs to bound false findings.
        paired: whether one index of a subject is one subject in all groups.
        equal_variances: whether to pool the variances (Student); Welch's test otherwise.

    Returns:
        One result for each pair; the other group stands first, the control second. The interval (95 %, Wilson) covers
        the number of worlds only.

    Raises:
        InputError: wrong shape, infinite values, no such control, alpha outside (0, 1).
    """
    array = _read_worlds(values)
    level, groups = check_share("alpha", alpha), array.shape[1]
    if paired and equal_variances:
        raise InputError("assurance", "paired and equal_variances", "one of the two", "Leave one out.")
    if control is None:
        pairs = list(combinations(range(groups), 2))
    elif isinstance(control, int | np.integer) and 0 <= control < groups:
        pairs = [(i, int(control)) for i in range(groups) if i != control]
    else:
        raise InputError("control", f"{control}", f"the index of a group, 0 to {groups - 1}")
    found = []
    for i, j in pairs:
        p = _p_of_worlds(array[:, i], array[:, j], paired, equal_variances)
        done, hits = int((~np.isnan(p)).sum()), int((p < level).sum())
        failed = int(np.isnan(array[:, [i, j]]).sum())
        low, high = wilson(hits, done) if done else (math.nan, math.nan)
        note = "" if done == len(p) else f"no test in {len(p) - done} of {len(p)} worlds: too few values or no spread"
        share = hits / done if done else math.nan
        found.append(Assurance(i, j, share, low, high, hits, done, len(p) - done, failed, note))
    return tuple(found)


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the interval of a share (95 %), after Wilson.

    Equation: (s + z^2/2 -+ z sqrt(s (n - s)/n + z^2/4)) / (n + z^2), s successes.

    Arguments:
        successes: number of successes, 0 to n.
        n: number of trials, 1 or more.

    Raises:
        InputError: counts out of range.

    Source: Wilson (1927).
    """
    from scipy import special

    trials, hits = check_count("n", n, 1), check_count("successes", successes, 0)
    if hits > trials:
        raise InputError("successes", f"{hits} of {trials}", "no more than the number of trials")
    z = float(special.ndtri(0.5 + CONFIDENCE / 2))
    half = z * math.sqrt(hits * (trials - hits) / trials + z * z / 4)
    low, high = (hits + z * z / 2 - half) / (trials + z * z), (hits + z * z / 2 + half) / (trials + z * z)
    return (low if hits else 0.0), (high if hits < trials else 1.0)


def _power_of_f(centre: float, df_between: int, df_within: int, alpha: float) -> float:
    """Return the power of an F test with non-centrality centre^2, as a Poisson mixture of beta integrals.

    Equation: sum over j of Poisson(j; lambda/2) I_{1-x}(df_within/2, df_between/2 + j), x at the limit of the test.
    """
    from scipy import special

    # SciPy's own non-central F and t fail at no effect and at large ones.
    beyond = float(special.betaincinv(df_within / 2, df_between / 2, alpha))  # 1 - x
    mean = min(centre * centre / 2.0, 1e15)
    if mean == 0.0:
        return alpha
    width = 12.0 * math.sqrt(mean) + 40.0
    lowest, highest = max(0.0, math.floor(mean - width)), math.ceil(mean + width)
    j = np.arange(lowest, highest + 1.0, max(1.0, math.ceil((highest - lowest) / MOST_TERMS)))
    logarithms = special.xlogy(j, mean) - special.gammaln(j + 1.0)
    weights = np.exp(logarithms - logarithms.max())
    tails = special.betainc(df_within / 2, df_between / 2 + j, beyond)
    return min(1.0, float(weights @ tails / weights.sum()))


def _smallest(where: str, apart: float, power_of: Callable[[int], float], wanted: float) -> int:
    """Return the least number of subjects, 2 or more, whose power is at least the wanted one."""
    wanted = check_share("power", wanted)
    if apart == 0.0:
        raise InputError(where, "no difference", "a difference: no number of subjects shows that there is none")
    low, high = 1, 2
    while power_of(high) < wanted:
        if high >= MOST_SUBJECTS:
            raise InputError(
                where, "a difference too small", f"one shown by {MOST_SUBJECTS} subjects per group or fewer"
            )
        low, high = high, min(2 * high, MOST_SUBJECTS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= wanted else (middle, high)
    return high


def _read_worlds(values: ArrayLike) -> Values:
    """Return values of worlds, groups and subjects."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError("values", str(error), "numbers of shape (worlds, groups, subjects)") from None
    if array.ndim != 3 or array.shape[0] < 1 or array.shape[1] < 2 or array.shape[2] < 1:
        raise InputError("values", f"shape {array.shape}", "shape (worlds, groups, subjects), two or more groups")
    if np.isinf(array).any():
        raise InputError("values", "an infinite value", "finite numbers", "Write NaN for a failed subject.")
    return array


def _p_of_worlds(a: Values, b: Values, paired: bool, equal_variances: bool) -> Values:
    """Return p of the t test in each world, NaN where there is none; a and b of shape (worlds, subjects)."""
    from scipy import special

    largest = np.nan_to_num(np.maximum(np.fmax.reduce(np.abs(a), axis=1), np.fmax.reduce(np.abs(b), axis=1)))
    scale = np.ldexp(1.0, np.frexp(np.where(largest > 0.0, largest, 1.0))[1] - 1)[:, None]
    a, b = a / scale, b / scale
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 is NaN: no test in that world
        if paired:
            n, difference, variance = _moments(a - b)
            se, df = np.sqrt(variance / n), n - 1.0
        else:
            (n_a, mean_a, var_a), (n_b, mean_b, var_b) = _moments(a), _moments(b)
            difference = mean_a - mean_b
            if equal_variances:
                df = n_a + n_b - 2.0
                se = np.sqrt(((n_a - 1.0) * var_a + (n_b - 1.0) * var_b) / df * (1.0 / n_a + 1.0 / n_b))
            else:
                part_a, part_b = var_a / n_a, var_b / n_b
                se = np.sqrt(part_a + part_b)
                df = (part_a + part_b) ** 2 / (part_a**2 / (n_a - 1.0) + part_b**2 / (n_b - 1.0))
        t = np.where(se > ROUNDING, difference / se, np.nan)
        return np.asarray(2.0 * special.stdtr(df, -np.abs(t)), dtype=float)


def _moments(x: Values) -> tuple[Values, Values, Values]:
    """Return number, mean and variance (NaN below two values) over subjects, those that failed left out."""
    known = ~np.isnan(x)
    n = known.sum(axis=1).astype(float)
    filled = np.where(known, x, 0.0)
    mean = filled.sum(axis=1) / n
    apart = np.where(known, x - mean[:, None], 0.0)
    return n, mean, np.where(n > 1.0, (apart**2).sum(axis=1) / (n - 1.0), np.nan)
