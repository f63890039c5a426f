"""The compiled loop over photon histories.

A photon flies straight through the bodies of a phantom until its optical depth is used up: at every stretch it scores
weight x energy x length x mu_en (track-length estimate of collision kerma). Then it is absorbed, is scattered, makes a
pair, or sets off fluorescence. The last body that holds a point is the one that is there. Every history has a random
stream of its own, started from the seed and its number, so results do not depend on the number of threads, and two
phantoms are compared history by history. Energies keV, lengths cm. Loaded when first used: Numba.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from nanotrial.radiation.photons.layout import Bodies, Scores, Source, Window, Work
from nanotrial.radiation.photons.tables import ANGLE_BITS, COLOURS, LOWEST, QUANTILES, REST, ROW_BITS, Matter

BOX, CYLINDER, BALL = 0, 1, 2
PARALLEL, DIVERGENT, ISOTROPIC = 0, 1, 2
# Places in the array of a photon.
X, Y, Z, U, V, W, ENERGY, WEIGHT = range(8)
# Survivors of absorption below this weight play roulette: one in ROULETTE goes on, with ROULETTE times the weight.
LIGHT, ROULETTE = 0.3, 4.0
# Absorption takes weight instead of photons where its share is above this; below it that costs more than it gains.
OFTEN = 0.15
STACK = 32
_ROW_SHIFT, _ANGLE_SHIFT = 52 - ROW_BITS, 52 - ANGLE_BITS
_ROW_BASE, _ANGLE_BASE = 1023 << ROW_BITS, 1023 << ANGLE_BITS
_ROW_MASK, _ANGLE_MASK = (1 << _ROW_SHIFT) - 1, (1 << _ANGLE_SHIFT) - 1
_ROW_UNIT, _ANGLE_UNIT = 2.0**-_ROW_SHIFT, 2.0**-_ANGLE_SHIFT
_GOLDEN, _MIX, _STIR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
# Numba's decorators carry no types. Nothing compiled here allocates, so arrays go without counts of references,
# which would take most of the time of a history.
_njit: Any = numba.njit
_compile: Any = _njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy", _nrt=False)


@_compile
def _draw(stream: Any) -> float:
    """Return the next number between 0 and 1 (ends left out) of a splitmix64 stream."""
    state = stream[0] + _GOLDEN
    stream[0] = state
    z = (state ^ (state >> _S30)) * _MIX
    z = (z ^ (z >> _S27)) * _STIR
    return (np.float64((z ^ (z >> _S31)) >> _S11) + 0.5) * 2.0**-53


@_compile
def _open_stream(stream: Any, seed: Any, history: Any) -> None:
    """Start the stream of one history."""
    z = (np.uint64(history) + np.uint64(1)) * _MIX ^ (np.uint64(seed) + _STIR) * _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX
    z = (z ^ (z >> _S27)) * _STIR
    stream[0] = z ^ (z >> _S31)


@_compile
def _crossings(photon: Any, bodies: Any, enter: Any, leave: Any) -> None:
    """Set the distances at which a ray enters and leaves every body; a missed body is left before it is entered."""
    for k in range(len(bodies.kind)):
        x, y, z = photon[X] - bodies.centre[k, 0], photon[Y] - bodies.centre[k, 1], photon[Z] - bodies.centre[k, 2]
        first, last = 0.0, 1e30
        if bodies.kind[k] == BOX:
            first, last = _between(x, photon[U], bodies.size[k, 0], first, last)
            first, last = _between(y, photon[V], bodies.size[k, 1], first, last)
            first, last = _between(z, photon[W], bodies.size[k, 2], first, last)
        else:
            a, b, c = 1.0, x * photon[U] + y * photon[V] + z * photon[W], x * x + y * y + z * z
            if bodies.kind[k] == CYLINDER:
                first, last = _between(y, photon[V], bodies.size[k, 1], first, last)
                a, b, c = 1.0 - photon[V] * photon[V], b - y * photon[V], c - y * y
            c -= bodies.size[k, 0] * bodies.size[k, 0]
            inner = b * b - a * c
            if a < 1e-14:
                last = last if c < 0.0 else -1.0
            elif inner <= 0.0:
                last = -1.0
            else:
                root = math.sqrt(inner)
                first, last = max(first, (-b - root) / a), min(last, (root - b) / a)
        enter[k], leave[k] = first, last


@_compile
def _between(x: float, u: float, half: float, first: float, last: float) -> Any:
    """Narrow a stretch of a ray to a slab -half..half."""
    if abs(u) < 1e-14:
        return (first, last) if abs(x) < half else (first, -1.0)
    one, other = (-half - x) / u, (half - x) / u
    return max(first, min(one, other)), min(last, max(one, other))


@_compile
def _row(energy: float) -> Any:
    """Return the row of an energy and how far it lies towards the next one."""
    bits = np.float64(energy).view(np.int64)
    return (bits >> _ROW_SHIFT) - _ROW_BASE, (bits & _ROW_MASK) * _ROW_UNIT


@_compile
def _angle(energy: float, angles: Any, medium: int, process: int, stream: Any) -> float:
    """Draw 1 - cos(theta) of Compton (0) or Rayleigh (1) scatter."""
    bits = np.float64(energy).view(np.int64)
    row, part = (bits >> _ANGLE_SHIFT) - _ANGLE_BASE, (bits & _ANGLE_MASK) * _ANGLE_UNIT
    if _draw(stream) < part:
        row += 1
    place = (1.0 - math.sqrt(_draw(stream))) * QUANTILES
    q = int(place)
    low = angles[medium, process, row, q]
    return low + (place - q) * (angles[medium, process, row, q + 1] - low)


@_compile
def _turn(photon: Any, x: float, stream: Any) -> None:
    """Turn a photon by the polar angle with 1 - cos(theta) = x and a random azimuth."""
    a, b, r = _on_circle(stream)
    sine = math.sqrt(x * (2.0 - x)) / r
    cosine = 1.0 - x
    one, other = sine * (a * a - b * b), sine * 2.0 * a * b
    u, v, w = photon[U], photon[V], photon[W]
    flat = u * u + v * v
    if flat > 1e-12:
        root = math.sqrt(flat)
        photon[U] = u * cosine + (u * w * one - v * other) / root
        photon[V] = v * cosine + (v * w * one + u * other) / root
        photon[W] = w * cosine - root * one
    else:
        photon[U], photon[V], photon[W] = one, other, cosine if w > 0.0 else -cosine


@_compile
def _on_circle(stream: Any) -> Any:
    """Draw a point of the unit disc and its squared radius: ((a2 - b2) / r, 2ab / r) lies on the unit circle."""
    while True:
        a, b = 2.0 * _draw(stream) - 1.0, _draw(stream)
        r = a * a + b * b
        if 1e-12 < r < 1.0:
            return a, b, r


@_compile
def _anywhere(photon: Any, stream: Any) -> None:
    """Give a photon an isotropic direction."""
    a, b, r = _on_circle(stream)
    w = 2.0 * _draw(stream) - 1.0
    sine = math.sqrt(1.0 - w * w) / r
    photon[U], photon[V], photon[W] = sine * (a * a - b * b), sine * 2.0 * a * b, w


@_compile
def _start(photon: Any, source: Any, stream: Any) -> None:
    """Set a new photon of the source."""
    place = _draw(stream) * len(source.energies)
    line = int(place)
    if place - line >= source.chance[line]:
        line = source.alias[line]
    p = source.place
    photon[ENERGY], photon[WEIGHT] = source.energies[line], 1.0
    if source.kind == ISOTROPIC:
        _anywhere(photon, stream)
        radius = p[3] * _draw(stream) ** (1.0 / 3.0) if p[3] > 0.0 else 0.0
        for i in range(3):
            photon[X + i] = p[i] + radius * photon[U + i]
        _anywhere(photon, stream)
        return
    x, y = p[0] * (2.0 * _draw(stream) - 1.0), p[1] * (2.0 * _draw(stream) - 1.0)
    photon[X], photon[Y], photon[Z] = x, y, p[2]
    photon[U], photon[V], photon[W] = 0.0, 0.0, 1.0
    if source.kind == DIVERGENT:
        far = math.sqrt(x * x + y * y + p[3] * p[3])
        photon[U], photon[V], photon[W] = x / far, y / far, p[3] / far
        # As many photons per area of the plane as a point source sends through it.
        photon[WEIGHT] = (p[3] / far) ** 3


@_compile
def _score_bins(photon: Any, window: Any, scores: Any, fresh: int, one: float, other: float, doses: Any) -> None:
    """Share the stretch one..other of a ray out over the depth bins inside the window."""
    widen = window.sides[2]
    for axis in range(2):
        for sign in (-1.0, 1.0):
            gap = window.sides[axis] * (1.0 + photon[Z] * widen) + sign * photon[X + axis]
            rate = window.sides[axis] * photon[W] * widen + sign * photon[U + axis]
            if rate > 0.0:
                one = max(one, -gap / rate)
            elif rate < 0.0:
                other = min(other, -gap / rate)
            elif gap <= 0.0:
                return
    if other <= one:
        return
    speed = photon[W]
    start, end = photon[Z] + one * speed, photon[Z] + other * speed
    low, high = min(start, end), max(start, end)
    flat = abs(speed) < 1e-9
    i, j = 0, len(window.low)
    while i < j:
        middle = (i + j) // 2
        if window.high[middle] > low:
            j = middle
        else:
            i = middle + 1
    while i < len(window.low) and window.low[i] < high:
        length = other - one if flat else (min(high, window.high[i]) - max(low, window.low[i])) / abs(speed)
        scores.bins[fresh, i, 0] += length * doses[0]
        scores.bins[fresh, i, 1] += length * doses[1]
        if window.spectral:
            scores.spectra[fresh, i, _row(photon[ENERGY])[0] * COLOURS >> ROW_BITS] += length * photon[WEIGHT]
        i += 1


@_compile
def _fly(photon: Any, fresh: int, world: Any, scores: Any, room: Any, stream: Any) -> int:
    """Move a photon to its next collision and score on the way; return the body there, or -1 if it escapes."""
    matter, bodies, window = world
    enter, leave = room
    _crossings(photon, bodies, enter, leave)
    row, part = _row(photon[ENERGY])
    strength = photon[ENERGY] * photon[WEIGHT]
    depth = -math.log(_draw(stream))
    t, end = enter[0], leave[0]
    while t < end:
        body, following = 0, end
        for k in range(1, len(bodies.kind)):
            if enter[k] <= t < leave[k]:
                body = k
                following = min(following, leave[k])
            elif t < enter[k] < leave[k]:
                following = min(following, enter[k])
        here, next_ = matter.rows[bodies.medium[body], row], matter.rows[bodies.medium[body], row + 1]
        mu = here[0] + part * (next_[0] - here[0])
        length = following - t
        hit = mu * length >= depth
        if hit:
            length = depth / mu
        mixture = strength * (here[4] + part * (next_[4] - here[4]))
        base = strength * (here[5] + part * (next_[5] - here[5]))
        scores.bodies[fresh, body, 0] += length * mixture
        scores.bodies[fresh, body, 1] += length * base
        if len(window.low) > 0:
            _score_bins(photon, window, scores, fresh, t, t + length, (mixture, base))
        if hit:
            for i in range(3):
                photon[X + i] += (t + length) * photon[U + i]
            return body
        depth -= mu * length
        t = following
    return -1


@_compile
def _push(photon: Any, energy: float, stack: Any, height: int, stream: Any) -> int:
    """Put a photon of the same place and weight on the stack, flying anywhere; return the new height."""
    for i in range(8):
        stack[height, i] = photon[i]
    stack[height, ENERGY] = energy
    _anywhere(stack[height], stream)
    return height + 1


@_compile
def _fluoresce(photon: Any, matter: Any, medium: int, stack: Any, height: int, stream: Any) -> Any:
    """Put the lines that follow a photoelectric event on the stack; return the height and the energy they carry."""
    row, part = _row(photon[ENERGY])
    shares, following = matter.glowing[medium, row], matter.glowing[medium, row + 1]
    pick, carried, element = _draw(stream), 0.0, 0
    while element < len(shares) and pick >= shares[element] + part * (following[element] - shares[element]):
        element += 1
    if element == len(shares):
        return height, carried
    shell = 0
    while shell < 4 and (
        photon[ENERGY] < matter.edges[element, shell] or _draw(stream) >= matter.shares[element, shell]
    ):
        shell += 1
    if shell == 4:
        return height, carried
    while shell >= 0:
        pick, emitted = _draw(stream), -1
        for j in range(matter.lines.shape[2]):
            if pick < matter.lines[element, shell, j, 0]:
                emitted = j
                break
        if emitted < 0:
            break
        energy = matter.lines[element, shell, emitted, 1]
        if carried + energy > photon[ENERGY]:
            break
        height = _push(photon, energy, stack, height, stream)
        carried += energy
        shell = int(matter.lines[element, shell, emitted, 2])
    return height, carried


@_compile
def _collide(photon: Any, matter: Any, medium: int, analogue: bool, stack: Any, height: int, stream: Any) -> Any:
    """Let a photon interact; return the energy left behind (keV) and the height of the stack.

    A photon that is gone has no weight. Where no line can follow, absorption takes weight and not photons.
    """
    energy = photon[ENERGY]
    row, part = _row(energy)
    here, following = matter.rows[medium, row], matter.rows[medium, row + 1]
    photo, compton = here[1] + part * (following[1] - here[1]), here[2] + part * (following[2] - here[2])
    rayleigh = here[3] + part * (following[3] - here[3])
    pick = _draw(stream)
    if not analogue and photo > OFTEN and matter.glowing[medium, row, -1] == 0.0:
        photon[WEIGHT] *= 1.0 - photo
        pick = photo + pick * (1.0 - photo)
    if pick < photo:
        height, carried = _fluoresce(photon, matter, medium, stack, height, stream)
        photon[WEIGHT] = 0.0
        return energy - carried, height
    if pick < compton:
        x = _angle(energy, matter.angles, medium, 0, stream)
        photon[ENERGY] = energy / (1.0 + energy / REST * x)
        _turn(photon, x, stream)
        return energy - photon[ENERGY], height
    if pick < rayleigh or energy <= 2.0 * REST:
        _turn(photon, _angle(energy, matter.angles, medium, 1, stream), stream)
        return 0.0, height
    height = _push(photon, REST, stack, height, stream)
    for i in range(8):
        stack[height, i] = stack[height - 1, i]
    for i in range(3):
        stack[height, U + i] = -stack[height - 1, U + i]
    photon[WEIGHT] = 0.0
    return energy - 2.0 * REST, height + 1


@_compile
def _history(photon: Any, world: Any, analogue: bool, scores: Any, room: Any, stack: Any, stream: Any) -> float:
    """Follow a photon and all that it sets off; return the energy that was absorbed or that escaped (keV)."""
    matter, bodies, _ = world
    height, fresh, accounted = 1, 0, 0.0
    for i in range(8):
        stack[0, i] = photon[i]
    while height > 0:
        height -= 1
        for i in range(8):
            photon[i] = stack[height, i]
        while photon[WEIGHT] > 0.0:
            body = _fly(photon, fresh, world, scores, room, stream)
            if body < 0:
                scores.balance[1] += photon[ENERGY] * photon[WEIGHT]
                accounted += photon[ENERGY] * photon[WEIGHT]
                break
            fresh = 1
            weight = photon[WEIGHT]
            left, height = _collide(photon, matter, bodies.medium[body], analogue, stack, height, stream)
            scores.balance[2] += 1.0
            if photon[WEIGHT] > 0.0 and photon[ENERGY] < LOWEST:
                left += photon[ENERGY]
                photon[WEIGHT] = 0.0
            if analogue:
                scores.deposited[body] += left * weight
                accounted += left * weight
            elif 0.0 < photon[WEIGHT] < LIGHT:
                photon[WEIGHT] = photon[WEIGHT] * ROULETTE if _draw(stream) * ROULETTE < 1.0 else 0.0
    return accounted


@_compile
def _follow(world: Any, source: Any, numbers: Any, analogue: bool, scores: Any, work: Any) -> None:
    photon, stack, stream = work.photon, work.stack, work.stream
    room = (work.enter, work.leave)
    for history in range(numbers[1], numbers[2]):
        _open_stream(stream, numbers[0], history)
        _start(photon, source, stream)
        energy = photon[ENERGY] * photon[WEIGHT]
        scores.balance[0] += energy
        accounted = _history(photon, world, analogue, scores, room, stack, stream)
        if analogue:
            scores.balance[3] = max(scores.balance[3], abs(accounted - energy) / energy)


def follow(
    matter: Matter, bodies: Bodies, source: Source, window: Window, numbers: tuple[int, int, int], analogue: bool
) -> Scores:
    """Follow the histories from the second to the third of ``numbers`` (the first is the seed); return their sums."""
    n, m = len(bodies.kind), len(window.low)
    colours = (matter.rows.shape[1] * COLOURS >> ROW_BITS) + 1
    spectra = np.zeros((2, m, colours) if window.spectral else (2, 1, 1))
    scores = Scores(np.zeros((2, n, 2)), np.zeros((2, m, 2)), spectra, np.zeros(n), np.zeros(4))
    work = Work(np.empty(n), np.empty(n), np.empty(8), np.empty((STACK, 8)), np.zeros(1, np.uint64))
    seed, first, last = numbers
    _follow((matter, bodies, window), source, (np.uint64(seed), first, last), analogue, scores, work)
    return scores
