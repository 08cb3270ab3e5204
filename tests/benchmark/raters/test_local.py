"""Raters that need no service: local bundles and trivial rules."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmark.raters.made_items import KEYS, faces, picture, voices
from emonet.benchmark.raters import Rated, build_rater
from emonet.datasets import LabelledSet
from emonet.errors import UsageError
from emonet.models import update_card
from emonet.taxonomy import Modality


def baseline(labelled: LabelledSet, rule: str, **settings: object) -> Rated:
    return build_rater({"type": "baseline", "name": rule, "rule": rule, **settings}).rate(labelled)


def test_random_is_even_and_seeded() -> None:
    """Levels of the set with equal chances; the seed decides, and leaving dimensions out changes nothing else."""
    made = faces(500)
    rated = baseline(made, "random")
    counts = np.unique(rated.ratings["value"].to_numpy(), return_counts=True)[1]
    assert len(counts) == 8
    assert abs(counts - 250).max() < 70
    assert baseline(made, "random").ratings.equals(rated.ratings)
    assert not baseline(made, "random", seed=1).ratings["value"].equals(rated.ratings["value"])
    fewer = baseline(replace(made, dimensions=KEYS[1:]), "random")
    assert fewer.ratings.equals(rated.ratings.filter(pl.col("dimension") != KEYS[0]))
    continuous = baseline(replace(made, levels=None), "random").ratings["value"]
    assert continuous.n_unique() == 2000
    assert 0 <= continuous.min() < 0.1 < 6.9 < continuous.max() <= 7  # type: ignore[operator]


def test_constant_zero_and_their_limits() -> None:
    """A value for all; zero is the absent end; a value outside the scale is refused."""
    assert baseline(faces(2), "constant", value=3).ratings["value"].to_list() == [3.0] * 8
    assert baseline(faces(2), "zero").ratings["value"].to_list() == [0.0] * 8
    with pytest.raises(UsageError, match="outside"):
        baseline(faces(1), "constant", value=9)
    with pytest.raises(UsageError, match="value"):
        baseline(faces(1), "constant")


def test_marginal_draws_what_people_gave_and_says_so() -> None:
    """Each dimension has the people's distribution; the facts tell that it has seen the ratings."""
    made = faces(300)
    rater = build_rater({"type": "baseline", "name": "m", "rule": "marginal"})
    drawn, given = rater.rate(made).ratings, made.ratings.table
    for key in KEYS:
        of_rater = np.sort(drawn.filter(pl.col("dimension") == key)["value"].to_numpy())
        of_people = given.filter(pl.col("dimension") == key)["value"].to_numpy()
        assert abs(of_rater.mean() - of_people.mean()) < 0.2
        assert set(of_rater) <= set(of_people)
    assert rater.rater.facts["sees"] == "people's ratings"
    assert rater.rater.kind == "baseline"


def test_only_what_was_asked_is_rated() -> None:
    """A set that asks few pairs gets values for those only."""
    asked = pl.DataFrame({"item": ["f1", "f0", "f1"], "dimension": ["anger", "sadness", "amusement"]})
    rated = baseline(faces(3, asked=asked), "zero")
    pairs = [("f0", "sadness"), ("f1", "amusement"), ("f1", "anger")]
    assert rated.ratings.select("item", "dimension").rows() == pairs
    with pytest.raises(UsageError, match="not in the set"):
        baseline(faces(1, asked=asked), "zero")


def test_a_bundle_scores_whole_portraits(face_bundle: Path) -> None:
    """Relative scores, not clipped, of every picture; only dimensions that the model judges; the card's scale."""
    rater = build_rater({"type": "bundle", "name": "tiny", "model": str(face_bundle), "whole_image": True})
    rated = rater.rate(faces(40))
    assert set(rated.ratings["dimension"]) == {"amusement", "anger", "sadness"}
    assert rated.ratings.height == 120
    assert rated.replies["status"].unique().to_list() == ["ok"]
    assert rated.replies["cost"].null_count() == 40
    raw = build_rater(
        {"type": "bundle", "name": "tiny", "model": str(face_bundle), "whole_image": True, "values": "raw"}
    ).rate(faces(40))
    assert np.allclose(raw.ratings["value"] - rated.ratings["value"], 0.5, atol=1e-5)
    assert (rater.rater.kind, rater.rater.scale) == ("bundle", (0.0, 7.0))
    assert rater.rater.facts["values"] == "relative"


