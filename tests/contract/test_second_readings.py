"""Values were read a second time, without sight of the sheets: the two readings agree within the stated tolerance."""

import tomllib

import pytest

from nanotrial.catalogue.lookup import ROOT
from nanotrial.units import difference_to_si, dimension_of, to_si

from .sheets import all_values

FOLDER = ROOT / "second_readings"
READINGS = [
    (path.stem, row)
    for path in sorted(FOLDER.glob("*.toml"))
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["reading"]
]
KEYS = {"id", "value", "unit", "source", "absolute_tolerance", "relative_tolerance"}

# Values that enter a run, come from a source and were read once only. This list may only shrink: a value leaves it with
# a second reading, and a new value comes with one.
READ_ONCE = """
materials/calcium_carbonate:dissolution.enthalpy
materials/calcium_peroxide:dissolution.acid_rate
materials/calcium_peroxide:dissolution.acid_order
materials/calcium_peroxide:dissolution.water_rate
materials/calcium_peroxide:dissolution.acid_reference_ph
materials/calcium_peroxide:dissolution.enthalpy
materials/calcium_peroxide:peroxide.width
materials/copper_oxide:dissolution.acid_order
materials/copper_oxide:dissolution.water_rate
materials/copper_oxide:dissolution.enthalpy
materials/magnesium_peroxide:dissolution.acid_rate
materials/magnesium_peroxide:dissolution.water_rate
materials/magnesium_peroxide:peroxide.acid_yield
solutes/acetate:species.CH3COOH.enthalpy
solutes/acetate:species.CaCH3COO+.enthalpy
solutes/acetate:species.MgCH3COO+.log_k
solutes/acetate:species.CuCH3COO+.log_k
solutes/acetate:species.CuCH3COO+.enthalpy
solutes/acetate:species.Cu(CH3COO)2.log_k
solutes/acetate:species.Cu(CH3COO)2.enthalpy
solutes/calcium:species.CaOH+.enthalpy
solutes/carbonate:diffusivity
solutes/carbonate:species.HCO3-.enthalpy
solutes/carbonate:species.CO2.enthalpy
solutes/carbonate:species.CaCO3.enthalpy
solutes/carbonate:species.CaHCO3+.enthalpy
solutes/carbonate:species.MgCO3.log_k
solutes/carbonate:species.MgCO3.enthalpy
solutes/carbonate:species.MgHCO3+.log_k
solutes/carbonate:species.MgHCO3+.enthalpy
solutes/carbonate:species.CuCO3.log_k
solutes/carbonate:species.Cu(CO3)2-2.log_k
solutes/carbonate:species.CuHCO3+.log_k
solutes/carbonate:gas.air_fraction
solutes/citrate:diffusivity
solutes/citrate:species.HCit-2.enthalpy
solutes/citrate:species.H2Cit-.enthalpy
solutes/citrate:species.H3Cit.enthalpy
solutes/citrate:species.CaCit-.enthalpy
solutes/citrate:species.CaHCit.enthalpy
solutes/citrate:species.CaH2Cit+.log_k
solutes/citrate:species.MgCit-.log_k
solutes/citrate:species.MgCit-.enthalpy
solutes/citrate:species.MgHCit.log_k
solutes/citrate:species.MgHCit.enthalpy
solutes/citrate:species.MgH2Cit+.log_k
solutes/citrate:species.CuCit-.log_k
solutes/citrate:species.CuHCit.log_k
solutes/citrate:species.CuHCit.enthalpy
solutes/citrate:species.CuH2Cit+.log_k
solutes/citrate:species.Cu(Cit)2-4.log_k
solutes/citrate:species.Cu2(Cit)2-2.log_k
solutes/citrate:species.Cu2(Cit)2-2.enthalpy
solutes/copper:species.CuOH+.enthalpy
solutes/copper:species.Cu(OH)3-.log_k
solutes/copper:species.Cu(OH)4-2.log_k
solutes/copper:species.Cu2(OH)2+2.log_k
solutes/copper:species.Cu2(OH)2+2.enthalpy
solutes/glycinate:diffusivity
solutes/glycinate:species.HGly.enthalpy
solutes/glycinate:species.H2Gly+.enthalpy
solutes/glycinate:species.Cu(Gly)+.enthalpy
solutes/glycinate:species.Cu(Gly)2.enthalpy
solutes/glycinate:species.CaGly+.log_k
solutes/glycinate:species.CaGly+.enthalpy
solutes/glycinate:species.CaHGly+2.log_k
solutes/glycinate:species.CaHGly+2.enthalpy
solutes/glycinate:species.MgGly+.log_k
solutes/glycinate:species.MgGly+.enthalpy
solutes/hydrogen_peroxide:species.H2O2.enthalpy
solutes/magnesium:diffusivity
solutes/magnesium:species.MgOH+.log_k
solutes/magnesium:species.MgOH+.enthalpy
solutes/oxygen:gas.air_fraction
solutes/phosphate:species.HPO4-2.enthalpy
solutes/phosphate:species.H2PO4-.enthalpy
solutes/phosphate:species.H3PO4.enthalpy
solutes/phosphate:species.CaHPO4.enthalpy
solutes/phosphate:species.CaPO4-.enthalpy
solutes/phosphate:species.CaH2PO4+.enthalpy
solutes/phosphate:species.MgHPO4.enthalpy
solutes/phosphate:species.MgPO4-.log_k
solutes/phosphate:species.MgPO4-.enthalpy
solutes/phosphate:species.MgH2PO4+.log_k
solutes/phosphate:species.MgH2PO4+.enthalpy
phases/brucite:enthalpy
phases/portlandite:enthalpy
coatings/sodium_hyaluronate:carboxylates_per_repeat_unit
coatings/sodium_hyaluronate:digestion.turnover
coatings/sodium_hyaluronate:digestion.optimum_ph
agents/horseradish_peroxidase:unit_substrate
assays/titanium_oxysulfate:detection_limit
"""


