"""The cells of a dish as mechanisms read them: classes of live cells, their volumes, states and what surrounds them.

A class of cells is one average cell times the number of live ones. Calcium and peroxide are amounts (mol in all live
cells of the class), so that nothing is lost on the way to the medium; what stays inside a cell and is made and used up
there (oxidised proteins, ATP, potential) is a state of the average cell. Concentration = amount / live cells / volume.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nanotrial.network.terms import Term, constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.agent_schema import Agent
    from nanotrial.catalogue.cell_schema import Probe
    from nanotrial.cell.irradiation import CellBeam
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Cohort, Fluid

# Below this share of the seeded cells a class counts as gone; it keeps concentrations finite.
LEAST_SHARE = 1e-5


@dataclass(frozen=True)
class Constants:
    """Values of one sheet as parameters of a network: ``constants("serca_rate", "mol/m^3/s")``."""

    network: Network
    identifier: str
    sheet: Any

    def __call__(self, name: str, unit: str) -> Term:
        """Return a value of the sheet as a parameter named ``<id>.<key>``."""
        return self.network.parameter(f"{self.identifier}.{name}", getattr(self.sheet, name), unit)

    def part(self, name: str) -> Constants | None:
        """Return a nested table, or None where the sheet leaves it out."""
        inner = getattr(self.sheet, name)
        return None if inner is None else Constants(self.network, f"{self.identifier}.{name}", inner)


@dataclass(frozen=True)
class Surroundings:
    """What bathes the cells: free calcium, peroxide, oxygen and drugs (mol/m^3), and the states that hold them.

    ``fresh_calcium`` is the free calcium before anything is added, ``air_oxygen`` the oxygen of medium under air. A
    bath has no states: it is so large that cells do not change it.
    """

    calcium: Term
    peroxide: Term
    oxygen: Term
    fresh_calcium: Term
    air_oxygen: Term
    states: Mapping[str, str] = field(default_factory=dict)
    drugs: Mapping[str, Term] = field(default_factory=dict)

    def given(self, what: str, count: float) -> dict[str, float]:
        """Return the stoichiometry of what enters (or leaves) the surroundings; nothing where they are a bath."""
        return {self.states[what]: count} if what in self.states else {}

    def opens(self, what: str) -> tuple[str, ...]:
        """Return the conserved kind that a bath lets in and out."""
        return () if what in self.states else (what,)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a cell feels of mineral on its membrane: shares of what it has without mineral, and damage per time.

    ``open_share`` is for carriers, ``fuel_share`` for respiration, ``fluidity`` and ``binding`` for the membrane;
    ``path`` is the length of plain water (m) that resists diffusion as the pores of the layer do.
    """

    open_share: Term
    fuel_share: Term
    fluidity: Term
    binding: Term
    damage_rate: Term
    path: Term


