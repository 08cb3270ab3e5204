"""A folder of media files and the manifest that names them."""

from __future__ import annotations

import json
from pathlib import Path

from emonet.datasets._samples import Sample
from emonet.datasets._tar_writer import member_name
from emonet.errors import UsageError


class FolderWriter:
    """Files under their keys, and one line of `manifest.jsonl` for each."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder = folder
        self._keys: set[str] = set()
        self._manifest = (folder / "manifest.jsonl").open("w", encoding="utf-8", newline="\n")

    def add(self, sample: Sample, facts: str) -> None:
        name = None
        if sample.media is not None:
            name = member_name(sample.key) + (f".{sample.extension}" if sample.extension else "")
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("xb") as file:
                    file.write(sample.media)
            except FileExistsError as error:
                raise UsageError(f"The key {sample.key!r} comes twice; expected each key once.") from error
        if sample.key in self._keys:
            raise UsageError(f"The key {sample.key!r} comes twice; expected each key once.")
        self._keys.add(sample.key)
        line = {
            "key": sample.key,
            "path": name,
            "licence": sample.licence,
            "consent": sample.consent,
            "source": sample.source,
            "facts": json.loads(facts),
        }
        self._manifest.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        self.count += 1

    def close(self) -> None:
        self._manifest.close()
