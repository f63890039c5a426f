"""The page of a run: complete, self-contained, honest about failures, and readable by machines that check it."""

from __future__ import annotations

import copy
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nanotrial.catalogue.lookup import references
from nanotrial.errors import OutputError
from nanotrial.report.charts import chart_png, chart_spec, chart_svg, charts
from nanotrial.report.layout import choose_layout
from nanotrial.report.page import page, write_report
from nanotrial.report.words import fixed, number, pretty, quantity, value_parts

TIMES = [0.0, 1.0, 2.0, 4.0]
VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


def arm(name: str, particle: str, ph: float, load: float, **changes: Any) -> dict[str, Any]:
    release = [0.0, 0.2 * load / ph, 0.5 * load / ph, 0.9 * load / ph]
    made = {
        "name": name,
        "status": "done",
        "reason": "",
        "particles": [particle],
        "ph": ph,
        "buffer": "phosphate",
        "buffer_concentration_mmol_per_l": 10.0,
        "temperature": "25 degC",
        "additions": [
            {"what": particle, "kind": "particle", "at_h": 0.0, "amount": f"{load:g} mmol/L", "number": load}
        ],
        "removals": [],
        "curves": {
            "release": {"value": release},
            "ph": {"value": [ph, ph + 0.5, ph + 1.0, ph + 1.1]},
            "hydrogen_peroxide": {"value": [load * r for r in release]},
        },
        "members_done": 0,
        "member_reasons": [],
        "imbalance": {"calcium": 2e-15, "peroxide": 0.0},
        "protons": {"free": -0.01, "phosphate": -1.9, "charge_error": 1e-6},
        "budgets": [
            {
                "name": "calcium in the load",
                "value": load,
                "unit": "mmol/L",
                "against": None,
                "meaning": "if all dissolves",
                "binds": False,
            },
            {
                "name": "protons needed for all of it",
                "value": 2 * load,
                "unit": "mmol/L",
                "against": 4.5,
                "meaning": "enough for 45 % of the load",
                "binds": 2 * load > 4.5,
            },
        ],
        "mechanisms": ["particle.dissolution"],
        "states": 9,
    }
    return made | changes


def parameter(name: str, value: str, grade: str, source: str = "assumed") -> dict[str, Any]:
    return {
        "parameter": name,
        "value": value,
        "number": 1.0,
        "unit": "1",
        "grade": grade,
        "source": source,
        "locator": "somewhere",
        "note": "because",
    }


def make(arms: list[dict[str, Any]]) -> dict[str, Any]:
    particle = {
        "core": "calcium peroxide",
        "formula": "CaO2",
        "diameter": "4.5 nm",
        "geometric_sd": 1.0,
        "coating": [],
        "described": {},
        "dopants": {},
    }
    coated = particle | {
        "coating": [{"material": "sodium_hyaluronate", "amount": "mass fraction 0.2"}],
        "described": {"zeta_shift": "-20 (-45 to -5) mV [assumed]", "source": "assumed", "hydrodynamic_note": "swells"},
    }
    return {
        "format": 1,
        "title": "Release",
        "place": "tube",
        "study_file": "s.toml",
        "study_sha256": "ab" * 32,
        "nanotrial": "0.1.0",
        "versions": {"python": "3.12"},
        "seed": 1,
        "members": 0,
        "fits": [],
        "fitted_to": [],
        "measures": {
            "release": {"unit": "1", "assay": "", "time_h": TIMES},
            "ph": {"unit": "1", "assay": "", "time_h": TIMES},
            "hydrogen_peroxide": {"unit": "mmol/L", "assay": "", "time_h": TIMES},
        },
        "defaults": [{"key": "s.toml: subject.volume", "value": "10 mL", "reason": "vessels/tube"}],
        "particles": {"bare": particle, "coated": coated},
        "arms": arms,
        "parameters": [
            parameter("calcium_peroxide.dissolution.acid_order", "0.35 (0.18 to 0.6) [assumed]", "assumed"),
            parameter("aqueous.water.log_k", "-14 ± 0.003 [measured]", "measured", "sander_2023"),
            parameter("tube.volume", "1e-05 m^3", "study", "-"),
        ],
        "citations": ["assumed", "sander_2023", "no_such_key"],
        "bibliography": {k: references()[k] for k in ("assumed", "sander_2023")},
    }


