"""The page in a browser: open, look, compare, record, save, by mouse and by keyboard alone."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest
from page_server import MAX_BYTES
from page_window import Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Keep = Callable[["Page", str], None]


def _dataset(page: Page, selector: str = "#result") -> dict[str, str]:
    return json.loads(page.evaluate(f"JSON.stringify(document.querySelector('{selector}').dataset)"))


def _fits(page: Page) -> bool:
    """Nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_newcomer_sees_scores_in_one_click(window: Window, keep: Keep) -> None:
    """The empty page offers an example; one click scores it, names its strongest emotions and says what they mean."""
    page = window.page
    keep(page, "empty")
    assert "this computer" in page.inner_text("#privacy")
    page.click(".example[data-name='portrait.png']")
    page.wait_for_selector("#result[data-state=done][data-subject=face-1]")
    assert "Elation" in page.inner_text("#headline li:first-child")
    assert "not a fact about a person" in page.inner_text("#perceived")
    assert "95 % interval" in page.inner_text("#perceived")
    keep(page, "portrait")


def test_what_is_not_judged_is_never_a_zero(window: Window, media: SimpleNamespace) -> None:
    """All 40 emotions are in the table; those without a score say so, with the reason, and come last in any order."""
    page = window.open(media.portrait)
    rows = page.locator("#numbers table.scores:not(.attributes) tbody tr")
    assert rows.count() == 40
    unknown = page.locator("tr[data-known=false]")
    assert unknown.count() == 11
    assert "not judged" in page.inner_text("tr[data-key=triumph] .c-value")
    page.click("tr[data-key=triumph] .why summary")
    assert "nobody labelled Triumph" in page.inner_text("tr[data-key=triumph] .why")
    page.click("[data-by=value]")
    page.wait_for_selector("table[data-sort=value]")
    assert rows.last.get_attribute("data-known") == "false"
    assert rows.first.get_attribute("data-key") == "sadness"
    page.click("[data-by=name]")
    page.wait_for_selector("table[data-sort=name]")
    assert rows.first.get_attribute("data-key") == "affection"
    assert "AUC 0.98" in page.inner_text("tr[data-key=elation] .c-reliability")


def test_faces_are_boxed_and_chosen_by_click(window: Window, media: SimpleNamespace, keep: Keep) -> None:
    """Each face has a box where it is; a click on one shows its scores, and digits do the same."""
    page = window.open(media.two)
    page.wait_for_selector(".boxes[data-count='2']")
    left, right = (page.locator(f".box[data-key=face-{n}]").bounding_box() for n in (1, 2))
    assert left is not None
    assert right is not None
    picture = page.locator(".frame img").bounding_box()
    assert picture is not None
    assert left["x"] < picture["x"] + picture["width"] / 2 < right["x"]
    page.click(".box[data-key=face-2]")
    page.wait_for_selector("#result[data-subject=face-2]")
    page.keyboard.press("1")
    page.wait_for_selector("#result[data-subject=face-1]")
    page.click("#compare-button")
    page.select_option("#compare-with", label="Face 2")
    page.wait_for_selector("#result:not([data-compared=''])")
    assert page.locator(".radial .other").count() == 29
    keep(page, "two-faces")


def test_film_has_a_timeline_that_moves_it(window: Window, media: SimpleNamespace, keep: Keep) -> None:
    """Click and arrow keys on the timeline move the film; the moment's scores are shown, kept, and compared."""
    page = window.open(media.film)
    page.wait_for_selector("#timeline[data-rows='6']")
    assert _dataset(page)["moment"] == "whole"
    page.focus(".plot")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#result[data-moment='0.5']")
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 0.5) < 0.1")
    page.keyboard.press("k")
    page.wait_for_selector("#result[data-compared='pin-1']")
    page.focus(".plot")
    page.keyboard.press("End")
    page.wait_for_selector("#result[data-moment='2.5']")
    assert "Largest differences" in page.inner_text("#compare")
    keep(page, "film-compared")
    page.keyboard.press("w")
    page.wait_for_selector("#result[data-moment=whole]")
    page.click("#subjects .tab[data-key=voice]")
    page.wait_for_selector("#result[data-subject=voice]")


