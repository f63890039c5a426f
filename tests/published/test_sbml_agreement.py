"""Exported arms in libRoadRunner against nanotrial's own runs: every observable of every study of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanotrial.catalogue.lookup import ROOT
from nanotrial.exchange.arm import write_arm
from nanotrial.exchange.sbml import Model
from nanotrial.exchange.validity import check_document
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Network
from nanotrial.places import build_arm
from nanotrial.solve.run import Tolerances, Trajectory
from nanotrial.study import load_study
from nanotrial.study.measures import CELL_MEASURES, UPTAKE_MEASURES

EXAMPLES = Path(__file__).parents[2] / "examples"
STUDIES = sorted([*ROOT.glob("systems/*/*.toml"), *EXAMPLES.glob("*.toml")])
STUDIES = [p for p in STUDIES if p.name != "published.toml"]
ARMS = [(path, i) for path in STUDIES for i in range(len(load_study(path).arms))]
# Later events, coats, a mixed equilibrium and cells left alone on every run, the rest at night.
USUAL = {
    ("in_vitro.toml", 0),
    ("calcium_carbonate_acetate.toml", 1),
    ("calcium_peroxide_release.toml", 12),
    ("dissolution.toml", 1),
}
CLOSE = 1e-4
SHARP = (1e-9, 3e-9, 1e-8)
LOOSER = Tolerances(relative=1e-8, absolute=1e-11, negative=1e-4, max_steps=400_000)
TIGHT = Tolerances(relative=1e-9, absolute=1e-12, negative=1e-4, max_steps=400_000)


def absolute_tolerances(other: Any, model: Model, network: Network, own: Trajectory) -> list[float]:
    """Return a 1e-12th of the size of each state; parts of formulas have the size that they start with, or 0.001."""
    sizes = {model.ids["species", n]: s.scale for n, s in network.species.items()}
    for block in network.equilibria.values():
        sizes |= {model.ids["unknown", n]: float(np.max(np.abs(own[n]))) for n in block.names}
    count = len(other.getRateRuleIds()) + other.model.getNumFloatingSpecies()
    names = [other.model.getStateVectorId(i) for i in range(count)]
    return [1e-12 * (sizes[n] if n in sizes else max(abs(other.getValue(n)), 1e-3)) for n in names]


def run_elsewhere(model: Model, network: Network, own: Trajectory) -> np.ndarray:
    """Return the observables (times, names) that libRoadRunner finds."""
    roadrunner = pytest.importorskip("roadrunner")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    other = roadrunner.RoadRunner(model.text)
    other.integrator.setValue("absolute_tolerance", absolute_tolerances(other, model, network, own))
    other.integrator.setValue("maximum_num_steps", 1_000_000)
    other.timeCourseSelections = ["time", *(model.ids["observable", n] for n in own.observable_names)]
    found = np.empty((0, 1))
    for relative in SHARP:
        other.integrator.setValue("relative_tolerance", relative)
        try:
            found = np.asarray(other.simulate(times=own.time.tolist()))
            break
        except RuntimeError:  # CVODE gave up on one step: it is asked again, as nanotrial asks its own
            other.resetAll()
    np.testing.assert_allclose(found[:, 0], own.time, rtol=1e-12)
    return found[:, 1:]


def largest_difference(path: Path, place: int) -> dict[str, float]:
    """Return the largest difference of each observable over its largest value."""
    study = load_study(path)
    built = build_arm(study, study.arms[place], Overlay.of_study(study))
    player = Player(TIGHT)
    model = write_arm(study, built, player, flat=True)
    events = {e.time for e in built.events}
    times = sorted({0.0, *(t for m in study.measures for t in m.times)} - (events - {0.0}))
    own = player._run(player.runner(built), built, times, {})
    other = run_elsewhere(model, built.network, own)
    looser = Player(LOOSER)
    again = looser._run(looser.runner(built), built, times, {})
    size = np.max(np.abs(own.observables), axis=0)
    gap, noise = (np.max(np.abs(o - own.observables), axis=0) for o in (other, again.observables))
    # What nanotrial itself does not hold when its error is tenfold is rounding: sums of ions that cancel.
    rows = zip(own.observable_names, gap, noise, size, strict=True)
    found = {name: float(g / z) for name, g, n, z in rows if z > 0 and n <= CLOSE * z}
    # In shed vesicles crystals begin within the millisecond by which equilibria of a document trail (decision 0013):
    # how many is not the same, so what is compared of such a dish is what cells and medium show.
    kept = {*CELL_MEASURES, *UPTAKE_MEASURES, "ph", "release", *study.catalogue.solutes()}
    mineral_dish = study.place == "dish" and study.arms[place].subject.minerals
    return {n: g for n, g in found.items() if n in kept} if mineral_dish else found


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(p, i, id=f"{p.stem}-{i}", marks=[] if (p.name, i) in USUAL else pytest.mark.nightly)
        for p, i in ARMS
    ],
)
def test_another_simulator_shows_the_same(path, place):
    found = largest_difference(path, place)
    assert len(found) >= 5
    worst = max(found, key=found.__getitem__)
    assert found[worst] < CLOSE, f"{worst}: {found[worst]:.2g}"


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.stem)
def test_documents_are_valid_and_their_units_agree(path):
    study = load_study(path)
    built = build_arm(study, study.arms[-1], Overlay.of_study(study))
    assert check_document(write_arm(study, built, Player()).text) == []
