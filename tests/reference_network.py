"""A stiff network of 43 states for timing solvers and ensembles: a numerical test problem, not a model of anything.

Particles in a body, the chemistry of one cell, damage to its DNA, a tumour and its immune cells are coupled over 14
days. Every number is invented: plausible in size, taken from no source. Nothing may be concluded about any real
particle, cell, treatment or animal from a run. What counts is the shape: time scales from 0.1 s to weeks, transients
after three injections and six irradiations, and rates without kinks, so that methods of high order keep their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, power
from nanotrial.solve.events import Event, Pulse
from nanotrial.units import to_si

HOUR, DAY = 3600.0, 86400.0
INJECTION_DAYS = (0, 3, 6)
IRRADIATION_DAYS = (1, 2, 3, 7, 8, 9)
FRACTION_GRAY, FRACTION_SECONDS = 2.0, 180.0
SPREAD = 1.2

# Name, number and unit of every parameter; `dose` is read by the injections and `dose_rate` is set by the fractions.
PARTICLE = """
dose 100 umol; blood.volume 1.7 mL; liver.capacity 60 umol/h; liver.half 20 mmol/L; organ.back 0.04 1/h;
spleen.uptake 0.08 1/h; kidney.uptake 0.05 1/h; vessel.inflow 0.6 1/h; vessel.outflow 20 1/h;
vessel.leak 1.5 1/h; lymph 0.05 1/h; bind 1 1/h; bind.sites 2 umol; unbind 0.2 1/h; engulf 0.5 1/h;
to_lysosome 2 1/h; dissolve 0.01 1/h; dissolve.order 0.4 1; dissolve.organs 0.03 1/h; acid.blood 40 nmol/L;
acid.interstitium 200 nmol/L; acid.endosome 1 umol/L; acid.lysosome 20 umol/L; payload.loading 0.05 1;
payload.clear 0.1 1/h; payload.half 0.1 umol
"""
CALCIUM = """
cytosol.volume 1 pL; er.volume 0.2 pL; mitochondria.volume 0.15 pL; outside.volume 1 pL; calcium.buffering 50 1;
serca.max 10 umol/L/s; serca.half 0.3 umol/L; er.leak 0.002 1/s; er.channel 0.01 1/s; er.channel.half 0.2 umol/L;
uniporter.max 5 umol/L/s; uniporter.half 1 umol/L; mitochondria.release 0.03 1/s; pmca.max 4 umol/L/s;
pmca.half 0.5 umol/L; membrane.leak 4.4e-4 1/s; membrane.half 0.2 umol/L; atp.half 0.5 mmol/L;
atp.make 0.3 mmol/L/s; atp.use 0.01 1/s; adenylate 3.5 mmol/L
"""
REDOX = """
superoxide.basal 0.5 umol/L/s; superoxide.calcium 40 umol/L; superoxide.yield 50 umol/J; dismutation 5 1/s;
peroxide.per_metal 0.7 1; peroxide.exchange 2 1/s; peroxide.outside_loss 0.5 1/s; catalase 2 1/s;
glutathione_peroxidase 5e-4 L/umol/s; glutathione_reductase 0.2 1/s; glutathione 5 mmol/L; prx 20 umol/L;
prx.oxidise 0.5 L/umol/s; prx.reduce 0.2 L/umol/s; prx.hyperoxidise 5e-3 L/umol/s; prx.repair 0.5 1/h;
trx 5 umol/L; trx.reduce 1 1/s; nadp 100 umol/L; nadph.half 10 umol/L; nadph.make 0.05 1/s;
oxygen.blood 60 umol/L; oxygen.supply 0.05 1/s; oxygen.use 2 umol/L/s; oxygen.half 3 umol/L
"""
DAMAGE = """
dose_rate 0 Gy/s; simple.per_dose 1000 1/Gy; complex.per_dose 35 1/Gy; simple.per_peroxide 10 L/umol/s;
oxygen.gain 1.8 1; simple.repair 2 1/h; complex.repair 0.5 1/h; misrepair 4e-4 1/h; misrepair.clear 0.3 1/d;
cells 1e8 1; cell.volume 2 pL; growth 0.5 1/d; capacity 1e9 1; doom.lesion 0.03 1/d; doom.calcium 1 1/d;
doom.calcium_half 0.6 umol/L; doom.peroxide 0.5 1/d; doom.peroxide_half 0.2 umol/L; death 0.8 1/d;
clearance 0.4 1/d
"""
IMMUNE = """
antigen.half 3e7 1; dendritic.supply 2e5 1/d; dendritic.loss 0.2 1/d; dendritic.ripen 1 1/d; priming.half 2e5 1;
naive.supply 1e5 1/d; memory.loss 0.02 1/d; prime 0.5 1/d; expand 0.8 1/d; effector.loss 0.3 1/d;
remember 0.05 1/d; exhaust 0.4 1/d; kill 0.8 1/d; kill.half 5e6 1; regulatory.supply 5e4 1/d;
regulatory.half 1e6 1; cytokine.make 2e-6 umol/L/s; cytokine.half 0.05 umol/L; cytokine.loss 0.5 1/h;
turnover 0.8 1/d
"""
SITES = ("blood", "liver", "spleen", "kidney", "vessel", "interstitium", "bound", "endosome", "lysosome")


@dataclass(frozen=True)
class ReferenceProblem:
    """A network with what is done to it: outputs (s), injections and irradiations."""

    network: Network
    outputs: tuple[float, ...]
    events: tuple[Event, ...]
    pulses: tuple[Pulse, ...]

    def draw(self, members: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """Return SI parameters, shape (members, parameters), in the order of ``network.parameters``.

        Positive ones are lognormal around their centre with a geometric standard deviation of 1.2; zeros stay zero.
        """
        centre = np.array([p.value for p in self.network.parameters.values()])
        return centre * SPREAD ** generator.standard_normal((members, centre.size))


def reference_problem() -> ReferenceProblem:
    """Return the network, outputs every 6 h over 14 days, injections on days 0, 3, 6 and six fractions of 2 Gy."""
    network = Network("reference problem for solvers")
    entries = ";".join((PARTICLE, CALCIUM, REDOX, DAMAGE, IMMUNE)).split(";")
    of = {
        name: network.parameter(name, to_si(float(number), unit), unit)
        for name, number, unit in (entry.split() for entry in entries)
    }
    _states(network, of)
    dissolved = _particles(network, of)
    _calcium(network, of)
    _peroxide(network, of, dissolved)
    _thiols(network, of)
    _damage(network, of)
    _tumour(network, of)
    _immune(network, of)
    _observables(network, of)
    blood = network["particle.blood"] + of["dose"]
    return ReferenceProblem(
        network,
        tuple(6 * HOUR * i for i in range(57)),
        tuple(Event(day * DAY, {"particle.blood": blood}, f"injection on day {day}") for day in INJECTION_DAYS),
        tuple(
            Pulse(day * DAY, day * DAY + FRACTION_SECONDS, "dose_rate", FRACTION_GRAY / FRACTION_SECONDS)
            for day in IRRADIATION_DAYS
        ),
    )


def _states(network: Network, of: Mapping[str, Term]) -> None:
    """Add compartments and states; the pools of the cell begin near rest, the immune cells at rest."""
    network.compartment("body", of["blood.volume"])
    for place in ("cytosol", "er", "mitochondria", "outside"):
        network.compartment(place, of[f"{place}.volume"])
    for site in SITES:
        network.state(f"particle.{site}", "body", scale=1e-6, content={"metal": 1})
    network.state("metal.dissolved", "body", scale=1e-6, content={"metal": 1})
    network.state("payload", "body", scale=1e-7)
    _states_of_cell(network, of)
    _states_of_tumour(network, of)


def _states_of_cell(network: Network, of: Mapping[str, Term]) -> None:
    def held(name: str, place: str, start: Term, size: float, **content: float) -> None:
        """Add an amount that starts at a concentration; ``size`` is a typical one (mol/m^3)."""
        network.state(name, place, "mol", size * 1e-15, start * of[f"{place}.volume"], content)

    def level(number: float) -> Term:
        return constant(number, "mol/m^3")

    held("calcium.cytosol", "cytosol", level(1e-4) * (1 + of["calcium.buffering"]), 5e-3, calcium=1)
    held("calcium.er", "er", level(0.4), 0.1, calcium=1)
    held("calcium.mitochondria", "mitochondria", level(0.01), 1e-3, calcium=1)
    held("calcium.outside", "outside", level(1.2), 1.0, calcium=1)
    held("atp", "cytosol", 0.9 * of["adenylate"], 1.0)
    held("superoxide", "cytosol", level(1e-5), 1e-5)
    held("peroxide.cytosol", "cytosol", level(1e-5), 1e-5)
    held("peroxide.outside", "outside", level(1e-5), 1e-5)
    held("gsh", "cytosol", 0.98 * of["glutathione"], 1.0, glutathione=1)
    held("gssg", "cytosol", 0.01 * of["glutathione"], 1e-2, glutathione=2)
    held("nadph", "cytosol", 0.95 * of["nadp"], 0.1)
    held("prx.reduced", "cytosol", 0.95 * of["prx"], 1e-2, peroxiredoxin=1)
    held("prx.oxidised", "cytosol", 0.04 * of["prx"], 1e-3, peroxiredoxin=1)
    held("prx.hyperoxidised", "cytosol", 0.01 * of["prx"], 1e-3, peroxiredoxin=1)
    held("trx.reduced", "cytosol", 0.9 * of["trx"], 1e-3)
    for lesion, size in (("simple", 100.0), ("complex", 1.0), ("misrepaired", 1.0)):
        network.state(f"lesions.{lesion}", "cytosol", "1", size)


def _states_of_tumour(network: Network, of: Mapping[str, Term]) -> None:
    network.state("oxygen", "outside", "mol/m^3", 1e-2, 0.5 * of["oxygen.blood"])
    network.state("cytokine", "body", "mol/m^3", 1e-5)
    starts: dict[str, tuple[float, Term | float]] = {
        "live": (1e8, of["cells"]),
        "doomed": (1e6, 0.0),
        "dead": (1e6, 0.0),
        "antigen": (1e6, 0.0),
        "dendritic.immature": (1e5, of["dendritic.supply"] / of["dendritic.loss"]),
        "dendritic.mature": (1e5, 0.0),
        "naive": (1e5, of["naive.supply"] / of["memory.loss"]),
        "effector": (1e5, 0.0),
        "memory": (1e5, 0.0),
        "regulatory": (1e5, of["regulatory.supply"] / of["effector.loss"]),
        "exhausted": (1e5, 0.0),
        "ligand": (0.1, 0.0),
    }
    for name, (size, start) in starts.items():
        network.state(name, "body", "1", size, start)


def saturation(amount: Term, half: Term, order: int = 1) -> Term:
    """Return x^n / (x^n + half^n)."""
    ratio = (amount / half) ** order
    return ratio / (1 + ratio)


def _particles(network: Network, of: Mapping[str, Term]) -> dict[str, Term]:
    """Add transport and dissolution; return the rates of dissolution (mol/s) outside and inside the tumour's cells."""

    def amount(site: str) -> Term:
        return network[f"particle.{site}"]

    def move(source: str, target: str, rate: Term) -> None:
        network.process(f"{source}_to_{target}", {f"particle.{source}": -1, f"particle.{target}": 1}, rate)

    blood = amount("blood")
    move("blood", "liver", of["liver.capacity"] * saturation(blood / of["blood.volume"], of["liver.half"]))
    move("liver", "blood", of["organ.back"] * amount("liver"))
    move("blood", "spleen", of["spleen.uptake"] * blood)
    move("spleen", "blood", of["organ.back"] * amount("spleen"))
    move("blood", "kidney", of["kidney.uptake"] * blood)
    move("blood", "vessel", of["vessel.inflow"] * blood)
    move("vessel", "blood", of["vessel.outflow"] * amount("vessel"))
    move("vessel", "interstitium", of["vessel.leak"] * amount("vessel"))
    move("interstitium", "blood", of["lymph"] * amount("interstitium"))
    free_sites = 1 / (1 + amount("bound") / of["bind.sites"])
    move("interstitium", "bound", of["bind"] * amount("interstitium") * free_sites)
    move("bound", "interstitium", of["unbind"] * amount("bound"))
    move("bound", "endosome", of["engulf"] * amount("bound"))
    move("endosome", "lysosome", of["to_lysosome"] * amount("endosome"))

    def in_acid(place: str) -> Term:
        return of["dissolve"] * power(of[f"acid.{place}"] / constant(1e-4, "mol/m^3"), of["dissolve.order"])

    acid = {"blood": "blood", "vessel": "blood", "interstitium": "interstitium", "bound": "interstitium"}
    rates = {site: in_acid(acid.get(site, site)) for site in ("blood", *SITES[4:])}
    rates |= dict.fromkeys(("liver", "spleen", "kidney"), of["dissolve.organs"])
    dissolving = {site: rates[site] * amount(site) for site in SITES}
    for site, rate in dissolving.items():
        network.process(f"dissolve_{site}", {f"particle.{site}": -1, "metal.dissolved": 1}, rate)
    inside = dissolving["endosome"] + dissolving["lysosome"]
    network.process("payload_released", {"payload": 1}, of["payload.loading"] * inside)
    network.process("payload_cleared", {"payload": -1}, of["payload.clear"] * network["payload"])
    return {"outside": dissolving["interstitium"] + dissolving["bound"], "cytosol": inside}


