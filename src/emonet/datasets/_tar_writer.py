"""WebDataset tars with the same bytes for the same samples."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any, cast

from emonet.datasets._facts import KEY
from emonet.datasets._samples import Sample
from emonet.datasets._tar_samples import UNKNOWN

_LONGEST = 180  # bytes of one part of a path; file systems take 255
_ODD = re.compile(r'[\x00-\x1f\x7f%\\:*?"<>|]')


class TarWriter:
    """One tar. Each sample is its media, if any, and a JSON with its facts, licence, consent and source."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, sample: Sample, facts: str) -> None:
        name = member_name(sample.key)
        said = {**json.loads(facts), "licence": sample.licence, "consent": sample.consent, "source": sample.source}
        if name != sample.key:
            said[KEY] = sample.key
        if sample.media is not None:
            self._add(f"{name}.{sample.extension or UNKNOWN}", sample.media)
        self._add(f"{name}.json", json.dumps(said, ensure_ascii=False, sort_keys=True).encode("utf-8"))

    def close(self) -> None:
        self._tar.close()

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o644
        self._tar.addfile(member, io.BytesIO(content))
        cast(Any, self._tar).members.clear()  # the list of all members would grow with the tar


def member_name(key: str) -> str:
    """The name that stands for a key in tars and folders: the key itself where it can, else with `%2E` and the like for
    dots and other characters that other readers stumble over. Different keys have different names."""
    folders = key.split("/")
    base = folders.pop()
    parts = ["%" if not part else re.sub(r"^\.|\.$", "%2E", _quoted(part)) for part in folders]
    return "/".join(_short(part) for part in [*parts, _quoted(base).replace(".", "%2E") or "%"])


def _quoted(text: str) -> str:
    return _ODD.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _short(part: str) -> str:
    content = part.encode("utf-8")
    if len(content) <= _LONGEST:
        return part
    start = content[: _LONGEST - 20].decode("utf-8", "ignore")
    return f"{start}%{hashlib.sha256(content).hexdigest()[:16]}"
