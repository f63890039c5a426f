"""What an atom emits when electrons are missing inside: characteristic photons, Auger and Coster-Kronig electrons.

A vacancy in shell s is filled in one step by one of its transitions:

    photon          E = U_s - U_a            leaves a vacancy in a
    Auger           E = U_s - U_a - U_b      leaves two; Coster-Kronig: a lies in the same main shell as s

so that what is emitted, the bindings of the new vacancies and the residue sum to U_s exactly. Chances are the yields
and rates of xraylib where it has them: all of K and L, fluorescence of M. Where it has no Auger rates (M and N, and the
outer electron of a Coster-Kronig step), every pair of electrons that the energy allows is as likely as any other. A
vacancy bound by less than 0.1 keV, or with no transition open, leaves its binding at the place. Bindings are those of
the neutral atom: lines of cascades lie some tens of eV too high. Energies are in keV.
Sources: schoonjans_2011 (xraylib), kissel_2000 (partial cross-sections in it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nanotrial.errors import InputError

Array = NDArray[np.float64]
Places = NDArray[np.int64]
LEAST_BINDING = 0.1  # keV: vacancies bound by less are not followed
NAMES = ("K", *(f"{main}{sub}" for main, most in zip("LMNOPQ", (3, 5, 7, 7, 5, 3), strict=True)
                for sub in range(1, most + 1)))  # fmt: skip
HIGHEST = 92


@dataclass(frozen=True)
class Relaxation:
    """Transitions of one element, flat: those of shell i lie from ``first[i]`` up to ``first[i + 1]``."""

    number: int
    shells: tuple[str, ...]  # (v,) names, K first
    bindings: Array  # (v,) keV
    electrons: Array  # (v,) how many the shell holds
    first: Places  # (v + 1,)
    chances: Array  # (t,) cumulative within a shell; the last of each is 1
    radiative: Places  # (t,) 1 where a photon is emitted, 0 where an electron or nothing is
    emitted: Array  # (t,) keV
    holes: Places  # (t, 2) shells of the new vacancies, -1 for none
    residues: Array  # (t,) keV left at the place


# A transition before it is laid flat: weight, 1 for a photon, and the shells of the new vacancies.
Move = tuple[float, int, tuple[int, ...]]


@cache
def _auger_names() -> dict[str, list[tuple[str, str, int]]]:
    """Return by initial shell the two final shells and the code of every Auger transition that xraylib names."""
    import xraylib

    found: dict[str, list[tuple[str, str, int]]] = {}
    for word in dir(xraylib):
        if word.endswith("_AUGER"):
            start, pair, _ = word.split("_")
            cut = 1 if pair[0] == "K" else 2
            found.setdefault(start, []).append((pair[:cut], pair[cut:], getattr(xraylib, word)))
    return found


def _asked(function: str, *arguments: int) -> float:
    """Return a number of xraylib, 0 where it has none."""
    import xraylib

    try:
        return float(getattr(xraylib, function)(*arguments))
    except ValueError:
        return 0.0


def _code(word: str) -> int | None:
    """Return a constant of xraylib, None where it has no such name."""
    import xraylib

    return getattr(xraylib, word, None)


def _shells(number: int) -> tuple[list[str], Array, Array]:
    """Return names, bindings and electrons of the shells that have both."""
    rows = [
        (name, _asked("EdgeEnergy", number, i), _asked("ElectronConfig", number, i)) for i, name in enumerate(NAMES)
    ]
    kept = [row for row in rows if row[1] > 0 and row[2] > 0]
    return [row[0] for row in kept], np.array([row[1] for row in kept]), np.array([row[2] for row in kept])


def _pairs(i: int, bindings: Array, electrons: Array, fixed: int | None = None) -> Iterator[Move]:
    """Yield all pairs of electrons beyond shell i that its energy can set free, each as likely as any other."""
    later = range(i + 1, bindings.size)
    for a, b in combinations_with_replacement(later, 2) if fixed is None else ((fixed, b) for b in later if b > fixed):
        ways = electrons[a] * (electrons[a] - 1.0) / 2.0 if a == b else electrons[a] * electrons[b]
        if fixed is not None:
            ways = electrons[b]
        if ways > 0 and bindings[i] - bindings[a] - bindings[b] > 0:
            yield ways, 0, (a, b)


def _scaled(moves: list[Move], whole: float) -> list[Move]:
    """Return the moves with weights that sum to ``whole``."""
    total = sum(weight for weight, _, _ in moves)
    return [(weight / total * whole, photon, holes) for weight, photon, holes in moves] if total > 0 else []


def _photons(number: int, i: int, names: list[str]) -> list[Move]:
    """Return the characteristic lines of shell i with xraylib's relative rates."""
    moves: list[Move] = []
    for a in range(i + 1, len(names)):
        code = _code(f"{names[i]}{names[a]}_LINE")
        rate = _asked("RadRate", number, code) if code is not None else 0.0
        if rate > 0:
            moves.append((rate, 1, (a,)))
    return moves


