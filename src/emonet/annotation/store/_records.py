"""What goes into the store and what comes out of it. Frozen records without a database behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from emonet.annotation.protocols import Feedback, Protocol, Unit
from emonet.errors import UsageError
from emonet.taxonomy import Modality

RoleName = Literal["rater", "lead", "admin"]
EventKind = Literal["rating", "skip", "undo", "correction", "adjudication", "withdrawal"]
Kind = Literal["work", "gold", "training"]
"""Why a unit is asked: to learn its answer, to check on the rater, or to practise."""


@dataclass(frozen=True, slots=True)
class Project:
    """`lease`: how long a unit is kept for somebody who does not answer. `undo`: how long an answer can be undone.
    `same_item`: whether one person may be asked about an item in two units, such as its target and its contrast:
    "never", "avoid" (only when nothing else is left for them), or "" to choose when the project is made: "never" where
    no item is in more than two units, else "avoid". Pairs and sets are exempt. `balance`: names of demographics of
    which everybody gets like shares, by default all with few values."""

    name: str
    protocol: Protocol
    seed: int = 0
    lease: timedelta = timedelta(minutes=30)
    undo: timedelta = timedelta(minutes=10)
    same_item: Literal["never", "avoid", ""] = ""
    balance: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProjectItem:
    """An item as stored. `id`: the opaque name under which its file is served; `key` never leaves the server but in
    exports. `media`: path below the project's media folder."""

    id: str
    key: str
    media: str
    modality: Modality
    facts: Mapping[str, str]
    dimensions: tuple[str, ...]
    demographics: Mapping[str, str]
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `code`: the blinded name in all data. `login`: None once erased."""

    id: int
    code: str
    login: str | None
    name: str
    role: RoleName
    demographics: Mapping[str, str]
    active: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit that somebody is to judge. `unit_id`: its number, by which it is answered. `unit`: the question; its keys
    of items and its known answer are not for the rater's eyes. `items`: in the order of `unit.items`. `lease`: changes
    whenever the unit is given anew. `expires`: when it may go to another; an answer after that is taken all the same.
    """

    unit_id: int
    unit: Unit
    kind: Kind
    items: tuple[ProjectItem, ...]
    stage: int
    lease: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer. `client_id`: made by the browser (a UUID); an answer that arrives twice is stored once. `values`: as
    in `Judgement`; for pairs and sets by the items' opaque ids or their keys. `skipped`: the reason; then values and
    form stay empty. `time`: when it was given, by the browser's clock. `lease`: of the assignment, for the record."""

    client_id: str
    unit_id: int
    person_id: int
    values: Mapping[str, float] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    skipped: str | None = None
    duration_ms: int = 0
    time: datetime | None = None
    client: Mapping[str, Any] = field(default_factory=dict)
    lease: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer is stored, for good. `duplicate`: it already was. `feedback`: for practice units only.
    `undo_until`: when it can no longer be undone."""

    event_id: int
    duplicate: bool
    feedback: Feedback | None
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class Undone:
    """`assignment`: the unit, open again for the same person; None when the undo had been stored before and the unit
    has been answered since."""

    event_id: int
    duplicate: bool
    assignment: Assignment | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One of a person's own answers as it stands now, corrections applied. `event_id`: of the rating or skip, which is
    what `undo` and `correct` take. `undone`: taken back by themselves, or withdrawn."""

    event_id: int
    client_id: str
    unit_id: int
    unit: Unit
    kind: Kind
    items: tuple[ProjectItem, ...]
    values: Mapping[str, float]
    form: Mapping[str, str]
    skipped: str | None
    time: datetime
    received: datetime
    duration_ms: int
    corrected: bool
    undone: bool
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the append-only record, with names in place of numbers. `unit`: key; `person`: blinded code."""

    id: int
    client_id: str
    kind: EventKind
    unit_id: int
    unit: str
    person: str
    stage: int
    values: Mapping[str, float]
    form: Mapping[str, str]
    skipped: str | None
    time: datetime
    received: datetime
    duration_ms: int
    client: Mapping[str, Any]
    refers_to: int | None
    note: str


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit with what its answers came to so far. `outcome`, `type`, `agreed`: as in `Decision`, after adjudication.
    `free`: people wanted for whom nobody holds a lease."""

    id: int
    unit: Unit
    kind: Kind
    items: tuple[ProjectItem, ...]
    stage: int
    wanted: int
    free: int
    answers: int
    outcome: Literal["agreed", "disputed", "rated"] | None
    type: str
    agreed: Mapping[str, float]
    adjudicated: bool


@dataclass(frozen=True, slots=True)
class PersonProgress:
    """`answers`, `skips`: that stand, practice and gold among them; `work`: answers to ordinary units. `median_s`: time
    of an answer, NaN before the first. `last`: when the last one came in."""

    person: Person
    answers: int
    skips: int
    work: int
    gold: int
    training: int
    median_s: float
    open: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class StageProgress:
    """Ordinary units of a role that are in (or ended in) a stage. `open`: want people; `outcomes`: of the others."""

    role: str
    stage: int
    units: int
    open: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """`units`: ordinary ones; `done`: those that want nobody; `begun`: those with an answer. `answers`: to ordinary
    units, as they stand. `gold`, `training`: how many such units there are. `event`: number of the last event seen."""

    units: int
    done: int
    begun: int
    answers: int
    gold: int
    training: int
    stages: tuple[StageProgress, ...]
    people: tuple[PersonProgress, ...]
    event: int


@dataclass(frozen=True, slots=True)
class OwnProgress:
    """A rater's own figures. `today`: answers within the last 24 hours. `training_left`: practice units to come.
    `waiting`: whether there are units that this person could still be given, apart from the open ones."""

    answers: int
    skips: int
    today: int
    open: int
    training_left: int
    median_s: float
    waiting: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with a 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is still to do. `ratings`: answers still needed, which is uncertain because whether a unit goes on to its
    next stage is; `hours`: of people's time, at the pace so far (NaN before the first answer). `seconds`: mean time of
    an answer, by which it was computed. `continuation`: by role and stage ("target 1"), the share of units that went
    on to the next stage, with its interval. `stuck`: units that want more people than there are left to ask."""

    ratings: Estimate
    hours: Estimate
    seconds: float
    continuation: Mapping[str, Estimate]
    stuck: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit log. `person`: code, None for the command line and people who are not signed in."""

    id: int
    time: datetime
    person: str | None
    action: str
    target: str
    details: Mapping[str, Any]


class NotAssignedError(UsageError):
    """The unit was not given to this person."""


class AnsweredError(UsageError):
    """The unit has been answered by this person already, or the answer can no longer be undone."""


class NoProjectError(UsageError):
    """The database holds no project, or a project is to be made where there is one."""
