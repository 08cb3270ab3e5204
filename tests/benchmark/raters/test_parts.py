"""Settings, prompts, files, cache and limits, each on its own."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmark.raters.made_items import faces, picture, recording
from emonet.benchmark.raters import RATER_TYPES, build_rater
from emonet.benchmark.raters._chat import public_address
from emonet.benchmark.raters._examples import EXAMPLES
from emonet.benchmark.raters._media_parts import audio_part, image_part
from emonet.benchmark.raters._parsing import parse_reply
from emonet.benchmark.raters._prompts import prompt
from emonet.benchmark.raters._questions import AnswerScale, Question, answer_scale, questions
from emonet.errors import UnknownNameError, UnreadableMediaError, UsageError
from emonet.services._cache import Key, ReplyCache
from emonet.services._limits import Budget, Pace, backoff_s, retry_after_s
from emonet.services._replies import fault_of
from emonet.taxonomy import EMOTIONS, Modality

OPENAI = {"type": "openai", "name": "n", "model": "m"}


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "nearest"),
    [
        ({"type": "opanai", "name": "n"}, "openai"),
        ({**OPENAI, "max_token": 3}, "max_tokens"),
        ({"type": "bundle", "name": "n", "model": "face", "value": "raw"}, "values"),
        ({"type": "hume", "name": "n", "pool_s": 1}, "poll_s"),
    ],
)
def test_misspelt_settings_name_the_nearest(settings: dict[str, Any], nearest: str, tmp_path: Path) -> None:
    """Types and keys are closed lists."""
    with pytest.raises(UnknownNameError) as caught:
        build_rater(settings, cache=tmp_path)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "type"),
        ({"type": "openai", "name": "n"}, "model"),
        ({**OPENAI, "concurrency": 0}, "concurrency"),
        ({**OPENAI, "prompt": "few-shot"}, "prompt"),
        ({**OPENAI, "budget": 5}, "budget needs prices"),
        ({**OPENAI, "price_in": -1}, "price_in"),
        ({"type": "baseline", "name": "n", "rule": "zero", "value": 1}, "value"),
    ],
)
def test_wrong_settings_are_explained(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    """The message names the setting."""
    with pytest.raises(UsageError, match=told):
        build_rater(settings, cache=tmp_path)


def test_services_need_a_cache() -> None:
    """What is paid for is kept; local raters need none."""
    with pytest.raises(UsageError, match="cache="):
        build_rater(OPENAI)
    assert RATER_TYPES == ("openai", "anthropic", "gemini", "hume", "bundle", "baseline")


def test_facts_tell_the_model_and_no_secret(tmp_path: Path) -> None:
    """User, password and query of an address stay out of the results."""
    settings = {**OPENAI, "base_url": "https://user:secret@host:8000/v1/?token=secret"}
    rater = build_rater(settings, cache=tmp_path).rater
    assert rater.facts["address"] == "https://host:8000/v1"
    assert rater.facts["model"] == "m"
    assert public_address("http://[::1]:80/x") == "http://[::1]:80/x"
    assert build_rater(settings, cache=tmp_path).rater.kind == "zero-shot"


# --- questions and prompts --------------------------------------------------------------------------------------------


def test_the_scale_follows_the_set() -> None:
    """Whole numbers on the people's scale, a share where people say yes or no, or what the settings say."""
    assert answer_scale(faces(1), None) == AnswerScale(0, 7, whole=True)
    assert answer_scale(faces(1, scale=(0.0, 1.0), levels=(0.0, 1.0)), None) == AnswerScale(0, 1, False, share=True)
    assert answer_scale(faces(1), (0, 10)) == AnswerScale(0, 10, whole=True)
    assert answer_scale(faces(1), (0, 1)) == AnswerScale(0, 1, whole=False)
    with pytest.raises(UsageError, match="lower end first"):
        answer_scale(faces(1), (7, 0))


def test_two_dimensions_an_item_are_asked_together() -> None:
    """`auto` asks one by one only where every item has one dimension; `one` always does."""
    import polars as pl

    asked = pl.DataFrame({"item": ["f0", "f0", "f1"], "dimension": ["sadness", "anger", "anger"]})
    made = faces(2, asked=asked)
    assert list(questions(made, "auto")) == [Question("f0", ("anger", "sadness")), Question("f1", ("anger",))]
    assert [question.dimension for question in questions(made, "one")] == ["anger", "sadness", "anger"]


@pytest.mark.parametrize("modality", ["face", "voice"])
@pytest.mark.parametrize("alone", [False, True])
def test_worked_examples_obey_their_own_rules(modality: Modality, alone: bool) -> None:
    """Every example answer parses, on any scale, so that no model learns a wrong form; names are the taxonomy's."""
    keys = tuple(emotion.key for emotion in EMOTIONS)
    for example in EXAMPLES[modality]:
        assert set(example.strength) <= set(keys)
        assert all(0 < strength <= 1 for strength in example.strength.values())
    question = Question("", ("anger",), "anger") if alone else Question("", keys)
    for scale in (AnswerScale(0, 7, True), AnswerScale(0, 2, True), AnswerScale(0, 1, False, share=True)):
        made = prompt(question, scale, modality=modality, style="multi-shot")
        answers = [line.removeprefix("Answer: ") for line in made.user.splitlines() if line.startswith("Answer: ")]
        assert len(answers) == 5
        assert all(parse_reply(answer, question, scale, modality).status == "ok" for answer in answers)