def test_playing_moves_the_cursor(window: Window, media: SimpleNamespace, keep: Keep) -> None:
    """A recording plays by the space bar, and the timeline's cursor goes along."""
    page = window.open(media.speech)
    # Short windows, scored after the whole; how many depends on the synthesiser's pauses.
    page.wait_for_function("() => Number(document.querySelector('#timeline').dataset.rows) >= 3")
    page.wait_for_selector(".wave")
    keep(page, "speech")
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.querySelector('#timeline').dataset.time) > 0.3")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('audio').paused")
    box = page.locator(".plot").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 80)
    page.wait_for_function("() => document.querySelector('audio').currentTime > 3.5")


def test_another_model_beside_this_one(window: Window, media: SimpleNamespace) -> None:
    """The same recording by a second model, with a warning that two scales are not one."""
    page = window.open(media.speech)
    page.click("#compare-button")
    page.select_option("#compare-with", label="Twin of the voice model")
    page.wait_for_selector("#result[data-compared^=model-]")
    assert "Two models, two scales" in page.inner_text("#compare")
    page.keyboard.press("Escape")
    page.wait_for_selector("#compare", state="hidden")
    page.select_option("#model", label="Twin of the voice model")
    page.wait_for_selector("#result[data-model='test/twin']")


def test_microphone_scores_while_speaking(window: Window, keep: Keep) -> None:
    """A fake microphone plays a real sentence: rolling scores come, and the recording is scored when it stops."""
    page = window.page
    page.keyboard.press("m")
    page.wait_for_selector("#live[data-state=ready]")
    page.click("#record")
    page.wait_for_selector("#live[data-state=recording]")
    page.wait_for_selector("#live[data-last=ok]")
    page.wait_for_selector("#live .radial")
    keep(page, "microphone")
    page.click("#record")
    page.wait_for_selector("#result[data-state=done][data-subject=voice]")
    assert page.locator("#live").is_hidden()
    assert page.inner_text("#result-title").startswith("recording-")


def test_camera_snapshot_and_live(window: Window, keep: Keep) -> None:
    """A fake camera shows a real face: live scores with its box, then a snapshot that stays to be looked at."""
    page = window.page
    page.click("#camera")
    page.wait_for_selector("#live[data-state=ready]")
    page.click("#live-toggle")
    page.wait_for_selector("#live[data-state=live][data-last=ok]")
    page.wait_for_selector("#live .box.main")
    keep(page, "camera")
    page.click("#live-toggle")
    page.wait_for_selector("#live[data-state=ready]")
    page.click("#snapshot")
    page.wait_for_selector("#result[data-state=done][data-subject=face-1]")
    assert page.inner_text("#result-title").startswith("snapshot-")


def test_downloads_hold_what_was_shown(window: Window, media: SimpleNamespace, tmp_path: Path) -> None:
    """JSON and CSV have every scale, the PNG is a picture with the chart, the HTML works without this server."""
    page = window.open(media.portrait)

    def save(format: str) -> Path:
        page.keyboard.press("d")
        with page.expect_download() as waiting:
            page.click(f"[data-format={format}]")
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    rows = json.loads(save("json").read_text(encoding="utf-8"))["estimates"]
    assert rows[0]["elation.relative"] > 5
    table = list(csv.DictReader(save("csv").read_text(encoding="utf-8").splitlines()))
    assert float(table[0]["elation.calibrated"]) == pytest.approx(rows[0]["elation.calibrated"])
    assert table[0]["triumph.relative" if "triumph.relative" in table[0] else "elation.raw"] != "0"
    picture = PIL.Image.open(save("png")).convert("RGB")
    assert picture.width == 1440
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.getcolors(1 << 22)) > 200
    made = save("html").read_text(encoding="utf-8")
    assert "Elation" in made
    assert "not facts about what a person feels" in made
    assert "<script" not in made
    assert "http://127" not in made


