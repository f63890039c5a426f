"""All equations of a network as one program with dimensions: rates, flows, observables, volumes, events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.errors import NetworkError
from nanotrial.exchange.dimensions import Dimensions, infer_dimensions
from nanotrial.network.program import Program, program_of
from nanotrial.solve.events import Event, Pulse, Segment, cut
from nanotrial.units import Dimension, dimension_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Equilibrium, Network
    from nanotrial.solve.compiled import CompiledNetwork

    Array = NDArray[np.float64]

SECOND = dimension_of("s")
# Equilibria lag behind amounts by about a millisecond.
RELAXATION = 1000.0
# Below this the slowest direction of an equilibrium would lag too far: its equations are mixed first.
SLOW = 0.3
RATES, FLOWS, OBSERVABLES, VOLUMES, EVENTS = range(5)


@dataclass(frozen=True)
class Change:
    """One quantity that an edge of the run sets: ``entry`` is its place in the result ``EVENTS``."""

    time: float
    name: str
    entry: int


@dataclass(frozen=True)
class Equations:
    """A network in operations.

    Arguments:
        network: what the equations are of.
        program: arguments are amounts, equilibrium variables, parameters and (time, relaxation rate).
        dimensions: of its nodes.
        segments: the stretches of the run.
        changes: what events after the start set.
    """

    network: Network
    program: Program
    dimensions: Dimensions
    segments: tuple[Segment, ...]
    changes: tuple[Change, ...]

    @cached_property
    def unknowns(self) -> dict[str, Dimension]:
        """Return the equilibrium variables and their dimensions."""
        blocks = self.network.equilibria.values()
        return {n: d for b in blocks for n, d in zip(b.names, b.dimensions, strict=True)}

    @cached_property
    def leaves(self) -> list[frozenset[int]]:
        """Return for each node which amounts it reads, itself or through others (places in the first argument)."""
        found: list[frozenset[int]] = []
        for node in self.program.nodes:
            own = [node.place[1]] if node.operation == "input" and node.place[0] == 0 else []
            found.append(frozenset(own).union(*[found[r] for r in node.reads]))
        return found


def equations_of(
    network: Network,
    mixing: Mapping[str, Array],
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    until: float = 0.0,
) -> Equations:
    """Return the equations of a network and of what happens to it until a time (s).

    Arguments:
        network: the network.
        mixing: matrix of each equilibrium, see ``mixing_of``.
        events: changes of amounts.
        pulses: changes of parameters.
        until: end of the run (s).

    Raises:
        NetworkError: a part cannot be written; the message names it.
    """
    segments = tuple(cut(events, pulses, [until]))
    relaxation = ca.SX.sym("relaxation")
    flow = [relaxing(block, mixing[block.name], relaxation) for block in network.equilibria.values()]
    changes = tuple(_changes(network, segments))
    parts: list[list[tuple[str, ca.SX, Dimension]]] = [
        [(f"process `{p.name}`", p.rate.expression, p.rate.dimension) for p in network.processes.values()],
        [
            (f"equilibrium `{b.name}`, `{n}`", dz[i], d / SECOND)
            for b, dz in zip(network.equilibria.values(), flow, strict=True)
            for i, (n, d) in enumerate(zip(b.names, b.dimensions, strict=True))
        ],
        [(f"observable `{o.name}`", o.value.expression, o.value.dimension) for o in network.observables.values()],
        [(f"compartment `{c.name}`", c.volume.expression, c.volume.dimension) for c in network.compartments.values()],
        [(f"event at {t:g} s, `{name}`", value, network.species[name].dimension) for t, name, value in changes],
    ]
    arguments = _arguments(network, relaxation)
    program = _program(arguments, parts)
    unknowns = [d for b in network.equilibria.values() for d in b.dimensions]
    inputs = [
        [s.dimension for s in network.species.values()],
        unknowns,
        [dimension_of(p.unit) for p in network.parameters.values()],
        [SECOND, Dimension() / SECOND],
    ]
    dimensions = infer_dimensions(program, inputs, [[d for _, _, d in part] for part in parts])
    places = tuple(Change(t, name, i) for i, (t, name, _) in enumerate(changes))
    return Equations(network, program, dimensions, segments, places)


def relaxing(block: Equilibrium, mixing: Array, relaxation: ca.SX) -> list[ca.SX]:
    """Return dz_i/dt = -k sum over j of M_ij g_j / (dg_j/dz_j), which ends where every residual g is zero.

    Arguments:
        block: the equilibrium.
        mixing: M, numbers.
        relaxation: k (1/s).
    """
    steps = []
    for symbol, residual, scale in zip(block.symbols, block.residuals, block.scales, strict=True):
        g = residual / scale
        steps.append(g / ca.jacobian(g, symbol))
    flows = []
    for row in mixing:
        used = [
            step if weight == 1.0 else weight * step for weight, step in zip(row.tolist(), steps, strict=True) if weight
        ]
        flows.append(-relaxation * sum(used[1:], used[0]))
    return flows


def mixing_of(network: Network, compiled: CompiledNetwork, amounts: Array, z: Array, p: Array) -> dict[str, Array]:
    """Return the matrix M with which each equilibrium relaxes evenly: one where it does so without, else the inverse.

    With J = dg/dz and D its diagonal, errors of z decay at the rates k * eigenvalues of M D^-1 J.

    Arguments:
        network: the network.
        compiled: its compiled form.
        amounts: SI amounts at the start.
        z: equilibrium variables at the start.
        p: SI parameters.

    Raises:
        NetworkError: a residual does not depend on its own variable.
    """
    whole = np.asarray(compiled.residual_jacobian(amounts, z, p).full())
    found: dict[str, Array] = {}
    first = 0
    for block in network.equilibria.values():
        inside = slice(first, first + len(block.names))
        first = inside.stop
        jacobian = whole[inside, inside]
        own = np.diag(jacobian)
        if not np.all(own):
            name = block.names[int(np.flatnonzero(own == 0)[0])]
            raise NetworkError(
                f"equilibrium `{block.name}` cannot be written: its equation of `{name}` does not hold it"
            )
        scaled = jacobian / own[:, None]
        even = float(np.min(np.linalg.eigvals(scaled).real)) > SLOW
        found[block.name] = np.eye(len(own)) if even else np.asarray(np.linalg.inv(scaled), dtype=float)
    return found


def _arguments(network: Network, relaxation: ca.SX) -> list[ca.SX]:
    columns = [
        [s.symbol for s in network.species.values()],
        [s for b in network.equilibria.values() for s in b.symbols],
        [p.symbol for p in network.parameters.values()],
        [network.time.expression, relaxation],
    ]
    return [ca.vertcat(*column) if column else ca.SX(0, 1) for column in columns]


def _program(arguments: list[ca.SX], parts: list[list[tuple[str, ca.SX, Dimension]]]) -> Program:
    """Return one program of all parts; what cannot be written is looked for part by part, to name it."""
    columns = [ca.densify(ca.vertcat(*[e for _, e, _ in part])) if part else ca.SX(0, 1) for part in parts]
    try:
        whole_program = program_of(arguments, columns)
        if _is_finite(whole_program):
            return whole_program
        raise NetworkError("a formula holds a number that is not finite")
    except (NetworkError, RuntimeError) as whole:
        known = {s.name() for a in arguments for s in ca.symvar(a)}
        for name, expression, _ in (one for part in parts for one in part):
            loose = sorted({s.name() for s in ca.symvar(expression)} - known)
            if loose:
                raise NetworkError(f"{name} uses {', '.join(loose)}, which nothing defines") from None
            try:
                if not _is_finite(program_of(arguments, [expression])):
                    raise NetworkError("it holds a number that is not finite")
            except (NetworkError, RuntimeError) as error:
                raise NetworkError(f"{name} cannot be written for other programs: {error}") from error
        raise whole


def _is_finite(program: Program) -> bool:
    return all(math.isfinite(node.number) for node in program.nodes)


def _changes(network: Network, segments: Sequence[Segment]) -> list[tuple[float, str, ca.SX]]:
    """Return (time, species, new value from the state just before) of every event after the start.

    Events of one instant follow each other, so the later ones are written in terms of what the earlier leave.
    """
    found = []
    for segment in segments[1:]:
        pulsed = [network.parameters[name].symbol for name in segment.changes]
        held = [ca.SX(value) for value in segment.changes.values()]
        now: dict[str, ca.SX] = {}
        for event in segment.events:
            now |= _after(network, event.changes, now, pulsed, held)
        found += [(segment.start, name, value) for name, value in now.items()]
    return found


def _after(
    network: Network, changes: Mapping[str, object], now: Mapping[str, ca.SX], pulsed: list[ca.SX], held: list[ca.SX]
) -> dict[str, ca.SX]:
    old = [network.species[name].symbol for name in now] + pulsed
    new = [*now.values(), *held]
    values = [changes[name].expression for name in changes]  # type: ignore[attr-defined]
    if old:
        values = ca.substitute(values, [ca.vertcat(*old)], [ca.vertcat(*new)])
    return dict(zip(changes, values, strict=True))
