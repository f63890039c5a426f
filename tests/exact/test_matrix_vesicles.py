"""Vesicles that mineralize against closed forms: what arrives, crosses the membrane, is hydrolysed, opens, grows on."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.optimize import fsolve
from scipy.special import lambertw

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.mineral_schema import Growth, Inhibition, Nucleation, Phase
from nanotrial.cell import matrix_vesicles
from nanotrial.cell.culture import Constants
from nanotrial.cell.matrix_vesicles import shed_calcium, vesicles_in_bath
from nanotrial.cell.vesicle_fluid import (
    TRACE,
    Vesicles,
    add_states,
    matrix_surface,
    outside_of,
    vesicle_phases,
)
from nanotrial.errors import NetworkError
from nanotrial.medium import minerals
from nanotrial.medium.vessel import closed_vessel
from nanotrial.network.terms import Term, constant, total
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.run import Runner, Tolerances, Trajectory, simulate_network
from nanotrial.values import Value

HOUR, VOLUME = 3600.0, 1e-12
SHEET, MEMBRANE = "mammalian_matrix_vesicles", "mammalian_calcium.membrane"
TIGHT = Tolerances(relative=1e-10, absolute=1e-13)
OWN = Catalogue().load("matrix_vesicles", SHEET)
DIAMETER = Catalogue().load("calcium_handling", "mammalian_calcium").membrane.vesicle_diameter.si
# Each of these names what a parameter must be so that one thing vesicles do is left out.
NO_CHANNELS = {f"{SHEET}.calcium_permeability": 0.0}
NO_COTRANSPORT = {f"{SHEET}.phosphate_uptake": 0.0}
NO_PHOSPHO1 = {f"{SHEET}.phospho1_rate": 0.0}
NO_PHOSPHATE = {f"{SHEET}.phosphate": 0.0, f"{SHEET}.phosphocholine": 0.0, "bath.phosphate": 0.0}


def number(value: float, unit: str) -> Value:
    return Value(value, unit, "assumed", "assumed")


def phase(
    formula: str, calcium: int, protons: int, phosphates: int, log_k: float, tension: float, mass: float
) -> Phase:
    """Return a phase of a made-up pace: slow enough to follow, fast enough to end within a day."""
    ions = {"Ca+2": calcium, "PO4-3": phosphates, **({"H+": protons} if protons else {})}
    return Phase(
        name=formula,
        formula=formula,
        products={"calcium": calcium, "phosphate": phosphates},
        ion_product=ions,
        log_k=number(log_k, "1"),
        molar_mass=number(mass, "g/mol"),
        density=number(2700.0, "kg/m^3"),
        nucleation=Nucleation(
            interfacial_energy=number(tension, "mJ/m^2"),
            prefactor=number(1e20, "1/m^3/s"),
            surface_prefactor=number(1e12, "1/m^2/s"),
        ),
        growth=Growth(
            rate_constant=number(1e-9, "mol/m^2/s"),
            order=number(1.0, "1"),
            activation_energy=number(40.0, "kJ/mol"),
            dissolution_rate=number(1e-9, "mol/m^2/s"),
        ),
        inhibitors=[
            Inhibition(
                name="pyrophosphate",
                acts_on=["growth", "nucleation"],
                half_effect=number(2.0, "umol/L"),
                order=number(1.0, "1"),
            )
        ],
    )


APATITE = phase("Ca5(PO4)3OH", 5, -1, 3, -44.333, 40.0, 502.3)
# Begins in vesicles and not in the medium, whose crystals are then those that vesicles gave.
RELUCTANT = phase("Ca5(PO4)3OH", 5, -1, 3, -44.333, 120.0, 502.3)
OCTACALCIUM = phase("Ca4H(PO4)3", 4, 1, 3, -47.08, 30.0, 446.2)
AMORPHOUS = phase("Ca3(PO4)2", 3, 0, 2, -25.5, 20.0, 310.2)
PHASES = {"apatite": APATITE, "octacalcium": OCTACALCIUM, "amorphous": AMORPHOUS}
CALCIUM = {"apatite": 5, "octacalcium": 4, "amorphous": 3}


@cache
def suspension(mineral: bool) -> tuple[Vesicles, Runner]:
    made = vesicles_in_bath(VOLUME, phases=PHASES if mineral else {})
    sol = made.fluid.solution
    made.network.observe("free_calcium", sol.free("Ca+2"), "mmol/L")
    bare = sol.free("PO4-3") + sol.free("HPO4-2") + sol.free("H2PO4-")
    made.network.observe("bare_phosphate", bare, "mmol/L")
    made.network.observe("ionic_strength", sol.ionic_strength, "1")
    return made, Runner(compile_network(made.network), TIGHT)


def run(times: list[float], mineral: bool = False, **changes: float) -> Trajectory:
    made, runner = suspension(mineral)
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return simulate_network(made.network, times, changes=named, runner=runner)


def run_with(changes: dict[str, float], times: list[float], mineral: bool = False) -> Trajectory:
    return run(times, mineral, **{name.replace(".", "__"): value for name, value in changes.items()})


def solid_calcium(course: Trajectory) -> np.ndarray:
    """Return the calcium in minerals, in vesicles and on the matrix (mol)."""
    inside = [course[f"vesicles_outside.{p}"] * n for p, n in CALCIUM.items()]
    return np.sum(inside + [course[f"bath.{p}.on_matrix"] * n for p, n in CALCIUM.items()], axis=0)


# What arrives.


def test_volume_grows_with_the_calcium_that_is_shed():
    per_hour = 0.7 * VOLUME * 20.0 / HOUR
    course = run([0.0, HOUR, 30 * HOUR], bath__shed=per_hour)
    assert course["vesicles_outside.volume"] == pytest.approx(
        VOLUME * (1 + TRACE) + 0.7 * VOLUME * np.array([0.0, 1.0, 30.0]), rel=1e-9
    )


def test_vesicles_that_arrive_are_like_those_that_are_there():
    """Where nothing crosses the membrane a growing suspension keeps its composition."""
    still = NO_CHANNELS | NO_COTRANSPORT | NO_PHOSPHO1 | {f"{SHEET}.proton_leak": 0.0, "bath.phosphate": 1e6}
    still |= {f"{SHEET}.tnap_rate": 0.0, f"{SHEET}.pyrophosphate_supply": 0.0}
    course = run_with(still | {"bath.shed": VOLUME * 20.0 / HOUR}, [0.0, 40 * HOUR])
    for name in ("ph", "calcium", "phosphate", "pyrophosphate"):
        assert course[f"vesicles.{name}"][1] == pytest.approx(course[f"vesicles.{name}"][0], rel=1e-7, abs=0.0)
    stock = course["vesicles_outside.phosphocholine"] / course["vesicles_outside.volume"]
    assert stock[1] == pytest.approx(stock[0], rel=1e-7, abs=0.0)


@pytest.mark.parametrize("ph", [6.8, 7.3, 7.8])
@pytest.mark.parametrize(("calcium", "phosphate"), [(20.0, 10.0), (1.0, 30.0), (50.0, 1.0), (25.0, 25.0)])
def test_new_vesicle_has_the_ph_of_the_sheet(ph, calcium, phosphate):
    changes = {f"{SHEET}.ph": ph, f"{SHEET}.phosphate": phosphate, f"{MEMBRANE}.vesicle_calcium": calcium}
    assert run_with(changes, [0.0])["vesicles.ph"][0] == pytest.approx(ph, abs=0.15)


def test_no_vesicles_no_mineral():
    """Without shedding only the trace is there, and what it makes is the trace's share."""
    full = solid_calcium(run([0.0, 12 * HOUR], mineral=True))[-1]
    empty = solid_calcium(run([0.0, 12 * HOUR], mineral=True, vesicles__start=0.0))[-1]
    assert full > 0.01 * 20.0 * VOLUME
    assert 0 <= empty < 2 * TRACE * full


