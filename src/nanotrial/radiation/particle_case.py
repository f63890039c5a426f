"""One particle in a beam: what is asked about it, how often the beam meets it, and what an answer holds.

An event is a photoelectric, Compton or pair interaction of the beam with the particle. ``event_rate`` counts events per
particle and per gray that the same beam gives to water under charged-particle equilibrium:

    rate = V rho sum_E phi(E) (mu_photo + mu_incoh + mu_pair)/rho / sum_E phi(E) E (mu_en/rho)_water

Energies in keV, lengths in nm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, read_quantity
from nanotrial.radiation.composition import Composition, composition
from nanotrial.radiation.electrons.histories import make_world

if TYPE_CHECKING:
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.electrons.geometry import Shape
    from nanotrial.radiation.electrons.kernel import World
    from nanotrial.radiation.electrons.media import ElectronMedium

SMALLEST, LARGEST = 0.5, 20000.0
# The fluence inside a particle is taken to be that outside.
MOST_ABSORBED = 0.2
# Gy of one keV/nm^3 in water of 1 g/cm^3.
GRAY = 1.602176634e8
# Electrons below are not followed (keV).
CUTOFF = 0.05


@dataclass(frozen=True, eq=False)
class ParticleDose:
    """What one particle adds to the water around it.

    ``event_rate`` events per particle and gray to water; ``radii`` edges of shells from the centre (nm, n + 1; of the
    sphere with the same volume inside, for other shapes); ``dose_per_event`` mean dose in each shell per event (Gy, n)
    with ``standard_error``; energies per event (keV): ``deposited_inside`` the particle, ``escaping_energy`` carried
    out by electrons, ``photon_energy`` carried out by photons. ``distances`` are the edges of the shells from the
    surface (nm); ``leaving`` electrons per event that leave, by energy (keV), returns taken off.
    """

    material: str
    diameter: float
    beam: str
    event_rate: float
    radii: Array
    dose_per_event: Array
    deposited_inside: float
    escaping_energy: float
    standard_error: Array
    method: str
    shape: str = "sphere"
    histories: int = 0
    seed: int = 0
    photon_energy: float = 0.0
    distances: Array | None = None
    leaving_energies: Array | None = None
    leaving: Array | None = None


@dataclass(frozen=True)
class Case:
    """Arguments that were read: substance with its density, form, beam."""

    substance: Composition
    density: float
    form: Shape
    diameter: float
    rays: Beam


def read_case(material: object, diameter: object, beam: object, shape: str, density: object = None) -> Case:
    """Read the arguments that functions about one particle share.

    Raises:
        InputError: an unknown material, beam or shape, a diameter that is not positive, a particle so thick that
            it shades itself, or no density.
        UnitError: a length without a unit.
    """
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.beams import beam as read_beam
    from nanotrial.radiation.electrons.geometry import read_shape

    substance = composition(material, "material")
    given = read_quantity(density, "g/cm^3", "density", 1e-3, 30.0) if density is not None else substance.density
    if given is None:
        raise InputError("material", f"{substance.name} of unknown density", "a density", 'Give density="7 g/cm^3".')
    size = read_quantity(diameter, "nm", "diameter", SMALLEST, LARGEST)
    rays = beam if isinstance(beam, Beam) else read_beam(beam)
    case = Case(substance, given, read_shape(shape, size), size, rays)
    shade = absorbed_share(case)
    if shade > MOST_ABSORBED:
        expected = f"a particle that absorbs less than {MOST_ABSORBED:.0%} of the photons that interact"
        raise InputError("diameter", f"{size:g} nm, which absorbs {shade:.0%}", expected, "Ask for a smaller one.")
    return case


def absorbed_share(case: Case) -> float:
    """Return the mean of mu rho 4V/S over interactions: what a particle takes out of the beam that goes through it."""
    from nanotrial.radiation.attenuation import coefficients

    found = coefficients(case.substance, case.rays.energies)
    events = found.photoelectric + found.incoherent + found.pair
    chord = 4.0 * case.form.solid_volume / case.form.measures[1] * 1e-7
    weights = case.rays.fluence * events
    return float(weights @ (events * case.density * chord) / weights.sum())


def event_rate(substance: Composition, density: float, volume: float, rays: Beam) -> float:
    """Return interactions of photons in a volume per gray to water under charged-particle equilibrium.

    Arguments:
        substance, density: of the volume; g/cm^3.
        volume: nm^3.
        rays: beam.
    """
    from nanotrial.radiation.attenuation import coefficients

    found = coefficients(substance, rays.energies)
    events = float(rays.fluence @ (found.photoelectric + found.incoherent + found.pair))
    fluence = 1.0 / float(rays.dose_per_fluence("water").magnitude)
    return fluence * density * volume * 1e-21 * events


def read_count(raw: object, where: str, low: int = 1, high: int = 10**9) -> int:
    """Return a whole number within limits.

    Raises:
        InputError: no whole number, or beyond the limits.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | np.integer) or not low <= raw <= high:
        raise InputError(where, f"{raw!r}", f"a whole number from {low} to {high}")
    return int(raw)


@lru_cache(maxsize=64)
def electron_rates(substance: Composition, density: float) -> ElectronMedium:
    """Return the rates of a substance for electrons."""
    from nanotrial.radiation.electrons.media import electron_medium

    return electron_medium(substance, density)


def water() -> tuple[Composition, float]:
    """Return the water around particles and its density (g/cm^3)."""
    found = composition("water")
    return found, float(found.density or 1.0)


def particle_world(case: Case) -> World:
    """Return the particle of a case in water, as the kernel takes it."""
    around, density = water()
    return make_world(case.form, electron_rates(case.substance, case.density), electron_rates(around, density), CUTOFF)
