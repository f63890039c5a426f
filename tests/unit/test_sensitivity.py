"""Sensitivity indices against known functions, inputs of an arm, and a small tube from end to end."""

from __future__ import annotations

import json

import casadi as ca
import numpy as np
import pytest
from tubes import given, make_study
from typer.testing import CliRunner

from nanotrial.catalogue.schema import Variability, Varied
from nanotrial.cli.main import app
from nanotrial.errors import InputError, SolveError, StudyError
from nanotrial.experiment import Player, simulate
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Parameter
from nanotrial.sensitivity import examine_arm, inputs_of_arm, morris_indices, sobol_indices
from nanotrial.sensitivity.arm import screen_and_share
from nanotrial.sensitivity.inputs import BETWEEN, FITTED, UNKNOWN, Input, changes_of
from nanotrial.units import dimension_of
from nanotrial.values import Distribution, Value

NAMES = ["x", "y", "z"]
HOUR = 3600.0


def ishigami(points, a=7.0, b=0.1):
    """Return the function of Ishigami and Homma (1990) on the unit cube."""
    x, y, z = (np.pi * (2.0 * points[:, i] - 1.0) for i in range(3))
    return np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x)


def linear(points, weights=(4.0, 2.0, 0.0)):
    return points @ np.array(weights) + 3.0


def test_indices_of_ishigami_are_the_analytic_ones():
    found = sobol_indices(ishigami, NAMES, base=2048)
    a, b, pi = 7.0, 0.1, np.pi
    first = np.array([0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8, 0.0])
    crossed = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = first.sum() + crossed
    assert found.first == pytest.approx(first / variance, abs=0.03)
    assert found.total == pytest.approx((first + np.array([crossed, 0, crossed])) / variance, abs=0.03)
    assert found.variance == pytest.approx(variance, rel=0.02)
    assert found.mean == pytest.approx(a / 2, rel=0.02)
    assert np.all(np.abs(found.first - first / variance) < 2 * found.first_interval)
    assert (found.runs, found.failed, found.dropped, found.notes) == (2048 * 5, 0, 0, ())


def test_indices_of_a_linear_model_are_its_squared_weights():
    found = sobol_indices(linear, NAMES, base=512)
    assert found.first == pytest.approx([0.8, 0.2, 0.0], abs=0.02)
    assert found.total == pytest.approx([0.8, 0.2, 0.0], abs=0.02)
    assert found.variance == pytest.approx(20 / 12, rel=0.01)


def test_elementary_effects_of_a_linear_model_are_its_weights():
    """Steps run over the central 95 % of each input, so an effect is 0.95 of a weight, everywhere the same."""
    found = morris_indices(linear, NAMES, trajectories=5)
    assert found.mu_star == pytest.approx([3.8, 1.9, 0.0], abs=1e-9)
    assert found.mu == pytest.approx([3.8, 1.9, 0.0], abs=1e-9)
    assert found.sigma == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert found.strongest(2) == [0, 1]
    assert found.runs == 20


def test_elementary_effects_tell_interaction():
    found = morris_indices(ishigami, NAMES, trajectories=50)
    assert found.sigma[2] > found.mu_star[2] * 0.5
    assert np.all(found.mu_star > 1.0)


@pytest.mark.parametrize("index", [sobol_indices, morris_indices])
def test_the_same_seed_gives_the_same_numbers(index):
    for seed in (0, 3):
        first, again = (index(ishigami, NAMES, 8, seed=seed) for _ in range(2))
        for key in vars(first):
            assert np.array_equal(getattr(first, key), getattr(again, key)), key


def failing(model, *rows: int):
    """Return the model with the given rows failed."""

    def broken(points):
        values = model(points)
        values[list(rows)] = np.nan
        return values

    return broken


