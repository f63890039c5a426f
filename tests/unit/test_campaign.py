"""Campaigns in this process: what is stored is what was played, a fault costs a chunk at most, no run is mixed."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from campaigns import COLUMNS, TIMES, Toy, chunk_bytes, exact_level
from hypothesis import given
from hypothesis import strategies as st
from tubes import TIGHT

from nanotrial import campaign
from nanotrial.campaign import chunks, plan, store
from nanotrial.campaign.study_work import make_work
from nanotrial.cli.resume import _Pace
from nanotrial.errors import InputError, NanotrialError, OutputError, SolveError
from nanotrial.solve.run import Tolerances
from nanotrial.study import load_study

STUDY = """
title = "two arms in water"
place = "tube"
[particle.bare]
core = "calcium_peroxide"
diameter = "100 nm"
[subject]
buffer = "acetate"
concentration = "20 mmol/L"
ph = 7.0
[[arm]]
name = "low"
add = [{ particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" }]
[[arm]]
name = "high"
add = [{ particle = "bare", concentration = "1 mmol/L", basis = "calcium", at = "0 h" }]
[measure]
calcium = { at = ["1 min", "1 h"] }
ph = { at = "30 min" }
"""


def played(tmp_path: Path, work: Toy, chunk: int = 5, name: str = "run") -> Path:
    folder = tmp_path / name
    campaign.run_campaign(work, folder, chunk, workers=1)
    return folder


def listed(folder: Path) -> set[str]:
    return {p.name for p in (folder / "chunks").iterdir()}


# What is stored.


@pytest.mark.parametrize("chunk", [1, 5, 24, 100])
def test_what_is_read_is_what_was_played(tmp_path, chunk):
    folder = played(tmp_path, Toy(failing=(3, 17)), chunk)
    for arm, name in enumerate(("control", "treated")):
        table = campaign.frame(folder, name, "level")
        expected = exact_level(np.arange(24), arm)
        expected[[3, 17]] = np.nan
        np.testing.assert_array_equal(table.values, expected)
        np.testing.assert_array_equal(table["world"], np.arange(24))
        assert table["time"].values.tolist() == list(TIMES)
        assert table.attrs["units"] == "mmol/L"
    assert campaign.open_members(folder).count_rows() == 48


def test_a_dataset_says_its_units_and_times(tmp_path):
    schema = campaign.open_members(played(tmp_path, Toy())).schema
    assert schema.field("level").metadata == {b"unit": b"mmol/L", b"times_h": b"[0.0, 1.0, 2.5]"}
    assert schema.field("level").type.list_size == 3
    assert schema.field("end").type == pa.float64()


def test_failed_members_are_counted_by_reason(tmp_path):
    folder = played(tmp_path, Toy(failing=(3, 17, 18)))
    assert campaign.counts_by_reason(folder) == {"calcium diverged at # h": 6}
    assert campaign.counts_by_reason(folder, "control") == {"calcium diverged at # h": 3}
    assert campaign.counts_by_reason(played(tmp_path, Toy(), name="well")) == {}


def test_infinities_and_signs_of_nan_survive(tmp_path):
    work = Toy(members=2)
    made = plan.make_plan(work, 2)
    rows = work.play(0, 2)
    rows["end"] = np.array([np.inf, -np.inf, -np.nan, -0.0])
    read = chunks.decode_chunk(made, 0, chunks.encode_chunk(made, 0, rows))
    found = chunks.to_numpy(made.column("end"), read["end"])
    np.testing.assert_array_equal(found, rows["end"])
    assert np.signbit(found[3])
    rows["end"][2] = np.nan
    assert chunks.encode_chunk(made, 0, rows) == chunks.encode_chunk(made, 0, rows | {"end": rows["end"] * 1})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rows: rows.pop("end"), "columns"),
        (lambda rows: rows.update(more=rows["end"]), "columns"),
        (lambda rows: rows.update(end=rows["end"][1:]), "shape (9,); expected (10,)"),
        (lambda rows: rows.update(level=rows["level"][:, 1:]), "shape (10, 2); expected (10, 3)"),
    ],
)
def test_rows_of_another_shape_are_refused(change, text):
    work = Toy(members=25)
    rows = work.play(0, 5)
    change(rows)
    with pytest.raises(SolveError) as error:
        chunks.encode_chunk(plan.make_plan(work, 5), 0, rows)
    assert text in str(error.value)


@given(members=st.integers(1, 400), chunk=st.integers(1, 500))
def test_chunks_are_even_and_cover_every_member_once(members, chunk):
    made = plan.make_plan(Toy(members=members), chunk)
    bounds = [made.bounds(number) for number in range(made.chunks)]
    assert [m for first, last in bounds for m in range(first, last)] == list(range(members))
    sizes = {last - first for first, last in bounds}
    assert max(sizes) <= chunk
    assert max(sizes) - min(sizes) <= 1


# What is asked.


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A run in chunks of an awkward size, with failures."""
    folder = tmp_path_factory.mktemp("large") / "run"
    campaign.run_campaign(Toy(members=53, failing=(0, 7, 30)), folder, 10, workers=1)
    return folder


@given(
    levels=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    block=st.integers(1, 3 * 8 * 200),
    arm=st.sampled_from(["control", "treated", None]),
    measure=st.sampled_from(["level", "end"]),
)
def test_quantiles_are_exact_whatever_the_block(large, levels, block, arm, measure):
    whole = campaign.frame(large, arm, measure).values
    expected = np.quantile(whole[~np.isnan(whole).any(axis=1)], levels, axis=0)
    times, found = campaign.quantiles(large, arm, measure, levels, block)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert len(times) == whole.shape[1]


@pytest.mark.parametrize("arm", ["control", "treated", None])
def test_moments_are_those_of_all_rows(large, arm):
    whole = campaign.frame(large, arm, "level").values
    found = campaign.moments(large, arm, "level")
    assert found.count.tolist() == [len(whole) - np.isnan(whole[:, 0]).sum()] * 3
    np.testing.assert_allclose(found.mean, np.nanmean(whole, axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.sd, np.nanstd(whole, axis=0, ddof=1), rtol=1e-12, atol=1e-300)


def test_where_all_failed_nothing_is_known(tmp_path):
    folder = played(tmp_path, Toy(members=3, failing=(0, 1, 2)), 2)
    found = campaign.moments(folder, "control", "level")
    assert np.isnan(campaign.quantiles(folder, "control", "level", [0.5])[1]).all()
    assert np.isnan([found.mean, found.sd]).all()
    assert found.count.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda f: campaign.quantiles(f, "controls", "level", [0.5]), "Did you mean `control`?"),
        (lambda f: campaign.quantiles(f, "control", "levels", [0.5]), "Did you mean `level`?"),
        (lambda f: campaign.moments(f, "control", "status"), "expected a measure of the run"),
        (lambda f: campaign.quantiles(f, "control", "level", [50.0]), "expected numbers from 0 to 1"),
        (lambda f: campaign.quantiles(f, "control", "level", []), "found none"),
        (lambda f: campaign.open_members(f.parent), "plan.json cannot be read"),
    ],
)
def test_wrong_questions(large, ask, text):
    with pytest.raises(NanotrialError) as error:
        ask(large)
    assert text in str(error.value)


