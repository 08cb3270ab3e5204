"""Long recordings to training data for captions: segments with scores and captions, then paraphrases of these."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.bulk._run import Summary, read_statistics, run
from emonet.bulk._shard import SEGMENTS
from emonet.bulk._statistics import Output, ShardStatistics
from emonet.bulk._storage import Storage
from emonet.datasets import Sample, read_samples
from emonet.datasets._shard_writer import facts_text
from emonet.datasets._tar_writer import TarWriter
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.captions._paraphrase import Paraphrases
    from emonet.services import CostEstimate, Endpoint

TRAINING = "training"
REPLIES = "paraphrases.sqlite"
_TO_ASK_AGAIN = ("not_asked", "error")  # of replies that another day may bring
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CaptionShard:
    """One shard of training data that is done.

    `segments_sha256`: of the tar it was made from; `clips`: all of them; `paraphrased`: those with a paraphrase at
    least; `paraphrases`: of all clips together; `dropped`: fault → paraphrases that did not say the same; `failed`:
    reason → clips that the model refused, which keep the captions made by rule.
    """

    shard: str
    segments_sha256: str
    settings: Mapping[str, Any]
    clips: int
    paraphrased: int
    paraphrases: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class CaptionData:
    """What `caption_data` came to. `folder`: where the training shards are; `unfinished`: shards whose clips were not
    all answered, since the budget did not allow it or the service failed; the same call goes on with them."""

    run: Summary
    folder: str
    shards: tuple[CaptionShard, ...] = ()
    unfinished: tuple[str, ...] = ()


def caption_data(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: str | Path = "voice",
    captions: int = 3,
    seed: int = 0,
    endpoint: Endpoint | None = None,
    variants: int = 3,
    progress: Say = lambda _: None,
    **options: Any,
) -> CaptionData:
    """Make WebDataset shards of captioned clips from recordings of any length.

    First a bulk run into `output`: speech is found and cut, each window scored, captioned by rule in `captions` ways
    and written to `output/segments/NAME.tar`. Without `endpoint` these tars are the training data. With one, each
    clip's first caption is paraphrased in `variants` ways and `output/training/NAME.tar` holds the clips with their
    paraphrases as `captions` (those made by rule are kept as `rule_captions`). `options`: those of `run`.

    The same call goes on where it stopped: shards by their statistics, paraphrases by the cache of replies in `output`.
    Raises what `run` and `emonet.services.ask` raise, and `UsageError` for paraphrases into remote storage, as that
    cache must lie on a disk.
    """
    made = run(input, output, model=model, captions=captions, caption_seed=seed, segments=True, **options)
    storage = Storage(output)
    if endpoint is None:
        return CaptionData(made, f"{storage.address}/{SEGMENTS}")
    if storage.local is None:
        raise UsageError(f"{storage.address}: paraphrasing keeps its replies in a file on disk; give a local output.")
    settings = {"base_url": endpoint.base_url, "model": endpoint.model, "variants": variants, "seed": seed}
    done: list[CaptionShard] = []
    unfinished: list[str] = []
    for statistics in read_statistics(storage):
        shard = _paraphrased(storage, statistics, endpoint, settings, progress)
        if shard is None:
            unfinished.append(statistics.shard)
        else:
            done.append(shard)
    return CaptionData(made, f"{storage.address}/{TRAINING}", tuple(done), tuple(unfinished))


def paraphrasing_cost(output: str | Path, endpoint: Endpoint, *, variants: int = 3, seed: int = 0) -> CostEstimate:
    """What paraphrasing the segments that `output` holds would take."""
    from emonet.captions._paraphrase import paraphrase_cost

    storage = Storage(output)
    pairs = [pair for one in read_statistics(storage) for pair in _captions(storage, one.shard)]
    return paraphrase_cost(pairs, endpoint, variants=variants, seed=seed)


def _paraphrased(
    storage: Storage, statistics: ShardStatistics, endpoint: Endpoint, settings: Mapping[str, Any], progress: Say
) -> CaptionShard | None:
    """Paraphrase one shard unless it is done; None when not every clip could be asked for."""
    from emonet.captions._paraphrase import paraphrase

    source = _segments(statistics, storage)
    done = _read_done(storage, statistics.shard)
    if done is not None and (done.segments_sha256, done.settings) == (source.sha256, settings):
        return done
    assert storage.local is not None
    pairs = list(_captions(storage, statistics.shard))
    found: dict[str, Paraphrases] = {}
    for result in paraphrase(
        pairs, endpoint, cache=storage.local / REPLIES, variants=settings["variants"], seed=settings["seed"],
        progress=progress,
    ):  # fmt: skip
        found[result.key] = result
    if len(found) < len(pairs) or any(one.message.startswith(_TO_ASK_AGAIN) for one in found.values()):
        return None
    with storage.new_file(f"{TRAINING}/{statistics.shard}.tar") as path:
        _write_tar(path, _samples(storage, statistics.shard), found)
    shard = _summary(statistics.shard, source.sha256, settings, found)
    storage.write_text(f"{TRAINING}/{statistics.shard}.json", json.dumps(asdict(shard), indent=1, ensure_ascii=False))
    progress(f"{statistics.shard}: {shard.paraphrases} paraphrases of {shard.clips} clips")
    return shard


def _segments(statistics: ShardStatistics, storage: Storage) -> Output:
    for output in statistics.outputs:
        if output.name.startswith(f"{SEGMENTS}/"):
            return output
    raise UsageError(f"{storage.address}: the run there was made without segments; choose another output.")


def _samples(storage: Storage, shard: str) -> Iterator[Sample]:
    return read_samples(f"{storage.address}/{SEGMENTS}/{shard}.tar", kind="webdataset")


def _captions(storage: Storage, shard: str) -> Iterator[tuple[str, str]]:
    """Key and first caption of each clip."""
    for sample in _samples(storage, shard):
        if caption := sample.facts.get("caption"):
            yield sample.key, str(caption)


def _write_tar(path: Path, samples: Iterator[Sample], found: Mapping[str, Paraphrases]) -> None:
    tar = TarWriter(path)
    try:
        for sample in samples:
            rule = list(sample.facts.get("captions", ()))
            texts = list(found[sample.key].texts) if sample.key in found else []
            facts = {**sample.facts, "caption": (texts or rule or [""])[0], "captions": texts or rule}
            whole = replace(sample, facts={**facts, "rule_captions": rule})
            tar.add(whole, facts_text(whole))
    finally:
        tar.close()


def _summary(name: str, sha256: str, settings: Mapping[str, Any], found: Mapping[str, Paraphrases]) -> CaptionShard:
    dropped: Counter[str] = Counter()
    for one in found.values():
        dropped.update(one.dropped)
    costs = [one.cost for one in found.values() if one.cost is not None]
    return CaptionShard(
        shard=name,
        segments_sha256=sha256,
        settings=dict(settings),
        clips=len(found),
        paraphrased=sum(bool(one.texts) for one in found.values()),
        paraphrases=sum(len(one.texts) for one in found.values()),
        dropped=dict(dropped),
        failed=dict(Counter(one.message for one in found.values() if one.message)),
        cost=sum(costs) if costs else None,
    )


def _read_done(storage: Storage, shard: str) -> CaptionShard | None:
    text = storage.read_text(f"{TRAINING}/{shard}.json")
    try:
        return None if text is None else CaptionShard(**json.loads(text))
    except (ValueError, TypeError):
        return None  # of another version: made anew
