"""Least squares on named facts and curves, with the spreads of the sheets as prior.

    minimise  sum ((predicted - reported) / sd)^2 + sum ((t(theta) - t(theta_0)) / s)^2

t is the logarithm for lognormal spreads and the identity otherwise; s is the prior's width in t; a uniform spread only
sets limits. A bound such as ``< 10 %`` adds only where it is broken. From the minimum an adaptive Metropolis walk draws
the posterior (haario_2001); the draws are kept whole, so correlations and skewness reach every later prediction. Where
the misfit is larger than the stated sd allow, all sd are scaled up by the Birge ratio sqrt(chi^2 / (n - k)) first
(birge_1932): a model that misses its data is not sure of its parameters. ``pull`` is the way from the sheet in prior
widths: beyond 2 the data refuse the sheet, and the prior may be widened for all parameters at once, which the stored
fit then says. Nothing else in nanotrial changes a parameter to meet a result. Source of the method: bard_1974.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.errors import EvidenceError, SolveError
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay, get_value, parameter_name
from nanotrial.fit.posterior import walk_posterior
from nanotrial.fit.targets import Target, targets_of
from nanotrial.places import BuiltArm, build_arm
from nanotrial.values import Distribution, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.study import Study

    Vector = NDArray[np.float64]

MOST_SEARCHES = 5
# No rate is searched further than 17 decades from the sheet.
FARTHEST = 40.0


@dataclass(frozen=True)
class FitResult:
    """Fitted values by sheet key with spreads, correlation, and how each target is met."""

    keys: tuple[str, ...]
    values: tuple[Value, ...]
    draws: Vector
    quality: dict[str, float]
    targets: tuple[Target, ...]
    predicted: Vector
    start: Vector
    pulls: Vector
    study: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the table of parameters: prior and fitted centre, spread, and the pull in prior widths."""
        return [
            {
                "parameter": k,
                "before": f"{b:.4g}",
                "fitted": f"{v.value:.4g}",
                "unit": v.unit,
                "spread": _spread(v),
                "pull": f"{u:+.2f}",
            }
            for k, b, v, u in zip(self.keys, self.start, self.values, self.pulls, strict=True)
        ]

    @property
    def target_rows(self) -> list[dict[str, Any]]:
        """Return the table of targets: reported and fitted."""
        return [
            {
                "target": t.id,
                "arm": t.arm,
                "time_h": t.time / 3600,
                "relation": t.relation,
                "reported": t.value,
                "fitted": float(p),
            }
            for t, p in zip(self.targets, self.predicted, strict=True)
        ]


def _spread(value: Value) -> str:
    d = value.distribution
    if d is None:
        return "-"
    return f"x/÷ {d.geometric_sd:.3g}" if d.kind == "lognormal" else f"± {d.sd:.3g}"


@dataclass(frozen=True)
class _Coordinate:
    """A fitted parameter: its names, prior, and the transform in which it is searched."""

    key: str
    name: str
    prior: Value
    widen: float

    @property
    def logarithmic(self) -> bool:
        d = self.prior.distribution
        return d is not None and d.kind == "lognormal"

    @property
    def prior_is_a_bell(self) -> bool:
        d = self.prior.distribution
        return d is not None and d.kind != "uniform"

    @property
    def width(self) -> float:
        d = self.prior.distribution
        if d is None:
            raise EvidenceError(self.key, "a value without a spread", "an uncertain value")
        if d.kind == "lognormal":
            return math.log(d.geometric_sd or 2.0)
        return float(d.sd) if d.kind == "normal" and d.sd else (d.high - d.low) / math.sqrt(12)

    @property
    def centre(self) -> float:
        return math.log(self.prior.value) if self.logarithmic else self.prior.value

    @property
    def step(self) -> float:
        return self.width * self.widen

    def limits(self) -> tuple[float, float]:
        d = self.prior.distribution
        assert d is not None
        if not self.logarithmic:
            return d.low, d.high
        low = math.log(d.low) if d.low > 0 else -math.inf
        high = math.log(d.high) if d.high < math.inf else math.inf
        return max(low, self.centre - FARTHEST), min(high, self.centre + FARTHEST)

    def to_si(self, x: float) -> float:
        from nanotrial.units import to_si

        return to_si(math.exp(x) if self.logarithmic else x, self.prior.unit)

    def fitted(self, x: float, draws: Vector, source: str, note: str) -> Value:
        d = self.prior.distribution
        assert d is not None
        sd = float(np.std(draws))
        if sd < 1e-6 * abs(self.width):
            # A minimum alone knows no spread: that of the sheet stays.
            spread = d
        elif self.logarithmic:
            spread = Distribution("lognormal", geometric_sd=math.exp(sd), low=d.low, high=d.high)
        else:
            spread = Distribution("normal", sd=sd, low=d.low, high=d.high)
        number = math.exp(x) if self.logarithmic else x
        return Value(
            number, self.prior.unit, source, "fitted", note=note, distribution=spread, dimension=self.prior.dimension
        )


