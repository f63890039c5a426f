"""Read what a study says of radiation: beams of an arm, and what of a particle counts only under them."""

from __future__ import annotations

import itertools
import math
from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, StudyError, nearest
from nanotrial.reading import YEAR, Default, TableReader, each
from nanotrial.study.model import Arm, DishSubject, Irradiation, LightChain, Particle, RadiationBonds
from nanotrial.units import display

BONDS = ("diselenide", "disulfide", "nitrosothiol")
ORGANELLES = ("cytosol", "mitochondrion", "nucleus", "reticulum", "lysosome")
MOST_FRACTIONS = 100
MOST_DOSE, MOST_RATE = 1e5, 1e9


def read_irradiations(
    rows: list[Any], where: str, defaults: list[Default], catalogue: Catalogue
) -> tuple[Irradiation, ...]:
    """Return the beams of an arm in the order of their times; fractions are unfolded.

    Raises:
        StudyError: an unknown beam, two beams in one arm, a dose without a dose rate, or doses that overlap.
    """
    found = [one for many in each(rows, where, lambda r, w: _read(r, w, defaults, catalogue)) for one in many]
    found.sort(key=lambda one: one.time)
    if len({(one.beam, one.filters) for one in found}) > 1:
        names = " and ".join(f"`{n}`" for n in dict.fromkeys(one.beam for one in found))
        action = "The dose around particles is that of one spectrum: use one beam in an arm."
        raise StudyError(where, f"the beams {names}", "one beam", action)
    for first, second in itertools.pairwise(found):
        if second.time < first.end:
            text = f"a dose at {display(second.time, 'h')} while another is given until {display(first.end, 'h')}"
            raise StudyError(where, text, "one dose after the other")
    return tuple(found)


def _read(raw: object, where: str, defaults: list[Default], catalogue: Catalogue) -> list[Irradiation]:
    reader = TableReader(raw, where, defaults)
    beam = reader.text("beam")
    sheet = catalogue.load("beams", beam) if beam in catalogue.ids("beams") else None
    filters = {n: reader.checked(t, "mm", 0.0, 1.0, f"{where}.filters.{n}") for n, t in reader.named("filters").items()}
    dose = reader.quantity("absorbed_dose", "Gy", 0.0, MOST_DOSE)
    if sheet is not None and sheet.dose_rate is not None and not reader.has("dose_rate"):
        rate = sheet.dose_rate.si
        reader.note("dose_rate", display(rate, "Gy/min"), f"beams/{beam}", sheet.dose_rate.source)
    else:
        rate = reader.quantity("dose_rate", "Gy/min", 0.0, MOST_RATE)
    if dose > 0 and rate <= 0:
        action = "The dose would take for ever: say how fast it is given."
        raise StudyError(reader.key("dose_rate"), f"{display(dose, 'Gy')} at 0 Gy/min", "a dose rate above 0", action)
    time = reader.quantity("at", "h", 0.0, YEAR)
    count = reader.quantity("fractions", "1", 1, MOST_FRACTIONS) if reader.has("fractions") else 1.0
    if count != int(count):
        raise StudyError(reader.key("fractions"), f"{count:g}", f"a whole number from 1 to {MOST_FRACTIONS}")
    every = reader.quantity("every", "h", 1.0, YEAR) if count > 1 else 0.0
    reader.done()
    for text in check_beam(beam, filters, where, catalogue):
        reader.note("beam", beam, text)
    if dose == 0.0:
        return []
    chosen = tuple(sorted(filters.items()))
    return [Irradiation(beam, chosen, dose / count, rate, time + k * every) for k in range(int(count))]


