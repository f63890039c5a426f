"""What a user writes: particle, subject, protocol, arms and measures, read strictly from one TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanotrial.catalogue.lookup import ROOT, Catalogue, read_toml
from nanotrial.errors import CatalogueError, StudyError, nearest
from nanotrial.reading import YEAR, Default, TableReader
from nanotrial.study.cohort import read_cohort
from nanotrial.study.irradiation import check_sizes
from nanotrial.study.measures import measure_names, measure_unit, read_measures, shown_amount
from nanotrial.study.minerals import follow_minerals, refuse_mixed_minerals
from nanotrial.study.model import (
    Addition,
    Arm,
    Coat,
    Cohort,
    DishSubject,
    Irradiation,
    Measure,
    Particle,
    Removal,
    Study,
    Subject,
)
from nanotrial.study.parts import read_particle
from nanotrial.study.protocol import expand_arms, read_arm, refuse_duplicates
from nanotrial.units import display

__all__ = [
    "Addition",
    "Arm",
    "Coat",
    "Cohort",
    "DishSubject",
    "Irradiation",
    "Measure",
    "Particle",
    "Removal",
    "Study",
    "Subject",
    "load_study",
    "measure_names",
    "measure_unit",
    "read_study",
    "shown_amount",
]
PLACES = ("tube", "dish")
TOP_KEYS = ("title", "place", "particle", "subject", "arm", "measure", "fits", "published", "duration", "cohort")


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
        name: read_particle(name, raw, f"{path.name}: particle.{name}", defaults, catalogue)
        for name, raw in top.named("particle").items()
    }
    if place == "dish":
        _note_sizes(particles, f"{path.name}: particle", defaults)
    subject = top.named("subject")
    rows = expand_arms(top.tables("arm"), f"{path.name}: arm")
    if not rows:
        raise StudyError(f"{path.name}: arm", "no arm", "at least one [[arm]]")
    if place == "dish":
        found, asked = [row for row, _ in rows], top.named("measure")
        subject = follow_minerals(subject, found, asked, f"{path.name}: subject", defaults, catalogue)
    arms = []
    for row, where in rows:
        arms.append(read_arm(row, where, subject, f"{path.name}: subject", particles, defaults, catalogue, place))
    refuse_duplicates(arms, path)
    if place == "dish":
        refuse_mixed_minerals(arms, f"{path.name}: arm")
        check_sizes(arms, particles, f"{path.name}: particle", catalogue)
    measures = read_measures(top.named("measure"), f"{path.name}: measure", defaults, catalogue, arms, particles, place)
    _check_end(top, place, measures, arms)
    cohort = read_cohort(top.table.get("cohort", {}), f"{path.name}: cohort", defaults, arms, place)
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
        cohort,
    )


LONGEST_CULTURE = 96 * 3600.0


def _check_end(top: TableReader, place: str, measures: list[Measure], arms: list[Arm]) -> None:
    """Refuse what is read out or given after the end of the experiment."""
    end, reason = YEAR, "the longest experiment"
    if place == "dish":
        end, reason = LONGEST_CULTURE, "what a culture lives through without fresh medium (96 h)"
    if top.has("duration"):
        end = top.quantity("duration", "h", 1.0, end)
        reason = "the `duration` of the experiment"
    most = f"at most {display(end, 'h', 4)}, {reason}"
    for measure in measures:
        if measure.times[-1] > end:
            raise StudyError(
                f"{top.where}measure.{measure.name}", f"a time of {display(measure.times[-1], 'h', 4)}", most
            )
    for arm in arms:
        beams = (i.end for i in arm.irradiations)
        last = max([0.0, *(a.time for a in arm.additions), *(r.time for r in arm.removals), *beams])
        if last > end:
            raise StudyError(f"{top.where}arm ({arm.name})", f"an event at {display(last, 'h', 4)}", most)


def _note_sizes(particles: dict[str, Particle], where: str, defaults: list[Default]) -> None:
    """Write down how particles move in a medium where the study does not say it."""
    for name, particle in particles.items():
        if particle.hydrodynamic_diameter is None:
            reason = "one by one: the study gives no size in the medium"
            defaults.append(Default(f"{where}.{name}.hydrodynamic_diameter", "core and coat", reason))
        if particle.effective_density is None:
            reason = "one core in water of that size: the study gives no density in the medium"
            defaults.append(Default(f"{where}.{name}.effective_density", "from core and size", reason))
