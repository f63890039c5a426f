"""Which photons of a beam interact with a substance, in which element and shell, and what leaves the atoms on the mean.

Channels: 0 Compton scattering, 1 pair production, then every shell of every element. Energies in keV. Sources: the
coefficients of nanotrial.radiation.attenuation, shells and transitions of nanotrial.radiation.electrons.relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array
from nanotrial.radiation.composition import Composition
from nanotrial.radiation.electrons.knock_on import REST
from nanotrial.radiation.electrons.relaxation import relaxation, shell_shares

if TYPE_CHECKING:
    from nanotrial.radiation.beams import Beam
    from nanotrial.radiation.electrons.source import PhotonSource

COMPTON, PAIR = 0, 1
# A line below this share of the interactions is left out.
LEAST_SHARE = 1e-7
# Bins of the mean emission, even in ln: lowest and highest energy (keV), and how many.
LOWEST, HIGHEST, BINS = 1e-3, 2e4, 420


@lru_cache(maxsize=64)
def photon_source(substance: Composition, rays: Beam) -> PhotonSource:
    """Return the photons of a beam that interact with a substance, as the kernel takes them.

    Arguments:
        substance: its density does not matter.
        rays: beam.

    Raises:
        InputError: nothing interacts.
    """
    from nanotrial.radiation.attenuation import coefficients
    from nanotrial.radiation.electrons.source import PhotonSource

    found = coefficients(substance, rays.energies)
    weights = rays.fluence * (found.photoelectric + found.incoherent + found.pair)
    kept = weights > LEAST_SHARE * weights.sum()
    if not kept.any():
        raise InputError("beam", rays.name, f"photons that interact with {substance.name}")
    energies = rays.energies[kept]
    at = coefficients(substance, energies)
    atoms = [relaxation(z) for z, _ in substance.fractions]
    columns = [at.incoherent[:, None], at.pair[:, None]]
    for z, fraction in substance.fractions:
        alone = coefficients(Composition(f"Z{z}", ((z, 1.0),), None), energies).photoelectric
        columns.append(fraction * alone[:, None] * _shares(z, energies))
    channels = np.cumsum(np.hstack(columns), axis=1)
    channels /= channels[:, -1:]
    first, moves, rows = [0], 0, 0
    holes: list[Any] = []
    for atom in atoms:
        first += list(atom.first[1:] + moves)
        holes.append(np.where(atom.holes >= 0, atom.holes + rows, -1))
        moves, rows = moves + int(atom.first[-1]), rows + len(atom.shells)
    cumulative = np.cumsum(weights[kept]) / weights[kept].sum()
    joined = {name: np.concatenate([getattr(a, name) for a in atoms]) for name in _FLAT}
    return PhotonSource(
        energies, cumulative, np.ascontiguousarray(channels), np.concatenate([[0.0, 0.0], joined["bindings"]]),
        np.concatenate([[-1, -1], np.arange(rows)]), np.array(first, dtype=np.int64), joined["chances"],
        joined["radiative"], joined["emitted"], np.concatenate(holes), joined["residues"],
    )  # fmt: skip


def _shares(number: int, energies: Array) -> Array:
    """Return the shares of the shells; above the tables, where all shells are open, those of the last energy."""
    most = 50.0 if number <= 2 else 100.0 if number <= 10 else 300.0
    found, back = np.unique(np.minimum(energies, most), return_inverse=True)
    return np.asarray(shell_shares(number, found)[back])


_FLAT = ("bindings", "chances", "radiative", "emitted", "residues")


@dataclass(frozen=True, eq=False)
class Emission:
    """What one event sends out on the mean: electrons by energy (keV; numbers), photons and what stays (keV)."""

    energies: Array
    numbers: Array
    photons: float
    left: float


class _Tally:
    """Electrons by energy: numbers and energy of each bin."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.numbers, self.sums = np.zeros(BINS), np.zeros(BINS)

    def add(self, energies: Any, numbers: Any) -> None:
        """Add electrons of energies (keV)."""
        at = np.log(np.maximum(energies, LOWEST) / LOWEST) / np.log(HIGHEST / LOWEST) * BINS
        rows = np.clip(np.asarray(at).astype(int), 0, BINS - 1)
        np.add.at(self.numbers, rows, numbers)
        np.add.at(self.sums, rows, np.asarray(numbers) * energies)


