"""Draws from the posterior around a minimum: adaptive Metropolis walk (haario_2001)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import SolveError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

DRAWS = 200


def walk_posterior(
    residuals: Callable[[Vector], Vector], best: Any, scaled: Vector, steps: int, generator: np.random.Generator
) -> tuple[Vector, float]:
    """Return DRAWS posterior draws and the share of accepted steps.

    Arguments:
        residuals: vector whose half sum of squares is the negative log posterior.
        best: result of a least-squares search (x, cost, jac).
        scaled: lower and upper limits of each coordinate, shape (size, 2).
        steps: length of the walk, of which the last three quarters are kept; 0 repeats the minimum.
        generator: source of randomness.
    """
    if steps == 0:
        return np.tile(best.x, (DRAWS, 1)), 0.0
    size = len(best.x)
    # A direction that nothing constrains starts with the width of its prior.
    shape = np.linalg.inv(best.jac.T @ best.jac + 0.25 * np.eye(size))
    x, cost, accepted = best.x.copy(), best.cost, 0
    path = np.empty((steps, size))
    for i in range(steps):
        if i >= 200 and i % 100 == 0:
            shape = np.cov(path[i // 4 : i].T).reshape(size, size) + 1e-6 * np.eye(size)
        trial = generator.multivariate_normal(x, shape * 2.38**2 / size)
        threshold = math.log(generator.uniform())
        if np.all((trial > scaled[:, 0]) & (trial < scaled[:, 1])):
            try:
                after = 0.5 * float(np.sum(residuals(trial) ** 2))
            except SolveError:
                after = math.inf
            if threshold < cost - after:
                x, cost, accepted = trial, after, accepted + 1
        path[i] = x
    kept = path[steps // 4 :]
    return kept[np.linspace(0, len(kept) - 1, DRAWS).astype(int)], accepted / steps
