"""Where an experiment happens: the tube, its compartments and the rooms that act in it.

An arm becomes one network. Every addition of particles is a cohort of its own: particles given later are younger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from nanotrial.catalogue.schema import Agent, Coating, Material, Phase, Vessel
from nanotrial.fit.overlay import Overlay
from nanotrial.medium import gases, minerals, peroxide
from nanotrial.medium.speciation import Site, Solution, add_solution
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, maximum, minimum, share, ten_to, total
from nanotrial.particle import coat, dissolution
from nanotrial.particle.population import CoatGeometry, SizeClasses, coat_geometry, size_classes
from nanotrial.solve.compiled import CompiledNetwork
from nanotrial.solve.events import Event
from nanotrial.study import Addition, Arm, Particle, Removal, Study, Subject
from nanotrial.values import Value

# The order is that of the sentence "it dissolves, loses its coat, reacts, leaves, precipitates".
MECHANISMS: tuple[ModuleType, ...] = (dissolution, coat, peroxide, gases, minerals)
PEROXIDE_UNITS = {"hydrogen_peroxide": {"peroxide": 1.0}, "oxygen": {"peroxide": 2.0}}


@dataclass(frozen=True)
class Cohort:
    """Particles of one addition: key of its states, sheets, size classes and coat."""

    key: str
    particle: Particle
    material: Material
    material_id: str
    classes: SizeClasses
    addition: Addition
    coat: CoatGeometry | None = None
    coat_sheet: Coating | None = None
    coat_material: str = ""

    def molar_volume(self, network: Network) -> Term:
        """Return the molar volume of the core (m^3/mol), molar mass over density."""
        mass = network.parameter(f"{self.material_id}.molar_mass", self.material.molar_mass, "kg/mol")
        return mass / network.parameter(f"{self.material_id}.density", self.material.density, "kg/m^3")

    def core_name(self, j: int) -> str:
        """Return the state of a size class."""
        return f"{self.key}.core.{j}"

    def radius(self, network: Network, j: int) -> Term:
        """Return the starting radius of a size class; all classes scale with the diameter."""
        diameter = network.parameter(f"{self.key}.diameter", self.particle.diameter, "m")
        return diameter * float(self.classes.radii[j] / self.particle.diameter)

    @property
    def metal(self) -> str:
        """Return the first product that is neither peroxide nor carbonate."""
        return next(p for p in self.material.dissolution.products if p not in ("hydrogen_peroxide", "carbonate"))


@dataclass
class Tube:
    """One arm in a tube: everything a mechanism reads."""

    network: Network
    subject: Subject
    vessel: Vessel
    solution: Solution
    volume: Term
    scale: float
    cohorts: list[Cohort]
    agents: dict[str, Agent]
    phases: dict[str, Phase]
    mechanisms: list[str] = field(default_factory=list)

    @property
    def floor(self) -> Term:
        """Return the amount (mol) below which something counts as not there: 1e-7 of a millimole per litre."""
        return constant(1e-7 * self.scale, "mol")

    def enzymes(self, acts_on: str) -> dict[str, Agent]:
        """Return the enzymes in the tube that act on something."""
        return {n: a for n, a in self.agents.items() if a.kind == "enzyme" and a.acts_on == acts_on}

    def gas_fractions(self) -> dict[str, float]:
        """Return the fraction of each exchangeable gas above the solution."""
        return gas_fractions(self.subject, self.solution)


def gas_fractions(subject: Subject, solution: Solution) -> dict[str, float]:
    """Return component -> fraction of the gas above an open tube."""
    fractions: dict[str, float] = {}
    for name, sheet in solution.components.items():
        if sheet.gas is None:
            continue
        air = subject.carbon_dioxide if name == "carbonate" else sheet.gas.air_fraction.si
        fractions[name] = air if subject.atmosphere == "air" else 0.0
    return fractions


@dataclass(frozen=True)
class BuiltArm:
    """A network with its events and what is needed to start it."""

    name: str
    network: Network
    tube: Tube
    events: tuple[Event, ...]

    @property
    def guesses(self) -> np.ndarray[Any, Any]:
        """Return this arm's own first guesses of its equilibria; a shared compiled network may hold another's."""
        return np.array([g for block in self.network.equilibria.values() for g in block.guesses])

    def prepare(self, compiled: CompiledNetwork, parameters: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return parameters with the strong charge that gives the fresh buffer its nominal pH."""
        place = compiled.parameter_index("tube.strong_charge.start")
        return compiled.titrate(parameters, place, "tube.ph", self.tube.subject.ph, self.guesses)


