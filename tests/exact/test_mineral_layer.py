"""Mineral on cells and in tissue against closed forms: factors, pores, damage, seepage, stains, tomography."""

from __future__ import annotations

import math

import casadi as ca
import numpy as np
import pytest
from dishes import CATALOGUE, Standing, make_dish, one_cell, play_cell
from hypothesis import given as drawn
from hypothesis import strategies as st
from tubes import HOUR

from nanotrial.catalogue.schema import KINDS
from nanotrial.cell import bath, death, mineral_layer
from nanotrial.cell.culture import Cells, Constants, Layer
from nanotrial.medium import porous
from nanotrial.medium.constants import diffusivity_factor
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.observe.ct import ct_number, read_scan
from nanotrial.observe.stain import calcium_to_phosphorus, phase_shares, stained_share
from nanotrial.places import build_arm
from nanotrial.places import dish as dish_place

EFFECTS = ("mammalian_mineral_effects", CATALOGUE.load("mineral_effects", "mammalian_mineral_effects"))
SHEET = EFFECTS[1]
SCANNER = CATALOGUE.load("scanners", "generic_ct_120kvp")
THIN = 1e-7
shares = st.floats(0.0, 1.0)


def number(value: Term | float) -> float:
    """Return the value of a term without symbols."""
    return float(ca.evalf(value.expression)) if isinstance(value, Term) else value


def of(cover: float, thickness: float = THIN) -> tuple[Network, Layer]:
    network = Network("layer")
    effects = Constants(network, *EFFECTS)
    return network, mineral_layer.layer_of(constant(cover, "1"), constant(thickness, "m"), effects)


def felt(cover: float, thickness: float = THIN) -> dict[str, float]:
    """Return what a cell feels of a layer, in SI."""
    network, layer = of(cover, thickness)
    symbols = [p.symbol for p in network.parameters.values()]
    values = [p.value for p in network.parameters.values()]
    return {k: float(ca.Function(k, symbols, [t.expression])(*values)) for k, t in vars(layer).items()}


def covered_cell(monkeypatch: pytest.MonkeyPatch, cover: float) -> Cells:
    """Return a cell in a bath whose membrane lies under mineral as the parameter ``cover`` says."""

    def made(**given):
        network = given["network"]
        effects = Constants(network, *EFFECTS)
        part = network.parameter("cover", cover, "1")
        return Cells(**{**given, "layer": mineral_layer.layer_of(part, constant(THIN, "m"), effects)})

    with monkeypatch.context() as patch:
        patch.setattr(bath, "Cells", made)
        return one_cell()


# The layer alone.


def test_without_mineral_nothing_changes():
    found = felt(0.0)
    assert [found[k] for k in ("open_share", "fuel_share", "fluidity", "binding")] == [1.0] * 4
    assert found["damage_rate"] == 0.0


def test_under_mineral_the_losses_are_those_of_the_sheet():
    found, blocked = felt(1.0), SHEET.blocked_transport.si
    assert found["open_share"] == pytest.approx(1.0 - blocked, rel=1e-12)
    assert found["fuel_share"] == pytest.approx(1.0 - SHEET.membrane_fuel_share.si * blocked, rel=1e-12)
    assert found["fluidity"] == pytest.approx(1.0 - SHEET.fluidity_loss.si, rel=1e-12)
    assert found["binding"] == pytest.approx(1.0 - SHEET.binding_loss.si, rel=1e-12)
    assert found["damage_rate"] * SHEET.rupture_time.si == pytest.approx(1.0, rel=1e-12)


@drawn(shares, shares)
def test_more_mineral_leaves_less(first, second):
    less, more = felt(min(first, second)), felt(max(first, second))
    for key in ("open_share", "fuel_share", "fluidity", "binding"):
        assert 0.0 <= more[key] <= less[key] <= 1.0
    assert less["damage_rate"] <= more["damage_rate"]
    assert less["open_share"] <= less["fuel_share"], "part of the fuel does not come through the membrane"


