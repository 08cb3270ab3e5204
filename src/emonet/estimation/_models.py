"""A face model and a voice model side by side, each loaded when a file first needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emonet.errors import BundleError, UnreadableMediaError, UsageError
from emonet.estimation._estimate import Estimates, union_dimensions
from emonet.estimation._estimator import Estimator, describe_regions, load
from emonet.estimation._files import stream_files, worker_count
from emonet.estimation._inputs import expand_inputs
from emonet.estimation._pieces import FaceOptions, VoiceOptions
from emonet.media import kind_of
from emonet.models import Card, read_card, resolve_model
from emonet.taxonomy import Modality

_NEEDS: Mapping[str, tuple[Modality, ...]] = {"image": ("face",), "audio": ("voice",), "video": ("face", "voice")}


class Estimators:
    """Up to two estimators, chosen per file by what the file is: pictures go to the face model, recordings to the
    voice model, videos to both.

    `names`: modality → any name that `load` takes. `options`: passed to `load`. With one model only, every file goes
    to it. Nothing is loaded before a file needs it. `workers`: see `stream_files`. Several threads may ask at once.
    """

    def __init__(
        self, names: Mapping[Modality, str | Path] | None = None, *, workers: int | None = None, **options: Any
    ) -> None:
        self.names: dict[Modality, str | Path] = dict(names or {"face": "face", "voice": "voice"})
        self.workers = worker_count(workers)
        self._options = options
        self._loading = threading.Lock()
        self._loaded: dict[Modality, Estimator] = {}

    @classmethod
    def from_names(cls, models: Sequence[str], **options: Any) -> Estimators:
        """From `--model` values: `face=NAME` and `voice=NAME` replace one embedded model; bare names are used alone.

        Raises `UsageError` when two names are for one modality or both forms are mixed.
        """
        names: dict[Modality, str | Path] = {}
        bare = [text for text in models if text.partition("=")[0] not in ("face", "voice") or "=" not in text]
        if bare and len(bare) != len(models):
            raise UsageError("Give models either as face=NAME and voice=NAME, or as bare names, not both.")
        for text in models:
            name = text if bare else text.partition("=")[2]
            actual = _card(name).modality
            modality = actual if bare else text.partition("=")[0]
            if modality != actual:
                raise UsageError(f"{name!r} judges {actual}s, but was given for {modality}s.")
            if actual in names:
                raise UsageError(f"Two {actual} models were given, {str(names[actual])!r} and {name!r}; give one.")
            names[actual] = name
        defaults: dict[Modality, str | Path] = {} if bare else {"face": "face", "voice": "voice"}
        return cls(defaults | names, **options)

    def __call__(self, path: Path) -> Sequence[Estimator]:
        """Estimators for one file; `UnreadableMediaError` when it is no image, audio or video."""
        kind = kind_of(path)
        if kind is None:
            raise UnreadableMediaError(str(path), "not an image, audio or video file that emonet knows")
        wanted = [modality for modality in _NEEDS[kind] if modality in self.names] or list(self.names)
        return [self._estimator(modality) for modality in wanted]

    @property
    def loaded(self) -> tuple[Estimator, ...]:
        """Estimators that some file has needed so far."""
        return tuple(self._loaded.values())

    @property
    def cards(self) -> dict[str, Card]:
        """Cards of the models that files may need, by id, read without loading a model.

        With two models an absent one is left out: the other may be all that is needed, and loading it would say
        what is wrong.
        """
        found: dict[str, Card] = {}
        for name in self.names.values():
            try:
                card = _card(name)
            except BundleError:
                if len(self.names) == 1:
                    raise
            else:
                found[card.id] = card
        return found

    def dimensions(self) -> tuple[str, ...]:
        """Dimensions that rows may have, in the tables' order."""
        return union_dimensions(card.dimensions for card in self.cards.values())

    def describe(self) -> dict[str, str]:
        """Model id → one sentence on what becomes a row of its results."""
        face = FaceOptions(**{k: v for k, v in self._options.items() if k in FaceOptions.__slots__})
        voice = VoiceOptions(**{k: v for k, v in self._options.items() if k in VoiceOptions.__slots__})
        return {name: describe_regions(card, face, voice) for name, card in self.cards.items()}

    def _estimator(self, modality: Modality) -> Estimator:
        with self._loading:
            if modality not in self._loaded:
                self._loaded[modality] = load(self.names[modality], workers=self.workers, **self._options)
            return self._loaded[modality]


def estimate_files(
    paths: Iterable[str | Path],
    *,
    models: Mapping[Modality, str | Path] | None = None,
    recursive: bool = True,
    workers: int | None = None,
    **options: Any,
) -> Iterator[Estimates]:
    """Faces and voices of many files, one `Estimates` per file as soon as it is complete; what the command does.

    `paths`: files, folders and patterns. `models`: see `Estimators`; `workers`: see `stream_files`; `options`: those
    of `load`.
    """
    estimators = Estimators(models, workers=workers, **options)
    yield from stream_files(expand_inputs(paths, recursive=recursive), estimators, workers=estimators.workers)


def _card(name: str | Path) -> Card:
    return read_card(resolve_model(name))
