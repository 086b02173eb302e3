"""Holds for every test and doctest: no run reads or fills the user's cache of compiled kernels."""

from __future__ import annotations

import os
import tempfile

import pytest

_FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give this process, and those it starts, a cache of their own."""
    folder = tempfile.TemporaryDirectory(prefix="workbench-tests-")
    config.stash[_FOLDER] = folder
    os.environ["WORKBENCH_CACHE"] = folder.name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it."""
    config.stash[_FOLDER].cleanup()
