"""From what a chemist writes to components: ``CaCl2``, ``Na2HPO4``, ``P``, ``HCO3-`` or ``calcium``, each with a total.

Hydrogen, oxygen and charge of a formula count for nothing: protons follow from the pH or from electroneutrality.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nanotrial.errors import CatalogueError, InputError, UnitError, nearest
from nanotrial.units import dimension_of, parse, to_si

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import Solute

ELEMENTS = {
    **{"Ca": "calcium", "P": "phosphate", "C": "carbonate", "S": "sulphate", "Na": "sodium", "K": "potassium"},
    **{"Mg": "magnesium", "Cl": "chloride", "Cu": "copper", "Mn": "manganese"},
    **{"Fe(2)": "iron_2", "Fe(3)": "iron_3"},
}
OTHER_NAMES = {
    **{"C(4)": "carbonate", "P(5)": "phosphate", "S(6)": "sulphate", "Mn(2)": "manganese", "Cu(2)": "copper"},
    **{"Fe+2": "iron_2", "Fe+3": "iron_3", "Fe(II)": "iron_2", "Fe(III)": "iron_3", "glycine": "glycinate"},
    **{"P2O7": "pyrophosphate", "sulfate": "sulphate", "bicarbonate": "carbonate", "H2O2": "hydrogen_peroxide"},
}
_GROUPS = {"P2O7": ("pyrophosphate", -4), "PO4": ("phosphate", -3), "CO3": ("carbonate", -2), "SO4": ("sulphate", -2)}
_CHARGES = {"H": 1, "O": -2, "Ca": 2, "Mg": 2, "Na": 1, "K": 1, "Cl": -1, "Cu": 2, "Mn": 2}
_TOKEN = re.compile(r"P2O7|PO4|CO3|SO4|[A-Z][a-z]?|\(|\)|\d+")
_CHARGE = re.compile(r"(?:\+\d*|-\d*|\d[+-])$")


def components_of(key: str, sheets: Mapping[str, Solute]) -> dict[str, float]:
    """Return the moles of each component in one mole of a formula, element, dissolved species or component id.

    Arguments:
        key: ``CaCl2``, ``Ca``, ``HCO3-``, ``HPO4``, ``Fe+2``, ``calcium``; water of hydration after a dot.
        sheets: the dissolved components of the catalogue by id.

    Raises:
        InputError: a formula with an element that no component holds, or iron without its charge.
    """
    if key in sheets:
        return {key: 1.0}
    if key == "Fe":
        raise InputError("totals", "`Fe`", "iron with its charge", "Write `Fe(2)` or `Fe(3)`.")
    named = ELEMENTS.get(key) or OTHER_NAMES.get(key)
    if named is None and key.lower() in sheets:
        named = key.lower()
    if named is not None:
        return {_present(named, key, sheets): 1.0}
    for identifier, sheet in sheets.items():
        if key == sheet.master:
            return {identifier: 1.0}
        for species in sheet.species:
            if key == species.name:
                return {c: float(n) for c, n in species.components.items()}
    return _read_formula(key, sheets)


def _present(component: str, key: str, sheets: Mapping[str, Solute]) -> str:
    if component not in sheets:
        raise CatalogueError(f"totals.{key}", f"`{component}`", "a solute of the catalogue", nearest(component, sheets))
    return component


def _unknown(key: str, sheets: Mapping[str, Solute]) -> InputError:
    known = [*ELEMENTS, *sheets, *(s.master for s in sheets.values())]
    return InputError(
        "totals", f"`{key}`", "a formula, an element or a component of the catalogue", nearest(key, known)
    )


def _read_formula(key: str, sheets: Mapping[str, Solute]) -> dict[str, float]:
    salt = re.split(r"[·.*]", key)[0].strip()
    charge = _CHARGE.search(salt)
    counts = _count_parts(salt[: charge.start()] if charge else salt)
    if not counts:
        raise _unknown(key, sheets)
    found: dict[str, float] = {}
    balance = -_charge_of(charge.group()) if charge else 0
    iron = counts.pop("Fe", 0)
    for part, count in counts.items():
        component, z = _GROUPS.get(part, (ELEMENTS.get(part, ""), _CHARGES.get(part, 0)))
        balance += z * count
        if part in ("H", "O"):
            continue
        if not component or part in ("C", "P", "S"):
            raise _unknown(key, sheets)
        component = _present(component, key, sheets)
        found[component] = found.get(component, 0.0) + count
    if iron:
        valence = -balance / iron
        if valence not in (2, 3):
            raise InputError("totals", f"`{key}`", "iron(II) or iron(III)", "Give iron as `Fe(2)` or `Fe(3)`.")
        found[_present(f"iron_{valence:.0f}", key, sheets)] = iron
    if not found:
        raise InputError("totals", f"`{key}`", "a formula with more than hydrogen and oxygen", "Leave it out.")
    return found


def _charge_of(text: str) -> int:
    digits = re.sub(r"[+-]", "", text)
    return (-1 if "-" in text else 1) * int(digits or 1)


def _count_parts(formula: str) -> dict[str, int]:
    """Return the counts of elements and known groups; empty where the text is no formula."""
    if "".join(_TOKEN.findall(formula)) != formula:
        return {}
    levels: list[dict[str, int]] = [{}]
    last: dict[str, int] = {}
    for token in _TOKEN.findall(formula):
        if token == "(":
            levels.append({})
            last = {}
        elif token == ")":
            if len(levels) == 1:
                return {}
            last = levels.pop()
            _add(levels[-1], last, 1)
        elif token.isdigit():
            # The part stands once already; a number adds the rest.
            _add(levels[-1], last, int(token) - 1)
            last = {}
        else:
            last = {token: 1}
            _add(levels[-1], last, 1)
    return {k: n for k, n in levels[0].items() if n > 0} if len(levels) == 1 else {}


def _add(counts: dict[str, int], part: dict[str, int], times: int) -> None:
    for name, count in part.items():
        counts[name] = counts.get(name, 0) + count * times


def read_quantity(given: Any, unit: str, where: str) -> float | NDArray[np.float64]:
    """Return a text, a quantity or a quantity of an array in SI, as a float or an array.

    Arguments:
        given: ``"2.5 mmol/L"``, or a quantity with a unit (a number or an array).
        unit: any unit of the wanted dimension.
        where: key for the message.

    Raises:
        UnitError: a bare number, an unknown unit or a wrong dimension.
        InputError: a number that is no number, or infinite.
    """
    import numpy as np

    if hasattr(given, "magnitude") and hasattr(given, "units"):
        spelt = str(given.units)
        if dimension_of(spelt, where) != dimension_of(unit):
            raise UnitError(where, f"a quantity in `{spelt}`", f"a quantity like `{unit}`")
        numbers = np.asarray(given.magnitude, float) * (to_si(1.0, spelt) - to_si(0.0, spelt)) + to_si(0.0, spelt)
        found: float | NDArray[np.float64] = float(numbers) if numbers.ndim == 0 else numbers
    elif isinstance(given, str | int | float):
        found = parse(given, unit, where)
    else:
        raise UnitError(where, f"{type(given).__name__} without a unit", f'"3 {unit}" or a quantity with its unit')
    if not np.all(np.isfinite(found)):
        raise InputError(where, "a number that is not finite", "finite numbers")
    return found


def read_totals(totals: Mapping[str, Any], sheets: Mapping[str, Solute]) -> dict[str, float | NDArray[np.float64]]:
    """Return the total of each component (mol/m^3) from totals by formula, element or component.

    Arguments:
        totals: key to text or quantity (amount per volume), scalars or arrays.
        sheets: the dissolved components of the catalogue by id.

    Raises:
        InputError: no totals, an unknown key, a negative total, a bare number.
    """
    import numpy as np

    if not isinstance(totals, Mapping) or not totals:
        raise InputError("totals", "nothing", 'a mapping such as {"CaCl2": "2.5 mmol/L"}')
    found: dict[str, float | NDArray[np.float64]] = {}
    for key, given in totals.items():
        amount = read_quantity(given, "mmol/L", f"totals.{key}")
        if np.any(np.asarray(amount) < 0):
            least = float(np.min(amount))
            raise InputError(f"totals.{key}", f"a negative total ({least:.4g} mmol/L)", "zero or more")
        for component, count in components_of(str(key), sheets).items():
            found[component] = found.get(component, 0.0) + count * amount
    return found
