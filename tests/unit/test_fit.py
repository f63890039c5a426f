"""Fits: a known value is found again, what the file says is what a run uses, and every stored fit can be replayed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tubes import HOUR, of_material

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, EvidenceError
from nanotrial.evidence.published import read_published
from nanotrial.experiment import Player
from nanotrial.fit.estimate import fit_study
from nanotrial.fit.files import write_fit
from nanotrial.fit.overlay import Overlay, get_value, load_fits, parameter_name
from nanotrial.fit.posterior import DRAWS, walk_posterior
from nanotrial.fit.targets import targets_of
from nanotrial.places import build_arm
from nanotrial.study import load_study

RATE, ORDER = "materials/calcium_peroxide:dissolution.acid_rate", "materials/calcium_peroxide:dissolution.acid_order"
TRUE = 2e-6
HOURS = (0.1, 0.3, 0.6, 0.9)
STUDY = """
title = "made"
place = "tube"
fits = [{fits}]
[particle.bare]
core = "calcium_peroxide"
diameter = "1200 nm"
[subject]
buffer = "acetate"
concentration = "50 mmol/L"
ph = 5.5
[[arm]]
name = "pH {{ph}}"
vary = {{ ph = [5.0, 5.5] }}
subject = {{ ph = "{{ph}}" }}
add = [{{ particle = "bare", concentration = "0.5 mmol/L" }}]
[measure]
release = {{ at = ["1 h"] }}
"""


def curve(identifier: str, arm: str, values) -> str:
    shown = ", ".join(f"{v:.8g}" for v in values)
    return f"""
[[curve]]
id = "{identifier}"
study = "study.toml"
arm = "{arm}"
measure = "release"
at = [{", ".join(f'"{h} h"' for h in HOURS)}]
value = [{shown}]
unit = "1"
relative_sd = 0.01
source = "zhang_2019"
"""


SIDES = "{ 'pH 5.5' = 'pH 5.5', 'pH 5.0' = 'pH 5.0' }\ncomparator = 'pH 5.0'"


def fact(identifier: str, relation: str, value: str, check: str = "bound", **more: str) -> str:
    rest = "".join(f"{k} = {v}\n" for k, v in more.items())
    number = f"value = {value}\nrelation = '{relation}'\n" if value else ""
    return f"""
[[fact]]
id = "{identifier}"
study = "study.toml"
arm = "pH 5.5"
measure = "release"
at = "0.6 h"
check = "{check}"
source = "zhang_2019"
{number}{rest}"""


def release(study, overlay: Overlay, arm: str, hours=HOURS) -> np.ndarray:
    built = build_arm(study, study.arm(arm), overlay)
    return Player().play(built, [h * HOUR for h in hours])["release"]


@cache
def truth(arm: str) -> tuple[float, ...]:
    """Return the curve of the model itself with the true rate."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY.format(fits=""))
        return tuple(release(load_study(path), of_material("calcium_peroxide", acid_rate=(TRUE, "mol/m^2/s")), arm))


@pytest.fixture
def made(tmp_path):
    """A study beside a published.toml with two curves of the model and facts that are met, broken or closed."""
    (tmp_path / "study.toml").write_text(STUDY.format(fits=""))
    half = truth("pH 5.5")[2]  # at 0.6 h
    (tmp_path / "published.toml").write_text(
        curve("strong", "pH 5.0", truth("pH 5.0"))
        + curve("weak", "pH 5.5", truth("pH 5.5"))
        + curve("noisy", "pH 5.5", np.array(truth("pH 5.5")) * (1.1, 0.9, 1.1, 0.9))
        + fact("met", "<", f"{half + 0.1}", sd="0.05")
        + fact("broken", "<", f"{half / 2}", sd="0.01")
        + fact("least", ">", f"{half - 0.1}", sd="0.05")
        + fact("word", "~", "0.5", "value", sd="0.05")
        + fact("secret", "", "", "value", held_out="true")
        + fact("sides", "", "", "comparison", larger="'arm'", sides=SIDES)
    )
    return SimpleNamespace(folder=tmp_path, study=load_study(tmp_path / "study.toml"))


def test_the_curve_asks_for_its_rate():
    fast = truth("pH 5.0")
    assert 0.05 < fast[0] < fast[-1] < 0.99


