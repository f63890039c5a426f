"""Endosomes and lysosomes: small acid fluids in which particles dissolve as they would in a tube of that pH.

Each holds the products of the particles, even buffering of beta per pH from weak acids, and a proton pump that works
against a leak and rests at the vesicle's pH:

    pump       V_p tanh((pH - pH_rest) / s)        protons with chloride: one strong anion each
    calcium    k ([Ca] - [Ca]_rest)                to the cytosol, potassium in return
    peroxide   P (6/d) (H_v - H)                   through the membrane of vesicles of diameter d
    phosphate  k ([P] - [P]_rest)                  where particles give off iron: to the cytosol, with potassium

The pump sets how fast a base can dissolve: two protons for each calcium of a peroxide. The enzymes of the lysosome
digest coats. Where the medium follows minerals of iron, those that a vesicle can form are followed in it too; phosphate
crosses the membrane as H2PO4- and comes from a cytosol that is not used up. Assumptions: all endosomes of a class are
one fluid, and all lysosomes; membranes do not burst. Sources: in the sheet; casey_2010 (pumps), christensen_2002
(lysosomal calcium).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.uptake import move
from nanotrial.cell.vesicle_fluid import STEP, buffer_sites, mean_charge
from nanotrial.medium import iron, minerals
from nanotrial.medium.constants import PEROXIDE_UNITS
from nanotrial.medium.speciation import add_solution
from nanotrial.network.terms import Term, constant, maximum, tanh, ten_to
from nanotrial.particle import coat, dissolution, radiation_products
from nanotrial.particle.fluid import Cohort, Fluid

if TYPE_CHECKING:
    from collections.abc import Container

    from nanotrial.catalogue.agent_schema import Agent
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.cell.culture import Cells

ID = "cell.vesicles"


def applies(cells: Cells) -> bool:
    """Say whether the cells meet particles."""
    return cells.vesicles is not None and cells.medium is not None and bool(cells.medium.cohorts)


def add_states(cells: Cells) -> None:
    """Add both fluids with their solutions, and the cohorts of particles on the membrane and in them."""
    medium, sheet = cells.medium, cells.vesicles
    assert medium is not None
    assert sheet is not None
    cells.bound = [_cohort(cells, one, "bound", medium.name) for one in medium.cohorts]
    cells.endosome = _fluid(cells, "endosome", sheet("endosome_volume_share", "1"), sheet("endosome_ph", "1"))
    cells.lysosome = _fluid(cells, "lysosome", sheet("lysosome_volume_share", "1"), sheet("lysosome_ph", "1"))
    for fluid in (cells.endosome, cells.lysosome):
        if radiation_products.applies(fluid):
            # Lesions and organelles, which come first, read what is made in vesicles.
            radiation_products.add_states(fluid)


def _cohort(cells: Cells, one: Cohort, place: str, compartment: str) -> Cohort:
    """Return a cohort's like in another place, with its states."""
    network, key = cells.network, f"{cells.key}.{place}.{one.key}"
    made = Cohort(
        key,
        one.particle,
        one.material,
        one.material_id,
        one.classes,
        one.addition,
        one.coat,
        one.coat_sheet,
        one.coat_material,
        one.parameter_key,
    )
    content = network.species[one.core_name(0)].content
    scale = network.species[one.core_name(0)].scale * 1e-3
    for j in range(len(one.classes.radii)):
        network.state(made.core_name(j), compartment, scale=scale, content=content)
    network.state(f"{key}.added", compartment, scale=scale)
    if one.coat is not None:
        polymer = network.species[f"{one.key}.coat"]
        network.state(f"{key}.coat", compartment, "kg", polymer.scale * 1e-3, content=polymer.content)
    return made


