"""Shares of G1, S and G2/M in time: growth, arrest after a dose, and drugs that hold cells in a phase.

    dG1/dt = 2 k3 M - k1 G1,   dS/dt = k1 G1 - k2 S,   dM/dt = k2 S - k3 M          M: G2 and mitosis together
    rates    k1 = g (2 - a) / a,   k2 = g (1 + c) / b,   k3 = g / c,   g = ln 2 / doubling time

so that a culture with shares a, b, c of G1, S and G2/M grows with these shares for ever: exact. After a dose the exit
of G2/M is shut for a time that the dose sets, and that of G1 where one is named. A drug leaves a share of an exit.
Times are hours. Validity: residence in a phase is spread exponentially, so that arrest fills and empties more smoothly
than in synchronous cells; every cell of the culture is counted, doomed ones too. Sources: shares and arrest in
``catalogue/radiosensitivity``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_flow import check_times, follow
from nanotrial.cell.linear_quadratic import line_id
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantities, read_quantity

PHASES = ("g1", "s", "g2m")


def exit_rates(shares: tuple[float, float, float], doubling_time: float) -> Array:
    """Return the rates (1/h) at which cells leave G1, S and G2/M so that these shares stay in growth.

    Arguments:
        shares: of G1, S, G2/M, each above zero, sum 1.
        doubling_time: hours.

    Raises:
        InputError: shares that do not sum to 1, or one that is zero.
    """
    a, b, c = shares
    if min(shares) <= 0.0 or abs(a + b + c - 1.0) > 1e-6:
        raise InputError("shares", f"{shares}", "shares of G1, S and G2/M above zero that sum to 1")
    growth = math.log(2.0) / doubling_time
    return np.array([growth * (2.0 - a) / a, growth * (1.0 + c) / b, growth / c])


def flow_matrix(rates: Array) -> Array:
    """Return M of dx/dt = M x for G1, S, G2/M; what leaves G2/M enters G1 twice."""
    first, second, third = rates
    return np.array([[-first, 0.0, 2.0 * third], [first, -second, 0.0], [0.0, second, -third]])


def follow_cycle(
    cells: str | tuple[float, float, float], absorbed_dose: object, times: object, *, doubling_time: object = None,
    g1_arrest: object = "0 h/Gy", g2_arrest: object = None, exit_left: Mapping[str, float] | None = None,
) -> Any:  # fmt: skip
    """Return shares of the phases and the number of cells against time after an acute dose.

    Arguments:
        cells: id of a line, or shares of G1, S and G2/M in growth.
        absorbed_dose: one acute dose at time zero.
        times: rising times from the dose.
        doubling_time: None is that of the line in ``catalogue/cells``.
        g1_arrest, g2_arrest: how long the exit is shut per dose; None for G2/M is that of the line.
        exit_left: phase -> share of its exit that a drug leaves, from time zero (0: shut).

    Returns:
        Dataset over ``time`` (h): g1, s, g2m (shares) and number (1 at time zero).

    Raises:
        CatalogueError: an unknown line. InputError: an unknown phase, a negative dose. UnitError: a wrong unit.
    """
    import xarray as xr

    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    hours = check_times(read_quantities(times, "h", "times", 0.0))
    shares, doubling, per_dose = _read_line(cells, doubling_time, g2_arrest)
    shut = {"g1": dose * read_quantity(g1_arrest, "h/Gy", "g1_arrest", 0.0), "g2m": dose * per_dose}
    rates = exit_rates(shares, doubling)
    for phase, left in (exit_left or {}).items():
        if phase not in PHASES:
            raise InputError(f"exit_left.{phase}", "an unknown phase", "g1, s or g2m", nearest(phase, PHASES))
        if not 0.0 <= left <= 1.0:
            raise InputError(f"exit_left.{phase}", f"{left:g}", "a share of 0 to 1")
        rates[PHASES.index(phase)] *= left
    table = _play(rates, np.asarray(shares), shut, hours)
    total = table.sum(axis=1)
    columns = {p: ("time", table[:, i] / total, {"units": "1"}) for i, p in enumerate(PHASES)}
    columns["number"] = ("time", total, {"units": "1"})
    return xr.Dataset(columns, {"time": ("time", hours, {"units": "h"})})


def _read_line(cells: object, doubling_time: object, g2_arrest: object) -> tuple[Any, float, float]:
    if not isinstance(cells, str):
        if doubling_time is None or g2_arrest is None:
            raise InputError("cells", "shares alone", "`doubling_time` and `g2_arrest` beside them")
        found: Any = tuple(float(share) for share in cells)  # type: ignore[attr-defined]
    else:
        name = line_id(cells)
        line = Catalogue().load("radiosensitivity", name, "cells")
        given = [getattr(line, f"{phase}_share").si for phase in PHASES]
        found = tuple(share / sum(given) for share in given)
        if doubling_time is None:
            doubling_time = _text(Catalogue().load("cells", name, "cells").doubling_time)
        if g2_arrest is None:
            g2_arrest = _text(line.g2_arrest)
    hours = read_quantity(doubling_time, "h", "doubling_time", 1e-3)
    return found, hours, read_quantity(g2_arrest, "h/Gy", "g2_arrest", 0.0)


def _text(value: Any) -> str:
    return f"{value.value!r} {value.unit}"


def _play(rates: Array, start: Array, shut: Mapping[str, float], hours: Array) -> Array:
    """Return the pools (t, 3): constant rates between the times at which exits open."""
    ends = sorted({0.0, *shut.values()})
    found, now = np.empty((len(hours), 3)), start
    for begin, end in zip(ends, [*ends[1:], math.inf], strict=True):
        open_rates = np.array([0.0 if shut.get(p, 0.0) > begin else r for p, r in zip(PHASES, rates, strict=True)])
        matrix = flow_matrix(open_rates)
        inside = (hours >= begin) & (hours <= end)
        found[inside] = follow(matrix, now, hours[inside] - begin)
        if math.isfinite(end):
            now = follow(matrix, now, np.array([end - begin]))[0]
    return found
