"""A kernel's CUDA, edited by a person: what it takes, whether it is right, how fast it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.errors import BuildError, LaunchError, WorkbenchError
from workbench.base.lazy import lazy
from workbench.codegen.cuda import shared_plan
from workbench.ir.types import TensorType
from workbench.runtime.gpu_launch import EventClock, GpuLauncher
from workbench.runtime.memory import array_module
from workbench.runtime.timing import compare, ratio, time_text
from workbench.view.raw import Complaint, RawKernel, complaints
from workbench.view.resources import resource_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.driver.kernel import Kernel
    from workbench.runtime.arguments import Parameter
    from workbench.view.resources import Figure

np = lazy("numpy")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of the original beside that of the fork, and what it means that they differ."""

    label: str
    original: str
    fork: str
    note: str = ""
    warn: bool = False


@dataclass(frozen=True, slots=True)
class ForkView:
    """What became of a text that a person made of a kernel's CUDA.

    Attributes
    ----------
    problem, hint : str
        Why it does not compile; empty when it does.
    complaints : tuple of Complaint
        Of the compiler, errors first.
    rows : tuple of Comparison
        Resources, and where there is a GPU the largest difference and the times.
    said : str
        What was done with it, or why it was not run.
    number : int
        Counts the tries.
    """

    problem: str = ""
    hint: str = ""
    complaints: tuple[Complaint, ...] = ()
    rows: tuple[Comparison, ...] = ()
    said: str = ""
    number: int = 0


def fork_view(kernel: Kernel, text: str) -> ForkView:
    """Compile `text` in place of a CUDA kernel's source, and compare it with that.

    Where there is a GPU both run on the same random arguments: the stored arrays are compared,
    the times are taken in turns.

    Parameters
    ----------
    kernel : Kernel
        For CUDA.
    text : str
        With a kernel of the same name and parameters.
    """
    try:
        fork = RawKernel(text, kernel.compilation.source.name, kernel.target.arch)
    except BuildError as error:
        return ForkView(error.message, error.hint or "", complaints(error.log, text))
    rows = _resources(kernel, fork)
    if len(fork.entry.params) != len(kernel.params):
        given, takes = len(fork.entry.params), len(kernel.params)
        said = f"It compiles. Not run: it takes {given} parameters, the original {takes}."
        return ForkView(complaints=fork.complaints, rows=rows, said=said)
    try:
        more, said = _run(kernel, fork)
    except WorkbenchError as error:
        said = f"It compiles for {fork.arch}. Not run: {error.message}."
        return ForkView(complaints=fork.complaints, rows=rows, said=said)
    return ForkView(complaints=fork.complaints, rows=(*rows, *more), said=said)


def raw_fork(kernel: RawKernel, text: str) -> ForkView:
    """The same for a kernel that a person wrote; its launch is not known, so none is run."""
    try:
        fork = RawKernel(text, kernel.entry.name, kernel.arch)
    except BuildError as error:
        return ForkView(error.message, error.hint or "", complaints(error.log, text))
    rows = _compared(*(resource_figures(each.resources, each.arch) for each in (kernel, fork)))
    said = f"It compiles for {fork.arch}. Not run: grid, block and arguments are not known here."
    return ForkView(complaints=fork.complaints, rows=rows, said=said)


def _resources(kernel: Kernel, fork: RawKernel) -> tuple[Comparison, ...]:
    used, threads, arch = kernel.resources, kernel.launch.threads, kernel.target.arch
    assert used is not None, "a kernel for CUDA has resources where its fork has"
    try:
        before = resource_figures(used, arch, threads)
        after = resource_figures(fork.resources, arch, threads)
    except LaunchError:  # an architecture of which no limits are published, or too much asked for
        before, after = resource_figures(used, arch), resource_figures(fork.resources, arch)
    return _compared(before, after)


def _compared(before: Sequence[Figure], after: Sequence[Figure]) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(a.label, a.value, b.value, b.note if a.value != b.value else "as before", b.warn)
        for a, b in zip(before, after, strict=True)
    )


def _run(kernel: Kernel, fork: RawKernel) -> tuple[tuple[Comparison, ...], str]:
    cupy = array_module(True)
    rng = np.random.default_rng(0)
    first = [_argument(param, rng) for param in kernel.params]
    one, two = ([_placed(cupy, value) for value in first] for _ in range(2))
    types = tuple(param.type for param in kernel.params)
    dynamic = shared_plan(kernel.module).dynamic_bytes
    launcher = GpuLauncher(fork.cubin.data, fork.entry.name, kernel.launch, types, dynamic)
    runs = {"original": kernel.prepare(*one), "fork": launcher.prepare(two)}
    try:
        for run in runs.values():
            run()
        worst = max(
            (_difference(a, b, p) for a, b, p in zip(one, two, kernel.params, strict=True)),
            default=0.0,
        )
        clock = EventClock()
        times = compare(runs, clock, budget_s=0.2)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise LaunchError(f"the GPU gives up on it: {error}", hint="restart the kernel") from None
    before, after = times["original"], times["fork"]
    first_time, second_time = time_text(before.median_us), time_text(after.median_us)
    faster = str(ratio(after, before))
    return (
        Comparison("largest difference", "0", f"{worst:.3g}", "measured", worst > 0),
        Comparison("time", first_time, second_time, f"measured, {faster} × the original"),
    ), f"Both ran on {clock.device} with the same random arguments."


def _argument(param: Parameter, rng: Any) -> Any:
    """Random floats; integers are 0 and 1, since they may be indices."""
    kind = param.type
    dtype = kind.dtype if isinstance(kind, TensorType) else kind
    try:
        number = np.dtype(dtype.numpy_name)
    except TypeError:
        raise LaunchError(f"no random {dtype} for {param.name} can be made here") from None
    shape = kind.extents if isinstance(kind, TensorType) else ()
    if number.kind == "f":
        values = rng.standard_normal(shape, dtype=np.float64)
    else:
        values = rng.integers(0, 2, shape)
    return np.asarray(values, dtype=number) if shape else number.type(values)


def _placed(cupy: Any, value: Any) -> Any:
    return cupy.asarray(value) if isinstance(value, np.ndarray) else value


def _difference(one: Any, two: Any, param: Parameter) -> float:
    if not param.written:
        return 0.0
    a, b = (np.asarray(each.get(), dtype=np.float64) for each in (one, two))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    gap = np.where(same, 0.0, np.abs(a - b))
    return float(np.nan_to_num(gap, nan=np.inf, posinf=np.inf).max(initial=0.0))
