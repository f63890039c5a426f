"""What tube and dish share about particles: cohorts from additions, their states, the acids of their coats, gases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nanotrial.fit.overlay import Overlay
from nanotrial.medium import gases
from nanotrial.medium.constants import PEROXIDE_UNITS, debye_slope, van_t_hoff
from nanotrial.medium.speciation import Site
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, ten_to
from nanotrial.particle import coat
from nanotrial.particle.fluid import Cohort
from nanotrial.particle.population import coat_geometry, size_classes
from nanotrial.study import Addition, Arm, Study

if TYPE_CHECKING:
    from nanotrial.values import Value


def cohorts_of(study: Study, arm: Arm, values: Overlay) -> list[Cohort]:
    """Return one cohort per addition of particles, with fitted values in place of the sheets' own."""
    return [_cohort(study, a, i, values) for i, a in enumerate(arm.additions) if a.kind == "particle"]


def _cohort(study: Study, addition: Addition, index: int, values: Overlay) -> Cohort:
    particle = study.particles[addition.name]
    material = values.apply("materials", particle.core, study.catalogue.load("materials", particle.core))
    classes = size_classes(particle.diameter, particle.geometric_sd, particle.size_classes)
    key = f"particles.{index}.{particle.name}"
    if not particle.coating:
        return Cohort(key, particle, material, particle.core, classes, addition)
    name = particle.coating[0].material
    sheet = values.apply("coatings", name, study.catalogue.load("coatings", name))
    geometry = coat_geometry(particle, material, sheet, classes)
    return Cohort(key, particle, material, particle.core, classes, addition, geometry, sheet, name)


def add_particle_states(network: Network, place: str, cohorts: list[Cohort], scale: float, removed: set[str]) -> None:
    """Add core, coat and amount given of every cohort in a compartment; ``removed`` names what leaves later."""
    for cohort in cohorts:
        content: dict[str, float] = {}
        for solute, count in cohort.material.products.items():
            for kind, held in PEROXIDE_UNITS.get(solute, {solute: 1.0}).items():
                content[kind] = content.get(kind, 0.0) + held * count
        for j in range(len(cohort.classes.radii)):
            network.state(cohort.core_name(j), place, scale=scale, content=content)
        network.state(f"{cohort.key}.added", place, scale=scale)
        if cohort.particle.name in removed:
            network.state(f"{cohort.key}.taken_out", "outside", scale=scale, content=content)
            network.state(f"{cohort.key}.taken_out_added", "outside", scale=scale)
        if cohort.coat is not None:
            polymer = {cohort.coat_material: 1.0}
            free = f"{place}.free_{cohort.coat_material}"
            if free not in network.species:
                network.state(free, place, "kg", scale=scale * 0.1, content=polymer)
            network.state(f"{cohort.key}.coat", place, "kg", scale=scale * 0.1, content=polymer)


def coat_sites(network: Network, place: str, cohorts: list[Cohort]) -> list[Site]:
    """Return the carboxylates of all coats, bound and free, as weak acids of a solution."""
    sites = []
    for name in dict.fromkeys(c.coat_material for c in cohorts if c.coat is not None):
        members = [c for c in cohorts if c.coat_material == name]
        sheet = members[0].coat_sheet
        assert sheet is not None
        mass = network[f"{place}.free_{name}"]
        for cohort in members:
            mass = mass + network[f"{cohort.key}.coat"]
        pka = network.parameter(f"{name}.carboxylate_pka", sheet.carboxylate_pka, "1")
        sites.append(Site(name, coat.carboxylates(network, name, sheet, mass), pka))
    return sites


def dissolved_gas(
    network: Network,
    name: str,
    sheet: Any,
    fraction: float | Value,
    ph: Term,
    temperature: float,
    strength: float = -1.0,
) -> Term:
    """Return the total of a gas (mol/m^3), all forms, in a solution of a pH that has seen a fraction of it.

    Arguments:
        network: the network.
        name: component.
        sheet: its sheet.
        fraction: share of the gas.
        ph: pH of the solution.
        temperature: K.
        strength: ionic strength (mol/L); below zero the constants are taken at 25 degC and no strength.
    """
    resting = gases.saturation(network, name, sheet.gas, fraction, temperature)
    own = next((s for s in sheet.species if s.name == sheet.gas.species), None)
    if own is None:
        return resting
    ratio = constant(1.0, "1")
    forms = [s for s in sheet.species if set(s.components) == {name} and s.name != own.name]
    for log_k, protons in [(0.0, 0), *((_log_k(s, temperature, strength), s.protons) for s in forms)]:
        charge = sheet.charge + protons
        step = _log_gamma(charge, temperature, strength) if strength >= 0 else 0.0
        ratio = ratio + ten_to(log_k - step - _log_k(own, temperature, strength) + (own.protons - protons) * ph)
    return resting * ratio


def _log_k(form: Any, temperature: float, strength: float) -> float:
    """Return log K of a form, at the temperature where a strength is given."""
    heat = form.enthalpy.si if form.enthalpy is not None and strength >= 0 else 0.0
    return float(form.log_k.value) + van_t_hoff(heat, temperature)


def _log_gamma(charge: int, temperature: float, strength: float) -> float:
    """Return the Davies log10 activity coefficient at an ionic strength (mol/L)."""
    root = math.sqrt(strength)
    return -debye_slope(temperature) * charge**2 * (root / (1.0 + root) - 0.3 * strength)
