"""What a user writes: particle, subject, protocol, arms and measures, read strictly from one TOML file."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nanotrial.catalogue.lookup import ROOT, Catalogue, read_toml
from nanotrial.errors import CatalogueError, StudyError, nearest
from nanotrial.reading import Default, TableReader, each
from nanotrial.units import display, parse
from nanotrial.values import Value

YEAR = 365.25 * 86400.0
PLACES = ("tube",)
MOST_ARMS = 2000
TOP_KEYS = ("title", "place", "particle", "subject", "arm", "measure", "fits", "published")
ATMOSPHERES = ("air", "closed", "nitrogen")


@dataclass(frozen=True)
class Coat:
    """A coating: material and either mass fraction of the whole particle or thickness (m)."""

    material: str
    mass_fraction: float | None
    thickness: float | None


@dataclass(frozen=True)
class Particle:
    """A particle: core material, diameter (m) and its spread, coats, dopants (cation fraction)."""

    name: str
    core: str
    diameter: float
    geometric_sd: float
    size_classes: int
    coating: tuple[Coat, ...]
    dopants: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """The tube: buffer, its concentration (mol/m^3), pH, temperature (K), volume (m^3), depth (m), salt, gas."""

    buffer: str
    concentration: float
    ph: float
    temperature: float
    volume: float
    depth: float
    background_salt: float
    atmosphere: str
    carbon_dioxide: float


@dataclass(frozen=True)
class Addition:
    """Something given at a time (s): ``amount`` in SI of its basis per volume (mol/m^3, kg/m^3 or mol/s/m^3)."""

    kind: str
    name: str
    amount: float
    basis: str
    time: float


@dataclass(frozen=True)
class Removal:
    """A fraction taken out at a time (s): ``what`` is `medium` (replaced by fresh buffer) or a particle."""

    what: str
    fraction: float
    time: float


@dataclass(frozen=True)
class Arm:
    """One arm: its subject and its protocol."""

    name: str
    subject: Subject
    additions: tuple[Addition, ...]
    removals: tuple[Removal, ...]


@dataclass(frozen=True)
class Measure:
    """What is read out, when (s), and through which assay (empty: the true value)."""

    name: str
    times: tuple[float, ...]
    assay: str = ""


@dataclass(frozen=True)
class Study:
    """A whole study, validated; ``defaults`` lists every value it does not say itself."""

    title: str
    place: str
    path: Path
    text: str
    particles: dict[str, Particle]
    arms: tuple[Arm, ...]
    measures: tuple[Measure, ...]
    fits: tuple[str, ...]
    defaults: tuple[Default, ...]
    catalogue: Catalogue
    published: str = ""

    def arm(self, name: str) -> Arm:
        """Return an arm by name; a misspelt one raises with the nearest."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise StudyError(
            f"{self.path.name}: arm", f"`{name}`", "an arm of the study", nearest(name, [a.name for a in self.arms])
        )


def load_study(path: str | Path) -> Study:
    """Return the validated study of a TOML file.

    Sheets in a folder ``catalogue`` beside the file come before those of the package.

    Raises:
        StudyError, CatalogueError, UnitError: with file, key, what was found and what was expected.
    """
    file = Path(path)
    try:
        table = read_toml(file)
    except CatalogueError as error:
        raise StudyError(error.where, error.found, error.expected, error.action) from error
    own = file.parent / "catalogue"
    return read_study(table, file, Catalogue(own) if own.is_dir() else Catalogue())


def read_study(table: dict[str, Any], path: Path, catalogue: Catalogue) -> Study:
    """Return the validated study of a parsed table; ``path`` stands in messages."""
    defaults: list[Default] = []
    top = TableReader(table, f"{path.name}: ", defaults)
    top.asked += TOP_KEYS
    top.done()
    title = top.text("title")
    place = top.choice("place", PLACES)
    particles = {
        name: _read_particle(name, raw, f"{path.name}: particle.{name}", defaults, catalogue)
        for name, raw in top.named("particle").items()
    }
    subject = top.named("subject")
    rows = _expand(top.tables("arm"), f"{path.name}: arm")
    if not rows:
        raise StudyError(f"{path.name}: arm", "no arm", "at least one [[arm]]")
    arms = []
    for row, where in rows:
        arms.append(_read_arm(row, where, subject, f"{path.name}: subject", particles, defaults, catalogue))
    _no_duplicates(arms, path)
    measures = _read_measures(top.named("measure"), f"{path.name}: measure", defaults, catalogue, arms, particles)
    raw_fits = top.table.get("fits", [])
    if not isinstance(raw_fits, list) or not all(isinstance(f, str) for f in raw_fits):
        raise StudyError(f"{path.name}: fits", f"{raw_fits!r}", 'a list of fits such as ["calcium_peroxide_release"]')
    published = top.text("published") if top.has("published") else ""
    known = [p.parent.name for p in (ROOT / "systems").glob("*/published.toml")]
    if published and published not in known:
        raise StudyError(top.key("published"), f"`{published}`", "a system of the catalogue", nearest(published, known))
    text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    return Study(
        title,
        place,
        path,
        text,
        particles,
        tuple(arms),
        tuple(measures),
        tuple(raw_fits),
        tuple(defaults),
        catalogue,
        published,
    )


