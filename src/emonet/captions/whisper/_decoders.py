"""Log-mel to tokens, greedily, in PyTorch or CTranslate2.

Both take the same features and prompts, so that a converted checkpoint writes the same captions but for rounding.
Shapes: B clips, M mel bands, T frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._checkpoint import (
    EXTRA,
    FEATURE,
    Decoding,
    decoding_of,
    load_whisper,
    prompt_of,
    read_json,
)
from emonet.errors import CheckpointError, UsageError, require

SETTINGS_FILE = "captioner.json"  # beside a converted checkpoint: what CTranslate2's own files do not say


class Decoder(Protocol):
    """One loaded checkpoint. `streams`: whether `steps` gives tokens while they are made."""

    decoding: Decoding
    streams: bool

    def write(self, features: NDArray[np.float32], max_tokens: int) -> list[list[int]]:
        """Tokens of each clip without prompt; the end token closes those that are complete. `features` [B, M, T]."""

    def steps(self, features: NDArray[np.float32], max_tokens: int) -> Iterator[list[int]]:
        """All tokens so far, for one clip [1, M, T]."""

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text without special ones."""


class TorchDecoder:
    """A transformers checkpoint; keys and values of earlier tokens are kept."""

    streams = True

    def __init__(self, model: Any, tokenizer: Any, language: str) -> None:
        self.decoding = decoding_of(model, tokenizer, language)
        self._model, self._tokenizer = model, tokenizer

    @classmethod
    def load(cls, folder: Path, *, device: str, dtype: str, language: str) -> TorchDecoder:
        model, tokenizer = load_whisper(folder, dtype=dtype)
        return cls(model.to(device), tokenizer, language)

    def write(self, features: NDArray[np.float32], max_tokens: int) -> list[list[int]]:
        written: list[list[int]] = [[] for _ in features]
        for tokens in self._greedy(features, max_tokens):
            for clip, token in zip(written, tokens, strict=True):
                if not clip or clip[-1] != self.decoding.end:
                    clip.append(token)
        return written

    def steps(self, features: NDArray[np.float32], max_tokens: int) -> Iterator[list[int]]:
        written: list[int] = []
        for (token,) in self._greedy(features, max_tokens):
            written.append(token)
            yield list(written)

    def text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def _greedy(self, features: NDArray[np.float32], max_tokens: int) -> Iterator[list[int]]:
        """The most probable token of each clip, step by step, until all have ended."""
        import torch

        rules, model = self.decoding, self._model
        with torch.inference_mode():
            encoded = model.model.encoder(torch.from_numpy(features).to(model.device, model.dtype))
        ids = torch.tensor([rules.prompt] * len(features), device=model.device)
        ended = torch.zeros(len(features), dtype=torch.bool, device=model.device)
        past = None
        for step in range(min(max_tokens, rules.positions - len(rules.prompt))):
            # Entered anew each step: a generator must not leave its caller in this mode.
            with torch.inference_mode():
                out = model(encoder_outputs=encoded, decoder_input_ids=ids, past_key_values=past, use_cache=True)
                logits = out.logits[:, -1].float()
                logits[:, list(rules.suppress + (rules.suppress_first if step == 0 else ()))] = -torch.inf
                best = logits.argmax(-1)
                ended |= best == rules.end
                ids, past = best[:, None], out.past_key_values
                tokens, over = best.tolist(), bool(ended.all())
            yield tokens
            if over:
                return


class CTranslate2Decoder:
    """A converted checkpoint, loaded by faster-whisper. It gives no tokens before a clip is done."""

    streams = False

    def __init__(self, model: Any, decoding: Decoding) -> None:
        self._model, self.decoding = model, decoding

    @classmethod
    def load(cls, folder: Path, *, device: str, compute_type: str, language: str) -> CTranslate2Decoder:
        faster_whisper = require("faster_whisper", extra=EXTRA, feature=f"{FEATURE} on CTranslate2")
        if not (folder / "tokenizer.json").is_file():
            raise CheckpointError(f"{folder} has no tokenizer.json; convert the checkpoint with `convert_captioner`.")
        try:
            model = faster_whisper.WhisperModel(
                str(folder), device=device, compute_type=compute_type, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"{folder}: CTranslate2 cannot load it with {compute_type} on {device} ({error})."
            ) from error
        vocabulary = model.hf_tokenizer.get_vocab(with_added_tokens=True)
        kept = folder / SETTINGS_FILE
        said = read_json(kept) if kept.is_file() else {}
        own = read_json(folder / "config.json")
        decoding = Decoding(
            prompt=prompt_of(vocabulary, language if said.get("multilingual", model.model.is_multilingual) else None),
            end=vocabulary["<|endoftext|>"],
            suppress=tuple(said.get("suppress", own.get("suppress_ids", ()))),
            suppress_first=tuple(said.get("suppress_first", own.get("suppress_ids_begin", ()))),
            n_mels=int(model.model.n_mels),
            window_s=float(said.get("window_s", 30.0)),
            positions=int(said.get("positions", 448)),
        )
        return cls(model, decoding)

    def write(self, features: NDArray[np.float32], max_tokens: int) -> list[list[int]]:
        import ctranslate2

        rules = self.decoding
        room = min(max_tokens, rules.positions - len(rules.prompt))
        results = self._model.model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features)),
            [list(rules.prompt)] * len(features),
            beam_size=1,
            # CTranslate2 writes at most half of this, and at most this without the prompt.
            max_length=max(2 * room, room + len(rules.prompt)),
            suppress_blank=bool(rules.suppress_first),
            suppress_tokens=list(rules.suppress),
        )
        written = [list(result.sequences_ids[0]) for result in results]
        return [tokens if len(tokens) >= room else [*tokens, rules.end] for tokens in written]

    def steps(self, features: NDArray[np.float32], max_tokens: int) -> Iterator[list[int]]:
        yield self.write(features, max_tokens)[0]

    def text(self, tokens: Sequence[int]) -> str:
        return str(self._model.hf_tokenizer.decode(list(tokens), skip_special_tokens=True))


def pick_device(device: str, runtime: str) -> str:
    """`auto` is the graphics card where the runtime sees one. Raises `UsageError` for a device that is not there."""
    if runtime == "transformers":
        there = bool(require("torch", extra=EXTRA, feature=FEATURE).cuda.is_available())
    else:
        there = require("ctranslate2", extra=EXTRA, feature=FEATURE).get_cuda_device_count() > 0
    if device == "auto":
        return "cuda" if there else "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise UsageError(f"device is {device!r}; expected 'auto', 'cpu' or 'cuda'.")
    if device.startswith("cuda") and not there:
        raise UsageError(f"device is {device!r}, but {runtime} sees no CUDA device here; use 'auto' or 'cpu'.")
    return device