def carries_results(identifier, value):
    """Say whether a value enters a run and has a source to read again.

    Molar masses follow from formulas (another test), buffer ranges and described effects are shown only, sizes of ions
    enter no run (``nanotrial.medium`` uses them where asked, and a test holds them to PHREEQC), and an engineering
    judgement has no source.
    """
    kind, path = identifier.split("/")[0], identifier.split(":")[1]
    shown = kind == "buffers" or path.endswith(("molar_mass", "ion_size")) or path.startswith("described")
    return not shown and value.source != "assumed"


@pytest.mark.parametrize(("kind", "row"), READINGS, ids=[f"{r['id']}#{i}" for i, (_, r) in enumerate(READINGS)])
def test_second_reading_agrees(kind, row):
    assert row.keys() <= KEYS
    assert row["id"].split("/")[0] == kind
    assert row["source"].strip()
    value = all_values()[row["id"]]
    reading = to_si(row["value"], row["unit"], row["id"])
    if "absolute_tolerance" in row:
        tolerance = difference_to_si(row["absolute_tolerance"], row["unit"])
    else:
        tolerance = row["relative_tolerance"] * abs(reading)
    assert value.si == pytest.approx(reading, rel=1e-12, abs=tolerance * (1 + 1e-9))


def test_units_are_those_of_the_sheet():
    for _, row in READINGS:
        assert dimension_of(row["unit"]) == all_values()[row["id"]].dimension, row["id"]


def test_list_of_values_read_once_only_shrinks():
    read = {row["id"] for _, row in READINGS}
    once = {i for i, v in all_values().items() if i not in read and carries_results(i, v)}
    listed = set(READ_ONCE.split())
    assert not once - listed, "new values without a second reading"
    assert not listed - once, "these have a second reading now (or are gone): take them off the list"
