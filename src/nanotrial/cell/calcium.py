"""Calcium of a cell: cytosol, reticulum and mitochondria, their buffers, channels and pumps.

Free calcium (c, e, m) follows from the total through fast buffers, total = x + sum B x / (K + x). Per volume of
cytosol, all calcium counted, H the peroxide that proteins feel, A/A0 the ATP left,

    IP3 receptor   k (m_i h)^3 (e - c) (1 + g H/(K+H))     m_i = IP3/(IP3+d1) c/(c+d5)      (li_rinzel_1994)
                   dh/dt = a2 (Q2 - (Q2 + c) h)            Q2 = d2 (IP3+d1)/(IP3+d3)
    ryanodine      k c^2/(K^2+c^2) (e - c) (1 + g H/(K+H))
    SERCA, PMCA    V c^2/(K^2+c^2) / (1 + H/K_H) * ATP
    exchanger      V (c - c_eq)/(K + c + c_eq)             c_eq = Ca_o (Na_i/Na_o)^3 exp(V_m F/RT)
    store-operated V K^4/(K^4+e^4) Ca_o/(Ca_o+K_o)
    peroxide gate  V H^2/(K^2+H^2) Ca_o/(Ca_o+K_o)         TRPM2 and channels like it
    uniporter      V c^2/(K^2+c^2) psi/psi_0               efflux V m/(K+m), pore k O (m - c)
    exocytosis     V c^3/(K^3+c^3)                         small vesicles rich in calcium
    leak           L Ca_o/(Ca_o+K_o) (1 - c/Ca_o)          pores fill up: it does not grow without end with Ca_o
    ionophore      k [agent] (Ca_o - c), and across the reticulum

Leaks are what balances the pumps of a cell at rest in physiological surroundings (calcium_laws); in a medium with
another calcium the cell begins where the same leaks meet the same pumps. Assumptions: well-mixed pools, fast buffers,
resting IP3, sodium held. Sources: in the sheets (li_rinzel_1994).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell import calcium_laws as laws
from nanotrial.cell.culture import hill
from nanotrial.network.terms import Term, constant, positive_part, total

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.calcium"
PER_TIME = "mol/m^3/s"
SMOOTH = 1e-3


def applies(cells: Cells) -> bool:
    """Say whether there are cells."""
    return True


def add_states(cells: Cells) -> None:
    """Add the pools of calcium at rest, their free concentrations, and the gate of the IP3 receptor."""
    network, sheet = cells.network, cells.calcium
    own = _own_buffer(sheet, "cytosol_buffer")
    _pool(cells, "calcium", "cytosol", constant(1.0, "1"), laws.resting(cells), own, _chelators(cells))
    er = sheet("er_volume_share", "1")
    rest = laws.resting(cells)
    usual = sheet.sheet.er_resting_calcium.si
    _pool(cells, "er_calcium", "er", er, laws.er_at(cells, rest), _own_buffer(sheet, "er_buffer"), guess=usual)
    inner = sheet.part("mitochondria")
    if inner is not None:
        held = _own_buffer(inner, "buffer")
        _pool(cells, "matrix_calcium", "matrix", inner("volume_share", "1"), laws.matrix_at(cells, inner, rest), held)
    network.state(cells.name("ip3_gate"), cells.name("cytosol"), "1", 1.0, laws.resting_gate(cells, rest))


def _own_buffer(sheet: Constants, name: str) -> list[tuple[Term, Term]]:
    """Return (concentration, constant) of a buffer of a sheet, or nothing where the sheet has none."""
    if getattr(sheet.sheet, name) is None:
        return []
    return [(sheet(name, "mol/m^3"), sheet(f"{name}_constant", "mol/m^3"))]


def _chelators(cells: Cells) -> list[tuple[Term, Term]]:
    """Return (concentration, constant) of the chelators that have entered."""
    found = []
    for name, agent in cells.agents.items():
        if agent.kind == "chelator":
            k = cells.network.parameter(f"{name}.binding_constant", agent.binding_constant or 0.0, "mol/m^3")
            found.append((cells.dose(name), k))
    return found


def _pool(
    cells: Cells,
    state: str,
    place: str,
    share: Term,
    rest: Term,
    own: list[tuple[Term, Term]],
    given: list[tuple[Term, Term]] | None = None,
    guess: float = 1e-4,
) -> None:
    network, name = cells.network, cells.name(state)
    network.compartment(cells.name(place), cells.volume * share)
    start = cells.start_volume * share
    # A chelator is given after the start: at rest only the cell's own buffers hold calcium, and it begins at nothing.
    begin = bound_and_free(rest, own) * start
    network.state(name, cells.name(place), scale=cells.size * 1e-2, initial=begin, content={"calcium": 1})
    free = network.unknown(f"{name}.free", "mol/m^3")
    cells.free[state] = free
    residual = network.concentration(name) - bound_and_free(free, own + (given or []))
    size = {"total": constant(1e-3, "mol/m^3")}
    network.equilibrium(f"{name}.buffers", {f"{name}.free": (free, guess, 0.0)}, {"total": residual}, size)


def bound_and_free(free: Term, buffers: list[tuple[Term, Term]]) -> Term:
    """Return all calcium at a free concentration: x + sum B x / (K + x)."""
    return free + total((b * free / (k + free) for b, k in buffers), "mol/m^3")


def add(cells: Cells) -> None:
    """Add gate, channels, pumps and leaks."""
    network, sheet = cells.network, cells.calcium
    c = cells.free["calcium"]
    level = laws.inactivation_level(cells)
    speed = sheet("ip3_inhibition_rate", "m^3/mol/s")
    network.process(
        cells.name("ip3_gate.moves"), {cells.name("ip3_gate"): 1}, speed * (level - (level + c) * cells["ip3_gate"]),
        "closed <-> open", ID,
    )  # fmt: skip
    _reticulum(cells)
    _mitochondria(cells)
    _membrane(cells)


def _move(cells: Cells, name: str, gains: dict[str, float], flux: Term, line: str, opens: tuple[str, ...] = ()) -> None:
    cells.network.process(cells.name(name), gains, flux * cells.volume, line, ID, opens)


def _reticulum(cells: Cells) -> None:
    c, e = cells.free["calcium"], cells.free["er_calcium"]
    er, cytosol = cells.name("er_calcium"), cells.name("calcium")
    taken = laws.serca(cells, c) * cells.slowed("serca_constant") * cells.pump_power * cells.blocked("serca")
    cells.fluxes |= {"serca": taken, "serca.rest": laws.serca(cells, laws.resting(cells))}
    _move(cells, "serca", {cytosol: -1, er: 1}, taken, "cytosol -> reticulum")
    opened = laws.receptors(cells, c, cells["ip3_gate"])
    if cells.coupling is not None:
        gain, level = cells.coupling("receptor_gain", "1"), cells.coupling("receptor_constant", "mol/m^3")
        opened = opened * (1.0 + gain * cells.felt_peroxide / (level + cells.felt_peroxide))
    _move(cells, "receptors", {er: -1, cytosol: 1}, opened * (e - c), "reticulum -> cytosol, through receptors")
    leak, more = laws.er_balance(cells)
    _move(cells, "er_further_uptake", {cytosol: -1, er: 1}, more * c, "cytosol -> reticulum, balance at rest")
    _move(cells, "er_leak", {er: -1, cytosol: 1}, (leak + _ionophore(cells)) * (e - c), "reticulum -> cytosol, leak")


def _ionophore(cells: Cells) -> Term:
    """Return the exchange rate constant (1/s) that ionophores in the medium give to a membrane."""
    rate = constant(0.0, "1/s")
    for name, agent in cells.agents.items():
        if agent.kind == "ionophore":
            k = cells.network.parameter(f"{name}.transport_rate", agent.transport_rate or 0.0, "m^3/mol/s")
            rate = rate + k * cells.dose(name)
    return rate


def _mitochondria(cells: Cells) -> None:
    inner = cells.calcium.part("mitochondria")
    if inner is None:
        return
    c, m = cells.free["calcium"], cells.free["matrix_calcium"]
    cytosol, matrix = cells.name("calcium"), cells.name("matrix_calcium")
    driven = positive_part(cells.potential_share, SMOOTH)
    # Slow uptake that the uniporter's law leaves out closes the balance at rest; it too is driven by the potential.
    slow, further = laws.matrix_balance(cells, inner)
    taken = (laws.uniporter(inner, c) * cells.blocked("uniporter") + slow * c) * driven
    given = laws.efflux(inner, m) * cells.blocked("mitochondrial_efflux") + further * m
    _move(cells, "uniporter", {cytosol: -1, matrix: 1}, taken, "cytosol -> matrix")
    _move(cells, "mitochondrial_efflux", {matrix: -1, cytosol: 1}, given, "matrix -> cytosol")
    cells.fluxes |= {"into_matrix": taken, "out_of_matrix": given}
    if cells.energetics is not None:
        pore = inner("pore_conductance", "1/s") * cells["pore"] * (m - c)
        _move(cells, "pore_release", {matrix: -1, cytosol: 1}, pore, "matrix -> cytosol, through the pore")


def _membrane(cells: Cells) -> None:
    outer = cells.calcium.part("membrane")
    if outer is None:
        return
    around, c, outside = cells.around, cells.free["calcium"], cells.around.calcium
    cytosol = cells.name("calcium")
    leaves = {cytosol: -1.0, **around.given("calcium", 1.0)}
    enters = {cytosol: 1.0, **around.given("calcium", -1.0)}
    opens = around.opens("calcium")
    pumped = laws.pmca(cells, outer, c) * cells.slowed("pmca_constant") * cells.pump_power * cells.blocked("pmca")
    cells.fluxes |= {"pmca": pumped, "pmca.rest": laws.pmca(cells, outer, laws.resting(cells))}
    _move(cells, "pmca", leaves, pumped, "cytosol -> outside, pumped", opens)
    exchanged = laws.exchanger(outer, c, outside) * cells.blocked("exchanger")
    _move(cells, "exchanger", leaves, exchanged, "cytosol <-> outside, for sodium", opens)
    store = laws.store_operated(outer, cells.free["er_calcium"], outside) * cells.blocked("store_operated_entry")
    _move(cells, "store_operated_entry", enters, store, "outside -> cytosol, stores empty", opens)
    lost = laws.exocytosis(outer, c)
    gone = {cytosol: -1.0, **around.given("exported", 1.0)}
    exported = () if "exported" in around.states else ("calcium",)
    _move(cells, "exocytosis", gone, lost, "cytosol -> vesicles outside", exported)
    _, more = laws.membrane_balance(cells, outer)
    _move(cells, "further_extrusion", leaves, more * c, "cytosol -> outside, balance at rest", opens)
    _move(cells, "membrane_leak", enters, laws.leak(cells, outer, c, outside), "outside -> cytosol, leak", opens)
    if cells.coupling is not None:
        gate = hill(cells.felt_peroxide, cells.coupling("channel_constant", "mol/m^3"), 2)
        filled = outside / (outside + cells.coupling("channel_outside_constant", "mol/m^3"))
        opened = cells.coupling("channel_rate", PER_TIME) * gate * filled
        _move(cells, "peroxide_gate", enters, opened, "outside -> cytosol, channels opened by peroxide", opens)
    if any(a.kind == "ionophore" for a in cells.agents.values()):
        carried = _ionophore(cells) * (outside - c)
        _move(cells, "ionophore", enters, carried, "outside <-> cytosol, ionophore", opens)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): with one buffer free calcium is the root of a quadratic."""
    import math

    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network, whole, sites, k = Network("pool"), 0.05, 0.2, 2e-3
    network.compartment("cytosol", constant(1.0, "m^3"))
    network.state("calcium", "cytosol", initial=whole)
    free = network.unknown("free", "mol/m^3")
    held = bound_and_free(free, [(constant(sites, "mol/m^3"), constant(k, "mol/m^3"))])
    size = {"total": constant(1e-3, "mol/m^3")}
    residual = {"total": network.concentration("calcium") - held}
    network.equilibrium("buffers", {"free": (free, 1e-4, 0.0)}, residual, size)
    network.observe("free", free, "mol/m^3")
    b = sites + k - whole
    return float(simulate_network(network, [0.0])["free"][0]), (-b + math.sqrt(b * b + 4 * k * whole)) / 2, 1e-9