def test_refusals_say_what_to_do(window: Window, media: SimpleNamespace, tmp_path: Path) -> None:
    """Too big and unreadable are told with a remedy; a busy server is asked again after the time it named."""
    files = {name: tmp_path / name for name in ("busy.png", "huge.png", "torn.png")}
    files["busy.png"].write_bytes(media.portrait.read_bytes())
    files["huge.png"].write_bytes(media.portrait.read_bytes() + bytes(MAX_BYTES))
    files["torn.png"].write_bytes(media.portrait.read_bytes()[:2000])
    page = window.open(files["huge.png"], files["torn.png"], files["busy.png"])
    assert "too big" in page.inner_text("#failure")
    assert "Make it smaller" in page.inner_text("#failure")
    page.keyboard.press("]")
    page.wait_for_selector("#result-title:has-text('torn.png')")
    assert "truncated or damaged picture" in page.inner_text("#failure")
    page.keyboard.press("]")
    page.wait_for_selector("#result[data-state=done]")
    window.faults = [fault for fault in window.faults if not any(code in fault for code in ("413", "422", "429"))]


def test_drop_and_paste(window: Window, media: SimpleNamespace) -> None:
    """A picture dropped on the page and one from the clipboard are opened like chosen ones."""
    page = window.page
    content = base64.b64encode(media.two.read_bytes()).decode()
    send = """([kind, content]) => {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], `${kind}.jpg`, { type: "image/jpeg" }));
        const options = { bubbles: true, cancelable: true };
        const event = kind === "drop" ? new DragEvent("drop", { ...options, dataTransfer: data })
            : new ClipboardEvent("paste", { ...options, clipboardData: data });
        document.body.dispatchEvent(event);
    }"""
    page.evaluate(send, ["drop", content])
    page.wait_for_selector("#shelf[data-done='1']")
    page.evaluate(send, ["paste", content])
    page.wait_for_selector("#shelf[data-done='2']")
    page.wait_for_selector("#result-title:has-text('paste.jpg')")
    page.click("[aria-label='Remove paste.jpg']")
    page.wait_for_selector("#result-title:has-text('drop.jpg')")


def test_a_server_with_keys_is_asked_again_with_one(window: Window) -> None:
    """Without a key the page asks for it; with the key it starts, and sends it along."""
    page = window.page
    given: list[str | None] = []

    def answer(route: Route) -> None:
        given.append(route.request.headers.get("authorization"))
        if given[-1] == "Bearer sesame":
            route.fulfill(json={"models": []})
        else:
            route.fulfill(status=401, json={"error": {"message": "An API key is needed."}})

    page.route("**/v1/models", answer)
    page.reload()
    page.wait_for_selector("html[data-state=unconnected]")
    page.fill("#api-key", "sesame")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-state=ready]")
    assert given == [None, "Bearer sesame"]
    window.faults = [fault for fault in window.faults if "401" not in fault]


def test_everything_by_keyboard(window: Window) -> None:
    """From the empty page to a sorted, compared and explained result without a mouse."""
    page = window.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys:not([open])", state="attached")
    page.keyboard.press("e")
    page.wait_for_selector("#result[data-state=done][data-subject=face-1]")
    page.focus("#chart svg")
    page.keyboard.press("Home")
    page.wait_for_selector("#result[data-selected=amusement]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#result[data-selected=elation]")
    page.wait_for_function("() => document.querySelector('#announcer').textContent.includes('Elation: +6')")
    page.focus("[data-by=reliability]")
    page.keyboard.press("Enter")
    page.wait_for_selector("table[data-sort=reliability-down]")
    assert page.evaluate("document.activeElement.dataset.by") == "reliability"
    page.keyboard.press("s")
    page.wait_for_selector("#result[data-scale=calibrated]")
    assert "not calibrated" in page.inner_text("tr[data-key=amusement]")
    assert page.evaluate("[...document.querySelectorAll('button, select, summary')].every(n => n.tabIndex >= 0)")


@pytest.mark.parametrize(
    ("name", "scheme", "width"), [("phone", "light", 360), ("dark", "dark", 1280), ("tablet", "light", 768)]
)
def test_phone_and_dark(
    browser: Browser, address: str, media: SimpleNamespace, keep: Keep, name: str, scheme: str, width: int
) -> None:
    """Nothing overflows on a small screen, colours follow the system, text stands out from what is behind it."""
    options: dict[str, Any] = {"viewport": {"width": width, "height": 780}, "color_scheme": scheme}
    if width < 400:
        options |= {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    window = Window(browser, address, **options)
    keep(window.page, f"{name}-empty")
    assert _fits(window.page)
    page = window.open(media.portrait)
    assert _fits(page)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(20, 23, 26)") == (scheme == "dark")
    keep(page, name)
    window.context.close()
    assert not window.faults
