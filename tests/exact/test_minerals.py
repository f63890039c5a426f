"""Crystals that nucleate, grow, dissolve and turn into the next: closed forms, limits and balances."""

from __future__ import annotations

import math

import casadi as ca
import numpy as np
import pytest
from mineral_phases import (
    alone,
    amorphous_calcium_phosphate,
    growth,
    hydroxyapatite,
    inhibition,
    ladder,
    nucleation,
    number,
    octacalcium_phosphate,
    turning,
)

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError, NetworkError
from nanotrial.medium import ChargeImbalanceWarning, crystals, minerals, precipitate, speciate
from nanotrial.medium.course import mineral_course
from nanotrial.medium.growth import transformation_yield
from nanotrial.medium.nucleation import barrier_strength, nucleation_factor, wetting
from nanotrial.medium.saturation import all_ions
from nanotrial.medium.surfaces import Surface
from nanotrial.medium.vessel import closed_vessel
from nanotrial.network.terms import constant, term
from nanotrial.solve.events import Event
from nanotrial.solve.run import Tolerances, simulate_network

BODY, ROOM = 310.15, 298.15
HOUR, DAY = 3600.0, 86400.0
STILL = growth(1e-40, 1.0, 1e-40)
MIXED = {"calcium": 10.0, "phosphate": 10.0}
FLUID = {"calcium": 2.5, "phosphate": 1.0}


def value(made) -> float:
    return float(ca.evalf(made.expression))


def vessel_of(phases, totals=None, ph=7.4, temperature=ROOM, surfaces=(), strong_charge=-3.2):
    made = closed_vessel(
        totals or FLUID, ph, temperature, 150.0, phases=phases, surfaces=surfaces, strong_charge=strong_charge
    )
    minerals.add(made)
    return made


def reading(vessel, made, states=None) -> float:
    """Return the value of a term of amounts and parameters."""
    network = vessel.network
    symbols = [p.symbol for p in network.parameters.values()] + [s.symbol for s in network.species.values()]
    numbers = [p.value for p in network.parameters.values()] + [(states or {}).get(n, 0.0) for n in network.species]
    return float(ca.Function("reading", symbols, [made.expression])(*numbers))


def surface(deposit="glass", area=1.0, angle=60.0, ready=1.0, name="plate"):
    return Surface(name, deposit, constant(area, "m^2"), term(math.radians(angle)), term(ready))


def seeded(vessel, identifier, radius, count, deposit=""):
    """Return an event that puts spheres (hemispheres on a deposit) of one radius in at the start."""
    names = crystals.state_names(vessel, identifier, deposit)
    amount = count * of_radius(vessel.phases[identifier], radius) * (0.5 if deposit else 1.0)
    numbers = (amount, count, count * radius, count * radius**2)
    units = ("mol", "1", "m", "m^2")
    return Event(0.0, {n: constant(x, u) for n, x, u in zip(names, numbers, units, strict=True)}, "seeds")


def of_radius(phase, radius):
    """Return the moles in a sphere."""
    return 4.0 / 3.0 * math.pi * radius**3 * phase.density.si / phase.molar_mass.si


# Nucleation


@pytest.mark.parametrize(("degrees", "share"), [(0.0, 0.0), (90.0, 0.5), (180.0, 1.0), (60.0, 0.15625)])
def test_share_of_the_barrier_on_a_surface(degrees, share):
    assert value(wetting(term(math.radians(degrees)))) == pytest.approx(share, abs=1e-12)


def test_barrier_by_hand():
    # 16 pi / 3 g^3 v^2 / (kT)^3 with g = 0.05 J/m^2, v = 2.5e-28 m^3, T = 300 K.
    by_hand = 16.0 * math.pi / 3.0 * 0.05**3 * (2.5e-28) ** 2 / (1.380649e-23 * 300.0) ** 3
    found = barrier_strength(constant(0.05, "J/m^2"), constant(2.5e-28, "m^3"), 300.0)
    assert value(found) == pytest.approx(by_hand, rel=1e-6)