def _calcium(network: Network, of: Mapping[str, Term]) -> None:
    """Add pumps, channels and leaks (mol/s), and the ATP that the pumps use."""
    volume, level = of["cytosol.volume"], network.concentration
    free = level("calcium.cytosol") / (1 + of["calcium.buffering"])
    peroxide = level("peroxide.cytosol")
    fuel = saturation(level("atp"), of["atp.half"])

    def move(name: str, source: str, target: str, rate: Term) -> None:
        network.process(name, {f"calcium.{source}": -1, f"calcium.{target}": 1}, rate)

    serca = of["serca.max"] * volume * fuel * saturation(free, of["serca.half"], 2)
    pmca = of["pmca.max"] * volume * fuel * saturation(free, of["pmca.half"])
    opening = of["er.leak"] + of["er.channel"] * saturation(peroxide, of["er.channel.half"], 2)
    leak = of["membrane.leak"] * (1 + level("peroxide.outside") / of["membrane.half"])
    move("serca", "cytosol", "er", serca)
    move("er_leak", "er", "cytosol", opening * volume * (level("calcium.er") - free))
    move(
        "uniporter", "cytosol", "mitochondria", of["uniporter.max"] * volume * saturation(free, of["uniporter.half"], 2)
    )
    move(
        "mitochondria_release", "mitochondria", "cytosol", of["mitochondria.release"] * network["calcium.mitochondria"]
    )
    move("pmca", "cytosol", "outside", pmca)
    move("membrane_leak", "outside", "cytosol", leak * volume * (level("calcium.outside") - free))
    breathing = saturation(network["oxygen"], of["oxygen.half"])
    network.process("atp_made", {"atp": 1}, of["atp.make"] * volume * breathing * (1 - level("atp") / of["adenylate"]))
    network.process("atp_used", {"atp": -1}, of["atp.use"] * network["atp"] + serca + pmca)


