"""The tube: what one arm holds, as mechanisms read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nanotrial.catalogue.schema import Agent, Coating, Material, Phase, Vessel
from nanotrial.medium.speciation import Solution
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.particle.population import CoatGeometry, SizeClasses
from nanotrial.solve.compiled import CompiledNetwork
from nanotrial.solve.events import Event
from nanotrial.study import Addition, Particle, Subject


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
        return self.material.dissolution.metals[0]


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
