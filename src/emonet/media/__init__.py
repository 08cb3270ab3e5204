"""Bytes to arrays: images, audio, video; faces and speech found in them; windows over long recordings."""

from emonet.media._audio import MAX_AUDIO_S, AudioStream, open_audio, read_audio
from emonet.media._containers import read_video
from emonet.media._faces import Face, FaceDetector, load_face_detector
from emonet.media._images import MAX_PIXELS, decode_image
from emonet.media._kinds import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, Kind, kind_of
from emonet.media._tracks import track_faces
from emonet.media._types import SAMPLE_RATE, Audio, Image, Region
from emonet.media._window_policy import WindowPolicy, WindowReport
from emonet.media._windows import speech_windows

__all__ = [
    "AUDIO_SUFFIXES",
    "IMAGE_SUFFIXES",
    "MAX_AUDIO_S",
    "MAX_PIXELS",
    "SAMPLE_RATE",
    "VIDEO_SUFFIXES",
    "Audio",
    "AudioStream",
    "Face",
    "FaceDetector",
    "Image",
    "Kind",
    "Region",
    "WindowPolicy",
    "WindowReport",
    "decode_image",
    "kind_of",
    "load_face_detector",
    "open_audio",
    "read_audio",
    "read_video",
    "speech_windows",
    "track_faces",
]
