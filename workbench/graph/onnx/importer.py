"""From a checked model to graphs of compute definitions, for given extents.

An import walks over open frames (`frames`): the graph, and bodies inside it. Where it needs to see
data that a call computes, it ends the segment there; the next one begins from a copy of the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.base.errors import ModelError, UnsupportedOp, WorkbenchError
from workbench.base.lazy import lazy
from workbench.base.names import shown
from workbench.graph.build import Builder, NeedsHost, NeedsValue, dtype_of
from workbench.graph.graph import Graph
from workbench.graph.onnx.frames import Body, Frame, Stack
from workbench.graph.onnx.functions import Functions, bound_nodes
from workbench.graph.onnx.model import Model, body_of, weights_of
from workbench.graph.onnx.node import Node
from workbench.graph.onnx.registry import find, schema
from workbench.graph.onnx.row import Apart, Enter, Outputs, Result
from workbench.graph.onnx.rows_text import READS_TEXT
from workbench.graph.onnx.types import spelled
from workbench.graph.operator import Operator
from workbench.graph.segment import Cut, Origin, Segment
from workbench.graph.symbolic.tape import tape_of
from workbench.graph.tensor import Tensor, text

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from workbench.graph.segment import Runner
else:
    onnx = lazy("onnx")


@dataclass
class _Job:
    """What stays the same over all segments of an import."""

    name: str
    inputs: tuple[Tensor, ...]
    output_names: tuple[str, ...]
    folder: Path | None
    # bodies that were read, by the graph they come from, which is kept so that ids stay unique
    bodies: dict[int, tuple[onnx.GraphProto, Body]] = field(default_factory=dict)

    def body(self, graph: onnx.GraphProto, functions: Functions) -> Body:
        """The graph of a node, read once."""
        if id(graph) not in self.bodies:
            weights = weights_of(graph, self.folder)
            self.bodies[id(graph)] = (graph, body_of(graph, functions, weights))
        return self.bodies[id(graph)][1]


def origin(model: Model) -> Origin:
    """The model as something to import for the shapes of a call."""

    def begin(shapes: Sequence[tuple[int, ...]]) -> Segment:
        inputs = _shaped(model.inputs, shapes)
        job = _Job(model.name, inputs, model.body.outputs, model.folder)
        b = Builder(tape=tape_of(*shapes))
        frame = _frame(b, model.body, inputs, model.functions)
        return _go_on(job, b, Stack([frame]))

    return Origin(model.name, model.inputs, model.body.outputs, begin)


def _shaped(inputs: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> tuple[Tensor, ...]:
    """The inputs as those of a call; the import may ask for what none of them can hold."""
    found = tuple(Tensor(t.name, t.dtype, s) for t, s in zip(inputs, shapes, strict=True))
    for t in found:
        if t.size >= 2**31:
            raise ModelError(f"{t} has {t.size} elements; kernels count up to 2**31 - 1")
    return found


def _frame(b: Builder, body: Body, inputs: Sequence[Tensor], functions: Functions) -> Frame:
    """A body about to be imported."""
    if len(inputs) != len(body.inputs):
        raise ModelError(f"the graph takes {len(body.inputs)} inputs, not {len(inputs)}")
    names = dict(zip(body.inputs, inputs, strict=True))
    names |= {name: b.constant(array, name) for name, array in body.initializers.items()}
    return Frame(body.nodes, names, body.outputs, functions, before=len(b.operators))


def _go_on(job: _Job, b: Builder, stack: Stack, given: tuple[Tensor, ...] = ()) -> Segment:
    """Import up to the end or to the next cut."""
    while True:
        frame = stack.top
        ended = frame.place == len(frame.nodes)
        if ended and len(stack.frames) == 1:
            return _last(job, b, stack, given)
        node = frame.node if ended else frame.nodes[frame.place]
        assert node is not None, "only the outermost frame has no node"
        blamed = frame.blamed or node
        before = frame.before if ended else len(b.operators)
        b.origin = blamed.name
        b.wish = next((o for o in node.outputs if o), node.name)
        try:
            result = _closed(b, stack) if ended else _opened(b, stack, node)
            _deliver(job, b, stack, node, result, before)
        except NeedsValue as error:
            why = f'node "{blamed.name}" ({blamed.op}): {error}'
            return _read(job, b, stack, given, error, before, why)
        except NeedsHost as error:
            why = f'node "{blamed.name}" ({blamed.op}): {error}'
            return _call(job, b, stack, given, error, why)
        except WorkbenchError as error:
            if error.message.startswith("node "):
                raise
            kind = type(error) if isinstance(error, UnsupportedOp) else ModelError
            raise kind(
                f'node "{blamed.name}" ({shown(blamed.op)}): {shown(error.message, 600)}',
                hint=error.hint,
                notes=error.notes,
            ) from None


def _opened(b: Builder, stack: Stack, node: Node) -> Result | Frame:
    """What the row of a node gives; its frame if a function defines it."""
    stack.count()
    inputs = [stack.tensor(i) for i in node.inputs]
    row = find(node.domain, node.op, node.opset)
    if row is None:
        return _function(stack, node, inputs)
    while inputs and inputs[-1] is None:
        inputs.pop()
    _check_inputs(b, node, inputs)
    if node.op not in READS_TEXT and any(t.dtype == text for t in inputs if t):
        raise UnsupportedOp(f"{node.op} of strings is not supported", op=node.op)
    made = row.lower(node, b, *inputs)
    return (made,) if isinstance(made, Tensor) else made


def _closed(b: Builder, stack: Stack) -> Result:
    """What the frame that has come to its end gives to the node whose body it is."""
    frame = stack.top
    # a function may leave out outputs that nobody asks for
    find = stack.tensor if frame.sees else stack.find
    found = tuple(find(o) for o in frame.outputs)
    stack.frames.pop()
    return frame.then(b, found) if frame.then else found


def _deliver(
    job: _Job, b: Builder, stack: Stack, node: Node, result: Result | Frame, before: int
) -> None:
    """Enter a result in the names of the innermost frame, or open the frame it asks for."""
    frame = stack.top
    if isinstance(result, Apart):
        raise _apart(job, b, stack, result)
    # a frame that was open for the node has moved it on already
    if frame.place < len(frame.nodes) and frame.nodes[frame.place] is node:
        frame.place += 1
    if isinstance(result, Frame):
        stack.push(replace(result, before=before))
    elif isinstance(result, Enter):
        inner = _frame(b, job.body(result.body, frame.functions), result.inputs, frame.functions)
        blame = {"node": node, "blamed": frame.blamed, "before": before}
        stack.push(replace(inner, then=result.then, sees=True, held=result.held, **blame))
    else:
        whole = len(stack.frames) == 1 and len(b.operators) > before
        _named(b, frame, node, result, whole)


def _named(b: Builder, frame: Frame, node: Node, found: Outputs, whole: bool) -> None:
    """Give a node's outputs their names; in the outermost graph tensors are called so as well."""
    renamed: dict[Tensor, Tensor] = {}
    for name, tensor in zip(node.outputs, found, strict=False):
        if name and tensor is not None:
            if whole and tensor not in renamed:
                renamed[tensor] = b.name(tensor, name)
            frame.names[name] = renamed.get(tensor, tensor)


