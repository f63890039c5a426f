"""Superoxide and hydrogen peroxide of a cell, and what removes them.

With H the peroxide in the cytosol, per volume of the cell,

    superoxide     share * respiration * (1 + b m^2/(K^2+m^2)) + V_ox (1 + b c/(K+c))      relative to rest; needs O2
    dismutase      2 O2- -> H2O2 + O2            k [SOD] [O2-]
    membrane       P A (H_o - H)
    catalase       k_cat H                       peroxisomes included; 2 H2O2 -> O2 + 2 H2O
    peroxiredoxin  SH -(k_ox H)-> SOH -(k_cond)-> SS -(k_red TrxSH)-> SH;  SOH -(k_sulf H)-> SO2H -(k_srx)-> SOH
    thioredoxin    V SS/(K+SS) * NADPH/(K_N+NADPH)
    GPx            E / (1/(k1 H) + 1/(k2 GSH))   (dalziel_1957)
    GR             V GSSG/(K+GSSG) * NADPH/(K_N+NADPH);  NADPH is supplied at V NADP/(K+NADP)

Electrons given to oxygen and peroxide are booked in ``reduced``, in units of two, so that O-O bonds are conserved:
H2O2 holds one unit, superoxide one and a half, O2 two. Assumptions: one pool for cytosol and mitochondria, no hydroxyl
radical, cells at 37 degC. Sources: selvaggio_2018 (peroxiredoxin cycle), in the sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.calcium_laws import matrix_at, resting
from nanotrial.cell.culture import hill
from nanotrial.network.terms import Term, constant, maximum

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.redox"
AMOUNT, SPEED = "mol/m^3", "mol/m^3/s"
BIMOLECULAR = "m^3/mol/s"


def applies(cells: Cells) -> bool:
    """Say whether the cells have a redox sheet."""
    return cells.redox is not None


def add_states(cells: Cells) -> None:
    """Add peroxide, superoxide and the oxidised forms, near their values at rest."""
    network, sheet = cells.network, _sheet(cells)
    size = cells.size
    place = cells.name("redox")
    network.compartment(place, cells.volume)
    made = resting_production(cells)
    rest = made / _resting_removal(cells)
    network.state(cells.name("reduced"), place, scale=size, content={"peroxide": 1}, may_be_negative=True)
    network.state(
        cells.name("hydrogen_peroxide"),
        place,
        scale=size * 1e-5,
        initial=rest * cells.start_volume,
        content={"peroxide": 1},
    )
    oxidised = sheet("peroxiredoxin_oxidation", BIMOLECULAR) * _peroxiredoxin(cells) * rest
    sulfenic = oxidised / sheet("peroxiredoxin_condensation", "1/s")
    disulfide = oxidised / (sheet("peroxiredoxin_reduction", BIMOLECULAR) * sheet("thioredoxin", AMOUNT))
    over = sheet("peroxiredoxin_overoxidation", BIMOLECULAR) * rest * sulfenic / sheet("sulfiredoxin", "1/s")
    top, half = sheet("thioredoxin_reductase_rate", SPEED), sheet("thioredoxin_reductase_constant", AMOUNT)
    starts = {"prx_sulfenic": sulfenic, "prx_disulfide": disulfide, "prx_sulfinic": over}
    starts["trx_disulfide"] = half * oxidised / maximum(top - oxidised, top * 0.01)
    if sheet.sheet.glutathione is not None:
        starts |= {"gssg": constant(0.0, AMOUNT), "nadp": constant(0.0, AMOUNT)}
    for name, start in starts.items():
        network.state(cells.name(name), place, AMOUNT, 1e-2, start)
    part = sheet.part("superoxide")
    if part is not None:
        gone = part("dismutase", AMOUNT) * part("dismutase_rate", BIMOLECULAR)
        network.state(
            cells.name("superoxide"), place, scale=size * 1e-6, content={"peroxide": 1.5},
            initial=made * 2.0 / gone * cells.start_volume,
        )  # fmt: skip


def _sheet(cells: Cells) -> Constants:
    assert cells.redox is not None
    return cells.redox


def _peroxiredoxin(cells: Cells) -> Term:
    return _sheet(cells)("peroxiredoxin", AMOUNT) * cells.defence


def resting_production(cells: Cells) -> Term:
    """Return H2O2 made per volume of the cell at rest in air (mol/(m^3 s)); half of the superoxide."""
    part = _sheet(cells).part("superoxide")
    if part is None:
        return constant(0.0, SPEED)
    burnt = cells.line("oxygen_consumption", "mol/s") / cells.cell_volume
    return (part("respiratory_share", "1") * burnt + part("oxidase_rate", SPEED)) * 0.5


def _resting_removal(cells: Cells) -> Term:
    """Return the first-order constant (1/s) of H2O2 with everything reduced."""
    sheet = _sheet(cells)
    rate = sheet("peroxiredoxin_oxidation", BIMOLECULAR) * _peroxiredoxin(cells) + sheet("other_sinks", "1/s")
    rate = rate + cells.line("catalase_rate", "1/s") * cells.defence
    part = sheet.part("glutathione")
    if part is not None:
        rate = rate + part("peroxidase", AMOUNT) * part("peroxidase_oxidation", BIMOLECULAR) * cells.defence
    return rate


def add(cells: Cells) -> None:
    """Add sources, membrane and every sink."""
    _sources(cells)
    _membrane(cells)
    _peroxiredoxin_cycle(cells)
    _glutathione(cells)
    h, sheet = cells.peroxide, _sheet(cells)
    opens = ("peroxide",) if cells.around.opens("oxygen") else ()
    _use(cells, "catalase", cells.line("catalase_rate", "1/s") * cells.defence * h, "H2O2 -> 1/2 O2 + H2O",
         {**cells.around.given("oxygen", 0.5)}, opens)  # fmt: skip
    reduced = {cells.name("reduced"): 1.0}
    _use(cells, "other_sinks", sheet("other_sinks", "1/s") * h, "H2O2 + 2 thiols -> 2 H2O", reduced)
    for name, agent in cells.agents.items():
        if agent.peroxide_rate is not None:
            k = cells.network.parameter(f"{name}.peroxide_rate", agent.peroxide_rate, BIMOLECULAR)
            _use(cells, f"{name}.scavenging", k * cells.dose(name) * h, f"H2O2 + {name} -> 2 H2O", reduced)


def _use(cells: Cells, name: str, rate: Term, line: str, gains: dict[str, float], opens: tuple[str, ...] = ()) -> None:
    taken = {cells.name("hydrogen_peroxide"): -1.0, **gains}
    cells.network.process(cells.name(name), taken, rate * cells.volume, line, ID, opens)


def _change(cells: Cells, name: str, gains: dict[str, float], rate: Term, line: str) -> None:
    own = {cells.name(k): v for k, v in gains.items()}
    cells.network.process(cells.name(name), own, rate, line, ID)


def _sources(cells: Cells) -> None:
    part = _sheet(cells).part("superoxide")
    if part is None:
        return
    around, network = cells.around, cells.network
    c, c0 = cells.free["calcium"], resting(cells)
    oxygen = cells.over_air(part("oxygen_constant", AMOUNT))
    gain, level = part("oxidase_calcium_gain", "1"), part("oxidase_calcium_constant", AMOUNT)
    oxidase = part("oxidase_rate", SPEED) * (1.0 + gain * c / (level + c)) / (1.0 + gain * c0 / (level + c0)) * oxygen
    burnt = cells.fluxes.get("respiration", cells.line("oxygen_consumption", "mol/s") / cells.cell_volume)
    chain = part("respiratory_share", "1") * burnt * oxygen
    inner = cells.calcium.part("mitochondria")
    if inner is not None:
        m, m0 = cells.free["matrix_calcium"], matrix_at(cells, inner, c0)
        gain, level = part("respiratory_calcium_gain", "1"), part("respiratory_calcium_constant", AMOUNT)
        chain = chain * (1.0 + gain * hill(m, level, 2)) / (1.0 + gain * hill(m0, level, 2))
    if cells.beam is not None:
        chain = chain * (1.0 + cells["lasting_oxidants"])
    opens = ("peroxide",) if around.opens("oxygen") else ()
    made = {cells.name("superoxide"): 1.0, cells.name("reduced"): 0.5, **around.given("oxygen", -1.0)}
    for name, rate in (("respiratory_superoxide", chain), ("oxidase", oxidase)):
        network.process(cells.name(name), made, rate * cells.volume, "O2 + e- -> O2-", ID, opens)
    rate = part("dismutase", AMOUNT) * part("dismutase_rate", BIMOLECULAR) * cells["superoxide"] * 0.5
    made = {cells.name("superoxide"): -2.0, cells.name("hydrogen_peroxide"): 1.0, **around.given("oxygen", 1.0)}
    network.process(cells.name("dismutase"), made, rate, "2 O2- + 2 H+ -> H2O2 + O2", ID, opens)


def permeation(permeability: Term, area: Term, outside: Term, inside: Term) -> Term:
    """Return what passes a membrane (mol/s): P A (outside - inside)."""
    return permeability * area * (outside - inside)


def _membrane(cells: Cells) -> None:
    around = cells.around
    area = cells.line("membrane_area", "m^2") * cells.held
    rate = permeation(cells.line("peroxide_permeability", "m/s"), area, around.peroxide, cells.peroxide)
    gains = {cells.name("hydrogen_peroxide"): 1.0, **around.given("peroxide", -1.0)}
    opens = around.opens("peroxide")
    cells.network.process(cells.name("peroxide_entry"), gains, rate, "H2O2 outside <-> inside", ID, opens)


def _peroxiredoxin_cycle(cells: Cells) -> None:
    sheet, h = _sheet(cells), cells.peroxide
    sulfenic, disulfide, over = (cells[f"prx_{n}"] for n in ("sulfenic", "disulfide", "sulfinic"))
    reduced = _peroxiredoxin(cells) - sulfenic - disulfide - over
    thioredoxin = sheet("thioredoxin", AMOUNT) - cells["trx_disulfide"]
    oxidation = sheet("peroxiredoxin_oxidation", BIMOLECULAR) * reduced * h
    overoxidation = sheet("peroxiredoxin_overoxidation", BIMOLECULAR) * sulfenic * h
    _use(cells, "peroxiredoxin", oxidation + overoxidation, "H2O2 + PrxSH -> PrxSOH", {cells.name("reduced"): 1.0})
    condensed = sheet("peroxiredoxin_condensation", "1/s") * sulfenic
    repaired = sheet("sulfiredoxin", "1/s") * over
    renewed = sheet("peroxiredoxin_reduction", BIMOLECULAR) * thioredoxin * disulfide
    _change(cells, "prx.oxidation", {"prx_sulfenic": 1}, oxidation, "PrxSH -> PrxSOH")
    _change(cells, "prx.condensation", {"prx_sulfenic": -1, "prx_disulfide": 1}, condensed, "PrxSOH -> PrxSS")
    _change(
        cells, "prx.reduction", {"prx_disulfide": -1, "trx_disulfide": 1}, renewed, "PrxSS + TrxSH -> PrxSH + TrxSS"
    )
    _change(cells, "prx.overoxidation", {"prx_sulfenic": -1, "prx_sulfinic": 1}, overoxidation, "PrxSOH -> PrxSO2H")
    _change(cells, "prx.repair", {"prx_sulfinic": -1, "prx_sulfenic": 1}, repaired, "PrxSO2H -> PrxSOH")
    half = sheet("thioredoxin_reductase_constant", AMOUNT)
    rate = sheet("thioredoxin_reductase_rate", SPEED) * cells["trx_disulfide"] / (half + cells["trx_disulfide"])
    part = sheet.part("glutathione")
    if part is None:
        _change(cells, "trx.reduction", {"trx_disulfide": -1}, rate, "TrxSS -> TrxSH")
        return
    # The rate of the sheet is that of a cell with its NADPH reduced: only what is missing of it slows.
    full = part("nadph", AMOUNT) / (part("nadph", AMOUNT) + part("nadph_constant", AMOUNT))
    rate = rate * _reducing_power(cells, part) / full
    _change(cells, "trx.reduction", {"trx_disulfide": -1, "nadp": 1}, rate, "TrxSS + NADPH -> TrxSH + NADP")


def _reducing_power(cells: Cells, part: Constants) -> Term:
    nadph = part("nadph", AMOUNT) - cells["nadp"]
    return nadph / (nadph + part("nadph_constant", AMOUNT))


def _glutathione(cells: Cells) -> None:
    part = _sheet(cells).part("glutathione")
    if part is None:
        return
    all_of_it = cells.line("glutathione", AMOUNT)
    for name, agent in cells.agents.items():
        if agent.glutathione_gain is not None:
            gain = cells.network.parameter(f"{name}.glutathione_gain", agent.glutathione_gain, "1")
            half = cells.network.parameter(f"{name}.half_effect", agent.half_effect or 0.0, AMOUNT)
            all_of_it = all_of_it * (1.0 + (gain - 1.0) * cells.dose(name) / (half + cells.dose(name)))
    h, tiny = cells.peroxide, constant(1e-12, SPEED)
    gsh = all_of_it - cells["gssg"] * 2.0
    enzyme = part("peroxidase", AMOUNT) * cells.defence
    first = part("peroxidase_oxidation", BIMOLECULAR) * enzyme * h
    second = part("peroxidase_reduction", BIMOLECULAR) * enzyme * gsh
    rate = first * second / (first + second + tiny)
    _use(cells, "glutathione_peroxidase", rate, "H2O2 + 2 GSH -> 2 H2O + GSSG", {cells.name("reduced"): 1.0})
    _change(cells, "gsh.oxidation", {"gssg": 1}, rate, "2 GSH -> GSSG")
    gssg = cells["gssg"]
    back = part("reductase_rate", SPEED) * gssg / (gssg + part("reductase_constant", AMOUNT))
    _change(
        cells, "gsh.reduction", {"gssg": -1, "nadp": 1}, back * _reducing_power(cells, part), "GSSG + NADPH -> 2 GSH"
    )
    nadp = cells["nadp"]
    supplied = part("nadph_supply", SPEED) * nadp / (nadp + part("nadp_constant", AMOUNT))
    _change(cells, "nadph.supply", {"nadp": -1}, supplied, "NADP -> NADPH")


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): with one sink inside over outside is P A / (P A + k V)."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network, volume = Network("membrane"), constant(1e-15, "m^3")
    network.compartment("cell", volume)
    network.state("h", "cell", scale=1e-18)
    inside = network.concentration("h")
    through = permeation(constant(2e-6, "m/s"), constant(1e-9, "m^2"), constant(0.1, "mol/m^3"), inside)
    network.process("entry", {"h": 1}, through)
    network.process("sink", {"h": -1}, constant(5.0, "1/s") * inside * volume)
    network.observe("inside", inside, "mol/m^3")
    return float(simulate_network(network, [100.0])["inside"][0]), 0.1 * 2e-15 / (2e-15 + 5e-15), 1e-5
