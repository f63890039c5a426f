"""A dose to water and what its radicals do: concentrations in time and net yields.

The rate of dose is constant over the duration and then zero. A duration below 100 ns, ``"0 s"`` among them, gives its
radicals at once: escape yields hold after a microsecond, so nothing faster can be told apart.
Net yields are (amount at the end - amount at the start) / (dose * density), in molecules per 100 eV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import InputError, UnitError, nearest
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.radiation.arguments import Array, read_quantity
from nanotrial.radiation.radicals import Radicals, add_radicals, solute_name
from nanotrial.radiation.yields import HIGHEST_PH, escape_yields, hydroxyl_yield, per_100_ev

if TYPE_CHECKING:
    import xarray as xr

    from nanotrial.catalogue.radiation_schema import Radiolysis
    from nanotrial.solve.run import Trajectory

SHEET = "water_25c"
DENSITY = 997.0  # water at 25 degC, kg/m^3
SHORTEST_PULSE = 1e-7
AFTER = 600.0
FIRST_OUTPUT = 1e-8
SLOWEST = 1e-12
PLACE = "water"
SHORT = {"oxygen": "o2", "hydrogen_peroxide": "h2o2", "hydrogen": "h2", "superoxide": "o2_radical", "H+": "proton"}


@dataclass(frozen=True)
class Conditions:
    """What is irradiated, in SI: concentrations (mol/m^3), temperature (K), areas per volume (1/m)."""

    solutes: Mapping[str, float]
    ph: float
    held_ph: bool
    temperature: float
    let: object
    surfaces: Mapping[str, float]
    count: tuple[str, ...] = ()


@dataclass(frozen=True)
class Course:
    """A run: its trajectory, the names in it, and the dose (Gy) and duration (s) that were given."""

    run: Trajectory
    radicals: Radicals
    dose: float
    duration: float
    start: Mapping[str, float]

    def concentration(self, species: str) -> Array:
        """Return concentrations (mol/m^3) at the times of the run."""
        return np.asarray(self.run[self.radicals.names[species]])

    def made(self, species: str) -> float:
        """Return how much of a counted species reactions made by the end (mol/m^3)."""
        return float(self.run[self.radicals.made[species]][-1])


def load_sheet() -> Radiolysis:
    """Return the sheet of water."""
    from nanotrial.catalogue.lookup import Catalogue

    sheet: Radiolysis = Catalogue().load("radiolysis", SHEET)
    return sheet


def dissolved_oxygen(oxygen: object, temperature: float = 298.15, where: str = "oxygen") -> float:
    """Return dissolved oxygen (mol/m^3) from a share of a gas at one atmosphere, a pressure, or a concentration.

    Arguments:
        oxygen: ``"21 %"``, ``"38 mmHg"`` or ``"250 umol/L"``.
        temperature: K.
        where: name of the argument, for messages.

    Raises:
        InputError: negative, more than one atmosphere as a share, or none of the three.
    """
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.medium.constants import ATMOSPHERE, GAS_CONSTANT, REFERENCE_TEMPERATURE

    gas = Catalogue().load("solutes", "oxygen").gas
    slope = -(1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE) / GAS_CONSTANT
    solubility = gas.henry_constant.si * np.exp(gas.henry_enthalpy.si * slope)
    for unit, factor, high in (
        ("mol/m^3", 1.0, np.inf), ("Pa", solubility, np.inf), ("1", ATMOSPHERE * solubility, 1.0)
    ):  # fmt: skip
        try:
            return float(factor * read_quantity(oxygen, unit, where, 0.0, high))
        except UnitError:
            continue
    raise InputError(where, f"{oxygen!r}", 'a share such as "21 %", a pressure or a concentration')


def read_conditions(
    solutes: Mapping[str, object] | None,
    oxygen: object,
    ph: float,
    temperature: object,
    let: object,
    held_ph: bool = True,
    surfaces: Mapping[str, object] | None = None,
    count: tuple[str, ...] = (),
) -> Conditions:
    """Return the conditions that arguments describe; see ``radiolysis`` for them.

    Raises:
        InputError: a negative concentration, an unknown solute or surface, or a pH or temperature outside the range.
    """
    sheet = load_sheet()
    warmth = read_quantity(temperature, "K", "temperature", 273.15, 373.15)
    if isinstance(ph, bool) or not isinstance(ph, int | float) or not 0 <= ph <= HIGHEST_PH:
        raise InputError("ph", f"{ph!r}", f"a number from 0 to {HIGHEST_PH:g}")
    found: dict[str, float] = {}
    for name, raw in (solutes or {}).items():
        where = f"solutes.{name}"
        species = solute_name(sheet, name, where)
        if species in ("water", "H+", "OH-", "e_aq"):
            raise InputError(where, f"`{name}`", "something dissolved", "Give protons as `ph`.")
        found[species] = read_quantity(raw, "mol/m^3", where, 0.0)
    found.setdefault("oxygen", dissolved_oxygen(oxygen, warmth))
    areas = {}
    known = sorted({r.on for r in sheet.reactions if r.on})
    for name, raw in (surfaces or {}).items():
        if name not in known:
            raise InputError(f"surfaces.{name}", f"`{name}`", "a surface of the sheet", nearest(name, known))
        areas[name] = read_quantity(raw, "1/m", f"surfaces.{name}", 0.0)
    return Conditions(found, float(ph), held_ph, warmth, let, areas, count)


def irradiate(dose: float, duration: float, conditions: Conditions, times: Array) -> Course:
    """Return the course of a dose given evenly over a duration; a dose of zero is a control.

    Arguments:
        dose: Gy.
        duration: s.
        conditions: what is irradiated.
        times: s, rising, from 0 on.

    Raises:
        SolveError: the solver stopped.
    """
    from nanotrial.solve.events import Event, Pulse
    from nanotrial.solve.run import Tolerances, simulate_network

    network = Network("radiolysis")
    network.compartment(PLACE, constant(1.0, "m^3"))
    at_once = duration < SHORTEST_PULSE
    rate = dose / max(duration, SHORTEST_PULSE)
    beam = network.parameter("dose_rate", 0.0, "Gy/s")
    added = add_radicals(
        network, PLACE, beam, load_sheet(), conditions.solutes,
        ph=conditions.ph, let=conditions.let, temperature=conditions.temperature, held_ph=conditions.held_ph,
        density=DENSITY, size=max(dose, 0.1) * DENSITY * 1e-7, size_of_rate=max(rate, SLOWEST),
        surfaces={s: constant(a, "1/m") for s, a in conditions.surfaces.items()}, count=conditions.count,
    )  # fmt: skip
    pulses = [Pulse(0.0, duration, "dose_rate", rate)] if dose and not at_once else []
    events = [Event(0.0, added.burst(network, PLACE, dose), "dose")] if dose and at_once else []
    fine = Tolerances(relative=1e-8, absolute=1e-9, negative=1e-3, max_steps=200_000)
    run = simulate_network(network, times.tolist(), events, pulses, tolerances=fine)
    return Course(run, added, dose, duration, _starts(network, added))


def _starts(network: Network, added: Radicals) -> dict[str, float]:
    """Return what stood there before the dose (mol/m^3); the volume is one cubic metre."""
    return {s: float(network.species[name].initial.expression) for s, name in added.names.items()}


def output_times(duration: float, end: float) -> Array:
    """Return times (s) that show the pulse and what follows: even in it, then in equal steps of the logarithm.

    None lie closer than 10 ns, where the solver tells times apart no more.
    """
    inside = np.linspace(0.0, duration, 11) if duration >= SHORTEST_PULSE else np.zeros(1)
    left = end - inside[-1]
    if left < FIRST_OUTPUT:
        return inside
    return np.concatenate([inside, inside[-1] + np.geomspace(FIRST_OUTPUT, left, 70)])


def radiolysis(
    absorbed_dose: object,
    duration: object,
    solutes: Mapping[str, object] | None = None,
    oxygen: object = "21 %",
    ph: float = 7.0,
    temperature: object = "25 degC",
    let: object = "low",
    until: object | None = None,
    held_ph: bool = True,
    surfaces: Mapping[str, object] | None = None,
) -> xr.Dataset:
    """Return what a dose to water makes and uses up: concentrations in time, and net yields.

        dc/dt = G rho D / T + sum of reactions        G_net = (c_end - c_start) / (rho D)

    Arguments:
        absorbed_dose: dose to water, such as ``"10 Gy"``.
        duration: time over which it is given evenly; below 100 ns, ``"0 s"`` among them, it is given at once.
        solutes: name -> concentration, such as ``{"GSH": "5 mmol/L", "Cu2+": "1 mmol/L"}``.
        oxygen: share of a gas at one atmosphere (``"21 %"``), pressure (``"38 mmHg"``) or concentration.
        ph: 0 to 11; below 3 the yields go over to those of acid.
        temperature: 0 to 100 degC; rates without an activation energy keep their value of 25 degC, yields theirs.
        let: ``"low"``, ``"high"`` (alpha rays) or a linear energy transfer such as ``"2 keV/um"``.
        until: when the yields are taken; ten minutes after the end of the dose if not given.
        held_ph: True in a buffer; False lets protons and hydroxide react, as in pure water.
        surfaces: catalyst -> area per volume, such as ``{"platinum": "0.1 m^2/L"}``.

    Returns:
        Dataset over ``time`` (s): a concentration (umol/L) for every species, ``dose`` (Gy); scalars ``g_<species>``,
        ``g_<species>_consumed`` (molecules per 100 eV), with ``g_h2o2``, ``g_o2``, ``g_o2_consumed``, ``g_h2`` and the
        primary ``primary_g_<radical>``.

    Raises:
        InputError: no dose, a duration without end or a rate of no size, a negative concentration, an unknown solute.
        SolveError: the solver stopped.

    Validity: uniform dose, closed vessel, tracks that do not overlap (below about 100 Gy within a microsecond).
    Sources: in the sheet ``radiolysis/water_25c``.
    """
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0)
    length = read_quantity(duration, "s", "duration", 0.0)
    if dose == 0.0:
        raise InputError("absorbed_dose", "0 Gy", "a dose above zero", "Without dose there is no yield.")
    if dose < SLOWEST * length:
        raise InputError(
            "duration", f"{length:g} s", "a dose rate above zero", "A dose needs a rate: shorten the duration."
        )
    end = length + AFTER if until is None else read_quantity(until, "s", "until", length)
    conditions = read_conditions(solutes, oxygen, ph, temperature, let, held_ph, surfaces)
    course = irradiate(dose, length, conditions, output_times(length, end))
    return _dataset(course, conditions, end)


def _dataset(course: Course, conditions: Conditions, end: float) -> xr.Dataset:
    import xarray as xr

    time, data = course.run.time, dict[str, Any]()
    for name in course.radicals.names:
        data[name] = ("time", course.concentration(name) * 1e3, {"units": "umol/L"})
    given = np.minimum(time / course.duration, 1.0) if course.duration >= SHORTEST_PULSE else np.ones_like(time)
    data["dose"] = ("time", course.dose * given, {"units": "Gy"})
    unit, start = {"units": "molecules per 100 eV"}, course.start
    for name in course.radicals.names:
        held = course.concentration(name)
        net = float(per_100_ev((held[-1] - start.get(name, 0.0)) / (course.dose * DENSITY)))
        data[f"g_{yield_name(name)}"] = ((), net, unit)
        if name in conditions.solutes:
            data[f"g_{yield_name(name)}_consumed"] = ((), -net, unit)
    free = escape_yields(load_sheet(), conditions.ph, conditions.let)
    for name, value in {**free, "OH": hydroxyl_yield(free)}.items():
        data[f"primary_g_{yield_name(name)}"] = ((), float(per_100_ev(value)), unit)
    about = {
        "dose_rate": course.dose / max(course.duration, SHORTEST_PULSE), "dose_rate_units": "Gy/s",
        "until": end, "until_units": "s",
        "ph": conditions.ph, "temperature": conditions.temperature, "temperature_units": "K", "sheet": SHEET,
    }  # fmt: skip
    return xr.Dataset(data, {"time": ("time", time, {"units": "s"})}, about)


def yield_name(species: str) -> str:
    """Return how a species is written in the name of a yield: ``h2o2``, ``o2``, ``fe3``, ``gsh``."""
    plain = SHORT.get(species, species)
    plain = re.sub(r"-$", "_minus", plain)
    return re.sub(r"[^a-z0-9_]", "", plain.lower())
