"""Hume's services, against a server that answers in their published formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmark.raters.made_items import KEYS, faces, recording, voices
from benchmark.raters.model_server import ModelServer, Reply
from emonet.benchmark.raters import Rated, RaterRunner, build_rater
from emonet.benchmark.raters._hume import hume_labels
from emonet.errors import ModelError


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


def hume_rater(server: ModelServer, cache: Path, **settings: Any) -> RaterRunner:
    """A rater against the server."""
    chosen = {"type": "hume", "name": "Hume", "base_url": server.url, "poll_s": 0.02, "backoff_s": 0.01, **settings}
    return build_rater(chosen, cache=cache)


def uploaded(*measurements: Mapping[str, float]) -> dict[str, Any]:
    """An upload's reply for a recording: one utterance with these measurements."""
    made = [
        {
            "trigger": "interval", "audio_start_ms": 0, "audio_end_ms": 500,
            "expressions": [{"name": name, "probability": value} for name, value in scores.items()],
            "voice_attributes": [{"name": "clear", "probability": 0.9}],
        }
        for scores in measurements
    ]  # fmt: skip
    return {"run_id": "r", "utterances": [{"audio_start_ms": 0, "audio_end_ms": 500, "measurements": made}]}


def predicted(model: str, *windows: Mapping[str, float]) -> list[dict[str, Any]]:
    """A job's predictions for one file."""
    predictions = [
        {"time": {"begin": 0, "end": 1}, "emotions": [{"name": name, "score": value} for name, value in scores.items()]}
        for scores in windows
    ]
    models = {model: {"metadata": None, "grouped_predictions": [{"id": "unknown", "predictions": predictions}]}}
    found = {"predictions": [{"file": "item.wav", "file_type": "audio", "models": models}], "errors": []}
    return [{"source": {"type": "file", "filename": "item.wav"}, "results": found}]


def values(rated: Rated, item: str) -> dict[str, float]:
    rows = rated.ratings.filter(pl.col("item") == item)
    return dict(zip(rows["dimension"], rows["value"].round(6), strict=True))


def test_what_is_not_returned_is_no_zero(server: ModelServer, tmp_path: Path) -> None:
    """A name under the service's cutoff has no rating; a returned 0 has one. Means go over the measurements."""
    server.hume = {
        "v0": uploaded({"amusement": 0.2, "envy": 0.4, "angst": 0.9}, {"amusement": 0.6}),
        "v1": uploaded({"sadness": 0.0}),
    }
    rated = hume_rater(server, tmp_path).rate(voices(2))
    assert values(rated, "v0") == {"amusement": 0.4, "jealousy_envy": 0.4}
    assert values(rated, "v1") == {"sadness": 0.0}
    assert rated.replies["status"].to_list() == ["ok", "ok"]
    assert rated.replies["message"].to_list() == ["2 of 4 not returned", "3 of 4 not returned"]
    rater = hume_rater(server, tmp_path).rater
    assert (rater.kind, rater.scale) == ("api", (0.0, 1.0))


def test_no_speech_is_a_refusal_to_judge(server: ModelServer, tmp_path: Path) -> None:
    """A reply without measurements is counted apart from low scores."""
    server.hume = {"v0": {"run_id": "r", "utterances": []}}
    rated = hume_rater(server, tmp_path).rate(voices(1))
    assert rated.replies["status"].to_list() == ["refused"]
    assert "no speech" in rated.replies["message"][0]
    assert rated.ratings.is_empty()


def test_the_upload_goes_where_and_as_published(server: ModelServer, tmp_path: Path, monkeypatch: Any) -> None:
    """16-bit WAV, 16 kHz mono, with the key in its header."""
    monkeypatch.setenv("HUME_API_KEY", "made-key")
    server.hume = {"v0": uploaded({"anger": 0.5})}
    hume_rater(server, tmp_path).rate(voices(1))
    sent = server.requests[0][1]
    assert sent["path"] == "/v1/expression/audio/file"
    assert sent["size"] > len(recording("v0"))
    assert {key.lower(): value for key, value in server.headers[0].items()}["x-hume-api-key"] == "made-key"


