"""Speciation, buffering, gases, precipitation and the chemistry of dissolved peroxide.

The public functions load when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanotrial.medium.equilibria import ActivityRangeWarning as ActivityRangeWarning
    from nanotrial.medium.equilibria import ChargeImbalanceWarning as ChargeImbalanceWarning
    from nanotrial.medium.equilibria import Speciation as Speciation
    from nanotrial.medium.equilibria import saturation_index as saturation_index
    from nanotrial.medium.equilibria import speciate as speciate
    from nanotrial.medium.precipitation import Precipitation as Precipitation
    from nanotrial.medium.precipitation import precipitate as precipitate

_WHERE = {
    "ActivityRangeWarning": "equilibria",
    "ChargeImbalanceWarning": "equilibria",
    "Precipitation": "precipitation",
    "Speciation": "equilibria",
    "precipitate": "precipitation",
    "saturation_index": "equilibria",
    "speciate": "equilibria",
}
__all__ = [
    "ActivityRangeWarning",
    "ChargeImbalanceWarning",
    "Precipitation",
    "Speciation",
    "precipitate",
    "saturation_index",
    "speciate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use."""
    if name in _WHERE:
        return getattr(import_module(f"nanotrial.medium.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'nanotrial.medium' has no attribute {name!r}")
