"""Whole journeys of raters in a real browser, by keyboard alone: from the invitation to the last unit.

Set EMONET_SCREENSHOTS to a folder to keep pictures of the pages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made_projects import Made, binary_project, hq_project, make_items, make_project, presence_project

from emonet.annotation.accounts import invite
from emonet.annotation.protocols import best_worst, pairs, questionnaire
from emonet.annotation.store import valid_judgements

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

Serve = Callable[[Made], str]


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("EMONET_SCREENSHOTS"):
        page.wait_for_timeout(250)
        page.screenshot(path=Path(folder) / f"{name}.png")


def join(window: BrowserContext, made: Made, address: str, name: str = "") -> Page:
    """Take up an invitation with the keyboard and go to the rating page."""
    page = window.new_page()
    page.goto(f"{address}/join/{invite(made.store)}")
    if name:
        shot(page, f"{name}-join")
    page.locator("#name:focus").wait_for()
    page.keyboard.type("Ada Rater")
    page.keyboard.press("Tab")
    page.keyboard.type("ada@lab.example")
    page.keyboard.press("Tab")
    page.keyboard.type("a quiet morning tea")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Hello, Ada Rater").wait_for()
    if name:
        shot(page, f"{name}-overview")
    page.locator(".start .button:focus").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rate")
    pass_curtain(page)
    return page


def settled(page: Page) -> None:
    """Wait until the server has everything."""
    page.locator("#link[data-state=saved]").wait_for()


def counted(page: Page, number: int) -> None:
    """Wait until so many answers are counted."""
    page.locator("#counter", has_text=re.compile(rf"^{number} of")).wait_for()


def respond(page: Page, key: str, number: int) -> None:
    """Answer a unit of work with one key, and wait until the next thing is there; it is the answer of that number."""
    before = page.locator("#stage").get_attribute("data-unit")
    page.keyboard.press(key)
    counted(page, number)
    page.locator(f"#stage:not([data-unit='{before}'])").wait_for()
    pass_curtain(page)


def answers(made: Made) -> list[Any]:
    return sorted(valid_judgements(made.store), key=lambda one: one.time)


def pass_curtain(page: Page) -> None:
    """Where the next item is marked as sensitive, look at it all the same."""
    page.locator("#curtain, #stage[data-ready] #question, #state").first.wait_for()
    if page.locator("#curtain").count():
        page.keyboard.press("Enter")
        page.locator("#stage[data-ready] #question").wait_for()


def test_binary(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Practice with feedback, yes and no, undo, a warning, a skip with its reason, to the end."""
    made = binary_project(tmp_path, count=5)
    page = join(window, made, serve(made), "binary")
    assert "Practice" in page.locator(".practice").inner_text()
    shot(page, "binary-practice")
    page.keyboard.press("n")
    told = page.locator(".told")
    told.wait_for()
    assert "Not quite" in told.inner_text()
    shot(page, "binary-feedback")
    respond(page, "Enter", 1)

    first = page.locator("#question").inner_text()
    respond(page, "y", 2)
    page.keyboard.press("z")  # no, not yes
    page.locator("#question", has_text=first).wait_for()
    assert page.locator(".choice[aria-pressed=true]").inner_text().split() == ["Y", "Yes"]
    respond(page, "n", 2)

    before = page.locator("#stage").get_attribute("data-unit")
    page.keyboard.press("s")
    page.get_by_role("dialog").wait_for()
    shot(page, "binary-skip")
    page.keyboard.press("1")
    page.locator(f"#stage:not([data-unit='{before}'])").wait_for()
    for number in range(3, 6):
        pass_curtain(page)
        respond(page, "y", number)
    page.get_by_role("heading", name="That is all for now").wait_for()
    settled(page)
    shot(page, "binary-end")
    said = [(one.skipped, *one.values.values()) for one in answers(made)]
    assert said == [(None, 0.0), (None, 0.0), ("unclear",), (None, 1.0), (None, 1.0), (None, 1.0)]
    assert all(0 < one.duration_ms < 60_000 for one in answers(made) if one.skipped is None)


