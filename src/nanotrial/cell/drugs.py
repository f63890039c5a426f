"""Drugs that enter cells: the concentration where they act follows that of the medium.

    dx/dt = k_entry (accumulation C_medium - x)

A drug without an entry rate is there at once. What cells take up is not missed in the medium (cells fill less than a
thousandth of a well). What a drug does stands with its target: inhibitors scale a capacity by 1/(1 + x/IC50), chelators
join the buffers of the cytosol, ionophores join the leaks, antioxidants react with peroxide. Sources: in the sheets of
the agents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import constant

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells

ID = "cell.drugs"


def applies(cells: Cells) -> bool:
    """Say whether any drug enters at a rate of its own."""
    return any(a.entry_rate is not None for a in cells.agents.values())


def add_states(cells: Cells) -> None:
    """Add what has entered of each drug."""
    for name, agent in cells.agents.items():
        if agent.entry_rate is not None:
            cells.network.state(cells.name(name), "population", "mol/m^3", 1e-3)


def add(cells: Cells) -> None:
    """Add the entry of each drug."""
    for name, agent in cells.agents.items():
        if agent.entry_rate is not None:
            rate = cells.network.parameter(f"{name}.entry_rate", agent.entry_rate, "1/s")
            cells.network.process(
                cells.name(f"{name}.entry"), {cells.name(name): 1}, rate * (cells.reached(name) - cells[name]),
                f"{name} of the medium -> in the cell", ID,
            )  # fmt: skip


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): a drug has come to 1 - 1/e of its end after one entry time."""
    import math

    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("entry")
    network.compartment("cell", constant(1.0, "m^3"))
    held = network.state("drug", "cell", "mol/m^3")
    network.process("entry", {"drug": 1}, constant(0.01, "1/s") * (constant(1.0, "mol/m^3") - held))
    network.observe("drug", held, "mol/m^3")
    return float(simulate_network(network, [100.0])["drug"][0]), 1 - math.exp(-1), 1e-5
