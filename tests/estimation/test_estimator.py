"""Files in, estimates out: faces, voices, videos, batches and everything that can be wrong with a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emonet
from emonet.errors import EstimationError, UnknownNameError, UnreadableMediaError, UsageError
from emonet.estimation import Estimators, estimate_files

Make = Callable[..., Path]


def test_face_scores_follow_from_the_picture(face_bundle: Path, picture: Make, centre_faces: Any) -> None:
    """A grey face of half brightness scores weight/2; relative takes the neutral mean off; anger is calibrated."""
    found = emonet.load(face_bundle, detector=centre_faces)(picture("grey.png", level=128))
    assert len(found) == 1
    one = found[0]
    assert (one.status, one.modality, one.model) == ("ok", "face", "test/face")
    assert one.region.box == (16.0, 16.0, 48.0, 48.0)
    raw = one.scores("raw")
    assert raw["amusement"] == pytest.approx(128 / 255, abs=1e-3)
    assert raw["contempt"] == pytest.approx(6 * 128 / 255, abs=1e-3)
    assert one.scores()["amusement"] == pytest.approx(128 / 255 - 0.5, abs=1e-3)
    assert one.scores("calibrated") == {"anger": pytest.approx(1.0, abs=1e-3)}
    assert sum(one.scores("softmax").values()) == pytest.approx(1.0, abs=1e-5)
    assert "awe" not in raw


def test_every_face_is_an_estimate_in_order(face_bundle: Path, picture: Make, centre_faces: Any) -> None:
    """Two faces of one picture come from left to right; max_faces keeps fewer."""
    path = picture("wide.png", size=(160, 64))
    two = emonet.load(face_bundle, detector=centre_faces)([path])
    lefts = [item.region.box[0] for item in two if item.region.box]
    assert len(two) == 2
    assert lefts == sorted(lefts)
    assert len(emonet.load(face_bundle, detector=centre_faces, max_faces=1)([path])) == 1


def test_whole_image_needs_no_detector(face_bundle: Path, picture: Make) -> None:
    """A portrait is scored as it is and has no box."""
    found = emonet.load(face_bundle, whole_image=True)(picture())
    assert [item.status for item in found] == ["ok"]
    assert found[0].region.box is None


def test_small_face_is_reported_as_too_small(face_bundle: Path, picture: Make, centre_faces: Any) -> None:
    """The message tells the size that was found and the limit."""
    with pytest.raises(EstimationError, match=r"32 pixels, under the limit of 40"):
        emonet.load(face_bundle, detector=centre_faces, min_face_px=40)(picture())


def test_voice_is_cut_into_windows(voice_bundle: Path, tone: Make) -> None:
    """Five seconds at two seconds a window are three windows that cover the recording."""
    found = emonet.load(voice_bundle, whole_audio=True)(tone(seconds=5.0))
    assert [item.region.window for item in found] == [0, 1, 2]
    assert found[0].region.start_s == 0
    assert found[-1].region.end_s == pytest.approx(5.0, abs=0.05)
    assert found.mean().region.end_s == found[-1].region.end_s


def test_batches_do_not_change_the_answers(voice_bundle: Path, tone: Make) -> None:
    """One window at a time and all at once give the same rows in the same order."""
    files = [tone(f"{i}.wav", seconds=1.0 + i, level=0.1 * (i + 1)) for i in range(4)]
    one = emonet.load(voice_bundle, whole_audio=True, batch_size=1)(files)
    many = emonet.load(voice_bundle, whole_audio=True, batch_size=64)(files)
    assert [(a.source, a.region) for a in one] == [(b.source, b.region) for b in many]
    np.testing.assert_allclose([a.raw for a in one], [b.raw for b in many], rtol=1e-4, atol=1e-5)


def test_single_file_raises_what_is_wrong(voice_bundle: Path, face_bundle: Path, tone: Make, picture: Make) -> None:
    """One file: unreadable media, no speech and a model of the other modality are errors."""
    voice = emonet.load(voice_bundle)
    with pytest.raises(UnreadableMediaError, match=r"absent\.wav: no such file"):
        voice("absent.wav")
    with pytest.raises(EstimationError, match="no speech") as caught:
        voice(tone(seconds=3.0))
    assert caught.value.status == "no_speech"
    with pytest.raises(UnreadableMediaError, match="judges voices"):
        voice(picture())
    with pytest.raises(UnreadableMediaError, match="judges faces"):
        emonet.load(face_bundle, whole_image=True)(tone())


def _bad_files(folder: Path, picture: Make, tone: Make) -> dict[str, Path]:
    """Every kind of file that cannot be scored."""
    import soundfile

    good_picture, good_sound = picture("good.png").read_bytes(), tone("good.wav").read_bytes()
    made = {
        "empty.wav": b"",
        "empty.jpg": b"",
        "text.wav": b"these are words, not sounds",
        "text.png": b"these are words, not a picture",
        "noise.bin": os.urandom(4096),
        "truncated.png": good_picture[: len(good_picture) // 2],
        "truncated.wav": good_sound[: len(good_sound) // 2],
        "header.wav": good_sound[:44],
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    soundfile.write(folder / "nan.wav", np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    (folder / "gone.mp3").symlink_to(folder / "nowhere.mp3")
    os.mkfifo(folder / "pipe.wav")
    return {path.name: path for path in folder.iterdir() if not path.name.startswith("good")}


def test_bad_files_become_rows(
    tmp_path: Path, face_bundle: Path, voice_bundle: Path, picture: Make, tone: Make
) -> None:
    """Whatever is wrong with a file, it gives one `unreadable` row with a reason, and the good ones still work."""
    bad = _bad_files(tmp_path, picture, tone)
    files = [*bad.values(), tmp_path / "good.wav", tmp_path / "good.png"]
    models = {"face": face_bundle, "voice": voice_bundle}
    results = list(estimate_files(files, models=models, whole_image=True, whole_audio=True))
    assert [rows[0].source for rows in results] == [str(path) for path in files]
    for rows in results[:-2]:
        assert [row.status for row in rows] == ["unreadable"], rows
        assert rows[0].message
        assert "Traceback" not in rows[0].message
    assert all(row.ok for rows in results[-2:] for row in rows)


def test_silence_and_shortness_are_not_failures(voice_bundle: Path, tone: Make) -> None:
    """A short clip is too_short, a silent or speechless one no_speech; each says why."""
    voice = emonet.load(voice_bundle)
    rows = voice([tone("short.wav", seconds=0.1), tone("silent.wav", level=0.0), tone("tone.wav")])
    assert [row.status for row in rows] == ["too_short", "no_speech", "no_speech"]
    assert "0.10 s" in rows[0].message
    assert "silence" in rows[1].message
    assert np.isnan(rows[0].raw).all()


def test_black_picture_has_no_face(face_bundle: Path, picture: Make, centre_faces: Any) -> None:
    """No face is a row in a batch, with a hint."""
    rows = emonet.load(face_bundle, detector=centre_faces)([picture("b.png", level=0), picture("a.png")])
    assert [row.status for row in rows] == ["no_face", "ok"]
    assert "whole_image" in rows[0].message


def test_video_gives_tracked_faces_and_voice(
    face_bundle: Path, voice_bundle: Path, video: Make, centre_faces: Any
) -> None:
    """A face keeps its track through the frames, gets brighter, and the sound is scored as well."""
    models = {"face": face_bundle, "voice": voice_bundle}
    (rows,) = estimate_files([video()], models=models, fps=2.0, whole_audio=True, detector=centre_faces)
    faces = [row for row in rows if row.modality == "face"]
    assert len(faces) == 4
    assert {row.region.track for row in faces} == {0}
    assert [row.region.start_s for row in faces] == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.06)
    assert np.diff([row.scores("raw")["anger"] for row in faces]).min() > 0
    assert [row.modality for row in rows if row.region.window == 0] == ["voice"]


def test_silent_video_is_not_broken(face_bundle: Path, voice_bundle: Path, video: Make) -> None:
    """A video without a sound track has faces, and says that it has no speech."""
    models = {"face": face_bundle, "voice": voice_bundle}
    (rows,) = estimate_files([video(sound=False)], models=models, whole_image=True)
    assert {row.status for row in rows} == {"ok", "no_speech"}
    assert "no sound track" in rows[-1].message


def test_stream_yields_before_all_files_are_read(voice_bundle: Path, tone: Make) -> None:
    """With one worker, the first estimate comes while later files are still untouched."""
    files = [tone(f"{i}.wav", seconds=1.0) for i in range(6)]
    stream = emonet.load(voice_bundle, whole_audio=True, batch_size=2, workers=1).stream(files)
    first = next(stream)
    files[-1].unlink()
    rest = list(stream)
    assert first.source == str(files[0])
    assert rest[-1].status == "unreadable"
    assert len(rest) == 5


def test_embeddings_on_request(face_bundle: Path, picture: Make) -> None:
    """The encoder's output comes along only when asked for."""
    assert emonet.load(face_bundle, whole_image=True)(picture())[0].embedding is None
    embedded = emonet.load(face_bundle, whole_image=True, embeddings=True)(picture())[0].embedding
    assert embedded is not None
    assert embedded.shape == (2,)


