"""Electrons step by step: soft losses condensed, hard collisions one by one, boundaries of the particle met exactly.

Class II, steps as in mixed simulation [salvat_2019]: hard collisions (knock-on electrons above the cut, elastic
deflections beyond an angle) are drawn singly; between two of them the soft deflections act at one point, the hinge,
drawn evenly along the step, and the soft loss is laid down at a point drawn evenly on either side of it. Energies in
keV, lengths in nm. The same seed gives the same numbers whatever the number of threads. Loaded when first used: Numba.
What Numba keeps compiled of callers in other files does not see a change made here: remove __pycache__ after one.
"""

from __future__ import annotations

from math import cos, exp, log, pi, sin, sqrt
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from nanotrial.radiation.electrons import knock_on as knock_on_law
from nanotrial.radiation.electrons.geometry import HOLLOW, SOLID, WATER, height, room, to_boundary
from nanotrial.radiation.electrons.knock_on import REST

_compile: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
trial_loss = _compile(knock_on_law.trial_loss)
acceptance = _compile(knock_on_law.acceptance)
# Columns of the table of a medium.
SOFT_LOSS, HARD_LOSS, HARD_ELASTIC, LEAST_ANGLE, SOFT_FIRST, SOFT_SECOND, SCREENING = range(7)
RANGE, TRANSPORT, STOPPING = range(7, 10)
COLUMNS = 10
# Rows of totals: energy (keV) by where it went, then the largest imbalance of one history, electrons in, steps.
IN_SOLID, IN_HOLLOW, IN_WATER, BEYOND, CARRIED_OUT, BY_PHOTONS, ENTERED, IMBALANCE, ELECTRONS, STEPS = range(10)
TOTALS = 10
# An electron on the stack: energy, place, direction, region, whether water stands for the solid (1) or not (0).
FIELDS = 9
DEEPEST = 4000


class World(NamedTuple):
    """What an electron meets: the shape of the particle, two media (0 the particle, 1 water), limits of steps."""

    shape: Any  # as nanotrial.radiation.electrons.geometry gives it
    table: Any  # (2, n, COLUMNS)
    grid: Any  # ln of the lowest energy, 1/step in ln, last row, cut-off (keV)
    cuts: Any  # (2,) keV
    bindings: Any  # (2, m) keV, rising
    shares: Any  # (2, m) cumulative
    counts: Any  # (2,) shells of each medium
    steps: Any  # shares of transport path, of energy, of the room around, of the particle; reach of the range


class Tally(NamedTuple):
    """Where energy went."""

    bins: Any  # first edge (nm), shells per ln of distance
    edges: Any  # (k + 1,) nm from the surface
    shells: Any  # (k,) keV in each shell of water
    totals: Any  # (TOTALS,)
    leaving: Any  # (n,) electrons that leave the particle, by row of the grid
    stack: Any  # (DEEPEST + 1, FIELDS) electrons that wait
    at: Any  # (6,) place and direction of the electron that is followed


def _pointer_to(kind: Any) -> Any:
    """Return a function that takes an address for a pointer to numbers of a kind."""

    @intrinsic
    def pointer(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(types.CPointer(kind)))

        return types.CPointer(kind)(address), generate

    return pointer


_carray: Any = numba.carray  # type: ignore[attr-defined]
_to_floats, _to_words = _pointer_to(types.float64), _pointer_to(types.uint64)


@_compile
def _lent(array: Any) -> Any:
    """Return an array of floats that does not count who holds it: counting took more than half of the time."""
    return _carray(_to_floats(array.ctypes.data), array.shape)


@_compile
def lent_state(state: Any) -> Any:
    """Return the same stream of random numbers without counting of holders; the caller's must outlive it."""
    return _carray(_to_words(state.ctypes.data), state.shape)


@_compile
def lent_world(world: World) -> World:
    """Return the same world without counting of holders; the caller's must outlive it."""
    return World(
        _lent(world.shape), _lent(world.table), _lent(world.grid), _lent(world.cuts), _lent(world.bindings),
        _lent(world.shares), _lent(world.counts), _lent(world.steps),
    )  # fmt: skip


@_compile
def lent_tally(tally: Tally) -> Tally:
    """Return the same tally without counting of holders; the caller's must outlive it."""
    return Tally(
        _lent(tally.bins), _lent(tally.edges), _lent(tally.shells), _lent(tally.totals), _lent(tally.leaving),
        _lent(tally.stack), _lent(tally.at),
    )  # fmt: skip


