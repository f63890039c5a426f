"""Shape of the sheets of cells, media, wells and probes. Rates of calcium are per volume of cytosol, of all calcium.

"All calcium" means free and bound: a flux of 1 umol/L/s raises the total by 1 umol/L in a second, the free by less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nanotrial.values import Value

Number = Annotated[Value, "1"]
Micromolar = Annotated[Value, "umol/L"]
Millimolar = Annotated[Value, "mmol/L"]
PerSecond = Annotated[Value, "1/s"]
Flux = Annotated[Value, "umol/L/s"]
Bimolecular = Annotated[Value, "L/umol/s"]


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """How a line takes up particles: fluid phase, and what stuck to its membrane."""

    fluid_phase: Annotated[Value, "fL/h"]
    internalisation: Annotated[Value, "1/min"]
    recycling: Annotated[Value, "1/min"]
    sticking_share: Number


@dataclass(frozen=True, kw_only=True)
class CellLine:
    """A cell line: geometry, growth, and the capacities in which lines differ."""

    name: str
    organism: str
    tissue: str
    origin: Literal["tumour", "normal"]
    media: list[str]
    serum: Literal["required", "optional"]
    volume: Annotated[Value, "pL"]
    membrane_area: Annotated[Value, "um^2"]
    footprint: Annotated[Value, "um^2"]
    doubling_time: Annotated[Value, "h"]
    seeding_density: Annotated[Value, "1/cm^2"]
    confluent_density: Annotated[Value, "1/cm^2"]
    oxygen_consumption: Annotated[Value, "amol/s"]
    catalase_rate: PerSecond
    peroxide_permeability: Annotated[Value, "m/s"]
    glutathione: Millimolar
    resting_calcium: Annotated[Value, "nmol/L"]
    pmca_rate: Flux
    uptake: Uptake
    receptors: dict[str, Annotated[Value, "1"]] = field(default_factory=dict)
    warning: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class CalciumHandling:
    """A set of constants of calcium in cytosol, reticulum and mitochondria.

    ``er_leak`` left out: the leak is what balances the pump at rest. Buffers left out: all calcium is free, as in
    models that count in effective free concentrations.
    """

    name: str
    description: str = ""
    cytosol_buffer: Micromolar | None = None
    cytosol_buffer_constant: Micromolar | None = None
    er_volume_share: Number
    er_buffer: Micromolar | None = None
    er_buffer_constant: Micromolar | None = None
    er_resting_calcium: Micromolar
    ip3: Micromolar
    ip3_receptor_rate: PerSecond
    ip3_constant: Micromolar
    ip3_activation_constant: Micromolar
    ip3_inhibition_constant: Micromolar
    ip3_inhibition_ip3_constant: Micromolar
    ip3_inhibition_rate: Bimolecular
    serca_rate: Flux
    serca_constant: Micromolar
    er_leak: PerSecond | None = None
    ryanodine_rate: PerSecond | None = None
    ryanodine_constant: Micromolar | None = None
    mitochondria: MitochondrialCalcium | None = None
    membrane: MembraneCalcium | None = None


@dataclass(frozen=True, kw_only=True)
class MitochondrialCalcium:
    """Constants of calcium in the mitochondrial matrix: uniporter, efflux, buffer."""

    volume_share: Number
    buffer: Micromolar
    buffer_constant: Micromolar
    resting_calcium: Micromolar
    uniporter_rate: Flux
    uniporter_constant: Micromolar
    efflux_rate: Flux
    efflux_constant: Micromolar
    pore_conductance: PerSecond


@dataclass(frozen=True, kw_only=True)
class MembraneCalcium:
    """Constants of calcium at the plasma membrane; the capacity of the pump stands with the line.

    ``reference_calcium`` is the free calcium outside at which resting values were measured.
    """

    reference_calcium: Millimolar
    pmca_constant: Micromolar
    exchanger_rate: Flux
    exchanger_constant: Micromolar
    sodium_inside: Millimolar
    sodium_outside: Millimolar
    potential: Annotated[Value, "mV"]
    store_operated_rate: Flux
    store_operated_constant: Micromolar
    store_operated_outside_constant: Millimolar
    exocytosis_rate: Flux
    exocytosis_constant: Micromolar
    vesicle_calcium: Millimolar
    vesicle_diameter: Annotated[Value, "nm"]


@dataclass(frozen=True, kw_only=True)
class Redox:
    """A set of constants of superoxide and hydrogen peroxide in a cell."""

    name: str
    description: str = ""
    peroxiredoxin: Micromolar
    peroxiredoxin_oxidation: Bimolecular
    peroxiredoxin_condensation: PerSecond
    peroxiredoxin_overoxidation: Bimolecular
    sulfiredoxin: PerSecond
    peroxiredoxin_reduction: Bimolecular
    thioredoxin: Micromolar
    thioredoxin_reductase_rate: Flux
    thioredoxin_reductase_constant: Micromolar
    other_sinks: PerSecond
    glutathione: GlutathioneCycle | None = None
    superoxide: Superoxide | None = None


@dataclass(frozen=True, kw_only=True)
class GlutathioneCycle:
    """Glutathione peroxidase, glutathione reductase and the NADPH that both arms draw on."""

    peroxidase: Micromolar
    peroxidase_oxidation: Bimolecular
    peroxidase_reduction: Bimolecular
    reductase_rate: Flux
    reductase_constant: Micromolar
    nadph: Micromolar
    nadph_constant: Micromolar
    nadph_supply: Flux
    nadp_constant: Micromolar


@dataclass(frozen=True, kw_only=True)
class Superoxide:
    """Where superoxide comes from and how dismutase removes it."""

    respiratory_share: Number
    oxidase_rate: Flux
    oxidase_calcium_gain: Number
    oxidase_calcium_constant: Micromolar
    respiratory_calcium_gain: Number
    respiratory_calcium_constant: Micromolar
    dismutase: Micromolar
    dismutase_rate: Bimolecular
    oxygen_constant: Micromolar


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """What hydrogen peroxide in the cytosol does to calcium proteins, mitochondria and glycolysis."""

    name: str
    description: str = ""
    serca_constant: Micromolar
    pmca_constant: Micromolar
    receptor_gain: Number
    receptor_constant: Micromolar
    channel_rate: Flux
    channel_constant: Micromolar
    channel_outside_constant: Millimolar
    respiration_constant: Micromolar
    glycolysis_constant: Micromolar
    pore_constant: Micromolar


@dataclass(frozen=True, kw_only=True)
class Energetics:
    """Mitochondrial potential, adenosine triphosphate and the permeability transition pore."""

    name: str
    description: str = ""
    resting_potential: Annotated[Value, "mV"]
    potential_time: Annotated[Value, "s"]
    oxygen_constant: Micromolar
    pore_shunt: Number
    calcium_load: Annotated[Value, "mV*s*L/umol"]
    atp: Millimolar
    atp_turnover: Flux
    oxidative_share: Number
    glycolytic_reserve: Number
    synthesis_half_potential: Annotated[Value, "mV"]
    pump_atp_constant: Millimolar
    pore_opening: PerSecond
    pore_closing: PerSecond
    pore_calcium: Micromolar


@dataclass(frozen=True, kw_only=True)
class Death:
    """How fast a cell that suffers dies, and of what."""

    name: str
    description: str = ""
    calcium_threshold: Micromolar
    calcium_time: Annotated[Value, "min"]
    peroxide_dose: Annotated[Value, "umol*h/L"]
    pore_time: Annotated[Value, "h"]
    repair_time: Annotated[Value, "h"]
    steepness: Number
    execution_rate: Annotated[Value, "1/h"]
    necrosis_atp_share: Number
    defence_geometric_sd: Number


@dataclass(frozen=True, kw_only=True)
class Vesicles:
    """Endosomes and lysosomes of a cell: volume, acid, enzymes, and what leaves them.

    ``phosphate`` and ``phosphate_exchange`` (with the cytosol) count only where particles give off iron.
    """

    name: str
    description: str = ""
    endosome_volume_share: Number
    lysosome_volume_share: Number
    endosome_ph: Number
    lysosome_ph: Number
    buffer_capacity: Annotated[Value, "mmol/L"]
    lowest_ph: Number
    highest_ph: Number
    pump_rate: Annotated[Value, "mmol/L/s"]
    pump_sensitivity: Number
    resting_calcium: Millimolar
    calcium_release: PerSecond
    peroxide_permeability: Annotated[Value, "m/s"]
    vesicle_diameter: Annotated[Value, "nm"]
    maturation: Annotated[Value, "1/min"]
    exocytosis: Annotated[Value, "1/h"]
    hyaluronidase: Annotated[Value, "enzyme_unit/L"]
    ionic_strength: Millimolar
    phosphate: Millimolar
    phosphate_exchange: PerSecond


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A culture medium: dissolved components (mmol/L) without its serum, and what it does to peroxide."""

    name: str
    solutes: dict[str, Annotated[Value, "mmol/L"]]
    pyruvate: Millimolar
    folic_acid: Annotated[Value, "umol/L"]
    bicarbonate: Millimolar
    background_salt: Millimolar
    serum: Number
    serum_peroxide_decay: PerSecond
    pyruvate_rate: Annotated[Value, "L/mol/s"]


@dataclass(frozen=True, kw_only=True)
class Well:
    """A well of a plate and the incubator around it."""

    name: str
    area: Annotated[Value, "cm^2"]
    volume: Annotated[Value, "uL"]
    temperature: Annotated[Value, "degC"]
    oxygen: Number
    carbon_dioxide: Number


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A dye or a metabolic substrate that reports on living cells."""

    name: str
    measures: Literal["calcium_fluorescence", "ros_fluorescence", "potential_fluorescence", "viability"]
    law: Literal["binding", "oxidation", "nernst", "reduction"]
    half_saturation: Annotated[Value, "nmol/L"] | None = None
    dynamic_range: Number | None = None
    oxidation_rate: Annotated[Value, "L/mol/s"] | None = None
    initial_oxidised: Number | None = None
    respiratory_share: Number | None = None
    notes: dict[str, str] = field(default_factory=dict)


CELL_KINDS: dict[str, type] = {
    "cells": CellLine,
    "calcium_handling": CalciumHandling,
    "redox": Redox,
    "coupling": Coupling,
    "energetics": Energetics,
    "death": Death,
    "vesicles": Vesicles,
    "media": Medium,
    "wells": Well,
    "probes": Probe,
}
