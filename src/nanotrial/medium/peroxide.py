"""What becomes of dissolved hydrogen peroxide: slow decay, catalase, peroxidase.

    decay        2 H2O2 -> O2 + 2 H2O     k c
    catalase     2 H2O2 -> O2 + 2 H2O     U (K + s_u) / s_u * c / (K + c),  U = activity in mol/(m^3 s) at s_u
    inactivation of the enzyme            k_i E c
    peroxidase   H2O2 + donor -> 2 H2O    the same law; the donor is taken as plentiful and the peroxide leaves as
                                          ``oxidised_donor``

One enzyme unit turns over one micromole a minute at the substrate concentration of its definition (unit_substrate).
Validity: 15 to 40 degC; catalase K_M is apparent. Sources: in the agents' sheets (switala_2002, sigma_catalase).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanotrial.medium.constants import arrhenius
from nanotrial.network.terms import Term

if TYPE_CHECKING:
    from nanotrial.catalogue.agent_schema import Agent
    from nanotrial.particle.fluid import Fluid

ID = "medium.peroxide"


def applies(tube: Fluid) -> bool:
    """Say whether hydrogen peroxide is a component."""
    return "hydrogen_peroxide" in tube.solution.components


def add(tube: Fluid) -> None:
    """Add decay and every enzyme that acts on hydrogen peroxide."""
    network = tube.network
    sheet = tube.solution.components["hydrogen_peroxide"]
    peroxide = network.concentration(f"{tube.name}.hydrogen_peroxide")
    if sheet.decay is not None:
        rate = network.parameter("hydrogen_peroxide.decay_rate", sheet.decay.rate, "1/s")
        heat = arrhenius(network, "hydrogen_peroxide.decay_energy", sheet.decay.activation_energy, tube.temperature)
        network.process(
            "decay.hydrogen_peroxide",
            {f"{tube.name}.hydrogen_peroxide": -1, f"{tube.name}.oxygen": 0.5},
            rate * heat * peroxide * tube.volume,
            "H2O2 -> 1/2 O2 + H2O",
            ID,
        )
    for name, agent in tube.enzymes("hydrogen_peroxide").items():
        turnover = enzyme_rate(tube, name, agent, peroxide) * tube.volume
        if agent.action == "disproportionation":
            made, line = {f"{tube.name}.oxygen": 0.5}, "H2O2 -> 1/2 O2 + H2O"
        else:
            network.state(f"{tube.name}.oxidised_donor", tube.name, scale=tube.scale, content={"peroxide": 1})
            made, line = {f"{tube.name}.oxidised_donor": 1.0}, "H2O2 + donor -> 2 H2O + oxidised donor"
        network.process(f"{name}.turnover", {f"{tube.name}.hydrogen_peroxide": -1, **made}, turnover, line, ID)
        if agent.inactivation_rate is not None:
            loss = network.parameter(f"{name}.inactivation_rate", agent.inactivation_rate, "m^3/mol/s")
            network.process(
                f"{name}.inactivation",
                {f"{tube.name}.{name}": -1},
                loss * peroxide * network[f"{tube.name}.{name}"],
                f"{name} -> inactive",
                ID,
                opens=(name,),
            )


def enzyme_rate(tube: Fluid, name: str, agent: Agent, substrate: Term) -> Term:
    """Return the Michaelis-Menten rate (mol/(m^3 s)) of an enzyme given in units at its unit_substrate."""
    assert agent.half_saturation is not None
    assert agent.unit_substrate is not None
    half = tube.network.parameter(f"{name}.half_saturation", agent.half_saturation, "mol/m^3")
    unit = tube.network.parameter(f"{name}.unit_substrate", agent.unit_substrate, "mol/m^3")
    activity = tube.network[f"{tube.name}.{name}"] / tube.volume
    return activity * (half + unit) / unit * substrate / (half + substrate)


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): at unit_substrate a unit per litre takes 1 umol/(L min)."""
    import casadi as ca

    from nanotrial.medium.vessel import closed_vessel

    unit = 1e-6 / 60 / 1e-3
    vessel = closed_vessel({"hydrogen_peroxide": 9.75, "oxygen": 0.2}, ph=7.0, enzymes={"catalase": unit})
    add(vessel)
    rate = vessel.network.processes["catalase.turnover"].rate.expression
    p = vessel.network.parameters
    values = {s.name(): p[s.name()].value for s in ca.symvar(rate) if s.name() in p}
    values |= {"tube.hydrogen_peroxide": 9.75e-3, "tube.catalase": unit * 1e-3}
    symbols = ca.symvar(rate)
    found = ca.Function("rate", symbols, [rate])(*[values[s.name()] for s in symbols])
    return float(found), unit * 1e-3, 1e-12
