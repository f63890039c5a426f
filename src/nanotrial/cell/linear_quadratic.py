"""The linear-quadratic law of survival, straight beyond a threshold dose, and the constants that it needs.

    L(D) = alpha D + G beta D^2                                   D <= D_t
         = L(D_t) + (alpha + 2 G beta D_t) (D - D_t)              beyond: same value and slope at D_t
    S    = exp(-L)

Doses are Gy inside, alpha 1/Gy, beta 1/Gy^2. Validity: 0 to about 15 Gy per fraction; the straight end is the
linear-quadratic-linear form. Sources: constants in ``catalogue/radiosensitivity``; astrahan_2008.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import InputError, nearest
from nanotrial.radiation.arguments import Array, read_quantity

# Keys of a mapping that describes a sensitivity, with their units.
_KEYS = {
    "alpha": "1/Gy",
    "beta": "1/Gy^2",
    "threshold_dose": "Gy",
    "repair_half_time": "h",
    "oxygen": "mmHg",
}


@dataclass(frozen=True)
class Sensitivity:
    """What survival after photons needs: alpha (1/Gy) and beta (1/Gy^2) at ``oxygen``, threshold, half-time of repair.

    Numbers, or arrays of draws of one shape. ``threshold_dose`` (Gy) is infinite for the plain law; ``oxygen`` (mmHg)
    and ``repair_half_time`` (h) may be None, and are then missed only where a question needs them.
    """

    alpha: Any
    beta: Any
    threshold_dose: Any = math.inf
    repair_half_time: Any = None
    oxygen: float | None = None
    name: str = "cells"

    def lethal(self, dose: Array | float, protraction: Array | float = 1.0) -> Array:
        """Return L(D), the mean number of lethal lesions at doses (Gy) given as one fraction."""
        return lethal_lesions(dose, self.alpha, self.beta, self.threshold_dose, protraction)

    def survive(self, dose: Array | float) -> Array:
        """Return the share of cells that survives acute doses (Gy)."""
        return np.asarray(np.exp(-self.lethal(dose)))

    @property
    def final_slope(self) -> Any:
        """Return the slope (1/Gy) of L beyond the threshold; infinite for the plain law with a beta."""
        return np.where(np.asarray(self.beta) > 0.0, self.alpha + 2.0 * self.beta * self.threshold_dose, self.alpha)


def lethal_lesions(
    dose: Array | float, alpha: Any, beta: Any, threshold: Any = math.inf, protraction: Array | float = 1.0
) -> Array:
    """Return L(D) from bare numbers: doses (Gy) and constants that broadcast."""
    bent = np.minimum(dose, threshold)
    beyond = np.asarray(dose, dtype=float) - bent
    return np.asarray(alpha * bent + protraction * beta * bent**2 + (alpha + 2 * protraction * beta * bent) * beyond)


def dose_at(survival: float, cells: Sensitivity) -> float:
    """Return the acute dose (Gy) after which a share of the cells survives.

    Raises:
        InputError: a share outside 0 to 1, or cells that no dose kills.
    """
    if not 0.0 < survival <= 1.0:
        raise InputError("survival", f"{survival:g}", "a share above 0 and up to 1")
    need, a, b, bend = -math.log(survival), float(cells.alpha), float(cells.beta), float(cells.threshold_dose)
    if need == 0.0:
        return 0.0
    if a <= 0.0 and b <= 0.0:
        raise InputError("cells", "alpha and beta of zero", "cells that radiation kills")
    at_bend = float(cells.lethal(bend)) if math.isfinite(bend) else math.inf
    if need > at_bend:
        return bend + (need - at_bend) / float(cells.final_slope)
    # The stable root of b D^2 + a D - need: no difference of near numbers, and right for b = 0.
    return 2.0 * need / (a + math.sqrt(a * a + 4.0 * b * need))


def mean_inactivation_dose(cells: Sensitivity) -> float:
    """Return the mean inactivation dose (Gy): int_0^inf S dD, in closed form.

    Raises:
        InputError: cells that no dose kills.
    """
    from scipy.special import erfcx

    a, b, bend = float(cells.alpha), float(cells.beta), float(cells.threshold_dose)
    if a <= 0.0 and (b <= 0.0 or bend == 0.0):
        raise InputError("cells", "alpha and beta of zero", "cells that radiation kills")
    if b <= 0.0:
        return 1.0 / a
    root = math.sqrt(b)
    head = float(erfcx(a / (2.0 * root)))
    if not math.isfinite(bend):
        return math.sqrt(math.pi) / (2.0 * root) * head
    left = float(cells.survive(bend))
    tail = float(erfcx((a + 2.0 * b * bend) / (2.0 * root)))
    return math.sqrt(math.pi) / (2.0 * root) * (head - left * tail) + left / float(cells.final_slope)


def line_id(name: str) -> str:
    """Return the id of a line as sheets spell it: ``HeLa`` is ``hela``, ``MDA-MB-231`` is ``mda_mb_231``."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def read_sensitivity(cells: object, where: str = "cells") -> Sensitivity:
    """Return the sensitivity of a line, or the one that is given.

    Arguments:
        cells: id of ``catalogue/radiosensitivity``; a Sensitivity; or a mapping with ``alpha``, ``beta`` and, where
            needed, ``threshold_dose``, ``repair_half_time``, ``oxygen`` as texts with units.

    Raises:
        CatalogueError: an unknown line; the nearest names are given.
        InputError: an unknown key, alpha or beta missing or negative. UnitError: a wrong unit.
    """
    if isinstance(cells, Sensitivity):
        return cells
    if isinstance(cells, Mapping):
        return _explicit(cells, where)
    if not isinstance(cells, str):
        raise InputError(where, f"a {type(cells).__name__}", "the id of a line, a Sensitivity, or a mapping with alpha")
    name = line_id(cells)
    sheet = Catalogue().load("radiosensitivity", name, where)
    return Sensitivity(
        alpha=sheet.alpha.si, beta=sheet.beta.si, threshold_dose=sheet.threshold_dose.si,
        repair_half_time=sheet.repair_half_time.si / 3600.0, oxygen=read_quantity(_text(sheet.oxygen), "mmHg", where),
        name=name,
    )  # fmt: skip


