"""The step loop: a block of lanes, each with a member, a time and a step of its own, all doing the same arithmetic.

A lane that reaches the end of its member writes it out and takes the next one. Nothing a lane computes depends on its
neighbours, so results are the same however members are spread over lanes and threads. Loaded when first used: Numba.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nanotrial.solve.lanes.rodas5p import DENSE, GAMMA, NODES, STAGES, TIME_WEIGHTS, A, C

# Eight doubles fill one register of AVX-512, two of AVX2; being fixed it makes loops over lanes single instructions.
LANES = 8
DONE, TOO_MANY_STEPS, STEP_TOO_SMALL = 0, 1, 2
# Refusals in a row before the factors are made anew with pivoting, and before the member is given up.
PIVOT_AFTER, GIVE_UP_AFTER = 4, 24
# A lane that needs pivots again at once keeps them for so many steps: refusals would shorten steps without end.
PIVOTS_KEPT = np.array([0, 0, 12, 60, 240])


def _caller(count: int) -> Any:
    """Return a function that calls the machine code at an address with pointers, all given as integers."""

    @intrinsic
    def call(context: Any, address: Any, pointers: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [pointer] * count)
            target = builder.inttoptr(arguments[0], kind.as_pointer())
            given = [builder.inttoptr(builder.extract_value(arguments[1], i), pointer) for i in range(count)]
            builder.call(target, given)
            return context.get_dummy_value()

        return types.void(types.int64, types.UniTuple(types.int64, count)), generate

    return call


_call_rates = _caller(5)
_call_jacobian = _caller(7)
_call_three = _caller(3)


@numba.njit(cache=True, nogil=True)
def _aligned(rows: int) -> Any:
    """Return zeros of shape (rows, lanes) that begin at a multiple of 64 bytes."""
    whole = np.zeros(rows * LANES + 8)
    skip = ((64 - whole.ctypes.data % 64) % 64) // 8
    return whole[skip : skip + rows * LANES].reshape(rows, LANES)


@numba.njit(cache=True, nogil=True)
def _pivoted_factors(matrix: Any, order: Any) -> None:
    """Factorise a dense matrix in place by elimination with row exchange."""
    n = matrix.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        order[k] = best
        if best != k:
            for j in range(n):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
        for i in range(k + 1, n):
            if matrix[i, k] != 0.0:
                matrix[i, k] /= matrix[k, k]
                for j in range(k + 1, n):
                    matrix[i, j] -= matrix[i, k] * matrix[k, j]


@numba.njit(cache=True, nogil=True)
def _pivoted_solve(matrix: Any, order: Any, b: Any) -> None:
    """Solve in place with the factors of ``_pivoted_factors``."""
    n = matrix.shape[0]
    for k in range(n):
        b[k], b[order[k]] = b[order[k]], b[k]
        # Rows exchanged later carry their multipliers along, so exchanges come first.
    for i in range(n):
        for j in range(i):
            b[i] -= matrix[i, j] * b[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= matrix[i, j] * b[j]
        b[i] /= matrix[i, i]


@numba.njit(cache=True, nogil=True)
def _first_step(y: Any, f: Any, differential: Any, lane: int, relative: float, absolute: float, span: float) -> float:
    """Return a step in which the rates of the start would change the state by a hundredth of its size."""
    size, speed = 0.0, 0.0
    for i in range(y.shape[0]):
        if differential[i]:
            weight = absolute + relative * abs(y[i, lane])
            size += (y[i, lane] / weight) ** 2
            speed += (f[i, lane] / weight) ** 2
    if not speed > 0.0 or not np.isfinite(speed):
        return 1e-6 * span
    return min(span, max(1e-9 * span, 0.01 * np.sqrt(max(size, 1.0) / speed)))


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _combine(out: Any, base: Any, weights: Any, count: int, k: Any) -> None:
    """Set out = base + sum_j weights_j k_j, lane by lane; a weight may be one number or one for each lane."""
    n = out.shape[0]
    for i in range(n):
        for m in range(LANES):
            out[i, m] = base[i, m]
    for j in range(count):
        if weights[j] != 0.0:
            for i in range(n):
                for m in range(LANES):
                    out[i, m] += weights[j] * k[j, i, m]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _stage(
    code: Any,
    s: int,
    y: Any,
    u: Any,
    r: Any,
    k: Any,
    t: Any,
    ts: Any,
    h: Any,
    w: Any,
    c: Any,
    ft: Any,
    lu: Any,
    dif: Any,
) -> None:
    """Compute stage s > 0: argument, rates, right-hand side, solution."""
    n = y.shape[0]
    if s < STAGES - 2:
        _combine(u, y, A[s], s, k)
    else:  # the last arguments are each the one before plus its increment
        for i in range(n):
            for m in range(LANES):
                u[i, m] += k[s - 1, i, m]
    for m in range(LANES):
        ts[0, m] = t[m] + NODES[s] * h[m]
    _call_rates(code[0], (ts.ctypes.data, u.ctypes.data, 0, c.ctypes.data, r.ctypes.data))
    for j in range(s):
        for i in range(n):
            if dif[i]:
                for m in range(LANES):
                    r[i, m] += C[s, j] * w[m] * k[j, i, m]
    if ft.shape[0] > 0 and TIME_WEIGHTS[s] != 0.0:
        for i in range(n):
            for m in range(LANES):
                r[i, m] += TIME_WEIGHTS[s] * h[m] * ft[i, m]
    _call_three(code[3], (lu.ctypes.data, r.ctypes.data, k[s].ctypes.data))


@numba.njit(cache=True, nogil=True)
def _resolve_pivoted(pivoting: Any, dense: Any, orders: Any, r: Any, k: Any, column: Any) -> None:
    """Solve the lanes that pivot anew from their right-hand sides."""
    for m in range(r.shape[1]):
        if pivoting[m]:
            for i in range(r.shape[0]):
                column[i] = r[i, m]
            _pivoted_solve(dense[m], orders[m], column)
            for i in range(r.shape[0]):
                k[i, m] = column[i]


@numba.njit(cache=True, nogil=True)
def _write_outputs(
    out: Any, first: int, grid: Any, start: float, h: float, y: Any, y1: Any, k: Any, m: int, bend: Any
) -> int:
    """Write the outputs inside a step; return the number of the next one."""
    if first >= len(grid) or grid[first] > start + h:
        return first
    n = y.shape[0]
    for q in range(3):
        for i in range(n):
            bend[q, i] = 0.0
            for j in range(STAGES):
                bend[q, i] += DENSE[q, j] * k[j, i, m]
    g = first
    while g < len(grid) and grid[g] <= start + h:
        s = (grid[g] - start) / h
        for i in range(n):
            curve = bend[0, i] + s * (bend[1, i] + s * bend[2, i])
            out[g, i] = (1.0 - s) * y[i, m] + s * (y1[i, m] + (1.0 - s) * curve)
        g += 1
    return g


@numba.njit(cache=True, nogil=True)
def integrate(
    code: Any,
    y0: Any,
    constants: Any,
    start: float,
    grid: Any,
    differential: Any,
    rows: Any,
    columns: Any,
    sizes: Any,
    relative: float,
    absolute: float,
    max_steps: int,
    out: Any,
    status: Any,
    counts: Any,
    stopped: Any,
) -> None:
    """Integrate members from ``start`` over a rising grid of times.

    Arguments:
        code: addresses of rates, jacobian, factor and solve.
        y0: scaled states at the start, shape (members, states).
        constants: results of the constants program, shape (members, constants).
        start: first instant (s).
        grid: output times (s), all after ``start``.
        differential: true for states, false for equilibrium variables.
        rows: row of each entry of the Jacobian.
        columns: column of each entry of the Jacobian.
        sizes: entries of the factors, and of df/dt (0 where time does not enter).
        relative: error allowed relative to the size of a state.
        absolute: error allowed in a scaled state.
        max_steps: steps after which a member is given up.
        out: written; shape (members, times, states), NaN where a member failed.
        status: written; 0 or why a member failed.
        counts: written; steps taken, refused, and solved with pivoting, shape (members, 3).
        stopped: written; time reached (s).
    """
    members, n = y0.shape
    y, u, r, f = _aligned(n), _aligned(n), _aligned(n), _aligned(n)
    k = _aligned(STAGES * n).reshape(STAGES, n, LANES)
    c, jac, lu = _aligned(max(constants.shape[1], 1)), _aligned(len(rows)), _aligned(sizes[0])
    ft, ts, ws = _aligned(sizes[1]), _aligned(1), _aligned(1)
    t, h, w = np.zeros(LANES), np.ones(LANES), np.ones(LANES)
    member, nexts = np.full(LANES, -1), np.zeros(LANES, np.int64)
    before, was = np.ones(LANES), np.zeros(LANES)
    refused, fresh = np.zeros(LANES, np.int64), np.ones(LANES, np.bool_)
    pivoting, rescues, kept = np.zeros(LANES, np.bool_), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    dense, orders, column = np.zeros((0, 0, 0)), np.zeros((LANES, n), np.int64), np.zeros(n)
    end, inner, bend = grid[len(grid) - 1], grid[: len(grid) - 1], np.zeros((3, n))
    queue, active = 0, 0
    for m in range(LANES):  # spare lanes repeat the first member
        one = min(queue, members - 1)
        y[:, m], c[: constants.shape[1], m], t[m] = y0[one], constants[one], start
        if queue < members:
            member[m] = queue
            queue += 1
            active += 1
    while active > 0:
        for m in range(LANES):
            ts[0, m] = t[m]
        _call_jacobian(
            code[1], (ts.ctypes.data, y.ctypes.data, 0, c.ctypes.data, f.ctypes.data, jac.ctypes.data, ft.ctypes.data)
        )
        for m in range(LANES):
            if fresh[m]:
                h[m] = _first_step(y, f, differential, m, relative, absolute, end - start)
                fresh[m] = False
            if member[m] >= 0 and t[m] + 1.01 * h[m] >= end:
                h[m] = end - t[m]
            w[m] = 1.0 / h[m]
            ws[0, m] = w[m] / GAMMA
        _call_three(code[2], (jac.ctypes.data, ws.ctypes.data, lu.ctypes.data))
        some = False
        for m in range(LANES):
            pivoting[m] = member[m] >= 0 and (refused[m] >= PIVOT_AFTER or kept[m] > 0)
            if pivoting[m]:
                some = True
                if dense.shape[0] == 0:
                    dense = np.zeros((LANES, n, n))
                dense[m] = 0.0
                for e in range(len(rows)):
                    dense[m, rows[e], columns[e]] = -jac[e, m]
                for i in range(n):
                    if differential[i]:
                        dense[m, i, i] += ws[0, m]
                _pivoted_factors(dense[m], orders[m])
                counts[member[m], 2] += 1
        for i in range(n):
            for m in range(LANES):
                u[i, m], r[i, m] = y[i, m], f[i, m]
                if ft.shape[0] > 0:
                    r[i, m] += TIME_WEIGHTS[0] * h[m] * ft[i, m]
        _call_three(code[3], (lu.ctypes.data, r.ctypes.data, k[0].ctypes.data))
        if some:
            _resolve_pivoted(pivoting, dense, orders, r, k[0], column)
        for s in range(1, STAGES):
            _stage(code, s, y, u, r, k, t, ts, h, w, c, ft, lu, differential)
            if some:
                _resolve_pivoted(pivoting, dense, orders, r, k[s], column)
        for m in range(LANES):
            if member[m] < 0:
                continue
            total = 0.0
            for i in range(n):
                new = u[i, m] + k[STAGES - 1, i, m]
                weight = absolute + relative * max(abs(y[i, m]), abs(new))
                total += (k[STAGES - 1, i, m] / weight) ** 2
                r[i, m] = new
            error = np.sqrt(total / n)
            one = member[m]
            if error <= 1.0:
                counts[one, 0] += 1
                if refused[m] >= PIVOT_AFTER:
                    rescues[m] = min(rescues[m] + 1, len(PIVOTS_KEPT) - 1)
                    kept[m] = PIVOTS_KEPT[rescues[m]]
                elif kept[m] > 0:
                    kept[m] -= 1
                else:
                    rescues[m] = 0
                refused[m] = 0
                last = h[m] == end - t[m]
                nexts[m] = _write_outputs(out[one], nexts[m], inner, t[m], h[m], y, r, k, m, bend)
                for i in range(n):
                    y[i, m] = r[i, m]
                t[m] += h[m]
                size = max(error, 1e-10)
                factor = 0.9 * size**-0.2
                # Gustafsson's prediction: errors that grow from step to step will go on to do so.
                if was[m] > 0.0:
                    factor = min(factor, 0.9 * h[m] / was[m] * (before[m] / size**2) ** 0.2)
                was[m], before[m] = h[m], max(size, 1e-2)
                h[m] *= min(6.0, max(0.2, factor))
                if last:
                    for i in range(n):
                        out[one, len(grid) - 1, i] = y[i, m]
                    status[one] = DONE
                    stopped[one] = end
                    member[m] = -1
            else:
                counts[one, 1] += 1
                refused[m] += 1
                h[m] *= max(0.1, 0.9 * error**-0.2) if np.isfinite(error) else 0.2
                small = h[m] <= 1e-15 * max(abs(t[m]), 1e-6 * (end - start))
                if small or refused[m] > GIVE_UP_AFTER:
                    status[one], stopped[one], member[m] = STEP_TOO_SMALL, t[m], -2
            if member[m] >= 0 and counts[one, 0] + counts[one, 1] >= max_steps:
                status[one], stopped[one], member[m] = TOO_MANY_STEPS, t[m], -2
            if member[m] < 0:
                if member[m] == -2:
                    out[one] = np.nan
                active -= 1
                t[m], h[m], refused[m], nexts[m], was[m] = start, 1.0, 0, 0, 0.0
                rescues[m], kept[m] = 0, 0
                spare = min(queue, members - 1)
                y[:, m], c[: constants.shape[1], m] = y0[spare], constants[spare]
                fresh[m], member[m] = True, -1
                if queue < members:
                    member[m] = queue
                    queue += 1
                    active += 1
