"""A request for an equilibrium in bare numbers: totals, what is held, and the law of activity.

    log10 gamma = -A z^2 (sqrt(I) / (1 + sqrt(I)) - 0.3 I)          davies
    log10 gamma = -A z^2 sqrt(I) / (1 + B a sqrt(I))                extended_debye_hueckel, a from the sheet
    T_H = -sum_k z_k T_k                                            electroneutrality, as a mole balance of protons

Sources: davies_1962, stumm_1996.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, nearest
from nanotrial.medium.assemblage import Problem
from nanotrial.medium.constants import ATMOSPHERE, debye_size, debye_slope
from nanotrial.medium.formulas import read_quantity, read_totals
from nanotrial.medium.tableau import CARBONATE, LN10, Array, Tableau, dissolved_gas, read_tableau
from nanotrial.units import dimension_of

# Each law and the ionic strength (mol/L) up to which it holds.
LAWS = {"davies": 0.5, "extended_debye_hueckel": 0.1}


@dataclass(frozen=True)
class Case:
    """A request in bare numbers, flat: totals (n, components) and T in mol/L and K; ``shape`` is that of the inputs."""

    tableau: Tableau
    shape: tuple[int, ...]
    totals: Array
    ph: Array | None
    temperature: Array
    strength: Array | None
    ln_gas: Array | None
    activity: str
    gas: tuple[str, Array] | None


def read_case(
    totals: Mapping[str, Any],
    ph: Any,
    temperature: Any,
    ionic_strength: Any,
    co2: Any,
    activity: str,
    catalogue: Catalogue,
    phases: tuple[str, ...] | None = None,
    more: tuple[str, ...] = (),
) -> Case:
    """Return a request in bare numbers; ``more`` names components that seeds bring."""
    if activity not in LAWS:
        raise InputError("activity", f"`{activity}`", " or ".join(f"`{n}`" for n in LAWS), nearest(activity, LAWS))
    sheets = catalogue.solutes()
    amounts = {c: np.asarray(t) * 1e-3 for c, t in read_totals(totals, sheets).items()}
    degrees = np.asarray(read_quantity(temperature, "K", "temperature"))
    if np.any(degrees <= 0):
        raise InputError("temperature", f"{float(degrees.min()):.4g} K", "a temperature above 0 K")
    wanted = None if ph is None else _read_ph(ph)
    held = (
        None if ionic_strength is None else np.asarray(read_quantity(ionic_strength, "mol/L", "ionic_strength")) * 1e-3
    )
    if held is not None and np.any(held <= 0):
        raise InputError("ionic_strength", f"{float(held.min()):.4g} mol/L", "more than zero")
    pressure = None if co2 is None else read_pressure(co2)
    names = tuple(sorted({*amounts, *more, *([CARBONATE] if co2 is not None else [])}))
    tableau = read_tableau(names, catalogue, phases)
    inputs = [*amounts.values(), degrees, *(x for x in (wanted, held, pressure) if x is not None)]
    shape = np.broadcast_shapes(*(np.shape(x) for x in inputs))
    count = math.prod(shape)

    def flat(x: Any) -> Array:
        return np.ascontiguousarray(np.broadcast_to(x, shape), float).reshape(count)

    columns = [flat(amounts.get(c, 0.0)) for c in tableau.components]
    # One temperature for all keeps the constants in one row.
    hot = np.atleast_1d(degrees) if degrees.ndim == 0 else flat(degrees)
    ln_gas, gas = None, None
    if CARBONATE in tableau.components:
        sheet = sheets[CARBONATE].gas
        assert sheet is not None
        gas = (sheet.species, dissolved_gas(sheet, ATMOSPHERE, degrees))
        if pressure is not None:
            tableau = tableau.open_to_gas(sheet.species)
            ln_gas = flat(np.log(dissolved_gas(sheet, pressure, degrees)))
    return Case(
        *(tableau, shape, np.stack(columns, axis=1), None if wanted is None else flat(wanted), hot),
        *(None if held is None else flat(held), ln_gas, activity, gas),
    )


def _read_ph(ph: Any) -> Array:
    try:
        numbers = np.asarray(ph, float)
    except (TypeError, ValueError) as error:
        raise InputError("ph", f"{ph!r}", "a number such as 7.4, or None for charge balance") from error
    if not np.all((numbers > -2) & (numbers < 16)):
        raise InputError("ph", f"{ph!r}"[:60], "a number from -2 to 16, or None for charge balance")
    return numbers


def read_pressure(co2: Any) -> Array:
    """Return the pressure (Pa) of a gas given as a share of one atmosphere or as a pressure."""
    share = isinstance(co2, int | float) and not isinstance(co2, bool)
    if isinstance(co2, str):
        unit = co2.strip().lstrip("+-.0123456789eE").strip()
        share = unit in ("", "%") or dimension_of(unit, "co2").is_number
    elif hasattr(co2, "units"):
        share = dimension_of(str(co2.units), "co2").is_number
    found = np.asarray(read_quantity(co2, "1" if share else "Pa", "co2")) * (ATMOSPHERE if share else 1.0)
    if np.any(found <= 0) or (share and np.any(found > ATMOSPHERE)):
        raise InputError("co2", f"`{co2}`", 'a share from 0 to 1 ("5 %") or a pressure ("40 mmHg") above zero')
    return found


def known_activities(case: Case) -> Array:
    """Return ln activities that are given, (n, components + 1): pH, gas, absent components; else not a number."""
    known = np.full((len(case.totals), case.totals.shape[1] + 1), np.nan)
    known[:, :-1][case.totals <= 0] = -np.inf
    if case.ln_gas is not None:
        known[:, case.tableau.gas] = case.ln_gas
    if case.ph is not None:
        known[:, -1] = -LN10 * case.ph
    return known


def proton_totals(case: Case) -> Array:
    """Return totals of components and protons (mol/L): electroneutrality is T_H = -sum z_k T_k, (n, components + 1)."""
    return np.column_stack([case.totals, -case.totals @ case.tableau.component_charges])


def one_problem(case: Case, i: int) -> Problem:
    """Return the problem of one solution of a case, its phases included."""
    tableau, degrees = case.tableau, float(case.temperature[i % len(case.temperature)])
    ln_k, phase_ln_k = tableau.ln_constants(np.array(degrees))
    slope, per_size = LN10 * debye_slope(degrees), debye_size(degrees)

    def ln_gamma(strength: float) -> tuple[Array, Array]:
        return activity_law(case.activity, tableau, np.array(strength), slope, per_size)

    return Problem(
        *(tableau.counts, tableau.charges, ln_k, tableau.phase_counts, phase_ln_k),
        *(proton_totals(case)[i], known_activities(case)[i], ln_gamma),
        None if case.strength is None else float(case.strength[i]),
    )


def activity_law(law: str, tableau: Tableau, strength: Any, slope: Any, per_size: Any) -> tuple[Array, Array]:
    """Return ln gamma of the species (last axis) and its derivative to ln I.

    Arguments:
        law: ``davies`` (constant above 1 mol/L) or ``extended_debye_hueckel``.
        tableau: charges and sizes.
        strength: ionic strength (mol/L), any shape.
        slope: ln10 A ((mol/L)^-1/2).
        per_size: B (1/m (mol/L)^-1/2).
    """
    capped = np.minimum(strength, 1.0)
    root, squares = np.sqrt(capped), tableau.charges**2
    value = -slope * (root / (1 + root) - 0.3 * capped)
    turn = np.where(np.asarray(strength) < 1.0, -slope * (0.5 * root / (1 + root) ** 2 - 0.3 * capped), 0.0)
    ln_gamma, turns = value[..., None] * squares, turn[..., None] * squares
    if law == "extended_debye_hueckel":
        sized = ~np.isnan(tableau.size)
        full = np.sqrt(np.asarray(strength))[..., None]
        below = 1 + np.asarray(per_size)[..., None] * np.where(sized, tableau.size, 0.0) * full
        steep = -np.asarray(slope)[..., None] * squares * full / below
        ln_gamma, turns = np.where(sized, steep, ln_gamma), np.where(sized, 0.5 * steep / below, turns)
    return ln_gamma, turns
