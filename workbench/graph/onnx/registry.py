"""Which operators are known: one row per operator and range of opsets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.graph.onnx import (
    rows_constant,
    rows_control,
    rows_data,
    rows_elementwise,
    rows_image,
    rows_index,
    rows_legacy,
    rows_ml,
    rows_nn,
    rows_normalize,
    rows_qlinear,
    rows_quant,
    rows_random,
    rows_rnn,
    rows_sequence,
    rows_shape,
    rows_signal,
    rows_svm,
    rows_text,
    rows_training,
    rows_trees,
    rows_window,
)

if TYPE_CHECKING:
    import onnx

    from workbench.graph.onnx.row import Row
else:
    onnx = lazy("onnx")

ROWS: tuple[Row, ...] = (
    *rows_elementwise.ROWS,
    *rows_shape.ROWS,
    *rows_constant.ROWS,
    *rows_control.ROWS,
    *rows_index.ROWS,
    *rows_data.ROWS,
    *rows_sequence.ROWS,
    *rows_nn.ROWS,
    *rows_quant.ROWS,
    *rows_qlinear.ROWS,
    *rows_rnn.ROWS,
    *rows_ml.ROWS,
    *rows_trees.ROWS,
    *rows_svm.ROWS,
    *rows_text.ROWS,
    *rows_image.ROWS,
    *rows_window.ROWS,
    *rows_normalize.ROWS,
    *rows_legacy.ROWS,
    *rows_signal.ROWS,
    *rows_random.ROWS,
    *rows_training.ROWS,
)


def _table() -> dict[tuple[str, str], list[Row]]:
    table: dict[tuple[str, str], list[Row]] = {}
    for row in ROWS:
        table.setdefault((row.domain, row.op), []).append(row)
    return table


_TABLE = _table()


def find(domain: str, op: str, opset: int) -> Row | None:
    """The row for an operator in an opset, if there is one.

    Examples
    --------
    >>> find("", "Softmax", 11).last, find("", "Softmax", 13).last, find("", "Nonsense", 13)
    (12, None, None)
    """
    return next((row for row in _TABLE.get((domain, op), ()) if row.holds(opset)), None)


def opsets(domain: str, op: str) -> str:
    """In words, the opsets in which an operator is known; empty when it is not known at all."""
    rows = _TABLE.get((domain, op), ())
    return ", ".join(f"{r.first}–{r.last}" if r.last else f"{r.first} and later" for r in rows)


@lru_cache(maxsize=4096)
def schema(domain: str, op: str, opset: int) -> Any | None:
    """ONNX's own description of an operator (an OpSchema), if it has one."""
    try:
        return onnx.defs.get_schema(op, opset, domain)
    except onnx.defs.SchemaError:
        return None
