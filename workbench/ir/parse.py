"""The text form of a module, read back: `parse(text(m))` is alike `m`."""

from __future__ import annotations

from workbench.ir.expr import Const, Var
from workbench.ir.lex import Cursor
from workbench.ir.module import Function, Launch, Level, Module, Table
from workbench.ir.parse_expr import Env, expression
from workbench.ir.parse_stmt import block, declare, skip_remarks
from workbench.ir.parse_type import read_number, read_type
from workbench.ir.types import DType, Scope, TensorType


def parse(text: str, name: str = "<ir>") -> Module:
    """Read a module from its text.

    Parameters
    ----------
    text : str
        As `workbench.ir.text.text` writes it.
    name : str
        What errors call the text.

    Returns
    -------
    Module
        Not verified; its spans are places of the text.

    Raises
    ------
    ParseError
        With the place and what was expected there.

    Examples
    --------
    >>> module = parse('''
    ... func fill(a: f32[8]) launch(grid=1, block=8)
    ...   a[threadIdx.x] = 1.0
    ... ''')
    >>> module.kernel.launch.threads
    8
    """
    c = Cursor(text, name)
    try:
        return _module(c)
    except RecursionError:
        c.fail("this is nested too deeply to read")


def _module(c: Cursor) -> Module:
    level = Level.SCRIPT
    skip_remarks(c)
    if c.accept("level"):
        word = c.of_kind("name")
        if word.text not in [each.value for each in Level]:
            c.fail(f"there is no level {word.text!r}", word, "script or lowered")
        level = Level(word.text)
        c.of_kind("newline")
    tables: list[Table] = []
    functions: list[Function] = []
    scope: dict[str, Var] = {}
    results: dict[str, DType | None] = {}
    while c.token.kind != "end":
        if c.token.kind == "remark":
            c.take()
        elif c.at("table"):
            table_name, table = _table(c)
            tables.append(table)
            scope[table_name] = table.var
        else:
            functions.append(_function(c, Env(dict(scope), results)))
            results[functions[-1].name] = functions[-1].result
    if not functions:
        c.fail("a module needs at least one function")
    return Module(tuple(functions), tuple(tables), level)


def _table(c: Cursor) -> tuple[str, Table]:
    start = c.expect("table")
    name = c.of_kind("name")
    c.expect(":")
    kind = read_type(c, Scope.CONSTANT)
    if not isinstance(kind, TensorType):
        c.fail(f"a table is a tensor, not {kind}", start)
    c.expect("=")
    c.expect("[")
    values: list[int | float] = []
    env = Env({}, {})
    while not c.at("]"):
        number = expression(c, env)
        if not isinstance(number, Const):
            c.fail("a table holds numbers", start)
        values.append(number.value)
        if not c.accept(","):
            break
    c.expect("]")
    c.of_kind("newline")
    return name.text, Table(Var(name.text, kind), tuple(values), span=c.span(start))


def _function(c: Cursor, env: Env) -> Function:
    start = c.expect("func")
    name = c.of_kind("name")
    c.expect("(")
    params: list[Var] = []
    while not c.at(")"):
        param = c.of_kind("name")
        c.expect(":")
        params.append(declare(c, env, param, read_type(c)))
        if not c.accept(","):
            break
    c.expect(")")
    result: DType | None = None
    if c.accept("->"):
        kind = read_type(c)
        if not isinstance(kind, DType):
            c.fail(f"a function returns a number, not {kind}", start)
        result = kind
    launch = _launch(c) if c.at("launch") else None
    span = c.span(start)
    c.of_kind("newline")
    notes: list[str] = []
    while c.token.kind == "remark":
        notes.append(c.take().text)
    body = block(c, env)
    return Function(name.text, tuple(params), body, launch, result, tuple(notes), span=span)


def _launch(c: Cursor) -> Launch:
    c.expect("launch")
    c.expect("(")
    c.expect("grid")
    c.expect("=")
    grid = _extents(c)
    c.expect(",")
    c.expect("block")
    c.expect("=")
    block = _extents(c)
    c.expect(")")
    return Launch(grid, block)


def _extents(c: Cursor) -> tuple[int, int, int]:
    if not c.accept("("):
        return (read_number(c), 1, 1)
    found = [read_number(c)]
    while c.accept(",") and not c.at(")"):
        found.append(read_number(c))
    c.expect(")")
    if len(found) > 3:
        c.fail(f"a launch has up to 3 extents, not {len(found)}")
    x, y, z = (*found, 1, 1)[:3]
    return (x, y, z)
