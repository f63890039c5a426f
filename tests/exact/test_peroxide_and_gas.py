"""Dissolved peroxide and gases against closed forms: decay, catalase, peroxidase, film exchange."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw
from tubes import HOUR, NEAR, SHUT, TIGHT, agent, make_study, play

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.experiment import Player
from nanotrial.medium import gases, peroxide
from nanotrial.medium.constants import GAS_CONSTANT
from nanotrial.medium.vessel import VOLUME, closed_vessel
from nanotrial.places import build_arm
from nanotrial.solve.run import simulate_network

CATALASE, PEROXIDASE = (Catalogue().load("agents", n) for n in ("catalase", "horseradish_peroxidase"))
OXYGEN, CARBONATE = (Catalogue().load("solutes", n) for n in ("oxygen", "carbonate"))
START = 5.0
TIMES = [0.0, 60.0, 600.0, 3600.0, 36000.0]


def run_vessel(enzymes=None, times=TIMES, temperature=298.15, **changes):
    vessel = closed_vessel(
        {"hydrogen_peroxide": START, "oxygen": 0.0}, ph=7.0, temperature=temperature, enzymes=enzymes
    )
    peroxide.add(vessel)
    return simulate_network(
        vessel.network, times, changes={"hydrogen_peroxide.decay_rate": 0.0, **changes}, tolerances=TIGHT
    )


def unit(per_ml: float) -> float:
    """Return mol/(m^3 s) of units per millilitre, a unit being one micromole a minute."""
    return per_ml * 1e-6 / 60 / 1e-6


@pytest.mark.parametrize("rate", [1e-6, 1e-3])
def test_decay_is_first_order_and_gives_half_an_oxygen(rate):
    run = run_vessel(**{"hydrogen_peroxide.decay_rate": rate})
    left = START * np.exp(-rate * np.array(TIMES))
    assert run["hydrogen_peroxide"] == pytest.approx(left, rel=NEAR, abs=1e-10)
    assert run["oxygen"] == pytest.approx((START - left) / 2, rel=NEAR, abs=1e-10)
    assert run.imbalance()["peroxide"] < 1e-12


def test_decay_follows_arrhenius():
    energy = Catalogue().load("solutes", "hydrogen_peroxide").decay.activation_energy.si
    warm = run_vessel(temperature=310.15, **{"hydrogen_peroxide.decay_rate": 1e-5})
    rate = 1e-5 * math.exp(-energy / GAS_CONSTANT * (1 / 310.15 - 1 / 298.15))
    assert rate > 1.2e-5
    assert warm["hydrogen_peroxide"] == pytest.approx(START * np.exp(-rate * np.array(TIMES)), rel=NEAR, abs=1e-10)


def substrate(sheet, activity: float, times: list[float]) -> np.ndarray:
    """Return Michaelis-Menten decay by Lambert's W, for a rate of ``activity`` at the substrate of the unit."""
    half, at = sheet.half_saturation.si, sheet.unit_substrate.si
    fastest = activity * (half + at) / at
    return half * lambertw(START / half * np.exp((START - fastest * np.array(times)) / half)).real


def test_catalase_follows_lambert_w():
    run = run_vessel({"catalase": unit(50.0)}, **{"catalase.inactivation_rate": 0.0})
    exact = substrate(CATALASE, unit(50.0), TIMES)
    assert exact[1] < 0.95 * START
    assert run["hydrogen_peroxide"] == pytest.approx(exact, rel=NEAR, abs=1e-9)
    assert run["oxygen"] == pytest.approx((START - exact) / 2, rel=NEAR, abs=1e-9)
    assert run["tube.catalase"] == pytest.approx(unit(50.0) * VOLUME, rel=1e-12)


