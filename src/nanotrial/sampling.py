"""Draws of uncertain parameters: Latin hypercube over all spreads, joint posterior draws where a fit gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.fit.overlay import Overlay
    from nanotrial.network.model import Parameter


def draw_parameters(
    parameters: Mapping[str, Parameter], members: int, generator: np.random.Generator, overlay: Overlay
) -> dict[str, NDArray[np.float64]]:
    """Return SI draws of shape (members,) for every parameter with a spread.

    Names are taken in sorted order, so that one seed gives one set of draws. Fitted parameters
    are taken together from the draws of their fit.

    Arguments:
        parameters: network parameters by name.
        members: number of draws.
        generator: source of randomness.
        overlay: fits in use.
    """
    joint = {name for table in overlay.draws for name in table}
    draws: dict[str, NDArray[np.float64]] = {}
    for name, p in sorted(parameters.items()):
        if p.provenance and p.provenance.distribution and name not in joint:
            draws[name] = p.provenance.sample(_strata(members, generator))
    for table in overlay.draws:
        rows = np.floor(_strata(members, generator) * len(next(iter(table.values())))).astype(int)
        draws.update({name: np.array(column)[rows] for name, column in table.items() if name in parameters})
    return draws


def _strata(members: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return one point in each of ``members`` equal strata of (0, 1), in random order."""
    return (generator.permutation(members) + generator.uniform(size=members)) / members