def _fluid(cells: Cells, kind: str, share: Term, ph: Term) -> Fluid:
    network, sheet, medium = cells.network, cells.vesicles, cells.medium
    assert sheet is not None
    assert medium is not None
    name, volume, begin = cells.name(kind), cells.volume * share, cells.start_volume * share
    network.compartment(name, volume)
    wanted = {s for one in medium.cohorts for s in one.material.products} | {"calcium", "oxygen"}
    held = _held(cells, wanted, ph)
    wanted |= set(held)
    components = {i: s for i, s in medium.solution.components.items() if i in wanted}
    scale = cells.size * sheet.sheet.lysosome_volume_share.si
    for i in components:
        start = held[i][0] * begin if i in held else constant(0.0, "mol")
        network.state(f"{name}.{i}", name, scale=scale, initial=start, content=PEROXIDE_UNITS.get(i, {i: 1.0}))
    sites, beta = buffer_sites(sheet, volume), sheet("buffer_capacity", "mol/m^3") * STEP
    charge = constant(0.0, "mol/m^3")
    for amount, each in held.values():
        charge = charge - amount * each
    charge = charge - ten_to(-ph) * 1000.0 * constant(1.0, "mol/m^3")
    for site in sites:
        charge = charge + beta / (1.0 + ten_to(site.pka - ph))
    network.state(f"{name}.strong_charge", name, scale=scale * 10, initial=charge * begin, may_be_negative=True)
    network.state(f"{name}.inert_ions", name, scale=scale * 10, initial=maximum(charge, -charge) * begin)
    enzymes = _enzymes(cells, name, scale, begin, kind == "lysosome")
    salt = sheet("ionic_strength", "mol/m^3")
    kelvin = medium.temperature
    first = sheet.sheet.lysosome_ph.si if kind == "lysosome" else sheet.sheet.endosome_ph.si
    solution = add_solution(network, name, components, medium.solution.water, kelvin, first, salt, sites, 150.0)
    fluid = Fluid(
        network=network,
        name=name,
        temperature=kelvin,
        solution=solution,
        volume=volume,
        scale=scale,
        cohorts=[],
        agents=enzymes,
        phases=_iron_phases(medium.phases, components),
        beam=medium.beam,
    )
    for one in medium.cohorts:
        if one.coat is not None and f"{name}.free_{one.coat_material}" not in network.species:
            polymer = network.species[f"{one.key}.coat"]
            network.state(f"{name}.free_{one.coat_material}", name, "kg", polymer.scale * 1e-3, content=polymer.content)
        fluid.cohorts.append(_cohort(cells, one, kind, name))
    return fluid


def _gives_iron(products: set[str]) -> bool:
    """Say whether iron comes off the particles, so that phosphate in the vesicle matters."""
    return not products.isdisjoint(("iron_2", "iron_3"))


def _held(cells: Cells, products: set[str], ph: Term) -> dict[str, tuple[Term, Term | float]]:
    """Return what a vesicle holds at rest (mol/m^3) and the charge of each."""
    sheet, medium = cells.vesicles, cells.medium
    assert sheet is not None
    assert medium is not None
    held: dict[str, tuple[Term, Term | float]] = {"calcium": (sheet("resting_calcium", "mol/m^3"), 2.0)}
    if _gives_iron(products) and "phosphate" in medium.solution.components:
        solute = medium.solution.components["phosphate"]
        charge = mean_charge(sheet, solute, ph, medium.temperature)
        held["phosphate"] = (sheet("phosphate", "mol/m^3"), charge)
    return held


def _iron_phases(followed: dict[str, Phase], components: Container[str]) -> dict[str, Phase]:
    """Return the minerals of iron that the medium follows and a vesicle can form."""
    return {
        i: phase
        for i, phase in followed.items()
        if _gives_iron(set(phase.products)) and all(solute in components for solute in phase.products)
    }


def _enzymes(cells: Cells, name: str, scale: float, volume: Term, active: bool) -> dict[str, Agent]:
    """Return the enzymes of the lysosome that digest the coats at hand, with their states."""
    found: dict[str, Agent] = {}
    assert cells.vesicles is not None
    assert cells.medium is not None
    for one in cells.medium.cohorts:
        digestion = one.coat_sheet.digestion if one.coat_sheet is not None else None
        if active and digestion is not None and digestion.enzyme in cells.enzymes and digestion.enzyme not in found:
            activity = cells.vesicles(digestion.enzyme, "mol/s/m^3")
            cells.network.state(f"{name}.{digestion.enzyme}", name, "mol/s", scale, activity * volume)
            found[digestion.enzyme] = cells.enzymes[digestion.enzyme]
    return found


def add(cells: Cells) -> None:
    """Add pumps, leaks, and what particles do in both fluids."""
    assert cells.vesicles is not None
    for fluid, key in ((cells.endosome, "endosome_ph"), (cells.lysosome, "lysosome_ph")):
        assert fluid is not None
        _pump(cells, fluid, cells.vesicles(key, "1"))
        _leaks(cells, fluid)
        dissolution.add(fluid)
        if coat.applies(fluid):
            coat.add(fluid)
        if radiation_products.applies(fluid):
            radiation_products.add(fluid)
        for mechanism in (iron, minerals):
            if mechanism.applies(fluid):
                mechanism.add(fluid)
        _turnover(cells, fluid)


