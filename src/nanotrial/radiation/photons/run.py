"""Runs of the kernel: sources, batches on threads, means and their standard errors.

Histories are shared out over a fixed number of batches, each summed on its own and all added in one order, so results
depend on the seed and the number of histories alone, not on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array
from nanotrial.radiation.photons.phantom import Phantom, arrays
from nanotrial.radiation.photons.tables import LOWEST, Matter, tabulate

BATCHES = 32
GRAY = 1.602176634e-13  # Gy in one keV per g
NOTHING = np.zeros(0)


@dataclass(frozen=True)
class Beamlet:
    """A source of photons: ``kind`` (0 parallel, 1 divergent, 2 isotropic), its place, and its spectrum.

    ``place``: half widths x and y of the field at the top of the phantom, height z of the start, distance of the
    point source; or x, y, z and radius of a ball that shines everywhere alike. Lengths cm, energies keV.
    """

    kind: int
    place: tuple[float, float, float, float]
    energies: Array
    shares: Array


@dataclass(frozen=True)
class Tally:
    """Mean scores for each photon of the source, batch by batch.

    ``bodies`` (batches, 2, bodies, 2) and ``bins`` (batches, 2, bins, 2): keV cm2/g cm for each photon; the second
    axis is uncollided or scattered, the last mixture or base. ``spectra`` (batches, 2, bins, 32 steps of each octave
    from 1 keV): track length in cm. ``deposited`` (batches, bodies) keV, analogue runs alone.
    ``escaped``, ``incident``: keV for each photon. ``imbalance``: largest energy that a history lost, as a share.
    """

    bodies: Array
    bins: Array
    spectra: Array
    deposited: Array
    incident: float
    escaped: float
    collisions: float
    imbalance: float


def transport(
    phantom: Phantom,
    source: Beamlet,
    histories: int,
    seed: int,
    *,
    bins: tuple[Array, Array] = (NOTHING, NOTHING),
    sides: tuple[float, float, float] = (1e9, 1e9, 0.0),
    spectral: bool = False,
    analogue: bool = False,
    threads: int | None = None,
) -> Tally:
    """Follow photons through a phantom and return what they score.

    Arguments:
        histories: number of photons, shared out over 32 batches.
        seed: same seed, same numbers.
        bins: low and high edges of depth bins (cm), which do not overlap, from the top down.
        sides: half widths (cm) of the window of the bins at z = 0, and 1/distance (1/cm) by which it widens.
        spectral: score fluence by energy in the bins too.
        analogue: absorb photons whole instead of taking their weight, and keep the balance of energy.
        threads: how many; all cores by default.

    Raises:
        InputError: fewer histories than batches, a negative seed, or energies outside the tables.
    """
    from nanotrial.radiation.photons import kernel, layout

    if histories < BATCHES:
        raise InputError("histories", str(histories), f"at least {BATCHES}, one for each batch")
    if seed < 0:
        raise InputError("seed", str(seed), "a whole number of at least 0")
    kinds, media, which, centres, sizes = arrays(phantom)
    matter = tables(tuple(media), _highest(source))
    bodies = layout.Bodies(kinds, which, centres, sizes)
    chance, alias = alias_table(source.shares)
    place = np.array(source.place, dtype=float)
    start = layout.Source(source.kind, place, np.ascontiguousarray(source.energies, dtype=float), chance, alias)
    low, high = (np.ascontiguousarray(edge, dtype=float) for edge in bins)
    window = layout.Window(low, high, np.array(sides, dtype=float), spectral)
    cuts = np.linspace(0, histories, BATCHES + 1).astype(np.int64)

    def batch(i: int) -> Any:
        return kernel.follow(matter, bodies, start, window, (seed, int(cuts[i]), int(cuts[i + 1])), analogue)

    with ThreadPoolExecutor(threads or cores()) as pool:
        found = list(pool.map(batch, range(BATCHES)))
    return _tally(found, np.diff(cuts).astype(float))


def _tally(found: Sequence[Any], counts: Array) -> Tally:
    whole = float(counts.sum())
    balance = np.array([one.balance for one in found])

    def each(name: str) -> Array:
        return np.array([getattr(one, name) / n for one, n in zip(found, counts, strict=True)])

    incident, escaped, collisions = (float(balance[:, i].sum()) / whole for i in range(3))
    return Tally(
        bodies=each("bodies"),
        bins=each("bins"),
        spectra=each("spectra"),
        deposited=each("deposited"),
        incident=incident,
        escaped=escaped,
        collisions=collisions,
        imbalance=float(balance[:, 3].max()),
    )


def mean_and_error(batches: Array) -> tuple[Array, Array]:
    """Return the mean over batches (first axis) and its standard error."""
    return batches.mean(axis=0), batches.std(axis=0, ddof=1) / np.sqrt(len(batches))


def alias_table(shares: Array) -> tuple[Array, Any]:
    """Return chances and aliases (Walker) from which one draw picks a line of a spectrum."""
    weights = np.asarray(shares, dtype=float)
    scaled = weights / weights.sum() * len(weights)
    alias = np.arange(len(weights), dtype=np.int64)
    chance = np.ones(len(weights))
    small = [i for i, w in enumerate(scaled) if w < 1.0]
    large = [i for i, w in enumerate(scaled) if w >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        chance[low], alias[low] = scaled[low], high
        scaled[high] -= 1.0 - scaled[low]
        if scaled[high] < 1.0:
            small.append(large.pop())
    return chance, alias


@lru_cache(maxsize=32)
def tables(media: tuple[Any, ...], highest: float) -> Matter:
    """Return the tables of media up to an energy (keV), kept for the next run."""
    return tabulate(media, highest)


def _highest(source: Beamlet) -> float:
    """Return the upper end of the octave above the hardest photon, so that beams share tables."""
    energies = np.asarray(source.energies, dtype=float)
    if energies.min() < LOWEST or energies.max() > 20000.0:
        span = f"{energies.min():g} to {energies.max():g} keV"
        raise InputError("beam", span, f"{LOWEST:g} keV to 20 MeV, where the tables reach")
    return float(2.0 ** np.ceil(np.log2(max(energies.max(), 2.0))))


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
