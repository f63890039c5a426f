"""Foci of gamma-H2AX against time after a dose: they appear on breaks, stay a while after repair, and are lost.

    unseen    dU/dt = s y B R(t) - (a + k) U
    seen      dS/dt = a U - k S                      k: repair of the route
    late      dL/dt = k S - d L                      d: loss of the focus of a repaired break
    count     background + sum over routes of S + L

With fast appearance this is the chain of repair and clearance of mcmahon_2016. A break that is repaired before its
focus is seen is not counted. Times are hours. Validity: to about 5 Gy, beyond which foci merge in a microscope (no
merging here); one focus for one break. Sources: ``damage_and_repair``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.break_repair import ROUTES, Repair, read_repair
from nanotrial.cell.linear_flow import check_times, follow_pulse
from nanotrial.radiation.arguments import read_quantities, read_quantity


def count_foci(
    cells: str | Repair, absorbed_dose: object, times: object, *, duration: object = "0 s", sheet: Any = None
) -> Any:
    """Return the mean number of foci per nucleus against time after a dose.

    Arguments:
        cells: id of a line, or constants from ``read_repair``.
        absorbed_dose: one dose, at a constant rate over ``duration`` from time zero.
        times: rising times from the start.
        duration: of the dose.
        sheet: a DamageAndRepair; None is that of mammalian cells.

    Returns:
        DataArray over ``time`` (h), foci per nucleus, background included.

    Raises:
        InputError: a negative dose, times that do not rise. UnitError: a wrong unit.
    """
    import xarray as xr

    known = Catalogue().load("damage_and_repair", "mammalian") if sheet is None else sheet
    repair = read_repair(cells, sheet=known) if isinstance(cells, str) else cells
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    hours = check_times(read_quantities(times, "h", "times", 0.0))
    length = read_quantity(duration, "h", "duration", 0.0)
    appearance = known.foci_appearance.si * 3600.0
    count = np.full(hours.shape, float(known.background_foci.si))
    for route, share, rate in zip(ROUTES, repair.shares, repair.rates, strict=True):
        loss = known.foci_loss[route].si * 3600.0
        flow = np.array([[-appearance - rate, 0.0, 0.0], [appearance, -rate, 0.0], [0.0, rate, -loss]])
        made = np.array([repair.breaks_per_dose * dose * share, 0.0, 0.0])
        count += follow_pulse(flow, made, length, hours)[:, 1:].sum(axis=1)
    return xr.DataArray(count, {"time": ("time", hours, {"units": "h"})}, name="foci", attrs={"units": "1"})
