"""A shrinking sphere against closed forms: each control alone, two in series, and the laws of pH, dopant and heat."""

from __future__ import annotations

import casadi as ca
import numpy as np
import pytest
from scipy.optimize import brentq
from tubes import TIGHT

from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.particle.dissolution import FADE, Surface, cube_root, shrunk_radius, surface_rate
from nanotrial.solve.run import simulate_network

RADIUS, MOLAR_VOLUME = 1e-6, 2.5e-5
FAR = 1e20  # a supply, a ceiling or a rate that limits nothing


def surface(
    acid: float = FAR,
    water: float = 0.0,
    open_share: float = 1.0,
    omega_root: float = 0.0,
    ceiling: float = FAR,
    protons: float = 2.0,
    acids: tuple[tuple[float, float, float], ...] = ((FAR, 1.0, 0.0),),
    product: float = 1.0,
    product_coat: float = 0.0,
) -> Surface:
    """Return a surface of fixed numbers; each of ``acids`` is (mol/m^3, m^2/s, s/m)."""
    rate = "mol/m^2/s"
    rows = tuple((constant(c, "mol/m^3"), constant(d, "m^2/s"), constant(r, "s/m")) for c, d, r in acids)
    return Surface(
        constant(acid, rate),
        constant(water, rate),
        constant(open_share, "1"),
        constant(omega_root, "1"),
        constant(ceiling, "mol/m^3"),
        protons,
        rows,
        constant(product, "m^2/s"),
        constant(product_coat, "s/m"),
    )


def rate_of(one: Surface, radius: float = RADIUS) -> float:
    return float(ca.DM(surface_rate(one, constant(radius, "m")).expression))


def left_of(one: Surface, times: list[float]) -> np.ndarray:
    """Return the share of a sphere that is left."""
    network = Network("sphere")
    network.compartment("tube", constant(1.0, "m^3"))
    moles = network.state("core", "tube", initial=1.0)
    left = moles / constant(1.0, "mol")
    radius = constant(RADIUS, "m")
    area = moles * constant(MOLAR_VOLUME, "m^3/mol") * 3.0 / (radius * cube_root(left))
    network.process("dissolution", {"core": -1}, surface_rate(one, shrunk_radius(radius, left)) * area)
    network.observe("left", left, "1")
    return simulate_network(network, times, tolerances=TIGHT)["left"]


RADII = np.array([0.95, 0.8, 0.5, 0.3, 0.1])


def assert_radii(one: Surface, times: np.ndarray) -> None:
    """The share left is the cube of RADII at these times.

    The fade slows an area by the part FADE / (3 share), and supply to a sphere by twice that; summed over the life
    until then the share is too large by at most 2 FADE / share of itself.
    """
    share = RADII**3
    assert np.all(np.abs(left_of(one, list(times)) / share - 1) < 1e-8 + 2 * FADE / share)


def test_reaction_control_shrinks_the_radius_evenly():
    assert_radii(surface(acid=1e-6), RADIUS * (1 - RADII) / (MOLAR_VOLUME * 1e-6))


def test_water_attack_needs_no_acid():
    one = surface(acid=0.0, water=1e-6, acids=((0.0, 1.0, 0.0),))
    assert_radii(one, RADIUS * (1 - RADII) / (MOLAR_VOLUME * 1e-6))


def test_blocked_surface_slows_both_attacks():
    one = surface(acid=1e-6, water=5e-7, open_share=0.25)
    assert_radii(one, RADIUS * (1 - RADII) / (MOLAR_VOLUME * 1.5e-6 * 0.25))


def test_after_its_life_nothing_is_left():
    life = RADIUS / (MOLAR_VOLUME * 1e-6)
    before, at_end, after = left_of(surface(acid=1e-6), [0.98 * life, life, 1.1 * life])
    assert before == pytest.approx(0.02**3, rel=0.1)
    assert 0 < at_end < 2 * FADE
    # The fade ends with the rate 3 / (life * (1.5 FADE)^(1/3)), 260 per life.
    assert abs(after) < 1e-10


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_product_control_shrinks_the_area_evenly(share):
    diffusivity, ceiling = 1e-9, 2.0
    one = surface(omega_root=share, ceiling=ceiling, product=diffusivity)
    speed = MOLAR_VOLUME * diffusivity * ceiling * (1 - share)
    assert_radii(one, RADIUS**2 * (1 - RADII**2) / (2 * speed))


