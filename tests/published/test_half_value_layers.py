"""Half-value layers of published reference beams, from voltage, anode angle and filters alone.

Filtrations and layers: BIPM (kessler_2018), PTB (ankerhold_2000) and NIST (obrien_2021), as the scripts of chapter 8 of
poludniowski_2022 hold them. Thicknesses in mm; layers in mm of copper or aluminium.
"""

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.radiation.beams import Beam, beam
from nanotrial.radiation.tubes import tube_spectrum

REFERENCE = {
    "CCRI 30 kV": (30, {"Be": 3, "Al": 0.208, "air": 500}, "Al", 0.169),
    "CCRI 25 kV": (25, {"Be": 3, "Al": 0.372, "air": 500}, "Al", 0.242),
    "CCRI 50 kV b": (50, {"Be": 3, "Al": 1.008, "air": 500}, "Al", 1.017),
    "CCRI 50 kV a": (50, {"Be": 3, "Al": 3.989, "air": 500}, "Al", 2.262),
    "CCRI 100 kV": (100, {"Be": 3, "Al": 3.431, "air": 1150}, "Cu", 0.149),
    "CCRI 135 kV": (135, {"Be": 3, "Al": 2.228, "Cu": 0.232, "air": 1150}, "Cu", 0.489),
    "CCRI 180 kV": (180, {"Be": 3, "Al": 2.228, "Cu": 0.485, "air": 1150}, "Cu", 0.977),
    "PTB RQR 5": (70, {"Be": 1, "Al": 2.5, "air": 950}, "Al", 2.29),
    "PTB N-40": (40, {"Be": 1, "Al": 4, "Cu": 0.21, "air": 950}, "Cu", 0.085),
    "PTB N-60": (60, {"Be": 1, "Al": 4, "Cu": 0.6, "air": 950}, "Cu", 0.234),
    "PTB N-80": (80, {"Be": 1, "Al": 4, "Cu": 2, "air": 950}, "Cu", 0.578),
    "PTB N-100": (100, {"Be": 1, "Al": 4, "Cu": 5, "air": 950}, "Cu", 1.09),
    "PTB N-120": (120, {"Be": 1, "Al": 4, "Cu": 5, "Sn": 1, "air": 950}, "Cu", 1.67),
    "PTB N-150": (150, {"Be": 7, "Al": 4, "Sn": 2.5, "air": 950}, "Cu", 2.30),
    "PTB N-200": (200, {"Be": 7, "Al": 4, "Cu": 2, "Sn": 3, "Pb": 1, "air": 950}, "Cu", 3.92),
    "PTB N-250": (250, {"Be": 7, "Al": 4, "Sn": 2, "Pb": 3, "air": 950}, "Cu", 5.10),
    "PTB N-300": (300, {"Be": 7, "Al": 4, "Sn": 3, "Pb": 5, "air": 950}, "Cu", 5.96),
    "PTB W-80": (80, {"Be": 1, "Al": 4, "Cu": 0.5, "air": 950}, "Cu", 0.349),
    "PTB W-110": (110, {"Be": 1, "Al": 4, "Cu": 2, "air": 950}, "Cu", 0.933),
    "PTB W-200": (200, {"Be": 7, "Al": 4, "Sn": 2, "air": 950}, "Cu", 3.00),
    "PTB HK-100": (100, {"Be": 1, "Al": 4, "Cu": 0.15, "air": 950}, "Cu", 0.294),
    "PTB HK-250": (250, {"Be": 7, "Al": 4, "Cu": 1.6, "air": 950}, "Cu", 2.42),
    "NIST HK-250": (250, {"Al": 4, "Cu": 1.6, "air": 950}, "Cu", 2.463),
}
SECOND = {"PTB N-60": 0.263, "PTB N-200": 3.99, "PTB W-110": 1.08, "PTB HK-100": 0.462, "PTB HK-250": 3.24}


def reference(name):
    voltage, filters, _, _ = REFERENCE[name]
    raw = Beam(name, *tube_spectrum(float(voltage), "W", 20.0))
    return raw.filtered({material: f"{thickness} mm" for material, thickness in filters.items()})


@pytest.mark.parametrize("name", REFERENCE)
def test_first_layer_within_three_per_cent(name):
    _, _, material, published = REFERENCE[name]
    assert reference(name).half_value_layer(material).to("mm").magnitude == pytest.approx(published, rel=0.03)


@pytest.mark.parametrize("name", SECOND)
def test_second_layer_within_four_per_cent(name):
    assert reference(name).half_value_layer("Cu", order=2).magnitude == pytest.approx(SECOND[name], rel=0.04)


def test_ccri_250_lies_between_laboratories():
    # Its layer of 2.484 mm is thicker than PTB finds (2.42) behind 1.8 mm more of aluminium: no filtration gives both.
    computed = beam("orthovoltage_250").half_value_layer("Cu").magnitude
    assert computed == pytest.approx(2.484, rel=0.04)


@pytest.mark.parametrize("name", Catalogue().ids("beams"))
def test_sheets_have_the_layers_they_print(name):
    """Layers are met within two of their spreads (2 per cent without one); nominal ones (assumed) are not tested."""
    sheet = Catalogue().load("beams", name)
    made = beam(name)
    assert made.fluence.sum() == pytest.approx(1.0)
    for material, layer in sheet.half_value_layers.items():
        if layer.grade != "assumed":
            sd = layer.distribution.sd if layer.distribution else 0.02 * layer.value
            assert abs(made.half_value_layer(material).magnitude - layer.value) < 2.0 * sd, material
