"""The bundle's `emonet.json`: what a model is, how its input is prepared, and how well it was measured to work.

A bundle is a folder with `emonet.json`, `encoder.onnx` and `heads.safetensors`; no file of it can run code.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FORMAT = 1
"""Version of the bundle layout; a loader refuses a newer one."""


class Record(BaseModel):
    """Frozen, and an unknown field is an error: a misspelt field must not pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ImagePreprocessing(Record):
    """uint8 RGB [h, w, 3] → float32 [channels, height, width]; no aspect-preserving crop.

    Pixels are resized with Pillow's filter `resample`, scaled to 0..1, then (x - mean) / std. With `channels` 1 the
    picture becomes luminance (ITU-R 601) first. `margin`: how far the square crop reaches beyond the detected face
    box on each side, as a share of the box's longer side.
    """

    kind: Literal["image"] = "image"
    height: int
    width: int
    channels: Literal[1, 3] = 3
    resample: Literal["bilinear", "bicubic", "lanczos"] = "bicubic"
    mean: tuple[float, ...]
    std: tuple[float, ...]
    margin: float = 0.25


class AudioPreprocessing(Record):
    """float32 [samples] at 16 kHz → what the encoder reads; three front ends.

    `whisper`: log-mel float32 [n_mels, frames] of the Whisper extractor (n_fft 400, hop 160, Slaney mels 0..8 kHz,
    log10, floor at max - 8, (x + 4) / 4), input padded with zeros or cut to `window_s`.
    `log-mel`: the same mel spectrogram of the clip as it is (no padding), natural logarithm of power + 1e-6, the
    clip's own mean taken off each band and everything divided by its standard deviation.
    `waveform`: the samples themselves, float32 [samples]; `n_mels` is 0.
    For the last two, clips are cut to `window_s`, shorter ones than `min_s` are padded with zeros, and loudness is
    first brought to `peak` when that is set.
    """

    kind: Literal["audio"] = "audio"
    front_end: Literal["whisper", "log-mel", "waveform"]
    n_mels: int = 0
    window_s: float = 30.0
    min_s: float = 0.0
    peak: float | None = None

    @model_validator(mode="after")
    def _bands(self) -> Self:
        if (self.n_mels > 0) == (self.front_end == "waveform"):
            raise ValueError(f"n_mels is {self.n_mels}; `waveform` has no mel bands, the other front ends need some")
        return self


class EncoderFile(Record):
    """`encoder.onnx`: input `input` (one array), output named `output`.

    `embedding`: float32 [n, size]; `sequence`: float32 [n, frames, size]. With `l2_normalize` every embedding is
    divided by its Euclidean norm before the heads. `data_file`: the weights, when they lie beside the graph.
    """

    file: str = "encoder.onnx"
    sha256: str
    output: Literal["embedding", "sequence"]
    frames: int | None = None
    size: int
    l2_normalize: bool = False
    data_file: str | None = None
    data_sha256: str | None = None


class HeadGroup(Record):
    """Heads of one shape, stored together in `heads.safetensors` and evaluated as one batch.

    `input`: what they read: the `embedding`, the flattened `sequence` (time-major), or `pooled` (mean, min, max and
    unbiased std over time). `layers`: sizes, input first, output (1) last; ReLU between layers, none after the last.
    Tensors are named `<name>.weight.<i>` and `<name>.bias.<i>`; layer 0 is [heads*out, in] (for `sequence` blocked,
    see models/_heads.py), later layers are [heads, out, in].
    """

    name: str
    input: Literal["embedding", "sequence", "pooled"]
    dimensions: tuple[str, ...]
    layers: tuple[int, ...]


class HeadsFile(Record):
    """`heads.safetensors`: one or more head groups at one precision."""

    file: str = "heads.safetensors"
    sha256: str
    precision: Literal["fp32", "fp16", "bf16", "int8"] = "fp32"
    groups: tuple[HeadGroup, ...]
    bytes: int


class Scale(Record):
    """Nominal range of the raw scores and what its ends mean. Raw scores are not clipped to it."""

    low: float
    high: float
    meaning: str


class Calibration(Record):
    """Monotone map from a raw score to the probability 0..1 that the emotion is present.

    Piecewise linear through (x, y), flat outside. `data` says on what it was fitted and who called it present: people
    who looked or listened, or the person who acted it.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    data: str


class Metric(Record):
    """One measured figure with its 95 % interval, on people that training never saw."""

    name: str
    dimension: str | None = None
    value: float
    low: float
    high: float
    n: int
    data: str
    note: str = ""


class TrainingData(Record):
    """One source that the weights were trained on."""

    name: str
    url: str
    licence: str
    items: int
    use: str


class Evidence(Record):
    """Why a dimension may be scored. `direct`: labels of that emotion; `teacher`: a published teacher's expected
    score given a coarse label."""

    kind: Literal["direct", "teacher", "published"]
    detail: str


class TierCheck(Record):
    """How far a tier's scores are from fp32's on the same items, and whether that is near enough.

    Differences are of raw scores over all dimensions, in units of their scale. `rank_correlation`: Spearman's over
    the items, the lowest of all dimensions (`worst`); `mean_rank_correlation`: their mean.
    """

    items: int
    data: str
    runtime: str
    max_difference: float
    mean_difference: float
    rank_correlation: float
    mean_rank_correlation: float
    worst: str
    passed: bool


class Tier(Record):
    """The same model at one more precision.

    `bf16` needs no files: the encoder's fp32 graph is computed in bfloat16. `int8-weights`: linear layers stored in
    8 bits, one scale per output. `int8`: activations in 8 bits too, with ranges from `calibration`, the recordings or
    pictures it was made with. `heads`: the first layers in 8 bits, None for the bundle's own. `torch` is no precision
    but the encoder's tensors and configuration (`data_file`) for the runtime torch.
    """

    precision: Literal["bf16", "int8-weights", "int8", "torch"]
    encoder: str | None = None
    encoder_sha256: str | None = None
    data_file: str | None = None
    data_sha256: str | None = None
    heads: HeadsFile | None = None
    calibration: str = ""
    check: TierCheck | None = None


class Card(Record):
    """The whole of `emonet.json`."""

    format: Literal[1] = 1
    id: str
    revision: str
    title: str
    modality: Literal["face", "voice"]
    dimensions: tuple[str, ...]
    scale: Annotated[dict[str, Scale], Field(description="by dimension; key '*' is the default")]
    preprocessing: ImagePreprocessing | AudioPreprocessing = Field(discriminator="kind")
    encoder: EncoderFile
    heads: HeadsFile
    neutral_means: dict[str, float] = {}
    neutral_source: str = ""
    calibration: dict[str, Calibration] = {}
    missing: dict[str, str] = {}
    evidence: dict[str, Evidence] = {}
    metrics: tuple[Metric, ...] = ()
    training_data: tuple[TrainingData, ...] = ()
    licence: str
    limits: tuple[str, ...] = ()
    source: str = ""
    recipe: dict[str, str | int | float | bool] = {}
    created: str = ""
    tiers: tuple[Tier, ...] = ()

    def tier(self, precision: str) -> Tier | None:
        """The tier of that precision, if the bundle has it."""
        return next((tier for tier in self.tiers if tier.precision == precision), None)
