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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench.driver.build import compile_module
from workbench.driver.lowering import Lowering
from workbench.graph.family import compilation, filled
from workbench.graph.generic import Outline, Unfit, cut, hidden, number, rigid
from workbench.graph.graph import Graph
from workbench.graph.group import View
from workbench.graph.memory import plan
from workbench.graph.replayed import Replayed, Whole, settled
from workbench.graph.symbolic.array import wrap
from workbench.graph.symbolic.number import Symbol, marks, place_of
from workbench.graph.symbolic.tape import REACH, Tape, traced
from workbench.graph.tensor import Tensor
from workbench.graph.workspace import Step
from workbench.ir.expr import Var
from workbench.ir.module import Function, Launch, Module
from workbench.ir.stmt import Seq
from workbench.ir.types import DType, TensorType
from workbench.passes.default import PIPELINE

if TYPE_CHECKING:
    from workbench.driver.kernel import Kernel
    from workbench.graph.compile import CompiledGraph
    from workbench.graph.family import Families
    from workbench.graph.programs import Schedule
    from workbench.ir.target import Target

Shapes = Sequence[tuple[int, ...]]
_Places = tuple[int, ...]


class Recording:
    """The extents of a call, traced where other calls had other ones.

    What has been the same all the time stays a number: of it a schedule can make the most.

    Parameters
    ----------
    inputs : sequence of Tensor
        Of the model; extents of theirs that are numbers are not traced either.
    shapes : sequence of tuple of int
        Those of the call.
    others : sequence of shapes
        Those of other calls.
    """

    def __init__(self, inputs: Sequence[Tensor], shapes: Shapes, others: Sequence[Shapes]) -> None:
        self.tape = Tape(wrap)
        self._others = others
        self._open: dict[object, Any] = {}
        self.shapes: tuple[tuple[Any, ...], ...] = tuple(
            tuple(self._extent(n, t, d, e) for d, e in enumerate(shape))
            for n, (t, shape) in enumerate(zip(inputs, shapes, strict=True))
        )

    @property
    def open(self) -> bool:
        """Whether any extent may be another one."""
        return bool(self._open)

    def _extent(self, number: int, tensor: Tensor, axis: int, extent: int) -> Any:
        named = (tensor, axis) if tensor.shape is None else tensor.shape[axis]
        same = all(each[number][axis : axis + 1] == (extent,) for each in self._others)
        if same or isinstance(named, int):
            return extent
        if named not in self._open:
            self._open[named] = self.tape.input(extent)
        return self._open[named]


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

    def made(
        self, outline: Outline, values: Iterator[Any], families: Families, target: Target
    ) -> Kernel:
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
            read = outline.module()
            kernel = replace(read.kernel, name=self.name, notes=notes)
            return replace(read, functions=(*read.functions[:-1], kernel))

        family = families.at(outline.pieces)
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


class Replay:
    """Graphs for the extents that lead the way of a recording.

    Parameters
    ----------
    recording : Recording
        Whose shapes led there.
    graph : Graph
        What was made of them, rewritten.
    schedule : Schedule
        Its programs.
    families : Families
        Kernels of the same graph.
    target : Target
        What the kernels are for.

    Raises
    ------
    Unfit
        When there is something in it that cannot be made again.
    """

    def __init__(
        self,
        recording: Recording,
        graph: Graph,
        schedule: Schedule,
        families: Families,
        target: Target,
    ) -> None:
        if any(n is None for _, n, _ in schedule.launches):
            raise Unfit("what runs on the host was made for one shape")
        self._families, self._target = families, target
        self._tape = tape = recording.tape
        self._shapes = tuple(
            tuple((e.place, e.value) if isinstance(e, Symbol) else (-1, e) for e in shape)
            for shape in recording.shapes
        )
        made = [_Kernel.of(module, tape) for module in schedule.modules]
        self._kernels = [kernel for kernel, *_ in made]
        self._whole = Whole(graph, schedule.partition, tuple(g for g, *_ in schedule.launches))
        self._launches = [(n or 0, tensors) for _, n, tensors in schedule.launches]
        self._tensors = self._whole.tensors
        results = [place for _, outline, _ in made for place in outline]
        results += (place for *_, rest in made for place in rest)
        results += (tape.place(e) for t in self._tensors for e in t.extents)
        results += (tape.place(v.start) for g in schedule.partition.groups for v in g.views)
        results += (tape.place(a) for a in graph.constants.values() if traced(a))
        self._program = tape.program(results)
        if all(self._program.run(each) is None for each in tape.others()):
            raise Unfit("other extents do not lead the same way")
        self._share(tape.seen([outline for _, outline, _ in made]))

    def _share(self, seen: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Compile what is not there, side by side, by the values of this call and others."""

        def share(kernel: _Kernel, values: Sequence[tuple[Any, ...]]) -> None:
            now, *others = (kernel.outline(iter(each)) for each in values)
            others = [o for o in others if o.pieces == now.pieces]
            self._families.at(now.pieces).widen(now, self._target, others)

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            deque(pool.map(share, self._kernels, seen), maxlen=0)

    def at(self, shapes: Shapes) -> CompiledGraph | None:
        """The graph for these shapes of its inputs; None where another way leads to it.

        Parameters
        ----------
        shapes : sequence of tuple of int
            One for each input.
        """
        extents = self._extents(shapes)
        found = None if extents is None else self._program.run(extents)
        if extents is None or found is None:
            return None
        values = iter(found)
        outlines = [k.outline(values) for k in self._kernels]
        pairs = zip(self._kernels, outlines, strict=True)
        kernels = [k.made(o, values, self._families, self._target) for k, o in pairs]
        new = {t: Tensor(t.name, t.dtype, tuple(islice(values, t.rank))) for t in self._tensors}

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
        steps = [Step(kernels[n], None, some(tensors)) for n, tensors in self._launches]
        memory = plan(uses, bare.outputs)
        return Replayed(bare, steps, memory, self._target, lambda: self._settled(extents, new))

    def _settled(self, extents: Sequence[int], tensors: dict[Tensor, Tensor]) -> Whole:
        """The graph and its groups with the extents of a call."""
        values = self._tape.everything().run(extents)
        assert values is not None, "the guards held before"
        return settled(self._whole, tensors, values)

    def _extents(self, shapes: Shapes) -> list[int] | None:
        """The inputs of the tape; None where a shape does not fit, or is of another scale."""
        found: dict[int, int] = {}
        for shape, known in zip(shapes, self._shapes, strict=True):
            if len(shape) != len(known):
                return None
            for extent, (place, own) in zip(shape, known, strict=True):
                if extent != (own if place < 0 else found.setdefault(place, extent)):
                    return None
                if not own <= extent * REACH <= own * REACH**2:
                    return None
        return [found[place] for place in self._program.inputs]
