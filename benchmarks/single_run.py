"""One run: nanotrial's CVODES against libRoadRunner's on the SBML that nanotrial writes, at equal measured error.

The stiff reference problem of the tests (43 states, events, pulses) and diffusion in spherical shells. Each program
runs at several tolerances; errors are measured against a far tighter run, and times are read where errors are equal.

libRoadRunner as it runs best here: CVODE (stiff), the LLJIT back end at its hardest, an absolute tolerance for every
state by its size, times asked and nothing between (variable steps off), selections of what is compared and no more.
Loading, compiling and drawing are not counted for either.

python benchmarks/single_run.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from harness import Row, show
from nanotrial.exchange.arm import start_of
from nanotrial.exchange.sbml import Model, write_network
from nanotrial.network.model import Network
from nanotrial.solve.compiled import CompiledNetwork, compile_network
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.run import Runner, Tolerances, simulate_network
from radial_diffusion import TIMES, spheroid

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from reference_network import reference_problem

SIZES = (150, 250, 400)
OURS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
# Relative tolerances of libRoadRunner, and its absolute ones over these and the sizes of states.
THEIRS, SHARES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8), (1e-3, 1e-2, 1e-1)
TIGHT = Tolerances(relative=1e-11, absolute=1e-14, negative=1e-4, max_steps=2_000_000)
AGREED = 1e-6
TARGETS = (5e-4, 1e-5)


@dataclass(frozen=True)
class Point:
    """A setting of a program: its name, largest error, and seconds."""

    setting: str
    error: float
    seconds: float


class Elsewhere:
    """A model in libRoadRunner."""

    def __init__(self, model: Model, sizes: Mapping[str, float], shown: Sequence[str]) -> None:
        """Load a document.

        Arguments:
            model: the document.
            sizes: typical size (SI) of states by id; a state without one has the size it starts with, or 0.001.
            shown: ids of what is read out.
        """
        import roadrunner

        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        config = roadrunner.Config
        config.setValue(config.LLVM_BACKEND, config.LLJIT)
        config.setValue(config.LLJIT_OPTIMIZATION_LEVEL, config.AGGRESSIVE)
        start = perf_counter()
        self.model = roadrunner.RoadRunner(model.text)
        self.loading = perf_counter() - start
        self.inner: Any = self.model.model
        count = len(self.model.getRateRuleIds()) + self.inner.getNumFloatingSpecies()
        self.states = [self.inner.getStateVectorId(i) for i in range(count)]
        self.sizes = np.array([sizes[n] if n in sizes else max(abs(self.model.getValue(n)), 1e-3) for n in self.states])
        self.model.timeCourseSelections = ["time", *shown]
        self.model.integrator.setValue("maximum_num_steps", 1_000_000)
        self._places: list[tuple[Any, dict[str, int], list[str]]] = []

    def set_tolerances(self, relative: float, share: float) -> None:
        """Set the error control; the absolute tolerance of a state is relative * share * its size."""
        self.model.integrator.setValue("relative_tolerance", relative)
        self.model.integrator.setValue("absolute_tolerance", (relative * share * self.sizes).tolist())

    def begin(self, values: Mapping[str, float]) -> None:
        """Go back to the start and take values (SI) of compartments, species and parameters, by id, always the same."""
        self.model.reset()
        if not self._places:
            i = self.inner
            tables = (
                (i.setCompartmentVolumes, i.getCompartmentIds()),
                (i.setFloatingSpeciesAmounts, i.getFloatingSpeciesIds()),
                (i.setGlobalParameterValues, i.getGlobalParameterIds()),
            )
            self._places = [(put, at, [n for n in ids if n in values]) for put, ids in tables for at in [index_of(ids)]]
        for put, at, names in self._places:
            if names:
                put([at[n] for n in names], [values[n] for n in names])

    def run(self, times: Sequence[float]) -> np.ndarray:
        """Return what is read out, shape (times, shown)."""
        return np.array(self.model.simulate(times=times))[:, 1:]


def index_of(names: Sequence[str]) -> dict[str, int]:
    """Return where each name stands."""
    return {name: place for place, name in enumerate(names)}


def asked(about: str, *more: str) -> argparse.Namespace:
    """Return what the command line asks; --json is left to the table.

    Arguments:
        about: what the script does.
        more: further switches.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="less of everything, under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object for each row")
    for name in more:
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    sys.argv[1:] = ["--json"] if given.json else []
    return given


