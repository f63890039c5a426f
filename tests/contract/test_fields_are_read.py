"""No number stands in a sheet for nothing: every field is read, by name, by code outside the catalogue.

Sheets record who asks for their fields while studies over every material, coating, buffer, body fluid, inducer, agent
and assay are read and built, cells are irradiated, and beams, nuclides, radicals, light and repair are computed. Code
that walks over all fields without naming them (the catalogue itself, the command line's ``show``, the overlay of fitted
values) does not count.
"""

import dataclasses
import itertools
import sys
import typing
from pathlib import Path

import numpy as np
import pytest

from nanotrial.body import calcium_load
from nanotrial.body.calcium import DEPOTS
from nanotrial.budgets import arm_budgets
from nanotrial.budgets.radiation import dish_radiation, tube_radiation
from nanotrial.catalogue import (
    agent_schema,
    cell_schema,
    mineral_schema,
    radiation_schema,
    radiobiology_schema,
    schema,
)
from nanotrial.catalogue.lookup import values_in
from nanotrial.catalogue.mineral_schema import Phase
from nanotrial.catalogue.schema import KINDS, Buffer
from nanotrial.cell.bath import cell_in_bath
from nanotrial.cell.break_repair import repair_breaks, survive_breaks
from nanotrial.cell.comet import comet_tail
from nanotrial.cell.dose_response import survival
from nanotrial.cell.fates import fail_organelle, follow_oxidants, line_fates
from nanotrial.cell.foci import count_foci
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.medium import ChargeImbalanceWarning, speciate
from nanotrial.observe.colour_reaction import read_out
from nanotrial.observe.ct import read_scan
from nanotrial.places import build_arm
from nanotrial.places.dish import SETS
from nanotrial.radiation.beams import beam
from nanotrial.radiation.composition import composition
from nanotrial.radiation.light import relay
from nanotrial.radiation.nuclides import nuclide
from nanotrial.radiation.radiolysis import radiolysis
from nanotrial.radiation.scintillation import scintillation_photons
from nanotrial.radiation.sensitiser_chemistry import sensitiser_enhancement
from nanotrial.sampling import Draws, noise_of
from nanotrial.study import read_study
from nanotrial.study.measures import CELL_MEASURES, UPTAKE_MEASURES
from nanotrial.study.minerals import DISH_MINERALS, INDUCER_MEASURES, TUBE_MINERALS, phase_measures
from nanotrial.study.model import RADIATION_MEASURES, RADIATION_PRODUCTS

from .sheets import CATALOGUE, SHEETS, load

WALKERS = ("nanotrial.catalogue", "nanotrial.cli", "nanotrial.report", "nanotrial.fit")
SCHEMAS = (schema, cell_schema, mineral_schema, agent_schema, radiation_schema, radiobiology_schema)
CLASSES = [
    c
    for module in SCHEMAS
    for c in vars(module).values()
    if isinstance(c, type) and dataclasses.is_dataclass(c) and c.__module__ in {s.__name__ for s in SCHEMAS}
]
CLASSES = list(dict.fromkeys(CLASSES))
PUBLISHED_SETS = [("calcium_handling", "li_rinzel_1994"), ("redox", "selvaggio_2018")]
MINERAL_MEASURES = (*DISH_MINERALS, *INDUCER_MEASURES, *TUBE_MINERALS, *phase_measures(CATALOGUE.ids("phases")))
MEASURES = (
    *CELL_MEASURES, *UPTAKE_MEASURES, *MINERAL_MEASURES, *RADIATION_MEASURES, *RADIATION_PRODUCTS, "ph", "release",
    *CATALOGUE.solutes(),
)  # fmt: skip
FIELDS = {f"{c.__name__}.{f.name}" for c in CLASSES for f in dataclasses.fields(c)}

# Budgets compile their network: a few lines, media and wells are enough.
FEW_BUDGETS = 4
# What no one gives: it is there, or is made.
HELD = ("water", "H+", "OH-", "e_aq", "oxygen")

