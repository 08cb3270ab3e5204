"""Captions: what a voice or face seems to express, in words.

`caption_scores` and `caption_estimates` put scores in words by rule, offline; `mentions` reads a text back into
emotions and strengths. Paraphrases and BUD-E Whisper build on them. docs/captions.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.captions._baseline import (
        baseline_for,
        baseline_of_model,
        make_baseline,
        parse_baseline,
        read_baseline,
        write_baseline,
    )
    from emonet.captions._caption import caption_estimate, caption_estimates, caption_scores, clip_seed, sentence_seed
    from emonet.captions._diversity import Diversity, diversity
    from emonet.captions._enrich import Enriched, enrich_shard
    from emonet.captions._formats import FORMATS, formatted
    from emonet.captions._mentions import Mention, Mentions, Unclear, mentions
    from emonet.captions._paraphrase import Paraphrases, paraphrase, paraphrase_cost, paraphrase_fault
    from emonet.captions._records import STRENGTHS, Baseline, Caption, Said, Selection, Statistic, Strength
    from emonet.captions._regions import CaptionedRegion, described, heard, stretches
    from emonet.captions._selection import select
    from emonet.captions._subtitles import Cue, srt, vtt
    from emonet.captions._templates import TEMPLATES

__all__ = [
    "FORMATS",
    "STRENGTHS",
    "TEMPLATES",
    "Baseline",
    "Caption",
    "CaptionedRegion",
    "Cue",
    "Diversity",
    "Enriched",
    "Mention",
    "Mentions",
    "Paraphrases",
    "Said",
    "Selection",
    "Statistic",
    "Strength",
    "Unclear",
    "baseline_for",
    "baseline_of_model",
    "caption_estimate",
    "caption_estimates",
    "caption_scores",
    "clip_seed",
    "described",
    "diversity",
    "enrich_shard",
    "formatted",
    "heard",
    "make_baseline",
    "mentions",
    "paraphrase",
    "paraphrase_cost",
    "paraphrase_fault",
    "parse_baseline",
    "read_baseline",
    "select",
    "sentence_seed",
    "srt",
    "stretches",
    "vtt",
    "write_baseline",
]

_HOME = {
    "_baseline": (
        "baseline_for",
        "baseline_of_model",
        "make_baseline",
        "parse_baseline",
        "read_baseline",
        "write_baseline",
    ),
    "_caption": ("caption_estimate", "caption_estimates", "caption_scores", "clip_seed", "sentence_seed"),
    "_diversity": ("Diversity", "diversity"),
    "_enrich": ("Enriched", "enrich_shard"),
    "_formats": ("FORMATS", "formatted"),
    "_mentions": ("Mention", "Mentions", "Unclear", "mentions"),
    "_paraphrase": ("Paraphrases", "paraphrase", "paraphrase_cost", "paraphrase_fault"),
    "_records": ("STRENGTHS", "Baseline", "Caption", "Said", "Selection", "Statistic", "Strength"),
    "_regions": ("CaptionedRegion", "described", "heard", "stretches"),
    "_selection": ("select",),
    "_subtitles": ("Cue", "srt", "vtt"),
    "_templates": ("TEMPLATES",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
