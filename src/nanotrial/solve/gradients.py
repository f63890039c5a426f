"""Exact gradients of observables with respect to parameters, forward or adjoint, through events and equilibria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import casadi as ca
import numpy as np

from nanotrial.errors import NetworkError, nearest
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.events import Event, Pulse, cut
from nanotrial.solve.run import Runner, Tolerances, event_map, simulate_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network


def observable_function(
    network: Network,
    outputs: Sequence[float],
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    runner: Runner | None = None,
) -> ca.Function:
    """Return the differentiable function p (SI vector) -> observables of shape (observables, outputs).

    CVODES carries the sensitivities of each segment; the equilibria at its start enter through the implicit function
    theorem (a CasADi root finder that starts from the nominal solution). Event times are fixed.
    """
    work = runner or Runner(compile_network(network))
    c = work.compiled
    p0 = ca.MX.sym("p", len(c.parameter_names))
    starts = simulate_network(network, outputs, events, pulses, runner=work).starts
    amounts, z, columns = c.initial(p0), ca.MX(starts[0]), []
    z = _settle(c, amounts, p0, starts[0])
    for segment, start in zip(cut(events, pulses, outputs), starts[1:], strict=True):
        p = ca.MX(p0)
        for name, value in segment.changes.items():
            p[c.parameter_index(name)] = value
        for event in segment.events:
            amounts = event_map(network, event)(amounts, z, p)
        z = _settle(c, amounts, p, start)
        y = ca.vertcat(amounts / c.scales, z)
        grid = segment.grid
        states = [y]
        if grid:
            states.extend(ca.horzsplit(work.integrator(segment.start, grid)(x0=y, p=p)["xf"]))
        for t, state in zip([segment.start, *grid], states, strict=True):
            if t in segment.outputs:
                columns.append(c.observe(t, state, p))
        n = len(c.species_names)
        amounts, z = states[-1][:n] * c.scales, states[-1][n:]
    return ca.Function("observables", [p0], [ca.horzcat(*columns)])


def _settle(c: CompiledNetwork, amounts: ca.MX, p: ca.MX, guess: NDArray[np.float64]) -> ca.MX:
    """Return the equilibrium variables as a differentiable function of amounts and parameters."""
    m, n = len(c.unknown_names), len(c.species_names)
    if m == 0:
        return ca.MX(0, 1)
    unknown, given = ca.MX.sym("z", m), ca.MX.sym("given", n + p.numel())
    g = c.residual(given[:n], unknown, given[n:])
    options = {"error_on_fail": True, "abstol": 1e-11}
    finder = ca.rootfinder("settle", "newton", {"x": unknown, "p": given, "g": g}, options)
    return finder(guess, ca.vertcat(amounts, p))


def gradient(
    network: Network,
    observable: str,
    at: float,
    parameters: Sequence[str],
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    mode: Literal["adjoint", "forward"] = "adjoint",
    tolerances: Tolerances | None = None,
) -> dict[str, float]:
    """Return d observable(at) / d parameter in SI units.

    Arguments:
        network: the network.
        observable: name of an observable.
        at: time (s).
        parameters: names of parameters.
        events: changes of amounts.
        pulses: changes of parameters over windows.
        mode: adjoint costs one backward run for all parameters, forward one sensitivity per parameter.
        tolerances: error control.
    """
    work = Runner(compile_network(network), tolerances)
    c = work.compiled
    if observable not in c.observable_names:
        raise NetworkError(f"no observable `{observable}`. {nearest(observable, c.observable_names)}")
    places = [c.parameter_index(name) for name in parameters]
    function = observable_function(network, [at], events, pulses, work)
    own = np.array([network.parameters[name].value for name in c.parameter_names])
    p = ca.MX.sym("p", len(own))
    seen = function(p)[c.observable_names.index(observable), 0]
    if mode == "adjoint":
        slopes = ca.Function("slopes", [p], [ca.gradient(seen, p)])(own).full().ravel()
        return {name: float(slopes[i]) for name, i in zip(parameters, places, strict=True)}
    chosen = ca.MX.sym("chosen", len(places))
    full = ca.MX(own)
    full[places] = chosen
    seen = function(full)[c.observable_names.index(observable), 0]
    rows = ca.jtimes(seen, chosen, ca.MX.eye(len(places)))
    slopes = ca.Function("slopes", [chosen], [rows])(own[places]).full().ravel()
    return dict(zip(parameters, map(float, slopes), strict=True))
