"""A polymer coat against closed forms: digestion, desorption, its mass, its charge, its barrier, and no coat at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from tubes import COATED, HOUR, NEAR, SHUT, agent, given, make_study, of_material, play, sheet_values

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium.constants import debye_slope
from nanotrial.network.terms import constant
from nanotrial.particle.coat import resistance

SHEET = Catalogue().load("coatings", "sodium_hyaluronate")
WATER = Catalogue().water()
# A core that does not dissolve: the coat alone is followed.
INERT = of_material("calcium_peroxide", acid_rate=(0.0, "mol/m^2/s"), water_rate=(0.0, "mol/m^2/s"))
HOURS = [0.0, 0.5, 2.0, 8.0]
COAT, FREE, ENZYME = "particles.0.coated.coat", "tube.free_sodium_hyaluronate", "tube.hyaluronidase"


def digested(units: str, ph: float = 5.0, load: str = "1 mmol/L", **laws):
    add = [given("coated", load), agent("hyaluronidase", units)]
    study = make_study(
        add, particles={"coated": COATED}, buffer="citrate_phosphate", concentration="200 mmol/L", ph=ph, **SHUT
    )
    no_loss = sheet_values(coatings__sodium_hyaluronate__desorption_rate=laws.get("loss", (0.0, "1/s")))
    return play(study, HOURS, INERT.with_values(no_loss.values))


@pytest.mark.parametrize("ph", [4.0, 5.0, 6.5, 8.0])
@pytest.mark.parametrize("load", ["0.1 mmol/L", "20 mmol/L"])
def test_digestion_is_michaelis_menten_in_all_polymer(ph, load):
    """Free polymer stays a competitor, so the coat decays with a constant rate turnover E bell / (K + polymer)."""
    run = digested("0.2 U/mL", ph, load)
    law = SHEET.digestion
    polymer = run[COAT][0] / 1e-5
    assert run["ph"] == pytest.approx(np.full(4, ph), abs=5e-3)
    bell = math.exp(-0.5 * ((run["ph"][0] - law.optimum_ph.si) / law.ph_width.si) ** 2)
    enzyme = 0.2e-6 / 60 / 1e-6
    rate = law.turnover.si * enzyme * bell / (law.half_saturation.si + polymer)
    assert run["coat_left"][-1] < 0.96
    assert run["coat_left"] == pytest.approx(np.exp(-rate * np.array(HOURS) * HOUR), rel=1e-6, abs=1e-9)


def test_digestion_saturates_and_follows_the_enzyme():
    def speed(units: str, load: str) -> float:
        run = digested(units, load=load)
        return (run[COAT][0] - run[COAT][1]) / run[ENZYME][0]

    small, large = speed("0.001 U/mL", "0.01 mmol/L"), speed("0.001 U/mL", "4000 mmol/L")
    assert large == pytest.approx(SHEET.digestion.turnover.si * 0.5 * HOUR, rel=0.02)
    assert small < 0.01 * large
    assert digested("0 U/mL")["coat_left"] == pytest.approx(np.ones(4), rel=1e-9)


def test_two_coated_particles_share_the_enzyme():
    """Two cohorts with half the load each lose their coats as one with the whole load."""
    particles = {"coated": COATED, "twin": COATED}
    add = [given("coated", "1 mmol/L"), given("twin", "1 mmol/L"), agent("hyaluronidase", "200 U/mL")]
    study = make_study(add, particles=particles, buffer="acetate", concentration="200 mmol/L", ph=5.0, **SHUT)
    two = play(study, HOURS, INERT)
    one = play(
        make_study(
            [given("coated", "2 mmol/L"), add[2]],
            particles=particles,
            buffer="acetate",
            concentration="200 mmol/L",
            ph=5.0,
            **SHUT,
        ),
        HOURS,
        INERT,
    )
    assert one["coat_left"][-1] < 0.7
    assert two["coat_left"] == pytest.approx(one["coat_left"], rel=NEAR)


@pytest.mark.parametrize("rate", [1e-6, 1e-4])
def test_desorption_is_first_order_and_keeps_the_polymer(rate):
    run = digested("0 U/mL", loss=(rate, "1/s"))
    assert run["coat_left"] == pytest.approx(np.exp(-rate * np.array(HOURS) * HOUR), rel=NEAR)
    whole = run[COAT] + run[FREE]
    assert whole == pytest.approx(np.full(4, whole[0]), rel=1e-12)
    # 0.2 of the particle is coat: 0.25 of the mass of 1 mmol/L CaO2 in 10 mL.
    assert whole[0] == pytest.approx(0.25 * 0.07208 * 1e-5, rel=1e-9)


def test_polymer_is_conserved_by_digestion():
    run = digested("1000 U/mL", loss=(1e-5, "1/s"))
    assert run["coat_left"][-1] < 0.1
    assert run.run.imbalance()["sodium_hyaluronate"] < 1e-12


def davies(strength: float, temperature: float = 298.15) -> float:
    root = math.sqrt(strength)
    return 10 ** (-debye_slope(temperature) * (root / (1 + root) - 0.3 * strength))


def water_with_polymer(carboxylates: float) -> float:
    """Return the pH of water with a sodium salt of a weak polymer acid (mol/L); sodium alone counts as ion.

    The water itself is brought to pH 7 first, as the study says, by a trace of strong acid or base.
    """
    pk, trace = SHEET.carboxylate_pka.si, 10**WATER.log_k.si / 1e-7 - 1e-7

    def net(ph: float) -> float:
        strength = 0.5 * carboxylates
        proton = 10**-ph / davies(strength)
        hydroxide = 10**WATER.log_k.si / (10**-ph * davies(strength))
        return trace + carboxylates + proton - hydroxide - carboxylates / (1 + 10 ** (pk - ph))

    return brentq(net, 4.0, 10.0, xtol=1e-13)


@pytest.mark.parametrize("load", ["0.1 mmol/L", "5 mmol/L"])
def test_coat_in_pure_water_brings_its_own_counter_ions(load):
    study = make_study([given("coated", load)], particles={"coated": COATED}, buffer="water", **SHUT)
    run = play(study, [0.0, 1.0], INERT)
    carboxylates = run.of(run.built.tube.solution.sites[0].amount) / 1e-5 / 1000
    assert carboxylates == pytest.approx(float(load.split()[0]) * 1e-3 * 0.25 * 72.08 / 401.3, rel=1e-6)
    assert np.max(np.abs(run["charge_error"])) < 1e-9
    assert run["ph"] == pytest.approx(np.full(2, water_with_polymer(carboxylates)), abs=1e-4)


def test_charge_stays_balanced_while_core_and_coat_go():
    study = make_study(
        [given("coated", "0.5 mmol/L"), agent("hyaluronidase", "50 U/mL")],
        particles={"coated": COATED},
        buffer="water",
        **SHUT,
    )
    run = play(study, HOURS)
    assert run["core_left"][-1] < 0.9
    assert np.max(np.abs(run["charge_error"])) < 1e-6


def test_a_protonated_coat_holds_protons():
    """At the pK of the polymer half of its carboxylates hold a proton."""
    pk = SHEET.carboxylate_pka.si
    study = make_study(
        [given("coated", "1 mmol/L")],
        particles={"coated": COATED},
        buffer="citrate",
        concentration="500 mmol/L",
        ph=pk,
        **SHUT,
    )
    run = play(study, [0.0], INERT)
    amount = run.of(run.built.tube.solution.sites[0].amount) / 1e-5
    assert run["protons.sodium_hyaluronate"][0] == pytest.approx(amount / 2, rel=2e-3)


def release(particles, coat: dict[str, float] | None = None) -> np.ndarray:
    law = of_material("calcium_peroxide", acid_rate=(3e-10, "mol/m^2/s"), water_rate=(1e-10, "mol/m^2/s"))
    study = make_study(
        [given("p", "0.5 mmol/L")],
        particles={"p": particles},
        buffer="acetate",
        concentration="50 mmol/L",
        ph=5.5,
        **SHUT,
    )
    changes = {f"particles.0.p.coat.{k}": v for k, v in (coat or {}).items()}
    return play(study, HOURS[1:], law, changes=changes)["release"]


def test_a_vanishing_coat_is_no_coat():
    bare = release({"core": "calcium_peroxide", "diameter": "20 nm"})
    thick = release(COATED)
    gone = release(COATED, {"mass_per_mole": 1e-12, "thickness": 0.0})
    thin = release(
        {
            "core": "calcium_peroxide",
            "diameter": "20 nm",
            "coating": [{"material": "sodium_hyaluronate", "thickness": "0.01 nm"}],
        }
    )
    assert np.all(thick < 0.97 * bare)
    assert gone == pytest.approx(bare, rel=1e-7)
    assert thin == pytest.approx(bare, rel=1e-3)
    assert np.all(thin < bare)


def test_blocking_slows_a_covered_surface_by_its_trains():
    """A thick coat covers its monolayers: the surface rate falls by the occupied fraction."""
    particle = {**COATED, "coating": [{"material": "sodium_hyaluronate", "thickness": "90 nm"}]}
    law = of_material(
        "calcium_peroxide", acid_rate=(1e-12, "mol/m^2/s"), water_rate=(0.0, "mol/m^2/s"), log_k=(40.0, "1")
    )
    runs = [
        play(make_study([given("p", "0.01 mmol/L")], particles={"p": p}, ph=7.0, **SHUT), [0.0], law)
        for p in (particle, {"core": "calcium_peroxide", "diameter": "20 nm"})
    ]
    name = "particles.0.p.dissolution.0"
    assert runs[0].rate(name) / runs[1].rate(name) == pytest.approx(1 - SHEET.occupied_fraction.si, rel=3e-4)


def test_resistance_is_thickness_over_hindered_diffusivity():
    study = make_study(
        [given("coated")],
        particles={"coated": {**COATED, "coating": [{"material": "sodium_hyaluronate", "thickness": "10 nm"}]}},
        **SHUT,
    )
    run = play(
        study,
        [0.0, 8.0],
        INERT.with_values(sheet_values(coatings__sodium_hyaluronate__desorption_rate=(5e-5, "1/s")).values),
    )
    tube = run.built.tube
    along = resistance(tube, tube.cohorts[0], constant(1e-9, "m^2/s"))
    hindered = 1e-9 * ((1 - 0.05) / (1 + 0.05)) ** 2
    assert run.of(along, 0) == pytest.approx(10e-9 / hindered, rel=1e-9)
    assert run.of(along, 1) == pytest.approx(10e-9 / hindered * math.exp(-5e-5 * 8 * HOUR), rel=NEAR)
