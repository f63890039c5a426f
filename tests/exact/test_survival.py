"""Survival after a dose: limits of protraction, split doses, the straight end, oxygen, ratios, counts of colonies."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

import nanotrial.cell as cell
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.clonogenic import correct_multiplicity, fit_survival, plate, read_colonies
from nanotrial.cell.dose_response import survival
from nanotrial.cell.enhancement_ratio import compare_sensitivity, find_dose, find_mean_dose
from nanotrial.cell.linear_quadratic import Sensitivity, dose_at, mean_inactivation_dose, read_sensitivity
from nanotrial.cell.oxygen import equivalent_pressure, oxygen_enhancement, scale_constant, scale_sensitivity
from nanotrial.cell.schedules import Schedule, decaying_factor, pulse_factor, read_schedule
from nanotrial.errors import CatalogueError, InputError, UnitError
from nanotrial.units import registry

approx = pytest.approx
CELLS = {"alpha": "0.2 1/Gy", "beta": "0.03 1/Gy^2", "repair_half_time": "0.7 h", "oxygen": "150 mmHg"}
doses = st.floats(0.01, 20.0)
slopes = st.floats(0.01, 1.0)
curves = st.floats(0.001, 0.1)


def gray(values):
    return registry().Quantity(np.asarray(values, dtype=float), "Gy")


# Oxygen


@pytest.mark.parametrize(("pressure", "ratio"), [(0, 1), (1, 1.5), (3, 2), (9, 2.5), (6, 7 / 3)])
def test_oxygen_curve_at_simple_points(pressure, ratio):
    assert oxygen_enhancement(f"{pressure} mmHg") == approx(ratio, rel=1e-14)


def test_oxygen_keeps_shapes_and_units():
    pressures = registry().Quantity(np.array([[0.0, 0.4], [1.2, 20.0]]), "kPa")
    found = oxygen_enhancement(pressures)
    assert found.shape == (2, 2)
    assert found[0, 1] == approx(oxygen_enhancement("0.4 kPa"), rel=1e-14)
    assert oxygen_enhancement(["0 mmHg", "3 mmHg"]).tolist() == [1.0, 2.0]
    assert oxygen_enhancement("1 %") == approx(oxygen_enhancement("7.13 mmHg"), rel=1e-12)
    assert oxygen_enhancement("7600 mmHg") == approx(3.0, abs=1e-3)


def test_wrong_oxygen():
    with pytest.raises(InputError, match="pressure"):
        oxygen_enhancement("-1 mmHg")
    with pytest.raises(UnitError):
        oxygen_enhancement(3.0)
    with pytest.raises(UnitError):
        oxygen_enhancement("3 mol/L")
    with pytest.raises(InputError, match="maximum"):
        oxygen_enhancement("3 mmHg", maximum=0.5)
    with pytest.raises(InputError, match="constant"):
        oxygen_enhancement("3 mmHg", constant="0 mmHg")
    with pytest.raises(InputError, match="oxygen"):
        survival(CELLS, "2 Gy", oxygen="-0.1 mmHg")


def test_half_the_thiols_halve_the_constant():
    assert scale_constant("2.5 mmol/L", "3 mmHg", "5 mmol/L").to("mmHg").magnitude == approx(1.5, rel=1e-14)
    assert scale_constant("0 mmol/L", "3 mmHg", "5 mmol/L").magnitude == 0.0


@given(st.floats(0.0, 200.0), st.floats(1.5, 4.0))
def test_equal_ratios_of_wenzl_are_the_dose_modifying_form(pressure, maximum):
    first, second = scale_sensitivity(f"{pressure} mmHg", 1 / maximum, 1 / maximum)
    modified = oxygen_enhancement(f"{pressure} mmHg", maximum) / maximum
    assert first == approx(modified, rel=1e-12)
    assert second == approx(modified**2, rel=1e-12)


def test_without_oxygen_wenzl_has_its_ratios():
    assert scale_sensitivity("0 mmHg", 0.4, 0.5) == approx((0.4, 0.25))


def test_hypoxic_survival_is_that_of_a_smaller_dose():
    sheet = Catalogue().load("damage_and_repair", "mammalian")
    m, half = sheet.oxygen_maximum.si, sheet.oxygen_constant.value
    reference = (m * 150.0 + half) / (150.0 + half)
    assert survival(CELLS, "6 Gy", oxygen="0 mmHg") == approx(survival(CELLS, f"{6.0 / reference!r} Gy"), rel=1e-12)
    assert survival(CELLS, "6 Gy", oxygen="150 mmHg") == approx(survival(CELLS, "6 Gy"), rel=1e-14)


def test_thiols_protect_and_sensitisers_count_as_oxygen():
    hypoxic = survival(CELLS, "6 Gy", oxygen="3 mmHg")
    assert survival(CELLS, "6 Gy", oxygen="3 mmHg", thiol="40 mmol/L") > hypoxic
    assert survival(CELLS, "6 Gy", oxygen="3 mmHg", thiol="0.1 mmol/L") < hypoxic
    name = Catalogue().ids("sensitisers")[0]
    sheet = Catalogue().load("sensitisers", name)
    worth = float(equivalent_pressure("3 mmHg", {name: "2 mmol/L"}))
    per = sheet.oxygen_equivalence.si / registry().Quantity(1, "mmHg").to("Pa").magnitude
    assert worth == approx(3.0 + 2.0 * per, rel=1e-12)
    treated = survival(CELLS, "6 Gy", oxygen="3 mmHg", sensitisers={name: "2 mmol/L"})
    assert treated == approx(survival(CELLS, "6 Gy", oxygen=f"{worth!r} mmHg"), rel=1e-12)
    assert treated < hypoxic
    with pytest.raises(CatalogueError, match="sensitiser"):
        equivalent_pressure("3 mmHg", {"unobtainium": "1 mmol/L"})


# The law


@given(doses, slopes, curves)
def test_linear_quadratic(dose, alpha, beta):
    cells = Sensitivity(alpha, beta)
    assert survival(cells, f"{dose} Gy") == approx(math.exp(-alpha * dose - beta * dose**2), rel=1e-12)


@given(slopes, curves, st.floats(1.0, 10.0))
def test_straight_end_has_the_value_and_slope_of_the_bend(alpha, beta, bend):
    cells = Sensitivity(alpha, beta, threshold_dose=bend)
    step = 1e-5
    at, before, after = (float(cells.lethal(bend + d)) for d in (0.0, -step, step))
    assert at == approx(alpha * bend + beta * bend**2, rel=1e-14)
    assert (after - at) / step == approx(alpha + 2 * beta * bend, rel=1e-6)
    assert (at - before) / step == approx((after - at) / step, rel=1e-3)
    far = [float(cells.lethal(bend * f)) for f in (2, 3, 4)]
    assert far[2] - far[1] == approx(far[1] - far[0], rel=1e-12)


def test_zero_dose_kills_nobody_and_shapes_stay():
    found = survival(CELLS, gray([[0.0, 1.0], [2.0, 3.0]]))
    assert found.shape == (2, 2)
    assert found[0, 0] == 1.0
    assert np.all(np.diff(found.ravel()) < 0)
    assert isinstance(survival(CELLS, "1 Gy"), float)


# Schedules


def test_protraction_limits():
    assert float(pulse_factor(np.array(0.0))) == 1.0
    assert float(pulse_factor(np.array(1e6))) == approx(2e-6, rel=1e-5)
    assert float(pulse_factor(np.array(1.0))) == approx(2 * math.exp(-1), rel=1e-14)
    assert survival(CELLS, "4 Gy", schedule="1e6 Gy/min") == approx(survival(CELLS, "4 Gy"), rel=1e-6)
    assert survival(CELLS, "4 Gy", schedule="over 10000 d") == approx(math.exp(-0.8), rel=1e-5)


@given(st.floats(2e-4, 5e-3))
def test_series_and_closed_form_meet(x):
    exact = 2 * (x - 1 + math.exp(-x)) / x**2
    assert float(pulse_factor(np.array(x))) == approx(exact, rel=1e-7)


def brute_protraction(rate, repair, edges):
    """Return G by following dose, memory and pairs in time; ``rate(t, piece)`` is smooth between the edges."""
    state = [0.0, 0.0, 0.0]
    for i, span in enumerate(pairwise(edges)):

        def slope(t, y, piece=i):
            now = rate(t, piece)
            return [now - repair * y[0], 2.0 * now * y[0], now]

        state = integrate.solve_ivp(slope, span, state, rtol=1e-10, atol=1e-13).y[:, -1]
    return state[1] / state[2] ** 2


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 4), st.floats(0.1, 1.5), st.floats(0.2, 3.0), st.floats(0.2, 2.0))
def test_train_of_pulses_is_the_integral(count, length, gap, half):
    plan = Schedule(fractions=count, interval=length + gap, duration=length)
    starts = [i * (length + gap) for i in range(count)]
    edges = [e for s in starts for e in (s, s + length)]
    brute = brute_protraction(lambda t, piece: float(piece % 2 == 0), math.log(2) / half, edges)
    assert float(plan.protraction(np.array(1.0), half)) == approx(brute, rel=1e-7)


@pytest.mark.parametrize(("decay", "repair"), [(0.3, 1.0), (1.0, 1.0), (1.0, 1.0 + 1e-9), (2.0, 0.4)])
def test_decaying_source_is_the_integral(decay, repair):
    brute = brute_protraction(lambda t, piece: math.exp(-decay * t), repair, [0.0, 5.0])
    assert float(decaying_factor(decay, np.array(repair), 5.0)) == approx(brute, rel=1e-5)
    assert float(decaying_factor(decay, np.array(repair), 200.0)) == approx(decay / (decay + repair), rel=1e-5)
    assert float(decaying_factor(decay, np.array(repair), math.inf)) == approx(decay / (decay + repair), rel=1e-14)


def test_split_dose():
    together, apart = survival(CELLS, "8 Gy"), survival(CELLS, "8 Gy", schedule="2 fractions every 1000 h")
    assert apart == approx(survival(CELLS, "4 Gy") ** 2, rel=1e-12)
    between = survival(CELLS, "8 Gy", schedule="2 fractions every 0.7 h")
    # After one half-time of repair half of the gain is there.
    assert math.log(between) == approx(0.5 * (math.log(together) + math.log(apart)), rel=1e-12)
    assert survival(CELLS, "8 Gy", schedule="2 x 4 Gy every 1000 h") == approx(apart, rel=1e-14)


def test_fractions_beyond_the_threshold_multiply_when_apart():
    cells = Sensitivity(0.2, 0.03, threshold_dose=3.0, repair_half_time=0.5)
    assert survival(cells, "20 Gy", schedule="2 fractions every 900 h") == approx(survival(cells, "10 Gy") ** 2)


@pytest.mark.parametrize(
    "raw",
    [
        "0 Gy/min", "0 Gy/min ", "5 x 2 Gy every 24 h at 0 Gy/min", "-1 Gy/min", "over 0 h", "half-life 0 d",
        "2.5 x 2 Gy every 24 h", "0 fractions every 24 h", "5 x 2 Gy", "5 fractions every 0 h", "quickly", "",
        "5 x 0 Gy every 24 h",
    ],
)  # fmt: skip
def test_wrong_schedules(raw):
    with pytest.raises(InputError):
        survival(CELLS, "2 Gy", schedule=raw)


def test_schedules_that_do_not_fit_the_dose():
    with pytest.raises(InputError, match="10 Gy of the schedule"):
        survival(CELLS, "2 Gy", schedule="5 x 2 Gy every 24 h")
    with pytest.raises(InputError, match="end before the next"):
        survival(CELLS, "600 Gy", schedule="5 fractions every 1 h at 1 Gy/min")
    with pytest.raises(InputError, match="half-time"):
        survival({"alpha": "0.2 1/Gy", "beta": "0.03 1/Gy^2"}, "2 Gy", schedule="1 Gy/min")


def test_forms_of_schedules():
    assert read_schedule("2 Gy/min") == read_schedule("at 2 Gy/min") == Schedule(dose_rate=approx(120.0))
    assert read_schedule(registry().Quantity(2, "Gy/min")).dose_rate == approx(120.0)
    full = read_schedule("5 x 2 Gy every 24 h at 1 Gy/min")
    assert (full.fractions, full.total, full.interval) == (5, approx(10.0), approx(24.0))
    assert read_schedule("half-life 6 d for 48 h") == Schedule(half_life=approx(144.0), duration=approx(48.0))
    assert read_schedule(None) == read_schedule("acute") == Schedule()


# Cells


def test_lines_of_the_catalogue_and_what_is_wrong_with_them():
    sheet = Catalogue().load("radiosensitivity", "hela")
    alone = math.exp(-2 * sheet.alpha.si - 4 * sheet.beta.si)
    assert survival("hela", "2 Gy") == approx(alone, rel=1e-12) == survival("HeLa", "2 Gy")
    with pytest.raises(CatalogueError, match="hela"):
        survival("hella", "2 Gy")
    with pytest.raises(InputError, match="alpha"):
        survival({"alfa": "0.2 1/Gy", "beta": "0.02 1/Gy^2"}, "2 Gy")
    with pytest.raises(InputError, match="beta"):
        survival({"alpha": "0.2 1/Gy"}, "2 Gy")
    with pytest.raises(UnitError):
        survival({"alpha": "0.2 Gy", "beta": "0.02 1/Gy^2"}, "2 Gy")
    with pytest.raises(InputError):
        survival({"alpha": "-0.2 1/Gy", "beta": "0.02 1/Gy^2"}, "2 Gy")
    with pytest.raises(InputError, match="absorbed_dose"):
        survival("hela", "-2 Gy")
    with pytest.raises(UnitError):
        survival("hela", 2.0)
    with pytest.raises(InputError, match="cells"):
        survival(7, "2 Gy")


def test_phases_are_weighted():
    sheet = Catalogue().load("damage_and_repair", "mammalian")
    parts = []
    for phase in ("g1", "s", "g2m"):
        a, b = 0.2 * sheet.phase_alpha[phase].si, 0.03 * sheet.phase_beta[phase].si
        parts.append(math.exp(-3 * a - 9 * b))
        assert survival(CELLS, "3 Gy", phases={phase: 1.0}) == approx(parts[-1], rel=1e-12)
    mixed = survival(CELLS, "3 Gy", phases={"g1": 0.5, "s": 0.3, "g2m": 0.2})
    assert mixed == approx(np.dot(parts, [0.5, 0.3, 0.2]), rel=1e-12)
    for wrong in ({"g1": 0.5}, {"g3": 1.0}, {"g1": 1.5, "s": -0.5}, "synchronous"):
        with pytest.raises(InputError, match="phases"):
            survival(CELLS, "3 Gy", phases=wrong)
    # An asynchronous culture made of its phases survives a small dose as the measured one, within the assumed spreads.
    assert survival("hela", "0.5 Gy", phases="asynchronous") == approx(survival("hela", "0.5 Gy"), rel=0.1)


def test_draws_come_from_the_seed_and_surround_the_middle():
    dose = gray([1.0, 2.0, 4.0])
    first, again = (survival("hela", dose, draws=400, seed=3) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, survival("hela", dose, draws=400, seed=4))
    assert first.dims == ("draw", "absorbed_dose")
    assert first.attrs["units"] == "1"
    low, high = first.quantile([0.1, 0.9], "draw").values
    middle = survival("hela", dose)
    assert np.all((low < middle) & (middle < high))
    protracted = survival("hela", dose, schedule="over 5 h", draws=400, seed=3)
    assert np.all(protracted.values >= first.values)
    with pytest.raises(InputError, match="seed"):
        survival("hela", dose, draws=3)
    with pytest.raises(InputError, match="draws"):
        survival(CELLS, dose, draws=3, seed=1)


# Ratios


@given(slopes, curves, st.sampled_from([math.inf, 2.0, 6.0]), st.floats(1e-6, 0.99))
def test_dose_at_survival_inverts_the_law(alpha, beta, bend, level):
    cells = Sensitivity(alpha, beta, threshold_dose=bend)
    assert float(cells.survive(dose_at(level, cells))) == approx(level, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(slopes, st.one_of(st.just(0.0), curves), st.sampled_from([math.inf, 0.0, 2.0, 6.0]))
def test_mean_inactivation_dose_is_the_area(alpha, beta, bend):
    cells = Sensitivity(alpha, beta, threshold_dose=bend)
    top = dose_at(1e-14, cells)
    middle = min(bend, top)
    area = sum(
        integrate.quad(lambda d: float(cells.survive(d)), a, b, epsabs=0, epsrel=1e-11, limit=200)[0]
        for a, b in ((0.0, middle), (middle, top))
        if b > a
    )
    assert mean_inactivation_dose(cells) == approx(area, rel=1e-7)


@given(st.floats(1.05, 3.0), slopes, curves)
def test_a_dose_ratio_is_found_again(factor, alpha, beta):
    control, treated = Sensitivity(alpha, beta), Sensitivity(alpha * factor, beta * factor**2)
    found = compare_sensitivity(control, treated, absorbed_dose="3 Gy")
    assert found.at_survival == approx(factor, rel=1e-9)
    assert found.mean_inactivation == approx(factor, rel=1e-9)
    expected = math.exp(3 * alpha * (factor - 1) + 9 * beta * (factor**2 - 1))
    assert found.at_dose == approx(expected, rel=1e-9)
    assert set(found.named()) == {
        "dose ratio at 10 % survival", "ratio of mean inactivation doses", "survival ratio at 3 Gy",
    }  # fmt: skip


def test_ratios_of_any_curve_agree_with_closed_forms():
    class Numeric:
        def __init__(self, cells):
            self.cells = cells

        def survive(self, dose):
            return self.cells.survive(dose)

    cells = Sensitivity(0.2, 0.03, threshold_dose=6.0)
    assert find_dose(Numeric(cells), 0.1) == approx(dose_at(0.1, cells), rel=1e-9)
    assert find_mean_dose(Numeric(cells)) == approx(mean_inactivation_dose(cells), rel=1e-6)
    same = compare_sensitivity(CELLS, read_sensitivity(CELLS))
    assert (same.at_survival, same.mean_inactivation, same.at_dose) == approx((1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="level"):
        compare_sensitivity(cells, cells, level=0.0)
    with pytest.raises(InputError, match="reached by"):
        find_dose(Numeric(Sensitivity(1e-6, 0.0)), 0.1)
    with pytest.raises(InputError, match="alpha and beta of zero"):
        dose_at(0.1, Sensitivity(0.0, 0.0))
    with pytest.raises(InputError, match="control"):
        compare_sensitivity(3.0, cells)


# Counts


def test_plating_noise_is_poisson():
    counts = plate([200.0, 2000.0], 0.5, [0.8, 0.01], dishes=4000, seed=1)
    assert counts.shape == (4000, 2)
    mean = np.array([80.0, 10.0])
    assert np.all(np.abs(counts.mean(axis=0) - mean) < 4 * np.sqrt(mean / 4000))
    assert counts.var(axis=0) == approx(mean, rel=0.1)
    assert np.array_equal(counts, plate([200.0, 2000.0], 0.5, [0.8, 0.01], dishes=4000, seed=1))


def test_interval_holds_as_often_as_it_says():
    true, inside = 0.02, 0
    colonies = plate(300.0, 0.5, true, dishes=1500, seed=2)
    controls = plate(200.0, 0.5, 1.0, dishes=1500, seed=3)
    for c, c0 in zip(colonies, controls, strict=True):
        found = read_colonies(c, 300.0, c0, 200.0)
        inside += found.low <= true <= found.high
    assert 0.945 < inside / 1500 <= 1.0


def test_no_colony_still_says_how_few():
    found = read_colonies(0, 1000, 100, 200)
    assert (found.fraction, found.low) == (0.0, 0.0)
    assert math.isinf(found.log_error)
    assert found.standard_error > 0
    # With a control that is known well the limit is that of a Poisson count of zero: -ln 0.025 = 3.69 colonies.
    sure = read_colonies(0, 1000, 1e6, 2e6)
    assert sure.high == approx(-math.log(0.025) / 500, rel=1e-3)
    usual = read_colonies(50, 1000, 100, 200)
    assert usual.fraction == approx(0.1)
    assert usual.standard_error == approx(0.1 * math.sqrt(1 / 50 + 1 / 100))
    assert usual.low < 0.1 < usual.high


@pytest.mark.parametrize("counts", [(1, 0, 1, 1), (-1, 1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0), (math.nan, 1, 1, 1)])
def test_wrong_counts(counts):
    with pytest.raises(InputError):
        read_colonies(*counts)


def test_wrong_plating():
    for wrong in ({"dishes": 0}, {"plating_efficiency": 0.0}, {"seeded": -1.0}, {"survival": 3.0}):
        given = {"seeded": 100.0, "plating_efficiency": 0.5, "survival": 1.0, "dishes": 1} | wrong
        with pytest.raises(InputError, match=next(iter(wrong))):
            plate(**given, seed=1)


@given(st.floats(0.001, 0.9), st.floats(1.0, 5.0))
def test_multiplicity(share, cells):
    assert correct_multiplicity(1 - (1 - share) ** cells, cells) == approx(share, rel=1e-9)
    assert correct_multiplicity(share, 1.0) == approx(share, rel=1e-12)


def test_fit_finds_the_law_again_and_stays_positive():
    d = gray([1.0, 2.0, 4.0, 6.0])
    found = fit_survival(d, survival(CELLS, d), np.ones(4))
    assert (found.alpha, found.beta) == approx((0.2, 0.03), rel=1e-9)
    bent_up = fit_survival(d, np.exp(-0.5 * np.sqrt(d.magnitude)), np.ones(4))
    assert bent_up.beta == 0.0
    with pytest.raises(InputError, match="fraction"):
        fit_survival(d, [1.0, 0.5, 0.1, 0.0], np.ones(4))


def test_public_names_are_functions_whatever_was_imported():
    for name in cell.__all__:
        assert callable(getattr(cell, name)), name
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = cell.nothing_of_the_kind
