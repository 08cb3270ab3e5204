"""Hours by group, laid out as the table that the release published, with its figures beside ours."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emonet.synthesis.voices._data import accents_of
from emonet.synthesis.voices._files import write_text
from emonet.synthesis.voices._records import LANGUAGES, NONE, Clip

_NAMES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
# Schuhmann et al., arXiv 2506.09827, section on LAION's Got Talent, and laion.ai's post of 19 June 2025.
_PUBLISHED = {
    ("language", "English"): 2156, ("language", "German"): 716, ("language", "Spanish"): 888,
    ("language", "French"): 881, ("acting challenges", "English+German"): 111,
    ("english accent", "Louisiana"): 133, ("english accent", "Valley Girl"): 159, ("english accent", "British"): 132,
    ("english accent", "Chinese"): 126, ("english accent", "French"): 140, ("english accent", "German"): 135,
    ("english accent", "Indian"): 129, ("english accent", "Italian"): 134, ("english accent", "Mexican"): 131,
    ("english accent", "Russian"): 134, ("english accent", "Spanish"): 132, ("english accent", "Texan"): 131,
    ("english accent", "Vulgar Street"): 149, ("english accent", "none"): 391,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hours:
    """A row: `group` and `name` as in the published table, hours of ours and of the release (None where it has none),
    number of clips, and a note."""

    group: str
    name: str
    hours: float
    clips: int
    published: float | None
    note: str = ""


def hours_table(clips: Sequence[Clip]) -> tuple[Hours, ...]:
    """Rows for languages, acting challenges, accents and voices. As in the published table clips with an acting
    challenge count there and not under their language, and accents of English are parts of English; a row for each
    published accent, with or without clips."""
    total: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    challenged: set[str] = set()
    for clip in clips:
        part = clip.script.part
        total["voice", part.voice].append(clip.duration_s)
        if part.challenge != NONE:
            challenged.add(part.language)
            total["acting challenges", ""].append(clip.duration_s)
            continue
        total["language", _NAMES[part.language]].append(clip.duration_s)
        total[f"{_NAMES[part.language].lower()} accent", part.accent].append(clip.duration_s)
    where = "+".join(_NAMES[language] for language in LANGUAGES if language in challenged)
    rows = [_row(total, "language", name) for name in _NAMES.values()]
    # The published row is of English and German; ours names the languages that it holds.
    rows.append(_row(total, "acting challenges", "", shown=where or "English+German"))
    for language, name in _NAMES.items():
        group = f"{name.lower()} accent"
        named = [one.name for one in accents_of(language)]
        shown = [one for one in named if total[group, one] or (group, one) in _PUBLISHED]
        if language == "en" or len(shown) > 1:
            order = [one for one in shown if one != NONE] + [NONE]
            rows += [_row(total, group, one, note=f"part of {name}") for one in order]
    rows += [_row(total, "voice", voice) for group, voice in sorted(total) if group == "voice"]
    return tuple(rows)


def write_hours(path: str | os.PathLike[str], rows: Sequence[Hours]) -> None:
    """The table as CSV: group, name, hours, note, as published, then clips and the published hours."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["group", "name", "hours", "note", "clips", "published_hours"])
    for row in rows:
        published = "" if row.published is None else f"{row.published:g}"
        table.writerow([row.group, row.name, f"{row.hours:.4f}", row.note, row.clips, published])
    write_text(Path(path), buffer.getvalue())


def _row(
    total: defaultdict[tuple[str, str], list[float]], group: str, name: str, *, shown: str = "", note: str = ""
) -> Hours:
    held = total[group, name]
    return Hours(group, shown or name, sum(held) / 3600, len(held), _PUBLISHED.get((group, shown or name)), note)
