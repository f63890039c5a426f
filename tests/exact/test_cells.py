"""Cells against closed forms: buffers, balances at rest, vesicles, settling, uptake, death, dyes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from dishes import (
    CATALOGUE,
    LINES,
    Standing,
    line_of,
    make_dish,
    one_cell,
    play_cell,
    sheets_of,
    with_numbers,
)
from scipy.linalg import eigh_tridiagonal, expm
from scipy.optimize import brentq
from tubes import HOUR, TIGHT, Played, agent, given, of_material, play, sheet_values

from nanotrial.cell.death import hazard
from nanotrial.cell.rest import RestFinder
from nanotrial.cell.uptake import arrival_rate
from nanotrial.errors import SolveError
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.medium.constants import water_viscosity
from nanotrial.network.terms import constant
from nanotrial.places import build_arm
from nanotrial.sampling import Draws
from nanotrial.solve.events import Event

CALCIUM = CATALOGUE.load("calcium_handling", "mammalian_calcium")
BAPTA = CATALOGUE.load("agents", "bapta_am")
INERT = of_material("calcium_peroxide", acid_rate=(0.0, "mol/m^2/s"), water_rate=(0.0, "mol/m^2/s"))
DOSE = given("bare", "0.1 mmol/L", basis="calcium")
QUIET = {
    "cells__4t1__doubling_time": (1e12, "h"),
    "death__mammalian_death__execution_rate": (0.0, "1/s"),
}
FARADAY, GAS, BODY = 96485.33212, 8.31446261815324, 310.15


def free_of(total: float, buffer: float, half: float) -> float:
    """Return the positive root of x^2 + (B + K - T) x - K T."""
    b = buffer + half - total
    return 2 * half * total / (b + math.sqrt(b * b + 4 * half * total))


# Buffers.


@pytest.mark.parametrize("state", ["calcium", "er_calcium", "matrix_calcium"])
@pytest.mark.parametrize("factor", [1e-3, 0.5, 1.0, 2.0, 30.0])
def test_free_calcium_is_the_root_of_its_quadratic(state, factor):
    cells = one_cell()
    inner = CALCIUM.mitochondria
    share, buffer, half = {
        "calcium": (1.0, CALCIUM.cytosol_buffer.si, CALCIUM.cytosol_buffer_constant.si),
        "er_calcium": (CALCIUM.er_volume_share.si, CALCIUM.er_buffer.si, CALCIUM.er_buffer_constant.si),
        "matrix_calcium": (inner.volume_share.si, inner.buffer.si, inner.buffer_constant.si),
    }[state]
    name = f"cell.{state}"
    amount = Standing(cells.network)[name] * factor
    there = Standing(cells.network, amounts={name: amount})
    volume = 1.00001 * line_of()[1].volume.si * share
    assert there[f"{name}.free"] == pytest.approx(free_of(amount / volume, buffer, half), rel=1e-9, abs=0.0)


def test_cells_start_at_the_free_calcium_of_their_sheets():
    there = Standing(one_cell().network)
    for name, value in {
        "calcium": line_of()[1].resting_calcium,
        "er_calcium": CALCIUM.er_resting_calcium,
        "matrix_calcium": CALCIUM.mitochondria.resting_calcium,
    }.items():
        assert there[f"cell.{name}.free"] == pytest.approx(value.si, rel=1e-9)


@pytest.mark.parametrize("loaded", [1e-4, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("own", [True, False])
def test_a_chelator_binds_as_its_constant_says(loaded, own):
    """Beside the cell's own buffer the root of T = x + B x / (K + x) + C x / (K_c + x), without it the quadratic."""
    sheet = CALCIUM if own else with_numbers(CALCIUM, cytosol_buffer=0.0)
    cells = one_cell(sets=sheets_of(calcium=sheet), drug_doses={"bapta_am": (BAPTA, 0.0)})
    bare = Standing(cells.network)
    assert bare["cell.calcium.free"] == pytest.approx(8e-5, rel=1e-9)
    free = Standing(cells.network, amounts={"cell.bapta_am": loaded})["cell.calcium.free"]
    total = bare["cell.calcium"] / (1.00001 * line_of()[1].volume.si)
    k = BAPTA.binding_constant.si
    if own:
        b, half = CALCIUM.cytosol_buffer.si, CALCIUM.cytosol_buffer_constant.si
        exact = brentq(lambda x: x + b * x / (half + x) + loaded * x / (k + x) - total, 0.0, total, xtol=1e-20)
    else:
        exact = free_of(total, loaded, k)
    assert free == pytest.approx(exact, rel=1e-8)


