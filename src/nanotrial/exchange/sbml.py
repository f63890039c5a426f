"""A network as SBML Level 3 Version 2 core: what other simulators read.

Amounts in mol are species, processes between them reactions. What is counted or weighed otherwise is a parameter with
a rate rule. Equilibrium variables z with residual g(z, x, p) = 0 have rate rules too, because many simulators know no
algebraic rules:

    dz_i/dt = -k sum over j of M_ij g_j / (dg_j/dz_j)

with a rate k far above all others of the model and a matrix of numbers M (one, where that suffices): z ends where g is
zero, from any start nearby, and lags behind amounts by about 1/k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import casadi as ca

from nanotrial.exchange.annotations import References, annotation, entity_of, notes, provenance_lines, source_of
from nanotrial.exchange.equations import (
    EVENTS,
    FLOWS,
    OBSERVABLES,
    RATES,
    RELAXATION,
    SECOND,
    VOLUMES,
    equations_of,
)
from nanotrial.exchange.mathml import HEAD, TIME, apply, number
from nanotrial.exchange.names import unit_definition, unit_identifier
from nanotrial.exchange.parts import MOLE, Parts, Start
from nanotrial.units import Dimension, dimension_of, from_si

if TYPE_CHECKING:
    from nanotrial.network.model import Network, Process
    from nanotrial.solve.events import Event, Pulse

# Far above the rate at which equilibria move, so that the two do not play against each other.
FOLLOWING = 1e6
NAMESPACE = "http://www.sbml.org/sbml/level3/version2/core"


@dataclass(frozen=True)
class Model:
    """An SBML document, SIds by kind (observable, species, ...) and name, and the units observables are shown in."""

    text: str
    ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def write_network(
    network: Network,
    start: Start,
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    until: float = 0.0,
    about: Sequence[str] = (),
    references: References | None = None,
    flat: bool = False,
) -> Model:
    """Return a network as an SBML document.

    Arguments:
        network: the network.
        start: numbers to start from (SI).
        events: changes of amounts; those at 0 s are in ``start`` already.
        pulses: changes of parameters over windows.
        until: end of the run (s): what happens later is left out.
        about: lines of the note of the model.
        references: BibTeX entries that sources are looked up in.
        flat: long shared parts of formulas follow their rule within a microsecond as states of their own, for
            simulators that write rules out wherever they are read and would not get to an end.

    Raises:
        NetworkError: a part of the network cannot be written; the message names it.
    """
    return _Writer(equations_of(network, start.mixing, events, pulses, until), start, references or {}, flat).model(
        about
    )


class _Writer(Parts):
    """Writes one document list by list."""

    def model(self, about: Sequence[str]) -> Model:
        """Return the whole document."""
        lists = [
            ("listOfCompartments", self._compartments()),
            ("listOfSpecies", self._species()),
            ("listOfParameters", self._parameters()),
            ("listOfInitialAssignments", self._initial()),
            ("listOfRules", self._rules()),
            ("listOfReactions", self._reactions()),
            ("listOfEvents", self._events()),
        ]
        made = {unit_identifier(d): unit_definition(d) for d in self.units | {dimension_of("m^3")}}
        units = [made[name] for name in sorted(made) if made[name]]
        body = "\n".join(
            f"<{name}>\n" + "\n".join(items) + f"\n</{name}>"
            for name, items in [("listOfUnitDefinitions", units), *lists]
            if items
        )
        head = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="{NAMESPACE}" level="3" version="2">\n'
            f'<model id="{self.free.take(self.network.name, "model")}" name={quoteattr(self.network.name)}'
            ' substanceUnits="mole" timeUnits="second"'
            ' volumeUnits="m3" lengthUnits="metre" extentUnits="mole">'
        )
        shown = {name: o.unit for name, o in self.network.observables.items()}
        return Model(f"{head}\n{notes(*about, *self._about())}\n{body}\n</model>\n</sbml>\n", self.ids, shown)

    def _about(self) -> list[str]:
        """Return what a reader of the model should know about how it was written."""
        lines = []
        if self.network.equilibria:
            lines.append(
                "Equilibrium variables move to where their equations hold, at the rate "
                f"{self.ids['parameter', '']}, which is no quantity of the model."
            )
        if self.equations.segments[0].events:
            labels = ", ".join(e.label or "event" for e in self.equations.segments[0].events)
            lines.append(f"What happens at 0 s is in the initial amounts: {labels}.")
        if self.held:
            lines.append(
                f"{len(self.held)} parts of formulas are states that follow their rule within a microsecond, for "
                "simulators that write rules out wherever they are read."
            )
        if self.equations.dimensions.factors:
            lines.append(
                f"{len(self.equations.dimensions.factors)} factors of 1 with a unit stand where a number was dropped."
            )
        return lines

    def _compartments(self) -> list[str]:
        lines = []
        for name, kind in self.compartments.items():
            volume = self.network.compartments[name].volume.expression
            size = f'size="{float(ca.DM(volume))!r}" ' if kind == "fixed" else ""
            constant = "false" if kind == "moving" else "true"
            lines.append(
                f'<compartment id="{self.ids["compartment", name]}" name={quoteattr(name)} spatialDimensions="3" '
                f'{size}units="{self.unit(dimension_of("m^3"))}" constant="{constant}"/>'
            )
        return lines

    def _species(self) -> list[str]:
        lines = []
        for name, species in self.network.species.items():
            if species.dimension != MOLE:
                continue
            identifier, is_entity = self.ids["species", name], entity_of(name)
            metaid = f' metaid="meta_{identifier}"' if is_entity else ""
            lines.append(
                f'<species{metaid} id="{identifier}" name={quoteattr(name)} '
                f'compartment="{self.ids["compartment", species.compartment]}" '
                f'initialAmount="{self.start.amounts[0][name]!r}" substanceUnits="mole" hasOnlySubstanceUnits="true" '
                f'boundaryCondition="false" constant="false">'
                f"{annotation(f'meta_{identifier}', 'is', is_entity)}</species>"
            )
        return lines

    def _parameter(
        self,
        identifier: str,
        name: str,
        dimension: Dimension,
        value: float | None,
        inside: str = "",
        moves: bool = True,
    ) -> str:
        number_at_start = "" if value is None else f'value="{value!r}" '
        metaid = f' metaid="meta_{identifier}"' if "<annotation>" in inside else ""
        return (
            f'<parameter{metaid} id="{identifier}" name={quoteattr(name)} {number_at_start}'
            f'units="{self.unit(dimension)}" constant="{str(not moves).lower()}">{inside}</parameter>'
        )

    def _parameters(self) -> list[str]:
        n, start = self.network, self.start
        pulsed = {name for s in self.equations.segments for name in s.changes}
        first = self.equations.segments[0].changes
        lines = []
        for name, p in n.parameters.items():
            identifier = self.ids["parameter", name]
            inside = notes(*provenance_lines(p, name in start.found))
            inside += annotation(f"meta_{identifier}", "isDescribedBy", source_of(p, self.references))
            value = first.get(name, start.parameters[name])
            lines.append(self._parameter(identifier, name, dimension_of(p.unit), value, inside, name in pulsed))
        if n.equilibria:
            text = "Rate at which equilibrium variables move to where their equations hold."
            lines.append(
                self._parameter(
                    self.ids["parameter", ""],
                    "relaxation of equilibria",
                    Dimension() / SECOND,
                    RELAXATION,
                    notes(text),
                    False,
                )
            )
        for name, s in n.species.items():
            if s.dimension != MOLE:
                inside = notes(f"State in compartment {s.compartment}; shown in {s.unit}.")
                lines.append(
                    self._parameter(self.ids["species", name], name, s.dimension, start.amounts[0][name], inside)
                )
        for name, dimension in self.equations.unknowns.items():
            inside = notes("Equilibrium variable; its value at the start solves its equations.")
            value = start.unknowns[0][name]
            lines.append(self._parameter(self.ids["unknown", name], name, dimension, value, inside))
        for name, o in n.observables.items():
            inside = notes(o.description, self._shown(o.unit))
            lines.append(self._parameter(self.ids["observable", name], name, o.value.dimension, None, inside))
        for name, process in n.processes.items():
            if process.rate.dimension != MOLE / SECOND:
                inside = notes(f"Process: {process.equation}", _by(process))
                lines.append(self._parameter(self.ids["process", name], name, process.rate.dimension, None, inside))
        held = self.held_values(0)
        for node, identifier in self.parts.items():
            dimension = self.equations.dimensions.nodes[node]
            lines.append(self._parameter(identifier, "", dimension, held.get(node)).replace(' name=""', ""))
        if self.held:
            lines.append(self._parameter(self.ids["parameter", " "], "", Dimension() / SECOND, FOLLOWING, moves=False))
        return lines

    def _shown(self, unit: str) -> str:
        """Return how an observable in SI is brought to the unit in which it is shown."""
        one, zero = from_si(1.0, unit) - from_si(0.0, unit), from_si(0.0, unit)
        return f"Observable in SI; shown in {unit}: multiply by {one!r}" + (f" and add {zero!r}." if zero else ".")

    def _initial(self) -> list[str]:
        return [
            f'<initialAssignment symbol="{self.ids["compartment", name]}">{HEAD}'
            f"{self.formulas.result(VOLUMES, place)}</math></initialAssignment>"
            for place, (name, kind) in enumerate(self.compartments.items())
            if kind == "start"
        ]

    def _rules(self) -> list[str]:
        rule, f = _assignment, self.formulas
        lines = [
            self._following(identifier, f.definition(node))
            if node in self.held
            else rule(identifier, f.definition(node))
            for node, identifier in self.parts.items()
        ]
        for place, (name, kind) in enumerate(self.compartments.items()):
            if kind == "moving":
                lines.append(rule(self.ids["compartment", name], f.result(VOLUMES, place)))
        for place, (name, process) in enumerate(self.network.processes.items()):
            if process.rate.dimension != MOLE / SECOND:
                identifier = self.ids["process", name]
                lines.append(rule(identifier, f.result(RATES, place, identifier)))
        for place, name in enumerate(self.network.observables):
            identifier = self.ids["observable", name]
            lines.append(rule(identifier, f.result(OBSERVABLES, place, identifier)))
        lines += [_rate(self.ids["species", name], math) for name, math in self._other_flows()]
        for place, name in enumerate(self.equations.unknowns):
            lines.append(_rate(self.ids["unknown", name], f.result(FLOWS, place)))
        return lines

    def _following(self, identifier: str, math: str) -> str:
        gap = apply("minus", math, f"<ci>{identifier}</ci>")
        return _rate(identifier, apply("times", f"<ci>{self.ids['parameter', ' ']}</ci>", gap))

    def _other_flows(self) -> list[tuple[str, str]]:
        """Return the rate of every state that is no amount in mol: the sum over its processes."""
        parts: dict[str, list[str]] = {n: [] for n, s in self.network.species.items() if s.dimension != MOLE}
        for name, process in self.network.processes.items():
            for state, count in process.stoichiometry.items():
                if state in parts:
                    rate = f"<ci>{self.ids['process', name]}</ci>"
                    parts[state].append(rate if count == 1 else apply("times", number(count, Dimension()), rate))
        nothing = {n: number(0.0, self.network.species[n].dimension / SECOND) for n in parts}
        for n in parts:
            self.unit(self.network.species[n].dimension / SECOND)
        return [
            (n, apply("plus", *terms) if len(terms) > 1 else (terms[0] if terms else nothing[n]))
            for n, terms in parts.items()
        ]

    def _reactions(self) -> list[str]:
        names = list(self.network.species)
        lines = []
        for place, (name, process) in enumerate(self.network.processes.items()):
            if process.rate.dimension != MOLE / SECOND:
                continue
            node = self.equations.program.outputs[RATES][place]
            read = {names[i] for i in self.equations.leaves[node] if self.network.species[names[i]].dimension == MOLE}
            lines.append(
                f'<reaction id="{self.ids["process", name]}" name={quoteattr(name)} reversible="true">'
                f"{notes(f'Process: {process.equation}', _by(process))}{self._sides(process, read)}"
                f"<kineticLaw>{HEAD}{self.formulas.result(RATES, place)}</math></kineticLaw></reaction>"
            )
        return lines

    def _sides(self, process: Process, read: set[str]) -> str:
        """Return the lists of reactants, products and of species that the rate reads besides."""
        sides = {"listOfReactants": "", "listOfProducts": "", "listOfModifiers": ""}
        for name, count in process.stoichiometry.items():
            side = "listOfReactants" if count < 0 else "listOfProducts"
            species = f'species="{self.ids["species", name]}"'
            sides[side] += f'<speciesReference {species} stoichiometry="{abs(count)!r}" constant="true"/>'
        for name in self.network.species:
            if name in read and name not in process.stoichiometry:
                sides["listOfModifiers"] += f'<modifierSpeciesReference species="{self.ids["species", name]}"/>'
        return "".join(f"<{side}>{items}</{side}>" for side, items in sides.items() if items)

    def _events(self) -> list[str]:
        segments, lines = self.equations.segments, []
        for i in range(1, len(segments)):
            sets = [
                (self.ids["species", c.name], self.formulas.result(EVENTS, c.entry))
                for c in self.equations.changes
                if c.time == segments[i].start
            ]
            old, new = segments[i - 1].changes, segments[i].changes
            for name in sorted({*old, *new}):
                value = new.get(name, self.start.parameters[name])
                if value != old.get(name, self.start.parameters[name]):
                    dimension = dimension_of(self.network.parameters[name].unit)
                    sets.append((self.ids["parameter", name], number(value, dimension)))
            for name, dimension in self.equations.unknowns.items():
                sets.append((self.ids["unknown", name], number(self.start.unknowns[i][name], dimension)))
            for node, value in self.held_values(i).items():
                sets.append((self.parts[node], number(value, self.equations.dimensions.nodes[node])))
            if sets:
                label = ", ".join(e.label or "event" for e in segments[i].events) or "pulse"
                lines.append(self._event(i, label, segments[i].start, sets))
        return lines

    def _event(self, i: int, label: str, time: float, sets: list[tuple[str, str]]) -> str:
        told = (
            "Equilibrium variables are set to what nanotrial found right after this event."
            if self.equations.unknowns
            else ""
        )
        trigger = apply("geq", TIME, number(time, SECOND))
        changes = "".join(f'<eventAssignment variable="{v}">{HEAD}{math}</math></eventAssignment>' for v, math in sets)
        return (
            f'<event id="{self.free.take(f"event_{i}")}" name={quoteattr(label)} useValuesFromTriggerTime="true">'
            f'{notes(told)}<trigger initialValue="false" persistent="true">{HEAD}{trigger}</math></trigger>'
            f"<listOfEventAssignments>{changes}</listOfEventAssignments></event>"
        )


def _assignment(variable: str, math: str) -> str:
    return f'<assignmentRule variable="{variable}">{HEAD}{math}</math></assignmentRule>'


def _rate(variable: str, math: str) -> str:
    return f'<rateRule variable="{variable}">{HEAD}{math}</math></rateRule>'


def _by(process: Process) -> str:
    return f"Mechanism: {process.mechanism}" if process.mechanism else ""
