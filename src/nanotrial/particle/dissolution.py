"""A sphere shrinks: surface reaction in series with the supply of acid, the removal of products, and the coat.

For a size class of radius a (moles n, n_0 at the start, u = n / n_0, a = a_0 u^(1/3)), per surface area,

    k_a    = f (1 - blocked) k_H 10^(-m (pH - pH_ref)) / (1 + 10^(m (pH_sat - pH)))              surface protonation
    r_acid = 1 / (1 / k_a + nu_H / J)                J = sum_i acid_i / (a / D_i + R_coat,i)     acid supply
    r_0    = r_acid + f (1 - blocked) k_w            f = exp(-E/R (1/T - 1/T_0)) 10^dopants
    r      = r_0 (1 - s) / (1 + r_0 Z / c_eq)        Z = a / D + R_coat                         product removal
    dn/dt  = - 4 pi a^2 N r                          s = Omega^(1/nu)

Limits, each a test: reaction control a = a_0 - V_m k t; diffusion control a^2 = a_0^2 - 2 V_m D (c_sat - c) t; acid
supply control r = D [H+] / (nu_H a). acid_i are protons free or held by buffer species that a surface can take before
its own acid attack ceases (where k_a = k_w). k_H is the rate at pH_ref (0 where the sheet gives none); below pH_sat the
surface is fully protonated and more acid does not speed it up. The harmonic mean is exact for m = 1 in an unbuffered
solution and in both limits; between them it is off by 1 / (x^m + 1 - x) - 1, x = m^(-1 / (m - 1)), at worst: 20 % low
for m = 0.5, 33 % high for m = 2. Area uses u / (u + 1e-6)^(1/3), so the last millionth fades exponentially instead of
ending at a point. Products: see the sheet; a peroxide gives H2O2 with the share
yield(pH) = acid_yield / (1 + 10^((pH - half_ph) / width)) and oxygen with the rest.

Assumptions: spheres, Sherwood number 2, bulk activities at the surface for Omega, no growth when Omega > 1.
Sources: lasaga_1998 (transition-state form), palandri_2004 (rate form), furrer_1986 (surface protonation),
levich_1962 (Sh = 2), northup_2008 (yield).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanotrial.medium.constants import arrhenius, diffusivity_factor, equilibrium_constant
from nanotrial.medium.minerals import ion_count, saturation_ratio
from nanotrial.network.terms import (
    Term,
    constant,
    log10,
    maximum,
    minimum,
    positive_part,
    power,
    share,
    switched_on,
    ten_to,
)
from nanotrial.particle.coat import blocked_share, resistance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanotrial.catalogue.schema import Dissolution, Material, Solute
    from nanotrial.network.model import Network
    from nanotrial.particle.fluid import Cohort, Fluid

ID = "particle.dissolution"
FADE = 1e-6
_TINY = 1e-6


@dataclass(frozen=True)
class Surface:
    """Terms of a core's surface that all size classes share."""

    acid_rate: Term
    water_rate: Term
    open_share: Term
    omega_root: Term
    product_ceiling: Term
    protons: float
    acids: tuple[tuple[Term, Term, Term], ...]
    product_diffusivity: Term
    product_resistance: Term


def applies(tube: Fluid) -> bool:
    """Say whether there is any particle that dissolves."""
    return any(c.material.dissolution is not None for c in tube.cohorts)


def law_of(cohort: Cohort) -> Dissolution:
    """Return the law by which the core of a cohort dissolves."""
    assert cohort.material.dissolution is not None
    return cohort.material.dissolution


def add(tube: Fluid) -> None:
    """Add the dissolution of every size class of every cohort that dissolves."""
    for cohort in tube.cohorts:
        if cohort.material.dissolution is None:
            continue
        surface = _surface(tube, cohort)
        for j in range(len(cohort.classes.radii)):
            rate = _class_rate(tube, cohort, surface, j)
            _add_processes(tube, cohort, j, rate)


def protons_taken(material: Material, components: Mapping[str, Solute]) -> float:
    """Return nu_H: protons that one formula unit takes in acid, where every product is fully protonated.

    The solid is neutral, so they are the charge that its products carry then: 2 for CaO2, CuO and CaCO3 alike.
    """
    taken = 0.0
    for name, count in material.products.items():
        own = [sp.protons for sp in components[name].species if set(sp.components) == {name}]
        taken += count * (components[name].charge + max([0, *own]))
    return taken


