"""What a substance is made of: mass fractions of its elements, and its density.

Names are English; ids of the catalogue's tissues and materials, element symbols and chemical formulas are read alike.
Atomic weights and densities of elements: xraylib (schoonjans_2011). A mixture fills the volumes of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import read_quantity
from nanotrial.radiation.formula import ELEMENTS, SYMBOLS, read_formula

# How far the fractions of a mixture may be from a sum of 1.
TOLERANCE = 1e-6
ALIASES = {"h2o": "water", "hap": "hydroxyapatite", "perspex": "pmma", "soft_tissue_icru_44": "soft_tissue"}


@dataclass(frozen=True)
class Composition:
    """Mass fractions of elements, as pairs of atomic number and fraction that sum to 1, and the density (g/cm^3)."""

    name: str
    fractions: tuple[tuple[int, float], ...]
    density: float | None = None

    @property
    def electrons_per_gram(self) -> float:
        """Return the number of moles of electrons in a gram: the sum of w Z / A (mol/g)."""
        return sum(w * z / atomic_weight(z) for z, w in self.fractions)

    def of_density(self, density: float | None) -> Composition:
        """Return the same substance at another density (g/cm^3)."""
        return replace(self, density=density)


def composition(what: object, where: str = "composition") -> Composition:
    """Return what a substance is made of.

    Arguments:
        what: element (``"Au"``, ``"gold"``), formula (``"HfO2"``, ``"CaHPO4.2H2O"``), id of a tissue or material of
            the catalogue (``"soft tissue"``), a Composition, or a mapping of such parts to mass fractions (a number,
            or a text such as ``"7 mg/g"``) that sum to 1 within 1e-6.
        where: name of the argument, for messages.

    The density is that of the sheet, of the element, or of a material of the catalogue with the same formula; a mixture
    of parts whose density is known fills the sum of their volumes. Otherwise it is None.

    Raises:
        InputError: nothing of this name (the nearest are given), a negative fraction, or a sum that is not 1.
    """
    if isinstance(what, Composition):
        return what
    if isinstance(what, str):
        return _named(what.strip(), where)
    if not isinstance(what, Mapping) or not what:
        expected = "a name, a formula, a Composition, or a mapping of parts to mass fractions"
        raise InputError(where, f"{what!r}", expected)
    parts = [
        (composition(part, f"{where}.{part}"), read_quantity(share, "1", f"{where}.{part}", 0.0))
        for part, share in what.items()
    ]
    total = sum(share for _, share in parts)
    if abs(total - 1.0) > TOLERANCE:
        raise InputError(
            where, f"mass fractions that sum to {total:.7g}", "a sum of 1", "Name the rest, or scale them."
        )
    return mix(parts, " + ".join(f"{share:g} {part.name}" for part, share in parts))


def mix(parts: Sequence[tuple[Composition, float]], name: str) -> Composition:
    """Return the mixture of parts by mass: the shares are scaled to a sum of 1, and volumes add.

    Raises:
        InputError: a negative share, or none above zero.
    """
    total = sum(share for _, share in parts)
    if total <= 0.0 or any(share < 0.0 for _, share in parts):
        raise InputError(name, f"shares {[share for _, share in parts]}", "shares of at least 0, not all of them 0")
    mass: dict[int, float] = {}
    volume: float | None = 0.0
    for part, share in parts:
        for z, w in part.fractions:
            mass[z] = mass.get(z, 0.0) + share / total * w
        if share > 0.0:
            volume = None if volume is None or not part.density else volume + share / total / part.density
    fractions = tuple((z, w) for z, w in sorted(mass.items()) if w > 0.0)
    return Composition(name, fractions, 1.0 / volume if volume else None)


def loaded(medium: object, particle: object, concentration: object, where: str = "concentration") -> Composition:
    """Return a medium that holds particles, which push its volume aside: rho = c + (1 - c / rho_p) rho_m.

    Arguments:
        medium, particle: anything ``composition`` reads, with a density.
        concentration: mass of particle in a volume of the mixture, such as ``"7 mg/mL"``.

    Raises:
        InputError: more than the density of the solid, a negative concentration, or a density that is not known.
    """
    around, solid = composition(medium, "medium"), composition(particle, "particle")
    limit, thin = known_density(solid, "particle"), known_density(around, "medium")
    held = read_quantity(concentration, "g/cm^3", where, 0.0)
    if held > limit:
        raise InputError(where, f"{held:g} g/cm^3", f"at most the density of {solid.name}, {limit:g} g/cm^3")
    return mix([(solid, held), (around, (1.0 - held / limit) * thin)], f"{around.name} + {held:g} g/cm^3 {solid.name}")


def known_density(of: Composition, where: str) -> float:
    """Return the density (g/cm^3) of a substance; without one it raises and says how to give it."""
    if not of.density:
        action = "Name a material of the catalogue, or pass Composition(name, fractions, density)."
        raise InputError(where, f"`{of.name}`, whose density is not known", "a substance with a density", action)
    return of.density


@lru_cache(maxsize=128)
def atomic_weight(z: int) -> float:
    """Return the atomic weight (g/mol) of an element."""
    import xraylib

    return float(xraylib.AtomicWeight(z))


@lru_cache(maxsize=1024)
def _named(text: str, where: str) -> Composition:
    identifier = "_".join(text.lower().replace("-", " ").split())
    identifier = ALIASES.get(identifier, identifier)
    catalogue = Catalogue()
    # A symbol is one even where a sheet bears the same letters.
    if text in SYMBOLS:
        return _element(SYMBOLS[text], text)
    if identifier in catalogue.ids("tissues"):
        return _tissue(identifier)
    if identifier in catalogue.ids("materials"):
        sheet = catalogue.load("materials", identifier)
        return Composition(identifier, _by_mass(read_formula(sheet.formula, where)), sheet.density.si / 1000.0)
    if identifier in ELEMENTS:
        return _element(ELEMENTS[identifier], identifier)
    names = [*catalogue.ids("tissues"), *catalogue.ids("materials"), *ELEMENTS]
    expected = "an element, a chemical formula, or a tissue or material of the catalogue"
    hint = nearest(identifier, names)
    counts = read_formula(text, where, expected, hint)
    if len(counts) == 1:
        return _element(next(iter(counts)), text)
    fractions = _by_mass(counts)
    return Composition(text, fractions, _density_of(fractions))


def _element(z: int, name: str) -> Composition:
    import xraylib

    return Composition(name, ((z, 1.0),), float(xraylib.ElementDensity(z)))


def _tissue(identifier: str) -> Composition:
    sheet = Catalogue().load("tissues", identifier)
    total = sum(sheet.elements.values())
    shares = {SYMBOLS[symbol]: w / total for symbol, w in sheet.elements.items()}
    return Composition(identifier, tuple(sorted(shares.items())), sheet.density.si / 1000.0)


def _by_mass(counts: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    mass = {z: n * atomic_weight(z) for z, n in counts.items()}
    total = sum(mass.values())
    return tuple((z, m / total) for z, m in sorted(mass.items()))


def _density_of(fractions: tuple[tuple[int, float], ...]) -> float | None:
    """Return the density of the materials of the catalogue with these fractions, where it is one."""
    found = {sheet.density.si / 1000.0 for sheet in _materials() if _same(_by_mass(_formula(sheet)), fractions)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=1)
def _materials() -> tuple[Any, ...]:
    catalogue = Catalogue()
    return tuple(catalogue.load("materials", name) for name in catalogue.ids("materials"))


def _formula(sheet: Any) -> dict[int, float]:
    return read_formula(sheet.formula, "materials")


def _same(one: Iterable[tuple[int, float]], other: Iterable[tuple[int, float]]) -> bool:
    first, second = dict(one), dict(other)
    return first.keys() == second.keys() and all(abs(first[z] - second[z]) < 1e-6 for z in first)
