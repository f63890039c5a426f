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

Leaks of membrane and reticulum are what balances the pumps at rest in the medium at hand: a cell is adapted to its
medium. Assumptions: well-mixed pools, fast buffers, resting IP3, sodium held. Sources: in the sheets (li_rinzel_1994).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.culture import hill
from nanotrial.medium.constants import GAS_CONSTANT
from nanotrial.network.terms import Term, constant, exp, maximum, positive_part, total

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.calcium"
FARADAY = 96485.33212
MICROMOLAR = 1e-3
PER_TIME = "mol/m^3/s"
SMOOTH = 1e-3


def applies(cells: Cells) -> bool:
    """Say whether there are cells."""
    return True


def add_states(cells: Cells) -> None:
    """Add the pools of calcium at rest, their free concentrations, and the gate of the IP3 receptor."""
    network, sheet = cells.network, cells.calcium
    own = _own_buffer(sheet, "cytosol_buffer")
    _pool(cells, "calcium", "cytosol", constant(1.0, "1"), resting(cells), own, _chelators(cells))
    er = sheet("er_volume_share", "1")
    _pool(cells, "er_calcium", "er", er, sheet("er_resting_calcium", "mol/m^3"), _own_buffer(sheet, "er_buffer"))
    inner = sheet.part("mitochondria")
    if inner is not None:
        matrix = inner("volume_share", "1")
        held = _own_buffer(inner, "buffer")
        _pool(cells, "matrix_calcium", "matrix", matrix, inner("resting_calcium", "mol/m^3"), held)
    open_share = _inactivation_level(cells) / (_inactivation_level(cells) + resting(cells))
    network.state(cells.name("ip3_gate"), cells.name("cytosol"), "1", 1.0, open_share)


def resting(cells: Cells) -> Term:
    """Return free cytosolic calcium at rest (mol/m^3)."""
    return cells.line("resting_calcium", "mol/m^3")


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
    network.equilibrium(f"{name}.buffers", {f"{name}.free": (free, 1e-4, 0.0)}, {"total": residual}, size)


def bound_and_free(free: Term, buffers: list[tuple[Term, Term]]) -> Term:
    """Return all calcium at a free concentration: x + sum B x / (K + x)."""
    return free + total((b * free / (k + free) for b, k in buffers), "mol/m^3")


def _inactivation_level(cells: Cells) -> Term:
    sheet = cells.calcium
    ip3, d1 = sheet("ip3", "mol/m^3"), sheet("ip3_constant", "mol/m^3")
    d2, d3 = sheet("ip3_inhibition_constant", "mol/m^3"), sheet("ip3_inhibition_ip3_constant", "mol/m^3")
    return d2 * (ip3 + d1) / (ip3 + d3)


def add(cells: Cells) -> None:
    """Add gate, channels, pumps and leaks."""
    network, sheet = cells.network, cells.calcium
    c = cells.free["calcium"]
    level = _inactivation_level(cells)
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


def _receptors(cells: Cells, c: Term, gate: Term) -> Term:
    """Return the conductance (1/s) of IP3 and ryanodine receptors without peroxide or inhibitors."""
    sheet = cells.calcium
    ip3 = sheet("ip3", "mol/m^3")
    active = ip3 / (ip3 + sheet("ip3_constant", "mol/m^3")) * c / (c + sheet("ip3_activation_constant", "mol/m^3"))
    opened = sheet("ip3_receptor_rate", "1/s") * (active * gate) ** 3 * cells.blocked("ip3_receptor")
    if sheet.sheet.ryanodine_rate is None:
        return opened
    ryanodine = sheet("ryanodine_rate", "1/s") * hill(c, sheet("ryanodine_constant", "mol/m^3"), 2)
    return opened + ryanodine * cells.blocked("ryanodine_receptor")


