"""Speciation and precipitation as plain functions: closed forms, limits, and what wrong input is told."""

import warnings

import numpy as np
import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError, UnitError
from nanotrial.medium import ActivityRangeWarning, ChargeImbalanceWarning, precipitate, saturation_index, speciate
from nanotrial.medium.constants import debye_size, debye_slope
from nanotrial.medium.formulas import components_of
from nanotrial.medium.vessel import closed_vessel
from nanotrial.solve.compiled import compile_network
from nanotrial.units import registry

BALANCED = {"NaCl": "140 mmol/L", "CaCl2": "2.5 mmol/L", "NaHCO3": "4 mmol/L", "Na2HPO4": "1 mmol/L"}
Quantity = registry().Quantity


def number(quantity, unit="mol/L"):
    return quantity.to(unit).magnitude


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("CaCl2", {"calcium": 1, "chloride": 2}),
        ("CaCl2·2H2O", {"calcium": 1, "chloride": 2}),
        ("Ca5(PO4)3OH", {"calcium": 5, "phosphate": 3}),
        ("Mg3(PO4)2", {"magnesium": 3, "phosphate": 2}),
        ("K2HPO4", {"potassium": 2, "phosphate": 1}),
        ("HPO4", {"phosphate": 1}),
        ("HPO4-2", {"phosphate": 1}),
        ("HCO3-", {"carbonate": 1}),
        ("NaHCO3", {"sodium": 1, "carbonate": 1}),
        ("C", {"carbonate": 1}),
        ("S", {"sulphate": 1}),
        ("Fe+2", {"iron_2": 1}),
        ("Fe(3)", {"iron_3": 1}),
        ("FeSO4", {"iron_2": 1, "sulphate": 1}),
        ("FeCl3", {"iron_3": 1, "chloride": 3}),
        ("Na4P2O7", {"sodium": 4, "pyrophosphate": 1}),
        ("calcium", {"calcium": 1}),
        ("Citrate", {"citrate": 1}),
    ],
)
def test_a_formula_is_read_as_components(key, parts):
    assert components_of(key, Catalogue().solutes()) == parts


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("Fe", "Fe(2)"),
        ("calcum", "calcium"),
        ("H2O", "hydrogen"),
        ("CaF2", "formula"),
        ("CH4", "formula"),
        ("Fe3O4", "Fe(2)"),
    ],
)
def test_a_key_that_is_no_solute_is_told_so(key, hint):
    with pytest.raises(InputError) as told:
        speciate({key: "1 mmol/L"}, 7.0, "25 degC")
    assert hint in str(told.value)
    assert key in str(told.value)


def test_wrong_numbers_are_refused():
    with pytest.raises(UnitError, match=r"totals\.Ca.*2\.5"):
        speciate({"Ca": 2.5}, 7.4, "37 degC")
    with pytest.raises(UnitError, match="37"):
        speciate({"Ca": "2.5 mmol/L"}, 7.4, 37)
    with pytest.raises(InputError, match="negative"):
        speciate({"Ca": "-1 mmol/L"}, 7.4, "37 degC")
    with pytest.raises(InputError, match="negative"):
        speciate({"Ca": Quantity(np.array([1.0, -1e-9]), "mmol/L")}, 7.4, "37 degC")
    with pytest.raises(InputError, match="finite"):
        speciate({"Ca": Quantity(np.nan, "mmol/L")}, 7.4, "37 degC")
    with pytest.raises(InputError, match="ph"):
        speciate({"Ca": "1 mmol/L"}, 74, "37 degC")
    with pytest.raises(InputError, match="davies"):
        speciate({"Ca": "1 mmol/L"}, 7.4, "37 degC", activity="daves")
    with pytest.raises(InputError, match="co2"):
        speciate({"Ca": "1 mmol/L"}, 7.4, "37 degC", co2="140 %")


def test_an_unknown_phase_is_told_the_nearest():
    with pytest.raises(CatalogueError, match="hydroxyapatite"):
        saturation_index("hydroxyapatit", BALANCED, 7.4, "37 degC")
    with pytest.raises(CatalogueError, match="calcite"):
        precipitate(BALANCED, 7.4, "37 degC", "equilibrium", phases=["calcit"])
    with pytest.raises(InputError, match=r"Ca\+2"):
        speciate(BALANCED, 7.4, "37 degC")["Ca+3"]


@pytest.mark.parametrize("volume", ["0 L", "-1 mL"])
def test_solids_need_a_volume(volume):
    with pytest.raises(InputError, match="volume"):
        precipitate(BALANCED, 7.4, "37 degC", "equilibrium", volume=volume)