def test_prompts_list_all_emotions_with_words_and_attributes_with_poles() -> None:
    """Names, example words and the meaning of both ends; the hash follows every word and the schema."""
    keys = (*(emotion.key for emotion in EMOTIONS), "valence")
    scale = AnswerScale(0, 7, True)
    made = prompt(Question("", keys), scale, modality="face", style="zero-shot")
    for emotion in EMOTIONS:
        assert f"- {emotion.name} (" in made.user
        assert emotion.words[-1] in made.user
    assert "Further qualities" in made.user
    assert len(made.schema["properties"]["emotions"]["items"]["properties"]["emotion"]["enum"]) == 41
    hashes = {
        prompt(Question("", keys[:n]), scale, modality="face", style="zero-shot", instructions=text).sha256
        for n in (1, 2)
        for text in (None, "Other words.")
    }
    assert len(hashes) == 4


# --- files ------------------------------------------------------------------------------------------------------------


def test_pictures_go_as_they_are_unless_they_tell_too_much() -> None:
    """EXIF data (place, camera, orientation) is taken off; unreadable formats and large pictures are converted."""
    plain = picture("a")
    assert image_part(plain, "a").data == plain
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretCam"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 9, 9)).save(out, "JPEG", exif=exif)
    sent = image_part(out.getvalue(), "a")
    assert b"SecretCam" not in sent.data
    with Image.open(io.BytesIO(sent.data)) as shown:
        assert shown.size == (30, 40)  # turned as the data said
    out = io.BytesIO()
    Image.new("RGB", (400, 300)).save(out, "BMP")
    small = image_part(out.getvalue(), "a", max_side=100)
    assert small.mime == "image/png"
    with Image.open(io.BytesIO(small.data)) as shown:
        assert shown.size == (100, 75)
    with pytest.raises(UnreadableMediaError, match="face-1"):
        image_part(b"nothing", "face-1")


def test_recordings_are_converted_without_loss() -> None:
    """Another format becomes 16-bit WAV, 16 kHz mono; samples of a WAV survive bit by bit."""
    sound = recording("a")
    assert audio_part(sound, "a").data == sound
    again = audio_part(sound, "a", accepted=())
    with wave.open(io.BytesIO(sound)) as one, wave.open(io.BytesIO(again.data)) as two:
        assert one.readframes(10**6) == two.readframes(10**6)
    assert again.seconds == pytest.approx(0.5)
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, np.zeros((4410, 2), np.float32), 44_100, format="FLAC")
    part = audio_part(out.getvalue(), "a")
    with wave.open(io.BytesIO(part.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 1600)
    assert part.mime == "audio/wav"
    with pytest.raises(UnreadableMediaError, match="clip"):
        audio_part(picture("a"), "clip")


# --- cache ------------------------------------------------------------------------------------------------------------


def test_a_request_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    """Another reader sees the request while it is under way, and the raw reply before it is priced."""
    key = Key("content", "configuration", "prompt", "item")
    with ReplyCache(tmp_path / "c" / "replies.sqlite") as cache, ReplyCache(tmp_path / "c" / "replies.sqlite") as other:
        number = cache.begin(key)
        assert other.attempts(key)[0].state == "sent"
        cache.receive(number, "reply", body="raw \ud800 \x00", http_status=200, message="", seconds=1.5)
        kept = other.attempts(key)[0]
        assert (kept.body, kept.seconds, kept.cost) == ("raw ? \x00", 1.5, None)
        assert other.unaccounted("configuration") == [kept]
        cache.account(number, status="ok", tokens_in=1, tokens_out=2, cost=0.25)
        assert other.spent("configuration") == 0.25
        assert other.spent("another") == 0
        assert not other.unaccounted("configuration")
        assert not other.attempts(Key("other", "configuration", "prompt", "item"))
        assert len(other.attempts_of_item("configuration", "prompt", "item")) == 1


def test_a_foreign_file_is_no_cache(tmp_path: Path) -> None:
    """A text file, a later format and a folder that cannot be written are told apart from a cache."""
    (tmp_path / "text").write_text("hello " * 500)
    with pytest.raises(UsageError, match="no cache of replies"):
        ReplyCache(tmp_path / "text")
    import sqlite3

    connection = sqlite3.connect(tmp_path / "later")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(UsageError, match="format 9"):
        ReplyCache(tmp_path / "later")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be kept"):
        ReplyCache(tmp_path / "file" / "replies.sqlite")


def test_many_threads_share_a_cache(tmp_path: Path) -> None:
    """Nothing is lost or mixed up when all write at once."""
    with ReplyCache(tmp_path / "replies.sqlite") as cache:

        def write(n: int) -> None:
            for i in range(10):
                key = Key(f"{n}-{i}", "c", "p", "item")
                cache.receive(cache.begin(key), "reply", body=f"{n}-{i}", http_status=200, message="", seconds=0)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bodies = {cache.attempts(Key(f"{n}-{i}", "c", "p", "item"))[0].body for n in range(6) for i in range(10)}
    assert len(bodies) == 60


# --- limits -----------------------------------------------------------------------------------------------------------


def test_retry_after_is_a_number_or_a_date() -> None:
    """Both forms of the header; nonsense is no delay."""
    assert retry_after_s("1.5") == 1.5
    assert retry_after_s("-3") == 0
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after_s(later) == pytest.approx(30, abs=2)
    assert [retry_after_s(text) for text in (None, "", "soon", "nan", "inf")] == [None] * 5


def test_backoff_doubles_up_to_a_minute() -> None:
    """With jitter between half and all of it."""
    for failures, most in ((1, 1.0), (2, 2.0), (4, 8.0), (50, 60.0)):
        assert most / 2 <= backoff_s(failures, 1.0) <= most


def test_a_pause_holds_everyone() -> None:
    """Those who wait already wait for the pause, too; a stop ends all waiting."""
    pace, stop = Pace(None, None), threading.Event()
    pace.pause(0.2)
    start = time.monotonic()
    assert pace.wait(0, stop)
    assert time.monotonic() - start >= 0.19
    pace.pause(60)
    threading.Timer(0.05, stop.set).start()
    assert not pace.wait(0, stop)


@given(
    limit=st.floats(0.1, 10),
    costs=st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1)), max_size=20),
)
def test_a_budget_is_never_exceeded(limit: float, costs: list[tuple[float, float]]) -> None:
    """Whatever the prices, as long as no request costs more than was set aside for it."""
    budget, stop = Budget(limit), threading.Event()
    for most, share in costs:
        if budget.reserve(most, stop):
            budget.settle(most, most * share)
    assert budget.spent <= limit + 1e-9


