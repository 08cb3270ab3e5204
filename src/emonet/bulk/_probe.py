"""Which samples kill the process that decodes them.

After a worker died over a shard twice, its samples are decoded once more by a process that says which one it begins
before it does. When that process dies, the sample it named last is left out and the next process goes on behind it.

Usage: python -m emonet.bulk._probe SETTINGS ADDRESS KIND START
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, cast

from emonet.bulk._feed import Feed
from emonet.bulk._scratch import scratch
from emonet.bulk._settings import Settings
from emonet.datasets import Shard, read_samples
from emonet.errors import EmonetError

if TYPE_CHECKING:
    from emonet.datasets._samples import ShardKind

_MOST = 1000
"""Most samples of one shard that may kill a process before the shard is given up."""


def find_fatal(settings: Settings, shard: Shard) -> dict[str, str]:
    """Key → why it must not be decoded, for the samples that kill a process."""
    fatal: dict[str, str] = {}
    start = 0
    while len(fatal) < _MOST:
        arguments = [settings.to_json(), shard.address, shard.kind, str(start)]
        process = subprocess.Popen(
            [sys.executable, "-m", "emonet.bulk._probe", *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        number, key = start, None
        for line in process.stdout:
            number, key = json.loads(line)
        code = process.wait()
        if code == 0 or key is None:
            return fatal
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        fatal[key] = f"the process that decoded it died ({how})"
        start = number + 1
    return fatal


def main() -> None:
    """Decode samples from a number on, naming each one first."""
    text, address, kind, start = sys.argv[1:]
    estimator = Settings.from_json(text, source="argument").open()
    samples = islice(read_samples(address, kind=cast("ShardKind", kind)), int(start), None)
    with scratch() as folder, Feed(samples, folder) as feed:
        for number, path in enumerate(feed, start=int(start)):
            fed = feed.take()
            print(json.dumps([number, fed.sample.key]), flush=True)
            with contextlib.suppress(EmonetError, OSError):
                for _ in estimator.pieces(path):
                    pass
            path.unlink()


if __name__ == "__main__":
    main()
