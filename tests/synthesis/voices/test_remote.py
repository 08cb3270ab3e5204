"""Speech, transcription and scripts through services: a server that speaks their protocol, failures included."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the extra `services` is not installed")
pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")
pytest.importorskip("jiwer", reason="the extra `synthesis` is not installed")

from emonet.errors import ModelError, UnknownNameError
from emonet.services import Endpoint
from emonet.synthesis.voices import (
    FinishPolicy,
    Order,
    ScriptRules,
    ServiceGenerator,
    TranscriptionListener,
    VoiceDesign,
    ask_for_scripts,
    make_design,
    plan_voices,
    record_clips,
    synthesize_voices,
    write_scripts,
)
from emonet.synthesis.voices._remote import word_error_rate
from humming import hum, wav
from openai_server import Failure, openai_server

DESIGN = VoiceDesign(voices=["alloy", "onyx"], emotions=["anger", "awe"], accents=["none"])
SCRIPTS = write_scripts(make_design(voices=["alloy", "onyx"], emotions=["anger", "awe"]))


def endpoint(url: str, **options: Any) -> Endpoint:
    return Endpoint(url, "talker", api_key_env="", backoff_s=0.01, **{"price_request": 0.01, **options})


def spoken(path: str, body: dict[str, Any]) -> bytes:
    """What a service says: a hum as long as the words."""
    text = body["input"] if path == "/audio/speech" else body["messages"][-1]["content"]
    return wav(hum(0.3 * len(text.split()), 200))


def test_speech_is_asked_for_with_voice_words_and_direction(tmp_path: Path, lenient: FinishPolicy) -> None:
    with openai_server(spoken) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache", voices={"onyx": "Otto"}, terms="CC0-1.0")
        made = synthesize_voices(DESIGN, speaker, tmp_path / "talent", policy=lenient, workers=1)
        assert (len(made.session.clips), made.session.failures) == (4, ())
        assert made.cost == pytest.approx(0.04)
        bodies = {body["input"]: body for path, body in server.requests if path == "/audio/speech"}
        assert len(server.requests) == len(bodies) == 4
        for clip in made.session.clips:
            body = bodies[clip.script.text]
            assert body["model"] == "talker"
            assert body["voice"] == {"onyx": "Otto"}.get(clip.script.part.voice, "alloy")
            assert body["instructions"] == clip.script.direction
            assert clip.licence == "CC0-1.0"
            assert clip.generator.startswith("talker at 127.0.0.1")
        again = synthesize_voices(DESIGN, speaker, tmp_path / "talent", policy=lenient, workers=1)
        assert again.session.kept == 4
        assert len(server.requests) == 4


def test_audio_chat_sends_the_direction_and_the_marked_words(tmp_path: Path, lenient: FinishPolicy) -> None:
    with openai_server(spoken) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache", "audio_chat")
        session = record_clips(SCRIPTS, speaker, tmp_path / "clips", policy=lenient, workers=1)
        assert len(session.clips) == 4
        path, body = server.requests[0]
        assert path == "/chat/completions"
        assert (body["modalities"], body["audio"]["format"]) == (["text", "audio"], "wav")
        said = body["messages"][1]["content"]
        assert "[" in said  # cues of bursts
        assert body["messages"][0]["content"] in {script.direction for script in SCRIPTS}


def test_slow_broken_and_busy_services_cost_no_clip(tmp_path: Path, lenient: FinishPolicy) -> None:
    seen: Counter[str] = Counter()
    faults = [
        Failure(429, headers={"Retry-After": "0"}),
        Failure(500),
        Failure(0),
        Failure(delay_s=0.2, then=Failure(503)),
    ]

    def answer(path: str, body: dict[str, Any]) -> Any:
        seen[body["input"]] += 1
        first = seen[body["input"]] == 1
        return faults[list(seen).index(body["input"]) % 4] if first else spoken(path, body)

    with openai_server(answer) as server:
        speaker = ServiceGenerator(endpoint(server.url, timeout_s=1.0), tmp_path / "cache")
        session = record_clips(SCRIPTS, speaker, tmp_path / "clips", policy=lenient, workers=1)
        assert (len(session.clips), session.failures) == (4, ())
        assert set(seen.values()) == {2}


def test_sound_that_is_none_and_refusals_are_asked_for_again_as_another_take(
    tmp_path: Path, lenient: FinishPolicy
) -> None:
    """The first takes are a web page, silence and a refusal; each later take is another request."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        if "This is take" in body["instructions"]:
            return spoken(path, body)
        index = [script.text for script in SCRIPTS].index(body["input"])
        return [
            b"<html>sorry</html>",
            wav(hum(8, 200) * 0),
            Failure(400, "content_policy_violation"),
            spoken(path, body),
        ][index]

    with openai_server(answer) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache")
        session = record_clips(SCRIPTS, speaker, tmp_path / "clips", policy=lenient, workers=1)
        assert [clip.attempt for clip in session.clips] == [1, 1, 1, 0]
        told = [clip.faults[0] for clip in session.clips[:3]]
        assert told[0].startswith("no sound file")
        assert told[1] == "silent or empty"
        assert told[2].startswith("refused")
        assert len(server.requests) == 7


