"""Dose in a small sphere, such as a mouse tumour, with a nuclide spread evenly in it.

    S      = sum of energies per decay x absorbed fractions / mass           Gy per decay = Gy/(Bq s)
    g(r)   = 1 - 3 r / (4 R) + r^3 / (16 R^3)                                share of points still inside at distance r
    phi_e  = integral <g(r(s))> (-dT/ds)_col ds / T                          electrons that slow down continuously
    phi_ph = integral g(r) mu_en exp(-mu_en r) dr                            photons

After a path s an electron lies at distance r from its start. Its mean square follows from the angle it has turned by,
<r^2> = 2 integral integral exp(-integral ds/l_1) ds' ds'', l_1 the transport mean free path (lewis_1950); r^2 / s^2 is
then spread as a beta distribution whose fourth moment is that of a chain of even stiffness (hermans_1952). l_1 is that
of Rutherford scattering with Moliere's screening and the first correction for spin, on nuclei and their electrons.

Validity: spheres of 0.1 mm to 10 cm, electrons of 1 keV to 20 MeV. Left out: straggling of energy losses, energy that
comes back from around the sphere's scattered photons beyond what mu_en holds, and alpha particles, recoils and daughter
nuclides. Energies are in keV, lengths in cm, densities in g/cm3 inside. Sources: lewis_1950, hermans_1952,
moliere_1947, loevinger_1991.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantity
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.cerenkov import electrons_of_decay
from nanotrial.radiation.composition import Composition, atomic_weight, composition, known_density
from nanotrial.radiation.element_tables import LOWEST
from nanotrial.radiation.light_transfer import kept_in_sphere
from nanotrial.radiation.nuclides import Nuclide
from nanotrial.radiation.nuclides import nuclide as read_nuclide

if TYPE_CHECKING:
    from collections.abc import Callable

REST = 510.998950  # keV
RADIUS = 2.8179403262e-13  # cm, of the classical electron
FINE_STRUCTURE = 7.2973525693e-3
AVOGADRO = 6.02214076e23
GRAY = 1.602176634e-13  # of one keV per gram
SLOWEST, FASTEST = 1.0, 2.5e4  # keV
# Steps of the path; the spread of r^2 is read off at quantiles of its beta distribution.
STEPS, QUANTILES = 120, 16


@dataclass(frozen=True)
class Track:
    """How electrons of one energy slow down, in steps: path s (cm), energy left by collisions (keV), <r^2>/s^2."""

    paths: Array
    losses: Array
    straightness: Array


def transport_rate(medium: Composition, density: float, energies: Array) -> Array:
    """Return 1 / l_1 (1/cm): how fast electrons of energies (keV) forget their direction. Source: moliere_1947."""
    tau = energies / REST
    momentum2 = tau * (tau + 2.0)
    beta2 = momentum2 / (1.0 + tau) ** 2
    rate = np.zeros_like(energies)
    for z, w in medium.fractions:
        field = FINE_STRUCTURE * z / np.sqrt(beta2)
        screening = FINE_STRUCTURE**2 * z ** (2 / 3) / (4.0 * 0.8853**2 * momentum2) * (1.13 + 3.76 * field**2)
        bracket = np.log1p(1.0 / screening) - 1.0 / (1.0 + screening) - beta2
        # z (z + 1): electrons of the atom turn the track like one more nucleus of charge 1 each.
        area = 2.0 * np.pi * z * (z + 1) * RADIUS**2 / (beta2 * momentum2) * np.maximum(bracket, 0.0)
        rate += w * AVOGADRO / atomic_weight(z) * area
    return density * rate


def chain_moments(turns: Array) -> tuple[Array, Array]:
    """Return <r^2>/s^2 and <r^4>/s^4 of a chain of even stiffness that is ``turns`` persistence lengths long.

    Source: hermans_1952.
    """
    t = np.maximum(turns, 5e-2)
    gone, thrice = -np.expm1(-t), -np.expm1(-3.0 * t)
    second = 2.0 * (t - gone) / t**2
    fourth = 20.0 / 3.0 * t**2 - 208.0 / 9.0 * t - 8.0 / 27.0 * thrice + 32.0 * gone - 8.0 * t * np.exp(-t)
    # Below, the first terms of both series; the closed forms lose their digits there.
    low = turns < 5e-2
    return np.where(low, 1.0 - turns / 3.0, second), np.where(low, 1.0 - 2.0 * turns / 3.0, fourth / t**4)


def track(medium: Composition, density: float, energy: float) -> Track:
    """Return how electrons of an energy (keV) slow down in a medium."""
    grid, ranges, share, turned = _tables(medium, density)
    whole = float(np.interp(energy, grid, ranges))
    # Finer at the start, for spheres much smaller than the range.
    edges = whole * np.linspace(0.0, 1.0, 2 * STEPS + 1) ** 2
    left = np.interp(whole - edges, ranges, grid)
    angle = np.interp(energy, grid, turned) - np.interp(left, grid, turned)
    # <r^2> = 2 integral exp(-angle now) [integral exp(angle then)]; the angle stays below some tens.
    memory = np.exp(-angle) * _summed(np.exp(angle), edges)
    square = 2.0 * _summed(memory, edges)
    paths, losses = edges[1::2], -np.diff(left[::2]) * np.interp(left[1::2], grid, share)
    return Track(paths, losses, np.clip(square[1::2] / paths**2, 1e-6, 1.0))


def _summed(values: Array, at: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(at))])


@lru_cache(maxsize=16)
def _tables(medium: Composition, density: float) -> tuple[Array, Array, Array, Array]:
    """Return energies (keV), ranges (cm), the share of losses to collisions, and the angle exponent from SLOWEST on."""
    from nanotrial.radiation.electrons.stopping import collision_stopping, radiative_stopping

    grid = np.geomspace(SLOWEST, FASTEST, 900)
    collision = collision_stopping(medium, density, grid) * density * 1e3
    total = collision + radiative_stopping(medium, grid) * density * 1e3
    inverse = grid / total
    ranges = 0.5 * grid[0] / total[0] + _summed(inverse, np.log(grid))
    return grid, ranges, collision / total, _summed(transport_rate(medium, density, grid) * inverse, np.log(grid))


def still_inside(distances: Array, radius: float) -> Array:
    """Return g(r): the share of points at a distance from even starts in a sphere that lie in it."""
    x = np.minimum(distances / radius, 2.0)
    return np.asarray(1.0 - 0.75 * x + x**3 / 16.0)


def electron_fraction(medium: Composition, density: float, energy: float, inside: Callable[[Array], Array]) -> float:
    """Return the share of an electron's energy that lands where ``inside`` says, a function of distance (cm).

    Arguments:
        medium, density: what it slows down in; g/cm3.
        energy: keV.
        inside: distances (cm) to shares: ``still_inside`` for a sphere with even starts.

    Bremsstrahlung counts as gone.
    """
    from scipy.special import betaincinv

    if energy <= SLOWEST:
        return 1.0
    course = track(medium, density, energy)
    first = course.straightness
    turns = _turns_of(first)
    spread = chain_moments(turns)[1] - chain_moments(turns)[0] ** 2
    first = np.clip(first, 1e-6, 1.0 - 1e-6)
    size = np.clip(first * (1.0 - first) / np.maximum(spread, 1e-9) - 1.0, 1e-3, 1e7)
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    square = betaincinv((first * size)[:, None], ((1.0 - first) * size)[:, None], levels[None, :])
    distances = course.paths[:, None] * np.sqrt(square)
    landed = float(np.sum(course.losses * np.mean(inside(distances), axis=1)))
    # The last keV is not in the table of losses; it stays at the end of the track.
    rest = SLOWEST * float(np.mean(inside(distances[-1])))
    return min(1.0, (landed + rest) / energy)


def _turns_of(straightness: Array) -> Array:
    """Return how many persistence lengths a chain of even stiffness has, from its <r^2>/s^2."""
    turns = np.geomspace(1e-6, 1e4, 2000)
    return np.interp(-straightness, -chain_moments(turns)[0], turns)


def absorbed_fractions(nuclide: Nuclide, medium: Composition, density: float, radius: float) -> tuple[float, float]:
    """Return the shares of electron and of photon energy that stay in a sphere of this radius (cm)."""
    energies, numbers = electrons_of_decay(nuclide)
    carried = energies * numbers
    electrons = 1.0
    if carried.sum() > 0.0:
        grid = np.geomspace(max(SLOWEST, 0.5 * float(energies.min())), max(2.0, float(energies.max())), 32)
        found = [electron_fraction(medium, density, float(e), lambda r: still_inside(r, radius)) for e in grid]
        electrons = float(carried @ np.interp(np.log(energies), np.log(grid), found) / carried.sum())
    lines, yields = nuclide.photon_lines
    photons = 1.0
    if float(lines @ yields) > 0.0:
        absorption = coefficients(medium, np.maximum(lines, LOWEST)).absorption * density
        photons = float((lines * yields) @ kept_in_sphere(absorption * radius) / (lines @ yields))
    return electrons, photons


def absorbed_dose_per_decay(
    nuclide: object, mass: object = None, diameter: object = None, medium: object = "water"
) -> Any:
    """Return the mean dose in a sphere per decay in it, its S-value (quantity, Gy/Bq/s).

    S = (E_electrons phi_electrons + E_photons phi_photons) / m.

    Arguments:
        nuclide: a Nuclide, or a name such as ``"177Lu"``; spread evenly in the sphere.
        mass, diameter: of the sphere, such as ``"0.5 g"`` or ``"1 cm"``; one of the two.
        medium: of sphere and surroundings, with a density.

    Raises:
        InputError: no such nuclide or medium, both sizes or none, or a size of nothing.
    """
    substance = composition(medium, "medium")
    density = known_density(substance, "medium")
    radius, weight = _sphere(mass, diameter, density)
    source = nuclide if isinstance(nuclide, Nuclide) else read_nuclide(nuclide)  # type: ignore[arg-type]
    electrons, photons = absorbed_fractions(source, substance, density, radius)
    energy = source.electron_energy.magnitude * electrons + source.photon_energy.magnitude * photons
    return quantity(GRAY * energy / weight, "Gy/Bq/s")


def _sphere(mass: object, diameter: object, density: float) -> tuple[float, float]:
    """Return radius (cm) and mass (g) of a sphere from one of its sizes."""
    if (mass is None) == (diameter is None):
        found = "neither of them" if mass is None else "both"
        raise InputError("mass, diameter", found, "one of the two")
    if mass is None:
        radius = 0.5 * read_quantity(diameter, "cm", "diameter", 0.0)
        weight = 4.0 / 3.0 * np.pi * radius**3 * density
    else:
        weight = read_quantity(mass, "g", "mass", 0.0)
        radius = (0.75 * weight / density / np.pi) ** (1.0 / 3.0)
    if weight <= 0.0:
        raise InputError("mass" if diameter is None else "diameter", "0", "a sphere of some size")
    return radius, weight


def dose_from_activity(
    nuclide: object,
    activity: object,
    mass: object = None,
    diameter: object = None,
    *,
    biological_half_life: object = None,
    duration: object = None,
    medium: object = "water",
) -> Any:
    """Return the dose that an activity in a sphere gives while it decays and is washed out (quantity, Gy).

    D = S A (1 - exp(-k t)) / k with k = ln 2 (1 / T_physical + 1 / T_biological).

    Arguments:
        nuclide, mass, diameter, medium: as in ``absorbed_dose_per_decay``.
        activity: in the sphere at the start, such as ``"1 MBq"``.
        biological_half_life: of what leaves the sphere; None means that nothing leaves.
        duration: time that counts; None means until all has decayed.

    Raises:
        InputError: as ``absorbed_dose_per_decay``, or a half-life that is not above 0.
        UnitError: a wrong unit.
    """
    source = nuclide if isinstance(nuclide, Nuclide) else read_nuclide(nuclide)  # type: ignore[arg-type]
    rate = source.decay_constant.magnitude
    if biological_half_life is not None:
        half = read_quantity(biological_half_life, "s", "biological_half_life", 0.0)
        if half == 0.0:
            raise InputError("biological_half_life", "0 s", "a time above 0")
        rate += np.log(2.0) / half
    start = read_quantity(activity, "Bq", "activity", 0.0)
    share = 1.0 if duration is None else -np.expm1(-rate * read_quantity(duration, "s", "duration", 0.0))
    per_decay = absorbed_dose_per_decay(source, mass, diameter, medium).magnitude
    return quantity(per_decay * start * share / rate, "Gy")
