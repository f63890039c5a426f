"""Ceilings on what a dose can do: radicals of water, dose and light of particles, the ratio of doses they explain.

    radicals    rho D sum of G                                                    of all radicals that leave their track
    added dose  N g D         N all particles given, per cell and inside; g what one of them adds to the nucleus
    ratio       d / D,        alpha d + beta d^2 = alpha r D + beta (r D)^2 + beta s D,    r = 1 + N g
    product     E Y           E energy in the particles, Y all of their light turned into product

Oxygen, phases and repair change both sides of the ratio alike and are left out; s is the mean square dose of single
events in the nucleus per dose of the beam.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.budgets.line import Budget

if TYPE_CHECKING:
    from nanotrial.particle.fluid import Cohort
    from nanotrial.places import BuiltArm
    from nanotrial.places.dish_parts import Dish

AVOGADRO = 6.02214076e23
DENSITY = 1000.0
MICRO = 1e-3  # umol/L in mol/m^3
RADICALS = ("OH", "e_aq", "H")
YIELDS = "water_25c.yields"
# Below this ratio nobody can tell an enhancement from none.
NOTHING_SEEN = 1.05


def given_dose(built: BuiltArm) -> float:
    """Return the dose to water (Gy) of all irradiations of an arm."""
    parameters, i, total = built.network.parameters, 0, 0.0
    while f"irradiation.{i}.absorbed_dose" in parameters:
        total += parameters[f"irradiation.{i}.absorbed_dose"].value
        i += 1
    return total


def equal_effect(alpha: float, beta: float, lesions: float) -> float:
    """Return the acute dose (Gy) with so many lethal lesions: alpha d + beta d^2."""
    if beta <= 0.0:
        return lesions / alpha if alpha > 0.0 else 0.0
    return (math.sqrt(alpha * alpha + 4.0 * beta * lesions) - alpha) / (2.0 * beta)


def dish_radiation(built: BuiltArm, cells: float) -> list[Budget]:
    """Return what the doses of an arm can do to a cell.

    Arguments:
        built: the arm.
        cells: seeded cells.
    """
    dish, dose = built.dish, given_dose(built)
    if dish is None or dose <= 0.0:
        return []
    radicals, thiols = _radicals(built, dose), dish.line.glutathione.si / MICRO
    meaning = f"hydroxyl, electrons and hydrogen atoms; against glutathione: {radicals / thiols:.2g} of it at most"
    rows = [Budget("radicals that the dose makes in a cell", radicals, "umol/L", thiols, meaning)]
    if not dish.medium.cohorts:
        return rows
    volume = dish.subject.volume / cells
    inside = {c.key: _particles(c) * volume for c in dish.medium.cohorts}
    rows += _events(built, dish, inside, dose)
    return rows + _products_in_lysosomes(built, dish, volume, dose)


def _events(built: BuiltArm, dish: Dish, inside: dict[str, float], dose: float) -> list[Budget]:
    """Return events, added dose and the ratio of doses with so many particles in a cell."""
    events = added = spikes = 0.0
    for cohort in dish.medium.cohorts:
        number, particle = inside[cohort.key], cohort.particle
        share = particle.organelle_share if particle.organelle else 0.0
        events += number * _value(built, f"{particle.name}.gain.event_rate") * dose
        for place, part in ((particle.organelle or "lysosome", share), ("lysosome", 1.0 - share)):
            added += number * part * _value(built, f"{particle.name}.gain.{place}.nucleus")
            spikes += number * part * _value(built, f"{particle.name}.gain.{place}.spikes")
    line = f"{dish.subject.cells}.radiosensitivity"
    alpha, beta = _value(built, f"{line}.alpha"), _value(built, f"{line}.beta")
    felt = (1.0 + added) * dose
    ratio = equal_effect(alpha, beta, alpha * felt + beta * (felt**2 + spikes * dose)) / dose
    many = f"all {sum(inside.values()):.3g} particles per cell inside"
    return [
        Budget(
            "ionising events in particles per cell, if all were inside", events, "1", 1.0,
            f"{many}; below one most cells never meet any", events < 1.0,
        ),
        Budget(
            "dose that particles add to the nucleus, if all were inside", added * dose, "Gy", dose,
            f"{many}; against the dose of the beam", added < 1.0,
        ),
        Budget(
            "enhancement ratio that dose explains, if all particles were inside", ratio, "1", NOTHING_SEEN,
            "what is seen beyond it has another cause than dose to DNA", ratio < NOTHING_SEEN,
        ),
    ]  # fmt: skip


def _products_in_lysosomes(built: BuiltArm, dish: Dish, volume: float, dose: float) -> list[Budget]:
    """Return what all light of all particles could make, per volume of the lysosomes of a cell."""
    cells = dish.cells[0]
    assert cells.vesicles is not None
    assert cells.beam is not None
    lysosomes = dish.line.volume.si * cells.vesicles.sheet.lysosome_volume_share.si
    tolerance = cells.beam.repair.sheet.oxidant_tolerance.si / MICRO
    rows = []
    for product, made in _light(built, dose).items():
        most = made * volume / lysosomes / MICRO
        meaning = "all light of all particles per cell; against what lysosomes bear"
        rows.append(
            Budget(f"{_plain(product)} in lysosomes at most", most, "umol/L", tolerance, meaning, most < tolerance)
        )
    return rows


def tube_radiation(built: BuiltArm) -> list[Budget]:
    """Return what the doses of an arm can make in its tube.

    Arguments:
        built: the arm.
    """
    tube, dose = built.tube, given_dose(built)
    if tube.beam is None or dose <= 0.0:
        return []
    radicals = _radicals(built, dose)
    meaning = "hydroxyl, electrons and hydrogen atoms of water, before anything takes them"
    rows = [Budget("radicals that the dose makes of water", radicals, "umol/L", meaning=meaning)]
    for cohort in tube.cohorts:
        law, energy = cohort.material.carriers, _energy(built, cohort, dose)
        if law is not None:
            free = energy / (law.energy_per_pair.si * AVOGADRO) * law.surface_share.si / MICRO
            text = f"carriers that reach the surface of {_label(cohort)}"
            rows.append(Budget(text, free, "umol/L", radicals, "against the radicals of the water", free < radicals))
        if cohort.particle.bonds is not None:
            there = _mass(cohort) * cohort.particle.bonds.content / MICRO
            text = f"bonds of {_label(cohort)} that radicals could cut"
            meaning = f"one for each radical; against all there are: {min(radicals / there, 1.0):.2g} of them"
            rows.append(Budget(text, min(radicals, there), "umol/L", there, meaning, radicals < there))
    for product, made in _light(built, dose).items():
        rows.append(
            Budget(f"{_plain(product)} at most", made / MICRO, "umol/L", meaning="from all light of all particles")
        )
    return rows


def _value(built: BuiltArm, name: str) -> float:
    return float(built.network.parameters[name].value)


def _radicals(built: BuiltArm, dose: float) -> float:
    """Return all radicals of water (umol/L)."""
    return sum(_value(built, f"{YIELDS}.{radical}") for radical in RADICALS) * DENSITY * dose / MICRO


def _mass(cohort: Cohort) -> float:
    """Return the mass of core given (kg/m^3)."""
    return float(cohort.addition.amount * cohort.material.molar_mass.si)


def _particles(cohort: Cohort) -> float:
    """Return particles given per volume (1/m^3)."""
    radii, shares = cohort.classes.radii, cohort.classes.mole_shares
    each = cohort.material.density.si * 4.0 / 3.0 * np.pi * radii**3 * cohort.particle.shape_volume
    return float(_mass(cohort) * np.sum(shares / each))


def _energy(built: BuiltArm, cohort: Cohort, dose: float) -> float:
    """Return the energy that the cores given take up (J/m^3)."""
    return _mass(cohort) * dose * _value(built, f"{cohort.particle.name}.dose_ratio")


def _light(built: BuiltArm, dose: float) -> dict[str, float]:
    """Return product -> amount (mol/m^3 of fluid) that all light of all particles could make."""
    found: dict[str, float] = {}
    beam = built.fluid.beam
    assert beam is not None
    for cohort in built.fluid.cohorts:
        light, chain = cohort.particle.light, beam.chains.get(cohort.particle.name)
        if light is None or chain is None:
            continue
        photons = _energy(built, cohort, dose) * _value(built, f"{light.scintillator}.light_yield")
        made = photons * _value(built, f"{light.acceptor}.product_yield") / AVOGADRO
        found[chain.product] = found.get(chain.product, 0.0) + made
    return found


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _label(cohort: Cohort) -> str:
    """Return what a line calls a cohort: its particle, with the time where it came later."""
    at = cohort.addition.time
    return cohort.particle.name + (f" given at {at / 3600.0:g} h" if at > 0.0 else "")
