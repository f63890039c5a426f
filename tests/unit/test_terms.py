"""Terms, the network builder, its tables, and runs that must fail: every message names what is wrong."""

from __future__ import annotations

import math
from fractions import Fraction

import casadi as ca
import pytest

from nanotrial.errors import NetworkError, UnitError
from nanotrial.network import terms
from nanotrial.network.balances import conservation_laws, stoichiometric_matrix
from nanotrial.network.explain import conserved_rows, parameter_rows, process_rows, species_rows
from nanotrial.network.model import Network
from nanotrial.network.terms import Term, constant
from nanotrial.solve.compiled import compile_network
from nanotrial.units import dimension_of
from nanotrial.values import Distribution, Value

METRE, SECOND, AMOUNT = constant(1.0, "m"), constant(1.0, "s"), constant(1.0, "mol")
HALF_LIFE = Value(
    2.0, "h", "a_source", "assumed", "Table 2", note="a guess", distribution=Distribution("lognormal", geometric_sd=2.0)
)


def number(made: Term) -> float:
    return float(ca.DM(made.expression))


def reaction_network() -> Network:
    """Build A + B <-> C in a tube."""
    network = Network("binding")
    network.compartment("tube", network.parameter("volume", 1e-3, "m^3"))
    network.state("A", "tube", initial=2.0, content={"left": 1})
    network.state("B", "tube", initial=1.0, content={"right": 1})
    network.state("C", "tube", content={"left": 1, "right": 1})
    on = network.parameter("on", 1e-4, "m^3/mol/s")
    off = network.parameter("off", Value(3.6, "1/h", "a_source", "measured", "p. 3"), "1/s")
    network.process(
        "bind", {"A": -1, "B": -1, "C": 1}, on * network["A"] * network.concentration("B"), mechanism="bind"
    )
    network.process("free", {"C": -1, "A": 1, "B": 1}, off * network["C"])
    return network


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: METRE + SECOND, r"cannot take \(m\) \+ \(s\)"),
        (lambda: METRE - SECOND, r"cannot take \(m\) - \(s\)"),
        (lambda: 1.0 + SECOND, r"cannot take \(s\) \+ \(1\)"),
        (lambda: 1.0 - SECOND, r"cannot take \(1\) - \(s\)"),
        (lambda: terms.maximum(METRE, SECOND), r"\(m\) max \(s\)"),
        (lambda: terms.minimum(METRE, 0.0), r"\(m\) min \(1\)"),
        (lambda: terms.exp(METRE), "exp of a quantity in m:"),
        (lambda: terms.log(AMOUNT / SECOND), r"log of a quantity in s\^-1 mol"),
        (lambda: terms.log10(METRE), "log10 of a quantity in m:"),
        (lambda: terms.tanh(METRE), "tanh of a quantity in m:"),
        (lambda: terms.power(METRE, 2.0), "power of a quantity in m:"),
        (lambda: terms.power(2.0, METRE), "power of a quantity in m:"),
        (lambda: terms.ten_to(METRE), "exp of a quantity in m:"),
        (lambda: terms.positive_part(METRE, 0.1), "positive_part of a quantity in m:"),
        (lambda: terms.total([METRE, SECOND], "m"), r"\(m\) \+ \(s\)"),
    ],
)
def test_terms_of_unlike_dimensions_are_refused(build, message):
    with pytest.raises(NetworkError, match=message):
        build()


