"""Shape of the sheets of radiobiology: what a cell line does after irradiation, and what all mammalian cells share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nanotrial.values import Value

Number = Annotated[Value, "1"]
PerGray = Annotated[Value, "1/Gy"]
PerHour = Annotated[Value, "1/h"]
Hour = Annotated[Value, "h"]
Micrometre = Annotated[Value, "um"]


@dataclass(frozen=True, kw_only=True)
class Radiosensitivity:
    """Radiosensitivity of a cell line (the id is that of the line): survival, repair, cycle, ways to die.

    ``alpha`` and ``beta`` hold for photons at ``oxygen``; ``threshold_dose`` is where LQ-L turns straight.
    Shares are of an asynchronous culture that grows; ``plating_efficiency`` is that of colonies of untreated cells.
    """

    name: str
    alpha: PerGray
    beta: Annotated[Value, "1/Gy^2"]
    oxygen: Annotated[Value, "mmHg"]
    beam: str
    threshold_dose: Annotated[Value, "Gy"]
    repair_half_time: Hour
    plating_efficiency: Number
    nucleus_diameter: Micrometre
    dna_content: Number
    p53: Literal["wild type", "mutant", "absent", "inactivated"]
    g1_share: Number
    s_share: Number
    g2m_share: Number
    g2_arrest: Annotated[Value, "h/Gy"]
    apoptotic_share: Number
    death_delay: Hour
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class DamageAndRepair:
    """What mammalian cells share: breaks of DNA, their repair, foci, oxygen, thiols, other targets.

    ``breaks_per_dose`` is per base pair. ``foci_loss`` has the keys fast, slow and very_slow; ``phase_alpha`` and
    ``phase_beta`` have g1, s and g2m. A comet's tail holds 1 - 1/e of the DNA at ``comet_alkaline`` breaks of any kind
    or at ``comet_neutral`` double-strand breaks. ``misrepair_skew`` is the mean over the typical pairwise chance.
    """

    name: str
    description: str = ""
    breaks_per_dose: PerGray
    complex_share: Number
    single_strand_ratio: Number
    fast_repair: PerHour
    slow_repair: PerHour
    very_slow_repair: PerHour
    single_strand_repair: PerHour
    end_joining_fidelity: Number
    very_slow_fidelity: Number
    defect_share: Number
    misrepair_range: Number
    misrepair_skew: Number
    misrepair_lethality: Number
    apoptosis_per_break: Number
    mitotic_death_per_break: Number
    direct_death_per_break: Number
    foci_appearance: PerHour
    foci_loss: dict[str, PerHour]
    background_foci: Number
    comet_alkaline: Number
    comet_neutral: Number
    comet_background: Number
    oxygen_maximum: Number
    oxygen_constant: Annotated[Value, "mmHg"]
    reference_thiol: Annotated[Value, "mmol/L"]
    phase_alpha: dict[str, Number]
    phase_beta: dict[str, Number]
    reactive_oxygen_yield: Annotated[Value, "umol/L/Gy"]
    mitochondrial_oxidant_gain: PerGray
    oxidant_decay: PerHour
    lysosome_tolerance: Annotated[Value, "Gy"]
    mitochondrion_tolerance: Annotated[Value, "Gy"]
    reticulum_tolerance: Annotated[Value, "Gy"]
    target_steepness: Number
    oxidant_tolerance: Annotated[Value, "mmol/L"]


@dataclass(frozen=True, kw_only=True)
class Sensitiser:
    """A chemical radiosensitiser: how much of oxygen's work a concentration of it does in hypoxic cells.

    ``oxygen_equivalence`` is the pressure of oxygen that does what 1 mmol/L of it does.
    """

    name: str
    kind: Literal["nitroimidazole", "nitric_oxide", "nitrite", "peroxynitrite"]
    oxygen_equivalence: Annotated[Value, "mmHg*L/mmol"]
    molar_mass: Annotated[Value, "g/mol"]
    reduction_potential: Annotated[Value, "mV"] | None = None
    electron_capture: Annotated[Value, "L/mol/s"] | None = None
    notes: dict[str, str] = field(default_factory=dict)
    description: str = ""


RADIOBIOLOGY_KINDS: dict[str, type] = {
    "radiosensitivity": Radiosensitivity,
    "damage_and_repair": DamageAndRepair,
    "sensitisers": Sensitiser,
}
