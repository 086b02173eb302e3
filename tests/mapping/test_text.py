"""Texts of mappings, read by several threads."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor

from workbench.mapping import parse_mapping


def test_threads_read_texts_at_the_same_time() -> None:
    # CPython up to 3.11.7 mistook one thread's depth for another's where the collector ran between
    class Ring:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            time.sleep(0)  # lets other threads run

    def read(_: int) -> None:
        for _ in range(300):
            for _ in range(10):
                Ring()
            parse_mapping("repeat(4, 1) * spatial(16, 8) * repeat(2, 2) * spatial(2, 2)")

    before = gc.get_threshold()
    gc.set_threshold(20)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(read, range(4)))
    finally:
        gc.set_threshold(*before)
