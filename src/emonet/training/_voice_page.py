"""docs/models-voice.md, written from the shipped bundle's card: `python -m emonet.training._voice_page`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from emonet.models._bundle import read_card
from emonet.models._card import Card, Metric
from emonet.taxonomy import display_name
from emonet.training._markdown import figure, table

_HEAD = """# The embedded voice model, measured

<!-- Written by `python -m emonet.training._voice_page BUNDLE PAGE` from the bundle's card. Do not edit by hand. -->

`emonet.load("voice")` without a download. It hears a voice for 0.5 to 30 seconds and gives {scored} of the 40 emotions
a score from 0 to 4, a score relative to a neutral voice, and a probability. The other {missing} are NaN, because no
labelled speech or burst at hand shows them. Everything below was measured on speakers that training never heard.
AUC is the chance that a clip acted as the emotion scores above a clip of the same corpus acted as another one: 0.5 is
guessing, 1 is perfect. Brackets are 95 % intervals from resampling speakers; with the few speakers of the two speech
corpora they are narrower than the truth.
"""
_AGAIN = """## Run it again

```
emonet train embedded recipes/embedded-voice.toml --data DIR --output OUT
python -m emonet.training._voice_page OUT/bundle docs/models-voice.md
```

Revision `{revision}`, seed {seed}. One processor core is enough ({minutes}). The recipe names the public sources
and states the rule for a scored emotion; the test speakers are scored once, after all choices were made on validation
speakers.
"""


def voice_page(card: Card) -> str:
    """The page in Markdown; its figures are those of the card."""
    scored = [key for key in card.dimensions if key not in card.missing]
    parts = [_HEAD.format(scored=len(scored), missing=len(card.missing))]
    parts += ["## Summary\n", _summary(card), "## By emotion\n", _emotions(card, scored), "## Men and women\n"]
    parts += [_genders(card), "## What each emotion was learnt from\n"]
    parts += [table(["Emotion", "Evidence"], ([display_name(k), e.detail] for k, e in card.evidence.items()))]
    parts += ["## Not scored\n", table(["Emotion", "Reason"], ([display_name(k), v] for k, v in card.missing.items()))]
    sources = ([f"[{t.name}]({t.url})", t.licence, str(t.items), t.use] for t in card.training_data)
    parts += ["## Training data and licence\n", f"Licence of the weights: {card.licence}.\n"]
    parts += [table(["Source", "Licence", "Clips", "Use"], sources)]
    parts += ["## Limits\n", "".join(f"- {limit}\n" for limit in card.limits)]
    parts += [_AGAIN.format(revision=card.revision, seed=card.recipe.get("seed", "?"), minutes="under half an hour")]
    return "\n".join(parts)


def write_page(bundle: Path, page: Path) -> None:
    """Write the page of the bundle folder `bundle`. Raises BundleError when it is none."""
    page.write_text(voice_page(read_card(bundle)), encoding="utf-8")


def _summary(card: Card) -> str:
    plain = {metric.data: metric for metric in card.metrics if metric.name == "baseline_macro_auc"}
    rows = []
    for metric in card.metrics:
        if metric.name == "macro_auc" and metric.data in plain:
            rows.append(
                [
                    "mean AUC",
                    metric.data,
                    _people(metric),
                    str(metric.n),
                    figure(metric),
                    figure(plain[metric.data]),
                    "0.500",
                ]
            )
    for name, title in (("top1", "right emotion first"), ("uar", "the same, mean over labels")):
        for metric in (m for m in card.metrics if m.name == name):
            chance = metric.note.rpartition(" ")[2]
            rows.append([title, metric.data, _people(metric), str(metric.n), figure(metric), "", chance])
    for metric in (m for m in card.metrics if m.name == "calibration_error"):
        rows.append(["calibration error (0 is best)", metric.data, "", str(metric.n), figure(metric), "", ""])
    return table(["Measure", "Data", "Speakers", "Clips", "This model", "Simple baseline", "Chance"], rows) + (
        "\nThe baseline is a logistic regression on the mean and spread of each mel band.\n"
    )


def _emotions(card: Card, scored: Sequence[str]) -> str:
    own = {metric.dimension: metric for metric in card.metrics if metric.name == "auc"}
    plain = {metric.dimension: metric for metric in card.metrics if metric.name == "baseline_auc"}
    order = sorted(scored, key=lambda key: -own[key].value)
    rows = (
        [display_name(key), figure(own[key]), figure(plain[key]), own[key].data, own[key].note.partition(";")[0]]
        for key in order
    )
    return table(["Emotion", "AUC", "Simple baseline", "Measured on", "Evidence"], rows)


def _genders(card: Card) -> str:
    rows = (
        [metric.data, str(metric.n), figure(metric), metric.note]
        for metric in card.metrics
        if metric.name == "macro_auc" and "male" in metric.data
    )
    return table(["Voices", "Clips", "Mean AUC", "Note"], rows)


def _people(metric: Metric) -> str:
    """Number of speakers that the figure's note states."""
    found = re.search(r"(\d+) speakers?\b", metric.note)
    return found.group(1) if found else ""


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m emonet.training._voice_page BUNDLE PAGE")
    write_page(Path(sys.argv[1]), Path(sys.argv[2]))