def draw_sensitivity(line: str, draws: int, seed: int, where: str = "cells") -> Sensitivity:
    """Return ``draws`` sensitivities of a line from the spreads in its sheet, as arrays; each value for itself.

    Raises:
        CatalogueError: an unknown line. InputError: fewer than one draw.
    """
    if draws < 1:
        raise InputError("draws", f"{draws}", "at least 1")
    middle = read_sensitivity(line, where)
    sheet = Catalogue().load("radiosensitivity", middle.name, where)
    generator = np.random.default_rng(seed)
    names = ("alpha", "beta", "threshold_dose", "repair_half_time")
    drawn = {name: np.maximum(getattr(sheet, name).sample(generator.random(draws)), 0.0) for name in names}
    drawn["repair_half_time"] = drawn["repair_half_time"] / 3600.0
    return replace(middle, **drawn)


def _text(value: Any) -> str:
    return f"{value.value!r} {value.unit}"


def _explicit(given: Mapping[str, object], where: str) -> Sensitivity:
    for key in given:
        if key not in _KEYS:
            raise InputError(f"{where}.{key}", "an unknown key", f"one of {', '.join(_KEYS)}", nearest(str(key), _KEYS))
    for key in ("alpha", "beta"):
        if key not in given:
            raise InputError(where, f"no `{key}`", "both alpha and beta")
    read = {key: read_quantity(raw, _KEYS[key], f"{where}.{key}", 0.0) for key, raw in given.items()}
    if read.get("repair_half_time") == 0.0:
        raise InputError(f"{where}.repair_half_time", "0 h", "more than 0 h")
    return Sensitivity(**read)  # type: ignore[arg-type]