def test_every_process_that_sheds_is_counted():
    made = vesicles_in_bath(VOLUME, phases={})
    network = made.network
    network.process("more", {"bath.given.calcium": -2.0, "vesicles_outside.calcium": 2.0}, constant(1e-15, "mol/s"))
    network.observe("shed_rate", shed_calcium(network) - own_flux(made), "mol/s")
    assert simulate_network(network, [0.0], changes={"bath.shed": 3e-15})["shed_rate"][0] == pytest.approx(
        5e-15, rel=1e-9, abs=0.0
    )


def own_flux(made: Vesicles) -> Term:
    """Return what the processes of the vesicles themselves give to their calcium."""
    name = "vesicles_outside.calcium"
    own = [
        p for n, p in made.network.processes.items() if n.startswith("vesicles_outside.") and name in p.stoichiometry
    ]
    return total((p.rate * p.stoichiometry[name] for p in own), "mol/s")


# What crosses the membrane.


def test_calcium_alone_relaxes_to_that_of_the_bath():
    changes = NO_PHOSPHATE | {f"{SHEET}.calcium_permeability": 3e-11}
    times = np.array([0.0, 600.0, HOUR, 5 * HOUR])
    found = run_with(changes, list(times))["vesicles.calcium"]
    # A trace of calcium is held by hydroxide and does not cross.
    assert found == pytest.approx(1.2 + 18.8 * np.exp(-6 * 3e-11 / DIAMETER * times), rel=2e-5, abs=0.0)


