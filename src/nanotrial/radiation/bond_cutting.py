"""Bonds cut by X-rays in water, and how many there can be at most.

A radical cuts at most one bond, so that what a dose cuts through water is bounded by what it makes:

    ceiling         rho D (G_OH + G_e_aq + G_H)
    with others     dB/dD = -rho sum_i G_i k_i B / (k_i B + sum_j k_ij C_j)
    direct          D r m / (W N_A)

with r the dose in the solid over dose to water, m its mass per volume and W the energy per cut. What is cut is never
more than the bonds there are. Not in it: chains, enzymes, heat, and radicals that join again, which would lower the
number. Validity: dose rates at which radicals meet solutes before each other. Sources: rate constants in the sheet
(manoj_2006 for S-nitroso bonds, mishra_2008 for Se-Se); W of 17 eV is a common count for scissions and cross-links of
irradiated polymers, G about 6 per 100 eV (charlesby_1960, recalled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, quantity, read_quantity
from nanotrial.radiation.radicals import rate_between, solute_name
from nanotrial.radiation.radiolysis import DENSITY, dissolved_oxygen, load_sheet
from nanotrial.radiation.yields import AVOGADRO, escape_yields, hydroxyl_yield

if TYPE_CHECKING:
    from nanotrial.catalogue.radiation_schema import Radiolysis

BONDS = {"diselenide": "diselenide", "disulfide": "GSSG", "cystine": "cystine", "nitrosothiol": "GSNO"}
RADICALS = ("OH", "e_aq", "H")
STEPS, LEAST = 2001, 1e-9


@dataclass(frozen=True)
class BondsCut:
    """Bonds that a dose cuts.

    ``cut`` and ``ceiling`` are amounts per volume, ``share`` is of all bonds; ``captured`` says which share of each
    radical the bonds caught at the start, ``by`` how much each radical cut.
    """

    cut: Any
    share: float
    ceiling: Any
    captured: Mapping[str, float]
    by: Mapping[str, Any]


@dataclass(frozen=True)
class CutBudget:
    """What a claim of cut bonds needs against what the dose can give (amounts per volume).

    ``most`` is the largest share of the bonds that radicals and direct action together can cut.
    """

    needed: Any
    through_water: Any
    direct: Any
    most: float
    possible: bool


def radical_yields(ph: float = 7.0, let: object = "low") -> dict[str, float]:
    """Return the escape yields (mol/J) of OH, hydrated electron and H."""
    free = escape_yields(load_sheet(), ph, let)
    return {"OH": hydroxyl_yield(free), "e_aq": free["e_aq"], "H": free["H"]}


def radical_ceiling(absorbed_dose: object, ph: float = 7.0, let: object = "low") -> Any:
    """Return how many radicals a dose to water makes, the most bonds it can cut through water (umol/L).

        rho D (G_OH + G_e_aq + G_H)

    Arguments:
        absorbed_dose: dose to water, such as ``"10 Gy"``.
        ph: 0 to 11.
        let: ``"low"``, ``"high"`` or a linear energy transfer.

    Raises:
        InputError: a negative dose, or a pH outside the range.
    """
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    return quantity(sum(radical_yields(ph, let).values()) * DENSITY * dose * 1e3, "umol/L")


def bonds_cut(
    absorbed_dose: object,
    bond_concentration: object,
    bond: str = "diselenide",
    competitors: Mapping[str, object] | None = None,
    oxygen: object = "0 %",
    ph: float = 7.0,
    let: object = "low",
) -> BondsCut:
    """Return the bonds that the radicals of a dose cut, with everything else that catches radicals.

        dB/dD = -rho sum_i G_i k_i B / (k_i B + sum_j k_ij C_j)

    Arguments:
        absorbed_dose: dose to water, such as ``"10 Gy"``.
        bond_concentration: bonds per volume of water, such as ``"1 mmol/L"``.
        bond: ``"diselenide"``, ``"disulfide"``, ``"cystine"`` or ``"nitrosothiol"``.
        competitors: solute -> concentration, held at it.
        oxygen: as in ``radiolysis``; it takes electrons and H.
        ph: 0 to 11.
        let: ``"low"``, ``"high"`` or a linear energy transfer.

    Raises:
        InputError: a negative dose or concentration, an unknown bond or solute.

    Validity: see the module; an upper bound, since every radical caught is taken to cut.
    """
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    bonds = read_quantity(bond_concentration, "mol/m^3", "bond_concentration", 0.0)
    sheet = load_sheet()
    if bond not in BONDS:
        raise InputError("bond", f"`{bond}`", "a bond with known rates", nearest(bond, BONDS))
    rates = {i: rate_between(sheet, i, BONDS[bond]) for i in RADICALS}
    losses = scavenging(sheet, competitors, dissolved_oxygen(oxygen))
    yields = radical_yields(ph, let)
    left, by = _deplete(dose, bonds, rates, losses, yields)
    held = {i: rates[i] * bonds for i in RADICALS}
    captured = {i: held[i] / (held[i] + losses[i]) if held[i] else 0.0 for i in RADICALS}
    return BondsCut(
        quantity((bonds - left) * 1e3, "umol/L"),
        (bonds - left) / bonds if bonds else 0.0,
        radical_ceiling(absorbed_dose, ph, let),
        captured,
        {i: quantity(amount * 1e3, "umol/L") for i, amount in by.items()},
    )


def scavenging(sheet: Radiolysis, solutes: Mapping[str, object] | None, oxygen: float = 0.0) -> dict[str, float]:
    """Return how fast solutes and oxygen (mol/m^3) take up each radical (1/s).

    Raises:
        InputError: an unknown solute, or a negative concentration.
    """
    held = {"oxygen": oxygen}
    for name, raw in (solutes or {}).items():
        where = f"competitors.{name}"
        held[solute_name(sheet, name, where)] = read_quantity(raw, "mol/m^3", where, 0.0)
    return {i: sum(rate_between(sheet, i, s) * c for s, c in held.items()) for i in RADICALS}


def _deplete(
    dose: float, bonds: float, rates: Mapping[str, float], losses: Mapping[str, float], yields: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """Return the bonds left and what each radical cut (mol/m^3): dose as an integral over the bonds, then inverted."""
    fastest = DENSITY * dose * sum(yields[i] for i, k in rates.items() if k > 0)
    if bonds == 0.0 or fastest == 0.0:
        return bonds, dict.fromkeys(rates, 0.0)
    low = max(bonds - fastest, bonds * LEAST)
    grid = np.linspace(bonds, low, STEPS)
    if low < 0.1 * bonds:
        grid = np.unique(np.concatenate([grid, np.geomspace(bonds, low, STEPS)]))[::-1]
    caught = {i: DENSITY * yields[i] * k * grid / (k * grid + losses[i]) for i, k in rates.items() if k > 0}
    speed = np.sum(list(caught.values()), axis=0)
    needed = _running(1.0 / speed, grid)
    by = {i: 0.0 for i in rates}
    for i, one in caught.items():
        by[i] = float(np.interp(dose, needed, _running(one / speed, grid)))
    if dose >= needed[-1] and low == bonds * LEAST:
        return 0.0, {i: amount / (1.0 - LEAST) for i, amount in by.items()}
    return float(np.interp(dose, needed, grid)), by


def _running(values: Array, grid: Array) -> Array:
    """Return the integral from the first point of a falling grid to each, by trapezia."""
    return np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * (grid[:-1] - grid[1:]))])


def direct_cuts(
    absorbed_dose: object, mass_concentration: object, dose_ratio: float = 1.0, energy_per_cut: object = "17 eV"
) -> Any:
    """Return the most bonds cut, or metal ions reduced, by energy taken up in the solid itself (umol/L).

        D r m / (W N_A)

    Arguments:
        absorbed_dose: dose to water, such as ``"10 Gy"``.
        mass_concentration: mass of the solid or polymer per volume, such as ``"1 g/L"``.
        dose_ratio: dose in the solid over dose to water, at least 0.
        energy_per_cut: energy per bond or electron.

    Raises:
        InputError: a negative dose, concentration or ratio, or no energy.
    """
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    mass = read_quantity(mass_concentration, "kg/m^3", "mass_concentration", 0.0)
    energy = read_quantity(energy_per_cut, "J", "energy_per_cut", 0.0)
    if energy == 0.0:
        raise InputError("energy_per_cut", "0", "an energy above zero")
    if not np.isfinite(dose_ratio) or dose_ratio < 0:
        raise InputError("dose_ratio", f"{dose_ratio}", "a number of at least 0")
    return quantity(dose * dose_ratio * mass / (energy * AVOGADRO) * 1e3, "umol/L")


def cutting_budget(
    absorbed_dose: object,
    bond_concentration: object,
    share: float = 1.0,
    mass_concentration: object = "0 g/L",
    dose_ratio: float = 1.0,
    ph: float = 7.0,
    let: object = "low",
) -> CutBudget:
    """Return what cutting a share of the bonds needs against the ceilings of radicals and of direct action.

    Arguments:
        absorbed_dose: dose to water, such as ``"10 Gy"``.
        bond_concentration: bonds per volume, such as ``"1 mmol/L"``.
        share: of the bonds that are claimed to be cut, 0 to 1.
        mass_concentration: mass per volume of the solid that holds them, for direct action.
        dose_ratio: dose in the solid over dose to water.
        ph: 0 to 11.
        let: ``"low"``, ``"high"`` or a linear energy transfer.

    Raises:
        InputError: a share outside 0 to 1, or a negative amount.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError("share", f"{share}", "0 to 1")
    bonds = quantity(read_quantity(bond_concentration, "umol/L", "bond_concentration", 0.0), "umol/L")
    water = radical_ceiling(absorbed_dose, ph, let)
    direct = direct_cuts(absorbed_dose, mass_concentration, dose_ratio)
    held = float(bonds.magnitude)
    most = min(1.0, float((water + direct).to("umol/L").magnitude) / held) if held else 0.0
    return CutBudget(bonds * share, water, direct, most, most >= share)
