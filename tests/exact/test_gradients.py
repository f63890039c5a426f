"""Adjoint and forward gradients against closed forms and central differences."""

from __future__ import annotations

import numpy as np
import pytest

from nanotrial.errors import NetworkError
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.gradients import gradient, observable_function
from nanotrial.solve.run import Tolerances, simulate_network

from .networks import mol, reaction, vessel

MODES = ["adjoint", "forward"]
TOLERANCES = Tolerances(relative=1e-9, absolute=1e-12)
NEAR = 1e3 * TOLERANCES.relative
# A central difference with a step of 1e-4 errs by about 1e-8 of the second order and 1e-9 / 1e-4 from the solver.
STEP, DIFFERENCE = 1e-4, 1e-4


def kinetics() -> Network:
    """Build a lamp, an enzyme and an equilibrium: everything that a gradient has to pass through."""
    network = vessel()
    start = network.parameter("start", 2.0, "mol")
    total = network.state("total", "vessel", initial=start)
    product = network.state("product", "vessel")
    k = network.parameter("dissociation", 0.3, "mol")
    m, d = network.unknown("monomer", "mol"), network.unknown("dimer", "mol")
    network.equilibrium(
        "dimerisation",
        {"monomer": (m, 0.1, 0.0), "dimer": (d, 0.1, 0.0)},
        {"mass": m + 2.0 * d - total, "action": m * m - k * d},
        {"mass": mol(1.0), "action": mol(1.0) ** 2},
    )
    fastest, half = network.parameter("fastest", 2e-3, "mol/s"), network.parameter("half", 0.4, "mol")
    network.process("enzyme", {"total": -1, "product": 1}, fastest * m / (half + m))
    network.process("lamp", {"product": 1}, network.parameter("power", 1e-3, "mol/s"))
    network.process("loss", {"product": -1}, network.parameter("loss_rate", 1e-3, "1/s") * product)
    network.observe("ratio", (product + d) / (total + m), "1")
    return network


def schedule(network: Network) -> tuple[list[Event], list[Pulse]]:
    dose = constant(0.25, "1") * parameter_term(network, "start")
    events = [
        Event(200.0, {"total": network["total"] + dose}),
        Event(400.0, {"product": 0.5 * network["product"], "total": 0.9 * network["total"]}),
    ]
    return events, [Pulse(100.0, 150.0, "power", 2e-2), Pulse(300.0, 700.0, "half", 0.1)]


def parameter_term(network: Network, name: str) -> Term:
    """Return the term of a parameter that is there: asking again gives the first one."""
    known = network.parameters[name]
    return network.parameter(name, known.value, known.unit)


def central(network: Network, name: str, at: float, events: list[Event], pulses: list[Pulse]) -> float:
    value = network.parameters[name].value
    sides = [
        simulate_network(network, [at], events, pulses, {name: value * (1 + sign * STEP)}, tolerances=TOLERANCES)
        for sign in (1, -1)
    ]
    return float(sides[0]["ratio"][0] - sides[1]["ratio"][0]) / (2 * STEP * value)


@pytest.mark.parametrize("mode", MODES)
def test_the_gradient_of_decay_is_that_of_the_closed_form(mode):
    network = vessel()
    start = network.parameter("start", 2.0, "mol")
    network.state("a", "vessel", initial=start)
    network.state("b", "vessel")
    reaction(network, "decay", {"a": -1, "b": 1}, 1e-3)
    network.observe("left", network["a"], "mol")
    slopes = gradient(network, "left", 1000.0, ["start", "k.decay"], mode=mode, tolerances=TOLERANCES)
    assert slopes["start"] == pytest.approx(np.exp(-1.0), rel=NEAR)
    assert slopes["k.decay"] == pytest.approx(-2.0 * 1000.0 * np.exp(-1.0), rel=NEAR)


@pytest.mark.parametrize("mode", MODES)
def test_a_single_state_has_a_gradient_through_events(mode):
    network = vessel()
    a = network.state("a", "vessel", initial=1.0)
    reaction(network, "decay", {"a": -1}, 1e-3)
    network.observe("left", a, "mol")
    events = [Event(500.0, {"a": a + mol(1.0)})]
    slopes = gradient(network, "left", 1000.0, ["k.decay"], events, mode=mode, tolerances=TOLERANCES)
    assert slopes["k.decay"] == pytest.approx(-1000.0 * np.exp(-1.0) - 500.0 * np.exp(-0.5), rel=NEAR)


@pytest.mark.parametrize("at", [90.0, 200.0, 650.0, 1000.0])
def test_both_modes_agree_with_central_differences(at):
    network = kinetics()
    events, pulses = schedule(network)
    names = list(network.parameters)
    found = {
        mode: gradient(network, "ratio", at, names, events, pulses, mode=mode, tolerances=TOLERANCES) for mode in MODES
    }
    size = max(abs(v * network.parameters[n].value) for n, v in found["forward"].items())
    for name in names:
        # Compared as elasticities: a slope far below the others is lost in the rounding of the difference.
        scale = network.parameters[name].value
        expected = central(network, name, at, events, pulses) * scale
        for mode in MODES:
            assert found[mode][name] * scale == pytest.approx(expected, rel=DIFFERENCE, abs=DIFFERENCE * size), name
        assert found["adjoint"][name] == pytest.approx(found["forward"][name], rel=1e-5, abs=1e-5 * size / scale), name


def test_a_parameter_is_without_effect_where_a_pulse_holds_it():
    network = kinetics()
    pulses = [Pulse(0.0, 500.0, "power", 2e-2)]
    slopes = gradient(network, "ratio", 400.0, ["power", "loss_rate"], pulses=pulses, tolerances=TOLERANCES)
    assert slopes["power"] == 0.0
    assert slopes["loss_rate"] < 0.0


def test_the_function_of_parameters_gives_what_the_run_gives():
    network = kinetics()
    events, pulses = schedule(network)
    times = [0.0, 100.0, 200.0, 555.0, 1000.0]
    function = observable_function(network, times, events, pulses)
    run = simulate_network(network, times, events, pulses)
    own = [p.value for p in network.parameters.values()]
    assert function(own).full()[0] == pytest.approx(run["ratio"], rel=1e-10)
    other = simulate_network(network, times, events, pulses, {"start": 2.2})
    own[list(network.parameters).index("start")] = 2.2
    assert function(own).full()[0] == pytest.approx(other["ratio"], rel=1e-5)


def test_a_misspelt_observable_or_parameter_gets_the_nearest():
    network = kinetics()
    with pytest.raises(NetworkError, match=r"no observable `ratoi`.*`ratio`"):
        gradient(network, "ratoi", 1.0, ["start"])
    with pytest.raises(NetworkError, match=r"no parameter `strat`.*`start`"):
        gradient(network, "ratio", 1.0, ["strat"])