def shrunk_radius(radius: Term, share_left: Term) -> Term:
    """Return the radius of a class whose share ``u`` of the moles is left."""
    return radius * cube_root(share_left)


def cube_root(share_left: Term) -> Term:
    """Return (u + fade)^(1/3); solver noise below zero counts as zero."""
    return power(positive_part(share_left, FADE) + FADE, 1.0 / 3.0)


def class_area(tube: Fluid, cohort: Cohort, j: int) -> tuple[Term, Term]:
    """Return total surface (m^2) and radius (m) of a size class."""
    network = tube.network
    moles = network[cohort.core_name(j)]
    part = network.parameter(f"{cohort.parameter_key}.share.{j}", float(cohort.classes.mole_shares[j]), "1")
    radius = cohort.radius(network, j)
    start = network[f"{cohort.key}.added"] * part
    left = share(moles, start, tube.floor * part)
    area = moles * cohort.molar_volume(network) * 3.0 / (radius * cube_root(left))
    return area, shrunk_radius(radius, left)


def _surface(tube: Fluid, cohort: Cohort) -> Surface:
    network, solution, material = tube.network, tube.solution, cohort.material
    law, key, temperature = law_of(cohort), cohort.material_id, tube.temperature
    shift_k, shift_rate = _dopant_shifts(tube, cohort)
    k = equilibrium_constant(network, f"{key}.dissolution", law.log_k, law.enthalpy, temperature, shift_k)
    heat = arrhenius(network, f"{key}.dissolution.activation_energy", law.activation_energy, temperature)
    speed = heat * ten_to(shift_rate)
    order = network.parameter(f"{key}.dissolution.acid_order", law.acid_order, "1")
    acid = network.parameter(f"{key}.dissolution.acid_rate", law.acid_rate, "mol/m^2/s")
    water = network.parameter(f"{key}.dissolution.water_rate", law.water_rate, "mol/m^2/s")
    omega = saturation_ratio(solution, law.ion_product, k)
    nu = ion_count(law.ion_product)
    root = omega if nu == 1 else power(maximum(omega, constant(0.0, "1")) + _TINY**nu, 1.0 / nu) - _TINY
    ceiling = _ceiling(tube, law.ion_product, k, nu)
    slowest = min((s for s in law.products), key=lambda s: solution.components[s].diffusivity.si)
    mobility = diffusivity_factor(temperature)
    product = network.parameter(f"{slowest}.diffusivity", solution.components[slowest].diffusivity, "m^2/s") * mobility
    open_share = constant(1.0, "1")
    if cohort.coat is not None:
        area = sum((class_area(tube, cohort, j)[0] for j in range(len(cohort.classes.radii))), constant(0.0, "m^2"))
        open_share = 1.0 - blocked_share(tube, cohort, area)
    return Surface(
        acid_rate=acid * _proton_attack(tube, cohort, order) * speed,
        water_rate=water * speed,
        open_share=open_share,
        omega_root=root,
        product_ceiling=ceiling,
        protons=protons_taken(material, solution.components),
        acids=_acids(tube, cohort, mobility),
        product_diffusivity=product,
        product_resistance=resistance(tube, cohort, product),
    )


def _proton_attack(tube: Fluid, cohort: Cohort, order: Term) -> Term:
    """Return the acid rate over the rate at the reference pH; it levels off where the surface is fully protonated."""
    law, key, ph = law_of(cohort), f"{cohort.material_id}.dissolution", tube.solution.ph
    above = ph
    if law.acid_reference_ph is not None:
        above = ph - tube.network.parameter(f"{key}.acid_reference_ph", law.acid_reference_ph, "1")
    attack = ten_to(-(order * above))
    if law.saturation_ph is None:
        return attack
    level = tube.network.parameter(f"{key}.saturation_ph", law.saturation_ph, "1")
    return attack / (1.0 + ten_to(order * (level - ph)))


