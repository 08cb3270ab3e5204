"""WebDataset tars: the members `KEY.wav`, `KEY.json`, ... that lie next to one another are one sample.

A key ends, as in WebDataset, at the first dot of the member's name, but a part that does not begin with a letter still
belongs to it: `clip.1.wav` has the key `clip.1`, `0001.caption.txt` is the fact `caption` of 0001. Several media
members under one key are several samples, named by all of their name.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from tarfile import HeaderError, ReadError, TarFile
from typing import IO, Any, Self, cast

from emonet.datasets._addresses import open_address
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
from emonet.errors import UnreadableMediaError

_TEXTS = frozenset({"json", "txt", "cls"})
_LETTER = re.compile("[A-Za-z]")
UNKNOWN = "bin"
"""Ending of media of unknown kind; beside other media it is left out."""
_MOST = 64
"""Members that are held for one key."""


@dataclass(slots=True)
class _Member:
    """`content`: None when it was not read, and `problem` says why."""

    path: str
    content: bytes | None
    problem: str = ""

    @property
    def stem(self) -> str:
        """The path without its last ending."""
        return split_name(self.path)[0]

    @property
    def extension(self) -> str:
        return split_name(self.path)[1]

    @property
    def infix(self) -> str:
        """What stands between key and last ending: "caption" in `0001.caption.txt`."""
        return self.stem[len(member_key(self.path)) + 1 :]


def tar_samples(address: str, defaults: Defaults) -> Iterator[Sample]:
    """The samples of a tar, which may be compressed, in its order."""
    with open_address(address) as file:
        count = 0
        key, group = "", list[_Member]()
        try:
            for member in _members(file):
                new = member_key(member.path)
                if group and (new != key or len(group) >= _MOST):
                    yield from (samples := _samples(key, group, defaults))
                    count += len(samples)
                    group = []
                key = new
                group.append(member)
            if group:
                yield from _samples(key, group, defaults)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            reason = str(error) or type(error).__name__
            raise UnreadableMediaError(
                address, f"breaks off or is damaged after {count} samples ({reason}); get it again"
            ) from error


def member_key(path: str) -> str:
    """The key of a member by its path; it never takes the last ending."""
    folder, slash, name = path.rpartition("/")
    key, *endings = name.split(".")
    while len(endings) > 1 and not _LETTER.match(endings[0]):
        key += f".{endings.pop(0)}"
    return f"{folder}{slash}{key}"


class _Header(tarfile.TarInfo):
    """A member whose damaged header is an error. tarfile takes it for the end of the tar."""

    @classmethod
    def fromtarfile(cls, tarfile: TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except HeaderError as error:
            if type(error).__name__ in ("EOFHeaderError", "EmptyHeaderError"):
                raise
            raise ReadError(str(error)) from error


def _members(file: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=file, mode="r|*", tarinfo=_Header) as tar:
        for header in tar:
            if header.isfile() and not header.name.rpartition("/")[2].startswith("."):
                path = clean(header.name.removeprefix("./"))
                yield _read(tar, header, path)
            cast(Any, tar).members.clear()  # the list of all members would grow with the tar


def _read(tar: tarfile.TarFile, header: tarfile.TarInfo, path: str) -> _Member:
    """A member's content, if a sample needs it and it is not too large."""
    extension = split_name(path.removesuffix(".gz"))[1]
    limit = MAX_MEDIA if is_media(extension) or extension == UNKNOWN else MAX_FACTS if extension in _TEXTS else -1
    if limit < 0:
        return _Member(path, None)
    if header.size > limit:
        return _Member(path, None, f"{path} has {header.size} bytes; at most {limit} are read")
    stream = tar.extractfile(header)
    assert stream is not None
    content = stream.read()
    if len(content) < header.size:
        raise tarfile.ReadError(f"{path} has {len(content)} of {header.size} bytes")
    if not path.endswith(".gz"):
        return _Member(path, content)
    path = path.removesuffix(".gz")
    try:
        content = _unpacked(content, limit)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        return _Member(path, None, f"{path}.gz cannot be unpacked ({error})")
    return _Member(path, content)


def _unpacked(content: bytes, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        out = file.read(limit + 1)
    if len(out) > limit:
        raise ValueError(f"more than {limit} bytes")
    return out


def _samples(key: str, group: list[_Member], defaults: Defaults) -> list[Sample]:
    media = [member for member in group if is_media(member.extension)]
    media = media or [member for member in group if member.extension == UNKNOWN][:1]
    others = [member for member in group if member not in media]
    if len(media) == 1:
        return [_sample(key, media[0], others, {key, media[0].stem}, defaults)]
    if not media:
        return [_sample(key, None, others, {key}, defaults)]
    stems = [member.stem for member in media]
    names = stems if len(set(stems)) == len(stems) else [member.path for member in media]
    samples = []
    for name, member in zip(names, media, strict=True):
        near = [one for one in others if one.stem == member.stem or one.stem not in stems]
        samples.append(_sample(name, member, near, {key, member.stem}, defaults, named=True))
    return samples


def _sample(
    key: str,
    media: _Member | None,
    others: list[_Member],
    whole: set[str],
    defaults: Defaults,
    *,
    named: bool = False,
) -> Sample:
    """`whole`: stems of members that tell facts of the whole sample; named: the key is what the tar says, whatever the
    facts say."""
    facts: dict[str, Any] = {}
    problems = [media.problem] if media is not None else []
    left_out = []
    for member in others:
        if member.extension not in _TEXTS and not member.problem:
            left_out.append(member.path[len(member_key(member.path)) + 1 :])
        else:
            problems.append(_take(member, "" if member.stem in whole else member.infix, facts))
    problem = "; ".join(filter(None, problems))
    if media is None and left_out and not problem:
        problem = f"no picture, recording or video among its members ({', '.join(left_out)})"
    if named:
        facts.pop(KEY, None)
    return make_sample(
        key,
        media.content if media is not None else None,
        media.extension if media is not None else "",
        facts,
        defaults,
        left_out=tuple(left_out),
        problem=problem,
    )


def _take(member: _Member, infix: str, facts: dict[str, Any]) -> str:
    """Put a member's content among the facts; what is wrong with it otherwise."""
    if member.content is None:
        return member.problem
    try:
        value = parse_facts(member.content) if member.extension == "json" else clean(member.content.decode("utf-8"))
    except ValueError as error:
        return f"{member.path} is no {'JSON' if member.extension == 'json' else 'text'} ({error})"
    if member.extension == "json" and not infix and isinstance(value, dict):
        facts.update(value)
        return ""
    if member.extension == "cls" and value.strip().isdigit():
        value = int(value)
    facts.setdefault(infix or member.extension, value)
    return ""
