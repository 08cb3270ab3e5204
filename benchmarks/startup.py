"""From nothing to the first score, in fresh interpreters, and the size of what must be installed.

Usage: python -m benchmarks.startup [--json FILE] [--rounds 3] [--quick]

Files are in the page cache, as on a second start. The reference reads 2 of the 55 voice heads, as LAION publishes
them, and the time of reading is scaled to 55.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from benchmarks.bundles import checkpoints, face_suite, source_folder, voice_suite
from benchmarks.shapes import FACE, QUICK_FACE, QUICK_VOICE, VOICE, FaceShape, VoiceShape
from benchmarks.suites import ways
from benchmarks.timing import Candidate, Row, Table, finish, interleave, options
from emonet.models import read_card

READ = 2  # heads that the reference really reads

_IMPORTS = "import torch, soundfile, soxr; from transformers import WhisperModel, WhisperFeatureExtractor"
_ITEM = {
    "voice": "np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)",
    "face": "np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)",
}
_OURS = """
import time
import numpy as np
from emonet.models import load_model
marks = {{"imports": time.monotonic()}}
model = load_model({model!r}, runtime={runtime!r}, precision={precision!r})
marks["loading"] = time.monotonic()
item = {item}
model.raw_scores([item])
marks["first score"] = time.monotonic()
"""
_AGAIN = """
model.raw_scores([item])
print(json.dumps({"again": time.monotonic() - end}))
"""
_REFERENCE_VOICE = """
import time, torch, numpy as np
from torch import nn
from transformers import WhisperModel, WhisperFeatureExtractor

class Head(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.proj = nn.Linear(sizes[0], sizes[1])
        pairs = zip(sizes[1:-2], sizes[2:-1])
        inner = [layer for a, b in pairs for layer in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(0.1))]
        self.mlp = nn.Sequential(nn.ReLU(), nn.Dropout(0.0), *inner, nn.Linear(sizes[-2], 1))
    def forward(self, x):
        return self.mlp(self.proj(x.flatten(1)))

encoder = WhisperModel.from_pretrained({source!r}, local_files_only=True, dtype=torch.float32).get_encoder().eval()
extract = WhisperFeatureExtractor(feature_size={mels})
extract.n_samples = {positions} * 320
extract.nb_max_frames = 2 * {positions}
start = time.perf_counter()
heads = []
for path in {paths!r}:
    head = Head({sizes!r})
    head.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    heads.append(head.eval())
more = time.perf_counter() - start
with torch.no_grad():
    states = encoder(extract({item}, sampling_rate=16_000, return_tensors="pt").input_features).last_hidden_state
    start = time.perf_counter()
    scores = [head(states).item() for head in heads]
    more += time.perf_counter() - start
more *= {dimensions} / len(heads) - 1
"""
_REFERENCE_FACE = """
import json, torch, transformers, numpy as np
from torch import nn
from PIL import Image
with open({source!r} + "/preprocessor_config.json") as file:
    build = getattr(transformers, "SiglipImageProcessorPil", None) or transformers.SiglipImageProcessor
    process = build(**json.load(file))
tower = transformers.SiglipVisionModel.from_pretrained({source!r}, local_files_only=True, dtype=torch.float32).eval()
sizes = {sizes!r}
heads = []
for path in {paths!r}:
    inner = [layer for a, b in zip(sizes[:-2], sizes[1:-1]) for layer in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(0.1))]
    head = nn.Sequential(*inner, nn.Linear(sizes[-2], 1))
    head.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    heads.append(head.eval())
with torch.no_grad():
    picture = Image.fromarray({item})
    embedding = tower(pixel_values=process(picture, return_tensors="pt")["pixel_values"]).pooler_output
    scores = [head(embedding / embedding.norm(dim=-1, keepdim=True)).item() for head in heads]
"""
_REPORT = """
import json, time
end = time.monotonic()
try:
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) / 1e3 for line in file if line.startswith("VmHWM"))
except OSError:
    peak = None
