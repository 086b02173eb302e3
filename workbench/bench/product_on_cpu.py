"""C4: products of f32 matrices on a CPU, beside numpy and onnxruntime with as many threads.

Squares are multiplied on one thread and on all, what layers have on one. In the shapes of layers
the right factor is a weight: onnxruntime gets it as a constant of the model, and both pack it
ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, times
from workbench.bench.gpu_on_cpu import NO_LIMITS, blas_threads, one_thread
from workbench.bench.turns import in_turns
from workbench.driver.build import compile_module
from workbench.graph.build import Builder
from workbench.graph.graph import Graph
from workbench.graph.ops.matmul import product
from workbench.graph.pack import pack_weights
from workbench.graph.tensor import Tensor
from workbench.ir.target import Target
from workbench.ir.types import f32
from workbench.runtime.following import cores
from workbench.runtime.timing import Run, ratio
from workbench.schedules import schedule

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_GOAL = Goal(1.0, at_least=True)
_SQUARE = (512, 1024, 2048, 2039)
_LAYERS = ((128, 768, 768), (128, 3072, 768), (128, 768, 3072), (1, 1000, 1280))
"""M, N, K of layers of BERT with 128 tokens, and of a classifier's head."""


def product_on_cpu(settings: Settings) -> list[Figure]:
    """Times and ratios for square matrices, and for the shapes of layers."""
    if settings.quick:
        return _beside((64, 64, 64), 1, weights=True, settings=settings)
    figures = [
        f
        for n in _SQUARE
        for threads in sorted({1, cores()})
        for f in _beside((n, n, n), threads, weights=False, settings=settings)
    ]
    return [*figures, *(f for s in _LAYERS for f in _beside(s, 1, weights=True, settings=settings))]


def _beside(
    size: tuple[int, int, int], threads: int, *, weights: bool, settings: Settings
) -> list[Figure]:
    m, n, k = size
    name = " × ".join(map(str, size)) + (f", {threads} threads" if threads > 1 else "")
    rng = np.random.default_rng(0)
    a = rng.standard_normal((m, k), dtype=np.float32)
    b = rng.standard_normal((k, n), dtype=np.float32)
    c = np.full((m, n), np.nan, np.float32)
    limited = blas_threads(threads)
    if limited is None:
        return [absent(f"numpy ÷ workbench, {name}", NO_LIMITS, _GOAL, "×")]
    beside = np.empty_like(c)
    runs: dict[str, Run] = {
        "workbench": _launch(a, b, c, threads, weights=weights),
        "numpy": lambda: np.matmul(a, b, out=beside),
    }
    theirs = _onnxruntime(a, b, threads, weights=weights)
    if theirs is not None:
        runs["onnxruntime"] = theirs
    with limited:
        found = in_turns(runs, settings.budget_s, pause_s=0.15)
    error = np.abs(c - a.astype(np.float64) @ b.astype(np.float64)).max() / np.sqrt(k)
    assert error < 1e-4, "the result is wrong"
    figures = [
        duration(f"{who}, {name}", of, facts={"GFLOP/s": 2 * m * n * k / of.median_us / 1e3})
        for who, of in found.items()
    ]
    figures.append(
        times(f"numpy ÷ workbench, {name}", ratio(found["numpy"], found["workbench"]), _GOAL)
    )
    label = f"onnxruntime{' (packed ahead)' if weights else ''} ÷ workbench, {name}"
    if theirs is None:
        return [*figures, absent(label, "onnx or onnxruntime is not installed", _GOAL, "×")]
    slower = ratio(found["onnxruntime"], found["workbench"])
    return [*figures, times(label, slower, _GOAL)]


def _launch(a: Any, b: Any, c: Any, threads: int, *, weights: bool) -> Run:
    """The product as a kernel; weights are packed ahead, as in a model that is compiled."""
    builder = Builder()
    left, right = Tensor("a", f32, a.shape), Tensor("b", f32, b.shape)
    out = product(builder, "matmul", left, right)
    constants = {right: b} if weights else {}
    inputs = (left,) if weights else (left, right)
    graph = Graph("product", inputs, (out,), ("c",), tuple(builder.operators), constants)
    packed = pack_weights(graph)
    (op,) = packed.operators
    arrays = {left: a, right: b, **packed.constants}
    kernel = compile_module(schedule(op.definition, Target("cpu")), "cpu")
    args = [*(arrays[t] for t in op.inputs), c]
    return one_thread(kernel, args) if threads == 1 else kernel.prepare(*args)


def _onnxruntime(a: Any, b: Any, threads: int, *, weights: bool) -> Run | None:
    """The product in a session; None where it is not installed."""
    try:
        import onnx  # pyright: ignore[reportMissingImports]
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    make = onnx.helper
    kinds = {
        name: make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(array.shape))
        for name, array in (("a", a), ("b", b))
    }
    out = make.make_tensor_value_info("c", onnx.TensorProto.FLOAT, [a.shape[0], b.shape[1]])
    graph = make.make_graph(
        [make.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [kinds["a"]] if weights else list(kinds.values()),
        [out],
        [onnx.numpy_helper.from_array(b, "b")] if weights else [],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feed = {"a": a} if weights else {"a": a, "b": b}
    return lambda: session.run(None, feed)
