"""Read particles and the subject of a study."""

from __future__ import annotations

import re
from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default, TableReader, each
from nanotrial.study.irradiation import read_bonds, read_light, read_organelle, read_shape
from nanotrial.study.minerals import read_body_fluid, read_flag, read_surface
from nanotrial.study.model import Coat, Particle, Subject, TubeSurface
from nanotrial.units import display
from nanotrial.values import Value

ATMOSPHERES = ("air", "closed", "nitrogen")


def read_particle(name: str, raw: object, where: str, defaults: list[Default], catalogue: Catalogue) -> Particle:
    """Return a particle; sizes, coats and dopants are checked against the sheets of its parts."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) or name == "medium":
        raise StudyError(where, f"the particle name `{name}`", "letters, digits, _ and - (and not `medium`)")
    reader = TableReader(raw, where, defaults)
    core = reader.text("core")
    material = catalogue.load("materials", core, reader.key("core"))
    diameter = reader.quantity("diameter", "nm", 0.5e-9, 1e-4)
    spread = reader.quantity("geometric_sd", "1", 1.0, 4.0, 1.0, "one size: the study gives no spread of diameters")
    classes = 1
    if spread > 1.0:
        count = reader.quantity("size_classes", "1", 3, 41, 9, "quadrature of the lognormal sizes")
        classes = int(count)
        if classes != count:
            raise StudyError(reader.key("size_classes"), f"{count:g}", "a whole number from 3 to 41")
    elif reader.has("size_classes"):
        raise StudyError(reader.key("size_classes"), "classes of one size", "a `geometric_sd` above 1 beside it")
    coats = each(
        reader.tables("coating"), reader.key("coating"), lambda row, at: _read_coat(row, at, defaults, catalogue)
    )
    if len(coats) > 1:
        raise StudyError(
            reader.key("coating"), f"{len(coats)} coats", "one coat", "Layered coats are not modelled yet."
        )
    dopants = {}
    for dopant, fraction in reader.named("dopants").items():
        at = f"{reader.key('dopants')}.{dopant}"
        if dopant not in material.dopants:
            raise StudyError(
                at, "an unknown dopant", f"a dopant in the sheet of {core}", nearest(dopant, material.dopants)
            )
        dopants[dopant] = reader.checked(fraction, "1", 0.0, 0.5, at)
    hydrodynamic = density = None
    if reader.has("hydrodynamic_diameter"):
        hydrodynamic = reader.quantity("hydrodynamic_diameter", "nm", diameter, 1e-4)
    if reader.has("effective_density"):
        density = reader.quantity("effective_density", "g/cm^3", 950.0, 2.5e4)
    if reader.has("density"):
        _check_density(reader, material.density, coats, catalogue)
    (shape, volume), (organelle, part) = read_shape(reader, diameter), read_organelle(reader)
    light, bonds = read_light(reader, diameter, catalogue), read_bonds(reader)
    reader.done()
    return Particle(
        name, core, diameter, spread, classes, tuple(coats), dopants, hydrodynamic, density,
        shape, volume, organelle, part, light, bonds,
    )  # fmt: skip


def _check_density(reader: TableReader, core: Value, coats: list[Coat], catalogue: Catalogue) -> None:
    """Refuse a stated density outside the range its parts can reach; inside it, the parts set the density."""
    found = reader.quantity("density", "kg/m^3", 1.0, 3e4)
    parts = [core.si, *(catalogue.load("coatings", c.material).density.si for c in coats)]
    if not 0.98 * min(parts) <= found <= 1.02 * max(parts):
        span = f"{display(min(parts), 'g/cm^3')} to {display(max(parts), 'g/cm^3')} (core and coat)"
        action = "The density follows from the parts: leave it out."
        raise StudyError(reader.key("density"), display(found, "g/cm^3"), span, action)


def _read_coat(raw: object, where: str, defaults: list[Default], catalogue: Catalogue) -> Coat:
    reader = TableReader(raw, where, defaults)
    material = reader.text("material")
    sheet = catalogue.load("coatings", material, reader.key("material"))
    fraction = reader.quantity("mass_fraction", "1", 0.001, 0.95) if reader.has("mass_fraction") else None
    thickness = None
    if reader.has("thickness"):
        thickness = reader.quantity("thickness", "nm", 1e-11, sheet.maximum_thickness.si)
    if (fraction is None) == (thickness is None):
        raise StudyError(where, "neither" if fraction is None else "both", "either `mass_fraction` or `thickness`")
    reader.done()
    return Coat(material, fraction, thickness)


class SubjectReader(TableReader):
    """Reads the shared subject with an arm's own keys over it; messages name the table in which a key stands."""

    def __init__(self, table: object, own: set[str], where: str, shared: str, defaults: list[Default]) -> None:
        """Keep which keys are the arm's own."""
        super().__init__(table, where, defaults)
        self.own, self.shared = own, shared
        self.noted = TableReader(table, shared, defaults)
        self.left_open: set[str] = set()

    def key(self, name: str) -> str:
        """Return the full key, in the arm or in the shared subject."""
        return f"{self.where if name in self.own else self.shared}.{name}"

    def usual(self, name: str, unit: str, low: float, high: float, value: Value, sheet: str) -> float:
        """Return an SI number that the study says, or that of a sheet, which is noted and counts as left open."""
        if name in self.table:
            return self.quantity(name, unit, low, high)
        self.asked.append(name)
        self.left_open.add(name)
        self.noted.note(name, display(value.si, unit, 4), f"{sheet}, {value.grade}", value.source)
        return value.si


