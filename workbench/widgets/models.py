"""A model in a file, read in a thread step by step: it says where it is, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.base.errors import ModelError, WorkbenchError
from workbench.base.names import shown
from workbench.graph import FlowGraph
from workbench.mapping.check import counted
from workbench.view.bundle import text_of
from workbench.view.model import View
from workbench.view.onnx_file import flow_view, onnx_flow
from workbench.view.units import bytes_text
from workbench.widgets.messages import (
    Answer,
    Onnx,
    Open,
    Progress,
    Refused,
    Stopped,
    Viewed,
    refusal,
)

STEPS = 3
Keep = Callable[[FlowGraph, View], None]


def steps(request: Onnx, keep: Keep) -> Iterator[Answer]:
    """What is done for a model, a message before each step; the last one is the answer.

    Parameters
    ----------
    request : Onnx
        What to read.
    keep : callable
        Takes the graph that is shown, and its view.

    Raises
    ------
    WorkbenchError
        When there is no such file, it is no model, or it has operators that are not supported.
    """
    path = Path(request.path)
    if not path.is_file():
        raise ModelError(f"there is no file {shown(request.path)}", hint="was it moved or renamed?")
    size = bytes_text(path.stat().st_size)
    yield Progress(request.id, f"reading {shown(path.name)}, {size}", 1, STEPS)
    flow = onnx_flow(path)
    if flow.dims and not request.dims:
        yield Progress(request.id, f"drawing {counted(len(flow.operators), 'operator')}", 3, STEPS)
        view = flow_view(flow)
        keep(flow, view)
        yield Open(request.id, flow.dims, view, text_of(view))
        return
    count = counted(len(flow.operators), "operator")
    yield Progress(request.id, f"dividing {count} into kernels", 2, STEPS)
    flow = flow.optimize(request.dims or None)
    yield Progress(request.id, f"drawing {counted(len(flow.groups), 'kernel')}", 3, STEPS)
    view = flow_view(flow)
    keep(flow, view)
    yield Viewed(request.id, view, text_of(view))


class Job:
    """The work for one request.

    Parameters
    ----------
    request : Onnx
        What to read.
    say : callable
        Takes each message, in the thread that works.
    keep : callable
        Takes the graph that is shown, and its view.
    """

    def __init__(self, request: Onnx, say: Callable[[Answer], None], keep: Keep) -> None:
        self.request = request
        self._say = say
        self._keep = keep
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End before the next step; a step itself cannot be cut short."""
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            for answer in steps(self.request, self._keep):
                if self._stopped.is_set():
                    self._say(Stopped(self.request.id))
                    return
                self._say(answer)
        except WorkbenchError as error:
            self._say(refusal(self.request.id, error))
        except Exception as error:  # the browser waits for an answer, whatever happens
            self._say(Refused(self.request.id, f"{type(error).__name__}: {error}"))
