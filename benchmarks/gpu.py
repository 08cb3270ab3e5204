"""A graphics card: LAION's way on the card against the runtime torch, all 55 voice heads.

    python -m benchmarks.gpu [--json FILE]
    python -m benchmarks.gpu --quick --device cpu      does it run?

The reference is transformers' feature extractor, the encoder in eager float32 and one head after another, one clip at
a time, on the same card. Ours is `load_model(..., runtime="torch", precision="bf16")` in batches of 1 to 64. Prints the
card's measured bfloat16 rate and memory bandwidth and the share of that rate that the encoder reaches, and how far the
scores are from float32. Without a card it says so and ends.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from benchmarks.bundles import source_folder, voice_suite
from benchmarks.inputs import made_clip
from benchmarks.reference import voice_head
from benchmarks.shapes import QUICK_VOICE, VOICE, VoiceShape
from benchmarks.suites import distance
from benchmarks.timing import Candidate, Table, finish, interleave, options, whole
from emonet.models import add_torch_tier, load_model
from emonet.models._torch_model import TorchModel

Clip = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("No CUDA device here: nothing measured. `--quick --device cpu` shows that the code runs.")
        return
    shape = QUICK_VOICE if arguments.quick else VOICE
    bundle = voice_suite(arguments.bundles, quick=arguments.quick)
    card = add_torch_tier(bundle, source_folder(bundle))
    draw = np.random.default_rng(0)
    clips = [made_clip(draw) for _ in range(8 if arguments.quick else 64)]
    with torch.inference_mode():
        reference = _reference(bundle, shape, device)
        expected = np.stack([reference(clip) for clip in clips])
        candidates = [Candidate("LAION's way, fp32, one clip", whole(lambda: _waited(device, reference, clips[0])))]
        for batch in (1, 4) if arguments.quick else (1, 8, 16, 32, 64):
            model = TorchModel(bundle, card, precision="bf16", device=str(device), batch=batch)
            model.raw_scores(clips[:batch])
            part = clips[:batch]
            run = whole(lambda model=model, part=part: model.raw_scores(part))  # type: ignore[misc]
            candidates.append(Candidate("runtime torch, bf16", run, batch, {"batch": batch}))
    rows = interleave(candidates, arguments.rounds)
    ours = load_model(bundle, runtime="torch", precision="bf16").raw_scores(clips)
    rows[-1] |= distance(expected, ours)
    limits = {"bf16_tflops": _gemm_rate(device) / 1e12, "memory_gb_s": _bandwidth(device) / 1e9}
    work = (shape.encoder.linear + shape.encoder.rest) / 1e3  # tera-operations
    limits["encoder_share"] = work / _encoder_seconds(bundle, card, device, clips) / limits["bf16_tflops"]
    note = ", ".join(f"{name} {value:.3g}" for name, value in limits.items())
    finish("gpu", [Table("gpu", "Graphics card", "clip", rows, note)], arguments, device=str(device), limits=limits)


def _reference(bundle: Path, shape: VoiceShape, device: Any) -> Any:
    """One clip → its scores [H], head after head, on the device."""
    model = transformers.WhisperModel.from_pretrained(
        source_folder(bundle), local_files_only=True, dtype=torch.float32, attn_implementation="sdpa"
    )
    encoder = model.get_encoder().eval().to(device)
    extract = transformers.WhisperFeatureExtractor(feature_size=shape.mels, sampling_rate=16_000)
    extract.n_samples = shape.positions * 320
    extract.nb_max_frames = 2 * shape.positions
    heads = [voice_head(shape, index).eval().to(device) for index in range(len(shape.dimensions))]

    def run(clip: Clip) -> Clip:
        features = extract(clip, sampling_rate=16_000, return_tensors="pt").input_features.to(device)
        states = encoder(features).last_hidden_state
        return np.array([head(states).item() for head in heads], np.float32)

    return run


def _waited(device: Any, reference: Any, clip: Clip) -> None:
    with torch.inference_mode():
        reference(clip)
    if device.type == "cuda":
        torch.cuda.synchronize()


def _encoder_seconds(bundle: Path, card: Any, device: Any, clips: list[Clip]) -> float:
    """Of one clip, in batches of 32."""
    model = TorchModel(bundle, card, precision="bf16", device=str(device), batch=32)
    part = clips[:32]
    model.embed(part)
    start = time.perf_counter()
    for _ in range(3):
        model.embed(part)
    return (time.perf_counter() - start) / 3 / len(part)


def _gemm_rate(device: Any) -> float:
    """Multiply-adds of a large bfloat16 product, two operations each, per second."""
    n = 8192 if device.type == "cuda" else 512
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * n**3 / _seconds(device, lambda: a @ b)


def _bandwidth(device: Any) -> float:
    """Bytes read per second."""
    x = torch.ones(1 << (30 if device.type == "cuda" else 24), device=device, dtype=torch.bfloat16)
    return 2 * x.numel() / _seconds(device, lambda: x.sum())


def _seconds(device: Any, call: Any, repeats: int = 10) -> float:
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / repeats


if __name__ == "__main__":
    main()
