"""Many histories: media as tables, batches with a stream of random numbers each, threads over batches.

A batch has its own stream, and batches are added in their order, so that a seed gives the same numbers whatever the
number of threads. Energies in keV, lengths in nm.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nanotrial.radiation.electrons.geometry import Shape
    from nanotrial.radiation.electrons.kernel import World
    from nanotrial.radiation.electrons.media import ElectronMedium

Array = NDArray[np.float64]

BATCHES = 20
# Water is followed to this distance from the surface (nm); shells per factor of ten; the first shell (nm).
FARTHEST, PER_DECADE, NEAREST = 5.0e4, 16, 1.0
# Longest step as a share of the transport mean free path, of the energy, of the room around, of the particle's half
# width; by how much a range may exceed the CSDA range where an electron is ended because it cannot leave.
STEPS = (0.15, 0.1, 0.5, 0.25, 1.2)


@dataclass(frozen=True, eq=False)
class Scored:
    """What a run gave, per history: shells (batches, k) keV, totals (keV, see the kernel), electrons leaving by row."""

    histories: int
    edges: Array
    shells: Array
    totals: Array
    leaving: Array

    @property
    def mean_shells(self) -> Array:
        """Return the energy in each shell (keV per history)."""
        return np.asarray(self.shells.mean(axis=0))


def shell_edges(farthest: float = FARTHEST) -> Array:
    """Return the edges of the shells of water, distances from the surface (nm): 0, 1 nm, then evenly in ln."""
    count = max(round(np.log10(farthest / NEAREST) * PER_DECADE), 1)
    return np.concatenate([[0.0], NEAREST * 10.0 ** (np.arange(count + 1) / PER_DECADE)])


def medium_columns(medium: ElectronMedium, share: float) -> Array:
    """Return the table (n, COLUMNS) of a medium, with elastic collisions split in soft ones and hard ones.

    Hard ones have a mean free path of ``share`` times the transport mean free path, or all are hard where it is
    shorter than the elastic one. Density of mu = (1 - cos)/2: s(1+s)/(s+mu)^2 with screening s.

    Source: salvat_2019 (mixed simulation).
    """
    from nanotrial.radiation.electrons import kernel

    s, whole = medium.elastic_screening, medium.elastic_inverse_path
    hard = np.minimum(whole, medium.transport_inverse_path / share)
    # Chance of a deflection beyond the least angle: s (1 - least) / (s + least).
    part = hard / whole
    least = np.where(part < 1.0, s * (1.0 - part) / (s + part), 0.0)
    log_part = np.log1p(least / s)
    first = s * (1.0 + s) * (log_part - least / (s + least))
    second = s * (1.0 + s) * (least - 2.0 * s * log_part + s * least / (s + least))
    out = np.zeros((medium.log_energies.size, kernel.COLUMNS))
    out[:, kernel.SOFT_LOSS], out[:, kernel.HARD_LOSS] = medium.restricted_stopping, medium.hard_inverse_path
    out[:, kernel.HARD_ELASTIC], out[:, kernel.LEAST_ANGLE] = hard, least
    out[:, kernel.SOFT_FIRST] = 2.0 * whole * np.maximum(first, 0.0)
    out[:, kernel.SOFT_SECOND] = 6.0 * whole * np.maximum(first - second, 0.0)
    out[:, kernel.SCREENING], out[:, kernel.RANGE] = s, medium.csda_range
    out[:, kernel.TRANSPORT], out[:, kernel.STOPPING] = medium.transport_inverse_path, medium.total_stopping
    return out


def make_world(
    shape: Shape, inside: ElectronMedium, outside: ElectronMedium, cutoff: float, steps: tuple[float, ...] = STEPS
) -> World:
    """Return what electrons meet: a particle of one medium in another.

    Arguments:
        shape: of the particle.
        inside, outside: media on the same grid of energies.
        cutoff: energy at which an electron ends (keV).
        steps: limits of steps, see STEPS.
    """
    from nanotrial.radiation.electrons.kernel import World

    both = (inside, outside)
    table = np.ascontiguousarray(np.stack([medium_columns(m, steps[0]) for m in both]))
    logs = inside.log_energies
    grid = np.array([logs[0], 1.0 / (logs[1] - logs[0]), logs.size - 1.0, cutoff])
    most = max(m.shell_energies.size for m in both)
    bindings, shares = np.full((2, most), np.inf), np.ones((2, most))
    for i, m in enumerate(both):
        bindings[i, : m.shell_energies.size], shares[i, : m.shell_shares.size] = m.shell_energies, m.shell_shares
    counts = np.array([float(m.shell_energies.size) for m in both])
    cuts = np.array([m.cut for m in both])
    return World(shape.numbers, table, grid, cuts, bindings, shares, counts, np.array(steps))


def empty_stack() -> Array:
    """Return room for the electrons that wait to be followed."""
    from nanotrial.radiation.electrons.kernel import DEEPEST, FIELDS

    return np.empty((DEEPEST + 1, FIELDS))


def streams(seed: int, batches: int) -> list[Any]:
    """Return one state of random numbers for each batch."""
    return [one.generate_state(4, np.uint64) for one in np.random.SeedSequence(seed).spawn(batches)]


def threads_at_hand() -> int:
    """Return how many threads this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def over_batches(call: Callable[[int], Any], batches: int, threads: int | None = None) -> list[Any]:
    """Return what a call gives for each batch, in the order of batches, computed by several threads."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=threads or threads_at_hand()) as pool:
        return list(pool.map(call, range(batches)))


def score(
    run: Callable[[int, Any, Any], None],
    histories: int,
    seed: int,
    edges: Array,
    rows: int,
    batches: int = BATCHES,
    threads: int | None = None,
) -> Scored:
    """Return what batches of histories give.

    Arguments:
        run: called as run(count, tally, state) for each batch.
        histories: in all; spread over the batches, at least one each.
        seed: of the streams.
        edges: (k + 1,) nm, of the shells of water.
        rows: of the grid of energies.
        batches: number of batches.
        threads: None takes what is there.
    """
    from nanotrial.radiation.electrons.kernel import IMBALANCE, TOTALS, Tally

    batches = min(batches, histories)
    states = streams(seed, batches)
    counts = [histories // batches + (i < histories % batches) for i in range(batches)]
    bins = np.array([NEAREST, PER_DECADE / np.log(10.0)])

    def one(i: int) -> tuple[Array, Array, Array]:
        shells = np.zeros(max(edges.size - 1, 0))
        tally = Tally(bins, edges, shells, np.zeros(TOTALS), np.zeros(rows), empty_stack(), np.empty(6))
        run(counts[i], tally, states[i].copy())
        return tally.shells / counts[i], tally.totals, tally.leaving

    done = over_batches(one, batches, threads)
    totals = np.sum([d[1] for d in done], axis=0) / histories
    totals[IMBALANCE] = max(d[1][IMBALANCE] for d in done)
    leaving = np.sum([d[2] for d in done], axis=0) / histories
    return Scored(histories, edges, np.array([d[0] for d in done]), totals, leaving)