@_compile
def draw(state: Any) -> float:
    """Return the next number of a stream, evenly between 0 and 1, neither of them (xoshiro256+)."""
    result = state[0] + state[3]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << np.uint64(45)) | (state[3] >> np.uint64(19))
    return ((result >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16


@_compile
def turned(u: float, v: float, w: float, cosine: float, azimuth: float) -> Any:
    """Return a direction turned by a polar angle, given as its cosine, and an azimuth."""
    sine = sqrt(max(1.0 - cosine * cosine, 0.0))
    a, b = sine * cos(azimuth), sine * sin(azimuth)
    across = u * u + v * v
    if across < 1e-12:
        return a, b, (cosine if w > 0.0 else -cosine)
    root = sqrt(across)
    x = u * cosine + (u * w * a - v * b) / root
    y = v * cosine + (v * w * a + u * b) / root
    z = w * cosine - root * a
    norm = 1.0 / sqrt(x * x + y * y + z * z)
    return x * norm, y * norm, z * norm


@_compile
def _faded(x: float) -> float:
    """Return 1 - exp(-x); for a small x a series, which is much quicker (better than 1e-5)."""
    if x > 0.25:
        return 1.0 - exp(-x)
    return x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0)))


@_compile
def soft_cosine(step: float, first: float, second: float, state: Any) -> float:
    """Return the cosine of the deflection by all soft collisions of a step, right in its first two moments.

    The two-step distribution of [salvat_2019]: mu = (1 - cos)/2 even on (0, b) with chance a, on (b, 1) otherwise.
    """
    mean = 0.5 * _faded(step * first)
    square = mean - _faded(step * second) / 6.0
    border = (2.0 * mean - 3.0 * square) / (1.0 - 2.0 * mean)
    share = 1.0 - 2.0 * mean + border
    u = draw(state)
    mu = u / share * border if u < share else border + (u - share) / (1.0 - share) * (1.0 - border)
    return 1.0 - 2.0 * mu


@_compile
def hard_cosine(screening: float, least: float, state: Any) -> float:
    """Return the cosine of one elastic deflection beyond the least angle, density 1/(mu + screening)^2."""
    high, low = 1.0 / (screening + least), 1.0 / (screening + 1.0)
    mu = 1.0 / (high - draw(state) * (high - low)) - screening
    return 1.0 - 2.0 * min(max(mu, 0.0), 1.0)


@_compile
def knock_on(energy: float, cut: float, bindings: Any, shares: Any, state: Any) -> Any:
    """Return the energy that a hard collision takes from an electron, and the binding of the electron it sets free."""
    while True:
        loss = trial_loss(energy, cut, draw(state))
        below = np.searchsorted(bindings, loss, side="right")
        if below > 0 and draw(state) < acceptance(energy, loss) * shares[below - 1]:
            chosen = draw(state) * shares[below - 1]
            shell = 0
            while shell < below - 1 and shares[shell] <= chosen:
                shell += 1
            return loss, bindings[shell]


@_compile
def bin_of(distance: float, bins: Any) -> int:
    """Return the shell of water that a distance from the surface falls in: bins[0] first edge, bins[1] per ln."""
    return 0 if distance < bins[0] else 1 + int(log(distance / bins[0]) * bins[1])


@_compile
def lay_down(energy: float, region: int, x: float, y: float, z: float, world: World, tally: Tally) -> None:
    """Add energy to the particle, its hollow, or the shell of water that a place lies in."""
    if region == SOLID:
        tally.totals[IN_SOLID] += energy
    elif region == HOLLOW:
        tally.totals[IN_HOLLOW] += energy
    else:
        shape = world.shape
        i = bin_of(max(height(int(shape[0]), shape[1], shape[2], x, y, z), 0.0), tally.bins)
        if i < tally.shells.shape[0]:
            tally.shells[i] += energy
            tally.totals[IN_WATER] += energy
        else:
            tally.totals[BEYOND] += energy


@_compile
def _gap(distance: float, tally: Tally) -> float:
    """Return how far a place in water is from the nearest edge of a shell."""
    i = bin_of(distance, tally.bins)
    if i + 1 >= tally.edges.shape[0]:
        return 0.0
    return min(distance - tally.edges[i] if i else distance, tally.edges[i + 1] - distance)


@_compile
def at_row(table: Any, medium: int, place: float, column: int) -> float:
    """Return a column of a medium's table at a place between rows."""
    i = int(place)
    return table[medium, i, column] + (place - i) * (table[medium, i + 1, column] - table[medium, i, column])


@_compile
def row_of(energy: float, grid: Any) -> float:
    """Return where an energy falls on the grid: grid = (ln of the lowest energy, 1/step in ln, last row, cut-off)."""
    return min(max((log(energy) - grid[0]) * grid[1], 0.0), grid[2] - 1e-9)


