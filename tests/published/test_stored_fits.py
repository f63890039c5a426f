"""Fits in the catalogue: they load, name facts that are open, and a run with them shows what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tubes import HOUR

from nanotrial.catalogue.lookup import ROOT, Catalogue, read_toml, references
from nanotrial.evidence.published import all_facts, read_published
from nanotrial.experiment import Player
from nanotrial.fit.overlay import get_value, load_fits, parameter_name
from nanotrial.places import build_arm
from nanotrial.study import load_study

FITS = sorted((ROOT / "fits").glob("*.toml"))


@pytest.mark.parametrize("path", FITS, ids=lambda p: p.stem)
def test_stored_fits_load_and_name_what_exists(path):
    table, overlay = read_toml(path), load_fits((path.stem,))
    study = next((ROOT / "systems").glob(f"*/{table['study']}"))
    facts, curves = read_published(study.parent / "published.toml")
    known = {f.id for f in facts if f.value is not None and not f.held_out} | {c.id for c in curves}
    assert overlay.facts
    assert overlay.facts <= known
    assert {t["target"] for t in table["target"]} == overlay.facts
    for key, value in overlay.values.items():
        assert get_value(Catalogue(), key).dimension == value.dimension
        assert (value.grade, value.source in references()) == ("fitted", True)
    assert {parameter_name(k) for k in overlay.values} == set(overlay.draws[0])
    assert not overlay.facts & {f.id for f in all_facts() if f.held_out}


@pytest.mark.parametrize("path", FITS, ids=lambda p: p.stem)
def test_stored_fits_say_what_a_run_shows(path):
    """The study run with the fit alone gives the fitted numbers that the file states."""
    table, overlay = read_toml(path), load_fits((path.stem,))
    study_path = next((ROOT / "systems").glob(f"*/{table['study']}"))
    facts, curves = read_published(study_path.parent / "published.toml")
    measures = {one.id: one.measure for one in (*facts, *curves)}
    study = replace(load_study(study_path), fits=())
    for arm in {t["arm"] for t in table["target"]}:
        rows = [t for t in table["target"] if t["arm"] == arm]
        times = sorted({t["time_h"] * HOUR for t in rows})
        run = Player().play(build_arm(study, study.arm(arm), overlay), times)
        for row in rows:
            found = run[measures[row["target"]]][times.index(row["time_h"] * HOUR)]
            assert found == pytest.approx(row["fitted"], rel=0.02), row
