"""Exact solutions of linear flow between pools: dx/dt = M x + b, by the matrix exponential."""

from __future__ import annotations

import math

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array


def follow(rates: Array, start: Array, times: Array, source: Array | None = None) -> Array:
    """Return x at times from dx/dt = M x + b, with constant M and b.

    Arguments:
        rates: M (n, n), 1/h.
        start: x at time zero (n,).
        times: hours (t,), rising from zero or later.
        source: b (n,), per hour; None is zero.

    Returns:
        Array (t, n).
    """
    from scipy.linalg import expm

    n = len(start)
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n] = rates
    if source is not None:
        whole[:n, n] = source
    moments = np.asarray(times, dtype=float)
    now = np.append(np.asarray(start, dtype=float), 1.0)
    if moments.size == 0:
        return np.empty((0, n))
    # Times are mostly even: one exponential for each length of step. Rounding makes even steps one.
    places = 13 - math.ceil(math.log10(max(float(moments[-1]), 1e-12)))
    steps, which = np.unique(np.round(np.diff(moments, prepend=0.0), places), return_inverse=True)
    moves = expm(steps[:, None, None] * whole)
    found = np.empty((len(moments), n + 1))
    for i, k in enumerate(which):
        now = moves[k] @ now
        found[i] = now
    return found[:, :n]


def check_times(times: Array, where: str = "times") -> Array:
    """Return times (h) as an axis; they must rise from zero or later."""
    found = np.atleast_1d(np.asarray(times, dtype=float))
    if found.size == 0 or found[0] < 0.0 or np.any(np.diff(found) < 0.0):
        raise InputError(where, f"{found.tolist()[:6]}", "times of 0 or later that rise")
    return found


def follow_pulse(rates: Array, given: Array, length: float, times: Array) -> Array:
    """Return x at times from dx/dt = M x after amounts that are given evenly from time zero over a length (h).

    Arguments:
        rates: M (n, n), 1/h.
        given: amounts (n,) by the end of the pulse; all at once where the length is zero.
        times: hours (t,).

    Returns:
        Array (t, n).
    """
    if length == 0.0:
        return follow(rates, given, times)
    nothing = np.zeros(len(given))
    source = np.asarray(given, dtype=float) / length
    found = follow(rates, nothing, np.minimum(times, length), source)
    after = times > length
    if after.any():
        at_end = follow(rates, nothing, np.array([length]), source)[0]
        found[after] = follow(rates, at_end, times[after] - length)
    return found
