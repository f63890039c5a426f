"""Beams of an arm as its network meets them: dose rate, events, doses in and around particles, light they make."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.cell.culture import Constants
from nanotrial.cell.irradiation import CellBeam, Gains
from nanotrial.network.terms import Term, constant
from nanotrial.particle.fluid import WATER_BONDS, Bonds, Chain, Cohort, Field
from nanotrial.radiation.attenuation import coefficients
from nanotrial.radiation.beams import Beam, beam, is_own, own_beam
from nanotrial.radiation.composition import Composition, composition
from nanotrial.solve.events import Event

if TYPE_CHECKING:
    from nanotrial.catalogue.cell_schema import CellLine
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.catalogue.radiation_schema import Radiolysis
    from nanotrial.catalogue.radiobiology_schema import Radiosensitivity
    from nanotrial.fit.overlay import Overlay
    from nanotrial.network.model import Network
    from nanotrial.study import Arm, Irradiation, Study

DOSE_RATE, DOSE = "beam.dose_rate", "beam.absorbed_dose"
AVOGADRO = 6.02214076e23
RADIOLYSIS, REPAIR = "water_25c", "mammalian"


def beam_of(study: Study, arm: Arm) -> Irradiation | None:
    """Return the beam of an arm; where it has none, that of the first arm with one (its dose rate stays nothing)."""
    found = [*arm.irradiations, *(i for other in study.arms for i in other.irradiations)]
    return found[0] if found else None


@lru_cache(maxsize=64)
def _spectrum(name: str, filters: tuple[tuple[str, float], ...]) -> Beam:
    return beam(name, filters=_layers(filters))


def _layers(filters: tuple[tuple[str, float], ...]) -> dict[str, str] | None:
    return {n: f"{t * 1e3:.12g} mm" for n, t in filters} or None


def make_spectrum(chosen: Irradiation, catalogue: Catalogue) -> Beam:
    """Return the spectrum of an irradiation; a beam of one's own catalogue comes before one of the package."""
    if is_own(chosen.beam, catalogue):
        return own_beam(chosen.beam, _layers(chosen.filters), catalogue)
    return _spectrum(chosen.beam, chosen.filters)


def add_beam(network: Network, study: Study, arm: Arm, cohorts: list[Cohort], values: Overlay) -> Field:
    """Add the dose rate of the beam, nothing until an event turns it on, and return the field it makes."""
    network.compartment("beam", constant(1.0, "m^3"))
    rate = network.state(DOSE_RATE, "beam", "Gy/s", 0.01)
    network.state(DOSE, "beam", "Gy", 1.0)
    # Peroxide that radiation makes of water: drawn from here, so that its O-O bonds stay counted.
    network.state(WATER_BONDS, "beam", scale=1e-9, content={"peroxide": 1.0}, may_be_negative=True)
    network.process("beam.exposure", {DOSE: 1}, rate, "", "beam")
    network.observe("absorbed_dose", network[DOSE], "Gy", "dose to water so far")
    catalogue, chosen = study.catalogue, beam_of(study, arm)
    sheet = values.apply("radiolysis", RADIOLYSIS, catalogue.load("radiolysis", RADIOLYSIS))
    keys = ("OH", "hydrogen_peroxide", "e_aq", "H")
    made = {k: network.parameter(f"{RADIOLYSIS}.yields.{k}", sheet.yields[k], "mol/J") for k in keys}
    ratios: dict[str, Term] = {}
    chains: dict[str, Chain] = {}
    bonds: dict[str, Bonds] = {}
    for cohort in cohorts:
        name = cohort.particle.name
        ratio = 1.0 if chosen is None else dose_ratio(substance_of(cohort), make_spectrum(chosen, catalogue))
        ratios[name] = network.parameter(f"{name}.dose_ratio", ratio, "1")
        if cohort.particle.light is not None and name not in chains:
            chains[name] = _chain(network, cohort, catalogue, values)
        if cohort.particle.bonds is not None and study.place == "tube":
            bonds[name] = _bonds(network, cohort, sheet)
    return Field(rate, made, _electron_rates(network, sheet), ratios, chains, bonds)


def _electron_rates(network: Network, sheet: Radiolysis) -> dict[str, Term]:
    """Return how fast hydrated electrons react with what they meet in air-saturated water with peroxide."""
    from nanotrial.radiation.radicals import rate_between

    rates = {n: rate_between(sheet, "e_aq", n) for n in ("oxygen", "hydrogen_peroxide")}
    return {n: network.parameter(f"{RADIOLYSIS}.e_aq.{n}", k, "m^3/mol/s") for n, k in rates.items()}


def substance_of(cohort: Cohort) -> Composition:
    """Return elements and density (g/cm^3) of a core, from its sheet: it may stand in a catalogue of the user."""
    sheet = cohort.material
    return Composition(cohort.material_id, composition(sheet.formula).fractions, sheet.density.si / 1000.0)


def dose_ratio(material: Composition, spectrum: Beam) -> float:
    """Return the dose to a solid over that to water under a spectrum: mass energy absorption, electrons that stay."""
    weight = spectrum.fluence * spectrum.energies
    solid = coefficients(material, spectrum.energies).absorption
    water = coefficients(composition("water"), spectrum.energies).absorption
    return float(np.sum(weight * solid) / np.sum(weight * water))


