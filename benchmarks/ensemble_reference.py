"""Many members of the stiff reference problem: nanotrial's lanes against libRoadRunner at equal measured error.

Both play the same members (parameters drawn as the problem says) of the same 43-state network on the same cores:
nanotrial with threads, libRoadRunner in as many processes, each with the model loaded once (settings: single_run.py).
Errors are the largest difference of the observables over their largest value, over all outputs, against CVODES at
1e-11; a setting has one number for each of the first members, and is read at their median and at their largest.

Amounts at the start follow from parameters; libRoadRunner is given them with volumes and parameters, and what that
costs to work out is not counted for it. The SBML has no equilibria: both programs solve the same equations, which is
checked first.

python benchmarks/ensemble_reference.py [--quick] [--json]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter

import casadi as ca
import numpy as np

from harness import Row, show
from nanotrial.exchange.sbml import Model
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.ensemble import Ensemble, cores
from nanotrial.solve.run import Runner, Tolerances, simulate_network
from single_run import (
    AGREED,
    TIGHT,
    Case,
    Elsewhere,
    Point,
    asked,
    described,
    document_of,
    largest_error,
    reference_problem,
    seconds_at,
)

MEMBERS, CHECKED, SEED, REPEATS = 256, 20, 20240917, 8
OURS = (3e-3, 1e-3, 3e-4, 1e-4, 1e-5)
THEIRS = (
    (1e-3, 1e-3),
    (1e-3, 1e-1),
    (3e-4, 1e-2),
    (1e-4, 1e-3),
    (1e-4, 1e-2),
    (1e-4, 1e-1),
    (1e-5, 1e-2),
    (1e-6, 1e-2),
)
TARGETS = (1e-3, 5e-4, 1e-4)
# Members of one task of a process: enough to be worth sending, few enough to end together.
BATCH = 8


@dataclass(frozen=True)
class Setting:
    """A setting over members: seconds per member, errors of the checked members, how many members failed."""

    name: str
    seconds: float
    errors: np.ndarray
    failed: int

    def point(self, of: Callable[[np.ndarray], float]) -> Point:
        """Return the setting with one error for all its members."""
        return Point(self.name, float(of(self.errors)), self.seconds)


_HERE: list[Elsewhere] = []


def load_here(model: Model, sizes: Mapping[str, float], shown: Sequence[str]) -> None:
    """Load the model in a process."""
    _HERE[:] = [Elsewhere(model, sizes, shown)]


def loading_here(_: int) -> float:
    """Return how long this process took to load its model (s)."""
    return _HERE[0].loading


def play_here(
    members: Sequence[Mapping[str, float]], times: Sequence[float], relative: float, share: float
) -> list[np.ndarray | None]:
    """Return what members show, in this process; None for one that fails."""
    other, found = _HERE[0], list[np.ndarray | None]()
    other.set_tolerances(relative, share)
    for values in members:
        try:
            other.begin(values)
            found.append(other.run(times))
        except RuntimeError:
            found.append(None)
    return found


class Problem:
    """The reference problem with drawn members, exact courses of the first, and its document."""

    def __init__(self, members: int, checked: int) -> None:
        """Draw members and run the first with CVODES."""
        problem = reference_problem()
        self.case = Case("reference", problem.network, problem.outputs, problem.events, problem.pulses)
        self.compiled: CompiledNetwork = compile_network(problem.network)
        self.parameters = problem.draw(members, np.random.default_rng(SEED))
        self.runner = Runner(self.compiled, TIGHT)
        self.exact = [self._course(row, self.case.outputs).observables for row in self.parameters[:checked]]
        self.model = document_of(self.case, self.compiled)
        self.values = [self._values(row) for row in self.parameters]
        network, ids = problem.network, self.model.ids
        self.sizes = {ids["species", n]: s.scale for n, s in network.species.items()}
        self.shown = [ids["observable", n] for n in network.observables]

    def _course(self, row: np.ndarray, outputs: Sequence[float]):
        case, changes = self.case, dict(zip(self.compiled.parameter_names, row.tolist(), strict=True))
        events = [e for e in case.events if e.time <= outputs[-1]]
        pulses = [p for p in case.pulses if p.start <= outputs[-1]]
        return simulate_network(case.network, outputs, events, pulses, changes, self.runner)

    def _values(self, row: np.ndarray) -> dict[str, float]:
        """Return what libRoadRunner is given for a member: volumes, amounts after what happens at 0 s, parameters."""
        network, ids = self.case.network, self.model.ids
        symbols = ca.vertcat(*[p.symbol for p in network.parameters.values()])
        volumes = ca.vertcat(*[c.volume.expression for c in network.compartments.values()])
        found = ca.Function("volumes", [symbols], [volumes])(row).full().ravel().tolist()
        values = {ids["compartment", n]: v for n, v in zip(network.compartments, found, strict=True)}
        amounts = self._course(row, (0.0,)).states[0].tolist()
        values |= {ids["species", n]: v for n, v in zip(network.species, amounts, strict=True)}
        return values | {ids["parameter", n]: v for n, v in zip(network.parameters, row.tolist(), strict=True)}

    def errors(self, found: Sequence[np.ndarray | None]) -> np.ndarray:
        """Return the error of each checked member that has not failed."""
        pairs = zip(found, self.exact, strict=False)
        return np.array([largest_error(f, e) for f, e in pairs if f is not None and np.isfinite(f).all()])


def ours_of(problem: Problem) -> dict[str, Callable[[], list[np.ndarray]]]:
    """Return what plays all members with nanotrial, by setting; machine code is made and loaded."""
    case, runs = problem.case, {}
    for relative in OURS:
        ensemble = Ensemble(case.network, problem.compiled, Tolerances(relative, relative * 1e-3, 1e-4, 200_000))
        ensemble.run(problem.parameters[:8], np.zeros(0), case.outputs, case.events, case.pulses)

        def run(e: Ensemble = ensemble) -> list[np.ndarray]:
            return list(e.run(problem.parameters, np.zeros(0), case.outputs, case.events, case.pulses).observables)

        runs[f"nanotrial {relative:g}"] = run
    return runs


def theirs_of(problem: Problem, pool: ProcessPoolExecutor) -> dict[str, Callable[[], list[np.ndarray | None]]]:
    """Return what plays all members with libRoadRunner, by setting."""
    batches = [problem.values[i : i + BATCH] for i in range(0, len(problem.values), BATCH)]
    times, runs = list(problem.case.outputs), {}
    for relative, share in THEIRS:

        def run(r: float = relative, s: float = share) -> list[np.ndarray | None]:
            futures = [pool.submit(play_here, batch, times, r, s) for batch in batches]
            return [one for future in futures for one in future.result()]

        runs[f"libRoadRunner {relative:g}, {share:g} of size"] = run
    return runs


def play_all(problem: Problem, runs: Mapping[str, Callable[[], Sequence]], repeats: int) -> list[Setting]:
    """Return each setting at its best time; settings take turns."""
    best, last = dict.fromkeys(runs, np.inf), dict[str, Sequence]()
    for _ in range(repeats):
        for name, run in runs.items():
            start = perf_counter()
            last[name] = run()
            best[name] = min(best[name], perf_counter() - start)
    count = len(problem.parameters)
    failed = {name: sum(f is None or not np.isfinite(f).all() for f in found) for name, found in last.items()}
    return [Setting(n, best[n] / count, problem.errors(last[n]), failed[n]) for n in runs]


def first_result() -> None:
    """Print the seconds from a network to the results of eight members; run with an empty cache."""
    problem = reference_problem()
    start = perf_counter()
    ensemble = Ensemble(problem.network, compile_network(problem.network))
    drawn = problem.draw(8, np.random.default_rng(SEED))
    ensemble.run(drawn, np.zeros(0), problem.outputs, problem.events, problem.pulses)
    print(perf_counter() - start)


def cold_seconds(repeats: int) -> float:
    """Return the best of several cold starts in processes of their own; the first fills Numba's cache and is left out.

    Symbols, LLVM, loading and the import of Numba are in it, and eight members.
    """
    found = []
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory() as empty:
            given = {**os.environ, "NANOTRIAL_CACHE": empty}
            text = subprocess.run(
                [sys.executable, __file__, "--first"], env=given, check=True, capture_output=True, text=True
            ).stdout
            found.append(float(text))
    return min(found[1:])


def main() -> None:
    """Print members per second at equal error; a ratio above one is in favour of nanotrial."""
    if "--first" in sys.argv:
        first_result()
        return
    quick = asked(__doc__ or "").quick
    problem = Problem(96 if quick else MEMBERS, 8 if quick else CHECKED)
    # Numba's threads may run by now: processes are started afresh, not forked.
    given = (problem.model, problem.sizes, problem.shown)
    with ProcessPoolExecutor(cores(), get_context("spawn"), initializer=load_here, initargs=given) as pool:
        loading = max(pool.map(loading_here, range(cores())))
        tight = [f.result() for f in [pool.submit(play_here, problem.values[:8], problem.case.outputs, 1e-9, 1e-3)]]
        apart = float(problem.errors(tight[0]).max())
        if apart > AGREED:
            raise SystemExit(f"the two programs differ by {apart:.1e} at tight tolerances: nothing to compare")
        settings = play_all(problem, ours_of(problem) | theirs_of(problem, pool), 1 if quick else REPEATS)
    report(problem, settings, apart, loading, cold_seconds(1 if quick else 3))


def report(problem: Problem, settings: list[Setting], apart: float, loading: float, cold: float) -> None:
    """Print rates at equal error, failures, compiling and the members from which it pays."""
    mine, peers = settings[: len(OURS)], settings[len(OURS) :]
    rows = []
    for of, word in ((np.median, "median"), (np.max, "largest")):
        for target in TARGETS:
            ours, theirs = (seconds_at([s.point(of) for s in group], target) for group in (mine, peers))
            name = f"43 states, {len(problem.parameters)} members, {word} error {target:g}"
            rows.append(Row(name, 1 / ours, "1/s", "libRoadRunner", 1 / theirs))
    ours, theirs = (seconds_at([s.point(np.median) for s in group], TARGETS[1]) for group in (mine, peers))
    rows.append(Row("from the network to first results, cold", cold, "s", "libRoadRunner, loading", loading))
    gained = (cold - loading) / (theirs - ours)
    rows.append(Row(f"members from which it pays, median error {TARGETS[1]:g}", max(gained, 0.0), "1"))
    rows.append(Row("members that failed, all settings", sum(s.failed for s in mine), "1"))
    rows[-1].peer, rows[-1].peer_value = "libRoadRunner", float(sum(s.failed for s in peers))
    lines = [
        f"{s.name}: {s.seconds * 1e3:.2f} ms a member, error {np.median(s.errors):.1e} (largest {np.max(s.errors):.1e})"
        for s in settings
    ]
    near = described([s.point(np.median) for s in peers], TARGETS[1])
    show(
        rows,
        f"{cores()} cores; apart by {apart:.0e} at tight tolerances over {len(problem.exact)} members at most.\n"
        + "\n".join(lines)
        + f"\nNearest of libRoadRunner to {TARGETS[1]:g}: {near}.",
    )


if __name__ == "__main__":
    main()
