"""Studies with minerals for tests: a body fluid in a tube from a few words, examples by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.study import Study, load_study, read_study

CATALOGUE = Catalogue()
EXAMPLES = Path(__file__).parents[1] / "examples"
FILM = {"area": "2 cm^2", "inducer": "dspe_peg_alendronate", "cover": "30 %"}
FOLATE = {"inducer": "folate", "concentration": "10 umol/L"}


def body_fluid(
    arms: Sequence[Mapping[str, Any]] = (), measure: Mapping[str, Any] | None = None, **subject: Any
) -> Study:
    """Return a study of a body fluid in a tube; ``solution=None`` leaves the fluid out."""
    own = {"solution": "simulated_body_fluid", **subject}
    table = {
        "title": "made by a test",
        "place": "tube",
        "subject": {key: value for key, value in own.items() if value is not None},
        "arm": list(arms or [{"name": "arm"}]),
        "measure": dict(measure or {"solid_calcium": {"at": "1 h"}}),
    }
    return read_study(table, Path("made.toml"), CATALOGUE)


def near(value: Any, relative: float) -> Any:
    """Return what compares by relative error alone: amounts in SI are below the absolute error usually allowed."""
    return pytest.approx(value, rel=relative, abs=0.0)


def example(name: str) -> Study:
    return load_study(EXAMPLES / f"{name}.toml")
