"""Published models of calcium and of peroxide, integrated here from their equations and set against our mechanisms.

The constants are written out: Li and Rinzel (1994) with the parameters of De Young and Keizer (1992), Selvaggio et al.
(2018) with the default set of their script. They are not read from the sheets.
"""

from __future__ import annotations

import math
from functools import lru_cache

import casadi as ca
import numpy as np
import pytest
from dishes import CATALOGUE, LINES, line_of, one_cell, play_cell, sheets_of, with_numbers
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

# Li and Rinzel, umol/L and s; c1 is the volume of the reticulum over that of the cytosol, c0 all calcium.
C0, C1 = 2.0, 0.185
V1, V2, V3, K3 = 6.0, 0.11, 0.9, 0.1
D1, D2, D3, D5, A2 = 0.13, 1.049, 0.9434, 0.08234, 0.2
MICRO = 1e-3  # umol/L in mol/m^3


def li_rinzel(ip3: float):
    """Return dc/dt, dh/dt as a function of (t, (c, h))."""
    q2 = D2 * (ip3 + D1) / (ip3 + D3)

    def slopes(_, state):
        c, h = state
        m = ip3 / (ip3 + D1) * c / (c + D5)
        reticulum = (C0 - c) / C1
        moved = C1 * (V1 * m**3 * h**3 + V2) * (reticulum - c)
        return [moved - V3 * c**2 / (K3**2 + c**2), A2 * (q2 - (q2 + c) * h)]

    return slopes


SECONDS = np.linspace(0.0, 1200.0, 4001)


@lru_cache
def published_course(ip3: float, start: float) -> np.ndarray:
    q2 = D2 * (ip3 + D1) / (ip3 + D3)
    first = [start, q2 / (q2 + start)]
    run = solve_ivp(li_rinzel(ip3), (0.0, SECONDS[-1]), first, "LSODA", SECONDS, rtol=1e-10, atol=1e-12)
    assert run.success
    return run.y


def resting_calcium(sheet) -> float:
    """Return the calcium (umol/L) that leaves all calcium at c0 beside the reticulum of the sheet."""
    return C0 - C1 * sheet.er_resting_calcium.value


