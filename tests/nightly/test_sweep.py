"""Every material in every buffer, from acid to base, from traces to slurries: each run reaches its end and balances."""

import itertools
from pathlib import Path

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.experiment import simulate
from nanotrial.study import read_study

CATALOGUE = Catalogue()
MATERIALS = CATALOGUE.ids("materials")


@pytest.mark.nightly
@pytest.mark.parametrize("buffer", CATALOGUE.ids("buffers"))
@pytest.mark.parametrize("strength", ["0.1 mmol/L", "10 mmol/L", "400 mmol/L"])
def test_every_corner_is_solved(buffer, strength):
    subject = {"buffer": buffer, "ph": 7.0}
    if CATALOGUE.load("buffers", buffer).solutes:
        subject["concentration"] = strength
    arms = [
        {"name": f"{m} {ph} {load}", "subject": {"ph": ph}, "add": [{"particle": m, "concentration": load}]}
        for m, ph, load in itertools.product(MATERIALS, (3.0, 5.0, 7.4, 11.0), ("0.01 mmol/L", "30 mmol/L"))
    ]
    table = {
        "title": "sweep",
        "place": "tube",
        "particle": {m: {"core": m, "diameter": "50 nm"} for m in MATERIALS},
        "subject": subject,
        "arm": arms,
        "measure": {"release": {"at": ["1 min", "1 h", "24 h"]}, "ph": {"at": ["24 h"]}},
    }
    result = simulate(read_study(table, Path("sweep.toml"), CATALOGUE))
    assert [a.reason for a in result.arms if a.status != "done"] == []
    assert max(max(a.imbalance.values()) for a in result.arms) < 1e-6
    assert max(a.protons["charge_error"] for a in result.arms) < 1e-2
