"""Compiled kernels on the host: blocks shared out to threads, arguments as prepared pointers."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.ir.types import DType, TensorType
from workbench.runtime.following import SCRATCH, Row, cores

if TYPE_CHECKING:
    import ml_dtypes
    import numpy as np

    from workbench.ir.module import Launch
    from workbench.runtime.jit import CpuBinary
else:
    np = lazy("numpy")
    ml_dtypes = lazy("ml_dtypes")

_KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)

SHARES_PER_THREAD = 8
"""Pieces of the grid per host thread, so that a slow one does not hold up the launch."""

WORTH_SHARING_NS = 60_000
"""Work from which on asking other host threads pays [ns]."""

LONGEST_NS = 20_000_000
"""Work of each host thread after which an interrupt is looked for [ns]."""

SAMPLES = 3
"""Pieces of a kernel's grid that are timed, the first left out, before any are shared."""


@dataclass(frozen=True)
class Prepared:
    """A launch whose arguments are pointers already; it keeps the arrays alive."""

    run: Callable[[], None]
    kept: tuple[object, ...]
    pointers: ctypes.Array[ctypes.c_void_p]
    launcher: CpuLauncher

    def __call__(self) -> None:
        """Run it to its end."""
        self.run()


class CpuLauncher:
    """Runs a compiled kernel on arrays of the host.

    Parameters
    ----------
    binary : CpuBinary
        The code.
    launch : Launch
        Grid and block.
    params : sequence of DType or TensorType
        Types of the arguments.
    threads : int, optional
        Host threads; by default one per core.
    numbers : sequence of number
        Arguments for the last parameters, the same in every launch.
    """

    def __init__(
        self,
        binary: CpuBinary,
        launch: Launch,
        params: Sequence[DType | TensorType],
        threads: int | None = None,
        numbers: Sequence[int | float] = (),
    ) -> None:
        self.binary = binary
        self.blocks = launch.blocks
        count = len(params) - len(numbers)
        self.params = tuple(params[:count])
        # in memory as long as the launcher is, whoever keeps no more than that and the pointers
        pairs = zip(params[count:], numbers, strict=True)
        self.numbers = [_number(k, n) for k, n in pairs if isinstance(k, DType)]
        self.threads = min(threads or cores(), self.blocks)
        self._samples = 0
        self._piece_ns = inf
        self._function = _KERNEL(binary.address())

    def __call__(self, *args: Any) -> None:
        """Run the kernel on C-contiguous arrays of the parameters' types; nothing is checked."""
        self.prepare(args)()

    def prepare(self, args: Sequence[Any]) -> Prepared:
        """A launch with these arguments that can be run again and again."""
        kept: list[object] = []
        pointers = (ctypes.c_void_p * max(1, len(args) + len(self.numbers)))()
        for i, (kind, arg) in enumerate(zip(self.params, args, strict=True)):
            array = arg if isinstance(kind, TensorType) else _number(kind, arg)
            kept.append(array)
            pointers[i] = array.ctypes.data
        for i, number in enumerate(self.numbers, len(args)):
            pointers[i] = number.ctypes.data
        everything = (*kept, pointers, self)
        run = self._run(ctypes.addressof(pointers), everything)
        return Prepared(run, everything, pointers, self)

    def _run(self, address: int, kept: tuple[object, ...]) -> Callable[[], None]:
        function, size, blocks = self._function, self.binary.scratch_bytes, self.blocks
        if self.threads == 1:
            return lambda: function(address, 0, blocks, SCRATCH.of(size))
        pieces = min(blocks, SHARES_PER_THREAD * self.threads)
        bounds = [blocks * i // pieces for i in range(pieces + 1)]

        def run() -> None:
            scratch, done = SCRATCH.of(size), 0
            while self._samples < SAMPLES and done < pieces:
                start = time.perf_counter_ns()
                function(address, bounds[done], bounds[done + 1], scratch)
                # the first piece of all meets code and memory for the first time: it tells nothing
                if self._samples:
                    self._piece_ns = min(self._piece_ns, time.perf_counter_ns() - start)
                self._samples += 1
                done += 1
            rest_ns = self._piece_ns * (pieces - done)
            if rest_ns < WORTH_SHARING_NS:
                function(address, bounds[done], blocks, scratch)
            else:
                self._shared(address, bounds[done], rest_ns, kept)

        return run

    def _shared(self, address: int, begin: int, ns: float, kept: tuple[object, ...]) -> None:
        """Blocks from `begin` on with other host threads, cut where an interrupt is looked for.

        What is kept is so until the call ends: arrays live as long as the last thread on them.
        """
        del kept  # the caller's frame has it
        row = Row(1, self.binary.scratch_bytes, self.threads)
        left, least = self.blocks - begin, min(self.threads, cores())
        # a cut waits for its last block: it has as many for each thread
        rounds = -(-left // least)
        cuts = max(1, min(rounds, int(min(ns, 1e12)) // (LONGEST_NS * least)))
        edges = [begin + min(left, rounds * n // cuts * least) for n in range(cuts + 1)]
        for start, stop in pairwise(edges):
            grain = -(-(stop - start) // (SHARES_PER_THREAD * self.threads))
            row.set(0, self.binary.address(), address, stop - start, grain, start)
            row.together(0, 1)


def _number(kind: DType, value: Any) -> Any:
    """A scalar argument in memory of its own."""
    if kind.scalar == "bf16":
        return np.array(value, dtype=ml_dtypes.bfloat16)
    return np.array(value, dtype=kind.numpy_name)
