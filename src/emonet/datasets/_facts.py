"""What is known about a sample: JSON values, its licence and consent, and what its file name tells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from emonet.datasets._addresses import name_of
from emonet.datasets._endings import ending_of
from emonet.datasets._samples import Sample
from emonet.media._kinds import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES
from emonet.taxonomy import Modality

KEY = "__key__"
"""Fact or column that holds a sample's key where the file name cannot."""
MAX_MEDIA = 1 << 30
"""Bytes of the largest file that is read into memory."""
MAX_FACTS = 1 << 26
"""Bytes of the largest JSON text that is parsed."""

_GENERATED = "generated; shows no real person"
_RELEASES = (
    (r"laion/emonet-face-(big|binary|hq)\b", "CC BY 4.0", _GENERATED),
    (r"t1a5anu-anon/emonet-voice-bench\b", "CC BY 4.0", _GENERATED),
    (r"laion/laions_got_talent_\w*just_flash_annotations", "Apache-2.0", _GENERATED),
    (r"laion/laions_got_talent", "", _GENERATED),
)
"""Hub repositories of known releases: licence as its page states it, and whose consent is concerned."""
_LICENCE = ("licence", "license")
RESERVED = frozenset({*_LICENCE, "consent", "source", KEY})
"""Names of facts that become fields of a sample."""


class Defaults(NamedTuple):
    """What holds for the samples of a shard that say nothing themselves."""

    licence: str
    consent: str
    source: str


def defaults_of(address: str, licence: str, consent: str) -> Defaults:
    """Defaults of a shard: what the caller says, else what is known of its release. The source is the shard's name."""
    known = next((entry for entry in _RELEASES if "://" in address and re.search(entry[0], address)), ("", "", ""))
    return Defaults(licence or known[1], consent or known[2], name_of(address))


def make_sample(
    key: str,
    media: bytes | None,
    extension: str,
    facts: Mapping[str, Any],
    defaults: Defaults,
    *,
    left_out: tuple[str, ...] = (),
    problem: str = "",
) -> Sample:
    """A sample whose licence, consent and source are taken out of its facts. `facts` hold JSON values."""
    kept = dict(facts)
    stated = [text for name in _LICENCE if (text := _pop(kept, name)) is not None]
    consent, source = _pop(kept, "consent"), _pop(kept, "source")
    own = _pop(kept, KEY)
    if media is not None and not is_media(extension):
        extension = ending_of(media)[1:]
    if media is None and not problem:
        problem = "the shard holds no media for it"
    return Sample(
        key=own or key,
        media=media,
        extension=extension,
        modality=modality_of(extension),
        facts=kept,
        licence="; ".join(dict.fromkeys(stated)) if stated else defaults.licence,
        consent=defaults.consent if consent is None else consent,
        source=defaults.source if source is None else source,
        left_out=left_out,
        problem=problem,
    )


def modality_of(extension: str) -> Modality | None:
    """Face for pictures, voice for sound, None for videos and whatever else."""
    suffix = f".{extension}"
    return "face" if suffix in IMAGE_SUFFIXES else "voice" if suffix in AUDIO_SUFFIXES else None


def is_media(extension: str) -> bool:
    """Whether the extension is that of a picture, a recording or a video."""
    return f".{extension}" in IMAGE_SUFFIXES | AUDIO_SUFFIXES | VIDEO_SUFFIXES


def split_name(path: str) -> tuple[str, str]:
    """A path without its last ending, and that ending in lower case without dot: "a/b.1.WAV" → "a/b.1", "wav"."""
    suffix = PurePosixPath(path).suffix
    return (path[: -len(suffix)], suffix[1:].lower()) if suffix else (path, "")


def parse_facts(content: bytes) -> Any:
    """A JSON text as JSON values: what is no finite number becomes None, what is no text is written out.

    Raises `ValueError` for anything that is no JSON.
    """
    try:
        value = json.loads(content, parse_constant=lambda _: None, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return plain(value) if b"\\ud" in content or b"\\uD" in content else value


def plain(value: Any) -> Any:
    """Any value of a table as a JSON value; bytes become None."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {clean(str(name)): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        # A map column gives a list of pairs; as a list it keeps what is in it.
        return [plain(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return plain(float(value))
    return None if isinstance(value, bytes) else clean(str(value))


def clean(text: str) -> str:
    """The text, halves of characters that no file can hold written out."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _pop(facts: dict[str, Any], name: str) -> str | None:
    """A fact as text, taken out; None when nothing is said."""
    value = facts.pop(name, None)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
