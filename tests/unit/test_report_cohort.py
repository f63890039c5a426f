"""A cohort on the page: two bands told apart, shares of the spread, statistics, and pages of runs without subjects."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from nanotrial.report.bands import band_ends, drawn_bands, is_cut
from nanotrial.report.charts import chart_spec, chart_svg, charts
from nanotrial.report.cohort import MOST_ROWS, subject_word, worlds
from nanotrial.report.comparisons import probability
from nanotrial.report.dish_charts import end_value
from nanotrial.report.page import page

TIMES = [0.0, 1.0, 2.0]


def curve(value: list[float], **changes: Any) -> dict[str, Any]:
    made = {
        "value": value,
        "low": [v - 0.3 for v in value],
        "high": [v + 0.3 for v in value],
        "mean_low": [0.9 * v for v in value],
        "mean_high": [1.1 * v for v in value],
        "sd": [0.1] * len(value),
        "share_unknown": [0.0, 0.5, 0.7],
        "share_between": [0.0, 0.3, 0.2],
        "share_noise": [1.0, 0.2, 0.1],
    }
    return made | changes


def arm(name: str, end: float, dish: bool) -> dict[str, Any]:
    cells = {"cells": "first", "cells_name": "Line 1", "medium": "Broth", "oxygen": 0.2} if dish else {}
    given = {"what": "dots", "kind": "particle", "at_h": 0.0, "amount": f"{end:g} mmol/L", "number": end}
    first = "viability" if dish else "release"
    return {
        "name": name,
        "status": "done",
        "reason": "",
        "particles": ["dots"],
        "ph": 7.0,
        "buffer": "phosphate",
        "buffer_concentration_mmol_per_l": 10.0,
        "temperature": "25 degC",
        "additions": [given],
        "removals": [],
        "curves": {first: curve([0.0, end / 2, end]), "atp": curve([3.0, 2.0, 1.0 + end])},
        "members_all": 80,
        "members_done": 80,
        "member_reasons": [],
        "imbalance": {},
        "protons": {},
        "budgets": [],
        "mechanisms": [],
        **cells,
    }


def row(name: str, **changes: Any) -> dict[str, Any]:
    made = {"arm": name, "n": 3, "failed": 0, "mean": 0.64, "sd": 0.03, "sem": 0.0173, "difference": -0.07}
    return made | {"p": 0.0216, "power": 0.85, "power_low": 0.64, "power_high": 0.95} | changes


def bare(name: str) -> dict[str, Any]:
    return row(name, difference=0.0, p=None, power=None, power_low=None, power_high=None)


def made(count: int, dish: bool = False) -> dict[str, Any]:
    arms = [arm(f"arm {i}", 0.2 + 0.6 * i / count, dish) for i in range(count)]
    first = "viability" if dish else "release"
    test = {"time_h": 2.0, "control": "arm 0", "alpha": 0.05, "worlds": 20, "p_of_all": 2e-9}
    rows = [bare("arm 0"), *(row(a["name"]) for a in arms[1:])]
    return {
        "format": 2,
        "title": "Cohort",
        "place": "dish" if dish else "tube",
        "seed": 1,
        "members": 20,
        "subjects": 3,
        "subject_word": "wells" if dish else "tubes",
        "way": "80 members per arm side by side in compiled code",
        "fits": [],
        "fitted_to": [],
        "measures": {
            first: {"unit": "1", "assay": "", "time_h": TIMES},
            "atp": {"unit": "mmol/L", "assay": "", "time_h": TIMES},
        },
        "comparisons": [
            {"measure": first, "unit": "1", **test, "arms": rows},
            {"measure": "atp", "unit": "mmol/L", **test, "arms": rows},
        ],
        "defaults": [],
        "particles": {},
        "arms": arms,
        "parameters": [],
        "citations": [],
        "bibliography": {},
    }


@pytest.fixture
def record() -> dict[str, Any]:
    return made(4)


def without_subjects(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record as a run with typical subjects alone leaves it."""
    for one in record["arms"]:
        for name, c in one["curves"].items():
            one["curves"][name] = {"value": c["value"], "low": c["mean_low"], "high": c["mean_high"]}
        one |= {"members_all": 20, "members_done": 20}
    return record | {"subjects": 0, "comparisons": []}


