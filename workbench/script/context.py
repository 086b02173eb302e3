"""What one translation knows: the source, the names, the statements made so far.

A *value* here is either an IR node, which the kernel computes when it runs, or any other Python
object, which is known at translation.
"""

from __future__ import annotations

import ast
import numbers
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING

from workbench.base.errors import ScriptError, WorkbenchError
from workbench.ir.build import Operand
from workbench.ir.expr import Expr, Var
from workbench.ir.module import Function, Launch
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, Seq, Stmt
from workbench.ir.traverse import locate
from workbench.ir.types import Dim, DType, TensorType
from workbench.script.names import Coordinate, Word
from workbench.script.scope import Assigned, Scope

if TYPE_CHECKING:
    from workbench.base.span import Span
    from workbench.script.source import Source

Value = object
_SIZES = ("blockDim", "gridDim")

Syntax = ast.expr | ast.stmt | ast.arg | ast.keyword


@dataclass(frozen=True, slots=True)
class Allocation:
    """A tensor that waits for its name."""

    type: TensorType


@dataclass(frozen=True, slots=True)
class Done:
    """The value of a call that has made its statement already."""


@dataclass
class Context:
    """One function under translation.

    Attributes
    ----------
    source : Source
        Its text and tree.
    outer : mapping of str to object
        Names from outside: builtins, globals and the closure.
    dims : mapping of str to int
        Numbers for the named extents.
    assigned : Assigned
        The names its body assigns.
    evaluate : callable
        Gives the value of an expression.
    device : callable
        Gives the device function that a script makes.
    scope : Scope
        What the names stand for.
    bodies : list of lists of Stmt
        Open blocks of statements, the outermost first.
    loops : list of str
        Kinds of the open loops: ``run`` or ``static``.
    launch : Launch or None
        Once it is known.
    result : DType or None
        Of a device function, once it is known.
    whole : ast.expr or None
        The expression that is a whole statement or the whole right side of one: the only place
        for atomics, and for what has no value.
    notes : list of str
        Lines for the reader: the task mappings.
    lets : dict of Var to Expr
        Local scalars that keep their first value.
    hoisted : dict of str to int
        Names that both branches of an open if bind, with the block before the if.
    """

    source: Source
    outer: Mapping[str, object]
    dims: Mapping[str, int]
    assigned: Assigned
    evaluate: Callable[[Context, ast.expr], Value]
    device: Callable[[Context, object, ast.expr], Function | None]
    scope: Scope = field(default_factory=Scope)
    bodies: list[list[Stmt]] = field(default_factory=lambda: [[]])
    loops: list[str] = field(default_factory=list)
    launch: Launch | None = None
    result: DType | None = None
    whole: ast.expr | None = None
    notes: list[str] = field(default_factory=list)
    lets: dict[Var, Expr] = field(default_factory=dict)
    hoisted: dict[str, int] = field(default_factory=dict)

    def span(self, node: Syntax) -> Span:
        """The place of a syntax node."""
        return self.source.span(node)

    def error(self, node: Syntax, message: str, hint: str | None = None) -> ScriptError:
        """A ScriptError at `node`, to be raised."""
        return ScriptError(message, self.span(node), hint)

    @contextmanager
    def at(self, node: Syntax) -> Iterator[None]:
        """Errors without a place get that of `node`."""
        try:
            yield
        except WorkbenchError as error:
            if error.span is not None:
                raise
            if type(error) is not WorkbenchError:
                error.span = self.span(node)
                raise
            raise ScriptError(
                error.message, self.span(node), error.hint, error.notes
            ) from error.__cause__

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        return self.evaluate(self, node)

    def whole_value(self, node: ast.expr) -> Value:
        """The value of a whole right side, where atomics may stand."""
        self.whole = node
        value = self.evaluate(self, node)
        self.whole = None
        return value

    def known(self, node: ast.expr, what: str) -> Value:
        """The value of an expression that must be known at translation."""
        value = self.value(node)
        if runs(value):
            raise self.error(
                node,
                f"{what} must be known at translation; this is {describe(value)}",
                self.why_variable(node),
            )
        return value

    def known_int(self, node: ast.expr, what: str) -> int:
        """An integer that is known at translation."""
        value = self.known(node, what)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(node, f"{what} must be an integer; this is {describe(value)}")
        return value

    def why_variable(self, node: ast.expr) -> str | None:
        """A hint, when `node` is no known number only for how it is written."""
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and ast.unparse(each.value) in _SIZES:
                return f"write the number that launch(...) is given instead of {ast.unparse(each)}"
            if isinstance(each, ast.Name) and each.id in self.assigned.changing:
                return (
                    f"{each.id} is assigned at more than one place, which makes it a variable "
                    "of the kernel; a name assigned once keeps a known number"
                )
        return None

    def operand(self, node: ast.expr) -> Operand:
        """The value of an expression that must be a number."""
        return self.number(node, self.value(node))

    def number(self, node: ast.expr, value: Value) -> Operand:
        """`value` as a number, or an error at `node`."""
        if isinstance(value, Expr):
            if isinstance(value.type, TensorType):
                assert isinstance(value, Var)
                raise self.error(
                    node,
                    f"{value.name} is a tensor {value.type}, not a number",
                    f"index it: {value.name}[{', '.join('ijklmn'[: len(value.type.shape)])}]",
                )
            if value.type is None:
                raise self.error(node, f"{ast.unparse(node)} has no value")
            return value
        if isinstance(value, bool | int | float):
            if isinstance(value, int) and not -(2**63) <= value < 2**64:
                raise self.error(node, f"{value} does not fit in 64 bits")
            return value
        raise self.error(node, f"a number is needed here; this is {describe(value)}")

    def holds(self, node: ast.expr, value: Value) -> bool:
        """Whether a value known at translation counts as true, as Python has it; what stands for
        something of the kernel is neither true nor false.
        """
        if is_tensor(value):
            self.number(node, value)
        if isinstance(value, Allocation | Done | Word | Coordinate):
            raise self.error(node, f"{describe(value)} is neither true nor false")
        return bool(self.python(node, bool, value))

    def python(self, node: Syntax, compute: Callable[..., object], *args: Value) -> Value:
        """What Python itself makes of values known now; its exception becomes an error here."""
        try:
            return plain(compute(*args), self.dims)
        except WorkbenchError:
            raise
        except Exception as error:
            raise self.error(node, f"{type(error).__name__}: {error}") from error

    def emit(self, stmt: Stmt) -> None:
        """Append a statement to the innermost open block; what it holds gets its place."""
        assert stmt.span is not None
        self.bodies[-1].append(locate(replace(stmt, span=None), stmt.span))

    @contextmanager
    def block(self, loop: str = "") -> Iterator[list[Stmt]]:
        """A block of statements with names of its own; `loop` is the kind, when it is a loop's."""
        self.scope.open()
        self.bodies.append([])
        if loop:
            self.loops.append(loop)
        yield self.bodies[-1]
        if loop:
            self.loops.pop()
        self.bodies.pop()
        self.scope.close()