def _check_inputs(b: Builder, node: Node, inputs: Sequence[Tensor | None]) -> None:
    """Hold the inputs of a node against ONNX's own description of the operator."""
    described = schema(node.domain, node.op, node.opset)
    if described is None:
        if any(t in b.sequences for t in inputs if t):
            raise ModelError("takes tensors, not sequences of them")
        return
    least, most = described.min_input, described.max_input
    if not least <= len(inputs) <= most:
        takes = str(least) if least == most else f"{least} to {most}"
        raise ModelError(f"has {len(inputs)} inputs; the operator takes {takes}")
    first: dict[str, Tensor] = {}
    for place, tensor in enumerate(inputs):
        formal = described.inputs[min(place, len(described.inputs) - 1)]
        _check_input(b, tensor, formal)
        if tensor is not None and formal.is_homogeneous:
            other = first.setdefault(formal.type_str, tensor)
            if other.dtype != tensor.dtype:
                raise ModelError(f"{other} and {tensor} must have one number type")


def _check_input(b: Builder, tensor: Tensor | None, formal: Any) -> None:
    """Hold one input against its description."""
    if tensor is None:
        if formal.option.name != "Optional":
            raise ModelError(f'its input "{formal.name}" is left out; the operator needs it')
    elif not any(t.startswith("seq(") == (tensor in b.sequences) for t in formal.types):
        takes = "a tensor" if tensor in b.sequences else "a sequence of tensors"
        raise ModelError(f'its input "{formal.name}" is {takes}, and "{tensor.name}" is not')
    elif tensor not in b.sequences and spelled(tensor.dtype) not in formal.types:
        takes = ", ".join(sorted(formal.types)).replace("tensor", "")
        raise ModelError(f'its input "{formal.name}" is {tensor}; the operator takes {takes}')


