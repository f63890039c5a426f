"""nanotrial: virtual experiments for tumour nanomedicine.

Research software, not a medical device. The public names load when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nanotrial.experiment import simulate as simulate
    from nanotrial.places import build_arm as build_arm
    from nanotrial.report.page import write_report as write_report
    from nanotrial.study import Study as Study
    from nanotrial.study import load_study as load_study

_WHERE = {
    "Study": "nanotrial.study",
    "load_study": "nanotrial.study",
    "build_arm": "nanotrial.places",
    "simulate": "nanotrial.experiment",
    "write_report": "nanotrial.report.page",
}
__all__ = ["Study", "__version__", "build_arm", "load_study", "simulate", "write_report"]


# Rooms with public functions of their own: ``nanotrial.radiation.beam`` works after ``import nanotrial`` alone.
_ROOMS = ("body", "cell", "medium", "radiation")


def __getattr__(name: str) -> Any:
    """Load a public name from its module, or a room with public functions, at first use."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in _ROOMS:
        return import_module(f"nanotrial.{name}")
    raise AttributeError(f"module 'nanotrial' has no attribute {name!r}")
