"""Cells: uptake, vesicles, calcium, peroxide, energy, death, and what radiation does to them.

One average cell stands for each class of a population. The public functions load when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanotrial.cell.added_lesions import add_lesions as add_lesions
    from nanotrial.cell.break_repair import repair_breaks as repair_breaks
    from nanotrial.cell.break_repair import survive_breaks as survive_breaks
    from nanotrial.cell.cell_cycle import follow_cycle as follow_cycle
    from nanotrial.cell.clonogenic import plate as plate
    from nanotrial.cell.clonogenic import read_colonies as read_colonies
    from nanotrial.cell.comet import comet_tail as comet_tail
    from nanotrial.cell.dose_response import survival as survival
    from nanotrial.cell.enhancement_ratio import compare_sensitivity as compare_sensitivity
    from nanotrial.cell.fates import follow_fates as follow_fates
    from nanotrial.cell.foci import count_foci as count_foci
    from nanotrial.cell.local_effect import find_local_effect as find_local_effect
    from nanotrial.cell.oxygen import oxygen_enhancement as oxygen_enhancement
    from nanotrial.cell.schedules import Schedule as Schedule
    from nanotrial.cell.schedules import read_schedule as read_schedule

# No public name is that of a module: importing the module would put it in the place of the function.
_WHERE = {
    "Schedule": "schedules",
    "add_lesions": "added_lesions",
    "comet_tail": "comet",
    "compare_sensitivity": "enhancement_ratio",
    "count_foci": "foci",
    "find_local_effect": "local_effect",
    "follow_cycle": "cell_cycle",
    "follow_fates": "fates",
    "oxygen_enhancement": "oxygen",
    "plate": "clonogenic",
    "read_colonies": "clonogenic",
    "read_schedule": "schedules",
    "repair_breaks": "break_repair",
    "survival": "dose_response",
    "survive_breaks": "break_repair",
}
__all__ = [
    "Schedule",
    "add_lesions",
    "comet_tail",
    "compare_sensitivity",
    "count_foci",
    "find_local_effect",
    "follow_cycle",
    "follow_fates",
    "oxygen_enhancement",
    "plate",
    "read_colonies",
    "read_schedule",
    "repair_breaks",
    "survival",
    "survive_breaks",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use."""
    if name in _WHERE:
        return getattr(import_module(f"nanotrial.cell.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'nanotrial.cell' has no attribute {name!r}")
