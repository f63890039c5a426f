"""The loops of calcium: steady states with feedback on and off, gain, edges, threshold."""

import math
from functools import cache

import pytest

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell.loop import OpenLoop
from nanotrial.places.dish import SETS

CATALOGUE = Catalogue()
LIMIT = 1e-3
OUTSIDE = 0.3
DOSES = (0.0, 0.03, 0.1, 1.0)


@cache
def loop(signal="peroxide", feedback=1.0, line="4t1", changes=()):
    sheets = {
        key: (name, CATALOGUE.load(kind, name))
        for key, (kind, name) in SETS.items()
        if key in ("calcium", "redox", "coupling", "energetics")
    }
    cells = (line, CATALOGUE.load("cells", line))
    return OpenLoop(cells, sheets, OUTSIDE, feedback=feedback, signal=signal, changes=dict(changes))


@cache
def threshold(line="4t1"):
    return loop(line=line).threshold(LIMIT)


@pytest.mark.parametrize("dose", DOSES)
def test_without_feedback_there_is_one_state_without_gain(dose):
    states = loop(feedback=0.0).states(dose)
    assert len(states) == 1
    assert states[0].gain == 0.0
    assert states[0].stable
    rest = loop(feedback=0.0).state(0.0)
    assert states[0].calcium == pytest.approx(rest.calcium, rel=1e-4)


def test_without_feedback_no_dose_raises_calcium():
    assert loop(feedback=0.0).threshold(LIMIT) == math.inf


@pytest.mark.parametrize("dose", DOSES[:3])
def test_a_crossing_of_the_open_loop_is_a_state_of_the_closed_one(dose):
    lowest = loop().states(dose)[0]
    closed = loop().state(dose)
    assert lowest.peroxide == pytest.approx(closed.peroxide, rel=1e-4)
    assert lowest.calcium == pytest.approx(closed.calcium, rel=1e-4)


def test_threshold_parts_rest_from_overload():
    level = threshold()
    assert 0.05 < level < 1.0
    assert loop().state(level * 0.98).calcium < LIMIT < loop().state(level * 1.02).calcium


def test_peroxide_loop_does_not_amplify_but_the_cell_flips():
    """The documented finding: the loop gain of peroxide stays far below 1 on both sides of the threshold."""
    for share in (0.5, 0.98, 1.02, 2.0):
        assert abs(loop().at_rest(threshold() * share).gain) < 0.1


def test_below_the_threshold_the_energy_loop_has_two_basins():
    states = loop("energy").states(threshold() * 0.95)
    stable = [s for s in states if s.stable]
    assert len(stable) == 2
    assert stable[0].calcium > 10 * LIMIT
    assert stable[-1].calcium < LIMIT
    between = [s for s in states if not s.stable]
    assert between, "an edge or an unstable state parts them"
    assert stable[0].atp < between[0].atp * 1.5


def test_far_from_the_threshold_there_is_one_basin():
    for share in (0.3, 3.0):
        assert len(loop("energy").states(threshold() * share)) == 1


def test_a_stronger_loop_of_peroxide_becomes_bistable():
    """With a hundred times the superoxide and a steep answer to calcium the gain passes 1: rest, edge and overload."""
    name = SETS["redox"][1]
    share = CATALOGUE.load("redox", name).superoxide.respiratory_share.si
    strong = (
        (f"{name}.superoxide.respiratory_share", share * 100),
        (f"{name}.superoxide.respiratory_calcium_gain", 1e6),
        (f"{name}.superoxide.respiratory_calcium_constant", 3e-3),
    )
    states = loop(changes=strong).states(0.03)
    assert len(states) == 3
    assert [s.stable for s in states] == [True, False, True]
    assert states[0].calcium < LIMIT < states[2].calcium


def test_weaker_extrusion_lowers_the_threshold():
    rate = CATALOGUE.load("cells", "4t1").pmca_rate.si
    weak = loop(changes=(("4t1.pmca_rate", rate / 2),))
    # Rest is set from the sheet; a pump of half the speed leaves the cell to find its own.
    assert weak.threshold(LIMIT) < threshold()
