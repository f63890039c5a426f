"""Where a cell rests in a given medium: the free calcium at which what enters is what leaves.

``net_entry(c) = 0`` (calcium_laws) is solved by bisection on the parameters of a run, before it begins: so every drawn
member begins at its own rest. Source of the laws: in the sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.cell.bisection import bisect_decades
from nanotrial.cell.calcium_laws import net_entry
from nanotrial.errors import SolveError
from nanotrial.network.program import Program, evaluate, program_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nanotrial.cell.culture import Cells

    Array = NDArray[np.float64]

# A cell that would settle above one micromole per litre does not live in this medium: such a draw is refused.
LOWEST, HIGHEST = 1e-7, 1e-3
STEPS = 44
NO_REST = "with these constants cells find no rest below 1 umol/L of free calcium in this medium"


def rest_parameter(cells: Cells) -> str:
    """Return the name of the parameter that holds the free calcium of a class at rest."""
    return cells.name("resting_calcium")


class RestFinder:
    """Finds the free calcium at rest of classes of cells from the values of parameters."""

    def __init__(self, classes: Sequence[Cells]) -> None:
        """Build one function of all parameters for each class with a membrane.

        Arguments:
            classes: classes whose ``rest`` is the parameter ``<key>.resting_calcium``.
        """
        self._functions: dict[str, ca.Function] = {}
        self._names: dict[str, list[str]] = {}
        self._programs: dict[str, Program] = {}
        for cells in classes:
            outer = cells.calcium.part("membrane")
            if outer is None or cells.rest is None:
                continue
            name = rest_parameter(cells)
            entry = net_entry(cells, outer, cells.rest, cells.around.fresh_calcium).expression
            symbols = ca.symvar(entry)
            self._names[name] = [s.name() for s in symbols]
            self._functions[name] = ca.Function("entry", symbols, [entry])

    def find(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the parameters of rest (SI) at the values of all others.

        Arguments:
            values: SI value of every parameter by name.

        Raises:
            SolveError: the cell gains (or loses) calcium at every free calcium from 0.1 nmol/L to 1 umol/L.
        """
        return {name: self._root(name, values) for name in self._functions}

    def find_members(self, values: Mapping[str, Array]) -> tuple[dict[str, Array], dict[int, str]]:
        """Return the parameters of rest (SI) of many members and, by member, why there is none.

        Arguments:
            values: SI values of shape (members,) of every parameter by name.
        """
        found: dict[str, Array] = {}
        reasons: dict[int, str] = {}
        for name, function in self._functions.items():
            names = self._names[name]
            place = names.index(name)
            if name not in self._programs:
                symbols = ca.SX.sym("values", len(names))
                self._programs[name] = program_of([symbols], [function(*ca.vertsplit(symbols))])
            program, members = self._programs[name], len(next(iter(values.values())))
            given = np.array([values.get(n, np.zeros(members)) for n in names])

            def entry(c: Array, given: Array = given, place: int = place, program: Program = program) -> Array:
                given[place] = c
                seen: Array = evaluate(program, [given])[0][0]
                return seen

            low, high = np.full(members, LOWEST), np.full(members, HIGHEST)
            none = ~((entry(low) >= 0.0) & (entry(high) <= 0.0))
            for _ in range(STEPS):
                middle = np.sqrt(low * high)
                below = entry(middle) > 0.0
                low, high = np.where(below, middle, low), np.where(below, high, middle)
            found[name] = np.where(none, np.nan, np.sqrt(low * high))
            reasons.update({int(i): f"`{name}`: {NO_REST}" for i in np.flatnonzero(none) if int(i) not in reasons})
        return found, reasons

    def _root(self, name: str, values: Mapping[str, float]) -> float:
        function, names = self._functions[name], self._names[name]
        place = names.index(name)
        given = [values.get(n, 0.0) for n in names]

        def entry(c: float) -> float:
            given[place] = c
            return float(function(*given))

        low, high = LOWEST, HIGHEST
        if entry(low) < 0.0 or entry(high) > 0.0:
            raise SolveError(f"`{name}`: {NO_REST}", 0.0, name)
        return bisect_decades(lambda c: entry(c) > 0.0, low, high, STEPS)
