"""Targets of radiation beside DNA: mitochondria, lysosomes, reticulum; oxidants that go on being made after a dose.

    strain      x = (dose - dose of the beam alone) / tolerance + oxidant made there / oxidant tolerance
    failed      f = x^n / (1 + x^n)
    damage      dD/dt gains (f_lysosome + f_mitochondrion + f_reticulum) / t_pore  (``cell.death``)
    oxidants    dB/dt = h D'_mitochondrion - k B      the respiratory chain leaks 1 + B times as much superoxide
    cytosol     H2O2 + Y D' per volume, from the water of the cell itself

Each organelle is a graded pathway of its own: none needs a break of DNA. Dose is what particles in or beside it add
(``cell.irradiation``); what the beam alone does to organelles is in the survival curve of the line, which was measured
with it, and would count twice; oxidants are singlet oxygen and hydroxyl radicals that particles in lysosomes,
or at the organelle a study names, have made. Cores that scavenge take superoxide and peroxide of the cell with their
rates per concentration of core in it, as if the whole cell met them: an upper bound. Sources: in the sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, maximum, power, total
from nanotrial.particle.fluid import WATER_BONDS
from nanotrial.particle.radiation_products import OF_PARTICLES, hydroxyl_made

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells

ID = "cell.organelles"
TOLERANCES = {
    "lysosome": "lysosome_tolerance",
    "mitochondrion": "mitochondrion_tolerance",
    "reticulum": "reticulum_tolerance",
}


def applies(cells: Cells) -> bool:
    """Say whether radiation is followed."""
    return cells.beam is not None


def add_states(cells: Cells) -> None:
    """Add the oxidants that go on being made after a dose, over those made at rest."""
    cells.network.state(cells.name("lasting_oxidants"), "population", "1", 0.1)


def failed_share(strain: Term, steepness: Term) -> Term:
    """Return x^n / (1 + x^n)."""
    raised = power(maximum(strain, constant(0.0, "1")) + 1e-9, steepness)
    return raised / (1.0 + raised)


def damage(cells: Cells, organelle: str) -> Term:
    """Return the share of an organelle's function that dose and oxidants have taken."""
    beam = cells.beam
    assert beam is not None
    beyond = maximum(cells[f"dose.{organelle}"] - cells["dose.beam"], constant(0.0, "Gy"))
    strain = beyond / beam.repair(TOLERANCES[organelle], "Gy")
    strain = strain + _oxidant(cells, organelle) / beam.repair("oxidant_tolerance", "mol/m^3")
    return failed_share(strain, beam.repair("target_steepness", "1"))


def _oxidant(cells: Cells, organelle: str) -> Term:
    """Return oxidants that particles have made at an organelle (mol/m^3 of its fluid or of the cell)."""
    made = constant(0.0, "mol/m^3")
    fluid = cells.lysosome
    if fluid is None:
        return made
    products = cells.network[f"{fluid.name}.singlet_oxygen"] + hydroxyl_made(fluid, OF_PARTICLES)
    here = constant(0.0, "1")
    for cohort in fluid.cohorts:
        particle = cohort.particle
        share = cells.network.parameter(f"{cohort.parameter_key}.organelle_share", particle.organelle_share, "1")
        if particle.organelle == organelle:
            here = maximum(here, share)
        elif organelle == "lysosome":
            here = maximum(here, 1.0 - share)
    return products * here / fluid.volume


def add(cells: Cells) -> None:
    """Add the strain of organelles, lasting oxidants, peroxide of the cell's own water, and scavenging cores."""
    network, beam = cells.network, cells.beam
    assert beam is not None
    lasting = cells.name("lasting_oxidants")
    gain = beam.repair("mitochondrial_oxidant_gain", "1/Gy") * cells.fluxes["dose.mitochondrion"]
    gone = beam.repair("oxidant_decay", "1/s") * network[lasting]
    network.process(f"{lasting}.changes", {lasting: 1}, gain - gone, "dose -> leaking chain -> healed", ID)
    if cells.name("hydrogen_peroxide") not in network.species:
        return
    made = beam.repair("reactive_oxygen_yield", "mol/m^3/Gy") * cells.fluxes["dose.cytosol"] * cells.volume
    name = cells.name("hydrogen_peroxide")
    network.process(f"{name}.radiolysis", {name: 1, WATER_BONDS: -1}, made, "2 H2O -> H2O2 + H2", ID)
    _add_scavenging(cells)


def _add_scavenging(cells: Cells) -> None:
    network = cells.network
    for fluid in (cells.endosome, cells.lysosome):
        for cohort in fluid.cohorts if fluid is not None else []:
            law, key = cohort.material.scavenging, f"{cohort.material_id}.scavenging"
            if law is None:
                continue
            moles = total((network[cohort.core_name(j)] for j in range(len(cohort.classes.radii))), "mol")
            core = maximum(moles, constant(0.0, "mol")) / cells.volume
            for kind, rate, units in (
                ("superoxide", law.superoxide, 1.5),
                ("hydrogen_peroxide", law.hydrogen_peroxide, 1.0),
            ):
                k = network.parameter(f"{key}.{kind}", rate, "m^3/mol/s")
                gone = {cells.name(kind): -1.0, cells.name("reduced"): units}
                network.process(f"{cohort.key}.takes.{kind}", gone, k * core * cells[kind], f"{kind} -> water", ID)


def strain_rate(cells: Cells) -> Term:
    """Return the damage per time (1/s) of failing organelles, in the clock of open pores."""
    assert cells.death is not None
    failing = total((damage(cells, organelle) for organelle in TOLERANCES), "1")
    return failing / cells.death("pore_time", "s")


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): at the tolerance half have failed, whatever the steepness."""
    import casadi as ca

    found = failed_share(constant(1.0, "1"), constant(3.0, "1"))
    return float(ca.DM(found.expression)), 0.5, 1e-7
