"""Wrong requests: exit code 2, one message with file and key, found and expected, and nothing left on disk."""

import contextlib
import copy
import errno
import os
import resource
import signal
import subprocess
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cli.main import app
from nanotrial.errors import NanotrialError, UnitError
from nanotrial.study import read_study
from nanotrial.units import parse

from .commands import COMMAND, TINY, Call, environment, files, hearing

BARE = 'core = "calcium_peroxide"\ndiameter = "20 nm"'
ADD = '{ particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" }'


def first_add(new: str) -> tuple[str, str]:
    return f"add = [{ADD}]", f"add = [{new}]"


def more(line: str) -> tuple[str, str]:
    return BARE, f"{BARE}\n{line}"


# name: (text to replace, replacement, what the message must hold)
CASES: dict[str, tuple[tuple[str, str], list[str]]] = {
    "unknown key": (more('diametre = "3 nm"'), ["particle.bare.diametre", "unknown key", "`diameter`"]),
    "unknown table": (("[measure]", "[measures]"), ["measures", "unknown key", "`measure`"]),
    "missing key": (('diameter = "20 nm"', ""), ["particle.bare.diameter", "found nothing"]),
    "misspelt material": (
        ('"calcium_peroxide"', '"calcum_peroxide"'),
        ["particle.bare.core", "`calcum_peroxide`", "`calcium_peroxide`"],
    ),
    "misspelt buffer": (('"acetate"', '"acetat"'), ["subject.buffer", "`acetat`", "`acetate`"]),
    "misspelt agent": (('agent = "catalase"', 'agent = "catalas"'), ["add[2].agent", "`catalase`"]),
    "misspelt assay": (('"titanium_oxysulfate"', '"titanium"'), ["hydrogen_peroxide.assay", "`titanium_oxysulfate`"]),
    "assay of another thing": (('assay = "titanium_oxysulfate"', 'assay = "o_cresolphthalein"'), ["reads calcium"]),
    "missing unit": (('"20 nm"', '"20"'), ["particle.bare.diameter", "without a unit", '"20 nm"']),
    "bare number": (('"20 nm"', "20"), ["particle.bare.diameter", "20 without a unit", '"20 nm"']),
    "wrong unit": (('"20 nm"', '"20 mg"'), ["particle.bare.diameter", '"20 mg" (kg)', "`nm` (m)"]),
    "unknown unit": (('"20 nm"', '"20 nmm"'), ["particle.bare.diameter", "the unit `nmm`", "`nm`"]),
    "unit that computes": (('"20 nm"', '"20 nm*9**9**9"'), ["particle.bare.diameter", "the unit `nm*9**9**9`"]),
    "negative amount": (first_add(ADD.replace("0.5 mmol/L", "-1 mmol/L")), ["add[1].concentration", "-1 mmol/L"]),
    "10 mol/L": (first_add(ADD.replace("0.5 mmol/L", "10 mol/L")), ["add[1].concentration", "10 mol/L", "5e+03"]),
    "pH 15": (("ph = 5.5", "ph = 15"), ["subject.ph", "found 15", "0 to 14"]),
    "pH as text": (("ph = 5.5", 'ph = "acid"'), ["subject.ph", "acid"]),
    "pH not a number": (("ph = 5.5", "ph = nan"), ["subject.ph", "nan", "0 to 14"]),
    "particle of 1 m": (('"20 nm"', '"1 m"'), ["particle.bare.diameter", "1 m", "1e+05 nm"]),
    "coat too thick": (
        more('coating = [{ material = "sodium_hyaluronate", thickness = "10 um" }]'),
        ["coating[1].thickness", "10 um", "nm to "],
    ),
    "coat of nothing": (
        more('coating = [{ material = "sodium_hyaluronate" }]'),
        ["coating[1]", "neither", "`mass_fraction` or `thickness`"],
    ),
    "coat given twice": (
        more('coating = [{ material = "sodium_hyaluronate", mass_fraction = 0.2, thickness = "2 nm" }]'),
        ["coating[1]", "both", "`mass_fraction` or `thickness`"],
    ),
    "two coats": (
        more(
            'coating = [{ material = "sodium_hyaluronate", mass_fraction = 0.2 },'
            ' { material = "sodium_hyaluronate", mass_fraction = 0.2 }]'
        ),
        ["particle.bare.coating", "2 coats", "one coat"],
    ),
    "coating is no list": (more('coating = "sodium_hyaluronate"'), ["particle.bare.coating", "a list of tables"]),
    "denser than its parts": (more('density = "9 g/cm^3"'), ["particle.bare.density", "9 g/cm", "leave it out"]),
    "geometric_sd 0.5": (more("geometric_sd = 0.5"), ["particle.bare.geometric_sd", "0.5", "1 to 4"]),
    "half a size class": (more("geometric_sd = 1.3\nsize_classes = 5.5"), ["size_classes", "5.5", "whole number"]),
    "unknown dopant": (more("dopants = { gold = 0.1 }"), ["dopants.gold", "unknown dopant"]),
    "odd particle name": (("[particle.bare]", '[particle."a b"]'), ["particle name `a b`", "letters"]),
    "undefined particle": (
        first_add(ADD.replace('"bare"', '"bar"')),
        ["arm[1] (particles).add[1].particle", "`bar`", "`bare`"],
    ),
    "particle and agent": (
        first_add(ADD.replace("{ ", '{ agent = "catalase", ')),
        ["add[1]", "found `particle` and `agent`", "one of `particle`, `agent` and `inducer`"],
    ),
    "nothing added": (
        first_add('{ concentration = "1 mmol/L" }'),
        ["add[1]", "none of them", "one of `particle`, `agent` and `inducer`"],
    ),
    "twice at one instant": (first_add(f"{ADD}, {ADD}"), ["arm[1] (particles).add", "`bare` twice at 0 h"]),
    "removal with an addition": (
        (f"add = [{ADD}]\n", f'add = [{ADD.replace("0 h", "1 h")}]\nremove = [{{ what = "medium", at = "1 h" }}]\n'),
        ["arm[1] (particles).remove", "1 h", "different instants"],
    ),
    "two removals at once": (
        (
            f"add = [{ADD}]\n",
            f'add = [{ADD}]\nremove = [{{ what = "medium", at = "2 h" }}, {{ what = "bare", at = "2 h" }}]\n',
        ),
        ["arm[1] (particles).remove", "2 h", "different instants"],
    ),
    "removal of what is not there": (
        (f"add = [{ADD}]\n", f'add = [{ADD}]\nremove = [{{ what = "bar", at = "2 h" }}]\n'),
        ["remove[1].what", "`bar`", "`bare`"],
    ),
    "removal of a salt": (
        (
            f"add = [{ADD}]\n",
            f'add = [{ADD}, {{ agent = "calcium_chloride", concentration = "1 mmol/L" }}]\n'
            'remove = [{ what = "calcium_chloride", at = "2 h" }]\n',
        ),
        ["remove[1].what", "`calcium_chloride`", "medium"],
    ),
    "arm names twice": (('"particles + catalase"', '"particles"'), ["arm", "`particles` twice"]),
    "no measures": ((TINY[TINY.index("[measure]") :], "[measure]\n"), ["measure", "no measure", "at least one"]),
    "unknown measure": (("release = ", "relase = "), ["measure.relase", "`release`"]),
    "measure of a coat that is not there": (("release = ", "coat_left = "), ["measure.coat_left"]),
    "measure without times": (('{ every = "1 h", until = "4 h" }', "{}"), ["measure.release.every", "found nothing"]),
    "measure both ways": (('{ every = "1 h",', '{ every = "1 h", at = "1 h",'), ["measure.release.at", "one way"]),
    "too many times": (('every = "1 h"', 'every = "1 us"'), ["measure.release.every", "at most 5000"]),
    "vary with unused key": (
        ('name = "particles"\n', 'name = "particles"\nvary = { ph = [5, 6] }\n'),
        ["arm[1].vary.ph", "no text uses", "`{ph}`"],
    ),
    "key that nothing varies": (
        ('name = "particles"\n', 'name = "particles {hp}"\nvary = { ph = [5, 6] }\nsubject = { ph = "{ph}" }\n'),
        ["arm[1]", "`{hp}`", "`ph`"],
    ),
    "vary is no list": (('name = "particles"\n', 'name = "p {ph}"\nvary = { ph = 5 }\n'), ["arm[1].vary", "lists"]),
    "too many arms": (
        ('name = "particles"\n', f'name = "{{a}} {{b}}"\nvary = {{ a = {list(range(99))}, b = {list(range(99))} }}\n'),
        ["arm[1].vary", "at most 2000 arms"],
    ),
    "no arms": ((TINY[TINY.index("[[arm]]") : TINY.index("[measure]")], ""), ["arm", "no arm", "[[arm]]"]),
    "unknown place": (('"tube"', '"tub"'), ["place", "`tub`", "`tube`"]),
    "title is a number": (('title = "tiny"', "title = 3"), ["title", "found 3", "a text"]),
    "particle is a text": ((f"[particle.bare]\n{BARE}", '[particle]\nbare = "x"'), ["particle.bare", "a table"]),
    "subject is a list": (
        (TINY[TINY.index("[subject]") : TINY.index("[[arm]]")], "[[subject]]\n"),
        ["subject", "tables"],
    ),
    "unknown fit": (('place = "tube"', 'place = "tube"\nfits = ["nonsense"]'), ["fits", "`nonsense`", "a fit"]),
    "unknown published system": (('place = "tube"', 'place = "tube"\npublished = "x"'), ["published", "`x`"]),
    "invalid TOML": (('place = "tube"', "place = tube"), ["no TOML", "line 3"]),
    "endless number": (("ph = 5.5", "ph = " + "9" * 400), ["subject.ph", "digits"]),
    "number beyond Python": (("ph = 5.5", "ph = " + "9" * 5000), ["beyond all measure"]),
    "nested without end": (("ph = 5.5", "ph = " + "[" * 3000 + "]" * 3000), ["beyond all measure"]),
}