known = globals()
print(json.dumps({"end": end, "marks": known.get("marks", {}), "more": known.get("more", 0.0), "memory_mb": peak}))
"""


class Fresh:
    """A piece of Python timed in new interpreters, from their start to its last line: what the interpreter tidies up
    afterwards nobody waits for. `memory_mb`: the largest of each run (Linux); `again_s`: seconds of a second score,
    where `again` asks for one."""

    def __init__(self, code: str, again: bool = False) -> None:
        self.code = code + _REPORT + (_AGAIN if again else "")
        self.again_s: list[float] = []
        self.memory_mb: list[float] = []
        self(-1)  # compiles what is imported and fills the page cache
        self.memory_mb.clear()
        self.again_s.clear()

    def __call__(self, number: int) -> Mapping[str, float]:
        start = time.monotonic()  # the one clock that processes share
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", self.code], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"A start failed:\n{self.code}\n{done.stderr}")
        said: dict[str, Any] = {}
        for line in done.stdout.splitlines()[-2:]:
            said |= json.loads(line) if line.startswith("{") else {}
        if "again" in said:
            self.again_s.append(said["again"])
        if said["memory_mb"] is not None:
            self.memory_mb.append(said["memory_mb"])
        stages, before = {}, start
        for stage, at in said["marks"].items():
            stages[stage], before = at - before, at
        return stages | {"": said["end"] - before + said["more"]}


def table(key: str, title: str, codes: Mapping[str, str], rounds: int, note: str = "") -> list[Table]:
    """Starts in turns, ratios against the first; then the parts of ours, and a second score beside them."""
    starts = {name: Fresh(code, again="marks = {" in code) for name, code in codes.items()}
    rows = interleave([Candidate(name, start) for name, start in starts.items()], rounds)
    parts: list[Row] = []
    for row, start in zip(rows, starts.values(), strict=True):
        row["memory_mb"] = max(start.memory_mb, default=None)
        if stages := row.pop("stages"):
            second = {"a second score": 1e3 * statistics.median(start.again_s)}
            parts.append({"name": row["name"], "stages": stages | second})
    told = "Milliseconds, medians; `imports` begins with the interpreter; the second score is no part of the start."
    return [Table(key, title, "start", rows, note), Table(f"{key}-stages", f"{title}: parts", "start", parts, told)]


def import_codes() -> dict[str, str]:
    """What a user waits for before anything is loaded, and the embedded models' first scores."""
    help_ = (
        "import sys; sys.argv = ['emonet', '--help']; from emonet.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    codes = {"the reference's imports": _IMPORTS, "import emonet": "import emonet", "emonet --help": help_}
    for name in ("face", "voice"):
        codes[f"embedded {name}, first score"] = _ours(name, name, "onnxruntime", "fp32")
    return codes


def voice_codes(arguments: argparse.Namespace) -> dict[str, str]:
    """A voice suite to its first score."""
    shape = QUICK_VOICE if arguments.quick else VOICE
    bundle = voice_suite(arguments.bundles, quick=arguments.quick)
    reference = _REFERENCE_VOICE.format(
        source=str(source_folder(bundle)),
        mels=shape.mels,
        positions=shape.positions,
        paths=_checkpoints(arguments, shape, READ),
        sizes=shape.sizes,
        item=_ITEM["voice"],
        dimensions=len(shape.dimensions),
    )
    return {"reference (PyTorch fp32)": reference, **_suite_codes("voice", bundle)}


def face_codes(arguments: argparse.Namespace) -> dict[str, str]:
    """A face suite to its first score."""
    shape = QUICK_FACE if arguments.quick else FACE
    bundle = face_suite(arguments.bundles, quick=arguments.quick)
    reference = _REFERENCE_FACE.format(
        source=str(source_folder(bundle)),
        paths=_checkpoints(arguments, shape, len(shape.dimensions)),
        sizes=shape.sizes,
        item=_ITEM["face"],
    )
    return {"reference (PyTorch fp32)": reference, **_suite_codes("face", bundle)}


def _checkpoints(arguments: argparse.Namespace, shape: VoiceShape | FaceShape, count: int) -> list[str]:
    return [str(path) for path in checkpoints(arguments.bundles, shape, count)]


def _suite_codes(modality: str, bundle: Path) -> dict[str, str]:
    found = ways(read_card(bundle))
    return {
        f"{runtime} {precision}": _ours(str(bundle), modality, runtime, precision)
        for runtime, precision in found
        if (runtime, precision) == found[0] or precision in ("bf16", "int8")
    }


def _ours(model: str, modality: str, runtime: str, precision: str) -> str:
    return _OURS.format(model=model, runtime=runtime, precision=precision, item=_ITEM[modality])


def size_rows() -> list[Row]:
    """Megabytes of packages with all that they require."""
    sets = {
        "torch and transformers": ["torch", "transformers"],
        "emonet": ["emonet"],
        "emonet with OpenVINO": ["emonet", "openvino"],
    }
    return [{"name": name, "disk_mb": sum(map(_megabytes, _required(roots)))} for name, roots in sets.items()]


def _required(roots: Sequence[str]) -> set[str]:
    """Names of installed packages that these need, themselves included."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += _wanted(needs)
    return found


def _wanted(needs: Sequence[str]) -> Iterator[str]:
    for text in needs:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield need.name


def _megabytes(name: str) -> float:
    files = importlib.metadata.files(name) or []
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__).parse_args()
    rounds = arguments.rounds
    scaled = f"{READ} of 55 voice heads were read and the time of reading scaled."
    tables = [
        *table("startup-imports", "Start: imports and embedded models", import_codes(), rounds),
        *table("startup-voice", "Start: a voice suite to its first score", voice_codes(arguments), rounds, scaled),
        *table("startup-face", "Start: a face suite to its first score", face_codes(arguments), rounds),
        Table("startup-sizes", "Installed packages with all they need", "", size_rows()),
    ]
    finish("startup", tables, arguments)


if __name__ == "__main__":
    main()