def test_seeds_of_a_run_in_time_need_an_area():
    with pytest.raises(InputError, match="area"):
        precipitate(BALANCED, 7.4, "37 degC", "1 h", {"calcite": "1 g/L"})


def test_an_open_charge_is_closed_and_said():
    with pytest.warns(ChargeImbalanceWarning, match=r"10 mmol/L of an indifferent cation"):
        found = speciate({"Cl": "10 mmol/L"}, 7.0, "25 degC")
    assert number(found.closing_charge) == pytest.approx(0.01, rel=1e-4)
    assert number(found.ionic_strength) == pytest.approx(0.01, rel=1e-4)


def test_a_solution_beyond_the_law_is_warned_of_by_name():
    with pytest.warns(ActivityRangeWarning, match=r"davies: ionic strength 0\.8"):
        speciate({"NaCl": "800 mmol/L"}, None, "25 degC")
    with pytest.warns(ActivityRangeWarning, match=r"extended_debye_hueckel: ionic strength 0\.2"):
        speciate({"NaCl": "200 mmol/L"}, None, "25 degC", activity="extended_debye_hueckel")
    with pytest.warns(ActivityRangeWarning, match="temperature 120"):
        speciate({"NaCl": "1 mmol/L"}, None, "120 degC")


@pytest.mark.parametrize("law", ["davies", "extended_debye_hueckel"])
def test_activity_coefficients_follow_the_law(law):
    found = speciate({"CaCl2": "20 mmol/L"}, None, "25 degC", activity=law)
    root = np.sqrt(number(found.ionic_strength))
    slope, sheet = debye_slope(298.15), Catalogue().load("solutes", "calcium")
    by_hand = {
        "davies": -slope * 4 * (root / (1 + root) - 0.3 * root**2),
        "extended_debye_hueckel": -slope * 4 * root / (1 + debye_size(298.15) * sheet.ion_size.si * root),
    }
    assert np.log10(found.gammas["Ca+2"]) == pytest.approx(by_hand[law], rel=1e-12)
    assert found.activities["Ca+2"] == pytest.approx(found.gammas["Ca+2"] * number(found["Ca+2"]), rel=1e-12)


def test_b_of_the_extended_law_follows_from_constants():
    """B^2 = 2 N_A e^2 (1000/m^3) / (eps_0 eps k T), with the permittivity 78.3 of water at 25 degC."""
    thermal = 8.8541878e-12 * 78.3 * 1.380649e-23 * 298.15
    assert debye_size(298.15) == pytest.approx(np.sqrt(2 * 6.02214076e26 * 1.602176634e-19**2 / thermal), rel=1e-3)


@pytest.mark.parametrize("molar", [1e-4, 1e-2, 0.1])
def test_strong_acid_and_base(molar):
    acid = speciate({"HCl": f"{molar} mol/L"}, None, "25 degC")
    assert acid.activities["H+"] == pytest.approx((molar + number(acid["OH-"])) * acid.gammas["H+"], rel=1e-9)
    base = speciate({"NaOH": f"{molar} mol/L"}, None, "25 degC")
    assert number(base["OH-"]) == pytest.approx(number(base["Na+"]) + number(base["H+"]), rel=1e-9)


def test_a_held_strength_is_held():
    found = speciate(BALANCED, 7.4, "37 degC", "0.2 mol/L")
    assert number(found.ionic_strength) == 0.2


@pytest.mark.filterwarnings("ignore:the listed ions leave")
def test_carbon_dioxide_follows_henry_and_sets_the_carbonate():
    closed = speciate({"NaHCO3": "24 mmol/L"}, 7.4, "37 degC", co2="40 mmHg")
    assert number(closed.pco2, "mmHg") == pytest.approx(40, rel=1e-9)
    share = speciate({"NaCl": "24 mmol/L"}, 7.4, "37 degC", co2="5 %")
    same = speciate({"NaCl": "24 mmol/L"}, 7.4, "37 degC", co2=Quantity(0.05, "atm"))
    assert number(share.totals["carbonate"]) == pytest.approx(number(same.totals["carbonate"]), rel=1e-12)
    again = speciate({"NaCl": "24 mmol/L", "C": share.totals["carbonate"]}, 7.4, "37 degC")
    assert number(again.pco2, "atm") == pytest.approx(0.05, rel=1e-9)


