"""Play arms: central runs with CVODES, members side by side in lanes, cells held to the same cells left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import SolveError
from nanotrial.places import BuiltArm
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble
from nanotrial.solve.interrupt import honest_interrupts
from nanotrial.solve.run import Runner, Tolerances, Trajectory, simulate_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

# Below so many members, machine code is not worth the wait for it. The choice hangs on nothing else, so that numbers
# are the same whether code is at hand or not.
FEW_MEMBERS = 50
# Tables of untreated cells that are kept.
MOST_TWINS = 8


@dataclass(frozen=True)
class MemberTable:
    """Members of one arm: ``values[observable]`` (members, times) in SI, NaN where one failed; why, by its number."""

    values: dict[str, Vector]
    reasons: dict[int, str]

    def rows(self, which: NDArray[np.int64]) -> MemberTable:
        """Return the table with a row of this one for each member.

        Arguments:
            which: row of this table for each member.
        """
        reasons = {i: self.reasons[int(k)] for i, k in enumerate(which) if int(k) in self.reasons}
        return MemberTable({name: rows[which] for name, rows in self.values.items()}, reasons)


@dataclass(frozen=True)
class Control:
    """Cells left alone that viability is held to: ``changes`` of so many members, and which of them for each member."""

    changes: Mapping[str, Vector]
    members: int
    of_member: NDArray[np.int64]


# Measures that are shares of the same cells left alone.
HELD = ("viability", "live_fraction")
# Colonies over those of untreated cells, as counts of colonies are reported; only where radiation is followed.
COLONIES = "surviving_fraction"
# Calcium may oscillate for a day: many steps, of which none needs the sharpness of a titration. What a class of cells
# holds fades with its last cells: noise below a ten-thousandth of the start is nothing.
CELLS = Tolerances(relative=1e-6, absolute=1e-9, negative=1e-4, max_steps=400_000)


class Player:
    """Plays arms of studies and keeps compiled networks, so that arms of one structure share them."""

    def __init__(self, tolerances: Tolerances | None = None, threads: int = 0, many: bool = False) -> None:
        """Start with nothing compiled.

        Arguments:
            tolerances: error control of single runs.
            threads: how many run members; 0: as many as there are cores.
            many: members will come in thousands, so code that takes longer to make pays; numbers do not depend on it.
        """
        self.tolerances, self.threads, self.many = tolerances, threads, many
        self._runners: dict[str, Runner] = {}
        self._untreated: dict[Any, BuiltArm] = {}
        self._seen: dict[Any, dict[str, Vector]] = {}
        self._ensembles: dict[str, Ensemble] = {}
        self._seen_members: dict[Any, MemberTable] = {}

    def forget(self) -> None:
        """Drop what untreated cells of members that are done have shown."""
        self._seen.clear()
        self._seen_members.clear()

    def runner(self, built: BuiltArm) -> Runner:
        """Return the integrators for an arm; equal graphs share them."""
        with honest_interrupts():
            compiled = compile_network(built.network)
        usual = Tolerances() if built.dish is None else CELLS
        return self._runners.setdefault(compiled.digest, Runner(compiled, self.tolerances or usual))

    def play(self, built: BuiltArm, times: list[float], changes: dict[str, float] | None = None) -> Trajectory:
        """Return the trajectory of a built arm at times (s), with parameters changed by name (SI)."""
        runner = self.runner(built)
        return self.replay(runner, built, times, changes or {})

    def replay(self, runner: Runner, built: BuiltArm, times: list[float], changes: dict[str, float]) -> Trajectory:
        """Run again with other parameters on integrators that exist; the buffer is set to its nominal pH first."""
        run = self._run(runner, built, times, changes)
        if built.dish is None:
            return run
        # An arm to which nothing is done is its own control.
        return _held_to(run, self._untreated_run(built, times, changes) if built.events else run)

    def play_members(
        self,
        built: BuiltArm,
        times: list[float],
        changes: Mapping[str, Vector],
        members: int,
        control: Control | None = None,
    ) -> MemberTable:
        """Return what many members of an arm show.

        Arguments:
            built: the arm.
            times: outputs (s).
            changes: SI values of shape (members,) by parameter name; what the arm does not have is left out.
            members: how many.
            control: the cells that viability is held to; by default each member's own, left alone.
        """
        own = {name: values for name, values in changes.items() if name in built.network.parameters}
        play = self._one_by_one if members < FEW_MEMBERS else self._in_lanes
        table = play(built, times, own, members)
        if built.dish is None:
            return table
        if control is None:
            untreated = self._untreated_members(play, built, times, changes, members) if built.events else table
        else:
            whole = self._untreated_members(play, built, times, control.changes, control.members)
            untreated = whole.rows(control.of_member)
        return _members_held_to(table, untreated)

    def _one_by_one(
        self, built: BuiltArm, times: list[float], changes: Mapping[str, Vector], members: int
    ) -> MemberTable:
        """Run members with CVODES, one after another: nothing has to be made first."""
        runner, reasons = self.runner(built), dict[int, str]()
        names = runner.compiled.observable_names
        table = {name: np.full((members, len(times)), np.nan) for name in names}
        for i in range(members):
            own = {name: float(v[i]) for name, v in changes.items()}
            try:
                _refuse_no_numbers(own)
                run = self._run(runner, built, times, own)
            except SolveError as error:
                reasons[i] = str(error)
                continue
            for name in names:
                table[name][i] = run[name]
        return MemberTable(table, reasons)

    def _in_lanes(
        self, built: BuiltArm, times: list[float], changes: Mapping[str, Vector], members: int
    ) -> MemberTable:
        """Run members side by side (``solve.ensemble``), the buffer of each set to its nominal pH first."""
        runner = self.runner(built)
        c = runner.compiled
        if c.digest not in self._ensembles:
            self._ensembles[c.digest] = Ensemble(built.network, c, threads=self.threads, level=int(self.many))
        ensemble = self._ensembles[c.digest]
        values = [changes.get(n, built.network.parameters[n].value) for n in c.parameter_names]
        given = np.stack([np.broadcast_to(np.asarray(v, dtype=float), (members,)) for v in values], axis=1)
        with honest_interrupts():
            ready, reasons = built.prepare_members(ensemble, given)
            bad = np.flatnonzero(~np.isfinite(given).all(axis=1)).tolist()
            lost = {i: _no_number(c.parameter_names, given[i]) for i in bad}
            run = ensemble.run(ready, built.guesses, times, built.events, (), reasons | lost, built.network)
        return MemberTable({name: run[name] for name in c.observable_names}, run.reasons)

    def _untreated_members(
        self,
        play: Callable[[BuiltArm, list[float], Mapping[str, Vector], int], MemberTable],
        built: BuiltArm,
        times: list[float],
        changes: Mapping[str, Vector],
        members: int,
    ) -> MemberTable:
        """Return what the same cells of every member show when left alone; arms of one culture share it."""
        culture, twin = self._twin(built)
        own = {n: np.asarray(v, dtype=float) for n, v in changes.items() if n in twin.network.parameters}
        drawn = hashlib.sha256(b"".join(n.encode() + v.tobytes() for n, v in sorted(own.items()))).hexdigest()
        key = (culture, tuple(times), members, drawn)
        if key not in self._seen_members:
            while len(self._seen_members) >= MOST_TWINS:
                self._seen_members.pop(next(iter(self._seen_members)))
            self._seen_members[key] = play(twin, times, own, members)
        return self._seen_members[key]

    def _run(self, runner: Runner, built: BuiltArm, times: list[float], changes: dict[str, float]) -> Trajectory:
        c = runner.compiled
        values = {name: p.value for name, p in built.network.parameters.items()}
        values.update({k: v for k, v in changes.items() if k in values})
        with honest_interrupts():
            ready = built.prepare(c, c.parameters(values))
            settled = dict(zip(c.parameter_names, ready.tolist(), strict=True))
            return simulate_network(built.network, times, built.events, changes=settled, runner=runner)

    def _twin(self, built: BuiltArm) -> tuple[Any, BuiltArm]:
        """Return the culture of an arm and the arm of the same cells left alone."""
        assert built.untreated is not None
        assert built.dish is not None
        dyes = tuple(sorted((m, name) for m, (name, _) in built.dish.probes.items()))
        culture = (built.dish.subject, dyes)
        if culture not in self._untreated:
            self._untreated[culture] = built.untreated()
        return culture, self._untreated[culture]

    def _untreated_run(self, built: BuiltArm, times: list[float], changes: dict[str, float]) -> dict[str, Vector]:
        """Return what the same cells show when left alone; arms of one culture share it."""
        culture, twin = self._twin(built)
        own = tuple(sorted((k, v) for k, v in changes.items() if k in twin.network.parameters))
        key = (culture, tuple(times), own)
        if key not in self._seen:
            run = self._run(self.runner(twin), twin, times, changes)
            self._seen[key] = {name: run[name] for name in (*HELD, COLONIES) if name in run.observable_names}
        return self._seen[key]


def _no_number(names: tuple[str, ...], values: Vector) -> str:
    return f"the parameter `{names[int(np.flatnonzero(~np.isfinite(values))[0])]}` is not a number"


def _refuse_no_numbers(values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            raise SolveError(f"the parameter `{name}` is not a number", 0.0, name)


def _members_held_to(table: MemberTable, untreated: MemberTable) -> MemberTable:
    """Return members whose viability and live fraction are over those of the same cells left alone."""
    values = dict(table.values)
    # Each well is over its own untreated cells; the control may be a well that was seeded with other numbers.
    more = table.values["untreated_cells"] / untreated.values["untreated_cells"]
    for name in HELD:
        values[name] = table.values[name] / untreated.values[name] * more
    if COLONIES in values:  # of the cells seeded, so wells of other numbers need no scaling
        values[COLONIES] = table.values[COLONIES] / untreated.values[COLONIES]
    values["cell_death"] = 1.0 - values["viability"]
    alone = {i: f"left alone: {why}" for i, why in untreated.reasons.items() if i not in table.reasons}
    if alone:
        values = {name: rows.copy() for name, rows in values.items()}
        for rows in values.values():
            rows[list(alone)] = np.nan
    return MemberTable(values, table.reasons | alone)


def _held_to(run: Trajectory, untreated: Trajectory | dict[str, Vector]) -> Trajectory:
    """Return a run whose viability and live fraction are over those of the same cells left alone."""
    shown = run.observables.copy()
    place = {name: i for i, name in enumerate(run.observable_names)}
    for name in (*HELD, *([COLONIES] if COLONIES in place else [])):
        shown[:, place[name]] = run[name] / untreated[name]
    shown[:, place["cell_death"]] = 1.0 - shown[:, place["viability"]]
    return replace(run, observables=shown)
