"""Post-scheduling fusion: a scheduled program takes in the definitions around it.

A load ``in[i]`` becomes the producer's expression at ``i``; a store ``out[e] = v`` becomes
``out'[inv(e)] = expr(v)``. This works on IR alone: it knows no operator by name and no tile, and
the schedule is not touched.

Source: Ding et al., "Hidet: Task-Mapping Programming Paradigm for Deep Learning Tensor Programs",
ASPLOS 2023, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.errors import ScheduleError
from workbench.ir.expr import Atomic, Expr, Load, Var
from workbench.ir.stmt import Declare, Seq, Store
from workbench.ir.traverse import rewrite, substitute, variables, walk
from workbench.ir.types import DType

if TYPE_CHECKING:
    from workbench.ir.module import Function, Module
    from workbench.ir.node import Node
    from workbench.schedules.compute import Compute


def fuse(
    module: Module,
    output: Var,
    prologue: Sequence[Compute] = (),
    epilogue: Sequence[Compute] = (),
    name: str | None = None,
    outputs: Sequence[Var] = (),
) -> Module:
    """The scheduled program with definitions fused into its loads and stores.

    Parameters
    ----------
    module : Module
        Level `script`; its kernel stores each element of `output` exactly once.
    output : Var
        What the program stores.
    prologue : sequence of Compute
        Injective, in the order they depend on one another; their outputs are tensors that the
        program or the epilogue loads. Definitions share variables where they share tensors.
    epilogue : sequence of Compute
        Injective, in order; each has an inverse map for `output` or an earlier epilogue's output.
    name : str, optional
        A new name for the kernel.
    outputs : sequence of Var, optional
        What is stored, of what the program stores and the epilogue makes; by default the last.

    Returns
    -------
    Module
        Its kernel has the inputs that are still read, and the outputs, as parameters.

    Raises
    ------
    ScheduleError
        When the program stores the output in a way that cannot take an epilogue (short vectors,
        atomics, reading it back).
    """
    kernel = module.kernel
    body = kernel.body
    stored = tuple(outputs) or ((epilogue[-1].output if epilogue else output),)
    if epilogue:
        _check_stores(body, output)
        body = rewrite(body, lambda n: _stored(n, output, epilogue, stored))
    for producer in reversed(prologue):
        body = _loaded(body, producer)
    fused = replace(
        kernel,
        name=name or kernel.name,
        body=body,
        params=_params(kernel, body, [*prologue, *epilogue], stored),
    )
    return replace(module, functions=(*module.functions[:-1], fused))


def _check_stores(body: Node, output: Var) -> None:
    for node in walk(body):
        if isinstance(node, Load | Atomic) and node.tensor is output:
            raise ScheduleError(f"{output.name} is read back, so no epilogue can be fused into it")
        if not isinstance(node, Store) or node.tensor is not output:
            continue
        if isinstance(node.value.type, DType) and node.value.type.lanes > 1:
            raise ScheduleError(f"{output.name} is stored in short vectors; store single elements")


def _stored(
    node: Node, output: Var, epilogue: Sequence[Compute], outputs: Sequence[Var]
) -> Node | None:
    """The store of an element, carried through the epilogue."""
    if not isinstance(node, Store) or node.tensor is not output:
        return None
    steps: list[Declare | Store] = []
    made: dict[Var, tuple[Expr, tuple[Expr, ...]]] = {}

    def keep(tensor: Var, index: tuple[Expr, ...], value: Expr, last: bool) -> None:
        # a name of its own for each step: what is used twice is computed once
        if not isinstance(value, Var) and not last:
            kind = value.type
            assert isinstance(kind, DType)
            step = Var(f"{tensor.name}_value", kind)
            steps.append(Declare(step, value, span=node.span))
            value = step
        made[tensor] = (value, index)
        if tensor in outputs:
            steps.append(Store(tensor, index, value, span=node.span))

    keep(output, node.index, node.value, last=False)
    for compute in epilogue:
        keep(compute.output, *_continued(compute, made), last=compute is epilogue[-1])
    return Seq(tuple(steps))


def _continued(
    compute: Compute, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]
) -> tuple[tuple[Expr, ...], Expr]:
    """Where in the output of `compute` the element at hand goes, and its value there."""
    index = _image(compute, made)
    whole = substitute(compute.value, dict(zip(compute.axes, index, strict=True)))
    return index, rewrite(whole, lambda n: _inner(n, made))


def _inner(node: Node, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]) -> Node | None:
    if isinstance(node, Load) and node.tensor in made:
        return made[node.tensor][0]
    return None


def _image(compute: Compute, made: dict[Var, tuple[Expr, tuple[Expr, ...]]]) -> tuple[Expr, ...]:
    """Where in the output of `compute` the element at hand goes."""
    for var, inverse in compute.inverse:
        if var in made:
            at = dict(zip(inverse.axes, made[var][1], strict=True))
            return tuple(substitute(e, at) for e in inverse.index)
    raise ScheduleError(f"{compute.name} has no inverse map for what it follows")


def _loaded(body: Node, producer: Compute) -> Node:
    """`body` with every load of the producer's output replaced by its definition."""

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Load) or node.tensor is not producer.output:
            return None
        if node.type.lanes > 1:
            raise ScheduleError(
                f"{producer.output.name} is loaded in short vectors; load single elements"
            )
        return substitute(producer.value, dict(zip(producer.axes, node.index, strict=True)))

    return rewrite(body, rule)


def _params(
    kernel: Function, body: Node, computes: Sequence[Compute], outputs: Sequence[Var]
) -> tuple[Var, ...]:
    used = variables(body)
    candidates = [*kernel.params, *(v for c in computes for v in c.inputs)]
    inputs = [v for v in dict.fromkeys(candidates) if v in used and v not in outputs]
    return (*inputs, *outputs)
