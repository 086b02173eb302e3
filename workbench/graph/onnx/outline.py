"""A model before its dims have values, and what ONNX itself infers of its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.base.errors import WorkbenchError
from workbench.base.lazy import lazy
from workbench.graph.build import Builder
from workbench.graph.graph import Graph
from workbench.graph.onnx.lengths import Lengths
from workbench.graph.onnx.registry import find
from workbench.graph.onnx.rows_elementwise import snake
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.operator import Operator
from workbench.graph.tensor import Tensor
from workbench.ir.types import Dim, f32

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.onnx.model import Model
else:
    onnx = lazy("onnx")

_SKIPPED = "workbench.skipped"
_LONGEST = 40
_SMALL = 1024
_SHORT = (int, float, str, list)


def outline(model: Model) -> Graph:
    """The model before its dims have values: its nodes, with what is known of their shapes."""
    tensors: dict[str, Tensor] = {t.name: t for t in model.inputs}
    guess = model.inputs[0].dtype if model.inputs else f32
    shapes = _inferred(model.proto, model.body.initializers)
    constants = {
        Tensor(n, Builder().constant(a).dtype, a.shape): a
        for n, a in model.body.initializers.items()
    }
    tensors.update({t.name: t for t in constants})
    operators: list[Operator] = []
    for node in model.body.nodes:
        if node.op == "Constant" and (row := find(node.domain, node.op, node.opset)):
            b = Builder(wish=node.outputs[0])
            try:
                made = row.lower(node, b)
            except WorkbenchError as error:
                raise type(error)(f'node "{node.name}" (Constant): {error.message}') from None
            assert isinstance(made, Tensor), "a Constant has one output"
            tensors[node.outputs[0]] = made
            constants.update(b.constants)
            continue
        read = [tensors[i] for i in (*node.inputs, *node.captured) if i]
        for name in filter(None, node.outputs):
            # most operators keep the number type
            kind = read[0].dtype if read else guess
            tensors[name] = shapes.get(name) or Tensor(name, kind, None)
        plain = {k: str(v) for k, v in node.attributes.items() if isinstance(v, _SHORT)}
        shown = tuple((k, v) for k, v in plain.items() if len(v) < _LONGEST)
        inputs = dict.fromkeys(read)
        outputs = tuple(tensors[o] for o in node.outputs if o)
        name = snake(node.op)
        operators.append(Operator(name, tuple(inputs), outputs, None, (node.name,), shown))
    ends = tuple(tensors[o] for o in model.body.outputs)
    return Graph(model.name, model.inputs, ends, model.body.outputs, tuple(operators), constants)


_DIVISORS = frozenset(
    "blocksize group num_heads num_outputs kv_num_heads q_num_heads strides dilations".split()
)
"""Attributes by which inference divides, or may."""


def _divides_by_nothing(attribute: onnx.AttributeProto) -> bool:
    values = attribute.ints or [attribute.i]
    return attribute.name in _DIVISORS and min(values) < 1


def _with_values(whole: onnx.ModelProto, lengths: Lengths) -> onnx.ModelProto:
    """A model with the shapes that ONNX infers, also from what shapes hold where that is safe.

    Following values it writes down every element of a vector whose length it knows.
    """
    found = onnx.shape_inference.infer_shapes(whole)
    ends = (*found.graph.input, *found.graph.value_info, *found.graph.output)
    kinds = {v.name: v.type.tensor_type for v in ends}
    vectors = [k.shape.dim[0] for k in kinds.values() if len(k.shape.dim) == 1]
    if any(dim.dim_value > _LONG for dim in vectors):
        return found
    for node in whole.graph.node:
        kind = kinds.get(node.output[0]) if node.output else None
        rank = len(kind.shape.dim) if kind is not None and kind.HasField("shape") else None
        known = rank == 1 and kind is not None and kind.shape.dim[0].HasField("dim_value")
        if node.op_type in _FILLS and rank in (1, None) and not known and lengths.open(node):
            # a length that only values tell, and that may be any
            node.domain = _SKIPPED
    return onnx.shape_inference.infer_shapes(whole, data_prop=True)


_LONG = 2**22
_FILLS = frozenset("ConstantOfShape Range Expand Tile Reshape Resize Upsample Pad".split())


def _harmless(
    proto: onnx.ModelProto, weights: Mapping[str, np.ndarray]
) -> tuple[onnx.ModelProto, Lengths]:
    """A copy without what ONNX's inference cannot take, and without weights.

    It would copy them twice; only of small ones, such as shapes, the numbers tell it something.

    A negative extent, or one of 0 with a step backwards, ends the whole process in its rule for
    Slice (onnx 1.22, `std::clamp` with its ends swapped); so do 0 heads in its rule for Attention
    (a division). A shape of 10**9 numbers makes it write down as many dimensions. Operators of no
    known domain it skips.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    del whole.functions[:]
    del whole.graph.initializer[:]
    known = {value.name for value in whole.graph.input}
    for name, array in weights.items():
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        if array.size <= _SMALL:
            whole.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        elif name not in known:
            value = onnx.helper.make_tensor_value_info(name, kind, array.shape)
            whole.graph.input.append(value)
    whole.opset_import.add(domain=_SKIPPED, version=1)
    graphs, lengths = [whole.graph], Lengths({n: a for n, a in weights.items() if a.size <= _SMALL})
    for graph in graphs:
        for node in graph.node:
            long = lengths.makes_many_dimensions(node)
            if long or node.op_type == "Slice" or any(map(_divides_by_nothing, node.attribute)):
                node.domain = _SKIPPED
            graphs += [a.g for a in node.attribute if a.HasField("g")]
            graphs += [g for a in node.attribute for g in a.graphs]
    for value in (*whole.graph.input, *whole.graph.value_info, *whole.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value < 0:
                dim.ClearField("dim_value")
    return whole, lengths


def _inferred(proto: onnx.ModelProto, weights: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """What ONNX itself infers of the shapes; nothing where it cannot."""
    try:
        whole = _with_values(*_harmless(proto, weights))
    except Exception:  # it raises many kinds, and the outline does without
        return {}
    found: dict[str, Tensor] = {}
    for value in (*whole.graph.value_info, *whole.graph.output):
        kind = value.type.tensor_type
        try:
            dtype = dtype_of_elem(kind.elem_type)
        except WorkbenchError:
            continue
        shape = None
        if kind.HasField("shape"):
            shape = tuple(
                d.dim_value
                if d.HasField("dim_value") and d.dim_value >= 0
                else Dim(d.dim_param or "?")
                for d in kind.shape.dim
            )
        found[value.name] = Tensor(value.name, dtype, shape)
    return found