def _read_particle(name: str, raw: object, where: str, defaults: list[Default], catalogue: Catalogue) -> Particle:
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
    if reader.has("density"):
        _check_density(reader, material.density, coats, catalogue)
    reader.done()
    return Particle(name, core, diameter, spread, classes, tuple(coats), dopants)


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


def _expand(rows: list[Any], where: str) -> list[tuple[dict[str, Any], str]]:
    """Return arms with `vary` unfolded: every combination, `{key}` replaced in all texts of the arm."""
    result: list[tuple[dict[str, Any], str]] = []
    for i, row in enumerate(rows, 1):
        at = f"{where}[{i}]"
        if not isinstance(row, dict):
            raise StudyError(at, f"{row!r}", "a table")
        vary = row.get("vary")
        rest = {k: v for k, v in row.items() if k != "vary"}
        if vary is None:
            result.append((rest, at))
            continue
        if not isinstance(vary, dict) or not vary or not all(isinstance(v, list) and v for v in vary.values()):
            raise StudyError(f"{at}.vary", f"{vary!r}", 'lists such as { ph = [5.0, 6.0], particle = ["bare"] }')
        used = set(re.findall(r"\{(\w+)\}", str(rest)))
        for key in vary:
            if key not in used:
                raise StudyError(f"{at}.vary.{key}", "a list that no text uses", f"`{{{key}}}` somewhere in the arm")
        for key in used - set(vary):
            raise StudyError(at, f"`{{{key}}}`", "a key of `vary`", nearest(key, vary))
        if math.prod(len(values) for values in vary.values()) > MOST_ARMS:
            raise StudyError(f"{at}.vary", "too many combinations", f"at most {MOST_ARMS} arms", "Shorten the lists.")
        for combination in itertools.product(*vary.values()):
            chosen = dict(zip(vary, combination, strict=True))
            filled = _fill(rest, chosen)
            if isinstance(rest.get("name"), str):
                filled["name"] = str(filled["name"])  # "{ph}" alone is a name too
            result.append((filled, at))
    return result


def _fill(raw: Any, chosen: dict[str, Any]) -> Any:
    if isinstance(raw, str):
        whole = re.fullmatch(r"\{(\w+)\}", raw)
        if whole:
            return chosen[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda m: str(chosen[m[1]]), raw)
    if isinstance(raw, dict):
        return {k: _fill(v, chosen) for k, v in raw.items()}
    if isinstance(raw, list):
        return [_fill(v, chosen) for v in raw]
    return raw


def _read_arm(
    raw: dict[str, Any],
    where: str,
    subject: dict[str, Any],
    subject_where: str,
    particles: dict[str, Particle],
    defaults: list[Default],
    catalogue: Catalogue,
) -> Arm:
    reader = TableReader(raw, where, defaults)
    name = reader.text("name")
    at = f"{where} ({name})"
    own = reader.named("subject")
    read = _read_subject({**subject, **own}, set(own), f"{at}.subject", subject_where, defaults, catalogue)
    additions = each(
        reader.tables("add"), f"{at}.add", lambda row, w: _read_addition(row, w, particles, defaults, catalogue)
    )
    removals = each(
        reader.tables("remove"),
        f"{at}.remove",
        lambda row, w: _read_removal(row, w, {a.name for a in additions if a.basis != "solute"}, defaults),
    )
    reader.done()
    seen: set[tuple[str, float]] = set()
    for addition in additions:
        key = (addition.name, addition.time)
        if key in seen:
            raise StudyError(
                f"{at}.add",
                f"`{addition.name}` twice at {display(addition.time, 'h')}",
                "one addition of a thing at an instant",
                "Join the two amounts.",
            )
        seen.add(key)
    times = {r.time for r in removals}
    twice = [r.time for i, r in enumerate(removals) if r.time in {other.time for other in removals[:i]}]
    clash = sorted(times & {a.time for a in additions}) or sorted(twice)
    if clash:
        raise StudyError(
            f"{at}.remove",
            f"a removal at the instant of another event ({display(clash[0], 'h')})",
            "different instants",
            "Which comes first? Shift one by a second.",
        )
    return Arm(name, read, tuple(additions), tuple(removals))


class _SubjectReader(TableReader):
    """Reads the shared subject with an arm's own keys over it; messages name the table in which a key stands."""

    def __init__(self, table: object, own: set[str], where: str, shared: str, defaults: list[Default]) -> None:
        """Keep which keys are the arm's own."""
        super().__init__(table, where, defaults)
        self.own, self.shared = own, shared

    def key(self, name: str) -> str:
        """Return the full key, in the arm or in the shared subject."""
        return f"{self.where if name in self.own else self.shared}.{name}"


