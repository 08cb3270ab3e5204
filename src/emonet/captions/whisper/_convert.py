"""A transformers checkpoint to CTranslate2's format, which faster-whisper runs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from emonet.captions.whisper._checkpoint import EXTRA, FEATURE, decoding_of, load_whisper, locate, quiet
from emonet.captions.whisper._decoders import SETTINGS_FILE
from emonet.errors import CheckpointError, UsageError, require

_QUANTIZATIONS = ("float32", "float16", "bfloat16", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16")


def convert_captioner(
    name_or_folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    quantization: str = "float32",
    revision: str | None = None,
) -> Path:
    """Write a transformers checkpoint in CTranslate2's format to the new folder `output`, and give it back.

    quantization: how the weights are kept; "int8" is about a quarter of float32. Beside CTranslate2's files lie the
    tokenizer and `captioner.json` with the decoding rules, so that both runtimes write the same captions but for
    rounding. Raises `UsageError` when `output` is there already, `CheckpointError` for a folder that is no Whisper.
    """
    if quantization not in _QUANTIZATIONS:
        raise UsageError(f"quantization is {quantization!r}; expected one of {', '.join(_QUANTIZATIONS)}.")
    target = Path(output)
    if target.exists():
        raise UsageError(f"{target} exists; choose a new folder.")
    converters = require("ctranslate2.converters", extra=EXTRA, feature=f"{FEATURE} on CTranslate2")
    folder = locate(name_or_folder, revision)
    model, tokenizer = load_whisper(folder)
    rules = decoding_of(model, tokenizer, "en")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".captioner-", dir=target.parent))
    try:
        try:
            with quiet():
                converters.TransformersConverter(str(folder)).convert(
                    str(staging), quantization=quantization, force=True
                )
        except (RuntimeError, ValueError, KeyError, AttributeError) as error:
            raise CheckpointError(f"{folder}: CTranslate2's converter does not take it ({error}).") from error
        tokenizer.backend_tokenizer.save(str(staging / "tokenizer.json"))
        settings = {
            "suppress": rules.suppress,
            "suppress_first": rules.suppress_first,
            "window_s": rules.window_s,
            "positions": rules.positions,
            "multilingual": getattr(model.generation_config, "is_multilingual", True) is not False,
        }
        (staging / SETTINGS_FILE).write_text(json.dumps(settings) + "\n", encoding="utf-8")
        staging.chmod(0o755)
        os.replace(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target
