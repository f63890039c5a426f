"""Ensembles: members are their own single runs, bit for bit in any company; failures stay with the one that fails."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from dishes import make_dish
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_network import reference_problem
from tubes import HOUR, agent, make_study
from tubes import given as dose

from nanotrial.experiment import Player, player
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Network
from nanotrial.network.terms import constant, exp, power, term
from nanotrial.places import build_arm
from nanotrial.sampling import Draws
from nanotrial.solve import ensemble
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import LANE_TOLERANCES, Ensemble
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.lanes import native
from nanotrial.solve.run import Runner, Tolerances, simulate_network

SECOND = constant(1.0, "s")
FREE = -np.inf
# What the kernel promises: read-outs within so much of each curve's largest value.
NEAR = 1e-4
TIGHT = Tolerances(1e-9, 1e-11, 1e-4, 200_000)


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def vessel(name: str) -> Network:
    network = Network(name)
    network.compartment("vessel", constant(1.0, "m^3"))
    return network


def mixed() -> Network:
    """Return decay into an equilibrium of two variables, with a power and an exponential: all that lanes compute."""
    network = vessel("mixed")
    a = network.state("a", "vessel", "1", initial=network.parameter("start", 1.0, "1"))
    b = network.state("b", "vessel", "1", initial=0.1)
    k, order, q = (network.parameter(n, v, "1") for n, v in (("k", 1.0), ("order", 1.4), ("q", 0.3)))
    u, v = network.unknown("u"), network.unknown("v")
    network.equilibrium(
        "pair",
        {"u": (u, 1.0, 0.0), "v": (v, 1.0, FREE)},
        {"first": u * u - q * v - a - 1.0, "second": v + q * u - k * b},
        {"first": term(1.0), "second": term(1.0)},
    )
    network.process("fall", {"a": -1, "b": 1}, k * power(a, order) * u / SECOND)
    network.process("lost", {"b": -1}, b * exp(q * (0.0 - v)) / SECOND)
    for name, one in (("a", a), ("b", b), ("u", u), ("v", v)):
        network.observe(name, one, "1")
    return network


class Many:
    """An ensemble of a network with what it is compared to."""

    def __init__(self, network: Network, tolerances: Tolerances | None = None, threads: int = 1) -> None:
        self.network, self.compiled = network, compile_network(network)
        self.ensemble = Ensemble(network, self.compiled, tolerances, threads)
        self.runner = Runner(self.compiled, TIGHT)

    def draw(self, members: int, seed: int = 1, spread: float = 0.2):
        generator = np.random.default_rng(seed)
        return self.compiled.parameter_values * np.exp(
            spread * generator.standard_normal((members, self.compiled.parameter_values.size))
        )

    def run(self, parameters, outputs, events=(), pulses=()):
        return self.ensemble.run(parameters, self.compiled.guesses, outputs, events, pulses)

    def alone(self, one, outputs, events=(), pulses=()):
        changes = dict(zip(self.compiled.parameter_names, one.tolist(), strict=True))
        return simulate_network(self.network, outputs, events, pulses, changes, self.runner)


def departure(found, expected) -> float:
    """Return the largest difference of read-outs (times, observables) over the largest value of each."""
    return float(np.max(np.abs(found - expected) / np.maximum(np.max(np.abs(expected), axis=0), 1e-300)))


PROBLEM = reference_problem()


@pytest.fixture(scope="module")
def reference():
    return Many(PROBLEM.network, threads=2)


@pytest.fixture(scope="module")
def hundred(reference):
    parameters = PROBLEM.draw(100, np.random.default_rng(8))
    return parameters, reference.run(parameters, PROBLEM.outputs, PROBLEM.events, PROBLEM.pulses)


def test_members_of_the_reference_network_are_their_single_runs(reference, hundred):
    parameters, result = hundred
    assert result.reasons == {}
    assert result.careful == 0
    assert result.time.tolist() == list(PROBLEM.outputs)
    for one in (0, 41, 99):
        alone = reference.alone(parameters[one], PROBLEM.outputs, PROBLEM.events, PROBLEM.pulses)
        assert departure(result.observables[one], alone.observables) < NEAR
    assert not np.array_equal(result.observables[0], result.observables[41])


def test_company_order_and_repetition_change_no_bit(reference, hundred, monkeypatch):
    parameters, _ = hundred
    given_ = (PROBLEM.outputs[:9], PROBLEM.events[:1], PROBLEM.pulses[:1])
    some = reference.run(parameters, *given_)
    for chosen in ([7], [99, 7, 0], list(np.random.default_rng(2).permutation(100))):
        again = reference.run(parameters[chosen], *given_)
        assert np.array_equal(again.observables, some.observables[chosen])
    for threads, size in ((1, 128), (2, 8), (5, 13), (3, 1)):
        monkeypatch.setattr(ensemble, "SLICE", size)
        monkeypatch.setattr(reference.ensemble, "threads", threads)
        again = reference.run(parameters, *given_)
        assert np.array_equal(again.observables, some.observables)
        assert again.steps == some.steps
    thorough = Ensemble(reference.network, reference.compiled, level=1)
    assert np.array_equal(thorough.run(parameters, np.empty(0), *given_).observables, some.observables)


def test_company_changes_no_bit_where_there_are_equilibria(tmp_path, monkeypatch):
    parameters = Many(mixed()).draw(20, spread=0.5)
    at = [0.0, 0.5, 1.0, 4.0]
    whole = Many(mixed()).run(parameters, at)
    assert whole.reasons == {}
    for i, chosen in enumerate(([19], [4, 3], list(range(19, -1, -1)))):
        # Nothing on disk: what code is made of may not come from whoever happens to be first.
        monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path / str(i)))
        assert np.array_equal(Many(mixed()).run(parameters[chosen], at).observables, whole.observables[chosen])


def crossed() -> Many:
    """Return equilibria whose rows are best matched one way or the other, as a member's parameters have it."""
    network = vessel("crossed")
    a = network.state("a", "vessel", "1", initial=1.0)
    k, q = network.parameter("k", 1.0, "1"), network.parameter("q", 0.1, "1")
    u, v = network.unknown("u"), network.unknown("v")
    residuals = {"first": k * u + q * v + 0.1 * u * u * u - a, "second": q * u + k * v - 1.0 - a}
    ones = {"first": term(1.0), "second": term(1.0)}
    network.equilibrium("pair", {"u": (u, 1.0, FREE), "v": (v, 1.0, FREE)}, residuals, ones)
    network.process("fall", {"a": -1}, (1.0 + 0.3 * u * v) * a / SECOND)
    network.observe("a", a, "1")
    network.observe("u", u, "1")
    return Many(network)


