"""Program: what `@script` makes of a function."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Sequence
from typing import Any

from workbench.base.doc import Line
from workbench.base.errors import LaunchError, ScriptError
from workbench.base.span import Span
from workbench.driver.build import compile_module
from workbench.driver.kernel import Kernel
from workbench.driver.lowering import parameters_of
from workbench.interp import Report
from workbench.interp import run as run_checked
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.runtime.arguments import Parameter, bind, check, in_order, on_gpu
from workbench.script import Script


class Program:
    """A kernel as written in Python, its extents still open.

    Called with NumPy arrays it runs on the CPU, with CuPy arrays on the GPU. The extents are
    taken from the shapes of the arrays; for each set of extents it is compiled once.

    Parameters
    ----------
    script : Script
        The function, read.

    Examples
    --------
    See :func:`script`.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.params = tuple(Parameter(p.name, p.annotation, span=p.span) for p in script.params)
        self.__name__ = script.name
        self.__qualname__, self.__module__ = script.fn.__qualname__, script.fn.__module__
        self.__doc__ = script.fn.__doc__ or Program.__doc__
        self.__wrapped__ = script.fn
        self._kernels: dict[tuple[Target, tuple[int, ...]], Kernel] = {}
        # what calls have come before, so that the next one need not bind the extents again
        self._called: dict[tuple[bool, tuple[object, ...]], Kernel] = {}
        self._modules: dict[tuple[int, ...], Module] = {}
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """As in the script."""
        return self.script.name

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the extents that a call binds."""
        return self.script.dims

    @property
    def source(self) -> str:
        """The function as written."""
        return self.script.text

    @property
    def span(self) -> Span:
        """Where it is written."""
        return self.script.span

    def __call__(self, *args: Any, **named: Any) -> None:
        """Run it on the device where the arrays are; arguments in order or by name.

        Raises
        ------
        LaunchError
            When the arguments do not fit.
        """
        if named:
            args = in_order(self.name, self.params, args, named)
        shapes = tuple(getattr(arg, "shape", None) for arg in args)
        key = (any(map(on_gpu, args)), shapes)
        kernel = self._called.get(key)
        if kernel is None:
            kernel = self.kernel_for(args, "cuda" if key[0] else "cpu")
            self._called[key] = kernel
        kernel(*args)

    def kernel_for(self, args: Sequence[Any], target: Target | str = "cpu") -> Kernel:
        """The kernel that takes these arguments, compiled when it is not yet."""
        dims = bind(self.name, self.params, args) if self.params or args else {}
        return self._kernel(target, self._numbers(dims))

    def compile(self, target: Target | str = "cpu", /, **dims: int) -> Kernel:
        """Compile for a target: ``cpu``, ``interp``, ``cuda`` or ``cuda:sm_90a``.

        Parameters
        ----------
        target : Target or str
            What it is to run on.
        **dims : int
            A number for each name in `dims`.

        Raises
        ------
        LaunchError
            When an extent is missing, unknown, or not a positive integer.
        WorkbenchError
            When the script, or the code made from it, is wrong.
        """
        return self._kernel(target, self._numbers(dims))

    def module(self, **dims: int) -> Module:
        """The script as IR, its extents bound to numbers."""
        return self._module(self._numbers(dims))

    def _numbers(self, dims: dict[str, int]) -> tuple[int, ...]:
        for name in dims:
            if name not in self.dims:
                close = difflib.get_close_matches(name, self.dims, 1)
                known = ", ".join(self.dims) or "none"
                raise LaunchError(
                    f"{self.name} has no extent {name}; its extents are {known}",
                    span=self.span,
                    hint=f"did you mean {close[0]}?" if close else None,
                )
        missing = [name for name in self.dims if name not in dims]
        if missing:
            given = ", ".join(f"{name}=…" for name in missing)
            raise LaunchError(
                f"{self.name} needs a number for {', '.join(missing)}",
                span=self.span,
                hint=f"pass {given}",
            )
        for name, value in dims.items():
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
                raise LaunchError(
                    f"the extent {name} of {self.name} is {value!r}; extents are integers from 1",
                    span=self.span,
                )
        return tuple(int(dims[name]) for name in self.dims)

    def _module(self, numbers: tuple[int, ...]) -> Module:
        with self._lock:
            found = self._modules.get(numbers)
            if found is None:
                found = self.script.translate(dict(zip(self.dims, numbers, strict=True)))
                self._modules[numbers] = found
            return found

    def _kernel(self, target: Target | str, numbers: tuple[int, ...]) -> Kernel:
        goal = target if isinstance(target, Target) else Target.parse(target)
        key = (goal, numbers)
        found = self._kernels.get(key)
        if found is None:
            with self._lock:
                found = self._kernels.get(key)
                if found is None:
                    found = compile_module(self._module(numbers), goal, script=self._lines())
                    self._kernels[key] = found
        return found

    def _lines(self) -> tuple[Line, ...]:
        first, span = self.script.first_line, self.span
        return tuple(
            Line(text, Span(span.file, first + place, 0, key=span.key))
            for place, text in enumerate(self.source.splitlines())
        )

    def __reduce__(self) -> str:
        """Where it is found, like a function; a copy of it is itself."""
        return self.__qualname__

    def __repr__(self) -> str:
        params = ", ".join(f"{p.name}: {p.type}" for p in self.params)
        return f"Program({self.name}({params}))"


def script(fn: Callable[..., object] | None = None, /, *rest: Any, **options: Any) -> Program:
    """Make a Program of a function in the language of `workbench.lang`; a decorator.

    Raises
    ------
    ScriptError
        When a parameter is not as the language has them; the body is read when it is compiled.
        When it is called with anything but a function.
    """
    if fn is None or rest or options:
        raise ScriptError(
            "@script takes no options; grid and block are said by launch(...) inside",
            hint="write @wb.script, without parentheses",
        )
    return Program(Script.from_function(fn))


def interpret(
    kernel: Program | Kernel | Module,
    *args: Any,
    log_accesses: bool = False,
    turn_limit: int = 100_000,
) -> Report:
    """Run a kernel in the interpreter, every access checked; arrays are written in place.

    Parameters
    ----------
    kernel : Program, Kernel or Module
        What to run.
    *args
        As for a call, NumPy arrays and numbers.
    log_accesses : bool
        Whether to count sectors and bank conflicts.
    turn_limit : int
        Most turns of a while, so that one that never ends does.

    Returns
    -------
    Report
        With the faults that were found.

    Raises
    ------
    LaunchError
        When the arguments do not fit, or there is nothing to run.
    """
    if not isinstance(kernel, Program | Kernel | Module):
        raise LaunchError(f"{type(kernel).__name__} is no kernel; give what @script made")
    if isinstance(kernel, Program):
        module = kernel.module(**bind(kernel.name, kernel.params, args))
    else:
        module = kernel.module if isinstance(kernel, Kernel) else kernel
    check(module.kernel.name, parameters_of(module), args)
    return run_checked(module, args, log_accesses=log_accesses, turn_limit=turn_limit)
