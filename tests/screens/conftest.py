"""A real JupyterLab and a real Chromium: notebooks are opened, run, looked at."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENS = Path(__file__).parent
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage""".split()
WAIT_MS = 60_000  # an answer takes a moment, but other tests may hold the processors
# JupyterLab asks for news on its first start.
QUIET = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    }
}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    folder: Path

    def write(self, name: str, *cells: str) -> None:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.folder / name)

    def theme(self, name: str) -> None:
        """Choose ``Light`` or ``Dark`` for pages that are opened from now on."""
        self._set("@jupyterlab/apputils-extension/themes", {"theme": f"JupyterLab {name}"})

    def pictures(self, wanted: bool, **chosen: object) -> None:
        """Choose how views show from now on: as pictures, or drawn live; and other settings."""
        saved = "picture" if wanted else "live"
        self._set("@kernel-workbench/lab/settings", {"saved": saved, **chosen})

    def _set(self, plugin: str, chosen: dict[str, object]) -> None:
        path = self.folder.parent / "user" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen))


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    folders = ("config", "data", "runtime", "ipython", "settings", "user", "workspaces", "work")
    for name in folders:
        (home / name).mkdir()
    (home / "settings" / "overrides.json").write_text(json.dumps(QUIET))
    # The extension of this checkout, whatever is installed.
    (home / "extensions" / "@kernel-workbench").mkdir(parents=True)
    (home / "extensions" / "@kernel-workbench" / "lab").symlink_to(
        ROOT / "workbench" / "labextension", target_is_directory=True
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "user"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = f"""{sys.executable} -m jupyterlab --no-browser --allow-root --ip=127.0.0.1
        --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token}
        --ServerApp.root_dir={home / "work"} --LabApp.app_settings_dir={home / "settings"}
        --LabApp.extra_labextensions_path={home / "extensions"}"""
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            command.split(), env=environment, cwd=home, stdout=log, stderr=log
        )
        try:
            _wait(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log")
            yield Lab(f"http://127.0.0.1:{port}", token, home / "work")
        finally:
            server.terminate()
            server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"JupyterLab does not answer: {log.read_text()}")


@dataclass(frozen=True)
class Notebook:
    """A notebook open in a page."""

    page: Page

    def run_all(self) -> None:
        """Run every cell and wait until the kernel rests."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator('[data-command="runmenu:run-all"]').click()
        # Each cell shows a number once it is done.
        self.page.wait_for_function(
            "() => { const p = [...document.querySelectorAll('.jp-InputPrompt')]"
            ".map(e => e.textContent.trim()).filter(t => t);"
            " return p.length && p.every(t => /^\\[\\d+\\]:$/.test(t)) }"
        )

    def outputs(self) -> Locator:
        """The areas where outputs stand."""
        return self.page.locator(".jp-OutputArea-output")


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of these cells, light or dark.

    Views show as pictures, as other programs show them, or live, as our extension draws them.
    """
    with _pages(browser) as new_page:

        def start(
            name: str,
            *cells: str,
            dark: bool = False,
            width: int = 1500,
            live: bool = False,
            zoom: int = 1,
            **settings: object,
        ) -> Notebook:
            lab.write(name, *cells)
            lab.pictures(not live, **settings)
            lab.theme("Dark" if dark else "Light")
            page = new_page(dark, width, zoom)
            page.goto(f"{lab.url}/lab/tree/{name}?reset&token={lab.token}")
            page.wait_for_function(
                "() => /\\| Idle/.test(document.querySelector('#jp-main-statusbar')?.textContent)"
            )
            shown = "false" if dark else "true"
            page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{shown}'")
            return Notebook(page)

        yield start


@pytest.fixture
def open_lab(lab: Lab, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open JupyterLab on a file of its folder, or on no file, without waiting for a kernel."""
    with _pages(browser) as new_page:

        def start(path: str = "", dark: bool = False, width: int = 1500) -> Page:
            lab.theme("Dark" if dark else "Light")
            lab.pictures(False)
            page = new_page(dark, width)
            place = f"/tree/{path}" if path else ""
            page.goto(f"{lab.url}/lab{place}?reset&token={lab.token}")
            page.locator("#jp-main-dock-panel").wait_for()
            return page

        yield start


@pytest.fixture
def audit() -> Callable[[Page, str], None]:
    """Look for what keeps people with disabilities out: nothing serious may be found."""

    def run(page: Page, selector: str) -> None:
        found = Axe().run(page, context=selector).response
        assert found["passes"], "nothing was looked at"
        grave = [
            (each["id"], each["help"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert grave == []

    return run


@contextmanager
def _pages(browser: Browser) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []
    faults: list[str] = []

    def new_page(dark: bool, width: int, zoom: int = 1) -> Page:
        # what a browser's zoom does: fewer CSS pixels, each of more on the screen
        page = browser.new_page(
            color_scheme="dark" if dark else "light",
            viewport={"width": width // zoom, "height": 1100 // zoom},
            device_scale_factor=zoom,
        )
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        pages.append(page)
        return page

    yield new_page
    for page in pages:
        page.context.close()
    assert [fault for fault in faults if "workbench" in fault or "kw-" in fault] == []


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[str, Locator], None]:
    """Keep a picture of a part of the page; written with --update-golden, else only taken.

    Fonts differ between machines, so pixels are no test: the pictures are for eyes.
    """
    update = bool(request.config.getoption("--update-golden"))

    def take(name: str, what: Locator) -> None:
        picture = what.screenshot(animations="disabled")
        assert picture.startswith(b"\x89PNG")
        if update:
            (SCREENS / f"{name}.png").write_bytes(picture)

    return take
