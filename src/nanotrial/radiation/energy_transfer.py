"""How much of a photon's energy charged particles get, and how much of that they radiate away.

    Compton: <T>/E = 1 - integral k' / k dS / integral dS,  dS = Klein-Nishina x incoherent scattering function
    Radiated by an electron: S_col L'(T) = S_rad - <L(T) - L(T - k)> + S_x + <L(W)> + a(T) [T - L(T)]

L is the mean energy that leaves as photons: bremsstrahlung with its straggling (the mean over photons k), S_x
fluorescence after the electron's impacts, the mean over the electrons W that it knocks on, and the rate a at which a
positron annihilates in flight.

S_rad = alpha r_e^2 Z (Z + 1) N_A / A (T + m c2) phi, with phi of Seltzer and Berger (seltzer_1986) read off the ranges
of electrons in tungsten and the stopping powers of silicon (estar) and taken linear in Z between. Positrons annihilate
at rest. Energies are in keV.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nanotrial.radiation.arguments import Array
from nanotrial.radiation.composition import Composition, atomic_weight
from nanotrial.radiation.fluorescence import radiated_energies, shell_edges
from nanotrial.radiation.high_energy import REST_ENERGY

# Scaled radiative loss of tungsten, and by how much it falls per unit of Z.
_LOSS_ENERGY = np.array([1, 10, 20, 40, 80, 150, 300, 1000, 1500, 2000, 3000, 4e3, 6e3, 1e4, 2e4, 5e4])
_LOSS = np.array([2.5, 3.6, 4.5, 5.3, 5.7, 5.9, 5.9, 5.95, 6.5, 7.0, 7.8, 8.3, 9.0, 10.0, 11.0, 12.2])
_LOSS_SLOPE = np.array([0, 0.020, 0.014, 0.005, 0, 0, 0, 0, 0.006, 0.011, 0.02, 0.026, 0.028, 0.028, 0.034, 0.042])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
# Angles at which the scattering function is asked for; it is smooth.
_COARSE, _COARSE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_GRID = np.geomspace(0.5, 2.0e4, 320)
LAST_BINDING = 799.0
AVOGADRO = 6.02214076e23
RADIUS = 2.8179403262e-13  # cm, of the classical electron
ELECTRONS = {"K": 2, "L1": 2, "L2": 2, "L3": 4, "M1": 2, "M2": 2, "M3": 4, "M4": 4, "M5": 6}
# Photons by their share y of the electron's energy: energy spectrum 1 - y + 3 y^2 / 4 (complete screening).
_PHOTON = 0.5 * (np.polynomial.legendre.leggauss(24)[0] + 1.0)
_PHOTON_WEIGHTS = np.polynomial.legendre.leggauss(24)[1] * (1.0 - _PHOTON + 0.75 * _PHOTON**2)
_PHOTON_WEIGHTS = _PHOTON_WEIGHTS / _PHOTON_WEIGHTS.sum()


def free_compton(energies: Array) -> tuple[Array, Array]:
    """Return the Klein-Nishina cross section per electron (cm2) and the mean share of energy the electron gets."""
    k = np.asarray(energies, dtype=float)[:, None] / REST_ENERGY
    kept = 1.0 / (1.0 + k * (1.0 - _NODES))
    slope = 0.5 * kept**2 * (kept + 1.0 / kept - (1.0 - _NODES**2))
    radius = 2.0 * np.pi * RADIUS**2
    total = slope @ _WEIGHTS
    return np.asarray(radius * total), np.asarray(1.0 - (slope * kept) @ _WEIGHTS / total)


def compton_share(z: int, energies: Array) -> Array:
    """Return the mean share of its energy that a photon gives to the electron, with binding below 800 keV."""
    import xraylib

    nodes = np.geomspace(1.0, LAST_BINDING, 60)
    angles = np.arccos(_COARSE)
    slope = np.array([[xraylib.DCS_Compt(z, e, a) for a in angles] for e in nodes])
    kept = 1.0 / (1.0 + nodes[:, None] / REST_ENERGY * (1.0 - _COARSE))
    bound = 1.0 - (slope * kept) @ _COARSE_WEIGHTS / (slope @ _COARSE_WEIGHTS)
    ratio = bound / free_compton(nodes)[1]
    return np.asarray(free_compton(energies)[1] * np.interp(np.log(energies), np.log(nodes), ratio, right=1.0))


@lru_cache(maxsize=128)
def stopping_powers(z: int) -> tuple[Array, Array]:
    """Return collision and radiative stopping power (MeV cm2/g) of an element on the grid of ``_GRID``."""
    import xraylib

    from nanotrial.radiation.electrons.stopping import collision_stopping

    alone = Composition("element", ((z, 1.0),), None)
    # Density matters for the density effect alone: a gas is taken as dissolved or bound.
    density = max(float(xraylib.ElementDensity(z)), 0.1)
    return np.maximum(collision_stopping(alone, density, _GRID), 1e-6), radiative_stopping(z, _GRID)


@lru_cache(maxsize=128)
def radiation_yields(z: int) -> Array:
    """Return the share of an electron's energy that leaves as photons, on the grid of ``_GRID``."""
    return _radiated(z, 1.0, np.zeros_like(_GRID)) / _GRID


