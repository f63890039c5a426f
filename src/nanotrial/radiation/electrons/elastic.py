"""How often and how far atoms turn electrons: a screened Rutherford law with the right transport cross-section.

    d(sigma)/d(cos) = sigma 2 eta (1 + eta) / (1 - cos + 2 eta)^2
    sigma_tr / sigma = 2 eta [(1 + eta) ln(1 + 1/eta) - 1]

The two cross-sections of each element come from Dirac partial waves of the free atom (partial_waves beside this file);
the law with eta keeps both and smooths the bumps that the true one has for slow electrons in heavy atoms. Energies are
in keV, inverse paths in 1/nm.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrial.radiation.electrons.shells import AVOGADRO

if TYPE_CHECKING:
    from nanotrial.radiation.composition import Composition

Array = NDArray[np.float64]
TABLE = Path(__file__).with_name("elastic_cross_sections.txt")


def transport_share(screening: Array) -> Array:
    """Return the first transport over the total cross-section of the law with this screening."""
    eta = np.asarray(screening)
    return np.asarray(2.0 * eta * ((1.0 + eta) * np.log1p(1.0 / eta) - 1.0))


def screening_of(share: Array) -> Array:
    """Return the screening eta whose transport share (0 to 1) is the one given."""
    target = np.clip(np.asarray(share, dtype=float), 1e-12, 0.999)
    low, high = np.full_like(target, -40.0), np.full_like(target, 10.0)
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = transport_share(np.exp(middle)) > target
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.asarray(np.exp(0.5 * (low + high)))


@cache
def _table() -> tuple[Array, Array]:
    """Return ln(keV) of the table (n,) and ln(nm2) of the cross-sections (92, 2, n)."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    numbers = np.log(np.array([[float(word) for word in line.split()] for line in lines]))
    return numbers[0], numbers[1:].reshape(92, 2, -1)


def atom_cross_sections(number: int, energies: Array) -> tuple[Array, Array]:
    """Return total and first transport cross-sections (nm2) of one atom for elastic scattering.

    Arguments:
        number: atomic number, 1 to 92.
        energies: (n,) keV, 0.05 to 1000.

    Interpolated by cubic splines in the logarithms. Source: salvat_1987, salvat_2005.
    """
    from scipy.interpolate import CubicSpline

    at, values = _table()
    found = np.exp(CubicSpline(at, values[number - 1], axis=1)(np.log(energies)))
    return np.asarray(found[0]), np.asarray(found[1])


def elastic_inverse_paths(composition: Composition, density: float, energies: Array) -> tuple[Array, Array]:
    """Return elastic collisions and first transport coefficient (1/nm) at energies (n,) in keV; density in g/cm3."""
    import xraylib

    total, transport = np.zeros_like(energies), np.zeros_like(energies)
    for z, w in composition.fractions:
        atoms = density * w * AVOGADRO / xraylib.AtomicWeight(z) * 1e-21
        one, turned = atom_cross_sections(z, energies)
        total += atoms * one
        transport += atoms * turned
    return total, transport
