"""Photon histories: energy balance, exact limits, laws of scatter and fluorescence, independence of threads."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import xraylib

from nanotrial.errors import InputError, UnitError
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import composition
from nanotrial.radiation.depth_dose import backscatter_factor, depth_dose, enhancement_in_phantom, spectrum_at_depth
from nanotrial.radiation.photons import kernel
from nanotrial.radiation.photons.phantom import ball, box, cylinder, mouse, slabs
from nanotrial.radiation.photons.run import Beamlet, alias_table, cores, mean_and_error, tables, transport
from nanotrial.radiation.photons.tables import REST

WATER = composition("water")


def line(energy, half=0.0, kind=0, distance=0.0):
    return Beamlet(kind, (half, half, 0.0, distance), np.array([float(energy)]), np.array([1.0]))


def gold_tumour():
    plain = box("soft_tissue", ["6 cm", "6 cm", "4 cm"]).with_ball("tumour", "soft_tissue", "12 mm", "15 mm", shells=3)
    return plain.loaded("Au", {"tumour_3": "3 %", "tumour_2": "1 %"})


@pytest.mark.parametrize("energy", [12.0, 90.0, 140.0, 1250.0, 9000.0])
def test_no_history_loses_energy(energy):
    found = transport(gold_tumour(), line(energy, 2.0), 20_000, 3, analogue=True)
    assert found.imbalance < 1e-12
    kept = found.deposited.mean(axis=0).sum()
    assert kept + found.escaped == pytest.approx(found.incident, rel=1e-12)
    assert found.incident == pytest.approx(energy, rel=1e-12)
    assert kept > 0.02 * energy


def test_energy_is_kept_where_almost_all_is_gold():
    """Cascades of K and L lines, and pairs, in one history."""
    for energy in (95.0, 6000.0):
        found = transport(ball("Au", "4 mm"), line(energy, 0.1), 5_000, 1, analogue=True)
        assert found.imbalance < 1e-12
        assert found.collisions > 0.3


@pytest.mark.parametrize("energy", [30.0, 80.0, 1000.0])
def test_uncollided_photons_fall_off_exponentially(energy):
    depths = np.array([0.0, 1.0, 4.0, 12.0])
    tally = transport(slabs([("water", "30 cm")]), line(energy), 60_000, 2, bins=(depths, depths + 0.01))
    mean, error = mean_and_error(tally.bins[:, 0, :, 0] / 0.01)
    found = coefficients(WATER, np.array([energy]))
    mu = (found.photoelectric + found.incoherent + found.coherent + found.pair)[0] * WATER.density
    expected = energy * found.absorption[0] * np.exp(-mu * (depths + 0.005))
    # Rows of the tables are interpolated: 2e-4 beside the statistical error.
    assert np.all(np.abs(mean - expected) < 4.0 * error + 3e-4 * expected)
    primary = depth_dose(f"{energy} keV", [f"{d} cm" for d in depths], histories=1000).primary.values
    assert primary == pytest.approx(expected * np.exp(mu * 0.005) * 1.602176634e-13, rel=1e-9)


def test_primary_passes_layers_one_after_the_other():
    phantom = slabs([("soft_tissue", "5 mm"), ("cortical_bone", "4 mm"), ("lung", "3 cm")])
    found = depth_dose("60 keV", ["9 mm", "2 cm"], phantom=phantom, distance="20 cm", histories=2000).primary.values

    def mu(name):
        made_of = composition(name)
        c = coefficients(made_of, np.array([60.0]))
        return (c.photoelectric + c.incoherent + c.coherent + c.pair)[0] * made_of.density

    thick = 0.5 * mu("soft_tissue") + 0.4 * mu("cortical_bone")
    lung = coefficients(composition("lung"), np.array([60.0])).absorption[0] * 60.0 * 1.602176634e-13
    expected = [lung * np.exp(-thick - deep * mu("lung")) * (20 / (20.9 + deep)) ** 2 for deep in (0.0, 1.1)]
    assert found == pytest.approx(expected, rel=1e-9)


def klein_nishina_transfer(energy):
    """Return the mean share of energy that a free electron takes: the ratio of two closed integrals."""
    k = energy / REST
    x = np.linspace(0.0, 2.0, 200_001)
    p = 1.0 / (1.0 + k * x)
    density = p**2 * (p + 1.0 / p - x * (2.0 - x))
    return np.trapezoid(density * (1.0 - p), x) / np.trapezoid(density, x)


@pytest.mark.parametrize(("energy", "tolerance"), [(200.0, 0.006), (1000.0, 0.004), (6000.0, 0.004)])
def test_compton_scatter_hands_over_the_energy_of_klein_and_nishina(energy, tolerance):
    """Binding takes 0.3 % at 200 keV and less above."""
    matter = tables(((WATER, WATER),), 8192.0)
    stream = np.array([11], dtype=np.uint64)
    draws = np.array([kernel._angle(energy, matter.angles, 0, 0, stream) for _ in range(60_000)])
    lost = 1.0 - 1.0 / (1.0 + energy / REST * draws)
    error = lost.std() / np.sqrt(len(lost))
    expected = klein_nishina_transfer(energy)
    assert abs(lost.mean() - expected) < tolerance * expected + 3.5 * error
    assert klein_nishina_transfer(1000.0) == pytest.approx(0.440, abs=0.001)


@pytest.mark.parametrize("energy", [10.0, 30.0, 80.0])
@pytest.mark.parametrize(("process", "law"), [(0, "DCS_Compt"), (1, "DCS_Rayl")])
def test_angles_follow_the_bound_cross_sections(energy, process, law):
    """Mean of 1 - cos(theta) and of its square against integrals of xraylib's differential cross-sections."""
    theta = np.linspace(5e-3, np.pi, 1500)
    per_gram = sum(w * np.array([getattr(xraylib, law)(z, energy, t) for t in theta]) for z, w in WATER.fractions)
    weight = per_gram * np.sin(theta)
    matter = tables(((WATER, WATER),), 128.0)
    stream = np.array([17], dtype=np.uint64)
    draws = np.array([kernel._angle(energy, matter.angles, 0, process, stream) for _ in range(40_000)])
    for power in (1, 2):
        expected = np.trapezoid(weight * (1 - np.cos(theta)) ** power, theta) / np.trapezoid(weight, theta)
        error = (draws**power).std() / np.sqrt(len(draws))
        assert abs((draws**power).mean() - expected) < 4.0 * error + 0.004 * expected


