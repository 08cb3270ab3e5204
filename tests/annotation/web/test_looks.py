"""Phones, dark mode, contrast, sizes and names of controls, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_projects import Made, binary_project, hq_project, presence_project
from test_journeys import join, shot

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

Serve = Callable[[Made], str]
PROJECTS = {"binary": binary_project, "hq": hq_project, "presence": presence_project}

# Ratio of contrast by WCAG 2.2, 1.4.3, of every piece of text against the ground it stands on.
CONTRAST = """() => {
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const unseen = "[aria-disabled=true], [hidden], script, noscript, .sr";
  return [...document.querySelectorAll("body *")].flatMap((node) => {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const style = getComputedStyle(node);
    if (!own || node.getBoundingClientRect().width < 2 || style.visibility === "hidden") return [];
    if (node.closest(unseen)) return [];
    const pair = [light(rgba(style.color)), light(ground(node))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
    const text = node.textContent.trim().slice(0, 30);
    return ratio < least ? [`${node.tagName}.${node.className} ${text}: ${ratio.toFixed(2)}`] : [];
  });
}"""
# Controls that are smaller than 24 x 24 CSS pixels (2.5.8) or have no name (4.1.2); links within a sentence are exempt.
CONTROLS = """() => {
  const all = document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=slider]");
  return [...all].flatMap((node) => {
    const { width, height } = node.getBoundingClientRect();
    if (!width || node.closest("p a, .skip-link, [hidden]") || getComputedStyle(node).opacity === "0") return [];
    const name = node.ariaLabel || node.textContent.trim() || node.labels?.[0]?.textContent;
    const small = (width < 24 || height < 24) && !node.closest(".term, .check");
    return small || !name ? [`${node.outerHTML.slice(0, 90)} ${width} x ${height} ${name}`] : [];
  });
}"""


def sound(page: Page, where: str) -> None:
    """No text too faint, no control too small or without a name, nothing wider than the window."""
    assert page.evaluate(CONTRAST) == [], where
    assert page.evaluate(CONTROLS) == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where


@pytest.mark.parametrize("kind", PROJECTS)
def test_pages_are_legible_in_both_schemes_and_on_a_phone(
    window: BrowserContext, serve: Serve, tmp_path: Path, kind: str
) -> None:
    """Every page, light and dark, at 1280 and at 390 pixels."""
    made = PROJECTS[kind](tmp_path)
    address = serve(made)
    page = join(window, made, address)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for width, height in ((1280, 800), (390, 780)):
            page.set_viewport_size({"width": width, "height": height})
            for path in ("/rate", "/", "/history", "/guide", "/account"):
                page.goto(address + path)
                if path == "/rate":
                    page.locator("#stage[data-ready] #question").wait_for()
                sound(page, f"{path} {scheme} {width}")
                shot(page, f"{kind}{path.replace('/', '-')}-{scheme}-{width}")


def test_on_a_phone_the_answer_is_in_reach_without_scrolling(browser: object, serve: Serve, tmp_path: Path) -> None:
    """Item, question and buttons fit the screen; a tap answers."""
    made = binary_project(tmp_path)
    phone = browser.new_context(  # type: ignore[attr-defined]
        viewport={"width": 390, "height": 664}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    page = join(phone, made, serve(made))
    for choice in page.locator(".choice").all():
        box = choice.bounding_box()
        assert box["y"] + box["height"] <= 664
        assert box["height"] >= 44
    shot(page, "phone")
    page.get_by_role("button", name="Yes").tap()
    page.locator(".told").wait_for()
    phone.close()


def test_the_chosen_appearance_stays(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """Chosen by keyboard in the menu; the next page comes dark from the server, without a flash of white."""
    made = binary_project(tmp_path)
    address = serve(made)
    page = join(window, made, address)
    page.locator(".menu summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Auto").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    shot(page, "menu-dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Escape")
    assert page.locator(".menu[open]").count() == 0
    assert 'data-theme="dark"' in page.request.get(f"{address}/history").text()


def test_keys_can_be_turned_off(window: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    """For people who speak their input, single keys must not act (WCAG 2.1.4); the buttons still do."""
    made = binary_project(tmp_path)
    page = join(window, made, serve(made))
    page.keyboard.press("?")
    page.get_by_role("checkbox").focus()
    shot(page, "keys")
    page.keyboard.press(" ")
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    page.wait_for_timeout(300)
    assert page.locator(".told").count() == 0
    page.get_by_role("button", name="Yes").press("Enter")
    page.locator(".told").wait_for()
