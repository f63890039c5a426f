"""Speciation of given solutions as a plain function: one solution, or hundreds of thousands at once.

Mole balances, mass action and activity coefficients as in ``speciation``, which does the same inside a network. A
given pH is held, and an indifferent ion of charge one closes the charge; with no pH, charge balance sets it.
Validity: ionic strength to 0.5 mol/L (Davies) or 0.1 mol/L (extended Debye-Hueckel), 0 to 100 degC; a warning says
when beyond. Sources: stumm_1996, davies_1962; constants in the sheets.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError, SolveError, nearest
from nanotrial.medium.assemblage import Problem, equilibrate
from nanotrial.medium.case import LAWS, Case, activity_law, known_activities, one_problem, proton_totals, read_case
from nanotrial.medium.constants import debye_size, debye_slope
from nanotrial.medium.tableau import LN10, Array, Tableau
from nanotrial.units import registry

PHASE_NAMES = {
    **{"hap": "hydroxyapatite", "ocp": "octacalcium_phosphate", "dcpd": "brushite", "dcpa": "monetite"},
    **{"tcp": "beta_tricalcium_phosphate", "acp": "amorphous_calcium_phosphate", "acc": "amorphous_calcium_carbonate"},
}
# Share of all equivalents that may be closed by an indifferent ion before a warning.
LARGEST_IMBALANCE = 0.05
# Up to so many solutions the compiled method costs more to load than it saves.
ONE_BY_ONE = 50


class ChargeImbalanceWarning(UserWarning):
    """At the given pH the listed ions leave much charge, which an indifferent ion closes."""


class ActivityRangeWarning(UserWarning):
    """A solution lies outside the range of the activity law or of its temperature."""


@dataclass(frozen=True, eq=False)
class Speciation:
    """Species of a solution, or of many: every number has the shape that the inputs broadcast to.

    ``ph`` and ``converged`` are plain; ``molar`` (mol/L), ``ln_activity`` and ``ln_gamma`` have the species on the last
    axis, in the order of ``tableau.species``. Where ``converged`` is false all numbers are not a number.
    """

    tableau: Tableau
    temperature: Any
    activity: str
    ph: Any
    strength: Any
    molar: Array
    ln_activity: Array
    ln_gamma: Array
    y: Array
    converged: Any
    gas: Any = None

    @property
    def ionic_strength(self) -> Any:
        """Return the ionic strength (quantity, mol/L)."""
        return _quantity(self.strength, "mol/L")

    @cached_property
    def concentrations(self) -> dict[str, Any]:
        """Return the concentration of every species (quantity, mol/L)."""
        return {n: _quantity(_plain(self.molar[..., i]), "mol/L") for i, n in enumerate(self.tableau.species)}

    @cached_property
    def activities(self) -> dict[str, Any]:
        """Return the activity of every species (molar scale)."""
        return {n: _plain(np.exp(self.ln_activity[..., i])) for i, n in enumerate(self.tableau.species)}

    @cached_property
    def gammas(self) -> dict[str, Any]:
        """Return the activity coefficient of every species."""
        return {n: _plain(np.exp(self.ln_gamma[..., i])) for i, n in enumerate(self.tableau.species)}

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Return the dissolved total of every component (quantity, mol/L)."""
        sums = self.molar @ self.component_counts
        return {c: _quantity(_plain(sums[..., i]), "mol/L") for i, c in enumerate(self.tableau.components)}

    @property
    def component_counts(self) -> Array:
        """Return how often each species (rows) holds each component (columns)."""
        return self.tableau.counts[:, :-1]

    @property
    def closing_charge(self) -> Any:
        """Return the charge that an indifferent ion adds (quantity, mol/L of charge; negative for an anion)."""
        return _quantity(_plain(-(self.molar @ self.tableau.charges)), "mol/L")

    @property
    def pco2(self) -> Any:
        """Return the pressure of carbon dioxide over the solution (quantity, atm); None without carbonate."""
        if self.gas is None:
            return None
        name, per_atmosphere = self.gas
        activity = np.exp(self.ln_activity[..., self.tableau.species.index(name)])
        return _quantity(_plain(activity / per_atmosphere), "atm")

    def saturation_index(self, phase: str) -> Any:
        """Return log10(ion product / K) of a phase; minus infinity where one of its ions is absent.

        Arguments:
            phase: id such as ``hydroxyapatite``, or a short name such as ``HAP``.

        Raises:
            CatalogueError: no such phase; the nearest names are given.
        """
        identifier = phase_id(phase, self.tableau)
        if identifier not in self.tableau.phases:
            return _plain(np.full(np.shape(self.molar)[:-1], -np.inf))
        return self.saturation_indices()[identifier]

    def saturation_indices(self) -> dict[str, Any]:
        """Return the saturation index of every phase whose components are listed, by id."""
        _, ln_k = self.tableau.ln_constants(np.asarray(self.temperature))
        found = {}
        for i, name in enumerate(self.tableau.phases):
            row = self.tableau.phase_counts[i]
            used = np.flatnonzero(row)
            found[name] = _plain((self.y[..., used] @ row[used] - ln_k[..., i]) / LN10)
        return found

    def __getitem__(self, species: str) -> Any:
        """Return the concentration of a species (quantity, mol/L)."""
        if species not in self.concentrations:
            raise InputError(
                "species", f"`{species}`", "a dissolved species of this solution", nearest(species, self.concentrations)
            )
        return self.concentrations[species]