def test_a_budget_waits_for_requests_under_way() -> None:
    """A request that turns out cheaper makes room for the next."""
    budget, stop = Budget(1.0), threading.Event()
    assert budget.reserve(0.9, stop)
    threading.Timer(0.05, budget.settle, (0.9, 0.1)).start()
    assert budget.reserve(0.9, stop)
    budget.settle(0.9, 0.9)
    assert not budget.reserve(0.01, stop)


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (429, "{}", "wait"),
        (429, '{"error": {"code": "insufficient_quota"}}', "fatal"),
        (529, '{"error": {"type": "overloaded_error"}}', "again"),
        (408, "", "again"),
        (404, '{"error": "model not found"}', "fatal"),
        (413, "too large", "item"),
        (400, '{"error": {"code": "content_filter"}}', "refused"),
        (400, '{"error": {"message": "Your credit balance is too low"}}', "fatal"),
    ],
)
def test_errors_of_services_are_sorted(status: int, body: str, fault: str) -> None:
    """What concerns one item, what passes, and what concerns everything."""
    assert fault_of(status, body)[0] == fault


@given(
    body=st.text()
    | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_any_reply_of_a_service_can_be_read(body: str) -> None:
    """Whatever JSON or text comes back, envelopes are read without an error and mostly give no answer."""
    from emonet.benchmark.raters._anthropic import AnthropicProtocol
    from emonet.benchmark.raters._chat import ChatService
    from emonet.benchmark.raters._gemini import GeminiProtocol
    from emonet.benchmark.raters._hume import hume_service
    from emonet.benchmark.raters._openai import OpenAIProtocol
    from emonet.benchmark.raters._settings import AnthropicSettings, GeminiSettings, HumeSettings, OpenAISettings

    fields: dict[str, Any] = {"name": "n", "model": "m"}
    scale, question = AnswerScale(0, 7, True), Question("i", ("anger",))
    chats = [
        (OpenAISettings(type="openai", **fields), OpenAIProtocol),
        (AnthropicSettings(type="anthropic", **fields), AnthropicProtocol),
        (GeminiSettings(type="gemini", **fields), GeminiProtocol),
    ]
    services: list[Any] = [ChatService(s, protocol(s), scale, "face", ()) for s, protocol in chats]  # type: ignore[operator]
    for service in [*services, hume_service(HumeSettings(type="hume", name="n"), "face")]:
        answer = service.interpret(body, question)
        assert answer.status != "ok" or set(answer.values) <= {"anger"}
        service.usage(body)
        fault_of(400, body)


def test_the_page_on_raters_names_every_setting() -> None:
    """Each key of each type stands in docs/raters.md, and its TOML builds a rater."""
    import tomllib

    from emonet.benchmark.raters import _settings

    page = (Path(__file__).resolve().parents[3] / "docs" / "raters.md").read_text(encoding="utf-8")
    models = [
        getattr(_settings, f"{name}Settings")
        for name in ("OpenAI", "Anthropic", "Gemini", "Hume", "Bundle", "Baseline")
    ]
    missing = {key for model in models for key in model.model_fields if f"`{key}`" not in page}
    assert not missing
    example = tomllib.loads(page.partition("```toml\n")[2].partition("```")[0])
    assert build_rater(example["rater"][0], cache=Path("cache")).rater.kind == "zero-shot"
