"""From a checked model to a graph of compute definitions, for given extents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError, UnsupportedOp, WorkbenchError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.build import Builder, NeedsHost, NeedsValue
from workbench.graph.graph import Graph
from workbench.graph.onnx.functions import Functions, bound_nodes
from workbench.graph.onnx.model import Model, bind
from workbench.graph.onnx.registry import find, schema
from workbench.graph.onnx.rows_elementwise import snake
from workbench.graph.onnx.types import dtype_of_elem
from workbench.graph.operator import Operator
from workbench.graph.tensor import Tensor
from workbench.ir.types import Dim

if TYPE_CHECKING:
    import onnx

    from workbench.graph.onnx.node import Node
else:
    onnx = lazy("onnx")

_DEPTH = 16
_SKIPPED = "workbench.skipped"
Names = dict[str, Tensor]


def lower(model: Model, dims: Mapping[str, int]) -> Graph:
    """The model as compute definitions, every extent a number.

    What does not depend on the inputs is computed now: shapes, folded weights.

    Raises
    ------
    ModelError
        Naming the node that does not fit, or the dims that have no value.
    """
    b = Builder()
    inputs = bind(model.inputs, dims)
    names: Names = {t.name: t for t in inputs}
    for name, array in model.initializers.items():
        names[name] = b.constant(array, name)
    for node in model.nodes:
        b.origin = node.name
        _lower_node(b, node, names, model.functions, 0)
    outputs = tuple(_tensor(names, o) for o in model.outputs)
    kept = _reached(b, outputs)
    read = {t for op in kept for t in op.inputs} | set(outputs)
    constants = {t: a for t, a in b.constants.items() if t in read}
    return Graph(model.name, inputs, outputs, model.outputs, kept, constants)


def _reached(b: Builder, outputs: Sequence[Tensor]) -> tuple[Operator, ...]:
    """The operators that an output depends on."""
    needed = set(outputs)
    kept: list[Operator] = []
    for op in reversed(b.operators):
        if needed.intersection(op.outputs):
            kept.append(op)
            needed.update(op.inputs)
    return tuple(reversed(kept))


def _lower_node(b: Builder, node: Node, names: Names, functions: Functions, depth: int) -> None:
    b.wish = next((o for o in node.outputs if o), node.name)
    inputs = [_tensor(names, i) if i else None for i in node.inputs]
    row, before = find(node.domain, node.op, node.opset), len(b.operators)
    try:
        if row is None:
            found = _expand(b, node, inputs, functions, depth)
        else:
            while inputs and inputs[-1] is None:
                inputs.pop()
            _check_inputs(node, inputs)
            made = row.lower(node, b, *inputs)
            found = made if isinstance(made, tuple) else (made,)
    except NeedsValue as error:
        hint = "shapes, axes and the like must be known when compiling"
        raise ModelError(f'node "{node.name}" ({node.op}): {error}', hint=hint) from None
    except NeedsHost as error:
        raise UnsupportedOp(f'node "{node.name}" ({node.op}): {error}', op=node.op) from None
    except WorkbenchError as error:
        if depth or error.message.startswith("node "):
            raise
        kind = type(error) if isinstance(error, UnsupportedOp) else ModelError
        raise kind(
            f'node "{node.name}" ({node.op}): {error.message}', hint=error.hint, notes=error.notes
        ) from None
    for name, tensor in zip(node.outputs, found, strict=False):
        if name and tensor is not None:
            fresh = depth == 0 and len(b.operators) > before
            names[name] = b.name(tensor, name) if fresh else tensor


def _tensor(names: Names, name: str) -> Tensor:
    """The tensor of a name; every name has a node, but not every node gives all it lists."""
    if name not in names:
        raise ModelError(f'"{shown(name)}" is an output that its node does not give')
    return names[name]


def _check_inputs(node: Node, inputs: Sequence[Tensor | None]) -> None:
    """Hold the inputs of a node against ONNX's own description of the operator."""
    described = schema(node.domain, node.op, node.opset)
    if described is None:
        return
    least, most = described.min_input, described.max_input
    if not least <= len(inputs) <= most:
        takes = str(least) if least == most else f"{least} to {most}"
        raise ModelError(f"has {len(inputs)} inputs; the operator takes {takes}")
    first: dict[str, Tensor] = {}
    for place, tensor in enumerate(inputs):
        formal = described.inputs[min(place, len(described.inputs) - 1)]
        if tensor is None:
            if formal.option.name != "Optional":
                raise ModelError(f'its input "{formal.name}" is left out; the operator needs it')
        elif formal.is_homogeneous:
            other = first.setdefault(formal.type_str, tensor)
            if other.dtype != tensor.dtype:
                raise ModelError(f"{other} and {tensor} must have one number type")


