"""Factors of the ensemble kernel and its step method: coefficients, order, stiff limits, equilibria, references."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanotrial.errors import NetworkError
from nanotrial.network.model import Network
from nanotrial.network.program import evaluate
from nanotrial.network.terms import Term, term
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble
from nanotrial.solve.lanes import rodas5p
from nanotrial.solve.lanes.factor import elimination_order, factorise, match_rows
from nanotrial.solve.lanes.system import lane_system
from nanotrial.solve.run import Tolerances

from .networks import vessel
from .test_lanes import LANES, OFTEN, in_lanes, own_cache  # noqa: F401
from .test_stiff_references import SECOND, close, rate_each, robertson, states


@st.composite
def matrices(draw):
    """Draw a pattern with values: which rows are differential, entries, the column that each equilibrium row binds."""
    n = draw(st.integers(1, 10))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    differential = generator.random(n) < draw(st.sampled_from([0.0, 0.4, 0.7, 1.0]))
    bound = np.flatnonzero(~differential)
    partner = dict(zip(bound.tolist(), generator.permutation(bound).tolist(), strict=True))
    there = generator.random((n, n)) < draw(st.sampled_from([0.0, 0.2, 0.6, 1.0]))
    for row, column in partner.items():
        there[row, column] = True
    rows, columns = np.nonzero(there)
    values = generator.uniform(-1.0, 1.0, (len(rows), LANES))
    for e, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        if partner.get(row) == column:
            values[e] = generator.uniform(2.0, 3.0, LANES) * n * generator.choice([-1, 1], LANES)
    return differential, rows, columns, values, partner, generator


@OFTEN
@given(matrices())
def test_factors_solve_what_numpy_solves(drawn):
    differential, rows, columns, values, partner, generator = drawn
    n = len(differential)
    matched = match_rows(rows, columns, values[:, 0], differential)
    assert matched == [next((r for r, c in partner.items() if c == k), k) for k in range(n)]
    lu = factorise(rows, columns, differential, matched)
    w, b = generator.uniform(2.0, 9.0, (1, LANES)) * n, generator.uniform(-1.0, 1.0, (n, LANES))
    found = in_lanes(lu.solve, [in_lanes(lu.factor, [values, w])[0], b])[0]
    plain = evaluate(lu.solve, [evaluate(lu.factor, [values, w])[0], b])[0]
    for lane in range(LANES):
        matrix = np.diag(np.where(differential, w[0, lane], 0.0))
        matrix[rows, columns] -= values[:, lane]
        expected = np.linalg.solve(matrix, b[:, lane])
        room = 1e-13 * np.linalg.cond(matrix) * np.max(np.abs(expected))
        assert np.allclose(found[:, lane], expected, rtol=0.0, atol=room)
        assert np.allclose(plain[:, lane], expected, rtol=0.0, atol=room)


def test_rows_go_to_the_variables_they_bind_best():
    # One state; rows 1 and 2 both hold both variables, and are large where they cross.
    rows, columns = np.array([0, 1, 1, 2, 2]), np.array([0, 1, 2, 1, 2])
    differential = np.array([True, False, False])
    assert match_rows(rows, columns, np.array([1.0, 1e-3, 1.0, 1.0, 1e-3]), differential) == [0, 2, 1]
    assert match_rows(rows, columns, np.array([1.0, 1.0, 1e-3, 1e-3, 1.0]), differential) == [0, 1, 2]
    # An entry that happens to be zero or no number is a last resort, not an absence.
    assert match_rows(rows, columns, np.array([1.0, 0.0, 1.0, 1.0, np.nan]), differential) == [0, 2, 1]
    assert match_rows(rows[[0, 2, 3]], columns[[0, 2, 3]], np.zeros(3), differential) == [0, 2, 1]


@pytest.mark.parametrize("entries", [[(1, 1), (2, 1)], [(1, 1), (1, 2)], [(1, 0), (2, 2)]])
def test_equilibria_that_do_not_determine_their_variables_are_refused(entries):
    rows, columns = np.array(entries).T
    with pytest.raises(NetworkError, match="do not determine their variables"):
        match_rows(rows, columns, np.ones(len(rows)), np.array([True, False, False]))


@pytest.mark.parametrize("shape", ["arrow", "chain", "star"])
def test_patterns_that_need_no_fill_get_none(shape):
    n = 8
    pairs = {
        "arrow": {(0, k) for k in range(1, n)} | {(k, 0) for k in range(1, n)},
        "chain": {(k, k + 1) for k in range(n - 1)} | {(k + 1, k) for k in range(n - 1)},
        "star": {(k, k // 2) for k in range(1, n)} | {(k // 2, k) for k in range(1, n)},
    }[shape]
    pairs |= {(k, k) for k in range(n)}
    rows, columns = np.array(sorted(pairs)).T
    lu = factorise(rows, columns, np.ones(n, dtype=bool), list(range(n)))
    assert lu.fill == 0
    assert lu.entries == len(pairs)
    assert sorted(elimination_order([{c for r, c in pairs if r == k != c} for k in range(n)], n)) == list(range(n))


# The method in the notation of Rosenbrock methods: alpha, Gamma, weights of the new value and of that of order 4.
GAMMAS = np.linalg.inv(np.eye(8) / rodas5p.GAMMA - rodas5p.C)
ALPHAS = rodas5p.A @ GAMMAS
WEIGHTS = (rodas5p.A[7] + np.eye(8)[7]) @ GAMMAS
EMBEDDED = rodas5p.A[7] @ GAMMAS


@cache
def trees(order: int) -> tuple[tuple, ...]:
    """Return the rooted trees with that many nodes, each the sorted tuple of its branches."""
    if order == 1:
        return ((),)
    found = set()
    for parts in range(1, order):
        for sizes in itertools.combinations_with_replacement(range(1, order), parts):
            if sum(sizes) == order - 1:
                found.update(tuple(sorted(one)) for one in itertools.product(*map(trees, sizes)))
    return tuple(sorted(found))


def nodes(tree) -> int:
    return 1 + sum(map(nodes, tree))


def density(tree) -> int:
    return nodes(tree) * math.prod(map(density, tree))


def elementary(tree):
    """Return the weight of a tree at every stage: one branch goes through alpha + Gamma, several through alpha."""
    if not tree:
        return np.ones(8)
    if len(tree) == 1:
        return (ALPHAS + GAMMAS) @ elementary(tree[0])
    return np.prod([ALPHAS @ elementary(branch) for branch in tree], axis=0)


def test_trees_are_counted():
    assert [len(trees(n)) for n in range(1, 6)] == [1, 1, 2, 4, 9]


@pytest.mark.parametrize("tree", [t for n in range(1, 6) for t in trees(n)], ids=str)
def test_coefficients_meet_the_conditions_of_order_five(tree):
    order, exact = nodes(tree), 1.0 / density(tree)
    assert WEIGHTS @ elementary(tree) == pytest.approx(exact, abs=2e-12)
    if order == 5:
        return
    assert EMBEDDED @ elementary(tree) == pytest.approx(exact, abs=2e-12)
    for s in (0.2, 0.5, 0.9):
        b2, b3, b4 = rodas5p.DENSE
        inside = s * ((rodas5p.A[7] + np.eye(8)[7]) + (1 - s) * (b2 + s * (b3 + s * b4))) @ GAMMAS
        assert inside @ elementary(tree) == pytest.approx(exact * s**order, abs=2e-12)


def test_coefficients_agree_among_themselves():
    assert np.allclose(ALPHAS.sum(axis=1), rodas5p.NODES, atol=1e-13)
    assert np.allclose(GAMMAS.sum(axis=1), rodas5p.TIME_WEIGHTS, atol=1e-12)
    assert np.allclose(np.diag(GAMMAS), rodas5p.GAMMA, rtol=1e-14)
    # Stiffly accurate: new value and estimate are arguments of stages, so nothing is left of a fast decay.
    whole = ALPHAS + GAMMAS
    assert abs(1.0 - WEIGHTS @ np.linalg.solve(whole, np.ones(8))) < 1e-11
    assert abs(1.0 - EMBEDDED @ np.linalg.solve(whole, np.ones(8))) < 1e-11
    # The fifth order is not met by the estimate: there is something to estimate.
    assert max(abs(EMBEDDED @ elementary(t) - 1.0 / density(t)) for t in trees(5)) > 1e-5


def curved() -> Network:
    """Return x' = -2 t x z^2, 0 = z^2 - x with x = 1 / (1 + t^2), z = sqrt x: time, a state, an equilibrium."""
    network = vessel("curved")
    x, z = network.state("x", "vessel", "1", initial=1.0), network.unknown("z")
    network.equilibrium("root", {"z": (z, 1.0, 0.0)}, {"g": z * z - x}, {"g": term(1.0)})
    network.process("fall", {"x": -1}, 2.0 * (network.time / SECOND) * x * z * z / SECOND)
    network.observe("x", x, "1")
    network.observe("z", z, "1")
    return network


