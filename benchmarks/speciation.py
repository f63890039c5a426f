"""How fast the species of many solutions are found, beside PHREEQC through phreeqpython.

python benchmarks/speciation.py          100 000 solutions
python benchmarks/speciation.py --quick  10 000 solutions
"""

import sys
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from harness import Row, show
from nanotrial.medium import speciate
from nanotrial.units import registry

# A simulated body fluid with its buffer and two organic acids (mmol/L); each varies by half of that.
FLUID = {
    **{"Na": 142.0, "K": 5.0, "Mg": 1.5, "Ca": 2.5, "Cl": 147.8, "HCO3": 4.2, "HPO4": 1.0, "SO4": 0.5},
    **{"tris": 50.0, "citrate": 0.1, "lactate": 1.0},
}
# What PHREEQC's own database holds of them.
THEIRS = {"Na": "Na", "K": "K", "Mg": "Mg", "Ca": "Ca", "Cl": "Cl", "HCO3": "C(4)", "HPO4": "P", "SO4": "S(6)"}
LIMIT_S = 1.0
PEER_COUNT = 300


def draw(count: int) -> dict[str, Any]:
    generator = np.random.default_rng(1)
    return {k: registry().Quantity(n * generator.uniform(0.5, 1.5, count), "mmol/L") for k, n in FLUID.items()}


def best_of(times: int, work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def peer_seconds() -> float | None:
    """Return the seconds PHREEQC takes for a solution, or None where phreeqpython is not installed."""
    try:
        from phreeqpython import PhreeqPython
    except ImportError:
        return None
    program, totals = PhreeqPython().ip, draw(PEER_COUNT)
    given = {THEIRS[k]: q.magnitude for k, q in totals.items() if k in THEIRS}
    texts = [
        "SOLUTION 1\n units mmol/kgw\n temp 36.5\n pH 7.4\n"
        + "\n".join(f" {e} {n[i]}" for e, n in given.items())
        + "\nEND\n"
        for i in range(PEER_COUNT)
    ]
    return best_of(2, lambda: [program.run_string(text) for text in texts]) / PEER_COUNT


def main() -> None:
    quick = "--quick" in sys.argv
    if quick:
        sys.argv.remove("--quick")
    warnings.simplefilter("ignore")
    count = 10_000 if quick else 100_000
    totals = draw(count)
    speciate({k: q[:100] for k, q in totals.items()}, 7.4, "36.5 degC")  # compiles, or loads what was compiled
    held = best_of(3, lambda: speciate(totals, 7.4, "36.5 degC"))
    free = best_of(2, lambda: speciate(totals, None, "36.5 degC"))
    peer = peer_seconds()
    species = len(speciate({k: q[0] for k, q in totals.items()}, 7.4, "36.5 degC").molar)
    name, factor = (None, None) if peer is None else ("PHREEQC", peer * 1e6)
    show(
        [
            Row(f"{count} solutions, pH given", held, "s"),
            Row(f"{count} solutions, pH from charge", free, "s"),
            Row("one solution, pH given", held / count * 1e6, "us", name, factor),
            Row("one solution, pH from charge", free / count * 1e6, "us", name, factor),
        ],
        f"Best of 3 repeats (2 for pH from charge); {len(FLUID)} components, {species} species, PHREEQC 8 elements. "
        f"Limit: {LIMIT_S} s for 100 000 at a given pH on two cores.",
    )


if __name__ == "__main__":
    main()