def test_rows_are_not_matched_by_the_first_member(tmp_path, monkeypatch):
    parameters, found = np.array([[1.0, 0.1], [0.1, 1.3], [0.7, 0.2]]), []
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path / str(order[0])))
        result = crossed().run(parameters[order], [0.0, 1.0, 2.0])
        found.append(result.observables[np.argsort(order)])
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


MIXED = Many(mixed())
EDGES = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    additions=st.lists(st.tuples(EDGES, st.floats(0.1, 2.0)), max_size=4),
    windows=st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.floats(0.1, 3.0)), max_size=2),
    seed=st.integers(0, 1000),
)
def test_events_and_pulses_happen_as_in_single_runs(additions, windows, seed):
    network = MIXED.network
    events = [Event(t, {"a": network["a"] + much}, "more") for t, much in additions]
    events.append(Event(1.5, {"b": 0.5 * network["b"]}, "half taken away"))
    pulses = [Pulse(t, t + 0.25, "k", value) for t, value in dict(windows).items()]
    outputs = [0.0, 0.5, 1.0, 1.25, 1.5, 3.0]
    parameters = MIXED.draw(3, seed)
    result = MIXED.run(parameters, outputs, events, pulses)
    assert result.reasons == {}
    for one in range(3):
        alone = MIXED.alone(parameters[one], outputs, events, pulses)
        assert departure(result.observables[one], alone.observables) < NEAR


def test_outputs_at_events_show_what_is_after_them():
    network = vessel("steps")
    x = network.state("x", "vessel", "1", initial=network.parameter("start", 1.0, "1"))
    network.process("stay", {"x": 1}, network.parameter("k", 0.0, "1") * x / SECOND)
    network.observe("x", x, "1")
    work = Many(network)
    events = [Event(t, {"x": network["x"] + 1.0}) for t in (0.0, 1.0)]
    events += [Event(1.0, {"x": 10.0 * network["x"]}), Event(2.0, {"x": 0.5 * network["x"]})]
    result = work.run(np.array([[0.0 + s, 0.0] for s in (1.0, 2.0)]), [0.0, 0.5, 1.0, 2.0], events)
    assert result["x"].tolist() == [[2.0, 2.0, 30.0, 15.0], [3.0, 3.0, 40.0, 20.0]]
    assert work.run(np.array([[1.0, 0.0]]), [], events).observables.shape == (1, 0, 1)


