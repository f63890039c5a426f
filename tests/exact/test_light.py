"""Light made by radiation against closed forms, limits and small simulations: transfer, reabsorption, budgets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfc

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError, UnitError
from nanotrial.radiation import light, light_transfer, scintillation

CATALOGUE = Catalogue()
SCINTILLATORS = {i: CATALOGUE.load("scintillators", i) for i in CATALOGUE.ids("scintillators")}
DYES = {i: CATALOGUE.load("photosensitisers", i) for i in CATALOGUE.ids("photosensitisers")}
CEILING = ("2 Gy", 1e-4, 10.0, "20 1/keV", 0.5, 0.6)


def test_the_ceiling_of_a_tumour_with_a_tenth_of_a_milligram_in_a_gram():
    budget = light.photon_budget(*CEILING)
    # 2 Gy x 10 x 1e-4 / (1.602177e-16 J/keV) x 20 x 0.5 x 0.6 molecules per kg
    assert budget.made == pytest.approx(2e-3 / 1.602176634e-16 * 20 * 0.3, rel=1e-12)
    assert budget.made == pytest.approx(7.5e13, rel=2e-3)
    assert budget.concentration.to("nmol/L").magnitude == pytest.approx(0.1244, rel=1e-3)
    assert np.prod([number for _, number, _ in budget.factors]) == pytest.approx(budget.made, rel=1e-12)
    assert [name for name, _, _ in budget.factors][:3] == ["dose to water", "dose ratio", "mass fraction"]
    # 0.1 to 1 mmol/L are needed.
    assert budget.shortfall == pytest.approx((8.04e5, 8.04e6), rel=1e-3)
    assert "times too little" in budget.statement


def test_one_per_cent_and_8_gray_still_make_tens_of_nanomoles():
    made = light.photon_budget("8 Gy", "1 %", 10.0, "20 1/keV", 0.5, 0.6).concentration.to("nmol/L").magnitude
    assert made == pytest.approx(0.12437 * 400, rel=1e-3)


def test_a_budget_with_enough_says_so():
    budget = light.photon_budget("1 MGy", 1.0, 10.0, "20 1/keV", 0.5, 0.6)
    assert budget.shortfall[1] < 1.0
    assert budget.statement.endswith("enough")


@settings(deadline=None, max_examples=25)
@given(which=st.integers(0, 5), factor=st.floats(0.05, 1.0))
def test_what_is_made_is_linear_in_every_factor(which, factor):
    given_ = ["2 Gy", 1e-4, 10.0, "20 1/keV", 0.5, 0.6]
    scaled = list(given_)
    scaled[which] = {0: f"{2 * factor} Gy", 3: f"{20 * factor} 1/keV"}.get(which) or given_[which] * factor
    assert light.photon_budget(*scaled).made == pytest.approx(factor * light.photon_budget(*given_).made, rel=1e-9)


def test_foerster_radius_has_the_constant_of_the_textbook():
    # R0 = 0.211 (kappa^2 n^-4 Q J)^(1/6) Angstrom with J in nm4 L/mol/cm
    expected = 0.0211 * (2 / 3 * 1.4**-4 * 0.7 * 1e15) ** (1 / 6)
    assert light_transfer.foerster_radius(1e15, 0.7, 1.4) == pytest.approx(expected, rel=2e-3)


@settings(deadline=None)
@given(radius=st.floats(0.5, 10.0), distance=st.floats(0.3, 30.0), acceptors=st.integers(1, 50))
def test_resonance_is_half_at_the_radius_and_rates_of_acceptors_add(radius, distance, acceptors):
    assert light_transfer.resonance_efficiency(radius, radius) == pytest.approx(0.5)
    many = light_transfer.resonance_efficiency(radius, distance, acceptors)
    assert many == pytest.approx(1.0 / (1.0 + (distance / radius) ** 6 / acceptors), rel=1e-9)


@pytest.mark.parametrize("density", [1e-4, 1e-3, 1e-2])
def test_random_acceptors_without_a_nearest_distance_give_foersters_law(density):
    radius = 4.0
    g = 0.5 * np.sqrt(np.pi) * density * 4 / 3 * np.pi * radius**3
    expected = np.sqrt(np.pi) * g * np.exp(g**2) * erfc(g)
    assert light_transfer.efficiency_among(radius, density, 0.0) == pytest.approx(expected, rel=1e-9)


def test_many_far_acceptors_act_by_the_sum_of_their_rates():
    rate = 4 * np.pi * 0.5 * 2.0**6 / (3 * 7.0**3)
    assert light_transfer.efficiency_among(2.0, 0.5, 7.0) == pytest.approx(rate / (1 + rate), rel=1e-3)


def test_random_acceptors_between_the_limits_as_a_simulation_has_them():
    radius, density, nearest, far = 3.0, 4e-3, 2.0, 20.0
    generator, shares = np.random.default_rng(7), []
    mean = density * 4 / 3 * np.pi * (far**3 - nearest**3)
    for _ in range(4000):
        count = generator.poisson(mean)
        r = (nearest**3 + generator.random(count) * (far**3 - nearest**3)) ** (1 / 3)
        rate = np.sum((radius / r) ** 6)
        shares.append(rate / (1 + rate))
    error = np.std(shares) / np.sqrt(len(shares))
    assert light_transfer.efficiency_among(radius, density, nearest) == pytest.approx(np.mean(shares), abs=4 * error)


def test_a_sphere_keeps_its_own_light_as_a_simulation_has_it():
    generator = np.random.default_rng(3)
    points = generator.random(200_000) ** (1 / 3)
    cosine = generator.uniform(-1, 1, points.size)
    path = -points * cosine + np.sqrt(1 - points**2 * (1 - cosine**2))
    for depth in (0.003, 0.3, 3.0):
        lost = np.exp(-depth * path)
        kept = light_transfer.kept_in_sphere(np.array([depth]))[0]
        assert kept == pytest.approx(1 - lost.mean(), abs=4 * lost.std() / np.sqrt(lost.size))
    thin, thick = light_transfer.kept_in_sphere(np.array([1e-6, 1e4]))
    assert thin == pytest.approx(0.75e-6, rel=1e-5)
    assert thick == pytest.approx(1 - 0.75e-4, rel=1e-6)
    # Series and closed form meet.
    assert np.diff(light_transfer.kept_in_sphere(np.array([0.01 - 1e-9, 0.01 + 1e-9])))[0] == pytest.approx(
        1.5e-9, rel=0.5
    )


def test_overlap_of_a_narrow_line_is_the_absorption_under_it():
    sheet = SCINTILLATORS["gd2o2s_tb"]
    line = replace(sheet, width=replace(sheet.width, value=0.2))
    dye = DYES["rose_bengal"]
    at = light_transfer.absorptivity(dye, np.array([545.0]))[0]
    assert light_transfer.overlap(line, dye) == pytest.approx(at * 545.0**4, rel=1e-4)
    main = dye.bands[0]
    alone = replace(dye, bands=[main])
    peak, half = main.peak.value, 0.5 * main.width.value
    found = light_transfer.absorptivity(alone, np.array([peak, 1 / (1 / peak + half / peak**2)]))
    assert found == pytest.approx([main.molar_absorptivity.value, 0.5 * main.molar_absorptivity.value], rel=1e-9)


@pytest.mark.parametrize("name", SCINTILLATORS)
def test_emission_holds_one_photon_around_its_peak(name):
    spectrum = scintillation.emission_spectrum(name)
    assert float(spectrum.integrate("wavelength")) == pytest.approx(1.0, rel=2e-3)
    at = float(spectrum.wavelength[int(np.argmax(spectrum.values))])
    assert at == pytest.approx(SCINTILLATORS[name].peak.value, rel=0.06)


@settings(deadline=None, max_examples=40)
@given(
    scintillator=st.sampled_from(sorted(SCINTILLATORS)),
    dye=st.sampled_from(sorted(DYES)),
    fraction=st.floats(1e-4, 0.4),
    distance=st.floats(0.5, 10.0),
    diameter=st.floats(10.0, 500.0),
)
def test_transfer_is_a_share_that_grows_with_acceptors_and_falls_with_distance(
    scintillator, dye, fraction, distance, diameter
):
    def share(fraction_, distance_):
        sheets = SCINTILLATORS[scintillator], DYES[dye]
        return light_transfer.transfer_efficiency(*sheets, fraction_, distance_ * 1e-9, diameter * 1e-9)

    found = share(fraction, distance)
    assert 0.0 <= found <= 1.0
    assert share(0.0, distance) == 0.0
    assert share(1.5 * fraction, distance) >= found - 1e-12
    assert share(fraction, 1.5 * distance) <= found + 1e-12


def test_without_resonance_transfer_is_what_the_particle_takes_up_again():
    sheets = SCINTILLATORS["gd2o2s_tb"], DYES["rose_bengal"]
    far = light_transfer.transfer_efficiency(*sheets, 0.02, 1e-6, 200e-9)
    amount = light_transfer.acceptor_amount(*sheets, 0.02)
    assert far == pytest.approx(light_transfer.reabsorbed(*sheets, amount, 100.0), rel=1e-3)
    # 0.02 kg in a volume of 0.98 / 7300 + 0.02 / 1300 m3, 0.97367 kg/mol
    assert amount == pytest.approx(0.02 / 0.97367 / (0.98 / 7300 + 0.02 / 1300) * 1e-3, rel=1e-9)


def test_what_resonance_leaves_can_still_be_taken_up_as_light():
    sheets = SCINTILLATORS["gd2o2s_tb"], DYES["rose_bengal"]
    amount = light_transfer.acceptor_amount(*sheets, 0.01)
    radius = light_transfer.foerster_radius(light_transfer.overlap(*sheets), sheets[0].quantum_efficiency.value)
    resonant = light_transfer.efficiency_among(radius, amount * 0.602214076, 16.0)
    kept = light_transfer.reabsorbed(*sheets, amount, 1000.0)
    assert 0.2 < resonant < 0.8
    assert 0.2 < kept < 0.8
    whole = light_transfer.transfer_efficiency(*sheets, 0.01, 16e-9, 2e-6)
    assert 1 - whole == pytest.approx((1 - resonant) * (1 - kept), rel=1e-9)


def test_tissue_and_acceptor_share_what_a_large_tumour_keeps():
    sheets = SCINTILLATORS["gd2o2s_tb"], DYES["rose_bengal"]
    narrow = replace(sheets[0], width=replace(sheets[0].width, value=0.2))
    wanted = np.log(10) * light_transfer.absorptivity(sheets[1], np.array([545.0]))[0] * 1e-5
    share = light_transfer.inner_filter(narrow, sheets[1], 1e-5, 3.0 * wanted, 1e4)
    assert share == pytest.approx(0.25, rel=1e-3)
    assert light_transfer.inner_filter(*sheets, 0.0, 1.0, 0.5) == 0.0


def test_dose_ratio_of_one_line_is_that_of_two_coefficients():
    from nanotrial.radiation.attenuation import energy_absorption

    expected = energy_absorption("CsI", "60 keV") / energy_absorption("water", "60 keV")
    assert scintillation.dose_ratio("csi_tl", "60 keV") == pytest.approx(expected.magnitude, rel=1e-9)


def test_the_budget_of_sheets_is_that_of_its_factors():
    given_ = {"acceptor_fraction": "5 %", "distance": "3 nm", "diameter": "50 nm"}
    budget = light.light_budget("csi_tl", "ce6", "60 keV", "2 Gy", "0.1 mg/g", **given_)
    ratio = scintillation.dose_ratio("csi_tl", "60 keV")
    moved = light_transfer.transfer_efficiency(SCINTILLATORS["csi_tl"], DYES["ce6"], 0.05, 3e-9, 50e-9)
    photons = scintillation.scintillation_photons("csi_tl", "60 keV", "2 Gy", "0.1 mg/g").magnitude
    assert photons == pytest.approx(2 * ratio * 1e-4 * 54.0 / 1.602176634e-16, rel=1e-9)
    assert budget.made == pytest.approx(photons * moved * DYES["ce6"].product_yield.value, rel=1e-9)


def test_a_donor_of_nitric_oxide_has_its_own_product_and_threshold():
    given_ = {"acceptor_fraction": 0.05, "distance": "3 nm", "diameter": "50 nm"}
    names = "lithium_lutetium_fluoride_cerium", "roussins_black_salt"
    budget = light.light_budget(*names, "60 keV", "2 Gy", 1e-4, **given_)
    assert budget.product == "nitric_oxide"
    assert budget.needed == light.THRESHOLDS["nitric_oxide"]


CERENKOV = {"decays": "1e11 1/g", "amount": "10 umol/L", "tissue_absorption": "2 1/cm", "diameter": "1 cm"}


def test_cerenkov_light_of_a_nuclide_below_threshold_makes_nothing():
    assert light.cerenkov_budget("125I", "ce6", **CERENKOV).amount == 0.0
    assert light.cerenkov_budget("125I", "ce6", **CERENKOV).shortfall == (np.inf, np.inf)


def test_cerenkov_light_is_shared_between_dye_and_tissue():
    few = light.cerenkov_budget("90Y", "ce6", **CERENKOV)
    taken = dict((n, x) for n, x, _ in few.factors)["taken up"]
    assert 0.0 < taken < 1.0
    clear = light.cerenkov_budget("90Y", "ce6", **{**CERENKOV, "tissue_absorption": lambda w: np.zeros_like(w)})
    assert clear.made > few.made
    twice = light.cerenkov_budget("90Y", "ce6", **{**CERENKOV, "decays": "2e11 1/g"})
    assert twice.made == pytest.approx(2 * few.made)


RELAY = {"amount": "10 umol/L", "tissue_absorption": "2 1/cm", "diameter": "1 cm"}


def test_a_relay_adds_by_light_and_by_mass_in_proportion():
    chelate = SCINTILLATORS["eu_dtpa"]
    found = light.relay("64Cu", "eu_dtpa", "vbbo", chelate_amount="1 mmol/L", transferred=0.5, **RELAY)
    none = light.relay("64Cu", "eu_dtpa", "vbbo", chelate_amount="0 mol/L", transferred=0.5, **RELAY)
    whole = light.relay("64Cu", "eu_dtpa", "vbbo", chelate_amount="1 mmol/L", transferred=1.0, **RELAY)
    assert none.ratio == 0.0
    assert none.direct == found.direct > 0.0
    assert whole.ratio == pytest.approx(2 * found.ratio)
    # Electrons of 64Cu carry 124.8 keV a decay; a millimole per litre of chelate is 5.4e-4 of the mass.
    per_decay = 124.8 * 540.27e-6 * chelate.light_yield.value * 0.5
    assert found.by_electrons == pytest.approx(per_decay, rel=0.01)


def test_a_chelate_alone_in_clear_tissue_takes_up_half_as_thin_a_share():
    thin = light.relay("90Y", "eu_dtpa", "vbbo", chelate_amount="1 umol/L", transferred=1.0, **RELAY).by_light
    double = light.relay("90Y", "eu_dtpa", "vbbo", chelate_amount="2 umol/L", transferred=1.0, **RELAY).by_light
    assert double == pytest.approx(2 * thin, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "word"),
    [
        (lambda: light.photon_budget("2", *CEILING[1:]), UnitError, "absorbed_dose"),
        (lambda: light.photon_budget("-2 Gy", *CEILING[1:]), InputError, "absorbed_dose"),
        (lambda: light.photon_budget("2 Gy", 1.2, *CEILING[2:]), InputError, "mass_fraction"),
        (lambda: light.photon_budget(*CEILING[:4], 1.5, 0.6), InputError, "transferred"),
        (lambda: light.photon_budget(*CEILING[:5], -0.6), InputError, "product yield"),
        (lambda: light.photon_budget(*CEILING, product="ozone"), InputError, "product"),
        (lambda: scintillation.emission_spectrum("csi"), CatalogueError, "csi_tl"),
        (lambda: light.read_photosensitiser("rose"), CatalogueError, "rose_bengal"),
        (
            lambda: light.relay("64Cu", "csi_tl", "vbbo", chelate_amount="1 mol/L", transferred=1.0, **RELAY),
            InputError,
            "eu_dtpa",
        ),
        (
            lambda: light.relay("64Cu", "eu_dtpa", "vbbo", chelate_amount="1 mol/L", transferred=2.0, **RELAY),
            InputError,
            "0 to 1",
        ),
        (
            lambda: light_transfer.transfer_efficiency(SCINTILLATORS["csi_tl"], DYES["ce6"], 1.0, 1e-9, 1e-8),
            InputError,
            "fraction",
        ),
        (
            lambda: light_transfer.transfer_efficiency(SCINTILLATORS["csi_tl"], DYES["ce6"], 0.1, -1e-9, 1e-8),
            InputError,
            "distance",
        ),
        (
            lambda: light_transfer.acceptor_amount(SCINTILLATORS["csi_tl"], replace(DYES["ce6"], molar_mass=None), 0.1),
            InputError,
            "molar_mass",
        ),
    ],
)
def test_wrong_input_is_named(call, error, word):
    with pytest.raises(error, match=word):
        call()