def test_rayleigh_scatter_is_forward_at_high_energy_and_dipole_at_low():
    matter = tables(((WATER, WATER),), 1024.0)
    stream = np.array([5], dtype=np.uint64)
    soft, hard = (
        np.mean([1.0 - kernel._angle(e, matter.angles, 0, 1, stream) for _ in range(20_000)]) for e in (1.01, 500.0)
    )
    assert 0.0 < soft < 0.1
    assert hard > 0.995


def test_directions_stay_unit_vectors_and_are_even():
    photon, stream = np.zeros(8), np.array([3], dtype=np.uint64)
    seen = []
    for _ in range(20_000):
        kernel._anywhere(photon, stream)
        seen.append(photon[3:6].copy())
    seen = np.array(seen)
    assert np.abs(np.linalg.norm(seen, axis=1) - 1.0).max() < 1e-12
    assert np.abs(seen.mean(axis=0)).max() < 4.0 / np.sqrt(3 * len(seen))
    assert np.abs((seen**2).mean(axis=0) - 1 / 3).max() < 4.0 * np.sqrt(4 / 45 / len(seen))
    photon[3:6] = 0.6, 0.0, 0.8
    turned = []
    for _ in range(20_000):
        copy = photon.copy()
        kernel._turn(copy, 0.7, stream)
        turned.append(copy[3:6])
    turned = np.array(turned)
    assert turned @ photon[3:6] == pytest.approx(0.3 * np.ones(len(turned)), abs=1e-12)
    assert turned.mean(axis=0) == pytest.approx(0.3 * photon[3:6], abs=0.02)


