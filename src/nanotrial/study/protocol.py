"""Read the arms of a study: combinations of `vary`, additions and removals."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path
from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import YEAR, Default, TableReader, each
from nanotrial.study.dish import read_dish_subject
from nanotrial.study.irradiation import read_irradiations
from nanotrial.study.model import Addition, Arm, Particle, Removal
from nanotrial.study.parts import read_subject
from nanotrial.units import display

MOST_ARMS = 2000


def expand_arms(rows: list[Any], where: str) -> list[tuple[dict[str, Any], str]]:
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


def read_arm(
    raw: dict[str, Any],
    where: str,
    subject: dict[str, Any],
    subject_where: str,
    particles: dict[str, Particle],
    defaults: list[Default],
    catalogue: Catalogue,
    place: str = "tube",
) -> Arm:
    """Return an arm: its own subject over the shared one, its additions and removals."""
    reader = TableReader(raw, where, defaults)
    name = reader.text("name")
    at = f"{where} ({name})"
    own = reader.named("subject")
    read_place = read_dish_subject if place == "dish" else read_subject
    read = read_place({**subject, **own}, set(own), f"{at}.subject", subject_where, defaults, catalogue)
    additions = each(
        reader.tables("add"), f"{at}.add", lambda row, w: read_addition(row, w, particles, defaults, catalogue, place)
    )
    removals = each(
        reader.tables("remove"),
        f"{at}.remove",
        lambda row, w: read_removal(
            row, w, {a.name for a in additions if a.basis not in ("solute", "inducer")}, defaults
        ),
    )
    irradiations = read_irradiations(reader.tables("irradiate"), f"{at}.irradiate", defaults, catalogue)
    reader.done()
    induced = [a.name for a in additions if a.kind == "inducer"]
    if induced and not read.minerals:
        raise StudyError(f"{at}.add", f"the inducer `{induced[0]}` where no minerals are followed", "`minerals = true`")
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
    return Arm(name, read, tuple(additions), tuple(removals), irradiations)


def read_addition(
    raw: object,
    where: str,
    particles: dict[str, Particle],
    defaults: list[Default],
    catalogue: Catalogue,
    place: str = "tube",
) -> Addition:
    """Return an addition of a particle or an agent."""
    reader = TableReader(raw, where, defaults)
    time = reader.quantity("at", "h", 0.0, YEAR, 0.0, "given at the start")
    given = [key for key in ("particle", "agent", "inducer") if reader.has(key)]
    if len(given) != 1:
        found = " and ".join(f"`{key}`" for key in given) or "none of them"
        raise StudyError(where, found, "one of `particle`, `agent` and `inducer`")
    if given == ["inducer"]:
        return _read_inducer(reader, time, catalogue, place)
    if reader.has("particle"):
        name = reader.text("particle")
        if name not in particles:
            raise StudyError(reader.key("particle"), f"`{name}`", "a particle of this study", nearest(name, particles))
        if place == "dish" and not reader.has("basis"):
            metals = catalogue.load("materials", particles[name].core).metals
            found, action = "a concentration without its basis", "Say what the number counts: papers differ in it."
            allowed = " or ".join(f"`{b}`" for b in [*metals, "core", "mass"])
            raise StudyError(reader.key("basis"), found, allowed, action)
        amount, basis = _particle_amount(reader, particles[name], catalogue)
        reader.done()
        return Addition("particle", name, amount, basis, time)
    name = reader.text("agent")
    sheet = catalogue.load("agents", name, reader.key("agent"))
    if place == "tube" and sheet.kind not in ("enzyme", "solute"):
        raise StudyError(
            reader.key("agent"), f"`{name}`, which acts on cells", "an enzyme or a salt", 'Use place = "dish".'
        )
    unit, top = ("U/mL", 1e9) if sheet.kind == "enzyme" else ("mmol/L", 5000.0)
    amount = reader.quantity("concentration", unit, 0.0, top)
    reader.done()
    return Addition("agent", name, amount, sheet.kind, time)


def _read_inducer(reader: TableReader, time: float, catalogue: Catalogue, place: str) -> Addition:
    """Return an addition of an inducer of mineral to the medium of cells."""
    name = reader.text("inducer")
    catalogue.load("inducers", name, reader.key("inducer"))
    if place == "tube":
        action = 'Put it on a surface: [subject] surface = { area = "1 cm^2", inducer = "...", cover = "50 %" }.'
        raise StudyError(reader.key("inducer"), f"`{name}` in a tube", "cells to which it binds", action)
    amount = reader.quantity("concentration", "umol/L", 0.0, 10.0)
    reader.done()
    return Addition("inducer", name, amount, "inducer", time)


def _particle_amount(reader: TableReader, particle: Particle, catalogue: Catalogue) -> tuple[float, str]:
    """Return moles of core formula units per m^3 and the basis in which they were given."""
    material = catalogue.load("materials", particle.core)
    products = material.products
    solutes = material.metals
    usual, why = (solutes[0], "the metal of the core") if solutes else ("core", "formula units of the core")
    basis = reader.choice("basis", [*solutes, "core", "mass"], usual, why)
    if basis == "mass":
        # The mass is that of the whole particle; the core's share is left when the coat is taken off.
        mass = reader.quantity("concentration", "mg/mL", 0.0, 100.0)
        share = 1.0 - sum(c.mass_fraction or 0.0 for c in particle.coating)
        if any(c.thickness for c in particle.coating):
            raise StudyError(reader.key("basis"), "`mass` with a coat given by thickness", "basis `core`, or a metal")
        return mass * share / material.molar_mass.si, basis
    moles = reader.quantity("concentration", "mmol/L", 0.0, 5000.0)
    return moles / (products[basis] if basis != "core" else 1.0), basis


def read_removal(raw: object, where: str, given: set[str], defaults: list[Default]) -> Removal:
    """Return a removal of medium, particles or an enzyme."""
    reader = TableReader(raw, where, defaults)
    what = reader.choice("what", ["medium", *sorted(given)])
    fraction = reader.quantity("fraction", "1", 1e-6, 1.0, 1.0, "all of it")
    time = reader.quantity("at", "h", 1e-9, YEAR)
    reader.done()
    return Removal(what, fraction, time)


def refuse_duplicates(arms: list[Arm], path: Path) -> None:
    """Refuse two arms of one name."""
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
