"""An ONNX file as a graph screen shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from workbench.base.errors import ModelError
from workbench.graph import FlowGraph, from_onnx
from workbench.view.graph import LIVE_LIMIT, graph_view
from workbench.view.graph_parts import GraphView

LARGEST_BYTES = 2**31
"""An ONNX file is one protocol buffer, which ends here; weights may lie beside it."""


def onnx_flow(path: str | os.PathLike[str]) -> FlowGraph:
    """The graph of a file as its nodes say.

    Raises
    ------
    WorkbenchError
        When the file is no ONNX model, cut short, inconsistent or too large; an operator that is
        not known names its nodes.
    """
    try:
        size = os.stat(path).st_size
    except (OSError, ValueError) as error:
        raise ModelError(f"the file cannot be read: {error}") from None
    if size > LARGEST_BYTES:
        raise ModelError("the file is larger than an ONNX file can be")
    return from_onnx(path)


def flow_view(flow: FlowGraph, limit: int = LIVE_LIMIT, first: int = 0) -> GraphView:
    """The view of a graph for a live screen, which says what open dims leave unknown.

    Parameters
    ----------
    limit, first
        As for :func:`workbench.view.graph.graph_view`.
    """
    view = graph_view(flow, limit, first)
    if not flow.dims:
        return view
    has = "has a value" if len(flow.dims) == 1 else "have values"
    said = f"operators as the model names them; kernels are known once {', '.join(flow.dims)} {has}"
    return replace(view, note="; ".join(filter(None, (view.note, said))))


def onnx_view(
    path: str | os.PathLike[str],
    dims: Mapping[str, int] | None = None,
    limit: int = LIVE_LIMIT,
    first: int = 0,
) -> GraphView:
    """The view of an ONNX file, its kernels fused where all extents are known.

    Parameters
    ----------
    dims : mapping of str to int, optional
        Values for the dims that the model leaves open; without them its nodes are shown.
    limit, first
        As for :func:`workbench.view.graph.graph_view`.

    Raises
    ------
    WorkbenchError
        As for :func:`onnx_flow`; when a dim is wrong.
    """
    return flow_view(onnx_flow(path).optimize(dims=dims or None), limit, first)
