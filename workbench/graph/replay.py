"""Graphs for other extents without reading the model again.

The way from a model to programs is run once on extents that remember what is computed of them (see
`symbolic`). What it decides on the way is kept as guards; what it gives, sizes and the numbers in
programs, as expressions of the extents. For other extents for which all guards hold it would decide
the same, and the expressions are its result. Kernels are those that serve many shapes (`family`).
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench.driver.build import compile_module
from workbench.driver.lowering import Lowering
from workbench.graph.family import compilation, filled
from workbench.graph.generic import Generic, Unfit
from workbench.graph.graph import Graph
from workbench.graph.group import Group, View
from workbench.graph.memory import plan
from workbench.graph.outline import Outline, cut, hidden, number, rigid
from workbench.graph.replayed import Replayed, Whole, settled
from workbench.graph.stage import Stage
from workbench.graph.symbolic.number import marks, place_of
from workbench.graph.symbolic.settled import Settled, bound
from workbench.graph.symbolic.tape import Traced, traced
from workbench.graph.tensor import Tensor
from workbench.graph.workspace import Step
from workbench.ir.expr import Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Seq
from workbench.ir.types import DType, TensorType
from workbench.passes.default import PIPELINE

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.graph.family import Families
    from workbench.graph.operator import HostCall, Operator
    from workbench.graph.programs import Schedule
    from workbench.graph.recording import Recording
    from workbench.graph.segment import Segment
    from workbench.graph.symbolic.tape import Tape

_Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text in which some numbers depend on extents."""

    pieces: tuple[str, ...]
    count: int

    @classmethod
    def of(cls, texts: Sequence[str], show: Callable[[str], str] = str) -> tuple[_Text, list[int]]:
        """Texts, and the places of those numbers; `show` makes hidden digits plain."""
        found = [marks(show(text)) for text in texts]
        places = [place for spans in found for *_, place in spans]
        opened: list[str] = []
        for text, spans in zip(texts, found, strict=True):
            for start, end, _ in reversed(spans):
                text = f"{text[:start]}\0{text[end:]}"  # noqa: PLW2901
            opened.append(text)
        return cls(tuple(opened), len(places)), places

    def filled(self, values: Iterator[Any], word: Callable[[Any], str] = str) -> tuple[str, ...]:
        """The texts with numbers in them."""
        if not self.count:
            return self.pieces
        return tuple(_OPEN.sub(lambda _: word(next(values)), piece) for piece in self.pieces)


_OPEN = re.compile("\0")


