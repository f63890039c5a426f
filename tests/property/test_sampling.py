"""Designs of members, draws of worlds and subjects, noise of readings, and how the three kinds of spread come apart."""

from __future__ import annotations

import hashlib
import itertools
import pickle
import tracemalloc

import casadi as ca
import numpy as np
import pytest
from dishes import make_dish
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats
from tubes import given, make_study

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.catalogue.schema import MeasureNoise, Variability, Varied
from nanotrial.errors import CatalogueError, InputError
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Parameter
from nanotrial.places import build_arm
from nanotrial.sampling import DESIGNS, Draws, bands, joined_parameters, noise_of, variance_shares
from nanotrial.sampling.designs import permuted, probabilities, stream
from nanotrial.sampling.draws import matched
from nanotrial.study.measures import CELL_MEASURES, UPTAKE_MEASURES, measure_unit
from nanotrial.study.minerals import DISH_MINERALS, INDUCER_MEASURES, TUBE_MINERALS, phase_measures
from nanotrial.units import dimension_of
from nanotrial.values import Distribution, Value, read_value

SEEDS = st.integers(0, 2**63)
NAMES = st.text("abcxyz.@_+- 0123", min_size=1, max_size=20)
CATALOGUE = Catalogue()
STREAM = ["0x1.f808a9112d2e2p-2", "0x1.fbe70611d8cf2p-2", "0x1.1217d060176f8p-4"]
each_design = pytest.mark.parametrize("design", DESIGNS)


def value(number: float, unit: str = "1", **spread) -> Value:
    shape = Distribution(**spread) if spread else None
    return Value(number, unit, "test", "assumed", distribution=shape, dimension=dimension_of(unit))


def parameters(**values: Value | float) -> dict[str, Parameter]:
    """Return network parameters; a Value has a source, a plain number is what an arm states."""
    made = {}
    for name, one in values.items():
        sourced = isinstance(one, Value)
        made[name] = Parameter(name, ca.SX.sym(name), one.si if sourced else one, "1", one if sourced else None)
    return made


def varied(name: str, *patterns: str, size: float = 1.5, **spread) -> Varied:
    return Varied(name=name, parameters=list(patterns), geometric_sd=value(size, **spread))


def sheet(*between: Varied, noise: tuple[MeasureNoise, ...] = ()) -> Variability:
    return Variability(name="test", between=list(between), noise=list(noise))


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, bytes]:
    return {name: np.concatenate([part[name] for part in parts]).tobytes() for name in parts[0]}


# Designs.


@settings(max_examples=60, deadline=None)
@drawn(count=st.integers(1, 3000), seed=SEEDS, name=NAMES)
def test_a_keyed_permutation_hits_every_place_once(count, seed, name):
    found = permuted(np.arange(count, dtype=np.uint64), count, seed, name)
    assert sorted(found.tolist()) == list(range(count))


def test_keyed_permutations_are_even_over_keys():
    """Over many keys every ordered pair of places is as frequent as any other."""
    count, keys = 5, 4000
    pairs = np.zeros((count, count))
    for key in range(keys):
        first, second = permuted(np.arange(2, dtype=np.uint64), count, key, "x").astype(int)
        pairs[first, second] += 1
    found = pairs[~np.eye(count, dtype=bool)]
    assert np.trace(pairs) == 0
    assert stats.chisquare(found).pvalue > 1e-3


@settings(max_examples=40, deadline=None)
@drawn(members=st.integers(1, 2000), seed=SEEDS)
def test_a_latin_hypercube_has_one_point_in_each_stratum(members, seed):
    found = probabilities("latin_hypercube", ["a", "b"], members, 0, members, seed)
    for column in found.values():
        assert sorted(np.floor(column * members).astype(int).tolist()) == list(range(members))
        assert 0.0 < column.min() <= column.max() < 1.0


@settings(max_examples=60, deadline=None)
@drawn(
    design=st.sampled_from(DESIGNS),
    members=st.integers(1, 300),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    seed=SEEDS,
)
def test_slices_joined_are_the_whole_bit_for_bit(design, members, cuts, seed):
    names = ["a", "b", "c"]
    ends = [0, *sorted(min(c, members) for c in cuts), members]
    whole = probabilities(design, names, members, 0, members, seed)
    parts = [probabilities(design, names, members, a, b, seed) for a, b in itertools.pairwise(ends)]
    assert joined(parts) == joined([whole])


