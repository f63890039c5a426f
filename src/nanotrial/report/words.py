"""Numbers, names and spreads as a reader meets them: escaped, with few digits and in plain words."""

from __future__ import annotations

import html
import math
import re
from typing import Any

from nanotrial.catalogue.lookup import Catalogue

FRACTIONS = {
    "release": "Release",
    "core_left": "Core left",
    "coat_left": "Coat left",
    "viability": "Viability",
    "cell_death": "Cell death",
    "live_fraction": "Live cells",
    "apoptotic_fraction": "Dead by apoptosis",
    "necrotic_fraction": "Dead by necrosis",
    "pore_open": "Open mitochondrial pore",
    "oxidised_peroxiredoxin": "Oxidised peroxiredoxin",
    "mineral_cover": "Cover of mineral",
    "calcified_area": "Calcified area",
    "glycolysis": "Glycolysis over rest",
    "respiration": "Respiration over rest",
    "membrane_fluidity": "Membrane fluidity over bare",
    "protein_binding": "Protein binding over bare",
    "surviving_fraction": "Surviving fraction",
    "comet_tail": "DNA in the tail of the comet",
    "bonds_cut": "Bonds cut",
    "g1_fraction": "Cells in G1",
    "s_fraction": "Cells in S",
    "g2m_fraction": "Cells in G2/M",
    "lysosome_damage": "Lysosomal function lost",
    "mitochondrion_damage": "Mitochondrial function lost",
    "reticulum_damage": "Function of the reticulum lost",
}
# What a number of a measure counts, where its unit alone would not say it.
COUNTED = {
    "calcium_fluorescence": "over rest",
    "ros_fluorescence": "over rest",
    "potential_fluorescence": "over rest",
    "exported_vesicles": "per cell",
    "exported_calcium": "fmol per cell",
    "particles_bound": "fmol per cell",
    "particles_inside": "fmol per cell",
    "mineral_calcium": "fmol per cell",
    "mineral_phosphate": "fmol per cell",
    "membrane_calcium": "fmol per cell",
    "inducer_bound": "fmol per cell",
    "gathered_calcium": "fmol per cell",
    "ct_number": "HU",
    "sensitization_enhancement_ratio": "ratio of doses",
    "double_strand_breaks": "per cell",
    "dose_enhancement": "ratio of doses",
    "gamma_h2ax_foci": "per cell",
}
MEANINGS = {
    "release": "dissolved metal over metal given",
    "core_left": "share of the core not yet dissolved",
    "coat_left": "share of the coat still on the particles",
    "ph": "as an electrode shows it",
    "viability": "signal of the dye of the assay over that of an untreated well",
    "cell_death": "what viability lacks to one",
    "live_fraction": "live cells over those of an untreated well",
    "apoptotic_fraction": "share of all cells that died the apoptosis-like way",
    "necrotic_fraction": "share of all cells that died the necrosis-like way",
    "pore_open": "share of permeability transition pores that are open, mean of live cells",
    "oxidised_peroxiredoxin": "share of peroxiredoxin, mean of live cells",
    "calcium_fluorescence": "light of the calcium dye over that of resting cells",
    "ros_fluorescence": "light of the oxidised dye over that of resting cells",
    "potential_fluorescence": "light of the potential dye over that of resting cells",
    "mitochondrial_potential": "across the inner membrane, mean of live cells",
    "atp": "in the cytosol, mean of live cells",
    "cytosolic_calcium": "free, mean of live cells",
    "er_calcium": "free, mean of live cells",
    "mitochondrial_calcium": "free in the matrix, mean of live cells",
    "cytosolic_peroxide": "hydrogen peroxide, mean of live cells",
    "exported_vesicles": "vesicles shed by the membrane, per seeded cell",
    "exported_calcium": "calcium in shed vesicles, per seeded cell",
    "particles_bound": "core on the membrane, per seeded cell",
    "particles_inside": "core in vesicles, per seeded cell",
    "lysosome_ph": "mean of live cells",
    "glycolysis": "speed over that of cells at rest, mean of live cells",
    "respiration": "oxygen used over that of cells at rest in air, mean of live cells",
    "mineral_cover": "share of the membranes, or of the surface in a tube, under mineral",
    "mineral_thickness": "of the layer where it covers the cells",
    "mineral_calcium": "in minerals on cells, in the matrix and in vesicles, per seeded cell",
    "mineral_phosphate": "in minerals on cells, in the matrix and in vesicles, per seeded cell",
    "membrane_calcium": "in minerals on the membranes, per seeded cell",
    "solid_calcium": "in minerals, over the volume of the fluid",
    "solid_phosphate": "in minerals, over the volume of the fluid",
    "calcium_to_phosphorus": "in minerals, as X-rays of the elements show it",
    "calcified_area": "share of the bottom that the stain of the assay colours",
    "membrane_fluidity": "over that of membranes without mineral",
    "protein_binding": "over that of membranes without mineral",
    "inducer_bound": "on the membranes, per cell",
    "gathered_calcium": "held by the groups of the inducer, per cell",
    "ct_number": "of a layer of these cells with its mineral",
    "absorbed_dose": "to water, as a chamber in place of the cells would read it",
    "dose_to_nucleus": "mean, with what particles in and around the cell add",
    "surviving_fraction": "cells that can still found a colony, over those of an untreated well",
    "sensitization_enhancement_ratio": "dose without particles over this dose, for the same survival of DNA damage",
    "double_strand_breaks": "not yet repaired, mean of live cells",
    "gamma_h2ax_foci": "mean of live cells, background counted",
    "comet_tail": "alkaline comet, mean of live cells",
    "g1_fraction": "share of cells by content of DNA",
    "s_fraction": "share of cells by content of DNA",
    "g2m_fraction": "share of cells by content of DNA",
    "lysosome_damage": "by dose and oxidants at the lysosomes, mean of live cells",
    "mitochondrion_damage": "by dose and oxidants at the mitochondria, mean of live cells",
    "reticulum_damage": "by dose and oxidants at the reticulum, mean of live cells",
    "dose_enhancement": "mean dose over that without particles: to the suspension in a tube, to the nucleus in cells",
    "bonds_cut": "share of the bonds of the particles that radicals have cut",
    "hydroxyl_radicals": "all made by the beam so far, not what is there at a time",
    "singlet_oxygen": "all made by the beam so far, not what is there at a time",
    "nitric_oxide": "all set free by the beam so far, not what is there at a time",
}
MISSING = "-"
_EXPONENT = re.compile(r"(\d)e([+-]?)0*(\d+)")
_CELSIUS = re.compile(r"\bdegC\b")
_MICRO = re.compile(r"\bu(?=(?:mol|g|L|m)\b)")
_ACRONYM = re.compile(r"\b(?:ph|atp|ros|er|ct|h2ax)\b")
_ACRONYMS = {"ph": "pH", "atp": "ATP", "ros": "ROS", "er": "ER", "ct": "CT", "h2ax": "H2AX"}
_POWER = re.compile(r"\^(-?\d+)")
_VALUE = re.compile(
    r"^(?P<number>\S+)(?: (?P<spread>± \S+|×/÷ \S+|\(\S+ to \S+\)))?(?: (?P<unit>[^\[]+?))?(?: \[(?P<grade>\w+)\])?$"
)


