"""Dose in spheres with a nuclide in them: published absorbed fractions, limits, and conservation of energy."""

from __future__ import annotations

import numpy as np
import pytest

from nanotrial.errors import InputError, UnitError
from nanotrial.radiation import internal_dose as module
from nanotrial.radiation.composition import composition
from nanotrial.radiation.internal_dose import absorbed_dose_per_decay, dose_from_activity
from nanotrial.radiation.nuclides import nuclide

WATER = composition("water")
KEV_PER_GRAM = 1.602176634e-13


def fraction(name, mass):
    radius = (0.75 * mass / np.pi) ** (1 / 3)
    return module.absorbed_fractions(nuclide(name), WATER, 1.0, radius)[0]


@pytest.mark.parametrize(
    ("radius", "share"), [(0.1, 0.17), (0.25, 0.39), (1.0, 0.80), (1.33, 0.85), (1.68, 0.88), (2.87, 0.93)]
)
def test_betas_of_yttrium_90_in_spheres_of_1_mm_to_3_cm(radius, share):
    # Akabani and Amato, Monte Carlo, as tabulated in Hashempour 2019 (PMC6352054).
    assert module.absorbed_fractions(nuclide("90Y"), WATER, 1.0, radius)[0] == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize(("mass", "share"), [(1.2, 0.954), (0.34, 0.919)])
def test_electrons_of_iodine_131_in_organs_of_mice(mass, share):
    # Liver and kidney, ellipsoids, Flynn 2001 as tabulated in a public study of mice (EJNMMI Research 1:29).
    assert fraction("131I", mass) == pytest.approx(share, rel=0.03)


@pytest.mark.parametrize(("name", "activity"), [("90Y", 2.22e6), ("177Lu", 4.67e6)])
def test_dose_in_the_middle_of_a_tumour_of_a_gram(name, activity):
    # J Nucl Med 44:1293, figure 6: these activities give 96.2 Gy to the centre of 1 g on complete decay.
    source = nuclide(name)
    energies, numbers = module.electrons_of_decay(source)
    grid = np.geomspace(1.01, energies.max(), 24)
    inside = [module.electron_fraction(WATER, 1.0, float(e), lambda r: (r < 0.62).astype(float)) for e in grid]
    taken = float((energies * numbers) @ np.interp(energies, grid, inside))
    dose = KEV_PER_GRAM * taken * activity / source.decay_constant.magnitude
    assert dose == pytest.approx(96.2, rel=0.1)


@pytest.mark.parametrize(
    ("name", "mass", "value"),
    [
        # Full absorption of electrons is 2.37e-11; spheres of a gram of OLINDA lie a few per cent below.
        *(("177Lu", "1 g", 2.3e-11), ("177Lu", "0.1 g", 2.22e-10)),
        # Sphere model of MIRD (Stabin and Konijnenberg 2000), recalled: 1.1e2 and 1.0e3 mGy/(MBq h).
        *(("131I", "1 g", 1.1e2 * 1e-12 / 3.6), ("131I", "0.1 g", 1.0e3 * 1e-12 / 3.6)),
    ],
)
def test_doses_per_decay_within_a_tenth(name, mass, value):
    found = absorbed_dose_per_decay(name, mass)
    assert found.to("Gy/Bq/s").magnitude == pytest.approx(value, rel=0.1)


def test_a_large_sphere_keeps_all_electrons_but_their_bremsstrahlung():
    # Radiation yield of water at 1 MeV: 3.58e-3 (ESTAR, within 10 % of the Born law used here).
    kept = module.electron_fraction(WATER, 1.0, 1000.0, lambda r: module.still_inside(r, 1e4))
    assert 1.0 - kept == pytest.approx(3.58e-3, rel=0.15)
    assert module.electron_fraction(WATER, 1.0, 30.0, lambda r: module.still_inside(r, 1e4)) == pytest.approx(
        1.0, abs=1e-3
    )


def test_a_tiny_sphere_takes_stopping_power_times_its_mean_way_out():
    # The mean straight way from even starts to the surface is 3 R / 4; stopping power at 1 MeV 1.849 MeV cm2/g (ESTAR).
    radius = 2e-3
    found = module.electron_fraction(WATER, 1.0, 1000.0, lambda r: module.still_inside(r, radius))
    assert found == pytest.approx(1.849 * 0.75 * radius, rel=0.06)


