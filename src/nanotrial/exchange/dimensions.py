"""The dimension of every node of a program: what units the numbers in a formula carry.

Leaves and results have known dimensions, numbers inside a graph have lost theirs. Every operation relates the
dimensions of what it reads and gives by a linear equation (a sum: equal; a product: added; an exponent: pure). The
dimension of each number, per use, is an unknown of these equations, which are solved exactly over fractions.

CasADi drops factors of one, those with a dimension too: ``x * 1 mol/m^3`` becomes ``x``. There the equations contradict
each other, and the dropped factor is put back where they do: ``factors`` holds its dimension for an edge of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from nanotrial.units import Dimension

if TYPE_CHECKING:
    from nanotrial.network.program import Program

NUMBER = Dimension()
Edge = tuple[int, int]  # (node, place among what it reads); a result k is the edge (-1 - k, entry)

_ALIKE = {"add", "subtract", "minimum", "maximum"}
_COMPARED = {"less", "less_equal", "equal", "not_equal"}
_KEEPS = {"negate", "absolute", "double"}
_PURE = {"exp", "log", "tanh", "and", "or", "not"}


@dataclass(frozen=True)
class Dimensions:
    """Dimensions in a program.

    Arguments:
        nodes: of each node; that of a ``constant`` stands in ``numbers``, one per use.
        numbers: of a constant at each edge that reads it, and of the hidden 1 of ``invert`` (at place 1).
        factors: of the factor 1 that an edge needs, where it needs one.
    """

    nodes: tuple[Dimension, ...]
    numbers: dict[Edge, Dimension]
    factors: dict[Edge, Dimension]


@dataclass(frozen=True)
class _Form:
    """A dimension that depends on unknown ones: known + sum of weight * unknown."""

    known: Dimension = NUMBER
    unknown: dict[int, Fraction] = field(default_factory=dict)

    def plus(self, other: _Form, weight: Fraction | int = 1) -> _Form:
        """Return this + weight * other."""
        if not other.unknown and not self.unknown:
            return _Form(self.known * other.known**weight)
        rest = dict(self.unknown)
        for name, count in other.unknown.items():
            rest[name] = rest.get(name, Fraction(0)) + count * weight
        return _Form(self.known * other.known**weight, {n: c for n, c in rest.items() if c})

    def times(self, weight: Fraction | int) -> _Form:
        """Return weight * this."""
        return _Form().plus(self, weight)


class _Equations:
    """Unknown dimensions and what is known of them so far."""

    def __init__(self) -> None:
        self._solved: dict[int, _Form] = {}
        self._count = 0

    def unknown(self) -> _Form:
        """Return a new unknown dimension."""
        self._count += 1
        return _Form(NUMBER, {self._count: Fraction(1)})

    def solved(self, form: _Form) -> _Form:
        """Return a form with everything put in that is known by now."""
        while any(name in self._solved for name in form.unknown):
            result = _Form(form.known)
            for name, count in form.unknown.items():
                result = result.plus(self._solved.get(name, _Form(NUMBER, {name: Fraction(1)})), count)
            form = result
        return form

    def agree(self, left: _Form, right: _Form) -> bool:
        """Make two forms equal, or return False where they contradict each other."""
        gap = self.solved(left.plus(right, -1))
        if not gap.unknown:
            return gap.known.is_number
        name, count = max(gap.unknown.items())
        rest = _Form(gap.known, {n: c for n, c in gap.unknown.items() if n != name})
        self._solved[name] = rest.times(-1 / count)
        return True

    def dimension(self, form: _Form) -> Dimension:
        """Return the dimension of a form; what nothing determines is a pure number."""
        return self.solved(form).known


class _Walk:
    """One pass over a program, in the order of evaluation."""

    def __init__(self, program: Program, inputs: Sequence[Sequence[Dimension]]) -> None:
        self.program, self.inputs = program, inputs
        self.equations = _Equations()
        self.forms: list[_Form] = []
        self.numbers: dict[Edge, _Form] = {}
        self.wanted: dict[Edge, tuple[_Form, _Form]] = {}
        self.open: list[tuple[_Form, _Form]] = []

    def read(self, edge: Edge, node: int) -> _Form:
        """Return the form of what an edge reads: a number has a dimension of its own at every use."""
        if self.program.nodes[node].operation != "constant":
            return self.forms[node]
        return self.numbers.setdefault(edge, self.equations.unknown())

    def want(self, edge: Edge, found: _Form, wanted: _Form) -> None:
        """Ask for a dimension; where it cannot be had, the edge gets a factor."""
        if not self.equations.agree(found, wanted):
            self.wanted[edge] = (found, wanted)

    def visit(self, i: int) -> _Form:
        """Return the form of a node and note what it asks of what it reads."""
        node = self.program.nodes[i]
        name = node.operation
        if name == "input":
            return _Form(self.inputs[node.place[0]][node.place[1]])
        if name == "constant":
            return _Form()
        read = [self.read((i, k), source) for k, source in enumerate(node.reads)]
        if name in _ALIKE or name in _COMPARED:
            shared = self._alike(i, read)
            return _Form() if name in _COMPARED else shared
        if name in _PURE:
            for k, form in enumerate(read):
                self.want((i, k), form, _Form())
            return _Form()
        if name == "if_else_zero":
            self.want((i, 0), read[0], _Form())
            return read[1]
        if name == "power":
            return self._power(i, read)
        return self._product(i, name, read)

    def _alike(self, i: int, read: list[_Form]) -> _Form:
        """Return the one form of two operands; where they contradict, it is what others ask of the node."""
        if self.equations.agree(read[0], read[1]):
            return read[0]
        shared = self.equations.unknown()
        self.open.append((shared, read[0]))
        self.wanted |= {(i, k): (form, shared) for k, form in enumerate(read)}
        return shared

    def _product(self, i: int, name: str, read: list[_Form]) -> _Form:
        if name == "multiply":
            return read[0].plus(read[1])
        if name == "divide":
            return read[0].plus(read[1], -1)
        if name == "invert":
            return self.numbers.setdefault((i, 1), self.equations.unknown()).plus(read[0], -1)
        powers = {"square": Fraction(2), "sqrt": Fraction(1, 2), "sign": Fraction(0)}
        return read[0] if name in _KEEPS else read[0].times(powers[name])

    def _power(self, i: int, read: list[_Form]) -> _Form:
        """Return the form of a power: of a quantity where the exponent is a small fraction, else of a pure number."""
        self.want((i, 1), read[1], _Form())
        exponent = self.program.nodes[self.program.nodes[i].reads[1]]
        weight = Fraction(exponent.number).limit_denominator(12)
        if exponent.operation == "constant" and float(weight) == exponent.number:
            return read[0].times(weight)
        self.want((i, 0), read[0], _Form())
        return _Form()


def infer_dimensions(
    program: Program, inputs: Sequence[Sequence[Dimension]], results: Sequence[Sequence[Dimension]]
) -> Dimensions:
    """Return the dimension of every node and number of a program.

    Arguments:
        program: the operations.
        inputs: dimensions of the entries of each argument.
        results: dimensions that the entries of each result are declared with.

    Validity: a factor that was dropped is taken to be 1 in SI units, as CasADi drops no other. Numbers that nothing
    determines are pure.
    """
    walk = _Walk(program, inputs)
    for i in range(len(program.nodes)):
        walk.forms.append(walk.visit(i))
    for k, nodes in enumerate(program.outputs):
        for place, node in enumerate(nodes):
            edge = (-1 - k, place)
            walk.want(edge, walk.read(edge, node), _Form(results[k][place]))
    for shared, first in walk.open:
        walk.equations.agree(shared, first)  # where nobody asks for more, a sum is what its first part is
    known = walk.equations.dimension
    factors = {edge: known(wanted) / known(found) for edge, (found, wanted) in walk.wanted.items()}
    return Dimensions(
        tuple(known(form) for form in walk.forms),
        {edge: known(form) for edge, form in walk.numbers.items()},
        {edge: factor for edge, factor in factors.items() if not factor.is_number},
    )