def _peroxide(network: Network, of: Mapping[str, Term], dissolved: Mapping[str, Term]) -> None:
    """Add superoxide, hydrogen peroxide on both sides of the membrane, and oxygen."""
    volume, level = of["cytosol.volume"], network.concentration
    oxygen = network["oxygen"]
    breathing = saturation(oxygen, of["oxygen.half"])
    absorbed = constant(1000.0, "kg/m^3") * of["dose_rate"] * volume
    charge = 1 + level("calcium.mitochondria") / of["superoxide.calcium"]
    made = of["superoxide.basal"] * volume * breathing * charge
    network.process("superoxide_made", {"superoxide": 1}, made + of["superoxide.yield"] * absorbed)
    network.process(
        "superoxide_dismutes", {"superoxide": -2, "peroxide.cytosol": 1}, of["dismutation"] * network["superoxide"]
    )
    for place, rate in dissolved.items():
        share = of["peroxide.per_metal"] * rate / of["cells"]
        network.process(f"peroxide_from_core_{place}", {f"peroxide.{place}": 1}, share)
    difference = level("peroxide.outside") - level("peroxide.cytosol")
    crossing = {"peroxide.outside": -1, "peroxide.cytosol": 1}
    network.process("peroxide_crosses", crossing, of["peroxide.exchange"] * volume * difference)
    outside_loss = of["peroxide.outside_loss"] * network["peroxide.outside"]
    network.process("peroxide_lost_outside", {"peroxide.outside": -1}, outside_loss)
    network.process("peroxide_to_water", {"peroxide.cytosol": -1}, of["catalase"] * network["peroxide.cytosol"])
    network.process("oxygen_supplied", {"oxygen": 1}, of["oxygen.supply"] * (of["oxygen.blood"] - oxygen))
    living = network["live"] / (network["live"] + of["cells"])
    network.process("oxygen_used", {"oxygen": -1}, of["oxygen.use"] * breathing * living)


