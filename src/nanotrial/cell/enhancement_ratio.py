"""Sensitiser enhancement ratios: three numbers of one name, told apart.

    at a survival         D_control(S) / D_treated(S)             the dose that leaves S (10 % by custom)
    mean inactivation     int S_control dD / int S_treated dD     areas under the survival curves
    at a dose             S_control(D) / S_treated(D)             how much fewer survive

The first two are dose ratios and agree where the treated curve is the control's with a scaled dose; the third grows
with dose and is no dose ratio. Curves are relative to their own unirradiated cells. Validity: acute doses, or any curve
that falls to zero. Sources: definitions; mean inactivation dose fertil_1984.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nanotrial.cell.linear_quadratic import Sensitivity, dose_at, mean_inactivation_dose, read_sensitivity
from nanotrial.errors import InputError
from nanotrial.radiation.arguments import read_quantity

# Dose (Gy) by which a curve must have fallen to what is asked.
LARGEST_DOSE = 1000.0


class Curve(Protocol):
    """Anything that says which share of cells survives doses (Gy)."""

    def survive(self, dose: Any) -> Any:
        """Return survival at doses."""


@dataclass(frozen=True)
class EnhancementRatio:
    """Enhancement three ways; ``level`` is the survival of the first, ``dose`` (Gy) that of the last."""

    at_survival: float
    mean_inactivation: float
    at_dose: float
    level: float
    dose: float

    def named(self) -> dict[str, float]:
        """Return the three ratios, each by a name that says which it is."""
        return {
            f"dose ratio at {100 * self.level:g} % survival": self.at_survival,
            "ratio of mean inactivation doses": self.mean_inactivation,
            f"survival ratio at {self.dose:g} Gy": self.at_dose,
        }


def find_dose(curve: Curve, level: float) -> float:
    """Return the dose (Gy) at which a curve falls to a level.

    Raises:
        InputError: a level outside 0 to 1, or one that the curve does not reach by 1000 Gy.
    """
    if not 0.0 < level <= 1.0:
        raise InputError("level", f"{level:g}", "a survival above 0 and up to 1")
    if isinstance(curve, Sensitivity):
        return dose_at(level, curve)
    from scipy.optimize import brentq

    wanted = math.log(level)

    def excess(dose: float) -> float:
        return math.log(max(float(curve.survive(dose)), 1e-300)) - wanted

    high = 1.0
    while excess(high) > 0.0:
        high *= 2.0
        if high > LARGEST_DOSE:
            raise InputError("level", f"{level:g}", f"a survival that is reached by {LARGEST_DOSE:g} Gy")
    return float(brentq(excess, 0.0, high, xtol=1e-12, rtol=1e-12)) if level < 1.0 else 0.0


def find_mean_dose(curve: Curve) -> float:
    """Return the mean inactivation dose (Gy) of a curve: int_0^inf S dD."""
    if isinstance(curve, Sensitivity):
        return mean_inactivation_dose(curve)
    end = find_dose(curve, 1e-12)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(0.0, end, 17)
    half = np.diff(edges)[:, None] / 2.0
    points = edges[:-1, None] + half * (nodes + 1.0)
    return float(np.sum(half * weights * np.asarray(curve.survive(points.ravel())).reshape(points.shape)))


def compare_sensitivity(
    control: Curve | str | Mapping[str, object], treated: Curve | str | Mapping[str, object], *, level: float = 0.1,
    absorbed_dose: object = "2 Gy",
) -> EnhancementRatio:  # fmt: skip
    """Return the enhancement of treated over control cells, three ways.

    Arguments:
        control, treated: Sensitivity, LocalEffect, id of a line, a mapping with alpha and beta, or any Curve.
        level: survival of the first ratio.
        absorbed_dose: dose of the last ratio.

    Raises:
        InputError: a level that a curve does not reach, a dose of zero. UnitError: a wrong unit.
    """
    first, second = (_curve(one, name) for one, name in ((control, "control"), (treated, "treated")))
    dose = read_quantity(absorbed_dose, "Gy", "absorbed_dose", 1e-9, LARGEST_DOSE)
    return EnhancementRatio(
        at_survival=find_dose(first, level) / find_dose(second, level) if level < 1.0 else 1.0,
        mean_inactivation=find_mean_dose(first) / find_mean_dose(second),
        at_dose=float(first.survive(dose)) / float(second.survive(dose)),
        level=level,
        dose=dose,
    )


def _curve(raw: object, where: str) -> Curve:
    if isinstance(raw, str | Mapping):
        return read_sensitivity(raw, where)
    if not hasattr(raw, "survive"):
        raise InputError(where, f"a {type(raw).__name__}", "a line, a Sensitivity, or what has a `survive`")
    return raw
