"""What goes over the wire between the rating page and the server: names, types and limits, as in OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from emonet.annotation.web._setup import SKIP_REASONS

Name = Annotated[str, Field(max_length=200)]
ClientId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
"""Made by the browser, unique for ever: an answer that arrives twice with it is stored once."""
Value = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Values = Annotated[dict[Name, Value], Field(max_length=100)]
EventId = Annotated[int, Field(ge=1, le=2**53)]


class Asked(BaseModel):
    """How many units are wanted in hand, those that are open for this person already among them."""

    model_config = ConfigDict(extra="forbid")
    count: int = Field(default=4, ge=1, le=20)


class ShownItem(BaseModel):
    """`id`: opaque, for /media/{id}. `sensitive`: warn before it is shown."""

    id: str
    kind: Literal["image", "audio", "video"]
    sensitive: bool


class ShownUnit(BaseModel):
    """One unit to judge. `lease`: goes back with the answer. `question`: as it is read. `training`: practice, the
    answer's receipt carries feedback. Attention checks are not marked."""

    unit: int
    lease: str
    stage: int
    question: str
    dimensions: list[str]
    items: list[ShownItem]
    training: bool
    expires: datetime


class ShownUnits(BaseModel):
    """Empty when there is nothing for this person now."""

    assignments: list[ShownUnit]


class Device(BaseModel):
    """What the answer was given on; size of the window in CSS pixels."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(default=0, ge=0, le=100_000)
    height: int = Field(default=0, ge=0, le=100_000)
    touch: bool = False


class Answer(BaseModel):
    """An answer, or a skip with its reason. `values` by dimension, or by item id for pairs and sets. `time`: when it
    was given, by the browser's clock. `duration_ms`: time the item was before the person, breaks not counted."""

    model_config = ConfigDict(extra="forbid")
    client_id: ClientId
    unit: EventId
    lease: str = Field("", max_length=100)
    values: Values = Field(default_factory=dict)
    form: Annotated[dict[Name, Annotated[str, Field(max_length=10_000)]], Field(max_length=100)] = Field(
        default_factory=dict
    )
    skipped: Literal[tuple(SKIP_REASONS)] | None = None  # type: ignore[valid-type] # the keys are the one list
    duration_ms: int = Field(ge=0, le=2**31 - 1)
    time: AwareDatetime
    client: Device = Device()


class Told(BaseModel):
    """Feedback on a practice answer."""

    verdict: Literal["right", "near", "wrong"]
    text: str
    expected: dict[str, float]


class Receipt(BaseModel):
    """`event`: number of the stored answer. `duplicate`: it was there already."""

    event: int
    duplicate: bool
    feedback: Told | None = None


class Taking(BaseModel):
    """Of an undo: its own identifier, so that it too happens once."""

    model_config = ConfigDict(extra="forbid")
    client_id: ClientId


class Undone(BaseModel):
    """`assignment`: the unit again, None when somebody else has it by now."""

    event: int
    assignment: ShownUnit | None = None


class Correction(BaseModel):
    """New values for an earlier answer."""

    model_config = ConfigDict(extra="forbid")
    client_id: ClientId
    values: Values


class OwnAnswer(BaseModel):
    """An earlier answer with its corrections applied. `practice`: it cannot be corrected, as the answer was told."""

    event: int
    unit: int
    dimensions: list[str]
    items: list[ShownItem]
    values: dict[str, float]
    skipped: str | None
    time: datetime
    duration_ms: int
    corrected: bool
    undone: bool
    practice: bool


class OwnAnswers(BaseModel):
    """Newest first. `before`: for the next page, None at the end."""

    answers: list[OwnAnswer]
    before: int | None


class OwnProgress(BaseModel):
    """`left`: units open for this person at present, None where that is not known. `median_seconds`: of the last
    answers."""

    answers: int
    today: int
    left: int | None
    median_seconds: float | None


class SessionInfo(BaseModel):
    """Who is signed in; `csrf` goes into the header X-CSRF-Token of every POST."""

    code: str
    name: str
    role: Literal["rater", "lead", "admin"]
    csrf: str
    protocol: str
