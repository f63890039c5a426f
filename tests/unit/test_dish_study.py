"""A study in a dish as a whole: budgets of a cell, what viability is held to, what members draw, starters, the loop."""

import json
import math

import numpy as np
import pytest
from dishes import CATALOGUE, make_dish
from typer.testing import CliRunner

from nanotrial.budgets import arm_budgets
from nanotrial.cli.main import app
from nanotrial.experiment import Player, simulate
from nanotrial.fit.overlay import Overlay
from nanotrial.places import build_arm
from nanotrial.sampling import Draws, joined_parameters
from nanotrial.study import load_study

DOSE = {"particle": "bare", "concentration": "1 mmol/L", "basis": "calcium"}


def budgets_of(study, arm=0):
    built = build_arm(study, study.arms[arm])
    return {b.name: b for b in arm_budgets(built, Player().runner(built))}


def test_budgets_are_per_seeded_cell():
    found = budgets_of(make_dish([DOSE], seeding_density="1e4 1/cm^2", volume="200 uL", area="0.5 cm^2"))
    per_cell = 1e-3 * 200e-6 / (1e4 * 0.5) / 1e-15  # mol/L * L / cells, in fmol
    assert found["calcium given per cell"].value == pytest.approx(per_cell, rel=1e-9)
    assert found["hydrogen peroxide given per cell"].value == pytest.approx(per_cell, rel=1e-9)
    oxygen = found["oxygen at most per cell, if all peroxide decays"]
    assert oxygen.value == pytest.approx(per_cell / 2, rel=1e-9)
    line = CATALOGUE.load("cells", "4t1")
    assert oxygen.against == pytest.approx(line.oxygen_consumption.si * 86400 / 1e-15, rel=1e-9)


def test_budget_of_the_buffers_is_that_of_the_free_calcium_law():
    need = next(b for n, b in budgets_of(make_dish([DOSE])).items() if "raises free calcium" in n)
    line, sheet = CATALOGUE.load("cells", "4t1"), CATALOGUE.load("calcium_handling", "mammalian_calcium")
    b, k, c = sheet.cytosol_buffer.si, sheet.cytosol_buffer_constant.si, line.resting_calcium.si
    whole = [x + b * x / (k + x) for x in (c, c + 1e-3)]
    assert need.value == pytest.approx((whole[1] - whole[0]) * line.volume.si / 1e-15, rel=1e-9)


def test_budget_of_protons_binds_for_a_load_beyond_the_pumps():
    small = budgets_of(make_dish([DOSE | {"concentration": "1 umol/L"}]))
    large = budgets_of(make_dish([DOSE]))
    name = next(n for n in large if n.startswith("protons"))
    assert large[name].binds
    assert not small[name].binds
    assert large[name].value == small[name].value
    assert large[name].against == pytest.approx(1000 * small[name].against, rel=1e-9)


def test_calcium_added_is_held_against_that_of_the_medium():
    salt = {"agent": "calcium_chloride", "concentration": "0.2 mmol/L"}
    line = budgets_of(make_dish([salt], particles={}))["calcium added over calcium of the medium"]
    assert (line.value, line.binds) == (pytest.approx(0.2), True)
    assert line.against == pytest.approx(CATALOGUE.load("media", "rpmi_1640").solutes["calcium"].si, rel=1e-6)


def test_an_untreated_arm_has_no_budget_of_a_load():
    assert not any("given" in name or "protons" in name for name in budgets_of(make_dish()))


def test_viability_is_held_to_the_same_cells_left_alone():
    """Hypoxia slows growth and respiration; with nothing given viability is 1 all the same, the population is not."""
    measure = {"viability": {"at": ["24 h"]}, "population": {"at": ["24 h"]}, "cell_death": {"at": ["24 h"]}}
    arm = simulate(make_dish(oxygen="1 %", measure=measure)).arms[0]
    assert arm.curves["viability"][0] == pytest.approx(1.0, abs=1e-6)
    assert arm.curves["cell_death"][0] == pytest.approx(0.0, abs=1e-6)
    assert arm.curves["population"][0] < 0.97