def test_catalase_wears_off_with_the_peroxide_it_meets():
    """dc/dE does not hold E, so the enzyme lost follows from the peroxide lost; a second solver gives the times."""
    loss, activity = 2e-3, unit(5.0)
    half, at = CATALASE.half_saturation.si, CATALASE.unit_substrate.si
    run = run_vessel({"catalase": activity}, **{"catalase.inactivation_rate": loss})
    enzyme, c = run["tube.catalase"] / VOLUME, run["hydrogen_peroxide"]
    assert enzyme[-1] < 0.1 * activity
    assert 0.05 * START < c[-1] < 0.2 * START
    gone = loss * at / (half + at) * (half * (START - c) + (START**2 - c**2) / 2)
    assert activity - enzyme == pytest.approx(gone, rel=1e-6, abs=1e-12)

    def slope(_, y):
        turnover = y[1] * (half + at) / at * y[0] / (half + y[0])
        return [-turnover, -loss * y[0] * y[1]]

    reference = solve_ivp(slope, (0, TIMES[-1]), [START, activity], "LSODA", TIMES, rtol=1e-11, atol=1e-14)
    assert c == pytest.approx(reference.y[0], rel=1e-7)


def test_peroxidase_takes_peroxide_and_makes_no_oxygen():
    run = run_vessel({"horseradish_peroxidase": unit(0.05)})
    exact = substrate(PEROXIDASE, unit(0.05), TIMES)
    assert 0.01 * START < exact[3] < 0.9 * START
    assert run["hydrogen_peroxide"] == pytest.approx(exact, rel=1e-6, abs=1e-9)
    assert run["oxygen"] == pytest.approx(0.0, abs=1e-15)
    assert run["tube.oxidised_donor"] / VOLUME == pytest.approx(START - exact, rel=1e-6, abs=1e-9)


def test_two_enzymes_share_the_peroxide():
    run = run_vessel(
        {"catalase": unit(0.2), "horseradish_peroxidase": unit(0.2)},
        times=[0.0, 1.0],
        **{"catalase.inactivation_rate": 0.0},
    )
    ratio = 2 * run["oxygen"][1] / (run["tube.oxidised_donor"][1] / VOLUME)
    speed = [
        (s.half_saturation.si + s.unit_substrate.si) / s.unit_substrate.si * START / (s.half_saturation.si + START)
        for s in (CATALASE, PEROXIDASE)
    ]
    assert ratio == pytest.approx(speed[0] / speed[1], rel=1e-3)


def saturation(sheet, fraction: float, temperature: float = 298.15) -> float:
    gas = sheet.gas
    heat = math.exp(-gas.henry_enthalpy.si / GAS_CONSTANT * (1 / temperature - 1 / 298.15))
    return gas.henry_constant.si * 101325 * fraction * heat


def test_solubility_is_that_of_the_sheet():
    # 0.21 atm of oxygen gives about 0.26 mmol/L at 25 degC and a fifth less at 37 degC.
    assert saturation(OXYGEN, OXYGEN.gas.air_fraction.si) == pytest.approx(0.265, rel=0.05)
    for degrees in (25.0, 37.0):
        fresh = play(make_study(temperature=f"{degrees} degC"), [0.0])
        expected = saturation(OXYGEN, OXYGEN.gas.air_fraction.si, degrees + 273.15)
        assert fresh["oxygen"][0] == pytest.approx(expected, rel=1e-9)
    assert play(make_study(atmosphere="nitrogen"), [0.0])["oxygen"][0] == 0.0


HOURS = [0.5, 1.0, 2.0, 5.0, 12.0]


@pytest.mark.parametrize(("depth", "atmosphere"), [(30.0, "air"), (10.0, "air"), (30.0, "nitrogen")])
def test_oxygen_relaxes_to_henry_with_velocity_over_depth(depth, atmosphere):
    """Catalase turns 2 mmol/L peroxide into 1 mmol/L oxygen at once; the surplus leaves with k_L / depth."""
    velocity = Catalogue().load("vessels", "tube").gas_transfer_velocity.si
    study = make_study(
        [agent("hydrogen_peroxide", "2 mmol/L"), agent("catalase", "1e7 U/mL")],
        depth=f"{depth} mm",
        atmosphere=atmosphere,
        temperature="25 degC",
    )
    run = play(study, HOURS, changes={"catalase.inactivation_rate": 0.0})
    rest = saturation(OXYGEN, OXYGEN.gas.air_fraction.si) if atmosphere == "air" else 0.0
    exact = rest + np.exp(-velocity / (depth * 1e-3) * np.array(HOURS) * HOUR)
    # The peroxide takes about 1 / (1e7 U/mL (K + s) / (s K)) = 1e-5 s to turn over, 1e-9 of the exchange.
    assert run["oxygen"] == pytest.approx(exact, rel=1e-6)


