"""Classical nucleation: how many crystals begin per volume of a solution, or per area of a surface it wets.

    J = A exp(-barrier) ;  barrier = 16 pi g^3 v^2 f(theta) / (3 (kT)^3 ln^2 Omega) ,  Omega > 1
    f(theta) = (2 + cos theta) (1 - cos theta)^2 / 4

g is the interfacial energy (J/m^2), v the volume of a formula unit, Omega the ion product over constant per formula
unit. J has no value and no slope at Omega = 1. Validity: steady nucleation of compact nuclei; A and g are effective
numbers. Sources: volmer_1926, turnbull_1949, markov_2003 (textbook); the numbers stand in ``catalogue/phases``.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from nanotrial.medium.constants import GAS_CONSTANT
from nanotrial.network.terms import Term, constant, exp, maximum

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.network.model import Network

AVOGADRO = 6.02214076e23
BOLTZMANN = GAS_CONSTANT / AVOGADRO
# Added to the squared-logarithm law, so that J is flat at saturation even on a surface that mineral wets wholly.
_SOFTENING = 1e-4
_LEAST_LOGARITHM = 1e-3
# Below this nothing begins in any volume or time; rates of 1e-145 would only upset the first step of a solver.
_LEAST_FACTOR = 1e-60


def wetting(contact_angle: Term) -> Term:
    """Return f(theta), the share of the barrier left on a surface: 0 if wholly wetted, 1/2 at 90 degrees, 1 if not.

    Arguments:
        contact_angle: angle of the nucleus on the surface (rad).
    """
    cosine = _cosine(contact_angle)
    return (2.0 + cosine) * (1.0 - cosine) ** 2 * 0.25


def _cosine(angle: Term) -> Term:
    """Return cos of 0 to pi by a series that emitted code can hold; off by less than 1e-13."""
    x = math.pi / 2 - angle
    square = x * x
    series = constant(0.0, "1")
    for power in range(17, 0, -2):
        series = series * square + (-1) ** (power // 2) / math.factorial(power)
    return series * x


def barrier_strength(interfacial_energy: Term, formula_volume: Term, temperature: float | Term) -> Term:
    """Return B = 16 pi g^3 v^2 / (3 (kT)^3), the barrier over kT times ln^2 Omega.

    Arguments:
        interfacial_energy: J/m^2.
        formula_volume: volume of a formula unit (m^3).
        temperature: K; or the thermal energy kT (J) as a term.
    """
    thermal = temperature if isinstance(temperature, Term) else constant(BOLTZMANN * temperature, "J")
    ratio = interfacial_energy * formula_volume ** Fraction(2, 3) / thermal
    return ratio**3 * (16.0 * math.pi / 3.0)


def nucleation_factor(strength: Term, logarithm: Term) -> Term:
    """Return exp(-B / ln^2 Omega) for Omega > 1, and nothing below.

    Arguments:
        strength: B, the share left by a surface included.
        logarithm: ln Omega.
    """
    above = maximum(logarithm, constant(_LEAST_LOGARITHM, "1"))
    factor = exp(-(strength + _SOFTENING) / (above * above))
    return maximum(factor - _LEAST_FACTOR, constant(0.0, "1"))


def phase_barrier(network: Network, identifier: str, phase: Phase, formula_volume: Term, temperature: float) -> Term:
    """Return B of a phase with its interfacial energy as a parameter; raises AssertionError if it has no nucleation."""
    assert phase.nucleation is not None
    energy = network.parameter(f"phase.{identifier}.interfacial_energy", phase.nucleation.interfacial_energy, "mJ/m^2")
    # As a parameter its unit is known to whoever reads the network from a file.
    thermal = network.parameter("thermal_energy", BOLTZMANN * temperature, "J")
    return barrier_strength(energy, formula_volume, thermal)
