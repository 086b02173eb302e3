"""Numbers that remember how they came about."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.graph.symbolic.operand import Operand
from workbench.graph.symbolic.tape import Untraceable

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy("numpy")

_MARK = 10**40
"""What a number in a text is called that stands for a symbol: this and its place."""

_MARKED = re.compile(r"1(?=\d{40})0{20}(\d{20})(?:\.0)?")


class Symbol(Operand):
    """A number of a tape, which acts like the number it stands for.

    It is no `int` to C, which has to ask for its value; it is one to `isinstance`. Arithmetic
    gives symbols; comparisons and conversions give what they give for the number, and leave a
    guard. In a text it stands as a mark that `place_of` reads.
    """

    __slots__ = ()

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self.value)

    def settled(self) -> Any:
        """The number itself; the tape then holds for nothing else."""
        if self.tape.guard(operator.eq, self, self.value) is not True:
            raise Untraceable(f"{self.value} is not equal to itself")
        return self.value

    def item(self) -> Symbol:
        """Itself: what numpy gives for an array without dimensions acts like one."""
        return self

    any = all = min = max = item

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # what numpy gives without dimensions is an array as well
        if name not in _METHODS:
            raise AttributeError(f"a traced number has no {name}")
        return getattr(self.tape.call(np.asarray, self), name)

    def is_integer(self) -> bool:
        """Whether it is a whole number."""
        return self.tape.guard(_is_integer, self)

    def bit_length(self) -> Any:
        """Bits of its absolute value."""
        return self.tape.call(int.bit_length, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __index__(self) -> int:
        return operator.index(self.settled())

    def __int__(self) -> int:
        return int(self.settled())

    def __float__(self) -> float:
        return float(self.settled())

    def __hash__(self) -> int:
        # Not that of the number, which would bind the tape to it: in a set or dict a symbol is
        # found by itself. Extents are put there by who looks for what is surely the same, and
        # takes it for different otherwise (`ir.linear`); a comparison still leaves its guard.
        return hash((Symbol, self.place))

    def __bool__(self) -> bool:
        return self.tape.guard(bool, self)

    def __pos__(self) -> Any:
        return self.tape.call(int, self) if isinstance(self, bool) else self

    def __trunc__(self) -> Any:
        return self.tape.call(math.trunc, self) if isinstance(self, float) else +self

    def __round__(self, digits: int | None = None) -> Any:
        return self.tape.call(round, self, digits)

    def __str__(self) -> str:
        if isinstance(self, bool):
            return str(bool(self))
        number: Any = self
        if number < 0:
            return f"-{-number}"
        return f"{_MARK + self.place}{'.0' if isinstance(self, float) else ''}"

    def __repr__(self) -> str:
        return str(self)

    def __format__(self, spec: str) -> str:
        return format(self.settled(), spec) if spec else str(self)

    def __reduce__(self) -> str:
        raise Untraceable("a traced number cannot be pickled or copied")


def steady(number: Any) -> Any:
    """A number as it is where it has been the same in other calls as well, else itself.

    What is computed of other extents may be the same all the time, such as the size that all
    pictures are brought to. The tape then holds for that.
    """
    if isinstance(number, Symbol) and number.tape.steady(number.place):
        return number.settled()
    return number


def unmarked(text: str, word: Callable[[int], str]) -> str:
    """A text with words instead of symbols, each from its place in the tape."""
    return _MARKED.sub(lambda found: word(int(found[1])), text)


_METHODS = frozenset({"astype", "ravel", "reshape"})


def _is_integer(number: float) -> bool:
    return number.is_integer()


def place_of(word: str) -> int | None:
    """The place in the tape of a number in a text; None of a plain one."""
    found = _MARKED.fullmatch(word)
    return int(found[1]) if found else None


def marks(text: str) -> list[tuple[int, int, int]]:
    """Where symbols stand in a text, and their places in the tape."""
    return [(*found.span(), int(found[1])) for found in _MARKED.finditer(text)]


_NUMBERS = frozenset({int, float, bool, Symbol})


def _operand(value: Any) -> Any:
    """An operand of arithmetic; NotImplemented where it is no number."""
    if type(value) in _NUMBERS:
        return value
    return value.item() if isinstance(value, np.number | np.bool_) else NotImplemented


def _binary(function: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def there(self: Symbol, other: Any) -> Any:
        operand = _operand(other)
        return operand if operand is NotImplemented else self.tape.call(function, self, operand)

    def back(self: Symbol, other: Any) -> Any:
        operand = _operand(other)
        return operand if operand is NotImplemented else self.tape.call(function, operand, self)

    return there, back


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda self: self.tape.call(function, self)


def _compared(function: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def compare(self: Symbol, other: Any) -> Any:
        operand = _operand(other)
        if operand is NotImplemented:
            return operand
        if type(operand) is Symbol and operand.place == self.place and isinstance(self, int):
            return function(0, 0)
        return self.tape.guard(function, self, operand)

    return compare


_ARITHMETIC = "add sub mul floordiv mod truediv pow lshift rshift and or xor"
for _name in _ARITHMETIC.split():
    _there, _back = _binary(getattr(operator, f"__{_name}__"))
    setattr(Symbol, f"__{_name}__", _there)
    setattr(Symbol, f"__r{_name}__", _back)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Symbol, f"__{_name}__", _compared(getattr(operator, _name)))
for _name, _function in {
    "neg": operator.neg,
    "abs": abs,
    "invert": operator.invert,
    "floor": math.floor,
    "ceil": math.ceil,
}.items():
    setattr(Symbol, f"__{_name}__", _unary(_function))
