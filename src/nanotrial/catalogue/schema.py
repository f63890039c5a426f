"""Shape of every kind of sheet: which keys, which dimension. Unknown keys are errors with the nearest names.

A sheet class is a frozen dataclass. Its fields declare the dimension through ``Annotated[Value, "kg/m^3"]``; nested
tables are other sheet classes.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from nanotrial.catalogue.agent_schema import Agent
from nanotrial.catalogue.cell_schema import CELL_KINDS
from nanotrial.catalogue.mineral_schema import MINERAL_KINDS
from nanotrial.catalogue.radiation_schema import RADIATION_KINDS
from nanotrial.catalogue.radiobiology_schema import RADIOBIOLOGY_KINDS
from nanotrial.errors import CatalogueError, nearest
from nanotrial.values import Value, read_value

PerMole = Annotated[Value, "mol/L"]
Number = Annotated[Value, "1"]
Energy = Annotated[Value, "kJ/mol"]
Counts = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Dissolution:
    """How a solid dissolves: reaction, solubility and the rate law of its surface."""

    products: Counts
    ion_product: Counts
    log_k: Number
    acid_rate: Annotated[Value, "mol/m^2/s"]
    acid_order: Number
    water_rate: Annotated[Value, "mol/m^2/s"]
    activation_energy: Energy
    acid_reference_ph: Number | None = None
    saturation_ph: Number | None = None
    enthalpy: Energy | None = None

    @property
    def metals(self) -> list[str]:
        """Return the products that are neither peroxide nor the anion of an acid."""
        return [p for p in self.products if p not in ("hydrogen_peroxide", "carbonate", "phosphate", "ferrocyanide")]


@dataclass(frozen=True, kw_only=True)
class Peroxide:
    """Share of a peroxide solid that appears as hydrogen peroxide, the rest being oxygen."""

    acid_yield: Number
    half_ph: Number
    width: Number


@dataclass(frozen=True, kw_only=True)
class Dopant:
    """How a dopant changes a solid: shift of log K and factor on the rate per unit of cation fraction."""

    log_k_shift: Number
    log_rate_shift: Number


@dataclass(frozen=True, kw_only=True)
class Carriers:
    """Electrons and holes that radiation frees in a semiconductor: energy per pair, and how much of it reaches water.

    ``reaction`` says what a carrier at the surface does: split hydrogen peroxide to hydroxyl radicals where there is
    some (``fenton``), or make them of water (``water``); ``peroxide_constant`` is where half of them meet a peroxide.
    """

    energy_per_pair: Annotated[Value, "eV"]
    surface_share: Number
    reaction: Literal["fenton", "water"]
    peroxide_constant: Annotated[Value, "mmol/L"] | None = None

    def problem(self) -> tuple[str, str] | None:
        """Return what is missing, as (found, expected), or None."""
        if self.reaction == "fenton" and self.peroxide_constant is None:
            return "carriers that split peroxide without `peroxide_constant`", "`peroxide_constant`"
        return None


@dataclass(frozen=True, kw_only=True)
class Scavenging:
    """What a surface does with oxidants: rates per concentration of core, with superoxide and with peroxide."""

    superoxide: Annotated[Value, "L/mol/s"]
    hydrogen_peroxide: Annotated[Value, "L/mol/s"]
    hydroxyl: Annotated[Value, "L/mol/s"]


@dataclass(frozen=True, kw_only=True)
class Material:
    """A solid that particles are made of; one without ``dissolution`` stays as it is."""

    name: str
    formula: str
    molar_mass: Annotated[Value, "g/mol"]
    density: Annotated[Value, "kg/m^3"]
    dissolution: Dissolution | None = None
    description: str = ""
    peroxide: Peroxide | None = None
    dopants: dict[str, Dopant] = field(default_factory=dict)
    carriers: Carriers | None = None
    scavenging: Scavenging | None = None

    @property
    def products(self) -> Counts:
        """Return what one formula unit gives when it dissolves; nothing where it does not."""
        return {} if self.dissolution is None else self.dissolution.products

    @property
    def metals(self) -> list[str]:
        """Return the products that are neither peroxide nor the anion of an acid."""
        return [] if self.dissolution is None else self.dissolution.metals


@dataclass(frozen=True, kw_only=True)
class AqueousSpecies:
    """A dissolved form made from masters and protons."""

    name: str
    protons: int
    components: Counts
    log_k: Number
    enthalpy: Energy | None = None
    ion_size: Annotated[Value, "nm"] | None = None


@dataclass(frozen=True, kw_only=True)
class Gas:
    """Solubility of a gas and its share in air."""

    species: str
    henry_constant: Annotated[Value, "mol/L/atm"]
    henry_enthalpy: Energy
    air_fraction: Number


@dataclass(frozen=True, kw_only=True)
class Decay:
    """First-order decay of hydrogen peroxide without a catalyst."""

    rate: Annotated[Value, "1/s"]
    activation_energy: Energy


@dataclass(frozen=True, kw_only=True)
class Solute:
    """A dissolved component: its fully deprotonated master and everything made from it."""

    name: str
    master: str
    charge: int
    diffusivity: Annotated[Value, "m^2/s"]
    ion_size: Annotated[Value, "nm"] | None = None
    species: list[AqueousSpecies] = field(default_factory=list)
    gas: Gas | None = None
    decay: Decay | None = None


@dataclass(frozen=True, kw_only=True)
class Water:
    """Water itself: ion product and the mobility of its ions."""

    name: str
    log_k: Number
    enthalpy: Energy
    proton_diffusivity: Annotated[Value, "m^2/s"]


@dataclass(frozen=True, kw_only=True)
class Buffer:
    """A buffer: moles of each solute per mole of buffer; the counter-ion takes no part."""

    name: str
    solutes: Counts
    counter_ion: str
    low_ph: Number
    high_ph: Number


@dataclass(frozen=True, kw_only=True)
class Digestion:
    """Michaelis-Menten removal of a coat by an enzyme."""

    enzyme: str
    turnover: Annotated[Value, "kg/s/enzyme_unit"]
    half_saturation: Annotated[Value, "kg/m^3"]
    optimum_ph: Number
    ph_width: Number


@dataclass(frozen=True, kw_only=True)
class Described:
    """Measured effects that are shown with the particle and never computed."""

    zeta_shift: Annotated[Value, "mV"]
    hydrodynamic_note: str


@dataclass(frozen=True, kw_only=True)
class Coating:
    """A polymer layer on a particle."""

    name: str
    repeat_unit_molar_mass: Annotated[Value, "g/mol"]
    density: Annotated[Value, "kg/m^3"]
    carboxylates_per_repeat_unit: Number
    carboxylate_pka: Number
    polymer_volume_fraction: Number
    monolayer_capacity: Annotated[Value, "kg/m^2"]
    occupied_fraction: Number
    desorption_rate: Annotated[Value, "1/s"]
    maximum_thickness: Annotated[Value, "nm"]
    digestion: Digestion | None = None
    described: Described | None = None


@dataclass(frozen=True, kw_only=True)
class Assay:
    """A colour reaction: absorbance per concentration, dilution, noise and limits."""

    name: str
    measures: str
    molar_absorptivity: Annotated[Value, "L/mol/cm"]
    path_length: Annotated[Value, "cm"]
    dilution: Number
    detection_limit: PerMole
    highest_absorbance: Number
    noise: Number


@dataclass(frozen=True, kw_only=True)
class Vessel:
    """What a tube is taken to be where the study is silent."""

    name: str
    volume: Annotated[Value, "mL"]
    temperature: Annotated[Value, "degC"]
    depth: Annotated[Value, "mm"]
    gas_transfer_velocity: Annotated[Value, "m/s"]
    background_salt: Annotated[Value, "mol/L"]
    atmosphere: str


@dataclass(frozen=True, kw_only=True)
class Varied:
    """Parameters of a network that differ between subjects by a lognormal factor of median 1.

    ``parameters`` are patterns over their names (``*`` stands for anything); each one meant has a factor of its own.
    """

    name: str
    parameters: list[str]
    geometric_sd: Number


@dataclass(frozen=True, kw_only=True)
class MeasureNoise:
    """Scatter of repeated readings of measures: relative part, and absolute part of measures that are plain numbers."""

    name: str
    measures: list[str]
    relative: Number
    absolute: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Variability:
    """What differs between subjects of a place, and between readings of one subject."""

    name: str
    between: list[Varied]
    noise: list[MeasureNoise]


KINDS: dict[str, type] = {
    "materials": Material,
    "solutes": Solute,
    "buffers": Buffer,
    "coatings": Coating,
    "agents": Agent,
    "assays": Assay,
    "vessels": Vessel,
    "variability": Variability,
    **CELL_KINDS,
    **MINERAL_KINDS,
    **RADIATION_KINDS,
    **RADIOBIOLOGY_KINDS,
}


@lru_cache(maxsize=64)
def _hints(sheet: type) -> dict[str, Any]:
    return typing.get_type_hints(sheet, include_extras=True)


def read_sheet(table: object, sheet: type, where: str) -> Any:
    """Return an instance of a sheet class from a parsed TOML table.

    Raises:
        CatalogueError: unknown or missing key, or a wrong type, with file and key.
        UnitError: a value of the wrong dimension.
    """
    if not isinstance(table, dict):
        raise CatalogueError(where, f"{table!r}", "a table")
    hints = _hints(sheet)
    for key in table:
        if key not in hints:
            raise CatalogueError(
                f"{where}: {key}", "an unknown key", f"a key of {sheet.__name__.lower()}", nearest(key, hints)
            )
    made = {}
    for entry in dataclasses.fields(sheet):
        if entry.name in table:
            made[entry.name] = _read(table[entry.name], hints[entry.name], f"{where}: {entry.name}")
        elif entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            raise CatalogueError(f"{where}: {entry.name}", "nothing", f"`{entry.name}` in a {sheet.__name__.lower()}")
    whole = sheet(**made)
    problem = whole.problem() if hasattr(whole, "problem") else None
    if problem is not None:
        raise CatalogueError(where, *problem)
    return whole


def _read(raw: object, kind: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read(raw, next(a for a in get_args(kind) if a is not type(None)), where)
    if origin is Annotated:
        return read_value(raw, get_args(kind)[1], where)
    if origin is Literal:
        if raw not in get_args(kind):
            raise CatalogueError(where, f"{raw!r}", " or ".join(f"`{a}`" for a in get_args(kind) if a))
        return raw
    if origin in (list, dict):
        return _read_many(raw, kind, where)
    if dataclasses.is_dataclass(kind):
        return read_sheet(raw, typing.cast(type, kind), where)
    if isinstance(raw, bool) or not isinstance(raw, (int, float) if kind is float else kind):
        raise CatalogueError(where, f"{raw!r}", f"a {kind.__name__}")
    return raw


def _read_many(raw: object, kind: Any, where: str) -> Any:
    arguments = get_args(kind)
    if get_origin(kind) is list:
        if not isinstance(raw, list):
            raise CatalogueError(where, f"{raw!r}", "a list")
        return [_read(one, arguments[0], f"{where}[{i}]") for i, one in enumerate(raw)]
    if not isinstance(raw, dict):
        raise CatalogueError(where, f"{raw!r}", "a table")
    return {str(k): _read(v, arguments[1], f"{where}.{k}") for k, v in raw.items()}
