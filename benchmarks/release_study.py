"""The whole release study as a user runs it: start-up, 20 arms, report. Wall time and peak memory of the process.

There is no peer that plays this experiment. The limits we hold ourselves to are 5 s on two cores and 400 MB.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import Row, show

STUDY = Path(__file__).parent.parent / "examples" / "calcium_peroxide_release.toml"
CODE = """
import resource, sys
sys.argv = ["nanotrial", "run", {study!r}, "-o", {folder!r}, "--quiet"]
from nanotrial.cli.main import main
try:
    main()
except SystemExit:
    pass
usage = resource.getrusage(resource.RUSAGE_SELF)
print("PEAK", usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024))
"""


def one_run(folder: Path, study: Path = STUDY) -> tuple[float, float]:
    """Return wall seconds and peak megabytes of one whole process."""
    code = CODE.format(study=str(study), folder=str(folder))
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    wall = time.perf_counter() - begin
    peak = float(next(line for line in done.stdout.splitlines() if line.startswith("PEAK")).split()[1])
    return wall, peak


def main() -> None:
    """Print wall time (limit 5 s) and peak memory (limit 400 MB), each as a ratio to its limit."""
    with tempfile.TemporaryDirectory() as name:
        runs = [one_run(Path(name) / f"run{i}") for i in range(4)][1:]
    wall, peak = (statistics.median(column) for column in zip(*runs, strict=True))
    show(
        [
            Row("nanotrial run, release study, 20 arms, wall", wall, "s", "limit", 5.0),
            Row("nanotrial run, release study, 20 arms, peak memory", peak, "MB", "limit", 400.0),
        ]
    )


if __name__ == "__main__":
    main()