@pytest.mark.parametrize(
    ("made", "value", "unit"),
    [
        (METRE * 3.0 / SECOND, 3.0, "m/s"),
        (2.0 / SECOND, 2.0, "1/s"),
        (-METRE + 3.0 * METRE, 2.0, "m"),
        ((2.0 * METRE) ** 3, 8.0, "m^3"),
        (terms.sqrt(4.0 * METRE), 2.0, "m^0.5"),
        ((8.0 * METRE**3) ** Fraction(1, 3), 2.0, "m"),
        (terms.maximum(2.0 * METRE, METRE), 2.0, "m"),
        (terms.minimum(2.0 * METRE, METRE), 1.0, "m"),
        (terms.exp(METRE / (2.0 * METRE)), math.exp(0.5), "1"),
        (terms.log(10.0), math.log(10.0), "1"),
        (terms.log10(1000.0), 3.0, "1"),
        (terms.ten_to(-2.0), 0.01, "1"),
        (terms.tanh(0.3), math.tanh(0.3), "1"),
        (terms.power(2.0, 1.5), 2**1.5, "1"),
        (terms.positive_part(0.0, 0.2), 0.1, "1"),
        (terms.positive_part(5.0, 1e-6), 5.0, "1"),
        (terms.total([], "mol"), 0.0, "mol"),
        (terms.total([AMOUNT, AMOUNT], "mol"), 2.0, "mol"),
    ],
)
def test_terms_carry_value_and_dimension(made, value, unit):
    assert number(made) == pytest.approx(value, rel=1e-12)
    assert made.dimension == dimension_of(unit)


def test_names_are_unique_and_plain():
    network = reaction_network()
    for add in (
        lambda: network.state("A", "tube"),
        lambda: network.state("on", "tube"),
        lambda: network.process("A", {}, AMOUNT / SECOND),
        lambda: network.parameter("bind", 1.0, "1"),
        lambda: network.unknown("off"),
    ):
        with pytest.raises(NetworkError, match="used twice"):
            add()
    with pytest.raises(NetworkError, match="space or an odd sign"):
        network.state("a b", "tube")
    with pytest.raises(NetworkError, match="added twice"):
        network.compartment("tube", constant(1.0, "m^3"))
    network.observe("seen", network["A"], "mol")
    with pytest.raises(NetworkError, match="added twice"):
        network.observe("seen", network["A"], "mol")


def test_the_name_of_an_equilibrium_variable_is_unique():
    network = Network()
    network.unknown("x")
    with pytest.raises(NetworkError, match="used twice"):
        network.unknown("x")


def test_unknown_names_get_the_nearest():
    network = reaction_network()
    network.state("complex", "tube")
    with pytest.raises(NetworkError, match=r"no species `complx`.*Did you mean `complex`"):
        network["complx"]
    with pytest.raises(NetworkError, match=r"no compartment `tub`.*`tube`"):
        network.state("d", "tub")
    with pytest.raises(NetworkError, match=r"process `p`: no species `complx`.*`complex`"):
        network.process("p", {"complx": -1}, AMOUNT / SECOND)
    with pytest.raises(NetworkError, match=r"nothing holds `lefd`.*`left`"):
        network.total_content("lefd")
    with pytest.raises(NetworkError, match=r"no parameter `onn`.*`on`"):
        compile_network(network).parameters({"onn": 1.0})
    with pytest.raises(UnitError, match=r"the unit `mmoll`"):
        network.state("e", "tube", unit="mmoll")


def test_dimensions_are_checked_where_things_are_added():
    network = reaction_network()
    with pytest.raises(NetworkError, match=r"rate has dimension mol, `A` needs s\^-1 mol"):
        network.process("p", {"A": -1}, network["A"], opens=("left",))
    with pytest.raises(NetworkError, match="the volume has dimension m, expected m"):
        network.compartment("flat", METRE)
    with pytest.raises(NetworkError, match="initial value has dimension m, expected mol"):
        network.state("d", "tube", initial=METRE)
    with pytest.raises(NetworkError, match="has dimension mol, shown in m"):
        network.observe("o", network["A"], "m")


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_a_scale_is_a_positive_size(scale):
    with pytest.raises(NetworkError, match="expected a positive size"):
        reaction_network().state("d", "tube", scale=scale)


def test_a_process_conserves_every_kind_unless_it_opens_it():
    network = reaction_network()
    rate = network["A"] / SECOND
    with pytest.raises(NetworkError, match=r"`leak` does not conserve \{'left': -1\.?0?\}"):
        network.process("leak", {"A": -1}, rate)
    with pytest.raises(NetworkError, match="does not conserve"):
        network.process("leak", {"C": -1}, rate, opens=("left",))
    network.process("leak", {"A": -1}, rate, opens=("left",))
    assert network.processes["leak"].equation == "A -> nothing"
    assert conserved_rows(network)[0]["opened by"] == "leak"


