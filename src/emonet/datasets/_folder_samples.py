"""Folders of media, with a JSON beside each file where there is one, as LAION's folder script writes them."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from typing import Any

from emonet.datasets._addresses import Entry, files_under, folder_of, inside, open_address
from emonet.datasets._facts import (
    KEY,
    MAX_FACTS,
    MAX_MEDIA,
    Defaults,
    clean,
    is_media,
    make_sample,
    parse_facts,
    split_name,
)
from emonet.datasets._samples import Sample
from emonet.errors import MediaError, UsageError

Part = tuple[int, int] | None
"""(i, n): the i-th of n parts."""


def folder_samples(address: str, part: Part, defaults: Defaults) -> Iterator[Sample]:
    """The media files of a folder at any depth; keys are paths from the folder without ending.

    Files that differ in their ending only keep it in the key. A JSON file with the stem of a media file holds its
    facts.
    """
    for _, group in itertools.groupby(files_under(address), key=lambda entry: folder_of(entry.address)):
        files = list(group)
        known = {split_name(entry.address)[0]: entry for entry in files if split_name(entry.address)[1] == "json"}
        media = [entry for entry in files if is_media(split_name(entry.address)[1])]
        stems = [split_name(entry.address)[0] for entry in media]
        often = {stem for stem in stems if stems.count(stem) > 1} if len(set(stems)) < len(stems) else set[str]()
        for entry, stem in zip(media, stems, strict=True):
            name = inside(entry.address, address)
            key = clean(name if stem in often else split_name(name)[0])
            if in_part(key, part):
                yield _sample(key, entry, known.get(stem), defaults)


def count_media(address: str) -> int:
    """Media files in a folder at any depth."""
    return sum(is_media(split_name(entry.address)[1]) for entry in files_under(address))


def in_part(key: str, part: Part) -> bool:
    """Whether a key belongs to a part. It does not depend on the other keys, so that more files move none."""
    return part is None or zlib.crc32(key.encode("utf-8", "surrogateescape")) % part[1] == part[0]


def read_media(entry: Entry) -> tuple[bytes | None, str]:
    """A media file's bytes, or None and why."""
    if entry.size > MAX_MEDIA:
        return None, f"{entry.address} has {entry.size} bytes; at most {MAX_MEDIA} are read"
    try:
        with open_address(entry.address) as file:
            content = file.read(MAX_MEDIA + 1)
    except (MediaError, UsageError) as error:
        return None, str(error)
    except OSError as error:
        return None, f"{entry.address}: cannot be read ({error.strerror or error})"
    if len(content) > MAX_MEDIA:
        return None, f"{entry.address} has more than {MAX_MEDIA} bytes"
    return (content, "") if content else (None, f"{entry.address} is empty")


def _sample(key: str, entry: Entry, beside: Entry | None, defaults: Defaults) -> Sample:
    media, problem = read_media(entry)
    facts, trouble = _facts(beside) if beside is not None else ({}, "")
    facts.pop(KEY, None)
    problem = "; ".join(filter(None, [problem, trouble]))
    return make_sample(key, media, split_name(entry.address)[1], facts, defaults, problem=problem)


def _facts(entry: Entry) -> tuple[dict[str, Any], str]:
    if entry.size > MAX_FACTS:
        return {}, f"{entry.address} has {entry.size} bytes; at most {MAX_FACTS} are read"
    try:
        with open_address(entry.address) as file:
            value = parse_facts(file.read())
    except (OSError, ValueError, MediaError) as error:
        return {}, f"{entry.address} is no JSON ({error})"
    return (value, "") if isinstance(value, dict) else ({"json": value}, "")
