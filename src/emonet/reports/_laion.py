"""LAION's own JSON layouts, one file per picture or recording, for tools written for the reference implementation.

Face: the layout of LAION-AI/emonet-face, eval/results/*.jsonl (`results`) and of the reference notebooks:
{"model_<stem>_best": {"raw", "mean_subtracted", "softmax"}}. Voice: the layout of LAION-AI/emotion-annotations,
`annotate_audio.py`: {"caption", "emotions": {name: raw}, "source_audio_file"}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates
from emonet.reports._tables import write_text
from emonet.taxonomy import checkpoint_name


def laion_face(estimate: Estimate) -> dict[str, dict[str, float | None]]:
    """One face in the reference's layout. Heads the model lacks are left out; `mean_subtracted` is null without
    neutral means, `softmax` for what is no emotion."""
    raw, relative, softmax = (estimate.scores(scale) for scale in ("raw", "relative", "softmax"))
    return {
        f"model_{checkpoint_name(key, 'face')}_best": {
            "raw": value,
            "mean_subtracted": relative.get(key),
            "softmax": softmax.get(key),
        }
        for key, value in raw.items()
    }


def laion_voice(estimate: Estimate, *, caption: str | None = None) -> dict[str, Any]:
    """One recording in the reference's layout and order of keys: raw scores under the checkpoints' names."""
    emotions = {checkpoint_name(key, "voice"): value for key, value in estimate.scores("raw").items()}
    body: dict[str, Any] = {} if caption is None else {"caption": caption}
    return body | {"emotions": emotions, "source_audio_file": Path(estimate.source).name}


class LaionFolder:
    """Writes `<stem>.json` into `folder` for every file that was scored; a file that was not gets none.

    The layout knows one result per file: of several faces the largest is taken, of several windows the mean weighted
    by length, of a video the voice. An existing JSON object for a recording is kept and updated, as the reference
    does. Two files with one stem are told apart by the full name (`a.mp3.json`). `written` counts the files.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; the LAION layout needs a folder for one JSON file per input.")
        self.folder, self.written = folder, 0
        self._taken: set[str] = set()

    def write(self, estimates: Estimates) -> None:
        """Write the JSON of one file."""
        scored = [item for item in estimates if item.ok]
        if not scored:
            return
        voices = [item for item in scored if item.modality == "voice"]
        body = laion_voice(Estimates(voices).mean()) if voices else laion_face(_largest(scored))
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / self._name(Path(scored[0].source))
        if voices:
            body = _existing(path) | body
        write_text(path, json.dumps(body, indent=4, allow_nan=False) + "\n")
        self.written += 1

    def close(self) -> None:
        """Nothing is left to do: each file was put in place as it came."""

    def abort(self) -> None:
        """Files already written are complete and stay."""

    def _name(self, source: Path) -> str:
        name = f"{source.stem}.json"
        number = 1
        while name in self._taken:  # `a.wav` and `a.mp3`, or two folders with an `a.wav`
            name = f"{source.name}.json" if number == 1 else f"{source.name}.{number}.json"
            number += 1
        self._taken.add(name)
        return name


def _largest(faces: Sequence[Estimate]) -> Estimate:
    def area(item: Estimate) -> float:
        left, top, right, bottom = item.region.box or (0.0, 0.0, 0.0, 0.0)
        return (right - left) * (bottom - top)

    return max(faces, key=area)


def _existing(path: Path) -> dict[str, Any]:
    """Keys that another tool wrote; what is no JSON object is replaced."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
