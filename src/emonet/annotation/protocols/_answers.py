"""The question as the rater reads it, what counts as a complete answer, and feedback where the answer is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from emonet.annotation.protocols._records import Decision, FormField, Protocol, Unit
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import display_name

MAX_TEXT = 10_000
"""Longest answer to a text field of a form, in characters."""
_SLACK = 1e-9
"""Values come as JSON numbers; a step of 0.1 is met only to rounding."""

Verdict = Literal["right", "near", "wrong"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """How an answer compares with the known one. `verdict`: "right" within the unit's tolerance, "near" one step
    beyond it with the same presence, else "wrong"; the worst of several dimensions counts. `text`: what to tell the
    rater. `expected`: the known answer."""

    verdict: Verdict
    text: str
    expected: Mapping[str, float]


def question_text(protocol: Protocol, unit: Unit) -> str:
    """The prompt with the name of what is asked, such as "Does this face show Jealousy & Envy?"."""
    return protocol.prompt.replace("{emotion}", ", ".join(map(dimension_name, unit.dimensions)))


def dimension_name(dimension: str) -> str:
    """Name for people; a dimension that the taxonomy does not know is its own name."""
    try:
        return display_name(dimension)
    except UnknownNameError:
        return dimension


def check_values(protocol: Protocol, unit: Unit, values: Mapping[str, float], form: Mapping[str, str]) -> None:
    """Raise `UsageError`, naming the field, unless the answer is complete and allowed.

    levels: one of the choices for every dimension of the unit. sliders: any of its dimensions, on the scale and its
    steps; an untouched slider has no value. pair: both items, 1 for the one taken and 0 for the other. best-worst:
    every item, one 1 (most), one -1 (least), else 0. form: no values. `form` is checked against the protocol's fields
    whatever the question; a checkbox is "yes" or "no", and a required one must be "yes".
    """
    check_answer(protocol, unit, values)
    _check_form(protocol.form, form)


def check_answer(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> None:
    """The values alone, without the form."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise _fault(unit, name, value, "expected a finite number")
    if protocol.question == "levels":
        _same_names(unit, values, unit.dimensions)
        _check_levels(protocol, unit, values)
    elif protocol.question == "sliders":
        _check_sliders(protocol, unit, values)
    elif protocol.question == "form":
        _same_names(unit, values, ())
    else:
        _same_names(unit, values, unit.items)
        _check_comparison(protocol, unit, values)


def adjudicated(protocol: Protocol, unit: Unit, decision: Decision, values: Mapping[str, float]) -> Decision:
    """The decision after an adjudicator set the values: agreed, with "adjudicated" behind the vote pattern.

    Raises `UsageError` while raters are still wanted, whose answers come first, and for values no rater could give.
    """
    if decision.outcome is None:
        raise UsageError(
            f"Unit {unit.key!r} still wants {decision.wanted} rater(s) in stage {decision.stage}; adjudicate it "
            "once it is closed."
        )
    check_answer(protocol, unit, values)
    return Decision(decision.stage, 0, "agreed", dict(values), f"{decision.type} adjudicated".strip())


