"""Sentences on what was scored, beside the scores."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from emonet.bulk._settings import Settings

if TYPE_CHECKING:
    from emonet.captions import Baseline
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
    from emonet.captions import TEMPLATES, caption_estimate

    if not estimate.ok:
        return ()
    baseline = _baseline(settings.caption_baseline) if settings.caption_baseline else None
    first = TEMPLATES.index(settings.caption_template)
    made: list[str] = []
    for number in range(settings.captions):
        template, seed = TEMPLATES[(first + number) % len(TEMPLATES)], _seed(name, number, settings)
        made.append(caption_estimate(estimate, baseline=baseline, template=template, seed=seed).text)
    return tuple(dict.fromkeys(made))


@lru_cache(maxsize=4)
def _baseline(text: str) -> Baseline:
    from emonet.captions import parse_baseline

    return parse_baseline(text)


def _seed(name: str, number: int, settings: Settings) -> int:
    text = f"{settings.caption_seed}\n{number}\n{name}"
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")
