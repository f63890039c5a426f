"""Transport through a porous matrix whose pores fill with mineral, each relative to what it was without.

    porosity       eps = eps_0 - phi                              phi: share of the volume that is mineral
    diffusion      D_eff / D = eps^(3/2)                          bruggeman_1935 (tortuosity eps^(-1/2))
                   D_eff / D = 2 eps / (3 - eps)                  maxwell_1873 (separate spheres: an upper bound)
                   D_eff / D = (eps / (2 - eps))^2                mackie_1955 (chains of a gel)
    seepage        K / K_0 = (eps / eps_0)^3 ((1 - eps_0) / (1 - eps))^2     carman_1937, surface per solid unchanged
    vessel         g / g_0 = (1 - L / r)^4                        sutera_1993 (Poiseuille), L the layer on the wall
    sealing        ((eps - eps_c) / (eps_0 - eps_c))^2 above eps_c, else 0    elam_1984

All take plain numbers or terms. Assumptions: mineral fills pores evenly and is itself tight; flow is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nanotrial.network.terms import Term, maximum

Quantity = TypeVar("Quantity", Term, float)


def _at_least_zero(value: Quantity) -> Quantity:
    if isinstance(value, Term):
        return maximum(value, 0.0)
    return max(value, 0.0)


def mineral_share(amount: Quantity, molar_mass: Quantity, density: Quantity, volume: Quantity) -> Quantity:
    """Return the share of a volume that a mineral takes: phi = n M / (rho V).

    Arguments:
        amount: mineral (mol of formula units).
        molar_mass: of a formula unit (kg/mol).
        density: of the mineral (kg/m^3).
        volume: of the tissue (m^3).
    """
    return amount * molar_mass / (density * volume)


def open_porosity(porosity: Quantity, mineral: Quantity) -> Quantity:
    """Return the porosity that mineral leaves: eps_0 - phi, never below 0.

    Arguments:
        porosity: share of the volume that was pores, 0 to 1.
        mineral: share of the volume that is mineral now, 0 to 1.
    """
    return _at_least_zero(porosity - mineral)


def bruggeman(porosity: Quantity) -> Quantity:
    """Return D_eff / D = eps^(3/2), for grains of many sizes (source: bruggeman_1935)."""
    share: Quantity = porosity**1.5
    return share


def maxwell(porosity: Quantity) -> Quantity:
    """Return D_eff / D = 2 eps / (3 - eps), for spheres far apart: the most that an even solid lets through."""
    return 2.0 * porosity / (3.0 - porosity)


def mackie_meares(porosity: Quantity) -> Quantity:
    """Return D_eff / D = (eps / (2 - eps))^2, for a gel of chains (source: mackie_1955)."""
    return (porosity / (2.0 - porosity)) ** 2


def diffusion_ratio(porosity: Quantity, mineral: Quantity, law: Callable[[Quantity], Quantity] = bruggeman) -> Quantity:
    """Return D_eff over that without mineral: 1 at no mineral, 0 where the pores are full.

    Arguments:
        porosity: without mineral, above 0.
        mineral: share of the volume.
        law: ``bruggeman``, ``maxwell`` or ``mackie_meares``.
    """
    return law(open_porosity(porosity, mineral)) / law(porosity)


def seepage_ratio(porosity: Quantity, mineral: Quantity) -> Quantity:
    """Return hydraulic conductivity over that without mineral, by Kozeny and Carman (source: carman_1937).

        K / K_0 = (eps / eps_0)^3 ((1 - eps_0) / (1 - eps))^2

    Surface per volume of solid stays as it is; finer mineral lowers K by the square of its ratio besides.

    Arguments:
        porosity: without mineral, above 0 and below 1.
        mineral: share of the volume.
    """
    left = open_porosity(porosity, mineral)
    return (left / porosity) ** 3 * ((1.0 - porosity) / (1.0 - left)) ** 2


def vessel_ratio(radius: Quantity, layer: Quantity) -> Quantity:
    """Return the conductance of a vessel over that without a layer on its wall: (1 - L / r)^4, 0 where it is closed.

    Arguments:
        radius: of the bare vessel (m).
        layer: thickness on the wall (m).
    """
    return _at_least_zero(1.0 - layer / radius) ** 4


def sealing_mineral(porosity: Quantity, threshold: Quantity) -> Quantity:
    """Return the share of mineral at which pores no longer connect: eps_0 - eps_c, never below 0.

    Arguments:
        porosity: without mineral.
        threshold: porosity at which pores come apart; about 0.03 between overlapping spheres (elam_1984).
    """
    return _at_least_zero(porosity - threshold)


def percolation_ratio(porosity: Quantity, mineral: Quantity, threshold: Quantity) -> Quantity:
    """Return transport over that without mineral near sealing: ((eps - eps_c) / (eps_0 - eps_c))^2, 0 below eps_c.

    The exponent is that of conduction on lattices in space, 2.0. Source: elam_1984 for the threshold.

    Arguments:
        porosity: without mineral, above ``threshold``.
        mineral: share of the volume.
        threshold: porosity at which pores come apart.
    """
    return _at_least_zero((porosity - mineral - threshold) / (porosity - threshold)) ** 2
