"""Fresh fluid that flows through a place, as blood or a pump replenishes what mineral takes.

    rate = q V (c_fresh - c)      for every dissolved component, and for the ions that take no part

Dissolved matter comes and goes with the flow, solids stay. What flowed in is booked in ``outside.<component>.flow``
(below zero where more came than went), so nothing is lost. Assumption: well mixed. Source: the balance of a stirred
flow-through vessel, levenspiel_1999.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant

if TYPE_CHECKING:
    from nanotrial.medium.saturation import Place
    from nanotrial.network.model import Network

ID = "medium.renewal"


def applies(tube: Place) -> bool:
    """Say whether fluid flows through."""
    return getattr(tube, "renewal", None) is not None


def add(tube: Place) -> None:
    """Add the flow of every component, of strong charge and of inert ions."""
    rate: Term = tube.renewal  # type: ignore[attr-defined]
    for what in (*tube.solution.components, "strong_charge", "inert_ions"):
        add_flow(tube.network, f"{tube.name}.{what}", rate, tube.scale)


def add_flow(network: Network, name: str, rate: Term, scale: float) -> None:
    """Add the flow of one state towards its value in the fresh fluid: its value at the start.

    Arguments:
        network: the network.
        name: the state (mol).
        rate: volumes of fluid renewed per second (1/s).
        scale: usual size of the state (mol).
    """
    held = network.species[name]
    kept = f"outside.{name.partition('.')[2]}.flow"
    network.state(kept, "outside", scale=scale, content=held.content, may_be_negative=True)
    flow = rate * (held.initial - network[name])
    network.process(f"{name}.renewed", {name: 1.0, kept: -1.0}, flow, "fresh fluid <-> fluid", ID)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): with a drain as fast as the flow, 1 + exp(-2 q t) of 2 is left."""
    import math

    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("flow")
    for place in ("tube", "outside"):
        network.compartment(place, constant(1.0, "m^3"))
    fresh = network.parameter("fresh", 2.0, "mol")
    network.state("tube.calcium", "tube", initial=fresh)
    network.state("tube.drain", "tube")
    add_flow(network, "tube.calcium", constant(1e-3, "1/s"), 1.0)
    # As fast a drain as the flow halves it: 2 q (c_fresh / 2 - c).
    drain = constant(1e-3, "1/s") * network["tube.calcium"]
    network.process("drain", {"tube.calcium": -1.0, "tube.drain": 1.0}, drain)
    network.observe("calcium", network["tube.calcium"], "mol")
    found = simulate_network(network, [500.0])["calcium"][0]
    return float(found), 1.0 + math.exp(-1.0), 1e-6
