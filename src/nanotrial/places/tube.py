"""The tube: what one arm holds, as mechanisms read it."""

from __future__ import annotations

from dataclasses import dataclass

from nanotrial.catalogue.schema import Vessel
from nanotrial.medium.speciation import Solution
from nanotrial.network.terms import Term
from nanotrial.particle.fluid import Fluid
from nanotrial.study import Subject


@dataclass(kw_only=True)
class Tube(Fluid):
    """One arm in a tube."""

    subject: Subject
    vessel: Vessel
    renewal: Term | None = None

    def gas_fractions(self) -> dict[str, float]:
        """Return the fraction of each exchangeable gas above the solution; a closed tube has none."""
        return {} if self.subject.atmosphere == "closed" else gas_fractions(self.subject, self.solution)

    def gas_exchange(self) -> Term:
        """Return film velocity times surface (m^3/s)."""
        velocity = self.network.parameter("tube.gas_transfer_velocity", self.vessel.gas_transfer_velocity, "m/s")
        depth = self.network.parameter("tube.depth", self.subject.said_or_usual("depth", self.vessel), "m")
        return velocity * (self.volume / depth)


def gas_fractions(subject: Subject, solution: Solution) -> dict[str, float]:
    """Return component -> fraction of the gas above an open tube."""
    fractions: dict[str, float] = {}
    for name, sheet in solution.components.items():
        if sheet.gas is None:
            continue
        air = subject.carbon_dioxide if name == "carbonate" else sheet.gas.air_fraction.si
        fractions[name] = air if subject.atmosphere == "air" else 0.0
    return fractions
