"""The kernel for a graphics processor: its text, compiled for this processor, does what the kernel of lanes does."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import casadi as ca
import numpy as np
import pytest
from reference_network import reference_problem
from tubes import given, make_study

from nanotrial.errors import InputError, SolveError
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Network
from nanotrial.network.program import Node, Program, evaluate, program_of
from nanotrial.places import build_arm
from nanotrial.solve import ensemble as ensembles
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.ensemble import Ensemble
from nanotrial.solve.lanes import cuda, cuda_loop, cuda_text, native
from nanotrial.solve.lanes.cuda_text import WIDTH, Region, math_text, number, program_text
from nanotrial.solve.lanes.emit import module_text
from nanotrial.solve.lanes.kernel import DONE, LANES, PIVOT_AFTER, STEP_TOO_SMALL, TOO_MANY_STEPS
from nanotrial.solve.run import Tolerances

COMPILER = next((c for c in map(shutil.which, ("c++", "g++", "clang++")) if c), None)
HOUR = 3600.0
# Words of CUDA as words of C++: blocks and threads follow one another.
HOST = """\
#include <cmath>
#include <cstring>
using std::copysign; using std::fabs; using std::fma; using std::pow; using std::sqrt;
#define __device__
#define __global__
#define __noinline__
#define __launch_bounds__(threads)
struct Index { long long x; };
static Index blockIdx, threadIdx, blockDim, gridDim;
static double __longlong_as_double(long long bits) { double x; memcpy(&x, &bits, 8); return x; }
static long long __double_as_longlong(double x) { long long bits; memcpy(&bits, &x, 8); return bits; }
"""
LAUNCH = """
extern "C" void launch(long long blocks, const double* y0, const double* constants, const double* grid, double* out,
        double* reached, long long* counts, long long* status, double* work, double start, double relative,
        double absolute, long long most, long long times, long long members) {
    gridDim.x = blocks; blockDim.x = BLOCK;
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
        for (threadIdx.x = 0; threadIdx.x < BLOCK; ++threadIdx.x)
            integrate(y0, constants, grid, out, reached, counts, status, work, start, relative, absolute, most, times,
                members);
}
"""


def library_of(text, folder):
    """Return the shared library of a C++ text."""
    if COMPILER is None:
        pytest.skip("there is no C++ compiler")
    source, target = folder / "text.cpp", folder / "text.so"
    source.write_text(text)
    command = [COMPILER, "-std=c++14", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-w", source, "-o", target]
    subprocess.run(list(map(str, command)), check=True)
    return ctypes.CDLL(str(target))


class HostDevice:
    """Runs the kernel on this processor, one thread after another, in the arrays of NumPy."""

    arrays = np

    def __init__(self, text, folder, threads=128, room=1 << 30):
        self.library, self.most, self.bytes = library_of(HOST + text + LAUNCH, folder), threads, room
        self.launches, self.given_up = [], 0

    def threads(self):
        return self.most

    def room(self):
        return self.bytes

    def launch(self, blocks, arguments):
        self.launches.append((blocks, int(arguments[-1])))
        kinds = {np.float64: ctypes.c_double, np.int64: ctypes.c_longlong}
        own = [a.ctypes.data_as(ctypes.c_void_p) if isinstance(a, np.ndarray) else kinds[type(a)](a) for a in arguments]
        for a in arguments:
            assert not isinstance(a, np.ndarray) or a.flags.c_contiguous
        self.library.launch(ctypes.c_longlong(blocks), *own)
        self.given_up += int(np.count_nonzero(arguments[6] == STEP_TOO_SMALL))

    def fetch(self, array):
        return array


@pytest.fixture
def on_host(monkeypatch, tmp_path):
    """Have ensembles on a graphics processor run here; return the devices that were made."""
    made = []

    def device(text):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(HostDevice(text, folder))
        return made[-1]

    monkeypatch.setattr(cuda, "CupyDevice", device)
    return made


def both(network, parameters, guesses, outputs, events=(), pulses=(), **more):
    """Return runs of the same members by the two kernels."""
    compiled = compile_network(network)
    runs = []
    for backend in ("cpu", "gpu"):
        ensemble = Ensemble(network, compiled, threads=1, backend=backend, **more)
        runs.append(ensemble.run(parameters, guesses, outputs, events, pulses))
    return runs


def assert_same(found, expected, members):
    assert found.observables.shape == expected.observables.shape
    assert found.observables.shape[0] == members
    assert found.reasons == expected.reasons == {}
    assert np.isfinite(expected.observables).all()
    size = np.abs(expected.observables).max(axis=(0, 1))
    assert size.min() > 0.0
    assert np.abs(found.observables - expected.observables).max(axis=(0, 1)) / size == pytest.approx(0.0, abs=1e-10)
    assert found.steps == expected.steps


def test_reference_network(on_host):
    """43 states over 14 days with injections and irradiations; more members than threads, so that some take two."""
    problem = reference_problem()
    members = 150
    parameters = problem.draw(members, np.random.default_rng(5))
    expected, found = both(
        problem.network, parameters, np.zeros(0), problem.outputs[:17], problem.events, problem.pulses
    )
    assert_same(found, expected, members)
    assert expected.steps[0] > 50 * members
    assert (2, members) in on_host[0].launches
    assert on_host[0].given_up == 0


@pytest.fixture(scope="module")
def arm():
    study = make_study(add=[given()], measure={"ph": {"at": ["0 h", "24 h"]}})
    return build_arm(study, study.arms[0], Overlay())


def members_of(arm, members):
    compiled = compile_network(arm.network)
    spread = np.exp(0.02 * np.random.default_rng(3).standard_normal((members, len(compiled.parameter_names))))
    ready, reasons = arm.prepare_members(Ensemble(arm.network, compiled), compiled.parameter_values * spread)
    assert reasons == {}
    return ready


def test_tube(on_host, arm):
    """Equilibria beside states: rows of W without the identity."""
    ready = members_of(arm, 40)
    outputs = [0.0, 60.0, 600.0, HOUR, 6 * HOUR, 24 * HOUR]
    expected, found = both(arm.network, ready, arm.guesses, outputs, arm.events)
    assert_same(found, expected, 40)
    assert on_host[0].launches == [(1, 40)]
    assert on_host[0].given_up == 0


def decay():
    """Return two of y' = -rate y + slope t: rates that know the time."""
    network = Network("decay in a rising field")
    rate, slope = network.parameter("rate", 1e-3, "1/s"), network.parameter("slope", 1e-6, "1/s^2")
    network.compartment("box", network.parameter("volume", 1e-3, "m^3"))
    for name in ("first", "second"):
        network.state(name, "box", "1", 1.0, 1.0)
        network.process(f"{name}_lost", {name: -1}, rate * network[name])
        network.process(f"{name}_made", {name: 1}, slope * network.time)
        network.observe(name, network[name], "1")
    return network