def build_arm(study: Study, arm: Arm, overlay: Overlay | None = None) -> BuiltArm:
    """Return the network of one arm.

    Arguments:
        study: the study.
        arm: one of its arms.
        overlay: fitted values that stand in for those of the sheets; by default the fits the study names.
    """
    values = overlay if overlay is not None else Overlay.of_study(study)
    catalogue, subject = study.catalogue, arm.subject
    network = Network(arm.name)
    vessel = catalogue.load("vessels", "tube")
    volume = network.parameter("tube.volume", _own(subject.volume, vessel.volume), "m^3")
    network.compartment("tube", volume)
    network.compartment("outside", constant(1.0, "m^3"))
    cohorts = [_cohort(study, a, i, values) for i, a in enumerate(arm.additions) if a.kind == "particle"]
    agents = {a.name: catalogue.load("agents", a.name) for a in arm.additions if a.kind == "agent"}
    scale = subject.volume * 1.0
    components = _components(study, arm, cohorts, agents)
    sheets = {name: catalogue.load("solutes", name) for name in components}
    removed = {r.what for r in arm.removals}
    _add_states(network, subject, cohorts, agents, sheets, study, volume, scale, removed)
    sites = _sites(network, cohorts)
    salt = network.parameter("tube.background_salt", _own(subject.background_salt, vessel.background_salt), "mol/m^3")
    solution = add_solution(
        network,
        "tube",
        sheets,
        catalogue.water(),
        subject.temperature,
        subject.ph,
        salt,
        sites,
        1.5 * subject.concentration + subject.background_salt + 0.1,
    )
    phases = {}
    for identifier in catalogue.ids("phases"):
        phase = catalogue.load("phases", identifier)
        if all(p in sheets for p in phase.products):
            phases[identifier] = phase
    tube = Tube(network, subject, vessel, solution, volume, scale, cohorts, agents, phases)
    for mechanism in MECHANISMS:
        if mechanism.applies(tube):
            mechanism.add(tube)
            tube.mechanisms.append(mechanism.ID)
    _add_observables(tube)
    events = [_addition_event(tube, a, i) for i, a in enumerate(arm.additions)]
    events += [_removal_event(tube, r) for r in arm.removals]
    return BuiltArm(arm.name, network, tube, tuple(sorted(events, key=lambda e: e.time)))


def _own(used: float, usual: Value) -> float | Value:
    """Return the sheet's value where the study left it as it is, so that its source and spread come along."""
    return usual if used == usual.si else used


def _cohort(study: Study, addition: Addition, index: int, values: Overlay) -> Cohort:
    particle = study.particles[addition.name]
    material = values.apply("materials", particle.core, study.catalogue.load("materials", particle.core))
    classes = size_classes(particle.diameter, particle.geometric_sd, particle.size_classes)
    key = f"particles.{index}.{particle.name}"
    if not particle.coating:
        return Cohort(key, particle, material, particle.core, classes, addition)
    name = particle.coating[0].material
    sheet = values.apply("coatings", name, study.catalogue.load("coatings", name))
    return Cohort(
        key,
        particle,
        material,
        particle.core,
        classes,
        addition,
        coat_geometry(particle, material, sheet, classes),
        sheet,
        name,
    )


def _components(study: Study, arm: Arm, cohorts: list[Cohort], agents: dict[str, Agent]) -> list[str]:
    names: dict[str, None] = dict.fromkeys(study.catalogue.load("buffers", arm.subject.buffer).solutes)
    for cohort in cohorts:
        names.update(dict.fromkeys(cohort.material.dissolution.products))
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
    buffer = study.catalogue.load("buffers", subject.buffer).solutes
    for name, sheet in sheets.items():
        start = network.parameter("tube.buffer_concentration", subject.concentration, "mol/m^3") * float(
            buffer.get(name, 0.0)
        )
        if sheet.gas is not None and name not in buffer:
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
    for cohort in cohorts:
        content = {}
        for solute, count in cohort.material.dissolution.products.items():
            for kind, held in PEROXIDE_UNITS.get(solute, {solute: 1.0}).items():
                content[kind] = content.get(kind, 0.0) + held * count
        for j in range(len(cohort.classes.radii)):
            network.state(cohort.core_name(j), "tube", scale=scale, content=content)
        network.state(f"{cohort.key}.added", "tube", scale=scale)
        if cohort.particle.name in removed:
            network.state(f"{cohort.key}.taken_out", "outside", scale=scale, content=content)
            network.state(f"{cohort.key}.taken_out_added", "outside", scale=scale)
        if cohort.coat is not None:
            polymer = {cohort.coat_material: 1.0}
            if f"tube.free_{cohort.coat_material}" not in network.species:
                network.state(f"tube.free_{cohort.coat_material}", "tube", "kg", scale=scale * 0.1, content=polymer)
            network.state(f"{cohort.key}.coat", "tube", "kg", scale=scale * 0.1, content=polymer)


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
    resting = gases.saturation(network, name, sheet.gas, share, subject.temperature)
    own = next((s for s in sheet.species if s.name == sheet.gas.species), None)
    if own is None:
        return resting
    filling_ph = network.parameter("tube.filling_ph", min(subject.ph, 7.0), "1")
    ratio = constant(1.0, "1")
    forms = [s for s in sheet.species if set(s.components) == {name} and s.name != own.name]
    for log_k, protons in [(0.0, 0), *((s.log_k.value, s.protons) for s in forms)]:
        ratio = ratio + ten_to(log_k - own.log_k.value + (own.protons - protons) * filling_ph)
    return resting * ratio


