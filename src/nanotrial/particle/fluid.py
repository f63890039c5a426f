"""An aqueous place and the particles in it: what a mechanism of chemistry reads, in a tube, a medium or a vesicle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanotrial.catalogue.agent_schema import Agent
from nanotrial.catalogue.mineral_schema import Phase
from nanotrial.catalogue.schema import Coating, Material
from nanotrial.medium.speciation import Solution
from nanotrial.medium.surfaces import Surface
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.particle.population import CoatGeometry, SizeClasses
from nanotrial.study import Addition, Particle

# The state from which radiation draws the O-O bonds of the peroxide that it makes of water.
WATER_BONDS = "beam.bonds_of_water"


@dataclass(frozen=True)
class Cohort:
    """Particles of one addition in one fluid: key of their states, sheets, size classes and coat.

    ``origin`` is the key of the addition; cohorts that moved on to another fluid share it.
    """

    key: str
    particle: Particle
    material: Material
    material_id: str
    classes: SizeClasses
    addition: Addition
    coat: CoatGeometry | None = None
    coat_sheet: Coating | None = None
    coat_material: str = ""
    origin: str = ""

    def molar_volume(self, network: Network) -> Term:
        """Return the molar volume of the core (m^3/mol), molar mass over density."""
        mass = network.parameter(f"{self.material_id}.molar_mass", self.material.molar_mass, "kg/mol")
        return mass / network.parameter(f"{self.material_id}.density", self.material.density, "kg/m^3")

    def core_name(self, j: int) -> str:
        """Return the state of a size class."""
        return f"{self.key}.core.{j}"

    @property
    def parameter_key(self) -> str:
        """Return the prefix of what the user said of these particles: the same in every fluid."""
        return self.origin or self.key

    def radius(self, network: Network, j: int) -> Term:
        """Return the starting radius of a size class; all classes scale with the diameter."""
        diameter = network.parameter(f"{self.parameter_key}.diameter", self.particle.diameter, "m")
        return diameter * float(self.classes.radii[j] / self.particle.diameter)

    @property
    def metal(self) -> str:
        """Return the first product that is neither peroxide nor carbonate; empty where nothing dissolves."""
        return next(iter(self.material.metals), "")


@dataclass(frozen=True)
class Chain:
    """What one joule absorbed in a particle makes in the end: product, and amount per energy (mol/J)."""

    product: str
    per_energy: Term


@dataclass(frozen=True)
class Bonds:
    """Bonds that radicals cut: how many in a mass of core (mol/kg), rates with electrons and H, and those of oxygen."""

    content: Term
    rates: Mapping[str, Term]
    oxygen_rates: Mapping[str, Term]


@dataclass(frozen=True)
class Field:
    """A radiation field in a fluid: dose rate to water (Gy/s), radicals of water per energy, doses in particles.

    ``yields`` are amounts per energy (mol/J) of radicals and hydrogen peroxide, ``electron_rates`` constants of the
    hydrated electron with oxygen and peroxide (m^3/mol/s); ``ratios``, ``chains`` and ``bonds`` hold, by
    the name of a particle, the dose in its core over that in water, the light chain it carries, and its bonds.
    """

    dose_rate: Term
    yields: Mapping[str, Term]
    electron_rates: Mapping[str, Term]
    ratios: Mapping[str, Term]
    chains: Mapping[str, Chain] = field(default_factory=dict)
    bonds: Mapping[str, Bonds] = field(default_factory=dict)


@dataclass(kw_only=True)
class Fluid:
    """One aqueous place: everything that dissolution, coat, peroxide, gases, minerals and radiation read."""

    network: Network
    name: str
    temperature: float
    solution: Solution
    volume: Term
    scale: float
    cohorts: list[Cohort]
    agents: dict[str, Agent] = field(default_factory=dict)
    phases: dict[str, Phase] = field(default_factory=dict)
    surfaces: list[Surface] = field(default_factory=list)
    mechanisms: list[str] = field(default_factory=list)
    beam: Field | None = None

    @property
    def floor(self) -> Term:
        """Return the amount (mol) below which something counts as not there: 1e-7 of a millimole per litre."""
        return constant(1e-7 * self.scale, "mol")

    def enzymes(self, acts_on: str) -> dict[str, Agent]:
        """Return the enzymes in this place that act on something."""
        return {n: a for n, a in self.agents.items() if a.kind == "enzyme" and a.acts_on == acts_on}

    def gas_fractions(self) -> dict[str, float]:
        """Return the fraction of each gas that this place exchanges; none unless a place says so."""
        return {}

    def gas_exchange(self) -> Term:
        """Return film velocity times surface (m^3/s)."""
        return constant(0.0, "m^3/s")
