"""Dose where it counts in a cell: the beam's own, and what particles add from where they are.

    D'_target = D' (1 + sum over places N_place g(place, target) + m_medium h)

N_place particles of a cohort at a place of one cell; g is the mean dose that one particle there adds to a target per
dose to water (ionising events per dose times mean dose of an event in the target), from the dose around one particle
averaged over where it can lie. Particles inside lie in lysosomes, but for the share that a study puts at an organelle.
Particles in the medium add h per mass concentration to half of the space around a flat cell. Mean doses are exact for
targets that many electrons cross; single large doses next to a particle are counted in ``spikes`` (mean square dose in
the nucleus per dose). Sources: mcmahon_2011 (local effect of particles), nanotrial.radiation.particles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, maximum, total

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants
    from nanotrial.particle.fluid import Cohort

ID = "cell.irradiation"
TARGETS = ("nucleus", "cytosol", "lysosome", "mitochondrion", "reticulum")


@dataclass(frozen=True)
class Gains:
    """What one particle of a cohort adds: by place and target, dose per dose to water; by place, square dose (Gy).

    ``in_medium`` is dose added per mass of core in a volume of medium (m^3/kg).
    """

    doses: Mapping[str, Mapping[str, Term]]
    spikes: Mapping[str, Term]
    in_medium: Term


@dataclass(frozen=True)
class CellBeam:
    """A beam as cells meet it: dose rate to water, oxygen (Pa), sheets, and what each cohort of the medium adds."""

    dose_rate: Term
    oxygen_pressure: Term
    sensitivity: Constants
    repair: Constants
    gains: Mapping[str, Gains] = field(default_factory=dict)
    sensitisers: Mapping[str, Constants] = field(default_factory=dict)


def applies(cells: Cells) -> bool:
    """Say whether radiation is followed."""
    return cells.beam is not None


def add_states(cells: Cells) -> None:
    """Add the dose to each target so far."""
    for target in ("beam", *TARGETS):
        cells.network.state(cells.name(f"dose.{target}"), "population", "Gy", 1.0)


def add(cells: Cells) -> None:
    """Add the dose rates of the targets, which other mechanisms read from ``cells.fluxes``."""
    beam = cells.beam
    assert beam is not None
    added = {target: constant(0.0, "1") for target in TARGETS}
    spikes = constant(0.0, "Gy")
    for i, free in enumerate(cells.medium.cohorts if cells.medium is not None else []):
        gains = beam.gains.get(free.particle.name)
        if gains is None:
            continue
        for place, count in _counts(cells, i, free).items():
            for target in TARGETS:
                added[target] = added[target] + count * gains.doses[place][target]
            spikes = spikes + count * gains.spikes[place]
        outside = _mass_in_medium(cells, free) * gains.in_medium * 0.5
        added = {target: share + outside for target, share in added.items()}
    plain = cells.name("dose.beam")
    cells.network.process(cells.name("irradiation.beam"), {plain: 1}, beam.dose_rate, "", ID)
    for target in TARGETS:
        rate = beam.dose_rate * (1.0 + added[target])
        cells.fluxes[f"dose.{target}"] = rate
        cells.network.process(cells.name(f"irradiation.{target}"), {cells.name(f"dose.{target}"): 1}, rate, "", ID)
    cells.fluxes["dose.spikes"] = spikes * beam.dose_rate
    cells.fluxes["added_to_nucleus"] = added["nucleus"]
    if "nitric_oxide" in beam.sensitisers:
        # All that was set free counts, as if none were lost: an upper bound, as it diffuses away within seconds.
        fluids = [f for f in (cells.endosome, cells.lysosome) if f is not None]
        freed = total((cells.network[f"{f.name}.nitric_oxide"] for f in fluids), "mol")
        cells.fluxes["nitric_oxide"] = freed / cells.volume


def particles(cells: Cells, cohort: Cohort) -> Term:
    """Return the particles of a cohort per live cell of the class."""
    network, bulk = cells.network, cohort.particle.shape_volume * 4.0 * math.pi / 3.0
    count = constant(0.0, "1")
    for j in range(len(cohort.classes.radii)):
        radius = cohort.radius(network, j)
        each = radius * radius * radius * bulk / cohort.molar_volume(network)
        count = count + maximum(network[cohort.core_name(j)], constant(0.0, "mol")) / each
    return count / cells.held


def _counts(cells: Cells, i: int, free: Cohort) -> dict[str, Term]:
    """Return particles per cell by place: on the membrane, in lysosomes, at the organelle that the study names."""
    if not cells.bound:
        return {}
    assert cells.endosome is not None
    assert cells.lysosome is not None
    inside = particles(cells, cells.endosome.cohorts[i]) + particles(cells, cells.lysosome.cohorts[i])
    counts = {"membrane": particles(cells, cells.bound[i]), "lysosome": inside}
    if free.particle.organelle and free.particle.organelle != "lysosome":
        key = f"{free.parameter_key}.organelle_share"
        share = cells.network.parameter(key, free.particle.organelle_share, "1")
        counts["lysosome"] = inside * (1.0 - share)
        counts[free.particle.organelle] = inside * share
    return counts


def _mass_in_medium(cells: Cells, free: Cohort) -> Term:
    """Return the mass of core in a volume of medium (kg/m^3)."""
    network, medium = cells.network, cells.medium
    assert medium is not None
    moles = total((network[free.core_name(j)] for j in range(len(free.classes.radii))), "mol")
    mass = network.parameter(f"{free.material_id}.molar_mass", free.material.molar_mass, "kg/mol")
    return maximum(moles, constant(0.0, "mol")) * mass / medium.volume


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): 1000 particles that add 1e-4 each make 2 Gy of a beam 2.2 Gy."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("beam")
    network.compartment("population", constant(1.0, "m^3"))
    dose = network.state("dose", "population", "Gy", 1.0)
    added = constant(1000.0, "1") * constant(1e-4, "1")
    network.process("irradiation", {"dose": 1}, constant(0.02, "Gy/s") * (1.0 + added))
    network.observe("dose", dose, "Gy")
    return float(simulate_network(network, [100.0])["dose"][0]), 2.2, 1e-6