def speciate(
    totals: Mapping[str, Any],
    ph: Any,
    temperature: Any,
    ionic_strength: Any = None,
    co2: Any = None,
    *,
    activity: str = "davies",
    catalogue: Catalogue | None = None,
) -> Speciation:
    """Return the species, activities and saturation of solutions at equilibrium.

    Equation: c_s = K_s prod a^nu / gamma_s with T = sum nu c_s for every component. Quantities with arrays give many
    solutions; all inputs broadcast.

    Arguments:
        totals: formula, element, species or component to ``"2.5 mmol/L"`` or a quantity; a formula adds all its
            components, hydrogen and oxygen left out.
        ph: -log10 of the activity of H+, held by an indifferent ion; None lets the charge of the listed ions set it, so
            that sodium, chloride and the like must all be listed.
        temperature: ``"37 degC"`` or a quantity.
        ionic_strength: held at this (``"0.15 mol/L"``); None computes it.
        co2: gas above the solution, as a share of one atmosphere (``"5 %"``) or a pressure (``"40 mmHg"``); it sets
            the carbonate, whatever the totals say of it.
        activity: ``davies`` or ``extended_debye_hueckel`` (ions without a size in their sheet keep Davies).
        catalogue: sheets to use; None means those of the package.

    Raises:
        InputError: wrong or negative totals, a missing unit, an unknown activity law.
        SolveError: a single solution without equilibrium; among many, ``converged`` is false for it.
    """
    case = read_case(totals, ph, temperature, ionic_strength, co2, activity, catalogue or Catalogue())
    found = solve_case(case)
    warn_of_range(found)
    if ph is not None:
        _warn_of_charge(found)
    return found


def saturation_index(
    phase: str,
    totals: Mapping[str, Any],
    ph: Any,
    temperature: Any,
    *,
    ionic_strength: Any = None,
    co2: Any = None,
    activity: str = "davies",
    catalogue: Catalogue | None = None,
) -> Any:
    """Return log10(ion product / K) of a phase in a solution; inputs as for ``speciate``.

    Raises:
        CatalogueError: no such phase; the nearest names are given.
    """
    sheets = catalogue or Catalogue()
    identifier = known_phase(phase, sheets)
    found = speciate(totals, ph, temperature, ionic_strength, co2, activity=activity, catalogue=sheets)
    return found.saturation_index(identifier)


def known_phase(phase: str, catalogue: Catalogue) -> str:
    """Return the id of a phase from its id or short name; an unknown one raises with the nearest names."""
    identifier = PHASE_NAMES.get(phase.lower(), phase)
    known = catalogue.ids("phases")
    if identifier not in known:
        raise CatalogueError("phase", f"`{phase}`", "a phase of the catalogue", nearest(identifier, known))
    return identifier


def phase_id(phase: str, tableau: Tableau) -> str:
    """Return the id of a phase that a tableau or its catalogue knows."""
    identifier = PHASE_NAMES.get(phase.lower(), phase)
    return identifier if identifier in tableau.phases else known_phase(phase, Catalogue(*tableau.folders[:-1]))


