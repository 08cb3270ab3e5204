"""The page on a running server, in a real browser whose camera and microphone play made media."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import made_media
from page_server import application
from page_window import Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Files to open, and what the fake devices play."""
    folder = tmp_path_factory.mktemp("media")
    return SimpleNamespace(
        portrait=made_media.portrait(folder / "portrait.png"),
        two=made_media.two_people(folder / "two.jpg"),
        speech=made_media.speech(folder / "speech.wav"),
        film=made_media.film(folder / "film.webm"),
        camera=made_media.camera_film(folder / "camera.mjpeg"),
    )


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the embedded models on a free port."""
    import uvicorn

    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = application(tmp_path_factory.mktemp("server"))
    server = uvicorn.Server(uvicorn.Config(made, port=port, log_level="error", lifespan="on", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        time.sleep(0.05)
    else:
        raise TimeoutError("the server did not start within 20 s")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


# Not for the whole session: while Playwright runs, its event loop is the thread's, and no other test may run one.
@pytest.fixture(scope="module")
def browser(media: SimpleNamespace) -> Iterator[Browser]:
    """Chromium without a window, or a skip with the reason."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("EMONET_CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    with playwright.sync_playwright() as started:
        try:
            opened = started.chromium.launch(
                executable_path=program,
                args=[
                    "--no-sandbox",
                    "--disable-dev-shm-usage",
                    "--autoplay-policy=no-user-gesture-required",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={media.speech}",
                    f"--use-file-for-fake-video-capture={media.camera}",
                ],
            )
        except playwright.Error as error:
            pytest.skip(f"no Chromium to be started (set EMONET_CHROMIUM to its program): {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture
def window(browser: Browser, address: str) -> Iterator[Window]:
    """A fresh browser profile; whatever a page's script logs as an error fails the test."""
    opened = Window(browser, address)
    yield opened
    opened.context.close()
    assert not opened.faults


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> object:
    """`keep(page, name)`: a screenshot in the folder EMONET_SCREENSHOTS, when that is set, to be looked at."""
    folder = os.environ.get("EMONET_SCREENSHOTS")

    def shoot(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return shoot
