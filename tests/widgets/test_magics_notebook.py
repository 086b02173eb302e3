"""The magics in a real kernel, as a notebook runs them; and its stop button."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]
WAIT_S = 120


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT), env={**os.environ, "PYTHONPATH": str(ROOT)})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=WAIT_S)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def outputs(client: BlockingKernelClient, request: str) -> Iterator[dict[str, Any]]:
    """The messages of a request until the kernel rests."""
    while True:
        message = client.get_iopub_msg(timeout=WAIT_S)
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return
        yield {"type": message["msg_type"], **content}


def run(client: BlockingKernelClient, cell: str) -> list[dict[str, Any]]:
    return list(outputs(client, client.execute(cell)))


DOUBLE = """%%kernel --target cpu
from workbench.lang import f32, launch, threadIdx
def double(a: f32[64], b: f32[64]):
    launch(grid=1, block=64)
    b[threadIdx.x] = a[threadIdx.x] * 2.0
"""


def test_magics_in_a_notebook(kernel: tuple[KernelManager, BlockingKernelClient]):
    _, client = kernel
    assert not [m for m in run(client, "%load_ext workbench") if m["type"] == "error"]
    shown = [m for m in run(client, DOUBLE) if m["type"] == "display_data"]
    assert {"text/html", "image/svg+xml", "text/plain"} <= set(shown[0]["data"])
    assert "In [2]" in shown[0]["data"]["text/plain"]

    (error,) = [m for m in run(client, DOUBLE.replace("* 2.0", "* two")) if m["type"] == "error"]
    printed = "\n".join(error["traceback"])
    assert "In [3]:5" in printed
    assert "^^^" in printed
    assert "Traceback" not in printed

    run(client, DOUBLE)
    run(client, "import numpy as np\nx, y = np.ones(64, np.float32), np.zeros(64, np.float32)")
    messages = run(client, "%time_kernel --budget 0.3 double(x, y)")
    bars = [m for m in messages if "progressbar" in m.get("data", {}).get("text/html", "")]
    assert bars[0]["type"] == "display_data"
    assert {m["type"] for m in bars[1:]} == {"update_display_data"}
    assert "done after" in bars[-1]["data"]["text/html"]
    (result,) = [m for m in messages if m["type"] == "execute_result"]
    assert "double on cpu" in result["data"]["text/plain"]


def test_the_stop_button_keeps_the_samples(kernel: tuple[KernelManager, BlockingKernelClient]):
    manager, client = kernel
    run(client, "%load_ext workbench")
    run(client, "import time\ndef slow():\n    time.sleep(0.002)")
    request = client.execute("%time_kernel --budget 100 slow()")
    start, stopped = time.monotonic(), False
    messages: list[dict[str, Any]] = []
    for message in outputs(client, request):
        messages.append(message)
        if not stopped and message["type"] == "update_display_data":
            manager.interrupt_kernel()
            stopped = True
    assert stopped
    assert time.monotonic() - start < 90
    assert not [m for m in messages if m["type"] == "error"]
    bars = [m["data"]["text/html"] for m in messages if m["type"] == "update_display_data"]
    assert "stopped after" in bars[-1]
    (result,) = [m for m in messages if m["type"] == "execute_result"]
    assert "slow" in result["data"]["text/plain"]
