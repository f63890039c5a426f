"""The comet assay: share of DNA in the tail, alkaline (breaks of either strand) or neutral (of both strands).

    breaks   B = made exp(-k t), single ones by one route, double ones by those of ``break_repair``
    tail     1 - (1 - b) exp(-B / B_e)                  b: tail of untreated cells; B_e: breaks that move 1 - 1/e

The tail saturates, as the assay does. Times are hours. Validity: mean of many cells; the scales belong to a protocol
and carry a wide spread. Sources: ``damage_and_repair``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.break_repair import Repair, read_repair
from nanotrial.cell.linear_flow import check_times, follow_pulse
from nanotrial.errors import InputError
from nanotrial.radiation.arguments import read_quantities, read_quantity


def comet_tail(
    cells: str | Repair,
    absorbed_dose: object,
    times: object,
    *,
    kind: str = "alkaline",
    duration: object = "0 s",
    sheet: Any = None,
) -> Any:
    """Return the share of DNA in the tail against time after a dose: 1 - (1 - b) exp(-B / B_e).

    Arguments:
        cells: id of a line, or constants from ``read_repair``.
        absorbed_dose: one dose, at a constant rate over ``duration`` from time zero.
        times: rising times from the start.
        kind: ``alkaline`` or ``neutral``.
        duration: of the dose.
        sheet: a DamageAndRepair; None is that of mammalian cells.

    Returns:
        DataArray over ``time`` (h), share of 0 to 1.

    Raises:
        InputError: another kind, a negative dose, times that do not rise. UnitError: a wrong unit.
    """
    import xarray as xr

    if kind not in ("alkaline", "neutral"):
        raise InputError("kind", f"`{kind}`", "`alkaline` or `neutral`")
    known = Catalogue().load("damage_and_repair", "mammalian") if sheet is None else sheet
    repair = read_repair(cells, sheet=known) if isinstance(cells, str) else cells
    hours = check_times(read_quantities(times, "h", "times", 0.0))
    length = read_quantity(duration, "h", "duration", 0.0)
    doubles = repair.breaks_per_dose * read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    given = doubles * np.asarray(repair.shares)
    left = follow_pulse(np.diag(-np.asarray(repair.rates)), given, length, hours).sum(axis=1)
    scale = known.comet_neutral.si
    if kind == "alkaline":
        rate = np.array([[-known.single_strand_repair.si * 3600.0]])
        left = left + follow_pulse(rate, np.array([doubles * known.single_strand_ratio.si]), length, hours)[:, 0]
        scale = known.comet_alkaline.si
    tail = 1.0 - (1.0 - known.comet_background.si) * np.exp(-left / scale)
    time = ("time", hours, {"units": "h"})
    return xr.DataArray(tail, {"time": time}, name="tail", attrs={"units": "1", "kind": kind})
