"""When a dose is given, and how much of the damage by pairs that repair leaves: the factor of Lea and Catcheside.

    G = 2/D^2 int dt R(t) int_{t' < t} dt' R(t') exp(-mu (t - t')),   R = dose rate, mu = ln 2 / half-time of repair

    one pulse of length T     2 (x - 1 + exp(-x)) / x^2,                     x = mu T
    two pulses i before j     2 w_i w_j f(x_i) f(x_j) exp(-mu gap),           f(x) = (1 - exp(-x)) / x
    decaying source           lambda / (lambda + mu) when it has decayed

Sums over a train of pulses are exact. Times are hours inside.
Validity: one half-time of repair, no growth and no change of phase between fractions. Source: lea_1942.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanotrial.errors import InputError
from nanotrial.radiation.arguments import Array, read_quantity

_NUMBER = r"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?"
_FRACTIONS = re.compile(
    rf"(?P<count>{_NUMBER})\s*(?:x\s*(?P<dose>{_NUMBER}\s*m?c?Gy)|fractions?)"
    r"(?:\s+every\s+(?P<every>\S+\s*[a-z]+))?(?:\s+at\s+(?P<rate>.+))?"
)
_RATE = re.compile(rf"(?:at\s+)?(?P<rate>{_NUMBER}\s*m?c?Gy\s*/\s*[a-z]+)")
_OVER = re.compile(r"over\s+(?P<time>.+)")
_DECAY = re.compile(r"half-life\s+(?P<life>\S+\s*[a-z]+)(?:\s+for\s+(?P<time>.+))?")
_FORMS = "`acute`, `2 Gy/min`, `over 3 h`, `5 x 2 Gy every 24 h at 1 Gy/min`, `5 fractions every 24 h`, `half-life 6 d`"


@dataclass(frozen=True)
class Schedule:
    """How a dose is spread over time: equal fractions, each at one dose rate, or one source that decays.

    ``interval`` from start to start, ``duration`` of a fraction and ``half_life`` are hours, ``dose_rate`` Gy/h;
    a duration follows from the rate where that is given. ``total`` (Gy) is None where the text names no dose.
    """

    fractions: int = 1
    interval: float = 0.0
    duration: float = 0.0
    dose_rate: float | None = None
    half_life: float | None = None
    total: float | None = None

    def fraction_length(self, dose: Array) -> Array:
        """Return how long (h) each fraction lasts for total doses (Gy); fractions that overlap are an error."""
        length = np.full(np.shape(dose), self.duration)
        if self.dose_rate is not None:
            length = np.asarray(dose, dtype=float) / (self.fractions * self.dose_rate)
        if self.fractions > 1 and np.any(length > self.interval * (1 + 1e-12)):
            raise InputError(
                "schedule", f"fractions of {float(np.max(length)):.3g} h every {self.interval:.3g} h",
                "fractions that end before the next begins", "Raise the dose rate or the interval.",
            )  # fmt: skip
        return length

    def pair_factors(self, dose: Array, half_time: Array | float) -> tuple[Array, Array]:
        """Return what repair leaves of damage by pairs: within a fraction, and between different ones.

        Arguments:
            dose: total doses (Gy).
            half_time: of repair (h), of a shape that broadcasts with ``dose``.

        Returns:
            G of one fraction, and the sum over pairs of fractions in units of (fraction dose)^2.
        """
        repair = math.log(2.0) / np.asarray(half_time, dtype=float)
        if self.half_life is not None:
            within = decaying_factor(math.log(2.0) / self.half_life, repair, self.duration or np.inf)
            return within, np.zeros(np.shape(within))
        length = self.fraction_length(dose)
        x = repair * length
        gaps = np.arange(1, self.fractions)
        between = np.zeros(np.broadcast_shapes(np.shape(dose), np.shape(repair)))
        for k in gaps:
            between = between + 2.0 * (self.fractions - k) * np.exp(-repair * (k * self.interval - length))
        return pulse_factor(x), between * mean_decay(x) ** 2

    def protraction(self, dose: Array, half_time: Array | float) -> Array:
        """Return G of the whole schedule: 1 for an acute dose, 1/n for n fractions far apart."""
        within, between = self.pair_factors(dose, half_time)
        return np.asarray((self.fractions * within + between) / self.fractions**2)


ACUTE = Schedule()


def mean_decay(x: Array) -> Array:
    """Return (1 - exp(-x)) / x, 1 at zero."""
    x = np.asarray(x, dtype=float)
    safe = np.where(x > 0.0, x, 1.0)
    return np.where(x > 0.0, -np.expm1(-safe) / safe, 1.0)


def pulse_factor(x: Array) -> Array:
    """Return G of one pulse: 2 (x - 1 + exp(-x)) / x^2; the series below 1e-3, where the difference cancels."""
    x = np.asarray(x, dtype=float)
    safe = np.where(x > 1e-3, x, 1.0)
    return np.where(x > 1e-3, 2.0 * (safe + np.expm1(-safe)) / safe**2, 1.0 - x / 3.0 + x**2 / 12.0 - x**3 / 60.0)


def decaying_factor(decay: float, repair: Array, duration: float) -> Array:
    """Return G of a dose rate that falls as exp(-lambda t), stopped after a duration (h; rates 1/h)."""
    repair = np.asarray(repair, dtype=float)
    if np.isinf(duration):
        return np.asarray(decay / (decay + repair))
    # Equal rates are a limit; a shift of 1e-6 changes G by less and keeps the difference of two exponentials exact.
    mu = np.where(np.abs(repair - decay) < 1e-6 * decay, decay * (1.0 + 1e-6), repair)
    given = -np.expm1(-decay * duration)
    first = -np.expm1(-2.0 * decay * duration) / (2.0 * decay)
    second = -np.expm1(-(decay + mu) * duration) / (decay + mu)
    return np.asarray(2.0 * decay**2 / given**2 * (first - second) / (mu - decay))


def read_schedule(raw: object, where: str = "schedule") -> Schedule:
    """Return a schedule from a text, from a dose rate (text or quantity), or from a Schedule.

    Arguments:
        raw: ``"acute"``, ``"2 Gy/min"``, ``"over 3 h"``, ``"5 x 2 Gy every 24 h at 1 Gy/min"``,
            ``"5 fractions every 24 h"``, ``"half-life 6 d"``, ``"half-life 6 d for 48 h"``; None is acute.

    Raises:
        InputError: another form, no interval between fractions, or a dose rate, number or time of zero or less.
        UnitError: a wrong unit.
    """
    if raw is None:
        return ACUTE
    if isinstance(raw, Schedule):
        return raw
    if hasattr(raw, "magnitude"):
        return Schedule(dose_rate=_rate(raw, where))
    text = str(raw).strip()
    if text == "acute":
        return ACUTE
    if found := _FRACTIONS.fullmatch(text):
        return _fractions(found, where)
    if found := _RATE.fullmatch(text):
        return Schedule(dose_rate=_rate(found["rate"], where))
    if found := _OVER.fullmatch(text):
        return Schedule(duration=_positive(found["time"], "h", where))
    if found := _DECAY.fullmatch(text):
        stop = _positive(found["time"], "h", where) if found["time"] else 0.0
        return Schedule(half_life=_positive(found["life"], "h", where), duration=stop)
    raise InputError(where, f"`{text}`", f"one of the forms {_FORMS}")


def _fractions(found: re.Match[str], where: str) -> Schedule:
    count = float(found["count"])
    if count < 1 or count != int(count) or count > 10000:
        raise InputError(where, f"{found['count']} fractions", "a whole number of fractions, 1 to 10000")
    if count > 1 and found["every"] is None:
        raise InputError(where, "fractions without an interval", "`every 24 h` or another interval")
    every = _positive(found["every"], "h", where) if found["every"] else 0.0
    rate = _rate(found["rate"], where) if found["rate"] else None
    total = count * _positive(found["dose"], "Gy", where) if found["dose"] else None
    return Schedule(fractions=int(count), interval=every, dose_rate=rate, total=total)


def _rate(raw: object, where: str) -> float:
    return _positive(raw, "Gy/h", where, "A dose takes time: a rate of zero gives none.")


def _positive(raw: object, unit: str, where: str, action: str = "") -> float:
    number = read_quantity(raw, unit, where)
    if number <= 0.0:
        raise InputError(where, f"{number:g} {unit}", f"more than 0 {unit}", action)
    return number


def check_total(schedule: Schedule, dose: Any, where: str = "absorbed_dose") -> None:
    """Raise where a schedule names doses that are not the dose that is given."""
    if schedule.total is not None and not np.allclose(dose, schedule.total, rtol=1e-9, atol=0.0):
        raise InputError(
            where, f"{float(np.max(dose)):g} Gy", f"the {schedule.total:g} Gy of the schedule",
            "Write `5 fractions every 24 h` for a dose that varies.",
        )  # fmt: skip
