"""Chemical formulas as counts of elements: brackets, fractions, and water of crystals (``CaHPO4.2H2O``)."""

from __future__ import annotations

import re

from nanotrial.errors import InputError

_NAMES = (
    "hydrogen", "helium", "lithium", "beryllium", "boron", "carbon", "nitrogen", "oxygen", "fluorine", "neon",
    "sodium", "magnesium", "aluminium", "silicon", "phosphorus", "sulfur", "chlorine", "argon", "potassium",
    "calcium", "scandium", "titanium", "vanadium", "chromium", "manganese", "iron", "cobalt", "nickel",
    "copper", "zinc", "gallium", "germanium", "arsenic", "selenium", "bromine", "krypton", "rubidium",
    "strontium", "yttrium", "zirconium", "niobium", "molybdenum", "technetium", "ruthenium", "rhodium",
    "palladium", "silver", "cadmium", "indium", "tin", "antimony", "tellurium", "iodine", "xenon", "caesium",
    "barium", "lanthanum", "cerium", "praseodymium", "neodymium", "promethium", "samarium", "europium",
    "gadolinium", "terbium", "dysprosium", "holmium", "erbium", "thulium", "ytterbium", "lutetium", "hafnium",
    "tantalum", "tungsten", "rhenium", "osmium", "iridium", "platinum", "gold", "mercury", "thallium", "lead",
    "bismuth", "polonium", "astatine", "radon", "francium", "radium", "actinium", "thorium", "protactinium",
    "uranium",
)  # fmt: skip
_SYMBOLS = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K",
    "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb",
    "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs",
    "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta",
    "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa",
    "U",
)  # fmt: skip
SYMBOLS = {symbol: z for z, symbol in enumerate(_SYMBOLS, start=1)}
ELEMENTS = {name: z for z, name in enumerate(_NAMES, start=1)} | {"aluminum": 13, "sulphur": 16, "cesium": 55}
_TOKEN = re.compile(r"([A-Z][a-z]?)|([(\[{])|([)\]}])|(\d+(?:\.\d+)?)")
_HYDRATE = re.compile(r"[.](\d+(?:\.\d+)?)?H2O$")
_PARTNER = {")": "(", "]": "[", "}": "{"}


def read_formula(text: str, where: str, expected: str = "a chemical formula", action: str = "") -> dict[int, float]:
    """Return how many atoms of each element (by atomic number) a formula holds.

    A dot before water at the end, or a centred dot or star anywhere, joins parts (``CaSO4.0.5H2O``, ``A*2B``); any
    other dot is a decimal one (``Fe0.95O``).

    Raises:
        InputError: unknown symbols, brackets that do not close, a count of zero.
    """
    counts: dict[int, float] = {}
    plain = _HYDRATE.sub(lambda m: f"*{m[1] or ''}H2O", text.replace("·", "*").replace("•", "*").replace(" ", ""))
    for part in plain.split("*"):
        number = re.match(r"\d+(\.\d+)?", part)
        times, rest = (float(number[0]), part[number.end() :]) if number else (1.0, part)
        group = _counts(rest)
        if group is None or not group or times == 0.0:
            raise InputError(where, f"`{text}`", expected, action)
        for z, n in group.items():
            counts[z] = counts.get(z, 0.0) + times * n
    return counts


def _counts(text: str) -> dict[int, float] | None:
    """Return the atoms of a formula without joined parts; None where it is none."""
    stack: list[dict[int, float]] = [{}]
    opened: list[str] = []
    last: dict[int, float] | None = None
    position = 0
    for match in _TOKEN.finditer(text):
        symbol, begin, end, number = match.groups()
        if match.start() != position or (number and (last is None or float(number) == 0.0)):
            return None
        position = match.end()
        if begin:
            stack.append({})
            opened.append(begin)
            last = None
            continue
        if symbol:
            if symbol not in SYMBOLS:
                return None
            last = {SYMBOLS[symbol]: 1.0}
        elif end:
            if not opened or opened.pop() != _PARTNER[end]:
                return None
            last = stack.pop()
        # A number says how often the last atom or group stands there; it has been added once.
        times = float(number) - 1.0 if number else 1.0
        for z, n in (last or {}).items():
            stack[-1][z] = stack[-1].get(z, 0.0) + times * n
        last = None if number else last
    return None if opened or position != len(text) else stack[0]
