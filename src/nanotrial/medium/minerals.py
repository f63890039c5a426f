"""Minerals that form when the solution is supersaturated, and dissolve again when it is not.

    rate = k V (c_eq scale) (Omega^(1/nu) - 1)   while Omega > 1 (forming), or while solid is there (dissolving)
    Omega = IAP / K

A first-order approach to saturation: it sets the ceiling that solubility puts on dissolved ions, not the time of
nucleation (a later room). The phases come from ``catalogue/phases``. Assumption: relaxation_rate is assumed and wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium.constants import equilibrium_constant
from nanotrial.network.terms import Term, constant, maximum, minimum, power

if TYPE_CHECKING:
    from nanotrial.catalogue.schema import Counts
    from nanotrial.medium.speciation import Solution
    from nanotrial.particle.fluid import Fluid

ID = "medium.minerals"
_TINY = 1e-6


def applies(tube: Fluid) -> bool:
    """Say whether any phase of the catalogue can form from the components at hand."""
    return bool(tube.phases)


def saturation_ratio(solution: Solution, ion_product: Counts, constant_term: Term) -> Term:
    """Return Omega = prod a^nu / K for a reaction written from the solid; protons may have negative counts."""
    ratio = 1.0 / constant_term
    for name, count in ion_product.items():
        ratio = ratio * solution.activity(name) ** int(count)
    return ratio


def ion_count(ion_product: Counts) -> float:
    """Return nu: how many dissolved ions a formula unit gives, protons and hydroxide left out."""
    return sum(n for name, n in ion_product.items() if name not in ("H+", "OH-") and n > 0)


def add(tube: Fluid) -> None:
    """Add one process per phase."""
    network = tube.network
    for identifier, phase in tube.phases.items():
        k = equilibrium_constant(network, f"phase.{identifier}", phase.log_k, phase.enthalpy, tube.temperature)
        rate = network.parameter(f"phase.{identifier}.relaxation_rate", phase.relaxation_rate, "1/s")
        omega = saturation_ratio(tube.solution, phase.ion_product, k)
        nu = ion_count(phase.ion_product)
        root = omega if nu == 1 else power(maximum(omega, constant(0.0, "1")) + _TINY**nu, 1.0 / nu) - _TINY
        content: dict[str, float] = {}
        for solute, count in phase.products.items():
            for kind, held in network.species[f"{tube.name}.{solute}"].content.items():
                content[kind] = content.get(kind, 0.0) + held * count
        solid = network.state(f"{tube.name}.{identifier}", tube.name, scale=tube.scale, content=content)
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
        network.process(f"mineral.{identifier}", stoichiometry, progress, f"ions <-> {phase.formula}(s)", ID)
        network.observe(f"{identifier}.saturation_ratio", omega, "1", f"ion product of {phase.name} over its constant")


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): lime water left to itself ends at the solubility of portlandite."""
    from nanotrial.medium.vessel import closed_vessel
    from nanotrial.solve.run import simulate_network

    vessel = closed_vessel({"calcium": 60.0}, ph=12.5, phases=("portlandite",))
    add(vessel)
    run = simulate_network(vessel.network, [36000.0])
    return float(run["portlandite.saturation_ratio"][-1]), 1.0, 1e-4
