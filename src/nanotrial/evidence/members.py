"""Values of a study at chosen arms, measures and times, over members drawn from all spreads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import SolveError
from nanotrial.experiment import Player
from nanotrial.places import build_arm
from nanotrial.sampling import draw_parameters, joined_parameters, member_changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.fit.overlay import Overlay
    from nanotrial.study import Study

Point = tuple[str, str, float]


def member_values(
    study: Study, points: Iterable[Point], members: int, seed: int, overlay: Overlay
) -> dict[Point, NDArray[np.float64]]:
    """Return for each point its values of shape (members + 1,): the central run first, NaN where a run failed.

    Members of all arms share their draws, so differences between arms are paired.

    Arguments:
        study: the study.
        points: (arm, measure, time in s).
        members: draws beside the central run.
        seed: seeds the generator of the draws.
        overlay: fits in force.
    """
    asked: dict[str, list[Point]] = {}
    for point in dict.fromkeys(points):
        asked.setdefault(point[0], []).append(point)
    player = Player()
    built = {name: build_arm(study, study.arm(name), overlay) for name in asked}
    everything = joined_parameters(b.network.parameters for b in built.values())
    draws = draw_parameters(everything, members, np.random.default_rng(seed), overlay) if members else {}
    result = {p: np.full(members + 1, np.nan) for rows in asked.values() for p in rows}
    for name, one in built.items():
        runner = player.runner(one)
        times = sorted({time for _, _, time in asked[name]})
        for i in range(members + 1):
            changes = member_changes(one.network.parameters, draws, i - 1) if i else {}
            try:
                run = player.replay(runner, one, times, changes)
            except SolveError:
                continue
            for point in asked[name]:
                result[point][i] = run[point[1]][times.index(point[2])]
    return result
