"""Kernels for a GPU that serve several shapes: what a new shape builds, and what they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.codegen import emulate
from tests.graph.cases import Built, floats, model, node
from tests.graph.test_family import check, encoder, peer, random
from workbench.base.errors import LaunchError
from workbench.driver.build import compile_module
from workbench.driver.cuda import CudaBackend
from workbench.graph import CompiledGraph, dynamic, family, from_onnx, replay
from workbench.graph import compile as graph_compile
from workbench.graph.dynamic import DynamicGraph
from workbench.graph.generic import Generic, Unfit
from workbench.graph.outline import Outline
from workbench.graph.programs import schedule_graph
from workbench.graph.workspace import Workspace
from workbench.ir.build import add, less, sub
from workbench.ir.expr import Builtin, Var
from workbench.ir.module import Function, Launch, Level, Module
from workbench.ir.stmt import Break, ForTask, If, Seq, Stmt, Store
from workbench.ir.target import Target
from workbench.ir.types import TensorType, i32
from workbench.passes.default import run as lower
from workbench.runtime import nvrtc

F = np.float32
HOPPER = Target.parse("cuda:sm_90a")

needs_nvrtc = pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")


def pyramid() -> Any:
    """Windows that step by two, a transposed one, and what they gave side by side."""
    return model(
        [
            node("Conv", "x w0", "a", pads=[1, 1, 1, 1], strides=[2, 2]),
            node("Relu", "a", "b"),
            node("Conv", "b w1", "c", pads=[1, 1, 1, 1]),
            node("Add", "b c", "d"),
            node("ConvTranspose", "d w2", "e", strides=[2, 2]),
            node("Concat", "x e", "f", axis=1),
            node("GlobalAveragePool", "f", "y"),
        ],
        {"x": (F, ("n", 3, "h", "w"))},
        ["e", "y"],
        {"w0": floats(8, 3, 3, 3), "w1": floats(8, 8, 3, 3), "w2": floats(8, 3, 2, 2)},
    )


MODELS: dict[str, tuple[Callable[[], Any], Sequence[tuple[int, ...]]]] = {
    "encoder": (encoder, [(2, 70, 24), (3, 131, 24), (2, 93, 24), (5, 64, 24), (4, 47, 24)]),
    "pyramid": (pyramid, [(2, 3, 32, 48), (3, 3, 40, 36), (2, 3, 64, 34), (5, 3, 38, 62)]),
}


def compiled(made: Any, target: Target = HOPPER) -> DynamicGraph:
    """The model for a GPU that need not be here."""
    found = from_onnx(made).optimize().compile(target)
    assert isinstance(found, DynamicGraph)
    return found


@needs_nvrtc
@pytest.mark.parametrize("name", MODELS)
def test_a_later_shape_builds_nothing_for_a_gpu(name: str, built: Built) -> None:
    made, shapes = MODELS[name]
    graph = compiled(made())
    counts: list[int] = []
    for shape in shapes:
        graph.prepare({"x": shape})
        counts.append(built())
    assert graph.ways.untraced is None
    assert counts[0] >= 4
    assert counts[1] <= counts[0] + 2, "one for several instead of one for itself"
    assert counts[2:] == [0] * len(counts[2:])
    assert graph.ways.replayed == len(counts[2:])
    served = [k for k in graph.kernels if "generic" in [s.name for s in k.stages]]
    assert served
    assert all(k.binary.startswith(b"\x7fELF") for k in served)


@needs_nvrtc
def test_a_served_kernel_tells_how_it_came_about() -> None:
    graph = compiled(encoder(), Target("cuda"))
    for length in (70, 131, 93):
        graph.prepare({"x": (2, length, 24)})
    assert all(k.target.arch for k in graph.kernels), "that of the GPU, or the usual one"
    last = [k for k in reversed(graph.kernels) if "generic" in [s.name for s in k.stages]]
    kernel = next(k for k in last if k.name.startswith("matmul"))
    stages = {stage.name: stage.text for stage in kernel.stages}
    assert "spatial(2, 2, " in stages["module"], "its own tasks, in its own words"
    assert "blockIdx.x tdiv slot_" in stages["generic"]
    assert "given_0" in kernel.source
    assert kernel.launch.blocks < 100
    assert kernel.resources is not None
    assert ".entry kernel(" in kernel.ptx


@pytest.mark.parametrize("dims", [None, {"batch": 2, "length": 70}], ids=["any", "fixed"])
def test_shapes_that_do_not_fit_are_refused(dims: dict[str, int] | None) -> None:
    graph = from_onnx(encoder()).optimize().compile("cpu", dims)
    made = len(graph.kernels)
    for shapes, words in (
        ({"x": (2, 70)}, "expected f32" if dims is None else "does not take"),
        ({"x": (2, 70, 25)}, "does not take"),
        ({"x": (2, -70, 24)}, "is no shape"),
        ({"x": (2, 70.0, 24)}, "is no shape"),
        ({"x": 7}, "is no shape"),
        ({"z": (2, 70, 24)}, "missing"),
        ({"x": (2, 70, 24), "z": ()}, "no input z"),
    ):
        with pytest.raises(LaunchError, match=words):
            graph.prepare(shapes)  # pyright: ignore[reportArgumentType]
    assert len(graph.kernels) == made
    graph.prepare({"x": (2, 70, 24)})
    assert graph.kernels


def programs(made: Any, shapes: Sequence[tuple[int, ...]]) -> list[list[tuple[Outline, Module]]]:
    """Programs of a model for a GPU, those of one outline together."""
    graph = compiled(made)
    found: dict[tuple[str, ...], list[tuple[Outline, Module]]] = {}
    for shape in shapes:
        _, parts = graph._parted(graph._origin.begin([shape]).graph)
        for module in schedule_graph(parts, HOPPER, None).modules:
            outline = Outline.of(module)
            assert outline is not None
            found.setdefault(outline.pieces, []).append((outline, module))
    return list(found.values())


def arrays(module: Module) -> list[np.ndarray]:
    """Arguments of a program: small numbers, in whatever type."""
    made: list[np.ndarray] = []
    for n, param in enumerate(module.kernel.params):
        kind = param.tensor
        drawn = np.random.default_rng(n).integers(-3, 4, kind.extents)
        made.append(drawn.astype(kind.dtype.numpy_name))
    return made


def generics(made: Any, shapes: Sequence[tuple[int, ...]]) -> list[tuple[Generic, Outline, Module]]:
    """For each program what is generic of it and its like."""
    found: list[tuple[Generic, Outline, Module]] = []
    for alike in programs(made, shapes):
        outlines = [outline for outline, _ in alike]
        if any(o != outlines[0] for o in outlines):
            found += ((Generic.of(outlines), outline, module) for outline, module in alike)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_what_is_shared_computes_what_each_program_does(name: str) -> None:
    made, shapes = MODELS[name]
    found = generics(made(), shapes[:3])
    assert len(found) >= 6
    for generic, outline, module in found:
        numbers = generic.arguments(outline)
        assert numbers is not None
        assert module.kernel.launch is not None
        own, shared = arrays(module), arrays(module)
        compile_module(module, "cpu")(*own)
        # the machine code of a CPU: threads, barriers and shared memory mean the same there
        whole = _launched(generic.module(outline), module.kernel.launch)
        backend = compile_module(whole, "cpu").backend
        backend.prepare([*shared, *numbers])()
        for a, b in zip(own, shared, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(emulate.GXX is None, reason="g++ is not on PATH")
@pytest.mark.parametrize("name", MODELS)
def test_its_cuda_computes_the_same(name: str, tmp_path: Path) -> None:
    made, shapes = MODELS[name]
    for n, (generic, outline, module) in enumerate(generics(made(), shapes[:2])[1::2]):
        numbers = generic.arguments(outline)
        assert numbers is not None
        assert module.kernel.launch is not None
        own, shared = arrays(module), arrays(module)
        compile_module(module, "cpu")(*own)
        whole = lower(_launched(generic.module(outline), module.kernel.launch), HOPPER)
        kinds = [p.type for p in whole.kernel.params[len(shared) :]]
        given = [np.dtype(k.numpy_name).type(v) for k, v in zip(kinds, numbers, strict=True)]  # pyright: ignore[reportAttributeAccessIssue]
        folder = tmp_path / str(n)
        folder.mkdir()
        emulate.run(whole, [*shared, *given], folder, "sm_90a")
        for a, b in zip(own, shared, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def _launched(module: Module, launch: Launch) -> Module:
    kernel = replace(module.kernel, launch=launch)
    return replace(module, functions=(*module.functions[:-1], kernel))


def tasks(extents: Sequence[int], first: int, blocks: int) -> Module:
    """A block writes its number at its task; those before `first` and past the last have none."""
    out = Var("out", TensorType(i32, tuple(extents)))
    axes = tuple(Var(f"b{d}", i32) for d in range(len(extents)))
    block = Builtin("blockIdx.x")
    worker = sub(block, first) if first else block
    loop: Stmt = ForTask(axes, wb.spatial(*extents), worker, Store(out, axes, add(block, 1)))
    if first:
        loop = If(less(first - 1, block), loop)
    kernel = Function("tasks", (out,), loop, Launch((blocks, 1, 1), (1, 1, 1)))
    return Module((kernel,), level=Level.SCRIPT)


EXTENTS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@settings(max_examples=25)
@given(data=st.data(), rank=st.integers(1, 4), first=st.sampled_from([0, 3]))
def test_blocks_get_the_tasks_that_a_mapping_gives_them(
    data: st.DataObject, rank: int, first: int
) -> None:
    shapes = [
        data.draw(st.lists(st.integers(2, 6), min_size=rank, max_size=rank)) for _ in range(2)
    ]
    # more blocks than tasks, or just as many
    spare = data.draw(st.sampled_from([0, 5]))
    modules = [tasks(s, first, first + int(np.prod(s)) + spare) for s in shapes]
    outlines = [Outline.of(m) for m in modules]
    assert outlines[0] is not None
    assert outlines[1] is not None
    assert outlines[0].pieces == outlines[1].pieces, "the numbers of its tasks are no text"
    generic = Generic.of([outlines[0], outlines[1]])
    for outline, module, shape in zip(outlines, modules, shapes, strict=True):
        assert outline is not None
        assert Generic.whole(outline).kernel.body is not None
        numbers = generic.arguments(outline)
        assert numbers is not None
        assert module.kernel.launch is not None
        out = np.zeros(shape, np.int32)
        whole = _launched(generic.module(outline), module.kernel.launch)
        compile_module(whole, "cpu").backend.prepare([out, *numbers])()
        wanted = first + 1 + np.arange(out.size).reshape(shape)
        np.testing.assert_array_equal(out, wanted)


def test_a_grid_with_idle_blocks_is_not_taken_for_a_full_one() -> None:
    full, larger = (Outline.of(tasks(s, 0, int(np.prod(s)))) for s in ((2, 3), (4, 5)))
    idle = Outline.of(tasks((4, 5), 0, 23))
    assert full is not None
    assert larger is not None
    assert idle is not None
    assert Generic.of([full, larger]).arguments(idle) is None
    assert Generic.of([full, larger, idle]).arguments(idle) is not None


def test_a_task_that_is_left_before_its_end_is_not_shared() -> None:
    def left(extent: int) -> Module:
        whole = tasks((extent,), 0, extent)
        loop = whole.kernel.body
        assert isinstance(loop, ForTask)
        body = Seq((If(less(loop.vars[0], 2), Break()), loop.body))
        kernel = replace(whole.kernel, body=replace(loop, body=body))
        return replace(whole, functions=(kernel,))

    one, other = (Outline.of(left(n)) for n in (4, 7))
    assert one is not None
    assert other is not None
    with pytest.raises(Unfit, match="left before its end"):
        Generic.of([one, other]).module(other)


def test_threads_stay_a_part_of_the_text() -> None:
    def module(threads: int) -> Module:
        out = Var("out", TensorType(i32, (64,)))
        t = Var("t", i32)
        loop = ForTask((t,), wb.spatial(threads), Builtin("threadIdx.x"), Store(out, (t,), t))
        kernel = Function("k", (out,), loop, Launch((1, 1, 1), (64, 1, 1)))
        return Module((kernel,), level=Level.SCRIPT)

    one, other = (Outline.of(module(n)) for n in (32, 64))
    assert one is not None
    assert other is not None
    assert one.pieces != other.pieces


@pytest.mark.parametrize(
    ("spills", "fraction", "own_spills", "own_fraction", "slower"),
    [
        (0, 0.5, 0, 1.0, False),
        (0, 0.3, 0, 0.375, False),
        (0, 0.25, 0, 0.5, True),
        (8, 1.0, 0, 1.0, True),
        (8, 1.0, 8, 1.0, False),
    ],
)
def test_what_runs_fewer_threads_or_spills_is_not_shared(
    spills: int, fraction: float, own_spills: int, own_fraction: float, slower: bool
) -> None:
    def kernel(spill: int, part: float) -> Any:
        used, fit = SimpleNamespace(spill_bytes=spill), SimpleNamespace(fraction=part)
        return SimpleNamespace(resources=used, occupancy=fit)

    def way() -> Any:
        raise AssertionError("there is a kernel to compare with")

    found = family._slower_on_gpu(kernel(spills, fraction), kernel(own_spills, own_fraction), way)
    assert found is slower


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs for a GPU become machine code of this processor, their arrays numpy's."""

    def compiled_here(module: Module, _: Target, **how: Any) -> Any:
        return compile_module(module, "cpu", **how)

    for place in (family, replay):
        monkeypatch.setattr(place, "compile_module", compiled_here)
    monkeypatch.setattr(family, "shares", lambda _: True)
    monkeypatch.setattr(dynamic, "shares", lambda _: True)
    monkeypatch.setattr(family, "_slower_on_gpu", lambda *_: False)
    monkeypatch.setattr(CompiledGraph, "_gpu", False)
    monkeypatch.setattr(
        graph_compile, "Workspace", lambda arrays, place, _: Workspace(arrays, place, "interp")
    )


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", MODELS)
def test_a_replayed_schedule_for_a_gpu_gives_what_onnxruntime_gives(name: str) -> None:
    made, shapes = MODELS[name]
    graph, wanted = compiled(made()), peer(made())
    for shape in (*shapes, shapes[0], shapes[1]):
        check(graph, wanted, {"x": random(*shape)})
    assert graph.ways.replayed == len(shapes) - 2
    assert all(k.launch.block != (1, 1, 1) for k in graph.kernels), "as on a GPU"


