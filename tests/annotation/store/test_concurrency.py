"""Many at once, in threads and in processes, also killed in the middle: nobody gets another's place, nothing that was
acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from small_projects import NOW, MakeStore, answer, faces, later, yes_or_no
from sqlalchemy import select

from emonet.annotation.protocols import protocol
from emonet.annotation.store import (
    Receipt,
    Submission,
    add_person,
    correct,
    events,
    open_store,
    rebuild,
    submit,
    take,
    undo,
    unit_states,
    valid_judgements,
)
from emonet.annotation.store._tables import LeaseRow

_RATERS = Path(__file__).with_name("raters_at_work.py")


def _at_once(*work: Callable[[], object]) -> list[object]:
    """Run all at once; their results, or what they raised."""
    results: list[object] = [None] * len(work)
    start = threading.Barrier(len(work))

    def run(place: int, one: Callable[[], object]) -> None:
        start.wait()
        try:
            results[place] = one()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=entry) for entry in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_place_is_given_once(make_store: MakeStore) -> None:
    """Twelve people ask at the same moment for six units that each want one person."""
    store = make_store(yes_or_no(), faces(6))
    raters = [add_person(store).id for _ in range(12)]
    given = _at_once(*(lambda person=person: take(store, person, count=1, now=NOW) for person in raters))
    units = [one.unit_id for held in given for one in held]  # type: ignore[attr-defined]
    assert sorted(units) == [1, 2, 3, 4, 5, 6]


def test_a_person_with_two_windows_holds_no_more_than_asked(make_store: MakeStore) -> None:
    """Both windows show the same units."""
    store = make_store(yes_or_no(), faces(20))
    person = add_person(store).id
    held = _at_once(*[lambda: take(store, person, count=2, now=NOW)] * 6)
    assert len({one.unit_id for window in held for one in window}) == 2  # type: ignore[attr-defined]


def test_an_answer_sent_many_times_at_once_is_stored_once(make_store: MakeStore) -> None:
    """All senders hear of the same event, one of them as the first."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    receipts = [r for r in _at_once(*[lambda: answer(store, one, person, name="same")] * 8) if isinstance(r, Receipt)]
    assert len(receipts) == 8
    assert len({receipt.event_id for receipt in receipts}) == 1
    assert sum(not receipt.duplicate for receipt in receipts) == 1
    assert len(list(events(store))) == 1


def test_two_answers_of_one_person_at_once_leave_one(make_store: MakeStore) -> None:
    """The other is refused, whichever comes second."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    _at_once(*(lambda value=value: answer(store, one, person, value) for value in (0.0, 1.0, 0.0, 1.0)))
    assert len(valid_judgements(store)) == 1
    assert rebuild(store) == 0


def test_undo_and_correction_at_once_end_in_one_state(make_store: MakeStore) -> None:
    """Either the correction came first and was undone, or it came too late."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store).id
    (one,) = take(store, person, now=NOW)
    event = answer(store, one, person, 0.0).event_id
    _at_once(
        lambda: undo(store, person, event, "u", now=later(1)),
        lambda: correct(store, person, event, "c", values={"anger": 1.0}, now=later(1)),
        lambda: undo(store, person, event, "v", now=later(1)),
    )
    assert valid_judgements(store) == ()
    assert [event.kind for event in events(store)].count("undo") == 1
    assert rebuild(store) == 0


def test_two_answers_to_one_unit_at_once_are_both_counted(make_store: MakeStore) -> None:
    """Neither transaction decides on what it saw before the other."""
    store = make_store(protocol("hq", raters=6, training=0, gold_every=0), faces(1))
    raters = [add_person(store).id for _ in range(6)]
    held = {person: take(store, person, count=1, now=NOW)[0] for person in raters}
    _at_once(*(lambda person=person: answer(store, held[person], person) for person in raters))
    (state,) = unit_states(store)
    assert (state.answers, state.wanted, state.outcome) == (6, 0, "rated")


