"""How particles reach cells and go inside: sinking and diffusion, sticking, endocytosis, endosome, lysosome, back out.

    arrival   k = v/L + pi^2 D / (4 L^2)        v = d^2 (rho_p - rho_w) g / (18 eta),  D = k_B T / (3 pi eta d)
    bound     arrival * covered share * sticking share
    inside    bound -> early endosome at k_i; medium -> early endosome at swallowed volume * live cells / medium
    endosome  -> lysosome at k_m, -> medium at k_r;  lysosome -> medium at k_x

k is exact for sinking in stirred medium (in still medium v t / L arrives until all has) and, after the first transient,
for diffusion alone to a bottom that keeps what arrives.
d is the hydrodynamic diameter, rho_p the density of the particle in its hydrated coat; agglomerates are what the user
gives as hydrodynamic diameter. Moves carry core, coat and what was given alike, so the share left is kept. Assumptions:
still medium, a bottom that keeps nothing where no cell is. Sources: hinderliter_2010 (sedimentation and diffusion in
wells), in the sheets of the line.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from nanotrial.cell.culture import LEAST_SHARE
from nanotrial.medium.constants import water_viscosity
from nanotrial.network.terms import Term, constant, minimum
from nanotrial.particle import coat, dissolution, radiation_products

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Cohort

ID = "cell.uptake"
BOLTZMANN, GRAVITY, WATER_DENSITY = 1.380649e-23, 9.80665, 993.0


def applies(cells: Cells) -> bool:
    """Say whether the cells meet particles."""
    return cells.medium is not None and bool(cells.bound)


def add(cells: Cells) -> None:
    """Add the ways of every cohort, and what particles bound to the membrane do in the medium."""
    network, medium, sheet, uptake = cells.network, cells.medium, cells.vesicles, cells.line.part("uptake")
    assert medium is not None
    assert sheet is not None
    assert uptake is not None
    assert cells.endosome is not None
    assert cells.lysosome is not None
    assert cells.bottom is not None
    for i, free in enumerate(medium.cohorts):
        bound, early, late = cells.bound[i], cells.endosome.cohorts[i], cells.lysosome.cohorts[i]
        key = cells.name(f"uptake.{i}")
        arrival = arrival_rate(*_size(network, free), medium.volume / cells.bottom, medium.temperature)
        move(network, f"{key}.sticks", free, bound, sticking(cells, arrival, cells.bottom))
        move(network, f"{key}.swallowed", free, early, swallowed(cells, medium.volume))
        move(network, f"{key}.internalised", bound, early, uptake("internalisation", "1/s"))
        move(network, f"{key}.recycled", early, free, uptake("recycling", "1/s"))
        move(network, f"{key}.matures", early, late, sheet("maturation", "1/s"))
        move(network, f"{key}.exocytosed", late, free, sheet("exocytosis", "1/s"))
        if "hazard" in cells.fluxes:
            move(network, f"{key}.detached", bound, free, cells.fluxes["hazard"])
    on_membrane = replace(medium, cohorts=cells.bound, agents=dict(medium.agents))
    dissolution.add(on_membrane)
    if coat.applies(on_membrane):
        coat.add(on_membrane)
    if radiation_products.applies(on_membrane):
        radiation_products.add_particles(on_membrane)


def _size(network: Network, cohort: Cohort) -> tuple[Term, Term]:
    """Return hydrodynamic diameter (m) and effective density (kg/m^3) of a cohort."""
    particle, key = cohort.particle, cohort.parameter_key
    thickness = cohort.coat.thickness if cohort.coat is not None else 0.0
    whole = particle.hydrodynamic_diameter or particle.diameter + 2.0 * thickness
    diameter = network.parameter(f"{key}.hydrodynamic_diameter", whole, "m")
    if particle.effective_density is not None:
        return diameter, network.parameter(f"{key}.effective_density", particle.effective_density, "kg/m^3")
    core = network.parameter(f"{key}.diameter", particle.diameter, "m")
    density = network.parameter(f"{cohort.material_id}.density", cohort.material.density, "kg/m^3")
    over = (density - constant(WATER_DENSITY, "kg/m^3")) * minimum(core / diameter, constant(1.0, "1")) ** 3
    return diameter, over + constant(WATER_DENSITY, "kg/m^3")


def arrival_rate(diameter: Term, density: Term, depth: Term, temperature: float) -> Term:
    """Return the rate (1/s) at which suspended particles arrive at the bottom.

    Arguments:
        diameter: hydrodynamic diameter (m).
        density: effective density of the particle with its water (kg/m^3).
        depth: height of the medium (m).
        temperature: K.
    """
    eta = constant(water_viscosity(temperature), "Pa*s")
    over = density - constant(WATER_DENSITY, "kg/m^3")
    sinking = diameter**2 * over * constant(GRAVITY, "m/s^2") / (eta * 18.0)
    diffusivity = constant(BOLTZMANN * temperature, "J") / (eta * diameter * (3.0 * math.pi))
    return sinking / depth + diffusivity * (math.pi**2 / 4.0) / depth**2


def move(network: Network, name: str, source: Cohort, target: Cohort, rate: Term, mechanism: str = ID) -> None:
    """Add the move of a cohort from one place to another at a first-order rate (1/s): core, coat and amount given."""
    pairs = [(source.core_name(j), target.core_name(j)) for j in range(len(source.classes.radii))]
    pairs.append((f"{source.key}.added", f"{target.key}.added"))
    if source.coat is not None:
        pairs.append((f"{source.key}.coat", f"{target.key}.coat"))
    for i, (here, there) in enumerate(pairs):
        network.process(f"{name}.{i}", {here: -1, there: 1}, rate * network[here], "", mechanism)


def swallowed(cells: Cells, volume: Term) -> Term:
    """Return the rate (1/s) at which the medium passes into cells as fluid."""
    uptake = cells.line.part("uptake")
    assert uptake is not None
    return uptake("fluid_phase", "m^3/s") * cells.live / volume


def sticking(cells: Cells, arrival: Term, area: Term) -> Term:
    """Return the rate (1/s) at which suspended particles come to stick to cells, which cover at most the bottom."""
    uptake = cells.line.part("uptake")
    assert uptake is not None
    # Classes share the bottom: together they cover no more than all of it.
    crowd = cells.population if cells.population is not None else cells.live
    all_of_it = cells.line("footprint", "m^2") * crowd / area
    covered = minimum(all_of_it, constant(1.0, "1")) * (cells.live / (crowd + cells.seeded * LEAST_SHARE))
    return arrival * covered * uptake("sticking_share", "1")


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): gold of 100 nm sinks through 1 mm of water at 37 degC as Stokes says."""
    import casadi as ca

    metre, density = constant(1.0, "m"), constant(19300.0, "kg/m^3")
    found = arrival_rate(metre * 1e-7, density, metre * 1e-3, 310.15)
    eta = water_viscosity(310.15)
    sinking = 1e-14 * (19300.0 - WATER_DENSITY) * GRAVITY / (18 * eta) / 1e-3
    spreading = math.pi**2 / 4 * BOLTZMANN * 310.15 / (3 * math.pi * eta * 1e-7) / 1e-6
    return float(ca.DM(found.expression)), sinking + spreading, 1e-12
