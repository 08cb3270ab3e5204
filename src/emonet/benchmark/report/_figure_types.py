"""How people's votes fell on each emotion: stacked shares of agreement and split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emonet.benchmark._results import Results
from emonet.benchmark.report._figure_pairs import frameless
from emonet.benchmark.report._style import DOUBLE, ROW, SMALL, SOFT, Drawn, new_figure
from emonet.benchmark.report._view import dimension_groups, names
from emonet.benchmark.report._words import OTHER_GROUP_COLOR
from emonet.reports import GROUP_COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLASSES: Mapping[str, tuple[str, str]] = {
    "all: present": ("#0b4f7d", ""),
    "most: present": ("#5ba3d0", "////"),
    "split evenly": ("#d9d9d9", ""),
    "most: absent": ("#f3cfa6", "\\\\\\\\"),
    "all: absent": ("#dd8a3c", ""),
    "one vote: present": ("#a9c9df", "...."),
    "one vote: absent": ("#ecd5bf", "...."),
}
"""Class of a pattern of votes → colour and hatch, in the order of stacking."""


def draw_types(results: Results, *, width: float = DOUBLE) -> Drawn | None:
    """A bar per emotion under the groups, the most agreed-on first; None without votes."""
    shares = vote_shares(results)
    if not shares:
        return None
    rows: list[tuple[str, str, str]] = []  # group, key, name
    for group, keys in dimension_groups(results):
        known = sorted((key for key in keys if key in shares), key=lambda key: -_agreed(shares[key]))
        rows += [(group, key, names(results)[key]) for key in known]
    used = [name for name in CLASSES if any(name in shares[key] for _, key, _ in rows)]
    narrow = width < DOUBLE
    gaps = len({group for group, _, _ in rows}) - 1
    figure = new_figure(width, (len(rows) + 0.5 * gaps) * ROW * 0.95 + (1.0 if narrow else 0.8))
    axes = figure.subplots()
    places = grouped_places([group for group, _, _ in rows])
    for y, (_, key, _) in zip(places, rows, strict=True):
        left = 0.0
        for name in used:
            color, hatch = CLASSES[name]
            share = 100 * shares[key].get(name, 0.0)
            axes.barh(y, share, left=left, height=0.78, facecolor=color, hatch=hatch, edgecolor="#ffffff", linewidth=0)
            left += share
    _name_rows(axes, places, rows, narrow)
    axes.set_xlim(0, 100)
    axes.set_xlabel("items (%)")
    figure.legend(handles=_handles(used), loc="outside lower center", ncols=2 if narrow else 4)
    caption = (
        f"How the votes of {len(results.facts.get('people', ()))} people fell on {results.facts['set']}: share of an "
        "emotion's rated items on which all, most, or just half of those asked called it present. An emotion is "
        "present above the lowest level."
    )
    return Drawn(figure, caption)


def vote_shares(results: Results) -> Mapping[str, Mapping[str, float]]:
    """Dimension → class of votes → share of the dimension's items."""
    out: dict[str, dict[str, float]] = {}
    for key, pattern, items in results.types.select("dimension", "type", "items").iter_rows():
        counted = out.setdefault(key, {})
        name = vote_class(pattern)
        counted[name] = counted.get(name, 0.0) + (items or 0)
    totals = {key: sum(counted.values()) for key, counted in out.items()}
    return {key: {n: value / totals[key] for n, value in of.items()} for key, of in out.items() if totals[key] > 0}


def vote_class(pattern: str) -> str:
    """Class of `types.type`: "3:0 present" → "all: present", "2:1" → "most: present"; unknown patterns stay."""
    found = re.fullmatch(r"(\d+):(\d+)(?: (present|absent))?", pattern)
    if not found:
        return pattern
    first, second = int(found[1]), int(found[2])
    if found[3]:
        return f"{'one vote' if first == 1 else 'all'}: {found[3]}"
    if first == second:
        return "split evenly"
    return "most: present" if first > second else "most: absent"


def grouped_places(groups: Sequence[str]) -> list[float]:
    """Vertical places of rows with half a row between groups."""
    places: list[float] = []
    for k, group in enumerate(groups):
        places.append(places[-1] + (1.0 if group == groups[k - 1] else 1.5) if k else 0.0)
    return places


def group_color(group: str) -> str:
    """The colour that the package's reports give a group."""
    return GROUP_COLORS.get(group, OTHER_GROUP_COLOR)


def short(name: str, longest: int = 30) -> str:
    """A long emotion's name without what follows its stroke."""
    return name if len(name) <= longest else name.split("/")[0]


def _handles(used: Sequence[str]) -> list[Any]:
    from matplotlib.patches import Patch

    looks = [(name, *CLASSES[name]) for name in used]
    return [Patch(facecolor=color, hatch=hatch, edgecolor="#ffffff", linewidth=0, label=n) for n, color, hatch in looks]


def _agreed(share: Mapping[str, float]) -> float:
    return share.get("all: present", 0.0) + share.get("all: absent", 0.0)


def _name_rows(axes: Axes, places: Sequence[float], rows: Sequence[tuple[str, str, str]], narrow: bool) -> None:
    """Emotions' names, and a coloured line with its name along each group."""
    frameless(axes)
    axes.set_yticks(places, [short(name, 24 if narrow else 30) for _, _, name in rows])
    axes.set_ylim(places[-1] + 0.6, -0.6)
    for group in dict.fromkeys(group for group, _, _ in rows):
        of = [y for y, row in zip(places, rows, strict=True) if row[0] == group]
        group_line(axes, 101.5, of[0], of[-1], group, narrow)


def group_line(axes: Axes, x: float, top: float, bottom: float, group: str, narrow: bool) -> None:
    """A group's colour and name right of its rows."""
    axes.plot([x, x], [top - 0.4, bottom + 0.4], color=group_color(group), linewidth=2.2, clip_on=False)
    if not narrow:
        text = _short(group, bottom - top)
        place = (x, (top + bottom) / 2)
        name = axes.annotate(text, place, (4, 0), textcoords="offset points", va="center", fontsize=SMALL, color=SOFT)
        name.set_annotation_clip(False)


def _short(group: str, rows: float) -> str:
    """A group's name on two lines where it has the room."""
    words = group.removesuffix(" Emotions").split()
    middle = (len(words) + 1) // 2
    return (
        f"{' '.join(words[:middle])}\n{' '.join(words[middle:])}" if rows >= 1 and len(words) > 1 else " ".join(words)
    )