@_compile
def push(stack: Any, top: int, energy: float, at: Any, u: float, v: float, w: float, region: int, as_water: int) -> int:
    """Put an electron on the stack, at the place that the first three numbers of ``at`` give; return the new height."""
    one = stack[top]
    one[0], one[1], one[2], one[3] = energy, at[0], at[1], at[2]
    one[4], one[5], one[6], one[7], one[8] = u, v, w, region, as_water
    return top + 1


@_compile
def _leg(length: float, loss: float, at: Any, region: int, world: World, tally: Tally, state: Any) -> Any:
    """Move along part of a step, laying its loss (keV/nm) down; return the region reached and the energy lost."""
    x, y, z, u, v, w = at[0], at[1], at[2], at[3], at[4], at[5]
    ahead, beyond = to_boundary(world.shape, region, x, y, z, u, v, w)
    gone = min(length, ahead)
    lost = loss * gone
    s = draw(state) * gone
    lay_down(lost, region, x + s * u, y + s * v, z + s * w, world, tally)
    at[0], at[1], at[2] = x + gone * u, y + gone * v, z + gone * w
    return (beyond if ahead <= length else region), lost


@_compile
def _stops(energy: float, medium: int, row: float, region: int, free: float, world: World, tally: Tally) -> bool:
    """Return whether an electron ends here: below the cut-off, or too short of range to leave its region or shell."""
    if energy < world.grid[3]:
        return True
    span = at_row(world.table, medium, row, RANGE) * world.steps[4]
    return span < (min(free, _gap(free, tally)) if region == WATER else free)


@_compile
def _step_limit(energy: float, medium: int, row: float, free: float, world: World) -> float:
    """Return the longest step: a share of the energy, of the transport mean free path, of the room around."""
    steps = world.steps
    by_angle = steps[0] / at_row(world.table, medium, row, TRANSPORT)
    by_loss = steps[1] * energy / at_row(world.table, medium, row, STOPPING)
    return min(min(by_angle, by_loss), max(steps[2] * free, steps[3] * world.shape[1]))


@_compile
def _turn_softly(step: float, medium: int, row: float, at: Any, world: World, state: Any) -> None:
    """Turn by what all soft elastic collisions of a step do together."""
    first = at_row(world.table, medium, row, SOFT_FIRST)
    if first > 0.0:
        cosine = soft_cosine(step, first, at_row(world.table, medium, row, SOFT_SECOND), state)
        at[3], at[4], at[5] = turned(at[3], at[4], at[5], cosine, 2.0 * pi * draw(state))


@_compile
def _far_step(
    step: float, loss: float, medium: int, row: float, region: int, at: Any, world: World, tally: Tally, state: Any
) -> None:
    """Go a step that is too short to reach a boundary, and lay its loss down at one place of it."""
    hinge, place = draw(state) * step, draw(state) * step
    before = min(hinge, place)
    x, y, z = at[0] + before * at[3], at[1] + before * at[4], at[2] + before * at[5]
    at[0], at[1], at[2] = at[0] + hinge * at[3], at[1] + hinge * at[4], at[2] + hinge * at[5]
    _turn_softly(step, medium, row, at, world, state)
    if place > hinge:
        after = place - hinge
        x, y, z = at[0] + after * at[3], at[1] + after * at[4], at[2] + after * at[5]
    lay_down(loss * step, region, x, y, z, world, tally)
    rest = step - hinge
    at[0], at[1], at[2] = at[0] + rest * at[3], at[1] + rest * at[4], at[2] + rest * at[5]


@_compile
def _near_step(
    step: float, loss: float, medium: int, row: float, region: int, at: Any, world: World, tally: Tally, state: Any
) -> Any:
    """Go a step that ends at a boundary where it meets one; return the region reached and the energy lost."""
    hinge = draw(state) * step
    new, lost = _leg(hinge, loss, at, region, world, tally, state)
    if new == region:
        _turn_softly(step, medium, row, at, world, state)
        new, more = _leg(step - hinge, loss, at, region, world, tally, state)
        lost += more
    return new, lost


@_compile
def _draw_step(energy: float, row: float, medium: int, longest: float, world: World, state: Any) -> Any:
    """Return the length of a step, and whether a hard collision ends it."""
    table = world.table
    rate = at_row(table, medium, row, HARD_ELASTIC) + at_row(table, medium, row, HARD_LOSS)
    # Rates rise as energy is lost: they are taken halfway to where the step is likely to end.
    likely = 0.5 * min(longest, 1.0 / rate) * at_row(table, medium, row, SOFT_LOSS)
    row = row_of(energy - likely, world.grid)
    rate = at_row(table, medium, row, HARD_ELASTIC) + at_row(table, medium, row, HARD_LOSS)
    free = -log(draw(state)) / rate
    return min(longest, free), free < longest


