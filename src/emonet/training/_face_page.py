"""docs/models-face.md, written from the shipped bundle's card: `python -m emonet.training._face_page BUNDLE PAGE`."""

from __future__ import annotations

import sys
from pathlib import Path

from emonet.models import Card, Metric, read_card
from emonet.taxonomy import display_name
from emonet.training._markdown import figure, table

_HEAD = """# The embedded face model, measured

<!-- Written by `python -m emonet.training._face_page BUNDLE PAGE` from the bundle's card. Do not edit by hand. -->

`emonet.load("face")` without a download. It estimates how ten people's votes would fall on eight expressions, and from
those shares {scored} of the 40 emotions on LAION's scale of 0 to 7. {direct} emotions are *direct*: people voted for
them. {teacher} come from a *teacher*: the mean output of LAION's published face model on posed faces of each
expression, weighted by the shares; nobody labelled them here, so they can be no better than that table. The other
{missing} are NaN. Everything was measured once, by the finished bundle, on pictures of the test split, which take the
same way as a user's: file, detected face, square crop, model. Brackets are 95 % bootstrap intervals over pictures
(FER+) or persons (muxspace).
"""
_AGAIN = """## Run it again

```
emonet train embedded recipes/embedded-face.toml --data DIR --output OUT
python -m emonet.training._face_page OUT/bundle docs/models-face.md
```

Revision `{revision}`, seed {seed}. One processor core is enough. The recipe names the public sources and states the
rules for a scored emotion; correction, calibration and choice use validation pictures only.
"""
_OVERALL = {
    "top1_accuracy": "most voted expression first, of eight",
    "balanced_accuracy": "the same, mean over expressions",
    "baseline_logistic_accuracy": "baseline: logistic regression on 16 x 16 pixels",
    "baseline_majority_accuracy": "baseline: always the most frequent expression",
    "top1_accuracy_jpeg20": "accuracy after JPEG at quality 20",
    "top1_accuracy_blur1px": "accuracy after a blur of 1 pixel (of 48)",
    "top1_accuracy_half_size": "accuracy at 24 x 24 pixels",
    "top1_accuracy_turned15": "accuracy turned by 15 degrees",
    "top1_accuracy_dark": "accuracy at 0.4 of the brightness",
}


def face_page(card: Card) -> str:
    """The page in Markdown; its figures are those of the card."""
    kinds = [evidence.kind for evidence in card.evidence.values()]
    head = _HEAD.format(
        scored=len(kinds), direct=kinds.count("direct"), teacher=kinds.count("teacher"), missing=len(card.missing)
    )
    overall = [[_OVERALL[m.name], m.data, str(m.n), figure(m)] for m in card.metrics if m.name in _OVERALL]
    direct = [key for key in card.dimensions if key in card.evidence and card.evidence[key].kind == "direct"]
    parts = [head, "## Overall\n", table(["Measure", "Data", "Pictures", "Value"], overall), "## Direct emotions\n"]
    parts += [table(["Emotion", "Data", "AUC", "Rank correlation with votes", "Pictures"], _direct(card, direct))]
    parts += ["## Teacher emotions\n", "Rank correlation is with the teacher's output expected from people's votes.\n"]
    parts += [table(["Emotion", "Rank correlation", "Evidence"], _teacher(card))]
    parts += ["## Not scored\n", table(["Emotion", "Reason"], ([display_name(k), v] for k, v in card.missing.items()))]
    sources = ([f"[{t.name}]({t.url})", t.licence, str(t.items), t.use] for t in card.training_data)
    parts += ["## Training data and licence\n", f"Licence of the weights: {card.licence}.\n"]
    parts += [table(["Source", "Licence", "Items", "Use"], sources)]
    parts += ["## Limits\n", "".join(f"- {limit}\n" for limit in card.limits)]
    parts += [_AGAIN.format(revision=card.revision, seed=card.recipe.get("seed", "?"))]
    return "\n".join(parts)


def _direct(card: Card, keys: list[str]) -> list[list[str]]:
    rows = []
    for key in keys:
        own = [metric for metric in card.metrics if metric.dimension == key]
        for auc in (metric for metric in own if metric.name == "auc"):
            beside = [m for m in own if m.name == "spearman" and m.data == auc.data]
            rows.append([display_name(key), auc.data, figure(auc), _or_dash(beside), auc.note])
    return rows


def _teacher(card: Card) -> list[list[str]]:
    rows = []
    for key in card.dimensions:
        if key in card.evidence and card.evidence[key].kind == "teacher":
            found = [m for m in card.metrics if m.dimension == key and m.name == "spearman_expected_teacher"]
            rows.append([display_name(key), _or_dash(found), card.evidence[key].detail.rpartition("; ")[2]])
    return rows


def _or_dash(metrics: list[Metric]) -> str:
    return figure(metrics[0]) if metrics else "-"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m emonet.training._face_page BUNDLE PAGE")
    Path(sys.argv[2]).write_text(face_page(read_card(Path(sys.argv[1]))), encoding="utf-8")
