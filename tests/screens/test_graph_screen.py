"""The graph screen: before and after fusion, one kernel's parts, and names that are no markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

MODEL = """import numpy as np, onnx, workbench as wb
from onnx import TensorProto as T, helper as o, numpy_helper as n

EVIL = "<script>alert(1)</script>"
rng = np.random.default_rng(0)
def weight(name, *shape):
    return n.from_array(rng.standard_normal(shape).astype(np.float32), name)
nodes = [
    o.make_node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1], name="first"),
    o.make_node("Relu", ["c1"], [EVIL]),
    o.make_node("GlobalAveragePool", [EVIL], ["p"]),
    o.make_node("Conv", ["p", "w2"], ["g"]),
    o.make_node("Sigmoid", ["g"], ["s"]),
    o.make_node("Mul", [EVIL, "s"], ["m"]),
    o.make_node("Conv", ["m", "w3"], ["c3"]),
    o.make_node("Relu", ["c3"], ["y"]),
]
graph = o.make_graph(
    nodes, "gate " + EVIL,
    [o.make_tensor_value_info("x", T.FLOAT, [1, 3, 16, 16])],
    [o.make_tensor_value_info("y", T.FLOAT, [1, 4, 16, 16])],
    [weight("w1", 8, 3, 3, 3), weight("w2", 8, 8, 1, 1), weight("w3", 4, 8, 1, 1)],
)
model = o.make_model(graph, opset_imports=[o.make_opsetid("", 17)])
flow = wb.from_onnx(model.SerializeToString()).optimize()
"""


def test_before_after_and_one_kernel(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("graph.ipynb", MODEL + "wb.explore(flow)", "flow")
    alerts: list[str] = []
    notebook.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    notebook.run_all()
    page = notebook.page
    root = page.locator(".kw-graph")
    expect(root.locator(".kw-title")).to_have_text("gate <script>alert(1)</script>")
    launches = root.locator(".kw-cell", has_text="launches")
    expect(launches).to_have_text(re.compile(r"launches8 → \d"))
    map_ = root.get_by_label("Graph", exact=True)
    map_.focus()
    page.keyboard.press("ArrowRight")
    expect(root.locator(".kw-on")).to_have_count(1)
    expect(root.locator(".kw-side")).to_contain_text("anchor")
    expect(root.locator(".kw-side")).to_contain_text("Why not fewer kernels?")
    keep("graph-light", root)

    root.get_by_role("button", name="operators").click()
    expect(root.locator(".kw-node")).to_have_count(8 + 2)
    keep("graph-before", root)
    root.get_by_role("button", name="kernels").click()
    root.locator(".kw-group").last.click()
    expect(root.locator(".kw-on")).to_have_count(1)
    root.get_by_role("button", name="t table").click()
    expect(root.get_by_role("table", name="Kernels")).to_contain_text("conv")

    image = page.locator(".jp-OutputArea-output img")
    expect(image).to_have_attribute("alt", re.compile("launches 8 →"))
    keep("graph-twin", image)
    assert alerts == []


def test_dark(open_notebook: Callable[..., Any], keep: Callable[..., None]):
    notebook = open_notebook("graph-dark.ipynb", MODEL + "wb.explore(flow)", dark=True)
    notebook.run_all()
    root = notebook.page.locator(".kw-graph")
    expect(root).to_have_class(re.compile("kw-dark"))
    root.locator(".kw-group").nth(1).click()
    keep("graph-dark", root)
