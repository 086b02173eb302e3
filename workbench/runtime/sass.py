"""Cubins as SASS, through NVIDIA's disassembler."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from workbench.base.errors import BuildError
from workbench.runtime.devices import Missing, program


def disassemble(cubin: bytes, lines: bool = False) -> str:
    """The machine code of a cubin in NVIDIA's assembly language.

    With `lines` comments say which line of the source an instruction comes from.

    Raises
    ------
    BuildError
        When nvdisasm is not installed or refuses the cubin.
    """
    tool = program("nvdisasm")
    if isinstance(tool, Missing):
        raise BuildError(f"no SASS to show: {tool.reason}", hint=tool.remedy or None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        command = [tool.path, "--print-code", "--separate-functions", str(path)]
        command += ["--print-line-info-inline"] * lines
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    if done.returncode:
        raise BuildError("nvdisasm refuses the cubin", log=done.stderr, notes=[done.stderr.strip()])
    return done.stdout.strip() + "\n"
