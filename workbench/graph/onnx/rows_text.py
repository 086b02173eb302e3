"""Rows of the registry for strings, which host calls read and give between kernels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    np = lazy("numpy")

READS_TEXT = frozenset({"StringNormalizer", "LabelEncoder", "Identity"})
"""Operators that take tensors of strings."""


def normalized(x: Array, *, case: str, exact: bool, stop: frozenset[str]) -> tuple[Array]:
    """Strings [n] or [1, n] without stop words, in upper or lower case; one empty string for none.

    Parameters
    ----------
    case : str
        ``LOWER``, ``UPPER`` or ``NONE``.
    exact : bool
        Whether the case of a stop word counts.
    """
    words = [str(w) for w in x.reshape(-1)]
    hidden = stop if exact else frozenset(s.lower() for s in stop)
    kept = [w for w in words if (w if exact else w.lower()) not in hidden]
    change = {"LOWER": str.lower, "UPPER": str.upper}.get(case, str)
    found = np.asarray([change(w) for w in kept] or [""], object)
    return (found.reshape(*x.shape[:-1], -1),)


def _normalizer(node: Node, b: Builder, x: Tensor) -> tuple[Tensor, ...]:
    case = node.text("case_change_action", "NONE")
    if case not in ("LOWER", "UPPER", "NONE"):
        raise ModelError(f"{case!r} is no change of case; LOWER, UPPER and NONE are")
    if x.rank not in (1, 2) or (x.rank == 2 and x.extents[0] != 1):
        raise ModelError(f"StringNormalizer takes a list of strings, not {x}")
    stop = frozenset(strings(node, "stopwords"))
    exact = bool(node.number("is_case_sensitive", 0))
    return b.data(partial(normalized, case=case, exact=exact, stop=stop), [x])


def strings(node: Node, key: str) -> list[str]:
    """An attribute that is a list of strings; empty when it is not given.

    Raises
    ------
    ModelError
        When it is something else.
    """
    found = node.attributes.get(key, [])
    try:
        return [w.decode() if isinstance(w, bytes) else _sure(w) for w in found]
    except (TypeError, UnicodeDecodeError):
        raise ModelError(f"the attribute {key} is no list of strings") from None


def _sure(word: Any) -> str:
    if not isinstance(word, str):
        raise TypeError
    return word


def looked_up(x: Array, *, keys: Array, values: Array, other: Array) -> tuple[Array]:
    """For each element the value of its key, of equal keys the first; `other` where none is."""
    table = dict(zip(keys[::-1].tolist(), values[::-1].tolist(), strict=True))
    found = [table.get(v, other[0]) for v in x.reshape(-1).tolist()]
    return (np.asarray(found, values.dtype).reshape(x.shape),)


def labelled(
    node: Node, b: Builder, labels: Array, make: Callable[[Array], tuple[Tensor, Tensor]]
) -> tuple[Tensor, ...]:
    """Label and scores of a classifier whose labels are numbers, or strings.

    Parameters
    ----------
    labels : int64 array
        The labels, if they are numbers.
    make : callable
        Labels that are numbers → the label and the scores of each row.
    """
    words = strings(node, "classlabels_strings")
    if not words:
        return make(labels)
    index, scores = make(np.arange(len(words)))
    return b.data(partial(_worded, words=tuple(words)), [index, scores])


def _worded(index: Array, scores: Array, *, words: tuple[str, ...]) -> tuple[Array, Array]:
    return np.asarray(words, object)[index], scores


ROWS = (Row("StringNormalizer", 10, _normalizer),)