def escape(text: object) -> str:
    """Return text that is safe inside HTML, attributes included; nothing gives an empty text."""
    return "" if text is None else html.escape(str(text), quote=True)


def finite(number: object) -> bool:
    """Say whether something is a finite number; None, texts, NaN and infinities are not."""
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


def number(value: Any, digits: int = 3, keep: bool = False) -> str:
    """Return a number as HTML with a few significant digits, or ``-`` where there is none.

    Arguments:
        value: the number; anything else counts as none.
        digits: significant digits.
        keep: leave zeros at the end, so that the numbers of a column line up.
    """
    if not finite(value):
        return MISSING
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        shown = f"{value:.{decimals}f}"
        shown = shown.rstrip("0").rstrip(".") if "." in shown and not keep else shown
        return shown.replace("-", "−")
    return pretty(f"{value:.{digits}g}")


def fixed(value: Any, decimals: int = 3) -> str:
    """Return a number with a fixed count of decimals and no negative zero, or ``-`` where there is none."""
    if not finite(value):
        return MISSING
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def percent(value: Any) -> str:
    """Return a fraction as a percentage, or ``-`` where there is none."""
    return f"{number(100 * value)}&nbsp;%" if finite(value) else MISSING


def pretty(text: object) -> str:
    """Return a value text with powers raised: ``8.6e-05 mol/m^2`` gets its 10 and its square as superscripts."""
    shown = units(degrees(escape(text)))
    shown = _EXPONENT.sub(lambda m: f"{m[1]}&thinsp;×&thinsp;10<sup>{'−' if m[2] == '-' else ''}{m[3]}</sup>", shown)
    shown = _POWER.sub(lambda m: f"<sup>{m[1].replace('-', '−')}</sup>", shown)
    return re.sub(r"(?<![\w>])-(?=\d)", "−", shown)