def test_time_in_rates(on_host):
    """Against the solution  y = (1 + s/a^2) e^(-a t) + (s/a) (t - 1/a)."""
    network = decay()
    rates = np.linspace(5e-4, 5e-3, 100)
    times = np.array([0.0, 10.0, 500.0, 2000.0, 5000.0])
    table = np.stack([rates, np.full(100, 1e-6), np.full(100, 1e-3)], axis=1)
    expected, found = both(network, table, np.zeros(0), times.tolist())
    a, s = rates[:, None], 1e-6
    exact = (1 + s / a**2) * np.exp(-a * times) + s / a * (times - 1 / a)
    assert found["first"] == pytest.approx(exact, rel=1e-4)
    assert on_host[0].given_up == 0
    assert_same(found, expected, 100)


def test_members_in_parts(monkeypatch, tmp_path):
    """Little memory: members go a few at a time, with the same numbers."""
    network = decay()
    compiled = compile_network(network)
    system = cuda.cuda_system(network, compiled)
    device = HostDevice(system.text, tmp_path, room=2 * 8 * 64 * (system.entries + 1))
    code, rng = cuda.CudaCode(system, device), np.random.default_rng(0)
    y, p = rng.random((300, 2)), np.repeat(compiled.parameter_values[:, None], 300, axis=1) * rng.random((3, 300))
    grid = np.array([10.0, 100.0, 1000.0])
    few = code.integrate(y, p, 0.0, grid, 1e-6, 1e-9, 1000)
    assert len(device.launches) > 1
    assert {blocks for blocks, _ in device.launches} == {1}
    assert sum(members for _, members in device.launches) == 300
    device.bytes = 1 << 30
    whole = code.integrate(y, p, 0.0, grid, 1e-6, 1e-9, 1000)
    assert (whole.status == DONE).all()
    assert np.array_equal(whole.out, few.out)
    monkeypatch.setattr(device, "launch", raising(MemoryError("4 GB")))
    with pytest.raises(SolveError, match="memory ran out for members on the graphics processor: 4 GB"):
        code.integrate(y, p, 0.0, grid, 1e-6, 1e-9, 1000)
    device.bytes = 1000
    with pytest.raises(SolveError, match="too little free memory"):
        code.integrate(y, p, 0.0, grid, 1e-6, 1e-9, 1000)


