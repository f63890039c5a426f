"""The course of precipitation in a litre of solution: what is dissolved, what is solid, and the pH, over time.

A pH that is held is held by a titrant, strong base or acid that answers a departure at once:

    d(strong charge)/dt = g V (pH_held - pH) ,  g = 1 mol/(L s) per pH unit

Seeds are given as amount n and surface A per volume of suspension; they are spheres of radius r = 3 n Vm / A.
Source of constants: the sheets of ``catalogue/solutes`` and ``catalogue/phases``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, nearest
from nanotrial.medium import minerals
from nanotrial.medium.crystals import forms, molar_volume, state_names
from nanotrial.medium.vessel import VOLUME, closed_vessel
from nanotrial.network.terms import Term, constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.solve.run import Trajectory

    Vector = NDArray[np.float64]
    Seeds = Mapping[str, tuple[float, float]]

_TITRATION_GAIN = 1e3
_FIRST_TIME_SHARE = 1e-7
_FIRST_PH = 7.4
_CHARGE = "tube.strong_charge.start"
# Tighter than a tube: charge is to close to 1e-9 along the whole course.
_TOLERANCES = (1e-9, 1e-12)


@dataclass(frozen=True)
class MineralCourse:
    """What a solution does over ``times_s`` (s): arrays with one number per time.

    ``dissolved`` holds totals by component and ``solids`` amounts by phase (mol/m^3), ``crystals`` numbers by phase
    (1/m^3), ``titrant`` the strong base added to hold the pH (mol/m^3; acid is negative; zero where it is not held).
    """

    times_s: Vector
    ph: Vector
    dissolved: dict[str, Vector]
    solids: dict[str, Vector]
    crystals: dict[str, Vector]
    saturation_indices: dict[str, Vector]
    titrant: Vector


def mineral_course(
    totals: Mapping[str, float],
    ph: float | None,
    temperature: float,
    until: float,
    seeds: Seeds | None = None,
    phases: tuple[str, ...] | Mapping[str, Phase] | None = None,
    strong_charge: float = 0.0,
    points: int = 200,
    catalogue: Catalogue | None = None,
) -> MineralCourse:
    """Return the course of a closed litre of solution, from its mixing on.

    Arguments:
        totals: total of each component (mol/m^3) by id.
        ph: pH that a titrant holds; None: charge balance sets it.
        temperature: K.
        until: last time (s); times are 0 and a geometric row up to it.
        seeds: crystals there from the start, by phase: (mol/m^3, m^2/m^3).
        phases: what may form, by id or with sheets of one's own; None: every phase whose components are there.
        strong_charge: net charge of indifferent ions (mol/m^3) where the pH is not held.
        points: number of times.
        catalogue: sheets to read; by default those of the package.

    Raises:
        InputError: a negative total, a phase or seed that cannot be, no time to run.
        SolveError: the solver stopped.
    """
    sheets = catalogue or Catalogue()
    _check(totals, until, points, sheets)
    chosen = _chosen_phases(totals, phases, sheets)
    guess = _FIRST_PH if ph is None else ph
    vessel = closed_vessel(totals, guess, temperature, phases=chosen, strong_charge=strong_charge, catalogue=sheets)
    minerals.add(vessel)
    if ph is not None:
        _hold(vessel, ph)
    if ph is not None or strong_charge == 0.0:
        _guess_start(vessel, totals, ph, sheets)
    times = np.concatenate([[0.0], np.geomspace(until * _FIRST_TIME_SHARE, until, points - 1)])
    run = _play(vessel, ph, _seeded(vessel, seeds or {}), times)
    formed = [i for i, p in chosen.items() if forms(p) or p.relaxation_rate is not None]
    strong = run["tube.strong_charge"] / VOLUME
    return MineralCourse(
        times_s=times,
        ph=run["ph"],
        dissolved={name: run[name] for name in totals},
        solids={i: run[f"{i}.solid"] for i in formed},
        crystals={i: run[state_names(vessel, i)[1]] / VOLUME for i in formed if forms(chosen[i])},
        saturation_indices={i: run[f"{i}.saturation_index"] for i in chosen},
        titrant=strong - strong[0],
    )


def _guess_start(vessel: Any, totals: Mapping[str, float], ph: float | None, sheets: Catalogue) -> None:
    """Make the speciation of the fresh solution the first guess of the vessel's equilibria; its own may be far off."""
    from nanotrial.medium.case import read_case
    from nanotrial.medium.equilibria import solve_case

    texts = {name: f"{total!r} mmol/L" for name, total in totals.items() if total > 0.0}
    if not texts:
        return
    case = read_case(texts, ph, f"{vessel.temperature!r} K", None, None, "davies", sheets, phases=())
    found = solve_case(case)
    block = vessel.network.equilibria["tube.speciation"]
    known = {"tube.ph": float(found.ph), "tube.root_ionic_strength": math.sqrt(float(found.strength))}
    for name, master in vessel.solution.masters.items():
        if master in found.tableau.species:
            known[f"tube.free.{name}"] = 1e3 * float(found.molar[found.tableau.species.index(master)])
    guesses = tuple(known.get(n, g) for n, g in zip(block.names, block.guesses, strict=True))
    vessel.network.equilibria[block.name] = replace(block, guesses=guesses)


