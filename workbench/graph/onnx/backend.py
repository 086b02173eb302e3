"""The compiler as a backend of the onnx package, for its test suite and other callers of it.

Examples
--------
>>> from onnx.backend.test import BackendTest
>>> from workbench.graph.onnx.backend import WorkbenchBackend
>>> suite = BackendTest(WorkbenchBackend, __name__)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

from workbench.base.errors import LaunchError, UnsupportedOp
from workbench.graph.compile import CompiledGraph
from workbench.graph.onnx.load import from_onnx


class Prepared(BackendRep):
    """A compiled model that takes its inputs by place.

    Parameters
    ----------
    graph : CompiledGraph
        The kernels.
    names : sequence of str
        The inputs as the model lists them, without those that have an initializer.
    """

    def __init__(self, graph: CompiledGraph, names: Sequence[str]) -> None:
        self.graph = graph
        self.names = tuple(names)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs in the model's order.

        Parameters
        ----------
        inputs : array, sequence of arrays, or mapping of str to array
            By place or by name.

        Raises
        ------
        LaunchError
            When their number is not the model's.
        """
        del kwargs
        if isinstance(inputs, Mapping):
            given = dict(inputs)
        else:
            arrays = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
            if len(arrays) != len(self.names):
                raise LaunchError(
                    f"the model takes {len(self.names)} inputs, not {len(arrays)}",
                    hint=f"they are {', '.join(self.names)}",
                )
            given = dict(zip(self.names, arrays, strict=True))
        return tuple(self.graph(given).values())


class WorkbenchBackend(Backend):
    """Fused kernels, on the CPU."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether every operator and number type of the model is supported."""
        del kwargs
        try:
            from_onnx(model)
        except UnsupportedOp:
            return False
        return cls.supports_device(device)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        """Compile a model.

        Raises
        ------
        UnsupportedOp
            Naming what is not supported.
        ModelError
            When the model is not well formed.
        """
        del kwargs
        if not cls.supports_device(device):
            raise UnsupportedOp(f"the device {device} is not supported", hint='pass "CPU"')
        flow = from_onnx(model)
        return Prepared(flow.optimize().compile("cpu"), [t.name for t in flow.inputs])

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[tuple[np.dtype[Any], tuple[int, ...]]] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Compile and run one node; its inputs are arrays in its order."""
        del outputs_info
        arrays = [np.asarray(a) for a in inputs]
        names = [n for n in node.input if n]
        described = [
            onnx.helper.make_tensor_value_info(
                n, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape
            )
            for n, a in zip(names, arrays, strict=True)
        ]
        outputs = [onnx.helper.make_empty_tensor_value_info(n) for n in node.output if n]
        graph = onnx.helper.make_graph([node], "node", described, outputs)
        version = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
        opset = onnx.helper.make_opsetid(node.domain, version if not node.domain else 1)
        model = onnx.helper.make_model(graph, opset_imports=[opset])
        return cls.prepare(model, device).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """The CPU alone."""
        return device.split(":", maxsplit=1)[0] == "CPU"


is_compatible = WorkbenchBackend.is_compatible
prepare = WorkbenchBackend.prepare
run_node = WorkbenchBackend.run_node
run_model = WorkbenchBackend.run_model
supports_device = WorkbenchBackend.supports_device
