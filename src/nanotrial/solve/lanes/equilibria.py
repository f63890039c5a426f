"""Equilibria of many members at once, by the same damped Newton steps as those of one (``CompiledNetwork``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.errors import SolveError
from nanotrial.network.program import Program, evaluate, program_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.solve.compiled import CompiledNetwork

    Array = NDArray[np.float64]
    Slopes = Callable[[Array, NDArray[np.int64]], tuple[Array, Array]]

MOST_STEPS = 100


class MemberEquilibria:
    """Solves the equilibria of a network for members in columns; arrays have shape (entries, members)."""

    def __init__(self, compiled: CompiledNetwork) -> None:
        """Make the programs of residuals, their slopes and the initial amounts."""
        self.compiled = compiled
        n, m, q = len(compiled.species_names), len(compiled.unknown_names), len(compiled.parameter_names)
        x, z, p = ca.SX.sym("x", n), ca.SX.sym("z", m), ca.SX.sym("p", q)
        self._start = program_of([p], [ca.densify(compiled.initial(p))])
        residual = compiled.residual(x, z, p)
        self._at = program_of([x, z, p], [ca.densify(residual), ca.densify(ca.jacobian(residual, z))])
        self._titration: dict[int, Program] = {}

    def initial(self, parameters: Array) -> Array:
        """Return the amounts at the start."""
        return evaluate(self._start, [parameters])[0]

    def solve(self, amounts: Array, parameters: Array, guess: Array, time: float = 0.0) -> tuple[Array, dict[int, str]]:
        """Return the equilibrium variables and, by member, why none were found (its column is NaN then).

        Arguments:
            amounts: SI amounts.
            parameters: SI parameters.
            guess: where to begin.
            time: instant (s), for messages.
        """
        c, reasons = self.compiled, dict[int, str]()
        z = np.maximum(guess, c.lower[:, None])
        if not c.unknown_names:
            return z, reasons

        def at(trial: Array, who: NDArray[np.int64]) -> tuple[Array, Array]:
            r, slopes = evaluate(self._at, [amounts[:, who], trial, parameters[:, who]])
            return r, slopes.reshape(len(c.unknown_names), len(c.unknown_names), -1).transpose(2, 1, 0)

        for one in self._newton(at, z):
            try:
                z[:, one] = c.solve_equilibria(amounts[:, one], parameters[:, one], guess[:, one], time)
            except SolveError as error:
                z[:, one], reasons[int(one)] = np.nan, str(error)
        return z, reasons

    def _newton(self, at: Slopes, z: Array) -> list[int]:
        """Improve z in place; return the members that found no end."""
        who, lost = np.arange(z.shape[1]), list[int]()
        for _ in range(MOST_STEPS):
            if not len(who):
                break
            r, slopes = at(z[:, who], who)
            step = solve_each(slopes, -r)
            old = z[:, who]
            step = np.where(np.isfinite(self.compiled.lower)[:, None], step, np.clip(step, -1.0, 1.0))
            new = self.compiled.inside(old, old + step)
            good = np.isfinite(new).all(axis=0)
            lost.extend(who[~good].tolist())
            z[:, who[good]] = new[:, good]
            still = (np.abs(new - old) <= 1e-10 * (1e-6 + np.abs(new))).all(axis=0)
            done = still & (np.linalg.norm(r, axis=0) < 1e-9)
            who = who[good & ~done]
        return [*lost, *who.tolist()]

    def _titration_program(self, place: int, row: int) -> Program:
        """Return residual and slopes at the start, a parameter in the place of one of the variables."""
        c = self.compiled
        z, p = ca.SX.sym("z", len(c.unknown_names)), ca.SX.sym("p", len(c.parameter_names))
        r = c.residual(c.initial(p), z, p)
        slopes = ca.jacobian(r, z)
        moved = ca.horzcat(slopes[:, :row], ca.jacobian(r, p[place]), slopes[:, row + 1 :])
        return program_of([z, p], [ca.densify(r), ca.densify(moved)])

    def titrate(
        self, parameters: Array, place: int, unknown: str, target: float, guess: Array
    ) -> tuple[Array, dict[int, str]]:
        """Return parameters of which one brings an equilibrium variable to a target at the start, member by member.

        See ``CompiledNetwork.titrate``.
        """
        c, p, reasons = self.compiled, parameters.copy(), dict[int, str]()
        row, size = c.unknown_names.index(unknown), len(c.unknown_names)
        if place not in self._titration:
            self._titration[place] = self._titration_program(place, row)
        z = np.repeat(guess[:, None], p.shape[1], axis=1)
        z[row] = target
        others = np.arange(size) != row
        who = np.arange(p.shape[1])
        for _ in range(MOST_STEPS):
            r, slopes = evaluate(self._titration[place], [z[:, who], p[:, who]])
            step = solve_each(slopes.reshape(size, size, -1).transpose(2, 1, 0), -r)
            small = np.abs(step) / (1e-3 + np.abs(z[:, who]))
            done = (np.abs(r).max(axis=0) < 1e-12) | (small.max(axis=0) < 1e-13)
            who, step = who[~done], step[:, ~done]
            if not len(who):
                break
            p[place, who] += step[row]
            new = self.compiled.inside(z[:, who], z[:, who] + step)
            z[np.ix_(others, who)] = new[others]
        for one in who:
            try:
                p[:, one] = c.titrate(parameters[:, one], place, unknown, target, guess)
            except (SolveError, np.linalg.LinAlgError) as error:
                p[place, one], reasons[int(one)] = np.nan, str(error)
        return p, reasons


def solve_each(matrices: Array, b: Array) -> Array:
    """Return x of A x = b for each member; NaN where A is singular.

    Arguments:
        matrices: shape (members, n, n).
        b: shape (n, members).
    """
    try:
        return np.asarray(np.linalg.solve(matrices, b.T[:, :, None])[:, :, 0].T)
    except np.linalg.LinAlgError:
        found = np.full_like(b, np.nan)
        for i, matrix in enumerate(matrices):
            try:
                found[:, i] = np.linalg.solve(matrix, b[:, i])
            except np.linalg.LinAlgError:
                continue
        return found
