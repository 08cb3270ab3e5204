"""Bundles are written whole, and an altered one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.errors import BundleError, UsageError
from emonet.models import HeadWeights, _bundle, check_bundle, load_model, read_card, sha256, update_card, write_bundle


def test_a_bundle_is_three_files_with_true_hashes(small_bundle: Callable[..., Path]) -> None:
    """The card vouches for each file and for itself."""
    folder = small_bundle()
    assert sorted(path.name for path in folder.iterdir()) == ["emonet.json", "encoder.onnx", "heads.safetensors"]
    card = check_bundle(folder, always=True)
    assert card.encoder.sha256 == sha256(folder / "encoder.onnx")
    assert card.heads.sha256 == sha256(folder / "heads.safetensors")
    assert card.heads.bytes == (folder / "heads.safetensors").stat().st_size
    assert card == read_card(folder)
    assert len(card.revision) == 12


@pytest.mark.parametrize("name", ["encoder.onnx", "heads.safetensors"])
def test_an_altered_file_is_named_with_both_hashes(small_bundle: Callable[..., Path], name: str) -> None:
    """One flipped byte: the message names the file, the hash found, the hash expected and the remedy."""
    folder = small_bundle()
    expected = sha256(folder / name)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert all(part in message for part in (name, sha256(folder / name), expected, "pull or convert"))


@pytest.mark.parametrize("name", ["encoder.onnx", "heads.safetensors", "emonet.json"])
def test_an_absent_file_is_named(small_bundle: Callable[..., Path], name: str) -> None:
    """A bundle without one of its files says which."""
    folder = small_bundle()
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        check_bundle(folder)


def test_an_altered_card_is_refused(small_bundle: Callable[..., Path]) -> None:
    """Nobody can change a published metric or licence without the revision changing."""
    folder = small_bundle()
    path = folder / "emonet.json"
    path.write_text(path.read_text().replace('"licence": "test"', '"licence": "other"'))
    with pytest.raises(BundleError, match="revision"):
        load_model(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "JSON"), ("[]", "format None"), ('{"format": 2}', "Update emonet"), ('{"format": 1}', "Field required")],
)
def test_cards_of_another_kind_are_refused(small_bundle: Callable[..., Path], text: str, words: str) -> None:
    """Malformed, of a newer format, or incomplete."""
    folder = small_bundle()
    (folder / "emonet.json").write_text(text)
    with pytest.raises(BundleError, match=words):
        read_card(folder)


def test_a_card_cannot_point_outside_its_folder(small_bundle: Callable[..., Path], tmp_path: Path) -> None:
    """A file name with a path in it is refused."""
    folder = small_bundle()
    card = json.loads((folder / "emonet.json").read_text())
    card["encoder"]["file"] = "../encoder.onnx"
    (folder / "emonet.json").write_text(json.dumps(card))
    changed = read_card(folder)
    _bundle._write_card(folder, changed)  # with a revision that fits
    (folder.parent / "encoder.onnx").write_bytes((folder / "encoder.onnx").read_bytes())
    with pytest.raises(BundleError, match="absent"):
        load_model(folder)


def test_update_card_gives_a_new_revision(small_bundle: Callable[..., Path]) -> None:
    """Metrics may be added after training; what describes the files may not be changed."""
    folder = small_bundle()
    before = read_card(folder)
    metric = {"name": "auc", "value": 0.7, "low": 0.6, "high": 0.8, "n": 10, "data": "made up"}
    after = update_card(folder, metrics=[metric])
    assert after.revision != before.revision
    assert load_model(folder).card.metrics[0].value == 0.7
    with pytest.raises(UsageError, match="heads"):
        update_card(folder, heads={})
    with pytest.raises(UsageError, match="licences"):
        update_card(folder, licences="x")


def test_a_failed_write_leaves_the_old_bundle(
    small_bundle: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or not at all, and nothing is left behind."""
    folder = small_bundle()
    before = read_card(folder)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(_bundle, "write_heads", fail)
    with pytest.raises(OSError, match="disk full"):
        small_bundle()
    assert check_bundle(folder) == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


def test_a_bundle_replaces_a_bundle_but_nothing_else(small_bundle: Callable[..., Path], tmp_path: Path) -> None:
    """A folder of other files is never overwritten."""
    first = read_card(small_bundle(seed=1))
    assert read_card(small_bundle(seed=2)).revision != first.revision
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(UsageError, match="not a bundle"):
        small_bundle(folder=tmp_path / "photos")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missing": {}}, "head or a reason"),
        ({"dimensions": ("anger",)}, "head or a reason"),
        ({"licence": None}, "licence"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_cards_that_do_not_fit_the_heads_are_usage_errors(
    small_bundle: Callable[..., Path], change: dict[str, Any], words: str
) -> None:
    """Every dimension has a head or a reason, and every field is known and filled."""
    with pytest.raises(UsageError, match=words):
        small_bundle(**change)


def test_two_heads_for_one_dimension_are_refused(small_bundle: Callable[..., Path], tmp_path: Path) -> None:
    """A trainer cannot give one dimension two heads."""
    folder = small_bundle()
    card = json.loads((folder / "emonet.json").read_text())
    head = HeadWeights("a", "embedding", ("anger",), (np.ones((1, 8), np.float32),), (np.zeros(1, np.float32),))
    twin = HeadWeights("b", "embedding", ("anger",), head.weights, head.biases)
    with pytest.raises(UsageError, match="More than one head for anger"):
        write_bundle(tmp_path / "x", encoder_onnx=folder / "encoder.onnx", groups=[head, twin], card=card)


def test_large_files_are_hashed_once(small_bundle: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is remembered by size and time; a change of either has it read again."""
    monkeypatch.setattr(_bundle, "_ALWAYS_HASHED", 0)
    folder = small_bundle()
    asked: list[str] = []
    monkeypatch.setattr(_bundle, "sha256", lambda path: asked.append(path.name) or sha256(path))
    check_bundle(folder)
    assert asked == []  # known since they were written
    heads = folder / "heads.safetensors"
    heads.write_bytes(heads.read_bytes()[:-1] + b"\x07")
    with pytest.raises(BundleError, match="SHA-256"):
        check_bundle(folder)
    assert asked == ["heads.safetensors"]
