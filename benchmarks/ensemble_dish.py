"""Many members of cells with particles: nanotrial's lanes against libRoadRunner at equal measured error.

A day in a dish (about 170 states, equilibria among them), members drawn as for evidence: what is unknown by world, and
one well in each. libRoadRunner plays a few of them, nanotrial the same few, repeated and shuffled to as many as were
drawn: rates are over the very same members. One to four drawn members in a hundred oscillate for thousands of steps and
would decide everything; they are left out for both, counted, and told apart: two of them in each program, and all drawn
members together, for libRoadRunner from its times of both kinds.

libRoadRunner gets the form of the SBML that it runs fastest, `flat` (long shared parts are states; the plain form takes
a minute to load and ran several times slower), made anew for each member, so that it starts from prepared cells for
nothing. Settings: single_run.py. Loading is told apart. Errors are the largest difference of the observables over
their largest value against CVODES at 1e-10; observables which that run itself does not hold are left out. Phases of
oscillating members drift, so that for them no errors are compared.

python benchmarks/ensemble_dish.py [--quick] [--json]
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np

from dish_arm import STUDY
from ensemble_reference import Setting
from harness import Row, show
from nanotrial.exchange.arm import start_of
from nanotrial.exchange.sbml import Model, write_network
from nanotrial.places import build_arm
from nanotrial.sampling import Draws, joined_parameters
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble, cores
from nanotrial.solve.run import Runner, Tolerances, simulate_network
from nanotrial.study import Study, load_study
from single_run import Elsewhere, asked, largest_error, seconds_at

MEMBERS, SHARED, SEED, REPEATS = 512, 8, 1, 2
OURS = (1e-2, 1e-3, 1e-4, 1e-5)
THEIRS = ((1e-3, 1e-3), (1e-4, 1e-3), (1e-4, 1e-1), (1e-5, 1e-3), (1e-6, 1e-3))
TARGETS = (5e-4, 1e-4)
# The usual tolerance of an ensemble, and of libRoadRunner where errors cannot be compared.
USUAL = 1e-5
# A member of more steps than this in one stretch oscillates; the others take about a hundred.
MANY_STEPS = 2000
EXACT = Tolerances(relative=1e-10, absolute=1e-13, negative=1e-4, max_steps=2_000_000)
LOOSER = Tolerances(relative=1e-9, absolute=1e-12, negative=1e-4, max_steps=2_000_000)
# What two tight runs do not agree on is rounding: sums of ions that cancel.
HELD, AGREED = 1e-6, 1e-4


def read() -> Study:
    """Return the study."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY, encoding="utf-8")
        return load_study(path)


_HERE: list[Elsewhere] = []


def load_here(members: Sequence[tuple[Model, dict[str, float], list[str]]]) -> float:
    """Load a model for each member of this process; return the seconds of one."""
    _HERE[:] = [Elsewhere(*given) for given in members]
    return float(np.mean([one.loading for one in _HERE]))


def play_here(times: Sequence[float], relative: float, share: float) -> tuple[float, list[np.ndarray | None]]:
    """Return the seconds that the members of this process take, and what they show; None for one that fails."""
    found: list[np.ndarray | None] = []
    start = perf_counter()
    for other in _HERE:
        try:
            other.set_tolerances(relative, share)
            other.model.reset()
            found.append(other.run(times))
        except RuntimeError:
            found.append(None)
    return perf_counter() - start, found


class Cells:
    """The arm with drawn and prepared members."""

    def __init__(self, members: int) -> None:
        """Draw and prepare."""
        study = read()
        self.times = list(study.measures[0].times)
        self.built = build_arm(study, study.arms[0])
        self.network, self.compiled = self.built.network, compile_network(self.built.network)
        own = self.network.parameters
        sheet = study.catalogue.load("variability", study.place)
        draws = Draws(joined_parameters([own]), overlay_of(study), sheet, members, 1, SEED, catalogue=study.catalogue)
        changes = draws.of_arm(self.built.name, own, 0, members)
        columns = [changes.get(n, np.full(members, own[n].value)) for n in self.compiled.parameter_names]
        self.drawn = np.stack(columns, axis=1)
        self.ensembles = {r: self._ensemble(r) for r in OURS}
        start = perf_counter()
        self.ready, self.unready = self.built.prepare_members(self.ensembles[OURS[0]], self.drawn)
        self.preparing = (perf_counter() - start) / members

    def _ensemble(self, relative: float) -> Ensemble:
        return Ensemble(self.network, self.compiled, Tolerances(relative, relative * 1e-3, 1e-4, 400_000))

    def play(self, relative: float, who: np.ndarray) -> tuple[np.ndarray, int]:
        """Return what members show at a tolerance, and how many of them failed."""
        given = (self.ready[who], self.built.guesses, self.times, self.built.events, ())
        lost = {i: self.unready[int(w)] for i, w in enumerate(who) if int(w) in self.unready}
        run = self.ensembles[relative].run(*given, lost, self.network)
        return run.observables, len(run.reasons)

    def exact(self, member: int, tolerances: Tolerances) -> np.ndarray:
        """Return a tight run of a member, alone."""
        changes = dict(zip(self.compiled.parameter_names, self.ready[member].tolist(), strict=True))
        runner = Runner(self.compiled, tolerances)
        given = (self.network, self.times, self.built.events, ())
        return simulate_network(*given, changes, runner).observables

    def document(self, member: int) -> tuple[Model, dict[str, float], list[str]]:
        """Return a member as SBML, sizes of its states and what is read out."""
        changes = dict(zip(self.compiled.parameter_names, self.ready[member].tolist(), strict=True))
        given = (self.built.events, (), self.times[-1])
        start = start_of(self.network, Runner(self.compiled, LOOSER), changes, *given)
        model = write_network(self.network, start, *given, flat=True)
        sizes = {model.ids["species", n]: s.scale for n, s in self.network.species.items()}
        return model, sizes, [model.ids["observable", n] for n in self.network.observables]


