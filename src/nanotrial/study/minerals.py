"""Read what a study says of body fluids, of surfaces in a tube, and of minerals, and what minerals show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import StudyError, nearest
from nanotrial.reading import Default, TableReader
from nanotrial.study.model import Arm, BodyFluidChoice, Subject, TubeSurface
from nanotrial.units import display

# What a tube and a dish with minerals show, with the unit.
TUBE_MINERALS = {
    "solid_calcium": "mmol/L",
    "solid_phosphate": "mmol/L",
    "calcium_to_phosphorus": "1",
    "mineral_cover": "1",
}
DISH_MINERALS = {
    "mineral_calcium": "fmol",
    "mineral_phosphate": "fmol",
    "membrane_calcium": "fmol",
    "calcium_to_phosphorus": "1",
    "mineral_cover": "1",
    "mineral_thickness": "nm",
    "calcified_area": "1",
    "membrane_fluidity": "1",
    "protein_binding": "1",
    "ct_number": "1",
}
INDUCER_MEASURES = {"inducer_bound": "fmol", "gathered_calcium": "fmol"}
# What the measures of a phase end in, beside its amount.
PHASE_ENDS = ("_share", "_saturation")
# Minerals of iron in lysosomes, where particles give off iron: ``lysosomal_<phase>`` and ``lysosomal_<phase>_rival``.
LYSOSOMAL, LYSOSOMAL_UNIT = "lysosomal_", "fmol"
IN_LYSOSOMES, IRON = ("calcium", "oxygen", "phosphate"), ("iron_2", "iron_3")
# Stains that read the calcified area; the first is the usual one.
STAINED = "calcified_area"
USUAL_STAIN = "alizarin_red_s"


def phase_measures(phases: list[str]) -> dict[str, str]:
    """Return what each phase shows: amount per volume, saturation index, its share of what diffracts, its rival's."""
    shown: dict[str, str] = {}
    for phase in phases:
        shown |= {phase: "mmol/L", f"{phase}_saturation": "1", f"{phase}_share": "1", f"{phase}_rival_share": "1"}
    return shown


def phases_of(catalogue: Catalogue, solutes: set[str]) -> list[str]:
    """Return the phases that components can form, in the order of the catalogue."""
    found = []
    for identifier in catalogue.ids("phases"):
        phase = catalogue.load("phases", identifier)
        known = phase.growth is not None or phase.relaxation_rate is not None
        if known and all(p in solutes for p in phase.products):
            found.append(identifier)
    return found


def lysosomal_measures(catalogue: Catalogue, products: set[str]) -> list[str]:
    """Return what minerals of iron in lysosomes show, where particles give these dissolution products."""
    if products.isdisjoint(IRON):
        return []
    phases = phases_of(catalogue, products.union(IN_LYSOSOMES))
    found = [i for i in phases if not set(IRON).isdisjoint(catalogue.load("phases", i).products)]
    return [f"{LYSOSOMAL}{i}{end}" for i in found for end in ("", "_rival")]


def read_body_fluid(reader: TableReader, catalogue: Catalogue) -> BodyFluidChoice:
    """Return the fluid of a tube: its sheet, how strong, what is left out, what is set otherwise (mol/m^3)."""
    name = reader.text("solution")
    sheet = catalogue.load("body_fluids", name, reader.key("solution"))
    strength = reader.quantity("strength", "1", 1e-3, 10.0, 1.0, f"{sheet.name} as it is")
    without = reader.tables("without")
    for one in without:
        if not isinstance(one, str) or one not in sheet.solutes:
            found = f"`{one}`"
            raise StudyError(
                reader.key("without"), found, f"a component of {sheet.name}", nearest(str(one), sheet.solutes)
            )
    changed = {}
    for solute, amount in reader.named("solutes").items():
        at = f"{reader.key('solutes')}.{solute}"
        if solute not in catalogue.ids("solutes"):
            known = catalogue.ids("solutes")
            raise StudyError(at, f"`{solute}`", "a dissolved component of the catalogue", nearest(solute, known))
        if solute in without:
            raise StudyError(at, f"`{solute}`, which `without` leaves out", "a component set or left out, not both")
        changed[solute] = reader.checked(amount, "mmol/L", 0.0, 5000.0, at)
    return BodyFluidChoice(name, strength, tuple(without), changed)


