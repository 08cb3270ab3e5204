"""The design: voices, emotions and languages crossed, everything else spread evenly over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import parse_talent_name
from emonet.errors import UnknownNameError, UsageError
from emonet.synthesis.voices import LANGUAGES, Part, make_design, measure_balance
from emonet.synthesis.voices._balance import spread_levels
from emonet.synthesis.voices._data import accents_of, challenge_names, voice_names
from emonet.taxonomy import EMOTIONS


def widest(levels: Sequence[Hashable], known: Sequence[Hashable]) -> int:
    """Largest difference between the counts of two levels."""
    counts = Counter(levels)
    return max(counts[level] for level in known) - min(counts[level] for level in known)


@given(
    rows=st.integers(1, 8), columns=st.integers(1, 9), takes=st.integers(1, 3), levels=st.integers(1, 9),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_levels_are_even_in_all_and_in_every_row_and_column(
    rows: int, columns: int, takes: int, levels: int, seed: int
) -> None:
    cells = [(row, column) for row in range(rows) for column in range(columns) for _ in range(takes)]
    given_levels = spread_levels([r for r, _ in cells], [c for _, c in cells], levels, Random(seed))
    known = range(levels)
    assert widest(given_levels, known) <= 1
    for row in range(rows):
        assert widest([level for (r, _), level in zip(cells, given_levels, strict=True) if r == row], known) <= 1
    for column in range(columns):
        assert widest([level for (_, c), level in zip(cells, given_levels, strict=True) if c == column], known) <= 1


@given(seed=st.integers(0, 2**31), cells=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60))
def test_cells_may_be_missing_or_come_often(seed: int, cells: list[tuple[int, int]]) -> None:
    levels = spread_levels([r for r, _ in cells], [c for _, c in cells], 4, Random(seed), counts=[3, 0, 0, 1])
    counts = Counter(levels)
    assert max(counts.values(), default=0) - min(counts[level] for level in range(4)) <= 1
    # Levels that come once more are those with the fewest cells elsewhere.
    if len(cells) % 4 == 1:
        assert max(range(4), key=lambda level: counts[level]) in (1, 2)


@given(
    voices=st.integers(1, 11), emotions=st.integers(1, 40), takes=st.integers(1, 2), seed=st.integers(0, 99),
    languages=st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=4, unique=True),
    challenges=st.integers(1, len(challenge_names())), intensities=st.sampled_from([(3, 4), (1, 2, 3, 4), (2,)]),
)  # fmt: skip
def test_every_marginal_of_a_design_is_exact(
    voices: int,
    emotions: int,
    takes: int,
    seed: int,
    languages: list[str],
    challenges: int,
    intensities: tuple[int, ...],
) -> None:
    known = {language: [accent.name for accent in accents_of(language)] for language in languages}
    tried = challenge_names()[:challenges]
    design = make_design(
        voices=voices, emotions=[one.key for one in EMOTIONS[:emotions]], languages=languages, accents=known,
        challenges=tried, intensities=intensities, takes=takes, seed=seed,
    )  # fmt: skip
    assert len(design) == voices * emotions * len(languages) * takes
    assert len({part.key for part in design}) == len(design)
    assert set(Counter((part.voice, part.emotion, part.language) for part in design).values()) == {takes}
    assert widest([part.challenge for part in design], tried) <= 1
    assert widest([part.intensity for part in design], intensities) <= 1
    for language in languages:
        spoken = [part for part in design if part.language == language]
        for name, levels in (("accent", known[language]), ("challenge", tried), ("intensity", intensities)):
            assert widest([getattr(part, name) for part in spoken], levels) <= 1
            for factor in ("voice", "emotion"):
                for value in {getattr(part, factor) for part in spoken}:
                    held = [getattr(part, name) for part in spoken if getattr(part, factor) == value]
                    assert widest(held, levels) <= 1


def test_all_of_the_release_is_eleven_voices_forty_emotions_four_languages() -> None:
    design = make_design(languages=LANGUAGES, challenges=challenge_names(), seed=3)
    balance = measure_balance(design)
    assert balance.clips == 11 * 40 * 4
    assert set(balance.counts["voice"].values()) == {160}
    assert set(balance.counts["emotion"].values()) == {44}
    assert balance.spread["challenge"] <= 1
    assert balance.pairs["voice", "emotion"] == 0
    assert design == make_design(languages=LANGUAGES, challenges=challenge_names(), seed=3)
    assert design != make_design(languages=LANGUAGES, challenges=challenge_names(), seed=4)


def test_pairs_that_nothing_guarantees_are_measured() -> None:
    design = make_design(accents={"en": ("none", "British")}, intensities=(3, 4))
    counts = Counter((part.accent, part.intensity) for part in design)
    spread = max(counts.values()) - min(counts.values())
    assert measure_balance(design).pairs["accent", "intensity"] == spread
    assert spread < 12  # of 110 clips each


@pytest.mark.parametrize("record", EMOTIONS, ids=lambda record: record.key)
def test_the_reader_of_the_release_knows_every_name(record: object) -> None:
    key = getattr(record, "key")  # noqa: B009
    for language in LANGUAGES:
        for challenge in ("none", "whisper"):
            (part,) = make_design(voices=["onyx"], emotions=[key], languages=[language], challenges=[challenge])
            told = parse_talent_name(part.key)
            assert told is not None
            assert (told.language, told.voice, told.acting) == (language, "onyx", challenge != "none")
            assert told.emotion == (key if challenge == "none" else None)


def test_gender_of_the_voices_is_six_to_five() -> None:
    from emonet.synthesis.voices._data import cast

    assert Counter(cast(name).gender for name in voice_names()) == {"female": 6, "male": 5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"voices": 12}, "1 to 11"),
        ({"voices": ["alloy", "alloy"]}, "named twice"),
        ({"voices": ["aloy"]}, "Did you mean 'alloy'"),
        ({"emotions": ["angr"]}, "emotion 'angr'"),
        ({"emotions": []}, "no emotion"),
        ({"languages": ["it"]}, "language 'it'"),
        ({"accents": {"en": ["Scotish"]}}, "Did you mean 'Scottish'"),
        ({"challenges": ["wisper"]}, "Did you mean 'whisper'"),
        ({"intensities": [0, 1]}, "different levels"),
        ({"takes": 0}, "0 takes"),
        ({"takes": 10_000}, "at most"),
    ],
)
def test_what_does_not_fit_is_named(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_design(**arguments)  # type: ignore[arg-type]


def test_an_unknown_voice_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError):
        make_design(voices=["adele"])


def test_parts_say_which_take_they_are() -> None:
    design = make_design(voices=["ash"], emotions=["awe"], takes=3)
    assert [part.take for part in design] == [0, 1, 2]
    assert isinstance(design[0], Part)


def test_every_public_name_can_be_had() -> None:
    import emonet.synthesis.voices as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'utter'"):
        package.utter  # noqa: B018
