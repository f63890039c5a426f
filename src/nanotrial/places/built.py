"""A built arm: its network, its events, and what is needed to start it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.network.model import Network
from nanotrial.particle.fluid import Fluid
from nanotrial.places.dish_parts import Dish
from nanotrial.places.tube import Tube
from nanotrial.solve.compiled import CompiledNetwork
from nanotrial.solve.events import Event
from nanotrial.study import Addition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.solve.ensemble import Ensemble

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class BuiltArm:
    """A network with its events and what is needed to start it.

    ``untreated`` builds the same cells under the same conditions with nothing done to them: what viability is held to.
    """

    name: str
    network: Network
    place: Tube | Dish
    events: tuple[Event, ...]
    additions: tuple[Addition, ...] = ()
    untreated: Callable[[], BuiltArm] | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)

    @property
    def tube(self) -> Tube:
        """Return the tube of an arm that is in one."""
        assert isinstance(self.place, Tube)
        return self.place

    @property
    def dish(self) -> Dish | None:
        """Return the dish of an arm that is in one, or None."""
        return self.place if isinstance(self.place, Dish) else None

    @property
    def fluid(self) -> Fluid:
        """Return the solution to which things are added: that of the tube, or the medium."""
        return self.place.medium if isinstance(self.place, Dish) else self.place

    @property
    def mechanisms(self) -> list[str]:
        """Return the ids of the mechanisms in use."""
        return self.place.mechanisms

    @property
    def guesses(self) -> np.ndarray[Any, Any]:
        """Return this arm's own first guesses of its equilibria; a shared compiled network may hold another's."""
        return np.array([g for block in self.network.equilibria.values() for g in block.guesses])

    def prepare(self, compiled: CompiledNetwork, parameters: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return parameters with the strong charge that gives the fresh solution its nominal pH, and cells at rest."""
        name = self.fluid.name
        place = compiled.parameter_index(f"{name}.strong_charge.start")
        ready = compiled.titrate(parameters, place, f"{name}.ph", self.place.subject.ph, self.guesses)
        if self.dish is not None:
            ready[compiled.parameter_index("medium.fresh_calcium")] = self._free_calcium(compiled, ready)
            values = dict(zip(compiled.parameter_names, ready.tolist(), strict=True))
            for rest, value in self.dish.rest.find(values).items():
                ready[compiled.parameter_index(rest)] = value
        return ready

    def prepare_members(self, ensemble: Ensemble, parameters: Array) -> tuple[Array, dict[int, str]]:
        """Return what ``prepare`` gives for many members at once, and by member why there is no start.

        Arguments:
            ensemble: runs members of this network.
            parameters: SI, shape (members, parameters).
        """
        c, balance, name = ensemble.compiled, ensemble.equilibria, self.fluid.name
        place = c.parameter_index(f"{name}.strong_charge.start")
        ready, reasons = balance.titrate(parameters.T, place, f"{name}.ph", self.place.subject.ph, self.guesses)
        if self.dish is None:
            return np.ascontiguousarray(ready.T), reasons
        amounts = balance.initial(ready)
        z, unsettled = balance.solve(amounts, ready, np.repeat(self.guesses[:, None], ready.shape[1], axis=1))
        seen = ensemble.observe(0.0, np.vstack([amounts / c.scales[:, None], z]), ready)
        ready[c.parameter_index("medium.fresh_calcium")] = seen[c.observable_names.index("free_calcium")]
        rest, restless = self.dish.rest.find_members(dict(zip(c.parameter_names, ready, strict=True)))
        for one, values in rest.items():
            ready[c.parameter_index(one)] = values
        return np.ascontiguousarray(ready.T), restless | unsettled | reasons

    def _free_calcium(self, compiled: CompiledNetwork, p: np.ndarray[Any, Any]) -> float:
        """Return the free calcium of the fresh medium (mol/m^3): what sets where cells rest."""
        amounts = np.asarray(compiled.initial(p).full()).ravel()
        z = compiled.solve_equilibria(amounts, p, self.guesses)
        seen = np.asarray(compiled.observe(0.0, np.concatenate([amounts / compiled.scales, z]), p).full()).ravel()
        return float(seen[compiled.observable_names.index("free_calcium")])
