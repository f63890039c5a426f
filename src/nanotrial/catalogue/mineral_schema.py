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
    (``insertion_rate``: amount per area and time over concentration; ``detachment_rate`` back), or both. Cells take it
    in with ``internalisation_rate``. Without ``groups`` it gathers nothing and has no ``contact_angle``.
    """

    name: str
    molar_mass: Annotated[Value, "g/mol"]
    groups: list[BindingGroup]
    area_per_molecule: Annotated[Value, "nm^2"]
    internalisation_rate: PerHour
    contact_angle: Angle | None = None
    receptor: str = ""
    receptor_constant: Annotated[Value, "nmol/L"] | None = None
    association_rate: Annotated[Value, "L/mol/s"] | None = None
    insertion_rate: Annotated[Value, "m/s"] | None = None
    detachment_rate: PerHour | None = None
    maximum_cover: Number | None = None
    switch: AcidSwitch | None = None
    description: str = ""

    def problem(self) -> tuple[str, str] | None:
        """Return what does not fit together, as (found, expected), or None."""
        binding = {bool(self.receptor), self.receptor_constant is not None, self.association_rate is not None}
        if len(binding) > 1:
            return "a receptor without its constants, or constants without it", "all three, or none"
        insertion = {v is not None for v in (self.insertion_rate, self.detachment_rate, self.maximum_cover)}
        if len(insertion) > 1:
            return "insertion in part", "all of `insertion_rate`, `detachment_rate` and `maximum_cover`, or none"
        if not self.receptor and self.insertion_rate is None:
            return "an inducer that stays nowhere", "`receptor` with its constants, or `insertion_rate`"
        if self.maximum_cover is not None and not 0.0 < self.maximum_cover.si <= 1.0:
            return f"`maximum_cover` {self.maximum_cover.si:g}", "a share above 0 and at most 1"
        if self.switch is not None and self.insertion_rate is None:
            return "a `switch` without `insertion_rate`", "an inducer that inserts, for acid to switch it on"
        return self._problem_of_groups()

    def _problem_of_groups(self) -> tuple[str, str] | None:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            return "two groups of one name", "one entry for each kind of group"
        if bool(names) != (self.contact_angle is not None):
            return "groups without a contact angle, or an angle without groups", "both, or neither"
        return None


@dataclass(frozen=True, kw_only=True)
class MatrixVesicles:
    """Calcium-rich vesicles outside cells: what crosses their membrane, their enzymes, and how they open.

    Fluxes are per area of vesicle membrane. ``buffer_capacity`` is per pH between ``lowest_ph`` and ``highest_ph``.
    Cotransport of phosphate stalls at ``phosphate_ratio``, inside over outside. ``phosphocholine`` is the stock that
    PHOSPHO1 turns into phosphate. Vesicles that hold mineral open at ``opening_rate``.
    """

    name: str
    description: str = ""
    ph: Number
    buffer_capacity: Millimolar
    lowest_ph: Number
    highest_ph: Number
    ionic_strength: Millimolar
    phosphate: Millimolar
    phosphate_uptake: Annotated[Value, "mol/m^2/s"]
    phosphate_constant: Millimolar
    phosphate_ratio: Number
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
    """What a mineral layer on the membrane does to a cell; shares are of what lies under mineral.

    ``layer_tortuosity`` is the square of the ratio of path to thickness: D_eff = D porosity / tortuosity.
    """

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
    """A histological stain of mineral: amount of what it binds that a stained spot holds, per area of the spot."""

    name: str
    measures: str
    binds: Literal["calcium", "phosphate"]
    visible_amount: Annotated[Value, "mol/m^2"]


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """Computed tomography: Hounsfield units per concentration of calcium in mineral, of soft tissue, and their noise.

    ``noise`` is the standard deviation of one voxel.
    """

    name: str
    description: str = ""
    calcium_contrast: Annotated[Value, "m^3/kg"]
    soft_tissue: Number
    noise: Number


@dataclass(frozen=True, kw_only=True)
class CalciumHomeostasis:
    """Plasma calcium of a host: binding, pools, parathyroid hormone, bone, kidney, and what is dangerous.

    What closes the balance at rest stands in no sheet: sites of albumin, set point of the hormone, threshold of the
    kidney, calcium from the diet. ``hormone_maximum`` and ``hormone_minimum`` are shares of ``parathyroid_hormone``.
    """

    name: str
    description: str = ""
    body_mass: Annotated[Value, "kg"]
    plasma_volume: Annotated[Value, "mL/kg"]
    extracellular_volume: Annotated[Value, "mL/kg"]
    capillary_exchange: PerHour
    total_calcium: Millimolar
    ionised_calcium: Millimolar
    complexed_share: Number
    albumin: Annotated[Value, "g/L"]
    albumin_constant: Millimolar
    interstitial_albumin: Number
    phosphate: Millimolar
    citrate_constant: Millimolar
    citrate_half_life: Annotated[Value, "min"]
    parathyroid_hormone: Annotated[Value, "ng/L"]
    hormone_maximum: Number
    hormone_minimum: Number
    hormone_steepness: Number
    hormone_half_life: Annotated[Value, "min"]
    bone_pool: Annotated[Value, "mmol/kg"]
    bone_exchange: PerHour
    bone_gain: Number
    filtration: Annotated[Value, "mL/min/kg"]
    proximal_reabsorption: Number
    urinary_share: Number
    renal_splay: Millimolar
    reabsorption_maximum: Number
    subcutaneous_half_life: Annotated[Value, "min"]
    peritoneal_half_life: Annotated[Value, "min"]
    tumour_half_life: Annotated[Value, "min"]
    mild_threshold: Millimolar
    moderate_threshold: Millimolar
    severe_threshold: Millimolar

    def problem(self) -> tuple[str, str] | None:
        """Return what does not fit together, as (found, expected), or None."""
        limits = [v.si for v in (self.total_calcium, self.mild_threshold, self.moderate_threshold)]
        if not limits[0] < limits[1] < limits[2] < self.severe_threshold.si:
            return "thresholds out of order", "`total_calcium` < `mild_` < `moderate_` < `severe_threshold`"
        if not self.hormone_minimum.si < 1.0 < self.hormone_maximum.si:
            return "a hormone at rest outside its range", "`hormone_minimum` < 1 < `hormone_maximum`"
        if not self.ionised_calcium.si * (1.0 + self.complexed_share.si) < self.total_calcium.si:
            return "more diffusible than total calcium", "`ionised_calcium` (1 + `complexed_share`) < `total_calcium`"
        if not self.plasma_volume.si < self.extracellular_volume.si:
            return "more plasma than extracellular fluid", "`plasma_volume` < `extracellular_volume`"
        if not 0.0 < self.urinary_share.si < 1.0 - self.proximal_reabsorption.si:
            return "a share in the urine above what passes the proximal tubule", "`urinary_share` below the rest"
        return None


@dataclass(frozen=True, kw_only=True)
class IronOxidation:
    """How fast iron(II) is oxidised: rate constants at 25 degC with their activation energies."""

    name: str
    description: str = ""
    oxygen_rate: Annotated[Value, "L^3/mol^3/s"]
    oxygen_energy: Energy
    acid_oxygen_rate: Annotated[Value, "L/mol/s"]
    acid_oxygen_energy: Energy
    peroxide_rate: Annotated[Value, "L/mol/s"]
    peroxide_energy: Energy
    hydroxide_peroxide_rate: Annotated[Value, "L/mol/s"]
    hydroxide_peroxide_energy: Energy


MINERAL_KINDS: dict[str, type] = {
    "phases": Phase,
    "body_fluids": BodyFluid,
    "inducers": Inducer,
    "matrix_vesicles": MatrixVesicles,
    "mineral_effects": MineralEffects,
    "stains": Stain,
    "scanners": Scanner,
    "calcium_homeostasis": CalciumHomeostasis,
    "iron_oxidation": IronOxidation,
}