def test_a_loaded_chelator_blunts_a_rise_and_calcium_comes_back_to_rest():
    """What enters and leaves in the end does not depend on buffers, so that the steady state is the same."""
    drugs = {"bapta_am": (BAPTA, 0.01)}
    run = play_cell(one_cell(drug_doses=drugs), [0.0, 3600.0, 4 * 86400.0], {"loop.cut": 1.0})
    reached = BAPTA.accumulation.si * 0.01
    assert run["cell.bapta_am"][1] == pytest.approx(reached * (1 - math.exp(-3600 * BAPTA.entry_rate.si)), rel=1e-6)
    assert run["calcium"][-1] == pytest.approx(8e-5, rel=1e-4)


# Rest.


def imbalances(there: Standing, names: list[str]) -> dict[str, float]:
    """Return for each state its slope over the largest flux through it."""
    slopes = there.slopes()
    return {n: abs(slopes[n][0]) / slopes[n][1] for n in names}


# The drive of the uniporter is rounded near nothing: at full potential it is 2.5e-7 above one.
EVEN = 1e-6
POOLS = ["cell.calcium", "cell.er_calcium", "cell.matrix_calcium"]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("outside", [0.2, 1.2, 2.5])
def test_fluxes_balance_at_rest(line, outside):
    """With the loop cut nothing moves; closed, what the peroxide of rest slows is below a thousandth of a part."""
    cells = one_cell(line, calcium_outside=outside)
    for cut, tolerance in ((1.0, EVEN), (0.0, 1e-3)):
        there = Standing(cells.network, {"loop.cut": cut})
        for name, share in imbalances(there, POOLS).items():
            assert share < tolerance, (name, share)
        assert abs(there.slopes()["cell.ip3_gate"][0]) < 1e-12


@pytest.mark.parametrize("line", LINES)
def test_fluxes_balance_at_rest_for_any_draw(line):
    """Where leaks would be negative, further uptake and extrusion take their place; each draw has a rest of its own."""
    cells = one_cell(line)
    draws = Draws(cells.network.parameters, Overlay(), None, 50, seed=5).unknown(0, 50)
    assert len(draws) > 50
    clamps = dict.fromkeys(("er_further_uptake", "further_extrusion", "er_leak", "membrane_leak"), 0)
    finder = RestFinder([cells])
    usual, refused = {n: p.value for n, p in cells.network.parameters.items()}, 0
    for i in range(50):
        drawn = {n: float(v[i]) for n, v in draws.items()}
        try:
            rest = finder.find(usual | drawn)
        except SolveError:  # cells that would rest above a micromole per litre: such a draw is refused
            refused += 1
            continue
        there = Standing(cells.network, drawn | rest | {"loop.cut": 1.0})
        slopes, rates = there.slopes(), there.rates()
        for name, share in imbalances(there, POOLS).items():
            assert share < EVEN, (name, share, i)
        assert abs(slopes["cell.potential"][0]) * 3600 < 1e-3 * there["cell.potential"]
        assert abs(slopes["cell.atp"][0]) * 3600 < 1e-9 * there["cell.atp"]
        assert there["cell.calcium.free"] == pytest.approx(rest["cell.resting_calcium"], rel=1e-8)
        for name in clamps:
            assert rates[f"cell.{name}"] >= 0.0
            clamps[name] += rates[f"cell.{name}"] > 0.0
    assert refused <= 2
    assert clamps["er_further_uptake"] + clamps["er_leak"] >= 50 - refused
    assert clamps["er_leak"] > 0
    assert clamps["membrane_leak"] + clamps["further_extrusion"] >= 50


