"""What minerals of a tube or a dish show: amounts, Ca:P, what diffracts, saturation, layer, stain, CT.

A dish is washed before it is stained, scanned or scraped: what counts is mineral on membranes, in the matrix and in
vesicles; crystals that float in the medium count only in the amounts of the phases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.cell import vesicle_fluid
from nanotrial.cell.culture import Constants
from nanotrial.medium import crystals
from nanotrial.medium.saturation import phase_ratio, saturation_index
from nanotrial.network.terms import Term, constant, maximum, total
from nanotrial.observe.ct import ct_number
from nanotrial.observe.stain import calcium_to_phosphorus, phase_shares, stained_share
from nanotrial.places.dish_minerals import ON_CELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.catalogue.mineral_schema import Phase, Stain
    from nanotrial.particle.fluid import Fluid
    from nanotrial.places.dish_minerals import DishMinerals
    from nanotrial.places.dish_parts import Dish
    from nanotrial.places.tube import Tube

    Held = Sequence[tuple[Fluid, str]]

# The index of a phase one of whose ions is absent: as low as any index goes.
NO_IONS = -60.0
# What weighs less than this per volume of fluid is too little to diffract (kg/m^3): a tenth of a microgram per mL.
LEAST_CRYSTALS = 1e-4
CALCIUM_MASS = 0.040078


def observe_tube_minerals(tube: Tube, catalogue: Catalogue) -> None:
    """Add what the minerals of a tube show; nothing where none that nucleates is followed."""
    if not tube.subject.minerals:
        return
    network, held_in = tube.network, _everything(tube)
    observe_absent(tube, catalogue)
    held = {c: _content(held_in, c) for c in ("calcium", "phosphate")}
    for component, amount in held.items():
        network.observe(f"solid_{component}", amount / tube.volume, "mmol/L", f"{component} in minerals")
    _observe_amounts(tube, held_in)
    _observe_composition(tube, held_in, held["calcium"], held["phosphate"])
    cover = crystals.cover(tube, "surface") if tube.surfaces else constant(0.0, "1")
    network.observe("mineral_cover", cover, "1", "share of the surface under mineral")


def observe_minerals(dish: Dish, stain: tuple[str, Stain]) -> None:
    """Add what the minerals of a dish show: in the medium, on cells, in shed vesicles and in the matrix."""
    parts = dish.minerals
    assert parts is not None
    network, medium = dish.network, dish.medium
    vesicles = _everything(parts.vesicles.fluid)
    washed = [(medium, ON_CELLS), (medium, vesicle_fluid.DEPOSIT), *vesicles]
    observe_absent(medium, dish.catalogue)
    held = {c: _content(washed, c) for c in ("calcium", "phosphate")}
    for component, amount in held.items():
        what = f"{component} in minerals on cells, in the matrix and in vesicles, per seeded cell"
        network.observe(f"mineral_{component}", amount / dish.seeded, "fmol", what)
    on_cells = _content([(medium, ON_CELLS)], "calcium") / dish.seeded
    network.observe("membrane_calcium", on_cells, "fmol", "calcium in minerals on the membranes, per seeded cell")
    _observe_amounts(medium, [*_everything(medium), *vesicles])
    _observe_composition(medium, washed, held["calcium"], held["phosphate"])
    network.observe("mineral_cover", crystals.cover(medium, ON_CELLS), "1", "share of the membranes under mineral")
    network.observe("mineral_thickness", parts.thickness, "nm", "of the layer where it covers the cells")
    name, sheet = stain
    visible = Constants(network, name, sheet)("visible_amount", "mol/m^2")
    stained = stained_share(maximum(held[sheet.binds], constant(0.0, "mol")), medium.bottom, visible)
    network.observe("calcified_area", stained, "1", f"share of the bottom that {sheet.name} stains")
    network.observe("membrane_fluidity", parts.layer.fluidity, "1", "over that of bare membranes")
    network.observe("protein_binding", parts.layer.binding, "1", "over that of bare membranes")
    _observe_scan(dish, parts, held["calcium"])
    for what, unit in (("inducer_bound", "fmol"), ("gathered_calcium", "fmol")):
        amounts = [i.held_per_cell if what == "inducer_bound" else i.gathered_per_cell for i in parts.inducers.values()]
        network.observe(what, total(amounts, "mol"), unit, "on the membranes, per cell")


def _everything(fluid: Fluid) -> Held:
    """Return the bulk and all deposits of a fluid."""
    return [(fluid, deposit) for deposit in crystals.deposits(fluid)]


def _content(held_in: Held, component: str) -> Term:
    """Return the amount of a component (mol) in the minerals of some places."""
    found = []
    for fluid, deposit in held_in:
        for identifier, phase in fluid.phases.items():
            name = crystals.amount_name(fluid, identifier, deposit)
            if component in phase.products and name in fluid.network.species:
                found.append(fluid.network[name] * float(phase.products[component]))
    return total(found, "mol")


def _phase_amount(held_in: Held, identifier: str) -> Term:
    """Return the amount of a phase (mol) in some places."""
    names = [(f, crystals.amount_name(f, identifier, d)) for f, d in held_in if identifier in f.phases]
    return total((f.network[n] for f, n in names if n in f.network.species), "mol")


def _observe_amounts(first: Fluid, held_in: Held) -> None:
    """Add for each phase its amount in some places over the volume of a fluid, and its saturation index there."""
    for identifier, phase in first.phases.items():
        if _kept(phase):
            held = _phase_amount(held_in, identifier) / first.volume
            first.network.observe(identifier, held, "mmol/L", f"{phase.name}, all of it, over the volume of fluid")
            index = saturation_index(phase_ratio(first, identifier))
            what = f"log10 of ion product over constant of {phase.name}"
            first.network.observe(f"{identifier}_saturation", index, "1", what)


def _observe_composition(first: Fluid, held_in: Held, calcium: Term, phosphate: Term) -> None:
    """Add Ca:P, and for each phase its share of what diffracts and that of its rival."""
    network = first.network
    ratio = calcium_to_phosphorus(calcium, phosphate, first.floor)
    network.observe("calcium_to_phosphorus", ratio, "1", "calcium over phosphorus in minerals, as EDX shows it")
    masses = {}
    for identifier, phase in first.phases.items():
        if _kept(phase):
            each = network.parameter(f"phase.{identifier}.molar_mass", phase.molar_mass, "kg/mol")
            masses[identifier] = _phase_amount(held_in, identifier) * each
    shares = phase_shares(masses, first.phases, first.volume * constant(LEAST_CRYSTALS, "kg/m^3"))
    nothing = constant(0.0, "1")
    for identifier in masses:
        rival = nothing
        for other, part in shares.items():
            rival = rival if other == identifier else maximum(rival, part)
        label = first.phases[identifier].name
        part = shares.get(identifier, nothing)
        network.observe(f"{identifier}_share", part, "1", f"share of {label} in what diffracts")
        network.observe(f"{identifier}_rival_share", rival, "1", "share of the other phase that diffracts most")


def _kept(phase: Phase) -> bool:
    return crystals.forms(phase) or phase.relaxation_rate is not None


def observe_absent(first: Fluid, catalogue: Catalogue) -> None:
    """Add readings of the phases that no ions are there for, so that arms without an ion show the same measures."""
    network = first.network
    nothing = constant(0.0, "1")
    for identifier in catalogue.ids("phases"):
        if identifier not in first.phases:
            network.observe(identifier, constant(0.0, "mol/m^3"), "mmol/L", "an ion of it is absent")
            network.observe(f"{identifier}_saturation", constant(NO_IONS, "1"), "1", "an ion of it is absent")
            network.observe(f"{identifier}_share", nothing, "1", "an ion of it is absent")
            network.observe(f"{identifier}_rival_share", nothing, "1", "an ion of it is absent")


def _observe_scan(dish: Dish, parts: DishMinerals, calcium: Term) -> None:
    """Add the CT number of the layer of cells with its mineral, as if it filled the voxels."""
    network = dish.network
    catalogue = dish.catalogue
    name = catalogue.ids("scanners")[0]
    scanner = Constants(network, name, catalogue.load("scanners", name))
    cells = total((c.volume for c in dish.cells), "m^3")
    density = calcium * constant(CALCIUM_MASS, "kg/mol") / (cells + dish.seeded * dish.cells[0].cell_volume)
    contrast, tissue = scanner("calcium_contrast", "m^3/kg"), scanner("soft_tissue", "1")
    network.observe(
        "ct_number", ct_number(density, contrast, tissue), "1", "Hounsfield units of a layer of these cells"
    )
