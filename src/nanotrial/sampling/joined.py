"""The parameters that a study draws: those of all its arms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanotrial.network.model import Parameter


def joined_parameters(tables: Iterable[Mapping[str, Parameter]]) -> dict[str, Parameter]:
    """Return the parameters of several arms by name; one with a source comes before one that a study states."""
    joined: dict[str, Parameter] = {}
    for table in tables:
        for name, one in table.items():
            if name not in joined or (one.provenance is not None and joined[name].provenance is None):
                joined[name] = one
    return joined