def _pump(cells: Cells, fluid: Fluid, rest: Term) -> None:
    sheet = cells.vesicles
    assert sheet is not None
    push = tanh((fluid.solution.ph - rest) / sheet("pump_sensitivity", "1"))
    rate = sheet("pump_rate", "mol/m^3/s") * push * cells.pump_power * fluid.volume
    gains = {f"{fluid.name}.strong_charge": -1.0}
    cells.network.process(f"{fluid.name}.pump", gains, rate, "H+ and Cl- into the vesicle", ID)


def _leaks(cells: Cells, fluid: Fluid) -> None:
    network, sheet = cells.network, cells.vesicles
    assert sheet is not None
    over = network.concentration(f"{fluid.name}.calcium") - sheet("resting_calcium", "mol/m^3")
    rate = sheet("calcium_release", "1/s") * over * fluid.volume
    gains = {f"{fluid.name}.calcium": -1.0, cells.name("calcium"): 1.0, f"{fluid.name}.strong_charge": 2.0}
    network.process(f"{fluid.name}.calcium_release", gains, rate, "Ca+2 of the vesicle -> cytosol, K+ in return", ID)
    reach = sheet("peroxide_permeability", "m/s") * 6.0 / sheet("vesicle_diameter", "m") * fluid.volume
    assert cells.medium is not None
    for i in fluid.solution.components:
        held, name = network.concentration(f"{fluid.name}.{i}"), f"{fluid.name}.{i}.leaves"
        if i == "hydrogen_peroxide":
            gains = {f"{fluid.name}.{i}": -1.0, cells.name(i): 1.0}
            network.process(name, gains, reach * (held - cells.peroxide), "H2O2 -> cytosol", ID)
        elif i == "phosphate" and _gives_iron(set(fluid.solution.components)):
            over = held - sheet("phosphate", "mol/m^3")
            gains = {f"{fluid.name}.{i}": -1.0, f"{fluid.name}.strong_charge": -1.0}
            rate = sheet("phosphate_exchange", "1/s") * over * fluid.volume
            network.process(name, gains, rate, "H2PO4- and K+ -> cytosol", ID, ("phosphate",))
        elif i != "calcium":
            # Gases pass membranes at least as fast as peroxide; other ions leave with the fluid that is given back.
            gas = fluid.solution.components[i].gas is not None
            rate = reach * held if gas else sheet("exocytosis", "1/s") * network[f"{fluid.name}.{i}"]
            gains = {f"{fluid.name}.{i}": -1.0, f"{cells.medium.name}.{i}": 1.0}
            network.process(name, gains, rate, "vesicle -> medium", ID)


def _turnover(cells: Cells, fluid: Fluid) -> None:
    """Add what the death of cells gives back to the medium, and what new cells bring."""
    network, medium = cells.network, cells.medium
    assert medium is not None
    if "hazard" not in cells.fluxes:
        return
    dying, growing = cells.fluxes["hazard"], cells.fluxes["growth"]
    particles = tuple(f"{c.key}." for c in fluid.cohorts)
    own = [n for n in network.species if n.startswith(f"{fluid.name}.") and not n.startswith(particles)]
    for name in own:
        there = name.replace(fluid.name, medium.name, 1)
        known = there in network.species and network.species[there].unit == network.species[name].unit
        gains = {name: -1.0, **({there: 1.0} if known else {})}
        network.process(f"{name}.dies", gains, dying * network[name], "dying cells -> medium", ID)
        if not network.species[name].content:
            network.process(f"{name}.grows", {name: 1.0}, growing * network[name], "new cells", ID)
    for inside, outside in zip(fluid.cohorts, medium.cohorts, strict=True):
        move(network, f"{inside.key}.dies", inside, outside, dying, ID)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): the acids of a vesicle give up the capacity times their span of pH."""
    import casadi as ca

    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.cell.culture import Constants
    from nanotrial.network.model import Network

    catalogue, network = Catalogue(), Network("vesicle")
    name = catalogue.ids("vesicles")[0]
    sheet = catalogue.load("vesicles", name)
    sites = buffer_sites(Constants(network, name, sheet), constant(1.0, "m^3"))
    given = constant(0.0, "mol")
    for site in sites:
        bare = [site.amount / (1.0 + ten_to(site.pka - ph)) for ph in (30.0, -20.0)]
        given = given + bare[0] - bare[1]
    symbols = ca.symvar(given.expression)
    values = [network.parameters[s.name()].value for s in symbols]
    found = ca.Function("given", symbols, [given.expression])(*values)
    return float(found), sheet.buffer_capacity.si * STEP * len(sites), 1e-12
