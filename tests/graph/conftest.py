"""What tests of graphs have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.graph.cases import Built
from workbench.driver import build
from workbench.runtime.cache import Cache


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    """Kernels that LLVM or NVRTC compiled since the last question; the disk has none at first."""
    cache = Cache(tmp_path)
    monkeypatch.setattr(build, "default_cache", lambda: cache)
    before = 0

    def since() -> int:
        nonlocal before
        found, before = cache.stats.misses - before, cache.stats.misses
        return found

    return since
