"""How fast crystals grow and dissolve, turn into the next mineral, and what slows them.

    growth per area       j = j_s / (1 + j_s sum_i nu_i r / (D_i c_i)) ,  j_s = k_g (S - 1)^order        S > 1
    dissolution           dn/dt = -k_d (1 - S) area ,  the shape of the population kept                  S < 1
    transformation        dn/dt = -k n (1 - 1 / S_product)                               product supersaturated
    inhibitor             factor 1 / (1 + (c / half)^order) ,  c the dissolved total

Surface step and diffusion to a sphere of radius r stand in series; c_i and D_i are total concentration and diffusivity
of each component, nu_i its count in a formula unit. Rates follow Arrhenius from 25 degC. Sources: lasaga_1998 (rate
laws); the numbers stand in ``catalogue/phases``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium.constants import arrhenius, diffusivity_factor
from nanotrial.medium.crystals import positive
from nanotrial.network.terms import Term, constant, maximum, power, switched_on

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Growth, Phase, Transformation
    from nanotrial.medium.crystals import Population
    from nanotrial.medium.saturation import Place

_SMALL = 1e-12
# Growth and dissolution pass into each other over this much of S: a solution at rest with its mineral sits there.
_NEAR = 1e-3
_TRACE = 1e-12


def inhibition(place: Place, identifier: str, step: str) -> Term:
    """Return the factor that dissolved inhibitors leave of a step; 1 where none is in the fluid.

    Arguments:
        place: the fluid; an inhibitor is a state ``<fluid>.<name>`` in mol.
        identifier: the phase.
        step: ``nucleation``, ``growth`` or ``transformation``.
    """
    network, left = place.network, constant(1.0, "1")
    for one in place.phases[identifier].inhibitors:
        state = f"{place.name}.{one.name}"
        known = network.species.get(state)
        if step not in one.acts_on or known is None or known.dimension != constant(0.0, "mol").dimension:
            continue
        key = f"phase.{identifier}.inhibitors.{one.name}"
        half = network.parameter(f"{key}.half_effect", one.half_effect, "mol/m^3")
        order = network.parameter(f"{key}.order", one.order, "1")
        left = left / (1.0 + power(positive(network.concentration(state)) / half + _SMALL, order))
    return left


def growth_flux(place: Place, identifier: str, ratio: Term, radius: Term) -> Term:
    """Return what grows on an area (mol of formula units/(m^2 s)), surface step and diffusion in series.

    Arguments:
        place: the fluid.
        identifier: the phase.
        ratio: S, the saturation ratio per ion.
        radius: mean radius of the crystals (m).
    """
    network, phase, law = place.network, place.phases[identifier], _law(place.phases[identifier])
    key = f"phase.{identifier}.growth"
    k = network.parameter(f"{key}.rate_constant", law.rate_constant, "mol/m^2/s")
    order = network.parameter(f"{key}.order", law.order, "1")
    excess = maximum(ratio - 1.0, constant(0.0, "1"))
    # Written as x x^(order - 1), the law and its slopes are finite and nothing at saturation.
    speed = k * _warmth(place, identifier) * power(excess + _SMALL, order - 1.0)
    surface = speed * switched_on(ratio - 1.0, _NEAR)
    surface = surface * inhibition(place, identifier, "growth")
    mobility = diffusivity_factor(place.temperature)
    resistance = constant(0.0, "m^2*s/mol")
    for solute, count in phase.products.items():
        sheet = place.solution.components[solute]
        diffusivity = network.parameter(f"{solute}.diffusivity", sheet.diffusivity, "m^2/s") * mobility
        dissolved = positive(network.concentration(f"{place.name}.{solute}")) + constant(_TRACE, "mol/m^3")
        resistance = resistance + radius / (diffusivity * dissolved) * float(count)
    return surface / (1.0 + maximum(surface, constant(0.0, "mol/m^2/s")) * resistance)


def dissolution_rate(place: Place, one: Population, ratio: Term) -> Term:
    """Return the share of a population that dissolves per second: k_d (1 - S) area / n.

    Area over volume is at most that of nuclei, so that the last of it goes exponentially.

    Arguments:
        place: the fluid.
        one: the crystals.
        ratio: S, the saturation ratio per ion.
    """
    law = _law(place.phases[one.phase])
    k = place.network.parameter(f"phase.{one.phase}.growth.dissolution_rate", law.dissolution_rate, "mol/m^2/s")
    flux = k * _warmth(place, one.phase) * switched_on(1.0 - ratio, _NEAR)
    return flux * one.molar_volume * one.nucleus_share * constant(3.0 / one.nucleus_radius, "1/m")


def transformation_rate(place: Place, identifier: str, step: Transformation, product_ratio: Term) -> Term:
    """Return the share of a phase that turns into another per second.

    Arguments:
        place: the fluid.
        identifier: the phase that turns.
        step: what it turns into, and how fast.
        product_ratio: S of that product.
    """
    key = f"phase.{identifier}.transforms.{step.name}"
    rate = place.network.parameter(f"{key}.rate", step.rate, "1/h")
    warmth = arrhenius(place.network, f"{key}.activation_energy", step.activation_energy, place.temperature)
    drive = 1.0 - 1.0 / maximum(product_ratio, constant(1.0, "1"))
    return rate * warmth * drive * inhibition(place, identifier, "transformation")


def transformation_yield(parent: Phase, product: Phase) -> float:
    """Return moles of product from a mole of parent: as much as its scarcest component allows."""
    return min(parent.products.get(solute, 0.0) / count for solute, count in product.products.items())


def _law(phase: Phase) -> Growth:
    assert phase.growth is not None
    return phase.growth


def _warmth(place: Place, identifier: str) -> Term:
    energy = _law(place.phases[identifier]).activation_energy
    return arrhenius(place.network, f"phase.{identifier}.growth.activation_energy", energy, place.temperature)
