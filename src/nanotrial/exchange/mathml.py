"""MathML of a program: formulas in which every number carries its unit, long ones cut at what is used twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanotrial.exchange.dimensions import Dimensions, Edge
from nanotrial.exchange.names import unit_identifier
from nanotrial.units import Dimension

if TYPE_CHECKING:
    from nanotrial.network.program import Program

HEAD = '<math xmlns="http://www.w3.org/1998/Math/MathML" xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core">'
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">time</csymbol>'
# A formula this short is written again rather than named.
SHORT = 4
# A simulator that writes rules out wherever they are read gets through with formulas of this length.
LONG = 40

_APPLY = {
    **{"add": "plus", "subtract": "minus", "multiply": "times", "divide": "divide", "negate": "minus", "exp": "exp"},
    **{"log": "ln", "power": "power", "tanh": "tanh", "minimum": "min", "maximum": "max", "absolute": "abs"},
    **{"less": "lt", "less_equal": "leq", "equal": "eq", "not_equal": "neq", "not": "not", "and": "and", "or": "or"},
}
_BOOLEAN = {"less", "less_equal", "equal", "not_equal", "not", "and", "or"}
_LOGIC = {"not", "and", "or"}


def number(value: float, dimension: Dimension) -> str:
    """Return a number with its unit, all digits kept.

    Arguments:
        value: in SI.
        dimension: its dimension.
    """
    unit = unit_identifier(dimension)
    mantissa, e, exponent = repr(float(value)).partition("e")
    if not e:
        return f'<cn sbml:units="{unit}">{mantissa.removesuffix(".0")}</cn>'
    return f'<cn type="e-notation" sbml:units="{unit}">{mantissa}<sep/>{int(exponent)}</cn>'


def apply(operation: str, *operands: str) -> str:
    """Return an operation on formulas."""
    return f"<apply><{operation}/>{''.join(operands)}</apply>"


def chosen(*pieces: tuple[str, str], otherwise: str) -> str:
    """Return a formula of cases: the first value whose condition holds."""
    inside = "".join(f"<piece>{value}{condition}</piece>" for value, condition in pieces)
    return f"<piecewise>{inside}<otherwise>{otherwise}</otherwise></piecewise>"


class Formulas:
    """Formulas of a program; ``names`` of nodes that stand for themselves, ``shared`` those that need a name."""

    def __init__(self, program: Program, dimensions: Dimensions, inputs: Sequence[Sequence[str]]) -> None:
        """Find out which nodes are used more than once.

        Arguments:
            program: the operations.
            dimensions: of its nodes and numbers.
            inputs: MathML of the entries of each argument.
        """
        self.program, self.dimensions, self.inputs = program, dimensions, inputs
        self.units: set[Dimension] = {*dimensions.numbers.values(), *dimensions.factors.values()}
        self.shared = self._shared()
        self.names: dict[int, str] = {}
        self._texts: list[str] = []

    def _shared(self) -> list[int]:
        """Return nodes used more than once, in order; ``sign`` writes what it reads twice."""
        nodes = self.program.nodes
        uses = Counter(r for n in nodes for r in n.reads)
        uses.update(r for n in nodes if n.operation == "sign" for r in n.reads)
        uses.update(node for outputs in self.program.outputs for node in outputs)
        size: list[int] = []
        for node in nodes:
            whole = 1 + sum(1 if uses[r] > 1 and size[r] >= SHORT else size[r] for r in node.reads)
            size.append(whole)
        return [i for i in range(len(nodes)) if uses[i] > 1 and size[i] >= SHORT]

    def held(self) -> list[int]:
        """Return the fewest shared nodes without which formulas would grow long when rules are written out in them."""
        size: list[int] = []
        shared, found = set(self.shared), []
        for i, node in enumerate(self.program.nodes):
            whole = 1 + sum(size[r] for r in node.reads)
            if i in shared and whole >= LONG:
                found.append(i)
                whole = 1
            size.append(whole)
        return found

    def name_shared(self, names: dict[int, str]) -> None:
        """Give the shared nodes their ids, after which formulas can be written."""
        self.names = names
        for i in range(len(self.program.nodes)):
            self._texts.append(self._write(i))

    def definition(self, node: int) -> str:
        """Return the formula of a shared node."""
        return self._texts[node]

    def result(self, k: int, place: int, itself: str = "") -> str:
        """Return the formula of an entry of a result; ``itself`` is the id that it is to define, if any."""
        node = self.program.outputs[k][place]
        if itself and self.names.get(node) == itself:
            return self._texts[node]
        return self._operand((-1 - k, place), node)

    def _operand(self, edge: Edge, node: int) -> str:
        source = self.program.nodes[node]
        if source.operation == "constant":
            text = number(source.number, self.dimensions.numbers[edge])
        elif node in self.names:
            text = f"<ci>{self.names[node]}</ci>"
        elif source.operation in _BOOLEAN:
            pure = Dimension()
            text = chosen((number(1.0, pure), self._texts[node]), otherwise=number(0.0, pure))
        else:
            text = self._texts[node]
        factor = self.dimensions.factors.get(edge)
        return text if factor is None else apply("times", number(1.0, factor), text)

    def _condition(self, edge: Edge, node: int) -> str:
        """Return what an edge reads as a condition: a relation as it is, a number as unlike zero."""
        if self.program.nodes[node].operation in _BOOLEAN and node not in self.names:
            return self._texts[node]
        return apply("neq", self._operand(edge, node), number(0.0, Dimension()))

    def _write(self, i: int) -> str:
        """Return the formula of a node; a shared relation is the number 1 or 0, as it becomes a parameter."""
        node, operation = self.program.nodes[i], self.program.nodes[i].operation
        if operation == "input":
            return self.inputs[node.place[0]][node.place[1]]
        if operation == "constant":
            return ""
        as_condition = operation in _LOGIC
        read = [(self._condition if as_condition else self._operand)((i, k), r) for k, r in enumerate(node.reads)]
        text = apply(_APPLY[operation], *read) if operation in _APPLY else self._special(i, operation, read)
        if operation in _BOOLEAN and i in self.names:
            return chosen((number(1.0, Dimension()), text), otherwise=number(0.0, Dimension()))
        return text

    def _special(self, i: int, operation: str, read: list[str]) -> str:
        pure, node = Dimension(), self.program.nodes[i]
        if operation == "invert":
            return apply("divide", number(1.0, self.dimensions.numbers[i, 1]), read[0])
        if operation == "square":
            return apply("power", read[0], number(2.0, pure))
        if operation == "double":
            return apply("times", number(2.0, pure), read[0])
        if operation == "sqrt":
            return apply("root", read[0])
        if operation == "sign":
            zero = number(0.0, self._read_dimension(i, 0))
            up, down = (number(1.0, pure), apply("gt", read[0], zero)), (number(-1.0, pure), apply("lt", read[0], zero))
            return chosen(up, down, otherwise=number(0.0, pure))
        assert operation == "if_else_zero", operation
        nothing = number(0.0, self._read_dimension(i, 1))
        return chosen((read[1], self._condition((i, 0), node.reads[0])), otherwise=nothing)

    def _read_dimension(self, i: int, place: int) -> Dimension:
        """Return the dimension that a node reads at a place, factor included; it is one of ``units`` from then on."""
        edge, node = (i, place), self.program.nodes[i].reads[place]
        found = self.dimensions.numbers.get(edge, self.dimensions.nodes[node])
        found = found * self.dimensions.factors.get(edge, Dimension())
        self.units.add(found)
        return found
