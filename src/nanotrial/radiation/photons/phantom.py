"""Phantoms: bodies of known composition, one inside the other, with the beam coming down the z axis from above.

The top of the phantom lies at z = 0 and depth grows with z. The first body holds all others; where bodies overlap, the
last one that holds a point is there. Lengths are in cm inside, texts with units outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantity
from nanotrial.radiation.composition import Composition, composition, mix

WIDE = 100.0  # cm, edge of slabs that stand for layers without end
SHAPES = {"box": 0, "cylinder": 1, "ball": 2}


@dataclass(frozen=True)
class Body:
    """A box, a cylinder along y or a ball: what it is made of, where it is (centre) and its sizes (cm).

    ``size``: half edges of a box; radius and half length of a cylinder; radius of a ball. ``base`` is the medium
    without what it was loaded with, whose dose is scored beside that of the mixture.
    """

    name: str
    shape: str
    size: tuple[float, float, float]
    centre: tuple[float, float, float]
    made_of: Composition
    base: Composition

    @property
    def half_height(self) -> float:
        """Return half of its extent along the beam (cm)."""
        return self.size[2] if self.shape == "box" else self.size[0]

    def holds(self, x: float, y: float, z: float) -> bool:
        """Return whether a point lies inside."""
        a, b, c = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        if self.shape == "box":
            return abs(a) < self.size[0] and abs(b) < self.size[1] and abs(c) < self.size[2]
        if self.shape == "cylinder":
            return a * a + c * c < self.size[0] ** 2 and abs(b) < self.size[1]
        return a * a + b * b + c * c < self.size[0] ** 2


@dataclass(frozen=True)
class Phantom:
    """Bodies, the first around all others; ``layered`` says that it is layers without end to the sides."""

    name: str
    bodies: tuple[Body, ...]
    layered: bool = False

    def with_ball(self, name: str, made_of: object, diameter: object, depth: object, shells: int = 1) -> Phantom:
        """Return the phantom with a ball on the beam axis, in shells of equal thickness, the innermost first in name.

        Arguments:
            name: name of its region; with shells ``<name>_1`` (core) to ``<name>_n`` (rim).
            made_of: anything ``composition`` reads, with a density.
            diameter: such as ``"8 mm"``.
            depth: of its centre below the top of the phantom.
            shells: how many.

        Raises:
            InputError: it does not fit into the phantom.
        """
        radius = 0.5 * read_quantity(diameter, "cm", "diameter", 1e-6)
        centre = (0.0, 0.0, read_quantity(depth, "cm", "depth", 0.0))
        found = self
        for i in range(shells, 0, -1):
            label = name if shells == 1 else f"{name}_{i}"
            found = found._with(_body(label, "ball", (radius * i / shells, 0.0, 0.0), centre, made_of))
        return found

    def with_box(self, name: str, made_of: object, edges: Sequence[object], depth: object) -> Phantom:
        """Return the phantom with a box on the beam axis: edges along x, y, z, and the depth of its centre.

        Raises:
            InputError: it does not fit into the phantom.
        """
        halves = [0.5 * read_quantity(edge, "cm", f"edges[{i}]", 1e-6) for i, edge in enumerate(edges)]
        centre = (0.0, 0.0, read_quantity(depth, "cm", "depth", 0.0))
        return self._with(_body(name, "box", (halves[0], halves[1], halves[2]), centre, made_of))

    def loaded(self, particle: object, loading: Mapping[str, object]) -> Phantom:
        """Return the phantom with particles in some of its regions: mass of particle in a mass of mixture.

        Arguments:
            particle: anything ``composition`` reads, with a density.
            loading: region -> mass fraction, such as ``{"tumour": "7 mg/g"}``.

        Raises:
            InputError: a region that the phantom lacks, or a mass fraction outside 0 to 1.
        """
        solid, names = composition(particle, "particle_material"), [b.name for b in self.bodies]
        wrong = next((name for name in loading if name not in names), None)
        if wrong is not None:
            raise InputError(
                "loading", f"region `{wrong}`", f"a region of the phantom {self.name}", nearest(wrong, names)
            )
        bodies = []
        for body in self.bodies:
            if body.name in loading:
                share = read_quantity(loading[body.name], "1", f"loading.{body.name}", 0.0, 1.0)
                mixture = mix([(solid, share), (body.base, 1.0 - share)], f"{body.base.name} + {share:g} {solid.name}")
                bodies.append(replace(body, made_of=_dense(mixture)))
            else:
                bodies.append(body)
        return replace(self, bodies=tuple(bodies))

    def body_at(self, x: float, y: float, z: float) -> int:
        """Return the number of the body that holds a point, -1 outside."""
        inside = [i for i, body in enumerate(self.bodies) if body.holds(x, y, z)]
        return inside[-1] if inside else -1

    def along_axis(self, depth: float) -> list[tuple[int, float]]:
        """Return (body, length in cm) of the stretches of the beam axis from the top down to a depth (cm)."""
        marks = {0.0, depth}
        for body in self.bodies:
            marks |= {body.centre[2] + sign * body.half_height for sign in (-1.0, 1.0)}
        cuts = sorted(m for m in marks if 0.0 <= m <= depth)
        found = []
        for one, other in pairwise(cuts):
            there = self.body_at(0.0, 0.0, 0.5 * (one + other))
            if there >= 0:
                found.append((there, other - one))
        return found

    def stretch_at(self, depth: float) -> tuple[int, float, float]:
        """Return the body on the axis at a depth (the lower one at a border) and where it begins and ends there."""
        marks = {0.0}
        for body in self.bodies:
            marks |= {body.centre[2] + sign * body.half_height for sign in (-1.0, 1.0)}
        cuts = np.array(sorted(m for m in marks if m >= 0.0))
        above = min(int(np.searchsorted(cuts, depth + 1e-12, side="right")), len(cuts) - 1)
        low, high = float(cuts[above - 1]), float(cuts[above])
        return self.body_at(0.0, 0.0, 0.5 * (low + high)), low, high

    @property
    def height(self) -> float:
        """Return the extent along the beam (cm)."""
        return 2.0 * self.bodies[0].half_height

    @property
    def half_sides(self) -> tuple[float, float]:
        """Return the half widths across the beam, along x and y (cm)."""
        outer = self.bodies[0]
        x = outer.size[0]
        return x, outer.size[1] if outer.shape != "ball" else x

    def _with(self, body: Body) -> Phantom:
        rims = {"box": body.size, "cylinder": (body.size[0], body.size[1], body.size[0]), "ball": (body.size[0],) * 3}
        half = rims[body.shape]
        outer = self.bodies[0]
        tips = [[s * h * 0.999999 if i == j else 0.0 for j, h in enumerate(half)] for i in range(3) for s in (-1, 1)]
        if body.shape == "box":
            signs = [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
            tips = [[s * h * 0.999999 for s, h in zip(sign, half, strict=True)] for sign in signs]
        if not all(outer.holds(*(c + t for c, t in zip(body.centre, tip, strict=True))) for tip in tips):
            raise InputError(body.name, f"a {body.shape} that reaches out of {self.name}", "a body inside the phantom")
        if body.name in [b.name for b in self.bodies]:
            raise InputError(body.name, "a second region of this name", "a name of its own")
        return replace(self, bodies=(*self.bodies, body))


def slabs(layers: Sequence[tuple[object, object]], name: str = "slabs") -> Phantom:
    """Return layers without end to the sides: pairs of medium and thickness, from the top down.

    Raises:
        InputError: no layer, or one without density or thickness.
    """
    if not layers:
        raise InputError("layers", "none", "pairs of medium and thickness")
    thick = [read_quantity(t, "cm", f"layers[{i}]", 1e-6) for i, (_, t) in enumerate(layers)]
    height = sum(thick)
    bodies, top = [], 0.0
    for i, ((medium, _), t) in enumerate(zip(layers, thick, strict=True)):
        # The first layer is the body around the others, painted over by them below itself.
        extent = height if i == 0 else t
        centre = (0.0, 0.0, 0.5 * height if i == 0 else top + 0.5 * t)
        bodies.append(_body(f"layer_{i + 1}", "box", (0.5 * WIDE, 0.5 * WIDE, 0.5 * extent), centre, medium))
        top += t
    return Phantom(name, tuple(bodies), layered=True)


def box(medium: object, edges: Sequence[object], name: str = "box") -> Phantom:
    """Return a box: edges along x, y and z (the beam)."""
    halves = [0.5 * read_quantity(edge, "cm", f"edges[{i}]", 1e-6) for i, edge in enumerate(edges)]
    size = (halves[0], halves[1], halves[2])
    return Phantom(name, (_body("medium", "box", size, (0.0, 0.0, size[2]), medium),))


def cylinder(medium: object, diameter: object, length: object, name: str = "cylinder") -> Phantom:
    """Return a cylinder that lies across the beam, along y."""
    radius, half = 0.5 * read_quantity(diameter, "cm", "diameter", 1e-6), 0.5 * read_quantity(length, "cm", "length", 0)
    return Phantom(name, (_body("medium", "cylinder", (radius, half, 0.0), (0.0, 0.0, radius), medium),))


def ball(medium: object, diameter: object, name: str = "ball") -> Phantom:
    """Return a ball."""
    radius = 0.5 * read_quantity(diameter, "cm", "diameter", 1e-6)
    return Phantom(name, (_body("medium", "ball", (radius, 0.0, 0.0), (0.0, 0.0, radius), medium),))


def mouse() -> Phantom:
    """Return a cylinder of soft tissue the size of a mouse: 25 mm across, 80 mm long."""
    return cylinder("soft_tissue", "25 mm", "80 mm", "mouse")


def _body(name: str, shape: str, size: tuple[float, float, float], centre: Sequence[float], medium: object) -> Body:
    made_of = _dense(composition(medium, name))
    return Body(name, shape, size, (centre[0], centre[1], centre[2]), made_of, made_of)


def _dense(made_of: Composition) -> Composition:
    if not made_of.density:
        raise InputError(made_of.name, "no density", "a composition with a density")
    return made_of


def arrays(phantom: Phantom) -> tuple[Any, list[tuple[Composition, Composition]], Any, Array, Array]:
    """Return kinds, media (mixture, base), medium of each body, centres and sizes, for the kernel."""
    media: list[tuple[Composition, Composition]] = []
    for body in phantom.bodies:
        if (body.made_of, body.base) not in media:
            media.append((body.made_of, body.base))
    kinds = np.array([SHAPES[body.shape] for body in phantom.bodies], dtype=np.int64)
    which = np.array([media.index((body.made_of, body.base)) for body in phantom.bodies], dtype=np.int64)
    centres = np.array([body.centre for body in phantom.bodies], dtype=float)
    return kinds, media, which, centres, np.array([body.size for body in phantom.bodies], dtype=float)
