"""Pictures change while training, in ways that keep the face, and reproducibly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.training import read_recipe
from emonet.training._face_damage import DAMAGES, damaged

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
from emonet.training._face_changes import blurred, changed, coded  # noqa: E402
from emonet.training._face_data import Faces, plain  # noqa: E402
from emonet.training._face_training import epoch_order  # noqa: E402

_RECIPE = read_recipe(Path(__file__).parents[2] / "recipes" / "embedded-face.toml")


def _faces(n: int) -> Faces:
    """Smooth made pictures: a bright disc on a ramp."""
    y, x = np.mgrid[:64, :64]
    disc = ((x - 32) ** 2 + (y - 32) ** 2 < 300) * 90
    pixels = np.stack([(x + disc + 10 + i).astype(np.uint8) for i in range(n)])
    return Faces(pixels, np.ones(n, np.float32), np.ones(n, bool))


def _changed(seed: int, **settings: float) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return changed(_faces(6), np.arange(6), _RECIPE["preprocessing"], _RECIPE["augmentation"] | settings, draw)


def test_the_same_seed_changes_pictures_in_the_same_way() -> None:
    """A run can be repeated, and another seed gives other pictures."""
    assert torch.equal(_changed(1), _changed(1))
    assert not torch.equal(_changed(1), _changed(2))


def test_changes_of_size_zero_only_mirror() -> None:
    """With every strength at 0 a picture is itself or its mirror image."""
    off = dict.fromkeys(_RECIPE["augmentation"], 0) | {"jpeg_lowest": 15}
    same, left = _changed(0, **off), plain(_faces(6), np.arange(6), _RECIPE["preprocessing"])
    for one, other in zip(same, left, strict=True):
        assert min((one - other).abs().max(), (one - other.flip(2)).abs().max()) < 1e-3


def test_jpeg_and_blur_keep_the_picture_and_lose_detail() -> None:
    """Low quality is farther from the picture than high quality; a wider blur leaves less of an edge."""
    picture = plain(_faces(1), np.arange(1), {"height": 48, "width": 48, "mean": [0.0], "std": [1.0]})[0]
    fine, coarse = ((coded(picture, quality) - picture).abs().mean() for quality in (90, 10))
    assert fine < coarse < 0.1
    weak, strong = (blurred(picture, sigma).diff(dim=2).abs().max() for sigma in (0.5, 2.0))
    assert strong < weak < picture.diff(dim=2).abs().max()
    assert blurred(picture, 2.0).shape == picture.shape


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_grows_with_its_strength(kind: str) -> None:
    """Every kind takes a picture farther from itself at its last strength than at the mildest, in the same shape."""
    crops = [np.repeat(pixels[8:56, 8:56, None], 3, 2) for pixels in _faces(3).pixels]
    damage = DAMAGES[kind]
    order = sorted(damage.strengths, key=lambda s: abs(np.log(s)) if kind == "light" else s, reverse=kind == "jpeg")
    mild, severe = (damaged(crops, damage, strength, seed=0) for strength in (order[0], order[-1]))
    far = [np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(d, crops, strict=True)]) for d in (mild, severe)]
    assert far[1] > far[0] > 0
    assert all(crop.shape == (48, 48, 3) and crop.dtype == np.uint8 for crop in severe)


def test_small_sources_are_shown_more_often() -> None:
    """At 0 every picture comes once; at 1 both sources come equally often, the small one's pictures in turn."""
    rows, sources = np.arange(90), np.asarray(["a"] * 80 + ["b"] * 10)
    assert sorted(epoch_order(rows, sources, 0.0, seed=[1])) == list(range(90))
    counts = np.bincount(epoch_order(rows, sources, 1.0, seed=[1]), minlength=90)
    assert counts[80:].sum() == 45
    assert set(counts[80:]) == {4, 5}
    assert counts[:80].max() == 1
    half = np.bincount(epoch_order(rows, sources, 0.5, seed=[1]), minlength=90)
    assert 10 < half[80:].sum() < 45