def test_fluorescence_carries_the_energy_of_the_lines():
    """K vacancies by the jump ratio, then lines by yield and rate, an L line after each K-L line."""
    gold = composition("Au")
    matter = tables(((gold, gold),), 128.0)
    photon, stack, stream = np.zeros(8), np.zeros((kernel.STACK, 8)), np.array([7], dtype=np.uint64)
    photon[kernel.ENERGY], photon[kernel.WEIGHT], photon[kernel.W] = 90.0, 1.0, 1.0
    carried = np.array([kernel._fluoresce(photon, matter, 0, stack, 0, stream)[1] for _ in range(40_000)])
    names = {"KL2": 2, "KL3": 3, "KM2": 0, "KM3": 0, "KN2": 0, "KN3": 0}
    shells = {1: ("L1M2", "L1M3", "L1N2", "L1N3"), 2: ("L2M1", "L2M4", "L2N4"), 3: ("L3M1", "L3M4", "L3M5", "L3N5")}

    def rate(name):
        code = getattr(xraylib, f"{name}_LINE")
        return xraylib.LineEnergy(79, code), xraylib.RadRate(79, code)

    after = {s: xraylib.FluorYield(79, s) * sum(np.prod(rate(n)) for n in some) for s, some in shells.items()}
    after[0] = 0.0
    share = [1.0 - 1.0 / xraylib.JumpFactor(79, s) for s in range(4)]
    k = xraylib.FluorYield(79, 0) * sum(rate(n)[1] * (rate(n)[0] + after[s]) for n, s in names.items())
    expected, left = share[0] * k, 1.0 - share[0]
    for s in (1, 2, 3):
        expected += left * share[s] * after[s]
        left *= 1.0 - share[s]
    assert carried.mean() == pytest.approx(expected, abs=4.0 * carried.std() / np.sqrt(len(carried)))
    assert carried.max() < 90.0


def test_track_length_in_a_ball_is_its_mean_chord():
    """Where nothing collides, the mean chord of parallel rays is 4 R / 3 and the beam covers pi / 4 of its square."""
    thin = replace(WATER, density=1e-9)
    tally = transport(ball(thin, "2 cm"), line(100.0, 1.0), 200_000, 1)
    mean, error = mean_and_error(tally.bodies[:, 0, 0, 0])
    expected = 100.0 * coefficients(WATER, np.array([100.0])).absorption[0] * 4.0 / 3.0 * np.pi / 4.0
    assert abs(mean - expected) < 4.0 * error + 1e-4 * expected


def test_rays_cross_a_lying_cylinder_as_geometry_says():
    """Mean chord of rays across a long cylinder: pi R / 2."""
    thin = replace(WATER, density=1e-9)
    tally = transport(
        cylinder(thin, "2 cm", "8 cm"), Beamlet(0, (1.0, 4.0, 0.0, 0.0), np.array([100.0]), np.ones(1)), 1e5, 1
    )
    mean, error = mean_and_error(tally.bodies[:, 0, 0, 0])
    expected = 100.0 * coefficients(WATER, np.array([100.0])).absorption[0] * np.pi / 2.0
    assert abs(mean - expected) < 4.0 * error + 1e-4 * expected


def test_shells_of_one_medium_share_what_the_whole_ball_scores():
    whole = box("water", ["4 cm", "4 cm", "4 cm"]).with_ball("t", "water", "1 cm", "2 cm")
    parts = box("water", ["4 cm", "4 cm", "4 cm"]).with_ball("t", "water", "1 cm", "2 cm", shells=4)
    one, other = (transport(p, line(60.0, 1.0), 20_000, 4).bodies.sum(axis=(0, 1))[:, 0] for p in (whole, parts))
    assert other[1:].sum() == pytest.approx(one[1], rel=1e-9)
    assert np.all(other[1:] > 0)


def test_results_do_not_depend_on_threads_but_on_the_seed():
    runs = [transport(gold_tumour(), line(90.0, 1.0), 6_400, s, threads=t) for s, t in ((5, 1), (5, 3), (6, 1))]
    assert np.array_equal(runs[0].bodies, runs[1].bodies)
    assert runs[0].escaped == runs[1].escaped
    assert not np.array_equal(runs[0].bodies, runs[2].bodies)
    assert cores() >= 1


