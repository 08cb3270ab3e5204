"""The HTML report: one safe file that says what was measured and what is not judged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import emonet
from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates, estimate_files
from emonet.media import Region
from emonet.reports import NOTE, html_report, write_html

Make = Callable[..., Path]
HOSTILE = "<img src=x onerror=alert(1)>.wav"
_VOID = {"meta", "img", "br", "wbr"}


class _Tree(HTMLParser):
    """Checks that tags nest and collects them with their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(text: str) -> _Tree:
    tree = _Tree()
    tree.feed(text)
    tree.close()
    assert not tree.open
    return tree


@pytest.fixture
def estimates(face_bundle: Path, voice_bundle: Path, picture: Make, tone: Make, tmp_path: Path) -> Estimates:
    """A face, a recording of four windows, a recording with a hostile name, and a broken one."""
    hostile = tmp_path / HOSTILE
    shutil.copy(tone(seconds=1.0), hostile)
    broken = tmp_path / "broken<b>.wav"
    broken.write_bytes(b"no sound")
    files = [picture(), tone("long.wav", seconds=8.0), hostile, broken]
    models = {"face": face_bundle, "voice": voice_bundle}
    results = list(estimate_files(files, models=models, whole_image=True, whole_audio=True))
    cards = {name: card for rows in results for name, card in rows.cards.items()}
    return Estimates([row for rows in results for row in rows], cards)


def test_report_is_one_closed_file(estimates: Estimates) -> None:
    """Tags nest; nothing is loaded from outside; pictures and sounds are data URIs; images have alternative text."""
    text = html_report(estimates)
    tree = _parsed(text)
    for tag, attributes in tree.tags:
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
        assert tag != "link"
        assert not any(name.startswith("on") for name in attributes), tag
        if tag == "img":
            assert attributes["alt"]
        if tag == "audio":
            assert attributes["aria-label"]
    assert not re.search(r"https?://", text)
    assert "@import" not in text
    assert sum(tag == "img" for tag, _ in tree.tags) == 1
    assert sum(tag == "audio" for tag, _ in tree.tags) == 3 - 1


def test_hostile_names_and_texts_are_escaped(estimates: Estimates) -> None:
    """A file name, a card's reason and an error with markup are shown as text."""
    text = html_report(estimates)
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;.wav" in text
    assert "broken&lt;b&gt;.wav" in text
    assert "no free labels &lt;&amp;&gt;" in text
    odd = Estimate("a\u202e\x1b[31m\udcff.wav", None, Region(), "unreadable", "</script><script>alert(1)</script>")
    text = html_report(Estimates([odd]), title="<script>")
    text.encode("utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("<script>") == 1


def test_report_says_how_good_the_model_is(estimates: Estimates) -> None:
    """The note, the measured figures with intervals, and the reasons for what is not judged are there."""
    text = html_report(estimates, describe={"test/voice": "Cut evenly."})
    assert NOTE in text
    assert "mean AUC 0.80" in text
    assert "[0.70, 0.90], n = 99" in text
    assert "Not judged, and why (34)" in text
    assert "weaker evidence" in text
    assert "Cut evenly." in text
    assert "Percentages: made up" in text
    assert 'role="img"' in text  # the timeline of the long recording


def test_report_bounds_what_it_embeds(estimates: Estimates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the limits media, cards and rows are left out, and the report says so."""
    monkeypatch.setattr("emonet.reports._previews.MOST_BYTES", 1000)
    monkeypatch.setattr("emonet.reports._html.MOST_CARDS", 1)
    monkeypatch.setattr("emonet.reports._html.MOST_ROWS", 2)
    text = html_report(estimates)
    assert "3 more files have no card" in text
    assert f"first 2 of {len(estimates)} rows" in text


def test_report_without_media_or_scores(tmp_path: Path) -> None:
    """A file that has gone, or nothing scored at all, still gives a report."""
    path = tmp_path / "r.html"
    write_html(Estimates([Estimate("gone.wav", "voice", Region(), "unreadable", "no such file")]), path)
    _parsed(path.read_text(encoding="utf-8"))
    with pytest.raises(UsageError, match="does not exist"):
        write_html(Estimates([]), tmp_path / "no" / "r.html")


def test_video_report_shows_the_followed_face(face_bundle: Path, video: Make, centre_faces: object) -> None:
    """One card for one track, with a thumbnail and a timeline."""
    rows = emonet.load(face_bundle, detector=centre_faces)(video())  # type: ignore[arg-type]
    text = html_report(rows)
    assert text.count('<article class="card">') == 1
    assert "data:image/jpeg" in text
    assert "mean of 4 frames" in text
    assert 'class="timeline"' in text
