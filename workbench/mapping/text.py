"""Read the text form of a mapping or a layout; every error points at the factor or number."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from workbench.base.errors import MappingError, ParseError
from workbench.base.span import Span
from workbench.mapping.auto import auto_map, predicated_auto_map
from workbench.mapping.check import check_attrs, check_extent, check_ranks, check_workers
from workbench.mapping.factor import commas
from workbench.mapping.layout import Layout, column_major, local, row_major, strided
from workbench.mapping.primitive import column_repeat, column_spatial, repeat, spatial
from workbench.mapping.task import TaskMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = TaskMapping | Layout
Argument = object
V = TypeVar("V", TaskMapping, Layout)

TEXT_LIMIT = 10_000
"""Most characters of a text: a person wrote it, or it was printed from a mapping."""

SHOWN_LIMIT = 400
"""Most characters of a text that an error shows."""

MAPPINGS = (spatial, repeat, column_spatial, column_repeat, auto_map, predicated_auto_map)
MAPPING_METHODS = ("spatial", "repeat", "column_spatial", "column_repeat", "projection")
LAYOUTS = (row_major, column_major, strided, local)
LAYOUT_METHODS = ("swizzle",)


def parse_mapping(text: str) -> TaskMapping:
    """Read a task mapping from its text; nothing in the text is run.

    The text has the primitives, `auto_map`, `predicated_auto_map`, ``*``, chained
    ``.repeat(…)``, ``.spatial(…)``, ``.projection({dim: 0})``, keywords, and integers with
    ``+ - * // %``.

    Parameters
    ----------
    text : str
        Such as ``repeat(4, 1) * spatial(16, 8)``, at most 10,000 characters.

    Raises
    ------
    ParseError
        The text is no mapping, or names a Python function, which a text cannot hold.
    MappingError
        The text is a mapping that cannot be; the span is that of the factor or number.

    Examples
    --------
    >>> parse_mapping("repeat(2*2, 1).spatial(16, 8)")
    repeat(4, 1) * spatial(16, 8)
    """
    names = {function.__name__: function for function in MAPPINGS}
    return _parse(_Reader(_line(text, "mapping"), "mapping", names, MAPPING_METHODS), TaskMapping)


def parse_layout(text: str) -> Layout:
    """Read a layout from its text; nothing in the text is run.

    Parameters
    ----------
    text : str
        Such as ``row_major(16, 16).swizzle(2, 2)``.

    Raises
    ------
    ParseError
        The text is no layout.
    MappingError
        The text is a layout that cannot be.

    Examples
    --------
    >>> parse_layout("row_major(2, 1) * strided((4, 4), (1, 4))").size
    32
    """
    names = {function.__name__: function for function in LAYOUTS}
    return _parse(_Reader(_line(text, "layout"), "layout", names, LAYOUT_METHODS), Layout)


def _line(text: object, what: str) -> str:
    """The text on one line, column for column."""
    if not isinstance(text, str):
        raise ParseError(f"a {what} is read from a str, not a {type(text).__name__}")
    if len(text) > TEXT_LIMIT:
        raise ParseError(f"{len(text)} characters are no {what}: at most {TEXT_LIMIT}")
    if not text.strip():
        raise ParseError(f"the text of the {what} is empty")
    return _BLANK.sub(" ", text)


_BLANK = re.compile(r"\s")


# CPython before 3.11.8 and 3.12.2 counts depth for all threads at once (gh-106905)
_PARSING = threading.Lock()


def _parse(reader: _Reader, kind: type[V]) -> V:
    try:
        with _PARSING:
            tree = ast.parse(reader.line.lstrip(), mode="eval").body
        value = _value(reader, tree)
    except SyntaxError as error:
        raise _syntax(reader, error) from None
    except (RecursionError, MemoryError):
        raise ParseError(f"the text of the {reader.what} is nested too deeply") from None
    except ValueError as error:
        raise ParseError(f"the {reader.what} cannot be read: {error}") from None
    assert isinstance(value, kind)
    return value


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is read, on one line, and which names it may use."""

    line: str
    what: str
    names: Mapping[str, Callable[..., Value]]
    methods: tuple[str, ...]

    def span(self, node: ast.expr | ast.keyword) -> Span:
        """Place of a node, in characters; of a chained call only its own part."""
        col, end_col = node.col_offset, node.end_col_offset or 0
        name = node.func if isinstance(node, ast.Call) else node
        if isinstance(name, ast.Attribute):
            col = (name.end_col_offset or 0) - len(name.attr.encode())
        line = self.line.lstrip().encode()
        return self.place(len(line[:col].decode()), len(line[:end_col].decode()))

    def place(self, col: int, end_col: int) -> Span:
        """A place in the line, which is made known to linecache so that the caret shows.

        Columns are those of the parsed text, which has no blanks in front.
        """
        line, lead = self.line, len(self.line) - len(self.line.lstrip())
        key = f"<{self.what} {hash(line):x}>"
        if len(line) <= SHOWN_LIMIT:
            linecache.cache[key] = (len(line), None, [line], key)
        return Span(f"<{self.what}>", 1, col + lead, 1, end_col + lead, key)

    def fail(self, node: ast.expr | ast.keyword, message: str, hint: str | None = None) -> NoReturn:
        """Raise a ParseError at a node."""
        raise ParseError(message, self.span(node), hint)

    def placed(self, error: MappingError, node: ast.expr | ast.keyword) -> MappingError:
        """The same error at a node."""
        return MappingError(error.message, self.span(node), error.hint, error.notes)