def test_nothing_begins_at_saturation_or_below():
    for logarithm in (-60.0, -1.0, 0.0, 1e-4):
        assert value(nucleation_factor(term(0.0), term(logarithm))) < 1e-40
    rising = [value(nucleation_factor(term(100.0), term(x))) for x in (1.0, 2.0, 5.0, 10.0, 100.0)]
    assert rising == sorted(rising)
    assert rising[0] == pytest.approx(math.exp(-100.0), rel=1e-3)
    assert rising[-1] == pytest.approx(math.exp(-0.01), rel=1e-6)
    slope = (value(nucleation_factor(term(0.0), term(1.1e-3))) - value(nucleation_factor(term(0.0), term(1e-3)))) / 1e-4
    assert abs(slope) < 1e-20, "flat at saturation even where a surface takes the whole barrier"


def test_induction_time_is_straight_in_the_squared_logarithm():
    """Time to a number of crystals, from runs: ln t = constant + B / ln^2 Omega, with B computed by hand."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(60.0, 1e12), growth=STILL)
    inverse_square, log_time = [], []
    for calcium in (1.0, 2.0, 4.0, 8.0):
        found = mineral_course(
            {"calcium": calcium, "phosphate": 1.0}, 7.4, BODY, HOUR, phases={"hydroxyapatite": phase}, points=400
        )
        logarithm = found.saturation_indices["hydroxyapatite"][0] * math.log(10.0)
        count = found.crystals["hydroxyapatite"]
        assert 1e4 < count[-1] < 1e19
        inverse_square.append(logarithm**-2)
        log_time.append(math.log(np.interp(1e3, count, found.times_s)))
    slope, offset = np.polyfit(inverse_square, log_time, 1)
    formula_volume = 0.5023 / 3160.0 / 6.02214076e23
    by_hand = 16.0 * math.pi / 3.0 * 0.06**3 * formula_volume**2 / (1.380649e-23 * BODY) ** 3
    assert slope == pytest.approx(by_hand, rel=2e-3)
    assert offset == pytest.approx(math.log(1e3 / 1e12), rel=2e-3)
    assert max(abs(np.polyval((slope, offset), inverse_square) - log_time)) < 2e-3


def test_crystals_on_a_surface_begin_at_the_rate_of_the_law():
    """Number after a short while in the bulk and on a surface, against A exp(-barrier) by hand."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(60.0, 1e12, 1e10), growth=STILL)
    plate = surface(area=0.2, angle=70.0, ready=0.5)
    vessel = vessel_of({"hydroxyapatite": phase}, surfaces=[plate])
    run = simulate_network(vessel.network, [0.0, 1.0])
    logarithm = run["hydroxyapatite.saturation_index"][0] * math.log(10.0)
    formula_volume = 0.5023 / 3160.0 / 6.02214076e23
    barrier = 16.0 * math.pi / 3.0 * 0.06**3 * formula_volume**2 / (1.380649e-23 * ROOM) ** 3 / logarithm**2
    cosine = math.cos(math.radians(70.0))
    left = (2.0 + cosine) * (1.0 - cosine) ** 2 / 4.0
    assert run["tube.hydroxyapatite.crystals"][-1] == pytest.approx(1e12 * 1e-3 * math.exp(-barrier), rel=1e-4)
    on_plate = 1e10 * 0.2 * 0.5 * math.exp(-barrier * left)
    assert run["tube.hydroxyapatite.on_glass.crystals"][-1] == pytest.approx(on_plate, rel=1e-4)


def test_a_surface_makes_it_faster():
    phase = {"hydroxyapatite": alone(hydroxyapatite())}
    times = [0.0, *np.geomspace(1.0, 30 * DAY, 200)]
    plain = simulate_network(vessel_of(phase).network, times)["calcium"]
    ratio = [
        simulate_network(vessel_of(phase, surfaces=[surface(area=1e-3, angle=a)]).network, times)["calcium"]
        for a in (30.0, 60.0)
    ]
    early = [np.interp(-0.95, -c / c[0], times) for c in (*ratio, plain)]
    assert early[0] < early[1] < 0.5 * early[2]


