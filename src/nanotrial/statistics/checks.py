"""What every statistic asks of its input, and how failed subjects are told from wrong numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanotrial.errors import InputError

Values = NDArray[np.float64]
CONFIDENCE = 0.95  # of every interval of this package
ROUNDING = 10.0 * float(np.finfo(float).eps)  # a standard error below this share of the values is rounding


def read_values(where: str, values: ArrayLike) -> Values:
    """Return one number per subject as an array; NaN stays and stands for a failed subject.

    Arguments:
        where: what the numbers are, for the message.
        values: numbers of any unit, shape (subjects,).

    Raises:
        InputError: no numbers, not in one row, or infinite.
    """
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(where, str(error), "one number per subject", "Write NaN for a failed subject.") from None
    if array.ndim != 1:
        raise InputError(where, f"an array of shape {array.shape}", "one number per subject, shape (subjects,)")
    if np.isinf(array).any():
        raise InputError(where, "an infinite value", "finite numbers", "Write NaN for a failed subject.")
    return array


def read_group(where: str, values: ArrayLike) -> tuple[Values, int]:
    """Return the values of the subjects of a group that did not fail, and how many failed.

    Arguments:
        where: name of the group, for the message.
        values: numbers of any unit, shape (subjects,); NaN for a failed subject.

    Raises:
        InputError: as ``read_values``, or a group of no subjects.
    """
    array = read_values(where, values)
    if not len(array):
        raise InputError(where, "no subjects", "at least one subject", "Leave an empty group out.")
    kept = array[~np.isnan(array)]
    return kept, len(array) - len(kept)


def read_groups(groups: Mapping[str, ArrayLike]) -> tuple[dict[str, Values], tuple[int, ...]]:
    """Return the values of every group that did not fail, and how many failed in each.

    Raises:
        InputError: as ``read_group``, or fewer than two groups.
    """
    if len(groups) < 2:
        raise InputError("groups", f"{len(groups)} of them", "at least two groups to compare")
    read = {name: read_group(f"group `{name}`", values) for name, values in groups.items()}
    return {name: kept for name, (kept, _) in read.items()}, tuple(failed for _, failed in read.values())


def common_scale(*arrays: Values) -> float:
    """Return the power of two at the largest magnitude: over it no square over- or underflows, none is rounded."""
    largest = max((float(np.abs(a).max()) for a in arrays if len(a)), default=0.0)
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest else 1.0


def check_share(where: str, value: float) -> float:
    """Return a share that lies between 0 and 1, both left out.

    Raises:
        InputError: the share is 0, 1, outside or no number.
    """
    number = check_finite(where, value)
    if not 0.0 < number < 1.0:
        raise InputError(where, f"{value}", "a share above 0 and below 1", "Write 0.05 for 5 %.")
    return number


def check_positive(where: str, value: float) -> float:
    """Return a finite number above zero.

    Raises:
        InputError: the number is zero, negative, infinite or none.
    """
    number = check_finite(where, value)
    if number <= 0.0:
        raise InputError(where, f"{value}", "a number above zero")
    return number


def check_finite(where: str, value: float) -> float:
    """Return a finite number.

    Raises:
        InputError: the number is infinite, NaN or none.
    """
    number = _number(value)
    if number is None or not np.isfinite(number):
        raise InputError(where, f"{value}", "a finite number")
    return number


def check_count(where: str, value: int, least: int) -> int:
    """Return a whole number of subjects.

    Raises:
        InputError: the number is below ``least`` or not whole.
    """
    number = _number(value)
    if number is None or not np.isfinite(number) or number != int(number) or number < least:
        raise InputError(where, f"{value}", f"a whole number of subjects, {least} or more")
    return int(number)


def _number(value: Any) -> float | None:
    """Return what can be read as one number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
