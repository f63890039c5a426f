"""The step loop and the programs of a network as CUDA C: one thread per member, arithmetic as in ``lanes.kernel``.

Everything a thread works on lies in one array, in tiles of ``WIDTH`` threads: entry e of thread i of a tile is
``[e * WIDTH + i]``, so that neighbours read neighbours and every address is a known distance from the thread's own. A
program is cut into functions of a few hundred statements, whose values registers can hold; what a later piece reads
goes through that array. Sums are fused with products here, by name, and must be compiled without further fusing.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nanotrial.network.program import Node, Program
from nanotrial.solve.lanes.emit import fused_products
from nanotrial.solve.lanes.graphs import LEAVES
from nanotrial.solve.lanes.vector_math import LN2_HIGH, LN2_LOW

# Threads of one tile: those that run in step, so that each of their loads is one piece of memory.
WIDTH = 32
# Statements of one function.
PIECE = 400


def number(value: float) -> str:
    """Return a double as C writes it, so that it is read back without loss."""
    value = float(value)  # numbers of NumPy show their type
    if math.isfinite(value):
        return f"({value!r})" if math.copysign(1.0, value) < 0 else repr(value)
    return f"__longlong_as_double(0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}LL)"


@dataclass(frozen=True)
class Region:
    """Consecutive entries of a thread: the pointer they are counted from and the first of them."""

    pointer: str
    first: int = 0

    def __getitem__(self, entry: int) -> str:
        """Return the C text of one entry."""
        return f"{self.pointer}[{(self.first + entry) * WIDTH}]"


@dataclass(frozen=True)
class ProgramText:
    """Functions of one program, the last of which calls the others; ``kept`` entries pass between them."""

    text: str
    kept: int


def program_text(
    name: str, program: Program, arguments: Sequence[Region], results: Sequence[Region], between: Region, head: str
) -> ProgramText:
    """Return a program as device functions.

    Arguments:
        name: name of the function that runs it.
        program: the operations.
        arguments: where each argument lies.
        results: where each result goes; nothing that is read lies there.
        between: where values pass from one piece to a later one; as many entries as are needed.
        head: the parameters of the functions, pointers to doubles by name.
    """
    places: dict[int, list[str]] = {}
    for region, nodes in zip(results, program.outputs, strict=True):
        for entry, n in enumerate(nodes):
            places.setdefault(n, []).append(region[entry])
    fused = fused_products(program, places)
    pieces = _pieces(program, fused)
    homes, kept = _homes(program, fused, pieces, places, between)
    leaves = [i for i in places if program.nodes[i].operation in LEAVES]
    parameters = ", ".join(f"double* __restrict__ {p}" for p in head.split(", "))
    functions = []
    for at, piece in enumerate(pieces):
        lines = _Lines(program, fused, arguments, homes)
        for i in leaves if at == 0 else []:
            lines.store(i, places[i])
        for i in piece:
            lines.compute(i)
            lines.store(i, places.get(i) or ([homes[i]] if i in homes else []))
        functions.append(_function(f"static __device__ __noinline__ void {name}_{at}({parameters})", lines.text))
    calls = [f"{name}_{at}({head});" for at in range(len(pieces))]
    functions.append(_function(f"static __device__ void {name}({parameters})", calls))
    return ProgramText("\n".join(functions), kept)


def _function(signature: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{signature} {{", *(f"    {line}" for line in lines), "}"])


def _reads(program: Program, fused: Mapping[int, int], i: int) -> tuple[int, ...]:
    """Return the nodes that the statement of a node reads."""
    if i not in fused:
        return program.nodes[i].reads
    others = list(program.nodes[i].reads)
    others.remove(fused[i])
    return (*program.nodes[fused[i]].reads, *others)


def _pieces(program: Program, fused: Mapping[int, int]) -> list[list[int]]:
    """Return the nodes that have a statement, in order, a few hundred at a time; at least one piece."""
    gone = set(fused.values())
    stated = [i for i, node in enumerate(program.nodes) if node.operation not in LEAVES and i not in gone]
    return [stated[first : first + PIECE] for first in range(0, max(len(stated), 1), PIECE)]


def _homes(
    program: Program,
    fused: Mapping[int, int],
    pieces: Sequence[Sequence[int]],
    places: Mapping[int, Sequence[str]],
    between: Region,
) -> tuple[dict[int, str], int]:
    """Return where later pieces find the values of earlier ones, and how many entries that takes.

    Results are found among the results; an entry that nothing reads any more is used again.
    """
    made = {i: at for at, piece in enumerate(pieces) for i in piece}
    last = {r: at for at, piece in enumerate(pieces) for i in piece for r in _reads(program, fused, i)}
    passed = [i for i in made if last.get(i, -1) > made[i]]
    homes = {i: places[i][0] for i in passed if i in places}
    free: list[int] = []
    ends: dict[int, list[int]] = {}
    size, at = 0, -1
    for i in (i for i in passed if i not in places):
        while at < made[i]:  # entries last read in an earlier piece
            free.extend(ends.pop(at, ()))
            at += 1
        if not free:
            free.append(size)
            size += 1
        entry = free.pop()
        homes[i] = between[entry]
        ends.setdefault(last[i], []).append(entry)
    return homes, size


@dataclass
class _Lines:
    """Statements of one piece; values of other pieces and arguments are loaded where they are first read."""

    program: Program
    fused: Mapping[int, int]
    arguments: Sequence[Region]
    homes: Mapping[int, str]
    text: list[str] = field(default_factory=list)
    known: set[int] = field(default_factory=set)

    def value(self, i: int) -> str:
        """Return the C text of a node's value, loaded if need be."""
        node = self.program.nodes[i]
        if node.operation == "constant":
            return number(node.number)
        if i not in self.known:
            source = self.arguments[node.place[0]][node.place[1]] if node.operation == "input" else self.homes[i]
            self._set(i, source)
        return f"n{i}"

    def _set(self, i: int, text: str) -> None:
        self.text.append(f"const double n{i} = {text};")
        self.known.add(i)

    def compute(self, i: int) -> None:
        """Add the statement of a node."""
        values = [self.value(r) for r in _reads(self.program, self.fused, i)]
        node = self.program.nodes[i]
        if i not in self.fused:
            self._set(i, _operation(node, values))
            return
        a, b, other = values
        if node.operation == "subtract":
            last = node.reads[1] == self.fused[i]
            a, other = (f"-{a}", other) if last else (a, f"-{other}")
        self._set(i, f"fma({a}, {b}, {other})")

    def store(self, i: int, places: Sequence[str]) -> None:
        """Add the stores of a node's value."""
        self.text.extend(f"{place} = {self.value(i)};" for place in places)


