"""Members on a graphics processor: ``lanes.kernel`` with one thread per member, compiled and run through CuPy.

Results are those of ``lanes.kernel`` up to rounding in powers of the step control. Chosen by hand only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nanotrial.errors import NetworkError, SolveError
from nanotrial.network.program import Program, evaluate
from nanotrial.solve.lanes.cuda_loop import BLOCK, loop_text
from nanotrial.solve.lanes.kernel import DONE
from nanotrial.solve.lanes.system import lane_programs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network
    from nanotrial.solve.compiled import CompiledNetwork

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]

# The first driver that loads code of CUDA 12, as CUDA counts versions.
OLDEST_DRIVER = 12000
# No fusing but what the text says; every division and root is rounded as on the processor.
OPTIONS = ("--fmad=false", "--prec-div=true", "--prec-sqrt=true", "--ftz=false")
# Blocks at a time on one multiprocessor at most: more only take memory.
MOST_BLOCKS = 16


def cuda_available() -> str:
    """Return why no graphics processor can be used; empty where one can."""
    try:
        import cupy
    except ImportError as error:
        return f"CuPy cannot be imported ({error}); install nanotrial with the extra `gpu`"
    runtime = cupy.cuda.runtime
    try:
        driver = runtime.driverGetVersion()
        if driver == 0:
            return "there is no driver of a graphics processor by NVIDIA"
        if driver < OLDEST_DRIVER:
            return f"the driver of the graphics processor is too old: CUDA {_version(driver)}, 12.0 or newer is needed"
        if runtime.getDeviceCount() == 0:
            return "there is no graphics processor by NVIDIA"
    except Exception as error:  # CuPy raises many kinds: no library, no device, no right to it
        return f"CUDA cannot be used: {_first_line(error)}"
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        return f"CUDA's compiler NVRTC cannot be used: {_first_line(error)}"
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


@dataclass(frozen=True)
class CudaSystem:
    """The text of a network's module and what is needed to use it; ``constants`` gives what it reads of parameters."""

    text: str
    entries: int
    size: int
    constants: Program


def cuda_system(network: Network, compiled: CompiledNetwork) -> CudaSystem:
    """Return the module of a network.

    Arguments:
        network: the network.
        compiled: its compiled form.

    Raises:
        NetworkError: equilibria that do not determine their variables.
    """
    made = lane_programs(network, compiled)
    states, size = int(made.differential.sum()), len(made.differential)
    if not made.differential[:states].all():
        raise NetworkError("a graphics processor needs the states before the equilibrium variables")
    constants, (factors, drift) = len(made.constants.outputs[0]), made.sizes.tolist()
    loop = loop_text(made.functions, size, states, constants, len(made.rows), factors, drift)
    return CudaSystem(loop.text, loop.entries, size, made.constants)


class Device(Protocol):
    """What runs the kernel of one module: arrays of its own, so many threads at a time, so many bytes."""

    arrays: Any

    def threads(self) -> int:
        """Return how many threads are worth running at a time."""
        ...

    def room(self) -> int:
        """Return how many bytes may be taken."""
        ...

    def launch(self, blocks: int, arguments: tuple[Any, ...]) -> None:
        """Run the kernel on so many blocks and wait for it."""
        ...

    def fetch(self, array: Any) -> NDArray[Any]:
        """Return an array as one of NumPy's."""
        ...


