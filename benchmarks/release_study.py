"""The whole release study as a user runs it: start-up, 20 arms, report. Wall time and peak memory of the process.

There is no peer that plays this experiment. The limits we hold ourselves to, on two cores: central runs alone 5 s and
400 MB, the usual cohort (20 worlds of three tubes and a typical one) 10 s and 600 MB, machine code from disk.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness import Row, show

STUDY = Path(__file__).parent.parent / "examples" / "calcium_peroxide_release.toml"
CODE = """
import resource, sys
sys.argv = ["nanotrial", "run", {study!r}, "-o", {folder!r}, "--quiet", *{options!r}]
from nanotrial.cli.main import main
try:
    main()
except SystemExit:
    pass
usage = resource.getrusage(resource.RUSAGE_SELF)
print("PEAK", usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024))
"""


def one_run(folder: Path, study: Path = STUDY, options: Sequence[str] = ()) -> tuple[float, float]:
    """Return wall seconds and peak megabytes of one whole process."""
    code = CODE.format(study=str(study), folder=str(folder), options=list(options))
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    wall = time.perf_counter() - begin
    peak = float(next(line for line in done.stdout.splitlines() if line.startswith("PEAK")).split()[1])
    return wall, peak


def rows_of(study: Path, label: str, repeats: int, limits: dict[tuple[str, ...], tuple[float, float]]) -> list[Row]:
    """Return wall time and peak memory of runs with each set of options, as ratios to their limits (s, MB)."""
    rows = []
    for options, (seconds, megabytes) in limits.items():
        with tempfile.TemporaryDirectory() as name:
            runs = [one_run(Path(name) / f"run{i}", study, options) for i in range(repeats + 1)][1:]
        wall, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        what = " ".join(("nanotrial run,", label, *options))
        rows += [
            Row(f"{what}: wall", wall, "s", "limit", seconds),
            Row(f"{what}: peak memory", peak, "MB", "limit", megabytes),
        ]
    return rows


def main() -> None:
    """Print wall time and peak memory, each as a ratio to its limit."""
    show(rows_of(STUDY, "release study, 20 arms", 3, {("--members", "0"): (5.0, 400.0), (): (10.0, 600.0)}))


if __name__ == "__main__":
    main()
