"""Tables of the elements on a dense grid of energies, with both sides of every edge.

To 800 keV the cross sections of xraylib (schoonjans_2011: those of XCOM, as in the NIST tables), above it points of
XCOM (``high_energy``), coherent scattering falling as 1/E^2. Energy absorption is put together here:

    mu_en = tau (1 - X/E) (1 - g) + sigma (<T> - X')/E (1 - g) + kappa (1 - 2 m c2 / E) (1 - g)

with the fluorescence X per photoelectric and X' per Compton event, the mean energy <T> of Compton electrons, and the
share g of their energy that electrons radiate, different for each process. xraylib has mass energy absorption too
(CS_Energy), but above the K edge of heavy elements it is too large: gold 2.69 instead of 2.51 cm2/g at 80.73 keV, and
four times too large at 800 keV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nanotrial.radiation.arguments import Array
from nanotrial.radiation.composition import atomic_weight
from nanotrial.radiation.energy_transfer import (
    compton_fluorescence,
    compton_radiated,
    compton_share,
    pair_radiated,
    radiated_share,
)
from nanotrial.radiation.fluorescence import fluorescence_energy, shell_edges
from nanotrial.radiation.high_energy import (
    JOIN,
    THRESHOLD,
    incoherent_cross_section,
    pair_cross_section,
    photoelectric_fall,
)

LOWEST, HIGHEST = 1.0, 20000.0  # keV
AVOGADRO = 6.02214076e23
# The place of a jump in the cross sections and the edge may differ by as much.
MISPLACED = 6e-3
PROCESSES = ("absorption", "photoelectric", "incoherent", "coherent", "pair")


@dataclass(frozen=True)
class ElementTable:
    """Logarithms of energies (keV), rising, each edge twice; rows of cross sections (cm2/g) by process."""

    log_energies: Array
    rows: Array


@lru_cache(maxsize=128)
def element_table(z: int) -> ElementTable:
    """Return the table of an element."""
    energies, asked = _energies(z)
    photo = _photoelectric(z, asked)
    incoherent, coherent = _scattering(z, energies)
    pair = pair_cross_section(z, energies) * AVOGADRO / atomic_weight(z)
    fluorescent = fluorescence_energy(z, energies)
    # The electrons of a photoelectric event share its energy; the photoelectron has most of it.
    kept = (1.0 - fluorescent / energies) * (1.0 - radiated_share(z, energies - fluorescent))
    gained = np.maximum(compton_share(z, energies) - compton_fluorescence(z, energies) / energies, 0.0)
    scattered = gained * (1.0 - compton_radiated(z, energies))
    surplus = np.maximum(energies - THRESHOLD, 0.0)
    born = surplus / energies * (1.0 - pair_radiated(z, surplus))
    absorption = photo * kept + incoherent * scattered + pair * born
    rows = np.array([absorption, photo, incoherent, coherent, pair])
    return ElementTable(np.log(energies), np.log(np.maximum(rows, 1e-30)))


def _energies(z: int) -> tuple[Array, Array]:
    """Return the energies of the grid, edges twice, and the energies to ask xraylib at (beside its own jumps)."""
    plain = np.unique(np.concatenate([np.geomspace(LOWEST, HIGHEST, 700), [JOIN, THRESHOLD, 1500.0]]))
    jumps = [(edge, _jump(z, edge)) for edge in shell_edges(z).values() if LOWEST * 1.001 < edge < JOIN]
    for edge, _ in jumps:
        plain = plain[np.abs(plain / edge - 1.0) > MISPLACED]
    pairs = [(e, e) for e in plain]
    for edge, jump in jumps:
        pairs += [(edge * (1.0 - 3e-12), jump * (1.0 - 2e-5)), (edge * (1.0 - 1e-12), jump * (1.0 + 2e-5))]
    pairs.sort()
    energies, asked = np.array(pairs).T
    return energies, asked


def _jump(z: int, edge: float) -> float:
    """Return where the photoelectric cross section of xraylib jumps near an edge: the steepest step, then halved."""
    import xraylib

    places = edge * np.linspace(1.0 - MISPLACED, 1.0 + MISPLACED, 161)
    values = np.log([xraylib.CS_Photo(z, e) for e in places])
    step = int(np.argmax(np.diff(values)))
    low, high, first = places[step], places[step + 1], values[step]
    while high / low > 1.0 + 1e-6:
        middle = 0.5 * (low + high)
        risen = np.log(xraylib.CS_Photo(z, middle)) - first > 0.5 * (values[step + 1] - first)
        low, high = (low, middle) if risen else (middle, high)
    return float(0.5 * (low + high))


def _photoelectric(z: int, asked: Array) -> Array:
    import xraylib

    below = np.array([xraylib.CS_Photo(z, min(e, JOIN)) for e in asked])
    return np.asarray(below * photoelectric_fall(z, asked))


def _scattering(z: int, energies: Array) -> tuple[Array, Array]:
    import xraylib

    inner = np.minimum(energies, JOIN)
    bound = np.array([xraylib.CS_Compt(z, e) for e in inner])
    coherent = np.array([xraylib.CS_Rayl(z, e) for e in inner]) * (inner / energies) ** 2
    per_gram = z * AVOGADRO / atomic_weight(z)
    free = incoherent_cross_section(energies) * per_gram
    missing = xraylib.CS_Compt(z, JOIN) / (incoherent_cross_section(np.array([JOIN]))[0] * per_gram) - 1.0
    return np.where(energies > JOIN, free * (1.0 + missing * (JOIN / energies) ** 2), bound), coherent
