"""Play a study: every arm, its members, its read-outs, balances and budgets, gathered in one result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.budgets import Budget, arm_budgets
from nanotrial.catalogue.lookup import values_in
from nanotrial.errors import SolveError
from nanotrial.fit.overlay import Overlay
from nanotrial.network.explain import parameter_row, value_row
from nanotrial.observe.colour_reaction import Reading, read_out
from nanotrial.places import BuiltArm, build_arm
from nanotrial.sampling import draw_parameters, joined_parameters, member_changes
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble
from nanotrial.solve.interrupt import honest_interrupts
from nanotrial.solve.run import Runner, Tolerances, Trajectory, simulate_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Parameter
    from nanotrial.study import Arm, Study

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ArmResult:
    """One arm: status, curves per measure in SI of the observable, readings, balances and budgets.

    ``curves[measure]`` has shape (times,), ``members[measure]`` (members, times) with NaN rows for failed members.
    """

    name: str
    status: str
    reason: str
    curves: dict[str, Vector] = field(default_factory=dict)
    members: dict[str, Vector] = field(default_factory=dict)
    member_reasons: tuple[str, ...] = ()
    readings: dict[str, Reading] = field(default_factory=dict)
    imbalance: dict[str, float] = field(default_factory=dict)
    protons: dict[str, float] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()
    mechanisms: tuple[str, ...] = ()
    states: int = 0

    def band(self, measure: str, low: float = 0.05, high: float = 0.95) -> tuple[Vector, Vector]:
        """Return the quantile band over the members that succeeded."""
        rows = self.members[measure]
        good = rows[~np.isnan(rows).any(axis=1)]
        if not len(good):
            return np.full(rows.shape[1], np.nan), np.full(rows.shape[1], np.nan)
        return np.quantile(good, low, axis=0), np.quantile(good, high, axis=0)


@dataclass(frozen=True)
class StudyResult:
    """Everything a run gives: arms in order, parameters used, seed and member count."""

    study: Study
    arms: tuple[ArmResult, ...]
    parameters: tuple[dict[str, Any], ...]
    seed: int
    members: int
    overlay: Overlay

    def arm(self, name: str) -> ArmResult:
        """Return an arm by name; a misspelt one raises with the nearest."""
        self.study.arm(name)
        return next(a for a in self.arms if a.name == name)

    @property
    def failed(self) -> list[ArmResult]:
        """Return the arms that did not reach their end."""
        return [a for a in self.arms if a.status != "done"]


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


# Measures that are shares of the same cells left alone.
HELD = ("viability", "live_fraction")
# Calcium may oscillate for a day: many steps, of which none needs the sharpness of a titration. What a class of cells
# holds fades with its last cells: noise below a ten-thousandth of the start is nothing.
CELLS = Tolerances(relative=1e-6, absolute=1e-9, negative=1e-4, max_steps=400_000)


class Player:
    """Plays arms of studies and keeps compiled networks, so that arms of one structure share them."""

    def __init__(self, tolerances: Tolerances | None = None) -> None:
        """Start with nothing compiled."""
        self.tolerances = tolerances
        self._runners: dict[str, Runner] = {}
        self._untreated: dict[Any, BuiltArm] = {}
        self._seen: dict[Any, dict[str, Vector]] = {}
        self._ensembles: dict[str, Ensemble] = {}
        self._seen_members: dict[Any, MemberTable] = {}

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
        self, built: BuiltArm, times: list[float], changes: Mapping[str, Vector], members: int
    ) -> MemberTable:
        """Return what many members of an arm show.

        Arguments:
            built: the arm.
            times: outputs (s).
            changes: SI values of shape (members,) by parameter name; what the arm does not have is left out.
            members: how many.
        """
        own = {name: values for name, values in changes.items() if name in built.network.parameters}
        if members < FEW_MEMBERS:
            return self._one_by_one(built, times, own, members)
        table = self._in_lanes(built, times, own, members)
        if built.dish is None or not built.events:
            return table if built.dish is None else _members_held_to(table, table)
        return _members_held_to(table, self._untreated_members(built, times, changes, members))

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
                run = self.replay(runner, built, times, own)
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
            self._ensembles[c.digest] = Ensemble(built.network, c)
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
        self, built: BuiltArm, times: list[float], changes: Mapping[str, Vector], members: int
    ) -> MemberTable:
        """Return what the same cells of every member show when left alone; arms of one culture share it."""
        culture, twin = self._twin(built)
        own = {n: np.asarray(v, dtype=float) for n, v in changes.items() if n in twin.network.parameters}
        drawn = hashlib.sha256(b"".join(n.encode() + v.tobytes() for n, v in sorted(own.items()))).hexdigest()
        key = (culture, tuple(times), members, drawn)
        if key not in self._seen_members:
            while len(self._seen_members) >= MOST_TWINS:
                self._seen_members.pop(next(iter(self._seen_members)))
            self._seen_members[key] = self._in_lanes(twin, times, own, members)
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
            self._seen[key] = {name: run[name] for name in HELD}
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
    for name in HELD:
        values[name] = table.values[name] / untreated.values[name]
    values["cell_death"] = 1.0 - values["viability"]
    alone = {i: f"left alone: {why}" for i, why in untreated.reasons.items() if i not in table.reasons}
    for i in alone:
        for rows in values.values():
            rows[i] = np.nan
    return MemberTable(values, table.reasons | alone)


def _held_to(run: Trajectory, untreated: Trajectory | dict[str, Vector]) -> Trajectory:
    """Return a run whose viability and live fraction are over those of the same cells left alone."""
    shown = run.observables.copy()
    place = {name: i for i, name in enumerate(run.observable_names)}
    for name in HELD:
        shown[:, place[name]] = run[name] / untreated[name]
    shown[:, place["cell_death"]] = 1.0 - shown[:, place["viability"]]
    return replace(run, observables=shown)


def simulate(
    study: Study,
    members: int = 0,
    seed: int = 1,
    overlay: Overlay | None = None,
    progress: Callable[[str], None] | None = None,
    tolerances: Tolerances | None = None,
) -> StudyResult:
    """Return the result of a study.

    Arguments:
        study: the validated study.
        members: further runs of each arm with parameters drawn from their spreads; 0 gives the central run alone.
        seed: seeds the one generator of the run.
        overlay: fitted values; by default those the study names.
        progress: called with the name of each arm when it begins.
        tolerances: error control of the solver.
    """
    fits = overlay if overlay is not None else Overlay.of_study(study)
    player = Player(tolerances)
    built = [build_arm(study, arm, fits) for arm in study.arms]
    everything = joined_parameters(one.network.parameters for one in built)
    draws = draw_parameters(everything, members, np.random.default_rng(seed), fits) if members else {}
    results = []
    for arm, one in zip(study.arms, built, strict=True):
        if progress:
            progress(arm.name)
        results.append(_play_arm(player, study, arm, one, members, draws))
    return StudyResult(study, tuple(results), tuple(_sourced_values(study, everything)), seed, members, fits)


def _sourced_values(study: Study, parameters: dict[str, Parameter]) -> list[dict[str, Any]]:
    """Return one row per value that has a source: those of the networks, then those of the assays.

    What the study itself says (doses, pH, ...) stands with its arms and is not repeated here.
    """
    rows = [parameter_row(p) for p in parameters.values() if p.provenance is not None]
    for measure in study.measures:
        if measure.assay:
            sheet = study.catalogue.load("assays", measure.assay)
            rows += [value_row(f"{measure.assay}.{path}", value) for path, value in values_in(sheet)]
    return rows


def _play_arm(
    player: Player, study: Study, arm: Arm, built: BuiltArm, members: int, draws: dict[str, Vector]
) -> ArmResult:
    times = sorted({t for m in study.measures for t in m.times})
    runner = player.runner(built)
    try:
        run = player.replay(runner, built, times, {})
    except SolveError as error:
        empty = {m.name: np.full(len(m.times), np.nan) for m in study.measures}
        return ArmResult(arm.name, "failed", f"arm `{arm.name}`: {error}", empty, states=runner.compiled.size)
    curves = _curves(study, run, times)
    table = {m.name: np.full((members, len(m.times)), np.nan) for m in study.measures}
    reasons = []
    for i in range(members):
        try:
            one = player.replay(runner, built, times, member_changes(built.network.parameters, draws, i))
        except SolveError as error:
            reasons.append(f"member {i}: {error}")
            continue
        for name, values in _curves(study, one, times).items():
            table[name][i] = values
    readings = {
        m.name: read_out(curves[m.name], study.catalogue.load("assays", m.assay))
        for m in study.measures
        if m.assay and m.name in curves
    }
    return ArmResult(
        arm.name,
        "done",
        "",
        curves,
        table if members else {},
        tuple(reasons),
        readings,
        run.imbalance(),
        _proton_shares(built, run),
        tuple(arm_budgets(built, runner)),
        tuple(built.mechanisms),
        runner.compiled.size,
    )


def _curves(study: Study, run: Trajectory, times: list[float]) -> dict[str, Vector]:
    """Return each measure at its own times; a measure this arm does not have is NaN."""
    places = {t: i for i, t in enumerate(times)}
    result = {}
    for measure in study.measures:
        rows = [places[t] for t in measure.times]
        known = measure.name in run.observable_names
        result[measure.name] = run[measure.name][rows] if known else np.full(len(rows), np.nan)
    return result


def _proton_shares(built: BuiltArm, run: Trajectory) -> dict[str, float]:
    """Return what became of protons from first to last output (mol/m^3).

    The change of protons free and bound by each component, of the charge of dissolved ions (``ions``: what a dissolving
    solid takes) and of inert ions of later additions (``counter_ions``) sum to nothing; ``charge_error`` is the largest
    departure on the way.
    """
    if built.dish is not None:
        return {}  # cells pump protons and ions: the medium alone is not closed
    names = [n for n in run.observable_names if n.startswith("protons.")]
    changes = {n.removeprefix("protons."): float(run[n][-1] - run[n][0]) for n in names}
    components = built.tube.solution.components
    ions = sum(sheet.charge * (run[i][-1] - run[i][0]) for i, sheet in components.items())
    changes["ions"] = float(ions)
    changes["counter_ions"] = float(run["counter_ions"][-1] - run["counter_ions"][0])
    changes["charge_error"] = float(np.max(np.abs(run["charge_error"]))) if len(run.time) else 0.0
    return changes
