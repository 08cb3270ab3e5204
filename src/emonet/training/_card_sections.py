"""Parts of a model's page that faces and voices share, in Markdown, all figures from the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from emonet.models import Card, Metric, read_card
from emonet.taxonomy import display_name
from emonet.training._card_plots import Curve, Group, Step, curves_svg, reliability_svg
from emonet.training._markdown import figure, table


def reliability_groups(card: Card, series: str = "") -> list[Group]:
    """Metrics `reliability`, whose notes start with the mean prediction."""
    own = [m for m in card.metrics if m.name == "reliability"]
    return [Group(float(m.note.split()[0]), m.value, m.low, m.high, m.n, series) for m in own]


class Damage(Protocol):
    """What a page says of one kind of damage."""

    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...


def card_figures(
    cards: Mapping[str, Card], name: str, damages: Mapping[str, Damage], reliability: str, damage: str
) -> dict[str, str]:
    """Both figures by file name, `figures/<name>-...svg`: probabilities and damage, with the titles `reliability` and
    `damage`; `cards` by the name of their series."""
    groups = [group for series, card in cards.items() for group in reliability_groups(card, series)]
    curves = [
        curve
        for kind, one in damages.items()
        for series, card in cards.items()
        for curve in damage_curves(card, kind, one.title, one.unit, series)
    ]
    return {
        f"figures/{name}-reliability.svg": reliability_svg(groups, reliability),
        f"figures/{name}-robustness.svg": curves_svg(curves, damage),
    }


def damage_curves(card: Card, kind: str, title: str, unit: str, series: str = "") -> list[Curve]:
    """The curve of one kind of damage: metrics `damage_<kind>`, whose notes start with the strength."""
    own = [m for m in card.metrics if m.name == f"damage_{kind}"]
    steps = tuple(Step(float(m.note.split()[0]), m.value, m.low, m.high) for m in own)
    return [Curve(title, unit, steps, series)] if steps else []


def opening(card: Card, modality: str, note: str, words: str) -> list[str]:
    """Title, `note` on who writes the page, and how to load the model, followed by `words`."""
    free = card.id.endswith("-open")
    title = f"The embedded {modality} model" + " from open sources" * free
    return [f"# {title}, measured\n", note, f'`emonet.load("{modality}{"-open" * free}")` without a download. {words}']


def probabilities(card: Card, words: str, picture: str) -> list[str]:
    """Section on calibrated probabilities; `words` says of what, `picture` is the figure's address."""
    groups = reliability_groups(card)
    if not groups:
        return []
    rows = [[f"{g.predicted:.2f}", f"{g.observed:.3f} [{g.low:.3f}, {g.high:.3f}]", str(g.n)] for g in groups]
    head = ["## Probabilities\n", f"{words}\n", f"![reliability]({picture})\n"]
    return [*head, table(["Predicted, mean", "Observed share", "Probabilities"], rows)]


def robustness(card: Card, titles: Mapping[str, str], words: str, measure: str, picture: str) -> list[str]:
    """Section on damaged media; `titles` by kind of damage, `measure` heads the column of figures."""
    rows = []
    for kind, title in titles.items():
        own = [m for m in card.metrics if m.name == f"damage_{kind}"]
        rows += [[title, m.note.partition(";")[0], figure(m)] for m in own]
    if not rows:
        return []
    head = ["## Under damage\n", f"{words}\n", f"![robustness]({picture})\n"]
    return [*head, table(["Damage", "Strength", measure], rows)]


def failures(card: Card, words: str, items: str) -> list[str]:
    """Section on confusions, the most frequent first; `items` heads the column of their number."""
    own = sorted((m for m in card.metrics if m.name == "confusion"), key=lambda m: -m.value)
    if not own:
        return []
    rows = [[m.note, m.data, figure(m), str(m.n)] for m in own]
    return ["## Known failures\n", f"{words}\n", table(["What is taken for what", "Data", "Share", items], rows)]


def side_by_side(bundles: Mapping[str, Path], titles: Mapping[str, str], items: str) -> str:
    """A table with a column a bundle: licence, data, size, and the metrics that `titles` names, then AUC by emotion."""
    cards = {name: read_card(folder) for name, folder in bundles.items()}
    rows = [
        ["licence of the weights", "", *(card.licence for card in cards.values())],
        [f"{items} learnt from", "", *(_items(card) for card in cards.values())],
        ["bytes of encoder and heads", "", *(_bytes(folder, "fp32") for folder in bundles.values())],
        ["bytes with the 8-bit encoder", "", *(_bytes(folder, "int8") for folder in bundles.values())],
        ["emotions scored, of 40", "", *(str(len(card.evidence)) for card in cards.values())],
        ["of them direct", "", *(str(_direct(card)) for card in cards.values())],
    ]
    rows = [row for row in rows if any(row[2:])]
    found = [{(m.name, m.dimension, m.data): m for m in card.metrics} for card in cards.values()]
    names = {name: place for place, name in enumerate((*titles, "auc"))}
    every = dict.fromkeys(key for metrics in found for key in metrics)
    keys = [key for key in every if key[0] in names and "male" not in key[2]]  # groups of people stand further below
    for name, dimension, data in sorted(keys, key=lambda key: (names[key[0]] == len(titles), key[2], names[key[0]])):
        words = f"AUC of {display_name(dimension)}" if dimension else titles[name]
        own = [metrics.get((name, dimension, data)) for metrics in found]
        rows.append([words, data, *(figure(metric) if metric else "not measured" for metric in own)])
    return table(["Measure", "Data", *cards], rows)


def overall(card: Card, titles: Mapping[str, str]) -> list[Metric]:
    """The metrics that `titles` names, those of one source together, in the order of `titles`."""
    names, sources = list(titles), list(dict.fromkeys(metric.data for metric in card.metrics))
    own = [metric for metric in card.metrics if metric.name in titles]
    return sorted(own, key=lambda metric: (sources.index(metric.data), names.index(metric.name)))


def sources_table(card: Card, items: str) -> str:
    """Where the weights come from; `items` heads the column of numbers, which is empty for published weights."""
    rows = ([f"[{t.name}]({t.url})", t.licence, str(t.items or ""), t.use] for t in card.training_data)
    return table(["Source", "Licence", items, "Use"], rows)


def write_pages(pages: Mapping[str, str], folder: Path) -> None:
    """Write texts by their names below `folder`."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _bytes(folder: Path, precision: str) -> str:
    """Size on disk of the encoder at a precision and the heads; "" when the bundle has no such encoder."""
    card = read_card(folder)
    tier = card.tier(precision)
    encoder = card.encoder.file if precision == "fp32" else tier and tier.encoder
    return f"{(folder / encoder).stat().st_size + card.heads.bytes:,}" if encoder else ""


def _items(card: Card) -> str:
    return " + ".join(f"{source.items} of {source.name}" for source in card.training_data if source.items > 100)


def _direct(card: Card) -> int:
    return sum(evidence.kind == "direct" for evidence in card.evidence.values())