def one(body: list[Stmt], span: Span | None) -> Stmt:
    """A block as one statement; a declaration alone keeps its scope."""
    if len(body) == 1 and not isinstance(body[0], Declare | Allocate):
        return body[0]
    return Seq(tuple(body), span=span)


def runs(value: Value) -> bool:
    """Whether a value, or something in it, exists only when the kernel runs; tensors do not
    count by themselves, for which tensor it is is known.
    """
    if isinstance(value, tuple | list):
        return any(runs(each) for each in value)
    return isinstance(value, Node) and not is_tensor(value)


def is_tensor(value: Value) -> bool:
    """Whether it is a tensor."""
    return isinstance(value, Var) and isinstance(value.type, TensorType)


def plain(value: object, dims: Mapping[str, int]) -> Value:
    """A Python object from outside as a value: a named extent becomes its number."""
    if isinstance(value, Dim):
        return dims.get(value.name, value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    # numpy's bool stands outside of Python's numbers
    return bool(value) if type(value).__name__ in ("bool_", "bool") else value


def describe(value: Value) -> str:
    """A value in a few words, for messages."""
    if isinstance(value, Var) and isinstance(value.type, TensorType):
        return f"the tensor {value.name}: {value.type}"
    if isinstance(value, Expr):
        return f"a value of the kernel ({value.type})"
    if isinstance(value, Allocation):
        return "a new tensor without a name"
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, Done) or value is None:
        return "nothing"
    if isinstance(value, Dim):
        return f"the extent {value.name}, which no parameter binds"
    if isinstance(value, DType):
        return f"the dtype {value}"
    if isinstance(value, bool | int | float | str):
        return repr(value)
    if runs(value):
        return f"a {type(value).__name__} with values of the kernel"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