def overlay_of(study: Study):
    """Return the fits that the study names."""
    from nanotrial.fit.overlay import Overlay

    return Overlay.of_study(study)


class Peers:
    """libRoadRunner in as many processes as there are cores, members dealt out among them."""

    def __init__(self, cells: Cells, members: Sequence[int]) -> None:
        """Start processes and load."""
        self.times, self.count = cells.times, len(members)
        self.pools = [ProcessPoolExecutor(1, get_context("spawn")) for _ in range(min(cores(), self.count))]
        documents = [cells.document(m) for m in members]
        each = len(self.pools)
        waiting = [pool.submit(load_here, documents[i::each]) for i, pool in enumerate(self.pools)]
        self.loading = max(future.result() for future in waiting)

    def play(self, relative: float, share: float) -> tuple[float, list[np.ndarray | None]]:
        """Return seconds per member of all processes together, each counted while it works, and what members show."""
        waiting = [pool.submit(play_here, self.times, relative, share) for pool in self.pools]
        done = [future.result() for future in waiting]
        rate = sum(len(found) / seconds for seconds, found in done)
        shown: list[np.ndarray | None] = [None] * self.count
        for i, (_, found) in enumerate(done):
            shown[i :: len(done)] = found
        return 1 / rate, shown

    def close(self) -> None:
        """End the processes."""
        for pool in self.pools:
            pool.shutdown()


class Yardstick:
    """Exact courses of shared members, and the observables that they hold."""

    def __init__(self, cells: Cells, members: Sequence[int]) -> None:
        """Run each member twice, tight and a little less."""
        self.courses = [cells.exact(m, EXACT) for m in members]
        gaps = [np.abs(cells.exact(m, LOOSER) - e) for m, e in zip(members, self.courses, strict=True)]
        sizes = [np.maximum(np.abs(e).max(axis=0), 1e-300) for e in self.courses]
        apart = np.max([g.max(axis=0) / s for g, s in zip(gaps, sizes, strict=True)], axis=0)
        self.kept = apart < HELD
        self.left_out = [n for n, k in zip(cells.network.observables, self.kept, strict=True) if not k]

    def errors(self, found: Sequence[np.ndarray | None]) -> np.ndarray:
        """Return the error of each shared member that has not failed."""
        pairs = zip(found, self.courses, strict=True)
        good = [(f, e) for f, e in pairs if f is not None and np.isfinite(f).all()]
        return np.array([largest_error(f[:, self.kept], e[:, self.kept]) for f, e in good])


def sorted_members(cells: Cells) -> tuple[list[int], list[int]]:
    """Return members that take few steps, and those that take many; what cannot be prepared is in neither."""
    t = cells.ensembles[USUAL].tolerances
    few = Ensemble(cells.network, cells.compiled, replace(t, max_steps=MANY_STEPS))
    given = (cells.ready, cells.built.guesses, cells.times, cells.built.events, (), cells.unready, cells.network)
    reasons = few.run(*given).reasons
    many = [i for i, why in reasons.items() if "steps were needed" in why]
    return [i for i in range(len(cells.drawn)) if i not in reasons], many