def test_a_bundle_gives_probabilities_where_it_has_them(face_bundle: Path) -> None:
    """Calibrated values exist for calibrated dimensions only."""
    settings = {"type": "bundle", "name": "t", "model": str(face_bundle), "whole_image": True, "values": "calibrated"}
    rater = build_rater(settings)
    rated = rater.rate(faces(3))
    assert set(rated.ratings["dimension"]) == {"anger"}
    assert rater.rater.scale == (0.0, 1.0)


def test_items_without_face_and_broken_files_are_rows(face_bundle: Path) -> None:
    """One bad item spoils no other; without `whole_image` a plain picture holds no face."""
    made = faces(3)
    settings = {"type": "bundle", "name": "tiny", "model": str(face_bundle)}
    rated = build_rater(settings).rate(made)
    assert rated.replies["status"].to_list() == ["error"] * 3
    assert rated.replies["message"][0].startswith("no_face")
    broken = replace(made, read_media=lambda item: picture(item) if item != "f1" else b"\xff\xd8\xffbroken")
    rated = build_rater({**settings, "whole_image": True, "batch_size": 1}).rate(broken)
    assert rated.replies["status"].to_list() == ["ok", "error", "ok"]
    assert "unreadable" in rated.replies["message"][1]
    assert rated.ratings["item"].unique(maintain_order=True).to_list() == ["f0", "f2"]


def test_a_bundle_scores_recordings(voice_bundle: Path) -> None:
    """A recording is judged whole, silence included."""
    rated = build_rater({"type": "bundle", "name": "v", "model": str(voice_bundle)}).rate(voices(2, read_media=_tone))
    assert rated.replies["status"].to_list() == ["ok", "ok"], rated.replies["message"].to_list()
    assert rated.ratings.height == 6


def test_a_bundle_of_the_other_modality_is_refused(face_bundle: Path) -> None:
    """Said before anything is scored."""
    with pytest.raises(UsageError, match="judges faces"):
        build_rater({"type": "bundle", "name": "tiny", "model": str(face_bundle)}).rate(voices(1))


def test_values_that_the_model_lacks_are_refused(face_bundle: Path, tmp_path: Path) -> None:
    """A model without neutral scores has no relative ones; the message tells what it has."""
    folder = shutil.copytree(face_bundle, tmp_path / "bare")
    update_card(folder, neutral_means={}, calibration={})
    with pytest.raises(UsageError, match="no relative scores; choose values = 'raw'"):
        build_rater({"type": "bundle", "name": "t", "model": str(folder), "whole_image": True}).rate(faces(1))


def _tone(item: str) -> bytes:
    import io

    import soundfile

    out = io.BytesIO()
    tone = 0.3 * np.sin(np.arange(16_000) * (0.1 + 0.05 * len(item)))
    soundfile.write(out, tone.astype(np.float32), 16_000, format="WAV")
    return out.getvalue()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("modality", "source", "labels", "key"),
    [
        ("face", "ferplus", ("happiness", "sadness"), "elation"),
        ("voice", "ravdess", ("angry", "sad"), "anger"),
    ],
)
def test_embedded_models_rate_real_items(
    shared: Path, modality: Modality, source: str, labels: tuple[str, str], key: str
) -> None:
    """The embedded models rate test items of an emotion higher on it than items of another."""
    table = pl.read_csv(shared / "data" / "manifest.csv", infer_schema_length=0)
    table = table.filter((pl.col("source") == source) & (pl.col("split") == "test") & (pl.col("modality") == modality))
    chosen = pl.concat(table.filter(pl.col("label") == label).head(15) for label in labels)
    assert chosen.height == 30
    made = faces(0, read_media=lambda item: (shared / "data" / item).read_bytes())
    made = replace(made, modality=modality, items=chosen.select(item="path", label="label"), dimensions=(key,))
    settings = {"type": "bundle", "name": "embedded", "model": modality, "whole_image": True}
    rated = build_rater(settings).rate(made)
    assert rated.replies["status"].unique().to_list() == ["ok"]
    values = rated.ratings.join(made.items, on="item").group_by("label").agg(pl.col("value").mean())
    mean = dict(values.iter_rows())
    assert mean[labels[0]] > mean[labels[1]] + 0.1