@pytest.mark.parametrize(("outside", "ratio"), [(1.0, 20.0), (0.1, 5.0), (3.0, 1.0)])
def test_cotransport_stalls_at_its_ratio(outside, ratio):
    changes = NO_PHOSPHO1 | {"bath.phosphate": outside, f"{SHEET}.phosphate_ratio": ratio}
    assert run_with(changes, [200 * HOUR])["vesicles.phosphate"][-1] == pytest.approx(
        outside * ratio, rel=1e-6, abs=0.0
    )


def test_first_uptake_is_michaelis_menten():
    """An empty vesicle takes phosphate up at J 6/d P/(K + P)."""
    changes = NO_PHOSPHO1 | {f"{SHEET}.phosphate": 1e-9, "bath.phosphate": 0.3}
    gained = run_with(changes, [0.0, 1e-3])["vesicles.phosphate"]
    exact = OWN.phosphate_uptake.si * 6 / DIAMETER * 0.3 / (OWN.phosphate_constant.si + 0.3)
    assert (gained[1] - gained[0]) / 1e-3 == pytest.approx(exact, rel=1e-4, abs=0.0)


def test_phospho1_uses_up_its_stock():
    stock = run([0.0, HOUR, 7 * HOUR])["vesicles_outside.phosphocholine"]
    assert stock == pytest.approx(
        stock[0] * np.exp(-OWN.phospho1_rate.si * HOUR * np.array([0.0, 1.0, 7.0])), rel=1e-8, abs=0.0
    )


@pytest.mark.parametrize("ph", [6.5, 7.4, 8.0])
def test_protons_leak_until_the_ph_of_the_bath(ph):
    assert run([100 * HOUR], bath__ph=ph)["vesicles.ph"][-1] == pytest.approx(ph, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "what", "strong"),
    [("channels", "calcium", -2.0), ("cotransport", "phosphate", 1.0), ("proton_leak", "", 1.0)],
)
def test_what_crosses_the_membrane_carries_no_charge(name, what, strong):
    """Ca+2 goes for two K+, H2PO4- with Na+, H+ for K+: the same on both sides."""
    counts = suspension(False)[0].network.processes[f"vesicles_outside.{name}"].stoichiometry
    assert counts["vesicles_outside.strong_charge"] == strong
    for one in filter(None, ("strong_charge", what)):
        assert counts[f"vesicles_outside.{one}"] == -counts[f"bath.given.{one}"]


