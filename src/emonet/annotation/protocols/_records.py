"""What is put to raters, by which rules, and what they answer. Plain records: no web, no database.

A *unit* is one question about one item (or a pair, or a set of items). A *rule* says how many people judge a unit,
in which stages, and when it stops. A *judgement* is one person's answer. `decide` (in `_decisions.py`) reads the
judgements of a unit and says what is still wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

QuestionKind = Literal["levels", "sliders", "pair", "best-worst", "form"]
"""How a unit is answered: one of a few named levels (yes and no among them), one slider a dimension, one of two
things, the most and the least of several items, or a form."""

Enter = Literal["always", "all-present", "any-present", "agree", "disagree"]
"""When a stage is entered, judged from all answers before it: always; when every (any) answer is above zero; when
all answers are equal (differ)."""

Role = Literal["target", "contrast", "plain", "training"]
"""Why a unit exists: the emotion the item was made for, its opposing emotion, no special reason, or practice with
feedback. Attention checks and gold units have any role and carry a known answer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A named answer and the key that gives it, such as 1.0, "strongly present", "3"."""

    value: float
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a questionnaire. `options` for kind "select"; a required checkbox is consent and must be ticked."""

    name: str
    label: str
    kind: Literal["select", "text", "textarea", "checkbox"]
    options: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Stage:
    """A round of `raters` further people, entered when `enter` holds for the answers so far."""

    raters: int
    enter: Enter = "always"


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a kind of item is judged.

    `prompt`: the question, where `{emotion}` stands for the dimension's name. `scale`: ends of the values; `step`
    between two values. `rules`: stages by role. `consensus`: "strict" takes a unit as agreed only when all answers are
    equal; "majority" when more than half are; "none" leaves values as they are (graded scales). `contrast`: opposing
    dimension of each dimension, empty where the protocol has none. `gold_every`: one gold unit or attention check
    after so many units, 0 for none. `training`: units of practice with feedback before the first real one.
    `set_size`: items shown together (best-worst).
    """

    name: str
    question: QuestionKind
    prompt: str
    dimensions: tuple[str, ...]
    scale: tuple[float, float]
    step: float = 1.0
    choices: tuple[Choice, ...] = ()
    form: tuple[FormField, ...] = ()
    rules: Mapping[Role, tuple[Stage, ...]] = field(default_factory=dict)
    consensus: Literal["strict", "majority", "none"] = "strict"
    contrast: Mapping[str, str] = field(default_factory=dict)
    gold_every: int = 0
    training: int = 0
    set_size: int = 1
    source: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """One question. `items`: one item, two of a pair or several; `dimensions`: what is asked, all of them for
    sliders, none for a form. `gold`: the known answer by dimension (or by item, for pairs and sets), empty for
    ordinary units; `tolerance`: how far an answer may be from it."""

    key: str
    items: tuple[str, ...]
    dimensions: tuple[str, ...]
    role: Role = "plain"
    gold: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person's answer to a unit. `values`: by dimension for levels and sliders; by item for pairs (1 for the one
    taken, 0 for the other) and sets (1 most, -1 least, 0 between). A slider that was not touched has no value, which
    is not the same as a zero that was set. `form`: answers of a form. `skipped`: the reason, None for an answer."""

    unit: str
    rater: str
    stage: int
    values: Mapping[str, float]
    time: datetime
    duration_ms: int
    form: Mapping[str, str] = field(default_factory=dict)
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the judgements of a unit amount to. `stage`: the one that is open, else the last one reached, from 1.
    `wanted`: further people to be asked now. `outcome`: None while something is wanted; "agreed", "disputed" (an
    adjudicator may settle it) or "rated" (nothing to agree on: a graded scale without a consensus rule, or one answer
    alone). `values`: what was agreed, empty otherwise.
    `type`: the vote pattern in short, such as "3:0 present" or "2:1"."""

    stage: int
    wanted: int
    outcome: Literal["agreed", "disputed", "rated"] | None
    values: Mapping[str, float]
    type: str
