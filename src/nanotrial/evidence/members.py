"""Values of a study at chosen arms, measures and times, over worlds drawn from all spreads."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.budgets import arm_budgets
from nanotrial.errors import SolveError
from nanotrial.experiment import BuiltArms, Player, cohort_of_arm, measure_noise, play_arms
from nanotrial.places import build_arm
from nanotrial.sampling import Draws, joined_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.fit.overlay import Overlay
    from nanotrial.places import BuiltArm
    from nanotrial.study import Study

    Vector = NDArray[np.float64]

Point = tuple[str, str, float]
# A ceiling that is told although it does not bind: how much of an enhancement dose to DNA can be.
EXPLAINED = "enhancement ratio that dose explains"


@dataclass(frozen=True)
class PointValues:
    """A measure of an arm at a time, SI: the central run, and by world (NaN where it failed).

    ``typical`` is the subject without factors of its own, which arms of a world share: for differences between arms.
    ``reported`` is what a paper would print: the mean of the readings of a cohort; empty where none was asked for.
    ``ceilings`` says which budgets of the arm bind, and what dose can explain at most where particles meet a beam.
    """

    central: float
    typical: Vector
    reported: Vector
    ceilings: str = ""


def member_values(
    study: Study,
    points: Iterable[Point],
    members: int,
    seed: int,
    overlay: Overlay,
    workers: int = 1,
    read: Collection[str] | None = None,
) -> dict[Point, PointValues]:
    """Return the values of each point.

    Arguments:
        study: the study; its cohort says how many subjects are behind a reported mean.
        points: (arm, measure, time in s).
        members: worlds beside the central run.
        seed: seeds the draws.
        overlay: fits in force.
        workers: processes that play arms side by side; numbers do not depend on it.
        read: arms whose readings are asked for, all of them if None; of the others the typical subject alone is played.
    """
    asked: dict[str, list[Point]] = {}
    for point in dict.fromkeys(points):
        asked.setdefault(point[0], []).append(point)
    built = [build_arm(study, study.arm(name), overlay) for name in asked]
    everything = joined_parameters(b.network.parameters for b in built)
    assert study.cohort is not None
    sheet, subjects = study.catalogue.load("variability", study.place), study.cohort.subjects
    draws = Draws(everything, overlay, sheet, max(members, 1), subjects, seed, "latin_hypercube", study.catalogue)
    cohorts = frozenset(asked if read is None else read)
    task = _Points(study, overlay, draws, members, asked, BuiltArms((one.name, one) for one in built), cohorts)
    parts = play_arms(task, list(asked), workers, lambda name: None)
    return {point: values for part in parts for point, values in part.items()}


@dataclass(frozen=True)
class _Points:
    """The points asked for, by arm."""

    study: Study
    overlay: Overlay
    draws: Draws
    members: int
    asked: dict[str, list[Point]]
    built: BuiltArms
    cohorts: frozenset[str]

    def begin(self, threads: int) -> Callable[[str], dict[Point, PointValues]]:
        """Return what gives the points of an arm by name."""
        player = Player(threads=threads)

        def play(name: str) -> dict[Point, PointValues]:
            return self.play(player, self.built.get(name) or build_arm(self.study, self.study.arm(name), self.overlay))

        return play

    def play(self, player: Player, built: BuiltArm) -> dict[Point, PointValues]:
        """Return the points of an arm."""
        points = self.asked[built.name]
        subjects = self.draws.subjects if built.name in self.cohorts else 0
        times = sorted({time for _, _, time in points})
        central, ceilings = _central(player, built, times, points), _ceilings(player, built)
        if not self.members:
            nothing = np.empty(0)
            return {point: PointValues(central[point], nothing, nothing, ceilings) for point in points}
        found = cohort_of_arm(player, built, times, self.draws, subjects, 0, self.members)[0]
        result = {}
        for point in points:
            _, measure, time = point
            table = found[measure][:, :, times.index(time)]
            noise = np.random.default_rng([self.draws.seed, zlib.crc32(repr(point).encode())])
            reported = np.empty(0)
            if subjects:
                reported = measure_noise(self.study, measure).add(table[:, 1:], noise).mean(axis=1)
            result[point] = PointValues(central[point], table[:, 0], reported, ceilings)
        return result


def _ceilings(player: Player, built: BuiltArm) -> str:
    """Return the budgets of an arm that bind, in words, with what dose explains at most; empty for none."""
    try:
        found = arm_budgets(built, player.runner(built))
    except SolveError:
        return ""
    told = [b for b in found if np.isfinite(b.value) and (b.binds or b.name.startswith(EXPLAINED))]
    held = [f" against {b.against:.3g}" if np.isfinite(b.against) else "" for b in told]
    lines = [
        f"{b.name}: {b.value:.3g}{h}{'' if b.unit == '1' else f' {b.unit}'}" for b, h in zip(told, held, strict=True)
    ]
    return "; ".join(lines)


def _central(player: Player, built: BuiltArm, times: list[float], points: Iterable[Point]) -> dict[Point, float]:
    """Return the points of the central run; NaN where it failed."""
    try:
        run = player.play(built, times)
    except SolveError:
        return dict.fromkeys(points, float("nan"))
    return {p: float(run[p[1]][times.index(p[2])]) for p in points}
