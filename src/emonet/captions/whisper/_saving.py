"""A trained captioner on disk: a transformers folder with its training card, as JSON and as a page."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from emonet.captions.whisper._checkpoint import EXTRA, FEATURE, quiet
from emonet.captions.whisper._clean import clean_caption
from emonet.captions.whisper._decoders import TorchDecoder
from emonet.captions.whisper._evaluation import CaptionEvaluation, evaluate_captions, plain
from emonet.captions.whisper._feed import Example, Feed
from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.errors import require
from emonet.models import AudioPreprocessing

CARD, PAGE = "card.json", "card.md"


def measure(model: Any, tokenizer: Any, recipe: CaptionerRecipe, feed: Feed) -> CaptionEvaluation | None:
    """Captions of held-out clips, measured; None without any. Agreement needs the fact `scores`."""
    examples = list(islice(feed.validation(), recipe.evaluate_clips))
    if not examples:
        return None
    captions = _captions(model, tokenizer, recipe, examples)
    scores = {_name(one): one.scores for one in examples if one.scores}
    return evaluate_captions(
        captions,
        references={_name(one): one.captions for one in examples},
        scores=scores or None,
        clusters={_name(one): one.clip.group for one in examples},
        seed=recipe.seed,
    )


def _captions(model: Any, tokenizer: Any, recipe: CaptionerRecipe, examples: list[Example]) -> dict[str, str]:
    import numpy as np

    decoder = TorchDecoder(model.eval(), tokenizer, recipe.language)
    found: dict[str, str] = {}
    for first in range(0, len(examples), recipe.batch):
        part = examples[first : first + recipe.batch]
        for one, tokens in zip(part, decoder.write(np.stack([e.features for e in part]), 200), strict=True):
            found[_name(one)] = clean_caption(decoder.text(tokens))
    return found


def _name(example: Example) -> str:
    return f"{example.clip.shard}/{example.clip.key}"


def save_captioner(
    model: Any,
    tokenizer: Any,
    spec: AudioPreprocessing,
    folder: Path,
    *,
    facts: Mapping[str, Any],
    evaluation: CaptionEvaluation | None,
) -> Path:
    """Write the folder whole; one that is there is replaced."""
    transformers = require("transformers", extra=EXTRA, feature=FEATURE)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".model-", dir=folder.parent))
    try:
        # Captions are asked for with a prompt of our own; ids forced by the base would stand in its way.
        model.generation_config.forced_decoder_ids = None
        with quiet():
            model.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        extractor = transformers.WhisperFeatureExtractor(feature_size=spec.n_mels, chunk_length=round(spec.window_s))
        extractor.save_pretrained(staging)
        card = plain({**facts, "evaluation": evaluation.as_json() if evaluation else None})
        (staging / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (staging / PAGE).write_text(_page(card), encoding="utf-8")
        staging.chmod(0o755)
        if folder.exists():
            old = staging.with_name(f"{staging.name}.old")
            os.replace(folder, old)
            os.replace(staging, folder)
            shutil.rmtree(old)
        else:
            os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _page(card: Mapping[str, Any]) -> str:
    """The card in words."""
    lines = [
        "# Voice captioner\n",
        f"Fine-tuned from `{card['base']}` (weights {card['base_sha256'][:12]}) on {card['training_clips']} clips of "
        f"{', '.join(card['data'])}; {card['validation_clips']} clips were held out.\n",
        f"{card['steps']} steps. Loss per token: {_number(card['first_loss'])} at first, "
        f"{_number(card['last_loss'])} at last.",
    ]
    if card["validation_losses"]:
        held = ", ".join(_number(loss) for loss in card["validation_losses"])
        lines.append(f"On held-out clips after each epoch: {held}; the lowest was kept.")
    for reason, count in card["left_out"].items():
        lines.append(f"Left out: {count} clips {reason}.")
    lines += ["\n## Measured on held-out clips\n", *_figures(card["evaluation"]), "\n## Recipe\n"]
    lines += [f"- {name}: {value}" for name, value in card["recipe"].items()]
    return "\n".join(lines) + "\n"


def _figures(evaluation: Mapping[str, Any] | None) -> list[str]:
    if evaluation is None:
        return ["Nothing was held out, so nothing was measured."]
    rows = [("clips", str(evaluation["clips"]))]
    for part in ("agreement", "text"):
        for name, value in (evaluation[part] or {}).items():
            rows.append((f"{part}: {name.replace('_', ' ')}", _figure(value)))
    return ["| figure | value [95 % interval] |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return f"{_number(value[0])} [{_number(value[1])}, {_number(value[2])}]"
    return _number(value)


def _number(value: Any) -> str:
    if value is None:
        return "undefined"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