def _thiols(network: Network, of: Mapping[str, Term]) -> None:
    """Add glutathione, peroxiredoxin, thioredoxin and the NADPH that reduces them; second order in the cytosol."""
    level = network.concentration
    fuel = saturation(level("nadph"), of["nadph.half"])

    def meet(name: str, first: str, second: str, constant_of: str, **made: float) -> None:
        changes = {first: -1.0, second: -1.0, **{k.replace("_", "."): v for k, v in made.items()}}
        network.process(name, changes, of[constant_of] * network[first] * level(second))

    meet("prx_oxidised", "prx.reduced", "peroxide.cytosol", "prx.oxidise", prx_oxidised=1)
    meet("prx_hyperoxidised", "prx.oxidised", "peroxide.cytosol", "prx.hyperoxidise", prx_hyperoxidised=1)
    meet("prx_reduced", "prx.oxidised", "trx.reduced", "prx.reduce", prx_reduced=1)
    repaired = of["prx.repair"] * network["prx.hyperoxidised"] * saturation(level("atp"), of["atp.half"])
    network.process("prx_repaired", {"prx.hyperoxidised": -1, "prx.reduced": 1}, repaired)
    by_gsh = of["glutathione_peroxidase"] * network["gsh"] * level("peroxide.cytosol")
    network.process("gsh_oxidised", {"peroxide.cytosol": -1, "gsh": -2, "gssg": 1}, by_gsh)
    reduced = of["glutathione_reductase"] * network["gssg"] * fuel
    network.process("gssg_reduced", {"gssg": -1, "gsh": 2, "nadph": -1}, reduced)
    oxidised_trx = (of["trx"] - level("trx.reduced")) * of["cytosol.volume"]
    network.process("trx_reduced", {"trx.reduced": 1, "nadph": -1}, of["trx.reduce"] * oxidised_trx * fuel)
    oxidised_nadp = (of["nadp"] - level("nadph")) * of["cytosol.volume"]
    network.process("nadph_made", {"nadph": 1}, of["nadph.make"] * oxidised_nadp)


