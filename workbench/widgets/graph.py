"""GraphExplorer: a flow graph before and after fusion."""

from __future__ import annotations

from workbench.graph import CompiledGraph, FlowGraph
from workbench.view.graph import compiled_view, graph_view
from workbench.widgets.explorer import STATIC, Explorer


class GraphExplorer(Explorer):
    """The graph screen.

    Parameters
    ----------
    graph : FlowGraph or CompiledGraph
        What to look into; kernels are shown once it is optimized.

    Attributes
    ----------
    selection : dict
        ``group``: number of the kernel that is picked, -1 for none.
    """

    _esm = STATIC / "graph.js"

    def __init__(self, graph: FlowGraph | CompiledGraph) -> None:
        view = compiled_view(graph) if isinstance(graph, CompiledGraph) else graph_view(graph)
        self._said = f"{view.name}: {view.summary}"
        super().__init__(view)

    def said(self) -> str:
        """Name and sizes."""
        return self._said
