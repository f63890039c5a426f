"""Machine code of a program: LLVM text in which every value is a vector with one member in each lane.

A program is straight-line code, so the text is one block; loads and stores are those of arguments and results. A
product that only feeds a sum is fused with it here, by name, and the compiler may reorder nothing: results are the same
at every level of optimisation, and a lane never depends on its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nanotrial.network.program import Node, Program
from nanotrial.solve.lanes.vector_math import math_functions, splat

_PLAIN = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv"}
_COMPARE = {"less": "olt", "less_equal": "ole", "equal": "oeq", "not_equal": "une"}


def module_text(functions: dict[str, Program], lanes: int) -> str:
    """Return the LLVM module with one function for each program.

    A function takes one pointer per argument and one per result, each to (entries, lanes) doubles on 64 bytes.

    Arguments:
        functions: programs by name.
        lanes: members side by side.
    """
    v = f"<{lanes} x double>"
    names = {"fma": 3, "sqrt": 1, "fabs": 1, "copysign": 2, "minnum": 2, "maxnum": 2}
    declared = [f"declare {v} @llvm.{n}.v{lanes}f64({', '.join([v] * k)})" for n, k in names.items()]
    bodies = [_function(name, program, lanes) for name, program in functions.items()]
    return "\n".join([*declared, math_functions(lanes), *bodies])


def _function(name: str, program: Program, lanes: int) -> str:
    v = f"<{lanes} x double>"
    arguments = [f"double* noalias align 64 %a{k}" for k in range(len(program.inputs))]
    results = [f"double* noalias align 64 %r{k}" for k in range(len(program.outputs))]
    lines = [f"define void @{name}({', '.join(arguments + results)}) {{"]
    wanted: dict[int, list[tuple[int, int]]] = {}
    for k, nodes in enumerate(program.outputs):
        for entry, n in enumerate(nodes):
            wanted.setdefault(n, []).append((k, entry))
    values: list[str] = []
    fused = fused_products(program, wanted)
    products = set(fused.values())
    for i, node in enumerate(program.nodes):
        if i in products:
            values.append("")
            continue
        if i in fused:
            values.append(_fused_sum(lines, i, node, program.nodes[fused[i]], fused[i], values, lanes))
        else:
            values.append(_value(lines, i, node, values, lanes))
        for k, entry in wanted.get(i, ()):
            lines.append(f"%q{k}_{entry} = getelementptr double, double* %r{k}, i64 {entry * lanes}")
            lines.append(f"%v{k}_{entry} = bitcast double* %q{k}_{entry} to {v}*")
            lines.append(f"store {v} {values[i]}, {v}* %v{k}_{entry}, align 64")
    return "\n".join([*lines, "ret void", "}"])


def fused_products(program: Program, wanted: Mapping[int, object]) -> dict[int, int]:
    """Return for each sum the product to fuse with it: one that nothing else reads."""
    uses = Counter(r for node in program.nodes for r in node.reads)
    found: dict[int, int] = {}
    for i, node in enumerate(program.nodes):
        if node.operation in ("add", "subtract"):
            for r in reversed(node.reads):
                if program.nodes[r].operation == "multiply" and uses[r] == 1 and r not in wanted:
                    found[i] = r
                    break
    return found


def _fused_sum(lines: list[str], i: int, node: Node, product: Node, at: int, values: list[str], lanes: int) -> str:
    """Append a sum fused with one of its terms and return its name."""
    v = f"<{lanes} x double>"
    a, b = (values[r] for r in product.reads)
    other = values[node.reads[0] if node.reads[1] == at else node.reads[1]]
    if node.operation == "subtract":
        negated = a if node.reads[1] == at else other
        lines.append(f"%m{i} = fneg {v} {negated}")
        a, other = (f"%m{i}", other) if node.reads[1] == at else (a, f"%m{i}")
    lines.append(f"%n{i} = call {v} @llvm.fma.v{lanes}f64({v} {a}, {v} {b}, {v} {other})")
    return f"%n{i}"


def _value(lines: list[str], i: int, node: Node, values: list[str], lanes: int) -> str:
    """Append the lines of one node and return the name (or constant) that holds its value."""
    v, op = f"<{lanes} x double>", node.operation
    if op == "constant":
        return splat(node.number, lanes)
    if op == "input":
        k, entry = node.place
        lines.append(f"%g{i} = getelementptr double, double* %a{k}, i64 {entry * lanes}")
        lines.append(f"%h{i} = bitcast double* %g{i} to {v}*")
        lines.append(f"%n{i} = load {v}, {v}* %h{i}, align 64")
        return f"%n{i}"
    read = [values[r] for r in node.reads]
    lines.extend(_operation(i, op, read, v, lanes))
    return f"%n{i}"


def _operation(i: int, op: str, read: list[str], v: str, lanes: int) -> list[str]:
    """Return the lines that compute ``%n<i>``."""
    a = read[0]
    b = read[1] if len(read) > 1 else ""
    mask = f"<{lanes} x i1>"
    one, zero = splat(1.0, lanes), "zeroinitializer"
    if op in _PLAIN:
        return [f"%n{i} = {_PLAIN[op]} {v} {a}, {b}"]
    if op in _COMPARE:
        return [f"%c{i} = fcmp {_COMPARE[op]} {v} {a}, {b}", f"%n{i} = select {mask} %c{i}, {v} {one}, {v} {zero}"]
    if op in ("minimum", "maximum"):
        sign = "ogt" if op == "minimum" else "olt"
        return [f"%c{i} = fcmp {sign} {v} {a}, {b}", f"%n{i} = select {mask} %c{i}, {v} {b}, {v} {a}"]
    if op in ("exp", "log", "tanh"):
        return [f"%n{i} = call {v} @{op}_lanes({v} {a})"]
    if op == "power":
        return [
            f"%l{i} = call {v} @log_lanes({v} {a})",
            f"%m{i} = fmul {v} %l{i}, {b}",
            f"%p{i} = call {v} @exp_lanes({v} %m{i})",
            f"%c{i} = fcmp oeq {v} {b}, {zero}",
            f"%n{i} = select {mask} %c{i}, {v} {one}, {v} %p{i}",
        ]
    if op == "if_else_zero":
        return [f"%c{i} = fcmp une {v} {a}, {zero}", f"%n{i} = select {mask} %c{i}, {v} {b}, {v} {zero}"]
    if op in ("and", "or"):
        compared = [f"%c{i}{s} = fcmp une {v} {x}, {zero}" for s, x in (("l", a), ("r", b))]
        return [*compared, f"%d{i} = {op} {mask} %c{i}l, %c{i}r", f"%n{i} = select {mask} %d{i}, {v} {one}, {v} {zero}"]
    rest = {
        "negate": f"%n{i} = fneg {v} {a}",
        "invert": f"%n{i} = fdiv {v} {one}, {a}",
        "square": f"%n{i} = fmul {v} {a}, {a}",
        "double": f"%n{i} = fadd {v} {a}, {a}",
        "sqrt": f"%n{i} = call {v} @llvm.sqrt.v{lanes}f64({v} {a})",
        "absolute": f"%n{i} = call {v} @llvm.fabs.v{lanes}f64({v} {a})",
    }
    if op in rest:
        return [rest[op]]
    nought = f"%c{i} = fcmp oeq {v} {a}, {zero}"
    if op == "not":
        return [nought, f"%n{i} = select {mask} %c{i}, {v} {one}, {v} {zero}"]
    assert op == "sign", op
    signed = f"%s{i} = call {v} @llvm.copysign.v{lanes}f64({v} {one}, {v} {a})"
    unsigned = f"%c{i} = fcmp ueq {v} {a}, {zero}"  # zero or no number
    return [unsigned, signed, f"%n{i} = select {mask} %c{i}, {v} {a}, {v} %s{i}"]
