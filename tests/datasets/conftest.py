"""Files in the layouts of the releases, small and made."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emonet.taxonomy import EMOTIONS

Rows = list[dict[str, Any]]
HQ_NAMES = [one.aliases["hq"] for one in EMOTIONS]
MODELS = (
    "Hume Face",
    "Random Baseline",
    "Empathic Insight Face Large",
    "Gemini 2.5 Flash MS",
    "GPT-4o ZS",
)


def picture(number: int) -> bytes:
    """A PNG of 2 by 2 pixels whose colour tells its number."""
    out = io.BytesIO()
    PIL.Image.new("RGB", (2, 2), (number % 256, number // 256, 7)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def hq_rows() -> Callable[..., Rows]:
    """Rows like those of hq.csv: four of eight people and five models for each picture."""

    def make(images: int = 6, seed: int = 0) -> Rows:
        generator = np.random.default_rng(seed)
        rows: Rows = []
        for number in range(images):
            people = generator.permutation(8)[:4] + 1
            for rater in [f"human-{k}" for k in sorted(people)]:
                moved = generator.permutation(40)[: generator.integers(3, 12)]
                said = {HQ_NAMES[k]: int(generator.integers(1, 8)) for k in moved}
                rows.append(
                    {"image": f"mj_data_{number}_U1.png", "annotator": rater, "human": True, "annotations": said}
                )
            for rater in MODELS:
                named = HQ_NAMES[:31] if rater.startswith("Hume") else HQ_NAMES
                top = 1.0 if rater.startswith("Hume") else 7.0
                said = {name: round(float(generator.uniform(0, top)), 4) for name in named}
                rows.append(
                    {"image": f"mj_data_{number}_U1.png", "annotator": rater, "human": False, "annotations": said}
                )
        return rows

    return make


@pytest.fixture
def write_hq() -> Callable[[Path, Rows], Path]:
    """Write rows as hq.csv does: the dict as Python prints it."""

    def write(path: Path, rows: Rows) -> Path:
        table = pl.DataFrame(
            {
                "image": [row["image"] for row in rows],
                "annotator": [row["annotator"] for row in rows],
                "human": [str(row["human"]) for row in rows],
                "annotations": [str(row["annotations"]) for row in rows],
            }
        )
        table.write_csv(path)
        return path

    return write


@pytest.fixture
def write_parquet() -> Callable[..., Path]:
    """Write a Hub parquet file: a struct of bytes and path, other columns, and the Hub library's description."""

    def write(
        path: Path,
        media: Sequence[bytes],
        *,
        names: Sequence[str | None] | None = None,
        column: str = "path",
        kind: str = "Image",
        facts: Mapping[str, Any] | None = None,
        classes: Mapping[str, Sequence[str]] | None = None,
        group: int = 2,
    ) -> Path:
        structs = pa.array(
            [{"bytes": one, "path": name} for one, name in zip(media, names or [None] * len(media), strict=True)],
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        )
        table = pa.table({column: structs, **{name: pa.array(values) for name, values in (facts or {}).items()}})
        features: dict[str, Any] = {column: {"_type": kind}}
        for name, labels in (classes or {}).items():
            features[name] = {"names": list(labels), "_type": "ClassLabel"}
        text = json.dumps({"info": {"features": features}})
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.replace_schema_metadata({"huggingface": text}), path, row_group_size=group)
        return path

    return write


@pytest.fixture
def write_binary() -> Callable[[Path, Sequence[tuple[str, str, bool, str]]], Path]:
    """Write (path, annotator, value, emotion) as binary.csv does."""

    def write(path: Path, rows: Sequence[tuple[str, str, bool, str]]) -> Path:
        lines = [f"{item},{rater},{value},{emotion}" for item, rater, value, emotion in rows]
        path.write_text("\n".join(["path,annotator,value,emotion", *lines]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def png() -> Callable[[int], bytes]:
    return picture


@pytest.fixture
def memory_files() -> Iterator[Callable[[str, bytes], None]]:
    """Put a file into fsspec's storage in memory, which is empty again afterwards."""
    import fsspec

    files = fsspec.filesystem("memory")

    def write(address: str, content: bytes) -> None:
        files.pipe_file(address.removeprefix("memory://"), content)

    yield write
    files.store.clear()
    files.pseudo_dirs[:] = [""]