# Kinds whose names stand in messages and reasons.
NAMED = (
    Phase, Buffer, schema.Solute, cell_schema.CellLine, cell_schema.Probe,
    mineral_schema.BodyFluid, mineral_schema.CalciumHomeostasis, mineral_schema.Stain, radiation_schema.BeamSheet,
)  # fmt: skip
# Fields on which no run depends, each with its reason. May only shrink.
SHOWN_ONLY = {
    **{f"{c.__name__}.name": "what `nanotrial list` shows" for c in KINDS.values() if c not in NAMED},
    "Water.name": "as above",
    "Material.description": "text for `nanotrial show`",
    "Buffer.counter_ion": "names the ion of the strong charge; its mobility and complexes take no part",
    "Coating.described": "measured effects that are shown and never computed",
    "Described.zeta_shift": "as described",
    "Described.hydrodynamic_note": "as described",
    **{
        f"{c}.description": "text for `nanotrial show`"
        for c in ("CellLine", "CalciumHandling", "Redox", "Coupling", "Energetics", "Death", "Vesicles")
    },
    **{
        f"{c.__name__}.description": "text for `nanotrial show`"
        for c in mineral_schema.MINERAL_KINDS.values()
        if c is not mineral_schema.Stain
    },
    "Inducer.molar_mass": "inducers are given as amounts; for those who weigh them",
    "CellLine.organism": "says what the line is",
    "CellLine.origin": "tumour or normal, which reports show",
    "CellLine.tissue": "says what the line is",
    "Probe.notes": "what a user should know of the dye",
    **{
        f"{c.__name__}.description": "text for `nanotrial show`"
        for c in (radiation_schema.RADIATION_KINDS | radiobiology_schema.RADIOBIOLOGY_KINDS).values()
        if c is not radiation_schema.NuclideSheet
    },
    "BeamSheet.half_value_layers": "published layers that the computed beam is tested against",
    **{
        f"{c}.{key}": "says where a whole table comes from, as `source` of a value does"
        for c in ("Tissue", "SpectrumTable")
        for key in ("source", "locator")
    },
    "Radiosensitivity.beam": "says with which photons alpha and beta were measured",
    "Radiosensitivity.plating_efficiency": "survival is relative to it; for those who plan how many cells to plate",
    "Scavenging.hydroxyl": "hydroxyl is counted as made, not as what is left of it; shown beside the other two rates",
    "Sensitiser.kind": "says what the sensitiser is",
    "Sensitiser.molar_mass": "sensitisers are given as amounts; for those who weigh them",
    "Sensitiser.reduction_potential": "what oxygen equivalence is compared with",
    "Sensitiser.electron_capture": "what oxygen equivalence is compared with",
    "Sensitiser.notes": "what a user should know of the sensitiser",
}
# Values that no run reads although others of the same field are read: a mineral of which only the saturation is known
# has no volume, one that follows its saturation no crystals; what no solid is made of does not diffuse to one.
_PHASES = {p: CATALOGUE.load("phases", p) for p in CATALOGUE.ids("phases")}
_OF_NO_SOLID = (
    "albumin", "amino_acids", "chloride", "fetuin_a", "lactate", "polyphosphate", "potassium",
    "pyrophosphate", "sodium", "sulphate", "tris",
)  # fmt: skip
_BEAMS = {b: CATALOGUE.load("beams", b) for b in CATALOGUE.ids("beams")}
SHOWN_VALUES = {
    *(f"beams/{i}:half_value_layers.{material}" for i, b in _BEAMS.items() for material in b.half_value_layers),
    *(f"phases/{i}:density" for i, p in _PHASES.items() if p.growth is None),
    *(f"phases/{i}:molar_mass" for i, p in _PHASES.items() if p.growth is None and p.relaxation_rate is None),
    *(f"solutes/{i}:diffusivity" for i in _OF_NO_SOLID),
}


def of_kind(kind):
    return [name for k, name in SHEETS if k == kind and (k, name) != ("solutes", "water")]