def test_a_surface_that_is_not_ready_or_covered_begins_nothing():
    phase = {"hydroxyapatite": alone(hydroxyapatite(), growth=STILL)}
    unready = vessel_of(phase, surfaces=[surface(ready=0.0)])
    run = simulate_network(unready.network, [0.0, HOUR])
    assert abs(run["tube.hydroxyapatite.on_glass.crystals"][-1]) < 1e-30
    bare, full = vessel_of(phase, surfaces=[surface()]), vessel_of(phase, surfaces=[surface()])
    begun = simulate_network(bare.network, [0.0, 1.0])["tube.hydroxyapatite.on_glass.crystals"]
    # A square metre under 50 m^2 of footprints.
    event = seeded(full, "hydroxyapatite", 1e-6, 50.0 / math.pi / 1e-12, "glass")
    after = simulate_network(full.network, [0.0, 1.0], [event])["tube.hydroxyapatite.on_glass.crystals"]
    assert begun[-1] > 1.0
    assert after[-1] - after[0] < 1e-6 * begun[-1]


# Growth and dissolution


@pytest.mark.parametrize(("order", "rate"), [(1.0, 3e-8), (1.25, 1e-8), (4.0, 1e-11)])
def test_seeds_grow_by_the_rate_law(order, rate):
    """Few seeds in much solution: r = r0 + k Vm (S - 1)^order t."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(90.0, 1e-30), growth=growth(rate, order, 0.0))
    vessel = vessel_of({"hydroxyapatite": phase})
    count = 1e5
    run = simulate_network(vessel.network, [0.0, HOUR], [seeded(vessel, "hydroxyapatite", 5e-7, count)])
    ions = all_ions(phase.ion_product)
    assert ions == 9
    ratio = 10.0 ** (run["hydroxyapatite.saturation_index"][0] / ions)
    molar = phase.molar_mass.si / phase.density.si
    radius = 5e-7 + rate * molar * (ratio - 1.0) ** order * HOUR
    assert radius > 5.2e-7
    assert run["tube.hydroxyapatite"][-1] == pytest.approx(count * of_radius(phase, radius), rel=1e-3)


def test_growth_is_warmed_by_arrhenius():
    grown = []
    for temperature in (ROOM, BODY):
        phase = alone(hydroxyapatite(), nucleation=nucleation(90.0, 1e-30), growth=growth(1e-10, 1.0, 0.0))
        vessel = vessel_of({"hydroxyapatite": phase}, temperature=temperature)
        start = seeded(vessel, "hydroxyapatite", 1e-6, 1e3)
        run = simulate_network(vessel.network, [0.0, 60.0], [start])
        excess = 10.0 ** (run["hydroxyapatite.saturation_index"][0] / 9.0) - 1.0
        grown.append((run["tube.hydroxyapatite"][-1] - run["tube.hydroxyapatite"][0]) / excess)
    expected = math.exp(-60000.0 / 8.314462618 * (1.0 / BODY - 1.0 / ROOM))
    assert grown[1] / grown[0] == pytest.approx(expected, rel=2e-3)


def test_fast_surfaces_grow_as_diffusion_allows():
    """With a boundless surface step r^2 = r0^2 + 2 Vm t / sum(nu / (D c))."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(90.0, 1e-30), growth=growth(1e3, 1.0, 0.0))
    vessel = vessel_of({"hydroxyapatite": phase})
    count = 1e5
    run = simulate_network(vessel.network, [0.0, 10.0], [seeded(vessel, "hydroxyapatite", 1e-6, count)])
    sheets = Catalogue().solutes()
    resistance = sum(n / (sheets[s].diffusivity.si * FLUID[s]) for s, n in phase.products.items())
    molar = phase.molar_mass.si / phase.density.si
    radius = math.sqrt(1e-12 + 2.0 * molar * 10.0 / resistance)
    assert radius > 1.1e-6
    assert run["tube.hydroxyapatite"][-1] == pytest.approx(count * of_radius(phase, radius), rel=1e-3)


