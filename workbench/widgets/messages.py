"""What JupyterLab and the kernel say to each other: the one place where messages are written down.

The extension opens a comm for the target `TARGET`; both sides then send JSON objects. Every one
has a ``version`` and a ``type``. A request has an ``id`` above 0, which its answers repeat; what
Python says of its own accord has the ``id`` 0. Nothing in a message is ever run as code.

========  ======================  ================================================
request   fields                  answers
========  ======================  ================================================
list                              listed
view      name                    viewed
onnx      path, dims              progress …, then viewed or open
ask       of, what, request       replied; `of` is the id of what was viewed
cancel    of                      stopped, with the id of the request that stopped
close     of                      nothing; what was viewed is looked at no more
========  ======================  ================================================

Every other request may be answered by ``refused`` instead. What can be asked of a view is what its
live widget answers (`Explorer.asked`). After a cell has run, Python says ``listed``
if the list is another one. The types of the browser are in extension/src/lab/protocol.ts; a test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.base.errors import WorkbenchError
from workbench.view.model import View, as_json

TARGET = "kernel-workbench"
VERSION = 1


@dataclass(frozen=True, slots=True)
class List:
    """Which of our objects have a name."""

    id: int
    type: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class Show:
    """The view of the object of that name."""

    id: int
    name: str
    type: Literal["view"] = "view"


@dataclass(frozen=True, slots=True)
class Onnx:
    """The view of a model in a file, with values for its open dims."""

    id: int
    path: str
    dims: Mapping[str, int]
    type: Literal["onnx"] = "onnx"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the work for the request `of`."""

    id: int
    of: int
    type: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True)
class Ask:
    """What the live widget of a view answers to `what`."""

    id: int
    of: int
    what: str
    request: Mapping[str, object]
    type: Literal["ask"] = "ask"


@dataclass(frozen=True, slots=True)
class Close:
    """The view that answered the request `of` is gone."""

    id: int
    of: int
    type: Literal["close"] = "close"


Request = List | Show | Onnx | Ask | Cancel | Close


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in the list.

    Attributes
    ----------
    name : str
        Of the variable.
    kind : str
        ``kernel``, ``mapping``, ``graph``, ``tuning``, ``measurement`` or ``report``.
    facts : str
        One line about it.
    revision : int
        Another number when the name means another object, or one that has changed.
    """

    name: str
    kind: str
    facts: str
    revision: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The objects that have a name, in the order in which they got it."""

    id: int
    objects: tuple[Entry, ...]
    type: Literal["listed"] = "listed"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Viewed:
    """A view, and its text form for a browser that does not know its version."""

    id: int
    view: View
    text: str
    type: Literal["viewed"] = "viewed"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Open:
    """A model with dims that need a value before more can be said; the view as it is."""

    id: int
    dims: tuple[str, ...]
    view: View
    text: str
    type: Literal["open"] = "open"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Replied:
    """What a widget answers; its view, if the question has changed it."""

    id: int
    answer: Mapping[str, Any]
    view: View | None
    type: Literal["replied"] = "replied"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, as step `step` of `steps`."""

    id: int
    said: str
    step: int
    steps: int
    type: Literal["progress"] = "progress"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Stopped:
    """The work for this request has ended early, as asked."""

    id: int
    type: Literal["stopped"] = "stopped"
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong, what to do next, further facts; characters of the text that cause it."""

    id: int
    message: str
    hint: str = ""
    notes: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    type: Literal["refused"] = "refused"
    version: Literal[1] = 1


Answer = Listed | Viewed | Open | Replied | Progress | Stopped | Refused


def request_of(data: object) -> Request:
    """What a message asks for.

    Raises
    ------
    WorkbenchError
        It has another form than those above.

    Examples
    --------
    >>> request_of({"version": 1, "id": 3, "type": "view", "name": "kernel"})
    Show(id=3, name='kernel', type='view')
    """
    match data:
        case {"version": int(version)} if version != VERSION:
            raise WorkbenchError(
                f"the browser speaks version {version} of the messages, the kernel {VERSION}",
                hint="install the same kernel-workbench for JupyterLab and for the kernel, reload",
            )
        case {"version": 1, "id": int(number), "type": str(kind), **rest}:
            if (request := _typed(number, kind, rest)) is not None:
                return request
        case _:
            pass
    raise WorkbenchError(
        f"the kernel does not know a message such as {_short(data)}",
        hint="install the same kernel-workbench for JupyterLab and for the kernel, then reload",
    )


def _typed(number: int, kind: str, rest: Mapping[str, object]) -> Request | None:
    match kind, rest:
        case "list", _:
            return List(number)
        case "view", {"name": str(name)}:
            return Show(number, name)
        case "onnx", {"path": str(path), "dims": dict(dims)}:
            if all(type(k) is str and type(v) is int for k, v in dims.items()):
                return Onnx(number, path, dims)
        case "ask", {"of": int(of), "what": str(what), "request": dict(request)}:
            return Ask(number, of, what, request)
        case "cancel", {"of": int(of)}:
            return Cancel(number, of)
        case "close", {"of": int(of)}:
            return Close(number, of)
        case _:
            pass
    return None


def json_of(answer: Answer) -> Any:
    """An answer as what a comm takes; a widget's own answer is JSON already."""
    if isinstance(answer, Replied):
        view = None if answer.view is None else as_json(answer.view)
        kind, version = answer.type, answer.version
        return {
            "id": answer.id, "type": kind, "version": version, "answer": answer.answer, "view": view
        }  # fmt: skip
    return as_json(answer)


def number_of(data: object) -> int:
    """The id that an answer to a message repeats; 0 where it has none."""
    match data:
        case {"id": int(number)}:
            return number
        case _:
            return 0


def refusal(number: int, error: WorkbenchError) -> Refused:
    """An error as an answer."""
    span = error.span
    place = (span.col, span.end_col) if span else (0, 0)
    return Refused(number, error.message, error.hint or "", tuple(error.notes), *place)


def _short(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 80 else f"{text[:79]}…"