def given(agent):
    """Return an addition of an agent."""
    unit = "1 U/mL" if load("agents", agent).kind == "enzyme" else "1 mmol/L"
    return {"agent": agent, "concentration": unit, "at": "0 h"}


def dish_table(line, medium, well):
    """Return a study in a dish with coated particles of every core, every agent and every dye."""
    core = {"diameter": "20 nm", "coating": [{"material": c, "mass_fraction": 0.2} for c in of_kind("coatings")][:1]}
    kinds = {m: core | {"core": m} for m in of_kind("materials")}
    agents = [given(a) for a in of_kind("agents")]
    arms = [
        {"name": f"{m} {i}", "add": [{"particle": m, "concentration": "1 mmol/L", "basis": "core"}, *agents]}
        for i, m in enumerate(kinds)
    ]
    dyes = [load("probes", p) for p in of_kind("probes")]
    measures = {sheet.measures: {"at": "1 h", "assay": p} for p, sheet in zip(of_kind("probes"), dyes, strict=True)}
    return {
        "title": "fields",
        "place": "dish",
        "particle": kinds,
        "subject": {"cells": line, "medium": medium, "well": well} | ({"serum": "0 %"} if line == "hela" else {}),
        "arm": arms,
        "measure": measures,
    }


def study_table(material, buffer, coated=True):
    """Return a study with bare, doped and coated particles, every agent and assay; all arms but one at 37 degC."""
    sheet = CATALOGUE.load("materials", material)
    coats = [[{"material": c, "mass_fraction": 0.2}] for c in of_kind("coatings")]
    particle = {"core": material, "diameter": "20 nm"}
    kinds = {"bare": particle, "doped": particle | {"dopants": dict.fromkeys(sheet.dopants, 0.05)}}
    coats += [[{"material": c, "thickness": "2 nm"}] for c in of_kind("coatings")]
    kinds |= {f"coated_{i}": particle | {"coating": c} for i, c in enumerate(coats) if coated}
    subject = {"buffer": buffer, "ph": 7.0}
    if CATALOGUE.load("buffers", buffer).solutes:
        subject["concentration"] = "10 mmol/L"
    agents = [given(a) for a in of_kind("agents") if load("agents", a).kind in ("enzyme", "solute")]
    arms = [
        {"name": name, "add": [{"particle": name, "concentration": "0.1 mmol/L", "at": "0 h"}, *agents]}
        for name in kinds
    ]
    for arm in arms[1:]:
        arm["subject"] = {"temperature": "37 degC"}
    measures = {load("assays", a).measures: {"at": "1 h", "assay": a} for a in of_kind("assays")}
    return {
        "title": "fields",
        "place": "tube",
        "particle": kinds,
        "subject": subject,
        "arm": arms,
        "measure": measures,
    }


def fluids_table():
    """Return every body fluid over every inducer, once with all that can be dissolved in it, so that all forms."""
    every = dict.fromkeys(CATALOGUE.solutes(), "1 mmol/L")
    subjects = [{"solution": f, "atmosphere": "air"} for f in of_kind("body_fluids")]
    subjects += [{"solution": of_kind("body_fluids")[0], "solutes": every, "surface": {"area": "1 cm^2"}}]
    films = [{"area": "1 cm^2", "inducer": i, "cover": "50 %"} for i in of_kind("inducers")]
    subjects += [{"solution": of_kind("body_fluids")[0], "surface": film} for film in films]
    return {
        "title": "fields",
        "place": "tube",
        "arm": [{"name": str(i), "subject": subject} for i, subject in enumerate(subjects)],
        "measure": {"mineral_cover": {"at": "1 h"}},
    }


def induced_table(line, stain):
    """Return a study of a line with every inducer, read with a stain."""
    added = [{"inducer": i, "concentration": "1 umol/L"} for i in of_kind("inducers")]
    return {
        "title": "fields",
        "place": "dish",
        "subject": {"cells": line, "cell_classes": 1},
        "arm": [{"name": "given", "add": added}],
        "measure": {"calcified_area": {"at": "1 h", "assay": stain}},
    }