def _function(stack: Stack, node: Node, inputs: Sequence[Tensor | None]) -> Frame:
    """The frame of a node that is defined by a function."""
    frame = stack.top
    body = frame.functions.body(node, inputs)
    if body is None:
        raise UnsupportedOp(
            f"the operator {node.op} of opset {node.opset} is not supported",
            op=node.op,
            opset=node.opset,
        )
    inner = frame.functions.inside(body)
    names = {n: t for n, t in zip(body.input, inputs, strict=False) if t is not None}
    return Frame(
        bound_nodes(body, node, inner),
        names,
        tuple(body.output),
        inner,
        node,
        frame.blamed or node,
        left_out=frozenset(body.input) - names.keys(),
    )


def _apart(job: _Job, b: Builder, stack: Stack, result: Apart) -> NeedsHost:
    """The host call that runs a body many times."""
    functions = stack.top.functions
    body = job.body(result.body, functions)
    names = dict.fromkeys(n for node in body.nodes for n in (*node.inputs, *node.captured))
    outer = {n: t for n in (*names, *body.outputs) if n and (t := stack.find(n)) is not None}
    fixed = {n: t for n, t in outer.items() if t in b.constants}
    open_ = {n: t for n, t in outer.items() if n not in fixed}
    constants = {t: b.constants[t] for t in fixed.values()}
    inputs = (*result.kinds, *open_.values())

    def begin(shapes: Sequence[tuple[int, ...]]) -> Segment:
        own = _shaped(inputs, shapes)
        count = len(result.kinds)
        inner = replace(job, name=f"{job.name} body", inputs=own, output_names=ends)
        builder = Builder(constants=dict(constants), tape=b.tape or tape_of(*shapes))
        frame = _frame(builder, body, own[:count], functions)
        names = {**fixed, **dict(zip(open_, own[count:], strict=True)), **frame.names}
        return _go_on(inner, builder, Stack([replace(frame, names=names)]))

    ends = tuple(f"{n} {name}" for n, name in enumerate(body.outputs))
    read = (*result.inputs, *open_.values())
    _check_single(b, (*read, *fixed.values()))
    # the shapes of its calls are their own
    kinds = tuple(replace(t, shape=None) for t in inputs)
    function = partial(_ran, result.run, len(result.inputs))
    return NeedsHost(function, read, Origin(job.name, kinds, ends, begin))


def _ran(run: Callable[..., Any], count: int, runner: Runner, *arrays: Any) -> Any:
    return run(runner, arrays[:count], arrays[count:])


def _last(job: _Job, b: Builder, stack: Stack, given: tuple[Tensor, ...]) -> Segment:
    """The segment that ends with the outputs of the whole."""
    outputs: list[Tensor] = []
    for name in stack.top.outputs:
        tensor = stack.find(name)
        if tensor is None:
            raise ModelError(f'"{shown(name)}" is an output that its node does not give')
        _check_single(b, [tensor])
        outputs.append(tensor)
    return Segment(_graph(job, b, outputs, job.output_names), given)


