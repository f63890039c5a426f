"""Photon histories against published depth doses, seeds and buildup factors, and against a plain walk written here.

Sources: TG-43 radial dose functions (rivard_2004: 125I 6711 as stored in a public planning file, 6702 and 192Ir
recalled, paper not opened), buildup factors of ANSI/ANS-6.4.3 by its geometric progression (coefficients read in two
public programs), central-axis doses of 60Co and 6 MV (public course notes, BJR 25), backscatter factors of TG-61
(ma_2001) and depth doses of BJR 25 at 1 mm Cu (both recalled, wide tolerances).
"""

from dataclasses import replace

import numpy as np
import pytest

from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.beams import beam
from nanotrial.radiation.composition import composition
from nanotrial.radiation.depth_dose import depth_dose, enhancement_in_phantom, spectrum_at_depth
from nanotrial.radiation.enhancement import dose_enhancement
from nanotrial.radiation.photons.phantom import Body, Phantom, box
from nanotrial.radiation.photons.run import Beamlet, mean_and_error, transport

ELECTRON = 510.99895


def around_a_point(medium, energies, shares, radii, outer, histories, thickness=0.02):
    """Return r^2 x kerma (any unit) of a point source at radii (cm), and its relative error."""

    def ball(name, radius):
        return Body(name, "ball", (radius, 0.0, 0.0), (0.0, 0.0, 0.0), medium, medium)

    bodies = [ball("outer", outer)]
    for r in sorted(radii, reverse=True):
        bodies += [ball(f"at_{r}", r * (1 + thickness)), ball(f"below_{r}", r * (1 - thickness))]
    source = Beamlet(2, (0.0, 0.0, 0.0, 0.0), np.array(energies, dtype=float), np.array(shares, dtype=float))
    tally = transport(Phantom("point", tuple(bodies)), source, histories, 1)
    names = [body.name for body in bodies]
    here = [names.index(f"at_{r}") for r in radii]
    mean, error = mean_and_error(tally.bodies.sum(axis=1)[:, here, 0] / (2 * thickness * np.array(radii)))
    return mean, error / mean


def test_iodine_seeds_have_the_radial_dose_functions_of_tg_43():
    """6702 holds bare 125I, 6711 silver besides, whose lines (22.1 and 25.5 keV) are softer.

    A point source in water without the titanium: 2 % is the tolerance.
    """
    radii = [0.5, 1.0, 2.0, 3.0, 5.0]
    iodine = ([27.202, 27.472, 30.98, 31.71, 35.492], [0.406, 0.757, 0.202, 0.0439, 0.0668])
    bare, error = around_a_point(composition("water"), *iodine, radii, 15.0, 200_000)
    assert error.max() < 0.006
    assert bare / bare[1] == pytest.approx([1.030, 1.0, 0.861, 0.697, 0.425], rel=0.02)
    silver = ([*iodine[0], 22.1, 25.5], [*iodine[1], 0.25, 0.07])
    found, _ = around_a_point(composition("water"), *silver, radii, 15.0, 200_000)
    assert found / found[1] == pytest.approx([1.071, 1.0, 0.814, 0.632, 0.364], rel=0.025)


def test_iridium_stays_flat_in_water():
    """Scatter makes up for what is lost over the first centimetres; the capsule takes the softest lines."""
    rays = beam("192Ir").filtered({"Fe": "0.2 mm", "Ir": "0.3 mm"})
    found, error = around_a_point(
        composition("water"), rays.energies, rays.fluence, [0.5, 1, 2, 3, 5, 10], 40.0, 200_000
    )
    shape = found / found[1]
    assert error.max() < 0.004
    assert shape[:5] == pytest.approx([0.996, 1.0, 1.006, 1.007, 1.001], abs=0.015)
    assert shape[5] == pytest.approx(0.94, abs=0.03)


# b, c, a, X_K, d of the geometric progression for air.
AIR = {
    100.0: (4.663, 2.221, -0.186, 13.33, 0.0826),
    1000.0: (2.103, 1.441, -0.089, 14.22, 0.0378),
    3000.0: (1.710, 1.056, -0.013, 11.82, 0.0047),
    6000.0: (1.507, 0.903, 0.029, 16.13, -0.0272),
}