@pytest.mark.parametrize("design", ["latin_hypercube", "independent"])
def test_a_parameter_is_drawn_alike_whatever_is_beside_it(design):
    alone = probabilities(design, ["b"], 100, 0, 100, 4)
    beside = probabilities(design, ["c", "b", "a"], 100, 0, 100, 4)
    assert alone["b"].tolist() == beside["b"].tolist()


@each_design
def test_names_and_seeds_have_streams_of_their_own(design):
    members = 4096
    one = probabilities(design, ["a", "b"], members, 0, members, 1)
    other = probabilities(design, ["a", "b"], members, 0, members, 2)
    assert stats.kstest(one["a"], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(one["a"], one["b"])[0, 1]) < 4 / np.sqrt(members)
    assert not np.any(one["a"] == other["a"])
    if design != "sobol":  # scrambled anew, the same sequence keeps its coarse order
        assert abs(np.corrcoef(one["a"], other["a"])[0, 1]) < 4 / np.sqrt(members)


def test_numbers_are_these_on_every_platform():
    assert permuted(np.arange(6, dtype=np.uint64), 6, 1, "a").tolist() == [5, 4, 1, 3, 2, 0]
    assert [x.hex() for x in stream(1, "a", 2, 5)] == STREAM


def test_a_stream_is_that_of_philox():
    key = int.from_bytes(hashlib.blake2b(b"7:jitter:x", digest_size=64).digest()[:16], "little")
    exact = np.random.Generator(np.random.Philox(key=key)).random(50)
    assert stream(7, "x", 13, 50) == pytest.approx(exact[13:], abs=2.0**-52)


def test_a_sobol_design_is_even_in_every_dimension_and_tells_where_it_is_not():
    found = probabilities("sobol", ["a", "b", "c"], 64, 0, 64, 5)
    for column in found.values():
        assert sorted(np.floor(column * 64).astype(int).tolist()) == list(range(64))
    # Two dimensions at once: one point in each of the 8 by 8 boxes.
    boxes = np.floor(found["a"] * 8).astype(int) * 8 + np.floor(found["b"] * 8).astype(int)
    assert sorted(boxes.tolist()) == list(range(64))
    assert Draws({}, Overlay(), None, 64, design="sobol").notes == ()
    assert "no power of two" in Draws({}, Overlay(), None, 60, design="sobol").notes[0]
    assert Draws({}, Overlay(), None, 60).notes == ()


