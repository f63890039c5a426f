"""Radicals of water as a part of a network: made at the dose rate, used up by each other and by solutes.

    sources      G_i rho D'              one process per free yield, each with the water and OH that balance it
    reactions    k [A][B]                d[A]/dt = -k [A][B];  for two of a kind d[A]/dt = -2 k [A]^2
    surfaces     k a [A]                 a: area of a catalyst per volume

Matter and charge are added up from the formulas of the sheet: a reaction that loses an atom does not build. Water is
booked in a state of its own that starts at zero and may fall below it. Where pH is held, protons and hydroxide go to a
buffer without end and their states count what it took up; where it is not, they react, and water dissociates.

Assumptions: well mixed, after the first microsecond, tracks that do not overlap; activity coefficients are one.
Sources: in the sheet (buxton_1988, bielski_1985, topas_nbio and others).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nanotrial.errors import CatalogueError, InputError, nearest
from nanotrial.medium.constants import arrhenius, van_t_hoff
from nanotrial.network.terms import Term, constant
from nanotrial.radiation.yields import FREE, escape_yields

if TYPE_CHECKING:
    from nanotrial.catalogue.radiation_schema import RadicalReaction, Radiolysis
    from nanotrial.network.model import Network

ID = "radiation.radicals"
BIMOLECULAR = "m^3/mol/s"
# Per unit of a free yield: the OH, protons and water that close its balance.
PARTNERS = {
    "e_aq": {"OH": 1.0, "H+": 1.0, "water": -1.0},
    "H": {"OH": 1.0, "water": -1.0},
    "hydrogen": {"OH": 2.0, "water": -2.0},
    "hydrogen_peroxide": {"OH": -2.0},
    "HO2": {"OH": -3.0, "water": 1.0},
    "OH-": {"H+": 1.0, "water": -1.0},
}
ALWAYS = ("e_aq", "H", "OH", "H+", "OH-", "water", "hydrogen", "hydrogen_peroxide", "HO2", "oxygen")
IONS = ("H+", "OH-")
SHORT_LIVED = ("e_aq", "H", "OH")
LONG = 1e-6
ALIASES = {
    **{"h2o2": "hydrogen_peroxide", "o2": "oxygen", "o2-": "superoxide", "h2": "hydrogen", "n2o": "nitrous_oxide"},
    **{"fe2+": "Fe+2", "fe3+": "Fe+3", "cu2+": "Cu+2", "no2-": "nitrite", "no3-": "nitrate", "hco3-": "bicarbonate"},
    **{"co2": "carbon_dioxide", "hco2-": "formate", "t-butanol": "tert_butanol", "glutathione": "GSH"},
    **{"nitric_oxide": "NO", "peroxynitrite": "ONOO-", "albumin": "protein", "peroxide": "hydrogen_peroxide"},
}
_TOKEN = re.compile(r"([A-Z][a-z]?|\{[^{}]+\})(\d*)")
_CHARGE = re.compile(r"([+-])(\d*)$")


def content_of(formula: str) -> dict[str, float]:
    """Return atoms, residues in braces, and charge of a formula such as ``Fe+3`` or ``{GS}H``; ``-`` is an electron."""
    found = _CHARGE.search(formula)
    counts: dict[str, float] = {}
    if found:
        counts["charge"] = float(found[2] or 1) * (1.0 if found[1] == "+" else -1.0)
        formula = formula[: found.start()]
    for token, number in _TOKEN.findall(formula):
        counts[token] = counts.get(token, 0.0) + float(number or 1)
    if "".join(a + b for a, b in _TOKEN.findall(formula)) != formula:
        raise CatalogueError("species", f"the formula `{formula}`", "elements, residues in braces and a charge")
    return counts


@dataclass(frozen=True)
class Reaction:
    """A reaction of the sheet: what enters the rate, what changes by how much, and the entry itself."""

    label: str
    enters: tuple[str, ...]
    changes: Mapping[str, float]
    makes: Mapping[str, float]
    entry: RadicalReaction


def read_reactions(sheet: Radiolysis) -> tuple[Reaction, ...]:
    """Return the reactions of a sheet, read from their texts.

    Raises:
        CatalogueError: a species without a formula, or a reaction that loses atoms or charge.
    """
    return _read(_Held(sheet))


class _Held:
    """A sheet by identity, so that what was read from it is kept beside it."""

    def __init__(self, sheet: Radiolysis) -> None:
        self.sheet = sheet

    def __hash__(self) -> int:
        return id(self.sheet)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.sheet is self.sheet


@lru_cache(maxsize=8)
def _read(held: _Held) -> tuple[Reaction, ...]:
    sheet, found = held.sheet, []
    contents = {name: content_of(formula) for name, formula in sheet.species.items()}
    taken: Counter[str] = Counter()
    for entry in sheet.reactions:
        left, _, right = entry.reaction.partition(" -> ")
        start, end = _side(left, sheet), _side(right, sheet)
        changes = {s: end.get(s, 0.0) - start.get(s, 0.0) for s in {**start, **end}}
        gains: dict[str, float] = {}
        for name, count in changes.items():
            for kind, held_in_one in contents[name].items():
                gains[kind] = gains.get(kind, 0.0) + count * held_in_one
        broken = {kind: g for kind, g in gains.items() if abs(g) > 1e-9}
        if broken:
            raise CatalogueError(f"radiolysis: {entry.reaction}", f"gains of {broken}", "atoms and charge kept")
        enters = tuple(name for name, n in start.items() if name != "water" for _ in range(round(n)))
        label = ".".join((*enters, entry.on) if entry.on else enters)
        taken[label] += 1
        label += f".{taken[label]}" if taken[label] > 1 else ""
        found.append(Reaction(label, enters, {s: n for s, n in changes.items() if n}, end, entry))
    return tuple(found)


def _side(text: str, sheet: Radiolysis) -> dict[str, float]:
    counts: dict[str, float] = {}
    for part in text.split(" + "):
        number, _, name = part.strip().rpartition(" ")
        if name not in sheet.species:
            raise CatalogueError(
                f"radiolysis: {text}", f"`{name}`", "a species with a formula", nearest(name, sheet.species)
            )
        counts[name] = counts.get(name, 0.0) + float(number or 1)
    return counts


def solute_name(sheet: Radiolysis, name: str, where: str = "solutes") -> str:
    """Return the species of the sheet that a name means (``Cu2+``, ``H2O2``, ``glutathione`` are understood).

    Raises:
        InputError: nothing of that name; the message offers the nearest.
    """
    if name in sheet.species:
        return name
    plain = name.strip().lower().replace(" ", "_")
    known = {s.lower(): s for s in sheet.species} | ALIASES
    if plain in known:
        return known[plain]
    raise InputError(where, f"`{name}`", "a species of the radiolysis sheet", nearest(name, [*sheet.species, *ALIASES]))


def reachable(sheet: Radiolysis, present: Iterable[str], surfaces: Iterable[str] = ()) -> list[Reaction]:
    """Return the reactions whose reactants are present or come to be, among the primary products and solutes."""
    there, on, chosen = {*ALWAYS, *present}, set(surfaces), dict[str, Reaction]()
    grown = True
    while grown:
        grown = False
        for one in read_reactions(sheet):
            if one.label in chosen or not there.issuperset(one.enters) or (one.entry.on and one.entry.on not in on):
                continue
            chosen[one.label] = one
            there |= set(one.changes)
            grown = True
    return list(chosen.values())


def rate_between(sheet: Radiolysis, first: str, second: str) -> float:
    """Return the rate constant (m^3/(mol s)) of two species, all channels together; 0 where none is known."""
    both = sorted((first, second))
    found = (r.entry.rate for r in read_reactions(sheet) if sorted(r.enters) == both)
    return float(sum(rate.si for rate in found if rate is not None))


@dataclass(frozen=True)
class Radicals:
    """What was added to a network: name in the network of each species, and the counters of what reactions made.

    ``per_dose`` is what the tracks give of each species (mol/(m^3 Gy)).
    """

    names: Mapping[str, str]
    made: Mapping[str, str]
    reactions: tuple[Reaction, ...]
    per_dose: Mapping[str, Term]

    def burst(self, network: Network, place: str, dose: float) -> dict[str, Term]:
        """Return what each state of the network holds after a dose (Gy) that is given at once."""
        whole = constant(dose, "Gy") * network.compartments[place].volume
        return {self.names[s]: network[self.names[s]] + given * whole for s, given in self.per_dose.items()}


def add_radicals(
    network: Network,
    compartment: str,
    dose_rate: Term,
    sheet: Radiolysis,
    solutes: Mapping[str, Term | float] | None = None,
    *,
    ph: float = 7.0,
    let: object = "low",
    temperature: float = 298.15,
    held_ph: bool = True,
    density: float = 997.0,
    size: float = 1e-3,
    size_of_rate: float = 1.0,
    surfaces: Mapping[str, Term] | None = None,
    shared: Mapping[str, str] | None = None,
    count: Iterable[str] = (),
) -> Radicals:
    """Add the radicals of water, and what they do to solutes, to a compartment of a network.

    Only reactions whose reactants are there or come to be are added, so that solutes bring their own chemistry.

    Arguments:
        network: the network.
        compartment: name of a compartment of it.
        dose_rate: dose to water per time (Gy/s); a parameter, so that a pulse can switch it.
        sheet: radiolysis sheet.
        solutes: species -> concentration at the start (mol/m^3).
        ph: held, or at the start (see ``held_ph``).
        let: as in ``escape_yields``.
        temperature: K; rates with an activation energy follow it.
        held_ph: protons and hydroxide go to a buffer; else they react and water dissociates.
        density: of the fluid (kg/m^3).
        size: typical concentration of products (mol/m^3), which sets the errors the solver may make.
        size_of_rate: largest dose rate (Gy/s), which does the same for radicals.
        surfaces: catalyst -> its area per volume (1/m).
        shared: species -> state of the network that holds it already.
        count: species of which all that reactions make is counted, in states ``<compartment>.made.<species>``; what
            the tracks give is not in it.

    Raises:
        InputError: a solute that the sheet does not know, or a pH outside its range.
        NetworkError: a compartment that is not there, or a name that is taken.
    """
    part = _Part(network, compartment, sheet, temperature, ph, held_ph)
    given = {solute_name(sheet, name): value for name, value in (solutes or {}).items()}
    part.names.update(shared or {})
    chosen = reachable(sheet, [*given, *part.names], surfaces or ())
    wanted = dict.fromkeys([*ALWAYS, *given, *(s for one in chosen for s in one.changes)])
    for name in wanted:
        if name not in part.names:
            part.state(name, given.get(name, 0.0), _scale(name, size, size_of_rate, density))
    for name in count:
        part.count(solute_name(sheet, name, "count"), size)
    per_dose = part.sources(dose_rate, density, ph, let)
    for one in chosen:
        part.react(one, surfaces or {})
    return Radicals(part.names, part.made, tuple(chosen), per_dose)


def _scale(name: str, size: float, rate: float, density: float) -> float:
    """Return a size (mol/m^3): radicals never hold more than is made in a short time."""
    if name in SHORT_LIVED:
        return min(size, max(density * 3e-7 * rate * LONG, size * 1e-9))
    return size


class _Part:
    """What is being added: the network with the compartment, its volume and the names of species in it."""

    def __init__(
        self, network: Network, place: str, sheet: Radiolysis, temperature: float, ph: float, held: bool
    ) -> None:
        self.network, self.place, self.sheet, self.temperature = network, place, sheet, temperature
        self.volume = network.compartments[place].volume if place in network.compartments else _no_place(network, place)
        self.names: dict[str, str] = {}
        self.made: dict[str, str] = {}
        self.own: set[str] = set()
        self.ph, self.held = ph, held
        self.product = _ion_product(temperature)

    def ion(self, name: str) -> float:
        """Return protons or hydroxide (mol/m^3) at the pH."""
        proton = float(10.0 ** (3.0 - self.ph))
        return proton if name == "H+" else self.product / proton

    def state(self, name: str, start: Term | float, scale: float) -> None:
        """Add a species; what a buffer or water without end gives is counted from zero."""
        free_ion = name in IONS and not self.held
        if free_ion:
            start = self.ion(name)
        made = start if isinstance(start, Term) else constant(float(start), "mol/m^3")
        book = name == "water" or (name in IONS and self.held)
        self.names[name] = f"{self.place}.{name}"
        self.own.add(name)
        self.network.state(
            self.names[name], self.place, scale=scale, initial=made * self.volume,
            content=content_of(self.sheet.species[name]), may_be_negative=book,
        )  # fmt: skip

    def count(self, name: str, size: float) -> None:
        self.made[name] = f"{self.place}.made.{name}"
        self.network.state(self.made[name], self.place, scale=size)

    def concentration(self, name: str) -> Term:
        if name in IONS and self.held:
            return self.network.parameter(f"{self.place}.held.{name}", self.ion(name), "mol/m^3")
        return self.network.concentration(self.names[name])

    def process(self, label: str, changes: Mapping[str, float], makes: Mapping[str, float], rate: Term) -> None:
        """Add a process; kinds that a shared state does not declare are open."""
        numbers = {self.names[s]: n for s, n in changes.items()}
        numbers |= {self.made[s]: makes[s] for s in self.made if makes.get(s, 0.0) > 0}
        foreign = not self.own.issuperset(changes)
        kinds = {k for s in numbers for k in self.network.species[s].content} if foreign else set()
        self.network.process(
            f"{self.place}.process.{label}", numbers, rate * self.volume, mechanism=ID, opens=tuple(kinds)
        )

    def sources(self, dose_rate: Term, density: float, ph: float, let: object) -> dict[str, Term]:
        """Add a process for each free yield; return what all of them give (mol/(m^3 Gy))."""
        whole: dict[str, Term] = {}
        yields = escape_yields(self.sheet, ph, let)
        heavy = constant(density, "kg/m^3")
        for name in FREE:
            if yields[name] == 0.0:
                continue
            value = self.sheet.yields.get(name)
            exact = value is not None and value.si == yields[name]
            label = f"radiolysis.yield.{name}" if exact else f"{self.place}.yield.{name}"
            parameter = self.network.parameter(label, value if exact and value else yields[name], "mol/J")
            changes = {name: 1.0, **PARTNERS[name]}
            given = parameter * heavy
            self.process(f"source.{name}", changes, {}, given * dose_rate)
            for species, number in changes.items():
                whole[species] = whole[species] + given * number if species in whole else given * number
        return whole

    def react(self, one: Reaction, surfaces: Mapping[str, Term]) -> None:
        """Add one reaction of the sheet."""
        entry, label = one.entry, f"radiolysis.{one.label}"
        if entry.surface is not None:
            rate = self.network.parameter(f"{label}.rate", entry.surface, "m/s") * surfaces[entry.on]
        elif entry.first_order is not None:
            rate = self.network.parameter(f"{label}.rate", entry.first_order, "1/s")
        else:
            assert entry.rate is not None
            rate = self.network.parameter(f"{label}.rate", entry.rate, BIMOLECULAR)
        if entry.activation_energy is not None:
            rate = rate * arrhenius(self.network, f"{label}.energy", entry.activation_energy, self.temperature)
        if set(one.enters) == set(IONS):
            if not self.held:
                here = self.concentration("H+") * self.concentration("OH-")
                back = constant(self.product, "mol^2/m^6")
                self.process(one.label, one.changes, one.makes, rate * (here - back))
            return
        for name in one.enters:
            rate = rate * self.concentration(name)
        self.process(one.label, one.changes, one.makes, rate)


def _no_place(network: Network, place: str) -> Term:
    raise InputError("compartment", f"`{place}`", "a compartment of the network", nearest(place, network.compartments))


def _ion_product(temperature: float) -> float:
    """Return the ion product of water (mol^2/m^6)."""
    from nanotrial.catalogue.lookup import Catalogue

    water = Catalogue().water()
    return float(10.0 ** (6.0 - abs(water.log_k.value) + van_t_hoff(water.enthalpy.si, temperature)))
