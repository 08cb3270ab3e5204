"""EmoNet-Face Binary: yes or no for one emotion of one picture, by up to three raters in turn.

The release's table names no order. What it holds (arXiv 2505.20033, data section; every figure can be recomputed with
`vote_patterns`): each picture was made for one TARGET emotion and paired with a fixed CONTRAST emotion. The target was
put to a first rater, where that one said yes to a second, and where both did to a third. The contrast was put to one
rater alone. So a pair with several ratings is a target, and the other emotion of its picture the contrast. Where both
have a single rating, the raters tell: some only ever judged targets, some only contrasts. One judged both, and the 417
pictures for which it gave both single ratings stay undecided unless the pictures' own table tells their emotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from emonet.datasets._hub import HubTable, read_hub
from emonet.datasets._media import files_by_name, folder_media
from emonet.datasets._records import LabelledSet, Rater, Ratings
from emonet.datasets._tables import fault, filled, in_order, keys_of, rating_rows, read_text_table
from emonet.errors import UsageError

TARGET, CONTRAST, UNDECIDED = "target", "contrast", "undecided"
"""Values of `protocol`: what the emotion was to the picture."""
_BLOCK = 2000
"""Pictures that were given to the same trio of raters."""
_LAYOUT = "EmoNet-Face Binary's columns path, annotator, value, emotion (or item, rater, present, emotion)"
_COLUMNS = {
    "item": ("path",),
    "rater": ("annotator",),
    "present": ("value",),
    "emotion": (),
}
_TRUTH = {"true": 1.0, "1": 1.0, "yes": 1.0, "false": 0.0, "0": 0.0, "no": 0.0}


def read_face_binary(
    ratings: Path, *, images: Path | None = None, parquet: Path | Sequence[Path] | None = None
) -> LabelledSet:
    """Read EmoNet-Face Binary.

    ratings: the table of judgements, one row each. images: folder with the pictures, named by their item. parquet:
    the release's parquet files (or their folder) with the pictures and the emotion each was made for, joined by file
    name, or by row number where the names were lost, in which case every row's emotion must be one of its item's.

    `items` has `target` and `contrast` (keys, null where undecided) and `block`. A rating's `protocol` says whether
    its emotion was the target, the contrast or undecided; `stage` is its place in the sequence, null where two raters
    who both said yes cannot be told apart. Raises `UsageError` naming file, row and remedy.
    """
    path = Path(ratings)
    table = read_text_table(path, _COLUMNS, layout=_LAYOUT)
    judged = pl.DataFrame(
        {
            "item": filled(table, "item", path),
            "rater": filled(table, "rater", path),
            "dimension": keys_of(filled(table, "emotion", path), path, "face"),
            "value": _truth(filled(table, "present", path), path),
        }
    )
    hub = read_hub(parquet, media="image") if parquet is not None else None
    joined = _rows_of_items(hub, judged, path) if hub is not None else None
    roles = _roles(judged, None if joined is None else joined.select("item", "made_for"))
    judged = _staged(judged.join(roles, on="item", how="left", maintain_order="left"))
    items = roles.sort("item")
    read_media = None
    if hub is not None and joined is not None:
        items = items.join(joined.drop("made_for"), on="item", how="left").sort("_row").drop("_row")
        read_media = hub.media(dict(zip(joined["item"], joined["_row"], strict=True)))
    if images is not None:
        found = files_by_name(images, items["item"], what="picture")
        items, read_media = items.with_columns(media=found), folder_media(items["item"], found)
    undecided = roles["target"].is_null().sum()
    return LabelledSet(
        name="emonet-face-binary",
        modality="face",
        items=items,
        ratings=Ratings(
            rating_rows(
                **{name: judged[name] for name in ("item", "rater", "dimension", "value", "protocol", "stage")}
            ),
            tuple(Rater(name, "human") for name in judged["rater"].unique().sort()),
        ),
        dimensions=in_order(judged["dimension"].unique(), "face"),
        scale=(0.0, 1.0),
        levels=(0.0, 1.0),
        asked=judged.select("item", "dimension").unique(maintain_order=True),
        demographics=() if hub is None else hub.demographics,
        read_media=read_media,
        licence="CC BY 4.0",
        source="EmoNet-Face Binary (arXiv 2505.20033)",
        notes=(
            "Only a yes was passed on to the next rater, so agreement among several ratings is no unbiased figure.",
            f"{undecided} items have two single ratings of which the target's cannot be told.",
        ),
    )


def vote_patterns(labelled: LabelledSet) -> pl.DataFrame:
    """How many (item, emotion) pairs had so many `ratings` of which so many said `present`: columns ratings, present,
    pairs."""
    votes = _votes(labelled)
    return votes.group_by("ratings", "present").agg(pairs=pl.len()).sort("ratings", "present")


def triple_positives(labelled: LabelledSet) -> pl.DataFrame:
    """The pairs that three raters said yes to and nobody no: columns item, dimension. A lone yes is not among them."""
    votes = _votes(labelled)
    return votes.filter((pl.col("ratings") >= 3) & (pl.col("present") == pl.col("ratings"))).select("item", "dimension")


def contrast_pairs(labelled: LabelledSet) -> tuple[tuple[str, str], ...]:
    """The fixed pairs of emotions, from the items whose roles are known; 20 in the release, each name in one pair.

    Raises `UsageError` when an emotion has several partners, so that no matching exists.
    """
    known = labelled.items.drop_nulls(["target", "contrast"]).select("target", "contrast").unique()
    pairs = sorted({(min(pair), max(pair)) for pair in known.iter_rows()})
    names = [name for pair in pairs for name in pair]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{labelled.name}: {', '.join(double)} have several contrast emotions; expected one each.")
    return tuple(pairs)


def _votes(labelled: LabelledSet) -> pl.DataFrame:
    votes = labelled.ratings.table.group_by("item", "dimension", maintain_order=True)
    return votes.agg(ratings=pl.len(), present=pl.col("value").sum().cast(pl.UInt32))


def _truth(said: pl.Series, path: Path) -> pl.Series:
    out = said.str.strip_chars().str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Float64)
    if out.null_count():
        at = int(out.is_null().arg_true()[0])
        raise fault(path, at + 1, f"the judgement is {said[at]!r};", "expected True or False (1 or 0).")
    return out


def _roles(judged: pl.DataFrame, made_for: pl.DataFrame | None) -> pl.DataFrame:
    """Columns item, target, contrast, block; one row per item. `made_for`: columns item and made_for, the emotion a
    picture was made for, where it is known."""
    pairs = judged.group_by("item", "dimension").agg(n=pl.len(), rater=pl.col("rater").first())
    passed_on = set(judged.join(pairs.filter(pl.col("n") > 1), on=["item", "dimension"])["rater"])
    decided = pairs.filter(pl.col("n") > 1)["item"]
    alone = set(pairs.filter((pl.col("n") == 1) & pl.col("item").is_in(decided.implode()))["rater"])
    is_target = (pl.col("n") > 1) | ((pl.col("n") == 1) & pl.col("rater").is_in(list(passed_on - alone)))
    is_contrast = (pl.col("n") == 1) & pl.col("rater").is_in(list(alone - passed_on))
    if made_for is not None:
        pairs = pairs.join(made_for, on="item", how="left")
        told = pl.col("made_for") == pl.col("dimension")
        is_target, is_contrast = told.fill_null(is_target), (~told).fill_null(is_contrast)
    pairs = pairs.with_columns(is_target=is_target, is_contrast=is_contrast)
    roles = pairs.group_by("item").agg(
        emotions=pl.len(),
        targets=pl.col("is_target").sum(),
        contrasts=pl.col("is_contrast").sum(),
        sure_target=pl.col("dimension").filter("is_target").first(),
        sure_contrast=pl.col("dimension").filter("is_contrast").first(),
        not_target=pl.col("dimension").filter(~pl.col("is_target")).first(),
        not_contrast=pl.col("dimension").filter(~pl.col("is_contrast")).first(),
    )
    # Of two emotions, knowing one is knowing both; anything else than one of each is left undecided.
    two = pl.col("emotions") == 2
    by_target = (pl.col("targets") == 1) & (pl.col("contrasts") <= 1)
    by_contrast = (pl.col("contrasts") == 1) & (pl.col("targets") == 0) & two
    number = pl.col("item").cast(pl.Int32, strict=False)
    return roles.select(
        "item",
        target=pl.when(by_target).then("sure_target").when(by_contrast).then("not_contrast"),
        contrast=pl.when(by_target & two).then("not_target").when(by_contrast).then("sure_contrast"),
        block=number // _BLOCK,
    )


def _staged(judged: pl.DataFrame) -> pl.DataFrame:
    """`judged` with `protocol` and `stage`.

    A second rater is one who said no where another said yes; a third, no where two said yes. Three who said yes are
    ordered like the same trio of the same block where its third rater said no.
    """
    pair = ["item", "dimension"]
    rows = judged.with_columns(
        protocol=pl.when(pl.col("dimension") == pl.col("target"))
        .then(pl.lit(TARGET))
        .when(pl.col("dimension") == pl.col("contrast"))
        .then(pl.lit(CONTRAST))
        .otherwise(pl.lit(UNDECIDED)),
        n=pl.len().over(pair),
        yes=pl.col("value").sum().over(pair),
        trio=pl.col("rater").sort().implode().over(pair).list.join("|"),
    )
    said_no = pl.col("value") == 0
    first = pl.col("n").eq(1) | (pl.col("n").eq(2) & ~said_no & pl.col("yes").eq(1))
    opening = rows.filter(first & (pl.col("protocol") == TARGET)).group_by("block", "rater").len()
    opening = opening.sort("len").group_by("block").agg(first_rater=pl.col("rater").last())
    thirds = rows.filter(pl.col("n").eq(3) & pl.col("yes").eq(2) & said_no).group_by("block", "trio")
    last = thirds.agg(third_rater=pl.col("rater").first(), thirds=pl.col("rater").n_unique())
    rows = rows.join(opening, on="block", how="left", nulls_equal=True, maintain_order="left")
    rows = rows.join(last, on=["block", "trio"], how="left", nulls_equal=True, maintain_order="left")
    known = (pl.col("thirds") == 1) & (pl.col("first_rater") != pl.col("third_rater"))
    of_three = (
        pl.when(said_no | (pl.col("rater") == pl.col("third_rater")))
        .then(3)
        .when(pl.col("rater") == pl.col("first_rater"))
        .then(1)
        .otherwise(2)
    )
    stage = (
        pl.when(first)
        .then(1)
        .when((pl.col("n") == 2) & (pl.col("yes") == 1))
        .then(2)
        .when((pl.col("n") == 3) & known)
        .then(of_three)
    )
    return rows.with_columns(stage=stage.cast(pl.Int16))


def _rows_of_items(hub: HubTable, judged: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Columns item, made_for, _row and the facts of the pictures' table."""
    column, emotion = hub.emotions("face")
    items = judged["item"].unique().sort()
    stems = pl.Series([None if name is None else Path(name).stem for name in hub.names], dtype=pl.String)
    by_name = stems.null_count() == 0 and stems.n_unique() == len(stems) and stems.is_in(items.implode()).all()
    if by_name:
        item = stems
    elif len(hub.frame) == len(items):
        item = items
    else:
        raise UsageError(
            f"{hub.source}: {len(hub.frame)} pictures whose names do not tell their items, for {len(items)} items of "
            f"{path}. Pass every file of the release, or the pictures as a folder."
        )
    rows = hub.frame.with_columns(item=item, made_for=emotion, _row=pl.Series(np.arange(len(item))))
    asked = rows.join(judged.select("item", "dimension").unique(), on="item")
    fits = asked.group_by("item").agg(fits=(pl.col("dimension") == pl.col("made_for")).any())
    if wrong := fits.filter(~pl.col("fits"))["item"].sort().to_list():
        raise UsageError(
            f"{hub.source}: {len(wrong)} pictures were made for an emotion that {path} does not ask of their item, "
            f"the first {wrong[0]}. The rows are of another order or release; pass the pictures as a folder instead."
        )
    if lost := sorted(set(items) - set(item)):
        raise UsageError(
            f"{hub.source}: no picture for {len(lost)} of {len(items)} items of {path}, the first {lost[0]}. Pass "
            "every file of the release."
        )
    return rows.drop(column)