def test_outside_gains_what_the_tube_loses():
    study = make_study([agent("hydrogen_peroxide", "2 mmol/L"), agent("catalase", "100 U/mL")], volume="3 mL")
    run = play(study, [0.0, 12.0])
    tube, outside = run["tube.oxygen"] + run["tube.hydrogen_peroxide"] / 2, run["outside.oxygen"]
    assert outside[1] > 0.5 * 3e-6
    assert tube[0] - tube[1] == pytest.approx(outside[1] - outside[0], rel=1e-9)


def test_a_closed_tube_keeps_all():
    study = make_study(
        [agent("hydrogen_peroxide", "2 mmol/L"), agent("catalase", "100 U/mL")],
        buffer="bicarbonate",
        concentration="20 mmol/L",
        ph=7.4,
        **SHUT,
    )
    run = play(study, [0.0, 1.0, 100.0])
    held = run["oxygen"] + run["hydrogen_peroxide"] / 2
    assert held == pytest.approx(np.full(3, saturation(OXYGEN, OXYGEN.gas.air_fraction.si) + 1.0), rel=1e-9)
    assert run["carbonate"] == pytest.approx(np.full(3, 20.0), rel=1e-12)
    # Hydrogen peroxide is an acid of pK 11.65: 2 mmol/L of it shift the buffer by less than 1e-4.
    assert run["ph"] == pytest.approx(np.full(3, 7.4), abs=1e-4)
    assert not any(n.startswith("exchange") for n in run.built.network.processes)


def test_bicarbonate_comes_to_rest_with_its_gas():
    """Five percent carbon dioxide over 25 mmol/L bicarbonate: the free gas ends at Henry's law, whatever it was."""
    study = make_study(
        buffer="bicarbonate",
        concentration="25 mmol/L",
        ph=8.2,
        atmosphere="air",
        carbon_dioxide="5 %",
        temperature="37 degC",
        depth="1 mm",
    )
    run = play(study, [0.0, 200.0])
    free = run.built.tube.solution.free(CARBONATE.gas.species)
    rest = saturation(CARBONATE, 0.05, 310.15)
    assert run.of(free, 0) < 0.5 * rest
    assert run.of(free, 1) == pytest.approx(rest, rel=1e-6)
    assert run["ph"][1] < run["ph"][0] - 0.3


def test_nothing_moves_where_gas_and_water_agree():
    run = play(make_study(carbon_dioxide="0.04 %"), [0.0, 24.0])
    assert run["oxygen"][1] == pytest.approx(run["oxygen"][0], rel=1e-9)
    assert gases.applies(run.built.tube)


def test_fresh_buffer_holds_the_gas_of_its_own_ph_whatever_ran_before():
    """Arms that differ in pH alone share their integrators, but not what air had dissolved into them."""
    arms = [{"name": f"pH {ph}", "subject": {"ph": ph}, "add": []} for ph in (5.0, 7.0)]
    player, found = Player(TIGHT), []
    for row in (*arms, *arms[::-1]):
        study = make_study(arms=arms)
        built = build_arm(study, study.arm(row["name"]))
        found.append(player.play(built, [0.0])["carbonate"][0])
    assert found[1] > 3 * found[0]
    assert found == pytest.approx([found[0], found[1], found[1], found[0]], rel=1e-12)
    assert found[0] == pytest.approx(play(make_study(ph=5.0), [0.0])["carbonate"][0], rel=1e-12)
