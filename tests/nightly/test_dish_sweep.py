"""Every line with every kind of particle, gas and drug, and draws from all spreads: each run ends and balances."""

from pathlib import Path

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.experiment import simulate
from nanotrial.study import read_study

CATALOGUE = Catalogue()
MATERIALS = CATALOGUE.ids("materials")
DRUGS = [a for a in CATALOGUE.ids("agents") if CATALOGUE.load("agents", a).kind not in ("enzyme", "solute")]


def arms():
    """Return an arm for each particle at two doses, and for peroxide with each drug."""
    made = [
        {"name": f"{m} {dose}", "add": [{"particle": m, "concentration": dose, "basis": "core"}]}
        for m in MATERIALS
        for dose in ("0.1 mmol/L", "10 mmol/L")
    ]
    peroxide = {"agent": "hydrogen_peroxide", "concentration": "200 umol/L", "at": "1 h"}
    return made + [
        {"name": f"peroxide and {d}", "add": [{"agent": d, "concentration": "5 umol/L"}, peroxide]} for d in DRUGS
    ]


@pytest.mark.nightly
@pytest.mark.parametrize("line", CATALOGUE.ids("cells"))
@pytest.mark.parametrize("oxygen", ["18.6 %", "0.5 %"])
def test_every_corner_of_the_dish_is_solved(line, oxygen):
    table = {
        "title": "sweep",
        "place": "dish",
        "particle": {m: {"core": m, "diameter": "50 nm"} for m in MATERIALS},
        "subject": {"cells": line, "oxygen": oxygen},
        "arm": arms(),
        "measure": {"viability": {"at": ["1 h", "24 h", "72 h"]}, "cytosolic_calcium": {"at": ["1 h", "72 h"]}},
    }
    result = simulate(read_study(table, Path("sweep.toml"), CATALOGUE), members=3, seed=5)
    assert [a.reason for a in result.arms if a.status != "done"] == []
    assert [r for a in result.arms for r in a.member_reasons] == []
    assert max(max(a.imbalance.values()) for a in result.arms) < 1e-9
    assert min(a.curves["viability"].min() for a in result.arms) > -1e-9
