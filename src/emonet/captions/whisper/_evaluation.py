"""How good captions are: do they name what the scores say, do they match references, are they sound text.

*Emotion agreement* is the main figure. Scores of different emotions are not on one scale, so each emotion's scores are
first ranked over the clips; then, for each clip, do the emotions that its caption speaks of stand higher than the
others (area under the curve, 0.5 by chance)? Precision and recall compare the emotions spoken of with the `top` highest
of the clip. The same figures of captions dealt to other clips are the control: what a captioner reaches that says
likely things without listening.

BLEU and chrF come from sacrebleu, word errors from jiwer. CIDEr is left out: it weighs words by how rare they are over
the references, so that its scale changes with the set, and no library that is still kept up computes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emonet.captions.whisper._agreement import EmotionAgreement, emotion_agreement
from emonet.captions.whisper._text_quality import TextQuality, text_quality
from emonet.errors import UsageError
from emonet.statistics import Resampler


@dataclass(frozen=True, slots=True)
class CaptionEvaluation:
    """`agreement`: None without scores."""

    clips: int
    text: TextQuality
    agreement: EmotionAgreement | None

    def as_json(self) -> dict[str, Any]:
        """Figures as JSON values; intervals are [value, low, high], undefined ones None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def evaluate_captions(
    captions: Mapping[str, str],
    *,
    references: Mapping[str, Sequence[str]] | None = None,
    scores: Mapping[str, Mapping[str, float]] | None = None,
    clusters: Mapping[str, str] | None = None,
    top: int = 3,
    seed: int = 0,
    resamples: int = 1000,
) -> CaptionEvaluation:
    """Measure captions, clip → text.

    references: clip → one or more good captions. scores: clip → emotion (any spelling) → number, higher is more; names
    that are no emotion are passed over. clusters: clip → speaker or recording, whose clips are resampled together.
    Clips without references or scores are left out of those figures. Raises `UsageError` without captions, or when
    references or scores name none of the clips; `MissingExtraError` without the extra `caption` when references are
    given.
    """
    if not captions:
        raise UsageError("There are no captions to evaluate.")
    if top < 1:
        raise UsageError(f"top is {top}; expected 1 or more.")
    keys = list(captions)
    for name, given in (("references", references), ("scores", scores)):
        if given is not None and not any(given.get(key) for key in keys):
            raise UsageError(f"{name} name none of the {len(keys)} captioned clips; expected the same keys.")

    def resampling(chosen: Sequence[str]) -> Resampler:
        groups = [clusters.get(key, key) for key in chosen] if clusters is not None else None
        return Resampler(len(chosen), groups, seed=seed, resamples=resamples)

    text = text_quality(captions, references, resampling)
    agreement = emotion_agreement(captions, scores, resampling, top, seed) if scores is not None else None
    return CaptionEvaluation(len(keys), text, agreement)


def plain(value: Any) -> Any:
    """JSON values: tuples as lists, what is not finite as None."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
