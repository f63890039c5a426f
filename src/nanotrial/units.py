"""The only unit registry: units at the edges, bare SI numbers (m, kg, s, mol, K) inside."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from nanotrial.errors import UnitError

if TYPE_CHECKING:
    import pint

_BASES = ("[length]", "[mass]", "[time]", "[temperature]", "[substance]", "[current]", "[luminosity]")
_SYMBOLS = ("m", "kg", "s", "K", "mol", "A", "cd")
_NUMBER_AND_UNIT = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")
# What a unit may be written with. Pint would compute any expression, however long `9**9**9` takes.
_POWER = r"(?:\^|\*\*)\s*\(?[+-]?\d{1,2}(?:\.\d{1,2})?\)?(?!\s*(?:\^|\*\*|\d))"
_UNIT = re.compile(rf"(?:[^\W\d]\w*|[%°]|{_POWER}|1(?![\d.])|[*/·()\s](?!\*))*")
# One enzyme unit turns over one micromole a minute; cells and particles are counted, not weighed.
COMMON_UNITS = (
    *("nm", "um", "mm", "mL", "uL", "L", "mol", "mmol", "umol", "mmol/L", "umol/L", "mol/L", "mg/mL", "ug/mL"),
    *("g/L", "h", "min", "s", "d", "degC", "K", "U/mL", "kg/m^3"),
)
_DEFINITIONS = ("enzyme_unit = 1e-6 mol / minute = U", "cell = []", "base_pair = []")


Exponents = tuple[Fraction, ...]


class Dimension:
    """Exponents of length, mass, time, temperature, amount, current and luminosity.

    Equal dimensions are one object, and each remembers its products: a network combines the same few a hundred
    thousand times.
    """

    __slots__ = ("_powers", "_products", "_quotients", "exponents", "is_number")
    _made: ClassVar[dict[Exponents, Dimension]] = {}

    exponents: Exponents
    is_number: bool
    _products: dict[Dimension, Dimension]
    _quotients: dict[Dimension, Dimension]
    _powers: dict[int | float | Fraction, Dimension]

    def __new__(cls, exponents: Exponents = (Fraction(0),) * 7) -> Dimension:
        """Return the one dimension of these exponents; a pure number by default."""
        known = cls._made.get(exponents)
        if known is None:
            known = object.__new__(cls)
            known.exponents, known.is_number = exponents, not any(exponents)
            known._products, known._quotients, known._powers = {}, {}, {}
            known = cls._made.setdefault(exponents, known)
        return known

    def __reduce__(self) -> tuple[type[Dimension], tuple[Exponents]]:
        """Say how a copy is made: it is this very object."""
        return Dimension, (self.exponents,)

    def __mul__(self, other: Dimension) -> Dimension:
        """Return the dimension of a product."""
        found = self._products.get(other)
        if found is None:
            found = Dimension(tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))
            self._products[other] = found
        return found

    def __truediv__(self, other: Dimension) -> Dimension:
        """Return the dimension of a quotient."""
        found = self._quotients.get(other)
        if found is None:
            found = Dimension(tuple(a - b for a, b in zip(self.exponents, other.exponents, strict=True)))
            self._quotients[other] = found
        return found

    def __pow__(self, power: int | float | Fraction) -> Dimension:
        """Return the dimension of a power."""
        found = self._powers.get(power)
        if found is None:
            exponent = Fraction(power).limit_denominator(1000)
            found = Dimension(tuple(a * exponent for a in self.exponents))
            self._powers[power] = found
        return found

    def __str__(self) -> str:
        """Write the dimension in SI base units, for instance ``mol m^-3``."""
        parts = [s if e == 1 else f"{s}^{e}" for s, e in zip(_SYMBOLS, self.exponents, strict=True) if e]
        return " ".join(parts) or "1"

    def __repr__(self) -> str:
        """Write the dimension as a call."""
        return f"Dimension({self})"


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Any]:
    """Return the one pint registry, made at the first call."""
    import pint

    made: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=":auto:")
    for line in _DEFINITIONS:
        made.define(line)
    return made


@lru_cache(maxsize=2048)
def _unit(text: str) -> tuple[float, float, Dimension]:
    """Return factor, offset and dimension that bring a unit to SI: si = number * factor + offset."""
    reg = registry()
    if text in ("", "1"):
        return 1.0, 0.0, Dimension()
    unit = reg.Unit(text)
    zero = float(reg.Quantity(0.0, unit).to_base_units().magnitude)
    one = float(reg.Quantity(1.0, unit).to_base_units().magnitude)
    found = dict(unit.dimensionality)
    exponents = tuple(Fraction(str(found.pop(base, 0))).limit_denominator(1000) for base in _BASES)
    if found:
        raise ValueError(f"unit {text} has a dimension outside SI: {found}")
    # pint keeps the gram as base of mass in some set-ups; to_base_units gives kilogram in ours.
    return one - zero, zero, Dimension(exponents)


# Units met before: a network asks for the same dozen again and again.
_DIMENSIONS: dict[str, Dimension] = {}


def dimension_of(unit: str, where: str = "unit") -> Dimension:
    """Return the dimension of a unit such as ``mol/L``; raise UnitError where it is unknown."""
    found = _DIMENSIONS.get(unit)
    if found is None:
        found = _DIMENSIONS[unit] = _known(unit, where)[2]
    return found


def _known(unit: str, where: str) -> tuple[float, float, Dimension]:
    try:
        if len(unit) > 80 or not _UNIT.fullmatch(unit):
            raise ValueError(unit)
        return _unit(unit.strip())
    except Exception as error:  # pint raises whatever its tokenizer, parser or arithmetic meets
        raise UnitError(
            where, f"the unit `{unit}`", "a unit such as `mmol/L`, `nm`, `h`, `degC` or `1`", _unit_hint(unit)
        ) from error


def _unit_hint(unit: str) -> str:
    from nanotrial.errors import nearest

    return nearest(unit, COMMON_UNITS)


def to_si(number: float, unit: str, where: str = "value") -> float:
    """Return a number given in ``unit`` in SI base units; offsets of temperatures are applied."""
    factor, offset, _ = _known(unit, where)
    return number * factor + offset


def from_si(number: float, unit: str) -> float:
    """Return an SI number in ``unit``."""
    factor, offset, _ = _known(unit, "unit")
    return (number - offset) / factor


def difference_to_si(number: float, unit: str, where: str = "value") -> float:
    """Return a difference (a spread, a step) in SI: no offset is applied."""
    return number * _known(unit, where)[0]


def difference_from_si(number: float, unit: str) -> float:
    """Return an SI difference (a spread, a step) in ``unit``: no offset is applied."""
    return number / _known(unit, "unit")[0]


def parse(text: object, unit: str, where: str) -> float:
    """Return the SI number of a text such as ``"4.5 nm"``.

    Arguments:
        text: number and unit in one text; bare numbers pass only where ``unit`` is ``"1"``.
        unit: any unit of the wanted dimension; it stands in the message.
        where: file and key for the message.

    Raises:
        UnitError: no number, no unit, unknown unit or wrong dimension.
    """
    wanted = dimension_of(unit)
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(where, f"{text!r}", f'a number with unit such as "3 {unit}"')
    if not isinstance(text, str):
        if wanted.is_number:
            try:
                return float(text)
            except OverflowError as error:
                raise UnitError(where, "a whole number of more than 300 digits", "a number") from error
        raise UnitError(where, f"{text!r} without a unit", f"a unit like `{unit}`", f'Write "{text} {unit}".')
    match = _NUMBER_AND_UNIT.match(text)
    if not match:
        raise UnitError(where, f'"{text}"', f'a number with unit such as "3 {unit}"')
    number, found_unit = float(match[1]), match[2]
    if not found_unit and not wanted.is_number:
        raise UnitError(where, f'"{text}" without a unit', f"a unit like `{unit}`", f'Write "{text.strip()} {unit}".')
    factor, offset, found = _known(found_unit or "1", where)
    if found != wanted:
        raise UnitError(where, f'"{text}" ({found})', f"a quantity like `{unit}` ({wanted})")
    return number * factor + offset


def display(number: float, unit: str, digits: int = 3) -> str:
    """Write an SI number in ``unit`` with a few significant digits."""
    shown = f"{from_si(number, unit):.{digits}g}"
    return shown if unit == "1" else f"{shown} {unit}"
