"""One finished run for all tests, and a caller of the command in an empty folder."""

import subprocess
from pathlib import Path

import pytest

from .commands import COMMAND, TINY, Call, environment


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run the command in an empty folder."""

    def run(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=tmp_path,
            env=environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.toml and one finished run in `out`, made once and only read afterwards."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    done = subprocess.run(
        [*COMMAND, "run", "tiny.toml", "-o", "out", "--members", "2", "--seed", "7"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    assert done.returncode == 0, done.stderr
    return folder
