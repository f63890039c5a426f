"""A colour reaction as a photometer shows it.

    A = epsilon l f c,  read back as  c' = min(A, A_max) / (epsilon l f)

with dilution f (sample over reaction volume) and photometric noise s_A, so that one reading has the standard deviation
s_A / (epsilon l f). Readings below the detection limit are flagged, not set to zero. Validity: Beer's law, complete
reaction. Sources: in the assay's sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import Assay

    Vector = NDArray[np.float64]

BELOW, INSIDE, ABOVE = -1, 0, 1


@dataclass(frozen=True)
class Reading:
    """What the photometer shows: concentration (mol/m^3), its standard deviation and a flag per point."""

    concentration: Vector
    sd: float
    flag: NDArray[np.int8]


def read_out(concentration: Vector, assay: Assay) -> Reading:
    """Return the reading of true concentrations.

    Arguments:
        concentration: true values (mol/m^3), any shape.
        assay: the sheet of the colour reaction.
    """
    slope = assay.molar_absorptivity.si * assay.path_length.si * assay.dilution.si
    absorbance = slope * np.maximum(concentration, 0.0)
    top = assay.highest_absorbance.si
    flag = np.where(absorbance > top, ABOVE, np.where(concentration < assay.detection_limit.si, BELOW, INSIDE))
    return Reading(np.minimum(absorbance, top) / slope, assay.noise.si / slope, flag.astype(np.int8))
