"""Shape of the sheets of minerals: phases, body fluids, inducers, vesicles that mineralize, what mineral does to cells.

Rates are given at 25 degC and carried to other temperatures by an activation energy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nanotrial.values import Value

Number = Annotated[Value, "1"]
Energy = Annotated[Value, "kJ/mol"]
Millimolar = Annotated[Value, "mmol/L"]
Micromolar = Annotated[Value, "umol/L"]
Angle = Annotated[Value, "degree"]
PerHour = Annotated[Value, "1/h"]


@dataclass(frozen=True, kw_only=True)
class Nucleation:
    """Classical nucleation: interfacial energy, and events per volume (alone) or per area (on a foreign surface)."""

    interfacial_energy: Annotated[Value, "mJ/m^2"]
    prefactor: Annotated[Value, "1/m^3/s"]
    surface_prefactor: Annotated[Value, "1/m^2/s"]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Growth by k (S - 1)^n per area, with S the saturation ratio per ion, and dissolution by k_d (1 - S)."""

    rate_constant: Annotated[Value, "mol/m^2/s"]
    order: Number
    activation_energy: Energy
    dissolution_rate: Annotated[Value, "mol/m^2/s"]


@dataclass(frozen=True, kw_only=True)
class Transformation:
    """A step of Ostwald's rule: the phase it turns into (``name``) and how fast where that one is supersaturated."""

    name: str
    rate: PerHour
    activation_energy: Energy


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """A dissolved component (``name``) that slows a mineral: free concentration of half effect and order."""

    name: str
    acts_on: list[str]
    half_effect: Micromolar
    order: Number


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A mineral: composition, solubility, and how it forms and goes.

    With ``relaxation_rate`` it follows its saturation without delay; with ``nucleation`` and ``growth`` it forms as
    crystals do; with neither only its saturation index is known.
    """

    name: str
    formula: str
    products: dict[str, float]
    ion_product: dict[str, float]
    log_k: Number
    molar_mass: Annotated[Value, "g/mol"]
    density: Annotated[Value, "kg/m^3"]
    structure: Literal["crystalline", "amorphous"] = "crystalline"
    description: str = ""
    enthalpy: Energy | None = None
    relaxation_rate: Annotated[Value, "1/s"] | None = None
    nucleation: Nucleation | None = None
    growth: Growth | None = None
    transforms: list[Transformation] = field(default_factory=list)
    inhibitors: list[Inhibition] = field(default_factory=list)

    def problem(self) -> tuple[str, str] | None:
        """Return what does not fit together, as (found, expected), or None."""
        if (self.nucleation is None) != (self.growth is None):
            return "one of `nucleation` and `growth`", "both, or neither"
        if self.growth is not None and self.relaxation_rate is not None:
            return "`relaxation_rate` beside `growth`", "one way to form"
        for one in self.inhibitors:
            for what in one.acts_on:
                if what not in ("nucleation", "growth", "transformation"):
                    return f"the inhibitor {one.name} acting on `{what}`", "`nucleation`, `growth` or `transformation`"
        return None


@dataclass(frozen=True, kw_only=True)
class BodyFluid:
    """A solution of many components (totals), such as simulated body fluid or an ultrafiltrate of plasma."""

    name: str
    solutes: dict[str, Millimolar]
    ph: Number
    temperature: Annotated[Value, "degC"]
    carbon_dioxide: Number | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class BindingGroup:
    """Groups of one kind on an inducer: how many, and the free calcium at which half of them hold calcium at pH 7.4."""

    name: Literal["carboxylate", "sulphate", "phosphate", "bisphosphonate"]
    per_molecule: Number
    calcium_constant: Millimolar


@dataclass(frozen=True, kw_only=True)
class AcidSwitch:
    """Share of molecules that can insert: 1 / (1 + 10^(n (pH - pH_half)))."""

    half_ph: Number
    cooperativity: Number


@dataclass(frozen=True, kw_only=True)
class Inducer:
    """A molecule that makes mineral grow where it sits: what it binds to, what it gathers, how well mineral wets it.

    It binds to a ``receptor`` of the line (dissociation constant and association rate), inserts into any membrane
    (``insertion_rate``: amount per area and time over concentration), or both.
    """

    name: str
    molar_mass: Annotated[Value, "g/mol"]
    groups: list[BindingGroup]
    area_per_molecule: Annotated[Value, "nm^2"]
    contact_angle: Angle
    detachment_rate: PerHour
    receptor: str = ""
    receptor_constant: Annotated[Value, "nmol/L"] | None = None
    association_rate: Annotated[Value, "L/mol/s"] | None = None
    insertion_rate: Annotated[Value, "m/s"] | None = None
    maximum_cover: Number | None = None
    switch: AcidSwitch | None = None
    description: str = ""

    def problem(self) -> tuple[str, str] | None:
        """Return what does not fit together, as (found, expected), or None."""
        if bool(self.receptor) != (self.receptor_constant is not None and self.association_rate is not None):
            return "a receptor without its constants, or constants without it", "all three, or none"
        if not self.receptor and self.insertion_rate is None:
            return "an inducer that stays nowhere", "`receptor` with its constants, or `insertion_rate`"
        if self.insertion_rate is not None and self.maximum_cover is None:
            return "`insertion_rate` without `maximum_cover`", "the largest share of a membrane it covers"
        return None


@dataclass(frozen=True, kw_only=True)
class MatrixVesicles:
    """Calcium-rich vesicles outside cells: what crosses their membrane, their enzymes, and how they open.

    Fluxes are per area of vesicle membrane. ``phosphocholine`` is the stock that PHOSPHO1 turns into phosphate.
    """

    name: str
    description: str = ""
    ph: Number
    buffer_capacity: Millimolar
    phosphate: Millimolar
    phosphate_uptake: Annotated[Value, "mol/m^2/s"]
    phosphate_constant: Millimolar
    phosphocholine: Millimolar
    phospho1_rate: PerHour
    calcium_permeability: Annotated[Value, "m/s"]
    proton_leak: Annotated[Value, "1/h"]
    pyrophosphate: Micromolar
    pyrophosphate_supply: Annotated[Value, "umol/L/h"]
    tnap_rate: Annotated[Value, "umol/L/h"]
    tnap_constant: Micromolar
    contact_angle: Angle
    opening_rate: PerHour


@dataclass(frozen=True, kw_only=True)
class MineralEffects:
    """What a mineral layer on the membrane does to a cell; shares are of what lies under mineral."""

    name: str
    description: str = ""
    membrane_contact_angle: Angle
    layer_porosity: Number
    layer_tortuosity: Number
    blocked_transport: Number
    membrane_fuel_share: Number
    fluidity_loss: Number
    binding_loss: Number
    rupture_time: Annotated[Value, "h"]


@dataclass(frozen=True, kw_only=True)
class Stain:
    """A histological stain of mineral: amount of what it binds, per area, at which a spot counts as stained."""

    name: str
    measures: str
    binds: Literal["calcium", "phosphate"]
    visible_amount: Annotated[Value, "mol/m^2"]
    spot_diameter: Annotated[Value, "um"]


@dataclass(frozen=True, kw_only=True)
class CalciumHomeostasis:
    """Plasma calcium of a host: pools, parathyroid response, exchange with bone, kidney, and what is dangerous."""

    name: str
    description: str = ""
    body_mass: Annotated[Value, "kg"]
    plasma_volume: Annotated[Value, "mL/kg"]
    extracellular_volume: Annotated[Value, "mL/kg"]
    total_calcium: Millimolar
    ionised_calcium: Millimolar
    albumin: Annotated[Value, "g/L"]
    phosphate: Millimolar
    plasma_ph: Number
    parathyroid_hormone: Annotated[Value, "ng/L"]
    hormone_maximum: Number
    hormone_minimum: Number
    hormone_set_point: Millimolar
    hormone_steepness: Number
    hormone_half_life: Annotated[Value, "min"]
    bone_exchange: Annotated[Value, "1/h"]
    bone_gain: Number
    renal_clearance: Annotated[Value, "mL/min/kg"]
    renal_threshold: Millimolar
    mild_threshold: Millimolar
    moderate_threshold: Millimolar
    severe_threshold: Millimolar


MINERAL_KINDS: dict[str, type] = {
    "phases": Phase,
    "body_fluids": BodyFluid,
    "inducers": Inducer,
    "matrix_vesicles": MatrixVesicles,
    "mineral_effects": MineralEffects,
    "stains": Stain,
    "calcium_homeostasis": CalciumHomeostasis,
}