def _dopant_shifts(tube: Fluid, cohort: Cohort) -> tuple[Term, Term]:
    log_k, log_rate = constant(0.0, "1"), constant(0.0, "1")
    for name, fraction in cohort.particle.dopants.items():
        dopant, key = cohort.material.dopants[name], f"{cohort.material_id}.dopants.{name}"
        part = tube.network.parameter(f"{cohort.parameter_key}.dopant.{name}", fraction, "1")
        log_k = log_k + tube.network.parameter(f"{key}.log_k_shift", dopant.log_k_shift, "1") * part
        log_rate = log_rate + tube.network.parameter(f"{key}.log_rate_shift", dopant.log_rate_shift, "1") * part
    return log_k, log_rate


def _ceiling(tube: Fluid, ion_product: dict[str, float], k: Term, nu: float) -> Term:
    """Return c_eq (mol/m^3): the product concentration at saturation, all products equal, at the pH of the bulk."""
    value = k
    for name, count in ion_product.items():
        if name in ("H+", "OH-"):
            value = value / tube.solution.activity(name) ** int(count)
        else:
            value = value / tube.solution.gamma(tube.solution.charge[name]) ** int(count)
    # Complexes carry product away too: the ceiling counts all forms per free ion.
    return power(value, 1.0 / nu) * constant(1000.0, "mol/m^3") * _all_per_free(tube, ion_product)


def _all_per_free(tube: Fluid, ion_product: dict[str, float]) -> Term:
    """Return dissolved total over free form of the first metal of an ion product (1 when nothing binds it)."""
    solution = tube.solution
    masters = {m: c for c, m in solution.masters.items()}
    metal = next((masters[name] for name in ion_product if name in masters), None)
    if metal is None:
        return constant(1.0, "1")
    small = constant(1e-12, "1")
    free = solution.molar[solution.masters[metal]]
    held = free + small
    for name, sp in solution.species.items():
        if metal in sp.components:
            held = held + solution.molar[name] * sp.components[metal]
    return held / (free + small)


def _acids(tube: Fluid, cohort: Cohort, mobility: float) -> tuple[tuple[Term, Term, Term], ...]:
    """Return (available protons in mol/m^3, diffusivity, coat resistance) of free H+ and of each buffer component."""
    network, solution = tube.network, tube.solution
    proton = network.parameter("water.proton_diffusivity", solution.water.proton_diffusivity, "m^2/s") * mobility
    rows = [(solution.free("H+"), proton, resistance(tube, cohort, proton))]
    end = cease_ph(network, cohort.material_id, law_of(cohort))
    for i, sheet in solution.components.items():
        forms = [sp for sp in sheet.species if set(sp.components) == {i} and sp.components[i] == 1 and sp.protons > 0]
        if not forms or i in cohort.material.products:
            continue
        # Mean protons per component where the acid attack ends, from the constants at zero ionic strength.
        weight, kept = constant(1.0, "1"), constant(0.0, "1")
        bound, held = constant(0.0, "mol/m^3"), solution.free(sheet.master)
        for sp in forms:
            k = equilibrium_constant(network, f"aqueous.{sp.name}", sp.log_k, sp.enthalpy, tube.temperature)
            there = k * ten_to(end * -float(sp.protons))
            weight, kept = weight + there, kept + there * float(sp.protons)
            bound = bound + solution.free(sp.name) * float(sp.protons)
            held = held + solution.free(sp.name)
        diffusivity = network.parameter(f"{i}.diffusivity", sheet.diffusivity, "m^2/s") * mobility
        available = maximum(bound - held * kept / weight, constant(0.0, "mol/m^3"))
        rows.append((available, diffusivity, resistance(tube, cohort, diffusivity)))
    return tuple(rows)


def cease_ph(network: Network, material_id: str, law: Dissolution) -> Term:
    """Return the pH at which acid attack falls to the rate in water, from 0 to 10.

    It is a term of the law's own parameters, so draws, fits and gradients move it with them.
    """
    key = f"{material_id}.dissolution"
    tiny = constant(1e-30, "mol/m^2/s")
    acid = network.parameter(f"{key}.acid_rate", law.acid_rate, "mol/m^2/s") + tiny
    water = network.parameter(f"{key}.water_rate", law.water_rate, "mol/m^2/s") + tiny
    end = log10(acid / water) / network.parameter(f"{key}.acid_order", law.acid_order, "1")
    if law.acid_reference_ph is not None:
        end = end + network.parameter(f"{key}.acid_reference_ph", law.acid_reference_ph, "1")
    return minimum(maximum(end, constant(0.0, "1")), constant(10.0, "1"))


