"""What holds for every dish: nothing is lost, resting cells rest, more of what harms never helps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from dishes import LINES, line_of, make_dish, one_cell, play_cell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tubes import HOUR, agent, sheet_values

from nanotrial.experiment import Player, simulate
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm

RARELY = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NOISE = 1e-6
DRUGS = {
    "bapta_am": "umol/L",
    "calcium_chloride": "mmol/L",
    "calcium_ionophore_a23187": "umol/L",
    "catalase": "U/mL",
    "cyclosporin_a": "umol/L",
    "n_acetylcysteine": "mmol/L",
    "ruthenium_red": "umol/L",
    "thapsigargin": "umol/L",
}
CORES = ["calcium_peroxide", "copper_oxide", "calcium_carbonate", "magnesium_peroxide"]
USUAL = Player()


def usual_run(study, hours, overlay: Overlay | None = None):
    """Return built arm and run of the first arm as a study is run, with the usual tolerances for cells."""
    built = build_arm(study, study.arms[0], overlay or Overlay())
    return built, USUAL.play(built, [h * HOUR for h in hours])


@st.composite
def dishes(draw):
    """Draw keyword arguments of ``make_dish``: line, oxygen, particles, drugs, and now and then fresh medium."""
    add = []
    particles = {"p": {"core": draw(st.sampled_from(CORES)), "diameter": f"{draw(st.floats(3, 300)):.3g} nm"}}
    if draw(st.booleans()):
        particles["p"]["coating"] = [{"material": "sodium_hyaluronate", "mass_fraction": 0.2}]
    if draw(st.booleans()):
        load = f"{draw(st.floats(0.001, 2)):.3g} mmol/L"
        add.append(
            {"particle": "p", "concentration": load, "basis": "core", "at": draw(st.sampled_from(["0 h", "1 h"]))}
        )
    if draw(st.booleans()):
        dose = f"{10 ** draw(st.floats(-1, 3)):.3g} umol/L"
        add.append(agent("hydrogen_peroxide", dose, draw(st.sampled_from(["0 h", "0.5 h"]))))
    for name in draw(st.lists(st.sampled_from(sorted(DRUGS)), max_size=2, unique=True)):
        add.append(agent(name, f"{draw(st.floats(0.05, 10)):.3g} {DRUGS[name]}"))
    fresh = [{"what": "medium", "at": "4 h", "fraction": 0.9}]
    given_particles = any("particle" in one for one in add)
    remove = [] if given_particles else draw(st.sampled_from([[], fresh]))
    return {
        "add": add,
        "remove": remove,
        "particles": particles,
        "cells": draw(st.sampled_from(LINES)),
        "cell_classes": draw(st.sampled_from([1, 1, 3])),
        "oxygen": draw(st.sampled_from(["18.6 %", "5 %", "1 %", "0 %"])),
        "seeding_density": f"{draw(st.floats(3000, 60000)):.4g} 1/cm^2",
    }


@RARELY
@given(dishes())
def test_nothing_is_lost_and_nothing_falls_below_zero(drawn):
    built, run = usual_run(make_dish(**drawn), [0.0, 0.1, 1.0, 4.5, 24.0, 48.0])
    # Without oxygen hardly anything holds an O-O bond: a billionth of 1 mmol/L in the well is nothing too.
    nothing = 1e-9 * built.dish.subject.volume
    for i, kind in enumerate(run.content_names):
        held, put_in = run.contents[:, i], run.expected_contents[:, i]
        assert held == pytest.approx(put_in, rel=1e-9, abs=nothing), kind
    scale = {n: s.scale for n, s in built.network.species.items() if not s.may_be_negative}
    assert min(run.lowest[n] / size for n, size in scale.items()) > -NOISE
    for name in ("live_fraction", "apoptotic_fraction", "necrotic_fraction", "oxidised_peroxiredoxin"):
        assert np.all(run[name] > -NOISE), name
        if name != "live_fraction":
            assert np.all(run[name] < 1 + NOISE), name
    alive = run["live_fraction"] > 1e-6  # a mean over live cells says nothing where there are none
    for name in ("cytosolic_calcium", "er_calcium", "mitochondrial_calcium", "atp", "calcium_fluorescence"):
        assert np.all(run[name][alive] > 0), name
    assert np.all(run["ros_fluorescence"][alive] > 1 - 2e-3)


def test_a_dead_dish_shows_the_last_of_its_cells():
    add = [{"particle": "bare", "concentration": "1 mmol/L", "basis": "core"}]
    add.append(agent("calcium_ionophore_a23187", "9 umol/L"))
    _, run = usual_run(make_dish(add, seeding_density="3000 1/cm^2"), [0.0, 48.0])
    assert run["live_fraction"][-1] < 1e-8
    assert run["er_calcium"][-1] > 0.5 * run["er_calcium"][0]
    assert run["ros_fluorescence"][-1] > 1.0


def test_fresh_medium_takes_suspended_particles_along():
    add = [{"particle": "bare", "concentration": "0.5 mmol/L", "basis": "core"}]
    remove = [{"what": "medium", "at": "4 h", "fraction": 0.9}]
    built, run = usual_run(make_dish(add, remove), [0.0, 3.999, 4.001, 24.0])
    assert built.events
    assert max(run.imbalance().values()) < 1e-9
    added = run["particles.0.bare.added"]
    assert added[2] == pytest.approx(0.1 * added[1], rel=1e-2)


# Resting cells rest.


@pytest.mark.parametrize("line", LINES)
def test_untreated_cells_rest_for_two_days(line):
    _, run = usual_run(make_dish(cells=line), [0.0, 1.0, 6.0, 12.0, 24.0, 36.0, 48.0])
    for name in ("cytosolic_calcium", "er_calcium", "mitochondrial_calcium", "cytosolic_peroxide", "atp"):
        assert run[name] == pytest.approx(np.full(7, run[name][0]), rel=0.02), name
    assert run["mitochondrial_potential"] == pytest.approx(np.full(7, 0.15), rel=0.02)
    assert np.all(run["viability"] > 0.99)
    dead = run["dead.apoptotic"] + run["dead.necrotic"]
    assert np.all(dead < 0.01 * run["untreated.live"])
    assert np.all(run["cells.0.live"] > 0.99 * run["untreated.live"])
    assert run["calcium_fluorescence"] == pytest.approx(np.ones(7), rel=0.02)


@pytest.mark.parametrize("line", LINES)
def test_hypoxia_costs_potential_and_energy_but_no_lives(line):
    """At 1 % the still medium above cells leaves them less than 3 umol/L of oxygen within hours.

    The potential follows respiration, O2 / (K + O2) relative to air, ATP falls to what glycolysis holds (at most to
    half), less peroxide is made than in air; calcium stays within 3 %, and hardly a cell dies.
    """
    hours = [0.0, 1.0, 6.0, 12.0, 24.0, 48.0]
    built, run = usual_run(make_dish(cells=line, oxygen="1 %"), hours)
    cells = built.dish.cells[0]
    half = cells.energetics.sheet.oxygen_constant.si
    air = 0.186 / 0.01 * run["oxygen"][0]
    speed = run["oxygen"] / (run["oxygen"] + half) * (air + half) / air
    assert run["oxygen"][-1] < 3e-3
    assert run["mitochondrial_potential"][1:] == pytest.approx(0.15 * speed[1:], rel=0.02)
    assert np.all(np.diff(run["mitochondrial_potential"]) < 0)
    assert np.all(run["atp"] > 0.5 * run["atp"][0])
    assert np.all(np.diff(run["cytosolic_peroxide"]) < 0)
    assert run["cytosolic_calcium"] == pytest.approx(np.full(6, run["cytosolic_calcium"][0]), rel=0.03)
    dead = run["dead.apoptotic"] + run["dead.necrotic"]
    assert np.all(dead < 0.01 * run["cells.0.live"])
    assert np.all(run["viability"] > 0.99)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("outside", [0.4, 1.8])
def test_a_cell_in_a_bath_rests(line, outside):
    run = play_cell(one_cell(line, calcium_outside=outside), np.linspace(0.0, 48 * HOUR, 5))
    for name in ("calcium", "er_calcium", "matrix_calcium", "peroxide", "cell.potential", "cell.atp"):
        assert run[name] == pytest.approx(np.full(5, run[name][0]), rel=1e-3), name


# Seeds.


@pytest.mark.parametrize(
    "add",
    [
        [agent("hydrogen_peroxide", "60 umol/L")],
        [{"particle": "bare", "concentration": "0.2 mmol/L", "basis": "core"}, agent("thapsigargin", "0.1 umol/L")],
    ],
)
def test_same_seed_same_numbers(add):
    one, two = (simulate(make_dish(add), members=3, seed=3).arms[0] for _ in range(2))
    assert one.status == "done", one.reason
    assert one.member_reasons == ()
    for name, rows in one.members.items():
        assert rows.tobytes() == two.members[name].tobytes()
        assert one.curves[name].tobytes() == two.curves[name].tobytes()


def test_another_seed_other_numbers():
    study = make_dish([agent("hydrogen_peroxide", "75 umol/L")])
    one, two = (simulate(study, members=2, seed=seed).arms[0].members["viability"] for seed in (1, 2))
    assert not np.allclose(one, two)


# More of what harms, more of what helps.

DOSES = (0, 3, 10, 30, 50, 75, 100, 150, 300, 1000)


def viability(line: str, dose: float, overlay: Overlay | None = None, *more: dict[str, str], **subject: str):
    add = [agent("hydrogen_peroxide", f"{dose} umol/L"), *more]
    return usual_run(make_dish(add, cells=line, **subject), [4.0, 24.0, 48.0], overlay)[1]["viability"]


@lru_cache
def by_dose(line: str) -> np.ndarray:
    return np.array([viability(line, dose) for dose in DOSES])


@pytest.mark.parametrize("line", LINES)
def test_more_peroxide_never_gives_more_viability(line):
    found = by_dose(line)
    assert np.all(np.diff(found, axis=0) < 1e-4)
    assert found[0] == pytest.approx(np.ones(3), abs=1e-3)
    assert np.all(found[-1, 1:] < 0.01)


@pytest.mark.parametrize("line", ["4t1", "lo2"])
def test_more_catalase_in_the_cells_never_gives_less_viability(line):
    rates = (0.0, 0.5, 2.0, 10.0, 50.0, 500.0)
    found = np.array(
        [viability(line, 75, sheet_values(**{f"cells__{line}__catalase_rate": (rate, "1/s")})) for rate in rates]
    )
    assert np.all(np.diff(found, axis=0) > -1e-4)
    assert np.all(found[-1] > found[0] + 0.1)


@pytest.mark.parametrize("line", ["4t1", "mda_mb_231"])
def test_more_catalase_in_the_medium_never_gives_less_viability(line):
    found = np.array(
        [viability(line, 150, None, agent("catalase", f"{units} U/mL")) for units in (0, 0.03, 0.3, 3, 300)]
    )
    assert np.all(np.diff(found, axis=0) > -1e-4)
    assert found[-1] == pytest.approx(np.ones(3), abs=1e-3)
    assert found[0, 1] < 0.2


@pytest.mark.parametrize("line", LINES)
def test_a_bath_with_more_peroxide_never_leaves_more_potential_or_less_calcium(line):
    """Held for an hour; the cell's own peroxide too rises with that outside."""
    rows = []
    for outside in (0.0, 0.003, 0.01, 0.03, 0.1, 0.3):
        run = play_cell(one_cell(line_of(line), peroxide_outside=outside), [3600.0])
        rows.append([run["peroxide"][0], -run["cell.potential"][0], -run["cell.atp"][0], run["calcium"][0]])
    found = np.array(rows)
    assert np.all(np.diff(found[:, :3], axis=0) > -1e-9)
    assert found[-1, 3] > found[0, 3]


@pytest.mark.parametrize("serum", [("0 %", "10 %"), ("10 %", "50 %")])
def test_more_serum_never_gives_less_viability(serum):
    less, more = (viability("hela", 100, None, serum=share) for share in serum)
    assert np.all(more >= less - 1e-4)
