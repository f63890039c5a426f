"""What callers pass and get: texts or quantities in, quantities and labelled arrays out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrial.errors import InputError, UnitError
from nanotrial.units import dimension_of, from_si, parse, registry

Array = NDArray[np.float64]


def read_quantity(raw: object, unit: str, where: str, low: float = -np.inf, high: float = np.inf) -> float:
    """Return a number in ``unit`` from a text such as ``"60 keV"`` or a pint quantity.

    Arguments:
        raw: text or quantity; a bare number passes only where ``unit`` is ``"1"``.
        unit: the unit of the number that is returned, and of the limits.
        where: name of the argument, for messages.
        low, high: limits that are allowed themselves.

    Raises:
        UnitError: no unit, an unknown one, or a wrong dimension.
        InputError: a number outside the limits, or not finite.
    """
    if hasattr(raw, "magnitude") and hasattr(raw, "units"):
        found = str(raw.units)
        if dimension_of(found, where) != dimension_of(unit):
            raise UnitError(where, f"{raw}", f"a quantity like `{unit}`")
        number = float(raw.to(unit).magnitude)  # type: ignore[attr-defined]
    else:
        number = from_si(parse(raw, unit, where), unit)
    if not np.isfinite(number) or not low <= number <= high:
        span = f"{low:g} to {high:g} {unit}" if np.isfinite(low + high) else f"at least {low:g} {unit}"
        raise InputError(where, f"{number:g} {unit}", span)
    return number


def read_quantities(raw: object, unit: str, where: str, low: float = -np.inf, high: float = np.inf) -> Array:
    """Return numbers in ``unit`` with the shape they came in: a text, a quantity, an array quantity or a list of them.

    Raises:
        UnitError: no unit, an unknown one, or a wrong dimension.
        InputError: a number outside the limits, or not finite.
    """
    if hasattr(raw, "magnitude") and hasattr(raw, "units") and np.ndim(raw.magnitude):
        if dimension_of(str(raw.units), where) != dimension_of(unit):
            raise UnitError(where, f"an array in {raw.units}", f"quantities like `{unit}`")
        numbers: Array = np.array(raw.to(unit).magnitude, dtype=np.float64)  # type: ignore[attr-defined]
        bad = ~(np.isfinite(numbers) & (numbers >= low) & (numbers <= high))
        if bad.any():
            raise InputError(where, f"{numbers[bad].flat[0]:g} {unit}", f"{low:g} to {high:g} {unit}")
        return numbers
    if isinstance(raw, Iterable) and not isinstance(raw, str) and not hasattr(raw, "magnitude"):
        return np.array([read_quantity(one, unit, f"{where}[{i}]", low, high) for i, one in enumerate(raw)])
    return np.asarray(read_quantity(raw, unit, where, low, high))


def quantity(number: Any, unit: str) -> Any:
    """Return a pint quantity of a number or an array."""
    return registry().Quantity(number, unit)
