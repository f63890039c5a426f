"""Read the measures of a study: what is read out, when, and through which assay."""

from __future__ import annotations

from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import YEAR, Default, TableReader
from nanotrial.study.minerals import (
    DISH_MINERALS,
    INDUCER_MEASURES,
    LYSOSOMAL,
    LYSOSOMAL_UNIT,
    STAINED,
    TUBE_MINERALS,
    USUAL_STAIN,
    lysosomal_measures,
    needs_minerals,
    phase_measures,
    phases_of,
)
from nanotrial.study.model import (
    RADIATION_MEASURES,
    RADIATION_PRODUCTS,
    Addition,
    Arm,
    Measure,
    Particle,
    Subject,
)
from nanotrial.units import display
from nanotrial.values import Value

# What cells in a dish show, with the unit.
CELL_MEASURES = {
    "viability": "1",
    "cell_death": "1",
    "live_fraction": "1",
    "population": "1",
    "apoptotic_fraction": "1",
    "necrotic_fraction": "1",
    "cytosolic_calcium": "umol/L",
    "er_calcium": "umol/L",
    "mitochondrial_calcium": "umol/L",
    "cytosolic_peroxide": "umol/L",
    "calcium_fluorescence": "1",
    "ros_fluorescence": "1",
    "potential_fluorescence": "1",
    "mitochondrial_potential": "mV",
    "atp": "mmol/L",
    "pore_open": "1",
    "oxidised_peroxiredoxin": "1",
    "glycolysis": "1",
    "respiration": "1",
    "exported_vesicles": "1",
    "exported_calcium": "fmol",
}
# Shown only where there are particles.
UPTAKE_MEASURES = {"particles_bound": "fmol", "particles_inside": "fmol", "lysosome_ph": "1"}
DEFAULT_PROBES = {
    "viability": "cck_8",
    "calcium_fluorescence": "fluo_4",
    "ros_fluorescence": "dcfh_da",
    "potential_fluorescence": "tmrm",
}


def read_measures(
    raw: dict[str, Any],
    where: str,
    defaults: list[Default],
    catalogue: Catalogue,
    arms: list[Arm],
    particles: dict[str, Particle],
    place: str = "tube",
) -> list[Measure]:
    """Return the measures with their times and assays."""
    if not raw:
        raise StudyError(where, "no measure", 'at least one, such as release = { every = "15 min", until = "12 h" }')
    known = measure_names(catalogue, arms, particles, place)
    result = []
    for name, table in raw.items():
        if name not in known:
            if needs_minerals(name, catalogue.ids("phases")) and not any(a.subject.minerals for a in arms):
                found = "a measure of minerals, which no arm follows"
                raise StudyError(f"{where}.{name}", found, "`minerals = true` in the subject")
            raise StudyError(
                f"{where}.{name}", "an unknown measure", f"something a {place} shows", nearest(name, known)
            )
        reader = TableReader(table, f"{where}.{name}", defaults)
        times = _read_times(reader)
        assay, probe = "", DEFAULT_PROBES.get(name, "") if place == "dish" else ""
        if reader.has("assay"):
            assay, probe = _read_assay(reader, name, catalogue, place)
        elif place == "dish" and name == STAINED:
            probe = USUAL_STAIN
            reader.note("assay", probe, "the usual one")
        elif probe:
            reader.note("assay", probe, "the usual one")
        elif place == "dish" and name == "cell_death" and "viability" not in raw:
            reader.note("assay", DEFAULT_PROBES["viability"], "1 - viability, read as usual")
        loaded = _read_loading(reader, catalogue, probe, times) if reader.has("loaded") else 0.0
        reader.done()
        result.append(Measure(name, times, assay, probe, loaded))
    return result


def _read_loading(reader: TableReader, catalogue: Catalogue, probe: str, times: tuple[float, ...]) -> float:
    """Return when a dye is put in: only one that is oxidised for good shows when that was."""
    where = reader.key("loaded")
    known = probe in catalogue.ids("probes")
    if not known or catalogue.load("probes", probe).law != "oxidation":
        action = "Other dyes follow what is there: leave it out."
        raise StudyError(where, "a time of loading", "a dye that oxidants turn bright for good", action)
    return reader.checked(reader.table["loaded"], "h", 0.0, times[-1], where)


def _read_assay(reader: TableReader, measure: str, catalogue: Catalogue, place: str) -> tuple[str, str]:
    """Return (colour reaction, "") or ("", dye in the cells)."""
    name = reader.text("assay")
    for kind in ("probes", "stains") if place == "dish" else ():
        if name in catalogue.ids(kind):
            reads = catalogue.load(kind, name).measures
            if reads != measure:
                raise StudyError(reader.key("assay"), f"`{name}`, which reads {reads}", f"an assay of {measure}")
            return "", name
    if place == "dish" and measure == STAINED:
        catalogue.load("stains", name, reader.key("assay"))
    known = [*catalogue.ids("assays"), *(catalogue.ids("probes") if place == "dish" else [])]
    if name not in known:
        raise StudyError(reader.key("assay"), f"`{name}`", "an assay of the catalogue", nearest(name, known))
    if catalogue.load("assays", name).measures != measure:
        found = f"`{name}`, which reads {catalogue.load('assays', name).measures}"
        raise StudyError(reader.key("assay"), found, f"an assay of {measure}")
    return name, ""