def test_a_failed_run_takes_its_whole_block_away_and_is_counted():
    found = sobol_indices(failing(linear, 7, 8, 500), NAMES, base=512)
    assert (found.runs, found.failed, found.dropped) == (2560, 3, 2)
    assert found.total == pytest.approx([0.8, 0.2, 0.0], abs=0.02)
    screened = morris_indices(failing(linear, 0, 13), NAMES, trajectories=5)
    assert (screened.failed, screened.dropped) == (2, 2)
    assert screened.mu_star == pytest.approx([3.8, 1.9, 0.0], abs=1e-9)


def test_too_many_failed_runs_are_an_error():
    def broken(points):
        return np.full(len(points), np.nan)

    with pytest.raises(SolveError, match="40 of 40 runs failed"):
        sobol_indices(broken, NAMES, base=8)
    with pytest.raises(SolveError, match="no two trajectories"):
        morris_indices(broken, NAMES, trajectories=4)


def test_what_does_not_vary_has_no_indices():
    found = sobol_indices(lambda points: np.full(len(points), 2.0), NAMES, base=12)
    assert np.isnan([*found.first, *found.total]).all()
    assert found.variance == 0.0
    assert any("does not vary" in n for n in found.notes)
    assert any("no power of two" in n for n in found.notes)


@pytest.mark.parametrize(
    "wrong", [{"names": []}, {"base": 1}, {"level": 1.0}, {"seed": -1}, {"model": lambda points: points}]
)
def test_wrong_requests_are_refused(wrong):
    with pytest.raises(InputError):
        sobol_indices(**{"model": linear, "names": NAMES, "base": 4, **wrong})


# Inputs.


def number(centre: float, **spread) -> Value:
    return Value(centre, "1", "test", "measured", distribution=Distribution(**spread), dimension=dimension_of("1"))


def parameter(name: str, one: Value | float) -> Parameter:
    sourced = isinstance(one, Value)
    return Parameter(name, ca.SX.sym(name), one.si if sourced else one, "1", one if sourced else None)


SIZE = number(1.2, kind="uniform", low=1.1, high=1.3)
SHEET = Variability(name="t", between=[Varied(name="all", parameters=["a", "dose"], geometric_sd=SIZE)], noise=[])
ROWS = {"p": (3.0, 1.0, 2.0), "q": (30.0, 10.0, 20.0), "elsewhere": (0.0, 0.0, 0.0)}


def test_inputs_move_the_parameters_they_name():
    a, p = number(2.0, kind="lognormal", geometric_sd=1.5), number(2.0, kind="normal", sd=1.0)
    own = {n: parameter(n, v) for n, v in {"a": a, "dose": 3.0, "p": p, "q": p}.items()}
    inputs = inputs_of_arm(own, Overlay(draws=(ROWS,)), SHEET)
    assert [(i.name, i.kind) for i in inputs] == [
        ("a", UNKNOWN),
        ("a (all)", BETWEEN),
        ("dose (all)", BETWEEN),
        ("fit of elsewhere", FITTED),
    ]
    points = np.full((4, 4), 0.5)
    points[1] = [0.9, 0.5, 0.5, 0.1]
    points[2] = [0.5, 0.9, 0.5, 0.999]
    points[3] = [0.9, 0.9, 0.1, 0.5]
    found = changes_of(inputs, points, own)
    high, up = a.sample(np.array([0.9]))[0], 1.2**1.2815515655446004
    assert found["a"] == pytest.approx([2.0, high, 2.0 * up, high * up], rel=1e-9)
    assert found["dose"] == pytest.approx([3.0, 3.0, 3.0, 3.0 / up], rel=1e-9)
    # Rows of a fit come in order and whole.
    assert sorted(found["p"][[1, 0, 2]].tolist()) == [1.0, 2.0, 3.0]
    assert found["p"][0] == 2.0
    assert found["q"].tolist() == (10.0 * found["p"]).tolist()


