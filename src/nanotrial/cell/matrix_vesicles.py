"""Vesicles that mineralize: what cells shed when their calcium is too high, as one small fluid outside of them.

The fluid holds calcium, phosphate and a buffer of weak acids; minerals nucleate in it and on the inner leaflet as in
any fluid. Per volume of vesicles (diameter d, area 6 V/d), o outside, R the ratio at which cotransport stalls,

    arrival       dV/dt = export / [Ca]_vesicle                              with phosphate, phosphocholine, their ions
    cotransport   J_P (6/d) (P_o - P/R) / (K + P_o + P/R)                    H2PO4- with one Na+ in all (PiT)
    PHOSPHO1      k [phosphocholine]                                         -> phosphate, choline+
    channels      P_Ca (6/d) (Ca_o - Ca), free calcium                       for two K+ (annexins)
    leak          k_H beta (pH_o - pH)                                       H+ for K+
    TNAP          s - V PP / (K + PP)                                        pyrophosphate outside -> 2 phosphate
    opening       k_o, share max(mineral / all) over calcium and phosphate   vesicles that hold mineral

A vesicle that opens gives its ions to the outside and its crystals to the deposit ``matrix`` of the medium, where they
grow on by the medium's own calcium and phosphate; what has not opened is not diluted.
Assumptions: all vesicles share one fluid, so crystals draw on the ions of all vesicles and may outgrow the one they
began in, most where few of a phase begin; vesicles that hold mineral have used up the scarcer ion, others none of it;
pyrophosphate of the film around them (counted per volume of vesicles) reaches the crystals; the phosphate that vesicles
are born with is drawn from the medium, which feeds the cells; cotransport and channels slow down by the share of a
vesicle that mineral fills. Sources: in the sheet (russell_1971, arai_1990); order of events millan_2013, golub_2009,
bottini_2018.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nanotrial.cell.culture import Constants
from nanotrial.cell.vesicle_fluid import (
    COMPONENTS,
    DEPOSIT,
    NAME,
    TRACE,
    Outside,
    Vesicles,
    add_states,
    fresh_vesicle,
    vesicle_phases,
)
from nanotrial.medium import crystals, minerals
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant, maximum, share, total

if TYPE_CHECKING:
    from nanotrial.catalogue.mineral_schema import Phase

ID = "cell.matrix_vesicles"
# Phosphate outside (mol/m^3) below which new vesicles bring none: it is drawn from there.
LEAST_PHOSPHATE = 1e-3


def applies(vesicles: Vesicles) -> bool:
    """Say whether any mineral can form in the vesicles."""
    return bool(vesicles.fluid.phases)


def add(vesicles: Vesicles) -> None:
    """Add what vesicles do; every process that sheds calcium into them must stand in the network already."""
    fluid = vesicles.fluid
    crystals.add_states(fluid)
    filled = crystals.solid_volume(fluid) / fluid.volume
    room = maximum(1.0 - filled, constant(0.0, "1"))
    _arrival(vesicles)
    _phosphate(vesicles, room)
    _ions(vesicles, room)
    _pyrophosphate(vesicles)
    if minerals.applies(fluid):
        minerals.add(fluid)
        vesicles.network.observe("vesicles.filled", filled, "1", "mineral in the volume of vesicles")
        _opening(vesicles)
    _observe(vesicles)


def shed_calcium(network: Network) -> Term:
    """Return the calcium (mol/s) that the processes now in a network shed in vesicles."""
    name = f"{NAME}.calcium"
    found = [(p.stoichiometry[name], p.rate) for p in network.processes.values() if name in p.stoichiometry]
    return total((rate * count for count, rate in found), "mol/s")


def _move(vesicles: Vesicles, name: str, gains: dict[str, float], rate: Term, line: str, *opens: str) -> None:
    vesicles.network.process(f"{NAME}.{name}", gains, rate, line, ID, opens)


def _arrival(vesicles: Vesicles) -> None:
    """Let the volume grow with the calcium that is shed, and bring along what else a vesicle holds."""
    network, sheet, outside = vesicles.network, vesicles.sheet, vesicles.outside
    growth = shed_calcium(network) / vesicles.membrane("vesicle_calcium", "mol/m^3")
    _move(vesicles, "arrival", {f"{NAME}.volume": 1.0}, growth, "new vesicles")
    phosphate = vesicles.fluid.solution.components["phosphate"]
    left = outside.phosphate / (outside.phosphate + constant(LEAST_PHOSPHATE, "mol/m^3"))
    fresh = fresh_vesicle(sheet, vesicles.membrane, phosphate, vesicles.fluid.temperature, left)
    opened = outside.opens("phosphate", "phosphate")
    taken = outside.given(phosphate=-1.0, strong_charge=-2.0)
    for what in ("phosphate", "phosphocholine"):
        gains = {f"{NAME}.{what}": 1.0, **taken}
        _move(vesicles, f"{what}.arrives", gains, growth * fresh[what], "medium -> new vesicles", *opened)
    around = {f"{NAME}.pyrophosphate": 1.0, **outside.given(pyrophosphate=-1.0)}
    open_ends = outside.opens("pyrophosphate", "phosphate")
    _move(vesicles, "pyrophosphate.arrives", around, growth * fresh["pyrophosphate"], "outside -> film", *open_ends)
    _move(vesicles, "ions.arrive", {f"{NAME}.strong_charge": 1.0}, growth * fresh["strong_charge"], "ions of the cell")


def _phosphate(vesicles: Vesicles, room: Term) -> None:
    """Add sodium cotransport, as H2PO4- with one sodium ion in all, and PHOSPHO1, which leaves choline and K+."""
    network, sheet, outside, volume = vesicles.network, vesicles.sheet, vesicles.outside, vesicles.fluid.volume
    back = network.concentration(f"{NAME}.phosphate") / sheet("phosphate_ratio", "1")
    half = sheet("phosphate_constant", "mol/m^3")
    drive = (outside.phosphate - back) / (half + outside.phosphate + back)
    rate = sheet("phosphate_uptake", "mol/m^2/s") * vesicles.per_volume * volume * drive * room
    gains = {
        f"{NAME}.phosphate": 1.0,
        f"{NAME}.strong_charge": 1.0,
        **outside.given(phosphate=-1.0, strong_charge=-1.0),
    }
    opened = outside.opens("phosphate", "phosphate")
    _move(vesicles, "cotransport", gains, rate, "Na+ and H2PO4- outside <-> inside", *opened)
    rate = sheet("phospho1_rate", "1/s") * vesicles.state("phosphocholine")
    gains = {f"{NAME}.phosphocholine": -1.0, f"{NAME}.phosphate": 1.0, f"{NAME}.strong_charge": 2.0}
    _move(vesicles, "phospho1", gains, rate, "phosphocholine -> choline + phosphate")


def _ions(vesicles: Vesicles, room: Term) -> None:
    """Add channels of calcium and the leak of protons, both for potassium."""
    sheet, outside, fluid = vesicles.sheet, vesicles.outside, vesicles.fluid
    over = outside.calcium - fluid.solution.free("Ca+2")
    rate = sheet("calcium_permeability", "m/s") * vesicles.per_volume * fluid.volume * over * room
    gains = {f"{NAME}.calcium": 1.0, f"{NAME}.strong_charge": -2.0, **outside.given(calcium=-1.0, strong_charge=2.0)}
    opened = outside.opens("calcium", "calcium")
    _move(vesicles, "channels", gains, rate, "Ca+2 outside <-> inside, for 2 K+", *opened)
    held = sheet("buffer_capacity", "mol/m^3") * fluid.volume
    rate = sheet("proton_leak", "1/s") * held * (outside.ph - fluid.solution.ph)
    gains = {f"{NAME}.strong_charge": 1.0, **outside.given(strong_charge=-1.0)}
    _move(vesicles, "proton_leak", gains, rate, "H+ inside <-> outside, for K+")


def _pyrophosphate(vesicles: Vesicles) -> None:
    """Add the supply of pyrophosphate by cells and its removal by alkaline phosphatase on the membrane."""
    network, sheet, outside, volume = vesicles.network, vesicles.sheet, vesicles.outside, vesicles.fluid.volume
    name = f"{NAME}.pyrophosphate"
    made = sheet("pyrophosphate_supply", "mol/m^3/s") * volume
    gains = {name: 1.0, **outside.given(pyrophosphate=-1.0)}
    _move(vesicles, "pyrophosphate.supply", gains, made, "cells -> film", *outside.opens("pyrophosphate", "phosphate"))
    level = network.concentration(name)
    rate = sheet("tnap_rate", "mol/m^3/s") * volume * level / (sheet("tnap_constant", "mol/m^3") + level)
    gains = {name: -1.0, **outside.given(phosphate=2.0, strong_charge=4.0)}
    opened = outside.opens("phosphate", "phosphate")
    _move(vesicles, "tnap", gains, rate, "pyrophosphate -> 2 phosphate outside", *opened)


def mineralized(vesicles: Vesicles) -> Term:
    """Return the share of vesicles that hold mineral: that of the component of which most has gone into it."""
    most = constant(0.0, "1")
    for component in COMPONENTS:
        solid = crystals.positive(crystals.solid_content(vesicles.fluid, component))
        whole = solid + crystals.positive(vesicles.state(component))
        most = maximum(most, share(solid, whole, vesicles.fluid.floor))
    return most


def _opening(vesicles: Vesicles) -> None:
    """Let vesicles that hold mineral open; crystals go at the whole pace, as all of them lie in such vesicles."""
    network, outside, volume = vesicles.network, vesicles.outside, vesicles.fluid.volume
    found = crystals.populations(vesicles.fluid)
    pierced = mineralized(vesicles)
    left = 1.0 - constant(TRACE * vesicles.size, "m^3") / volume
    pace = vesicles.sheet("opening_rate", "1/s") * left
    network.observe("vesicles.mineralized", pierced, "1", "share of vesicles that hold mineral")
    given: dict[str, tuple[dict[str, float], str, str]] = {
        "volume": ({}, "", ""),
        "calcium": (outside.given(calcium=1.0, strong_charge=-2.0), "calcium", "calcium"),
        "phosphate": (outside.given(phosphate=1.0, strong_charge=2.0), "phosphate", "phosphate"),
        "phosphocholine": (outside.given(phosphate=1.0, strong_charge=2.0), "phosphate", "phosphate"),
        "pyrophosphate": (outside.given(pyrophosphate=1.0), "pyrophosphate", "phosphate"),
        "strong_charge": ({}, "", ""),
    }
    for what, (gains, state, kind) in given.items():
        opened = outside.opens(state, kind) if kind else ()
        rate = pace * pierced * vesicles.state(what)
        _move(vesicles, f"{what}.opens", {f"{NAME}.{what}": -1.0, **gains}, rate, "opened vesicles -> outside", *opened)
    for one in found:
        inside, deposit = f"{NAME}.{one.phase}", f"{outside.name}.{one.phase}.on_{DEPOSIT}"
        for name in crystals.state_names(vesicles.fluid, one.phase):
            there = deposit + name.removeprefix(inside)
            gains = {name: -1.0, _kept(vesicles, name, there): 1.0}
            network.process(f"{name}.opens", gains, pace * network[name], "vesicle -> matrix", ID)


def _kept(vesicles: Vesicles, name: str, there: str) -> str:
    """Return the medium's state for what a vesicle gives, or one that only keeps it where the medium has none."""
    network, like = vesicles.network, vesicles.network.species[name]
    if there in network.species:
        return there
    network.state(there, vesicles.outside.name, like.unit, like.scale, content=like.content)
    return there