@pytest.mark.parametrize(
    ("numbers", "process"),
    [
        ({"ryanodine_rate": 50.0}, "er_further_uptake"),
        ({"membrane__store_operated_rate": 5000.0, "membrane__store_operated_constant": 5000.0}, "further_extrusion"),
    ],
)
def test_balance_at_rest_holds_where_a_leak_would_be_negative(numbers, process):
    cells = one_cell(sets=sheets_of(calcium=with_numbers(CALCIUM, **numbers)))
    there = Standing(cells.network, {"loop.cut": 1.0})
    assert there.rates()[f"cell.{process}"] > 0.0
    assert max(imbalances(there, POOLS).values()) < EVEN


def test_rest_holds_for_two_days_where_entry_is_negative_at_rest():
    numbers = {"membrane__store_operated_rate": 5000.0, "membrane__store_operated_constant": 5000.0}
    cells = one_cell(sets=sheets_of(calcium=with_numbers(CALCIUM, **numbers)))
    run = play_cell(cells, [48 * HOUR], {"loop.cut": 1.0})
    assert run["calcium"][0] == pytest.approx(8e-5, rel=1e-3)


@pytest.mark.parametrize("uniporter", [0.0, 200.0, 1e5])
def test_matrix_is_balanced_whatever_the_uniporter(uniporter):
    sheet = with_numbers(CALCIUM, mitochondria__uniporter_rate=uniporter)
    there = Standing(one_cell(sets=sheets_of(calcium=sheet)).network, {"loop.cut": 1.0})
    assert max(imbalances(there, POOLS).values()) < EVEN


@pytest.mark.parametrize("line", LINES)
def test_potential_energy_and_pore_do_not_move_at_rest(line):
    there = Standing(one_cell(line).network, {"loop.cut": 1.0})
    slopes = there.slopes()
    assert abs(slopes["cell.potential"][0]) * 3600 < 1e-6 * there["cell.potential"]
    assert abs(slopes["cell.atp"][0]) * 3600 < 1e-9 * there["cell.atp"]
    # The pore of rest is the Hill term of rest: (0.15 / 10)^4, opening over closing.
    sheet = CATALOGUE.load("energetics", "mammalian_energetics")
    sensed = (CALCIUM.mitochondria.resting_calcium.si / sheet.pore_calcium.si) ** 4
    opening = sheet.pore_opening.si * sensed / (1 + sensed)
    run = play_cell(one_cell(line), [0.0, 48 * HOUR], {"loop.cut": 1.0})
    assert run["cell.pore"][-1] == pytest.approx(opening / (opening + sheet.pore_closing.si), rel=1e-3)
    assert run["cell.pore"][-1] < 1e-6
    assert run["cell.potential"] == pytest.approx(np.full(2, sheet.resting_potential.si), rel=1e-4)
    assert run["cell.atp"] == pytest.approx(np.full(2, sheet.atp.si), rel=1e-4)


def test_without_oxygen_the_potential_decays_with_its_time_constant():
    """No respiration: tau dpsi/dt = -psi, as long as calcium and the pore take no part."""
    quiet = with_numbers(CATALOGUE.load("energetics", "mammalian_energetics"), calcium_load=0.0, pore_opening=0.0)
    cells = one_cell(sets=sheets_of(energetics=quiet), oxygen=0.0)
    times = np.array([0.0, 5.0, 20.0, 60.0])
    run = play_cell(cells, times)
    exact = quiet.resting_potential.si * np.exp(-times / quiet.potential_time.si)
    assert run["cell.potential"] == pytest.approx(exact, rel=1e-6)


def test_exchanger_stands_still_at_its_own_level():
    """c = Ca_o (Na_i/Na_o)^3 exp(V_m F / RT): at that free calcium it carries nothing, beyond it extrudes."""
    outer = CALCIUM.membrane
    ratio = (outer.sodium_inside.si / outer.sodium_outside.si) ** 3
    even = 1.2 * ratio * math.exp(outer.potential.si * FARADAY / (GAS * BODY))
    for factor, sign in ((0.5, -1), (1.0, 0), (2.0, 1)):
        line = line_of("4t1", resting_calcium=even * factor * 1e6)
        rates = Standing(one_cell(line).network).rates()
        assert np.sign(np.round(rates["cell.exchanger"] / rates["cell.pmca"], 9)) == sign


