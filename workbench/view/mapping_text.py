"""A mapping as plain text: its facts, its loops, and the first workers with their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.lazy import lazy
from workbench.view.cells import COUNT_LIMIT, evaluate
from workbench.view.columns import shown, table

if TYPE_CHECKING:
    import numpy as np

    from workbench.view.mapping import MappingView
else:
    np = lazy("numpy")

WORKERS = 8
TASKS = 6


def facts_text(view: MappingView) -> str:
    """The facts in one line."""
    return " · ".join(f"{fact.value} {fact.words}".strip() for fact in view.facts)


def mapping_text(view: MappingView) -> str:
    """The whole twin.

    Examples
    --------
    >>> from workbench.mapping import repeat, spatial
    >>> from workbench.view.mapping import mapping_view
    >>> print(mapping_text(mapping_view(repeat(2, 1) * spatial(1, 2))))
    repeat(2, 1) * spatial(1, 2)
    2 × 2 tasks · 2 workers · 2 tasks each · every task once
    <BLANKLINE>
    worker  tasks in order
         0  (0, 0) (1, 0)
         1  (0, 1) (1, 1)
    <BLANKLINE>
    for r in 2
    i = r
    j = w
    """
    parts = [f"{shown(view.text)}\n{facts_text(view)}"]
    if view.canonical:
        parts[0] += f"\nsame as {shown(view.canonical)}"
    rows = first_tasks(view, WORKERS, TASKS)
    if rows:
        body = [(worker, " ".join(tasks)) for worker, tasks in enumerate(rows)]
        words = table(["worker", "tasks in order"], body, "rl")
        if view.workers > len(rows):
            words += f"\n… {view.workers - len(rows)} more workers"
        parts.append(words)
    if view.lines:
        parts.append("\n".join(map(shown, view.lines)))
    return "\n\n".join(parts)


def first_tasks(view: MappingView, workers: int, tasks: int) -> list[list[str]]:
    """The first tasks of the first workers as text; ``…`` where there are more."""
    if view.nest is None or view.nest.steps > COUNT_LIMIT:
        return []
    most = min(workers, view.workers, max(1, COUNT_LIMIT // view.nest.steps))
    found = evaluate(view.nest, np.arange(most, dtype=np.int64))
    lists: list[list[str]] = []
    for place, done in zip(found.place, found.done, strict=True):
        mine = place[done]
        texts = [task_text(task) for task in mine[:tasks].tolist()]
        lists.append([*texts, "…"] if len(mine) > tasks else texts or ["idle"])
    return lists


def task_text(task: list[int]) -> str:
    """A task as a tuple is written."""
    return f"({', '.join(map(str, task))}{',' * (len(task) == 1)})"
