"""A lead's whole way in a real browser: join, watch, find who is careless, settle by keys, take the data home."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_projects import Made

from emonet.annotation._project import init_project
from emonet.annotation._synthetic import fill
from emonet.annotation.accounts import invite
from emonet.annotation.protocols import presence
from emonet.annotation.store import Submission, add_person, adjudications, events, submit, take
from emonet.annotation.web import create_app

sys.path.insert(0, str(Path(__file__).parents[1]))
from drawn_faces import drawn_folder

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

EMOTIONS = ("amusement", "contentment", "pride", "fear", "sadness", "anger")
PASSWORD = "a long walk by the sea 7"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """72 drawn faces, ten of them with a known answer, six raters of whom one is careless, most of the work done."""
    media = drawn_folder(tmp_path_factory.mktemp("lead") / "portraits", EMOTIONS, 12)
    names = sorted(path.relative_to(media).as_posix() for path in media.rglob("*.jpg"))
    known = {name: "fear=0" if "anger" in name else "anger=0" for name in names[::7][:10]}
    table = media.parent / "manifest.csv"
    table.write_text("file,gold\n" + "".join(f"{name},{known.get(name, '')}\n" for name in names), encoding="utf-8")
    asked = presence(modality="face", gold_every=6, training=0)
    folder = init_project(media, asked, name="Portraits, first batch", manifest=table).project
    store = folder.open()
    fill(store, raters=5, careless=1, share=0.8, seed=4)
    return Made(store, create_app(store, media=media), media)


def keep(page: Page, name: str) -> None:
    """Write a picture of the page where EMONET_SCREENSHOTS names a folder: for people to look at."""
    if folder := os.environ.get("EMONET_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def join(page: Page, address: str, project: Made, login: str) -> None:
    """Take up an invitation as an admin and open the desk."""
    page.goto(f"{address}/join/{invite(project.store, 'admin')}")
    for name, text in (("login", login), ("name", "Ada"), ("password", PASSWORD)):
        page.locator(f"[name={name}]").fill(text)
    page.locator("main button:not([type=button])").first.click()
    page.get_by_role("link", name="Lead's desk").click()


def test_a_leads_day(project: Made, serve: Callable[[Made], str], window: BrowserContext) -> None:
    """Everything a lead does in a day works in a browser, most of it by keys."""
    page = window.new_page()
    address = serve(project)
    join(page, address, project, "ada@lab.example")

    # What the desk says at a glance.
    page.get_by_role("heading", name="Portraits, first batch").wait_for()
    answers = page.locator("#tiles dd").nth(2)
    before = int("".join(filter(str.isdigit, answers.inner_text())))
    keep(page, "overview")

    # It refreshes itself when somebody answers.
    person = add_person(project.store, name="Late")
    for given in take(project.store, person.id, count=3):
        values = dict.fromkeys(given.unit.dimensions, 1.0)
        made = Submission(
            f"late-{given.unit_id}", given.unit_id, person.id, values, duration_ms=900, time=datetime.now(UTC)
        )
        submit(project.store, made)
    page.wait_for_function(
        "before => Number(document.querySelectorAll('#tiles dd')[2].textContent.replace(/\\D/g, '')) > before",
        arg=before,
        timeout=15_000,
    )

    # Who answers without care.
    page.get_by_role("link", name="Raters", exact=True).click()
    suspects = page.locator("tr.warned th a")
    suspects.first.wait_for()
    assert suspects.count() == 1
    keep(page, "raters")
    page.get_by_role("button", name="Usual time").click()
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Usual time")
    suspects.click()
    page.get_by_text("Fast", exact=True).wait_for()
    keep(page, "rater")

    # Agreement by emotion, the rule beside Dawid-Skene.
    page.get_by_role("link", name="Agreement", exact=True).click()
    page.locator("#by-emotion tbody tr").first.wait_for()
    assert page.locator("#by-emotion tbody tr").count() == len(EMOTIONS)
    keep(page, "agreement")
    page.get_by_role("link", name="Consensus", exact=True).click()
    page.get_by_label("Ended").select_option("disputed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**disputed**")
    page.wait_for_load_state()
    disputed = page.locator("#rows tbody tr").count()
    assert disputed > 3
    keep(page, "consensus")

    # Disagreements by keyboard alone.
    page.get_by_role("link", name="Disagreements").first.click()
    page.wait_for_url("**/lead/disagreements**")
    page.locator(".cards a").first.wait_for()
    keep(page, "disagreements")
    page.wait_for_load_state()  # keys are heard once the page's scripts have run
    page.keyboard.press("Enter")
    page.wait_for_url("**/lead/unit**")
    keep(page, "unit")
    first = page.locator("input[name=unit]").get_attribute("value")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("first => document.querySelector('[name=unit]')?.value !== first", arg=first)
    page.wait_for_load_state()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("first => document.querySelector('[name=unit]')?.value === first", arg=first)
    page.wait_for_load_state()
    page.keyboard.press("3")
    assert page.get_by_label("strongly present").is_checked()
    page.get_by_label("Why").fill("the brows say it")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="is kept").wait_for()
    assert list(adjudications(project.store)) == [first]
    last = list(events(project.store))[-1]
    assert (last.kind, last.note, last.person) == ("adjudication", "the brows say it", "admin-1")
    assert page.locator("#count-disagreements").inner_text().split()[0] == str(disputed - 1)

    # Without keys nothing happens by a stray letter.
    page.get_by_label("Keys without a modifier").uncheck()
    page.locator("h1").click()
    page.keyboard.press("2")
    assert page.locator("#adjudicate :checked[type=radio]").count() == 0
    page.get_by_label("Keys without a modifier").check()

    # An invitation, the data, the log.
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_label("Invitation link").wait_for()
    assert "/join/" in page.get_by_label("Invitation link").input_value()
    keep(page, "people")
    page.get_by_role("link", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="events.jsonl").click()
    assert "the brows say it" in Path(download.value.path()).read_text(encoding="utf-8")
    keep(page, "export")
    page.get_by_role("link", name="Log", exact=True).click()
    page.get_by_role("rowheader", name="exported").first.wait_for()
    keep(page, "log")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_fit_and_have_names(
    project: Made, serve: Callable[[Made], str], window: BrowserContext, theme: str, width: int
) -> None:
    """No page scrolls sideways; every control has a name, every picture a text, every page one heading of the top
    level; all text stands out from its ground."""
    page = window.new_page()
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    address = serve(project)
    join(page, address, project, f"{theme}@lab.example")
    page.goto(f"{address}/lead/disagreements")
    unit = page.locator(".cards a").first.get_attribute("href")
    paths = [
        "",
        "/agreement",
        "/raters",
        "/raters/rater-6",
        "/consensus",
        "/disagreements",
        "/people",
        "/export",
        "/log",
    ]
    for path in [*(f"/lead{path}" for path in paths), str(unit)]:
        page.goto(f"{address}{path}")
        keep(page, f"{theme}-{width}-{path.partition('?')[0].strip('/').replace('/', '-')}")
        assert fits(page), path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate(_NAMELESS) == [], path
        assert page.evaluate(_FAINT) == [], path


_NAMELESS = """() => {
  const controls = "a, button, input:not([type=hidden]), select, summary, img, [role=img]";
  const named = (one) => one.textContent.trim() || one.ariaLabel || one.labels?.length || one.title ||
    one.getAttribute("aria-labelledby") || one.querySelector("img[alt]");
  return [...document.querySelectorAll(controls)].filter((one) => one.checkVisibility())
    .filter((one) => one.matches("img") ? !one.hasAttribute("alt") : !named(one))
    .map((one) => one.outerHTML.slice(0, 120));
}"""

# Text whose contrast with its background is under 4.5 (3 for large text), as WCAG 2.2 measures it.
_FAINT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    for (const colour of ["#fff", ...colours]) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = (rgb) => { const [r, g, b] = rgb.map(linear); return .2126 * r + .7152 * g + .0722 * b; };
  const found = [];
  for (const one of document.querySelectorAll("main *, header *")) {
    if (!one.checkVisibility({ opacityProperty: true }) || one.closest("svg") || one.matches("option")) continue;
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const grounds = [];
    for (let up = one; up; up = up.parentElement) grounds.unshift(getComputedStyle(up).backgroundColor);
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const [a, b] = [light(over([...grounds, style.color])), light(over(grounds))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) found.push(`${contrast.toFixed(2)} ${one.outerHTML.slice(0, 100)}`);
  }
  return found;
}"""
