"""`card.md` of trained expert heads: what they are, what they learnt from and how well they were measured."""

from __future__ import annotations

from emonet.models import Card
from emonet.taxonomy import display_name
from emonet.training._card_sections import sources_table
from emonet.training._markdown import figure, table

_TITLES = {"spearman": "rank correlation with people's ratings", "auc": "AUC, present against absent"}


def expert_page(card: Card) -> str:
    """The page in Markdown; all figures are those of the card, with their 95 % intervals."""
    rows = [
        [display_name(metric.dimension or ""), _TITLES.get(metric.name, metric.name), figure(metric), str(metric.n)]
        for metric in sorted(card.metrics, key=lambda metric: (metric.name, -metric.value))
    ]
    unmeasured = [display_name(key) for key in card.dimensions if all(m.dimension != key for m in card.metrics)]
    parts = [f"# {card.title}\n", f"`{card.id}`, revision `{card.revision}`: {card.source}.\n", "## Measured\n"]
    if card.metrics:
        parts += [f"On {card.metrics[0].data}.\n", table(["Emotion", "Measure", "Value", "Items"], rows)]
    if unmeasured:
        parts += [f"Too few labels to say how reliable these are: {', '.join(unmeasured)}.\n"]
    parts += ["## Training data and licence\n", f"Licence of the weights: {card.licence}.\n"]
    parts += [sources_table(card, "Items"), "## Limits\n"]
    parts += [
        "- Scores are intensity as people perceive it, not what anyone feels; do not use them to decide about people."
    ]
    return "\n".join(parts) + "\n"
