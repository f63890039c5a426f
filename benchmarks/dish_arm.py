"""One arm in a dish: nanotrial's CVODES against SciPy's solvers on the very same right-hand side and Jacobian.

Cells with particles, about 170 states. See tube_arm.py for what is compared and how; errors are those of read-outs
against a far tighter run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from harness import Row, show
from nanotrial.experiment import CELLS
from nanotrial.places import build_arm
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.run import Runner, Tolerances, simulate_network
from nanotrial.study import load_study
from tube_arm import peer, timed

REFERENCE = Tolerances(relative=1e-10, absolute=1e-13, max_steps=2_000_000)
STUDY = """
title = "One arm on cells"
place = "dish"
fits = ["calcium_peroxide_release"]

[particle.coated]
core = "calcium_peroxide"
diameter = "4.5 nm"
coating = [{ material = "sodium_hyaluronate", mass_fraction = 0.2 }]

[subject]
cells = "4t1"

[[arm]]
name = "particles"
add = [{ particle = "coated", concentration = "1 mmol/L", basis = "calcium", at = "0 h" }]

[measure]
viability = { every = "1 h", until = "24 h" }
"""


def main() -> None:
    """Print milliseconds of a day in the dish, CVODES and each peer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY, encoding="utf-8")
        study = load_study(path)
    times = list(study.measures[0].times)
    built = build_arm(study, study.arms[0])
    compiled = compile_network(built.network)
    p = built.prepare(compiled, compiled.parameters())
    changes = dict(zip(compiled.parameter_names, p, strict=True))
    exact = simulate_network(built.network, times, built.events, changes=changes, runner=Runner(compiled, REFERENCE))
    n = len(compiled.species_names)
    size = np.concatenate([compiled.scales, np.ones(compiled.size - n)])
    y0 = exact.states[0] / size
    integrator = Runner(compiled, CELLS).integrator(times[0], tuple(times[1:]))
    found, alone = timed(lambda: np.column_stack([y0, integrator(x0=y0, p=p)["xf"].full()]).T)

    def error(states: np.ndarray) -> float:
        """Return the largest error of what a dish shows, over the largest value of each read-out."""
        shown = np.array([compiled.observe(t, y, p).full().ravel() for t, y in zip(times, states, strict=True)])
        return float(np.max(np.abs(shown - exact.observables) / np.abs(exact.observables).max(axis=0)))

    rows, note = [], [f"nanotrial {error(found):.1e}"]
    for method in ("BDF", "LSODA"):
        states, theirs = timed(peer(compiled, y0, p, times, method), 2)
        note.append(f"{method} {error(states):.1e}")
        name = f"24 h in a dish, {compiled.size} states, {len(times)} outputs, CVODES alone"
        rows.append(Row(name, alone * 1e3, "ms", f"SciPy {method}", theirs * 1e3))
    show(rows, f"Largest errors of read-outs: {', '.join(note)}.")


if __name__ == "__main__":
    main()