def compare(cells: Cells, peers: Peers, yardstick: Yardstick, members: Sequence[int], repeats: int):
    """Return the settings of both programs over the shared members, taking turns."""
    many = np.resize(np.array(members), len(cells.drawn))
    shuffled = np.random.default_rng(SEED).permutation(len(many))
    first = [int(np.flatnonzero(many[shuffled] == m)[0]) for m in members]
    best: dict[str, float] = {}
    last: dict[str, tuple[np.ndarray, int]] = {}
    for turn in range(repeats):
        for relative in OURS:
            if turn == 0:
                cells.play(relative, many[:8])
            start = perf_counter()
            shown, failed = cells.play(relative, many[shuffled])
            name = f"nanotrial {relative:g}"
            best[name] = min(best.get(name, np.inf), (perf_counter() - start) / len(many))
            last[name] = yardstick.errors(list(shown[first])), failed * len(members) // len(many)
        for relative, share in THEIRS:
            seconds, found = peers.play(relative, share)
            name = f"libRoadRunner {relative:g}, {share:g} of size"
            best[name] = min(best.get(name, np.inf), seconds)
            last[name] = yardstick.errors(found), sum(f is None for f in found)
    return [Setting(name, best[name], *last[name]) for name in best]


def main() -> None:
    """Print members per second at equal error; a ratio above one is in favour of nanotrial."""
    quick = asked(__doc__ or "").quick
    cells = Cells(128 if quick else MEMBERS)
    steady, restless = sorted_members(cells)
    members = steady[: 2 if quick else SHARED]
    yardstick, peers = Yardstick(cells, members), Peers(cells, members)
    _, tight = peers.play(1e-8, 1e-3)
    apart = float(np.max(yardstick.errors(tight)))
    if apart > AGREED:
        raise SystemExit(f"the two programs differ by {apart:.1e} at tight tolerances: nothing to compare")
    settings = compare(cells, peers, yardstick, members, 1 if quick else REPEATS)
    peers.close()
    rows = rates(cells, settings)
    rows.append(Row("loading one flat document", peers.loading, "s", "libRoadRunner"))
    usual = next(s.seconds for s in settings if s.name == f"libRoadRunner {USUAL:g}, 0.001 of size")
    rows += whole(cells, steady, restless, usual, quick)
    lines = [
        f"{s.name}: {s.seconds * 1e3:.2f} ms a member, error {np.median(s.errors):.1e} "
        f"(largest {np.max(s.errors):.1e}), {s.failed} of {len(members)} failed"
        for s in settings
        if len(s.errors)
    ]
    show(
        rows,
        f"{cores()} cores; {len(members)} members shared, {len(restless)} of {len(cells.drawn)} oscillate and are left "
        f"out for both; apart by {apart:.0e} at tight tolerances; observables not held and left out: "
        f"{', '.join(yardstick.left_out) or 'none'}.\n" + "\n".join(lines),
    )


def rates(cells: Cells, settings: list[Setting]) -> list[Row]:
    """Return rows at equal error; a setting at which a member fails has no error that could be called equal."""
    groups = [[s for s in settings[: len(OURS)] if not s.failed], [s for s in settings[len(OURS) :] if not s.failed]]
    rows = []
    for of, word in ((np.median, "median"), (np.max, "largest")):
        for target in TARGETS:
            ours, theirs = (seconds_at([s.point(of) for s in group], target) for group in groups)
            name = f"24 h in a dish, {cells.compiled.size} states, {word} error {target:g}"
            rows.append(Row(name, 1 / ours, "1/s", "libRoadRunner", 1 / theirs))
            if of is np.median:
                rows.append(Row(f"{name}, preparing cells too", 1 / (ours + cells.preparing), "1/s"))
    return rows


def whole(cells: Cells, steady: list[int], restless: list[int], usual: float, quick: bool) -> list[Row]:
    """Return rows of all that was drawn, at the usual tolerances; some of what oscillates in both programs."""
    rows, seconds, failed = [], {}, {}
    for name, who in (("steady", steady), ("all", [*range(len(cells.drawn))])):
        start = perf_counter()
        failed[name] = cells.play(USUAL, np.array(who))[1]
        seconds[name] = perf_counter() - start
    rows.append(Row(f"{len(steady)} steady members, usual tolerance", len(steady) / seconds["steady"], "1/s"))
    count, rate = len(cells.drawn), len(cells.drawn) / seconds["all"]
    rows.append(Row(f"all {count} drawn members, usual tolerance", rate, "1/s"))
    if restless and not quick:
        some = restless[:2]
        start = perf_counter()
        cells.play(USUAL, np.array(some))
        ours = (perf_counter() - start) / len(some)
        peers = Peers(cells, some)
        each, found = peers.play(USUAL, 1e-3)
        peers.close()
        rows.insert(-1, Row(f"{len(some)} oscillating members, seconds for each", ours, "s", "libRoadRunner", each))
        lost = sum(f is None for f in found)
        rows.insert(-1, Row(f"of {len(some)} oscillating members failed", 0.0, "1", "libRoadRunner", float(lost), 0.0))
        rows[-1].peer = "libRoadRunner, from its times"
        rows[-1].peer_value = count / (len(steady) * usual + len(restless) * each)
        rows[-1].ratio = rate / rows[-1].peer_value
    rows.append(Row(f"failed of {count} drawn members", float(failed["all"]), "1"))
    return rows


if __name__ == "__main__":
    main()
