"""A project's record: who was given what, what they answered, and what it came to. SQLite or PostgreSQL.

Every answer is an event that is never changed; undo, correction, adjudication and withdrawal are events too. All times
are aware; `now` is a parameter where it matters. Each function is one transaction, durable when it returns. Nobody is
given a unit twice, two people never get the same place, and an answer that arrives twice is stored once.
"""

from emonet.annotation.store import _available as _available
from emonet.annotation.store._answers import correct, submit, undo
from emonet.annotation.store._assignment import take
from emonet.annotation.store._audit import audit_log, record
from emonet.annotation.store._derived import rebuild
from emonet.annotation.store._engine import Store, open_store
from emonet.annotation.store._export import FORMATS, export
from emonet.annotation.store._history import (
    adjudications,
    events,
    find_unit,
    history,
    last_event,
    unit_states,
    valid_judgements,
)
from emonet.annotation.store._labelled import to_labelled, to_ratings
from emonet.annotation.store._lead import adjudicate, withdraw
from emonet.annotation.store._people import add_person, change_person, find_person, people
from emonet.annotation.store._progress import own_progress, progress
from emonet.annotation.store._projects import create_project, find_item, items, read_project, units
from emonet.annotation.store._records import (
    Answer,
    AnsweredError,
    Assignment,
    AuditEntry,
    Estimate,
    Event,
    EventKind,
    Kind,
    NoProjectError,
    NotAssignedError,
    OwnProgress,
    Person,
    PersonProgress,
    Progress,
    Project,
    ProjectItem,
    Receipt,
    Remaining,
    RoleName,
    StageProgress,
    Submission,
    Undone,
    UnitState,
)
from emonet.annotation.store._remaining import remaining

__all__ = [
    "FORMATS",
    "Answer",
    "AnsweredError",
    "Assignment",
    "AuditEntry",
    "Estimate",
    "Event",
    "EventKind",
    "Kind",
    "NoProjectError",
    "NotAssignedError",
    "OwnProgress",
    "Person",
    "PersonProgress",
    "Progress",
    "Project",
    "ProjectItem",
    "Receipt",
    "Remaining",
    "RoleName",
    "StageProgress",
    "Store",
    "Submission",
    "Undone",
    "UnitState",
    "add_person",
    "adjudicate",
    "adjudications",
    "audit_log",
    "change_person",
    "correct",
    "create_project",
    "events",
    "export",
    "find_item",
    "find_person",
    "find_unit",
    "history",
    "items",
    "last_event",
    "open_store",
    "own_progress",
    "people",
    "progress",
    "read_project",
    "rebuild",
    "record",
    "remaining",
    "submit",
    "take",
    "to_labelled",
    "to_ratings",
    "undo",
    "unit_states",
    "units",
    "valid_judgements",
    "withdraw",
]
