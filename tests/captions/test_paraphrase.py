"""Paraphrases: what says the same is kept, what does not is told, and nothing is paid for twice."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest

from emonet.captions import TEMPLATES, caption_scores, paraphrase, paraphrase_cost, paraphrase_fault
from emonet.errors import UsageError
from emonet.services import Endpoint
from openai_server import openai_server

CAPTION = "The voice sounds very sad, with a hint of anger. There is no sign of amusement."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Very sad, this voice, and slightly angry; amusement is absent.", ""),
        ("A very sad voice with a hint of anger.", "Amusement"),
        ("Slightly sad, slightly angry, without amusement.", "Sadness should be strong"),
        ("Very sad, very angry, no amusement.", "Anger should be slight"),
        ("Very sad, a hint of anger, no amusement, very jealous.", "was added"),
        ("Very sad, a hint of anger, slight amusement.", "Amusement should be absent"),
        (CAPTION.upper(), "word for word"),
        ("", "1 to 160 words"),
        ("sad " * 200, "1 to 160 words"),
    ],
)
def test_what_is_wrong_with_a_paraphrase(text: str, fault: str) -> None:
    """An emotion dropped, weakened, strengthened, added or no longer denied."""
    found = paraphrase_fault(CAPTION, text)
    assert (found == "") if not fault else fault in found


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_a_paraphrase_of_every_other(template: str) -> None:
    """The checker reads all of our own wordings alike."""
    scores = {"anger": 9.0, "sadness": 5.0, "fear": 4.0}
    one = caption_scores(scores, template="default", seed=1, always=()).text
    other = caption_scores(scores, template=template, seed=2, always=()).text
    fault = paraphrase_fault(one, other)
    assert not fault or "word for word" in fault or template == "tags"


def good(body: dict[str, Any], count: int = 3) -> str:
    leads = ("On a second hearing", "To most ears", "In short", "By and large")
    caption = body["messages"][1]["content"].split("Description:\n")[1].split("\n\n")[0]
    return json.dumps({"captions": [f"{lead}: {caption}" for lead in leads[:count]]})


def test_a_model_that_errs_is_told_and_does_better(tmp_path: Path) -> None:
    """The fault goes back by number and emotion; the second answer is kept."""

    def answer(_: str, body: dict[str, Any]) -> str:
        first = len(body["messages"]) == 2
        return json.dumps({"captions": ["A very sad voice."] * 3}) if first else good(body)

    with openai_server(answer) as server:
        endpoint = Endpoint(server.url, "made-1", backoff_s=0.01)
        (found,) = paraphrase([("a", CAPTION)], endpoint, cache=tmp_path)
        again = list(paraphrase([("a", CAPTION)], endpoint, cache=tmp_path))
        told = server.requests[1][1]["messages"][-1]["content"]
    assert len(found.texts) == 3
    assert again == [found]
    assert "Number 1" in told
    assert "is missing" in told
    assert len(server.requests) == 2


def test_what_stays_wrong_is_dropped_and_counted(tmp_path: Path) -> None:
    """Two good ones of three are kept."""

    def answer(_: str, body: dict[str, Any]) -> str:
        captions = json.loads(good(body, 2))["captions"]
        return json.dumps({"captions": [*captions, "An extremely happy voice."]})

    with openai_server(answer) as server:
        endpoint = Endpoint(server.url, "made-1", max_attempts=2, backoff_s=0.01)
        (found,) = paraphrase([("a", CAPTION)], endpoint, cache=tmp_path)
    assert len(found.texts) == 2
    assert sum(found.dropped.values()) == 1


def test_answers_that_are_no_json_give_nothing(tmp_path: Path) -> None:
    with openai_server(lambda *_: "I would say it is a sad voice.") as server:
        endpoint = Endpoint(server.url, "made-1", max_attempts=2, backoff_s=0.01)
        (found,) = paraphrase([("a", CAPTION)], endpoint, cache=tmp_path)
    assert (found.texts, dict(found.dropped)) == ((), {"no JSON": 1})


def test_costs_are_told_before() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", price_in=1.0, price_out=4.0)
    found = paraphrase_cost([("a", CAPTION), ("b", CAPTION)], endpoint)
    assert found.requests == 2
    assert found.cost is not None
    assert found.cost > 0
    with pytest.raises(UsageError, match="Two captions have the key 'a'"):
        paraphrase_cost([("a", CAPTION), ("a", "another")], endpoint)
    with pytest.raises(UsageError, match="variants"):
        paraphrase_cost([("a", CAPTION)], endpoint, variants=0)


def test_the_examples_of_the_page_run() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "paraphrasing.md"
    text = page.read_text(encoding="utf-8").replace("```python\n", "\n").replace("```\n", "\n")
    case = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert len(case.examples) == 4
    assert doctest.DocTestRunner().run(case).failed == 0
