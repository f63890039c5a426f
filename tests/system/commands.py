"""The command line as a user meets it: a process with exit code, stdout and stderr."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nanotrial

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

[[arm]]
name = "particles + catalase"
add = [
  { particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" },
  { agent = "catalase", concentration = "10 U/mL", at = "0 h" },
]

[measure]
release = { every = "1 h", until = "4 h" }
hydrogen_peroxide = { at = ["1 h", "4 h"], assay = "titanium_oxysulfate" }
"""
COMMAND = [sys.executable, "-m", "nanotrial.cli.main"]
Call = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """The package under test must be found from any folder."""
    source = str(Path(nanotrial.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": source, "NANOTRIAL_DEBUG": "", "COLUMNS": "100", **more}


def hearing() -> None:
    """A child started from a background job would otherwise not hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}