def test_plain_membrane_is_a_surface():
    network = Network("surface")
    area, bare = constant(2e-9, "m^2"), constant(0.25, "1")
    found = mineral_layer.membrane_surface(area, bare, Constants(network, *EFFECTS))
    assert (found.name, found.deposit) == ("membrane", "cells")
    assert number(found.area) == 2e-9
    assert number(found.ready) == 0.25
    assert [p.value for p in network.parameters.values()] == [pytest.approx(math.radians(110.0), rel=1e-12)]


# Pores.


def test_drop_across_pores_is_that_of_a_slab():
    """The drop q L tau / (eps D A) is that of steady diffusion solved on a grid with the cell as a sink at its end."""
    need, area, diffusivity = 4e-17, 1.1e-9, 2.5e-9
    network, layer = of(1.0, 3e-7)
    symbols = [p.symbol for p in network.parameters.values()]
    values = [p.value for p in network.parameters.values()]
    drop = mineral_layer.pore_drop(
        constant(need, "mol/s"), layer, constant(diffusivity, "m^2/s"), constant(area, "m^2")
    )
    found = float(ca.Function("drop", symbols, [drop.expression])(*values))
    through = diffusivity * SHEET.layer_porosity.si / SHEET.layer_tortuosity.si
    cells, step = 50, 3e-7 / 50
    matrix = np.diag(np.full(cells, 2.0)) - np.diag(np.ones(cells - 1), 1) - np.diag(np.ones(cells - 1), -1)
    matrix[-1, -1] = 1.0
    right = np.zeros(cells)
    right[0], right[-1] = 0.2, -need / area * step / through
    assert found == pytest.approx(0.2 - np.linalg.solve(matrix, right)[-1], rel=1e-6)


def test_thicker_layer_needs_a_proportionally_larger_drop():
    assert felt(1.0, 5e-7)["path"] == pytest.approx(5.0 * felt(1.0, 1e-7)["path"], rel=1e-12)
    assert felt(1.0, 0.0)["path"] == 0.0


def test_pores_alone_starve_no_cell():
    """Under 100 nm a cell of 4T1 finds almost all of the oxygen of its medium: the statement of the theory page."""
    line = CATALOGUE.load("cells", "4t1")
    oxygen = CATALOGUE.load("solutes", "oxygen").diffusivity.si * diffusivity_factor(310.15)
    drop = line.oxygen_consumption.si * felt(1.0)["path"] / (oxygen * line.membrane_area.si)
    assert 5e-6 < drop < 1.5e-5
    assert drop / bath.AIR_OXYGEN < 1e-4


def test_pores_explain_their_part_of_the_loss():
    drop, outside = constant(8e-6, "mol/m^3"), constant(0.2, "mol/m^3")
    for cover in (0.0, 1.0):
        network, layer = of(cover)
        symbols = [p.symbol for p in network.parameters.values()]
        values = [p.value for p in network.parameters.values()]
        part = mineral_layer.pores_explain(drop, outside, layer)
        found = float(ca.Function("part", symbols, [part.expression])(*values))
        lost = 1.0 - felt(cover)["fuel_share"]
        assert found == pytest.approx(4e-5 / lost if lost else 0.0, rel=1e-9)


# A cell under mineral.


def test_bare_cell_with_a_layer_is_the_cell_without(monkeypatch):
    plain, bare = one_cell(), covered_cell(monkeypatch, 0.0)
    hours = [600.0, HOUR, 6 * HOUR]
    changes = {"bath.hydrogen_peroxide": 0.05}
    first, second = play_cell(plain, hours, changes), play_cell(bare, hours, changes)
    for name in (*plain.network.species, *plain.network.observables):
        assert second[name] == pytest.approx(first[name], rel=1e-9), name


def test_covered_cell_holds_less_atp_and_potential(monkeypatch):
    cells = covered_cell(monkeypatch, 0.0)
    ends = []
    for cover in (0.0, 0.3, 0.6, 1.0):
        after = play_cell(cells, [2 * HOUR], {"cover": cover})
        ends.append((after["cell.potential"][0], after["cell.atp"][0]))
    for less, more in zip(ends[1:], ends[:-1], strict=True):
        assert less[0] < more[0]
        assert less[1] < more[1]


