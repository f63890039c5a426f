"""Respiration, mitochondrial potential, ATP, and the pore of the permeability transition.

    respiration  q O2/(K+O2) (relative to air) / (1 + H/K_H)                     mol per cell and second
    potential    tau dpsi/dt = psi_0 rho - psi (1 + g O) - z J_Ca                rho = respiration over that at rest
    ATP          dA/dt = u [s f(psi)/f(psi_0) + (1 - s) G - A/A_0] - pumps       f = psi^8/(psi^8+K^8)
                 G = (1 + (r - 1)(1 - A/A_0)) / (1 + H/K_H)                      glycolysis rises as ATP falls
                 under mineral G times its open_share, rho times its fuel_share  cell.mineral_layer
    pore         dO/dt = k_o m^4/(K^4+m^4) (1 + H/K_H) (1 - O) - k_c O

Pumps cost one ATP per calcium at the membrane and a half at the reticulum; what they cost at rest is part of the
turnover u. Assumptions: a battery with one inner resistance stands for the respiratory chain; glucose does not run out.
Sources: in the sheets; the shape of the potential's balance follows magnus_1997.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.culture import hill
from nanotrial.network.terms import Term, constant, maximum

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.energy"
AMOUNT, SPEED = "mol/m^3", "mol/m^3/s"


def applies(cells: Cells) -> bool:
    """Say whether the cells have a sheet of energetics."""
    return cells.energetics is not None


def add_states(cells: Cells) -> None:
    """Add potential, ATP and the open share of the pore, at rest; name respiration for the rooms that need it."""
    network, sheet = cells.network, _sheet(cells)
    speed = cells.over_air(sheet("oxygen_constant", AMOUNT)) * cells.slowed("respiration_constant")
    if cells.layer is not None:
        speed = speed * cells.layer.fuel_share
    network.state(
        cells.name("potential"), "population", "V", 0.1, sheet("resting_potential", "V"), may_be_negative=True
    )
    network.state(cells.name("atp"), "population", AMOUNT, 1.0, sheet("atp", AMOUNT))
    network.state(cells.name("pore"), "population", "1", 1.0)
    cells.fluxes["respiration"] = cells.line("oxygen_consumption", "mol/s") / cells.cell_volume * speed
    cells.fluxes["driving_potential"] = sheet("resting_potential", "V") * speed


def _sheet(cells: Cells) -> Constants:
    assert cells.energetics is not None
    return cells.energetics


def add(cells: Cells) -> None:
    """Add respiration, potential, ATP and pore."""
    network, sheet, around = cells.network, _sheet(cells), cells.around
    if cells.name("reduced") in network.species:
        gains = {cells.name("reduced"): 2.0, **around.given("oxygen", -1.0)}
        opens = ("peroxide",) if around.opens("oxygen") else ()
        burnt = cells.fluxes["respiration"] * cells.volume
        network.process(cells.name("respiration"), gains, burnt, "O2 + 4 e- + 4 H+ -> 2 H2O", ID, opens)
    psi, pore = cells["potential"], cells["pore"]
    loaded = constant(0.0, SPEED)
    if "into_matrix" in cells.fluxes:
        loaded = cells.fluxes["into_matrix"] - cells.fluxes["out_of_matrix"]
    shunt, load = sheet("pore_shunt", "1") * pore, sheet("calcium_load", "V*s*m^3/mol") * loaded
    speed = balance(cells.fluxes["driving_potential"], psi, shunt, load, sheet("potential_time", "s"))
    network.process(cells.name("potential.moves"), {cells.name("potential"): 1}, speed, "respiration <-> leaks", ID)
    network.process(cells.name("atp.turnover"), {cells.name("atp"): 1}, _atp_gain(cells), "made - used", ID)
    if "matrix_calcium" in cells.free:
        _pore(cells)


def balance(driving: Term, psi: Term, shunt: Term, load: Term, time: Term) -> Term:
    """Return dpsi/dt: a battery of a driving potential (V) with a shunt and a load (V), settling in a time (s)."""
    return (driving - psi * (1.0 + shunt) - load) / time


def _atp_gain(cells: Cells) -> Term:
    sheet, psi0 = _sheet(cells), _sheet(cells)("resting_potential", "V")
    half = sheet("synthesis_half_potential", "V")
    driven = hill(maximum(cells["potential"], constant(0.0, "V")), half, 8) / hill(psi0, half, 8)
    oxidative, left = sheet("oxidative_share", "1"), cells.atp_share
    gain = sheet("atp_turnover", SPEED) * (oxidative * driven + (1.0 - oxidative) * glycolysis(cells) - left)
    for pump, cost in (("pmca", 1.0), ("serca", 0.5)):
        if pump in cells.fluxes:
            gain = gain - (cells.fluxes[pump] - cells.fluxes[f"{pump}.rest"]) * cost
    return gain


def glycolysis(cells: Cells) -> Term:
    """Return the speed of glycolysis over that at rest."""
    reserve = _sheet(cells)("glycolytic_reserve", "1")
    speed = (1.0 + (reserve - 1.0) * (1.0 - cells.atp_share)) * cells.slowed("glycolysis_constant")
    return speed if cells.layer is None else speed * cells.layer.open_share


def respiration(cells: Cells) -> Term:
    """Return the oxygen that a cell uses over that at rest in air."""
    return cells.fluxes["respiration"] / (cells.line("oxygen_consumption", "mol/s") / cells.cell_volume)


def _pore(cells: Cells) -> None:
    sheet, pore = _sheet(cells), cells["pore"]
    sensed = hill(cells.free["matrix_calcium"], sheet("pore_calcium", AMOUNT), 4)
    if cells.coupling is not None:
        sensed = sensed * (1.0 + cells.felt_peroxide / cells.coupling("pore_constant", AMOUNT))
    opening = sheet("pore_opening", "1/s") * sensed * cells.blocked("pore") * (1.0 - pore)
    rate = opening - sheet("pore_closing", "1/s") * pore
    cells.network.process(cells.name("pore.moves"), {cells.name("pore"): 1}, rate, "closed <-> open", ID)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): with open pores of shunt g the potential settles at psi_0 / (1 + g)."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("battery")
    network.compartment("cell", constant(1.0, "m^3"))
    psi, rest = network.state("psi", "cell", "V", initial=0.15), constant(0.15, "V")
    speed = balance(rest, psi, constant(4.0, "1"), constant(0.0, "V"), constant(10.0, "s"))
    network.process("psi.moves", {"psi": 1}, speed)
    network.observe("psi", psi, "V")
    return float(simulate_network(network, [3600.0])["psi"][0]), 0.03, 1e-6