def test_threads_drive_a_project_to_its_end(make_store: MakeStore) -> None:
    """Eight raters in eight threads: every unit gets exactly the people its rule asks for."""
    store = make_store(yes_or_no(contrast=True), faces(30))
    raters = [add_person(store).id for _ in range(8)]

    def work(person: int) -> None:
        while given := take(store, person, count=2):
            for one in given:
                yes = one.unit.role == "target" and (one.unit_id + person) % 8 > 0
                sent = Submission(f"{person}-{one.unit_id}", one.unit_id, person, {one.unit.dimensions[0]: float(yes)})
                submit(store, sent)

    assert _at_once(*(lambda person=person: work(person) for person in raters)) == [None] * 8
    for person in raters * 3:  # whoever left while others held the last units comes back
        work(person)
    _check_places(store)
    by_unit: defaultdict[str, list[float]] = defaultdict(list)
    for judgement in valid_judgements(store):
        by_unit[judgement.unit].extend(judgement.values.values())
    for state in unit_states(store):
        values = by_unit[state.unit.key]
        # A further person is asked only after yeses, so that a no can only be the last answer.
        assert 0.0 not in values[:-1]
        assert len(values) == (1 if state.unit.role == "contrast" else 3) or values[-1] == 0.0
        assert state.outcome is not None
    assert rebuild(store) == 0


def test_processes_that_are_killed_lose_nothing(make_store: MakeStore, database_url: str, tmp_path: Path) -> None:
    """Raters in processes of their own write down what was acknowledged; kill -9 strikes again and again."""
    store = make_store(yes_or_no(contrast=True), faces(60))
    raters = [add_person(store).id for _ in range(6)]
    logs = [tmp_path / f"{number}.log" for number in range(2)]
    running = [_raters(database_url, raters[number::2], logs[number]) for number in range(2)]
    for strike in range(4):
        victim = strike % 2
        _wait_for(logs[victim], 8 * (strike // 2 + 1))
        os.kill(running[victim].pid, signal.SIGKILL)
        running[victim].wait()
        running[victim] = _raters(database_url, raters[victim::2], logs[victim])
    for process in running:
        assert process.wait(timeout=120) == 0
    for _ in range(3):  # whoever left while others held the last units comes back
        assert _raters(database_url, raters, logs[0]).wait(timeout=120) == 0
    acknowledged = Counter(line for log in logs for line in log.read_text().splitlines())
    stored = Counter(event.client_id for event in events(store) if event.kind == "rating")
    assert set(stored.values()) == {1}
    assert set(acknowledged) <= set(stored)
    assert all(state.outcome is not None for state in unit_states(store))
    _check_places(store)
    assert rebuild(store) == 0


def _raters(url: str, people: list[int], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(_RATERS), url, str(log), *map(str, people)]
    return subprocess.Popen(command)


def _wait_for(log: Path, lines: int) -> None:
    until = time.monotonic() + 60
    while not log.exists() or len(log.read_text().splitlines()) < lines:
        if time.monotonic() > until:
            pytest.fail(f"the raters wrote fewer than {lines} answers in a minute")
        time.sleep(0.01)


def _check_places(store: object) -> None:
    """No place of a stage was filled twice, and nobody judged an item twice."""
    with store.reading() as connection:  # type: ignore[attr-defined]
        rows = connection.execute(select(LeaseRow.__table__).where(LeaseRow.state == "done")).all()
    places = Counter((row.unit, row.stage, row.slot) for row in rows if row.slot is not None)
    assert set(places.values()) == {1}
    assert set(Counter((row.person, row.item) for row in rows).values()) == {1}


def test_a_store_can_be_opened_beside_another(make_store: MakeStore, database_url: str) -> None:
    """Two servers on one database see each other's work at once."""
    first = make_store(yes_or_no(), faces(2))
    person = add_person(first).id
    with open_store(database_url) as second:
        (one,) = take(first, person, count=1, now=NOW)
        assert answer(second, one, person, name="x").event_id == answer(first, one, person, name="x").event_id
