"""Inducers of mineral against closed forms: receptors, insertion, the switch of acid, covers, calcium on groups."""

from __future__ import annotations

import dataclasses
import itertools
import math
from types import SimpleNamespace
from typing import Any

import casadi as ca
import pytest
from dishes import CATALOGUE, LINES, Standing, with_numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from tubes import HOUR, TIGHT

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.cell import inducers
from nanotrial.cell.culture import Constants
from nanotrial.cell.inducers import Induced, Membranes
from nanotrial.errors import CatalogueError, UnitError
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.particle.fluid import Fluid
from nanotrial.solve.events import Event
from nanotrial.solve.run import Trajectory, simulate_network

SHEETS = CATALOGUE.ids("inducers")
ON_RECEPTORS = [i for i in SHEETS if CATALOGUE.load("inducers", i).receptor]
INSERTING = [i for i in SHEETS if CATALOGUE.load("inducers", i).insertion_rate is not None]
VOLUME, SEEDED, DAY = 1e-7, 2e4, 24 * HOUR
ALENDRONATE, POLYPEPTIDE = "dspe_peg_alendronate", "histidine_bisphosphonate_polypeptide"
STILL = {"internalisation_rate": 0.0}


class Dish:
    """A medium of fixed pH and free calcium over cells that neither grow nor die, with one inducer in it."""

    def __init__(
        self,
        identifier: str,
        sheet: Any = None,
        line: str = "hela",
        ph: float = 7.4,
        calcium: float = 1.2,
        rivals: float | None = None,
        line_sheet: Any = None,
    ) -> None:
        self.name, self.sheet = identifier, sheet or CATALOGUE.load("inducers", identifier)
        self.line = line_sheet or CATALOGUE.load("cells", line)
        self.network = network = Network("dish")
        network.compartment("medium", constant(VOLUME, "m^3"))
        network.compartment("population", constant(1.0, "m^3"))
        there = network.parameter("calcium", calcium, "mol/m^3")
        solution: Any = SimpleNamespace(ph=network.parameter("ph", ph, "1"), free=lambda name: {"Ca+2": there}[name])
        self.medium = Fluid(
            network=network, name="medium", temperature=310.15, solution=solution, volume=constant(VOLUME, "m^3"),
            scale=VOLUME, cohorts=[],
        )  # fmt: skip
        constants = Constants(network, line, self.line)
        cells = network.parameter("cells", SEEDED, "1")
        self.membranes = Membranes(
            line=constants,
            area=constants("membrane_area", "m^2") * cells,
            cells=cells,
            seeded=SEEDED,
            bare_angle=constant(2.0, "rad"),
            rivals={} if rivals is None else {self.sheet.receptor: constant(rivals, "1")},
        )
        inducers.add_states(self.medium, identifier, self.sheet, self.membranes)
        self.induced: Induced = inducers.add(self.medium, identifier, self.sheet, self.membranes)
        for what in ("cover", "held", "held_per_cell", "gathered"):
            unit = "1" if what == "cover" else "mol"
            network.observe(what, getattr(self.induced, what), unit)

    @property
    def area(self) -> float:
        return float(SEEDED * self.line.membrane_area.si)

    @property
    def receptors(self) -> float:
        """Return the receptors of all cells (mol)."""
        return float(SEEDED * self.line.receptors[self.sheet.receptor].si / inducers.AVOGADRO)

    def play(self, concentration: float, *seconds: float, **changes: float) -> Trajectory:
        """Play the dish with a concentration (mol/m^3) given at the start."""
        name = f"medium.{self.name}"
        dose = Event(0.0, {name: self.network[name] + constant(concentration * VOLUME, "mol")})
        return simulate_network(self.network, list(seconds), [dose], changes=changes, tolerances=TIGHT)

    def standing(self, **amounts: float) -> Standing:
        states = {f"{'medium' if k == 'free' else f'cells.{k}'}{'.' if k == 'free' else '_'}{self.name}": v
                  for k, v in amounts.items()}  # fmt: skip
        return Standing(self.network, amounts=states)


def near(exact: float, rel: float) -> Any:
    """Return what is equal within a share alone: amounts here are far below the absolute floor of pytest."""
    return pytest.approx(exact, rel=rel, abs=0.0)