def _augers(number: int, i: int, names: list[str], bindings: Array, electrons: Array) -> list[Move]:
    """Return the Auger transitions of shell i: xraylib's rates, else all pairs that are open."""
    at = {name: k for k, name in enumerate(names)}
    moves: list[Move] = []
    for first, second, code in _auger_names().get(names[i], []):
        rate = _asked("AugerRate", number, code)
        if rate > 0 and first in at and second in at and bindings[i] - bindings[at[first]] - bindings[at[second]] > 0:
            moves.append((rate, 0, (at[first], at[second])))
    if moves:
        return moves
    same = [k for k in range(len(names)) if names[k][0] == names[i][0] and k > i]
    pairs = list(_pairs(i, bindings, electrons))
    beyond = [move for move in pairs if move[2][0] not in same]
    return beyond or pairs


def _coster_kronig(number: int, i: int, names: list[str], bindings: Array, electrons: Array) -> list[Move]:
    """Return the Coster-Kronig transitions of shell i with xraylib's chances; the outer electron is any open one."""
    moves: list[Move] = []
    for a in range(i + 1, len(names)):
        if names[a][0] != names[i][0] or names[i][0] not in "LM":
            continue
        code = _code(f"F{names[i]}{names[a][1]}_TRANS")
        chance = _asked("CosKronTransProb", number, code) if code is not None else 0.0
        if chance > 0:
            moves += _scaled(list(_pairs(i, bindings, electrons, fixed=a)), chance)
    return moves


def _moves(number: int, i: int, names: list[str], bindings: Array, electrons: Array) -> list[Move]:
    """Return all transitions of shell i; none where the vacancy is not followed."""
    if bindings[i] < LEAST_BINDING:
        return []
    shell = NAMES.index(names[i])
    glowing = _asked("FluorYield", number, shell)
    photons = _scaled(_photons(number, i, names), glowing)
    crossing = _coster_kronig(number, i, names, bindings, electrons)
    rest = 1.0 - sum(move[0] for move in photons) - sum(move[0] for move in crossing)
    return photons + crossing + _scaled(_augers(number, i, names, bindings, electrons), max(rest, 0.0))


@cache
def relaxation(number: int) -> Relaxation:
    """Return the transitions that fill vacancies in an element.

    Arguments:
        number: atomic number, 1 to 92.

    Raises:
        InputError: no such element in the tables.

    Source: schoonjans_2011.
    """
    if not 1 <= number <= HIGHEST:
        raise InputError("relaxation(number)", f"{number}", f"an atomic number of 1 to {HIGHEST}")
    names, bindings, electrons = _shells(number)
    first, chances, radiative, emitted, holes, residues = [0], [], [], [], [], []
    for i in range(len(names)):
        moves = _moves(number, i, names, bindings, electrons)
        total = sum(weight for weight, _, _ in moves)
        if total <= 0:
            moves, total = [(1.0, -1, ())], 1.0
        summed = np.cumsum([weight for weight, _, _ in moves]) / total
        summed[-1] = 1.0
        chances += list(summed)
        for _, photon, left in moves:
            given = bindings[i] - sum(float(bindings[k]) for k in left)
            radiative.append(1 if photon == 1 else 0)
            emitted.append(given if photon >= 0 else 0.0)
            residues.append(0.0 if photon >= 0 else given)
            holes.append(tuple(left) + (-1,) * (2 - len(left)))
        first.append(len(chances))
    return Relaxation(
        number, tuple(names), bindings, electrons, np.array(first, dtype=np.int64), np.array(chances),
        np.array(radiative, dtype=np.int64), np.array(emitted), np.array(holes, dtype=np.int64), np.array(residues),
    )  # fmt: skip


def shell_shares(number: int, energies: Array) -> Array:
    """Return which shell a photon empties: shares (n, v) of photoelectric absorption, in the order of the shells.

    Arguments:
        number: atomic number, 1 to 92.
        energies: (n,) keV of the photons.

    Raises:
        InputError: no such element, or an energy below the last edge of the tables.

    Source: kissel_2000 in schoonjans_2011.
    """
    import xraylib

    shells = relaxation(number).shells
    found = np.zeros((len(energies), len(shells)))
    for k, name in enumerate(shells):
        for j, energy in enumerate(energies):
            try:
                found[j, k] = xraylib.CSb_Photo_Partial(number, NAMES.index(name), float(energy))
            except ValueError:
                continue
    total = found.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        low = float(np.asarray(energies)[total[:, 0] <= 0].max())
        raise InputError("shell_shares(energies)", f"{low:g} keV", "an energy at which the element absorbs")
    return np.asarray(found / total)
