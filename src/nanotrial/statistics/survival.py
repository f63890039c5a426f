"""Times to an event in groups of subjects, some of which left before it: survival curves and the log-rank test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrial.errors import InputError
from nanotrial.statistics.checks import CONFIDENCE, Values, read_values

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class SurvivalCurve:
    """Share without the event just after each time; ``at_risk`` is the number just before it."""

    time: Values
    survival: Values
    at_risk: Counts
    low: Values
    high: Values
    median: float
    n: int
    failed: int
    events: Counts
    censored: Counts
    note: str = ""


@dataclass(frozen=True)
class LogRank:
    """Log-rank test; observed and expected events in the order of ``names``, NaN for a group left out."""

    chi_squared: float
    df: int
    p: float
    names: tuple[str, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    n: tuple[int, ...]
    failed: tuple[int, ...]
    note: str = ""


def kaplan_meier(times: ArrayLike, observed: ArrayLike) -> SurvivalCurve:
    """Return the product-limit estimate of survival with pointwise intervals of 95 %.

    Equation: S = prod (1 - d_i/n_i); interval S^exp(-+ z sqrt(V) / ln S), V = sum d_i / (n_i (n_i - d_i)) (Greenwood).
    Before the first event the interval is 1 to 1; at S = 0 it is not defined (NaN). The median is the first time with
    S <= 1/2, NaN with a note where S stays above.

    Arguments:
        times: time of the event or of leaving, any unit, 0 or more, shape (subjects,); NaN for a failed subject.
        observed: True where the event was seen, False where the subject left before, shape (subjects,).

    Raises:
        InputError: no subjects, negative or infinite times, unequal lengths, flags that are no flags.

    Validity: leaving tells nothing about the event. Source: Kaplan and Meier (1958).
    """
    from scipy import special

    time, seen, failed = _read_times("times", times, observed)
    if not len(time):
        nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
        note = "no value: every subject failed"
        return SurvivalCurve(nothing, nothing, none, nothing, nothing, math.nan, 0, failed, none, none, note)
    moments = np.unique(time)
    at_risk, events = _count(moments, time, seen)
    censored = _leaving(moments, time[~seen])
    survival = np.asarray(np.cumprod(1.0 - events / at_risk), dtype=float)
    alive = np.where(at_risk > events, at_risk - events, 1)
    variance = np.cumsum(np.where(at_risk > events, events / (at_risk * alive), np.nan))
    inner = (survival > 0.0) & (survival < 1.0)
    logarithm = np.log(np.where(inner, survival, 0.5))
    spread = float(special.ndtri(0.5 + CONFIDENCE / 2)) * np.sqrt(np.where(inner, variance, 0.0)) / logarithm
    edge = np.where(survival > 0.0, 1.0, np.nan)
    low = np.where(inner, np.exp(logarithm * np.exp(-spread)), edge)
    high = np.where(inner, np.exp(logarithm * np.exp(spread)), edge)
    halved = np.flatnonzero(survival <= 0.5 * (1.0 + 1e-12))  # products of shares miss one half by rounding
    median = float(moments[halved[0]]) if len(halved) else math.nan
    note = "" if len(halved) else "the median is not reached"
    return SurvivalCurve(moments, survival, at_risk, low, high, median, len(time), failed, events, censored, note)


def log_rank(groups: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> LogRank:
    """Return the log-rank test of two or more groups: is the rate of the event the same in all?

    Equation: at each time of an event, n at risk and d events, e_i = d n_i/n and
    V_ij = d (n - d)/(n - 1) n_i/n (delta_ij - n_j/n); chi^2 = (O - E)' V^-1 (O - E), one group left out, df = k - 1.

    Arguments:
        groups: name -> (times, observed), as ``kaplan_meier`` takes them.

    Raises:
        InputError: fewer than two groups, or as ``kaplan_meier``.

    Validity: large-sample chi-square; most power where the ratio of rates is constant. A group that was gone before the
    first event is left out, with a note. Source: Mantel (1966); Peto and Peto (1972).
    """
    from scipy import special

    if len(groups) < 2:
        raise InputError("groups", f"{len(groups)} of them", "at least two groups to compare")
    read = {name: _read_times(f"group `{name}`", *_couple(name, group)) for name, group in groups.items()}
    names, k = tuple(read), len(read)
    n, failed = tuple(len(t) for t, _, _ in read.values()), tuple(lost for _, _, lost in read.values())
    expected, total, covariance = _expect(read)
    observed = np.array([int(seen.sum()) for _, seen, _ in read.values()])
    used = np.flatnonzero(expected > 0.0)
    gone = [names[i] for i in range(k) if i not in used]
    note = f"nobody at risk at any event in {', '.join(gone)}" if total and gone else ""
    shown = tuple(float(e) if e > 0.0 else math.nan for e in expected)
    counts = tuple(int(o) for o in observed)
    free = used[:-1]
    df = max(len(used) - 1, 0)
    if not total:
        note = "no event was seen"
    elif df and not covariance[free, free].any():
        note = "all events at one time and nobody left: nothing can be tested"
    elif not df:
        note = f"{note}: nothing can be tested"
    if not df or not covariance[free, free].any():
        return LogRank(math.nan, df, math.nan, names, counts, shown, n, failed, note)
    excess = (observed - expected)[free]
    chi_squared = max(0.0, float(excess @ np.linalg.solve(covariance[np.ix_(free, free)], excess)))
    p = float(special.chdtrc(df, chi_squared))
    return LogRank(chi_squared, df, p, names, counts, shown, n, failed, note)


def _expect(read: Mapping[str, tuple[Values, Flags, int]]) -> tuple[Values, int, Values]:
    """Return expected events of every group, the number of all events, and the covariance of the excess."""
    everyone = np.concatenate([t for t, _, _ in read.values()])
    seen = np.concatenate([s for _, s, _ in read.values()])
    moments = np.unique(everyone[seen])
    each = np.array([_count(moments, t, s)[0] for t, s, _ in read.values()], dtype=float)  # (groups, moments)
    at_risk, events = _count(moments, everyone, seen)
    share = each / at_risk
    weight = events * (at_risk - events) / np.maximum(at_risk - 1, 1)
    covariance = np.diag(share @ weight) - (share * weight) @ share.T
    return share @ events, int(seen.sum()), covariance


def _count(moments: Values, time: Values, seen: Flags) -> tuple[Counts, Counts]:
    """Return how many were at risk just before each moment, and how many had the event at it."""
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    return at_risk.astype(np.int64), _leaving(moments, time[seen])


def _leaving(moments: Values, time: Values) -> Counts:
    """Return how many of the times are equal to each moment."""
    ordered = np.sort(time)
    found = np.searchsorted(ordered, moments, side="right") - np.searchsorted(ordered, moments, side="left")
    return found.astype(np.int64)


def _couple(name: str, group: tuple[ArrayLike, ArrayLike]) -> tuple[ArrayLike, ArrayLike]:
    """Return times and flags of a group."""
    try:
        times, observed = group
    except (TypeError, ValueError):
        raise InputError(f"group `{name}`", f"{type(group).__name__}", "two arrays: times, observed") from None
    return times, observed


def _read_times(where: str, times: ArrayLike, observed: ArrayLike) -> tuple[Values, Flags, int]:
    """Return times and flags of the subjects that did not fail, and how many failed."""
    time, flags = read_values(where, times), np.asarray(observed)
    if flags.shape != time.shape:
        found = f"times of shape {time.shape} and flags of shape {flags.shape}"
        raise InputError(where, found, "one time and one flag per subject")
    if not len(time):
        raise InputError(where, "no subjects", "at least one subject", "Leave an empty group out.")
    if flags.dtype != np.bool_ and not (flags.dtype.kind in "iuf" and np.isin(flags, (0, 1)).all()):
        raise InputError(where, "flags other than true and false", "True where the event was seen, else False")
    known = ~np.isnan(time)
    if (time[known] < 0.0).any():
        raise InputError(where, f"a negative time, {time[known].min()}", "times of 0 or more since the start")
    return time[known], flags[known].astype(np.bool_), len(time) - int(known.sum())
