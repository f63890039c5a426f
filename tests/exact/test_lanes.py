"""The code of the ensemble kernel: operations, functions of a vector, passes over programs."""

from __future__ import annotations

import ctypes
import math
from decimal import Context, Decimal, localcontext
from functools import cache

import casadi as ca
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_network import reference_problem

from nanotrial.errors import NetworkError
from nanotrial.network.program import _NAMES, Node, Program, evaluate, program_of
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.lanes import native
from nanotrial.solve.lanes.emit import module_text
from nanotrial.solve.lanes.graphs import share_divisions, share_exponentials, split
from nanotrial.solve.lanes.system import _semi_explicit

OFTEN = settings(max_examples=40, deadline=None, derandomize=True)
LANES = 8
ULP = float(np.finfo(float).eps)
TINY = 2.0**-30


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NANOTRIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def aligned(rows: int):
    whole = np.zeros(rows * LANES + 8)
    skip = -(whole.ctypes.data // 8) % 8
    return whole[skip : skip + rows * LANES].reshape(rows, LANES)


@cache
def loaded(program: Program, level: int = 0):
    return native.Loaded(native.machine_code(module_text({"f": program}, LANES), level))


def in_lanes(program: Program, arguments, level: int = 0):
    """Return the results of machine code for arguments of shape (entries, members)."""
    held = loaded(program, level)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(program.inputs) + len(program.outputs)))(held.address("f"))
    members = max(a.shape[1] for a in arguments)
    results = [np.empty((len(o), members)) for o in program.outputs]
    for first in range(0, members, LANES):
        width = min(LANES, members - first)
        given_ = [aligned(max(n, 1)) for n in program.inputs]
        for into, a in zip(given_, arguments, strict=True):
            into[: a.shape[0], :width] = a[:, first : first + width]
        out = [aligned(max(len(o), 1)) for o in program.outputs]
        call(*[a.ctypes.data for a in (*given_, *out)])
        for into, a in zip(results, out, strict=True):
            into[:, first : first + width] = a[: into.shape[0], :width]
    return results


def single(operation: str, count: int) -> Program:
    """Return the program of one operation on that many numbers."""
    reads = tuple(Node("input", place=(0, i)) for i in range(count))
    return Program((*reads, Node(operation, tuple(range(count)))), (count,), ((count,),))


# Every operation of the table as an expression of x and y.
EXPRESSIONS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "negate": lambda x, y: -x,
    "invert": lambda x, y: 1 / x,
    "square": lambda x, y: x * x,
    "double": lambda x, y: 2 * x,
    "sqrt": lambda x, y: ca.sqrt(x),
    "exp": lambda x, y: ca.exp(x),
    "log": lambda x, y: ca.log(x),
    "power": lambda x, y: x**y,
    "tanh": lambda x, y: ca.tanh(x),
    "minimum": ca.fmin,
    "maximum": ca.fmax,
    "absolute": lambda x, y: ca.fabs(x),
    "sign": lambda x, y: ca.sign(x),
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "not": lambda x, y: ca.logic_not(x),
    "and": ca.logic_and,
    "or": ca.logic_or,
    "if_else_zero": lambda x, y: ca.if_else(x, y, 0),
}
# Operations whose last bits libraries and machine code choose for themselves, and by how many they may differ.
ROUNDED = {"exp": 4, "log": 4, "tanh": 4, "power": 700}
# Lanes take numbers below 2.3e-308 for zero (vector_math), so none are drawn here and none count in results.
PLAIN = st.floats(-30, 30, allow_subnormal=False)
SIZES = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0]), PLAIN, st.floats(1e-8, 1e-2))


def test_table_of_operations_is_tested():
    assert set(EXPRESSIONS) == set(_NAMES.values())


@pytest.mark.parametrize("name", EXPRESSIONS)
@OFTEN
@given(points=st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=9), same=st.booleans())
def test_operations_are_those_of_casadi(name, points, same):
    x, y = ca.SX.sym("x"), ca.SX.sym("y")
    expression = EXPRESSIONS[name](x, y)
    program = program_of([x, y], [expression])
    assert name in {node.operation for node in program.nodes}
    table = np.array(points).T.copy()
    if same:
        table[1, 0] = table[0, 0]
    function = ca.Function("f", [x, y], [expression])
    expected = np.array([float(function(*point)) for point in table.T])
    room = ROUNDED.get(name, 0) * ULP
    if name == "power":
        table[0] = np.abs(table[0])  # of numbers below zero: see the tests of powers
        expected = np.array([float(function(*point)) for point in table.T])
    arguments = [table[:1], table[1:]]
    # tanh of lanes is right to 2e-16 absolutely, beside numbers of order one.
    absolute = 4e-16 if name == "tanh" else 1e-300 if name == "power" else 0.0
    for found in (evaluate(program, arguments)[0][0], in_lanes(program, arguments)[0][0]):
        assert np.allclose(found, expected, rtol=room, atol=absolute, equal_nan=True)


