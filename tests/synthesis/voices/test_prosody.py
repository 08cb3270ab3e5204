"""Prosody: the directions that the literature reports, and what the local synthesiser makes of them."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.synthesis.voices import (
    LANGUAGES,
    EspeakGenerator,
    Order,
    make_design,
    prosody_of,
    write_scripts,
)
from emonet.synthesis.voices._data import challenge_names
from emonet.synthesis.voices._prosody import ssml_of
from emonet.taxonomy import EMOTIONS


def test_anger_and_joy_are_faster_higher_louder_and_wider_than_sadness() -> None:
    sad = prosody_of("sadness", 4)
    for name in ("anger", "elation"):
        loud = prosody_of(name, 4)
        for axis in ("rate", "pitch", "pitch_range", "volume"):
            assert getattr(loud, axis) > getattr(sad, axis)
        assert loud.sentence_ms < sad.sentence_ms


def test_power_ends_low_and_weakness_ends_high() -> None:
    assert prosody_of("triumph", 4).ending < 1 < prosody_of("helplessness", 4).ending


@pytest.mark.parametrize("record", EMOTIONS, ids=lambda record: record.key)
def test_intensity_moves_away_from_neutral(record: object) -> None:
    key = record.key  # type: ignore[attr-defined]
    distances = [abs(prosody_of(key, level).rate - 100) for level in (1, 2, 3, 4)]
    assert distances == sorted(distances)


@given(seed=st.integers(0, 2**32 - 1), index=st.integers(0, 1759))
def test_every_order_is_well_formed_and_within_limits(seed: int, index: int) -> None:
    script = _ALL[index]
    root = ElementTree.fromstring(ssml_of(Order(script, 0, seed)))
    said = " ".join("".join(root.itertext()).split())
    assert all(sentence.replace(",", "").split()[0] in said for sentence in script.sentences)
    for tag in root.iter("prosody"):
        assert 60 <= float(tag.attrib["rate"].rstrip("%")) <= 155
        assert 0 < float(tag.attrib["volume"].rstrip("%")) <= 190


def test_another_seed_is_another_take() -> None:
    assert ssml_of(Order(_ALL[0], 0, 1)) == ssml_of(Order(_ALL[0], 0, 1)) != ssml_of(Order(_ALL[0], 1, 2))


def test_espeak_speaks_all_languages_and_accents_it_claims(espeak: EspeakGenerator) -> None:
    design = [
        part
        for language in LANGUAGES
        for part in make_design(
            voices=["nova"], emotions=["anger"], languages=[language], accents={language: espeak.accents(language)},
            takes=len(espeak.accents(language)),
        )
    ]  # fmt: skip
    takes = list(espeak.takes([Order(script, 0, 5) for script in write_scripts(design)]))
    assert {take.fault for take in takes} == {""}
    assert len({take.audio for take in takes}) == len(takes)


def test_espeak_repeats_itself_and_voices_differ(espeak: EspeakGenerator) -> None:
    scripts = write_scripts(make_design(emotions=["relief"]))
    orders = [Order(script, 0, 5) for script in scripts]
    first, second = list(espeak.takes(orders)), list(espeak.takes(orders))
    assert first == second
    assert len({take.audio for take in first}) == 11


def test_anger_is_spoken_faster_higher_and_louder_than_sadness(espeak: EspeakGenerator) -> None:
    design = make_design(voices=["sage"], emotions=["anger", "sadness"], intensities=[4])
    anger, sadness = (next(espeak.takes([Order(script, 0, 7)])) for script in write_scripts(design))
    measured = []
    for take in (anger, sadness):
        samples, rate = soundfile.read(io.BytesIO(take.audio))
        loud = np.abs(samples) > 0.01
        words_per_s = take.order.script.words / (len(samples) / rate)
        measured.append((words_per_s, float(np.sqrt(np.mean(samples[loud] ** 2))), _pitch_hz(samples, rate)))
    assert all(one > other for one, other in zip(*measured, strict=True))


def test_the_wheels_library_speaks_as_well(espeak: EspeakGenerator) -> None:
    pytest.importorskip("espeakng_loader", reason="the extra `demo` is not installed")
    (script,) = write_scripts(make_design(voices=["onyx"], emotions=["awe"], languages=["de"]))
    (take,) = EspeakGenerator("", "library").takes([Order(script, 0, 1)])
    assert take.fault == ""
    samples, rate = soundfile.read(io.BytesIO(take.audio))
    assert len(samples) > 2 * rate


def test_a_broken_program_is_a_fault_of_the_take() -> None:
    (script,) = write_scripts(make_design(voices=1, emotions=["awe"]))
    (take,) = EspeakGenerator("/nowhere/espeak-ng", "none").takes([Order(script, 0, 1)])
    assert "did not speak" in take.fault


def test_an_accent_that_espeak_lacks_is_refused(espeak: EspeakGenerator) -> None:
    (script,) = write_scripts(make_design(voices=1, emotions=["awe"], accents={"en": ["Texan"]}))
    with pytest.raises(UsageError, match=r"no accent 'Texan'.*British"):
        list(espeak.takes([Order(script, 0, 1)]))


def _pitch_hz(samples: np.ndarray, rate: int) -> float:
    """Median of the autocorrelation's highest peak between 70 and 450 Hz over voiced frames of 40 ms."""
    frame, found = int(0.04 * rate), []
    for start in range(0, len(samples) - 2 * frame, frame):
        piece = samples[start : start + 2 * frame] - samples[start : start + 2 * frame].mean()
        likeness = np.correlate(piece, piece, "full")[len(piece) - 1 :]
        low, high = int(rate / 450), int(rate / 70)
        lag = low + int(likeness[low:high].argmax())
        if np.abs(piece).max() > 0.02 and likeness[lag] > 0.5 * likeness[0]:
            found.append(rate / lag)
    return float(np.median(found))


_ALL = write_scripts(make_design(languages=LANGUAGES, challenges=challenge_names(), intensities=(1, 2, 3, 4)))
