"""Electrons and ionising events per second, on one thread and two, and the time to 1 % on a radial profile.

No peer: Geant4 and its bindings fetch data when run, PENELOPE is not to be had as a package.
"""

from __future__ import annotations

import os
from time import perf_counter

import numpy as np

from harness import Row, show
from nanotrial.radiation.electrons import histories, kernel, source
from nanotrial.radiation.electrons.interactions import photon_source
from nanotrial.radiation.particle_case import particle_world, read_case

ELECTRONS, EVENTS, ENERGY = 60_000, 40_000, 10.0
CASE = read_case("gold", "50 nm", "100 kV", "sphere")
WORLD, EDGES = particle_world(CASE), histories.shell_edges()
PHOTONS = photon_source(CASE.substance, CASE.rays)


def electrons(count: int, threads: int):
    """Follow electrons of 10 keV that start in water beside the particle and fly away from it."""
    row = np.array([ENERGY, 0, 0, 60.0, 0, 0, 1.0, 0, 0])

    def run(n, tally, state):
        source.run_given(np.tile(row, (n, 1)), WORLD, tally, state)

    return histories.score(run, count, 1, EDGES, 256, threads=threads)


def events(count: int, threads: int):
    """Follow ionising events in the particle with all that they set free."""
    return histories.score(
        lambda n, tally, state: source.run_events(n, PHOTONS, 0, WORLD, tally, state),
        count, 1, EDGES, 256, threads=threads,
    )  # fmt: skip


def timed(call, count, threads):
    start = perf_counter()
    found = call(count, threads)
    return perf_counter() - start, found


def rows():
    for call in (electrons, events):
        call(20, 1)
    for threads in (1, 2):
        seconds, found = timed(electrons, ELECTRONS, threads)
        each = found.totals[kernel.ELECTRONS]
        yield Row(f"10 keV electrons in water, threads {threads}", ELECTRONS / seconds, "1/s")
        yield Row(f"  with what they knock on, threads {threads}", ELECTRONS * each / seconds, "electrons/s")
        yield Row(f"  steps, threads {threads}", ELECTRONS * found.totals[kernel.STEPS] / seconds, "1/s")
        seconds, found = timed(events, EVENTS, threads)
        yield Row(f"events in 50 nm gold, 100 kV, threads {threads}", EVENTS / seconds, "1/s")
        yield Row(
            f"  all electrons, threads {threads}", EVENTS * found.totals[kernel.ELECTRONS] / seconds, "electrons/s"
        )
    near = EDGES[1:] <= 1000.0
    error = found.shells.std(axis=0, ddof=1) / np.sqrt(len(found.shells)) / found.mean_shells
    yield Row(f"error of a shell to 1 um (mean), {EVENTS} events", 100 * error[near].mean(), "%")
    yield Row(f"error of a shell to 1 um (largest), {EVENTS} events", 100 * error[near].max(), "%")
    yield Row("time to 1 % (mean over shells), threads 2", seconds * (100 * error[near].mean()) ** 2, "s")
    yield Row("time to 1 % (worst shell), threads 2", seconds * (100 * error[near].max()) ** 2, "s")


if __name__ == "__main__":
    show(rows(), f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; shells: 16 per factor of ten")
