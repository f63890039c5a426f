"""What precipitates from a solution in a closed vessel: at equilibrium, or after a time.

At equilibrium: the assemblage of least Gibbs energy (``assemblage``), no phase above saturation, every solid at its
solubility. After a time: nucleation, growth and steps of Ostwald's rule as in a network (``course``). A given pH is
held by a titrant; with no pH, charge balance sets it and the titrant is zero. Validity as for ``speciate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError
from nanotrial.medium.assemblage import Assemblage, equilibrate
from nanotrial.medium.case import Case, one_problem, read_case
from nanotrial.medium.equilibria import (
    Speciation,
    known_phase,
    solve_case,
    speciate,
    warn_of_range,
)
from nanotrial.medium.formulas import ELEMENTS, read_quantity, read_totals
from nanotrial.medium.tableau import LN10
from nanotrial.units import dimension_of, registry

EQUILIBRIUM = "equilibrium"
_SYMBOLS = {component: element for element, component in ELEMENTS.items()}


@dataclass(frozen=True, eq=False)
class Precipitation:
    """What is left in solution, what has formed, and how far each phase is from saturation.

    ``dissolved`` by element (by component where it is no element) and ``components`` by component, ``solids`` by phase:
    quantities in mol per litre of solution; ``amounts`` of solids in the vessel (mol). ``titrant``: protons added to
    hold the pH (mol/L, negative for base). ``course`` is the run in time, or None.
    """

    ph: float
    dissolved: dict[str, Any]
    components: dict[str, Any]
    solids: dict[str, Any]
    amounts: dict[str, Any]
    indices: dict[str, float]
    titrant: Any
    solution: Speciation
    course: Any = field(default=None, repr=False)


def precipitate(
    totals: Mapping[str, Any],
    ph: float | None,
    temperature: Any,
    until: Any,
    seeds: Mapping[str, Any] | None = None,
    *,
    phases: tuple[str, ...] | list[str] | None = None,
    volume: Any = "1 L",
    ionic_strength: Any = None,
    co2: Any = None,
    activity: str = "davies",
    catalogue: Catalogue | None = None,
) -> Precipitation:
    """Return what precipitates from one solution, at equilibrium or after a time.

    Equation: least Gibbs energy: log10(ion product / K) is 0 for every solid, at most 0 for every other phase.

    Arguments:
        totals: as for ``speciate``; one number each.
        ph: held at this by strong acid or base; None lets charge balance set it: then the counter-ions must be listed
            (``CaCl2``, ``Na2HPO4``), because only listed ions and those of water carry charge.
        temperature: ``"37 degC"`` or a quantity.
        until: ``"equilibrium"``, or a time such as ``"2 h"``.
        seeds: solid there from the start: phase to mass or amount per volume (``"1 g/L"``, ``"2 mmol/L"``); for a run
            in time with its area, ``("1 g/L", "50 m^2/g")``.
        phases: the phases that may form; None means all that the components can form.
        volume: of the vessel; more than zero.
        ionic_strength: held at this; None computes it (equilibrium only).
        co2: gas above an open vessel, as for ``speciate`` (equilibrium only).
        activity: law, as for ``speciate`` (equilibrium only).
        catalogue: sheets to use; None means those of the package.

    Raises:
        InputError: wrong totals, arrays, a vessel without volume, seeds without an area in a run in time.
        CatalogueError: an unknown phase.
        SolveError: no equilibrium found.
    """
    sheets = catalogue or Catalogue()
    room = read_quantity(volume, "L", "volume")
    if np.ndim(room) or not room > 0:
        raise InputError("volume", f"`{volume}`", "one volume above zero", "Solids form only where there is solution.")
    allowed = None if phases is None else tuple(known_phase(p, sheets) for p in phases)
    solids = {known_phase(p, sheets): _read_seed(p, s, sheets) for p, s in (seeds or {}).items()}
    if until != EQUILIBRIUM:
        for name, given in {"ionic_strength": ionic_strength, "co2": co2}.items():
            if given is not None:
                raise InputError(name, "a value for a run in time", 'None, or until="equilibrium"')
        return _follow(totals, ph, temperature, until, solids, allowed, float(room), sheets)
    more = tuple({c for p in solids for c in sheets.load("phases", p).products})
    kept = None if allowed is None else tuple(dict.fromkeys([*allowed, *solids]))
    case = read_case(totals, ph, temperature, ionic_strength, co2, activity, sheets, kept, more)
    if case.shape:
        raise InputError("totals", f"arrays of shape {case.shape}", "one solution", "Call once for each solution.")
    return _settle(case, {p: n for p, (n, _) in solids.items()}, float(room))


def _read_seed(phase: str, given: Any, catalogue: Catalogue) -> tuple[float, float | None]:
    """Return amount (mol/m^3) and area (m^2/m^3, None if not given) of a seed."""
    where, area = f"seeds.{phase}", None
    if isinstance(given, tuple | list):
        if len(given) != 2:
            raise InputError(where, f"{len(given)} entries", 'amount and area, ("1 g/L", "50 m^2/g")')
        given, area = given
    sheet = catalogue.load("phases", known_phase(phase, catalogue))
    unit = str(given.units) if hasattr(given, "units") else str(given).strip().lstrip("+-.0123456789eE").strip()
    heavy = bool(unit) and dimension_of(unit, where) == dimension_of("g/L")
    amount = float(read_quantity(given, "g/L" if heavy else "mmol/L", where))
    if amount < 0:
        raise InputError(where, f"`{given}`", "zero or more")
    mass = amount if heavy else amount * sheet.molar_mass.si
    wide = None if area is None else float(read_quantity(area, "m^2/g", f"{where}.area")) * mass
    return mass / sheet.molar_mass.si, wide


def _settle(case: Case, seeds: dict[str, float], volume: float) -> Precipitation:
    """Return the equilibrium of a case with seeds (mol/m^3)."""
    tableau = case.tableau
    start = np.array([seeds.get(p, 0.0) * 1e-3 for p in tableau.phases])
    before = _proton_content(solve_case(case)) if case.ph is not None else 0.0
    # A component that a gas holds has no total of its own to add to.
    whole = replace(case, totals=case.totals + (start @ tableau.phase_counts[:, :-1])[None, :])
    found = equilibrate(one_problem(whole, 0))
    left = np.maximum(found.concentrations @ tableau.counts[:, :-1], 0.0)
    solution = _as_solution(case, found)
    warn_of_range(solution)
    titrant = 0.0
    if case.ph is not None:
        titrant = _proton_content(solution) - before + float((found.solids - start) @ tableau.phase_counts[:, -1])
    components = dict(zip(tableau.components, (float(x) for x in left), strict=True))
    solids = dict(zip(tableau.phases, (float(x) for x in found.solids), strict=True))
    return _result(solution, components, solids, volume, _quantity(titrant, "mol/L"))


def _proton_content(solution: Speciation) -> float:
    """Return protons counted from the masters (mol/L)."""
    return float(solution.molar @ solution.tableau.counts[:, -1])


def _as_solution(case: Case, found: Assemblage) -> Speciation:
    tableau = case.tableau
    ln_gamma, _ = one_problem(case, 0).ln_gamma(found.strength)
    with np.errstate(divide="ignore"):
        ln_activity = np.log(found.concentrations) + ln_gamma
    ph = float(-found.y[-1] / LN10)
    return Speciation(
        tableau,
        float(case.temperature[0]),
        case.activity,
        ph,
        found.strength,
        found.concentrations,
        ln_activity,
        ln_gamma,
        found.y,
        True,
        case.gas,
    )


def _result(
    solution: Speciation,
    components: dict[str, float],
    solids: dict[str, float],
    volume: float,
    titrant: Any,
    course: Any = None,
) -> Precipitation:
    return Precipitation(
        ph=float(solution.ph),
        dissolved={_SYMBOLS.get(c, c): _quantity(n, "mol/L") for c, n in components.items()},
        components={c: _quantity(n, "mol/L") for c, n in components.items()},
        solids={p: _quantity(n, "mol/L") for p, n in solids.items()},
        amounts={p: _quantity(n * 1e3 * volume, "mol") for p, n in solids.items()},
        indices=solution.saturation_indices(),
        titrant=titrant,
        solution=solution,
        course=course,
    )


def _follow(
    totals: Mapping[str, Any],
    ph: float | None,
    temperature: Any,
    until: Any,
    seeds: dict[str, tuple[float, float | None]],
    phases: tuple[str, ...] | None,
    volume: float,
    catalogue: Catalogue,
) -> Precipitation:
    """Return the state after a time."""
    from nanotrial.medium.course import mineral_course

    time, degrees = read_quantity(until, "h", "until"), read_quantity(temperature, "K", "temperature")
    amounts = read_totals(totals, catalogue.solutes())
    if np.ndim(time) or np.ndim(degrees) or any(np.ndim(n) for n in amounts.values()):
        raise InputError("totals", "arrays", "one solution, one temperature and one time")
    if not time > 0:
        raise InputError("until", f"`{until}`", 'a time above zero, or "equilibrium"')
    started = {}
    for phase, (amount, area) in seeds.items():
        if area is None:
            raise InputError(f"seeds.{phase}", "no area", 'amount and area for a run in time, ("1 g/L", "50 m^2/g")')
        started[phase] = (amount, area)
    plain = {c: float(n) for c, n in amounts.items()}
    for phase in seeds:
        plain = dict.fromkeys(catalogue.load("phases", phase).products, 0.0) | plain
    course = mineral_course(plain, ph, float(degrees), float(time), started or None, phases, catalogue=catalogue)
    components = {c: float(n[-1]) * 1e-3 for c, n in course.dissolved.items()}
    solids = {p: max(float(n[-1]), 0.0) * 1e-3 for p, n in course.solids.items()}
    left = {c: _quantity(max(n, 0.0), "mol/L") for c, n in components.items()}
    solution = speciate(left, float(course.ph[-1]), _quantity(float(degrees), "K"), catalogue=catalogue)
    # The course counts strong base; a proton is one of it less.
    titrant = _quantity(0.0 - float(course.titrant[-1]) * 1e-3, "mol/L")
    return _result(solution, components, solids, volume, titrant, course)


def _quantity(number: float, unit: str) -> Any:
    return registry().Quantity(number, unit)