# Vesicles.


def with_event(built, event: Event):
    return dataclasses.replace(built, events=tuple(sorted((*built.events, event), key=lambda e: e.time)))


def test_proton_pump_limits_dissolution_in_a_lysosome():
    """Every calcium costs two protons: a load is digested, and the acid back, no sooner than 2 load / top rate.

    The lysosomes are small, so that what they give off leaves the cell unharmed.
    """
    study, small = make_dish([DOSE]), 1e-6
    values = sheet_values(**QUIET, vesicles__mammalian_vesicles__lysosome_volume_share=(small, "1"))
    built = build_arm(study, study.arms[0], values)
    network, vesicles = built.network, CATALOGUE.load("vesicles", "mammalian_vesicles")
    core = next(n for n in network.species if n.startswith("cells.0.lysosome.") and ".core." in n)
    line, area = line_of()[1], CATALOGUE.load("wells", "well_96").area.si
    volume = small * line.seeding_density.si * area * line.volume.si
    load, most = 100.0 * volume, vesicles.pump_rate.si * volume
    given_there = constant(load, "mol")
    event = Event(60.0, {core: network[core] + given_there}, "fill lysosomes")
    soonest = 2 * load / most
    times = [0.0, 59.0, *(60.0 + soonest * np.array([0.2, 0.5, 0.9, 1.5]))]
    run = Played(built, Player(TIGHT).play(with_event(built, event), times))
    rest, ph = vesicles.lysosome_ph.si, run["lysosome_ph"]
    assert ph[1] == pytest.approx(rest, abs=0.02)
    for row in (2, 3):
        pumped, power = run.rate("cells.0.lysosome.pump", row), run.of(built.dish.cells[0].pump_power, row)
        share = power * math.tanh((ph[row] - rest) / vesicles.pump_sensitivity.si)
        assert pumped / most == pytest.approx(share, rel=1e-3)
        assert share > 0.98
    assert ph[4] > rest + 0.2
    assert ph[5] == pytest.approx(rest, abs=0.1)
    assert run[core][5] / load < 1e-3


def test_an_empty_lysosome_rests():
    run = play(make_dish([given("bare", "0 mmol/L", basis="calcium")]), [0.0, 6.0])
    assert run["lysosome_ph"] == pytest.approx(np.full(2, 4.7), abs=2e-3)


# Settling and uptake.


def test_stokes_sinking():
    """Silver of 100 nm in water at 37 degC: v = d^2 (rho_p - rho_w) g / 18 eta, to 1 % of 82 nm/s."""
    import casadi as ca

    one = constant(1.0, "m")
    found = arrival_rate(one * 1e-7, constant(10490.0, "kg/m^3"), one * 1e6, BODY) * 1e6
    eta = water_viscosity(BODY)
    assert eta == pytest.approx(0.69e-3, rel=0.01)
    assert float(ca.DM(found.expression)) == pytest.approx(
        1e-14 * (10490 - 993) * 9.80665 / (18 * eta), rel=1e-6, abs=0.0
    )


@pytest.mark.parametrize("cells", [50, 400])
def test_slowest_mode_of_diffusion_to_an_absorbing_bottom(cells):
    """pi^2 D / 4 L^2 against finite differences of dc/dt = D d2c/dz2 with a closed top."""
    import casadi as ca

    depth, diameter = 3e-3, 5e-8
    one = constant(1.0, "m")
    found = float(ca.DM(arrival_rate(one * diameter, constant(993.0, "kg/m^3"), one * depth, BODY).expression))
    diffusivity = 1.380649e-23 * BODY / (3 * math.pi * water_viscosity(BODY) * diameter)
    step = depth / cells
    diagonal = np.full(cells, -2.0)
    diagonal[0], diagonal[-1] = -1.0, -3.0  # closed above; half a step to the bottom
    slowest = -eigh_tridiagonal(diagonal, np.ones(cells - 1), select="i", select_range=(cells - 1, cells - 1))[0][0]
    assert found == pytest.approx(slowest * diffusivity / step**2, rel=2.0 / cells**2, abs=0.0)