def test_blood_like_bicarbonate_under_carbon_dioxide_has_the_ph_of_blood():
    """24 mmol/L of strong cation in excess under 40 mmHg: Henderson-Hasselbalch with pK' 6.1 gives 7.4."""
    found = speciate({"NaCl": "126 mmol/L", "NaHCO3": "24 mmol/L"}, None, "37 degC", co2="40 mmHg")
    assert found.ph == pytest.approx(7.40, abs=0.05)


def test_absent_ions_leave_no_saturation():
    assert saturation_index("HAP", {"CaCl2": "1 mmol/L"}, None, "37 degC") == -np.inf
    nothing = {"CaCl2": "1 mmol/L", "P": Quantity(np.array([0.0, 1.0]), "mmol/L")}
    with pytest.warns(ChargeImbalanceWarning):
        index = saturation_index("HAP", nothing, 7.0, "37 degC")
    assert index[0] == -np.inf
    assert np.isfinite(index[1])


def test_the_network_and_the_function_agree():
    amounts = {"calcium": 2.5, "phosphate": 1.0, "carbonate": 4.0, "citrate": 0.5}
    vessel = closed_vessel(amounts, ph=7.0, strong_charge=3.0, temperature=310.15)
    vessel.network.observe("free", vessel.solution.free("Ca+2"), "mol/L")
    compiled = compile_network(vessel.network)
    parameters = compiled.parameters()
    start = np.asarray(compiled.initial(parameters).full()).ravel()
    unknowns = compiled.solve_equilibria(start, parameters, compiled.guesses)
    seen = compiled.observe(0.0, np.concatenate([start / compiled.scales, unknowns]), parameters)
    there = dict(zip(compiled.observable_names, np.asarray(seen.full()).ravel(), strict=True))
    totals = {c: f"{n} mmol/L" for c, n in amounts.items()} | {"Na": "3 mmol/L"}
    found = speciate(totals, there["ph"], "37 degC")
    # Sodium is a component here and pairs a little; in the network it is an indifferent charge.
    assert number(found["Ca+2"]) == pytest.approx(there["free"] * 1e-3, rel=2e-2)
    assert abs(number(found.closing_charge)) < 2e-5


def test_shapes_broadcast_and_one_equals_many():
    calcium = Quantity(np.linspace(0.5, 5, 12).reshape(3, 4), "mmol/L")
    totals = {"NaCl": "140 mmol/L", "CaCl2": calcium, "Na2HPO4": "1 mmol/L"}
    found = speciate(totals, np.array([6.5, 7.0, 7.4, 8.0]), "37 degC")
    assert found["Ca+2"].shape == found.saturation_index("HAP").shape == (3, 4)
    one = speciate(totals | {"CaCl2": calcium[1, 2]}, 7.4, "37 degC")
    assert isinstance(one.saturation_index("HAP"), float)
    assert found.saturation_index("HAP")[1, 2] == pytest.approx(one.saturation_index("HAP"), abs=1e-10)


@pytest.mark.parametrize("ph", [7.2, None])
@pytest.mark.parametrize("law", ["davies", "extended_debye_hueckel"])
@pytest.mark.filterwarnings("ignore:extended_debye_hueckel")
@pytest.mark.filterwarnings("ignore:the listed ions leave")
def test_the_compiled_method_gives_what_the_convex_one_gives(ph, law):
    """More than fifty solutions are compiled; ten of them at a time are not."""
    generator = np.random.default_rng(3)
    keys = ["NaCl", "CaCl2", "Na2HPO4", "NaHCO3", "MgSO4", "citrate", "FeCl3", "NaOH", "KCl"]
    amounts = {k: np.exp(generator.uniform(np.log(1e-3), np.log(20), 60)) for k in keys}
    amounts["MgSO4"][:7] = 0.0
    degrees = Quantity(generator.uniform(278, 313, 60), "K")
    many = speciate({k: Quantity(a, "mmol/L") for k, a in amounts.items()}, ph, degrees, activity=law)
    assert many.converged.all()
    few = speciate({k: Quantity(a[:10], "mmol/L") for k, a in amounts.items()}, ph, degrees[:10], activity=law)
    assert many.molar[:10] == pytest.approx(few.molar, rel=1e-9, abs=1e-30)
    assert many.ph[:10] == pytest.approx(few.ph, abs=1e-10)


