"""Every command end to end, as a process or through typer's runner."""

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import xarray
from typer.testing import CliRunner

from nanotrial.catalogue.lookup import ROOT, Catalogue, references
from nanotrial.catalogue.schema import KINDS
from nanotrial.cli import catalogue as catalogue_commands
from nanotrial.cli.main import app

from .commands import COMMAND, Call, environment, files

COMMANDS = ("new", "check", "explain", "loop", "run", "report", "cite", "list", "show", "evidence", "fit")


def invoke(*arguments: object) -> str:
    """Run a command in this process and return its stdout; the exit code must be 0."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


# What everyone meets first.


def test_help_is_fast_and_names_every_command() -> None:
    times = []
    for _ in range(4):
        start = time.perf_counter()
        done = subprocess.run([*COMMAND, "--help"], env=environment(), capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert "not a medical device" in " ".join(done.stdout.split())


@pytest.mark.parametrize("module", ["nanotrial", "nanotrial.cli.main"])
def test_import_stays_light(module: str) -> None:
    heavy = ("numpy", "casadi", "pint", "xarray", "rich")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    assert "Usage: " in invoke(command, "--help")


def test_version() -> None:
    assert invoke("--version").strip() == "nanotrial 0.1.0"


@pytest.mark.parametrize(
    "arguments",
    [["frob"], ["run"], ["run", "x.toml", "--members", "-1"], ["check", "x.toml", "--frob"], ["show", "material"]],
)
def test_usage_errors_exit_2(call: Call, arguments: list[str]) -> None:
    done = call(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# Catalogue.


def test_list_without_kind_counts_every_kind() -> None:
    rows = {r["kind"]: r["sheets"] for r in json.loads(invoke("list", "--json"))}
    assert set(rows) == {*KINDS, "systems"}
    assert all(rows[kind] == len(Catalogue().ids(kind)) for kind in KINDS)


@pytest.mark.parametrize("kind", [*KINDS, "systems", "material", "assay"])
def test_list_kind(kind: str) -> None:
    rows = json.loads(invoke("list", kind, "--json"))
    text = invoke("list", kind)
    assert rows
    assert all(row["id"] in text for row in rows)


@pytest.mark.parametrize("kind", [k for k in KINDS])
def test_show_every_sheet_in_full(kind: str) -> None:
    for identifier in Catalogue().ids(kind):
        about = json.loads(invoke("show", kind, identifier, "--json"))
        text = " ".join(invoke("show", kind, identifier).split())
        assert about["values"] or kind in ("beams", "buffers", "agents", "solutes", "probes")
        for row in about["values"]:
            assert row["key"] in text
            assert f"source: {row['source']}" in text
            assert row["grade"] in text
            for key in ("locator", "conditions", "note"):
                assert " ".join(row[key].split()) in text


def test_show_prints_text_fields_and_references() -> None:
    text = invoke("show", "material", "calcium_peroxide")
    assert "formula: CaO2" in text
    assert "description: " in text
    assert "dissolution.products: 1 calcium, 1 hydrogen_peroxide" in text
    assert references()["northup_2008"]["year"] in text


def test_systems_are_listed_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {p.name for p in (ROOT / "systems").glob("*") if any(p.glob("*.toml"))}
    rows = json.loads(invoke("list", "systems", "--json"))
    assert {row["id"] for row in rows} == names
    assert all(row["title"] and row["study"] != "published.toml" for row in rows)
    for name in sorted(names):
        text = invoke("show", "system", name)
        for path in (ROOT / "systems" / name).glob("*.toml"):
            assert str(path) in text
            assert path.read_text(encoding="utf-8").strip().splitlines()[0] in text
    monkeypatch.setattr(catalogue_commands, "_systems", dict)
    assert json.loads(invoke("list", "systems", "--json")) == []


# Studies.


@pytest.mark.parametrize("material", Catalogue().ids("materials"))
def test_new_file_is_valid_for_every_material(material: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = invoke("new", path, "--material", material)
    assert f"nanotrial check {path}" in text
    assert path.read_text(encoding="utf-8").count("#") >= 6
    assert "The study is valid" in invoke("check", path)


def test_new_then_run_then_read(call: Call, tmp_path: Path) -> None:
    assert call("new", "mine.toml").returncode == 0
    before = (tmp_path / "mine.toml").read_bytes()
    again = call("new", "mine.toml")
    assert again.returncode == 2
    assert "never overwritten" in again.stderr
    assert (tmp_path / "mine.toml").read_bytes() == before
    (tmp_path / "runs/mine-1").mkdir(parents=True)
    done = call("run", "mine.toml", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Folder: runs/mine-2" in done.stdout
    assert (tmp_path / "runs/mine-2/report.html").stat().st_size > 10_000
    assert files(tmp_path / "runs/mine-1") == set()


def test_check_prints_arms_measures_and_every_default(tiny: Path) -> None:
    text = invoke("check", tiny)
    about = json.loads(invoke("check", tiny, "--json"))
    assert [arm["arm"] for arm in about["arms"]] == ["particles", "particles + catalase"]
    assert [m["measure"] for m in about["measures"]] == ["release", "hydrogen_peroxide"]
    keys = {d["key"].rpartition(".")[2] for d in about["defaults"]}
    subject = {"temperature", "volume", "depth", "background_salt", "atmosphere", "carbon_dioxide", "minerals"}
    assert keys == {"geometric_sd", *subject, "subjects", "control", "alpha"}
    for default in about["defaults"]:
        assert default["value"]
        assert default["reason"]
        assert all(default[k] in text for k in ("key", "value", "reason"))


def test_explain_prints_the_network_and_budgets(tiny: Path) -> None:
    text = invoke("explain", tiny, "--arm", "particles + catalase")
    about = json.loads(invoke("explain", tiny, "--arm", "particles + catalase", "--json"))
    assert {"species", "processes", "conserved", "parameters", "defaults", "budgets"} <= set(about)
    assert {row["arm"] for row in about["budgets"]} == {"particles", "particles + catalase"}
    assert any("catalase" in row["process"] for row in about["processes"])
    assert not any("catalase" in r["process"] for r in json.loads(invoke("explain", tiny, "--json"))["processes"])
    grades = [row["grade"] for row in about["parameters"]]
    assert grades[0] == "assumed"
    assert grades == sorted(grades, key=("assumed", "fitted", "derived", "measured", "study").index)
    for heading in ("Species (", "Processes (", "What is conserved", "Parameters (", "Defaults ", "Budgets "):
        assert heading in text


def test_picture_holds_every_species_and_arrow(tiny: Path, tmp_path: Path) -> None:
    import vl_convert

    picture = tmp_path / "network.svg"
    invoke("explain", tiny, "--picture", picture)
    svg = picture.read_text(encoding="utf-8")
    root = ElementTree.fromstring(svg)
    words = {"".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"calcium", "hydrogen_peroxide", "oxygen", "core", "dissolution", "tube", "outside", "0.5"} <= words
    boxes = [
        tuple(float(r.get(k, 0)) for k in ("x", "y", "width", "height"))
        for g in root.iter("{http://www.w3.org/2000/svg}g")
        for r in g.iter("{http://www.w3.org/2000/svg}rect")
    ]
    for i, (x, y, w, h) in enumerate(boxes):
        assert x >= 0
        assert x + w <= float(root.get("width", 0))
        assert y + h <= float(root.get("height", 0))
        for a, b, c, d in boxes[:i]:
            assert x >= a + c or a >= x + w or y >= b + d or b >= y + h, "two boxes overlap"
    assert vl_convert.svg_to_png(svg)[:4] == b"\x89PNG"
    result = CliRunner().invoke(app, ["explain", str(tiny), "--picture", str(picture)])
    assert result.exit_code == 2
    assert picture.read_text(encoding="utf-8") == svg


def test_run_leaves_a_whole_folder(finished: Path) -> None:
    out = finished / "out"
    assert files(out) == {"study.toml", "record.json", "citations.bib", "results.nc", "report.html"}
    assert (out / "study.toml").read_text() == (finished / "tiny.toml").read_text()
    record = json.loads((out / "record.json").read_text())
    assert (record["seed"], record["members"], record["published"]) == (7, 2, [])
    assert [arm["status"] for arm in record["arms"]] == ["done", "done"]
    with xarray.open_dataset(out / "results.nc", engine="h5netcdf") as data:
        assert data["release"].shape == (2, 5)
        assert float(data["release"][0, -1]) > float(data["release"][0, 0])
    cited = (out / "citations.bib").read_text()
    assert all(key in cited for key in record["citations"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "particles + catalase" in page


def test_run_keeps_progress_off_stdout_and_says_what_is_next(finished: Path) -> None:
    stdout, stderr = (finished / "stdout").read_text(), (finished / "stderr").read_text()
    assert "arm 1/2: particles" in stderr
    assert "arm 1/2" not in stdout
    for line in ("Folder: out", "Report: out/report.html", "nanotrial cite out"):
        assert line in stdout


def test_same_seed_same_numbers(finished: Path, tmp_path: Path) -> None:
    invoke("run", finished / "tiny.toml", "-o", tmp_path / "again", "--members", "2", "--seed", "7")
    assert (tmp_path / "again/record.json").read_text() == (finished / "out/record.json").read_text()


def test_run_folder_is_never_overwritten(finished: Path) -> None:
    before = {p: p.read_bytes() for p in (finished / "out").iterdir()}
    result = CliRunner().invoke(app, ["run", str(finished / "tiny.toml"), "-o", str(finished / "out")])
    assert result.exit_code == 2
    assert "never overwritten" in result.stderr
    assert {p: p.read_bytes() for p in (finished / "out").iterdir()} == before


def test_failed_arm_exits_1_and_is_named(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nanotrial import experiment
    from nanotrial.errors import SolveError

    real = experiment.Player.replay

    def failing(self, runner, built, times, changes):  # type: ignore[no-untyped-def]
        if built.name == "particles + catalase":
            raise SolveError("the solver stopped after t = 3 s")
        return real(self, runner, built, times, changes)

    monkeypatch.setattr(experiment.Player, "replay", failing)
    result = CliRunner().invoke(app, ["run", str(tiny), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1, result.output
    assert "Failed: arm `particles + catalase`: the solver stopped" in result.stderr
    assert "1 of 2 arms done" in result.stdout
    assert (tmp_path / "out/report.html").is_file()


def test_report_again(finished: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert f"Report: {page}" in invoke("report", finished / "out", "-o", page)
    assert page.read_bytes() == (finished / "out/report.html").read_bytes()
    moving = tmp_path / "moving.html"
    invoke("report", finished / "out", "--interactive", "-o", moving)
    assert moving.stat().st_size > page.stat().st_size
    assert files(tmp_path) == {"page.html", "moving.html"}
    assert CliRunner().invoke(app, ["report", str(finished / "out"), "-o", str(page)]).exit_code == 2


def test_cite(finished: Path) -> None:
    keys = json.loads((finished / "out/record.json").read_text())["citations"]
    assert keys
    bibtex, text = invoke("cite", finished / "out"), invoke("cite", finished / "out", "--text")
    assert all(f"{{{key}," in bibtex for key in keys)
    assert [line.partition(":")[0] for line in text.splitlines()] == keys


# Evidence and fits: the rooms behind are tested elsewhere; here only that the commands reach them.


def test_evidence_predict_score_show(tmp_path: Path) -> None:
    out = tmp_path / "predictions.jsonl"
    invoke("evidence", "predict", "--members", "0", "--out", out)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows
    assert {"id", "status", "mode", "value", "lo", "hi", "unit", "larger", "reason", "budget"} <= set(rows[0])
    table = json.loads(invoke("evidence", "score", "--predictions", out, "--json"))
    assert table
    assert str(table[0]["group"]) in invoke("evidence", "score", "--predictions", out)
    again = CliRunner().invoke(app, ["evidence", "predict", "--out", str(out)])
    assert again.exit_code == 2
    fact = rows[0]["id"]
    about = json.loads(invoke("evidence", "show", fact, "--members", "2", "--json"))
    assert about["fact"]["id"] == about["prediction"]["id"] == fact
    wrong = CliRunner().invoke(app, ["evidence", "show", fact + "x"])
    assert wrong.exit_code == 2
    assert fact in wrong.stderr


def test_fit_refuses_what_is_unknown(tiny: Path, tmp_path: Path) -> None:
    key = "materials/calcium_peroxide:dissolution.acid_rate"
    arguments = ["fit", str(tiny), "--to", "nothing", "--vary", key, "-o", str(tmp_path / "fit.toml")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert not (tmp_path / "fit.toml").exists()