def test_a_member_that_fails_shows_nothing(tmp_path):
    """No numbers from its first output on, and no harm to its neighbours."""
    network = decay()
    compiled = compile_network(network)
    system = cuda.cuda_system(network, compiled)
    code, p = cuda.CudaCode(system, HostDevice(system.text, tmp_path)), compiled.parameter_values
    parameters, y = np.repeat(p[:, None], 3, axis=1), np.ones((3, 2))
    y[1] = np.nan
    run = code.integrate(y, parameters, 0.0, np.array([10.0, 1000.0]), 1e-6, 1e-9, 1000)
    assert run.status.tolist() == [DONE, STEP_TOO_SMALL, DONE]
    assert run.counts[1].tolist() == [0, PIVOT_AFTER, 0]
    assert run.reached.tolist() == [1000.0, 0.0, 1000.0]
    assert np.isnan(run.out[1]).all()
    assert np.array_equal(run.out[0], run.out[2])
    few = code.integrate(np.ones((3, 2)), parameters, 0.0, np.array([10.0, 1000.0]), 1e-6, 1e-9, 5)
    assert few.status.tolist() == [TOO_MANY_STEPS] * 3
    assert (few.counts[:, :2].sum(axis=1) == 5).all()
    assert np.isnan(few.out).all()


def test_members_of_many_steps_go_again(on_host, monkeypatch, arm):
    monkeypatch.setattr(ensembles, "FEW_STEPS", 30)
    expected, found = both(arm.network, members_of(arm, 8), arm.guesses, [0.0, 24 * HOUR], arm.events)
    assert_same(found, expected, 8)
    assert len(on_host[0].launches) == 2
    assert on_host[0].given_up == 0


def test_too_many_steps(on_host, arm):
    few = Tolerances(relative=1e-5, absolute=1e-8, negative=1e-4, max_steps=7)
    expected, found = both(arm.network, members_of(arm, 4), arm.guesses, [0.0, 24 * HOUR], arm.events, tolerances=few)
    assert len(found.reasons) == 4
    assert "more than 7 steps" in found.reasons[0]
    assert found.reasons == expected.reasons
    assert found.steps == expected.steps


def test_given_up_members_go_to_the_other_kernel(on_host, monkeypatch, arm):
    """With no refusal allowed many members are left over: nothing is lost or counted twice."""
    monkeypatch.setattr(cuda_loop, "PIVOT_AFTER", 1)
    expected, found = both(arm.network, members_of(arm, 40), arm.guesses, [0.0, HOUR, 24 * HOUR], arm.events)
    assert on_host[0].given_up > 0
    assert_same(found, expected, 40)


@pytest.fixture(scope="module")
def mathematics(tmp_path_factory):
    functions = "".join(
        f'extern "C" double own_{n}(double x) {{ return {n}_of(x); }}\n' for n in ("exp", "log", "tanh")
    )
    library = library_of(HOST + math_text() + "\n" + functions, tmp_path_factory.mktemp("mathematics"))
    found = {n: getattr(library, f"own_{n}") for n in ("exp", "log", "tanh")}
    for one in found.values():
        one.restype, one.argtypes = ctypes.c_double, [ctypes.c_double]
    return found


def test_mathematics(mathematics):
    rng = np.random.default_rng(1)
    for name, points in {
        "exp": rng.uniform(-700, 700, 2000),
        "log": 10.0 ** rng.uniform(-300, 300, 2000),
        "tanh": rng.normal(0, 3, 2000),
    }.items():
        mine = np.array([mathematics[name](x) for x in points])
        assert mine == pytest.approx(getattr(np, name)(points), rel=1e-15, abs=3e-16)