def test_glycolysis_and_respiration_fall_by_their_shares(monkeypatch):
    """At rest the slope of ATP is u (1 - s)(open - 1), and that of the potential psi_0 (fuel - 1) / tau."""
    cells = covered_cell(monkeypatch, 1.0)
    sheet = CATALOGUE.load("energetics", "mammalian_energetics")
    quiet, shown = {"loop.feedback": 0.0}, felt(1.0)
    plain, there = Standing(one_cell().network, quiet).slopes(), Standing(cells.network, quiet).slopes()
    lost = sheet.atp_turnover.si * (1.0 - sheet.oxidative_share.si) * (shown["open_share"] - 1.0)
    assert there["cell.atp"][0] - plain["cell.atp"][0] == pytest.approx(lost, rel=1e-9)
    slower = sheet.resting_potential.si * (shown["fuel_share"] - 1.0) / sheet.potential_time.si
    found = there["cell.potential"][0] - plain["cell.potential"][0]
    assert found == pytest.approx(slower, rel=1e-9)


def test_layer_in_a_dish_adds_damage_and_names_the_drop(monkeypatch):
    """In a whole dish: damage grows by cover / t_b, and the drop of oxygen is that of the closed form."""
    study = make_dish()
    kept: list[Cells] = []

    def made(**given):
        network = given["network"]
        effects = Constants(network, *EFFECTS)
        layer = mineral_layer.layer_of(constant(0.4, "1"), constant(THIN, "m"), effects)
        kept.append(Cells(**{**given, "layer": layer}))
        return kept[-1]

    plain = Standing(build_arm(study, study.arms[0]).network).slopes()["cells.0.damage"][0]
    monkeypatch.setattr(dish_place, "Cells", made)
    network = build_arm(study, study.arms[0]).network
    there = Standing(network)
    more = there.slopes()["cells.0.damage"][0] - plain
    assert more == pytest.approx(0.4 / SHEET.rupture_time.si, rel=1e-9)
    line = CATALOGUE.load("cells", "4t1")
    oxygen = CATALOGUE.load("solutes", "oxygen").diffusivity.si * diffusivity_factor(310.15)
    share = there.of(kept[0].fluxes["respiration"]) * line.volume.si / line.oxygen_consumption.si
    drop = share * line.oxygen_consumption.si * felt(0.4)["path"] / (oxygen * line.membrane_area.si)
    assert there.of(kept[0].fluxes["pore_oxygen_drop"]) == pytest.approx(drop, rel=1e-9)
    assert 0.5 < share < 1.0, "fuel is short under mineral"
    assert death.ID in {p.mechanism for p in network.processes.values()}


def test_exact_case_and_its_condition():
    found, exact, tolerance = mineral_layer.exact_case()
    assert found == pytest.approx(exact, rel=tolerance)
    assert not mineral_layer.applies(one_cell())


# Porous tissue.

LAWS = (porous.bruggeman, porous.maxwell, porous.mackie_meares)


@pytest.mark.parametrize("law", LAWS, ids=lambda f: f.__name__)
def test_diffusion_runs_from_all_to_nothing(law):
    assert porous.diffusion_ratio(0.4, 0.0, law) == 1.0
    assert porous.diffusion_ratio(0.4, 0.4, law) == 0.0
    assert porous.diffusion_ratio(0.4, 0.7, law) == 0.0
    assert law(1.0) == 1.0


@drawn(st.floats(0.05, 0.95), shares, shares)
def test_transport_falls_with_mineral_and_no_law_beats_maxwell(porosity, first, second):
    less, more = sorted((first * porosity, second * porosity))
    for law in LAWS:
        assert porous.diffusion_ratio(porosity, more, law) <= porous.diffusion_ratio(porosity, less, law) <= 1.0
        assert law(porosity) <= porous.maxwell(porosity) + 1e-15
    assert porous.seepage_ratio(porosity, more) <= porous.seepage_ratio(porosity, less) <= 1.0
    assert porous.seepage_ratio(porosity, more) <= porous.diffusion_ratio(porosity, more) + 1e-12


