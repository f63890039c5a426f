"""What culture medium does to hydrogen peroxide beside its own slow decay.

    pyruvate   H2O2 + pyruvate -> acetate + CO2 + H2O     k [H2O2] [pyruvate]
    serum      2 H2O2 -> O2 + 2 H2O                       k s [H2O2], s the share of serum

and antioxidant drugs that react with it, k [H2O2] [drug]. Products of pyruvate are not followed. Sources: in the
medium's sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanotrial.cell.culture import Constants
    from nanotrial.places.dish_parts import Dish

ID = "places.dish_medium"


def add(dish: Dish, recipe: Constants) -> None:
    """Add pyruvate, serum and antioxidants of the medium."""
    network, medium = dish.network, dish.medium
    peroxide, volume = network.concentration("medium.hydrogen_peroxide"), medium.volume
    start = recipe("pyruvate", "mol/m^3") * volume
    network.state("medium.pyruvate", "medium", scale=medium.scale, initial=start)
    rate = recipe("pyruvate_rate", "m^3/mol/s") * peroxide * network["medium.pyruvate"]
    network.process(
        "medium.pyruvate_oxidation",
        {"medium.hydrogen_peroxide": -1, "medium.pyruvate": -1, "medium.reduced": 1},
        rate,
        "H2O2 + pyruvate -> acetate + CO2 + H2O",
        ID,
    )
    share = network.parameter("medium.serum", dish.subject.said_or_usual("serum", dish.recipe), "1")
    network.process(
        "medium.serum_decay",
        {"medium.hydrogen_peroxide": -1, "medium.oxygen": 0.5},
        recipe("serum_peroxide_decay", "1/s") * share * peroxide * volume,
        "H2O2 -> 1/2 O2 + H2O, by serum",
        ID,
    )
    for name, agent in medium.agents.items():
        if agent.peroxide_rate is not None:
            k = network.parameter(f"{name}.peroxide_rate", agent.peroxide_rate, "m^3/mol/s")
            network.process(
                f"medium.{name}.scavenging",
                {"medium.hydrogen_peroxide": -1, f"medium.{name}": -1, "medium.reduced": 1},
                k * peroxide * network[f"medium.{name}"],
                f"H2O2 + {name} -> 2 H2O",
                ID,
            )
