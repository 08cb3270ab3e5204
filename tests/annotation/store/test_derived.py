"""Whatever people do, the columns kept beside the units say what the record says."""

from __future__ import annotations

import itertools
import tempfile
from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given, settings
from small_projects import NOW, MakeStore, answer_next, faces, yes_or_no
from sqlalchemy import text

from emonet.annotation.protocols import decide, make_units
from emonet.annotation.store import (
    AnsweredError,
    NotAssignedError,
    Project,
    Store,
    Submission,
    add_person,
    adjudicate,
    adjudications,
    correct,
    create_project,
    events,
    open_store,
    rebuild,
    submit,
    take,
    undo,
    unit_states,
    units,
    valid_judgements,
    withdraw,
)
from emonet.errors import UsageError

_ACTS = st.tuples(
    st.sampled_from("answer answer answer answer skip undo correct adjudicate withdraw wait".split()),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 30),
)


@settings(max_examples=25, deadline=None)
@given(acts=st.lists(_ACTS, max_size=40))
def test_any_history_is_kept_consistently(acts: list[tuple[str, int, bool, int]]) -> None:
    """After any sequence of acts, derived columns, events and protocol agree, and rebuilding changes nothing."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/a.db", create=True) as store,
    ):
        asked = yes_or_no()
        items = faces(4)
        create_project(store, Project("p", asked, lease=timedelta(minutes=9)), items, make_units(asked, items, seed=0))
        people = [add_person(store).id for _ in range(4)]
        lead = add_person(store, role="lead").id
        now, names = NOW, map(str, itertools.count())
        for act, who, yes, which in acts:
            now += timedelta(minutes=10 if act == "wait" else 1)
            try:
                _do(store, act, people[who], lead, {"anger": float(yes)}, which, next(names), now)
            except (NotAssignedError, AnsweredError, UsageError):
                continue
        _agree(store)
        assert rebuild(store) == 0


def _do(
    store: Store, act: str, person: int, lead: int, values: dict[str, float], which: int, name: str, now: datetime
) -> None:
    """One act; what the store refuses is the caller's to catch."""
    if act in ("answer", "skip"):
        (one, *_) = take(store, person, now=now) or (None,)
        if one is not None:
            skipped = "cannot tell" if act == "skip" else None
            sent = Submission(name, one.unit_id, person, {} if skipped else values, skipped=skipped)
            submit(store, sent, now=now)
    elif act == "withdraw":
        if which == 0:
            withdraw(store, person, now=now)
    elif act == "adjudicate":
        adjudicate(store, lead, which % 4 + 1, values, "", now=now)
    elif act in ("undo", "correct"):
        known = [event.id for event in events(store)]
        event = known[which % len(known)] if known else 1
        if act == "undo":
            undo(store, person, event, name, now=now)
        else:
            correct(store, person, event, name, values=values, now=now)


def _agree(store: Store) -> None:
    asked = yes_or_no()
    judgements, settled = valid_judgements(store), adjudications(store)
    for unit, state in zip(units(store), unit_states(store), strict=True):
        own = [one for one in judgements if one.unit == unit.key]
        decision = decide(asked, unit, own)
        assert (state.stage, state.wanted) == (decision.stage, decision.wanted)
        assert state.answers == sum(one.skipped is None for one in own)
        if unit.key in settled and decision.outcome is not None:
            assert (state.outcome, state.agreed) == ("agreed", settled[unit.key])
        else:
            assert (state.outcome, state.agreed, state.type) == (decision.outcome, decision.values, decision.type)
        assert 0 <= state.free <= state.wanted


def test_rebuild_repairs_what_was_altered(make_store: MakeStore) -> None:
    """Somebody has changed derived columns by hand."""
    store = make_store(yes_or_no(), faces(5))
    person = add_person(store).id
    for value in (1.0, 0.0, 1.0):
        answer_next(store, person, value)
    before = unit_states(store)
    with store.writing() as connection:
        connection.execute(text("UPDATE units SET wanted = 7, free = 7, outcome = NULL, answers = 0 WHERE id <= 2"))
    assert rebuild(store) == 2
    assert unit_states(store) == before
    assert rebuild(store) == 0
