"""Recordings to captions: whole batches, long recordings in windows, and text while it is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._checkpoint import is_converted, locate
from emonet.captions.whisper._clean import Rule, clean_caption
from emonet.captions.whisper._decoders import CTranslate2Decoder, Decoder, TorchDecoder, pick_device
from emonet.captions.whisper._records import CaptionedWindow, PartialCaption
from emonet.errors import UsageError
from emonet.media import Audio, WindowPolicy, WindowReport, speech_windows
from emonet.models import AudioPreprocessing, log_mel

Runtime = Literal["auto", "transformers", "ctranslate2"]
_DTYPES = ("float32", "float16", "bfloat16")


def load_captioner(
    name_or_folder: str | os.PathLike[str],
    *,
    runtime: Runtime = "auto",
    device: str = "auto",
    revision: str | None = None,
    language: str = "en",
    max_tokens: int = 200,
    batch_size: int = 8,
    compute_type: str = "default",
    clean: Rule = "careful",
) -> Captioner:
    """Load a BUD-E Whisper: a Hub id ("laion/BUD-E-Whisper"), or a folder of transformers or CTranslate2.

    runtime: "auto" follows from the files. revision: commit, tag or branch on the Hub. language: the prompt's language
    token; captions are English whatever is spoken. max_tokens: the longest caption. compute_type: "default" is float32
    on a CPU and float16 on a graphics card; else float32, float16, bfloat16, and with CTranslate2 also its int8 kinds.
    clean: `clean_caption`'s rule.

    Raises `UsageError` for a wrong argument, `ModelError` or `CheckpointError` for files that cannot be had or used,
    `MissingExtraError` without the extra `caption`.
    """
    if runtime not in ("auto", "transformers", "ctranslate2"):
        raise UsageError(f"runtime is {runtime!r}; expected 'auto', 'transformers' or 'ctranslate2'.")
    if max_tokens < 1 or batch_size < 1:
        raise UsageError(f"max_tokens is {max_tokens} and batch_size {batch_size}; expected 1 or more.")
    clean_caption("", rule=clean)
    folder = locate(name_or_folder, revision)
    converted = is_converted(folder)
    if runtime != "auto" and (runtime == "ctranslate2") != converted:
        held = "CTranslate2" if converted else "transformers"
        raise UsageError(f"{folder} holds {held}'s format, not {runtime}'s. Use runtime='auto' or `convert_captioner`.")
    chosen: Literal["transformers", "ctranslate2"] = "ctranslate2" if converted else "transformers"
    where = pick_device(device, chosen)
    if compute_type == "default":
        compute_type = "float32" if where == "cpu" else "float16"
    decoder: Decoder
    if converted:
        decoder = CTranslate2Decoder.load(folder, device=where, compute_type=compute_type, language=language)
    elif compute_type not in _DTYPES:
        raise UsageError(f"compute_type is {compute_type!r}; with transformers expected one of {', '.join(_DTYPES)}.")
    else:
        decoder = TorchDecoder.load(folder, device=where, dtype=compute_type, language=language)
    return Captioner(
        decoder,
        name=os.fspath(name_or_folder),
        runtime=chosen,
        device=where,
        max_tokens=max_tokens,
        batch_size=batch_size,
        clean=clean,
    )


class Captioner:
    """A loaded captioner. `name`: as asked for; `window_s`: the most it hears at once (30 s for Whisper)."""

    def __init__(
        self,
        decoder: Decoder,
        *,
        name: str,
        runtime: str,
        device: str,
        max_tokens: int = 200,
        batch_size: int = 8,
        clean: Rule = "careful",
    ) -> None:
        self.name, self.runtime, self.device = name, runtime, device
        self.max_tokens, self.batch_size = max_tokens, batch_size
        self._decoder, self._clean = decoder, clean
        rules = decoder.decoding
        self._spec = AudioPreprocessing(front_end="whisper", n_mels=rules.n_mels, window_s=rules.window_s)

    @property
    def window_s(self) -> float:
        """Seconds that one caption can be about."""
        return self._spec.window_s

    def describe(self, clips: Iterable[Audio]) -> Iterator[CaptionedWindow]:
        """One caption a clip, in order, `batch_size` of them at a time.

        Raises `UsageError` for a clip longer than `window_s`, of which the rest would go unheard.
        """
        waiting = iter(clips)
        while batch := tuple(islice(waiting, self.batch_size)):
            features = np.stack([self._features(clip) for clip in batch])
            for clip, tokens in zip(batch, self._decoder.write(features, self.max_tokens), strict=True):
                yield self._window(clip, tokens)

    def __call__(
        self,
        recording: str | os.PathLike[str] | Audio,
        policy: WindowPolicy | None = None,
        *,
        report: WindowReport | None = None,
    ) -> tuple[CaptionedWindow, ...]:
        """Captions of a whole recording: windows of at most `window_s` at its speech (`policy`), in the order of time.

        A recording without speech gives none; `report` says why. `WindowPolicy(detector="none")` takes laughter, cries
        and other sounds without words as well. Raises as `emonet.media.speech_windows`.
        """
        return tuple(self.describe(speech_windows(recording, self._policy(policy), report=report)))

    def stream(
        self, recording: str | os.PathLike[str] | Audio, policy: WindowPolicy | None = None
    ) -> Iterator[PartialCaption]:
        """The captions while they are written: each new piece of text of a window, then the window's final text.

        With CTranslate2 a window comes whole. `text` begins anew with each window.
        """
        for clip in speech_windows(recording, self._policy(policy)):
            region, start, end = clip.region, *_span(clip)
            text = now = ""
            for tokens in self._decoder.steps(self._features(clip)[None], self.max_tokens):
                now = clean_caption(self._decoder.text(tokens), rule=self._clean)
                # A half-written character decodes to U+FFFD; it is shown when it is whole.
                if now != text and not now.endswith("\ufffd"):
                    text = now
                    yield PartialCaption(clip.source, region.window or 0, start, end, text, final=False)
            yield PartialCaption(clip.source, region.window or 0, start, end, now, final=True)

    def _policy(self, policy: WindowPolicy | None) -> WindowPolicy:
        policy = policy or WindowPolicy(max_s=min(self.window_s, 30.0))
        if policy.max_s > self.window_s:
            raise UsageError(f"max_s is {policy.max_s:g} s, but {self.name} hears {self.window_s:g} s at once.")
        return policy

    def _features(self, clip: Audio) -> NDArray[np.float32]:
        if clip.duration_s > self.window_s + 1e-3:
            raise UsageError(
                f"{clip.source}: {clip.duration_s:.1f} s, but {self.name} hears {self.window_s:g} s at once. Pass the "
                "recording to the captioner itself, which cuts it into windows."
            )
        return log_mel(clip.samples, self._spec)

    def _window(self, clip: Audio, tokens: Sequence[int]) -> CaptionedWindow:
        complete = bool(tokens) and tokens[-1] == self._decoder.decoding.end
        raw = self._decoder.text(tokens).strip()
        start, end = _span(clip)
        return CaptionedWindow(
            source=clip.source,
            start_s=start,
            end_s=end,
            text=clean_caption(raw, rule=self._clean),
            raw=raw,
            tokens=len(tokens) - complete,
            complete=complete,
        )


def _span(clip: Audio) -> tuple[float, float]:
    start = clip.region.start_s or 0.0
    return start, clip.region.end_s if clip.region.end_s is not None else start + clip.duration_s
