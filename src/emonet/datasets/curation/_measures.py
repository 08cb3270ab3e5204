"""What can be measured on one file: length, level, clipping, noise; size, faces, sharpness; and its signature.

Symbols: n samples, c chunks of 32 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet.datasets.curation._picture_signature import PictureSignature, picture_signature
from emonet.datasets.curation._sound_signature import SoundSignature, sound_signature
from emonet.media import SAMPLE_RATE, FaceDetector
from emonet.media._speech import CHUNK, SpeechDetector

_SPEECH, _NO_SPEECH = 0.5, 0.1  # probabilities of Silero above and below which a chunk counts
_FEWEST = 8  # chunks of either kind (0.26 s) that a ratio of signal to noise needs
_FACE_SIDE = 64  # pixels to which a face is brought before its sharpness is measured
_PLATEAU = 3  # equal samples in a row at the peak that no unclipped recording has


@dataclass(frozen=True, slots=True)
class SoundMeasures:
    """`duration_s`. `peak`: largest absolute sample. `rms_db`: level in dB of full scale, -inf for silence.
    `clipped`: share of samples in plateaus at the peak. `speech_s`: seconds that the detector calls speech. `snr_db`:
    level of speech over the level of the pauses, None without enough of either."""

    duration_s: float
    peak: float
    rms_db: float
    clipped: float
    speech_s: float
    snr_db: float | None


@dataclass(frozen=True, slots=True)
class PictureMeasures:
    """`width`, `height` in pixels. `faces`: number found. `face_px`: shorter side of the largest face's box, None
    without one. `sharpness`: see `sharpness_of`, of the largest face, or of the whole picture without one."""

    width: int
    height: int
    faces: int
    face_px: float | None
    sharpness: float


def measure_sound(samples: NDArray[np.float32]) -> tuple[SoundMeasures, SoundSignature]:
    """Measures and signature of float32 [n], 16 kHz mono."""
    detector = SpeechDetector()
    speech = np.asarray(detector.probabilities(samples) + detector.end())  # [c]
    peak = float(np.abs(samples).max(initial=0.0))
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    measures = SoundMeasures(
        duration_s=len(samples) / SAMPLE_RATE,
        peak=peak,
        rms_db=10 * float(np.log10(power)) if power > 0 else float("-inf"),
        clipped=clipped_share(samples),
        speech_s=float((speech >= _SPEECH).sum()) * CHUNK / SAMPLE_RATE,
        snr_db=signal_to_noise(samples, speech),
    )
    return measures, sound_signature(samples)


def measure_picture(
    pixels: NDArray[np.uint8], detector: FaceDetector | None
) -> tuple[PictureMeasures, PictureSignature]:
    """Measures and signature of uint8 [h, w, 3]. Without a detector no face is looked for: `faces` is 0."""
    found = detector.detect(pixels) if detector is not None else ()
    sides = [min(face.box[2] - face.box[0], face.box[3] - face.box[1]) for face in found]
    shown = pixels
    if sides:
        left, top, right, bottom = (round(value) for value in found[int(np.argmax(sides))].box)
        shown = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    measures = PictureMeasures(
        width=pixels.shape[1],
        height=pixels.shape[0],
        faces=len(found),
        face_px=float(max(sides)) if sides else None,
        sharpness=sharpness_of(shown),
    )
    return measures, picture_signature(pixels)


def clipped_share(samples: NDArray[np.float32]) -> float:
    """Share of samples that lie in a row of at least three within a thousandth of the largest absolute sample.

    A microphone or converter at its limit leaves such plateaus, at whatever level the recording was stored later. A
    lossy coder rounds them off: what was clipped before an MP3 was made is found in part only.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0:
        return 0.0
    at_peak = np.concatenate([[False], np.abs(samples) >= 0.999 * peak, [False]])
    same_side = np.concatenate([[False], np.sign(samples), [False]])
    turn = (np.diff(at_peak.astype(np.int8)) != 0) | (at_peak[1:] & at_peak[:-1] & (np.diff(same_side) != 0))
    borders = np.flatnonzero(turn)
    runs = np.diff(borders)
    inside = at_peak[1:][borders[:-1]] if len(borders) else np.empty(0, bool)
    return float(runs[inside & (runs >= _PLATEAU)].sum()) / len(samples)


def signal_to_noise(samples: NDArray[np.float32], speech: NDArray[np.float64]) -> float | None:
    """Power of the speech over the power of the pauses in dB, by speech probabilities [c] of chunks.

    The noise in the speech is taken to be that of the pauses and subtracted. None when less than a quarter of a second
    is surely speech or surely none: a clip cut tightly around a word has no pause to measure. 0 dB at least, 100 at
    most.
    """
    chunks = min(len(speech), len(samples) // CHUNK)
    power = np.mean(samples[: chunks * CHUNK].reshape(chunks, CHUNK).astype(np.float64) ** 2, axis=1)
    voiced, pause = speech[:chunks] >= _SPEECH, speech[:chunks] < _NO_SPEECH
    if voiced.sum() < _FEWEST or pause.sum() < _FEWEST:
        return None
    # The median of the pauses: a breath or a click in them is not the noise that lies under the speech.
    noise = float(np.median(power[pause]))
    signal = max(float(power[voiced].mean()) - noise, noise)
    if noise <= signal * 1e-10:
        return 100.0
    return 10 * float(np.log10(signal / noise))


def sharpness_of(pixels: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of the grey values, of the picture brought to 64 pixels (after
    Pech-Pacheco et al. 2000). The division makes it independent of contrast; 0 for a flat picture."""
    grey = PIL.Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    scale = _FACE_SIDE / min(grey.size)
    size = (max(3, round(grey.width * scale)), max(3, round(grey.height * scale)))
    values = np.asarray(grey.resize(size, PIL.Image.Resampling.BILINEAR), np.float64)
    middle = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * middle
    spread = float(middle.var())
    return float(laplacian.var()) / spread if spread > 1e-9 else 0.0
