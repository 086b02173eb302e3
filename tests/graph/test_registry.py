"""The registry as a whole."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import onnx

from workbench.graph.onnx.registry import ROWS, find, schema

# Operators of ONNX's own domain that have neither a row nor a body, in any opset.
LEFT_OUT = {"MaxRoiPool", "RegexFullMatch", "StringConcat", "StringSplit"}


def test_no_two_rows_speak_of_one_opset() -> None:
    newest = onnx.defs.onnx_opset_version()
    spoken = Counter(
        (row.domain, row.op, n) for row in ROWS for n in range(1, newest + 1) if row.holds(n)
    )
    assert [key for key, count in spoken.items() if count > 1] == []


def test_every_row_is_an_operator_of_onnx() -> None:
    newest = onnx.defs.onnx_opset_version()
    for row in ROWS:
        if row.domain in ("", "ai.onnx.ml"):
            assert schema(row.domain, row.op, row.last or newest) is not None, row.op


def test_every_version_of_every_operator_is_known() -> None:
    # pybind gives these classes no types
    schemas = cast("list[Any]", onnx.defs.get_all_schemas_with_history())
    missing = {
        s.name
        for s in schemas
        if s.domain == ""
        and not s.deprecated
        and not s.has_function
        and not s.has_context_dependent_function
        and find("", s.name, s.since_version) is None
    }
    assert missing == LEFT_OUT