def test_taking_weight_instead_of_photons_changes_no_mean():
    depths = np.array([0.0, 2.0, 8.0])
    found = [
        mean_and_error(
            transport(slabs([("water", "30 cm")]), line(35.0), 80_000, 7, bins=(depths, depths + 0.1), analogue=a).bins[
                :, 1, :, 0
            ]
        )
        for a in (True, False)
    ]
    assert np.all(np.abs(found[0][0] - found[1][0]) < 4.0 * np.hypot(found[0][1], found[1][1]))


def test_one_ray_and_a_wide_outline_stand_for_a_wide_field():
    """Reciprocity against a field that is really there, in a wide box."""
    depths = np.array([1.0, 4.0])
    wide = box("water", ["60 cm", "60 cm", "24 cm"])
    real = transport(wide, line(80.0, 3.0), 400_000, 1, bins=(depths - 0.25, depths + 0.25), sides=(0.5, 0.5, 0.0))
    ray = transport(wide, line(80.0), 100_000, 2, bins=(depths - 0.25, depths + 0.25), sides=(3.0, 3.0, 0.0))
    one, one_error = mean_and_error(real.bins[:, 1, :, 0] * 36.0)
    other, other_error = mean_and_error(ray.bins[:, 1, :, 0])
    assert np.all(np.abs(one - other) < 4.0 * np.hypot(one_error, other_error) + 0.01 * other)
    assert one_error[0] < 0.03 * one[0]


def test_error_that_is_stated_is_the_spread_between_seeds():
    runs = [depth_dose("60 keV", "2 cm", field="5 cm", histories=4_000, seed=s) for s in range(40)]
    spread = np.std([float(r.dose_per_fluence[0]) for r in runs], ddof=1)
    stated = np.sqrt(np.mean([float(r.standard_error[0]) ** 2 for r in runs]))
    assert 0.65 < spread / stated < 1.5


def test_no_particles_change_nothing_and_few_add_in_proportion():
    phantom = box("water", ["5 cm", "5 cm", "5 cm"]).with_ball("tumour", "water", "2 mm", "1 cm")
    none = enhancement_in_phantom("Au", {"tumour": 0.0}, "60 keV", phantom, "2 cm", histories=20_000)
    assert none.dose_ratio.values == pytest.approx([1.0, 1.0], abs=1e-12)
    few = enhancement_in_phantom("Au", {"tumour": "1 mg/g"}, "60 keV", phantom, "4 mm", histories=100_000)
    ratio = (
        coefficients(composition("Au"), np.array([60.0])).absorption / coefficients(WATER, np.array([60.0])).absorption
    )
    local = 1.0 + 1e-3 * (ratio[0] - 1.0)
    found = few.sel(region="tumour")
    # Scatter is softer than 60 keV and adds a few per cent; the shadow of 0.1 % gold in 2 mm takes 0.05 %.
    assert local < float(found.dose_ratio) < 1.06 * local
    assert float(found.fluence_ratio) == pytest.approx(1.0, abs=2e-3)


def test_particles_in_front_cast_a_shadow():
    """At 60 keV gold only takes photons away; at 90 keV its K lines reach the layer above."""
    phantom = slabs([("water", "5 mm"), ("water", "5 mm"), ("water", "5 mm")])
    runs = {
        e: enhancement_in_phantom("Au", {"layer_2": "5 %"}, e, phantom, "4 cm", histories=20_000).dose_ratio.values
        for e in ("60 keV", "90 keV")
    }
    thick = 0.5 * 0.05 * composition({"Au": 0.05, "water": 0.95}).density
    shadow = np.exp(-thick * coefficients(composition("Au"), np.array([60.0])).photoelectric[0])
    # Oblique photons of scatter cross more of the layer.
    assert shadow - 0.08 < runs["60 keV"][2] < shadow + 0.02
    assert runs["60 keV"][0] < 1.0 < 1.05 < runs["90 keV"][0]
    assert runs["90 keV"][1] > 5.0


