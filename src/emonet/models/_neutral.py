"""Mean head output on neutral faces, taken off the raw score before ranking."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path

from emonet.errors import CheckpointError, UnknownNameError
from emonet.taxonomy import dimension_key

BUILT_IN_SOURCE = (
    "built in: recovered from LAION's published scores of FERD (emonet-face repository, eval/results/ferd.jsonl) as "
    "raw minus mean-subtracted; neither the suite's size nor the neutral faces are stated there"
)


def face_neutral_means(folder: Path) -> tuple[dict[str, float], str]:
    """Neutral means by dimension, and where they come from.

    From a file `*neutral*stats*.json` in the heads' folder when there is one (keys in any spelling, values numbers or
    objects with `mean`), else from the table built in.
    """
    found = sorted(path for path in Path(folder).rglob("*.json") if _is_statistics(path.name))
    if not found:
        return built_in_neutral_means(), BUILT_IN_SOURCE
    if len(found) > 1:
        raise CheckpointError(f"{folder}: several neutral statistics ({', '.join(p.name for p in found)}); keep one.")
    path = found[0]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON ({error}). Fetch the file again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}; expected dimension → mean.")
    means: dict[str, float] = {}
    for name, value in content.items():
        mean = value.get("mean") if isinstance(value, dict) else value
        if not isinstance(mean, int | float) or isinstance(mean, bool) or not math.isfinite(mean):
            raise CheckpointError(f"{path}: {name!r} is {value!r}; expected a number or an object with `mean`.")
        try:
            means[dimension_key(name, "face")] = float(mean)
        except UnknownNameError as error:
            raise CheckpointError(f"{path}: {error}") from error
    return means, f"{path.name}, given with the heads"


def built_in_neutral_means() -> dict[str, float]:
    """The published face heads' means, by dimension."""
    text = files("emonet.models").joinpath("neutral_face.json").read_text(encoding="utf-8")
    means: dict[str, float] = json.loads(text)
    return means


def _is_statistics(name: str) -> bool:
    lower = name.lower()
    return "neutral" in lower and "stats" in lower[lower.index("neutral") :]