def read_subject(
    raw: dict[str, Any], own: set[str], where: str, shared: str, defaults: list[Default], catalogue: Catalogue
) -> Subject:
    """Return the tube of an arm; what the study leaves open comes from the sheet of the vessel."""
    reader = SubjectReader(raw, own, where, shared, defaults)
    vessel = catalogue.load("vessels", "tube")
    noted = reader.noted
    if "solution" in raw:
        return _fluid_subject(reader, catalogue, vessel)
    buffer, concentration, ph = _buffer(reader, catalogue)
    sheet_of_it = "vessels/tube"
    temperature = reader.usual("temperature", "degC", 273.15, 373.15, vessel.temperature, sheet_of_it)
    volume = reader.usual("volume", "mL", 1e-12, 1e-2, vessel.volume, sheet_of_it)
    depth = reader.usual("depth", "mm", 1e-5, 1.0, vessel.depth, sheet_of_it)
    salt = reader.usual("background_salt", "mmol/L", 0.0, 5000.0, vessel.background_salt, sheet_of_it)
    if "atmosphere" not in raw:
        noted.note("atmosphere", vessel.atmosphere, "vessels/tube")
    atmosphere = reader.choice("atmosphere", ATMOSPHERES) if reader.has("atmosphere") else vessel.atmosphere
    air = catalogue.load("solutes", "carbonate").gas.air_fraction
    carbon = air.si if atmosphere == "air" else 0.0
    if reader.has("carbon_dioxide"):
        carbon = reader.quantity("carbon_dioxide", "%", 0.0, 1.0)
        if atmosphere != "air":
            raise StudyError(reader.key("carbon_dioxide"), f"carbon dioxide in `{atmosphere}`", 'atmosphere = "air"')
    elif atmosphere == "air":
        noted.note("carbon_dioxide", display(carbon, "%", 3), "share in air", air.source)
    minerals, surface = _minerals(reader, defaults, catalogue, False)
    renewal = _renewal(reader)
    reader.done()
    return Subject(
        buffer, concentration, ph, temperature, volume, depth, salt, atmosphere, carbon, frozenset(reader.left_open),
        minerals=minerals, surface=surface, renewal=renewal,
    )  # fmt: skip


def _buffer(reader: SubjectReader, catalogue: Catalogue) -> tuple[str, float, float]:
    """Return buffer, concentration (mol/m^3) and pH."""
    buffer = reader.text("buffer")
    sheet = catalogue.load("buffers", buffer, reader.key("buffer"))
    concentration = 0.0
    if sheet.solutes:
        concentration = reader.quantity("concentration", "mmol/L", 1e-6, 2000.0)
    elif reader.has("concentration"):
        raise StudyError(reader.key("concentration"), "a concentration of plain water", "no key `concentration`")
    ph = reader.quantity("ph", "1", 0.0, 14.0)
    low, high = sheet.low_ph.si, sheet.high_ph.si
    if not low <= ph <= high:
        reader.noted.note(
            "ph",
            f"{ph:g}",
            f"outside the usual range of {sheet.name}, {low:g} to {high:g}: it holds its pH weakly",
            sheet.low_ph.source,
        )
    return buffer, concentration, ph


def _renewal(reader: SubjectReader) -> float:
    """Return how often a second the fluid is replaced by a flow of fresh fluid; nothing said is a closed batch."""
    return reader.quantity("renewal", "1/h", 0.0, 1.0) if reader.has("renewal") else 0.0


def _minerals(
    reader: SubjectReader, defaults: list[Default], catalogue: Catalogue, usual: bool
) -> tuple[bool, TubeSurface | None]:
    """Return whether minerals that nucleate are followed, and the surface in the tube."""
    reason = "a body fluid" if usual else "minerals that form slowly; say minerals = true to follow them"
    followed = read_flag(reader, "minerals", usual, reason)
    if not reader.has("surface"):
        return followed, None
    if not followed:
        raise StudyError(reader.key("surface"), "a surface where no minerals are followed", "`minerals = true`")
    return followed, read_surface(reader.table["surface"], reader.key("surface"), defaults, catalogue)


def _fluid_subject(reader: SubjectReader, catalogue: Catalogue, vessel: Any) -> Subject:
    """Return a tube of body fluid; what the study leaves open comes from the sheets of the fluid and the vessel."""
    for key in ("buffer", "concentration", "carbon_dioxide"):
        if reader.has(key):
            raise StudyError(reader.key(key), f"`{key}` beside `solution`", "a body fluid or a buffer, not both")
    fluid = read_body_fluid(reader, catalogue)
    sheet, place = catalogue.load("body_fluids", fluid.name), f"body_fluids/{fluid.name}"
    ph = reader.usual("ph", "1", 0.0, 14.0, sheet.ph, place)
    temperature = reader.usual("temperature", "degC", 273.15, 373.15, sheet.temperature, place)
    volume = reader.usual("volume", "mL", 1e-12, 1e-2, vessel.volume, "vessels/tube")
    depth = reader.usual("depth", "mm", 1e-5, 1.0, vessel.depth, "vessels/tube")
    salt = reader.quantity("background_salt", "mmol/L", 0.0, 5000.0, 0.0, "every ion of the fluid is counted")
    atmosphere = reader.choice("atmosphere", ATMOSPHERES, "closed", "a closed bottle")
    carbon = 0.0
    if atmosphere == "air":
        air = sheet.carbon_dioxide or catalogue.load("solutes", "carbonate").gas.air_fraction
        carbon = air.si
        reader.noted.note("carbon_dioxide", display(carbon, "%", 3), "share above the fluid", air.source)
    minerals, surface = _minerals(reader, reader.defaults, catalogue, True)
    renewal = _renewal(reader)
    reader.done()
    return Subject(
        "", 0.0, ph, temperature, volume, depth, salt, atmosphere, carbon, frozenset(reader.left_open),
        fluid, minerals, surface, renewal,
    )  # fmt: skip
