"""Emotions that a text says are there, each with the words that say it. `emonet.captions.mentions` reads them."""

from __future__ import annotations

from collections.abc import Iterator

from emonet.captions._mentions import Mention, mentions


def find_tones(text: str) -> Iterator[tuple[Mention, int, int]]:
    """(mention, start, end) of every emotion that is not denied; the span holds its strength word as well."""
    for place in mentions(text).places:
        if not place.denied:
            yield place, *_span(text, place)


def _span(text: str, place: Mention) -> tuple[int, int]:
    """From the strength word to the name, whichever comes first: "very sad and tired" says very of both."""
    if not place.word:
        return place.start, place.end
    before = text.rfind(place.word, 0, place.start)
    if before >= 0:
        return before, place.end
    after = text.find(place.word, place.end)
    return place.start, after + len(place.word) if after >= 0 else place.end