def fit_study(
    study: Study,
    targets: Sequence[str],
    vary: Sequence[str],
    widen: float = 1.0,
    steps: int = 3000,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> FitResult:
    """Return the fit of sheet values to facts or curves of a study.

    Arguments:
        study: the study; the fits it names are set aside, so that every fit starts from the sheets.
        targets: ids of facts and curves in the published.toml beside it.
        vary: sheet keys such as ``materials/calcium_peroxide:dissolution.acid_rate``.
        widen: factor on the widths of the sheets' spreads; above 1 where the data refuse them (large pulls).
        steps: length of the walk through the posterior, of which the last three quarters are kept; 0 gives the
            minimum alone.
        seed: seeds the generator of the walk.
        progress: called with a line now and then.
    """
    wanted = targets_of(study, targets)
    overlay = Overlay()
    coordinates = [_Coordinate(k, parameter_name(k), get_value(study.catalogue, k), widen) for k in vary]
    predict = _predictor(study, wanted, coordinates, overlay, progress)
    start = np.array([c.centre for c in coordinates])
    width = np.array([c.step for c in coordinates])
    limits = np.array([c.limits() for c in coordinates])

    held = np.array([c.prior_is_a_bell for c in coordinates], dtype=float)

    birge = 1.0

    def residuals(u: Vector) -> Vector:
        return np.concatenate([_misfit(wanted, predict(start + width * u)) / birge, held * u])

    scaled = (limits - start[:, None]) / width[:, None]
    best = _least_squares(residuals, coordinates, scaled, study)
    spare = len(wanted) - len(coordinates)
    if spare > 0:
        birge = max(1.0, math.sqrt(float(np.sum(best.fun[: len(wanted)] ** 2)) / spare))
        best = _least_squares(residuals, coordinates, scaled, study)
    draws, acceptance = walk_posterior(residuals, best, scaled, steps, np.random.default_rng(seed))
    quality = {"cost": float(best.cost), "birge_ratio": birge, "acceptance": acceptance}
    return _result(study, vary, wanted, coordinates, best, start, width, start + width * draws, quality, predict, widen)


def _least_squares(
    residuals: Callable[[Vector], Vector], coordinates: list[_Coordinate], scaled: Vector, study: Study
) -> Any:
    """Return the best minimum from the most promising of many starts.

    Far starts are there because a saturated curve (all released) has no slope to follow; some laws have several minima.
    """
    from scipy.optimize import least_squares

    costs = []
    for begin in _starts(coordinates, scaled):
        try:
            costs.append((float(np.sum(residuals(begin) ** 2)), begin))
        except SolveError:
            continue
    best = None
    for _, begin in sorted(costs, key=lambda pair: pair[0])[:MOST_SEARCHES]:
        try:
            found = least_squares(residuals, begin, bounds=(scaled[:, 0], scaled[:, 1]), diff_step=1e-3, xtol=1e-7)
        except SolveError:
            continue
        if best is None or found.cost < best.cost:
            best = found
    if best is None:
        raise EvidenceError(study.path.name, "no start from which the study can be solved", "a solvable study")
    return best


def _starts(coordinates: list[_Coordinate], scaled: NDArray[np.float64]) -> list[Vector]:
    """Return starts: rates from the sheets down to a millionth of them, limited values across their range."""
    inside = (
        scaled[:, 0] + 1e-3 * np.ptp(np.nan_to_num(scaled, posinf=1e3, neginf=-1e3), axis=1),
        scaled[:, 1] - 1e-3 * np.ptp(np.nan_to_num(scaled, posinf=1e3, neginf=-1e3), axis=1),
    )
    rates = [i for i, c in enumerate(coordinates) if c.logarithmic]
    limited = [i for i, c in enumerate(coordinates) if not c.prior_is_a_bell]
    rows = []
    for decades in (0.0, 1.5, 3.0, 4.5, 6.0):
        for share in (None, 0.2, 0.5, 0.9):
            start = np.zeros(len(coordinates))
            for i in rates:
                start[i] = -decades * math.log(10) / coordinates[i].step
            for i in limited if share is not None else []:
                start[i] = scaled[i, 0] + share * (scaled[i, 1] - scaled[i, 0])
            rows.append(np.clip(start, *inside))
    return rows


def _misfit(targets: Sequence[Target], predicted: Vector) -> Vector:
    rows = []
    for target, value in zip(targets, predicted, strict=True):
        error = (value - target.value) / target.sd
        if target.relation == "<":
            error = max(error, 0.0)
        elif target.relation == ">":
            error = min(error, 0.0)
        rows.append(error)
    return np.array(rows)


def _predictor(
    study: Study,
    targets: Sequence[Target],
    coordinates: list[_Coordinate],
    overlay: Overlay,
    progress: Callable[[str], None] | None,
) -> Callable[[Vector], Vector]:
    """Return the function from search coordinates to predicted targets; networks are built once."""
    player = Player()
    built: dict[str, BuiltArm] = {
        n: build_arm(study, study.arm(n), overlay) for n in dict.fromkeys(t.arm for t in targets)
    }
    runners = {n: player.runner(b) for n, b in built.items()}
    unread = [c.key for c in coordinates if not any(c.name in b.network.parameters for b in built.values())]
    if unread:
        raise EvidenceError(
            study.path.name,
            f"parameters that no arm of the targets reads: {', '.join(unread)}",
            "parameters of these arms",
        )
    calls = 0

    def predict(x: Vector) -> Vector:
        nonlocal calls
        calls += 1
        changes = {c.name: c.to_si(float(v)) for c, v in zip(coordinates, x, strict=True)}
        found = np.empty(len(targets))
        for name, one in built.items():
            rows = [i for i, t in enumerate(targets) if t.arm == name]
            times = sorted({targets[i].time for i in rows})
            run = player.replay(runners[name], one, times, changes)
            for i in rows:
                found[i] = run[targets[i].measure][times.index(targets[i].time)]
        if progress and calls % 10 == 0:
            progress(f"{calls} runs of the study")
        return found

    return predict


def _result(
    study: Study,
    vary: Sequence[str],
    targets: Sequence[Target],
    coordinates: list[_Coordinate],
    best: Any,
    start: Vector,
    width: Vector,
    draws: Vector,
    quality: dict[str, float],
    predict: Callable[[Vector], Vector],
    widen: float,
) -> FitResult:
    x = start + width * best.x
    ids = sorted({t.id for t in targets})
    prior = "the sheet's spread as prior" if widen == 1.0 else f"the sheet's spread widened {widen:g} times as prior"
    note = f"fitted to {', '.join(ids)} with {prior}"
    values = tuple(
        c.fitted(float(v), draws[:, i], targets[0].source, note)
        for i, (c, v) in enumerate(zip(coordinates, x, strict=True))
    )
    shown = np.column_stack([np.exp(d) if c.logarithmic else d for c, d in zip(coordinates, draws.T, strict=True)])
    before = np.array([c.prior.value for c in coordinates])
    return FitResult(
        tuple(vary), values, shown, quality, tuple(targets), predict(x), before, np.asarray(best.x), study.path.name
    )
