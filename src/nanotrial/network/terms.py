"""Symbolic terms that carry a dimension: an expression that adds metres to seconds is never built."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import casadi as ca

from nanotrial.errors import NetworkError
from nanotrial.units import Dimension, dimension_of

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBER = Dimension()
Operand = "Term | float | int"


class Term:
    """A CasADi expression with the dimension of its SI value."""

    __slots__ = ("dimension", "expression")

    def __init__(self, expression: ca.SX | float, dimension: Dimension = NUMBER) -> None:
        """Hold an expression (scalar SX or number) and its dimension."""
        self.expression = expression if isinstance(expression, ca.SX) else ca.SX(expression)
        self.dimension = dimension

    def __repr__(self) -> str:
        """Show expression and dimension."""
        return f"Term({self.expression}, {self.dimension})"

    @classmethod
    def _of(cls, expression: ca.SX, dimension: Dimension) -> Term:
        made = object.__new__(cls)
        made.expression, made.dimension = expression, dimension
        return made

    def __add__(self, other: Term | float) -> Term:
        """Add terms of one dimension."""
        if not isinstance(other, Term):
            other = term(other)
        if self.dimension is not other.dimension:
            _same(self, other, "+")
        return Term._of(self.expression + other.expression, self.dimension)

    __radd__ = __add__

    def __sub__(self, other: Term | float) -> Term:
        """Subtract terms of one dimension."""
        if not isinstance(other, Term):
            other = term(other)
        if self.dimension is not other.dimension:
            _same(self, other, "-")
        return Term._of(self.expression - other.expression, self.dimension)

    def __rsub__(self, other: float) -> Term:
        """Subtract this term from a number."""
        return term(other) - self

    def __mul__(self, other: Term | float) -> Term:
        """Multiply; dimensions multiply."""
        if isinstance(other, Term):
            return Term._of(self.expression * other.expression, self.dimension * other.dimension)
        return Term._of(self.expression * other, self.dimension)

    __rmul__ = __mul__

    def __truediv__(self, other: Term | float) -> Term:
        """Divide; dimensions divide."""
        if isinstance(other, Term):
            return Term._of(self.expression / other.expression, self.dimension / other.dimension)
        return Term._of(self.expression / other, self.dimension)

    def __rtruediv__(self, other: float) -> Term:
        """Divide a number by this term."""
        return Term._of(other / self.expression, NUMBER / self.dimension)

    def __neg__(self) -> Term:
        """Change the sign."""
        return Term(-self.expression, self.dimension)

    def __pow__(self, power: int | float | Fraction) -> Term:
        """Raise to a fixed power; use ``power`` for exponents that are terms."""
        if isinstance(power, Fraction):
            return Term(self.expression ** float(power), self.dimension**power)
        return Term(self.expression**power, self.dimension**power)


def term(value: Term | float) -> Term:
    """Return a term; plain numbers become pure numbers."""
    return value if isinstance(value, Term) else Term(value)


def constant(number: float, unit: str) -> Term:
    """Return a fixed SI number whose dimension is that of ``unit``."""
    return Term(number, dimension_of(unit))


def _same(left: Term, right: Term, sign: str) -> None:
    if left.dimension != right.dimension:
        raise NetworkError(
            f"cannot take ({left.dimension}) {sign} ({right.dimension}): the dimensions differ in {left} {sign} {right}"
        )


def _pure(value: Term | float, function: str) -> ca.SX:
    made = term(value)
    if not made.dimension.is_number:
        raise NetworkError(f"{function} of a quantity in {made.dimension}: expected a pure number in {made}")
    return made.expression


def exp(value: Term | float) -> Term:
    """Return e to the power of a pure number."""
    return Term(ca.exp(_pure(value, "exp")))


def log(value: Term | float) -> Term:
    """Return the natural logarithm of a pure number."""
    return Term(ca.log(_pure(value, "log")))


def log10(value: Term | float) -> Term:
    """Return the decimal logarithm of a pure number."""
    return Term(ca.log10(_pure(value, "log10")))


def sqrt(value: Term | float) -> Term:
    """Return the square root; the dimension is halved."""
    made = term(value)
    return Term(ca.sqrt(made.expression), made.dimension ** Fraction(1, 2))


def tanh(value: Term | float) -> Term:
    """Return the hyperbolic tangent of a pure number."""
    return Term(ca.tanh(_pure(value, "tanh")))


def power(base: Term | float, exponent: Term | float) -> Term:
    """Return a pure number raised to a pure number."""
    return Term(_pure(base, "power") ** _pure(exponent, "power"))


def ten_to(exponent: Term | float) -> Term:
    """Return 10 to the power of a pure number."""
    return exp(term(exponent) * 2.302585092994046)


def maximum(left: Term | float, right: Term | float) -> Term:
    """Return the larger of two terms of one dimension."""
    a, b = term(left), term(right)
    _same(a, b, "max")
    return Term(ca.fmax(a.expression, b.expression), a.dimension)


def minimum(left: Term | float, right: Term | float) -> Term:
    """Return the smaller of two terms of one dimension."""
    a, b = term(left), term(right)
    _same(a, b, "min")
    return Term(ca.fmin(a.expression, b.expression), a.dimension)


def positive_part(value: Term | float, width: float) -> Term:
    """Return a smooth max(x, 0) of a pure number: (x + sqrt(x^2 + width^2)) / 2, so that solvers meet no kink."""
    x = _pure(value, "positive_part")
    return Term(0.5 * (x + ca.sqrt(x * x + width * width)))


def switched_on(value: Term | float, width: float) -> Term:
    """Return x (1 + tanh(x / width)) / 2: x where positive, nothing where negative, exactly zero at zero."""
    x = _pure(value, "switched_on")
    return Term(0.5 * x * (1.0 + ca.tanh(x / width)))


def share(part: Term, whole: Term, floor: Term) -> Term:
    """Return part / whole as part * whole / (whole^2 + floor^2): nothing, noise included, where there is no whole."""
    return part * whole / (whole * whole + floor * floor)


def total(terms: Iterable[Term], unit: str) -> Term:
    """Return the sum of terms; an empty sum is zero in the dimension of ``unit``."""
    result = constant(0.0, unit)
    for part in terms:
        result = result + part
    return result
