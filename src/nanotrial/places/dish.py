"""Build the network of an arm in a dish: medium, classes of cells, particles on their way, drugs, read-outs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.agent_schema import Agent
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell import (
    calcium,
    cycle,
    death,
    drugs,
    energy,
    inducers,
    irradiation,
    lesions,
    matrix_vesicles,
    mineral_layer,
    organelles,
    probes,
    redox,
    uptake,
    vesicle_fluid,
    vesicles,
)
from nanotrial.cell.culture import Cells, Constants, Layer, Surroundings
from nanotrial.fit.overlay import Overlay
from nanotrial.medium import gases, iron, minerals, peroxide
from nanotrial.medium.constants import ATMOSPHERE, PEROXIDE_UNITS
from nanotrial.medium.speciation import Solution, add_solution
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, maximum, power, total
from nanotrial.particle import coat, dissolution, radiation_products
from nanotrial.particle.fluid import Cohort
from nanotrial.places import dish_medium
from nanotrial.places.built import BuiltArm
from nanotrial.places.dish_minerals import DishMinerals, add_minerals, add_shedding
from nanotrial.places.dish_parts import Dish, WellMedium
from nanotrial.places.dish_readouts import loading_events, observe_dish
from nanotrial.places.irradiation import add_beam, beam_events, cell_beam
from nanotrial.places.lysosome_readouts import observe_lysosomal_minerals
from nanotrial.places.mineral_readouts import observe_minerals
from nanotrial.places.particles import add_particle_states, coat_sites, cohorts_of, dissolved_gas
from nanotrial.places.protocol import addition_event, removal_event
from nanotrial.study import Arm, DishSubject, Study
from nanotrial.study.measures import DEFAULT_PROBES
from nanotrial.study.minerals import STAINED, USUAL_STAIN

if TYPE_CHECKING:
    from nanotrial.cell.irradiation import CellBeam

MEDIUM_MECHANISMS: tuple[ModuleType, ...] = (
    dissolution, coat, peroxide, iron, gases, minerals, radiation_products,
)  # fmt: skip
# States before processes: each mechanism reads what those before it have named.
CELL_STATES: tuple[ModuleType, ...] = (
    death, drugs, redox, energy, calcium, probes, vesicles, irradiation, lesions, cycle, organelles,
)  # fmt: skip
CELL_MECHANISMS: tuple[ModuleType, ...] = (
    irradiation, lesions, cycle, drugs, calcium, redox, organelles, energy, death, mineral_layer, probes, vesicles,
    uptake,
)  # fmt: skip
# Added as a whole, not by class of cells, where minerals are followed.
MINERAL_MECHANISMS: tuple[ModuleType, ...] = (inducers, matrix_vesicles)
# Ionic strength of culture media (mol/L): where the solver begins, and for the bicarbonate that goes with a pH.
STRENGTH = 0.16
SETS = {
    "calcium": ("calcium_handling", "mammalian_calcium"),
    "redox": ("redox", "mammalian_redox"),
    "coupling": ("coupling", "peroxide_targets"),
    "energetics": ("energetics", "mammalian_energetics"),
    "death": ("death", "mammalian_death"),
    "vesicles": ("vesicles", "mammalian_vesicles"),
}


def build_dish(study: Study, arm: Arm, subject: DishSubject, values: Overlay) -> BuiltArm:
    """Return the network of one arm in a dish.

    Arguments:
        study: the study.
        arm: one of its arms.
        subject: its culture.
        values: fitted values that stand in for those of the sheets.
    """
    network = Network(arm.name)
    catalogue = study.catalogue
    line = values.apply("cells", subject.cells, catalogue.load("cells", subject.cells))
    recipe = values.apply("media", subject.medium, catalogue.load("media", subject.medium))
    agents = {
        a.name: values.apply("agents", a.name, catalogue.load("agents", a.name))
        for a in arm.additions
        if a.kind == "agent"
    }
    medium = _medium(network, study, arm, subject, recipe, agents, cohorts_of(study, arm, values))
    sets = _sets(network, catalogue, values)
    density = network.parameter("cells.seeding_density", subject.said_or_usual("seeding_density", line), "1/m^2")
    seeded = density * medium.bottom
    dyes = _dyes(study, values)
    membrane = sets["calcium"].part("membrane")
    assert membrane is not None
    _populations(network, subject, medium, seeded)
    beam = _beam(study, arm, subject, medium, values) if study.irradiated else None
    lines = Constants(network, subject.cells, line)
    mixed = Constants(network, subject.medium, recipe)
    parts = _minerals(study, arm, subject, medium, lines, mixed, membrane) if subject.minerals else None
    layer = parts.layer if parts is not None else None
    cells = _classes(network, subject, line, sets, medium, seeded, agents, dyes, catalogue, layer, beam, values)
    dish = Dish(
        network=network,
        subject=subject,
        line=line,
        well=catalogue.load("wells", subject.well),
        recipe=recipe,
        medium=medium,
        cells=cells,
        death=sets["death"],
        membrane=membrane,
        seeded=seeded,
        probes=dyes,
        catalogue=catalogue,
        minerals=parts,
    )
    _add_mechanisms(dish, mixed)
    observe_dish(dish)
    if parts is not None:
        observe_minerals(dish, _stain(study, catalogue))
        observe_lysosomal_minerals(dish)
    events = [addition_event(medium, a, i) for i, a in enumerate(arm.additions)]
    events += [removal_event(medium, r, loose_particles=True) for r in arm.removals]
    events += [*beam_events(network, arm), *loading_events(dish, study)]
    left_alone = Arm(f"{arm.name}, untreated", subject, (), ())
    untreated = partial(build_dish, study, left_alone, subject, values)
    return BuiltArm(
        arm.name, network, dish, tuple(sorted(events, key=lambda e: e.time)), arm.additions, untreated, catalogue
    )


def _sets(network: Network, catalogue: Catalogue, values: Overlay) -> dict[str, Constants]:
    """Return the sets of constants that all lines share."""
    found = {}
    for key, (kind, name) in SETS.items():
        found[key] = Constants(network, name, values.apply(kind, name, catalogue.load(kind, name)))
    return found


def _dyes(study: Study, values: Overlay) -> dict[str, Any]:
    """Return measure -> (id, sheet) of the dye that a study reads it with, the usual ones where it names none."""
    chosen = {m.name: m.probe for m in study.measures if m.probe and m.name != STAINED}
    named = (DEFAULT_PROBES | chosen).items()
    return {m: (p, values.apply("probes", p, study.catalogue.load("probes", p))) for m, p in named}


def _medium(
    network: Network,
    study: Study,
    arm: Arm,
    subject: DishSubject,
    recipe: Any,
    agents: dict[str, Agent],
    cohorts: list[Cohort],
) -> WellMedium:
    """Add the medium with everything dissolved and suspended in it, and what the arm gives."""
    catalogue, well = study.catalogue, study.catalogue.load("wells", subject.well)
    volume = network.parameter("medium.volume", subject.said_or_usual("volume", well), "m^3")
    bottom = network.parameter("well.area", subject.said_or_usual("area", well), "m^2")
    network.compartment("medium", volume)
    network.compartment("outside", constant(1.0, "m^3"))
    network.compartment("population", constant(1.0, "m^3"))
    scale = subject.volume
    names: dict[str, None] = dict.fromkeys([*recipe.solutes, "carbonate", "oxygen", "hydrogen_peroxide"])
    for cohort in cohorts:
        names.update(dict.fromkeys(cohort.material.products))
    for agent in agents.values():
        names.update(dict.fromkeys(agent.solutes))
    sheets = {name: catalogue.load("solutes", name) for name in names}
    shares = {
        "oxygen": subject.said_or_usual("oxygen", well),
        "carbonate": subject.said_or_usual("carbon_dioxide", well),
    }
    _dissolved(network, subject, recipe, sheets, shares, agents, volume)
    removed = {r.what for r in arm.removals}
    if "medium" in removed:  # loose particles go with it
        removed |= {c.particle.name for c in cohorts}
    add_particle_states(network, "medium", cohorts, scale, removed)
    sites = coat_sites(network, "medium", cohorts)
    salt = network.parameter(f"{subject.medium}.background_salt", recipe.background_salt, "mol/m^3")
    water = catalogue.water()
    solution = add_solution(
        network, "medium", sheets, water, subject.temperature, subject.ph, salt, sites, STRENGTH * 1e3
    )
    network.surround("medium", ph=solution.ph, temperature=constant(subject.temperature, "K"))
    return WellMedium(
        network=network,
        name="medium",
        temperature=subject.temperature,
        solution=solution,
        volume=volume,
        scale=scale,
        cohorts=cohorts,
        agents=agents,
        subject=subject,
        bottom=bottom,
        oxygen_sheet=sheets["oxygen"],
    )


def _dissolved(
    network: Network,
    subject: DishSubject,
    recipe: Any,
    sheets: dict[str, Any],
    shares: dict[str, Any],
    agents: dict[str, Agent],
    volume: Term,
) -> None:
    """Add what is dissolved in the medium: recipe, gases, inert ions, enzymes and drugs."""
    scale, ph = subject.volume, network.parameter("medium.filling_ph", subject.ph, "1")
    for name, sheet in sheets.items():
        start = constant(0.0, "mol/m^3")
        if name in recipe.solutes:
            start = network.parameter(f"{subject.medium}.solutes.{name}", recipe.solutes[name], "mol/m^3")
        elif name in shares:
            start = dissolved_gas(network, name, sheet, shares[name], ph, subject.temperature, STRENGTH)
        content = PEROXIDE_UNITS.get(name, {name: 1.0})
        network.state(f"medium.{name}", "medium", scale=scale, initial=start * volume, content=content)
    strong = network.parameter("medium.strong_charge.start", 25.0, "mol/m^3") * volume
    network.state("medium.strong_charge", "medium", scale=scale, initial=strong, may_be_negative=True)
    network.state("medium.inert_ions", "medium", scale=scale, initial=maximum(strong, -strong))
    for name, agent in agents.items():
        if agent.kind == "enzyme":
            network.state(f"medium.{name}", "medium", "mol/s", scale=scale * 1e-3)
        elif agent.kind != "solute":
            network.state(f"medium.{name}", "medium", scale=scale * 1e-2)


def _around(
    network: Network, medium: WellMedium, subject: DishSubject, well: Any, agents: dict[str, Agent]
) -> Surroundings:
    """Return what the cells meet in the medium; the free calcium of the fresh medium sets where they rest."""
    solution: Solution = medium.solution
    gas = solution.components["oxygen"].gas
    assert gas is not None
    usual = network.parameter("incubator.oxygen", well.oxygen, "1") * constant(ATMOSPHERE, "Pa")
    states = {"calcium": "medium.calcium", "peroxide": "medium.hydrogen_peroxide", "oxygen": "medium.oxygen"}
    if subject.minerals:
        states["exported"] = f"{vesicle_fluid.NAME}.calcium"
    else:
        network.state("medium.exported", "medium", scale=medium.scale * 1e-3, content={"calcium": 1})
    drugs_there = {
        n: network.concentration(f"medium.{n}") for n, a in agents.items() if a.kind not in ("enzyme", "solute")
    }
    return Surroundings(
        calcium=solution.free(solution.masters["calcium"]),
        peroxide=network.concentration("medium.hydrogen_peroxide"),
        oxygen=network.concentration("medium.oxygen"),
        fresh_calcium=network.parameter("medium.fresh_calcium", 1.0, "mol/m^3"),
        air_oxygen=gases.solubility(network, "oxygen", gas, subject.temperature) * usual,
        states={"exported": "medium.exported", **states},
        drugs=drugs_there,
    )


def _rule(subject: DishSubject) -> tuple[Any, Any]:
    """Return points and weights of a Gauss-Hermite rule of a lognormal, on which the classes of cells lie."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(subject.cell_classes)
    return nodes, weights / math.sqrt(2.0 * math.pi)


