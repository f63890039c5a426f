"""Survival of cells after any dose, at any pressure of oxygen, on any schedule.

    S     = sum_f w_f exp(-L_f),   L_f = n L(d; G) + beta min(d, D_t)^2 sum_pairs
    d     = dose of one fraction times OER(p) / OER(p_0)

Phases f of the cycle have alpha and beta of their own; without phases the asynchronous constants hold. G and the sum
over pairs come from ``schedules``. Beyond the threshold pairs of lesions of different fractions count as at the
threshold. Validity: as ``linear_quadratic``, ``schedules`` and ``oxygen`` say; no repopulation. Sources: in the sheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_quadratic import Sensitivity, draw_sensitivity, lethal_lesions, read_sensitivity
from nanotrial.cell.oxygen import enhance, equivalent_pressure, read_pressure, scale_constant
from nanotrial.cell.schedules import Schedule, check_total, read_schedule
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantities, read_quantity

PHASES = ("g1", "s", "g2m")


def survival(
    cells: object,
    absorbed_dose: object,
    oxygen: object = None,
    schedule: object = None,
    *,
    thiol: object = None,
    sensitisers: Mapping[str, object] | None = None,
    phases: Mapping[str, float] | str | None = None,
    draws: int | None = None,
    seed: int | None = None,
) -> Any:
    """Return the share of cells that survives: S = exp(-alpha D - G beta D^2), straight beyond the threshold dose.

    Arguments:
        cells: id of a line, a Sensitivity, or a mapping such as ``{"alpha": "0.2 1/Gy", "beta": "0.02 1/Gy^2"}``.
        absorbed_dose: total doses, text or quantity of any shape.
        oxygen: pressure during the dose, or a share of the gas (``"1 %"``); None is that at which alpha and beta hold.
        schedule: None (acute), a dose rate ``"2 Gy/min"``, ``"over 3 h"``, ``"5 fractions every 24 h at 1 Gy/min"``,
            ``"5 x 2 Gy every 24 h"``, ``"half-life 6 d"``, or a Schedule.
        thiol: concentration in the cells, which scales the constant of oxygen.
        sensitisers: id -> concentration; they count as further oxygen.
        phases: shares of g1, s and g2m (sum 1); ``"asynchronous"`` takes the shares of the line's sheet.
        draws, seed: so many draws from the spreads of the line, for a band; only for a line of the catalogue.

    Returns:
        A number, or an array of the shape of ``absorbed_dose``; with ``draws`` a DataArray with ``draw`` first.

    Raises:
        CatalogueError: an unknown line or sensitiser. UnitError: a wrong unit.
        InputError: a negative dose or pressure, a dose rate of zero, fractions that overlap, shares that do not sum.

    Validity: photons and electrons, up to about 15 Gy per fraction. Sources: those of the sheets.
    """
    dose = read_quantities(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    plan = read_schedule(schedule)
    check_total(plan, dose)
    known = read_sensitivity(cells) if draws is None else _drawn(cells, draws, seed)
    if draws is not None:
        known = _columns(known, dose.ndim)
    effective = _oxygen_ratio(known, oxygen, thiol, sensitisers)
    shares, scales = _phases(phases, known)
    total = np.zeros(np.broadcast_shapes(dose.shape, np.shape(known.alpha)))
    for share, (first, second) in zip(shares, scales, strict=True):
        part = replace(known, alpha=known.alpha * first, beta=known.beta * second)
        total = total + share * np.exp(-lethal_after(part, dose, plan, effective))
    if draws is None:
        return total if total.ndim else float(total)
    return _labelled(total, dose)


def lethal_after(cells: Sensitivity, dose: Array, schedule: Schedule, effective: Array | float = 1.0) -> Array:
    """Return the mean number of lethal lesions after total doses (Gy) on a schedule; ``effective`` scales the dose."""
    n = schedule.fractions
    within: Array | float = 1.0
    between: Array | float = 0.0
    if schedule.dose_rate is not None or schedule.duration or schedule.half_life is not None or n > 1:
        if cells.repair_half_time is None:
            raise InputError("cells", "no half-time of repair", "`repair_half_time` for a dose that takes time")
        within, between = schedule.pair_factors(dose, cells.repair_half_time)
    each = dose * effective / n
    bent = np.minimum(each, cells.threshold_dose)
    alone = lethal_lesions(each, cells.alpha, cells.beta, cells.threshold_dose, within)
    return np.asarray(n * alone + cells.beta * bent**2 * between)


def _oxygen_ratio(cells: Sensitivity, oxygen: object, thiol: object, sensitisers: Mapping[str, object] | None) -> Array:
    """Return OER(p) / OER(p_0): by what the dose counts more than where alpha and beta were measured."""
    if oxygen is None and thiol is None and not sensitisers:
        return np.asarray(1.0)
    if cells.oxygen is None:
        raise InputError("cells", "no oxygen", "`oxygen`: the pressure at which alpha and beta hold")
    sheet = Catalogue().load("damage_and_repair", "mammalian")
    maximum, half = sheet.oxygen_maximum.si, f"{sheet.oxygen_constant.value!r} {sheet.oxygen_constant.unit}"
    constant = read_quantity(half, "mmHg", "oxygen_constant")
    reference = float(enhance(np.asarray(cells.oxygen), maximum, constant))
    if thiol is not None:
        per_litre = f"{sheet.reference_thiol.value!r} {sheet.reference_thiol.unit}"
        constant = float(scale_constant(thiol, half, per_litre).magnitude)
    pressure = read_pressure(f"{cells.oxygen!r} mmHg" if oxygen is None else oxygen)
    if sensitisers:
        pressure = equivalent_pressure(_in_mmhg(pressure), sensitisers)
    return enhance(pressure, maximum, max(constant, 1e-9)) / reference


def _in_mmhg(pressure: Array) -> Any:
    from nanotrial.radiation.arguments import quantity

    return quantity(pressure, "mmHg")


def _phases(
    phases: Mapping[str, float] | str | None, cells: Sensitivity
) -> tuple[list[float], list[tuple[float, float]]]:
    """Return shares of phases, and their alpha and beta relative to those of the asynchronous culture."""
    if phases is None:
        return [1.0], [(1.0, 1.0)]
    if isinstance(phases, str):
        if phases != "asynchronous":
            raise InputError("phases", f"`{phases}`", "`asynchronous`, or shares of g1, s and g2m")
        line = Catalogue().load("radiosensitivity", cells.name, "phases")
        given = {phase: getattr(line, f"{phase}_share").si for phase in PHASES}
        given = {phase: share / sum(given.values()) for phase, share in given.items()}
    else:
        given = {str(phase): float(share) for phase, share in phases.items()}
    for phase, share in given.items():
        if phase not in PHASES:
            raise InputError("phases", f"`{phase}`", "g1, s or g2m", nearest(phase, PHASES))
        if not 0.0 <= share <= 1.0:
            raise InputError(f"phases.{phase}", f"{share:g}", "a share of 0 to 1")
    if abs(sum(given.values()) - 1.0) > 1e-6:
        raise InputError("phases", f"shares that sum to {sum(given.values()):g}", "shares that sum to 1")
    sheet = Catalogue().load("damage_and_repair", "mammalian")
    scales = [(sheet.phase_alpha[phase].si, sheet.phase_beta[phase].si) for phase in given]
    return list(given.values()), scales


def _drawn(cells: object, draws: int, seed: int | None) -> Sensitivity:
    if not isinstance(cells, str):
        raise InputError("draws", "cells that are no line of the catalogue", "a line, whose sheet says the spreads")
    if seed is None:
        raise InputError("seed", "nothing", "a seed for the draws")
    return draw_sensitivity(cells, draws, seed)


def _columns(cells: Sensitivity, dimensions: int) -> Sensitivity:
    """Return drawn constants with an axis for each of those of the dose behind that of the draws."""
    names = ("alpha", "beta", "threshold_dose", "repair_half_time")
    return replace(cells, **{n: getattr(cells, n).reshape((-1,) + (1,) * dimensions) for n in names})


def _labelled(total: Array, dose: Array) -> Any:
    import xarray as xr

    if dose.ndim == 1:
        coords = {"absorbed_dose": ("absorbed_dose", dose, {"units": "Gy"})}
        return xr.DataArray(total, dims=("draw", "absorbed_dose"), coords=coords, name="survival", attrs={"units": "1"})
    dims = ("draw", *(f"dim_{i}" for i in range(dose.ndim)))
    return xr.DataArray(total, dims=dims, name="survival", attrs={"units": "1"})