def without_members(record: dict[str, Any]) -> dict[str, Any]:
    for one in record["arms"]:
        one["curves"] = {name: {"value": c["value"]} for name, c in one["curves"].items()}
        one |= {"members_all": 0, "members_done": 0}
    return record | {"members": 0, "subjects": 0, "comparisons": [], "way": ""}


def section(text: str, name: str) -> str:
    return text.partition(f'<section id="{name}"')[2].partition("</section>")[0]


def bands_of(spec: dict[str, Any]) -> list[tuple[str, str]]:
    view = spec.get("spec", spec)
    areas = [layer for layer in view["layer"] if layer["mark"]["type"] == "area"]
    return [(layer["encoding"]["y"]["field"], layer["encoding"]["y2"]["field"]) for layer in areas]


def views(record: dict[str, Any]) -> list[dict[str, Any]]:
    specs = [chart_spec(c) for c in charts(record)]
    return [v for s in specs for v in s.get("concat", [s])]


@pytest.mark.parametrize("dish", [False, True])
def test_what_is_unknown_lies_on_the_band_of_one_reading(dish):
    record = made(4, dish)
    drawn = [bands_of(v) for v in views(record)]
    banded = [b for b in drawn if b]
    assert len(banded) >= 2
    assert all(b == [("low", "high"), ("mean_low", "mean_high")] for b in banded)
    for chart in charts(record):
        word = "well" if dish else "tube"
        assert f"what is unknown (the typical {word} of 20 worlds)" in chart.caption
        assert f"one reading (3 {word}s in each world, which differ" in chart.caption
        assert "member" not in chart.caption
        chart.definition.to_dict(validate=True)
        assert "<svg" in chart_svg(chart)


def test_inner_band_is_darker_and_outer_one_has_an_edge_in_every_crowd():
    rows = [{"low": 0.1, "high": 0.9, "mean_low": 0.4, "mean_high": 0.6, "y": 0.5}]
    for count in (1, 4, 20):
        outer, inner = drawn_bands(rows, count)
        assert inner.look["fillOpacity"] > 2 * outer.look["fillOpacity"] > 0
        assert outer.look["strokeWidth"] > inner.look["strokeWidth"] == 0
    assert drawn_bands(rows, 20)[1].look["fillOpacity"] < drawn_bands(rows, 1)[1].look["fillOpacity"]
    assert drawn_bands([{"y": 0.5}], 1) == []
    assert [b.low for b in drawn_bands([{"low": 0.1, "high": 0.9}], 1)] == ["low"]


@pytest.mark.parametrize("dish", [False, True])
def test_without_subjects_one_band_tells_what_is_unknown(dish):
    record = without_subjects(made(4, dish))
    drawn = [b for b in map(bands_of, views(record)) if b]
    assert drawn
    assert all(b == [("low", "high")] for b in drawn)
    assert all("what is unknown, from 5 to 95 % of 20 worlds" in c.caption for c in charts(record))
    text = page(record)
    assert "one reading" not in text
    assert "no experiment to test" in section(text, "statistics")
    assert "<table" not in section(text, "cohort")
    assert "one typical" in section(text, "cohort")


@pytest.mark.parametrize("dish", [False, True])
def test_without_members_nothing_has_a_band(dish):
    record = without_members(made(4, dish))
    assert not any(map(bands_of, views(record)))
    assert all(" band" not in c.caption.lower() for c in charts(record))
    text = page(record)
    assert "The central run alone" in section(text, "cohort")
    assert "nothing to test" in section(text, "statistics")
    assert "none, central run only" in text


def test_worlds_are_counted_honestly(record):
    assert worlds(record) == "20 worlds"
    record["arms"][1]["members_done"] = 79
    assert worlds(record) == "up to 20 worlds"
    assert "done, 79 of 80 members" in page(record)
    assert subject_word(record) == "tube"
    assert subject_word(record, 3) == "tubes"


