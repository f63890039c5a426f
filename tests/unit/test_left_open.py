"""What a study says is taken as said, even where it equals the usual value; only what it leaves open is drawn."""

from pathlib import Path

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.places import build_arm
from nanotrial.study import read_study

VESSEL = Catalogue().load("vessels", "tube")


@pytest.mark.parametrize("said", [True, False])
def test_a_stated_usual_value_has_no_spread(said):
    subject = {"buffer": "acetate", "concentration": "20 mmol/L", "ph": 5.0}
    if said:
        subject |= {"volume": f"{VESSEL.volume.value} mL", "depth": f"{VESSEL.depth.value} mm"}
    table = {
        "title": "left open",
        "place": "tube",
        "subject": subject,
        "arm": [{"name": "a"}],
        "measure": {"ph": {"at": "1 h"}},
    }
    study = read_study(table, Path("open.toml"), Catalogue())
    parameters = build_arm(study, study.arms[0]).network.parameters
    for name in ("volume", "depth"):
        assert (parameters[f"tube.{name}"].provenance is None) is said
        assert parameters[f"tube.{name}"].value == pytest.approx(getattr(VESSEL, name).si, rel=1e-12)
