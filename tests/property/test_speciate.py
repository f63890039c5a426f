"""Mass, charge and the conditions of equilibrium of any solution that can be mixed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanotrial.medium import precipitate, speciate
from nanotrial.units import registry

pytestmark = [
    pytest.mark.filterwarnings("ignore:the listed ions leave"),
    pytest.mark.filterwarnings("ignore:davies. ionic strength"),
]
Quantity = registry().Quantity
SALTS = [
    "NaCl",
    "KCl",
    "CaCl2",
    "MgSO4",
    "Na2HPO4",
    "NaHCO3",
    "HCl",
    "NaOH",
    "citrate",
    "lactate",
    "FeSO4",
    "FeCl3",
    "tris",
]
# Eight decades, and nothing at all.
AMOUNTS = st.floats(-6, 1.7).map(lambda x: 10**x) | st.just(0.0)
MIXTURES = st.dictionaries(st.sampled_from(SALTS), AMOUNTS, min_size=1, max_size=8)
ACIDITIES = st.none() | st.floats(2, 12)
DEGREES = st.floats(4, 60).map(lambda t: Quantity(t + 273.15, "K"))


def mol(quantity):
    return np.asarray(quantity.to("mol/L").magnitude)


def mixed(mixture):
    return {k: Quantity(n, "mmol/L") for k, n in mixture.items()}


def given_totals(found, mixture):
    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.medium.formulas import read_totals

    return {c: n * 1e-3 for c, n in read_totals(mixed(mixture), Catalogue().solutes()).items()}


@settings(max_examples=60, deadline=None)
@given(MIXTURES, ACIDITIES, DEGREES)
def test_mass_and_charge_close(mixture, ph, temperature):
    found = speciate(mixed(mixture), ph, temperature)
    for component, total in given_totals(found, mixture).items():
        assert mol(found.totals[component]) == pytest.approx(total, rel=1e-9, abs=1e-300)
    net = found.molar @ found.tableau.charges
    if ph is None:
        assert abs(net) <= 1e-9 * (found.molar @ np.abs(found.tableau.charges))
    else:
        assert found.ph == pytest.approx(ph, abs=1e-12)
    strength = 0.5 * (found.molar @ found.tableau.charges**2 + (abs(net) if ph is not None else 0.0))
    assert mol(found.ionic_strength) == pytest.approx(strength, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(MIXTURES, ACIDITIES, DEGREES)
def test_a_closed_vessel_ends_where_no_phase_is_supersaturated(mixture, ph, temperature):
    found = precipitate(mixed(mixture), ph, temperature, "equilibrium")
    held = dict.fromkeys(found.components, 0.0)
    tableau = found.solution.tableau
    for row, phase in enumerate(tableau.phases):
        solid = mol(found.solids[phase])
        assert solid >= 0
        if solid > 0:
            assert found.indices[phase] == pytest.approx(0.0, abs=1e-8)
        else:
            assert found.indices[phase] <= 1e-8
        for component, count in zip(tableau.components, tableau.phase_counts[row], strict=False):
            held[component] += count * solid
    for component, total in given_totals(found, mixture).items():
        assert mol(found.components[component]) + held[component] == pytest.approx(total, rel=1e-9, abs=1e-16)
    if ph is None:
        net = found.solution.molar @ tableau.charges
        assert abs(net) <= 1e-9 * (found.solution.molar @ np.abs(tableau.charges)) + 1e-15


@settings(max_examples=30, deadline=None)
@given(st.floats(-2, 1), st.floats(0.01, 2.0))
def test_more_phosphate_never_lowers_the_index_of_apatite(calcium, step):
    base = {"NaCl": "0.1 mol/L", "Ca": Quantity(10**calcium, "mmol/L")}
    low, high = (
        speciate(base | {"P": Quantity(p, "mmol/L")}, 7.4, "37 degC", "0.15 mol/L").saturation_index("HAP")
        for p in (0.5, 0.5 + step)
    )
    assert high > low


@settings(max_examples=25, deadline=None)
@given(MIXTURES, DEGREES, st.permutations(SALTS))
def test_the_order_of_the_totals_does_not_matter(mixture, temperature, order):
    again = {k: mixture[k] for k in order if k in mixture}
    first, second = (speciate(mixed(m), None, temperature) for m in (mixture, again))
    assert first.ph == pytest.approx(second.ph, abs=1e-12)
