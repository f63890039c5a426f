"""Radicals of water: books that close, limits that can be written down, and input that is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError, NanotrialError, UnitError
from nanotrial.network.model import Network
from nanotrial.network.terms import constant
from nanotrial.radiation.arguments import quantity
from nanotrial.radiation.bond_cutting import (
    BONDS,
    bonds_cut,
    cutting_budget,
    direct_cuts,
    radical_ceiling,
    radical_yields,
)
from nanotrial.radiation.radicals import (
    FREE,
    PARTNERS,
    add_radicals,
    content_of,
    rate_between,
    reachable,
    read_reactions,
    solute_name,
)
from nanotrial.radiation.radiolysis import (
    DENSITY,
    dissolved_oxygen,
    irradiate,
    load_sheet,
    radiolysis,
    read_conditions,
)
from nanotrial.radiation.sensitiser_chemistry import (
    fenton_gate,
    fixed_damage,
    half_fixation,
    nitric_oxide_release,
    nitrite_release,
    oxygen_equivalent,
    peroxynitrite_lifetime,
    peroxynitrite_share,
    sensitiser_enhancement,
)
from nanotrial.radiation.yields import escape_yields, hydroxyl_yield, per_100_ev
from nanotrial.solve.events import Pulse
from nanotrial.solve.run import simulate_network

SHEET = load_sheet()
CELL = {"protein": "1 mol/L", "GSH": "5 mmol/L", "DNA": "10 mmol/L", "Cu2+": "1 umol/L", "NO": "1 umol/L"}


def number(found):
    return float(found.magnitude)


def test_molecules_per_100_ev():
    assert per_100_ev(1.0364269e-7) == pytest.approx(1.0, rel=1e-7)


@pytest.mark.parametrize("table", ["yields", "acid_yields", "high_let_yields"])
def test_yields_of_the_sheet_close_the_balance_of_matter_and_charge(table):
    printed = {k: v.si for k, v in getattr(SHEET, table).items()}
    free = {name: printed.get(name, 0.0) for name in FREE}
    assert hydroxyl_yield(free) == pytest.approx(printed["OH"], rel=1e-5)
    if "H+" in printed:
        assert free["e_aq"] + free["OH-"] == pytest.approx(printed["H+"], rel=1e-5)


def test_yields_go_over_to_those_of_dense_tracks():
    low, high = escape_yields(SHEET), escape_yields(SHEET, let="high")
    assert escape_yields(SHEET, let="0.2 keV/um") == pytest.approx(low, rel=1e-12)
    assert escape_yields(SHEET, let="140 keV/um") == pytest.approx(high, rel=1e-12)
    electrons = [per_100_ev(escape_yields(SHEET, let=f"{one} keV/um")["e_aq"]) for one in (0.3, 2.0, 10.0, 100.0)]
    assert all(a > b for a, b in itertools.pairwise(electrons))
    assert electrons[1] == pytest.approx(2.45, abs=0.1), "a few per cent less at kilovolt beams"
    acid = escape_yields(SHEET, 2.0)
    assert acid["H"] == pytest.approx((low["H"] + escape_yields(SHEET, 0.5)["H"]) / 2, rel=1e-12)


@pytest.mark.parametrize("name", PARTNERS)
def test_partners_of_a_yield_conserve_atoms_and_charge(name):
    gains = {}
    for species, count in {name: 1.0, **PARTNERS[name]}.items():
        for kind, held in content_of(SHEET.species[species]).items():
            gains[kind] = gains.get(kind, 0.0) + count * held
    assert all(abs(g) < 1e-12 for g in gains.values())


def test_formulas():
    assert content_of("Fe+3") == {"Fe": 1, "charge": 3}
    assert content_of("{GS}2H-") == {"{GS}": 2, "H": 1, "charge": -1}
    assert content_of("-") == {"charge": -1}
    with pytest.raises(CatalogueError, match="formula"):
        content_of("h2o")


def test_every_reaction_is_read_and_can_be_reached():
    read = read_reactions(SHEET)
    assert len(read) == len(SHEET.reactions) > 150
    surfaces = {r.on for r in SHEET.reactions if r.on}
    assert len(reachable(SHEET, SHEET.species, surfaces)) == len(read)
    assert len({r.label for r in read}) == len(read)


def test_solutes_bring_their_own_chemistry_and_no_other():
    plain = {r.label for r in reachable(SHEET, [])}
    with_gsh = {r.label for r in reachable(SHEET, ["GSH"])}
    assert "OH.GSH" in with_gsh - plain
    assert not any("Fe" in label or "formate" in label for label in with_gsh)


def test_a_reaction_that_loses_an_atom_does_not_build():
    import dataclasses

    broken = dataclasses.replace(SHEET.reactions[0], reaction="e_aq + e_aq + 2 water -> hydrogen + OH-")
    with pytest.raises(CatalogueError, match="atoms and charge"):
        read_reactions(dataclasses.replace(SHEET, reactions=[broken]))


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(("dose", "duration"), [(10.0, 600.0), (10.0, 1e-5), (10.0, 0.0)])
def test_atoms_and_charge_are_kept_through_a_run(held, dose, duration):
    conditions = read_conditions(CELL, "5 %", 7.0, "37 degC", "low", held_ph=held)
    run = irradiate(dose, duration, conditions, np.array([0.0, duration, 1.0, 700.0])[0 if duration else 1 :]).run
    drift = np.abs(run.contents - run.expected_contents).max(axis=0)
    made = dose * DENSITY * 3e-7
    assert dict(zip(run.content_names, drift < 1e-6 * made, strict=True)) == dict.fromkeys(run.content_names, True)
    assert {"O", "H", "charge", "{P}", "Cu", "N"} <= set(run.content_names)


@pytest.mark.parametrize("ph", [0.46, 3.0, 7.0])
def test_a_scavenger_without_end_catches_every_radical(ph):
    """Electrons end as H where nothing else takes them, and 1 mol/L of butanol takes OH and H."""
    free = {k: per_100_ev(v) for k, v in escape_yields(SHEET, ph).items()}
    caught = hydroxyl_yield(free) + free["e_aq"] + free["H"]
    found = radiolysis("1 Gy", "100 s", {"tert_butanol": "1 mol/L"}, "0 %", ph, until="100 s")
    assert float(found.g_tert_butanol_consumed) == pytest.approx(caught, rel=2e-3)
    by_peroxide = free["hydrogen_peroxide"] - float(found.g_h2o2)
    assert float(found.g_h2) == pytest.approx(free["hydrogen"] + free["e_aq"] + free["H"] - by_peroxide, rel=3e-3)
    assert by_peroxide < (0.3 if ph == 7.0 else 0.01), "what takes electrons at pH 7 is the peroxide of the tracks"
    assert float(found.primary_g_oh) == pytest.approx(hydroxyl_yield(free), rel=1e-9)


def test_formate_with_oxygen_turns_every_radical_into_half_a_peroxide():
    found = radiolysis("1 Gy", "60 s", {"formate": "1 mol/L"}, "100 %")
    free = {k: per_100_ev(v) for k, v in escape_yields(SHEET).items()}
    radicals = free["e_aq"] + free["H"] + per_100_ev(hydroxyl_yield(escape_yields(SHEET)))
    assert float(found.g_h2o2) == pytest.approx(free["hydrogen_peroxide"] + radicals / 2, rel=2e-3)
    caught = per_100_ev(hydroxyl_yield(escape_yields(SHEET)))
    hydrogen = float(found.g_h2) - free["hydrogen"]
    assert float(found.g_formate_consumed) == pytest.approx(caught + hydrogen, rel=5e-3)


def test_nitrous_oxide_turns_electrons_into_hydroxyl():
    found = radiolysis("1 Gy", "60 s", {"nitrous_oxide": "1 mol/L", "tert_butanol": "1 mol/L"}, "0 %")
    free = escape_yields(SHEET)
    assert float(found.g_nitrogen) == pytest.approx(per_100_ev(free["e_aq"] + free["H"]), rel=0.02)
    turned = per_100_ev(free["e_aq"] + free["H"] + hydroxyl_yield(free))
    assert float(found.g_tert_butanol_consumed) == pytest.approx(turned, rel=0.01)


def decay(start, times, ph=7.0, **species):
    """Return the course of radicals put into water without a beam (mol/m^3)."""
    conditions = read_conditions({k: f"{v} mol/m^3" for k, v in species.items()}, "0 %", ph, "25 degC", "low")
    return irradiate(0.0, 1.0, conditions, np.array([0.0, *times]))


def test_two_of_a_kind_go_twice_as_fast_as_the_rate_says():
    """1/c - 1/c0 = 2 k t: the factor two that tables leave out or count twice."""
    start, k = 1e-3, rate_between(SHEET, "OH", "OH")
    times = np.array([0.2, 1.0, 3.0]) / (2 * k * start)
    run = decay(start, times, OH=start)
    found = run.concentration("OH")[1:]
    exact = 1.0 / (1.0 / start + 2 * k * times)
    np.testing.assert_allclose(found, exact, rtol=4e-3)
    np.testing.assert_allclose(run.concentration("hydrogen_peroxide")[1:], (start - found) / 2, rtol=6e-3)


@pytest.mark.parametrize(("ph", "observed"), [(7.0, 6.0e5), (7.4, 2.4e5), (4.79, 2.4e7)])
def test_superoxide_dismutes_at_the_observed_rate(ph, observed):
    """Observed k is that of 2 k c^2, half of HO2 and O2- at the pK giving the most."""
    start = 1e-2
    times = np.array([1.0, 2.0]) / (2 * observed * 1e-3 * start)
    acid = 1.0 / (1.0 + 10.0 ** (ph - 4.793))
    run = decay(start, times, ph, HO2=acid * start, superoxide=(1 - acid) * start)
    left = run.concentration("HO2") + run.concentration("superoxide")
    found = (1 / left[1:] - 1 / left[0]) / (2 * times) * 1e3
    np.testing.assert_allclose(found, observed, rtol=0.05)


def test_competition_for_hydroxyl():
    """Two scavengers share OH as k1 c1 to k2 c2."""
    solutes = {"DMSO": "10 mmol/L", "tert_butanol": "50 mmol/L"}
    found = radiolysis("1 Gy", "60 s", solutes, "100 %", until="60 s")
    wanted = rate_between(SHEET, "OH", "DMSO") * 10 / (rate_between(SHEET, "OH", "tert_butanol") * 50)
    assert float(found.g_dmso_consumed / found.g_tert_butanol_consumed) == pytest.approx(wanted, rel=5e-3)


def test_instant_and_short_pulse_meet():
    at_once, short = radiolysis("10 Gy", "0 s"), radiolysis("10 Gy", "0.1 us")
    for name in ("g_h2o2", "g_o2_consumed", "g_h2"):
        assert float(at_once[name]) == pytest.approx(float(short[name]), rel=5e-3)
    assert float(at_once.dose[0]) == 10.0
    assert float(at_once.OH[0]) == pytest.approx(10 * DENSITY * hydroxyl_yield(escape_yields(SHEET)) * 1e3, rel=1e-6)


def test_conventional_rates_have_no_rate_effect_once_scavenged_and_flash_has_one_in_water():
    scavenged = [radiolysis("1 Gy", t, {"formate": "1 mol/L"}, "100 %").g_h2o2 for t in ("60 s", "1 us")]
    assert float(scavenged[0]) == pytest.approx(float(scavenged[1]), rel=3e-3)
    slow, fast = (float(radiolysis("10 Gy", t).g_h2o2) for t in ("600 s", "10 us"))
    assert fast > 1.3 * slow


def test_dose_rates_from_a_gray_a_minute_to_a_million_a_second_solve():
    for rate in (1 / 60, 1.0, 1e2, 1e4, 1e6):
        found = radiolysis("10 Gy", f"{10 / rate:.6g} s", CELL, "5 %", temperature="37 degC")
        assert np.isfinite(float(found.g_o2_consumed))
        assert float(found.g_o2_consumed) > 0
        assert float(found.oxygen.min()) > 0


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 50.0), st.floats(-7.0, 3.0), st.floats(3.0, 9.0), st.floats(0.0, 1.0))
def test_oxidants_equal_reductants(dose, log_duration, ph, air):
    """Water alone: 2 H2O2 + 4 O2 - 4 O2(0) + OH + 3 O2- + 3 HO2 = e_aq + H + 2 H2 at all times."""
    found = radiolysis(f"{dose} Gy", f"{10.0**log_duration} s", None, f"{100 * air} %", ph)
    first = dissolved_oxygen(f"{100 * air} %") * 1e3
    made = 2 * found.hydrogen_peroxide + 4 * (found.oxygen - first) + found.OH + 3 * (found.superoxide + found.HO2)
    taken = found.e_aq + found.H + 2 * found.hydrogen
    scale = dose * DENSITY * 3e-7 * 1e3
    assert np.abs(made - taken).max() < 1e-5 * scale + 1e-9 * first
    assert float(found.to_array().min()) > -1e3 * max(scale, 1.0)


def test_water_dissociates_where_ph_is_free():
    quiet = irradiate(0.0, 1.0, read_conditions(None, "0 %", 7.0, "25 degC", "low", False), np.array([0.0, 10.0]))
    assert quiet.concentration("H+")[-1] == pytest.approx(1e-4, rel=2e-3)
    acid = irradiate(0.0, 1.0, read_conditions(None, "0 %", 5.0, "25 degC", "low", False), np.array([0.0, 10.0]))
    product = acid.concentration("H+")[-1] * acid.concentration("OH-")[-1]
    assert product == pytest.approx(10**-7.997, rel=1e-3)


def test_a_surface_takes_peroxide_at_first_order_in_its_area():
    areas = [read_conditions({"H2O2": "10 umol/L"}, "0 %", 7.0, "25 degC", "low", surfaces={"platinum": a}) for a in
             ("0 m^2/L", "1 m^2/L", "2 m^2/L")]  # fmt: skip
    left = [irradiate(0.0, 1.0, c, np.array([0.0, 300.0])).concentration("hydrogen_peroxide")[-1] for c in areas]
    rate = next(r.surface.si for r in SHEET.reactions if r.on == "platinum" and "hydrogen_peroxide ->" in r.reaction)
    np.testing.assert_allclose(left, 0.01 * np.exp(-rate * 300 * np.array([0.0, 1e3, 2e3])), rtol=1e-5)


def test_enzymes_turn_over_and_stay():
    found = radiolysis("10 Gy", "60 s", {"catalase": "1 umol/L", "SOD": "1 umol/L"}, until="120 s")
    assert float(found.g_h2o2) < 1e-3
    assert float(found.catalase[-1]) == pytest.approx(1.0, rel=1e-9)
    assert float(found.SOD[-1]) == pytest.approx(1.0, rel=1e-9)


def test_radicals_in_a_compartment_that_holds_oxygen_already():
    network = Network("cells")
    volume = constant(2e-15, "m^3")
    network.compartment("cytosol", volume)
    network.state("cells.oxygen", "cytosol", scale=1e-15, initial=volume * constant(0.2, "mol/m^3"),
                  content={"peroxide": 2})  # fmt: skip
    beam = network.parameter("beam", 0.0, "Gy/s")
    added = add_radicals(network, "cytosol", beam, SHEET, {"formate": 1000.0}, size=1e-3, shared={
        "oxygen": "cells.oxygen"}, count=("hydrogen_peroxide",))  # fmt: skip
    run = simulate_network(network, [0.0, 60.0, 660.0], pulses=[Pulse(0.0, 60.0, "beam", 1 / 60)])
    peroxide = run[added.names["hydrogen_peroxide"]] / 2e-15
    alone = radiolysis("1 Gy", "60 s", {"formate": "1 mol/L"}, "200 umol/L")
    assert peroxide[-1] * 1e3 == pytest.approx(float(alone.hydrogen_peroxide[-1]), rel=1e-3)
    used = 0.2 - run["cells.oxygen"][-1] / 2e-15
    assert used * 1e3 == pytest.approx(200 - float(alone.oxygen[-1]), rel=1e-3)
    with pytest.raises(InputError, match="compartment"):
        add_radicals(network, "nucleus", beam, SHEET)


def test_warmth_speeds_and_thins():
    assert dissolved_oxygen("21 %", 310.15) < dissolved_oxygen("21 %", 298.15)
    assert dissolved_oxygen("159.2 mmHg") == pytest.approx(dissolved_oxygen("20.947 %"), rel=1e-3)
    assert dissolved_oxygen("250 umol/L") == pytest.approx(0.25)


def test_halving_glutathione_halves_the_constant_of_oxygen():
    full, half = number(half_fixation("5 mmol/L")), number(half_fixation("2.5 mmol/L"))
    assert half == pytest.approx(full / 2, rel=1e-12)
    assert number(half_fixation("5 mmol/L", "1e7 L/mol/s", "1e9 L/mol/s")) == pytest.approx(50.0, rel=1e-12)
    at_half = fixed_damage("5 mmol/L", quantity(full, "umol/L"))
    assert at_half["oxygen"] == pytest.approx(0.5, rel=1e-9)
    assert sum(fixed_damage("5 mmol/L", "3 mmHg", {"misonidazole": "1 mmol/L"}).values()) == pytest.approx(1.0)


def test_the_network_fixes_and_repairs_in_the_ratio_of_the_competition():
    solutes = {"DNA": "10 mmol/L", "GSH": "5 mmol/L"}
    oxygen = "2 umol/L"
    found = radiolysis("0.01 Gy", "1 s", solutes, oxygen, until="1 s")
    wanted = 2.0 / (2.0 + number(half_fixation("5 mmol/L")))
    repair = rate_between(SHEET, "DNA_radical", "GSH") * 5.0
    fixing = rate_between(SHEET, "DNA_radical", "oxygen") * 2e-3
    assert wanted == pytest.approx(fixing / (fixing + repair), rel=1e-9)
    attacked = 0.0
    for radical, made in radical_yields().items():
        speeds = {s: rate_between(SHEET, radical, s) * c for s, c in (("DNA", 10.0), ("GSH", 5.0), ("oxygen", 2e-3))}
        attacked += per_100_ev(made) * speeds["DNA"] / sum(speeds.values()) if radical != "e_aq" else 0.0
    assert float(found.g_dna_fixed) == pytest.approx(wanted * attacked, rel=0.01)


@pytest.mark.parametrize("bond", BONDS)
def test_no_more_bonds_are_cut_than_radicals_made(bond):
    found = bonds_cut("10 Gy", "100 mmol/L", bond)
    assert number(found.cut) <= number(found.ceiling) * (1 + 1e-9)
    assert number(found.ceiling) == pytest.approx(10 * DENSITY * sum(radical_yields().values()) * 1e3, rel=1e-12)
    few = bonds_cut("1e5 Gy", "1 umol/L", bond)
    assert few.share == pytest.approx(1.0)
    assert number(few.cut) == pytest.approx(1.0)


def test_cuts_compete_and_deplete_as_written():
    """With one radical and a competitor: k B/(k B + L): B - B0 + (L/k) ln(B/B0) = -rho G D, solved at the found B."""
    found = bonds_cut("2000 Gy", "1 mmol/L", "nitrosothiol", {"nitrous_oxide": "1 mmol/L"})
    rates = {i: rate_between(SHEET, i, "GSNO") for i in ("OH", "e_aq", "H")}
    assert found.captured["OH"] == 1.0
    assert found.captured["e_aq"] == pytest.approx(rates["e_aq"] / (rates["e_aq"] + 9.1e6), rel=1e-9)
    left, fluence, yields = 1.0 * (1 - found.share), 2000 * DENSITY, radical_yields()
    # The electrons alone, on the way that the OH prescribes: only for these does B fall and the caught share with it.
    cut = {i: number(v) * 1e-3 for i, v in found.by.items()}
    assert sum(cut.values()) == pytest.approx(1.0 - left, rel=1e-9)
    assert cut["OH"] == pytest.approx(min(fluence * yields["OH"], 1.0), rel=1e-6)
    assert cut["H"] == 0.0
    ratio = 9.1e6 / rates["e_aq"]
    grid = np.linspace(1.0, left, 20001)
    speed = yields["OH"] + yields["e_aq"] * grid / (grid + ratio)
    exact = np.trapezoid(1 / speed, grid) if hasattr(np, "trapezoid") else np.trapz(1 / speed, grid)
    assert -exact == pytest.approx(fluence, rel=1e-5)


def test_direct_action_and_the_budget():
    one = number(direct_cuts("17 Gy", "1 g/L", 1.0, "17 eV"))
    assert one == pytest.approx(1.0 / 96485.33212 * 1e6 * 1e-3, rel=1e-8)
    assert number(direct_cuts("17 Gy", "1 g/L", 10.0)) == pytest.approx(10 * one)
    budget = cutting_budget("5 Gy", "1 mmol/L", 0.3, "1 g/L")
    assert not budget.possible
    assert number(budget.needed) == pytest.approx(300.0)
    assert budget.most == pytest.approx((number(radical_ceiling("5 Gy")) + number(budget.direct)) / 1000)
    assert cutting_budget("5 Gy", "1 umol/L", 1.0).possible


def test_nitric_oxide_and_nitrite_are_bounded_by_electrons():
    electrons = 10 * DENSITY * escape_yields(SHEET)["e_aq"] * 1e3
    assert number(nitric_oxide_release("10 Gy", "100 mmol/L")) == pytest.approx(electrons, rel=1e-9)
    assert number(nitrite_release("10 Gy", "100 mmol/L")) == pytest.approx(electrons, rel=1e-9)
    shared = number(nitrite_release("10 Gy", "1 mmol/L", {"nitrate": "1 mmol/L"}, released=0.5))
    assert shared == pytest.approx(electrons / 2 * 2.5e10 / (2.5e10 + 9.7e9), rel=1e-9)
    assert number(nitrite_release("1000 Gy", "1 umol/L")) == pytest.approx(1.0)
    assert number(nitric_oxide_release("10 Gy", "1 mmol/L", oxygen="21 %")) < 0.8 * electrons


def test_equivalence_and_enhancement():
    assert number(oxygen_equivalent("misonidazole", "2 mmol/L")) == pytest.approx(3.2)
    assert sensitiser_enhancement("misonidazole", "0 mmol/L") == 1.0
    assert sensitiser_enhancement("nitric_oxide", "1 mol/L") == pytest.approx(3.0, rel=1e-4)
    assert sensitiser_enhancement("misonidazole", "1 mmol/L") == pytest.approx(1.7, abs=0.1)
    assert sensitiser_enhancement("misonidazole", "1 mmol/L", "160 mmHg") < 1.01
    order = [sensitiser_enhancement(s, "1 mmol/L") for s in ("nitrite", "metronidazole", "nimorazole", "misonidazole")]
    assert all(a < b for a, b in itertools.pairwise(order))
    for name in Catalogue().ids("sensitisers"):
        held = Catalogue().load("sensitisers", name).electron_capture
        capture = rate_between(SHEET, "e_aq", {"nitric_oxide": "NO"}.get(name, name))
        assert held is not None
        assert held.si == pytest.approx(capture), "the two sheets agree"


def test_peroxynitrite():
    assert peroxynitrite_share("1 umol/L") == 1.0
    assert peroxynitrite_share("0 umol/L", "1 umol/L") == 0.0
    assert peroxynitrite_share("2 umol/L", "6.7 umol/L") == pytest.approx(0.5)
    assert number(peroxynitrite_lifetime(4.0, "0 umol/L")) == pytest.approx(1 / 1.2, rel=0.01)
    assert number(peroxynitrite_lifetime(9.5, "1 mmol/L")) == pytest.approx(1 / 29.0, rel=0.01)


def test_a_beam_opens_the_fenton_gate():
    """Without beam OH comes from the slow step of copper(II) alone; without metal or peroxide from the tracks."""
    gate = fenton_gate("6 Gy", "6 s", "20 umol/L", "100 umol/L", until="10 s")
    tracks = 6 * DENSITY * hydroxyl_yield(escape_yields(SHEET)) * 1e3
    assert number(gate.without_peroxide) == pytest.approx(tracks, rel=0.1)
    assert number(gate.together) > number(gate.without_metal) > tracks
    assert number(gate.gain) > 0
    more = fenton_gate("6 Gy", "6 s", "20 umol/L", "100 umol/L", reduced_by_particle="5 umol/L", until="10 s")
    assert number(more.gain) > number(gate.gain)
    quiet = fenton_gate("6 Gy", "6 s", "20 umol/L", "0 umol/L", until="10 s")
    assert number(quiet.without_beam) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"absorbed_dose": "0 Gy"}, "dose above zero"),
        ({"absorbed_dose": "-1 Gy"}, "absorbed_dose"),
        ({"absorbed_dose": "10"}, "without a unit"),
        ({"duration": "1e30 s"}, "dose rate above zero"),
        ({"duration": quantity(np.inf, "s")}, "duration"),
        ({"duration": "-1 s"}, "duration"),
        ({"oxygen": "-5 mmHg"}, "oxygen"),
        ({"oxygen": "-1 %"}, "oxygen"),
        ({"oxygen": "120 %"}, "oxygen"),
        ({"oxygen": "5 Gy"}, "oxygen"),
        ({"solutes": {"glutathion": "1 mmol/L"}}, "Did you mean"),
        ({"solutes": {"GSH": "-1 mmol/L"}}, "solutes.GSH"),
        ({"solutes": {"GSH": "1 mg"}}, "solutes.GSH"),
        ({"ph": 12.0}, "ph"),
        ({"ph": "7"}, "ph"),
        ({"let": "500 keV/um"}, "let"),
        ({"let": "high", "ph": 1.0}, "ph"),
        ({"until": "1 s"}, "until"),
        ({"temperature": "150 degC"}, "temperature"),
        ({"surfaces": {"platinium": "1 m^2/L"}}, "platinum"),
    ],
)
def test_wrong_input_is_named(arguments, message):
    with pytest.raises((InputError, UnitError), match=message):
        radiolysis(**{"absorbed_dose": "1 Gy", "duration": "10 s", **arguments})


def test_other_wrong_input():
    with pytest.raises(InputError, match="bond"):
        bonds_cut("1 Gy", "1 mmol/L", "disulphide")
    with pytest.raises(InputError, match="share"):
        cutting_budget("1 Gy", "1 mmol/L", 1.5)
    with pytest.raises(InputError, match="dose_ratio"):
        direct_cuts("1 Gy", "1 g/L", -1.0)
    with pytest.raises(InputError, match="metal"):
        fenton_gate("1 Gy", "1 s", "1 umol/L", "1 umol/L", metal="Cu+")
    with pytest.raises(InputError, match="thiol"):
        fixed_damage("0 mmol/L")
    with pytest.raises(NanotrialError, match="misonidazole"):
        oxygen_equivalent("misonidazol", "1 mmol/L")
    assert solute_name(SHEET, "Cu2+") == "Cu+2"
    assert solute_name(SHEET, "glutathione") == "GSH"
