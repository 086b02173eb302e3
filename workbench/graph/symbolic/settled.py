"""What holds traced numbers, with the numbers of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from workbench.graph.symbolic.number import unmarked
from workbench.graph.symbolic.tape import Traced, Untraceable, traced
from workbench.ir.expr import Const, Var
from workbench.ir.traverse import rewrite
from workbench.ir.types import TensorType

if TYPE_CHECKING:
    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute


class Settled:
    """Traced things as they are for some values of a tape.

    Parameters
    ----------
    values : mapping of int to object, or sequence
        What stands in each place that is asked for.
    """

    def __init__(self, values: Mapping[int, Any] | Sequence[Any]) -> None:
        self._values = values

    def value(self, value: Any) -> Any:
        """A number or array."""
        return self._values[value.place] if isinstance(value, Traced) else value

    def text(self, text: str) -> str:
        """A text in which numbers may stand."""
        return unmarked(text, lambda place: str(self._values[place]))

    def shape(self, extents: Sequence[Any]) -> tuple[int, ...]:
        """Extents."""
        return tuple(map(self.value, extents))

    def compute(self, compute: Compute) -> Compute:
        """A definition."""
        names = {
            v: Var(v.name, TensorType(v.tensor.dtype, self.shape(v.tensor.shape)))
            for v in (*compute.inputs, compute.output)
            if traced(v.tensor.shape)
        }
        whole = rewrite(compute, self._rule, names)
        # the inverse maps stand in pairs, which a rewrite does not enter
        inverse = tuple((names.get(v, v), rewrite(m, self._rule)) for v, m in compute.inverse)
        reduction = whole.reduction
        if reduction is not None:
            reduction = replace(reduction, extents=self.shape(reduction.extents))
        return replace(whole, reduction=reduction, inverse=inverse)

    def function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that may be bound to traced arguments; see `bound`."""
        return _rebuilt(function, self.value)

    def _rule(self, node: Node) -> Node | None:
        if isinstance(node, Const) and isinstance(node.value, Traced):
            return Const(self.value(node.value), node.type)
        return None


def bound(function: Callable[..., Any]) -> list[Traced]:
    """What is traced in the arguments that a function is bound to.

    Raises
    ------
    Untraceable
        Where something may be that cannot be looked into.
    """
    found: dict[int, Traced] = {}

    def leaf(each: Traced) -> Traced:
        return found.setdefault(each.place, each)

    _rebuilt(function, leaf)
    return list(found.values())


def _rebuilt(value: Any, leaf: Callable[[Traced], Any]) -> Any:
    """A value with others in place of what is traced in it."""
    if isinstance(value, Traced):
        return leaf(value)
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return kind(_rebuilt(v, leaf) for v in value)
    if kind is dict:
        return {k: _rebuilt(v, leaf) for k, v in value.items()}
    if kind is partial:
        args = (_rebuilt(v, leaf) for v in value.args)
        return partial(_rebuilt(value.func, leaf), *args, **_rebuilt(value.keywords, leaf))
    if kind is MethodType:
        return MethodType(value.__func__, _rebuilt(value.__self__, leaf))
    if is_dataclass(kind):
        parts = {f.name: _rebuilt(getattr(value, f.name), leaf) for f in fields(kind) if f.init}
        return replace(value, **parts)
    plain = isinstance(value, Enum) or kind.__module__.partition(".")[0] in _PLAIN
    if not plain or getattr(value, "__closure__", None) or _objects(value):
        raise Untraceable(f"what a {kind.__name__} is bound to cannot be looked into")
    return value


def _objects(value: Any) -> bool:
    """Whether it is an array of anything, texts apart."""
    kind = getattr(value, "dtype", None)
    return getattr(kind, "hasobject", False) and not all(isinstance(v, str) for v in value.flat)


_PLAIN = frozenset({"builtins", "numpy", "onnx"})
"""Where types are from that hold no traced number, but for those that are looked into."""
