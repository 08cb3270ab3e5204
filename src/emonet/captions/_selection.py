"""Which scores are worth a word, and how strong a word: the rules of LAION's procedural captions.

Source: LAION-AI/procedural-voice-captions (algorithm only). Every step is checked against published test vectors.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from emonet.captions._baseline import emotion_keys
from emonet.captions._records import Baseline, Gate, Said, Selection, Word
from emonet.captions._wording import wording
from emonet.errors import UsageError

ALWAYS = ("AGEV", "GEND", "REGS", "TEMP")
"""VoiceNet dimensions that are told whether or not they stand out."""
GENDER_GATE = 0.5
"""Least |gender| of the released head (-2 masculine .. 2 feminine) for a gender to be told."""
_TIERS: tuple[tuple[float, Word], ...] = ((2.0, "extremely"), (1.5, "very"), (1.0, "notably"), (0.5, "somewhat"))
_BANDS = (1.5, 2.5, 3.5, 4.5)
_VALUE_FIELDS = ("value", "reg_score", "reg", "r", "score")
_ALIASES = {"genu": "genuineness", "ei_gender": "gender", "Gender": "gender"}
_SHUFFLE_ATTRIBUTES, _SHUFFLE_EMOTIONS = 0x9E3779B1, 0x51ED270B


def select(
    scores: Mapping[str, Any],
    baseline: Baseline,
    *,
    emotions: int = 3,
    attributes: int = 5,
    always: Sequence[str] = ALWAYS,
    gender_gate: float = GENDER_GATE,
    shuffle: bool = False,
    seed: int = 0,
) -> Selection:
    """What to say of one clip.

    scores: name → number, or → mapping whose first field of value, reg_score, reg, r, score is it; also grouped as
    `{"dims": .., "emo": .., "genu": .., "blend": ..}`. Names are VoiceNet codes, emotions and attributes in any
    spelling, `genuineness`, `blend`. What has no value (None, NaN) or no baseline is not said; an unknown name is left
    out. emotions, attributes: how many at most, by |z|. gender_gate 0 switches that gate off.
    """
    if emotions < 0 or attributes < 0 or gender_gate < 0:
        raise UsageError(
            f"emotions {emotions}, attributes {attributes}, gender_gate {gender_gate}: expected 0 or more."
        )
    values = plain_scores(scores)
    gender = values.get("gender")
    gated = gender is not None and abs(gender) < gender_gate
    genuineness = _quality(values, "genuineness", baseline)
    gate: Gate = "open" if genuineness is None or genuineness >= 0 else "capped" if genuineness > -1 else "dropped"
    told = _attributes(values, baseline, attributes, always, gated)
    felt = [] if gate == "dropped" else _emotions(values, baseline, emotions, gate)
    if shuffle:
        told, felt = _shuffled(told, felt, seed)
    return Selection(tuple(felt), tuple(told), gate, genuineness, _quality(values, "blend", baseline), gated)


def plain_scores(scores: Mapping[str, Any]) -> dict[str, float]:
    """Key → finite number of every score that has a known name."""
    flat: dict[str, Any] = {}
    for name, value in scores.items():
        flat.update(value) if name in ("dims", "emo") and isinstance(value, Mapping) else flat.update({name: value})
    plain: dict[str, float] = {}
    for name, value in flat.items():
        key, number = _key(str(name)), _number(value)
        if key is not None and number is not None:
            plain[key] = number
    return plain


def tier(z: float) -> Word:
    """The degree word of a deviation, "average" below 0.5."""
    return next((word for least, word in _TIERS if abs(z) >= least), "average")


def _attributes(
    values: Mapping[str, float], baseline: Baseline, count: int, always: Sequence[str], gated: bool
) -> list[Said]:
    hidden = {"age", "gender"} | ({"GEND"} if gated else set())
    pool = {
        key: baseline.z(key, value)
        for key, value in values.items()
        if key not in hidden and key in baseline.statistics and baseline.statistics[key].group == "attribute"
    }
    ranked = sorted(pool, key=lambda key: -abs(pool[key]))[:count]
    ranked += [key for key in always if key in pool and key not in ranked]
    out = [_said(key, pool[key], values[key], key in always) for key in ranked]
    # The released heads have an age and a gender of their own, on scales that need no baseline.
    for key, other in (("age", "AGEV"), ("gender", "GEND")):
        wanted = always and baseline.modality == "voice" and not (gated and key == "gender")
        if wanted and key in values and other not in values:
            out.append(Said(key, math.nan, "absolute", True, _released_band(key, values[key])))
    return out


def _said(key: str, z: float, value: float, always: bool) -> Said:
    if key in ("AGEV", "GEND", "REGS"):
        return Said(key, z, "absolute", always, sum(value >= bound for bound in _BANDS))
    return Said(key, z, tier(z), always)


def _released_band(key: str, value: float) -> int:
    """Age 0..6 by the whole steps of its scale; gender -2..2 in five bands around 0."""
    if key == "age":
        return min(max(math.floor(value + 0.5), 0), 6)
    return sum(value > bound for bound in (-1.5, -0.5)) + sum(value >= bound for bound in (0.5, 1.5))


def _emotions(values: Mapping[str, float], baseline: Baseline, count: int, gate: Gate) -> list[Said]:
    known = [key for key, row in baseline.statistics.items() if row.group == "emotion" and key in values]
    pool = {key: baseline.z(key, values[key]) for key in known}
    order = {key: i for i, key in enumerate(values)}
    chosen = sorted(known, key=lambda key: (-abs(pool[key]), order[key]))[:count]
    out = []
    for key in chosen:
        z = pool[key]
        if abs(z) < 0.5:
            continue
        word: Word = "absent" if z < 0 else tier(z)
        if gate == "capped" and word in ("extremely", "very"):
            word = "notably"
        out.append(Said(key, z, word))
    return out


def _shuffled(told: list[Said], felt: list[Said], seed: int) -> tuple[list[Said], list[Said]]:
    """Attributes that are not always told change places among themselves; so do the emotions."""
    places = [i for i, said in enumerate(told) if not said.always]
    moved = [told[i] for i in places]
    random.Random(seed ^ _SHUFFLE_ATTRIBUTES).shuffle(moved)
    told = list(told)
    for place, said in zip(places, moved, strict=True):
        told[place] = replace(said)
    felt = list(felt)
    random.Random(seed ^ _SHUFFLE_EMOTIONS).shuffle(felt)
    return told, felt


def _quality(values: Mapping[str, float], key: str, baseline: Baseline) -> float | None:
    return baseline.z(key, values[key]) if key in values and key in baseline.statistics else None


def _number(value: Any) -> float | None:
    if isinstance(value, Mapping):
        value = next((value[name] for name in _VALUE_FIELDS if name in value), None)
    if value is None or isinstance(value, bool | str):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _key(name: str) -> str | None:
    name = _ALIASES.get(name, name)
    if name in ("genuineness", "blend") or name in wording().attributes or name in emotion_keys():
        return name
    from emonet.errors import UnknownNameError
    from emonet.taxonomy import dimension_record

    try:
        return dimension_record(name).key
    except UnknownNameError:
        return None
