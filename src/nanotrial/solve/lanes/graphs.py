"""Programs made ready for machine code: constants of a member taken out, divisions shared."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from nanotrial.network.program import Node, Program

LEAVES = ("input", "constant")


@dataclass
class Builder:
    """Nodes under construction; the same operation on the same nodes is kept once."""

    nodes: list[Node] = field(default_factory=list)
    places: dict[Node, int] = field(default_factory=dict)

    def add(self, operation: str, *reads: int, number: float = 0.0, place: tuple[int, int] = (0, 0)) -> int:
        """Return the place of a node, new or known."""
        node = Node(operation, reads, number, place)
        if node not in self.places:
            self.places[node] = len(self.nodes)
            self.nodes.append(node)
        return self.places[node]

    def take(self, node: Node, moved: dict[int, int]) -> int:
        """Return the place of a copy of a node that reads the nodes its own were moved to."""
        return self.add(node.operation, *(moved[r] for r in node.reads), number=node.number, place=node.place)


@dataclass(frozen=True)
class SplitProgram:
    """A program in two: ``constants`` once per member from its parameters, ``moving`` at every point from the rest.

    ``moving`` reads the results of ``constants`` as its last argument.
    """

    constants: Program
    moving: Program


def reachable(program: Program, wanted: tuple[tuple[int, ...], ...]) -> Program:
    """Return the part of a program that some results need, in the same order."""
    needed = {n for result in wanted for n in result}
    for i in range(len(program.nodes) - 1, -1, -1):
        if i in needed:
            needed.update(program.nodes[i].reads)
    built, moved = Builder(), dict[int, int]()
    for i in sorted(needed):
        moved[i] = built.take(program.nodes[i], moved)
    outputs = tuple(tuple(moved[n] for n in result) for result in wanted)
    return Program(tuple(built.nodes), program.inputs, outputs)


def share_divisions(program: Program, fixed: frozenset[int]) -> Program:
    """Return a program in which a / b is a times 1 / b wherever 1 / b is fixed for a member or is needed twice.

    A division costs about sixteen multiplications. The result may differ in the last place.

    Arguments:
        program: any program.
        fixed: arguments that do not change along a run.
    """
    still = _unmoved(program, fixed)
    uses = Counter(n.reads[1] for n in program.nodes if n.operation == "divide")
    uses.update(n.reads[0] for n in program.nodes if n.operation == "invert")
    built, moved = Builder(), dict[int, int]()
    for i, node in enumerate(program.nodes):
        if node.operation == "divide" and (uses[node.reads[1]] > 1 or (still[node.reads[1]] and not still[i])):
            moved[i] = built.add("multiply", moved[node.reads[0]], built.add("invert", moved[node.reads[1]]))
        elif node.operation == "power" and program.nodes[node.reads[1]].operation == "constant":
            moved[i] = _fixed_power(built, moved[node.reads[0]], program.nodes[node.reads[1]].number)
        else:
            moved[i] = built.take(node, moved)
    outputs = tuple(tuple(moved[n] for n in result) for result in program.outputs)
    return reachable(Program(tuple(built.nodes), program.inputs, outputs), outputs)


def share_exponentials(program: Program, fixed: frozenset[int]) -> Program:
    """Return a program in which exp(c (s +- d)) is exp(c s) exp(+-c d) where several share c and d.

    Every acid of a solution has such a term, with s its pKa and d the pH: one exponential serves all.

    Arguments:
        program: any program.
        fixed: arguments that do not change along a run; s is a node of them alone.
    """
    still = _unmoved(program, fixed)
    found = {
        i: _shifted(program, node.reads[0], still) for i, node in enumerate(program.nodes) if node.operation == "exp"
    }
    shared = Counter(parts[1:] for parts in found.values() if parts is not None)
    built, moved = Builder(), dict[int, int]()
    for i, node in enumerate(program.nodes):
        parts = found.get(i)
        if parts is None or shared[parts[1:]] < 2:
            moved[i] = built.take(node, moved)
            continue
        (s, s_minus), d, d_minus, c = parts
        factors = []
        for part, minus in ((s, s_minus), (d, d_minus)):
            product = built.add("multiply", moved[c], moved[part]) if c >= 0 else moved[part]
            factors.append(built.add("exp", built.add("negate", product) if minus else product))
        moved[i] = built.add("multiply", *factors)
    outputs = tuple(tuple(moved[n] for n in result) for result in program.outputs)
    return reachable(Program(tuple(built.nodes), program.inputs, outputs), outputs)


def _shifted(program: Program, u: int, still: list[bool]) -> tuple[tuple[int, bool], int, bool, int] | None:
    """Return ((s, negative), d, negative, c) of u = c (s +- d), c being -1 where there is none; None otherwise."""
    if still[u]:
        return None
    node, c = program.nodes[u], -1
    if node.operation == "multiply":
        constants = [r for r in node.reads if program.nodes[r].operation == "constant"]
        others = [r for r in node.reads if r not in constants]
        if len(constants) != 1 or len(others) != 1:
            return None
        c, node = constants[0], program.nodes[others[0]]
    if node.operation not in ("add", "subtract") or still[node.reads[0]] == still[node.reads[1]]:
        return None
    minus = node.operation == "subtract"
    first, second = node.reads
    if still[first]:
        return (first, False), second, minus, c
    return (second, minus), first, False, c


def _fixed_power(built: Builder, base: int, exponent: float) -> int:
    """Return base^exponent by multiplications and a root where the exponent is a small multiple of one half.

    Whole exponents go further: the general power is no number where the base lies below zero.
    """
    size = abs(exponent)
    if size == 0.0 or not float(2.0 * size).is_integer() or size > (64.0 if size.is_integer() else 8.0):
        return built.add("power", base, built.add("constant", number=exponent))
    whole = math.floor(size)
    result = built.add("sqrt", base) if size != whole else None
    square = base
    while whole:
        if whole & 1:
            result = square if result is None else built.add("multiply", result, square)
        whole >>= 1
        if whole:
            square = built.add("square", square)
    assert result is not None
    return built.add("invert", result) if exponent < 0 else result


def _unmoved(program: Program, fixed: frozenset[int]) -> list[bool]:
    """Say for each node whether it stays the same along a run."""
    still: list[bool] = []
    for node in program.nodes:
        if node.operation == "input":
            still.append(node.place[0] in fixed)
        else:
            still.append(all(still[r] for r in node.reads))
    return still


def split(program: Program, fixed: int) -> SplitProgram:
    """Return a program in two parts, of which the first depends on one argument alone.

    Arguments:
        program: its argument ``fixed`` does not change along a run.
        fixed: number of that argument.
    """
    still = _unmoved(program, frozenset({fixed}))
    kept: dict[int, int] = {}
    last = len(program.inputs)
    built, moved = Builder(), dict[int, int]()

    def from_constants(n: int) -> int:
        kept.setdefault(n, len(kept))
        return built.add("input", place=(last, kept[n]))

    for i, node in enumerate(program.nodes):
        if still[i]:
            continue
        for read in node.reads:
            if read not in moved:
                one = program.nodes[read]
                moved[read] = built.take(one, moved) if one.operation == "constant" else from_constants(read)
        moved[i] = built.take(node, moved)
    outputs = []
    for result in program.outputs:
        for n in result:
            if n not in moved:
                one = program.nodes[n]
                moved[n] = built.take(one, moved) if one.operation == "constant" else from_constants(n)
        outputs.append(tuple(moved[n] for n in result))
    constants = reachable(program, (tuple(kept),))
    return SplitProgram(constants, Program(tuple(built.nodes), (*program.inputs, len(kept)), tuple(outputs)))
