"""Physical constants and laws of temperature used by the chemistry rooms.

Gas constant and Faraday constant: CODATA 2018 (key codata_2018). Debye-Hueckel slope from the permittivity of water
(key malmberg_1956):  A = 1.8246e6 (eps T)^-3/2 for log10, ionic strength in mol/L.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, exp, ten_to

if TYPE_CHECKING:
    from nanotrial.catalogue.schema import AqueousSpecies
    from nanotrial.network.model import Network
    from nanotrial.values import Value

GAS_CONSTANT = 8.314462618
REFERENCE_TEMPERATURE = 298.15
ATMOSPHERE = 101325.0
MOLAR = constant(1000.0, "mol/m^3")
# One unit is one O-O bond given as peroxide; a molecule of oxygen holds two.
PEROXIDE_UNITS = {"hydrogen_peroxide": {"peroxide": 1.0}, "oxygen": {"peroxide": 2.0}}


def permittivity(temperature: float) -> float:
    """Return the relative permittivity of water at a temperature (K), 273 to 373 K (key malmberg_1956)."""
    t = temperature - 273.15
    return float(87.740 - 0.40008 * t + 9.398e-4 * t**2 - 1.410e-6 * t**3)


def debye_slope(temperature: float) -> float:
    """Return A of the Debye-Hueckel law (log10, (mol/L)^-1/2) for water at a temperature (K), 273 to 373 K."""
    return float(1.8246e6 * (permittivity(temperature) * temperature) ** -1.5)


def debye_size(temperature: float) -> float:
    """Return B of the extended Debye-Hueckel law (1/m (mol/L)^-1/2), 273 to 373 K: 50.29e8 (eps T)^-1/2 per cm."""
    return float(50.29e10 * (permittivity(temperature) * temperature) ** -0.5)


def van_t_hoff(enthalpy: float, temperature: float) -> float:
    """Return log10 K(T) - log10 K(298.15 K) for a reaction enthalpy (J/mol) taken as constant."""
    return -enthalpy / (math.log(10) * GAS_CONSTANT) * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE)


def equilibrium_constant(
    network: Network, name: str, log_k: Value, enthalpy: Value | None, temperature: float, shift: Term | float = 0.0
) -> Term:
    """Return 10^(log K at 298.15 K + van 't Hoff shift + ``shift``) with log K and enthalpy as parameters."""
    exponent = network.parameter(f"{name}.log_k", log_k, "1") + shift
    if enthalpy is not None and abs(temperature - REFERENCE_TEMPERATURE) > 1e-9:
        heat = network.parameter(f"{name}.enthalpy", enthalpy, "kJ/mol")
        exponent = exponent + heat / constant(1.0, "J/mol") * van_t_hoff(1.0, temperature)
    return ten_to(exponent)


def arrhenius(network: Network, name: str, activation_energy: Value, temperature: float) -> Term:
    """Return exp(-E/R (1/T - 1/298.15 K)) with the activation energy as a parameter; 1 at 298.15 K."""
    energy = network.parameter(name, activation_energy, "kJ/mol")
    slope = -(1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE) / GAS_CONSTANT
    return exp(energy / constant(1.0, "J/mol") * slope)


def water_viscosity(temperature: float) -> float:
    """Return the viscosity of water (Pa s), 273 to 373 K: 2.414e-5 * 10^(247.8 / (T - 140)) (key reid_1987)."""
    return 2.414e-5 * 10 ** (247.8 / (temperature - 140.0))


def diffusivity_factor(temperature: float) -> float:
    """Return D(T) / D(298.15 K) by Stokes-Einstein: T / viscosity."""
    ratio = water_viscosity(REFERENCE_TEMPERATURE) / water_viscosity(temperature)
    return temperature / REFERENCE_TEMPERATURE * ratio


def species_charge(species: AqueousSpecies, charges: dict[str, int]) -> int:
    """Return the charge of a species from its masters and protons."""
    total = species.protons + sum(charges[c] * n for c, n in species.components.items())
    return round(total)