def progression(numbers, x):
    b, c, a, reach, d = numbers
    k = c * x**a + d * (np.tanh(x / reach - 2) - np.tanh(-2)) / (1 - np.tanh(-2))
    return 1 + (b - 1) * (k**x - 1) / (k - 1)


@pytest.mark.parametrize(("energy", "tolerance"), [(100.0, 0.08), (1000.0, 0.025), (3000.0, 0.025), (6000.0, 0.03)])
def test_buildup_in_air_is_that_of_the_standard(energy, tolerance):
    """Mean free paths without coherent scatter, as the standard counts them.

    Its fit is 3 to 6 % above the plain walk of the next test at 100 to 200 keV, where it leaves binding out too.
    """
    air = replace(composition("air"), density=1.0)
    c = coefficients(air, np.array([energy]))
    mu = float((c.photoelectric + c.incoherent + c.pair)[0])
    paths = np.array([1.0, 2.0, 4.0])
    found, error = around_a_point(air, [energy], [1.0], list(paths / mu), 7.5 / mu, 150_000)
    uncollided = energy * c.absorption[0] * np.exp(-paths)
    assert error.max() < 0.015
    assert found / uncollided == pytest.approx([progression(AIR[energy], x) for x in paths], rel=tolerance)


def plain_walk(medium, energy, paths, histories, seed):
    """Return buildup at mean free paths by a walk in NumPy: Klein-Nishina by rejection, no coherent scatter."""
    grid = np.geomspace(1.0, 1.01 * energy, 2000)
    c = coefficients(medium, grid)
    total, shares = c.photoelectric + c.incoherent, c.incoherent / (c.photoelectric + c.incoherent)
    random, mu0 = np.random.default_rng(seed), np.interp(energy, grid, total)
    place, e, w = np.zeros((histories, 3)), np.full(histories, energy), np.ones(histories)
    way = random.normal(size=(histories, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    found = np.zeros(len(paths))
    low, high = 0.97 * paths / mu0, 1.03 * paths / mu0
    while len(e):
        mu = np.interp(e, grid, total)
        place = place + way * (random.exponential(size=len(e)) / mu)[:, None]
        r = np.linalg.norm(place, axis=1)
        kerma = w * e * np.interp(e, grid, c.absorption) / mu
        found += [kerma[(r > a) & (r < b)].sum() for a, b in zip(low, high, strict=True)]
        w = w * np.interp(e, grid, shares)
        stay = (e > 8.0) & (w > 2e-3) & (r < 2.5 * high[-1])
        place, way, e, w = place[stay], way[stay], e[stay], w[stay]
        x, todo = np.empty(len(e)), np.arange(len(e))
        while len(todo):
            draw = random.uniform(0.0, 2.0, len(todo))
            p = 1.0 / (1.0 + e[todo] / ELECTRON * draw)
            good = random.uniform(0.0, 2.0, len(todo)) < p * p * (p + 1.0 / p - draw * (2.0 - draw))
            x[todo[good]] = draw[good]
            todo = todo[~good]
        e = e / (1.0 + e / ELECTRON * x)
        across = np.cross(way, np.where(np.abs(way[:, [2]]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]))
        across /= np.linalg.norm(across, axis=1)[:, None]
        phi, sine = random.uniform(0.0, 2.0 * np.pi, len(e)), np.sqrt(x * (2.0 - x))
        side = np.cos(phi)[:, None] * across + np.sin(phi)[:, None] * np.cross(way, across)
        way = (1.0 - x)[:, None] * way + sine[:, None] * side
    uncollided = energy * np.interp(energy, grid, c.absorption) * np.exp(-paths)
    return found / histories / (high - low) / uncollided


def test_a_plain_walk_finds_the_same_buildup():
    water, paths = composition("water"), np.array([1.0, 2.0])
    c = coefficients(water, np.array([200.0]))
    mu = float((c.photoelectric + c.incoherent)[0])
    found, _ = around_a_point(water, [200.0], [1.0], list(paths / mu), 5.0 / mu, 150_000)
    kernel = found / (200.0 * c.absorption[0] * np.exp(-paths))
    assert kernel == pytest.approx(plain_walk(water, 200.0, paths, 100_000, 5), rel=0.03)


@pytest.mark.parametrize(
    ("name", "depths", "published"),
    [("60Co", ["5 mm", "5 cm", "10 cm"], [80.4, 58.7]), ("6 MV", ["15 mm", "5 cm", "10 cm"], [86.0, 67.0])],
)
def test_megavolt_beams_fall_off_as_published(name, depths, published):
    """10 x 10 cm at 100 cm, per cent of the dose at the maximum, where electrons are in equilibrium."""
    found = depth_dose(name, depths, field="10 cm", distance="100 cm", histories=100_000)
    percent = 100.0 * found.dose_per_fluence.values / found.dose_per_fluence.values[0]
    assert percent[1:] == pytest.approx(published, abs=1.6)


KILOVOLT = [
    # voltage, mm Al, mm Cu, HVL mm Cu, backscatter, percentages at 5 and 10 cm (None: not recalled)
    ("135 kV", 2.228, 0.232, 0.489, 1.40, None),
    ("180 kV", 2.228, 0.485, 0.977, 1.36, (64.5, 31.0)),
    ("250 kV", 2.228, 1.570, 2.484, 1.27, None),
]


@pytest.mark.parametrize(("voltage", "al", "cu", "layer", "backscatter", "percent"), KILOVOLT)
def test_kilovolt_beams_scatter_back_as_published(voltage, al, cu, layer, backscatter, percent):
    """10 x 10 cm at 50 cm; recalled values: 4 % for backscatter, 6 % for depth dose."""
    rays = beam(voltage, filters={"Al": f"{al} mm", "Cu": f"{cu} mm"})
    assert rays.half_value_layer("Cu").to("mm").magnitude == pytest.approx(layer, rel=0.05)
    found = depth_dose(rays, ["5 cm", "10 cm"], field="10 cm", distance="50 cm", histories=100_000)
    assert found.attrs["backscatter_factor"] == pytest.approx(backscatter, rel=0.04)
    if percent:
        assert 100.0 * found.relative_to_entrance.values == pytest.approx(percent, rel=0.06)


def tumour(edges, depth):
    return box("water", ["30 cm", "30 cm", "10 cm"]).with_box("tumour", "water", edges, depth)


@pytest.mark.parametrize("beam_", ["60 keV", "90 keV", "140 kV"])
def test_a_small_tumour_gains_what_the_closed_form_says(beam_):
    """Primary photons alone in the closed form; scatter is softer at kV and adds up to 6 %."""
    small, narrow = tumour(["2 mm", "2 mm", "2 mm"], "1 cm"), "1 cm"
    found = enhancement_in_phantom("Au", {"tumour": "7 mg/g"}, beam_, small, narrow, histories=150_000)
    closed = dose_enhancement("Au", "7 mg/g", beam_, depth="1 cm", loaded_depth="1 mm").magnitude
    ratio = float(found.dose_ratio.sel(region="tumour")) / closed
    assert float(found.dose_ratio_error.sel(region="tumour")) < 0.025 * closed
    assert 0.97 < ratio < 1.07


def test_a_tumour_of_gold_at_140_kv_gains_about_a_factor_of_two_and_shields_itself():
    """Cho 2005 gives about 2.1 for 7 mg/g (recalled; filtration of the tube not known, 15 %).

    A thin tumour meets that; one of 35 mm stays below, since its near side takes photons from its far side.
    """
    thin, thick = (tumour(["24 mm", "24 mm", deep], "25 mm") for deep in ("1 mm", "35 mm"))
    ratios = [
        enhancement_in_phantom("Au", {"tumour": "7 mg/g"}, "140 kV", t, "10 cm", "100 cm", histories=200_000)
        for t in (thin, thick)
    ]
    first, second = (float(r.dose_ratio.sel(region="tumour")) for r in ratios)
    assert first == pytest.approx(2.1, rel=0.15)
    assert 1.5 < second < 0.97 * first
    assert float(ratios[1].fluence_ratio.sel(region="tumour")) < 0.95


def test_gold_at_megavolts_gains_a_few_per_cent_through_scatter_alone():
    """Published Monte Carlo: 1.01 to 1.05 for 7 to 30 mg/g; primary photons of 6 MV alone give less than 1.01."""
    soft = spectrum_at_depth("6 MV", "10 cm", field="10 cm", distance="100 cm", histories=100_000)
    primary = dose_enhancement("Au", "30 mg/g", "6 MV").magnitude
    below = dose_enhancement("Au", "30 mg/g", "6 MV", spectrum=soft).magnitude
    assert primary < 1.01
    assert 1.011 < below < 1.047
