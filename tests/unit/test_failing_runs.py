"""Runs that cannot go on, and schedules that make no sense: the message says when and which."""

from __future__ import annotations

import math

import pytest

from nanotrial.errors import NetworkError, SolveError
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.events import Event, Pulse, cut
from nanotrial.solve.run import Runner, simulate_network


def growth(order: int, rate: float = 1.0, start: float = 1.0, **options: bool) -> Network:
    """Build dx/dt = rate x^order in mol and s beside a calm species."""
    network = Network()
    network.compartment("tube", constant(1.0, "m^3"))
    x = network.state("x", "tube", initial=start, **options)
    calm = network.state("calm", "tube", initial=1.0)
    k = network.parameter("k", rate, "mol/s")
    network.process("grow", {"x": 1}, k * (x / mol(1.0)) ** order)
    network.process("fade", {"calm": -1}, calm * constant(1e-3, "1/s"))
    return network


def mol(number: float) -> Term:
    return constant(number, "mol")


def test_a_blow_up_in_finite_time_names_time_and_species():
    with pytest.raises(SolveError, match="fastest quantity `x`") as caught:
        simulate_network(growth(2), [0.5, 0.75, 2.0])
    assert caught.value.quantity == "x"
    assert caught.value.time == 0.75


def test_a_species_forced_below_zero_is_named():
    with pytest.raises(SolveError, match=r"`x` fell to .*below zero, at t = 2 s") as caught:
        simulate_network(growth(0, rate=-1.0), [0.5, 2.0])
    assert (caught.value.quantity, caught.value.time) == ("x", 2.0)


def test_a_species_that_may_be_negative_may():
    run = simulate_network(growth(0, rate=-1.0, may_be_negative=True), [2.0])
    assert run["x"][0] == pytest.approx(-1.0, rel=1e-6)


def test_an_event_that_takes_too_much_is_named():
    network = growth(0)
    with pytest.raises(SolveError, match="`x` fell to -4"):
        simulate_network(network, [5.0], [Event(1.0, {"x": network["x"] - mol(6.0)})])


def test_an_event_that_takes_too_much_at_the_end_is_named():
    network = growth(0)
    with pytest.raises(SolveError, match="below zero"):
        simulate_network(network, [1.0], [Event(1.0, {"x": network["x"] - mol(6.0)})])


def test_a_rate_that_is_no_number_is_a_failure():
    network = growth(0)
    network.process("odd", {"calm": 1}, network["x"] / constant(1.0, "s") * math.nan)
    with pytest.raises(SolveError, match="t = 0 s"):
        simulate_network(network, [1.0])


def test_an_event_names_species_that_are_there_in_their_dimension():
    network = growth(0)
    with pytest.raises(NetworkError, match=r"no species `clam`.*`calm`"):
        simulate_network(network, [1.0], [Event(0.5, {"clam": mol(1.0)})])
    with pytest.raises(SolveError, match="event `wrong` sets `x` in m, expected mol"):
        simulate_network(network, [1.0], [Event(0.5, {"x": constant(1.0, "m")}, "wrong")])
    with pytest.raises(NetworkError, match=r"no parameter `kk`"):
        simulate_network(network, [1.0], pulses=[Pulse(0.0, 1.0, "kk", 2.0)])


@pytest.mark.parametrize(("start", "end"), [(2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (math.inf, math.inf), (math.nan, 1.0)])
def test_a_pulse_is_a_window(start, end):
    with pytest.raises(NetworkError, match="is no window"):
        Pulse(start, end, "k", 1.0)


def test_pulses_of_one_parameter_do_not_overlap():
    with pytest.raises(NetworkError, match=r"two pulses of `k` overlap at 2(\.0)? s"):
        cut([], [Pulse(0.0, 3.0, "k", 1.0), Pulse(2.0, 4.0, "k", 2.0)], [5.0])
    segments = cut([], [Pulse(0.0, 3.0, "k", 1.0), Pulse(2.0, 4.0, "q", 2.0), Pulse(3.0, 4.0, "k", 5.0)], [5.0])
    assert [dict(s.changes) for s in segments] == [{"k": 1.0}, {"k": 1.0, "q": 2.0}, {"k": 5.0, "q": 2.0}, {}]
    assert [(s.start, s.end) for s in segments] == [(0.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0)]


def test_nothing_happens_before_the_start():
    with pytest.raises(NetworkError, match=r"before the start at 0(\.0)? s"):
        cut([Event(-1.0, {})], [], [1.0])
    with pytest.raises(NetworkError, match=r"before the start at 0(\.0)? s"):
        cut([], [], [-1.0, 1.0])


@pytest.mark.parametrize("time", [math.nan, math.inf])
@pytest.mark.parametrize("as_event", [True, False])
def test_times_are_finite(time, as_event):
    with pytest.raises(NetworkError):
        cut([Event(time, {})] if as_event else [], [], [1.0] if as_event else [0.0, time])


def test_every_output_is_in_one_segment():
    events = [Event(1.0, {}, "first"), Event(1.0, {}, "second"), Event(3.0, {}, "last")]
    segments = cut(events, [], [0.0, 0.5, 1.0, 3.0])
    assert [s.outputs for s in segments] == [(0.0, 0.5), (1.0,), (3.0,)]
    assert [[e.label for e in s.events] for s in segments] == [[], ["first", "second"], ["last"]]
    assert [s.grid for s in segments] == [(0.5, 1.0), (3.0,), ()]


def test_a_runner_serves_a_twin_with_other_values():
    slow, fast = growth(0, rate=1.0), growth(0, rate=2.0)
    first, second = compile_network(slow), compile_network(fast)
    assert first.digest == second.digest
    assert simulate_network(fast, [1.0], runner=Runner(first))["x"][0] == pytest.approx(3.0, rel=1e-6)
    assert compile_network(growth(2)).digest != first.digest
