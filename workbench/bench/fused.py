"""C2, C3: what fusion makes of a chain of operators, of softmax and of layer normalisation.

Each is one kernel on prepared arrays, on one thread and on all, beside numpy (one operator after
the other, each with a new array) and onnxruntime with as many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.bench.figure import Figure, Goal, Settings, absent, duration, times
from workbench.bench.gpu_on_cpu import one_thread
from workbench.bench.turns import in_turns
from workbench.graph import from_onnx
from workbench.graph.workspace import room
from workbench.runtime.following import cores
from workbench.runtime.timing import Run, ratio

if TYPE_CHECKING:
    import numpy as np
    import onnx
else:
    np = lazy("numpy")
    onnx = lazy("onnx")

_CHAIN = (
    ("Mul", "x scale", "t0"), ("Add", "t0 shift", "t1"), ("Relu", "t1", "t2"),
    ("Mul", "t2 gain", "t3"), ("Sub", "t3 x", "t4"), ("Abs", "t4", "t5"),
    ("Min", "t5 top", "t6"), ("Neg", "t6", "y"),
)  # fmt: skip
_NUMBERS = {"scale": 1.1, "shift": 0.2, "gain": 0.7, "top": 5.0}


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """A model of one input and one output, and the goals of its ratios on one thread."""

    name: str
    shape: tuple[int, ...]
    nodes: Sequence[tuple[str, str, str]]
    beside_onnxruntime: Goal
    by_numpy: Callable[[Any], Any] | None = None
    beside_numpy: Goal | None = None


def _numpy_chain(x: Any) -> Any:
    f = np.float32
    t = np.maximum(x * f(1.1) + f(0.2), f(0)) * f(0.7) - x
    return -np.minimum(np.abs(t), f(5))


def chain(settings: Settings) -> list[Figure]:
    """C2: eight elementwise operators in a row on 4M floats."""
    size = (2**12,) if settings.quick else (2**22,)
    goals = Goal(2.5, at_least=True), Goal(8, at_least=True)
    return _figures(_Sample("chain of 8", size, _CHAIN, goals[0], _numpy_chain, goals[1]), settings)


def rows(settings: Settings) -> list[Figure]:
    """C3: softmax and layer normalisation along rows."""
    shape = (8, 64) if settings.quick else (4096, 1024)
    softmax = _Sample("softmax", shape, [("Softmax", "x", "y")], Goal(1.0, at_least=True))
    nodes = [("LayerNormalization", "x weight bias", "y")]
    norm = _Sample("layer norm", shape, nodes, Goal(1.3, at_least=True))
    return [*_figures(softmax, settings), *_figures(norm, settings)]


def _figures(sample: _Sample, settings: Settings) -> list[Figure]:
    made = _model(sample)
    compiled = from_onnx(made).optimize().compile("cpu")
    (kernel,) = compiled.kernels
    x = np.random.default_rng(0).standard_normal(sample.shape, dtype=np.float32)
    known = {t: a.reshape(t.storage.extents) for t, a in compiled.graph.constants.items()}
    y = room(np, x.shape, "float32", sample.name)  # as a call of the graph would have it
    y[...] = np.nan
    known |= {compiled.graph.inputs[0]: x, compiled.graph.outputs[0]: y}
    args = [known[t] for t in compiled.steps[0].tensors]
    figures: list[Figure] = []
    for threads in sorted({1, cores()}):
        ours = one_thread(kernel, args) if threads == 1 else kernel.prepare(*args)
        figures += _beside(sample, made, ours, x, y, threads, settings)
    return figures


def _beside(
    sample: _Sample,
    made: onnx.ModelProto,
    ours: Run,
    x: Any,
    y: Any,
    threads: int,
    settings: Settings,
) -> list[Figure]:
    where = f"{sample.name}, {threads} thread{'s' if threads > 1 else ''}"
    runs: dict[str, Run] = {"workbench": ours}
    if sample.by_numpy is not None and threads == 1:
        function = sample.by_numpy
        runs["numpy"] = lambda: function(x)
    session = _session(made, threads)
    if session is not None:
        runs["onnxruntime"] = lambda: session.run(None, {"x": x})
    found = in_turns(runs, settings.budget_s)
    figures = [duration(f"{name}, {where}", of) for name, of in found.items()]
    if "numpy" in runs:
        beside = ratio(found["numpy"], found["workbench"])
        figures.append(times(f"numpy ÷ workbench, {where}", beside, sample.beside_numpy))
    label, goal = f"onnxruntime ÷ workbench, {where}", sample.beside_onnxruntime
    if session is None:
        return [*figures, absent(label, "onnxruntime is not installed", goal, "×")]
    (want,) = session.run(None, {"x": x})
    assert float(np.abs(y - want).max()) < 1e-4, "the result is wrong"
    return [*figures, times(label, ratio(found["onnxruntime"], found["workbench"]), goal)]


def _model(sample: _Sample) -> onnx.ModelProto:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    rng = np.random.default_rng(1)
    weights = {k: np.float32(v) for k, v in _NUMBERS.items()}
    weights |= {k: rng.random(sample.shape[-1], dtype=np.float32) for k in ("weight", "bias")}
    used = {name for _, inputs, _ in sample.nodes for name in inputs.split()}
    graph = helper.make_graph(
        [helper.make_node(op, inputs.split(), [out]) for op, inputs, out in sample.nodes],
        "sample",
        [helper.make_tensor_value_info("x", kind, sample.shape)],
        [helper.make_tensor_value_info("y", kind, sample.shape)],
        [onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in weights.items() if n in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _session(made: onnx.ModelProto, threads: int) -> Any:
    """A session of onnxruntime; None where it is not installed."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(made.SerializeToString(), options, providers=providers)
