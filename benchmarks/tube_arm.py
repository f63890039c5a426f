"""One arm in a tube: nanotrial's CVODES against SciPy's solvers on the very same right-hand side and Jacobian.

Errors are measured against a run of CVODES at a far tighter tolerance, so that time is read at equal accuracy. The
right-hand side is evaluated by CasADi in all of them; the peers pay one call from Python for each evaluation, and that
is most of their time at this size. "CVODES alone" is the integration that the peers do too; the whole run adds events,
equilibria at the start, observables and balances.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from scipy.integrate import solve_ivp

from harness import Row, show
from nanotrial.places import build_arm
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.run import Runner, Tolerances, simulate_network
from nanotrial.study import Study, load_study

REPEATS = 7
RELATIVE, ABSOLUTE = 1e-7, 1e-10
REFERENCE = Tolerances(relative=1e-11, absolute=1e-14, max_steps=200000)
STUDY = """
title = "Release of one arm"
place = "tube"

[particle.bare]
core = "calcium_peroxide"
diameter = "4.5 nm"

[subject]
buffer = "phosphate"
concentration = "10 mmol/L"
ph = 6.0

[[arm]]
name = "pH 6"
add = [{ particle = "bare", concentration = "1 mmol/L", basis = "calcium", at = "0 h" }]

[measure]
release = { every = "15 min", until = "12 h" }
"""


def read() -> Study:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY, encoding="utf-8")
        return load_study(path)


def timed(call, repeats: int = REPEATS):
    """Return the last result and the median wall time in seconds; the first call warms up and does not count."""
    call()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        result = call()
        times.append(perf_counter() - start)
    return result, median(times)


def peer(compiled: CompiledNetwork, y0: np.ndarray, p: np.ndarray, times: list[float], method: str):
    right_hand_side, jacobian = compiled.right_hand_side, compiled.jacobian

    def solve():
        found = solve_ivp(
            lambda t, y: right_hand_side(t, y, p).full().ravel(),
            (times[0], times[-1]),
            y0,
            method,
            times,
            jac=lambda t, y: jacobian(t, y, p).full(),
            rtol=RELATIVE,
            atol=ABSOLUTE,
        )
        if not found.success:
            raise SystemExit(f"{method}: {found.message}")
        return found.y.T

    return solve


def main() -> None:
    study = read()
    arm = study.arms[0]
    times = list(study.measures[0].times)
    start = perf_counter()
    built = build_arm(study, arm)
    compiled = compile_network(built.network)
    building = perf_counter() - start
    p = built.prepare(compiled, compiled.parameters())
    changes = dict(zip(compiled.parameter_names, p, strict=True))

    def run(tolerances: Tolerances):
        runner = Runner(compiled, tolerances)
        return lambda: simulate_network(built.network, times, built.events, changes=changes, runner=runner)

    exact = run(REFERENCE)()
    found, whole = timed(run(Tolerances(RELATIVE, ABSOLUTE)))
    n = len(compiled.species_names)
    size = np.concatenate([compiled.scales, np.ones(compiled.size - n)])
    # The only event of the arm is its addition at the start, which the first output already shows.
    assert all(event.time == 0.0 for event in built.events)
    y0 = exact.states[0] / size
    integrator = Runner(compiled, Tolerances(RELATIVE, ABSOLUTE)).integrator(times[0], tuple(times[1:]))
    _, alone = timed(lambda: integrator(x0=y0, p=p)["xf"].full())

    def error(states: np.ndarray) -> float:
        return float(np.max(np.abs(states - exact.states / size)))

    note = [
        f"building and compiling {building:.2f} s",
        f"largest scaled error: nanotrial {error(found.states / size):.1e}",
    ]
    rows = []
    for method in ("BDF", "LSODA", "Radau"):
        states, theirs = timed(peer(compiled, y0, p, times, method), 3)
        note.append(f"{method} {error(states):.1e}")
        name = f"12 h of release, {compiled.size} states, {len(times)} outputs"
        for part, seconds in (("CVODES alone", alone), ("whole run", whole)):
            rows.append(Row(f"{name}, {part}", seconds * 1e3, "ms", f"SciPy {method}", theirs * 1e3))
    show(rows, f"Tolerances {RELATIVE:g} relative, {ABSOLUTE:g} absolute of scaled states; {', '.join(note)}.")


if __name__ == "__main__":
    main()
