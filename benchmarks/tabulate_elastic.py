"""Work out the table of elastic cross-sections of the elements again: python benchmarks/tabulate_elastic.py.

Some minutes on two cores. What is slow are fast electrons, whose cross-sections are smooth: few energies above 3 keV.
"""

from __future__ import annotations

from multiprocessing import Pool

import numpy as np

from nanotrial.radiation.electrons.elastic import TABLE
from nanotrial.radiation.electrons.partial_waves import cross_sections

ENERGIES = np.concatenate([np.geomspace(0.05, 3.0, 26), np.geomspace(3.0, 1000.0, 10)[1:]])
HEADER = """# Elastic scattering of electrons by free atoms: total and first transport cross-section in nm2.
# Computed by benchmarks/tabulate_elastic.py (nanotrial.radiation.electrons.partial_waves); fields: salvat_1987.
# First line: energies in keV. Then for Z = 1 to 92 one line of totals and one of transport cross-sections.
"""


def line(numbers: list[float]) -> str:
    """Return numbers of five digits as one line."""
    return " ".join(f"{number:.4e}" for number in numbers)


def element(number: int) -> str:
    """Return the two lines of one element."""
    pairs = [cross_sections(number, float(energy)) for energy in ENERGIES]
    return line([total for total, _ in pairs]) + "\n" + line([turned for _, turned in pairs])


def main() -> None:
    """Write the table to where the package reads it."""
    with Pool(2) as pool:
        lines = pool.map(element, range(1, 93), chunksize=1)
    first = " ".join(f"{energy:.8g}" for energy in ENERGIES)
    TABLE.write_text(HEADER + first + "\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
