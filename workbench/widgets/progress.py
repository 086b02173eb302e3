"""How far long work has come: a line in a terminal, a bar in a notebook.

An interrupt ends the work and keeps what is there.
"""

# IPython's display functions are untyped.
# pyright: standard

from __future__ import annotations

import html
import sys
import time
from types import TracebackType
from typing import Any

EVERY_S = 0.1
"""Least time between two drawings [s]."""

_WIDTH = 24
_BAR = (
    "display:inline-block;width:220px;height:8px;margin:0 10px;vertical-align:middle;"
    "border:1px solid #848e9a;border-radius:4px;overflow:hidden"
)


class Progress:
    """A bar around work that takes a while.

    An interrupt (Ctrl-C, the stop button of a notebook) inside of the ``with`` ends it there:
    `stopped` is then true, what comes after the block runs and uses what there is. Any other
    exception passes.

    Parameters
    ----------
    label : str
        What is being done.
    total : int, optional
        How many steps there are; without it only the steps done are counted.

    Attributes
    ----------
    done : int
        Steps that are done.
    stopped : bool
        Whether an interrupt ended it.

    Examples
    --------
    >>> found = []
    >>> with Progress("looking", 3) as progress:
    ...     for k in range(3):
    ...         found.append(k)
    ...         progress.step()
    >>> progress.done, progress.stopped
    (3, False)
    """

    def __init__(self, label: str, total: int | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.stopped = False
        self._said = ""
        self._ended = ""
        self._start = self._drawn = 0.0
        self._handle: Any = None

    def __enter__(self) -> Progress:
        self._start = time.perf_counter()
        self._draw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        self.stopped = kind is not None and issubclass(kind, KeyboardInterrupt)
        self._ended = "stopped" if self.stopped else "failed" if kind else "done"
        self._draw()
        if self._handle is None and sys.stderr.isatty():
            print(file=sys.stderr)
        return self.stopped

    def step(self, count: int = 1, said: str = "") -> None:
        """`count` steps more are done; `said` is what there is to say of it."""
        self.done += count
        self._said = said or self._said
        if time.perf_counter() - self._drawn >= EVERY_S:
            self._draw()

    def text(self) -> str:
        """The bar as one line.

        Examples
        --------
        >>> progress = Progress("tuning", 40)
        >>> progress.done = 10
        >>> progress.text()
        'tuning ██████                   10 of 40'
        """
        if self.total is None:
            return f"{self.label}  {self._words()}"
        full = _WIDTH * min(self.done, self.total) // max(self.total, 1)
        return f"{self.label} {'█' * full:{_WIDTH}} {self._words()}"

    def html(self) -> str:
        """The bar as HTML that a notebook shows without trust."""
        label, words = html.escape(self.label), html.escape(self._words())
        if self.total is None:
            return f"<div>{label} <span>{words}</span></div>"
        share = 100 * min(self.done, self.total) / max(self.total, 1)
        fill = f"display:block;width:{share:.0f}%;height:100%;background:#0b65c2"
        return (
            f'<div role="progressbar" aria-label="{label}" aria-valuemin="0" '
            f'aria-valuemax="{self.total}" aria-valuenow="{self.done}">{label}'
            f'<span style="{_BAR}"><span style="{fill}"></span></span>{words}</div>'
        )

    def _words(self) -> str:
        """How far, how long yet, and what was said last."""
        parts = [f"{self.done} of {self.total}" if self.total is not None else str(self.done)]
        spent = time.perf_counter() - self._start if self._start else 0.0
        if self._ended:
            parts.append(f"{self._ended} after {_seconds(spent)}")
        elif self.total and 0 < self.done < self.total and spent > 1:
            parts.append(f"{_seconds(spent * (self.total - self.done) / self.done)} left")
        return " · ".join([*parts, *filter(None, [self._said])])

    def _draw(self) -> None:
        self._drawn = time.perf_counter()
        show = _display()
        if show is not None:
            data = {"text/html": self.html(), "text/plain": self.text()}
            if self._handle is None:
                self._handle = show(data, raw=True, display_id=True)
            else:
                self._handle.update(data, raw=True)
        elif sys.stderr.isatty():
            print(f"\r\x1b[2K{self.text()}", end="", file=sys.stderr, flush=True)


def _seconds(spent: float) -> str:
    return f"{spent:.1f} s" if spent < 60 else f"{spent // 60:.0f} min {spent % 60:.0f} s"


def _display() -> Any:
    """IPython's display in a notebook; None in a terminal, where a line does better."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not getattr(shell, "kernel", None):
        return None
    return sys.modules["IPython.display"].display
