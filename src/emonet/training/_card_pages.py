"""The pages of a modality's embedded models, default and open, and their figures, written from the cards."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emonet.models import Card, read_card
from emonet.training._card_sections import Damage, card_figures, side_by_side, write_pages


class WritePage(Protocol):
    """The page of a card in Markdown; `beside`: paragraphs that follow the introduction."""

    def __call__(self, card: Card, *, beside: tuple[str, ...] = ()) -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class PageKind:
    """What differs between faces and voices. `model`: name of the default model; `measures`: title of each overall
    figure; `items`: what a model is measured on; `reliability`, `robustness`: titles of the two figures."""

    model: str
    page: WritePage
    measures: Mapping[str, str]
    items: str
    damages: Mapping[str, Damage]
    reliability: str
    robustness: str


def docs_pages(kind: PageKind, default: Path, open_sources: Path) -> dict[str, str]:
    """By file name under `docs/`: the page of each bundle, the first with both side by side, and their figures."""
    bundles = {"default": default, "open": open_sources}
    cards = {name: read_card(folder) for name, folder in bundles.items()}
    beside = (
        "## Default and open\n",
        f"`{kind.model}-open` is trained only on sources whose stated licence allows any use; "
        f"[its own page](models-{kind.model}-open.md) says more.\n",
        side_by_side(bundles, kind.measures, kind.items),
    )
    return {
        f"models-{kind.model}.md": kind.page(cards["default"], beside=beside),
        f"models-{kind.model}-open.md": kind.page(cards["open"]),
        **_figures(kind, cards),
    }


def bundle_pages(kind: PageKind, bundle: Path) -> dict[str, str]:
    """What a training leaves beside its bundle: `card.md` and the figures that it shows."""
    card = read_card(bundle)
    return {"card.md": kind.page(card), **_figures(kind, {"": card})}


def write_docs(kind: PageKind, module: str) -> None:
    """The command `python -m MODULE DEFAULT OPEN DOCS`."""
    if len(sys.argv) != 4:
        sys.exit(f"usage: python -m {module} DEFAULT OPEN DOCS")
    write_pages(docs_pages(kind, Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3]))


def _figures(kind: PageKind, cards: Mapping[str, Card]) -> dict[str, str]:
    """By file name; `cards` by the name of their series."""
    return card_figures(cards, kind.model, kind.damages, kind.reliability, kind.robustness)
