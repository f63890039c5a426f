"""The whole in-vitro study as a user runs it: start-up, 29 arms, report. Wall time and peak memory of the process.

There is no peer that plays this experiment. The limits we hold ourselves to, on two cores: central runs alone 15 s and
600 MB, the usual cohort (20 worlds of three wells and a typical one) 180 s and 800 MB, machine code from disk. Of the
cohort, nearly all is spent on the one world in twenty whose calcium oscillates for a day.
"""

from __future__ import annotations

from pathlib import Path

from harness import show
from release_study import rows_of

STUDY = Path(__file__).parent.parent / "examples" / "calcium_peroxide_on_cells.toml"


def main() -> None:
    """Print wall time and peak memory, each as a ratio to its limit."""
    show(rows_of(STUDY, "in-vitro study, 29 arms", 1, {("--members", "0"): (15.0, 600.0), (): (180.0, 800.0)}))


if __name__ == "__main__":
    main()
