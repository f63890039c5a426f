"""What becomes of cells after a dose, in time: apoptosis, mitotic catastrophe, necrosis; and targets other than DNA.

    doomed     share 1 - S, of which a share a dies by apoptosis, the rest in mitosis
    delay      four equal steps from the dose to death, mean the delay of the line
    membrane   apoptotic cells become leaky (secondary necrosis) at 1 / t_m; those that die in mitosis are leaky
    organelle  share that fails x^n / (1 + x^n), x = dose to the organelle / its tolerance
    oxidants   burst y D exp(-k t) (radiolysis) and production of the cell times 1 + m D exp(-k t)

Pathways of organelles stand beside DNA: their tolerances are assumed with wide spreads, and nothing of them enters
survival by itself. Times are hours. Validity: one round of death; no phagocytosis or washing away of dead cells.
Sources: ``radiosensitivity``, ``damage_and_repair``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_flow import check_times, follow
from nanotrial.cell.linear_quadratic import line_id
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import read_quantities, read_quantity

STEPS = 4
ORGANELLES = ("lysosome", "mitochondrion", "reticulum")


def _share(name: str, number: float) -> float:
    if not 0.0 <= number <= 1.0:
        raise InputError(name, f"{number:g}", "a share of 0 to 1")
    return float(number)


def follow_fates(
    surviving: float, times: object, *, apoptotic_share: float, death_delay: object, secondary_necrosis: object,
    necrotic: float = 0.0,
) -> Any:  # fmt: skip
    """Return shares of cells that are alive, apoptotic and leaky against time after a dose.

    Arguments:
        surviving: share S that survives by its DNA.
        times: rising times from the dose.
        apoptotic_share: of the doomed cells, those that die by apoptosis.
        death_delay: mean time from the dose to death.
        secondary_necrosis: mean time for which an apoptotic cell keeps its membrane.
        necrotic: share of all cells that other targets kill at once, by necrosis.

    Returns:
        Dataset over ``time`` (h): alive, apoptotic, necrotic (secondary included) and catastrophe; sum 1.

    Raises:
        InputError: a share outside 0 to 1, a time of zero. UnitError: a wrong unit.
    """
    import xarray as xr

    hours = check_times(read_quantities(times, "h", "times", 0.0))
    left = _share("surviving", surviving) * (1.0 - _share("necrotic", necrotic))
    doomed = (1.0 - surviving) * (1.0 - necrotic)
    step = STEPS / read_quantity(death_delay, "h", "death_delay", 1e-3)
    leak = 1.0 / read_quantity(secondary_necrosis, "h", "secondary_necrosis", 1e-3)
    share = _share("apoptotic_share", apoptotic_share)
    # Pools: steps before death, apoptotic, secondary necrotic, dead in mitosis.
    flow = np.zeros((STEPS + 3, STEPS + 3))
    for i in range(STEPS):
        flow[i, i] = -step
        flow[i + 1, i] = step
    flow[STEPS, STEPS - 1], flow[STEPS + 2, STEPS - 1] = share * step, (1.0 - share) * step
    flow[STEPS, STEPS], flow[STEPS + 1, STEPS] = -leak, leak
    start = np.zeros(STEPS + 3)
    start[0] = doomed
    pools = follow(flow, start, hours)
    table = {
        "alive": left + pools[:, :STEPS].sum(axis=1),
        "apoptotic": pools[:, STEPS],
        "necrotic": necrotic + pools[:, STEPS + 1],
        "catastrophe": pools[:, STEPS + 2],
    }
    columns = {name: ("time", column, {"units": "1"}) for name, column in table.items()}
    return xr.Dataset(columns, {"time": ("time", hours, {"units": "h"})})


def line_fates(cells: str, surviving: float, times: object, secondary_necrosis: object, necrotic: float = 0.0) -> Any:
    """Return fates with the share of apoptosis and the delay of a line's sheet; arguments as for ``follow_fates``."""
    line = Catalogue().load("radiosensitivity", line_id(cells), "cells")
    return follow_fates(
        surviving, times, apoptotic_share=line.apoptotic_share.si,
        death_delay=f"{line.death_delay.value!r} {line.death_delay.unit}", secondary_necrosis=secondary_necrosis,
        necrotic=necrotic,
    )  # fmt: skip


def fail_organelle(organelle: str, absorbed_dose: object, sheet: Any = None) -> Any:
    """Return the share of organelles that fail at doses of their own: x^n / (1 + x^n), x = dose / tolerance.

    Arguments:
        organelle: lysosome, mitochondrion or reticulum.
        absorbed_dose: to the organelle, any shape.
        sheet: a DamageAndRepair; None is that of mammalian cells.

    Raises:
        InputError: an unknown organelle, a negative dose. UnitError: a wrong unit.

    Validity: tolerances are assumed; the pathway is graded and apart from DNA.
    """
    if organelle not in ORGANELLES:
        hint = nearest(organelle, ORGANELLES)
        raise InputError("organelle", f"`{organelle}`", "lysosome, mitochondrion or reticulum", hint)
    known = Catalogue().load("damage_and_repair", "mammalian") if sheet is None else sheet
    doses = read_quantities(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e9)
    power = (doses / getattr(known, f"{organelle}_tolerance").si) ** known.target_steepness.si
    found = power / (1.0 + power)
    return found if doses.ndim else float(found)


def follow_oxidants(absorbed_dose: object, times: object, sheet: Any = None) -> Any:
    """Return oxidants after an acute dose: what radiolysis left, and by what cells make more of their own.

    burst = y D exp(-k t); production = 1 + m D exp(-k t)

    Arguments:
        absorbed_dose: one dose to the cytosol.
        times: rising times from the dose.
        sheet: a DamageAndRepair; None is that of mammalian cells.

    Returns:
        Dataset over ``time`` (h): burst (umol/L) and production (times that of untreated cells).

    Raises:
        InputError: a negative dose, times that do not rise. UnitError: a wrong unit.

    Validity: the burst is an upper bound, since cells clear micromoles of peroxide within seconds.
    """
    import xarray as xr

    known = Catalogue().load("damage_and_repair", "mammalian") if sheet is None else sheet
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 0.0, 1e4)
    hours = check_times(read_quantities(times, "h", "times", 0.0))
    fade = np.exp(-known.oxidant_decay.si * 3600.0 * hours)
    # mol/m^3 per Gy is a thousand umol/L per Gy
    burst = 1e3 * known.reactive_oxygen_yield.si * dose * fade
    columns = {
        "burst": ("time", burst, {"units": "umol/L"}),
        "production": ("time", 1.0 + known.mitochondrial_oxidant_gain.si * dose * fade, {"units": "1"}),
    }
    return xr.Dataset(columns, {"time": ("time", hours, {"units": "h"})})
