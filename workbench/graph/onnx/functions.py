"""Operators that are defined by other operators: the model's own functions and ONNX's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.onnx.node import Node, graphs_of
from workbench.graph.onnx.registry import find, schema
from workbench.graph.symbolic.tape import traced

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")
    onnx = lazy("onnx")

_DEPTH = 16
"""How deep functions may call functions."""

MOST_NODES = 20_000
"""Nodes that a node may stand for: ten functions that call the next one ten times each make
10**10 of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Functions:
    """Opsets in force, and the functions a model brings along.

    Attributes
    ----------
    opsets : mapping of str to int
        Version per domain.
    local : mapping
        The model's own functions by domain and name.
    sizes : dict
        How many nodes calls come to, as far as it was asked: functions may double with each call.
    """

    opsets: Mapping[str, int]
    local: Mapping[tuple[str, str], onnx.FunctionProto] = field(repr=False)
    sizes: dict[tuple[object, ...], int | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, proto: onnx.ModelProto) -> Functions:
        """Those of a model.

        Raises
        ------
        ModelError
            For an opset that is newer than the onnx package here.
        """
        versions = {_domain(o.domain): o.version for o in proto.opset_import}
        for domain, version in versions.items():
            if not 1 <= version < 2**31:
                raise ModelError(f"{version} is no opset of the domain {domain or 'ai.onnx'!r}")
        newest = onnx.defs.onnx_opset_version()
        if versions.get("", 1) > newest:
            raise ModelError(
                f"the model asks for opset {versions['']}; the newest known is {newest}",
                hint="a newer onnx package may know it",
            )
        local = {(_domain(f.domain), f.name): f for f in proto.functions}
        return cls(versions, local)

    def opset(self, domain: str) -> int:
        """Version in force for a domain; 1 when the model does not say."""
        return self.opsets.get(_domain(domain), 1)

    def supported(self, node: Node) -> bool:
        """Whether a node has a row, or a body all of whose nodes are supported.

        Raises
        ------
        ModelError
            When functions that call functions make more nodes of it than any model has.
        """
        size = self._size(node, 0)
        if size is not None and size > MOST_NODES:
            raise ModelError(
                f'node "{node.name}" ({shown(node.op)}): its functions come to {size} nodes; '
                f"at most {MOST_NODES} are expanded"
            )
        return size is not None

    def _size(self, node: Node, depth: int) -> int | None:
        """How many nodes it is once expanded; None where one of them is not supported."""
        if find(node.domain, node.op, node.opset):
            return 1
        body = self._static_body(node)
        if body is None:
            described = schema(node.domain, node.op, node.opset)
            return 1 if described and described.has_context_dependent_function else None
        place = (node.domain, node.op, node.opset, *sorted(self.opsets.items()))
        if place not in self.sizes:
            self.sizes[place] = None  # until it is known: a function may call itself
            inner = self.inside(body)
            steps = [Node.of(n, inner.opset(n.domain)) for n in body.node]
            sizes = [inner._size(s, depth + 1) if depth < _DEPTH else None for s in steps]
            known = [size for size in sizes if size is not None]
            self.sizes[place] = 1 + sum(known) if len(known) == len(sizes) else None
        return self.sizes[place]

    def inside(self, body: onnx.FunctionProto) -> Functions:
        """The opsets that a function's own nodes live in."""
        versions = {_domain(o.domain): o.version for o in body.opset_import}
        return Functions({**self.opsets, **versions}, self.local, self.sizes)

    def _static_body(self, node: Node) -> onnx.FunctionProto | None:
        own = self.local.get((node.domain, node.op))
        if own is not None:
            return own
        described = schema(node.domain, node.op, node.opset)
        if described is None or not described.has_function:
            return None
        version = _fitting(described.function_opset_versions, node.opset)
        return _function(described.get_function_with_opset_version(version)) if version else None

    def body(self, node: Node, inputs: Sequence[Tensor | None]) -> onnx.FunctionProto | None:
        """The function that a node stands for, now that the types of its inputs are known."""
        static = self._static_body(node)
        if static is not None:
            return static
        described = schema(node.domain, node.op, node.opset)
        if described is None or not described.has_context_dependent_function:
            return None
        if node.text("reduction", "mean") not in ("none", "mean", "sum"):
            raise ModelError(f"the reduction {node.text('reduction')!r} is not known")
        version = _fitting(described.context_dependent_function_opset_versions, node.opset)
        if not version:
            return None
        kinds = [_type_proto(t).SerializeToString() for t in inputs]
        data = described.get_context_dependent_function_with_opset_version(
            version, node.proto.SerializeToString(), kinds
        )
        return _function(data)


def _function(data: bytes) -> onnx.FunctionProto:
    body = onnx.FunctionProto()
    body.ParseFromString(data)
    return body


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _fitting(versions: Sequence[int], opset: int) -> int | None:
    """The newest of the versions that is not newer than the opset."""
    return max((v for v in versions if v <= opset), default=None)


def _type_proto(tensor: Tensor | None) -> onnx.TypeProto:
    if tensor is None:
        return onnx.TypeProto()
    elem = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype.numpy_name))
    # a traced extent is not known: for it, a body has to do with what the others say
    extents = [None if traced(e) else e for e in tensor.extents]
    return onnx.helper.make_tensor_type_proto(elem, extents)


def bound_nodes(body: onnx.FunctionProto, node: Node, functions: Functions) -> list[Node]:
    """The nodes of a body with the caller's attributes filled in; names stay the body's."""
    described = schema(node.domain, node.op, node.opset)
    defaults = described.attributes if described else {}
    given = {name: a.default_value for name, a in defaults.items() if a.default_value.name}
    given |= {a.name: a for a in (*body.attribute_proto, *node.proto.attribute)}
    found: list[Node] = []
    for proto in body.node:
        filled = onnx.NodeProto()
        filled.CopyFrom(proto)
        _fill(filled, given)
        found.append(Node.of(filled, functions.opset(filled.domain)))
    return found


def _fill(node: onnx.NodeProto, given: Mapping[str, onnx.AttributeProto]) -> None:
    """Put the caller's attributes into a node, and into the graphs that it carries."""
    waiting = [node]
    for each in waiting:
        for attribute in [a for a in each.attribute if a.ref_attr_name]:
            name, source = attribute.name, given.get(attribute.ref_attr_name)
            if source is None:
                each.attribute.remove(attribute)
            else:
                attribute.CopyFrom(source)
                attribute.name = name
        waiting += [inner for graph in graphs_of(each) for inner in graph.node]