@lru_cache(maxsize=128)
def positron_yields(z: int) -> Array:
    """Return the share of a positron's kinetic energy that leaves as photons, on the grid of ``_GRID``.

    Bremsstrahlung as for electrons, lowered by the factor of salvat_2019, and annihilation in flight (heitler_1954),
    which takes the kinetic energy along.
    """
    gamma = 1.0 + _GRID / REST_ENERGY
    root = np.sqrt(gamma**2 - 1.0)
    per_electron = (gamma**2 + 4.0 * gamma + 1.0) / root**2 * np.log(gamma + root) - (gamma + 3.0) / root
    area = np.pi * RADIUS**2 / (gamma + 1.0) * per_electron
    return _radiated(z, positron_factor(z, _GRID), area * z * AVOGADRO / atomic_weight(z)) / _GRID


def _radiated(z: int, factor: Array | float, annihilation: Array) -> Array:
    """Return the mean energy L(T) that leaves as photons, from the equation in the docstring of this module.

    The mean over bremsstrahlung photons is written as r L'(T); r starts from slowing down without straggling (1).
    """
    collisions, radiative = stopping_powers(z)
    radiative = radiative * factor
    fluorescent = impact_fluorescence(z, _GRID)
    source = (radiative + fluorescent) + annihilation * _GRID * 1e-3
    held = np.ones_like(_GRID)
    lost = np.zeros_like(_GRID)
    kept = _GRID[:, None] * (1.0 - _PHOTON)
    knocked = _knock_on(z)
    plain = source
    for _ in range(6):
        whole = collisions + held * radiative
        source = plain + knocked @ lost
        lost[0] = _GRID[0] * source[0] / whole[0]
        for i in range(1, len(_GRID)):
            step = _GRID[i] - _GRID[i - 1]
            drive = 0.5 * (source[i] / whole[i] + source[i - 1] / whole[i - 1])
            decay = 1e-3 * annihilation[i] / whole[i]
            lost[i] = (lost[i - 1] + step * drive) / (1.0 + step * decay)
        slope = np.maximum(np.gradient(lost, _GRID), 1e-12)
        after = np.interp(kept, np.concatenate([[0.0], _GRID]), np.concatenate([[0.0], lost]))
        chords = (lost[:, None] - after) / (_GRID[:, None] * _PHOTON)
        held = np.clip((chords @ _PHOTON_WEIGHTS) / slope, 0.0, 1.0)
    return lost


def _knock_on(z: int) -> Array:
    """Return the weights that sum L(W) over the electrons W < T/2 that an electron T knocks on (law of Moller)."""
    t, w = _GRID[:, None], _GRID[None, :]
    gamma = 1.0 + t / REST_ENERGY
    beta2 = 1.0 - 1.0 / gamma**2
    rest = np.where(w <= 0.5 * t, t - w, 1.0)
    law = (
        1.0 / w**2 + 1.0 / rest**2 + (gamma - 1.0) ** 2 / (gamma * t) ** 2 - (2.0 * gamma - 1.0) / gamma**2 / (w * rest)
    )
    scale = 2.0 * np.pi * RADIUS**2 * REST_ENERGY * AVOGADRO / atomic_weight(z) * z * 1e-3
    return np.asarray(np.where(w <= 0.5 * t, scale / beta2 * law, 0.0) * np.gradient(_GRID))


