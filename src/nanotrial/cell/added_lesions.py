"""What particles add to alpha and beta by counting breaks: the short way beside the local effect model.

    breaks   of the beam Y per Gy; of one event y = Y d_e, of which a share c_e is complex (c for the beam)
    lethal   alpha = Y [(1 - c) l + c q l]: complex breaks are q times as lethal as simple ones
    alpha'   alpha + k y [(1 - c_e) l + c_e q l],   k = events per Gy in all particles
    beta'    beta (1 + m)^2,                        m = k d_e, the added mean dose per Gy

With c_e = c an event is nothing but dose: alpha' = alpha (1 + m). Without particles alpha' = alpha, beta' = beta.
Validity: events too rare to overlap, lethality of a break independent of how many others one event makes. What the
physics of a beam adds is all in k and d_e, so that nothing is gained where these are small, as at 6 MV.
Sources: form as in mcmahon_2011; Y, c in ``catalogue/damage_and_repair``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.linear_quadratic import Sensitivity, read_sensitivity
from nanotrial.errors import InputError

if TYPE_CHECKING:
    from nanotrial.cell.local_effect import LocalEffect


def _check(name: str, number: float, high: float = np.inf) -> float:
    if not (np.isfinite(number) and 0.0 <= number <= high):
        raise InputError(name, f"{number:g}", f"a number of 0 to {high:g}")
    return float(number)


def add_lesions(
    cells: object, added_dose: float, *, complex_share: float | None = None, complex_lethality: float = 1.0
) -> Sensitivity:
    """Return the sensitivity of cells with particles, per Gy of the beam: alpha' and beta' from the added dose.

    Arguments:
        cells: id of a line, a Sensitivity, or a mapping with alpha and beta.
        added_dose: mean dose m that particles add to the nucleus, Gy per Gy of the beam.
        complex_share: share of complex breaks among those of the particles' electrons; None is as for the beam.
        complex_lethality: q, by what a complex break is more lethal than a simple one (1: alike).

    Raises:
        InputError: a negative dose, a share outside 0 to 1.

    Validity: alpha' changes by complexity only where ``complex_lethality`` is not 1. Sources: see the module.
    """
    known = read_sensitivity(cells)
    m, q = _check("added_dose", added_dose), _check("complex_lethality", complex_lethality)
    beam = float(Catalogue().load("damage_and_repair", "mammalian").complex_share.si)
    event = beam if complex_share is None else _check("complex_share", complex_share, 1.0)
    gain = (1.0 - event + event * q) / (1.0 - beam + beam * q) if q != 1.0 else 1.0
    # The bend is at a dose to the nucleus, which the beam reaches earlier with particles.
    bend = known.threshold_dose / (1.0 + m)
    return replace(known, alpha=known.alpha * (1.0 + m * gain), beta=known.beta * (1.0 + m) ** 2, threshold_dose=bend)


def add_events(effect: LocalEffect, complex_share: float, complex_lethality: float) -> Sensitivity:
    """Return the sensitivity by added lesions for the same particles and places as a local effect.

    Arguments:
        effect: what ``find_local_effect`` gave; its added mean dose is used.
        complex_share, complex_lethality: as for ``add_lesions``.
    """
    return add_lesions(
        effect.cells, effect.added_dose, complex_share=complex_share, complex_lethality=complex_lethality
    )