def straight() -> Network:
    """Return x' = -2 t x^2, the same curve as a single state with time in its rate."""
    network = vessel("straight")
    x = network.state("x", "vessel", "1", initial=1.0)
    network.process("fall", {"x": -1}, 2.0 * (network.time / SECOND) * x * x / SECOND)
    network.observe("x", x, "1")
    return network


def exact_curve(t):
    return np.stack([1.0 / (1.0 + t**2), 1.0 / np.sqrt(1.0 + t**2)], axis=-1)


class Stepped:
    """Single steps of the kernel: with an error control that accepts anything, a segment is one step."""

    def __init__(self, network: Network) -> None:
        self.compiled = compile_network(network)
        self.system = lane_system(network, self.compiled)
        self.loaded, self.code = self.system.load()

    def step(self, start: float, y, grid, parameters=None):
        """Return the states (times, states) at a grid that one step spans."""
        from nanotrial.solve.lanes.kernel import DONE, integrate

        s, p = self.system, self.compiled.parameter_values if parameters is None else parameters
        empty = np.zeros((1, 1))
        constants = evaluate(s.constants, [empty, empty, p[:, None]])[0].T.copy()
        out, status = np.full((1, len(grid), len(y)), np.nan), np.full(1, -1)
        counts, stopped = np.zeros((1, 3), np.int64), np.zeros(1)
        integrate(
            self.code, y[None].copy(), constants, start, np.array(grid), s.differential, s.rows, s.columns, s.sizes,
            0.0, 1e120, 10, out, status, counts, stopped,
        )  # fmt: skip
        assert status[0] == DONE
        assert counts.tolist() == [[1, 0, 0]]
        assert stopped[0] == grid[-1]
        return out[0]


