"""What becomes of one mutant: a WorkbenchError in order, the right answer, or a finding."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.reference
import onnxruntime

from tests.graph.fuzz.mutate import MARK
from workbench.base.errors import WorkbenchError
from workbench.graph import CompiledGraph, FlowGraph, from_onnx

Array = Any

# Errors of the file, its inputs or outputs; all others must name a node.
NO_NODE = re.compile(
    r"no ONNX model|the (input|output|initializer|name|dim|model)\b|the data of|opset|"
    r"is an output that its node|is made|wait for one another|has no outputs|not supported|"
    r"lies in|needs bytes|no valid place|sparse init|elements; kernels count|element type|"
    r"have? no value|function|cannot read|no name of a file|a model is a path|stand more than|"
    r"no memory for|is a sequence",
)
TOLERANCE = 1e-3
MOST_ELEMENTS = 2**20
DRAWN = frozenset(
    "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike".split()
)
LONGEST_LINE = 1000
OLDEST = 7
SMALL = 3
"""What open dims become."""


class Finding(Exception):
    """Something that must not be."""


def judge(source: Any, run: bool, target: str = "interp") -> str:
    """``ran``, ``imported``, or the error's first line; raises Finding or what escaped."""
    try:
        return _tried(source, run, target)
    except WorkbenchError as error:
        text = str(error)
        if not (NO_NODE.search(error.message) or "node " in text):
            raise Finding(f"names no node: {text}") from error
        if max(map(len, text.splitlines())) > LONGEST_LINE or not readable(text):
            raise Finding(f"cannot be read: {text[:300]!r}") from error
        return f"{type(error).__name__}: {error.message.splitlines()[0][:150]}"


def readable(text: str) -> bool:
    """Whether a text has nothing that moves a terminal's cursor or hides what follows."""
    return all(c == "\n" or c.isprintable() for c in text)


def _tried(source: Any, run: bool, target: str) -> str:
    flow = from_onnx(source)
    str(flow)
    graph = flow.bind(dict.fromkeys(flow.dims, SMALL)) if flow.dims else flow
    graph = graph.optimize()
    if not run or _elements(graph) > MOST_ELEMENTS or not all(t.bound for t in graph.inputs):
        return "imported"
    compiled = graph.compile(target)
    inputs = _inputs(graph)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        got = compiled(inputs)
        _check_sources(compiled)
        _compare(source, inputs, got)
    return "ran"


def _elements(graph: FlowGraph) -> int:
    """Work of a call, roughly: elements of all tensors, with what each reduction reads."""
    tensors = [t for op in graph.operators for t in (*op.inputs, *op.outputs)]
    total = sum(t.size for t in (*graph.inputs, *graph.outputs, *tensors) if t.bound)
    for op in graph.operators:
        if op.compute and op.compute.reduction:
            total += op.outputs[0].size * math.prod(op.compute.reduction.extents)
    return total


def _inputs(graph: FlowGraph) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {t.name: _array(t.extents, t.dtype.numpy_name, rng) for t in graph.inputs}


def _array(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> Array:
    if dtype.startswith("float"):
        return rng.uniform(0.1, 1, shape).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(dtype)
    # no zeros, by which nothing can be divided, and nothing beyond the end of most axes
    return rng.integers(1, 2, shape).astype(dtype)


def _check_sources(compiled: CompiledGraph) -> None:
    """Raise Finding where a hostile name stands in a source as code."""
    for kernel in compiled.kernels:
        bare = re.sub(r"/\*.*?\*/|(//|;|#)[^\n]*", "", kernel.source, flags=re.DOTALL)
        if re.search(rf"(?<!\w){MARK}(?!\w)", bare):
            raise Finding(f"a name of the model is code in {kernel.name}")
        if "\r" in kernel.source or "\x00" in kernel.source:
            raise Finding(f"a name of the model is in {kernel.name} as it was")


def _compare(source: Any, inputs: Mapping[str, Array], got: Mapping[str, Array]) -> None:
    """Raise Finding where ONNX's own reference gives another answer; it may give none."""
    proto = onnx.load(source) if isinstance(source, Path) else source
    proto = onnx.ModelProto.FromString(proto) if isinstance(proto, bytes) else proto
    if DRAWN & {node.op_type for node in proto.graph.node}:
        return
    if any(o.domain in ("", "ai.onnx") and o.version < OLDEST for o in proto.opset_import):
        return  # the reference has newer meanings of some operators only
    names = [o.name for o in proto.graph.output]
    try:
        onnx.checker.check_model(proto)
        wanted = list(onnx.reference.ReferenceEvaluator(proto).run(None, dict(inputs)))
    except (Exception, SystemExit):
        return
    try:
        _agree(names, wanted, got)
    except Finding:
        # the reference has mistakes of its own; a second one must agree with it
        other = _onnxruntime(proto, inputs)
        if other is not None:
            _agree(names, other, got)


def _onnxruntime(proto: onnx.ModelProto, inputs: Mapping[str, Array]) -> list[Any] | None:
    """What onnxruntime gives; None where it does not take the model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
        return list(session.run(None, dict(inputs)))
    except Exception:  # it raises many kinds
        return None


def _agree(names: Sequence[str], wanted: Sequence[Any], got: Mapping[str, Array]) -> None:
    """Raise Finding where answers differ."""
    for name, want in zip(names, wanted, strict=True):
        have = got[name]
        if not isinstance(want, np.ndarray | np.generic):
            continue
        if have.shape != want.shape or have.dtype != want.dtype:
            raise Finding(
                f"{name}: {have.dtype}{have.shape}, the reference gives {want.dtype}{want.shape}"
            )
        if have.size and not _near(have, want):
            raise Finding(f"{name}: {have.ravel()[:4]}, the reference gives {want.ravel()[:4]}")


def _near(have: Array, want: Array) -> bool:
    if have.dtype.kind != "f":
        return (
            bool((have == want).mean() > 0.99)
            if have.dtype.kind == "b"
            else np.array_equal(have, want)
        )
    a, b = have.astype(np.float64), want.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return False
    scale = float(np.abs(b[finite]).max(initial=1e-6))
    return np.allclose(a[finite], b[finite], rtol=TOLERANCE, atol=TOLERANCE * scale)
