"""The step loop of ``lanes.kernel`` as CUDA C around the programs of one network.

A thread takes a member, steps it to its end and takes the next, so that threads that run in step stay busy. There is no
pivoting: a member whose steps are refused as often as would make ``lanes.kernel`` pivot is left to that kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from nanotrial.network.program import Program
from nanotrial.solve.lanes.cuda_text import WIDTH, Region, math_text, number, program_text
from nanotrial.solve.lanes.kernel import DONE, PIVOT_AFTER, STEP_TOO_SMALL, TOO_MANY_STEPS
from nanotrial.solve.lanes.rodas5p import DENSE, GAMMA, NODES, STAGES, TIME_WEIGHTS, A, C

# Threads of one block.
BLOCK = 64


@dataclass(frozen=True)
class LoopText:
    """The text of a module with the kernel ``integrate``, and how many entries each of its threads works on."""

    text: str
    entries: int


def loop_text(
    functions: dict[str, Program], size: int, states: int, constants: int, nonzeros: int, factors: int, drift: int
) -> LoopText:
    """Return the module of one network.

    Arguments:
        functions: programs rates, jacobian, factor and solve.
        size: states and equilibrium variables.
        states: how many of them, the first ones, are states.
        constants: constants of a member.
        nonzeros: entries of the Jacobian.
        factors: entries of its factors.
        drift: entries of df/dt, 0 where time does not enter.
    """
    sizes = {
        "TIME": 1, "SHIFT": 1, "Y": size, "U": size, "R": size, "F": size, "K": STAGES * size,
        "C": constants, "J": nonzeros, "LU": factors, "FT": drift,
    }  # fmt: skip
    first, total = dict[str, int](), 0
    for name, entries in sizes.items():
        first[name] = total
        total += entries
    at = {name: Region("q", entry) for name, entry in first.items()}
    between, never = Region("q", total), Region("never")
    reads = {"rates": [at["TIME"], at["U"], never, at["C"]], "jacobian": [at["TIME"], at["Y"], never, at["C"]]}
    reads |= {"factor": [at["J"], at["SHIFT"]], "solve": [at["LU"], at["R"]]}
    writes = {
        "rates": [at["R"]],
        "jacobian": [at["F"], at["J"], at["FT"]],
        "factor": [at["LU"]],
        "solve": [Region("x")],
    }
    heads = {"rates": "q", "jacobian": "q", "factor": "q", "solve": "q, x"}
    texts = [program_text(n, functions[n], reads[n], writes[n], between, heads[n]) for n in heads]
    total += max(one.kept for one in texts)
    named = {"WIDTH": WIDTH, "BLOCK": BLOCK, "SIZE": size, "STATES": states, "CONSTANTS": constants, "ENTRIES": total}
    listed = ", ".join(f"{name} = {value}" for name, value in (named | first).items())
    parts = [f"enum {{ {listed} }};", math_text(), *(one.text for one in texts), _SMALL]
    parts += [_stage(s, drift > 0) for s in range(STAGES)]
    return LoopText("\n".join([*parts, _outputs(), _kernel(), ""]), total)


_SMALL = """\
static __device__ double larger(double a, double b) { return b > a ? b : a; }
static __device__ double smaller(double a, double b) { return b < a ? b : a; }
static __device__ __noinline__ double first_step(const double* q, double relative, double absolute, double span) {
    double size = 0.0, speed = 0.0;
    for (int i = 0; i < STATES; ++i) {
        const double y = q[(Y + i) * WIDTH], f = q[(F + i) * WIDTH];
        const double weight = absolute + relative * fabs(y);
        size = size + (y / weight) * (y / weight);
        speed = speed + (f / weight) * (f / weight);
    }
    if (!(speed > 0.0) || speed - speed != 0.0) return 1e-6 * span;
    return smaller(span, larger(1e-9 * span, 0.01 * sqrt(larger(size, 1.0) / speed)));
}"""


def _k(j: int) -> str:
    return f"q[(K + {j} * SIZE + i) * WIDTH]"


def _stage(s: int, drift: bool) -> str:
    """Return the function of one stage: argument, rates, right-hand side, solution."""
    lines = [f"static __device__ __noinline__ void stage_{s}(double* q, double t, double h, double w) {{"]
    loop = "    #pragma unroll 2\n    for (int i = 0; i < {}; ++i) {{"
    lines.append(loop.format("SIZE"))
    if s == 0:
        lines += ["        q[(U + i) * WIDTH] = q[(Y + i) * WIDTH];", "        double r = q[(F + i) * WIDTH];"]
        if drift:
            lines.append(f"        r = r + {number(TIME_WEIGHTS[0])} * h * q[(FT + i) * WIDTH];")
        lines += ["        q[(R + i) * WIDTH] = r;", "    }", "    solve(q, q + K * WIDTH);", "}"]
        return "\n".join(lines)
    if s < STAGES - 2:
        lines.append("        double u = q[(Y + i) * WIDTH];")
        lines += [f"        u = fma({number(A[s, j])}, {_k(j)}, u);" for j in range(s) if A[s, j] != 0.0]
    else:  # the last arguments are each the one before plus its increment
        lines.append(f"        const double u = q[(U + i) * WIDTH] + {_k(s - 1)};")
    lines += ["        q[(U + i) * WIDTH] = u;", "    }"]
    lines += [f"    q[TIME * WIDTH] = fma({number(NODES[s])}, h, t);", "    rates(q);"]
    lines += [loop.format("STATES"), "        double r = q[(R + i) * WIDTH];"]
    lines += [f"        r = fma({number(C[s, j])} * w, {_k(j)}, r);" for j in range(s)]
    lines += ["        q[(R + i) * WIDTH] = r;", "    }"]
    if drift and TIME_WEIGHTS[s] != 0.0:
        lines += [loop.format("SIZE"), f"        const double g = {number(TIME_WEIGHTS[s])} * h;"]
        lines += ["        q[(R + i) * WIDTH] = fma(g, q[(FT + i) * WIDTH], q[(R + i) * WIDTH]);", "    }"]
    lines += [f"    solve(q, q + (K + {s} * SIZE) * WIDTH);", "}"]
    return "\n".join(lines)


def _outputs() -> str:
    """Return the function that writes the outputs inside a step and returns the number of the next one."""
    bends = []
    for row in range(3):
        bends.append(f"        double b{row} = 0.0;")
        bends += [f"        b{row} = b{row} + {number(DENSE[row, j])} * {_k(j)};" for j in range(STAGES)]
    return "\n".join(
        [
            "static __device__ __noinline__ int write_outputs(const double* q, double* out, const double* grid,",
            "        int first, int inner, double start, double h, long long members) {",
            "    int last = first;",
            "    while (last < inner && grid[last] <= start + h) ++last;",
            "    if (last == first) return first;",
            "    for (int i = 0; i < SIZE; ++i) {",
            *bends,
            "        const double y = q[(Y + i) * WIDTH], y1 = q[(R + i) * WIDTH];",
            "        for (int g = first; g < last; ++g) {",
            "            const double s = (grid[g] - start) / h;",
            "            const double curve = b0 + s * (b1 + s * b2);",
            "            out[(g * (long long)SIZE + i) * members] = (1.0 - s) * y + s * (y1 + (1.0 - s) * curve);",
            "        }",
            "    }",
            "    return last;",
            "}",
        ]
    )


def _kernel() -> str:
    """Return the kernel; see ``CudaCode.integrate`` for what it is given."""
    stages = "".join(f"        stage_{s}(q, t, h, w);\n" for s in range(STAGES)).rstrip()
    text = _KERNEL.replace("@STAGES", stages).replace("@GAMMA", number(GAMMA)).replace("@PIVOT", str(PIVOT_AFTER))
    for name, value in {"@DONE": DONE, "@MANY": TOO_MANY_STEPS, "@SMALL": STEP_TOO_SMALL}.items():
        text = text.replace(name, str(value))
    return text.replace("@LAST", f"K + {STAGES - 1} * SIZE")


_KERNEL = """\
extern "C" __global__ void __launch_bounds__(BLOCK) integrate(
        const double* y0, const double* constants, const double* grid, double* out, double* reached,
        long long* counts, long long* status, double* work,
        double start, double relative, double absolute, long long most, long long times, long long members) {
    const long long thread = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    const long long threads = gridDim.x * (long long)blockDim.x;
    double* q = work + thread / WIDTH * ((long long)ENTRIES * WIDTH) + thread % WIDTH;
    const double end = grid[times - 1];
    double t = start, h = 1.0, was = 0.0, before = 1.0;
    long long taken = 0, refusals = 0;
    int refused = 0, next = 0;
    bool fresh = true;
    for (long long one = thread; one < members;) {
        if (fresh) {
            for (int i = 0; i < SIZE; ++i) q[(Y + i) * WIDTH] = y0[i * members + one];
            for (int i = 0; i < CONSTANTS; ++i) q[(C + i) * WIDTH] = constants[i * members + one];
            t = start; was = 0.0;
            taken = 0; refusals = 0;
            refused = 0; next = 0;
        }
        q[TIME * WIDTH] = t;
        jacobian(q);
        if (fresh) h = first_step(q, relative, absolute, end - start);
        fresh = false;
        if (t + 1.01 * h >= end) h = end - t;
        const double w = 1.0 / h;
        q[SHIFT * WIDTH] = w / @GAMMA;
        factor(q);
@STAGES
        double total = 0.0;
        for (int i = 0; i < SIZE; ++i) {
            const double y = q[(Y + i) * WIDTH], k = q[(@LAST + i) * WIDTH], y1 = q[(U + i) * WIDTH] + k;
            const double share = k / (absolute + relative * larger(fabs(y), fabs(y1)));
            total = total + share * share;
            q[(R + i) * WIDTH] = y1;
        }
        const double error = sqrt(total / SIZE);
        int state = -1;
        if (error <= 1.0) {
            taken += 1;
            refused = 0;
            if (h == end - t) state = @DONE;
            next = write_outputs(q, out + one, grid, next, (int)times - 1, t, h, members);
            for (int i = 0; i < SIZE; ++i) q[(Y + i) * WIDTH] = q[(R + i) * WIDTH];
            t = t + h;
            const double size = larger(error, 1e-10);
            double growth = 0.9 * pow(size, -0.2);
            // Gustafsson's prediction: errors that grow from step to step will go on to do so.
            if (was > 0.0) growth = smaller(growth, 0.9 * h / was * pow(before / (size * size), 0.2));
            was = h;
            before = larger(size, 1e-2);
            h = h * smaller(6.0, larger(0.2, growth));
            if (state == @DONE) {
                for (int i = 0; i < SIZE; ++i) out[((times - 1) * SIZE + i) * members + one] = q[(Y + i) * WIDTH];
                t = end;
            }
        } else {
            refusals += 1;
            refused += 1;
            h = h * (error - error == 0.0 ? larger(0.1, 0.9 * pow(error, -0.2)) : 0.2);
            if (h <= 1e-15 * larger(fabs(t), 1e-6 * (end - start))) state = @SMALL;
        }
        if (state < 0 && taken + refusals >= most) state = @MANY;
        if (state < 0 && refused >= @PIVOT) state = @SMALL;
        if (state >= 0) {
            reached[one] = t;
            counts[one] = taken;
            counts[members + one] = refusals;
            status[one] = state;
            one += threads;
            fresh = true;
        }
    }
}
"""