class CupyDevice:
    """The graphics processor that CuPy chooses, with one module compiled for it; CuPy keeps compiled code on disk."""

    def __init__(self, text: str) -> None:
        """Compile and load the module.

        Raises:
            SolveError: no usable graphics processor, or text that its compiler refuses.
        """
        reason = cuda_available()
        if reason:
            raise SolveError(f"no graphics processor can be used: {reason}")
        import cupy

        self.arrays = cupy
        try:
            self._kernel = cupy.RawModule(code=text, options=OPTIONS, backend="nvrtc").get_function("integrate")
        except Exception as error:  # compiler and driver have errors of their own
            raise SolveError(f"the code for the graphics processor could not be compiled: {error}") from error

    def threads(self) -> int:
        """Return how many threads fit by their registers."""
        about = self.arrays.cuda.Device().attributes
        fit = about["MaxRegistersPerMultiprocessor"] // (max(self._kernel.num_regs, 1) * BLOCK)
        return int(about["MultiProcessorCount"] * min(max(fit, 1), MOST_BLOCKS) * BLOCK)

    def room(self) -> int:
        """Return half of what is free on the device, CuPy's own unused blocks among it."""
        free = self.arrays.cuda.runtime.memGetInfo()[0] + self.arrays.get_default_memory_pool().free_bytes()
        return int(free // 2)

    def launch(self, blocks: int, arguments: tuple[Any, ...]) -> None:
        """Run the kernel and wait for it.

        Raises:
            SolveError: the device failed.
        """
        try:
            self._kernel((blocks,), (BLOCK,), arguments)
            self.arrays.cuda.get_current_stream().synchronize()
        except Exception as error:
            raise SolveError(f"the graphics processor failed: {error}") from error

    def fetch(self, array: Any) -> NDArray[Any]:
        """Return an array of the device as one of NumPy's."""
        return np.asarray(self.arrays.asnumpy(array))


@dataclass(frozen=True)
class CudaRun:
    """States (members, times, states), NaN where a member did not reach the end; statuses, counts and times reached."""

    out: Array
    status: Numbers
    counts: Numbers
    reached: Array


class CudaCode:
    """The kernel of one network on a device."""

    def __init__(self, system: CudaSystem, device: Device | None = None) -> None:
        """Load the kernel; without a device, on the graphics processor.

        Raises:
            SolveError: no graphics processor can be used.
        """
        self.system = system
        self.device: Device = CupyDevice(system.text) if device is None else device

    def integrate(
        self, y0: Array, parameters: Array, start: float, grid: Array, relative: float, absolute: float, max_steps: int
    ) -> CudaRun:
        """Integrate members from ``start`` over a rising grid of times, as ``lanes.kernel.integrate`` does.

        Status 2 also marks members that need pivoting, which there is none of here.

        Arguments:
            y0: scaled states at the start, shape (members, states).
            parameters: SI, shape (parameters, members).
            start: first instant (s).
            grid: output times (s), all after ``start``.
            relative: error allowed relative to the size of a state.
            absolute: error allowed in a scaled state.
            max_steps: steps after which a member is given up.

        Raises:
            SolveError: the device failed or has too little memory.
        """
        members, n = y0.shape
        out, reached = np.full((members, len(grid), n), np.nan), np.zeros(members)
        status, counts = np.zeros(members, dtype=np.int64), np.zeros((members, 3), dtype=np.int64)
        threads, most = self._shares(n, len(self.system.constants.outputs[0]), len(grid))
        limits = (float(start), float(relative), float(absolute), int(max_steps))
        for first in range(0, members, most):
            part = slice(first, min(first + most, members))
            try:
                found = self._part(y0[part], parameters[:, part], np.asarray(grid, dtype=float), limits, threads)
            except MemoryError as error:
                raise SolveError(f"memory ran out for members on the graphics processor: {error}") from error
            out[part], reached[part], counts[part, :2], status[part] = found
        out[status != DONE] = np.nan
        return CudaRun(out, status, counts, reached)

    def _shares(self, states: int, constants: int, times: int) -> tuple[int, int]:
        """Return how many threads run at a time and how many members are given in one call, by the memory there is."""
        room, each = self.device.room() // 8, self.system.entries + 1
        threads = min(self.device.threads(), room // 2 // each) // BLOCK * BLOCK
        members = room // 2 // (states * (times + 1) + constants + 4)
        if threads < BLOCK or members < 1:
            raise SolveError(
                f"the graphics processor has too little free memory: {8 * room} bytes for {BLOCK} threads of "
                f"{8 * each} bytes. Give fewer output times or run without it."
            )
        return threads, members

    def _part(
        self, y0: Array, parameters: Array, grid: Array, limits: tuple[float, float, float, int], threads: int
    ) -> tuple[Array, Array, Numbers, Numbers]:
        """Return states, times reached, counts and statuses of members that are given in one call."""
        xp, members, n = self.device.arrays, *y0.shape
        empty = np.zeros((1, members))
        constants = evaluate(self.system.constants, [empty, empty, parameters])[0]
        blocks = min(threads // BLOCK, -(-members // BLOCK))
        out, reached = xp.empty((len(grid), n, members)), xp.empty(members)
        counts, status = xp.empty((2, members), dtype=np.int64), xp.empty(members, dtype=np.int64)
        work = xp.empty(blocks * BLOCK * self.system.entries)
        given = (xp.asarray(np.ascontiguousarray(y0.T)), xp.asarray(constants), xp.asarray(grid))
        start, relative, absolute, most = limits
        numbers = (np.float64(start), np.float64(relative), np.float64(absolute))
        wholes = (np.int64(most), np.int64(len(grid)), np.int64(members))
        self.device.launch(blocks, (*given, out, reached, counts, status, work, *numbers, *wholes))
        back = self.device.fetch
        return back(out).transpose(2, 0, 1), back(reached), back(counts).T, back(status)
