"""Script: a Python function as a source of kernels."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import cast as typed

from workbench.base.errors import ScriptError
from workbench.base.span import Span
from workbench.ir.expr import Var
from workbench.ir.module import Function, Level, Module
from workbench.ir.stmt import Declare, If, Return, Seq, Stmt
from workbench.ir.types import Dim, DType, TensorType
from workbench.script.context import Context, describe, is_tensor
from workbench.script.lower_expr import lower_expr
from workbench.script.lower_stmt import lower_body
from workbench.script.scope import Assigned, Binding, Kind, assigned
from workbench.script.signature import Param, outer_names, parameters, result_type
from workbench.script.source import Source, source_of


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A function of the script language, read but not yet translated.

    Attributes
    ----------
    name : str
        Name of the function.
    params : tuple of Param
        Its parameters.
    dims : tuple of str
        Names of the extents that a call binds, in the order in which they first appear.
    source : Source
        Text and tree.
    fn : function
        The Python function.
    """

    name: str
    params: tuple[Param, ...]
    dims: tuple[str, ...]
    source: Source = field(repr=False)
    fn: Callable[..., object] = field(repr=False)

    @classmethod
    def from_function(cls, fn: Callable[..., object]) -> Script:
        """Read a plain function.

        Raises
        ------
        ScriptError
            When there is no source text, or a parameter is not as scripts have them.
        """
        source = source_of(fn)
        plain = typed("FunctionType", fn)
        params = parameters(plain, source)
        dims = tuple(dict.fromkeys(d for p in params for d in p.dims))
        return cls(source.tree.name, params, dims, source, plain)

    @property
    def span(self) -> Span:
        """The place of the function's name."""
        return self.source.head()

    @property
    def text(self) -> str:
        """The function as written, decorators included."""
        return self.source.text

    @property
    def first_line(self) -> int:
        """Line of the first decorator in its file or cell, counted from 1."""
        return self.source.first_line

    def translate(self, dims: Mapping[str, int] | None = None) -> Module:
        """The kernel as a module of level `script`, device functions included.

        Parameters
        ----------
        dims : mapping of str to int
            A number for each of `self.dims`.

        Raises
        ------
        ScriptError
            At the place that is not part of the language.
        MappingError
            At a task mapping or layout that cannot be.
        """
        numbers = dict(dims or {})
        for name in self.dims:
            if name not in numbers:
                raise ScriptError(f"the extent {name} of {self.name} is not bound", self.span)
        module = _Making(numbers)
        kernel = module.function(self, None, None)
        if kernel.launch is None:
            raise ScriptError(
                f"{self.name} has no launch(...), so it is a device function and cannot run alone",
                self.span,
                "put launch(grid=..., block=...) on its first line to make it a kernel",
            )
        return Module(tuple(module.made), level=Level.SCRIPT, span=self.span)


class _Making:
    """A module under construction: each function is translated once."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        self.dims = dims
        self.made: list[Function] = []
        self.known: dict[object, Function] = {}
        self.open: list[Script] = []

    def device(self, ctx: Context, callee: object, node: ast.expr) -> Function | None:
        """The device function that `callee` makes; None when it is no script."""
        script = callee if isinstance(callee, Script) else getattr(callee, "script", None)
        if not isinstance(script, Script):
            return None
        if any(each.fn is script.fn for each in self.open):
            raise ctx.error(
                node, f"{script.name} calls itself", "device functions cannot recur; use a loop"
            )
        return self.function(script, ctx, node)

    def function(self, script: Script, caller: Context | None, node: ast.expr | None) -> Function:
        """The function that a script makes, and before it those it calls."""
        if script.fn in self.known:
            return self.known[script.fn]
        self.open.append(script)
        try:
            made = _translate(script, self)
        except RecursionError:
            raise ScriptError(
                f"{script.name} is nested too deeply to be translated", script.span
            ) from None
        self.open.pop()
        if caller is not None and node is not None and made.launch is not None:
            raise caller.error(node, f"{script.name} is a kernel; only device functions are called")
        taken = {each.name for each in self.made}
        number = 1
        while made.name in taken:
            made = replace(made, name=f"{script.name}_{number}")
            number += 1
        self.known[script.fn] = made
        self.made.append(made)
        return made


def _translate(script: Script, making: _Making) -> Function:
    body = script.source.tree.body
    fn = typed("FunctionType", script.fn)
    names = assigned(body)
    own = {p.name for p in script.params}
    ctx = Context(
        source=script.source,
        outer=outer_names(fn),
        dims=making.dims,
        # assigning a parameter gives it a second value
        assigned=Assigned(names.all, names.changing | (names.all & own)),
        evaluate=lower_expr,
        device=making.device,
        result=result_type(fn, script.source),
    )
    params = tuple(_param(ctx, each) for each in script.params)
    # the language's launch comes before the copies of parameters
    copies = [_bind(ctx, var) for var in params]
    lower_body(ctx, body)
    _check_kind(ctx, script)
    statements = [*(c for c in copies if c is not None), *ctx.bodies[0]]
    return Function(
        script.name,
        params,
        Seq(tuple(statements), span=script.span),
        ctx.launch,
        ctx.result,
        tuple(ctx.notes),
        span=script.span,
    )


def _param(ctx: Context, param: Param) -> Var:
    kind = param.annotation
    if isinstance(kind, TensorType):
        shape = tuple(ctx.dims[e.name] if isinstance(e, Dim) else e for e in kind.shape)
        kind = replace(kind, shape=shape)
    return Var(param.name, kind, span=param.span)


def _bind(ctx: Context, var: Var) -> Declare | None:
    """Make a parameter known by name; one that the body assigns becomes a local copy."""
    if is_tensor(var):
        ctx.scope.bind(var.name, Binding(var, Kind.TENSOR, var.span))
        return None
    if var.name not in ctx.assigned.all:
        ctx.scope.bind(var.name, Binding(var, Kind.VARIABLE, var.span))
        return None
    assert isinstance(var.type, DType)
    copy = Var(var.name, var.type, span=var.span)
    ctx.scope.bind(var.name, Binding(copy, Kind.VARIABLE, var.span))
    return Declare(copy, var, span=var.span)


def _check_kind(ctx: Context, script: Script) -> None:
    """Refuse a kernel with a result, and a device function with tensors or a missing result."""
    returns = script.source.tree.returns
    if ctx.launch is not None:
        if ctx.result is not None:
            where = ctx.span(returns) if returns else script.span
            raise ScriptError("a kernel returns nothing", where, "store the result in a tensor")
        return
    for param in script.params:
        if isinstance(param.annotation, TensorType):
            raise ScriptError(
                f"{script.name} has no launch(...), so it is a device function, and those take "
                f"numbers, not {describe(_param(ctx, param))}",
                param.span,
                "put launch(grid=..., block=...) on its first line to make it a kernel",
            )
    if ctx.result is not None and not _always_returns(ctx.bodies[0]):
        raise ScriptError(
            f"{script.name} does not return a value on every way through it",
            script.span,
            "end it with return",
        )


def _always_returns(body: list[Stmt] | tuple[Stmt, ...]) -> bool:
    """Whether no way through these statements reaches their end."""
    for stmt in body:
        match stmt:
            case Return():
                return True
            case Seq(body=inner) if _always_returns(inner):
                return True
            case If(then=then, orelse=other) if other is not None:
                if _always_returns((then,)) and _always_returns((other,)):
                    return True
            case _:
                pass
    return False