def slope(errors, ratio: float = 2.0):
    """Return the observed orders from errors at steps that shrink by a ratio."""
    return np.diff(-np.log(np.array(errors)), axis=0) / math.log(ratio)


@pytest.mark.parametrize("network", [curved(), straight()], ids=["equilibrium", "one state"])
def test_order_of_the_method(network):
    work, size = Stepped(network), compile_network(network).size
    errors = []
    for count in (8, 16, 32):
        y, at = exact_curve(0.5)[:size], np.linspace(0.5, 2.5, count + 1)
        for left, right in itertools.pairwise(at.tolist()):
            y = work.step(left, y, [right])[-1]
        errors.append(np.abs(y - exact_curve(2.5)[:size]))
    assert np.all(slope(errors) > 4.7), slope(errors)
    assert np.all(errors[-1] < 1e-7)


@pytest.mark.parametrize("network", [curved(), straight()], ids=["equilibrium", "one state"])
def test_order_inside_steps(network):
    work, size = Stepped(network), compile_network(network).size
    share, errors = np.linspace(0.05, 0.95, 19), []
    for h in (0.08, 0.04, 0.02):
        at = 0.5 + h * np.append(share, 1.0)
        found = work.step(0.5, exact_curve(0.5)[:size], at.tolist())
        errors.append(np.max(np.abs(found - exact_curve(at)[:, :size])[:-1], axis=0))
    # One step: a state of order 4 shows the fifth power of its length; an equilibrium, which sums no errors up, the
    # fourth.
    assert np.all(slope(errors) > np.array([4.5, 3.7])[:size]), slope(errors)


@pytest.mark.parametrize("stiffness", [1e3, 1e6, 1e10])
def test_fast_decay_is_gone_after_one_step(stiffness):
    network = vessel("fast")
    x = network.state("x", "vessel", "1", initial=5.0)
    k = network.parameter("k", stiffness, "1/s")
    network.process("relax", {"x": 1}, k * (1.0 - x))
    found = Stepped(network).step(0.0, np.array([5.0]), [1.0])[-1, 0]
    # The stability function falls as 12.5 over the stiffness; the exact remainder is nothing.
    assert abs(found - 1.0) < 4.0 * 13.0 / stiffness


