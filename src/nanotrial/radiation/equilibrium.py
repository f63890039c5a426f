"""Electrons of water in a wide field of photons: how many there are at each energy, and how many enter a particle.

Under charged-particle equilibrium the fluence of electrons follows from slowing down alone: each electron that photons
set free adds its path length, energy by energy, and so do the electrons that it knocks on. The field is isotropic
enough to be taken as such: entering a convex body, J = phi S / 4 per gray, in the directions of the cosine law.
Energies in keV, lengths in nm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.radiation.arguments import Array
from nanotrial.radiation.electrons.histories import BATCHES, Scored, empty_stack, over_batches, score, streams
from nanotrial.radiation.particle_case import GRAY, Case, event_rate, water

if TYPE_CHECKING:
    from nanotrial.radiation.electrons.kernel import World


@dataclass(frozen=True, eq=False)
class Part:
    """One term of the ratio: how many per gray, and what one gives (keV per shell, by batches)."""

    rate: float
    scored: Scored


@dataclass(frozen=True, eq=False)
class Field:
    """Electrons in water per gray: edges of bins (keV, n + 1), fluence in each bin (1/nm^2), energy of the electrons.

    ``kerma`` is the energy that the events give to electrons and atoms per gray and volume, over that of one gray
    (1 where the absorption coefficients and the events agree).
    """

    edges: Array
    fluence: Array
    kerma: float

    @property
    def cumulative(self) -> Array:
        """Return the cumulative share of the bins."""
        found: Array = np.cumsum(self.fluence) / self.fluence.sum()
        found[-1] = 1.0
        return found


def equilibrium_field(case: Case, world: World, histories: int, seed: int) -> Field:
    """Return the electrons of water in the beam of a case, under charged-particle equilibrium.

    phi(E) dE = n dl(E): events per volume and gray times the path that an event leaves at that energy.

    Arguments:
        case: its beam is taken.
        world: its second medium is the water.
        histories: events that are followed.
        seed: of the random numbers.
    """
    from nanotrial.radiation.electrons.interactions import photon_source
    from nanotrial.radiation.electrons.source import slow_down

    substance, density = water()
    source = photon_source(substance, case.rays)
    states = streams(seed, BATCHES)
    count = -(-histories // BATCHES)

    def one(i: int) -> tuple[Array, Array]:
        paths, totals = np.zeros(int(world.grid[2]) + 1), np.zeros(2)
        slow_down(count, source, world, empty_stack(), paths, totals, states[i].copy())
        return paths, totals

    done = over_batches(one, BATCHES)
    events = event_rate(substance, density, 1.0, case.rays)
    per_event = np.sum([d[0] for d in done], axis=0) / (count * BATCHES)
    given = float(np.sum([d[1] for d in done])) / (count * BATCHES)
    edges = np.exp(world.grid[0] + np.arange(per_event.size + 1) / world.grid[1])
    return Field(edges, events * per_event, events * given * GRAY / density)


def electrons_entering(
    case: Case, field: Field, world: World, edges: Array, count: int, seed: int, as_water: bool = False
) -> Part:
    """Follow electrons of the water that enter the particle, or the water in its place.

    Arguments:
        case: form of the particle.
        field: electrons of the water per gray.
        world: the particle in water.
        edges: (k + 1,) nm, of the shells that are scored.
        count: electrons.
        seed: of the random numbers.
        as_water: water stands for the particle until it has been left.
    """
    from nanotrial.radiation.electrons.source import run_entering

    flag, cumulative = int(as_water), field.cumulative
    found = score(
        lambda n, tally, state: run_entering(n, field.edges, cumulative, flag, world, tally, state),
        count, seed, edges, int(world.grid[2]) + 1,
    )  # fmt: skip
    return Part(float(field.fluence.sum()) * case.form.measures[1] / 4.0, found)
