"""The kernel's side of the JupyterLab extension: it answers the messages of widgets.messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from workbench.base.errors import WorkbenchError
from workbench.base.names import shown
from workbench.bench.peers import Comparison
from workbench.driver.kernel import Kernel
from workbench.driver.program import Program
from workbench.graph import CompiledGraph, FlowGraph
from workbench.interp import Report
from workbench.mapping import TaskMapping
from workbench.mapping.check import counted
from workbench.runtime.timing import Measurement, time_text
from workbench.tune import Tuning
from workbench.view.bundle import text_of
from workbench.view.model import View
from workbench.view.raw import RawKernel
from workbench.view.timing import timing_view
from workbench.widgets import formatters
from workbench.widgets.explore import explore
from workbench.widgets.messages import (
    TARGET,
    Answer,
    Ask,
    Cancel,
    Close,
    Entry,
    List,
    Listed,
    Onnx,
    Refused,
    Replied,
    Show,
    Stopped,
    Viewed,
    json_of,
    number_of,
    refusal,
    request_of,
)
from workbench.widgets.models import Job

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from workbench.widgets.explorer import Explorer
    from workbench.widgets.tune import TuneExplorer

MOST_FACTS = 160
"""Longest line about an object [characters]."""

EVERY_S = 1.0
"""Between two words about a search that runs [s]: who looks must not disturb what is timed."""

ViewOf = Callable[[Any], View]
Seat = tuple[int, int]
"""Which comm, and which of its requests."""

_KINDS: dict[type[Any], str] = {
    Comparison: "measurement",
    CompiledGraph: "graph",
    FlowGraph: "graph",
    Kernel: "kernel",
    Measurement: "measurement",
    Program: "kernel",
    RawKernel: "kernel",
    Report: "report",
    TaskMapping: "mapping",
    Tuning: "tuning",
}


class Comm(Protocol):
    """The part of a comm that is used here."""

    def send(self, data: Any) -> None:
        """Say something to the browser."""
        ...

    def on_msg(self, callback: Callable[[Any], None]) -> None:
        """Call on each message."""
        ...

    def on_close(self, callback: Callable[[Any], None]) -> None:
        """Call at the end."""
        ...


class Panel:
    """Answers browsers: several may look at one namespace.

    Parameters
    ----------
    names : dict
        The namespace of the user.
    views : mapping from types to functions
        What is listed, and the view of each.
    """

    def __init__(self, names: dict[str, Any], views: dict[type[Any], ViewOf]) -> None:
        self.names = names
        self.views = views
        self.comms: list[Comm] = []
        self._jobs: dict[Seat, Job] = {}
        self._shown: dict[Seat, tuple[object, View]] = {}
        self._screens: dict[Seat, Explorer] = {}
        self._seen: dict[str, tuple[object, str, int]] = {}
        self._revision = 0
        self._said: tuple[Entry, ...] = ()
        self._watched: list[TuneExplorer] = []
        self._told_at = 0.0
        self._lock = threading.RLock()

    def opened(self, comm: Comm, message: object) -> None:
        """A browser has come."""
        self.comms.append(comm)
        comm.on_msg(lambda told: self._answer(comm, told))
        comm.on_close(lambda _: self._closed(comm))

    def executed(self, *_: object) -> None:
        """A cell has run: tell all browsers when the list has changed."""
        if not self.comms:
            return
        with self._lock:
            found = self.entries()
            if found != self._said:
                self._said = found
                for comm in self.comms:
                    _say(comm, Listed(0, found))

    def _follow(self, search: TuneExplorer) -> None:
        """Tell of a search while it runs, which no cell does."""
        if search.done or any(each is search for each in self._watched):
            return

        def moved(_: object) -> None:
            now = time.monotonic()
            if search.done:
                search.unobserve(moved, "view")
                self._watched.remove(search)
            elif now - self._told_at < EVERY_S:
                return
            self._told_at = now
            self.executed()

        self._watched.append(search)
        search.observe(moved, "view")

    def entries(self) -> tuple[Entry, ...]:
        """The list; an object keeps its revision as long as its name means it, and it is as it was.

        Objects of the last list are kept, so that no other one can take their place unseen.
        """
        with self._lock:
            return self._entries()

    def _entries(self) -> tuple[Entry, ...]:
        seen: dict[str, tuple[object, str, int]] = {}
        found: list[Entry] = []
        for name, thing in self.names.copy().items():
            if name.startswith("_") or self._view_of(thing) is None:
                continue
            if _is_search(thing):
                self._follow(thing)
            facts = facts_of(thing)
            before = self._seen.get(name)
            if before is None or before[0] is not thing or before[1] != facts:
                self._revision += 1
                before = (thing, facts, self._revision)
            seen[name] = before
            word = type(thing).__name__.lower()
            kind = "tuning" if _is_search(thing) else _KINDS.get(type(thing), word)
            found.append(Entry(name, kind, facts, before[2]))
        self._seen = seen
        return tuple(found)

    def _view_of(self, thing: object) -> ViewOf | None:
        return _now_of if _is_search(thing) else self.views.get(type(thing))

    def _closed(self, comm: Comm) -> None:
        self.comms = [each for each in self.comms if each is not comm]
        for at, job in self._jobs.items():
            if at[0] == id(comm):
                job.stop()
        for at in [at for at in self._shown if at[0] == id(comm)]:
            self._forget(at)

    def _forget(self, at: Seat) -> None:
        self._shown.pop(at, None)
        self._screens.pop(at, None)

    def _answer(self, comm: Comm, message: Any) -> None:
        """Nothing that a message holds may end the kernel, or leave the browser without a word."""
        data: object = None
        try:
            data = message["content"]["data"]
            answer = self._reply(comm, data)
        except WorkbenchError as error:
            answer = refusal(number_of(data), error)
        except Exception as error:
            answer = Refused(number_of(data), f"{type(error).__name__}: {error}")
        if answer is not None:
            _say(comm, answer)

    def _reply(self, comm: Comm, data: object) -> Answer | None:
        request = request_of(data)
        match request:
            case List():
                self._said = self.entries()
                return Listed(request.id, self._said)
            case Show():
                return self._show(comm, request)
            case Onnx():
                return self._read(comm, request)
            case Ask():
                return self._asked(comm, request)
            case Cancel():
                return self._cancel(comm, request)
            case Close():
                return self._forget((id(comm), request.of))

    def _show(self, comm: Comm, request: Show) -> Viewed:
        thing = self.names.get(request.name)
        view_of = self._view_of(thing)
        if view_of is None:
            said = shown(request.name)
            raise WorkbenchError(
                f"{said} is a {type(thing).__name__}, which has no screen"
                if request.name in self.names
                else f"nothing is called {said}",
                hint="the side panel lists what can be shown",
            )
        view = view_of(thing)
        self._shown[id(comm), request.id] = (thing, view)
        return Viewed(request.id, view, text_of(view))

    def _asked(self, comm: Comm, request: Ask) -> Answer | None:
        """The widget of what is shown answers, now or once its compilers have ended.

        It is made when first asked, and never drawn.
        """
        at = (id(comm), request.of)
        if at not in self._shown:
            raise WorkbenchError("what was shown here is gone", hint="open it again")
        thing, before = self._shown[at]
        if _is_search(thing):
            # the search itself answers: another screen of it could not stop it
            answer = thing.reply(request.what, dict(request.request))
            return Replied(request.id, answer, None)
        if at not in self._screens:
            self._screens[at] = explore(thing)
            self._screens[at].close()
        screen = self._screens[at]
        asked = dict(request.request)
        picked = asked.pop("selection", None)
        if isinstance(picked, dict):
            screen.selection = picked
        screen.ask = {**asked, "id": request.id, "type": request.what}
        if screen.error is not None:
            return _wrong(request.id, screen.error)
        answer = screen.answer

        def told() -> None:
            after = screen.shown
            if at in self._shown:
                self._shown[at] = (thing, after)
            _say(comm, Replied(request.id, answer, None if after == before else after))

        screen.then(told)
        return None

    def _read(self, comm: Comm, request: Onnx) -> None:
        self._jobs = {at: job for at, job in self._jobs.items() if job.running}
        at = (id(comm), request.id)

        def keep(flow: FlowGraph, view: View) -> None:
            self._shown[at] = (flow, view)

        job = Job(request, lambda answer: _say(comm, answer), keep)
        self._jobs[at] = job
        job.start()

    def _cancel(self, comm: Comm, request: Cancel) -> Answer | None:
        job = self._jobs.get((id(comm), request.of))
        if job is None or not job.running:
            return Stopped(request.of)
        job.stop()
        return None


def facts_of(thing: Any) -> str:
    """One line about an object, quickly."""
    match thing:
        case TaskMapping():
            tasks = " × ".join(map(str, thing.shape))
            line = f"{thing}, {tasks} tasks, {counted(thing.workers, 'worker')}"
        case Measurement():
            view = timing_view(thing)
            line = f"{view.median}, {view.name}"
        case Comparison():
            sides = (f"{each.name} {time_text(each.median_us)}" for each in thing.measurements)
            line = ", ".join(sides)
        case Report():
            line = counted(len(thing.faults), "fault") if thing.faults else "no fault"
        case _ if _is_search(thing):
            line = thing.progress()
        case _:
            line = repr(thing).removeprefix(f"{type(thing).__name__}(").removesuffix(")")
    return line if len(line) <= MOST_FACTS else f"{line[: MOST_FACTS - 1]}…"


def _is_search(thing: object) -> TypeGuard[TuneExplorer]:
    """Whether it is what `tune_live` gives; its module takes long to load, and may not be here."""
    kind = type(thing)
    return (kind.__module__, kind.__name__) == ("workbench.widgets.tune", "TuneExplorer")


def _now_of(search: TuneExplorer) -> View:
    return search.shown


def _wrong(number: int, error: dict[str, Any]) -> Refused:
    place = (int(error["start"]), int(error["end"]))
    return Refused(number, str(error["message"]), str(error["hint"]), (), *place)


def _say(comm: Comm, answer: Answer) -> None:
    comm.send(json_of(answer))


def register(shell: InteractiveShell | None) -> None:
    """Let this shell show our objects, and JupyterLab ask for them if it is a kernel's.

    Parameters
    ----------
    shell : InteractiveShell or None
        What ``IPython.get_ipython()`` gives; without one nothing is to do.
    """
    formatters.register(shell)
    kernel: Any = getattr(shell, "kernel", None)
    comms: Any = getattr(kernel, "comm_manager", None)
    if shell is None or comms is None or TARGET in comms.targets:
        return
    panel = Panel(shell.user_ns, formatters._VIEWS)
    comms.register_target(TARGET, panel.opened)
    shell.events.register("post_run_cell", panel.executed)
