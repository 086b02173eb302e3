"""The view dataclasses as TypeScript interfaces: the browser's types are not written by hand."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from workbench.view.bundle import VIEWS

HEAD = """\
// Views as Python sends them. Made from the dataclasses in workbench/view by
// `python -m pytest tests/view --update-golden`; do not edit.
"""

_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def typescript(views: Iterable[type[Any]] = VIEWS) -> str:
    r"""The text of ``extension/src/viz/types.ts``.

    Parameters
    ----------
    views : iterable of dataclass
        Views; the dataclasses that their fields name come along, each before the first that
        names it.

    Raises
    ------
    TypeError
        A field has a type that JSON cannot hold, or two dataclasses have one name.

    Examples
    --------
    >>> from workbench.view.nest import LoopView
    >>> print(typescript([LoopView]).split("\n\n")[1])
    /** A loop from 0 to `extent`; `attr` is its loop attribute, empty when there is none. */
    export interface LoopView {
      name: string;
      extent: number;
      attr: string;
    }
    """
    views = tuple(views)
    known: dict[str, type[Any]] = {}
    for view in views:
        _collect(view, known)
    whole = [view for view in views if "kind" in get_type_hints(view)]
    names = " | ".join(view.__name__ for view in whole) or "never"
    versions = [f"{_fixed(view, 'kind')}: {_fixed(view, 'version')}" for view in whole]
    said = [
        f"/** Every view. */\nexport type View = {names};\n",
        "/** The version of each kind that these types describe. */\n"
        f"export const VERSIONS: Record<string, number> = {{ {', '.join(versions)} }};\n",
    ]
    return "\n".join([HEAD, *map(_interface, known.values()), *said])


def _collect(kind: type[Any], known: dict[str, type[Any]]) -> None:
    """Enter the dataclasses that a dataclass names, and then itself."""
    if kind in known.values():
        return
    if kind.__name__ in known:
        raise TypeError(f"two views name a {kind.__name__}: {kind} and {known[kind.__name__]}")
    for hint in get_type_hints(kind).values():
        for part in _parts(hint):
            if is_dataclass(part) and isinstance(part, type) and part is not kind:
                _collect(part, known)
    known[kind.__name__] = kind


def _parts(hint: Any) -> list[Any]:
    """A type and all that stand inside it."""
    if get_origin(hint) is Literal:
        return []
    return [hint, *(part for inner in get_args(hint) for part in _parts(inner))]


def _fixed(view: type[Any], name: str) -> object:
    """The one value that a field of a view may have."""
    (value,) = get_args(get_type_hints(view)[name])
    return value


def _interface(kind: type[Any]) -> str:
    hints = get_type_hints(kind)
    rows = "".join(f"  {f.name}: {_type(hints[f.name])};\n" for f in fields(kind))
    (doc, *_) = (kind.__doc__ or "").strip().split("\n\n")
    said = " ".join(doc.split())
    return f"/** {said} */\nexport interface {kind.__name__} {{\n{rows}}}\n"


def _type(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return " | ".join(f'"{a}"' if isinstance(a, str) else str(a).lower() for a in args)
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type, args))
    if origin is tuple:
        return _tuple(args)
    if origin is dict and args[0] is str:
        return f"Record<string, {_type(args[1])}>"
    if isinstance(hint, type) and is_dataclass(hint):
        return hint.__name__
    raise TypeError(f"{hint} has no place in a view")


def _tuple(args: tuple[Any, ...]) -> str:
    if len(args) == 2 and args[1] is Ellipsis:
        inner = _type(args[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    return f"[{', '.join(map(_type, args))}]"
