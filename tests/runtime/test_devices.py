"""Facts about the machine, against what the system and the tools say themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from workbench.runtime import devices
from workbench.runtime.devices import Driver, Llvm, Missing, Nvrtc, Tool

ROOT = Path(__file__).parents[2]


def test_cores_are_those_this_process_may_use():
    assert devices.cpu().cores <= psutil.cpu_count()
    if sys.platform == "linux":
        assert devices.cpu().cores == len(psutil.Process().cpu_affinity())


def test_vector_features_are_those_the_kernel_reports():
    flags = Path("/proc/cpuinfo")
    if not flags.exists() or devices.cpu().arch != "x86_64":
        pytest.skip("no /proc/cpuinfo of an x86 processor here")
    reported = next(line for line in flags.read_text().splitlines() if line.startswith("flags"))
    names = set(reported.split(":")[1].split())
    found = devices.llvm()
    assert isinstance(found, Llvm)
    for feature in ("avx", "avx2", "fma", "f16c", "avx512f"):
        assert (feature in found.features) == (feature in names)
    assert found.vector_bits == (512 if "avx512f" in names else 256 if "avx2" in names else 128)


def test_nvrtc_compiles_for_the_archs_it_names():
    found = devices.nvrtc()
    if isinstance(found, Missing):
        pytest.skip(found.reason)
    assert isinstance(found, Nvrtc)
    from cuda.bindings import nvrtc

    source = b'extern "C" __global__ void f() {}'
    for arch in (found.archs[0], found.archs[-1]):
        _, unit = nvrtc.nvrtcCreateProgram(source, b"f.cu", 0, [], [])
        (status,) = nvrtc.nvrtcCompileProgram(unit, 1, [f"-arch=sm_{arch}".encode()])
        assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS


@pytest.mark.parametrize("name", ["cuobjdump", "nvdisasm"])
def test_disassembler_is_found_where_its_wheel_is(name: str):
    found = devices.program(name)
    if isinstance(found, Missing):
        pytest.skip(found.reason)
    printed = subprocess.run([found.path, "--version"], capture_output=True, text=True, check=True)
    assert f"V{found.version}" in printed.stdout


def test_a_program_is_missing_with_a_remedy_where_there_is_none():
    found = devices.program("no-such-program")
    assert isinstance(found, Missing)
    assert found.reason.endswith(("was not found", "for macOS"))


def test_a_machine_is_json():
    facts = devices.machine()
    assert json.loads(json.dumps(asdict(facts)))["cpu"]["name"] == facts.cpu.name


@pytest.mark.gpu
def test_the_driver_tells_what_cupy_tells():
    import cupy

    found = devices.driver()
    assert isinstance(found, Driver)
    assert len(found.gpus) == cupy.cuda.runtime.getDeviceCount()
    facts = cupy.cuda.runtime.getDeviceProperties(0)
    assert found.gpus[0].name == facts["name"].decode()
    assert found.gpus[0].arch == f"sm_{facts['major']}{facts['minor']}"
    assert found.gpus[0].multiprocessors == facts["multiProcessorCount"]
    assert found.gpus[0].memory_bytes == facts["totalGlobalMem"]
    version = cupy.cuda.runtime.driverGetVersion()
    assert found.cuda == (version // 1000, version % 1000 // 10)


BARE = """
import json, sys
from dataclasses import asdict
sys.path.insert(0, sys.argv[1])
from workbench.runtime.devices import machine
print(json.dumps(asdict(machine())))
"""


def test_it_works_with_nothing_installed(tmp_path: Path):
    # -S: no site-packages; an empty PATH: no programs.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, str(ROOT)],
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},
        check=False,
    )
    assert done.stderr == ""
    facts = json.loads(done.stdout)
    for name in ("llvm", "nvrtc", "cuobjdump", "nvdisasm", "graphviz", "onnx", "jupyterlab"):
        assert "reason" in facts[name], name
        assert facts[name]["remedy"] or "macOS" in facts[name]["reason"]
    assert facts["cpu"]["cores"] >= 1


def test_what_is_installed_has_a_version():
    assert isinstance(devices.machine().onnx, Tool)
    assert isinstance(devices.graphviz(), Tool)
