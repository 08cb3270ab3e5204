"""The rating page's interface: units, answers that arrive once, undo, correction, own figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_projects import Made, answer_to, binary_project, first_unit, hq_project, make_items, make_project

from emonet.annotation.protocols import best_worst, pairs, questionnaire


def test_who_is_asking(made: Made) -> None:
    """Name, role and the token for what follows; the blinded name is what the data hold."""
    told = made.client("rater").get("/api/session").json()
    assert told["code"] == "rater-1"
    assert told["role"] == "rater"
    assert told["protocol"] == "binary"


def test_a_rater_is_given_units_with_practice_first(made: Made) -> None:
    """The question is worded, the item opaque, practice marked."""
    unit = first_unit(made.client("rater"))
    assert unit["question"] == "Does this face show Fear?"
    assert unit["training"]
    assert unit["items"][0]["kind"] == "image"
    assert len(unit["items"][0]["id"]) >= 12


def test_units_in_hand_come_back_and_two_raters_share_the_rest(made: Made) -> None:
    """Asking again gives the same units; somebody else gets others while a stage has one place."""
    client, other = made.client("rater"), made.client("rater")
    first = client.post("/api/assignments", json={"count": 3}).json()["assignments"]
    again = client.post("/api/assignments", json={"count": 3}).json()["assignments"]
    assert [unit["unit"] for unit in again] == [unit["unit"] for unit in first]
    theirs = other.post("/api/assignments", json={"count": 3}).json()["assignments"]
    mine = {unit["unit"] for unit in first if not unit["training"]}
    assert mine.isdisjoint(unit["unit"] for unit in theirs)


def test_an_answer_that_arrives_twice_is_stored_once(made: Made) -> None:
    """201 for the first, 200 for the second, with the same number."""
    client = made.client("rater")
    body = answer_to(first_unit(client), "aaaaaaaa-0001")
    first, second = client.post("/api/answers", json=body), client.post("/api/answers", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["event"] == second.json()["event"]
    assert (first.json()["duplicate"], second.json()["duplicate"]) == (False, True)
    assert client.get("/api/progress").json()["answers"] == 1


def test_practice_gives_feedback_and_work_does_not(made: Made) -> None:
    """The first answer is right, and the next unit is told nothing about."""
    client = made.client("rater")
    practice = client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0001", 0.0)).json()
    assert practice["feedback"]["verdict"] == "wrong"
    assert practice["feedback"]["expected"] == {"fear": 1.0}
    work = client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0002")).json()
    assert work["feedback"] is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"values": {"fear": 0.5}}, 400),
        ({"values": {"elation": 1.0}}, 400),
        ({"values": {}}, 400),
        ({"values": {"fear": 1e999}}, 422),
        ({"values": {"fear": "yes"}}, 422),
        ({"skipped": "because"}, 422),
        ({"duration_ms": -1}, 422),
        ({"time": "2026-01-02T03:04:05"}, 422),
        ({"client_id": "short"}, 422),
        ({"unit": 10**9}, 404),
        ({"extra": 1}, 422),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_a_reason(made: Made, change: dict[str, object], status: int) -> None:
    """Nothing is stored, and the sentence names what is wrong."""
    import json

    client = made.client("rater")
    body = json.dumps({**answer_to(first_unit(client), "aaaaaaaa-0001"), **change})
    answer = client.post("/api/answers", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert len(answer.json()["detail"]) > 10
    assert client.get("/api/progress").json()["answers"] == 0


def test_a_skip_keeps_its_reason(made: Made) -> None:
    """It is an event of its own, and the unit does not come again."""
    client = made.client("rater")
    unit = first_unit(client)
    body = {**answer_to(unit, "aaaaaaaa-0001"), "values": {}, "skipped": "unclear"}
    assert client.post("/api/answers", json=body).status_code == 201
    assert client.get("/api/answers").json()["answers"][0]["skipped"] == "unclear"
    assert first_unit(client)["unit"] != unit["unit"]


def test_undo_gives_the_unit_back_once(made: Made) -> None:
    """Nobody else's answer can be undone, and an undo that arrives twice happens once."""
    client, other = made.client("rater"), made.client("rater")
    unit = first_unit(client)
    event = client.post("/api/answers", json=answer_to(unit, "aaaaaaaa-0001")).json()["event"]
    assert other.post(f"/api/answers/{event}/undo", json={"client_id": "bbbbbbbb-0001"}).status_code == 404
    undone = client.post(f"/api/answers/{event}/undo", json={"client_id": "bbbbbbbb-0002"})
    assert undone.json()["assignment"]["unit"] == unit["unit"]
    assert client.get("/api/progress").json()["answers"] == 0
    assert client.post(f"/api/answers/{event}/undo", json={"client_id": "bbbbbbbb-0002"}).status_code == 200
    again = answer_to(undone.json()["assignment"], "aaaaaaaa-0002", 0.0)
    assert client.post("/api/answers", json=again).status_code == 201
    assert client.get("/api/progress").json()["answers"] == 1


