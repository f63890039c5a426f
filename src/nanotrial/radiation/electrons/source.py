"""Where electrons come from: photons that interact in the particle, and the electrons of the water that enter it.

One event: a photon of the beam, drawn by how often its energy interacts; photoelectric effect in an element and shell,
or Compton scattering; the photoelectron leaves in the direction of Sauter's law, the vacancy is filled step by step
with Auger, Coster-Kronig electrons and fluorescence photons. Photons leave the particle (it is a hundred times thinner
than their path, stated in the docs). Compton electrons: Klein-Nishina for free electrons. Energies in keV, lengths in
nm. Loaded when first used: Numba. Sources: sauter_1931, klein_1929, relaxation as in the data it is given.
"""

from __future__ import annotations

from math import cos, exp, log, pi, sin, sqrt
from typing import Any, NamedTuple

import numba
import numpy as np

from nanotrial.radiation.electrons.geometry import CYLINDER, SOLID, SPHERE, height
from nanotrial.radiation.electrons.kernel import (
    BY_PHOTONS,
    HARD_LOSS,
    IMBALANCE,
    IN_SOLID,
    SOFT_LOSS,
    STOPPING,
    TOTALS,
    Tally,
    World,
    at_row,
    draw,
    follow_all,
    knock_on,
    lent_state,
    lent_tally,
    lent_world,
    push,
    row_of,
    turned,
)
from nanotrial.radiation.electrons.knock_on import REST

_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
# Vacancies that may wait to be filled at once; a cascade in the heaviest atoms has some tens.
MOST_HOLES = 400


class PhotonSource(NamedTuple):
    """Photons that interact, and what follows in the atoms."""

    energies: Any  # (n,) keV
    weights: Any  # (n,) cumulative share of interactions; the last is 1
    channels: Any  # (n, c) cumulative share of processes: Compton scattering, pair production, every shell
    bindings: Any  # (c,) keV
    vacancies: Any  # (c,) vacancy that is left; -1 for the first two
    first: Any  # (v + 1,) first transition of each vacancy
    chances: Any  # (t,) cumulative chance within a vacancy
    radiative: Any  # (t,) 1 where a photon leaves, 0 where an electron does
    emitted: Any  # (t,) keV
    holes: Any  # (t, 2) vacancies left, -1 for none
    residues: Any  # (t,) keV laid down at once


@_compile
def _chosen(cumulative: Any, u: float) -> int:
    """Return the index drawn from cumulative shares."""
    return min(np.searchsorted(cumulative, u, side="right"), cumulative.shape[0] - 1)


@_compile
def _isotropic(at: Any, state: Any) -> None:
    """Draw a direction, all alike, into the last three numbers."""
    w = 2.0 * draw(state) - 1.0
    azimuth, s = 2.0 * pi * draw(state), sqrt(max(1.0 - w * w, 0.0))
    at[3], at[4], at[5] = s * cos(azimuth), s * sin(azimuth), w


@_compile
def sauter_cosine(energy: float, state: Any) -> float:
    """Return the cosine between a photon and the electron it sets free (K shell, Sauter's law, drawn exactly)."""
    gamma = 1.0 + energy / REST
    beta = sqrt(energy * (energy + 2.0 * REST)) / (energy + REST)
    a = 1.0 / beta - 1.0
    extra = 0.5 * beta * gamma * (gamma - 1.0) * (gamma - 2.0)
    top = 2.0 * (1.0 / a + extra)
    while True:
        u = draw(state)
        nu = 2.0 * a / ((a + 2.0) ** 2 - 4.0 * u) * (2.0 * u + (a + 2.0) * sqrt(u))
        if draw(state) * top < (2.0 - nu) * (1.0 / (a + nu) + extra):
            return 1.0 - nu


@_compile
def compton(energy: float, state: Any) -> Any:
    """Return the energy of the electron and the cosine of its direction to the photon (Klein-Nishina)."""
    alpha = energy / REST
    least = 1.0 / (1.0 + 2.0 * alpha)
    one, two = -log(least), 0.5 * (1.0 - least * least)
    while True:
        if draw(state) * (one + two) < one:
            share = exp(-one * draw(state))
        else:
            share = sqrt(least * least + (1.0 - least * least) * draw(state))
        t = (1.0 - share) / (alpha * share)
        if draw(state) < 1.0 - share * t * (2.0 - t) / (1.0 + share * share):
            break
    given = energy * (1.0 - share)
    if given <= 0.0:
        return 0.0, 1.0
    momentum = sqrt(given * (given + 2.0 * REST))
    return given, min(max((energy - share * energy * (1.0 - t)) / momentum, -1.0), 1.0)