def changed(identifier: str, **numbers: float) -> Any:
    return with_numbers(CATALOGUE.load("inducers", identifier), **numbers)


def root(whole: float, receptors: float, half: float) -> float:
    """Return what is bound where ``whole`` is shared between receptors and solution: a quadratic."""
    middle = (whole + receptors + half) / 2.0
    return whole * receptors / (middle + math.sqrt(middle**2 - whole * receptors))


# Receptors.


@pytest.mark.parametrize("name", ON_RECEPTORS)
@pytest.mark.parametrize("over", [0.1, 1.0, 30.0])
def test_receptors_fill_as_the_root_of_a_quadratic(name, over):
    dish = Dish(name, changed(name, **STILL))
    half = dish.sheet.receptor_constant.si
    whole = dish.receptors + over * half * VOLUME
    found = dish.play(whole / VOLUME, 1e9)["held"][0]
    assert found == near(root(whole, dish.receptors, half * VOLUME), rel=1e-6)


def test_with_plenty_of_it_receptors_fill_as_langmuir_says():
    dish = Dish("epha2_calcification_peptide", changed("epha2_calcification_peptide", **STILL))
    half = dish.sheet.receptor_constant.si
    for over in (3.0, 100.0):
        left = over * half - dish.play(over * half, 1e7)["held"][0] / VOLUME
        assert dish.play(over * half, 1e7)["held"][0] == near(dish.receptors * left / (half + left), rel=1e-6)


@pytest.mark.parametrize("name", ON_RECEPTORS)
def test_the_first_rate_is_that_of_association(name):
    dish = Dish(name)
    rate = dish.standing(free=1e-3 * VOLUME).rates()[f"cells.bound_{name}.binds"]
    assert rate == near(dish.sheet.association_rate.si * 1e-3 * dish.receptors, rel=1e-9)


def test_what_else_holds_the_receptor_leaves_its_share():
    quiet, q = changed("folate", **STILL), 500.0
    dish = Dish("folate", quiet, rivals=q)
    half, c = dish.sheet.receptor_constant.si, 1e-5
    found = dish.play(c, 1e9)["held"][0]
    left = c - found / VOLUME
    assert found == near(dish.receptors * left / (half * (1 + q) + left), rel=1e-6)
    assert found < Dish("folate", quiet).play(c, 1e9)["held"][0]


@pytest.mark.parametrize("name", ON_RECEPTORS)
def test_cells_without_the_receptor_bind_nothing(name):
    receptor = CATALOGUE.load("inducers", name).receptor
    run = Dish(name).play(1e-3, DAY, **{f"hela.receptors.{receptor}": 0.0})
    assert run["held"][0] == 0.0
    assert Dish(name).play(1e-3, DAY)["held"][0] > 0.0


def test_a_line_that_names_no_receptor_has_none():
    network = Network("line")
    line = dataclasses.replace(CATALOGUE.load("cells", "hela"), receptors={})
    bare = Constants(network, "bare", line)
    assert float(ca.DM(inducers.receptors_of(bare, "folate_receptor").expression)) == 0.0
    assert not network.parameters
    dish = Dish("folate", line_sheet=line)
    assert dish.play(1e-3, DAY)["held"][0] == 0.0


def test_lines_bind_in_the_order_of_their_receptors():
    name, found = "epha2_calcification_peptide", {}
    for line in LINES:
        sheet = CATALOGUE.load("cells", line)
        found[sheet.receptors["epha2"].si] = Dish(name, line=line).play(1e-3, HOUR)["held_per_cell"][0]
    ordered = [found[count] for count in sorted(found)]
    assert all(a < b for a, b in itertools.pairwise(ordered))


# Insertion.


@pytest.mark.parametrize("name", INSERTING)
def test_insertion_needs_no_receptor(name):
    dish = Dish(name)
    assert not dish.sheet.receptor
    assert f"cells.bound_{name}" not in dish.network.species
    bare = dataclasses.replace(dish.line, receptors={})
    run, other = dish.play(1e-2, HOUR), Dish(name, line_sheet=bare).play(1e-2, HOUR)
    assert run["held"][0] == other["held"][0] > 0.0


