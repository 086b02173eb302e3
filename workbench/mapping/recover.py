"""Strides behind a table: a user's function that is a sum of digits needs no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.lazy import lazy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy("numpy")

Part = tuple[int, tuple[int, ...]]
"""Extent of a digit and its stride in each dim."""


def recover(table: NDArray[np.signedinteger]) -> tuple[list[Part], list[Part]] | None:
    """The digits of the worker and of the position whose sum is the table, slow to fast.

    Parameters
    ----------
    table : ndarray of int, shape [workers, tasks, rank]
        At least one worker and one task, nothing absent.

    Returns
    -------
    tuple of two lists, or None
        None when the table is no such sum.

    Examples
    --------
    >>> recover(np.array([[[0], [4]], [[1], [5]], [[2], [6]]]))
    ([(3, (1,))], [(2, (4,))])
    """
    first, head = table[:, 0], table[0]
    if head[0].any() or not np.array_equal(table, first[:, None] + head[None, :]):
        return None
    workers, positions = _digits(first), _digits(head)
    if workers is None or positions is None:
        return None
    return workers, positions


def _digits(rows: NDArray[np.signedinteger]) -> list[Part] | None:
    """Digits of the row number whose weighted sum is the row; row 0 is 0."""
    parts: list[Part] = []
    span = 1
    while span < len(rows):
        step = rows[span]
        heads = rows[::span]
        multiples = np.arange(len(heads))[:, None] * step
        wrong = (heads != multiples).any(axis=1)
        extent = int(np.argmax(wrong)) if wrong.any() else len(heads)
        if len(rows) % (span * extent):
            return None
        block = (multiples[:extent, None] + rows[None, :span]).reshape(span * extent, -1)
        if not np.array_equal(rows[: span * extent], block):
            return None
        parts.append((extent, tuple(map(int, step))))
        span *= extent
    return parts[::-1]
