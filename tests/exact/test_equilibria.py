"""Equilibrium variables: exact at the start, after events and pulses, and all along a run."""

from __future__ import annotations

import numpy as np
import pytest

from nanotrial.errors import NetworkError, SolveError
from nanotrial.network.model import Network
from nanotrial.network.terms import constant, ten_to
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.run import Trajectory, simulate_network

from .networks import NEAR, TIGHT, mol, reaction, vessel

ONE = constant(1.0, "1")
KA = 1.75e-2  # mol/m^3, acetic acid
DISSOCIATION = 0.3  # mol, of the dimer
TIMES = [0.0, 10.0, 100.0, 500.0, 1000.0, 1500.0]


def weak_acid(start: float = 10.0, k: float = 1e-3) -> Network:
    """Build an acid that is used up, with pH as variable: h (h + Ka) = Ka c, water left out so that it is closed."""
    network = vessel()
    acid = network.state("acid", "vessel", initial=start)
    reaction(network, "loss", {"acid": -1}, k)
    ka = network.parameter("ka", KA, "mol/m^3")
    ph = network.unknown("ph")
    h = ten_to(-ph) * constant(1e3, "mol/m^3")
    concentration = acid / constant(1.0, "m^3")
    balance = h - ka * concentration / (ka + h)
    network.equilibrium("protons", {"ph": (ph, 7.0, -np.inf)}, {"charge": balance}, {"charge": h})
    network.observe("ph_shown", ph, "1")
    return network


def exact_ph(acid: np.ndarray, ka: float = KA) -> np.ndarray:
    h = 2 * ka * acid / (ka + np.sqrt(ka * ka + 4 * ka * acid))
    return -np.log10(h / 1e3)


def dimer(start: float = 2.0) -> Network:
    """Build a monomer that is degraded while the dimer protects it: total = m + 2 m^2 / K."""
    network = vessel()
    total = network.state("total", "vessel", initial=start)
    constant_k = network.parameter("dissociation", DISSOCIATION, "mol")
    m, d = network.unknown("monomer", "mol"), network.unknown("dimer", "mol")
    network.equilibrium(
        "dimerisation",
        {"monomer": (m, 0.1, 0.0), "dimer": (d, 0.1, 0.0)},
        {"mass": m + 2.0 * d - total, "action": m * m - constant_k * d},
        {"mass": mol(1.0), "action": mol(1.0) ** 2},
    )
    network.process("loss", {"total": -1}, network.parameter("k", 1e-3, "1/s") * m)
    return network


def exact_monomer(total: np.ndarray) -> np.ndarray:
    k = DISSOCIATION
    return 4 * k * total / (k + np.sqrt(k * k + 8 * k * total)) / 2


def residuals(network: Network, run: Trajectory) -> np.ndarray:
    compiled, n = compile_network(network), len(network.species)
    return np.array([compiled.residual(s[:n], s[n:], compiled.parameters()).full().ravel() for s in run.states])


def test_the_weak_acid_follows_its_closed_form_along_the_run():
    run = simulate_network(weak_acid(), TIMES, tolerances=TIGHT)
    assert run["acid"] == pytest.approx(10.0 * np.exp(-1e-3 * np.array(TIMES)), rel=NEAR)
    assert run["ph"] == pytest.approx(exact_ph(run["acid"]), rel=NEAR)
    assert run["ph_shown"] == pytest.approx(run["ph"], rel=1e-12)


def test_the_dimer_follows_its_closed_form_along_the_run():
    run = simulate_network(dimer(), TIMES, tolerances=TIGHT)
    assert run["monomer"] == pytest.approx(exact_monomer(run["total"]), rel=NEAR)
    assert run["dimer"] == pytest.approx((run["total"] - run["monomer"]) / 2, rel=NEAR)
    # d total/dt = -k m turns into dm (1 + 4 m/K) = -k m dt, so ln m + 4 m/K falls by k t.
    m = run["monomer"]
    fallen = np.log(m[0] / m) + 4 * (m[0] - m) / DISSOCIATION
    assert fallen[1:] == pytest.approx(1e-3 * np.array(TIMES[1:]), rel=NEAR)


@pytest.mark.parametrize("made", [weak_acid, dimer])
def test_variables_stay_on_their_constraint_at_the_usual_tolerance(made):
    network = made()
    run = simulate_network(network, list(np.linspace(0.0, 3000.0, 61)))
    assert np.max(np.abs(residuals(network, run))) < 1e-4
    assert run.residual < 1e-4


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 0.5, 100.0, 1e4])
def test_the_start_solver_finds_the_variables_after_an_event(factor):
    acid = weak_acid()
    run = simulate_network(acid, [500.0], [Event(500.0, {"acid": factor * acid["acid"]})])
    assert run["ph"] == pytest.approx(exact_ph(run["acid"]), rel=1e-8)
    pair = dimer()
    run = simulate_network(pair, [500.0], [Event(500.0, {"total": factor * pair["total"]})])
    assert run["monomer"] == pytest.approx(exact_monomer(run["total"]), rel=1e-8)


@pytest.mark.parametrize("start", [1e-7, 1e-2, 1e3])
def test_a_poor_guess_is_good_enough(start):
    assert simulate_network(weak_acid(start), [0.0])["ph"] == pytest.approx(exact_ph(np.array([start])), rel=1e-8)
    found = simulate_network(dimer(start), [0.0])["monomer"]
    assert found == pytest.approx(exact_monomer(np.array([start])), rel=1e-6)


