"""The electron kernel and the dose around particles: balances, limits, moments, and what must not change the result."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest

from nanotrial.errors import InputError, UnitError
from nanotrial.radiation import (
    attenuation,
    beam,
    dose_ratio_profile,
    energy_absorption,
    nanoscale,
    particle_case,
    particles,
)
from nanotrial.radiation.composition import composition
from nanotrial.radiation.electrons import geometry, histories, kernel, source
from nanotrial.radiation.electrons.interactions import compton_spectrum, emission, photon_source
from nanotrial.radiation.electrons.media import electron_medium
from nanotrial.radiation.equilibrium import electrons_entering, equilibrium_field
from nanotrial.radiation.particle_case import GRAY, read_case
from nanotrial.radiation.particles import particle_dose

WATER = electron_medium(composition("water"))
SHAPES = ["sphere", "rod, length 90 nm", "disc, thickness 8 nm", "shell, wall 6 nm", "cage, wall 6 nm"]
VACUUM = np.array([0.0, 0.0])  # edges with no water: whatever leaves the particle is gone


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path))
    monkeypatch.setattr(particles, "_memory", OrderedDict())


def stream(seed=5):
    return histories.streams(seed, 1)[0]


def flat(medium, stopping, transport, screening=0.5):
    """Return a medium whose rates do not depend on energy, without knock-on electrons."""
    ones = np.ones(medium.log_energies.size)
    share = 2 * screening * ((1 + screening) * np.log1p(1 / screening) - 1)
    return replace(
        medium,
        restricted_stopping=stopping * ones,
        total_stopping=stopping * ones,
        hard_inverse_path=0 * ones,
        elastic_inverse_path=transport / share * ones,
        elastic_screening=screening * ones,
        transport_inverse_path=transport * ones,
        csda_range=medium.energies / stopping,
    )


def quiet(medium):
    """Return a medium that takes the same energy on the mean, with no knock-on electrons."""
    return replace(medium, restricted_stopping=medium.total_stopping, hard_inverse_path=0 * medium.hard_inverse_path)


def denser(medium, factor):
    """Return the same substance packed more densely: all rates per length grow alike."""
    names = ("restricted_stopping", "total_stopping", "radiative_stopping", "hard_inverse_path")
    names += ("elastic_inverse_path", "transport_inverse_path")
    rates = {name: getattr(medium, name) * factor for name in names}
    return replace(medium, density=medium.density * factor, csda_range=medium.csda_range / factor, **rates)


def follow(world, electrons, count, edges=None, threads=None, seed=1):
    """Follow ``count`` electrons, all the same row of energy, place, direction, region and stand-in."""

    def run(n, tally, state):
        source.run_given(np.tile(np.asarray(electrons, dtype=float), (n, 1)), world, tally, state)

    edges = histories.shell_edges() if edges is None else edges
    return histories.score(run, count, seed, edges, WATER.log_energies.size, threads=threads)


# Geometry


@pytest.mark.parametrize("text", SHAPES)
def test_a_ray_meets_the_surface_where_the_distance_to_it_vanishes(text):
    shape = geometry.read_shape(text, 40.0)
    random = np.random.default_rng(1)
    checked = 0
    for _ in range(400):
        place, direction = random.uniform(-30, 30, 3), random.normal(size=3)
        direction /= np.linalg.norm(direction)
        outer = geometry.height(shape.form, shape.half, shape.upright, *place)
        hollow = shape.hollow > 0 and geometry.height(shape.form, shape.hollow, shape.upright, *place) < 0
        region = geometry.WATER if outer > 0 else geometry.HOLLOW if hollow else geometry.SOLID
        length, beyond = geometry.to_boundary(shape.numbers, region, *place, *direction)
        # Nothing is nearer than the room around, and the end of the ray has none.
        assert length >= geometry.room(shape.numbers, region, *place) - 1e-9
        if length < geometry.FAR:
            assert geometry.room(shape.numbers, region, *(place + length * direction)) < 1e-7
            assert beyond != region
            between = [place + part * length * direction for part in (0.05, 0.35, 0.65, 0.95)]
            for body in [shape.half] + [shape.hollow] * (shape.hollow > 0):
                sides = {geometry.height(shape.form, body, shape.upright, *one) > 0 for one in between}
                assert len(sides) == 1
            checked += 1
        else:
            steps = place + np.linspace(0, 300, 600)[:, None] * direction
            assert min(geometry.height(shape.form, shape.half, shape.upright, *one) for one in steps) > 0
    assert checked > 50


@pytest.mark.parametrize("text", SHAPES)
def test_volumes_near_a_body_are_those_that_counting_gives(text):
    shape = geometry.read_shape(text, 40.0)
    places = np.random.default_rng(2).uniform(-70, 70, (40000, 3))
    heights = np.array([geometry.height(shape.form, shape.half, shape.upright, *p) for p in places])
    for distance in (0.0, 5.0, 20.0):
        share = (heights < distance).mean()
        error = np.sqrt(share * (1 - share) / len(places)) * 140**3
        assert abs(share * 140**3 - shape.volume_within(distance)) < 4 * error
    material = (heights < 0) & np.array(
        [shape.hollow == 0 or geometry.height(shape.form, shape.hollow, shape.upright, *p) > 0 for p in places]
    )
    share = material.mean()
    assert abs(share * 140**3 - shape.solid_volume) < 4 * np.sqrt(share / len(places)) * 140**3


# What is drawn


@pytest.mark.parametrize("step", [0.02, 0.2, 1.0])
def test_soft_deflections_have_the_moments_they_should(step):
    state, first, second = stream(), 0.3, 0.8
    cosines = np.array([kernel.soft_cosine(step, first, second, state) for _ in range(60000)])
    for found, wanted in ((cosines, first), (0.5 * (3 * cosines**2 - 1), second)):
        assert abs(found.mean() - np.exp(-step * wanted)) < 4 * found.std() / np.sqrt(len(found)) + 1e-5


def test_splitting_elastic_collisions_keeps_what_they_do_together():
    for share in (0.05, 0.15, 0.5):
        table = histories.medium_columns(WATER, share)
        s, least = table[:, kernel.SCREENING], table[:, kernel.LEAST_ANGLE]
        nodes, weights = np.polynomial.legendre.leggauss(400)
        # Even nodes in ln(mu + s) resolve the peak.
        low, high = np.log(s + least), np.log(s + 1)
        mu = np.exp(low[:, None] + (high - low)[:, None] * 0.5 * (nodes + 1)) - s[:, None]
        law = (s * (1 + s))[:, None] / (s[:, None] + mu) * weights * 0.5 * (high - low)[:, None]
        hard_rate = WATER.elastic_inverse_path * law.sum(axis=1)
        hard_first = 2 * WATER.elastic_inverse_path * (law * mu).sum(axis=1)
        assert np.allclose(hard_rate, table[:, kernel.HARD_ELASTIC], rtol=1e-6)
        whole = hard_first + table[:, kernel.SOFT_FIRST]
        assert np.allclose(whole, WATER.transport_inverse_path, rtol=1e-5)
        assert (table[:, kernel.SOFT_SECOND] <= 3 * table[:, kernel.SOFT_FIRST] * (1 + 1e-9)).all()


def test_compton_electrons_are_as_the_law_says():
    for energy in (20.0, 100.0, 662.0):
        state = stream()
        drawn = np.array([source.compton(energy, state) for _ in range(40000)])
        energies, shares = compton_spectrum(energy)
        assert abs(drawn[:, 0].mean() - energies @ shares) < 4 * drawn[:, 0].std() / 200
        # Momentum: the scattered photon takes what the electron does not.
        momentum = np.sqrt(drawn[:, 0] * (drawn[:, 0] + 2 * kernel.REST))
        across = momentum**2 + energy**2 - 2 * momentum * energy * drawn[:, 1]
        assert np.allclose(np.sqrt(across), energy - drawn[:, 0], rtol=1e-6, atol=1e-6)


def test_photoelectrons_follow_sauter():
    energy = 60.0
    state = stream()
    drawn = np.array([source.sauter_cosine(energy, state) for _ in range(40000)])
    gamma = 1 + energy / kernel.REST
    beta = np.sqrt(1 - 1 / gamma**2)
    x = np.linspace(-1, 1, 20001)
    law = (1 - x**2) / (1 - beta * x) ** 4 * (1 + 0.5 * gamma * (gamma - 1) * (gamma - 2) * (1 - beta * x))
    assert abs(drawn.mean() - (x * law).sum() / law.sum()) < 4 * drawn.std() / 200


def test_cascades_give_on_the_mean_what_the_chain_of_chances_gives():
    substance, rays = composition("HfO2"), beam("100 kV")
    found, photons = emission(substance, rays), photon_source(substance, rays)
    at, stack, waiting, totals = np.zeros(6), np.empty((400, 9)), np.empty(400, np.int64), np.zeros(kernel.TOTALS)
    state = stream()
    born = np.array([source.draw_event(photons, 0, at, stack, waiting, totals, state) for _ in range(20000)])
    assert totals[kernel.IMBALANCE] < 1e-12
    assert abs(born[:, 0].mean() - found.numbers.sum()) < 4 * born[:, 0].std() / np.sqrt(len(born))
    assert abs(born[:, 1].mean() - found.energies @ found.numbers) < 4 * born[:, 1].std() / np.sqrt(len(born))


# Transport


def test_without_deflection_energy_is_laid_down_where_the_range_says():
    thin = 1e-9 * WATER.elastic_inverse_path
    straight = replace(quiet(WATER), elastic_inverse_path=thin, transport_inverse_path=thin)
    world = histories.make_world(geometry.read_shape("sphere", 20.0), straight, straight, 0.05)
    energy = 20.0
    scored = follow(world, [energy, 10.0 + 1e-9, 0, 0, 1, 0, 0, 0, 0], 4000)
    found = energy - np.cumsum(scored.shells, axis=1)
    whole = np.interp(np.log(energy), WATER.log_energies, WATER.csda_range)
    left = np.interp(whole - scored.edges[1:], WATER.csda_range, WATER.energies, left=0.0)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - left) < 4 * error + 2e-3 * energy).all()


def test_the_metal_stands_in_its_place_once_an_electron_has_left_the_water_there():
    energy = 2.0
    metal, around = flat(WATER, 10.0, 1e-3), flat(WATER, 1e-3, 1 / 20.0)
    shape = geometry.read_shape("sphere", 40.0)
    kept = {}
    for name, inside in (("metal", metal), ("water", around)):
        world = histories.make_world(shape, inside, around, 0.05)
        for as_water in (0, 1):
            row = [energy, 0, 0, 0, 1, 0, 0, geometry.SOLID, as_water]
            kept[name, as_water] = follow(world, row, 800).totals[kernel.IN_SOLID] / energy
    # Born in metal it ends there; born in water that stands for it, only if it comes back; else it hardly loses any.
    assert kept["metal", 0] > 0.999
    assert 0.25 < kept["metal", 1] < 0.95
    assert kept["water", 0] == kept["water", 1] < 0.2


def test_multiple_scattering_has_the_moments_of_lewis():
    path = 1.0 / 700.0  # transport coefficient, 1/nm
    medium = flat(WATER, 2e-3, path, screening=0.02)
    world = histories.make_world(geometry.read_shape("sphere", 1.0), medium, medium, 0.05, (0.15, 0.1, 0.5, 0.25, 1e9))
    energy, count = 2.0, 3000
    ends = np.empty((count, 6))
    tally = kernel.Tally(
        np.array([1.0, 7.0]), histories.shell_edges(), np.zeros(76), np.zeros(kernel.TOTALS), np.zeros(256),
        histories.empty_stack(), np.empty(6),
    )  # fmt: skip
    state = stream()
    given = np.array([[energy, 500.0, 0, 0, 1.0, 0, 0, 0, 0]])
    for i in range(count):
        source.run_given(given, world, tally, state)
        ends[i] = tally.at
    length = (energy - 0.05) / 2e-3  # the last step ends within a tenth of the cut-off below it
    turns = length * path
    for found, wanted, slack in (
        (ends[:, 3], np.exp(-turns), 0.01),
        (ends[:, 0] - 500.0, (1 - np.exp(-turns)) / path, 5.0),
        (((ends[:, :3] - [500.0, 0, 0]) ** 2).sum(axis=1), 2 * (turns - 1 + np.exp(-turns)) / path**2, 8e3),
    ):
        assert abs(found.mean() - wanted) < 4 * found.std() / np.sqrt(count) + slack


def test_paths_without_knock_ons_add_up_to_the_range():
    world = histories.make_world(geometry.read_shape("sphere", 20.0), quiet(WATER), quiet(WATER), 0.05)
    alone = source.PhotonSource(
        np.array([20.0]), np.ones(1), np.array([[0.0, 0.0, 1.0]]), np.zeros(3), np.array([-1, -1, 0]),
        np.array([0, 1]), np.ones(1), np.zeros(1, np.int64), np.zeros(1), np.full((1, 2), -1), np.zeros(1),
    )  # fmt: skip
    paths = np.zeros(WATER.log_energies.size)
    source.slow_down(200, alone, world, histories.empty_stack(), paths, np.zeros(2), stream())
    ranges = np.interp(np.log([0.05, 20.0]), WATER.log_energies, WATER.csda_range)
    assert paths.sum() / 200 == pytest.approx(ranges[1] - ranges[0], rel=5e-3)


# Balance, seeds, threads


@pytest.mark.parametrize(("material", "text"), [("gold", text) for text in SHAPES] + [("HfO2", "sphere")])
def test_energy_is_kept_in_every_history(material, text):
    density = "9.7 g/cm^3" if material == "HfO2" else None
    case = read_case(material, "30 nm", "80 kV", text, density)
    world, edges = particle_case.particle_world(case), histories.shell_edges()
    for as_water in (False, True):
        totals = nanoscale.events_in(case, world, edges, 300, 3, as_water).scored.totals
        assert totals[kernel.IMBALANCE] < 1e-9
    field = equilibrium_field(case, world, 400, 1)
    entered = electrons_entering(case, field, world, edges, 300, 4).scored.totals
    assert entered[kernel.IMBALANCE] < 1e-9
    places = [kernel.IN_SOLID, kernel.IN_HOLLOW, kernel.IN_WATER, kernel.BEYOND]
    assert entered[places].sum() == pytest.approx(entered[kernel.ENTERED], rel=1e-12)


def test_all_energy_of_the_photons_is_found_again():
    dose = particle_dose("gold", "50 nm", "40 keV", method="monte_carlo", histories=500)
    assert dose.deposited_inside + dose.escaping_energy + dose.photon_energy == pytest.approx(40.0, rel=1e-12)
    shells = dose.dose_per_event * np.diff(4 / 3 * np.pi * dose.radii**3) * particle_case.water()[1] / GRAY
    assert shells.sum() == pytest.approx(dose.escaping_energy, rel=1e-9)
    coarse = particle_dose("gold", "50 nm", "40 keV")
    assert coarse.deposited_inside + coarse.escaping_energy + coarse.photon_energy == pytest.approx(40.0, rel=1e-9)


def test_a_seed_decides_whatever_the_threads():
    case = read_case("gold", "30 nm", "80 kV", "sphere")
    world = particle_case.particle_world(case)
    row = [20.0, 0, 0, 0, 1, 0, 0, geometry.SOLID, 0]
    one, two, three = (follow(world, row, 300, threads=n) for n in (1, 2, 3))
    assert np.array_equal(one.shells, two.shells)
    assert np.array_equal(one.totals, three.totals)
    assert not np.array_equal(one.shells, follow(world, row, 300, seed=2).shells)


# Equilibrium


@pytest.mark.parametrize("text", ["sphere", "cage, wall 8 nm"])
def test_packing_water_more_densely_changes_nothing_beside_it(text, monkeypatch):
    """Fano: in equilibrium the fluence does not know of density; here twenty-fold, all four terms at work."""
    monkeypatch.setattr(particle_case, "electron_rates", lambda _, density: denser(WATER, density / WATER.density))
    case = read_case("water", "40 nm", "50 kV", text, "20 g/cm^3")
    edges = histories.shell_edges()
    parts = nanoscale.ratio_parts(case, edges, 10000, 7)
    terms = [sign * part.rate * part.scored.shells for sign, part in parts]
    excess = sum(term.mean(axis=0) for term in terms) * GRAY / np.diff(case.form.volume_within(edges))
    error = np.sqrt(sum(term.var(axis=0, ddof=1) / len(term) for term in terms))
    error *= GRAY / np.diff(case.form.volume_within(edges))
    near = edges[1:] < 300
    assert error[near].max() < 0.06
    assert (np.abs(excess[near]) < 4.5 * error[near]).all()
    assert abs(np.average(excess[near], weights=1 / error[near] ** 2)) < 4 / np.sqrt((1 / error[near] ** 2).sum())
    # Events in the dense water alone would have made a difference that is seen.
    assert terms[0].mean(axis=0)[0] * GRAY / np.diff(case.form.volume_within(edges))[0] > 0.02


def test_equilibrium_electrons_carry_one_gray_into_water():
    case = read_case("water", "60 nm", "50 kV", "sphere")
    world = particle_case.particle_world(case)
    field = equilibrium_field(case, world, 20000, 5)
    assert field.kerma == pytest.approx(1.0, rel=0.03)
    events = nanoscale.events_in(case, world, VACUUM, 4000, 3)
    entering = electrons_entering(case, field, world, VACUUM, 20000, 4)
    kept = sum(part.rate * part.scored.totals[kernel.IN_SOLID] for part in (events, entering))
    assert kept * GRAY / (case.form.solid_volume * case.density) == pytest.approx(field.kerma, rel=0.03)


def test_how_often_a_particle_is_hit_is_a_product_of_tables():
    dose = particle_dose("gold", "50 nm", "60 keV")
    # Photons and gold at 60 keV: the particle's mass, attenuation without coherent scattering, fluence of one gray.
    mass = 4 / 3 * np.pi * 25.0**3 * 1e-21 * 19.3
    fluence = 1.0 / (60.0 * energy_absorption("water", "60 keV").to("cm^2/g").magnitude * 1.602176634e-13)
    assert dose.event_rate == pytest.approx(mass * 4.528 * fluence, rel=0.12)
    assert dose.event_rate < mass * attenuation("gold", "60 keV").to("cm^2/g").magnitude * fluence


def test_small_particles_keep_little_and_large_ones_much():
    kept = [particle_dose("gold", f"{d} nm", "40 keV", "monte_carlo", histories=400) for d in (2, 20, 200, 4000)]
    shares = [one.deposited_inside / (one.deposited_inside + one.escaping_energy) for one in kept]
    assert shares == sorted(shares)
    assert shares[0] < 0.03
    assert shares[-1] > 0.7


def test_both_kernels_agree_on_the_dose_per_event():
    simulated = particle_dose("gold", "50 nm", "100 kV", "monte_carlo", histories=6000)
    coarse = particle_dose("gold", "50 nm", "100 kV")
    some = (simulated.distances[:-1] >= 3.0) & (simulated.distances[1:] <= 10000.0)
    ratio = coarse.dose_per_event[some] / simulated.dose_per_event[some]
    assert (ratio > 0.6).all()
    assert (ratio < 1.4).all()
    assert coarse.event_rate == simulated.event_rate
    assert coarse.escaping_energy == pytest.approx(simulated.escaping_energy, rel=0.05)


# Keeping, and wrong input


def test_results_are_kept_and_a_broken_file_is_made_anew(tmp_path):
    first = dose_ratio_profile("gold", "20 nm", "40 keV", ["10 nm"], histories=40, seed=2)
    (kept,) = (tmp_path / "radiation").glob("*.npz")
    again = dose_ratio_profile("gold", "20 nm", "40 keV", ["10 nm"], histories=40, seed=2)
    assert again.identical(first)
    kept.write_bytes(kept.read_bytes()[:-20])
    assert dose_ratio_profile("gold", "20 nm", "40 keV", ["10 nm"], histories=40, seed=2).identical(first)


def test_a_folder_that_cannot_be_written_to_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path / "file"))
    assert particle_dose("gold", "20 nm", "40 keV", "monte_carlo", histories=20).histories == 20


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"diameter": "0 nm"}, InputError),
        ({"diameter": "-5 nm"}, InputError),
        ({"diameter": "15 um"}, InputError),
        ({"diameter": 50.0}, UnitError),
        ({"distances": ["-1 nm"]}, InputError),
        ({"distances": ["10 nm", "2 mm"]}, InputError),
        ({"histories": 0}, InputError),
        ({"histories": 10.5}, InputError),
        ({"seed": -1}, InputError),
        ({"shape": "spheer"}, InputError),
        ({"shape": "rod"}, InputError),
        ({"shape": "shell, wall 30 nm"}, InputError),
        ({"shape": "shell, wall 3"}, UnitError),
        ({"material": "unobtainium"}, InputError),
        ({"beam": "50"}, InputError),
    ],
)
def test_wrong_arguments_are_named(changed, error):
    arguments = {"material": "gold", "diameter": "50 nm", "beam": "50 kV", "distances": ["10 nm"], **changed}
    with pytest.raises(error) as raised:
        dose_ratio_profile(**arguments)
    assert next(iter(changed)) in str(raised.value)


def test_an_unknown_method_is_named():
    with pytest.raises(InputError, match="method"):
        particle_dose("gold", "50 nm", "50 kV", method="montecarlo")