def arm_of(kind: str):
    if kind == "tube":
        study = make_study([dose(), agent("hydrogen_peroxide", "100 umol/L", "0.5 h")])
        return build_arm(study, study.arms[0], Overlay()), [0.0, 0.5 * HOUR, HOUR, 3 * HOUR]
    given_ = [dose(concentration="0.05 mmol/L", basis="core"), agent("hydrogen_peroxide", "20 umol/L", "1 h")]
    study = make_dish(given_, particles={"bare": {"core": "copper_oxide", "diameter": "20 nm"}})
    return build_arm(study, study.arms[0], Overlay()), [0.0, HOUR, 4 * HOUR, 24 * HOUR]


@pytest.mark.parametrize("kind", ["tube", "dish"])
def test_members_of_an_arm_are_their_single_runs(kind, monkeypatch):
    built, times = arm_of(kind)
    draws = Draws(built.network.parameters, Overlay(), None, 3, seed=4).unknown(0, 3)
    assert len(draws) > 10
    work = Player(TIGHT if kind == "tube" else None)
    alone = work.play_members(built, times, draws, 3)
    monkeypatch.setattr(player, "FEW_MEMBERS", 1)
    table = work.play_members(built, times, draws, 3)
    assert table.reasons == alone.reasons == {}
    assert table.values.keys() == alone.values.keys()
    for name, expected in alone.values.items():
        if name == "charge_error":  # mol/m^3, beside ions of a hundred: nothing but what tolerances leave
            assert np.max(np.abs(table.values[name])) < NEAR
            continue
        size = np.maximum(np.max(np.abs(expected), axis=1, keepdims=True), 1e-300)
        if name == "cell_death":  # one less the viability
            size = np.ones_like(size)
        assert np.max(np.abs(table.values[name] - expected) / size) < NEAR, name


def growth(rule) -> Many:
    """Return x' = k rule(x) from one."""
    network = vessel("growth")
    x = network.state("x", "vessel", "1", initial=1.0)
    network.process("grow", {"x": 1}, network.parameter("k", 0.1, "1") * rule(x) / SECOND)
    network.observe("x", x, "1")
    return Many(network)


def test_failures_stay_with_the_member_that_fails(monkeypatch):
    work = growth(lambda x: x * x)
    rates = np.linspace(0.01, 0.4, 12)[:, None]
    whole = work.run(rates, [0.0, 1.0, 2.0])
    assert whole.reasons == {}
    assert whole["x"][:, -1] == pytest.approx(1.0 / (1.0 - 2.0 * rates[:, 0]), rel=NEAR)
    monkeypatch.setattr(ensemble, "CAREFUL", Tolerances(1e-6, 1e-9, 1e-4, 2000))
    wrong = rates.copy()
    wrong[3], wrong[7] = np.nan, 1.0  # x = 1 / (1 - t) ends at one second
    result = work.run(wrong, [0.0, 1.0, 2.0])
    assert set(result.reasons) == {3, 7}
    assert result.reasons[3] == "the parameter `k` is not a number"
    assert "the solver stopped" in result.reasons[7]
    assert "alone, after" in result.reasons[7]
    assert np.all(np.isnan(result.observables[[3, 7]]))
    others = [i for i in range(12) if i not in (3, 7)]
    assert np.array_equal(result.observables[others], whole.observables[others])


def test_amounts_below_zero_are_refused_by_name():
    result = growth(lambda x: term(-1.0)).run(np.array([[0.1], [1.0], [0.2]]), [0.0, 1.0, 2.0])
    assert set(result.reasons) == {1}
    assert "`x` fell to" in result.reasons[1]
    assert "below zero" in result.reasons[1]
    assert result["x"][[0, 2], -1] == pytest.approx([0.8, 0.6], rel=1e-9)
    assert result.careful == 1


def test_too_many_steps_are_said():
    work = Many(mixed(), Tolerances(1e-8, 1e-10, 1e-4, 6))
    result = work.run(work.draw(2), [0.0, 50.0])
    assert set(result.reasons) == {0, 1}
    assert all(r.startswith("more than 6 steps were needed after ") for r in result.reasons.values())
    assert np.all(np.isnan(result.observables))


def test_more_steps_than_the_first_round_has_change_no_bit(monkeypatch):
    parameters = MIXED.draw(9)
    usual = MIXED.run(parameters, [0.0, 1.0, 20.0])
    monkeypatch.setattr(ensemble, "FEW_STEPS", 5)
    cut = MIXED.run(parameters, [0.0, 1.0, 20.0])
    assert cut.steps[0] > usual.steps[0]
    assert np.array_equal(cut.observables, usual.observables)


