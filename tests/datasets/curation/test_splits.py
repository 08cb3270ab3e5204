"""Parts never share a group, follow their shares, and do not depend on the order of rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.datasets.curation import split_items
from emonet.errors import UsageError

_PARTS = {"train": 0.7, "validation": 0.1, "test": 0.2}


@st.composite
def _tables(draw: st.DrawFn) -> pl.DataFrame:
    """Items of at least three speakers, each with an identity, a group of copies or none, and an emotion."""
    speakers = draw(st.lists(st.integers(0, 12), min_size=3, max_size=60))
    n = len(speakers)
    copies = draw(st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=n, max_size=n))
    labels = draw(st.lists(st.sampled_from(["anger", "fear", "pride"]), min_size=n, max_size=n))
    return pl.DataFrame(
        {
            "item": [f"clip-{k:03d}" for k in range(n)],
            "speaker": [f"s{k}" for k in speakers],
            "copies": copies,
            "label": labels,
        },
        schema={"item": pl.String, "speaker": pl.String, "copies": pl.Int64, "label": pl.String},
    )


def _groups(items: pl.DataFrame) -> list[set[str]]:
    """Items that are connected by speaker or copies, found by walking from each one."""
    left = {row["item"]: row for row in items.iter_rows(named=True)}
    found = []
    while left:
        group, queue = set(), [next(iter(left.values()))]
        left.pop(queue[0]["item"])
        while queue:
            here = queue.pop()
            group.add(here["item"])
            near = [
                row
                for row in left.values()
                if row["speaker"] == here["speaker"] or (row["copies"] is not None and row["copies"] == here["copies"])
            ]
            queue += [left.pop(row["item"]) for row in near]
        found.append(group)
    return found


@given(_tables(), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_no_speaker_and_no_copy_is_in_two_parts(items: pl.DataFrame, seed: int) -> None:
    """Whoever is connected, by speaker or copies, directly or through others, lands in one part."""
    groups = _groups(items)
    if len(groups) < 3:
        with pytest.raises(UsageError, match="at least as many groups"):
            split_items(items, shares=_PARTS, by=["speaker", "copies"], unknown="single", seed=seed)
        return
    split = split_items(items, shares=_PARTS, by=["speaker", "copies"], unknown="single", seed=seed)
    part = dict(split.table.iter_rows())
    assert set(part) == set(items["item"])
    assert all(len({part[item] for item in group}) == 1 for group in groups)
    assert sum(split.groups.values()) == len(groups)


@given(_tables(), st.integers(0, 5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_parts_are_as_large_as_asked(items: pl.DataFrame, seed: int, stratified: bool) -> None:
    """No part is empty, and none exceeds its share by as much as the largest group."""
    sizes = Counter(items["speaker"])
    if len(sizes) < 3:
        return
    split = split_items(items, shares=_PARTS, by=["speaker"], stratify=["label"] if stratified else [], seed=seed)
    held = Counter(split.table["split"])
    for part, share in _PARTS.items():
        assert 0 < held[part] < share * len(items) + max(sizes.values()) + 1e-9
        assert split.shares[part] == held[part] / len(items)


@given(_tables(), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_a_split_is_fixed_by_its_seed(items: pl.DataFrame, seed: int, order) -> None:  # type: ignore[no-untyped-def]
    """The same items give the same parts, in whatever order their rows come."""
    if items["speaker"].n_unique() < 3:
        return
    rows = list(range(len(items)))
    order.shuffle(rows)
    options = {"shares": _PARTS, "by": ["speaker"], "stratify": ["label"], "seed": seed}
    first, second = split_items(items, **options), split_items(items[rows], **options)  # type: ignore[arg-type]
    assert dict(first.table.iter_rows()) == dict(second.table.iter_rows())
    assert second.table["item"].to_list() == items[rows]["item"].to_list()


def _speakers(seed: int = 0) -> pl.DataFrame:
    """900 clips of 90 speakers, of which each has two or three emotions of its own."""
    draw = np.random.default_rng(seed)
    rows = []
    for speaker in range(90):
        own = draw.choice(8, size=draw.integers(2, 4), replace=False)
        rows += [(f"{speaker:02d}-{clip}", f"s{speaker}", f"e{draw.choice(own)}") for clip in range(10)]
    return pl.DataFrame(rows, schema=["item", "speaker", "label"], orient="row")


def test_strata_are_spread_like_the_parts() -> None:
    """Stratifying makes parts resemble one another more than chance does, at the same shares."""
    items = _speakers()
    chance = [split_items(items, by=["speaker"], seed=k) for k in range(5)]
    stratified = [split_items(items, by=["speaker"], stratify=["label"], seed=k) for k in range(5)]

    def unevenness(split: pl.DataFrame) -> float:
        joined = items.join(split, on="item")
        counts = joined.pivot("split", index="label", values="item", aggregate_function="len").fill_null(0)
        table = counts.select(["train", "validation", "test"]).to_numpy()
        return float(
            np.abs(table / table.sum(axis=1, keepdims=True) - table.sum(axis=0) / table.sum()).max(axis=1).mean()
        )

    assert max(unevenness(one.table) for one in stratified) < min(unevenness(one.table) for one in chance)
    assert max(one.unevenness for one in stratified) < 0.05
    assert all(abs(one.shares["train"] - 0.8) < 0.02 for one in stratified)


def test_another_seed_is_another_split() -> None:
    """Seeds differ in who is where."""
    items = _speakers()
    first, second = (split_items(items, by=["speaker"], seed=k).table["split"].to_list() for k in (0, 1))
    assert first != second


def test_unknown_speakers_are_refused_or_taken_apart() -> None:
    """An item without a speaker could be anybody; only an explicit choice lets it through."""
    items = pl.DataFrame({"item": ["a", "b", "c", "d"], "speaker": ["x", None, None, "y"]})
    with pytest.raises(UsageError, match="2 of 4 items have no 'speaker', the first 'b'"):
        split_items(items, by=["speaker"], shares={"train": 0.5, "test": 0.5})
    assert len(split_items(items, by=["speaker"], shares={"train": 0.5, "test": 0.5}, unknown="single").table) == 4


@pytest.mark.parametrize("shares", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"": 1.0}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    """Shares are positive, named, and sum to 1."""
    with pytest.raises(UsageError, match="share"):
        split_items(pl.DataFrame({"item": ["a", "b"]}), shares=shares)


def test_items_are_named_once() -> None:
    """A table with an item twice, or without the column, is no table of items."""
    for table in (pl.DataFrame({"item": ["a", "a"]}), pl.DataFrame({"name": ["a"]})):
        with pytest.raises(UsageError, match="item"):
            split_items(table)