def _play(vessel: Any, ph: float | None, seeds: dict[str, Term], times: Vector) -> Trajectory:
    """Run a vessel from its mixing on, with seeds in it; the charge at its start is fitted to a pH that is held."""
    from nanotrial.solve.compiled import compile_network
    from nanotrial.solve.events import Event
    from nanotrial.solve.run import Runner, Tolerances, simulate_network

    changes: dict[str, float] = {}
    compiled = compile_network(vessel.network)
    if ph is not None:
        place = compiled.parameter_index(_CHARGE)
        changes[_CHARGE] = float(compiled.titrate(compiled.parameters(), place, "tube.ph", ph, compiled.guesses)[place])
    events = [Event(0.0, seeds, "seeds")] if seeds else []
    runner = Runner(compiled, Tolerances(*_TOLERANCES))
    return simulate_network(vessel.network, list(times), events, changes=changes, runner=runner)


def _check(totals: Mapping[str, float], until: float, points: int, sheets: Catalogue) -> None:
    known = sheets.ids("solutes")
    for name, total in totals.items():
        if name not in known:
            raise InputError("totals", f"`{name}`", "a component of the catalogue", nearest(name, known))
        if not (math.isfinite(total) and total >= 0.0):
            raise InputError(f"totals: {name}", f"{total:g} mol/m^3", "a total of zero or more")
    if not (math.isfinite(until) and until > 0.0):
        raise InputError("until", f"{until:g} s", "a time after the start")
    if points < 3:
        raise InputError("points", f"{points}", "three times or more")


def _chosen_phases(
    totals: Mapping[str, float], phases: tuple[str, ...] | Mapping[str, Phase] | None, sheets: Catalogue
) -> dict[str, Any]:
    """Return the phases that may form, by id."""
    if phases is None:
        every = {i: sheets.load("phases", i) for i in sheets.ids("phases")}
        return {i: p for i, p in every.items() if all(s in totals for s in p.products)}
    if isinstance(phases, tuple | list):
        phases = {i: sheets.load("phases", i, "phases") for i in phases}
    for identifier, phase in phases.items():
        lacking = [s for s in phase.products if s not in totals]
        if lacking:
            found, wanted = f"`{identifier}` without {', '.join(lacking)}", "phases whose components are in the totals"
            raise InputError("phases", found, wanted, f"Add {lacking[0]} to the totals, or leave the phase out.")
    return dict(phases)


def _hold(vessel: Any, ph: float) -> None:
    """Add the titrant: one strong ion for each charge, which counts in the ionic strength."""
    gain = constant(_TITRATION_GAIN, "mol/m^3/s")
    rate = (ph - vessel.solution.ph) * gain * vessel.volume
    added = {"tube.strong_charge": 1.0, "tube.inert_ions": 1.0}
    vessel.network.process("titrant", added, rate, "strong base in, or acid")


def _seeded(vessel: Any, seeds: Seeds) -> dict[str, Term]:
    """Return the states that seeds set, as an event does."""
    changes: dict[str, Term] = {}
    for identifier, (amount, area) in seeds.items():
        phase = vessel.phases.get(identifier)
        if phase is None or not (forms(phase) or phase.relaxation_rate is not None):
            known = [i for i, p in vessel.phases.items() if forms(p) or p.relaxation_rate is not None]
            raise InputError("seeds", f"`{identifier}`", "a phase that may form", nearest(identifier, known))
        if not (amount >= 0.0 and area >= 0.0 and (amount == 0.0) == (area == 0.0)):
            found = f"{amount:g} mol/m^3 with {area:g} m^2/m^3"
            raise InputError(f"seeds: {identifier}", found, "an amount with a surface, or neither")
        names = state_names(vessel, identifier)
        changes[names[0]] = vessel.volume * constant(amount, "mol/m^3")
        if forms(phase) and amount > 0.0:
            filled, surface = molar_volume(vessel, identifier) * constant(amount, "mol/m^3"), constant(area, "1/m")
            radius = filled * 3.0 / surface
            changes[names[3]] = vessel.volume * surface / (4.0 * math.pi)
            changes[names[2]] = changes[names[3]] / radius
            changes[names[1]] = changes[names[2]] / radius
    return changes