def test_models_are_chosen_by_name(face_bundle: Path, voice_bundle: Path) -> None:
    """face=NAME replaces one model, a bare name stands alone, and mistakes are told."""
    alone = Estimators.from_names([str(voice_bundle)])
    assert list(alone.names) == ["voice"]
    both = Estimators.from_names([f"face={face_bundle}", f"voice={voice_bundle}"])
    assert set(both.cards) == {"test/face", "test/voice"}
    assert not both.loaded
    with pytest.raises(UsageError, match="judges voices, but was given for faces"):
        Estimators.from_names([f"face={voice_bundle}"])
    with pytest.raises(UsageError, match="not both"):
        Estimators.from_names([str(voice_bundle), f"face={face_bundle}"])
    with pytest.raises(UsageError, match="Two voice models"):
        Estimators.from_names([str(voice_bundle), str(voice_bundle)])
    with pytest.raises(UnknownNameError):
        Estimators.from_names(["voicee"])


@pytest.mark.parametrize(
    "options", [{"max_faces": 0}, {"fps": 0}, {"min_face_px": -1}, {"window_s": 0.2}], ids=lambda o: next(iter(o))
)
def test_wrong_options_are_usage_errors(face_bundle: Path, options: dict[str, float]) -> None:
    """A value out of range is told before any file is opened."""
    with pytest.raises(UsageError, match=next(iter(options))):
        emonet.load(face_bundle, **options)


@pytest.mark.shared
def test_real_speech_is_found(shared: Path, voice_bundle: Path) -> None:
    """A real recording of speech gives at least one window by the default policy."""
    path = next(iter(sorted((shared / "data" / "voices" / "ravdess").iterdir())))
    assert [row.status for row in emonet.load(voice_bundle)(path)][:1] == ["ok"]
