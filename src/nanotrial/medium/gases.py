"""Exchange of dissolved gases with the gas above the solution.

    rate = k_L A (K_H p - c),  A = volume / depth

for oxygen and carbon dioxide; a closed tube exchanges nothing. The gas space is unlimited, its uptake is booked in
``outside`` so that nothing is lost. Assumptions: still surface, no bubbles (oxygen above saturation stays dissolved
until it leaves through the surface). Source: film theory, lewis_1924; solubility, sander_2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium.constants import ATMOSPHERE, arrhenius
from nanotrial.network.terms import Term, constant

if TYPE_CHECKING:
    from nanotrial.catalogue.schema import Gas
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Fluid
    from nanotrial.values import Value

ID = "medium.gases"


def applies(tube: Fluid) -> bool:
    """Say whether the tube is open to a gas."""
    return bool(tube.gas_fractions())


def solubility(network: Network, component: str, gas: Gas, temperature: float) -> Term:
    """Return the dissolved concentration over the pressure of a gas (mol/(m^3 Pa))."""
    henry = network.parameter(f"gas.{component}.henry_constant", gas.henry_constant, "mol/m^3/Pa")
    return henry * arrhenius(network, f"gas.{component}.henry_enthalpy", gas.henry_enthalpy, temperature)


def saturation(network: Network, component: str, gas: Gas, fraction: float | Value, temperature: float) -> Term:
    """Return the concentration (mol/m^3) in equilibrium with a gas at a fraction of one atmosphere."""
    share = network.parameter(f"gas.{component}.fraction", fraction, "1")
    return solubility(network, component, gas, temperature) * share * constant(ATMOSPHERE, "Pa")


def add(tube: Fluid) -> None:
    """Add one exchange process per dissolved gas."""
    network = tube.network
    exchange = tube.gas_exchange()
    for component, fraction in tube.gas_fractions().items():
        gas = tube.solution.components[component].gas
        assert gas is not None
        resting = saturation(network, component, gas, fraction, tube.temperature)
        rate = exchange * (resting - tube.solution.free(gas.species))
        held = network.species[f"{tube.name}.{component}"].content
        network.state(f"outside.{component}", "outside", scale=tube.scale, content=held, may_be_negative=True)
        network.process(
            f"exchange.{component}",
            {f"{tube.name}.{component}": 1, f"outside.{component}": -1},
            rate,
            f"{gas.species}(gas) <-> {gas.species}",
            ID,
        )


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): oxygen in a tube without it rises to 1 - 1/e of saturation in depth / k_L."""
    import numpy as np

    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("gas")
    network.compartment("tube", network.parameter("volume", 1e-6, "m^3"))
    gas = Catalogue().load("solutes", "oxygen").gas
    held = network.state("o2", "tube", scale=1e-7)
    resting = saturation(network, "oxygen", gas, 0.2, 298.15)
    rate = constant(1e-5, "m/s") * constant(1e-4, "m^2") * (resting - network.concentration("o2"))
    network.process("exchange", {"o2": 1}, rate, opens=("all",))
    network.observe("share", held / constant(1e-6, "m^3") / resting, "1")
    found = simulate_network(network, [1000.0])["share"][0]
    return float(found), float(1 - np.exp(-1)), 1e-5
