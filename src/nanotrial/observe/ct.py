"""Computed tomography of mineral: Hounsfield units rise in proportion to the calcium in it.

    HU = HU_tissue + k c          k from mass attenuation at the effective energy of the beam, in the sheet
    s  = s_voxel / sqrt(N)        standard deviation of the mean over a region of N voxels

Assumptions: mineral displaces water; one effective energy stands for the spectrum, so dense regions (above about
300 mg/mL of calcium) are overstated. Sources: hubbell_2004 and the sheet of the scanner.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nanotrial.network.terms import Term

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Scanner

Vector = NDArray[np.float64]
Quantity = TypeVar("Quantity", Term, float, Vector)


class Scan(NamedTuple):
    """Mean Hounsfield units of regions and the standard deviation of one such mean."""

    number: Vector
    noise: float


def ct_number(calcium: Quantity, contrast: Quantity, tissue: Quantity) -> Quantity:
    """Return Hounsfield units: HU_tissue + k c.

    Arguments:
        calcium: mass of calcium in mineral per volume (kg/m^3, which is mg/mL).
        contrast: Hounsfield units per concentration of calcium (m^3/kg).
        tissue: Hounsfield units without mineral.
    """
    return tissue + contrast * calcium


def read_scan(calcium: Vector, scanner: Scanner, voxels: int = 1) -> Scan:
    """Return what a scanner shows of regions.

    Arguments:
        calcium: mass of calcium in mineral per volume (kg/m^3), any shape.
        scanner: its sheet.
        voxels: independent voxels over which a region is averaged.
    """
    contrast, tissue = np.asarray(scanner.calcium_contrast.si), np.asarray(scanner.soft_tissue.si)
    return Scan(ct_number(np.asarray(calcium), contrast, tissue), scanner.noise.si / math.sqrt(voxels))
