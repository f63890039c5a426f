"""Edges and fluorescence: what an atom gives back as X-rays after a photoelectric event.

A vacancy in a shell leads to a photon, to an Auger electron, or to a vacancy further out in the same shell
(Coster-Kronig). The mean energy of photons that follow from it, with the cascade of what it leaves behind, is

    R_s = w_s sum_t p_st (E_st + R_t) + sum_u f_su R_u + a_s sum_uv A_suv (R_u + R_v),   a_s = 1 - w_s - sum_u f_su

with K, L and M shells; N and further shells give no photons here (below 1 keV but for the heaviest elements).
Yields, rates and line energies: xraylib (schoonjans_2011); yields of the K shells of calcium to silver: krause_1979.
Energies are in keV inside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantity
from nanotrial.radiation.composition import composition

SHELLS = ("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5")
# Yields of the K shell from calcium on: those of xraylib are up to 4 % higher and 2 % off the NIST tables of copper.
KRAUSE_FIRST = 20
KRAUSE = (
    0.163, 0.188, 0.214, 0.243, 0.275, 0.308, 0.340, 0.373, 0.406, 0.440, 0.474, 0.507, 0.535, 0.562, 0.589, 0.618,
    0.643, 0.667, 0.690, 0.710, 0.730, 0.747, 0.765, 0.780, 0.794, 0.808, 0.820, 0.831,
)  # fmt: skip
# Shares of shells are tabulated to 300 keV in heavy elements, less in light ones; they hardly move at high energy.
LAST_SHARES = (300.0, 200.0, 150.0, 100.0, 70.0, 50.0, 30.0, 20.0, 10.0, 5.0, 3.0, 2.0)


def edges(element: object) -> dict[str, Any]:
    """Return the absorption edges of an element (quantities, keV) by shell, from K to M5 as far as there are any.

    Raises:
        InputError: not an element.
    """
    z = _element(element)
    return {shell: quantity(energy, "keV") for shell, energy in shell_edges(z).items()}


def fluorescence_yield(element: object, shell: str = "K") -> float:
    """Return the share of vacancies of a shell that are filled with emission of a photon.

    Raises:
        InputError: not an element, or a shell that is none of K to M5.
    """
    z = _element(element)
    if shell not in SHELLS:
        raise InputError("shell", f"`{shell}`", "a shell from K to M5", f"Shells: {', '.join(SHELLS)}.")
    return _shell_yield(z, shell)


def fluorescence_lines(element: object, shell: str = "K") -> Any:
    """Return the lines of a shell: photons per vacancy (labelled array over ``line``, with ``energy`` in keV).

    Raises:
        InputError: not an element, or a shell that is none of K to M5.
    """
    from xarray import DataArray

    z = _element(element)
    of_vacancy = fluorescence_yield(element, shell)
    lines = _lines(z).get(shell, ())
    total = sum(rate for _, _, rate in lines) or 1.0
    return DataArray(
        np.array([of_vacancy * rate / total for _, _, rate in lines]),
        dims="line",
        coords={
            "line": [f"{shell}-{outer}" for outer, _, _ in lines],
            "energy": ("line", np.array([energy for _, energy, _ in lines]), {"units": "keV"}),
        },
        attrs={"units": "1", "long_name": "photons per vacancy"},
    )


def escaping_energy(element: object, energy: object) -> Any:
    """Return the mean energy of fluorescence (quantity, keV) per photoelectric event in a thin piece of an element.

    Arguments:
        element: symbol or name.
        energy: photon energy, 1 keV to 20 MeV.
    """
    wanted = read_quantity(energy, "keV", "energy", 1.0, 2e4)
    return quantity(float(fluorescence_energy(_element(element), np.array([wanted]))[0]), "keV")


@lru_cache(maxsize=128)
def shell_edges(z: int) -> Mapping[str, float]:
    """Return the edges of an element (keV) by shell."""
    found = {shell: _number("EdgeEnergy", z, f"{shell}_SHELL") for shell in SHELLS}
    return {shell: energy for shell, energy in found.items() if energy > 0.0}


def fluorescence_energy(z: int, energies: Array) -> Array:
    """Return the mean energy of fluorescence (keV) per photoelectric event at photon energies (keV)."""
    import xraylib

    radiated = radiated_energies(z)
    above = {shell: energy for shell, energy in shell_edges(z).items() if radiated[shell] > 0.0}
    out = np.zeros(len(energies))
    for i, energy in enumerate(energies):
        met = [shell for shell, edge in above.items() if energy >= edge * (1.0 - 2e-12)]
        if not met:
            continue
        # Just above an edge the tables of whole atoms and of shells disagree about its place; shares hardly move there.
        at = min(max([energy, *(above[shell] * 1.02 for shell in met)]), _last_shares(z))
        whole = xraylib.CS_Photo_Total(z, at)
        out[i] = sum(_partial(z, shell, at) * radiated[shell] for shell in met) / whole
    return out


@lru_cache(maxsize=128)
def radiated_energies(z: int) -> Mapping[str, float]:
    """Return the mean energy of all photons (keV) that follow from one vacancy, by shell."""
    radiated = dict.fromkeys(SHELLS, 0.0)
    for shell in reversed(SHELLS):
        if shell not in shell_edges(z):
            continue
        of_vacancy = _shell_yield(z, shell)
        lines = _lines(z).get(shell, ())
        total = sum(rate for _, _, rate in lines)
        energy = sum(rate * (e + radiated.get(outer, 0.0)) for outer, e, rate in lines) / total if total else 0.0
        slides = _coster_kronig(z, shell)
        augers = _augers(z).get(shell, ())
        rest = max(0.0, 1.0 - of_vacancy - sum(slides.values()))
        weight = sum(rate for _, _, rate in augers)
        after = sum(rate * (radiated.get(u, 0.0) + radiated.get(v, 0.0)) for u, v, rate in augers)
        radiated[shell] = of_vacancy * energy + sum(f * radiated[u] for u, f in slides.items())
        radiated[shell] += rest * after / weight if weight else 0.0
    return radiated


def _element(what: object) -> int:
    found = composition(what, "element")
    if len(found.fractions) != 1:
        raise InputError("element", f"`{found.name}`", "one element, such as `Au` or `gold`")
    return found.fractions[0][0]


def _number(function: str, z: int, macro: str) -> float:
    """Return a number of xraylib, zero where it has none."""
    import xraylib

    try:
        return float(getattr(xraylib, function)(z, getattr(xraylib, macro)))
    except (ValueError, AttributeError):
        return 0.0


@lru_cache(maxsize=128)
def _last_shares(z: int) -> float:
    """Return the largest energy (keV) at which the shares of shells are tabulated."""
    import xraylib

    for energy in LAST_SHARES:
        try:
            xraylib.CS_Photo_Total(z, energy)
        except ValueError:
            continue
        return energy
    return 1.0


def _shell_yield(z: int, shell: str) -> float:
    if shell == "K" and 0 <= z - KRAUSE_FIRST < len(KRAUSE):
        return KRAUSE[z - KRAUSE_FIRST]
    return _number("FluorYield", z, f"{shell}_SHELL")


def _partial(z: int, shell: str, energy: float) -> float:
    import xraylib

    try:
        return float(xraylib.CS_Photo_Partial(z, getattr(xraylib, f"{shell}_SHELL"), energy))
    except ValueError:
        return 0.0


@lru_cache(maxsize=1)
def _macros() -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    """Return xraylib's names of lines (name, inner, outer) and of Auger transitions (name, vacancy, two others)."""
    import xraylib

    pattern = re.compile(r"(K|L[1-3]|M[1-5])([LMNOPQ][1-7])_LINE")
    lines = [(name, m[1], m[2]) for name in dir(xraylib) if (m := pattern.fullmatch(name))]
    pattern = re.compile(r"(K|L[1-3]|M[1-5])_([LMNOPQ][1-7])([LMNOPQ][1-7])_AUGER")
    augers = [(name, m[1], m[2], m[3]) for name in dir(xraylib) if (m := pattern.fullmatch(name))]
    # Transitions that stay in the shell are Coster-Kronig and counted apart.
    return lines, [row for row in augers if row[1][0] not in (row[2][0], row[3][0])]


