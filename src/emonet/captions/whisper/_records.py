"""What a captioner gives back: captions with their place in the recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emonet.captions.whisper._structure import StructuredCaption, parse_caption


@dataclass(frozen=True, slots=True)
class CaptionedWindow:
    """One stretch of a recording and its caption.

    `text` is cleaned (`clean_caption`), `raw` is what the model wrote. `tokens`: how many it wrote. `complete`: False
    where it was stopped at the limit instead of ending by itself.
    """

    source: str
    start_s: float
    end_s: float
    text: str
    raw: str
    tokens: int
    complete: bool

    @property
    def structured(self) -> StructuredCaption:
        """The caption's fields, each with the words that say it."""
        return parse_caption(self.text)

    def as_json(self) -> dict[str, Any]:
        """Caption and fields as JSON values."""
        place = {"source": self.source, "start_s": round(self.start_s, 3), "end_s": round(self.end_s, 3)}
        return {**place, "complete": self.complete, **self.structured.as_json()}


@dataclass(frozen=True, slots=True)
class PartialCaption:
    """A window's caption as far as it is written. `window` counts from 0; `final`: this window has no more to come."""

    source: str
    window: int
    start_s: float
    end_s: float
    text: str
    final: bool