def _reticulum(cells: Cells) -> None:
    sheet = cells.calcium
    c, e, c0 = cells.free["calcium"], cells.free["er_calcium"], resting(cells)
    er, cytosol = cells.name("er_calcium"), cells.name("calcium")
    e0 = sheet("er_resting_calcium", "mol/m^3")
    pump, half = sheet("serca_rate", PER_TIME) * cells.defence, sheet("serca_constant", "mol/m^3")
    at_rest = pump * hill(c0, half, 2)
    taken = pump * hill(c, half, 2) * cells.slowed("serca_constant") * cells.pump_power * cells.blocked("serca")
    cells.fluxes |= {"serca": taken, "serca.rest": at_rest}
    _move(cells, "serca", {cytosol: -1, er: 1}, taken, "cytosol -> reticulum")
    opened = _receptors(cells, c, cells["ip3_gate"])
    if cells.coupling is not None:
        gain, level = cells.coupling("receptor_gain", "1"), cells.coupling("receptor_constant", "mol/m^3")
        opened = opened * (1.0 + gain * cells.felt_peroxide / (level + cells.felt_peroxide))
    _move(cells, "receptors", {er: -1, cytosol: 1}, opened * (e - c), "reticulum -> cytosol, through receptors")
    if sheet.sheet.er_leak is None:
        level = _inactivation_level(cells)
        resting_opening = _receptors(cells, c0, level / (level + c0))
        missing = at_rest / (e0 - c0) - resting_opening
        leak = maximum(missing, constant(0.0, "1/s"))
        # Where receptors leak more than the pump takes at rest, what is missing is taken up in proportion to c.
        more = maximum(-missing, constant(0.0, "1/s")) * (e0 - c0) / c0
        _move(cells, "er_further_uptake", {cytosol: -1, er: 1}, more * c, "cytosol -> reticulum, balance at rest")
    else:
        leak = sheet("er_leak", "1/s")
    leak = leak + _ionophore(cells)
    _move(cells, "er_leak", {er: -1, cytosol: 1}, leak * (e - c), "reticulum -> cytosol, leak")


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
    c0, m0 = resting(cells), inner("resting_calcium", "mol/m^3")
    cytosol, matrix = cells.name("calcium"), cells.name("matrix_calcium")
    top, half = inner("uniporter_rate", PER_TIME), inner("uniporter_constant", "mol/m^3")
    driven = positive_part(cells.potential_share, SMOOTH)
    taken = top * hill(c, half, 2) * driven * cells.blocked("uniporter")
    out, k_out = inner("efflux_rate", PER_TIME), inner("efflux_constant", "mol/m^3")
    given = out * m / (k_out + m) * cells.blocked("mitochondrial_efflux")
    # Slow uptake that the uniporter's law leaves out closes the balance at rest; it too is driven by the potential.
    missing, none = out * m0 / (k_out + m0) - top * hill(c0, half, 2), constant(0.0, PER_TIME)
    slow = maximum(missing, none) / c0 * c * driven
    given = given + maximum(-missing, none) / m0 * m
    _move(cells, "uniporter", {cytosol: -1, matrix: 1}, taken + slow, "cytosol -> matrix")
    _move(cells, "mitochondrial_efflux", {matrix: -1, cytosol: 1}, given, "matrix -> cytosol")
    cells.fluxes |= {"into_matrix": taken + slow, "out_of_matrix": given}
    if cells.energetics is not None:
        pore = inner("pore_conductance", "1/s") * cells["pore"] * (m - c)
        _move(cells, "pore_release", {matrix: -1, cytosol: 1}, pore, "matrix -> cytosol, through the pore")