def test_inputs_without_a_sheet_are_what_is_unknown():
    own = {"a": parameter("a", number(2.0, kind="normal", sd=0.1)), "dose": parameter("dose", 3.0)}
    assert [i.name for i in inputs_of_arm(own, Overlay(), None)] == ["a"]


# Kept inputs and the rest.


class Crossed:
    """4 x + 2 x y in the place of an arm; z does nothing."""

    def __init__(self):
        self.inputs = tuple(Input(n, UNKNOWN, "test", "measured") for n in NAMES)
        self.player, self.built, self.time, self.measure, self.stage, self.reasons = self, None, 1.0, "it", "", ()
        self.seen = {}

    def play(self, built, times):
        return {"it": self(np.full((1, 3), 0.5))}

    def __call__(self, points):
        self.seen.setdefault(self.stage, []).append(points)
        return 4.0 * points[:, 0] + 2.0 * points[:, 0] * points[:, 1]


def test_the_rest_is_held_at_centre_and_its_share_is_told():
    """Var(5 x) = 25/12 of Var(4 x + 2 x y) = E((4 + 2 y)^2)/12 + Var(y) = 79/36: 0.949."""
    model = Crossed()
    found = screen_and_share(model, "both", 1024, 10, 1, 1)
    assert (found.central, found.kept) == (2.5, (0,))
    assert found.variance == pytest.approx(79 / 36, rel=0.03)
    assert found.sobol.variance == pytest.approx(25 / 12, rel=0.01)
    assert found.explained == pytest.approx(0.949, abs=0.02)
    assert found.sobol.total == pytest.approx([1.0], abs=0.01)
    (held,) = model.seen["indices"]
    assert np.all(held[:, 1:] == 0.5)
    (whole,) = model.seen["all inputs"]
    assert sorted(np.floor(whole[:, 1] * 2048).astype(int).tolist()) == list(range(2048))
    assert found.runs == 40 + 3 * 1024 + 2048


# A tube.


@pytest.fixture(scope="module")
def study():
    arms = [{"name": "some", "add": [given()]}, {"name": "none", "add": []}]
    return make_study(arms=arms, measure={"hydrogen_peroxide": {"at": ["1 h", "4 h"]}, "release": {"at": "4 h"}})


@pytest.fixture(scope="module")
def found(study):
    return examine_arm(study, "some", "hydrogen_peroxide", 4 * HOUR, base=8, trajectories=3, keep=3)


def test_a_tube_from_end_to_end(study, found):
    count = len(found.inputs)
    assert found.runs == 3 * (count + 1) + 8 * 5 + 16
    assert found.failed == 0
    assert found.central == pytest.approx(simulate(study).arm("some").curves["hydrogen_peroxide"][1], rel=1e-6)
    names = {found.inputs[i].name for i in found.kept}
    # Half of the peroxide given may turn into oxygen: the share that does not matters most.
    assert any("peroxide.acid_yield" in n or "peroxide.half_ph" in n for n in names)
    assert found.sobol is not None
    assert found.morris is not None
    assert found.sobol.names == tuple(found.inputs[i].name for i in found.kept)
    assert min(found.morris.mu_star[list(found.kept)]) >= max(np.delete(found.morris.mu_star, list(found.kept)))
    assert 0.1 < found.explained < 3.0
    assert found.variance > 0


def test_a_few_inputs_need_no_screening(study):
    every = examine_arm(study, "some", "release", 4 * HOUR, method="sobol", base=2, keep=1000)
    assert every.morris is None
    assert len(every.kept) == len(every.inputs)
    assert every.explained == 1.0
    assert every.runs == 2 * (len(every.inputs) + 2)


def test_screening_alone_leaves_no_shares(study):
    screened = examine_arm(study, "some", "release", 4 * HOUR, method="morris", trajectories=2)
    assert screened.sobol is None
    assert np.isnan(screened.explained)