def test_calcium_for_potassium_leaves_the_ph_alone():
    changes = NO_PHOSPHATE | {f"{SHEET}.calcium_permeability": 1e-9, f"{SHEET}.proton_leak": 0.0}
    course = run_with(changes, [0.0, HOUR])
    assert course["vesicles.calcium"][1] < 0.1 * course["vesicles.calcium"][0]
    assert course["vesicles.ph"][1] == pytest.approx(course["vesicles.ph"][0], abs=0.01)


# Pyrophosphate.


@pytest.mark.parametrize(("begin", "rate"), [(3.5e-3, 20e-3), (100e-3, 20e-3), (5e-3, 1.0), (5e-3, 0.0)])
def test_alkaline_phosphatase_removes_pyrophosphate(begin, rate):
    changes = {f"{SHEET}.pyrophosphate_supply": 0.0, f"{SHEET}.pyrophosphate": begin, f"{SHEET}.tnap_rate": rate / HOUR}
    course = run_with(changes, [0.0, 2 * HOUR])
    half = OWN.tnap_constant.si
    exact = half * lambertw(begin / half * math.exp((begin - rate * 2.0) / half)).real
    assert course["vesicles.pyrophosphate"][-1] == pytest.approx(exact, rel=1e-7, abs=1e-12)


def test_pyrophosphate_rests_where_supply_meets_removal():
    supply, rate = OWN.pyrophosphate_supply.si, OWN.tnap_rate.si
    assert run([500 * HOUR])["vesicles.pyrophosphate"][-1] == pytest.approx(
        OWN.tnap_constant.si * supply / (rate - supply), rel=1e-7
    )


def test_pyrophosphate_slows_mineral_and_alkaline_phosphatase_lets_it_grow():
    high = {f"{SHEET}.pyrophosphate": 0.05}
    off = {f"{SHEET}.tnap_rate": 0.0}
    low, held, freed = (
        solid_calcium(run_with(changes, [0.2 * HOUR], mineral=True))[-1]
        for changes in ({}, high | off, high | {f"{SHEET}.tnap_rate": 1.0 / HOUR})
    )
    assert held < 0.5 * low
    assert held < 0.8 * freed


# Mineral.


def test_supersaturation_of_a_matrix_vesicle():
    """Free calcium and bare phosphate of 25 mmol/L at pH 7.5 and ionic strength 0.15: 21, 11 and 5.2 in tables."""

    def at(x: np.ndarray) -> Trajectory:
        names = f"{MEMBRANE}.vesicle_calcium", f"{SHEET}.phosphate", f"{SHEET}.ph", f"{SHEET}.ionic_strength"
        return run_with(dict(zip(names, map(float, x), strict=True)), [0.0], mineral=True)

    def off(x: np.ndarray) -> list[float]:
        y = at(x)
        strength = 100 * (y["ionic_strength"][0] - 0.15)
        return [y["free_calcium"][0] - 25, y["bare_phosphate"][0] - 25, y["vesicles.ph"][0] - 7.5, strength]

    found = at(fsolve(off, [50.0, 50.0, 7.6, 40.0]))
    for name, wanted in (("apatite", 21.0), ("octacalcium", 11.0), ("amorphous", 5.2)):
        assert found[f"vesicles_outside.{name}.saturation_index"][0] == pytest.approx(wanted, abs=1.0)


def test_index_follows_from_the_free_ions():
    made, _ = suspension(True)
    for what in ("Ca+2", "PO4-3"):
        if f"log {what}" not in made.network.observables:
            made.network.observe(f"log_{what}", made.fluid.solution.activity(what), "1")
    course = simulate_network(made.network, [0.0])
    calcium, phosphate = (math.log10(course[f"log_{w}"][0]) for w in ("Ca+2", "PO4-3"))
    index = 5 * calcium + 3 * phosphate + course["vesicles.ph"][0] + 44.333
    assert course["vesicles_outside.apatite.saturation_index"][0] == pytest.approx(index, abs=1e-8)
    del made.network.observables["log_Ca+2"], made.network.observables["log_PO4-3"]


