"""How a captioner is trained, as one checked record; `recipes/captioner.toml` is such a recipe in words."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from emonet.errors import UnknownNameError, UsageError


@dataclass(frozen=True, slots=True)
class CaptionerRecipe:
    """Settings of `train_captioner`. Defaults follow the published fine-tuning of BUD-E Whisper V1.2 where it is known.

    seed: of everything drawn. epochs: passes over the clips. batch: clips in memory at once; accumulation: batches to
    one step of the optimiser. learning_rate: the highest; warmup: share of the steps in which it rises, after which it
    falls along a cosine. weight_decay: of AdamW. clip_norm: gradients are scaled down to this norm. precision: "auto"
    is bfloat16 where the graphics card has it, else float32; weights stay float32. spec_augment: mask time and mel
    bands, with `mask_time` and `mask_mels` the shares Whisper's own masking draws starts with. dropout: in every layer.
    freeze_encoder: train the decoder alone (heads on the encoder stay valid).

    language: token of the prompt. caption_fields: facts of a sample that hold a caption, or a list of them; each epoch
    draws one anew. group_field: clips of one value are all for training or all for validation; where a clip lacks it,
    its speaker as its release names it, or the recording it was cut from, counts (empty: every clip is its own group).
    validation: share of the clips to hold out, unless the fact `split` says it. mix_shards: shards that are shuffled
    together. cache_mb: memory for features that need not be computed again. checkpoint_steps: a checkpoint is written
    after so many steps. evaluate_clips: held-out clips whose captions are measured.
    """

    seed: int = 0
    epochs: int = 2
    batch: int = 8
    accumulation: int = 1
    learning_rate: float = 1e-5
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    spec_augment: bool = True
    mask_time: float = 0.05
    mask_mels: float = 0.05
    dropout: float = 0.0
    freeze_encoder: bool = False
    language: str = "en"
    caption_fields: tuple[str, ...] = ("captions", "caption")
    group_field: str = "speaker"
    validation: float = 0.05
    mix_shards: int = 4
    cache_mb: int = 1024
    checkpoint_steps: int = 1000
    evaluate_clips: int = 64

    def __post_init__(self) -> None:
        rules = (
            (self.epochs >= 1, "epochs", "1 or more"),
            (self.batch >= 1, "batch", "1 or more"),
            (self.accumulation >= 1, "accumulation", "1 or more"),
            (0 < self.learning_rate < 1, "learning_rate", "between 0 and 1"),
            (0 <= self.warmup < 1, "warmup", "0 or more, below 1"),
            (self.weight_decay >= 0, "weight_decay", "0 or more"),
            (self.clip_norm > 0, "clip_norm", "above 0"),
            (self.precision in ("auto", "float32", "bfloat16"), "precision", "'auto', 'float32' or 'bfloat16'"),
            (0 <= self.mask_time < 1, "mask_time", "0 or more, below 1"),
            (0 <= self.mask_mels < 1, "mask_mels", "0 or more, below 1"),
            (0 <= self.dropout < 1, "dropout", "0 or more, below 1"),
            (len(self.caption_fields) > 0, "caption_fields", "at least one name"),
            (0 <= self.validation < 1, "validation", "0 or more, below 1"),
            (self.mix_shards >= 1, "mix_shards", "1 or more"),
            (self.cache_mb >= 0, "cache_mb", "0 or more"),
            (self.checkpoint_steps >= 1, "checkpoint_steps", "1 or more"),
            (self.evaluate_clips >= 0, "evaluate_clips", "0 or more"),
        )
        for kept, name, expected in rules:
            if not kept:
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected {expected}.")

    def facts(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return {**asdict(self), "caption_fields": list(self.caption_fields)}


def read_captioner_recipe(path: str | Path) -> CaptionerRecipe:
    """The recipe of a TOML file. Raises `UsageError` for a file that is none, and for unknown or wrong settings."""
    try:
        said: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the recipe ({error.strerror}). Pass a copy of recipes/captioner.toml."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not a valid TOML file ({error}). Compare it with recipes/captioner.toml.") from error
    known = {one.name: type(one.default) for one in fields(CaptionerRecipe)}
    for name, value in said.items():
        if name not in known:
            raise UnknownNameError("recipe setting", name, known)
        wanted: type = list if known[name] is tuple else known[name]
        fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise UsageError(f"{path}: {name} is {value!r}; expected a value like {wanted.__name__}.")
    if "caption_fields" in said:
        said["caption_fields"] = tuple(map(str, said["caption_fields"]))
    return CaptionerRecipe(**said)
