"""What radiation makes in a fluid: radicals of its water, and what energy absorbed in particles turns into.

    water      hydroxyl, H2O2: G rho V D'                                   G of radicals that escape their track
    peroxide   split by hydrated electrons: G_e k [H2O2] / (k [H2O2] + k_O2 [O2]) rho V D'
    particle   energy E' = M n R D'           R = dose in the core over that in water under this spectrum
    carriers   pairs E' s / (w N_A);  fenton: share P / (K + P) splits H2O2, water: all oxidise water
    light      product E' Y                   Y from the light chain of the particle
    bonds      cut by (G_OH + sum_i G_i k_i B / (k_i B + k_i,O2 [O2])) rho V D', i hydrated electrons and H; in tubes

n moles of core of molar mass M; s is the share of carriers that reaches the surface, w the energy a pair takes. The
states count what was made, not what is there: hydroxyl lives nanoseconds, singlet oxygen microseconds. Fast electrons
that leave a particle are counted in R as if they stayed (at most the whole of R for particles of nanometres), so
products of a particle are upper bounds. Assumption: dose to the medium is that to water. Sources: in the sheets of the
material, of radiolysis (elliot_2009) and of the light chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.network.terms import Term, constant, maximum, total
from nanotrial.particle.fluid import WATER_BONDS

if TYPE_CHECKING:
    from nanotrial.particle.fluid import Bonds, Cohort, Field, Fluid

ID = "particle.radiation_products"
AVOGADRO = 6.02214076e23
WATER_DENSITY = 1000.0
# Below this much of a bond radicals find something else first: impurities of water take 1e5 of them a second.
FEW_BONDS = 1e-2
# What else hydrated electrons meet in water without oxygen (1/s): radicals and impurities.
OTHER_SINKS = 1e4
OF_WATER, OF_PARTICLES = ("hydroxyl_of_water", "hydroxyl_split"), ("hydroxyl_of_carriers", "hydroxyl_of_fenton")
MADE = (*OF_WATER, *OF_PARTICLES, "singlet_oxygen", "nitric_oxide")
OF_PEROXIDE = ("hydroxyl_split", "hydroxyl_of_fenton")


def applies(tube: Fluid) -> bool:
    """Say whether a beam can be on in this fluid."""
    return tube.beam is not None


def add_states(tube: Fluid) -> None:
    """Add the counts of what is made."""
    for name in MADE:
        content = {"peroxide": 1.0} if name in OF_PEROXIDE else {}
        tube.network.state(f"{tube.name}.{name}", tube.name, scale=tube.scale * 1e-6, content=content)


def add(tube: Fluid) -> None:
    """Add what makes radicals, peroxide and the products of particles; their counts where nobody has yet."""
    network, beam = tube.network, tube.beam
    assert beam is not None
    if f"{tube.name}.{MADE[0]}" not in network.species:
        add_states(tube)
    per_dose = tube.volume * constant(WATER_DENSITY, "kg/m^3") * beam.dose_rate
    _make(tube, "radiolysis.hydroxyl", {"hydroxyl_of_water": 1.0}, beam.yields["OH"] * per_dose, "H2O -> OH")
    if f"{tube.name}.hydrogen_peroxide" in network.species:
        made = beam.yields["hydrogen_peroxide"] * per_dose
        gains = {f"{tube.name}.hydrogen_peroxide": 1.0, WATER_BONDS: -1.0}
        network.process(f"{tube.name}.radiolysis.peroxide", gains, made, "2 H2O -> H2O2 + H2", ID)
        _add_split_peroxide(tube, beam, per_dose)
    add_particles(tube)


def add_particles(tube: Fluid) -> None:
    """Add what the energy absorbed in the particles of a fluid turns into."""
    beam = tube.beam
    assert beam is not None
    for cohort in tube.cohorts:
        absorbed = absorbed_power(tube, beam, cohort)
        _add_carriers(tube, cohort, absorbed)
        _add_bonds(tube, beam, cohort)
        chain = beam.chains.get(cohort.particle.name)
        if chain is not None:
            _make(tube, f"{cohort.key}.light", {chain.product: 1.0}, absorbed * chain.per_energy, "X-ray -> light")


def _add_split_peroxide(tube: Fluid, beam: Field, per_dose: Term) -> None:
    """Add the hydrated electrons that split peroxide, in competition with oxygen."""
    network, none = tube.network, constant(0.0, "mol/m^3")
    peroxide = maximum(network.concentration(f"{tube.name}.hydrogen_peroxide"), none)
    split = beam.electron_rates["hydrogen_peroxide"] * peroxide
    others = constant(OTHER_SINKS, "1/s")
    if f"{tube.name}.oxygen" in network.species:
        oxygen = maximum(network.concentration(f"{tube.name}.oxygen"), none)
        others = others + beam.electron_rates["oxygen"] * oxygen
    gains = {"hydrogen_peroxide": -1.0, "hydroxyl_split": 1.0}
    rate = beam.yields["e_aq"] * per_dose * split / (split + others)
    _make(tube, "radiolysis.split", gains, rate, "H2O2 + e-(aq) -> OH + OH-")


def absorbed_power(tube: Fluid, beam: Field, cohort: Cohort) -> Term:
    """Return the power (W) that the cores of a cohort absorb: mass, dose rate to water, and the ratio of doses."""
    network = tube.network
    moles = total((network[cohort.core_name(j)] for j in range(len(cohort.classes.radii))), "mol")
    mass = network.parameter(f"{cohort.material_id}.molar_mass", cohort.material.molar_mass, "kg/mol")
    held = maximum(moles, constant(0.0, "mol")) * mass
    return held * beam.ratios[cohort.particle.name] * beam.dose_rate


def carrier_yield(energy_per_pair: Term, surface_share: Term) -> Term:
    """Return carriers that reach the surface per energy absorbed (mol/J)."""
    return surface_share / (energy_per_pair * constant(AVOGADRO, "1/mol"))


def _add_carriers(tube: Fluid, cohort: Cohort, absorbed: Term) -> None:
    """Add what electrons and holes of a core do at its surface."""
    law, network = cohort.material.carriers, tube.network
    if law is None:
        return
    key = f"{cohort.material_id}.carriers"
    pair = network.parameter(f"{key}.energy_per_pair", law.energy_per_pair, "J")
    free = carrier_yield(pair, network.parameter(f"{key}.surface_share", law.surface_share, "1"))
    made = absorbed * free
    if law.reaction == "water":
        _make(tube, f"{cohort.key}.carriers", {"hydroxyl_of_carriers": 1.0}, made, "hole + H2O -> OH + H+")
        return
    peroxide = f"{tube.name}.hydrogen_peroxide"
    if peroxide not in network.species or law.peroxide_constant is None:
        return
    half = network.parameter(f"{key}.peroxide_constant", law.peroxide_constant, "mol/m^3")
    there = maximum(network.concentration(peroxide), constant(0.0, "mol/m^3"))
    taken = {"hydrogen_peroxide": -1.0, "hydroxyl_of_fenton": 1.0}
    _make(tube, f"{cohort.key}.fenton", taken, made * there / (there + half), "H2O2 + e- -> OH + OH-")


def _add_bonds(tube: Fluid, beam: Field, cohort: Cohort) -> None:
    """Add the cutting of bonds by radicals of the water: at most one bond a radical, oxygen takes electrons and H."""
    bonds, network = beam.bonds.get(cohort.particle.name), tube.network
    if bonds is None:
        return
    name = f"{cohort.key}.bonds_cut"
    network.state(name, tube.name, scale=tube.scale * 1e-3)
    there = maximum(bonds_in(tube, cohort, bonds) - network[name], constant(0.0, "mol")) / tube.volume
    few = constant(FEW_BONDS, "mol/m^3")
    met = beam.yields["OH"] * there / (there + few)
    oxygen = maximum(network.concentration(f"{tube.name}.oxygen"), constant(0.0, "mol/m^3"))
    for radical, rate in bonds.rates.items():
        wanted = rate * there
        met = met + beam.yields[radical] * wanted / (wanted + bonds.oxygen_rates[radical] * oxygen + rate * few)
    per_dose = tube.volume * constant(WATER_DENSITY, "kg/m^3") * beam.dose_rate
    network.process(f"{name}.cut", {name: 1}, met * per_dose, "bond + radical -> cut", ID)


def bonds_in(tube: Fluid, cohort: Cohort, bonds: Bonds) -> Term:
    """Return the bonds that the cores of a cohort came with (mol)."""
    network = tube.network
    mass = network.parameter(f"{cohort.material_id}.molar_mass", cohort.material.molar_mass, "kg/mol")
    return network[f"{cohort.key}.added"] * mass * bonds.content


def _make(tube: Fluid, name: str, gains: dict[str, float], rate: Term, line: str) -> None:
    own = {f"{tube.name}.{what}": count for what, count in gains.items()}
    tube.network.process(f"{tube.name}.{name}", own, rate, line, ID)


def hydroxyl_made(tube: Fluid, sources: tuple[str, ...] = (*OF_WATER, *OF_PARTICLES)) -> Term:
    """Return the hydroxyl radicals made so far in a fluid (mol), by default of all sources."""
    return total((tube.network[f"{tube.name}.{name}"] for name in sources), "mol")


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): 100 eV in pairs of 5 eV, half of them at the surface, are 10 carriers."""
    import casadi as ca

    electronvolt = 1.602176634e-19
    per_energy = carrier_yield(constant(5.0 * electronvolt, "J"), constant(0.5, "1"))
    found = float(ca.DM(per_energy.expression)) * AVOGADRO * 100.0 * electronvolt
    return found, 10.0, 1e-12