def test_without_phosphate_nothing_mineralizes():
    course = run_with(NO_PHOSPHATE | {"bath.shed": VOLUME * 20.0 / HOUR}, [0.0, 24 * HOUR], mineral=True)
    assert course["vesicles_outside.volume"][-1] == pytest.approx(VOLUME * (25 + TRACE), rel=1e-9, abs=0.0)
    assert np.all(np.abs(solid_calcium(course)) < 1e-9 * 20.0 * VOLUME)
    assert np.all(course["vesicles.mineralized"] < 1e-9)


def test_each_source_of_phosphate_adds_mineral():
    scarce = {f"{SHEET}.phosphate": 1.0}
    cases = (NO_COTRANSPORT | NO_PHOSPHO1, NO_COTRANSPORT, NO_PHOSPHO1)
    neither, enzyme, carrier = (solid_calcium(run_with(scarce | c, [3 * HOUR], mineral=True))[-1] for c in cases)
    assert 0 < 1.5 * neither < min(enzyme, carrier)


def test_acid_is_set_free_by_mineral():
    start, later = run_with({f"{SHEET}.proton_leak": 0.0}, [0.0, HOUR], mineral=True)["vesicles.ph"]
    bare = run_with({f"{SHEET}.proton_leak": 0.0}, [0.0, HOUR])["vesicles.ph"][1]
    assert later < min(start, bare) - 0.1


@pytest.mark.parametrize("shed", [0.0, 5.0 * VOLUME / HOUR, 500.0 * VOLUME / HOUR])
def test_calcium_and_phosphate_are_kept(shed):
    course = run(list(np.linspace(0.0, 48 * HOUR, 20)), mineral=True, bath__shed=shed)
    assert course.content_names == ("calcium", "phosphate")
    assert course.contents == pytest.approx(
        np.broadcast_to(course.contents[0], course.contents.shape), rel=1e-9, abs=0.0
    )


def test_vesicles_never_fill_beyond_their_volume():
    flooded = {f"{SHEET}.opening_rate": 0.0, f"{SHEET}.calcium_permeability": 1e-8, "bath.phosphate": 3.0}
    flooded |= {f"{SHEET}.phosphate_uptake": 1e-7, f"{SHEET}.proton_leak": 100.0 / HOUR}
    filled = run_with(flooded, [0.0, 100 * HOUR, 4000 * HOUR], mineral=True)["vesicles.filled"]
    assert 0.5 < filled[1] <= filled[2] < 1.1


# Opening.


def test_vesicles_that_hold_mineral_open_at_their_pace():
    """Vesicles open at k times the share of the scarcer ion that is mineral; crystals leave at k."""
    times = np.linspace(HOUR, 13 * HOUR, 2000)
    scarce = {f"phase.{p}.surface_prefactor": 0.0 for p in ("octacalcium", "amorphous")}
    scarce |= {f"phase.{p}.prefactor": 0.0 for p in PHASES} | {f"{SHEET}.opening_rate": 0.05 / HOUR}
    course = run_with(scarce, [0.0, *times], mineral=True)
    opened, volume = course["vesicles.mineralized"][1:], course["vesicles_outside.volume"][1:]
    held = {w: n * course["vesicles_outside.apatite"][1:] for w, n in (("calcium", 5), ("phosphate", 3))}
    parts = [held[w] / (held[w] + course[f"vesicles_outside.{w}"][1:]) for w in held]
    assert opened == pytest.approx(np.max(parts, axis=0), rel=1e-6, abs=0.0)
    left = 1 - TRACE * VOLUME / volume
    lost = np.trapezoid(0.05 / HOUR * opened * left * volume, times)
    assert volume[0] - volume[-1] == pytest.approx(lost, rel=1e-5, abs=0.0)
    crystals = course["vesicles_outside.apatite.crystals"][1:]
    gained = course["bath.apatite.on_matrix.crystals"][1:]
    given = np.trapezoid(0.05 / HOUR * left * crystals, times)
    assert gained[-1] - gained[0] == pytest.approx(given, rel=1e-4, abs=0.0)


