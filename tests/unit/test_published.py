"""Published files: read strictly, and the points they give to figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nanotrial.catalogue.lookup import ROOT
from nanotrial.errors import EvidenceError
from nanotrial.evidence.published import published_points, read_published
from nanotrial.study import load_study


def test_points_for_figures_are_those_of_arms_and_measures_shown():
    study = load_study(ROOT / "systems" / "copper_oxide" / "dissolution.toml")
    points = published_points(study)
    curves = read_published(ROOT / "systems" / "copper_oxide" / "published.toml")[1]
    assert len(points) == sum(len(c.times) for c in curves)
    assert {p["id"] for p in points} == {c.id for c in curves}
    first = next(p for p in points if p["id"] == "copper_oxide/iron_0" and p["time_h"] == 1.5)
    assert first["value"] == pytest.approx(1.629, rel=1e-12)
    assert published_points(replace(study, arms=study.arms[:1])) == [
        p for p in points if p["arm"] == study.arms[0].name
    ]
    assert published_points(replace(study, measures=())) == []
    assert published_points(replace(study, published="")) == []
    release = load_study(ROOT / "systems" / "calcium_peroxide" / "release.toml")
    assert {p["id"] for p in published_points(release)} == {
        f.id
        for f in read_published(release.path.parent / "published.toml")[0]
        if f.check in ("value", "bound") and not f.held_out
    }


GOOD = {"id": '"a"', "study": '"study.toml"', "arm": '"x"', "measure": '"release"', "at": '"1 h"', "check": '"value"',
        "value": "0.5", "source": '"zhang_2019"'}  # fmt: skip


def published(folder: Path, kind: str = "fact", **changes: str | None) -> Path:
    (folder / "study.toml").touch()
    rows = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    path = folder / "published.toml"
    path.write_text(f"[[{kind}]]\n" + "\n".join(f"{k} = {v}" for k, v in rows.items()))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mesure": '"release"'}, "`measure`"),
        ({"check": '"guess"'}, "value or bound"),
        ({"at": None}, "`at`"),
        ({"study": '"elsewhere.toml"'}, "elsewhere"),
        ({"source": '"zhang_2018"'}, "`zhang_2019`"),
        ({"at": '"1 mm"'}, "1 mm"),
    ],
)
def test_a_published_file_is_read_strictly(tmp_path, changes, message):
    assert read_published(published(tmp_path))[0][0].value == 0.5
    folder = tmp_path / "bad"
    folder.mkdir()
    with pytest.raises(Exception, match=message) as caught:
        read_published(published(folder, **changes))
    assert "fact[1]" in str(caught.value)


def test_an_unknown_kind_of_row_names_the_nearest(tmp_path):
    with pytest.raises(EvidenceError, match="`fact`"):
        read_published(published(tmp_path, kind="facts"))
