"""Work out the table of elastic cross-sections of the elements again: python benchmarks/tabulate_elastic.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanotrial.radiation.electrons.elastic import TABLE
from nanotrial.radiation.electrons.partial_waves import cross_sections

ENERGIES = np.geomspace(0.05, 1000.0, 44)
HEADER = """# Elastic scattering of electrons by free atoms: total and first transport cross-section in nm2.
# Computed by benchmarks/tabulate_elastic.py (nanotrial.radiation.electrons.partial_waves); fields: salvat1987.
# First line: energies in keV. Then for Z = 1 to 92 one line of totals and one of transport cross-sections.
"""


def line(numbers: list[float]) -> str:
    """Return numbers of five digits as one line."""
    return " ".join(f"{number:.4e}" for number in numbers)


def main() -> None:
    """Write the table to where the package reads it."""
    lines = [" ".join(f"{energy:.8g}" for energy in ENERGIES)]
    for number in range(1, 93):
        pairs = [cross_sections(number, float(energy)) for energy in ENERGIES]
        lines += [line([total for total, _ in pairs]), line([turned for _, turned in pairs])]
    Path(str(TABLE)).write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
