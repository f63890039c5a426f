"""A polymer coat: barrier, blocked surface, bound protons, digestion and desorption.

    thickness  d = d_0 m / m_0
    hindrance  D_coat / D = ((1 - phi) / (1 + phi))^2                                  (mackie_1955)
    blocking   share of surface closed = occupied_fraction (1 - exp(-m / (area capacity)))
    digestion  dm/dt = -turnover E bell(pH) S / (K + S)  shared by all polymer, S = polymer per volume
    desorption dm/dt = -k m

Carboxylates of the polymer (bound and free) are acid sites of the solution. Zeta potential and hydrodynamic size are
shown from measurements and never computed. Assumptions: a hydrated coat hinders small ions only by the volume of its
chains; blocking is by the trains that lie on the surface, which ions cannot pass. Sources: mackie_1955, fleer_1993.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, exp, maximum, share, ten_to

if TYPE_CHECKING:
    from nanotrial.catalogue.schema import Coating
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Cohort, Fluid

ID = "particle.coat"


def applies(tube: Fluid) -> bool:
    """Say whether any particle in the tube has a coat."""
    return any(c.coat is not None for c in tube.cohorts)


def hindrance(polymer_volume_fraction: Term) -> Term:
    """Return D in the coat over D in water for a small solute."""
    open_share = (1.0 - polymer_volume_fraction) / (1.0 + polymer_volume_fraction)
    return open_share**2


def blocked_share(tube: Fluid, cohort: Cohort, area: Term) -> Term:
    """Return the share of the core's surface that the coat closes; ``area`` is the current total surface (m^2)."""
    sheet = cohort.coat_sheet
    assert sheet is not None
    capacity = tube.network.parameter(f"{cohort.coat_material}.monolayer_capacity", sheet.monolayer_capacity, "kg/m^2")
    occupied = tube.network.parameter(f"{cohort.coat_material}.occupied_fraction", sheet.occupied_fraction, "1")
    # The tiny area keeps the ratio finite when the core is gone.
    area = maximum(area, constant(0.0, "m^2")) + constant(1e-15, "m^2")
    loading = maximum(tube.network[f"{cohort.key}.coat"], constant(0.0, "kg")) / area
    return occupied * (1.0 - exp(-(loading / capacity)))


def resistance(tube: Fluid, cohort: Cohort, diffusivity: Term) -> Term:
    """Return thickness over diffusivity in the coat (s/m) for a solute; zero without a coat."""
    if cohort.coat is None:
        return constant(0.0, "s/m")
    sheet = cohort.coat_sheet
    assert sheet is not None
    fraction = tube.network.parameter(
        f"{cohort.coat_material}.polymer_volume_fraction", sheet.polymer_volume_fraction, "1"
    )
    thickness = tube.network.parameter(f"{cohort.parameter_key}.coat.thickness", cohort.coat.thickness, "m")
    per_mole = tube.network.parameter(f"{cohort.parameter_key}.coat.mass_per_mole", cohort.coat.mass_per_mole, "kg/mol")
    whole = tube.network[f"{cohort.key}.added"] * per_mole
    left = share(tube.network[f"{cohort.key}.coat"], whole, tube.floor * per_mole)
    return thickness * left / (diffusivity * hindrance(fraction))


def add(tube: Fluid) -> None:
    """Add desorption and digestion of every coat."""
    network = tube.network
    for cohort in tube.cohorts:
        if cohort.coat is None:
            continue
        sheet = cohort.coat_sheet
        assert sheet is not None
        mass = network[f"{cohort.key}.coat"]
        free = f"{tube.name}.free_{cohort.coat_material}"
        rate = network.parameter(f"{cohort.coat_material}.desorption_rate", sheet.desorption_rate, "1/s")
        network.process(
            f"{cohort.key}.desorption", {f"{cohort.key}.coat": -1, free: 1}, rate * mass, "coat -> free polymer", ID
        )
        digestion = _digestion_rate(tube, cohort, sheet)
        if digestion is not None:
            network.process(
                f"{cohort.key}.digestion",
                {f"{cohort.key}.coat": -1, free: 1},
                digestion,
                "coat -> digested polymer",
                ID,
            )


def _digestion_rate(tube: Fluid, cohort: Cohort, sheet: Coating) -> Term | None:
    if sheet.digestion is None or sheet.digestion.enzyme not in tube.enzymes(cohort.coat_material):
        return None
    d, network = sheet.digestion, tube.network
    name = d.enzyme
    turnover = network.parameter(f"{cohort.coat_material}.digestion.turnover", d.turnover, "kg/mol")
    half = network.parameter(f"{cohort.coat_material}.digestion.half_saturation", d.half_saturation, "kg/m^3")
    optimum = network.parameter(f"{cohort.coat_material}.digestion.optimum_ph", d.optimum_ph, "1")
    width = network.parameter(f"{cohort.coat_material}.digestion.ph_width", d.ph_width, "1")
    bell = exp(-(((tube.solution.ph - optimum) / width) ** 2) * 0.5)
    bound = network[f"{cohort.key}.coat"]
    # Free polymer competes for the enzyme; the coat gets its share of the turnover.
    held = (bound + network[f"{tube.name}.free_{cohort.coat_material}"]) / tube.volume
    return turnover * network[f"{tube.name}.{name}"] * bell * (bound / tube.volume) / (half + held)


def carboxylates(network: Network, material: str, sheet: Coating, mass: Term) -> Term:
    """Return the carboxylates (mol) of a mass of polymer."""
    count = network.parameter(f"{material}.carboxylates_per_repeat_unit", sheet.carboxylates_per_repeat_unit, "1")
    unit = network.parameter(f"{material}.repeat_unit_molar_mass", sheet.repeat_unit_molar_mass, "kg/mol")
    return mass * count / unit


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): an open gel does not hinder; phi = 1/3 leaves a quarter."""
    import casadi as ca

    found = hindrance(Term(1.0 / 3.0)).expression
    return float(ca.DM(found)) + float(ca.DM(ten_to(0.0).expression)), 1.25, 1e-12
