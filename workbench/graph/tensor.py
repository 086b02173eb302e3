"""The edges of a flow graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from workbench.base.names import shown
from workbench.ir.expr import Var
from workbench.ir.types import Dim, DType, TensorType


class _Text(DType):
    """The type of strings; numpy keeps them as objects."""

    __slots__ = ()

    @property
    def numpy_name(self) -> str:
        return "object"


text = _Text("text", "s", 64)
"""Strings: host calls read and give them, kernels never."""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value that flows between operators. Identity is what counts.

    Attributes
    ----------
    name : str
        As the model calls it; any text.
    dtype : DType
        Type of one element.
    shape : tuple of int or Dim, or None
        Extents; a Dim until the graph is bound; None where not even the rank is known before.
    """

    name: str
    dtype: DType
    shape: tuple[int | Dim, ...] | None

    @property
    def bound(self) -> bool:
        """Whether every extent is a number."""
        return self.shape is not None and all(isinstance(e, int) for e in self.shape)

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape as numbers; asking an unbound tensor is a bug of the caller."""
        assert self.shape is not None, f"{self.name} has no shape yet"
        assert Dim not in map(type, self.shape), f"{self.name} has unbound extents {self.shape}"
        return cast("tuple[int, ...]", self.shape)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.extents)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.extents)

    @property
    def size_bytes(self) -> int:
        """Storage [byte]."""
        return self.size * self.dtype.size_bytes

    @property
    def storage(self) -> TensorType:
        """The type a kernel sees; a tensor of rank 0 is stored as one of shape (1,)."""
        return TensorType(self.dtype, self.extents or (1,))

    def variable(self) -> Var:
        """A fresh IR variable for it."""
        return Var(self.name, self.storage)

    def __str__(self) -> str:
        shape = "?" if self.shape is None else ", ".join(map(str, self.shape))
        return f"{shown(self.name)}: {self.dtype}[{shown(shape)}]"
