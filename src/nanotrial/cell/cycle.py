"""The cell cycle after radiation and drugs: phases, arrest, and the late death of cells with a lethal lesion.

With nu = ln2 / doubling time and shares g, s, m of a culture that grows undisturbed (all three constant then),

    k_m = nu / m        k_g = (2 nu - nu g) / g        k_s = (k_g g - nu s) / s
    dg/dt = 2 a_m k_m m - a_g k_g g - f g              f = a_m k_m m, the growth of the culture
    ds/dt = a_g k_g g - a_s k_s s - f s                dm/dt = a_s k_s s - a_m k_m m - f m
    arrest     a = d / (d + P) 1/(1 + drug/IC50)       dP/dt = h D' - P / (P + d)      P: time still to wait
    late death rate ln2/T of cells with a lethal lesion, a share of it the apoptosis-like way

The wait P after a dose holds G2 in every line and G1 too where p53 works; d is a quarter of an hour. Cells that carry a
lethal lesion (``doomed``) stay among the living until they die, and found no colony. Assumption: residence in a phase
is exponential, so shares settle without the ringing of a synchronous culture. Sources: in the sheets of the line
(steel_1977 for shares in exponential growth).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, maximum

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells

ID = "cell.cycle"
BRIEF = 900.0


def applies(cells: Cells) -> bool:
    """Say whether radiation is followed, and with it the cycle."""
    return cells.beam is not None


def add_states(cells: Cells) -> None:
    """Add shares of the phases, the wait after a dose, and the count of cells with a lethal lesion."""
    network, beam = cells.network, cells.beam
    assert beam is not None
    shares = {p: beam.sensitivity(f"{p}_share", "1") for p in ("g1", "s", "g2m")}
    whole = shares["g1"] + shares["s"] + shares["g2m"]
    for phase, share in shares.items():
        network.state(cells.name(f"phase.{phase}"), "population", "1", 1.0, share / whole)
    network.state(cells.name("wait"), "population", "h", 3600.0)
    network.state(cells.name("doomed"), "population", "1", network.species[cells.name("live")].scale)


def leaving_rates(growth: Term, g1: Term, s: Term, g2m: Term) -> dict[str, Term]:
    """Return the rates (1/s) at which cells leave each phase in a culture of these shares that grows at ``growth``."""
    first = (growth * 2.0 - growth * g1) / g1
    return {"g1": first, "s": (first * g1 - growth * s) / s, "g2m": growth / g2m}


def open_share(cells: Cells, phase: str) -> Term:
    """Return the share of its usual speed at which cells leave a phase: held back by a dose and by drugs."""
    beam, brief = cells.beam, constant(BRIEF, "s")
    assert beam is not None
    free = constant(1.0, "1")
    if phase == "g2m" or (phase == "g1" and beam.sensitivity.sheet.p53 == "wild type"):
        free = brief / (brief + maximum(cells["wait"], constant(0.0, "s")))
    for name, agent in cells.agents.items():
        if agent.kind == "arrest" and agent.target == phase:
            half = cells.network.parameter(f"{name}.half_effect", agent.half_effect or 0.0, "mol/m^3")
            free = free / (1.0 + cells.dose(name) / half)
    return free


def growth_share(cells: Cells) -> Term:
    """Return the growth of the culture over that at its usual shares: what the arrest leaves."""
    nu = math.log(2.0) / cells.line("doubling_time", "s")
    return _leaving(cells)["g2m"] / nu


def _leaving(cells: Cells) -> dict[str, Term]:
    """Return how much of the culture leaves each phase per second."""
    beam = cells.beam
    assert beam is not None
    nu = math.log(2.0) / cells.line("doubling_time", "s")
    shares = [beam.sensitivity(f"{p}_share", "1") for p in ("g1", "s", "g2m")]
    whole = shares[0] + shares[1] + shares[2]
    rates = leaving_rates(nu, shares[0] / whole, shares[1] / whole, shares[2] / whole)
    return {p: rates[p] * open_share(cells, p) * cells[f"phase.{p}"] for p in rates}


def add(cells: Cells) -> None:
    """Add the flow through the phases, the wait, and what becomes of cells with a lethal lesion."""
    network, beam = cells.network, cells.beam
    assert beam is not None
    flow = _leaving(cells)
    grown = flow["g2m"]
    gains = {"g1": grown * 2.0 - flow["g1"], "s": flow["g1"] - flow["s"], "g2m": flow["s"] - grown}
    for phase, gain in gains.items():
        name = cells.name(f"phase.{phase}")
        network.process(f"{name}.changes", {name: 1}, gain - grown * network[name], "G1 -> S -> G2/M -> 2 G1", ID)
    wait, brief = cells["wait"], constant(BRIEF, "s")
    longer = beam.sensitivity("g2_arrest", "s/Gy") * cells.fluxes["dose.nucleus"]
    name = cells.name("wait")
    network.process(f"{name}.changes", {name: 1}, longer - wait / (wait + brief), "dose -> delay -> over", ID)
    _add_late_death(cells)


def _add_late_death(cells: Cells) -> None:
    network, beam = cells.network, cells.beam
    assert beam is not None
    doomed, live = cells.name("doomed"), cells.name("live")
    held = maximum(network[doomed], constant(0.0, "1"))
    sound = maximum(cells.live - held, constant(0.0, "1"))
    network.process(f"{doomed}.hit", {doomed: 1}, cells.fluxes["lethal"] * sound, "live -> with a lethal lesion", ID)
    lost = cells.fluxes["other_death"] * held
    network.process(f"{doomed}.lost", {doomed: -1}, lost, "died for another reason", ID)
    late = held * math.log(2.0) / beam.sensitivity("death_delay", "s")
    share = beam.sensitivity("apoptotic_share", "1")
    for way, part in (("apoptotic", share), ("necrotic", 1.0 - share)):
        taken = {doomed: -1.0, live: -1.0, f"dead.{way}": 1.0}
        network.process(f"{doomed}.dies.{way}", taken, late * part, f"with a lethal lesion -> {way}", ID)
    cells.fluxes["late_death"] = late / (cells.held)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): shares of 50, 30 and 20 per cent stay while the culture doubles in a day."""
    import casadi as ca

    nu = constant(math.log(2.0) / 86400.0, "1/s")
    g, s, m = (constant(x, "1") for x in (0.5, 0.3, 0.2))
    rates = leaving_rates(nu, g, s, m)
    change = rates["s"] * s - rates["g2m"] * m - rates["g2m"] * m * m
    return 1.0 + float(ca.DM((change / nu).expression)), 1.0, 1e-12
