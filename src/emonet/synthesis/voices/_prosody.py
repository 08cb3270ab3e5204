"""From an emotion to prosody, as SSML for the local synthesiser.

The rules for pitch, range, rate, pauses and volume are those of EmoSpeak in MARY TTS (Schröder, "Dimensional emotion
representation as a basis for speech synthesis with non-extreme emotions", ADS 2004, LNAI 3068; fitted to a corpus of
spontaneous speech by Schröder et al., "Acoustic correlates of emotion dimensions in view of speech synthesis",
Eurospeech 2001). Their directions agree with the reviews of Scherer (Speech Communication 40, 2003) and of Juslin and
Laukka (Psychological Bulletin 129, 2003): anger and joy fast, loud, high and wide, sadness and tenderness slow, soft,
low and narrow. A synthesiser with rules renders a caricature of it, not an actor: docs/voice-acting.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape

from emonet.synthesis.voices._data import cast, challenge, played, sounded
from emonet.synthesis.voices._records import Order, Place, Script

# Share of the full affect that each intensity expresses; steps are our own.
_SHARE = {1: 0.4, 2: 0.6, 3: 0.8, 4: 1.0}
# Percent of eSpeak NG's own within which we keep it: beyond, words run together or the voice breaks. Our own choice.
_RATES, _PITCHES, _RANGES, _VOLUMES = (65.0, 150.0), (50.0, 175.0), (15.0, 200.0), (35.0, 190.0)
# eSpeak NG widens the range upwards: 200 % raises the mean by a fifth, 0 % lowers it by an eighth (measured, version
# 1.51). The pitch is moved the other way, so that both can be set on their own.
_RANGE_LIFT = 0.0017
_COMMA_MS, _SENTENCE_MS = 110.0, 320.0


@dataclass(frozen=True, slots=True)
class Prosody:
    """Percent of the voice's own: `rate`, `pitch`, `pitch_range`, `volume`; `comma_ms`, `sentence_ms`: pauses;
    `ending`: by how much the last sentence's pitch is multiplied."""

    rate: float
    pitch: float
    pitch_range: float
    volume: float
    comma_ms: float
    sentence_ms: float
    ending: float


def prosody_of(emotion: str, intensity: int) -> Prosody:
    """Prosody of an emotion at an intensity 1..4, for a voice and challenge that change nothing."""
    affect, share = played(emotion), _SHARE[intensity]
    arousal, valence, dominance = (share * value for value in (affect.arousal, affect.valence, affect.dominance))
    # EmoSpeak has the dimensions from -100 to 100; with -1..1 its percentages are:
    rate = 100 + 50 * arousal + 20 * valence
    pitch = 100 + 30 * arousal + 10 * valence - 10 * dominance
    pitch_range = 100 * (4 + 4 * arousal) / 4  # 4 semitones where nothing is felt
    volume = 100 * (50 + 33 * arousal) / 50  # 50 of 100 where nothing is felt
    pauses = 1 - 0.2 * arousal
    # EmoSpeak ends phrases low where the speaker has power and high where not; 6 % is about a semitone.
    ending = 1 - 0.06 * dominance
    return Prosody(rate, pitch, pitch_range, volume, _COMMA_MS * pauses, _SENTENCE_MS * pauses, ending)


def ssml_of(order: Order) -> str:
    """The order as SSML. The order's seed moves rate and pitch a little, so that another attempt is another take."""
    script = order.script
    part = script.part
    voice, trial, prosody = cast(part.voice), challenge(part.challenge), prosody_of(part.emotion, part.intensity)
    rng = Random(order.seed)
    rate = prosody.rate * trial.rate * rng.uniform(0.97, 1.03)
    pitch = prosody.pitch * trial.pitch * voice.pitch / 100 * rng.uniform(0.98, 1.02)
    spread = _within(prosody.pitch_range * trial.range * voice.pitch_range / 100, _RANGES)
    pitch /= 1 + _RANGE_LIFT * (spread - 100)
    pieces = []
    last = len(script.sentences) - 1
    for i, sentence in enumerate(script.sentences):
        # A slope begins below the level and ends above it.
        swell = 1 + trial.slope * ((i / last if last else 0.5) - 0.5)
        ending = prosody.ending if i == last else 1.0
        attributes = {
            "rate": _within(rate * (1 + (swell - 1) / 4), _RATES),
            "pitch": _within(pitch * ending * (1 + (swell - 1) / 4), _PITCHES),
            "range": _within(spread * swell, _RANGES),
            "volume": _within(prosody.volume * trial.volume * swell, _VOLUMES),
        }
        if i == 0:
            pieces.append(_bursts(script, "start", attributes))
        if i == last:
            pieces.append(_bursts(script, "middle", attributes))
        said = re.sub(r",\s", f',<break time="{prosody.comma_ms * trial.pauses:.0f}ms"/> ', escape(sentence))
        pieces.append(_spoken(said, attributes))
        if i < last:
            pieces.append(_pause(prosody.sentence_ms * trial.pauses))
    pieces.append(_bursts(script, "end", attributes))
    return f"<speak>{''.join(pieces)}</speak>"


def _bursts(script: Script, place: Place, attributes: dict[str, float]) -> str:
    """Bursts at a place, spoken wider than the words around them, or as a pause."""
    out = []
    for burst in script.bursts:
        if burst.place != place:
            continue
        sound = sounded(burst.name)
        text = sound.say.get(script.part.language, "")
        wider = {**attributes, "range": _within(attributes["range"] * 1.3, _RANGES)}
        out.append(_spoken(escape(text), wider) + _pause(150) if text else _pause(sound.pause_ms))
    return "".join(out)


def _spoken(text: str, attributes: dict[str, float]) -> str:
    given = " ".join(f'{name}="{value:.0f}%"' for name, value in attributes.items())
    return f"<prosody {given}>{text}</prosody>"


def _pause(milliseconds: float) -> str:
    return f'<break time="{milliseconds:.0f}ms"/>'


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