@dataclass(kw_only=True)
class Cells:
    """One class of cells as mechanisms read it; ``size`` is the volume of its cells at the start (m^3)."""

    network: Network
    key: str
    line: Constants
    calcium: Constants
    redox: Constants | None = None
    coupling: Constants | None = None
    energetics: Constants | None = None
    death: Constants | None = None
    seeded: Term
    size: float
    around: Surroundings
    agents: dict[str, Agent] = field(default_factory=dict)
    enzymes: dict[str, Agent] = field(default_factory=dict)
    probes: dict[str, tuple[str, Probe]] = field(default_factory=dict)
    vesicles: Constants | None = None
    population: Term | None = None
    room: Term | None = None
    medium: Fluid | None = None
    bottom: Term | None = None
    bound: list[Cohort] = field(default_factory=list)
    endosome: Fluid | None = None
    lysosome: Fluid | None = None
    layer: Layer | None = None
    beam: CellBeam | None = None
    defence: Term = field(default_factory=lambda: constant(1.0, "1"))
    feedback: Term = field(default_factory=lambda: constant(1.0, "1"))
    rest: Term | None = None
    cut: Term | None = None
    held_peroxide: Term | None = None
    cut_energy: Term | None = None
    held_atp: Term | None = None
    free: dict[str, Term] = field(default_factory=dict)
    fluxes: dict[str, Term] = field(default_factory=dict)
    mechanisms: list[str] = field(default_factory=list)

    @property
    def live(self) -> Term:
        """Return the number of live cells."""
        return self.network[f"{self.key}.live"]

    @property
    def held(self) -> Term:
        """Return the number of cells that volumes count: the live ones and a trace, so that it is never nothing."""
        return self.live + self.seeded * LEAST_SHARE

    @property
    def cell_volume(self) -> Term:
        """Return the volume of one cell (m^3)."""
        return self.line("volume", "m^3")

    @property
    def volume(self) -> Term:
        """Return the volume of all live cells of the class (m^3)."""
        return self.held * self.cell_volume

    @property
    def start_volume(self) -> Term:
        """Return the volume of the cells at the start (m^3), of parameters alone."""
        return self.seeded * (1.0 + LEAST_SHARE) * self.cell_volume

    def name(self, state: str) -> str:
        """Return the full name of a state of this class."""
        return f"{self.key}.{state}"

    def __getitem__(self, state: str) -> Term:
        """Return the term of a state of this class."""
        return self.network[f"{self.key}.{state}"]

    @property
    def peroxide(self) -> Term:
        """Return H2O2 in the cytosol (mol/m^3)."""
        if f"{self.key}.hydrogen_peroxide" not in self.network.species:
            return constant(0.0, "mol/m^3")
        return self["hydrogen_peroxide"] / self.volume

    @property
    def felt_peroxide(self) -> Term:
        """Return the H2O2 that proteins of calcium, respiration and glycolysis feel; the loop is cut here."""
        if self.held_peroxide is None or self.cut is None:
            return self.peroxide * self.feedback
        return (self.peroxide * (1.0 - self.cut) + self.held_peroxide * self.cut) * self.feedback

    def slowed(self, name: str) -> Term:
        """Return 1 / (1 + H / K) with K a constant of the coupling sheet; 1 without one."""
        if self.coupling is None:
            return constant(1.0, "1")
        return 1.0 / (1.0 + self.felt_peroxide / self.coupling(name, "mol/m^3"))

    def blocked(self, target: str) -> Term:
        """Return the share of a target's capacity that the inhibitors in the dish leave."""
        left = constant(1.0, "1")
        for name, agent in self.agents.items():
            if agent.kind == "inhibitor" and agent.target == target:
                half = self.network.parameter(f"{name}.half_effect", agent.half_effect or 0.0, "mol/m^3")
                left = left / (1.0 + self.dose(name) / half)
        return left

    def dose(self, agent: str) -> Term:
        """Return the concentration of a drug where it acts (mol/m^3): what entered, or accumulation times outside."""
        if self.name(agent) in self.network.species:
            return self[agent]
        return self.reached(agent)

    def reached(self, agent: str) -> Term:
        """Return the concentration that a drug comes to where it acts, at the present one outside."""
        sheet = self.agents[agent]
        outside = self.around.drugs[agent]
        if sheet.accumulation is None:
            return outside
        return outside * self.network.parameter(f"{agent}.accumulation", sheet.accumulation, "1")

    def over_air(self, half: Term) -> Term:
        """Return the speed of something at the oxygen there is, over that in air: Michaelis-Menten with ``half``."""
        air, here = self.around.air_oxygen, self.around.oxygen
        return here / (here + half) * ((air + half) / air)

    @property
    def atp_share(self) -> Term:
        """Return ATP over ATP at rest."""
        if self.energetics is None:
            return constant(1.0, "1")
        return self["atp"] / self.energetics("atp", "mol/m^3")

    @property
    def potential_share(self) -> Term:
        """Return the mitochondrial potential over that at rest."""
        if self.energetics is None:
            return constant(1.0, "1")
        return self["potential"] / self.energetics("resting_potential", "V")

    @property
    def pump_power(self) -> Term:
        """Return the share of their speed that calcium pumps have at the ATP there is, 1 at rest."""
        if self.energetics is None:
            return constant(1.0, "1")
        half = self.energetics("pump_atp_constant", "mol/m^3") / self.energetics("atp", "mol/m^3")
        share = self.atp_share
        if self.cut_energy is not None and self.held_atp is not None:
            share = share * (1.0 - self.cut_energy) + self.held_atp * self.cut_energy
        return share * (1.0 + half) / (share + half)


def hill(value: Term, half: Term, order: int) -> Term:
    """Return x^n / (K^n + x^n)."""
    raised = (value / half) ** order
    return raised / (1.0 + raised)
