"""A foreign surface in a fluid, on which minerals nucleate more easily than alone."""

from __future__ import annotations

from dataclasses import dataclass

from nanotrial.network.terms import Term


@dataclass(frozen=True)
class Surface:
    """A surface that minerals wet: area (m^2), contact angle (rad), share of it that is ready (holds calcium, bare).

    Crystals that begin on surfaces of one ``deposit`` are counted together, apart from those of the fluid's bulk. With
    ``phases`` only these are there; empty: all of the fluid.
    """

    name: str
    deposit: str
    area: Term
    contact_angle: Term
    ready: Term
    phases: frozenset[str] = frozenset()