@pytest.mark.parametrize("design", ["latin_hypercube", "independent"])
def test_memory_is_that_of_the_slice(design):
    tracemalloc.start()
    found = probabilities(design, ["a"], 10**12, 10**11, 10**11 + 100, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["a"].shape == (100,)
    assert peak < 200_000


@pytest.mark.parametrize(("design", "first", "last"), [("latin", 0, 1), ("sobol", 2, 1), ("independent", 0, 11)])
def test_wrong_designs_and_slices_are_refused(design, first, last):
    with pytest.raises(InputError):
        probabilities(design, ["a"], 10, first, last, 1)


def test_sobol_points_come_to_an_end():
    with pytest.raises(InputError, match="at most"):
        probabilities("sobol", ["a"], 2**30 + 1, 0, 1, 1)
    assert probabilities("sobol", ["a"], 2**30, 0, 1, 1)["a"].shape == (1,)


# Correlations.


@pytest.mark.parametrize(
    "rows",
    [
        "media/a:b",
        [{"with": "media/a:b"}],
        [{"with": "media/a:b", "coefficient": 1.0}],
        [{"with": "media/a:b", "coefficient": True}],
        [{"with": "media a b", "coefficient": 0.5}],
        [{"with": "media/a:b", "coefficient": 0.5, "note": "x"}],
        [{"with": "media/a:b", "coefficient": 0.5}, {"with": "media/a:b", "coefficient": 0.4}],
    ],
)
def test_correlations_are_read_strictly(rows):
    table = {"value": 1.0, "unit": "1", "source": "x", "grade": "measured"}
    spread = {"kind": "normal", "sd": 0.1}
    row = {"with": "a/b:c.d", "coefficient": -0.5}
    good = read_value({**table, "distribution": {**spread, "correlation": [row]}}, "1", "x")
    assert good.distribution is not None
    assert good.distribution.correlation == (("a/b:c.d", -0.5),)
    with pytest.raises(CatalogueError, match="correlation"):
        read_value({**table, "distribution": {**spread, "correlation": rows}}, "1", "x")


CONSTANT, RATE = "cells/4t1:doubling_time", "cells/4t1:catalase_rate"
THIRD = "cells/4t1:pmca_rate"


def correlated(own: str, **pairs: float) -> Value:
    """Return the value of a sheet with correlations; ``pairs`` name other values of the same sheet."""
    held = CATALOGUE.load("cells", "4t1")
    old = getattr(held, own)
    shape = old.distribution
    rows = tuple((f"cells/4t1:{k}", c) for k, c in pairs.items())
    made = Distribution(shape.kind, shape.sd, shape.geometric_sd, shape.low, shape.high, rows)
    return Value(old.value, old.unit, old.source, old.grade, distribution=made, dimension=old.dimension)


def of_line(**values: Value) -> dict[str, Parameter]:
    return parameters(**{f"4t1.{name}": one for name, one in values.items()})


def plain(name: str) -> Value:
    return getattr(CATALOGUE.load("cells", "4t1"), name)


def test_a_copula_gives_the_coefficient_and_keeps_each_distribution():
    own = of_line(
        catalase_rate=correlated("catalase_rate", doubling_time=0.6),
        doubling_time=plain("doubling_time"),
        pmca_rate=plain("pmca_rate"),
    )
    draws = Draws(own, Overlay(), None, 5000, seed=2)
    found = draws.unknown(0, 5000)
    scores = {n: stats.norm.ppf(stats.rankdata(v) / 5001) for n, v in found.items()}
    assert np.corrcoef(scores["4t1.catalase_rate"], scores["4t1.doubling_time"])[0, 1] == pytest.approx(0.6, abs=0.03)
    assert abs(np.corrcoef(scores["4t1.catalase_rate"], scores["4t1.pmca_rate"])[0, 1]) < 0.05
    quantiles = np.linspace(0.1, 0.9, 9)
    for name in ("catalase_rate", "doubling_time"):
        exact = plain(name).sample(quantiles)
        assert np.quantile(found[f"4t1.{name}"], quantiles) == pytest.approx(exact, rel=0.1)
    parts = [draws.unknown(a, b) for a, b in ((0, 7), (7, 100), (100, 5000))]
    assert joined(parts) == joined([found])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"catalase_rate": ("nothing", 0.5)}, "nothing"),
        ({"catalase_rate": ("catalase_rate", 0.5)}, "itself"),
        ({"catalase_rate": ("doubling_time", 0.5), "doubling_time": ("catalase_rate", 0.4)}, "other way round"),
    ],
)
def test_correlations_that_cannot_be_are_refused(values, text):
    made = {name: correlated(name, **{partner: c}) for name, (partner, c) in values.items()}
    with pytest.raises(CatalogueError, match=text):
        Draws(of_line(**{"doubling_time": plain("doubling_time"), **made}), Overlay(), None, 4)


def test_coefficients_that_exclude_each_other_name_their_parameters():
    own = of_line(
        catalase_rate=correlated("catalase_rate", doubling_time=0.9, pmca_rate=0.9),
        doubling_time=correlated("doubling_time", pmca_rate=-0.9),
        pmca_rate=plain("pmca_rate"),
    )
    with pytest.raises(CatalogueError, match=r"`4t1.catalase_rate`, `4t1.doubling_time`, `4t1.pmca_rate`"):
        Draws(own, Overlay(), None, 4)


def test_a_partner_must_have_a_spread():
    pair = (("media/rpmi_1640:solutes.calcium", 0.5),)
    own = parameters(a=value(1.0, kind="normal", sd=0.1, correlation=pair))
    with pytest.raises(CatalogueError, match="without a spread"):
        Draws(own, Overlay(), None, 4)


# Worlds, subjects, arms.

A = value(2.0, kind="lognormal", geometric_sd=1.3)
B = value(5.0, kind="uniform", low=1.0, high=9.0)
SPREAD = sheet(varied("doses", "*dose", size=1.2), varied("rates", "a", size=1.4, kind="uniform", low=1.3, high=1.5))


