"""Groups that do the same are scheduled once, and give each its own tensors."""

from __future__ import annotations

import numpy as np
import onnx

from tests.graph.cases import agree, floats, model, node
from workbench.graph import from_onnx
from workbench.graph.group import Group
from workbench.graph.schedule import Scheduled, program
from workbench.graph.twins import schedule_once
from workbench.ir.target import Target

CPU = Target("cpu")


def layers(count: int, **slices: int) -> onnx.ModelProto:
    """Matrix products with a softmax after each; a slice of its own where one is asked for."""
    nodes, weights, last = [], {}, "x"
    for n in range(count):
        weights |= {f"w{n}": floats(8, 8, seed=n), f"b{n}": floats(8, seed=9 + n)}
        weights |= {f"from{n}": np.array([slices.get(f"at{n}", 0)]), f"to{n}": np.array([99])}
        nodes += [
            node("MatMul", f"{last} w{n}", f"p{n}"),
            node("Add", f"p{n} b{n}", f"s{n}"),
            node("Softmax", f"s{n}", f"y{n}", axis=-1),
        ]
        last = f"y{n}"
        if f"at{n}" in slices:
            nodes.append(node("Slice", f"y{n} from{n} to{n}", f"z{n}"))
            last = f"z{n}"
    return model(nodes, {"x": (np.float32, (6, 8))}, [last], weights)


def scheduled(made: onnx.ModelProto) -> tuple[list[Group], list[Scheduled]]:
    groups = list(from_onnx(made).optimize().groups)
    return groups, schedule_once(groups, lambda g: program(g, CPU))


def test_layers_that_are_alike_are_scheduled_once() -> None:
    groups, found = scheduled(layers(4))
    assert len(groups) > len({s.module for s in found})
    # the first layer and one that stands for the others, at most
    assert len({s.module for s in found}) <= len(groups) // 2
    for group, each in zip(groups, found, strict=True):
        assert set(each.tensors) == {*group.inputs, *group.outputs}
        own = program(group, CPU)
        assert each.tensors == own.tensors
    agree(layers(4), {"x": floats(6, 8)}, "cpu", atol=1e-5)


def test_what_differs_in_a_number_is_scheduled_by_itself() -> None:
    _, same = scheduled(layers(2, at0=1))
    _, apart = scheduled(layers(3, at0=1, at1=2))
    assert len({s.module for s in apart}) > len({s.module for s in same})
    agree(layers(3, at0=1, at1=2), {"x": floats(6, 8)}, "cpu", atol=1e-5)
