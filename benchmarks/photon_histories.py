"""Photon histories per second, full physics, by threads: a tumour in a beam, a half-space, a depth dose of a tube.

A history is a photon from its start to its absorption or escape, with all that it sets off. The peer of the first rows
is a walk with as little physics as can be (one medium, constant coefficients, isotropic scatter, no tables, no scores
but one), compiled the same way and run on as many threads: what is lost to it is the price of the physics.
Timings that others published are no peers of this run, and none is claimed.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

import numba
import numpy as np

from harness import Row, show
from nanotrial.radiation.depth_dose import depth_dose
from nanotrial.radiation.photons.phantom import ball, box, slabs
from nanotrial.radiation.photons.run import Beamlet, cores, transport

HISTORIES, REPEATS = 2_000_000, 3
ENERGY, MU, SHARE = 60.0, 0.206, 0.065  # keV; 1/cm and share of photoelectric events in water there


@numba.njit(nogil=True)
def bare_walk(seed, histories, radius, infinite):
    """Walk photons through a ball, or a half-space, with constant coefficients; return the energy left in it."""
    np.random.seed(seed)
    kept = 0.0
    for _ in range(histories):
        x, y, z = radius * (2 * np.random.random() - 1), radius * (2 * np.random.random() - 1), -radius
        if infinite:
            z = 0.0
        elif x * x + y * y < radius * radius:
            z = -math.sqrt(radius * radius - x * x - y * y)
        else:
            continue
        u, v, w, energy = 0.0, 0.0, 1.0, 60.0
        while True:
            s = -math.log(np.random.random()) / MU
            x, y, z = x + s * u, y + s * v, z + s * w
            if (z < 0.0) if infinite else (x * x + y * y + z * z > radius * radius):
                break
            if np.random.random() < SHARE:
                kept += energy
                break
            w = 2.0 * np.random.random() - 1.0
            phi, sine = 2.0 * math.pi * np.random.random(), math.sqrt(1.0 - w * w)
            u, v = sine * math.cos(phi), sine * math.sin(phi)
            kept += energy * (1.0 - 1.0 / (1.0 + energy / 511.0 * (1.0 - w)))
            energy = energy / (1.0 + energy / 511.0 * (1.0 - w))
    return kept


def fastest(call):
    """Return the shortest wall time and the shortest processor time (s); the first call warms up and does not count."""
    call()
    times = []
    for _ in range(REPEATS):
        wall, processor = perf_counter(), process_time()
        call()
        times.append((perf_counter() - wall, process_time() - processor))
    return min(t[0] for t in times), min(t[1] for t in times)


def bare(threads, radius, infinite):
    share = HISTORIES // 8
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: bare_walk(i, share, radius, infinite), range(8)))


def cases():
    tumour = box("soft_tissue", ["4 cm", "3 cm", "3 cm"]).with_ball("tumour", "soft_tissue", "1 cm", "15 mm", shells=4)
    gold = tumour.loaded("Au", {"tumour_4": "1 %", "tumour_3": "5 mg/g"})
    return [
        ("ball of water, 1 cm", ball("water", "1 cm"), 0.5, (0.5, False)),
        ("half-space of water", slabs([("water", "50 cm")]), 0.0, (0.0, True)),
        ("tumour with gold, 4 shells in tissue", gold, 0.6, None),
    ]


def main() -> None:
    rows = []
    for threads in sorted({1, cores()}):
        for name, phantom, half, simple in cases():
            source = Beamlet(0, (half, half, 0.0, 0.0), np.array([ENERGY]), np.array([1.0]))
            ours = fastest(lambda p=phantom, s=source, t=threads: transport(p, s, HISTORIES, 1, threads=t))
            theirs = fastest(lambda t=threads, s=simple: bare(t, *s)) if simple else None
            label = "walk without tables" if simple else None
            for i, unit in enumerate(("million/s", "million/s of one core")):
                peer = HISTORIES / theirs[i] / 1e6 if theirs else None
                rows.append(Row(f"{name}, {threads} thread(s)", HISTORIES / ours[i] / 1e6, unit, label, peer))
        start = perf_counter()
        found = depth_dose("100 kV", [f"{z} cm" for z in range(11)], field="10 cm", histories=500_000, threads=threads)
        took = perf_counter() - start
        worst = float((found.standard_error / found.dose_per_fluence).max())
        rows.append(Row(f"depth dose to 10 cm with 1 % error, {threads} thread(s)", took * (worst / 0.01) ** 2, "s"))
    show(
        rows,
        f"60 keV, {HISTORIES / 1e6:g} million histories a run. A depth dose is timed whole, scaled to 1 % error.\n"
        "Rates of one core divide by processor time, which other work on the machine does not touch.",
    )


if __name__ == "__main__":
    main()
