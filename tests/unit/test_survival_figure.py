"""Colonies in the report: survival against dose with a line for all else that is given, and beams in the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dishes import make_dish

from nanotrial.experiment import simulate
from nanotrial.record import make_record
from nanotrial.report.charts import charts
from nanotrial.report.page import page

BEAM = {"beam": "60 keV", "dose_rate": "2 Gy/min", "at": "1 h"}
GOLD = [{"particle": "p", "concentration": "0.1 mg/mL", "basis": "mass"}]


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        arms = [{"name": "none"}]
        arms += [{"name": f"{d} Gy", "irradiate": [BEAM | {"absorbed_dose": f"{d} Gy"}]} for d in (2, 6)]
        arms += [{"name": "gold + 6 Gy", "add": GOLD, "irradiate": [BEAM | {"absorbed_dose": "6 Gy"}]}]
        measures = {"surviving_fraction": {"at": "3 h"}, "viability": {"at": "3 h"}}
        study = make_dish(
            arms=arms, particles={"p": {"core": "gold", "diameter": "20 nm"}}, measure=measures, cells="hela"
        )
        return json.loads(json.dumps(make_record(simulate(study))))


def survival(record):
    return next((c for c in charts(record) if c.id == "figure-survival"), None)


def test_points_fall_on_the_doses_and_one_dose_is_no_curve(record):
    spec = survival(record).definition.to_dict()
    rows = [r for rows in spec["datasets"].values() for r in rows]
    assert [(r["thing"], r["dose"]) for r in rows] == [("nothing else", d) for d in (0.0, 2.0, 6.0)]
    shown = [r["y"] for r in rows]
    assert shown[0] == pytest.approx(1.0)
    assert shown[0] > shown[1] > shown[2] > 0
    assert "gold" not in survival(record).description


def test_without_colonies_there_is_no_figure(record):
    bare = {**record, "measures": {k: v for k, v in record["measures"].items() if k != "surviving_fraction"}}
    assert survival(bare) is None


def test_the_page_tells_the_beam_of_each_arm(record, tmp_path: Path):
    text = page(record)
    assert "2 Gy (60 keV) at 1 h" in text
    assert "Clonogenic survival" in text
    kinds = {a["name"]: a["irradiations"] for a in record["arms"]}
    assert kinds["none"] == []
    assert kinds["6 Gy"][0]["absorbed_dose_gy"] == pytest.approx(6.0)
