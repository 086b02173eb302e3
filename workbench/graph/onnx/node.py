"""One node of an ONNX graph, as the rows of the registry see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.build import NeedsValue
from workbench.graph.symbolic.array import integers

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    onnx = lazy("onnx")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node with its attributes as Python values.

    Attributes
    ----------
    op, domain : str
        Which operator; the domain of ONNX itself is empty.
    opset : int
        Version of the domain's operator set in force.
    name : str
        Its name in the model on one line, or ``Op of "output"``; for messages and as origin.
    inputs, outputs : tuple of str
        Names; an empty one stands for an optional tensor that is left out.
    attributes : mapping
        Numbers, text, lists of them, or TensorProto.
    proto : onnx.NodeProto
        Where it came from.
    captured : tuple of str
        What the graphs that it carries read from around them.
    """

    op: str
    domain: str
    opset: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)
    proto: onnx.NodeProto = field(repr=False)
    captured: tuple[str, ...] = ()

    @classmethod
    def of(cls, proto: onnx.NodeProto, opset: int) -> Node:
        """The view of a NodeProto."""
        outer = captured(proto)
        for text in (proto.op_type, proto.domain, proto.name, *proto.input, *proto.output, *outer):
            check_text(text)
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        outputs = tuple(proto.output)
        first = next((o for o in outputs if o), "nothing")
        name = shown(proto.name or f'{proto.op_type} of "{first}"')
        values = {
            a.name: _plain(onnx.helper.get_attribute_value(a))
            for a in proto.attribute
            if not a.ref_attr_name
        }
        return cls(
            proto.op_type,
            domain,
            opset,
            name,
            tuple(proto.input),
            outputs,
            values,
            proto,
            outer,
        )

    def number(self, key: str, default: int | None = None) -> int:
        """An integer attribute."""
        return self._typed(key, default, int, "a whole number")

    def real(self, key: str, default: float | None = None) -> float:
        """A floating-point attribute."""
        return float(self._typed(key, default, (int, float), "a number"))

    def text(self, key: str, default: str | None = None) -> str:
        """A text attribute."""
        return self._typed(key, default, str, "a text")

    def numbers(self, key: str, default: Sequence[int] | None = None) -> list[int]:
        """An attribute that is a list of integers."""
        values = list(self._typed(key, default, Sequence, "a list of whole numbers"))
        if not all(isinstance(v, int) for v in values):
            raise ModelError(f"the attribute {key} is no list of whole numbers")
        return values

    def tensor(self, key: str) -> onnx.TensorProto:
        """An attribute that is a tensor."""
        return self._typed(key, None, onnx.TensorProto, "a tensor")

    def graph(self, key: str) -> onnx.GraphProto:
        """An attribute that is a graph."""
        return self._typed(key, None, onnx.GraphProto, "a graph")

    def has(self, key: str) -> bool:
        """Whether the attribute is given."""
        return key in self.attributes

    def _typed(self, key: str, default: Any, kind: type | tuple[type, ...], what: str) -> Any:
        value = self.attributes.get(key, default)
        if value is None:
            raise ModelError(f"{self.op} needs the attribute {key}")
        if not isinstance(value, kind):
            raise ModelError(f"the attribute {key} is {value!r:.40}, not {what}")
        return value

    def known(self, b: Builder, tensor: Tensor | None, what: str) -> np.ndarray | None:
        """The value of an input that must be known now; None where it is left out.

        Raises
        ------
        NeedsValue
            When it depends on the call; the importer catches it.
        """
        if tensor is None:
            return None
        value = b.value(tensor)
        if value is None:
            raise NeedsValue([tensor], what)
        return value

    def ints(self, b: Builder, tensor: Tensor | None, what: str) -> list[int] | None:
        """A list of integers that must be known now; None where it is left out."""
        value = self.known(b, tensor, what)
        if value is not None and value.dtype.kind not in "iu":
            raise ModelError(f"{what} are {value.dtype}, not whole numbers")
        return None if value is None else integers(value)


DEEPEST = 64
"""Graphs inside graphs, functions inside functions."""


def graphs_of(proto: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs that a node carries: branches, the body of a loop."""
    return [a.g for a in proto.attribute if a.HasField("g")] + [
        g for a in proto.attribute for g in a.graphs
    ]


def captured(proto: onnx.NodeProto) -> tuple[str, ...]:
    """The names that the graphs of a node read from around them.

    Raises
    ------
    ModelError
        When graphs stand too deep in one another.
    """
    read: dict[str, None] = {}
    made: set[str] = set()
    level = graphs_of(proto)
    for _ in range(DEEPEST):
        if not level:
            return tuple(name for name in read if name and name not in made)
        for graph in level:
            made.update(i.name for i in (*graph.input, *graph.initializer))
            made.update(o for n in graph.node for o in n.output)
            read.update(dict.fromkeys(i for n in graph.node for i in n.input))
            read.update(dict.fromkeys(o.name for o in graph.output))
        level = [inner for graph in level for n in graph.node for inner in graphs_of(n)]
    raise ModelError(f"graphs stand more than {DEEPEST} deep in one another")


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def check_text(text: str | bytes) -> None:
    """Raise ModelError for a name that is no text; protobuf then hands out its bytes."""
    if isinstance(text, bytes):
        raise ModelError(f"the name {text!r} is no UTF-8", hint="is the file damaged?")


def axis_of(axis: int, rank: int) -> int:
    """`axis` counted from the front.

    Raises
    ------
    ModelError
        When there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} is not among the {rank} dimensions")
    # a plain number, which sets and dicts tell apart
    return index(axis) % rank


def given(*tensors: Tensor | None) -> tuple[Tensor, ...]:
    """The tensors that are not left out."""
    return tuple(t for t in tensors if t is not None)
