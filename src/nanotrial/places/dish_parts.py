"""The dish: a well of medium with classes of cells of one line on its bottom, as mechanisms and read-outs find it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nanotrial.catalogue.cell_schema import CellLine, Medium, Probe, Well
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.schema import Solute
from nanotrial.cell.culture import Cells, Constants
from nanotrial.cell.rest import RestFinder
from nanotrial.medium.constants import diffusivity_factor
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, maximum, total
from nanotrial.particle.fluid import Cohort, Fluid
from nanotrial.study import DishSubject

if TYPE_CHECKING:
    from nanotrial.places.dish_minerals import DishMinerals


@dataclass(kw_only=True)
class WellMedium(Fluid):
    """The medium of a well, which breathes through its surface: gases cross a still layer of its whole depth.

        k_L = D / depth

    The longest way there is; convection makes it shorter, so oxygen near cells is at least what this says.
    """

    subject: DishSubject
    bottom: Term
    oxygen_sheet: Solute

    def gas_fractions(self) -> dict[str, float]:
        """Return the share of oxygen and of carbon dioxide in the incubator."""
        known = {"oxygen": self.subject.oxygen, "carbonate": self.subject.carbon_dioxide}
        return {name: share for name, share in known.items() if name in self.solution.components}

    def gas_exchange(self) -> Term:
        """Return film velocity times surface (m^3/s)."""
        diffusivity = self.network.parameter("oxygen.diffusivity", self.oxygen_sheet.diffusivity, "m^2/s")
        return diffusivity * diffusivity_factor(self.temperature) / (self.volume / self.bottom) * self.bottom


@dataclass(kw_only=True)
class Dish:
    """One arm in a well."""

    network: Network
    subject: DishSubject
    line: CellLine
    well: Well
    recipe: Medium
    medium: WellMedium
    cells: list[Cells]
    death: Constants
    membrane: Constants
    seeded: Term
    probes: dict[str, tuple[str, Probe]]
    catalogue: Catalogue
    minerals: DishMinerals | None = None
    mechanisms: list[str] = field(default_factory=list)

    @cached_property
    def rest(self) -> RestFinder:
        """Return what finds the free calcium at which the cells rest in the fresh medium."""
        return RestFinder(self.cells)

    @property
    def live(self) -> Term:
        """Return the live cells of all classes."""
        return total((c.live for c in self.cells), "1")

    @property
    def untreated(self) -> Term:
        """Return the cells that the well would hold had nothing been done to them."""
        return self.network["untreated.live"]

    @property
    def cohorts(self) -> list[Cohort]:
        """Return the cohorts of every place: in the medium, on membranes, in endosomes and lysosomes."""
        found = list(self.medium.cohorts)
        for cells in self.cells:
            found += cells.bound
            for fluid in (cells.endosome, cells.lysosome):
                found += fluid.cohorts if fluid is not None else []
        return found

    def mean(self, values: list[Term], unit: str) -> Term:
        """Return the mean over live cells of a term per class; where none is left, that of the last ones."""
        none = constant(0.0, "1")
        weights = [maximum(c.live, none) + c.seeded * 1e-9 for c in self.cells]
        weighted = total((v * w for v, w in zip(values, weights, strict=True)), unit)
        return weighted / total(weights, "1")
