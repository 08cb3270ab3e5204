"""Synthetic raters drive each protocol through the store, from the first practice unit to the last agreement."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from small_projects import NOW, MakeStore, faces

from emonet.annotation.protocols import (
    Item,
    Protocol,
    SyntheticRater,
    Unit,
    pair_scores,
    protocol,
    protocol_to_dict,
    replay_binary,
    settle,
    synthetic_values,
)
from emonet.annotation.store import (
    Store,
    Submission,
    add_person,
    progress,
    read_project,
    rebuild,
    remaining,
    submit,
    take,
    to_labelled,
    unit_states,
    units,
    valid_judgements,
)
from emonet.datasets import read_face_binary, triple_positives

_PROTOCOLS = {
    "binary": protocol("binary", gold_every=6, training=2),
    "hq": protocol("hq", raters=3, gold_every=6, training=2),
    "presence": protocol("presence", gold_every=6, training=2),
    "pairs": protocol("pairs", dimensions=("anger",), gold_every=0, training=0),
    "best-worst": protocol("best-worst", dimensions=("anger",), gold_every=0, training=0),
    "questionnaire": protocol("questionnaire", raters=5),
}


def _drive(store: Store, people: dict[int, SyntheticRater], seed: int = 0) -> None:
    """Let everybody answer in turn until nobody is given anything."""
    asked = read_project(store).protocol
    generator = np.random.default_rng(seed)
    now, sent, busy = NOW, 0, True
    while busy:
        busy = False
        for person, rater in people.items():
            now += timedelta(seconds=3)
            given = take(store, person, count=3, now=now)
            for one in given[:2]:
                busy, sent = True, sent + 1
                skipped = "cannot tell" if generator.random() < rater.skip else None
                values = synthetic_values(asked, one.unit, rater, _truth(asked, one.unit), generator)
                form = {field.name: _filled(field.kind, field.options) for field in asked.form}
                answer = Submission(
                    f"c{sent}",
                    one.unit_id,
                    person,
                    {} if skipped else values,
                    {} if skipped else form,
                    skipped,
                    int(rater.median_ms),
                    now,
                )
                submit(store, answer, now=now)


def _truth(asked: Protocol, unit: Unit) -> dict[str, float]:
    """Faces with an even number show it; of several, the higher number shows more."""
    if unit.gold:
        return dict(unit.gold)
    if len(unit.items) > 1:
        return {item: float(item[-4:]) for item in unit.items}
    shown = bool(unit.items) and unit.role != "contrast" and int(unit.items[0][-4:]) % 2 == 0
    return dict.fromkeys(unit.dimensions[:3], asked.scale[1] if shown else 0.0)


def _filled(kind: str, options: tuple[str, ...]) -> str:
    return "yes" if kind == "checkbox" else options[0] if options else "said"


def _items(name: str) -> tuple[Item, ...]:
    if name == "questionnaire":
        return ()
    if name in ("pairs", "best-worst"):
        return faces(8)
    practice, checks = faces(2, gold={"anger": 1.0}, training=True), faces(3, start=2, gold={"anger": 1.0})
    return (*practice, *checks, *faces(12, start=10))


@pytest.mark.parametrize("name", _PROTOCOLS)
def test_every_protocol_comes_to_its_end(make_store: MakeStore, name: str) -> None:
    """All units are closed by as many people as the rule asks, and the store agrees with the pure functions."""
    asked = _PROTOCOLS[name]
    store = make_store(asked, _items(name))
    people = {add_person(store).id: SyntheticRater(f"r{k}", 1.0, skip=0.05 * (k == 0)) for k in range(6)}
    _drive(store, people)
    judgements = valid_judgements(store)
    grouped = {row.unit.key: row for row in settle(asked, units(store), judgements)}
    for state in unit_states(store):
        decision = grouped[state.unit.key].decision
        assert (state.stage, state.wanted, state.outcome) == (decision.stage, decision.wanted, decision.outcome)
        if state.kind == "work":
            assert state.outcome is not None
            assert (state.type, state.agreed) == (decision.type, decision.values)
    assert rebuild(store) == 0
    done = progress(store)
    assert (done.done, done.begun) == (done.units, done.units)
    work = {state.unit.key for state in unit_states(store) if state.kind == "work"}
    assert done.answers == sum(one.skipped is None and one.unit in work for one in judgements)
    left = remaining(store)
    assert (left.ratings.value, left.ratings.high, left.hours.value, left.stuck) == (0.0, 0.0, 0.0, 0)
    if asked.training:
        assert [person.training for person in done.people[1:]] == [2] * 5


def test_perfect_raters_find_the_truth(make_store: MakeStore) -> None:
    """Triple positives are exactly the faces that show it, and LAION's reader replays the export the same way."""
    store = make_store(_PROTOCOLS["binary"], _items("binary"))
    _drive(store, {add_person(store).id: SyntheticRater(f"r{k}", 1.0) for k in range(6)})
    present = {
        state.unit.items[0]
        for state in unit_states(store)
        if state.kind == "work" and state.outcome == "agreed" and state.agreed["anger"] > 0
    }
    assert present == {f"face-{number:04}" for number in range(10, 22, 2)}
    replay = replay_binary(to_labelled(store))
    assert (replay.triple_positive, replay.open, replay.unasked) == (6, 0, 0)


