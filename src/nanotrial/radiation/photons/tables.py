"""What the kernel looks up: coefficients, angles of scatter and fluorescence lines of each medium.

Energies are in keV, lengths in cm. Coefficients stand at 256 energies in each octave from 1 keV on, so that the leading
bits of a double give the row and the others the place in it. Angles are quantiles of 1 - cos(theta), closer together
towards the rare large angles (chance 1 - (1 - i/128)^2 of a smaller one), 16 rows in each octave: the law of Klein and
Nishina times the incoherent scattering function S(q) (Compton), and that of Thomson times the squared form factor
F(q)^2 (Rayleigh), with F and S of free atoms (schoonjans_2011): interference between the molecules of a liquid is not
in them, nor is the motion of bound electrons (Doppler).
Fluorescence: lines above 5 keV of K and L shells; shells share the photoelectric effect by their jump ratios. Softer
lines count as absorbed where they start (they reach less than 0.3 mm in tissue), and so do lines after Auger electrons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from nanotrial.radiation.arguments import Array
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.composition import Composition

REST = 510.99895  # keV
LOWEST = 1.0  # keV; photons below it are absorbed where they are
# Mantissa bits that number the rows of an octave: coefficients, angles.
ROW_BITS, ANGLE_BITS = 8, 4
QUANTILES = 128
COLOURS = 32  # steps of each octave in spectra that are scored
SOFTEST_LINE = 5.0  # keV
WAVE = 12.39841984  # keV Angstrom: momentum transfer q = E / WAVE sin(theta / 2), 1/Angstrom
# Columns of a row: attenuation (1/cm); cumulative shares of photoelectric, Compton and Rayleigh events, the rest pairs;
# energy absorption (cm2/g) of the mixture and of its base medium.
TOTAL, PHOTO, COMPTON, RAYLEIGH, MIXTURE, BASE = range(6)
_LINES: dict[int, tuple[tuple[str, int], ...]] = {
    0: (("KL2", 2), ("KL3", 3), ("KM2", -1), ("KM3", -1), ("KN2", -1), ("KN3", -1)),
    1: (("L1M2", -1), ("L1M3", -1), ("L1N2", -1), ("L1N3", -1)),
    2: (("L2M1", -1), ("L2M4", -1), ("L2N4", -1)),
    3: (("L3M1", -1), ("L3M4", -1), ("L3M5", -1), ("L3N5", -1)),
}


class Matter(NamedTuple):
    """Tables of all media of a phantom, as arrays for the kernel.

    ``rows`` (media, rows, 6); ``angles`` (media, 2, rows, quantiles + 1) Compton then Rayleigh; ``glowing`` (media,
    rows, elements) cumulative shares of the photoelectric effect of the elements that fluoresce; ``edges`` and
    ``shares`` (elements, 4) of K, L1, L2, L3; ``lines`` (elements, 4, lines, 3): cumulative chance, energy, next shell.
    """

    rows: Array
    angles: Array
    glowing: Array
    edges: Array
    shares: Array
    lines: Array


def tabulate(media: Sequence[tuple[Composition, Composition]], highest: float) -> Matter:
    """Return the tables of media, each a mixture and the base medium whose dose is scored beside its own.

    Arguments:
        media: pairs of compositions; the first needs a density.
        highest: the highest photon energy (keV).
    """
    octaves = max(1, math.ceil(math.log2(highest * 1.0001)))
    elements = sorted({z for mixture, _ in media for z, _ in mixture.fractions if glows(z, highest)})
    energies = _ladder(octaves, ROW_BITS)
    rows, glowing = zip(*(_rows(m, base, energies, elements) for m, base in media), strict=True)
    angles = np.array([_angles(mixture.fractions, octaves) for mixture, _ in media])
    return Matter(np.ascontiguousarray(rows), angles, np.array(glowing), *_fluorescence(elements))


def glows(z: int, highest: float) -> bool:
    """Return whether an element has K or L lines above the softest one followed that a photon can excite."""
    return any(chance > 0 and edge < highest for edge, chance in zip(*_fluorescence_of(z)[::2], strict=True))


def _ladder(octaves: int, bits: int) -> Array:
    """Return 2^bits evenly spaced energies (keV) in each octave from 1 keV on, and one row more than needed."""
    steps = 1.0 + np.arange(1 << bits) / (1 << bits)
    return np.concatenate([*(2.0**o * steps for o in range(octaves)), [2.0**octaves, 2.0**octaves * steps[1]]])


def _rows(mixture: Composition, base: Composition, energies: Array, elements: Sequence[int]) -> tuple[Array, Array]:
    density = mixture.density or 0.0
    reached = np.minimum(energies, 20000.0)
    found, plain = coefficients(mixture, reached), coefficients(base, reached)
    parts = np.array([found.photoelectric, found.incoherent, found.coherent, found.pair])
    # The sum of the parts, so that the shares are exact whatever table the total was read from.
    total = parts.sum(axis=0)
    cumulative = np.cumsum(parts, axis=0) / total
    rows = np.array([total * density, *cumulative[:3], found.absorption, plain.absorption]).T
    mass = dict(mixture.fractions)
    share = np.zeros((len(energies), max(len(elements), 1)))
    for i, z in enumerate(elements):
        if z in mass:
            alone = coefficients(Composition(str(z), ((z, 1.0),)), reached)
            share[:, i] = mass[z] * alone.photoelectric / found.photoelectric
    return rows, np.minimum(np.cumsum(share, axis=1), 1.0)


@lru_cache(maxsize=64)
def _angles(fractions: tuple[tuple[int, float], ...], octaves: int) -> Array:
    """Return quantiles of 1 - cos(theta): (Compton and Rayleigh, rows, quantiles + 1)."""
    import xraylib

    energies = _ladder(octaves, ANGLE_BITS)
    half = np.concatenate([[0.0], np.geomspace(1e-5, 1.0, 900)])  # sin(theta / 2)
    x = 2.0 * half**2
    q = energies[:, None] / WAVE * half
    squared, bound = np.zeros_like(q), np.zeros_like(q)
    for z, w in fractions:
        grid, form, incoherent = _form_factors(z)
        place, moles = np.log(np.maximum(q, 1e-3)), w / xraylib.AtomicWeight(z)
        squared += moles * np.interp(place, grid, form) ** 2
        bound += moles * np.interp(place, grid, incoherent) * np.minimum(q / 1e-3, 1.0) ** 2
    ratio = 1.0 / (1.0 + energies[:, None] / REST * x)
    klein_nishina = ratio**2 * (ratio + 1.0 / ratio - x * (2.0 - x))
    thomson = 1.0 + (1.0 - x) ** 2
    return np.array([_quantiles(klein_nishina * bound, x), _quantiles(thomson * squared, x)])


@lru_cache(maxsize=128)
def _form_factors(z: int) -> tuple[Array, Array, Array]:
    """Return ln q (q in 1/Angstrom), F(q) and S(q) of an atom."""
    import xraylib

    q = np.geomspace(1e-3, 1e3, 500)
    form = np.array([xraylib.FF_Rayl(z, v) for v in q])
    return np.log(q), np.maximum(form, 0.0), np.array([xraylib.SF_Compt(z, v) for v in q])


def _quantiles(density: Array, x: Array) -> Array:
    """Return the quantiles of densities over x, one row each."""
    steps = 0.5 * (density[:, 1:] + density[:, :-1]) * np.diff(x)
    cumulative = np.concatenate([np.zeros((len(density), 1)), np.cumsum(steps, axis=1)], axis=1)
    wanted = 1.0 - np.linspace(1.0, 0.0, QUANTILES + 1) ** 2
    return np.array([np.interp(wanted, c / c[-1], x) for c in cumulative])


def _fluorescence(elements: Sequence[int]) -> tuple[Array, Array, Array]:
    size, longest = max(len(elements), 1), max(len(lines) for lines in _LINES.values())
    edges, shares, lines = np.full((size, 4), np.inf), np.zeros((size, 4)), np.zeros((size, 4, longest, 3))
    # Chances beyond the last line stay above every draw.
    lines[..., 0] = 2.0
    lines[..., 2] = -1.0
    for i, z in enumerate(elements):
        edges[i], shares[i], _, found = _fluorescence_of(z)
        for shell, several in enumerate(found):
            chance = 0.0
            for j in range(longest):
                energy, rate, following = several[j] if j < len(several) else (0.0, 0.0, -1)
                chance += rate
                lines[i, shell, j] = (chance if rate else -1.0), energy, following
    return edges, shares, lines


@lru_cache(maxsize=128)
def _fluorescence_of(z: int) -> tuple[Array, Array, Array, list[list[tuple[float, float, int]]]]:
    """Return edges (keV), shares of vacancies by jump ratio, chances of a line, and lines of K, L1, L2, L3."""
    edges, shares, chances = np.full(4, np.inf), np.zeros(4), np.zeros(4)
    lines: list[list[tuple[float, float, int]]] = []
    for shell, names in _LINES.items():
        edge, jump, fluorescence = (_number(f, z, shell) for f in ("EdgeEnergy", "JumpFactor", "FluorYield"))
        found = []
        for name, following in names:
            energy, rate = _line(z, name)
            if energy > SOFTEST_LINE and rate * fluorescence > 0.0:
                found.append((energy, rate * fluorescence, following))
        if edge > 0.0 and jump > 1.0:
            edges[shell], shares[shell] = edge, 1.0 - 1.0 / jump
        chances[shell] = sum(rate for _, rate, _ in found)
        lines.append(found)
    return edges, shares, chances, lines


def _number(function: str, z: int, shell: int) -> float:
    """Return a number of a shell, 0 where the tables have none."""
    import xraylib

    try:
        return float(getattr(xraylib, function)(z, shell))
    except ValueError:
        return 0.0


def _line(z: int, name: str) -> tuple[float, float]:
    import xraylib

    line: Any = getattr(xraylib, f"{name}_LINE")
    try:
        return float(xraylib.LineEnergy(z, line)), float(xraylib.RadRate(z, line))
    except ValueError:
        return 0.0, 0.0
