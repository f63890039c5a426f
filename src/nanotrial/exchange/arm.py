"""One arm of a study as SBML: prepared as for a run, with notes that say what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import nanotrial
from nanotrial.exchange.equations import mixing_of
from nanotrial.exchange.parts import Start
from nanotrial.exchange.sbml import Model, write_network
from nanotrial.solve.events import Event, Pulse, cut
from nanotrial.solve.run import Runner, simulate_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanotrial.experiment import Player
    from nanotrial.network.model import Network
    from nanotrial.places import BuiltArm
    from nanotrial.study import Study


def last_time(study: Study) -> float:
    """Return the last time (s) at which a study measures anything."""
    return max(t for m in study.measures for t in m.times)


def write_arm(study: Study, built: BuiltArm, player: Player, flat: bool = False) -> Model:
    """Return an arm as an SBML document.

    Arguments:
        study: what the arm is of.
        built: the arm.
        player: holds compiled networks, so that arms of one structure share them.
        flat: see ``write_network``.

    Raises:
        NetworkError: a part of the network cannot be written.
        SolveError: the arm does not reach its last event.
    """
    runner, until = player.runner(built), last_time(study)
    c = runner.compiled
    given = {name: p.value for name, p in built.network.parameters.items()}
    ready = dict(zip(c.parameter_names, built.prepare(c, c.parameters(given)).tolist(), strict=True))
    found = frozenset(name for name, value in ready.items() if value != given[name])
    start = start_of(built.network, runner, ready, built.events, (), until)
    return write_network(
        built.network,
        replace(start, found=found),
        built.events,
        (),
        until,
        _about(study, built),
        study.catalogue.references(),
        flat,
    )


def start_of(
    network: Network,
    runner: Runner,
    parameters: dict[str, float],
    events: Sequence[Event] = (),
    pulses: Sequence[Pulse] = (),
    until: float = 0.0,
) -> Start:
    """Return the state right after the start, and the equilibrium variables right after every later edge.

    Arguments:
        network: the network.
        runner: its integrators.
        parameters: SI values by name.
        events: changes of amounts.
        pulses: changes of parameters.
        until: end of the run (s).
    """
    c = runner.compiled
    edges = [segment.start for segment in cut(events, pulses, [until])]
    earlier = [e for e in events if e.time <= edges[-1]]
    run = simulate_network(network, edges, earlier, pulses, parameters, runner)
    unknowns = [dict(zip(c.unknown_names, z.tolist(), strict=True)) for z in run.starts[1 : len(edges) + 1]]
    count = len(c.species_names)
    amounts = [dict(zip(c.species_names, row[:count].tolist(), strict=True)) for row in run.states]
    p = np.array([parameters[name] for name in c.parameter_names])
    mixing = mixing_of(network, c, run.states[0, :count], run.starts[1], p)
    return Start(parameters, amounts, unknowns, mixing)


def _about(study: Study, built: BuiltArm) -> list[str]:
    lines = [
        f"{study.title}: arm {built.name}.",
        f"Written by nanotrial {nanotrial.__version__}. Research software, not a medical device.",
        "SI units throughout: mol, m, s, kg, K. Ids are made of the names of nanotrial, which stand as names.",
    ]
    if built.dish is not None:
        lines.append(
            "viability and live_fraction are those of this network alone: nanotrial divides them by those of the same "
            "cells left alone (the untreated arm), and cell_death is one less the viability so divided."
        )
    if study.fits:
        lines.append(f"Fitted values in use: {', '.join(study.fits)}.")
    return lines + [f"Default: {d.key} = {d.value} ({d.reason})." for d in study.defaults]
