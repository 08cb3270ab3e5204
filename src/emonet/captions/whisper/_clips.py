"""The clips of shards that can be trained on: who is held out, and what is left out and why."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.datasets import Sample, Shard, describe, list_shards, read_samples
from emonet.errors import UsageError
from emonet.media import Audio, read_audio


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a shard. `number`: a stable number of its key, for seeds; `group`: who or what it comes from."""

    shard: int
    key: str
    group: str
    number: int


@dataclass(frozen=True, slots=True)
class Clips:
    """What there is to train on. `left_out`: reason → number of samples."""

    shards: tuple[Shard, ...]
    training: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    left_out: Mapping[str, int]

    def signature(self) -> str:
        """Changes when the clips or their halves do."""
        lines = [f"{clip.shard} {clip.key}" for half in (self.training, self.validation) for clip in (*half, _END)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_END = Clip(-1, "", "", 0)


def list_clips(data: Sequence[str], recipe: CaptionerRecipe) -> Clips:
    """Read every shard once. Raises `UsageError` when nothing can be trained on."""
    shards = list_shards(data)
    clips: list[Clip] = []
    splits: list[str] = []
    left_out: Counter[str] = Counter()
    for place, shard in enumerate(shards):
        for sample in read_samples(shard.address):
            if reason := _fault(sample, recipe):
                left_out[reason] += 1
                continue
            clips.append(Clip(place, sample.key, _group(sample, place, recipe), clip_number(sample.key)))
            splits.append(str(sample.facts.get("split", "")))
    held = _held_out(clips, splits, recipe)
    training = tuple(clip for clip, out in zip(clips, held, strict=True) if not out)
    validation = tuple(clip for clip, out in zip(clips, held, strict=True) if out)
    if not training:
        said = "; ".join(f"{count} {reason}" for reason, count in left_out.items()) or "the shards are empty"
        raise UsageError(
            f"No clip to train on in {', '.join(data)} ({said}). Expected sound files with captions under "
            f"{' or '.join(recipe.caption_fields)}."
        )
    return Clips(shards, training, validation, dict(left_out))


def captions_of(facts: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """The captions under these names, each once; a value is a text or a list of texts."""
    said = [facts.get(name) for name in names]
    flat = [text for value in said for text in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(text.strip() for text in flat if isinstance(text, str) and text.strip()))


def clip_number(key: str) -> int:
    """A number below 2**48 that only the key decides."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6])


def read_shards(clips: Clips, places: Sequence[int], wanted: set[tuple[int, str]]) -> Iterator[tuple[int, Sample]]:
    """The wanted samples of some shards, each with its shard's place."""
    for place in places:
        for sample in read_samples(clips.shards[place].address):
            if (place, sample.key) in wanted:
                yield place, sample


def sound_of(sample: Sample) -> Audio:
    """The sample's sound; raises `MediaError` when it cannot be decoded."""
    # Decoders of some containers read files only.
    with tempfile.TemporaryDirectory(prefix="emonet-clip-") as folder:
        path = Path(folder) / f"clip.{sample.extension or 'wav'}"
        path.write_bytes(sample.media or b"")
        audio = read_audio(path)
    return Audio(audio.samples, sample.key)


def scores_of(sample: Sample) -> dict[str, float]:
    """The emotion scores among a sample's facts: those of `emonet bulk captions`, a fact `scores`, or a release's.

    Empty when there are none.
    """
    for said in (_about(sample).get("scores"), sample.facts.get("scores")):
        if isinstance(said, Mapping):
            return {str(name): float(value) for name, value in said.items() if isinstance(value, int | float)}
    return dict(describe(sample).scores)


def _about(sample: Sample) -> Mapping[str, Any]:
    about = sample.facts.get("emonet")
    return about if isinstance(about, Mapping) else {}


def _group(sample: Sample, place: int, recipe: CaptionerRecipe) -> str:
    """Who or what a clip comes from: the recipe's field, the release's speaker, or the recording it was cut from."""
    if recipe.group_field:
        said = sample.facts.get(recipe.group_field) or describe(sample).speaker or _about(sample).get("recording")
        if said:
            return str(said)
    return f"{place}/{sample.key}"


def _fault(sample: Sample, recipe: CaptionerRecipe) -> str:
    if sample.problem:
        return "with a problem: " + sample.problem.split(";")[0][:80]
    if sample.media is None or sample.modality == "face":
        return "without sound"
    return "" if captions_of(sample.facts, recipe.caption_fields) else "without a caption"


def _held_out(clips: Sequence[Clip], splits: Sequence[str], recipe: CaptionerRecipe) -> list[bool]:
    """Whether each clip is held out: as its fact `split` says, else whole groups in a seeded order."""
    if any(splits):
        return [split in ("validation", "valid", "val", "dev", "test") for split in splits]
    size = Counter(clip.group for clip in clips)
    order = sorted(size, key=lambda group: hashlib.sha256(f"{recipe.seed} {group}".encode()).digest())
    wanted, chosen, count = recipe.validation * len(clips), set[str](), 0
    for group in order[:-1]:  # one group at least remains
        if count >= wanted:
            break
        chosen.add(group)
        count += size[group]
    return [clip.group in chosen for clip in clips]