def test_bars_of_a_dish_have_a_thick_line_in_a_thin_one():
    record = made(4, dish=True)
    for i, one in enumerate(record["arms"]):
        one["additions"].append({"what": f"agent_{i}", "kind": "agent", "at_h": 0.0, "amount": "1 g/L", "number": 1.0})
    chart = next(c for c in charts(record) if c.id == "figure-end-points")
    rules = [layer for layer in chart_spec(chart)["layer"] if layer["mark"]["type"] == "rule"]
    widths = {layer["encoding"]["x2"]["field"]: layer["mark"]["strokeWidth"] for layer in rules}
    assert widths["mean_high"] > 2 * widths["high"]
    assert "Thick line across a bar: what is unknown" in chart.caption
    assert set(end_value(record, "arm 0", "viability")) == {"y", "low", "high", "mean_low", "mean_high"}
    assert "arm 0: 20 % (−10 to 50 %)" in chart.description


def test_noise_below_zero_is_cut_and_told(record):
    rows = [{"y": 0.0, "mean_low": 0.0, "mean_high": 0.1, "low": -0.1, "high": 0.2}]
    assert is_cut(rows)
    assert not is_cut([rows[0] | {"low": 0.0}])
    assert not is_cut([rows[0] | {"y": -5.0}])
    chart = next(c for c in charts(record) if c.id == "figure-release")
    assert '"domainMin": 0' in json.dumps(chart_spec(chart))
    assert "it is cut off" in chart.caption
    assert "cut off" not in next(c for c in charts(record) if c.id == "figure-atp").caption


def test_logarithmic_panel_keeps_its_axis_when_noise_reaches_nothing():
    record = made(4, dish=True)
    steep = [1e-3, 50.0, 400.0]
    record["arms"][3]["curves"]["atp"] = curve(steep, low=[-1.0, 40.0, 300.0], high=[1.0, 60.0, 500.0])
    panel = next(v for v in views(record) if v.get("title", {}).get("text", "").endswith("(log axis)"))
    lows = [r["low"] for r in panel["data"]["values"] if "low" in r]
    assert min(lows) == pytest.approx(9e-4)
    assert "<svg" in chart_svg(charts(record)[-1])


@pytest.mark.parametrize(
    ("ends", "keys"),
    [
        ([0.1, 0.2, 0.1, 0.2], {"low", "high", "mean_low", "mean_high"}),
        ([0.1, 0.2, None, 0.2], {"low", "high"}),
        ([math.nan, 0.2, 0.1, 0.2], {"mean_low", "mean_high"}),
        ([None, None, None, None], set()),
    ],
)
def test_band_without_both_ends_is_left_out(ends, keys):
    assert set(band_ends(ends)) == keys


def test_shares_are_told_by_arm_where_few_and_as_a_range_where_many(record):
    few = section(page(record), "cohort")
    assert '70&nbsp;%</td><td class="number">20&nbsp;%</td><td class="number">10&nbsp;%' in few
    assert "Between tubes" in few
    assert record["way"] in few
    assert "320 of 320" in few
    many = made(MOST_ROWS)
    many["arms"][0]["curves"]["atp"]["share_unknown"][-1] = 0.002
    many["arms"][1]["curves"]["atp"]["share_unknown"][-1] = 0.999
    text = section(page(many), "cohort")
    assert "70&nbsp;% <small>(&lt;&nbsp;1 to &gt;&nbsp;99)</small>" in text
    assert "Shares by arm (12 arms)" in text
    assert "medians need not add up" in text


@pytest.mark.parametrize(
    ("changes", "members", "words"),
    [
        ({}, 1, "One world: what is unknown does not show"),
        ({"sd": [0.0], "low": [0.5], "high": [0.5]}, 20, "Nothing varies"),
        ({"low": [None], "high": [None], "sd": [None]}, 20, "No member reached its end"),
        ({"share_noise": [0.2]}, 20, "No world has two tubes that succeeded"),
        ({}, 20, "Fewer than two worlds succeeded"),
    ],
)
def test_missing_share_has_its_reason(record, changes, members, words):
    record["members"] = members
    nothing = {"share_unknown": [None], "share_between": [None], "share_noise": [None]}
    for one in record["arms"]:
        one["curves"]["release"] |= nothing | changes
    text = section(page(record), "cohort")
    assert f"{words}" in text
    assert "Release in all arms" in text