def test_a_little_mineral_slows_by_the_slope_of_each_law():
    """Near no mineral: 1 - 3/2 phi/eps (Bruggeman), 1 - (3/eps + 2/(1 - eps)) phi (Kozeny and Carman)."""
    eps, phi = 0.3, 1e-7
    assert (1.0 - porous.diffusion_ratio(eps, phi)) / phi == pytest.approx(1.5 / eps, rel=1e-5)
    assert (1.0 - porous.seepage_ratio(eps, phi)) / phi == pytest.approx(3.0 / eps + 2.0 / (1.0 - eps), rel=1e-5)


def test_seepage_stops_where_pores_are_full():
    assert porous.seepage_ratio(0.25, 0.0) == 1.0
    assert porous.seepage_ratio(0.25, 0.25) == 0.0
    assert porous.seepage_ratio(0.5, 0.25) == pytest.approx(0.125 * (0.5 / 0.75) ** 2, rel=1e-12)


def test_vessel_narrows_with_the_fourth_power():
    assert porous.vessel_ratio(5e-6, 0.0) == 1.0
    assert porous.vessel_ratio(5e-6, 2.5e-6) == pytest.approx(1.0 / 16.0, rel=1e-12)
    assert porous.vessel_ratio(5e-6, 6e-6) == 0.0


def test_tissue_seals_where_pores_come_apart():
    sealed = porous.sealing_mineral(0.25, 0.03)
    assert sealed == pytest.approx(0.22, rel=1e-12)
    assert porous.percolation_ratio(0.25, sealed + 1e-9, 0.03) == 0.0
    assert porous.percolation_ratio(0.25, 0.0, 0.03) == 1.0
    assert porous.percolation_ratio(0.25, 0.11, 0.03) == pytest.approx(0.25, rel=1e-12)
    assert porous.sealing_mineral(0.02, 0.03) == 0.0


def test_mineral_share_is_volume_over_volume():
    hap = porous.mineral_share(2.0, 0.5023, 3160.0, 1e-3)
    assert hap == pytest.approx(2.0 * 0.5023 / 3160.0 / 1e-3, rel=1e-12)


def test_terms_give_what_numbers_give():
    eps, phi = constant(0.3, "1"), constant(0.12, "1")
    for law in LAWS:
        assert number(porous.diffusion_ratio(eps, phi, law)) == pytest.approx(porous.diffusion_ratio(0.3, 0.12, law))
    assert number(porous.seepage_ratio(eps, phi)) == pytest.approx(porous.seepage_ratio(0.3, 0.12))
    assert number(porous.vessel_ratio(constant(5e-6, "m"), constant(1e-6, "m"))) == pytest.approx(0.8**4)
    threshold = constant(0.03, "1")
    assert number(porous.percolation_ratio(eps, phi, threshold)) == pytest.approx((0.15 / 0.27) ** 2)
    parts = [constant(n, u) for n, u in ((2.0, "mol"), (0.5, "kg/mol"), (3000.0, "kg/m^3"), (1.0, "m^3"))]
    assert porous.mineral_share(*parts).dimension.is_number


# Stains, elements, diffraction.


def stained(amount: float, area: float = 1e-4, visible: float = 1e-3) -> float:
    return number(stained_share(constant(amount, "mol"), constant(area, "m^2"), constant(visible, "mol/m^2")))


def test_stain_has_its_limits():
    assert stained(0.0) == 0.0
    assert stained(1.0) == 1.0
    assert stained(1e-7) == pytest.approx(1.0 - math.exp(-1.0), rel=1e-12)
    assert stained(1e-12) == pytest.approx(1e-5, rel=1e-4), "the first spots do not lie over each other"


def test_stained_share_is_that_of_spots_thrown_at_random():
    """Discs of one size thrown on a periodic square cover 1 - exp(-m / (s A)) of it, whatever their size."""
    draws = np.random.default_rng(5)
    side, points = 1.0, draws.random((20_000, 2))
    for radius, load in ((0.02, 0.7), (0.05, 0.7)):
        count = draws.poisson(load * side**2 / (math.pi * radius**2))
        middles, hit = draws.random((count, 2)), np.zeros(len(points), bool)
        for middle in middles:
            away = np.abs(points - middle)
            away = np.minimum(away, side - away)
            hit |= (away**2).sum(axis=1) < radius**2
        assert hit.mean() == pytest.approx(stained(load * 1e-3, 1.0), abs=0.06)