def _expand(
    b: Builder, node: Node, inputs: Sequence[Tensor | None], functions: Functions, depth: int
) -> tuple[Tensor | None, ...]:
    """The outputs of a node that is defined by a function."""
    body = functions.body(node, inputs) if depth < _DEPTH else None
    if body is None:
        raise UnsupportedOp(
            f"the operator {node.op} of opset {node.opset} is not supported",
            op=node.op,
            opset=node.opset,
        )
    inner = functions.inside(body)
    names: Names = {n: t for n, t in zip(body.input, inputs, strict=False) if t is not None}
    for step in bound_nodes(body, node, inner):
        # an optional input that the caller left out is left out inside as well
        present = tuple(i if i in names else "" for i in step.inputs)
        _lower_node(b, replace(step, inputs=present), names, inner, depth + 1)
    return tuple(names.get(o) for o in body.output)


def outline(model: Model) -> Graph:
    """The model before its dims have values: its nodes, with what is known of their shapes."""
    tensors: Names = {t.name: t for t in model.inputs}
    guess = model.inputs[0].dtype
    shapes = _inferred(model.proto)
    constants = {
        Tensor(n, Builder().constant(a).dtype, a.shape): a for n, a in model.initializers.items()
    }
    tensors.update({t.name: t for t in constants})
    operators: list[Operator] = []
    for node in model.nodes:
        if node.op == "Constant":
            b = Builder()
            _lower_node(b, node, tensors, model.functions, 0)
            constants.update(b.constants)
            continue
        read = [tensors[i] for i in node.inputs if i]
        for name in filter(None, node.outputs):
            # most operators keep the number type
            kind = read[0].dtype if read else guess
            tensors[name] = shapes.get(name) or Tensor(name, kind, None)
        shown = tuple((k, str(v)) for k, v in node.attributes.items() if len(str(v)) < 40)
        inputs = dict.fromkeys(read)
        outputs = tuple(tensors[o] for o in node.outputs if o)
        name = snake(node.op)
        operators.append(Operator(name, tuple(inputs), outputs, None, (node.name,), shown))
    ends = tuple(tensors[o] for o in model.outputs)
    return Graph(model.name, model.inputs, ends, model.outputs, tuple(operators), constants)


def _harmless(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without what ONNX's inference cannot take.

    A negative extent, or one of 0 with a step backwards, ends the whole process in its rule for
    Slice (onnx 1.22, `std::clamp` with its ends swapped). Operators of no known domain it skips.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    del whole.functions[:]
    whole.opset_import.add(domain=_SKIPPED, version=1)
    for node in whole.graph.node:
        if node.op_type == "Slice":
            node.domain = _SKIPPED
    for value in (*whole.graph.input, *whole.graph.value_info, *whole.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value < 0:
                dim.ClearField("dim_value")
    return whole


def _inferred(proto: onnx.ModelProto) -> Names:
    """What ONNX itself infers of the shapes; nothing where it cannot."""
    try:
        whole = onnx.shape_inference.infer_shapes(_harmless(proto), data_prop=True)
    except Exception:  # it raises many kinds, and the outline does without
        return {}
    found: Names = {}
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
