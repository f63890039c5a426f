"""Many members of one network: events at the same instants, parameters of their own, spread over threads.

Between events members run in the lanes of ``solve.lanes``; events and equilibria are worked out for all members at
once. A member that the kernel gives up is run again alone with CVODES, which pivots and steps more carefully.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.errors import InputError, SolveError
from nanotrial.network.program import Program, evaluate, program_of
from nanotrial.solve.events import Event, Pulse, Segment, cut
from nanotrial.solve.lanes.equilibria import MemberEquilibria
from nanotrial.solve.run import Runner, Tolerances, event_map, simulate_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network
    from nanotrial.solve.compiled import CompiledNetwork
    from nanotrial.solve.lanes.cuda import CudaCode
    from nanotrial.solve.lanes.native import Loaded
    from nanotrial.solve.lanes.system import LaneSystem

    Array = NDArray[np.float64]

# Fifth order: at this tolerance read-outs are within about 1e-5 of their largest value.
LANE_TOLERANCES = Tolerances(relative=1e-5, absolute=1e-8, negative=1e-4, max_steps=200_000)
# Code that the compiler tried harder on runs a quarter faster and takes two seconds more to make; results are the same.
QUICK, THOROUGH, THOROUGH_FROM = 0, 1, 5000
# Members of one call of the kernel: enough to keep lanes full, few enough to share out.
SLICE = 512
FEW_STEPS = 400
# What the kernel says of a member.
DONE, TOO_MANY_STEPS = 0, 1
# Where members may run.
BACKENDS = ("cpu", "gpu")


@dataclass(frozen=True)
class EnsembleResult:
    """Read-outs of members, shape (members, times, observables) in SI; NaN where a member failed, and why.

    ``careful`` counts the members that were run again alone, ``steps`` those of the kernel: taken, refused, pivoted.
    """

    time: Array
    observables: Array
    observable_names: tuple[str, ...]
    reasons: dict[int, str]
    careful: int
    steps: tuple[int, int, int]

    def __getitem__(self, name: str) -> Array:
        """Return one read-out, shape (members, times)."""
        return self.observables[:, :, self.observable_names.index(name)]


def cores() -> int:
    """Return how many cores this process may use; OMP_NUM_THREADS says less where several share a machine."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Ensemble:
    """Runs members of one network; holds its machine code."""

    def __init__(
        self,
        network: Network,
        compiled: CompiledNetwork,
        tolerances: Tolerances | None = None,
        threads: int = 0,
        level: int = 0,
        backend: str = "cpu",
    ) -> None:
        """Prepare the programs; machine code is made at the first run.

        Arguments:
            network: the network.
            compiled: its compiled form.
            tolerances: error control of the kernel.
            threads: how many run at a time; 0: as many as there are cores.
            level: how hard the compiler tries at least; results do not depend on it.
            backend: ``cpu``, or ``gpu`` for a graphics processor, where one can be used.

        Raises:
            InputError: a back end that is not known.
            SolveError: no graphics processor can be used.
        """
        self.network, self.compiled = network, compiled
        self.tolerances = tolerances or LANE_TOLERANCES
        self.threads, self.level = threads or cores(), level
        self.equilibria = MemberEquilibria(compiled)
        t, y, p = ca.SX.sym("t"), ca.SX.sym("y", compiled.size), ca.SX.sym("p", len(compiled.parameter_names))
        self._observe = program_of([t, y, p], [ca.densify(compiled.observe(t, y, p))])
        self._codes: dict[int, tuple[LaneSystem, Loaded, NDArray[np.int64]]] = {}
        self.gpu = _gpu_code(network, compiled, backend)

    def observe(self, time: float, states: Array, parameters: Array) -> Array:
        """Return the read-outs at an instant, shape (observables, members).

        Arguments:
            time: instant (s).
            states: scaled, shape (states, members).
            parameters: SI, shape (parameters, members).
        """
        return evaluate(self._observe, [np.full((1, states.shape[1]), time), states, parameters])[0]

    def run(
        self,
        parameters: Array,
        guesses: Array,
        outputs: Sequence[float],
        events: Sequence[Event] = (),
        pulses: Sequence[Pulse] = (),
        failed: dict[int, str] | None = None,
        twin: Network | None = None,
    ) -> EnsembleResult:
        """Return what members show.

        Arguments:
            parameters: SI, shape (members, parameters).
            guesses: first guesses of the equilibrium variables.
            outputs: times (s) to report, rising.
            events: changes of amounts.
            pulses: changes of parameters over windows.
            failed: members that are known to fail, and why.
            twin: the network that events were made for, if it is another one of equal structure.
        """
        c, reasons = self.compiled, dict(failed or {})
        base = np.ascontiguousarray(parameters.T)
        for one in np.flatnonzero(~np.isfinite(base).all(axis=0)):
            name = c.parameter_names[int(np.flatnonzero(~np.isfinite(base[:, one]))[0])]
            reasons.setdefault(int(one), f"the parameter `{name}` is not a number")
        run = _MemberRun(self, twin or self.network, base, reasons)
        run.begin(guesses)
        for segment in cut(events, pulses, outputs):
            run.play(segment)
        self._again(run, outputs, events, pulses)
        order = np.array(run.times)
        shown = np.stack(run.shown, axis=1) if run.shown else np.zeros((base.shape[1], 0, len(c.observable_names)))
        shown[list(run.reasons)] = np.nan
        steps = tuple(int(v) for v in run.counts)
        return EnsembleResult(order, shown, c.observable_names, run.reasons, run.careful, steps)  # type: ignore[arg-type]

    def _again(
        self, run: _MemberRun, outputs: Sequence[float], events: Sequence[Event], pulses: Sequence[Pulse]
    ) -> None:
        """Run members that the kernel gave up alone, with CVODES."""
        runner = Runner(self.compiled, CAREFUL)
        for one, why in sorted(run.given_up.items()):
            run.careful += 1
            changes = dict(zip(self.compiled.parameter_names, run.base[:, one].tolist(), strict=True))
            try:
                alone = simulate_network(run.network, outputs, events, pulses, changes, runner)
            except SolveError as error:
                run.reasons[one] = f"{error} (alone, after {why})"
                continue
            for k, row in enumerate(alone.observables):
                run.shown[k][one] = row

    def code(self, members: int) -> tuple[LaneSystem, NDArray[np.int64]]:
        """Return the kernel's code, made from disk or anew.

        Arguments:
            members: how many are to run with it.
        """
        from nanotrial.solve.lanes.system import lane_system

        level = max(THOROUGH if members >= THOROUGH_FROM else QUICK, self.level)
        if level not in self._codes:
            system = lane_system(self.network, self.compiled, level)
            self._codes[level] = (system, *system.load())
        system, _, code = self._codes[level]
        return system, code


