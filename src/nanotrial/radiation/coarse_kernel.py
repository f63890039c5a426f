"""Dose around one particle without random numbers: mean slowing down along straight lines of the right mean length.

Electrons lose energy as on the mean (CSDA). Their detours shorten how far they get: after a path s the distance is
taken as the root of the mean squared one of multiple scattering theory,

    d<r^2>/ds = 2 q,    dq/ds = 1 - q/lambda_1(T(s)),    dT/ds = -S(T)

with the transport mean free path lambda_1, in the particle and, afresh, in water. Emission is even in the volume and
isotropic. A body that is no sphere is taken as the sphere with the same mean chord for the escape. Left out: that
electrons come back, the spread of losses, and that knock-on electrons carry energy away from a track. Energies in
keV, lengths in nm. Source: lewis_1950.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrial.radiation.arguments import Array
from nanotrial.radiation.electrons.histories import shell_edges
from nanotrial.radiation.electrons.media import ElectronMedium
from nanotrial.radiation.particle_case import CUTOFF, GRAY, Case, ParticleDose, electron_rates, event_rate, water

if TYPE_CHECKING:
    from nanotrial.radiation.composition import Composition

Rows = NDArray[np.int64]
# Points of the quadrature over angle of escape and over the place along the chord; emission energies per ln.
ANGLES, PLACES = 8, 8


@lru_cache(maxsize=16)
def _reach(substance: Composition, density: float) -> Array:
    """Return the root mean squared distance (nm) from birth at energy i to energy j (n, n), on the grid of the rates.

    Entries with j above i are 0.
    """
    rates = electron_rates(substance, density)
    n = rates.log_energies.size
    square, along, out = np.zeros(n), np.zeros(n), np.zeros((n, n))
    energies = rates.energies
    for j in range(n - 2, -1, -1):
        # All electrons born above row j pass from j + 1 to j by the same path.
        slope = 2.0 / (rates.total_stopping[j] + rates.total_stopping[j + 1])
        path = (energies[j + 1] - energies[j]) * slope
        turn = 0.5 * (rates.transport_inverse_path[j] + rates.transport_inverse_path[j + 1])
        fade = np.exp(-path * turn)
        limit = 1.0 / turn
        born = np.arange(n) > j
        gained = 2.0 * (limit * path + (along - limit) * limit * (1.0 - fade))
        square = np.where(born, square + gained, 0.0)
        along = np.where(born, limit + (along - limit) * fade, 0.0)
        out[:, j] = np.sqrt(square)
    return out


def _left_after(reach: Array, rates: ElectronMedium, row: int, lengths: Array) -> Array:
    """Return the energy (keV) that an electron born at a row has left at distances; 0 where it does not get there."""
    distances, energies = reach[row, row::-1], rates.energies[row::-1]
    # Below the grid the rest of the range is gone through at an even pace.
    distances = np.append(distances, distances[-1] + rates.csda_range[0])
    return np.asarray(np.interp(lengths, distances, np.append(energies, 0.0), right=0.0))


def _rows(rates: ElectronMedium, energies: Array) -> Rows:
    """Return the nearest rows of the grid (the first one below it)."""
    place = (np.log(np.maximum(energies, 1e-9)) - rates.log_energies[0]) / rates.step
    return np.asarray(np.clip(np.rint(place).astype(int), 0, rates.log_energies.size - 1))


def analytic_dose(case: Case) -> ParticleDose:
    """Return the dose around a particle per ionising event, from mean slowing down along straight lines.

    Arguments:
        case: substance, form, beam.

    Validity: within 35 % of the Monte Carlo kernel (docs: dose around particles), lowest near the surface.
    Source: lewis_1950.
    """
    from nanotrial.radiation.electrons.interactions import emission

    found, edges = emission(case.substance, case.rays), shell_edges()
    rates = electron_rates(case.substance, case.density)
    followed = found.energies >= CUTOFF
    energies, numbers = found.energies[followed], found.numbers[followed]
    cosines, carried, leaving = _escape(case, energies, numbers)
    shells = sum(
        -np.diff(_gone_through(case, m, edges), axis=1).T @ out for m, out in zip(cosines, carried, strict=True)
    )
    out = float(carried.sum())
    inside = found.left + float(found.numbers @ found.energies) - out
    volumes = case.form.volume_within(edges)
    return ParticleDose(
        material=case.substance.name, diameter=case.diameter, beam=case.rays.name,
        event_rate=event_rate(case.substance, case.density, case.form.solid_volume, case.rays),
        radii=np.cbrt(volumes * 3.0 / (4.0 * np.pi)),
        dose_per_event=np.asarray(shells * GRAY / (np.diff(volumes) * water()[1])), deposited_inside=inside,
        escaping_energy=out, standard_error=np.zeros(edges.size - 1), method="analytic", shape=case.form.text,
        photon_energy=found.photons, distances=edges, leaving=leaving, leaving_energies=rates.energies,
    )  # fmt: skip


def _ball(case: Case) -> float:
    """Return the radius (nm) of the ball with the mean chord of the material: 4 V/S of the material is 4 R/3."""
    return 3.0 * case.form.solid_volume / case.form.measures[1]


def _escape(case: Case, energies: Array, numbers: Array) -> tuple[Array, Array, Array]:
    """Return cosines of leaving (m,), energy carried out by cosine and row (m, n) in keV, and electrons by row (n,)."""
    radius = _ball(case)
    rates, reach = electron_rates(case.substance, case.density), _reach(case.substance, case.density)
    # Leaving a ball that emits evenly: the cosine m to the normal has density 3 m^2, the way out is even in (0, 2 R m).
    nodes, weights = np.polynomial.legendre.leggauss(ANGLES)
    cosines = 0.5 * (nodes + 1.0)
    shares = 0.5 * weights * 3.0 * cosines**2 / PLACES
    lengths = 2.0 * radius * cosines[:, None] * (np.arange(PLACES) + 0.5) / PLACES
    carried, leaving = np.zeros((ANGLES, rates.log_energies.size)), np.zeros(rates.log_energies.size)
    place = np.broadcast_to(np.arange(ANGLES)[:, None], lengths.shape)
    for energy, number, row in zip(energies, numbers, _rows(rates, energies), strict=True):
        left = _left_after(reach, rates, int(row), lengths) * energy / float(rates.energies[row])
        rows = _rows(rates, left)
        np.add.at(carried, (place, rows), number * shares[:, None] * left)
        np.add.at(leaving, rows, number * shares[:, None] * (left > 0.0))
    return cosines, carried, leaving


def _gone_through(case: Case, cosine: float, edges: Array) -> Array:
    """Return the share of its energy that an electron has left at the edges of the shells, by row (n, k + 1)."""
    radius, around, beyond = _ball(case), electron_rates(*water()), _reach(*water())
    path = -radius * cosine + np.sqrt((radius * cosine) ** 2 + (radius + edges) ** 2 - radius**2)
    found = [_left_after(beyond, around, row, path) / energy for row, energy in enumerate(around.energies)]
    out: Array = np.minimum(np.array(found), 1.0)
    out[:, 0] = 1.0
    return out
