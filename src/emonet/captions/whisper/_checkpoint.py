"""A captioner's files: found in a folder or on the Hub, and what they say about decoding."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.errors import CheckpointError, ModelError, UsageError, require

FEATURE = "BUD-E Whisper"
EXTRA = "caption"
CT2_WEIGHTS = "model.bin"
_FILES = ["*.json", "*.txt", "*.safetensors", CT2_WEIGHTS]
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HOP_S = 0.02  # one encoder position: two frames of 10 ms


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a checkpoint is asked for a caption; token numbers are those of its vocabulary.

    `prompt`: start of transcript, language, task, no timestamps, as far as the vocabulary has them. `suppress`: never
    written; `suppress_first`: not written first. `n_mels`, `window_s`: its log-mel input. `positions`: longest output
    with the prompt.
    """

    prompt: tuple[int, ...]
    end: int
    suppress: tuple[int, ...]
    suppress_first: tuple[int, ...]
    n_mels: int
    window_s: float
    positions: int


def locate(name_or_folder: str | os.PathLike[str], revision: str | None = None) -> Path:
    """The folder of a checkpoint, fetched from the Hub (into huggingface_hub's cache) when the name is a Hub id.

    Raises `UsageError` for a name that is neither and `ModelError` when it cannot be fetched.
    """
    folder = Path(name_or_folder)
    if folder.is_dir():
        return folder
    name = os.fspath(name_or_folder)
    if not _HUB_ID.fullmatch(name):
        raise UsageError(
            f"{name!r} is no folder and no Hub id. Pass a folder with config.json and model.safetensors (or model.bin "
            "of CTranslate2), or an id such as 'laion/BUD-E-Whisper'."
        )
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(str(huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=_FILES)))
    except HFValidationError as error:
        raise UsageError(f"{name!r} is no Hub id: {error}") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"{name} cannot be fetched from the Hub ({type(error).__name__}: {str(error).splitlines()[0]}). Check the "
            "name, the network and HF_HUB_OFFLINE, or pass a folder that holds the files."
        ) from error


def is_converted(folder: Path) -> bool:
    """Whether the folder holds CTranslate2's format."""
    return (folder / CT2_WEIGHTS).is_file() and not (folder / "model.safetensors").is_file()


def load_whisper(folder: Path, *, dtype: str = "float32") -> tuple[Any, Any]:
    """(model in evaluation mode, tokenizer) of a folder in transformers' format; only safetensors are read.

    Raises `CheckpointError` when it is none or is no Whisper.
    """
    torch = require("torch", extra=EXTRA, feature=FEATURE)
    transformers = require("transformers", extra=EXTRA, feature=FEATURE)
    kind = read_json(folder / "config.json").get("model_type")
    if kind != "whisper":
        raise CheckpointError(f"{folder / 'config.json'}: model_type is {kind!r}; expected 'whisper'.")
    with quiet():
        try:
            model, report = transformers.WhisperForConditionalGeneration.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=getattr(torch, dtype),
                attn_implementation="sdpa",
                output_loading_info=True,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{folder}: transformers cannot load it ({error}). Expected config.json, model.safetensors and the "
                "tokenizer's files; pickled weights are not read."
            ) from error
    if odd := [*report["missing_keys"], *report.get("unexpected_keys", ()), *map(str, report["mismatched_keys"])]:
        raise CheckpointError(
            f"{folder}: model.safetensors lacks or misfits {len(odd)} tensors, first {odd[0]}. config.json and the "
            "weights do not belong together; fetch both again."
        )
    return model.eval(), tokenizer


def decoding_of(model: Any, tokenizer: Any, language: str) -> Decoding:
    """What a transformers checkpoint says about decoding. Its forced decoder ids do not count: the prompt is ours."""
    config, generation = model.config, model.generation_config
    known = tokenizer.get_vocab()
    multilingual = getattr(generation, "is_multilingual", True) is not False
    return Decoding(
        prompt=prompt_of(known, language if multilingual else None, int(config.decoder_start_token_id)),
        end=int(config.eos_token_id),
        suppress=_numbers(getattr(generation, "suppress_tokens", None)),
        suppress_first=_numbers(getattr(generation, "begin_suppress_tokens", None)),
        n_mels=int(config.num_mel_bins),
        window_s=config.max_source_positions * _HOP_S,
        positions=int(config.max_target_positions),
    )


def prompt_of(vocabulary: dict[str, int], language: str | None, start: int | None = None) -> tuple[int, ...]:
    """The tokens that a caption is begun with; `language` None for checkpoints of English alone.

    Raises `UsageError` for a language that the vocabulary has no token for, though it has others.
    """
    first = vocabulary.get("<|startoftranscript|>", start)
    if first is None:
        raise CheckpointError("The vocabulary has no <|startoftranscript|>; expected Whisper's tokenizer.")
    names = ["<|notimestamps|>"]
    if language is not None:
        if f"<|{language}|>" not in vocabulary and "<|en|>" in vocabulary:
            raise UsageError(
                f"language is {language!r}, which this checkpoint does not know; captions are English: 'en'."
            )
        names = [f"<|{language}|>", "<|transcribe|>", *names]
    return (int(first), *(vocabulary[name] for name in names if name in vocabulary))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises `CheckpointError` when the file is absent or is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror}); expected a Whisper checkpoint there."
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON ({error}); fetch it again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}; expected a JSON object.")
    return content


def _numbers(given: Any) -> tuple[int, ...]:
    return tuple(int(one) for one in given or () if int(one) >= 0)


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' bars and its notes on what it fills in; missing tensors are reported by the caller."""
    transformers = require("transformers", extra=EXTRA, feature=FEATURE)
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)
        transformers.logging.enable_progress_bar()