def _gpu_code(network: Network, compiled: CompiledNetwork, backend: str) -> CudaCode | None:
    """Return the kernel on a graphics processor where one is asked for."""
    if backend not in BACKENDS:
        raise InputError("backend", f"`{backend}`", " or ".join(f"`{b}`" for b in BACKENDS))
    if backend == "cpu":
        return None
    from nanotrial.solve.lanes.cuda import CudaCode, cuda_system

    return CudaCode(cuda_system(network, compiled))


CAREFUL = Tolerances(relative=1e-6, absolute=1e-9, negative=1e-4, max_steps=400_000)


class _Stretch:
    """Members over one segment: what the kernel reads and writes."""

    def __init__(self, ensemble: Ensemble, segment: Segment, y: Array, p: Array) -> None:
        system, self.code = ensemble.code(len(y))
        self.ensemble, self.system, self.segment, self.parameters = ensemble, system, segment, p
        empty = np.zeros((1, len(y)))
        self.y, self.constants = y, np.ascontiguousarray(evaluate(system.constants, [empty, empty, p])[0].T)
        self.out = np.full((len(y), len(segment.grid), y.shape[1]), np.nan)
        self.status, self.reached = np.full(len(y), TOO_MANY_STEPS), np.zeros(len(y))
        self.counts = np.zeros((len(y), 3), dtype=np.int64)

    def advance(self, who: NDArray[np.int64], most: int) -> None:
        """Run some of the members from the start of the segment, each with at most so many steps."""
        if self.ensemble.gpu is not None:
            who = self._on_gpu(self.ensemble.gpu, who, most)
        threads = self.ensemble.threads
        share = min(SLICE, max(8, -(-len(who) // threads)))
        slices = [who[first : first + share] for first in range(0, len(who), share)]
        if threads == 1 or len(slices) < 2:
            for one in slices:
                self._run(one, most)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda one: self._run(one, most), slices))

    def _on_gpu(self, gpu: CudaCode, who: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """Run members on the graphics processor; return those that it gives up, which may need pivoting."""
        if not len(who):
            return who
        t, grid = self.ensemble.tolerances, np.array(self.segment.grid)
        given = (self.y[who], self.parameters[:, who], self.segment.start, grid)
        found = gpu.integrate(*given, t.relative, t.absolute, most)
        ready = (found.status == DONE) | (found.status == TOO_MANY_STEPS)
        kept = who[ready]
        self.out[kept], self.status[kept] = found.out[ready], found.status[ready]
        self.reached[kept] = found.reached[ready]
        self.counts[kept] += found.counts[ready]
        left: NDArray[np.int64] = who[~ready]
        return left

    def _run(self, who: NDArray[np.int64], most: int) -> None:
        from nanotrial.solve.lanes.kernel import integrate

        s, t = self.system, self.ensemble.tolerances
        out = np.full((len(who), *self.out.shape[1:]), np.nan)
        status, counts, reached = self.status[who], np.zeros((len(who), 3), dtype=np.int64), np.zeros(len(who))
        integrate(
            self.code, self.y[who], self.constants[who], self.segment.start, np.array(self.segment.grid),
            s.differential, s.rows, s.columns, s.sizes, t.relative, t.absolute, most, out, status, counts, reached,
        )  # fmt: skip
        self.out[who], self.status[who], self.reached[who] = out, status, reached
        self.counts[who] += counts


class _MemberRun:
    """The state of all members between segments."""

    def __init__(self, ensemble: Ensemble, network: Network, base: Array, reasons: dict[int, str]) -> None:
        self.ensemble, self.network, self.base, self.reasons = ensemble, network, base, reasons
        self.given_up: dict[int, str] = {}
        self.times: list[float] = []
        self.shown: list[Array] = []
        self.careful, self.counts = 0, np.zeros(3, dtype=np.int64)

    @property
    def alive(self) -> NDArray[np.int64]:
        """Return the members that still run."""
        gone = self.reasons.keys() | self.given_up.keys()
        return np.array([i for i in range(self.base.shape[1]) if i not in gone], dtype=np.int64)

    def begin(self, guesses: Array) -> None:
        """Set amounts and equilibrium variables at the start."""
        c, who = self.ensemble.compiled, self.alive
        members = self.base.shape[1]
        self.amounts = np.full((len(c.species_names), members), np.nan)
        self.z = np.full((len(c.unknown_names), members), np.nan)
        self.amounts[:, who] = self.ensemble.equilibria.initial(self.base[:, who])
        guess = np.repeat(guesses[:, None], len(who), axis=1)
        self._settle(who, self.base, guess, 0.0)

    def _settle(self, who: NDArray[np.int64], p: Array, guess: Array, time: float) -> None:
        found, wrong = self.ensemble.equilibria.solve(self.amounts[:, who], p[:, who], guess, time)
        self.z[:, who] = found
        self.reasons.update({int(who[i]): why for i, why in wrong.items()})

    def play(self, segment: Segment) -> None:
        """Advance all members over a stretch without edges and keep what they show."""
        c, p, who = self.ensemble.compiled, self.base, self.alive
        if segment.changes:
            p = self.base.copy()
            for name, value in segment.changes.items():
                p[c.parameter_index(name)] = value
        for event in segment.events:
            given = [self.amounts[:, who], self.z[:, who], p[:, who]]
            self.amounts[:, who] = evaluate(self._program(event), given)[0]
        self._settle(who, p, self.z[:, who], segment.start)
        who = self.alive
        y = np.vstack([self.amounts / c.scales[:, None], self.z])
        if segment.start in segment.outputs:
            self._show(segment.start, y, p, who)
        grid = segment.grid
        if not grid:
            return
        states = np.full((self.base.shape[1], len(grid), c.size), np.nan)
        if len(who):
            states[who] = self._advance(np.ascontiguousarray(y[:, who].T), p[:, who], segment, who)
        self._check(states, grid, segment.start)
        who = self.alive
        for k, t in enumerate(grid):
            if t in segment.outputs:
                self._show(t, np.ascontiguousarray(states[:, k].T), p, who)
        n = len(c.species_names)
        self.amounts, self.z = states[:, -1, :n].T * c.scales[:, None], states[:, -1, n:].T.copy()

    def _program(self, event: Event) -> Program:
        """Return the program (amounts, equilibrium variables, parameters) -> amounts after an event."""
        c = self.ensemble.compiled
        x, z = ca.SX.sym("x", len(c.species_names)), ca.SX.sym("z", len(c.unknown_names))
        p = ca.SX.sym("p", len(c.parameter_names))
        return program_of([x, z, p], [ca.densify(event_map(self.network, event)(x, z, p))])

    def _show(self, t: float, y: Array, p: Array, who: NDArray[np.int64]) -> None:
        row = np.full((self.base.shape[1], len(self.ensemble.compiled.observable_names)), np.nan)
        row[who] = self.ensemble.observe(t, y[:, who], p[:, who]).T
        self.times.append(t)
        self.shown.append(row)

    def _advance(self, y: Array, p: Array, segment: Segment, who: NDArray[np.int64]) -> Array:
        """Return the scaled states of members at the grid of a segment."""
        e, t = self.ensemble, self.ensemble.tolerances
        work = _Stretch(e, segment, y, p)
        # The few that need many steps (calcium that oscillates) would hold up blocks: they share some afterwards.
        work.advance(np.arange(len(y)), min(FEW_STEPS, t.max_steps))
        if t.max_steps > FEW_STEPS:
            work.advance(np.flatnonzero(work.status == TOO_MANY_STEPS), t.max_steps)
        self.counts += work.counts.sum(axis=0)
        for i in np.flatnonzero(work.status != DONE):
            when = f"after {work.reached[i]:g} s"
            if work.status[i] == TOO_MANY_STEPS:
                self.reasons[int(who[i])] = f"more than {t.max_steps} steps were needed {when}"
            else:
                self.given_up[int(who[i])] = f"the step became too small {when}"
        return work.out

    def _check(self, states: Array, grid: Sequence[float], start: float) -> None:
        """Give up members in which a state is no number or an amount lies below zero."""
        c, n = self.ensemble.compiled, len(self.ensemble.compiled.species_names)
        who = self.alive
        bad = ~np.isfinite(states[who]).all(axis=(1, 2))
        low = np.where(c.may_be_negative, 0.0, states[who][:, :, :n]).min(axis=(1, 2), initial=0.0)
        bad |= low < -self.ensemble.tolerances.negative
        for one in who[bad]:
            self.given_up[int(one)] = f"an amount below zero or no number after t = {start:g} s"
