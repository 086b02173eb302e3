"""Work that a screen asks for and does not wait for: one thread, one thing after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Work:
    """A queue with a thread that lives while there is something to do.

    Examples
    --------
    >>> work, done = Work(), []
    >>> work.put(lambda: done.append(1))
    >>> work.wait()
    >>> done
    [1]
    """

    def __init__(self) -> None:
        self._todo: deque[tuple[Callable[[], object], Callable[[], object]]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, do: Callable[[], object], failed: Callable[[], object] = lambda: None) -> None:
        """Do it later; `failed` is called where it raises, and the trace is printed."""
        with self._lock:
            self._todo.append((do, failed))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float = 60) -> None:
        """Until all is done, or the time is over [s]."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._todo:
                    self._thread = None
                    return
                do, failed = self._todo.popleft()
            try:
                do()
            except BaseException:
                failed()
                with self._lock:
                    self._thread = None
                    rest, self._todo = self._todo, deque()
                for each in rest:
                    self.put(*each)
                raise
