"""Cerenkov light against published numbers: index of water, threshold, photons per path, per decay and per dose."""

from __future__ import annotations

import numpy as np
import pytest

from nanotrial.errors import InputError, UnitError
from nanotrial.radiation import cerenkov


@pytest.mark.parametrize(("wavelength", "index"), [("589.3 nm", 1.33335), ("404.7 nm", 1.34314), ("706.5 nm", 1.33058)])
def test_index_of_water_is_that_of_the_tables(wavelength, index):
    # Relative to vacuum at 20 degC: IAPWS release on the refractive index, 1.3330, 1.3427 and 1.3302 relative to air.
    assert cerenkov.refractive_index(wavelength).magnitude == pytest.approx(index, abs=2.5e-4)


def test_electrons_shine_from_261_to_264_kiloelectronvolts_on():
    assert 261.0 < cerenkov.threshold().magnitude < 264.0
    below, above = cerenkov.photons_per_path(["250 keV", "270 keV"], "589 nm", "590 nm").magnitude
    assert below == 0.0
    assert above > 0.0


def test_photons_per_centimetre_of_the_fastest_electrons():
    # 2 pi alpha (1 - 1 / n^2) (1 / 400 nm - 1 / 700 nm) with n = 1.33 is 213.4 per cm; with its rise to the blue 216.
    assert 213.0 < cerenkov.photons_per_path("20 MeV", "400 nm", "700 nm").magnitude < 220.0
    by_hand = 2 * np.pi / 137.036 * (1 - 1 / 1.3340**2) * (1 / 500 - 1 / 600) * 1e7
    assert cerenkov.photons_per_path("20 MeV", "500 nm", "600 nm").magnitude == pytest.approx(by_hand, rel=2e-3)


def test_photons_of_an_electron_add_up_those_of_its_path():
    # Between two energies so near that stopping and light are even: photons = light per path x path.
    more = np.diff(cerenkov.photons_per_electron(["0.99 MeV", "1.01 MeV"]).magnitude)[0]
    # Stopping power of water at 1 MeV: 1.849 + 0.0128 MeV cm2/g (ESTAR).
    expected = cerenkov.photons_per_path("1 MeV").magnitude * 0.02 / 1.862
    assert more == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("nuclide", "low", "high", "tolerance"),
    # 400 to 800 nm, after Gill 2015 and Glaser 2015 as recalled. Theirs let fast betas leave their sources, and differ
    # by 15 % among each other; a source without end, as here, lies at the upper end or above.
    [("18F", 1.3, 3.0, 0.0), ("90Y", 50.0, 57.0, 0.05), ("68Ga", 30.0, 34.0, 0.2)],
)
def test_photons_per_decay(nuclide, low, high, tolerance):
    assert (1 - tolerance) * low < cerenkov.photons_per_decay(nuclide).magnitude < (1 + tolerance) * high


def test_nuclides_stand_in_the_published_order():
    order = ("90Y", "68Ga", "198Au", "89Zr", "18F", "131I", "64Cu", "177Lu")
    found = [cerenkov.photons_per_decay(n).magnitude for n in order]
    assert found == sorted(found, reverse=True)


def test_what_shines_without_betas_is_nothing():
    # Neither emits electrons above the threshold, whatever has been reported of the like.
    assert cerenkov.photons_per_decay("125I").magnitude == 0.0
    assert cerenkov.photons_per_decay("99mTc").magnitude == pytest.approx(0.0, abs=1e-4)


def test_light_of_a_linear_accelerator_per_energy():
    # Klein 2019, table 6 (after Glaser 2014): 81 photons per MeV for 6 MV; its range of wavelengths is not the same.
    per_energy = cerenkov.photons_per_dose("6 MV").to("1/kg/Gy").magnitude * 1.602176634e-13
    assert per_energy == pytest.approx(81.0, rel=0.3)
    assert cerenkov.photons_per_dose("100 keV").magnitude == 0.0


def test_recoil_electrons_carry_the_mean_share_of_klein_and_nishina():
    # Mean energy of the recoil over that of the photon at 1 MeV: 0.440 (textbook tables).
    energies, shares = cerenkov.compton_electrons(1000.0)
    assert shares @ energies == pytest.approx(440.0, rel=5e-3)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: cerenkov.photons_per_electron("1 GeV"), InputError),
        (lambda: cerenkov.photons_per_electron("1"), UnitError),
        (lambda: cerenkov.photons_per_decay("90Q"), InputError),
        (lambda: cerenkov.photons_per_decay("90Y", "800 nm", "400 nm"), InputError),
        (lambda: cerenkov.threshold("50 nm"), InputError),
    ],
)
def test_wrong_input_is_refused(call, error):
    with pytest.raises(error):
        call()
