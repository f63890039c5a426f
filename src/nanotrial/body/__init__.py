"""The body around a tumour: what a host's blood, kidney and bone make of what leaks out of it."""

from nanotrial.body.calcium import CalciumLoad, calcium_load
from nanotrial.body.homeostasis import homeostasis_network

__all__ = ["CalciumLoad", "calcium_load", "homeostasis_network"]