def _cascades(source: PhotonSource) -> tuple[Array, Array, Array, Array]:
    """Return by vacancy the mean numbers (v, bins) and energy of electrons, the energy of photons, and what stays."""
    count = source.first.size - 1
    numbers, sums = np.zeros((count, BINS)), np.zeros((count, BINS))
    photons, left = np.zeros(count), np.zeros(count)
    for hole in range(count - 1, -1, -1):
        start, end = source.first[hole], source.first[hole + 1]
        chances = np.diff(source.chances[start:end], prepend=0.0)
        tally = _Tally()
        given, shining = source.emitted[start:end], source.radiative[start:end] == 1
        electrons = ~shining & (given > 0.0)
        tally.add(given[electrons], chances[electrons])
        numbers[hole], sums[hole] = tally.numbers, tally.sums
        photons[hole] = float(chances[shining] @ given[shining])
        left[hole] = float(chances @ source.residues[start:end])
        for k in range(2):
            at = source.holes[start:end, k]
            # Holes move outward only, so that what follows them is known already.
            share = np.bincount(at[at >= 0], weights=chances[at >= 0], minlength=count)
            numbers[hole] += share @ numbers
            sums[hole] += share @ sums
            photons[hole] += float(share @ photons)
            left[hole] += float(share @ left)
    return numbers, sums, photons, left


def compton_spectrum(energy: float, points: int = 48) -> tuple[Array, Array]:
    """Return energies (keV) of Compton electrons and their shares (Klein-Nishina, free electrons).

    d(sigma)/d(e) ~ (1/e + e)(1 - e sin^2/(1 + e^2)), e the share that the photon keeps, electron (1 - e) E.

    Arguments:
        energy: of the photon (keV).
        points: of the quadrature.
    """
    alpha = energy / REST
    least = 1.0 / (1.0 + 2.0 * alpha)
    nodes, weights = np.polynomial.legendre.leggauss(points)
    kept = least + (1.0 - least) * 0.5 * (nodes + 1.0)
    t = (1.0 - kept) / (alpha * kept)
    law = (1.0 / kept + kept) * (1.0 - kept * t * (2.0 - t) / (1.0 + kept * kept)) * weights
    return energy * (1.0 - kept), law / law.sum()


@lru_cache(maxsize=64)
def emission(substance: Composition, rays: Beam) -> Emission:
    """Return what an event in a substance sends out on the mean.

    Arguments:
        substance: its density does not matter.
        rays: beam.
    """
    source = photon_source(substance, rays)
    shares = np.diff(source.weights, prepend=0.0)[:, None] * np.diff(source.channels, axis=1, prepend=0.0)
    tally, photons = _Tally(), 0.0
    for energy, compton, pair in zip(source.energies, shares[:, COMPTON], shares[:, PAIR], strict=True):
        given, parts = compton_spectrum(float(energy))
        tally.add(given, compton * parts)
        photons += compton * (energy - float(given @ parts))
        if pair > 0.0:
            tally.add((energy - 2.0 * REST) * (np.arange(20) + 0.5) / 20, np.full(20, 2.0 * pair / 20))
            photons += pair * 2.0 * REST
    direct = source.energies[:, None] - source.bindings[None, 2:]
    open_ = shares[:, 2:] > 0.0
    tally.add(direct[open_], shares[:, 2:][open_])
    vacancies = shares[:, 2:].sum(axis=0)
    numbers, sums, glow, left = _cascades(source)
    tally.numbers += vacancies @ numbers
    tally.sums += vacancies @ sums
    some = tally.numbers > 0.0
    return Emission(
        tally.sums[some] / tally.numbers[some], tally.numbers[some], photons + float(vacancies @ glow),
        float(vacancies @ left),
    )  # fmt: skip
