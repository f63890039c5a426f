"""Kinetics with closed forms: orders, enzymes, exchange, pulses, events, moving volumes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import lambertw

from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.run import Tolerances, simulate_network

from .networks import NEAR, TIGHT, mol, reaction, vessel

HOURS = [0.0, 600.0, 3600.0, 7200.0, 36000.0]


def decay(start: float = 2.0, k: float = 1e-3) -> Network:
    network = vessel()
    network.state("a", "vessel", initial=start)
    reaction(network, "decay", {"a": -1}, k)
    return network


def test_first_order_decay_is_exponential():
    run = simulate_network(decay(2.0, 1e-4), HOURS, tolerances=TIGHT)
    assert run["a"] == pytest.approx(2.0 * np.exp(-1e-4 * np.array(HOURS)), rel=NEAR)


@pytest.mark.parametrize("tolerance", [1e-5, 1e-7, 1e-9])
def test_the_error_follows_the_tolerance(tolerance):
    run = simulate_network(decay(1.0, 1e-3), [3000.0], tolerances=Tolerances(tolerance, tolerance * 1e-3))
    assert run["a"][0] == pytest.approx(math.exp(-3.0), rel=100 * tolerance)


def test_second_order_with_itself_is_hyperbolic():
    network = vessel()
    network.state("a", "vessel", initial=2.0)
    reaction(network, "pair", {"a": -2}, 1e-3)
    run = simulate_network(network, HOURS, tolerances=TIGHT)
    assert run["a"] == pytest.approx(2.0 / (1 + 2 * 1e-3 * 2.0 * np.array(HOURS)), rel=NEAR)


def test_reversible_first_order_relaxes_to_its_equilibrium():
    forward, back, total = 3e-4, 1e-4, 5.0
    network = vessel()
    network.state("a", "vessel", initial=total, content={"x": 1})
    network.state("b", "vessel", content={"x": 1})
    reaction(network, "forward", {"a": -1, "b": 1}, forward)
    reaction(network, "back", {"b": -1, "a": 1}, back)
    run = simulate_network(network, HOURS, tolerances=TIGHT)
    b = total * forward / (forward + back) * -np.expm1(-(forward + back) * np.array(HOURS))
    assert run["b"] == pytest.approx(b, rel=NEAR)
    assert run.imbalance()["x"] < 1e-12


def test_a_chain_follows_bateman():
    first, second = 1e-3, 4e-4
    network = vessel()
    for name, start in (("a", 1.0), ("b", 0.0), ("c", 0.0)):
        network.state(name, "vessel", initial=start)
    reaction(network, "first", {"a": -1, "b": 1}, first)
    reaction(network, "second", {"b": -1, "c": 1}, second)
    run = simulate_network(network, HOURS, tolerances=TIGHT)
    t = np.array(HOURS)
    b = first / (second - first) * (np.exp(-first * t) - np.exp(-second * t))
    assert run["b"] == pytest.approx(b, rel=NEAR)


def test_michaelis_menten_follows_lambert_w():
    start, fastest, half = 3.0, 2e-3, 0.4
    network = vessel()
    s = network.state("s", "vessel", initial=start)
    v = network.parameter("fastest", fastest, "mol/s")
    network.process("enzyme", {"s": -1}, v * s / (mol(half) + s))
    t = np.array([0.0, 300.0, 900.0, 1500.0, 2400.0])
    run = simulate_network(network, list(t), tolerances=TIGHT)
    exact = half * lambertw(start / half * np.exp((start - fastest * t) / half)).real
    assert run["s"] == pytest.approx(exact, rel=NEAR)


def test_two_compartments_with_exchange_follow_the_matrix_exponential():
    volumes, flow, loss, dose = (2e-3, 5e-3), 1e-6, 4e-5, 1.0
    network = Network()
    for name, size in zip(("blood", "tissue"), volumes, strict=True):
        network.compartment(name, network.parameter(f"volume.{name}", size, "m^3"))
        network.state(name, name, initial=dose if name == "blood" else 0.0)
    q = network.parameter("flow", flow, "m^3/s")
    exchange = q * (network.concentration("blood") - network.concentration("tissue"))
    network.process("exchange", {"blood": -1, "tissue": 1}, exchange)
    network.process("loss", {"blood": -1}, network.parameter("loss_rate", loss, "1/s") * network["blood"])
    a, b = flow / volumes[0], flow / volumes[1]
    matrix = np.array([[-a - loss, b], [a, -b]])
    run = simulate_network(network, HOURS, tolerances=TIGHT)
    exact = np.array([expm(matrix * t) @ [dose, 0.0] for t in HOURS])
    assert run.states == pytest.approx(exact, rel=NEAR)
    slowest = np.max(np.linalg.eigvals(matrix).real)
    late = simulate_network(network, [3e5, 4e5], tolerances=TIGHT)["blood"]
    assert math.log(late[1] / late[0]) == pytest.approx(1e5 * slowest, rel=NEAR)


def test_a_pulse_train_is_exact_piece_by_piece():
    rate, k, on, off, count = 3.0, 1e-2, 7.0, 23.0, 20
    network = decay(0.0, k)
    network.process("lamp", {"a": 1}, network.parameter("power", 0.0, "mol/s"))
    period = on + off
    pulses = [Pulse(i * period, i * period + on, "power", rate) for i in range(count)]
    times = sorted(t for i in range(count) for t in (i * period, i * period + on))
    run = simulate_network(network, times, pulses=pulses, tolerances=TIGHT)
    expected, a = [], 0.0
    for _ in range(count):
        expected.append(a)
        a = rate / k + (a - rate / k) * math.exp(-k * on)
        expected.append(a)
        a *= math.exp(-k * off)
    assert run["a"] == pytest.approx(expected, rel=NEAR)


def test_a_pulse_far_shorter_than_the_step_is_not_missed():
    network = decay(0.0, 1e-6)
    network.process("flash", {"a": 1}, network.parameter("power", 0.0, "mol/s"))
    pulse = Pulse(5e5, 5e5 + 1e-2, "power", 100.0)
    run = simulate_network(network, [1e6], pulses=[pulse], tolerances=TIGHT)
    assert run["a"][0] == pytest.approx(math.exp(-0.5), rel=1e-7)


def test_additions_superpose_in_a_linear_network():
    doses = {0.0: 1.0, 500.0: 0.25, 1234.5: 3.0}
    network = decay(0.0, 1e-3)
    events = [Event(t, {"a": network["a"] + mol(d)}) for t, d in doses.items()]
    times = np.array([0.0, 499.0, 500.0, 1000.0, 1234.5, 4000.0])
    run = simulate_network(network, list(times), events, tolerances=TIGHT)
    exact = sum(d * np.exp(-1e-3 * (times - t)) * (times >= t) for t, d in doses.items())
    assert run["a"] == pytest.approx(exact, rel=NEAR)


def test_removals_multiply_and_are_booked_as_taken_out():
    network = vessel()
    a = network.state("a", "vessel", initial=4.0, content={"x": 2})
    reaction(network, "stay", {"a": 0}, 1.0)
    run = simulate_network(network, [0.0, 5.0, 10.0], [Event(5.0, {"a": 0.3 * a}), Event(10.0, {"a": 0.5 * a})])
    assert run["a"] == pytest.approx([4.0, 1.2, 0.6], rel=1e-12)
    assert run.expected_contents[:, 0] == pytest.approx([8.0, 2.4, 1.2], rel=1e-12)


def test_output_at_an_event_shows_the_state_after_it():
    network = decay(1.0, 1e-3)
    network.observe("doubled", 2.0 * network["a"], "mol")
    events = [Event(0.0, {"a": mol(3.0)}), Event(1000.0, {"a": mol(7.0)}), Event(2000.0, {"a": mol(9.0)})]
    run = simulate_network(network, [0.0, 1000.0, 2000.0], events)
    assert run["a"] == pytest.approx([3.0, 7.0, 9.0], rel=1e-12)
    assert run["doubled"] == pytest.approx([6.0, 14.0, 18.0], rel=1e-12)


def test_events_of_one_instant_act_in_their_order():
    network = decay(1.0, 1e-3)
    add, double = Event(10.0, {"a": network["a"] + mol(1.0)}), Event(10.0, {"a": 2.0 * network["a"]})
    before = math.exp(-0.01)
    first = simulate_network(network, [10.0], [add, double], tolerances=TIGHT)["a"][0]
    second = simulate_network(network, [10.0], [double, add], tolerances=TIGHT)["a"][0]
    assert first == pytest.approx(2 * (before + 1), rel=NEAR)
    assert second == pytest.approx(2 * before + 1, rel=NEAR)


def test_a_growing_volume_dilutes():
    start, inflow, k = 1e-3, 2e-6, 5e-3
    network = Network()
    volume = network.parameter("volume.start", start, "m^3")
    network.compartment("bag", constant(1.0, "m^3"))
    v = network.state("volume", "bag", unit="m^3", scale=1e-3, initial=volume)
    network.compartment("solution", v)
    a = network.state("a", "solution", initial=1.0)
    b = network.state("b", "solution", initial=2.0)
    network.process("dilution", {"volume": 1}, network.parameter("inflow", inflow, "m^3/s"))
    second = network.parameter("second_order", k * start, "m^3/mol/s")
    network.process("pair", {"a": -1, "b": -1}, second * a * b / v)
    network.observe("concentration", network.concentration("a"), "mol/m^3")
    t = np.array([0.0, 10.0, 100.0, 500.0])
    run = simulate_network(network, list(t), tolerances=TIGHT)
    # d a/dt = -k a b / v with b = a + 1: the time of reaction is the logarithm of the volume.
    grown = start + inflow * t
    u = k * start / inflow * np.log(grown / start)
    exact = 1.0 / (2.0 * np.exp(u) - 1.0)
    assert run["volume"] == pytest.approx(grown, rel=NEAR)
    assert run["a"] == pytest.approx(exact, rel=NEAR)
    assert run["concentration"] == pytest.approx(exact / grown, rel=NEAR)


def test_a_rate_may_depend_on_time():
    network = vessel()
    network.state("a", "vessel", initial=1.0)
    ramp = network.parameter("ramp", 1e-4, "mol/s^2") * network.time
    network.process("ramp_up", {"a": 1}, ramp)
    run = simulate_network(network, [0.0, 10.0, 100.0], [Event(50.0, {"a": network["a"] + mol(1.0)})], tolerances=TIGHT)
    assert run["a"] == pytest.approx([1.0, 1.005, 2.5], rel=NEAR)


def test_changes_stand_in_for_parameter_values():
    run = simulate_network(decay(1.0, 1e-3), [1000.0], changes={"k.decay": 2e-3}, tolerances=TIGHT)
    assert run["a"][0] == pytest.approx(math.exp(-2.0), rel=NEAR)
