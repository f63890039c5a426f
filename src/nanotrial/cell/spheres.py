"""Volumes that two spheres share, and means over them: how much of a shell around a particle lies in an organelle.

    lens   V(r, R, s) = pi (R + r - s)^2 (s^2 + 2 s (R + r) - 3 (R - r)^2) / (12 s)     |R - r| < s < R + r

Exact geometry; any one unit of length.
"""

from __future__ import annotations

import numpy as np

from nanotrial.radiation.arguments import Array

# Points per smooth piece: the lens times s^2 is of degree five, which four points integrate exactly.
_ORDER = 6


def shared_volume(radius: Array | float, other: Array | float, distance: Array | float) -> Array:
    """Return the volume common to two spheres of given radii whose centres lie a distance apart (arrays broadcast)."""
    r, R, s = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (radius, other, distance)))
    small = np.minimum(r, R)
    inside = 4.0 / 3.0 * np.pi * small**3
    cut = (s > np.abs(R - r)) & (s < R + r)
    safe = np.where(cut, s, 1.0)
    lens = np.pi * (R + r - safe) ** 2 * (safe**2 + 2.0 * safe * (R + r) - 3.0 * (R - r) ** 2) / (12.0 * safe)
    return np.where(cut, lens, np.where(s <= np.abs(R - r), inside, 0.0))


def shell_volumes(edges: Array, target: float, distance: Array | float) -> Array:
    """Return the volume of every shell that lies in a sphere.

    Arguments:
        edges: radii of shells around a point (n + 1,).
        target: radius of the sphere.
        distance: from the point to the centre of the sphere (m,).

    Returns:
        Volumes (m, n).
    """
    return np.diff(shared_volume(edges[None, :], target, np.atleast_1d(distance)[:, None]), axis=1)


def surface_mean(edges: Array, values: Array, target: float, distance: float) -> float:
    """Return the mean over a spherical surface of a quantity that is constant in shells around a point.

    mean = int q f(q) dq / (2 R s), q from |R - s| to R + s: equal heights of a sphere have equal areas.

    Arguments:
        edges, values: radii (n + 1,) and what is in the shells (n,); zero outside.
        target: radius R of the surface.
        distance: s from the point to its centre.
    """
    low, high = abs(target - distance), target + distance
    if high - low < 1e-9 * target:
        place = int(np.searchsorted(edges, target, side="right")) - 1
        return float(values[place]) if 0 <= place < len(values) else 0.0
    clipped = np.clip(edges, low, high) ** 2
    return float(np.sum(values * np.diff(clipped)) / (4.0 * target * distance))


def radial_points(low: float, high: float, breaks: Array) -> tuple[Array, Array]:
    """Return distances from a centre, and weights that sum to 1, for points uniform in a spherical shell.

    Arguments:
        low, high: radii of the shell; equal ones are its surface.
        breaks: radii where the integrand has a kink; pieces between them are integrated each for itself.
    """
    if high - low <= 1e-12 * high:
        return np.array([high]), np.array([1.0])
    inner = np.unique(breaks[(breaks > low) & (breaks < high)])
    ends = np.concatenate(([low], inner, [high]))
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    half = np.diff(ends) / 2.0
    points = (ends[:-1] + half)[:, None] + half[:, None] * nodes
    found = half[:, None] * weights * 3.0 * points**2 / (high**3 - low**3)
    return points.ravel(), found.ravel()
