"""What is done with every sample of a run: chosen once, the same for every worker and after every resumption."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from emonet.errors import UnknownNameError, UsageError
from emonet.estimation import Estimator, FaceOptions, Values, VoiceOptions, load
from emonet.models import Card, Computed, Runtime, read_card, resolve_model
from emonet.taxonomy import Modality

FORMAT = 1
_WHERE_ONLY = ("model",)  # the same weights may lie elsewhere next time


@dataclass(frozen=True, slots=True)
class Settings:
    """One model and how it is used.

    `model`: name, folder or Hub id as workers load it; `id`, `revision`, `modality`: what its card says. `runtime`,
    `precision`: never "auto", which could mean something else on another machine. `threads`: of one call of the
    encoder. `values`: what the columns hold, as in `Estimate.to_row`. `regions`: keep every face or window beside the
    row's mean. `enrich`: also write a tar with each sample's media, facts and scores. `captions`: sentences on each
    face or window, 0 for none; the first is in the template `caption_template`, further ones in others, and words
    follow from `caption_seed`, the key and the window; `caption_baseline` is what is usual for the model, as JSON text,
    empty for the package's own. `segments`: also write a tar with each window of a recording as a clip. `detector`: of
    faces.
    """

    model: str
    id: str
    revision: str
    modality: Modality
    runtime: Runtime
    precision: Computed
    threads: int = 1
    batch_size: int | None = None
    values: Values = "relative"
    regions: bool = True
    enrich: bool = False
    captions: int = 0
    caption_template: str = "default"
    caption_seed: int = 0
    caption_baseline: str = ""
    segments: bool = False
    detector: str = "embedded"
    face: FaceOptions = field(default_factory=FaceOptions)
    voice: VoiceOptions = field(default_factory=VoiceOptions)

    def open(self, *, workers: int = 1, runtime: Runtime | None = None) -> Estimator:
        """Load the model. `workers`: threads that decode and score; `runtime`: another one, as on a graphics card.

        Raises `ModelError` when the model is not at hand here or is another revision than the run's.
        """
        estimator = load(
            self.model,
            threads=self.threads,
            workers=workers,
            runtime=runtime or self.runtime,
            precision=self.precision,
            batch_size=self.batch_size,
            detector=self.detector,
            **asdict(self.face),
            **asdict(self.voice),
        )
        self.check(estimator.card)
        return estimator

    def check(self, card: Card) -> None:
        """Raise `UsageError` unless `card` is of the model that the run was begun with."""
        if (card.id, card.revision) != (self.id, self.revision):
            raise UsageError(
                f"The model {self.model!r} is {card.id} revision {card.revision} here; the run was begun with "
                f"{self.id} revision {self.revision}. Give every machine the same model."
            )

    def to_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, source: str) -> Settings:
        """Read what `to_json` wrote; `source` names the file in the `UsageError` for anything else."""
        try:
            content = json.loads(text)
            if content.pop("format") != FORMAT:
                raise KeyError("format")
            content["face"] = FaceOptions(**content["face"])
            content["voice"] = VoiceOptions(**content["voice"])
            return cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{source}: not the settings of a run that this version writes ({error}). Choose another output."
            ) from error

    def differences(self, other: Settings) -> Mapping[str, tuple[Any, Any]]:
        """Settings on which the rows may depend and in which `other` differs: name → (own, other's)."""
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return {name: pair for name, pair in pairs.items() if name not in _WHERE_ONLY and pair[0] != pair[1]}


def choose_settings(
    model: str | Path,
    *,
    runtime: Runtime = "auto",
    precision: Computed = "auto",
    threads: int = 1,
    batch_size: int | None = None,
    values: Values = "relative",
    regions: bool = True,
    enrich: bool = False,
    captions: int = 0,
    caption_template: str = "default",
    caption_seed: int = 0,
    caption_baseline: str | Path | None = None,
    segments: bool = False,
    detector: str = "embedded",
    whole_image: bool = False,
    max_faces: int | None = None,
    min_face_px: float = 24.0,
    fps: float = 2.0,
    whole_audio: bool = False,
    window_s: float | None = None,
) -> Settings:
    """Settings for `model`, with "auto" replaced by what it means on this machine.

    The options are those of `emonet.load` and fields of `Settings`. Raises `ModelError` when the model is not at hand,
    `UsageError` for an option out of range.
    """
    from emonet.models._remembered import choose  # what `emonet doctor` found, which loading a model asks too

    if threads < 1:
        raise UsageError(f"threads is {threads}; expected 1 or more.")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch_size is {batch_size}; expected 1 or more.")
    folder = resolve_model(model)
    card = read_card(folder)
    _check_captions(captions, caption_template, segments, card)
    chosen = choose(card, runtime, precision)
    return Settings(
        model=str(folder.resolve()) if Path(model).is_dir() else str(model),
        id=card.id,
        revision=card.revision,
        modality=card.modality,
        runtime=chosen.runtime,
        precision=chosen.precision,
        threads=threads,
        batch_size=batch_size,
        values=values,
        regions=regions,
        enrich=enrich,
        captions=captions,
        caption_template=caption_template,
        caption_seed=caption_seed,
        caption_baseline=_baseline(caption_baseline, card) if captions else "",
        segments=segments,
        detector=detector,
        face=FaceOptions(whole_image=whole_image, max_faces=max_faces, min_face_px=min_face_px, fps=fps),
        voice=VoiceOptions(window_s=window_s, whole_audio=whole_audio),
    )


def _check_captions(captions: int, template: str, segments: bool, card: Card) -> None:
    from emonet.captions import TEMPLATES

    if not 0 <= captions <= len(TEMPLATES):
        raise UsageError(f"captions is {captions}; expected 0 to {len(TEMPLATES)}, one for each template at most.")
    if template not in TEMPLATES:
        raise UnknownNameError("template of captions", template, list(TEMPLATES))
    if segments and card.modality != "voice":
        raise UsageError(f"segments are windows of recordings; {card.id} is a model for {card.modality}s.")


def _baseline(given: str | Path | None, card: Card) -> str:
    """The baseline as text, so that workers elsewhere need no file; empty for one of the package."""
    from emonet.captions import baseline_of_model, read_baseline

    if given is None:
        baseline_of_model(card.id, card.modality, card.dimensions)
        return ""
    read_baseline(given)  # raises for what is none
    return Path(given).read_text(encoding="utf-8") if Path(given).is_file() else str(given)
