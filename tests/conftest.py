"""What the tests share: golden files, and when GPU and browser tests run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator

import pytest
from hypothesis import HealthCheck, settings

from workbench.runtime.devices import Driver, driver

# Machines differ in speed: no deadline. The same examples everywhere, so that a red run repeats;
# `pytest --hypothesis-profile=search` looks for new ones.
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=_QUIET)
settings.register_profile(
    "search", deadline=None, max_examples=1000, suppress_health_check=_QUIET, print_blob=True
)
settings.load_profile("same")

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files instead of comparing with them",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in the folder `golden` beside the test.

    ``golden("scale.cu", text)`` fails with a diff when they differ. With ``--update-golden`` the
    file is written instead, so that the change shows in the commit.
    """
    folder = request.path.parent / "golden"
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = folder / name
        found = text if text.endswith("\n") else text + "\n"
        if update:
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(found.encode())
            return
        assert path.exists(), f"no golden file {path.name}: run pytest --update-golden, then look"
        assert found == path.read_bytes().decode(), f"differs from golden/{name}"

    return compare


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a browser; a test that asks for it is marked `browser`."""
    path = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is not on PATH (Debian: apt-get install chromium)")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = [item for item in items if item.get_closest_marker("gpu")]
    if not wanted:
        return
    found = driver()
    if not (isinstance(found, Driver) and found.gpus and _has_cupy()):
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason="no NVIDIA GPU with driver and CuPy"))


def _has_cupy() -> bool:
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    forbidden = item.get_closest_marker("browser") and os.environ.get("WORKBENCH_NO_BROWSER_SKIPS")
    if report.skipped and forbidden:
        report.outcome = "failed"
        report.longrepr = f"a browser test must not skip here: {report.longrepr}"
    return report
