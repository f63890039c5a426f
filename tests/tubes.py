"""Small tubes for tests: a study from a few words, sheet values at will, an arm played with tight tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import casadi as ca

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.network.terms import Term
from nanotrial.places import BuiltArm, build_arm
from nanotrial.solve.run import Tolerances, Trajectory
from nanotrial.study import Study, read_study
from nanotrial.units import dimension_of
from nanotrial.values import Value

TIGHT = Tolerances(relative=1e-10, absolute=1e-13)
# The global error of a run is a small multiple of the local one that the solver controls.
NEAR = 1e3 * TIGHT.relative
HOUR = 3600.0
PARTICLE = {"core": "calcium_peroxide", "diameter": "20 nm"}
SHUT = {"atmosphere": "closed", "background_salt": "0 mmol/L", "temperature": "25 degC"}
COATED = {**PARTICLE, "coating": [{"material": "sodium_hyaluronate", "mass_fraction": 0.2}]}


def given(particle: str = "bare", concentration: str = "1 mmol/L", at: str = "0 h", **more: str) -> dict[str, str]:
    return {"particle": particle, "concentration": concentration, "at": at, **more}


def agent(name: str, concentration: str, at: str = "0 h") -> dict[str, str]:
    return {"agent": name, "concentration": concentration, "at": at}


def make_study(
    add: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[Mapping[str, Any]] = (),
    particles: Mapping[str, Any] | None = None,
    arms: Sequence[Mapping[str, Any]] | None = None,
    measure: Mapping[str, Any] | None = None,
    catalogue: Catalogue | None = None,
    **subject: Any,
) -> Study:
    """Return a study; without ``arms`` it has one arm of these additions and removals."""
    own = {"buffer": "phosphate", "concentration": "10 mmol/L", "ph": 7.0, **subject}
    if own["buffer"] == "water":
        own.pop("concentration")
    table = {
        "title": "made by a test",
        "place": "tube",
        "particle": dict(particles if particles is not None else {"bare": PARTICLE}),
        "subject": own,
        "arm": list(arms or [{"name": "arm", "add": list(add), "remove": list(remove)}]),
        "measure": dict(measure or {"ph": {"at": ["0 h", "1 h"]}}),
    }
    return read_study(table, Path("made.toml"), catalogue or Catalogue())


def sheet_values(**numbers: tuple[float, str]) -> Overlay:
    """Return an overlay; ``materials__calcium_peroxide__dissolution__acid_rate=(1e-6, "mol/m^2/s")`` names a key."""
    values = {}
    for name, (number, unit) in numbers.items():
        kind, identifier, *path = name.split("__")
        values[f"{kind}/{identifier}:{'.'.join(path)}"] = Value(
            number, unit, "test", "assumed", dimension=dimension_of(unit)
        )
    return Overlay(values)


def of_material(material: str, **numbers: tuple[float, str]) -> Overlay:
    """Return an overlay of the dissolution law of a material."""
    return sheet_values(**{f"materials__{material}__dissolution__{k}": v for k, v in numbers.items()})


@dataclass(frozen=True)
class Played:
    """An arm and its run."""

    built: BuiltArm
    run: Trajectory

    def __getitem__(self, name: str) -> Any:
        return self.run[name]

    def of(self, term: Term, row: int = -1) -> float:
        """Return the SI value of a term at an output."""
        network = self.built.network
        unknowns = [s for b in network.equilibria.values() for s in b.symbols]
        state = ca.vertcat(*[s.symbol for s in network.species.values()], *unknowns)
        p = ca.vertcat(*[q.symbol for q in network.parameters.values()])
        f = ca.Function("f", [state, p], [term.expression])
        return float(f(self.run.states[row], [q.value for q in network.parameters.values()]))

    def rate(self, process: str, row: int = 0) -> float:
        return self.of(self.built.network.processes[process].rate, row)


def play(
    study: Study,
    hours: Sequence[float],
    overlay: Overlay | None = None,
    arm: str | None = None,
    changes: Mapping[str, float] | None = None,
    tolerances: Tolerances = TIGHT,
) -> Played:
    """Return an arm (by default the first) played to the given hours."""
    built = build_arm(study, study.arm(arm) if arm else study.arms[0], overlay or Overlay())
    return Played(built, Player(tolerances).play(built, [h * HOUR for h in hours], dict(changes or {})))
