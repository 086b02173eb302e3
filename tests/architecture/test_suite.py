"""The suite's own rules: where Chromium is promised, a browser test cannot skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPING = """
import pytest

@pytest.mark.browser
def test_screen():
    pytest.skip("no browser")

@pytest.mark.gpu
def test_card():
    pytest.skip("no card")
"""


@pytest.mark.parametrize(
    ("promise", "line"),
    [("", "2 skipped"), ("1", "1 failed, 1 skipped")],
)
def test_a_browser_test_that_skips_fails_where_it_must_not(tmp_path: Path, promise: str, line: str):
    (tmp_path / "test_it.py").write_text(SKIPPING)
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "tests.conftest", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"WORKBENCH_NO_BROWSER_SKIPS": promise, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert line in done.stdout.splitlines()[-1], done.stdout + done.stderr