@pytest.mark.parametrize("name", ["alizarin_red_s", "von_kossa"])
def test_stains_bind_what_they_say(name):
    sheet = CATALOGUE.load("stains", name)
    assert sheet.binds == {"alizarin_red_s": "calcium", "von_kossa": "phosphate"}[name]
    assert sheet.measures == "calcified_area"
    assert 0.0 < stained(1e-8, visible=sheet.visible_amount.si) < 1.0


def test_ratio_of_elements():
    floor = constant(1e-15, "mol")
    mineral = [constant(n, "mol") for n in (5e-9, 3e-9)]
    assert number(calcium_to_phosphorus(*mineral, floor)) == pytest.approx(5.0 / 3.0, rel=1e-9)
    none = constant(0.0, "mol")
    assert number(calcium_to_phosphorus(none, none, floor)) == 0.0
    assert number(calcium_to_phosphorus(constant(1e-9, "mol"), none, floor)) == 0.0


def test_diffraction_does_not_see_amorphous_phases():
    phase = KINDS["phases"]
    kept = CATALOGUE.load("phases", "brucite")
    phases = {
        "a": phase(**{**vars(kept), "structure": "crystalline"}),
        "b": phase(**{**vars(kept), "structure": "crystalline"}),
        "glass": phase(**{**vars(kept), "structure": "amorphous"}),
    }
    masses = {n: constant(m, "kg") for n, m in (("a", 3e-9), ("b", 1e-9), ("glass", 5e-9))}
    found = {n: number(s) for n, s in phase_shares(masses, phases, constant(1e-18, "kg")).items()}
    assert found == {"a": pytest.approx(0.75, rel=1e-9), "b": pytest.approx(0.25, rel=1e-9)}
    nothing = {n: constant(0.0, "kg") for n in phases}
    assert {number(s) for s in phase_shares(nothing, phases, constant(1e-18, "kg")).values()} == {0.0}
    assert phase_shares({"glass": masses["glass"]}, phases, constant(1e-18, "kg")) == {}


# Tomography.


def test_contrast_of_the_sheet_follows_from_attenuation():
    """At 70 keV (cm^2/g, log-log between the tabulated 60 and 80): Ca, P, O, H; hydroxyapatite displaces water."""
    table = {"Ca": (0.6578, 0.3656), "P": (0.3494, 0.2324), "O": (0.1907, 0.1678), "H": (0.3260, 0.3091)}
    share = math.log(70.0 / 60.0) / math.log(80.0 / 60.0)
    mu = {e: math.exp((1.0 - share) * math.log(a) + share * math.log(b)) for e, (a, b) in table.items()}
    mass = {"Ca": 40.078, "P": 30.974, "O": 15.999, "H": 1.008}

    def of_formula(**count: int) -> tuple[float, float]:
        whole = sum(n * mass[e] for e, n in count.items())
        return sum(n * mass[e] * mu[e] for e, n in count.items()) / whole, whole

    water, (apatite, whole) = of_formula(H=2, O=1)[0], of_formula(Ca=5, P=3, O=13, H=1)
    per_mineral = (apatite - water / 3.16) / water
    assert SCANNER.calcium_contrast.si == pytest.approx(per_mineral * whole / (5 * mass["Ca"]), rel=0.02)


def test_ct_number_is_linear_and_begins_at_tissue():
    assert ct_number(0.0, 3.3, 40.0) == 40.0
    assert ct_number(10.0, 3.3, 40.0) == pytest.approx(73.0)
    term = ct_number(constant(10.0, "kg/m^3"), constant(3.3, "m^3/kg"), constant(40.0, "1"))
    assert number(term) == pytest.approx(73.0)


def test_mean_over_voxels_is_quieter():
    one, many = (read_scan(np.array([0.0, 20.0]), SCANNER, n) for n in (1, 100))
    assert one.number.tolist() == [40.0, pytest.approx(106.0)]
    assert many.noise == pytest.approx(one.noise / 10.0)
    assert one.noise == SCANNER.noise.si