def _damage(network: Network, of: Mapping[str, Term]) -> None:
    """Add lesions of one cell: made by dose and peroxide, repaired in hours, two complex ones joined wrongly."""
    simple, complex_ones = network["lesions.simple"], network["lesions.complex"]
    enhanced = of["dose_rate"] * (1 + of["oxygen.gain"] * saturation(network["oxygen"], of["oxygen.half"]))
    able = saturation(network.concentration("atp"), of["atp.half"]) / (1 + network["payload"] / of["payload.half"])
    oxidised = of["simple.per_peroxide"] * network.concentration("peroxide.cytosol")
    network.process("simple_made", {"lesions.simple": 1}, of["simple.per_dose"] * enhanced + oxidised)
    network.process("complex_made", {"lesions.complex": 1}, of["complex.per_dose"] * enhanced)
    network.process("simple_repaired", {"lesions.simple": -1}, of["simple.repair"] * able * simple)
    network.process("complex_repaired", {"lesions.complex": -1}, of["complex.repair"] * able * complex_ones)
    joined = of["misrepair"] * complex_ones * complex_ones
    network.process("misrepaired", {"lesions.complex": -2, "lesions.misrepaired": 1}, joined)
    network.process(
        "misrepair_cleared", {"lesions.misrepaired": -1}, of["misrepair.clear"] * network["lesions.misrepaired"]
    )


