"""What callers use: run a module on arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.base.errors import LaunchError
from workbench.base.lazy import lazy
from workbench.interp import values
from workbench.interp.access import AccessLog
from workbench.interp.machine import Machine, Run
from workbench.interp.report import FaultLog, Report
from workbench.interp.shadow import THREAD_BITS, Shadow
from workbench.interp.statements import execute, invoke
from workbench.interp.storage import Storage
from workbench.interp.values import numpy_dtype
from workbench.ir.expr import Atomic, Var
from workbench.ir.stmt import Store
from workbench.ir.traverse import walk
from workbench.ir.types import DType, Scope, TensorType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.values import Array
    from workbench.ir.module import Module
else:
    np = lazy("numpy")

THREADS_TOGETHER = 8192
"""About how many threads run in lockstep: enough to make numpy quick, few enough for the cache."""


def run(
    module: Module,
    args: Sequence[NDArray[Any] | float | int | bool],
    *,
    checks: bool = True,
    log_accesses: bool = False,
    poison: Iterable[str] = (),
    step_limit: int = 10_000_000,
    turn_limit: int = 100_000,
) -> Report:
    """Run the kernel of `module`; arrays are written in place.

    Parameters
    ----------
    module : Module
        At any level.
    args : sequence
        One per parameter: a C-contiguous array of the parameter's dtype (bf16 from ml_dtypes)
        with as many elements as its tensor has, or a number.
    checks : bool
        Whether to look for races and uninitialised reads; bounds are always looked after.
    log_accesses : bool
        Whether to count sectors and bank conflicts.
    poison : iterable of str
        Names of tensor parameters that hold nothing yet: they are filled with poison (NaN or
        bytes 0xCD), and reading an element before it is written is a fault.
    step_limit : int
        Most statements to carry out, each once for all threads that run together.
    turn_limit : int
        Most turns of a while.

    Returns
    -------
    Report
        Faults do not stop the run: a read out of bounds gives poison, a write is dropped.

    Raises
    ------
    LaunchError
        When the arguments do not fit the parameters.
    WorkbenchError
        When there were more steps, or more turns of a while, than that.

    Examples
    --------
    >>> import numpy as np
    >>> from workbench.ir.parse import parse
    >>> module = parse('''
    ... func shift(x: i32[4], out: i32[4]) launch(grid=1, block=4)
    ...   out[threadIdx.x] = x[threadIdx.x + 1]
    ... ''')
    >>> out = np.zeros(4, np.int32)
    >>> report = run(module, [np.arange(4, dtype=np.int32), out])
    >>> out[:3].tolist(), report.faults[0].message
    ([1, 2, 3], 'line 3: block (0, 0, 0), thread (3, 0, 0) reads x[4], outside i32[4]')
    """
    kernel = module.kernel
    launch = kernel.launch
    if launch is None:
        raise LaunchError(f"{kernel.name} is a device function; it has no launch", kernel.span)
    if launch.blocks * launch.threads > 1 << THREAD_BITS:
        raise LaunchError(f"{launch.blocks * launch.threads} threads are too many to interpret")
    tensors, scalars = _bind(module, args, checks, frozenset(poison))
    log, accesses = FaultLog(), AccessLog() if log_accesses else None
    state = Run(module, launch, tensors, scalars, checks, log, accesses, step_limit, turn_limit)
    together = max(1, THREADS_TOGETHER // launch.threads)
    with np.errstate(all="ignore"):
        for first in range(0, launch.blocks, together):
            blocks = min(together, launch.blocks - first)
            machine = Machine(state, first, blocks, invoke)
            execute(machine, kernel.body, machine.full)
    found = accesses.accesses() if accesses else ()
    return Report(log.faults(), found, state.steps)


def _nodes(module: Module) -> Iterable[object]:
    for function in module.functions:
        yield from walk(function)


def _bind(
    module: Module, args: Sequence[NDArray[Any] | float], checks: bool, poisoned: frozenset[str]
) -> tuple[dict[Var, Storage], dict[Var, Array]]:
    params = module.kernel.params
    if len(args) != len(params):
        raise LaunchError(f"{module.kernel.name} takes {len(params)} arguments, not {len(args)}")
    unknown = poisoned - {p.name for p in params}
    if unknown:
        raise LaunchError(f"{module.kernel.name} has no parameter {', '.join(sorted(unknown))}")
    tensors: dict[Var, Storage] = {}
    scalars: dict[Var, Array] = {}
    changed = _changed(module)
    for param, arg in zip(params, args, strict=True):
        if isinstance(param.type, DType):
            scalars[param] = _scalar(param, param.type, arg)
            continue
        storage = Storage(param.name, param.type, _array(param, param.type, arg, changed))
        if param.name in poisoned:
            storage.data[...] = values.poison(param.type.dtype)
            storage.written = np.zeros(len(storage.data), dtype=bool) if checks else None
        if checks and param in changed:
            storage.shadow = Shadow(len(storage.data), False)
        tensors[param] = storage
    for table in module.tables:
        numbers = np.array(table.values).astype(numpy_dtype(table.var.tensor.dtype))
        tensors[table.var] = Storage(table.var.name, table.var.tensor, numbers)
    return tensors, scalars


def _changed(module: Module) -> set[Var]:
    """Tensors that may be written to."""
    passed = any(isinstance(p.type, TensorType) for f in module.functions[:-1] for p in f.params)
    if passed:  # under other names, so any could be
        return {p for p in module.kernel.params if isinstance(p.type, TensorType)}
    return {n.tensor for n in _nodes(module) if isinstance(n, Store | Atomic)}


def _array(param: Var, kind: TensorType, arg: object, changed: set[Var]) -> Array:
    if not isinstance(arg, np.ndarray):
        raise LaunchError(f"{param.name} takes an array, not {type(arg).__name__}", param.span)
    wanted = numpy_dtype(kind.dtype)
    if arg.dtype != wanted:
        raise LaunchError(f"{param.name} takes {wanted}, not {arg.dtype}", param.span)
    shape = kind.extents if kind.layout is None else (kind.size,)
    if arg.size != kind.size:
        raise LaunchError(
            f"{param.name} takes an array of shape {shape}, not {arg.shape}", param.span
        )
    if not arg.flags.c_contiguous:
        raise LaunchError(f"{param.name} is not C-contiguous", param.span)
    if param in changed and not arg.flags.writeable:
        raise LaunchError(f"{param.name} is written to, but the array is read-only", param.span)
    assert kind.scope is Scope.GLOBAL, f"{param.name} is {kind.scope.value}"
    return arg.reshape(-1)


def _scalar(param: Var, kind: DType, arg: object) -> Array:
    if isinstance(arg, np.ndarray | np.generic) and arg.ndim == 0:
        arg = arg.item()
    if not isinstance(arg, bool | int | float):
        raise LaunchError(f"{param.name} takes a number, not {type(arg).__name__}", param.span)
    if isinstance(arg, float) and not kind.is_float:
        raise LaunchError(f"{param.name} is {kind}, and {arg} is a float", param.span)
    if kind.is_int:
        limits = np.iinfo(numpy_dtype(kind))
        if not limits.min <= arg <= limits.max:
            raise LaunchError(f"{arg} does not fit in {param.name}, which is {kind}", param.span)
    return np.array(arg).astype(numpy_dtype(kind))[()]
