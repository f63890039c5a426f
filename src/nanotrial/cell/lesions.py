"""Lesions of DNA after irradiation: which are lethal, which are breaks, what is seen of them.

With D'_e the dose rate to the nucleus times OER(p) / OER(p_0) (oxygen p, that of the measured curve p_0),

    lethal     dL/dt = D'_e (alpha w_a + 2 beta w_b min(m, D_T)) + beta spikes      dm/dt = D'_e - m ln2/T_1/2
    OER        (M p + K) / (p + K),   K = K_0 [thiols]/[thiols]_0,   p = oxygen + what sensitisers are worth
    clonogens  ds/dt = -s (dL/dt + hazard)
    breaks     y n (1 + S/2 + G2M) D'_e, a share c of them complex; each kind is repaired at a rate of its own
    foci       broken ends -(k_a)-> foci -(k_l)->

The memory m gives -ln S = alpha D + beta G D^2 with the Lea-Catcheside G of any course of dose, and LQ-L above D_T
(alpha + 2 beta D_T per dose). w are sensitivities of the phases over those of an asynchronous culture. The same curve
without particles is followed beside it, so that the ratio of doses of equal effect can be told. Cells with a lethal
lesion divide no more and die late (``cell.cycle``). Sources: in the sheets (lea_1942, astrahan_2008, alper_1956).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanotrial.cell.death import hazard
from nanotrial.network.terms import Term, constant, exp, maximum, minimum, sqrt

if TYPE_CHECKING:
    from nanotrial.cell.culture import Cells, Constants

ID = "cell.lesions"
PHASES = ("g1", "s", "g2m")
# Below this many lesions a ratio of doses is taken as one.
FEW = 1e-6


def applies(cells: Cells) -> bool:
    """Say whether radiation is followed."""
    return cells.beam is not None


def add_states(cells: Cells) -> None:
    """Add lesions, breaks, foci and the share of cells that can still found a colony."""
    network = cells.network
    for name in ("recent_dose", "reference_dose"):
        network.state(cells.name(name), "population", "Gy", 1.0)
    for name in ("lethal", "reference_linear", "reference_quadratic"):
        network.state(cells.name(name), "population", "1", 1.0)
    network.state(cells.name("clonogenic"), "population", "1", 1.0, constant(1.0, "1"))
    for name in ("simple_breaks", "complex_breaks", "single_breaks", "unmarked_breaks"):
        network.state(cells.name(name), "population", "1", 10.0)
    assert cells.beam is not None
    background = cells.beam.repair("background_foci", "1")
    network.state(cells.name("foci.fast"), "population", "1", 10.0)
    network.state(cells.name("foci.slow"), "population", "1", 10.0, background)


def oxygen_ratio(pressure: Term, maximum_ratio: Term, constant_pressure: Term) -> Term:
    """Return (M p + K) / (p + K)."""
    return (maximum_ratio * pressure + constant_pressure) / (pressure + constant_pressure)


def effective_ratio(cells: Cells) -> Term:
    """Return the effect of a dose here over that of the same dose where the survival curve was measured."""
    beam = cells.beam
    assert beam is not None
    top, half = beam.repair("oxygen_maximum", "1"), beam.repair("oxygen_constant", "Pa")
    thiols = cells.line("glutathione", "mol/m^3") / beam.repair("reference_thiol", "mol/m^3")
    here = maximum(beam.oxygen_pressure, constant(0.0, "Pa"))
    for name, sheet in beam.sensitisers.items():
        worth = sheet("oxygen_equivalence", "Pa*m^3/mol")
        amount = cells.dose(name) if name in cells.agents else cells.fluxes.get(name, constant(0.0, "mol/m^3"))
        here = here + worth * maximum(amount, constant(0.0, "mol/m^3"))
    reference = beam.sensitivity("oxygen", "Pa")
    return oxygen_ratio(here, top, half * thiols) / oxygen_ratio(reference, top, half * thiols)


def phase_weight(cells: Cells, kind: str) -> Term:
    """Return the sensitivity of the phases there are over that of the culture whose curve was measured."""
    beam = cells.beam
    assert beam is not None
    now, then = constant(0.0, "1"), constant(0.0, "1")
    weights = getattr(beam.repair.sheet, kind)
    for phase in PHASES:
        name = f"{beam.repair.identifier}.{kind}.{phase}"
        weight = cells.network.parameter(name, weights[phase], "1")
        now = now + weight * cells[f"phase.{phase}"]
        then = then + weight * beam.sensitivity(f"{phase}_share", "1")
    start = beam.sensitivity("g1_share", "1") + beam.sensitivity("s_share", "1") + beam.sensitivity("g2m_share", "1")
    return now / then * start


def add(cells: Cells) -> None:
    """Add the lesions of a dose rate, their repair, and the loss of clonogens."""
    beam, network = cells.beam, cells.network
    assert beam is not None
    ratio = effective_ratio(cells)
    felt = cells.fluxes["dose.nucleus"] * ratio
    alpha = beam.sensitivity("alpha", "1/Gy") * phase_weight(cells, "phase_alpha")
    beta = beam.sensitivity("beta", "1/Gy^2") * phase_weight(cells, "phase_beta")
    top = beam.sensitivity("threshold_dose", "Gy")
    # A square of doses counts with the square of what a dose is worth.
    spikes = beta * cells.fluxes["dose.spikes"] * ratio * ratio
    rate = felt * (alpha + beta * 2.0 * minimum(cells["recent_dose"], top)) + spikes
    _change(cells, "lethal", rate, "dose -> lethal lesions")
    cells.fluxes["lethal"] = rate
    plain = beam.dose_rate * ratio
    _change(cells, "reference_linear", plain * alpha, "")
    _change(cells, "reference_quadratic", plain * beta * 2.0 * minimum(cells["reference_dose"], top), "")
    forgetting = math.log(2.0) / beam.sensitivity("repair_half_time", "s")
    _change(cells, "recent_dose", felt - forgetting * cells["recent_dose"], "dose remembered")
    _change(cells, "reference_dose", plain - forgetting * cells["reference_dose"], "")
    other = hazard(cells) if cells.death is not None else constant(0.0, "1/s")
    cells.fluxes["other_death"] = other
    name = cells.name("clonogenic")
    network.process(cells.name("clonogens.lost"), {name: -1}, (rate + other) * network[name], "", ID)
    _add_breaks(cells, felt, beam.repair)


def _change(cells: Cells, state: str, rate: Term, line: str) -> None:
    cells.network.process(cells.name(f"{state}.changes"), {cells.name(state): 1}, rate, line, ID)


def _add_breaks(cells: Cells, felt: Term, sheet: Constants) -> None:
    beam = cells.beam
    assert beam is not None
    content = beam.sensitivity("dna_content", "1") * (1.0 + cells["phase.s"] * 0.5 + cells["phase.g2m"])
    made = felt * sheet("breaks_per_dose", "1/Gy") * content
    share = sheet("complex_share", "1")
    kinds = {
        "simple_breaks": (made * (1.0 - share), sheet("fast_repair", "1/s")),
        "complex_breaks": (made * share, sheet("slow_repair", "1/s")),
        "single_breaks": (made * sheet("single_strand_ratio", "1"), sheet("single_strand_repair", "1/s")),
        "unmarked_breaks": (made, sheet("foci_appearance", "1/s")),
    }
    for name, (born, repaired) in kinds.items():
        _change(cells, name, born - repaired * cells[name], "dose -> breaks -> repaired")
    resting = {"fast": constant(0.0, "1"), "slow": sheet("background_foci", "1")}
    appear = sheet("foci_appearance", "1/s") * cells["unmarked_breaks"]
    for speed, part in (("fast", 1.0 - share), ("slow", share)):
        key = f"{sheet.identifier}.foci_loss.{speed}"
        lost = cells.network.parameter(key, sheet.sheet.foci_loss[speed], "1/s")
        gone = lost * (cells[f"foci.{speed}"] - resting[speed])
        _change(cells, f"foci.{speed}", appear * part - gone, "broken ends -> foci -> none")


def enhancement_ratio(cells: Cells) -> Term:
    """Return the dose without particles that has the effect of this one, over this one: equal survival, any level.

    From L = A r + B r^2 with A, B the linear and quadratic lesions of the same irradiation without particles.
    """
    linear, quadratic = (maximum(cells[f"reference_{n}"], constant(0.0, "1")) for n in ("linear", "quadratic"))
    effect = maximum(cells["lethal"], constant(0.0, "1"))
    root = sqrt(linear * linear + quadratic * effect * 4.0 + FEW**2)
    return (effect * 2.0 + 2.0 * FEW) / (linear + root + FEW)


def comet_tail(cells: Cells) -> Term:
    """Return the share of DNA in the tail of an alkaline comet: 1 - (1 - background) exp(-breaks / scale)."""
    beam = cells.beam
    assert beam is not None
    breaks = cells["single_breaks"] + cells["simple_breaks"] + cells["complex_breaks"]
    kept = exp(-(maximum(breaks, constant(0.0, "1")) / beam.repair("comet_alkaline", "1")))
    return 1.0 - kept * (1.0 - beam.repair("comet_background", "1"))


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): 4 Gy in two half-times of repair, alpha 0.2, beta 0.05, Lea-Catcheside G."""
    from nanotrial.network.model import Network
    from nanotrial.solve.run import simulate_network

    network = Network("protraction")
    network.compartment("population", constant(1.0, "m^3"))
    memory = network.state("memory", "population", "Gy", 1.0)
    lethal = network.state("lethal", "population", "1", 1.0)
    rate, mu = constant(4.0 / 7200.0, "Gy/s"), math.log(2.0) / 3600.0
    network.process("memory.changes", {"memory": 1}, rate - constant(mu, "1/s") * memory)
    network.process(
        "lethal.changes", {"lethal": 1}, rate * (constant(0.2, "1/Gy") + constant(0.05, "1/Gy^2") * 2.0 * memory)
    )
    network.observe("lethal", lethal, "1")
    x = mu * 7200.0
    g = 2.0 * (x - 1.0 + math.exp(-x)) / x**2
    return float(simulate_network(network, [7200.0])["lethal"][0]), 0.2 * 4.0 + 0.05 * g * 16.0, 1e-6