def feedback(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> Feedback:
    """Compare an answer with the unit's known one. `UsageError` when the unit has none."""
    if not unit.gold:
        raise UsageError(f"Unit {unit.key!r} has no known answer; feedback needs a training or gold unit.")
    verdicts = {name: _verdict(protocol, unit, values.get(name, 0.0), gold) for name, gold in unit.gold.items()}
    order: tuple[Verdict, ...] = ("right", "near", "wrong")
    worst = max(verdicts.values(), key=order.index)
    return Feedback(worst, _told(protocol, unit, verdicts, worst), dict(unit.gold))


def meets_gold(unit: Unit, values: Mapping[str, float]) -> bool:
    """Whether every known answer is met within the unit's tolerance; an untouched slider counts as 0."""
    return all(abs(values.get(name, 0.0) - gold) <= unit.tolerance + _SLACK for name, gold in unit.gold.items())


def _check_levels(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> None:
    allowed = {choice.value: choice.label for choice in protocol.choices}
    for name, value in values.items():
        if value not in allowed:
            listed = ", ".join(f"{level:g} ({label})" for level, label in allowed.items())
            raise _fault(unit, name, value, f"expected one of {listed}")


def _check_sliders(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> None:
    low, high = protocol.scale
    for name, value in values.items():
        if name not in unit.dimensions:
            raise _fault(unit, name, value, f"the unit asks for {_listed(unit.dimensions)}")
        steps = (value - low) / protocol.step
        if not low <= value <= high or abs(steps - round(steps)) > _SLACK:
            raise _fault(unit, name, value, f"expected {low:g} to {high:g} in steps of {protocol.step:g}")


def _check_comparison(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> None:
    given = sorted(values.values())
    if protocol.question == "pair":
        if given != [0.0, 1.0]:
            raise UsageError(
                f"Unit {unit.key!r}: received {dict(values)}; expected 1 for the item taken, 0 for the other."
            )
    elif given != [-1.0, *[0.0] * (len(given) - 2), 1.0]:
        raise UsageError(
            f"Unit {unit.key!r}: received {dict(values)}; expected one item with 1 (most), another with -1 (least) "
            "and 0 for the rest."
        )


def _check_form(fields: Sequence[FormField], form: Mapping[str, str]) -> None:
    known = {field.name: field for field in fields}
    if unknown := next((name for name in form if name not in known), None):
        raise UsageError(f"Form field {unknown!r} is not among those asked: {', '.join(known) or 'none'}.")
    for name, field in known.items():
        given = form.get(name, "").strip()
        allowed = field.options if field.kind == "select" else ("yes", "no") if field.kind == "checkbox" else ()
        if given and allowed and given not in allowed:
            raise UsageError(f"Form field {name!r}: received {given[:80]!r}; expected one of {_listed(allowed)}.")
        if len(given) > MAX_TEXT:
            raise UsageError(f"Form field {name!r}: received {len(given)} characters; expected at most {MAX_TEXT}.")
        if field.required and (not given or (field.kind == "checkbox" and given != "yes")):
            wanted = "it must be ticked" if field.kind == "checkbox" else "it must be answered"
            raise UsageError(f"Form field {name!r} ({field.label}): {wanted}.")


def _same_names(unit: Unit, values: Mapping[str, float], expected: Sequence[str]) -> None:
    for name, value in values.items():
        if name not in expected:
            raise _fault(unit, name, value, f"the unit asks for {_listed(expected)}")
    if missing := [name for name in expected if name not in values]:
        raise UsageError(f"Unit {unit.key!r}: no answer for {_listed(missing)}; expected one for {_listed(expected)}.")


def _fault(unit: Unit, name: str, value: float, wanted: str) -> UsageError:
    return UsageError(f"Unit {unit.key!r}, field {name!r}: received {value!r}; {wanted}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "") or "nothing"


def _verdict(protocol: Protocol, unit: Unit, given: float, gold: float) -> Verdict:
    away = abs(given - gold)
    if away <= unit.tolerance + _SLACK:
        return "right"
    same_presence = (given > 0) == (gold > 0) and protocol.question in ("levels", "sliders")
    return "near" if same_presence and away <= unit.tolerance + protocol.step + _SLACK else "wrong"


def _told(protocol: Protocol, unit: Unit, verdicts: Mapping[str, Verdict], worst: Verdict) -> str:
    """One sentence on the verdict, then the known answers of what was not right."""
    opening = {"right": "That is right.", "near": "Nearly.", "wrong": "Not quite."}[worst]
    if len(unit.items) > 1 and worst != "right":
        names = {1.0: "the most", -1.0: "the least"}
        place = {item: number for number, item in enumerate(unit.items, start=1)}
        told = [f"number {place[i]} shows {names[v]}" for i, v in unit.gold.items() if v in names]
        return f"{opening} Here {' and '.join(told)}."
    # One dimension is always told, also after a right answer: practice teaches by repetition.
    missed = [name for name, verdict in verdicts.items() if verdict != "right"] or list(verdicts)[:1]
    told = [f"{dimension_name(name)}: {_level(protocol, unit.gold[name])}" for name in missed]
    return f"{opening} {'; '.join(told)}." if len(unit.items) <= 1 else opening


def _level(protocol: Protocol, value: float) -> str:
    label = next((choice.label for choice in protocol.choices if choice.value == value), None)
    return label if label is not None else f"{value:g} of {protocol.scale[1]:g}"
