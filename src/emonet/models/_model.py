"""A loaded bundle: arrays in, scores out.

Shapes: n items, d dimensions, E embedding size, T frames, S samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import ModelError, UsageError
from emonet.models._bundle import check_bundle
from emonet.models._card import AudioPreprocessing, Card, ImagePreprocessing
from emonet.models._heads import Heads, pool
from emonet.models._logmel import log_mel
from emonet.models._pictures import network_input
from emonet.models._remembered import choose
from emonet.models._session import Computed, Runtime, Session, open_session
from emonet.taxonomy import known_emotions

_BATCH = 16  # items whose encoder output is held at once; the heads' weights are read once per batch
_INPUT_BYTES = 32 * 1024 * 1024  # most input given to the encoder at once
_SAMPLE_BYTES = 4 * 1024 * 1024  # the same of samples, over which attention needs memory as the square of their length


class ScoreRangeWarning(UserWarning):
    """Raw scores lie far outside the model's scale; the input is probably not prepared as the heads expect."""


class Model:
    """An encoder and its heads. Safe to call from several threads at once.

    `card`: what the model is; `session`: the encoder's runtime; `dimensions`: names of the columns of all scores.
    """

    def __init__(self, folder: Path, card: Card, session: Session, heads: Heads) -> None:
        self.folder, self.card, self.session = folder, card, session
        self.dimensions = card.dimensions
        self._heads = heads
        self._columns = [card.dimensions.index(dimension) for dimension in self._heads.dimensions]

    def __repr__(self) -> str:
        judged = len(self._heads.dimensions)
        return f"Model({self.card.id!r}, revision {self.card.revision}, {judged} of {len(self.dimensions)} dimensions)"

    def embed(self, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """What the encoder makes of each item, float32 [n, E].

        `items` as in `raw_scores`. Of an encoder that gives a sequence [T, E] it is the mean over time.
        """
        rows = [x if x.ndim == 2 else x.mean(axis=1) for x in self.encoded(items)]
        return np.concatenate(rows) if rows else np.zeros((0, self.card.encoder.size), np.float32)

    def raw_scores(self, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Raw scores float32 [n, d] on the card's scale, not clipped; NaN for dimensions without a head.

        `items`: face crops uint8 [h, w, 3] RGB, or clips float32 [S], 16 kHz mono. Memory does not grow with n.
        Raises `UsageError` for an item of another kind; warns with `ScoreRangeWarning` when a score is far outside
        the scale.
        """
        return self._scored(self.encoded(items), len(items))

    def score_embeddings(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw scores float32 [n, d] of stored embeddings, as `embed` gives them, without the encoder.

        Only for models whose heads read an embedding [n, E]; `UsageError` for others and for another size.
        """
        x = np.asarray(embeddings, np.float32)
        if self.card.encoder.output != "embedding":
            raise UsageError(f"{self.card.id} reads whole sequences, of which an embedding is only the mean over time.")
        if x.ndim != 2 or x.shape[1] != self.card.encoder.size:
            raise UsageError(f"Embeddings {list(x.shape)}; expected [n, {self.card.encoder.size}] for {self.card.id}.")
        return self._scored((x[start : start + 1024] for start in range(0, len(x), 1024)), len(x))

    def _scored(self, encoded: Iterable[NDArray[np.float32]], n: int) -> NDArray[np.float32]:
        out = np.full((n, len(self.dimensions)), np.nan, np.float32)
        start = 0
        for part in encoded:
            out[start : start + len(part), self._columns] = self._heads.scores(self._head_inputs(part))
            start += len(part)
        self._check_range(out)
        return out

    def relative(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw scores minus the model's mean on neutral faces or voices, float32 [n, d].

        NaN where that mean is unknown. A model without any neutral means, as LAION's for voice, is its own reference:
        its raw scores come back unchanged.
        """
        return np.asarray(raw, np.float32) - self._neutral

    def softmax(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Softmax of the relative scores over the emotions that the model judges, float32 [n, d].

        Temperature 1, as in LAION's reference notebooks; attributes and unknown dimensions are NaN. The values sum to
        1 and so rank emotions within one item; they are not probabilities of being present.
        """
        relative = np.where(self._is_emotion, self.relative(raw), np.nan).astype(np.float64)
        known = ~np.isnan(relative)
        shifted = np.where(known, relative, -np.inf)
        peak = shifted.max(axis=1, keepdims=True, initial=-np.inf)
        power = np.exp(shifted - np.where(np.isfinite(peak), peak, 0))
        total = power.sum(axis=1, keepdims=True)
        return np.where(known, power / np.where(total > 0, total, 1), np.nan).astype(np.float32)

    def calibrated(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability 0..1 of what the calibration's `data` names, float32 [n, d]; NaN without a calibration."""
        raw = np.asarray(raw, np.float32)
        out = np.full(raw.shape, np.nan, np.float32)
        for column, dimension in enumerate(self.dimensions):
            if fitted := self.card.calibration.get(dimension):
                # np.interp would give NaN for a NaN anyway, but only by accident of its search.
                known = ~np.isnan(raw[:, column])
                out[known, column] = np.interp(raw[known, column], fitted.x, fitted.y)
        return out

    @cached_property
    def _neutral(self) -> NDArray[np.float32]:
        means = self.card.neutral_means
        default = np.nan if means else 0.0
        return np.array([means.get(dimension, default) for dimension in self.dimensions], np.float32)

    @cached_property
    def _is_emotion(self) -> NDArray[np.bool_]:
        emotions = {emotion.key for emotion in known_emotions()}
        return np.array([dimension in emotions for dimension in self.dimensions])

    def encoded(self, items: Sequence[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Encoder output of up to `_BATCH` items at a time, in order: float32 [m, E] or [m, T, E]; `items` as in
        `raw_scores`."""
        pending: list[NDArray[np.float32]] = []
        for part in self._encoder_calls(items):
            encoded = self.session(part)
            if encoded.ndim == 2:
                if self.card.encoder.l2_normalize:
                    encoded = encoded / np.maximum(np.linalg.norm(encoded, axis=1, keepdims=True), 1e-12)
                yield encoded
                continue
            # The heads of a sequence are as costly as the encoder unless several clips share their weights.
            pending.append(encoded)
            if sum(map(len, pending)) >= _BATCH:
                yield np.concatenate(pending)
                pending = []
        if pending:
            yield np.concatenate(pending)

    def _encoder_calls(self, items: Sequence[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Prepared inputs, neighbours of equal shape stacked; nothing is padded to fit."""
        spec = self.card.preprocessing
        of_samples = isinstance(spec, AudioPreprocessing) and spec.front_end == "waveform"
        most = _SAMPLE_BYTES if of_samples else _INPUT_BYTES
        batch: list[NDArray[np.float32]] = []
        for index, item in enumerate(items):
            prepared = self.prepare(item, index)
            full = len(batch) >= _BATCH or (len(batch) + 1) * prepared.nbytes > most
            if batch and (full or prepared.shape != batch[0].shape):
                yield np.stack(batch)
                batch = []
            # Batching gains nothing for an encoder over a whole sequence and would only hold more memory.
            batch.append(prepared)
            if self.card.encoder.output == "sequence":
                yield np.stack(batch)
                batch = []
        if batch:
            yield np.stack(batch)

    def prepare(self, item: NDArray[Any], index: int = 0) -> NDArray[np.float32]:
        """What the encoder reads of one item: pixels [channels, height, width], log-mel [bands, frames] or
        samples [S].

        `index`: the item's number, for the message when it is of another kind (`UsageError`).
        """
        array, spec = self.checked(item, index), self.card.preprocessing
        if isinstance(spec, ImagePreprocessing):
            return network_input(array, spec)
        return log_mel(array, spec)

    def checked(self, item: NDArray[Any], index: int = 0) -> NDArray[Any]:
        """The item itself, uint8 [h, w, 3] or float32 [S]; `UsageError` when it is of another kind."""
        array, spec = np.asarray(item), self.card.preprocessing
        if isinstance(spec, ImagePreprocessing):
            if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
                raise _wrong_item(index, array, "uint8 [height, width, 3] RGB")
            return array
        assert isinstance(spec, AudioPreprocessing)
        if not np.issubdtype(array.dtype, np.floating) or array.ndim != 1 or not len(array):
            raise _wrong_item(index, array, "float32 [samples], 16 kHz mono, at least one sample")
        if not np.isfinite(array).all():
            raise UsageError(f"Item {index}: the samples hold NaN or infinity; expected numbers within -1..1.")
        return np.ascontiguousarray(array, np.float32)

    def _head_inputs(self, encoded: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        if encoded.ndim == 2:
            return {"embedding": encoded}
        wanted = self._heads.inputs
        inputs: dict[str, NDArray[np.float32]] = {}
        if "sequence" in wanted:
            inputs["sequence"] = encoded.reshape(len(encoded), -1)  # time-major
        if "pooled" in wanted:
            inputs["pooled"] = pool(encoded)
        return inputs

    def _check_range(self, raw: NDArray[np.float32]) -> None:
        """Twice the scale and one more: 15 on the scale 0..7, which LAION's face heads pass on raw embeddings."""
        for column in self._columns:
            dimension = self.dimensions[column]
            scale = self.card.scale.get(dimension) or self.card.scale.get("*")
            if scale is None or not len(raw):
                continue
            limit = 2 * max(abs(scale.low), abs(scale.high)) + 1
            if (extreme := float(np.abs(raw[:, column]).max())) > limit:
                warnings.warn(
                    f"{self.card.id}: {dimension} reaches |{extreme:.3g}| on a scale of {scale.low:g} to "
                    f"{scale.high:g}. Scores so large mean that the encoder's output is not prepared as the heads "
                    f"expect (L2 normalisation is {'on' if self.card.encoder.l2_normalize else 'off'}), or that "
                    "encoder and heads do not belong together. Convert again with the other setting and compare.",
                    ScoreRangeWarning,
                    stacklevel=4,
                )
                return


def open_model(
    folder: Path, *, threads: int | None = None, runtime: Runtime = "auto", precision: Computed = "auto"
) -> Model:
    """Check every file of a bundle against its card, then load it.

    `threads`: threads of one encoder call, None for the runtime's choice. Raises `BundleError` when the bundle is
    incomplete or altered, `ModelError` when it has no such precision or `verify` found that precision too coarse.
    """
    card = check_bundle(folder)
    runtime, precision, remembered = choose(card, runtime, precision)
    threads = threads or remembered
    tier = card.tier(precision)
    if tier is not None and tier.check is not None and not tier.check.passed:
        raise ModelError(
            f"{card.id} at {precision}: verify refused it. On {tier.check.items} items the order of {tier.check.worst} "
            f"agrees with fp32's by {tier.check.rank_correlation:.4f} only. Use another precision, or make the tier "
            "again with more files to calibrate on."
        )
    return open_tier(folder, card, runtime=runtime, precision=precision, threads=threads)


def open_tier(folder: Path, card: Card, *, runtime: Runtime, precision: Computed, threads: int | None = None) -> Model:
    """Load a checked bundle at one precision, whatever was found about it. `ModelError` when it lacks the tier."""
    if runtime == "torch":
        from emonet.models._torch_model import TorchModel

        return TorchModel(folder, card, precision=precision)
    tier = card.tier(precision)
    if tier is None and precision in ("int8-weights", "int8"):
        has = ", ".join(("fp32", *(tier.precision for tier in card.tiers)))
        raise ModelError(
            f"{card.id} has no precision {precision!r}, only {has}. Make it with `emonet models quantize {card.id} "
            f"--precision {precision}`."
        )
    heads = (tier and tier.heads) or card.heads
    session = open_session(
        folder / ((tier and tier.encoder) or card.encoder.file),
        output=card.encoder.output,
        runtime=runtime,
        precision=precision,
        threads=threads,
    )
    opened = Heads(folder / heads.file, heads.groups, runtime=runtime, precision=precision, threads=threads)
    return Model(folder, card, session, opened)


def _wrong_item(index: int, array: NDArray[Any], expected: str) -> UsageError:
    return UsageError(f"Item {index}: {array.dtype} {list(array.shape)}; expected {expected}.")