def _syntax(reader: _Reader, error: SyntaxError) -> ParseError:
    if "TaskMapping(" in reader.line:
        return ParseError(*_USER_FUNCTION)
    # Python gives no column when the text ends too early.
    col = error.offset - 1 if error.offset else len(reader.line.lstrip())
    end = max(col + 1, (error.end_offset or 0) - 1)
    return ParseError(f"the text is no {reader.what}: {error.msg}", reader.place(col, end))


_USER_FUNCTION = (
    "a mapping given by a Python function cannot be read from text",
    None,
    "make it in Python with TaskMapping(shape, workers, function)",
)


def _value(reader: _Reader, node: ast.expr) -> Value:
    """The mapping or layout that a node stands for; a long product does not nest."""
    factors: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factors.append(node.right)
        node = node.left
    value = _factor(reader, node)
    for right in reversed(factors):
        other = _value(reader, right)
        try:
            product = value * other  # pyright: ignore[reportOperatorIssue]
        except MappingError as error:
            raise reader.placed(error, right) from None
        assert isinstance(product, TaskMapping | Layout)
        value = product
    return value


def _factor(reader: _Reader, node: ast.expr) -> Value:
    match node:
        case ast.Call(func=ast.Name(id=name) as place):
            if name == "TaskMapping":
                reader.fail(node, _USER_FUNCTION[0], _USER_FUNCTION[2])
            if name not in reader.names:
                _unknown(reader, place, name, list(reader.names))
            return _call(reader, node, name, reader.names[name], None)
        case ast.Call(func=ast.Attribute(value=base, attr=name) as place):
            value = _value(reader, base)
            if name not in reader.methods:
                _unknown(reader, place, name, list(reader.methods))
            return _call(reader, node, name, getattr(type(value), name), value)
        case ast.BinOp():
            reader.fail(node, f"{reader.what}s are composed by * only")
        case ast.Name(id=name):
            call = f"write {name}(…)" if name in reader.names else None
            reader.fail(node, f"{name} alone is no {reader.what}", call)
        case _:
            reader.fail(node, f"{ast.unparse(node)} is no {reader.what}")


def _unknown(reader: _Reader, node: ast.expr, name: str, known: list[str]) -> NoReturn:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known here: {commas(known)}"
    reader.fail(node, f"unknown name {name}", hint)


def _call(
    reader: _Reader, node: ast.Call, name: str, function: Callable[..., Value], base: Value | None
) -> Value:
    """Call a known function with checked arguments, each error placed at its argument."""
    signature = inspect.signature(function)
    keywords: dict[str, Argument] = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in signature.parameters:
            known = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
            hint = f"{name} takes {commas(known)}" if known else f"{name} takes no keywords"
            reader.fail(keyword, f"{name} has no keyword {keyword.arg or '**'}", hint)
        keywords[keyword.arg] = _argument(reader, keyword.value)
    args = [_argument(reader, arg) for arg in node.args]
    if "shape" in signature.parameters and signature.parameters["shape"].kind is _STARRED:
        _check(reader, node, name, args, keywords)
    bases = () if base is None else (base,)
    try:
        signature.bind(*bases, *args, **keywords)
    except TypeError as error:
        reader.fail(node, f"{name}: {error}")
    try:
        return function(*bases, *args, **keywords)
    except MappingError as error:
        raise reader.placed(error, node) from None


_STARRED = inspect.Parameter.VAR_POSITIONAL


def _check(
    reader: _Reader, node: ast.Call, name: str, args: list[Argument], keywords: dict[str, Argument]
) -> None:
    """The checks that the function will make, here one by one, to know the place."""
    call = f"{name}({commas(map(repr, args))})"
    for dim, (value, place) in enumerate(zip(args, node.args, strict=True)):
        try:
            check_extent(call, dim, value)
        except MappingError as error:
            raise reader.placed(error, place) from None
    for keyword in node.keywords:
        value = keywords[keyword.arg or ""]
        try:
            match keyword.arg:
                case "ranks":
                    check_ranks(call, len(args), value)
                case "attrs":
                    check_attrs(call, len(args), value)
                case _:
                    check_workers(call, value)
        except MappingError as error:
            raise reader.placed(error, keyword) from None


def _argument(reader: _Reader, node: ast.expr) -> Argument:
    """A constant, a list, tuple or dict of constants, or integer arithmetic."""
    match node:
        case ast.Constant(value=value) if value is not Ellipsis:
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_argument(reader, item) for item in items]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_number(reader, k): _argument(reader, v) for k, v in pairs if k is not None}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(reader, operand)
        case ast.BinOp():
            return _arithmetic(reader, node)
        case _:
            reader.fail(
                node,
                f"{ast.unparse(node)} is no constant",
                "a text has numbers only; put the value in place of the name",
            )


def _number(reader: _Reader, node: ast.expr) -> int:
    value = _argument(reader, node)
    if not isinstance(value, int) or isinstance(value, bool):
        reader.fail(node, f"{ast.unparse(node)} is no whole number")
    return value


def _arithmetic(reader: _Reader, node: ast.BinOp) -> int:
    left, right = _number(reader, node.left), _number(reader, node.right)
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv() | ast.Mod() if right == 0:
            reader.fail(node.right, f"{ast.unparse(node)} divides by 0")
        case ast.FloorDiv():
            return left // right
        case ast.Mod():
            return left % right
        case _:
            reader.fail(node, f"{ast.unparse(node)} is not made of + - * // %")
