"""The protocol of an arm as events: additions, fresh medium, things taken out."""

from __future__ import annotations

from nanotrial.medium.crystals import floating_crystals
from nanotrial.network.terms import Term, ten_to, total
from nanotrial.particle import coat
from nanotrial.particle.fluid import Cohort, Fluid
from nanotrial.solve.events import Event
from nanotrial.study import Addition, Removal


def addition_event(tube: Fluid, addition: Addition, index: int) -> Event:
    """Return the event of an addition: particles with their coat and counter-ions, an inducer, a salt, or an enzyme."""
    network, changes = tube.network, {}
    strong, inert = network[f"{tube.name}.strong_charge"], network[f"{tube.name}.inert_ions"]
    if addition.kind == "particle":
        cohort = next(c for c in tube.cohorts if c.addition is addition)
        dose = network.parameter(f"{cohort.key}.dose", addition.amount, "mol/m^3") * tube.volume
        for j in range(len(cohort.classes.radii)):
            share = network.parameter(f"{cohort.key}.share.{j}", float(cohort.classes.mole_shares[j]), "1")
            changes[cohort.core_name(j)] = network[cohort.core_name(j)] + dose * share
        changes[f"{cohort.key}.added"] = network[f"{cohort.key}.added"] + dose
        if cohort.coat is not None and cohort.coat_sheet is not None:
            per = network.parameter(f"{cohort.key}.coat.mass_per_mole", cohort.coat.mass_per_mole, "kg/mol")
            changes[f"{cohort.key}.coat"] = network[f"{cohort.key}.coat"] + dose * per
            acid = coat.carboxylates(network, cohort.coat_material, cohort.coat_sheet, dose * per)
            changes |= {f"{tube.name}.strong_charge": strong + acid, f"{tube.name}.inert_ions": inert + acid}
        return Event(addition.time, changes, f"add {addition.name}")
    if addition.kind == "inducer":
        held = f"{tube.name}.{addition.name}"
        given = network.parameter(f"inducer.{index}.{addition.name}.concentration", addition.amount, "mol/m^3")
        return Event(addition.time, {held: network[held] + given * tube.volume}, f"add {addition.name}")
    agent = tube.agents[addition.name]
    name = f"agent.{index}.{addition.name}.concentration"
    if agent.kind == "enzyme":
        given = network.parameter(name, addition.amount, "mol/s/m^3") * tube.volume
        changes[f"{tube.name}.{addition.name}"] = network[f"{tube.name}.{addition.name}"] + given
        return Event(addition.time, changes, f"add {addition.name}")
    given = network.parameter(name, addition.amount, "mol/m^3") * tube.volume
    if agent.kind != "solute":
        held = f"{tube.name}.{addition.name}"
        return Event(addition.time, {held: network[held] + given}, f"add {addition.name}")
    for solute, count in agent.solutes.items():
        changes[f"{tube.name}.{solute}"] = network[f"{tube.name}.{solute}"] + given * float(count)
    changes[f"{tube.name}.strong_charge"] = strong + given * float(agent.strong_charge)
    changes[f"{tube.name}.inert_ions"] = inert + given * float(abs(agent.strong_charge))
    return Event(addition.time, changes, f"add {addition.name}")


def removal_event(tube: Fluid, removal: Removal, loose_particles: bool = False) -> Event:
    """Replace medium by fresh one, or take particles out.

    Particles in a tube stay when its buffer is replaced; ``loose_particles`` says that they go with the medium.
    """
    network, kept = tube.network, 1.0 - removal.fraction
    changes: dict[str, Term] = {}
    if removal.what == "medium":
        # What cells shed so far is a count; crystals that float leave with the medium of a dish.
        staying = (*(f"{tube.name}.{p}" for p in tube.phases), f"{tube.name}.shed")
        loose = set(floating_crystals(tube)) if loose_particles else set()
        for name, species in network.species.items():
            if name in loose:
                changes[name] = network[name] * kept
            elif name.startswith(f"{tube.name}.") and not name.startswith(staying):
                changes[name] = network[name] * kept + species.initial * removal.fraction
        if loose_particles:
            for cohort in tube.cohorts:
                changes |= _taking_out(tube, cohort, removal.fraction, changes)
        return Event(removal.time, changes, "replace medium")
    if removal.what in tube.agents:
        changes = {f"{tube.name}.{removal.what}": network[f"{tube.name}.{removal.what}"] * kept}
    for cohort in tube.cohorts:
        if cohort.particle.name == removal.what:
            changes |= _taking_out(tube, cohort, removal.fraction, changes)
    return Event(removal.time, changes, f"remove {removal.what}")


def _taking_out(tube: Fluid, cohort: Cohort, fraction: float, before: dict[str, Term]) -> dict[str, Term]:
    """Return the changes when a fraction of a cohort leaves, with its coat and the counter-ions of the coat."""
    network = tube.network
    moved = {n: network[n] for n in network.species if n.startswith(f"{cohort.key}.core.")}
    changes = {name: moles * (1.0 - fraction) for name, moles in moved.items()}
    changes[f"{cohort.key}.added"] = network[f"{cohort.key}.added"] * (1.0 - fraction)
    out, given = f"{cohort.key}.taken_out", f"{cohort.key}.taken_out_added"
    changes[out] = network[out] + total((moles * fraction for moles in moved.values()), "mol")
    changes[given] = network[given] + network[f"{cohort.key}.added"] * fraction
    if cohort.coat_sheet is not None:
        mass = network[f"{cohort.key}.coat"]
        acid = coat.carboxylates(network, cohort.coat_material, cohort.coat_sheet, mass * fraction)
        pka = network.parameter(f"{cohort.coat_material}.carboxylate_pka", cohort.coat_sheet.carboxylate_pka, "1")
        ionised = acid / (1.0 + ten_to(pka - tube.solution.ph))
        changes[f"{cohort.key}.coat"] = mass * (1.0 - fraction)
        for ions in (f"{tube.name}.strong_charge", f"{tube.name}.inert_ions"):
            changes[ions] = before.get(ions, network[ions]) - ionised
    return changes