def test_a_parameter_is_shared_only_with_equal_value_and_dimension():
    network = reaction_network()
    again = network.parameter("on", 1e-4, "m^3/mol/s")
    assert ca.is_equal(again.expression, network.parameters["on"].symbol)
    with pytest.raises(NetworkError, match="`on` is given twice"):
        network.parameter("on", 2e-4, "m^3/mol/s")
    with pytest.raises(NetworkError, match="`on` is given twice"):
        network.parameter("on", 1e-4, "1/s")


def test_a_sourced_parameter_has_the_dimension_of_its_unit():
    with pytest.raises(NetworkError):
        Network().parameter("length", HALF_LIFE, "m")


def test_loose_symbols_are_named():
    network, other = reaction_network(), Network("other")
    stray = other.parameter("stray", 1.0, "1/s")
    network.process("p", {"C": -1, "A": 1, "B": 1}, stray * network["C"])
    with pytest.raises(NetworkError, match="network `binding` uses stray, which nothing defines"):
        compile_network(network)
    network = reaction_network()
    network.process("p", {"C": -1, "A": 1, "B": 1}, network.unknown("z") * network["C"] / SECOND)
    with pytest.raises(NetworkError, match="uses z,"):
        compile_network(network)
    network = reaction_network()
    network.state("d", "tube", initial=network["A"])
    with pytest.raises(NetworkError, match="uses A,"):
        compile_network(network)


def test_a_loose_symbol_in_a_residual_is_named():
    network, stray = reaction_network(), Network("other").parameter("stray", 1.0, "1")
    z = network.unknown("z")
    network.equilibrium("e", {"z": (z, 1.0, 0.0)}, {"r": z - stray}, {"r": constant(1.0, "1")})
    with pytest.raises(NetworkError, match="stray"):
        compile_network(network)


def test_the_laws_of_binding():
    network = reaction_network()
    matrix = stoichiometric_matrix(network)
    assert matrix.tolist() == [[-1, 1], [-1, 1], [1, -1]]
    laws = conservation_laws(network)
    assert len(laws) == 2
    for law in laws:
        weights = [law.get(name, 0.0) for name in network.species]
        assert (weights @ matrix).tolist() == [0.0, 0.0]
    assert {frozenset(law.items()) for law in laws} == {
        frozenset({"A": -1.0, "B": 1.0}.items()),
        frozenset({"A": 1.0, "C": 1.0}.items()),
    }


def test_the_tables_say_what_the_network_holds():
    network = reaction_network()
    network.parameter("half_life", HALF_LIFE, "h")
    bind, free = process_rows(network)
    assert set(bind.pop("parameters").split(", ")) == {"on", "volume"}
    assert bind == {"process": "bind", "equation": "A + B -> C", "mechanism": "bind"}
    assert free == {"process": "free", "equation": "C -> A + B", "mechanism": "-", "parameters": "off"}
    assert species_rows(network)[2] == {
        "species": "C", "compartment": "tube", "unit": "mol", "holds": "1 left, 1 right",
    }  # fmt: skip
    rows = {row["parameter"]: row for row in parameter_rows(network)}
    assert rows["volume"]["grade"] == "study"
    assert rows["volume"]["value"] == "0.001 m^3"
    assert (rows["off"]["number"], rows["off"]["unit"]) == (3.6, "1/h")
    assert (rows["off"]["source"], rows["off"]["locator"], rows["off"]["grade"]) == ("a_source", "p. 3", "measured")
    assert rows["half_life"]["number"] == 2.0
    assert rows["half_life"]["value"] == "2 ×/÷ 2 h [assumed]"
    assert rows["half_life"]["note"] == "a guess"


def test_the_conserved_quantities_are_listed():
    rows = conserved_rows(reaction_network())
    assert rows[:2] == [
        {"conserved": "left", "in": "A, C", "opened by": "-"},
        {"conserved": "right", "in": "B, C", "opened by": "-"},
    ]
    assert {row["in"] for row in rows[2:]} == {"+ B - A", "+ C + A"}
