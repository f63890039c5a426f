"""Draws of uncertain parameters: Latin hypercube over all spreads, joint posterior draws where a fit gives them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
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

    Every name has a stream of its own under the generator, so a parameter is drawn alike whatever else is drawn beside
    it. Fitted parameters are taken together from the draws of their fit.

    Arguments:
        parameters: network parameters by name.
        members: number of draws.
        generator: source of randomness.
        overlay: fits in use.
    """
    base = int(generator.integers(2**63))

    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng([base, zlib.crc32(name.encode())])

    joint = {name for table in overlay.draws for name in table}
    draws: dict[str, NDArray[np.float64]] = {}
    for name, p in parameters.items():
        if p.provenance and p.provenance.distribution and name not in joint:
            draws[name] = p.provenance.sample(_strata(members, stream(name)))
    for table in overlay.draws:
        rows = np.floor(_strata(members, stream(min(table))) * len(next(iter(table.values())))).astype(int)
        draws.update({name: np.array(column)[rows] for name, column in table.items() if name in parameters})
    return draws


def joined_parameters(tables: Iterable[Mapping[str, Parameter]]) -> dict[str, Parameter]:
    """Return the parameters of several arms by name; one with a source comes before one that a study states."""
    joined: dict[str, Parameter] = {}
    for table in tables:
        for name, one in table.items():
            if name not in joined or (one.provenance is not None and joined[name].provenance is None):
                joined[name] = one
    return joined


def member_changes(
    own: Mapping[str, Parameter], draws: Mapping[str, NDArray[np.float64]], member: int
) -> dict[str, float]:
    """Return what a member changes in one arm: what the arm itself states is never drawn.

    Arguments:
        own: parameters of the arm.
        draws: draws of the whole study.
        member: its number.
    """
    return {n: float(v[member]) for n, v in draws.items() if n in own and own[n].provenance is not None}


def _strata(members: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return one point in each of ``members`` equal strata of (0, 1), in random order."""
    return (generator.permutation(members) + generator.uniform(size=members)) / members
