"""The clonogenic assay: Poisson noise of plating, surviving fractions with errors, multiplicity, fitted curves.

    colonies   Poisson, mean = seeded cells x plating efficiency x survival
    fraction   (c / n) / (c_0 / n_0), interval from c given c + c_0, which is binomial: exact, for zero colonies too
    several    of m cells at one place a colony is left by any: F = 1 - (1 - S)^m

Validity: colonies that do not merge; dishes alike. Sources: statistics of counts; clopper_1934.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nanotrial.cell.linear_quadratic import Sensitivity
from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, read_quantities


@dataclass(frozen=True)
class SurvivingFraction:
    """A surviving fraction with its standard error (of the logarithm and of itself) and a confidence interval.

    ``log_error`` is infinite where there is no colony; the interval is finite then too.
    """

    fraction: float
    standard_error: float
    log_error: float
    low: float
    high: float


def plate(seeded: Any, plating_efficiency: float, survival: Any, *, dishes: int, seed: int) -> Array:
    """Return counts of colonies from cells that are seeded after a dose.

    Arguments:
        seeded: cells per dish, a number or an array that broadcasts with ``survival``.
        plating_efficiency: share of untreated cells that make a colony.
        survival: relative survival, 0 to 1 (more than 1 only as far as the efficiency allows).
        dishes: repeats.
        seed: of the generator.

    Returns:
        Counts (dishes, ...) as floats.

    Raises:
        InputError: a negative number of cells, an efficiency or a survival outside its range, no dish.
    """
    cells, share = np.asarray(seeded, dtype=float), np.asarray(survival, dtype=float)
    if dishes < 1:
        raise InputError("dishes", f"{dishes}", "at least 1")
    if not 0.0 < plating_efficiency <= 1.0:
        raise InputError("plating_efficiency", f"{plating_efficiency:g}", "a share above 0 and up to 1")
    if np.any(~np.isfinite(cells)) or np.any(cells < 0.0):
        raise InputError("seeded", f"{float(np.min(cells)):g}", "numbers of cells of 0 or more")
    chance = plating_efficiency * share
    if np.any(~np.isfinite(chance)) or np.any((chance < 0.0) | (chance > 1.0)):
        raise InputError("survival", f"{float(np.max(share)):g}", "survival of 0 up to 1 / plating efficiency")
    mean = cells * chance
    return np.random.default_rng(seed).poisson(mean, (dishes, *mean.shape)).astype(float)


def read_colonies(
    colonies: float, seeded: float, control_colonies: float, control_seeded: float, confidence: float = 0.95
) -> SurvivingFraction:
    """Return the surviving fraction from counts: (c / n) / (c_0 / n_0), with an exact interval.

    Given c + c_0, c is binomial with q / (1 + q), q = S n / n_0; the interval is that of Clopper and Pearson.

    Arguments:
        colonies, seeded: counted and seeded cells after the dose, summed over dishes.
        control_colonies, control_seeded: the same without dose.
        confidence: of the interval.

    Raises:
        InputError: no cells, no colony in the control, counts below zero.
    """
    from scipy.stats import beta

    for name, number in (("seeded", seeded), ("control_seeded", control_seeded)):
        if not (np.isfinite(number) and number > 0):
            raise InputError(name, f"{number:g}", "more than 0 cells")
    if not (np.isfinite(colonies) and colonies >= 0):
        raise InputError("colonies", f"{colonies:g}", "0 colonies or more")
    if not (np.isfinite(control_colonies) and control_colonies > 0):
        raise InputError("control_colonies", f"{control_colonies:g}", "colonies in the control")
    if not 0.0 < confidence < 1.0:
        raise InputError("confidence", f"{confidence:g}", "a number between 0 and 1")
    ratio = control_seeded / seeded
    fraction = colonies / control_colonies * ratio
    tail = (1.0 - confidence) / 2.0
    low = float(beta.ppf(tail, colonies, control_colonies + 1)) if colonies > 0 else 0.0
    high = float(beta.ppf(1.0 - tail, colonies + 1, control_colonies))
    log_error = float(np.sqrt(1.0 / colonies + 1.0 / control_colonies)) if colonies > 0 else float("inf")
    # The variance of a count of zero is taken as that of one colony: an error of zero would say that it is exact.
    own = max(colonies, 1.0)
    error = own / control_colonies * ratio * float(np.sqrt(1.0 / own + 1.0 / control_colonies))
    return SurvivingFraction(fraction, error, log_error, ratio * low / (1.0 - low), ratio * high / (1.0 - high))


def correct_multiplicity(fraction: Any, multiplicity: float) -> Any:
    """Return survival of single cells from that of places with m cells each: S = 1 - (1 - F)^(1/m).

    Arguments:
        fraction: share of places that grow a colony, relative to untreated ones (0 to 1).
        multiplicity: mean number of cells at a place when the dose is given (1 or more).

    Raises:
        InputError: a share outside 0 to 1, a multiplicity below 1.

    Validity: every place has m cells; a spread of m makes S somewhat higher.
    """
    share = np.asarray(fraction, dtype=float)
    if np.any((share < 0.0) | (share > 1.0)) or not np.all(np.isfinite(share)):
        raise InputError("fraction", f"{float(np.max(share)):g}", "a share of 0 to 1")
    if not multiplicity >= 1.0:
        raise InputError("multiplicity", f"{multiplicity:g}", "1 or more cells")
    with np.errstate(divide="ignore"):
        found = -np.expm1(np.log1p(-share) / multiplicity)
    return found if share.ndim else float(found)


def fit_survival(absorbed_dose: object, fractions: Any, log_errors: Any) -> Sensitivity:
    """Return alpha and beta of zero or more that fit surviving fractions best: weighted squares of -ln S.

    Arguments:
        absorbed_dose: doses (n,), each above zero.
        fractions: surviving fractions (n,), above zero.
        log_errors: standard errors of ln S (n,); ones for equal weights.

    Raises:
        InputError: fewer than two doses, a fraction of zero, lengths that differ.
    """
    from scipy.optimize import nnls

    doses = np.atleast_1d(read_quantities(absorbed_dose, "Gy", "absorbed_dose", 1e-9, 1e4))
    share, error = np.atleast_1d(np.asarray(fractions, dtype=float)), np.atleast_1d(np.asarray(log_errors, dtype=float))
    if len(doses) < 2 or share.shape != doses.shape or error.shape != doses.shape:
        raise InputError("fractions", f"{share.size} fractions, {doses.size} doses", "two or more of each, as many")
    if np.any(~(share > 0.0)) or np.any(~(error > 0.0)):
        raise InputError("fractions", "a fraction or an error of zero", "fractions and errors above zero")
    columns = np.column_stack((doses, doses**2)) / error[:, None]
    (alpha, beta), _ = nnls(columns, -np.log(share) / error)
    return Sensitivity(alpha=float(alpha), beta=float(beta), name="fitted")