def surface_rate(surface: Surface, radius: Term) -> Term:
    """Return r (mol m^-2 s^-1) of a sphere of this radius (m)."""
    supply = constant(0.0, "mol/m^2/s")
    for available, diffusivity, coat in surface.acids:
        supply = supply + available / (radius / diffusivity + coat)
    ceiling = supply / surface.protons
    small = constant(1e-30, "mol/m^2/s")
    kinetic = surface.acid_rate * surface.open_share
    acid = kinetic * ceiling / (kinetic + ceiling + small)
    start = acid + surface.water_rate * surface.open_share
    removal = radius / surface.product_diffusivity + surface.product_resistance
    driving = switched_on(1.0 - surface.omega_root, FADE)
    return start * driving / (1.0 + start * removal / surface.product_ceiling)


def _class_rate(tube: Fluid, cohort: Cohort, surface: Surface, j: int) -> Term:
    area, radius = class_area(tube, cohort, j)
    return surface_rate(surface, radius) * area


def _add_processes(tube: Fluid, cohort: Cohort, j: int, rate: Term) -> None:
    network, material = tube.network, cohort.material
    products = {f"{tube.name}.{s}": float(n) for s, n in material.products.items()}
    core = {cohort.core_name(j): -1.0}
    name = f"{cohort.key}.dissolution.{j}"
    if material.peroxide is None:
        network.process(name, {**core, **products}, rate, f"{material.formula}(s) -> ions", ID)
        return
    as_peroxide = peroxide_share(tube, cohort)
    network.process(name, {**core, **products}, rate * as_peroxide, f"{material.formula}(s) + 2 H+ -> ions + H2O2", ID)
    count = products.pop(f"{tube.name}.hydrogen_peroxide")
    network.process(
        f"{cohort.key}.oxygen_branch.{j}",
        {**core, **products, f"{tube.name}.oxygen": 0.5 * count},
        rate * (1.0 - as_peroxide),
        f"{material.formula}(s) + 2 H+ -> ions + 1/2 O2 + H2O",
        ID,
    )


def peroxide_share(tube: Fluid, cohort: Cohort) -> Term:
    """Return the share of the peroxide that appears as H2O2 at the pH of the solution."""
    branch, key = cohort.material.peroxide, f"{cohort.material_id}.peroxide"
    assert branch is not None
    top = tube.network.parameter(f"{key}.acid_yield", branch.acid_yield, "1")
    half = tube.network.parameter(f"{key}.half_ph", branch.half_ph, "1")
    width = tube.network.parameter(f"{key}.width", branch.width, "1")
    return top / (1.0 + ten_to((tube.solution.ph - half) / width))


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): reaction control, a = a_0 - V_m k t, share left at half the life."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("sphere")
    network.compartment("tube", network.parameter("volume", 1e-6, "m^3"))
    radius, volume = constant(1e-6, "m"), constant(2.5e-5, "m^3/mol")
    moles = network.state("core", "tube", scale=1.0, initial=1.0)
    left = moles / constant(1.0, "mol")
    far = constant(1e12, "mol/m^3")
    surface = Surface(
        acid_rate=constant(1e-6, "mol/m^2/s"),
        water_rate=constant(0.0, "mol/m^2/s"),
        open_share=constant(1.0, "1"),
        omega_root=constant(0.0, "1"),
        product_ceiling=far,
        protons=2.0,
        acids=((far, constant(1.0, "m^2/s"), constant(0.0, "s/m")),),
        product_diffusivity=constant(1.0, "m^2/s"),
        product_resistance=constant(0.0, "s/m"),
    )
    area = moles * volume * 3.0 / (radius * cube_root(left))
    rate = surface_rate(surface, shrunk_radius(radius, left)) * area
    network.process("dissolution", {"core": -1}, rate, opens=("all",))
    network.observe("left", left, "1")
    life = 1e-6 / (2.5e-5 * 1e-6)
    return float(simulate_network(network, [life / 2])["left"][0]), 0.125, 2e-5
