"""Which clips are made: voices, emotions and languages crossed; accents, challenges and intensities spread evenly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from random import Random

from emonet.errors import UnknownNameError, UsageError
from emonet.synthesis.voices._balance import spread_levels
from emonet.synthesis.voices._data import accents_of, challenge_names, voice_names
from emonet.synthesis.voices._records import LANGUAGE_NAMES, LANGUAGES, NONE, Part
from emonet.taxonomy import EMOTIONS, emotion

MOST_CLIPS = 1_000_000
FACTORS = ("voice", "emotion", "language", "accent", "challenge", "intensity")


@dataclass(frozen=True, slots=True)
class Balance:
    """How even a design is. `counts`: factor → level → clips. `spread`: factor → largest difference between two of its
    levels; accents are compared within their language. `pairs`: the same for each pair of factors."""

    clips: int
    counts: Mapping[str, Mapping[str, int]]
    spread: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]


def make_design(
    *,
    voices: Sequence[str] | int = 11,
    emotions: Sequence[str] | None = None,
    languages: Sequence[str] = ("en",),
    accents: Mapping[str, Sequence[str]] | None = None,
    challenges: Sequence[str] = (NONE,),
    intensities: Sequence[int] = (3, 4),
    takes: int = 1,
    seed: int = 0,
) -> tuple[Part, ...]:
    """Every voice with every emotion in every language, `takes` times: voices x emotions x languages x takes clips.

    voices: names, or how many of the eleven. emotions: any spelling; by default all 40. accents: of each language, by
    default `none`. The levels of accents, challenges and intensities come equally often (up to one where the numbers do
    not divide) in each language, with each voice in a language, and with each emotion in a language; challenges and
    intensities also in all. Equal arguments give equal designs. Raises `UsageError` for what does not fit.
    """
    cast, felt = _voices(voices), _emotions(emotions)
    spoken = _each("language", languages, LANGUAGES)
    tried = _each("acting challenge", challenges, challenge_names())
    levels = _intensities(intensities)
    count = len(cast) * len(felt) * len(spoken) * takes
    if takes < 1 or count > MOST_CLIPS:
        raise UsageError(
            f"{takes} takes make {count:,} clips; expected 1 take or more and at most {MOST_CLIPS:,} clips."
        )
    totals: dict[str, Counter[int]] = {"challenge": Counter(), "intensity": Counter()}
    parts: list[Part] = []
    for language in spoken:
        known = _each("accent", (accents or {}).get(language, (NONE,)), [one.name for one in accents_of(language)])
        rng = Random(f"{seed}:{language}")
        cells = [(voice, key) for voice, key in product(cast, felt) for _ in range(takes)]
        rows, columns = [voice for voice, _ in cells], [key for _, key in cells]
        accent = spread_levels(rows, columns, len(known), rng)
        trial = spread_levels(
            rows, columns, len(tried), rng, beside_rows=accent, counts=_so_far(totals, "challenge", tried)
        )
        level = spread_levels(
            rows, columns, len(levels), rng, beside_rows=accent, beside_columns=trial,
            counts=_so_far(totals, "intensity", levels),
        )  # fmt: skip
        totals["challenge"].update(trial)
        totals["intensity"].update(level)
        numbers: Counter[str] = Counter()
        seen: Counter[tuple[str, str]] = Counter()
        for i, cell in enumerate(cells):
            stem = clip_stem(language, *cell, tried[trial[i]])
            numbers[stem] += 1
            key = f"{stem}_{numbers[stem]:06d}"
            parts.append(Part(key, *cell, language, known[accent[i]], tried[trial[i]], levels[level[i]], seen[cell]))
            seen[cell] += 1
    return tuple(parts)


def clip_stem(language: str, voice: str, key: str, challenge: str) -> str:
    """Name of the shard that a clip belongs to, as the release names its tars (it spells "challange" so)."""
    if challenge != NONE:
        return f"{LANGUAGE_NAMES[language]}_voice_acting_outputs-{voice}-acting-challange-prompts"
    return f"{LANGUAGE_NAMES[language]}_{voice}_intense_{_words(key)}_vocalbursts_fixed"


def measure_balance(parts: Sequence[Part]) -> Balance:
    """Count the levels of every factor and of every pair of factors."""
    values = {name: [str(getattr(part, name)) for part in parts] for name in FACTORS}
    # An accent is one of a language: French accents do not compete with English ones.
    values["accent"] = [f"{part.language}: {part.accent}" for part in parts]
    counts = {name: dict(sorted(Counter(column).items())) for name, column in values.items()}
    spread = {name: _spread(held, "accent" if name == "accent" else "") for name, held in counts.items()}
    pairs = {}
    for one, other in combinations(FACTORS, 2):
        if {one, other} == {"accent", "language"}:
            continue
        joint = Counter(zip(values[one], values[other], strict=True))
        groups = sorted({part.language for part in parts}) if "accent" in (one, other) else [""]
        widest = 0
        for group in groups:
            firsts = [level for level in counts[one] if one != "accent" or level.startswith(f"{group}:")]
            seconds = [level for level in counts[other] if other != "accent" or level.startswith(f"{group}:")]
            held = [joint[pair] for pair in product(firsts, seconds)]
            widest = max(widest, max(held) - min(held))
        pairs[one, other] = widest
    return Balance(len(parts), counts, spread, pairs)


def _spread(held: Mapping[str, int], factor: str) -> int:
    groups: dict[str, list[int]] = {}
    for level, count in held.items():
        groups.setdefault(level.partition(":")[0] if factor == "accent" else "", []).append(count)
    return max((max(counts) - min(counts) for counts in groups.values()), default=0)


def _so_far(totals: Mapping[str, Counter[int]], factor: str, levels: Sequence[object]) -> list[int]:
    return [totals[factor][i] for i in range(len(levels))]


def _voices(given: Sequence[str] | int) -> tuple[str, ...]:
    known = voice_names()
    if isinstance(given, int):
        if not 1 <= given <= len(known):
            raise UsageError(f"voices is {given}; expected 1 to {len(known)}, or names: {', '.join(known)}.")
        return known[:given]
    return _each("voice", given, known)


def _emotions(given: Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return tuple(one.key for one in EMOTIONS)
    return _each("emotion", [emotion(name).key for name in given], [one.key for one in EMOTIONS])


def _intensities(given: Sequence[int]) -> tuple[int, ...]:
    if not given or any(level not in (1, 2, 3, 4) for level in given) or len(set(given)) < len(given):
        raise UsageError(f"intensities are {list(given)}; expected different levels of 1, 2, 3 and 4.")
    return tuple(given)


def _each(kind: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The names, each known and none twice."""
    if not given:
        raise UsageError(f"There is no {kind}; expected one or more of {', '.join(known)}.")
    for name in given:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    if len(set(given)) < len(given):
        raise UsageError(f"A {kind} is named twice: {', '.join(given)}.")
    return tuple(given)


def _words(key: str) -> str:
    """An emotion's words as the release's file names have them: the key's own first, at most six, no blanks."""
    record = emotion(key)
    words = [record.key, *(word for word in record.words if word.casefold() != record.name.casefold())]
    return "_".join(word.replace(" ", "_").replace("/", "_") for word in words[:6])
