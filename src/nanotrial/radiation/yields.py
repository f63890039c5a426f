"""Escape yields: how much of each radical has left the tracks a microsecond after energy was taken up.

Five yields (of the hydrated electron, H, H2, H2O2 and OH-, and HO2 where there is any) are free; the others follow from
the atoms of the water that was used and from charge:

    G(OH) = G(e_aq) + G(H) + 2 G(H2) - 2 G(H2O2) - 3 G(HO2)        G(H+) = G(e_aq) + G(OH-)

One molecule per 100 eV is 1.0364e-7 mol/J. In acid the electrons become H inside the tracks: neutral yields hold from
pH 3 up, acid yields up to pH 1, and between them they are joined linearly in pH. Between the two LETs of the sheet they
go over with the share

    h(L) = s(L) / s(L_high),   s(L) = (L - L_low) / (L - L_low + L_half)

There is no acid set at high LET. Sources: in the sheet (chemsimul, spinks_1990, christensen_1998).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import read_quantity

if TYPE_CHECKING:
    from nanotrial.catalogue.radiation_schema import Radiolysis

AVOGADRO, ELEMENTARY_CHARGE = 6.02214076e23, 1.602176634e-19
PER_100_EV = 1.0 / (100.0 * ELEMENTARY_CHARGE * AVOGADRO)
FREE = ("e_aq", "H", "hydrogen", "hydrogen_peroxide", "HO2", "OH-")
NEUTRAL_FROM, ACID_UP_TO, HIGHEST_PH = 3.0, 1.0, 11.0


def escape_yields(sheet: Radiolysis, ph: float = 7.0, let: object = "low") -> dict[str, float]:
    """Return the free escape yields (mol/J) at a pH and a linear energy transfer.

    Arguments:
        sheet: radiolysis sheet.
        ph: 0 to 11.
        let: ``"low"``, ``"high"``, or a linear energy transfer such as ``"2 keV/um"``.

    Raises:
        InputError: pH outside 0 to 11, LET outside the two of the sheet, or acid at high LET.
    """
    if not 0.0 <= ph <= HIGHEST_PH:
        raise InputError(
            "ph", f"{ph:g}", f"0 to {HIGHEST_PH:g}", "Above it OH loses its proton, which is not computed."
        )
    high = _height(sheet, let)
    acid = min(1.0, max(0.0, (NEUTRAL_FROM - ph) / (NEUTRAL_FROM - ACID_UP_TO)))
    if acid > 0 and high > 0:
        raise InputError("ph", f"{ph:g} at high LET", f"a pH of at least {NEUTRAL_FROM:g}, or low LET")
    result = {}
    for name in FREE:
        neutral, sour, dense = (
            t[name].si if name in t else 0.0 for t in (sheet.yields, sheet.acid_yields, sheet.high_let_yields)
        )
        result[name] = neutral + acid * (sour - neutral) + high * (dense - neutral)
    return result


def _height(sheet: Radiolysis, let: object) -> float:
    """Return where a LET lies between the low (0) and the high one (1) of the sheet."""
    if let in ("low", "high"):
        return 1.0 if let == "high" else 0.0
    low, high = sheet.low_let.value, sheet.high_let.value
    found = min(max(read_quantity(let, "keV/um", "let", low * (1 - 1e-9), high * (1 + 1e-9)), low), high)
    half = sheet.half_let.value
    share = [(one - low) / (one - low + half) for one in (found, high)]
    return share[0] / share[1]


def hydroxyl_yield(free: dict[str, float]) -> float:
    """Return the yield of OH that the other yields leave, in their unit."""
    return free["e_aq"] + free["H"] + 2 * free["hydrogen"] - 2 * free["hydrogen_peroxide"] - 3 * free["HO2"]


def per_100_ev(amount: float) -> float:
    """Return molecules per 100 eV of an amount per energy (mol/J)."""
    return amount / PER_100_EV
