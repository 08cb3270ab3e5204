"""Routes of LAION's servers: names, nesting, status codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from starlette.testclient import TestClient

from emonet.serve import ServeSettings, create_app
from emonet.taxonomy import checkpoint_name


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, wav: bytes) -> Iterator[TestClient]:
    """The embedded models, one allowed folder, one table."""
    folder = tmp_path_factory.mktemp("disk")
    (folder / "in").mkdir()
    (folder / "in" / "a.wav").write_bytes(spoken())
    (folder / "in" / "hum.wav").write_bytes(wav)
    (folder / "in" / "way-out").symlink_to(folder / "outside.wav")
    (folder / "outside.wav").write_bytes(wav)
    table = {"id": ["x1", "x2", "x3"], "language": ["en", "en", "de"], "Pain_best": [3.25, 1.0, 9.0],
             "Age_best": [1.5, 1.2, 1.5]}  # fmt: skip
    pl.DataFrame(table).write_parquet(folder / "table.parquet")
    with TestClient(
        create_app(ServeSettings(models=("voice",), score_root=folder / "in", explorer=folder / "table.parquet"))
    ) as client:
        yield client


def spoken() -> bytes:
    """A synthetic voice; the tests that need one are skipped without the package."""
    pytest.importorskip("espeakng_loader")
    from emonet.serve.page._examples import make_example

    return make_example("sentence.wav")


def test_predict(full: TestClient) -> None:
    """{"file", "caption", "emotions"}: raw scores under the checkpoints' names."""
    answer = full.post("/predict", files={"file": ("clip_0001.wav", spoken(), "audio/mpeg")})
    body = answer.json()
    assert (answer.status_code, list(body)) == (200, ["file", "caption", "emotions"])
    assert isinstance(body["caption"], str)
    assert body["caption"]
    assert checkpoint_name("jealousy_envy", "voice") == "Jealousy_&_Envy"
    assert body["emotions"]["Anger"] == pytest.approx(body["emotions"]["Anger"])


def test_predict_fails_as_the_reference_does(full: TestClient) -> None:
    """200 with `error` for what is no recording, FastAPI's body for a missing field."""
    answer = full.post("/predict", files={"file": ("a.wav", b"no recording")})
    assert (answer.status_code, answer.json()) == (200, {"file": "a.wav", "error": "Processing failed"})
    missing = full.post("/predict")
    assert missing.status_code == 422
    assert missing.json()["detail"][0]["loc"] == ["body", "file"]


def test_health(full: TestClient) -> None:
    """The reference's three keys."""
    assert full.get("/health").json() == {"status": "ok", "device": "cpu", "models_loaded": True}


def test_score_reads_below_its_folder_only(full: TestClient) -> None:
    """Scores rounded to four places; every way out of the folder is refused alike."""
    body = full.post("/score", data={"audio_path": "a.wav"}).json()
    assert list(body) == ["status", "scores", "caption", "elapsed"]
    assert body["scores"]["Anger"] == round(body["scores"]["Anger"], 4)
    told = set()
    for path in ("../outside.wav", "way-out", "/etc/passwd", "none.wav", "a\0b", ".", "x" * 4000):
        answer = full.post("/score", data={"audio_path": path})
        assert answer.status_code == 404, path
        told.add(answer.json()["detail"])
    assert len(told) == 1
    assert full.post("/score", data={"audio_path": "hum.wav"}).status_code == 422


def test_score_and_explorer_are_off_unless_asked_for(api: TestClient) -> None:
    """404 with the option that would turn them on."""
    assert "--score-root" in api.post("/score", data={"audio_path": "a.wav"}).json()["detail"]
    assert "--explorer" in api.get("/columns").json()["detail"]


def test_explorer(full: TestClient) -> None:
    """Columns, rank, chained comparisons, sums, languages."""
    assert {"name": "Pain_best", "is_numeric": True} in full.get("/columns").json()
    asked = {"metric": "top", "column": "Pain_best", "k": 5, "lang_codes": ["en"], "select": ["id", "Pain_best"],
             "filters": ["1 < Age_best < 2", "Pain_best + Age_best > 4"]}  # fmt: skip
    body = full.post("/rank", json=asked).json()
    assert body == {"rowcount_after_filters": 1, "rows": [{"id": "x1", "Pain_best": 3.25}]}
    every = full.post("/rank", json={"metric": "min", "column": "Pain_best", "k": 2}).json()
    assert [row["id"] for row in every["rows"]] == ["x2", "x1"]


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('x') > 1", "Pain_best", "nope > 1", "language > 1", "Pain_best in (1, 2)", "(" * 300,
     "True > 0", "Pain_best > 'a'", "1 < 2 if 1 else 2", "Pain_best.real > 1", "9**9**9 > 1"],
)  # fmt: skip
def test_filters_are_parsed_and_never_run(full: TestClient, text: str) -> None:
    """Anything but a comparison of numbers and numeric columns is refused."""
    assert full.post("/rank", json={"column": "Pain_best", "filters": [text]}).status_code == 422


def test_the_models_of_this_server_stay_apart(settings: ServeSettings, png: bytes) -> None:
    """Without a voice model there is nothing to predict."""
    with TestClient(create_app(replace(settings, models=settings.models[:1]))) as client:
        assert client.post("/predict", files={"file": ("a.png", png)}).status_code == 404