def irradiated_table(line, core, agents=(), **more):
    """Return a dish in which a line with particles of a core is irradiated, beside one that is left alone."""
    add = [{"particle": "p", "concentration": "0.1 mg/mL", "basis": "mass"}, *(given(a) for a in agents)]
    shot = {"beam": "60 keV", "absorbed_dose": "2 Gy", "dose_rate": "1 Gy/min", "at": "1 h"}
    return {
        "title": "fields",
        "place": "dish",
        "particle": {"p": {"core": core, "diameter": "20 nm", **more}},
        "subject": {"cells": line, "cell_classes": 1},
        "arm": [{"name": "irradiated", "add": add, "irradiate": [shot]}],
        "measure": {"surviving_fraction": {"at": "2 h"}},
    }


def light_of(scintillator, acceptor):
    return {"scintillator": scintillator, "acceptor": acceptor, "acceptor_fraction": "5 %", "distance": "2 nm"}


def irradiated_tables():
    """Return every line, every core with its carriers and what it scavenges, every drug, every light chain, bonds."""
    lines, lights, acceptors = of_kind("cells"), of_kind("scintillators"), of_kind("photosensitisers")
    sheets = {m: load("materials", m) for m in of_kind("materials")}
    cores = [m for m, sheet in sheets.items() if sheet.carriers is not None or sheet.scavenging is not None]
    chains = [(lights[i % len(lights)], a) for i, a in enumerate(acceptors)]
    chains += [(s, acceptors[0]) for s in lights]
    drugs = [a for a in of_kind("agents") if load("agents", a).kind in ("arrest", "sensitiser")]
    tables = [irradiated_table(line, "gold", [drugs[i % len(drugs)]]) for i, line in enumerate(lines)]
    tables += [irradiated_table(lines[0], core, ["hydrogen_peroxide"]) for core in cores]
    tables += [irradiated_table(lines[0], "gold", [drug]) for drug in drugs]
    tables += [irradiated_table(lines[0], "silicon_dioxide", light=light_of(*chains[0]))]
    for chain in chains:
        tube = irradiated_table(lines[0], "silicon_dioxide", light=light_of(*chain))
        bonds = {"bonds": {"kind": "diselenide", "content": "0.5 mmol/g"}}
        particle = {"p": tube["particle"]["p"] | bonds}
        subject = {"buffer": "phosphate", "concentration": "10 mmol/L", "ph": 7.0}
        tables.append(tube | {"place": "tube", "particle": particle, "subject": subject})
        tables[-1]["measure"] = {"hydroxyl_radicals": {"at": "2 h"}}
    return tables


