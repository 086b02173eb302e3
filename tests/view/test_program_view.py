"""PTX, SASS and LLVM with their lines linked, mappings in use, figures, and edited CUDA."""

from __future__ import annotations

import re

import pytest

import workbench as wb
from workbench.base.doc import Line
from workbench.lang import blockIdx, f32, launch, repeat, shared, spatial, syncthreads, threadIdx
from workbench.runtime import nvrtc, sass
from workbench.runtime.devices import Missing, program
from workbench.view import as_json, kernel_view, task_loops
from workbench.view import listing as listings
from workbench.view import raw as raws
from workbench.view.fork import fork_view, raw_fork
from workbench.view.listing import ptx_lines, sass_lines
from workbench.view.program import ProgramView, pane_view
from workbench.view.raw import RawKernel, complaints, entries
from workbench.view.raw_program import raw_pane, raw_view

needs_nvrtc = pytest.mark.skipif(not nvrtc.installed(), reason="NVRTC is not installed")
needs_disassembler = pytest.mark.skipif(
    isinstance(program("nvdisasm"), Missing), reason="nvdisasm is not installed"
)

ROWS = repeat(4, 1) * spatial(4, 16)


@wb.script
def transpose(a: f32[64, 64], b: f32[64, 64]):
    launch(grid=(4, 4), block=64)
    y, x = blockIdx.y * 16, blockIdx.x * 16
    tile = shared(f32, (16, 16))
    for i, j in ROWS.on(threadIdx.x):
        tile[i, j] = a[y + i, x + j]
    syncthreads()
    for i, j in ROWS.on(threadIdx.x):
        b[x + i, y + j] = tile[j, i]


@pytest.fixture(scope="module")
def kernel() -> wb.Kernel:
    return transpose.compile("cuda:sm_90a")


@pytest.fixture(scope="module")
def view(kernel: wb.Kernel) -> ProgramView:
    return kernel_view(kernel)


def place(text: str) -> int:
    """The line of the script that holds `text`."""
    span, rows = transpose.span, transpose.source.splitlines()
    first = span.line - next(k for k, row in enumerate(rows) if row.startswith("def"))
    return first + next(k for k, row in enumerate(rows) if text in row)


LOAD, SYNC, STORE = "tile[i, j] = a", "syncthreads()", "b[x + i"


@needs_nvrtc
@needs_disassembler
@pytest.mark.parametrize(
    ("name", "load", "sync", "store"),
    [
        ("PTX", r"ld\.global|st\.shared", r"bar\.sync", r"st\.global"),
        ("SASS", r"LDG|STS", r"BAR\.SYNC", r"STG"),
        ("LLVM", r"load <16 x float>", r"\bnever\b", r"store <16 x float> .*%p\.\d+, align 4"),
        ("CUDA", r"tile\[.*= a\[", r"__syncthreads", r"b\[.*= tile"),
    ],
)
def test_lines_of_every_text_lead_to_the_script(
    kernel: wb.Kernel, name: str, load: str, sync: str, store: str
):
    pane = pane_view(kernel, name)
    assert pane.problem == ""
    for said, pattern in ((LOAD, load), (SYNC, sync), (STORE, store)):
        links = {line.link for line in pane.lines if re.search(pattern, line.text)}
        if name == "LLVM":  # what is read and what is written are both vectors there
            assert not links or place(said) in links
        else:
            assert links == {place(said)}, said
    groups = {line.link: line.group for line in pane.lines if line.group}
    script = next(p for p in kernel_view(kernel).panes if p.name == "Python")
    assert all(script.lines[link - script.first].group == group for link, group in groups.items())


@needs_nvrtc
def test_line_information_changes_no_instruction(
    kernel: wb.Kernel, monkeypatch: pytest.MonkeyPatch
):
    source = kernel.compilation.source
    found = [nvrtc.compile(source.text, source.name, "sm_90a")]
    assert "-lineinfo" in nvrtc.OPTIONS
    monkeypatch.setattr(nvrtc, "OPTIONS", ("--fmad=true",))
    found.append(nvrtc.compile(source.text, source.name, "sm_90a"))
    assert found[0].resources == found[1].resources
    assert found[0].data != found[1].data
    if not isinstance(program("nvdisasm"), Missing):
        assert sass.disassemble(found[0].data) == sass.disassemble(found[1].data)