@pytest.fixture
def record() -> dict[str, Any]:
    return make(
        [
            arm(f"{p} pH {ph} {load:g} mmol/L", p, ph, load)
            for p in ("bare", "coated")
            for ph in (5.0, 6.5)
            for load in (1.0, 5.0)
        ]
    )


def drawn(chart: Any) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return rows


class Tags(HTMLParser):
    """Collects tags and attributes, and checks that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def no_network(text: str) -> None:
    for tag, attributes in Tags(text).found:
        for key in ("src", "href", "xlink:href", "data", "action"):
            target = attributes.get(key) or ""
            if re.match(r"(https?:)?//", target):
                assert tag == "a"
                assert target.startswith("https://doi.org/")
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_page_needs_nothing_else_and_has_no_script(record):
    text = page(record)
    no_network(text)
    assert "<script" not in text
    assert "default-src 'none'" in text


def test_live_page_embeds_what_it_runs_and_keeps_the_static_figures(record):
    record["title"] = "</script><b>"
    text = page(record, interactive=True)
    no_network(text)
    specs = json.loads(re.search(r'id="specs">(.*?)</script>', text)[1])
    assert set(specs) == {c.id for c in charts(record)}
    assert text.partition("<script")[0].count("<svg") == 2 * len(specs)
    assert text.count("</script") == 2


def test_ids_are_unique(record):
    ids = [a["id"] for _, a in Tags(page(record)).found if "id" in a]
    assert len(ids) == len(set(ids))


def test_assumed_values_come_before_budgets_figures_and_end_points(record):
    text = page(record)
    order = [
        text.index(f'<section id="{i}"')
        for i in (
            "run",
            "assumptions",
            "fitted",
            "budgets",
            "cohort",
            "figures",
            "end-points",
            "statistics",
            "balances",
            "parameters",
            "mechanisms",
            "citations",
            "provenance",
        )
    ]
    assert order == sorted(order)
    assumed = text.index("anywhere from 0.18 to 0.6")
    assert order[1] < assumed < order[2]
    assert order[1] < text.index("subject.<wbr>volume") < order[2]
    assert assumed < text.index("<svg")


def test_disclaimer_and_descriptions_are_there(record):
    text = page(record)
    assert "Research software, not a medical device." in text
    assert "Described, not computed" in text
    assert "anywhere from −45 to −5 mV" in text
    assert "ab" * 32 in text


def test_failed_arm_is_first_red_and_has_its_reason(record):
    name = record["arms"][3]["name"]
    empty = {m: {"value": [None] * 4} for m in record["measures"]}
    record["arms"][3] |= {
        "status": "failed",
        "reason": f"arm `{name}`: calcium fell below <zero>",
        "curves": empty,
        "budgets": [],
        "imbalance": {},
        "protons": {},
        "mechanisms": [],
    }
    text = page(record)
    assert "1 of 8 arms failed" in text
    assert text.index(f'<tr class="failed"><th scope="row" class="nowrap">{name}') < text.index(
        '<th scope="row" class="nowrap">bare pH 5.0'
    )
    assert "calcium fell below &lt;zero&gt;" in text
    assert all(name not in {r["arm"] for r in drawn(c)} for c in charts(record))


def test_all_arms_failed_gives_a_page_without_figures(record):
    for one in record["arms"]:
        one |= {"status": "failed", "reason": "stopped", "curves": {}, "budgets": [], "imbalance": {}, "protons": {}}
    text = page(record)
    assert "nothing to draw" in text
    assert "<svg" not in text


def test_every_text_of_the_record_is_escaped(record):
    def poison(thing: Any) -> Any:
        if isinstance(thing, dict):
            return {k: v if k in ("status", "grade", "unit", "kind", "assay") else poison(v) for k, v in thing.items()}
        if isinstance(thing, list):
            return [poison(v) for v in thing]
        return thing + '<script>"x"</script>' if isinstance(thing, str) else thing

    bad = poison(record)
    bad["published"] = [
        {
            "id": "<script>",
            "arm": bad["arms"][0]["name"],
            "measure": "release",
            "time_h": 2.0,
            "value": 0.2,
            "relation": "=",
            "label": "<script>",
            "source": "<script>",
        }
    ]
    bad["published_note"] = "<script>"
    for one in bad["arms"]:
        one["member_reasons"] = ["<script>"]
        one["imbalance"] = {"<script>": 1.0}
        one["protons"] = {"<script>": 1.0}
    bad["measures"]["<script>"] = bad["measures"].pop("hydrogen_peroxide")
    for one in bad["arms"]:
        one["curves"]["<script>"] = one["curves"].pop("hydrogen_peroxide")
    text = page(bad)
    Tags(text)
    assert "<script" not in text


def test_missing_and_broken_numbers_are_tolerated(record):
    first, second = record["arms"][:2]
    first["curves"]["release"]["value"] = [None, math.nan, 0.2, None]
    second["curves"]["release"] = {"value": [None] * 4, "low": [None] * 4, "high": [None] * 4}
    first["imbalance"] = {"calcium": math.nan}
    first["protons"] = {"free": math.nan, "charge_error": math.inf}
    first["budgets"][0]["value"] = None
    first["budgets"][1]["against"] = math.nan
    text = page(record)
    visible = re.sub(r"<[^>]*>", " ", text.partition("<main>")[2])
    assert not re.search(r"\b(nan|NaN|None|inf)\b", visible)
    assert "could not be computed" in text


@pytest.mark.parametrize(
    ("size", "reading"), [(1e-12, "closes to rounding"), (1e-7, "solver's tolerance"), (1e-3, "does not close")]
)
def test_balances_are_read_out(record, size, reading):
    record["arms"][0]["imbalance"]["calcium"] = size
    assert reading in page(record)


def test_ceiling_that_binds_is_shaded_and_spelt_out(record):
    text = page(record)
    assert "binds in 4 of 8 arms" in text
    assert text.count('<td class="number binds">') == 4
    assert "enough for 45 % of the load" in text


def test_layout_follows_what_varies(record):
    layout = choose_layout(record["arms"])
    assert (layout.panel, layout.colour, layout.dash) == ("particle", "ph", "load")
    assert layout.order["ph"] == ["5.0", "6.5"]
    assert layout.place("coated pH 6.5 5 mmol/L") == {"panel": "coated", "colour": "6.5", "dash": "5 mmol/L"}


def test_figures_of_arms_that_differ_in_nothing_known_are_coloured_by_name(record):
    record["arms"] = [arm(f"day {i}", "bare", 5.0, 1.0) for i in range(9)]
    assert choose_layout(record["arms"]).colour == "arm"
    made = charts(record)
    assert [c.id for c in made] == ["figure-release", "figure-hydrogen_peroxide", "figure-ph"]
    assert "coincide" in made[0].caption
    assert all("<svg" in chart_svg(c, narrow) for c in made for narrow in (False, True))


def test_single_arm_has_figures_without_legend(record):
    record["arms"] = record["arms"][:1]
    (first, *_) = charts(record)
    spec = chart_spec(first)
    assert "facet" not in spec
    assert "legend" not in json.dumps(spec["layer"])
    assert "<svg" in chart_svg(first)


def test_shares_are_shown_in_percent_and_definitions_are_valid(record):
    for chart in charts(record):
        chart.definition.to_dict(validate=True)
        format_ = chart_spec(chart)["spec"]["layer"][0]["encoding"]["y"]["axis"].get("format")
        assert (format_ == "~%") == (chart.id == "figure-release")


def test_narrow_figure_has_one_column(record):
    (first, *_) = charts(record)
    assert chart_spec(first)["columns"] == 2
    assert chart_spec(first, narrow=True)["columns"] == 1


def test_bands_published_points_and_readings_are_drawn(record):
    record["members"] = 20
    name = record["arms"][0]["name"]
    for one in record["arms"]:
        value = one["curves"]["release"]["value"]
        one["curves"]["release"] |= {"low": [0.9 * v for v in value], "high": [1.1 * v for v in value]}
        one["curves"]["hydrogen_peroxide"] |= {
            "reading": [0.01, 0.2, None, 2.0],
            "reading_sd": 0.05,
            "flag": [-1, 0, 0, 1],
        }
    record["published"] = [
        {
            "id": str(i),
            "arm": where,
            "measure": "release",
            "time_h": 3.0,
            "value": 0.12,
            "relation": relation,
            "label": "figure 3",
            "source": "someone",
        }
        for i, (relation, where) in enumerate(
            [("=", name), ("~", name), ("<", name), (">", name), ("=", "no such arm")]
        )
    ]
    made = {c.id: c for c in charts(record)}
    rows = drawn(made["figure-release"])
    assert sorted(r["relation"] for r in rows if r["kind"] == "published") == ["<", "=", ">", "~"]
    assert all("low" in r for r in rows if r["kind"] == "curve")
    assert "less than this" in made["figure-release"].caption
    assert "what is unknown, from 5 to 95 % of up to 20 worlds" in made["figure-release"].caption
    reading = made["figure-hydrogen_peroxide-reading"]
    assert "below the detection limit" in reading.caption
    assert "<svg" in chart_svg(reading)
    text = page(record)
    assert "above the highest absorbance" in text
    assert "14&nbsp;%" in text  # halfway between 0.5/5 and 0.9/5 at 3 h


def test_png_has_its_signature(record):
    assert chart_png(charts(record)[0], scale=1.0).startswith(b"\x89PNG\r\n\x1a\n")


def test_citations_have_doi_links_and_bibtex(record):
    text = page(record)
    assert 'href="https://doi.org/10.5194/acp-23-10901-2023"' in text
    assert "@article{sander_2023" in text
    assert "<code>no_such_key</code>" in text


def test_report_is_written_and_a_bad_place_is_named(record, tmp_path):
    write_report(record, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(OutputError, match="could not be written"):
        write_report(record, tmp_path / "missing" / "report.html")


def test_record_is_left_as_it_was(record):
    before = copy.deepcopy(record)
    page(record)
    assert record == before


def test_importing_the_report_loads_no_chart_library():
    import subprocess
    import sys

    code = "import sys, nanotrial.report.page; print({'altair', 'vl_convert'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_templates_travel_with_the_package():
    import nanotrial.report

    folder = Path(nanotrial.report.__file__).parent
    assert (folder / "page.html").is_file()
    assert (folder / "style.css").is_file()


@pytest.mark.parametrize(
    ("text", "value", "spread"),
    [
        ("0.35 (0.18 to 0.6) [assumed]", "0.35", "anywhere from 0.18 to 0.6"),
        ("50 (20 to 80) kJ/mol [assumed]", "50 kJ/mol", "anywhere from 20 to 80 kJ/mol"),
        ("4e-06 ×/÷ 3 m/s [assumed]", "4&thinsp;×&thinsp;10<sup>−6</sup> m/s", "about a factor of 3 either way"),
        ("-14 ± 0.003 [measured]", "−14", "standard deviation 0.003"),
        ("401.3 g/mol [derived]", "401.3 g/mol", "-"),
        ("", "", "-"),
    ],
)
def test_spread_in_words(text, value, spread):
    assert value_parts(text) == (value, spread)


def test_numbers_in_words():
    assert number(0.123456) == "0.123"
    assert number(3.6, keep=True) == "3.60"
    assert number(-1234.5) == "−1234" or number(-1234.5) == "−1235"
    assert number(2.5e-15, 2) == "2.5&thinsp;×&thinsp;10<sup>−15</sup>"
    assert [number(v) for v in (None, math.nan, "x", 0)] == ["-", "-", "-", "0"]
    assert fixed(-1e-7) == "0.000"
    assert pretty("25 degC") == "25 °C"
    assert quantity("calcium_peroxide.dissolution.acid_order") == "Calcium peroxide: dissolution, acid order"
    assert quantity("calcium_peroxide.peroxide.half_ph") == "Calcium peroxide: peroxide, half pH"