@pytest.mark.parametrize("line", LINES)
def test_insertion_is_the_same_per_area_on_every_line(line):
    here, there = Dish(ALENDRONATE, line=line), Dish(ALENDRONATE)
    a, b = here.standing(free=1e-2 * VOLUME).rates(), there.standing(free=1e-2 * VOLUME).rates()
    name = f"cells.inserted_{ALENDRONATE}.inserts"
    exact = here.sheet.insertion_rate.si * 1e-2 * here.area
    assert a[name] == near(exact, rel=1e-9)
    assert a[name] / here.area == near(b[name] / there.area, rel=1e-9)


@pytest.mark.parametrize("name", INSERTING)
@pytest.mark.parametrize("highest", [0.05, 0.5, 0.95])
def test_insertion_ends_at_the_highest_cover(name, highest):
    dish = Dish(name, changed(name, maximum_cover=highest, detachment_rate=0.0, **STILL), ph=5.0)
    run = dish.play(10.0, 1.0, 1e8)
    assert run["cover"][1] == near(highest, rel=1e-6)
    assert run["cover"][0] < highest


def test_insertion_balances_detachment():
    dish = Dish(ALENDRONATE, changed(ALENDRONATE, **STILL))
    run = dish.play(1e-2, 1e8)
    cover, held = run["cover"][0], run["held"][0]
    free = 1e-2 - held / VOLUME
    gone = dish.sheet.detachment_rate.si * held
    come = dish.sheet.insertion_rate.si * dish.area * free * (1 - cover / dish.sheet.maximum_cover.si)
    assert come == near(gone, rel=1e-5)
    assert 0.0 < cover < dish.sheet.maximum_cover.si


@pytest.mark.parametrize("name", INSERTING)
def test_what_detaches_returns_to_the_medium(name):
    dish = Dish(name)
    there = dish.standing(inserted=3e-14)
    slopes = there.slopes()
    assert slopes[f"medium.{name}"][0] == near(dish.sheet.detachment_rate.si * 3e-14, rel=1e-9)


@pytest.mark.parametrize("ph", [5.0, 6.0, 6.6, 7.0, 7.4, 8.0])
def test_acid_switches_insertion_as_its_closed_form_says(ph):
    dish = Dish(POLYPEPTIDE, ph=ph)
    rate = dish.standing(free=1e-2 * VOLUME).rates()[f"cells.inserted_{POLYPEPTIDE}.inserts"]
    switch = dish.sheet.switch
    share = 1 / (1 + 10 ** (switch.cooperativity.si * (ph - switch.half_ph.si)))
    assert rate == near(dish.sheet.insertion_rate.si * 1e-2 * dish.area * share, rel=1e-9)


def test_more_of_a_switched_inducer_sits_on_cells_in_acid_and_no_more_of_another():
    acid, neutral = (Dish(POLYPEPTIDE, ph=ph).play(1e-3, HOUR)["held"][0] for ph in (6.5, 7.4))
    assert acid > 1.2 * neutral > 0.0
    acid, neutral = (Dish(ALENDRONATE, ph=ph).play(1e-3, HOUR)["held"][0] for ph in (6.5, 7.4))
    assert acid == near(neutral, rel=1e-9)


# Covers, taking in, mass.


@pytest.mark.parametrize("name", SHEETS)
@settings(max_examples=20, deadline=None)
@given(layers=st.floats(1e-6, 30.0))
def test_covers_saturate_below_one(name, layers):
    dish = Dish(name)
    shadow = dish.sheet.area_per_molecule.si * inducers.AVOGADRO
    state = "bound" if dish.sheet.receptor else "inserted"
    there = dish.standing(**{state: layers * dish.area / shadow})
    cover = there.of(dish.induced.cover)
    assert cover == near(-math.expm1(-layers), rel=1e-6)
    assert there.of(dish.induced.surface.area) == near(dish.area * cover, rel=1e-9)


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("ph", [6.0, 7.4])
def test_nothing_is_lost_on_the_way(name, ph):
    dish = Dish(name, ph=ph)
    run = dish.play(1e-3, HOUR, DAY)
    states = [n for n, s in dish.network.species.items() if name in s.content]
    assert len(states) == 3
    names = list(dish.network.species)
    for row in run.states:
        assert sum(row[names.index(n)] for n in states) == near(1e-3 * VOLUME, rel=1e-9)
    assert run.states[-1][names.index(f"cells.taken_{name}")] > 0.0


