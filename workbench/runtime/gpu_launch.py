"""Cubins on a GPU through CuPy: load, launch on the current stream, time with events."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.base.errors import LaunchError
from workbench.base.lazy import lazy
from workbench.ir.module import Launch
from workbench.ir.types import DType, TensorType

np = lazy("numpy")

_MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, cuda.h
_FIRST_ACCELERATED = 90  # from here on there are architectures with an "a"


def _cupy() -> Any:
    try:
        import cupy  # pyright: ignore[reportMissingImports]  optional
    except ImportError:
        raise LaunchError(
            "a launch on a GPU needs CuPy, which is not installed",
            hint='python -m pip install "kernel-workbench[cuda13]", with a driver before 580 '
            '"kernel-workbench[cuda12]"',
        ) from None
    if not cupy.cuda.is_available():
        raise LaunchError(
            "there is no GPU that CUDA can use on this machine",
            hint='compile for "cpu" to run it here; `workbench doctor` says what is missing',
        )
    return cupy


def device_arch() -> str:
    """Architecture of the current GPU, ``sm_90a``; empty where there is none or no CuPy.

    The accelerated form is taken where there is one: the code is for this very device.
    """
    try:
        cupy = _cupy()
    except LaunchError:
        return ""
    number = int(cupy.cuda.Device().compute_capability)
    return f"sm_{number}a" if number >= _FIRST_ACCELERATED else f"sm_{number}"


class GpuLauncher:
    """One kernel of a cubin, loaded on each device that it is launched on.

    Parameters
    ----------
    cubin : bytes
        Machine code.
    entry : str
        Name of the kernel in it.
    launch : Launch
        Grid and block.
    types : sequence of DType or TensorType
        Of the parameters, in order.
    dynamic_shared_bytes : int
        Shared memory to add at the launch [byte].
    """

    def __init__(
        self,
        cubin: bytes,
        entry: str,
        launch: Launch,
        types: Sequence[DType | TensorType],
        dynamic_shared_bytes: int = 0,
    ) -> None:
        self._cubin = cubin
        self._entry = entry
        self._launch = launch
        self._types = tuple(types)
        self._numbers: tuple[Any, ...] = ()
        self._dynamic_bytes = dynamic_shared_bytes
        self._loaded: dict[int, tuple[Any, Any]] = {}  # the module must outlive its function

    def given(self, numbers: Sequence[int | float], launch: Launch) -> GpuLauncher:
        """The same code with its last parameters filled in, for a launch of its own."""
        other, count = copy.copy(self), len(self._types) - len(numbers)
        other._numbers = tuple(map(_value, numbers, self._types[count:]))
        other._types, other._launch = self._types[:count], launch
        return other

    def prepare(self, args: Sequence[Any]) -> Callable[[], None]:
        """A launch with these arguments on the device that is current now.

        Raises
        ------
        LaunchError
            When there is no GPU, or the kernel does not load or start on it.
        """
        cupy = _cupy()
        function = self._function(cupy)
        grid, block, shared = self._launch.grid, self._launch.block, self._dynamic_bytes
        values = (*map(_value, args, self._types), *self._numbers)
        current = cupy.cuda.get_current_stream
        failure: type[Exception] = cupy.cuda.driver.CUDADriverError
        entry = self._entry

        def run() -> None:
            try:
                function(grid, block, values, shared, current())
            except failure as error:
                raise LaunchError(f"{entry} does not start on the GPU: {error}") from None

        return run

    def _function(self, cupy: Any) -> Any:
        device = int(cupy.cuda.Device().id)
        found = self._loaded.get(device)
        if found is not None:
            return found[1]
        try:
            module = cupy.cuda.function.Module()
            module.load(self._cubin)
            function = module.get_function(self._entry)
            if self._dynamic_bytes:
                cupy.cuda.driver.funcSetAttribute(
                    function.ptr, _MAX_DYNAMIC_SHARED, self._dynamic_bytes
                )
        except cupy.cuda.driver.CUDADriverError as error:
            raise LaunchError(
                f"{self._entry} does not load on this GPU ({device_arch()}): {error}",
                hint='compile it for "cuda", without an architecture, to fit this GPU',
            ) from None
        self._loaded[device] = (module, function)
        return function


def _value(arg: Any, kind: DType | TensorType) -> Any:
    """What CuPy passes for an argument: the array itself, or a number of the very size."""
    if isinstance(kind, TensorType):
        return arg
    if kind.scalar == "bf16":  # travels as its bits
        import ml_dtypes

        return np.array(arg, dtype=ml_dtypes.bfloat16).view(np.uint16)[()]
    return np.dtype(kind.numpy_name).type(arg)


@functools.cache
def _gpu_name() -> str:
    cupy = _cupy()
    return cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()


@dataclass(frozen=True, slots=True)
class EventClock:
    """Time between two events of CuPy's current stream; a :class:`timing.Clock`."""

    name: str = "CUDA events"
    least_us: float = 50.0  # events resolve about half a microsecond

    @property
    def device(self) -> str:
        """The GPU, as its maker names it."""
        return _gpu_name()

    def elapsed_us(self, run: Callable[[], object], calls: int) -> float:
        """Time on the GPU from the start of the first call to the end of the last [µs]."""
        cupy = _cupy()
        stream = cupy.cuda.get_current_stream()
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record(stream)
        for _ in range(calls):
            run()
        end.record(stream)
        end.synchronize()
        return float(cupy.cuda.get_elapsed_time(start, end)) * 1000
