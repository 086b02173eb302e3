"""One engine to walk and rewrite IR, without recursion, so that depth costs nothing.

Binders and tensors of an access are no operands (see `node.REF`): `children` passes them by,
`rewrite(rename=…)` replaces them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from workbench.ir.expr import Var
from workbench.ir.module import Function
from workbench.ir.node import Node
from workbench.ir.stmt import Allocate, Declare, For, ForTask, If, Seq, Stmt, While

if TYPE_CHECKING:
    from workbench.base.span import Span

N = TypeVar("N", bound=Node)
T = TypeVar("T")
Rule = Callable[[Node], Node | None]
_WORD = re.compile(r"[A-Za-z_]+")


_PLAIN = frozenset(
    """int str float bool None tuple DType TensorType Type UnaryOp BinaryOp AtomicOp Reducer Launch
    Level TaskMapping""".split()
)
"""Words of the annotations of fields that hold no node; a field of other words is looked into."""


@cache
def _fields(kind: type[Node]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the operand fields and of the reference fields of a node class."""
    operands: list[str] = []
    refs: list[str] = []
    for field in fields(kind):
        if field.metadata.get("ref"):
            refs.append(field.name)
        elif field.name != "span" and not _PLAIN.issuperset(_WORD.findall(str(field.type))):
            operands.append(field.name)
    return tuple(operands), tuple(refs)


def children(node: Node) -> tuple[Node, ...]:
    """The operands of `node`, in the order of its fields."""
    return _reader(type(node))(node)


@cache
def _reader(kind: type[Node]) -> Callable[[Node], tuple[Node, ...]]:
    """What reads the operands of nodes of a class: the traversals spend their time there."""
    names = _fields(kind)[0]
    types = [str(f.type) for f in fields(kind) if f.name in names]
    if not names:
        return lambda _: ()
    read: Callable[[Node], Any] = attrgetter(*names)  # of several names a tuple
    if len(names) == 1 and types[0] in ("tuple[Expr, ...]", "tuple[Stmt, ...]"):
        return read
    if not {"Expr", "Stmt"}.issuperset(types):
        return lambda node: _operands(node, names)
    return read if len(names) > 1 else lambda node: (cast("Node", read(node)),)


def _operands(node: Node, names: tuple[str, ...]) -> tuple[Node, ...]:
    found: list[Node] = []
    for name in names:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(v for v in cast("tuple[object, ...]", value) if isinstance(v, Node))
    return tuple(found)


def references(node: Node) -> tuple[Var, ...]:
    """The variables that `node` binds, assigns or accesses as tensors."""
    found: list[Var] = []
    for name in _fields(type(node))[1]:
        value = getattr(node, name)
        found.extend((value,) if isinstance(value, Var) else value)
    return tuple(found)


def binders(node: Node) -> tuple[Var, ...]:
    """The variables that a statement brings into scope."""
    return references(node) if isinstance(node, Declare | Allocate | For | ForTask) else ()


def inner(node: Node) -> tuple[Stmt, ...]:
    """The statements directly below a function or statement."""
    match node:
        case Seq():
            return node.body
        case Function() | For() | ForTask() | While():
            return (node.body,)
        case If():
            return (node.then,) if node.orelse is None else (node.then, node.orelse)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it, parents first, in text order; a shared node each time."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(_reader(type(top))(top)[::-1])


def variables(node: Node) -> set[Var]:
    """Every variable that occurs below `node`, as operand or reference."""
    found, seen, stack = set[Var](), set[Node](), [node]
    while stack:
        each = stack.pop()
        if isinstance(each, Var):
            found.add(each)
        elif each not in seen:
            seen.add(each)
            found.update(references(each))
            stack.extend(_reader(type(each))(each))
    return found


def rewrite(node: N, rule: Rule, rename: Mapping[Var, Var] | None = None) -> N:
    """`node` with `rule` applied to every node below it, operands first.

    Parameters
    ----------
    node : Node
        Root; it is rewritten too.
    rule : callable
        Gets a node whose operands are rewritten already; gives its replacement, or None to keep
        it. The replacement is not visited again.
    rename : mapping of Var to Var, optional
        New variables for binders and tensors.

    Returns
    -------
    Node
        The same object where nothing changed. A node that is shared is rewritten once.
    """
    done: dict[Node, Node] = {}
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        top, ready = stack.pop()
        if top in done:
            continue
        below = _reader(type(top))(top)
        if below and not ready:
            stack.append((top, True))
            stack.extend([(c, False) for c in below if c not in done])
            continue
        same = not rename and all([done[c] is c for c in below])
        rebuilt = top if same else rebuild(top, done, rename)
        done[top] = rule(rebuilt) or rebuilt
    return cast("N", done[node])


def fold(
    node: Node, rule: Callable[[Node, tuple[T, ...]], T], done: dict[Node, T] | None = None
) -> T:
    """The value of `node`, made from the values of its operands, from the leaves up.

    Parameters
    ----------
    node : Node
        Root.
    rule : callable
        Gets a node and the values of its `children`, in their order.
    done : dict of Node to T, optional
        Values known before; the new ones are added. A shared node is computed once.
    """
    known: dict[Node, T] = {} if done is None else done
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        top, ready = stack.pop()
        if top in known:
            continue
        operands = _reader(type(top))(top)
        if ready or not operands:
            known[top] = rule(top, tuple([known[c] for c in operands]))
            continue
        stack.append((top, True))
        stack.extend([(c, False) for c in operands[::-1] if c not in known])
    return known[node]


def rebuild(node: Node, done: Mapping[Node, Node], rename: Mapping[Var, Var] | None = None) -> Node:
    """`node` with its operands, and the variables it names, replaced; itself if none is."""
    kind: type[Any] = type(node)
    operands, refs = _fields(kind)
    changes: dict[str, object] = {}
    for names, table in ((operands, done), (refs, rename)):
        for name in names if table else ():
            old = getattr(node, name)
            new = _mapped(old, cast("Mapping[Node, Node]", table))
            if new is not old:
                changes[name] = new
    # every other field stays, the span included
    return kind(**_values(kind)(node) | changes) if changes else node


@cache
def _values(kind: type[Node]) -> Callable[[Node], dict[str, Any]]:
    """What reads all fields of nodes of a class: `dataclasses.replace` asks about each."""
    names = [f.name for f in fields(kind) if f.init]
    read = attrgetter(*names)
    return lambda node: dict(zip(names, read(node), strict=True))


def _mapped(value: object, table: Mapping[Node, Node]) -> object:
    if isinstance(value, Node):
        return table.get(value, value)
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        new = tuple(table.get(v, v) if isinstance(v, Node) else v for v in items)
        return new if any(a is not b for a, b in zip(new, items, strict=True)) else items
    return value


def substitute(node: N, values: Mapping[Var, Node], rename: Mapping[Var, Var] | None = None) -> N:
    """`node` with each variable used as an operand replaced by its value."""
    return rewrite(node, lambda n: values.get(n) if isinstance(n, Var) else None, rename)


def locate(node: N, span: Span) -> N:
    """`node` with `span` on every node below it that has none; variables keep their own.

    A front end calls it on each expression as it is made, so only the newest layers are without.
    """
    if node.span is not None or isinstance(node, Var):
        return node
    done: dict[Node, Node] = {child: locate(child, span) for child in children(node)}
    return replace(rebuild(node, done), span=span)
