"""What a recipe's sources give, and figures of agreement in a card."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emonet.datasets._samples import list_shards, read_samples
from emonet.datasets._shard_writer import write_shards
from emonet.datasets._tables import rating_rows
from emonet.datasets.curation import build_dataset, read_recipe
from emonet.datasets.curation._card_agreement import agreement_rows
from emonet.datasets.curation._recipe import Source
from emonet.datasets.curation._sources import streams_of
from emonet.errors import UsageError
from emonet.statistics import krippendorff_alpha

_PLAIN = """
name = "plain"
modality = "voice"

[[source]]
name = "made"
input = ["voices"]
only = { source = "made for tests", gender = "woman" }
facts = { person = "speaker" }
"""


def test_only_what_was_asked_for_under_the_names_wanted(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    """Facts and what a sample says of itself both select; renamed facts travel under their new name."""
    decision = build_dataset(recipe(_PLAIN), tmp_path / "set")
    assert set(decision.items["gender"]) == {"woman"}
    assert "speaker" not in decision.items.columns
    shard = list_shards(tmp_path / "set" / "data")[0]
    assert all("person" in sample.facts for sample in read_samples(shard.address))
    assert set(decision.items["split"]) == {"all"}


def test_the_source_s_rights_stand_in_for_missing_ones_only(voice_shards: Path) -> None:
    """A sample's own licence is never overwritten."""
    source = Source(name="made", input=(str(voice_shards),), licence="MIT", consent="told by the source")
    first = next(streams_of(source)[0].samples())
    assert (first.licence, first.consent) == ("CC BY 4.0", "signed form")


def test_measures_of_a_changed_shard_are_not_taken_again(voice_shards: Path) -> None:
    """A shard that was replaced has another key, and so has a source whose facts are renamed."""
    source = Source(name="made", input=(str(voice_shards),))
    keys = [stream.key for stream in streams_of(source)]
    assert keys == [stream.key for stream in streams_of(source)]
    shard = sorted(voice_shards.glob("*.tar"))[0]
    os.utime(shard, ns=(1, 1))
    changed = [stream.key for stream in streams_of(source)]
    assert [a == b for a, b in zip(keys, changed, strict=True)] == [False, True, True]
    assert not set(keys) & {stream.key for stream in streams_of(source.model_copy(update={"facts": {"a": "b"}}))}


def test_a_replaced_picture_of_a_folder_is_measured_again(tmp_path: Path) -> None:
    """Folders have no date of their own; the files in them have."""
    (tmp_path / "a.png").write_bytes(b"one")
    before = streams_of(Source(name="made", input=(str(tmp_path),)))[0].key
    (tmp_path / "a.png").write_bytes(b"other")
    assert streams_of(Source(name="made", input=(str(tmp_path),)))[0].key != before


def test_nothing_of_the_wanted_layout_is_an_error(voice_shards: Path) -> None:
    """Tars are no Parquet files."""
    with pytest.raises(UsageError, match="no shards of kind parquet"):
        streams_of(Source(name="made", input=(str(voice_shards),), kind="parquet"))


def test_a_sample_that_vanishes_stops_the_writing(
    voice_shards: Path, recipe: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources that change between measuring and writing would give a set that is not what its table says."""
    from emonet.datasets.curation import _build

    real = _build.decide

    def changed(*arguments: object) -> object:
        decision = real(*arguments)  # type: ignore[arg-type]
        samples = [sample for shard in list_shards(voice_shards) for sample in read_samples(shard.address)]
        write_shards(
            [replace(one, key=f"new-{one.key}") for one in samples], voice_shards, per_shard=20, overwrite=True
        )
        return decision

    monkeypatch.setattr(_build, "decide", changed)
    with pytest.raises(UsageError, match="is gone now"):
        build_dataset(recipe(_PLAIN), tmp_path / "set")


def test_agreement_in_a_card_is_that_of_the_ratings() -> None:
    """Unanimity counts pairs with two raters or more; alpha is that of all such pairs together."""
    draw = np.random.default_rng(0)
    values = draw.integers(0, 3, (3, 20)).astype(float)
    values[:, :10] = values[0, :10]
    rows = [(f"i{k:02d}", f"p{r}", float(values[r, k])) for k in range(20) for r in range(3)] + [("alone", "p0", 1.0)]
    table = rating_rows(
        item=pl.Series([row[0] for row in rows]), rater=pl.Series([row[1] for row in rows]), dimension="anger",
        value=pl.Series([row[2] for row in rows]),
    )  # fmt: skip
    told = {row[0]: row for row in agreement_rows(table)}
    unanimous = float((values == values[0]).all(axis=0).mean())
    assert told["all said the same"][1] == f"{unanimous:.3f}"
    assert told["Krippendorff's alpha"][1] == f"{krippendorff_alpha(values, 'interval'):.3f}"
    assert told["pairs judged by one person"][1] == "1"


def test_the_recipes_of_the_documentation_are_recipes(tmp_path: Path) -> None:
    """Both examples are read as they stand."""
    page = Path(__file__).resolve().parents[3] / "docs" / "datasets.md"
    blocks = page.read_text(encoding="utf-8").split("```toml\n")[1:]
    for block in blocks:
        (tmp_path / "recipe.toml").write_text(block.partition("```")[0], encoding="utf-8")
        assert read_recipe(tmp_path / "recipe.toml").source
    assert len(blocks) == 2
