"""Half-lives, energies per decay and yields of radionuclides against printed ones, and beta spectra against tables.

Energies (keV per decay) and yields: ICRP 107. Half-lives and endpoints: evaluated files (nndc_ensdf), in part recalled.
Points of beta spectra (per MeV and decay): the tables of ICRP 107, which no sheet holds.
"""

import numpy as np
import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.radiation import nuclide
from nanotrial.radiation.nuclides import mean_of_branch

# half-life, beta minus, beta plus, conversion and Auger electrons, photons without and with annihilation
PRINTED = {
    "131I": ("8.0207 d", 181.9, 0.0, 10.0, 382.7),
    "125I": ("59.40 d", 0.0, 0.0, 19.2, 42.9),
    "177Lu": ("6.647 d", 133.3, 0.0, 14.7, 35.1),
    "64Cu": ("12.700 h", 74.3, 48.4, 2.1, 7.6 + 177.9),
    "89Zr": ("78.41 h", 0.0, 89.9, 12.0, 925.7 + 232.4),
    "99mTc": ("6.015 h", 0.0, 0.0, 16.2, 126.6),
    "198Au": ("2.69517 d", 312.2, 0.0, 15.5, 403.0),
    "192Ir": ("73.827 d", 171.9, 0.0, 45.8, 816.5),
    "103Pd": ("16.991 d", 0.0, 0.0, 5.8, 14.6),
    "90Y": ("64.10 h", 932.9, 0.0, 0.2, 0.0),
}
LINES = [
    *[("131I", 364.5, 0.817), ("131I", 637.0, 0.072), ("131I", 284.3, 0.061), ("125I", 35.5, 0.067)],
    *[("177Lu", 208.4, 0.110), ("177Lu", 112.9, 0.064), ("64Cu", 511.0, 0.348), ("64Cu", 1345.8, 0.0047)],
    *[("89Zr", 909.1, 0.990), ("99mTc", 140.5, 0.891), ("198Au", 411.8, 0.956), ("192Ir", 316.5, 0.827)],
    *[("192Ir", 468.1, 0.478), ("192Ir", 308.5, 0.297), ("192Ir", 296.0, 0.287)],
    *[("137Cs", 661.7, 0.851), ("60Co", 1173.2, 0.9985), ("60Co", 1332.5, 0.9998), ("18F", 511.0, 1.934)],
]
# endpoint (keV) and mean (keV) of main branches
BRANCHES = [
    *[("131I", 606.3, 191.6), ("131I", 333.8, 96.6), ("177Lu", 498.3, 149.3), ("177Lu", 177.0, 47.7)],
    *[("64Cu", 579.4, 190.7), ("64Cu", 653.0, 278.2), ("89Zr", 902.0, 395.5), ("198Au", 960.5, 314.8)],
    *[("192Ir", 675.1, 209.9), ("192Ir", 538.8, 162.1), ("137Cs", 513.97, 174.3), ("60Co", 317.9, 95.8)],
    *[("90Y", 2280.0, 933.6), ("18F", 633.5, 249.8), ("68Ga", 1899.0, 829.5), ("86Y", 1221.0, 535.0)],
]
POINTS = {
    "131I": (
        [24.0, 80.0, 160.0, 280.0, 400.0, 500.0, 650.0, 750.0],
        [3.395, 3.161, 2.676, 1.776, 0.9124, 0.2974, 0.002335, 0.0004287],
    ),
    "177Lu": (
        [15.0, 50.0, 100.0, 180.0, 240.0, 320.0, 400.0, 450.0],
        [5.338, 4.638, 3.642, 2.433, 1.793, 0.9643, 0.3285, 0.08584],
    ),
    "90Y": (
        [70.0, 220.0, 450.0, 800.0, 1100.0, 1500.0, 1800.0, 2200.0],
        [0.3825, 0.4862, 0.5868, 0.6292, 0.5979, 0.4647, 0.2771, 0.01403],
    ),
    "18F": (
        [20.0, 65.0, 130.0, 220.0, 320.0, 400.0, 500.0, 600.0],
        [0.7338, 1.702, 2.389, 2.607, 2.188, 1.549, 0.6557, 0.05162],
    ),
    "198Au": (
        [40.0, 140.0, 280.0, 500.0, 700.0, 900.0, 1100.0, 1300.0],
        [1.771, 1.783, 1.636, 1.105, 0.4706, 0.03248, 6.961e-05, 7.521e-06],
    ),
    "64Cu": (
        [20.0, 65.0, 130.0, 220.0, 320.0, 400.0, 500.0, 600.0],
        [1.138, 1.324, 1.484, 1.435, 1.1, 0.7163, 0.2534, 0.02446],
    ),
    "137Cs": (
        [36.0, 120.0, 240.0, 400.0, 600.0, 750.0, 900.0, 1100.0],
        [3.224, 2.842, 2.239, 0.8502, 0.05546, 0.04332, 0.02645, 0.003294],
    ),
    "192Ir": (
        [20.0, 70.0, 140.0, 240.0, 320.0, 450.0, 550.0, 650.0],
        [3.394, 3.12, 2.654, 1.913, 1.359, 0.5218, 0.1467, 0.006836],
    ),
    "89Zr": (
        [28.0, 90.0, 180.0, 320.0, 450.0, 600.0, 700.0, 850.0],
        [0.02158, 0.1538, 0.3246, 0.4476, 0.4212, 0.276, 0.1523, 0.01309],
    ),
    "68Ga": (
        [55.0, 180.0, 360.0, 650.0, 900.0, 1200.0, 1500.0, 1800.0],
        [0.07914, 0.3178, 0.5768, 0.7856, 0.7817, 0.5831, 0.2673, 0.02198],
    ),
    "60Co": (
        [45.0, 150.0, 300.0, 500.0, 750.0, 1000.0, 1200.0, 1400.0],
        [5.853, 3.411, 0.06436, 0.001102, 0.00107, 0.0008627, 0.0005296, 9.574e-05],
    ),
}


