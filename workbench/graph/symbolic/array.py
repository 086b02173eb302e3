"""Arrays that remember how they came about: what is computed of shapes while a model is read."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from workbench.base.lazy import lazy
from workbench.graph.symbolic.number import Symbol, steady
from workbench.graph.symbolic.operand import Operand
from workbench.graph.symbolic.tape import Tape, Traced, Untraceable, tape_of, traced

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")


class SymbolicArray(Operand):
    """An array of a tape, which acts like the array it stands for.

    What numpy makes of it is traced as well; to all else it shows its elements, and leaves a guard.
    """

    __slots__ = ()

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return np.ndarray

    def settled(self) -> np.ndarray:
        """The array itself; the tape then holds for no other."""
        self.tape.guard(_Equal(self.value), self)
        return self.value

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.tape.guard(_dtype, self)

    @property
    def ndim(self) -> int:
        """How many dimensions."""
        return self.tape.guard(np.ndim, self)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Its extents, traced where they may be others."""
        return tuple(steady(self.tape.call(_extent, self, d)) for d in range(self.ndim))

    @property
    def size(self) -> Any:
        """How many elements."""
        return self.tape.call(_size, self)

    @property
    def nbytes(self) -> Any:
        """Bytes of the elements [byte]."""
        return self.size * self.dtype.itemsize

    @property
    def T(self) -> Any:  # numpy's name
        """Transposed."""
        return self.transpose()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _METHODS:
            raise AttributeError(f"a traced array has no {name}")
        return lambda *args, **named: self.tape.call(_method, self, name, args, named)

    def __getitem__(self, index: Any) -> Any:
        return self.tape.call(operator.getitem, self, index)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[n] for n in range(len(self)))

    def __bool__(self) -> bool:
        return self.tape.guard(bool, self)

    def __int__(self) -> int:
        return int(self.settled())

    def __float__(self) -> float:
        return float(self.settled())

    def __index__(self) -> int:
        return operator.index(self.settled())

    def __array__(self, *args: Any, **named: Any) -> np.ndarray:
        return np.array(self.settled(), *args, **named)

    def __hash__(self) -> int:
        raise TypeError("unhashable type: an array that is traced")

    def __str__(self) -> str:
        return str(self.settled())

    def __repr__(self) -> str:
        return repr(self.settled())

    def __reduce__(self) -> str:
        raise Untraceable("a traced array cannot be pickled or copied")


_METHODS = frozenset(
    "all any argmax argmin astype clip copy cumprod cumsum flatten item max mean min prod ravel "
    "repeat reshape round squeeze sum swapaxes take tobytes transpose view".split()
)


def _binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def there(self: Any, other: Any) -> Any:
        return getattr(np, name)(self, other)

    def back(self: Any, other: Any) -> Any:
        return getattr(np, name)(other, self)

    return there, back


def _unary(name: str) -> Callable[..., Any]:
    def function(self: Any) -> Any:
        return getattr(np, name)(self)

    return function


for _name, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}.items():
    _there, _back = _binary(_function)
    setattr(SymbolicArray, f"__{_name}__", _there)
    setattr(SymbolicArray, f"__r{_name}__", _back)
for _name, _function in {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}.items():
    setattr(SymbolicArray, f"__{_name}__", _binary(_function)[0])
for _name, _function in {"neg": "negative", "abs": "absolute", "invert": "invert"}.items():
    setattr(SymbolicArray, f"__{_name}__", _unary(_function))


class _Equal:
    """Whether an array is another one, bit by bit."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __call__(self, other: np.ndarray) -> bool:
        mine = self._array
        same = mine.shape == other.shape and mine.dtype == other.dtype
        return same and mine.tobytes() == other.tobytes()


def _extent(array: np.ndarray, axis: int) -> int:
    return array.shape[axis]


def _size(array: np.ndarray) -> int:
    return array.size


def _dtype(array: np.ndarray) -> np.dtype[Any]:
    return array.dtype


def _method(array: np.ndarray, name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
    return getattr(array, name)(*args, **named)


def _item(number: Any) -> Any:
    return number.item()


def wrap(tape: Tape, place: int, value: Any) -> Any:
    """What stands for a value of a tape."""
    if isinstance(value, np.integer | np.bool_):
        return tape.call(_item, _Placed(tape, place, value))
    if isinstance(value, np.floating):
        # such a number keeps its width, as an array does and Python's number does not
        return tape.call(np.asarray, _Placed(tape, place, value))
    if isinstance(value, int | float):
        return Symbol(tape, place, value)
    if isinstance(value, np.ndarray):
        return SymbolicArray(tape, place, value)
    if isinstance(value, tuple | list):
        items = [
            tape.call(operator.getitem, _Placed(tape, place, value), n) for n in range(len(value))
        ]
        tape.guard(len, _Placed(tape, place, value))
        return type(value)(items)
    if value is None or isinstance(value, str | bytes):
        tape.guard(_identity, _Placed(tape, place, value))
        return value
    raise Untraceable(f"a {type(value).__name__} cannot be traced")


class _Placed(Traced):
    """Any value of a tape."""

    __slots__ = ()


def _identity(value: Any) -> Any:
    return value


def computed(function: Callable[..., Any], *operands: Any) -> Any:
    """What a function without effects gives, traced where an operand is."""
    tape = tape_of(*operands)
    return function(*operands) if tape is None else tape.call(function, *operands)


def decided(function: Callable[..., Any], *operands: Any) -> Any:
    """What a function gives by which it is decided how to go on, as it is; see `Tape.guard`."""
    tape = tape_of(*operands)
    return function(*operands) if tape is None else tape.guard(function, *operands)


def array(values: Any, kind: Any = None) -> Any:
    """Numbers as an array, traced where one of them is: ``numpy.asarray``."""
    return computed(np.asarray, values, kind)


def full(shape: Sequence[Any], value: np.ndarray) -> Any:
    """An array of one element everywhere, traced where its shape is: ``numpy.full``."""
    return computed(np.full, tuple(shape), value)


def arange(count: Any) -> Any:
    """The numbers below another one, traced where it is: ``numpy.arange``."""
    return computed(np.arange, count)


def taken(values: Any, indices: Any, axis: int, mode: Literal["raise", "clip"] = "raise") -> Any:
    """Elements of an array along an axis, traced where any of them is: ``numpy.take``."""
    return computed(_taken, values, indices, axis, mode)


def _taken(values: np.ndarray, indices: np.ndarray, axis: int, mode: Any) -> np.ndarray:
    return np.take(values, indices, axis, mode=mode)


def contiguous(value: Any) -> Any:
    """An array with its elements in order, also where it is traced."""
    if isinstance(value, Traced):
        return value.tape.call(_contiguous, value)
    return _contiguous(value)


def _contiguous(value: Any) -> np.ndarray:
    return np.ascontiguousarray(value).reshape(np.shape(value))


def reals(value: Any) -> list[Any]:
    """The elements of an array as Python's numbers, traced where they may be others."""
    if traced(value):
        flat = value.reshape(-1)
        return [steady(flat[n].item() + 0.0) for n in range(len(flat))]
    return [float(v) for v in np.asarray(value).reshape(-1)]


def integers(value: Any) -> list[Any]:
    """The elements of an array as whole numbers, traced where they may be others."""
    flat = value.reshape(-1)
    if traced(value):
        return [steady(flat[n]) for n in range(len(flat))]
    return [int(v) for v in flat]