def test_what_an_arm_states_is_never_drawn():
    arms = [{"name": "open"}, {"name": "stated", "subject": {"oxygen": "1 %", "seeding_density": "2e4 1/cm^2"}}]
    study = make_dish(arms=arms)
    built = [build_arm(study, arm) for arm in study.arms]
    joined = joined_parameters(b.network.parameters for b in built)
    draws = Draws(joined, Overlay(), None, 4, seed=3)
    first, second = (draws.typical(b.name, b.network.parameters, 0, 4) for b in built)
    assert first["cells.seeding_density"].tolist() == draws.unknown(0, 4)["cells.seeding_density"].tolist()
    assert "cells.seeding_density" not in second
    assert "4t1.pmca_rate" in second


def test_two_lines_in_one_study_are_drawn_apart():
    arms = [{"name": line, "subject": {"cells": line}} for line in ("hela", "a549")]
    study = make_dish(arms=arms)
    tables = [build_arm(study, arm).network.parameters for arm in study.arms]
    draws = Draws(joined_parameters(tables), Overlay(), None, 8).unknown(0, 8)
    assert not np.allclose(draws["hela.catalase_rate"] / draws["a549.catalase_rate"], 1.0, rtol=0.5)


@pytest.mark.parametrize("line", CATALOGUE.ids("cells"))
@pytest.mark.parametrize("material", ["calcium_peroxide", "copper_oxide"])
def test_starter_on_cells_is_valid(line, material, tmp_path):
    file = tmp_path / "mine.toml"
    made = CliRunner().invoke(app, ["new", str(file), "--cells", line, "--material", material])
    assert made.exit_code == 0, made.output
    study = load_study(file)
    assert study.place == "dish"
    assert len(study.arms) == 4
    assert {arm.subject.cells for arm in study.arms} == {line}
    for arm in study.arms:
        build_arm(study, arm)


def test_three_lines_change_the_experiment(tmp_path):
    """The line of cells, a dose and an agent are one line each in the starter."""
    file = tmp_path / "mine.toml"
    CliRunner().invoke(app, ["new", str(file), "--cells", "hela"])
    text = file.read_text()
    for old, new in (
        ('cells = "hela"', 'cells = "a549"'),
        ('"0.1 mmol/L", "1 mmol/L"', '"0.3 mmol/L", "3 mmol/L"'),
        ('agent = "catalase", concentration = "300 U/mL"', 'agent = "n_acetylcysteine", concentration = "5 mmol/L"'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)
    study = load_study(file)
    assert {arm.subject.cells for arm in study.arms} == {"a549"}
    assert study.arms[0].additions[0].amount == pytest.approx(0.3)
    assert any(a.name == "n_acetylcysteine" for arm in study.arms for a in arm.additions)


def test_loop_command_prints_threshold_and_states(tmp_path):
    file = tmp_path / "mine.toml"
    CliRunner().invoke(app, ["new", str(file), "--cells", "4t1"])
    found = CliRunner().invoke(app, ["loop", str(file), "--json"])
    assert found.exit_code == 0, found.output
    about = json.loads(found.stdout)
    on, off = (row["peroxide_outside_umol_per_l"] for row in about["thresholds"])
    assert 10 < on < 5000
    assert off is None
    kinds = {(row["cut_at"], row["feedback"]) for row in about["states"]}
    assert kinds == {("peroxide", "on"), ("energy", "on"), ("peroxide", "off")}
    without = [row for row in about["states"] if row["feedback"] == "off"]
    assert all(row["kind"] == "stable" and row["G"] == 0 for row in without)
    assert all(math.isfinite(row["calcium_umol_per_l"]) for row in about["states"])


def test_loop_of_a_tube_is_refused(tmp_path):
    file = tmp_path / "tube.toml"
    CliRunner().invoke(app, ["new", str(file)])
    refused = CliRunner().invoke(app, ["loop", str(file)])
    assert refused.exit_code == 2
    assert "a loop needs cells" in " ".join(refused.stderr.split())
