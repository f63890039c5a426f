"""Hard collisions with electrons: the Moller law, how to draw from it, and what its moments are.

    d(sigma)/dW = (2 pi r_e^2 m / beta^2) n(W) [1/W^2 + 1/(T-W)^2 - a / (W (T-W)) + b / T^2],   cut <= W <= T/2
    a = (2 gamma - 1) / gamma^2,   b = ((gamma - 1) / gamma)^2

n(W) is the number of electrons that are bound by less than W: an electron takes part once it can be set free.

Recipe to draw one hard collision (all functions are plain and compile with numba.njit):

    1. W = trial_loss(T, cut, u1)                               from the 1/W^2 law
    2. keep it if u2 < acceptance(T, W) * share_below(W, ...)   else back to 1
    3. shell i = draw_shell(W, shell_energies, shell_shares, u3)
    4. the projectile leaves with T - W, the other electron with W - U_i; U_i stays at the place of the collision
    5. angles: deflections(T, W) are those of two free particles; opposite azimuths

Only T > 2 cut can have a hard collision. The binding of an inner shell is left where it was (no cascade follows a
knock-on): at most a few per cent of the hard losses of heavy elements. Source: moller_1932; class II: berger_1963.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
REST = 510.99895  # keV
RADIUS = 2.8179403262e-6  # nm, classical electron radius


def trial_loss(energy: float, cut: float, uniform: float) -> float:
    """Return a loss (keV) between the cut and half the energy from the law 1/W^2, for a uniform number in [0, 1)."""
    return cut / (1.0 - uniform * (1.0 - 2.0 * cut / energy))


def moller_shape(energy: float, loss: float) -> float:
    """Return the Moller law over 1/W^2, which is 1 for small losses."""
    gamma = 1.0 + energy / REST
    share = loss / energy
    rest = share / (1.0 - share)
    return 1.0 + rest * rest - (2.0 * gamma - 1.0) / (gamma * gamma) * rest + ((gamma - 1.0) / gamma * share) ** 2


def acceptance(energy: float, loss: float) -> float:
    """Return the chance that a trial loss is kept: the shape over its largest value, which stands at an end."""
    gamma = 1.0 + energy / REST
    top = 2.0 - (2.0 * gamma - 1.0) / (gamma * gamma) + 0.25 * ((gamma - 1.0) / gamma) ** 2
    gamma_shape = 1.0 + (loss / (energy - loss)) ** 2
    gamma_shape -= (2.0 * gamma - 1.0) / (gamma * gamma) * loss / (energy - loss)
    gamma_shape += ((gamma - 1.0) / gamma * loss / energy) ** 2
    return gamma_shape / max(1.0, top)


def share_below(loss: float, shell_energies: Array, shell_shares: Array) -> float:
    """Return the share of all electrons that are bound by at most the loss (keV)."""
    at = int(np.searchsorted(shell_energies, loss, side="right"))
    return float(shell_shares[at - 1]) if at > 0 else 0.0


def draw_shell(loss: float, shell_energies: Array, shell_shares: Array, uniform: float) -> int:
    """Return the index of the shell that is hit, each electron that can be freed being as likely."""
    at = int(np.searchsorted(shell_energies, loss, side="right"))
    if at == 0:
        return 0
    found = int(np.searchsorted(shell_shares[:at], uniform * shell_shares[at - 1], side="right"))
    return min(found, at - 1)


def deflections(energy: float, loss: float) -> tuple[float, float]:
    """Return the cosines of projectile and knocked-on electron to the old direction, for a free electron at rest."""
    left = energy - loss
    projectile = math.sqrt(left * (energy + 2.0 * REST) / (energy * (left + 2.0 * REST)))
    other = math.sqrt(loss * (energy + 2.0 * REST) / (energy * (loss + 2.0 * REST)))
    return min(projectile, 1.0), min(other, 1.0)


def _integrals(energy: Array, low: Array, power: int) -> Array:
    """Return the integral of W^power times the bracket of the law from ``low`` to half the energy, at least 0."""
    t, w = energy, np.minimum(low, energy / 2.0)
    gamma = 1.0 + t / REST
    a, b = (2.0 * gamma - 1.0) / gamma**2, ((gamma - 1.0) / gamma) ** 2
    half = t / 2.0
    if power == 0:
        whole = (1.0 / w - 1.0 / half) + (1.0 / (t - half) - 1.0 / (t - w))
        whole = whole - a / t * (0.0 - np.log(w / (t - w))) + b * (half - w) / t**2
    else:
        whole = np.log(half / w) + (t / (t - half) + np.log(t - half)) - (t / (t - w) + np.log(t - w))
        whole = whole - a * (np.log(t - w) - np.log(t - half)) + b * (half**2 - w**2) / (2.0 * t**2)
    return np.asarray(np.where(low < half, whole, 0.0))


def hard_moments(
    energies: Array, cut: float, shell_energies: Array, shell_shares: Array, electrons: float
) -> tuple[Array, Array]:
    """Return how many hard collisions there are (1/nm) and what they take (keV/nm).

    Arguments:
        energies: (n,) keV.
        cut: keV, smallest loss.
        shell_energies, shell_shares: (m,) keV and cumulative shares of the electrons.
        electrons: how many per nm3.

    Source: moller_1932.
    """
    gamma = 1.0 + energies / REST
    factor = 2.0 * np.pi * RADIUS**2 * REST * electrons / (1.0 - 1.0 / gamma**2)
    rate, loss = np.zeros_like(energies), np.zeros_like(energies)
    for binding, share in zip(shell_energies, np.diff(shell_shares, prepend=0.0), strict=True):
        low = np.full_like(energies, max(cut, float(binding)))
        rate += share * _integrals(energies, low, 0)
        loss += share * _integrals(energies, low, 1)
    return factor * rate, factor * loss
