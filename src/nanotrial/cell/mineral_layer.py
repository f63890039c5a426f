"""What a layer of mineral on the membrane does to the cell under it.

    carriers      open = 1 - b C                     factor on glycolysis; b blocked_transport, C covered share
    respiration   fuel = 1 - m (1 - open)            factor; m the share of its fuel that comes through the membrane
    membrane      fluidity = 1 - C f                 binding of proteins = 1 - C p
    damage        dD/dt = C / t_b                    besides what cell.death counts
    pores         dC = q L tau / (eps D A)           drop of oxygen from outside to the membrane

L is the thickness of the layer, q what one cell uses. Carriers and pores are kept apart: pores of a layer of 100 nm let
through tens of thousands of times what a cell uses, so only what touches the membrane itself can starve it.
Assumptions: the covered share of carriers is the covered share of the membrane; all cells of a class are covered alike.
Sources: in the sheet of mineral effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell.culture import Layer
from nanotrial.medium.constants import diffusivity_factor
from nanotrial.medium.surfaces import Surface
from nanotrial.network.terms import Term, constant, share

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.mineral_layer"


def layer_of(cover: Term, thickness: Term, effects: Constants) -> Layer:
    """Return what a cell feels of mineral on its membrane.

        open = 1 - b C,  fuel = 1 - m (1 - open),  fluidity = 1 - f C,  binding = 1 - p C,  dD/dt = C / t_b

    Arguments:
        cover: share of the membrane under mineral, 0 to 1.
        thickness: mean thickness of the layer where it covers (m).
        effects: the sheet of mineral effects as parameters.
    """
    open_share = 1.0 - cover * effects("blocked_transport", "1")
    return Layer(
        open_share=open_share,
        fuel_share=1.0 - effects("membrane_fuel_share", "1") * (1.0 - open_share),
        fluidity=1.0 - cover * effects("fluidity_loss", "1"),
        binding=1.0 - cover * effects("binding_loss", "1"),
        damage_rate=cover / effects("rupture_time", "s"),
        path=thickness * effects("layer_tortuosity", "1") / effects("layer_porosity", "1"),
    )


def membrane_surface(area: Term, ready: Term, effects: Constants, deposit: str = "cells") -> Surface:
    """Return the plain membrane as a surface on which mineral may begin.

    Arguments:
        area: membrane that the medium reaches (m^2).
        ready: share of it that is bare, 0 to 1.
        effects: the sheet of mineral effects as parameters.
        deposit: name under which crystals on it are counted.
    """
    return Surface("membrane", deposit, area, effects("membrane_contact_angle", "rad"), ready)


def pore_drop(need: Term, layer: Layer, diffusivity: Term, area: Term) -> Term:
    """Return how far a concentration falls across the pores of a layer: q L tau / (eps D A).

    Arguments:
        need: what one cell uses (mol/s).
        layer: the layer; its path is L tau / eps (m).
        diffusivity: of the substance in water (m^2/s).
        area: membrane of one cell (m^2).
    """
    return need * layer.path / (diffusivity * area)


def pores_explain(drop: Term, outside: Term, layer: Layer) -> Term:
    """Return how much of the loss of respiration its pores alone explain: (dC / C) / (1 - fuel); 0 without mineral.

    Arguments:
        drop: of oxygen across the pores (mol/m^3).
        outside: oxygen outside the layer (mol/m^3).
        layer: the layer.
    """
    return share(drop / outside, 1.0 - layer.fuel_share, constant(1e-9, "1"))


def applies(cells: Cells) -> bool:
    """Say whether mineral may cover the cells."""
    return cells.layer is not None


def add(cells: Cells) -> None:
    """Add the damage under mineral, and name the drop of oxygen across its pores (``fluxes["pore_oxygen_drop"]``)."""
    network, layer = cells.network, cells.layer
    assert layer is not None
    damage = cells.name("damage")
    if damage in network.species:
        rate = layer.damage_rate
        network.process(f"{damage}.under_mineral", {damage: 1}, rate, "whole -> torn membrane under mineral", ID)
    if cells.medium is not None and "respiration" in cells.fluxes:
        sheet = cells.medium.solution.components["oxygen"]
        diffusivity = network.parameter("oxygen.diffusivity", sheet.diffusivity, "m^2/s")
        diffusivity = diffusivity * diffusivity_factor(cells.medium.temperature)
        need = cells.fluxes["respiration"] * cells.cell_volume
        area = cells.line("membrane_area", "m^2")
        cells.fluxes["pore_oxygen_drop"] = pore_drop(need, layer, diffusivity, area)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): half covered without repair, damage comes to 1 in twice the time of rupture."""
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.cell.culture import Constants
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    catalogue, network = Catalogue(), Network("layer")
    name = catalogue.ids("mineral_effects")[0]
    sheet = catalogue.load("mineral_effects", name)
    network.compartment("population", constant(1.0, "m^3"))
    damage = network.state("damage", "population", "1")
    layer = layer_of(constant(0.5, "1"), constant(1e-7, "m"), Constants(network, name, sheet))
    network.process("damage.under_mineral", {"damage": 1}, layer.damage_rate)
    network.observe("damage", damage, "1")
    return float(simulate_network(network, [2.0 * sheet.rupture_time.si])["damage"][0]), 1.0, 1e-6
