"""A lost connection, a closed window, a session that ended: no answer is lost, and none is stored twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from made_projects import Made, binary_project
from sqlalchemy import delete, func, select
from test_journeys import answers, counted, join, pass_curtain, respond, settled, shot

from emonet.annotation.store._tables import EventRow, SessionRow

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

Serve = Callable[[Made], str]


def practised(page: Page) -> None:
    """Do the practice unit, so that what follows is work."""
    before = page.locator("#stage").get_attribute("data-unit")
    page.keyboard.press("y")
    page.locator(".told").wait_for()
    page.keyboard.press("Enter")
    page.locator(f"#stage:not([data-unit='{before}'])").wait_for()
    pass_curtain(page)


def kept(page: Page, number: int) -> None:
    """Wait until the browser's own store has so many answers that could not be sent."""
    page.locator(f"#link[data-state=offline][data-kept='{number}']").wait_for()


def stored(made: Made) -> int:
    with made.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(EventRow)) or 0


def test_answers_without_a_connection_arrive_once(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Items fetched ahead are judged offline; the answers wait, and all arrive when the connection is back."""
    made = binary_project(tmp_path, count=8)
    page = join(window, made, serve(made))
    practised(page)
    page.wait_for_load_state("networkidle")
    window.set_offline(True)
    for number in range(2, 5):
        respond(page, "y", number)
    kept(page, 3)
    assert page.locator("#link").inner_text() == "Offline · 3 kept here"
    shot(page, "offline")
    assert stored(made) == 1
    window.set_offline(False)
    settled(page)
    assert stored(made) == 4


def test_a_reply_that_gets_lost_does_not_store_twice(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """The server has the answer, the browser does not know it and sends it again."""
    made = binary_project(tmp_path, count=4)
    page = join(window, made, serve(made))
    practised(page)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.post_data or "")
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/answers", lose)
    page.keyboard.press("y")
    counted(page, 2)
    page.locator("#link[data-state=offline]").wait_for()
    settled(page)
    assert len(lost) == 2
    assert stored(made) == 2


def test_answers_outlive_the_window(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Closed while offline; opened again, what was answered is sent."""
    made = binary_project(tmp_path, count=6)
    address = serve(made)
    page = join(window, made, address)
    practised(page)
    page.wait_for_load_state("networkidle")
    window.set_offline(True)
    page.keyboard.press("y")
    kept(page, 1)
    page.close()
    assert stored(made) == 1
    window.set_offline(False)
    page = window.new_page()
    page.goto(f"{address}/rate")
    page.locator("#question, #curtain").first.wait_for()
    settled(page)
    assert stored(made) == 2


def test_an_undo_without_a_connection_takes_the_answer_out_of_the_queue(
    window: BrowserContext, serve: Serve, tmp_path: Path
) -> None:
    """What has not left yet needs no event: only the second answer arrives."""
    made = binary_project(tmp_path, count=6)
    page = join(window, made, serve(made))
    practised(page)
    page.wait_for_load_state("networkidle")
    window.set_offline(True)
    respond(page, "y", 2)
    kept(page, 1)
    page.keyboard.press("z")
    counted(page, 1)
    pass_curtain(page)
    respond(page, "n", 2)
    window.set_offline(False)
    settled(page)
    assert stored(made) == 2
    assert list(answers(made)[-1].values.values()) == [0.0]


def test_a_session_that_ends_keeps_the_answers(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """The page asks for sign-in; afterwards what was answered in between is sent."""
    made = binary_project(tmp_path, count=6)
    page = join(window, made, serve(made))
    practised(page)
    with made.store.writing() as connection:
        connection.execute(delete(SessionRow))
    page.keyboard.press("y")
    page.get_by_role("heading", name="Please sign in again").wait_for()
    page.get_by_role("link", name="Sign in").press("Enter")
    page.locator("#login:focus").wait_for()
    page.keyboard.type("ada@lab.example")
    page.keyboard.press("Tab")
    page.keyboard.type("a quiet morning tea")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rate")
    page.locator("#question, #curtain").first.wait_for()
    settled(page)
    assert len(answers(made)) == 2