@lru_cache(maxsize=128)
def _lines(z: int) -> Mapping[str, tuple[tuple[str, float, float], ...]]:
    """Return (outer shell, energy, rate) of the lines of each shell."""
    found: dict[str, list[tuple[str, float, float]]] = {}
    for name, inner, outer in _macros()[0]:
        rate = _number("RadRate", z, name)
        if rate > 0.0:
            found.setdefault(inner, []).append((outer, _number("LineEnergy", z, name), rate))
    return {inner: tuple(rows) for inner, rows in found.items()}


@lru_cache(maxsize=128)
def _augers(z: int) -> Mapping[str, tuple[tuple[str, str, float], ...]]:
    """Return (shell, shell, rate) of the Auger transitions of each shell."""
    found: dict[str, list[tuple[str, str, float]]] = {}
    for name, inner, first, second in _macros()[1]:
        rate = _number("AugerRate", z, name)
        if rate > 0.0:
            found.setdefault(inner, []).append((first, second, rate))
    return {inner: tuple(rows) for inner, rows in found.items()}


def _coster_kronig(z: int, shell: str) -> dict[str, float]:
    """Return the probability that a vacancy slides to each further subshell of its shell."""
    if shell == "K":
        return {}
    letter, place = shell[0], int(shell[1])
    last = 3 if letter == "L" else 5
    return {
        f"{letter}{to}": _number("CosKronTransProb", z, f"F{letter}{place}{to}_TRANS")
        for to in range(place + 1, last + 1)
    }