@needs_nvrtc
@needs_disassembler
def test_an_inlined_function_leads_to_where_it_is_called():
    text = """__device__ float inner(float x) {
  return __expf(x);
}
__device__ float outer(float x) {
  return inner(x) * 2.0f;
}
extern "C" __global__ void k(float* a) {
  a[threadIdx.x] = outer(a[threadIdx.x]);
}
"""
    # Only the kernel's own lines have an origin, as in what the compiler generates.
    source = [Line(row, node=n if n > 6 else 0) for n, row in enumerate(text.splitlines(), 1)]
    made = RawKernel(text, arch="sm_90a")
    ptx = [line for line in ptx_lines(made.ptx, source) if "ex2" in line.text]
    assert [line.node for line in ptx] == [8]
    code = [line for line in sass_lines(made.sass, source) if "MUFU.EX2" in line.text]
    assert [line.node for line in code] == [8]


def test_a_kernel_for_the_cpu_shows_cuda_when_asked():
    on_cpu = transpose.compile("cpu")
    names = [pane.name for pane in kernel_view(on_cpu).panes]
    assert names == ["Python", "IR", "CUDA", "PTX", "SASS", "LLVM"]
    cuda = pane_view(on_cpu, "CUDA")
    assert any("__syncthreads" in line.text and line.link == place(SYNC) for line in cuda.lines)


def test_what_is_not_installed_is_said_in_its_pane(
    kernel: wb.Kernel, monkeypatch: pytest.MonkeyPatch
):
    missing = Missing("nvdisasm is not installed", "python -m pip install it")
    monkeypatch.setattr(sass, "program", lambda _: missing)
    pane = pane_view(kernel, "SASS")
    assert "nvdisasm is not installed" in pane.problem
    assert "pip install it" in pane.problem
    monkeypatch.setattr(nvrtc, "_library", no_library)
    assert "NVRTC is not here" in pane_view(kernel, "PTX").problem
    assert pane_view(kernel, "CUDA").lines  # nothing else is lost


def no_library() -> None:
    raise wb.BuildError("NVRTC is not here", hint="bring it")


def test_a_very_long_text_is_cut_and_says_so(kernel: wb.Kernel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listings, "_llvm", lambda _: type("S", (), {"lines": [Line("x")] * 9000}))
    pane = pane_view(kernel, "LLVM")
    assert len(pane.lines) + pane.cut == 9000
    assert pane.cut > 0


def test_mappings_are_those_of_the_task_loops(view: ProgramView):
    (use,) = view.mappings
    assert (use.mapping, use.text) == (str(ROWS.canonical()), str(ROWS))
    assert use.workers == 64
    loops = {place(STORE) - 1, place(LOAD) - 1}
    assert set(use.links) == loops | {place(LOAD), place(STORE)}
    assert use.nest is not None
    assert as_json(view)["mappings"][0]["links"] == list(use.links)


def test_a_mapping_of_many_constants_goes_without_its_nest():
    few, many = (wb.TaskMapping((n,), n, lambda w, n=n: [((w * 7919) % n,)]) for n in (64, 8192))
    assert task_loops._use("", few, set()).nest is not None
    assert task_loops._use("", many, set()).nest is None


@needs_nvrtc
def test_each_figure_says_who_counted_it_and_how(view: ProgramView, kernel: wb.Kernel):
    figures = {figure.label: figure for figure in view.figures}
    assert [figure.basis.split()[0] for figure in view.figures] == ["counted"] * 3 + ["predicted"]
    assert kernel.resources is not None
    assert kernel.occupancy is not None
    registers = kernel.resources.registers
    assert f"{registers * 64} for a block of 64" in figures["registers"].formula
    assert "1024 B static + 0 B added" in figures["shared memory"].formula
    bounds = kernel.occupancy.bounds
    assert kernel.occupancy.blocks == min(bounds.values())
    said = figures["occupancy"].formula
    assert all(f"{name} {count}" in said for name, count in bounds.items())


