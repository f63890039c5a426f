"""Compositions, coefficients and fluorescence: exact cases, limits, and wrong input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, UnitError
from nanotrial.radiation.attenuation import attenuation, coefficients, energy_absorption
from nanotrial.radiation.composition import Composition, atomic_weight, composition, loaded, mix
from nanotrial.radiation.energy_transfer import compton_share, free_compton, positron_factor, radiation_yields
from nanotrial.radiation.fluorescence import (
    edges,
    escaping_energy,
    fluorescence_energy,
    fluorescence_lines,
    fluorescence_yield,
    radiated_energies,
    shell_edges,
)
from nanotrial.radiation.formula import SYMBOLS, read_formula
from nanotrial.radiation.high_energy import incoherent_cross_section, pair_cross_section, photoelectric_fall
from nanotrial.radiation.self_absorption import reabsorbed_fraction, sphere_escape
from nanotrial.units import registry


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("HfO2", {"Hf": 1, "O": 2}),
        ("Ca10(PO4)6(OH)2", {"Ca": 10, "P": 6, "O": 26, "H": 2}),
        ("CaHPO4.2H2O", {"Ca": 1, "H": 5, "P": 1, "O": 6}),
        ("CaSO4.0.5H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("Fe0.95O", {"Fe": 0.95, "O": 1}),
        ("Cu2(OH)PO4", {"Cu": 2, "O": 5, "H": 1, "P": 1}),
        ("K4[Fe(CN)6]·3H2O", {"K": 4, "Fe": 1, "C": 6, "N": 6, "H": 6, "O": 3}),
        ("2H2O", {"H": 4, "O": 2}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
    ],
)
def test_a_formula_counts_its_atoms(text, counts):
    assert read_formula(text, "test") == pytest.approx({SYMBOLS[s]: n for s, n in counts.items()})


@pytest.mark.parametrize("text", ["", "Xx2", "HfO2)", "(HfO2", "H0", "(OH]2", "2", "hfo2", "H2O*", "Au-Ag"])
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(InputError, match="expected a chemical formula"):
        read_formula(text, "test")


def test_one_substance_has_one_composition_by_every_name():
    gold = composition("Au")
    assert composition("gold").fractions == gold.fractions == ((79, 1.0),)
    assert gold.density == pytest.approx(19.3, rel=2e-3)
    apatite = composition("Ca10(PO4)6(OH)2")
    assert dict(composition("hydroxyapatite").fractions) == pytest.approx(dict(apatite.fractions))
    assert apatite.density == composition("HAP").density == pytest.approx(3.16, abs=0.02)
    assert composition("soft tissue").fractions == composition("soft_tissue").fractions
    assert composition("H2O").name == "water"
    shares = dict(composition("HfO2").fractions)
    assert shares[72] == pytest.approx(atomic_weight(72) / (atomic_weight(72) + 2 * atomic_weight(8)), rel=1e-12)
    assert composition(gold) is gold


def test_every_tissue_of_the_catalogue_sums_to_one_and_has_a_density():
    names = Catalogue().ids("tissues")
    expected = {"water", "soft_tissue", "muscle", "adipose", "lung", "cortical_bone", "brain", "blood", "air", "pmma"}
    assert expected <= set(names)
    for name in names:
        found = composition(name)
        assert sum(w for _, w in found.fractions) == pytest.approx(1.0, abs=1e-12)
        assert found.density > 0.0
        # Electrons per gram lie between those of metals and twice those of hydrogen-free matter.
        assert 0.49 < found.electrons_per_gram < 0.57


def test_a_mapping_is_a_mixture_by_mass():
    mixed = composition({"Au": "7 mg/g", "water": 0.993})
    water = dict(composition("water").fractions)
    assert dict(mixed.fractions)[79] == pytest.approx(0.007)
    assert dict(mixed.fractions)[1] == pytest.approx(0.993 * water[1])
    assert 1.0 / mixed.density == pytest.approx(0.007 / composition("Au").density + 0.993, rel=1e-9)
    assert dict(composition({"Au": "0.7 %", "water": "99.3 %"}).fractions) == pytest.approx(dict(mixed.fractions))
    assert mix([(composition("Au"), 1.0), (Composition("dust", ((6, 1.0),)), 1.0)], "half").density is None


def test_particles_push_medium_aside():
    filled = loaded("water", "Au", "7 mg/mL")
    gold, water = composition("Au"), composition("water")
    assert filled.density == pytest.approx(0.007 + (1 - 0.007 / gold.density) * water.density, rel=1e-12)
    assert dict(filled.fractions)[79] == pytest.approx(0.007 / filled.density, rel=1e-12)
    assert loaded("water", "Au", "0 mg/mL").density == pytest.approx(water.density)
    assert loaded("water", "Au", f"{gold.density} g/cm^3").fractions == ((79, 1.0),)
    with pytest.raises(InputError, match=r"at most the density of Au"):
        loaded("water", "Au", "20 g/mL")
    with pytest.raises(InputError, match="density is not known"):
        loaded(Composition("gas", ((6, 1.0),)), "Au", "1 mg/mL")
    with pytest.raises(InputError, match="at least 0"):
        loaded("water", "Au", "-1 mg/mL")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("golld", r"Did you mean `gold`"),
        ("soft_tisue", r"Did you mean `soft_tissue`"),
        ("Xx", "an element, a chemical formula"),
        ({"Au": 0.5, "water": 0.4}, r"sum to 0\.9"),
        ({"Au": -0.1, "water": 1.1}, r"composition\.Au: found -0\.1"),
        ({}, "a mapping of parts"),
        (79, "a mapping of parts"),
    ],
)
def test_a_wrong_composition_says_what_is_wrong(what, message):
    with pytest.raises(InputError, match=message):
        composition(what)


@settings(max_examples=30, deadline=None)
@given(
    share=st.floats(0.0, 1.0),
    energy=st.floats(1.0, 20000.0),
    pair=st.sampled_from([("Au", "water"), ("HfO2", "soft_tissue"), ("Ca", "O2")]),
)
def test_coefficients_of_a_mixture_add_by_mass(share, energy, pair):
    parts = [composition(name) for name in pair]
    mixture = mix(list(zip(parts, (share, 1.0 - share), strict=True)), "mixture")
    at = np.array([energy])
    whole, one, two = (coefficients(c, at) for c in (mixture, *parts))
    for name in ("total", "absorption", "photoelectric", "incoherent", "coherent", "pair"):
        expected = share * getattr(one, name) + (1.0 - share) * getattr(two, name)
        assert getattr(whole, name) == pytest.approx(expected, rel=1e-9, abs=1e-25)
    assert whole.total == pytest.approx(whole.photoelectric + whole.incoherent + whole.coherent + whole.pair, rel=1e-12)
    assert 0.0 < whole.absorption[0] < whole.total[0]


def test_edges_stay_sharp():
    gold = composition("Au")
    edge = edges("Au")["K"].m_as("keV")
    below, at, above = coefficients(gold, np.array([edge * (1 - 1e-9), edge, edge * (1 + 1e-9)])).photoelectric
    assert at == pytest.approx(above, rel=1e-6)
    assert at / below == pytest.approx(4.87, rel=0.01)
    # The edge read from a text is the edge, whatever its conversion rounds.
    assert attenuation("Au", f"{edge} keV").m > 3.0 * attenuation("Au", f"{edge - 1e-6} keV").m


def test_arrays_keep_their_shape_and_units():
    energies = np.array([[20.0, 60.0], [100.0, 1000.0]]) * registry().keV
    found = attenuation("water", energies)
    assert found.shape == (2, 2)
    assert found.check("[length]**2/[mass]")
    assert found[0, 1].m == pytest.approx(attenuation("water", "60 keV").m)
    assert energy_absorption("water", ["20 keV", "1 MeV"]).m == pytest.approx([0.5503, 0.03103], rel=0.01)


@pytest.mark.parametrize("energy", ["0.5 keV", "25 MeV", "0 keV", "-3 keV"])
def test_energies_outside_the_tables_are_refused(energy):
    for function in (attenuation, energy_absorption):
        with pytest.raises(InputError, match="1 to 20000 keV, the range of the tables"):
            function("Au", energy)


def test_an_energy_needs_its_unit():
    with pytest.raises(UnitError):
        attenuation("Au", "60 kg")
    with pytest.raises(InputError):
        attenuation("Au", "60")


def test_free_electrons_scatter_as_thomson_and_klein_nishina_say():
    total, share = free_compton(np.array([1e-3, 510.99895]))
    assert total[0] == pytest.approx(0.6652459e-24, rel=1e-5)
    # At low energy the share of the electron is E / m c2; at E = m c2 the integrals have closed forms.
    assert share[0] == pytest.approx(1e-3 / 510.99895, rel=1e-4)
    radius2 = 2.8179403262e-13**2
    assert total[1] == pytest.approx(2 * np.pi * radius2 * (2 * (4 / 3 - np.log(3)) + np.log(3) / 2 - 4 / 9), rel=1e-9)
    kept = np.pi * radius2 * (np.log(3) + 2 * 2 * (2 - 2 - 1) / 9 + 8 / (3 * 27))
    assert share[1] == pytest.approx(1 - kept / total[1], rel=1e-9)


def test_binding_matters_little_to_what_compton_electrons_get():
    energies = np.array([20.0, 100.0, 500.0, 5000.0])
    for z in (1, 8, 79):
        assert compton_share(z, energies) == pytest.approx(free_compton(energies)[1], rel=0.35)
        assert compton_share(z, energies)[-1] == pytest.approx(free_compton(energies)[1][-1], rel=1e-12)


def test_pairs_begin_at_twice_the_rest_energy():
    assert pair_cross_section(79, np.array([1.0, 1000.0, 1021.99])).sum() == 0.0
    near = pair_cross_section(79, np.array([1060.0, 1100.0]))
    assert 0.0 < near[0] < near[1] < pair_cross_section(79, np.array([1250.0]))[0]
    # XCOM at gold (barn): 15.08 + 0.1412 at 15 MeV, and between its points 9.167 + 0.05315 at 7 MeV.
    assert pair_cross_section(79, np.array([15e3, 7e3])) == pytest.approx([15.2212e-24, 9.2202e-24], rel=3e-3)
    energies = np.array([800.0, 3000.0, 20000.0])
    assert photoelectric_fall(79, energies) == pytest.approx([1.0, 0.7663 / 8.357, 0.06833 / 8.357], rel=1e-9)
    assert incoherent_cross_section(energies) == pytest.approx(free_compton(energies)[0], rel=7e-3)


def test_fluorescence_gives_back_less_than_the_vacancy_held():
    for z in range(6, 93):
        held, back = shell_edges(z), radiated_energies(z)
        for shell, energy in held.items():
            assert 0.0 <= back[shell] <= energy
    energies = np.geomspace(1.0, 2000.0, 60)
    for z in (20, 53, 79, 83):
        assert (fluorescence_energy(z, energies) < energies).all()


def test_fluorescence_of_the_k_shell_is_as_published():
    for element, edge, of_vacancy in (
        ("I", 33.169, 0.884),
        ("Gd", 50.239, 0.95),
        ("Au", 80.725, 0.964),
        ("Cu", 8.979, 0.44),
    ):
        assert edges(element)["K"].m_as("keV") == pytest.approx(edge, rel=1e-3)
        assert fluorescence_yield(element) == pytest.approx(of_vacancy, rel=0.02)
    lines = fluorescence_lines("Au")
    assert float(lines.sum()) == pytest.approx(fluorescence_yield("Au"), rel=1e-9)
    assert float(lines.energy.sel(line="K-L3")) == pytest.approx(68.806, rel=2e-3)
    below, above = (escaping_energy("Au", f"{e} keV").m_as("keV") for e in (80.6, 80.9))
    assert 1.0 < below < 5.0 < 50.0 < above < 65.0


def test_a_sphere_lets_out_what_rays_say():
    rng = np.random.default_rng(5)
    points = rng.normal(size=(200_000, 3))
    points *= (rng.random(200_000) ** (1 / 3) / np.linalg.norm(points, axis=1))[:, None]
    ways = rng.normal(size=points.shape)
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    along = (points * ways).sum(axis=1)
    lengths = -along + np.sqrt(along**2 + 1.0 - (points**2).sum(axis=1))
    for thickness in (0.005, 0.3, 3.0, 30.0):
        escaped = np.exp(-thickness * lengths)
        error = 5.0 * escaped.std() / np.sqrt(escaped.size)
        assert sphere_escape(thickness) == pytest.approx(escaped.mean(), abs=error)
    assert sphere_escape(0.00999) == pytest.approx(sphere_escape(0.01001), abs=2e-4)
    # K photons of gold leave particles, but not a ball of a centimetre.
    assert reabsorbed_fraction("Au", "50 nm", "68.8 keV").m < 1e-3
    assert reabsorbed_fraction("Au", "1 cm", "68.8 keV").m > 0.9


def test_electrons_radiate_more_in_heavy_matter_and_at_high_energy():
    for z in (8, 79):
        assert (np.diff(radiation_yields(z)[60:]) > 0.0).all()
    assert (radiation_yields(79)[60:] > radiation_yields(8)[60:]).all()
    assert positron_factor(79, np.array([10.0, 1e6])) == pytest.approx([0.13, 1.0], abs=0.12)


@pytest.mark.parametrize("what", ["HfO2", "water"])
def test_edges_are_of_elements(what):
    with pytest.raises(InputError, match="one element"):
        edges(what)
    with pytest.raises(InputError, match="a shell from K to M5"):
        fluorescence_yield("Au", "Q1")
