"""The entries of `workbench bench`, and running them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.base.errors import WorkbenchError
from workbench.bench.figure import Bench, Figure, Settings, absent
from workbench.bench.fresh import empty_cache
from workbench.bench.fused import chain, rows
from workbench.bench.gpu import gpu
from workbench.bench.gpu_on_cpu import gpu_on_cpu
from workbench.bench.import_time import import_time
from workbench.bench.mapping_edit import mapping_edit
from workbench.bench.mapping_paint import mapping_paint
from workbench.bench.model import model
from workbench.bench.models import models, quantized
from workbench.bench.new_kernel import new_kernel
from workbench.bench.new_shape import new_shape
from workbench.bench.nvrtc_time import nvrtc_time
from workbench.bench.product_on_cpu import product_on_cpu
from workbench.bench.program_paint import program_paint
from workbench.bench.second_process import second_process
from workbench.bench.targets import targets


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to measure.

    Attributes
    ----------
    name : str
        What to call it on the command line.
    label : str
        The goal's number in the project's list of goals; empty where it has none.
    title : str
        What is measured, in words.
    run : callable
        From Settings to figures.
    """

    name: str
    label: str
    title: str
    run: Bench


ENTRIES: tuple[Entry, ...] = (
    Entry("import", "C10", "`import workbench` in a fresh process", import_time),
    Entry("new_kernel", "C1", "a new elementwise kernel, from definition to result", new_kernel),
    Entry("second_process", "C8", "the same kernel in a second process", second_process),
    Entry("new_shape", "", "a new shape for a model (ONNX), nothing cached", new_shape),
    Entry("mapping_edit", "C11", "from a mapping's text to its picture", mapping_edit),
    Entry("mapping_paint", "", "C11 in a browser: from a keystroke to the picture", mapping_paint),
    Entry("program_paint", "", "a kernel's Program screen, until it is painted", program_paint),
    Entry("chain", "C2", "eight elementwise operators as one kernel", chain),
    Entry("rows", "C3", "softmax and layer normalisation, each as one kernel", rows),
    Entry("product_on_cpu", "C4", "products of matrices on a CPU", product_on_cpu),
    Entry("gpu_on_cpu", "C5", "the GPU matmul, unmodified, on one CPU thread", gpu_on_cpu),
    Entry("nvrtc", "", "CUDA C++ to a cubin for sm_90a, nothing cached", nvrtc_time),
    Entry("targets", "", "six kernels on every target", targets),
    Entry("gpu", "", "six kernels on a GPU, beside its libraries", gpu),
    Entry("model", "", "a text-orientation classifier (ONNX) before and after fusion", model),
    Entry("models", "C9", "real models (ONNX) beside onnxruntime", models),
    Entry("quantized", "", "models in 8 bits beside onnxruntime", quantized),
)
"""All of them, in the order they run; what needs a quiet machine comes first."""


def chosen(names: Sequence[str]) -> tuple[Entry, ...]:
    """The entries with these names or labels; all of them when none is given.

    Raises
    ------
    WorkbenchError
        For a name that no entry has.

    Examples
    --------
    >>> [entry.name for entry in chosen(["c8", "nvrtc"])]
    ['second_process', 'nvrtc']
    """
    wanted = {name.lower() for name in names}
    known = {key for entry in ENTRIES for key in _keys(entry)}
    unknown = sorted(wanted - known)
    if unknown:
        raise WorkbenchError(
            f"no entry of the bench is called {', '.join(unknown)}",
            hint=f"one of {', '.join(entry.name for entry in ENTRIES)}",
        )
    return tuple(entry for entry in ENTRIES if not wanted or wanted & _keys(entry))


def run(entries: Sequence[Entry], settings: Settings) -> Iterator[tuple[Entry, list[Figure]]]:
    """Run entries one after the other, each with an empty cache of compiled kernels.

    An entry that fails gives one figure that says why; the others run all the same.

    Yields
    ------
    tuple of Entry and list of Figure
        When the entry is done.
    """
    for entry in entries:
        with empty_cache():
            try:
                figures = entry.run(settings)
            except (WorkbenchError, ImportError) as error:
                figures = [absent(entry.name, f"failed: {error}")]
        yield entry, figures


def _keys(entry: Entry) -> set[str]:
    return {entry.name, entry.label.lower()} - {""}
