"""Campaigns meet dying workers, lost schedulers, full disks and impatient users; what was done is never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from campaigns import Toy, chunk_bytes

from nanotrial import campaign
from nanotrial.campaign import cluster, rounds, worker
from nanotrial.campaign.plan import make_plan
from nanotrial.campaign.store import create_folder
from nanotrial.campaign.study_work import make_work
from nanotrial.errors import InputError, OutputError, SolveError
from nanotrial.study import load_study

from .commands import COMMAND, TINY, Call, environment, hearing

# The scheduler of local workers lives in this process, and leaves threads that end a moment after it was closed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
TESTS = str(Path(__file__).parents[1])
SCRIPT = """
import os, sys
from pathlib import Path
from campaigns import Toy
from nanotrial.campaign import resume, run_campaign
from nanotrial.cli.guard import code_of
from nanotrial.cli.output import note
from nanotrial.cli.resume import chunk_progress


def play():
    with chunk_progress() as progress:
        run_campaign({work}, Path({folder!r}), {chunk}, workers={workers}, progress=progress, say=note)


if __name__ == "__main__":
    {before}
    code = code_of(play)
    sys.stderr.flush()
    os._exit(code)
"""


def script(tmp_path: Path, work: str, workers: int, chunk: int = 2, before: str = "pass") -> tuple[list[str], Path]:
    """Return a command that plays a campaign as a process of its own, and its folder."""
    file, folder = tmp_path / "play.py", tmp_path / "run"
    text = SCRIPT.format(work=work, folder=str(folder), workers=workers, chunk=chunk, before=before)
    file.write_text(text, encoding="utf-8")
    return [sys.executable, str(file)], folder


def begun(command: list[str], **more: object) -> subprocess.Popen[str]:
    """Start a command in a group of its own, as a terminal does."""
    paths = os.pathsep.join([environment()["PYTHONPATH"], TESTS])
    return subprocess.Popen(
        command,
        env={**environment(), "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hearing,
        **more,  # type: ignore[call-overload]
    )


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def chunks_in(folder: Path) -> int:
    return len(list((folder / "chunks").glob("*.parquet")))


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def worker_processes() -> list[psutil.Process]:
    """Return the worker processes that this process has started."""
    return [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run in one process gives."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    campaign.run_campaign(Toy(members=24), folder, 2, workers=1)
    return chunk_bytes(folder)


# Workers.


def test_workers_that_die_cost_nothing(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """One chunk kills its worker; the nanny brings another, and the bits are those of a run in one process."""
    said: list[str] = []
    work = Toy(members=24, deadly=(9,), deadly_once=str(tmp_path / "died"))
    folder = campaign.run_campaign(work, tmp_path / "run", 2, workers=2, say=said.append).folder
    assert (tmp_path / "died").exists()
    assert chunk_bytes(folder) == whole
    assert any("A worker died with chunk 4 (members 8 to 9)" in text for text in said)
    assert worker_processes() == []


def test_a_chunk_that_kills_every_worker_is_named(tmp_path: Path, whole: dict[str, bytes]) -> None:
    with pytest.raises(SolveError) as error:
        campaign.run_campaign(Toy(members=24, deadly=(9,)), tmp_path / "run", 2, workers=2)
    assert str(error.value).startswith("chunk 4 (members 8 to 9) killed 3 workers")
    assert f"nanotrial resume {tmp_path / 'run'}" in str(error.value)
    kept = chunk_bytes(tmp_path / "run")
    assert kept.items() <= whole.items()
    assert worker_processes() == []
    campaign.resume(tmp_path / "run", Toy(members=24), workers=1)
    assert chunk_bytes(tmp_path / "run") == whole


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(10))
def test_workers_killed_at_random(tmp_path: Path, seed: int) -> None:
    """Workers are killed again and again at random moments, never before something was done since the last time."""
    generator = np.random.default_rng(seed)
    due = set(np.sort(generator.choice(np.arange(1, 38), 4, replace=False)).tolist())
    killed = []

    def strike(done: int, total: int) -> None:
        if done in due:
            time.sleep(generator.uniform(0.0, 0.1))
            victims = worker_processes()
            if victims:
                victims[int(generator.integers(len(victims)))].kill()
                killed.append(done)

    work = Toy(members=40, seconds=0.05)
    campaign.run_campaign(work, tmp_path / "run", 1, workers=2, progress=strike)
    campaign.run_campaign(Toy(members=40), tmp_path / "whole", 1, workers=1)
    assert killed
    assert chunk_bytes(tmp_path / "run") == chunk_bytes(tmp_path / "whole")
    assert worker_processes() == []


def test_a_chunk_that_raises_on_a_worker_stops_and_workers_do_not_hear_ctrl_c(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    with pytest.raises(SolveError, match=r"chunk 4 \(members 8 to 9\) failed: the integrator broke at member 9"):
        campaign.run_campaign(Toy(members=24, raising=(9,)), tmp_path / "run", 2, workers=2)
    heard: list[str] = []
    met: set[int] = set()

    def strike(done: int, total: int) -> None:
        """Let the workers meet Ctrl-C: it is not for them."""
        for one in worker_processes():
            if one.pid not in met:
                met.add(one.pid)
                one.send_signal(signal.SIGINT)

    campaign.resume(tmp_path / "run", Toy(members=24, seconds=0.05), workers=2, progress=strike, say=heard.append)
    assert chunk_bytes(tmp_path / "run") == whole
    assert (len(met), heard) == (2, [])


# Schedulers elsewhere.


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Callable[[], None], psutil.Popen]]:
    """A Dask scheduler of its own, a way to start a worker for it, and its process."""
    folder = tmp_path_factory.mktemp("dask")
    paths = os.pathsep.join([environment()["PYTHONPATH"], TESTS])
    surroundings = {**environment(), "PYTHONPATH": paths}
    started: list[psutil.Popen] = []

    def start(*arguments: str) -> psutil.Popen:
        command = [sys.executable, "-m", "dask", *arguments]
        with (folder / f"{arguments[0]}-{len(started)}.log").open("w") as log:
            child = psutil.Popen(command, env=surroundings, cwd=folder, stdout=log, stderr=log)
        started.append(child)
        return child

    file = folder / "scheduler.json"
    first = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    until(lambda: file.exists() and '"address"' in file.read_text())
    address = next(line.split('"')[3] for line in file.read_text().splitlines() if '"address"' in line)

    def employ() -> None:
        start("worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")

    yield address, employ, first
    for child in started:
        for process in [*(child.children(recursive=True) if child.is_running() else []), child]:
            if process.is_running():
                process.kill()
        child.wait()


def test_a_scheduler_elsewhere(tmp_path, scheduler, whole, monkeypatch) -> None:
    """Without workers; with workers; with workers of another version; lost on the way: each says what to do."""
    address, employ, process = scheduler
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    monkeypatch.setattr(rounds, "LOOK", 0.1)
    with pytest.raises(OutputError, match=f"{address} has no workers .* `dask worker {address}`"):
        campaign.run_campaign(Toy(members=24), tmp_path / "run", 2, scheduler=address)
    monkeypatch.setattr(cluster, "PATIENCE", 30.0)
    employ()
    folder = tmp_path / "run"
    assert campaign.resume(folder, Toy(members=24), scheduler=address).computed == 12
    assert chunk_bytes(folder) == whole

    other = {**worker.identity(), "nanotrial": "9.9.9"}
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "identity", lambda: other)
        with pytest.raises(InputError, match=r"worker tcp://.*: found nanotrial 0\.1\.0 \(9\.9\.9 here\)"):
            campaign.run_campaign(Toy(members=24), tmp_path / "other", 2, scheduler=address)
    with monkeypatch.context() as patch:  # a worker that comes after the check is seen by its first chunk
        patch.setattr(rounds, "identity", lambda: other)
        patch.setattr(rounds, "check_workers", lambda client, expected: None)
        with pytest.raises(InputError, match=r"a worker: found nanotrial 0\.1\.0 \(9\.9\.9 here\)"):
            campaign.resume(tmp_path / "other", Toy(members=24), scheduler=address)
    assert chunks_in(tmp_path / "other") == 0

    def lose(done: int, total: int) -> None:
        if done == 3:
            process.kill()

    with pytest.raises(OutputError) as error:
        campaign.run_campaign(Toy(members=24, seconds=0.1), tmp_path / "lost", 2, scheduler=address, progress=lose)
    assert "connection to the Dask scheduler was lost" in str(error.value)
    assert f"nanotrial resume {tmp_path / 'lost'}" in str(error.value)
    assert 3 <= chunks_in(tmp_path / "lost") < 12
    campaign.resume(tmp_path / "lost", Toy(members=24), workers=1)
    assert chunk_bytes(tmp_path / "lost") == whole


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:8786"])
def test_nobody_at_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(OutputError) as error:
        campaign.run_campaign(Toy(), tmp_path / "run", 2, scheduler=address)
    assert str(error.value).startswith(f"no Dask scheduler answers at {address} (tried for 0.5 s: ")
    assert "`dask scheduler`" in str(error.value)
    assert "Traceback" not in str(error.value)


# Processes.


def test_a_second_process_is_told_who_works_there(tmp_path: Path, whole: dict[str, bytes]) -> None:
    command, folder = script(tmp_path, "Toy(members=24, seconds=0.3)", workers=1)
    first = begun(command)
    until(lambda: chunks_in(folder) >= 1 or first.poll() is not None)
    with pytest.raises(OutputError, match=f"is being worked on by process {first.pid} on "):
        campaign.resume(folder, Toy(members=24), workers=1)
    first.kill()
    first.communicate()
    kept = chunk_bytes(folder)
    assert kept.items() <= whole.items()
    campaign.resume(folder, Toy(members=24), workers=1)
    assert chunk_bytes(folder) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c(tmp_path: Path, whole: dict[str, bytes], workers: int) -> None:
    """The whole group hears Ctrl-C: code 130, how to go on, no traceback, nobody left."""
    command, folder = script(tmp_path, "Toy(members=24, seconds=0.2)", workers)
    process = begun(command)
    until(lambda: chunks_in(folder) >= 2 or process.poll() is not None)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= workers if workers > 1 else True
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == signal.SIGINT + 128
    assert f"nanotrial resume {folder}" in err
    assert "Traceback" not in err + out
    assert out == ""
    until(lambda: gone(family), 10)
    kept = chunk_bytes(folder)
    assert 2 <= len(kept) < 12
    assert kept.items() <= whole.items()
    campaign.resume(folder, Toy(members=24), workers=3 - workers)
    assert chunk_bytes(folder) == whole


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are set another way there")
def test_a_limit_of_the_disk(tmp_path: Path) -> None:
    """Files may grow to some size only, as under a quota: text and plan fit, the chunk does not."""
    before = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    )
    command, folder = script(tmp_path, "Toy(members=2000)", workers=1, chunk=1000, before=before)
    process = begun(command)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "00000.parquet could not be written: files of this size are not allowed here" in err
    assert f"nanotrial resume {folder}" in err
    assert "Traceback" not in err
    assert list((folder / "chunks").iterdir()) == []
    assert campaign.resume(folder, Toy(members=2000), workers=1).computed == 2


@pytest.mark.nightly
def test_a_full_disk(tmp_path: Path) -> None:
    """A disk of 100 kB, where this user may mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(small)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount")
    if done.returncode != 0:
        pytest.skip("this user may not mount a disk")
    try:
        with pytest.raises(OutputError, match="the disk is full"):
            campaign.run_campaign(Toy(members=9000), small / "run", 300, workers=1)
        kept = chunk_bytes(small / "run")
        assert 0 < len(kept) < 30
        assert [p.name for p in (small / "run" / "chunks").iterdir() if p.suffix != ".parquet"] == []
        subprocess.run(["mount", "-o", "remount,size=10m", str(small)], check=True)
        campaign.resume(small / "run", Toy(members=9000), workers=1)
        campaign.run_campaign(Toy(members=9000), tmp_path / "whole", 300, workers=1)
        assert chunk_bytes(small / "run") == chunk_bytes(tmp_path / "whole")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