def _chain(network: Network, cohort: Cohort, catalogue: Catalogue, values: Overlay) -> Chain:
    """Return what a joule in a particle makes by way of light: photons, transfer to the acceptor, product."""
    from nanotrial.radiation.light_transfer import transfer_efficiency

    light, name = cohort.particle.light, cohort.particle.name
    assert light is not None
    source = values.apply("scintillators", light.scintillator, catalogue.load("scintillators", light.scintillator))
    acceptor = values.apply("photosensitisers", light.acceptor, catalogue.load("photosensitisers", light.acceptor))
    moved = transfer_efficiency(source, acceptor, light.acceptor_fraction, light.distance, cohort.particle.diameter)
    photons = network.parameter(f"{light.scintillator}.light_yield", source.light_yield, "1/J")
    passed = network.parameter(f"{name}.transfer_efficiency", moved, "1")
    product = network.parameter(f"{light.acceptor}.product_yield", acceptor.product_yield, "1")
    return Chain(acceptor.product, photons * passed * product / constant(AVOGADRO, "1/mol"))


def _bonds(network: Network, cohort: Cohort, sheet: Radiolysis) -> Bonds:
    """Return the bonds of a particle with the rates at which electrons and hydrogen atoms find them and oxygen."""
    from nanotrial.radiation.bond_cutting import BONDS
    from nanotrial.radiation.radicals import rate_between

    choice, name = cohort.particle.bonds, cohort.particle.name
    assert choice is not None
    rates = {r: rate_between(sheet, r, BONDS[choice.kind]) for r in ("e_aq", "H")}
    rates = {radical: rate for radical, rate in rates.items() if rate > 0.0}
    oxygen = {r: rate_between(sheet, r, "oxygen") for r in rates}
    return Bonds(
        network.parameter(f"{name}.bonds.content", choice.content, "mol/kg"),
        {r: network.parameter(f"{name}.bonds.{r}", k, "m^3/mol/s") for r, k in rates.items()},
        {r: network.parameter(f"{RADIOLYSIS}.{r}.oxygen", k, "m^3/mol/s") for r, k in oxygen.items()},
    )


def beam_events(network: Network, arm: Arm) -> list[Event]:
    """Return the events that turn the beam of an arm on and off."""
    events = []
    for i, one in enumerate(arm.irradiations):
        dose = network.parameter(f"irradiation.{i}.absorbed_dose", one.absorbed_dose, "Gy")
        # The time that the dose takes stands fixed, so a changed dose changes its rate.
        rate = dose / constant(one.end - one.time, "s")
        events.append(Event(one.time, {DOSE_RATE: rate}, f"beam on ({one.beam})"))
        events.append(Event(one.end, {DOSE_RATE: constant(0.0, "Gy/s")}, "beam off"))
    return events


def cell_beam(
    network: Network, study: Study, arm: Arm, line_id: str, field: Field, oxygen: Term, cohorts: list[Cohort],
    values: Overlay,
) -> CellBeam:  # fmt: skip
    """Return the beam as cells of a line meet it.

    Arguments:
        network: the network of the dish.
        study, arm: what is given.
        line_id: the cell line; it needs a sheet of its radiosensitivity.
        field: the beam in the medium.
        oxygen: pressure of oxygen at the cells (Pa).
        cohorts: particles of the medium.
        values: fitted values in place of the sheets' own.
    """
    catalogue = study.catalogue
    sensitivity = values.apply("radiosensitivity", line_id, catalogue.load("radiosensitivity", line_id))
    repair = values.apply("damage_and_repair", REPAIR, catalogue.load("damage_and_repair", REPAIR))
    line, chosen = catalogue.load("cells", line_id), beam_of(study, arm)
    gains: dict[str, Gains] = {}
    for cohort in cohorts:
        if chosen is not None and cohort.particle.name not in gains:
            gains[cohort.particle.name] = _gains(network, cohort, make_spectrum(chosen, catalogue), line, sensitivity)
    given = {a.name: catalogue.load("agents", a.name) for a in arm.additions if a.kind == "agent"}
    named = {n: a.sensitiser for n, a in given.items() if a.kind == "sensitiser"}
    if any(chain.product == "nitric_oxide" for chain in field.chains.values()):
        named["nitric_oxide"] = "nitric_oxide"
    sheets = {n: Constants(network, s, catalogue.load("sensitisers", s)) for n, s in named.items()}
    return CellBeam(
        dose_rate=field.dose_rate,
        oxygen_pressure=oxygen,
        sensitivity=Constants(network, f"{line_id}.radiosensitivity", sensitivity),
        repair=Constants(network, REPAIR, repair),
        gains=gains,
        sensitisers=sheets,
    )


def _gains(network: Network, cohort: Cohort, spectrum: Beam, line: CellLine, sensitivity: Radiosensitivity) -> Gains:
    """Return what one particle of a cohort adds at each place of a cell, as parameters."""
    from nanotrial.cell.local_effect import CellGeometry, gains_of_particle
    from nanotrial.radiation.particles import particle_dose

    particle = cohort.particle
    around = particle_dose(
        substance_of(cohort), f"{particle.diameter * 1e9:.12g} nm", spectrum, method="analytic", shape=particle.shape
    )
    found = gains_of_particle(around, CellGeometry.of_sheets(line, sensitivity))

    def named(key: str, number: float, unit: str) -> Term:
        return network.parameter(f"{particle.name}.gain.{key}", number, unit)

    doses = {p: {t: named(f"{p}.{t}", g, "1") for t, g in row.items()} for p, row in found.doses.items()}
    spikes = {p: named(f"{p}.spikes", g, "Gy") for p, g in found.spikes.items()}
    # Budgets hold the number of events in a cell against one.
    named("event_rate", around.event_rate, "1/Gy")
    ratio = dose_ratio(substance_of(cohort), spectrum)
    return Gains(doses, spikes, named("medium", (ratio - 1.0) / 1000.0, "m^3/kg"))
