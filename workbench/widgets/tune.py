"""TuneExplorer: a search for the fastest schedule, while it runs and afterwards."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.runtime.devices import cpu
from workbench.tune import Space, Trial, Tuning, tune
from workbench.view.model import as_json
from workbench.view.tune import TuneView, compared_view, running_view, tune_view
from workbench.view.tune_svg import progress_words, tune_words
from workbench.widgets.explorer import STATIC, Explorer

EVERY_S = 0.25
"""Between two pictures of a search that runs [s]: sending more would disturb what is timed."""


class TuneExplorer(Explorer):
    """The tuning screen.

    It answers ``compare`` (of the trial `trial`, with the fastest) and ``stop``.

    Parameters
    ----------
    tuning : Tuning or None
        What to look into; None while it runs.
    shown : TuneView, optional
        What to draw before there is one.

    Attributes
    ----------
    tuning : Tuning or None
        The result, once there is one; what a stopped search has is kept.
    selection : dict
        ``trial``: number of the trial that is picked.
    """

    _esm = STATIC / "tune.js"

    def __init__(self, tuning: Tuning | None, shown: TuneView | None = None) -> None:
        self.tuning = tuning
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None
        if tuning is not None:
            shown = tune_view(tuning)
        assert shown is not None, "a tuning or a view"
        super().__init__(shown)

    def said(self) -> str:
        """What was found so far."""
        assert isinstance(self.shown, TuneView)
        return tune_words(self.shown)

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Answer the browser."""
        match kind, request:
            case "stop", _:
                self.stop()
                return None
            case "compare", {"trial": int(trial)}:
                found = self.tuning
                if found is None or not 0 <= trial < len(found.trials):
                    raise WorkbenchError(
                        "trials are compared once the search has ended", hint="stop it, or wait"
                    )
                best = found.trials.index(found.best)
                return {"diff": as_json(compared_view(found, best, trial))}
            case _:
                return super().asked(kind, request)

    def progress(self) -> str:
        """How far it is, in a few words."""
        assert isinstance(self.shown, TuneView)
        return progress_words(self.shown)

    @property
    def done(self) -> bool:
        """Whether the search has ended."""
        return isinstance(self.shown, TuneView) and self.shown.state == "done"

    def stop(self) -> None:
        """End the search after the heat that runs; what is known is kept."""
        self._halt.set()

    def wait(self, timeout: float | None = None) -> Tuning:
        """The result, once the search has ended.

        Parameters
        ----------
        timeout : float, optional
            How long to wait at most [s].

        Raises
        ------
        WorkbenchError
            When the search failed, or has not ended by then.
        """
        if self._thread is not None:
            self._thread.join(timeout)
        if self._failed is not None:
            raise self._failed
        if self.tuning is None:
            raise WorkbenchError("the search has not ended yet", hint="stop() ends it")
        return self.tuning

    def begin(self, build: Any, space: Space, args: Any, how: dict[str, Any]) -> None:
        """Run a search in a thread of its own."""
        self._thread = threading.Thread(
            target=self._run, args=(build, space, args, how), name="tune", daemon=True
        )
        self._thread.start()

    def _run(self, build: Any, space: Space, args: Any, how: dict[str, Any]) -> None:
        trials: list[Trial] = []
        start, last = time.monotonic(), 0.0
        assert isinstance(self.shown, TuneView)
        name, target = self.shown.name, self.shown.target
        also = how.pop("observer", None)

        def observe(trial: Trial, done: int, planned: int) -> None:
            nonlocal last
            trials.append(trial)
            if also is not None:
                also(trial, done, planned)
            now = time.monotonic()
            if now - last >= EVERY_S or done == planned:
                last = now
                device = cpu().name
                self.show(running_view(trials, name, target, device, planned, now - start))

        try:
            self.tuning = tune(build, space, args, observer=observe, stop=self._halt.is_set, **how)
            self.show(tune_view(self.tuning))
        except (
            BaseException
        ) as error:  # of another thread: it is told where the result is asked for
            self._failed = error
            said = error.message if isinstance(error, WorkbenchError) else str(error)
            elapsed = time.monotonic() - start
            view = running_view(trials, name, target, cpu().name, len(trials), elapsed)
            self.show(replace(view, state="done", left_s=None, stopped=f"failed: {said}"))


def start(build: Any, space: Space, args: Any, how: dict[str, Any]) -> TuneExplorer:
    """A screen with a search that runs beside it."""
    name = getattr(build, "__name__", "kernel")
    target = str(how.get("target", "cpu"))
    planned = min(int(how.get("top", 32)), len(space.candidates))
    shown = running_view((), name, target, cpu().name, planned, 0.0)
    live = TuneExplorer(None, shown)
    live.begin(build, space, args, how)
    return live