def test_members_the_kernel_gives_up_are_run_again_alone():
    # exp(3 s) overflows where exp(3 (s - d)) does not: the shared exponentials of that member are no numbers.
    network = vessel("shared")
    d = network.state("d", "vessel", "1", scale=1.0, initial=network.parameter("start", 1.0, "1"))
    s1, s2 = network.parameter("s1", 1.0, "1"), network.parameter("s2", 1.5, "1")
    network.process("fall", {"d": -1}, 0.1 * (exp(3.0 * (s1 - d)) + exp(3.0 * (s2 - d))) / SECOND)
    network.observe("d", d, "1")
    work = Many(network)
    parameters = np.array([[1.0, 1.0, 1.5], [300.0, 299.0, 299.5], [1.2, 0.5, 0.5]])
    result = work.run(parameters, [0.0, 0.05, 0.1])
    assert result.reasons == {}
    assert result.careful == 1
    for one in range(3):
        alone = work.alone(parameters[one], [0.0, 0.05, 0.1])
        assert departure(result.observables[one], alone.observables) < NEAR


def test_pivots_that_vanish_are_exchanged():
    # In the pulse both equilibria lose the variables they were matched to: the roles of u and v swap.
    network = vessel("swapped")
    a = network.state("a", "vessel", "1", initial=1.0)
    b = network.state("b", "vessel", "1")
    own = network.parameter("own", 1.0, "1")
    u, v = network.unknown("u"), network.unknown("v")
    residuals = {"first": own * u + 0.5 * v - 2.0 * a, "second": own * v - 0.5 * u - 1.0}
    ones = {"first": term(1.0), "second": term(1.0)}
    network.equilibrium("pair", {"u": (u, 1.0, FREE), "v": (v, 1.0, FREE)}, residuals, ones)
    network.process("fall", {"a": -1}, a / SECOND)
    network.process("use", {"b": 1}, u * u / SECOND)
    for name, one in (("a", a), ("b", b), ("u", u), ("v", v)):
        network.observe(name, one, "1")
    work, at = Many(network), [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]
    plain = work.run(np.array([[1.0]]), at)
    assert plain.steps[2] == 0
    pulses = [Pulse(1.0, 2.0, "own", 0.0)]
    result = work.run(np.array([[1.0], [1.1]]), at, (), pulses)
    assert result.reasons == {}
    assert result.careful == 0
    assert result.steps[2] > 10
    for one, value in enumerate((1.0, 1.1)):
        alone = work.alone(np.array([value]), at, (), pulses)
        assert departure(result.observables[one], alone.observables) < NEAR
    # Refusals stay few: the lane keeps its pivots instead of losing length at every step.
    assert result.steps[1] < result.steps[0]


def test_code_is_kept_on_disk_and_made_again_where_spoilt(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path / "cache"))
    compiled = []
    original = native._compiled
    monkeypatch.setattr(native, "_compiled", lambda text, level: compiled.append(level) or original(text, level))

    def play():
        work = Many(mixed())
        return work.run(work.draw(3), [0.0, 1.0]).observables

    first = play()
    assert compiled == [0]
    files = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert len(files) == 2
    assert np.array_equal(play(), first)
    assert compiled == [0]
    for spoil in (lambda b: b[: len(b) // 2], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""):
        for file in files:
            file.write_bytes(spoil(file.read_bytes()))
        before = len(compiled)
        assert np.array_equal(play(), first)
        assert len(compiled) == before + 1
        assert np.array_equal(play(), first)
        assert len(compiled) == before + 1


def test_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("NANOTRIAL_CACHE", str(blocked))
    work = Many(mixed())
    assert np.all(np.isfinite(work.run(work.draw(2), [0.0, 1.0]).observables))
    assert blocked.read_text() == "not a folder"


def test_ensembles_come_and_go():
    # What loads code frees the machine it was loaded with: each needs one of its own.
    expected = None
    for _ in range(4):
        work = Many(mixed())
        found = work.run(work.draw(2), [0.0, 1.0]).observables
        expected = found if expected is None else expected
        assert np.array_equal(found, expected)
        del work


def test_usual_tolerances_give_what_they_promise():
    at = np.linspace(0.0, 8.0, 17)
    parameters = MIXED.draw(6, 3, 0.4)
    usual, tight = MIXED.run(parameters, at), Many(mixed(), TIGHT).run(parameters, at)
    worst = max(departure(a, b) for a, b in zip(usual.observables, tight.observables, strict=True))
    assert worst < NEAR
    assert LANE_TOLERANCES.relative == 1e-5


def test_nothing_heavy_is_imported_before_it_is_used():
    code = (
        "import sys, nanotrial.solve.ensemble; "
        "print([m for m in ('numba', 'llvmlite', 'scipy.optimize') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
