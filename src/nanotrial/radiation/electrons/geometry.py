"""Shapes of particles: how far to their surface, along a ray and at the nearest, and how much water lies around them.

A particle is a convex body (sphere, upright cylinder or cube about the origin), solid or with a hollow of the same form
that holds water: spheres, rods, discs, shells, cages. Lengths in nm. Loaded when first used: Numba.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import read_quantity

Array = NDArray[np.float64]
_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy")

SPHERE, CYLINDER, CUBE = 0, 1, 2
WATER, SOLID, HOLLOW = 0, 1, 2
FAR = 1e30
# What each shape needs beside the diameter, and the form it has.
SHAPES = {
    "sphere": (SPHERE, ""),
    "rod": (CYLINDER, "length"),
    "disc": (CYLINDER, "thickness"),
    "shell": (SPHERE, "wall"),
    "cage": (CUBE, "wall"),
}


@dataclass(frozen=True)
class Shape:
    """A particle's form: half widths of the outer body and of its hollow (nm; 0 for none).

    ``half`` is the radius of a sphere or cylinder, half the edge of a cube; ``upright`` is half the length of a
    cylinder. ``hollow`` is the half width of the hollow.
    """

    text: str
    form: int
    half: float
    upright: float
    hollow: float

    @property
    def numbers(self) -> Array:
        """Return the shape as the kernel takes it: form, half width, half length, half width of the hollow."""
        return np.array([self.form, self.half, self.upright, self.hollow])

    @property
    def solid_volume(self) -> float:
        """Return the volume of the material (nm^3)."""
        return float(self.volume_within(0.0)) - self.hollow_volume

    @property
    def hollow_volume(self) -> float:
        """Return the volume of the hollow (nm^3)."""
        return (8.0 if self.form == CUBE else 4.0 / 3.0 * pi) * self.hollow**3

    @property
    def measures(self) -> tuple[float, float, float]:
        """Return the volume (nm^3), surface (nm^2) and integral of the mean curvature (nm) of the outer body."""
        a, h = self.half, self.upright
        if self.form == SPHERE:
            return 4 / 3 * pi * a**3, 4 * pi * a**2, 4 * pi * a
        if self.form == CYLINDER:
            return 2 * pi * a**2 * h, 2 * pi * a**2 + 4 * pi * a * h, pi * (2 * h + pi * a)
        return 8 * a**3, 24 * a**2, 6 * pi * a

    def volume_within(self, distance: Any) -> Any:
        """Return the volume of the particle and all that is nearer to its surface than a distance (nm^3).

        Steiner's formula, exact for convex bodies: V(d) = V + S d + M d^2 + 4 pi d^3 / 3.

        Arguments:
            distance: from the outer surface (nm), number or array.
        """
        volume, surface, curvature = self.measures
        d = np.asarray(distance, dtype=float)
        return volume + surface * d + curvature * d**2 + 4 / 3 * pi * d**3


def read_shape(text: str, diameter: float) -> Shape:
    """Return a shape from a text such as ``sphere``, ``rod, length 60 nm``, ``shell, wall 5 nm``.

    Arguments:
        text: sphere; rod or disc (a cylinder) with its length or thickness; shell (sphere) or cage (cube) with a wall.
        diameter: outer diameter of a sphere or cylinder, edge of a cage (nm).

    Raises:
        InputError: an unknown shape, a missing or impossible measure.
        UnitError: a measure without a unit of length.
    """
    name, _, rest = (part.strip() for part in str(text).partition(","))
    if name not in SHAPES:
        raise InputError("shape", str(text), "sphere, rod, disc, shell or cage", nearest(name, SHAPES))
    form, measure = SHAPES[name]
    given = re.fullmatch(rf"{measure}\s+(.+)", rest) if measure else None
    if (measure and not given) or (not measure and rest):
        wanted = f"{name}, {measure} 20 nm" if measure else name
        raise InputError("shape", str(text), f"a text such as `{wanted}`")
    half = diameter / 2
    if not measure or given is None:
        return Shape(name, form, half, 0.0, 0.0)
    size = read_quantity(given.group(1), "nm", f"shape: {measure}", 1e-3, 1e6)
    if measure == "wall":
        if size >= half:
            raise InputError("shape: wall", f"{size:g} nm", f"less than half of the {diameter:g} nm of the particle")
        return Shape(f"{name}, wall {size:g} nm", form, half, 0.0, half - size)
    return Shape(f"{name}, {measure} {size:g} nm", form, half, size / 2, 0.0)


@_compile
def _sphere_chord(radius: float, x: float, y: float, z: float, u: float, v: float, w: float) -> Any:
    """Return where a ray enters and leaves a sphere (path lengths; FAR twice where it misses)."""
    b = x * u + y * v + z * w
    c = x * x + y * y + z * z - radius * radius
    under = b * b - c
    if under <= 0.0:
        return FAR, FAR
    root = sqrt(under)
    return -b - root, -b + root


@_compile
def _slab_chord(half: float, x: float, u: float) -> Any:
    """Return where a ray enters and leaves the layer -half < x < half."""
    if abs(u) < 1e-14:
        return (-FAR, FAR) if abs(x) < half else (FAR, FAR)
    first, second = (-half - x) / u, (half - x) / u
    return min(first, second), max(first, second)


@_compile
def _cylinder_chord(half: float, upright: float, x: float, y: float, z: float, u: float, v: float, w: float) -> Any:
    """Return where a ray enters and leaves an upright cylinder."""
    first, last = _slab_chord(upright, z, w)
    a = u * u + v * v
    b = x * u + y * v
    c = x * x + y * y - half * half
    if a < 1e-14:
        return (first, last) if c < 0.0 else (FAR, FAR)
    under = b * b - a * c
    if under <= 0.0:
        return FAR, FAR
    root = sqrt(under)
    first, last = max(first, (-b - root) / a), min(last, (-b + root) / a)
    return (first, last) if first < last else (FAR, FAR)


@_compile
def chord(form: int, half: float, upright: float, x: float, y: float, z: float, u: float, v: float, w: float) -> Any:
    """Return where a ray enters and leaves a body, as path lengths that may be negative (FAR twice: it misses)."""
    if form == SPHERE:
        return _sphere_chord(half, x, y, z, u, v, w)
    if form == CYLINDER:
        return _cylinder_chord(half, upright, x, y, z, u, v, w)
    first, last = _slab_chord(half, x, u)
    for place, pace in ((y, v), (z, w)):
        a, b = _slab_chord(half, place, pace)
        first, last = max(first, a), min(last, b)
    return (first, last) if first < last else (FAR, FAR)


@_compile
def height(form: int, half: float, upright: float, x: float, y: float, z: float) -> float:
    """Return the distance from a place to the surface of a body: positive outside, negative inside."""
    if form == SPHERE:
        return sqrt(x * x + y * y + z * z) - half
    if form == CYLINDER:
        a, b, c = sqrt(x * x + y * y) - half, abs(z) - upright, -FAR
    else:
        a, b, c = abs(x) - half, abs(y) - half, abs(z) - half
    outside = sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
    return outside if outside > 0.0 else max(a, max(b, c))


@_compile
def to_boundary(shape: Any, region: int, x: float, y: float, z: float, u: float, v: float, w: float) -> Any:
    """Return the path to the next boundary along a ray and the region beyond it; FAR where there is none."""
    form, half, upright, hollow = int(shape[0]), shape[1], shape[2], shape[3]
    # A ray that has just crossed must not find the same surface again.
    least = 1e-9 * half
    if region == HOLLOW:
        _, last = chord(form, hollow, upright, x, y, z, u, v, w)
        return (max(last, 0.0) if last < FAR else 0.0), SOLID
    first, last = chord(form, half, upright, x, y, z, u, v, w)
    if region == WATER:
        return (max(first, 0.0), SOLID) if last < FAR and last > least else (FAR, WATER)
    last = max(last, 0.0) if last < FAR else 0.0
    if hollow > 0.0:
        entry, leave = chord(form, hollow, upright, x, y, z, u, v, w)
        if leave < FAR and leave > least and entry < last:
            return max(entry, 0.0), HOLLOW
    return last, WATER


@_compile
def room(shape: Any, region: int, x: float, y: float, z: float) -> float:
    """Return the distance to the nearest boundary of the region that a place lies in."""
    form, half, upright, hollow = int(shape[0]), shape[1], shape[2], shape[3]
    if region == HOLLOW:
        return max(-height(form, hollow, upright, x, y, z), 0.0)
    outer = height(form, half, upright, x, y, z)
    if region == WATER:
        return max(outer, 0.0)
    if hollow > 0.0:
        return max(min(-outer, height(form, hollow, upright, x, y, z)), 0.0)
    return max(-outer, 0.0)
