"""Small networks that several exact tests share: one vessel of one cubic metre, and reactions by mass action."""

from __future__ import annotations

from collections.abc import Mapping

from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.solve.run import Tolerances

TIGHT = Tolerances(relative=1e-10, absolute=1e-13)
# The global error of a run is a small multiple of the local one that the solver controls.
NEAR = 1e3 * TIGHT.relative


def vessel(name: str = "network") -> Network:
    network = Network(name)
    network.compartment("vessel", constant(1.0, "m^3"))
    return network


def mol(number: float) -> Term:
    return constant(number, "mol")


def reaction(network: Network, name: str, stoichiometry: Mapping[str, float], constant_per_s: float) -> None:
    """Add first-order decay or mass action in mol and s; an exponent is the count of a species that is used up."""
    rate = network.parameter(f"k.{name}", constant_per_s, "1/s") * mol(1.0)
    for species, count in stoichiometry.items():
        if count < 0:
            rate = rate * (network[species] / mol(1.0)) ** int(-count)
    network.process(name, stoichiometry, rate)