def degrees(text: str) -> str:
    """Return a text with degrees Celsius written as such."""
    return _CELSIUS.sub("°C", text)


def units(text: str) -> str:
    """Return a text with its micro sign written as such: ``umol/L`` is µmol/L."""
    return _MICRO.sub("µ", text)


def value_parts(text: str) -> tuple[str, str]:
    """Return HTML of the value with unit, and of its spread in words.

    Arguments:
        text: a value as the record writes it, for instance ``0.35 (0.18 to 0.6) [assumed]``.
    """
    match = _VALUE.match(text.strip())
    if not match:
        return pretty(text), MISSING
    unit = f" {match['unit']}" if match["unit"] else ""
    spread = match["spread"] or ""
    if spread.startswith("±"):
        words = f"standard deviation {spread[2:]}{unit}"
    elif spread.startswith("×"):
        words = f"about a factor of {spread[4:]} either way"
    elif spread:
        words = f"anywhere from {spread[1:-1]}{unit}"
    else:
        words = MISSING
    return pretty(match["number"] + unit), pretty(words)


def measure_title(name: str) -> str:
    """Return the name of a measure as a heading."""
    if name == "ph":
        return "pH"
    for ending, words in (
        ("_rival_share", "Rival of {}"),
        ("_share", "{} in diffraction"),
        ("_saturation", "Saturation index of {}"),
    ):
        if name.endswith(ending):
            shown = words.format(plain(name.removesuffix(ending)))
            return shown[:1].upper() + shown[1:]
    return FRACTIONS.get(name) or plain(name, capital=True)


def meaning(name: str) -> str:
    """Return what a measure means, for its caption."""
    if name.endswith("_rival_share"):
        return "the other phase that diffracts most, as a share of the mass of all crystals that do"
    if name.endswith("_share"):
        return "share of the mass of all crystals that diffract"
    if name.endswith("_saturation"):
        return "log10 of the ion product over the constant of the mineral; above 0 it may form"
    if name in Catalogue().ids("phases"):
        return "solid, wherever it is, over the volume of the fluid"
    return MEANINGS.get(name, "in solution, all its forms together")


def measure_axis(name: str, unit: str) -> str:
    """Return the name of a measure with its unit, as an axis shows it."""
    title = measure_title(name)
    shown = "" if is_fraction(name) or name == "ph" else measure_unit(name, unit)
    return f"{title} ({shown})" if shown else title


def measure_unit(name: str, unit: str) -> str:
    """Return what a number of a measure counts: its unit, ``per cell``, or nothing for a plain number."""
    return units(COUNTED.get(name) or ("" if unit in ("", "1") else unit))


def is_fraction(name: str) -> bool:
    """Say whether a measure is a share of a whole, shown in percent."""
    return name in FRACTIONS or name.endswith("_share")


def shown_measure(name: str, value: Any) -> str:
    """Return the value of a measure: percent for shares, a plain number otherwise."""
    return percent(value) if is_fraction(name) else number(value, keep=True)


def plain(identifier: str, capital: bool = False) -> str:
    """Return an id as words: ``hydrogen_peroxide`` is hydrogen peroxide."""
    words = _ACRONYM.sub(lambda m: _ACRONYMS[m[0]], identifier.replace("_", " ").strip())
    return words[:1].upper() + words[1:] if capital and not words.startswith("pH") else words


def quantity(parameter: str) -> str:
    """Return a dotted parameter as words: ``calcium_peroxide.dissolution.acid_order``."""
    first, *rest = [plain(part) for part in parameter.split(".")]
    return plain(first, capital=True) + (": " + ", ".join(rest) if rest else "")


def identifier(name: object) -> str:
    """Return a dotted id as HTML code that may break after its dots and underscores."""
    return "<code>" + re.sub(r"([._/])", r"\1<wbr>", escape(name)) + "</code>"


def listing(words: list[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def count(number_of: int, noun: str) -> str:
    """Return ``1 arm`` or ``2 arms``."""
    return f"{number_of} {noun}{'' if number_of == 1 else 's'}"
