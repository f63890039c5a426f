"""What a dose of calcium, or of citrate that binds it, does to the calcium in a host's blood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import brentq

from nanotrial.body.homeostasis import POOLS, Given, homeostasis_network
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.mineral_schema import CalciumHomeostasis
from nanotrial.errors import CatalogueError, InputError, UnitError, nearest
from nanotrial.solve.events import Pulse
from nanotrial.solve.run import Tolerances, simulate_network
from nanotrial.units import dimension_of, parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.values import Value

    Vector = NDArray[np.float64]

Grade = Literal["none", "mild", "moderate", "severe"]
KIND = "calcium_homeostasis"
# Standard atomic weight (CIAAW 2021), kg/mol.
CALCIUM_MASS = 40.078e-3
# Where a depot lies, and the sheet's key for the time it takes to leave.
DEPOTS = {
    "subcutaneous": "subcutaneous_half_life",
    "peritumoral": "subcutaneous_half_life",
    "intraperitoneal": "peritoneal_half_life",
    "intratumoral": "tumour_half_life",
}
ROUTES = ("intravenous", *DEPOTS)
FORMS = '"10 mmol/L in 100 uL", "0.1 mmol/kg", "4 mg/kg" or "2 umol"'
TIGHT = Tolerances(relative=1e-9, absolute=1e-12)


@dataclass(frozen=True)
class CalciumLoad:
    """Course of a host's blood after a dose; SI: s, mol/m^3 (which is mmol/L), kg/m^3 for the hormone, mol.

    ``corrected`` is total calcium at the host's usual albumin, which the grades are for, and ``rest`` that before the
    dose. ``ceiling`` is its rise if all of the dose stayed, mixed, outside cells; ``plasma_ceiling`` that before any
    of it left plasma. ``imbalance`` is how far calcium, and citrate if given, fail to add up.
    """

    host: str
    route: str
    dose: float
    depot_half_life: float
    rest: float
    times: Vector
    ionised: Vector
    total: Vector
    corrected: Vector
    hormone: Vector
    excreted: Vector
    mineral: Vector
    product: Vector
    ceiling: float
    plasma_ceiling: float
    thresholds: tuple[float, float, float]
    imbalance: dict[str, float]

    @property
    def peak(self) -> float:
        """Return the highest total calcium at usual albumin (mol/m^3)."""
        return float(self.corrected.max())

    @property
    def lowest_ionised(self) -> float:
        """Return the lowest ionised calcium (mol/m^3)."""
        return float(self.ionised.min())

    @property
    def grade(self) -> Grade:
        """Return the grade of hypercalcaemia that the peak reaches."""
        return self.grade_of(self.peak)

    @property
    def ceiling_grade(self) -> Grade:
        """Return the grade if all of the dose stayed outside cells: kidney and bone have no part in it."""
        return self.grade_of(self.rest + self.ceiling)

    def grade_of(self, calcium: float) -> Grade:
        """Return the grade of a total calcium (mol/m^3) by the thresholds of the host."""
        mild, moderate, severe = self.thresholds
        if calcium > severe:
            return "severe"
        if calcium > moderate:
            return "moderate"
        return "mild" if calcium > mild else "none"

    def time_above(self, threshold: float) -> float:
        """Return for how long (s) corrected calcium lies above a threshold (mol/m^3), by straight lines between."""
        over = np.asarray(self.corrected - threshold)
        lengths = np.diff(self.times)
        low, high = np.minimum(over[:-1], over[1:]), np.maximum(over[:-1], over[1:])
        share = np.clip(high / np.where(high > low, high - low, 1.0), 0.0, 1.0)
        return float(np.sum(lengths * np.where(low > 0.0, 1.0, np.where(high > 0.0, share, 0.0))))


def calcium_load(
    host: str | CalciumHomeostasis,
    dose: str,
    route: str = "intravenous",
    duration: str | None = None,
    depot_half_life: str | None = None,
    until: str = "24 h",
    body_mass: str | None = None,
    albumin: str | None = None,
    citrate: str | None = None,
    mineral: str | None = None,
) -> CalciumLoad:
    """Return what a dose of calcium does to the calcium in the blood of a host.

    Equations: ``nanotrial.body.homeostasis``.

    Arguments:
        host: id of a sheet of ``calcium_homeostasis``, or a sheet.
        dose: calcium, as a local concentration with its volume ("10 mmol/L in 100 uL"), per body mass ("0.1 mmol/kg",
            "4 mg/kg") or as an amount ("2 umol", "80 ug").
        route: intravenous, subcutaneous, peritumoral, intraperitoneal or intratumoral.
        duration: how long an intravenous dose and the citrate run in; at once if not given.
        depot_half_life: time in which half of a depot reaches the fluid between cells; the sheet's if not given.
        until: length of the run.
        body_mass: mass of the host; the sheet's if not given.
        albumin: albumin of plasma to which the host is used, such as "25 g/L"; the sheet's if not given.
        citrate: citrate into a vein over ``duration``, such as "0.5 mmol/kg".
        mineral: calcium that growing mineral would take up over the run at resting calcium, such as "2 umol".

    Raises:
        InputError: unknown host or route, a negative or missing quantity, a unit that does not fit.

    Validity: minutes to a day; the volume of the dose and salting out at its place are left out.
    """
    sheet = _sheet(host)
    mass = _positive(body_mass, "kg", "body_mass", sheet.body_mass)
    amount = _amount(dose, mass, "dose", CALCIUM_MASS)
    chelator = 0.0 if citrate is None else _amount(citrate, mass, "citrate", None)
    run = _positive(until, "s", "until", None)
    half_life = _depot(sheet, route, duration, depot_half_life)
    over = 0.0 if duration is None else _positive(duration, "s", "duration", None)
    at_once = route == "intravenous" and not over
    given = Given(
        mass,
        _positive(albumin, "g/L", "albumin", sheet.albumin),
        run,
        bolus=amount if at_once else 0.0,
        infused=amount if over else 0.0,
        depot=amount if route in DEPOTS else 0.0,
        depot_half_life=half_life or 1.0,
        citrate_bolus=0.0 if over else chelator,
        citrate_infused=chelator if over else 0.0,
        mineral=0.0 if mineral is None else _amount(mineral, mass, "mineral", CALCIUM_MASS),
    )
    return _run(sheet, given, (route, amount, half_life), over)


def _run(sheet: CalciumHomeostasis, given: Given, asked: tuple[str, float, float], over: float) -> CalciumLoad:
    route, amount, half_life = asked
    end = given.run
    if over > end:
        raise InputError("duration", f"{over:g} s", f"no more than `until`, {end:g} s", "Lengthen `until`.")
    grid = np.union1d(np.geomspace(min(1.0, end / 10.0), end, 240), np.linspace(0.0, end, 121))
    times = np.union1d(grid, [over]) if over else grid
    pulses = []
    for name, total in (("infusion", given.infused), ("citrate_infusion", given.citrate_infused)):
        if total:
            pulses.append(Pulse(0.0, over, name, total / over))
    run = simulate_network(homeostasis_network(sheet, given), times.tolist(), pulses=pulses, tolerances=TIGHT)
    ceiling, plasma_ceiling = _ceilings(sheet, given, amount)
    chelated = given.citrate_bolus + given.citrate_infused > 0.0
    return CalciumLoad(
        host=sheet.name,
        route=route,
        dose=amount,
        depot_half_life=half_life,
        rest=sheet.total_calcium.si,
        times=run.time,
        ionised=run["ionised"],
        total=run["total"],
        corrected=run["corrected"],
        hormone=run["hormone_level"],
        excreted=run["urine.calcium"],
        mineral=run["mineral.calcium"],
        product=run["product"],
        ceiling=ceiling,
        plasma_ceiling=plasma_ceiling,
        thresholds=(sheet.mild_threshold.si, sheet.moderate_threshold.si, sheet.severe_threshold.si),
        imbalance={kind: gap for kind, gap in run.imbalance().items() if kind == "calcium" or chelated},
    )


def _ceilings(sheet: CalciumHomeostasis, given: Given, amount: float) -> tuple[float, float]:
    """Return the rise (mol/m^3) with all of an amount (mol) mixed outside cells, and with all of it in plasma."""
    rest, half = sheet.ionised_calcium.si, sheet.albumin_constant.si
    free = 1.0 + sheet.complexed_share.si
    usual = (sheet.total_calcium.si - rest * free) * (half + rest) / rest
    sites = usual * given.albumin / sheet.albumin.si
    plasma = sheet.plasma_volume.si * given.body_mass
    between = sheet.extracellular_volume.si * given.body_mass - plasma
    shares = dict(zip(POOLS, ((plasma, sites), (between, sites * sheet.interstitial_albumin.si)), strict=True))

    def corrected(c: float) -> float:
        return c * free + usual * c / (half + c)

    def mixed(c: float, volumes: tuple[tuple[float, float], ...]) -> float:
        return sum(v * (c * free + s * c / (half + c)) for v, s in volumes)

    rises = []
    for volumes in (tuple(shares.values()), (shares["plasma"],)):
        goal = mixed(rest, volumes) + amount
        top = rest + amount / (free * sum(v for v, _ in volumes))
        found = brentq(lambda c, v=volumes, g=goal: mixed(c, v) - g, rest, top, xtol=1e-14) if amount else rest
        rises.append(float(corrected(found) - corrected(rest)))
    return rises[0], rises[1]


def _sheet(host: str | CalciumHomeostasis) -> CalciumHomeostasis:
    if isinstance(host, CalciumHomeostasis):
        sheet = host
    else:
        known = Catalogue().ids(KIND)
        if host not in known:
            raise InputError("host", f"`{host}`", f"a host of the catalogue ({KIND})", nearest(str(host), known))
        sheet = Catalogue().load(KIND, host)
    problem = sheet.problem()
    if problem is not None:
        raise CatalogueError(f"{KIND}: {sheet.name}", *problem)
    return sheet


def _depot(sheet: CalciumHomeostasis, route: str, duration: str | None, half_life: str | None) -> float:
    """Return the half-life of the depot (s), 0 without one."""
    if route not in ROUTES:
        raise InputError("route", f"`{route}`", "a route of a dose", nearest(str(route), ROUTES))
    if route == "intravenous":
        if half_life is not None:
            raise InputError("depot_half_life", f'"{half_life}"', "nothing: an intravenous dose lies in no depot")
        return 0.0
    if duration is not None:
        raise InputError("duration", f'"{duration}"', f"nothing: the depot of a {route} dose is set at once")
    return _positive(half_life, "s", "depot_half_life", getattr(sheet, DEPOTS[route]))


def _positive(text: str | None, unit: str, where: str, otherwise: Value | None) -> float:
    """Return a quantity above zero in SI, or that of the sheet where nothing is given."""
    if text is None and otherwise is not None:
        return otherwise.si
    found = parse(text, unit, where)
    if not found > 0.0 or not np.isfinite(found):
        raise InputError(where, f'"{text}"', f"a quantity above zero, such as a number in {unit}")
    return found


def _amount(text: str, body_mass: float, where: str, molar_mass: float | None) -> float:
    """Return the amount (mol) of a dose; masses need a molar mass (kg/mol)."""
    if not isinstance(text, str):
        raise UnitError(where, f"{text!r}", f"a dose such as {FORMS}")
    local = re.fullmatch(r"(.+?)\s+in\s+(.+)", text.strip())
    if local:
        volume = _not_negative(local[2], "L", where)
        amount, _ = _substance(local[1], where, molar_mass, {"mol/L": 1.0, "g/L": 1.0})
        return amount * volume
    amount, per_mass = _substance(text, where, molar_mass, {"mol/kg": body_mass, "mol": 1.0, "g": 1.0})
    return amount * per_mass


def _substance(text: str, where: str, molar_mass: float | None, kinds: dict[str, float]) -> tuple[float, float]:
    """Return the SI number in mol (per whatever the kind is per) and the factor of the kind that a text fits."""
    unit = re.sub(r"^\s*[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*", "", text).strip()
    if not unit:
        raise UnitError(where, f'"{text}" without a unit', f"a dose such as {FORMS}")
    found = dimension_of(unit, where)
    for kind, factor in kinds.items():
        if found == dimension_of(kind):
            by_mass = kind.startswith("g")
            if by_mass and molar_mass is None:
                raise UnitError(where, f'"{text}"', "an amount in mol, such as 0.5 mmol/kg")
            return _not_negative(text, kind, where) / (molar_mass if by_mass and molar_mass else 1.0), factor
    # A mass per body mass has no dimension left; only a unit that says so counts.
    if "mol/kg" in kinds and found.is_number and re.search(r"g\s*/\s*k?g$", unit) and molar_mass is not None:
        return _not_negative(text, "1", where) / molar_mass, kinds["mol/kg"]
    raise UnitError(where, f'"{text}" ({found})', f"a dose such as {FORMS}")


def _not_negative(text: str, unit: str, where: str) -> float:
    found = parse(text, unit, where)
    if not found >= 0.0 or not np.isfinite(found):
        raise InputError(where, f'"{text}"', "zero or more")
    return found
