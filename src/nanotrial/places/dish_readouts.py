"""What a dish can show: cells and their state, dyes, particles in them, the medium."""

from __future__ import annotations

import math

from nanotrial.cell import energy, probes
from nanotrial.network.terms import Term, constant, total
from nanotrial.particle.fluid import Cohort
from nanotrial.places.dish_parts import Dish
from nanotrial.places.radiation_readouts import observe_irradiated
from nanotrial.places.readouts import observe_release, observe_solution
from nanotrial.solve.events import Event
from nanotrial.study import Study


def observe_dish(dish: Dish) -> None:
    """Add everything a dish can show."""
    observe_solution(dish.medium)
    around = dish.cells[0].around
    dish.network.observe("free_calcium", around.calcium, "mmol/L", "free calcium of the medium")
    _observe_cells(dish)
    _observe_dyes(dish)
    _observe_exported(dish)
    observe_irradiated(dish)
    if dish.medium.cohorts:
        observe_release(dish.medium, dish.cohorts)
        _observe_uptake(dish)


def _observe_cells(dish: Dish) -> None:
    network, all_cells = dish.network, dish.cells
    everyone = dish.live + network["dead.apoptotic"] + network["dead.necrotic"]
    unharmed = dish.live / dish.untreated
    network.observe("population", unharmed, "1", "live cells over those that growth at its usual speed would give")
    network.observe("live_fraction", unharmed, "1", "live cells over those of an untreated well")
    network.observe("untreated_cells", dish.untreated, "1", "cells that growth at its usual speed would give")
    network.observe("apoptotic_fraction", network["dead.apoptotic"] / everyone, "1", "dead the apoptosis-like way")
    network.observe("necrotic_fraction", network["dead.necrotic"] / everyone, "1", "dead the necrosis-like way")
    shown = {
        "cytosolic_calcium": ([c.free["calcium"] for c in all_cells], "umol/L"),
        "er_calcium": ([c.free["er_calcium"] for c in all_cells], "umol/L"),
        "mitochondrial_calcium": ([c.free["matrix_calcium"] for c in all_cells], "umol/L"),
        "cytosolic_peroxide": ([c.peroxide for c in all_cells], "umol/L"),
        "mitochondrial_potential": ([c["potential"] for c in all_cells], "mV"),
        "atp": ([c["atp"] for c in all_cells], "mmol/L"),
        "pore_open": ([c["pore"] for c in all_cells], "1"),
        "glycolysis": ([energy.glycolysis(c) for c in all_cells], "1"),
        "respiration": ([energy.respiration(c) for c in all_cells], "1"),
        "oxidised_peroxiredoxin": ([_oxidised(dish, i) for i in range(len(all_cells))], "1"),
    }
    for name, (values, unit) in shown.items():
        network.observe(name, dish.mean(values, unit), unit, "mean of live cells")


def _oxidised(dish: Dish, i: int) -> Term:
    cells = dish.cells[i]
    assert cells.redox is not None
    whole = cells.redox("peroxiredoxin", "mol/m^3") * cells.defence
    return total((cells[f"prx_{n}"] for n in ("sulfenic", "disulfide", "sulfinic")), "mol/m^3") / whole


def _observe_dyes(dish: Dish) -> None:
    for measure, (name, sheet) in dish.probes.items():
        values = [probes.signal(c, name, sheet) for c in dish.cells]
        if measure == "viability":
            reduced = total((v * c.live for v, c in zip(values, dish.cells, strict=True)), "1")
            viability = reduced / dish.untreated
            dish.network.observe("viability", viability, "1", f"{sheet.name} signal over that of an untreated well")
            dish.network.observe("cell_death", 1.0 - viability, "1", "1 - viability")
        else:
            dish.network.observe(measure, dish.mean(values, "1"), "1", f"{sheet.name}, over resting cells")


def _observe_exported(dish: Dish) -> None:
    network, membrane = dish.network, dish.membrane
    given = network["medium.exported" if dish.minerals is None else "medium.shed"] / dish.seeded
    volume = membrane("vesicle_diameter", "m") ** 3 * (math.pi / 6.0)
    each = membrane("vesicle_calcium", "mol/m^3") * volume
    network.observe("exported_calcium", given, "fmol", "calcium in exported vesicles, per seeded cell")
    network.observe("exported_vesicles", given / each, "1", "exported vesicles per seeded cell")


def _observe_uptake(dish: Dish) -> None:
    network = dish.network
    zero = constant(0.0, "mol")
    bound, inside = zero, zero
    for cells in dish.cells:
        assert cells.endosome is not None
        assert cells.lysosome is not None
        bound = bound + _core(dish, cells.bound)
        inside = inside + _core(dish, cells.endosome.cohorts) + _core(dish, cells.lysosome.cohorts)
    network.observe("particles_bound", bound / dish.seeded, "fmol", "core on membranes, per seeded cell")
    network.observe("particles_inside", inside / dish.seeded, "fmol", "core in vesicles, per seeded cell")
    acid = [c.lysosome.solution.ph for c in dish.cells if c.lysosome is not None]
    network.observe("lysosome_ph", dish.mean(acid, "1"), "1", "mean of live cells")


def _core(dish: Dish, cohorts: list[Cohort]) -> Term:
    names = [c.core_name(j) for c in cohorts for j in range(len(c.classes.radii))]
    return total((dish.network[n] for n in names), "mol")


def loading_events(dish: Dish, study: Study) -> list[Event]:
    """Return the events that put fresh dye into the cells where a study says when; what it showed before is gone."""
    events = []
    for measure in study.measures:
        if not measure.loaded:
            continue
        name, sheet = dish.probes[measure.name]
        fresh = dish.network.parameter(f"{name}.initial_oxidised", sheet.initial_oxidised or 0.0, "1")
        changes = {c.name(f"{name}.oxidised"): fresh for c in dish.cells}
        events.append(Event(measure.loaded, changes, f"load {sheet.name}"))
    return events
