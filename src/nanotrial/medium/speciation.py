"""Acid-base and complex equilibria of a solution; pH is an equilibrium variable set by electroneutrality.

For component totals T_i (mol/L), masters m_i and species s made from masters and protons,

    a_s = K_s a_H^h_s prod a_m^nu ;  c_s = a_s / gamma_s ;  T_i = c_i + sum_s nu_is c_s
    0 = sum_s z_s c_s + [H+] - [OH-] + strong charge ;  I = 1/2 (sum_s z_s^2 c_s + [H+] + [OH-] + inert ions)
    log10 gamma = -A z^2 (sqrt(I) / (1 + sqrt(I)) - 0.3 I)                                        (Davies)

pH = -log10 a_H, as an electrode shows it. The protons that a dissolving solid takes are never written as a species:
they follow from electroneutrality, so none can be lost. Validity: ionic strength below about 0.5 mol/L; equilibria
faster than everything else. Sources: stumm_1996 (tableau), davies_1962, minteq_v4 (constants in the sheets).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanotrial.errors import NetworkError, nearest
from nanotrial.medium.constants import MOLAR, debye_slope, equilibrium_constant, species_charge
from nanotrial.network.terms import Term, constant, maximum, minimum, ten_to, total

if TYPE_CHECKING:
    from nanotrial.catalogue.schema import AqueousSpecies, Solute, Water
    from nanotrial.network.model import Network


# Cations of this charge and above fall out almost wholly: what is left is balanced against itself, not against a
# millimole, of which it is a trace (mol/L).
HYDROLYSED = 3
_TRACE = 1e-10


@dataclass
class Site:
    """A weak acid bound to a polymer or a particle: one proton, fixed pK, charge -1 when it has none."""

    name: str
    amount: Term
    pka: Term


@dataclass
class Solution:
    """The aqueous phase of one compartment: terms for pH, activities and totals that mechanisms read."""

    network: Network
    compartment: str
    temperature: float
    components: dict[str, Solute]
    water: Water
    ph: Term
    root_strength: Term
    sites: list[Site] = field(default_factory=list)
    molar: dict[str, Term] = field(default_factory=dict)
    charge: dict[str, int] = field(default_factory=dict)
    species: dict[str, AqueousSpecies] = field(default_factory=dict)
    masters: dict[str, str] = field(default_factory=dict)
    hydroxide: Term = field(default_factory=lambda: constant(0.0, "1"))
    proton: Term = field(default_factory=lambda: constant(0.0, "1"))

    @property
    def ionic_strength(self) -> Term:
        """Return the ionic strength (mol/L)."""
        return self.root_strength * self.root_strength

    @property
    def proton_activity(self) -> Term:
        """Return a_H = 10^-pH."""
        return ten_to(-self.ph)

    def gamma(self, charge: int) -> Term:
        """Return the Davies activity coefficient of an ion of this charge."""
        if charge == 0:
            return constant(1.0, "1")
        # Beyond its range the law would turn upwards without limit: the coefficient stays at that of 1 mol/L.
        root = minimum(self.root_strength, constant(1.0, "1"))
        return ten_to((root / (1.0 + root) - 0.3 * root * root) * (-debye_slope(self.temperature) * charge**2))

    def activity(self, name: str) -> Term:
        """Return the activity of a free species such as ``Ca+2``, ``H2O2``, ``H+`` or ``OH-`` (molar scale)."""
        if name == "H+":
            return self.proton_activity
        if name == "OH-":
            return self.hydroxide * self.gamma(1)
        if name not in self.molar:
            raise NetworkError(f"no dissolved species `{name}`. {nearest(name, [*self.molar, 'H+', 'OH-'])}")
        return self.molar[name] * self.gamma(self.charge[name])

    def free(self, name: str) -> Term:
        """Return the concentration of a free species (mol/m^3)."""
        if name == "H+":
            return self.proton * MOLAR
        return self.molar[name] * MOLAR

    def total_name(self, component: str) -> str:
        """Return the name of the state that holds the dissolved total of a component (mol)."""
        return f"{self.compartment}.{component}"


def add_solution(
    network: Network,
    compartment: str,
    components: Mapping[str, Solute],
    water: Water,
    temperature: float,
    nominal_ph: float,
    background_salt: Term,
    sites: list[Site] | None = None,
    nominal_strength: float = 10.0,
) -> Solution:
    """Add the equilibria of one compartment and return its solution.

    The states ``<compartment>.<component>`` (mol), ``<compartment>.strong_charge`` (mol of charge of ions that take
    no part) and ``<compartment>.inert_ions`` (mol, they count in the ionic strength) must exist.

    Arguments:
        network: the network to add to.
        compartment: its compartment.
        components: dissolved components by id.
        water: the sheet of water.
        temperature: K.
        nominal_ph: first guess.
        background_salt: concentration of indifferent 1:1 salt (mol/m^3).
        sites: weak acids bound to polymers.
        nominal_strength: first guess of the ionic strength (mol/m^3).
    """
    ph = network.unknown(f"{compartment}.ph")
    # The root is the unknown: the law has an infinite slope in the ionic strength itself at zero.
    root = network.unknown(f"{compartment}.root_ionic_strength")
    solution = Solution(network, compartment, temperature, dict(components), water, ph, root, list(sites or []))
    names = {i: s.master for i, s in components.items()}
    solution.masters = names
    charges = {i: s.charge for i, s in components.items()}
    present = [sp for s in components.values() for sp in s.species if all(c in components for c in sp.components)]
    solution.species = {sp.name: sp for sp in present}
    unknown = _unknown_components(components, present)
    totals = {i: network.concentration(solution.total_name(i)) / MOLAR for i in components}
    free = {i: network.unknown(f"{compartment}.free.{i}", "mol/m^3") / MOLAR for i in unknown}
    factors = _species_factors(solution, present)
    _eliminate(solution, components, present, unknown, totals, free, factors)
    for i, term in free.items():
        solution.molar[names[i]], solution.charge[names[i]] = term, charges[i]
    for sp in present:
        parts = factors[sp.name]
        for c, n in sp.components.items():
            parts = parts * (free[c] ** int(n))
        solution.molar[sp.name], solution.charge[sp.name] = parts, species_charge(sp, charges)
    _bind(solution, unknown, totals, background_salt, (nominal_ph, nominal_strength))
    return solution


def _unknown_components(components: Mapping[str, Solute], species: list[AqueousSpecies]) -> list[str]:
    """Return the components whose free concentration must be solved for; the others follow in closed form.

    A component can be eliminated where every complex holds it once and holds no other eliminated one.
    """
    complexes = [sp.components for sp in species if len(sp.components) > 1 or max(sp.components.values()) > 1]
    eliminated: set[str] = set()
    for i in sorted(components, key=lambda c: components[c].charge):
        mine = [c for c in complexes if i in c]
        if all(c[i] == 1 and not (set(c) - {i}) & eliminated for c in mine):
            eliminated.add(i)
    return [i for i in components if i not in eliminated]


def _species_factors(solution: Solution, species: list[AqueousSpecies]) -> dict[str, Term]:
    """Return c_s / prod c_m^nu for every species: K a_H^h prod gamma_m^nu / gamma_s."""
    charges = {i: s.charge for i, s in solution.components.items()}
    factors = {}
    for sp in species:
        k = equilibrium_constant(solution.network, f"aqueous.{sp.name}", sp.log_k, sp.enthalpy, solution.temperature)
        factor = k * ten_to(solution.ph * (-sp.protons)) / solution.gamma(species_charge(sp, charges))
        for c, n in sp.components.items():
            factor = factor * solution.gamma(charges[c]) ** int(n)
        factors[sp.name] = factor
    return factors


def _eliminate(
    solution: Solution,
    components: Mapping[str, Solute],
    species: list[AqueousSpecies],
    unknown: list[str],
    totals: dict[str, Term],
    free: dict[str, Term],
    factors: dict[str, Term],
) -> None:
    """Give every component outside ``unknown`` its free concentration total / (1 + sum of factors)."""
    for i in components:
        if i in unknown:
            continue
        side = constant(1.0, "1")
        for sp in species:
            if i in sp.components:
                part = factors[sp.name]
                for c, n in sp.components.items():
                    if c != i:
                        part = part * free[c] ** int(n)
                side = side + part
        free[i] = totals[i] / side


def _bind(
    solution: Solution,
    unknown: list[str],
    totals: dict[str, Term],
    background_salt: Term,
    guesses: tuple[float, float],
) -> None:
    network, place = solution.network, solution.compartment
    water_k = equilibrium_constant(
        network, "aqueous.water", solution.water.log_k, solution.water.enthalpy, solution.temperature
    )
    one = solution.gamma(1)
    solution.proton = solution.proton_activity / one
    solution.hydroxide = water_k / (solution.proton_activity * one)
    strong = network.concentration(f"{place}.strong_charge") / MOLAR
    inert = network.concentration(f"{place}.inert_ions") / MOLAR
    volume = network.compartments[place].volume
    net = solution.proton - solution.hydroxide + strong
    ionic = solution.proton + solution.hydroxide + inert + background_salt / MOLAR * 2.0
    for name, molar in solution.molar.items():
        z = solution.charge[name]
        net = net + molar * z
        ionic = ionic + molar * z**2
    for site in solution.sites:
        # Charges on a chain count in the balance of charge; their share of the ionic strength is left out.
        bare = site.amount / volume / MOLAR / (1.0 + ten_to(site.pka - solution.ph))
        net = net - bare
    residuals: dict[str, Term] = {"charge": net * 1e3, "ionic_strength": (solution.ionic_strength - ionic * 0.5) * 1e3}
    variables = {
        f"{place}.ph": (solution.ph, guesses[0], -float("inf")),
        f"{place}.root_ionic_strength": (solution.root_strength, (guesses[1] * 1e-3) ** 0.5, 0.0),
    }
    for i in unknown:
        held = total(
            (solution.molar[n] * c.components[i] for n, c in solution.species.items() if i in c.components), "1"
        )
        held = held + solution.molar[solution.masters[i]]
        residuals[i] = (held - totals[i]) * 1e3
        if solution.charge[solution.masters[i]] >= HYDROLYSED:
            residuals[i] = (held - totals[i]) / (maximum(totals[i], constant(0.0, "1")) + _TRACE)
        symbol = solution.molar[solution.masters[i]] * MOLAR
        variables[f"{place}.free.{i}"] = (symbol, 1e-6, -1e-12)
    one_millimolar = {key: constant(1.0, "1") for key in residuals}
    network.equilibrium(f"{place}.speciation", variables, residuals, one_millimolar)