def test_mathematics_at_the_edges(mathematics):
    exp, log, tanh = mathematics["exp"], mathematics["log"], mathematics["tanh"]
    assert (exp(0.0), exp(-800.0), exp(800.0), exp(math.inf)) == (1.0, 0.0, math.inf, math.inf)
    assert (log(1.0), log(0.0), log(math.inf)) == (0.0, -math.inf, math.inf)
    assert (tanh(0.0), tanh(50.0), tanh(-50.0)) == (0.0, 1.0, -1.0)
    assert all(math.isnan(v) for v in (exp(math.nan), log(math.nan), log(-1.0), tanh(math.nan)))


@pytest.mark.parametrize(
    "value", [0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, np.float64(-2 / 3), math.inf, -math.inf, math.nan]
)
def test_numbers_are_read_back_whole(value, tmp_path):
    library = library_of(f'{HOST}extern "C" double one() {{ return {number(value)}; }}', tmp_path)
    library.one.restype = ctypes.c_double
    assert np.array_equal(np.float64(library.one()), np.float64(value), equal_nan=True)


BINARY = ["add", "subtract", "multiply", "divide", "power", "minimum", "maximum", "less", "less_equal", "equal"]
BINARY += ["not_equal", "and", "or", "if_else_zero"]
UNARY = ["negate", "invert", "square", "double", "sqrt", "exp", "log", "tanh", "absolute", "sign", "not"]


def compiled_text(program, folder):
    """Return the text of a program and a function that runs it on arguments of shape (entries, members)."""
    sizes = [*program.inputs, *map(len, program.outputs)]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    regions, count = [Region("q", int(s)) for s in starts], len(program.inputs)
    made = program_text("run", program, regions[:count], regions[count:-1], regions[-1], "q")
    text = f'{HOST}{math_text()}\n{made.text}\nextern "C" void go(double* q) {{ run(q); }}'
    library = library_of(text, folder)

    def run(*arguments):
        work, members = np.full((starts[-1] + made.kept, WIDTH), np.nan), arguments[0].shape[1]
        for start, values in zip(starts, arguments, strict=False):
            work[start : start + len(values), :members] = values
        for member in range(members):
            library.go(ctypes.c_void_p(work[:, member:].ctypes.data))
        return [work[a:b, :members] for a, b in zip(starts[count:-1], starts[count + 1 :], strict=True)]

    return made, run


def in_lanes(program, arguments):
    """Return what the lanes of this processor give, members beside one another."""
    loaded = native.Loaded(native.machine_code(module_text({"run": program}, LANES), 0))
    tables = []
    for size, values in zip([*program.inputs, *map(len, program.outputs)], [*arguments, *program.outputs], strict=True):
        raw = np.zeros(size * LANES + 8)
        skip = (-raw.ctypes.data // 8) % 8
        tables.append(raw[skip : skip + size * LANES].reshape(size, LANES))
        if len(tables) <= len(arguments):
            tables[-1][:, : values.shape[1]] = values
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(tables))(loaded.address("run"))
    function(*[t.ctypes.data for t in tables])
    return [t[:, : arguments[0].shape[1]] for t in tables[len(arguments) :]]