def test_a_spent_budget_packs_what_there_is_and_a_larger_one_goes_on(tmp_path: Path, lenient: FinishPolicy) -> None:
    with openai_server(spoken) as server:
        poor = ServiceGenerator(endpoint(server.url, budget=0.025, concurrency=1), tmp_path / "cache")
        first = synthesize_voices(DESIGN, poor, tmp_path / "talent", policy=lenient, workers=1)
        assert (len(first.session.clips), len(first.session.pending), first.session.failures) == (2, 2, ())
        assert json.loads((first.folder / "report.json").read_text())["pending"] == 2
        rich = ServiceGenerator(endpoint(server.url, budget=1.0), tmp_path / "cache")
        second = synthesize_voices(DESIGN, rich, tmp_path / "talent", policy=lenient, workers=1)
        assert (len(second.session.clips), second.session.kept) == (4, 2)
        assert len(server.requests) == 4


def test_a_wrong_key_ends_the_run_with_its_reason(tmp_path: Path, lenient: FinishPolicy) -> None:
    with openai_server(lambda *_: Failure(401, "no such key")) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache")
        with pytest.raises(ModelError, match="no such key"):
            record_clips(SCRIPTS, speaker, tmp_path / "clips", policy=lenient, workers=1)


def test_another_take_of_the_same_words_is_another_request(tmp_path: Path) -> None:
    speaker = ServiceGenerator(endpoint("http://127.0.0.1:1/v1"), tmp_path)
    (script, _, _, later) = write_scripts(make_design(voices=1, emotions=["awe"], takes=4))
    bodies = [speaker.request(Order(one, attempt, 7)).body for one in (script, later) for attempt in (0, 1)]
    assert len({body["instructions"] for body in bodies}) == 4


def test_a_plan_prices_a_run_and_sends_nothing(tmp_path: Path) -> None:
    with openai_server(spoken) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache")
        plan = plan_voices(
            VoiceDesign(languages=["en", "fr"]), speaker, writer=endpoint(server.url, price_request=0.002)
        )
        assert plan.recording.cost == pytest.approx(8.80)
        assert plan.writing is not None
        assert plan.writing.cost == pytest.approx(1.76)
        # A service plays the published accents: thirteen of English, and none.
        assert len(plan.balance.counts["accent"]) == 15
        assert server.requests == []


def test_an_unknown_protocol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'speech'"):
        ServiceGenerator(endpoint("http://127.0.0.1:1/v1"), tmp_path, "speach")  # type: ignore[arg-type]