def check_beam(beam: str, filters: dict[str, float], where: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what a beam takes for granted; one that cannot be made is refused with file and key of the study."""
    from nanotrial.radiation.beams import beam as make
    from nanotrial.radiation.beams import is_own, own_beam

    layers = {n: f"{t * 1e3:.12g} mm" for n, t in filters.items()} or None
    try:
        if is_own(beam, catalogue):
            return own_beam(beam, layers, catalogue).assumptions
        return make(beam, filters=layers).assumptions
    except StudyError:
        raise
    except InputError as error:
        key = error.where if error.where.startswith("filters") else "beam"
        raise StudyError(f"{where}.{key}", error.found, error.expected, error.action) from error


def check_sizes(arms: list[Arm], particles: dict[str, Particle], where: str, catalogue: Catalogue) -> None:
    """Refuse particles as wide as the cells in which a beam of the study finds them.

    Raises:
        StudyError: a particle at least as wide as a ball of the volume of a cell.
    """
    for arm in arms if any(arm.irradiations for arm in arms) else []:
        assert isinstance(arm.subject, DishSubject)
        across = (6.0 / math.pi * catalogue.load("cells", arm.subject.cells).volume.si) ** (1.0 / 3.0)
        for name in dict.fromkeys(a.name for a in arm.additions if a.kind == "particle"):
            if particles[name].diameter >= across:
                found = f"{display(particles[name].diameter, 'um')} in cells that are irradiated"
                raise StudyError(f"{where}.{name}.diameter", found, f"less than a cell: {display(across, 'um')}")


def read_shape(reader: TableReader, diameter: float) -> tuple[str, float]:
    """Return the shape of a particle, and its volume over that of a sphere of its diameter.

    Raises:
        StudyError: an unknown shape, or one without its second measure (``rod, length 60 nm``).
    """
    if not reader.has("shape"):
        return "sphere", 1.0
    from nanotrial.radiation.electrons.geometry import read_shape as read

    try:
        found = read(reader.text("shape"), diameter * 1e9)
    except InputError as error:
        raise StudyError(reader.key("shape"), error.found, error.expected, error.action) from error
    return found.text, found.solid_volume / (math.pi / 6.0 * (diameter * 1e9) ** 3)


def read_organelle(reader: TableReader) -> tuple[str, float]:
    """Return where in a cell particles come to lie, and which share of those inside; nothing said is lysosomes."""
    if not reader.has("organelle"):
        return "", 0.0
    inner = TableReader(reader.table["organelle"], reader.key("organelle"), reader.defaults)
    place = inner.choice("place", ORGANELLES)
    share = inner.quantity("share", "%", 0.0, 1.0)
    inner.done()
    return place, share


def read_light(reader: TableReader, diameter: float, catalogue: Catalogue) -> LightChain | None:
    """Return the chain from energy in a particle to light to what it makes, or None.

    Raises:
        StudyError: an unknown scintillator or acceptor, or a distance that lies outside reason.
    """
    if not reader.has("light"):
        return None
    inner = TableReader(reader.table["light"], reader.key("light"), reader.defaults)
    names = []
    for key, kind in (("scintillator", "scintillators"), ("acceptor", "photosensitisers")):
        name = inner.text(key)
        if name not in catalogue.ids(kind):
            raise StudyError(inner.key(key), f"`{name}`", f"one of the {kind}", nearest(name, catalogue.ids(kind)))
        names.append(name)
    fraction = inner.quantity("acceptor_fraction", "%", 1e-6, 0.9)
    distance = inner.quantity("distance", "nm", 1e-10, 1e-6, diameter / 4.0, "a quarter of the diameter")
    inner.done()
    return LightChain(names[0], names[1], fraction, distance)


def read_bonds(reader: TableReader) -> RadiationBonds | None:
    """Return the bonds of a particle that radicals cut, or None."""
    if not reader.has("bonds"):
        return None
    inner = TableReader(reader.table["bonds"], reader.key("bonds"), reader.defaults)
    kind = inner.choice("kind", BONDS)
    content = inner.quantity("content", "mmol/g", 1e-9, 50.0)
    inner.done()
    return RadiationBonds(kind, content)