def largest_error(found: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest difference over the largest value of each column; times are rows."""
    size = np.abs(exact).max(axis=0)
    return float(np.max(np.abs(found - exact)[:, size > 0] / size[size > 0]))


def seconds_at(points: Iterable[Point], target: float) -> float:
    """Return the seconds that an error costs: between the settings that no other beats, straight on logarithms.

    Where all settings are more exact than the target the fastest counts.

    Arguments:
        points: measured settings.
        target: error.
    """
    known = sorted((p for p in points if np.isfinite(p.error)), key=lambda p: (p.seconds, p.error))
    front: list[Point] = []
    for point in known:
        if not front or point.error < front[-1].error:
            front.append(point)
    if not front or front[-1].error > target:
        raise SystemExit(f"no setting reaches an error of {target:g}")
    errors, seconds = ([float(np.log(v)) for v in c] for c in zip(*((p.error, p.seconds) for p in front), strict=True))
    return float(np.exp(np.interp(np.log(target), errors[::-1], seconds[::-1])))


def described(points: Iterable[Point], target: float) -> str:
    """Return the setting that is nearest to an error, with its error."""
    near = min(points, key=lambda p: abs(np.log(p.error / target)))
    return f"{near.setting}: {near.error:.1e}"


@dataclass(frozen=True)
class Case:
    """A problem: its network, what is done to it, and whether its states are read out, or its observables."""

    name: str
    network: Network
    outputs: tuple[float, ...]
    events: tuple[Event, ...] = ()
    pulses: tuple[Pulse, ...] = ()
    states: bool = False


def document_of(case: Case, compiled: CompiledNetwork) -> Model:
    """Return a problem as SBML."""
    given = {name: p.value for name, p in case.network.parameters.items()}
    until = case.outputs[-1]
    start = start_of(case.network, Runner(compiled, TIGHT), given, case.events, case.pulses, until)
    return write_network(case.network, start, case.events, case.pulses, until)


def measured(runs: Mapping[str, Callable[[], np.ndarray]], exact: np.ndarray, repeats: int) -> list[Point]:
    """Return error and best time of each setting, the settings in turn so that none has the quiet minute."""
    best, errors = dict.fromkeys(runs, np.inf), dict.fromkeys(runs, np.nan)
    for _ in range(repeats + 1):
        for name, run in runs.items():
            start = perf_counter()
            found = run()
            # The first run of a setting makes its integrators: it costs more and so never is the best.
            best[name] = min(best[name], perf_counter() - start)
            errors[name] = largest_error(found, exact)
    return [Point(name, errors[name], best[name]) for name in runs]


def compare(case: Case, targets: Sequence[float], repeats: int, shares: Sequence[float]) -> tuple[list[Row], str]:
    """Return rows of one problem and what is to be said of it."""
    compiled = compile_network(case.network)
    model = document_of(case, compiled)
    names = [model.ids["species", n] if case.states else model.ids["observable", n] for n in shown_of(case)]
    sizes = {model.ids["species", n]: s.scale for n, s in case.network.species.items()}
    other = Elsewhere(model, sizes, names)
    times = list(case.outputs)

    def ours(tolerances: Tolerances) -> Callable[[], np.ndarray]:
        runner = Runner(compiled, tolerances)

        def run() -> np.ndarray:
            found = simulate_network(case.network, case.outputs, case.events, case.pulses, runner=runner)
            return found.states if case.states else found.observables

        return run

    start = {model.ids["parameter", n]: p.value for n, p in case.network.parameters.items()}

    def theirs(relative: float, share: float) -> Callable[[], np.ndarray]:
        def run() -> np.ndarray:
            other.set_tolerances(relative, share)
            other.begin(start)
            return other.run(times)

        return run

    exact = ours(TIGHT)()
    apart = largest_error(theirs(1e-9, 1e-3)(), exact)
    if apart > AGREED:
        raise SystemExit(f"{case.name}: the two programs differ by {apart:.1e} at tight tolerances")
    runs = {f"nanotrial {r:g}": ours(Tolerances(r, r * 1e-3, 1e-2, 1_000_000)) for r in OURS}
    runs |= {f"libRoadRunner {r:g}, {s:g} of size": theirs(r, s) for r in THEIRS for s in shares}
    points = measured(runs, exact, repeats)
    mine, peers = points[: len(OURS)], points[len(OURS) :]
    rows = []
    for target in targets:
        value, peer = seconds_at(mine, target), seconds_at(peers, target)
        rows.append(Row(f"{case.name}, error {target:g}", value * 1e3, "ms", "libRoadRunner", peer * 1e3))
    near = f"{described(mine, targets[0])}, {described(peers, targets[0])}"
    return rows, f"{case.name}: apart {apart:.0e} at tight tolerances; nearest to {targets[0]:g}: {near}."


def shown_of(case: Case) -> list[str]:
    """Return the names of what is compared."""
    return list(case.network.species if case.states else case.network.observables)


def main() -> None:
    """Print milliseconds of a run at equal error; a ratio below one is in favour of nanotrial."""
    quick = asked(__doc__ or "").quick
    problem = reference_problem()
    cases = [Case("reference, 43 states", problem.network, problem.outputs, problem.events, problem.pulses)]
    cases += [
        Case(f"shells, {n} states", spheroid(n), tuple(TIMES), states=True) for n in SIZES[: 1 if quick else None]
    ]
    rows, notes = [], []
    for case in cases:
        found, note = compare(case, TARGETS, 3 if quick else 9, SHARES[1:2] if quick else SHARES)
        rows += found
        notes.append(note)
    show(rows, "\n".join(notes))


if __name__ == "__main__":
    main()
