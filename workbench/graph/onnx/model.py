"""A model file as checked data: read, its names resolved, its nodes in order."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.onnx.frames import Body
from workbench.graph.onnx.functions import Functions
from workbench.graph.onnx.kept import Source, kept
from workbench.graph.onnx.node import Node, check_text, graphs_of
from workbench.graph.onnx.registry import opsets
from workbench.graph.onnx.types import array_of, dtype_of_elem
from workbench.graph.tensor import Tensor
from workbench.ir.types import Dim

if TYPE_CHECKING:
    import numpy as np
    import onnx
else:
    onnx = lazy("onnx")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What the importer needs to know of a model.

    Attributes
    ----------
    inputs : tuple of Tensor
        What a call must pass; unknown extents are Dims.
    body : Body
        Its graph.
    functions : Functions
        How operators without a row are expanded.
    proto : onnx.ModelProto
        The rest; where it is our own, without the weights of the graph.
    again : callable
        Gives the bytes of the whole, for who saves what is made of it.
    folder : Path or None
        Where it lies, for weights in files of their own.
    """

    name: str
    inputs: tuple[Tensor, ...]
    body: Body
    functions: Functions
    proto: onnx.ModelProto
    again: Callable[[], bytes]
    folder: Path | None


def read(source: Source) -> Model:
    """Read and check a model.

    Raises
    ------
    ModelError
        When it is no ONNX model, cut short, or inconsistent.
    UnsupportedOp
        Naming all operators that are not known, with the nodes that use them.
    """
    proto, folder = _proto(source)
    again = kept(source, proto)
    weights = weights_of(proto.graph, folder)
    if proto is not source:
        proto = _without_weights(proto)
    graph = proto.graph
    for each in proto.functions:
        check_text(each.name)
    functions = Functions.of(proto)
    body = body_of(graph, functions, weights, whole=True)
    _check_supported(body.nodes, functions)
    if not graph.output:
        raise ModelError("the model has no outputs")
    inputs = tuple(_input(v) for v in graph.input if v.name not in body.initializers)
    return Model(graph.name, inputs, body, functions, proto, again, folder)


def weights_of(graph: onnx.GraphProto, folder: Path | None) -> dict[str, np.ndarray]:
    """The initializers of a graph; those in files of their own are read from `folder`.

    Raises
    ------
    ModelError
        When one is there twice, or its data do not fit.
    """
    for each in graph.initializer:
        check_text(each.name)
    _check_once("initializer", [each.name for each in graph.initializer])
    return {t.name: array_of(t, folder) for t in graph.initializer}


def _without_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The rest of a message, in memory of its own: a message's memory is freed as a whole."""
    del proto.graph.initializer[:]
    rest = onnx.ModelProto()
    rest.CopyFrom(proto)
    return rest


def body_of(
    graph: onnx.GraphProto,
    functions: Functions,
    weights: Mapping[str, np.ndarray],
    whole: bool = False,
) -> Body:
    """A graph with its names resolved.

    Parameters
    ----------
    graph : onnx.GraphProto
        The whole of a model, or what a node carries.
    functions : Functions
        Opsets in force.
    weights : mapping of str to numpy.ndarray
        Its initializers.
    whole : bool
        Whether there is nothing around it that it could read.

    Raises
    ------
    ModelError
        When a name is missing or there twice, or nodes wait for one another.
    """
    check_text(graph.name)
    for each in (*graph.input, *graph.output):
        check_text(each.name)
    _check_once("input", [each.name for each in graph.input])
    if graph.sparse_initializer:
        raise ModelError("sparse initializers are not supported")
    nodes = [Node.of(n, functions.opset(n.domain)) for n in graph.node]
    inputs = tuple(v.name for v in graph.input if v.name not in weights)
    ordered = in_order(nodes, {*weights, *inputs}, whole)
    names = {*weights, *inputs, *(o for n in nodes for o in n.outputs)}
    for value in graph.output:
        if whole and value.name not in names:
            raise ModelError(f'the output "{shown(value.name)}" is made by no node')
    return Body(inputs, tuple(v.name for v in graph.output), ordered, weights)