@pytest.mark.parametrize("name", SHEETS)
def test_a_cell_takes_in_what_it_holds_at_the_rate_of_the_sheet(name):
    dish = Dish(name)
    state = "bound" if dish.sheet.receptor else "inserted"
    rates = dish.standing(**{state: 3e-14}).rates()
    assert rates[f"cells.{state}_{name}.taken"] == near(dish.sheet.internalisation_rate.si * 3e-14, rel=1e-9)


def test_an_inducer_may_bind_and_insert():
    folate = CATALOGUE.load("inducers", "folate_polysaccharide")
    lipid = CATALOGUE.load("inducers", ALENDRONATE)
    keys = ("insertion_rate", "detachment_rate", "maximum_cover")
    both = dataclasses.replace(folate, **{k: getattr(lipid, k) for k in keys})
    assert both.problem() is None
    dish = Dish("both", both)
    run = dish.play(1e-3, HOUR)
    names = list(dish.network.species)
    bound, inserted = (run.states[-1][names.index(f"cells.{w}_both")] for w in ("bound", "inserted"))
    assert bound > 0.0
    assert inserted > 0.0
    assert run["held"][0] == near(bound + inserted, rel=1e-9)
    assert bound <= dish.receptors * (1 + 1e-9)
    rates = dish.standing(bound=2e-14, inserted=5e-14).rates()
    assert rates["cells.bound_both.taken"] == near(both.internalisation_rate.si * 2e-14, rel=1e-9)
    assert rates["cells.inserted_both.taken"] == near(both.internalisation_rate.si * 5e-14, rel=1e-9)


def test_per_cell_amounts_are_those_of_one_membrane():
    dish = Dish(ALENDRONATE)
    run = dish.play(1e-3, HOUR)
    assert run["held_per_cell"][0] == near(run["held"][0] / SEEDED, rel=1e-9)


# Calcium on groups.


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("calcium", [0.0, 1e-3, 1.2, 10.0, 1e6])
def test_groups_hold_calcium_as_langmuir_says(name, calcium):
    dish = Dish(name, calcium=calcium)
    state = "bound" if dish.sheet.receptor else "inserted"
    there = dish.standing(**{state: 2e-14})
    pairs = [(g.per_molecule.si, g.calcium_constant.si) for g in dish.sheet.groups]
    one = sum(n * calcium / (half + calcium) for n, half in pairs)
    room = sum(n for n, _ in pairs)
    assert there.of(dish.induced.gathered) == near(2e-14 * one, rel=1e-9)
    assert there.of(dish.induced.surface.ready) == near(one / room if room else 0.0, rel=1e-9)


def test_two_kinds_of_groups_add_up():
    one = CATALOGUE.load("inducers", "epha2_calcification_peptide")
    other = CATALOGUE.load("inducers", ALENDRONATE).groups[0]
    dish = Dish("two", dataclasses.replace(one, groups=[*one.groups, other]), calcium=2.0)
    n, half = one.groups[0].per_molecule.si, one.groups[0].calcium_constant.si
    m, k = other.per_molecule.si, other.calcium_constant.si
    exact = (n * 2 / (half + 2) + m * 2 / (k + 2)) / (n + m)
    assert dish.standing().of(dish.induced.surface.ready) == near(exact, rel=1e-9)


def test_noise_below_zero_counts_as_no_calcium():
    dish = Dish(ALENDRONATE, calcium=-1e-9)
    assert dish.standing(inserted=1e-14).of(dish.induced.gathered) == 0.0


@pytest.mark.parametrize("name", SHEETS)
def test_mineral_wets_an_inducer_with_groups_and_sees_bare_membrane_without(name):
    dish = Dish(name)
    surface = dish.induced.surface
    angle = dish.standing().of(surface.contact_angle)
    assert (surface.name, surface.deposit) == (name, "cells")
    if not dish.sheet.groups:
        assert angle == 2.0
        return
    assert angle == near(math.radians(dish.sheet.contact_angle.value), rel=1e-12)
    assert angle < math.pi / 2


