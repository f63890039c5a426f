"""The page of a dish: arms grouped by what differs, end points against dose, frames, warnings, no talk of buffers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from nanotrial.report.charts import chart_spec, chart_svg, charts
from nanotrial.report.dish_charts import end_value
from nanotrial.report.groups import MOST_ARMS, MOST_CROSSED, dose_series, group_arms
from nanotrial.report.page import page
from nanotrial.report.words import measure_axis

HOURS = [0.0, 6.0, 12.0, 24.0]
FRAMES = [i * 80 / 3600 for i in range(17)]


def given(what: str, amount: float, kind: str = "agent") -> dict[str, Any]:
    return {"what": what, "kind": kind, "at_h": 0.0, "amount": f"{amount:g} mmol/L", "number": amount}


def arm(name: str, *additions: dict[str, Any], alive: float = 0.9, **changes: Any) -> dict[str, Any]:
    def curve(times: list[float], last: float, first: float = 1.0) -> dict[str, Any]:
        value = [first + (last - first) * t / times[-1] for t in times]
        return {"value": value, "low": [0.9 * v for v in value], "high": [1.1 * v for v in value]}

    budget = {
        "name": "calcium a cell clears",
        "value": 5.0,
        "unit": "fmol",
        "against": 9.0,
        "meaning": "",
        "binds": False,
    }
    made = {
        "name": name,
        "status": "done",
        "reason": "",
        "particles": [a["what"] for a in additions if a["kind"] == "particle"],
        "ph": 7.41,
        "temperature": "37 degC",
        "buffer": "broth",
        "buffer_concentration_mmol_per_l": None,
        "cells": "first",
        "cells_name": "Line 1",
        "cells_origin": "tumour",
        "medium": "Broth A",
        "serum": 0.1,
        "well": "small well",
        "seeding_density": "3e+04 1/cm^2",
        "volume": "100 uL",
        "oxygen": 0.186,
        "carbon_dioxide": 0.05,
        "cell_classes": 3,
        "additions": list(additions),
        "removals": [],
        "curves": {
            "viability": curve(HOURS, alive),
            "atp": curve(HOURS, 2.5, 3.0),
            "calcium_fluorescence": curve([*FRAMES, *HOURS[1:]], 1.4),
        },
        "members_done": 4,
        "member_reasons": [],
        "imbalance": {"calcium": 1e-15},
        "protons": {},
        "budgets": [budget],
        "mechanisms": ["cell.calcium"],
        "states": 9,
    }
    return made | changes


def others(**changes: Any) -> dict[str, Any]:
    return {"cells": "second", "cells_name": "Line 2", "medium": "Broth B", "ph": 7.68} | changes


@pytest.fixture
def record() -> dict[str, Any]:
    def dots(dose: float) -> dict[str, Any]:
        return given("dots", dose, "particle")

    arms = [
        arm("bare", alive=1.0),
        *(arm(f"dots {d:g}", dots(d), alive=1 - d / 10) for d in (0.1, 0.5, 1.0, 5.0)),
        *(arm(f"salt {d:g}", given("some_salt", d)) for d in (1.0, 2.0, 5.0)),
        arm("poison", given("poison", 0.1), alive=0.8),
        arm("dots + guard", dots(1.0), given("guard", 2.0)),
        arm("second bare", **others()),
        arm("second dots", dots(1.0), **others()),
        arm("thin air, dots", dots(1.0), oxygen=0.01),
    ]
    point = {"measure": "viability", "time_h": 24.0, "source": "someone"}
    return {
        "format": 1,
        "title": "Cells",
        "place": "dish",
        "members": 4,
        "seed": 1,
        "fits": [],
        "fitted_to": [],
        "warnings": [{"key": "s.toml: subject.cells", "text": "Line 2 is <not> what it is called"}],
        "measures": {
            "viability": {"unit": "1", "assay": "", "probe": "p", "time_h": HOURS},
            "atp": {"unit": "mmol/L", "assay": "", "probe": "", "time_h": HOURS},
            "calcium_fluorescence": {"unit": "1", "assay": "", "probe": "q", "time_h": [*FRAMES, *HOURS[1:]]},
        },
        "defaults": [],
        "particles": {},
        "arms": arms,
        "parameters": [],
        "citations": [],
        "bibliography": {},
        "published": [
            point | {"id": "a", "arm": "poison", "value": 0.5, "relation": "<", "label": "below half"},
            point | {"id": "b", "arm": "dots 1", "value": 0.45, "relation": "~", "label": "about 45 %"},
        ],
    }


def drawn(chart: Any) -> list[dict[str, Any]]:
    spec = chart_spec(chart)
    inline = [r for view in spec.get("concat", []) for r in view.get("data", {}).get("values", [])]
    return inline + [r for rows in spec.get("datasets", {}).values() for r in rows]


def test_doses_of_one_thing_alone_make_a_series(record):
    series = {s.label: s for s in dose_series(record["arms"])}
    assert list(series) == ["dots particles", "some salt"]
    assert series["dots particles"].points == ((0.1, "dots 0.1"), (0.5, "dots 0.5"), (1.0, "dots 1"), (5.0, "dots 5"))
    assert series["some salt"].untreated == "bare"


def test_two_doses_are_no_series_and_a_dose_in_other_cells_is_not_mixed_in(record):
    record["arms"] = [a for a in record["arms"] if a["name"] not in ("salt 5", "dots 0.1", "dots 5")]
    assert dose_series(record["arms"]) == []


def test_every_arm_is_grouped_beside_what_it_differs_from(record):
    groups = {g.title: g for g in group_arms(record["arms"])}
    assert set(groups) == {
        "Doses of dots particles",
        "Doses of some salt",
        "Given alone or together",
        "Particles with something else",
        "Cell lines",
        "Oxygen",
    }
    assert {a for g in groups.values() for a in g.arms} == {a["name"] for a in record["arms"]}
    mixed = groups["Particles with something else"]
    assert mixed.references == {"bare", "dots 1"}
    assert mixed.own == ["dots + guard"]
    lines = groups["Cell lines"]
    assert lines.colours == {"bare": "Line 1", "dots 1": "Line 1", "second bare": "Line 2", "second dots": "Line 2"}
    assert set(lines.styles.values()) == {"nothing", "dots particles 1 mmol/L"}
    assert groups["Oxygen"].colours == {"dots 1": "oxygen 18.6 %", "thin air, dots": "oxygen 1 %"}


def test_no_group_has_more_arms_than_can_be_read(record):
    record["arms"] += [arm(f"agent {i}", given(f"agent_{i}", 1.0)) for i in range(15)]
    record["arms"] += [
        arm(f"line {i}{n}", *add, **others(cells=f"l{i}", cells_name=f"L{i}"))
        for i in range(9)
        for n, add in (("", ()), (" dots", (given("dots", 1.0, "particle"),)))
    ]
    groups = group_arms(record["arms"])
    assert all(len(g.arms) <= (MOST_CROSSED if g.styles else MOST_ARMS) for g in groups)
    assert {a for g in groups for a in g.arms} == {a["name"] for a in record["arms"]}
    assert len({g.title for g in groups}) == len(groups)


def test_few_arms_share_one_figure(record):
    record["arms"] = record["arms"][:3]
    (group,) = group_arms(record["arms"])
    assert group.arms == ("bare", "dots 0.1", "dots 0.5")
    assert group.references == {"bare"}


def test_dose_figure_has_a_logarithmic_axis_bands_and_the_published_value(record):
    chart = next(c for c in charts(record) if c.id == "figure-doses")
    rows = drawn(chart)
    at_one = next(r for r in rows if r["kind"] == "dose" and r["thing"] == "dots particles" and r["dose"] == 1.0)
    assert (at_one["y"], at_one["low"], at_one["high"]) == (0.9, 0.81, 0.99)
    assert [r["published"] for r in rows if r["kind"] == "published"] == [0.45]
    assert '"type": "log"' in json.dumps(chart_spec(chart))
    assert "90 % at 1 mmol/L" in chart.description
    assert "what is unknown, from 5 to 95 % of up to 4 worlds" in chart.caption


def test_bars_leave_out_dose_series_and_show_what_was_reported(record):
    chart = next(c for c in charts(record) if c.id == "figure-end-points")
    rows = drawn(chart)
    bars = [r for r in rows if r["kind"] == "bar"]
    assert "salt 2" not in {r["arm"] for r in bars}
    assert {"poison", "dots + guard", "second dots", "thin air, dots"} <= {r["arm"] for r in bars if not r["held"]}
    mark = next(r for r in rows if r["kind"] == "published" and r["arm"] == "poison")
    assert mark["row"] == next(r["row"] for r in bars if r["arm"] == "poison")
    places = [r["row"] for r in rows if r["kind"] != "published"]
    assert places == list(range(len(places)))
    assert "the paper says less than this" in chart.caption


def test_frames_are_drawn_in_minutes_apart_from_the_whole_course(record):
    chart = next(c for c in charts(record) if c.id.startswith("figure-under-the-microscope"))
    early, whole = chart_spec(chart)["concat"]
    assert early["layer"][-1]["mark"]["type"] == "point"
    assert early["layer"][0]["encoding"]["x"]["axis"]["title"] == "Time (min)"
    assert max(r["t"] for r in early["data"]["values"]) == pytest.approx(64 / 3, abs=1e-3)
    assert max(r["t"] for r in whole["data"]["values"]) == 24.0


def test_figures_are_valid_and_have_a_narrow_variant(record):
    for chart in charts(record):
        chart.definition.to_dict(validate=True)
        narrow = chart_spec(chart, narrow=True)
        assert narrow.get("columns", 1) == 1
        assert {v["width"] for v in narrow.get("concat", [narrow])} == {275}
        assert chart.description
        assert chart.caption
    assert "<svg" in chart_svg(charts(record)[-1], narrow=True)


def test_steep_arms_get_a_logarithmic_axis_and_small_differences_stay_small(record):
    record["arms"][8]["curves"]["atp"] = {"value": [3.0, 100.0, 400.0, 900.0]}
    made = {c.id: c for c in charts(record)}
    steep = chart_spec(made["figure-state-of-the-cells-given-alone-or-together"])["concat"]
    assert any("(log axis)" in v["title"]["text"] for v in steep)
    for one in record["arms"]:
        one["curves"]["atp"] = {"value": [3.0, 3.0, 3.0, 3.001]}
    chart = next(c for c in charts(record) if c.id.endswith("oxygen") and "state" in c.id)
    view = next(v for v in chart_spec(chart)["concat"] if v["title"]["text"].startswith("ATP"))
    low, high = view["layer"][-1]["encoding"]["y"]["scale"]["domain"]
    assert high - low >= 0.3


def test_page_tells_of_cells_and_warnings_and_never_of_buffers(record):
    text = page(record)
    assert 'class="warnings"' in text
    assert "Line 2 is &lt;not&gt; what it is called" in text
    assert text.index('class="warnings"') < text.index("<strong>Cultures.</strong>")
    assert "buffer" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()
    for part in ("Broth B", "small well", "18.6&nbsp;%", "dots 0.5 mmol/L", "Line 2", "tumour"):
        assert part in text


def test_reported_stands_beside_predicted_with_its_band(record):
    text = page(record)
    table = text[text.index("Reported against predicted") :]
    assert text.index('<section id="end-points"') < text.index("Reported against predicted")
    row = re.search(r"<tr><th[^>]*>below half</th>.*?</tr>", table)[0]
    assert "below 50&nbsp;%" in row
    assert "80&nbsp;%" in row
    assert "72 to 88&nbsp;%" in row


def test_shares_are_percent_and_other_measures_say_what_they_count(record):
    assert measure_axis("viability", "1") == "Viability"
    assert measure_axis("exported_vesicles", "1") == "Exported vesicles (per cell)"
    assert measure_axis("cytosolic_calcium", "umol/L") == "Cytosolic calcium (µmol/L)"
    assert measure_axis("atp", "mmol/L") == "ATP (mmol/L)"
    assert "80&nbsp;% <small>(72.0 to 88.0)" in page(record)


def test_arms_with_the_same_budgets_share_a_row(record):
    record["arms"][3]["budgets"] = [record["arms"][3]["budgets"][0] | {"value": 7.0}]
    text = page(record)
    section = text[text.index('<section id="budgets"') : text.index('<section id="figures"')]
    assert len(re.findall(r"<tr>", section)) == 3  # heading, the shared row, the one that differs
    assert "Arms with the same budgets share a row" in section


def test_failed_arms_are_not_drawn_and_nothing_drawn_without_them(record):
    record["arms"][8] |= {"status": "failed", "reason": "stopped", "curves": {}, "budgets": []}
    assert all("poison" not in {r.get("arm") for r in drawn(c)} for c in charts(record))
    assert "stopped" in page(record)
    for one in record["arms"]:
        one |= {"status": "failed", "curves": {}, "budgets": []}
    assert charts(record) == []


def test_end_values_skip_what_is_missing(record):
    record["arms"][0]["curves"]["viability"]["value"][-1] = None
    assert end_value(record, "bare", "viability") == {}
    assert end_value(record, "no such arm", "viability") == {}
    page(record)
