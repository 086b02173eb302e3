"""Texts of mappings, read by several threads."""

from __future__ import annotations

import ast
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from workbench.mapping import parse_mapping


def test_one_thread_at_a_time_is_in_python_s_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    # CPython before 3.11.8 mistakes the depth of one thread for another's
    inside: list[int] = []
    most: list[int] = []
    parse = ast.parse

    def watched(*args: Any, **how: Any) -> Any:
        inside.append(threading.get_ident())
        most.append(len(inside))
        time.sleep(0.002)
        try:
            return parse(*args, **how)
        finally:
            inside.remove(threading.get_ident())

    monkeypatch.setattr(ast, "parse", watched)
    start = threading.Barrier(4)

    def read(n: int) -> str:
        start.wait()
        return str(parse_mapping(f"repeat({n + 1}, 1) * spatial(4, 8)"))

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(read, range(4)))
    assert texts == [f"repeat({n + 1}, 1) * spatial(4, 8)" for n in range(4)]
    assert len(most) == 4
    assert max(most) == 1
