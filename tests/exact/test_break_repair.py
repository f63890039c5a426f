"""Breaks and their repair, foci, comets, the cycle and fates: closed forms, integrals done another way, and limits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.added_lesions import add_lesions
from nanotrial.cell.break_repair import (
    Repair,
    cluster_constant,
    make_repair,
    misrepaired_by_pairs,
    pair_constant,
    read_repair,
    repair_breaks,
    survive_breaks,
    wrong_partner,
)
from nanotrial.cell.cell_cycle import exit_rates, flow_matrix, follow_cycle
from nanotrial.cell.comet import comet_tail
from nanotrial.cell.dose_response import survival
from nanotrial.cell.fates import fail_organelle, follow_fates, follow_oxidants, line_fates
from nanotrial.cell.foci import count_foci
from nanotrial.cell.linear_flow import follow, follow_pulse
from nanotrial.errors import CatalogueError, InputError, UnitError
from nanotrial.units import registry

approx = pytest.approx
REPAIR = Repair(
    breaks_per_dose=35.0, shares=(0.5663, 0.4337, 0.0), rates=(2.081, 0.2604, 0.008462),
    fidelities=(0.98537, 0.98537, 0.4393), spread=0.04187, skew=0.806, lethality=0.0943, apoptosis=0.01117,
    mitotic=0.0141, direct=0.000739,
)  # fmt: skip
SHEET = Catalogue().load("damage_and_repair", "mammalian")


def hours(values):
    return registry().Quantity(np.asarray(values, dtype=float), "h")


# Pairs


@pytest.mark.parametrize("spread", [0.01, 0.04187, 0.2, 1.0, 30.0])
def test_pair_constant_is_a_mean_over_points(spread):
    def density(r):
        return 3 * r**2 - 9 / 4 * r**3 + 3 / 16 * r**5

    assert integrate.quad(density, 0, 2)[0] == approx(1.0)
    mean = integrate.quad(lambda r: density(r) * math.exp(-(r**2) / (2 * spread**2)), 0, 2, points=[6 * spread])[0]
    assert pair_constant(spread) == approx(2 * mean, rel=1e-6)
    assert pair_constant(spread, 0.1) == approx(pair_constant(10 * spread), rel=1e-9)


def test_pair_constant_limits():
    points = np.random.default_rng(1).normal(size=(2, 400_000, 3))
    points *= (np.random.default_rng(2).random((2, 400_000)) ** (1 / 3) / np.linalg.norm(points, axis=2))[..., None]
    apart = np.linalg.norm(points[0] - points[1], axis=1)
    assert pair_constant(0.3) == approx(2 * np.exp(-(apart**2) / 0.18).mean(), rel=0.02)
    assert pair_constant(1e4) == approx(2.0, rel=1e-6), "wherever it is, another break has two ends"
    assert pair_constant(0.001) == approx(6 * math.sqrt(math.pi / 2) * 1e-9, rel=0.01)
    assert REPAIR.pair_constant == approx(6.5e-4, rel=0.08), "the coefficient of the published model"


@given(st.floats(0.0, 500.0), st.floats(0.0, 1.0), st.floats(1e-9, 0.1))
def test_misrepair_is_the_integral_of_its_chance(first, share, pair):
    last = first * share
    exact, _ = integrate.quad(lambda n: float(wrong_partner(n, pair)), last, first, epsabs=1e-13, epsrel=1e-11)
    assert float(misrepaired_by_pairs(first, last, pair)) == approx(exact, rel=1e-6, abs=1e-11)


def test_misrepair_limits():
    assert float(misrepaired_by_pairs(100.0, 100.0, 1e-3)) == 0.0
    assert float(misrepaired_by_pairs(100.0, 0.0, 0.0)) == 0.0
    assert float(misrepaired_by_pairs(100.0, 0.0, 1e6)) == approx(100.0, rel=1e-4)
    assert float(misrepaired_by_pairs(1.0, 0.0, 1e-4)) == approx(0.5e-4, rel=1e-6)


# Repair in time


def brute(repair, dose, length, end, pair):
    """Return breaks by route and those joined to wrong partners, from the equations themselves."""
    rates, shares = np.array(repair.rates), np.array(repair.shares)
    made = repair.breaks_per_dose * dose

    def slope(y, on):
        n = y[:3]
        return np.append(on * made / length * shares - rates * n, float(wrong_partner(n.sum(), pair)) * (rates @ n))

    y = np.zeros(4)
    for low, high, on in ((0.0, min(length, end), 1.0), (min(length, end), end, 0.0)):
        if high > low:
            y = integrate.solve_ivp(lambda _, y, s=on: slope(y, s), (low, high), y, rtol=1e-10, atol=1e-12).y[:, -1]
    return y


@pytest.mark.parametrize("end", [0.5, 2.0, 7.0, 60.0])
def test_repair_is_the_solution_of_its_equations(end):
    found = repair_breaks(REPAIR, "6 Gy", hours([end]), duration="2 h").isel(time=0)
    expected = brute(REPAIR, 6.0, 2.0, end, REPAIR.pair_constant)
    assert [float(found[r]) for r in ("fast", "slow", "very_slow")] == approx(expected[:3], rel=1e-6, abs=1e-9)
    made = 6.0 * 35.0 * min(end / 2.0, 1.0)
    joined = made * np.array(REPAIR.shares) - expected[:3]
    chance = expected[3] / joined.sum()
    keep = np.array(REPAIR.fidelities)
    assert float(found["misrepaired"]) == approx(float(joined @ (1 - keep + keep * chance)), rel=1e-6)


def test_a_short_exposure_is_an_acute_dose():
    late = hours([0.5, 3.0, 30.0])
    acute, short = (repair_breaks(REPAIR, "3 Gy", late, duration=d) for d in ("0 s", "0.01 s"))
    for name in ("breaks", "misrepaired", "lethal"):
        assert short[name].values == approx(acute[name].values, rel=1e-5)


def test_a_route_is_an_exponential():
    found = repair_breaks(REPAIR, "2 Gy", hours([0.0, 1.0, 5.0]))
    assert found["fast"].values == approx(70 * 0.5663 * np.exp(-2.081 * np.array([0, 1, 5])))
    assert found["slow"].values == approx(70 * 0.4337 * np.exp(-0.2604 * np.array([0, 1, 5])))
    assert float(found["misrepaired"][0]) == 0.0
    assert found.time.attrs["units"] == "h"


def test_low_dose_slope_is_failure_times_lethality():
    slope = 35.0 * (1 - 0.98537) * 0.0943
    assert REPAIR.low_dose_slope() == approx(slope, rel=1e-12)
    tiny = repair_breaks(REPAIR, "1e-6 Gy", hours([1e5]))
    assert float(tiny["lethal"][0]) / 1e-6 == approx(slope, rel=1e-4)
    # Pairs make the curve bend: lethal over dose rises with dose by eta N / 2.
    one, two = (float(repair_breaks(REPAIR, f"{d} Gy", hours([1e5]))["lethal"][0]) / d for d in (0.1, 0.2))
    expected = 35.0 * 0.0943 * 0.98537 * REPAIR.pair_constant * 35.0 / 2
    assert (two - one) / 0.1 == approx(expected, rel=1e-2)


def test_slow_irradiation_leaves_the_linear_term_alone():
    slow = repair_breaks(REPAIR, "4 Gy", hours([1e6]), duration="5e5 h")
    assert float(slow["lethal"][0]) == approx(4 * REPAIR.low_dose_slope(), rel=1e-3)


@pytest.mark.parametrize("dose", ["0.001 Gy", "1 Gy", "5 Gy"])
def test_clusters_raise_what_is_lethal_per_dose(dose):
    late = hours([1e5])
    lethal = [float(repair_breaks(REPAIR, dose, late, cluster=m)["lethal"][0]) for m in (0.0, 1.0, 3.0, 10.0)]
    assert np.all(np.diff(lethal) > 0)
    tighter = float(repair_breaks(REPAIR, dose, late, cluster=3.0, cluster_radius=0.05)["lethal"][0])
    assert tighter > lethal[2]


def test_slope_of_clusters_is_linear_at_low_dose():
    x = cluster_constant(REPAIR, 3.0, 0.1)
    chance = float(misrepaired_by_pairs(1.0, 0.0, x))
    expected = 35.0 * 0.0943 * ((1 - 0.98537) + 0.98537 * chance)
    found = float(repair_breaks(REPAIR, "1e-5 Gy", hours([1e5]), cluster=3.0)["lethal"][0]) / 1e-5
    assert found == approx(expected, rel=1e-4)


def test_complex_breaks_are_repaired_late_and_defects_kill():
    whole = make_repair(SHEET, 6.1e9)
    assert whole.breaks_per_dose == approx(35.0, rel=0.02)
    assert sum(whole.shares) == approx(1.0)
    complex_ones = make_repair(SHEET, 6.1e9, complex_share=0.9)
    left = [float(repair_breaks(r, "2 Gy", "4 h")["breaks"][0]) for r in (whole, complex_ones)]
    assert left[1] > left[0]
    without = [make_repair(SHEET, 6.1e9, defect=d) for d in ("end_joining", "recombination")]
    for broken in without:
        assert sum(broken.shares) == approx(1.0)
        assert broken.shares[2] > 0
        assert broken.low_dose_slope() > 5 * whole.low_dose_slope()
        assert survive_breaks(broken, "2 Gy") < survive_breaks(whole, "2 Gy")
    with pytest.raises(InputError, match="defect"):
        make_repair(SHEET, 6.1e9, defect="ligase")
    with pytest.raises(InputError, match="complex_share"):
        make_repair(SHEET, 6.1e9, complex_share=1.2)


def test_survival_of_breaks_adds_its_parts():
    doses = registry().Quantity(np.array([0.0, 1.0, 3.0]), "Gy")
    found = survive_breaks(REPAIR, doses, release="24 h")
    made = 35.0 * doses.magnitude
    lethal = [float(repair_breaks(REPAIR, f"{d} Gy", hours([1e6]))["lethal"][0]) for d in doses.magnitude]
    left = made * sum(s * math.exp(-k * 24) for s, k in zip(REPAIR.shares, REPAIR.rates, strict=True))
    assert -np.log(found) == approx(np.array(lethal) + 0.000739 * made + 0.01117 * left, rel=1e-9)
    late = survive_breaks(replace(REPAIR, apoptosis=0.0, direct=0.0), "3 Gy", mitosis="8 h")
    left = 105 * sum(s * math.exp(-k * 8) for s, k in zip(REPAIR.shares, REPAIR.rates, strict=True))
    assert -math.log(late) == approx(lethal[2] + 0.0141 * left, rel=1e-9)


def test_only_cells_with_their_p53_stop_and_die_of_it():
    by_state = {}
    for line in Catalogue().ids("radiosensitivity"):
        sheet = Catalogue().load("radiosensitivity", line)
        by_state[sheet.p53] = read_repair(line)
    assert by_state["wild type"].apoptosis > 0
    assert all(r.apoptosis == 0 for state, r in by_state.items() if state != "wild type")
    with pytest.raises(CatalogueError, match="hela"):
        read_repair("hella")


@pytest.mark.parametrize(
    ("dose", "times", "more"),
    [
        ("-1 Gy", "1 h", {}),
        ("1 Gy", hours([3.0, 1.0]), {}),
        ("1 Gy", "-1 h", {}),
        ("1 Gy", "1 h", {"cluster": -1.0}),
        ("1 Gy", "1 h", {"cluster": math.nan}),
        ("1 Gy", "1 h", {"cluster": 2.0, "cluster_radius": 0.0}),
        ("1 Gy", "1 h", {"cluster": 2.0, "duration": "1 h"}),
        ("1 Gy", "1 h", {"duration": "-1 h"}),
    ],
)
def test_wrong_input_of_repair(dose, times, more):
    with pytest.raises(InputError):
        repair_breaks(REPAIR, dose, times, **more)
    with pytest.raises(UnitError):
        repair_breaks(REPAIR, "1 h", "1 h")


# Foci and comets


def test_foci_with_instant_appearance_are_the_published_chain():
    quick = replace(SHEET, foci_appearance=replace(SHEET.foci_appearance, value=1e6))
    t = np.array([0.25, 1.0, 4.0, 24.0])
    found = count_foci(REPAIR, "1 Gy", hours(t), sheet=quick).values - SHEET.background_foci.si
    expected = np.zeros(4)
    for share, k, route in zip(REPAIR.shares, REPAIR.rates, ("fast", "slow", "very_slow"), strict=True):
        d = SHEET.foci_loss[route].value
        expected += 35.0 * share * (k * np.exp(-d * t) - d * np.exp(-k * t)) / (k - d)
    assert found == approx(expected, rel=1e-4)


def test_foci_rise_and_fall_in_proportion_to_dose():
    t = hours([0.0, 0.1, 0.5, 2.0, 8.0, 24.0])
    one, two = (count_foci("a549", f"{d} Gy", t).values for d in (1, 2))
    assert one[0] == SHEET.background_foci.si
    assert two - SHEET.background_foci.si == approx(2 * (one - SHEET.background_foci.si))
    top = int(np.argmax(one))
    assert t[top].magnitude in (0.1, 0.5)
    assert np.all(np.diff(one[top:]) < 0)
    assert count_foci("a549", "0 Gy", t).values == approx(SHEET.background_foci.si)
    slow = count_foci("a549", "1 Gy", t, duration="2 h").values
    assert slow[2] < one[2]
    assert slow[4] > one[4]


def test_comets_saturate_and_fade():
    now = comet_tail(REPAIR, "0 Gy", "0 h").values[0]
    assert now == approx(SHEET.comet_background.si)
    kinds = {}
    for kind in ("alkaline", "neutral"):
        doses = [float(comet_tail(REPAIR, f"{d} Gy", "0 h", kind=kind)[0]) for d in (2, 4, 8, 1e4)]
        assert np.all(np.diff(doses) > 0)
        assert doses[3] == approx(1.0, abs=1e-6)
        # -ln of what is left in the head counts breaks: proportional to dose.
        heads = -np.log((1 - np.array(doses[:3])) / (1 - now))
        assert heads == approx(heads[0] * np.array([1, 2, 4]), rel=1e-9)
        kinds[kind] = comet_tail(REPAIR, "8 Gy", hours([0, 1, 100]), kind=kind).values
        assert np.all(np.diff(kinds[kind]) < 0)
    breaks = 8 * 35 * (1 + SHEET.single_strand_ratio.si)
    assert -math.log((1 - kinds["alkaline"][0]) / (1 - now)) == approx(breaks / SHEET.comet_alkaline.si)
    left = float(repair_breaks(REPAIR, "8 Gy", "1 h")["breaks"][0])
    assert -math.log((1 - kinds["neutral"][1]) / (1 - now)) == approx(left / SHEET.comet_neutral.si)
    with pytest.raises(InputError, match="kind"):
        comet_tail(REPAIR, "1 Gy", "0 h", kind="acid")


# Flow, cycle, fates


def test_flow_of_pulses_is_the_solution():
    rates = np.array([[-0.5, 0.0], [0.5, -0.2]])
    t = np.array([0.0, 1.0, 3.0, 9.0])
    found = follow_pulse(rates, np.array([2.0, 0.0]), 3.0, t)
    for row, end in zip(found[1:], t[1:], strict=True):
        y = np.zeros(2)
        for low, high, on in ((0.0, min(end, 3.0), 2 / 3), (min(end, 3.0), end, 0.0)):
            if high > low:
                y = integrate.solve_ivp(
                    lambda _, y, s=on: rates @ y + [s, 0], (low, high), y, rtol=1e-10, atol=1e-12
                ).y[:, -1]
        assert row == approx(y, rel=1e-7)
    assert follow(rates, np.array([1.0, 2.0]), np.array([0.0]))[0] == approx([1.0, 2.0])


@given(st.floats(0.1, 0.8), st.floats(0.1, 0.9), st.floats(5.0, 100.0))
def test_shares_of_growth_stay(first, part, doubling):
    shares = (first, (1 - first) * part, (1 - first) * (1 - part))
    matrix = flow_matrix(exit_rates(shares, doubling))
    assert matrix @ np.array(shares) == approx(np.log(2) / doubling * np.array(shares), rel=1e-9)
    found = follow_cycle(shares, "0 Gy", hours([0.0, doubling]), doubling_time=f"{doubling} h", g2_arrest="1 h/Gy")
    assert [float(found[p][1]) for p in ("g1", "s", "g2m")] == approx(shares, rel=1e-6)
    assert found["number"].values == approx([1.0, 2.0], rel=1e-6)


def test_arrest_lasts_as_long_as_the_dose_says():
    given = {"doubling_time": "24 h", "g2_arrest": "2 h/Gy"}
    shares = (0.5, 0.3, 0.2)
    t = hours([0.0, 3.0, 7.99, 8.5, 40.0, 400.0])
    found = follow_cycle(shares, "4 Gy", t, **given)
    assert found["number"].values[:3] == approx(1.0, rel=1e-9), "nobody divides for 8 h"
    assert found["number"].values[3] > 1.0
    assert found["g2m"].values[2] > found["g2m"].values[1] > 0.2
    assert [float(found[p][-1]) for p in ("g1", "s", "g2m")] == approx(shares, rel=1e-3)
    g1 = follow_cycle(shares, "4 Gy", t, g1_arrest="5 h/Gy", **given)
    assert float(g1["g1"][2]) == approx(0.5, rel=1e-9), "nobody enters S, nobody divides"
    left = 0.3 * math.exp(-math.log(2) / 24 * 1.2 / 0.3 * 7.99)
    assert float(g1["s"][2]) == approx(left, rel=1e-9)


def test_a_drug_that_shuts_mitosis_gathers_all_there():
    given = {"doubling_time": "24 h", "g2_arrest": "0 h/Gy"}
    found = follow_cycle((0.5, 0.3, 0.2), "0 Gy", hours([0.0, 500.0]), exit_left={"g2m": 0.0}, **given)
    assert float(found["g2m"][1]) == approx(1.0, abs=1e-6)
    assert float(found["number"][1]) == approx(1.0)
    for wrong in ({"g0": 0.1}, {"s": 2.0}):
        with pytest.raises(InputError, match="exit_left"):
            follow_cycle((0.5, 0.3, 0.2), "0 Gy", "1 h", exit_left=wrong, **given)
    with pytest.raises(InputError, match="shares"):
        follow_cycle((0.5, 0.3, 0.3), "0 Gy", "1 h", **given)
    with pytest.raises(InputError, match="doubling_time"):
        follow_cycle((0.5, 0.3, 0.2), "0 Gy", "1 h")


def test_cycle_of_a_line_comes_from_its_sheets():
    line, cells = Catalogue().load("radiosensitivity", "hela"), Catalogue().load("cells", "hela")
    found = follow_cycle("hela", "0 Gy", hours([0.0, 10.0]))
    assert float(found["g2m"][1]) == approx(line.g2m_share.si, rel=1e-6)
    assert float(found["number"][1]) == approx(2 ** (36000 / cells.doubling_time.si), rel=1e-6)
    arrested = follow_cycle("hela", "4 Gy", hours([line.g2_arrest.value * 4 * 0.99]))
    assert float(arrested["number"][0]) == approx(1.0, rel=1e-9)


@settings(max_examples=30)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_fates_close_and_end_where_they_must(surviving, share, necrotic):
    found = follow_fates(
        surviving, hours([0.0, 30.0, 1e5]), apoptotic_share=share, death_delay="48 h", secondary_necrosis="12 h",
        necrotic=necrotic,
    )  # fmt: skip
    total = sum(found[name] for name in ("alive", "apoptotic", "necrotic", "catastrophe"))
    assert total.values == approx(1.0, abs=1e-9)
    assert float(found["alive"][0]) == approx(1 - necrotic)
    end = found.isel(time=-1)
    doomed = (1 - surviving) * (1 - necrotic)
    assert float(end["alive"]) == approx(surviving * (1 - necrotic), abs=1e-9)
    assert float(end["apoptotic"]) == approx(0.0, abs=1e-9)
    assert float(end["necrotic"]) == approx(necrotic + share * doomed, abs=1e-9)
    assert float(end["catastrophe"]) == approx((1 - share) * doomed, abs=1e-9)


def test_mean_delay_of_death_is_that_of_the_line():
    t = np.linspace(0, 2000, 8001)
    given = {"apoptotic_share": 0.4, "death_delay": "60 h", "secondary_necrosis": "10 h"}
    found = follow_fates(0.0, hours(t), **given)
    assert np.trapezoid(found["alive"].values, t) == approx(60.0, rel=1e-5)
    assert np.trapezoid(found["apoptotic"].values, t) == approx(0.4 * 10.0, rel=1e-4)
    line = Catalogue().load("radiosensitivity", "hela")
    there = line_fates("hela", 0.0, hours(t), "10 h")
    assert np.trapezoid(there["alive"].values, t) == approx(line.death_delay.value, rel=1e-4)
    assert float(there["catastrophe"][-1]) == approx(1 - line.apoptotic_share.si, abs=1e-6)
    with pytest.raises(InputError, match="surviving"):
        follow_fates(1.2, "1 h", **given)


@pytest.mark.parametrize("organelle", ["lysosome", "mitochondrion", "reticulum"])
def test_organelles_fail_gradually(organelle):
    tolerance = getattr(SHEET, f"{organelle}_tolerance")
    assert fail_organelle(organelle, f"{tolerance.value} Gy") == approx(0.5, rel=1e-12)
    found = fail_organelle(organelle, registry().Quantity(tolerance.value * np.array([0.0, 0.1, 1.0, 10.0]), "Gy"))
    assert found[0] == 0.0
    assert np.all(np.diff(found) > 0)
    assert found[1] + found[3] == approx(1.0)
    assert found[3] / found[1] == approx(10**SHEET.target_steepness.si, rel=1e-9)
    with pytest.raises(InputError, match="organelle"):
        fail_organelle("ribosome", "1 Gy")


def test_oxidants_start_at_their_yield_and_fade():
    found = follow_oxidants("3 Gy", hours([0.0, 1e4]))
    assert float(found["burst"][0]) == approx(3 * SHEET.reactive_oxygen_yield.value)
    assert float(found["production"][0]) == approx(1 + 3 * SHEET.mitochondrial_oxidant_gain.value)
    assert float(found["production"][1]) == approx(1.0)


# Added lesions

CELLS = {"alpha": "0.2 1/Gy", "beta": "0.03 1/Gy^2"}


def test_nothing_added_is_the_baseline_and_dose_is_dose():
    same = add_lesions(CELLS, 0.0, complex_share=0.9, complex_lethality=5.0)
    assert (same.alpha, same.beta) == (0.2, 0.03)
    more = add_lesions(CELLS | {"threshold_dose": "5 Gy"}, 0.25)
    for dose in (0.5, 2.0, 8.0):
        expected = survival(CELLS | {"threshold_dose": "5 Gy"}, f"{dose * 1.25} Gy")
        assert survival(more, f"{dose} Gy") == approx(expected, rel=1e-12)
    alike = add_lesions(CELLS, 0.25, complex_share=SHEET.complex_share.si, complex_lethality=4.0)
    assert alike.alpha == approx(0.25, rel=1e-12)
    # Complex breaks of the particles' electrons: k y [(1 - c_e) l + c_e q l] over alpha, written out.
    c, q, m = SHEET.complex_share.si, 4.0, 0.25
    found = add_lesions(CELLS, m, complex_share=0.9, complex_lethality=q)
    lethality = 0.2 / (35 * ((1 - c) + c * q))
    assert found.alpha == approx(0.2 + 35 * m * (0.1 + 0.9 * q) * lethality, rel=1e-12)
    for wrong in ({"added_dose": -1.0}, {"added_dose": math.nan}, {"added_dose": 0.1, "complex_share": 1.1}):
        with pytest.raises(InputError):
            add_lesions(CELLS, **wrong)
