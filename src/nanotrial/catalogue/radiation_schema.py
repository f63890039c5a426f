"""Shape of the sheets of radiation: tissues, beams, nuclides, radiolysis, scintillators and photosensitisers.

Long tables (spectra, emissions) carry one source for all their rows; single numbers are values with one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nanotrial.values import Value

Number = Annotated[Value, "1"]
Kiloelectronvolt = Annotated[Value, "keV"]
Length = Annotated[Value, "nm"]


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """A substance that radiation meets in bulk: mass fractions of its elements and density."""

    name: str
    elements: dict[str, float]
    density: Annotated[Value, "g/cm^3"]
    source: str
    locator: str
    description: str = ""

    def problem(self) -> tuple[str, str] | None:
        """Return what is wrong with the mass fractions, as (found, expected), or None."""
        whole = sum(self.elements.values())
        return None if abs(whole - 1.0) < 2e-3 else (f"mass fractions that sum to {whole:.4g}", "a sum of 1")


@dataclass(frozen=True, kw_only=True)
class SpectrumTable:
    """A spectrum as printed: energies (keV) and photons in each bin, in any common unit."""

    energies: list[float]
    weights: list[float]
    source: str
    locator: str

    def problem(self) -> tuple[str, str] | None:
        """Return what is wrong with the table, as (found, expected), or None."""
        if len(self.energies) != len(self.weights) or not self.energies:
            return f"{len(self.energies)} energies and {len(self.weights)} weights", "as many of both"
        if min(self.weights) < 0 or sorted(self.energies) != self.energies or self.energies[0] <= 0:
            return "energies that do not rise, or a negative weight", "rising energies and weights of at least 0"
        return None


@dataclass(frozen=True, kw_only=True)
class Tube:
    """An X-ray tube: voltage, anode, and what filters its beam (material -> thickness)."""

    voltage: Annotated[Value, "kV"]
    anode: Literal["W", "Mo", "Rh"]
    anode_angle: Annotated[Value, "deg"]
    filters: dict[str, Annotated[Value, "mm"]]


@dataclass(frozen=True, kw_only=True)
class BeamSheet:
    """A beam: a tube, the photons of a nuclide, or a published spectrum; how it is usually given.

    ``half_value_layers`` are published ones (material -> thickness): what the computed beam is tested against.
    """

    name: str
    description: str = ""
    tube: Tube | None = None
    nuclide: str = ""
    filters: dict[str, Annotated[Value, "mm"]] = field(default_factory=dict)
    spectrum: SpectrumTable | None = None
    distance: Annotated[Value, "cm"] | None = None
    dose_rate: Annotated[Value, "Gy/min"] | None = None
    half_value_layers: dict[str, Annotated[Value, "mm"]] = field(default_factory=dict)

    def problem(self) -> tuple[str, str] | None:
        """Return which sources of photons are named, as (found, expected), unless it is one."""
        given = [n for n, v in (("tube", self.tube), ("nuclide", self.nuclide), ("spectrum", self.spectrum)) if v]
        return None if len(given) == 1 else (" and ".join(given) or "no source of photons", "one source of photons")


@dataclass(frozen=True, kw_only=True)
class BetaBranch:
    """A branch of beta decay: endpoint and mean energy (keV), share of decays.

    ``unique`` is 1 for a unique first-forbidden transition, 0 for all others: the spectrum gets its shape from it.
    """

    endpoint: float
    mean: float
    share: float
    unique: Literal[0, 1] = 0


@dataclass(frozen=True, kw_only=True)
class NuclideSheet:
    """A radionuclide: half-life and what it emits per decay (energies in keV, yields per decay).

    ``photons`` holds gamma and X-rays (annihilation photons among them), ``electrons`` conversion and Auger electrons
    (none where it is left out).
    """

    name: str
    symbol: str
    atomic_number: int
    mass_number: int
    half_life: Annotated[Value, "h"]
    photons: SpectrumTable
    electrons: SpectrumTable | None = None
    beta_minus: list[BetaBranch] = field(default_factory=list)
    beta_plus: list[BetaBranch] = field(default_factory=list)
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class RadicalReaction:
    """A reaction of radicals in water, as text (``OH + GSH -> GS + water``), k in d[A]/dt = -k[A][B].

    For two of a kind the text stands twice (``OH + OH -> hydrogen_peroxide``) and k is such that
    d[A]/dt = -2 k [A]^2. First-order reactions have a rate in 1/s. Water on the left takes no part in the rate.
    ``surface`` is a rate per area of the catalyst named in ``on``.
    """

    reaction: str
    rate: Annotated[Value, "L/mol/s"] | None = None
    first_order: Annotated[Value, "1/s"] | None = None
    surface: Annotated[Value, "m/s"] | None = None
    on: str = ""
    activation_energy: Annotated[Value, "kJ/mol"] | None = None

    @property
    def name(self) -> str:
        """Return the reaction as text, with its surface, which tells its values from those of others."""
        return f"{self.reaction} on {self.on}" if self.on else self.reaction

    def problem(self) -> tuple[str, str] | None:
        """Return which rates are given, as (found, expected), unless it is one that fits."""
        given = [n for n in ("rate", "first_order", "surface") if getattr(self, n) is not None]
        if len(given) != 1 or (self.surface is not None) != bool(self.on):
            return " and ".join(given) or "no rate", "`rate`, `first_order`, or `surface` with `on`"
        return None


@dataclass(frozen=True, kw_only=True)
class Radiolysis:
    """Radiolysis of water: escape yields (amount per energy) at low and high LET, and what radicals do.

    ``species`` gives each a formula (``{GS}H``: a residue in braces counts as one kind; ``-`` alone is an electron), so
    that atoms and charge of every reaction can be added up.
    """

    name: str
    description: str = ""
    species: dict[str, str]
    yields: dict[str, Annotated[Value, "umol/J"]]
    acid_yields: dict[str, Annotated[Value, "umol/J"]]
    high_let_yields: dict[str, Annotated[Value, "umol/J"]]
    low_let: Annotated[Value, "keV/um"]
    high_let: Annotated[Value, "keV/um"]
    half_let: Annotated[Value, "keV/um"]
    reactions: list[RadicalReaction]


@dataclass(frozen=True, kw_only=True)
class Scintillator:
    """A solid, cluster or chelate that turns energy deposited in it into light.

    ``bands`` and ``molar_mass`` stand where light too excites it: a chelate that hands on what it takes up.
    """

    name: str
    formula: str
    density: Annotated[Value, "g/cm^3"]
    light_yield: Annotated[Value, "1/keV"]
    peak: Length
    width: Length
    quantum_efficiency: Number
    bands: list[AbsorptionBand] = field(default_factory=list)
    molar_mass: Annotated[Value, "g/mol"] | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class AbsorptionBand:
    """A band of absorption: peak, full width at half height, molar absorptivity at the peak."""

    peak: Length
    width: Length
    molar_absorptivity: Annotated[Value, "L/mol/cm"]

    @property
    def name(self) -> str:
        """Return the peak in nanometres as text, which tells the band's values from those of others."""
        return f"{self.peak.value:.0f}"


@dataclass(frozen=True, kw_only=True)
class Photosensitiser:
    """A dye that makes singlet oxygen from the light it absorbs, or another ``product`` in its place, with a yield."""

    name: str
    bands: list[AbsorptionBand]
    product_yield: Number
    product: Literal["singlet_oxygen", "nitric_oxide"] = "singlet_oxygen"
    molar_mass: Annotated[Value, "g/mol"] | None = None
    description: str = ""


RADIATION_KINDS: dict[str, type] = {
    "tissues": Tissue,
    "beams": BeamSheet,
    "nuclides": NuclideSheet,
    "radiolysis": Radiolysis,
    "scintillators": Scintillator,
    "photosensitisers": Photosensitiser,
}
