"""Lognormal size classes against closed moments, the limit of one size, and coats by mass and by thickness."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from tubes import given, make_study, of_material, play

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.particle.population import SizeClasses, coat_geometry, size_classes
from nanotrial.study import Coat, Particle

DIAMETER = 30e-9
MATERIAL, COATING = (
    Catalogue().load(k, n) for k, n in (("materials", "calcium_peroxide"), ("coatings", "sodium_hyaluronate"))
)


def number_moment(classes: SizeClasses, k: float) -> float:
    """Return the number mean of radius^k."""
    numbers = classes.mole_shares / classes.radii**3
    return float(np.sum(numbers * classes.radii**k) / np.sum(numbers))


def lognormal_moment(spread: float, k: float) -> float:
    return (DIAMETER / 2) ** k * math.exp(0.5 * (k * math.log(spread)) ** 2)


@pytest.mark.parametrize("spread", [1.05, 1.4, 2.0, 3.0])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_moments_of_radius_are_those_of_the_lognormal(spread, k):
    """Nine points meet the moments of ln a to order 17: an exponential moment k is met while (k - 3) ln s is small."""
    found = number_moment(size_classes(DIAMETER, spread, 21), k)
    assert found == pytest.approx(lognormal_moment(spread, k), rel=1e-9 if spread < 2.5 else 1e-5)


def test_more_classes_meet_the_moments_better():
    exact = lognormal_moment(3.0, 1)
    errors = [abs(number_moment(size_classes(DIAMETER, 3.0, n), 1) / exact - 1) for n in (3, 5, 9, 15, 25)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 1e-2
    assert errors[-1] < 1e-7


@pytest.mark.parametrize("count", [3, 9, 20, 41])
@pytest.mark.parametrize("spread", [1.01, 1.5, 4.0])
def test_mole_shares_are_a_partition(count, spread):
    classes = size_classes(DIAMETER, spread, count)
    assert len(classes.radii) == len(classes.mole_shares) == count
    assert classes.mole_shares.sum() == pytest.approx(1, rel=1e-13)
    assert np.all(classes.mole_shares > 0)
    assert np.all(np.diff(classes.radii) > 0)


def test_one_size_is_one_class():
    classes = size_classes(DIAMETER, 1.0, 9)
    assert (classes.radii.tolist(), classes.mole_shares.tolist()) == ([DIAMETER / 2], [1.0])
    assert classes.specific_area == pytest.approx(6 / DIAMETER, rel=1e-14)


@pytest.mark.parametrize("spread", [1.2, 2.0])
def test_specific_area_is_that_of_the_sauter_radius(spread):
    sauter = DIAMETER / 2 * math.exp(2.5 * math.log(spread) ** 2)
    assert size_classes(DIAMETER, spread, 21).specific_area == pytest.approx(3 / sauter, rel=1e-9)


RATE = 2e-9
LAW = of_material(
    "calcium_peroxide",
    acid_rate=(RATE, "mol/m^2/s"),
    acid_order=(1e-9, "1"),
    water_rate=(0.0, "mol/m^2/s"),
    log_k=(40.0, "1"),
    activation_energy=(0.0, "kJ/mol"),
    saturation_ph=(-300.0, "1"),
)
SPEED = RATE * MATERIAL.molar_mass.si / MATERIAL.density.si
# The acid term is halved at pH = pH_sat; with order 1e-9 the plateau factor is 1 / (1 + 10^(1e-9 * ...)) = 1 / 2.
HALF = 0.5


def left(hours: list[float], spread: float, classes: int = 9) -> np.ndarray:
    more = {"geometric_sd": spread, "size_classes": classes} if spread > 1 else {}
    study = make_study(
        [given(concentration="0.5 mmol/L")],
        buffer="acetate",
        concentration="300 mmol/L",
        ph=5.0,
        particles={"bare": {"core": "calcium_peroxide", "diameter": f"{DIAMETER * 1e9} nm", **more}},
        atmosphere="closed",
    )
    return play(study, hours, LAW)["core_left"]


def lognormal_left(hours: float, spread: float) -> float:
    """Return the share left under reaction control: the mole-weighted mean of (1 - speed t / a)^3."""
    sigma, gone = math.log(spread), HALF * SPEED * hours * 3600
    middle = DIAMETER / 2 * math.exp(3 * sigma**2)

    def weighed(x: float) -> float:
        share = max(1 - gone / (middle * math.exp(sigma * x)), 0.0)
        return share**3 * math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)

    low = math.log(gone / middle) / sigma
    return quad(weighed, max(low, -12.0), 12.0, epsabs=1e-13, epsrel=1e-11)[0]


LIFE = DIAMETER / 2 / (HALF * SPEED) / 3600
TIMES = [LIFE * f for f in (0.1, 0.3, 0.6, 0.9)]


def test_one_size_follows_the_shrinking_sphere():
    exact = np.array([(1 - t / LIFE) ** 3 for t in TIMES])
    assert left(TIMES, 1.0) == pytest.approx(exact, rel=1e-4, abs=2e-6)


def test_a_vanishing_spread_is_one_size():
    assert left(TIMES, 1.00001) == pytest.approx(left(TIMES, 1.0), rel=2e-4)
    assert left(TIMES, 1.3)[2] > 2 * left(TIMES, 1.0)[2]


def test_more_classes_approach_the_whole_population():
    exact = np.array([lognormal_left(t, 1.8) for t in TIMES])
    worst = [np.max(np.abs(left(TIMES, 1.8, n) - exact)) for n in (3, 5, 9, 21)]
    assert worst == sorted(worst, reverse=True)
    assert worst[2] < 2e-3, "the default of nine classes"
    assert worst[3] < 2e-4


def geometry(spread: float = 1.0, **coat: float):
    particle = Particle(
        "p",
        "calcium_peroxide",
        DIAMETER,
        spread,
        9,
        (Coat("sodium_hyaluronate", coat.get("mass_fraction"), coat.get("thickness")),),
    )
    return coat_geometry(particle, MATERIAL, COATING, size_classes(DIAMETER, spread, 9))


@pytest.mark.parametrize("spread", [1.0, 1.5])
@pytest.mark.parametrize("fraction", [0.001, 0.2, 0.9])
def test_mass_fraction_and_thickness_are_inverse(fraction, spread):
    by_mass = geometry(spread, mass_fraction=fraction)
    whole = by_mass.mass_per_mole + MATERIAL.molar_mass.si
    assert by_mass.mass_per_mole / whole == pytest.approx(fraction, rel=1e-12)
    by_size = geometry(spread, thickness=by_mass.thickness)
    assert by_size.mass_per_mole == pytest.approx(by_mass.mass_per_mole, rel=1e-9)
    assert by_size.mass_per_area == pytest.approx(by_mass.mass_per_area, rel=1e-9)


def test_a_shell_by_hand():
    """Shell of 10 nm on a core of radius 15 nm: 4/3 pi (25^3 - 15^3) nm^3 of 5 % polymer of 1750 kg/m^3."""
    shell = geometry(thickness=10e-9)
    mass = 1750 * 0.05 * 4 / 3 * math.pi * (25e-9**3 - 15e-9**3)
    assert shell.mass_per_area == pytest.approx(mass / (4 * math.pi * 15e-9**2), rel=1e-9)
    core = 2920 * 4 / 3 * math.pi * 15e-9**3 / 0.07208
    assert shell.mass_per_mole == pytest.approx(mass / core, rel=1e-9)


def test_a_thin_shell_is_a_film():
    thin = 1e-6 * DIAMETER / 2
    packed = COATING.density.si * COATING.polymer_volume_fraction.si
    assert geometry(thickness=thin).mass_per_area == pytest.approx(packed * thin, rel=2e-6)


def test_polydisperse_coat_keeps_mass_and_area_consistent():
    """Mass per mole of core over area per mole of core is the mass per area."""
    spread = 1.5
    coat = geometry(spread, mass_fraction=0.2)
    molar_volume = MATERIAL.molar_mass.si / MATERIAL.density.si
    area_per_mole = size_classes(DIAMETER, spread, 9).specific_area * molar_volume
    assert coat.mass_per_mole / area_per_mole == pytest.approx(coat.mass_per_area, rel=1e-12)
