"""Which rule of a pass made what: the pass once more, its rules watched while they work.

Rules are the functions and methods of `ir.arith`, `ir.arith_rules` and `passes.simplify`. They
leave no record, so the interpreter's profile hook tells when one returns, and with what. What
cannot be told apart from outside has no rule here, only its pass.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.ir import arith, arith_rules
from workbench.ir.arith_rules import Engine, Value, alike_exactly
from workbench.ir.expr import Const, Expr
from workbench.ir.stmt import For, If, Seq, Stmt, While
from workbench.ir.text import number, text
from workbench.ir.traverse import children, rebuild, walk
from workbench.passes import simplify

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from workbench.ir.module import Module
    from workbench.ir.node import Node
    from workbench.ir.target import Target
    from workbench.passes.base import Pass

MOST_NODES = 20_000
"""Of a module that is watched; a larger one would make people wait."""

MOST_CHARACTERS = 160
"""Of an expression in words."""

DEFINITION = "A definition is put in its place where that makes the expression no longer."
_HOW = ("rule", "closed", "again", "opaque", "exact", "span", "binary")  # of Engine: no rules


@dataclass(frozen=True, slots=True)
class RuleUse:
    """What a rule made of what.

    Attributes
    ----------
    rule, said : str
        Its name, and what it does.
    before, after : str
        The expression, or what became of a statement.
    """

    rule: str
    said: str
    before: str
    after: str


@dataclass(frozen=True)
class Uses:
    """Rules that worked, and by number of a statement which of these: in both texts."""

    rules: tuple[RuleUse, ...] = ()
    before: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    after: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])


@dataclass(frozen=True)
class _Found:
    use: RuleUse
    before: Node
    after: Node


def uses_of(each: Pass, before: Module, target: Target) -> Uses:
    """The rules that a pass used on a module.

    Parameters
    ----------
    each : Pass
        Any; most are one rule, and nothing is found in them.
    before : Module
        What went in.
    target : Target
        What it is for.
    """
    if sum(1 for _ in walk(before)) > MOST_NODES:
        return Uses()
    watch, outer = _Watch(), sys.getprofile()
    sys.setprofile(watch.event)
    try:
        after = each(before, target)
    finally:
        sys.setprofile(outer)
    rules = list(dict.fromkeys(found.use for found in watch.found))
    sides: list[dict[int, tuple[int, ...]]] = []
    for module, side in ((before, "before"), (after, "after")):
        owners = _owners(module)
        told: dict[int, dict[int, None]] = {}
        for found in watch.found:
            owner = owners.get(getattr(found, side))
            if owner is not None:
                told.setdefault(owner, {})[rules.index(found.use)] = None
        sides.append({owner: tuple(which) for owner, which in told.items()})
    return Uses(tuple(rules), *sides)


def _owners(module: Module) -> dict[Node, int]:
    """The number of each statement, and for an expression that of the one statement it is in."""
    numbers = number(module)
    owners: dict[Node, int] = dict(numbers)
    for stmt, its in numbers.items():
        if isinstance(stmt, Stmt):
            owners |= {child: its for child in children(stmt) if isinstance(child, Expr)}
    return owners


class _Watch:
    """Collects what the rules make, from the moments at which they return."""

    def __init__(self) -> None:
        self.found: list[_Found] = []
        self._held: list[tuple[bool, RuleUse]] = []  # in an expression; whether definitions are in
        self._inner: list[tuple[object, str, str]] = []  # results of rules, the innermost first

    def event(self, frame: FrameType, kind: str, result: object) -> None:
        """Told by the interpreter at each call and return."""
        name = _NAMES.get(frame.f_code)
        if name is None or kind not in ("call", "return"):
            return
        if kind == "call":
            if name == "simplify":
                self._held = []
        elif name in _STATEMENTS:
            self._statement(name, frame.f_locals, result)
        elif name == "simplify":
            self._expression(frame, result)
        elif name == "rule":
            self._rule(frame.f_locals, result)
        elif name == "final":
            self._final(frame, result)
        else:
            self._inner.append((result, name, _said(frame.f_code)))

    def _rule(self, local: dict[str, Any], result: object) -> None:
        """A node of an expression is done: which method made something else of it?"""
        inner, self._inner = self._inner, []
        node, parts = local["node"], local["parts"]
        if not isinstance(result, Value) or not isinstance(node, Expr):
            return
        plain = rebuild(node, dict(zip(children(node), (p.expr for p in parts), strict=True)))
        assert isinstance(plain, Expr)
        name, said = next(((n, s) for made, n, s in inner if made is result), ("", ""))
        if not name:  # no method of its own: numbers that are added up
            name, said = "constant", "What is known to be one number is that number."
            if not isinstance(result.expr, Const) or isinstance(node, Const):
                return
        if not alike_exactly(plain, result.expr):
            self._hold(local["self"].expand, name, said, plain, result.expr)

    def _final(self, frame: FrameType, result: object) -> None:
        value = frame.f_locals["value"]
        if isinstance(result, Expr) and result is not value.expr:
            outer = frame.f_back
            local = outer.f_locals if outer else {}
            expand = bool(local.get("expand", getattr(local.get("self"), "expand", False)))
            self._hold(expand, "sum", _said(frame.f_code), value.expr, result)

    def _hold(self, expand: bool, name: str, said: str, before: Expr, after: Expr) -> None:
        self._held.append((expand, RuleUse(name, said, _short(before), _short(after))))

    def _expression(self, frame: FrameType, result: object) -> None:
        """An expression is done: what was held for it counts, if a pass asked for it."""
        local, held = frame.f_locals, self._held
        self._held, self._inner = [], []
        expr, outer = local["expr"], frame.f_back
        asked = outer is not None and str(outer.f_globals["__name__"]).startswith(_PASSES)
        if not asked or result is expr or not isinstance(result, Expr):
            return
        expanded = result is local.get("expanded") and result is not local["kept"]
        if expanded:
            before = _short(local["kept"])
            held = [*held, (True, RuleUse("definition", DEFINITION, before, _short(result)))]
        for inside, use in held:
            if use.before != use.after and (expanded or not inside):
                self.found.append(_Found(use, expr, result))

    def _statement(self, name: str, local: dict[str, Any], result: Any) -> None:
        """A statement became another one, or nothing."""
        stmt, made = local["stmt"], getattr(result, "stmt", result)
        implied = isinstance(stmt, If) and local.get("then") is made
        if isinstance(made, type(stmt)) and not implied:
            return
        said = _fate(stmt, local, made)
        gone = "nothing" if isinstance(made, Seq) and not made.body else "its body"
        head = text(stmt).split("\n", 1)[0]
        use = RuleUse(_FATES[said], said, head[:MOST_CHARACTERS], gone)
        self.found.append(_Found(use, stmt, made))


_HOLDS, _NEVER = "The guard always holds.", "The condition never holds."
_IMPLIED = "The guard inside says all that this one says."
_EMPTY, _ONCE = "Its body does nothing.", "The loop has one turn."
_NO_TURN = "The loop has no turn."
_FATES = {
    _HOLDS: "guard",
    _NEVER: "guard",
    _IMPLIED: "guard",
    _EMPTY: "empty",
    _ONCE: "loop",
    _NO_TURN: "loop",
}


def _fate(stmt: If | For | While, local: dict[str, Any], made: object) -> str:
    """Why a statement is no more, read off what the function knew as it returned."""
    cond = local.get("cond")
    if isinstance(cond, Const) and not isinstance(stmt, For):
        return _HOLDS if cond.value else _NEVER
    if isinstance(stmt, If):
        return _IMPLIED if local.get("then") is made else _EMPTY
    if isinstance(stmt, For) and local["turns"].lo > local["turns"].hi:
        return _NO_TURN
    return _EMPTY if "body" in local else _ONCE


def _short(expr: Expr) -> str:
    said = text(expr)
    return said if len(said) <= MOST_CHARACTERS else said[: MOST_CHARACTERS - 1] + "…"


def _said(code: CodeType) -> str:
    """The first sentence of a rule's docstring."""
    return " ".join(_DOCS.get(code, "").partition("\n\n")[0].split())


_PASSES = "workbench.passes."
_STATEMENTS = ("_if", "_for", "_while")
_WATCHED: dict[str, Any] = {
    **{name: made for name, made in vars(Engine).items() if inspect.isfunction(made)},
    **{name: vars(simplify)[name] for name in _STATEMENTS},
    "simplify": arith.simplify,
    "final": arith_rules.final,
    "neutral": vars(arith_rules)["_neutral"],
}
_NAMES: dict[CodeType, str] = {
    made.__code__: name
    for name, made in _WATCHED.items()
    if name == "rule" or not (name in _HOW or name.startswith("__"))
}
_DOCS: dict[CodeType, str] = {
    made.__code__: inspect.getdoc(made) or "" for made in _WATCHED.values()
}
