"""The parts of a study: frozen, in SI units, already checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.schema import Vessel
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default
from nanotrial.values import Value


@dataclass(frozen=True)
class Coat:
    """A coating: material and either mass fraction of the whole particle or thickness (m)."""

    material: str
    mass_fraction: float | None
    thickness: float | None


@dataclass(frozen=True)
class Particle:
    """A particle: core material, diameter (m) and its spread, coats, dopants (cation fraction)."""

    name: str
    core: str
    diameter: float
    geometric_sd: float
    size_classes: int
    coating: tuple[Coat, ...]
    dopants: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """The tube: buffer, its concentration (mol/m^3), pH, temperature (K), volume (m^3), depth (m), salt, gas.

    ``left_open`` names what the study does not say: those values are the vessel sheet's, with its source and spread.
    """

    buffer: str
    concentration: float
    ph: float
    temperature: float
    volume: float
    depth: float
    background_salt: float
    atmosphere: str
    carbon_dioxide: float
    left_open: frozenset[str] = frozenset()

    def said_or_usual(self, name: str, vessel: Vessel) -> float | Value:
        """Return what the study says (SI), or the vessel sheet's value, whose source and spread then come along."""
        usual: Value = getattr(vessel, name)
        said: float = getattr(self, name)
        return usual if name in self.left_open else said


@dataclass(frozen=True)
class Addition:
    """Something given at a time (s): ``amount`` in SI of its basis per volume (mol/m^3, kg/m^3 or mol/s/m^3)."""

    kind: str
    name: str
    amount: float
    basis: str
    time: float


@dataclass(frozen=True)
class Removal:
    """A fraction taken out at a time (s): ``what`` is `medium` (replaced by fresh buffer) or a particle."""

    what: str
    fraction: float
    time: float


@dataclass(frozen=True)
class Arm:
    """One arm: its subject and its protocol."""

    name: str
    subject: Subject
    additions: tuple[Addition, ...]
    removals: tuple[Removal, ...]


@dataclass(frozen=True)
class Measure:
    """What is read out, when (s), and through which assay (empty: the true value)."""

    name: str
    times: tuple[float, ...]
    assay: str = ""


@dataclass(frozen=True)
class Study:
    """A whole study, validated; ``defaults`` lists every value it does not say itself."""

    title: str
    place: str
    path: Path
    text: str
    particles: dict[str, Particle]
    arms: tuple[Arm, ...]
    measures: tuple[Measure, ...]
    fits: tuple[str, ...]
    defaults: tuple[Default, ...]
    catalogue: Catalogue
    published: str = ""

    def arm(self, name: str) -> Arm:
        """Return an arm by name; a misspelt one raises with the nearest."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise StudyError(
            f"{self.path.name}: arm", f"`{name}`", "an arm of the study", nearest(name, [a.name for a in self.arms])
        )