def test_linear_systems_meet_the_stability_function():
    network = vessel("linear")
    x = network.state("x", "vessel", "1", initial=1.0)
    k = network.parameter("k", 1.0, "1/s")
    network.process("decay", {"x": -1}, k * x)
    work, ones = Stepped(network), np.ones(8)
    for z in (-0.1, -1.0, -10.0, -300.0):
        expected = 1.0 + z * WEIGHTS @ np.linalg.solve(np.eye(8) - z * (ALPHAS + GAMMAS), ones)
        found = work.step(0.0, np.array([1.0]), [1.0], np.array([-z]))
        assert found[-1, 0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def ensemble_run(network: Network, outputs, tolerances: Tolerances):
    compiled = compile_network(network)
    work = Ensemble(network, compiled, tolerances, threads=1)
    result = work.run(compiled.parameter_values[None], compiled.guesses, outputs)
    assert result.reasons == {}
    assert result.careful == 0
    return result


@pytest.mark.parametrize("relative", [1e-4, 1e-6, 1e-8, 1e-10])
def test_errors_and_residuals_follow_the_tolerance(relative):
    at = np.linspace(0.0, 5.0, 41)
    result = ensemble_run(curved(), at, Tolerances(relative, relative, 1e-4, 10_000))
    assert np.max(np.abs(result.observables[0] - exact_curve(at))) < 10 * relative
    assert np.max(np.abs(result["z"] ** 2 - result["x"])) < 10 * relative


def follower(stiffness: float) -> Network:
    """Return x' = -k (x - g) + g' with g = 1 / (1 + t): smooth, however stiff (Prothero & Robinson, 1974)."""
    network = vessel("follower")
    x, t = network.state("x", "vessel", "1", initial=1.0), 1.0 + network.time / SECOND
    network.process("follow", {"x": 1}, (stiffness * (1.0 / t - x) - 1.0 / (t * t)) / SECOND)
    network.observe("x", x, "1")
    return network


@pytest.mark.parametrize("stiffness", [1.0, 1e4, 1e8])
def test_stiff_rates_that_contain_time(stiffness):
    at = np.linspace(0.0, 10.0, 21)
    result = ensemble_run(follower(stiffness), at, Tolerances(1e-8, 1e-10, 1e-4, 1000))
    assert result["x"][0, -1] == pytest.approx(1.0 / 11.0, rel=1e-6)
    if stiffness < 1e6:
        # Faster still, the estimate vanishes, and the curve inside a step is not controlled.
        assert np.allclose(result["x"][0], 1.0 / (1.0 + at), rtol=1e-6, atol=0.0)
    # Without the derivative to time in the stages there would be thousands of steps.
    assert result.steps[0] < 200


def hires() -> tuple[Network, list[float]]:
    network = vessel("HIRES")
    y1, y2, y3, y4, y5, y6, y7, y8 = states(network, [1.0, 0, 0, 0, 0, 0, 0, 0.0057], [1e-3] * 8)
    pair: Term = 280.0 * y6 * y8
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
    return network, [
        0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
        0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2,
    ]  # fmt: skip


def orego() -> tuple[Network, list[float]]:
    network = vessel("OREGO")
    y1, y2, y3 = states(network, [1.0, 2.0, 3.0], [1.0, 1.0, 1.0])
    rates = [77.27 * (y2 + y1 * (1.0 - 8.375e-6 * y1 - y2)), (y3 - (1.0 + y1) * y2) / 77.27, 0.161 * (y1 - y3)]
    rate_each(network, rates)
    return network, [0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3]


@pytest.mark.parametrize(("made", "end"), [(hires(), 321.8122), (orego(), 360.0)], ids=["HIRES", "OREGO"])
def test_published_stiff_problems(made, end):
    network, published = made
    for i in range(1, len(published) + 1):
        network.observe(f"end{i}", network[f"y{i}"], "1")
    result = ensemble_run(network, [0.0, end], Tolerances(1e-9, 1e-12, 1e-4, 100_000))
    assert close(result.observables[0, -1], published, 1e-6), result.observables[0, -1] / published - 1


def test_published_robertson():
    network = robertson()
    for i in range(1, 4):
        network.observe(f"end{i}", network[f"y{i}"], "1")
    result = ensemble_run(network, [0.0, 1.0, 4e10, 1e11], Tolerances(1e-9, 1e-12, 1e-4, 100_000))
    assert close(result.observables[0, 2], [5.208345176798e-8, 2.083338177925e-13, 0.9999999479163], 1e-6)
    published = [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]
    assert close(result.observables[0, 3], published, 1e-6)
    assert result.observables[0].sum(axis=1) == pytest.approx(1.0, rel=1e-10)
