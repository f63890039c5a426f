"""Iron: oxidation against closed forms, the acid it sets free, Prussian blue between acid and alkali, lysosomes."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import casadi as ca
import numpy as np
import pytest
from dishes import make_dish
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from tubes import SHUT, make_study, play

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium import iron, minerals
from nanotrial.medium.constants import GAS_CONSTANT, debye_slope, van_t_hoff
from nanotrial.medium.vessel import VOLUME, closed_vessel
from nanotrial.network.terms import constant
from nanotrial.places import build_arm
from nanotrial.places.lysosome_readouts import observe_lysosomal_minerals
from nanotrial.solve.run import Tolerances, simulate_network
from nanotrial.study.measures import UPTAKE_MEASURES
from nanotrial.study.minerals import LYSOSOMAL, lysosomal_measures
from nanotrial.units import dimension_of
from nanotrial.values import Value

SHEET = iron.oxidation_sheet()
CATALOGUE = Catalogue()
ROOM, BODY, MINUTE = 298.15, 310.15, 60.0
TIGHT, USUAL = Tolerances(relative=1e-10, absolute=1e-13), Tolerances()
HEPES_PK = 7.5
DISH = ("calcium_peroxide", "prussian_blue")


def buffered(amounts, ph, buffer=20.0, temperature=ROOM, phases=(), salt=0.0):
    """Return a vessel of HEPES with its charge closed at about this pH."""
    bare = buffer / (1.0 + 10.0 ** (HEPES_PK - ph))
    charge = bare - 2.0 * amounts.get("iron_2", 0.0) - 3.0 * amounts.get("iron_3", 0.0)
    held = {"iron_2": 0.0, "iron_3": 0.0, "hepes": buffer, **amounts}
    made = closed_vessel(held, ph, temperature, salt, phases=phases, strong_charge=charge)
    iron.add(made)
    if phases:
        minerals.add(made)
    return made


def warm(rate, energy, temperature):
    return rate.si * math.exp(-energy.si / GAS_CONSTANT * (1.0 / temperature - 1.0 / ROOM))


def log_gamma(strength, temperature):
    root = math.sqrt(strength)
    return -debye_slope(temperature) * (root / (1.0 + root) - 0.3 * strength)


def constant_at(sheet, temperature):
    return 10.0 ** (sheet.log_k.value + van_t_hoff(sheet.enthalpy.si if sheet.enthalpy else 0.0, temperature))


def half_life(ph, oxygen=0.258, temperature=ROOM):
    """Return the half-life of a trace of iron(II) (s) and the pH and ionic strength (mol/L) it was met at."""
    vessel = buffered({"iron_2": 1e-3, "oxygen": oxygen}, ph, temperature=temperature)
    vessel.network.observe("strength", vessel.solution.ionic_strength, "1")
    run = simulate_network(vessel.network, [0.0, 1.0], tolerances=TIGHT)
    rate = math.log(run["iron_2"][0] / run["iron_2"][1])
    return math.log(2.0) / rate, float(run["ph"][0]), float(run["strength"][0])


def test_half_life_in_air_saturated_water_is_that_of_the_literature():
    """Minutes at pH 7: 4 by Stumm and Lee, 17 by Davison and Seed, both without salt."""
    seconds, ph, _ = half_life(7.0)
    at_seven = seconds / MINUTE * 100.0 ** (ph - 7.0)
    assert 4.0 < at_seven < 25.0


def test_half_life_falls_a_hundredfold_per_unit_of_ph():
    (slow, low, one), (fast, high, two) = half_life(7.0), half_life(8.0)
    iron_2 = CATALOGUE.load("solutes", "iron_2")
    hydrolysis = next(s for s in iron_2.species if s.name == "FeOH+")

    def bare(ph, strength):
        # Share of iron that is Fe+2 times its activity coefficient.
        bound = 10.0 ** (hydrolysis.log_k.value + ph + 3.0 * log_gamma(strength, ROOM))
        return 10.0 ** (4.0 * log_gamma(strength, ROOM)) / (1.0 + bound)

    expected = 10.0 ** (2.0 * (high - low)) * bare(high, two) / bare(low, one)
    assert slow / fast == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("temperature", [ROOM, BODY])
@pytest.mark.parametrize("ph", [2.5, 6.5, 7.5])
def test_rates_against_closed_forms(ph, temperature):
    """Both laws from the pH, the strength and the sheets alone."""
    water, iron_2 = CATALOGUE.water(), CATALOGUE.load("solutes", "iron_2")
    vessel = buffered({"iron_2": 0.01, "oxygen": 0.2, "hydrogen_peroxide": 0.05}, ph, temperature=temperature)
    vessel.network.observe("strength", vessel.solution.ionic_strength, "1")
    vessel.network.observe("by_oxygen", iron.oxygenation(vessel), "mol/m^3/s")
    vessel.network.observe("by_peroxide", iron.peroxidation(vessel), "mol/m^3/s")
    run = simulate_network(vessel.network, [0.0], tolerances=TIGHT)
    acid, g = 10.0 ** -run["ph"][0], log_gamma(run["strength"][0], temperature)
    steps = [1.0]
    steps += [
        constant_at(s, temperature) * acid**s.protons * 10.0 ** (g * (4 - (2 + s.protons) ** 2)) for s in iron_2.species
    ]
    free = 0.01 / sum(steps)
    assert steps[1] > 0.0
    hydroxide = constant_at(water, temperature) / acid * 1e3
    by_oxygen = warm(SHEET.oxygen_rate, SHEET.oxygen_energy, temperature) * free * 10 ** (4 * g) * hydroxide**2
    by_oxygen += warm(SHEET.acid_oxygen_rate, SHEET.acid_oxygen_energy, temperature) * free
    by_peroxide = warm(SHEET.peroxide_rate, SHEET.peroxide_energy, temperature) * free
    hydrolysed = warm(SHEET.hydroxide_peroxide_rate, SHEET.hydroxide_peroxide_energy, temperature)
    by_peroxide += hydrolysed * free * steps[1]
    assert run["by_oxygen"][0] == pytest.approx(by_oxygen * 0.2, rel=1e-8)
    assert run["by_peroxide"][0] == pytest.approx(by_peroxide * 0.05, rel=1e-4)


def test_fenton_constant_is_that_of_the_literature():
    """53 to 76 L/(mol s) for Fe+2 in acid, where iron goes at twice the pace of the peroxide."""
    vessel = closed_vessel({"iron_2": 0.01, "iron_3": 0.0, "hydrogen_peroxide": 1.0}, ph=2.0, strong_charge=-10.0)
    iron.add(vessel)
    run = simulate_network(vessel.network, [0.0, 1.0], tolerances=TIGHT)
    per_molar = math.log(run["iron_2"][0] / run["iron_2"][1]) / 1e-3 / 2.0
    assert 53.0 < per_molar < 76.0


@settings(max_examples=15, deadline=None)
@given(
    ferrous=st.floats(1e-3, 1.0),
    ferric=st.floats(0.0, 0.1),
    oxygen=st.floats(0.0, 1.0),
    peroxide=st.floats(0.0, 1.0),
    ph=st.floats(3.0, 8.0),
)
def test_iron_and_electrons_are_conserved(ferrous, ferric, oxygen, peroxide, ph):
    amounts = {"iron_2": ferrous, "iron_3": ferric, "oxygen": oxygen, "hydrogen_peroxide": peroxide}
    run = simulate_network(buffered(amounts, ph).network, [0.0, 600.0, 3600.0], tolerances=TIGHT)
    whole = run["iron_2"] + run["iron_3"]
    np.testing.assert_allclose(whole, ferrous + ferric, rtol=1e-9)
    lent = run["iron_2"] - 4.0 * run["oxygen"] - 2.0 * run["hydrogen_peroxide"]
    np.testing.assert_allclose(lent, lent[0], rtol=1e-9, atol=1e-9)
    assert run["iron_2"][-1] <= ferrous * (1.0 + 1e-12)


def quick_ferric_hydroxide():
    """Return the phase as one that follows its saturation without delay."""
    phase = CATALOGUE.load("phases", "ferric_hydroxide")
    rate = Value(1.0, "1/s", "test", "assumed", dimension=dimension_of("1/s"))
    return dataclasses.replace(phase, nucleation=None, growth=None, relaxation_rate=rate)


def test_ferric_hydroxide_forms_and_sets_two_protons_free_per_iron():
    """Fe+2 + 1/4 O2 + 5/2 H2O -> Fe(OH)3 + 2 H+, though no process writes a proton."""
    start, buffer = 0.5, 20.0
    vessel = buffered(
        {"iron_2": start, "oxygen": 0.3}, 7.5, buffer, phases={"ferric_hydroxide": quick_ferric_hydroxide()}, salt=200.0
    )
    vessel.network.observe("strength", vessel.solution.ionic_strength, "1")
    run = simulate_network(vessel.network, [0.0, 86400.0], tolerances=TIGHT)
    solid = run["tube.ferric_hydroxide"][-1] / VOLUME
    assert solid == pytest.approx(start, rel=1e-4)
    assert solid + run["iron_2"][-1] + run["iron_3"][-1] == pytest.approx(start, rel=1e-9)
    assert run["ph"][-1] < run["ph"][0] - 0.02
    hepes = next(s for s in CATALOGUE.load("solutes", "hepes").species)

    def protons(ph, strength):
        ratio = constant_at(hepes, ROOM) * 10.0 ** (-ph + log_gamma(strength, ROOM))
        free = 1e3 * (10.0 ** (-ph) - 10.0 ** (ph - 14.0)) / 10.0 ** log_gamma(strength, ROOM)
        return buffer * ratio / (1.0 + ratio) + free

    # The first pH from electroneutrality: iron(II), hydrolysed by a hundredth at most, gives off few protons.
    gained = protons(run["ph"][-1], run["strength"][-1]) - protons(run["ph"][0], run["strength"][0])
    assert gained == pytest.approx(2.0 * start, rel=0.02)
    expected = brentq(lambda ph: protons(ph, run["strength"][-1]) - protons(run["ph"][0], 0.2) - 2 * start, 5, 9)
    assert run["ph"][-1] == pytest.approx(expected, abs=0.01)


def test_ferric_iron_falls_out_at_neutral_ph_to_its_solubility():
    vessel = buffered({"iron_3": 0.1}, 7.0, phases={"ferric_hydroxide": quick_ferric_hydroxide()})
    run = simulate_network(vessel.network, [3600.0], tolerances=TIGHT)
    assert run["iron_3"][-1] < 1e-3 * 0.1
    assert run["ferric_hydroxide.saturation_ratio"][-1] == pytest.approx(1.0, abs=1e-4)


def blue_tube(buffer, ph, follow, load="0.1 mmol/L", hours=(0, 24, 720), strength="50 mmol/L"):
    """Return an arm of Prussian blue of 50 nm in a buffer, closed, at 25 degC."""
    study = make_study(
        [{"particle": "blue", "concentration": load, "at": "0 h", "basis": "iron_3"}],
        particles={"blue": {"core": "prussian_blue", "diameter": "50 nm"}},
        buffer=buffer,
        concentration=strength,
        ph=ph,
        minerals=follow,
        **{**SHUT, "background_salt": "100 mmol/L"},
    )
    return play(study, list(hours), tolerances=USUAL)


def log_product(played):
    solution = played.built.place.solution
    iron_3, ferrocyanide = (math.log10(played.of(solution.activity(n))) for n in ("Fe+3", "Fe(CN)6-4"))
    return 4.0 * iron_3 + 3.0 * ferrocyanide


BLUE = CATALOGUE.load("materials", "prussian_blue").dissolution


def test_prussian_blue_stays_in_acid():
    """At the pH of lysosomes it dissolves to its solubility, a ten-thousandth, as it is composed."""
    played = blue_tube("acetate", 4.7, follow=True)
    assert played["core_left"][-1] > 0.999
    assert played["iron_3"][-1] / played["ferrocyanide"][-1] == pytest.approx(4.0 / 3.0, rel=1e-6)
    assert log_product(played) == pytest.approx(BLUE.log_k.value, abs=0.01)


def test_prussian_blue_is_gone_in_alkali():
    played = blue_tube("glycine", 9.0, follow=False)
    assert played["core_left"][-1] < 1e-6
    assert played["ferrocyanide"][-1] == pytest.approx(0.1 * 0.75, rel=1e-6)


@pytest.mark.parametrize("ph", [7.0, 7.3])
def test_prussian_blue_and_ferric_hydroxide_fix_ferrocyanide(ph):
    """Where both solids lie, a(Fe(CN)6-4)^3 = K_blue / (K_hydroxide a_H^3)^4: four decades per unit of pH."""
    played = blue_tube("hepes", ph, follow=True, load="4 mmol/L", hours=(0, 2000), strength="200 mmol/L")
    assert 0.01 < played["core_left"][-1] < 0.99
    hydroxide = CATALOGUE.load("phases", "ferric_hydroxide").log_k.value - 3.0 * played["ph"][-1]
    expected = (BLUE.log_k.value - 4.0 * hydroxide) / 3.0
    found = math.log10(played.of(played.built.place.solution.activity("Fe(CN)6-4")))
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("core", DISH)
@pytest.mark.parametrize("follow", [False, True])
def test_lysosomes_hold_phosphate_only_where_particles_give_iron(core, follow):
    given_ = [{"particle": "bare", "concentration": "0.1 mmol/L", "basis": "core", "at": "0 h"}]
    made = make_dish(given_, particles={"bare": {"core": core, "diameter": "50 nm"}}, minerals=follow)
    built = build_arm(made, made.arms[0])
    lysosome = built.place.cells[0].lysosome
    blue = core == "prussian_blue"
    assert ("phosphate" in lysosome.solution.components) == blue
    assert bool(lysosome.phases) == (blue and follow)
    assert all("iron_3" in phase.products for phase in lysosome.phases.values())


def test_a_lysosome_with_phosphate_rests_at_its_ph():
    given_ = [{"particle": "bare", "concentration": "1e-9 mmol/L", "basis": "core", "at": "23 h"}]
    study = make_dish(given_, particles={"bare": {"core": "prussian_blue", "diameter": "50 nm"}}, minerals=True)
    played = play(study, [0, 1, 20], tolerances=USUAL)
    sheet = CATALOGUE.load("vesicles", "mammalian_vesicles")
    np.testing.assert_allclose(played["lysosome_ph"], sheet.lysosome_ph.si, atol=2e-3)
    fluid = played.built.place.cells[0].lysosome
    for row in (0, 1, 2):
        held = played.of(fluid.network[f"{fluid.name}.phosphate"] / fluid.volume, row)
        assert held == pytest.approx(sheet.phosphate.si, rel=0.02)


def test_lysosomal_minerals_show_each_and_its_rival():
    """A lysosome of 0.03 and 0.01 mol of two minerals, over two cells; noise below zero shows as nothing."""
    phases = {"ferric_hydroxide": quick_ferric_hydroxide(), "other": quick_ferric_hydroxide()}
    vessel = closed_vessel({"iron_3": 0.0}, 7.0, phases=phases)
    minerals.add(vessel)
    vessel.floor = constant(1e-9, "mol")
    dish = SimpleNamespace(
        network=vessel.network,
        cells=[SimpleNamespace(endosome=None, lysosome=vessel)],
        seeded=constant(2.0, "1"),
        catalogue=Catalogue(),
    )
    observe_lysosomal_minerals(dish)
    network = vessel.network
    states = {"tube.ferric_hydroxide": 0.03, "tube.other": 0.01}

    def shown(name, **changed):
        symbols = ca.symvar(network.observables[name].value.expression)
        held = {**states, **{f"tube.{k}": v for k, v in changed.items()}}
        numbers = [held[s.name()] for s in symbols]
        return float(ca.Function("shown", symbols, [network.observables[name].value.expression])(*numbers))

    assert shown("lysosomal_ferric_hydroxide") == pytest.approx(0.015, rel=1e-6)
    assert shown("lysosomal_ferric_hydroxide_rival") == pytest.approx(0.005, rel=1e-6)
    assert shown("lysosomal_other_rival") == pytest.approx(0.015, rel=1e-6)
    assert shown("lysosomal_ferric_hydroxide", ferric_hydroxide=-1e-12) == 0.0


def test_measures_of_lysosomes_exist_where_particles_give_iron():
    names = lysosomal_measures(CATALOGUE, {"iron_3", "ferrocyanide"})
    assert {"lysosomal_ferric_hydroxide", "lysosomal_ferric_hydroxide_rival"} <= set(names)
    assert not any("vivianite" in name for name in names)
    assert lysosomal_measures(CATALOGUE, {"calcium", "hydrogen_peroxide"}) == []
    assert all(name.startswith(LYSOSOMAL) for name in names)
    assert not any(name.startswith(LYSOSOMAL) for name in UPTAKE_MEASURES)
