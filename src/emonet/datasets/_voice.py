"""EmoNet-Voice: 12,600 synthetic clips, each judged for the one emotion it was made for: 0 absent, 1 weak, 2 strong.

Each row of the files holds a clip and the text of a list with one dict per rater, `[{"human-4": {"Shame": 2}}, ...]`
(arXiv 2506.09827, annotation section; layout from the published files). Labels may be URL-encoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emonet.datasets._hub import HubTable, read_hub
from emonet.datasets._records import LabelledSet, Rater, Ratings
from emonet.datasets._tables import fault, in_order, rating_rows
from emonet.errors import UnknownNameError
from emonet.taxonomy import dimension_key

LEVELS = (0.0, 1.0, 2.0)
_PREFIX = r"^([0-9a-fA-F]{8})(?:[^0-9a-zA-Z]|$)"


def read_voice(parquet: Path | Sequence[Path]) -> LabelledSet:
    """Read EmoNet-Voice from its parquet files or their folder.

    Two to four of six people judged each clip, for its one label only, so `asked` holds one pair per item. Items are
    named by their files, by their row where the name was lost. The release tells no speaker; clips whose names begin
    with the same eight hexadecimal digits are resampled together (`cluster` "prefix") when every name begins so.
    Raises `UsageError` naming file, row and remedy, also for a row with two labels.
    """
    hub = read_hub(parquet, media="audio")
    column, votes = hub.votes()
    names = _item_names(hub)
    rows: dict[str, list[object]] = {"item": [], "rater": [], "dimension": [], "value": []}
    labels = []
    for row, (item, said) in enumerate(zip(names, votes, strict=True), start=1):
        label = _one_label(said, hub, row)
        labels.append(label)
        for rater, name, value in said:
            if value not in LEVELS:
                raise fault(hub.source, row, f"{rater} gave {value:g} for {name!r};", "expected 0, 1 or 2.")
            for key, entry in zip(rows, (item, rater, label, float(value)), strict=True):
                rows[key].append(entry)
    items = hub.frame.drop(column).select(
        pl.Series("item", names, dtype=pl.String), pl.Series("label", labels, dtype=pl.String), pl.all()
    )
    prefix = items["item"].str.extract(_PREFIX).str.to_lowercase()
    clustered = len(items) > 0 and prefix.null_count() == 0
    if clustered:
        items = items.with_columns(prefix=prefix)
    table = rating_rows(
        **{name: pl.Series(name, values) for name, values in rows.items()}, protocol="absent/weak/strong"
    )
    return LabelledSet(
        name="emonet-voice",
        modality="voice",
        items=items,
        ratings=Ratings(table, tuple(Rater(name, "human") for name in table["rater"].unique().sort())),
        dimensions=in_order(labels, "voice"),
        scale=(LEVELS[0], LEVELS[-1]),
        levels=LEVELS,
        asked=items.select("item", dimension="label"),
        demographics=hub.demographics,
        cluster="prefix" if clustered else None,
        read_media=hub.media({name: row for row, name in enumerate(names)}),
        licence="CC BY 4.0",
        source="EmoNet-Voice (arXiv 2506.09827)",
        notes=(
            "Each clip was judged for its own label only, so most clips are present cases and few are absent ones.",
            "A third person was asked mostly where the first two had said yes.",
        ),
    )


def _one_label(said: list[tuple[str, str, float]], hub: HubTable, row: int) -> str:
    """Key of the one label of a row."""
    names = sorted({name for _, name, _ in said})
    try:
        keys = {dimension_key(name, "voice") for name in names}
    except UnknownNameError as error:
        hint = f" Did you mean {error.nearest!r}?" if error.nearest else ""
        remedy = "Expected one of the 40 emotions, Arousal or Authenticity."
        raise fault(hub.source, row, f"unknown label {error.name!r}.{hint}", remedy) from error
    if len(keys) != 1:
        found = f"the labels {', '.join(names)}" if names else "no rating"
        raise fault(hub.source, row, f"holds {found};", "expected ratings of one label.")
    return keys.pop()


def _item_names(hub: HubTable) -> list[str]:
    """File names without endings; rows where names were lost. A name that several rows have gets its row added."""
    stems = [Path(name).stem if name else f"row-{row:05d}" for row, name in enumerate(hub.names)]
    often = {stem for stem, n in Counter(stems).items() if n > 1}
    return [f"{stem}-row-{row:05d}" if stem in often else stem for row, stem in enumerate(stems)]
