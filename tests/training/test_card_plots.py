"""Figures of a model card: what they draw, and that they are well-formed and always the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from emonet.training._card_plots import Curve, Group, Step, curves_svg, reliability_svg

_SVG = "{http://www.w3.org/2000/svg}"


def _circles(svg: str) -> list[tuple[float, float, float]]:
    found = ET.fromstring(svg).iter(f"{_SVG}circle")
    return [(float(c.attrib["cx"]), float(c.attrib["cy"]), float(c.attrib["r"])) for c in found]


def test_a_perfect_group_lies_on_the_diagonal() -> None:
    """Predicted equal to observed is on the line from corner to corner; too low an observed share is below it."""
    groups = [Group(0.5, 0.5, 0.4, 0.6, 100), Group(0.5, 0.2, 0.1, 0.3, 25)]
    (x, y, large), (_, below, small) = _circles(reliability_svg(groups, "Reliability"))
    assert x - 52 == 334 - y  # as far from the left as from the bottom
    assert below > y
    assert large > small


def test_curves_of_one_panel_share_its_axes() -> None:
    """Two models in one panel get two colours and a legend; a lower score is drawn lower, strengths go to the right."""
    curves = [
        Curve("JPEG", "quality", (Step(60, 0.8, 0.7, 0.9), Step(5, 0.5, 0.4, 0.6)), "default"),
        Curve("JPEG", "quality", (Step(60, 0.6, 0.5, 0.7),), "open"),
    ]
    svg = curves_svg(curves, "Accuracy under damage")
    mild, severe, other = (c for c in _circles(svg) if c[2] == 2.5)
    assert severe[0] > mild[0] == other[0]
    assert severe[1] > other[1] > mild[1]
    assert {"default", "open", "JPEG", "quality"} <= {t.text for t in ET.fromstring(svg).iter(f"{_SVG}text")}


def test_names_are_escaped_and_bytes_repeat() -> None:
    """A title with a bracket stays a title, an undefined interval is left out, and the same figures give one file."""
    curve = Curve("a < b", "x & y", (Step(1, 0.5, float("nan"), float("nan")),))
    svg = curves_svg([curve], "<script>")
    assert ET.fromstring(svg).find(f"{_SVG}title").text == "<script>"  # type: ignore[union-attr]
    assert "nan" not in svg.replace("[nan, nan]", "")
    assert svg == curves_svg([curve], "<script>")


def test_nothing_measured_is_an_empty_figure() -> None:
    """A card without such metrics still gets a valid file."""
    for svg in (reliability_svg([], "none"), curves_svg([], "none")):
        assert not _circles(svg)
