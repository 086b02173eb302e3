"""Parameters of a script: their names and types, from its annotations."""

from __future__ import annotations

import ast
import builtins
import sys
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType

from workbench.base.errors import ScriptError, WorkbenchError
from workbench.base.span import Span
from workbench.ir.types import Dim, DType, TensorType, boolean
from workbench.script.scope import similar
from workbench.script.source import Source


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a script.

    Attributes
    ----------
    name : str
        As written.
    annotation : TensorType or DType
        A tensor, whose extents may be Dims, or a scalar.
    span : Span
        Where it stands.
    """

    name: str
    annotation: TensorType | DType
    span: Span

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the extents that a call binds."""
        if isinstance(self.annotation, DType):
            return ()
        return tuple(e.name for e in self.annotation.shape if isinstance(e, Dim))


def outer_names(fn: FunctionType) -> Mapping[str, object]:
    """The names that `fn` sees from outside: closure, then globals, then builtins."""
    closure: dict[str, object] = {}
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        try:
            closure[name] = cell.cell_contents
        except ValueError:  # a name that gets its value only later
            continue
    return ChainMap(closure, fn.__globals__, dict(vars(builtins)))


def parameters(fn: FunctionType, source: Source) -> tuple[Param, ...]:
    """The parameters of a script.

    Raises
    ------
    ScriptError
        A parameter without a type, with a default, or of a kind that calls cannot bind.
    """
    args = source.tree.args
    for odd in (args.vararg, args.kwarg):
        if odd is not None:
            raise ScriptError(
                f"*{odd.arg} is not part of the script language",
                source.span(odd),
                "write the parameters one by one",
            )
    for default in [*args.defaults, *(d for d in args.kw_defaults if d is not None)]:
        raise ScriptError(
            "parameters of a script have no defaults",
            source.span(default),
            "give every argument at the call",
        )
    return tuple(
        Param(arg.arg, _annotation(fn, source, arg), source.span(arg))
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]
    )


def _annotation(fn: FunctionType, source: Source, arg: ast.arg) -> TensorType | DType:
    if arg.annotation is None:
        hint = f"write {arg.arg}: f32[64, 8] for a tensor or {arg.arg}: i32 for a number"
        if arg.arg in ("self", "cls") and arg is source.tree.args.args[0]:
            hint = f"a script is no method: leave {arg.arg} out, or define it outside of the class"
        raise ScriptError(f"parameter {arg.arg} has no type", source.span(arg), hint)
    kind = _resolved(fn, source, arg.annotation, fn.__annotations__.get(arg.arg))
    if kind is bool:
        return boolean
    if isinstance(kind, DType):
        return kind
    if isinstance(kind, TensorType):
        _check_shape(source, arg.annotation, kind)
        return kind
    hint = "write f32[64, 8] for a tensor or i32 for a number"
    if kind is int or kind is float:
        hint = f"write {'i32 or i64' if kind is int else 'f32 or f64'}"
    raise ScriptError(
        f"parameter {arg.arg} has the annotation {ast.unparse(arg.annotation)}, which is no type "
        "of scripts",
        source.span(arg.annotation),
        hint,
    )


def _check_shape(source: Source, node: ast.expr, kind: TensorType) -> None:
    for extent in kind.shape:
        whole = isinstance(extent, int) and not isinstance(extent, bool)
        if not isinstance(extent, Dim) and not (whole and extent > 0):
            raise ScriptError(
                f"{extent!r} is no extent",
                source.span(node),
                'extents are positive integers or names: M, N = wb.dims("M N")',
            )


def result_type(fn: FunctionType, source: Source) -> DType | None:
    """The annotated result of a device function; None when there is none.

    Raises
    ------
    ScriptError
        A result that is no number.
    """
    node = source.tree.returns
    if node is None:
        return None
    kind = _resolved(fn, source, node, fn.__annotations__.get("return"))
    if kind is bool:
        return boolean
    if kind is None or isinstance(kind, DType):
        return kind
    raise ScriptError(f"a device function returns a number, not {kind!r}", source.span(node))


def _enclosing(fn: FunctionType) -> Mapping[str, object]:
    """The local names of the function that is just defining `fn`, if one is.

    An annotation that is a string leaves no trace in the closure of `fn`.
    """
    frame = sys._getframe()
    while frame is not None:
        if fn.__code__ in frame.f_code.co_consts:
            return frame.f_locals
        frame = frame.f_back
    return {}


def _resolved(fn: FunctionType, source: Source, node: ast.expr, value: object) -> object:
    """The annotation as an object; a string is evaluated where the function stands."""
    if not isinstance(value, str):
        return value
    names = ChainMap(dict(_enclosing(fn)), dict(outer_names(fn)))
    try:
        # annotations are the user's own code, like the function itself
        return eval(value, dict(names))
    except WorkbenchError as error:
        error.span = error.span or source.span(node)
        raise
    except NameError as error:
        near = similar(error.name or "", names)
        raise ScriptError(
            f"name {error.name!r} is not defined in the annotation {value}",
            source.span(node),
            f"did you mean {near}?" if near else "define it outside of any function",
        ) from None
    except Exception as error:
        raise ScriptError(
            f"the annotation {value} fails: {type(error).__name__}: {error}", source.span(node)
        ) from error
