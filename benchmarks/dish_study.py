"""The whole in-vitro study as a user runs it: start-up, 29 arms, report. Wall time and peak memory of the process.

There is no peer that plays this experiment. The limits we hold ourselves to are 15 s on two cores and 600 MB.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from harness import Row, show
from release_study import one_run

STUDY = Path(__file__).parent.parent / "examples" / "calcium_peroxide_on_cells.toml"


def main() -> None:
    """Print wall time (limit 15 s) and peak memory (limit 600 MB), each as a ratio to its limit."""
    with tempfile.TemporaryDirectory() as name:
        runs = [one_run(Path(name) / f"run{i}", STUDY) for i in range(4)][1:]
    wall, peak = (statistics.median(column) for column in zip(*runs, strict=True))
    show(
        [
            Row("nanotrial run, in-vitro study, 29 arms, wall", wall, "s", "limit", 15.0),
            Row("nanotrial run, in-vitro study, 29 arms, peak memory", peak, "MB", "limit", 600.0),
        ]
    )


if __name__ == "__main__":
    main()