@pytest.mark.parametrize("refused", ["sin", "atan", "floor", "erf"])
def test_unknown_operations_are_named(refused):
    x = ca.SX.sym("x")
    with pytest.raises(NetworkError, match=f"operation {refused} is not known"):
        program_of([x], [getattr(ca, refused)(x)])


def test_shared_parts_are_computed_once():
    x = ca.SX.sym("x")
    program = program_of([x], [ca.exp(x) + 1, ca.exp(x) * 3])
    assert sum(node.operation == "exp" for node in program.nodes) == 1


def decimals(name: str, numbers):
    """Return exact values to 40 digits."""

    def tanh(d: Decimal) -> Decimal:
        up, down = d.exp(), (-d).exp()
        return (up - down) / (up + down)

    rule = {"exp": Decimal.exp, "log": Decimal.ln, "tanh": tanh}[name]
    with localcontext(Context(prec=40, Emin=-999999, Emax=999999)):
        return [rule(Decimal(float(v))) for v in numbers]


def last_places(found, exact) -> float:
    """Return the largest error in units of the last place of the exact value."""
    with localcontext(Context(prec=40, Emin=-999999, Emax=999999)):
        return max(
            abs(float((Decimal(float(f)) - e) / Decimal(math.ulp(float(e))))) for f, e in zip(found, exact, strict=True)
        )


def spread(name: str):
    generator = np.random.default_rng(5)
    if name == "log":
        wide = 10.0 ** generator.uniform(-307, 308, 700)
        near = 1.0 + generator.choice([-1, 1], 700) * 10.0 ** generator.uniform(-15, -0.3, 700)
        return np.concatenate([wide, near, np.sqrt(0.5) * (1 + ULP * np.arange(-4, 5))])
    limit = {"exp": 708.0, "tanh": 40.0}[name]
    small = generator.choice([-1, 1], 500) * 10.0 ** generator.uniform(-17, 0, 500)
    halves = np.log(2) * (np.arange(-20, 20) + 0.5)
    return np.concatenate([generator.uniform(-limit, limit, 900), small, halves])


@pytest.mark.parametrize(("name", "most"), [("exp", 1.5), ("log", 2.0)])
def test_exponentials_and_logarithms_in_last_places(name, most):
    numbers = spread(name)
    assert last_places(in_lanes(single(name, 1), [numbers[None]])[0][0], decimals(name, numbers)) < most


def test_hyperbolic_tangent_absolutely():
    numbers = spread("tanh")
    found = in_lanes(single("tanh", 1), [numbers[None]])[0][0]
    exact = decimals("tanh", numbers)
    assert max(abs(float(Decimal(f) - e)) for f, e in zip(found.tolist(), exact, strict=True)) < 3e-16


def test_powers_lose_as_many_places_as_their_logarithm_is_large():
    generator = np.random.default_rng(6)
    base, exponent = 10.0 ** generator.uniform(-60, 60, 600), generator.uniform(-5, 5, 600)
    found = in_lanes(single("power", 2), [np.stack([base, exponent])])[0][0]
    logs = exponent * np.log(base)
    with localcontext(Context(prec=40)):
        exact = np.array(
            [
                float(Decimal(f) / (Decimal(e) * Decimal(b).ln()).exp() - 1)
                for f, b, e in zip(found.tolist(), base.tolist(), exponent.tolist(), strict=True)
            ]
        )
    assert np.max(np.abs(exact) / (ULP * (2.0 + np.abs(logs)))) < 1.5


