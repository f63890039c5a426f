"""Inducers of mineral: how they come to the membranes of a dish, and the surface that they make there.

    receptor    dB/dt = k_on c (R - B) / (1 + q) - K_D k_on B - k_i B
    insertion   dJ/dt = k_s A c s (1 - X / X_max) - k_d J - k_i J,     s = 1 / (1 + 10^(n (pH - pH_half)))
    cover       X = 1 - exp(-N_A a (B + J) / A)
    ready       sum_g n_g x / (K_g + x) / sum_g n_g

c is the inducer in the medium, R the receptors of all cells, q what else holds them (sum of concentration over
constant), A the area of all membranes, a the area of one molecule, x free calcium. What detaches returns to the
medium, what is taken in (k_i) stays in the cells, and receptors come back at once. Groups that hold calcium do not
raise the ion product: an inducer works by the angle at which mineral wets it and by holding places where it begins.

Assumptions: one receptor for one molecule; molecules lie at random, so covers saturate; calcium that groups hold is not
missed in the medium. Sources: in the sheets of ``catalogue/inducers`` and in the receptors of the lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanotrial.cell.culture import Constants
from nanotrial.medium.surfaces import Surface
from nanotrial.network.terms import Term, constant, exp, maximum, ten_to, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.mineral_schema import Inducer
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Fluid

ID = "cell.inducers"
AVOGADRO = 6.02214076e23
DEPOSIT = "cells"
# Receptors per cell that set the size of a state where a line has fewer.
FEW_RECEPTORS = 1e3


@dataclass(frozen=True, kw_only=True)
class Membranes:
    """Cell membranes as inducers meet them: area of all (m^2, dead ones too), cells that bear receptors, bare angle.

    ``seeded`` is the number of cells at the start, which sets the size of states. ``rivals`` says for a receptor what
    else in the medium holds it: the sum of concentration over dissociation constant (folate of the medium, say).
    """

    line: Constants
    area: Term
    cells: Term
    seeded: float
    bare_angle: Term
    rivals: Mapping[str, Term] = field(default_factory=dict)


@dataclass(frozen=True)
class Induced:
    """An inducer on the cells: surface for mineral, share of the membranes covered, amounts (mol; also per cell)."""

    surface: Surface
    cover: Term
    held: Term
    held_per_cell: Term
    gathered: Term
    gathered_per_cell: Term


def applies(inducers: Mapping[str, Inducer]) -> bool:
    """Say whether any inducer is given."""
    return bool(inducers)


def add_states(medium: Fluid, identifier: str, sheet: Inducer, membranes: Membranes) -> None:
    """Add an inducer's states (mol): in the medium, on receptors, in the membrane, taken in."""
    network, content = medium.network, {identifier: 1.0}
    network.state(f"{medium.name}.{identifier}", medium.name, scale=medium.scale * 1e-2, content=content)
    sizes = []
    if sheet.receptor:
        given = membranes.line.sheet.receptors.get(sheet.receptor)
        per_cell = max(given.si if given is not None else 0.0, FEW_RECEPTORS)
        sizes.append(per_cell * membranes.seeded / AVOGADRO)
        network.state(f"cells.bound_{identifier}", "population", scale=sizes[-1], content=content)
    if sheet.maximum_cover is not None:
        area = membranes.seeded * membranes.line.sheet.membrane_area.si
        sizes.append(sheet.maximum_cover.si * area / sheet.area_per_molecule.si / AVOGADRO)
        network.state(f"cells.inserted_{identifier}", "population", scale=sizes[-1], content=content)
    network.state(f"cells.taken_{identifier}", "population", scale=max(sizes), content=content)


def add(medium: Fluid, identifier: str, sheet: Inducer, membranes: Membranes) -> Induced:
    """Add how an inducer binds, inserts, detaches and is taken in; return the surface that it makes."""
    network, inducer = medium.network, Constants(medium.network, identifier, sheet)
    free = f"{medium.name}.{identifier}"
    concentration = network[free] / medium.volume
    held = total((network[name] for name in held_names(network, identifier)), "mol")
    cover = covered_share(inducer, held, membranes.area)
    if sheet.receptor:
        receptors = receptors_of(membranes.line, sheet.receptor) * membranes.cells / constant(AVOGADRO, "1/mol")
        rivals = membranes.rivals.get(sheet.receptor, constant(0.0, "1"))
        _bind(network, free, f"cells.bound_{identifier}", concentration, receptors, _constants(inducer), rivals)
    if sheet.insertion_rate is not None:
        speed = inducer("insertion_rate", "m/s") * inserting_share(inducer, medium.solution.ph)
        room = 1.0 - cover / inducer("maximum_cover", "1")
        _insert(network, free, f"cells.inserted_{identifier}", speed * membranes.area * concentration * room)
        back = inducer("detachment_rate", "1/s") * network[f"cells.inserted_{identifier}"]
        leaves = {f"cells.inserted_{identifier}": -1.0, free: 1.0}
        network.process(f"cells.{identifier}.detaches", leaves, back, "in the membrane -> medium", ID)
    inward = inducer("internalisation_rate", "1/s")
    for name in held_names(network, identifier):
        moved = {name: -1.0, f"cells.taken_{identifier}": 1.0}
        network.process(f"{name}.taken", moved, inward * network[name], "on the membrane -> in the cell", ID)
    covered = membranes.area * cover
    calcium = medium.solution.free("Ca+2")
    surface = induced_surface(inducer, DEPOSIT, covered, calcium, membranes.bare_angle)
    return _induced(inducer, surface, cover, held, membranes, calcium)


