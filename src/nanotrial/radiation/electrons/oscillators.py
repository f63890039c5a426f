"""How shells that an electron is too slow to excite drop out of the stopping power.

Every shell is an oscillator of energy W_k (Sternheimer): with plasma energy P of all Z electrons,

    outer band of an element    W = P sqrt(f / Z)                        shells bound by less than 15 eV
    every other shell           W = sqrt((a U)^2 + (2/3) (f / Z) P^2)    a from Z ln I = sum f ln W

and its strength is spread over losses above a threshold as a power law that keeps ln W on average. An electron of
energy T loses to an oscillator, with exchange and a = W / T,

    L(a) = ln(1.166 / a) - 3 a / 4 - (a / 4) ln(4 / a) + a^1.5 / 2 - (a^2 / 16) ln(4 / a) - 31 a^2 / 48,   0 for a > 1/2

which is Bethe's law for T >> W. The mean over all electrons is what nanotrial.radiation.electrons.stopping uses below
10 keV. Energies are in keV. Sources: sternheimer_1952 (oscillators), ashley_1988 (L).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrial.radiation.electrons.shells import electron_shells

if TYPE_CHECKING:
    from nanotrial.radiation.composition import Composition

Array = NDArray[np.float64]
OUTER = 0.015  # keV: bound by less, a shell is part of the outer band
# Photoabsorption of a shell falls about as the inverse cube of energy.
FALL = 3.0
QUANTILES = 48


def plasma_energy(electrons: float) -> float:
    """Return the plasma energy (keV) of so many electrons per nm3."""
    return 1.174250e-3 * float(np.sqrt(electrons))


def oscillators(composition: Composition, density: float, excitation: float) -> tuple[Array, Array]:
    """Return energies (keV) and shares of all electrons of the oscillators; their mean logarithm is ln(excitation).

    Arguments:
        composition: mass fractions of the elements.
        density: g/cm3.
        excitation: keV, mean excitation energy.

    Source: sternheimer_1952.
    """
    bindings, cumulative, electrons = electron_shells(composition, density)
    shares = np.diff(cumulative, prepend=0.0)
    outer = bindings < OUTER
    conductor = len(composition.fractions) == 1
    band = float(shares[outer].sum())
    if band > 0:
        mean = 0.0 if conductor else float((shares * bindings)[outer].sum() / band)
        bindings, shares = np.append(bindings[~outer], mean), np.append(shares[~outer], band)
    plasma = plasma_energy(electrons)
    weight = np.full(shares.size, 2.0 / 3.0)
    if band > 0 and conductor:
        weight[-1] = 1.0
    own = weight * shares * plasma**2
    low, high = 1e-3, 1e3
    for _ in range(100):
        a = np.sqrt(low * high)
        energies = np.sqrt((a * bindings) ** 2 + own)
        above = float((shares * np.log(energies)).sum()) > np.log(excitation)
        low, high = (low, a) if above else (a, high)
    return energies, shares


def stopping_logarithm(energies: Array, positions: Array, shares: Array) -> Array:
    """Return the mean of L over all electrons at energies (n,) in keV, for oscillators (m,) and their shares (m,).

    Source: ashley_1988.
    """
    uniform = (np.arange(QUANTILES) + 0.5) / QUANTILES
    spread = (1.0 - uniform) ** (-1.0 / (FALL - 1.0))
    spread /= np.exp(np.log(spread).mean())
    losses = (positions[:, None] * spread).ravel()
    weights = np.repeat(shares / QUANTILES, QUANTILES)
    a = losses[None, :] / energies[:, None]
    reached = a < 0.5
    a = np.minimum(a, 0.5)
    each = np.log(1.166 / a) - 0.75 * a - 0.25 * a * np.log(4.0 / a) + 0.5 * a**1.5
    each -= a * a / 16.0 * np.log(4.0 / a) + 31.0 / 48.0 * a * a
    return np.asarray((np.where(reached, each, 0.0) * weights).sum(axis=1))
