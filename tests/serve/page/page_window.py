"""The page opened in a browser, ready for use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class Window:
    """One open page, ready for use, and the faults its scripts told of."""

    def __init__(self, browser: Browser, address: str, **options: object) -> None:
        options = {"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"} | options
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.context.set_default_timeout(30_000)  # the machine may be busy
        self.faults: list[str] = []
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.goto(address)
        self.page.wait_for_selector("html[data-state=ready]")

    def open(self, *files: Path) -> Page:
        """Give files to the page and wait until all are scored or have failed, and the first of them is shown."""
        before = self.page.locator("#shelf .card").count()
        self.page.set_input_files("#files", [str(file) for file in files])
        self.page.wait_for_function(
            "count => { const shelf = document.querySelector('#shelf').dataset;"
            " return Number(shelf.done) + Number(shelf.failed) === count }",
            arg=before + len(files),
        )
        self.page.wait_for_selector("#result:not([data-state=waiting])")
        return self.page
