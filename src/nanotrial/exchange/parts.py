"""What a document is made of: equations, formulas, the parts they share, and an id for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.exchange.annotations import References
from nanotrial.exchange.equations import OBSERVABLES, RATES, RELAXATION, SECOND, Equations
from nanotrial.exchange.mathml import TIME, Formulas
from nanotrial.exchange.names import Identifiers, unit_identifier
from nanotrial.network.program import evaluate
from nanotrial.units import Dimension, dimension_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOLE = dimension_of("mol")


@dataclass(frozen=True)
class Start:
    """Where a run starts, in SI, and the equilibrium variables that hold right after each edge (event or pulse).

    Arguments:
        parameters: by name.
        amounts: by name, right after the start (its events included), then right after each edge.
        mixing: matrix of each equilibrium, see ``equations.mixing_of``.
        unknowns: equilibrium variables by name, first at the start, then after each edge.
        found: parameters whose number was found when the arm was prepared.
    """

    parameters: Mapping[str, float]
    amounts: Sequence[Mapping[str, float]]
    unknowns: Sequence[Mapping[str, float]]
    mixing: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    found: frozenset[str] = frozenset()


class Parts:
    """Equations, formulas and the ids of everything in a document."""

    def __init__(self, equations: Equations, start: Start, references: References, flat: bool) -> None:
        """Name everything and find what formulas share."""
        self.equations, self.start, self.references = equations, start, references
        self.network = equations.network
        self.ids: dict[tuple[str, str], str] = {}
        self.free = Identifiers()
        self.compartments = {
            name: self._volume_kind(c.volume.expression) for name, c in self.network.compartments.items()
        }
        self._name_all()
        self.flat = flat
        self.formulas = Formulas(equations.program, equations.dimensions, self._inputs())
        self._name_shared()
        self.units = self.formulas.units

    def _volume_kind(self, volume: ca.SX) -> str:
        """Return ``fixed`` (a number), ``start`` (of parameters that nothing changes) or ``moving``."""
        names = {s.name() for s in ca.symvar(volume)}
        pulsed = {name for s in self.equations.segments for name in s.changes}
        if not names:
            return "fixed"
        return "start" if names <= set(self.network.parameters) - pulsed else "moving"

    def _name_all(self) -> None:
        n = self.network
        kinds: dict[str, Mapping[str, object]] = {"observable": n.observables, "species": n.species}
        kinds |= {"unknown": self.equations.unknowns}
        kinds |= {"parameter": n.parameters, "compartment": n.compartments, "process": n.processes}
        for kind, names in kinds.items():
            for name in names:
                self.ids[kind, name] = self.free.take(name, kind)
        self.ids["parameter", ""] = self.free.take("equilibrium_relaxation")
        self.ids["parameter", " "] = self.free.take("rate_of_following")

    def _inputs(self) -> list[list[str]]:
        kinds: dict[str, Mapping[str, object]] = {"species": self.network.species, "unknown": self.equations.unknowns}
        kinds |= {"parameter": self.network.parameters}
        named = [[f"<ci>{self.ids[kind, name]}</ci>" for name in names] for kind, names in kinds.items()]
        return [*named, [TIME, f"<ci>{self.ids['parameter', '']}</ci>"]]

    def _name_shared(self) -> None:
        """Name shared nodes: after the quantity that they are, where a rule gives it, else by a number."""
        shared = set(self.formulas.shared)
        # Mixed residuals magnify the least lag: there nothing is held.
        mixed = any(not np.array_equal(m, np.eye(len(m))) for m in self.start.mixing.values())
        self.held = self.formulas.held() if self.flat and not mixed else []
        names: dict[int, str] = {}
        rules = [(OBSERVABLES, "observable", i, name) for i, name in enumerate(self.network.observables)]
        rules += [
            (RATES, "process", i, p.name)
            for i, p in enumerate(self.network.processes.values())
            if p.rate.dimension != MOLE / SECOND
        ]
        for k, kind, place, name in rules:
            node = self.equations.program.outputs[k][place]
            plain = (-1 - k, place) not in self.equations.dimensions.factors
            if plain and node in shared and node not in names and node not in self.held:
                names[node] = self.ids[kind, name]
        unnamed = [i for i in self.formulas.shared if i not in names]
        self.parts = {i: self.free.take(f"part_{count}") for count, i in enumerate(unnamed)}
        self.formulas.name_shared(names | self.parts)

    def held_values(self, edge: int) -> dict[int, float]:
        """Return the values of the held parts right after an edge (0: the start)."""
        changes = self.equations.segments[edge].changes
        values = [
            [self.start.amounts[edge][name] for name in self.network.species],
            [self.start.unknowns[edge][name] for name in self.equations.unknowns],
            [changes.get(name, self.start.parameters[name]) for name in self.network.parameters],
            [self.equations.segments[edge].start, RELAXATION],
        ]
        asked = replace(self.equations.program, outputs=(tuple(self.held),))
        found = evaluate(asked, [np.array(column, dtype=float).reshape(-1, 1) for column in values])[0]
        return dict(zip(self.held, found[:, 0].tolist(), strict=True))

    def unit(self, dimension: Dimension) -> str:
        """Return the id of a unit, which the document then defines."""
        self.units.add(dimension)
        return unit_identifier(dimension)