@pytest.mark.parametrize("name", PRINTED)
def test_half_life_and_energies_per_decay(name):
    half_life, minus, plus, lines, photons = PRINTED[name]
    found = nuclide(name)
    number, unit = half_life.split()
    assert found.half_life.to(unit).magnitude == pytest.approx(float(number), rel=0.005)
    assert found.beta_plus_energy.magnitude == pytest.approx(plus, rel=0.02, abs=0.1)
    assert (found.beta_energy - found.beta_plus_energy).magnitude == pytest.approx(minus, rel=0.02, abs=0.1)
    assert found.line_electron_energy.magnitude == pytest.approx(lines, rel=0.02, abs=0.06)
    assert found.photon_energy.magnitude == pytest.approx(photons, rel=0.02, abs=0.1)
    assert found.electron_energy.magnitude == pytest.approx(minus + plus + lines, rel=0.02)


@pytest.mark.parametrize(("name", "energy", "share"), LINES)
def test_yields_of_main_photons(name, energy, share):
    photons = nuclide(name).photons
    near = photons.where(abs(photons.energy - energy) < 0.6, drop=True)
    assert float(near.sum()) == pytest.approx(share, rel=0.02)


def test_iodine_125_gives_its_k_lines():
    photons = nuclide("125I").photons
    assert float(photons.sel(energy=slice(27.0, 32.0)).sum()) == pytest.approx(1.41, rel=0.02)


@pytest.mark.parametrize(("name", "endpoint", "mean"), BRANCHES)
def test_endpoint_gives_the_mean_of_a_branch(name, endpoint, mean):
    found = nuclide(name)
    signed = [(-1, b) for b in found.beta_minus] + [(1, b) for b in found.beta_plus]
    sign, branch = min(signed, key=lambda pair: abs(pair[1].endpoint - endpoint))
    assert branch.endpoint == pytest.approx(endpoint, rel=0.004)
    computed = mean_of_branch(branch, found.atomic_number, found.mass_number, sign)
    assert computed == pytest.approx(branch.mean, rel=0.02)
    assert computed == pytest.approx(mean, rel=0.02)


@pytest.mark.parametrize("name", Catalogue().ids("nuclides"))
def test_every_branch_has_the_mean_it_prints(name):
    found = nuclide(name)
    for sign, branches in ((-1, found.beta_minus), (1, found.beta_plus)):
        for branch in branches:
            computed = mean_of_branch(branch, found.atomic_number, found.mass_number, sign)
            assert computed == pytest.approx(branch.mean, rel=0.02), branch


@pytest.mark.parametrize("name", POINTS)
def test_beta_spectrum_against_the_tables(name):
    energies, printed = (np.array(row) for row in POINTS[name])
    computed = 1000.0 * nuclide(name).beta_spectrum([f"{e} keV" for e in energies]).values
    assert np.abs(computed - printed).max() < 0.03 * printed.max()


def test_air_kerma_rate_constants():
    """Gy m2 / (Bq s) of photons above 20 keV: Cs-137 and Co-60 as tabulated (ninkovic_2005, recalled)."""
    from nanotrial.radiation import beam

    for name, published in (("137Cs", 21.4e-18), ("60Co", 83.8e-18)):
        found = nuclide(name)
        photons = found.photons.sel(energy=slice(20.0, None))
        number = float(photons.sum())
        per_fluence = beam(photons.rename("photons")).dose_per_fluence("air").to("Gy*m^2").magnitude
        assert number * per_fluence / (4.0 * np.pi) == pytest.approx(published, rel=0.04)
