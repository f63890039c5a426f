"""Elastic scattering of an electron by a free atom, from the Dirac equation in its screened field.

    potential   V(r) = -Z/r sum_i A_i exp(-alpha_i r) + exchange      (Hartree, Bohr radii)
    exchange    (E - V - sqrt((E - V)^2 + 4 pi rho)) / 2              rho: density of the atom's electrons
    radial      P' = -kappa P / r + (E - V + 2 c^2) Q / c
                Q' = kappa Q / r - (E - V) P / c
    total       4 pi / k^2 sum [(l + 1) sin^2 d+_l + l sin^2 d-_l]
    transport   4 pi / k^2 sum [(l+1)(l+2)/(2l+3) sin^2(d+_l - d+_l+1) + l(l+1)/(2l+1) sin^2(d-_l - d-_l+1)
                                + (l+1)/((2l+1)(2l+3)) sin^2(d+_l - d-_l+1)]

d+ and d- are the phase shifts of j = l + 1/2 and l - 1/2. Each step of the radial equation multiplies (P, Q) by the
exponential of its fourth-order Magnus matrix, so the step follows the potential and not the wave. Free atom, no
polarisation and no absorption: below about 100 eV the total is off by tens of per cent, the transport part by less.
Sources: salvat_1987 (field), furness_1973 (exchange), salvat_2005 (phase shifts to cross-sections).
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
HARTREE = 0.02721138602  # keV
BOHR = 0.0529177210903  # nm
LIGHT = 137.035999  # atomic units
SMALLEST_FIELD = 1e-4  # -r V where the field ends, Hartree Bohr
SMALLEST_PHASE = 1e-6
_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compile
def _potential(r: float, energy: float, number: float, shares: Array, decays: Array, exchange: bool) -> float:
    """Return the energy (Hartree) of the electron at a distance (Bohr) from the nucleus."""
    field, density = 0.0, 0.0
    for i in range(shares.size):
        part = shares[i] * math.exp(-decays[i] * r)
        field += part
        density += part * decays[i] * decays[i]
    v = -number / r * field
    if exchange:
        gap = energy - v
        v += 0.5 * (gap - math.sqrt(gap * gap + max(number / r * density, 0.0)))
    return v


@_compile
def _steps(
    energy: float, momentum: float, number: float, shares: Array, decays: Array, exchange: bool, fineness: float
) -> tuple[Array, Array, Array]:
    """Return radii (m + 1,) and the potential at the two Gauss points of each step (m,)."""
    end = 1.0
    while True:
        field = 0.0
        for i in range(shares.size):
            field += abs(shares[i]) * math.exp(-decays[i] * end)
        if number * field < SMALLEST_FIELD:
            break
        end *= 1.05
    size = 400000
    radii, first, second = np.empty(size + 1), np.empty(size), np.empty(size)
    radii[0] = 1e-6 / number
    at, gauss = 0, math.sqrt(3.0) / 6.0
    while radii[at] < end and at < size:
        r = radii[at]
        v = _potential(r, energy, number, shares, decays, exchange)
        local = math.sqrt((energy - v) * (2.0 + (energy - v) / LIGHT**2))
        h = fineness * min(0.1 * r, 0.4 / local)
        middle = r + 0.5 * h
        first[at] = _potential(middle - gauss * h, energy, number, shares, decays, exchange)
        second[at] = _potential(middle + gauss * h, energy, number, shares, decays, exchange)
        radii[at + 1] = r + h
        at += 1
    return radii[: at + 1], first[:at], second[:at]


@_compile
def _beginning(kappa: int, momentum: float, number: float, radii: Array) -> tuple[int, float, float]:
    """Return the step to start from, and P and Q there, for one kappa."""
    order = kappa if kappa > 0 else -kappa - 1
    # Deep under the centrifugal wall only the regular solution grows: start where it is 1e-14 of that at the wall.
    begin = (order + 0.5) / momentum * 0.2 * 10.0 ** (-14.0 / (order + 1.0)) if order > 15 else 0.0
    at = 0
    while at < radii.size - 2 and radii[at + 1] < begin:
        at += 1
    if at > 0:
        if kappa > 0:
            return at, radii[at] * 2.0 * LIGHT / (2.0 * order + 1.0), 1.0
        return at, 1.0, 0.0
    charge = number / LIGHT
    gamma = math.sqrt(kappa * kappa - charge * charge)
    if kappa > 0:
        return at, 1.0, (kappa + gamma) / charge
    return at, 1.0, -charge / (gamma - kappa)


@_compile
def _slope(
    kappa: int, energy: float, momentum: float, number: float, radii: Array, first: Array, second: Array
) -> float:
    """Return P'/P at the last radius for one kappa."""
    gauss = math.sqrt(3.0) / 6.0
    at, p, q = _beginning(kappa, momentum, number, radii)
    for i in range(at, radii.size - 1):
        h = radii[i + 1] - radii[i]
        middle = radii[i] + 0.5 * h
        r1, r2 = middle - gauss * h, middle + gauss * h
        e1, e2 = energy - first[i], energy - second[i]
        k1, k2 = kappa / r1, kappa / r2
        b1, b2 = e1 / LIGHT + 2.0 * LIGHT, e2 / LIGHT + 2.0 * LIGHT
        c1, c2 = -e1 / LIGHT, -e2 / LIGHT
        # [A2, A1] of the matrices [[-k, b], [c, k]], by its three free entries.
        w = math.sqrt(3.0) / 12.0 * h * h
        diagonal = -0.5 * h * (k1 + k2) + w * (b2 * c1 - b1 * c2)
        upper = 0.5 * h * (b1 + b2) + w * 2.0 * (k1 * b2 - k2 * b1)
        lower = 0.5 * h * (c1 + c2) + w * 2.0 * (k2 * c1 - k1 * c2)
        square = diagonal * diagonal + upper * lower
        if square < 0.0:
            root = math.sqrt(-square)
            even, odd = math.cos(root), (math.sin(root) / root if root > 1e-12 else 1.0)
        else:
            root = math.sqrt(square)
            even, odd = math.cosh(root), (math.sinh(root) / root if root > 1e-12 else 1.0)
        p, q = (even + odd * diagonal) * p + odd * upper * q, odd * lower * p + (even - odd * diagonal) * q
        size = abs(p) + abs(q)
        p, q = p / size, q / size
    last = radii[-1]
    slope: float = -kappa / last + (energy / LIGHT + 2.0 * LIGHT) * q / p
    return slope