@dataclass(frozen=True, slots=True, eq=False)
class _Kernel:
    """A program of a recording, but for what depends on the extents.

    Attributes
    ----------
    name : str
        Of the kernel.
    pieces : _Text
        What stands between the numbers that may vary.
    numbers : int
        How many there are.
    notes : _Text
        Of the kernel.
    params : tuple of (str, DType, int)
        Name, type and rank of each parameter.
    """

    name: str
    pieces: _Text
    numbers: int
    notes: _Text
    params: tuple[tuple[str, DType, int], ...]

    @classmethod
    def of(cls, module: Module, tape: Tape) -> tuple[_Kernel, _Places, _Places]:
        """A program, the places of what its outline takes, and of what else it takes.

        Raises
        ------
        Unfit
            When it has no outline.
        """
        kernel, found = module.kernel, cut(module)
        if found is None or kernel.launch is None:
            raise Unfit(f"{kernel.name} is more than a kernel and its numbers")
        pieces, fixed = _Text.of(found[0], rigid)
        notes, shown = _Text.of(kernel.notes)
        free = [tape.place(number(w)) if (p := place_of(w)) is None else p for w in found[1]]
        params = tuple((p.name, p.tensor.dtype, len(p.tensor.shape)) for p in kernel.params)
        extents = (e for p in kernel.params for e in p.tensor.shape)
        rest = map(tape.place, (*kernel.launch.block, *extents))
        outline = *fixed, *free, tape.place(kernel.launch.blocks)
        return cls(kernel.name, pieces, len(free), notes, params), outline, (*shown, *rest)

    def outline(self, values: Iterator[Any]) -> Outline:
        """The program, by the values of the first places."""
        pieces = self.pieces.filled(values, hidden)
        return Outline(pieces, tuple(islice(values, self.numbers)), next(values))

    def made(self, outline: Outline, values: Iterator[Any], families: Families) -> Kernel:
        """The kernel, by its outline and the values of the other places."""
        notes = self.notes.filled(values)
        x, y, z = islice(values, 3)
        params = tuple(
            Var(name, TensorType(kind, tuple(islice(values, rank))))
            for name, kind, rank in self.params
        )
        launch = Launch((outline.blocks, 1, 1), (x, y, z))
        head = Function(self.name, params, Seq(()), launch, notes=notes)

        def whole() -> Module:
            read = Generic.whole(outline)
            kernel = replace(read.kernel, name=self.name, notes=notes)
            return replace(read, functions=(*read.functions[:-1], kernel))

        family, target = families.at(outline.pieces), families.target
        found = family.fitting(outline)
        if found is None and family.widen(outline, target):
            found = family.fitting(outline)
        if found is None:
            return compile_module(whole(), target)
        return filled(
            Module((head,)),
            target,
            *found,
            lambda: compilation(Lowering(whole(), target, PIPELINE, ()), found[0]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Use:
    """What a group reads and makes."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    views: tuple[View, ...]


class _Hosted:
    """A launch that is a host call."""

    def __init__(self, op: Operator) -> None:
        self._op = op
        self.bound = bound(_callable(op))

    def made(self, values: Iterator[Any], new: Mapping[Tensor, Tensor]) -> Group:
        """The call by the values of what its function is bound to."""
        op = self._op
        whole = Settled({t.place: next(values) for t in self.bound})
        inputs, outputs = (tuple(new[t] for t in own) for own in (op.inputs, op.outputs))
        function = whole.function(_callable(op))
        # what a reader should know of it is made when one looks
        return Group(replace(op, inputs=inputs, outputs=outputs, attributes=(), host=function))


def _callable(op: Operator) -> HostCall:
    assert callable(op.host), "a launch without a kernel is a host call"
    return op.host


class Replay:
    """A segment for whatever leads the way of a recording to it.

    Parameters
    ----------
    recording : Recording
        On whose tape it is.
    earlier : Replay or None
        The one that was made of that tape before.
    segment : Segment
        Where that has come to.
    before : sequence of Tensor or None
        Those of the stage before it, as it met them; None where a graph begins.
    graph : Graph
        That of the segment, rewritten.
    schedule : Schedule
        Its programs.
    families : Families
        Kernels of the same graph.

    Raises
    ------
    Unfit, Untraceable
        When there is something in it that cannot be made again.
    """

    def __init__(
        self,
        recording: Recording,
        earlier: Replay | None,
        segment: Segment,
        before: Sequence[Tensor] | None,
        graph: Graph,
        schedule: Schedule,
        families: Families,
    ) -> None:
        self._families = families
        self._tape = tape = recording.tape
        self._earlier = earlier
        made = [_Kernel.of(module, tape) for module in schedule.modules]
        self._kernels = [kernel for kernel, *_ in made]
        self._whole = Whole(graph, schedule.partition, tuple(g for g, *_ in schedule.launches))
        self._launches = [
            (_Hosted(g.anchor) if n is None else n, tensors) for g, n, tensors in schedule.launches
        ]
        self._stage = stage = Stage.of(segment, None, before)
        self._before = before
        self._tensors = list(dict.fromkeys((*stage.tensors, *self._whole.tensors)))
        host = [] if stage.host is None else bound(stage.host)
        self._bound = host + [a for a in stage.reads if isinstance(a, Traced)]
        results = [place for _, outline, _ in made for place in outline]
        results += (place for *_, rest in made for place in rest)
        results += (tape.place(e) for t in self._tensors for e in t.extents)
        results += (tape.place(v.start) for g in schedule.partition.groups for v in g.views)
        results += (tape.place(a) for a in graph.constants.values() if traced(a))
        calls = [call for call, _ in self._launches if isinstance(call, _Hosted)]
        results += (t.place for call in calls for t in call.bound)
        results += (t.place for t in self._bound)
        self._program = tape.program(results, earlier and earlier._program)
        self._inputs = [place for place, _ in tape.inputs]
        # of the last time, for who goes on from there
        self._values: tuple[tuple[Any, ...], list[Any]] | None = None
        if not recording.probes.hold:
            raise Unfit("other extents do not lead the same way")
        self._share(recording.probes.seen([outline for _, outline, _ in made]))

    def _share(self, seen: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Compile what is not there, side by side, by the values of this call and others."""

        def share(kernel: _Kernel, values: Sequence[tuple[Any, ...]]) -> None:
            now, *others = (kernel.outline(iter(each)) for each in values)
            others = [o for o in others if o.pieces == now.pieces]
            self._families.at(now.pieces).widen(now, self._families.target, others)

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            deque(pool.map(share, self._kernels, seen), maxlen=0)

    def at(self, known: Mapping[int, Any], before: Sequence[Tensor] | None) -> Stage | None:
        """The segment for some numbers, compiled; None where another way leads to it.

        Parameters
        ----------
        known : mapping of int to number
            For each input of the tape.
        before : sequence of Tensor or None
            Those of the stage before it.
        """
        key = tuple(known[p] for p in self._inputs)
        computed = self._computed(key)
        if computed is None:
            return None
        values = (computed[p] for p in self._program.results)
        outlines = [k.outline(values) for k in self._kernels]
        pairs = zip(self._kernels, outlines, strict=True)
        kernels = [k.made(o, values, self._families) for k, o in pairs]
        new = {t: Tensor(t.name, t.dtype, tuple(islice(values, t.rank))) for t in self._tensors}
        if not _join(new, self._before or (), before or ()):
            return None
        compiled = self._compiled(key, values, kernels, new)
        stage, settle = self._stage, Settled({t.place: next(values) for t in self._bound})
        self._values = key, computed
        return replace(
            stage,
            compiled=compiled if self._whole.graph.operators or stage.last else None,
            tensors=tuple(new[t] for t in stage.tensors),
            reads=tuple(map(settle.value, stage.reads)),
            host=stage.host and settle.function(stage.host),
        )

    def _compiled(
        self,
        key: tuple[Any, ...],
        values: Iterator[Any],
        kernels: Sequence[Kernel],
        new: dict[Tensor, Tensor],
    ) -> Replayed:
        """The graph for the inputs `key`, of the values that are next."""

        def some(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
            return tuple(new[t] for t in tensors)

        uses = [
            _Use(
                some(inputs),
                some(outputs),
                tuple(View(new[v.tensor], new[v.source], next(values)) for v in views),
            )
            for inputs, outputs, views in self._whole.uses
        ]
        graph = self._whole.graph
        constants = {new[t]: next(values) if traced(a) else a for t, a in graph.constants.items()}
        ends = some(graph.inputs), some(graph.outputs)
        bare = Graph(graph.name, *ends, graph.output_names, (), constants)
        steps = [
            Step(None, call.made(values, new), some(tensors))
            if isinstance(call, _Hosted)
            else Step(kernels[call], None, some(tensors))
            for call, tensors in self._launches
        ]
        memory, whole = plan(uses, bare.outputs), partial(self._settled, key, new)
        return Replayed(bare, steps, memory, self._families.target, whole)

    def _computed(self, key: tuple[Any, ...]) -> list[Any] | None:
        """What stands in the places of the tape for inputs; None where a guard does not hold."""
        if self._values is not None and self._values[0] == key:
            # the next one goes on in these
            (_, found), self._values = self._values, None
            return found
        count = len(key) - len(self._program.inputs)
        values = self._earlier._computed(key[:count]) if self._earlier else []
        if values is None or not self._program.go_on(values, key[count:]):
            return None
        return values

    def _settled(self, inputs: Sequence[Any], tensors: dict[Tensor, Tensor]) -> Whole:
        """The graph and its groups with the extents of a call."""
        values = self._tape.everything(self._program).run(inputs)
        assert values is not None, "the guards held before"
        return settled(self._whole, tensors, values)


def _join(new: dict[Tensor, Tensor], own: Sequence[Tensor], before: Sequence[Tensor]) -> bool:
    """Put the tensors of the stage before in the place of others; False where they do not fit."""
    if [(new[t].dtype, new[t].shape) for t in own] != [(t.dtype, t.shape) for t in before]:
        return False
    new.update(zip(own, before, strict=True))
    return True
