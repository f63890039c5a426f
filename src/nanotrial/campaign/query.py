"""Ask the chunks of a campaign without holding all members: exact quantiles, moments, and why members failed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.campaign.chunks import schema_of, to_numpy
from nanotrial.campaign.plan import Column, Plan, read_plan
from nanotrial.campaign.store import CHUNKS, Store
from nanotrial.errors import InputError, OutputError, nearest

if TYPE_CHECKING:
    import pyarrow.dataset as ds
    import xarray as xr
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

# Memory for one block of times of all members, and the most that is given at once (bytes).
BLOCK, MODEST = 256 * 2**20, 2**30


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation (n - 1) at each time (h), over ``count`` members that succeeded."""

    time_h: Vector
    count: NDArray[np.int64]
    mean: Vector
    sd: Vector


def open_members(folder: Path) -> ds.Dataset:
    """Return the finished chunks of a campaign as one Arrow dataset; nothing is read before it is asked for.

    Raises:
        OutputError: no campaign, or no finished chunk.
    """
    import pyarrow.dataset as ds

    plan = read_plan(folder)
    return ds.dataset([str(p) for p in _files(folder, plan)], schema=schema_of(plan), format="parquet")


def quantiles(
    folder: Path, arm: str | None, measure: str, levels: Sequence[float], block_bytes: int = BLOCK
) -> tuple[Vector, Vector]:
    """Return times (h) and exact quantiles of shape (levels, times) over the rows of an arm that succeeded.

    Linear between order statistics. The chunks are read once per block of times, of which as many are taken as fit.

    Arguments:
        folder: a campaign.
        arm: name of an arm; None takes all rows.
        measure: name of a column of numbers.
        levels: between 0 and 1.
        block_bytes: memory for the members of one block of times; at least one time is taken.

    Raises:
        InputError: an unknown arm or measure, a level outside 0 to 1.
    """
    wrong = [level for level in levels if not 0.0 <= level <= 1.0]
    if wrong or not len(levels):
        raise InputError("levels", f"{wrong or 'none'}", "numbers from 0 to 1")
    plan = read_plan(folder)
    column = _measure(plan, measure)
    times = _times(column)
    rows = _count_rows(folder, plan, arm)
    width = max(1, min(len(times), block_bytes // max(1, rows * 8)))
    found = np.full((len(levels), len(times)), np.nan)
    for start in range(0, len(times), width):
        block = np.empty((rows, min(width, len(times) - start)))
        filled = 0
        for values in _blocks(folder, plan, arm, column):
            block[filled : filled + len(values)] = values[:, start : start + width]
            filled += len(values)
        for i in range(block.shape[1]):
            good = block[~np.isnan(block[:, i]), i]
            if good.size:
                found[:, start + i] = np.quantile(good, levels, overwrite_input=True)
    return times, found


def moments(folder: Path, arm: str | None, measure: str) -> Moments:
    """Return count, mean and standard deviation over the rows of an arm that succeeded; one chunk is held at a time.

    Chunks are joined in order by the update of Chan, Golub and LeVeque, which does not cancel.

    Raises:
        InputError: an unknown arm or measure.
    """
    plan = read_plan(folder)
    column = _measure(plan, measure)
    times = _times(column)
    count, mean, square = np.zeros(len(times), dtype=np.int64), np.zeros(len(times)), np.zeros(len(times))
    for values in _blocks(folder, plan, arm, column):
        good = ~np.isnan(values)
        n = good.sum(axis=0)
        own = np.where(good, values, 0.0).sum(axis=0) / np.maximum(n, 1)
        spread = (np.where(good, values - own, 0.0) ** 2).sum(axis=0)
        both, shift = np.maximum(count + n, 1), own - mean
        square += np.where(n > 0, spread + shift**2 * (count / both) * n, 0.0)
        mean += np.where(n > 0, shift * n / both, 0.0)
        count += n
    sd = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
    return Moments(times, count, np.where(count > 0, mean, np.nan), sd)


def frame(folder: Path, arm: str | None, measure: str) -> xr.DataArray:
    """Return the rows of an arm as an array over row and time (h), with world and subject where the run has them.

    Raises:
        InputError: an unknown arm or measure.
        OutputError: more than fits modestly into memory; ask for quantiles or moments.
    """
    import xarray as xr

    plan = read_plan(folder)
    column = _measure(plan, measure)
    times, rows = _times(column), _count_rows(folder, plan, arm)
    if rows * len(times) * 8 > MODEST:
        raise OutputError(f"{rows} rows of {len(times)} times are more than {MODEST // 2**20} MiB. Ask for quantiles.")
    values = [np.empty((0, len(times))), *_blocks(folder, plan, arm, column)]
    labels = [c for c in plan.columns if c.kind == "whole"]
    coordinates: dict[str, Any] = {"time": ("time", times, {"units": "h"})}
    for label in labels:
        parts = [np.empty(0, np.int64), *(t[label.name] for t in _chunks(folder, plan, arm, [label]))]
        coordinates[label.name] = ("row", np.concatenate(parts))
    return xr.DataArray(np.concatenate(values), coordinates, ("row", "time"), measure, {"units": column.unit})


def counts_by_reason(folder: Path, arm: str | None = None) -> dict[str, int]:
    """Return how many rows failed by reason, most frequent first; numbers within a reason are shown as ``#``.

    Raises:
        InputError: an unknown arm, or a campaign whose rows have no status.
    """
    plan = read_plan(folder)
    status, reason = plan.column("status"), plan.column("reason")
    counts = Counter[str]()
    for table in _chunks(folder, plan, arm, [status, reason]):
        for text in table["reason"][table["status"] != "done"]:
            counts[NUMBER.sub("#", text)] += 1
    return dict(counts.most_common())


NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w)")


def _measure(plan: Plan, name: str) -> Column:
    """Return a column of numbers; a misspelt one raises with the nearest."""
    known = {c.name: c for c in plan.columns if c.kind == "number"}
    if name not in known:
        raise InputError("measure", f"`{name}`", "a measure of the run", nearest(name, known))
    return known[name]


def _times(column: Column) -> Vector:
    return np.array(column.times_h or (np.nan,), dtype=float)


def _files(folder: Path, plan: Plan) -> list[Path]:
    store = Store(folder, plan, lambda text: None)
    files = [store.path(number) for number in store.present()]
    if not files:
        raise OutputError(f"{folder / CHUNKS} holds no finished chunk yet.")
    return files


def _chunks(folder: Path, plan: Plan, arm: str | None, columns: Sequence[Column]) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the rows of an arm chunk by chunk, in order, with the columns asked for.

    Raises:
        InputError: no row of that arm; the arms there are stand beside.
    """
    import pyarrow.parquet as pq

    arms = plan.column("arm") if arm is not None else None
    known, rows = set[str](), 0
    wanted = [c.name for c in (*columns, *([arms] if arms else []))]
    for path in _files(folder, plan):
        table = pq.ParquetFile(path).read(columns=wanted)
        found = {c.name: to_numpy(c, table[c.name]) for c in columns}
        if arms is not None:
            names = to_numpy(arms, table["arm"])
            known.update(names)
            found = {name: values[names == arm] for name, values in found.items()}
        rows += len(next(iter(found.values())))
        yield found
    if arms is not None and not rows:
        raise InputError("arm", f"`{arm}`", "an arm of the run", nearest(arm or "", known))


def _blocks(folder: Path, plan: Plan, arm: str | None, column: Column) -> Iterator[Vector]:
    for table in _chunks(folder, plan, arm, [column]):
        yield table[column.name].reshape(-1, len(_times(column)))


def _count_rows(folder: Path, plan: Plan, arm: str | None) -> int:
    """Return how many rows an arm has in the finished chunks."""
    label = next(c for c in plan.columns if c.kind != "number" or not c.times_h)
    return sum(len(table[label.name]) for table in _chunks(folder, plan, arm, [label]))
