"""Scores to captions: one clip, one region of an estimate, or all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emonet.captions._baseline import baseline_for, emotion_keys, read_baseline
from emonet.captions._records import Baseline, Caption, Said, Selection
from emonet.captions._selection import ALWAYS, GENDER_GATE, select
from emonet.captions._templates import render, template_name
from emonet.captions._wording import attribute_phrase, wording
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.estimation import Estimate, Estimates

_TRAITS = {"AGEV": "age", "age": "age", "GEND": "gender", "gender": "gender", "REGS": "register", "TEMP": "tempo"}


def caption_scores(
    scores: Mapping[str, Any],
    *,
    baseline: Baseline | None = None,
    template: str = "default",
    shuffle: bool = False,
    seed: int = 0,
    emotions: int = 3,
    attributes: int = 5,
    always: Sequence[str] = ALWAYS,
    gender_gate: float = GENDER_GATE,
    bursts: Sequence[str] = (),
) -> Caption:
    """Put one clip's scores in words.

    scores: see `select`. baseline: what is usual for them, by default the published one, which is right for LAION's
    released voice heads only. template: one of `TEMPLATES`, or "random". shuffle: change the order of what is said.
    seed: chooses synonyms, order and random template; equal arguments give equal text everywhere. emotions,
    attributes: how many at most. always: attributes told even where they are average. bursts: names of vocal bursts
    that were found. Raises `UsageError` for wrong options.
    """
    usual = baseline or read_baseline()
    name = template_name(template, seed)
    selection = select(
        scores,
        usual,
        emotions=emotions,
        attributes=attributes,
        always=always,
        gender_gate=gender_gate,
        shuffle=shuffle,
        seed=seed,
    )
    text = render(selection, name, seed, usual.modality, bursts)
    told = [said for said in selection.attributes if name != "tags" or said.word != "average"]
    traits = _traits(selection, told, bursts)
    return Caption(text, name, seed, selection.emotions, _in_order(told, name), tuple(bursts), traits)


def caption_estimate(estimate: Estimate, *, baseline: Baseline | None = None, **options: Any) -> Caption:
    """Put one scored region in words; options as for `caption_scores`.

    baseline: by default the one in the package for this model (`baseline_for`). A dimension that the model cannot
    judge is never spoken of. Raises `UsageError` for a region without scores and for a baseline of another modality.
    """
    if not estimate.ok:
        raise UsageError(f"{estimate.source}: nothing was scored ({estimate.status}), so there is nothing to say.")
    usual = baseline or baseline_for(estimate)
    if usual.modality != estimate.modality:
        raise UsageError(
            f"The baseline {usual.name!r} is of {usual.modality}s; the scores are of a {estimate.modality}."
        )
    if usual.model and usual.model != estimate.model:
        raise UsageError(f"The baseline {usual.name!r} is of the model {usual.model!r}, not of {estimate.model!r}.")
    return caption_scores(scores_of(estimate, usual.scale), baseline=usual, **options)


def caption_estimates(
    estimates: Estimates | Sequence[Estimate], *, baseline: Baseline | None = None, seed: int = 0, **options: Any
) -> tuple[Caption | None, ...]:
    """One caption per region, in their order; None where nothing was scored.

    Each region has a seed of its own, `sentence_seed(seed, i)`, so that the wording changes along a recording.
    Options as for `caption_scores`.
    """
    return tuple(
        caption_estimate(item, baseline=baseline, seed=sentence_seed(seed, i), **options) if item.ok else None
        for i, item in enumerate(estimates)
    )


def scores_of(estimate: Estimate, scale: str) -> dict[str, float]:
    """Emotions on `scale` ("raw" or "relative"), attributes raw; only what the model judged."""
    keys = emotion_keys()
    values = estimate.scores("relative" if scale == "relative" else "raw")
    emotions = {key: value for key, value in values.items() if key in keys}
    return emotions | {key: value for key, value in estimate.scores("raw").items() if key not in keys}


def clip_seed(epoch: int, clip: int | str) -> int:
    """The seed of a clip in an epoch of training: epoch x 1,000,003 + the clip's number (of a name: its hash)."""
    if isinstance(clip, str):
        clip = int.from_bytes(hashlib.blake2b(clip.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")
    return epoch * 1_000_003 + clip


def sentence_seed(seed: int, index: int) -> int:
    """The seed of the i-th part of a clip (from 0): seed XOR ((i + 1) x 0x9E3779B1)."""
    return seed ^ ((index + 1) * 0x9E3779B1)


def _in_order(told: Sequence[Said], template: str) -> tuple[Said, ...]:
    """The order in which a template's text names the attributes."""
    steady = [said for said in told if said.always]
    loose = [said for said in told if not said.always]
    if template in ("identity_first", "bulleted", "sounds_like", "minimal_identity"):
        people = [said for said in steady if _TRAITS.get(said.key) in ("age", "gender")]
        others = [said for said in steady if said not in people]
        return tuple(people + loose + others if template == "minimal_identity" else people + others + loose)
    if template in ("emotion_first", "two_sentence", "quality_led"):
        people = [said for said in steady if _TRAITS.get(said.key) in ("age", "gender")]
        return tuple(loose + people + [said for said in steady if said not in people])
    return tuple(told)


def _traits(selection: Selection, told: Sequence[Said], bursts: Sequence[str]) -> dict[str, str]:
    traits = {_TRAITS[said.key]: attribute_phrase(said) for said in told if said.key in _TRAITS}
    if selection.descriptor is not None:
        traits["genuineness"] = wording().genuineness[selection.descriptor]
    if bursts:
        traits["bursts"] = ", ".join(bursts)
    elif selection.blend_said:
        traits["bursts"] = wording().blend["present" if (selection.blend or 0) > 0 else "absent"]
    return traits