def _membrane(cells: Cells) -> None:
    outer = cells.calcium.part("membrane")
    if outer is None:
        return
    around, network = cells.around, cells.network
    c, c0, outside = cells.free["calcium"], resting(cells), around.calcium
    cytosol = cells.name("calcium")
    leaves = {cytosol: -1.0, **around.given("calcium", 1.0)}
    enters = {cytosol: 1.0, **around.given("calcium", -1.0)}
    opens = around.opens("calcium")
    pump, half = cells.line("pmca_rate", PER_TIME) * cells.defence, outer("pmca_constant", "mol/m^3")
    at_rest = pump * hill(c0, half, 2)
    pumped = pump * hill(c, half, 2) * cells.slowed("pmca_constant") * cells.pump_power * cells.blocked("pmca")
    cells.fluxes |= {"pmca": pumped, "pmca.rest": at_rest}
    _move(cells, "pmca", leaves, pumped, "cytosol -> outside, pumped", opens)
    exchanged, exchanged_rest = (
        _exchanger(cells, outer, c, outside),
        _exchanger(cells, outer, c0, around.resting_calcium),
    )
    _move(cells, "exchanger", leaves, exchanged * cells.blocked("exchanger"), "cytosol <-> outside, for sodium", opens)
    store, store_rest = _store_operated(cells, outer), _store_operated(cells, outer, rest=True)
    _move(cells, "store_operated_entry", enters, store, "outside -> cytosol, stores empty", opens)
    lost, lost_rest = _exocytosis(outer, c), _exocytosis(outer, c0)
    cells.fluxes |= {"exocytosis": lost}
    if "exported" in around.states:
        _move(cells, "exocytosis", {cytosol: -1, around.states["exported"]: 1}, lost, "cytosol -> vesicles outside")
    else:
        _move(cells, "exocytosis", {cytosol: -1}, lost, "cytosol -> vesicles outside", ("calcium",))
    missing, none = at_rest + exchanged_rest + lost_rest - store_rest, constant(0.0, PER_TIME)
    balance = maximum(missing, none)
    _move(
        cells,
        "further_extrusion",
        leaves,
        maximum(-missing, none) / c0 * c,
        "cytosol -> outside, balance at rest",
        opens,
    )
    # Pores that pass calcium fill up: the leak saturates outside as store-operated entry does.
    half = outer("store_operated_outside_constant", "mol/m^3")
    usual = around.resting_calcium / (around.resting_calcium + half)
    leak = balance * outside / (outside + half) / usual * (1.0 - c / outside) / (1.0 - c0 / around.resting_calcium)
    _move(cells, "membrane_leak", enters, leak, "outside -> cytosol, leak", opens)
    if cells.coupling is not None:
        gate = hill(cells.felt_peroxide, cells.coupling("channel_constant", "mol/m^3"), 2)
        reach = outside / (outside + cells.coupling("channel_outside_constant", "mol/m^3"))
        opened = cells.coupling("channel_rate", PER_TIME) * gate * reach
        _move(cells, "peroxide_gate", enters, opened, "outside -> cytosol, channels opened by peroxide", opens)
    if any(a.kind == "ionophore" for a in cells.agents.values()):
        carried = _ionophore(cells) * (outside - c)
        _move(cells, "ionophore", enters, carried, "outside <-> cytosol, ionophore", opens)
    network.observe(cells.name("calcium_entry"), balance, PER_TIME, "calcium that leaks in at rest")


def _exchanger(cells: Cells, outer: Constants, c: Term, outside: Term) -> Term:
    ratio = (outer("sodium_inside", "mol/m^3") / outer("sodium_outside", "mol/m^3")) ** 3
    volts = outer("potential", "V") * constant(FARADAY / (GAS_CONSTANT * 310.15), "1/V")
    even = outside * ratio * exp(volts)
    half = outer("exchanger_constant", "mol/m^3")
    return outer("exchanger_rate", PER_TIME) * (c - even) / (half + c + even)


def _store_operated(cells: Cells, outer: Constants, rest: bool = False) -> Term:
    e = cells.calcium("er_resting_calcium", "mol/m^3") if rest else cells.free["er_calcium"]
    outside = cells.around.resting_calcium if rest else cells.around.calcium
    empty = 1.0 - hill(e, outer("store_operated_constant", "mol/m^3"), 4)
    reach = outside / (outside + outer("store_operated_outside_constant", "mol/m^3"))
    rate = outer("store_operated_rate", PER_TIME) * empty * reach
    return rate if rest else rate * cells.blocked("store_operated_entry")


def _exocytosis(outer: Constants, c: Term) -> Term:
    return outer("exocytosis_rate", PER_TIME) * hill(c, outer("exocytosis_constant", "mol/m^3"), 3)


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