def _sites(network: Network, cohorts: list[Cohort]) -> list[Site]:
    sites = []
    for name in dict.fromkeys(c.coat_material for c in cohorts if c.coat is not None):
        members = [c for c in cohorts if c.coat_material == name]
        sheet = members[0].coat_sheet
        assert sheet is not None
        mass = network[f"tube.free_{name}"]
        for cohort in members:
            mass = mass + network[f"{cohort.key}.coat"]
        pka = network.parameter(f"{name}.carboxylate_pka", sheet.carboxylate_pka, "1")
        sites.append(Site(name, coat.carboxylates(network, name, sheet, mass), pka))
    return sites


def _addition_event(tube: Tube, addition: Addition, index: int) -> Event:
    network, changes = tube.network, {}
    strong, inert = network["tube.strong_charge"], network["tube.inert_ions"]
    if addition.kind == "particle":
        cohort = next(c for c in tube.cohorts if c.addition is addition)
        dose = network.parameter(f"{cohort.key}.dose", addition.amount, "mol/m^3") * tube.volume
        for j in range(len(cohort.classes.radii)):
            share = network.parameter(f"{cohort.key}.share.{j}", float(cohort.classes.mole_shares[j]), "1")
            changes[cohort.core_name(j)] = network[cohort.core_name(j)] + dose * share
        changes[f"{cohort.key}.added"] = network[f"{cohort.key}.added"] + dose
        if cohort.coat is not None and cohort.coat_sheet is not None:
            per = network.parameter(f"{cohort.key}.coat.mass_per_mole", cohort.coat.mass_per_mole, "kg/mol")
            changes[f"{cohort.key}.coat"] = network[f"{cohort.key}.coat"] + dose * per
            acid = coat.carboxylates(network, cohort.coat_material, cohort.coat_sheet, dose * per)
            changes |= {"tube.strong_charge": strong + acid, "tube.inert_ions": inert + acid}
        return Event(addition.time, changes, f"add {addition.name}")
    agent = tube.agents[addition.name]
    name = f"agent.{index}.{addition.name}.concentration"
    if agent.kind == "enzyme":
        given = network.parameter(name, addition.amount, "mol/s/m^3") * tube.volume
        changes[f"tube.{addition.name}"] = network[f"tube.{addition.name}"] + given
        return Event(addition.time, changes, f"add {addition.name}")
    given = network.parameter(name, addition.amount, "mol/m^3") * tube.volume
    for solute, count in agent.solutes.items():
        changes[f"tube.{solute}"] = network[f"tube.{solute}"] + given * float(count)
    changes["tube.strong_charge"] = strong + given * float(agent.strong_charge)
    changes["tube.inert_ions"] = inert + given * float(abs(agent.strong_charge))
    return Event(addition.time, changes, f"add {addition.name}")


def _removal_event(tube: Tube, removal: Removal) -> Event:
    """Replace medium by fresh buffer (particles stay), or take particles out."""
    network, kept = tube.network, 1.0 - removal.fraction
    changes: dict[str, Term] = {}
    if removal.what == "medium":
        for name, species in network.species.items():
            if name.startswith("tube.") and not name.startswith(tuple(f"tube.{p}" for p in tube.phases)):
                changes[name] = network[name] * kept + species.initial * removal.fraction
        return Event(removal.time, changes, "replace medium")
    if removal.what in tube.agents:
        changes = {f"tube.{removal.what}": network[f"tube.{removal.what}"] * kept}
    for cohort in tube.cohorts:
        if cohort.particle.name == removal.what:
            changes |= _taking_out(tube, cohort, removal.fraction, changes)
    return Event(removal.time, changes, f"remove {removal.what}")


