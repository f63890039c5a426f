"""The loops of calcium and peroxide examined: steady states, their stability, loop gain, threshold in dose.

A loop is cut at one signal s: what follows is shown a held value h, and the cell answers with F(h) at rest. Closed,

    steady states  F(h) = h        gain  G = dF/dh        stable where G < 1

so that one curve shows every steady state that is reached from rest. Where F jumps across h, two basins meet: an edge,
with no state on it. Two signals close the two loops:

    peroxide   pumps slow and channels open -> calcium rises -> chain and oxidase make superoxide -> peroxide
    energy     pumps lack ATP -> calcium rises -> mitochondria load, pores open, potential falls -> less ATP

With ``feedback`` 0 proteins feel no peroxide: then F of peroxide does not depend on h, and there is one state. The
threshold is the lowest peroxide outside at which free calcium settles above a limit. One cell in a bath: the medium is
not used up, so this is the most that a dose held for two days can do. Source of the method: angeli_2004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nanotrial.cell.bath import cell_in_bath
from nanotrial.cell.bisection import bisect_decades
from nanotrial.errors import SolveError
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.run import Runner, Tolerances, simulate_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.cell_schema import CellLine

Signal = Literal["peroxide", "energy"]
SETTLED = 48 * 3600.0
# Where steady states are looked for: peroxide in mol/m^3, energy as a share of ATP at rest.
RANGE = {"peroxide": (1e-10, 1.0), "energy": (1e-3, 1.2)}
GRID = 33
# A wide step drowns the noise of the solver where the gain is small; a narrow one stays on one side of a jump.
WIDE_STEP, NARROW_STEP, STEEP = 1.02, 1.0005, 0.1
# Where the answer moves by a hundredth of the signal while that moves by a hundred-thousandth, it jumps.
NEAR, JUMP, SHEER = 1e-5, 0.01, 50.0


@dataclass(frozen=True)
class LoopState:
    """A steady state: peroxide outside and inside, free calcium (mol/m^3), potential (V), ATP share, loop gain.

    At an edge the answer jumps across the held signal: two basins meet there, no state lies on it, and it has no gain.
    """

    outside: float
    peroxide: float
    calcium: float
    potential: float
    atp: float
    gain: float
    edge: bool = False

    @property
    def stable(self) -> bool:
        """Say whether small departures die away."""
        return not self.edge and self.gain < 1.0


class OpenLoop:
    """One cell that is shown a held signal; answers are steady states reached from rest."""

    def __init__(
        self,
        line: tuple[str, CellLine],
        sheets: Mapping[str, tuple[str, Any]],
        calcium_outside: float = 1.2,
        oxygen: float = 0.2,
        feedback: float = 1.0,
        signal: Signal = "peroxide",
        changes: Mapping[str, float] | None = None,
    ) -> None:
        """Build and compile the cell once.

        Arguments:
            line: id and sheet of the line.
            sheets: ``calcium``, ``redox``, ``coupling`` and ``energetics``: id and sheet of each.
            calcium_outside: free calcium (mol/m^3).
            oxygen: dissolved oxygen (mol/m^3).
            feedback: factor on the peroxide that proteins feel; 0 breaks the loop of peroxide.
            signal: where the loop is cut.
            changes: other SI values of parameters by name.
        """
        self.cells = cell_in_bath(line, sheets, calcium_outside, oxygen=oxygen)
        self.runner = Runner(compile_network(self.cells.network), Tolerances(max_steps=100_000))
        self.signal, self.changes = signal, {**(changes or {}), "loop.feedback": feedback}

    def state(self, outside: float, held: float | None = None) -> LoopState:
        """Return what the cell comes to from rest, without its gain.

        Arguments:
            outside: peroxide outside (mol/m^3).
            held: what is shown at the cut; None closes the loop.
        """
        given = {**self.changes, "bath.hydrogen_peroxide": outside}
        if held is not None:
            cut, shown = ("cut", "held_peroxide") if self.signal == "peroxide" else ("cut_energy", "held_atp")
            given |= {f"loop.{cut}": 1.0, f"loop.{shown}": held}
        run = simulate_network(self.cells.network, [SETTLED], changes=given, runner=self.runner)
        atp = self.cells.network.parameters[f"{self._energetics}.atp"].value
        psi, left = run[self.cells.name("potential")][-1], run[self.cells.name("atp")][-1] / atp
        return LoopState(
            outside, float(run["peroxide"][-1]), float(run["calcium"][-1]), float(psi), float(left), math.nan
        )

    @property
    def _energetics(self) -> str:
        assert self.cells.energetics is not None
        return self.cells.energetics.identifier

    def answer(self, outside: float, held: float) -> float:
        """Return F: the signal that the cell makes when shown a held one."""
        found = self.state(outside, held)
        return found.peroxide if self.signal == "peroxide" else found.atp

    def gain(self, outside: float, held: float) -> float:
        """Return dF/dh at a held signal, by a step of 2 % either way, or of 0.05 % where the curve is steep."""
        wide = self._slope(outside, held, WIDE_STEP)
        return wide if abs(wide) < STEEP else self._slope(outside, held, NARROW_STEP)

    def _slope(self, outside: float, held: float, step: float) -> float:
        up, down = held * step, held / step
        return (self.answer(outside, up) - self.answer(outside, down)) / (up - down)

    def at_rest(self, outside: float) -> LoopState:
        """Return the state that the closed loop comes to from rest, with its gain."""
        found = self.state(outside)
        held = found.peroxide if self.signal == "peroxide" else found.atp
        return self._with_gain(found, held)

    def states(self, outside: float) -> list[LoopState]:
        """Return every steady state of the closed loop at a peroxide outside (mol/m^3), from low to high signal."""
        grid = [float(h) for h in np.geomspace(*RANGE[self.signal], GRID)]
        gaps = [self.answer(outside, h) - h for h in grid]
        crossings = [i for i in range(GRID - 1) if gaps[i] * gaps[i + 1] < 0.0]
        found = []
        for i in crossings:
            held = self._crossing(outside, grid[i], grid[i + 1], gaps[i] > 0.0)
            state = self.state(outside, held)
            jump = self.answer(outside, held * (1 + NEAR)) - self.answer(outside, held / (1 + NEAR))
            known = self._with_gain(state, held)
            found.append(replace(state, edge=True) if abs(jump) > JUMP * held or known.gain > SHEER else known)
        return found

    def _crossing(self, outside: float, low: float, high: float, above: bool) -> float:
        """Return where the answer crosses the held signal; ``above`` says that it lies above it at the lower end."""
        return bisect_decades(lambda held: (self.answer(outside, held) > held) == above, low, high, 24)

    def _with_gain(self, found: LoopState, held: float) -> LoopState:
        try:
            gain = self.gain(found.outside, held)
        except SolveError:
            gain = math.nan
        return replace(found, gain=gain)

    def threshold(self, limit: float, low: float = 1e-4, high: float = 10.0) -> float:
        """Return the lowest peroxide outside (mol/m^3) at which free calcium settles above a limit; infinite if none.

        Arguments:
            limit: free calcium (mol/m^3).
            low: peroxide that is surely below.
            high: peroxide beyond which the search stops.
        """
        if self.state(high).calcium < limit:
            return math.inf
        return bisect_decades(lambda dose: self.state(dose).calcium < limit, low, high, 20)
