"""NVRTC behind the driver: cached by what shapes the result, usable from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.base.errors import BuildError
from workbench.runtime import nvrtc
from workbench.runtime.cache import Cache, CacheStats

pytestmark = pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")

TEXT = 'extern "C" __global__ void k(float* a) { a[threadIdx.x] *= 2.0f; }\n'


def test_results_are_cached_with_their_resources(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = nvrtc.compile(TEXT, "k", "sm_80", cache=cache)
    again = nvrtc.compile(TEXT, "k", "sm_80", cache=cache)
    assert cache.stats == CacheStats(hits=1, misses=1)
    assert (again.data, again.resources, again.log) == (first.data, first.resources, first.log)
    nvrtc.compile(TEXT, "k", "sm_90a", cache=cache)
    nvrtc.compile(TEXT.replace("2", "3"), "k", "sm_80", cache=cache)
    assert cache.stats.misses == 3


def test_threads_compile_at_once() -> None:
    def registers(n: int) -> int:
        text = TEXT.replace("k(", f"k{n}(")
        return nvrtc.compile(text, f"k{n}", "sm_80").resources.registers

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(registers, range(8)))) == 1


def test_spills_are_counted() -> None:
    body = "".join(f"float v{n} = a[{n}]; " for n in range(300)) + "__syncthreads(); "
    body += "".join(f"a[{n} + 1] = v{n} * v{299 - n}; " for n in range(300))
    text = f'extern "C" __global__ void __launch_bounds__(1024) k(float* a) {{ {body} }}\n'
    resources = nvrtc.compile(text, "k", "sm_80").resources
    assert resources.registers <= 64
    assert resources.spill_bytes > 0
    assert resources.stack_bytes > 0


def test_a_warning_alone_is_no_error() -> None:
    text = 'extern "C" __global__ void k(float* a) { int unused; a[0] = 1.0f; }\n'
    assert nvrtc.compile(text, "k", "sm_80").data


def test_the_log_comes_with_the_error() -> None:
    with pytest.raises(BuildError) as caught:
        nvrtc.compile(TEXT.replace("a[", "b["), "k", "sm_80")
    assert caught.value.span is None
    assert 'k.cu(1): error: identifier "b" is undefined' in caught.value.log