@pytest.mark.parametrize(
    ("protons", "acids"),
    [
        (2.0, ((1e-3, 9.3e-9, 0.0),)),
        (1.0, ((1e-3, 9.3e-9, 0.0),)),
        (2.0, ((1e-3, 9.3e-9, 0.0), (5.0, 0.9e-9, 0.0))),
    ],
)
def test_acid_supply_control_is_the_sum_of_the_acids(protons, acids):
    supply = sum(c * d for c, d, _ in acids)
    times = protons * RADIUS**2 * (1 - RADII**2) / (2 * MOLAR_VOLUME * supply)
    one = surface(protons=protons, acids=acids)
    assert_radii(one, times)
    assert rate_of(one) == pytest.approx(supply / (protons * RADIUS), rel=1e-12)


def test_reaction_and_removal_add_their_times():
    rate, diffusivity, ceiling = 3e-4, 1e-9, 0.3
    by_reaction = RADIUS * (1 - RADII) / (MOLAR_VOLUME * rate)
    by_removal = RADIUS**2 * (1 - RADII**2) / (2 * MOLAR_VOLUME * diffusivity * ceiling)
    assert 0.1 < by_reaction[0] / by_removal[0] < 10
    assert_radii(surface(acid=rate, ceiling=ceiling, product=diffusivity), by_reaction + by_removal)


def test_a_coat_adds_its_resistance_to_acid_and_product():
    diffusivity, coat = 1e-9, 5e3
    along = RADIUS**2 * (1 - RADII**2) / (2 * diffusivity) + coat * RADIUS * (1 - RADII)
    assert_radii(surface(acids=((0.2, diffusivity, coat),)), along * 2.0 / (MOLAR_VOLUME * 0.2))
    assert_radii(surface(ceiling=0.2, product=diffusivity, product_coat=coat), along / (MOLAR_VOLUME * 0.2))


def test_saturated_and_supersaturated_solution_leaves_the_core():
    for root in (1.0, 1.5, 30.0):
        assert 0 <= rate_of(surface(acid=1.0, omega_root=root)) < FADE


def implicit(order: float, ratio: float) -> float:
    """Return r / (k H_b^m) of  ratio x^m = 1 - x  with x = H_s / H_b and ratio = nu_H k H_b^m / (G H_b)."""
    x = brentq(lambda s: ratio * s**order - (1 - s), 0.0, 1.0, xtol=1e-15, rtol=1e-14)
    return (1 - x) / ratio


def harmonic(order: float, ratio: float, bulk: float = 0.37) -> float:
    conductance, rate_constant = 2e-3, ratio * 2e-3 * bulk ** (1 - order) / 2.0
    kinetic = rate_constant * bulk**order
    one = surface(acid=kinetic, acids=((bulk, conductance * RADIUS, 0.0),))
    return rate_of(one) / kinetic


RATIOS = np.logspace(-4, 4, 161)


def test_harmonic_mean_is_exact_for_first_order():
    for ratio in RATIOS:
        assert harmonic(1.0, ratio) == pytest.approx(implicit(1.0, ratio), rel=1e-9)


@pytest.mark.parametrize("order", [0.18, 0.35, 0.5, 0.85, 2.0])
def test_harmonic_mean_departs_by_its_known_worst_case(order):
    """With x = H_s / H_b the ratio of the two is 1 / (x^m + 1 - x), farthest from 1 at x = m^(-1/(m-1))."""
    x = order ** (-1 / (order - 1))
    worst = 1 / (x**order + 1 - x)
    found = [harmonic(order, ratio) / implicit(order, ratio) for ratio in (*RATIOS, (1 - x) / x**order)]
    extreme = min(found) if order < 1 else max(found)
    assert extreme == pytest.approx(worst, rel=1e-8)
    assert found[0] == pytest.approx(1, abs=2e-3)
    # Supply control is met slowly where the order is low.
    assert found[-2] == pytest.approx(1, abs=0.02)


def test_harmonic_mean_is_a_fifth_low_at_most_for_half_order():
    found = [harmonic(0.5, ratio) / implicit(0.5, ratio) for ratio in (*RATIOS, 1.5)]
    assert min(found) == pytest.approx(0.8, rel=1e-9)
    assert max(found) <= 1 + 1e-9
