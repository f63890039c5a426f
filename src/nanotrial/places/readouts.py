"""What a tube can show: pH, dissolved components, where protons are, release."""

from __future__ import annotations

from nanotrial.medium.crystals import solid_content
from nanotrial.network.terms import constant, minimum, share, ten_to, total
from nanotrial.particle.fluid import Cohort, Fluid


def add_observables(tube: Fluid) -> None:
    """Add everything a tube can show: pH, dissolved components, protons, release, what is left."""
    observe_solution(tube)
    _observe_protons(tube)
    if tube.cohorts:
        observe_release(tube, tube.cohorts)


def observe_solution(tube: Fluid) -> None:
    """Add pH, ionic strength and dissolved components."""
    network, solution = tube.network, tube.solution
    network.observe("ph", solution.ph, "1", "pH as an electrode shows it")
    network.observe("ionic_strength", solution.ionic_strength * constant(1000.0, "mol/m^3"), "mmol/L")
    for name in solution.components:
        network.observe(name, network.concentration(f"{tube.name}.{name}"), "mmol/L", f"dissolved {name}, all forms")


def observe_release(tube: Fluid, cohorts: list[Cohort]) -> None:
    """Add release, core and coat left, over all places where particles are.

    Arguments:
        tube: the fluid whose minerals take metal back.
        cohorts: the cohorts of every place.
    """
    network = tube.network
    # Particles that were taken out count as given, and what they still held as left.
    taken = [n for n in network.species if n.endswith(".taken_out")]
    added = total((network[f"{c.key}.added"] for c in cohorts), "mol")
    added = added + total((network[f"{n}_added"] for n in taken), "mol")
    left = total((network[n] for n in taken), "mol") + total(
        (network[c.core_name(j)] for c in cohorts for j in range(len(c.classes.radii))), "mol"
    )
    gone = added - left
    solid = total((solid_content(tube, m) for m in dict.fromkeys(c.metal for c in cohorts)), "mol")
    floor = tube.floor
    network.observe(
        "release", share(gone - minimum(solid, gone), added, floor), "1", "dissolved metal over metal given"
    )
    network.observe("core_left", share(left, added, floor), "1", "core that is left")
    coats = [c for c in cohorts if c.coat is not None]
    if coats:
        mass = total((network[f"{c.key}.coat"] for c in coats), "kg")
        whole = total(
            (network[f"{c.key}.added"] * constant(c.coat.mass_per_mole, "kg/mol") for c in coats if c.coat), "kg"
        )
        kilogram = constant(1.0, "kg/mol")
        network.observe("coat_left", share(mass, whole, floor * kilogram), "1", "coat that is left")


def _observe_protons(tube: Fluid) -> None:
    """Observe where protons are: free minus hydroxide, and bound to each component (mol/m^3)."""
    solution = tube.solution
    litre = constant(1000.0, "mol/m^3")
    tube.network.observe("protons.free", (solution.proton - solution.hydroxide) * litre, "mmol/L")
    for i, sheet in solution.components.items():
        own = [sp for sp in sheet.species if sp.protons and sp.name in solution.species]
        if own:
            held = total((solution.free(sp.name) * float(sp.protons) for sp in own), "mol/m^3")
            tube.network.observe(f"protons.{i}", held, "mmol/L", f"protons bound by {i}")
    net = solution.proton - solution.hydroxide
    for name, molar in solution.molar.items():
        net = net + molar * float(solution.charge[name])
    held = constant(0.0, "mol/m^3")
    for site in solution.sites:
        bare = site.amount / tube.volume / (1.0 + ten_to(site.pka - solution.ph))
        tube.network.observe(f"protons.{site.name}", site.amount / tube.volume - bare, "mmol/L")
        net = net - bare / litre
        held = held + site.amount / tube.volume
    strong = tube.network.concentration(f"{tube.name}.strong_charge")
    tube.network.observe("counter_ions", strong - held, "mmol/L", "charge of inert ions beyond that of polymers")
    net = net + strong / litre
    tube.network.observe("charge_error", net * litre, "mmol/L", "departure from electroneutrality")
