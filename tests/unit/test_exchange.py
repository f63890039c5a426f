"""SBML and archives: dimensions put back, names, events and pulses, what is refused, what other libraries read."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import replace
from pathlib import Path

import casadi as ca
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from nanotrial.cli.main import app
from nanotrial.errors import NetworkError
from nanotrial.exchange.archive import steps_of, write_archive
from nanotrial.exchange.arm import start_of
from nanotrial.exchange.dimensions import infer_dimensions
from nanotrial.exchange.names import Identifiers, unit_identifier
from nanotrial.exchange.sbml import Model, write_network
from nanotrial.exchange.validity import check_document
from nanotrial.fit.overlay import Overlay
from nanotrial.network.model import Network
from nanotrial.network.program import program_of
from nanotrial.network.terms import Term, constant, exp, maximum, power, sqrt
from nanotrial.places import build_arm
from nanotrial.solve.compiled import compile_network
from nanotrial.solve.events import Event, Pulse
from nanotrial.solve.run import Runner, simulate_network
from nanotrial.study import load_study
from nanotrial.units import Dimension, dimension_of

roadrunner = pytest.importorskip("roadrunner")
EXAMPLE = Path(__file__).parents[2] / "examples" / "calcium_carbonate_acetate.toml"
ONE_ARM = """
title = "one arm"
place = "tube"
particle.bare = { core = "calcium_peroxide", diameter = "20 nm" }
subject = { buffer = "acetate", concentration = "20 mmol/L", ph = 5.5 }
arm = [{ name = "only", add = [{ particle = "bare", concentration = "0.5 mmol/L", basis = "calcium", at = "0 h" }] }]
measure.release = { every = "1 h", until = "4 h" }
"""


def decay(rate: float = 0.1) -> Network:
    network = Network("decay")
    volume = network.parameter("volume", 2.0, "m^3")
    network.compartment("pot", volume)
    a = network.state("pot.a", "pot", "mol", 1.0, constant(3.0, "mol"))
    k = network.parameter("k", rate, "1/s")
    network.process("loss", {"pot.a": -1}, k * a)
    network.observe("a", a / volume, "mmol/L")
    return network


def written(network: Network, events=(), pulses=(), until=10.0, flat=False) -> Model:
    compiled = compile_network(network)
    values = {n: p.value for n, p in network.parameters.items()}
    start = start_of(network, Runner(compiled), values, events, pulses, until)
    return write_network(network, start, events, pulses, until, flat=flat)


def elsewhere(model: Model, name: str, times: list[float]) -> np.ndarray:
    other = roadrunner.RoadRunner(model.text)
    other.integrator.setValue("relative_tolerance", 1e-10)
    other.integrator.setValue("absolute_tolerance", 1e-14)
    other.timeCourseSelections = ["time", model.ids["observable", name]]
    return np.asarray(other.simulate(times=times))[:, 1]


def dimensions_of(results: dict[str, Term], **symbols: Term):
    program = program_of(
        [ca.vertcat(*[s.expression for s in symbols.values()])], [r.expression for r in results.values()]
    )
    found = infer_dimensions(
        program, [[s.dimension for s in symbols.values()]], [[r.dimension] for r in results.values()]
    )
    return program, found


def symbol(name: str, unit: str) -> Term:
    return Term(ca.SX.sym(name), dimension_of(unit))


def test_a_number_takes_the_dimension_that_its_use_asks_for():
    x = symbol("x", "mol/m^3")
    program, found = dimensions_of({"y": maximum(x, constant(3.0, "mol/m^3")) / constant(7.0, "s")}, x=x)
    by_value = {program.nodes[program.nodes[i].reads[k]].number: d for (i, k), d in found.numbers.items()}
    assert by_value == {3.0: dimension_of("mol/m^3"), 7.0: dimension_of("s")}
    assert found.factors == {}


def test_one_number_is_a_quantity_here_and_pure_there():
    x, share = symbol("x", "mol"), symbol("share", "1")
    _, found = dimensions_of({"a": x + constant(5.0, "mol"), "b": share + 5.0}, x=x, share=share)
    assert sorted(map(str, found.numbers.values())) == ["1", "mol"]
    assert found.factors == {}


def test_a_dropped_factor_of_one_is_put_back_where_the_equations_contradict():
    x = symbol("x", "1")
    _, found = dimensions_of({"y": x * constant(1.0, "mol/m^3")}, x=x)
    assert found.factors == {(-1, 0): dimension_of("mol/m^3")}
    heat = symbol("heat", "J/mol")
    program, found = dimensions_of({"y": exp(heat / constant(1.0, "J/mol") + x)}, x=x, heat=heat)
    ((edge, factor),) = found.factors.items()
    assert factor == dimension_of("mol/J")
    assert program.nodes[program.nodes[edge[0]].reads[edge[1]]].place == (0, 1), "on the heat, not on the number"


def test_roots_and_inverses_keep_books():
    x = symbol("x", "m^2")
    program, found = dimensions_of({"y": sqrt(x) + constant(2.0, "m"), "z": 1.0 / x}, x=x)
    assert found.factors == {}
    root = next(i for i, n in enumerate(program.nodes) if n.operation == "sqrt")
    assert found.nodes[root] == dimension_of("m")


@given(st.lists(st.text("abc._@+-[]() 1", min_size=1, max_size=4), unique=True, max_size=40))
def test_identifiers_are_unique_and_valid(names):
    free = Identifiers()
    made = [free.take(n, "parameter") for n in names]
    assert len(set(made)) == len(made)
    assert all(m.isidentifier() and m.isascii() for m in made)


@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 7), unique=True, max_size=30))
def test_units_have_ids_of_their_own(exponents):
    from fractions import Fraction

    made = {unit_identifier(Dimension(tuple(Fraction(e) for e in one))) for one in exponents}
    assert len(made) == len(exponents)


@pytest.mark.parametrize("flat", [False, True])
def test_a_decay_follows_its_closed_form(flat):
    times = [0.0, 2.0, 10.0]
    model = written(decay(), flat=flat)
    assert check_document(model.text) == []
    assert elsewhere(model, "a", times) == pytest.approx([1.5 * math.exp(-0.1 * t) for t in times], rel=1e-8)


def test_events_of_one_instant_follow_each_other_and_those_at_the_start_are_in_the_amounts():
    network = decay()
    a = network["pot.a"]
    events = [
        Event(0.0, {"pot.a": a * 2.0}, "double"),
        Event(4.0, {"pot.a": a + constant(1.0, "mol")}, "add"),
        Event(4.0, {"pot.a": a * 3.0}, "treble"),
    ]
    model = written(network, events)
    assert check_document(model.text) == []
    after = (6.0 * math.exp(-0.4) + 1.0) * 3.0 * math.exp(-0.1)
    assert elsewhere(model, "a", [0.0, 5.0]) == pytest.approx([3.0, after / 2.0], rel=1e-8)
    assert 'initialAmount="6.0"' in model.text


def test_a_pulse_holds_a_parameter_over_its_window():
    model = written(decay(), pulses=[Pulse(2.0, 4.0, "k", 0.5)])
    assert check_document(model.text) == []
    assert elsewhere(model, "a", [0.0, 8.0])[-1] == pytest.approx(1.5 * math.exp(-0.1 * 6 - 0.5 * 2), rel=1e-7)


def bound() -> Network:
    """A total that is free or bound: free + free^2 / K = total / volume."""
    network = decay()
    free, total, k = network.unknown("free", "mol/m^3"), network.concentration("pot.a"), constant(2.0, "mol/m^3")
    residual = free + free * free / k - total
    network.equilibrium("binding", {"free": (free, 1.0, 0.0)}, {"free": residual}, {"free": k})
    network.observe("free", free, "mol/m^3")
    return network


@pytest.mark.parametrize("flat", [False, True])
def test_an_equilibrium_holds_at_all_times_and_returns_after_a_change_by_hand(flat):
    model = written(bound(), flat=flat)
    assert check_document(model.text) == []
    times = [0.0, 3.0, 10.0]
    exact = [-1.0 + math.sqrt(1.0 + 2.0 * 1.5 * math.exp(-0.1 * t)) for t in times]
    assert elsewhere(model, "free", times) == pytest.approx(exact, rel=2e-4)
    other = roadrunner.RoadRunner(model.text)
    other["volume"], other["k"] = 4.0, 0.0
    other.timeCourseSelections = [model.ids["observable", "free"]]
    assert np.asarray(other.simulate(0, 5, 2))[-1, 0] == pytest.approx(-1.0 + math.sqrt(1.0 + 1.5), rel=1e-5)


def test_an_equation_without_its_own_variable_is_refused_by_name():
    network = decay()
    x, y = network.unknown("x"), network.unknown("y")
    one = constant(1.0, "1")
    residuals = {"x": y - 2.0, "y": x - 3.0}
    variables = {"x": (x, 3.0, -math.inf), "y": (y, 2.0, -math.inf)}
    network.equilibrium("crossed", variables, residuals, {"x": one, "y": one})
    with pytest.raises(NetworkError, match=r"`crossed`.*`x`"):
        written(network)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [(lambda x: ca.sin(x), "sin"), (lambda x: math.inf - x, "not finite")],
    ids=["operation", "infinite"],
)
def test_what_has_no_formula_is_refused_by_name(odd, reason):
    network = decay()
    share = network["pot.a"] / constant(1.0, "mol")
    network.observe("odd", Term(odd(share.expression)), "1")
    with pytest.raises(NetworkError, match=f"observable `odd`.*{reason}"):
        written(network)


def test_relations_signs_and_powers_mean_the_same_elsewhere():
    network = decay()
    x = network["pot.a"] / constant(1.0, "mol")
    e = x.expression
    network.observe("signed", Term(ca.sign(e - 2.0)), "1")
    network.observe("chosen", Term(ca.if_else(ca.logic_and(e > 1.5, e < 2.5), e * e, 0.25)), "1")
    network.observe("raised", power(x, 0.37) + 1.0 / x + sqrt(x), "1")
    model = written(network, until=20.0)
    assert check_document(model.text) == []
    times = [0.0, 3.0, 6.0, 9.0]
    own = simulate_network(network, times)
    for name in ("signed", "chosen", "raised"):
        assert elsewhere(model, name, times) == pytest.approx(own[name], rel=1e-5), name


def test_an_archive_is_read_by_the_libraries_of_its_formats_and_is_the_same_twice(tmp_path):
    libsedml, libcombine = pytest.importorskip("libsedml"), pytest.importorskip("libcombine")
    study = load_study(EXAMPLE)
    study = replace(study, arms=study.arms[:2])
    built = [build_arm(study, arm, Overlay.of_study(study)) for arm in study.arms]
    packed = write_archive(study, built)
    assert packed == write_archive(study, built)
    file = tmp_path / "study.omex"
    file.write_bytes(packed)
    archive = libcombine.CombineArchive()
    assert archive.initializeFromArchive(str(file))
    assert archive.getMasterFile().getLocation().endswith("simulation.sedml")
    with zipfile.ZipFile(io.BytesIO(packed)) as inside:
        names = inside.namelist()
        text = inside.read("simulation.sedml").decode()
    assert sum(n.startswith("models/") for n in names) == 2
    document = libsedml.readSedMLFromString(text)
    found = [document.getError(i).getMessage() for i in range(document.getNumErrors())]
    assert found == []
    assert document.getNumTasks() == 2
    assert document.getNumOutputs() == 2 + len(study.measures)
    assert document.getSimulation(0).getNumberOfSteps() == steps_of(study)


def test_the_command_writes_one_arm_and_never_overwrites(tmp_path):
    study, out = tmp_path / "study.toml", tmp_path / "out.xml"
    study.write_text(ONE_ARM, encoding="utf-8")
    call = CliRunner()
    done = call.invoke(app, ["export", str(study), "--sbml", str(out)])
    assert done.exit_code == 0, done.output
    assert check_document(out.read_text(encoding="utf-8")) == []
    again = call.invoke(app, ["export", str(study), "--sbml", str(out)])
    assert again.exit_code == 2
    assert "never overwritten" in again.output
    many = call.invoke(app, ["export", str(EXAMPLE), "--sbml", str(tmp_path / "other.xml")])
    assert many.exit_code == 2
    assert all(a.name in many.output for a in load_study(EXAMPLE).arms)
    assert not (tmp_path / "other.xml").exists()
    neither = call.invoke(app, ["export", str(EXAMPLE)])
    assert neither.exit_code == 2