def held_names(network: Network, identifier: str) -> list[str]:
    """Return the states that hold an inducer on the outer face of cells."""
    return [n for n in (f"cells.bound_{identifier}", f"cells.inserted_{identifier}") if n in network.species]


def receptors_of(line: Constants, receptor: str) -> Term:
    """Return how many of a receptor one cell of a line bears; none where its sheet names none."""
    given = line.sheet.receptors.get(receptor)
    if given is None:
        return constant(0.0, "1")
    return line.network.parameter(f"{line.identifier}.receptors.{receptor}", given, "1")


def inserting_share(inducer: Constants, ph: Term) -> Term:
    """Return the share of molecules that can insert: 1 / (1 + 10^(n (pH - pH_half))); all of them without a switch."""
    switch = inducer.part("switch")
    if switch is None:
        return constant(1.0, "1")
    return 1.0 / (1.0 + ten_to(switch("cooperativity", "1") * (ph - switch("half_ph", "1"))))


def covered_share(inducer: Constants, held: Term, area: Term) -> Term:
    """Return 1 - exp(-N_A a n / A), the share of an area under molecules that lie at random."""
    shadow = inducer("area_per_molecule", "m^2") * constant(AVOGADRO, "1/mol") * maximum(held, constant(0.0, "mol"))
    return 1.0 - exp(-(shadow / area))


def calcium_held(inducer: Constants, calcium: Term) -> tuple[Term, Term]:
    """Return calcium held by one molecule and the groups that could hold one each, at a free calcium (mol/m^3)."""
    held, room = constant(0.0, "1"), constant(0.0, "1")
    there = maximum(calcium, constant(0.0, "mol/m^3"))
    for group in inducer.sheet.groups:
        one = Constants(inducer.network, f"{inducer.identifier}.groups.{group.name}", group)
        count, half = one("per_molecule", "1"), one("calcium_constant", "mol/m^3")
        held, room = held + count * there / (half + there), room + count
    return held, room


def ready_share(inducer: Constants, calcium: Term) -> Term:
    """Return the share of groups that hold calcium at a free calcium (mol/m^3); nothing without groups."""
    if not inducer.sheet.groups:
        return constant(0.0, "1")
    held, room = calcium_held(inducer, calcium)
    return held / room


def induced_surface(inducer: Constants, deposit: str, area: Term, calcium: Term, bare_angle: Term) -> Surface:
    """Return the surface that an inducer makes of an area it covers; without groups none of it is ready.

    Arguments:
        inducer: its sheet as parameters.
        deposit: what the mineral there is counted with.
        area: what the inducer covers (m^2).
        calcium: free calcium beside it (mol/m^3).
        bare_angle: contact angle of mineral on the surface without inducer (rad).
    """
    angle = inducer("contact_angle", "rad") if inducer.sheet.groups else bare_angle
    return Surface(inducer.identifier, deposit, area, angle, ready_share(inducer, calcium))


def _constants(inducer: Constants) -> tuple[Term, Term]:
    """Return the rates of association (m^3/mol/s) and dissociation (1/s)."""
    on = inducer("association_rate", "m^3/mol/s")
    return on, on * inducer("receptor_constant", "mol/m^3")


def _bind(
    network: Network,
    free: str,
    bound: str,
    concentration: Term,
    receptors: Term,
    rates: tuple[Term, Term],
    rivals: Term,
) -> None:
    """Add association with the receptors that are open, and dissociation."""
    on, off = rates
    there = network[bound]
    speed = on * concentration * (receptors - there) / (1.0 + rivals) - off * there
    network.process(f"{bound}.binds", {free: -1.0, bound: 1.0}, speed, "medium <-> receptor", ID)


def _insert(network: Network, free: str, inserted: str, speed: Term) -> None:
    """Add insertion into membranes."""
    network.process(f"{inserted}.inserts", {free: -1.0, inserted: 1.0}, speed, "medium -> in the membrane", ID)


def _induced(
    inducer: Constants, surface: Surface, cover: Term, held: Term, membranes: Membranes, calcium: Term
) -> Induced:
    """Return what observables and minerals read of an inducer; a cell stands for its share of the area."""
    per_molecule, _ = calcium_held(inducer, calcium)
    one_cell = membranes.line("membrane_area", "m^2") / membranes.area
    gathered = held * per_molecule
    return Induced(surface, cover, held, held * one_cell, gathered, gathered * one_cell)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): in a closed vessel, receptors fill as the root of a quadratic says."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    whole, receptors, half = 1.0, 0.8, 0.25  # mol, mol, mol/m^3
    network, mol = Network("binding"), constant(1.0, "mol")
    network.compartment("vessel", constant(1.0, "m^3"))
    free = network.state("free", "vessel", initial=whole)
    network.state("bound", "vessel")
    rates = constant(0.1, "m^3/mol/s"), constant(0.1 * half, "1/s")
    _bind(network, "free", "bound", free / constant(1.0, "m^3"), mol * receptors, rates, constant(0.0, "1"))
    network.observe("bound", network["bound"], "mol")
    middle = (whole + receptors + half) / 2.0
    exact = middle - math.sqrt(middle**2 - whole * receptors)
    return float(simulate_network(network, [1e4])["bound"][0]), exact, 1e-6