def test_a_known_rate_is_found_again(made):
    found = fit_study(made.study, ["strong", "weak"], [RATE], steps=0)
    # The prior pulls by (ln ratio / ln 12) widths against points known to 1 %: by less than 1 % of the rate.
    assert found.values[0].value == pytest.approx(TRUE, rel=5e-3)
    assert found.predicted == pytest.approx([*truth("pH 5.0"), *truth("pH 5.5")], rel=5e-3)
    prior = get_value(Catalogue(), RATE)
    assert found.start == pytest.approx([prior.value], rel=1e-12)
    assert found.pulls[0] == pytest.approx(np.log(found.values[0].value / prior.value) / np.log(12), rel=1e-6)
    assert found.quality["birge_ratio"] == 1.0


def test_two_values_are_found_together(made):
    """The order of the sheet, 0.35 with limits only, and the rate are both those that made the curves."""
    found = fit_study(made.study, ["strong", "weak"], [RATE, ORDER], steps=0)
    assert found.values[0].value == pytest.approx(TRUE, rel=0.02)
    assert found.values[1].value == pytest.approx(0.35, abs=0.02)
    assert (found.values[1].distribution.low, found.values[1].distribution.high) == (0.18, 2.0)


def test_a_fitted_value_says_what_it_is(made):
    value = fit_study(made.study, ["weak", "met"], [RATE], steps=0).values[0]
    assert (value.grade, value.unit, value.source) == ("fitted", "mol/m^2/s", "zhang_2019")
    assert "met, weak" in value.note
    assert "widened" not in value.note
    assert "widened 3 times" in fit_study(made.study, ["weak"], [RATE], widen=3.0, steps=0).values[0].note


def test_a_bound_that_is_met_adds_nothing(made):
    alone, with_bounds = (
        fit_study(made.study, names, [RATE], steps=0) for names in (["weak"], ["weak", "met", "least"])
    )
    assert with_bounds.values[0].value == pytest.approx(alone.values[0].value, rel=1e-6)
    assert with_bounds.quality["cost"] == pytest.approx(alone.quality["cost"], rel=1e-6)
    pushed = fit_study(made.study, ["weak", "broken"], [RATE], steps=0)
    assert pushed.values[0].value < 0.99 * alone.values[0].value


def test_misfit_beyond_the_stated_sd_widens_all(made):
    """Points off by 10 % with a stated sd of 1 % have a Birge ratio near 10 sqrt(4 / 3)."""
    found = fit_study(made.study, ["noisy"], [RATE], steps=0)
    assert found.quality["birge_ratio"] == pytest.approx(11.5, rel=0.15)


def test_targets_are_points_after_the_start(made):
    targets = targets_of(made.study, ["strong", "word"])
    assert [t.time for t in targets] == [h * HOUR for h in (*HOURS, 0.6)]
    assert targets[0].sd == pytest.approx(0.01 * truth("pH 5.0")[0], rel=1e-6)
    assert (targets[-1].sd, targets[-1].relation) == (0.05, "~")


def test_a_number_without_its_sd_is_no_target(made):
    with (made.folder / "published.toml").open("a") as file:
        file.write(fact("bare", "~", "0.5", check="value"))
    read_published.cache_clear()
    with pytest.raises(EvidenceError, match="no `sd`"):
        targets_of(made.study, ["bare"])


@pytest.mark.parametrize("name", ["secret", "sides"])
def test_a_fact_without_an_open_value_cannot_be_fitted(made, name):
    with pytest.raises(EvidenceError, match="without an open value"):
        fit_study(made.study, [name], [RATE], steps=0)


@pytest.mark.parametrize(
    ("targets", "vary", "message"),
    [
        (["weka"], [RATE], "`weak`"),
        (["weak"], ["materials/calcium_peroxide:dissolution.acid_rat"], "acid_rate"),
        (["weak"], ["materials/calcium_peroxid:dissolution.acid_rate"], "calcium_peroxide"),
        (["weak"], ["material/calcium_peroxide:dissolution.acid_rate"], "kind/id:key"),
        (["weak"], ["calcium_peroxide"], "kind/id:key"),
        (["weak"], ["materials/copper_oxide:dissolution.acid_rate"], "no arm of the targets reads"),
        (["weak"], ["materials/calcium_peroxide:molar_mass"], "without a spread"),
    ],
)
def test_wrong_names_are_told_with_the_nearest(made, targets, vary, message):
    with pytest.raises((EvidenceError, CatalogueError), match=message):
        fit_study(made.study, targets, vary, steps=0)


def test_a_study_without_published_facts_says_so(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.format(fits=""))
    with pytest.raises(EvidenceError, match=r"published\.toml"):
        fit_study(load_study(tmp_path / "study.toml"), ["weak"], [RATE], steps=0)


