"""Bytes to arrays: images, audio, video; faces and speech found in them; windows over long recordings."""

from emonet.media._types import SAMPLE_RATE, Audio, Image, Region

__all__ = ["SAMPLE_RATE", "Audio", "Image", "Region"]
