"""A report as one HTML file: works offline, prints, and needs no script but for sorting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files as package_files
from itertools import groupby
from pathlib import Path
from string import Template

from emonet.estimation import Estimate, Estimates, place
from emonet.models import Card
from emonet.reports._captions import Captions, caption_section
from emonet.reports._model_html import model_section
from emonet.reports._previews import LONGEST_AUDIO_S, Previews
from emonet.reports._sections import NOTE, Bar, extent, scale_words, sections, subject, subjects
from emonet.reports._tables import write_text
from emonet.reports._timeline import strongest_frame, timeline
from emonet.taxonomy import VERSION, display_name

Span = tuple[float, float]
MOST_CARDS = 120
"""Faces and recordings that get a card with bars; all others are in the table."""
MOST_ROWS = 2000
"""Rows of the table."""


def write_html(
    estimates: Estimates,
    path: str | Path,
    *,
    title: str = "Emotion estimates",
    describe: Mapping[str, str] | None = None,
    media: Mapping[str, Path] | None = None,
    fps: float = 2.0,
    top: int = 5,
    captions: Captions | None = None,
) -> None:
    """Write the report to `path`, whole or not at all.

    `describe`: model id → how its rows came about. `media`: where sources really lie. `fps`: the rate at which videos
    were read. Thumbnails and recordings up to three minutes are embedded, 24 MB at most; `MOST_CARDS` cards and
    `MOST_ROWS` table rows are shown and the report says what it leaves out. `captions`: source → its captions.
    """
    text = html_report(estimates, title=title, describe=describe, media=media, fps=fps, top=top, captions=captions)
    write_text(Path(path), text)


def html_report(
    estimates: Estimates,
    *,
    title: str = "Emotion estimates",
    describe: Mapping[str, str] | None = None,
    media: Mapping[str, Path] | None = None,
    fps: float = 2.0,
    top: int = 5,
    captions: Captions | None = None,
) -> str:
    """The report as text; see `write_html`."""
    previews = Previews(media, fps=fps)
    spans = _spans(estimates)
    cards: list[str] = []
    left_out = 0
    for source, rows in groupby(estimates, key=lambda item: item.source):
        room = MOST_CARDS - len(cards)
        made = _file_cards(source, list(rows), estimates.cards, previews, spans, top, captions) if room > 0 else []
        left_out += 0 if room > 0 else 1
        cards += made
    assets = package_files("emonet.reports").joinpath("assets")
    used = [card for card in estimates.cards.values() if any(item.model == card.id for item in estimates)]
    return Template(assets.joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=assets.joinpath("report.css").read_text(encoding="utf-8"),
        script=assets.joinpath("report.js").read_text(encoding="utf-8"),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        taxonomy=escape(VERSION),
        counts=_counts(estimates),
        note=escape(NOTE),
        models="".join(model_section(card, (describe or {}).get(card.id, "")) for card in used),
        cards="".join(cards),
        left_out=_left_out(left_out, previews.left_out, len(estimates)),
        table=_table(estimates),
    )


def _spans(estimates: Estimates) -> dict[str, Span]:
    """Model → scale of its cards' bars: what is drawn there are means over a recording or a followed face."""
    means = [Estimates(items).mean() for items in subjects(estimates)]
    return {model: extent(item for item in means if item.model == model) for model in estimates.cards}


def _counts(estimates: Estimates) -> str:
    files = len({item.source for item in estimates})
    kinds = Counter(item.status for item in estimates)
    said = [f"{files} file{'s' if files != 1 else ''}", f"{kinds['ok']} scored"]
    said += [f"{count} {status.replace('_', ' ')}" for status, count in sorted(kinds.items()) if status != "ok"]
    return "".join(f"<li>{escape(text)}</li>" for text in said)


def _left_out(files: int, previews: int, rows: int) -> str:
    said = []
    if files:
        said.append(f"{files} more files have no card; they are in the table.")
    if previews:
        said.append(
            f"Recordings and pictures that are not embedded: {previews} (recordings over {LONGEST_AUDIO_S:g} s, or "
            "over the report's limit of size)."
        )
    if rows > MOST_ROWS:
        said.append(f"The table shows the first {MOST_ROWS} of {rows} rows; write all with --output.")
    return f'<p class="soft">{escape(" ".join(said))}</p>' if said else ""


def _file_cards(
    source: str,
    rows: Sequence[Estimate],
    cards: Mapping[str, Card],
    previews: Previews,
    spans: Mapping[str, Span],
    top: int,
    captions: Captions | None,
) -> list[str]:
    """A card per face, or per face followed through a video, and one for the voice; one for a file without any."""
    out: list[str] = []
    voices = [item for item in rows if item.ok and item.modality == "voice"]
    tracks: dict[int | str, list[Estimate]] = {}
    for i, item in enumerate(rows):
        if item.ok and item.modality == "face":
            tracks.setdefault(subject(item, i), []).append(item)
    shown = [strongest_frame(items) for items in tracks.values()]
    for items, picture in zip(tracks.values(), previews.pictures(shown[:MOST_CARDS]), strict=False):
        name = "face" if len(tracks) == 1 else f"face {len(out) + 1}"
        mean = Estimates(items).mean()
        look = f'<img src="{picture}" alt="{escape(name)} in {escape(_name(source))}">' if picture else ""
        drawn = timeline(items, f"{name} in {_name(source)}") + caption_section(captions, source, name)
        out.append(_card(source, mean, len(items), look, drawn, cards.get(mean.model), spans[mean.model], top, name))
    if voices:
        mean = Estimates(voices).mean()
        sound = previews.audio(source)
        label = f"Recording {_name(source)}"
        player = f'<audio controls preload="metadata" src="{sound}" aria-label="{escape(label)}"></audio>'
        look = player if sound else ""
        drawn = timeline(voices, label) + caption_section(captions, source, "voice")
        out.append(
            _card(source, mean, len(voices), look, drawn, cards.get(mean.model), spans[mean.model], top, "voice")
        )
    failed = [item for item in rows if not item.ok]
    if failed:
        reasons = "".join(
            f"<p><strong>{escape(item.status.replace('_', ' '))}</strong>: {escape(_safe(item.message))}</p>"
            for item in failed
        )
        out.append(f'<article class="card failed"><h3>{escape(_name(source))}</h3>{reasons}</article>')
    return out


