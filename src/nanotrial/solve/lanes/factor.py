"""Sparse LU of  W = w M - J  as programs: the order of elimination is chosen once, then everything is straight-line.

M is the identity on states and zero on equilibrium variables, w = 1 / (step * gamma). Rows of equilibria are matched to
the variables they bind best; pivots stay on that diagonal, in the order of least fill (Markowitz, 1957, key
markowitz_1957). There is no pivoting at run time: the caller watches for steps that keep failing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import NetworkError
from nanotrial.network.program import Program
from nanotrial.solve.lanes.graphs import Builder

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Factorisation:
    """``factor`` (J, w) -> entries of L and U; ``solve`` (entries, b) -> x; ``fill`` entries beyond those of W."""

    factor: Program
    solve: Program
    entries: int
    fill: int


def match_rows(
    rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64], differential: NDArray[np.bool_]
) -> list[int]:
    """Return for each column the row that is to stand on its diagonal.

    States keep their own row, where M makes the pivot large in short steps; equilibria go to the variables for which
    the product of pivots is largest.

    Arguments:
        rows: row of each entry.
        columns: column of each entry.
        values: typical sizes of the entries.
        differential: true for states, false for equilibrium variables.

    Raises:
        NetworkError: equilibria that do not determine their variables.
    """
    from scipy.optimize import linear_sum_assignment

    n, bound = len(differential), np.flatnonzero(~differential)
    found = list(range(n))
    if not len(bound):
        return found
    place = {int(k): i for i, k in enumerate(bound)}
    cost = np.full((len(bound), len(bound)), 1e9)
    for row, column, value in zip(rows.tolist(), columns.tolist(), np.abs(values).tolist(), strict=True):
        if row in place and column in place:
            cost[place[row], place[column]] = -math.log(value) if 0.0 < value < math.inf else 1e3
    chosen_rows, chosen_columns = linear_sum_assignment(cost)
    if cost[chosen_rows, chosen_columns].max() >= 1e9:
        raise NetworkError("the equilibria of the network do not determine their variables")
    for row, column in zip(chosen_rows, chosen_columns, strict=True):
        found[int(bound[column])] = int(bound[row])
    return found


def elimination_order(neighbours: list[set[int]], n: int) -> list[int]:
    """Return pivots in the order of least fill; ``neighbours[i]`` are the columns of row i (diagonal left out)."""
    below: list[set[int]] = [set() for _ in range(n)]
    right = [set(row) for row in neighbours]
    for i, row in enumerate(right):
        for j in row:
            below[j].add(i)
    left, order = set(range(n)), []
    while left:
        pivot = min(left, key=lambda k: (len(right[k]) * len(below[k]), k))
        order.append(pivot)
        left.remove(pivot)
        for i in below[pivot]:
            right[i].discard(pivot)
            new = right[pivot] - right[i] - {i}
            right[i] |= new
            for j in new:
                below[j].add(i)
        for j in right[pivot]:
            below[j].discard(pivot)
    return order


def factorise(
    rows: NDArray[np.int64], columns: NDArray[np.int64], differential: NDArray[np.bool_], matched: list[int]
) -> Factorisation:
    """Return the programs of a matrix whose entries stand at (rows, columns) in the order of the Jacobian's nonzeros.

    Arguments:
        rows: row of each entry of J.
        columns: column of each entry of J.
        differential: true for states, false for equilibrium variables.
        matched: row to stand on the diagonal of each column.
    """
    n = len(differential)
    place_of_row = {row: column for column, row in enumerate(matched)}
    built, table = Builder(), [dict[int, int]() for _ in range(n)]
    for entry, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        table[place_of_row[row]][column] = built.add("negate", built.add("input", place=(0, entry)))
    w = built.add("input", place=(1, 0))
    for k in range(n):
        row = matched[k]
        if differential[row]:
            # The one of M stands in the column of the state itself.
            known = table[k].get(row)
            table[k][row] = w if known is None else built.add("add", w, known)
    order = elimination_order([set(table[k]) - {k} for k in range(n)], n)
    before = sum(map(len, table))
    lower: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    inverse = [0] * n
    rank = {k: i for i, k in enumerate(order)}
    holders: list[set[int]] = [set() for _ in range(n)]
    for i, entries in enumerate(table):
        for j in entries:
            holders[j].add(i)
    for k in order:
        inverse[k] = built.add("invert", table[k][k])
        for i in sorted((i for i in holders[k] if rank[i] > rank[k]), key=rank.__getitem__):
            share = built.add("multiply", table[i].pop(k), inverse[k])
            lower[i].append((k, share))
            for j in (j for j in table[k] if rank[j] > rank[k]):
                product = built.add("multiply", share, table[k][j])
                known = table[i].get(j)
                table[i][j] = built.add("negate", product) if known is None else built.add("subtract", known, product)
                holders[j].add(i)
    return _programs(built, table, lower, inverse, order, rank, matched, len(rows), before)


def _programs(
    built: Builder,
    table: list[dict[int, int]],
    lower: list[list[tuple[int, int]]],
    inverse: list[int],
    order: list[int],
    rank: dict[int, int],
    matched: list[int],
    nonzeros: int,
    before: int,
) -> Factorisation:
    """Return factor and solve from eliminated rows."""
    n, kept = len(order), list[int]()

    def keep(node: int) -> int:
        kept.append(node)
        return len(kept) - 1

    solver = Builder()
    x: dict[int, int] = {}
    for k in order:
        x[k] = solver.add("input", place=(1, matched[k]))
        for j, share in lower[k]:
            entry = solver.add("input", place=(0, keep(share)))
            x[k] = solver.add("subtract", x[k], solver.add("multiply", entry, x[j]))
    for k in reversed(order):
        for j in sorted((j for j in table[k] if rank[j] > rank[k]), key=rank.__getitem__):
            entry = solver.add("input", place=(0, keep(table[k][j])))
            x[k] = solver.add("subtract", x[k], solver.add("multiply", entry, x[j]))
        x[k] = solver.add("multiply", x[k], solver.add("input", place=(0, keep(inverse[k]))))
    factor = Program(tuple(built.nodes), (nonzeros, 1), (tuple(kept),))
    solve = Program(tuple(solver.nodes), (len(kept), n), (tuple(x[k] for k in range(n)),))
    return Factorisation(factor, solve, len(kept), len(kept) - before)