def forget_radiation():
    """Empty what functions of radiation and cells remember of sheets, so that they are asked again."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("nanotrial.radiation", "nanotrial.cell", "nanotrial.places")):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear") and getattr(thing, "__module__", "") == name:
                    thing.cache_clear()


def read_radiation():
    """Read what irradiated arms, and the functions on beams, radicals, light and repair, read of the sheets."""
    for table in irradiated_tables():
        study = read_study(table, Path("fields.toml"), CATALOGUE)
        for arm in study.arms:
            built = build_arm(study, arm)
            if built.dish is not None:
                dish_radiation(built, 1e4)
            else:
                tube_radiation(built)
    for tissue in of_kind("tissues"):
        assert composition(tissue).density
    for name in of_kind("beams"):
        assert beam(name).mean_energy.magnitude > 0
    for name in of_kind("nuclides"):
        one = nuclide(name)
        assert one.decay_constant.magnitude > 0
        assert one.photon_energy.magnitude + one.electron_energy.magnitude > 0
        one.beta_spectrum("100 keV")
    read_chemistry()
    read_repair_and_survival()


def read_chemistry():
    """Read yields, reactions and surfaces of radicals, sensitisers, light within and around particles."""
    sheet = load("radiolysis", "water_25c")
    solutes = dict.fromkeys((s for s in sheet.species if s not in HELD), "0.1 mmol/L")
    surfaces = {r.on: "1 m^2/L" for r in sheet.reactions if r.on}
    for ph, let in ((7.0, "5 keV/um"), (1.0, "low")):
        radiolysis("1 Gy", "0 s", solutes, ph=ph, let=let, surfaces=surfaces, temperature="30 degC", until="1 us")
    for name in of_kind("sensitisers"):
        sensitiser_enhancement(name, "1 mmol/L")
    for scintillator in of_kind("scintillators"):
        scintillation_photons(scintillator, "60 keV", "1 Gy", "1 mg/g")
        if load("scintillators", scintillator).bands:
            relay(
                "y90", scintillator, "ce6", chelate_amount="0.1 mmol/L", amount="0.1 mmol/L", transferred=0.5,
                tissue_absorption="0.1 1/cm", diameter="1 cm",
            )  # fmt: skip


def read_repair_and_survival():
    """Read curves, breaks, foci, comets, the cycle and fates of every line."""
    for line in of_kind("radiosensitivity"):
        survival(line, "2 Gy", oxygen="1 mmHg", schedule="1 Gy/min", phases="asynchronous")
        repair_breaks(line, "2 Gy", ["0 h", "1 h"])
        survive_breaks(line, "2 Gy")
        count_foci(line, "2 Gy", ["0 h", "1 h"])
        for kind in ("alkaline", "neutral"):
            comet_tail(line, "2 Gy", ["0 h", "1 h"], kind=kind)
        line_fates(line, 0.5, ["0 h", "1 h"], "10 h")
    for organelle in ("lysosome", "mitochondrion", "reticulum"):
        fail_organelle(organelle, "2 Gy")
    follow_oxidants("2 Gy", ["0 h", "1 h"])


def read_minerals():
    """Read what studies of minerals, speciation, a scan and the host of a tumour read of the sheets."""
    tables = [fluids_table()]
    tables += [induced_table(line, of_kind("stains")[0]) for line in of_kind("cells")]
    tables += [induced_table(of_kind("cells")[0], stain) for stain in of_kind("stains")]
    for table in tables:
        study = read_study(table, Path("fields.toml"), CATALOGUE)
        for arm in study.arms:
            build_arm(study, arm)
    totals = dict.fromkeys(CATALOGUE.solutes(), "1 mmol/L")
    with pytest.warns(ChargeImbalanceWarning):
        found = speciate(totals, 7.0, "37 degC", activity="extended_debye_hueckel", catalogue=CATALOGUE)
    assert found.saturation_indices().keys() == set(of_kind("phases"))
    for scanner in of_kind("scanners"):
        read_scan(np.array([1.0]), load("scanners", scanner))
    for host, route in itertools.product(of_kind("calcium_homeostasis"), DEPOTS):
        load_of = calcium_load(host, "0.1 mmol/kg", route, until="1 h", citrate="0.01 mmol/kg")
        assert load_of.grade_of(load_of.peak)


def budgets_of(built):
    """Read what budgets read of the sheets."""
    return arm_budgets(built, Player().runner(built))


def published_set(kind, name):
    """Build a cell with a published set of constants in the place of the usual one."""
    usual = {key: (name_, load(kind_, name_)) for key, (kind_, name_) in SETS.items() if key in ("calcium", "redox")}
    key = next(key for key, (kind_, _) in SETS.items() if kind_ == kind)
    cell_in_bath((of_kind("cells")[0], load("cells", of_kind("cells")[0])), usual | {key: (name, load(kind, name))})


def between_and_noise(place, study):
    """Draw the subjects of the first arms of a study and the noise of everything its place shows."""
    sheet = CATALOGUE.load("variability", place)
    for arm in study.arms[:2]:
        parameters = build_arm(study, arm).network.parameters
        Draws(parameters, Overlay(), sheet, 2, 2).of_arm(arm.name, parameters, 0, 2)
    for measure in MEASURES:
        noise_of(measure, sheet)


@pytest.fixture(scope="module")
def asked():
    """Return (fields, values): what code asked for by name while every kind of study was built."""
    fields, values = set(), set()
    kept = [load(kind, name) for kind, name in SHEETS]
    patch = pytest.MonkeyPatch()
    for one in CLASSES:
        own = {f.name for f in dataclasses.fields(one)}

        def recorded(self, name, own=own, label=one.__name__):
            value = object.__getattribute__(self, name)
            if name in own:
                asker = sys._getframe(1).f_globals.get("__name__", "")
                if asker.startswith("nanotrial.") and not asker.startswith(WALKERS):
                    fields.add(f"{label}.{name}")
                    values.update(map(id, value.values()) if isinstance(value, dict) else [id(value)])
            return value

        patch.setattr(one, "__getattribute__", recorded, raising=False)
    try:
        materials, buffers = of_kind("materials"), of_kind("buffers")
        # A buffer carries protons to what dissolves: each meets a core that does.
        pairs = [(m, "phosphate") for m in materials] + [("calcium_peroxide", b) for b in buffers]
        for material, buffer in pairs:
            table = study_table(material, buffer, coated=material == "calcium_peroxide" and buffer == "phosphate")
            study = read_study(table, Path("fields.toml"), CATALOGUE)
            for arm in study.arms:
                build_arm(study, arm)
        media, wells = of_kind("media"), of_kind("wells")
        for i in range(max(map(len, (materials, of_kind("cells"), media, wells)))):
            line = of_kind("cells")[i % len(of_kind("cells"))]
            table = dish_table(line, media[i % len(media)], wells[i % len(wells)])
            study = read_study(table, Path("fields.toml"), CATALOGUE)
            built = build_arm(study, study.arms[i % len(materials)])
            if i < FEW_BUDGETS:
                budgets_of(built)
        for probe in of_kind("probes"):
            table = dish_table(of_kind("cells")[0], "rpmi_1640", "well_96")
            table["measure"] = {load("probes", probe).measures: {"at": "1 h", "assay": probe}}
            build_arm(*(lambda s: (s, s.arms[0]))(read_study(table, Path("fields.toml"), CATALOGUE)))
        between_and_noise("dish", study)
        tube = study_table(of_kind("materials")[0], "phosphate")
        between_and_noise("tube", read_study(tube, Path("fields.toml"), CATALOGUE))
        for kind, name in PUBLISHED_SETS:
            published_set(kind, name)
        read_minerals()
        forget_radiation()
        read_radiation()
        for assay in of_kind("assays"):
            read_out(np.array([0.1]), CATALOGUE.load("assays", assay))
    finally:
        patch.undo()
    assert kept
    return fields, values


def test_every_field_is_read(asked):
    unread = FIELDS - asked[0]
    assert unread <= SHOWN_ONLY.keys(), "nobody reads these"
    assert SHOWN_ONLY.keys() <= unread, "these are read now (or gone): take them off the list"


def test_every_value_is_read(asked):
    unread = set()
    for kind, name in SHEETS:
        sheet = load(kind, name)
        for path, value in values_in(sheet):
            if id(value) not in asked[1]:
                unread.add(f"{kind}/{name}:{path}")
    shown = {i for i in unread if any(field_of(i) == s for s in SHOWN_ONLY)}
    assert unread - shown <= SHOWN_VALUES, "nobody reads these"
    assert unread >= SHOWN_VALUES, "these are read now (or gone): take them off the list"


def field_of(identifier):
    """Return the schema field of a top-level or nested value, such as ``Described.zeta_shift``."""
    place, path = identifier.split(":", 1)
    kind, name = place.split("/")
    owner = schema.Water if name == "water" and kind == "solutes" else schema.KINDS[kind]
    parts = path.split(".")
    for part in parts[:-1]:
        hint = typing.get_type_hints(owner).get(part)
        nested = [a for a in (typing.get_args(hint) or (hint,)) if dataclasses.is_dataclass(a)]
        owner = nested[0] if nested else owner
    return f"{owner.__name__}.{parts[-1]}"