def _check_once(kind: str, names: Sequence[str]) -> None:
    """Raise ModelError for a name that stands twice in a list of the graph."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(f'the {kind} "{shown(name)}" is listed twice')
        seen.add(name)


def _proto(source: Source) -> tuple[onnx.ModelProto, Path | None]:
    if isinstance(source, onnx.ModelProto):
        proto, folder, name = source, None, "this model"
    elif isinstance(source, bytes):
        proto, folder, name = _parsed(source, "the model"), None, "the model"
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {path.name!r}: {error.strerror}") from None
        except ValueError as error:  # a zero in it
            raise ModelError(f"{path.name!r} is no name of a file: {error}") from None
        name = repr(path.name)
        proto, folder = _parsed(data, name), path.parent
    else:
        raise ModelError(f"a model is a path, bytes or a ModelProto, not {type(source).__name__}")
    if not proto.HasField("graph") or not proto.opset_import:
        raise ModelError(
            f"{name} is no ONNX model: it holds no graph", hint="is the file complete?"
        )
    return proto, folder


def _parsed(data: bytes, name: str) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception as error:  # protobuf raises its own kinds, which differ by version
        if "Decode" not in type(error).__name__ and not isinstance(error, ValueError):
            raise
        raise ModelError(
            f"{name} ({len(data)} bytes) is no ONNX model, or is cut short",
            hint="download or export it again",
            notes=[str(error)],
        ) from None
    return proto


def _input(value: onnx.ValueInfoProto) -> Tensor:
    if not value.type.HasField("tensor_type"):
        raise UnsupportedOp(
            f'the input "{shown(value.name)}" is no tensor; only tensors are supported'
        )
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        raise ModelError(f'the input "{shown(value.name)}" does not say how many dimensions it has')
    shape = tuple(_extent(value.name, n, d) for n, d in enumerate(kind.shape.dim))
    return Tensor(value.name, dtype_of_elem(kind.elem_type), shape)


def _extent(name: str, place: int, dim: onnx.TensorShapeProto.Dimension) -> int | Dim:
    """A number, the name the model gives, or ``input_0`` where it gives none worth the word."""
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return dim.dim_value
    label = dim.dim_param if dim.HasField("dim_param") else ""
    return Dim(label if any(c.isalnum() for c in label) else f"{name}_{place}")


def _check_supported(nodes: Sequence[Node], functions: Functions) -> None:
    """Raise one error for all operators that have neither a row nor a body."""
    missing: dict[tuple[str, str, int], list[str]] = {}
    waiting = list(nodes)
    for node in waiting:
        # the list grows while it is read; `Node.of` holds how deep that goes
        inner = (n for g in graphs_of(node.proto) for n in g.node)
        waiting += [Node.of(n, functions.opset(n.domain)) for n in inner]
        if not functions.supported(node):
            missing.setdefault((node.domain, node.op, node.opset), []).append(node.name)
    if not missing:
        return
    notes: list[str] = []
    for (domain, op, opset), names in missing.items():
        known = opsets(domain, op)
        full = shown(f"{domain}.{op}" if domain else op)
        more = f", … ({len(names)} nodes)" if len(names) > 3 else ""
        rows = f"; known for opset {known}" if known else ""
        notes.append(f"{full} of opset {opset}: {', '.join(names[:3])}{more}{rows}")
    (domain, op, opset), *rest = missing
    count = f"{len(rest) + 1} operators are" if rest else f"the operator {shown(op)} is"
    raise UnsupportedOp(f"{count} not supported", notes=notes, op=op, opset=opset)


def in_order(nodes: Sequence[Node], known: set[str], whole: bool = True) -> tuple[Node, ...]:
    """The nodes so that each stands after what it reads; a model should have them so already.

    Parameters
    ----------
    nodes : sequence of Node
        Of one graph.
    known : set of str
        Names that are there from the beginning.
    whole : bool
        Whether they can read no other names.

    Raises
    ------
    ModelError
        When a name has no origin or two, or nodes wait for one another.
    """
    makers: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in makers or name in known:
                raise ModelError(
                    f'"{shown(name)}" is made twice, the second time by node "{node.name}"'
                )
            makers[name] = node
    for node in nodes if whole else ():
        _check_inputs(node, known, makers)
    return _sorted(nodes, makers)


def _sorted(nodes: Sequence[Node], makers: Mapping[str, Node]) -> tuple[Node, ...]:
    """The nodes so that each stands after its makers, else in the order they had."""
    place = {node: n for n, node in enumerate(nodes)}
    waits: dict[Node, set[Node]] = {}
    wakes: dict[Node, list[Node]] = {}
    for node in nodes:
        waits[node] = {makers[i] for i in (*node.inputs, *node.captured) if i in makers}
        for maker in waits[node]:
            wakes.setdefault(maker, []).append(node)
    ready = [place[node] for node in nodes if not waits[node]]
    ordered: list[Node] = []
    while ready:
        node = nodes[heapq.heappop(ready)]
        ordered.append(node)
        for other in wakes.get(node, ()):
            waits[other].discard(node)
            if not waits[other]:
                heapq.heappush(ready, place[other])
    if len(ordered) < len(nodes):
        done = set(ordered)
        names = ", ".join(n.name for n in nodes if n not in done)
        raise ModelError(f"these nodes wait for one another: {names[:200]}")
    return tuple(ordered)


def _check_inputs(node: Node, known: set[str], makers: Mapping[str, Node]) -> None:
    for name in filter(None, (*node.inputs, *node.captured)):
        if name not in known and name not in makers:
            raise ModelError(
                f'node "{node.name}" ({shown(node.op)}) reads "{shown(name)}", which is no input, '
                "no initializer and no output of a node",
                hint="is an initializer missing from the file?",
            )