def uptake_rates(**rates: float) -> Overlay:
    """Return an overlay in which nothing dissolves, grows or dies and the ways have these rates (1/s)."""
    values = dict.fromkeys(("fluid_phase", "internalisation", "recycling"), 0.0) | rates
    line = {f"cells__4t1__uptake__{k}": (v, "m^3/s" if k == "fluid_phase" else "1/s") for k, v in values.items()}
    inside = {k: line.pop(f"cells__4t1__uptake__{k}")[0] for k in ("maturation", "exocytosis") if k in rates}
    vesicles = {f"vesicles__mammalian_vesicles__{k}": (inside.get(k, 0.0), "1/s") for k in ("maturation", "exocytosis")}
    return INERT.with_values(sheet_values(**line, **vesicles, **QUIET).values)


HEAVY = {"bare": {"core": "copper_oxide", "diameter": "100 nm"}}
HOURS = np.array([0.0, 0.5, 2.0, 8.0, 24.0])


def shares(run: Played) -> np.ndarray:
    """Return what of the dose is free, bound, in endosomes and in lysosomes at every time."""
    names = ["medium", "bound", "endosome", "lysosome"]
    rows = []
    for name in names:
        start = "particles.0.bare.added" if name == "medium" else f"cells.0.{name}."
        state = next(n for n in run.built.network.species if n.startswith(start) and n.endswith(".added"))
        rows.append(run[state])
    return np.array(rows) / rows[0][0]


@pytest.mark.parametrize("internalisation", [1e-5, 1e-3])
def test_binding_and_internalisation_are_two_steps_in_a_row(internalisation):
    run = play(make_dish([DOSE]), HOURS, uptake_rates(internalisation=internalisation))
    stick = run.rate("cells.0.uptake.0.sticks.0", 0) / run["particles.0.bare.core.0"][0]
    t, a, b = HOURS * HOUR, stick, internalisation
    free, bound = np.exp(-a * t), a / (b - a) * (np.exp(-a * t) - np.exp(-b * t))
    exact = np.array([free, bound, 1 - free - bound, 0 * t])
    assert stick > 1e-7
    assert shares(run) == pytest.approx(exact, rel=1e-5, abs=1e-9)


def test_all_ways_at_fixed_rates_are_one_linear_system():
    rates = {
        "internalisation": 4e-4,
        "recycling": 2e-4,
        "maturation": 1e-4,
        "exocytosis": 3e-5,
        "fluid_phase": 1e-15,
    }
    run = play(make_dish([DOSE]), HOURS, uptake_rates(**rates))
    dish = run.built.dish
    first = run["particles.0.bare.core.0"][0]
    stick = run.rate("cells.0.uptake.0.sticks.0", 0) / first
    swallow = run.rate("cells.0.uptake.0.swallowed.0", 0) / first
    assert swallow == pytest.approx(1e-15 * run["cells.0.live"][0] / run.of(dish.medium.volume), rel=1e-9)
    matrix = np.zeros((4, 4))
    for source, target, rate in (
        (0, 1, stick),
        (0, 2, swallow),
        (1, 2, rates["internalisation"]),
        (2, 0, rates["recycling"]),
        (2, 3, rates["maturation"]),
        (3, 0, rates["exocytosis"]),
    ):
        matrix[target, source] += rate
        matrix[source, source] -= rate
    exact = np.array([expm(matrix * h * HOUR)[:, 0] for h in HOURS]).T
    assert shares(run) == pytest.approx(exact, rel=1e-5, abs=1e-9)
    assert exact[3, -1] > 1e-3