def test_a_correction_stands_beside_the_first_answer(made: Made) -> None:
    """The list shows the new value and says that it was corrected; others cannot correct it."""
    client, other = made.client("rater"), made.client("rater")
    practice = client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0001")).json()["event"]
    unit = first_unit(client)
    event = client.post("/api/answers", json=answer_to(unit, "aaaaaaaa-0002")).json()["event"]
    values = dict.fromkeys(unit["dimensions"], 0.0)
    body = {"client_id": "cccccccc-0001", "values": values}
    assert client.post(f"/api/answers/{practice}/correction", json=body).status_code in (400, 409)
    assert other.post(f"/api/answers/{event}/correction", json=body).status_code == 404
    assert client.post(f"/api/answers/{event}/correction", json=body).status_code == 200
    shown = client.get("/api/answers").json()["answers"][0]
    assert (shown["values"], shown["corrected"]) == (values, True)


def test_own_answers_come_in_pages(tmp_path: Path) -> None:
    """Newest first; `before` leads to the older ones until there are none."""
    made = binary_project(tmp_path, count=8)
    client = made.client("rater")
    for number in range(5):
        client.post("/api/answers", json=answer_to(first_unit(client), f"aaaaaaaa-{number}"))
    first = client.get("/api/answers?limit=3").json()
    second = client.get(f"/api/answers?limit=3&before={first['before']}").json()
    events = [answer["event"] for answer in first["answers"] + second["answers"]]
    assert events == sorted(events, reverse=True)
    assert len(set(events)) == 5
    assert second["before"] is None
    assert made.client("rater").get("/api/answers").json() == {"answers": [], "before": None}
    made.store.close()


def test_own_progress(made: Made) -> None:
    """Counts, pace, and what is open: six pictures and a practice unit."""
    client = made.client("rater")
    assert client.get("/api/progress").json() == {"answers": 0, "today": 0, "left": 7, "median_seconds": None}
    client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0001"))
    client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0002", duration_ms=2500))
    assert client.get("/api/progress").json() == {"answers": 2, "today": 2, "left": 5, "median_seconds": 2.0}


def test_an_untouched_slider_has_no_value_and_a_zero_has(tmp_path: Path) -> None:
    """Both come back as they were given."""
    made = hq_project(tmp_path)
    client = made.client("rater")
    unit = first_unit(client)
    assert len(unit["dimensions"]) == 40
    body = {**answer_to(unit, "aaaaaaaa-0001"), "values": {"fear": 5, "anger": 0}}
    assert client.post("/api/answers", json=body).json()["feedback"]["verdict"] == "right"
    assert client.get("/api/answers").json()["answers"][0]["values"] == {"fear": 5.0, "anger": 0.0}
    made.store.close()


@pytest.mark.parametrize("kind", ["pair", "set"])
def test_pairs_and_sets_are_answered_by_opaque_ids(tmp_path: Path, kind: str) -> None:
    """Keys of items never leave the server, neither on the way out nor back."""
    items = make_items(tmp_path / "media", 8, "face", {}, False)[:8]
    options = {"dimensions": ("fear",), "gold_every": 0, "training": 0}
    protocol = pairs(**options) if kind == "pair" else best_worst(modality="face", **options)  # type: ignore[arg-type]
    made = make_project(tmp_path, protocol, items)
    client = made.client("rater")
    unit = first_unit(client)
    ids = [item["id"] for item in unit["items"]]
    values = dict(zip(ids, (1, 0) if kind == "pair" else (1, 0, 0, -1), strict=True))
    body = {**answer_to(unit, "aaaaaaaa-0001"), "values": values}
    assert client.post("/api/answers", json=body).status_code == 201
    shown = client.get("/api/answers").json()["answers"][0]
    assert shown["values"] == values
    assert "face-" not in str(shown)
    made.store.close()


def test_a_questionnaire_needs_consent(tmp_path: Path) -> None:
    """Without the tick it is refused, with it taken."""
    made = make_project(tmp_path, questionnaire(), [])
    client = made.client("rater")
    unit = first_unit(client)
    form = {"consent": "no", "age": "25-34", "gender": "woman", "degree": "master"}
    body = {**answer_to(unit, "aaaaaaaa-0001"), "values": {}, "form": form}
    assert client.post("/api/answers", json=body).status_code == 400
    body["form"] = {**form, "consent": "yes"}
    assert client.post("/api/answers", json=body).status_code == 201
    made.store.close()
