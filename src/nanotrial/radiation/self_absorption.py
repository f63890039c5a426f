"""Photons that a particle's own atoms take back before they leave it: exact for a sphere with even sources.

Source: derived here; the tests compare with rays that are drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nanotrial.radiation.arguments import quantity, read_quantity
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import composition, known_density


def reabsorbed_fraction(material: object, diameter: object, energy: object) -> Any:
    """Return the share of photons born evenly in a sphere that its own atoms absorb (quantity, 1).

        1 - 3 / (8 t^3) [2 t^2 - 1 + (1 + 2 t) exp(-2 t)],   t = mu_photoelectric R

    Arguments:
        material: anything ``composition`` reads, with a density.
        diameter: of the sphere, above zero.
        energy: of the photons, 1 keV to 20 MeV.
    """
    solid = composition(material, "material")
    wide = read_quantity(diameter, "cm", "diameter", 0.0)
    wanted = read_quantity(energy, "keV", "energy", 1.0, 2e4)
    mu = float(coefficients(solid, np.array([wanted])).photoelectric[0]) * known_density(solid, "material")
    return quantity(1.0 - sphere_escape(mu * wide / 2.0), "1")


def sphere_escape(thickness: float) -> float:
    """Return the share of rays from even sources in a sphere that leave it, for mu R = ``thickness``."""
    t = thickness
    if t < 1e-2:
        return 1.0 - 0.75 * t + 0.4 * t**2
    return float(3.0 / (8.0 * t**3) * (2.0 * t**2 - 1.0 + (1.0 + 2.0 * t) * np.exp(-2.0 * t)))