def test_the_spectrum_at_a_depth_gives_the_dose_there():
    photons = spectrum_at_depth("6 MV", "5 cm", field="10 cm", distance="100 cm", histories=20_000)
    dose = depth_dose("6 MV", "5 cm", field="10 cm", distance="100 cm", histories=20_000)
    absorbed = coefficients(WATER, photons.energy.values).absorption
    found = float(np.sum(photons.values * photons.energy.values * absorbed)) * 1.602176634e-13
    # The depth bins of the two are not equally thick.
    assert found == pytest.approx(float(dose.dose_per_fluence[0]), rel=5e-3)
    assert np.all(np.diff(photons.energy.values) >= 0.0)
    soft = photons.where(photons.energy < 150.0, drop=True)
    assert float(soft.sum() / photons.sum()) > 0.05


def test_dose_ratios_are_labelled():
    found = depth_dose("80 keV", ["2 cm", "0 cm"], field=("3 cm", "4 cm"), histories=3200)
    assert list(found.depth.values) == [2.0, 0.0]
    assert found.dose_per_fluence.attrs["units"] == "Gy*cm^2"
    assert float(found.relative_to_entrance[1]) == 1.0
    assert found.attrs["backscatter_factor"] > 1.0


def test_a_mouse_scatters_less_than_a_half_space():
    small = depth_dose("60 keV", "0 cm", phantom="mouse", histories=40_000).attrs["backscatter_factor"]
    large, _ = backscatter_factor("60 keV", histories=20_000)
    assert 1.0 < small < 1.25 < large.magnitude
    assert mouse().height == 2.5


@pytest.mark.parametrize("shape", [cylinder("water", "3 cm", "12 cm"), ball("water", "3 cm")])
def test_a_curved_phantom_is_scored_below_its_surface(shape):
    """Primary by histories equals the closed form at the top, inside and at the bottom."""
    module = import_module("nanotrial.radiation.depth_dose")

    rays = module.named_beam("60 keV")
    points = np.array([0.0, 1.0, 3.0])
    tally, per, _ = module._score(rays, points, shape, (1.0, 1.0), None, 2_000_000, 1, None)
    mean, error = mean_and_error(tally.bins[:, 0, :, 0] / per * module.GRAY)
    exact = np.array([module._primary(rays, shape, z) for z in points])
    assert error.max() < 0.01 * exact[0]
    assert np.all(np.abs(mean - exact) < 4.0 * error + 0.01 * exact)


def test_the_alias_table_holds_the_spectrum():
    shares = np.array([0.5, 0.1, 0.0, 0.25, 0.15])
    chance, alias = alias_table(shares)
    found = np.zeros(5)
    for i in range(5):
        found[i] += chance[i] / 5
        found[alias[i]] += (1 - chance[i]) / 5
    assert found == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: depth_dose("60 keV", "1 cm", histories=10), "histories"),
        (lambda: depth_dose("60 keV", "1 cm", seed=-1), "seed"),
        (lambda: depth_dose("60 keV", "3 cm", phantom="mouse"), "2.5 cm, the height of mouse"),
        (lambda: depth_dose("60 keV", "1 cm", phantom="rat"), "a Phantom"),
        (lambda: depth_dose("60 keV", "1 cm", field="80 cm"), "None for no limit"),
        (lambda: depth_dose("60 keV", "1 cm", field=("1 cm", "2 cm", "3 cm")), "one edge of a square, or two"),
        (lambda: enhancement_in_phantom("Au", {"tumor": "1 mg/g"}, "60 keV", gold_tumour()), "Did you mean"),
        (lambda: enhancement_in_phantom("Au", {"tumour_1": 1.5}, "60 keV", gold_tumour()), "loading.tumour_1"),
        (lambda: mouse().with_ball("t", "water", "1 cm", "3 mm"), "reaches out of mouse"),
        (lambda: mouse().with_ball("medium", "water", "1 cm", "1 cm"), "a name of its own"),
        (lambda: slabs([]), "pairs of medium and thickness"),
        (lambda: slabs([("Ca5(PO4)3F", "1 cm")]), "density"),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_lengths_need_units():
    with pytest.raises(UnitError):
        depth_dose("60 keV", [1.0, 2.0])
