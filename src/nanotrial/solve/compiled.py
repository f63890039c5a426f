"""A network as one sparse CasADi graph: scaled states, right-hand side, equilibria, observables.

States are y = amount / scale, followed by the equilibrium variables z. With residual g(z, x, p) = 0,

    dz/dt = -(dg/dz)^-1 (dg/dx) dx/dt

is formed symbolically, so CVODES sees plain ordinary differential equations. Source: index reduction by
differentiation, Hairer & Wanner, Solving Ordinary Differential Equations II, 1996, section VI.1 (key hairer_1996).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import casadi as ca
import numpy as np

from nanotrial.errors import NetworkError, SolveError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CompiledNetwork:
    """Functions of one network; parameters are an SI vector in the order of ``parameter_names``."""

    name: str
    species_names: tuple[str, ...]
    unknown_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    observable_names: tuple[str, ...]
    scales: Vector
    may_be_negative: NDArray[np.bool_]
    parameter_values: Vector
    guesses: Vector
    lower: Vector
    graph: dict[str, ca.SX]
    initial: ca.Function
    residual: ca.Function
    residual_jacobian: ca.Function
    observe: ca.Function
    contents: ca.Function
    content_names: tuple[str, ...]
    digest: str

    @property
    def size(self) -> int:
        """Return the number of states, equilibrium variables included."""
        return len(self.species_names) + len(self.unknown_names)

    @cached_property
    def right_hand_side(self) -> ca.Function:
        """Return f(t, y, p) of the scaled system."""
        g = self.graph
        return ca.Function("right_hand_side", [g["t"], g["x"], g["p"]], [g["ode"]])

    @cached_property
    def jacobian(self) -> ca.Function:
        """Return the sparse Jacobian df/dy(t, y, p)."""
        g = self.graph
        return ca.Function("jacobian", [g["t"], g["x"], g["p"]], [ca.jacobian(g["ode"], g["x"])])

    def parameters(self, changes: dict[str, float] | None = None) -> Vector:
        """Return the SI parameter vector with some values changed by name."""
        vector = self.parameter_values.copy()
        for name, value in (changes or {}).items():
            vector[self.parameter_index(name)] = value
        return vector

    def parameter_index(self, name: str) -> int:
        """Return the place of a parameter; unknown names raise with the nearest ones."""
        if name not in self._places:
            raise NetworkError(f"no parameter `{name}`. {nearest(name, self.parameter_names)}")
        return self._places[name]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.parameter_names)}

    def solve_equilibria(self, amounts: Vector, parameters: Vector, guess: Vector, time: float = 0.0) -> Vector:
        """Return the equilibrium variables at given amounts by damped Newton steps.

        Steps are cut to one decade downwards for bounded variables and to one unit for free ones, then accepted only
        if the scaled residual falls. Raises SolveError where no solution is found.
        """
        if not self.unknown_names:
            return np.empty(0)
        for start in (guess, self.guesses):
            for careful in (False, True):
                z = self._newton(amounts, parameters, np.maximum(start, self.lower), careful)
                if z is not None:
                    return z
        names = ", ".join(self.unknown_names[:6])
        raise SolveError(f"no equilibrium found for {names} at t = {time:g} s", time, names)

    def titrate(self, parameters: Vector, place: int, unknown: str, target: float, guess: Vector) -> Vector:
        """Return parameters in which one of them brings an equilibrium variable to a target at the start.

        The parameter takes the place of the variable among the unknowns of the equilibria, which Newton steps solve.

        Arguments:
            parameters: SI vector.
            place: index of the parameter to move.
            unknown: name of the equilibrium variable.
            target: its wanted value.
            guess: first guess of the variables.
        """
        p, row = parameters.copy(), self.unknown_names.index(unknown)
        z = guess.copy()
        z[row] = target
        others = [i for i in range(len(z)) if i != row]
        for _ in range(100):
            amounts = _dense(self.initial(p))
            r = _dense(self.residual(amounts, z, p))
            jacobian = np.asarray(self.residual_jacobian(amounts, z, p).full())
            jacobian[:, row] = np.asarray(self.start_parameter_slope(z, p).full())[:, place]
            step = np.linalg.solve(jacobian, -r)
            if np.max(np.abs(r)) < 1e-12 or np.max(np.abs(step) / (1e-3 + np.abs(z))) < 1e-13:
                return p
            p[place] += step[row]
            inside = self.inside(z, z + step)
            z[others] = inside[others]
        raise SolveError(f"no start with {unknown} = {target:g} was found", 0.0, unknown)

    @cached_property
    def start_parameter_slope(self) -> ca.Function:
        """Return d residual / d parameters at the start, initial amounts included."""
        z, p = ca.SX.sym("z", len(self.unknown_names)), ca.SX.sym("p", len(self.parameter_names))
        residual = self.residual(self.initial(p), z, p)
        return ca.Function("start_parameter_slope", [z, p], [ca.jacobian(residual, p)])

    def _newton(self, amounts: Vector, parameters: Vector, z: Vector, careful: bool) -> Vector | None:
        """Return the solution or None; ``careful`` shortens steps until the residual falls."""
        free = ~np.isfinite(self.lower)
        for _ in range(100):
            r = _dense(self.residual(amounts, z, parameters))
            if not np.all(np.isfinite(r)):
                return None
            try:
                step = np.linalg.solve(self.residual_jacobian(amounts, z, parameters).full(), -r)
            except np.linalg.LinAlgError:
                return None
            step = np.where(free, np.clip(step, -1.0, 1.0), step)
            size, trial = 1.0, self.inside(z, z + step)
            norm = float(np.linalg.norm(r))
            while careful and size > 1e-6:
                after = float(np.linalg.norm(_dense(self.residual(amounts, trial, parameters))))
                if after < norm or norm < 1e-12:
                    break
                size *= 0.5
                trial = self.inside(z, z + size * step)
            still = bool(np.all(np.abs(trial - z) <= 1e-10 * (1e-6 + np.abs(trial))))
            z = trial
            if still and norm < 1e-9:
                return z
        return None

    def inside(self, z: Vector, trial: Vector) -> Vector:
        """Return a trial point whose bounded variables move by at most a decade from their bounds, up or down.

        Arguments:
            z: equilibrium variables, shape (variables,) or (variables, members).
            trial: where a step would lead, of the same shape.
        """
        low = self.lower.reshape(-1, *[1] * (z.ndim - 1))
        bounded = np.isfinite(low)
        base = np.where(bounded, low, 0.0)
        room = np.where(bounded, z - base, 0.0)
        return np.where(bounded, np.clip(trial, base + 0.1 * room, base + 10.0 * np.maximum(room, 1e-3)), trial)


def _dense(matrix: ca.DM) -> Vector:
    return np.asarray(matrix.full(), dtype=float).ravel()


def compile_network(network: Network) -> CompiledNetwork:
    """Return the compiled form of a network; raises NetworkError where symbols are left undefined."""
    species, parameters = list(network.species.values()), list(network.parameters.values())
    scales = np.array([s.scale for s in species])
    amounts = ca.vertcat(*[s.symbol for s in species]) if species else ca.SX(0, 1)
    p = ca.vertcat(*[q.symbol for q in parameters]) if parameters else ca.SX(0, 1)
    blocks = list(network.equilibria.values())
    z = ca.vertcat(*[s for b in blocks for s in b.symbols]) if blocks else ca.SX(0, 1)
    t = network.time.expression

    rates: list[Any] = [ca.SX(0)] * len(species)
    place = {s.name: i for i, s in enumerate(species)}
    for process in network.processes.values():
        for name, count in process.stoichiometry.items():
            rates[place[name]] = rates[place[name]] + count * process.rate.expression
    dx = ca.vertcat(*rates) if rates else ca.SX(0, 1)
    dz: list[ca.SX] = []
    residual: list[ca.SX] = []
    for i, block in enumerate(blocks):
        symbols = ca.vertcat(*block.symbols)
        g = ca.vertcat(*[r / s for r, s in zip(block.residuals, block.scales, strict=True)])
        residual.append(g)
        later = [s for b in blocks[i + 1 :] for s in b.symbols]
        if later and ca.depends_on(g, ca.vertcat(*later)):
            raise NetworkError(f"equilibrium `{block.name}` reads variables bound after it: bind them in one block")
        before = ca.vertcat(*[s for b in blocks[:i] for s in b.symbols])
        drift = ca.jtimes(g, amounts, dx)
        if dz:
            drift += ca.jtimes(g, before, ca.vertcat(*dz))
        dz.append(-ca.solve(ca.jacobian(g, symbols), drift))
    y = ca.SX.sym("y", len(species) + z.numel())
    scaled = ca.vertcat(dx / scales, *dz)
    # Two indices: a one-index slice of a 1 x 1 symbol would give a row.
    back = ca.vertcat(y[: len(species), :] * scales, y[len(species) :, :])
    observables = list(network.observables.values())
    values = ca.vertcat(*[o.value.expression for o in observables]) if observables else ca.SX(0, 1)
    ode, seen = ca.substitute([scaled, values], [ca.vertcat(amounts, z)], [back])
    kinds = network.contents()
    totals = ca.vertcat(*[network.total_content(k).expression for k in kinds]) if kinds else ca.SX(0, 1)
    residuals = ca.vertcat(*residual) if residual else ca.SX(0, 1)
    start = ca.vertcat(*[s.initial.expression for s in species]) if species else ca.SX(0, 1)
    _no_loose_symbols(network, ca.vertcat(ode, seen, start), ca.vertcat(y, p, t))
    _no_loose_symbols(network, ca.vertcat(residuals, totals), ca.vertcat(amounts, z, p))
    # All that a run reads is in the digest: two networks of one digest may share everything but parameter values.
    function = ca.Function("f", [t, y, p, amounts, z], [ode, seen, start, residuals, totals])
    return CompiledNetwork(
        name=network.name,
        species_names=tuple(place),
        unknown_names=tuple(n for b in blocks for n in b.names),
        parameter_names=tuple(q.name for q in parameters),
        observable_names=tuple(o.name for o in observables),
        scales=scales,
        may_be_negative=np.array([s.may_be_negative for s in species], dtype=bool),
        parameter_values=np.array([q.value for q in parameters]),
        guesses=np.array([v for b in blocks for v in b.guesses]),
        lower=np.array([v for b in blocks for v in b.lower]),
        graph={"t": t, "x": y, "p": p, "ode": ode},
        initial=ca.Function("initial", [p], [start]),
        residual=ca.Function("residual", [amounts, z, p], [residuals]),
        residual_jacobian=ca.Function("residual_jacobian", [amounts, z, p], [ca.jacobian(residuals, z)]),
        observe=ca.Function("observe", [t, y, p], [seen]),
        contents=ca.Function("contents", [amounts, p], [totals]),
        content_names=tuple(kinds),
        digest=hashlib.sha256(function.serialize().encode()).hexdigest(),
    )


def _no_loose_symbols(network: Network, expression: ca.SX, known: ca.SX) -> None:
    names = {s.name() for s in ca.symvar(known)}
    loose = sorted({s.name() for s in ca.symvar(expression)} - names)
    if loose:
        raise NetworkError(f"network `{network.name}` uses {', '.join(loose)}, which nothing defines")