def test_pairs_keep_who_was_taken(make_store: MakeStore) -> None:
    """Judged without error, the stronger of each pair is the one taken, and the strongest of all leads the scores."""
    store = make_store(_PROTOCOLS["pairs"], _items("pairs"))
    _drive(store, {add_person(store).id: SyntheticRater(f"r{k}", 1.0) for k in range(4)})
    judgements = valid_judgements(store)
    assert all(max(one.values) == max(one.values, key=lambda item: one.values[item]) for one in judgements)
    assert pair_scores(units(store), judgements)[0].item == "face-0007"


@pytest.mark.shared
def test_published_judgements_pass_through_the_store(make_store: MakeStore, shared: Path) -> None:
    """The first pictures of EmoNet-Face Binary that have a second rater, answered by the same people in the same order,
    come out as published."""
    published = read_face_binary(shared / "data" / "ratings" / "emonet_face_binary.csv")
    asked = protocol("binary", training=0, gold_every=0)
    table = published.ratings.table
    chosen = sorted(set(table.filter(table["stage"] == 3)["item"]))[:25]
    rows = [row for row in table.iter_rows(named=True) if row["item"] in set(chosen) and row["protocol"] == "target"]
    target = {row["item"]: row["dimension"] for row in rows}
    made = [Unit(f"{key}:{target[key]}", (key,), (target[key],), "target") for key in chosen]
    store = make_store(asked, [Item(key, f"{key}.jpg", dimensions=(target[key],)) for key in chosen], units=made)
    assert protocol_to_dict(read_project(store).protocol) == protocol_to_dict(asked)
    people = {rater: add_person(store, name=rater).id for rater in sorted({row["rater"] for row in rows})}
    said = {(row["rater"], row["item"]): row["value"] for row in rows}
    for stage in range(3):
        for rater, person in people.items():
            while given := take(store, person, count=25, now=NOW):
                for one in given:
                    value = said.get((rater, one.unit.items[0]))
                    values = {} if value is None else {one.unit.dimensions[0]: value}
                    skipped = "not theirs" if value is None else None
                    name = f"{stage}-{person}-{one.unit_id}"
                    submit(store, Submission(name, one.unit_id, person, values, {}, skipped), now=NOW)
    expected = set(triple_positives(published)["item"]) & set(chosen)
    found = {state.unit.items[0] for state in unit_states(store) if state.type == "3:0 present"}
    assert found == expected
