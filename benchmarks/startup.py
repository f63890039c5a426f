"""How long a user waits before anything happens: importing nanotrial, and `nanotrial --help`."""

import shutil
import subprocess
import sys
import sysconfig
from statistics import median
from time import perf_counter

from harness import Row, show

REPEATS = 11
IMPORT_LIMIT_S = 0.3
HELP_LIMIT_S = 0.5


def wall_times(commands: dict[str, list[str]]) -> dict[str, float]:
    """Return the median wall time of each command in seconds.

    The commands take turns, so that a slow spell of the machine meets all of them; the first turn warms the disk
    cache and does not count.
    """
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(REPEATS + 1):
        for name, command in commands.items():
            start = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:
                times[name].append(perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def main() -> None:
    nanotrial = shutil.which("nanotrial", path=sysconfig.get_path("scripts"))
    if nanotrial is None:
        raise SystemExit("nanotrial is not installed beside this Python; run: make install-runtime")
    seconds = wall_times(
        {
            "bare": [sys.executable, "-c", "pass"],
            "nanotrial": [sys.executable, "-c", "import nanotrial"],
            "numpy": [sys.executable, "-c", "import numpy"],
            "help": [nanotrial, "--help"],
            "typer": [sys.executable, "-c", "import typer"],
        }
    )
    bare = seconds["bare"]
    rows = [
        Row("import nanotrial, over bare Python", seconds["nanotrial"] - bare, "s", "numpy", seconds["numpy"] - bare),
        Row("nanotrial --help, whole", seconds["help"], "s", "import typer, whole", seconds["typer"]),
    ]
    show(
        rows,
        f"Median of {REPEATS} interleaved repeats; bare Python takes {bare:.3f} s. "
        f"Limits: import {IMPORT_LIMIT_S} s, help {HELP_LIMIT_S} s.",
    )


if __name__ == "__main__":
    main()