def _read_subject(
    raw: dict[str, Any], own: set[str], where: str, shared: str, defaults: list[Default], catalogue: Catalogue
) -> Subject:
    reader = _SubjectReader(raw, own, where, shared, defaults)
    vessel = catalogue.load("vessels", "tube")
    noted = TableReader(raw, shared, defaults)

    def usual(name: str, unit: str, low: float, high: float) -> float:
        if name in raw:
            return reader.quantity(name, unit, low, high)
        value: Value = getattr(vessel, name)
        reader.asked.append(name)
        noted.note(name, display(value.si, unit, 4), f"vessels/tube, {value.grade}", value.source)
        return value.si

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
        reader.note(
            "ph",
            f"{ph:g}",
            f"outside the usual range of {sheet.name}, {low:g} to {high:g}: it holds its pH weakly",
            sheet.low_ph.source,
        )
    temperature = usual("temperature", "degC", 273.15, 373.15)
    volume = usual("volume", "mL", 1e-12, 1e-2)
    depth = usual("depth", "mm", 1e-5, 1.0)
    salt = usual("background_salt", "mmol/L", 0.0, 5000.0)
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
    reader.done()
    return Subject(buffer, concentration, ph, temperature, volume, depth, salt, atmosphere, carbon)


def _read_addition(
    raw: object, where: str, particles: dict[str, Particle], defaults: list[Default], catalogue: Catalogue
) -> Addition:
    reader = TableReader(raw, where, defaults)
    time = reader.quantity("at", "h", 0.0, YEAR, 0.0, "given at the start")
    if reader.has("particle") == reader.has("agent"):
        found = "both" if reader.has("agent") else "neither"
        raise StudyError(where, found, "either `particle` or `agent`")
    if reader.has("particle"):
        name = reader.text("particle")
        if name not in particles:
            raise StudyError(reader.key("particle"), f"`{name}`", "a particle of this study", nearest(name, particles))
        amount, basis = _particle_amount(reader, particles[name], catalogue)
        reader.done()
        return Addition("particle", name, amount, basis, time)
    name = reader.text("agent")
    sheet = catalogue.load("agents", name, reader.key("agent"))
    unit, top = ("U/mL", 1e9) if sheet.kind == "enzyme" else ("mmol/L", 5000.0)
    amount = reader.quantity("concentration", unit, 0.0, top)
    reader.done()
    return Addition("agent", name, amount, sheet.kind, time)


def _particle_amount(reader: TableReader, particle: Particle, catalogue: Catalogue) -> tuple[float, str]:
    """Return moles of core formula units per m^3 and the basis in which they were given."""
    material = catalogue.load("materials", particle.core)
    products = material.dissolution.products
    solutes = [s for s in products if s not in ("hydrogen_peroxide", "carbonate")]
    basis = reader.choice("basis", [*solutes, "core", "mass"], solutes[0], "the metal of the core")
    if basis == "mass":
        # The mass is that of the whole particle; the core's share is left when the coat is taken off.
        mass = reader.quantity("concentration", "mg/mL", 0.0, 100.0)
        share = 1.0 - sum(c.mass_fraction or 0.0 for c in particle.coating)
        if any(c.thickness for c in particle.coating):
            raise StudyError(reader.key("basis"), "`mass` with a coat given by thickness", "basis `core`, or a metal")
        return mass * share / material.molar_mass.si, basis
    moles = reader.quantity("concentration", "mmol/L", 0.0, 5000.0)
    return moles / (products[basis] if basis != "core" else 1.0), basis


def _read_removal(raw: object, where: str, given: set[str], defaults: list[Default]) -> Removal:
    reader = TableReader(raw, where, defaults)
    what = reader.choice("what", ["medium", *sorted(given)])
    fraction = reader.quantity("fraction", "1", 1e-6, 1.0, 1.0, "all of it")
    time = reader.quantity("at", "h", 1e-9, YEAR)
    reader.done()
    return Removal(what, fraction, time)


def _no_duplicates(arms: list[Arm], path: Path) -> None:
    seen: set[str] = set()
    for arm in arms:
        if arm.name in seen:
            raise StudyError(
                f"{path.name}: arm",
                f"the name `{arm.name}` twice",
                "a name of its own for each arm",
                "With `vary`, put every varied key into the name.",
            )
        seen.add(arm.name)


def _read_measures(
    raw: dict[str, Any],
    where: str,
    defaults: list[Default],
    catalogue: Catalogue,
    arms: list[Arm],
    particles: dict[str, Particle],
) -> list[Measure]:
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


def parse_time(text: object, where: str) -> float:
    """Return a time in s from a text such as ``"12 h"``."""
    return parse(text, "h", where)
