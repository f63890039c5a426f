"""`nanotrial power`: the numbers of a run with that cohort, by size; what is left out, failed or asked wrongly."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import nanotrial.experiment
from nanotrial.cli.main import app
from nanotrial.errors import SolveError
from nanotrial.experiment import Player, measure_noise, noisy_readings, simulate
from nanotrial.study import load_study

STUDY = """
title = "tiny"
place = "tube"
[particle.bare]
core = "calcium_peroxide"
diameter = "20 nm"
[subject]
buffer = "acetate"
concentration = "20 mmol/L"
ph = 5.5
[cohort]
subjects = 3
alpha = 0.05
[[arm]]
name = "particles"
add = [{ particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" }]
[[arm]]
name = "buffer"
[[arm]]
name = "again"
subject = { volume = "9.99 mL" }
[[arm]]
name = "more particles"
add = [{ particle = "bare", concentration = "0.55 mmol/L", basis = "calcium", at = "0 h" }]
[measure]
ph = { at = ["1 h", "4 h"] }
release = { at = "4 h" }
"""
USUAL = ["--members", "8", "--sizes", "3,5", "--seed", "2"]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(STUDY, encoding="utf-8")
    return file


@pytest.fixture
def call(path):
    def run(*arguments: str, text: str = STUDY, usual=USUAL):
        path.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["power", str(path), *usual, *arguments])

    return run


@pytest.fixture
def about(call):
    """Return what the command gives as JSON."""

    def run(*arguments: str, **more):
        done = call(*arguments, "--json", "--quiet", **more)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def rows_of(found) -> dict:
    return {row["arm"]: row for row in found["arms"]}


def test_the_table_says_what_is_known_and_what_is_not(call):
    done = call("--measure", "ph")
    assert done.exit_code == 0, done.output
    for text in (
        "ph at 4 h against `buffer`, alpha 0.05",
        "8 worlds of 5 tubes per arm and a typical one, seed 2: 192 members, 0 failed",
        "SD between readings of the control: 0.0",
        "n = 3",
        "n = 5",
        "80% from",
        "Worlds differ in everything that is unknown",
    ):
        assert text in done.stdout
    lines = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert "100% (68%-100%)" in lines["particles"]
    assert lines["particles"].rstrip().endswith(" 3")
    assert lines["again"].rstrip().endswith("more than 5")
    assert "buffer" not in lines
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [f"arm {i}/4" for i in range(1, 5)]


def test_numbers_are_those_of_a_run_with_that_cohort(about, path):
    found = about("--measure", "ph")
    study = load_study(path)
    for size in (3, 5):
        run = simulate(study, members=8, subjects=size, seed=2)
        comparison = next(c for c in run.comparisons if c.measure == "ph")
        expected = {a.arm: a for a in comparison.arms}
        for name, row in rows_of(found).items():
            (one,) = (p for p in row["power"] if p["n"] == size)
            told = expected[name]
            assert (one["power"], one["low"], one["high"]) == (told.power, told.power_low, told.power_high)
            apart = run.arm(name).typical["ph"][:, 1] - run.arm("buffer").typical["ph"][:, 1]
            band = [row["difference_low"], row["difference"], row["difference_high"]]
            assert band == pytest.approx(np.quantile(apart, [0.05, 0.5, 0.95]), abs=1e-6)
        if size == 5:
            assert {n: r["sd"] for n, r in rows_of(found).items()} == pytest.approx(
                {n: a.sd for n, a in expected.items() if n != "buffer"}, rel=1e-4
            )
            assert found["control_sd"] == pytest.approx(expected["buffer"].sd, rel=1e-4)


def test_power_is_the_share_of_worlds_in_which_another_program_finds_a_difference(about, path):
    found = about("--measure", "release", "--arm", "more particles", text=with_control("particles"))
    study = load_study(path)
    run = simulate(study, members=8, subjects=5, seed=2)
    names = ["particles", "more particles"]
    true = np.stack([run.arm(n).members["release"][:, -1].reshape(8, 5) for n in names], axis=1)
    read = noisy_readings("release", names, true, measure_noise(study, "release"), 2)
    (row,) = found["arms"]
    for one in row["power"]:
        some = read[:, :, : one["n"]]
        p = [stats.ttest_ind(a, b, equal_var=False).pvalue for a, b in some]
        assert one["power"] == np.mean(np.array(p) < 0.05)
        interval = stats.binomtest(int(np.sum(np.array(p) < 0.05)), 8).proportion_ci(method="wilson")
        assert (one["low"], one["high"]) == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert (one["worlds"], one["undefined"]) == (8, 0)


def with_control(name: str) -> str:
    return STUDY.replace("alpha = 0.05", f'control = "{name}"')


def test_sizes_share_their_first_subjects(about):
    whole, three = about("--measure", "ph"), about("--measure", "ph", usual=["--members", "8", "--seed", "2"])
    assert three["sizes"] == [3, 5, 8, 12]
    for name, row in rows_of(three).items():
        assert row["power"][:2] == rows_of(whole)[name]["power"]
    turned = about("--measure", "ph", usual=["--members", "8", "--seed", "2", "--sizes", "5, 3,5"])
    assert turned == whole


def test_the_smallest_size_is_the_first_that_reaches_the_wanted_power(about):
    rows = rows_of(about("--measure", "ph"))
    for row in rows.values():
        enough = [p["n"] for p in row["power"] if p["power"] >= 0.8]
        assert row["smallest"] == (enough[0] if enough else None)
    assert rows["particles"]["smallest"] == 3
    assert rows["again"]["smallest"] is None
    assert abs(rows["again"]["difference"]) < 0.01
    assert rows["particles"]["difference"] > 0.05


def test_the_time_is_the_last_or_the_one_asked_for(about):
    last, early = about("--measure", "ph"), about("--measure", "ph", "--at", "60 min")
    assert (last["at_h"], early["at_h"]) == (4.0, 1.0)
    assert rows_of(last)["particles"]["difference"] != rows_of(early)["particles"]["difference"]


def test_numbers_come_in_the_unit_of_the_measure(about):
    text = STUDY.replace('release = { at = "4 h" }', 'calcium = { at = "4 h" }').replace(
        'name = "buffer"', 'name = "buffer"\nadd = [{ agent = "calcium_chloride", concentration = "1 mmol/L" }]'
    )
    text = text.replace("alpha = 0.05", 'control = "buffer"')
    found = about("--measure", "calcium", "--arm", "particles", text=text)
    assert found["unit"] == "mmol/L"
    (row,) = found["arms"]
    assert -1.0 < row["difference"] < -0.4
    assert 0.0 < found["control_sd"] < 0.2


def test_only_the_arms_that_are_asked_for_are_played(call, monkeypatch):
    seen, real = [], simulate

    def spy(study, **more):
        seen.append(([a.name for a in study.arms], {m.times for m in study.measures}, more["subjects"]))
        return real(study, **more)

    monkeypatch.setattr(nanotrial.experiment, "simulate", spy)
    done = call("--measure", "ph", "--arm", "more particles", "--at", "1 h")
    assert done.exit_code == 0, done.output
    assert seen == [(["buffer", "more particles"], {(3600.0,)}, 5)]


def test_arms_that_do_not_show_the_measure_are_left_out_and_named(call):
    done = call("--measure", "release", text=with_control("particles"))
    assert done.exit_code == 0, done.output
    assert "`buffer` is left out: it does not show `release`" in done.stderr
    assert "`again` is left out" in done.stderr
    first = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert "more particles" in first
    assert not {"again", "buffer", "particles"} & set(first)


def failing(monkeypatch, fails) -> None:
    real = Player._run

    def run(self, runner, built, *arguments):
        if fails(built.name):
            raise SolveError("forced to fail", 1.0, "core")
        return real(self, runner, built, *arguments)

    monkeypatch.setattr(Player, "_run", run)


def test_failed_members_are_counted(call, monkeypatch):
    """The second subject of the first world: after the central run and the typical subject."""
    count = iter(range(10_000))
    failing(monkeypatch, lambda name: name == "particles" and next(count) == 3)
    done = call("--measure", "ph", "--arm", "particles", "--json", usual=["--members", "3", "--sizes", "2,3"])
    assert done.exit_code == 1
    assert "Failed: 1 of 12 members of `particles`; the first: member 2: forced to fail" in done.stderr
    found = json.loads(done.stdout)
    assert (found["members"], found["members_failed"]) == (24, 1)
    (row,) = found["arms"]
    assert [(p["n"], p["worlds"], p["undefined"]) for p in row["power"]] == [(2, 2, 1), (3, 3, 0)]


def test_an_arm_that_fails_is_left_out_and_the_others_are_told(call, monkeypatch):
    failing(monkeypatch, lambda name: name == "particles")
    done = call("--measure", "ph", "--json", "--quiet")
    assert done.exit_code == 1
    assert "Failed: arm `particles`: forced to fail" in done.stderr
    assert list(rows_of(json.loads(done.stdout))) == ["again", "more particles"]


def test_where_every_member_fails_there_is_no_power(call, monkeypatch):
    count = iter(range(10_000))
    failing(monkeypatch, lambda name: name == "particles" and next(count) > 0)
    done = call("--measure", "ph", "--arm", "particles", "--json", "--quiet")
    assert done.exit_code == 1
    (row,) = json.loads(done.stdout)["arms"]
    assert row["difference"] is row["sd"] is row["smallest"] is None
    assert [p["power"] for p in row["power"]] == [None, None]
    count = iter(range(10_000))
    done = call("--measure", "ph", "--arm", "particles")
    assert done.exit_code == 1
    assert "more than 5" not in done.stdout
    assert "nan" not in done.stdout


def test_a_control_that_fails_leaves_nothing_to_compare(call, monkeypatch):
    failing(monkeypatch, lambda name: name == "buffer")
    done = call("--measure", "ph")
    assert done.exit_code == 2
    assert "the control did not run" in done.stderr
    assert "forced to fail" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--measure", "phh"], "tiny.toml: measure: found `phh`; expected a measure of the study. Did you mean `ph`?"),
        (["--measure", "calcium"], "a measure of the study"),
        (["--measure", "ph", "--at", "3 h"], "no reading at 3 h; expected one of its 2 times. The nearest: 4 h, 1 h."),
        (["--measure", "ph", "--at", "4"], "--at"),
        (["--measure", "ph", "--at", "4 mol"], "--at"),
        (["--measure", "ph", "--arm", "particle"], "Did you mean `particles`"),
        (["--measure", "ph", "--arm", "buffer"], "an arm other than the control. Leave it out"),
        (["--measure", "release"], "cohort.control: found `buffer`, which does not show `release`"),
        (["--measure", "ph", "--sizes", "3,x"], "--sizes: found `3,x`; expected whole numbers from 2 to 200"),
        (["--measure", "ph", "--sizes", "1,3"], "--sizes"),
        (["--measure", "ph", "--sizes", "3,201"], "--sizes"),
        (["--measure", "ph", "--sizes", "3,,5"], "--sizes"),
        (["--measure", "ph", "--sizes", "2.5"], "--sizes"),
        (["--measure", "ph", "--sizes", "²"], "--sizes"),
        (["--measure", "ph", "--sizes", ""], "--sizes"),
        (["--measure", "ph", "--members", "1"], "--members"),
    ],
)
def test_what_is_asked_wrongly_is_told(call, arguments, text, monkeypatch):
    monkeypatch.setattr(nanotrial.experiment, "simulate", None)  # nothing is played before
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert text in done.stderr
    assert "Traceback" not in done.output


def test_an_arm_that_does_not_show_the_measure_is_told(call):
    done = call("--measure", "release", "--arm", "again", text=with_control("particles"))
    assert done.exit_code == 2
    assert "--arm: found `again`, which does not show `release`" in done.stderr
    alone = STUDY.replace('"again"', '"unused"')
    first, _, rest = alone.partition('[[arm]]\nname = "particles"')
    _, _, measures = rest.partition("[measure]")
    done = call("--measure", "ph", text=f'{first}[[arm]]\nname = "buffer"\n[measure]{measures}')
    assert done.exit_code == 2
    assert "expected an arm beside the control" in done.stderr
