"""Minerals over many solutions: balances close, nothing forms below saturation, laws are monotone, lanes agree."""

from __future__ import annotations

import math

import casadi as ca
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mineral_phases import alone, growth, hydroxyapatite, ladder, nucleation

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.medium import minerals
from nanotrial.medium.course import mineral_course
from nanotrial.medium.nucleation import nucleation_factor, wetting
from nanotrial.medium.surfaces import Surface
from nanotrial.medium.vessel import closed_vessel
from nanotrial.network.terms import constant, term
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble
from nanotrial.solve.run import Runner, Tolerances, simulate_network

DAY = 86400.0
TOTALS = st.floats(0.01, 20.0)


def value(made) -> float:
    return float(ca.evalf(made.expression))


@given(calcium=TOTALS, phosphate=TOTALS, ph=st.floats(5.0, 10.0), temperature=st.floats(283.0, 323.0))
@settings(max_examples=25, deadline=None)
def test_courses_close_and_end_at_saturation(calcium, phosphate, ph, temperature):
    totals = {"calcium": calcium, "phosphate": phosphate}
    found = mineral_course(totals, ph, temperature, 7 * DAY, phases=ladder(), points=30)
    for name, whole in totals.items():
        held = sum(p.products[name] * found.solids[i] for i, p in ladder().items()) + found.dissolved[name]
        assert np.max(np.abs(held - whole)) < 1e-9 * whole
    assert min(float(np.min(s)) for s in found.solids.values()) > -1e-6
    assert min(float(np.min(d)) for d in found.dissolved.values()) > -1e-6
    assert abs(found.ph[-1] - ph) < 1e-3
    for i in ladder():
        # At 10 degC the last thousandth of a phase may still be on its way after a week.
        if found.solids[i][-1] > 1e-3 * min(calcium, phosphate):
            assert found.saturation_indices[i][-1] > -0.05, "what is left does not dissolve"
        if found.saturation_indices[i].max() < 0.0 and i != "hydroxyapatite":
            assert found.solids[i].max() < 1e-6


@given(calcium=st.floats(1e-4, 5.0), phosphate=st.floats(1e-4, 5.0), ph=st.floats(3.0, 4.5))
@settings(max_examples=15, deadline=None)
def test_nothing_forms_below_saturation(calcium, phosphate, ph):
    found = mineral_course({"calcium": calcium, "phosphate": phosphate}, ph, 298.15, DAY, phases=ladder(), points=10)
    below = [i for i in ladder() if found.saturation_indices[i].max() < 0.0]
    assert below
    assert max(float(np.max(np.abs(found.solids[i]))) for i in below) < 1e-12


@given(first=st.floats(0.0, math.pi), second=st.floats(0.0, math.pi))
def test_wetting_rises_with_the_angle(first, second):
    low, high = sorted((first, second))
    assert -1e-12 <= value(wetting(term(low))) <= value(wetting(term(high))) + 1e-12 <= 1.0 + 2e-12


@given(strength=st.floats(0.0, 1e4), low=st.floats(-50.0, 60.0), more=st.floats(0.0, 30.0))
def test_nucleation_rises_with_supersaturation(strength, low, more):
    before = value(nucleation_factor(term(strength), term(low)))
    after = value(nucleation_factor(term(strength), term(low + more)))
    assert 0.0 <= before <= after <= 1.0
    assert low > 0.0 or before < 1e-40


@given(rate=st.floats(-12.0, -6.0), order=st.floats(0.5, 5.0), calcium=st.floats(0.5, 10.0))
@settings(max_examples=15, deadline=None)
def test_growth_is_slower_than_surface_step_and_diffusion_alone(rate, order, calcium):
    """Seeds of 1 um take less per second than either step would give them alone."""
    phase = alone(hydroxyapatite(), nucleation=nucleation(90.0, 1e-30, 1e-30), growth=growth(10.0**rate, order, 0.0))
    seeds = {"hydroxyapatite": (1e-6, 4e-4)}
    totals = {"calcium": calcium, "phosphate": 1.0}
    found = mineral_course(totals, 7.4, 298.15, 1.0, seeds, {"hydroxyapatite": phase}, points=10)
    gained = found.solids["hydroxyapatite"][-1] - found.solids["hydroxyapatite"][0]
    radius = 3.0 * 1e-6 * 0.5023 / 3160.0 / 4e-4
    ratio = 10.0 ** (found.saturation_indices["hydroxyapatite"][0] / 9.0)
    sheets = Catalogue().solutes()
    resistance = sum(n * radius / (sheets[s].diffusivity.si * totals[s]) for s, n in phase.products.items())
    surface_step = 10.0**rate * (ratio - 1.0) ** order
    assert gained < 4e-4 * min(surface_step, 1.0 / resistance) * 1.5
    speed = 1.0 / (1.0 / surface_step + resistance)
    if speed * 0.5023 / 3160.0 < 0.01 * radius:
        assert gained == pytest.approx(4e-4 * speed, rel=0.05)


def test_members_of_an_ensemble_are_their_single_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIAL_CACHE", str(tmp_path))
    plate = Surface("plate", "glass", constant(0.01, "m^2"), term(1.0), term(0.5))
    vessel = closed_vessel(
        {"calcium": 4.0, "phosphate": 3.0, "hepes": 50.0},
        7.4,
        310.15,
        150.0,
        phases=ladder(),
        strong_charge=20.0,
        surfaces=[plate],
    )
    minerals.add(vessel)
    compiled = compile_network(vessel.network)
    generator = np.random.default_rng(4)
    parameters = compiled.parameter_values * np.exp(
        0.02 * generator.standard_normal((6, len(compiled.parameter_names)))
    )
    times = [0.0, *np.geomspace(1.0, 3 * DAY, 30)]
    result = Ensemble(vessel.network, compiled).run(parameters, compiled.guesses, times)
    assert result.reasons == {}
    runner = Runner(compiled, Tolerances(1e-9, 1e-11, 1e-2, 200_000))
    formed = 0.0
    for one in range(6):
        changes = dict(zip(compiled.parameter_names, parameters[one].tolist(), strict=True))
        single = simulate_network(vessel.network, times, changes=changes, runner=runner)
        for i in ladder():
            place = compiled.observable_names.index(f"{i}.solid")
            # A thousandth of the 4 mmol/L of calcium that are there.
            assert np.max(np.abs(result.observables[one][:, place] - single[f"{i}.solid"])) < 4e-3
            formed = max(formed, float(single[f"{i}.solid"].max()))
    assert formed > 0.1
