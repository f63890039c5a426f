"""Dyes in living cells as the microscope shows them, relative to resting cells.

    binding      F/F0 = (1 + (R - 1) c/(K+c)) / (1 + (R - 1) c_0/(K+c_0))        R = F_max / F_min
    oxidation    df/dt = k H (1 - f),  F/F0 = f / f_0                            it never fades and it saturates
    nernst       F/F0 = exp(F (psi - psi_0) / R T)                               potential, slow dye without quenching
    reduction    a live cell reduces  r psi/psi_0 + (1 - r) A/A_0  of what a resting one does

The dye's own buffering and its bleaching are left out. Sources: in the sheets (grynkiewicz_1985 for binding dyes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.calcium_laws import BODY_TEMPERATURE, FARADAY, resting
from nanotrial.medium.constants import GAS_CONSTANT
from nanotrial.network.terms import Term, constant, exp, maximum, minimum

if TYPE_CHECKING:
    from nanotrial.catalogue.cell_schema import Probe
    from nanotrial.cell.culture import Cells

ID = "cell.probes"


def applies(cells: Cells) -> bool:
    """Say whether any dye is in the cells."""
    return bool(cells.probes)


def add_states(cells: Cells) -> None:
    """Add the oxidised share of dyes that peroxide oxidises."""
    for name, sheet in cells.probes.values():
        if sheet.law == "oxidation":
            start = cells.network.parameter(f"{name}.initial_oxidised", sheet.initial_oxidised or 0.0, "1")
            cells.network.state(cells.name(f"{name}.oxidised"), "population", "1", 1.0, start)


def add(cells: Cells) -> None:
    """Add the oxidation of dyes."""
    for name, sheet in cells.probes.values():
        if sheet.law == "oxidation":
            rate = cells.network.parameter(f"{name}.oxidation_rate", sheet.oxidation_rate or 0.0, "m^3/mol/s")
            made = cells.name(f"{name}.oxidised")
            speed = rate * maximum(cells.peroxide, constant(0.0, "mol/m^3")) * (1.0 - cells.network[made])
            cells.network.process(f"{made}.rises", {made: 1}, speed, "dye + H2O2 -> bright dye", ID)


def signal(cells: Cells, name: str, sheet: Probe) -> Term:
    """Return what a live cell shows of a dye, over what a resting one shows."""
    network = cells.network
    if sheet.law == "binding":
        half = network.parameter(f"{name}.half_saturation", sheet.half_saturation or 0.0, "mol/m^3")
        span = network.parameter(f"{name}.dynamic_range", sheet.dynamic_range or 1.0, "1")
        return bound_dye(cells.free["calcium"], half, span) / bound_dye(resting(cells), half, span)
    if sheet.law == "oxidation":
        start = network.parameter(f"{name}.initial_oxidised", sheet.initial_oxidised or 0.0, "1")
        return cells[f"{name}.oxidised"] / start
    if sheet.law == "nernst":
        assert cells.energetics is not None
        step = cells["potential"] - cells.energetics("resting_potential", "V")
        return exp(step * constant(FARADAY / (GAS_CONSTANT * BODY_TEMPERATURE), "1/V"))
    share = network.parameter(f"{name}.respiratory_share", sheet.respiratory_share or 0.0, "1")
    breathing = minimum(maximum(cells.potential_share, constant(0.0, "1")), constant(1.5, "1"))
    return share * breathing + (1.0 - share) * cells.atp_share


def bound_dye(calcium: Term, half: Term, span: Term) -> Term:
    """Return the fluorescence of a dye that binds calcium, over that without calcium."""
    return 1.0 + (span - 1.0) * calcium / (half + calcium)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): at its constant a dye of range 100 shows the middle, 50.5."""
    import casadi as ca

    half = constant(345e-6, "mol/m^3")
    return float(ca.DM(bound_dye(half, half, constant(100.0, "1")).expression)), 50.5, 1e-12
