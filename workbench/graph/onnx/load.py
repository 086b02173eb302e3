"""The ways in: `from_onnx`, and `load_graph` for what was compiled before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workbench.graph.flow import FlowGraph
from workbench.graph.onnx.importer import origin
from workbench.graph.onnx.kept import Source
from workbench.graph.onnx.model import read
from workbench.graph.onnx.outline import outline
from workbench.graph.save import adopt
from workbench.graph.save import read as read_saved
from workbench.ir.types import Dim

if TYPE_CHECKING:
    from workbench.graph.compile import CompiledGraph


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
        return FlowGraph(outline(model), whole, model=model.again)
    segment = whole.begin([t.extents for t in model.inputs])
    if segment.cut is None:
        return FlowGraph(segment.graph, model=model.again)
    return FlowGraph(outline(model), whole, by_data=True, model=model.again)


def load_graph(path: str | os.PathLike[str]) -> CompiledGraph:
    """A compiled graph from a file that `CompiledGraph.save` wrote.

    Nothing in a file is executed but machine code, and that only if this machine's user made it:
    it is signed with a key in the folder of the compile cache. From anywhere else, or for another
    processor or another version, the model in the file is compiled instead.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    CompiledGraph
        For the target, and with the dims, with which it was compiled.

    Raises
    ------
    ModelError
        When the file is damaged, cut short, no saved graph, or of a newer format.
    """
    saved = read_saved(path)
    adopt(saved)
    flow = from_onnx(saved.model)
    dims: dict[str, int] = {}
    for tensor in flow.inputs:
        shape = saved.shapes.get(tensor.name) or ()
        pairs = zip(tensor.shape or (), shape, strict=False)
        dims |= {d.name: e for d, e in pairs if isinstance(d, Dim) and isinstance(e, int)}
    if saved.optimized:
        flow = flow.optimize(dims or None, fuse=saved.fuse, target=saved.target)
        return flow.compile(saved.target)
    return flow.compile(saved.target, dims or None)