def test_brushite_alone_ends_on_its_solubility_with_everything_accounted_for():
    found = precipitate(
        {"CaCl2": "10 mmol/L", "Na2HPO4": "6 mmol/L"},
        None,
        "37 degC",
        "equilibrium",
        phases=["brushite"],
        volume="0.2 L",
    )
    assert found.indices["brushite"] == pytest.approx(0.0, abs=1e-10)
    solid = number(found.solids["brushite"])
    assert solid > 1e-3
    assert number(found.dissolved["Ca"]) + solid == pytest.approx(0.01, rel=1e-9)
    assert number(found.dissolved["P"]) + solid == pytest.approx(0.006, rel=1e-9)
    assert abs(number(found.solution.closing_charge)) < 1e-12
    assert number(found.amounts["brushite"], "mol") == pytest.approx(0.2 * solid, rel=1e-12)
    assert number(found.titrant) == 0.0


def test_a_seed_that_is_soluble_goes_and_one_that_is_not_stays():
    gone = precipitate(
        {"NaCl": "0.1 mol/L"}, 5.0, "25 degC", "equilibrium", {"calcite": "1 mmol/L"}, phases=["calcite"]
    )
    assert number(gone.solids["calcite"]) == 0.0
    assert number(gone.dissolved["Ca"]) == pytest.approx(1e-3, rel=1e-9)
    # CaCO3 takes two protons less what the carbonate keeps as bicarbonate.
    kept = number(gone.solution["HCO3-"]) + number(gone.solution["CO2"]) * 2
    assert number(gone.titrant) == pytest.approx(kept, rel=0.02)
    stays = precipitate({"NaCl": "0.1 mol/L"}, None, "25 degC", "equilibrium", {"HAP": "1 g/L"})
    left = number(stays.solids["hydroxyapatite"]) + number(stays.dissolved["P"]) / 3
    assert left == pytest.approx(1 / 502.3, rel=1e-3)
    assert number(stays.dissolved["Ca"]) / number(stays.dissolved["P"]) == pytest.approx(5 / 3, rel=1e-9)


def test_lime_that_dissolves_at_a_held_ph_takes_two_protons_a_formula():
    found = precipitate({"NaCl": "0.1 mol/L"}, 7.0, "25 degC", "equilibrium", {"portlandite": "1 mmol/L"})
    assert number(found.solids["portlandite"]) == 0.0
    assert number(found.titrant) == pytest.approx(2e-3, rel=1e-4)


def test_apatite_takes_base_where_the_ph_is_held_and_acidifies_where_not():
    held = precipitate(BALANCED, 7.4, "37 degC", "equilibrium", phases=["hydroxyapatite"])
    free = precipitate(BALANCED, None, "37 degC", "equilibrium", phases=["hydroxyapatite"])
    per_formula = -number(held.titrant) / number(held.solids["hydroxyapatite"])
    assert 1.5 < per_formula < 5
    assert free.ph < speciate(BALANCED, None, "37 degC").ph - 0.2


def test_the_least_soluble_of_three_carbonates_is_what_stays():
    found = precipitate(
        {"CaCl2": "5 mmol/L", "Na2CO3": "5 mmol/L"}, None, "25 degC", "equilibrium", {"vaterite": "1 mmol/L"}
    )
    standing = {p for p, n in found.solids.items() if number(n) > 0}
    assert standing == {"calcite"}
    assert (
        found.indices["vaterite"] < found.indices["aragonite"] < found.indices["calcite"] == pytest.approx(0, abs=1e-9)
    )


def test_a_run_in_time_keeps_every_mole_and_goes_the_way_of_equilibrium():
    totals, seeds = {"CaCl2": "10 mmol/L", "Na2HPO4": "6 mmol/L"}, {"hydroxyapatite": ("1 g/L", "50 m^2/g")}
    found = precipitate(totals, None, "37 degC", "2 h", seeds, phases=["hydroxyapatite"])
    seeded = 1 / 502.31
    solid = number(found.solids["hydroxyapatite"])
    assert solid > 1.2 * seeded
    assert number(found.dissolved["Ca"]) + 5 * (solid - seeded) == pytest.approx(0.01, rel=1e-4)
    assert found.course.times_s[-1] == pytest.approx(7200)
    last = precipitate(totals, None, "37 degC", "equilibrium", {"HAP": "1 g/L"}, phases=["HAP"])
    assert -1e-6 < found.indices["hydroxyapatite"] < speciate(totals, None, "37 degC").saturation_index("HAP")
    assert number(last.solids["hydroxyapatite"]) >= solid * (1 - 1e-6)


def test_nothing_warns_of_a_balanced_solution():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert speciate(BALANCED, None, "37 degC").converged
