"""Diffusion and uptake in spherical shells: time against the number of states, with SciPy's BDF on sparse Jacobians.

The peer gets the right-hand side and the sparse Jacobian of the compiled network. A reaction with a half-saturation
keeps the problem nonlinear, so that Jacobians have to be renewed.
"""

from __future__ import annotations

import math
from statistics import median
from time import perf_counter

import numpy as np
from scipy.integrate import solve_ivp

from harness import Row, show
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.run import Runner, Tolerances, simulate_network

SIZES = (40, 100, 200, 400, 800)
REPEATS = 5
RELATIVE, ABSOLUTE = 1e-6, 1e-9
RADIUS, DIFFUSIVITY, OUTSIDE = 5e-4, 1e-9, 0.2  # m, m^2/s, mol/m^3
FASTEST, HALF = 2e-3, 0.01  # mol/m^3/s, mol/m^3
TIMES = [0.0, 1.0, 10.0, 60.0, 300.0, 1800.0]


def spheroid(shells: int) -> Network:
    """Build oxygen in a spheroid: shells of equal thickness, outside at a fixed concentration."""
    network = Network(f"{shells} shells")
    diffusivity = network.parameter("diffusivity", DIFFUSIVITY, "m^2/s")
    fastest = network.parameter("fastest", FASTEST, "mol/m^3/s")
    half = network.parameter("half", HALF, "mol/m^3")
    outside = network.parameter("outside", OUTSIDE, "mol/m^3")
    step = RADIUS / shells
    for i in range(shells):
        size = 4 / 3 * math.pi * step**3 * ((i + 1) ** 3 - i**3)
        volume = constant(size, "m^3")
        network.compartment(f"shell{i}", volume)
        network.state(f"o{i}", f"shell{i}", scale=OUTSIDE * size)
        c = network.concentration(f"o{i}")
        network.process(f"uptake{i}", {f"o{i}": -1}, fastest * volume * c / (half + c))
    for i in range(shells):
        area = constant(4 * math.pi * ((i + 1) * step) ** 2, "m^2")
        last = i + 1 == shells
        beyond = outside if last else network.concentration(f"o{i + 1}")
        flow = (
            diffusivity * area / constant(step / 2 if last else step, "m") * (beyond - network.concentration(f"o{i}"))
        )
        network.process(f"flow{i}", {f"o{i}": 1} if last else {f"o{i}": 1, f"o{i + 1}": -1}, flow)
    return network


def timed(call):
    """Return the last result and the median wall time in seconds; the first call warms up and does not count."""
    call()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        result = call()
        times.append(perf_counter() - start)
    return result, median(times)


def peer(compiled: CompiledNetwork):
    p, y0 = compiled.parameters(), np.zeros(compiled.size)
    right_hand_side, jacobian = compiled.right_hand_side, compiled.jacobian
    return lambda: (
        solve_ivp(
            lambda t, y: right_hand_side(t, y, p).full().ravel(),
            (TIMES[0], TIMES[-1]),
            y0,
            "BDF",
            TIMES,
            jac=lambda t, y: jacobian(t, y, p).sparse(),
            rtol=RELATIVE,
            atol=ABSOLUTE,
        ).y.T
    )


def main() -> None:
    rows, note = [], []
    for shells in SIZES:
        network = spheroid(shells)
        start = perf_counter()
        compiled = compile_network(network)
        runner = Runner(compiled, Tolerances(RELATIVE, ABSOLUTE))
        simulate_network(network, TIMES, runner=runner)
        first = perf_counter() - start
        found, ours = timed(lambda n=network, r=runner: simulate_network(n, TIMES, runner=r))
        states, theirs = timed(peer(compiled))
        apart = float(np.max(np.abs(found.states / compiled.scales - states)))
        if apart > 1e4 * RELATIVE:
            raise SystemExit(f"{shells} shells: the two solutions differ by {apart:.1e} of the outside concentration")
        rows.append(Row(f"{shells} states, whole run", ours * 1e3, "ms", "SciPy BDF, sparse Jacobian", theirs * 1e3))
        rows.append(Row(f"{shells} states, per state", ours * 1e6 / shells, "us", "the same", theirs * 1e6 / shells))
        note.append(f"{shells}: {first:.2f} s, {apart:.0e}")
    show(
        rows,
        f"Compiling with the first run, and largest difference of the scaled solutions, by states: {'; '.join(note)}.",
    )


if __name__ == "__main__":
    main()
