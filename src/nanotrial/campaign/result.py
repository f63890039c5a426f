"""From finished chunks to the result of a study: central runs played, members summarised a block of times at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.campaign.chunks import to_numpy
from nanotrial.campaign.plan import Plan, read_plan
from nanotrial.campaign.query import BLOCK
from nanotrial.campaign.store import Store
from nanotrial.errors import OutputError
from nanotrial.experiment import (
    ArmResult,
    MeasureSummary,
    StudyResult,
    compare_arms,
    measure_noise,
    simulate,
    summarise,
)
from nanotrial.experiment.summaries import joined
from nanotrial.study import load_study, measure_unit
from nanotrial.units import difference_to_si, to_si

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.experiment import Comparison
    from nanotrial.study import Measure, Study

    Vector = NDArray[np.float64]


def campaign_result(
    folder: Path, workers: int = 1, progress: Callable[[str], None] | None = None, block_bytes: int = BLOCK
) -> StudyResult:
    """Return the result of a campaign of a study whose chunks are all there.

    Arms have summaries, no members: those stay in the chunks. Memory is bounded by one block of times of one arm.

    Arguments:
        folder: the campaign.
        workers: processes for the central runs.
        progress: called with what is being done.
        block_bytes: memory for the members of one arm at a block of times; at least one time is taken.

    Raises:
        OutputError: chunks are missing.
    """
    plan = read_plan(folder)
    store = Store(folder, plan, lambda text: None)
    missing = plan.chunks - len(store.present())
    if missing:
        raise OutputError(f"{folder}: {missing} of {plan.chunks} chunks are missing. Run: nanotrial resume {folder}")
    study = load_study(folder / "study.toml")
    central = simulate(study, progress=progress, workers=workers)
    members = _Members(plan, store, study, block_bytes)
    arms = [members.of_arm(k, arm) if arm.status == "done" else arm for k, arm in enumerate(central.arms)]
    facts = plan.facts
    way = f"{plan.members} worlds in {plan.chunks} chunks of {plan.chunk}, side by side in compiled code"
    return replace(
        central,
        arms=tuple(arms),
        seed=facts["seed"],
        members=plan.members,
        subjects=facts["subjects"],
        way=way,
        comparisons=tuple(members.comparisons(central.arms)) if facts["subjects"] else (),
    )


class _Members:
    """Members of a study in chunks."""

    def __init__(self, plan: Plan, store: Store, study: Study, block_bytes: int) -> None:
        self.plan, self.store, self.study, self.block = plan, store, study, block_bytes
        self.each = int(plan.facts["subjects"]) + 1
        self.seed = int(plan.facts["seed"])

    def of_arm(self, place: int, arm: ArmResult) -> ArmResult:
        """Return an arm with its summaries and why members failed."""
        summaries = {m.name: self._summary(place, m) for m in self.study.measures}
        reasons = Counter[str]()
        for table in self._tables(place, ["reason"]):
            reasons.update(text for text in table["reason"] if text)
        told = tuple(f"{count} members: {why}" for why, count in reasons.most_common())
        return replace(arm, summaries=summaries, member_reasons=told, members_failed=sum(reasons.values()))

    def _summary(self, place: int, measure: Measure) -> MeasureSummary:
        width = max(1, self.block // max(1, self.plan.members * self.each * 8))
        noise, count = measure_noise(self.study, measure.name), len(measure.times)
        blocks = [range(i, min(i + width, count)) for i in range(0, count, width)]
        return joined([summarise(self._values(place, measure, times), noise, self.seed) for times in blocks])

    def _values(self, place: int, measure: Measure, times: range) -> Vector:
        """Return SI values of shape (worlds, 1 + subjects, times) of an arm."""
        found = np.empty((self.plan.members * self.each, len(times)))
        filled = 0
        for table in self._tables(place, [measure.name]):
            rows = table[measure.name][:, times.start : times.stop]
            found[filled : filled + len(rows)] = rows
            filled += len(rows)
        unit = measure_unit(measure.name)
        factor, offset = difference_to_si(1.0, unit), to_si(0.0, unit)
        return (found * factor + offset).reshape(self.plan.members, self.each, len(times))

    def comparisons(self, arms: tuple[ArmResult, ...]) -> Iterator[Comparison]:
        """Yield the statistics of each measure at its last time."""
        cohort = self.study.cohort
        assert cohort is not None
        for measure in self.study.measures:
            last = range(len(measure.times) - 1, len(measure.times))
            done = {a.name: k for k, a in enumerate(arms) if np.isfinite(a.curves[measure.name]).any()}
            if cohort.control not in done or len(done) < 2:
                continue
            values = np.stack([self._values(k, measure, last)[:, 1:, 0] for k in done.values()], axis=1)
            noise = measure_noise(self.study, measure.name)
            yield compare_arms(
                measure.name, measure.times[-1], list(done), values, noise, cohort.control, cohort.alpha, self.seed
            )

    def _tables(self, place: int, names: list[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the rows of an arm chunk by chunk: each arm is a group of rows of its own."""
        import pyarrow.parquet as pq

        columns = [self.plan.column(name) for name in names]
        for number in range(self.plan.chunks):
            with pq.ParquetFile(self.store.path(number)) as file:
                table = file.read_row_group(place, columns=names)
            yield {c.name: to_numpy(c, table[c.name]) for c in columns}