@lru_cache
def our_course(ip3: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sheet = CATALOGUE.load("calcium_handling", "li_rinzel_1994")
    sets = {"calcium": ("li_rinzel_1994", sheet)}
    cells = one_cell(line_of("4t1", resting_calcium=resting_calcium(sheet) * 1e3), sets)
    run = play_cell(cells, SECONDS, {"li_rinzel_1994.ip3": ip3 * MICRO})
    return run["calcium"] / MICRO, run["er_calcium"] / MICRO, run["cell.ip3_gate"]


def steady_growth(ip3: float) -> float:
    """Return the trace of the Jacobian at the steady state: it grows where this is positive (the determinant is)."""
    q2, slopes = D2 * (ip3 + D1) / (ip3 + D3), li_rinzel(ip3)
    c = brentq(lambda c: slopes(0, (c, q2 / (q2 + c)))[0], 1e-4, 1.9)
    h, step = q2 / (q2 + c), 1e-6
    by_c = (slopes(0, (c + step, h))[0] - slopes(0, (c - step, h))[0]) / (2 * step)
    by_h = (slopes(0, (c, h + step))[0] - slopes(0, (c, h - step))[0]) / (2 * step)
    assert by_c * -A2 * (q2 + c) + by_h * A2 * h > 0
    return by_c - A2 * (q2 + c)


HOPF = brentq(steady_growth, 0.3, 0.45), brentq(steady_growth, 0.5, 0.8)
QUIET = (0.1, 0.3, 0.34, 0.66, 0.8, 1.5)
WAVY = (0.37, 0.4, 0.5, 0.6, 0.62)


@pytest.mark.parametrize("ip3", [*QUIET, *WAVY])
def test_li_rinzel_courses_agree_point_by_point(ip3):
    calcium, reticulum, gate = our_course(ip3)
    theirs = published_course(ip3, calcium[0])
    assert calcium[0] + C1 * reticulum[0] == pytest.approx(C0, rel=1e-12)
    assert calcium == pytest.approx(theirs[0], rel=1e-4)
    assert gate == pytest.approx(theirs[1], rel=1e-4)
    assert reticulum == pytest.approx((C0 - theirs[0]) / C1, rel=1e-4)


def swing(calcium: np.ndarray) -> float:
    """Return the largest less the smallest value of the second half."""
    late = calcium[len(calcium) // 2 :]
    return float(late.max() - late.min())


def period(calcium: np.ndarray) -> float:
    """Return the mean time between upward passages of the mean of the second half."""
    late, times = calcium[len(calcium) // 2 :], SECONDS[len(calcium) // 2 :]
    above = late - late.mean()
    rises = np.flatnonzero((above[:-1] < 0) & (above[1:] >= 0))
    passed = times[rises] - above[rises] * (times[rises + 1] - times[rises]) / (above[rises + 1] - above[rises])
    assert len(passed) > 5
    return float(np.diff(passed).mean())


def test_hopf_points_of_the_published_equations():
    assert pytest.approx((0.36, 0.63), abs=0.01) == HOPF
    assert max(ip3 for ip3 in QUIET if ip3 < 0.5) < HOPF[0] < min(WAVY)
    assert max(WAVY) < HOPF[1] < min(ip3 for ip3 in QUIET if ip3 > 0.5)


@pytest.mark.parametrize("ip3", QUIET)
def test_li_rinzel_rests_outside_the_hopf_points(ip3):
    assert swing(our_course(ip3)[0]) < 1e-3


@pytest.mark.parametrize("ip3", WAVY)
def test_li_rinzel_oscillates_between_the_hopf_points(ip3):
    calcium = our_course(ip3)[0]
    assert swing(calcium) > 0.1
    theirs = published_course(ip3, calcium[0])[0]
    assert period(calcium) == pytest.approx(period(theirs), rel=1e-4)
    assert 5.0 < period(calcium) < 25.0  # s, as published curves show


# Selvaggio, umol/L and s: peroxiredoxin, thioredoxin and every other sink in one number.
PRX, TRX = 92.0, 23.0
K_OX, K_COND, K_SULF, K_SRX, K_RED = 40.0, 6.4, 5.1e-3, 3.3e-3, 0.21
V_TRXR, K_TRXR, K_ALT = 230.0, 1.8, 79.0
STATES = ("hydrogen_peroxide", "prx_sulfenic", "prx_disulfide", "prx_sulfinic", "trx_disulfide")
SUPPLIES = (1.0, 30.0, 100.0, 180.0, 220.0, 260.0, 400.0, 1000.0)


def selvaggio(supply: float, trx: float = TRX):
    """Return the slopes of H2O2, SH, SOH, SS, SO2H and oxidised thioredoxin."""

    def slopes(_, state):
        peroxide, thiol, sulfenic, disulfide, sulfinic, oxidised = state
        oxidation, condensation = K_OX * peroxide * thiol, K_COND * sulfenic
        over, repair = K_SULF * peroxide * sulfenic, K_SRX * sulfinic
        renewal = K_RED * (trx - oxidised) * disulfide
        return [
            supply - oxidation - over - K_ALT * peroxide,
            renewal - oxidation,
            oxidation + repair - condensation - over,
            condensation - renewal,
            over - repair,
            renewal - V_TRXR * oxidised / (K_TRXR + oxidised),
        ]

    return slopes


def published_cycle(supply: float, seconds: np.ndarray, trx: float = TRX) -> np.ndarray:
    run = solve_ivp(
        selvaggio(supply, trx), (0.0, seconds[-1]), [0, PRX, 0, 0, 0, 0], "BDF", seconds, rtol=1e-9, atol=1e-11
    )
    assert run.success
    return run.y


def our_cycle(supply: float, seconds: np.ndarray, trx: float = TRX, **numbers: float) -> dict[str, np.ndarray]:
    """Return our states in umol/L; a membrane that hardly lets pass, and much outside, supply at a steady rate."""
    redox = CATALOGUE.load("redox", "selvaggio_2018")
    redox = with_numbers(redox, **({} if trx == TRX else {"thioredoxin": trx}), **numbers)
    name, line = line_of("4t1", catalase_rate=0.0, peroxide_permeability=1e-15)
    sets = sheets_of(calcium="li_rinzel_1994", redox=redox, coupling=None, energetics=None)
    passes = 1e-15 * line.membrane_area.si / line.volume.si
    cells = one_cell((name, line), sets, peroxide_outside=supply * MICRO / passes)
    run = play_cell(cells, seconds)
    found = {n: run[f"cell.{n}"] / MICRO for n in STATES[1:]}
    found["hydrogen_peroxide"] = run["peroxide"] / MICRO
    return found


COURSE = np.array([0.0, 1e-3, 0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0, 1e4])


@pytest.mark.parametrize("supply", SUPPLIES)
def test_selvaggio_courses_agree(supply):
    ours, theirs = our_cycle(supply, COURSE), published_cycle(supply, COURSE)
    for name, row in zip(STATES, theirs[[0, 2, 3, 4, 5]], strict=True):
        assert ours[name] == pytest.approx(row, rel=1e-4, abs=1e-6), name
    thiol = PRX - sum(ours[n] for n in STATES if n.startswith("prx_"))
    assert thiol == pytest.approx(theirs[1], rel=1e-4, abs=1e-5)
    assert np.all(thiol > -1e-6)


def steady_supply(flux: float, trx: float = TRX) -> tuple[float, float]:
    """Return (supply, H2O2) at which thioredoxin carries a flux: the cycle's steady state in closed form."""
    oxidised = K_TRXR * flux / (V_TRXR - flux)
    disulfide = flux / (K_RED * (trx - oxidised))
    sulfenic = flux / K_COND
    # flux = k_ox H (PRX - SS - SOH (1 + k_sulf H / k_srx)) is quadratic in H; the smaller root is the way up.
    left = PRX - disulfide - sulfenic
    a, b, c = K_SULF / K_SRX * sulfenic, -left, flux / K_OX
    root = b * b - 4 * a * c
    if left <= 0 or root < 0 or oxidised >= trx:
        return math.nan, math.nan
    peroxide = 2 * c / (-b + math.sqrt(root))
    return flux + K_ALT * peroxide + K_SULF * sulfenic * peroxide, peroxide


@pytest.mark.parametrize("flux", [1.0, 50.0, 100.0, 150.0, 160.0])
def test_selvaggio_steady_states(flux):
    supply, peroxide = steady_supply(flux)
    ours = our_cycle(supply, np.array([0.0, 1e5]))
    assert ours["hydrogen_peroxide"][-1] == pytest.approx(peroxide, rel=1e-5)
    assert ours["prx_sulfenic"][-1] * K_COND == pytest.approx(flux, rel=1e-5)
    assert ours["trx_disulfide"][-1] == pytest.approx(K_TRXR * flux / (V_TRXR - flux), rel=1e-5)


@pytest.mark.parametrize("trx", [23.0, 8.0, 4.0])
def test_peroxiredoxin_gives_way_beyond_what_thioredoxin_renews(trx):
    """The smaller of k_red [Prx] [Trx] and V bounds what the cycle carries; beyond it the thiol is gone.

    Peroxiredoxin II as sulfinic acid and the sink of 79 1/s round the corner: there is no jump in the published set.
    """
    most = min(K_RED * PRX * trx, V_TRXR)
    left = []
    for share in (0.25, 0.5, 1.0, 2.0, 4.0):
        run = our_cycle(share * most, np.array([0.0, 1e5]), trx)
        left.append(1.0 - sum(run[n][-1] for n in STATES if n.startswith("prx_")) / PRX)
        carried = share * most - K_ALT * run["hydrogen_peroxide"][-1]
        assert carried < most
        assert run["trx_disulfide"][-1] < trx
    assert np.all(np.diff(left) < 0)
    assert left[0] > 0.6
    assert left[1] > 0.3
    assert left[-1] < 0.01


@pytest.mark.parametrize("trx", [23.0, 8.0, 4.0])
def test_switch_of_the_cycle_alone(trx):
    """Without other sinks and without sulfinic acid the switch is sharp, at the flux that leaves no thiol."""

    def thiol(flux: float) -> float:
        return PRX - flux / K_COND - flux / (K_RED * (trx - K_TRXR * flux / (V_TRXR - flux)))

    bound = min(K_RED * PRX * trx, V_TRXR * trx / (trx + K_TRXR))
    most = brentq(thiol, 1.0, min(bound, V_TRXR * trx / (trx + K_TRXR) * (1 - 1e-9)))
    assert most < bound
    alone = {"other_sinks": 0.0, "peroxiredoxin_overoxidation": 0.0}
    times = np.array([0.0, 1000.0, 2000.0])
    below, above = (our_cycle(share * most, times, trx, **alone) for share in (0.98, 1.02))
    flux = 0.98 * most
    assert below["hydrogen_peroxide"][1:] == pytest.approx(np.full(2, flux / (K_OX * thiol(flux))), rel=1e-5)
    rise = above["hydrogen_peroxide"][2] - above["hydrogen_peroxide"][1]
    assert rise / 1000.0 == pytest.approx(0.02 * most, rel=1e-2)


def test_without_a_source_everything_is_reduced():
    run = our_cycle(0.0, np.array([0.0, 1e4]))
    for name in STATES:
        assert np.all(np.abs(run[name]) < 1e-12), name


@pytest.mark.parametrize(("total", "printed"), [(5.0, 0.17), (50.0, 0.020), (500.0, 0.002)])
def test_gradient_across_the_membrane(total, printed):
    """[H]_c / [H]_e = P S/V / (P S/V + k_tot), for a sphere of 6 um and 2e-4 cm/s."""
    radius = 6.0
    size = {"volume": 4 / 3 * math.pi * radius**3 * 1e-3, "membrane_area": 4 * math.pi * radius**2}
    line = line_of("4t1", catalase_rate=total, peroxide_permeability=2e-6, **size)
    redox = with_numbers(CATALOGUE.load("redox", "selvaggio_2018"), peroxiredoxin=0.0, other_sinks=0.0)
    sets = sheets_of(calcium="li_rinzel_1994", redox=redox, coupling=None, energetics=None)
    run = play_cell(one_cell(line, sets, peroxide_outside=0.01), [0.0, 100.0])
    passes = 2e-6 * 3 / (radius * 1e-6)
    assert run["peroxide"][-1] / 0.01 == pytest.approx(passes / (passes + total), rel=1e-6)
    assert run["peroxide"][-1] / 0.01 == pytest.approx(printed, abs=0.005 if printed > 0.1 else 0.0005)


@pytest.mark.parametrize("line", LINES)
def test_cells_keep_peroxide_far_below_that_outside(line):
    """Adimora 2010, Sies 2020: the membrane and the sinks behind it hold a steep gradient; 1 to 10 nmol/L at rest.

    Ten umol/L outside make less than a hundredth of it inside.
    """
    cells = one_cell(line, peroxide_outside=0.01)
    assert play_cell(cells, [600.0])["peroxide"][-1] < 1e-4


@pytest.mark.parametrize("glutathione", [2.0, 3.0])
def test_glutathione_peroxidase_saturates_above_a_micromole_while_catalase_does_not(glutathione):
    """Mueller 1997: with the glutathione of erythrocytes and the constants 60 and 0.04 L/umol/s of the enzyme.

    Half of the highest rate is reached at k2 GSH / k1 = 1.3 to 2 umol/L, however much enzyme there is.
    """
    redox = with_numbers(
        CATALOGUE.load("redox", "mammalian_redox"),
        peroxiredoxin=0.0,
        other_sinks=0.0,
        superoxide__respiratory_share=0.0,
        superoxide__oxidase_rate=0.0,
        glutathione__peroxidase_oxidation=60.0,
        glutathione__peroxidase_reduction=0.04,
    )
    line = line_of("4t1", glutathione=glutathione, peroxide_permeability=1.0)  # outside and inside alike
    sets = sheets_of(redox=redox, coupling=None, energetics=None)
    rates = []
    levels = np.array([1e-3, 1.0, 1e3])
    half = 0.04 * glutathione * 1e3 / 60.0
    for level in levels:
        cells = one_cell(line, sets, peroxide_outside=level * half * MICRO)
        run = play_cell(cells, [0.0, 1e-4])
        rates.append(rate_of(cells, run, "glutathione_peroxidase") / rate_of(cells, run, "catalase"))
    assert rates[1] / rates[0] == pytest.approx(0.5, rel=5e-3)
    assert rates[2] / rates[0] == pytest.approx(1e-3, rel=5e-2)
    assert 1.0 < half < 2.5


def rate_of(cells, run, process: str) -> float:
    network = cells.network
    symbols = [s.symbol for s in network.species.values()]
    symbols += [s for block in network.equilibria.values() for s in block.symbols]
    given = [p.symbol for p in network.parameters.values()]
    rate = network.processes[f"cell.{process}"].rate.expression
    f = ca.Function("f", [ca.vertcat(*symbols), ca.vertcat(*given)], [rate])
    return float(f(run.states[-1], [p.value for p in network.parameters.values()]))


def test_constants_written_here_are_those_of_the_sheets():
    """A slip in a sheet shows here by name, before a curve departs."""
    calcium = CATALOGUE.load("calcium_handling", "li_rinzel_1994")
    assert calcium.ip3_receptor_rate.value == pytest.approx(V1 * C1)
    assert calcium.er_leak.value == pytest.approx(V2 * C1)
    for key, number in {
        "er_volume_share": C1,
        "serca_rate": V3,
        "serca_constant": K3,
        "ip3_constant": D1,
        "ip3_inhibition_constant": D2,
        "ip3_inhibition_ip3_constant": D3,
        "ip3_activation_constant": D5,
        "ip3_inhibition_rate": A2,
    }.items():
        assert getattr(calcium, key).value == number, key