INF, NAN = math.inf, math.nan
SPECIAL = [
    ("exp", [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (800.0, INF), (-800.0, 0.0)]),
    ("log", [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (NAN, NAN), (5e-324, -INF)]),
    ("log", [(2.2250738585072014e-308, -708.3964185322641), (1.7976931348623157e308, 709.782712893384)]),
    ("tanh", [(0.0, 0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN), (1e300, 1.0), (-30.0, -1.0)]),
    ("sqrt", [(0.0, 0.0), (INF, INF), (-1.0, NAN), (NAN, NAN), (4.0, 2.0)]),
    ("sign", [(0.0, 0.0), (-3.0, -1.0), (INF, 1.0), (NAN, NAN)]),
]
POWERS = [
    ((0.0, 2.5), 0.0),
    ((0.0, 0.0), 1.0),
    ((0.0, -1.5), INF),
    ((-2.0, 2.5), NAN),
    ((-2.0, 3.0), NAN),  # a C library gives -8: whole exponents known beforehand are multiplications instead
    ((-2.0, 0.0), 1.0),
    ((INF, 1.5), INF),
    ((INF, -1.5), 0.0),
    ((INF, 0.0), 1.0),
    ((1.0, 300.0), 1.0),
    ((NAN, 2.0), NAN),
    ((1e300, 2.0), INF),
    ((1e-300, 2.0), 0.0),
]


@pytest.mark.parametrize(("name", "table"), SPECIAL)
def test_special_values(name, table):
    given_, expected = np.array(table).T
    found = in_lanes(single(name, 1), [given_[None]])[0][0]
    assert np.allclose(found, expected, rtol=2 * ULP, atol=0.0, equal_nan=True), found


def test_special_powers():
    found = in_lanes(single("power", 2), [np.array([p for p, _ in POWERS]).T])[0][0]
    assert np.array_equal(found, [e for _, e in POWERS], equal_nan=True), found


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.5, 2.0, 3.0, 8.0, -4.0, 10.0, 33.0, -7.0, 2.3, 70.0])
def test_fixed_powers(exponent):
    x = ca.SX.sym("x")
    program = share_divisions(program_of([x], [x**exponent]), frozenset())
    negative = [-1.3, -1e-9] if exponent.is_integer() and exponent <= 64 else []
    numbers = np.array([[0.0, 0.7, 1.0, 12.5, 1e-3, *negative]])
    with np.errstate(divide="ignore"):
        expected = numbers[0] ** exponent
    for found in (evaluate(program, [numbers])[0][0], in_lanes(program, [numbers])[0][0]):
        assert np.allclose(found, expected, rtol=3e-14 * max(1.0, abs(exponent) / 8), atol=0.0)


# x y - 1 is -2^-60 exactly; without fusion the product is rounded to one and nothing is left.
@pytest.mark.parametrize(
    ("rule", "z", "left"),
    [
        (lambda x, y, z: x * y + z, -1.0, -1.0),
        (lambda x, y, z: z + x * y, -1.0, -1.0),
        (lambda x, y, z: x * y - z, 1.0, -1.0),
        (lambda x, y, z: z - x * y, 1.0, 1.0),
    ],
)
def test_products_are_fused_with_sums(rule, z, left):
    names = [ca.SX.sym(n) for n in "xyz"]
    program = program_of(names, [rule(*names)])
    for level in (0, 1):
        found = in_lanes(program, [np.full((1, 3), v) for v in (1.0 + TINY, 1.0 - TINY, z)], level)[0]
        assert np.all(found == left * TINY**2)
    assert np.all(in_lanes(program, [np.full((1, 3), v) for v in (1.5, 2.5, 0.25)])[0] == rule(1.5, 2.5, 0.25))


def test_products_that_others_read_are_not_fused():
    x, y, z = (ca.SX.sym(n) for n in "xyz")
    both = program_of([x, y, z], [x * y, x * y - z])
    product, rest = in_lanes(both, [np.full((1, 2), v) for v in (1.0 + TINY, 1.0 - TINY, 1.0)])
    assert np.all(product == 1.0)
    assert np.all(rest == 0.0)


@cache
def reference_programs():
    """Return rates and Jacobian of the reference network as given, and as they are emitted."""
    network = reference_problem().network
    compiled = compile_network(network)
    t, y, p, rates = _semi_explicit(network, compiled)
    plain = program_of([t, y, p], [rates, ca.jacobian(rates, y)])
    whole = share_divisions(share_exponentials(plain, frozenset({2})), frozenset({2}))
    return compiled, plain, whole


def points(compiled, members: int = 9, seed: int = 3):
    generator = np.random.default_rng(seed)
    y = generator.lognormal(0.0, 1.0, (compiled.size, members))
    p = compiled.parameter_values[:, None] * generator.lognormal(0.0, 0.3, (1, members))
    return [np.zeros((1, members)), y, p]


