"""How strongly the electrons of a substance are bound, and how many of them there are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nanotrial.radiation.composition import Composition

Array = NDArray[np.float64]
AVOGADRO = 6.02214076e23
SHELLS = 31  # xraylib counts them from K to Q3


@cache
def atom_shells(number: int) -> tuple[tuple[float, float], ...]:
    """Return (binding energy in keV, electrons) of every occupied shell of an element, rising in energy."""
    import xraylib

    found = []
    for shell in range(SHELLS):
        try:
            electrons = xraylib.ElectronConfig(number, shell)
        except ValueError:
            continue
        try:
            binding = xraylib.EdgeEnergy(number, shell)
        except ValueError:
            binding = 0.005
        found.append((float(binding), float(electrons)))
    missing = number - sum(electrons for _, electrons in found)
    if missing > 1e-6:
        found.append((0.005, missing))
    return tuple(sorted(found))


def electron_shells(composition: Composition, density: float) -> tuple[Array, Array, float]:
    """Return binding energies (keV, rising), cumulative shares of all electrons, and electrons per nm3."""
    import xraylib

    bindings: list[float] = []
    counts: list[float] = []
    for number, fraction in composition.fractions:
        atoms = density * fraction * AVOGADRO / xraylib.AtomicWeight(number) * 1e-21
        for binding, electrons in atom_shells(number):
            bindings.append(binding)
            counts.append(electrons * atoms)
    order = np.argsort(bindings, kind="stable")
    sorted_counts = np.asarray(counts)[order]
    total = float(sorted_counts.sum())
    shares = np.cumsum(sorted_counts) / total
    shares[-1] = 1.0
    return np.asarray(bindings)[order], shares, total
