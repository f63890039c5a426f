"""Growth and death of a class of cells, by apoptosis-like or necrosis-like ways.

    damage     dD/dt = (c/c*)^2 / t_c + H / dose + O / t_o - D / t_r
    hazard     k D^n / (1 + D^n)                                      per live cell
    necrotic   share 1 / (1 + (A / (a A_0))^8): without ATP the orderly way is closed
    growth     ln 2 / T (1 - N / N_confluent) A/A_0 / (1 + D^n); after radiation what arrest and lethal lesions leave

D counts sustained free calcium, the integral of peroxide inside the cell, and open pores, each over what one of them
alone needs; at D = 1 half the highest hazard is reached. What dead cells held of calcium stays with them (``dead``);
what their vesicles held returns to the medium. New cells take calcium from the medium. Assumption: the clock of
execution does not depend on the way. Sources: in the sheet.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanotrial.cell import cycle, organelles
from nanotrial.cell.culture import hill
from nanotrial.network.terms import Term, constant, maximum, power

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.death"


def applies(cells: Cells) -> bool:
    """Say whether the cells can die."""
    return cells.death is not None


def add_states(cells: Cells) -> None:
    """Add damage; the count of live cells is there already."""
    cells.network.state(cells.name("damage"), "population", "1", 1.0)


def _sheet(cells: Cells) -> Constants:
    assert cells.death is not None
    return cells.death


def _severity(cells: Cells) -> Term:
    """Return D^n; solver noise below zero counts as zero."""
    return power(maximum(cells["damage"], constant(0.0, "1")) + 1e-9, _sheet(cells)("steepness", "1"))


def hazard(cells: Cells) -> Term:
    """Return the rate (1/s) at which live cells die."""
    severity = _severity(cells)
    return _sheet(cells)("execution_rate", "1/s") * severity / (1.0 + severity)


def growth_rate(cells: Cells, population: Term, room: Term) -> Term:
    """Return the rate (1/s) at which unharmed cells multiply at a population that has this much room."""
    doubling = math.log(2.0) / cells.line("doubling_time", "s")
    return doubling * maximum(1.0 - population / room, constant(0.0, "1"))


def add(cells: Cells) -> None:
    """Add damage, death by two ways, growth, and what both do to what cells hold."""
    network, sheet, pore = cells.network, _sheet(cells), constant(0.0, "1")
    if cells.energetics is not None:
        pore = cells["pore"]
    c = cells.free["calcium"] / sheet("calcium_threshold", "mol/m^3")
    gain = c * c / sheet("calcium_time", "s") + maximum(cells.peroxide, constant(0.0, "mol/m^3")) / sheet(
        "peroxide_dose", "mol*s/m^3"
    )
    gain = gain + pore / sheet("pore_time", "s") - cells["damage"] / sheet("repair_time", "s")
    if cells.beam is not None:
        gain = gain + organelles.strain_rate(cells)
    network.process(cells.name("damage.moves"), {cells.name("damage"): 1}, gain, "strain <-> repair", ID)
    rate = hazard(cells)
    dying = rate + cells.fluxes["late_death"] if "late_death" in cells.fluxes else rate
    cells.fluxes["hazard"] = dying
    # Far from the threshold the eighth power is a switch; the floor keeps it finite where no ATP is left.
    left = maximum(cells.atp_share, constant(1e-3, "1")) / sheet("necrosis_atp_share", "1")
    necrotic = 1.0 - hill(left, constant(1.0, "1"), 8)
    live = cells.name("live")
    network.process(
        cells.name("necrosis"), {live: -1, "dead.necrotic": 1}, rate * necrotic * cells.live, "live -> necrotic", ID
    )
    network.process(
        cells.name("apoptosis"), {live: -1, "dead.apoptotic": 1}, rate * (1.0 - necrotic) * cells.live,
        "live -> apoptotic", ID,
    )  # fmt: skip
    assert cells.population is not None
    assert cells.room is not None
    grown = growth_rate(cells, cells.population, cells.room) * cells.atp_share / (1.0 + _severity(cells))
    if cells.beam is not None:  # cells with a lethal lesion divide no more
        doomed = maximum(cells["doomed"], constant(0.0, "1")) / cells.held
        grown = grown * cycle.growth_share(cells) * maximum(1.0 - doomed, constant(0.0, "1"))
    cells.fluxes["growth"] = grown
    network.process(cells.name("growth"), {live: 1}, grown * cells.live, "live -> 2 live", ID)
    for pool in ("calcium", "er_calcium", "matrix_calcium"):
        name = cells.name(pool)
        if name in network.species:
            network.process(
                f"{name}.dies", {name: -1, "dead.calcium": 1}, dying * network[name], "live -> dead cells", ID
            )
            taken = {name: 1.0, **cells.around.given("calcium", -1.0)}
            network.process(f"{name}.grows", taken, grown * network[name], "medium -> new cells", ID)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): at a damage of 1 half the highest hazard acts, so exp(-k t / 2) live on."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("death")
    network.compartment("cells", constant(1.0, "m^3"))
    live = network.state("live", "cells", "1", initial=1.0)
    severity = power(constant(1.0, "1"), constant(4.0, "1"))
    rate = constant(1e-4, "1/s") * severity / (1.0 + severity)
    network.process("death", {"live": -1}, rate * live)
    network.observe("live", live, "1")
    return float(simulate_network(network, [2e4])["live"][0]), math.exp(-1.0), 1e-5
