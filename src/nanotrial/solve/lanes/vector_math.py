"""Exponential, logarithm and hyperbolic tangent of a vector of lanes, as LLVM text without calls into a C library.

    exp x = 2^n e^r,  n = round(x / ln 2),  |r| <= ln(2) / 2,  e^r by its series to r^13 / 13!  (rest below 5e-18)
    log x = e ln 2 + 2 artanh s,  s = (m - 1) / (m + 1),  m in [sqrt 1/2, sqrt 2),  series to s^23  (rest below 1e-17)
    tanh x = sign(x) (1 - t) / (1 + t),  t = exp(-2 |x|)

Within 3 units in the last place of the exact value (tanh: within 2e-16 absolutely). NaN gives NaN, log of a negative
number NaN, exp beyond 709.43 infinity. Numbers below 2.3e-308 count as zero.
"""

from __future__ import annotations

import math
import struct

LN2_HIGH = 6.93147180369123816490e-01  # ln 2, its last 32 bits zero, so that n times it is exact
LN2_LOW = 1.90821492927058770002e-10


def number(value: float) -> str:
    """Return a double as LLVM writes it: its bits, so that nothing is lost."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def splat(value: float, lanes: int) -> str:
    """Return the constant vector with one value in every lane."""
    return "<" + ", ".join([f"double {number(value)}"] * lanes) + ">"


def _whole(value: int, lanes: int) -> str:
    return "<" + ", ".join([f"i64 {value}"] * lanes) + ">"


def math_functions(lanes: int) -> str:
    """Return the LLVM text of ``@exp_lanes``, ``@log_lanes`` and ``@tanh_lanes`` for a number of lanes."""
    return "\n".join([_exp(lanes), _log(lanes), _tanh(lanes)])


def _series(lines: list[str], v: str, x: str, coefficients: list[float], lanes: int, name: str) -> str:
    """Append Horner's rule with fused steps, highest power first; return the name of the result."""
    last = splat(coefficients[0], lanes)
    for i, c in enumerate(coefficients[1:]):
        lines.append(f"%{name}{i} = call {v} @llvm.fma.v{lanes}f64({v} {last}, {v} {x}, {v} {splat(c, lanes)})")
        last = f"%{name}{i}"
    return last


def _exp(n: int) -> str:
    v, w = f"<{n} x double>", f"<{n} x i64>"
    magic = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to a whole number in the low bits
    lines = [
        f"define internal {v} @exp_lanes({v} %x) noinline {{",
        f"%big = fcmp ogt {v} %x, {splat(709.78, n)}",
        f"%small = fcmp olt {v} %x, {splat(-708.0, n)}",
        f"%a = select <{n} x i1> %big, {v} {splat(709.0, n)}, {v} %x",
        f"%b = select <{n} x i1> %small, {v} {splat(-708.0, n)}, {v} %a",
        f"%t = call {v} @llvm.fma.v{n}f64({v} %b, {v} {splat(1 / math.log(2), n)}, {v} {splat(magic, n)})",
        f"%k = fsub {v} %t, {splat(magic, n)}",
        f"%r0 = call {v} @llvm.fma.v{n}f64({v} %k, {v} {splat(-LN2_HIGH, n)}, {v} %b)",
        f"%r = call {v} @llvm.fma.v{n}f64({v} %k, {v} {splat(-LN2_LOW, n)}, {v} %r0)",
    ]
    last = _series(lines, v, "%r", [1 / math.factorial(i) for i in range(13, -1, -1)], n, "s")
    lines += [
        f"%bits = bitcast {v} %t to {w}",
        f"%biased = add {w} %bits, {_whole(1023, n)}",
        f"%shifted = shl {w} %biased, {_whole(52, n)}",
        f"%scale = bitcast {w} %shifted to {v}",
        f"%y = fmul {v} {last}, %scale",
        f"%y1 = select <{n} x i1> %small, {v} zeroinitializer, {v} %y",
        f"%y2 = select <{n} x i1> %big, {v} {splat(math.inf, n)}, {v} %y1",
        f"ret {v} %y2",
        "}",
    ]
    return "\n".join(lines)


def _log(n: int) -> str:
    v, w = f"<{n} x double>", f"<{n} x i64>"
    # Bits are moved so that the mantissa lies around one: below sqrt(1/2) the exponent is one less.
    half_root = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]
    one = 1023 << 52
    lines = [
        f"define internal {v} @log_lanes({v} %x) noinline {{",
        f"%bits = bitcast {v} %x to {w}",
        f"%over = add {w} %bits, {_whole(one - half_root, n)}",
        f"%raised = lshr {w} %over, {_whole(52, n)}",
        f"%mixed = or {w} %raised, {_whole(0x4330000000000000, n)}",
        f"%wide = bitcast {w} %mixed to {v}",
        f"%e = fsub {v} %wide, {splat(4503599627370496.0 + 1023.0, n)}",
        f"%fraction = and {w} %over, {_whole((1 << 52) - 1, n)}",
        f"%whole = add {w} %fraction, {_whole(half_root, n)}",
        f"%m = bitcast {w} %whole to {v}",
        f"%up = fsub {v} %m, {splat(1.0, n)}",
        f"%down = fadd {v} %m, {splat(1.0, n)}",
        f"%s = fdiv {v} %up, %down",
        f"%q = fmul {v} %s, %s",
    ]
    last = _series(lines, v, "%q", [2.0 / (2 * i + 1) for i in range(11, 0, -1)] + [0.0], n, "c")
    lines += [
        # 2 s + s q (2/3 + ...) with the leading part added last
        f"%tail = fmul {v} %s, {last}",
        f"%low = call {v} @llvm.fma.v{n}f64({v} %e, {v} {splat(LN2_LOW, n)}, {v} %tail)",
        f"%lead = fmul {v} %s, {splat(2.0, n)}",
        f"%sum = fadd {v} %lead, %low",
        f"%y = call {v} @llvm.fma.v{n}f64({v} %e, {v} {splat(LN2_HIGH, n)}, {v} %sum)",
        f"%tiny = fcmp olt {v} %x, {splat(2.2250738585072014e-308, n)}",
        f"%y1 = select <{n} x i1> %tiny, {v} {splat(-math.inf, n)}, {v} %y",
        f"%negative = fcmp olt {v} %x, zeroinitializer",
        f"%y2 = select <{n} x i1> %negative, {v} {splat(math.nan, n)}, {v} %y1",
        f"%huge = fcmp oeq {v} %x, {splat(math.inf, n)}",
        f"%y3 = select <{n} x i1> %huge, {v} %x, {v} %y2",
        f"%odd = fcmp uno {v} %x, %x",
        f"%y4 = select <{n} x i1> %odd, {v} %x, {v} %y3",
        f"ret {v} %y4",
        "}",
    ]
    return "\n".join(lines)


def _tanh(n: int) -> str:
    v = f"<{n} x double>"
    return "\n".join(
        [
            f"define internal {v} @tanh_lanes({v} %x) noinline {{",
            f"%size = call {v} @llvm.fabs.v{n}f64({v} %x)",
            f"%double = fmul {v} %size, {splat(-2.0, n)}",
            f"%t = call {v} @exp_lanes({v} %double)",
            f"%up = fsub {v} {splat(1.0, n)}, %t",
            f"%down = fadd {v} {splat(1.0, n)}, %t",
            f"%y = fdiv {v} %up, %down",
            f"%signed = call {v} @llvm.copysign.v{n}f64({v} %y, {v} %x)",
            f"ret {v} %signed",
            "}",
        ]
    )
