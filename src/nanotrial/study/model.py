"""The parts of a study: frozen, in SI units, already checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.schema import Vessel
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default
from nanotrial.values import Value

# What only an irradiated place shows, with the unit; a study with one of them, or a beam, follows radiation.
RADIATION_MEASURES = {
    "absorbed_dose": "Gy",
    "dose_to_nucleus": "Gy",
    "surviving_fraction": "1",
    "sensitization_enhancement_ratio": "1",
    "double_strand_breaks": "1",
    "gamma_h2ax_foci": "1",
    "comet_tail": "1",
    "g1_fraction": "1",
    "s_fraction": "1",
    "g2m_fraction": "1",
    "lysosome_damage": "1",
    "mitochondrion_damage": "1",
    "reticulum_damage": "1",
}
# What radiation makes in a tube, and in the medium and vesicles of a dish.
RADIATION_PRODUCTS = {
    "hydroxyl_radicals": "umol/L",
    "singlet_oxygen": "umol/L",
    "nitric_oxide": "umol/L",
    "dose_enhancement": "1",
    "bonds_cut": "1",
}


@dataclass(frozen=True)
class Coat:
    """A coating: material and either mass fraction of the whole particle or thickness (m)."""

    material: str
    mass_fraction: float | None
    thickness: float | None


@dataclass(frozen=True)
class LightChain:
    """Light that radiation makes in a particle: scintillator, what takes it up, its mass fraction, distance (m)."""

    scintillator: str
    acceptor: str
    acceptor_fraction: float
    distance: float


@dataclass(frozen=True)
class RadiationBonds:
    """Bonds in a particle that radicals cut: kind, and how many there are in a mass of core (mol/kg)."""

    kind: str
    content: float


@dataclass(frozen=True)
class Particle:
    """A particle: core material, diameter (m) and its spread, coats, dopants (cation fraction).

    Hydrodynamic diameter (m) and effective density (kg/m^3) say how it moves in a medium, where they were measured.
    ``shape`` counts for the dose around it, ``shape_volume`` is over that of a sphere; ``organelle`` is where a share
    of what a cell has taken in comes to lie.
    """

    name: str
    core: str
    diameter: float
    geometric_sd: float
    size_classes: int
    coating: tuple[Coat, ...]
    dopants: dict[str, float] = field(default_factory=dict)
    hydrodynamic_diameter: float | None = None
    effective_density: float | None = None
    shape: str = "sphere"
    shape_volume: float = 1.0
    organelle: str = ""
    organelle_share: float = 0.0
    light: LightChain | None = None
    bonds: RadiationBonds | None = None


@dataclass(frozen=True)
class BodyFluidChoice:
    """A body fluid in a tube: its sheet, by what its totals are multiplied, components left out or set (mol/m^3)."""

    name: str
    strength: float = 1.0
    without: tuple[str, ...] = ()
    solutes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TubeSurface:
    """A surface in a tube, such as a film of lipid: area (m^2), and the inducer that covers a share of it."""

    area: float
    inducer: str = ""
    cover: float = 0.0


@dataclass(frozen=True)
class Subject:
    """The tube: buffer, its concentration (mol/m^3), pH, temperature (K), volume (m^3), depth (m), salt, gas.

    ``fluid`` stands in place of a buffer, ``renewal`` is how often a second fresh fluid
    replaces it. ``left_open`` names what the study does not say: those are the sheets', with source and spread.
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
    fluid: BodyFluidChoice | None = None
    minerals: bool = False
    surface: TubeSurface | None = None
    renewal: float = 0.0

    def said_or_usual(self, name: str, vessel: Vessel) -> float | Value:
        """Return what the study says (SI), or the vessel sheet's value, whose source and spread then come along."""
        usual: Value = getattr(vessel, name)
        said: float = getattr(self, name)
        return usual if name in self.left_open else said


@dataclass(frozen=True)
class DishSubject:
    """Cells in a well: line, medium, serum share, well, volume (m^3), seeding (1/m^2), gas shares, temperature (K), pH.

    ``cell_classes`` is how many classes stand for the spread between the cells of one well. ``left_open`` names what
    the study does not say: those values are the sheets', with their source and spread.
    """

    cells: str
    medium: str
    serum: float
    well: str
    volume: float
    area: float
    seeding_density: float
    oxygen: float
    carbon_dioxide: float
    temperature: float
    ph: float
    cell_classes: int
    feedback: float = 1.0
    left_open: frozenset[str] = frozenset()
    minerals: bool = False

    def said_or_usual(self, name: str, sheet: object) -> float | Value:
        """Return what the study says (SI), or the sheet's value, whose source and spread then come along."""
        usual: Value = getattr(sheet, name)
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
class Irradiation:
    """A beam that is on from a time (s): name, filters (material, m), dose to water (Gy), dose rate (Gy/s)."""

    beam: str
    filters: tuple[tuple[str, float], ...]
    absorbed_dose: float
    dose_rate: float
    time: float

    @property
    def end(self) -> float:
        """Return when the beam goes off (s)."""
        return self.time + self.absorbed_dose / self.dose_rate


@dataclass(frozen=True)
class Arm:
    """One arm: its subject and its protocol."""

    name: str
    subject: Subject | DishSubject
    additions: tuple[Addition, ...]
    removals: tuple[Removal, ...]
    irradiations: tuple[Irradiation, ...] = ()


@dataclass(frozen=True)
class Measure:
    """What is read out, when (s), and through which assay (empty: the true value) or dye in the cells.

    ``loaded`` is when a dye that is oxidised and never fades was put in (s).
    """

    name: str
    times: tuple[float, ...]
    assay: str = ""
    probe: str = ""
    loaded: float = 0.0


@dataclass(frozen=True)
class Cohort:
    """How many subjects each arm has, which arm others are compared with, at which level, and what subjects are."""

    subjects: int
    control: str
    alpha: float
    word: str


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
    cohort: Cohort | None = None

    @property
    def irradiated(self) -> bool:
        """Say whether radiation is followed: a beam in any arm, or a measure of what radiation does."""
        shown = any(m.name in RADIATION_MEASURES or m.name in RADIATION_PRODUCTS for m in self.measures)
        return shown or any(arm.irradiations for arm in self.arms)

    @property
    def warnings(self) -> list[Default]:
        """Return what a user should know before believing a run of this study."""
        return [d for d in self.defaults if d.warning]

    def arm(self, name: str) -> Arm:
        """Return an arm by name; a misspelt one raises with the nearest."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise StudyError(
            f"{self.path.name}: arm", f"`{name}`", "an arm of the study", nearest(name, [a.name for a in self.arms])
        )

    def measure(self, name: str) -> Measure:
        """Return a measure by name; a misspelt one raises with the nearest."""
        for one in self.measures:
            if one.name == name:
                return one
        known = [m.name for m in self.measures]
        raise StudyError(f"{self.path.name}: measure", f"`{name}`", "a measure of the study", nearest(name, known))