@needs_nvrtc
def test_a_fork_is_compared_with_the_original(kernel: wb.Kernel):
    fork = fork_view(kernel, kernel.source.replace("tile[256]", "tile[512]"))
    assert fork.problem == ""
    rows = {row.label: row for row in fork.rows}
    assert (rows["shared memory"].original, rows["shared memory"].fork) == ("1024 B", "2048 B")
    assert rows["registers"].note == "as before"
    assert "ran on" in fork.said or "Not run: " in fork.said


@needs_nvrtc
def test_errors_of_a_fork_stand_at_their_place(kernel: wb.Kernel):
    text = kernel.source.replace("int y =", "int q =")
    fork = fork_view(kernel, text)
    assert fork.problem
    assert fork.rows == ()
    errors = [each for each in fork.complaints if each.kind == "error"]
    assert {each.message for each in errors} == {'identifier "y" is undefined'}
    for each in errors:
        assert text.splitlines()[each.line - 1] == each.code
        assert each.code[each.column - 1] == "y"
    assert [each.kind for each in fork.complaints] == ["error"] * len(errors) + ["warning"]


@needs_nvrtc
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("transpose(", "turn(", "no kernel called transpose"),
        ("const float* __restrict__ a, ", "", "undefined"),
    ],
)
def test_a_fork_of_another_kind_is_refused_in_words(
    kernel: wb.Kernel, before: str, after: str, said: str
):
    fork = fork_view(kernel, kernel.source.replace(before, after))
    assert said in fork.problem + "".join(each.message for each in fork.complaints)


@needs_nvrtc
def test_a_fork_with_other_parameters_is_not_run(kernel: wb.Kernel):
    fork = fork_view(kernel, kernel.source.replace("float* __restrict__ b)", "float* b, int n)"))
    assert "takes 3 parameters, the original 2" in fork.said
    assert fork.rows


@needs_nvrtc
def test_raw_cuda_has_a_view_of_its_own():
    text = 'extern "C" __global__ void __launch_bounds__(64) k(float* a, float s, long long n) {\n'
    text += "  if (threadIdx.x < n) a[threadIdx.x] = s;\n}\n"
    made = RawKernel(text, arch="sm_80")
    assert made.entry.block == (64, 1, 1)
    assert made.entry.params == ("u64", "f32", "u64")
    view = raw_view(made)
    assert [pane.name for pane in view.panes] == ["CUDA", "PTX", "SASS"]
    assert [figure.label for figure in view.figures][-1] == "occupancy"
    ptx = raw_pane(made, "PTX")
    assert {line.link for line in ptx.lines if "st.global" in line.text} == {2}
    assert "grid, block and arguments are not known" in raw_fork(made, text).said
    with pytest.raises(wb.LaunchError, match="takes 3 arguments"):
        made(1, 64, 3)
    with pytest.raises(wb.LaunchError, match="grid"):
        made(0, 64, 1, 2, 3)
    with pytest.raises(wb.LaunchError, match="argument 0 of k is a str"):
        made(1, 64, "x", 1.0, 1)


def test_numbers_are_passed_by_their_bits():
    value = raws._value
    assert int(value("k", 0, (2**32 - 1, "u32"))) == -1
    assert int(value("k", 0, (-1, "u64"))) == -1
    assert value("k", 0, (0.5, "f32")).dtype == "float32"


def test_entries_of_ptx_and_complaints_of_a_log():
    ptx = ".visible .entry a(\n\t.param .u64 .ptr .align 1 a_0\n)\n.maxntid 32, 2, 1\n{\n"
    ptx += ".entry b()\n{"
    first, second = entries(ptx)
    assert (first.name, first.params, first.block) == ("a", ("u64",), (32, 2, 1))
    assert (second.name, second.params, second.block) == ("b", (), ())
    log = "x.cu(2): warning #1-D: w\n\nx.cu(9): catastrophic error: e\n  y\n  ^\n"
    error, warning = complaints(log, "a\nb")
    assert (error.line, error.column, error.kind, error.code) == (9, 1, "error", "")
    assert (warning.line, warning.column, warning.code) == (2, 0, "b")