def test_no_share_at_all_is_said_in_words(record):
    for one in record["arms"]:
        for c in one["curves"].values():
            c |= {"share_unknown": [None], "share_between": [None], "share_noise": [None]}
    text = section(page(record), "cohort")
    assert "No shares of the spread" in text
    assert "<table" not in text


def test_statistics_tell_control_tests_and_what_they_are_not(record):
    text = section(page(record), "statistics")
    assert "Predicted experiments, not measured ones." in text
    assert "not adjusted for the number of arms" in text
    assert "Control: arm 0" in text
    assert "p &lt;&nbsp;0.001, median over worlds" in text
    rows = re.findall(r"<tr><th.*?</tr>", text)
    first = next(r for r in rows if "arm 1" in r)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", first)
    assert cells == ["3", "64.0", "3.0", "1.7", "−7.00", "0.022", "85&nbsp;% <small>(64 to 95)</small>"]
    assert "percentage points" in text
    assert "<details" not in text
    assert "Failed" not in text
    control = next(r for r in rows if "arm 0" in r)
    assert re.findall(r"<td[^>]*>(.*?)</td>", control)[-3:] == ["-", "-", "-"]


def test_many_arms_are_folded_with_what_matters_in_front():
    record = made(MOST_ROWS + 1)
    record["comparisons"][0]["arms"][2]["p"] = 0.4
    text = section(page(record), "statistics")
    assert "<summary>Release at 2 h: 11 of 12 arms with p below 0.05 against the control</summary>" in text
    assert text.count("<details") == 2


def test_failed_subjects_and_missing_tests_are_told(record):
    record["comparisons"][0]["arms"][1] |= {"failed": 7, "p": None, "power": None}
    record["comparisons"][1]["p_of_all"] = None
    record["arms"].append(arm("broken", 0.5, dish=False) | {"status": "failed", "reason": "stopped", "curves": {}})
    text = section(page(record), "statistics")
    assert "Failed <small>tubes of all worlds</small>" in text
    assert ">7</td>" in text
    assert "fewer than two tubes were left, or nothing varied" in text
    assert "no world gave an analysis of variance" in text
    assert "In no comparison: broken." in text
    record["comparisons"] = []
    assert "Nothing to compare" in section(page(record), "statistics")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1e-9, "&lt;&nbsp;0.001"),
        (0.001, "0.001"),
        (0.0216, "0.022"),
        (0.0496, "0.050"),
        (0.25, "0.25"),
        (0.995, "&gt;&nbsp;0.99"),
        (None, "-"),
        (math.nan, "-"),
    ],
)
def test_p_is_written_as_papers_do(value, shown):
    assert probability(value) == shown


def test_published_point_stands_beside_both_bands(record):
    point = {"id": "a", "arm": "arm 1", "measure": "atp", "time_h": 2.0, "value": 1.5, "relation": "="}
    record["published"] = [point | {"label": "figure 1", "source": "someone"}]
    record["arms"][1]["curves"]["atp"] = curve([3.0, 2.0, 1.5], mean_low=[0, 0, 1.25], mean_high=[3, 2, 1.75])
    text = section(page(record), "end-points")
    assert "1.25 to 1.75<br><small>1.2 to 1.8</small>" in text
    assert "In brackets: one reading" in text


def test_names_in_cohort_and_statistics_are_escaped(record):
    record["subject_word"] = "<i>s"
    record["way"] = "<script>"
    for one in record["comparisons"]:
        one["control"] = "<script>"
        one["arms"][0]["arm"] = "<script>"
    for one in record["arms"]:
        one["curves"]["atp"] |= {"share_unknown": [None], "share_between": [None], "share_noise": [0.1]}
        one["name"] += "<script>"
    text = page(record)
    assert "<script" not in text
    assert "<i>" not in text