def test_a_fit_stays_within_the_limits_of_the_sheet(made):
    """The density has a normal spread cut at 2600 kg/m^3; a release far too fast asks for a lighter core."""
    with (made.folder / "published.toml").open("a") as file:
        file.write(fact("fast", ">", "0.95", sd="0.0001"))
    read_published.cache_clear()
    found = fit_study(made.study, ["fast"], ["materials/calcium_peroxide:density"], steps=0)
    assert found.values[0].value >= 2600.0


def test_a_fit_comes_back_from_its_file(made):
    found = fit_study(made.study, ["strong", "weak"], [RATE, ORDER], steps=300, seed=4)
    path = made.folder / "made.toml"
    write_fit(found, path)
    overlay = load_fits(("made.toml",), made.study.path)
    assert overlay.facts == {"strong", "weak"}
    assert overlay.names == ("made.toml",)
    assert list(overlay.values) == [RATE, ORDER]
    for key, value in zip(found.keys, found.values, strict=True):
        again = overlay.values[key]
        assert again.value == pytest.approx(value.value, rel=1e-7)
        assert (again.unit, again.grade, again.source) == (value.unit, "fitted", "zhang_2019")
        assert again.note.startswith(value.note)
        assert "prior widths" in again.note
        assert again.distribution.kind == value.distribution.kind
    assert [list(t) for t in overlay.draws] == [[parameter_name(RATE), parameter_name(ORDER)]]
    for column, key in zip(found.draws.T, found.keys, strict=True):
        assert len(column) == DRAWS
        assert list(overlay.draws[0][parameter_name(key)]) == pytest.approx(column, rel=1e-4)
    assert 0.05 < found.quality["acceptance"] < 0.95
    assert np.all((found.draws[:, 1] >= 0.18) & (found.draws[:, 1] <= 2.0))
    assert np.median(found.draws[:, 0]) == pytest.approx(TRUE, rel=0.1)


def test_a_fit_without_a_walk_comes_back_too(made):
    write_fit(fit_study(made.study, ["weak"], [RATE], steps=0), made.folder / "made.toml")
    assert RATE in load_fits(("made.toml",), made.study.path).values


def test_a_fit_is_never_overwritten(made):
    found = fit_study(made.study, ["weak"], [RATE], steps=0)
    path = made.folder / "made.toml"
    path.write_text("mine")
    with pytest.raises(EvidenceError, match="never overwritten"):
        write_fit(found, path)
    assert path.read_text() == "mine"


def test_a_fit_changes_the_run_of_a_study_that_names_it(made):
    write_fit(fit_study(made.study, ["strong"], [RATE], steps=20), made.folder / "made.toml")
    (made.folder / "named.toml").write_text(STUDY.format(fits='"made.toml"'))
    study = load_study(made.folder / "named.toml")
    fitted = release(study, Overlay.of_study(study), "pH 5.0")
    assert fitted == pytest.approx(truth("pH 5.0"), rel=0.01)
    assert np.all(release(study, Overlay(), "pH 5.0") < 0.8 * fitted)


def test_a_value_fitted_twice_is_refused(made):
    found = fit_study(made.study, ["weak"], [RATE], steps=20)
    for name in ("a.toml", "b.toml"):
        write_fit(found, made.folder / name)
    with pytest.raises(CatalogueError, match=r"b\.toml"):
        load_fits(("a.toml", "b.toml"), made.study.path)
    with pytest.raises(CatalogueError, match="calcium_peroxide_release"):
        load_fits(("calcium_peroxide_releas",), made.study.path)


def test_a_walk_draws_the_posterior():
    """Residuals that are linear have a Gaussian posterior with the covariance (A^T A)^-1."""
    slopes = np.array([[1.0, 0.6], [0.0, 0.8], [0.3, 0.0]])
    centre = np.array([0.5, -1.0])
    best = SimpleNamespace(x=centre, cost=0.0, jac=slopes)
    wide = np.array([[-50.0, 50.0], [-50.0, 50.0]])
    draws, accepted = walk_posterior(lambda u: slopes @ (u - centre), best, wide, 8000, np.random.default_rng(1))
    exact = np.linalg.inv(slopes.T @ slopes)
    assert draws.shape == (DRAWS, 2)
    assert 0.15 < accepted < 0.6
    assert draws.mean(axis=0) == pytest.approx(centre, abs=4 * np.sqrt(exact.max() / DRAWS))
    assert np.cov(draws.T) == pytest.approx(exact, rel=0.35, abs=0.25)
    inside = np.array([[0.0, 1.0], [-2.0, 0.0]])
    cut, _ = walk_posterior(lambda u: slopes @ (u - centre), best, inside, 2000, np.random.default_rng(1))
    assert np.all((cut > inside[:, 0]) & (cut < inside[:, 1]))
