"""Many solutions at once: Newton's method on the mole balances and the ionic strength together, compiled.

Unknown are y = ln activity of each component (and of H+, where charge balance sets it) and v = ln ionic strength:

    F_k = sum_s E_sk c_s - T_k = 0,   R = I - 1/2 (sum_s z_s^2 c_s + |closing charge|) = 0

With y alone F is the gradient of a convex function, so its Jacobian is factored by Cholesky; v is eliminated. Columns
of known y (pH, a gas, a zero total at minus infinity) keep a row of the identity. A solution that does not converge
here is left to ``assemblage``. Loaded when first used: Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

DAVIES, EXTENDED = 0, 1
TOLERANCE = 1e-12
STEPS = 60
LARGEST_STEP = 2.5
# Passes over the components before Newton's method, each far cheaper than one of its steps.
PASSES = 3
# Numba's decorators carry no types.
_compile: Any = numba.njit(cache=True, nogil=True)
_compile_parallel: Any = numba.njit(cache=True, nogil=True, parallel=True)


def _guess(work: Any, y: Any, known: Any, totals: Any, tableau: Any) -> float:
    """Set the free masters as if only protons bound them; return a first ionic strength."""
    start, column, count, charges, _, alone = tableau
    width = len(y) - 1
    side = np.zeros(width)
    for s in range(len(charges)):
        k = alone[s]
        if k >= 0:
            protons = count[start[s + 1] - 1] if column[start[s + 1] - 1] == width else 0.0
            side[k] += math.exp(work[0, s] + protons * y[width])
    strength = 1e-3
    for k in range(width):
        if not known[k]:
            y[k] = math.log(totals[k] / max(side[k], 1.0))
            strength += 0.5 * totals[k] * min(charges[k] ** 2, 4.0)
    return min(strength, 1.0)


def _share_out(work: Any, y: Any, known: Any, totals: Any, tableau: Any, columns: Any, closed: bool) -> float:
    """Bring the free masters near their mole balances, one after the other; return the ionic strength then."""
    start, column, count, charges, _, _ = tableau
    first, row, times = columns
    for s in range(len(charges)):
        exponent = work[0, s] - work[1, s]
        for i in range(start[s], start[s + 1]):
            exponent += count[i] * y[column[i]]
        work[3, s] = math.exp(min(exponent, 300.0))
    for _ in range(PASSES):
        for k in range(len(y) - 1):
            if known[k]:
                continue
            held = 0.0
            for i in range(first[k], first[k + 1]):
                held += times[i] * work[3, row[i]]
            factor = max(totals[k] / held, 1e-9)
            y[k] += math.log(factor)
            for i in range(first[k], first[k + 1]):
                work[3, row[i]] *= factor if times[i] == 1.0 else factor ** times[i]
    squares = net = 0.0
    for s in range(len(charges)):
        squares += charges[s] * charges[s] * work[3, s]
        net += charges[s] * work[3, s]
    return min(0.5 * (squares + (0.0 if closed else abs(net))), 1.0)


def _weaken(work: Any, strength: float, laws: Any, slope: float, per_size: float, charges: Any) -> None:
    """Set ln gamma (row 1) and its derivative to ln I (row 2) of every species."""
    law, sizes = laws
    capped = min(strength, 1.0)
    root = math.sqrt(capped)
    davies = -slope * (root / (1.0 + root) - 0.3 * capped)
    turn = -slope * (0.5 * root / (1.0 + root) ** 2 - 0.3 * capped) if strength < 1.0 else 0.0
    full = math.sqrt(strength)
    for s in range(len(charges)):
        z = charges[s] * charges[s]
        if law == 1 and sizes[s] == sizes[s]:
            below = 1.0 + per_size * sizes[s] * full
            work[1, s] = -slope * z * full / below
            work[2, s] = -slope * z * 0.5 * full / (below * below)
        else:
            work[1, s] = z * davies
            work[2, s] = z * turn


def _balance(work: Any, y: Any, tableau: Any, sums: Any, jacobian: Any, closed: bool) -> tuple[float, float, float]:
    """Set c (row 3), the sums of each column, the Jacobian and its edges; return z^2 sum, net charge, turn sum."""
    start, column, count, charges, _, _ = tableau
    sums[:] = 0.0
    jacobian[:] = 0.0
    squares = net = 0.0
    for s in range(len(charges)):
        exponent = work[0, s] - work[1, s]
        for i in range(start[s], start[s + 1]):
            exponent += count[i] * y[column[i]]
        c = math.exp(min(exponent, 300.0))
        work[3, s] = c
        squares += charges[s] * charges[s] * c
        net += charges[s] * c
    sign = 0.0 if closed else (1.0 if net > 0 else -1.0)
    turn = 0.0
    for s in range(len(charges)):
        c = work[3, s]
        edge = (charges[s] * charges[s] + sign * charges[s]) * c
        turn += edge * work[2, s]
        for i in range(start[s], start[s + 1]):
            k, part = column[i], count[i] * c
            sums[0, k] += part
            sums[1, k] += part * work[2, s]
            sums[2, k] += count[i] * edge
            sums[3, k] += abs(part)
            for j in range(start[s], i + 1):
                jacobian[k, column[j]] += part * count[j]
    return squares, net, turn


def _factor(matrix: Any) -> bool:
    """Put the Cholesky factor of a symmetric matrix into its lower triangle; say whether it is positive."""
    for k in range(len(matrix)):
        pivot = matrix[k, k]
        for j in range(k):
            pivot -= matrix[k, j] * matrix[k, j]
        if not pivot > 0.0:
            return False
        pivot = math.sqrt(pivot)
        matrix[k, k] = pivot
        for i in range(k + 1, len(matrix)):
            entry = matrix[i, k]
            for j in range(k):
                entry -= matrix[i, j] * matrix[k, j]
            matrix[i, k] = entry / pivot
    return True


def _substitute(matrix: Any, right: Any) -> None:
    """Solve with the factor in place."""
    for i in range(len(right)):
        entry = right[i]
        for j in range(i):
            entry -= matrix[i, j] * right[j]
        right[i] = entry / matrix[i, i]
    for i in range(len(right) - 1, -1, -1):
        entry = right[i]
        for j in range(i + 1, len(right)):
            entry -= matrix[j, i] * right[j]
        right[i] = entry / matrix[i, i]


def _prepare(matrix: Any, sums: Any, sides: Any, known: Any, totals: Any) -> float:
    """Set the right sides, scale the system and take known columns out; return the largest relative residual."""
    width, worst = len(known), 0.0
    for k in range(width):
        if known[k]:
            matrix[k, :k] = 0.0
            matrix[k + 1 :, k] = 0.0
            matrix[k, k] = 1.0
            sides[0, k] = sides[1, k] = 0.0
            sums[2, k] = 0.0
        else:
            residual = sums[0, k] - totals[k]
            worst = max(worst, abs(residual) / max(sums[3, k], abs(totals[k])))
            sides[0, k], sides[1, k] = -residual, sums[1, k]
    # Unit diagonal: totals may differ by ten decades.
    for k in range(width):
        sides[2, k] = 1.0 / math.sqrt(matrix[k, k]) if matrix[k, k] > 0.0 else 1.0
    for k in range(width):
        for j in range(k + 1):
            matrix[k, j] *= sides[2, k] * sides[2, j]
        sides[0, k] *= sides[2, k]
        sides[1, k] *= sides[2, k]
    return worst


def _solve(
    work: Any, y: Any, known: Any, totals: Any, tableau: Any, laws: Any, water: Any, held: float, room: Any
) -> Any:
    """Return (ionic strength, converged) of one solution; y and the concentrations (row 3 of work) are set."""
    sums, matrix, sides, closed, columns = room
    charges, width = tableau[3], len(y)
    rough = _guess(work, y, known, totals, tableau)
    strength = rough if held < 0.0 else held
    _weaken(work, strength, laws, water[0], water[1], charges)
    begin = _share_out(work, y, known, totals, tableau, columns, closed)
    strength = begin if held < 0.0 else held
    for _ in range(STEPS):
        _weaken(work, strength, laws, water[0], water[1], charges)
        squares, net, turn = _balance(work, y, tableau, sums, matrix, closed)
        worst = _prepare(matrix, sums, sides, known, totals)
        gap = 0.0 if held >= 0.0 else strength - 0.5 * (squares + (0.0 if closed else abs(net)))
        if worst < TOLERANCE and abs(gap) <= TOLERANCE * strength:
            return strength, True
        if not _factor(matrix):
            return strength, False
        _substitute(matrix, sides[0])
        _substitute(matrix, sides[1])
        move = 0.0
        if held < 0.0:
            above, below = -gap, strength + 0.5 * turn
            for k in range(width):
                above += 0.5 * sums[2, k] * sides[2, k] * sides[0, k]
                below -= 0.5 * sums[2, k] * sides[2, k] * sides[1, k]
            move = (
                max(-1.0, min(1.0, above / below)) if below > 0.1 * strength else max(-1.0, min(1.0, above / strength))
            )
        longest = 0.0
        for k in range(width):
            sides[0, k] = sides[2, k] * (sides[0, k] + move * sides[1, k])
            longest = max(longest, abs(sides[0, k]))
        share = LARGEST_STEP / longest if longest > LARGEST_STEP else 1.0
        for k in range(width):
            if not known[k]:
                y[k] += share * sides[0, k]
        strength *= math.exp(share * move)
    return strength, False


_guess, _weaken, _balance = _compile(_guess), _compile(_weaken), _compile(_balance)
_factor, _substitute, _prepare = _compile(_factor), _compile(_substitute), _compile(_prepare)
_share_out, _solve = _compile(_share_out), _compile(_solve)


def _solve_all(
    ln_k: Any, y: Any, known: Any, totals: Any, tableau: Any, laws: Any, water: Any, held: Any, out: Any
) -> None:
    concentrations, strengths, converged, columns = out
    blocks = min(64, len(y))
    for block in numba.prange(blocks):
        species, width = len(tableau[3]), y.shape[1]
        work = np.zeros((4, species))
        sums, matrix, sides = np.zeros((4, width)), np.zeros((width, width)), np.zeros((3, width))
        for i in range(block * len(y) // blocks, (block + 1) * len(y) // blocks):
            work[0] = ln_k[i % len(ln_k)]
            closed = not known[i, width - 1]
            room = (sums, matrix, sides, closed, columns)
            state = water[i % len(water)]
            found = _solve(work, y[i], known[i], totals[i], tableau, laws, state, held[i], room)
            strengths[i], converged[i] = found[0], found[1]
            concentrations[i] = work[3]


_solve_many = _compile_parallel(_solve_all)


def solve_many(
    ln_k: Any, y: Any, totals: Any, counts: Any, charges: Any, law: int, sizes: Any, water: Any, held: Any
) -> tuple[Any, Any, Any]:
    """Solve many solutions; ``y`` holds ln activities, not a number where unknown, and is filled in place.

    Arguments:
        ln_k: natural logarithms of the constants, (1 or n, species).
        y: ln activities of components and H+, (n, components + 1); an open pH starts from neutral.
        totals: totals of components and of protons (mol/L), (n, components + 1).
        counts: matrix E, (species, components + 1).
        charges: of the species.
        law: 0 Davies, 1 extended Debye-Hueckel with ``sizes`` (m).
        water: ln10 A and B of the Debye-Hueckel law, (1 or n, 2).
        held: ionic strength that is given (mol/L), or -1.

    Returns:
        Concentrations (mol/L), (n, species); ionic strengths (mol/L) and whether each converged, (n,).
    """
    known = ~np.isnan(y)
    y[:, -1] = np.where(known[:, -1], y[:, -1], math.log(1e-7))
    rows, column = np.nonzero(counts)
    start = np.searchsorted(rows, np.arange(len(counts) + 1))
    masters = (counts[:, :-1] > 0).sum(axis=1) == 1
    alone = np.where(masters, np.argmax(counts[:, :-1], axis=1), -1)
    alone[counts[np.arange(len(counts)), alone] != 1] = -1
    tableau = (start, column, counts[rows, column], charges, sizes, alone)
    out = (np.empty((len(y), len(counts))), np.empty(len(y)), np.zeros(len(y), np.bool_))
    inside, row = np.nonzero(counts.T)
    columns = (np.searchsorted(inside, np.arange(y.shape[1] + 1)), row, counts.T[inside, row])
    _solve_many(ln_k, y, known, totals, tableau, (law, sizes), water, held, (*out, columns))
    return out