def solve_case(case: Case) -> Speciation:
    """Return the speciation of a case: compiled where there are many, else one by one."""
    tableau, count = case.tableau, len(case.totals)
    y = known_activities(case)
    if count > ONE_BY_ONE:
        strength, converged = _solve_many(case, y)
    else:
        strength, converged = np.full(count, np.nan), np.zeros(count, bool)
    for i in np.flatnonzero(~converged):
        try:
            problem = one_problem(case, int(i))
            found = equilibrate(_without_phases(problem))
        except SolveError:
            if count == 1:
                raise
            y[i], strength[i] = np.nan, np.nan
            continue
        y[i], strength[i], converged[i] = found.y, found.strength, True
    ln_k, _ = tableau.ln_constants(case.temperature)
    slope = LN10 * np.array([debye_slope(t) for t in case.temperature])
    per_size = np.array([debye_size(t) for t in case.temperature])
    ln_gamma, _ = activity_law(case.activity, tableau, strength, slope, per_size)
    ln_activity = _product(tableau.counts, y) + ln_k
    molar = np.exp(ln_activity - ln_gamma)
    shape = case.shape

    def shaped(x: Array) -> Any:
        return _plain(x.reshape((*shape, *x.shape[1:])))

    degrees = case.temperature[0] if len(case.temperature) == 1 else case.temperature.reshape(shape)
    return Speciation(
        *(tableau, degrees, case.activity, shaped(-y[:, -1] / LN10), shaped(strength)),
        *(shaped(molar), shaped(ln_activity), shaped(ln_gamma), shaped(y)),
        *(_plain(converged.reshape(shape)), case.gas),
    )


def _product(counts: Array, y: Array) -> Array:
    """Return y E^T where absent components are minus infinity: what holds none of them stays finite."""
    absent = np.isneginf(y)
    found: Array = np.where(absent, 0.0, y) @ counts.T
    if absent.any():
        found[(absent.astype(float) @ np.abs(counts.T)) > 0] = -np.inf
    return found


def _without_phases(problem: Problem) -> Problem:
    return replace(problem, phase_counts=problem.phase_counts[:0], phase_ln_k=problem.phase_ln_k[:0])


def _solve_many(case: Case, y: Array) -> tuple[Array, Any]:
    """Fill y and return ionic strengths and whether each converged."""
    from nanotrial.medium.newton import DAVIES, EXTENDED, solve_many

    ln_k, _ = case.tableau.ln_constants(case.temperature)
    water = np.array([[LN10 * debye_slope(t), debye_size(t)] for t in case.temperature])
    held = np.full(len(y), -1.0) if case.strength is None else case.strength
    law = DAVIES if case.activity == "davies" else EXTENDED
    tableau = case.tableau
    _, strength, converged = solve_many(
        ln_k, y, proton_totals(case), tableau.counts, tableau.charges, law, tableau.size, water, held
    )
    # What did not converge starts again from what is given.
    y[~converged] = known_activities(case)[~converged]
    return strength, converged


def warn_of_range(found: Speciation) -> None:
    """Warn by name where an activity law or the temperature is outside its range."""
    limit, most = LAWS[found.activity], float(np.nanmax(np.asarray(found.strength), initial=0.0))
    if most > limit:
        text = f"{found.activity}: ionic strength {most:.3g} mol/L is above its limit of {limit} mol/L"
        warnings.warn(text, ActivityRangeWarning, stacklevel=_callers_level())
    celsius = np.asarray(found.temperature) - 273.15
    if celsius.min() < 0 or celsius.max() > 100:
        text = f"{found.activity}: temperature {celsius.min():.4g} to {celsius.max():.4g} degC, limits 0 and 100 degC"
        warnings.warn(text, ActivityRangeWarning, stacklevel=_callers_level())


def _warn_of_charge(found: Speciation) -> None:
    net = np.asarray(found.molar @ found.tableau.charges)
    share = np.abs(net) / (found.molar @ np.abs(found.tableau.charges))
    if not np.any(share > LARGEST_IMBALANCE):
        return
    worst = int(np.nanargmax(share.ravel()))
    added, count = -float(net.ravel()[worst]), int(np.sum(share > LARGEST_IMBALANCE))
    which = f" (worst of {count} solutions)" if share.size > 1 else ""
    text = (
        f"the listed ions leave {100 * share.ravel()[worst]:.3g} % of all charge open at the given pH{which}: "
        f"closed by {abs(added) * 1e3:.4g} mmol/L of an indifferent {'cation' if added > 0 else 'anion'}. "
        f"List the counter-ions, or pass ph=None."
    )
    warnings.warn(text, ChargeImbalanceWarning, stacklevel=_callers_level())


def _callers_level() -> int:
    """Return the stack level of the first line outside this package, which a warning should point at."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("nanotrial."):
        frame, level = frame.f_back, level + 1
    return level


def _quantity(number: Any, unit: str) -> Any:
    return registry().Quantity(number, unit)


def _plain(number: Any) -> Any:
    """Return a Python number for an array without axes."""
    if np.ndim(number):
        return number
    return bool(number) if np.asarray(number).dtype == bool else float(number)