def test_a_pulse_of_an_equilibrium_constant_acts_at_once_and_ends_at_once():
    pulse = Pulse(10.0, 20.0, "ka", 100 * KA)
    run = simulate_network(weak_acid(k=0.0), [0.0, 10.0, 15.0, 20.0, 25.0], pulses=[pulse])
    acid = np.array([10.0])
    low, high = exact_ph(acid)[0], exact_ph(acid, 100 * KA)[0]
    assert run["ph"] == pytest.approx([low, high, high, low, low], rel=1e-8)


@pytest.mark.parametrize("last", [10.0, 20.0])
def test_what_an_instant_shows_does_not_depend_on_later_outputs(last):
    pulse = Pulse(10.0, 20.0, "ka", 100 * KA)
    longer = simulate_network(weak_acid(), [last, 25.0], pulses=[pulse], tolerances=TIGHT)
    shorter = simulate_network(weak_acid(), [last], pulses=[pulse], tolerances=TIGHT)
    assert shorter["ph"][0] == pytest.approx(longer["ph"][0], rel=NEAR)


def test_an_event_may_use_an_equilibrium_variable():
    network = dimer()
    total = network["total"]
    m = network.equilibria["dimerisation"].symbols[0]
    taken = type(total)(total.expression - m, total.dimension)
    run = simulate_network(network, [100.0], [Event(100.0, {"total": taken})])
    before = simulate_network(network, [100.0])
    assert run["total"] == pytest.approx(before["total"] - before["monomer"], rel=1e-9)


def test_an_equilibrium_without_a_solution_says_which_and_when():
    network = vessel()
    a = network.state("a", "vessel", initial=1.0)
    x = network.unknown("x")
    network.equilibrium("never", {"x": (x, 1.0, -np.inf)}, {"r": x * x + a / mol(1.0)}, {"r": ONE})
    with pytest.raises(SolveError, match=r"no equilibrium found for x at t = 0 s") as caught:
        simulate_network(network, [1.0])
    assert caught.value.time == 0.0
    assert caught.value.quantity == "x"


def test_an_event_that_removes_the_solution_says_when():
    network = vessel()
    a = network.state("a", "vessel", initial=1.0, may_be_negative=True)
    x = network.unknown("x")
    network.equilibrium("root", {"x": (x, 1.0, 0.0)}, {"r": x * x - a / mol(1.0)}, {"r": ONE})
    with pytest.raises(SolveError, match="x at t = 7 s"):
        simulate_network(network, [10.0], [Event(7.0, {"a": mol(-1.0)})])


def test_titration_moves_a_parameter_until_the_variable_meets_its_target():
    network = vessel()
    start = network.parameter("start", 10.0, "mol")
    acid = network.state("acid", "vessel", initial=start)
    ph = network.unknown("ph")
    h, ka = ten_to(-ph) * constant(1e3, "mol/m^3"), constant(KA, "mol/m^3")
    balance = h - ka * (acid / constant(1.0, "m^3")) / (ka + h)
    network.equilibrium("protons", {"ph": (ph, 4.0, -np.inf)}, {"charge": balance}, {"charge": h})
    compiled = compile_network(network)
    found = compiled.titrate(compiled.parameters(), 0, "ph", 3.5, compiled.guesses)
    proton = 10**-3.5 * 1e3
    assert found[0] == pytest.approx(proton * (proton + KA) / KA, rel=1e-9)


def test_one_block_of_coupled_variables_follows_all_of_them():
    assert coupled(["z", "w"])["w"][-1] == pytest.approx(np.exp(-2.0), rel=NEAR)


def test_a_block_may_read_the_variables_of_another():
    assert coupled(["z"], ["w"])["w"][-1] == pytest.approx(np.exp(-2.0), rel=NEAR)


def coupled(*blocks: list[str]) -> Trajectory:
    """Run z = a and w = z^2 with a = e^-t, bound in the given blocks."""
    network = vessel()
    a = network.state("a", "vessel", initial=1.0)
    reaction(network, "loss", {"a": -1}, 1.0)
    z, w = network.unknown("z"), network.unknown("w")
    terms, rest = {"z": z, "w": w}, {"z": z - a / mol(1.0), "w": w - z * z}
    for i, names in enumerate(blocks):
        variables = {n: (terms[n], 1.0, 0.0) for n in names}
        network.equilibrium(f"block{i}", variables, {n: rest[n] for n in names}, dict.fromkeys(names, ONE))
    return simulate_network(network, [0.0, 1.0], tolerances=TIGHT)


def test_an_equilibrium_is_checked_when_it_is_bound():
    network = vessel()
    x, y = network.unknown("x"), network.unknown("y", "mol")
    with pytest.raises(NetworkError, match="2 variables and 1 residuals"):
        network.equilibrium("e", {"x": (x, 1.0, 0.0), "y": (y, 1.0, 0.0)}, {"r": x - 1.0}, {"r": ONE})
    with pytest.raises(NetworkError, match="`r`: mol against 1"):
        network.equilibrium("e", {"y": (y, 1.0, 0.0)}, {"r": y - mol(1.0)}, {"r": ONE})


def test_a_second_equilibrium_of_one_name_is_refused():
    network = vessel()
    for name in ("x", "y"):
        u = network.unknown(name)
        with pytest.raises(NetworkError, match="twice") if name == "y" else np.errstate():
            network.equilibrium("e", {name: (u, 1.0, 0.0)}, {"r": u - 1.0}, {"r": ONE})
