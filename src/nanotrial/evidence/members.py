"""Values of a study at chosen arms, measures and times, over worlds drawn from all spreads."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import SolveError
from nanotrial.experiment import Player, cohort_of_arm, measure_noise
from nanotrial.places import build_arm
from nanotrial.sampling import Draws, joined_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.fit.overlay import Overlay
    from nanotrial.places import BuiltArm
    from nanotrial.study import Study

    Vector = NDArray[np.float64]

Point = tuple[str, str, float]


@dataclass(frozen=True)
class PointValues:
    """A measure of an arm at a time, SI: the central run, and by world (NaN where it failed).

    ``typical`` is the subject without factors of its own, which arms of a world share: for differences between arms.
    ``reported`` is what a paper would print: the mean of the readings of a cohort.
    """

    central: float
    typical: Vector
    reported: Vector


def member_values(
    study: Study, points: Iterable[Point], members: int, seed: int, overlay: Overlay
) -> dict[Point, PointValues]:
    """Return the values of each point.

    Arguments:
        study: the study; its cohort says how many subjects are behind a reported mean.
        points: (arm, measure, time in s).
        members: worlds beside the central run.
        seed: seeds the draws.
        overlay: fits in force.
    """
    asked: dict[str, list[Point]] = {}
    for point in dict.fromkeys(points):
        asked.setdefault(point[0], []).append(point)
    player = Player()
    built = {name: build_arm(study, study.arm(name), overlay) for name in asked}
    everything = joined_parameters(b.network.parameters for b in built.values())
    assert study.cohort is not None
    sheet, subjects = study.catalogue.load("variability", study.place), study.cohort.subjects
    draws = Draws(everything, overlay, sheet, max(members, 1), subjects, seed, "latin_hypercube", study.catalogue)
    result: dict[Point, PointValues] = {}
    for name, one in built.items():
        times = sorted({time for _, _, time in asked[name]})
        central = _central(player, one, times, asked[name])
        found = cohort_of_arm(player, one, times, draws, subjects, 0, members)[0] if members else {}
        for point in asked[name]:
            _, measure, time = point
            if not members:
                nothing = np.empty(0)
                result[point] = PointValues(central[point], nothing, nothing)
                continue
            table = found[measure][:, :, times.index(time)]
            noise = np.random.default_rng([seed, zlib.crc32(repr(point).encode())])
            readings = measure_noise(study, measure).add(table[:, 1:], noise)
            result[point] = PointValues(central[point], table[:, 0], readings.mean(axis=1))
    return result


def _central(player: Player, built: BuiltArm, times: list[float], points: Iterable[Point]) -> dict[Point, float]:
    """Return the points of the central run; NaN where it failed."""
    try:
        run = player.play(built, times)
    except SolveError:
        return dict.fromkeys(points, float("nan"))
    return {p: float(run[p[1]][times.index(p[2])]) for p in points}
