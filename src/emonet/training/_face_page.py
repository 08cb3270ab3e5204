"""The pages of the embedded face models, written from their cards.

`python -m emonet.training._face_page DEFAULT OPEN DOCS` reads two bundles and writes `models-face.md`,
`models-face-open.md` and two figures under `figures/`.
"""

from __future__ import annotations

from emonet.models import Card, Metric
from emonet.taxonomy import display_name
from emonet.training._card_pages import PageKind, write_docs
from emonet.training._card_sections import (
    failures,
    opening,
    overall,
    probabilities,
    robustness,
    sources_table,
)
from emonet.training._face_damage import DAMAGES
from emonet.training._markdown import figure, table

_NOTE = "<!-- Written by `python -m emonet.training._face_page DEFAULT OPEN DOCS` from the bundles' cards. -->\n"
_HEAD = """It estimates how ten people's votes would fall on eight expressions, and from
those shares {scored} of the 40 emotions on LAION's scale of 0 to 7. {direct} emotions are *direct*: people voted for
them. {teacher} come from a *teacher*: the mean output of LAION's published face model on posed faces of each
expression, weighted by the shares; nobody labelled them here, so they can be no better than that table. The other
{missing} are NaN. Everything was measured once, by the finished bundle, on pictures of the test split, which take the
same way as a user's: file, detected face, square crop, model. Brackets are 95 % bootstrap intervals over pictures
(FER+) or persons (muxspace). [Faces of a corpus that training never saw](cross-corpus-faces.md) are another question.
"""
_AGAIN = """## Run it again

```
emonet train embedded {source} --data DIR --output OUT
python -m emonet.training._face_page DEFAULT OPEN docs
```

Revision `{revision}`, seed {seed}. One processor core is enough. The recipe names the public sources and states the
rules for a scored emotion; correction, calibration and choice use validation pictures only.
"""
_UNKNOWN = """Gender, age, origin and language of the people shown are not annotated in any of the sources, so there are
no figures by group.
"""
_OVERALL = {
    "majority_accuracy": "accuracy against the majority vote, of eight (faces without a majority left out)",
    "top1_accuracy": "most voted expression first, of eight (all faces)",
    "balanced_accuracy": "the same, mean over expressions",
    "calibration_error": "mean error of the calibrated probabilities",
    "baseline_logistic_accuracy": "baseline: logistic regression on 16 x 16 pixels, all faces",
    "baseline_majority_accuracy": "baseline: always the most frequent expression, all faces",
}


def face_page(card: Card, *, beside: tuple[str, ...] = ()) -> str:
    """The page in Markdown; its figures are those of the card. `beside`: what follows the introduction."""
    kinds = [evidence.kind for evidence in card.evidence.values()]
    numbers = {"scored": len(kinds), "direct": kinds.count("direct"), "teacher": kinds.count("teacher")}
    parts = [*opening(card, "face", _NOTE, _HEAD.format(**numbers, missing=len(card.missing))), *beside, "## Overall\n"]
    rows = [[_OVERALL[m.name], m.data, str(m.n), figure(m)] for m in overall(card, _OVERALL)]
    parts += [table(["Measure", "Data", "Pictures", "Value"], rows), _UNKNOWN, "## Direct emotions\n"]
    direct = [key for key in card.dimensions if key in card.evidence and card.evidence[key].kind == "direct"]
    parts += [table(["Emotion", "Data", "AUC", "Rank correlation with votes", "Pictures"], _direct(card, direct))]
    words = (
        "Calibrated probabilities of the direct emotions, in ten groups, against the share of FER+ taggers who chose "
        "the expression (test pictures; calibration used validation pictures)."
    )
    parts += probabilities(card, words, "figures/face-reliability.svg")
    words = "Accuracy against the majority vote of FER+ test faces (crops of 48 pixels) after damage to the crop."
    titles = {kind: damage.title for kind, damage in DAMAGES.items()}
    parts += robustness(card, titles, words, "Accuracy", "figures/face-robustness.svg")
    words = "Expressions of the majority that come out as another one in at least a fifth of the test faces."
    parts += failures(card, words, "Faces")
    parts += ["## Teacher emotions\n", "Rank correlation is with the teacher's output expected from people's votes.\n"]
    parts += [table(["Emotion", "Rank correlation", "Evidence"], _teacher(card))]
    parts += ["## Not scored\n", table(["Emotion", "Reason"], ([display_name(k), v] for k, v in card.missing.items()))]
    parts += ["## Training data and licence\n", f"Licence of the weights: {card.licence}.\n"]
    parts += [sources_table(card, "Items"), *_size_and_speed(card)]
    parts += ["## Limits\n", "".join(f"- {limit}\n" for limit in card.limits)]
    parts += [_AGAIN.format(revision=card.revision, seed=card.recipe.get("seed", "?"), source=card.source)]
    return "\n".join(parts)


def _size_and_speed(card: Card) -> list[str]:
    text = "Time per picture is measured in [performance](performance.md#the-embedded-models).\n"
    lines = ["## Size, speed, 8 bits\n", text]
    for tier in card.tiers:
        if tier.check:
            verdict = "passes" if tier.check.passed else "does not pass"
            lines.append(
                f"Tier `{tier.precision}`: lowest rank correlation with fp32 {tier.check.rank_correlation:.4f} "
                f"({tier.check.worst}) over {tier.check.items} items, {verdict} the bound of 0.995.\n"
            )
    return lines


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


FACE = PageKind(
    "face",
    face_page,
    _OVERALL,
    "pictures",
    DAMAGES,
    "Probabilities against votes, FER+ test",
    "Accuracy against the majority vote under damage, FER+ test",
)

if __name__ == "__main__":
    write_docs(FACE, "emonet.training._face_page")