def _observe(vesicles: Vesicles) -> None:
    network, fluid = vesicles.network, vesicles.fluid
    network.observe("vesicles.ph", fluid.solution.ph, "1", "pH in shed vesicles")
    for what in (*COMPONENTS, "pyrophosphate"):
        unit = "umol/L" if what == "pyrophosphate" else "mmol/L"
        network.observe(f"vesicles.{what}", network.concentration(f"{NAME}.{what}"), unit, f"{what} of shed vesicles")
    network.observe("vesicles.number", vesicles.number, "1", "shed vesicles that have not opened")


def vesicles_in_bath(
    volume: float = 1e-12,
    calcium: float = 1.2,
    phosphate: float = 1.0,
    ph: float = 7.4,
    shed: float = 0.0,
    temperature: float = 310.15,
    phases: Mapping[str, Phase] | None = None,
    sheet: str = "mammalian_matrix_vesicles",
) -> Vesicles:
    """Return vesicles in a bath so large that they do not change it, for exact cases and checks.

    What they give to the bath and take from it is counted in the states ``bath.given.<what>``, so that calcium and
    phosphate of the network stay the same. ``bath.calcium``, ``bath.phosphate``, ``bath.ph``, ``bath.shed`` are
    parameters.

    Arguments:
        volume: all vesicles at the start (m^3).
        calcium: free calcium of the bath (mol/m^3).
        phosphate: dissolved phosphate of the bath (mol/m^3).
        ph: pH of the bath.
        shed: calcium that arrives in new vesicles (mol/s).
        temperature: K.
        phases: minerals that may form; those of the catalogue if None.
        sheet: id of the sheet of matrix vesicles.
    """
    from nanotrial.catalogue.lookup import Catalogue

    catalogue, network = Catalogue(), Network("vesicles")
    network.compartment("bath", constant(1.0, "m^3"))
    contents = {"calcium": {"calcium": 1.0}, "phosphate": {"phosphate": 1.0}, "pyrophosphate": {"phosphate": 2.0}}
    for what in (*contents, "strong_charge"):
        held = contents.get(what, {})
        network.state(f"bath.given.{what}", "bath", scale=volume, content=held, may_be_negative=True)
    outside = Outside(
        name="bath",
        calcium=network.parameter("bath.calcium", calcium, "mol/m^3"),
        phosphate=network.parameter("bath.phosphate", phosphate, "mol/m^3"),
        ph=network.parameter("bath.ph", ph, "1"),
        states={what: f"bath.given.{what}" for what in (*contents, "strong_charge")},
    )
    handling = Constants(network, "mammalian_calcium", catalogue.load("calcium_handling", "mammalian_calcium"))
    membrane = handling.part("membrane")
    assert membrane is not None
    own = Constants(network, sheet, catalogue.load("matrix_vesicles", sheet))
    wanted = vesicle_phases(catalogue) if phases is None else phases
    start = network.parameter("vesicles.start", volume, "m^3")
    made = add_states(
        network, own, membrane, outside, catalogue.solutes(), catalogue.water(), temperature, volume, wanted, start
    )
    arriving = network.parameter("bath.shed", shed, "mol/s")
    network.process(
        "bath.sheds", {"bath.given.calcium": -1.0, f"{NAME}.calcium": 1.0}, arriving, "cells -> vesicles", ID
    )
    add(made)
    return made


def exact_case() -> tuple[float, float, float]:
    """Return (found, exact, tolerance): pyrophosphate left after 5 h, K W(c/K exp((c - V t)/K)), with no supply."""
    from scipy.special import lambertw

    from nanotrial.solve.run import simulate_network

    vesicles = vesicles_in_bath(phases={})
    sheet, hours = vesicles.sheet.sheet, 5 * 3600.0
    begin, half, rate = sheet.pyrophosphate.si, sheet.tnap_constant.si, sheet.tnap_rate.si
    changes = {f"{vesicles.sheet.identifier}.pyrophosphate_supply": 0.0}
    found = simulate_network(vesicles.network, [hours], changes=changes)["vesicles.pyrophosphate"][-1]
    exact = half * float(lambertw(begin / half * math.exp((begin - rate * hours) / half)).real)
    return float(found), exact, 1e-6