def test_sticking_is_arrival_times_cover_times_share():
    """300 cells of 600 um^2 in 1 mm^2 cover 18.6 % of the bottom at 310 per mm^2."""
    run = play(make_dish([DOSE], seeding_density="31000 1/cm^2"), [0.0], uptake_rates())
    line, well = line_of()[1], CATALOGUE.load("wells", "well_96")
    cohort = run.built.dish.medium.cohorts[0]
    eta, depth = water_viscosity(BODY), well.volume.si / well.area.si
    d, density = cohort.particle.diameter, cohort.material.density.si
    sinking = d**2 * (density - 993.0) * 9.80665 / (18 * eta) / depth
    spreading = math.pi**2 / 4 * 1.380649e-23 * BODY / (3 * math.pi * eta * d) / depth**2
    covered = line.footprint.si * 31000e4
    assert covered == pytest.approx(0.186, rel=1e-9)
    stick = run.rate("cells.0.uptake.0.sticks.0", 0) / run["particles.0.bare.core.0"][0]
    assert stick == pytest.approx((sinking + spreading) * covered * line.uptake.sticking_share.si, rel=1e-4)


# Death.


def test_hazard_runs_from_nothing_to_the_execution_rate():
    study = make_dish([])
    built = build_arm(study, study.arms[0], Overlay())
    cells, sheet = built.dish.cells[0], CATALOGUE.load("death", "mammalian_death")
    top, n = sheet.execution_rate.si, sheet.steepness.value
    for damage, share in ((0.0, 0.0), (0.1, 0.1**n / (1 + 0.1**n)), (1.0, 0.5), (2.0, 2**n / (1 + 2**n)), (1e4, 1.0)):
        there = Standing(built.network, amounts={"cells.0.damage": damage})
        assert there.of(hazard(cells)) == pytest.approx(top * share, rel=1e-6, abs=1e-12 * top)


@pytest.mark.parametrize(("atp", "share"), [(1.0, 0.0), (0.25, 0.5), (0.01, 1.0)])
def test_death_is_necrotic_where_no_atp_is_left(atp, share):
    study = make_dish([])
    built = build_arm(study, study.arms[0], Overlay())
    full = CATALOGUE.load("energetics", "mammalian_energetics").atp.si
    rates = Standing(built.network, amounts={"cells.0.damage": 1.0, "cells.0.atp": atp * full}).rates()
    necrotic, apoptotic = rates["cells.0.necrosis"], rates["cells.0.apoptosis"]
    assert necrotic / (necrotic + apoptotic) == pytest.approx(share, abs=1e-4)


NO_PEROXIDE = {
    "death__mammalian_death__peroxide_dose": (1e30, "umol*h/L"),
    "death__mammalian_death__pore_time": (1e30, "h"),
    "cells__4t1__doubling_time": (1e12, "h"),
}


def test_damage_and_survival_at_held_calcium():
    """dD/dt = (c/c*)^2 / t_c - D / t_r; the share alive is exp(-k integral of D^n / (1 + D^n))."""
    low = {"death__mammalian_death__calcium_threshold": (160.0, "nmol/L")}
    hours = np.linspace(0.0, 16.0, 161)
    run = play(make_dish([]), hours, sheet_values(**NO_PEROXIDE, **low))
    sheet = CATALOGUE.load("death", "mammalian_death")
    t, repair = hours * HOUR, sheet.repair_time.si
    calcium = run["cytosolic_calcium"]
    assert calcium[:100] == pytest.approx(np.full(100, calcium[0]), rel=2e-3)
    damage = (calcium[0] / 160e-6) ** 2 / sheet.calcium_time.si * repair * (1 - np.exp(-t / repair))
    assert run["cells.0.damage"] == pytest.approx(damage, rel=5e-3)
    harm = damage**sheet.steepness.value
    rate = sheet.execution_rate.si * harm / (1 + harm)
    died = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(t))])
    assert run["cells.0.live"] / run["cells.0.live"][0] == pytest.approx(np.exp(-died), rel=2e-2)
    assert run["cells.0.live"][-1] < 0.1 * run["cells.0.live"][0]


