"""Which stage a unit is in, how many people it still wants, and what the answers amount to.

Pure and independent of the order in which judgements are passed: answers are read by stage, then time, then rater.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from emonet.annotation.protocols._records import Decision, Enter, Judgement, Protocol, Stage, Unit
from emonet.errors import UsageError


def decide(protocol: Protocol, unit: Unit, judgements: Sequence[Judgement]) -> Decision:
    """What the judgements of one unit amount to.

    judgements: the valid ones (undone and corrected ones replaced), in any order, at most one answer a rater. Skips
    count neither as answers nor against the number wanted. Stages are entered in their order; the first that is not
    entered ends the sequence. Every answer counts in the end, also one more than was asked for.

    `outcome` is "agreed" when at least two answers meet the protocol's consensus rule, "disputed" when they do not,
    and "rated" where there is nothing to agree on: a scale without such a rule, or a single answer, however the rule.
    So the lone no that ends the binary protocol is "rated" with type "1:0 absent", and a lone yes on a contrast
    "1:0 present"; neither is a consensus. Training and gold units want nobody: their answer is known.

    Raises `UsageError` for judgements of another unit, two answers of one rater, or a role without a rule.
    """
    if unit.role == "training" or unit.gold:
        return Decision(1, 0, "agreed", dict(unit.gold), "training" if unit.role == "training" else "gold")
    answers = _answers(unit, judgements)
    votes = pattern(protocol, unit, answers)
    used, reached = 0, 1
    for number, stage in enumerate(rule_of(protocol, unit), start=1):
        if not _entered(stage.enter, answers[:used], unit):
            break
        reached, used = number, used + stage.raters
        if used > len(answers):
            return Decision(number, used - len(answers), None, {}, votes)
    if len(answers) < 2 or protocol.consensus == "none":
        return Decision(reached, 0, "rated", {}, votes)
    agreed = consensus(protocol, unit, answers)
    return Decision(reached, 0, "disputed" if agreed is None else "agreed", agreed or {}, votes)


def rule_of(protocol: Protocol, unit: Unit) -> tuple[Stage, ...]:
    """The stages a unit goes through; `UsageError` when the protocol has no rule for its role."""
    if unit.role not in protocol.rules:
        raise UsageError(
            f"Unit {unit.key!r} has the role {unit.role!r}, for which protocol {protocol.name!r} has no rule. "
            f"It has rules for: {', '.join(protocol.rules) or 'none'}."
        )
    return protocol.rules[unit.role]


def first_stage(protocol: Protocol, unit: Unit) -> Decision:
    """The decision about a unit that nobody has judged yet."""
    return decide(protocol, unit, ())


def consensus(protocol: Protocol, unit: Unit, answers: Sequence[Judgement]) -> dict[str, float] | None:
    """The values that the protocol's rule takes as agreed, None when it takes none."""
    if not answers or protocol.consensus == "none":
        return None
    given = Counter(_comparable(unit, answer) for answer in answers)
    best, votes = min(given.items(), key=lambda entry: (-entry[1], entry[0]))
    needed = len(answers) if protocol.consensus == "strict" else len(answers) // 2 + 1
    return dict(zip(keys_of(unit), best, strict=True)) if votes >= needed else None


def pattern(protocol: Protocol, unit: Unit, answers: Sequence[Judgement]) -> str:
    """The votes in short. Levels of one dimension: "2:1" for two present and one absent, "3:0 present", "2:0 absent".
    Pairs: most to fewest votes, "2:1". Anything else: "4 ratings". "" before the first answer."""
    if not answers:
        return ""
    if protocol.question == "levels" and len(unit.dimensions) == 1:
        present = sum(answer.values[unit.dimensions[0]] > 0 for answer in answers)
        absent = len(answers) - present
        if present and absent:
            return f"{present}:{absent}"
        return f"{len(answers)}:0 {'present' if present else 'absent'}"
    if protocol.question == "pair":
        votes = sum(answer.values[unit.items[0]] > 0 for answer in answers)
        return f"{max(votes, len(answers) - votes)}:{min(votes, len(answers) - votes)}"
    return f"{len(answers)} rating{'' if len(answers) == 1 else 's'}"


def _answers(unit: Unit, judgements: Sequence[Judgement]) -> list[Judgement]:
    """Answers without skips, in the order of stage, time and rater."""
    answers = [judgement for judgement in judgements if judgement.skipped is None]
    if stray := next((judgement.unit for judgement in judgements if judgement.unit != unit.key), None):
        raise UsageError(f"Judgements of unit {stray!r} were passed with unit {unit.key!r}; pass one unit's only.")
    counts = Counter(answer.rater for answer in answers)
    if twice := next((rater for rater, count in counts.items() if count > 1), None):
        raise UsageError(
            f"Rater {twice!r} has {counts[twice]} answers to unit {unit.key!r}; expected one. Apply corrections and "
            "undos first and pass the answer that stands."
        )
    return sorted(answers, key=lambda answer: (answer.stage, answer.time, answer.rater))


def _entered(enter: Enter, answers: Sequence[Judgement], unit: Unit) -> bool:
    if enter == "always":
        return True
    present = [all(value > 0 for value in _comparable(unit, answer)) for answer in answers]
    if enter == "all-present":
        return all(present)
    if enter == "any-present":
        return any(present)
    same = len({_comparable(unit, answer) for answer in answers}) <= 1
    return same if enter == "agree" else not same


def keys_of(unit: Unit) -> tuple[str, ...]:
    """What values are keyed by: dimensions, or the items where several are compared."""
    return unit.items if len(unit.items) > 1 else unit.dimensions


def _comparable(unit: Unit, answer: Judgement) -> tuple[float, ...]:
    """Values in a fixed order. An untouched slider counts as 0 here: neither says that the emotion is there."""
    values: Mapping[str, float] = answer.values
    return tuple(values.get(key, 0.0) for key in keys_of(unit))
