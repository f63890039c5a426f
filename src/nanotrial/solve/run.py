"""One run with CVODES: exact segments, positivity, balances, and failures that say where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import casadi as ca
import numpy as np

from nanotrial.errors import NetworkError, SolveError, nearest
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.events import Event, Pulse, Segment, cut
from nanotrial.solve.interrupt import honest_interrupts
from nanotrial.units import to_si

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nanotrial.network.model import Network

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Tolerances:
    """Error control: relative, absolute (of the scaled states), how far below zero counts, and step limit."""

    relative: float = 1e-7
    absolute: float = 1e-10
    negative: float = 1e-6
    max_steps: int = 20000


@dataclass(frozen=True)
class Trajectory:
    """Result of one run: times (s), SI amounts and equilibrium variables, observables, and content at each output."""

    time: Vector
    states: Vector
    state_names: tuple[str, ...]
    observables: Vector
    observable_names: tuple[str, ...]
    contents: Vector
    expected_contents: Vector
    content_names: tuple[str, ...]
    starts: tuple[Vector, ...] = ()
    lowest: dict[str, float] = field(default_factory=dict)
    residual: float = 0.0

    def __getitem__(self, name: str) -> Vector:
        """Return the SI time course of an observable or a state."""
        if name in self.observable_names:
            return self.observables[:, self.observable_names.index(name)]
        if name not in self.state_names:
            known = (*self.observable_names, *self.state_names)
            raise NetworkError(f"no observable or state `{name}`. {nearest(name, known)}")
        return self.states[:, self.state_names.index(name)]

    def dataset(self, network: Network) -> xr.Dataset:
        """Return the observables as an xarray Dataset over time (s), each in its display unit with the unit beside it.

        Arguments:
            network: the network that was run; it knows the units.
        """
        import xarray as xr

        data = {}
        for name, about in network.observables.items():
            factor, offset = to_si(1.0, about.unit) - to_si(0.0, about.unit), to_si(0.0, about.unit)
            shown = (self[name] - offset) / factor
            data[name] = ("time", shown, {"units": about.unit, "description": about.description})
        return xr.Dataset(data, {"time": ("time", self.time, {"units": "s"})}, {"network": network.name})

    def imbalance(self) -> dict[str, float]:
        """Return for each conserved kind the largest relative departure from what was put in."""
        result = {}
        for i, name in enumerate(self.content_names):
            size = max(float(np.max(np.abs(self.expected_contents[:, i]), initial=0.0)), 1e-300)
            result[name] = float(np.max(np.abs(self.contents[:, i] - self.expected_contents[:, i]), initial=0.0)) / size
        return result


# CVODES gives up after seven refused lengths of one step, or rattles at a kink, which shows in thousands of steps:
# again with a tenth of the error, then anew in each of PIECES, there if need be with steps of at most 30 s and 1 s.
ATTEMPTS = ((0.0, 1.0), (0.0, 0.1), (30.0, 1.0), (1.0, 1.0))
WHOLE = 2
PIECES = 24
MANY_STEPS = 6000


class Runner:
    """Holds a compiled network and its integrators, so that arms of one structure share them."""

    def __init__(self, compiled: CompiledNetwork, tolerances: Tolerances | None = None) -> None:
        """Keep the compiled network; integrators are made when first needed."""
        self.compiled = compiled
        self.tolerances = tolerances or Tolerances()
        self._integrators: dict[tuple[float, ...], ca.Function] = {}
        self._events: dict[int, tuple[Event, ca.Function]] = {}

    def event(self, network: Network, event: Event) -> ca.Function:
        """Return what an event of a network does to amounts (``event_map``), made once."""
        known = self._events.get(id(event))
        if known is None or known[0] is not event:
            known = self._events[id(event)] = (event, event_map(network, event))
        return known[1]

    def integrator(
        self, start: float, grid: tuple[float, ...], longest_step: float = 0.0, tighter: float = 1.0, most: int = 0
    ) -> ca.Function:
        """Return the CVODES integrator from ``start`` over ``grid`` (s).

        Arguments:
            start: first instant (s).
            grid: times to stop at (s).
            longest_step: no step is longer (s); 0: any length.
            tighter: factor on both tolerances.
            most: steps it may take; 0: those of the tolerances.
        """
        key = (longest_step, tighter, most, start, *grid)
        if key not in self._integrators:
            t = self.tolerances
            options: dict[str, Any] = {
                "reltol": t.relative * tighter,
                "abstol": t.absolute * tighter,
                "max_num_steps": min(most, t.max_steps) if most else t.max_steps,
                "disable_internal_warnings": True,
                "show_eval_warnings": False,
                "fsens_err_con": True,
                **({"max_step_size": longest_step} if longest_step else {}),
            }
            self._integrators[key] = ca.integrator("segment", "cvodes", self.compiled.graph, start, list(grid), options)
        return self._integrators[key]


def event_map(network: Network, event: Event) -> ca.Function:
    """Return the function (amounts, equilibrium variables, parameters) -> amounts after an event."""
    symbols = [s.symbol for s in network.species.values()]
    unknowns = [s for b in network.equilibria.values() for s in b.symbols]
    new = []
    for name, species in network.species.items():
        if name in event.changes and event.changes[name].dimension != species.dimension:
            found = event.changes[name].dimension
            raise SolveError(f"event `{event.label}` sets `{name}` in {found}, expected {species.dimension}")
        new.append(event.changes[name].expression if name in event.changes else species.symbol)
    for name in event.changes:
        network[name]  # raises with the nearest names
    p = ca.vertcat(*[q.symbol for q in network.parameters.values()])
    return ca.Function("event", [ca.vertcat(*symbols), ca.vertcat(*unknowns), p], [ca.vertcat(*new)])


def simulate_network(
    network: Network,
    outputs: Sequence[float],
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    changes: dict[str, float] | None = None,
    runner: Runner | None = None,
    tolerances: Tolerances | None = None,
) -> Trajectory:
    """Return the trajectory of one run.

    Arguments:
        network: the network; its parameter values are used unless changed.
        outputs: times (s) to report.
        events: changes of amounts at instants.
        pulses: changes of parameters over windows.
        changes: SI values of parameters by name.
        runner: integrators of an equal network compiled before.
        tolerances: error control if no runner is given.

    Raises:
        SolveError: the solver stopped, or a species fell below zero; the message says when and which.
    """
    work = runner or Runner(compile_network(network), tolerances)
    c = work.compiled
    # The network at hand may be a twin of the compiled one, equal in structure with other values.
    own = np.array([network.parameters[name].value for name in c.parameter_names])
    base = own.copy()
    for name, value in (changes or {}).items():
        base[c.parameter_index(name)] = value
    amounts = _flat(c.initial(base))
    first = [guess for block in network.equilibria.values() for guess in block.guesses]
    z = c.solve_equilibria(amounts, base, np.array(first))
    expected = _flat(c.contents(amounts, base))
    rows: list[Vector] = []
    shown: list[Vector] = []
    promised: list[Vector] = []
    times: list[float] = []
    starts, worst = [z], 0.0
    for segment in cut(events, pulses, outputs):
        p = base.copy()
        for name, value in segment.changes.items():
            p[c.parameter_index(name)] = value
        for event in segment.events:
            after = _flat(work.event(network, event)(amounts, z, p))
            expected = expected + _flat(c.contents(after, p)) - _flat(c.contents(amounts, p))
            amounts = after
        z = c.solve_equilibria(amounts, p, z, segment.start)
        starts.append(z)
        y = np.concatenate([amounts / c.scales, z])
        at, states = _advance(work, y, p, segment)
        wanted = set(segment.outputs)
        which = [k for k, t in enumerate(at) if t in wanted]
        if which:
            shown.append(_columns(c.observe(np.array(at)[None, which], states[:, which], p)))
            rows.append(states[:, which].T)
            times += [at[k] for k in which]
            promised += [expected] * len(which)
        n = len(c.species_names)
        amounts, z = states[:n, -1] * c.scales, states[n:, -1]
        if c.unknown_names:
            worst = max(worst, float(np.max(np.abs(_flat(c.residual(amounts, z, p))))))
    return _trajectory(c, base, times, rows, shown, promised, starts, worst)


def _advance(work: Runner, y: Vector, p: Vector, segment: Segment) -> tuple[list[float], Vector]:
    """Integrate one segment; return the times asked for (its end included) and the scaled states."""
    grid = segment.grid
    at = [segment.start, *grid]
    if not grid:
        _check(work, y[:, None], at)
        return at, y[:, None]
    result = _integrate(work, y, p, segment)
    states = np.column_stack([y, np.asarray(result)])
    _check(work, states, at)
    return at, states


def _integrate(work: Runner, y: Vector, p: Vector, segment: Segment) -> Vector:
    """Return the states at the grid. Where the solver gives up it is asked again, more carefully."""
    try:
        return _attempt(work, y, p, segment.start, segment.grid, ATTEMPTS[:WHOLE], MANY_STEPS)
    except RuntimeError as refused:
        try:
            return _in_pieces(work, y, p, segment)
        except RuntimeError:
            raise _locate_failure(work, y, p, segment.start, segment.grid, refused) from refused


def _attempt(
    work: Runner,
    y: Vector,
    p: Vector,
    start: float,
    grid: tuple[float, ...],
    attempts: Sequence[tuple[float, float]],
    most: int = 0,
) -> Vector:
    """Return the states at a grid by the first attempt that comes through; else the first refusal is raised.

    With ``most`` steps at hand, too many of them end the attempts at once: less error would take more.
    """
    refused: RuntimeError | None = None
    for longest, tighter in attempts:
        try:
            with honest_interrupts():
                solver = work.integrator(start, grid, longest, tighter, most)
                return np.asarray(solver(x0=y, p=p)["xf"].full(), dtype=float)
        except RuntimeError as error:
            refused = refused or error
            if most and "TOO_MUCH_WORK" in str(error):
                break
    assert refused is not None
    raise refused


def _in_pieces(work: Runner, y: Vector, p: Vector, segment: Segment) -> Vector:
    """Return the states at the grid, with a solver that begins anew in every piece of the segment."""
    ends = np.linspace(segment.start, segment.grid[-1], PIECES + 1)[1:]
    now, found = segment.start, []
    for end in sorted({*segment.grid, *ends.tolist()}):
        if end > now:
            y = _attempt(work, y, p, now, (end,), ATTEMPTS).ravel()
            now = end
        if end in segment.grid:
            found.append(y)
    return np.stack(found, axis=1)


def _check(work: Runner, states: Vector, at: Sequence[float]) -> None:
    c = work.compiled
    n = len(c.species_names)
    if not np.all(np.isfinite(states)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(states))[0])
        name = (*c.species_names, *c.unknown_names)[row]
        raise SolveError(f"`{name}` is not a number at t = {at[column]:g} s", at[column], name)
    low = np.where(c.may_be_negative[:, None], 0.0, states[:n])
    if n and float(low.min()) < -work.tolerances.negative:
        row, column = (int(i) for i in np.unravel_index(int(np.argmin(low)), low.shape))
        name, when = c.species_names[row], at[column]
        size = low[row, column] * c.scales[row]
        raise SolveError(f"`{name}` fell to {size:.3g} (SI), below zero, at t = {when:g} s", when, name)


def _locate_failure(
    work: Runner, y: Vector, p: Vector, start: float, grid: tuple[float, ...], error: RuntimeError
) -> SolveError:
    """Walk the segment again step by step to name the time and the quantity that moves fastest for its size."""
    c = work.compiled
    now = start
    for after in grid:
        try:
            y = _flat(work.integrator(now, (after,))(x0=y, p=p)["xf"])
        except RuntimeError:
            break
        now = after
    rate = np.abs(_flat(c.right_hand_side(now, y, p)))
    name = (*c.species_names, *c.unknown_names)[int(np.argmax(np.where(np.isfinite(rate), rate, np.inf)))]
    detail = str(error).strip().splitlines()[-1][:160] if str(error).strip() else "no reason given"
    return SolveError(f"the solver stopped after t = {now:g} s; fastest quantity `{name}` ({detail})", now, name)


def _trajectory(
    c: CompiledNetwork,
    p: Vector,
    times: list[float],
    rows: list[Vector],
    shown: list[Vector],
    promised: list[Vector],
    starts: list[Vector],
    worst: float,
) -> Trajectory:
    n = len(c.species_names)
    states = np.concatenate([np.empty((0, c.size)), *rows])
    states[:, :n] *= c.scales
    held = _columns(c.contents(states[:, :n].T, p)) if times else np.empty((0, len(c.content_names)))
    lowest = {name: float(states[:, i].min()) for i, name in enumerate(c.species_names)} if times else {}
    return Trajectory(
        time=np.array(times),
        states=states,
        state_names=(*c.species_names, *c.unknown_names),
        observables=np.concatenate([np.empty((0, len(c.observable_names))), *shown]),
        observable_names=c.observable_names,
        contents=held,
        expected_contents=np.array(promised).reshape(len(times), len(c.content_names)),
        content_names=c.content_names,
        starts=tuple(starts),
        lowest=lowest,
        residual=worst,
    )


def _columns(matrix: ca.DM) -> Vector:
    """Return a dense matrix with one row for each column."""
    return np.asarray(matrix.full(), dtype=float).T


def _flat(matrix: ca.DM) -> Vector:
    return np.asarray(matrix.full(), dtype=float).ravel()