def _populations(network: Network, subject: DishSubject, medium: WellMedium, seeded: Term) -> None:
    """Add the counts of live, dead and untreated cells, and what is kept in and by the dead."""
    for state in ("dead.apoptotic", "dead.necrotic", "untreated.live"):
        start = seeded if state == "untreated.live" else constant(0.0, "1")
        network.state(state, "population", "1", subject.seeding_density * subject.area, start)
    network.state("dead.calcium", "population", scale=medium.scale * 1e-3, content={"calcium": 1})
    network.state("medium.reduced", "medium", scale=medium.scale, content={"peroxide": 1})
    for k, weight in enumerate(_rule(subject)[1]):
        count = subject.seeding_density * subject.area * float(weight)
        network.state(f"cells.{k}.live", "population", "1", count, seeded * float(weight))


def _minerals(
    study: Study,
    arm: Arm,
    subject: DishSubject,
    medium: WellMedium,
    line: Constants,
    recipe: Constants,
    membrane: Constants,
) -> DishMinerals:
    """Add what mineral can form on and in, before the cells that feel it."""
    network, catalogue = medium.network, study.catalogue
    given = {a.name: catalogue.load("inducers", a.name) for a in arm.additions if a.kind == "inducer"}
    dead = network["dead.apoptotic"] + network["dead.necrotic"]
    seeded = subject.seeding_density * subject.area
    return add_minerals(medium, catalogue, line, recipe, membrane, given, _live(network, subject), dead, seeded)