def test_of_an_architecture_that_nobody_knows_nothing_is_shared() -> None:
    class Unknown:
        resources = SimpleNamespace(spill_bytes=0)

        @property
        def occupancy(self) -> Any:
            raise LaunchError("no occupancy figures are known for sm_999")

    made: Any = Unknown()
    assert family._slower_on_gpu(made, None, lambda: made)


@needs_nvrtc
def test_launches_that_share_code_load_it_once() -> None:
    graph = compiled(encoder())
    for length in (70, 131, 93, 101):
        graph.prepare({"x": (2, length, 24)})
    names: dict[str, set[int]] = {}
    for kernel in graph.kernels:
        assert isinstance(kernel.backend, CudaBackend)
        if "generic" in [s.name for s in kernel.stages]:
            names.setdefault(kernel.name, set()).add(id(kernel.backend.cubin()))
    assert names
    assert all(len(found) == 1 for found in names.values()), "one cubin for all lengths"


@pytest.mark.gpu
@pytest.mark.parametrize("name", MODELS)
def test_on_a_gpu_every_shape_gives_what_onnxruntime_gives(name: str, built: Built) -> None:
    import cupy  # pyright: ignore[reportMissingImports]  optional

    made, shapes = MODELS[name]
    graph = from_onnx(made()).optimize().compile("cuda")
    assert isinstance(graph, DynamicGraph)
    wanted = peer(made())
    for shape in (*shapes, shapes[1], shapes[0]):
        x = random(*shape)
        found = graph({"x": cupy.asarray(x)})
        for one, other in zip(found.values(), wanted({"x": x}), strict=True):
            np.testing.assert_allclose(cupy.asnumpy(one), other, rtol=2e-4, atol=2e-4)
    built()
    graph.prepare({"x": shapes[-1]})
    assert built() == 0
    # weights lie on the GPU once
    parts = [p.stage.compiled for p in graph._parts() if p.stage.compiled]
    large = [{a.data.ptr for a in p._constants.values() if a.nbytes >= 4096} for p in parts]
    assert all(own & large[0] for own in large if own)