@_compile
def _relax(
    vacancy: int, source: PhotonSource, at: Any, as_water: int, stack: Any, top: int, waiting: Any, state: Any
) -> Any:
    """Fill a vacancy and all that follow; return the height of the stack, energy of photons, energy left in place."""
    photons, left, depth = 0.0, 0.0, 1
    waiting[0] = vacancy
    while depth > 0:
        depth -= 1
        hole = waiting[depth]
        start, end = source.first[hole], source.first[hole + 1]
        i = start + _chosen(source.chances[start:end], draw(state))
        left += source.residues[i]
        if source.radiative[i] == 1:
            photons += source.emitted[i]
        elif source.emitted[i] > 0.0:
            _isotropic(at, state)
            top = push(stack, top, source.emitted[i], at, at[3], at[4], at[5], SOLID, as_water)
        for k in range(2):
            if source.holes[i, k] >= 0:
                waiting[depth] = source.holes[i, k]
                depth += 1
    return top, photons, left


@_compile
def draw_event(source: PhotonSource, as_water: int, at: Any, stack: Any, waiting: Any, totals: Any, state: Any) -> Any:
    """Let one photon interact at a place; return the height of the stack, the photon's energy, and what stays there."""
    i = _chosen(source.weights, draw(state))
    energy = source.energies[i]
    channel = _chosen(source.channels[i], draw(state))
    _isotropic(at, state)
    u, v, w = at[3], at[4], at[5]
    photons, left, top = 0.0, 0.0, 0
    if channel == 0:
        given, cosine = compton(energy, state)
        photons = energy - given
    elif channel == 1:
        # A positron is followed as an electron; both go on with the photon; what is left goes into two photons.
        photons = min(2.0 * REST, energy)
        given, cosine = draw(state) * (energy - photons), 1.0
        top = push(stack, top, energy - photons - given, at, u, v, w, SOLID, as_water)
    else:
        given = energy - source.bindings[channel]
        cosine = sauter_cosine(given, state) if given > 0.0 else 1.0
        top, photons, left = _relax(source.vacancies[channel], source, at, as_water, stack, top, waiting, state)
    a, b, c = turned(u, v, w, cosine, 2.0 * pi * draw(state))
    top = push(stack, top, given, at, a, b, c, SOLID, as_water)
    totals[BY_PHOTONS] += photons
    born = 0.0
    for k in range(top):
        born += stack[k, 0]
    totals[IMBALANCE] = max(totals[IMBALANCE], abs(energy - photons - left - born) / energy)
    return top, born, left


@_compile
def _place_within(shape: Any, at: Any, state: Any) -> None:
    """Draw a place in the material of the particle, all alike."""
    form, half, upright, hollow = int(shape[0]), shape[1], shape[2], shape[3]
    tall = upright if form == CYLINDER else half
    while True:
        x, y = half * (2.0 * draw(state) - 1.0), half * (2.0 * draw(state) - 1.0)
        z = tall * (2.0 * draw(state) - 1.0)
        if height(form, half, upright, x, y, z) < 0.0 and (
            hollow <= 0.0 or height(form, hollow, upright, x, y, z) > 0.0
        ):
            at[0], at[1], at[2] = x, y, z
            return


@_compile
def _place_on(shape: Any, at: Any, state: Any) -> None:
    """Draw a place on the surface, all alike, and the inward direction of an isotropic field there (cosine law)."""
    form, half, upright = int(shape[0]), shape[1], shape[2]
    _isotropic(at, state)
    u, v, w = at[3], at[4], at[5]
    if form == SPHERE:
        x, y, z = half * u, half * v, half * w
    elif form == CYLINDER:
        ring = sqrt(u * u + v * v)
        if draw(state) * (half + 2.0 * upright) < 2.0 * upright:
            u, v, w = u / ring, v / ring, 0.0
            x, y, z = half * u, half * v, upright * (2.0 * draw(state) - 1.0)
        else:
            r = half * sqrt(draw(state)) / ring
            w = 1.0 if w > 0.0 else -1.0
            x, y, z, u, v = r * u, r * v, upright * w, 0.0, 0.0
    else:
        x, y, z = half * (2.0 * draw(state) - 1.0), half * (2.0 * draw(state) - 1.0), half * (2.0 * draw(state) - 1.0)
        side = 1.0 if draw(state) < 0.5 else -1.0
        axis = int(3.0 * draw(state))
        u, v, w = side * (axis == 0), side * (axis == 1), side * (axis == 2)
        x, y, z = (half * u if axis == 0 else x), (half * v if axis == 1 else y), (half * w if axis == 2 else z)
    at[0], at[1], at[2] = x, y, z
    at[3], at[4], at[5] = turned(-u, -v, -w, sqrt(draw(state)), 2.0 * pi * draw(state))