def _tumour(network: Network, of: Mapping[str, Term]) -> None:
    """Add growth, doom by damage, calcium and peroxide, killing by effectors, death and clearance of cells."""
    live, everyone = network["live"], network["live"] + network["doomed"] + network["dead"]
    level = network.concentration
    free = level("calcium.cytosol") / (1 + of["calcium.buffering"])
    fed = saturation(network["oxygen"], of["oxygen.half"]) / (1 + everyone / of["capacity"])
    network.process("live_grow", {"live": 1}, of["growth"] * live * fed)
    toll = of["doom.lesion"] * network["lesions.misrepaired"]
    toll = toll + of["doom.calcium"] * saturation(free, of["doom.calcium_half"], 4)
    toll = toll + of["doom.peroxide"] * saturation(level("peroxide.cytosol"), of["doom.peroxide_half"], 2)
    killing = of["kill"] * saturation(network["effector"], of["kill.half"]) / (1 + network["ligand"])
    network.process("doom", {"live": -1, "doomed": 1}, toll * live)
    network.process("killing", {"live": -1, "dead": 1}, killing * live)
    network.process("doomed_die", {"doomed": -1, "dead": 1}, of["death"] * network["doomed"])
    network.process("dead_cleared", {"dead": -1, "antigen": 1}, of["clearance"] * network["dead"])


def _immune(network: Network, of: Mapping[str, Term]) -> None:
    """Add maturation by antigen, priming, expansion, memory and exhaustion, a cytokine and the ligand it raises."""

    def lose(name: str, rate: str) -> None:
        network.process(f"{name}_lost", {name: -1}, of[rate] * network[name])

    def turn(source: str, target: str, rate: Term) -> None:
        network.process(f"{source}_into_{target}", {source: -1, target: 1}, rate * network[source])

    network.process("dendritic_supply", {"dendritic.immature": 1}, of["dendritic.supply"])
    network.process("naive_supply", {"naive": 1}, of["naive.supply"])
    network.process("regulatory_supply", {"regulatory": 1}, of["regulatory.supply"] * (1 + network["ligand"]))
    signal = saturation(network["dendritic.mature"], of["priming.half"])
    raised = saturation(network["cytokine"], of["cytokine.half"])
    turn(
        "dendritic.immature",
        "dendritic.mature",
        of["dendritic.ripen"] * saturation(network["antigen"], of["antigen.half"]),
    )
    turn("naive", "effector", of["prime"] * signal)
    turn("memory", "effector", of["prime"] * signal)
    turn("effector", "memory", of["remember"])
    turn("effector", "exhausted", of["exhaust"] * network["ligand"] / (1 + network["ligand"]))
    restraint = 1 / (1 + network["regulatory"] / of["regulatory.half"])
    network.process("expansion", {"effector": 1}, of["expand"] * signal * restraint * network["effector"])
    made = of["cytokine.make"] * saturation(network["effector"], of["kill.half"])
    network.process("cytokine_made", {"cytokine": 1}, made)
    network.process("ligand_raised", {"ligand": 1}, of["turnover"] * raised)
    lose("antigen", "turnover")
    lose("dendritic.immature", "dendritic.loss")
    lose("dendritic.mature", "dendritic.loss")
    lose("naive", "memory.loss")
    lose("memory", "memory.loss")
    for name in ("effector", "exhausted", "regulatory"):
        lose(name, "effector.loss")
    lose("cytokine", "cytokine.loss")
    lose("ligand", "turnover")


def _observables(network: Network, of: Mapping[str, Term]) -> None:
    """Add what is read out; all of it smooth."""
    everyone = network["live"] + network["doomed"] + network["dead"]
    level = network.concentration
    free = level("calcium.cytosol") / (1 + of["calcium.buffering"])
    inside = network["particle.bound"] + network["particle.endosome"] + network["particle.lysosome"]
    network.observe("viability", network["live"] / everyone, "%", "living share of the cells present")
    network.observe("tumour_volume", everyone * of["cell.volume"], "mm^3", "volume of all cells present")
    network.observe("calcium", free, "umol/L", "free calcium in the cytosol")
    network.observe("hydrogen_peroxide", level("peroxide.cytosol"), "umol/L", "in the cytosol")
    network.observe("glutathione_oxidised", 2 * network["gssg"] / (network["gsh"] + 2 * network["gssg"]), "%", "share")
    network.observe("prx_hyperoxidised", level("prx.hyperoxidised") / of["prx"], "%", "share of peroxiredoxin")
    network.observe("atp", level("atp"), "mmol/L", "in the cytosol")
    network.observe("oxygen", network["oxygen"], "umol/L", "in the tumour")
    network.observe("complex_lesions", network["lesions.complex"], "1", "in one cell")
    network.observe("in_tumour_cells", inside, "umol", "particles on and in the tumour's cells")
    network.observe("effectors", network["effector"], "1", "effector T cells")
