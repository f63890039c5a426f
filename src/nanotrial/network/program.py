"""A graph as a list of operations in the order of evaluation: what code is emitted from and documents are written from.

Every node is computed once (static single assignment), so a tool that walks the list needs no knowledge of CasADi.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import casadi as ca
import numpy as np

from nanotrial.errors import NetworkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Names of CasADi's operations that networks and their derivatives use -> names here; the rest is refused by name.
_NAMES = {
    "OP_ADD": "add",
    "OP_SUB": "subtract",
    "OP_MUL": "multiply",
    "OP_DIV": "divide",
    "OP_NEG": "negate",
    "OP_INV": "invert",
    "OP_SQ": "square",
    "OP_TWICE": "double",
    "OP_SQRT": "sqrt",
    "OP_EXP": "exp",
    "OP_LOG": "log",
    "OP_POW": "power",
    "OP_CONSTPOW": "power",
    "OP_TANH": "tanh",
    "OP_FMIN": "minimum",
    "OP_FMAX": "maximum",
    "OP_FABS": "absolute",
    "OP_SIGN": "sign",
    "OP_LT": "less",
    "OP_LE": "less_equal",
    "OP_EQ": "equal",
    "OP_NE": "not_equal",
    "OP_NOT": "not",
    "OP_AND": "and",
    "OP_OR": "or",
    "OP_IF_ELSE_ZERO": "if_else_zero",
}


@dataclass(frozen=True)
class Node:
    """One operation: its name, the nodes it reads, and for ``constant`` the number, for ``input`` (argument, place)."""

    operation: str
    reads: tuple[int, ...] = ()
    number: float = 0.0
    place: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Program:
    """Nodes in the order of evaluation; ``outputs[k]`` are the nodes of the entries of result k (its nonzeros)."""

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]


@cache
def _operations() -> dict[int, str]:
    return {getattr(ca, theirs): ours for theirs, ours in _NAMES.items()}


def program_of(arguments: Sequence[ca.SX], results: Sequence[ca.SX]) -> Program:
    """Return the operations that give results from arguments, shared subexpressions once.

    Arguments:
        arguments: dense vectors of symbols.
        results: expressions of them; a sparse one gives its nonzeros in CasADi's order (by columns).

    Raises:
        NetworkError: an operation that no network has used so far.
    """
    function = ca.Function("program", list(arguments), ca.cse(list(results)))
    known, nodes = _operations(), list[Node]()
    seen: dict[Node, int] = {}
    register: dict[int, int] = {}
    outputs = [[-1] * function.nnz_out(k) for k in range(function.n_out())]

    def add(node: Node) -> int:
        if node not in seen:
            seen[node] = len(nodes)
            nodes.append(node)
        return seen[node]

    for i in range(function.n_instructions()):
        code, reads, writes = function.instruction_id(i), function.instruction_input(i), function.instruction_output(i)
        if code == ca.OP_OUTPUT:
            outputs[writes[0]][writes[1]] = register[reads[0]]
        elif code == ca.OP_INPUT:
            register[writes[0]] = add(Node("input", place=(reads[0], reads[1])))
        elif code == ca.OP_CONST:
            register[writes[0]] = add(Node("constant", number=function.instruction_constant(i)))
        elif code in known:
            register[writes[0]] = add(Node(known[code], tuple(register[r] for r in reads)))
        elif code == ca.OP_ASSIGN:
            register[writes[0]] = register[reads[0]]
        else:
            name = next((n for n in dir(ca) if n.startswith("OP_") and getattr(ca, n) == code), str(code))
            raise NetworkError(
                f"the operation {name.removeprefix('OP_').lower()} is not known to ensembles and exports"
            )
    sizes = tuple(function.nnz_in(k) for k in range(function.n_in()))
    return Program(tuple(nodes), sizes, tuple(tuple(o) for o in outputs))


def evaluate(program: Program, arguments: Sequence[Array]) -> list[Array]:
    """Return the results for many members at once, operation by operation in NumPy.

    Arguments:
        program: the operations.
        arguments: one array per argument, shape (entries, members).

    Returns:
        one array per result, shape (entries, members).
    """
    members = next((a.shape[1] for a in arguments if a.ndim == 2 and a.shape[0]), 1)
    last_use = {read: i for i, node in enumerate(program.nodes) for read in node.reads}
    kept = {n for result in program.outputs for n in result}
    held: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for i, node in enumerate(program.nodes):
            if node.operation == "input":
                held[i] = arguments[node.place[0]][node.place[1]]
            elif node.operation == "constant":
                held[i] = np.float64(node.number)  # type: ignore[assignment]
            else:
                held[i] = _RULES[node.operation](*[held[r] for r in node.reads])
            for read in set(node.reads):
                if last_use[read] == i and read not in kept:
                    del held[read]
    results = []
    for wanted in program.outputs:
        table = np.empty((len(wanted), members))
        for row, place in enumerate(wanted):
            table[row] = held[place]
        results.append(table)
    return results


_RULES: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "invert": np.reciprocal,
    "square": np.square,
    "double": lambda a: a + a,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "power": np.power,
    "tanh": np.tanh,
    "minimum": np.fmin,
    "maximum": np.fmax,
    "absolute": np.abs,
    "sign": np.sign,
    "less": lambda a, b: np.less(a, b) * 1.0,
    "less_equal": lambda a, b: np.less_equal(a, b) * 1.0,
    "equal": lambda a, b: np.equal(a, b) * 1.0,
    "not_equal": lambda a, b: np.not_equal(a, b) * 1.0,
    "not": lambda a: np.equal(a, 0.0) * 1.0,
    "and": lambda a, b: np.logical_and(a, b) * 1.0,
    "or": lambda a, b: np.logical_or(a, b) * 1.0,
    "if_else_zero": lambda a, b: np.where(a != 0.0, b, 0.0),
}
