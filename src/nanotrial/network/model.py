"""The network: compartments, species, parameters, processes, equilibria and observables.

Everything is in SI inside. A species is an amount (or any quantity) that changes by processes only:

    d amount_i / dt = sum over processes of stoichiometry_i * rate

An equilibrium variable z follows an algebraic residual g(z, amounts, parameters) = 0 at all times; the compiled network
moves it by  dz/dt = -(dg/dz)^-1 (dg/dx dx/dt),  so that a plain stiff solver suffices and g stays within its tolerance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import casadi as ca

from nanotrial.errors import NetworkError, nearest
from nanotrial.network.terms import Term, constant, term
from nanotrial.units import Dimension, dimension_of

if TYPE_CHECKING:
    from nanotrial.values import Value

_NAME = re.compile(r"^[A-Za-z0-9_.@+\-\[\]()]+$")
_SECOND = dimension_of("s")


@dataclass(frozen=True)
class Parameter:
    """A number that a run may change: symbol, SI value, unit for display and, where known, its source."""

    name: str
    symbol: ca.SX
    value: float
    unit: str
    provenance: Value | None = None


@dataclass(frozen=True)
class Compartment:
    """A well-mixed place with a volume and named surroundings (pH, temperature, oxygen, ...)."""

    name: str
    volume: Term
    surroundings: dict[str, Term] = field(default_factory=dict)


@dataclass(frozen=True)
class Species:
    """A state moved by processes; ``content`` says how much of each conserved kind one unit of it holds."""

    name: str
    compartment: str
    symbol: ca.SX
    unit: str
    dimension: Dimension
    scale: float
    initial: Term
    content: Mapping[str, float]
    may_be_negative: bool = False


@dataclass(frozen=True)
class Process:
    """Stoichiometry and rate; ``equation`` is the line shown to people; ``opens`` names kinds it may not conserve."""

    name: str
    stoichiometry: Mapping[str, float]
    rate: Term
    equation: str
    mechanism: str = ""
    opens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equilibrium:
    """Variables that satisfy residuals at all times; ``lower`` bounds keep the start solver in the physical region."""

    name: str
    symbols: tuple[ca.SX, ...]
    names: tuple[str, ...]
    residuals: tuple[ca.SX, ...]
    guesses: tuple[float, ...]
    lower: tuple[float, ...]
    scales: tuple[ca.SX | float, ...]
    dimensions: tuple[Dimension, ...] = ()


@dataclass(frozen=True)
class Observable:
    """A quantity to read out, with the unit in which it is shown."""

    name: str
    value: Term
    unit: str
    description: str = ""


class Network:
    """Builder and holder of one network; compile it with ``nanotrial.solve.compiled.compile_network``."""

    def __init__(self, name: str = "network") -> None:
        """Start an empty network."""
        self.name = name
        self.parameters: dict[str, Parameter] = {}
        self.compartments: dict[str, Compartment] = {}
        self.species: dict[str, Species] = {}
        self.processes: dict[str, Process] = {}
        self.equilibria: dict[str, Equilibrium] = {}
        self.observables: dict[str, Observable] = {}
        self._unknowns: set[str] = set()
        self.time = Term(ca.SX.sym("time"), _SECOND)

    def parameter(self, name: str, value: float | Value, unit: str) -> Term:
        """Add a parameter (SI number or sourced Value, with the dimension of ``unit``) and return its term.

        Asking again for a parameter with the same value returns the first one, so that mechanisms may share it.
        """
        number = float(value) if isinstance(value, int | float) else value.si
        provenance = None if isinstance(value, int | float) else value
        if provenance is not None and dimension_of(provenance.unit) != dimension_of(unit):
            raise NetworkError(f"parameter `{name}`: the value is in {provenance.unit}, expected a unit like {unit}")
        known = self.parameters.get(name)
        if known is not None:
            if known.value != number or dimension_of(known.unit) != dimension_of(unit):
                raise NetworkError(f"parameter `{name}` is given twice: {known.value} {known.unit} and {number} {unit}")
            return Term(known.symbol, dimension_of(unit))
        self._new_name(name)
        symbol = ca.SX.sym(name)
        self.parameters[name] = Parameter(name, symbol, number, unit, provenance)
        return Term(symbol, dimension_of(unit))

    def compartment(self, name: str, volume: Term, **surroundings: Term) -> Compartment:
        """Add a compartment; its volume may be a parameter or a species in m^3."""
        if volume.dimension != dimension_of("m^3"):
            raise NetworkError(f"compartment `{name}`: the volume has dimension {volume.dimension}, expected m^3")
        if name in self.compartments:
            raise NetworkError(f"compartment `{name}` is added twice")
        self.compartments[name] = Compartment(name, volume, dict(surroundings))
        return self.compartments[name]

    def surround(self, compartment: str, **surroundings: Term) -> None:
        """Name terms that mechanisms in a compartment react to: pH, temperature, oxygen, ...

        Raises:
            NetworkError: no such compartment, or a surrounding that is named already.
        """
        if compartment not in self.compartments:
            raise NetworkError(f"no compartment `{compartment}`. {nearest(compartment, self.compartments)}")
        known = self.compartments[compartment].surroundings
        for name, value in surroundings.items():
            if name in known:
                raise NetworkError(f"compartment `{compartment}`: the surrounding `{name}` is named twice")
            known[name] = value

    def state(
        self,
        name: str,
        compartment: str,
        unit: str = "mol",
        scale: float = 1.0,
        initial: Term | float = 0.0,
        content: Mapping[str, float] | None = None,
        may_be_negative: bool = False,
    ) -> Term:
        """Add a species and return its term.

        Arguments:
            name: unique name.
            compartment: name of a compartment that exists.
            unit: any unit of its dimension.
            scale: a typical SI size, which sets the absolute error the solver may make.
            initial: SI number or term of parameters at the start.
            content: conserved kinds in one unit of the species, for instance ``{"calcium": 1}``.
            may_be_negative: charges and temperatures in degC may, amounts may not.
        """
        self._new_name(name)
        if compartment not in self.compartments:
            raise NetworkError(f"`{name}`: no compartment `{compartment}`. {nearest(compartment, self.compartments)}")
        dimension = dimension_of(unit)
        start = initial if isinstance(initial, Term) else Term(initial, dimension)
        if start.dimension != dimension:
            raise NetworkError(f"`{name}`: initial value has dimension {start.dimension}, expected {dimension}")
        if not scale > 0:
            raise NetworkError(f"`{name}`: scale {scale}, expected a positive size")
        symbol = ca.SX.sym(name)
        self.species[name] = Species(
            name, compartment, symbol, unit, dimension, float(scale), start, dict(content or {}), may_be_negative
        )
        return Term(symbol, dimension)

    def __getitem__(self, name: str) -> Term:
        """Return the term of a species."""
        if name not in self.species:
            raise NetworkError(f"no species `{name}`. {nearest(name, self.species)}")
        return Term(self.species[name].symbol, self.species[name].dimension)

    def concentration(self, name: str) -> Term:
        """Return amount over volume of the compartment of a species."""
        return self[name] / self.compartments[self.species[name].compartment].volume

    def process(
        self,
        name: str,
        stoichiometry: Mapping[str, float],
        rate: Term,
        equation: str = "",
        mechanism: str = "",
        opens: tuple[str, ...] = (),
    ) -> None:
        """Add a process; the rate must have the dimension of its species per time and conserve every content.

        Arguments:
            name: unique name.
            stoichiometry: change of each species per unit of progress.
            rate: progress per second.
            equation: line for people; made from the stoichiometry if empty.
            mechanism: id of the mechanism that adds it.
            opens: conserved kinds that this process lets in or out on purpose.
        """
        self._new_name(name)
        gains: dict[str, float] = {}
        for one, count in stoichiometry.items():
            if one not in self.species:
                raise NetworkError(f"process `{name}`: no species `{one}`. {nearest(one, self.species)}")
            wanted = self.species[one].dimension / _SECOND
            if rate.dimension != wanted:
                raise NetworkError(f"process `{name}`: rate has dimension {rate.dimension}, `{one}` needs {wanted}")
            for kind, held in self.species[one].content.items():
                gains[kind] = gains.get(kind, 0.0) + count * held
        broken = {kind: gain for kind, gain in gains.items() if abs(gain) > 1e-12 and kind not in opens}
        if broken:
            raise NetworkError(f"process `{name}` does not conserve {broken}: {dict(stoichiometry)}")
        line = equation or _equation(stoichiometry)
        self.processes[name] = Process(name, dict(stoichiometry), rate, line, mechanism, opens)

    def equilibrium(
        self,
        name: str,
        variables: Mapping[str, tuple[Term, float, float]],
        residuals: Mapping[str, Term],
        scales: Mapping[str, Term],
    ) -> None:
        """Bind variables to residuals that are zero at all times.

        Arguments:
            name: unique name of the block.
            variables: name -> (term made by ``unknown``, first guess, lower bound).
            residuals: name -> term that is zero; as many as variables.
            scales: name -> size of each residual, of the same dimension.
        """
        if name in self.equilibria:
            raise NetworkError(f"equilibrium `{name}` is added twice")
        if len(variables) != len(residuals):
            raise NetworkError(f"equilibrium `{name}`: {len(variables)} variables and {len(residuals)} residuals")
        sizes = []
        for key, residual in residuals.items():
            if residual.dimension != scales[key].dimension:
                raise NetworkError(
                    f"equilibrium `{name}`, `{key}`: {residual.dimension} against {scales[key].dimension}"
                )
            sizes.append(scales[key].expression)
        self.equilibria[name] = Equilibrium(
            name,
            tuple(v[0].expression for v in variables.values()),
            tuple(variables),
            tuple(r.expression for r in residuals.values()),
            tuple(v[1] for v in variables.values()),
            tuple(v[2] for v in variables.values()),
            tuple(sizes),
            tuple(v[0].dimension for v in variables.values()),
        )

    def unknown(self, name: str, unit: str = "1") -> Term:
        """Return a new equilibrium variable, to be bound by ``equilibrium``."""
        self._new_name(name)
        self._unknowns.add(name)
        return Term(ca.SX.sym(name), dimension_of(unit))

    def observe(self, name: str, value: Term | float, unit: str, description: str = "") -> None:
        """Add an observable shown in ``unit``."""
        made = term(value)
        if made.dimension != dimension_of(unit):
            raise NetworkError(f"observable `{name}` has dimension {made.dimension}, shown in {unit}")
        if name in self.observables:
            raise NetworkError(f"observable `{name}` is added twice")
        self.observables[name] = Observable(name, made, unit, description)

    def contents(self) -> list[str]:
        """Return the conserved kinds, in the order in which they were met."""
        kinds: dict[str, None] = {}
        for one in self.species.values():
            kinds.update(dict.fromkeys(one.content))
        return list(kinds)

    def total_content(self, kind: str) -> Term:
        """Return the amount of a conserved kind in the whole network."""
        members = [s for s in self.species.values() if kind in s.content]
        if not members:
            raise NetworkError(f"nothing holds `{kind}`. {nearest(kind, self.contents())}")
        result = constant(0.0, members[0].unit)
        for one in members:
            result = result + Term(one.symbol, one.dimension) * one.content[kind]
        return result

    def _new_name(self, name: str) -> None:
        if not _NAME.match(name):
            raise NetworkError(f"the name `{name}` holds a space or an odd sign")
        if name in self.species or name in self.parameters or name in self.processes or name in self._unknowns:
            raise NetworkError(f"the name `{name}` is used twice")


def _equation(stoichiometry: Mapping[str, float]) -> str:
    def side(sign: int) -> str:
        parts = [(abs(n), s) for s, n in stoichiometry.items() if n * sign > 0]
        return " + ".join(s if n == 1 else f"{n:g} {s}" for n, s in parts) or "nothing"

    return f"{side(-1)} -> {side(1)}"
