"""Where a cell rests in a given medium: the free calcium at which what enters is what leaves.

``net_entry(c) = 0`` (calcium_laws) is solved by bisection on the parameters of a run, before it begins: so every drawn
member begins at its own rest. Source of the laws: in the sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import casadi as ca

from nanotrial.cell.bisection import bisect_decades
from nanotrial.cell.calcium_laws import net_entry
from nanotrial.errors import SolveError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nanotrial.cell.culture import Cells

# A cell that would settle above one micromole per litre does not live in this medium: such a draw is refused.
LOWEST, HIGHEST = 1e-7, 1e-3
STEPS = 44


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

    def _root(self, name: str, values: Mapping[str, float]) -> float:
        function, names = self._functions[name], self._names[name]
        place = names.index(name)
        given = [values.get(n, 0.0) for n in names]

        def entry(c: float) -> float:
            given[place] = c
            return float(function(*given))

        low, high = LOWEST, HIGHEST
        if entry(low) < 0.0 or entry(high) > 0.0:
            why = "with these constants cells find no rest below 1 umol/L of free calcium in this medium"
            raise SolveError(f"`{name}`: {why}", 0.0, name)
        return bisect_decades(lambda c: entry(c) > 0.0, low, high, STEPS)
