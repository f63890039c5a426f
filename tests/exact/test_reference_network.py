"""The reference network of benchmarks is what it says: large, stiff, smooth, conserving, and solvable when drawn."""

from __future__ import annotations

import casadi as ca
import numpy as np
import pytest
from reference_network import DAY, FRACTION_SECONDS, SPREAD, reference_problem
from scipy.integrate import solve_ivp

from nanotrial.network.program import program_of
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.run import Runner, Tolerances, simulate_network

TIGHT = Tolerances(relative=1e-10, absolute=1e-13, max_steps=200000)
KINKED = {"minimum", "maximum", "absolute", "sign", "less", "less_equal", "equal", "not_equal", "not", "if_else_zero"}
PROBLEM = reference_problem()


@pytest.fixture(scope="module")
def runner():
    return Runner(compile_network(PROBLEM.network))


def run_of(runner=None, **more):
    given = {"events": PROBLEM.events, "pulses": PROBLEM.pulses, **more}
    return simulate_network(PROBLEM.network, PROBLEM.outputs, runner=runner, **given)


@pytest.fixture(scope="module")
def run(runner):
    return run_of(runner)


@pytest.fixture(scope="module")
def tight():
    return run_of(tolerances=TIGHT)


def departure(found, expected):
    """Return the largest difference of each state over time, relative to the largest value that it takes."""
    return np.max(np.abs(found.states - expected.states), axis=0) / np.max(np.abs(expected.states), axis=0)


def eigenvalues(compiled, amounts, at=0.0):
    return np.linalg.eigvals(compiled.jacobian(at, amounts / compiled.scales, compiled.parameter_values).full())


def test_sizes(runner):
    assert runner.compiled.size == len(PROBLEM.network.species) == 43
    assert 105 <= len(PROBLEM.network.parameters) <= 115
    assert 8 <= len(PROBLEM.network.observables) <= 12
    assert PROBLEM.outputs == pytest.approx(np.linspace(0.0, 14 * DAY, 57), rel=1e-15)
    assert [e.time / DAY for e in PROBLEM.events] == [0, 3, 6]
    assert [p.start / DAY for p in PROBLEM.pulses] == [1, 2, 3, 7, 8, 9]
    assert all(p.end - p.start == pytest.approx(FRACTION_SECONDS, rel=1e-12) for p in PROBLEM.pulses)
    assert sum(p.value * (p.end - p.start) for p in PROBLEM.pulses) == pytest.approx(12.0, rel=1e-12)


def test_no_parameter_is_idle():
    network = PROBLEM.network
    read = [p.rate.expression for p in network.processes.values()]
    read += [o.value.expression for o in network.observables.values()]
    idle = [q.name for q in network.parameters.values() if not ca.depends_on(ca.vertcat(*read), q.symbol)]
    # The start of the cell and the injections read the rest.
    starts = ca.vertcat(*[s.initial.expression for s in network.species.values()])
    injected = ca.vertcat(*[t.expression for e in PROBLEM.events for t in e.changes.values()])
    left = [n for n in idle if not ca.depends_on(ca.vertcat(starts, injected), network.parameters[n].symbol)]
    assert "dose" in idle
    assert left == []


def test_rates_have_no_kinks(runner):
    graph = runner.compiled.graph
    ode, y = graph["ode"], graph["x"]
    used = {n.operation for n in program_of([graph["t"], y, graph["p"]], [ode, ca.jacobian(ode, y)]).nodes}
    assert {"add", "multiply", "divide"} <= used
    assert not used & KINKED


def test_contents_are_kept(run):
    assert set(run.imbalance()) == {"metal", "calcium", "glutathione", "peroxiredoxin"}
    assert max(run.imbalance().values()) < 1e-8
    metal = run.contents[:, run.content_names.index("metal")]
    assert metal[[0, 11, 12, 23, 24, 56]] == pytest.approx(np.array([1, 1, 2, 2, 3, 3]) * 1e-4, rel=1e-8)


