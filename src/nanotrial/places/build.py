"""Build the network of an arm: states, equilibria, mechanisms."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from nanotrial.catalogue.agent_schema import Agent
from nanotrial.cell import inducers
from nanotrial.cell.culture import Constants
from nanotrial.fit.overlay import Overlay
from nanotrial.medium import gases, iron, minerals, peroxide, renewal
from nanotrial.medium.constants import PEROXIDE_UNITS
from nanotrial.medium.speciation import Solution, add_solution
from nanotrial.medium.surfaces import Surface
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, maximum
from nanotrial.particle import coat, dissolution, radiation_products
from nanotrial.particle.fluid import Cohort
from nanotrial.places.built import BuiltArm
from nanotrial.places.dish import build_dish
from nanotrial.places.irradiation import add_beam, beam_events
from nanotrial.places.mineral_readouts import observe_tube_minerals
from nanotrial.places.particles import add_particle_states, coat_sites, cohorts_of, dissolved_gas
from nanotrial.places.protocol import addition_event, removal_event
from nanotrial.places.radiation_readouts import observe_products
from nanotrial.places.readouts import add_observables
from nanotrial.places.tube import Tube
from nanotrial.study import Arm, DishSubject, Study, Subject
from nanotrial.study.measures import fluid_totals
from nanotrial.study.minerals import phases_of

# The order is that of the sentence "it dissolves, loses its coat, reacts, leaves, precipitates".
MECHANISMS: tuple[ModuleType, ...] = (
    dissolution, coat, peroxide, iron, gases, renewal, minerals, radiation_products,
)  # fmt: skip


def build_arm(study: Study, arm: Arm, overlay: Overlay | None = None) -> BuiltArm:
    """Return the network of one arm.

    Arguments:
        study: the study.
        arm: one of its arms.
        overlay: fitted values that stand in for those of the sheets; by default the fits the study names.
    """
    values = overlay if overlay is not None else Overlay.of_study(study)
    if isinstance(arm.subject, DishSubject):
        return build_dish(study, arm, arm.subject, values)
    return _build_tube(study, arm, arm.subject, values)


def _build_tube(study: Study, arm: Arm, subject: Subject, values: Overlay) -> BuiltArm:
    catalogue, network = study.catalogue, Network(arm.name)
    vessel = catalogue.load("vessels", "tube")
    volume = network.parameter("tube.volume", subject.said_or_usual("volume", vessel), "m^3")
    network.compartment("tube", volume)
    network.compartment("outside", constant(1.0, "m^3"))
    cohorts = cohorts_of(study, arm, values)
    agents = {a.name: catalogue.load("agents", a.name) for a in arm.additions if a.kind == "agent"}
    # One millimole per litre is the size against which the solver's absolute error counts.
    scale = subject.volume
    components = _components(study, arm, cohorts, agents)
    sheets = {name: catalogue.load("solutes", name) for name in components}
    removed = {r.what for r in arm.removals}
    _add_states(network, subject, cohorts, agents, sheets, study, volume, scale, removed)
    solution = _solution(study, subject, network, vessel, sheets, cohorts)
    phases = _phases(catalogue, sheets, subject.minerals)
    tube = Tube(
        network=network,
        name="tube",
        temperature=subject.temperature,
        solution=solution,
        volume=volume,
        scale=scale,
        cohorts=cohorts,
        agents=agents,
        phases=phases,
        surfaces=_surfaces(network, subject, solution, catalogue),
        renewal=network.parameter("tube.renewal", subject.renewal, "1/s") if subject.renewal else None,
        subject=subject,
        vessel=vessel,
        beam=add_beam(network, study, arm, cohorts, values) if study.irradiated else None,
    )
    for mechanism in MECHANISMS:
        if mechanism.applies(tube):
            mechanism.add(tube)
            tube.mechanisms.append(mechanism.ID)
    add_observables(tube)
    observe_products(tube)
    observe_tube_minerals(tube, catalogue)
    events = [addition_event(tube, a, i) for i, a in enumerate(arm.additions)]
    events += [removal_event(tube, r) for r in arm.removals]
    events += beam_events(network, arm)
    return BuiltArm(
        arm.name, network, tube, tuple(sorted(events, key=lambda e: e.time)), arm.additions, None, catalogue
    )


def _solution(
    study: Study, subject: Subject, network: Network, vessel: Any, sheets: dict[str, Any], cohorts: list[Cohort]
) -> Solution:
    """Add the equilibria of the tube and name what surrounds its particles."""
    catalogue = study.catalogue
    sites = coat_sites(network, "tube", cohorts)
    salt = network.parameter("tube.background_salt", subject.said_or_usual("background_salt", vessel), "mol/m^3")
    solution = add_solution(
        network,
        "tube",
        sheets,
        catalogue.water(),
        subject.temperature,
        subject.ph,
        salt,
        sites,
        _nominal_strength(subject, fluid_totals(catalogue, subject)),
    )
    network.surround(
        "tube",
        ph=solution.ph,
        temperature=constant(subject.temperature, "K"),
        ionic_strength=solution.ionic_strength,
        oxygen=network.concentration("tube.oxygen"),
    )
    return solution


def _phases(catalogue: Any, sheets: dict[str, Any], nucleating: bool) -> dict[str, Any]:
    """Return the minerals that can form from the components at hand; those that nucleate only where they are asked."""
    every = {identifier: catalogue.load("phases", identifier) for identifier in phases_of(catalogue, set(sheets))}
    return {i: phase for i, phase in every.items() if nucleating or phase.growth is None}


def _components(study: Study, arm: Arm, cohorts: list[Cohort], agents: dict[str, Agent]) -> list[str]:
    assert isinstance(arm.subject, Subject)
    names: dict[str, None] = dict.fromkeys(fluid_totals(study.catalogue, arm.subject))
    for cohort in cohorts:
        names.update(dict.fromkeys(cohort.material.products))
    for agent in agents.values():
        names.update(dict.fromkeys(agent.solutes))
    if arm.subject.carbon_dioxide > 0:
        names["carbonate"] = None
    names["oxygen"] = None
    return list(names)


def _add_states(
    network: Network,
    subject: Subject,
    cohorts: list[Cohort],
    agents: dict[str, Agent],
    sheets: dict[str, Any],
    study: Study,
    volume: Term,
    scale: float,
    removed: set[str],
) -> None:
    totals = fluid_totals(study.catalogue, subject)
    for name, sheet in sheets.items():
        start = _total(network, subject, name, totals.get(name, 0.0))
        if sheet.gas is not None and name not in totals:
            start = start + _dissolved_gas(network, name, sheet, subject)
        content = PEROXIDE_UNITS.get(name, {name: 1.0})
        network.state(f"tube.{name}", "tube", scale=scale, initial=start * volume, content=content)
    # The value is a first guess; `prepare` finds the one that gives the nominal pH.
    strong = network.parameter("tube.strong_charge.start", subject.concentration, "mol/m^3") * volume
    network.state("tube.strong_charge", "tube", scale=scale, initial=strong, may_be_negative=True)
    network.state("tube.inert_ions", "tube", scale=scale, initial=maximum(strong, -strong))
    for name, agent in agents.items():
        if agent.kind == "enzyme":
            network.state(f"tube.{name}", "tube", "mol/s", scale=scale * 1e-3)
    add_particle_states(network, "tube", cohorts, scale, removed)


def _total(network: Network, subject: Subject, name: str, held: Any) -> Term:
    """Return the total of a component (mol/m^3) in fresh buffer or body fluid."""
    if subject.fluid is None:
        return network.parameter("tube.buffer_concentration", subject.concentration, "mol/m^3") * float(held)
    if name in subject.fluid.solutes:
        return network.parameter(f"tube.{name}.total", held, "mol/m^3")
    if held == 0.0:
        return constant(0.0, "mol/m^3")
    strength = network.parameter("tube.strength", subject.fluid.strength, "1")
    return network.parameter(f"{subject.fluid.name}.solutes.{name}", held, "mol/m^3") * strength


def _nominal_strength(subject: Subject, totals: dict[str, Any]) -> float:
    """Return a first guess of the ionic strength (mol/m^3)."""
    if subject.fluid is None:
        return 1.5 * subject.concentration + subject.background_salt + 0.1
    held = sum(v if isinstance(v, float) else v.si * subject.fluid.strength for v in totals.values())
    return 0.5 * held + subject.background_salt + 0.1


def _surfaces(network: Network, subject: Subject, solution: Solution, catalogue: Any) -> list[Surface]:
    """Return the surface in a tube: the share that an inducer covers, and the rest, which is like a bare membrane."""
    if subject.surface is None:
        return []
    area = network.parameter("surface.area", subject.surface.area, "m^2")
    name = catalogue.ids("mineral_effects")[0]
    effects = Constants(network, name, catalogue.load("mineral_effects", name))
    one = constant(1.0, "1")
    bare = effects("membrane_contact_angle", "radian")
    if not subject.surface.inducer:
        return [Surface("bare", "surface", area, bare, one)]
    cover = network.parameter("surface.cover", subject.surface.cover, "1")
    calcium = solution.free("Ca+2") if "Ca+2" in solution.molar else constant(0.0, "mol/m^3")
    sheet = Constants(network, subject.surface.inducer, catalogue.load("inducers", subject.surface.inducer))
    return [
        inducers.induced_surface(sheet, "surface", area * cover, calcium, bare),
        Surface("bare", "surface", area * (1.0 - cover), bare, one),
    ]


def _dissolved_gas(network: Network, name: str, sheet: Any, subject: Subject) -> Term:
    """Return the total of a gas (mol/m^3) in fresh buffer that has seen the atmosphere.

    Above pH 7 the carbonate of neutral water is taken: an alkaline buffer is used before air has saturated it.
    """
    closed = subject.atmosphere != "air"
    share = sheet.gas.air_fraction.si if name != "carbonate" else subject.carbon_dioxide
    if closed and name != "oxygen":
        return constant(0.0, "mol/m^3")
    # A closed tube was filled with buffer that had seen air; nitrogen has been bubbled through.
    share = 0.0 if subject.atmosphere == "nitrogen" else share
    filling_ph = (
        network.parameter("tube.filling_ph", min(subject.ph, 7.0), "1") if sheet.species else constant(7.0, "1")
    )
    return dissolved_gas(network, name, sheet, share, filling_ph, subject.temperature)
