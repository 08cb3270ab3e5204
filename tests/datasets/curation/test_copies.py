"""Copies are found after what copying does to files; others are not; of each group the best stays."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets_curation_media import encoded, jpeg, picture, resized, speech
from emonet.datasets.curation import (
    PictureRule,
    drop_copies,
    group_copies,
    picture_copies,
    picture_signature,
    sound_copies,
    sound_signature,
)
from emonet.datasets.curation._groups import connected
from emonet.datasets.curation._hamming import near_codes
from emonet.errors import UsageError
from emonet.media import decode_image, read_audio

_PICTURES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "compressed": lambda x: jpeg(x, 30),
    "half the size": lambda x: resized(x, 0.5),
    "twice the size": lambda x: resized(x, 2),
    "brighter": lambda x: (x * 0.7 + 60).astype(np.uint8),
    "cropped": lambda x: x[2:-2, 2:-2],
    "grey": lambda x: np.asarray(PIL.Image.fromarray(x).convert("L").convert("RGB")),
}
_SOUNDS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "quieter": lambda x: x * np.float32(0.1),
    "as MP3": lambda x: encoded(x, "MP3", "MPEG_LAYER_III"),
    "as Opus": lambda x: encoded(x, "OGG", "OPUS"),
    "starting later": lambda x: x[5003:],
    "with silence before": lambda x: np.pad(x, (9001, 0)),
    "a part": lambda x: x[16_000:48_000],
    "with noise": lambda x: x + np.random.default_rng(1).normal(0, 0.1 * x.std(), len(x)).astype(np.float32),
}


@pytest.mark.parametrize("change", _PICTURES)
def test_a_changed_picture_is_still_a_copy(change: str) -> None:
    """Each of 30 pictures is paired with its own copy and with no other."""
    originals = [picture(k) for k in range(30)]
    everything = [picture_signature(x) for x in [*originals, *(_PICTURES[change](x) for x in originals)]]
    found = picture_copies([f"{k:02d}" for k in range(60)], everything)
    assert {(int(a), int(b)) for a, b in found.select("first", "second").iter_rows()} == {
        (k, k + 30) for k in range(30)
    }
    assert not found["exact"].any()


@pytest.mark.parametrize("change", _SOUNDS)
def test_a_changed_recording_is_still_a_copy(change: str) -> None:
    """Each of 20 recordings is paired with its own copy and with no other."""
    originals = [speech(k) for k in range(20)]
    everything = [sound_signature(x) for x in [*originals, *(_SOUNDS[change](x) for x in originals)]]
    found = sound_copies([f"{k:02d}" for k in range(40)], everything)
    assert {(int(a), int(b)) for a, b in found.select("first", "second").iter_rows()} == {
        (k, k + 20) for k in range(20)
    }


def test_mirror_images_are_copies_when_asked_for() -> None:
    """By default they are not; a symmetric picture is no copy of itself."""
    originals = [picture(k) for k in range(20)]
    symmetric = np.concatenate([originals[0], originals[0][:, ::-1]], axis=1)
    everything = [picture_signature(x) for x in [*originals, *(x[:, ::-1] for x in originals), symmetric]]
    names = [f"{k:02d}" for k in range(41)]
    assert picture_copies(names, everything).is_empty()
    found = picture_copies(names, everything, PictureRule(mirrored=True))
    assert {(int(a), int(b)) for a, b in found.select("first", "second").iter_rows()} == {
        (k, k + 20) for k in range(20)
    }


def test_a_flat_picture_matches_only_its_own_pixels() -> None:
    """Where there is nothing to compare, only equal pixels make a copy."""
    flat = [np.full((40, 40, 3), value, np.uint8) for value in (0, 0, 90)]
    found = picture_copies(["a", "b", "c"], [picture_signature(x) for x in flat])
    assert found.rows() == [("a", "b", 1.0, True)]


def test_silence_matches_only_silence_of_the_same_length() -> None:
    """Silent recordings hold no sound to recognise."""
    silent = [np.zeros(n, np.float32) for n in (16_000, 16_000, 8_000)]
    found = sound_copies(["a", "b", "c"], [sound_signature(x) for x in silent])
    assert found.select("first", "second").rows() == [("a", "b")]


def test_very_short_and_empty_recordings_are_no_trouble() -> None:
    """Shorter than a frame, or nothing at all."""
    signatures = [sound_signature(x) for x in (np.zeros(0, np.float32), speech(1)[:200], speech(2))]
    assert sound_copies(["a", "b", "c"], signatures).is_empty()
    assert sound_copies([], []).is_empty()
    assert picture_copies([], []).is_empty()


def test_pairs_do_not_depend_on_the_order_of_items() -> None:
    """Reversing the items gives the same pairs with the same likeness."""
    pictures = [picture_signature(jpeg(picture(k // 2), 90 - 50 * (k % 2))) for k in range(20)]
    names = [f"{k:02d}" for k in range(20)]
    forth, back = picture_copies(names, pictures), picture_copies(names[::-1], pictures[::-1])
    assert forth.equals(back)
    assert len(forth) == 10


@given(st.lists(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 11), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_looking_up_finds_every_near_code(codes: list[int], most: int, seed: int) -> None:
    """Multi-index look-up and comparing every pair give the same pairs."""
    draw = np.random.default_rng(seed)
    flipped = [
        code ^ sum(1 << int(bit) for bit in draw.choice(64, draw.integers(0, 14), replace=False)) for code in codes
    ]
    table = np.array([*codes, *flipped], np.uint64)
    distance = np.bitwise_count(table[:, None] ^ table[None, :])
    wanted = np.argwhere(np.triu(distance <= most, 1))
    assert near_codes(table, most).tolist() == wanted.tolist()


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
@settings(max_examples=80, deadline=None)
def test_groups_are_what_pairs_connect(n: int, pairs: list[tuple[int, int]]) -> None:
    """Two things are in one group exactly when a path of pairs leads from one to the other."""
    inside = [(a, b) for a, b in pairs if a < n and b < n]
    reach = np.eye(n, dtype=bool)
    for a, b in inside:
        reach[a, b] = reach[b, a] = True
    for _ in range(n.bit_length()):
        reach = reach @ reach
    group = connected(n, inside)
    assert ((group[:, None] == group[None, :]) == reach).all()


def test_the_best_of_each_group_stays() -> None:
    """The largest, then the first name; how often labels disagree is told."""
    items = pl.DataFrame(
        {"item": list("abcde"), "width": [10, 30, 30, 5, 7], "label": ["fear", "fear", "anger", "awe", "awe"]}
    )
    pairs = pl.DataFrame({"first": ["a", "b", "d"], "second": ["b", "c", "e"]})
    grouped = group_copies(items, pairs)
    assert grouped["copies"].to_list() == [0, 0, 0, 1, 1]
    chosen = drop_copies(grouped, prefer=["width"], label="label")
    assert chosen.items["item"].to_list() == ["b", "e"]
    assert dict(chosen.step.dropped.select("item", "detail").iter_rows()) == {"a": "b", "c": "b", "d": "e"}
    assert chosen.step.facts["groups whose labels disagree"] == 1
    assert drop_copies(grouped, prefer=["width"], first=["a"]).items["item"].to_list() == ["a", "e"]


def test_items_without_a_copy_are_in_no_group() -> None:
    """A null agrees with nothing, so that splitting by `copies` leaves them free."""
    grouped = group_copies(pl.DataFrame({"item": ["x", "a", "b"]}), pl.DataFrame({"first": ["a"], "second": ["b"]}))
    assert grouped["copies"].to_list() == [None, 0, 0]
    with pytest.raises(UsageError, match="names the item 'q'"):
        group_copies(pl.DataFrame({"item": ["a"]}), pl.DataFrame({"first": ["a"], "second": ["q"]}))


@pytest.mark.shared
def test_every_pixel_copy_of_ferplus_is_found(shared: Path) -> None:
    """All pixel copies within FER+'s test part and muxspace, found without the exact digest; no picture of one source
    is called a copy of one of the other."""
    with (shared / "data" / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "face"]
    rows = [row for row in rows if row["split"] == "test" or row["source"] == "muxspace"]
    signatures = [picture_signature(decode_image(shared / "data" / row["path"]).pixels) for row in rows]
    exact: dict[str, list[int]] = {}
    for k, one in enumerate(signatures):
        exact.setdefault(one.exact, []).append(k)
    known = {(a, b) for group in exact.values() for a in group for b in group if a < b}

    blind = [replace(one, exact=str(k)) for k, one in enumerate(signatures)]
    names = [f"{k:05d}" for k in range(len(rows))]
    found = {(int(a), int(b)) for a, b in picture_copies(names, blind).select("first", "second").iter_rows()}
    assert len(known) > 5
    assert known <= found
    assert all(rows[a]["source"] == rows[b]["source"] for a, b in found)


@pytest.mark.shared
def test_the_known_double_of_ravdess_is_found(shared: Path) -> None:
    """RAVDESS holds one recording of actor 7 twice, under two names; nothing else of that actor is a copy."""
    paths = sorted((shared / "data" / "voices" / "ravdess").glob("*-07.opus"))
    signatures = [sound_signature(read_audio(path).samples) for path in paths]
    found = sound_copies([path.stem for path in paths], signatures)
    assert found.select("first", "second").rows() == [("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")]
