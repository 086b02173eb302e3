"""A compiled kernel: call it, look into it, time it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError
from workbench.runtime.arguments import Parameter, check, in_order
from workbench.runtime.nvrtc import Resources
from workbench.runtime.timing import Clock, Measurement, measure

if TYPE_CHECKING:
    from workbench.driver.backend import Backend, Run
    from workbench.driver.occupancy import Occupancy
    from workbench.driver.stages import Compilation, Stage
    from workbench.ir.module import Launch, Module
    from workbench.ir.target import Target


class Kernel:
    """One kernel for one target and one binding of its extents.

    Call it with arrays of exactly the parameters' types and shapes, C-contiguous, and with
    numbers for scalars; what it stores is in the arrays afterwards. On a GPU the call returns
    when the launch is queued on CuPy's current stream.

    Parameters
    ----------
    module : Module
        As written, before any pass.
    target : Target
        What it is compiled for, architecture included.
    params : sequence of Parameter
        What its arguments must be.
    backend : Backend
        What runs it.
    compilation : callable
        Tells how it came about; called when somebody looks.
    """

    def __init__(
        self,
        module: Module,
        target: Target,
        params: Sequence[Parameter],
        backend: Backend,
        compilation: Callable[[], Compilation],
    ) -> None:
        launch = module.kernel.launch
        assert launch is not None, "verify lets no module without a launch pass"
        self.name = module.kernel.name
        self.target = target
        self.params = tuple(params)
        self.launch: Launch = launch
        self._backend = backend
        self._compilation = compilation

    @property
    def backend(self) -> Backend:
        """What runs it."""
        return self._backend

    @functools.cached_property
    def compilation(self) -> Compilation:
        """How it came about: every step, with its result."""
        return self._compilation()

    @property
    def module(self) -> Module:
        """The lowered module."""
        return self.compilation.module

    @property
    def source(self) -> str:
        """What the target's compiler got: CUDA C++, LLVM IR, or the IR's own text."""
        return self.compilation.source.text

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every step from the script to the source."""
        return self.compilation.stages

    @property
    def binary(self) -> bytes:
        """Machine code: a cubin, an object file; empty for ``interp``.

        Raises
        ------
        BuildError
            When the compiler is missing or refuses the source.
        """
        return self._backend.binary()

    @property
    def resources(self) -> Resources | None:
        """Registers, spills and memory of a CUDA kernel; None for other targets."""
        return self._backend.resources()

    @property
    def occupancy(self) -> Occupancy | None:
        """How many blocks share a multiprocessor; None for other targets than CUDA."""
        return self._backend.occupancy()

    @property
    def ptx(self) -> str:
        """PTX of a CUDA kernel."""
        return self._backend.listing("ptx")

    @property
    def sass(self) -> str:
        """Disassembled machine code of a CUDA kernel."""
        return self._backend.listing("sass")

    @property
    def llvm(self) -> str:
        """Optimised LLVM IR of a CPU kernel."""
        return self._backend.listing("llvm")

    @property
    def asm(self) -> str:
        """Assembly of a CPU kernel."""
        return self._backend.listing("asm")

    def __call__(self, *args: Any, **named: Any) -> None:
        """Run it; arguments in order or by name.

        Raises
        ------
        LaunchError
            When the arguments do not fit, or the launch fails.
        """
        self.prepare(*args, **named)()

    def prepare(self, *args: Any, **named: Any) -> Run:
        """Check the arguments once; gives a call without arguments that launches with them."""
        if named:
            args = in_order(self.name, self.params, args, named)
        check(self.name, self.params, args, gpu=self._backend.on_gpu)
        return self._backend.prepare(args)

    def time(self, *args: Any, budget_s: float = 0.2, **named: Any) -> Measurement:
        """How long a launch with these arguments takes, the arguments checked beforehand.

        The kernel runs many times and stores each time.

        Parameters
        ----------
        *args, **named
            As for a call.
        budget_s : float
            Time to spend on samples [s].
        """
        run = self.prepare(*args, **named)
        return measure(run, f"{self.name} on {self.target}", self.clock(), budget_s)

    def clock(self) -> Clock | None:
        """What times it; None is the wall clock."""
        return self._backend.clock()

    def __deepcopy__(self, memo: dict[int, object]) -> Kernel:
        """Itself: it is never changed, and machine code cannot be copied."""
        return self

    def __copy__(self) -> Kernel:
        """Itself."""
        return self

    def __reduce__(self) -> str:
        raise LaunchError(
            f"{self!r} belongs to this process and cannot be pickled",
            hint="pickle the program and compile it again; the cache keeps the machine code",
        )

    def __repr__(self) -> str:
        grid, block = (_triple(t) for t in (self.launch.grid, self.launch.block))
        return f"Kernel({self.name}, {self.target}, grid {grid}, block {block})"


def _triple(extents: tuple[int, int, int]) -> str:
    """Extents without the ones at the end.

    Examples
    --------
    >>> _triple((4, 2, 1)), _triple((1, 1, 1))
    ('4 × 2', '1')
    """
    used = list(extents)
    while len(used) > 1 and used[-1] == 1:
        used.pop()
    return " × ".join(map(str, used))