def test_the_largest_face_counts(server: ModelServer, tmp_path: Path) -> None:
    """Faces come largest first; those that were not measured have no scores."""
    face = {"face_id": "1", "expressions": [{"name": "amusement", "probability": 0.7}], "descriptions": []}
    other = {"face_id": "2", "expressions": [{"name": "anger", "probability": 0.9}], "descriptions": []}
    unmeasured = {"face_id": None, "expressions": None, "descriptions": None}
    server.hume = {"f0": {"results": [{"faces": [face, other, unmeasured]}]}, "f1": {"results": [{"faces": []}]}}
    rated = hume_rater(server, tmp_path).rate(faces(2))
    assert server.requests[0][1]["path"] == "/v1/expression/video/file"
    assert values(rated, "f0") == {"amusement": 0.7}
    assert rated.replies["status"].to_list() == ["ok", "refused"]


def test_a_job_is_submitted_watched_and_fetched(server: ModelServer, tmp_path: Path) -> None:
    """The interface of jobs: submit, look until it is complete, fetch the predictions."""
    server.hume = {"v0": predicted("prosody", {"Amusement": 0.1, "Anger": 0.2, "Envy": 0.3, "Sadness": 0.4})}
    rated = hume_rater(server, tmp_path, api="batch").rate(voices(1))
    assert values(rated, "v0") == dict(zip(KEYS, (0.1, 0.2, 0.3, 0.4), strict=True))
    assert server.requests[0][1]["json"] == '{"models": {"prosody": {}}, "notify": false}'
    assert server.jobs["job-1"]["looks"] == 2


def test_a_job_begun_before_is_fetched_not_paid_again(server: ModelServer, tmp_path: Path) -> None:
    """A job that outlasts the timeout is looked at again, in this run and the next, by its number."""
    server.hume = {"v0": predicted("prosody", {"Anger": 0.2})}
    server.job_polls = 10_000
    settings = {"api": "batch", "timeout_s": 0.5, "max_attempts": 2}
    first = hume_rater(server, tmp_path, **settings).rate(voices(1))
    assert first.replies.select("status", "attempts").row(0) == ("timeout", 1)
    assert "job-1" in first.replies["message"][0]
    server.job_polls = 1
    second = hume_rater(server, tmp_path, **settings).rate(voices(1))
    assert second.replies.select("status", "attempts").row(0) == ("ok", 1)
    assert len(server.requests) == 1


def test_failures_of_the_service(server: ModelServer, tmp_path: Path) -> None:
    """Server errors are tried again; a closed interface or a wrong key ends the rater."""
    server.hume = {"v0": uploaded({"anger": 0.5})}
    server.script = {"v0": [Reply(status=500), Reply()]}
    rated = hume_rater(server, tmp_path).rate(voices(1))
    assert rated.replies.select("status", "attempts").row(0) == ("ok", 2)
    server.script = {"v0": [Reply(status=401)]}
    with pytest.raises(ModelError, match="HTTP 401: told to fail"):
        hume_rater(server, tmp_path / "b").rate(voices(1))


def test_long_recordings_can_be_left_out(server: ModelServer, tmp_path: Path) -> None:
    """The published comparison sent at most 5 s; what is longer is an error row and no request."""
    rated = hume_rater(server, tmp_path, max_seconds=0.4).rate(voices(1))
    assert rated.replies.select("status", "attempts").row(0) == ("error", 0)
    assert "at most 0.4 s" in rated.replies["message"][0]
    assert not server.requests


def test_names_follow_the_published_table() -> None:
    """25 of Hume's names by LAION's table for voices, with equal names beside; faces lack Sexual Lust, as published."""
    voice, face = hume_labels("voice"), hume_labels("face")
    assert voice["surprise (negative)"] == voice["surprise (positive)"] == "astonishment_surprise"
    assert (voice["joy"], voice["excitement"], voice["realization"]) == ("elation", "arousal", "contemplation")
    assert voice["desire"] == "sexual_lust"
    assert "desire" not in face
    assert "excitement" not in face
    assert "guilt" not in voice  # LAION mapped it to nothing
