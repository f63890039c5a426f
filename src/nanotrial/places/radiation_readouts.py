"""What a tube and a dish show after irradiation: doses, survival, breaks, foci, phases, organelles, what was made."""

from __future__ import annotations

from nanotrial.cell import lesions, organelles
from nanotrial.network.terms import Term, constant, share, total
from nanotrial.particle.fluid import Fluid
from nanotrial.particle.radiation_products import OF_PARTICLES, WATER_DENSITY, bonds_in, hydroxyl_made
from nanotrial.places.dish_parts import Dish


def observe_products(tube: Fluid) -> None:
    """Add what radiation has made in a tube so far, per volume of its fluid."""
    if tube.beam is None:
        return
    network, volume = tube.network, tube.volume
    network.observe("hydroxyl_radicals", hydroxyl_made(tube) / volume, "umol/L", "hydroxyl radicals made so far")
    for name in ("singlet_oxygen", "nitric_oxide"):
        made = network[f"{tube.name}.{name}"] / volume
        network.observe(name, made, "umol/L", f"{name.replace('_', ' ')} made so far")
    network.observe("dose_enhancement", bulk_enhancement(tube), "1", "dose to the suspension over that to water")
    if tube.beam.bonds:
        held = [c for c in tube.cohorts if c.particle.name in tube.beam.bonds]
        all_of_them = total((bonds_in(tube, c, tube.beam.bonds[c.particle.name]) for c in held), "mol")
        cut = total((network[f"{c.key}.bonds_cut"] for c in held), "mol")
        network.observe("bonds_cut", share(cut, all_of_them, tube.floor), "1", "share of the bonds that are cut")


def bulk_enhancement(tube: Fluid) -> Term:
    """Return the mean dose to a suspension over that to water: 1 + sum of mass fractions times (ratio - 1)."""
    network, beam = tube.network, tube.beam
    assert beam is not None
    added, mass = constant(0.0, "kg"), tube.volume * constant(WATER_DENSITY, "kg/m^3")
    whole = mass
    for cohort in tube.cohorts:
        moles = total((network[cohort.core_name(j)] for j in range(len(cohort.classes.radii))), "mol")
        core = moles * network.parameter(f"{cohort.material_id}.molar_mass", cohort.material.molar_mass, "kg/mol")
        added, whole = added + core * (beam.ratios[cohort.particle.name] - 1.0), whole + core
    return 1.0 + added / whole


def observe_irradiated(dish: Dish) -> None:
    """Add what irradiated cells show: means over live cells, and shares of the cells seeded."""
    if dish.medium.beam is None:
        return
    network, cells = dish.network, dish.cells
    shown: dict[str, tuple[list[Term], str, str]] = {
        "dose_to_nucleus": ([c["dose.nucleus"] for c in cells], "Gy", "mean dose to the nucleus so far"),
        "sensitization_enhancement_ratio": (
            [lesions.enhancement_ratio(c) for c in cells], "1",
            "dose without particles over this dose, for the same share of cells without a lethal lesion",
        ),
        "double_strand_breaks": ([c["simple_breaks"] + c["complex_breaks"] for c in cells], "1", "per live cell"),
        "gamma_h2ax_foci": ([c["foci.fast"] + c["foci.slow"] for c in cells], "1", "per live cell"),
        "comet_tail": ([lesions.comet_tail(c) for c in cells], "1", "share of DNA in the tail, alkaline"),
        "g1_fraction": ([c["phase.g1"] for c in cells], "1", "share of cells"),
        "s_fraction": ([c["phase.s"] for c in cells], "1", "share of cells"),
        "g2m_fraction": ([c["phase.g2m"] for c in cells], "1", "share of cells"),
    }  # fmt: skip
    for organelle in organelles.TOLERANCES:
        lost = [organelles.damage(c, organelle) for c in cells]
        shown[f"{organelle}_damage"] = (lost, "1", "share of its function that is lost")
    for name, (values, unit, text) in shown.items():
        network.observe(name, dish.mean(values, unit), unit, text)
    kept = total((c["clonogenic"] * c.seeded for c in cells), "1") / dish.seeded
    network.observe("surviving_fraction", kept, "1", "seeded cells that can still found a colony")
    gained = dish.mean([c.fluxes["added_to_nucleus"] for c in cells], "1")
    network.observe("dose_enhancement", 1.0 + gained, "1", "mean dose to the nucleus over that without particles")
    _observe_made(dish)


def _observe_made(dish: Dish) -> None:
    """Add what was made in cells so far, per volume of the live cells; of hydroxyl also that of their own water."""
    network, field = dish.network, dish.medium.beam
    assert field is not None
    fluids = [f for c in dish.cells for f in (c.endosome, c.lysosome) if f is not None]
    volume = total((c.volume for c in dish.cells), "m^3")
    own = (
        field.yields["OH"]
        * constant(WATER_DENSITY, "kg/m^3")
        * dish.mean([c["dose.cytosol"] for c in dish.cells], "Gy")
    )
    of_particles = total((hydroxyl_made(f, OF_PARTICLES) for f in fluids), "mol")
    network.observe(
        "hydroxyl_radicals",
        own + of_particles / volume,
        "umol/L",
        "made in cells so far, per their volume",
    )
    for name in ("singlet_oxygen", "nitric_oxide"):
        made = total((network[f"{f.name}.{name}"] for f in fluids), "mol") / volume
        network.observe(name, made, "umol/L", "made in cells so far, per their volume")
