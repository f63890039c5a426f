"""The laws of a surface inside a tube: pH and its plateau, dopants, heat, and the protons that a buffer gives."""

from __future__ import annotations

import math

import casadi as ca
import pytest
from tubes import given, make_study, of_material, play, sheet_values

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium.constants import GAS_CONSTANT, van_t_hoff
from nanotrial.network.model import Network
from nanotrial.particle.dissolution import cease_ph


def start(material: str, overlay, ph: float, temperature: str = "25 degC", **particle):
    """Return the run of a small, fresh core in a strong buffer, where only the surface limits."""
    buffer = "acetate" if ph < 6.5 else "hepes"
    study = make_study(
        [given(concentration="0.01 mmol/L")],
        particles={"bare": {"core": material, "diameter": "4 nm", **particle}},
        buffer=buffer,
        concentration="500 mmol/L",
        ph=ph,
        temperature=temperature,
        atmosphere="closed",
        background_salt="0 mmol/L",
    )
    return play(study, [0.0], overlay)


def surface_speed(played) -> float:
    """Return mol/(m^2 s) at the start."""
    cohort = played.built.tube.cohorts[0]
    moles, radius = played[cohort.core_name(0)][0], cohort.classes.radii[0]
    area = 3 * moles * cohort.material.molar_mass.si / cohort.material.density.si / radius
    names = [n for n in played.built.network.processes if n.startswith(f"{cohort.key}.") and n.endswith(".0")]
    return sum(played.rate(n) for n in names) / area


SLOW = {"water_rate": (0.0, "mol/m^2/s"), "acid_rate": (1e-9, "mol/m^2/s"), "log_k": (30.0, "1")}


@pytest.mark.parametrize("order", [0.5, 2.0])
@pytest.mark.parametrize("ph", [3.5, 4.5, 5.0, 5.5, 7.0, 8.0])
def test_acid_attack_levels_off_below_the_saturation_ph(order, ph):
    law = {**SLOW, "acid_order": (order, "1"), "acid_reference_ph": (6.0, "1"), "saturation_ph": (5.0, "1")}
    found = surface_speed(start("calcium_peroxide", of_material("calcium_peroxide", **law), ph)) / 1e-9
    assert found == pytest.approx(10 ** (-order * (ph - 6)) / (1 + 10 ** (order * (5 - ph))), rel=3e-5)
    assert found < 10**order  # the plateau, k 10^(-m (pH_sat - pH_ref))
    if ph == 5.0:
        assert found == pytest.approx(10**order / 2, rel=3e-5)


def test_without_saturation_and_reference_the_power_law_holds():
    law = {**SLOW, "acid_rate": (1e-5, "mol/m^2/s"), "acid_order": (0.85, "1")}
    for ph in (3.5, 5.0, 7.5):
        found = surface_speed(start("copper_oxide", of_material("copper_oxide", **law), ph))
        assert found == pytest.approx(1e-5 * 10 ** (-0.85 * ph), rel=3e-5)


def test_dopant_shifts_the_rate_per_cation_fraction():
    law = of_material("copper_oxide", **SLOW)
    shifts = sheet_values(materials__copper_oxide__dopants__iron__log_rate_shift=(-7.0, "1"))
    both = law.with_values(shifts.values)
    plain = surface_speed(start("copper_oxide", both, 5.0))
    doped = surface_speed(start("copper_oxide", both, 5.0, dopants={"iron": 0.1}))
    assert doped / plain == pytest.approx(10**-0.7, rel=1e-6)


def saturated(temperature: str = "25 degC", shift: float = 0.0, **particle):
    """Return log10 of the ion product of copper oxide where an excess has come to rest."""
    law = of_material("copper_oxide", log_k=(6.0, "1"), acid_rate=(0.01, "mol/m^2/s"))
    shifts = sheet_values(materials__copper_oxide__dopants__iron__log_k_shift=(shift, "1"))
    study = make_study(
        [given(concentration="50 mmol/L", basis="copper")],
        particles={"bare": {"core": "copper_oxide", "diameter": "4 nm", **particle}},
        buffer="hepes",
        concentration="100 mmol/L",
        ph=7.0,
        temperature=temperature,
        atmosphere="closed",
    )
    end = play(study, [0.5], law.with_values(shifts.values))
    assert 0.1 < end["core_left"][0] < 1
    solution = end.built.tube.solution
    return math.log10(end.of(solution.activity("Cu+2")) / end.of(solution.activity("H+")) ** 2)


