"""Electrons against measured backscattering, and the dose ratio around gold against the corrected EURADOS exercise."""

from __future__ import annotations

import numpy as np
import pytest

from nanotrial.radiation import dose_ratio_profile, nanoscale
from nanotrial.radiation.composition import composition
from nanotrial.radiation.electrons import geometry, histories, kernel, source
from nanotrial.radiation.electrons.media import electron_medium
from nanotrial.radiation.particle_case import GRAY, read_case
from nanotrial.radiation.particles import particle_dose


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path))


def backscattered(material, energy, count=3000):
    """Return how many electrons (above 50 eV) leave a thick slab through the face that they fell on upright."""
    medium = electron_medium(composition(material))
    half = 1e6
    world = histories.make_world(geometry.Shape("slab", geometry.CUBE, half, 0.0, 0.0), medium, medium, 0.05)
    row = [energy, 0, 0, half, 0, 0, -1, geometry.SOLID, 0]

    def run(n, tally, state):
        source.run_given(np.tile(np.asarray(row, dtype=float), (n, 1)), world, tally, state)

    scored = histories.score(run, count, 3, np.array([0.0, 0.0]), medium.log_energies.size)
    return scored.totals[kernel.IMBALANCE], scored.leaving.sum()


# Measured, normal incidence [reimer_1998: survey of measurements, recalled; spread of laboratories about 0.02].
@pytest.mark.parametrize(
    ("material", "energy", "coefficient", "tolerance"),
    [
        ("gold", 20.0, 0.50, 0.03),
        ("gold", 10.0, 0.48, 0.04),
        ("aluminium", 20.0, 0.155, 0.025),
        ("C", 20.0, 0.06, 0.02),
    ],
)
def test_backscattering_is_as_measured(material, energy, coefficient, tolerance):
    imbalance, found = backscattered(material, energy)
    assert imbalance < 1e-9
    assert found == pytest.approx(coefficient, abs=tolerance)


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    """Return shells of the dose ratio as (edges, ratio) for the four cases of the exercise."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("kept")))
        for diameter in (50, 100):
            for voltage in (50, 100):
                case = read_case("gold", f"{diameter} nm", f"eurados_{voltage}", "sphere")
                edges = histories.shell_edges()
                parts = nanoscale.ratio_parts(case, edges, 4000, 1)
                energy = sum(sign * part.rate * part.scored.mean_shells for sign, part in parts) * GRAY
                found[diameter, voltage] = (edges, energy, np.diff(case.form.volume_within(edges)))
    return found


def mean_ratio(profile, low, high):
    """Return the mean dose ratio between two distances (nm)."""
    edges, energy, volumes = profile
    some = (edges[:-1] >= low * 0.999) & (edges[1:] <= high * 1.001)
    return 1 + energy[some].sum() / volumes[some].sum()


def test_the_ratio_departs_from_one_only_near_the_particle(profiles):
    """rabus_2021: within the first few hundred nm; not over tens of micrometres as in a beam as narrow."""
    for (diameter, _), profile in profiles.items():
        assert mean_ratio(profile, 1000, 1778.3) < 1.01
        assert mean_ratio(profile, 1778.3, 50000) < 1.0005
        assert mean_ratio(profile, 0, 10) > 5
        assert mean_ratio(profile, 316.2, 1000) < (1.02 if diameter == 50 else 1.08)


def test_near_the_surface_the_ratio_is_some_tens_at_most(profiles):
    """rabus_2021: largest values below 20. Here 14 to 28 in the first 10 nm, of which electrons below 1 keV give a
    quarter of the excess (docs: dose around particles); the filters of the tubes are not known."""
    near = {key: mean_ratio(profile, 0, 10) for key, profile in profiles.items()}
    assert near[50, 50] < 20
    assert near[50, 100] < 20
    assert near[100, 100] < 28
    assert near[100, 50] < 33
    # Order: harder photons are absorbed less, a larger particle has more of them.
    assert near[50, 100] < near[50, 50] < near[100, 50]
    assert near[100, 100] < near[100, 50]


def test_the_excess_beyond_a_micrometre_is_what_the_energy_allows(profiles):
    """No more energy than the events send out can be beyond 1 um: an upper limit that needs no transport."""
    for (diameter, voltage), (edges, energy, _) in profiles.items():
        dose = particle_dose("gold", f"{diameter} nm", f"eurados_{voltage}")
        allowed = dose.event_rate * dose.escaping_energy * GRAY
        assert 0 < energy[edges[:-1] >= 1000].sum() < allowed


def test_a_profile_says_how_sure_it_is():
    """Two seeds differ by what their standard errors say."""
    one, two = (
        dose_ratio_profile("gold", "50 nm", "50 kV", ["5 nm", "20 nm", "100 nm", "500 nm"], histories=1500, seed=s)
        for s in (1, 2)
    )
    apart = (one.dose_ratio - two.dose_ratio) / np.hypot(one.standard_error, two.standard_error)
    assert np.abs(apart).max() < 4
    assert (one.standard_error > 0).all()


def test_dose_per_event_near_a_small_particle_is_of_kilograys():
    """mcmahon_2011, figure 4: thousands of gray within 10 nm of a 20 nm particle for one event at 40 keV."""
    dose = particle_dose("gold", "20 nm", "40 keV", "monte_carlo", histories=3000)
    shells = np.diff(4 / 3 * np.pi * dose.radii**3)
    near = dose.distances[1:] <= 10.001
    mean = (dose.dose_per_event[near] * shells[near]).sum() / shells[near].sum()
    assert 500 < mean < 5000
    # At 2 Gy between one in a thousand and one in a hundred particles is hit.
    assert 1e-3 < 2 * dose.event_rate < 1e-2
