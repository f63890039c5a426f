"""Draws, failed members, the record on disk and the readings of colour reactions."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import casadi as ca
import numpy as np
import pytest
from tubes import given, make_study

from nanotrial.catalogue.lookup import Catalogue, references
from nanotrial.errors import NanotrialError, OutputError, SolveError
from nanotrial.experiment import Player, simulate
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Parameter
from nanotrial.observe.colour_reaction import ABOVE, BELOW, INSIDE, read_out
from nanotrial.record import bibliography, make_record, new_folder, read_run, to_dataset, write_run
from nanotrial.sampling import Draws
from nanotrial.units import dimension_of
from nanotrial.values import Distribution, Value

MEASURE = {
    "release": {"at": ["0 h", "1 h", "4 h"]},
    "hydrogen_peroxide": {"at": ["1 h", "2 h"], "assay": "titanium_oxysulfate"},
}


def uncertain(name: str, number: float, unit: str = "1", **spread) -> Parameter:
    value = Value(number, unit, "test", "assumed", distribution=Distribution(**spread), dimension=dimension_of(unit))
    return Parameter(name, ca.SX.sym(name), value.si, unit, value)


def draws(*parameters: Parameter, members: int = 400, seed: int = 3, overlay: Overlay | None = None):
    known = {p.name: p for p in parameters}
    return Draws(known, overlay or Overlay(), None, members, seed=seed).unknown(0, members)


A = uncertain("a", 2.0, kind="normal", sd=5.0, low=1.0, high=4.0)
B = uncertain("b", 3.0, "mmol/L", kind="lognormal", geometric_sd=3.0, low=1.0, high=20.0)
C = uncertain("c", 25.0, "degC", kind="uniform", low=20.0, high=37.0)
FIXED = Parameter("fixed", ca.SX.sym("fixed"), 1.0, "1")


def test_draws_stay_within_their_limits_in_si():
    found = draws(A, B, C, FIXED)
    assert sorted(found) == ["a", "b", "c"]
    for name, low, high in (("a", 1.0, 4.0), ("b", 1.0, 20.0), ("c", 293.15, 310.15)):
        assert found[name].shape == (400,)
        assert low <= found[name].min() < low + 0.02 * (high - low)
        assert high - 0.05 * (high - low) < found[name].max() <= high


def test_draws_are_a_latin_hypercube():
    """Each of the equal strata of a uniform spread is drawn once."""
    drawn = (draws(C, members=50)["c"] - 293.15) / 17.0
    assert sorted(np.floor(drawn * 50).astype(int)) == list(range(50))
    both = draws(A, C)
    assert abs(np.corrcoef(both["a"], both["c"])[0, 1]) < 0.2


def test_draws_follow_the_seed_and_not_the_order():
    first, again, other = draws(A, B), draws(B, A), draws(A, B, seed=4)
    for name in "ab":
        assert first[name].tolist() == again[name].tolist()
        assert first[name].tolist() != other[name].tolist()


def test_joint_draws_are_taken_row_by_row():
    rows = np.arange(100.0)
    table = {"a": tuple(rows), "b": tuple(1000 + rows), "elsewhere": tuple(rows)}
    found = draws(A, B, C, overlay=Overlay(draws=(table,)), members=200)
    assert found["b"].tolist() == (found["a"] + 1000).tolist()
    assert sorted(found["a"].tolist()) == sorted(np.repeat(rows, 2).tolist())
    assert sorted(found) == ["a", "b", "c"]


def study(**more):
    return make_study(
        measure=MEASURE,
        arms=[
            {"name": "one", "add": [given()]},
            {"name": "two", "subject": {"ph": 6.0}, "add": [given()]},
        ],
        **more,
    )


@pytest.fixture(scope="module")
def result():
    return simulate(study(), members=6, seed=5)


def test_same_seed_same_numbers(result):
    again, other = simulate(study(), members=6, seed=5), simulate(study(), members=6, seed=6)
    for first, second, third in zip(result.arms, again.arms, other.arms, strict=True):
        assert first.members["release"].tolist() == second.members["release"].tolist()
        assert first.members["release"].tolist() != third.members["release"].tolist()
        assert first.curves["release"].tolist() == third.curves["release"].tolist()


def failing(monkeypatch, *calls: int):
    """Let the given runs (counted from 0) of the study fail."""
    count, real = iter(range(1000)), Player._run

    def run(self, *arguments):
        if next(count) in calls:
            raise SolveError("forced to fail", 1.0, "core")
        return real(self, *arguments)

    monkeypatch.setattr(Player, "_run", run)


def test_a_failed_member_is_nan_with_its_reason(monkeypatch, result):
    failing(monkeypatch, 3)  # the central run is 0, member i of the first arm is 1 + i
    failed = simulate(study(), members=6, seed=5)
    first, second = failed.arms
    assert first.status == second.status == "done"
    assert first.member_reasons == ("member 2: forced to fail",)
    assert second.member_reasons == ()
    rows = first.members["release"]
    assert np.isnan(rows[2]).all()
    others = [0, 1, 3, 4, 5]
    assert rows[others].tolist() == result.arms[0].members["release"][others].tolist()
    low, high = first.band("release")
    assert np.isfinite([low, high]).all()
    assert low == pytest.approx(np.quantile(rows[others], 0.05, axis=0), rel=1e-12)
    record = make_record(failed)
    assert [a["members_done"] for a in record["arms"]] == [5, 6]
    assert record["arms"][0]["member_reasons"] == ["member 2: forced to fail"]


def test_all_members_failed_leaves_no_band(monkeypatch):
    failing(monkeypatch, *range(1, 7))
    first = simulate(study(), members=6, seed=5).arms[0]
    assert len(first.member_reasons) == 6
    assert np.isnan(first.band("release")).all()
    assert np.isfinite(first.curves["release"]).all()


def test_a_failed_arm_is_nan_and_the_next_goes_on(monkeypatch):
    failing(monkeypatch, 0)
    failed = simulate(study())
    assert [a.status for a in failed.arms] == ["failed", "done"]
    assert "arm `one`: forced to fail" in failed.arms[0].reason
    assert np.isnan(failed.arms[0].curves["release"]).all()
    assert [a.name for a in failed.failed] == ["one"]
    record = json.loads(json.dumps(make_record(failed), allow_nan=False))
    assert record["arms"][0]["curves"]["release"]["value"] == [None, None, None]
    data = to_dataset(record)
    assert np.isnan(data["release"].sel(arm="one")).all()
    assert data["status"].values.tolist() == ["failed", "done"]


def test_record_comes_back_from_disk(tmp_path, result):
    target = tmp_path / "deep" / "run"
    with new_folder(target) as folder:
        write_run(result, folder)
    record = make_record(result)
    assert read_run(target) == json.loads(json.dumps(record))
    json.dumps(record, allow_nan=False)
    assert sorted(p.name for p in target.iterdir()) == ["citations.bib", "record.json", "results.nc", "study.toml"]
    assert os.listdir(tmp_path / "deep") == ["run"]
    curve = record["arms"][1]["curves"]["release"]
    assert curve["value"] == result.arms[1].curves["release"].tolist()
    assert curve["low"] == result.arms[1].band("release")[0].tolist()


def test_dataset_has_units_and_a_time_for_each_measure(tmp_path, result):
    import xarray as xr

    with new_folder(tmp_path / "run") as folder:
        write_run(result, folder)
    with xr.open_dataset(tmp_path / "run" / "results.nc", engine="h5netcdf") as data:
        assert data["release"].dims == ("arm", "time_release")
        assert data["release"].shape == (2, 3)
        assert data["time_release"].values.tolist() == [0.0, 1.0, 4.0]
        assert data["time_hydrogen_peroxide"].attrs["units"] == "h"
        assert (data["release"].attrs["units"], data["hydrogen_peroxide"].attrs["units"]) == ("1", "mmol/L")
        assert data["arm"].values.tolist() == ["one", "two"]
        assert {"release_low", "release_high", "hydrogen_peroxide_reading"} <= set(data)
        assert "release_reading" not in data
        assert data["hydrogen_peroxide"].values.tolist() == [
            a.curves["hydrogen_peroxide"].tolist() for a in result.arms
        ]


def test_an_error_inside_leaves_nothing(tmp_path):
    def work() -> None:
        with new_folder(tmp_path / "run") as folder:
            (folder / "half").write_text("x")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        work()
    assert os.listdir(tmp_path) == []


def test_an_existing_folder_is_refused_and_kept(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="never overwritten"), new_folder(tmp_path / "run"):
        raise AssertionError("the block must not begin")
    assert os.listdir(tmp_path) == ["run"]


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path):
    def work() -> None:
        with new_folder(tmp_path / "run"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match="No space left on device"):
        work()
    assert os.listdir(tmp_path) == []


def test_a_folder_below_a_file_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be made"), new_folder(tmp_path / "file" / "run"):
        pass


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": 99}'])
def test_a_record_that_cannot_be_read_says_so(tmp_path: Path, text):
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(OutputError):
        read_run(tmp_path)


def test_bibliography_holds_each_entry_and_refuses_unknown_keys(result):
    keys = make_record(result)["citations"]
    text = bibliography(keys)
    assert len(keys) > 3
    assert text.count("\n@") + 1 == len(keys)
    assert all(references()[k]["raw"] in text for k in keys)
    with pytest.raises(NanotrialError, match="nobody_1900"):
        bibliography([keys[0], "nobody_1900"])


ASSAY = Catalogue().load("assays", "titanium_oxysulfate")
SLOPE = 72.0 * 0.01 * 0.5  # 720 L/(mol cm), 1 cm, half dilution: absorbance per mol/m^3


def test_a_colour_reaction_is_linear_up_to_saturation():
    top, limit = 2.0 / SLOPE, 0.025
    true = np.array([0.0, 0.5 * limit, limit, 1.0, 0.999 * top, 1.001 * top, 10 * top])
    reading = read_out(true, ASSAY)
    assert reading.concentration == pytest.approx([*true[:5], top, top], rel=1e-12)
    assert reading.flag.tolist() == [BELOW, BELOW, INSIDE, INSIDE, INSIDE, ABOVE, ABOVE]
    assert reading.sd == pytest.approx(0.003 / SLOPE, rel=1e-9)


def test_a_colour_reaction_reads_small_negative_numbers_as_nothing():
    reading = read_out(np.array([[-1e-9, 1.0]]), ASSAY)
    assert reading.concentration.tolist() == [[0.0, pytest.approx(1.0)]]
    assert reading.flag.tolist() == [[BELOW, INSIDE]]


def test_readings_of_a_run_are_those_of_its_curve(result):
    for arm in result.arms:
        assert set(arm.readings) == {"hydrogen_peroxide"}
        again = read_out(arm.curves["hydrogen_peroxide"], ASSAY)
        assert arm.readings["hydrogen_peroxide"].concentration.tolist() == again.concentration.tolist()


def test_an_arm_without_a_substance_shows_nothing_for_it():
    arms = [{"name": "none", "add": []}, {"name": "some", "add": [given()]}]
    mixed = simulate(make_study(arms=arms, measure=MEASURE))
    assert np.isnan(mixed.arms[0].curves["release"]).all()
    assert np.isfinite(mixed.arms[1].curves["release"]).all()
