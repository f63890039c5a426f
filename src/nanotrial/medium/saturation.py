"""How far a solution is from a mineral: ion product over constant, and that ratio per ion.

    Omega = prod a_i^nu_i / K ;  S = Omega^(1/nu) ;  index = log10 Omega

nu counts the ions of a formula unit: the positive counts of the reaction, and one hydroxide for each proton it takes.
Sources: stumm_1996 (ion products); the constants stand in ``catalogue/phases``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from nanotrial.medium.constants import equilibrium_constant
from nanotrial.network.terms import Term, constant, log, log10, maximum, power

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.catalogue.schema import Counts
    from nanotrial.medium.speciation import Solution
    from nanotrial.medium.surfaces import Surface
    from nanotrial.network.model import Network

# Where an ion is absent S is this small and the index at least -60, so that roots and logarithms stay finite.
LEAST_RATIO = 1e-6
_LEAST_PRODUCT = 1e-60


class Place(Protocol):
    """What minerals read of a fluid."""

    network: Network
    name: str
    temperature: float
    solution: Solution
    volume: Term
    scale: float
    phases: dict[str, Phase]
    surfaces: list[Surface]


def saturation_ratio(solution: Solution, ion_product: Counts, constant_term: Term) -> Term:
    """Return Omega = prod a^nu / K for a reaction written from the solid; protons may have negative counts."""
    ratio = 1.0 / constant_term
    for name, count in ion_product.items():
        activity = solution.activity(name)
        whole = float(count).is_integer()
        ratio = ratio * (activity ** int(count) if whole else power(_positive(activity) + LEAST_RATIO**2, count))
    return ratio


def phase_ratio(place: Place, identifier: str) -> Term:
    """Return Omega of a phase in a fluid, with its constant as a parameter."""
    phase = place.phases[identifier]
    k = equilibrium_constant(place.network, f"phase.{identifier}", phase.log_k, phase.enthalpy, place.temperature)
    return saturation_ratio(place.solution, phase.ion_product, k)


def ion_count(ion_product: Counts) -> float:
    """Return how many dissolved ions a formula unit gives, protons and hydroxide left out."""
    return sum(n for name, n in ion_product.items() if name not in ("H+", "OH-") and n > 0)


def all_ions(ion_product: Counts) -> float:
    """Return nu: the ions of a formula unit, protons included, and a hydroxide for each proton it takes."""
    return sum(abs(n) if name == "H+" else max(n, 0.0) for name, n in ion_product.items())


def per_ion(omega: Term, ions: float) -> Term:
    """Return S = Omega^(1/nu), never below a millionth.

    Arguments:
        omega: ion product over constant.
        ions: nu, how many ions share it.
    """
    return power(_positive(omega) + LEAST_RATIO**ions, 1.0 / ions)


def log_ratio(ratio_per_ion: Term, ions: float) -> Term:
    """Return ln Omega from S; it stays finite where an ion is absent."""
    return log(ratio_per_ion) * ions


def saturation_index(omega: Term) -> Term:
    """Return log10 Omega, never below -60."""
    return log10(_positive(omega) + _LEAST_PRODUCT)


def _positive(value: Any) -> Term:
    return maximum(value, constant(0.0, "1"))