@each_design
def test_members_of_an_arm_are_world_major_and_slices_join(design):
    own = parameters(a=A, b=B, dose=3.0)
    draws = Draws(own, Overlay(), SPREAD, 40, 3, 7, design)
    whole = draws.of_arm("one", own, 0, 40)
    assert {v.shape for v in whole.values()} == {(120,)}
    assert sorted(whole) == ["a", "b", "dose"]
    assert whole["b"].tolist() == np.repeat(draws.unknown(0, 40)["b"], 3).tolist()
    parts = [draws.of_arm("one", own, a, b) for a, b in ((0, 1), (1, 6), (6, 40))]
    assert joined(parts) == joined([whole])
    again = pickle.loads(pickle.dumps(draws)).of_arm("one", own, 0, 40)
    assert joined([again]) == joined([whole])
    assert len(pickle.dumps(draws)) < 5000


def test_a_stated_amount_is_not_unknown_but_differs_between_subjects():
    own = parameters(a=A, dose=3.0)
    draws = Draws(own, Overlay(), SPREAD, 4000, 2, 1)
    assert sorted(draws.unknown(0, 2)) == ["a"]
    factors = draws.of_arm("one", own, 0, 4000)["dose"] / 3.0
    assert np.log(factors).mean() == pytest.approx(0.0, abs=4 * np.log(1.2) / np.sqrt(8000))
    assert np.exp(np.log(factors).std()) == pytest.approx(1.2, rel=0.01)
    pairs = np.log(factors).reshape(4000, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / np.sqrt(4000)


def test_what_is_unknown_and_varies_gets_both():
    own = parameters(a=A, dose=3.0)
    draws = Draws(own, Overlay(), SPREAD, 3000, 4, 1)
    typical, members = draws.typical("one", own, 0, 3000), draws.of_arm("one", own, 0, 3000)
    assert sorted(typical) == ["a"]
    assert typical["a"].tolist() == draws.unknown(0, 3000)["a"].tolist()
    shares = variance_shares(np.log(members["a"]).reshape(3000, 4))
    assert shares.variances["unknown"] == pytest.approx(np.log(1.3) ** 2, rel=0.1)
    sizes = np.log(np.linspace(1.3, 1.5, 1001)) ** 2
    assert shares.variances["between"] == pytest.approx(sizes.mean(), rel=0.05)


def test_the_size_of_variability_is_unknown_too():
    """Each world has a size of its own: fourth moments are those of the mixture, not of one normal."""
    wide = sheet(varied("doses", "dose", size=1.5, kind="uniform", low=1.01, high=3.0))
    own = parameters(dose=1.0)
    logs = np.log(Draws(own, Overlay(), wide, 200, 200, 3).of_arm("one", own, 0, 200)["dose"]).reshape(200, 200)
    found = np.exp(logs.std(axis=1))
    assert found.min() < 1.1
    assert found.max() > 2.5
    assert stats.kstest((found - 1.01) / 1.99, "uniform").pvalue > 1e-3


def test_arms_share_worlds_and_not_subjects():
    first, second = parameters(a=A, b=B, dose=3.0), parameters(a=A, b=4.0, dose=3.0)
    draws = Draws(joined_parameters([first, second]), Overlay(), SPREAD, 50, 2, 1)
    one, two = draws.of_arm("one", first, 0, 50), draws.of_arm("two", second, 0, 50)
    typical = [draws.typical(n, p, 0, 50)["a"].tolist() for n, p in (("one", first), ("two", second))]
    assert typical[0] == typical[1]
    assert "b" not in two
    assert abs(np.corrcoef(np.log(one["dose"]), np.log(two["dose"]))[0, 1]) < 0.4
    assert not np.any(one["dose"] == two["dose"])


def test_more_subjects_leave_those_before_alone():
    own = parameters(a=A, dose=3.0)
    few, many = (Draws(own, Overlay(), SPREAD, 5, n, 1).of_arm("one", own, 0, 5)["dose"].reshape(5, n) for n in (2, 6))
    assert few.tolist() == many[:, :2].tolist()


def test_an_arm_is_drawn_around_its_own_sourced_value():
    """Two arms may take a parameter of one name from different sheets."""
    first, second = parameters(seeding=A), parameters(seeding=value(200.0, kind="lognormal", geometric_sd=1.3))
    draws = Draws(joined_parameters([first, second]), Overlay(), None, 30)
    one, two = draws.of_arm("one", first, 0, 30)["seeding"], draws.of_arm("two", second, 0, 30)["seeding"]
    assert two == pytest.approx(100.0 * one, rel=1e-12)


@each_design
def test_joint_draws_stay_joint(design):
    rows = np.arange(100.0)
    table = {"a": tuple(rows), "b": tuple(1000 + rows), "elsewhere": tuple(rows)}
    own = parameters(a=A, b=B, c=value(1.0, kind="normal", sd=0.1))
    draws = Draws(own, Overlay(draws=(table,)), None, 200, design=design)
    found = draws.of_arm("one", own, 0, 200)
    assert sorted(found) == sorted(draws.unknown(0, 3)) == ["a", "b", "c"]
    assert found["b"].tolist() == (found["a"] + 1000).tolist()
    assert set(found["a"]) <= set(rows)
    if design == "latin_hypercube":
        assert sorted(found["a"].tolist()) == sorted(np.repeat(rows, 2).tolist())
    stated = parameters(a=7.0, b=B)
    assert sorted(draws.of_arm("two", stated, 0, 5)) == ["b"]


@pytest.mark.parametrize(
    ("between", "text"),
    [
        ((varied("x", "a*"), varied("y", "*b")), "which `y` means too"),
        ((varied("x", "a"), varied("x", "b")), "two entries"),
        ((varied("x", "a", size=1.0),), "above 1"),
        ((varied("x", "a", size=1.2, kind="normal", sd=0.2),), "above 1"),
    ],
)
def test_variability_that_cannot_be_is_refused(between, text):
    own = parameters(ab=1.0, a=2.0)
    with pytest.raises(CatalogueError, match=text):
        Draws(own, Overlay(), sheet(*between), 2).of_arm("one", own, 0, 2)


@pytest.mark.parametrize("wrong", [{"worlds": 0}, {"worlds": 1.5}, {"subjects": 0}, {"seed": -1}, {"design": "latin"}])
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(InputError):
        Draws({}, Overlay(), None, **{"worlds": 4, **wrong})


def test_an_arm_of_another_study_is_refused():
    draws = Draws(parameters(a=A), Overlay(), None, 4)
    with pytest.raises(InputError, match="`b`"):
        draws.of_arm("one", parameters(b=B), 0, 2)


# The sheets.


@pytest.fixture(scope="module")
def arms():
    """Return the parameters of a tube and of a dish with particles and an agent."""
    dose = given("bare", "1 mmol/L", basis="calcium")
    agent = {"agent": "hydrogen_peroxide", "concentration": "1 mmol/L", "at": "0 h"}
    studies = {"tube": make_study([dose, agent]), "dish": make_dish([dose, agent])}
    return {place: build_arm(s, s.arms[0]).network.parameters for place, s in studies.items()}


@pytest.mark.parametrize("place", ["tube", "dish"])
def test_every_pattern_of_a_sheet_means_parameters_of_its_place(place, arms):
    between = CATALOGUE.load("variability", place).between
    for entry in between:
        matched(entry, arms[place], between)
        for pattern in entry.parameters:
            alone = Varied(name="alone", parameters=[pattern], geometric_sd=entry.geometric_sd)
            assert matched(alone, arms[place]), f"{pattern} means nothing in a {place}"
    draws = Draws(arms[place], Overlay(), CATALOGUE.load("variability", place), 2, 2)
    found = draws.of_arm("x", arms[place], 0, 2)
    assert set().union(*(matched(entry, arms[place]) for entry in between)) <= found.keys()
    assert all(np.all(np.isfinite(v)) and v.shape == (4,) for v in found.values())


@pytest.mark.parametrize("place", ["tube", "dish"])
def test_every_measure_of_a_place_has_noise(place):
    sheet_ = CATALOGUE.load("variability", place)
    shown = ["release", "core_left", "coat_left", "ph", *CATALOGUE.solutes()]
    cells = (
        [*CELL_MEASURES, *UPTAKE_MEASURES, *DISH_MINERALS, *INDUCER_MEASURES] if place == "dish" else [*TUBE_MINERALS]
    )
    for measure in (*shown, *cells, *phase_measures(CATALOGUE.ids("phases"))):
        noise = noise_of(measure, sheet_)
        assert not noise.note, measure
        assert noise.relative > 0
        # An absolute part is a plain number: it belongs to measures that are plain numbers.
        assert noise.absolute == 0 or measure_unit(measure) == "1"
        assert noise.absolute == 0 or measure not in CATALOGUE.solutes()


# Noise.

FIVE = MeasureNoise(name="five", measures=["calcium*"], relative=value(0.05), absolute=value(0.3))


def test_noise_adds_its_parts_in_squares():
    noise = noise_of("calcium", sheet(noise=(FIVE,)), assay_sd=0.4)
    assert (noise.relative, noise.absolute, noise.entry) == (0.05, 0.5, "five")
    assert noise.sd(np.array([0.0, 10.0, 24.0])) == pytest.approx([0.5, np.sqrt(0.5), 1.3], rel=1e-12)


def test_noise_is_added_with_its_own_spread():
    noise = noise_of("calcium", sheet(noise=(FIVE,)))
    true = np.full(20_000, 10.0)
    read = noise.add(true, np.random.default_rng(1))
    assert read.mean() == pytest.approx(10.0, abs=4 * noise.sd(true)[0] / np.sqrt(20_000))
    assert read.std() == pytest.approx(noise.sd(true)[0], rel=0.02)
    again = noise.add(true, np.random.default_rng(1))
    assert read.tolist() == again.tolist()
    assert np.isnan(noise.add(np.array([np.nan, 1.0]), np.random.default_rng(1))).tolist() == [True, False]


def test_noise_that_is_not_known_is_told():
    noise = noise_of("ph", sheet(noise=(FIVE,)), assay_sd=0.1)
    assert "no noise of `ph`" in noise.note
    assert noise.sd(np.array([7.0])).tolist() == [0.1]
    twice = MeasureNoise(name="six", measures=["calcium"], relative=value(0.06))
    with pytest.raises(CatalogueError, match="`six`"):
        noise_of("calcium", sheet(noise=(FIVE, twice)))
    with pytest.raises(InputError):
        noise_of("calcium", None, assay_sd=-1.0)


# Separation.


def test_shares_of_a_small_table_by_hand():
    """Worlds (1, 3), (5, 7), (3, 5): within 2, between worlds 8, so unknown (8 - 2) / 2 = 3."""
    found = variance_shares(np.array([[1.0, 3.0], [5.0, 7.0], [3.0, 5.0]]), np.sqrt(5.0))
    assert [float(found.variances[k]) for k in ("unknown", "between", "noise")] == pytest.approx([3.0, 2.0, 5.0])
    assert [float(x) for x in (found.unknown, found.between, found.noise)] == pytest.approx([0.3, 0.2, 0.5])
    assert (int(found.worlds), int(found.subjects), int(found.failed), found.reasons) == (3, 6, 0, ())


def ragged(values: np.ndarray) -> list[np.ndarray]:
    return [row[np.isfinite(row)] for row in values if np.isfinite(row).any()]


@settings(max_examples=40, deadline=None)
@drawn(seed=st.integers(0, 2**32), worlds=st.integers(3, 12), subjects=st.integers(2, 6), holes=st.integers(0, 8))
def test_mean_squares_agree_with_another_program(seed, worlds, subjects, holes):
    """F of a one-way analysis of variance (SciPy) over what succeeded gives the same components."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(worlds, 1)) + generator.normal(size=(worlds, subjects))
    values.ravel()[generator.choice(values.size, min(holes, values.size - worlds - 2), replace=False)] = np.nan
    groups = ragged(values)
    counts = np.array([len(g) for g in groups])
    if len(groups) < 2 or counts.max() < 2:
        return
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (counts.sum() - len(groups))
    size = (counts.sum() - (counts**2).sum() / counts.sum()) / (len(groups) - 1)
    unknown = (stats.f_oneway(*groups).statistic - 1.0) * within / size
    found = variance_shares(values)
    assert float(found.variances["between"]) == pytest.approx(within, rel=1e-9)
    assert float(found.variances["unknown"]) == pytest.approx(max(unknown, 0.0), rel=1e-9, abs=1e-12)
    assert bool(found.lowered) == (unknown < 0)
    assert int(found.failed) == np.isnan(values).sum()


def test_components_are_unbiased():
    """Over many tables with holes the means of the estimates are the true variances."""
    generator = np.random.default_rng(11)
    tables = generator.normal(0, 2.0, (6, 1, 20_000)) + generator.normal(0, 1.0, (6, 3, 20_000))
    tables[0, 1:] = np.nan
    tables[3, 2] = np.nan
    found = variance_shares(tables)
    assert found.unknown.shape == (20_000,)
    assert found.variances["between"].mean() == pytest.approx(1.0, rel=0.02)
    # Cutting off negative estimates lifts the mean a little: here hardly one is negative.
    assert found.lowered.mean() < 0.03
    assert found.variances["unknown"].mean() == pytest.approx(4.0, rel=0.05)


def test_one_subject_cannot_be_told_from_a_world():
    found = variance_shares(np.array([[1.0], [3.0]]), 1.0)
    assert np.isnan([found.unknown, found.between]).all()
    assert float(found.noise) == pytest.approx(1.0 / 3.0)
    assert any("look alike" in r for r in found.reasons)


def test_one_world_shows_nothing_unknown():
    found = variance_shares(np.array([[1.0, 3.0, np.nan]]), 0.0)
    assert np.isnan(found.unknown)
    assert float(found.variances["between"]) == pytest.approx(2.0)
    assert any("fewer than two worlds" in r for r in found.reasons)


def test_worlds_alike_leave_no_negative_variance():
    found = variance_shares(np.array([[1.0, 3.0], [3.0, 1.0]]))
    assert (float(found.unknown), float(found.between), bool(found.lowered)) == (0.0, 1.0, True)


def test_nothing_varies_and_all_failed_are_told():
    still = variance_shares(np.full((3, 2), 4.0))
    assert np.isnan([still.unknown, still.between, still.noise]).all()
    assert any("nothing varies" in r for r in still.reasons)
    gone = variance_shares(np.full((3, 2), np.nan), 1.0)
    assert np.isnan([gone.unknown, gone.between, gone.noise]).all()
    assert int(gone.failed) == 6
    for wrong in (np.zeros(3), np.zeros((0, 2))):
        with pytest.raises(InputError):
            variance_shares(wrong)
    with pytest.raises(InputError):
        variance_shares(np.zeros((3, 2)), np.zeros(2))


def normal_table(worlds: int, subjects: int, unknown: float, between: float) -> np.ndarray:
    generator = np.random.default_rng(5)
    return 10.0 + generator.normal(0, unknown, (worlds, 1)) + generator.normal(0, between, (worlds, subjects))


def test_bands_of_mean_and_reading_are_those_of_the_normal():
    values = normal_table(20_000, 3, 1.0, 2.0)
    noise = noise_of("x", None, assay_sd=1.5)
    found = bands(values, noise, 0.9)
    reach = stats.norm.ppf(0.95)
    assert [float(found.mean_low), float(found.mean_high)] == pytest.approx([10 - reach, 10 + reach], abs=0.05)
    whole = reach * np.sqrt(1.0 + 4.0 + 2.25)
    assert [float(found.reading_low), float(found.reading_high)] == pytest.approx([10 - whole, 10 + whole], abs=0.08)
    given_typical = bands(values, noise, 0.9, typical=np.linspace(0.0, 1.0, 20_000))
    assert [float(given_typical.mean_low), float(given_typical.mean_high)] == pytest.approx([0.05, 0.95], abs=1e-9)


def test_bands_of_one_member_are_those_of_its_noise():
    found = bands(np.array([[[3.0, 5.0]]]), noise_of("x", None, assay_sd=0.5), 0.8)
    reach = 0.5 * stats.norm.ppf(0.9)
    assert found.reading_low == pytest.approx([3.0 - reach, 5.0 - reach], rel=1e-9)
    assert found.reading_high == pytest.approx([3.0 + reach, 5.0 + reach], rel=1e-9)
    assert found.mean_low.tolist() == found.mean_high.tolist() == [3.0, 5.0]


def test_bands_leave_failed_members_out():
    values = np.array([[1.0, np.nan], [2.0, 2.0], [np.nan, np.nan]])
    found = bands(values, None, 0.5)
    assert [float(found.reading_low), float(found.reading_high)] == np.quantile([1.0, 2.0, 2.0], [0.25, 0.75]).tolist()
    assert np.isnan(bands(np.full((2, 2), np.nan)).reading_low)
    assert np.isnan(bands(np.full((2, 2), np.nan), noise_of("x", None, 0.1)).reading_high)
    for wrong in ({"level": 1.0}, {"typical": np.zeros(2)}):
        with pytest.raises(InputError):
            bands(values, **wrong)
