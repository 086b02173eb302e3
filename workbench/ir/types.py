"""Types of values: scalars with lanes, named extents, tensors. All have value equality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.mapping.layout import Layout


@dataclass(frozen=True, slots=True)
class DType:
    """A number type, or a short vector of one.

    Attributes
    ----------
    scalar : str
        Name without lanes: ``f16 bf16 f32 f64 i8 … i64 u8 … u64 bool``.
    kind : str
        ``f`` float, ``i`` signed, ``u`` unsigned, ``b`` bool.
    bits : int
        Size of one lane in memory [bit]; bool takes 8.
    lanes : int
        1 for a scalar.

    Examples
    --------
    >>> f32.vector(4).name, f32.vector(4).size_bytes, i64 == dtype("i64")
    ('f32x4', 16, True)
    """

    scalar: str
    kind: str
    bits: int
    lanes: int = 1

    @property
    def name(self) -> str:
        """``f32``, ``f32x4`` …"""
        return self.scalar if self.lanes == 1 else f"{self.scalar}x{self.lanes}"

    @property
    def size_bytes(self) -> int:
        """Size of one value with all its lanes [byte]."""
        return self.bits // 8 * self.lanes

    @property
    def is_float(self) -> bool:
        """Whether the lanes are floating point."""
        return self.kind == "f"

    @property
    def is_int(self) -> bool:
        """Whether the lanes are integers, signed or not; bool is none."""
        return self.kind in "iu"

    @property
    def numpy_name(self) -> str:
        """Name of the numpy dtype of one lane; ``bfloat16`` is that of ml_dtypes."""
        other = {"bf16": "bfloat16", "bool": "bool"}.get(self.scalar)
        return other or {"f": "float", "i": "int", "u": "uint"}[self.kind] + str(self.bits)

    def vector(self, lanes: int) -> DType:
        """The same number type with `lanes` lanes."""
        return self if lanes == self.lanes else replace(self, lanes=lanes)

    @property
    def element(self) -> DType:
        """The type of one lane."""
        return self.vector(1)

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value of an integer; of bool 0 and 1, of a float nothing of use.

        Examples
        --------
        >>> i8.bounds, u8.bounds
        ((-128, 127), (0, 255))
        """
        if self.kind == "i":
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1 if self.kind == "u" else 1

    def wrap(self, number: int) -> int:
        """`number` modulo 2**bits, in the range of this integer type."""
        low, high = self.bounds
        return number if low <= number <= high else (number - low) % 2**self.bits + low

    def __getitem__(self, shape: int | Dim | tuple[int | Dim, ...]) -> TensorType:
        return TensorType(self, shape if isinstance(shape, tuple) else (shape,))

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name


f16 = DType("f16", "f", 16)
bf16 = DType("bf16", "f", 16)
f32 = DType("f32", "f", 32)
f64 = DType("f64", "f", 64)
i8 = DType("i8", "i", 8)
i16 = DType("i16", "i", 16)
i32 = DType("i32", "i", 32)
i64 = DType("i64", "i", 64)
u8 = DType("u8", "u", 8)
u16 = DType("u16", "u", 16)
u32 = DType("u32", "u", 32)
u64 = DType("u64", "u", 64)
boolean = DType("bool", "b", 8)

SCALARS: dict[str, DType] = {
    t.scalar: t for t in (f16, bf16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean)
}


def dtype(name: str) -> DType:
    """The type called `name`, such as ``f32`` or ``f32x4``.

    Raises
    ------
    WorkbenchError
        When there is no such type.
    """
    scalar, mark, lanes = name.partition("x")
    if scalar not in SCALARS or (mark and not lanes.isdigit()):
        raise WorkbenchError(f"no dtype is called {name!r}", hint=f"one of {' '.join(SCALARS)}")
    return SCALARS[scalar].vector(int(lanes)) if mark else SCALARS[scalar]


@dataclass(frozen=True, slots=True)
class Dim:
    """An extent known by name until the call binds it to a number."""

    name: str

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name

    def _compute(self, other: object) -> NoReturn:
        """Say that a shape names its extents and computes none of them."""
        raise WorkbenchError(
            f"the extent {self.name} has no number before the call, so nothing is computed with it",
            hint="give that extent a name of its own: any shape is taken, and the script may "
            "check it with assert",
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _compute
    __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __mod__ = __rmod__ = _compute
    __lt__ = __le__ = __gt__ = __ge__ = _compute


def dims(names: str) -> tuple[Dim, ...] | Dim:
    """Named extents: ``M, N = dims("M N")``; a single name gives a single Dim."""
    found = tuple(Dim(n) for n in names.replace(",", " ").split())
    if not found or not all(d.name.isidentifier() for d in found):
        raise WorkbenchError(f"{names!r} is no list of names", hint='write dims("M N")')
    return found[0] if len(found) == 1 else found


class Scope(Enum):
    """Where a tensor lives."""

    GLOBAL = "global"
    SHARED = "shared"
    REGISTER = "register"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor: number type, extents, place and layout.

    Attributes
    ----------
    dtype : DType
        Type of one element, one lane.
    shape : tuple of int or Dim
        Extents; only annotations of scripts hold a Dim, IR holds numbers.
    scope : Scope
        Where the elements live.
    layout : Layout or None
        Index → address in elements; None is row-major.
    """

    dtype: DType
    shape: tuple[int | Dim, ...]
    scope: Scope = Scope.GLOBAL
    layout: Layout | None = None

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape as numbers; a Dim left in it is a bug of the caller."""
        shape = tuple(e for e in self.shape if isinstance(e, int))
        assert len(shape) == len(self.shape), f"unbound extents in {self}"
        return shape

    @property
    def size(self) -> int:
        """Elements of storage, which a layout may make more or fewer than the shape's product."""
        if self.layout is not None:
            return self.layout.size
        total = 1
        for extent in self.extents:
            total *= extent
        return total

    @property
    def size_bytes(self) -> int:
        """Storage [byte]."""
        return self.size * self.dtype.size_bytes

    def __str__(self) -> str:
        place = "" if self.scope is Scope.GLOBAL else f"{self.scope.value} "
        layout = "" if self.layout is None else f" @ {self.layout}"
        return f"{place}{self.dtype}[{', '.join(map(str, self.shape))}]{layout}"

    def __repr__(self) -> str:
        return str(self)


Type = DType | TensorType