def test_a_surface_in_a_tube_is_made_alike():
    dish = Dish(ALENDRONATE, calcium=1.0)
    own = Constants(dish.network, ALENDRONATE, dish.sheet)
    area = constant(1e-4, "m^2")
    made = inducers.induced_surface(own, "film", area, dish.medium.solution.free("Ca+2"), constant(2.0, "rad"))
    there = dish.standing()
    assert made.deposit == "film"
    assert there.of(made.area) == 1e-4
    assert there.of(made.ready) == near(there.of(dish.induced.surface.ready), rel=1e-12)


# Sheets.


def test_the_catalogue_has_inducers_and_a_control():
    assert len(SHEETS) >= 6
    without = [i for i in SHEETS if not CATALOGUE.load("inducers", i).groups]
    assert without == ["peg_folate"]
    assert inducers.applies({"a": CATALOGUE.load("inducers", "folate")})
    assert not inducers.applies({})


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", ON_RECEPTORS)
def test_every_line_says_how_many_receptors_it_bears(line, name):
    receptor = CATALOGUE.load("inducers", name).receptor
    assert 1e2 < CATALOGUE.load("cells", line).receptors[receptor].si < 1e7


def own_sheet(folder: Any, text: str) -> Any:
    (folder / "inducers").mkdir(exist_ok=True)
    (folder / "inducers" / "mine.toml").write_text(text, encoding="utf-8")
    return Catalogue(folder).load("inducers", "mine")


def sheet_text(name: str) -> str:
    return CATALOGUE.path("inducers", name).read_text(encoding="utf-8")


def without_line(text: str, key: str) -> str:
    kept = [row for row in text.splitlines() if not row.startswith(f"{key} =")]
    assert len(kept) == len(text.splitlines()) - 1
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("name", "key", "says"),
    [
        ("folate", "receptor_constant", "all three, or none"),
        ("folate", "association_rate", "all three, or none"),
        ("folate", "receptor", "all three, or none"),
        (ALENDRONATE, "maximum_cover", "or none"),
        (ALENDRONATE, "detachment_rate", "or none"),
        (ALENDRONATE, "insertion_rate", "or none"),
        (ALENDRONATE, "contact_angle", "both, or neither"),
        (ALENDRONATE, "internalisation_rate", "internalisation_rate"),
    ],
)
def test_half_a_sheet_is_refused(tmp_path, name, key, says):
    with pytest.raises(CatalogueError, match=says):
        own_sheet(tmp_path, without_line(sheet_text(name), key))


def test_an_inducer_that_stays_nowhere_is_refused(tmp_path):
    text = sheet_text("folate")
    for key in ("receptor", "receptor_constant", "association_rate"):
        text = without_line(text, key)
    with pytest.raises(CatalogueError, match="stays nowhere"):
        own_sheet(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        ("value = 0.11,", "value = 1.5,", CatalogueError, "maximum_cover"),
        ("value = 0.11,", "value = 0.0,", CatalogueError, "maximum_cover"),
        ('name = "bisphosphonate"', 'name = "amine"', CatalogueError, "bisphosphonate"),
        ('unit = "m/s"', 'unit = "1/s"', UnitError, "m/s"),
        ("insertion_rate =", "insertion_speed =", CatalogueError, "insertion_rate"),
    ],
)
def test_a_wrong_sheet_is_refused_by_name(tmp_path, old, new, error, says):
    text = sheet_text(ALENDRONATE)
    assert old in text
    with pytest.raises(error, match=says):
        own_sheet(tmp_path, text.replace(old, new, 1))


def test_groups_of_one_name_and_a_switch_without_insertion_are_refused():
    sheet = CATALOGUE.load("inducers", ALENDRONATE)
    problem = dataclasses.replace(sheet, groups=sheet.groups * 2).problem()
    assert problem is not None
    assert "two groups" in problem[0]
    switch = CATALOGUE.load("inducers", POLYPEPTIDE).switch
    problem = dataclasses.replace(CATALOGUE.load("inducers", "folate"), switch=switch).problem()
    assert problem is not None
    assert "switch" in problem[0]