def test_crystals_dissolve_by_the_rate_law_and_vanish():
    """In water r = r0 - k Vm (1 - S) t; when nothing is left there are no crystals either."""
    phase = alone(hydroxyapatite(), growth=growth(1e-9, 1.0, 1e-7))
    vessel = vessel_of({"hydroxyapatite": phase}, {"calcium": 1e-9, "phosphate": 1e-9})
    count = 1e6
    start = seeded(vessel, "hydroxyapatite", 1e-6, count)
    times = [0.0, 0.25 * HOUR, DAY]
    run = simulate_network(vessel.network, times, [start])
    ratio = 10.0 ** (run["hydroxyapatite.saturation_index"] / 9.0)
    assert ratio.max() < 2e-2
    radius = 1e-6 - 1e-7 * phase.molar_mass.si / phase.density.si * times[1]
    assert radius < 0.99e-6
    assert run["tube.hydroxyapatite"][1] == pytest.approx(count * of_radius(phase, radius), rel=2e-3)
    assert run["tube.hydroxyapatite.crystals"][1] == pytest.approx(count, rel=1e-6)
    assert run["tube.hydroxyapatite"][2] < 1e-4 * run["tube.hydroxyapatite"][0]
    assert run["tube.hydroxyapatite.crystals"][2] < 0.02 * count


