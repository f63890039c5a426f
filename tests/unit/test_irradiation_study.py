"""What a study says of radiation: what is read, what is refused with file and key, what the command line says of it."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dishes import CATALOGUE, make_dish
from tubes import make_study
from typer.testing import CliRunner

from nanotrial.catalogue.lookup import ROOT, Catalogue
from nanotrial.cli.main import app
from nanotrial.errors import StudyError, UnitError
from nanotrial.places import build_arm
from nanotrial.radiation.beams import beam, is_own, own_beam
from nanotrial.study import load_study
from nanotrial.study.model import RADIATION_MEASURES, RADIATION_PRODUCTS

GOLD = {"core": "gold", "diameter": "20 nm"}
LIGHT = {"scintillator": "csi_tl", "acceptor": "ce6", "acceptor_fraction": "5 %", "distance": "2 nm"}
HERE = "made.toml: arm[1] (arm).irradiate"


def shot(**changes):
    """Return one irradiation; None takes a key out."""
    usual = {"beam": "60 keV", "absorbed_dose": "2 Gy", "dose_rate": "1 Gy/min", "at": "1 h"}
    return {k: v for k, v in (usual | changes).items() if v is not None}


def read(*shots, particle=None, diameter="20 nm"):
    """Return a dish of HeLa with one arm that is given gold and these irradiations."""
    particles = {"gold": GOLD | {"diameter": diameter} | (particle or {})}
    add = [{"particle": "gold", "concentration": "0.1 mg/mL", "basis": "mass"}]
    arms = [{"name": "arm", "add": add, "irradiate": list(shots)}]
    return make_dish(arms=arms, particles=particles, measure={"absorbed_dose": {"at": "2 h"}}, cells="hela")


# What is read


def test_a_dose_is_read_in_si():
    (one,) = read(shot()).arms[0].irradiations
    assert (one.beam, one.filters, one.absorbed_dose) == ("60 keV", (), 2.0)
    assert one.dose_rate == pytest.approx(1 / 60, rel=1e-12)
    assert (one.time, one.end) == (3600.0, pytest.approx(3720.0, rel=1e-12))


def test_fractions_unfold_and_share_the_dose():
    found = read(shot(absorbed_dose="6 Gy", fractions=3, every="24 h")).arms[0].irradiations
    assert [i.absorbed_dose for i in found] == pytest.approx([2.0] * 3, rel=1e-12)
    assert [i.time / 3600 for i in found] == pytest.approx([1.0, 25.0, 49.0], rel=1e-12)


def test_doses_stand_in_the_order_of_their_times_and_may_touch():
    found = read(shot(at="2 h"), shot(), shot(at="2.5 h")).arms[0].irradiations
    assert [i.time / 3600 for i in found] == [1.0, 2.0, 2.5]


def test_no_dose_is_no_beam():
    study = read(shot(absorbed_dose="0 Gy", dose_rate="0 Gy/min"))
    assert study.arms[0].irradiations == ()
    assert read_plain().irradiated is False
    assert study.irradiated is True, "its measure is one of radiation"


def read_plain():
    return make_dish(measure={"viability": {"at": "2 h"}})


def test_a_beam_brings_its_own_dose_rate_which_is_noted():
    study = read(shot(beam="rs2000_160", dose_rate=None))
    sheet = CATALOGUE.load("beams", "rs2000_160")
    assert study.arms[0].irradiations[0].dose_rate == pytest.approx(sheet.dose_rate.si, rel=1e-12)
    (noted,) = [d for d in study.defaults if d.key.endswith("dose_rate")]
    assert noted.source == sheet.dose_rate.source


def test_a_filter_hardens_and_is_kept():
    one = read(shot(beam="100 kV", filters={"Cu": "0.5 mm", "Al": "1 mm"})).arms[0].irradiations[0]
    assert dict(one.filters) == pytest.approx({"Al": 1e-3, "Cu": 5e-4}, rel=1e-12)


@pytest.mark.parametrize("beam", ["60 keV", "1.25 MeV", "100 kV", "6 MV", "i125", "co60"])
def test_beams_are_written_as_people_write_them(beam):
    assert read(shot(beam=beam)).arms[0].irradiations[0].beam == beam


def test_measures_of_radiation_belong_to_their_place():
    every = {name: {"at": "2 h"} for name in [*RADIATION_MEASURES, *RADIATION_PRODUCTS]}
    every.pop("bonds_cut")
    assert len(make_dish(measure=every).measures) == len(every)
    with pytest.raises(StudyError, match="surviving_fraction"):
        make_study(measure={"surviving_fraction": {"at": "2 h"}})
    assert make_study(measure={"bonds_cut": {"at": "2 h"}}).irradiated


def test_what_a_particle_says_of_radiation():
    more = {"shape": "rod, length 60 nm", "organelle": {"place": "nucleus", "share": "20 %"}, "light": LIGHT}
    more |= {"bonds": {"kind": "diselenide", "content": "0.5 mmol/g"}}
    particle = read(shot(), particle=more).particles["gold"]
    assert (particle.shape, particle.organelle, particle.organelle_share) == (
        "rod, length 60 nm",
        "nucleus",
        0.2,
    )
    assert (particle.light.scintillator, particle.light.acceptor_fraction) == ("csi_tl", 0.05)
    assert (particle.bonds.kind, particle.bonds.content) == ("diselenide", pytest.approx(0.5, rel=1e-12))


def test_the_distance_of_an_acceptor_that_nobody_says_is_noted():
    study = read(shot(), particle={"light": {k: v for k, v in LIGHT.items() if k != "distance"}})
    assert study.particles["gold"].light.distance == pytest.approx(5e-9, rel=1e-12)
    assert any(d.key.endswith("light.distance") for d in study.defaults)


# What is refused

SHOTS = {
    "a bare number of a tube": (shot(beam="160"), "beam", ["without a unit", "kV"]),
    "a number": (shot(beam=160), "beam", ["found 160", "a text"]),
    "an unknown beam": (shot(beam="rs2000_16"), "beam", ["`rs2000_16`", "`rs2000_160`"]),
    "a beam far from all": (shot(beam="zzz"), "beam", ["`zzz`", "co60"]),
    "a beam in mJ": (shot(beam="160 mJ"), "beam", ["`160 mJ`", "a voltage such as `100 kV`"]),
    "a negative voltage": (shot(beam="-160 kV"), "beam", ["`-160 kV`"]),
    "a voltage of no tube": (shot(beam="800 kV"), "beam", ["800 kV", "10 to 500 kV"]),
    "photons without energy": (shot(beam="0 keV"), "beam", ["0 keV"]),
    "an empty beam": (shot(beam=""), "beam", ["a text"]),
    "no beam": (shot(beam=None), "beam", ["nothing"]),
    "a filter that removes the beam": (
        shot(beam="50 kV", filters={"lead": "50 mm"}), "filters.lead", ["50 mm of lead", "thinner"],
    ),
    "a filter of nothing known": (shot(filters={"unobtainium": "1 mm"}), "filters.unobtainium", ["`unobtainium`"]),
    "a filter without a unit": (shot(filters={"Al": "1"}), "filters.Al", ["without a unit", "1 mm"]),
    "a negative filter": (shot(filters={"Al": "-1 mm"}), "filters.Al", ["-1 mm"]),
    "a filter without thickness": (shot(filters=["Al"]), "filters", ["['Al']"]),
    "a negative dose": (shot(absorbed_dose="-2 Gy"), "absorbed_dose", ["-2 Gy"]),
    "a dose that is an energy": (shot(absorbed_dose="2 mJ"), "absorbed_dose", ["2 mJ", "`Gy`"]),
    "a dose without a unit": (shot(absorbed_dose="2"), "absorbed_dose", ["without a unit", '"2 Gy"']),
    "an endless dose": (shot(absorbed_dose="1e9 Gy"), "absorbed_dose", ["1e9 Gy"]),
    "no dose": (shot(absorbed_dose=None), "absorbed_dose", ["nothing"]),
    "a dose at no rate": (shot(dose_rate="0 Gy/min"), "dose_rate", ["2 Gy at 0 Gy/min", "above 0"]),
    "no rate": (shot(dose_rate=None), "dose_rate", ["nothing"]),
    "a rate that is a dose": (shot(dose_rate="1 Gy"), "dose_rate", ["1 Gy", "`Gy/min`"]),
    "no time": (shot(at=None), "at", ["nothing"]),
    "a time before the start": (shot(at="-1 h"), "at", ["-1 h"]),
    "half a fraction": (shot(fractions=2.5, every="24 h"), "fractions", ["2.5", "whole number"]),
    "no fraction": (shot(fractions=0, every="24 h"), "fractions", ["0"]),
    "fractions at no distance": (shot(fractions=2), "every", ["nothing"]),
    "a key misspelt": (shot(dose="2 Gy"), "dose", ["unknown key", "`dose_rate`"]),
}  # fmt: skip


@pytest.mark.parametrize(("one", "key", "said"), SHOTS.values(), ids=SHOTS)
def test_wrong_irradiations_name_file_and_key(one, key, said):
    with pytest.raises((StudyError, UnitError)) as caught:
        read(one)
    assert str(caught.value).startswith(f"{HERE}[1].{key}: ")
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("shots", "said"),
    [
        ([shot(), shot(beam="co60", at="3 h")], ["`60 keV` and `co60`", "one beam in an arm"]),
        ([shot(), shot(filters={"Al": "1 mm"}, at="3 h")], ["one beam"]),
        ([shot(), shot(at="1.01 h")], ["1.01 h", "until 1.03 h"]),
        ([shot(absorbed_dose="400 Gy", fractions=2, every="1 h")], ["2 h", "until 4.33 h"]),
    ],
)
def test_irradiations_that_do_not_go_together(shots, said):
    with pytest.raises(StudyError) as caught:
        read(*shots)
    assert str(caught.value).startswith(f"{HERE}: ")
    for words in said:
        assert words in str(caught.value)


def test_a_dose_after_the_end():
    with pytest.raises(StudyError, match=r"made.toml: arm \(arm\)"):
        read(shot(at="95.99 h"))


PARTICLES = {
    "a shape": ({"shape": "spher"}, "shape", ["spher", "`sphere`"]),
    "a shape without its length": ({"shape": "rod"}, "shape", ["length"]),
    "a shape as a number": ({"shape": 3}, "shape", ["a text"]),
    "an organelle": ({"organelle": {"place": "nucleu", "share": "1 %"}}, "organelle.place", ["`nucleus`"]),
    "more than all": ({"organelle": {"place": "nucleus", "share": "101 %"}}, "organelle.share", ["101 %", "100 %"]),
    "less than none": ({"organelle": {"place": "nucleus", "share": "-1 %"}}, "organelle.share", ["-1 %"]),
    "no share": ({"organelle": {"place": "nucleus"}}, "organelle.share", ["nothing"]),
    "an organelle as a text": ({"organelle": "nucleus"}, "organelle", ["a table"]),
    "a scintillator": ({"light": LIGHT | {"scintillator": "csi"}}, "light.scintillator", ["`csi`", "`csi_tl`"]),
    "an acceptor": ({"light": LIGHT | {"acceptor": "ce7"}}, "light.acceptor", ["`ce7`", "`ce6`"]),
    "all acceptor": ({"light": LIGHT | {"acceptor_fraction": "95 %"}}, "light.acceptor_fraction", ["95 %"]),
    "a distance": ({"light": LIGHT | {"distance": "2 um"}}, "light.distance", ["2 um"]),
    "a key of light": ({"light": LIGHT | {"yield": "2"}}, "light.yield", ["unknown key"]),
    "a bond": ({"bonds": {"kind": "disulphide", "content": "1 mmol/g"}}, "bonds.kind", ["`disulfide`"]),
    "no bonds": ({"bonds": {"kind": "disulfide", "content": "0 mmol/g"}}, "bonds.content", ["0 mmol/g"]),
    "bonds per volume": ({"bonds": {"kind": "disulfide", "content": "1 mmol/L"}}, "bonds.content", ["1 mmol/L"]),
}


@pytest.mark.parametrize(("more", "key", "said"), PARTICLES.values(), ids=PARTICLES)
def test_wrong_particles_name_file_and_key(more, key, said):
    with pytest.raises((StudyError, UnitError)) as caught:
        read(shot(), particle=more)
    assert str(caught.value).startswith(f"made.toml: particle.gold.{key}: ")
    for words in said:
        assert words in str(caught.value)


def test_a_particle_larger_than_its_cell():
    across = (6 / math.pi * CATALOGUE.load("cells", "hela").volume.si) ** (1 / 3)
    with pytest.raises(StudyError, match=r"made.toml: particle.gold.diameter: found 19 um .* less than a cell: 17.9"):
        read(shot(), diameter="19 um")
    assert read(shot(), diameter=f"{across * 1e6 * 0.999} um").particles["gold"].diameter < across


def test_a_beam_in_another_arm_counts_for_all_arms():
    given = [{"particle": "gold", "concentration": "0.1 mg/mL", "basis": "mass"}]
    arms = [{"name": "gold", "add": given}, {"name": "beam", "irradiate": [shot()]}]
    with pytest.raises(StudyError, match=r"particle.gold.diameter"):
        make_dish(arms=arms, particles={"gold": GOLD | {"diameter": "19 um"}}, cells="hela")


# The command line

STUDY = """
title = "gold"
place = "dish"
[particle.gold]
core = "gold"
diameter = "20 nm"
[subject]
cells = "hela"
cell_classes = 1
[[arm]]
name = "{dose} Gy"
vary = { dose = [0, 2] }
add = [{ particle = "gold", concentration = "0.1 mg/mL", basis = "mass" }]
irradiate = [{ beam = "100 kV", absorbed_dose = "{dose} Gy", dose_rate = "1 Gy/min", at = "1 h" }]
[measure]
surviving_fraction = { at = "2 h" }
"""


def check(tmp_path: Path, old: str = "", new: str = ""):
    file = tmp_path / "mine.toml"
    assert old in STUDY
    file.write_text(STUDY.replace(old, new) if old else STUDY)
    return CliRunner().invoke(app, ["check", str(file)]), file


def test_a_study_with_a_beam_passes(tmp_path):
    done, file = check(tmp_path)
    assert done.exit_code == 0, done.output
    assert [len(arm.irradiations) for arm in load_study(file).arms] == [0, 1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"100 kV"', '"100"', "irradiate[1].beam"),
        ('"100 kV"', '"rs2000_16"', "`rs2000_160`"),
        ('"1 Gy/min"', '"0 Gy/min"', "irradiate[1].dose_rate"),
        ('at = "1 h" }]', 'at = "1 h", filters = { lead = "90 mm" } }]', "irradiate[1].filters.lead"),
        ('"20 nm"', '"20 um"', "particle.gold.diameter"),
        ('"20 nm"', '"20 nm"\norganelle = { place = "nucleus", share = "120 %" }', "organelle.share"),
    ],
)
def test_check_says_what_is_wrong_and_leaves_with_two(tmp_path, old, new, said):
    done, _ = check(tmp_path, old, new)
    assert done.exit_code == 2
    text = " ".join(done.output.split())
    assert "mine.toml" in text
    assert said in text
    assert "Traceback" not in text
    assert isinstance(done.exception, SystemExit)


def test_a_material_of_ones_own_meets_a_beam(tmp_path):
    """Its elements and density come from its own sheet: half as dense, half as many events in as large a particle."""
    folder = tmp_path / "catalogue" / "materials"
    folder.mkdir(parents=True)
    text = (ROOT / "materials" / "gold.toml").read_text(encoding="utf-8")
    density = CATALOGUE.load("materials", "gold").density
    assert text.count(f"density = {{ value = {density.value}") == 1
    for name, value in (("my_gold", density.value), ("my_porous_gold", density.value / 2)):
        changed = text.replace(f"density = {{ value = {density.value}", f"density = {{ value = {value}")
        (folder / f"{name}.toml").write_text(changed, encoding="utf-8")
    found = {}
    for name in ("gold", "my_gold", "my_porous_gold"):
        file = tmp_path / f"{name}_study.toml"
        file.write_text(STUDY.replace('core = "gold"', f'core = "{name}"'), encoding="utf-8")
        study = load_study(file)
        found[name] = build_arm(study, study.arms[1]).network.parameters
    ratios = {name: p["gold.dose_ratio"].value for name, p in found.items()}
    assert ratios["my_gold"] == pytest.approx(ratios["gold"], rel=1e-12) == ratios["my_porous_gold"]
    gains = {name: p["gold.gain.nucleus.nucleus"].value for name, p in found.items()}
    assert gains["my_gold"] == pytest.approx(gains["gold"], rel=1e-12)
    # A porous particle also keeps fewer of its own electrons, so somewhat more than half the dose.
    assert 0.5 < gains["my_porous_gold"] / gains["gold"] < 0.7


def test_a_beam_of_ones_own_catalogue_comes_with_its_sheet(tmp_path):
    """Its tube and filters are its own; a beam of the package beside it stays what it is."""
    folder = tmp_path / "catalogue" / "beams"
    folder.mkdir(parents=True)
    usual = (ROOT / "beams" / "rs2000_160.toml").read_text(encoding="utf-8")
    softer = re.sub(r"(voltage = \{ value = )[\d.]+", r"\g<1>80.0", usual)
    assert softer != usual
    (folder / "my_tube.toml").write_text(softer, encoding="utf-8")
    catalogue = Catalogue(tmp_path / "catalogue")
    assert is_own("my_tube", catalogue)
    assert not is_own("rs2000_160", catalogue)
    assert own_beam("my_tube", None, catalogue).mean_energy < 0.8 * beam("rs2000_160").mean_energy


def test_a_shape_changes_how_many_there_are_in_a_mass():
    particle = read(shot(), particle={"shape": "rod, length 80 nm"}, diameter="20 nm").particles["gold"]
    assert particle.shape == "rod, length 80 nm"
    assert particle.shape_volume == pytest.approx((math.pi * 10**2 * 80) / (4 / 3 * math.pi * 10**3))


def test_rooms_with_public_functions_stand_under_the_package():
    code = (
        "import nanotrial; print(nanotrial.radiation.nuclide('125I').name, nanotrial.cell.oxygen_enhancement('3 mmHg'))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["125I", "2.0"]


def test_what_a_beam_takes_for_granted_is_told():
    told = [d.reason for d in read(shot(beam="100 kV")).defaults if d.key.endswith("irradiate[1].beam")]
    assert any("filter of 2 mm Al" in reason for reason in told)
    filtered = read(shot(beam="100 kV", filters={"Cu": "0.1 mm"})).defaults
    assert not any("none was given" in d.reason for d in filtered)