def _live(network: Network, subject: DishSubject) -> Term:
    """Return the live cells of all classes."""
    return total((network[f"cells.{k}.live"] for k in range(subject.cell_classes)), "1")


def _stain(study: Study, catalogue: Any) -> tuple[str, Any]:
    """Return the stain that a study reads the calcified area with: the usual one where it names none."""
    chosen = next((m.probe for m in study.measures if m.name == STAINED), USUAL_STAIN)
    return chosen, catalogue.load("stains", chosen)


def _classes(
    network: Network,
    subject: DishSubject,
    line: Any,
    sets: dict[str, Constants],
    medium: WellMedium,
    seeded: Term,
    agents: dict[str, Agent],
    dyes: dict[str, Any],
    catalogue: Any,
    layer: Layer | None,
    beam: Callable[..., CellBeam] | None,
    values: Overlay,
) -> list[Cells]:
    """Add what classes of cells are made of; they differ in their amounts of protein and feel the same layer."""
    nodes, weights = _rule(subject)
    around = _around(network, medium, subject, catalogue.load("wells", subject.well), agents)
    room = network.parameter(f"{subject.cells}.confluent_density", line.confluent_density, "1/m^2") * medium.bottom
    enzymes = {n: catalogue.load("agents", n) for n in catalogue.ids("agents")}
    enzymes = {n: a for n, a in enzymes.items() if a.kind == "enzyme" and hasattr(sets["vesicles"].sheet, n)}
    felt = beam(_oxygen_pressure(network, medium, subject, around), medium.cohorts, values) if beam else None
    made = []
    for k, (node, weight) in enumerate(zip(nodes, weights, strict=True)):
        part = seeded * float(weight)
        count = subject.seeding_density * subject.area * float(weight)
        defence = power(sets["death"]("defence_geometric_sd", "1"), float(node)) if node else constant(1.0, "1")
        made.append(
            Cells(
                network=network,
                key=f"cells.{k}",
                line=Constants(network, subject.cells, line),
                calcium=sets["calcium"],
                redox=sets["redox"],
                coupling=sets["coupling"],
                energetics=sets["energetics"],
                death=sets["death"],
                vesicles=sets["vesicles"],
                seeded=part,
                size=count * line.volume.si,
                around=around,
                agents={n: a for n, a in agents.items() if n in around.drugs},
                enzymes=enzymes,
                probes=dyes,
                room=room,
                medium=medium,
                bottom=medium.bottom,
                defence=defence,
                layer=layer,
                beam=felt,
                feedback=network.parameter("cells.feedback", subject.feedback, "1"),
                rest=network.parameter(f"cells.{k}.resting_calcium", line.resting_calcium.si, "mol/m^3"),
            )
        )
    crowd = sum((c.live for c in made), constant(0.0, "1"))
    for one in made:
        one.population = crowd
        for mechanism in CELL_STATES:
            if mechanism.applies(one):
                mechanism.add_states(one)
    return made


