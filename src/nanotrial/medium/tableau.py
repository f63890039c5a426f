"""The tableau of a solution: which species and phases its components make, as matrices.

With y the natural logarithms of the activities of the components and of H+,

    ln c_s = ln K_s + sum_k E_sk y_k - ln gamma_s         species, the proton being the last column of E
    ln Omega_p = sum_k N_pk y_k - ln K_p                  phases
    log10 K(T) = log10 K(298.15 K) + van 't Hoff shift

Sources: stumm_1996 (tableau); constants in the sheets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium.constants import ATMOSPHERE, species_charge, van_t_hoff

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.catalogue.schema import AqueousSpecies, Gas, Solute
    from nanotrial.values import Value

Array = NDArray[np.float64]
CARBONATE = "carbonate"
LN10 = math.log(10.0)


@dataclass(frozen=True, eq=False)
class Tableau:
    """Species (rows: masters, then what they make, H+, OH-) and phases over components and the proton (columns).

    Counts are pure numbers, ``log_k`` at 298.15 K on the molar scale, ``enthalpy`` in J/mol, ``size`` in m (not a
    number where the sheet has none). ``gas`` is the column of the component held by a gas, or -1.
    """

    components: tuple[str, ...]
    species: tuple[str, ...]
    counts: Array
    charges: Array
    log_k: Array
    enthalpy: Array
    size: Array
    phases: tuple[str, ...]
    phase_counts: Array
    phase_log_k: Array
    phase_enthalpy: Array
    folders: tuple[Path, ...]
    gas: int = -1

    @property
    def component_charges(self) -> Array:
        """Return the charge of each component; 0 for the one a gas holds, whose form is then the neutral gas."""
        charges = np.array(self.charges[: len(self.components)])
        if self.gas >= 0:
            charges[self.gas] = 0.0
        return charges

    def ln_constants(self, temperature: Array) -> tuple[Array, Array]:
        """Return ln K of the species and of the phases at temperatures (K; any shape, species on the last axis)."""
        shift = np.asarray([van_t_hoff(1.0, t) for t in np.ravel(temperature)]).reshape(np.shape(temperature))[
            ..., None
        ]
        return LN10 * (self.log_k + self.enthalpy * shift), LN10 * (self.phase_log_k + self.phase_enthalpy * shift)

    def open_to_gas(self, species: str) -> Tableau:
        """Return the tableau in which carbonate is written from its dissolved gas (``species``) instead."""
        k, s = self.components.index(CARBONATE), self.species.index(species)
        held, gas = self.counts[:, k].copy(), self.counts[s].copy()
        gas[k] = 0.0
        counts, phase_counts = self.counts - np.outer(held, gas), self.phase_counts.copy()
        in_phase = phase_counts[:, k].copy()
        return replace(
            self,
            counts=counts,
            log_k=self.log_k - held * self.log_k[s],
            enthalpy=self.enthalpy - held * self.enthalpy[s],
            phase_counts=phase_counts - np.outer(in_phase, gas),
            phase_log_k=self.phase_log_k + in_phase * self.log_k[s],
            phase_enthalpy=self.phase_enthalpy + in_phase * self.enthalpy[s],
            gas=k,
        )


def read_tableau(components: tuple[str, ...], catalogue: Catalogue, phases: tuple[str, ...] | None = None) -> Tableau:
    """Return the tableau of components (ids) with every species and phase of the catalogue they can make.

    Arguments:
        components: ids of dissolved components.
        catalogue: where the sheets are.
        phases: the phases to keep, or None for all that the components can form.
    """
    return _read(tuple(sorted(components)), catalogue.folders, phases)


@lru_cache(maxsize=128)
def _read(components: tuple[str, ...], folders: tuple[Path, ...], phases: tuple[str, ...] | None) -> Tableau:
    catalogue = Catalogue(*folders[:-1])
    sheets = {c: catalogue.load("solutes", c) for c in components}
    names, counts, charges, log_k, enthalpy, size = _species_rows(sheets, catalogue)
    kept, phase_counts, phase_log_k, phase_enthalpy = [], [], [], []
    for identifier in phases if phases is not None else catalogue.ids("phases"):
        phase: Phase = catalogue.load("phases", identifier)
        ions = {n: c for n, c in phase.ion_product.items() if n != "H2O"}
        if not set(ions) <= set(names):
            continue
        rows = [names.index(n) for n in ions]
        times = np.array([float(c) for c in ions.values()])
        kept.append(identifier)
        # A product written with HPO4-2 or OH- is carried to masters and protons.
        phase_counts.append(times @ counts[rows])
        phase_log_k.append(phase.log_k.value - times @ log_k[rows])
        phase_enthalpy.append(_joules(phase.enthalpy) - times @ enthalpy[rows])
    return Tableau(
        *(components, tuple(names), counts, charges, log_k, enthalpy, size, tuple(kept)),
        *(
            np.array(phase_counts).reshape(len(kept), len(components) + 1),
            np.array(phase_log_k),
            np.array(phase_enthalpy),
        ),
        folders,
    )


def _joules(value: Value | None) -> float:
    return 0.0 if value is None else value.si


def _metres(value: Value | None) -> float:
    return math.nan if value is None else value.si


def _species_rows(
    sheets: dict[str, Solute], catalogue: Catalogue
) -> tuple[list[str], Array, Array, Array, Array, Array]:
    """Return names, counts, charges, log K, enthalpies (J/mol) and sizes (m) of all species."""
    order = list(sheets)
    made: list[AqueousSpecies] = [s for one in sheets.values() for s in one.species if set(s.components) <= set(order)]
    water, width = catalogue.water(), len(order) + 1
    names = [s.master for s in sheets.values()] + [s.name for s in made] + ["H+", "OH-"]
    counts = np.zeros((len(names), width))
    counts[: len(order), : len(order)] = np.eye(len(order))
    for row, species in enumerate(made, len(order)):
        counts[row, -1] = species.protons
        for component, count in species.components.items():
            counts[row, order.index(component)] = count
    counts[-2, -1], counts[-1, -1] = 1.0, -1.0
    own = {i: s.charge for i, s in sheets.items()}
    charges = [*own.values(), *(species_charge(s, own) for s in made), 1, -1]
    none = [0.0] * len(order)
    log_k = [*none, *(s.log_k.value for s in made), 0.0, water.log_k.value]
    enthalpy = [*none, *(_joules(s.enthalpy) for s in made), 0.0, water.enthalpy.si]
    sizes = [s.ion_size for s in sheets.values()] + [s.ion_size for s in made]
    size = [*(_metres(s) for s in sizes), math.nan, math.nan]
    return names, counts, np.array(charges, float), np.array(log_k), np.array(enthalpy), np.array(size)


def dissolved_gas(gas: Gas, pressure: Array | float, temperature: Array) -> Array:
    """Return the concentration (mol/L) of a dissolved gas under its pressure (Pa): Henry's law, van 't Hoff."""
    atmospheres = np.asarray(pressure) / ATMOSPHERE
    heat = np.vectorize(lambda t: van_t_hoff(gas.henry_enthalpy.si, t))(temperature)
    solubility = gas.henry_constant.si * ATMOSPHERE * 1e-3
    found: Array = solubility * 10.0**heat * atmospheres
    return found
