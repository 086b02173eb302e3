"""Generated CUDA C++ run on the CPU: g++ with a header that plays the GPU.

Undefined behaviour is fatal. Barriers and warp operations work; FMA contraction is off, so results
equal those of the IR's operators one by one.
"""

from __future__ import annotations

import functools
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from workbench.codegen.cuda import generate, shared_plan
from workbench.ir.module import Module
from workbench.ir.target import Target
from workbench.ir.types import TensorType

GXX = shutil.which("g++")
_SHIM = Path(__file__).with_name("cuda_shim.h")
_PTX = re.compile(r'asm\("(cvt[\w.]+) %0, %1;" : "=\w"\((\w+)\) : "\w"\((\w+)\)\);')
_FLAGS = (
    "-std=c++17 -O1 -w -ffp-contract=off -fno-strict-aliasing -fsanitize=undefined "
    "-fno-sanitize=alignment,vptr,float-divide-by-zero -fno-sanitize-recover=all"
).split()


@functools.cache
def _compiled_header() -> tempfile.TemporaryDirectory[str]:
    """A folder with the shim, read by g++ once for all programs of this process."""
    folder = tempfile.TemporaryDirectory(prefix="workbench-shim-")
    shutil.copy(_SHIM, folder.name)
    command = [str(GXX), *_FLAGS, "-x", "c++-header", _SHIM.name]
    subprocess.run(command, cwd=folder.name, capture_output=True, check=True)
    return folder


def run(module: Module, args: list[object], folder: Path, arch: str = "sm_80") -> None:
    """Run the CUDA C++ of a lowered module; arrays are written in place."""
    source = generate(module, Target.parse(f"cuda:{arch}"))
    program = folder / source.name
    (folder / "kernel.cpp").write_text(_program(module, source.text, source.name))
    shim = _compiled_header().name
    command = [str(GXX), *_FLAGS, "-I", shim, "kernel.cpp", "-o", source.name]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"{built.stderr}\n{source.text}"
    data = folder / "data"
    data.write_bytes(b"".join(map(_packed, args)))
    done = subprocess.run(
        [str(program), str(data)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stderr}\n{source.text}"
    _read_back(args, data.read_bytes())


def _packed(arg: object) -> bytes:
    raw = np.asarray(arg).tobytes()
    return struct.pack("<Q", len(raw)) + raw


def _read_back(args: list[object], data: bytes) -> None:
    place = 0
    for arg in args:
        size = np.asarray(arg).nbytes
        if isinstance(arg, np.ndarray):
            raw = data[place + 8 : place + 8 + size]
            arg.reshape(-1).view(np.uint8)[...] = np.frombuffer(raw, np.uint8)
        place += 8 + size


def _program(module: Module, text: str, name: str) -> str:
    text = text.replace("extern __shared__", "extern")
    text = _PTX.sub(lambda m: f"{m[2]} = {m[1].replace('.', '_')}({m[3]});", text)
    launch = module.kernel.launch
    assert launch is not None
    params = [p.type for p in module.kernel.params]
    reads = "".join(f"  a[{n}] = read_bytes(f);\n" for n in range(len(params)))
    writes = "".join(f"  write_bytes(f, a[{n}]);\n" for n in range(len(params)))
    given = ", ".join(
        f"(Param<{n}>)a[{n}].data()"
        if isinstance(kind, TensorType)
        else f"*(Param<{n}>*)a[{n}].data()"
        for n, kind in enumerate(params)
    )
    shared = f"unsigned char shared_memory[{max(shared_plan(module).total_bytes, 1)}]"
    grid, block = (", ".join(map(str, t)) for t in (launch.grid, launch.block))
    return f"""#include "{_SHIM.name}"
alignas(16) {shared};
{text}
template <int N> using Param = typename Signature<decltype({name})>::template Nth<N>;
static std::vector<unsigned char> a[{max(len(params), 1)}];
static void body_of_kernel() {{ {name}({given}); }}
int main(int, char** argv) {{
  std::FILE* f = std::fopen(argv[1], "rb+");
{reads}  launch({{{grid}}}, {{{block}}}, body_of_kernel);
  std::fseek(f, 0, SEEK_SET);
{writes}  std::fclose(f);
}}
"""