def _card(
    source: str,
    item: Estimate,
    count: int,
    look: str,
    drawn: str,
    card: Card | None,
    span: Span,
    top: int,
    name: str,
) -> str:
    grouped = sections(item, card)
    bars = {bar.key: (bar, section.color) for section in grouped for bar in section.bars}
    strongest = "".join(_bar(*bars[ranked.key], span) for ranked in item.top(top) if ranked.key in bars)
    groups = "".join(
        f'<section class="group"><h4 style="--c:{section.color}">{escape(section.title)}</h4>'
        f'<ul class="bars">{"".join(_bar(bar, section.color, span) for bar in section.bars)}</ul></section>'
        for section in grouped
    )
    unit = "windows" if item.modality == "voice" else "frames"
    over = f", mean of {count} {unit}" if count > 1 else ""
    where = f"{name}{place(item.region) if count > 1 or item.region.box is None else ''}{over}"
    return (
        f'<article class="card"><header><h3>{escape(_name(source))}</h3>'
        f'<p class="soft">{escape(where)}; {escape(scale_words(item))}</p></header>'
        f'<div class="front">{f"<div class=look>{look}</div>" if look else ""}'
        f'<ul class="bars strongest" aria-label="Strongest emotions">{strongest}</ul></div>{drawn}'
        f"<details><summary>All {len(bars)} judged dimensions by group</summary>"
        f'<div class="groups">{groups}</div></details></article>'
    )


def _bar(bar: Bar, color: str, span: Span) -> str:
    low, high = (bar.low, bar.high) if bar.ends else span
    width = max(high - low, 1e-6)
    zero = (min(max(0.0, low), high) - low) / width * 100
    reached = (min(max(bar.value, low), high) - low) / width * 100
    left, length = min(zero, reached), abs(reached - zero)
    kind = " weak" if bar.weak else ""
    kind += " below" if bar.value < 0 else ""
    about = f"{bar.calibrated:.0%}" if bar.calibrated is not None else ""
    spoken = f' <span class="sr">calibrated probability {about}</span>' if about else ""
    hint = ' title="weaker evidence: learned from a teacher model"' if bar.weak else ""
    ends = f' <span class="soft">({escape(bar.ends)})</span>' if bar.ends else ""
    return (
        f'<li class="bar{kind}"{hint}><span class="name">{_breakable(bar.name)}{ends}'
        f"{'<span class=sr> (weaker evidence)</span>' if bar.weak else ''}</span>"
        f'<span class="track" aria-hidden="true" style="--z:{zero:.1f}%"><i style="--c:{color};left:{left:.1f}%;'
        f'width:{length:.1f}%"></i></span><span class="value">{bar.value:+.2f}</span>'
        f'<span class="chance" aria-hidden="true">{about}</span>{spoken}</li>'
    )


def _table(estimates: Estimates) -> str:
    spans = {model: extent(item for item in estimates if item.model == model) for model in estimates.cards}
    shown = list(estimates)[:MOST_ROWS]
    values = [item.scores() if item.ok else {} for item in shown]
    keys = [key for key in estimates.dimensions if any(key in row for row in values)]
    heads = "".join(_head(display_name(key)) for key in keys)
    body = "".join(
        _row(item, row, keys, spans.get(item.model, (0.0, 1.0))) for item, row in zip(shown, values, strict=True)
    )
    return (
        f"<thead><tr>{_head('File')}{_head('Where')}{_head('Kind')}{_head('Status')}{heads}</tr></thead>"
        f"<tbody>{body}</tbody>"
    )


def _head(name: str) -> str:
    return f'<th scope="col" aria-sort="none"><button type="button">{escape(name)}</button></th>'


def _row(item: Estimate, values: Mapping[str, float], keys: Iterable[str], span: Span) -> str:
    start = item.region.start_s
    status = item.status if item.ok else f"{item.status}: {_safe(item.message)}"
    cells = [
        f'<th scope="row" title="{escape(_safe(item.source))}">{escape(_name(item.source))}</th>',
        f'<td data-sort="{start if start is not None else 0:.3f}">{escape(place(item.region).strip())}</td>',
        f"<td>{escape(item.modality or '')}</td>",
        f"<td>{escape(status)}</td>",
    ]
    for key in keys:
        value = values.get(key)
        if value is None:
            cells.append('<td class="none">–</td>')
            continue
        heat = 0.0 if value <= 0 else min(value / max(span[1], 1e-6), 1.0)
        cells.append(f'<td class="number" data-sort="{value:.5f}" style="--h:{heat:.2f}">{value:.2f}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _breakable(name: str) -> str:
    """A name that may be broken after its strokes."""
    return escape(name).replace("/", "/<wbr>")


def _name(source: str) -> str:
    return _safe(Path(source).name or source)


def _safe(text: str) -> str:
    """Text that can be written as UTF-8 and holds no control character."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else "�" for c in text)