def test_passes_keep_values():
    compiled, plain, whole = reference_programs()
    arguments = points(compiled)
    # In long double what is left is the algebra; differences of nearly equal rates lose some of its places.
    exact = [a.astype(np.longdouble) for a in arguments]
    for a, b in zip(evaluate(plain, exact), evaluate(whole, exact), strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=1e-300)
    assert sum(n.operation == "divide" for n in whole.nodes) < sum(n.operation == "divide" for n in plain.nodes)


@OFTEN
@given(st.lists(st.floats(0.01, 20), min_size=5, max_size=5))
def test_passes_change_last_places_only(values):
    a, b, d, s1, s2 = (ca.SX.sym(n) for n in ("a", "b", "d", "s1", "s2"))
    ten = math.log(10.0)
    results = [a / b, d / b, ca.exp(ten * (s1 - d)), ca.exp(ten * (s2 - d)), ca.exp(s1 + d), ca.exp(d + s2), a**2.5]
    plain = program_of([ca.vertcat(a, b, d), ca.vertcat(s1, s2)], [ca.vertcat(*results)])
    whole = share_divisions(share_exponentials(plain, frozenset({1})), frozenset({1}))
    assert sum(n.operation == "exp" for n in plain.nodes) == 4
    assert sum(n.operation == "exp" for n in whole.nodes) == 6  # four of them shared by all or fixed for a member
    arguments = [np.array(values[:3])[:, None], np.array(values[3:])[:, None]]
    expected = evaluate(plain, arguments)[0]
    # exp(s) exp(d) carries half a place for every unit of s and d.
    room = ULP * (4 + 2.5 * (max(values[2:]) * 2))
    for level in (0, 1):
        assert np.allclose(in_lanes(whole, arguments, level)[0], expected, rtol=room, atol=0.0)


def test_split_leaves_the_members_constants_and_nothing_else():
    compiled, _, whole = reference_programs()
    parts = split(whole, 2)
    arguments = points(compiled)
    assert {n.place[0] for n in parts.constants.nodes if n.operation == "input"} == {2}
    # What moves reads parameters only through constants, and computes nothing from constants alone.
    still = []
    for node in parts.moving.nodes:
        leaf = node.operation in ("input", "constant")
        assert not (node.operation == "input" and node.place[0] == 2)
        still.append(node.place[0] == 3 or node.operation == "constant" if leaf else all(still[r] for r in node.reads))
        assert leaf or not still[-1]
    nowhere = [np.full_like(a, np.nan) for a in arguments[:2]]
    constants = evaluate(parts.constants, [*nowhere, arguments[2]])[0]
    assert np.all(np.isfinite(constants))
    for a, b in zip(evaluate(whole, arguments), evaluate(parts.moving, [*arguments, constants]), strict=True):
        assert np.array_equal(a, b)


def test_split_keeps_time_with_what_moves():
    t, y, p = ca.SX.sym("t"), ca.SX.sym("y"), ca.SX.sym("p", 2)
    program = program_of([t, y, p], [ca.vertcat(p[0] * p[1], p[0] * t, ca.exp(p[1]) * y, 3.0 * t, p[0])])
    parts = split(program, 2)
    assert {n.place[0] for n in parts.constants.nodes if n.operation == "input"} == {2}
    arguments = [np.array([[2.0]]), np.array([[5.0]]), np.array([[1.5], [0.25]])]
    constants = evaluate(parts.constants, [np.full((1, 1), np.nan)] * 2 + [arguments[2]])[0]
    assert np.array_equal(evaluate(parts.moving, [*arguments, constants])[0], evaluate(program, arguments)[0])
    assert np.array_equal(in_lanes(parts.moving, [*arguments, constants])[0][3:], [[6.0], [1.5]])


def test_levels_of_optimisation_and_neighbours_change_no_bit():
    compiled, _, whole = reference_programs()
    arguments = points(compiled, 16)
    slow, fast = in_lanes(whole, arguments, 0), in_lanes(whole, arguments, 1)
    assert all(np.array_equal(a, b) for a, b in zip(slow, fast, strict=True))
    order = np.random.default_rng(0).permutation(16)
    moved = in_lanes(whole, [a[:, order] for a in arguments], 0)
    assert all(np.array_equal(a[:, order], b) for a, b in zip(slow, moved, strict=True))
    assert all(np.all(np.isfinite(a)) for a in slow)
    # NumPy adds a product and a sum with two roundings, machine code with one.
    assert np.allclose(slow[0], evaluate(whole, arguments)[0], rtol=1e-11, atol=1e-11 * np.max(np.abs(slow[0])))
