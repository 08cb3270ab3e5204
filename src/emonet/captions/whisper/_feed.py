"""Clips to batches: shuffled anew each epoch, with a fresh caption each, and from any step on.

The order and the captions drawn follow from the seed, the epoch and the clips alone. Going on after an interruption
skips what was done without reading it.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from emonet.captions.whisper._clips import Clip, Clips, captions_of, read_shards, scores_of, sound_of
from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.datasets import Sample
from emonet.errors import MediaError
from emonet.models import AudioPreprocessing, log_mel

PARAPHRASE_STEP = 1_000_003
"""A clip's caption in an epoch is drawn with the seed epoch x this + the clip's number, as LAION's pipeline does."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One clip. `features`: float32 [M, T]; `caption`: drawn for this epoch from `captions`."""

    clip: Clip
    features: NDArray[np.float32]
    caption: str
    captions: tuple[str, ...]
    scores: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    features: NDArray[np.float32]
    captions: tuple[str, ...]
    scores: dict[str, float]


def draw_caption(captions: Sequence[str], epoch: int, number: int) -> str:
    """The caption that a clip is trained on in this epoch."""
    return random.Random(epoch * PARAPHRASE_STEP + number).choice(list(captions))


class Feed:
    """Examples of `clips` as a model with the input `spec` hears them. `skipped`: reason → clips that gave none."""

    def __init__(self, clips: Clips, spec: AudioPreprocessing, recipe: CaptionerRecipe) -> None:
        self._clips, self._spec, self._recipe = clips, spec, recipe
        self._room = recipe.cache_mb * 2**20
        self._cache: dict[tuple[int, str], _Decoded] = {}
        self._faults: dict[tuple[int, str], str] = {}

    @property
    def skipped(self) -> dict[str, int]:
        """Reason → clips that could not be used so far."""
        return dict(Counter(self._faults.values()))

    def refuse(self, clip: Clip, reason: str) -> None:
        """Note that a clip was not used."""
        self._faults[clip.shard, clip.key] = reason

    def steps(self, size: int) -> int:
        """Groups of `size` training clips in an epoch."""
        return -(-len(self._clips.training) // size)

    def epoch(self, epoch: int, size: int, *, done: int = 0) -> Iterator[list[Example]]:
        """Groups of `size` training clips, but for the first `done` groups.

        A clip that cannot be used is missing from its group; the others stay where they are.
        """
        examples = self._training(epoch, done * size)
        while group := list(islice(examples, size)):
            yield [example for example in group if example is not None]

    def validation(self) -> Iterator[Example]:
        """The clips held out, in the order of the shards, each with its first caption."""
        by_shard = _by_shard(self._clips.validation)
        for place in sorted(by_shard):
            for example in self._examples(by_shard[place], epoch=None):
                if example is not None:
                    yield example

    def _training(self, epoch: int, skip: int) -> Iterator[Example | None]:
        generator = np.random.default_rng([self._recipe.seed, epoch])
        by_shard = _by_shard(self._clips.training)
        places = [int(place) for place in generator.permutation(sorted(by_shard))]
        for first in range(0, len(places), self._recipe.mix_shards):
            together = [clip for place in places[first : first + self._recipe.mix_shards] for clip in by_shard[place]]
            mixed = [together[at] for at in generator.permutation(len(together))]
            left = mixed[skip:]
            skip -= len(mixed) - len(left)
            if left:
                yield from self._examples(left, epoch)

    def _examples(self, clips: Sequence[Clip], epoch: int | None) -> Iterator[Example | None]:
        """One a clip, in this order; None for a clip that cannot be used. Encoded sound of all of them is held."""
        keys = [(clip.shard, clip.key) for clip in clips]
        wanted = {key for key in keys if key not in self._cache and key not in self._faults}
        samples: dict[tuple[int, str], Sample] = {}
        if wanted:
            places = sorted({place for place, _ in wanted})
            samples = {(place, sample.key): sample for place, sample in read_shards(self._clips, places, wanted)}
        for clip, key in zip(clips, keys, strict=True):
            decoded = self._cache.get(key) or (self._decode(key, samples.pop(key)) if key in samples else None)
            if decoded is None:
                yield None
                continue
            said = decoded.captions
            caption = said[0] if epoch is None else draw_caption(said, epoch, clip.number)
            yield Example(clip, decoded.features, caption, said, decoded.scores)

    def _decode(self, key: tuple[int, str], sample: Sample) -> _Decoded | None:
        try:
            sound = sound_of(sample)
        except MediaError as error:
            self._faults[key] = f"cannot be decoded: {error.reason}"
            return None
        if sound.duration_s > self._spec.window_s + 1e-3:
            # Its caption may be about what the model would not hear.
            self._faults[key] = f"longer than the {self._spec.window_s:g} s that the model hears"
            return None
        features = log_mel(sound.samples, self._spec)
        decoded = _Decoded(features, captions_of(sample.facts, self._recipe.caption_fields), scores_of(sample))
        if features.nbytes <= self._room:
            self._room -= features.nbytes
            self._cache[key] = decoded
        return decoded


def _by_shard(clips: Sequence[Clip]) -> dict[int, list[Clip]]:
    found: dict[int, list[Clip]] = defaultdict(list)
    for clip in clips:
        found[clip.shard].append(clip)
    return found
