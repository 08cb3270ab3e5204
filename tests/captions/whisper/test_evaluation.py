"""Measures of captions: right ones beat dealt ones, text measures are the libraries' own."""

from __future__ import annotations

import json
import math

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from emonet.captions.whisper import evaluate_captions
from emonet.captions.whisper._agreement import emotions_of
from emonet.captions.whisper._text_quality import repetition
from emonet.errors import UsageError

WORDS = {
    "anger": "angry",
    "sadness": "sad",
    "fear": "frightened",
    "awe": "awestruck",
    "pride": "proud",
    "doubt": "doubtful",
}
CLIPS = {f"clip {i}": list(WORDS)[i % 6] for i in range(24)}
CAPTIONS = {clip: f"The voice sounds very {WORDS[key]}." for clip, key in CLIPS.items()}
SCORES = {
    clip: {other: float(other == key) + 0.01 * i for other in WORDS} for i, (clip, key) in enumerate(CLIPS.items())
}


def test_right_captions_beat_dealt_ones() -> None:
    """Captions that name each clip's highest emotion reach the top, captions of other clips do not."""
    found = evaluate_captions(CAPTIONS, scores=SCORES, top=1).agreement
    assert found is not None
    assert found.rank.value > 0.95
    assert found.control.value == pytest.approx(0.5, abs=0.15)
    assert found.gain.low > 0.3
    assert found.precision.value == found.recall.value == 1.0
    assert found.control_precision.value < 0.4
    assert (found.clips, found.silent) == (24, 0)


def test_likely_words_are_no_agreement() -> None:
    """One caption for all gains nothing over the control, however likely what it says."""
    found = evaluate_captions(dict.fromkeys(CLIPS, "The voice sounds angry."), scores=SCORES).agreement
    assert found is not None
    assert found.gain.value == pytest.approx(0.0, abs=1e-9)


def test_silence_counts_as_chance() -> None:
    """Captions without emotions have a rank of one half, no precision and no recall."""
    found = evaluate_captions(dict.fromkeys(CLIPS, "A recording."), scores=SCORES).agreement
    assert found is not None
    assert (found.rank.value, found.recall.value, found.silent) == (0.5, 0.0, 24)
    assert math.isnan(found.precision.value)


def test_scales_do_not_matter() -> None:
    """Scores are ranked over the clips, so that each head may have its own scale."""
    scaled = {
        clip: {key: 10 ** (1 + i) * value - i for i, (key, value) in enumerate(row.items())}
        for clip, row in SCORES.items()
    }
    assert evaluate_captions(CAPTIONS, scores=scaled) == evaluate_captions(CAPTIONS, scores=SCORES)


def test_clusters_widen_the_interval() -> None:
    """Clips of one speaker are drawn together."""
    half = {clip: text if i % 2 else "A voice." for i, (clip, text) in enumerate(CAPTIONS.items())}
    single = evaluate_captions(half, scores=SCORES).agreement
    speakers = {clip: str(i % 2) for i, clip in enumerate(CLIPS)}
    joint = evaluate_captions(half, scores=SCORES, clusters=speakers).agreement
    assert single is not None
    assert joint is not None
    assert joint.rank.high - joint.rank.low > single.rank.high - single.rank.low


def test_text_measures() -> None:
    """BLEU and chrF are sacrebleu's; word errors are against the nearest reference; exact ones are counted."""
    captions = {"a": "A calm voice speaks slowly.", "b": "An angry man shouts."}
    references = {"a": ["A calm voice speaks slowly.", "Someone is calm."], "b": ["An angry woman shouts loudly."]}
    text = evaluate_captions(captions, references=references).text
    columns = [["A calm voice speaks slowly.", "An angry woman shouts loudly."], ["Someone is calm.", None]]
    assert text.chrf == pytest.approx(sacrebleu.corpus_chrf(list(captions.values()), columns).score)
    assert text.wer is not None
    assert text.wer.value == pytest.approx(2 / 10)  # one word replaced and one missing, of ten
    assert (text.exact, text.distinct) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("text", "share"), [("", 0.0), ("a b c", 0.0), ("a b c d e", 0.0), ("so sad so sad so sad so sad", 4 / 6)]
)
def test_repetition(text: str, share: float) -> None:
    """The share of word triples that came before."""
    assert repetition(text) == pytest.approx(share)


def test_denied_emotions_are_not_spoken_of() -> None:
    """ "No trace of pain" does not count as pain."""
    assert emotions_of("Very awestruck and with no trace of pain.") == {"awe"}


@given(st.dictionaries(st.sampled_from(sorted(CLIPS)), st.text(max_size=40), min_size=2))
def test_any_text_can_be_measured(captions: dict[str, str]) -> None:
    """Figures stay in their range and the result is JSON, whatever a captioner writes."""
    references = {clip: ["A calm voice."] for clip in CLIPS}
    found = evaluate_captions(captions, references=references, scores=SCORES, resamples=20)
    assert found.agreement is not None
    assert 0 <= found.agreement.rank.value <= 1
    assert 0 <= found.text.repetition < 1
    json.dumps(found.as_json(), allow_nan=False)


def test_wrong_input() -> None:
    """No captions, other keys, and scores without emotions say so."""
    with pytest.raises(UsageError, match="no captions"):
        evaluate_captions({})
    with pytest.raises(UsageError, match="name none"):
        evaluate_captions({"a": "A voice."}, references={"b": ["A voice."]})
    with pytest.raises(UsageError, match="no emotion"):
        evaluate_captions({"a": "A voice."}, scores={"a": {"loudness": 1.0}})
    with pytest.raises(UsageError, match="top"):
        evaluate_captions({"a": "A voice."}, scores={"a": {"anger": 1.0}}, top=0)