def test_steady_nucleation_and_growth_follow_avrami():
    """While the solution hardly changes the volume of crystals is pi / 3 J G^3 t^4."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(60.0, 1e8), growth=growth(1e-7, 1.0, 0.0))
    vessel = vessel_of({"hydroxyapatite": phase})
    run = simulate_network(vessel.network, [0.0, HOUR, 2 * HOUR])
    times = run.time[1:]
    molar = phase.molar_mass.si / phase.density.si
    births = run["tube.hydroxyapatite.crystals"][1:] / times
    speed = run["tube.hydroxyapatite.radii"][1:] / (births * times**2 / 2.0)
    assert np.all(speed * times > 1e-7)
    assert run["calcium"][-1] > 0.999 * run["calcium"][0]
    expected = math.pi / 3.0 * births * speed**3 * times**4 / molar
    assert run["tube.hydroxyapatite"][1:] == pytest.approx(expected, rel=0.03)
    surface_rate = 10.0 ** (run["hydroxyapatite.saturation_index"][0] / 9.0) - 1.0
    assert speed[0] == pytest.approx(1e-7 * molar * surface_rate, rel=0.05)


def test_area_of_a_deposit_is_that_of_its_surface():
    phases = {"hydroxyapatite": alone(hydroxyapatite()), "octacalcium_phosphate": alone(octacalcium_phosphate())}
    vessel = vessel_of(phases, surfaces=[surface(area=1e-3)])
    one, two = (crystals.population(vessel, i, "glass") for i in phases)
    few, many = {one.names[3]: 1e-6}, {one.names[3]: 1.0, two.names[3]: 3.0}

    def area(which, states):
        return reading(vessel, which.free_area * crystals.open_share(vessel, "glass"), states)

    bare = 2.0 * math.pi * 1e-6
    assert area(one, few) == pytest.approx(1e-3 * (1.0 - math.exp(-bare / 1e-3)), rel=1e-5)
    assert area(one, many) + area(two, many) == pytest.approx(1e-3, rel=1e-6)
    assert reading(vessel, minerals.cover(vessel, "glass"), many) == pytest.approx(1.0, abs=1e-9)
    assert reading(vessel, minerals.cover(vessel, "glass")) == 0.0
    expected = 1.0 - math.exp(-0.5 * bare / 1e-3)
    assert reading(vessel, minerals.cover(vessel, "glass"), few) == pytest.approx(expected, rel=1e-5)


# Ostwald's rule


def test_turning_is_exponential_and_takes_the_crystals_along():
    """n = n0 exp(-k (1 - 1/S) t); each mole of octacalcium phosphate gives 0.8 of hydroxyapatite and 0.6 phosphate."""
    parent = alone(octacalcium_phosphate(), growth=STILL, nucleation=nucleation(90.0, 1e-30))
    parent = alone(parent, transforms=[turning("hydroxyapatite", 2.0)])
    product = alone(hydroxyapatite(), growth=STILL, nucleation=nucleation(90.0, 1e-30))
    vessel = vessel_of({"octacalcium_phosphate": parent, "hydroxyapatite": product})
    run = simulate_network(vessel.network, [0.0, HOUR], [seeded(vessel, "octacalcium_phosphate", 1e-7, 1e9)])
    drive = 1.0 - 10.0 ** (-run["hydroxyapatite.saturation_index"][0] / 9.0)
    left, begun = math.exp(-2.0 * drive), run["tube.octacalcium_phosphate"][0]
    assert run["tube.octacalcium_phosphate"][-1] == pytest.approx(begun * left, rel=1e-4)
    assert run["tube.octacalcium_phosphate.crystals"][-1] == pytest.approx(1e9 * left, rel=1e-4)
    assert run["tube.hydroxyapatite"][-1] == pytest.approx(0.8 * begun * (1.0 - left), rel=1e-4)
    assert run["tube.hydroxyapatite.crystals"][-1] == pytest.approx(1e9 * (1.0 - left), rel=1e-4)
    assert run["tube.phosphate"][-1] - 1e-3 == pytest.approx(0.6 * begun * (1.0 - left), rel=1e-3)


def test_yields():
    acp, ocp, hap = amorphous_calcium_phosphate(), octacalcium_phosphate(), hydroxyapatite()
    assert transformation_yield(acp, ocp) == pytest.approx(2.0 / 3.0)
    assert transformation_yield(ocp, hap) == pytest.approx(0.8)
    assert transformation_yield(hap, hap) == 1.0
    assert transformation_yield(alone(hap, products={"calcium": 1.0}), hap) == 0.0


def test_nothing_turns_into_what_would_dissolve():
    vessel = vessel_of(ladder(), {"calcium": 1e-6, "phosphate": 1e-6}, ph=5.0, strong_charge=-1e-2)
    start = seeded(vessel, "octacalcium_phosphate", 1e-7, 1e3)
    run = simulate_network(vessel.network, [0.0, HOUR], [start])
    assert run["hydroxyapatite.saturation_index"].max() < 0.0
    assert abs(run["tube.hydroxyapatite"][-1]) < 1e-20


@pytest.fixture(scope="module")
def mixed():
    return mineral_course(MIXED, 7.4, BODY, 7 * DAY, phases=ladder(), points=400)


def test_order_of_the_phases(mixed):
    latest = [mixed.times_s[int(np.argmax(mixed.solids[i]))] for i in ladder()]
    assert latest == sorted(latest)
    assert latest[0] < 0.1 * latest[1] < 0.1 * latest[2]


def test_first_precipitate_holds_three_calcium_for_two_phosphate(mixed):
    gone = {name: MIXED[name] - mixed.dissolved[name] for name in MIXED}
    first = int(np.argmax(gone["calcium"] > 0.01 * MIXED["calcium"]))
    assert gone["calcium"][first] / gone["phosphate"][first] == pytest.approx(1.5, abs=0.02)
    assert gone["calcium"][-1] / gone["phosphate"][-1] == pytest.approx(5.0 / 3.0, abs=0.01)


def test_course_closes_mass_and_ends_on_the_last_phase(mixed):
    for name in MIXED:
        held = sum(p.products[name] * mixed.solids[i] for i, p in ladder().items()) + mixed.dissolved[name]
        assert held == pytest.approx(np.full(400, MIXED[name]), rel=1e-9)
    assert mixed.saturation_indices["hydroxyapatite"][-1] == pytest.approx(0.0, abs=0.02)
    assert mixed.solids["amorphous_calcium_phosphate"][-1] < 1e-9
    assert mixed.ph[-1] == pytest.approx(7.4, abs=1e-6)


def test_end_agrees_with_the_assemblage_of_least_energy():
    """Kinetics run out against the solver of equilibria, which shares no code with it."""
    phases = ("amorphous_calcium_phosphate", "octacalcium_phosphate", "hydroxyapatite", "brushite")
    found = mineral_course(MIXED, 7.4, BODY, 60 * DAY, phases=phases)
    texts = {"calcium": "10 mmol/L", "phosphate": "10 mmol/L"}
    end = precipitate(texts, 7.4, "37 degC", "equilibrium", phases=phases)
    assert found.solids["hydroxyapatite"][-1] == pytest.approx(
        end.solids["hydroxyapatite"].to("mmol/L").magnitude, rel=1e-3
    )
    last = {name: f"{course[-1]} mmol/L" for name, course in found.dissolved.items()}
    with pytest.warns(ChargeImbalanceWarning):
        alike = speciate(last, 7.4, "37 degC")
    for one in phases:
        # The titrant's ions count in the ionic strength of the course, the closing ion in the other.
        assert found.saturation_indices[one][-1] == pytest.approx(alike.saturation_index(one), abs=0.05)


def test_first_mineral_of_the_sheets_is_amorphous():
    found = mineral_course(MIXED, 7.4, BODY, DAY, phases=("amorphous_calcium_phosphate", "hydroxyapatite"))
    formed = {i: found.times_s[int(np.argmax(s > 0.01))] for i, s in found.solids.items()}
    assert formed["amorphous_calcium_phosphate"] < 0.1 * formed["hydroxyapatite"]


# Protons


def test_protons_released_close_the_charge():
    """Base that holds the pH against charges taken by the solid: 10 - 3 (charge per phosphate), and exactly overall."""
    totals = {"calcium": 0.5, "phosphate": 0.3}
    seeds = {"hydroxyapatite": (1e-3, 10.0)}
    found = mineral_course(totals, 7.4, ROOM, 30 * DAY, seeds, {"hydroxyapatite": alone(hydroxyapatite())})
    formed = found.solids["hydroxyapatite"][-1] - 1e-3
    assert formed > 0.05
    released = found.titrant[-1] / formed
    # pK of H2PO4- at an ionic strength of about a millimole per litre: 7.20 - 0.1.
    share = 1.0 / (1.0 + 10.0 ** (7.198 - 0.1 - 7.4))
    assert released == pytest.approx(10.0 - 3.0 * (1.0 + share), rel=0.03)


def test_unheld_ph_falls_and_charge_closes():
    vessel = vessel_of({"hydroxyapatite": alone(hydroxyapatite())}, {**FLUID, "hepes": 10.0}, strong_charge=1.0)
    solution = vessel.solution
    net = solution.proton - solution.hydroxide
    for name, molar in solution.molar.items():
        net = net + molar * solution.charge[name]
    vessel.network.observe("ions", net * constant(1e3, "mol/m^3"), "mmol/L")
    start = seeded(vessel, "hydroxyapatite", 3e-7, 1e10)
    run = simulate_network(vessel.network, [0.0, HOUR, DAY], [start], tolerances=Tolerances(1e-10, 1e-13))
    assert run["ph"][-1] < run["ph"][0] - 0.05
    assert run["ions"] == pytest.approx(np.full(3, -1.0), abs=1e-9)
    assert max(run.imbalance().values()) < 1e-9
    assert run.residual < 1e-7


def test_vessel_without_titrant_keeps_its_charge():
    found = mineral_course(MIXED, None, BODY, DAY, phases=ladder(), strong_charge=5.0)
    assert np.all(found.titrant == 0.0)
    assert found.ph[-1] < found.ph[0]


# Inhibitors and seeds


@pytest.mark.parametrize(("magnesium", "order", "left"), [(1.0, 1.0, 0.5), (2.0, 2.0, 0.2), (0.0, 1.0, 1.0)])
def test_inhibitor_slows_nucleation_by_its_law(magnesium, order, left):
    counts = []
    for acts_on in ([], ["nucleation"]):
        phase = alone(
            hydroxyapatite(),
            nucleation=nucleation(60.0, 1e12),
            growth=STILL,
            inhibitors=[inhibition("magnesium", acts_on, 1000.0, order)],
        )
        vessel = vessel_of({"hydroxyapatite": phase}, {**FLUID, "magnesium": magnesium})
        counts.append(simulate_network(vessel.network, [0.0, 1.0])["tube.hydroxyapatite.crystals"][-1])
    assert counts[1] / counts[0] == pytest.approx(left, rel=1e-4)


@pytest.mark.parametrize("step", ["growth", "transformation"])
def test_inhibitor_delays_the_end(step):
    ends = []
    for half in (1e9, 10.0):
        phases = {
            i: alone(p, transforms=p.transforms, inhibitors=[inhibition("magnesium", [step], half)])
            for i, p in ladder().items()
        }
        found = mineral_course({**MIXED, "magnesium": 1.0}, 7.4, BODY, 30 * DAY, phases=phases)
        apatite = found.solids["hydroxyapatite"]
        ends.append(np.interp(0.5 * 10.0 / 5.0, apatite, found.times_s))
    assert ends[1] > 2.0 * ends[0]


def test_an_inhibitor_that_is_not_there_does_nothing():
    plain, slowed = (
        mineral_course(FLUID, 7.4, BODY, DAY, phases={"hydroxyapatite": p}).solids["hydroxyapatite"]
        for p in (
            alone(hydroxyapatite()),
            alone(hydroxyapatite(), inhibitors=[inhibition("magnesium", ["nucleation", "growth"], 1.0)]),
        )
    )
    assert np.array_equal(plain, slowed)


def test_seeds_shorten_the_wait():
    phases = {"hydroxyapatite": alone(hydroxyapatite())}
    halves = []
    for seeds in (None, {"hydroxyapatite": (0.01, 10.0)}, {"hydroxyapatite": (0.01, 100.0)}):
        found = mineral_course(FLUID, 7.4, BODY, 300 * DAY, seeds, phases)
        assert found.saturation_indices["hydroxyapatite"][-1] == pytest.approx(0.0, abs=0.01)
        halves.append(np.interp(-2.0, -found.dissolved["calcium"], found.times_s))
    assert halves[2] < 0.5 * halves[1] < 0.5 * halves[0]


def test_seeds_have_the_surface_they_are_given():
    phases = {"hydroxyapatite": alone(hydroxyapatite())}
    found = mineral_course(FLUID, 7.4, BODY, 1.0, {"hydroxyapatite": (2.0, 300.0)}, phases)
    count, volume = found.crystals["hydroxyapatite"][0], 2.0 * 0.5023 / 3160.0
    assert (36.0 * math.pi * count * volume**2) ** (1 / 3) == pytest.approx(300.0, rel=1e-6)


# What others read


def test_contents_and_volumes():
    phases = {**ladder(), "portlandite": Catalogue().load("phases", "portlandite")}
    vessel = vessel_of(phases, surfaces=[surface()])
    states = {
        "tube.hydroxyapatite": 1.0,
        "tube.hydroxyapatite.on_glass": 2.0,
        "tube.octacalcium_phosphate": 3.0,
        "tube.portlandite": 4.0,
    }
    assert reading(vessel, minerals.solid_content(vessel, "calcium"), states) == pytest.approx(5 * 3.0 + 4 * 3.0 + 4.0)
    assert reading(vessel, minerals.solid_content(vessel, "phosphate"), states) == pytest.approx(3 * 3.0 + 3 * 3.0)
    apatite, slaked = 0.5023 / 3160.0, 74.092e-3 / 2240.0
    assert reading(vessel, minerals.solid_volume(vessel, "glass"), states) == pytest.approx(2.0 * apatite)
    bulk = apatite + 3.0 * 0.4913 / 2610.0 + 4.0 * slaked
    assert reading(vessel, minerals.solid_volume(vessel, ""), states) == pytest.approx(bulk)
    assert reading(vessel, minerals.solid_volume(vessel), states) == pytest.approx(bulk + 2.0 * apatite)
    assert reading(vessel, minerals.crystal_amount(vessel, "hydroxyapatite", "glass"), states) == 2.0
    with pytest.raises(NetworkError, match=r"tube\.hydroxyapatite"):
        minerals.crystal_amount(vessel, "hydroxyapatit")
    assert set(vessel.network.observables) >= {"portlandite.saturation_ratio", "hydroxyapatite.saturation_index"}


def test_a_phase_without_rates_is_only_watched():
    watched = alone(hydroxyapatite(), nucleation=None, growth=None)
    vessel = vessel_of({"hydroxyapatite": watched})
    assert "tube.hydroxyapatite" not in vessel.network.species
    assert "hydroxyapatite.solid" not in vessel.network.observables
    run = simulate_network(vessel.network, [0.0])
    assert run["hydroxyapatite.saturation_index"][0] > 5.0


def test_states_may_be_there_before():
    vessel = closed_vessel(FLUID, 7.4, phases=ladder(), surfaces=[surface()])
    minerals.add_states(vessel, ["", "glass", "later"])
    minerals.add(vessel)
    assert "tube.hydroxyapatite.on_later" in vessel.network.species
    assert len([p for p in vessel.network.processes if "on_later" in p]) == 0


def test_solutions_without_an_ion_run():
    vessel = vessel_of(ladder(), {"calcium": 2.0, "phosphate": 0.0}, strong_charge=-4.0)
    run = simulate_network(vessel.network, [0.0, DAY])
    assert run["hydroxyapatite.solid"] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert np.all(np.isfinite(run.observables))


# Wrong input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"totals": {"calcium": -1.0}}, "totals: calcium"),
        ({"totals": {"calcum": 1.0}}, "Did you mean `calcium`"),
        ({"totals": {"calcium": math.nan}}, "totals: calcium"),
        ({"until": 0.0}, "until"),
        ({"points": 2}, "points"),
        ({"totals": {"calcium": 1.0}, "phases": {"hydroxyapatite": hydroxyapatite()}}, "without phosphate"),
        ({"seeds": {"hydroxyapatit": (1.0, 1.0)}}, "Did you mean `hydroxyapatite`"),
        ({"seeds": {"hydroxyapatite": (1.0, 0.0)}}, "an amount with a surface"),
        ({"seeds": {"hydroxyapatite": (-1.0, 1.0)}}, "an amount with a surface"),
    ],
)
def test_wrong_courses_are_refused(changes, words):
    usual = {"totals": FLUID, "ph": 7.4, "temperature": BODY, "until": 1.0, "phases": ladder()}
    with pytest.raises(InputError, match=words):
        mineral_course(**{**usual, **changes})


def test_unknown_phase_is_named():
    with pytest.raises(CatalogueError, match="portlandite"):
        mineral_course(FLUID, 7.4, BODY, 1.0, phases=("portlandit",))


def test_sheet_constants_are_parameters():
    vessel = vessel_of(ladder(), surfaces=[surface()])
    wanted = {"interfacial_energy", "prefactor", "surface_prefactor", "growth.rate_constant", "growth.order"}
    assert {f"phase.hydroxyapatite.{k}" for k in wanted} <= set(vessel.network.parameters)
    assert vessel.network.parameters["phase.hydroxyapatite.growth.order"].value == number(1.25, "1").value


def test_where_nothing_can_begin_the_rate_is_nothing():
    """Rates of 1e-145 per second made the first step of a solver fail."""
    factor = nucleation_factor(constant(3300.0, "1"), constant(3.2, "1"))
    assert float(ca.DM(ca.evalf(factor.expression))) == 0.0
    assert float(ca.DM(ca.evalf(nucleation_factor(constant(100.0, "1"), constant(3.2, "1")).expression))) > 1e-5
