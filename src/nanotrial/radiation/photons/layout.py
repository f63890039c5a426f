"""What the kernel of photon histories is handed and what it hands back, as tuples of arrays.

Lengths are in cm, energies in keV. Numba reads these tuples without their names costing anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nanotrial.radiation.arguments import Array


class Bodies(NamedTuple):
    """Bodies, the first around all others: kind, medium, centre (bodies, 3) and sizes (bodies, 3).

    Sizes are the half edges of a box, the radius and half length of a cylinder along y, or the radius of a ball.
    """

    kind: Any
    medium: Any
    centre: Array
    size: Array


class Source(NamedTuple):
    """Where photons start: kind; parameters; energies and the alias table of their spectrum.

    Parameters: (half width x, half width y, height z, distance) of a beam along +z, or (x, y, z, radius) of a ball.
    """

    kind: int
    place: Array
    energies: Array
    chance: Array
    alias: Any


class Window(NamedTuple):
    """Depth bins low..high (cm along z) inside the window |x| < a (1 + z / d), |y| < b (1 + z / d).

    ``sides`` holds a, b and 1/d; no bins where ``low`` is empty. ``spectral`` asks for track lengths by energy too.
    """

    low: Array
    high: Array
    sides: Array
    spectral: bool


class Scores(NamedTuple):
    """Sums over histories; arrays (uncollided or scattered, bodies or bins, mixture or base), keV cm2/g cm.

    ``spectra`` (uncollided or scattered, bins, energies): track lengths (cm) in ``COLOURS`` steps of each octave.

    ``balance``: energy in, energy out, number of collisions, largest imbalance of a history as a share of its energy.
    ``deposited`` (bodies): energy absorbed (keV), in analogue runs alone.
    """

    bodies: Array
    bins: Array
    spectra: Array
    deposited: Array
    balance: Array


class Work(NamedTuple):
    """Room that the loop works in: distances to bodies (2, bodies), photons (STACK + 1, 8), the stream (1)."""

    enter: Array
    leave: Array
    photon: Array
    stack: Array
    stream: Any
