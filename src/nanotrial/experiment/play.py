"""Play a study: every arm, its members, its read-outs, balances and budgets, gathered in one result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.budgets import Budget, arm_budgets
from nanotrial.catalogue.lookup import values_in
from nanotrial.errors import SolveError
from nanotrial.experiment.comparisons import Comparison, compare_arms
from nanotrial.experiment.player import FEW_MEMBERS, Control, Player
from nanotrial.experiment.pool import BuiltArms, play_arms
from nanotrial.experiment.summaries import MeasureSummary, summarise
from nanotrial.fit.overlay import Overlay
from nanotrial.network.explain import parameter_row, value_row
from nanotrial.observe.colour_reaction import Reading, read_out
from nanotrial.places import BuiltArm, build_arm
from nanotrial.sampling import Draws, joined_parameters, noise_of
from nanotrial.solve.run import Tolerances, Trajectory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Parameter
    from nanotrial.sampling import Noise
    from nanotrial.study import Study

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ArmResult:
    """One arm: status, curves per measure in SI of the observable, readings, balances and budgets.

    ``curves[measure]`` has shape (times,). ``members[measure]`` has shape (worlds, times), or with subjects (worlds *
    subjects, times), world by world; ``typical[measure]`` (worlds, times) is then the subject without factors of its
    own. Failed members are NaN. ``summaries`` tell bands and where the spread comes from.
    """

    name: str
    status: str
    reason: str
    curves: dict[str, Vector] = field(default_factory=dict)
    members: dict[str, Vector] = field(default_factory=dict)
    typical: dict[str, Vector] = field(default_factory=dict)
    summaries: dict[str, MeasureSummary] = field(default_factory=dict)
    member_reasons: tuple[str, ...] = ()
    members_failed: int = 0
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
    """Everything a run gives: arms in order, parameters used, seed, worlds (``members``) and subjects in each.

    ``subjects`` is 0 where members are typical subjects; ``way`` tells how members were run; ``comparisons`` hold arms
    against the control of the study, each measure at its last time.
    """

    study: Study
    arms: tuple[ArmResult, ...]
    parameters: tuple[dict[str, Any], ...]
    seed: int
    members: int
    overlay: Overlay
    subjects: int = 0
    way: str = ""
    comparisons: tuple[Comparison, ...] = ()

    def arm(self, name: str) -> ArmResult:
        """Return an arm by name; a misspelt one raises with the nearest."""
        self.study.arm(name)
        return next(a for a in self.arms if a.name == name)

    @property
    def failed(self) -> list[ArmResult]:
        """Return the arms that did not reach their end."""
        return [a for a in self.arms if a.status != "done"]


def simulate(
    study: Study,
    members: int = 0,
    seed: int = 1,
    overlay: Overlay | None = None,
    progress: Callable[[str], None] | None = None,
    tolerances: Tolerances | None = None,
    subjects: int = 0,
    design: str = "latin_hypercube",
    workers: int = 1,
) -> StudyResult:
    """Return the result of a study.

    Arguments:
        study: the validated study.
        members: worlds: further runs of each arm with what is unknown drawn from its spreads; 0: the central run alone.
        seed: seeds the one generator of the run.
        overlay: fitted values; by default those the study names.
        progress: called with the name of each arm when it begins.
        tolerances: error control of the central runs, and of members that are run one by one.
        subjects: wells or tubes of each arm in each world, which differ as such do; 0: one typical subject per world.
        design: how worlds are spread over what is unknown.
        workers: processes that play arms side by side; numbers do not depend on it.
    """
    fits = overlay if overlay is not None else Overlay.of_study(study)
    built = [build_arm(study, arm, fits) for arm in study.arms]
    everything = joined_parameters(one.network.parameters for one in built)
    draws = None
    if members:
        sheet = study.catalogue.load("variability", study.place) if subjects else None
        draws = Draws(everything, fits, sheet, members, max(subjects, 1), seed, design, study.catalogue)
    cohort = _Cohort(study, fits, draws, subjects, tolerances, BuiltArms((one.name, one) for one in built))
    tell = progress or (lambda name: None)
    results = play_arms(cohort, [arm.name for arm in study.arms], workers, tell)
    rows = tuple(_sourced_values(study, everything))
    tests = tuple(comparisons_of(study, results, members, subjects, seed)) if members and subjects else ()
    return StudyResult(study, tuple(results), rows, seed, members, fits, subjects, cohort.way, tests)


def comparisons_of(study: Study, arms: list[ArmResult], worlds: int, subjects: int, seed: int) -> Iterator[Comparison]:
    """Yield the statistics of each measure at its last time, over the arms that show it.

    Arguments:
        study: its cohort names control and level.
        arms: results with members.
        worlds: how many.
        subjects: in each world.
        seed: of the run.
    """
    assert study.cohort is not None
    for measure in study.measures:
        last = {a.name: a.members[measure.name][:, -1] for a in arms if measure.name in a.members}
        shown = {name: v.reshape(worlds, subjects) for name, v in last.items() if np.isfinite(v).any()}
        if study.cohort.control in shown and len(shown) > 1:
            values = np.stack(list(shown.values()), axis=1)
            noise, cohort = measure_noise(study, measure.name), study.cohort
            yield compare_arms(
                measure.name, measure.times[-1], list(shown), values, noise, cohort.control, cohort.alpha, seed
            )


@dataclass(frozen=True)
class _Cohort:
    """What every arm of a study is played with; ``draws`` is None for central runs alone."""

    study: Study
    fits: Overlay
    draws: Draws | None
    subjects: int
    tolerances: Tolerances | None
    built: BuiltArms

    @property
    def way(self) -> str:
        """Return how members are run, in words."""
        if self.draws is None:
            return ""
        runs = self.draws.worlds * (self.subjects + 1)
        if runs < FEW_MEMBERS:
            return f"{runs} members per arm, one by one with CVODES (fewer than {FEW_MEMBERS})"
        return f"{runs} members per arm side by side in compiled code"

    def begin(self, threads: int) -> Callable[[str], ArmResult]:
        """Return what plays an arm by name."""
        player = Player(self.tolerances, threads)

        def play(name: str) -> ArmResult:
            return self.play(player, self.built.get(name) or build_arm(self.study, self.study.arm(name), self.fits))

        return play

    def play(self, player: Player, built: BuiltArm) -> ArmResult:
        """Return the central run of an arm with its members; an arm whose central run failed has none."""
        result = _central(player, self.study, built)
        if result.status != "done" or self.draws is None:
            return result
        times, worlds = sorted({t for m in self.study.measures for t in m.times}), self.draws.worlds
        values, reasons = cohort_of_arm(player, built, times, self.draws, self.subjects, 0, worlds)
        members, typical, summaries = {}, {}, {}
        for measure in self.study.measures:
            table = values.get(measure.name)
            at = [times.index(t) for t in measure.times]
            whole = np.full((worlds, self.subjects + 1, len(at)), np.nan) if table is None else table[:, :, at]
            summaries[measure.name] = summarise(whole, measure_noise(self.study, measure.name), self.draws.seed)
            typical[measure.name] = whole[:, 0]
            members[measure.name] = whole[:, 1:].reshape(-1, len(at)) if self.subjects else whole[:, 0]
        told = tuple(f"member {i}: {why}" for i, why in sorted(reasons.items()))
        return replace(
            result, members=members, typical=typical, summaries=summaries, member_reasons=told, members_failed=len(told)
        )


def cohort_of_arm(
    player: Player, built: BuiltArm, times: list[float], draws: Draws, subjects: int, first: int, last: int
) -> tuple[dict[str, Vector], dict[int, str]]:
    """Return what the worlds first to last of an arm show, shape (worlds, 1 + subjects, times), and why members failed.

    In each world the typical subject comes first, then the subjects; members are numbered in that order. Viability is
    held to the typical cells of the world, left alone: to the mean of control wells, not to the very same well.

    Arguments:
        player: plays the members.
        built: the arm.
        times: outputs (s).
        draws: of the whole study.
        subjects: in each world; 0 for the typical one alone.
        first: first world.
        last: one past the last world.
    """
    worlds, each = last - first, subjects + 1
    own = built.network.parameters
    typical = draws.typical(built.name, own, first, last)
    drawn = draws.of_arm(built.name, own, first, last) if subjects else {}
    changes = {}
    for name in typical.keys() | drawn.keys():
        centre = typical.get(name, np.full(worlds, own[name].value))
        table = np.repeat(centre[:, None], each, axis=1)
        if name in drawn:
            table[:, 1:] = drawn[name].reshape(worlds, subjects)
        changes[name] = table.ravel()
    control = Control(typical, worlds, np.repeat(np.arange(worlds), each)) if subjects else None
    found = player.play_members(built, times, changes, worlds * each, control)
    return {n: v.reshape(worlds, each, len(times)) for n, v in found.values.items()}, found.reasons


def measure_noise(study: Study, name: str) -> Noise:
    """Return the noise of readings of a measure: of the place, and of its assay."""
    measure = study.measure(name)
    sd = 0.0
    if measure.assay:
        sd = read_out(np.zeros(1), study.catalogue.load("assays", measure.assay)).sd
    return noise_of(name, study.catalogue.load("variability", study.place), sd)


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


def _central(player: Player, study: Study, built: BuiltArm) -> ArmResult:
    """Return the central run of an arm."""
    times = sorted({t for m in study.measures for t in m.times})
    runner = player.runner(built)
    try:
        run = player.replay(runner, built, times, {})
    except SolveError as error:
        empty = {m.name: np.full(len(m.times), np.nan) for m in study.measures}
        return ArmResult(built.name, "failed", f"arm `{built.name}`: {error}", empty, states=runner.compiled.size)
    curves = _curves(study, run, times)
    readings = {
        m.name: read_out(curves[m.name], study.catalogue.load("assays", m.assay))
        for m in study.measures
        if m.assay and m.name in curves
    }
    return ArmResult(
        built.name,
        "done",
        "",
        curves,
        readings=readings,
        imbalance=run.imbalance(),
        protons=_proton_shares(built, run),
        budgets=tuple(arm_budgets(built, runner)),
        mechanisms=tuple(built.mechanisms),
        states=runner.compiled.size,
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