@_compile
def run_events(count: int, source: PhotonSource, as_water: int, world: World, tally: Tally, state: Any) -> None:
    """Follow photons that interact in the particle, with all electrons they set free.

    Arguments:
        count: events.
        as_water: 1 where water stands for the particle until it has been left.
    """
    world, tally, state = lent_world(world), lent_tally(tally), lent_state(state)
    waiting = np.empty(MOST_HOLES, np.int64)
    for _ in range(count):
        _place_within(world.shape, tally.at, state)
        top, born, left = draw_event(source, as_water, tally.at, tally.stack, waiting, tally.totals, state)
        tally.totals[IN_SOLID] += left
        follow_all(top, born, world, tally, state)


@_compile
def run_entering(
    count: int, energies: Any, weights: Any, as_water: int, world: World, tally: Tally, state: Any
) -> None:
    """Follow electrons that enter the particle from an isotropic field.

    Arguments:
        count: electrons.
        energies: (n + 1,) keV, edges of the bins of the field's spectrum.
        weights: (n,) cumulative share of the bins.
        as_water: 1 where water stands for the particle until it has been left.
    """
    world, tally, state = lent_world(world), lent_tally(tally), lent_state(state)
    at = tally.at
    for _ in range(count):
        i = _chosen(weights, draw(state))
        energy = energies[i] * (energies[i + 1] / energies[i]) ** draw(state)
        _place_on(world.shape, at, state)
        top = push(tally.stack, 0, energy, at, at[3], at[4], at[5], SOLID, as_water)
        follow_all(top, energy, world, tally, state)


@_compile
def run_given(given: Any, world: World, tally: Tally, state: Any) -> None:
    """Follow given electrons: rows of energy, place, direction, region, whether water stands for the particle."""
    world, tally, state = lent_world(world), lent_tally(tally), lent_state(state)
    for i in range(given.shape[0]):
        tally.stack[0] = given[i]
        follow_all(1, given[i, 0], world, tally, state)


@_compile
def slow_down(count: int, source: PhotonSource, world: World, stack: Any, paths: Any, totals: Any, state: Any) -> None:
    """Add the path lengths (nm), by row of the grid, of all electrons that photons set free in endless water.

    Arguments:
        count: photons that interact.
        stack: (DEEPEST + 1, FIELDS), scratch.
        paths: (n,) nm; added to.
        totals: (2,) keV; added to: energy given to electrons, energy laid down at once.
    """
    world, state = lent_world(world), lent_state(state)
    at, waiting, unused = np.zeros(6), np.empty(MOST_HOLES, np.int64), np.zeros(TOTALS)
    table, grid = world.table, world.grid
    shells = int(world.counts[1])
    for _ in range(count):
        top, born, left = draw_event(source, 1, at, stack, waiting, unused, state)
        totals[0] += born
        totals[1] += left
        while top > 0:
            top -= 1
            energy = stack[top, 0]
            while energy >= grid[3]:
                row = row_of(energy, grid)
                soft = at_row(table, 1, row, SOFT_LOSS)
                longest = world.steps[1] * energy / at_row(table, 1, row, STOPPING)
                middle = row_of(energy - 0.5 * longest * soft, grid)
                free = -log(draw(state)) / max(at_row(table, 1, middle, HARD_LOSS), 1e-300)
                step = min(longest, free)
                loss = at_row(table, 1, row_of(energy - 0.5 * step * soft, grid), SOFT_LOSS)
                paths[int(row_of(energy - draw(state) * step * loss, grid))] += step
                energy -= step * loss
                if free < longest and energy > 2.0 * world.cuts[1]:
                    lost, binding = knock_on(
                        energy, world.cuts[1], world.bindings[1, :shells], world.shares[1, :shells], state
                    )
                    energy -= lost
                    top = push(stack, top, energy, at, 0.0, 0.0, 1.0, SOLID, 1)
                    energy = lost - binding
