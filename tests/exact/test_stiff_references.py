"""Stiff problems with published end values, written as networks.

Problems and reference values: F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4,
University of Bari and INdAM, 2008 (first edition: W. Lioen, J. de Swart, CWI, 1998). Every value below was computed
again with SciPy's Radau at a relative tolerance of 1e-11 or tighter before it was written here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.solve.run import Tolerances, Trajectory, simulate_network

from .networks import vessel

SECOND = constant(1.0, "s")
TOLERANCES = Tolerances(relative=1e-9, absolute=1e-12)
# CVODES controls the local error; over the stiff phases of these problems the global one is up to 1000 times larger.
NEAR = 1e3 * TOLERANCES.relative


def states(network: Network, starts: list[float], scales: list[float]) -> list[Term]:
    return [
        network.state(f"y{i}", "vessel", "1", scale=scale, initial=start)
        for i, (start, scale) in enumerate(zip(starts, scales, strict=True), 1)
    ]


def rate_each(network: Network, rates: list[Term]) -> None:
    """Give every species one process whose progress is the right-hand side of its equation."""
    for i, rate in enumerate(rates, 1):
        network.process(f"v{i}", {f"y{i}": 1}, rate / SECOND)


def close(found: Any, expected: Any, relative: float) -> bool:
    """Compare without the absolute tolerance that pytest.approx adds: some of these values are tiny."""
    return bool(np.allclose(found, expected, rtol=relative, atol=0.0))


def end(run: Trajectory, count: int) -> list[float]:
    return [float(run[f"y{i}"][-1]) for i in range(1, count + 1)]


def robertson() -> Network:
    network = vessel("ROBER")
    a, b, c = states(network, [1.0, 0.0, 0.0], [1e-6, 1e-11, 1.0])
    network.process("slow", {"y1": -1, "y2": 1}, 0.04 * a / SECOND)
    network.process("fast", {"y2": -1, "y3": 1}, 3e7 * b * b / SECOND)
    network.process("back", {"y2": -1, "y1": 1}, 1e4 * b * c / SECOND)
    return network


@pytest.mark.parametrize(
    ("at", "published"),
    [
        (4e10, [5.208345176798e-8, 2.083338177925e-13, 0.9999999479163]),
        (1e11, [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]),
    ],
)
def test_robertson(at, published):
    run = simulate_network(robertson(), [0.0, 1.0, at], tolerances=TOLERANCES)
    assert close(end(run, 3), published, NEAR)
    assert sum(end(run, 3)) == pytest.approx(1.0, rel=1e-12)


def test_hires():
    network = vessel("HIRES")
    y1, y2, y3, y4, y5, y6, y7, y8 = states(network, [1.0, 0, 0, 0, 0, 0, 0, 0.0057], [1e-3] * 8)
    pair = 280.0 * y6 * y8
    rate_each(
        network,
        [
            -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007,
            1.71 * y1 - 8.75 * y2,
            -10.03 * y3 + 0.43 * y4 + 0.035 * y5,
            8.32 * y2 + 1.71 * y3 - 1.12 * y4,
            -1.745 * y5 + 0.43 * y6 + 0.43 * y7,
            -pair + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
            pair - 1.81 * y7,
            -pair + 1.81 * y7,
        ],
    )
    published = [
        0.7371312573325668e-3,
        0.1442485726316185e-3,
        0.5888729740967575e-4,
        0.1175651343283149e-2,
        0.2386356198831331e-2,
        0.6238968252742796e-2,
        0.2849998395185769e-2,
        0.2850001604814231e-2,
    ]
    run = simulate_network(network, [0.0, 321.8122], tolerances=TOLERANCES)
    assert close(end(run, 8), published, NEAR)
    # The last two hold 0.0057 between them: a law of the stoichiometry that no rate says aloud.
    assert run["y7"][-1] + run["y8"][-1] == pytest.approx(0.0057, rel=1e-10)


def test_orego():
    network = vessel("OREGO")
    y1, y2, y3 = states(network, [1.0, 2.0, 3.0], [1.0, 1.0, 1.0])
    rate_each(
        network,
        [
            77.27 * (y2 + y1 * (1.0 - 8.375e-6 * y1 - y2)),
            (y3 - (1.0 + y1) * y2) / 77.27,
            0.161 * (y1 - y3),
        ],
    )
    published = [0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3]
    run = simulate_network(network, [0.0, 360.0], tolerances=TOLERANCES)
    assert close(end(run, 3), published, NEAR)


def test_e5():
    # The problem keeps y2 = y3 + y4, and y2 falls from 2e-11 to 9e-23: as a state of its own it would end as rounding.
    network = vessel("E5")
    a, c, d = (
        network.state(name, "vessel", "1", scale=1e-24, initial=start)
        for name, start in (("y1", 1.76e-3), ("y3", 0.0), ("y4", 0.0))
    )
    network.process("split", {"y1": -1, "y3": 1}, 7.89e-10 * a / SECOND)
    network.process("bind", {"y1": -1, "y3": -1, "y4": 1}, 1.1e7 * a * c / SECOND)
    network.process("pair", {"y3": -1}, 1.13e9 * (c + d) * c / SECOND)
    network.process("free", {"y4": -1, "y3": 1}, 1.13e3 * d / SECOND)
    network.observe("y2", c + d, "1")
    run = simulate_network(network, [0.0, 1e11, 1e13], tolerances=Tolerances(1e-9, 1e-9))
    # Radau with y2 eliminated, relative tolerance 1e-11.
    assert close(run["y2"][1:], [1.019258256814e-20, 8.861233521288e-23], NEAR)
    # The published y2 and y3 differ by 0.15 % although y4 has died out: that rounding is their uncertainty.
    published = [0.8867655517642120e-22, 0.8854814626268838e-22]
    assert close([run["y2"][-1], run["y3"][-1]], published, 1.5e-3)
    assert close(run["y2"][-1], sum(published) / 2, NEAR)
    assert abs(run["y1"][-1]) < 1e-40
    assert abs(run["y4"][-1]) < 1e-40