def test_recognition_that_hears_other_words_makes_another_take(tmp_path: Path, lenient: FinishPolicy) -> None:
    """The first clip of the first script is heard wrongly; its second take, and all others, as they were written."""
    heard: list[bytes] = []

    def answer(path: str, body: dict[str, Any]) -> Any:
        if path == "/audio/speech":
            longer = 0.05 if "This is take" in body["instructions"] else 0.0
            return wav(hum(0.3 * len(body["input"].split()) + longer, 200))
        assert (body["language"], body["file"][:4]) == ("en", b"RIFF")
        heard.append(body["file"])
        return "something else entirely" if len(heard) == 1 else SCRIPTS[0].text.upper()

    with openai_server(answer) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache")
        listener = TranscriptionListener(endpoint(server.url, price_request=0.001), tmp_path / "cache")
        options = {"policy": lenient, "listener": listener, "workers": 1, "max_wer": 0.1}
        session = record_clips(SCRIPTS[:1], speaker, tmp_path / "clips", **options)
        (clip,) = session.clips
        assert "speech recognition differs" in clip.faults[0]
        assert (clip.attempt, clip.wer, clip.transcript) == (1, 0.0, SCRIPTS[0].text.upper())
        assert clip.cost == pytest.approx(0.022)
        assert len(heard) == len(set(heard)) == 2


def test_a_service_that_cannot_listen_fails_the_clip_with_its_reason(tmp_path: Path, lenient: FinishPolicy) -> None:
    def answer(path: str, body: dict[str, Any]) -> Any:
        return spoken(path, body) if path == "/audio/speech" else Failure(400, "no such language")

    with openai_server(answer) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "cache")
        listener = TranscriptionListener(endpoint(server.url), tmp_path / "cache")
        session = record_clips(SCRIPTS[:1], speaker, tmp_path / "clips", policy=lenient, listener=listener, workers=1)
        (failure,) = session.failures
        assert "no such language" in failure.faults[0]
        assert [path for path, _ in server.requests].count("/audio/speech") == 1  # no take is paid for in vain


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("That's enough! Enough!", "that's enough enough", 0.0),
        ("Ça suffit ! Assez !", "ça suffit assez", 0.0),
        ("one two three four", "one two three", 0.25),
        ("one two", "", 1.0),
        ("one", "one two three", 2.0),
    ],
)
def test_word_errors_ignore_case_and_punctuation(said: str, heard: str, rate: float) -> None:
    assert word_error_rate(said, heard) == pytest.approx(rate)


GOOD = {
    "scene": "A garage at night.",
    "sentences": ["You took my car again.", "I told you to keep your hands off it, and you never listen to me!"],
    "bursts": [{"name": "Growl", "place": "start"}],
}


def test_a_model_writes_scripts_by_a_schema(tmp_path: Path) -> None:
    parts = make_design(voices=2, emotions=["anger"])
    with openai_server(lambda *_: "```json\n" + json.dumps(GOOD) + "\n```") as server:
        made = ask_for_scripts(parts, endpoint(server.url), cache=tmp_path)
        assert made.replaced == {}
        assert made.cost == pytest.approx(0.02)
        assert [script.part for script in made.scripts] == list(parts)
        script = made.scripts[0]
        assert (script.writer, script.scene) == ("talker", "A garage at night.")
        assert "growls" in script.direction
        body = server.requests[0][1]
        assert body["response_format"]["json_schema"]["schema"]["required"] == ["scene", "sentences", "bursts"]
        assert "Anger" in body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"sentences": ["I am so angry that I could throw this very plate at the wall."]}, "'angry' names the emotion"),
        ({"sentences": ["Du hast mein Auto genommen, und ich habe gesagt, dass du das nicht darfst!"]}, "like German"),
        ({"sentences": ["Get out."]}, "2 words"),
        ({"sentences": ["[shouts] You took my car again and you never told me about it, did you?"]}, "stage dir"),
        ({"sentences": []}, "no script by the schema"),
        ({"bursts": [{"name": "Burp", "place": "start"}]}, "no script by the schema"),
        ({"scene": 3}, "no script by the schema"),
    ],
)  # fmt: skip
def test_what_a_model_may_not_write_is_replaced_and_told(tmp_path: Path, changed: dict[str, Any], fault: str) -> None:
    parts = make_design(voices=1, emotions=["anger"])
    with openai_server(lambda *_: json.dumps({**GOOD, **changed})) as server:
        made = ask_for_scripts(parts, endpoint(server.url, max_attempts=2), cache=tmp_path)
        (reason,) = made.replaced.values()
        assert fault in reason
        assert made.scripts[0].writer == "templates"
        assert len(server.requests) == 2
        assert fault in server.requests[1][1]["messages"][-1]["content"]  # the model is told what was wrong


