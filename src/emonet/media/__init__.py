"""Bytes to arrays: images, audio, video; faces and speech found in them; windows over long recordings."""

from emonet.media._audio import AudioStream, open_audio, read_audio
from emonet.media._faces import Face, FaceDetector, load_face_detector
from emonet.media._images import decode_image, decode_image_bytes
from emonet.media._kinds import Kind, kind_of
from emonet.media._tracks import track_faces
from emonet.media._types import SAMPLE_RATE, Audio, Image, Region
from emonet.media._video import read_video
from emonet.media._windows import WindowPolicy, WindowReport, speech_windows

__all__ = [
    "SAMPLE_RATE",
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
    "decode_image_bytes",
    "kind_of",
    "load_face_detector",
    "open_audio",
    "read_audio",
    "read_video",
    "speech_windows",
    "track_faces",
]