# Faults of a chunk.


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap(path: Path) -> None:
    path.write_bytes(path.with_name("00003.parquet").read_bytes())


def falsify(path: Path) -> None:
    """Write other numbers under the old labels, as somebody who edits results would."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    values = pa.array(table["end"].to_numpy() * 1.01)
    changed = table.set_column(table.schema.get_field_index("end"), table.schema.field("end"), values)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def foreign(path: Path) -> None:
    other = path.parents[2]
    campaign.run_campaign(Toy(seed=2), other / "other", 5, workers=1)
    path.write_bytes((other / "other" / "chunks" / path.name).read_bytes())


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "no whole Parquet file"),
        (empty, "no whole Parquet file"),
        (swap, "another chunk"),
        (falsify, "checksum"),
        (foreign, "another plan"),
    ],
)
def test_a_damaged_chunk_is_set_aside_and_computed_again(tmp_path, damage, why):
    folder = played(tmp_path, Toy())
    before = chunk_bytes(folder)
    damage(folder / "chunks" / "00002.parquet")
    damaged = (folder / "chunks" / "00002.parquet").read_bytes()
    said = []
    done = campaign.resume(folder, Toy(), workers=1, say=said.append)
    assert done.computed == 1
    assert chunk_bytes(folder) == before
    assert (folder / "chunks" / "00002.parquet.damaged-1").read_bytes() == damaged
    assert len(said) == 1
    assert why in said[0]
    assert "00002.parquet" in said[0]


def test_every_flipped_byte_is_seen(tmp_path):
    work = Toy(members=2)
    made = plan.make_plan(work, 2)
    data = chunks.encode_chunk(made, 0, work.play(0, 2))
    whole = chunks.decode_chunk(made, 0, data)
    generator = np.random.default_rng(5)
    for place in generator.choice(len(data), 150, replace=False):
        wrong = bytearray(data)
        wrong[place] ^= 1 << int(generator.integers(8))
        try:
            found = chunks.decode_chunk(made, 0, bytes(wrong))
        except chunks.DamageError:
            continue
        assert found.equals(whole), f"byte {place} changed the rows unseen"  # statistics and names of the writer


def test_damage_upon_damage_keeps_both(tmp_path):
    folder = played(tmp_path, Toy())
    for _ in range(2):
        cut(folder / "chunks" / "00000.parquet")
        campaign.resume(folder, Toy(), workers=1)
    assert {"00000.parquet", "00000.parquet.damaged-1", "00000.parquet.damaged-2"} <= listed(folder)


# Interrupted and resumed.


@pytest.mark.parametrize("chunk", [1, 7])
def test_resumed_is_the_same_bit_for_bit(tmp_path, chunk):
    undisturbed = chunk_bytes(played(tmp_path, Toy(failing=(2,)), chunk, "whole"))
    folder = tmp_path / "broken"
    with pytest.raises(SolveError) as error:
        campaign.run_campaign(Toy(failing=(2,), raising=(15,)), folder, chunk, workers=1)
    assert f"chunk {15 // chunk} (members" in str(error.value)  # four chunks of six, or one each
    assert "the integrator broke at member 15" in str(error.value)
    assert f"nanotrial resume {folder}" in str(error.value)
    kept = chunk_bytes(folder)
    assert 0 < len(kept) == 15 // chunk
    counted = []
    campaign.resume(folder, Toy(failing=(2,)), workers=1, progress=lambda *n: counted.append(n))
    assert chunk_bytes(folder) == undisturbed
    assert counted == [(i, len(undisturbed)) for i in range(len(kept), len(undisturbed) + 1)]


def test_an_error_that_nobody_foresaw_is_told_with_its_kind(tmp_path):
    class Broken(Toy):
        def play(self, first, last):
            raise ZeroDivisionError("float division by zero")

    with pytest.raises(SolveError, match="ZeroDivisionError: float division by zero"):
        campaign.run_campaign(Broken(), tmp_path / "run", 5, workers=1)


def test_ctrl_c_says_how_to_go_on(tmp_path):
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as interrupt:
        campaign.run_campaign(Toy(), tmp_path / "a run", 5, workers=1, progress=stop)
    assert "2 of 5 chunks are kept" in str(interrupt.value)
    assert f"nanotrial resume '{tmp_path / 'a run'}'" in str(interrupt.value)
    assert listed(tmp_path / "a run") == {"00000.parquet", "00001.parquet"}


def test_a_finished_run_needs_nothing(tmp_path):
    folder = played(tmp_path, Toy())
    assert campaign.resume(folder).computed == 0
    assert campaign.resume(folder, Toy(seed=9)).computed == 0, "there is nothing left that other work could decide"


def missing_one(tmp_path: Path, work: Toy) -> Path:
    folder = played(tmp_path, work)
    (folder / "chunks" / "00001.parquet").unlink()
    return folder


def test_other_work_is_refused_with_what_differs(tmp_path):
    folder = missing_one(tmp_path, Toy())
    with pytest.raises(OutputError, match=r"facts\.seed: 1 then, 2 now"):
        campaign.resume(folder, Toy(seed=2), workers=1)
    assert "00001.parquet" not in listed(folder)


def test_another_version_is_refused(tmp_path, monkeypatch):
    folder = missing_one(tmp_path, Toy())
    now = plan.versions_in_use()
    monkeypatch.setattr(plan, "versions_in_use", lambda: {**now, "casadi": "9.9"})
    with pytest.raises(OutputError, match=rf"versions\.casadi: {now['casadi']} then, 9\.9 now"):
        campaign.resume(folder, Toy(), workers=1)
    monkeypatch.undo()
    assert campaign.resume(folder, Toy(), workers=1).computed == 1


def test_work_without_a_study_cannot_be_guessed(tmp_path):
    with pytest.raises(OutputError, match="not made from a study"):
        campaign.resume(missing_one(tmp_path, Toy()))


def test_a_plan_changed_by_hand_is_refused(tmp_path):
    path = played(tmp_path, Toy()) / "plan.json"
    table = json.loads(path.read_text())
    for wrong, text in (
        ({**table, "chunk": 6}, "was changed"),
        ({**table, "format": 99}, "has format 99"),
        ({"format": 1}, "holds no plan"),
        ([], "holds no plan"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(OutputError, match=text):
            campaign.resume(path.parent, Toy())


def test_a_folder_is_never_overwritten(tmp_path):
    folder = played(tmp_path, Toy())
    with pytest.raises(OutputError, match="nanotrial resume"):
        campaign.run_campaign(Toy(), folder, 5, workers=1)
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        campaign.run_campaign(Toy(), tmp_path / "mine", 5, workers=1)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"chunk": 0}, "chunk: found 0"),
        ({"work": Toy(members=0)}, "members: found 0"),
        ({"workers": 0}, "workers: found 0"),
        ({"scheduler": "tcp://there:8786", "workers": 2}, "beside a scheduler"),
        *[
            ({"scheduler": address}, "expected an address such as tcp://host:8786")
            for address in ("", "there", "there:8786", "tcp://there", "tcp://:8786", "tcp://there:99999", "http://a:1")
        ],
    ],
)
def test_wrong_requests_make_no_folder(tmp_path, wrong, text):
    with pytest.raises(InputError) as error:
        campaign.run_campaign(**{"work": Toy(), "folder": tmp_path / "run", "chunk": 5, **wrong})
    assert text in str(error.value)
    assert not (tmp_path / "run").exists()


# The disk.


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_costs_no_finished_chunk(tmp_path, monkeypatch, code, call):
    undisturbed = chunk_bytes(played(tmp_path, Toy(), name="whole"))
    folder, real, calls = tmp_path / "run", getattr(os, call), [0]

    def refuse(*arguments):
        if str(folder / "chunks") in str(arguments[0]) or call == "fsync":
            calls[0] += 1
            if calls[0] == 8:
                raise OSError(code, os.strerror(code))
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store.os, call, refuse)
        if call == "replace":
            calls[0] = 5
        with pytest.raises(OutputError) as error:
            campaign.run_campaign(Toy(), folder, 5, workers=1)
    assert f"nanotrial resume {folder}" in str(error.value)
    assert ("Free some space" in str(error.value)) == (code != errno.EIO)
    kept = listed(folder)
    assert kept < set(undisturbed), "whole chunks and nothing else"
    assert f"{len(kept)} of 5 chunks" in str(error.value)
    campaign.resume(folder, Toy(), workers=1)
    assert chunk_bytes(folder) == undisturbed


def test_what_a_killed_process_left_is_cleared(tmp_path):
    folder = missing_one(tmp_path, Toy())
    left = folder / "chunks" / ".unfinished-abc"
    left.write_bytes(b"half")
    campaign.resume(folder, Toy(), workers=1)
    assert not left.exists()


# Two processes.


def test_a_folder_is_worked_on_once_at_a_time(tmp_path):
    folder = missing_one(tmp_path, Toy())
    with store.held(folder), pytest.raises(OutputError) as error:
        campaign.resume(folder, Toy(), workers=1)
    assert f"{folder} is being worked on by process {os.getpid()} on " in str(error.value)
    assert campaign.resume(folder, Toy(), workers=1).computed == 1
    assert not (folder / ".lock.holder").exists()


def test_the_lock_of_a_killed_process_does_not_block(tmp_path):
    folder = missing_one(tmp_path, Toy())
    code = (
        "import sys, time, pathlib\nfrom nanotrial.campaign.store import held\n"
        f"with held(pathlib.Path({str(folder)!r})):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    source = str(Path(campaign.__file__).parents[2])
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": source}
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {child.pid} on "):
            campaign.resume(folder, Toy(), workers=1)
        child.kill()
        child.wait()
    assert campaign.resume(folder, Toy(), workers=1).computed == 1


# A study.


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(STUDY)
    return load_study(path)


def study_work(study, worlds=3, **more):
    wanted = {"subjects": 2, "seed": 7, "design": "latin_hypercube"}
    return make_work(study, worlds, **{**wanted, **more})


def test_a_study_gives_the_same_rows_in_any_chunks(study, tmp_path):
    work = study_work(study)
    apart = campaign.run_campaign(work, tmp_path / "apart", 1, workers=1).folder
    together = campaign.run_campaign(pickle.loads(pickle.dumps(work)), tmp_path / "together", 3, workers=1).folder
    for arm in ("low", "high"):
        for measure, unit in (("calcium", "mmol/L"), ("ph", "1")):
            one, other = (campaign.frame(f, arm, measure) for f in (apart, together))
            assert one.identical(other)
            assert one.attrs["units"] == unit
            assert not np.isnan(one).any()
        assert one["world"].values.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert one["subject"].values.tolist() == [0, 1, 2] * 3, "the typical one first"
    low, high = (campaign.frame(apart, arm, "calcium").values for arm in ("low", "high"))
    assert len(np.unique(low[:, 0])) == 9, "worlds and subjects differ"
    assert (high[:, 1] > 1.5 * low[:, 1]).all(), "twice the dose"


def test_a_study_is_resumed_from_its_folder(study, tmp_path):
    folder = campaign.run_campaign(study_work(study), tmp_path / "run", 1, workers=1).folder
    before = chunk_bytes(folder)
    study.path.unlink()
    (folder / "chunks" / "00001.parquet").unlink()
    moved = folder.rename(tmp_path / "elsewhere")
    assert campaign.resume(moved).computed == 1
    assert chunk_bytes(moved) == before


def test_a_changed_study_is_refused_and_a_comment_is_not(study, tmp_path):
    folder = campaign.run_campaign(study_work(study), tmp_path / "run", 1, workers=1).folder
    (folder / "chunks" / "00001.parquet").unlink()
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace("100 nm", "90 nm"))
    with pytest.raises(OutputError, match=r"facts\.study: [0-9a-f]{8} then, [0-9a-f]{8} now"):
        campaign.resume(folder)
    (folder / "study.toml").write_text("# seen\n" + text.replace("two arms in water", "another title"))
    assert campaign.resume(folder).computed == 1


def test_own_sheets_travel_with_the_work(study, tmp_path):
    from nanotrial.catalogue.lookup import ROOT

    own = tmp_path / "catalogue" / "materials"
    own.mkdir(parents=True)
    sheet = (ROOT / "materials" / "calcium_peroxide.toml").read_text()
    (own / "calcium_peroxide.toml").write_text(sheet)
    plain = study_work(study, 1).play(0, 1)["calcium"]
    same = study_work(load_study(study.path), 1)
    density = next(line for line in sheet.splitlines() if line.startswith("density"))
    heavier = density.replace("value = 2", "value = 5")
    assert heavier != density
    (own / "calcium_peroxide.toml").write_text(sheet.replace(density, heavier))
    changed = study_work(load_study(study.path), 1)
    assert plan.differences(plan.make_plan(same, 1), plan.make_plan(changed, 1))[0].startswith(
        "facts.sheets.materials/calcium_peroxide: "
    )
    (own / "calcium_peroxide.toml").unlink()  # as on another machine
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(same)).play(0, 1)["calcium"], plain)
    assert (changed.play(0, 1)["calcium"] != plain).any()


def test_members_that_diverge_fail_alone(study):
    rows = study_work(study, tolerances=Tolerances(max_steps=2)).play(0, 2)
    assert set(rows["status"]) == {"failed"}
    assert all(rows["reason"])
    assert np.isnan(rows["calcium"]).all()


class Poisoned:
    """Draws of which one number is none."""

    def __init__(self, draws):
        self.draws, self.worlds, self.subjects = draws, draws.worlds, draws.subjects

    def of_arm(self, *arguments):
        changes = self.draws.of_arm(*arguments)
        if arguments[0] == "low":
            next(iter(changes.values()))[1] = np.nan
        return changes

    def typical(self, *arguments):
        return self.draws.typical(*arguments)


def test_a_parameter_that_is_no_number_fails_its_member_alone(study):
    work = study_work(study)
    clean, rows = work.play(0, 3), replace(work, draws=Poisoned(work.draws)).play(0, 3)
    bad = (rows["arm"] == "low") & (rows["world"] == 0) & (rows["subject"] == 2)
    assert rows["status"].tolist() == ["failed" if b else "done" for b in bad]
    assert np.isnan(rows["calcium"][bad]).all()
    assert rows["reason"][bad][0]
    np.testing.assert_array_equal(rows["calcium"][~bad], clean["calcium"][~bad])


def test_tolerances_are_kept(study, tmp_path):
    work = study_work(study, 1, tolerances=TIGHT)
    folder = campaign.run_campaign(work, tmp_path / "run", 1, workers=1).folder
    before = chunk_bytes(folder)
    (folder / "chunks" / "00000.parquet").unlink()
    campaign.resume(folder)
    assert chunk_bytes(folder) == before
    assert (work.play(0, 1)["calcium"] != study_work(study, 1).play(0, 1)["calcium"]).any()


def test_fits_beside_the_study_travel_too(study, tmp_path):
    fit = '[[parameter]]\nkey = "materials/calcium_peroxide:dissolution.acid_rate"\n'
    from nanotrial.fit.overlay import get_value

    old = get_value(study.catalogue, "materials/calcium_peroxide:dissolution.acid_rate")
    row = f'value = {2 * old.value}\nunit = "{old.unit}"\nsource = "{old.source}"\ngrade = "fitted"\n'
    (tmp_path / "mine.toml").write_text(fit + row + 'locator = "here"\n')
    study.path.write_text('fits = ["mine.toml"]\n' + STUDY)
    fitted = study_work(load_study(study.path), 1)
    folder = campaign.run_campaign(fitted, tmp_path / "run", 1, workers=1).folder
    (folder / "chunks" / "00000.parquet").unlink()
    (tmp_path / "mine.toml").unlink()
    campaign.resume(folder)
    np.testing.assert_array_equal(campaign.frame(folder, None, "calcium").values, fitted.play(0, 1)["calcium"])
    study.path.write_text('fits = ["../mine.toml"]\n' + STUDY)
    (tmp_path.parent / "mine.toml").write_text(fit + row)
    with pytest.raises(InputError, match="beside or below the study"):
        study_work(load_study(study.path), 1)


# What is shown.


def test_pace_is_in_words(monkeypatch):
    clock = iter([0.0, 10.0, 1000.0])
    monkeypatch.setattr("nanotrial.cli.resume.time.monotonic", lambda: next(clock))
    pace = _Pace()
    assert pace.words(3, 100) == ""
    assert pace.words(23, 100) == "2 per s, 38 s left"
    assert pace.words(100, 100) == "10 s each"


def test_columns_know_their_shape():
    assert [c.kind for c in COLUMNS] == ["text", "whole", "text", "text", "number", "number"]
