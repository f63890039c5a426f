"""One solution with the solids it can hold: the assemblage of least Gibbs energy.

At fixed activity coefficients the logarithms y of the activities of the components minimise the convex function

    Phi(y) = sum_s c_s(y) - sum_k T_k y_k      subject to      N_p y <= ln K_p        (no phase is supersaturated)

and the amounts n_p of the solids are the multipliers of the constraints: n_p >= 0, n_p (ln K_p - N_p y) = 0. So the
phase rule needs no care. An interior-point method finds which solids stand; Newton's method on mole balances,
solubilities and ionic strength together gives the numbers; the conditions are checked at the end. Sources:
karpov_1997 (the convex programme), nocedal_2006 (primal-dual methods).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotrial.errors import SolveError
from nanotrial.medium.tableau import Array

TOLERANCE = 1e-12
# A phase beyond its solubility by less than this (in ln Omega) counts as saturated.
SATURATED = 1e-9
_CAPS = (2.5, 1.0, 0.3)


@dataclass(frozen=True)
class Problem:
    """What is known: constants, totals, what is held, and the law of activity.

    ``totals`` (mol/L) and ``known`` (ln activity, not a number where unknown) have one entry for each component and one
    for the proton; ``ln_gamma`` gives ln gamma of the species and its derivative to ln I at an ionic strength.
    """

    counts: Array
    charges: Array
    ln_k: Array
    phase_counts: Array
    phase_ln_k: Array
    totals: Array
    known: Array
    ln_gamma: Callable[[float], tuple[Array, Array]]
    strength: float | None = None

    @property
    def closed(self) -> bool:
        """Say whether charge balance sets the pH; otherwise an indifferent ion closes the charge."""
        return bool(np.isnan(self.known[-1]))


@dataclass(frozen=True)
class Assemblage:
    """ln activities of components and proton, species (mol/L), solids (mol/L), ionic strength (mol/L)."""

    y: Array
    concentrations: Array
    solids: Array
    strength: float


def equilibrate(problem: Problem) -> Assemblage:
    """Return the assemblage of least Gibbs energy.

    Raises:
        SolveError: no try met the conditions of equilibrium within tolerance.
    """
    small, back = _reduce(problem)
    for cap in _CAPS:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = _attempt(small, cap)
        if found is not None:
            return back(found)
    raise SolveError(
        "chemical equilibrium: no state met mole balances and solubilities. "
        "Look for totals far outside those of real solutions, or hold the pH."
    )


def _reduce(problem: Problem) -> tuple[Problem, Callable[[Assemblage], Assemblage]]:
    """Leave out components that are not there, and every species and phase made of them."""
    gone = np.isneginf(problem.known)
    species = ~(np.abs(problem.counts[:, gone]).sum(axis=1) > 0)
    phases = ~(np.abs(problem.phase_counts[:, gone]).sum(axis=1) > 0)
    law = problem.ln_gamma

    def ln_gamma(strength: float) -> tuple[Array, Array]:
        value, turn = law(strength)
        return value[species], turn[species]

    small = Problem(
        problem.counts[species][:, ~gone],
        problem.charges[species],
        problem.ln_k[species],
        problem.phase_counts[phases][:, ~gone],
        problem.phase_ln_k[phases],
        problem.totals[~gone],
        problem.known[~gone],
        ln_gamma,
        problem.strength,
    )

    def back(found: Assemblage) -> Assemblage:
        y, c, n = np.full(len(gone), -np.inf), np.zeros(len(species)), np.zeros(len(phases))
        y[~gone], c[species], n[phases] = found.y, found.concentrations, found.solids
        return Assemblage(y, c, n, found.strength)

    return small, back


def _attempt(problem: Problem, cap: float) -> Assemblage | None:
    y, solids, strength = _approach(problem, cap)
    standing = solids > _slack(problem, y)
    for _ in range(2 * len(standing) + 3):
        found = _polish(problem, y, np.where(standing, solids, 0.0), strength, standing)
        if found is None:
            return None
        over = -_slack(problem, found.y)
        over[standing] = -np.inf
        # What is negative leaves before anything else comes in.
        if np.any(found.solids < 0):
            standing = standing & (found.solids >= 0)
        elif len(over) and over.max() > SATURATED:
            standing = standing.copy()
            standing[int(np.argmax(over))] = True
        else:
            return found
        y, solids, strength = found.y, np.maximum(found.solids, 0.0), found.strength
    return None


def _slack(problem: Problem, y: Array) -> Array:
    return problem.phase_ln_k - problem.phase_counts @ y


def _species(problem: Problem, y: Array, ln_gamma: Array) -> Array:
    found: Array = np.exp(np.minimum(problem.ln_k - ln_gamma + problem.counts @ y, 300.0))
    return found


def _strength(problem: Problem, concentrations: Array) -> float:
    if problem.strength is not None:
        return problem.strength
    net = 0.0 if problem.closed else abs(float(problem.charges @ concentrations))
    return 0.5 * (float(problem.charges**2 @ concentrations) + net)


def _start(problem: Problem, free: NDArray[np.bool_]) -> tuple[Array, float]:
    """Return first ln activities: masters bound by protons alone; pH 7 where it is open."""
    y = np.where(free, np.log(1e-7), problem.known)
    ions = problem.counts[:, :-1]
    alone = (np.abs(ions) > 0).sum(axis=1) == 1
    strength = problem.strength or min(1.0, 1e-3 + 0.5 * float(np.sum(np.abs(problem.totals[:-1]))))
    ln_gamma, _ = problem.ln_gamma(strength)
    for k in np.flatnonzero(free[:-1]):
        rows = alone & (ions[:, k] == 1)
        side = np.sum(np.exp(problem.ln_k[rows] - ln_gamma[rows] + problem.counts[rows, -1] * y[-1]))
        y[k] = np.log(problem.totals[k] / max(side, 1.0))
    return y, strength


def _approach(problem: Problem, cap: float) -> tuple[Array, Array, float]:
    """Return y, solids and ionic strength near equilibrium by the primal-dual interior-point method."""
    free = np.isnan(problem.known)
    y, strength = _start(problem, free)
    counts, rows = problem.counts[:, free], problem.phase_counts[:, free]
    totals = problem.totals[free]
    most, height = _most_solid(problem, free), 1e-2
    slack = np.maximum(_slack(problem, y), 1.0)
    solids = height * most
    for _ in range(int(200 + 250 / cap)):
        ln_gamma, _ = problem.ln_gamma(strength)
        c, target = _species(problem, y, ln_gamma), height * most
        gradient = counts.T @ c + rows.T @ solids - totals
        gap = problem.phase_counts @ y + slack - problem.phase_ln_k
        weight = solids / slack
        matrix = (counts.T * c) @ counts + (rows.T * weight) @ rows
        right = -gradient - rows.T @ (target / slack - solids + weight * gap)
        dy = _scaled_solve(matrix, right)
        ds = -gap - rows @ dy
        dn = target / slack - solids - weight * ds
        share = min(1.0, cap / max(float(np.max(np.abs(dy), initial=0.0)), 1e-300))
        along = share * _room(slack, ds, share) if len(solids) else _shorten(problem, y, free, dy, ln_gamma, share)
        across = share * _room(solids, dn, share)
        y[free] += along * dy
        # Far from n s = target the weights n / s mean nothing.
        slack = slack + along * ds
        solids = np.clip(solids + across * dn, 1e-4 * target / slack, 1e4 * target / slack)
        wanted = _strength(problem, _species(problem, y, ln_gamma))
        strength *= float(np.exp(np.clip(np.log(max(wanted, 1e-12) / strength), -0.7, 0.7)))
        size = np.abs(counts.T) @ c + np.abs(rows.T) @ solids + np.abs(totals) + 1e-30
        off = max(float(np.max(np.abs(gradient) / size, initial=0.0)), float(np.max(np.abs(gap), initial=0.0)))
        if off < 1e-7 and height < 1e-13:
            break
        # The barrier falls only where the state has followed it.
        if off < 0.1 and min(along, across) > 0.5:
            height = max(0.1 * height, 1e-14)
    return y, solids, strength


def _most_solid(problem: Problem, free: NDArray[np.bool_]) -> Array:
    """Return how much of each phase the totals could make at most (mol/L): the height of its barrier."""
    counts, totals = problem.phase_counts[:, :-1], np.abs(problem.totals[:-1])
    limited = (counts > 0) & free[:-1]
    parts = np.where(limited, totals / np.where(limited, counts, 1.0), np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(parts), parts, max(float(totals.max(initial=0.0)), 1e-9))


def _room(held: Array, move: Array, share: float) -> float:
    """Return the largest part of a step that keeps everything positive."""
    shrinking = share * move < 0
    if not np.any(shrinking):
        return 1.0
    return min(1.0, 0.995 * float(np.min(-held[shrinking] / (share * move[shrinking]))))


def _shorten(problem: Problem, y: Array, free: NDArray[np.bool_], dy: Array, ln_gamma: Array, share: float) -> float:
    """Return a step along which the convex function still falls, or barely rises, at its end."""
    counts, totals = problem.counts[:, free], problem.totals[free]
    first = float((counts.T @ _species(problem, y, ln_gamma) - totals) @ dy)
    for _ in range(30):
        trial = y.copy()
        trial[free] += share * dy
        last = float((counts.T @ _species(problem, trial, ln_gamma) - totals) @ dy)
        if last <= 0.9 * abs(first):
            break
        share *= 0.5
    return share


def _scaled_solve(matrix: Array, right: Array) -> Array:
    """Solve a symmetric system after scaling its diagonal to one."""
    size = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    scaled = matrix * np.outer(size, size)
    try:
        found: Array = size * np.linalg.solve(scaled, size * right)
    except np.linalg.LinAlgError:
        found = size * np.linalg.lstsq(scaled, size * right, rcond=None)[0]
    return found


def _polish(
    problem: Problem, y: Array, solids: Array, strength: float, standing: NDArray[np.bool_]
) -> Assemblage | None:
    """Return the assemblage with these solids to rounding: all equations and the ionic strength in one Newton step."""
    free = np.isnan(problem.known)
    y, solids = y.copy(), solids.copy()
    counts, rows = problem.counts[:, free], problem.phase_counts[standing]
    width, firm = int(free.sum()), int(standing.sum())
    best = np.inf
    for _ in range(80):
        ln_gamma, turn = problem.ln_gamma(strength)
        c = _species(problem, y, ln_gamma)
        net = 0.0 if problem.closed else float(problem.charges @ c)
        edge = (problem.charges**2 + np.sign(net) * problem.charges) * c
        size = np.abs(counts.T) @ c + np.abs(problem.totals[free]) + np.abs(rows[:, free].T) @ np.abs(solids[standing])
        balance = counts.T @ c + rows[:, free].T @ solids[standing] - problem.totals[free]
        missing = rows @ y - problem.phase_ln_k[standing]
        wanted = _strength(problem, c)
        worst = max(np.max(np.abs(balance) / size, initial=0.0), abs(wanted / strength - 1.0))
        worst = max(worst, 1e-2 * np.max(np.abs(missing), initial=0.0))
        if not np.isfinite(worst):
            return None
        if worst < TOLERANCE or (worst < 50 * TOLERANCE and worst >= best):
            return Assemblage(y, c, solids, strength)
        best = min(best, worst)
        matrix = np.zeros((width + firm + 1, width + firm + 1))
        matrix[:width, :width] = (counts.T * c) @ counts
        matrix[:width, width:-1] = rows[:, free].T
        matrix[width:-1, :width] = rows[:, free]
        matrix[-1, -1] = 1.0
        if problem.strength is None:
            matrix[:width, -1] = -(counts.T @ (c * turn))
            matrix[-1, :width] = -0.5 * counts.T @ edge / strength
            matrix[-1, -1] += 0.5 * float(edge @ turn) / strength
        step = _balanced_solve(matrix, -np.concatenate([balance, missing, [1.0 - wanted / strength]]), width)
        share = min(1.0, 2.0 / max(float(np.max(np.abs(step[:width]), initial=0.0)), abs(step[-1]), 1e-300))
        y[free] += share * step[:width]
        solids[standing] += share * step[width:-1]
        strength *= float(np.exp(share * step[-1]))
    return None


def _balanced_solve(matrix: Array, right: Array, width: int) -> Array:
    """Solve the whole system with its block of species scaled to a unit diagonal."""
    size = np.ones(len(right))
    size[:width] = 1.0 / np.sqrt(np.maximum(np.diag(matrix)[:width], 1e-300))
    inner = matrix * np.outer(size, size)
    for row in range(width, len(right) - 1):
        size[row] = 1.0 / max(float(np.max(np.abs(inner[row]))), 1e-300)
    scaled = matrix * np.outer(size, size)
    try:
        found: Array = size * np.linalg.solve(scaled, size * right)
    except np.linalg.LinAlgError:
        found = size * np.linalg.lstsq(scaled, size * right, rcond=None)[0]
    return found
