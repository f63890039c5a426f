"""Read the subject of a dish: cells of one line in a medium, in a well, in an incubator."""

from __future__ import annotations

import math
from typing import Any

from nanotrial.catalogue.cell_schema import CellLine, Medium, Well
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default, TableReader
from nanotrial.study.minerals import read_flag
from nanotrial.study.model import DishSubject
from nanotrial.study.parts import SubjectReader
from nanotrial.units import display

TUBE_KEYS = ("buffer", "solution", "concentration", "depth", "background_salt", "atmosphere", "surface", "renewal")
# Apparent first constant of carbonic acid and solubility of CO2 (mmol/L/atm) at 37 degC in plasma: severinghaus_1956.
CARBONIC_PK, CO2_PER_ATMOSPHERE = 6.10, 23.3
CLASSES = (1, 3, 5)


def read_dish_subject(
    raw: dict[str, Any], own: set[str], where: str, shared: str, defaults: list[Default], catalogue: Catalogue
) -> DishSubject:
    """Return the culture of an arm; what the study leaves open comes from the sheets of line, medium and well."""
    _refuse_buffer(raw, own, where, shared)
    reader = SubjectReader(raw, own, where, shared, defaults)
    noted = reader.noted
    name = reader.text("cells")
    line: CellLine = catalogue.load("cells", name, reader.key("cells"))
    if line.warning:
        noted.note("cells", name, line.warning, line.volume.source, warning=True)
    medium_name = _named(reader, noted, "medium", line.media[0], catalogue, "media", f"the usual medium of {line.name}")
    medium: Medium = catalogue.load("media", medium_name)
    well_name = _named(reader, noted, "well", "well_96", catalogue, "wells", "a well of a 96-well plate")
    well: Well = catalogue.load("wells", well_name)
    place, dish = f"cells/{name}", f"wells/{well_name}"
    serum = reader.usual("serum", "%", 0.0, 1.0, medium.serum, f"media/{medium_name}")
    if serum == 0.0 and line.serum == "required":
        noted.note("serum", "0 %", f"{line.name} needs serum: cells may rest or die of its lack", "", warning=True)
    volume = reader.usual("volume", "uL", 1e-9, 1e-4, well.volume, dish)
    area = reader.usual("area", "cm^2", 1e-6, 1.0, well.area, dish)
    seeding = reader.usual("seeding_density", "1/cm^2", 1e4, 1e11, line.seeding_density, place)
    _refuse_crowd(reader, line, seeding)
    oxygen = reader.usual("oxygen", "%", 0.0, 1.0, well.oxygen, dish)
    carbon = reader.usual("carbon_dioxide", "%", 0.0, 0.3, well.carbon_dioxide, dish)
    temperature = reader.usual("temperature", "degC", 293.15, 318.15, well.temperature, dish)
    _note_cold(noted, temperature)
    ph = _ph(reader, noted, medium, carbon)
    classes = _classes(reader)
    feedback = reader.quantity("feedback", "1", 0.0, 10.0, 1.0, "proteins feel the peroxide there is in the cell")
    minerals = reader.has("minerals") and read_flag(reader, "minerals", False, "")
    reader.done()
    return DishSubject(
        cells=name,
        medium=medium_name,
        serum=serum,
        well=well_name,
        volume=volume,
        area=area,
        seeding_density=seeding,
        oxygen=oxygen,
        carbon_dioxide=carbon,
        temperature=temperature,
        ph=ph,
        cell_classes=classes,
        feedback=feedback,
        left_open=frozenset(reader.left_open),
        minerals=minerals,
    )


def _refuse_buffer(raw: dict[str, Any], own: set[str], where: str, shared: str) -> None:
    for key in TUBE_KEYS:
        if key in raw:
            action = 'A buffer is for `place = "tube"`; leave `medium` out for the usual one of the line.'
            at = f"{where if key in own else shared}.{key}"
            raise StudyError(at, f"`{key}` in a dish: cells without medium", "`medium`", action)


def _note_cold(noted: TableReader, temperature: float) -> None:
    if abs(temperature - 310.15) > 2.0:
        reason = "the constants of cells hold at 37 degC: rates inside cells do not change with temperature here"
        noted.note("temperature", display(temperature, "degC"), reason, "", warning=True)


def _classes(reader: SubjectReader) -> int:
    classes = reader.quantity("cell_classes", "1", 1, 5, 3, "classes for the spread between the cells of one well")
    if classes not in CLASSES:
        raise StudyError(reader.key("cell_classes"), f"{classes:g}", "1, 3 or 5")
    return int(classes)


def _refuse_crowd(reader: SubjectReader, line: CellLine, seeding: float) -> None:
    if seeding > line.confluent_density.si:
        full = display(line.confluent_density.si, "1/cm^2")
        action = "Seed fewer cells, or a larger well: `seeding_density` is per area."
        raise StudyError(
            reader.key("seeding_density"), display(seeding, "1/cm^2"), f"at most {full}, confluence", action
        )


def _named(
    reader: SubjectReader, noted: TableReader, key: str, default: str, catalogue: Catalogue, kind: str, reason: str
) -> str:
    """Return the id of a sheet that the study names, or the usual one."""
    if not reader.has(key):
        noted.note(key, default, reason)
        return default
    chosen = reader.table[key]
    if not isinstance(chosen, str) or chosen not in catalogue.ids(kind):
        found = "cells without medium" if chosen in ("", "none") and kind == "media" else f"`{chosen}`"
        expected = f"a {'medium' if kind == 'media' else 'well'} of the catalogue"
        raise StudyError(reader.key(key), found, expected, nearest(str(chosen), catalogue.ids(kind)))
    return chosen


def _ph(reader: SubjectReader, noted: TableReader, medium: Medium, carbon_dioxide: float) -> float:
    """Return the pH that a study states, or that which bicarbonate and carbon dioxide set."""
    if reader.has("ph"):
        return reader.quantity("ph", "1", 5.5, 8.5)
    salt = medium.bicarbonate.si
    if salt <= 0 or carbon_dioxide <= 0:
        noted.note("ph", "7.4", f"{medium.name} without bicarbonate or carbon dioxide: the usual pH")
        return 7.4
    ph = CARBONIC_PK + math.log10(salt / (CO2_PER_ATMOSPHERE * carbon_dioxide))
    ph = min(max(ph, 5.5), 8.5)
    reason = f"{display(salt, 'mmol/L')} bicarbonate under {display(carbon_dioxide, '%')} carbon dioxide"
    noted.note("ph", f"{ph:.2f}", reason, "severinghaus_1956")
    return ph
