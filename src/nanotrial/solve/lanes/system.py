"""A network as its ensemble kernel sees it: states and equilibria side by side, with machine code for both.

    dx/dt = f(t, x, z, p),   0 = g(x, z, p)

Equilibria stay algebraic: no derivative of g is inverted symbolically, so code is a third of that of the plain form.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.errors import SolveError
from nanotrial.network.program import Program, program_of
from nanotrial.solve.lanes import native
from nanotrial.solve.lanes.emit import module_text
from nanotrial.solve.lanes.factor import factorise, match_rows
from nanotrial.solve.lanes.graphs import reachable, share_divisions, share_exponentials, split
from nanotrial.solve.lanes.kernel import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network
    from nanotrial.solve.compiled import CompiledNetwork

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LaneSystem:
    """Code of one network and what is needed to use it; ``constants`` gives what code reads of the parameters."""

    code: bytes
    constants: Program
    differential: NDArray[np.bool_]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    sizes: NDArray[np.int64]
    nodes: dict[str, int]

    def load(self) -> tuple[native.Loaded, NDArray[np.int64]]:
        """Return the loaded code and the addresses of rates, jacobian, factor and solve."""
        loaded = native.Loaded(self.code)
        names = ("rates", "jacobian", "factor", "solve")
        return loaded, np.array([loaded.address(n) for n in names], dtype=np.int64)


def lane_system(network: Network, compiled: CompiledNetwork, level: int = 0) -> LaneSystem:
    """Return the code of a network, from disk where it was made before.

    Rows of equilibria are matched to variables by their sizes at the start with the network's own values, never those
    of a member: what one shows may not depend on its company.

    Arguments:
        network: the network.
        compiled: its compiled form, whose digest and start name it.
        level: how hard the compiler tries.
    """
    sample = _start(compiled)
    start = hashlib.sha256(sample[0].tobytes() + sample[1].tobytes()).hexdigest() if compiled.unknown_names else ""
    name = native.digest("lanes", str(LANES), str(level), compiled.digest, start)
    stored = native.kept(name)
    if stored is not None:
        found: LaneSystem = pickle.loads(stored)
        return found
    made = _make(network, compiled, level)
    native.keep(name, pickle.dumps(made))
    return made


def _start(compiled: CompiledNetwork) -> tuple[Vector, Vector]:
    """Return scaled states and parameters at the start; where no equilibrium is found, its guesses."""
    p = compiled.parameter_values
    amounts = np.asarray(compiled.initial(p).full(), dtype=float).ravel()
    try:
        z = compiled.solve_equilibria(amounts, p, compiled.guesses)
    except SolveError:
        z = compiled.guesses
    return np.concatenate([amounts / compiled.scales, z]), p


@dataclass(frozen=True)
class LanePrograms:
    """What code of a network is made from: programs rates, jacobian, factor and solve, and the constants they read."""

    functions: dict[str, Program]
    constants: Program
    differential: NDArray[np.bool_]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    sizes: NDArray[np.int64]


def lane_programs(network: Network, compiled: CompiledNetwork) -> LanePrograms:
    """Return the programs of a network, rows of equilibria matched to variables as ``lane_system`` says.

    Arguments:
        network: the network.
        compiled: its compiled form.
    """
    t, y, p, rates = _semi_explicit(network, compiled)
    jacobian = ca.jacobian(rates, y)
    drift = ca.jacobian(rates, t) if ca.depends_on(rates, t) else ca.SX(0, 1)
    sizes = np.asarray(ca.Function("jacobian", [t, y, p], [jacobian])(0.0, *_start(compiled)).nonzeros())
    rows, columns = (np.array(v, dtype=np.int64) for v in jacobian.sparsity().get_triplet())
    differential = np.arange(y.numel()) < len(compiled.species_names)
    given = program_of([t, y, p], [rates, jacobian, ca.densify(drift)])
    whole = share_divisions(share_exponentials(given, frozenset({2})), frozenset({2}))
    parts = split(whole, 2)
    at_stages = reachable(parts.moving, (parts.moving.outputs[0],))
    lu = factorise(rows, columns, differential, match_rows(rows, columns, sizes, differential))
    return LanePrograms(
        functions={"rates": at_stages, "jacobian": parts.moving, "factor": lu.factor, "solve": lu.solve},
        constants=Program(parts.constants.nodes, parts.constants.inputs, parts.constants.outputs),
        differential=differential,
        rows=rows,
        columns=columns,
        sizes=np.array([lu.entries, drift.numel()], dtype=np.int64),
    )


def _make(network: Network, compiled: CompiledNetwork, level: int) -> LaneSystem:
    made = lane_programs(network, compiled)
    return LaneSystem(
        code=native.machine_code(module_text(made.functions, LANES), level),
        constants=made.constants,
        differential=made.differential,
        rows=made.rows,
        columns=made.columns,
        sizes=made.sizes,
        nodes={key: len(one.nodes) for key, one in made.functions.items()},
    )


def _semi_explicit(network: Network, compiled: CompiledNetwork) -> tuple[ca.SX, ca.SX, ca.SX, ca.SX]:
    """Return symbols of time, scaled states and parameters, and (dx/dt / scale, g) of them."""
    species, blocks = list(network.species.values()), list(network.equilibria.values())
    place = {s.name: i for i, s in enumerate(species)}
    rates = [ca.SX(0)] * len(species)
    for process in network.processes.values():
        for name, count in process.stoichiometry.items():
            rates[place[name]] = rates[place[name]] + count * process.rate.expression
    residuals = [r / s for b in blocks for r, s in zip(b.residuals, b.scales, strict=True)]
    amounts = ca.vertcat(*[s.symbol for s in species])
    unknowns = [s for b in blocks for s in b.symbols]
    z = ca.vertcat(*unknowns) if unknowns else ca.SX(0, 1)
    y = ca.SX.sym("y", compiled.size)
    back = ca.vertcat(y[: len(species), :] * compiled.scales, y[len(species) :, :])
    both = ca.vertcat(ca.vertcat(*rates) / compiled.scales, *residuals)
    (rates_of_y,) = ca.substitute([both], [ca.vertcat(amounts, z)], [back])
    p = ca.vertcat(*[q.symbol for q in network.parameters.values()]) if network.parameters else ca.SX(0, 1)
    return network.time.expression, y, p, rates_of_y
