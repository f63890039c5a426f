"""Minerals that form when the solution is supersaturated, and dissolve again when it is not.

With ``relaxation_rate`` a phase approaches saturation at first order, a ceiling on dissolved ions without delay:

    rate = k V (c_eq scale) (Omega^(1/nu) - 1)   while Omega > 1 (forming), or while solid is there (dissolving)
    Omega = IAP / K

With ``nucleation`` and ``growth`` it forms as crystals do (``crystals``, ``nucleation``, ``growth``): births

    J = A V exp(-barrier) + sum over surfaces A_s area ready (1 - cover) exp(-barrier f(theta))

In dissolution at a rate L (1/s) the population keeps its shape until it is of the size r0 of nuclei, then vanishes:

    dn = -L n ;  dQ = -L (2 + h) Q / 3 ;  dR = -L (1 + 2 h) R / 3 ;  dN = -L h N ;  h = (r0 / (r + r0))^3

A phase may turn into the next of Ostwald's rule, crystals along with their amount; components that the product does
not take go back to the solution, protons follow from electroneutrality. A phase with neither is only watched. The
phases come from ``catalogue/phases``. Assumption: relaxation_rate is assumed and wide. Validity: see ``crystals``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium import growth
from nanotrial.medium.constants import equilibrium_constant
from nanotrial.medium.crystals import (
    NUCLEUS_VOLUME,
    add_states,
    content_of,
    cover,
    crystal_amount,
    deposits,
    forms,
    formula_volume,
    open_share,
    phase_amount,
    population,
    solid_content,
    solid_volume,
    state_names,
)
from nanotrial.medium.nucleation import nucleation_factor, phase_barrier, wetting
from nanotrial.medium.saturation import (
    all_ions,
    ion_count,
    log_ratio,
    per_ion,
    phase_ratio,
    saturation_index,
    saturation_ratio,
)
from nanotrial.network.terms import Term, constant, maximum, minimum, power

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase
    from nanotrial.medium.crystals import Population
    from nanotrial.particle.fluid import Fluid

__all__ = [
    "ID",
    "add",
    "add_states",
    "applies",
    "cover",
    "crystal_amount",
    "exact_case",
    "ion_count",
    "saturation_ratio",
    "solid_content",
    "solid_volume",
    "state_names",
]
ID = "medium.minerals"
_TINY = 1e-6
_MOMENTS = ("crystals", "radii", "squares")


def applies(tube: Fluid) -> bool:
    """Say whether any phase of the catalogue can form from the components at hand."""
    return bool(tube.phases)


def add(tube: Fluid) -> None:
    """Add what every phase of a fluid does, and its readings; states of crystals that are there already are used."""
    for identifier, phase in tube.phases.items():
        if phase.relaxation_rate is not None:
            _add_relaxing(tube, identifier, phase)
    add_states(tube)
    for identifier, phase in tube.phases.items():
        omega = phase_ratio(tube, identifier)
        tube.network.observe(_label(tube, f"{identifier}.saturation_index"), saturation_index(omega), "1")
        if forms(phase):
            for deposit in deposits(tube, identifier):
                _add_crystals(tube, identifier, deposit)
                _add_transformations(tube, identifier, deposit)
        if forms(phase):
            held = phase_amount(tube, identifier) / tube.volume
            tube.network.observe(_label(tube, f"{identifier}.solid"), held, "mmol/L", f"{phase.name}, all of it")


def _label(tube: Fluid, text: str) -> str:
    """Return the name of a reading or process: with the name of the fluid, unless that is the tube."""
    return text if tube.name == "tube" else f"{tube.name}.{text}"


def _ratio_per_ion(tube: Fluid, identifier: str) -> Term:
    return per_ion(phase_ratio(tube, identifier), all_ions(tube.phases[identifier].ion_product))


def _births(tube: Fluid, one: Population, ratio: Term) -> Term:
    """Return how many crystals of a population begin per second: in the bulk, and on each surface of its deposit."""
    network, phase = tube.network, tube.phases[one.phase]
    assert phase.nucleation is not None
    strength = phase_barrier(network, one.phase, phase, formula_volume(tube, one.phase), tube.temperature)
    logarithm = log_ratio(ratio, all_ions(phase.ion_product))
    births, key = constant(0.0, "1/s"), f"phase.{one.phase}"
    if not one.deposit:
        prefactor = network.parameter(f"{key}.prefactor", phase.nucleation.prefactor, "1/m^3/s")
        births = births + prefactor * nucleation_factor(strength, logarithm) * tube.volume
    surfaces = [s for s in tube.surfaces if s.deposit == one.deposit]
    if surfaces:
        prefactor = network.parameter(f"{key}.surface_prefactor", phase.nucleation.surface_prefactor, "1/m^2/s")
        bare = 1.0 - cover(tube, one.deposit)
        for surface in surfaces:
            factor = nucleation_factor(strength * wetting(surface.contact_angle), logarithm)
            births = births + prefactor * factor * surface.area * surface.ready * bare
    return births * growth.inhibition(tube, one.phase, "nucleation")


def _add_crystals(tube: Fluid, identifier: str, deposit: str) -> None:
    """Add nucleation, growth and dissolution of one population."""
    network, phase = tube.network, tube.phases[identifier]
    one, ratio = population(tube, identifier, deposit), _ratio_per_ion(tube, identifier)
    births, share = _births(tube, one, ratio), open_share(tube, deposit)
    flux = growth.growth_flux(tube, identifier, ratio, one.radius) * share
    speed = flux * one.molar_volume
    loss, end = growth.dissolution_rate(tube, one, ratio) * share, one.nucleus_share**3
    first = constant(one.nucleus_radius, "m")
    stoichiometry = {one.names[0]: 1.0}
    stoichiometry.update({f"{tube.name}.{s}": -float(n) for s, n in phase.products.items()})
    nuclei = births * constant(NUCLEUS_VOLUME, "m^3") / one.molar_volume
    changes = (
        flux * one.free_area + nuclei - loss * one.amount,
        births - loss * end * one.number,
        speed * one.number + births * first - loss * (1.0 + 2.0 * end) * one.radii * (1.0 / 3.0),
        speed * one.radii * 2.0 + births * first * first - loss * (2.0 + end) * one.squares * (1.0 / 3.0),
    )
    name = f"{tube.name}.mineral.{identifier}" + (f".on_{deposit}" if deposit else "")
    network.process(name, stoichiometry, changes[0], f"ions <-> {phase.formula}(s)", ID)
    for state, change, what in zip(one.names[1:], changes[1:], _MOMENTS, strict=True):
        network.process(f"{name}.{what}", {state: 1.0}, change, f"{what} of {phase.name}", ID)


def _add_transformations(tube: Fluid, identifier: str, deposit: str) -> None:
    """Add the steps by which one population turns into other phases of the fluid."""
    network, phase = tube.network, tube.phases[identifier]
    one = population(tube, identifier, deposit)
    for step in phase.transforms:
        product = tube.phases.get(step.name)
        if product is None or not forms(product) or deposit not in deposits(tube, step.name):
            continue
        made = growth.transformation_yield(phase, product)
        if made <= 0.0:
            continue
        rate = growth.transformation_rate(tube, identifier, step, _ratio_per_ion(tube, step.name))
        into = state_names(tube, step.name, deposit)
        stoichiometry = {one.names[0]: -1.0, into[0]: made}
        for solute in dict.fromkeys([*phase.products, *product.products]):
            excess = phase.products.get(solute, 0.0) - made * product.products.get(solute, 0.0)
            if abs(excess) > 1e-12:
                stoichiometry[f"{tube.name}.{solute}"] = excess
        name = f"{tube.name}.turn.{identifier}.{step.name}" + (f".on_{deposit}" if deposit else "")
        line = f"{phase.name} -> {product.name}"
        network.process(name, stoichiometry, rate * one.amount, line, ID)
        # A crystal of the product is as much smaller as its solid is denser.
        scale = (made * _molar_volume(product) / _molar_volume(phase)) ** (1.0 / 3.0)
        moments = (one.number, one.radii, one.squares)
        for i, what in enumerate(_MOMENTS):
            moved = {one.names[i + 1]: -1.0, into[i + 1]: scale**i}
            network.process(f"{name}.{what}", moved, rate * moments[i], f"{what}: {line}", ID)


def _molar_volume(phase: Phase) -> float:
    return float(phase.molar_mass.si / phase.density.si)


def _add_relaxing(tube: Fluid, identifier: str, phase: Phase) -> None:
    """Add one phase that follows its saturation without delay."""
    network = tube.network
    assert phase.relaxation_rate is not None
    k = equilibrium_constant(network, f"phase.{identifier}", phase.log_k, phase.enthalpy, tube.temperature)
    rate = network.parameter(f"phase.{identifier}.relaxation_rate", phase.relaxation_rate, "1/s")
    omega = saturation_ratio(tube.solution, phase.ion_product, k)
    nu = ion_count(phase.ion_product)
    root = omega if nu == 1 else power(maximum(omega, constant(0.0, "1")) + _TINY**nu, 1.0 / nu) - _TINY
    solid = network.state(f"{tube.name}.{identifier}", tube.name, scale=tube.scale, content=content_of(tube, phase))
    ions = [network.concentration(f"{tube.name}.{s}") for s in phase.products]
    least = ions[0]
    for other in ions[1:]:
        least = minimum(least, other)
    # Forming is limited by the ions above saturation, dissolving by the solid that is left.
    excess = maximum(1.0 - 1.0 / maximum(root, constant(1.0, "1")), constant(0.0, "1"))
    deficit = maximum(1.0 - root, constant(0.0, "1"))
    progress = rate * (least * tube.volume * excess - solid * deficit)
    stoichiometry = {
        f"{tube.name}.{identifier}": 1.0,
        **{f"{tube.name}.{s}": -float(n) for s, n in phase.products.items()},
    }
    network.process(_label(tube, f"mineral.{identifier}"), stoichiometry, progress, f"ions <-> {phase.formula}(s)", ID)
    what = f"ion product of {phase.name} over its constant"
    network.observe(_label(tube, f"{identifier}.saturation_ratio"), omega, "1", what)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): lime water left to itself ends at the solubility of portlandite."""
    from nanotrial.medium.vessel import closed_vessel
    from nanotrial.solve.run import simulate_network

    vessel = closed_vessel({"calcium": 60.0}, ph=12.5, phases=("portlandite",))
    add(vessel)
    run = simulate_network(vessel.network, [36000.0])
    return float(run["portlandite.saturation_ratio"][-1]), 1.0, 1e-4