_OPERATIONS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negate": "-{0}",
    "invert": "1.0 / {0}",
    "square": "{0} * {0}",
    "double": "{0} + {0}",
    "sqrt": "sqrt({0})",
    "exp": "exp_of({0})",
    "log": "log_of({0})",
    "power": "{1} == 0.0 ? 1.0 : exp_of(log_of({0}) * {1})",
    "tanh": "tanh_of({0})",
    "minimum": "{0} > {1} ? {1} : {0}",
    "maximum": "{0} < {1} ? {1} : {0}",
    "absolute": "fabs({0})",
    "sign": "{0} == 0.0 || {0} != {0} ? {0} : copysign(1.0, {0})",
    "less": "{0} < {1} ? 1.0 : 0.0",
    "less_equal": "{0} <= {1} ? 1.0 : 0.0",
    "equal": "{0} == {1} ? 1.0 : 0.0",
    "not_equal": "{0} != {1} ? 1.0 : 0.0",
    "not": "{0} == 0.0 ? 1.0 : 0.0",
    "and": "{0} != 0.0 && {1} != 0.0 ? 1.0 : 0.0",
    "or": "{0} != 0.0 || {1} != 0.0 ? 1.0 : 0.0",
    "if_else_zero": "{0} != 0.0 ? {1} : 0.0",
}


def _operation(node: Node, values: Sequence[str]) -> str:
    return _OPERATIONS[node.operation].format(*values)


# Where the bits of a mantissa pass into the next exponent.
_HALF_ROOT = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]


def _series(name: str, x: str, coefficients: Sequence[float]) -> list[str]:
    """Return Horner's rule with fused steps, highest power first."""
    first = f"double {name} = {number(coefficients[0])};"
    return [first, *(f"{name} = fma({name}, {x}, {number(c)});" for c in coefficients[1:])]


def math_text() -> str:
    """Return exponential, logarithm and hyperbolic tangent, step by step those of ``lanes.vector_math``."""
    magic = 6755399441055744.0
    exp = [
        "const double a = x > 709.78 ? 709.0 : x;",
        "const double b = x < -708.0 ? -708.0 : a;",
        f"const double t = fma(b, {number(1 / math.log(2))}, {number(magic)});",
        f"const double k = t - {number(magic)};",
        f"const double r = fma(k, {number(-LN2_LOW)}, fma(k, {number(-LN2_HIGH)}, b));",
        *_series("s", "r", [1 / math.factorial(i) for i in range(13, -1, -1)]),
        "const unsigned long long bits = ((unsigned long long)__double_as_longlong(t) + 1023ULL) << 52;",
        "const double y = s * __longlong_as_double((long long)bits);",
        f"return x > 709.78 ? {number(math.inf)} : (x < -708.0 ? 0.0 : y);",
    ]
    log = [
        "const unsigned long long bits = (unsigned long long)__double_as_longlong(x);",
        f"const unsigned long long over = bits + {(1023 << 52) - _HALF_ROOT}ULL;",
        f"const double wide = __longlong_as_double((long long)((over >> 52) | {0x433 << 52}ULL));",
        f"const double e = wide - {number(4503599627370496.0 + 1023.0)};",
        f"const unsigned long long whole = (over & {(1 << 52) - 1}ULL) + {_HALF_ROOT}ULL;",
        "const double m = __longlong_as_double((long long)whole);",
        "const double s = (m - 1.0) / (m + 1.0);",
        "const double q = s * s;",
        *_series("c", "q", [2.0 / (2 * i + 1) for i in range(11, 0, -1)] + [0.0]),
        f"const double y = fma(e, {number(LN2_HIGH)}, s * 2.0 + fma(e, {number(LN2_LOW)}, s * c));",
        "if (x != x || x == " + number(math.inf) + ") return x;",
        f"if (x < 0.0) return {number(math.nan)};",
        f"return x < 2.2250738585072014e-308 ? {number(-math.inf)} : y;",
    ]
    tanh = [
        "const double t = exp_of(fabs(x) * -2.0);",
        "return copysign((1.0 - t) / (1.0 + t), x);",
    ]
    named = {"exp": exp, "log": log, "tanh": tanh}
    return "\n".join(
        _function(f"static __device__ __noinline__ double {n}_of(double x)", lines) for n, lines in named.items()
    )
