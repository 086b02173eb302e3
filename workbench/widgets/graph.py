"""GraphExplorer: a flow graph before and after fusion, and what cuts would change."""

from __future__ import annotations

from typing import Any

from workbench.base.errors import ModelError
from workbench.graph import CompiledGraph, FlowGraph
from workbench.ir.target import Target
from workbench.view.graph import LIVE_LIMIT, compiled_view, graph_view
from workbench.view.graph_parts import GraphView
from workbench.view.model import as_json
from workbench.view.what_if import cut_view, flow_of, group_view
from workbench.widgets.explorer import STATIC, Explorer


class GraphExplorer(Explorer):
    """The graph screen.

    It answers ``program`` (of the kernel `number`, with the cuts or without), ``cut`` (of the
    tensors `values`) and ``window`` (of operators, from `first`).

    Parameters
    ----------
    graph : FlowGraph or CompiledGraph
        What to look into; kernels are shown once it is optimized.
    limit : int
        Operators that are drawn at once, at most.

    Attributes
    ----------
    flow : FlowGraph
        With the cuts that were asked for: it can be compiled as it is.
    selection : dict
        ``group``, ``node``, ``edge``: numbers into the view of what is picked, -1 for none.
    """

    _esm = STATIC / "graph.js"

    def __init__(self, graph: FlowGraph | CompiledGraph, limit: int = LIVE_LIMIT) -> None:
        self._limit = limit
        self._compiled = graph if isinstance(graph, CompiledGraph) else None
        self.flow = flow_of(graph) if isinstance(graph, CompiledGraph) else graph
        made = [t for op in self.flow.operators for t in op.outputs]
        self._values = [made.index(t) for t in self.flow.cuts]
        made_for = Target.parse(self.flow.made_for or "cpu")
        self._target = self._compiled.target if self._compiled else made_for
        view = self._made(0)
        self._said = f"{view.name}: {view.summary}"
        super().__init__(view)

    def said(self) -> str:
        """Name and sizes."""
        return self._said

    def asked(self, kind: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Answer the browser."""
        match kind, request:
            case "window", {"first": int(first)}:
                self.show(self._made(first))
            case "cut", {"values": [*values]} if all(isinstance(v, int) for v in values):
                before = self.flow, self._values
                self._values = list(values)
                try:
                    self.show(self._made(getattr(self.shown, "first", 0)))
                except ModelError:
                    self.flow, self._values = before
                    raise
            case "program", {"number": int(number)}:
                cut = request.get("cut", True) or not self.flow.cuts
                flow = self.flow if cut else self.flow.cut(())
                return {"program": as_json(group_view(flow, number, self._target))}
            case _:
                return super().asked(kind, request)
        return None

    def _made(self, first: int) -> GraphView:
        if self._values or self.flow.cuts:
            made = cut_view(self.flow, self._values, self._target, self._limit, first)
            self.flow = made[0]
            return made[1]
        if self._compiled is not None:
            return compiled_view(self._compiled, self._limit, first)
        return graph_view(self.flow, self._limit, first)
