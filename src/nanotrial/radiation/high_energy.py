"""Photon cross sections above 800 keV, where the tables of xraylib end: points of XCOM for six elements.

XCOM (berger_2010; photoelectric effect after Scofield and Pratt, pairs after Hubbell, Gimm and Overbo) at hydrogen,
oxygen, iron, iodine, gold and uranium. Between energies and between elements splines run through

    pairs near nuclei     sigma / Z^2 / (1 - 2 m c2 / E)^3
    pairs near electrons  sigma / Z / (1 - 4 m c2 / E)^3
    photoelectric         ln [sigma(E) / sigma(800 keV)]
    incoherent            ln sigma per electron, the same for all elements

Validity: 800 keV to 20 MeV, Z of 1 to 92; the spline reproduces elements left out within 0.5 %.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from nanotrial.radiation.arguments import Array

REST_ENERGY = 510.99895  # keV
THRESHOLD = 2.0 * REST_ENERGY
TRIPLET = 4.0 * REST_ENERGY
JOIN = 800.0  # keV
_ELEMENTS = np.array([1.0, 8.0, 26.0, 53.0, 79.0, 92.0])
_ENERGIES = np.array([800, 1000, 1250, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10000, 15000, 20000.0])
# Barn per atom; rows of elements.
_PHOTOELECTRIC = np.array([
    [3.118e-9, 1.961e-9, 1.304e-9, 9.732e-10, 6.201e-10, 3.524e-10, 2.444e-10, 1.866e-10,
     1.508e-10, 1.088e-10, 8.503e-11, 5.495e-11, 4.057e-11],
    [1.771e-4, 1.101e-4, 6.966e-5, 5.054e-5, 3.179e-5, 1.776e-5, 1.219e-5, 9.242e-6,
     7.430e-6, 5.326e-6, 4.146e-6, 2.664e-6, 1.961e-6],
    [5.240e-2, 3.259e-2, 2.092e-2, 1.509e-2, 9.306e-3, 5.052e-3, 3.403e-3, 2.547e-3,
     2.029e-3, 1.436e-3, 1.109e-3, 7.041e-4, 5.151e-4],
    [1.390, 8.683e-1, 5.573e-1, 3.989e-1, 2.428e-1, 1.288e-1, 8.527e-2, 6.305e-2,
     4.975e-2, 3.476e-2, 2.660e-2, 1.668e-2, 1.212e-2],
    [8.357, 5.261, 3.396, 2.420, 1.464, 7.663e-1, 5.022e-1, 3.683e-1,
     2.888e-1, 2.000e-1, 1.521e-1, 9.451e-2, 6.833e-2],
    [16.57, 10.49, 6.792, 4.830, 2.917, 1.520, 9.918e-1, 7.251e-1,
     5.671e-1, 3.911e-1, 2.968e-1, 1.837e-1, 1.325e-1],
])  # fmt: skip
# Barn per electron: Klein-Nishina with radiative corrections and double Compton scattering.
_INCOHERENT = np.array(
    [0.2351, 0.2114, 0.1890, 0.1718, 0.1466, 0.1153, 0.09620, 0.08308, 0.07343, 0.06007, 0.05116, 0.03786, 0.03039]
)
_NUCLEAR = np.array(
    [
        [7.805e-6, 4.385e-5, 1.758e-4, 5.048e-4, 8.202e-4, 1.102e-3, 1.355e-3, 1.784e-3, 2.138e-3, 2.803e-3, 3.292e-3],
        [5.159e-4, 2.850e-3, 1.134e-2, 3.241e-2, 5.256e-2, 7.051e-2, 8.664e-2, 1.139e-1, 1.363e-1, 1.781e-1, 2.084e-1],
        [6.520e-3, 3.320e-2, 1.265e-1, 3.506e-1, 5.600e-1, 7.449e-1, 9.097e-1, 1.188, 1.415, 1.835, 2.138],
        [3.969e-2, 1.836e-1, 6.193e-1, 1.561, 2.393, 3.110, 3.728, 4.772, 5.632, 7.267, 8.419],
        [1.176e-1, 5.571e-1, 1.698, 3.772, 5.462, 6.876, 8.094, 10.13, 11.82, 15.08, 17.42],
        [1.761e-1, 8.691e-1, 2.546, 5.294, 7.419, 9.191, 10.71, 13.27, 15.41, 19.59, 22.60],
    ]
)
_ELECTRONIC_ENERGIES = _ENERGIES[5:]
_ELECTRONIC = np.array(
    [
        [4.035e-5, 1.647e-4, 3.283e-4, 5.042e-4, 8.503e-4, 1.170e-3, 1.836e-3, 2.359e-3],
        [3.228e-4, 1.318e-3, 2.626e-3, 4.033e-3, 6.803e-3, 9.357e-3, 1.468e-2, 1.885e-2],
        [1.049e-3, 4.282e-3, 8.530e-3, 1.310e-2, 2.207e-2, 3.032e-2, 4.743e-2, 6.072e-2],
        [2.136e-3, 8.711e-3, 1.734e-2, 2.660e-2, 4.474e-2, 6.138e-2, 9.566e-2, 1.220e-1],
        [3.178e-3, 1.295e-2, 2.576e-2, 3.949e-2, 6.634e-2, 9.089e-2, 1.412e-1, 1.797e-1],
        [3.698e-3, 1.507e-2, 2.996e-2, 4.590e-2, 7.705e-2, 1.055e-1, 1.637e-1, 2.081e-1],
    ]
)


def pair_cross_section(z: int, energies: Array) -> Array:
    """Return the cross section of an atom for pairs, triplets included (cm2), at photon energies (keV)."""
    wanted = np.asarray(energies, dtype=float)
    nuclear, electronic, _ = _splines()
    return np.asarray(_born(wanted, nuclear(z), THRESHOLD, z**2) + _born(wanted, electronic(z), TRIPLET, z))


def incoherent_cross_section(energies: Array) -> Array:
    """Return the cross section of a free electron for Compton scattering (cm2), 800 keV to 20 MeV."""
    from scipy.interpolate import CubicSpline

    wanted = np.maximum(np.asarray(energies, dtype=float), JOIN)
    return np.asarray(np.exp(CubicSpline(np.log(_ENERGIES), np.log(_INCOHERENT))(np.log(wanted))) * 1e-24)


def photoelectric_fall(z: int, energies: Array) -> Array:
    """Return by how much the photoelectric cross section falls from 800 keV to photon energies (keV) above it."""
    from scipy.interpolate import CubicSpline

    wanted = np.maximum(np.asarray(energies, dtype=float), JOIN)
    return np.asarray(np.exp(CubicSpline(np.log(_ENERGIES), _splines()[2](z))(np.log(wanted))))


def _born(wanted: Array, scaled: Array, threshold: float, scale: float) -> Array:
    from scipy.interpolate import CubicSpline

    nodes = np.log(_ENERGIES[-len(scaled) :])
    onset = np.maximum(1.0 - threshold / np.maximum(wanted, threshold), 0.0) ** 3
    # Below the first point the scaled cross section is held: the power of three has the rest.
    at = np.clip(np.log(wanted), nodes[0], nodes[-1])
    return np.asarray(CubicSpline(nodes, scaled)(at) * onset * scale * 1e-24)


@lru_cache(maxsize=1)
def _splines() -> tuple[Any, Any, Any]:
    """Return splines in Z of the three scaled quantities, each giving a row over energies."""
    from scipy.interpolate import CubicSpline

    number = _ELEMENTS[:, None]
    nuclear = _NUCLEAR / number**2 / (1.0 - THRESHOLD / _ENERGIES[2:]) ** 3
    electronic = _ELECTRONIC / number / (1.0 - TRIPLET / _ELECTRONIC_ENERGIES) ** 3
    fall = np.log(_PHOTOELECTRIC / _PHOTOELECTRIC[:, :1])
    return tuple(CubicSpline(_ELEMENTS, rows) for rows in (nuclear, electronic, fall))
