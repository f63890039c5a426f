"""Laws of calcium fluxes as functions of free concentrations, and what balances them at rest.

A line's sheet says at which free calcium cells rest in physiological surroundings (the sheet's reference_calcium). What
balances pumps and receptors there is the leak of reticulum and membrane and a slow uptake of mitochondria; where the
balance would leave no leak, a further uptake or extrusion in proportion to what is there. In a medium with another
calcium the same leak meets the same pumps at another free calcium: ``net_entry`` is nothing there. Sources: in the
sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.culture import hill
from nanotrial.medium.constants import GAS_CONSTANT
from nanotrial.network.terms import Term, constant, exp, maximum, sqrt

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

AMOUNT, SPEED = "mol/m^3", "mol/m^3/s"
FARADAY = 96485.33212
BODY_TEMPERATURE = 310.15
# No membrane is tight: the leak is at least this share of what the pump takes at rest.
LEAST_LEAK = 0.1


def reference(cells: Cells) -> Term:
    """Return free cytosolic calcium of the line at rest in physiological surroundings (mol/m^3)."""
    return cells.line("resting_calcium", AMOUNT)


def resting(cells: Cells) -> Term:
    """Return free cytosolic calcium at rest in the medium at hand (mol/m^3)."""
    return cells.rest if cells.rest is not None else reference(cells)


def inactivation_level(cells: Cells) -> Term:
    """Return Q2 of the IP3 receptor (mol/m^3): calcium at which half of the receptors are inactivated."""
    sheet = cells.calcium
    ip3, d1 = sheet("ip3", AMOUNT), sheet("ip3_constant", AMOUNT)
    d2, d3 = sheet("ip3_inhibition_constant", AMOUNT), sheet("ip3_inhibition_ip3_constant", AMOUNT)
    return d2 * (ip3 + d1) / (ip3 + d3)


def resting_gate(cells: Cells, c: Term) -> Term:
    """Return the open share of the IP3 gate after a long time at a calcium."""
    level = inactivation_level(cells)
    return level / (level + c)


def receptors(cells: Cells, c: Term, gate: Term, blocked: bool = True) -> Term:
    """Return the conductance (1/s) of IP3 and ryanodine receptors without peroxide; ``blocked``: with inhibitors."""
    sheet, one = cells.calcium, constant(1.0, "1")
    ip3 = sheet("ip3", AMOUNT)
    active = ip3 / (ip3 + sheet("ip3_constant", AMOUNT)) * c / (c + sheet("ip3_activation_constant", AMOUNT))
    left = cells.blocked("ip3_receptor") if blocked else one
    opened = sheet("ip3_receptor_rate", "1/s") * (active * gate) ** 3 * left
    if sheet.sheet.ryanodine_rate is None:
        return opened
    left = cells.blocked("ryanodine_receptor") if blocked else one
    return opened + sheet("ryanodine_rate", "1/s") * hill(c, sheet("ryanodine_constant", AMOUNT), 2) * left


def serca(cells: Cells, c: Term) -> Term:
    """Return what the pump of the reticulum takes (mol/(m^3 s)) without peroxide, inhibitor or want of ATP."""
    sheet = cells.calcium
    return sheet("serca_rate", SPEED) * cells.defence * hill(c, sheet("serca_constant", AMOUNT), 2)


def er_balance(cells: Cells) -> tuple[Term, Term]:
    """Return the leak of the reticulum and the further uptake (both 1/s) that balance pump and receptors at rest."""
    sheet, none = cells.calcium, constant(0.0, "1/s")
    if sheet.sheet.er_leak is not None:
        return sheet("er_leak", "1/s"), none
    c, e = reference(cells), sheet("er_resting_calcium", AMOUNT)
    pumped = serca(cells, c) / (e - c)
    missing = pumped - receptors(cells, c, resting_gate(cells, c), blocked=False)
    lost = maximum(missing, pumped * LEAST_LEAK)
    return lost, (lost - missing) * (e - c) / c


def er_at(cells: Cells, c: Term) -> Term:
    """Return free calcium of the reticulum after a long time at a free calcium of the cytosol (mol/m^3)."""
    if cells.calcium.sheet.er_leak is not None:
        return cells.calcium("er_resting_calcium", AMOUNT)
    leak, more = er_balance(cells)
    opened = receptors(cells, c, resting_gate(cells, c), blocked=False)
    return c + (serca(cells, c) + more * c) / (leak + opened)


def uniporter(inner: Constants, c: Term) -> Term:
    """Return the uptake of the uniporter at the potential of rest (mol/(m^3 s))."""
    return inner("uniporter_rate", SPEED) * hill(c, inner("uniporter_constant", AMOUNT), 2)


def efflux(inner: Constants, m: Term) -> Term:
    """Return what mitochondria give back (mol/(m^3 s))."""
    return inner("efflux_rate", SPEED) * m / (inner("efflux_constant", AMOUNT) + m)


def matrix_balance(cells: Cells, inner: Constants) -> tuple[Term, Term]:
    """Return the slow uptake and the further efflux (both 1/s) that balance mitochondria at rest."""
    c, m, none = reference(cells), inner("resting_calcium", AMOUNT), constant(0.0, SPEED)
    missing = efflux(inner, m) - uniporter(inner, c)
    return maximum(missing, none) / c, maximum(-missing, none) / m


def matrix_at(cells: Cells, inner: Constants, c: Term) -> Term:
    """Return free calcium of the matrix after a long time at a free calcium of the cytosol (mol/m^3).

    It is the root of  f m^2 + (f K + V - j) m - j K = 0  with j the uptake, V and K of the efflux, f further efflux.
    """
    slow, further = matrix_balance(cells, inner)
    taken = uniporter(inner, c) + slow * c
    half = inner("efflux_constant", AMOUNT)
    b = further * half + inner("efflux_rate", SPEED) - taken
    return taken * half * 2.0 / (b + sqrt(b * b + further * taken * half * 4.0))


def pmca(cells: Cells, outer: Constants, c: Term) -> Term:
    """Return what the pump of the membrane takes out (mol/(m^3 s)), unharmed."""
    return cells.line("pmca_rate", SPEED) * cells.defence * hill(c, outer("pmca_constant", AMOUNT), 2)


def exchanger(outer: Constants, c: Term, outside: Term) -> Term:
    """Return what leaves in exchange for sodium (mol/(m^3 s)); it turns round at its reversal."""
    ratio = (outer("sodium_inside", AMOUNT) / outer("sodium_outside", AMOUNT)) ** 3
    volts = outer("potential", "V") * constant(FARADAY / (GAS_CONSTANT * BODY_TEMPERATURE), "1/V")
    even = outside * ratio * exp(volts)
    half = outer("exchanger_constant", AMOUNT)
    return outer("exchanger_rate", SPEED) * (c - even) / (half + c + even)


def reach(outer: Constants, outside: Term) -> Term:
    """Return how far pores that pass calcium are filled from outside, 0 to 1."""
    return outside / (outside + outer("store_operated_outside_constant", AMOUNT))


def store_operated(outer: Constants, e: Term, outside: Term) -> Term:
    """Return entry through channels that open as the reticulum empties (mol/(m^3 s))."""
    empty = 1.0 - hill(e, outer("store_operated_constant", AMOUNT), 4)
    return outer("store_operated_rate", SPEED) * empty * reach(outer, outside)


def exocytosis(outer: Constants, c: Term) -> Term:
    """Return what leaves in small vesicles (mol/(m^3 s))."""
    return outer("exocytosis_rate", SPEED) * hill(c, outer("exocytosis_constant", AMOUNT), 3)


def membrane_balance(cells: Cells, outer: Constants) -> tuple[Term, Term]:
    """Return the leak (mol/(m^3 s) at the reference) and the further extrusion (1/s) that balance the membrane."""
    c, outside = reference(cells), outer("reference_calcium", AMOUNT)
    lost = pmca(cells, outer, c) + exchanger(outer, c, outside) + exocytosis(outer, c)
    missing = lost - store_operated(outer, cells.calcium("er_resting_calcium", AMOUNT), outside)
    entry = maximum(missing, pmca(cells, outer, c) * LEAST_LEAK)
    return entry, (entry - missing) / c


def leak(cells: Cells, outer: Constants, c: Term, outside: Term) -> Term:
    """Return what leaks in through the membrane (mol/(m^3 s)); pores fill up as those of store-operated entry do."""
    amount, _ = membrane_balance(cells, outer)
    usual = outer("reference_calcium", AMOUNT)
    push = (1.0 - c / outside) / (1.0 - reference(cells) / usual)
    return amount * reach(outer, outside) / reach(outer, usual) * push


def net_entry(cells: Cells, outer: Constants, c: Term, outside: Term) -> Term:
    """Return what enters minus what leaves (mol/(m^3 s)) in a cell long at a free calcium: nothing where it rests."""
    _, more = membrane_balance(cells, outer)
    gained = leak(cells, outer, c, outside) + store_operated(outer, er_at(cells, c), outside)
    return gained - pmca(cells, outer, c) - exchanger(outer, c, outside) - exocytosis(outer, c) - more * c