def test_stiff_at_all_times(runner, run):
    for row in (0, 4, 12, 30, 56):
        decay = -eigenvalues(runner.compiled, run.states[row]).real
        assert np.count_nonzero(np.abs(decay) < 1e-12) == len(run.content_names)
        # Growing modes and conserved sums, whose rate is nothing but rounding, do not count.
        decaying = decay[decay > 1e-9]
        assert decaying.max() > 5.0
        assert decaying.min() < 1 / DAY
        assert decaying.max() / decaying.min() >= 1e5


def test_nothing_is_negative(runner, run):
    assert float(np.min(run.states / runner.compiled.scales)) > -1e-8
    assert 0.0 <= run["viability"].min() <= run["viability"].max() <= 1.0


def test_default_tolerances_agree_with_tight_ones(run, tight):
    assert np.max(departure(run, tight)) < 1e-5


def test_scipy_agrees_through_an_irradiation(runner, tight):
    """Radau of SciPy, on the same right-hand side, goes through the beam of day 1 and six hours on."""
    c = runner.compiled
    start, end = PROBLEM.outputs.index(DAY), PROBLEM.outputs.index(1.25 * DAY)
    beam = PROBLEM.pulses[0]
    y = tight.states[start] / c.scales
    for left, right, rate in ((beam.start, beam.end, beam.value), (beam.end, 1.25 * DAY, 0.0)):
        p = c.parameters({beam.parameter: rate})
        found = solve_ivp(
            lambda t, y, p=p: c.right_hand_side(t, y, p).full().ravel(),
            (left, right),
            y,
            "Radau",
            jac=lambda t, y, p=p: c.jacobian(t, y, p).full(),
            rtol=1e-8,
            atol=1e-11,
        )
        assert found.success
        y = found.y[:, -1]
    expected = tight.states[end] / c.scales
    # Zero after a beam would agree with anything that never saw one.
    assert tight["complex_lesions"][end] > 1.0
    assert y == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_every_fraction_and_injection_leaves_its_mark(runner, run):
    dark = run_of(runner, pulses=())
    clean = run_of(runner, events=())
    assert np.all(dark["complex_lesions"] == 0.0)
    assert np.all(clean["in_tumour_cells"] == 0.0)
    for pulse in PROBLEM.pulses:
        after = PROBLEM.outputs.index(pulse.start) + 1
        assert run["complex_lesions"][after] > 2 * run["complex_lesions"][after - 1]
    assert run["viability"][-1] < 0.5 * dark["viability"][-1]
    assert np.max(run["hydrogen_peroxide"]) > 1.5 * np.max(clean["hydrogen_peroxide"])


def test_draws_are_lognormal_about_the_centre():
    members = 4000
    drawn = PROBLEM.draw(members, np.random.default_rng(1))
    assert drawn.shape == (members, len(PROBLEM.network.parameters))
    assert np.array_equal(drawn, PROBLEM.draw(members, np.random.default_rng(1)))
    centre = np.array([q.value for q in PROBLEM.network.parameters.values()])
    off = list(PROBLEM.network.parameters).index("dose_rate")
    assert np.all(drawn[:, off] == 0.0)
    logs = np.log(np.delete(drawn, off, 1) / np.delete(centre, off)) / np.log(SPREAD)
    # Five standard errors of a mean and of a standard deviation over the members.
    assert np.max(np.abs(logs.mean(axis=0))) < 5 / np.sqrt(members)
    assert np.max(np.abs(logs.std(axis=0) - 1)) < 5 / np.sqrt(2 * members)
    between = np.corrcoef(logs.T) - np.eye(logs.shape[1])
    assert np.max(np.abs(between)) < 6 / np.sqrt(members)


def test_drawn_members_are_solved(runner, run):
    for row in PROBLEM.draw(20, np.random.default_rng(2)):
        one = run_of(runner, changes=dict(zip(runner.compiled.parameter_names, row.tolist(), strict=True)))
        assert max(one.imbalance().values()) < 1e-8
        assert float(np.min(one.states / runner.compiled.scales)) > -1e-7
        assert departure(one, run).max() > 0.1