def impact_fluorescence(z: int, energies: Array) -> Array:
    """Return the energy of fluorescence per path (MeV cm2/g) after electrons (keV) knock out inner electrons.

    Cross section of a shell by the law of Bethe with the constants of powell_1976.
    """
    gamma = 1.0 + np.asarray(energies) / REST_ENERGY
    beta2 = 1.0 - 1.0 / gamma**2
    per_gram = 2.0 * np.pi * RADIUS**2 * REST_ENERGY * AVOGADRO / atomic_weight(z) / beta2
    out = np.zeros_like(energies)
    for shell, edge in shell_edges(z).items():
        reach = np.log(np.maximum(0.65 * 0.5 * REST_ENERGY * beta2 * gamma**2 / edge, 1.0)) - beta2
        share = ELECTRONS[shell] * 0.9 / edge * np.where(energies > edge, np.maximum(reach, 0.0), 0.0)
        out += per_gram * share * radiated_energies(z)[shell] * 1e-3
    return out


def compton_fluorescence(z: int, energies: Array) -> Array:
    """Return the mean energy of fluorescence (keV) per Compton event: shells that the electron's energy can open."""
    k = np.asarray(energies, dtype=float)[:, None] / REST_ENERGY
    kept = 1.0 / (1.0 + k * (1.0 - _NODES))
    slope = kept**2 * (kept + 1.0 / kept - (1.0 - _NODES**2)) * _WEIGHTS
    gained = (1.0 - kept) * np.asarray(energies)[:, None]
    out = np.zeros(len(kept))
    for shell, edge in shell_edges(z).items():
        opened = (slope * (gained > edge)).sum(1) / slope.sum(1)
        out += ELECTRONS[shell] / z * opened * radiated_energies(z)[shell]
    return out


def positron_factor(z: int, energies: Array) -> Array:
    """Return the ratio of the radiative stopping powers for positrons and electrons."""
    t = np.log1p(1e6 / z**2 * np.asarray(energies) / REST_ENERGY)
    series = [0.0, -1.2359e-1, 6.1274e-2, -3.1516e-2, 7.7446e-3, -1.0595e-3, 7.0568e-5, -1.8080e-6]
    return np.asarray(-np.expm1(np.polynomial.polynomial.polyval(t, series)))


def radiative_stopping(z: int, energies: Array) -> Array:
    """Return the mass radiative stopping power (MeV cm2/g) of an element for electrons of energies (keV)."""
    at = np.log(energies)
    grid = np.log(_LOSS_ENERGY)
    loss = np.interp(at, grid, _LOSS) + (74.0 - z) * np.interp(at, grid, _LOSS_SLOPE)
    # Collisions with electrons radiate as with a proton only where the electron is fast.
    charges = z * (z + energies / (energies + REST_ENERGY))
    scale = RADIUS**2 / 137.035999 * AVOGADRO / atomic_weight(z) * charges
    return np.asarray(scale * (np.asarray(energies) + REST_ENERGY) * 1e-3 * loss)


def radiated_share(z: int, energies: Array) -> Array:
    """Return the share of their energy that electrons of energies (keV) radiate."""
    return _on_grid(radiation_yields(z), energies)


def pair_radiated(z: int, surplus: Array) -> Array:
    """Return the share of the kinetic energy of pairs that leaves as photons: each half is spread evenly to all."""
    both = 0.5 * (radiation_yields(z) + positron_yields(z))
    return _on_grid(_mean_to(_GRID * both) / (0.5 * _GRID**2), surplus)


def compton_radiated(z: int, energies: Array) -> Array:
    """Return the share of the energy of Compton electrons that leaves as bremsstrahlung."""
    k = np.asarray(energies, dtype=float)[:, None] / REST_ENERGY
    kept = 1.0 / (1.0 + k * (1.0 - _NODES))
    slope = kept**2 * (kept + 1.0 / kept - (1.0 - _NODES**2)) * _WEIGHTS
    gained = (1.0 - kept) * energies[:, None]
    lost = gained * radiated_share(z, gained)
    return np.asarray((slope * lost).sum(1) / (slope * gained).sum(1))


def _mean_to(values: Array) -> Array:
    """Return the integral over energy from zero to every point of the grid."""
    steps = 0.5 * (values[1:] + values[:-1]) * np.diff(_GRID)
    first = values[0] * _GRID[0]
    return np.asarray(np.concatenate([[first], first + np.cumsum(steps)]))


def _on_grid(values: Array, energies: Array) -> Array:
    return np.asarray(np.interp(np.log(np.maximum(energies, _GRID[0])), np.log(_GRID), values))
