"""The way in: `from_onnx`."""

from __future__ import annotations

from workbench.graph.flow import FlowGraph
from workbench.graph.onnx.importer import origin
from workbench.graph.onnx.model import Source, read
from workbench.graph.onnx.outline import outline


def from_onnx(source: Source) -> FlowGraph:
    """A flow graph from an ONNX model.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        The model. Weights in files of their own are read from the folder of a path only.

    Returns
    -------
    FlowGraph
        With compute definitions if all extents are known. With open dims it is compiled when it
        is called, for the extents of the call; `optimize`, `compile` and `bind` also take them as
        ``dims={"n": 1}``. So is a graph in which shapes or branches depend on data.

    Raises
    ------
    ModelError
        When it is no ONNX model, cut short, or inconsistent.
    UnsupportedOp
        Naming all operators that are not known, with the nodes that use them.
    """
    model = read(source)
    whole = origin(model)
    if not all(t.bound for t in model.inputs):
        return FlowGraph(outline(model), whole)
    segment = whole.begin([t.extents for t in model.inputs], None)
    if segment.cut is None:
        return FlowGraph(segment.graph)
    return FlowGraph(outline(model), whole, by_data=True)