def test_failed_members_are_counted_with_their_reason(study, monkeypatch):
    count, real = iter(range(1000)), Player._run

    def run(self, *arguments):
        if next(count) == 6:
            raise SolveError("forced to fail", 1.0, "core")
        return real(self, *arguments)

    monkeypatch.setattr(Player, "_run", run)
    screened = examine_arm(study, "some", "release", 4 * HOUR, method="morris", trajectories=3)
    assert (screened.failed, screened.morris.dropped) == (1, 1)
    assert screened.reasons == ("forced to fail",)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"arm": "sone"}, "Did you mean `some`"),
        ({"measure": "hydrogen_peroxyde"}, "Did you mean `hydrogen_peroxide`"),
        ({"measure": "calcium"}, "a measure of the study"),
        ({"time": 2 * HOUR}, "no reading at 2 h; expected one of 1 h, 4 h"),
        ({"arm": "none", "measure": "release"}, "which it does not show"),
    ],
)
def test_wrong_names_are_told(study, changed, text):
    with pytest.raises(StudyError, match=text):
        examine_arm(study, **{"arm": "some", "measure": "hydrogen_peroxide", "time": 4 * HOUR, **changed})


@pytest.mark.parametrize("wrong", [{"method": "saltelli"}, {"keep": 0}, {"base": 1}, {"trajectories": 1}])
def test_wrong_numbers_are_told(study, wrong):
    with pytest.raises(InputError):
        examine_arm(study, "some", "release", 4 * HOUR, **{"trajectories": 2, "base": 2, **wrong})


TINY = """
title = "tiny"
place = "tube"
[particle.bare]
core = "calcium_peroxide"
diameter = "20 nm"
[subject]
buffer = "acetate"
concentration = "20 mmol/L"
ph = 5.5
[[arm]]
name = "particles"
add = [{ particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" }]
[measure]
hydrogen_peroxide = { at = ["1 h", "4 h"], assay = "titanium_oxysulfate" }
"""
OPTIONS = ["--trajectories", "2", "--base", "4", "--keep", "2"]


@pytest.fixture
def call(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")

    def run(*more: str):
        asked = ["sensitivity", str(tmp_path / "tiny.toml"), "--arm", "particles", *OPTIONS, *more]
        return CliRunner().invoke(app, asked)

    return run


def test_the_command_prints_a_table(call):
    done = call("--measure", "hydrogen_peroxide", "--at", "4 h")
    assert done.exit_code == 0, done.output
    for text in ("mmol/L at the centre", "mu_star", "S1_interval", "calcium_peroxide.peroxide.acid_yield", "carry"):
        assert text in done.stdout
    assert "screening: 32 of" in done.stderr


def test_the_command_prints_json_in_the_unit_of_the_measure(call):
    done = call("--measure", "hydrogen_peroxide", "--at", "240 min", "--json", "--quiet")
    assert done.exit_code == 0, done.output
    about = json.loads(done.stdout)
    assert (about["unit"], about["failed"], done.stderr) == ("mmol/L", 0, "")
    assert 0.1 < about["central"] < 0.5
    shares = [row for row in about["inputs"] if row["ST"] is not None]
    assert len(shares) == 2
    assert shares == about["inputs"][:2]
    assert all({"source", "grade", "kind", "mu_star", "sigma"} <= row.keys() for row in about["inputs"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--measure", "hydrogen_peroxide", "--at", "4"], "without a unit"),
        (["--measure", "hydrogen_peroxide", "--at", "3 h"], "expected one of 1 h, 4 h"),
        (["--measure", "peroxide", "--at", "4 h"], "hydrogen_peroxide"),
        (["--measure", "hydrogen_peroxide", "--at", "4 h", "--method", "sobl"], "Did you mean `sobol`"),
    ],
)
def test_the_command_tells_what_is_wrong(call, arguments, text):
    done = call(*arguments)
    assert done.exit_code == 2
    assert text in done.stderr
    assert "Traceback" not in done.output
