"""Size classes of a particle population: Gauss-Hermite points of a lognormal number distribution.

Number fractions w_j at radii a_j; the share of the core's moles in class j is w_j a_j^3 / sum w a^3. With
geometric_sd = 1 there is one class. The quadrature integrates all moments of the lognormal up to order 2 K - 1 in
ln a. Source: Golub & Welsch rule as in numpy.polynomial (key golub_1969).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import Coating, Material
    from nanotrial.study import Particle


@dataclass(frozen=True)
class SizeClasses:
    """Radii (m), shares of the core's moles and mean surface per core volume (1/m)."""

    radii: NDArray[np.float64]
    mole_shares: NDArray[np.float64]

    @property
    def specific_area(self) -> float:
        """Return surface over volume of the whole population (1/m)."""
        return float(np.sum(3.0 * self.mole_shares / self.radii))


def size_classes(diameter: float, geometric_sd: float, count: int) -> SizeClasses:
    """Return the size classes of a lognormal population.

    Arguments:
        diameter: number-median diameter (m).
        geometric_sd: 1 for a single size.
        count: number of classes.
    """
    if geometric_sd <= 1.0:
        return SizeClasses(np.array([diameter / 2]), np.array([1.0]))
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    # The quadrature is centred where the volume lies, so that the few large particles are well resolved.
    sigma = math.log(geometric_sd)
    volume_median = diameter * math.exp(3 * sigma**2)
    radii = volume_median / 2 * np.exp(sigma * nodes)
    return SizeClasses(radii, weights / weights.sum())


@dataclass(frozen=True)
class CoatGeometry:
    """A coat per mole of core: mass (kg/mol), mean thickness (m) and mass per core surface (kg/m^2)."""

    mass_per_mole: float
    thickness: float
    mass_per_area: float


def coat_geometry(particle: Particle, material: Material, coating: Coating, classes: SizeClasses) -> CoatGeometry:
    """Return mass and thickness of a coat from the mass fraction or thickness that the user gave.

    A shell of thickness d around radius a holds polymer  density * fraction * 4/3 pi ((a + d)^3 - a^3); a is the
    area-weighted mean radius 3 / (surface per volume).
    """
    coat = particle.coating[0]
    molar_volume = material.molar_mass.si / material.density.si
    radius = 3.0 / classes.specific_area
    packed = coating.density.si * coating.polymer_volume_fraction.si
    core_volume = 4.0 / 3.0 * math.pi * radius**3
    if coat.mass_fraction is not None:
        mass = coat.mass_fraction / (1.0 - coat.mass_fraction) * material.density.si * core_volume
        thickness = ((3.0 / (4.0 * math.pi)) * (mass / packed) + radius**3) ** (1.0 / 3.0) - radius
    else:
        thickness = float(coat.thickness or 0.0)
        mass = packed * 4.0 / 3.0 * math.pi * ((radius + thickness) ** 3 - radius**3)
    per_mole = mass / core_volume * molar_volume
    return CoatGeometry(per_mole, thickness, mass / (4.0 * math.pi * radius**2))
