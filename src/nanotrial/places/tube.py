"""The tube: what one arm holds, as mechanisms read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nanotrial.catalogue.schema import Vessel
from nanotrial.medium.speciation import Solution
from nanotrial.network.model import Network
from nanotrial.network.terms import Term
from nanotrial.places.fluid import Fluid
from nanotrial.solve.compiled import CompiledNetwork
from nanotrial.solve.events import Event
from nanotrial.study import Subject


@dataclass(kw_only=True)
class Tube(Fluid):
    """One arm in a tube."""

    subject: Subject
    vessel: Vessel

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