def test_dopant_and_heat_shift_the_solubility():
    # Saturation is approached to within the fade of the driving force.
    assert saturated() == pytest.approx(6.0, abs=1e-3)
    assert saturated(shift=-4.0, dopants={"iron": 0.1}) == pytest.approx(5.6, abs=1e-3)
    enthalpy = Catalogue().load("materials", "copper_oxide").dissolution.enthalpy.si
    assert van_t_hoff(enthalpy, 310.15) == pytest.approx(-0.4397, rel=1e-3)
    assert saturated("37 degC") == pytest.approx(6.0 + van_t_hoff(enthalpy, 310.15), abs=1e-3)


def test_heat_speeds_the_surface_up_by_arrhenius():
    law = of_material("copper_oxide", **SLOW, activation_energy=(40.0, "kJ/mol"))
    cold, warm = (surface_speed(start("copper_oxide", law, 5.0, t)) for t in ("25 degC", "37 degC"))
    assert warm / cold == pytest.approx(math.exp(-40e3 / GAS_CONSTANT * (1 / 310.15 - 1 / 298.15)), rel=1e-5)


def ceasing(name, material) -> float:
    """Return the ceasing pH at the sheet's own values."""
    network = Network("law")
    term = cease_ph(network, name, material.dissolution)
    symbols = ca.symvar(term.expression)
    return float(ca.Function("f", symbols, [term.expression])(*[network.parameters[s.name()].value for s in symbols]))


def test_acid_attack_ceases_where_it_equals_water():
    material = Catalogue().load("materials", "copper_oxide")
    law = of_material(
        "copper_oxide", acid_rate=(1e-4, "mol/m^2/s"), water_rate=(1e-9, "mol/m^2/s"), acid_order=(0.8, "1")
    )
    assert ceasing("copper_oxide", law.apply("materials", "copper_oxide", material)) == pytest.approx(
        5 / 0.8, rel=1e-12
    )
    shifted = of_material(
        "calcium_peroxide",
        acid_rate=(1e-6, "mol/m^2/s"),
        water_rate=(1e-8, "mol/m^2/s"),
        acid_order=(1.0, "1"),
        acid_reference_ph=(6.0, "1"),
    )
    peroxide = Catalogue().load("materials", "calcium_peroxide")
    assert ceasing("calcium_peroxide", shifted.apply("materials", "calcium_peroxide", peroxide)) == pytest.approx(
        8.0, rel=1e-12
    )
    for never in ({"water_rate": (0.0, "mol/m^2/s")}, {"water_rate": (1e-30, "mol/m^2/s")}):
        never_ends = of_material("copper_oxide", **never).apply("materials", "copper_oxide", material)
        assert ceasing("copper_oxide", never_ends) == 10.0


def test_buffer_gives_protons_only_down_to_where_attack_ceases():
    """Above the ceasing pH a buffer's bound protons are no supply; below, its supply is that of its pK."""
    law = {
        "acid_rate": (1e6, "mol/m^2/s"),
        "water_rate": (1e-6, "mol/m^2/s"),
        "acid_order": (2.0, "1"),
        "acid_reference_ph": (0.0, "1"),
        "log_k": (60.0, "1"),
        "saturation_ph": (-9.0, "1"),
    }
    acetic = Catalogue().load("solutes", "acetate")
    pk, radius = acetic.species[0].log_k.si, 2e-9
    kept = 1 / (1 + 10 ** (6.0 - pk))
    for ph in (4.0, 5.5):
        run = start("calcium_peroxide", of_material("calcium_peroxide", **law), ph)
        assert ceasing("calcium_peroxide", run.built.tube.cohorts[0].material) == pytest.approx(6.0)
        solution = run.built.tube.solution
        acid, base = run.of(solution.free(acetic.species[0].name), 0), run.of(solution.free(acetic.master), 0)
        supply = (acid - (acid + base) * kept) * acetic.diffusivity.si
        supply += run.of(solution.free("H+"), 0) * Catalogue().water().proton_diffusivity.si
        limit, kinetic = supply / (2 * radius), 1e6 * 10 ** (-2 * ph)
        assert surface_speed(run) == pytest.approx(1 / (1 / limit + 1 / kinetic) + 1e-6, rel=1e-6)
