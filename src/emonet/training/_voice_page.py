"""The pages of the embedded voice models, written from their cards.

`python -m emonet.training._voice_page DEFAULT OPEN DOCS` reads two bundles and writes `models-voice.md`,
`models-voice-open.md` and two figures under `figures/`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
from emonet.training._markdown import figure, table
from emonet.training._voice_robustness import VOICE_DAMAGES

_NOTE = "<!-- Written by `python -m emonet.training._voice_page DEFAULT OPEN DOCS` from the bundles' cards. -->\n"
_HEAD = """It hears a voice for 0.5 to 30 seconds and gives {scored} of the 40 emotions
a score from 0 to 4, a score relative to a neutral voice, and a probability. The other {missing} are NaN, because no
labelled speech or burst at hand shows them. Everything below was measured on speakers that training never heard.
AUC is the chance that a clip acted as the emotion scores above a clip of the same corpus acted as another one: 0.5 is
guessing, 1 is perfect. Brackets are 95 % intervals from resampling speakers; with the few speakers of the two speech
corpora they are narrower than the truth.
"""
_AGAIN = """## Run it again

```
emonet train embedded {source} --data DIR --output OUT
python -m emonet.training._voice_page DEFAULT OPEN docs
```

Revision `{revision}`, seed {seed}; {epochs} epochs on {threads} processor core{plural}. The recipe names the public
sources and states the rule for a scored emotion; the test speakers are scored once, after all choices were made on
validation speakers. `python -m benchmarks.cross_corpus_voices` leaves whole corpora out.
"""
_OVERALL = {
    "macro_auc": "mean AUC",
    "baseline_macro_auc": "baseline: mean AUC of a logistic regression on 64 mel bands",
    "top1": "right emotion first, among the scored ones that the corpus names",
    "uar": "the same, mean over labels",
    "class_top1": "the corpus's own label first (a classifier on the embedding, not shipped)",
    "calibration_error": "mean error of the calibrated probabilities",
}
_UNKNOWN = (
    "Age is not annotated in the sources; RAVDESS is in English, nEMO in Polish, EmoGator without words, so that a "
    "corpus's figures are those of its language.\n"
)


def voice_page(card: Card, *, beside: tuple[str, ...] = ()) -> str:
    """The page in Markdown; its figures are those of the card. `beside`: what follows the introduction."""
    scored = [key for key in card.dimensions if key not in card.missing]
    parts = [
        *opening(card, "voice", _NOTE, _HEAD.format(scored=len(scored), missing=len(card.missing))),
        *beside,
        "## Overall\n",
    ]
    rows = [[_OVERALL[m.name], m.data, str(m.n), figure(m), _chance(m)] for m in overall(card, _OVERALL)
            if not _is_group(m)]  # fmt: skip
    parts += [table(["Measure", "Data", "Clips", "Value", "Chance"], rows), "## By emotion\n", _emotions(card, scored)]
    parts += ["## Men and women, languages\n", _genders(card), _UNKNOWN]
    words = "Calibrated probabilities of all scored emotions, in ten groups, against the share of clips acted so."
    parts += probabilities(card, words, "figures/voice-reliability.svg")
    words = f"Mean AUC within corpora of every {_step(card)}th clip ({_damaged(card)}) after damage to its samples."
    titles = {kind: damage.title for kind, damage in VOICE_DAMAGES.items()}
    parts += robustness(card, titles, words, "Mean AUC", "figures/voice-robustness.svg")
    words = "Labels in whose clips another emotion stands highest at least a fifth of the time."
    parts += failures(card, words, "Clips")
    parts += ["## What each emotion was learnt from\n"]
    parts += [table(["Emotion", "Evidence"], ([display_name(k), e.detail] for k, e in card.evidence.items()))]
    parts += ["## Not scored\n", table(["Emotion", "Reason"], ([display_name(k), v] for k, v in card.missing.items()))]
    parts += ["## Training data and licence\n", f"Licence of the weights: {card.licence}.\n"]
    parts += [sources_table(card, "Clips"), "## Size and speed\n"]
    parts += ["The encoder's matrices and filters are stored in 8 bits and computed in float32; all figures above are "
              "of the weights so rounded. Time per clip is measured in "
              "[performance](performance.md#the-embedded-models).\n"]  # fmt: skip
    parts += ["## Limits\n", "".join(f"- {limit}\n" for limit in card.limits)]
    threads = int(card.recipe.get("training.threads", 1))
    parts += [_AGAIN.format(revision=card.revision, source=card.source, seed=card.recipe.get("seed", "?"),
                            epochs=card.recipe.get("training.epochs", "?"), threads=threads,
                            plural="s" * (threads != 1))]  # fmt: skip
    return "\n".join(parts)


def _step(card: Card) -> str:
    return str(card.recipe.get("support.robustness_step", "?"))


def _damaged(card: Card) -> str:
    """Of whom the damaged clips are; the two models' differ, and so do their curves in one figure."""
    return next((metric.data for metric in card.metrics if metric.name.startswith("damage_")), "none measured")


def _is_group(metric: Metric) -> bool:
    return bool(re.search(r"\b(fe)?male test speakers", metric.data))


def _chance(metric: Metric) -> str:
    """The rate of a uniform guess that the note states; AUC's is a half."""
    if metric.name in ("macro_auc", "baseline_macro_auc"):
        return "0.500"
    return metric.note.rpartition("right in ")[2] if "right in " in metric.note else ""


def _emotions(card: Card, scored: Sequence[str]) -> str:
    own = {metric.dimension: metric for metric in card.metrics if metric.name == "auc"}
    plain = {metric.dimension: metric for metric in card.metrics if metric.name == "baseline_auc"}
    order = sorted(scored, key=lambda key: -own[key].value)
    rows = (
        [display_name(key), figure(own[key]), figure(plain[key]), own[key].data, own[key].note.partition(";")[0]]
        for key in order
    )
    return table(["Emotion", "AUC", "Baseline", "Measured on", "Evidence"], rows)


def _genders(card: Card) -> str:
    rows = [
        [metric.data, str(metric.n), figure(metric), metric.note]
        for metric in card.metrics
        if metric.name == "macro_auc" and _is_group(metric)
    ]
    return table(["Voices", "Clips", "Mean AUC", "Note"], rows) if rows else "Gender is not annotated in the sources.\n"


VOICE = PageKind(
    "voice",
    voice_page,
    _OVERALL,
    "clips",
    VOICE_DAMAGES,
    "Probabilities against acted emotions, test speakers",
    "Mean AUC under damage, test speakers",
)

if __name__ == "__main__":
    write_docs(VOICE, "emonet.training._voice_page")
