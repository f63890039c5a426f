"""Beams, attenuation, dose enhancement, dose around particles, radiolysis, nuclides and light made by radiation.

The public functions load when first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanotrial.radiation.attenuation import attenuation as attenuation
    from nanotrial.radiation.attenuation import energy_absorption as energy_absorption
    from nanotrial.radiation.beams import Beam as Beam
    from nanotrial.radiation.beams import beam as beam
    from nanotrial.radiation.cerenkov import photons_per_decay as photons_per_decay
    from nanotrial.radiation.composition import Composition as Composition
    from nanotrial.radiation.composition import composition as composition
    from nanotrial.radiation.depth_dose import backscatter_factor as backscatter_factor
    from nanotrial.radiation.depth_dose import depth_dose as depth_dose
    from nanotrial.radiation.depth_dose import enhancement_in_phantom as enhancement_in_phantom
    from nanotrial.radiation.depth_dose import spectrum_at_depth as spectrum_at_depth
    from nanotrial.radiation.enhancement import dose_enhancement as dose_enhancement
    from nanotrial.radiation.enhancement import enhancement_profile as enhancement_profile
    from nanotrial.radiation.internal_dose import absorbed_dose_per_decay as absorbed_dose_per_decay
    from nanotrial.radiation.light import light_budget as light_budget
    from nanotrial.radiation.nanoscale import dose_ratio_profile as dose_ratio_profile
    from nanotrial.radiation.nuclides import Nuclide as Nuclide
    from nanotrial.radiation.nuclides import nuclide as nuclide
    from nanotrial.radiation.particles import particle_dose as particle_dose
    from nanotrial.radiation.radiolysis import radiolysis as radiolysis

_WHERE = {
    "Beam": "beams",
    "Composition": "composition",
    "Nuclide": "nuclides",
    "absorbed_dose_per_decay": "internal_dose",
    "attenuation": "attenuation",
    "backscatter_factor": "depth_dose",
    "beam": "beams",
    "composition": "composition",
    "depth_dose": "depth_dose",
    "dose_enhancement": "enhancement",
    "dose_ratio_profile": "nanoscale",
    "energy_absorption": "attenuation",
    "enhancement_in_phantom": "depth_dose",
    "enhancement_profile": "enhancement",
    "light_budget": "light",
    "nuclide": "nuclides",
    "particle_dose": "particles",
    "photons_per_decay": "cerenkov",
    "radiolysis": "radiolysis",
    "spectrum_at_depth": "depth_dose",
}
__all__ = [
    "Beam",
    "Composition",
    "Nuclide",
    "absorbed_dose_per_decay",
    "attenuation",
    "backscatter_factor",
    "beam",
    "composition",
    "depth_dose",
    "dose_enhancement",
    "dose_ratio_profile",
    "energy_absorption",
    "enhancement_in_phantom",
    "enhancement_profile",
    "light_budget",
    "nuclide",
    "particle_dose",
    "photons_per_decay",
    "radiolysis",
    "spectrum_at_depth",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use."""
    if name in _WHERE:
        return getattr(import_module(f"nanotrial.radiation.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'nanotrial.radiation' has no attribute {name!r}")


class _Room(ModuleType):
    """The package as a module that keeps its functions: ``radiolysis`` is one, and a module of that name holds it."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Leave out modules whose name is that of a public function; the import system would set them here."""
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room
