"""Why a fact has no prediction: what its measure needs that is not built yet, by the controlled names of measures."""

from __future__ import annotations

# What each group of measures needs; all other measures are those of a tube or a dish, irradiated or not.
MISSING: dict[str, tuple[str, ...]] = {
    "a law for where ligands take particles in a cell (nucleus, mitochondria)": ("localisation_fraction",),
    "lipids that oxidise and enzymes that mend them": ("lipid_peroxidation", "sod_level"),
    "genes and proteins by name": ("gene_or_protein_level",),
    "cells that move and invade": ("migration_invasion",),
    "a gut and its stem cells": ("stem_cell_fraction",),
    "an animal with a tumour": (
        "complete_regression_fraction",
        "distant_tumour_volume",
        "hypoxia_fraction",
        "inhibition_rate",
        "luminescence_signal",
        "median_survival",
        "metastasis_count",
        "metastasis_inhibition",
        "penetration_area",
        "penetration_depth",
        "relative_tumour_volume",
        "survival_fraction",
        "time_to_all_dead",
        "tumour_volume",
        "tumour_weight",
    ),
    "an animal with blood and organs": (
        "acute_toxic_death_fraction",
        "blood_count",
        "body_weight",
        "bone_marrow_dna",
        "circulation_half_life",
        "clearance_fraction",
        "crypt_regeneration",
        "id_per_gram",
        "maximum_tolerated_dose",
        "organ_accumulation",
        "organ_damage",
        "retention_time",
        "tumour_accumulation_ratio",
        "tumour_to_normal_ratio",
    ),
    "an immune system": (
        "antigen_capture",
        "antigen_presentation",
        "cytokine_level",
        "dc_maturation",
        "icd_marker",
        "macrophage_m2_fraction",
        "neu_dc_fraction",
        "neutrophil_infiltration",
        "nk_activity",
        "rechallenge_rejection_fraction",
        "t_cell_fraction",
        "tam_fraction",
        "treg_fraction",
    ),
    "imaging": (
        "adc",
        "mr_signal_ratio",
        "nuclear_signal",
        "pa_signal",
        "r1_relaxivity",
        "r2_relaxivity",
        "r2star",
        "us_signal",
    ),
}


def why_no_study(measure: str, system: str) -> str:
    """Return why no study shows a measure: what it needs that is missing, or else that the arm is in none."""
    what = f"`{measure}`" if measure else "this measure"
    of = f" of {system}" if system else ""
    needs = next((need for need, names in MISSING.items() if measure in names), "")
    if needs:
        return f"no study shows {what}{of}: it needs {needs}, not built so far"
    return f"no study in the catalogue shows {what}{of} in this arm; a tube and a dish are built so far, no animal"
