"""The local effect of particles in places: exact overlaps, energy, rare events, and cells drawn one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.added_lesions import add_events
from nanotrial.cell.dose_response import survival
from nanotrial.cell.enhancement_ratio import compare_sensitivity
from nanotrial.cell.linear_quadratic import Sensitivity
from nanotrial.cell.local_effect import (
    PLACES,
    CellGeometry,
    find_local_effect,
    gains_of_particle,
    read_geometry,
    sample_survival,
)
from nanotrial.cell.spheres import radial_points, shared_volume, shell_volumes, surface_mean
from nanotrial.errors import InputError
from nanotrial.radiation.particles import ParticleDose

approx = pytest.approx
lengths = st.floats(0.05, 5.0)
SIZES = {
    "cell": "16 um", "nucleus": "10 um", "endosome": "300 nm", "lysosome": "600 nm", "mitochondrion": "500 nm",
    "surroundings": "4 um",
}  # fmt: skip
GEOMETRY = read_geometry(SIZES, {"lysosome": 100.0, "mitochondrion": 500.0})
CELLS = Sensitivity(0.2, 0.03, threshold_dose=10.0)
INSIDE = ("endosome", "lysosome", "cytosol", "mitochondrion", "reticulum")


def particle(strength=50.0, rate=1e-4, diameter=50.0, reach=3000.0, shells=40):
    """Dose that falls with the square of the distance and as an exponential: like electrons of a few keV."""
    radii = np.geomspace(diameter / 2, 20000.0, shells + 1)
    middle = np.sqrt(radii[1:] * radii[:-1])
    dose = strength * (100.0 / middle) ** 2 * np.exp(-middle / reach)
    nothing = np.zeros(shells)
    return ParticleDose("gold", diameter, "test", rate, radii, dose, 1.0, 1.0, nothing, "analytic")


def effect(numbers, cells=CELLS, **changes):
    return find_local_effect(particle(**changes), numbers, GEOMETRY, cells)


# Spheres


@settings(max_examples=60)
@given(lengths, lengths, st.floats(0.001, 11.0))
def test_shared_volume_is_a_stack_of_discs(r, R, s):
    def disc(x):
        return math.pi * max(min(r * r - x * x, R * R - (x - s) ** 2), 0.0)

    cut = (s * s + r * r - R * R) / (2 * s)
    inner = [p for p in (-r, r, s - R, s + R, cut) if -r <= p <= r]
    ends = sorted({-r, r, *inner})
    exact = sum(integrate.quad(disc, a, b, epsabs=1e-13)[0] for a, b in pairwise(ends))
    found = float(shared_volume(r, R, s))
    assert found == approx(exact, rel=1e-6, abs=1e-9)
    assert found == approx(float(shared_volume(R, r, s)), rel=1e-9, abs=1e-12)
    assert found <= 4 / 3 * math.pi * min(r, R) ** 3 * (1 + 1e-12)


@given(lengths, st.floats(0.0, 12.0))
def test_shells_that_reach_far_fill_the_sphere(target, distance):
    edges = np.concatenate(([0.0], np.geomspace(0.01, 30.0, 50)))
    found = shell_volumes(edges, target, distance)
    assert found.sum() == approx(4 / 3 * math.pi * target**3, rel=1e-9)
    assert np.all(found >= -1e-9)


@given(st.floats(0.2, 3.0), st.floats(0.0, 2.9))
def test_mean_over_a_surface(target, distance):
    edges = np.array([0.1, 0.5, 1.0, 2.0, 4.0, 8.0])
    values = np.array([5.0, 3.0, 2.0, 1.0, 0.5])
    cosine = np.linspace(-1, 1, 40001)
    apart = np.sqrt(np.maximum(target**2 + distance**2 - 2 * target * distance * cosine, 0.0))
    place = np.searchsorted(edges, apart, side="right") - 1
    there = np.where((place >= 0) & (place < 5), values[np.clip(place, 0, 4)], 0.0)
    assert surface_mean(edges, values, target, distance) == approx(there.mean(), abs=2e-3)


def test_points_in_shells_give_moments_and_surfaces():
    points, weights = radial_points(1.0, 3.0, np.array([1.5, 2.0, 9.0]))
    assert weights.sum() == approx(1.0, rel=1e-12)
    assert weights @ points**2 == approx(3 / 5 * (3**5 - 1) / (3**3 - 1), rel=1e-12)
    assert [x.tolist() for x in radial_points(2.0, 2.0, np.array([1.0]))] == [[2.0], [1.0]]


# Dose by place


def brute_points(count, low, high, generator):
    distance = np.cbrt(low**3 + (high**3 - low**3) * generator.random(count))
    direction = generator.normal(size=(count, 3))
    return distance[:, None] * direction / np.linalg.norm(direction, axis=1)[:, None]


def dose_at_points(source, places, points):
    apart = np.linalg.norm(points[None] - places[:, None], axis=2)
    k = np.searchsorted(source.radii, apart, side="right") - 1
    inside = (k >= 0) & (k < len(source.dose_per_event))
    return np.where(inside, source.dose_per_event[np.clip(k, 0, len(source.dose_per_event) - 1)], 0.0)


@pytest.mark.parametrize("place", PLACES)
def test_mean_dose_of_the_nucleus_by_brute_force(place):
    found = effect({place: 1.0})
    generator = np.random.default_rng(5)
    places = brute_points(3000, *GEOMETRY.reach(place), generator)
    points = brute_points(3000, 0.0, GEOMETRY.nucleus, generator)
    # Each place against points of its own: rows are independent, so that their spread is the error.
    doses = np.array([dose_at_points(found.particle, one[None], points[i::60])[0].mean() for i, one in
                      ((i % 60, p) for i, p in enumerate(places))])  # fmt: skip
    expected, error = doses.mean() * 1e-4, doses.std() / math.sqrt(len(doses)) * 1e-4
    assert found.added_dose == approx(expected, abs=6 * error)
    assert error < 0.2 * expected


def test_nearer_places_add_more():
    doses = [effect({place: 1e4}).added_dose for place in ("medium", "membrane", "cytosol", "nucleus")]
    assert np.all(np.diff(doses) > 0)
    assert effect({"cytosol": 1e4}).added_dose == approx(2 * effect({"cytosol": 5e3}).added_dose, rel=1e-12)
    both = effect({"cytosol": 1e4, "nucleus": 50.0})
    assert both.added_dose == approx(effect({"cytosol": 1e4}).added_dose + effect({"nucleus": 50.0}).added_dose)


@pytest.mark.parametrize("place", ["nucleus", "cytosol"])
def test_energy_of_events_is_shared_between_parts(place):
    """With a cell that holds every shell, energy in nucleus and cytosol is all that an event sends out."""
    source = particle(reach=150.0)
    wide = read_geometry(SIZES | {"cell": "200 um", "nucleus": "40 um"}, {"lysosome": 1.0, "mitochondrion": 1.0})
    found = find_local_effect(source, {place: 1.0}, wide, CELLS)
    table = found.doses.sel(place=place)
    volumes = 4 / 3 * math.pi * np.diff(source.radii**3)
    sent = source.event_rate * float(volumes @ source.dose_per_event)
    near = volumes[source.radii[1:] < 3000] @ source.dose_per_event[source.radii[1:] < 3000]
    assert near * source.event_rate == approx(sent, rel=1e-6), "the field ends within the cell"
    nucleus, whole = (4 / 3 * math.pi * r**3 for r in (wide.nucleus, wide.cell))
    kept = float(table.sel(target="nucleus")) * nucleus + float(table.sel(target="cytosol")) * (whole - nucleus)
    assert kept == approx(sent, rel=2e-2 if place == "cytosol" else 1e-6)
    assert kept <= sent * (1 + 1e-9)


def test_organelles_that_hold_particles_get_more_and_share_it():
    table = effect({"lysosome": 1000.0, "mitochondrion": 1000.0, "cytosol": 1000.0}).doses
    for organelle, targets in (("lysosome", ("lysosome", "lysosome_membrane")), ("mitochondrion", ("mitochondrion",))):
        for target in targets:
            own = float(table.sel(target=target, place=organelle))
            assert own > 2 * float(table.sel(target=target, place="cytosol"))
    few = read_geometry(SIZES, {"lysosome": 10.0, "mitochondrion": 500.0})
    crowded = find_local_effect(particle(), {"lysosome": 1000.0}, few, CELLS).doses
    spread = effect({"lysosome": 1000.0}).doses
    far = float(spread.sel(target="cytosol", place="lysosome"))
    own = [float(t.sel(target="lysosome", place="lysosome")) - far for t in (crowded, spread)]
    assert own[0] == approx(10 * own[1], rel=1e-9)
    assert float(crowded.sel(target="nucleus")[0]) == approx(float(spread.sel(target="nucleus")[0]), rel=1e-12)
    with pytest.raises(InputError, match="holding"):
        _ = find_local_effect(particle(), {"lysosome": 1.0}, read_geometry(SIZES), CELLS).doses


def test_gains_of_one_particle_are_those_of_the_effect():
    gains = gains_of_particle(particle(), GEOMETRY)
    assert set(gains.doses) == set(gains.spikes) == set(PLACES) - {"medium", "endosome"}
    for place in gains.doses:
        one = effect({place: 1.0})
        assert gains.doses[place]["nucleus"] == approx(one.added_dose, rel=1e-12)
        for target in ("cytosol", "reticulum", "mitochondrion", "lysosome"):
            assert gains.doses[place][target] == approx(float(one.doses.sel(target=target, place=place)), rel=1e-12)
        plain = effect({place: 1.0}, Sensitivity(0.2, 0.03))
        assert 0.2 * one.added_dose + 0.03 * gains.spikes[place] == approx(plain.added_alpha, rel=1e-9)
    bent = CellGeometry(**(vars(GEOMETRY) | {"threshold_dose": 10.0}))
    for place, square in gains_of_particle(particle(), bent).spikes.items():
        assert 0.2 * effect({place: 1.0}).added_dose + 0.03 * square == approx(effect({place: 1.0}).added_alpha)
        assert square <= gains.spikes[place]


@pytest.mark.parametrize("line", Catalogue().ids("radiosensitivity"))
def test_every_line_has_a_geometry(line):
    found = CellGeometry.of_sheets(Catalogue().load("cells", line), Catalogue().load("radiosensitivity", line))
    gains = gains_of_particle(particle(), found)
    assert gains.doses["nucleus"]["nucleus"] > gains.doses["cytosol"]["nucleus"] > 0
    assert found.holding["lysosome"] > 10


# Lethal lesions


def test_nothing_added_is_the_baseline():
    found = effect({"cytosol": 0.0, "nucleus": 0.0})
    assert (found.added_dose, found.added_alpha, found.added_beta, found.events) == (0, 0, 0, 0)
    for dose in (0.0, 2.0, 15.0):
        assert float(found.survive(dose)) == approx(survival(CELLS, f"{dose} Gy"), rel=1e-14)
    assert float(effect({"nucleus": 1e4}).survive(0.0)) == 1.0


def test_a_wide_and_weak_field_is_added_dose():
    """Where one event gives all the nucleus a tiny dose, particles are a scaled dose and survival is the law itself."""
    radii = np.array([1.0, 1e6])
    weak = ParticleDose("gold", 2.0, "test", 1.0, radii, np.array([1e-7]), 0.0, 0.0, np.zeros(1), "analytic")
    plain = Sensitivity(0.2, 0.03)
    found = find_local_effect(weak, {"cytosol": 3e6}, GEOMETRY, plain)
    assert found.added_dose == approx(0.3, rel=1e-9)
    assert found.added_alpha == approx(0.2 * 0.3, rel=1e-6)
    assert found.added_beta == approx(0.03 * (1.3**2 - 1), rel=1e-9)
    scaled = Sensitivity(0.2 + found.added_alpha, 0.03 + found.added_beta)
    for dose in (1.0, 4.0):
        assert float(scaled.survive(dose)) == approx(survival(plain, f"{1.3 * dose} Gy"), rel=1e-6)
        # Events are counted one by one, so that overlap of the events with each other is what survive leaves out.
        log = 0.2 * 1.3 * dose + 0.03 * dose**2 * (1 + 2 * 0.3)
        assert -math.log(float(found.survive(dose))) == approx(log, rel=1e-6)


def test_moments_give_alpha_without_a_threshold():
    found = effect({"cytosol": 1e5}, Sensitivity(0.2, 0.0))
    assert found.added_alpha == approx(0.2 * found.added_dose, rel=1e-12)
    assert found.added_beta == 0.0
    curved, straight = (effect({"nucleus": 1e4}, Sensitivity(0.2, 0.03, threshold_dose=t)) for t in (math.inf, 5.0))
    assert curved.added_alpha > straight.added_alpha > 0.2 * straight.added_dose


def test_small_doses_fall_with_the_slope_that_events_give():
    gap = []
    for strength in (5.0, 500.0):
        found = effect({"nucleus": 1e6}, strength=strength)
        slope = -(math.log(float(found.survive(1e-6)))) / 1e-6
        gap.append(1.0 - (slope - 0.2) / found.added_alpha)
    assert gap[0] == approx(0.0, abs=1e-3)
    assert gap[1] > 0.01, "a cell dies of an event once at most"


def test_an_event_kills_at_most_its_cell():
    deadly = effect({"nucleus": 1e4}, strength=1e7)
    assert -math.log(float(deadly.survive(1.0))) == approx(float(CELLS.lethal(1.0)) + deadly.events, rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(["membrane", "cytosol", "nucleus"]), st.floats(10.0, 2000.0), st.floats(1.0, 6.0))
def test_survival_falls_with_particles(place, number, dose):
    few, many = (float(effect({place: n}).survive(dose)) for n in (number, 2 * number))
    assert many <= few <= float(CELLS.survive(dose))


def test_cells_drawn_one_by_one_agree():
    found = effect({"cytosol": 4e3, "nucleus": 400.0, "membrane": 2e3}, strength=3000.0)
    mean, error = sample_survival(found, "3 Gy", draws=4000, seed=11)
    exact = float(found.survive(3.0))
    assert float(mean) == approx(exact, abs=4 * float(error))
    assert float(error) < 0.02 * exact
    assert exact < 0.97 * float(CELLS.survive(3.0)), "the particles are seen"
    again, _ = sample_survival(found, "3 Gy", draws=4000, seed=11)
    assert float(again) == float(mean)
    other, _ = sample_survival(found, "3 Gy", draws=4000, seed=12)
    assert float(other) != float(mean)
    with pytest.raises(InputError, match="draws"):
        sample_survival(found, "3 Gy", draws=1, seed=1)


def test_overlapping_fields_of_points_agree_while_events_are_rare():
    """Lesions from dose at points of the nucleus, all events together, against the sum over single events."""
    source = particle(strength=3000.0, reach=4000.0)
    found = find_local_effect(source, {"cytosol": 4e3}, GEOMETRY, CELLS)
    generator, dose = np.random.default_rng(8), 2.0
    alive = []
    for _ in range(1200):
        events = generator.poisson(4e3 * source.event_rate * dose)
        places = brute_points(events, *GEOMETRY.reach("cytosol"), generator)
        points = brute_points(1500, 0.0, GEOMETRY.nucleus, generator)
        field = dose + dose_at_points(source, places, points).sum(axis=0) if events else np.array([dose])
        alive.append(math.exp(-float(CELLS.lethal(field).mean())))
    error = np.std(alive) / math.sqrt(len(alive))
    assert np.mean(alive) == approx(float(found.survive(dose)), abs=4 * error)
    assert error < 0.01


def test_added_lesions_agree_with_the_local_effect_for_flat_fields():
    radii = np.array([1.0, 1e6])
    weak = ParticleDose("gold", 2.0, "test", 1.0, radii, np.array([1e-7]), 0.0, 0.0, np.zeros(1), "analytic")
    found = find_local_effect(weak, {"cytosol": 3e6}, GEOMETRY, Sensitivity(0.2, 0.03))
    lesions = add_events(found, complex_share=0.4337, complex_lethality=1.0)
    assert lesions.alpha == approx(0.2 + found.added_alpha, rel=1e-6)
    assert lesions.beta == approx(0.03 + found.added_beta, rel=1e-9)
    ratio = compare_sensitivity(Sensitivity(0.2, 0.03), lesions)
    assert ratio.at_survival == approx(1.3, rel=1e-6)
    spiky = effect({"nucleus": 1e4})
    assert add_events(spiky, 0.4337, 1.0).alpha < 0.2 + spiky.added_alpha, "single large doses are the local effect"


# Wrong input


@pytest.mark.parametrize(
    ("numbers", "size", "text"),
    [
        ({"golgi": 1.0}, 50.0, "golgi"),
        ({"cytosol": -1.0}, 50.0, "cytosol"),
        ({"cytosol": math.nan}, 50.0, "cytosol"),
        ({"cytosol": 1.0}, 17000.0, "smaller than its cell"),
        ({"lysosome": 1.0}, 700.0, "in a lysosome"),
        ({"nucleus": 1.0}, 11000.0, "in a nucleus"),
    ],
)
def test_wrong_places(numbers, size, text):
    with pytest.raises(InputError, match=text):
        find_local_effect(particle(diameter=size), numbers, GEOMETRY, CELLS)


def test_wrong_cells():
    for sizes, text in (
        (SIZES | {"nucleus": "17 um"}, "nucleus"),
        (SIZES | {"vacuole": "1 um"}, "vacuole"),
        ({"cell": "16 um"}, "nucleus"),
        (SIZES | {"cell": "0 um"}, "cell"),
    ):
        with pytest.raises(InputError, match=text):
            read_geometry(sizes)
    for holding in ({"lysosome": 0.0}, {"golgi": 1.0}):
        with pytest.raises(InputError, match="holding"):
            read_geometry(SIZES, holding)
    tight = read_geometry(SIZES | {"cell": "10.3 um"})
    with pytest.raises(InputError, match="fits"):
        find_local_effect(particle(), {"lysosome": 1.0}, tight, CELLS).survive(1.0)
    with pytest.raises(InputError, match="smaller than its cell"):
        gains_of_particle(particle(diameter=17000.0), GEOMETRY)
