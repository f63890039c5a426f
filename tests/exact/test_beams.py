"""Beams: exact layers of lines, filters that add up, distance, names, what was not said, and wrong input."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.errors import InputError, UnitError
from nanotrial.radiation import beam, nuclide
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.beams import Beam
from nanotrial.radiation.composition import Composition, composition
from nanotrial.units import registry

TWO_LINES = Beam("two lines", np.array([30.0, 90.0]), np.array([0.7, 0.3]))


def slopes(material, energies):
    substance = composition(material)
    return substance.density * coefficients(substance, np.asarray(energies, float)).total


def kerma_behind(made, material, thickness):
    weights = made.fluence * made.energies * coefficients(composition("air"), made.energies).absorption
    return float(weights @ np.exp(-slopes(material, made.energies) * thickness))


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("material", ["Al", "Cu", "water"])
def test_layers_of_a_line_are_ln_2_over_mu(material, order):
    expected = 10.0 * np.log(2.0) / slopes(material, [60.0])[0]
    layer = beam("60 keV").half_value_layer(material, order)
    assert layer.units == registry().mm
    assert layer.magnitude == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("made", [TWO_LINES, beam("100 kV")], ids=["two lines", "tube"])
def test_layers_halve_and_grow(made):
    whole = kerma_behind(made, "Al", 0.0)
    layers = [made.half_value_layer("Al", order).to("cm").magnitude for order in (1, 2, 3)]
    for n in (1, 2, 3):
        assert kerma_behind(made, "Al", sum(layers[:n])) == pytest.approx(whole / 2**n, rel=1e-9)
    assert layers[0] < layers[1] < layers[2]
    hardest = 10.0 * np.log(2.0) / slopes("Al", made.energies).min()
    assert made.half_value_layer("Al", 60).magnitude == pytest.approx(hardest, rel=0.06)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 20.0), st.floats(0.01, 1.0))
def test_filters_commute_and_add(aluminium, copper):
    al, cu = f"{aluminium!r} mm", f"{copper!r} mm"
    one, other = TWO_LINES.filtered({"Al": al, "Cu": cu}), TWO_LINES.filtered({"Cu": cu}).filtered({"Al": al})
    assert one.fluence == pytest.approx(other.fluence, rel=1e-9)
    assert one.relative_intensity == pytest.approx(other.relative_intensity, rel=1e-9)
    halves = TWO_LINES.hardened("Cu", f"{copper / 2!r} mm").hardened("Cu", f"{copper / 2!r} mm")
    assert halves.relative_intensity == pytest.approx(TWO_LINES.filtered({"Cu": cu}).relative_intensity, rel=1e-9)
    assert one.mean_energy > TWO_LINES.mean_energy
    assert one.fluence.sum() == pytest.approx(1.0)


def test_transmission_of_a_filter_is_exact():
    behind = beam("60 keV", filters={"Cu": "1 mm", "Al": "2 mm"})
    expected = np.exp(-0.1 * slopes("Cu", [60.0])[0] - 0.2 * slopes("Al", [60.0])[0])
    assert behind.relative_intensity == pytest.approx(expected, rel=1e-12)
    assert beam("60 keV", filters={"Cu": "0 mm"}) == beam("60 keV")


def test_distance_thins_with_the_square_and_with_air():
    air = slopes("air", [60.0])[0]
    near, far = (beam("60 keV", distance=d) for d in ("50 cm", "2 m"))
    assert near.relative_intensity == pytest.approx(4.0 * np.exp(-50.0 * air), rel=1e-12)
    assert far.relative_intensity == pytest.approx(0.25 * np.exp(-200.0 * air), rel=1e-12)
    assert beam("50 kV", distance="2 m").mean_energy > beam("50 kV", distance="20 cm").mean_energy
    assert any("no air" in text for text in beam("50 kV").assumptions)
    assert not any("no air" in text for text in beam("50 kV", distance="2 m").assumptions)


def test_usual_distance_of_a_sheet_is_the_unit_of_intensity():
    assert beam("sarrp_220").relative_intensity == 1.0
    assert beam("sarrp_220", distance="35 cm") == beam("sarrp_220")
    assert beam("sarrp_220", distance="35 cm").relative_intensity == pytest.approx(1.0, rel=1e-12)
    assert 0.2 < beam("sarrp_220", distance="70 cm").relative_intensity < 0.25
    assert beam("sarrp_220").dose_rate.to("Gy/min").magnitude > 0
    assert beam("sarrp_220", filters={"Al": "1 mm"}).dose_rate is None


def test_depth_adds_the_inverse_square():
    under = beam("1 MeV").at_depth("water", "10 cm", "50 cm")
    expected = (50.0 / 60.0) ** 2 * np.exp(-10.0 * slopes("water", [1000.0])[0])
    assert under.relative_intensity == pytest.approx(expected, rel=1e-12)
    assert beam("6 MV").hardened("water", "0 cm") == beam("6 MV")


def test_dose_per_fluence():
    # 1 MeV in water: 1000 keV * 0.03103 cm2/g (NIST) * 1.602e-13 Gy g/keV.
    assert beam("1 MeV").dose_per_fluence("water").to("Gy*cm^2").magnitude == pytest.approx(4.971e-12, rel=0.01)
    mixed = 0.7 * beam("30 keV").dose_per_fluence("Au") + 0.3 * beam("90 keV").dose_per_fluence("Au")
    assert TWO_LINES.dose_per_fluence("Au").magnitude == pytest.approx(mixed.magnitude, rel=1e-12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("100 kV", "100 kVp"), ("100 kV", "100kV"), ("60 keV", "0.06 MeV"), ("137Cs", "cs137"), ("Cs-137", "cs137")],
        *[("60Co", "cobalt-60"), ("192ir", "ir192"), ("6 MV", "6_mv"), ("15 MV", "15_mv"), ("X-RAD 320", "xrad_320")],
        *[("131I", "131-iodine"), ("Tc-99m", "99mTc"), ("xrad320 soft", "xrad_320_soft")],
    ],
)
def test_names_of_one_beam(one, other):
    assert beam(one) == beam(other)
    assert hash(beam(one)) == hash(beam(other))


def test_quantities_arrays_and_beams_are_read():
    kilovolt, energy = registry().Quantity(100.0, "kV"), registry().Quantity(60.0, "keV")
    assert beam(kilovolt) == beam("100 kV")
    assert beam(energy) == beam("60 keV")
    assert beam(beam("100 kV")) is beam("100 kV") or beam(beam("100 kV")) == beam("100 kV")
    assert beam(beam("6 MV").spectrum) == beam("6 MV")
    own = xr.DataArray([3.0, 1.0], dims="energy", coords={"energy": ("energy", [0.05, 0.15], {"units": "MeV"})})
    assert beam(own).mean_energy.magnitude == pytest.approx(75.0)
    table = beam("6 MV").spectrum
    assert table.energy.attrs["units"] == "keV"
    assert float(table.sum()) == pytest.approx(1.0)


def test_what_was_not_said_is_written():
    alone, filtered, open_beam = beam("100 kV"), beam("100 kV", filters={"Al": "2 mm"}), beam("100 kV", filters={})
    assert alone == filtered
    assert any("2 mm Al" in text for text in alone.assumptions)
    assert not any("2 mm Al" in text for text in filtered.assumptions)
    assert all(any(word in t for t in open_beam.assumptions) for word in ("anode", "window"))
    assert open_beam.mean_energy < alone.mean_energy
    assert any("anode_angle" in text for text in beam("xrad_320").assumptions)
    assert any("10 keV" in text for text in beam("131I").assumptions)


def test_photons_of_a_nuclide():
    lines = nuclide("131I").photons
    hard = lines.where(lines.energy >= 10.0, drop=True)
    made = beam("131I")
    assert made.energies == pytest.approx(hard.energy.values)
    assert made.fluence == pytest.approx(hard.values / hard.values.sum())


def test_layers_agree_with_spekpy_itself(recwarn):
    import spekpy

    for voltage, filters, material in ((80.0, {"Al": 3.0}, "Al"), (220.0, {"Cu": 0.15}, "Cu")):
        own = spekpy.Spek(kvp=voltage, th=20.0, physics="casim").multi_filter([("Be", 0.8), *filters.items()])
        made = beam(f"{voltage:g} kV", filters={m: f"{t} mm" for m, t in filters.items()})
        assert made.half_value_layer(material).magnitude == pytest.approx(own.get_hvl1(matl=material), rel=0.015)
        assert made.mean_energy.magnitude == pytest.approx(own.get_emean(), rel=0.01)


@pytest.mark.parametrize("bare", [100, 100.0, "100", " 220 "])
def test_a_voltage_needs_its_unit(bare):
    with pytest.raises(InputError, match="A voltage needs its unit: kV"):
        beam(bare)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[("xrad_230", "xrad_225"), ("131J", "i131"), ("7 MV", "6_mv"), ("0.5 keV", "1 keV to 20 MeV")],
        *[("30 MeV", "1 keV to 20 MeV"), ("5 kV", "10 to 500 kV"), ("600 kV", "10 to 500 kV")],
        *[("", "name of a beam"), (None, "name of a beam"), (True, "name of a beam"), (["100 kV"], "name of a beam")],
        *[("-5 keV", "a voltage such as"), ("6 mV", "6_mv")],
    ],
)
def test_unknown_or_impossible_beams(name, message):
    with pytest.raises(InputError, match=message):
        beam(name)


def test_a_filter_that_removes_the_beam_tells_the_transmission():
    with pytest.raises(InputError, match=r"10 mm of Pb, which lets .*e-\d+ of the photons pass") as caught:
        beam("50 kV", filters={"Pb": "1 cm"})
    assert caught.value.where == "filters.Pb"
    with pytest.raises(InputError, match="of the photons pass"):
        beam("60 keV").hardened("water", "2 m")
    with pytest.raises(InputError, match="distance"):
        beam("10 kV", filters={"Al": "0.05 mm"}, distance="1 km")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: beam("100 kV", filters={"Al": "-1 mm"}),
        lambda: beam("100 kV", filters={"Al": 2}),
        lambda: beam("100 kV", filters={"Al": "2 g"}),
        lambda: beam("100 kV", filters=["Al"]),
        lambda: beam("100 kV", filters={"unobtainium": "1 mm"}),
        lambda: beam("100 kV", filters={Composition("foam", ((6, 1.0),)): "1 mm"}),
        lambda: beam("100 kV", distance="0 cm"),
        lambda: beam("100 kV", distance="-3 cm"),
        lambda: beam("100 kV").half_value_layer("Al", 0),
        lambda: beam("100 kV").half_value_layer("Al", 1.5),
        lambda: beam("100 kV").half_value_layer(Composition("foam", ((6, 1.0),))),
        lambda: beam("100 kV").at_depth("water", "1 cm", "0 cm"),
        lambda: beam(registry().Quantity(3.0, "m")),
        lambda: beam(xr.DataArray([1.0, -1.0], dims="energy", coords={"energy": [10.0, 20.0]})),
        lambda: beam(xr.DataArray([1.0, 1.0], dims="energy", coords={"energy": [20.0, 10.0]})),
        lambda: beam(xr.DataArray([1.0, 1.0], dims="energy", coords={"energy": [0.2, 10.0]})),
    ],
)
def test_wrong_arguments(wrong):
    with pytest.raises((InputError, UnitError)):
        wrong()


@pytest.mark.parametrize("name", ["131I", "I-131", "i131", "iodine-131", "131-iodine", "Iodine 131"])
def test_nuclides_by_any_name(name):
    assert nuclide(name) is nuclide("131I")


@pytest.mark.parametrize(("name", "near"), [("132I", "i131"), ("Lu-176", "lu177"), ("xx", "Known"), ("", "Known")])
def test_unknown_nuclides_name_the_nearest(name, near):
    with pytest.raises(InputError, match=near):
        nuclide(name)
    with pytest.raises(InputError):
        nuclide(131)


def test_activity_and_decays():
    iodine = nuclide("131I")
    assert iodine.activity("8 MBq", iodine.half_life).to("MBq").magnitude == pytest.approx(4.0, rel=1e-12)
    all_of_them = 8e6 / iodine.decay_constant.magnitude
    assert iodine.decays("8 MBq", "3000 d").magnitude == pytest.approx(all_of_them, rel=1e-9)
    assert iodine.decays("8 MBq", iodine.half_life).magnitude == pytest.approx(all_of_them / 2.0, rel=1e-12)
    assert iodine.decays("1 MBq", "1 ms").magnitude == pytest.approx(1000.0, rel=1e-6)
    assert iodine.decays("1 MBq", ["1 h", "2 h"]).magnitude.shape == (2,)
    for wrong in (("-1 MBq", "1 h"), ("1 MBq", "-1 h")):
        with pytest.raises(InputError):
            iodine.decays(*wrong)
        with pytest.raises(InputError):
            iodine.activity(*wrong)
    with pytest.raises(UnitError):
        iodine.decays("1 MBq", "1 m")


@pytest.mark.parametrize("name", ["131I", "90Y", "18F", "64Cu"])
def test_beta_spectra_hold_their_number_and_energy(name):
    found = nuclide(name)
    energies = registry().Quantity(np.linspace(0.0, 2400.0, 24001), "keV")
    spectrum = found.beta_spectrum(energies)
    assert spectrum.attrs["units"] == "1/keV"
    number = float(np.trapezoid(spectrum.values, spectrum.energy.values))
    energy = float(np.trapezoid(spectrum.values * spectrum.energy.values, spectrum.energy.values))
    shares = sum(b.share for b in (*found.beta_minus, *found.beta_plus))
    assert number == pytest.approx(shares, rel=2e-3)
    assert energy == pytest.approx(found.beta_energy.magnitude, rel=0.01)
    assert np.all(spectrum.values >= 0)
    assert spectrum.values[-1] == 0.0


def test_nuclides_without_betas_emit_none():
    assert nuclide("125I").beta_energy.magnitude == 0.0
    assert np.all(nuclide("125I").beta_spectrum(["1 keV", "20 keV"]).values == 0.0)
    assert nuclide("18F").electrons.size == 0
    with pytest.raises(InputError):
        nuclide("90Y").beta_spectrum("-1 keV")