@_compile
def _slopes(
    kappas: Array, energy: float, momentum: float, number: float, radii: Array, first: Array, second: Array
) -> Array:
    """Return P'/P at the last radius for many kappa."""
    found = np.empty(kappas.size)
    for i in range(kappas.size):
        found[i] = _slope(int(kappas[i]), energy, momentum, number, radii, first, second)
    return found


def phase_shifts(number: int, energy: float, exchange: bool = True, fineness: float = 1.0) -> tuple[Array, Array]:
    """Return the phase shifts of j = l + 1/2 (l = 0, 1, ...) and of j = l - 1/2 (the first entry is 0).

    Arguments:
        number: atomic number, 1 to 92.
        energy: keV.
        exchange: whether the electron is exchanged with those of the atom.
        fineness: factor on the length of the steps.

    Source: salvat_1987, salvat_2005.
    """
    from scipy.special import spherical_jn, spherical_yn

    from nanotrial.radiation.electrons.atom_fields import DECAYS, SHARES

    t = energy / HARTREE
    momentum = float(np.sqrt(t * (2.0 + t / LIGHT**2)))
    used = [i for i in range(3) if DECAYS[number - 1][i] > 0]
    shares = np.array([SHARES[number - 1][i] for i in used])
    decays = np.array([DECAYS[number - 1][i] for i in used])
    radii, first, second = _steps(t, momentum, float(number), shares, decays, exchange, fineness)
    last = float(radii[-1])
    x = momentum * last
    plus: list[Array] = []
    minus: list[Array] = []
    for low in range(0, max(int(x) - 2, 1), 32):
        orders = np.arange(low, min(low + 32, max(int(x) - 2, 1)))
        j, y = spherical_jn(orders, x), spherical_yn(orders, x)
        dj = (j + x * spherical_jn(orders, x, derivative=True)) * momentum
        dy = (y + x * spherical_yn(orders, x, derivative=True)) * momentum
        j, y = x * j, x * y
        for kept, kappas in ((plus, -orders - 1), (minus, np.where(orders > 0, orders, -1))):
            s = _slopes(kappas.astype(float), t, momentum, float(number), radii, first, second)
            kept.append(np.arctan((s * j - dj) / (s * y - dy)))
        if max(np.abs(plus[-1]).max(), np.abs(minus[-1]).max()) < SMALLEST_PHASE:
            break
    down = np.concatenate(minus)
    down[0] = 0.0
    return np.concatenate(plus), down


def cross_sections(number: int, energy: float, exchange: bool = True, fineness: float = 1.0) -> tuple[float, float]:
    """Return the total and the first transport cross-section (nm2) of one atom for elastic scattering.

    Arguments:
        number: atomic number, 1 to 92.
        energy: keV.
        exchange: whether the electron is exchanged with those of the atom.
        fineness: factor on the length of the steps.

    Source: salvat_2005.
    """
    plus, minus = phase_shifts(number, energy, exchange, fineness)
    t = energy / HARTREE
    k2 = t * (2.0 + t / LIGHT**2)
    n = np.arange(plus.size)
    total = float(((n + 1) * np.sin(plus) ** 2 + n * np.sin(minus) ** 2).sum())
    up, down = np.append(plus[1:], 0.0), np.append(minus[1:], 0.0)
    turned = (n + 1) * (n + 2) / (2 * n + 3) * np.sin(plus - up) ** 2
    turned = turned + n * (n + 1) / (2 * n + 1) * np.sin(minus - down) ** 2
    turned = turned + (n + 1) / ((2 * n + 1) * (2 * n + 3)) * np.sin(plus - down) ** 2
    area = 4.0 * np.pi / k2 * BOHR**2
    return area * total, area * float(turned.sum())
