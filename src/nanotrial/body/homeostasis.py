"""Plasma calcium of a host as a network: binding, parathyroid hormone, bone, kidney and diet.

Concentrations in plasma and between cells (interstitium), c ionised, T total, L citrate:

    T = c (1 + a) + S c / (K + c) + L c / (K_L + c)                 small anions, albumin, citrate
    d(hormone)/dt = k (H(c) - hormone),   H = m + (M - m) / (1 + (c / c_set)^n)
    urine = filtration (x + sqrt(x^2 + w^2)) / 2,   x = (1 - p) D - threshold R(hormone)
    bone:  k_b E_0 (c / c_0)  in,   k_b E_0 (B / B_0) (1 + g (hormone - 1))  out

with D the diffusible calcium, E_0 that outside cells at rest, B that of bone, and the hormone as a share of rest. Sites
of albumin S, set point, threshold and the diet are what closes the balance at rest. Valid for minutes to a day:
calcitriol, calcitonin, the store of hormone in the gland and growth or loss of bone have no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, power, sqrt

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import CalciumHomeostasis

LN2 = 0.6931471805599453
POOLS = ("plasma", "interstitium")


@dataclass(frozen=True)
class Given:
    """What a host is given (mol): at once, over time, into a depot; and what mineral draws (mol over ``run``, s)."""

    body_mass: float
    albumin: float
    run: float
    bolus: float = 0.0
    infused: float = 0.0
    depot: float = 0.0
    depot_half_life: float = 1.0
    citrate_bolus: float = 0.0
    citrate_infused: float = 0.0
    mineral: float = 0.0


@dataclass(frozen=True)
class Rest:
    """Terms that describe the host at rest; volumes in m^3, amounts in mol, concentrations in mol/m^3."""

    volumes: dict[str, Term]
    sites: dict[str, Term]
    usual_sites: Term
    ionised: Term
    complexed: Term
    constant: Term
    citrate_constant: Term
    mass: Term

    def bound(self, ionised: Term, sites: Term) -> Term:
        """Return calcium that is free, with small anions and on albumin (mol/m^3)."""
        return ionised * (1.0 + self.complexed) + sites * ionised / (self.constant + ionised)

    def chelated(self, ionised: Term, citrate: Term) -> Term:
        """Return calcium on citrate (mol/m^3)."""
        return citrate * ionised / (self.citrate_constant + ionised)

    def amount(self, pool: str) -> Term:
        """Return calcium of a pool at rest (mol)."""
        return self.volumes[pool] * self.bound(self.ionised, self.sites[pool])

    def diffusible(self) -> Term:
        """Return calcium that leaves plasma at rest (mol/m^3)."""
        return self.ionised * (1.0 + self.complexed)


def homeostasis_network(sheet: CalciumHomeostasis, given: Given) -> Network:
    """Return the network of a host's calcium and what it is given.

    Arguments:
        sheet: constants of the host.
        given: mass (kg), albumin (kg/m^3), times (s) and amounts (mol); ``infused`` goes in at the rates ``infusion``
            and ``citrate_infusion`` (parameters, mol/s), which a run sets by pulses.

    Validity: minutes to a day. Source: stands beside each value of the sheet.
    """
    network = Network(f"calcium of {sheet.name}")
    rest = _rest(network, sheet, given)
    for pool in POOLS:
        network.compartment(pool, rest.volumes[pool])
    network.compartment("around", rest.volumes["plasma"] + rest.volumes["interstitium"])
    held = _states(network, sheet, rest, given)
    free = {pool: _speciate(network, rest, pool, held) for pool in POOLS}
    hormone = _hormone(network, sheet, rest, free["plasma"])
    _exchange(network, sheet, rest, held, free)
    _bone(network, sheet, rest, free["interstitium"], hormone)
    _kidney(network, sheet, rest, _diffusible(rest, free["plasma"], held["plasma"]), hormone)
    _supply(network, given, rest, free["interstitium"])
    _observe(network, sheet, rest, held, free["plasma"], hormone)
    return network


def _rest(network: Network, sheet: CalciumHomeostasis, given: Given) -> Rest:
    mass = network.parameter("body_mass", given.body_mass, "kg")
    plasma = network.parameter("plasma_volume", sheet.plasma_volume, "mL/kg") * mass
    whole = network.parameter("extracellular_volume", sheet.extracellular_volume, "mL/kg") * mass
    ionised = network.parameter("ionised_calcium", sheet.ionised_calcium, "mmol/L")
    complexed = network.parameter("complexed_share", sheet.complexed_share, "1")
    half = network.parameter("albumin_constant", sheet.albumin_constant, "mmol/L")
    total = network.parameter("total_calcium", sheet.total_calcium, "mmol/L")
    usual = (total - ionised * (1.0 + complexed)) * (half + ionised) / ionised
    albumin = network.parameter("albumin", given.albumin, "g/L")
    sites = usual * albumin / network.parameter("usual_albumin", sheet.albumin, "g/L")
    between = sites * network.parameter("interstitial_albumin", sheet.interstitial_albumin, "1")
    return Rest(
        {"plasma": plasma, "interstitium": whole - plasma},
        {"plasma": sites, "interstitium": between},
        usual,
        ionised,
        complexed,
        half,
        network.parameter("citrate_constant", sheet.citrate_constant, "mmol/L"),
        mass,
    )


def _states(network: Network, sheet: CalciumHomeostasis, rest: Rest, given: Given) -> dict[str, tuple[Term, Term]]:
    """Add all amounts; return (calcium, citrate) of plasma and interstitium as concentrations (mol/m^3)."""
    size = float(sheet.total_calcium.si * sheet.extracellular_volume.si * given.body_mass)
    bone = network.parameter("bone_pool", sheet.bone_pool, "mmol/kg") * rest.mass
    bolus = network.parameter("bolus", given.bolus, "mol")
    starts: dict[str, Term] = {
        "plasma.calcium": rest.amount("plasma") + bolus,
        "interstitium.calcium": rest.amount("interstitium"),
        "bone.calcium": bone,
        "syringe.calcium": network.parameter("infused", given.infused, "mol"),
        "depot.calcium": network.parameter("depot", given.depot, "mol"),
        "plasma.citrate": network.parameter("citrate_bolus", given.citrate_bolus, "mol"),
        "syringe.citrate": network.parameter("citrate_infused", given.citrate_infused, "mol"),
    }
    for name in ("diet.calcium", "urine.calcium", "mineral.calcium", "interstitium.citrate", "burned.citrate"):
        starts[name] = constant(0.0, "mol")
    for name, start in starts.items():
        place, kind = name.split(".")
        # What the diet has given is counted below zero, so that the whole network closes.
        network.state(
            name,
            place if place in POOLS else "around",
            scale=size,
            initial=start,
            content={kind: 1.0},
            may_be_negative=place in ("diet", "syringe"),
        )
    pools = rest.volumes.items()
    return {p: (network[f"{p}.calcium"] / v, network[f"{p}.citrate"] / v) for p, v in pools}


def _speciate(network: Network, rest: Rest, pool: str, held: dict[str, tuple[Term, Term]]) -> Term:
    """Bind ionised calcium of a pool to its totals and return it."""
    name = f"{pool}.ionised"
    free = network.unknown(name, "mol/m^3")
    calcium, citrate = held[pool]
    residual = calcium - rest.bound(free, rest.sites[pool]) - rest.chelated(free, citrate)
    network.equilibrium(
        f"{pool}.binding", {name: (free, 1.0, 0.0)}, {"calcium": residual}, {"calcium": constant(1.0, "mol/m^3")}
    )
    return free


def _diffusible(rest: Rest, free: Term, held: tuple[Term, Term]) -> Term:
    return free * (1.0 + rest.complexed) + rest.chelated(free, held[1])


def _hormone(network: Network, sheet: CalciumHomeostasis, rest: Rest, free: Term) -> Term:
    """Add parathyroid hormone as a share of rest and return it."""
    top = network.parameter("hormone_maximum", sheet.hormone_maximum, "1")
    low = network.parameter("hormone_minimum", sheet.hormone_minimum, "1")
    steep = network.parameter("hormone_steepness", sheet.hormone_steepness, "1")
    # (c_0 / c_set)^n is what makes secretion at rest one.
    at_rest = (top - 1.0) / (1.0 - low)
    wanted = low + (top - low) / (1.0 + at_rest * power(free / rest.ionised, steep))
    set_point = rest.ionised * power(at_rest, -1.0 / steep)
    rate = LN2 / network.parameter("hormone_half_life", sheet.hormone_half_life, "min")
    hormone = network.state("hormone", "plasma", "1", initial=1.0)
    network.process("hormone.secretion", {"hormone": 1}, rate * wanted, "gland -> hormone")
    network.process("hormone.clearance", {"hormone": -1}, rate * hormone, "hormone -> gone")
    network.observe("set_point", set_point, "mmol/L", "ionised calcium at half of secretion")
    return hormone


def _exchange(
    network: Network,
    sheet: CalciumHomeostasis,
    rest: Rest,
    held: dict[str, tuple[Term, Term]],
    free: dict[str, Term],
) -> None:
    flow = network.parameter("capillary_exchange", sheet.capillary_exchange, "1/h") * rest.volumes["plasma"]
    inside, outside = (_diffusible(rest, free[p], held[p]) for p in POOLS)
    network.process("capillaries.calcium", {"plasma.calcium": -1, "interstitium.calcium": 1}, flow * (inside - outside))
    passing = flow * (held["plasma"][1] - held["interstitium"][1])
    network.process("capillaries.citrate", {"plasma.citrate": -1, "interstitium.citrate": 1}, passing)
    burn = LN2 / network.parameter("citrate_half_life", sheet.citrate_half_life, "min")
    for pool in POOLS:
        name = f"{pool}.citrate"
        network.process(f"{pool}.burning", {name: -1, "burned.citrate": 1}, burn * network[name])


def _bone(network: Network, sheet: CalciumHomeostasis, rest: Rest, free: Term, hormone: Term) -> None:
    rate = network.parameter("bone_exchange", sheet.bone_exchange, "1/h")
    gain = network.parameter("bone_gain", sheet.bone_gain, "1")
    flow = rate * (rest.amount("plasma") + rest.amount("interstitium"))
    pool = network.parameters["bone_pool"]
    filled = network["bone.calcium"] / (Term(pool.symbol, sheet.bone_pool.dimension) * rest.mass)
    network.process("bone.uptake", {"interstitium.calcium": -1, "bone.calcium": 1}, flow * free / rest.ionised)
    release = flow * filled * (1.0 + gain * (hormone - 1.0))
    network.process("bone.release", {"bone.calcium": -1, "interstitium.calcium": 1}, release)


def _kidney(network: Network, sheet: CalciumHomeostasis, rest: Rest, diffusible: Term, hormone: Term) -> None:
    """Add the kidney, and the diet that gives at a steady rate what the urine takes at rest."""
    flow = network.parameter("filtration", sheet.filtration, "mL/min/kg") * rest.mass
    passed = 1.0 - network.parameter("proximal_reabsorption", sheet.proximal_reabsorption, "1")
    width = network.parameter("renal_splay", sheet.renal_splay, "mmol/L")
    top = network.parameter("reabsorption_maximum", sheet.reabsorption_maximum, "1")
    lost = network.parameter("urinary_share", sheet.urinary_share, "1") * rest.diffusible()
    # Solves lost = (x + sqrt(x^2 + w^2)) / 2 for the threshold at rest.
    threshold = passed * rest.diffusible() - lost + width * width / (4.0 * lost)
    over = passed * diffusible - threshold * (top * hormone / (hormone + (top - 1.0)))
    urine = flow * (over + sqrt(over * over + width * width)) / 2.0
    network.process("kidney", {"plasma.calcium": -1, "urine.calcium": 1}, urine)
    network.process("diet", {"diet.calcium": -1, "plasma.calcium": 1}, flow * lost)
    network.observe("renal_threshold", threshold / passed, "mmol/L", "diffusible calcium above which urine carries it")


def _supply(network: Network, given: Given, rest: Rest, free: Term) -> None:
    """Add syringe, depot, and mineral that grows in proportion to the calcium around it."""
    for kind, name in (("calcium", "infusion"), ("citrate", "citrate_infusion")):
        rate = network.parameter(name, 0.0, "mol/s")
        network.process(f"{name}.flow", {f"syringe.{kind}": -1, f"plasma.{kind}": 1}, rate)
    leave = LN2 / network.parameter("depot_half_life", given.depot_half_life, "s")
    network.process("absorption", {"depot.calcium": -1, "interstitium.calcium": 1}, leave * network["depot.calcium"])
    drawn = network.parameter("mineral", given.mineral, "mol") / constant(given.run, "s")
    network.process("mineral.growth", {"interstitium.calcium": -1, "mineral.calcium": 1}, drawn * free / rest.ionised)


def _observe(
    network: Network,
    sheet: CalciumHomeostasis,
    rest: Rest,
    held: dict[str, tuple[Term, Term]],
    free: Term,
    hormone: Term,
) -> None:
    level = network.parameter("parathyroid_hormone", sheet.parathyroid_hormone, "ng/L")
    calcium = held["plasma"][0]
    phosphate = network.parameter("phosphate", sheet.phosphate, "mmol/L")
    network.observe("ionised", free, "mmol/L", "ionised calcium of plasma")
    network.observe("total", calcium, "mmol/L", "calcium of plasma, bound and free")
    network.observe("corrected", rest.bound(free, rest.usual_sites), "mmol/L", "total at the usual albumin")
    network.observe("hormone_level", level * hormone, "ng/L", "parathyroid hormone")
    network.observe("product", calcium * phosphate, "mmol^2/L^2", "total calcium times phosphate at rest")