def test_vesicles_without_crystals_stay_closed():
    course = run([0.0, 24 * HOUR], mineral=True, **{k.replace(".", "__"): 0.0 for k in NO_PHOSPHATE})
    assert course["vesicles_outside.volume"][1] == pytest.approx(
        course["vesicles_outside.volume"][0], rel=1e-9, abs=0.0
    )


@cache
def in_vessel(number_of_vesicles: float, matrix: bool) -> Trajectory:
    """Return two days of vesicles in a litre of medium that follows the same minerals."""
    surfaces = [matrix_surface(constant(1e-2, "m^2"))] if matrix else []
    catalogue = Catalogue()
    vessel = closed_vessel(
        {"calcium": 1.8, "phosphate": 1.0}, 7.4, 310.15, 150.0, phases={"apatite": RELUCTANT}, surfaces=surfaces,
        strong_charge=-1.8,
    )  # fmt: skip
    network = vessel.network
    minerals.add_states(vessel)
    membrane = Constants(network, "mammalian_calcium", catalogue.load("calcium_handling", "mammalian_calcium")).part(
        "membrane"
    )
    assert membrane is not None
    sheet = Constants(network, SHEET, OWN)
    start = constant(number_of_vesicles * math.pi / 6 * DIAMETER**3, "m^3")
    made = add_states(
        network, sheet, membrane, outside_of(vessel), catalogue.solutes(), catalogue.water(), 310.15, 1e-9,
        {"apatite": RELUCTANT}, start,
    )  # fmt: skip
    matrix_vesicles.add(made)
    minerals.add(vessel)
    return simulate_network(network, [0.0, 6 * HOUR, 48 * HOUR])


def test_crystals_of_opened_vesicles_grow_on_in_the_medium():
    many, none = in_vessel(1e12, True), in_vessel(0.0, True)
    stock = 1e12 * math.pi / 6 * DIAMETER**3 * 20.0 / 5
    assert many["tube.apatite.on_matrix"][-1] > 100 * stock, "more than the calcium that came with the vesicles"
    assert many["tube.apatite.on_matrix"][-1] > 10 * max(none["tube.apatite.on_matrix"][-1], 0.0)
    assert 0.1 * 1e12 < many["tube.apatite.on_matrix.crystals"][-1] < 10 * 1e12
    assert many["tube.apatite"][-1] < 1e-3 * many["tube.apatite.on_matrix"][-1]
    assert many["calcium"][-1] < 0.98 * many["calcium"][0]


def test_medium_and_vesicles_keep_calcium():
    course = in_vessel(1e12, True)
    column = course.content_names.index("calcium")
    assert course.contents[:, column] == pytest.approx(course.contents[0, column], rel=1e-9, abs=0.0)


def test_medium_without_a_matrix_only_keeps_the_crystals():
    course = in_vessel(1e12, False)
    stock = 1e12 * math.pi / 6 * DIAMETER**3 * 20.0 / 5
    assert 0 < course["tube.apatite.on_matrix"][-1] < 4 * stock


# Wrong use.


def test_vesicles_are_added_once():
    made, _ = suspension(False)
    with pytest.raises(NetworkError, match=r"vesicles_outside\.\S+` is used twice"):
        matrix_vesicles.add(made)


def test_phases_of_vesicles_are_crystals_of_calcium_and_phosphate():
    for one in vesicle_phases(Catalogue()).values():
        assert one.nucleation is not None
        assert set(one.products) == {"calcium", "phosphate"}


def test_exact_case():
    found, exact, tolerance = matrix_vesicles.exact_case()
    assert found == pytest.approx(exact, rel=tolerance)