def test_every_operation(tmp_path):
    """By itself and fused, at the edges where signs, zeros and no numbers meet: the very bits of the lanes."""
    inputs = (Node("input", place=(0, 0)), Node("input", place=(0, 1)))
    nodes = inputs + tuple(Node(o, (0, 1)) for o in BINARY) + tuple(Node(o, (0,)) for o in UNARY)
    plain = len(nodes)
    for operation in ("add", "subtract"):
        for order in (slice(None), slice(None, None, -1)):
            product = len(nodes)
            nodes += (Node("multiply", (0, product - 1)), Node(operation, (product, 1)[order]))
    results = (*range(2, plain), *range(plain + 1, len(nodes), 2))
    program = Program(nodes, (2,), (results,))
    assert set(BINARY + UNARY) == set(cuda_text._OPERATIONS)
    edges = [0.0, -0.0, 1.0, -1.0, 0.1, -2.5, 1e-310, 709.7, -745.0, 1e300, math.inf, -math.inf, math.nan]
    pairs = np.array([(a, b) for a in edges for b in edges]).T
    made, run = compiled_text(program, tmp_path)
    assert made.text.count("fma(") == 4
    for first in range(0, pairs.shape[1], LANES):
        part = pairs[:, first : first + LANES]
        (expected,) = in_lanes(program, [part])
        (found,) = run(part)
        for row, n in enumerate(results):
            same = (found[row] == expected[row]) & (np.signbit(found[row]) == np.signbit(expected[row]))
            assert (same | (np.isnan(found[row]) & np.isnan(expected[row]))).all(), (nodes[n].operation, part)
    usual = np.random.default_rng(2).uniform(0.1, 5.0, (2, LANES))
    assert run(usual)[0] == pytest.approx(evaluate(program, [usual])[0], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("piece", [1, 7, 50, 100000])
def test_pieces_pass_on_what_later_ones_read(piece, monkeypatch, tmp_path):
    """A tangle of a thousand operations gives the same bits however it is cut, with few entries in between."""
    monkeypatch.setattr(cuda_text, "PIECE", piece)
    rng = np.random.default_rng(8)
    x = ca.SX.sym("x", 6)
    held = [x[i] for i in range(6)]
    for _ in range(1000):
        a, b = (held[i] for i in rng.integers(0, len(held), 2))
        held.append([a + b / 3, a - b * x[0], a * b, ca.tanh(a) - b][rng.integers(4)] / 2)
        held = held[-40:]
    program = program_of([x], [ca.vertcat(*held[-5:], x[2], 4.0), ca.densify(held[0])])
    arguments = [rng.uniform(-1, 1, (6, 3))]
    made, run = compiled_text(program, tmp_path)
    for mine, expected in zip(run(*arguments), evaluate(program, arguments), strict=True):
        assert mine == pytest.approx(expected, rel=1e-11, abs=1e-13)
    assert made.text.count("__noinline__") >= 2 if piece < 1000 else made.text.count("__noinline__") == 1
    assert made.kept == 0 if piece == 100000 else 0 < made.kept < 120


def test_a_back_end_is_chosen_by_name():
    network = decay()
    compiled = compile_network(network)
    assert Ensemble(network, compiled).gpu is None
    with pytest.raises(InputError, match="`cpu` or `gpu`"):
        Ensemble(network, compiled, backend="tpu")


def test_no_silent_way_back(monkeypatch):
    """Asked for where there is none: an error with the reason, no run elsewhere."""
    monkeypatch.setattr(cuda, "cuda_available", lambda: "it was sold")
    network = decay()
    with pytest.raises(SolveError, match="no graphics processor can be used: it was sold"):
        Ensemble(network, compile_network(network), backend="gpu")


def raising(error):
    def call(*_):
        raise error

    return call


def cupy_with(driver=12040, devices=lambda: 1, compiler=lambda: (12, 4)):
    runtime = SimpleNamespace(driverGetVersion=lambda: driver, getDeviceCount=devices)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, nvrtc=SimpleNamespace(getVersion=compiler)))


@pytest.mark.parametrize(
    ("cupy", "reason"),
    [
        (None, "CuPy cannot be imported"),
        (cupy_with(driver=0), "there is no driver"),
        (cupy_with(driver=11080), "too old: CUDA 11.8, 12.0 or newer"),
        (cupy_with(devices=lambda: 0), "there is no graphics processor"),
        (cupy_with(devices=raising(RuntimeError("no device\nat all"))), "CUDA cannot be used: no device$"),
        (cupy_with(compiler=raising(OSError())), "NVRTC cannot be used: OSError$"),
        (cupy_with(), "^$"),
    ],
)
def test_the_reason_is_said(cupy, reason, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    found = cuda.cuda_available()
    assert re.search(reason, found)
    assert "\n" not in found


def test_on_a_graphics_processor():
    """The real one: the reference network agrees with the kernel of lanes."""
    reason = cuda.cuda_available()
    if reason:
        pytest.skip(reason)
    problem = reference_problem()
    parameters = problem.draw(3000, np.random.default_rng(6))
    expected, found = both(problem.network, parameters, np.zeros(0), problem.outputs, problem.events, problem.pulses)
    size = np.abs(expected.observables).max(axis=(0, 1))
    assert np.abs(found.observables - expected.observables).max(axis=(0, 1)) / size == pytest.approx(0.0, abs=1e-8)
    assert found.careful == expected.careful
