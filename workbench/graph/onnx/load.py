"""The way in: `from_onnx`."""

from __future__ import annotations

from functools import partial

from workbench.graph.flow import FlowGraph
from workbench.graph.onnx.importer import lower, outline
from workbench.graph.onnx.model import Source, dim_names, read


def from_onnx(source: Source) -> FlowGraph:
    """A flow graph from an ONNX model.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        The model. Weights in files of their own are read from the folder of a path only.

    Returns
    -------
    FlowGraph
        With compute definitions if all extents are known; else with open dims, which `optimize`,
        `compile` and `bind` take as ``dims={"n": 1}``.

    Raises
    ------
    ModelError
        When it is no ONNX model, cut short, or inconsistent.
    UnsupportedOp
        Naming all operators that are not known, with the nodes that use them.
    """
    model = read(source)
    if dim_names(model.inputs):
        return FlowGraph(outline(model), partial(lower, model))
    return FlowGraph(lower(model, {}))
