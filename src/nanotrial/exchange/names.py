"""Identifiers for other programs: SIds made of our names, each used once; the name itself stands beside it."""

from __future__ import annotations

import re

from nanotrial.units import Dimension

# Words that programs read as something else in a formula.
_TAKEN = ("time", "pi", "avogadro", "exponentiale", "true", "false", "inf", "nan", "infinity", "notanumber")
_SIGNS = {".": "__", "@": "_at_", "+": "_plus", "-": "_minus_", "[": "_", "]": "_", "(": "_", ")": "_", " ": "_"}
_SYMBOLS = ("m", "kg", "s", "K", "mol", "A", "cd")
_BUILT_IN = {
    "m": "metre",
    "kg": "kilogram",
    "s": "second",
    "K": "kelvin",
    "mol": "mole",
    "A": "ampere",
    "cd": "candela",
}


class Identifiers:
    """Hands out SIds: a name that is taken already gets its kind, then a number, at the end."""

    def __init__(self) -> None:
        """Start with the words that stand for something else."""
        self._taken = set(_TAKEN)

    def take(self, name: str, kind: str = "") -> str:
        """Return a new SId that looks like a name.

        Arguments:
            name: any text.
            kind: what it is, for instance ``compartment``.
        """
        plain = re.sub(r"[^A-Za-z0-9_]", lambda sign: _SIGNS.get(sign[0], f"_x{ord(sign[0]):x}_"), name)
        plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
        found, count = plain, 1
        while found in self._taken:
            found = f"{plain}_{kind}" if kind and count == 1 else f"{plain}_{kind}{'_' * bool(kind)}{count}"
            count += 1
        self._taken.add(found)
        return found


def unit_identifier(dimension: Dimension) -> str:
    """Return the id of a unit, for instance ``mol_per_m3``; those of SI itself have their own names.

    Arguments:
        dimension: exponents of the SI base units.
    """
    powers = [(s, e) for s, e in zip(_SYMBOLS, dimension.exponents, strict=True) if e]
    if not powers:
        return "dimensionless"
    if len(powers) == 1 and powers[0][1] == 1:
        return _BUILT_IN[powers[0][0]]
    words = []
    for symbol, exponent in sorted(powers, key=lambda pair: pair[1] < 0):
        size = abs(exponent)
        power = "" if size == 1 else str(size).replace("/", "over")
        words.append(f"{'per_' if exponent < 0 else ''}{symbol}{power}")
    return "_".join(words)


def unit_definition(dimension: Dimension) -> str:
    """Return the SBML definition of a unit that is no base unit of SI; empty for one that is."""
    identifier = unit_identifier(dimension)
    if identifier == "dimensionless" or identifier in _BUILT_IN.values():
        return ""
    parts = "".join(
        f'<unit kind="{_BUILT_IN[s]}" exponent="{float(e)!r}" scale="0" multiplier="1"/>'
        for s, e in zip(_SYMBOLS, dimension.exponents, strict=True)
        if e
    )
    return f'<unitDefinition id="{identifier}" name="{dimension}"><listOfUnits>{parts}</listOfUnits></unitDefinition>'
