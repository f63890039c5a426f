"""A run as an xarray Dataset, and the surroundings of a compartment."""

import numpy as np
import pytest

from nanotrial.errors import NetworkError
from nanotrial.network.explain import compartment_rows
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.solve.run import simulate_network


def decay() -> Network:
    network = Network("decay")
    network.compartment("tube", network.parameter("volume", 1e-3, "m^3"), temperature=constant(310.0, "K"))
    amount = network.state("a", "tube", scale=1e-3, initial=2e-3)
    network.process("loss", {"a": -1}, network.parameter("rate", 0.1, "1/s") * amount, opens=("all",))
    network.observe("concentration", network.concentration("a"), "umol/L", "what is left")
    network.observe("warmth", constant(310.15, "K"), "degC")
    return network


def test_dataset_has_units_and_shown_values():
    network = decay()
    data = simulate_network(network, [0.0, 10.0]).dataset(network)
    assert data["concentration"].attrs == {"units": "umol/L", "description": "what is left"}
    assert data["concentration"].values == pytest.approx(2000.0 * np.exp([0.0, -1.0]), rel=1e-5)
    assert data["warmth"].values == pytest.approx([37.0, 37.0])
    assert data["time"].attrs["units"] == "s"


def test_compartments_say_their_surroundings():
    network = decay()
    network.surround("tube", food=network.concentration("a"))
    (row,) = compartment_rows(network)
    assert row["volume"] == "follows volume"
    assert row["surroundings"] == "temperature 310 K, food follows a, volume"


def test_wrong_surroundings_are_told():
    network = decay()
    with pytest.raises(NetworkError, match=r"no compartment `tub`.*`tube`"):
        network.surround("tub", food=constant(1.0, "1"))
    with pytest.raises(NetworkError, match="`temperature` is named twice"):
        network.surround("tube", temperature=constant(300.0, "K"))
