"""Designs of members: probabilities in (0, 1) for any slice of members, in memory of the slice alone.

Latin hypercube of N members, one point in each of N equal strata of every parameter:

    p_i = (pi(i) + u_i) / N

with a keyed permutation pi (a Feistel network that walks its cycle until it is back below N, black_2002) and u_i of the
counter-based generator Philox (salmon_2011), moved to member i. Both are keyed by the seed and the name of the
parameter. The integers and so the probabilities are the same on every platform.
Sobol: scrambled points, one dimension per name in sorted order, so a parameter's points depend on what is drawn beside
it; reaching a slice takes time in proportion to its first member. Independent: p_i = u_i.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import InputError, nearest

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.uint64]

DESIGNS = ("latin_hypercube", "sobol", "independent")
ROUNDS = 8
# Words of a Philox block: one step of its counter gives four.
BLOCK = 4
# Sobol points have 30 binary digits: as many differ.
MOST_SOBOL = 2**30
# The largest number below 1, so that no quantile is infinite.
TOP = 1.0 - 2.0**-53


def probabilities(
    design: str, names: Iterable[str], members: int, first: int, last: int, seed: int
) -> dict[str, Vector]:
    """Return for every name its probabilities, each of shape (last - first,), inside (0, 1).

    Slices joined are the whole, bit for bit.

    Arguments:
        design: one of ``DESIGNS``.
        names: of the parameters; the sobol design needs them all, for the others a part gives the same numbers.
        members: of the whole design.
        first: first member of the slice.
        last: one past its last member.
        seed: any whole number.

    Raises:
        InputError: an unknown design, or a slice that is not inside the design.
    """
    if design not in DESIGNS:
        raise InputError("design", f"`{design}`", "a design of members", nearest(design, DESIGNS))
    if not 0 <= first <= last <= members:
        raise InputError("members", f"the slice {first} to {last}", f"a slice of 0 to {members}")
    if design == "sobol":
        if members > MOST_SOBOL:
            raise InputError("members", f"{members} members of a sobol design", f"at most {MOST_SOBOL}")
        return _sobol(sorted(names), first, last, seed)
    if design == "independent":
        return {name: stream(seed, name, first, last) for name in names}
    return {name: _latin(name, members, first, last, seed) for name in names}


def stream(seed: int, name: str, first: int, last: int) -> Vector:
    """Return numbers first to last of the uniform stream of a name, of shape (last - first,), inside (0, 1)."""
    generator = np.random.Philox(key=int.from_bytes(_digest(seed, "jitter", name)[:16], "little"))
    generator.advance(first // BLOCK)
    skip = first % BLOCK
    raw = np.asarray(generator.random_raw(last - first + skip), dtype=np.uint64)[skip:]
    # Middles of 2^52 equal steps: exact, never 0 and never 1.
    return np.asarray(((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def permuted(index: Integers, count: int, seed: int, name: str) -> Integers:
    """Return where a keyed permutation of 0 to count - 1 sends each index; every key gives a permutation of its own.

    Arguments:
        index: whole numbers below count, any shape.
        count: size of what is permuted.
        seed: first part of the key.
        name: second part of the key.
    """
    keys = np.frombuffer(_digest(seed, "permutation", name), dtype="<u8").astype(np.uint64)
    half = np.uint64(max(((count - 1).bit_length() + 1) // 2, 1))
    places = np.array(index, dtype=np.uint64)
    outside = np.ones(places.shape, dtype=bool)
    while outside.any():
        places[outside] = _feistel(places[outside], keys, half)
        outside = places >= np.uint64(count)
    return places


def balance_note(design: str, members: int) -> str:
    """Return what a user should know of the number of members in a design; empty where there is nothing to say."""
    if design == "sobol" and members & (members - 1):
        return f"{members} members are no power of two: Sobol points are then less even than they could be"
    return ""


def _latin(name: str, members: int, first: int, last: int, seed: int) -> Vector:
    strata = permuted(np.arange(first, last, dtype=np.uint64), members, seed, name).astype(np.float64)
    return np.asarray(np.minimum((strata + stream(seed, name, first, last)) / members, TOP))


def _sobol(names: list[str], first: int, last: int, seed: int) -> dict[str, Vector]:
    from scipy.stats import qmc

    if not names:
        return {}
    generator = np.random.default_rng(int.from_bytes(_digest(seed, "sobol", "")[:16], "little"))
    engine = qmc.Sobol(len(names), scramble=True, seed=generator)
    if first:
        engine.fast_forward(first)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The balance properties of Sobol' points", UserWarning)
        points = engine.random(last - first) if last > first else np.empty((0, len(names)))
    # Points lie on a grid that holds 0; half a step moves them inside.
    inside = np.minimum(points + 2.0**-31, TOP)
    return {name: np.ascontiguousarray(inside[:, i]) for i, name in enumerate(names)}


def _feistel(places: Integers, keys: Integers, half: np.uint64) -> Integers:
    """Return one pass of a balanced Feistel network over numbers of 2 * half bits."""
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = places >> half, places & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & mask)
    return np.asarray((left << half) | right, dtype=np.uint64)


def _mixed(words: Integers) -> Integers:
    """Return words whose every bit depends on all bits of the given ones (finaliser of splitmix64)."""
    mixed = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def _digest(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{purpose}:{name}".encode(), digest_size=ROUNDS * 8).digest()
