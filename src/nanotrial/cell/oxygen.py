"""How oxygen, thiols and chemical sensitisers change what a dose does.

    enhancement   OER(p) = (m p + K) / (p + K)                                 Alper and Howard-Flanders
    dose          D_effective = D OER(p) / OER(p_0)                            p_0: where alpha and beta were measured
    thiols        K = K_0 [SH] / [SH]_0                                        repair by thiols against fixation by O2
    sensitisers   p -> p + sum_i e_i c_i
    Wenzl         alpha = alpha_ox (p + r_a K) / (p + K),  sqrt(beta) = sqrt(beta_ox) (p + r_b K) / (p + K)

With r_a = r_b = 1/m the last line is the dose-modifying form. Pressures are mmHg inside.
Validity: photons and electrons of low LET, cells in equilibrium with the pressure before the dose (at FLASH rates give
the pressure that is left). The enhancement itself shifts with dose, by a tenth over 1 to 3 Gy, which Wenzl's two ratios
say and the dose-modifying form does not. Sources: alper_1956, wenzl_2011.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, quantity, read_quantities, read_quantity

# Dry gas over a culture at 37 degC and one atmosphere: water vapour holds 47 of 760 mmHg.
DRY_PRESSURE = 713.0


def read_pressure(raw: object, where: str = "oxygen") -> Array:
    """Return pressures of oxygen (mmHg) from pressures, or from shares of the gas over a culture such as ``"1 %"``.

    Raises:
        UnitError: no unit, or neither a pressure nor a share in percent.
        InputError: a pressure below zero, or above ten atmospheres.
    """
    if isinstance(raw, str) and raw.rstrip().endswith("%"):
        return np.asarray(read_quantity(raw, "1", where, 0.0, 1.0) * DRY_PRESSURE)
    if isinstance(raw, list | tuple):
        return np.array([float(read_pressure(one, f"{where}[{i}]")) for i, one in enumerate(raw)])
    return read_quantities(raw, "mmHg", where, 0.0, 7600.0)


def enhance(pressure: Array, maximum: float, constant: float) -> Array:
    """Return OER(p) from bare numbers (mmHg)."""
    return np.asarray((maximum * pressure + constant) / (pressure + constant), dtype=float)


def oxygen_enhancement(pressure: object, maximum: float = 3.0, constant: object = "3 mmHg") -> Any:
    """Return the oxygen enhancement ratio: OER(p) = (m p + K) / (p + K), 1 without oxygen.

    Arguments:
        pressure: of oxygen where the cells are, text or quantity of any shape; ``"1 %"`` is a share of the gas.
        maximum: enhancement m in full oxygen (number, 1 to 5).
        constant: pressure K at which half of the gain is reached.

    Returns:
        A number, or an array of the shape of ``pressure``.

    Raises:
        UnitError: a pressure without a unit.
        InputError: a negative pressure, a maximum below 1, a constant of zero.

    Validity: low LET. Source: alper_1956; m and K as in most cell lines.
    """
    if not 1.0 <= float(maximum) <= 5.0:
        raise InputError("maximum", f"{maximum:g}", "an enhancement of 1 to 5")
    half = read_quantity(constant, "mmHg", "constant", 1e-6, 760.0)
    found = enhance(read_pressure(pressure, "pressure"), float(maximum), half)
    return found if found.ndim else float(found)


def scale_constant(thiol: object, constant: object, reference: object) -> Any:
    """Return the pressure constant at a concentration of thiols: K = K_0 [SH] / [SH]_0 (quantity, mmHg).

    Oxygen fixes radicals of DNA (first order in p) while thiols repair them (first order in [SH]).

    Arguments:
        thiol: concentration of thiols in the cells.
        constant: K_0 at ``reference``.
        reference: concentration [SH]_0 to which ``constant`` belongs.

    Raises:
        UnitError: a wrong unit. InputError: a negative concentration, or a reference of zero.

    Validity: the form holds for repair by one thiol; protein thiols keep K above zero in cells without glutathione.
    """
    share = read_quantity(thiol, "mmol/L", "thiol", 0.0) / read_quantity(reference, "mmol/L", "reference", 1e-9)
    return quantity(read_quantity(constant, "mmHg", "constant", 1e-6) * share, "mmHg")


def equivalent_pressure(pressure: object, sensitisers: Mapping[str, object] | None = None) -> Array:
    """Return the pressure (mmHg) that oxygen and sensitisers together are worth: p + sum e_i c_i.

    Arguments:
        pressure: of oxygen.
        sensitisers: id of ``catalogue/sensitisers`` -> concentration in the cells.

    Raises:
        CatalogueError: an unknown sensitiser; the nearest names are given.
        UnitError, InputError: a wrong unit or a negative concentration.
    """
    total = read_pressure(pressure, "pressure")
    for name, concentration in (sensitisers or {}).items():
        sheet = Catalogue().load("sensitisers", name, "sensitisers")
        amount = read_quantity(concentration, "mol/m^3", f"sensitisers.{name}", 0.0)
        per_mmhg = read_quantity("1 mmHg", "Pa", "pressure")
        total = total + sheet.oxygen_equivalence.si / per_mmhg * amount
    return np.asarray(total)


def scale_sensitivity(
    pressure: object, alpha_ratio: float, root_beta_ratio: float, constant: object = "3 mmHg"
) -> tuple[Any, Any]:
    """Return alpha over alpha_ox and beta over beta_ox at a pressure, after Wenzl and Wilkens.

    alpha / alpha_ox = (p + r_a K) / (p + K); beta / beta_ox = ((p + r_b K) / (p + K))^2

    Arguments:
        pressure: of oxygen, any shape.
        alpha_ratio, root_beta_ratio: r_a and r_b without oxygen, 0 to 1 (low LET: 0.40 to 0.45 and 0.5 to 0.6).
        constant: K.

    Raises:
        UnitError, InputError: a wrong unit, a negative pressure, a ratio outside 0 to 1.

    Validity: low LET. Source: wenzl_2011.
    """
    for name, ratio in (("alpha_ratio", alpha_ratio), ("root_beta_ratio", root_beta_ratio)):
        if not 0.0 <= ratio <= 1.0:
            raise InputError(name, f"{ratio:g}", "a ratio of 0 to 1")
    p, half = read_pressure(pressure, "pressure"), read_quantity(constant, "mmHg", "constant", 1e-6, 760.0)
    first = (p + alpha_ratio * half) / (p + half)
    second = ((p + root_beta_ratio * half) / (p + half)) ** 2
    return (first, second) if p.ndim else (float(first), float(second))
