"""A screen's state as a short text: ``kw1:mapping?text=spatial(4)&worker=3``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from workbench.base.errors import WorkbenchError

VERSION = 1
LENGTH_LIMIT = 20_000
"""Most characters of a link."""

NUMBERS = ("worker", "step", "link", "group", "node", "edge", "trial", "stage")
"""Keys of a selection that are whole numbers."""

NAMES_LIMIT = 16
"""Most names of ``panes``, the texts that are open in a program screen."""

_FORM = re.compile(r"kw(\d{1,9}):([a-z]\w*)\?(.*)", re.DOTALL)
_PLAIN = "(),*[]{}:="
_EXAMPLE = "a link looks like kw1:mapping?text=spatial(4)&worker=3"


@dataclass(frozen=True, slots=True)
class Place:
    """What a link names.

    Attributes
    ----------
    kind : str
        Of the view.
    state : mapping of str to str
        What the screen shows, beside its object: a mapping's ``text``.
    selection : mapping
        What is picked in it.
    """

    kind: str
    state: Mapping[str, str]
    selection: Mapping[str, Any]


def is_link(text: str) -> bool:
    """Whether a text is meant as a link.

    Examples
    --------
    >>> is_link("kw1:mapping?text=spatial(4)"), is_link("spatial(4)")
    (True, False)
    """
    return re.match(r"kw\d+:", text) is not None


def link_text(place: Place) -> str:
    """A place as text.

    Examples
    --------
    >>> link_text(Place("mapping", {"text": "spatial(4, 2)"}, {"worker": 3, "step": None}))
    'kw1:mapping?text=spatial(4,+2)&worker=3'
    """
    picked = place.selection
    pairs = [*place.state.items()]
    pairs += [(key, str(picked[key])) for key in NUMBERS if picked.get(key) is not None]
    if picked.get("mapping") and "text" not in place.state:
        pairs.append(("mapping", str(picked["mapping"])))
    if picked.get("panes"):
        pairs.append(("panes", ",".join(map(str, picked["panes"]))))
    said = "&".join(f"{key}={quote_plus(value, safe=_PLAIN)}" for key, value in pairs)
    return f"kw{VERSION}:{place.kind}?{said}"


def parse_link(text: str) -> Place:
    """Read a link.

    Raises
    ------
    WorkbenchError
        The text is no link, is of a newer version, or holds what no link can.

    Examples
    --------
    >>> parse_link("kw1:mapping?text=spatial(4,+2)&worker=3").selection
    {'worker': 3}
    """
    if len(text) > LENGTH_LIMIT:
        raise WorkbenchError(f"{len(text)} characters are no link: at most {LENGTH_LIMIT}")
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise WorkbenchError(f"{text[:60]!r} is no link to a screen", hint=_EXAMPLE)
    version, kind, rest = found.groups()
    if int(version) != VERSION:
        raise WorkbenchError(
            f"the link has version {version}, this workbench reads version {VERSION}",
            hint="update kernel-workbench" if int(version) > VERSION else None,
        )
    state: dict[str, str] = {}
    selection: dict[str, Any] = {}
    for key, value in parse_qsl(rest, keep_blank_values=True):
        if key in selection or key in state:
            raise WorkbenchError(f"the link names {key[:40]} twice")
        if key in NUMBERS:
            selection[key] = _number(key, value)
        elif key == "mapping":
            selection[key] = value
        elif key == "panes":
            selection[key] = value.split(",")[:NAMES_LIMIT]
        elif key == "text":
            state[key] = value
        else:
            known = ", ".join(("text", "mapping", "panes", *NUMBERS))
            raise WorkbenchError(f"a link has no {key[:40]!r}", hint=f"it may have {known}")
    return Place(kind, state, selection)


def _number(key: str, value: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise WorkbenchError(f"{key}={value[:40]} in the link is no whole number", hint=_EXAMPLE)
    return int(value)
