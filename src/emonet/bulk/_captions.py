"""Sentences on what was scored, beside the scores."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from emonet.bulk._settings import Settings

if TYPE_CHECKING:
    from emonet.estimation import Estimate, Estimates

Said = tuple[str, ...]
"""Captions of one region: `Settings.captions` of them, fewer where two would be the same, none without scores."""


def region_captions(key: str, estimates: Estimates, settings: Settings) -> tuple[Said, ...]:
    """Captions of every estimate of a sample; equal keys, settings and scores give equal ones on any machine."""
    if not settings.captions:
        return ((),) * len(estimates)
    return tuple(captions_of(f"{key}\n{number}", one, settings) for number, one in enumerate(estimates))


def captions_of(name: str, estimate: Estimate, settings: Settings) -> Said:
    """Captions of one estimate; `name` decides about the words."""
    from emonet.captions import TEMPLATES, caption_estimates
    from emonet.estimation import Estimates

    first = list(TEMPLATES).index(settings.caption_template)
    made: list[str] = []
    for number in range(settings.captions):
        template = list(TEMPLATES)[(first + number) % len(TEMPLATES)]
        (caption,) = caption_estimates(Estimates([estimate]), template=template, seed=_seed(name, number, settings))
        if caption is None:
            return ()
        made.append(caption.text)
    return tuple(dict.fromkeys(made))


def _seed(name: str, number: int, settings: Settings) -> int:
    text = f"{settings.caption_seed}\n{number}\n{name}"
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")
