"""How the arms of a run share a figure: which trait makes panels, which one colours, which one dashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nanotrial.report.words import degrees, finite, plain, units

Record = dict[str, Any]
TITLES = {
    "particle": "Particle",
    "ph": "Starting pH",
    "load": "Load",
    "buffer": "Fluid",
    "surface": "Surface",
    "temperature": "Temperature",
    "given": "Also given",
    "cells": "Cells",
    "medium": "Medium",
    "serum": "Serum",
    "oxygen": "Oxygen",
    "arm": "Arm",
}
# What surrounds the particles in a dish; a tube has one value of each, nothing, which never varies.
CULTURE = ("cells", "medium", "serum", "oxygen")
# pH first for colour, as acid-triggered release is the usual question; the particle first for panels.
_COLOUR = ("ph", "load", "temperature", "buffer", "surface", "given", "particle", "oxygen", "cells", "serum", "medium")
_PANEL = ("particle", "cells", "oxygen", "buffer", "surface", "given", "serum", "medium", "load", "temperature", "ph")
_NUMERIC = ("ph", "load", "temperature", "oxygen", "serum")
MOST_DASHES = 4
MOST_COLOURS = 7


@dataclass(frozen=True)
class Layout:
    """The trait behind each channel (empty: none), the order of its values, and the traits of every arm."""

    panel: str = ""
    colour: str = ""
    dash: str = ""
    order: dict[str, list[str]] = field(default_factory=dict)
    traits: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def ordered_colour(self) -> bool:
        """Say whether colour stands for an ordered quantity."""
        return self.colour in _NUMERIC

    def place(self, arm: str) -> dict[str, str]:
        """Return the value of each channel in use for an arm."""
        used = {"panel": self.panel, "colour": self.colour, "dash": self.dash}
        return {channel: self.traits[arm][trait] for channel, trait in used.items() if trait}

    def words(self) -> str:
        """Return what the channels mean, as a sentence of a caption."""
        parts = [
            text.format(TITLES[trait].lower().replace("ph", "pH"))
            for text, trait in (("panel: {}", self.panel), ("colour: {}", self.colour), ("line style: {}", self.dash))
            if trait
        ]
        return (", ".join(parts).capitalize().replace(" ph", " pH") + ".") if parts else ""


def in_dish(record: Record) -> bool:
    """Say whether a record is of cells in a dish."""
    return record.get("place") == "dish" or any(a.get("cells") for a in record["arms"])


def given_text(arm: Record) -> str:
    """Return everything that an arm is given or loses, in the order of the study; an empty text for nothing."""
    names = [particle_name(a["what"]) if a.get("kind") == "particle" else agent_name(a) for a in additions(arm)]
    times = [f" at {a['at_h']:g} h" if a.get("at_h") else "" for a in additions(arm)]
    parts = [f"{n} {a['amount']}{t}" for n, a, t in zip(names, additions(arm), times, strict=True)]
    return " + ".join(units(p) for p in [*parts, *_removed(arm), *beams(arm)])


def beams(arm: Record) -> list[str]:
    """Return the doses of an arm, fractions of one size together: ``5 x 2 Gy (co60)``."""
    found: dict[tuple[str, float], list[float]] = {}
    for one in arm.get("irradiations") or []:
        found.setdefault((str(one["beam"]), float(one["absorbed_dose_gy"])), []).append(float(one["at_h"]))
    texts = []
    for (beam, dose), times in found.items():
        many = f"{len(times)} x " if len(times) > 1 else ""
        texts.append(f"{many}{dose:.3g} Gy ({plain(beam)}) at {times[0]:g} h")
    return texts


def total_dose(arm: Record) -> float:
    """Return the dose to water that an arm gets in all (Gy)."""
    return float(sum(one["absorbed_dose_gy"] for one in arm.get("irradiations") or []))


def particle_name(name: str) -> str:
    """Return what a study calls a particle, as the name of a thing: ``coated`` is coated particles."""
    return name if "particle" in name else f"{name} particles"


def additions(arm: Record) -> list[Record]:
    """Return what an arm is given."""
    given: list[Record] = arm.get("additions") or []
    return given


def _removed(arm: Record) -> list[str]:
    return [f"{plain(r['what'])} removed at {r['at_h']:g} h" for r in arm.get("removals", [])]


def share(value: Any) -> str:
    """Return a fraction of gas or serum as a percentage in plain text."""
    return f"{100 * value:.3g} %" if finite(value) else ""


def agent_name(addition: Record) -> str:
    """Return the name of an agent as its sheet writes it."""
    return str(addition.get("name") or plain(addition["what"]))


def choose_layout(arms: list[Record]) -> Layout:
    """Return the layout for the arms of a record: by what varies where that tells arms apart, by name otherwise."""
    ph_digits = max((len(f"{a['ph']:.4g}".partition(".")[2]) for a in arms if a.get("ph") is not None), default=0)
    keyed = {arm["name"]: _traits(arm, ph_digits) for arm in arms}
    traits = {name: {t: v[0] for t, v in row.items()} for name, row in keyed.items()}
    order = {
        trait: list(dict.fromkeys(text for text, _ in _sorted([row[trait] for row in keyed.values()], trait)))
        for trait in TITLES
    }
    varying = [t for t in _COLOUR if len(order[t]) > 1]
    distinct = {tuple(row[t] for t in varying) for row in traits.values()}
    if len(arms) < 2:
        return Layout(order=order, traits=traits)
    if not varying or len(distinct) < len(arms) or len(varying) > 3:
        return _by_name(order, traits)
    colour = varying[0]
    rest = [t for t in _PANEL if t in varying and t != colour]
    panel, dash = [*rest, "", ""][:2]
    if (dash and len(order[dash]) > MOST_DASHES) or (colour not in _NUMERIC and len(order[colour]) > MOST_COLOURS):
        return _by_name(order, traits)
    return Layout(panel, colour, dash, order, traits)


def _by_name(order: dict[str, list[str]], traits: dict[str, dict[str, str]]) -> Layout:
    crowded = len(traits) > MOST_COLOURS and len(order["particle"]) > 1
    return Layout("particle" if crowded else "", "arm", "", order, traits)


def _sorted(rows: list[tuple[str, float]], trait: str) -> list[tuple[str, float]]:
    return sorted(rows, key=lambda row: row[1]) if trait in _NUMERIC else rows


def _traits(arm: Record, ph_digits: int) -> dict[str, tuple[str, float]]:
    """Return for each trait its text and the number it is ordered by."""
    given = arm.get("additions", [])
    loads = [a for a in given if a.get("kind") == "particle"]
    others = [f"{agent_name(a)} {a['amount']}" for a in given if a.get("kind") != "particle"]
    others += _removed(arm)
    ph, concentration = arm.get("ph"), arm.get("buffer_concentration_mmol_per_l")
    buffer = "" if arm.get("cells") else plain(arm.get("buffer") or "no buffer")
    temperature = degrees(str(arm.get("temperature") or "-"))
    return {
        "particle": (" + ".join(arm.get("particles", [])) or "no particle", 0.0),
        "ph": ("-" if ph is None else f"{ph:.{ph_digits}f}", ph or 0.0),
        "load": (units(" + ".join(a["amount"] for a in loads)) or "none", sum(a.get("number") or 0.0 for a in loads)),
        "buffer": (f"{buffer} {concentration:.4g} mmol/L" if concentration else buffer, 0.0),
        "surface": (plain(arm.get("surface") or "none"), 0.0),
        "temperature": (temperature, _leading_number(temperature)),
        "given": (units(" + ".join(others)) or "nothing", 0.0),
        "cells": (str(arm.get("cells_name") or arm.get("cells") or ""), 0.0),
        "medium": (str(arm.get("medium") or ""), 0.0),
        "serum": (share(arm.get("serum")), arm.get("serum") or 0.0),
        "oxygen": (share(arm.get("oxygen")), arm.get("oxygen") or 0.0),
        "arm": (arm["name"], 0.0),
    }


def _leading_number(text: str) -> float:
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return 0.0