def _check_single(b: Builder, tensors: Iterable[Tensor]) -> None:
    """Raise UnsupportedOp for sequences where only tensors can go."""
    for tensor in tensors:
        if tensor in b.sequences:
            raise UnsupportedOp(
                f'"{shown(tensor.name)}" is a sequence, which is known while compiling only',
                hint="put its tensors together, or take them out one by one, within the graph",
            )


def _graph(job: _Job, b: Builder, outputs: Sequence[Tensor], output_names: Sequence[str]) -> Graph:
    """The operators that the outputs depend on, as a graph."""
    needed = set(outputs)
    kept: list[Operator] = []
    for op in reversed(b.operators):
        if needed.intersection(op.outputs):
            kept.append(op)
            needed.update(op.inputs)
    kept.reverse()
    made = {t for op in kept for t in op.outputs}
    read = dict.fromkeys((*(t for op in kept for t in op.inputs), *outputs))
    constants = {t: b.constants[t] for t in read if t in b.constants}
    # inputs of the call come first, in its order, whether they are read or not
    known = {*made, *constants, *job.inputs}
    own = (t for t in job.inputs if t not in b.constants)
    inputs = (*own, *(t for t in read if t not in known))
    return Graph(job.name, inputs, tuple(outputs), tuple(output_names), tuple(kept), constants)


def _ending(job: _Job, b: Builder, stack: Stack, reads: Iterable[Tensor]) -> Graph:
    """The graph of a segment that ends at a cut: it gives what may be read after it."""
    made = {t for op in b.operators for t in op.outputs}
    needed = {**dict.fromkeys(reads), **dict.fromkeys(stack.needed())}
    single = (item for t in needed for item in b.sequences.get(t, (t,)))
    outputs = [t for t in dict.fromkeys(single) if t in made]
    return _graph(job, b, outputs, [str(n) for n in range(len(outputs))])


def _read(
    job: _Job,
    b: Builder,
    stack: Stack,
    given: tuple[Tensor, ...],
    error: NeedsValue,
    before: int,
    why: str,
) -> Segment:
    """The segment that ends where values are needed; its node is imported anew with them."""
    makers = {t: op for op in b.operators[before:] for t in op.outputs}
    del b.operators[before:]
    reads: dict[Tensor, None] = {}
    waiting = list(error.tensors)
    for tensor in waiting:
        # what the node made on the way is gone: all that it was made of must be known
        if tensor in makers:
            waiting += makers.pop(tensor).inputs
        elif tensor not in b.constants:
            reads[tensor] = None
    if not reads:
        raise ModelError(f"{why}, which is too large to be computed before")
    saved, constants = stack.copy(), dict(b.constants)

    def resume(values: Sequence[Any]) -> Segment:
        known = dict(zip(reads, values, strict=True))
        tape = b.tape or tape_of(*values)
        builder = replace(b, operators=[], constants={**constants, **known}, tape=tape)
        return _go_on(job, builder, saved.copy())

    return Segment(_ending(job, b, stack, reads), given, Cut(tuple(reads), resume, why=why))


def _call(
    job: _Job, b: Builder, stack: Stack, given: tuple[Tensor, ...], error: NeedsHost, why: str
) -> Segment:
    """The segment that ends where a host call gives a node's outputs."""
    saved, constants = stack.copy(), dict(b.constants)
    frame = stack.top
    node = frame.nodes[frame.place]

    def resume(arrays: Sequence[Any]) -> Segment:
        tape = b.tape or tape_of(*(a.shape for a in arrays))
        builder = replace(b, operators=[], constants=dict(constants), tape=tape)
        copy = saved.copy()
        names = [o or node.name for o in node.outputs]
        found = tuple(Tensor(n, dtype_of(a), a.shape) for n, a in zip(names, arrays, strict=False))
        copy.top.place += 1
        _named(builder, copy.top, node, found, whole=False)
        return _go_on(job, builder, copy, found)

    graph = _ending(job, b, stack, error.inputs)
    known = {t: b.constants[t] for t in error.inputs if t in b.constants}
    cut = Cut(error.inputs, resume, error.function, error.body, known, why)
    return Segment(graph, given, cut)
