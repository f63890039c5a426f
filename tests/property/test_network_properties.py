"""Random linear networks: mass is kept, amounts stay positive, and results scale with the load."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nanotrial.network.balances import conservation_laws, stoichiometric_matrix
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.solve.events import Event
from nanotrial.solve.run import Tolerances, simulate_network

TOLERANCES = Tolerances(relative=1e-9, absolute=1e-12)
NEAR = 1e3 * TOLERANCES.relative
TIMES = [0.0, 1.0, 30.0, 1000.0]
Edges = dict[tuple[int, int], float]


@st.composite
def edges(draw: st.DrawFn) -> tuple[list[float], Edges]:
    """Draw starting amounts and first-order rates (1/s) between some pairs of species."""
    n = draw(st.integers(2, 5))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    rates = draw(st.dictionaries(st.sampled_from(pairs), st.floats(1e-4, 10.0), min_size=1, max_size=8))
    starts = draw(st.lists(st.floats(0.01, 10.0), min_size=n, max_size=n))
    return starts, rates


def linear(starts: list[float], rates: Edges, scale: float = 1.0) -> Network:
    network = Network()
    network.compartment("tube", constant(1.0, "m^3"))
    for i, start in enumerate(starts):
        network.state(f"s{i}", "tube", scale=scale, initial=start * scale, content={"mass": 1})
    for (i, j), rate in rates.items():
        k = network.parameter(f"k.{i}.{j}", rate, "1/s")
        network.process(f"p.{i}.{j}", {f"s{i}": -1, f"s{j}": 1}, k * network[f"s{i}"])
    return network


@settings(max_examples=20, deadline=None)
@given(case=edges())
def test_linear_networks_keep_mass_and_follow_the_matrix_exponential(case):
    starts, rates = case
    run = simulate_network(linear(starts, rates), TIMES, tolerances=TOLERANCES)
    matrix = np.zeros((len(starts), len(starts)))
    for (i, j), rate in rates.items():
        matrix[i, i] -= rate
        matrix[j, i] += rate
    exact = np.array([expm(matrix * t) @ starts for t in TIMES])
    assert np.max(np.abs(run.states - exact)) < NEAR * sum(starts)
    assert run.imbalance()["mass"] < 1e-10
    assert min(run.lowest.values()) > -1e-9


@settings(max_examples=10, deadline=None)
@given(case=edges(), factor=st.sampled_from([1e-12, 1e-3, 10.0, 1e6]))
def test_results_scale_with_the_load(case, factor):
    starts, rates = case

    def run(scale: float) -> np.ndarray:
        network = linear(starts, rates, scale)
        dose = Event(10.0, {"s0": network["s0"] + constant(scale, "mol")})
        return simulate_network(network, TIMES, [dose], tolerances=TOLERANCES).states

    assert np.max(np.abs(run(factor) / factor - run(1.0))) < NEAR * (sum(starts) + 1)


@settings(max_examples=10, deadline=None)
@given(case=edges(), scales=st.lists(st.sampled_from([0.1, 1.0, 30.0]), min_size=5, max_size=5))
def test_scales_set_the_error_and_nothing_else(case, scales):
    starts, rates = case
    plain, scaled = linear(starts, rates), Network()
    scaled.compartment("tube", constant(1.0, "m^3"))
    for i, start in enumerate(starts):
        scaled.state(f"s{i}", "tube", scale=scales[i], initial=start)
    for (i, j), rate in rates.items():
        scaled.process(f"p.{i}.{j}", {f"s{i}": -1, f"s{j}": 1}, scaled[f"s{i}"] * constant(rate, "1/s"))
    first, second = (simulate_network(n, TIMES, tolerances=TOLERANCES).states for n in (plain, scaled))
    assert np.max(np.abs(first - second)) < NEAR * sum(starts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(-2, 2), min_size=5, max_size=5), min_size=1, max_size=4))
def test_the_laws_are_a_basis_of_all_that_the_stoichiometry_keeps(columns):
    network = Network()
    network.compartment("tube", constant(1.0, "m^3"))
    for i in range(5):
        network.state(f"s{i}", "tube")
    for i, column in enumerate(columns):
        network.process(f"p{i}", {f"s{j}": n for j, n in enumerate(column)}, constant(1.0, "mol/s"))
    matrix = stoichiometric_matrix(network)
    weights = np.array([[law.get(f"s{j}", 0.0) for j in range(5)] for law in conservation_laws(network)]).reshape(-1, 5)
    assert np.max(np.abs(weights @ matrix), initial=0.0) < 1e-9
    rank = np.linalg.matrix_rank(matrix)
    assert len(weights) == 5 - rank
    assert np.linalg.matrix_rank(weights) == len(weights) if len(weights) else rank == 5