def _taking_out(tube: Tube, cohort: Cohort, fraction: float, before: dict[str, Term]) -> dict[str, Term]:
    """Return the changes when a fraction of a cohort leaves, with its coat and the counter-ions of the coat."""
    network = tube.network
    moved = {n: network[n] for n in network.species if n.startswith(f"{cohort.key}.core.")}
    changes = {name: moles * (1.0 - fraction) for name, moles in moved.items()}
    changes[f"{cohort.key}.added"] = network[f"{cohort.key}.added"] * (1.0 - fraction)
    out, given = f"{cohort.key}.taken_out", f"{cohort.key}.taken_out_added"
    changes[out] = network[out] + total((moles * fraction for moles in moved.values()), "mol")
    changes[given] = network[given] + network[f"{cohort.key}.added"] * fraction
    if cohort.coat_sheet is not None:
        mass = network[f"{cohort.key}.coat"]
        acid = coat.carboxylates(network, cohort.coat_material, cohort.coat_sheet, mass * fraction)
        pka = network.parameter(f"{cohort.coat_material}.carboxylate_pka", cohort.coat_sheet.carboxylate_pka, "1")
        ionised = acid / (1.0 + ten_to(pka - tube.solution.ph))
        changes[f"{cohort.key}.coat"] = mass * (1.0 - fraction)
        for ions in ("tube.strong_charge", "tube.inert_ions"):
            changes[ions] = before.get(ions, network[ions]) - ionised
    return changes


def _add_observables(tube: Tube) -> None:
    network, solution = tube.network, tube.solution
    network.observe("ph", solution.ph, "1", "pH as an electrode shows it")
    network.observe("ionic_strength", solution.ionic_strength * constant(1000.0, "mol/m^3"), "mmol/L")
    for name in solution.components:
        network.observe(name, network.concentration(f"tube.{name}"), "mmol/L", f"dissolved {name}, all forms")
    _observe_protons(tube)
    if not tube.cohorts:
        return
    # Particles that were taken out count as given, and what they still held as left.
    taken = [n for n in network.species if n.endswith(".taken_out")]
    added = total((network[f"{c.key}.added"] for c in tube.cohorts), "mol")
    added = added + total((network[f"{n}_added"] for n in taken), "mol")
    left = total((network[n] for n in taken), "mol") + total(
        (network[c.core_name(j)] for c in tube.cohorts for j in range(len(c.classes.radii))), "mol"
    )
    gone = added - left
    metals = {c.metal for c in tube.cohorts}
    solid = constant(0.0, "mol")
    for identifier, phase in tube.phases.items():
        count = sum(phase.products.get(m, 0.0) for m in metals)
        if count:
            solid = solid + network[f"tube.{identifier}"] * float(count)
    floor = tube.floor
    network.observe(
        "release", share(gone - minimum(solid, gone), added, floor), "1", "dissolved metal over metal given"
    )
    network.observe("core_left", share(left, added, floor), "1", "core that is left")
    coats = [c for c in tube.cohorts if c.coat is not None]
    if coats:
        mass = total((network[f"{c.key}.coat"] for c in coats), "kg")
        whole = total(
            (network[f"{c.key}.added"] * constant(c.coat.mass_per_mole, "kg/mol") for c in coats if c.coat), "kg"
        )
        kilogram = constant(1.0, "kg/mol")
        network.observe("coat_left", share(mass, whole, floor * kilogram), "1", "coat that is left")


def _observe_protons(tube: Tube) -> None:
    """Observe where protons are: free minus hydroxide, and bound to each component (mol/m^3)."""
    solution = tube.solution
    litre = constant(1000.0, "mol/m^3")
    tube.network.observe("protons.free", (solution.proton - solution.hydroxide) * litre, "mmol/L")
    for i, sheet in solution.components.items():
        own = [sp for sp in sheet.species if sp.protons and sp.name in solution.species]
        if own:
            held = total((solution.free(sp.name) * float(sp.protons) for sp in own), "mol/m^3")
            tube.network.observe(f"protons.{i}", held, "mmol/L", f"protons bound by {i}")
    net = solution.proton - solution.hydroxide
    for name, molar in solution.molar.items():
        net = net + molar * float(solution.charge[name])
    for site in solution.sites:
        bare = site.amount / tube.volume / (1.0 + ten_to(site.pka - solution.ph))
        tube.network.observe(f"protons.{site.name}", site.amount / tube.volume - bare, "mmol/L")
        net = net - bare / litre
    net = net + tube.network.concentration("tube.strong_charge") / litre
    tube.network.observe("charge_error", net * litre, "mmol/L", "departure from electroneutrality")
