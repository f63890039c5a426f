"""Sheets of one's own beside a study: found first, with sources of their own."""

import json

import pytest

from nanotrial.catalogue.lookup import ROOT
from nanotrial.errors import CatalogueError
from nanotrial.experiment import simulate
from nanotrial.record import make_record
from nanotrial.study import load_study

STUDY = """
title = "own"
place = "tube"
particle.p = { core = "my_peroxide", diameter = "20 nm" }
subject = { buffer = "acetate", concentration = "20 mmol/L", ph = 5.0 }
arm = [{ name = "a", add = [{ particle = "p", concentration = "1 mmol/L" }] }]
measure.release = { at = "1 h" }
"""
ENTRY = """@article{me_2026,
  author = {Me},
  title = {My powder},
  year = {2026}
}
"""


@pytest.fixture
def own(tmp_path):
    sheets = tmp_path / "catalogue" / "materials"
    sheets.mkdir(parents=True)
    text = (ROOT / "materials" / "calcium_peroxide.toml").read_text(encoding="utf-8")
    changed = text.replace(
        'density = { value = 2920.0, unit = "kg/m^3", source = "wikipedia_calcium_peroxide"',
        'density = { value = 2700.0, unit = "kg/m^3", source = "me_2026"',
    )
    assert changed != text
    (sheets / "my_peroxide.toml").write_text(changed, encoding="utf-8")
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def test_a_source_without_an_entry_does_not_load(own):
    with pytest.raises(CatalogueError, match=r"my_peroxide\.toml: density\.source.*me_2026.*references\.bib"):
        load_study(own / "study.toml")


def test_own_sources_reach_the_citations(own):
    (own / "catalogue" / "references.bib").write_text(ENTRY, encoding="utf-8")
    record = json.loads(json.dumps(make_record(simulate(load_study(own / "study.toml")))))
    assert record["arms"][0]["status"] == "done"
    assert record["bibliography"]["me_2026"]["title"] == "My powder"
    assert "me_2026" in record["citations"]
