"""Ceilings by hand: protons, peroxide, the supply of a buffer, the pH at the end, minerals."""

from __future__ import annotations

import math

import pytest
from tubes import SHUT, TIGHT, agent, given, make_study, of_material, play

from nanotrial.budgets import arm_budgets
from nanotrial.budgets.tube import SPENT_PH
from nanotrial.catalogue.lookup import Catalogue
from nanotrial.experiment import Player
from nanotrial.fit.overlay import Overlay
from nanotrial.medium.constants import debye_slope
from nanotrial.places import build_arm

PARTICLES = {
    "bare": {"core": "calcium_peroxide", "diameter": "20 nm"},
    "copper": {"core": "copper_oxide", "diameter": "20 nm"},
    "chalk": {"core": "calcium_carbonate", "diameter": "20 nm"},
}
FAST = of_material("calcium_peroxide", acid_rate=(1e-3, "mol/m^2/s"), water_rate=(1e-3, "mol/m^2/s"), log_k=(60.0, "1"))


def budgets(add, **subject):
    study = make_study(add, particles=PARTICLES, **{**SHUT, **subject})
    built = build_arm(study, study.arms[0], Overlay())
    rows = arm_budgets(built, Player(TIGHT).runner(built))
    assert len({r.name for r in rows}) == len(rows)
    return {r.name: r for r in rows}


def test_no_particles_no_budget():
    assert budgets([agent("hydrogen_peroxide", "1 mmol/L")]) == {}


def test_the_load_by_hand():
    rows = budgets([given("bare", "3 mmol/L")])
    best = Catalogue().load("materials", "calcium_peroxide").peroxide.acid_yield.si
    assert rows["calcium in the load"].value == pytest.approx(3.0, rel=1e-12)
    assert rows["hydrogen peroxide in the load"].value == pytest.approx(3.0, rel=1e-12)
    assert rows["hydrogen peroxide at best"].value == pytest.approx(3 * best, rel=1e-12)
    assert rows["hydrogen peroxide at best"].against == pytest.approx(3.0, rel=1e-12)
    assert rows["oxygen at most"].value == pytest.approx(1.5, rel=1e-12)
    assert rows["protons needed for all of it"].value == pytest.approx(6.0, rel=1e-12)
    assert {r.unit for r in rows.values()} == {"mmol/L", "1"}


def test_loads_of_all_additions_add_up():
    rows = budgets([given("bare", "1 mmol/L"), given("bare", "0.5 mmol/L", at="2 h"), given("copper", "2 mmol/L")])
    assert rows["calcium in the load"].value == pytest.approx(1.5, rel=1e-12)
    assert rows["copper in the load"].value == pytest.approx(2.0, rel=1e-12)
    assert rows["protons needed for all of it"].value == pytest.approx(2 * 1.5 + 2 * 2.0, rel=1e-12)
    assert rows["oxygen at most"].value == pytest.approx(0.75, rel=1e-12)


def test_a_core_without_peroxide_gives_none():
    rows = budgets([given("copper", "2 mmol/L")])
    assert not any("peroxide" in name or "oxygen" in name for name in rows)


def gamma(charge: int, strength: float) -> float:
    root = math.sqrt(strength)
    return 10 ** (-debye_slope(298.15) * charge**2 * (root / (1 + root) - 0.3 * strength))


def phosphate_protons(ph: float, molar: float) -> float:
    """Return protons per phosphate on HPO4-2 by Henderson and Hasselbalch; the salt sets the ionic strength."""
    share, strength = 0.5, molar
    for _ in range(50):
        strength = molar * (1 + 2 * (1 - share))
        pk = 19.573 - 12.375 + math.log10(gamma(2, strength) / gamma(1, strength))
        share = 1 / (1 + 10 ** (ph - pk))
    return share


@pytest.mark.parametrize(("ph", "concentration"), [(6.0, 10.0), (7.0, 10.0), (6.0, 50.0)])
def test_supply_of_phosphate_is_that_of_henderson_and_hasselbalch(ph, concentration):
    rows = budgets([given("bare", "1 mmol/L")], ph=ph, concentration=f"{concentration} mmol/L")
    molar = concentration * 1e-3
    by_hand = concentration * (phosphate_protons(ph, molar) - phosphate_protons(SPENT_PH, molar))
    # Hydroxide at pH 8.4 (3e-3 mmol/L) and the outer two protons of phosphate are left out by hand.
    assert rows["protons needed for all of it"].against == pytest.approx(by_hand, rel=4e-3)


def test_supply_decides_whether_the_budget_binds():
    for load, binds in (("3 mmol/L", False), ("6 mmol/L", True)):
        row = budgets([given("bare", load)], ph=6.0)["protons needed for all of it"]
        assert (row.binds, row.value > row.against) == (binds, binds)
    share = 100 * row.against / row.value
    assert f"enough for {share:.3g} %" in row.meaning


def test_a_buffer_above_its_spent_ph_gives_nothing():
    assert budgets([given("bare")], ph=9.0)["protons needed for all of it"].against == 0.0


def test_pure_water_gives_next_to_nothing():
    row = budgets([given("bare")], buffer="water")["protons needed for all of it"]
    assert row.against == pytest.approx(10 ** (SPENT_PH - 14) * 1e3 - 1e-4, rel=0.05)
    assert row.binds


@pytest.mark.parametrize(
    ("load", "buffer", "ph"),
    [
        ("1 mmol/L", "phosphate", 7.0),
        ("8 mmol/L", "phosphate", 6.0),
        ("2 mmol/L", "water", 7.0),
        ("3 mmol/L", "acetate", 5.0),
    ],
)
def test_ph_if_all_dissolves_is_that_of_a_run_to_its_end(load, buffer, ph):
    """All peroxide as hydrogen peroxide (the budget) or in part as oxygen (the run) differs by the acid of pK 11.65."""
    subject = {"buffer": buffer, "ph": ph, **SHUT}
    end = play(
        make_study([given("bare", load)], **subject),
        [50.0],
        FAST,
        changes={
            "calcium_peroxide.peroxide.half_ph": 30.0,
            "calcium_peroxide.peroxide.acid_yield": 1.0,
            "hydrogen_peroxide.decay_rate": 0.0,
        },
    )
    assert end["core_left"][0] < 1e-6
    assert end["portlandite.saturation_ratio"][0] < 1
    row = budgets([given("bare", load)], **subject)["pH if all dissolves"]
    assert row.value == pytest.approx(end["ph"][0], abs=1e-4)
    assert row.against == ph


@pytest.mark.parametrize(("load", "binds"), [("5 mmol/L", False), ("100 mmol/L", True)])
def test_portlandite_is_flagged_at_a_high_load(load, binds):
    """Lime water is saturated at about 20 mmol/L: log K 22.8, pH 12.5."""
    rows = budgets([given("bare", load)], buffer="water")
    row = next(r for n, r in rows.items() if n.startswith("portlandite") or "portlandite" in n.lower())
    assert row.binds is binds
    assert (row.value > 1) is binds
    assert row.against == 1.0


def test_order_of_magnitude_of_an_alkaline_end():
    """2 mmol/L of a base with two hydroxides and an acid of pK 11.65: pH 11.3 to 11.6."""
    assert 11.2 < budgets([given("bare", "2 mmol/L")], buffer="water")["pH if all dissolves"].value < 11.7
