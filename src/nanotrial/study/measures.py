"""Read the measures of a study: what is read out, when, and through which assay."""

from __future__ import annotations

from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import YEAR, Default, TableReader
from nanotrial.study.model import Arm, Measure, Particle


def read_measures(
    raw: dict[str, Any],
    where: str,
    defaults: list[Default],
    catalogue: Catalogue,
    arms: list[Arm],
    particles: dict[str, Particle],
) -> list[Measure]:
    """Return the measures with their times and assays."""
    if not raw:
        raise StudyError(where, "no measure", 'at least one, such as release = { every = "15 min", until = "12 h" }')
    known = measure_names(catalogue, arms, particles)
    result = []
    for name, table in raw.items():
        if name not in known:
            raise StudyError(f"{where}.{name}", "an unknown measure", "something a tube shows", nearest(name, known))
        reader = TableReader(table, f"{where}.{name}", defaults)
        times = _read_times(reader)
        assay = ""
        if reader.has("assay"):
            assay = reader.text("assay")
            sheet = catalogue.load("assays", assay, reader.key("assay"))
            if sheet.measures != name:
                raise StudyError(reader.key("assay"), f"`{assay}`, which reads {sheet.measures}", f"an assay of {name}")
        reader.done()
        result.append(Measure(name, times, assay))
    return result


def measure_names(catalogue: Catalogue, arms: list[Arm], particles: dict[str, Particle]) -> list[str]:
    """Return what the tube of these arms can show: release, pH and every dissolved component."""
    solutes: dict[str, None] = {"oxygen": None}
    for particle in particles.values():
        solutes.update(dict.fromkeys(catalogue.load("materials", particle.core).dissolution.products))
    for arm in arms:
        solutes.update(dict.fromkeys(catalogue.load("buffers", arm.subject.buffer).solutes))
        for addition in arm.additions:
            if addition.kind == "agent":
                solutes.update(dict.fromkeys(catalogue.load("agents", addition.name).solutes))
    shown = ["release", "core_left"] if particles else []
    coated = ["coat_left"] if any(particle.coating for particle in particles.values()) else []
    return [*shown, *coated, "ph", *solutes]


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


def measure_unit(name: str) -> str:
    """Return the unit in which a measure is stored and shown."""
    return "1" if name in ("release", "core_left", "coat_left", "ph") else "mmol/L"
