"""Compiled kernels on the host: blocks shared out to threads, arguments as prepared pointers."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.ir.types import DType, TensorType

if TYPE_CHECKING:
    import ml_dtypes
    import numpy as np

    from workbench.ir.module import Launch
    from workbench.runtime.jit import CpuBinary
else:
    np = lazy("numpy")
    ml_dtypes = lazy("ml_dtypes")

_ALIGN = 64
_KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)

SHARES_PER_THREAD = 4
"""Pieces of the grid per host thread, so that a slow one does not hold up the launch."""

WORTH_SHARING_NS = 150_000
"""Work from which on waking other host threads pays [ns]."""

SAMPLES = 3
"""Pieces of a kernel's grid that are timed, the first left out, before any are shared."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="workbench")


if hasattr(os, "register_at_fork"):
    # a forked process has the pools' objects, but none of their threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


class _Scratch(threading.local):
    """Scratch memory of each host thread, grown when a kernel needs more."""

    buffer: Any = None
    size: int = -1
    address: int = 0

    def of(self, size: int) -> int:
        """Address of `size` bytes, aligned to 64."""
        if size > self.size:
            self.buffer = ctypes.create_string_buffer(size + _ALIGN)
            start = ctypes.addressof(self.buffer)
            self.address = start + -start % _ALIGN
            self.size = size
        return self.address


SCRATCH = _Scratch()


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
        threads = self.threads

        def work(shares: _Shares, kept: tuple[object, ...]) -> None:
            # kept is held until the call ends: arrays live as long as the last thread on them
            scratch = SCRATCH.of(size)
            for i in shares:
                function(address, bounds[i], bounds[i + 1], scratch)
            del kept

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
            if self._piece_ns * (pieces - done) < WORTH_SHARING_NS:
                function(address, bounds[done], blocks, scratch)
            else:
                _together(threads, work, _Shares(done, pieces), kept)

        return run


_Work = Callable[["_Shares", tuple[object, ...]], None]


def _together(threads: int, work: _Work, shares: _Shares, kept: tuple[object, ...]) -> None:
    """All shares, on this host thread and others of the pool."""
    pool = _pool(threads - 1)
    others = [pool.submit(work, shares, kept) for _ in range(threads - 1)]
    try:
        work(shares, kept)
    finally:
        # after an interrupt nothing is to write the arrays behind the user's back
        shares.stop()
        wait(others)
    for each in others:
        each.result()


class _Shares:
    """Numbers handed out to several threads, each once."""

    def __init__(self, start: int, stop: int) -> None:
        self._numbers: Iterator[int] = iter(range(start, stop))
        self._lock = threading.Lock()

    def __iter__(self) -> _Shares:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._numbers)

    def stop(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._numbers = iter(())


def _number(kind: DType, value: Any) -> Any:
    """A scalar argument in memory of its own."""
    if kind.scalar == "bf16":
        return np.array(value, dtype=ml_dtypes.bfloat16)
    return np.array(value, dtype=kind.numpy_name)