def test_a_model_that_mends_its_script_is_used(tmp_path: Path) -> None:
    answers = iter(["no JSON at all", json.dumps(GOOD)])
    with openai_server(lambda *_: next(answers)) as server:
        made = ask_for_scripts(make_design(voices=1, emotions=["anger"]), endpoint(server.url), cache=tmp_path)
        assert made.replaced == {}


def test_the_emotion_may_be_named_when_that_is_allowed(tmp_path: Path) -> None:
    said = {**GOOD, "sentences": ["I am so angry with you that I could throw this plate at the wall."]}
    with openai_server(lambda *_: json.dumps(said)) as server:
        made = ask_for_scripts(
            make_design(voices=1, emotions=["anger"]), endpoint(server.url), cache=tmp_path,
            rules=ScriptRules(name_emotion=True),
        )  # fmt: skip
        assert made.replaced == {}


def test_a_release_by_services_alone_tells_who_wrote_what(tmp_path: Path, lenient: FinishPolicy) -> None:
    def answer(path: str, body: dict[str, Any]) -> Any:
        if path == "/audio/speech":
            return spoken(path, body)
        # For awe the model writes in German, which is refused.
        return json.dumps(GOOD) if "Emotion: Anger" in body["messages"][1]["content"] else "Ich weiß nicht."

    with openai_server(answer) as server:
        speaker = ServiceGenerator(endpoint(server.url), tmp_path / "talent" / ".services")
        made = synthesize_voices(
            DESIGN, speaker, tmp_path / "talent", writer=endpoint(server.url, max_attempts=1), policy=lenient, workers=1
        )
        assert len(made.session.clips) == 4
        report = json.loads((made.folder / "report.json").read_text())
        assert report["writers"] == ["talker", "templates"]
        assert len(report["design"]["replaced_scripts"]) == len(made.replaced) == 2
        assert made.cost == pytest.approx(0.08)


_RUN = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from emonet.services import Endpoint
from emonet.synthesis.voices import FinishPolicy, ServiceGenerator, VoiceDesign, synthesize_voices
service = Endpoint({url!r}, "talker", api_key_env="", concurrency=2, price_request=0.01)
speaker = ServiceGenerator(service, Path({cache!r}))
synthesize_voices(VoiceDesign(voices=5, emotions=["anger", "awe"], accents=["none"]), speaker, {folder!r},
                  policy=FinishPolicy(min_speech=0.0), workers=1)
"""


def test_killed_in_the_middle_nothing_that_was_answered_is_asked_again(tmp_path: Path, lenient: FinishPolicy) -> None:
    gate = threading.Semaphore(4)  # answers before the kill

    def answer(path: str, body: dict[str, Any]) -> Any:
        gate.acquire()
        return spoken(path, body)

    cache, folder = tmp_path / "cache", tmp_path / "talent"
    with openai_server(answer) as server:
        code = _RUN.format(tests=str(Path(__file__).parents[2]), url=server.url, cache=str(cache), folder=str(folder))
        work = subprocess.Popen([sys.executable, "-c", code], env=os.environ)
        deadline = time.monotonic() + 60
        while len(server.requests) < 6:  # four are answered, two wait
            assert time.monotonic() < deadline
            assert work.poll() is None, "it ended before it was killed"
        work.send_signal(signal.SIGKILL)
        work.wait()
        gate.release(100)
        speaker = ServiceGenerator(endpoint(server.url), cache)
        design = VoiceDesign(voices=5, emotions=["anger", "awe"], accents=["none"])
        made = synthesize_voices(design, speaker, folder, policy=lenient, workers=1)
        assert len(made.session.clips) == 10
        asked = Counter((body["input"], body["voice"]) for _, body in server.requests)
        # Only the two whose answers never arrived are asked again.
        assert sorted(asked.values()) == [1] * 8 + [2] * 2
        assert made.cost == pytest.approx(0.10)
