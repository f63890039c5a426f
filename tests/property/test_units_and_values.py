"""Units there and back, samples that follow their distribution, and values that must not load."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.errors import CatalogueError, NanotrialError, UnitError
from nanotrial.units import difference_to_si, dimension_of, display, from_si, parse, to_si
from nanotrial.values import Distribution, Value, read_value

FAMILIES = [
    ["m", "nm", "um", "mm", "km"],
    ["s", "min", "h", "d", "ms"],
    ["mol/L", "mmol/L", "umol/L", "mol/m^3", "M", "nM"],
    ["kg/m^3", "g/mL", "mg/mL", "ug/uL"],
    ["m^3", "L", "mL", "uL"],
    ["1/s", "1/h", "Hz"],
    ["J/mol", "kJ/mol", "kcal/mol"],
    ["U/mL", "mol/s/m^3", "umol/min/mL"],
    ["Pa", "bar", "mmHg", "atm"],
    ["1", "percent", ""],
]
UNITS = st.sampled_from([unit for family in FAMILIES for unit in family])
PAIRS = st.sampled_from(FAMILIES).flatmap(lambda f: st.tuples(st.sampled_from(f), st.sampled_from(f)))
NUMBERS = st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30) | st.just(0.0)
ROUNDING = 1e-13  # a handful of multiplications by factors that pint rounds


@given(number=NUMBERS, unit=UNITS)
def test_a_displayed_number_parses_to_itself(number, unit):
    shown = display(to_si(number, unit), unit, digits=17)
    assert parse(shown, unit, "here") == pytest.approx(to_si(number, unit), rel=ROUNDING, abs=0.0)


@given(number=NUMBERS, pair=PAIRS)
def test_conversion_there_and_back(number, pair):
    first, second = pair
    there = from_si(to_si(number, first), second)
    assert from_si(to_si(there, second), first) == pytest.approx(number, rel=ROUNDING, abs=0.0)
    assert dimension_of(first) == dimension_of(second)
    assert difference_to_si(number, first) == pytest.approx(to_si(number, first), rel=ROUNDING, abs=0.0)


@given(number=st.floats(-200.0, 1000.0))
def test_temperatures_have_an_offset_and_differences_have_none(number):
    assert to_si(number, "degC") == pytest.approx(number + 273.15, rel=ROUNDING)
    assert from_si(to_si(number, "degC"), "degC") == pytest.approx(number, rel=ROUNDING, abs=1e-10)
    assert difference_to_si(number, "degC") == pytest.approx(number, rel=ROUNDING)
    assert parse(f"{number!r} degC", "K", "here") == pytest.approx(number + 273.15, rel=ROUNDING)


@pytest.mark.parametrize(
    ("text", "unit", "si"),
    [
        ("4.5 nm", "m", 4.5e-9),
        ("4.5nm", "um", 4.5e-9),
        (" +1e-3 mol/L ", "mmol/L", 1.0),
        (".5 h", "s", 1800.0),
        ("2. min", "h", 120.0),
        ("3 U/mL", "mol/s/m^3", 3e-6 / 60 / 1e-6),
        ("25 percent", "1", 0.25),
        ("3 1/h", "1/s", 3 / 3600),
        ("7", "1", 7.0),
        (7, "1", 7.0),
        (0.25, "percent", 0.25),
    ],
)
def test_texts_that_parse(text, unit, si):
    assert parse(text, unit, "here") == pytest.approx(si, rel=ROUNDING, abs=0.0)


@pytest.mark.parametrize(
    "text", ["", "nm", "4.5", "4.5 nmm", "4.5 s", "1,5 nm", "nan nm", "1e nm", 4.5, True, None, [1]]
)
def test_texts_that_do_not_parse_name_the_place(text):
    with pytest.raises(UnitError, match=r"^study\.toml: key: found"):
        parse(text, "nm", "study.toml: key")


SPREADS = {
    "normal": st.builds(lambda sd: {"sd": sd}, st.floats(1e-3, 50.0)),
    "lognormal": st.builds(lambda g: {"geometric_sd": g}, st.floats(1.001, 20.0)),
    "uniform": st.builds(lambda a, b: {"low": 10.0 - a, "high": 10.0 + b}, st.floats(0.1, 9.0), st.floats(0.1, 90.0)),
}
UNIT_FAMILY = st.sampled_from(["nm", "mmol/L", "degC", "1"])
PROBABILITIES = np.concatenate([[1e-12, 1e-6], np.linspace(0.001, 0.999, 41), [1 - 1e-6, 1 - 1e-12]])


@st.composite
def values(draw: st.DrawFn, truncated: bool) -> Value:
    kind = draw(st.sampled_from(sorted(SPREADS)) if truncated else st.sampled_from(["lognormal", "normal"]))
    shape = dict(draw(SPREADS[kind]))
    if truncated and kind != "uniform":
        shape["low"] = 10.0 - draw(st.floats(0.01, 9.9))
        shape["high"] = 10.0 + draw(st.floats(0.01, 100.0))
    table = {
        "value": 10.0,
        "unit": draw(UNIT_FAMILY),
        "source": "a_source",
        "grade": "measured",
        "distribution": {"kind": kind, **shape},
    }
    return read_value(table, table["unit"], "here")


@given(value=values(truncated=True))
def test_quantiles_rise_and_stay_inside_the_limits(value):
    samples = value.sample(PROBABILITIES)
    assert np.all(np.isfinite(samples))
    assert np.all(np.diff(samples) >= 0)
    low, high = (to_si(limit, value.unit) for limit in (value.distribution.low, value.distribution.high))
    room = ROUNDING * max(abs(low), abs(high))
    assert samples.min() >= low - room
    assert samples.max() <= high + room
    assert np.ptp(samples) > 0


@given(value=values(truncated=False))
def test_the_median_is_the_value(value):
    assert value.sample(np.array([0.5]))[0] == pytest.approx(value.si, rel=1e-12)


@given(value=values(truncated=False))
def test_the_spread_is_what_is_written(value):
    """84.134 % of a normal lies below one standard deviation; the lognormal is normal in its logarithm."""
    above = (value.sample(np.array([0.8413447460685429]))[0] - to_si(0.0, value.unit)) / difference_to_si(
        1.0, value.unit
    )
    d = value.distribution
    expected = 10.0 * d.geometric_sd if d.kind == "lognormal" else 10.0 + d.sd
    assert above == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)  # the first call imports scipy.stats
@given(low=st.floats(-5.0, 9.0), high=st.floats(11.0, 60.0), sd=st.floats(0.5, 20.0))
def test_a_truncated_normal_agrees_with_scipy(low, high, sd):
    from scipy.stats import truncnorm

    p = np.linspace(0.01, 0.99, 9)
    found = Distribution("normal", sd=sd, low=low, high=high).quantile(p, 10.0)
    assert found == pytest.approx(truncnorm((low - 10) / sd, (high - 10) / sd, 10.0, sd).ppf(p), rel=1e-8, abs=1e-8)


def test_a_value_without_a_spread_samples_as_itself():
    value = Value(25.0, "degC", "a_source", "measured")
    assert value.sample(np.zeros((2, 3))).tolist() == [[298.15] * 3] * 2


GOOD = {"value": 3.0, "unit": "nm", "source": "a_source", "grade": "measured"}
NORMAL = {"kind": "normal", "sd": 1.0}


def test_a_good_value_loads():
    value = read_value(GOOD | {"locator": "Table 1", "distribution": NORMAL}, "m", "here")
    assert (value.si, value.locator) == (pytest.approx(3e-9), "Table 1")
    assert str(value) == "3 ± 1 nm [measured]"
    assert value.dimension == dimension_of("m")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"source": ""}, CatalogueError, "no `source`"),
        ({"source": None}, CatalogueError, "no `source`"),
        ({"unit": ""}, CatalogueError, "no `unit`"),
        ({"value": None}, CatalogueError, "no `value`"),
        ({"value": True}, CatalogueError, "a finite number"),
        ({"value": False}, CatalogueError, "a finite number"),
        ({"value": "3"}, CatalogueError, "a finite number"),
        ({"value": math.inf}, CatalogueError, "a finite number"),
        ({"value": math.nan}, CatalogueError, "a finite number"),
        ({"grade": "guessed"}, CatalogueError, "grade `guessed`; expected measured, derived, fitted or assumed"),
        ({"grade": "assumed"}, CatalogueError, "an assumed value without a distribution"),
        ({"unit": "s"}, UnitError, r"unit `s` \(s\); expected a unit like `m` \(m\)"),
        ({"unit": "nmm"}, UnitError, "Did you mean `nm`"),
        ({"locater": "p. 3"}, CatalogueError, r"the key `locater`.*Did you mean `locator`"),
        ({"distribution": {"kind": "gamma"}}, CatalogueError, r"here\.distribution: found kind 'gamma'"),
        ({"distribution": "normal"}, CatalogueError, "kind None"),
        ({"distribution": {"kind": "normal"}}, CatalogueError, "no number `sd`"),
        ({"distribution": {"kind": "uniform", "low": 1.0}}, CatalogueError, "no number `high`"),
        ({"distribution": NORMAL | {"geometric_sd": 2.0}}, CatalogueError, "the key `geometric_sd`"),
        ({"distribution": NORMAL | {"sd": -1.0}}, CatalogueError, "a positive width"),
        ({"distribution": NORMAL | {"low": 4.0}}, CatalogueError, "limits that hold the value"),
        ({"distribution": {"kind": "lognormal", "geometric_sd": 1.0}}, CatalogueError, "a positive width"),
        (
            {"value": -1.0, "distribution": {"kind": "lognormal", "geometric_sd": 2.0}},
            CatalogueError,
            "a positive value",
        ),
    ],
)
def test_a_bad_value_says_where_and_what(change, error, message):
    with pytest.raises(error, match=message) as caught:
        read_value(GOOD | change, "m", "here")
    assert str(caught.value).startswith("here")


@pytest.mark.parametrize("key", sorted(GOOD))
def test_every_key_is_needed(key):
    with pytest.raises(CatalogueError, match=f"no `{key}`"):
        read_value({k: v for k, v in GOOD.items() if k != key}, "m", "here")


@pytest.mark.parametrize(
    "change",
    [
        {"distribution": NORMAL | {"sd": 0}},
        {"distribution": {"kind": "lognormal", "geometric_sd": 0.0}},
        {"distribution": NORMAL | {"sd": math.inf}},
        {"distribution": NORMAL | {"sd": True}},
        {"distribution": NORMAL | {"low": "1"}},
        {"distribution": {"kind": ["normal"]}},
        {"distribution": {"kind": "uniform", "low": 0.0, "high": math.inf}},
        {"source": 0},
        {"source": "  "},
    ],
)
def test_a_value_that_still_slips_through(change):
    with pytest.raises(NanotrialError):
        read_value(GOOD | change, "m", "here")