def measure_names(
    catalogue: Catalogue, arms: list[Arm], particles: dict[str, Particle], place: str = "tube"
) -> list[str]:
    """Return what these arms can show: release, pH and every dissolved component; in a dish also what cells do."""
    solutes: dict[str, None] = {"oxygen": None}
    for particle in particles.values():
        solutes.update(dict.fromkeys(catalogue.load("materials", particle.core).products))
    for arm in arms:
        if isinstance(arm.subject, Subject):
            solutes.update(dict.fromkeys(fluid_totals(catalogue, arm.subject)))
        else:
            solutes.update(dict.fromkeys(["calcium", "hydrogen_peroxide"]))
            solutes.update(dict.fromkeys(catalogue.load("media", arm.subject.medium).solutes))
        for addition in arm.additions:
            if addition.kind == "agent":
                solutes.update(dict.fromkeys(catalogue.load("agents", addition.name).solutes))
    shown = ["release", "core_left"] if particles else []
    coated = ["coat_left"] if any(particle.coating for particle in particles.values()) else []
    cells = list(CELL_MEASURES) if place == "dish" else []
    inside = list(UPTAKE_MEASURES) if place == "dish" and particles else []
    return [
        *cells,
        *inside,
        *(RADIATION_MEASURES if place == "dish" else ["absorbed_dose"]),
        *RADIATION_PRODUCTS,
        *_mineral_names(catalogue, arms, particles, set(solutes), place),
        *shown,
        *coated,
        "ph",
        *solutes,
    ]


def fluid_totals(catalogue: Catalogue, subject: Subject) -> dict[str, float | Value]:
    """Return what is dissolved in the fresh fluid of a tube: moles per mole of buffer, or totals of a body fluid."""
    if subject.fluid is None:
        return dict(catalogue.load("buffers", subject.buffer).solutes)
    sheet, choice = catalogue.load("body_fluids", subject.fluid.name), subject.fluid
    kept = {name: value for name, value in sheet.solutes.items() if name not in choice.without}
    return {**kept, **choice.solutes}


def _mineral_names(
    catalogue: Catalogue, arms: list[Arm], particles: dict[str, Particle], solutes: set[str], place: str
) -> list[str]:
    """Return what arms in which minerals are followed can show beside all else."""
    if not any(a.subject.minerals for a in arms):
        return []
    if place == "dish":
        solutes = solutes | {"carbonate"}
    phases = list(phase_measures(phases_of(catalogue, solutes)))
    if place == "tube":
        return [*TUBE_MINERALS, *phases]
    induced = any(a.kind == "inducer" for arm in arms for a in arm.additions)
    products = {p for one in particles.values() for p in catalogue.load("materials", one.core).products}
    vesicles = lysosomal_measures(catalogue, products)
    return [*DISH_MINERALS, *(INDUCER_MEASURES if induced else []), *vesicles, *phases]


def _read_times(reader: TableReader) -> tuple[float, ...]:
    if reader.has("at"):
        raw = reader.table["at"]
        rows = raw if isinstance(raw, list) else [raw]
        times = [reader.checked(t, "h", 0.0, YEAR, reader.key("at")) for t in rows]
        if reader.has("every") or reader.has("until"):
            raise StudyError(reader.key("at"), "`at` beside `every` or `until`", "one way to give times")
    else:
        every = reader.quantity("every", "h", 1e-6, YEAR)
        until = reader.quantity("until", "h", every, YEAR)
        count = int(until / every + 1e-9)
        if count > 5000:
            raise StudyError(reader.key("every"), f"{count} times", "at most 5000", "Choose a longer interval.")
        times = [i * every for i in range(count + 1)]
    if not times:
        raise StudyError(reader.key("at"), "no time", "at least one")
    return tuple(sorted({round(t, 9) for t in times}))


def shown_amount(addition: Addition) -> str:
    """Return the amount of an addition as people write it: U/mL for enzymes, umol/L below a hundredth of mmol/L."""
    if addition.basis == "enzyme":
        return display(addition.amount, "U/mL", 4)
    small = 0.0 < addition.amount < 1e-2
    return display(addition.amount, "umol/L" if small else "mmol/L", 4)


def measure_unit(name: str) -> str:
    """Return the unit in which a measure is stored and shown."""
    units = CELL_MEASURES | UPTAKE_MEASURES | DISH_MINERALS | INDUCER_MEASURES | RADIATION_MEASURES
    units |= RADIATION_PRODUCTS
    if name in units:
        return units[name]
    if name.startswith(LYSOSOMAL):
        return LYSOSOMAL_UNIT
    if name.endswith(("_share", "_saturation")):
        return "1"
    return "1" if name in ("release", "core_left", "coat_left", "ph") else "mmol/L"