def _beam(study: Study, arm: Arm, subject: DishSubject, medium: WellMedium, values: Overlay) -> Callable[..., CellBeam]:
    """Add the beam to the medium, and return what makes it a beam as cells of the line meet it."""
    medium.beam = add_beam(medium.network, study, arm, medium.cohorts, values)
    return partial(cell_beam, medium.network, study, arm, subject.cells, medium.beam)


def _oxygen_pressure(network: Network, medium: WellMedium, subject: DishSubject, around: Surroundings) -> Term:
    """Return the pressure of oxygen (Pa) that goes with what is dissolved at the cells."""
    gas = medium.solution.components["oxygen"].gas
    assert gas is not None
    return around.oxygen / gases.solubility(network, "oxygen", gas, subject.temperature)


def _add_mechanisms(dish: Dish, recipe: Constants) -> None:
    """Add what the medium does, then what cells do and shed, then the growth of the untreated."""
    network, medium = dish.network, dish.medium
    for mechanism in MEDIUM_MECHANISMS:
        if mechanism.applies(medium):
            mechanism.add(medium)
            dish.mechanisms.append(mechanism.ID)
    dish_medium.add(dish, recipe)
    dish.mechanisms.append(dish_medium.ID)
    for cells in dish.cells:
        for mechanism in CELL_MECHANISMS:
            if mechanism.applies(cells):
                mechanism.add(cells)
                if mechanism.ID not in dish.mechanisms:
                    dish.mechanisms.append(mechanism.ID)
    if dish.minerals is not None:
        add_shedding(dish.minerals)
        dish.mechanisms.append(matrix_vesicles.ID)
        if dish.minerals.inducers:
            dish.mechanisms.append(inducers.ID)
    first = dish.cells[0]
    assert first.room is not None
    grown = death.growth_rate(first, dish.untreated, first.room)
    network.process("untreated.growth", {"untreated.live": 1}, grown * dish.untreated, "live -> 2 live", death.ID)