def assert_one_message(stderr: str, parts: list[str], name: str = "") -> None:
    assert stderr.startswith("Error: "), stderr
    assert stderr.count("\n") == 1, stderr
    assert len(stderr) < 1500
    assert "Traceback" not in stderr
    for part in [*parts, name]:
        assert part in stderr, f"{part!r} is not in: {stderr}"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_wrong_study(case: str, command: str, tmp_path: Path) -> None:
    (old, new), parts = CASES[case]
    assert TINY.count(old) >= 1
    study = tmp_path / "wrong.toml"
    study.write_text(TINY.replace(old, new, 1), encoding="utf-8")
    output = ["-o", str(tmp_path / "out")] if command == "run" else []
    result = CliRunner().invoke(app, [command, str(study), *output])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert_one_message(result.stderr, parts, "wrong.toml")
    assert files(tmp_path) == {"wrong.toml"}


def test_message_names_the_table_in_which_the_key_stands(tmp_path: Path) -> None:
    study = tmp_path / "wrong.toml"
    own = TINY.replace('name = "particles"\n', 'name = "particles"\nsubject = { ph = 7 }\n')
    study.write_text(own.replace('concentration = "20 mmol/L"', 'concentration = "20 mol"'), encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert_one_message(result.stderr, ["wrong.toml: subject.concentration"])
    study.write_text(own.replace("ph = 7", "ph = 77"), encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert_one_message(result.stderr, ["wrong.toml: arm[1] (particles).subject.ph"])


def test_windows_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    study = tmp_path / "bom.toml"
    study.write_bytes(b"\xef\xbb\xbf" + TINY.strip().encode())
    assert CliRunner().invoke(app, ["check", str(study)]).exit_code == 0


# Files that cannot be read or written.


def make_missing(path: Path) -> None:
    assert not path.exists()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_binary(path: Path) -> None:
    path.write_bytes(b"\x00\xff\xfe\x80" * 20)


def make_utf16(path: Path) -> None:
    path.write_text(TINY, encoding="utf-16")


def make_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [make_missing, make_folder, make_binary, make_utf16, make_loop])
@pytest.mark.parametrize("command", ["check", "explain", "run"])
def test_unreadable_study(make: Callable[[Path], None], command: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    make(path)
    before = set(os.listdir(tmp_path))
    output = ["-o", str(tmp_path / "out")] if command == "run" else []
    result = CliRunner().invoke(app, [command, str(path), *output])
    assert result.exit_code == 2
    assert_one_message(result.stderr, ["found", "expected"], "study.toml")
    assert set(os.listdir(tmp_path)) == before


def write_garbage(folder: Path) -> None:
    folder.mkdir()
    (folder / "record.json").write_text("{")


def write_old(folder: Path) -> None:
    folder.mkdir()
    (folder / "record.json").write_text('{"format": 0}')


def write_list(folder: Path) -> None:
    folder.mkdir()
    (folder / "record.json").write_text("[]")


@pytest.mark.parametrize("make", [make_missing, make_folder, make_binary, write_garbage, write_old, write_list])
@pytest.mark.parametrize("command", ["report", "cite"])
def test_folder_that_is_no_run(make: Callable[[Path], None], command: str, tmp_path: Path) -> None:
    make(tmp_path / "run")
    before = files(tmp_path)
    result = CliRunner().invoke(app, [command, str(tmp_path / "run")])
    assert result.exit_code == 2, result.output
    assert_one_message(result.stderr, ["record.json"])
    assert files(tmp_path) == before


@pytest.mark.parametrize("output", ["tiny.toml", "tiny.toml/out", "/proc/nothing/here", "."])
def test_run_folder_that_cannot_be(output: str, tiny: Path, call: Call, tmp_path: Path) -> None:
    done = call("run", "tiny.toml", "-o", output, "-q")
    assert done.returncode == 2
    assert_one_message(done.stderr, [output, "-o"])
    assert files(tmp_path) == {"tiny.toml"}


def test_unknown_names_on_the_command_line(tiny: Path) -> None:
    for arguments, parts in (
        (["list", "material_s"], ["`material_s`", "`materials`"]),
        (["show", "materials", "calcium_peroxid"], ["`calcium_peroxid`", "`calcium_peroxide`"]),
        (["show", "system", "nothing"], ["`nothing`", "a system"]),
        (["show", "material", "../materials/calcium_peroxide"], ["a material of the catalogue"]),
        (["explain", str(tiny), "--arm", "particle"], ["`particle`", "`particles`"]),
        (["new", str(tiny.parent / "new.toml"), "--material", "calcum"], ["--material", "`calcum`"]),
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2, arguments
        assert_one_message(result.stderr, parts)
    assert files(tiny.parent) == {"tiny.toml"}


# A full disk.


@pytest.mark.parametrize("place", ["nanotrial.record.write_run", "nanotrial.report.page.write_report"])
def test_full_disk_leaves_nothing(place: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(place, full)
    result = CliRunner().invoke(app, ["run", str(tiny), "-q", "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert_one_message(result.stderr, [str(tmp_path / "out"), "No space left on device", "Nothing was kept"])
    assert files(tmp_path) == {"tiny.toml"}


@pytest.mark.parametrize("most", [200, 4000, 40_000, 80_000])
def test_writes_that_stop_half_way(most: int, tiny: Path, tmp_path: Path) -> None:
    """A limit on file size stops real writes, as a full disk does, at the record, the curves and the report."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done = subprocess.run(
        [*COMMAND, "run", "tiny.toml", "-q", "-o", "out"],
        cwd=tmp_path,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 2, done.stderr
    assert_one_message(done.stderr, ["out", "Nothing was kept"])
    assert files(tmp_path) == {"tiny.toml"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full_disk_under_stdout() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "list"], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert_one_message(done.stderr, ["the disk is full"])


def test_reader_that_leaves_early_is_no_error() -> None:
    command = f"{' '.join(COMMAND)} show material calcium_peroxide | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["material calcium_peroxide", "0"]
    assert done.stderr == ""


# Ctrl-C.


def test_interrupt_keeps_nothing_and_exits_130(tiny: Path, tmp_path: Path) -> None:
    wait_for = "arm 2/"
    child = subprocess.Popen(
        [*COMMAND, "run", "tiny.toml", "-o", "out", "--members", "20"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hearing,
    )
    assert child.stderr is not None
    line = ""
    while not line.startswith(wait_for):
        line = child.stderr.readline()
        assert line, "the run ended early"
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=30)
    assert child.returncode == 130, stderr
    assert stdout == ""
    assert "Interrupted" in stderr
    assert "Traceback" not in stderr
    assert files(tmp_path) == {"tiny.toml"}


def test_interrupt_inside_the_solver_is_no_failed_arm() -> None:
    """CasADi makes a RuntimeError of the KeyboardInterrupt; it must come out as what it was."""
    code = """
import casadi as ca, os, signal, threading
from nanotrial.solve.interrupt import honest_interrupts
x = ca.SX.sym("x", 2)
ode = ca.vertcat(x[1], (1 - x[0] ** 2) * x[1] * 1e3 - x[0])
options = {"max_num_steps": 10**9, "reltol": 1e-10, "abstol": 1e-12}
solve = ca.integrator("i", "cvodes", {"x": x, "ode": ode}, 0, [1e9], options)
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    with honest_interrupts():
        solve(x0=[2, 0])
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run(
        [COMMAND[0], "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=hearing,
    )
    assert done.stdout.strip() == "interrupted", done.stderr


# Our own faults.


def test_unexpected_fault_is_short_unless_debugging(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero\nsecond line")

    monkeypatch.setattr("nanotrial.study.load_study", broken)
    result = CliRunner().invoke(app, ["check", str(tiny)])
    assert result.exit_code == 70
    assert "ZeroDivisionError: division by zero)" in result.stderr
    assert "issue" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("NANOTRIAL_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(app, ["check", str(tiny)]).stderr


# Wrong types everywhere.

LEAVES = st.one_of(
    st.none().map(lambda _: date(2024, 1, 1)),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["bare", "catalase", "1 h", "-1 h", "1e400 nm", "0.5 mmol/L", "3 U/mL", "{ph}", "medium", "1 %"]),
)
WORDS = """
title place particle subject arm measure fits published core diameter geometric_sd size_classes coating
dopants density material mass_fraction thickness buffer concentration ph temperature volume depth
background_salt atmosphere carbon_dioxide name vary add remove agent basis at what fraction release every
until assay
"""
KEYS = st.sampled_from(WORDS.split()) | st.text(max_size=4)
BRANCHES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(KEYS, LEAVES, max_size=4)
TREES = BRANCHES | st.lists(BRANCHES, max_size=3) | st.dictionaries(KEYS, BRANCHES, max_size=4)


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree, as a path."""
    found = [at] if at else []
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in steps:
        found += places(child, (*at, key))
    return found


VALID = tomllib.loads(
    TINY.replace(
        *more('geometric_sd = 1.3\ncoating = [{ material = "sodium_hyaluronate", mass_fraction = 0.2 }]')
    ).replace('name = "particles"\n', 'name = "{ph}"\nvary = { ph = [5, 6] }\nsubject = { ph = "{ph}" }\n')
)


def reads_or_refuses(table: dict[str, Any]) -> None:
    try:
        read_study(table, Path("random.toml"), Catalogue())
    except NanotrialError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        assert len(text) < 2500


def test_the_valid_table_is_valid() -> None:
    assert len(read_study(VALID, Path("valid.toml"), Catalogue()).arms) == 3


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_one_wrong_thing_anywhere(data: st.DataObject) -> None:
    table = copy.deepcopy(VALID)
    *way, last = data.draw(st.sampled_from(places(table)))
    parent: Any = table
    for key in way:
        parent = parent[key]
    if data.draw(st.booleans()) and isinstance(parent, dict):
        parent[data.draw(KEYS)] = data.draw(TREES)
    else:
        parent[last] = data.draw(TREES)
    reads_or_refuses(table)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_random_tables(table: dict[str, Any]) -> None:
    reads_or_refuses(table)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=14) | st.from_regex(r"[0-9]{1,3} ?[a-zA-Z0-9*/^(). %-]{1,14}", fullmatch=True))
def test_random_quantities(text: str) -> None:
    with contextlib.suppress(UnitError):
        assert isinstance(parse(text, "mol/L", "x.toml: key"), float)
