"""What numpy's functions make of traced values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.graph.symbolic.tape import Traced, Untraceable


class Operand(Traced):
    """A traced value that numpy's functions take, and give traced."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            raise Untraceable(f"{ufunc.__name__} changes what it is given")
        return self.tape.call(_universal, ufunc, method, list(inputs), options)

    def __array_function__(self, function: Any, types: Any, args: Any, named: Any) -> Any:
        del types
        if function.__name__ not in _FUNCTIONS or "out" in named:
            raise Untraceable(f"numpy.{function.__name__} of a traced value is not known")
        return self.tape.call(_function, function, args, named)


_FUNCTIONS = frozenset(
    "all any argmax argmin argwhere array_equal broadcast_to ceil clip concatenate cumsum dot "
    "expand_dims flip isin isscalar lexsort max mean min moveaxis nan_to_num ndim nonzero "
    "ones_like pad prod ravel repeat reshape roll round searchsorted shape size sort split "
    "squeeze stack sum swapaxes take take_along_axis tile transpose tril triu unique where "
    "zeros_like".split()
)
"""What changes nothing it is given."""


def _universal(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return getattr(ufunc, method)(*inputs, **options)


def _function(function: Any, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    return function(*args, **named)