def test_untreated_cells_grow_to_confluence_as_the_logistic_says():
    none = {
        k: (1e30, v) for k, v in (("calcium_threshold", "umol/L"), ("peroxide_dose", "umol*h/L"), ("pore_time", "h"))
    }
    hours = np.array([0.0, 8.0, 24.0, 72.0])
    values = sheet_values(**{f"death__mammalian_death__{k}": v for k, v in none.items()})
    run = play(make_dish([]), hours, values)
    line, area = line_of()[1], CATALOGUE.load("wells", "well_96").area.si
    start, full = line.seeding_density.si * area, line.confluent_density.si * area
    exact = full / (1 + (full / start - 1) * np.exp(-math.log(2) / line.doubling_time.si * hours * HOUR))
    assert run["untreated.live"] == pytest.approx(exact, rel=1e-6)
    assert run["cells.0.live"] == pytest.approx(exact, rel=1e-3)


# Dyes.


@pytest.fixture(scope="module")
def stressed() -> Played:
    """One class of cells that a dose of peroxide and an ionophore move away from rest."""
    add = [agent("hydrogen_peroxide", "60 umol/L"), agent("calcium_ionophore_a23187", "3 umol/L", "1 h")]
    return play(make_dish(add), [0.0, 0.05, 0.3, 1.0, 1.2, 3.0, 12.0])


def test_fluo_4_shows_its_binding_curve(stressed):
    k, top = 345.0, 40.0

    def bright(calcium):
        return 1 + (top - 1) * calcium / (k + calcium)

    calcium = stressed["cytosolic_calcium"] * 1e6
    assert calcium.max() > 1.5 * calcium[0]
    assert stressed["calcium_fluorescence"] == pytest.approx(bright(calcium) / bright(calcium[0]), rel=1e-6)


def test_tmrm_follows_nernst(stressed):
    """Tenfold for every 2.303 RT/F = 61.5 mV."""
    lost = (stressed["mitochondrial_potential"] - 0.15) / 0.06154
    assert lost.min() < -0.02
    assert stressed["potential_fluorescence"] == pytest.approx(10**lost, rel=1e-4)


def test_dcfh_counts_peroxide_and_never_fades():
    """f = 1 - (1 - f_0) exp(-k integral of H dt)."""
    times = np.concatenate([[0.0], np.geomspace(1e-7, 2.0, 600)])
    run = play(make_dish([agent("hydrogen_peroxide", "60 umol/L")]), times)
    sheet = CATALOGUE.load("probes", "dcfh_da")
    level, t = run["cytosolic_peroxide"], times * HOUR
    passed = np.concatenate([[0.0], np.cumsum((level[1:] + level[:-1]) / 2 * np.diff(t))])
    first = sheet.initial_oxidised.value
    exact = (1 - (1 - first) * np.exp(-sheet.oxidation_rate.si * passed)) / first
    assert exact[-1] > 1.05
    assert run["ros_fluorescence"] == pytest.approx(exact, rel=5e-3)
    assert np.all(np.diff(run["ros_fluorescence"]) >= 0)


@pytest.mark.parametrize(("assay", "share"), [("cck_8", 0.15), ("mtt", 0.4)])
def test_viability_is_what_live_cells_reduce_over_the_same_left_alone(assay, share):
    assert CATALOGUE.load("probes", assay).respiratory_share.value == share
    measure = {"viability": {"at": "1 h", "assay": assay}}
    hours = [0.0, 0.5, 2.0, 8.0]
    treated, alone = (
        play(make_dish(add, measure=measure), hours) for add in ([agent("hydrogen_peroxide", "60 umol/L")], [])
    )
    live = treated["cells.0.live"] / alone["cells.0.live"]
    reduced = [share * r["mitochondrial_potential"] / 0.15 + (1 - share) * r["atp"] / 3.0 for r in (treated, alone)]
    assert treated["live_fraction"] == pytest.approx(live, rel=1e-6)
    assert treated["viability"] == pytest.approx(live * reduced[0] / reduced[1], rel=1e-6)
    assert treated["viability"] + treated["cell_death"] == pytest.approx(np.ones(4), rel=1e-12)
    assert treated["viability"][-1] < 0.9
    assert alone["viability"] == pytest.approx(np.ones(4), rel=1e-12)
