"""One line of a budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """One line of a budget; ``against`` is in the same unit, NaN where there is nothing to hold it against."""

    name: str
    value: float
    unit: str
    against: float = float("nan")
    meaning: str = ""
    binds: bool = False
