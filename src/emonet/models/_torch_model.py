"""A bundle on a graphics card: host prepares and pins the next batch while the card computes this one.

Shapes: n items, B items of a batch, S samples, d dimensions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError, require
from emonet.models._card import AudioPreprocessing, Card
from emonet.models._model import Model
from emonet.models._session import Computed
from emonet.models._torch_encoder import load_torch_encoder
from emonet.models._torch_heads import TorchHeads
from emonet.models._torch_mel import batch_log_mel

_SAMPLE_RATE = 16_000
_BATCH = {"face": 64, "voice": 32}
_AHEAD = 2  # batches prepared before the card asks for them
_log = logging.getLogger("emonet")


class TorchModel(Model):
    """`Model` with encoder and heads in PyTorch. `device`: "cuda", "cuda:1", "cpu"; None takes a card when there is
    one. `batch`: items computed together, None for 64 faces or 32 clips.

    On a card full batches run as one CUDA graph. One `TorchModel` is for one thread at a time.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        *,
        precision: Computed = "bf16",
        device: str | None = None,
        batch: int | None = None,
        graphs: bool = True,
    ) -> None:
        torch = require("torch", extra="torch", feature="The runtime torch")
        kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
        if precision not in kinds:
            raise UsageError(f"The runtime torch computes in fp32 or bf16, not {precision}.")
        self._torch, self._dtype = torch, kinds[precision]
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._encoder = load_torch_encoder(folder, card, device=self.device, dtype=self._dtype)
        session = _Described(f"torch {torch.__version__} {precision} on {self.device}", self._embedded)
        self._all = TorchHeads(folder / card.heads.file, card.heads.groups, device=self.device, dtype=self._dtype)
        heads: Any = self._all  # has what Model asks of heads, on the device
        super().__init__(folder, card, session, heads)
        self._batch = batch or _BATCH[card.modality]
        self._graph: Callable[[Any], Any] | None = None
        self._graphs = graphs and self.device.type == "cuda"

    def raw_scores(self, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """As `Model.raw_scores`; one wait for the card per batch."""
        torch = self._torch
        out = np.full((len(items), len(self.dimensions)), np.nan, np.float32)
        start = 0
        with torch.inference_mode():
            waiting: tuple[int, Any] | None = None
            for batch in self._batches(items):
                found = self._compute(batch)
                if waiting is not None:  # the card is busy with this batch while the last one is copied out
                    self._place(out, *waiting)
                waiting, start = (start, found), start + len(batch)
            if waiting is not None:
                self._place(out, *waiting)
        self._check_range(out)
        return out

    def embed(self, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """As `Model.embed`."""
        rows = []
        with self._torch.inference_mode():
            for batch in self._batches(items):
                encoded = self._encode(batch.to(self.device, non_blocking=True))
                rows.append((encoded if encoded.ndim == 2 else encoded.mean(dim=1)).float().cpu().numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.card.encoder.size), np.float32)

    def _scored(self, encoded: Iterable[NDArray[np.float32]], n: int) -> NDArray[np.float32]:
        """Stored embeddings through the heads alone."""
        torch = self._torch
        with torch.inference_mode():
            parts = [self._all.scores(torch.from_numpy(part).to(self.device)).cpu().numpy() for part in encoded]
        out = np.full((n, len(self.dimensions)), np.nan, np.float32)
        if parts:
            out[:, self._columns] = np.concatenate(parts)
        return out

    def _place(self, out: NDArray[np.float32], start: int, found: Any) -> None:
        out[start : start + len(found), self._columns] = found.cpu().numpy()

    def _compute(self, batch: Any) -> Any:
        """Scores [B, H] on the device of a batch on the host."""
        x = batch.to(self.device, non_blocking=True)
        if not self._graphs or len(x) != self._batch:
            return self._whole(x)
        if self._graph is None:
            try:
                self._graph = self._torch.cuda.make_graphed_callables(self._whole, (x.clone(),))
            except RuntimeError as error:
                _log.warning("%s: no CUDA graph (%s); computing without", self.card.id, error)
                self._graphs = False
                return self._whole(x)
        assert self._graph is not None
        return self._graph(x).clone()

    def _whole(self, x: Any) -> Any:
        return self._all.scores(self._encode(x))

    def _encode(self, x: Any) -> Any:
        spec = self.card.preprocessing
        if isinstance(spec, AudioPreprocessing) and x.ndim == 2:
            x = batch_log_mel(x, n_mels=spec.n_mels)
        encoded = self._encoder(x.to(self._dtype))
        if encoded.ndim == 2 and self.card.encoder.l2_normalize:
            encoded = self._torch.nn.functional.normalize(encoded.float(), dim=1, eps=1e-12)
        return encoded

    def _embedded(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The encoder alone on prepared input [n, ...]."""
        with self._torch.inference_mode():
            return np.asarray(self._encode(self._torch.from_numpy(x).to(self.device)).float().cpu().numpy())

    def _batches(self, items: Sequence[NDArray[Any]]) -> Iterator[Any]:
        """Batches on the host, pinned, in order; the next ones are made in a thread while this one is computed."""
        starts = range(0, len(items), self._batch)
        with ThreadPoolExecutor(1) as pool:
            pending = [pool.submit(self._stacked, items, start) for start in starts[:_AHEAD]]
            for start in starts[_AHEAD:]:
                yield pending.pop(0).result()
                pending.append(pool.submit(self._stacked, items, start))
            for future in pending:
                yield future.result()

    def _stacked(self, items: Sequence[NDArray[Any]], start: int) -> Any:
        """One batch: padded samples [B, S] for Whisper's front end, which the device computes, else prepared input."""
        spec = self.card.preprocessing
        part = items[start : start + self._batch]
        if isinstance(spec, AudioPreprocessing) and spec.front_end == "whisper":
            total = round(spec.window_s * _SAMPLE_RATE)
            rows = np.zeros((len(part), total), np.float32)
            for row, (index, item) in enumerate(enumerate(part, start)):
                clip = self.checked(item, index)[:total]
                rows[row, : len(clip)] = clip
        else:
            rows = np.stack([self.prepare(item, index) for index, item in enumerate(part, start)])
        tensor = self._torch.from_numpy(rows)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor


class _Described:
    """The encoder under the name that reports show."""

    def __init__(self, name: str, run: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
        self.name, self._run = name, run

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._run(x)