@_compile
def _hard(
    energy: float, row: float, medium: int, region: int, as_water: int, at: Any, world: World, tally: Tally,
    stack: Any, top: int, state: Any,
) -> Any:  # fmt: skip
    """Let one hard collision happen; return the energy left and the height of the stack."""
    table, cut = world.table, world.cuts[medium]
    elastic = at_row(table, medium, row, HARD_ELASTIC)
    azimuth = 2.0 * pi * draw(state)
    left = energy
    turns_only = draw(state) * (elastic + at_row(table, medium, row, HARD_LOSS)) < elastic
    if turns_only or energy <= 2.0 * cut or top >= DEEPEST:
        cosine = hard_cosine(at_row(table, medium, row, SCREENING), at_row(table, medium, row, LEAST_ANGLE), state)
    else:
        count = int(world.counts[medium])
        lost, binding = knock_on(energy, cut, world.bindings[medium, :count], world.shares[medium, :count], state)
        left, whole = energy - lost, energy + 2.0 * REST
        # The angles are those of two free electrons; the binding stays where it was.
        other = sqrt(lost * whole / (energy * (lost + 2.0 * REST)))
        lay_down(binding, region, at[0], at[1], at[2], world, tally)
        u, v, w = turned(at[3], at[4], at[5], min(other, 1.0), azimuth + pi)
        top = push(stack, top, lost - binding, at, u, v, w, region, as_water)
        cosine = min(sqrt(left * whole / (energy * (left + 2.0 * REST))), 1.0)
    at[3], at[4], at[5] = turned(at[3], at[4], at[5], cosine, azimuth)
    return left, top


@_compile
def _follow(top: int, world: World, tally: Tally, state: Any) -> int:
    """Follow the electron on top of the stack to its end; return the height of the stack with what it knocked out."""
    stack, at = tally.stack, tally.at
    top -= 1
    energy, region, as_water = stack[top, 0], int(stack[top, 7]), int(stack[top, 8])
    at[:] = stack[top, 1:7]
    table = world.table
    while True:
        tally.totals[STEPS] += 1.0
        medium = 0 if region == SOLID and as_water == 0 else 1
        free = room(world.shape, region, at[0], at[1], at[2])
        row = row_of(energy, world.grid)
        beyond = region == WATER and free >= tally.edges[tally.edges.shape[0] - 1]
        if beyond or _stops(energy, medium, row, region, free, world, tally):
            lay_down(energy, region, at[0], at[1], at[2], world, tally)
            return top
        longest = _step_limit(energy, medium, row, free, world)
        step, hard = _draw_step(energy, row, medium, longest, world, state)
        # Rates of the middle of the step make the loss right to second order.
        middle = row_of(energy - 0.5 * step * at_row(table, medium, row, SOFT_LOSS), world.grid)
        loss = at_row(table, medium, middle, SOFT_LOSS)
        if step < free:
            energy -= loss * step
            _far_step(step, loss, medium, middle, region, at, world, tally, state)
            new = region
        else:
            new, lost = _near_step(step, loss, medium, middle, region, at, world, tally, state)
            energy -= lost
        if new != region:
            _note_crossing(region, new, energy, world, tally)
            # Where water stood for the particle, the particle stands once it has been left.
            as_water = 0 if new == WATER else as_water
            region = new
        elif hard:
            energy, top = _hard(energy, middle, medium, region, as_water, at, world, tally, stack, top, state)


@_compile
def _note_crossing(old: int, new: int, energy: float, world: World, tally: Tally) -> None:
    """Note an electron that leaves the particle for the water outside or comes back: energy, and count by energy."""
    if old == WATER or new == WATER:
        sign = 1.0 if new == WATER else -1.0
        tally.totals[CARRIED_OUT] += sign * energy
        tally.leaving[int(row_of(energy, world.grid))] += sign


@_compile
def follow_all(top: int, born: float, world: World, tally: Tally, state: Any) -> None:
    """Follow all electrons of a history, what they knock out included, and keep the largest imbalance of energy.

    Arguments:
        top: height of the stack.
        born: energy of the electrons on the stack (keV).
    """
    totals = tally.totals
    before = totals[IN_SOLID] + totals[IN_HOLLOW] + totals[IN_WATER] + totals[BEYOND]
    totals[ENTERED] += born
    while top > 0:
        totals[ELECTRONS] += 1.0
        top = _follow(top, world, tally, state)
    after = totals[IN_SOLID] + totals[IN_HOLLOW] + totals[IN_WATER] + totals[BEYOND]
    totals[IMBALANCE] = max(totals[IMBALANCE], abs(after - before - born) / max(born, 1e-6))