@pytest.mark.parametrize(("energy", "path"), [(20.0, 8.566e-4), (100.0, 1.431e-2), (1000.0, 0.4367)])
def test_the_whole_path_is_the_range_of_the_tables(energy, path):
    course = module.track(WATER, 1.0, energy)
    assert course.paths[-1] * (1 - 0.5 / module.STEPS) ** -2 == pytest.approx(path, rel=0.02)
    # Electrons end well within their path: at 0.6 to 0.8 of it, root mean square (Monte Carlo of several codes).
    assert 0.6 < np.sqrt(course.straightness[-1]) < 0.8
    assert np.all(np.diff(course.straightness) <= 1e-9)


def test_moments_of_a_chain_go_from_a_rod_to_a_random_walk():
    second, fourth = module.chain_moments(np.array([1e-4, 0.0499999, 0.0500001, 1e4]))
    assert second[0] == pytest.approx(1.0, abs=1e-4)
    assert fourth[0] == pytest.approx(1.0, abs=1e-4)
    assert np.diff(second[1:3])[0] == pytest.approx(0.0, abs=1e-3)
    # <r^2> = 2 l s, <r^4> = 5/3 <r^2>^2 of a Gaussian in three dimensions.
    assert second[3] == pytest.approx(2e-4, rel=1e-3)
    assert fourth[3] == pytest.approx(5 / 3 * second[3] ** 2, rel=1e-3)


def test_moments_of_a_chain_are_those_of_simulated_walks_on_a_sphere():
    generator, turns, steps, count = np.random.default_rng(5), 2.0, 400, 4000
    step = turns / steps
    way = np.tile([0.0, 0.0, 1.0], (count, 1))
    place = np.zeros_like(way)
    for _ in range(steps):
        place += step * way
        # Rotational diffusion with <cos> = exp(-s).
        way += np.sqrt(step) * generator.standard_normal(way.shape)
        way /= np.linalg.norm(way, axis=1)[:, None]
    square = np.sum(place**2, axis=1) / turns**2
    second, fourth = module.chain_moments(np.array([turns]))
    assert second[0] == pytest.approx(square.mean(), rel=0.02)
    assert fourth[0] == pytest.approx((square**2).mean(), rel=0.03)


@pytest.mark.parametrize("name", ["177Lu", "90Y", "64Cu", "125I"])
def test_dose_times_mass_grows_towards_all_energy(name):
    masses = [1e-3, 1e-2, 0.1, 1.0, 100.0]
    kept = [absorbed_dose_per_decay(name, f"{m} g").magnitude * m / KEV_PER_GRAM for m in masses]
    source = nuclide(name)
    assert kept == sorted(kept)
    assert kept[-1] < (source.electron_energy + source.photon_energy).magnitude


def test_mass_and_diameter_say_the_same():
    radius = 0.5 / 2
    by_size = absorbed_dose_per_decay("177Lu", diameter="5 mm").magnitude
    assert absorbed_dose_per_decay("177Lu", f"{4 / 3 * np.pi * radius**3} g").magnitude == pytest.approx(
        by_size, rel=1e-9
    )


def test_dose_of_an_activity_is_dose_per_decay_times_decays():
    per_decay = absorbed_dose_per_decay("177Lu", "0.5 g").magnitude
    life = nuclide("177Lu").half_life.to("s").magnitude / np.log(2)
    whole = dose_from_activity("177Lu", "1 MBq", "0.5 g").magnitude
    assert whole == pytest.approx(per_decay * 1e6 * life, rel=1e-12)
    short = dose_from_activity("177Lu", "1 MBq", "0.5 g", duration="1 h").magnitude
    assert short == pytest.approx(per_decay * 1e6 * 3600, rel=3e-3)
    half = f"{nuclide('177Lu').half_life.to('s').magnitude} s"
    assert dose_from_activity("177Lu", "1 MBq", "0.5 g", biological_half_life=half).magnitude == pytest.approx(
        whole / 2
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: absorbed_dose_per_decay("177Lu"), InputError),
        (lambda: absorbed_dose_per_decay("177Lu", "1 g", "1 cm"), InputError),
        (lambda: absorbed_dose_per_decay("177Lu", "0 g"), InputError),
        (lambda: absorbed_dose_per_decay("177Lu", "1"), UnitError),
        (lambda: absorbed_dose_per_decay("177Lx", "1 g"), InputError),
        (lambda: dose_from_activity("177Lu", "-1 MBq", "1 g"), InputError),
        (lambda: dose_from_activity("177Lu", "1 MBq", "1 g", biological_half_life="0 h"), InputError),
    ],
)
def test_wrong_input_is_refused(call, error):
    with pytest.raises(error):
        call()
