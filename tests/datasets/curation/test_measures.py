"""Measures against media of which the truth is known, because it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_curation_media import RATE, encoded, picture, resized, speech
from emonet.datasets.curation import measure_picture, measure_sound
from emonet.datasets.curation._measures import clipped_share, sharpness_of, signal_to_noise
from emonet.media import Face, decode_image, load_face_detector, read_audio
from emonet.media._speech import CHUNK


class _Fixed:
    """A detector that always answers with the same faces."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self._faces = tuple(Face(box, 0.9) for box in boxes)

    def detect(self, pixels: np.ndarray) -> tuple[Face, ...]:  # type: ignore[type-arg]
        return self._faces


def test_length_and_level() -> None:
    """A full-scale square wave is at 0 dB; half its size at -6 dB."""
    wave = np.sign(np.sin(np.arange(2 * RATE) * 0.1)).astype(np.float32)
    measured, _ = measure_sound(0.5 * wave)
    assert measured.duration_s == 2
    assert measured.peak == pytest.approx(0.5)
    assert measured.rms_db == pytest.approx(-6.02, abs=0.01)


def test_silence_is_silent() -> None:
    """No sound has no level, no speech, no clipping and no ratio to noise."""
    measured, _ = measure_sound(np.zeros(RATE, np.float32))
    assert measured.rms_db == float("-inf")
    assert (measured.clipped, measured.speech_s, measured.snr_db) == (0.0, 0.0, None)


@given(st.floats(0.05, 1.0), st.floats(2.0, 8.0))
@settings(max_examples=30, deadline=None)
def test_clipping_is_found_at_any_level(level: float, drive: float) -> None:
    """Plateaus count wherever the recording was turned down to; an untouched voice has none to speak of."""
    voice = speech(1, 1.0)
    voice = voice / np.abs(voice).max()
    assert clipped_share(voice * np.float32(level)) < 0.001
    cut = np.clip(voice * np.float32(drive), -1, 1)
    truth = float((np.abs(voice * drive) >= 1).mean())
    assert 0.4 * truth < clipped_share(cut * np.float32(level)) <= truth + 1e-9  # runs of one or two do not count


def test_plateaus_of_both_signs_are_not_one() -> None:
    """A fast square wave has runs of two samples on each side, which no rule calls a plateau."""
    assert clipped_share(np.tile(np.array([1, 1, -1, -1], np.float32), 100)) == 0
    assert clipped_share(np.tile(np.array([1, 1, 1, -1, -1, -1], np.float32), 100)) == 1


@pytest.mark.parametrize("ratio_db", [30.0, 20.0, 10.0, 3.0])
def test_signal_to_noise_is_that_of_the_mixture(ratio_db: float) -> None:
    """Speech in known chunks, noise of known power everywhere."""
    draw = np.random.default_rng(0)
    chunks = 200
    spoken = np.arange(chunks) % 4 < 2
    signal = np.repeat(spoken, CHUNK) * draw.normal(0, 0.1, chunks * CHUNK)
    noise = draw.normal(0, 0.1 * 10 ** (-ratio_db / 20), chunks * CHUNK)
    found = signal_to_noise((signal + noise).astype(np.float32), np.where(spoken, 0.9, 0.01))
    assert found == pytest.approx(ratio_db, abs=0.5)


def test_a_clip_without_a_pause_has_no_ratio() -> None:
    """Where there is nothing but speech, its noise cannot be heard alone."""
    samples = np.random.default_rng(0).normal(0, 0.1, 100 * CHUNK).astype(np.float32)
    assert signal_to_noise(samples, np.full(100, 0.9)) is None
    assert signal_to_noise(samples, np.full(100, 0.0)) is None


def test_face_size_is_that_of_the_largest_face() -> None:
    """The shorter side of the largest box, and how many there are."""
    measured, _ = measure_picture(picture(1, 96), _Fixed((0, 0, 10, 12), (20, 20, 60, 70)))
    assert (measured.faces, measured.face_px, measured.width) == (2, 40.0, 96)
    none, _ = measure_picture(picture(1, 96), None)
    assert (none.faces, none.face_px) == (0, None)


def test_blur_lowers_sharpness_and_contrast_does_not() -> None:
    """Fewer pixels of detail are less sharp; paler is as sharp."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    blurred = resized(resized(noise, 0.25), 4)
    assert sharpness_of(blurred) < 0.5 * sharpness_of(noise)
    assert sharpness_of((noise * 0.5 + 60).astype(np.uint8)) == pytest.approx(sharpness_of(noise), rel=0.02)
    assert sharpness_of(np.full((30, 40, 3), 7, np.uint8)) == 0


def test_tiny_media_are_measured() -> None:
    """One pixel, one sample."""
    assert measure_picture(np.zeros((1, 1, 3), np.uint8), None)[0].sharpness == 0
    assert measure_sound(np.ones(1, np.float32))[0].duration_s == 1 / RATE


@pytest.mark.shared
def test_real_speech_has_pauses_quieter_than_itself(shared: Path) -> None:
    """Actors read sentences with silence around them; added noise lowers the ratio to what was added."""
    paths = sorted((shared / "data" / "voices" / "nemo").glob("*.opus"))[:12]
    clean = [measure_sound(read_audio(path).samples)[0] for path in paths]
    assert np.median([one.snr_db for one in clean if one.snr_db is not None]) > 25
    assert all(one.speech_s > 0.5 for one in clean)
    draw = np.random.default_rng(0)
    for path in paths:
        samples = read_audio(path).samples
        noise = draw.normal(0, 0.3 * samples.std(), len(samples)).astype(np.float32)
        noisy = measure_sound(samples + noise)[0]
        assert noisy.snr_db is None or 3 < noisy.snr_db < 18


@pytest.mark.shared
def test_real_faces_are_found_and_measured(shared: Path) -> None:
    """Most pictures of muxspace hold one face of a plausible size."""
    paths = sorted((shared / "data" / "faces" / "muxspace").glob("*.jpg"))[:20]
    detector = load_face_detector("embedded", threads=1)
    found = [measure_picture(decode_image(path).pixels, detector)[0] for path in paths]
    assert sum(one.faces == 1 for one in found) >= 15
    assert all(one.face_px is None or 14 <= one.face_px <= 160 for one in found)


def test_a_lossy_coder_hides_part_of_the_clipping() -> None:
    """What the docstring says about MP3: plateaus are rounded off, so less is found than was clipped."""
    voice = speech(3, 1.0)
    cut = np.clip(voice / np.abs(voice).max() * 4, -1, 1)
    assert clipped_share(encoded(cut * np.float32(0.5), "MP3", "MPEG_LAYER_III")) < clipped_share(cut)