def read_surface(raw: object, where: str, defaults: list[Default], catalogue: Catalogue) -> TubeSurface:
    """Return a surface in a tube: its area (m^2), and the inducer on a share of it."""
    reader = TableReader(raw, where, defaults)
    area = reader.quantity("area", "cm^2", 1e-9, 1e4)
    inducer, cover = "", 0.0
    if reader.has("inducer"):
        inducer = reader.text("inducer")
        catalogue.load("inducers", inducer, reader.key("inducer"))
        cover = reader.quantity("cover", "1", 0.0, 1.0)
    elif reader.has("cover"):
        raise StudyError(reader.key("cover"), "a cover of nothing", "`inducer` beside it")
    reader.done()
    return TubeSurface(area, inducer, cover)


def follow_minerals(
    subject: dict[str, Any],
    rows: list[Any],
    measures: dict[str, Any],
    where: str,
    defaults: list[Default],
    catalogue: Catalogue,
) -> dict[str, Any]:
    """Return the shared subject of a dish with ``minerals`` set: what the study says, or whether it needs them."""
    if "minerals" in subject or any("minerals" in _own(row) for row in rows):
        return subject
    induced = any("inducer" in one for row in rows for one in row.get("add", []) if isinstance(one, dict))
    asked = [m for m in measures if needs_minerals(m, catalogue.ids("phases"))]
    if not induced and not asked:
        defaults.append(Default(f"{where}.minerals", "not followed", "no inducer is given and no measure shows them"))
        return subject
    reason = "an inducer is given" if induced else f"the study measures {asked[0]}"
    defaults.append(Default(f"{where}.minerals", "followed", reason))
    return {**subject, "minerals": True}


def _own(row: dict[str, Any]) -> dict[str, Any]:
    own = row.get("subject", {})
    return own if isinstance(own, dict) else {}


def needs_minerals(measure: str, phases: Sequence[str] = ()) -> bool:
    """Say whether a measure exists only where minerals are followed; ``phases`` are those of the catalogue."""
    own = TUBE_MINERALS | DISH_MINERALS | INDUCER_MEASURES
    return measure in own or measure in phases or measure.startswith(LYSOSOMAL) or measure.endswith(PHASE_ENDS)


def refuse_mixed_minerals(arms: list[Arm], where: str) -> None:
    """Refuse a dish in which some arms follow minerals: the others would be compared though they could form none."""
    bare = [arm.name for arm in arms if not arm.subject.minerals]
    if bare and len(bare) < len(arms):
        found = f"minerals followed in some arms and not in `{bare[0]}`"
        raise StudyError(where, found, "one `minerals` for all arms", "Write it under [subject].")


def read_flag(reader: TableReader, name: str, default: bool, shown: str) -> bool:
    """Return true or false; a default is noted in words."""
    if not reader.has(name):
        reader.note(name, "followed" if default else "not followed", shown)
        return default
    raw = reader.table[name]
    if not isinstance(raw, bool):
        raise StudyError(reader.key(name), f"{raw!r}", "true or false")
    return raw


def shown_fluid(subject: Subject) -> str:
    """Return the fluid of a tube as people write it: a buffer and its concentration, or a body fluid."""
    choice = subject.fluid
    if choice is None:
        held = display(subject.concentration, "mmol/L", 4)
        return f"{subject.buffer} {held}" if subject.concentration else subject.buffer
    parts = [choice.name if choice.strength == 1.0 else f"{choice.strength:g} x {choice.name}"]
    parts += [f"without {one}" for one in choice.without]
    parts += [f"{one} {display(amount, 'mmol/L', 4)}" for one, amount in choice.solutes.items()]
    return ", ".join(parts)


def shown_surface(surface: TubeSurface | None) -> str:
    """Return a surface in a tube as people write it; nothing where there is none."""
    if surface is None:
        return ""
    area = display(surface.area, "cm^2", 3)
    return f"{area}, {display(surface.cover, '%', 3)} {surface.inducer}" if surface.inducer else f"{area}, bare"