def test_sliders(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Search by typing, digits, arrows, an explicit zero, unsetting, saying that nothing applies."""
    made = hq_project(tmp_path, count=2)
    page = join(window, made, serve(made), "hq")
    shot(page, "hq-practice")
    page.keyboard.type("terror")  # an example word of fear
    page.keyboard.press("Enter")
    page.keyboard.press("5")
    shot(page, "hq-search")
    page.keyboard.press("Enter")
    page.locator(".told[data-verdict=right]").wait_for()
    respond(page, "Enter", 1)

    page.locator("#stage[data-ready] #question").wait_for()
    page.keyboard.type("ang")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("0")  # said to be absent, which is not the same as left alone
    page.keyboard.press("Escape")
    page.keyboard.type("elat")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.keyboard.type("sadn")
    page.keyboard.press("Enter")
    page.keyboard.press("4")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    assert page.locator(".sum .pill").all_inner_texts() == ["Elation\n2", "Anger\n0"] or [
        text.replace("\n", " ") for text in page.locator(".sum .pill").all_inner_texts()
    ] == ["Elation 2", "Anger 0"]
    shot(page, "hq-set")
    respond(page, "Enter", 2)

    page.locator("#stage[data-ready] #question").wait_for()
    page.keyboard.press("Enter")
    assert "none" in page.locator(".sum .button").inner_text()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="That is all for now").wait_for()
    settled(page)
    assert [dict(one.values) for one in answers(made)] == [{"fear": 5.0}, {"elation": 2.0, "anger": 0.0}, {}]


def test_voice_presence(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Recordings play at once; pause, speed, repeat and the three levels by keys."""
    made = presence_project(tmp_path, count=3)
    page = join(window, made, serve(made), "presence")
    page.get_by_role("button", name="Pause").wait_for()
    shot(page, "presence-practice")
    page.keyboard.press(" ")
    page.get_by_role("button", name="Play").wait_for()
    page.keyboard.press("[")
    assert "0.75" in page.locator(".player .wide").inner_text()
    page.keyboard.press("l")
    assert page.get_by_role("button", name="Repeat").get_attribute("aria-pressed") == "false"
    page.keyboard.press("3")
    page.locator(".told[data-verdict=right]").wait_for()
    respond(page, "Enter", 1)
    for number, key in enumerate("123", start=2):
        page.locator(".player").wait_for()
        shot(page, f"presence-{number}")
        respond(page, key, number)
    page.get_by_role("heading", name="That is all for now").wait_for()
    settled(page)
    assert [list(one.values.values()) for one in answers(made)] == [[2.0], [0.0], [1.0], [2.0]]


@pytest.mark.parametrize("kind", ["pair", "best-worst", "form"])
def test_other_protocols(window: BrowserContext, serve: Serve, tmp_path: Path, kind: str) -> None:
    """A pair by an arrow, a set by two digits, a questionnaire by Tab and space."""
    if kind == "form":
        made = make_project(tmp_path, questionnaire(), [])
    else:
        items = make_items(tmp_path / "media", 4, "face", {}, False)[: 2 if kind == "pair" else 4]
        options: dict[str, Any] = {"dimensions": ("fear",), "gold_every": 0, "training": 0}
        made = make_project(
            tmp_path, pairs(**options) if kind == "pair" else best_worst(modality="face", **options), items
        )
    page = join(window, made, serve(made))
    pass_curtain(page)
    shot(page, kind)
    if kind == "pair":
        page.keyboard.press("ArrowRight")
    elif kind == "best-worst":
        page.keyboard.press("2")
        page.keyboard.press("4")
        assert page.locator(".card[data-mark=most]").count() == 1
        shot(page, f"{kind}-marked")
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("Enter")  # on the tick box: sends, and is told what is missing
        page.get_by_text("Please tick this to go on.").wait_for()
        page.keyboard.press(" ")
        for _ in range(3):
            page.keyboard.press("Tab")
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.locator(".form-page button").last.focus()
        page.keyboard.press("Enter")
    counted(page, 1)
    settled(page)
    assert len(answers(made)) == 1


def test_own_answers_can_be_corrected(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """From the list, and the list says so."""
    made = binary_project(tmp_path, count=2)
    address = serve(made)
    page = join(window, made, address)
    page.keyboard.press("y")
    page.locator(".told").wait_for()
    respond(page, "Enter", 1)
    respond(page, "y", 2)
    settled(page)
    page.goto(f"{address}/history")
    page.get_by_role("button", name="Correct").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("main").get_by_text("· corrected").wait_for()
    shot(page, "history")
    assert [list(one.values.values()) for one in answers(made)] == [[1.0], [0.0]]
