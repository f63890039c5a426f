"""Bisection on a logarithmic scale, for quantities that span decades."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def bisect_decades(is_below: Callable[[float], bool], low: float, high: float, steps: int) -> float:
    """Return where ``is_below`` turns false between two positive numbers, to a share 2^-steps of their ratio.

    Arguments:
        is_below: true at ``low``, false at ``high``.
        low: positive lower end.
        high: upper end.
        steps: halvings.
    """
    for _ in range(steps):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return math.sqrt(low * high)
