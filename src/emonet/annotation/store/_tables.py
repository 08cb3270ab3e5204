"""The tables of a project's database, the same on SQLite and PostgreSQL. One database holds one project.

What people did is in `events`, to which rows are only ever added (triggers refuse anything else, as in `audit`).
`units` carries columns derived from the events (stage, wanted, answers, outcome, type, agreed), kept in the same
transaction as the event and recomputed by `rebuild`. `leases` says who was given what; `shares` keeps it balanced.
Times are UTC and carry their zone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from emonet.errors import UsageError


class Moment(TypeDecorator[datetime]):
    """A point in time. Goes in with any zone, comes out in UTC; one without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise UsageError(f"The time {value.isoformat()} has no zone; expected one such as datetime.now(UTC).")
        moment = value.astimezone(UTC)
        # SQLite stores text; without the zone it sorts as it should.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """Base of all tables. Constraints have fixed names, so that later migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: Moment,
        dict[str, Any]: JSON,
        dict[str, float]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
    }


# SQLite numbers rows only of plain INTEGER columns; PostgreSQL gets room for more than two thousand million events.
_Id = BigInteger().with_variant(Integer, "sqlite")


class ProjectRow(Table):
    """The project; one row with id 1. `protocol`: `protocol_to_dict`. `settings`: see `Project`."""

    __tablename__ = "project"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str]
    protocol: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    created: Mapped[datetime]


class ItemRow(Table):
    """A picture or recording. `id`: random text, the only name of it that leaves the server. `key`: the data set's
    own name. `media`: path below the project's media folder."""

    __tablename__ = "items"
    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    media: Mapped[str]
    modality: Mapped[str]
    facts: Mapped[dict[str, str]]
    dimensions: Mapped[list[str]]
    demographics: Mapped[dict[str, str]]
    sensitive: Mapped[bool]


class StratumRow(Table):
    """Units alike in kind, role and the demographics of their items; each person gets a like share of those that are
    work. `kind`: as in `units`. `facts`: role and demographics. `units`: how many there are."""

    __tablename__ = "strata"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    facts: Mapped[dict[str, str]]
    units: Mapped[int]


class UnitRow(Table):
    """A question. `id`: in random order, so that it tells nothing of `position`, the order of the work. `items`: keys,
    `item_ids`: the same items' ids; `item`: the id where there is exactly one. `kind`: "work", "gold" or "training".

    Derived: `stage` that is open or was reached last; `wanted`: further people to be asked now; `free`: of them, those
    for whom nobody holds a lease; `begun`: 1 when there is an answer; `answers`; `outcome`, `type` and `agreed` as in
    `Decision`; `adjudicated`: whether a lead's word stands in `agreed`.
    """

    __tablename__ = "units"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(unique=True)
    items: Mapped[list[str]]
    item_ids: Mapped[list[str]]
    item: Mapped[str | None] = mapped_column(ForeignKey("items.id"))
    dimensions: Mapped[list[str]]
    role: Mapped[str]
    gold: Mapped[dict[str, float]]
    tolerance: Mapped[float] = mapped_column(Float)
    kind: Mapped[str]
    position: Mapped[int]
    stratum: Mapped[int] = mapped_column(ForeignKey("strata.id"))
    stage: Mapped[int]
    wanted: Mapped[int]
    free: Mapped[int]
    begun: Mapped[int]
    answers: Mapped[int]
    outcome: Mapped[str | None]
    type: Mapped[str]
    agreed: Mapped[dict[str, float]]
    adjudicated: Mapped[bool]
    __table_args__ = (
        # What `take` walks: units somebody may still be asked about, in order.
        Index(
            "ix_units_queue",
            "stratum",
            "begun",
            "position",
            sqlite_where=text("free > 0"),
            postgresql_where=text("free > 0"),
        ),
        Index(
            "ix_units_known",
            "kind",
            "position",
            sqlite_where=text("kind <> 'work'"),
            postgresql_where=text("kind <> 'work'"),
        ),
    )


class PersonRow(Table):
    """Somebody with an account. `code`: the blinded name in all data ("rater-3"). `login`: what they sign in with,
    lower case, None once erased."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    login: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    demographics: Mapped[dict[str, str]]
    active: Mapped[bool]
    created: Mapped[datetime]


class InvitationRow(Table):
    """A link by which somebody gets an account, once. `token_hash`: SHA-256 of the secret in the link. `note`: for
    whom it is meant. `made_by`: None for the first, made at the command line."""

    __tablename__ = "invitations"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    note: Mapped[str]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    made: Mapped[datetime]
    expires: Mapped[datetime]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    used: Mapped[datetime | None]


class SessionRow(Table):
    """Somebody signed in with one browser. `token_hash`: SHA-256 of the cookie's secret."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    csrf: Mapped[str]
    created: Mapped[datetime]
    expires: Mapped[datetime]
    seen: Mapped[datetime]


class AttemptRow(Table):
    """A failed sign-in. `subject`: what it is counted under, such as "name:..." or "address:..." (hashed)."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    subject: Mapped[str]
    time: Mapped[datetime]
    __table_args__ = (Index("ix_attempts_subject_time", "subject", "time"),)


class LeaseRow(Table):
    """A unit was given to a person. `state`: "open" until it is answered ("done") or, past `expires`, given to another
    ("lapsed"). `slot`: place within the stage, None for lapsed leases and for units that everybody gets (practice,
    gold); the constraint makes it impossible to give one place to two people. `item`: as in `units`."""

    __tablename__ = "leases"
    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    unit: Mapped[int] = mapped_column(ForeignKey("units.id"))
    item: Mapped[str | None]
    stage: Mapped[int]
    slot: Mapped[int | None]
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    token: Mapped[str]
    state: Mapped[str]
    given: Mapped[datetime]
    expires: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("unit", "stage", "slot"),
        UniqueConstraint("unit", "person"),
        Index("ix_leases_person_state", "person", "state"),
        Index("ix_leases_person_item", "person", "item"),
        Index(
            "ix_leases_expires",
            "expires",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )


class ShareRow(Table):
    """How much of a stratum a person was given, and how far their search for work in it has come: positions up to
    which units that others have begun, and untouched ones, were looked at."""

    __tablename__ = "shares"
    person: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    stratum: Mapped[int] = mapped_column(ForeignKey("strata.id"), primary_key=True)
    given: Mapped[int]
    begun_at: Mapped[int]
    fresh_at: Mapped[int]


class EventRow(Table):
    """What somebody did. Append-only. `kind`: rating, skip, undo, correction, adjudication or withdrawal. `client_id`:
    made by the sender and unique, so that what arrives twice is stored once. `time`: by the sender's clock;
    `received`: by ours. `client`: facts on the device. `refers_to`: the rating or skip that is undone, corrected or
    withdrawn. `note`: reason of an adjudication or withdrawal."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    unit: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    stage: Mapped[int]
    values: Mapped[dict[str, float]]
    form: Mapped[dict[str, str]]
    skipped: Mapped[str | None]
    time: Mapped[datetime]
    received: Mapped[datetime]
    duration_ms: Mapped[int]
    client: Mapped[dict[str, Any]]
    refers_to: Mapped[int | None] = mapped_column(_Id, ForeignKey("events.id"), index=True)
    note: Mapped[str]


class AuditRow(Table):
    """What was done to accounts and the project. Append-only. `person`: None for the command line and for people who
    are not signed in."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    time: Mapped[datetime]
    person: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    action: Mapped[str]
    target: Mapped[str]
    details: Mapped[dict[str, Any]]


def to_json(value: object) -> str:
    """JSON as it is stored: compact, and never NaN."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