# The command.


@pytest.fixture(scope="module")
def begun_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of which nothing is done yet, and beside it the same, done in one process."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    work = make_work(load_study(folder / "tiny.toml"), 12, 1, 7, "latin_hypercube")
    create_folder(folder / "run", make_plan(work, 3), work.inputs)
    campaign.run_campaign(work, folder / "whole", 3, workers=1)
    return folder


def test_resume_completes_a_study(begun_study: Path, call: Call) -> None:
    run = begun_study / "run"
    wrong = call("resume", run, "--scheduler", "there:8786")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "expected an address such as tcp://host:8786" in wrong.stderr
    done = call("resume", run, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 chunks were missing and are done now" in done.stdout
    assert done.stderr.splitlines()[0] == "chunk 0/4"
    assert any(line.startswith("chunk 4/4: ") for line in done.stderr.splitlines())
    assert done.stderr.splitlines()[-1] == "gathering: particles + catalase"
    assert {"record.json", "report.html", "results.nc", "citations.bib"} <= set(os.listdir(run))
    assert chunk_bytes(run) == chunk_bytes(begun_study / "whole")
    again = call("resume", run, "--quiet")
    assert (again.returncode, again.stderr) == (0, "")
    assert "Finished already: 4 of 4 chunks are whole" in again.stdout


def test_resume_of_something_else(tmp_path: Path, call: Call) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        wrong = call("resume", folder)
        assert wrong.returncode == 2
        assert "plan.json cannot be read (No such file or directory)" in wrong.stderr
    assert call("resume", tmp_path, "--workers", 0).returncode == 2


def test_resume_tells_failed_members(tmp_path: Path, call: Call) -> None:
    campaign.run_campaign(Toy(failing=(3,)), tmp_path / "run", 5, workers=1)
    told = call("resume", tmp_path / "run")
    assert told.returncode == 1
    assert "Failed: 2 members: calcium diverged at # h" in told.stderr


def test_the_command_stops_at_ctrl_c(begun_study: Path, tmp_path: Path) -> None:
    """A study rather than a toy: CasADi is inside its solver when the signal comes."""
    work = make_work(load_study(begun_study / "tiny.toml"), 4000, 1, 7, "latin_hypercube")
    folder = tmp_path / "run"
    create_folder(folder, make_plan(work, 10), work.inputs)
    process = begun([*COMMAND, "resume", str(folder), "--workers", "1"])
    until(lambda: chunks_in(folder) >= 1 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"chunks are kept. Go on with: nanotrial resume {folder}" in err
    assert "Traceback" not in err + out
    assert all(name.endswith(".parquet") for name in os.listdir(folder / "chunks"))
