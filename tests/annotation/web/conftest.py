"""Projects of each protocol, a running server, and a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_projects import Made, binary_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A binary project."""
    project = binary_project(tmp_path)
    yield project
    project.store.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Made], str]]:
    """Runs a project's application on a free port and gives its address."""
    import uvicorn

    running: list[tuple[uvicorn.Server, threading.Thread, Made]] = []

    def start(project: Made) -> str:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(project.app, port=port, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread, project))
        for _ in range(200):
            if server.started:
                return f"http://127.0.0.1:{port}"
            time.sleep(0.05)
        raise TimeoutError("the server did not start within 10 s")

    yield start
    for server, thread, project in running:
        server.should_exit = True
        thread.join(10)
        project.store.close()


# Not for the whole session: while Playwright runs, its event loop is the thread's, and no other test may run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window, or a skip with the reason."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("EMONET_CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    with playwright.sync_playwright() as started:
        try:
            opened = started.chromium.launch(
                executable_path=program,
                args=["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"],
            )
        except playwright.Error as error:
            pytest.skip(f"no Chromium to be started (set EMONET_CHROMIUM to its program): {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile; whatever a page's script logs as an error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(30_000)  # the machine may be busy
    faults: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if _own_fault(line.type, line.text) else None)

    context.on("page", watch)
    yield context
    context.close()
    assert not faults


def _own_fault(kind: str, text: str) -> bool:
    # The browser itself reports requests that failed because the test took the connection or the session away.
    meant = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "401 (Unauthorized)")
    return kind == "error" and not any(reason in text for reason in meant)
